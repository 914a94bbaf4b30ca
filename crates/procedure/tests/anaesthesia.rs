//! Injections in tissue of one kind and beside bone: spread, uptake, block of nerves, and what a lesion takes of it.

use std::{f64::consts::PI, sync::Arc};

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::{
    anaesthesia::{
        AnaesthesiaError, ClassBlock, ConductionRule, Drug, Fascia, FibreKind, Injection, Solution, Spread,
        TissueTransport, inject,
    },
    anatomy::{
        TissueId,
        phantom::{Fibres, Phantom, Region, Shape},
    },
    lesion::NerveCurve,
};

const POROSITY: f64 = 0.25;

fn class(ic50_mmol_per_l: f64) -> ClassBlock {
    ClassBlock {
        ic50_mmol_per_l,
        slope: 4.0,
    }
}

fn drug() -> Drug {
    Drug {
        percent: 2.0,
        mmol_per_l: 2e4 / 270.8,
        molar_mass_g_per_mol: 270.8,
        partition: 0.5,
        diffusion_m2_per_s: 4e-10,
        extraction: 1.0,
        nerve_share: 0.15,
        nerve_lag_s: 60.0,
        classes: [class(0.32), class(0.41), class(0.3), class(0.32), class(0.8)],
        max_dose_mg_per_kg: 4.5,
        max_dose_mg: 300.0,
        distribution_l: 91.0,
        clearance_l_per_min: 0.95,
        toxic_mg_per_l: 5.0,
    }
}

/// Muscle without blood; bone beyond `bone_mm` along x.
fn injection(bone_mm: Option<f64>) -> Injection {
    let regions = bone_mm.map(|x| Region::Solid {
        shape: Shape::HalfSpace {
            point: Vec3::x() * x,
            normal: Vec3::x(),
        },
        tissue: TissueId(1),
    });
    let nerve = |name: &str, x: f64| NerveCurve {
        name: name.to_owned(),
        points: vec![PatientPoint::new(x, 0.0, -40.0), PatientPoint::new(x, 0.0, 40.0)],
        diameter_mm: 1.0,
        target: true,
    };
    Injection {
        anatomy: Arc::new(Phantom {
            background: TissueId(0),
            regions: regions.into_iter().collect(),
            fibres: Fibres::default(),
        }),
        tissue_names: vec!["muscle".to_owned(), "bone".to_owned()],
        transport: vec![
            Some(TissueTransport {
                permeability_m2: 1e-13,
                porosity: POROSITY,
            }),
            Some(TissueTransport {
                permeability_m2: 0.0,
                porosity: 0.05,
            }),
        ],
        perfusion_per_s: vec![0.0; 2],
        solution: Solution {
            name: "lidocaine".to_owned(),
            sigma_s_per_m: 1.8,
            density_kg_per_m3: 1005.0,
            specific_heat_j_per_kg_k: 4150.0,
            viscosity_pa_s: 7e-4,
            salt_diffusion_m2_per_s: 1e-9,
            salt_extraction: 0.3,
            drug: Some(drug()),
        },
        volume_ml: 0.5,
        rate_ml_per_min: 1.0,
        tip: PatientPoint::new(0.0, 0.0, 0.0),
        follow_s: 300.0,
        keep_s: vec![0.0, 120.0],
        nerves: vec![nerve("near", 1.5), nerve("far", -30.0)],
        rule: ConductionRule {
            node_spacing_mm: [1.1, 0.8, 0.3, 0.3],
            nodes: vec![(3, 15.5), (6, 1.35), (13, 1.0)],
            unmyelinated_mm: 2.0,
            long_stretch: [0.76, 0.6],
        },
        fasciae: vec![],
        body_mass_kg: 70.0,
        cell_mm: Some(1.0),
    }
}

fn run(injection: &Injection) -> Arc<Spread> {
    Arc::new(inject(injection, &mut |_| true).unwrap_or_else(|e| panic!("{e}")))
}

#[test]
fn the_fluid_fills_the_pores_of_its_volume() {
    let spread = run(&injection(None));
    let radius = (3000.0 * 0.5 / (4.0 * PI * POROSITY)).cbrt();
    let at_end = spread
        .curve
        .iter()
        .find(|p| (p.t_s - spread.injected_s).abs() < 1e-9)
        .unwrap();
    assert!(
        (at_end.radius_mm / radius - 1.0).abs() < 0.05,
        "{} {radius}",
        at_end.radius_mm
    );
    assert!((at_end.fluid_ml - 0.5).abs() < 1e-9);
    let e = &spread.evidence;
    assert!(e.fluid_imbalance.abs() < 1e-12 && e.drug_imbalance.abs() < 1e-12 && e.highest_part < 1.0 + 1e-6);
    assert!(e.left_fraction < 1e-3, "{}", e.left_fraction);
    // At the tip the pores are full; far away there is nothing. The drug lags behind: cells take it up.
    let (tip, t) = (spread.tip, spread.injected_s);
    assert!((spread.share(&tip, t) - POROSITY).abs() < 0.01);
    assert!((spread.concentration_mmol_per_l(&tip, t) - 74.0).abs() < 2.0);
    let edge = PatientPoint::new(0.0, radius - 1.5, 0.0);
    assert!(spread.share(&edge, t) > 0.5 * POROSITY && spread.concentration_mmol_per_l(&edge, t) < 37.0);
    assert_eq!(spread.share(&PatientPoint::new(500.0, 0.0, 0.0), t), 0.0);
    // What a lesion gets is the same, at its own time.
    let injectate = spread.injectate_at(120.0);
    let tissue = injection(None).anatomy.tissue_at(&edge);
    assert_eq!(injectate.share.share_at(&edge, tissue), spread.share(&edge, t + 120.0));
    assert_eq!(injectate.sigma_s_per_m, 1.8);
}

#[test]
fn bone_and_fascia_keep_it_out_and_push_it_aside() {
    let free = run(&injection(None));
    let beside = run(&injection(Some(3.0)));
    let t = free.injected_s;
    let bone = PatientPoint::new(5.0, 0.0, 0.0);
    assert!(beside.share(&bone, t) == 0.0 && free.share(&bone, t) > 0.2);
    let away = PatientPoint::new(-8.5, 0.0, 0.0);
    assert!(beside.share(&away, t) > free.share(&away, t));
    // Right at the bone's surface the concentration is that of the tissue before it.
    let surface = PatientPoint::new(2.9, 0.0, 0.0);
    assert_eq!(beside.share(&PatientPoint::new(3.05, 0.0, 0.0), t), 0.0);
    assert!(beside.concentration_mmol_per_l(&surface, t) > 60.0);
    let mut held = injection(None);
    held.fasciae = vec![Fascia {
        point: PatientPoint::new(2.5, 0.0, 0.0),
        normal: [2.0, 0.0, 0.0],
        radius_mm: 500.0,
    }];
    let held = run(&held);
    assert_eq!(held.share(&PatientPoint::new(5.0, 0.0, 0.0), t), 0.0);
    assert!(held.evidence.tip_pressure_kpa > free.evidence.tip_pressure_kpa);
}

#[test]
fn a_nerve_in_it_is_blocked_with_a_lag_and_one_far_away_is_not() {
    let spread = run(&injection(None));
    let [near, far] = [&spread.nerves[0], &spread.nerves[1]];
    for class in FibreKind::ALL {
        assert_eq!(far.conducting_share(class, spread.end_s()), 1.0);
        assert_eq!(near.conducting_share(class, 0.0), 1.0);
        assert!(near.conducting_share(class, spread.end_s()) < 0.05);
        let onset = near.onset_s(class, 0.1).unwrap();
        assert!(onset > 1.0 && onset < 120.0, "{class:?} {onset}");
        assert_eq!(near.wears_off_s(class, 0.1), None);
    }
    // Aδ before C; the middle of the nerve before its far ends, which conduct.
    assert!(near.onset_s(FibreKind::ADelta, 0.1) < near.onset_s(FibreKind::C, 0.1));
    let at = |along| near.block_fraction(FibreKind::C, along, spread.end_s());
    assert!(at(40.0) > 0.99 && at(5.0) == 0.0);
    // Among the fibres it comes to the nerve's share of what is outside, with its lag.
    let (inside, outside) = (near.inside_at(spread.end_s()), near.outside_at(spread.end_s()));
    let middle = inside.len() / 2;
    assert!((inside[middle] / outside[middle] / 0.15 - 1.0).abs() < 0.1);
}

#[test]
fn blood_takes_it_up_and_the_block_wears_off() {
    let mut perfused = injection(None);
    perfused.perfusion_per_s = vec![8e-4, 0.0];
    perfused.follow_s = 4.0 * 3600.0;
    let spread = run(&perfused);
    let last = spread.curve.last().unwrap();
    assert!(last.absorbed_mg > 9.0 && last.drug_mg < 1.0, "{last:?}");
    assert!((last.absorbed_mg + last.drug_mg - 10.0).abs() < 1e-3, "{last:?}");
    assert!(last.plasma_mg_per_l > 0.0 && last.plasma_mg_per_l < 0.2);
    let near = &spread.nerves[0];
    let off = |class| near.wears_off_s(class, 0.5).unwrap();
    // The less susceptible fibres come back first.
    assert!(off(FibreKind::C) < off(FibreKind::ADelta));
    assert!(spread.dose.unwrap().dose_mg == 10.0 && !spread.dose.unwrap().too_much());
}

#[test]
fn bad_injections_are_named() {
    let refused = |change: fn(&mut Injection), expected: &str| {
        let mut i = injection(Some(3.0));
        change(&mut i);
        let message = inject(&i, &mut |_| true).err().unwrap().to_string();
        assert!(message.contains(expected), "{message}");
    };
    refused(|i| i.volume_ml = 5.0, "the volume is 5 ml; expected 0.1 to 3 ml");
    refused(|i| i.volume_ml = f64::NAN, "the volume is NaN");
    refused(|i| i.rate_ml_per_min = 0.0, "the rate is 0 ml/min");
    refused(|i| i.follow_s = 1e9, "the time followed");
    refused(|i| i.body_mass_kg = -1.0, "the mass of the body");
    refused(|i| i.cell_mm = Some(0.001), "the side of a cell");
    refused(|i| i.keep_s = vec![1000.0], "a time to be kept");
    refused(
        |i| i.tip = PatientPoint::new(20.0, 0.0, 0.0),
        "lies in bone, where no fluid can enter",
    );
    refused(|i| i.transport[0] = None, "tissue \"muscle\" has no permeability");
    let stopped = inject(&injection(None), &mut |p| p.t_s < 10.0);
    assert!(matches!(stopped, Err(AnaesthesiaError::Cancelled { .. })));
}

#[test]
fn the_same_bytes_with_any_number_of_threads() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let spread = run(&injection(Some(3.0)));
            let p = PatientPoint::new(-2.0, 1.0, 0.5);
            (
                spread.concentration_mmol_per_l(&p, 200.0).to_bits(),
                spread.curve.last().unwrap().drug_mg.to_bits(),
            )
        })
    };
    assert_eq!(with(1), with(3));
}
