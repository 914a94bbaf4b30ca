use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::injury::Arrhenius;

use super::*;
use crate::lesion::NerveCurve;

fn straight(length_mm: f64, diameter_mm: f64) -> NerveCurve {
    NerveCurve {
        name: "L4 medial branch right".to_owned(),
        points: vec![
            PatientPoint::from_vec(Vec3::zeros()),
            PatientPoint::from_vec(Vec3::new(0.0, 0.0, length_mm)),
        ],
        diameter_mm,
        target: true,
    }
}

#[test]
fn places_fill_the_cross_section_evenly_and_keep_their_place() {
    let places = NervePlaces::new(&straight(20.0, 1.0));
    assert_eq!(places.along_mm.len(), 80);
    assert_eq!(places.points.len(), 80 * ACROSS);
    // Mean square distance from the axis of a disc: half of r².
    let square = places.across_mm.iter().map(|[x, y]| x * x + y * y).sum::<f64>() / ACROSS as f64;
    assert!((square / 0.125 - 1.0).abs() < 0.01, "{square}");
    let mean: [f64; 2] = [0, 1].map(|k| places.across_mm.iter().map(|a| a[k]).sum::<f64>() / ACROSS as f64);
    assert!(mean[0].hypot(mean[1]) < 0.05, "{mean:?}");
    for j in 0..ACROSS {
        let side = |i: usize| {
            let p = places.points[i * ACROSS + j].vec();
            [p.x, p.y]
        };
        let (a, b) = (side(0), side(79));
        assert!((a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9);
    }
}

#[test]
fn places_follow_a_bent_nerve_at_their_distance() {
    let mut nerve = straight(10.0, 2.0);
    nerve.points = (0..=40)
        .map(|k| {
            let (sin, cos) = (f64::from(k) * 0.05).sin_cos();
            PatientPoint::from_vec(Vec3::new(10.0 * cos, 10.0 * sin, 0.0))
        })
        .collect();
    // A point twice is no fault.
    nerve.points.insert(3, nerve.points[3]);
    let places = NervePlaces::new(&nerve);
    for (i, p) in places.points.iter().enumerate() {
        let [x, y] = places.across_mm[i % ACROSS];
        let r = p.vec().xy().norm() - 10.0;
        let off = r.hypot(p.vec().z);
        assert!((off - x.hypot(y)).abs() < 0.02, "{i}: {off}");
    }
}

#[test]
fn nerves_are_known_by_their_names() {
    use crate::anatomy::NerveKind;
    for (name, kind) in [
        ("L4 medial branch right", NerveKind::MedialBranch),
        ("L5 dorsal ramus left", NerveKind::DorsalRamus),
        ("L4 ventral ramus right", NerveKind::VentralRamus),
        ("L4 ganglion right", NerveKind::Ganglion),
        ("L4 root right", NerveKind::Root),
        ("my nerve", NerveKind::MedialBranch),
    ] {
        assert_eq!(kind_of(name), kind, "{name}");
    }
}

fn law(name: &str) -> NerveLaw {
    NerveLaw {
        name: name.to_owned(),
        reversible: false,
        kinetics: Kinetics::Arrhenius(Arrhenius {
            ln_frequency_factor: 7.39e39f64.ln(),
            activation_energy_j_per_mol: 2.577e5,
        }),
    }
}

/// A nerve with fibres of one class alone, all of 10 µm.
fn ten_micrometre_nerve() -> crate::catalog::NerveFibres {
    let value = |value: f64| crate::catalog::Sourced {
        value,
        source: "test".to_owned(),
        verified: true,
        condition: None,
        range: None,
    };
    let (none, thin) = (value(0.0), value(3.0));
    crate::catalog::NerveFibres {
        name: "medial_branch".to_owned(),
        title: "test".to_owned(),
        fibre_count: value(1000.0),
        a_alpha_fraction: value(1.0),
        a_alpha_diameter_um: value(10.0),
        a_alpha_sd_um: value(0.1),
        a_beta_fraction: none.clone(),
        a_beta_diameter_um: thin.clone(),
        a_beta_sd_um: thin.clone(),
        a_gamma_fraction: none.clone(),
        a_gamma_diameter_um: thin.clone(),
        a_gamma_sd_um: thin.clone(),
        a_delta_fraction: none.clone(),
        a_delta_diameter_um: thin.clone(),
        a_delta_sd_um: thin.clone(),
        c_fraction: none,
        c_diameter_um: thin.clone(),
        c_sd_um: thin,
    }
}

/// A run in which every place of a nerve has a temperature of its own in time.
fn recorded(nerve: &NerveCurve, steps: &[f64], of: impl Fn(f64, f64) -> f64) -> NerveHeat {
    let run_s = steps.last().copied().unwrap();
    let mut recorder = Recorder::of(std::slice::from_ref(nerve), 37.0, run_s, &[law("liver")]);
    let along = NervePlaces::new(nerve).points;
    for t in steps {
        let now = along.iter().map(|p| of(*t, p.vec().z)).collect();
        recorder.advance(*t, now, true);
    }
    recorder.finish().remove(0)
}

#[test]
fn injury_is_that_of_the_closed_form_at_a_constant_temperature() {
    let nerve = straight(5.0, 1.0);
    let steps: Vec<f64> = (0..=30).map(|k| 2.0 * f64::from(k)).collect();
    let heat = recorded(&nerve, &steps, |_, _| 50.06);
    // Omega = 1 in 60 s, worked out by hand to two decimals of a degree.
    assert!(
        heat.injury[0].iter().all(|w| (w - 1.0).abs() < 0.003),
        "{}",
        heat.injury[0][0]
    );
    assert!(heat.history.len() > 20 && heat.history.last().unwrap().0 == 60.0);
}

#[test]
fn injury_of_a_rising_temperature_does_not_hang_on_the_steps() {
    let nerve = straight(5.0, 1.0);
    let rise = |t: f64, _: f64| 37.0 + 20.0 * (1.0 - (-t / 20.0).exp());
    let coarse: Vec<f64> = (0..=30).map(|k| 2.0 * f64::from(k)).collect();
    let fine: Vec<f64> = (0..=600).map(|k| 0.1 * f64::from(k)).collect();
    let (a, b) = (recorded(&nerve, &coarse, rise), recorded(&nerve, &fine, rise));
    assert!((a.injury[0][0] / b.injury[0][0] - 1.0).abs() < 2e-3);
}

#[test]
fn a_hot_stretch_cuts_what_lies_in_it() {
    let nerve = straight(30.0, 1.0);
    let steps: Vec<f64> = (0..=90).map(f64::from).collect();
    let hot = |length: f64| {
        recorded(&nerve, &steps, move |t, z| {
            if t > 0.0 && (z - 15.0).abs() < 0.5 * length {
                60.0
            } else {
                37.0
            }
        })
    };
    let mut catalog = crate::catalog::Catalog::default();
    let found = cut(&catalog, &hot(8.0));
    let by_law = &found.laws[0];
    assert_eq!(by_law.cut_fraction, 1.0);
    assert!((by_law.mean_gap_mm - 8.0).abs() < 0.3, "{}", by_law.mean_gap_mm);
    assert!(by_law.classes.is_empty());
    let cold = cut(&catalog, &recorded(&nerve, &steps, |_, _| 42.0));
    assert_eq!((cold.laws[0].cut_fraction, cold.laws[0].mean_gap_mm), (0.0, 0.0));

    // Fibres of a class of 10 um have nodes 1.1 mm apart: 2 mm leave them conducting if only channels are lost, 8 mm do not.
    catalog.nerves.push(ten_micrometre_nerve());
    let of = |length: f64| cut(&catalog, &hot(length)).laws[0].classes[0].clone();
    let (short, long) = (of(2.0), of(8.0));
    assert!(
        short.cut == short.fibres && short.blocked < 0.5 * short.fibres,
        "{short:?}"
    );
    assert!(
        long.blocked == long.fibres && long.dead_nodes.unwrap() > 5.0,
        "{long:?}"
    );

    // And spikes say the same.
    let pass = |length: f64| {
        let heat = hot(length);
        let all = conduction(&catalog, &heat, 0, &|_, _| 0.0);
        (
            all[0].before.passes,
            all[0].after_without_sodium.passes,
            all[0].after_cut.passes,
        )
    };
    assert_eq!(pass(2.0), (true, true, false));
    assert_eq!(pass(8.0), (true, false, false));
    // A drug that blocks all channels along the nerve stops them from the beginning.
    let heat = hot(8.0);
    let drugged = conduction(&catalog, &heat, 0, &|mm, _| {
        f64::from(u8::from((10.0..20.0).contains(&mm)))
    });
    assert!(!drugged[0].before.passes);
}
