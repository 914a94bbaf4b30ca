//! A needle laid alongside a nerve on bone, by the geometry alone: the pose that a parallel technique aims at.

use neurotome_base::geometry::distance_between_segments;
use neurotome_base::{PatientPoint, Vec3};

use super::super::{Course, Level, Patient, VertebraFrame};

/// Between metal and bone where the needle touches, mm.
const TOUCH_MM: f64 = 0.03;
/// Between metal and nerve, mm.
const SHEATH_MM: f64 = 0.05;
/// How far beside the nerve a needle may lie and still be called parallel, mm.
const MOST_ASIDE_MM: f64 = 3.0;
/// How far the axis may be turned off the nerve to get past bone on the way to the skin, degrees.
const MOST_TURN_DEG: f64 = 15.0;
/// Longest way to the skin that is looked at, mm.
const MOST_DEPTH_MM: f64 = 250.0;

/// Where a needle lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParallelPose {
    /// Distal end.
    pub tip: PatientPoint,
    /// Unit vector from the hub to the tip.
    pub direction: Vec3,
    /// Where the axis meets the skin.
    pub entry: PatientPoint,
    /// Between metal and bone where they are nearest, mm.
    pub bone_gap_mm: f64,
    /// Between the bare metal and the nerve where they are nearest, mm.
    pub nerve_gap_mm: f64,
    /// Angle between the axis and the mean course of the nerve, degrees.
    pub turned_deg: f64,
}

/// Angles of an approach to a vertebra, degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ApproachAngles {
    /// Between the axis and the superior end plate, seen from the side: positive from caudal.
    pub caudal_deg: f64,
    /// Between the axis and the sagittal plane, seen from behind: positive from lateral.
    pub lateral_deg: f64,
}

/// The angles at which a needle comes to a vertebra, in the vertebra's own planes; `outwards` is +1 on the left, −1 on the right.
pub fn approach_angles(frame: &VertebraFrame, direction: &Vec3, outwards: f64) -> ApproachAngles {
    let d = frame.direction_to_local(direction);
    ApproachAngles {
        caudal_deg: d.z.atan2(-d.y).to_degrees(),
        lateral_deg: (-outwards * d.x).atan2(d.z).to_degrees(),
    }
}

/// Lays a straight needle alongside the target stretch of a nerve.
///
/// The axis runs along the mean course there, tip proximal. The metal touches bone on one side and lies against the nerve on the other, on
/// the nerve's upper side; where bone is in the way of the shaft the axis is turned as little as needed. None when the nerve has no target
/// stretch, or when no such pose reaches the skin clear of bone.
pub fn parallel_needle(
    patient: &dyn Patient,
    course: &Course,
    outer_diameter_mm: f64,
    active_tip_mm: f64,
) -> Option<ParallelPose> {
    let [first, last] = course.target?;
    let stretch: Vec<Vec3> = course.points.get(first..=last)?.iter().map(PatientPoint::vec).collect();
    let (middle, along) = mean_line(&stretch)?;
    let frame = crossed(patient, course.nerve)?;
    let search = Search {
        patient,
        course: course.points.iter().map(PatientPoint::vec).collect(),
        nerve_radius: 0.5 * course.diameter_mm,
        radius: 0.5 * outer_diameter_mm,
        active_tip: active_tip_mm,
        middle,
        superior: frame.superior,
    };
    let (u, v) = across(&along, &frame.superior);
    // Straight first, then on ever wider cones.
    for ring in 0..=(MOST_TURN_DEG / 2.5) as usize {
        let turn = 2.5 * ring as f64;
        let (sin, cos) = turn.to_radians().sin_cos();
        let ways = if ring == 0 { 1 } else { 12 };
        let best = (0..ways)
            .filter_map(|n| {
                let (s, c) = (std::f64::consts::TAU * f64::from(n) / f64::from(ways)).sin_cos();
                search.beside((along * cos + (u * c + v * s) * sin).normalize())
            })
            .min_by(|a, b| a.looseness().total_cmp(&b.looseness()));
        if let Some(pose) = best {
            return Some(ParallelPose {
                turned_deg: turn,
                ..pose
            });
        }
    }
    None
}

/// The frame of the vertebra that a nerve's branch crosses: the next one below.
fn crossed(patient: &dyn Patient, nerve: Level) -> Option<VertebraFrame> {
    let below = patient.levels().into_iter().find(|l| *l > nerve)?;
    patient.frame(below)
}

/// The middle of a polyline's length and its mean direction, from the last point towards the first.
fn mean_line(points: &[Vec3]) -> Option<(Vec3, Vec3)> {
    let (from, to) = (points.last()?, points.first()?);
    let direction = (to - from).try_normalize(1e-9)?;
    let lengths: Vec<f64> = points.windows(2).map(|w| (w[1] - w[0]).norm()).collect();
    let total: f64 = lengths.iter().sum();
    let sum: Vec3 = points
        .windows(2)
        .zip(&lengths)
        .map(|(w, l)| (w[0] + w[1]) * (0.5 * l))
        .sum();
    Some((sum / total, direction))
}

/// Two unit vectors across a direction, the second as near to `up` as can be.
fn across(direction: &Vec3, up: &Vec3) -> (Vec3, Vec3) {
    let v = up - direction * up.dot(direction);
    let v = v.try_normalize(1e-9).unwrap_or_else(Vec3::x);
    (direction.cross(&v), v)
}

struct Search<'a> {
    patient: &'a dyn Patient,
    course: Vec<Vec3>,
    nerve_radius: f64,
    radius: f64,
    active_tip: f64,
    middle: Vec3,
    superior: Vec3,
}

impl ParallelPose {
    /// How far metal, bone and nerve are from touching each other, mm.
    fn looseness(&self) -> f64 {
        self.bone_gap_mm + self.nerve_gap_mm
    }
}

impl Search<'_> {
    /// The tightest pose with an axis of this direction.
    fn beside(&self, direction: Vec3) -> Option<ParallelPose> {
        let (u, v) = across(&direction, &self.superior);
        // Within 70 degrees of straight above the nerve.
        let at = |degrees: f64| {
            let (sin, cos) = degrees.to_radians().sin_cos();
            self.outwards(direction, v * cos + u * sin)
        };
        let tightest = |degrees: &mut dyn Iterator<Item = f64>| {
            degrees
                .filter_map(|a| at(a).map(|pose| (a, pose)))
                .min_by(|a, b| a.1.looseness().total_cmp(&b.1.looseness()))
        };
        let (coarse, _) = tightest(&mut (-14..=14).map(|n| 5.0 * f64::from(n)))?;
        let (_, pose) = tightest(&mut (-10..=10).map(|n| coarse + 0.5 * f64::from(n)))?;
        Some(pose)
    }

    /// The nearest pose to the nerve on one side of it.
    fn outwards(&self, direction: Vec3, aside: Vec3) -> Option<ParallelPose> {
        const STEP: f64 = 0.1;
        let free = |s: f64| {
            let pose = self.pose(direction, self.middle + aside * s)?;
            (pose.bone_gap_mm >= TOUCH_MM && pose.nerve_gap_mm >= SHEATH_MM).then_some(pose)
        };
        let steps = (MOST_ASIDE_MM / STEP) as usize;
        let mut high = STEP * (0..=steps).find(|n| free(STEP * *n as f64).is_some())? as f64;
        let mut low = (high - STEP).max(0.0);
        for _ in 0..20 {
            let middle = 0.5 * (low + high);
            if free(middle).is_some() {
                high = middle;
            } else {
                low = middle;
            }
        }
        free(high)
    }

    /// The pose whose active tip has its middle here; none without skin above it.
    fn pose(&self, direction: Vec3, middle: Vec3) -> Option<ParallelPose> {
        let tip = middle + direction * (0.5 * self.active_tip);
        let rear = tip - direction * self.active_tip;
        let axis_gap = self
            .course
            .windows(2)
            .map(|w| distance_between_segments(&w[0], &w[1], &tip, &rear))
            .fold(f64::INFINITY, f64::min);
        let nerve_gap_mm = axis_gap - self.radius - self.nerve_radius;
        if nerve_gap_mm < 0.0 {
            return None;
        }
        let depth = self.depth_of(&tip, &direction)?;
        let bone_gap_mm = self.nearest_bone(&tip, &direction, depth) - self.radius;
        Some(ParallelPose {
            tip: PatientPoint::from_vec(tip),
            direction,
            entry: PatientPoint::from_vec(tip - direction * depth),
            bone_gap_mm,
            nerve_gap_mm,
            turned_deg: 0.0,
        })
    }

    /// From the tip to the skin along the shaft.
    fn depth_of(&self, tip: &Vec3, direction: &Vec3) -> Option<f64> {
        let below = |s: f64| self.patient.skin_depth_mm(&PatientPoint::from_vec(tip - direction * s)) > 0.0;
        if !below(0.0) || below(MOST_DEPTH_MM) {
            return None;
        }
        let (mut inside, mut outside) = (0.0, MOST_DEPTH_MM);
        while outside - inside > 1e-9 {
            let middle = 0.5 * (inside + outside);
            if below(middle) {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        Some(inside)
    }

    /// The lowest bone level along the axis from just inside the tip to the skin.
    fn nearest_bone(&self, tip: &Vec3, direction: &Vec3, depth: f64) -> f64 {
        let mut s = 0.0;
        let mut lowest = f64::INFINITY;
        while s < depth {
            let level = self.patient.bone_level_mm(&PatientPoint::from_vec(tip - direction * s));
            lowest = lowest.min(level);
            if level < 0.0 {
                break;
            }
            // A level is at most 1.6 times the distance; along bone every fifth of a millimetre is looked at.
            s += (0.6 * (level - lowest.max(self.radius))).max(0.2);
        }
        lowest
    }
}
