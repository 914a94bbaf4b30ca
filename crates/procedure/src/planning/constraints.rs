//! Where a needle must not pass.

use neurotome_base::{PatientPoint, Vec3};
use serde::{Deserialize, Serialize};

use super::pose::Pose;
use crate::anatomy::{KeepOut, Patient};

/// Step along the shaft, mm.
const STEP_MM: f64 = 0.5;
/// Longest shaft looked at, mm.
const LONGEST_MM: f64 = 300.0;
/// Bone may be met so far within the metal's surface: a needle that touches bone is not in it.
const TOUCH_MM: f64 = 0.05;
/// Step of the differences that give the direction off the bone, mm.
const DIFFERENCE_MM: f64 = 0.1;

/// Why a pose is not admissible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The shaft passes bone.
    Bone,
    /// It passes the spinal canal.
    Canal,
    /// It passes the foramen.
    Foramen,
    /// It passes a large vessel.
    Vessel,
    /// It passes lung, bowel or another hollow.
    Air,
    /// No cannula is long enough.
    Length,
    /// The lesion comes too near to a root, ganglion or ventral ramus.
    SparedNerve,
    /// The lesion comes too near to the skin.
    Skin,
}

impl Reason {
    /// All, in the order of the checks.
    pub const ALL: [Reason; 8] = [
        Reason::Bone,
        Reason::Canal,
        Reason::Foramen,
        Reason::Vessel,
        Reason::Air,
        Reason::Length,
        Reason::SparedNerve,
        Reason::Skin,
    ];

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Reason::Bone => "through bone",
            Reason::Canal => "through the canal",
            Reason::Foramen => "through the foramen",
            Reason::Vessel => "through a vessel",
            Reason::Air => "through air",
            Reason::Length => "beyond every cannula",
            Reason::SparedNerve => "lesion too near to a nerve to be spared",
            Reason::Skin => "lesion too near to the skin",
        }
    }
}

/// The way of a needle from the skin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Path {
    /// Where the axis meets the skin, mm.
    pub entry_mm: PatientPoint,
    /// From there to the distal end, mm.
    pub depth_mm: f64,
}

/// Follows a needle from its tip to the skin.
///
/// # Errors
/// The first reason that forbids it.
pub fn path(patient: &dyn Patient, pose: &Pose, radius_mm: f64) -> Result<Path, Reason> {
    let axes = pose.axes();
    let mut inside = 0.0;
    for step in 0..=(LONGEST_MM / STEP_MM) as usize {
        let s = step as f64 * STEP_MM;
        let center = pose.at(s);
        let p = PatientPoint::from_vec(center);
        if patient.skin_depth_mm(&p) <= 0.0 {
            return if step == 0 {
                Err(Reason::Air)
            } else {
                let depth_mm = skin_between(patient, pose, inside, s);
                Ok(Path {
                    entry_mm: PatientPoint::from_vec(pose.at(depth_mm)),
                    depth_mm,
                })
            };
        }
        inside = s;
        // The end is a half ball: its surface narrows towards the tip.
        let wide = if s < radius_mm {
            (radius_mm * radius_mm - (radius_mm - s) * (radius_mm - s)).sqrt()
        } else {
            radius_mm
        };
        if patient.bone_level_mm(&p) < wide - TOUCH_MM {
            return Err(Reason::Bone);
        }
        let around = [axes.x, -axes.x, axes.y, -axes.y].map(|d| center + d * radius_mm);
        for q in [center].into_iter().chain(around) {
            match patient.keep_out(&PatientPoint::from_vec(q)) {
                None => {}
                Some(KeepOut::Canal) => return Err(Reason::Canal),
                Some(KeepOut::Foramen) => return Err(Reason::Foramen),
                Some(KeepOut::Vessel) => return Err(Reason::Vessel),
                // The outside of the body is met with the skin.
                Some(KeepOut::Air) if patient.skin_depth_mm(&p) < 2.0 * radius_mm => {}
                Some(KeepOut::Air) => return Err(Reason::Air),
            }
        }
    }
    Err(Reason::Length)
}

fn skin_between(patient: &dyn Patient, pose: &Pose, mut inside: f64, mut outside: f64) -> f64 {
    while outside - inside > 1e-6 {
        let middle = 0.5 * (inside + outside);
        if patient.skin_depth_mm(&PatientPoint::from_vec(pose.at(middle))) > 0.0 {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    inside
}

/// Unit vector away from the nearest bone.
pub fn off_bone(patient: &dyn Patient, p: &Vec3) -> Vec3 {
    let level = |d: Vec3| patient.bone_level_mm(&PatientPoint::from_vec(p + d * DIFFERENCE_MM));
    let slope = |d: Vec3| level(d) - level(-d);
    Vec3::new(slope(Vec3::x()), slope(Vec3::y()), slope(Vec3::z()))
        .try_normalize(1e-9)
        .unwrap_or_else(Vec3::y)
}

/// Distance between the active tip's metal and bone, mm, and the place on the axis where it is least.
pub fn clearance(patient: &dyn Patient, pose: &Pose, radius_mm: f64, active_tip_mm: f64) -> (f64, Vec3) {
    let pieces = (active_tip_mm - radius_mm).ceil().max(1.0) as usize;
    (0..=pieces)
        .map(|i| {
            let p = pose.at(radius_mm + (active_tip_mm - radius_mm) * i as f64 / pieces as f64);
            (patient.bone_level_mm(&PatientPoint::from_vec(p)) - radius_mm, p)
        })
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .unwrap_or((0.0, pose.at(0.0)))
}

/// Moves a pose off the bone until the active tip's metal no more than touches it; none where that takes more than `most_mm`.
pub fn laid_on_bone(
    patient: &dyn Patient,
    pose: Pose,
    radius_mm: f64,
    active_tip_mm: f64,
    most_mm: f64,
) -> Option<Pose> {
    let mut laid = pose;
    let mut moved = 0.0;
    for _ in 0..12 {
        let (gap, worst) = clearance(patient, &laid, radius_mm, active_tip_mm);
        if gap >= -0.5 * TOUCH_MM {
            return Some(laid);
        }
        let step = 0.02 - gap;
        moved += step;
        if moved > most_mm {
            return None;
        }
        laid = laid.moved(&(off_bone(patient, &worst) * step));
    }
    None
}
