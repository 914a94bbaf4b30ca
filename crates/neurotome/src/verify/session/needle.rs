//! A needle in the built-in patient against its bone, arcs against their closed form, measures and points against hand computation.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_io::{
    catalog,
    scenario::{self, Source},
};
use neurotome_procedure::{
    anatomy::{Level, NerveKind, Patient, Side},
    catalog::{Catalog, InsertionNumbers, find},
    metrics::{self, NerveCourse, TracePoint},
    needle::{BONE_TOLERANCE_MM, Command, Felt, FeltKind, Insertion, Instrument, Surroundings, TipShape, resistances},
    planning::Pose,
    scoring::{ProcedureFacts, score},
};

use crate::verify::Report;

const CLOSED_FORM: &str = "closed form";
const BY_HAND: &str = "computed by hand";

/// Runs `act` with the built-in patient round it.
fn in_patient<R>(act: impl FnOnce(&Surroundings<'_>, &Catalog) -> Result<R, String>) -> Result<R, String> {
    let catalog = catalog::built_in().map_err(|e| e.to_string())?;
    let loaded = scenario::load(&Source::built_in(), &catalog).map_err(|e| e.to_string())?;
    let patient = loaded.patient.ok_or("the built-in scenario has no patient")?;
    let numbers: &InsertionNumbers = find(&catalog.insertions, "cannula").ok_or("no [[insertion]] \"cannula\"")?;
    let resistance = resistances(&catalog.tissue_resistances, &loaded.problem.tissue_names);
    act(
        &Surroundings {
            patient: patient.as_ref(),
            resistance: &resistance,
            csf: None,
            numbers,
        },
        &catalog,
    )
}

fn tell(report: &mut Report, claim: &str, source: &str, value: Result<f64, String>, reference: f64, tolerance: f64) {
    match value {
        Ok(value) => report.within(claim, value, reference, tolerance, source),
        Err(e) => report.failed(claim, e, source),
    }
}

/// A cannula of 20 G whose tip runs on an arc of this curvature, 1/mm.
fn cannula(curvature_per_mm: f64) -> Instrument {
    Instrument {
        tip: if curvature_per_mm > 0.0 {
            TipShape::Bevelled
        } else {
            TipShape::Round
        },
        outer_diameter_mm: 0.908,
        reach_mm: 145.0,
        curvature_per_mm,
    }
}

/// The skin straight behind a point.
fn skin_behind(patient: &dyn Patient, p: &Vec3) -> Vec3 {
    let depth = |s: f64| patient.skin_depth_mm(&PatientPoint::from_vec(p + Vec3::y() * s));
    let (mut inside, mut outside) = (0.0, 200.0);
    while outside - inside > 1e-9 {
        let middle = 0.5 * (inside + outside);
        if depth(middle) > 0.0 {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    p + Vec3::y() * inside
}

/// Straight in from behind at the skin over a point.
fn entered(around: &Surroundings<'_>, over: &Vec3, curvature_per_mm: f64) -> Result<Insertion, String> {
    let mut needle = Insertion::new(cannula(curvature_per_mm));
    let enter = Command::Enter {
        skin_mm: skin_behind(around.patient, over).into(),
        direction: [0.0, -1.0, 0.0],
    };
    needle.perform(&enter, around).map_err(|e| e.to_string())?;
    Ok(needle)
}

fn advance(needle: &mut Insertion, mm: f64, around: &Surroundings<'_>) -> Result<Vec<Felt>, String> {
    let response = needle
        .perform(&Command::Advance { mm }, around)
        .map_err(|e| e.to_string())?;
    Ok(response.felt)
}

/// Middle of the stretch of a medial branch beside which a needle belongs.
fn target(patient: &dyn Patient, nerve: Level, side: Side) -> Result<Vec3, String> {
    let course = patient
        .course(NerveKind::MedialBranch, nerve, side)
        .ok_or_else(|| format!("no medial branch of {nerve}"))?;
    let [a, b] = course.target.ok_or_else(|| format!("{} is no target", course.name))?;
    Ok(course.points[usize::midpoint(a, b)].vec())
}

/// Bone stops needles from behind at its surface, at all lumbar medial branches of both sides.
pub(super) fn bone_stops(report: &mut Report) {
    let worst = in_patient(|around, _| {
        let mut worst = [0.0f64, f64::INFINITY, f64::INFINITY];
        for nerve in [Level::L1, Level::L2, Level::L3, Level::L4] {
            for side in Side::BOTH {
                let over = target(around.patient, nerve, side)?;
                let mut needle = entered(around, &over, 0.0)?;
                let felt = advance(&mut needle, 145.0, around)?;
                if !felt.iter().any(|f| f.kind == FeltKind::Bone) {
                    return Err(format!("no bone was met over the medial branch of {nerve} {side}"));
                }
                let pose = needle.pose().ok_or("the needle is out")?;
                let level = around.patient.bone_level_mm(&pose.tip_mm);
                // Half a millimetre on, the tip would be in bone, or its side would.
                let on = PatientPoint::from_vec(pose.at(-0.5));
                let beyond = around.patient.bone_level_mm(&on).min(
                    around
                        .patient
                        .bone_level_mm(&PatientPoint::from_vec(pose.at(0.454 - 0.5)))
                        - 0.454,
                );
                worst = [
                    worst[0].max(-level),
                    worst[1].min(-beyond),
                    worst[2].min(pose.tip_mm.xyz[1]),
                ];
            }
        }
        Ok(worst)
    });
    let claim = "a needle pushed on to bone: deepest in it at eight medial branches, mm";
    match worst {
        Ok([deepest, beyond, _]) => {
            report.at_most(claim, deepest, BONE_TOLERANCE_MM + 1e-9, "stated tolerance");
            report.at_least(
                "half a millimetre further it would have been in bone, by mm",
                beyond,
                BONE_TOLERANCE_MM,
                "stated tolerance",
            );
        }
        Err(e) => report.failed(claim, e, "stated tolerance"),
    }
}

/// A bevelled tip deflects as an arc, and a 22 G needle as was measured in gel.
pub(super) fn deflection(report: &mut Report) {
    let claim = "a bevelled 22 G needle 80 mm deep in gel: deflection, mm";
    let source = "Rand et al. 2016, through the catalogue's curvature";
    let value = catalog::built_in().map_err(|e| e.to_string()).and_then(|catalog| {
        let numbers = find(&catalog.insertions, "cannula").ok_or("no [[insertion]] \"cannula\"")?;
        let mut loaded = scenario::load(&Source::built_in(), &catalog).map_err(|e| e.to_string())?;
        let mut sizes = loaded.problem.needles.remove(0);
        sizes.outer_diameter_mm = numbers.bevel_diameter_mm.value;
        sizes.bend = None;
        sizes.bevel = Some(neurotome_procedure::lesion::Bevel {
            angle_deg: 45.0,
            towards: [1.0, 0.0, 0.0],
        });
        let curvature = Instrument::new(&sizes, numbers).curvature_per_mm;
        let along = (curvature * 80.0).asin() / curvature;
        let start = neurotome_procedure::needle::TrackPoint {
            tip_mm: PatientPoint::new(0.0, 0.0, 0.0),
            direction: [0.0, -1.0, 0.0],
            across: [1.0, 0.0, 0.0],
            depth_mm: 0.0,
        };
        // In a thousand steps, so that errors of the steps would add.
        let end = (0..1000).fold(start, |p, _| {
            let towards = p.across_at(0.0);
            neurotome_procedure::needle::arc(&p, &towards, curvature, along / 1000.0)
        });
        Ok(end.tip_mm.xyz[0])
    });
    tell(report, claim, source, value, 8.89, 1e-9);
}

/// With a half turn on the way the arcs of both legs add to an S.
pub(super) fn turned_deflection(report: &mut Report) {
    let curvature: f64 = 0.003;
    let value = in_patient(|around, _| {
        let over = target(around.patient, Level::L4, Side::Right)?;
        let mut needle = entered(around, &over, curvature)?;
        let entry = needle.pose().ok_or("the needle is out")?;
        let face = Vec3::from(needle.facing().ok_or("the needle is out")?);
        for turn in [0.0, 180.0] {
            needle
                .perform(&Command::Turn { deg: turn }, around)
                .map_err(|e| e.to_string())?;
            advance(&mut needle, 15.0, around)?;
        }
        let moved = needle.pose().ok_or("the needle is out")?.tip_mm.vec() - entry.tip_mm.vec();
        Ok(-moved.dot(&face))
    });
    let expected = 2.0 * (1.0 - (curvature * 15.0).cos()) / curvature;
    tell(
        report,
        "a bevelled tip, half a turn after 15 of 30 mm: deflection away from its first face, mm",
        CLOSED_FORM,
        value,
        expected,
        1e-9,
    );
}

/// Drawn back as far as it was pushed, the tip is where it was.
pub(super) fn withdrawal(report: &mut Report) {
    let value = in_patient(|around, _| {
        let over = target(around.patient, Level::L3, Side::Left)?;
        let mut needle = entered(around, &over, 0.003)?;
        advance(&mut needle, 12.3, around)?;
        let before = needle.pose().ok_or("the needle is out")?.tip_mm.vec();
        advance(&mut needle, 17.1, around)?;
        needle
            .perform(&Command::Withdraw { mm: 17.1 }, around)
            .map_err(|e| e.to_string())?;
        Ok((needle.pose().ok_or("the needle is out")?.tip_mm.vec() - before).norm())
    });
    tell(
        report,
        "17.1 mm forwards and back: distance of the tip from its place, mm",
        "its own track",
        value,
        0.0,
        1e-9,
    );
}

/// A way of known length.
pub(super) fn path_metrics(report: &mut Report) {
    // A 3-4-5 triangle's two short sides, then half of the second one back.
    let at = |t_s: f64, x: f64, y: f64| TracePoint {
        t_s,
        tip_mm: PatientPoint::new(x, y, 5.0),
    };
    let m = metrics::path(&[
        at(0.0, 0.0, 0.0),
        at(4.0, 30.0, 0.0),
        at(9.0, 30.0, 40.0),
        at(11.0, 30.0, 20.0),
    ]);
    report.within(
        "length of a way of 30, 40 and 20 mm, mm",
        m.path_mm,
        90.0,
        1e-9,
        BY_HAND,
    );
    report.within(
        "its straightness: the straight way over it",
        m.straightness_ratio,
        1300f64.sqrt() / 90.0,
        1e-12,
        BY_HAND,
    );
    report.within("times that it turned back", f64::from(m.reversals), 1.0, 0.0, BY_HAND);
}

/// An active tip at a known angle and distance.
pub(super) fn nerve_metrics(report: &mut Report) {
    let nerve = [PatientPoint::new(0.0, 0.0, -60.0), PatientPoint::new(0.0, 0.0, 60.0)];
    let angle = 20f64.to_radians();
    let pose = Pose::with_middle(
        &Vec3::new(2.0, 0.0, 0.0),
        &Vec3::new(0.0, angle.sin(), angle.cos()),
        10.0,
    );
    let course = NerveCourse {
        points: &nerve,
        diameter_mm: 1.0,
    };
    match metrics::to_nerve(&pose, 10.0, 1.0, &course) {
        Some(m) => {
            report.within(
                "angle between active tip and nerve, °",
                m.parallel_deg,
                20.0,
                1e-9,
                BY_HAND,
            );
            report.within("gap of two skew cylinders 2 mm apart, mm", m.gap_mm, 1.0, 1e-9, BY_HAND);
            report.within(
                "distance from tip to nerve, mm",
                m.tip_mm,
                2f64.hypot(5.0 * angle.sin()),
                1e-9,
                BY_HAND,
            );
        }
        None => report.failed("angle between active tip and nerve, °", "no measures", BY_HAND),
    }
}

/// A procedure in which heating went on in spite of a leg twitch, judged by the catalogue's list.
pub(super) fn checklist(report: &mut Report) {
    let claim = "points lost: heated in spite of a leg twitch, one block, needle 35° off the nerve, half the nerve cut";
    let value = catalog::built_in().map_err(|e| e.to_string()).map(|catalog| {
        let facts = ProcedureFacts {
            eligible: Some(true),
            blocks: Some(1),
            block_relief_percent: Some(80.0),
            consent: Some(true),
            pad_checked: Some(true),
            level_counted: Some(true),
            level_right: Some(true),
            ap_view: true,
            oblique_view: true,
            lateral_view: true,
            parallel_deg: Some(35.0),
            gap_mm: Some(0.5),
            alarms: Some(0),
            redirects: Some(2),
            impedance_ohm: Some(300.0),
            sensory_threshold_v: Some(0.4),
            motor_tested_to_v: Some(0.8),
            leg_twitch: Some(true),
            multifidus_twitch: Some(true),
            anaesthetic_ml: Some(0.5),
            anaesthetic_wait_s: Some(60.0),
            heated: true,
            set_temperature_c: Some(80.0),
            held_s: Some(90.0),
            destroyed_mm: Some(4.0),
            asked_mm: Some(8.0),
            harmed: Some(vec![]),
            dose_noted: Some(true),
            skin_after: Some(true),
        };
        let judged = score(&catalog.guidelines, &facts);
        judged.of_points - judged.points
    });
    // Leg twitch 12, blocks 5, angle 8, coverage 15.
    tell(report, claim, BY_HAND, value, 40.0, 1e-9);
}
