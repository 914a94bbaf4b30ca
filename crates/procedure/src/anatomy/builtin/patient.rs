//! What a planner asks of the built-in segment.

use neurotome_base::{PatientPoint, Vec3};

use super::super::{Course, KeepOut, Level, NerveKind, Patient, Side, Spread, VertebraFrame};
use super::vertebra::LEVEL_PITCH_MM;
use super::{Courses, L5_Z, LumbarSegment, nerves, shapes::ellipse};

/// A medial branch lies in its groove on the bone; a ramus is held by less. Assumed, for want of a measurement.
const MEDIAL_BRANCH_SPREAD: Spread = Spread {
    across_mm: 1.0,
    off_bone_mm: 0.5,
};
const RAMUS_SPREAD: Spread = Spread {
    across_mm: 1.5,
    off_bone_mm: 1.5,
};

/// First and last point of the medial branch on the neck of the superior articular process.
const NECK: [usize; 2] = [2, 9];

/// The nerves of both sides: medial branches of L3 and L4, the ventral rami of L3 to L5.
pub(super) fn courses(own: &Courses) -> Vec<Course> {
    let mut all = Vec::new();
    for side in Side::BOTH {
        let on_side = |path: &[[f64; 3]], up: f64| -> Vec<PatientPoint> {
            path.iter()
                .map(|p| PatientPoint::new(side.sign() * p[0], p[1], p[2] + up))
                .collect()
        };
        for (nerve, up) in [(Level::L3, LEVEL_PITCH_MM), (Level::L4, 0.0)] {
            all.push(Course {
                name: format!("{nerve} medial branch {side}"),
                kind: NerveKind::MedialBranch,
                nerve,
                side,
                points: on_side(&own.medial_branch, up),
                diameter_mm: nerves::MEDIAL_BRANCH_DIAMETER_MM,
                spread: MEDIAL_BRANCH_SPREAD,
                target: Some(NECK),
            });
        }
        for (nerve, up) in [
            (Level::L3, LEVEL_PITCH_MM),
            (Level::L4, 0.0),
            (Level::L5, -LEVEL_PITCH_MM),
        ] {
            all.push(Course {
                name: format!("{nerve} ventral ramus {side}"),
                kind: NerveKind::VentralRamus,
                nerve,
                side,
                points: on_side(&nerves::VENTRAL_RAMUS, up),
                diameter_mm: nerves::VENTRAL_RAMUS_DIAMETER_MM,
                spread: RAMUS_SPREAD,
                target: None,
            });
        }
    }
    all
}

impl Patient for LumbarSegment {
    fn bone_level_mm(&self, p: &PatientPoint) -> f64 {
        LumbarSegment::bone_level_mm(self, p)
    }

    fn skin_depth_mm(&self, p: &PatientPoint) -> f64 {
        self.skin_distance_mm(p)
    }

    fn keep_out(&self, p: &PatientPoint) -> Option<KeepOut> {
        let [x, y, z] = p.xyz;
        let ax = x.abs();
        if self.skin_distance_mm(p) < 0.0 {
            return Some(KeepOut::Air);
        }
        if ellipse(x, y - 25.0, 11.5, 9.0) <= 0.0 {
            return Some(KeepOut::Canal);
        }
        // Between two pedicles, in front of the facet joints.
        let level = ((z - L5_Z) / LEVEL_PITCH_MM).round();
        let local = z - L5_Z - level * LEVEL_PITCH_MM;
        let between_pedicles = !(-1.5..13.5).contains(&local);
        (between_pedicles && ax < 22.0 && (12.0..24.0).contains(&y)).then_some(KeepOut::Foramen)
    }

    fn courses(&self) -> &[Course] {
        &self.all_courses
    }

    fn frame(&self, level: Level) -> Option<VertebraFrame> {
        let above_l5 = match level {
            Level::L3 => 2.0,
            Level::L4 => 1.0,
            Level::L5 => 0.0,
            Level::S1 => -1.0,
            _ => return None,
        };
        Some(VertebraFrame {
            origin: Vec3::new(0.0, 0.0, L5_Z + above_l5 * LEVEL_PITCH_MM),
            left: Vec3::x(),
            posterior: Vec3::y(),
            superior: Vec3::z(),
        })
    }

    fn levels(&self) -> Vec<Level> {
        vec![Level::L3, Level::L4, Level::L5, Level::S1]
    }
}
