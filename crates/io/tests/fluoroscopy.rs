//! Live fluoroscopy on small volumes, with the built-in catalogue's machine.

use neurotome_base::{Affine, PatientPoint, Vec3, Volume};
use neurotome_io::catalog;
use neurotome_physics::xray::{Part, Projector, Shape, View, ViewError, paths_mm};
use neurotome_procedure::{
    catalog::find,
    fluoroscopy::{
        CArm, Collimation, Contrast, DeviceMaterial, Effects, Exposure, FluoroError, Fluoroscope, Machine, NeedleLook,
        Settings, VolumeFacts, explain, needle_parts, pedicle_screw, skin_marker,
    },
    lesion::{Bend, Bevel, Metal, Needle, Tine},
};

const MIDDLE: PatientPoint = PatientPoint::new(0.0, 0.0, 0.0);

/// A trunk of water in air with a block of bone in its back, voxels of 5 mm.
fn trunk(half_mm: [f64; 3]) -> Volume<f32> {
    let affine = Affine::axis_aligned([5.0; 3], [-200.0, -150.0, -100.0]).unwrap();
    let mut volume = Volume::filled([81, 61, 41], affine, -1000.0f32).unwrap();
    for (n, v) in volume.data_mut().iter_mut().enumerate() {
        let p = Vec3::new((n % 81) as f64, (n / 81 % 61) as f64, (n / (81 * 61)) as f64) * 5.0
            - Vec3::new(200.0, 150.0, 100.0);
        let q = p.component_div(&Vec3::from(half_mm));
        if q.xy().norm() < 1.0 && q.z.abs() < 1.0 {
            *v = if p.x.abs() < 20.0 && (20.0..60.0).contains(&p.y) {
                700.0
            } else {
                30.0
            };
        }
    }
    volume
}

fn machine() -> Machine {
    Machine::new(&catalog::built_in().unwrap(), "mobile-flat-30cm").unwrap()
}

fn scope(volume: Volume<f32>) -> Fluoroscope {
    let mut scope = Fluoroscope::new(volume, machine(), MIDDLE).unwrap();
    let arm = CArm {
        pixels: [128; 2],
        ..*scope.arm()
    };
    scope.move_arm(arm).unwrap();
    scope
}

fn usual() -> Fluoroscope {
    scope(trunk([160.0, 110.0, 100.0]))
}

/// A needle of 0.9 mm whose tip lies at the isocentre.
fn needle() -> Needle {
    Needle {
        tip: MIDDLE,
        direction: [0.0, -0.6, 0.8],
        outer_diameter_mm: 0.9,
        active_tip_mm: 10.0,
        length_mm: 100.0,
        bend: None,
        bevel: None,
        contacts: vec![],
        insulation_defects: vec![],
        skin_from_tip_mm: None,
        tines: vec![],
        coolant: None,
        potential_fraction: 1.0,
        thermocouple_from_tip_mm: 0.0,
        thermocouple_tine: None,
        metal: Metal {
            thermal_conductivity_w_per_m_k: 16.2,
            density_kg_per_m3: 7900.0,
            specific_heat_j_per_kg_k: 500.0,
        },
    }
}

/// Path through steel along a ray that passes a point.
fn steel_mm(parts: &[Part], through: Vec3, direction: Vec3) -> f64 {
    let d = direction.normalize();
    paths_mm::<4>(parts, &(through - d * 500.0), &d)[DeviceMaterial::Steel as usize]
}

#[test]
fn needles_have_stylet_lumen_hub_bevel_bend_and_tines() {
    let look = NeedleLook::default();
    let straight = needle_parts(&needle(), &look);
    let axis = Vec3::from(needle().direction);
    let on_shaft = -axis * 30.0;
    assert!((steel_mm(&straight, on_shaft, Vec3::x()) - 0.9).abs() < 1e-9);
    let empty = NeedleLook { stylet: false, ..look };
    let wall = steel_mm(&needle_parts(&needle(), &empty), on_shaft, Vec3::x());
    assert!((wall - 0.9 * 0.3).abs() < 1e-9, "{wall}");
    // The hub is polymer, behind the needle.
    let hub = paths_mm::<4>(&straight, &(-axis * 110.0 - Vec3::x() * 500.0), &Vec3::x());
    assert!(
        (hub[DeviceMaterial::Polymer as usize] - 6.0).abs() < 1e-9 && hub[0] == 0.0,
        "{hub:?}"
    );

    // Cut at 45° towards −x: level with the tip nothing but the point on the other side is left.
    let bevelled = Needle {
        bevel: Some(Bevel {
            angle_deg: 45.0,
            towards: [-1.0, 0.0, 0.0],
        }),
        ..needle()
    };
    let parts = needle_parts(&bevelled, &look);
    let across = |s: f64| steel_mm(&parts, -axis * s, Vec3::x());
    assert!(across(0.0) < 1e-6, "{}", across(0.0));
    assert!((across(0.45) - 0.45).abs() < 1e-6, "{}", across(0.45));
    assert!((across(2.0) - 0.9).abs() < 1e-6, "{}", across(2.0));

    // Bent by 15° over 10 mm: the distal end stays, the shaft leaves the straight line.
    let bent = Needle {
        bend: Some(Bend {
            angle_deg: 15.0,
            length_mm: 10.0,
            towards: [1.0, 0.0, 0.0],
        }),
        ..needle()
    };
    let parts = needle_parts(&bent, &look);
    let end = (axis * 15f64.to_radians().cos() + Vec3::x() * 15f64.to_radians().sin()).normalize();
    assert!(steel_mm(&parts, -end * 0.4, end.cross(&Vec3::x())) > 0.85);
    assert_eq!(steel_mm(&parts, -axis * 60.0, axis.cross(&Vec3::x())), 0.0);

    let tined = Needle {
        tines: vec![Tine {
            from_tip_mm: 3.0,
            angle_deg: 40.0,
            towards: [1.0, 0.0, 0.0],
            length_mm: 5.0,
            diameter_mm: 0.4,
        }],
        ..needle()
    };
    let tine = axis * 40f64.to_radians().cos() + Vec3::x() * 40f64.to_radians().sin();
    let middle = -axis * 3.0 + tine * 3.0;
    let path = steel_mm(&needle_parts(&tined, &look), middle, tine.cross(&Vec3::x()));
    assert!((path - 0.4).abs() < 1e-9, "{path}");
    assert!((needle().outer_diameter_mm - 0.9).abs() < 1e-12);
}

#[test]
fn metal_and_contrast_darken_the_picture_and_go_again() {
    let mut scope = usual();
    scope
        .set(Settings {
            effects: Effects::NONE,
            exposure: Exposure::Fixed { charge_mas: 0.1 },
            ..Settings::default()
        })
        .unwrap();
    let plain = scope.frame().unwrap();
    let at = 64 + 128 * 64;
    let mut parts = vec![skin_marker(&PatientPoint::new(0.0, 100.0, 0.0), 8.0)];
    parts.extend(pedicle_screw(
        &PatientPoint::new(20.0, 40.0, 20.0),
        &PatientPoint::new(10.0, 0.0, 20.0),
        6.0,
    ));
    scope.set_devices(parts);
    scope
        .set(Settings {
            display: neurotome_procedure::fluoroscopy::Display {
                new_share: 1.0,
                ..scope.settings().display
            },
            ..*scope.settings()
        })
        .unwrap();
    let marked = scope.frame().unwrap();
    // Six and more millimetres of lead leave next to nothing in the whole pixel.
    assert!(marked.signal.data[at] < 0.02 * plain.signal.data[at]);
    scope.set_devices(vec![]);
    let affine = Affine::axis_aligned([2.0; 3], [-10.0, -10.0, -10.0]).unwrap();
    scope.set_contrast(Some(
        Contrast::still(Volume::filled([11, 11, 11], affine, 150.0).unwrap()).unwrap(),
    ));
    let filled = scope.frame().unwrap();
    assert!(filled.signal.data[at] < 0.7 * plain.signal.data[at]);
    scope.set_contrast(None);
    assert_eq!(scope.frame().unwrap().signal, plain.signal);
}

#[test]
fn brightness_control_follows_the_patient_and_the_dose_adds_up() {
    let mut slim = scope(trunk([120.0, 70.0, 100.0]));
    let mut stout = scope(trunk([190.0, 140.0, 100.0]));
    let (a, b) = (slim.frame().unwrap(), stout.frame().unwrap());
    assert!(b.dose.air_kerma_mgy > 5.0 * a.dose.air_kerma_mgy);
    // Sideways through the stout one the charge does not reach: the voltage rises, and falls back for the AP view.
    let ap = *stout.arm();
    stout
        .move_arm(CArm {
            orbital_deg: 90.0,
            ..ap
        })
        .unwrap();
    stout.frame().unwrap();
    assert!(stout.machine().technique.kv > 75.0, "{}", stout.machine().technique.kv);
    stout.move_arm(ap).unwrap();
    let again = stout.frame().unwrap();
    assert_eq!(again.charge_mas, b.charge_mas);
    assert_eq!(stout.total().frames, 3);
    assert!((stout.total().screening_s - 3.0 / 8.0).abs() < 1e-12);
    assert!(stout.total().air_kerma_mgy > 2.0 * b.dose.air_kerma_mgy);
    // Last image hold: the picture without another pulse.
    assert_eq!(stout.hold().unwrap(), Some(&again));
    assert_eq!(stout.total().frames, 3);
}

/// Behind the block with which it is set up, brightness control gives the detector the kerma of its set point; behind a patient the same signal
/// is less kerma, since a hard beam is taken up better than it ionises air.
#[test]
fn brightness_control_is_set_up_behind_copper() {
    let machine = machine();
    let set_ngy = machine.entry.detector_kerma_ngy.value;
    let copper = neurotome_procedure::fluoroscopy::Technique {
        copper_mm: machine.technique.copper_mm + machine.entry.setting_copper_mm.value,
        ..machine.technique
    };
    let behind = machine.with_technique(copper).unwrap();
    // The charge for the set signal with nothing but the block in the beam, at 1 m.
    let charge_mas = set_ngy * machine.set_kev_per_mm2_ngy / behind.response.open_kev_per_mas_mm2();
    assert!((1e3 * behind.kerma_ugy_per_mas * charge_mas / set_ngy - 1.0).abs() < 1e-6);
    // The same signal in the open beam is more kerma, behind 200 mm of water about as much as behind the copper.
    let open_mas = set_ngy * machine.set_kev_per_mm2_ngy / machine.response.open_kev_per_mas_mm2();
    assert!(1e3 * machine.kerma_ugy_per_mas * open_mas > 1.3 * set_ngy);
    let share = machine.kerma_behind_water(200.0).unwrap();
    let signal = f64::from(-machine.response.depth([200.0, 0.0])[0]).exp();
    let ngy = 1e3 * machine.kerma_ugy_per_mas * share * open_mas / signal;
    assert!((0.8..1.3).contains(&(ngy / set_ngy)), "{}", ngy / set_ngy);
}

#[test]
fn a_collimator_closed_below_a_pixel_shows_nothing_and_says_why() {
    let mut scope = usual();
    let closed = CArm {
        collimation: Some(Collimation {
            half_width_mm: 0.05,
            half_height_mm: 0.05,
        }),
        ..*scope.arm()
    };
    scope.move_arm(closed).unwrap();
    let frame = scope.frame().unwrap();
    assert!(frame.picture.grey.iter().all(|g| *g == frame.picture.grey[0]));
    let facts = VolumeFacts::of(&trunk([160.0, 110.0, 100.0]));
    let remarks = explain(&facts, &scope.view().unwrap(), &MIDDLE, Some(&frame));
    assert!(remarks.iter().any(|r| r.contains("open the collimator")), "{remarks:?}");
}

#[test]
fn moving_pictures_are_coarse_and_the_held_one_is_whole() {
    let mut scope = usual();
    let mut settings = Settings {
        effects: Effects::NONE,
        exposure: Exposure::Fixed { charge_mas: 0.1 },
        moving_voxel_mm: Some(10.0),
        ..Settings::default()
    };
    settings.display.new_share = 1.0;
    scope.set(settings).unwrap();
    let coarse = scope.frame().unwrap();
    assert!(!coarse.whole);
    let dose = *scope.total();
    let held = scope.hold().unwrap().unwrap().clone();
    assert!(held.whole && held.signal != coarse.signal && *scope.total() == dose);
    let next = scope.frame().unwrap();
    assert_eq!(next.signal, held.signal);
    // The coarse picture is nearly the whole one: its voxels are twice as large.
    let off = |a: f32, b: f32| f64::from((a / b).ln().abs());
    let pairs = coarse.signal.data.iter().zip(&held.signal.data);
    let mean = pairs.map(|(a, b)| off(*a, *b)).sum::<f64>() / held.signal.data.len() as f64;
    assert!(mean < 0.1, "{mean}");
    // A needle that has moved since is not drawn into the held picture.
    scope
        .move_arm(CArm {
            orbital_deg: 5.0,
            ..*scope.arm()
        })
        .unwrap();
    let turned = scope.frame().unwrap();
    scope.set_devices(needle_parts(&needle(), &NeedleLook::default()));
    assert_eq!(scope.hold().unwrap(), Some(&turned));
}

#[test]
fn averaging_lowers_noise_and_collimation_blackens() {
    let mut scope = usual();
    let mut settings = Settings {
        exposure: Exposure::Fixed { charge_mas: 0.05 },
        ..Settings::default()
    };
    let deviation = |scope: &mut Fluoroscope, frames: usize| {
        let mut last = scope.frame().unwrap();
        for _ in 1..frames {
            last = scope.frame().unwrap();
        }
        let rows = (54..74).flat_map(|r| (80..100).map(move |c| c + 128 * r));
        let values: Vec<f64> = rows.map(|n| f64::from(last.signal.data[n])).collect();
        let steps: Vec<f64> = values.windows(2).map(|w| w[1] - w[0]).collect();
        (steps.iter().map(|s| s * s).sum::<f64>() / steps.len() as f64).sqrt()
    };
    settings.display.new_share = 1.0;
    scope.set(settings).unwrap();
    let single = deviation(&mut scope, 1);
    settings.display.new_share = 0.25;
    scope.set(settings).unwrap();
    // A running average with share a has a/(2 − a) of the variance.
    let averaged = deviation(&mut scope, 20);
    let expected = (0.25f64 / 1.75).sqrt();
    assert!((averaged / single / expected - 1.0).abs() < 0.25, "{averaged} {single}");

    let open = scope.frame().unwrap();
    let arm = CArm {
        collimation: Some(Collimation {
            half_width_mm: 50.0,
            half_height_mm: 75.0,
        }),
        ..*scope.arm()
    };
    scope.move_arm(arm).unwrap();
    let narrow = scope.frame().unwrap();
    assert!(narrow.picture.grey[5 + 128 * 64] == 0 && narrow.picture.grey[64 + 128 * 3] == 0);
    assert!((narrow.dose.dose_area_gy_cm2 / open.dose.dose_area_gy_cm2 - 1.0 / 6.0).abs() < 1e-9);
    assert_eq!(narrow.dose.air_kerma_mgy, open.dose.air_kerma_mgy);
}

#[test]
fn hardening_scatter_and_grid_do_what_they_are_for() {
    let catalog = catalog::built_in().unwrap();
    let hard = machine();
    let technique = neurotome_procedure::fluoroscopy::Technique {
        beam_hardening: false,
        ..hard.technique
    };
    let single = hard.with_technique(technique).unwrap();
    // Without hardening the logarithm grows in proportion to thickness.
    let depth = |m: &Machine, mm: f32| f64::from(m.response.depth([mm, 0.0])[0]);
    assert!((depth(&single, 200.0) / depth(&single, 20.0) - 10.0).abs() < 1e-3);
    assert!(depth(&hard, 200.0) / depth(&hard, 20.0) < 9.5);
    // Scatter flattens the picture, a grid brings contrast back.
    let contrast = |scatter, grid| {
        let mut scope = usual();
        let effects = Effects {
            scatter,
            grid,
            ..Effects::NONE
        };
        scope
            .set(Settings {
                effects,
                ..Settings::default()
            })
            .unwrap();
        let signal = scope.frame().unwrap().signal;
        signal.data[100 + 128 * 64] / signal.data[64 + 128 * 64]
    };
    let (none, scattered, with_grid) = (contrast(false, false), contrast(true, false), contrast(true, true));
    assert!(
        scattered < with_grid && with_grid < none,
        "{none} {scattered} {with_grid}"
    );
    assert!(find(&catalog.carms, "mobile-flat-30cm").is_some());
}

#[test]
fn bad_input_is_refused_in_words() {
    let mut volume = trunk([160.0, 110.0, 100.0]);
    volume.data_mut()[81 * 61 * 7 + 81 * 5 + 3] = f32::NAN;
    let error = Fluoroscope::new(volume, machine(), MIDDLE).unwrap_err();
    assert!(
        matches!(error, FluoroError::View(ViewError::NotFinite { index: [3, 5, 7], .. })),
        "{error}"
    );
    let mut scope = usual();
    let near = CArm {
        source_isocentre_mm: 100.0,
        ..*scope.arm()
    };
    scope.move_arm(near).unwrap();
    assert!(
        scope
            .frame()
            .unwrap_err()
            .to_string()
            .contains("inside the image volume")
    );
    let bad = Settings {
        pulses_per_s: 0.0,
        ..Settings::default()
    };
    assert!(scope.set(bad).unwrap_err().to_string().contains("1 to 30"));
    let technique = neurotome_procedure::fluoroscopy::Technique {
        kv: 20.0,
        ..machine().technique
    };
    assert!(
        scope
            .set_technique(technique)
            .unwrap_err()
            .to_string()
            .contains("40 to 120 kV")
    );
    assert!(Machine::new(&catalog::built_in().unwrap(), "none").is_err());
    let flat = View {
        source_mm: Vec3::new(0.0, -650.0, 0.0),
        first_mm: Vec3::new(0.0, 350.0, 0.0),
        column_step_mm: Vec3::x(),
        row_step_mm: Vec3::x() * 2.0,
        columns: 8,
        rows: 8,
    };
    let projector = Projector::new(trunk([160.0, 110.0, 100.0])).unwrap();
    assert!(matches!(projector.project(&flat), Err(ViewError::Degenerate { .. })));
}

#[test]
fn a_black_picture_is_explained() {
    let volume = trunk([160.0, 110.0, 100.0]);
    let facts = VolumeFacts::of(&volume);
    let mut scope = scope(volume.clone());
    let frame = scope.frame().unwrap();
    let view = scope.view().unwrap();
    assert_eq!(explain(&facts, &view, &MIDDLE, Some(&frame)), Vec::<String>::new());
    let away = PatientPoint::new(2000.0, 0.0, 0.0);
    let missed = scope.arm().view(&away).unwrap();
    assert!(explain(&facts, &missed, &away, None)[0].contains("misses the volume"));
    let stored = VolumeFacts::of(&volume.map(|v| v + 1024.0));
    assert!(explain(&stored, &view, &MIDDLE, None)[0].contains("slope and intercept"));
    // Turned front to back.
    let affine = Affine::new(
        neurotome_base::geometry::Mat3::from_diagonal(&Vec3::new(5.0, -5.0, 5.0)),
        Vec3::new(-200.0, 150.0, -100.0),
    )
    .unwrap();
    let turned = Volume::new(volume.dims(), affine, volume.data().to_vec()).unwrap();
    let remarks = explain(&VolumeFacts::of(&turned), &view, &MIDDLE, None);
    assert!(remarks.iter().any(|r| r.contains("front and back")), "{remarks:?}");
    let mut settings = *scope.settings();
    settings.display.window = neurotome_procedure::fluoroscopy::Window::Fixed {
        level: 50.0,
        width: 1.0,
    };
    scope.set(settings).unwrap();
    let white = scope.frame().unwrap();
    let remarks = explain(&facts, &view, &MIDDLE, Some(&white));
    assert!(remarks.iter().any(|r| r.contains("window runs from")), "{remarks:?}");
}

#[test]
fn a_needle_is_where_project_says() {
    let mut scope = usual();
    let effects = Effects::NONE;
    scope
        .set(Settings {
            effects,
            exposure: Exposure::Fixed { charge_mas: 0.1 },
            ..Settings::default()
        })
        .unwrap();
    let plain = scope.frame().unwrap();
    let ball = PatientPoint::new(12.0, 30.0, -17.0);
    let shape = Shape::Ellipsoid {
        center: ball.vec(),
        half_mm: [1.5; 3],
    };
    scope.set_devices(vec![Part::solid(shape, 0)]);
    let mut settings = *scope.settings();
    settings.display.new_share = 1.0;
    scope.set(settings).unwrap();
    let frame = scope.frame().unwrap();
    let (mut sum, mut column, mut row) = (0.0, 0.0, 0.0);
    for (n, (a, b)) in plain.signal.data.iter().zip(&frame.signal.data).enumerate() {
        let w = f64::from(a.ln() - b.ln());
        sum += w;
        column += w * (n % 128) as f64;
        row += w * (n / 128) as f64;
    }
    let [c, r] = scope.view().unwrap().project(&ball).unwrap();
    assert!(
        (column / sum - c).hypot(row / sum - r) < 0.1,
        "{} {} against {c} {r}",
        column / sum,
        row / sum
    );
}
