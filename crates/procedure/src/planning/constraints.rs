//! Where a needle must not pass.

use neurotome_base::{
    PatientPoint, Vec3,
    geometry::{distance_between_segments, distance_to_segment},
};
use serde::{Deserialize, Serialize};

use super::pose::Pose;
use crate::anatomy::{Course, KeepOut, Patient};

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

/// Moves a pose off the bone, and off the nerve, until the active tip's metal no more than touches either; none where that takes more
/// than `most_mm`.
pub fn laid_beside(
    patient: &dyn Patient,
    nerve: &NerveLine,
    pose: Pose,
    radius_mm: f64,
    active_tip_mm: f64,
    most_mm: f64,
) -> Option<Pose> {
    let mut laid = pose;
    let mut moved = 0.0;
    for _ in 0..LAYING_STEPS {
        let (gap, worst) = clearance(patient, &laid, radius_mm, active_tip_mm);
        let (beside, towards) = nerve.gap(&laid, radius_mm, active_tip_mm);
        let step = if gap < -0.5 * TOUCH_MM {
            off_bone(patient, &worst) * (0.02 - gap)
        } else if beside < -0.5 * TOUCH_MM {
            towards * (0.02 - beside)
        } else {
            return Some(laid);
        };
        moved += step.norm();
        if moved > most_mm {
            return None;
        }
        laid = laid.moved(&step);
    }
    None
}

/// Steps in which a needle is laid beside bone and nerve.
const LAYING_STEPS: usize = 24;

/// A nerve as a needle meets it.
#[derive(Debug, Clone)]
pub struct NerveLine {
    points: Vec<Vec3>,
    radius_mm: f64,
}

impl NerveLine {
    /// The mean course of a nerve.
    pub fn new(course: &Course) -> Self {
        Self {
            points: course.points.iter().map(neurotome_base::Point::vec).collect(),
            radius_mm: 0.5 * course.diameter_mm,
        }
    }

    /// Distance between the active tip's metal and the nerve's surface, mm, negative where they overlap, and the unit vector that leads
    /// the needle away.
    pub fn gap(&self, pose: &Pose, radius_mm: f64, active_tip_mm: f64) -> (f64, Vec3) {
        let (distal, proximal) = (pose.at(radius_mm), pose.at(active_tip_mm));
        let mut nearest = (f64::INFINITY, Vec3::zeros());
        for w in self.points.windows(2) {
            let apart = distance_between_segments(&distal, &proximal, &w[0], &w[1]);
            if apart < nearest.0 {
                nearest = (apart, between(&distal, &proximal, &w[0], &w[1]));
            }
        }
        let away = nearest.1.try_normalize(1e-9).unwrap_or_else(|| pose.axes().x);
        (nearest.0 - radius_mm - self.radius_mm, away)
    }
}

/// Distance from a point to the axis of a nerve, mm.
pub fn distance_to_course(course: &Course, p: &Vec3) -> f64 {
    let segments = course.points.windows(2);
    segments
        .map(|w| distance_to_segment(p, &w[0].vec(), &w[1].vec()).0)
        .fold(f64::INFINITY, f64::min)
}

/// From the segment `c`–`d` to the segment `a`–`b` where they are nearest, by looking along the first.
fn between(a: &Vec3, b: &Vec3, c: &Vec3, d: &Vec3) -> Vec3 {
    (0..=20)
        .map(|i| {
            let p = a + (b - a) * (f64::from(i) / 20.0);
            let (_, t) = distance_to_segment(&p, c, d);
            p - (c + (d - c) * t)
        })
        .min_by(|u, v| u.norm_squared().total_cmp(&v.norm_squared()))
        .unwrap_or_else(Vec3::zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::testing::Slab;

    fn pose(tip: [f64; 3], direction: Vec3) -> Pose {
        Pose {
            tip_mm: PatientPoint::new(tip[0], tip[1], tip[2]),
            direction: direction.normalize().into(),
        }
    }

    #[test]
    fn a_free_way_ends_at_the_skin() {
        let patient = Slab::new(1.0);
        let found = path(&patient, &pose([-5.0, 3.0, 0.0], Vec3::new(0.0, -0.6, 0.8)), 0.5).unwrap();
        assert!((found.depth_mm - 57.0 / 0.6).abs() < 1e-5, "{}", found.depth_mm);
        assert!((found.entry_mm.vec() - Vec3::new(-5.0, 60.0, -76.0)).norm() < 1e-4);
    }

    #[test]
    fn what_lies_in_the_way_is_named() {
        let patient = Slab::new(1.0);
        let of = |tip, direction| path(&patient, &pose(tip, direction), 0.5).map(|_| ());
        // The tip in bone; the shaft in bone; a vessel; along the skin for ever; outside.
        assert_eq!(of([0.0, -1.0, 0.0], -Vec3::y()), Err(Reason::Bone));
        assert_eq!(of([0.0, 3.0, 0.0], Vec3::y()), Err(Reason::Bone));
        assert_eq!(of([28.0, 3.0, 0.0], Vec3::new(-1.0, -1.0, 0.0)), Err(Reason::Vessel));
        assert_eq!(of([0.0, 3.0, 0.0], Vec3::z()), Err(Reason::Length));
        assert_eq!(of([0.0, 61.0, 0.0], -Vec3::y()), Err(Reason::Air));
        // The metal may touch the bone.
        assert_eq!(of([0.0, 0.01, 0.0], -Vec3::y()), Ok(()));
        assert_eq!(of([0.0, 0.48, 0.0], Vec3::new(0.0, -0.5, 0.8)), Ok(()));
        assert_eq!(of([0.0, 0.2, 0.0], Vec3::new(0.0, -0.05, 1.0)), Err(Reason::Bone));
    }

    #[test]
    fn a_needle_is_laid_beside_bone_and_nerve() {
        let patient = Slab::new(1.0);
        let nerve = NerveLine::new(&patient.courses()[0]);
        for (tip, direction) in [
            ([0.3, -1.0, 0.0], Vec3::z()),
            ([0.0, 0.5, 0.0], Vec3::new(0.1, 0.0, 1.0)),
            ([1.0, 0.2, 2.0], Vec3::new(0.0, -0.1, 1.0)),
        ] {
            let laid = laid_beside(&patient, &nerve, pose(tip, direction), 0.5, 10.0, 6.0).unwrap();
            assert!(clearance(&patient, &laid, 0.5, 10.0).0 > -TOUCH_MM);
            assert!(nerve.gap(&laid, 0.5, 10.0).0 > -TOUCH_MM);
        }
        let deep = pose([0.0, -20.0, 0.0], Vec3::z());
        assert!(laid_beside(&patient, &nerve, deep, 0.5, 10.0, 3.0).is_none());
    }
}
