use neurotome_base::Vec3;
use proptest::prelude::*;

use super::*;
use crate::{
    catalog::{InsertionNumbers, Sourced},
    planning::testing::Slab,
};

fn numbers() -> InsertionNumbers {
    let value = |value: f64| Sourced {
        value,
        source: "test".to_owned(),
        verified: true,
        condition: None,
        range: None,
    };
    InsertionNumbers {
        name: "test".to_owned(),
        title: "test".to_owned(),
        bevel_deflection_mm: value(9.0),
        bevel_depth_mm: value(80.0),
        bevel_diameter_mm: value(0.7),
        curvature_exponent_ratio: value(2.0),
        curved_factor_ratio: value(1.5),
        force_diameter_mm: value(1.0),
        pop_n: value(0.4),
        nerve_touch_mm: value(0.2),
        free_steer_mm: value(15.0),
        lever_most_deg: value(8.0),
        hub_mm: value(5.0),
    }
}

fn instrument(curvature_per_mm: f64) -> Instrument {
    Instrument {
        tip: if curvature_per_mm > 0.0 {
            TipShape::Bevelled
        } else {
            TipShape::Round
        },
        outer_diameter_mm: 1.0,
        reach_mm: 95.0,
        curvature_per_mm,
    }
}

const FORCES: [Resistance; 4] = [Resistance {
    puncture_n: 1.0,
    cutting_n: 0.5,
    friction_n_per_mm: 0.01,
}; 4];

fn with<R>(act: impl FnOnce(&Surroundings<'_>) -> R) -> R {
    let (patient, numbers) = (Slab::new(1.0), numbers());
    act(&Surroundings {
        patient: &patient,
        resistance: &FORCES,
        csf: None,
        numbers: &numbers,
    })
}

/// Straight down into the slab at x, z.
fn down(x: f64, z: f64) -> Command {
    Command::Enter {
        skin_mm: [x, 60.0, z],
        direction: [0.0, -1.0, 0.0],
    }
}

#[test]
fn bone_stops_the_needle_at_its_surface() {
    with(|around| {
        let mut needle = Insertion::new(instrument(0.0));
        needle.perform(&down(-5.0, 0.0), around).unwrap();
        let response = needle.perform(&Command::Advance { mm: 80.0 }, around).unwrap();
        let tip = response.tip_mm.unwrap().xyz;
        assert!((-BONE_TOLERANCE_MM..0.01).contains(&tip[1]), "{tip:?}");
        assert_eq!(response.felt.last().unwrap().kind, FeltKind::Bone);
        // Pushing on moves nothing and is felt again.
        let again = needle.perform(&Command::Advance { mm: 5.0 }, around).unwrap();
        assert!(again.moved_mm < 2e-3);
        assert_eq!((needle.bone_contacts, again.felt.len()), (2, 1));
        // 60 mm of friction and cutting.
        assert!((again.force_n - 1.1).abs() < 0.01, "{}", again.force_n);
    });
}

#[test]
fn a_bevelled_tip_runs_on_an_arc_away_from_its_face() {
    with(|around| {
        let curvature = 0.002;
        let mut needle = Insertion::new(instrument(curvature));
        needle.perform(&down(-5.0, 0.0), around).unwrap();
        needle.perform(&Command::Turn { deg: 40.0 }, around).unwrap();
        let face = Vec3::from(needle.facing().unwrap());
        let entry = needle.track.points[0].tip_mm.vec();
        let tip = needle
            .perform(&Command::Advance { mm: 50.0 }, around)
            .unwrap()
            .tip_mm
            .unwrap()
            .vec();
        let angle: f64 = curvature * 50.0;
        let expected = entry - Vec3::y() * (angle.sin() / curvature) - face * ((1.0 - angle.cos()) / curvature);
        assert!((tip - expected).norm() < 1e-9, "{tip:?} {expected:?}");
        // Half a turn makes an S: the direction is the first one again.
        let mut s = Insertion::new(instrument(curvature));
        s.perform(&down(-5.0, 0.0), around).unwrap();
        for turn in [0.0, 180.0] {
            s.perform(&Command::Turn { deg: turn }, around).unwrap();
            s.perform(&Command::Advance { mm: 25.0 }, around).unwrap();
        }
        assert!((s.track.last().unwrap().along() + Vec3::y()).norm() < 1e-12);
    });
}

#[test]
fn the_measured_deflection_is_met_and_thicker_needles_bend_less() {
    let numbers = numbers();
    let mut sizes = crate::planning::testing::devices()[1].needle.clone();
    sizes.bevel = Some(crate::lesion::Bevel {
        angle_deg: 45.0,
        towards: [1.0, 0.0, 0.0],
    });
    sizes.outer_diameter_mm = 0.7;
    let thin = Instrument::new(&sizes, &numbers);
    let r = 1.0 / thin.curvature_per_mm;
    assert!((r - (r * r - 80.0 * 80.0).sqrt() - 9.0).abs() < 1e-9);
    sizes.outer_diameter_mm = 1.4;
    let thick = Instrument::new(&sizes, &numbers);
    assert!((thick.curvature_per_mm * 4.0 - thin.curvature_per_mm).abs() < 1e-12);
    sizes.bevel = None;
    assert_eq!(Instrument::new(&sizes, &numbers).curvature_per_mm, 0.0);
}

#[test]
fn nerve_and_vessel_are_told_once() {
    with(|around| {
        let mut needle = Insertion::new(instrument(0.0));
        needle.perform(&down(0.0, 0.0), around).unwrap();
        let felt = needle.perform(&Command::Advance { mm: 80.0 }, around).unwrap().felt;
        let nerves: Vec<&Felt> = felt
            .iter()
            .filter(|f| matches!(f.kind, FeltKind::Nerve { .. }))
            .collect();
        assert_eq!(nerves.len(), 1, "{felt:?}");
        // Nerve's surface at y = 1.1, felt 0.2 mm before it, looked for every 0.25 mm.
        assert!((1.0..=1.35).contains(&nerves[0].tip_mm.xyz[1]), "{nerves:?}");
        assert!(!nerves[0].kind.is_alarm());

        let mut aside = Insertion::new(instrument(0.0));
        let enter = Command::Enter {
            skin_mm: [0.0, 60.0, 0.0],
            direction: [1.0, -1.0, 0.0],
        };
        aside.perform(&enter, around).unwrap();
        let felt = aside.perform(&Command::Advance { mm: 60.0 }, around).unwrap().felt;
        let vessels: Vec<&Felt> = felt.iter().filter(|f| f.kind == FeltKind::Vessel).collect();
        assert_eq!(vessels.len(), 1);
        assert!((vessels[0].tip_mm.xyz[0] - 30.0).abs() < 0.25 && vessels[0].kind.is_alarm());
    });
}

#[test]
fn a_deep_needle_is_steered_little_and_a_shallow_one_freely() {
    with(|around| {
        let mut needle = Insertion::new(instrument(0.0));
        needle.perform(&down(-5.0, 0.0), around).unwrap();
        needle.perform(&Command::Advance { mm: 40.0 }, around).unwrap();
        let far = Command::Steer {
            direction: [0.5, -1.0, 0.0],
        };
        let before = needle.clone();
        assert!(matches!(
            needle.perform(&far, around),
            Err(NeedleError::TooDeepToSteer { .. })
        ));
        assert_eq!(needle, before);
        needle
            .perform(
                &Command::Steer {
                    direction: [0.1, -1.0, 0.0],
                },
                around,
            )
            .unwrap();
        assert_eq!(
            (needle.redirects, needle.pose().unwrap().tip_mm),
            (1, before.pose().unwrap().tip_mm)
        );
        needle.perform(&Command::Withdraw { mm: 30.0 }, around).unwrap();
        needle.perform(&far, around).unwrap();
        let direction = Vec3::new(0.5, -1.0, 0.0).normalize();
        let expected = Vec3::new(-5.0, 60.0, 0.0) + direction * 10.0;
        assert!((needle.pose().unwrap().tip_mm.vec() - expected).norm() < 1e-5);
        assert_eq!(needle.redirects, 2);
    });
}

#[test]
fn what_cannot_be_done_is_refused() {
    with(|around| {
        let mut needle = Insertion::new(instrument(0.0));
        assert_eq!(
            needle.perform(&Command::Advance { mm: 1.0 }, around),
            Err(NeedleError::NotEntered)
        );
        let enter = |skin_mm, direction| Command::Enter { skin_mm, direction };
        for bad in [
            enter([0.0, 20.0, 0.0], [0.0, -1.0, 0.0]),
            enter([0.0, 60.0, 0.0], [0.0, 1.0, 0.0]),
            enter([f64::NAN, 60.0, 0.0], [0.0, -1.0, 0.0]),
        ] {
            assert!(matches!(
                needle.perform(&bad, around),
                Err(NeedleError::NotOnSkin { .. })
            ));
        }
        let nowhere = enter([0.0, 60.0, 0.0], [0.0; 3]);
        assert!(matches!(
            needle.perform(&nowhere, around),
            Err(NeedleError::Direction { .. })
        ));
        needle.perform(&down(-5.0, 0.0), around).unwrap();
        assert!(matches!(
            needle.perform(&down(-5.0, 0.0), around),
            Err(NeedleError::AlreadyIn { .. })
        ));
        for mm in [-1.0, f64::NAN, 1e9] {
            assert!(matches!(
                needle.perform(&Command::Advance { mm }, around),
                Err(NeedleError::Number { .. })
            ));
        }
        needle.perform(&Command::Withdraw { mm: 1.0 }, around).unwrap();
        assert_eq!(needle.pose(), None);
    });
}

#[test]
fn the_hub_stops_at_the_skin() {
    with(|around| {
        let mut needle = Insertion::new(instrument(0.0));
        let enter = Command::Enter {
            skin_mm: [0.0, 60.0, 0.0],
            direction: [-1.0, -0.1, 0.0],
        };
        needle.perform(&enter, around).unwrap();
        let response = needle.perform(&Command::Advance { mm: 200.0 }, around).unwrap();
        assert!((response.moved_mm - 95.0).abs() < 1e-9);
        assert_eq!(response.felt.last().unwrap().kind, FeltKind::Hub);
    });
}

fn any_command() -> impl Strategy<Value = Command> {
    let direction = prop::array::uniform3(-1.0..1.0f64);
    prop_oneof![
        (prop::array::uniform2(-20.0..20.0f64), direction.clone()).prop_map(|(p, direction)| Command::Enter {
            skin_mm: [p[0], 60.0, p[1]],
            direction,
        }),
        (0.0..60.0f64).prop_map(|mm| Command::Advance { mm }),
        (0.0..40.0f64).prop_map(|mm| Command::Withdraw { mm }),
        (-720.0..720.0f64).prop_map(|deg| Command::Turn { deg }),
        direction.prop_map(|direction| Command::Steer { direction }),
        Just(Command::Advance { mm: f64::NAN }),
    ]
}

proptest! {
    #[test]
    fn no_order_of_commands_brings_the_tip_into_bone(commands in prop::collection::vec(any_command(), 1..20)) {
        with(|around| {
            let mut needle = Insertion::new(instrument(0.004));
            let _ = needle.perform(&down(-5.0, 0.0), around);
            for command in &commands {
                let before = needle.clone();
                match needle.perform(command, around) {
                    Err(_) => prop_assert_eq!(&needle, &before),
                    Ok(response) => {
                        if let Some(tip) = response.tip_mm {
                            prop_assert!(around.patient.bone_level_mm(&tip) >= -BONE_TOLERANCE_MM - 1e-9);
                            let p = needle.track.last().unwrap();
                            prop_assert!((p.along().norm() - 1.0).abs() < 1e-9);
                            prop_assert!(p.along().dot(&Vec3::from(p.across)).abs() < 1e-9);
                        }
                        prop_assert!(response.force_n.is_finite());
                    }
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn drawing_back_undoes_an_advance(first in 0.1..30.0f64, second in 0.0..25.0f64, turn in 0.0..360.0f64) {
        with(|around| {
            let mut needle = Insertion::new(instrument(0.004));
            needle.perform(&down(-5.0, 0.0), around).unwrap();
            needle.perform(&Command::Turn { deg: turn }, around).unwrap();
            needle.perform(&Command::Advance { mm: first }, around).unwrap();
            let place = *needle.track.last().unwrap();
            let gone = needle.perform(&Command::Advance { mm: second }, around).unwrap().moved_mm;
            needle.perform(&Command::Withdraw { mm: gone }, around).unwrap();
            let back = needle.track.last().unwrap();
            prop_assert!((back.tip_mm.vec() - place.tip_mm.vec()).norm() < 1e-4);
            prop_assert!((back.along() - place.along()).norm() < 1e-6);
            Ok(())
        })?;
    }
}

#[test]
fn a_state_survives_its_own_text() {
    with(|around| {
        let mut needle = Insertion::new(instrument(0.004));
        needle.perform(&down(-5.0, 0.0), around).unwrap();
        needle.perform(&Command::Advance { mm: 12.3 }, around).unwrap();
        let text = serde_json::to_string(&needle).unwrap();
        let read: Insertion = serde_json::from_str(&text).unwrap();
        // The text holds all digits; its reader may be off in the last one.
        let (a, b) = (needle.track.last().unwrap(), read.track.last().unwrap());
        assert!((a.tip_mm.vec() - b.tip_mm.vec()).norm() < 1e-12);
        assert_eq!(read.track.points.len(), needle.track.points.len());
        assert_eq!((read.instrument.tip, read.entries), (TipShape::Bevelled, 1));
    });
}
