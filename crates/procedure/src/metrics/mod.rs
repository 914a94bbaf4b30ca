//! How well a needle was placed, in the measures that training studies use: time, way, straightness, changes of direction, distance and
//! angle to the nerve, distance to the plan, pictures, dose.
//!
//! Pure geometry of what was recorded; what counts as good stands in the catalogue's `guideline` entries ([`crate::scoring`]).

use neurotome_base::{
    PatientPoint, Vec3,
    geometry::{distance_between_segments, distance_to_segment},
};
use serde::{Deserialize, Serialize};

use crate::planning::{Pose, pose::angle_between_deg};

/// Places along an active tip at which its distance to the nerve is taken.
const SAMPLES: usize = 100;
/// Turns of more than this between two moves of the tip count as going back.
const BACK_COSINE: f64 = -0.5;
/// Moves shorter than this are not told from rest, mm.
const REST_MM: f64 = 1e-6;

/// The tip at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TracePoint {
    /// Time since the first needle came to the skin, s.
    pub t_s: f64,
    /// The distal end, mm.
    pub tip_mm: PatientPoint,
}

/// What was counted while the needle was placed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Changes of direction.
    pub redirects: u32,
    /// Times through the skin.
    pub entries: u32,
    /// Times that bone was met.
    pub bone_contacts: u32,
    /// Times that a vessel, the canal, a hollow, a root or a ramus was met.
    pub alarms: u32,
    /// X-ray pictures.
    pub images: u32,
    /// Time with X-rays, s.
    pub fluoroscopy_s: f64,
    /// Air kerma at the reference point, mGy.
    pub air_kerma_mgy: f64,
    /// Kerma-area product, Gy cm².
    pub kerma_area_gy_cm2: f64,
}

/// A nerve as a polyline.
#[derive(Debug, Clone, Copy)]
pub struct NerveCourse<'a> {
    /// At least two points, mm.
    pub points: &'a [PatientPoint],
    /// Diameter, mm.
    pub diameter_mm: f64,
}

/// The way of the tip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PathMetrics {
    /// From the first to the last record, s.
    pub time_s: f64,
    /// Length of the way, forwards and back, mm.
    pub path_mm: f64,
    /// From the first place to the last, mm.
    pub straight_mm: f64,
    /// That over the length of the way: 1 for a straight way; 1 too where there was none.
    pub straightness_ratio: f64,
    /// Times that the tip turned back.
    pub reversals: u32,
}

/// Where the active tip lies to the nerve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NerveMetrics {
    /// From the distal end to the nerve's middle line, mm.
    pub tip_mm: f64,
    /// Least distance between the active tip's surface and the nerve's, mm; negative where they overlap.
    pub gap_mm: f64,
    /// Mean distance between the active tip's axis and the nerve's middle line, mm.
    pub mean_mm: f64,
    /// The distal end's place along the nerve, mm from the point of the nerve nearest to the middle of the active tip; positive distal.
    pub along_mm: f64,
    /// Distance across the nerve from the middle of the active tip to the nerve's middle line, mm.
    pub across_mm: f64,
    /// Angle between the active tip and the stretch of the nerve beside it, as long as the tip and taken from end to end, 0 to 90 degrees: a
    /// guideline asks for a needle along the nerve, not along each of its bends.
    pub parallel_deg: f64,
}

/// How far the needle lies from the plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlanMetrics {
    /// Between the distal ends, mm.
    pub tip_mm: f64,
    /// Along the planned needle, mm; positive too deep.
    pub depth_mm: f64,
    /// Across it, mm.
    pub aside_mm: f64,
    /// Between the directions, degrees, 0 to 180.
    pub angle_deg: f64,
}

/// All measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// The way.
    pub path: PathMetrics,
    /// Counts, pictures and dose.
    pub counts: Counts,
    /// To the nerve, where needle and nerve are known.
    pub nerve: Option<NerveMetrics>,
    /// To the plan, where there is one.
    pub plan: Option<PlanMetrics>,
}

/// The measures of a way; records in the order of time. Places that are not finite are left out.
pub fn path(trace: &[TracePoint]) -> PathMetrics {
    let known: Vec<&TracePoint> = trace
        .iter()
        .filter(|p| p.tip_mm.is_finite() && p.t_s.is_finite())
        .collect();
    let (Some(first), Some(last)) = (known.first(), known.last()) else {
        return PathMetrics {
            time_s: 0.0,
            path_mm: 0.0,
            straight_mm: 0.0,
            straightness_ratio: 1.0,
            reversals: 0,
        };
    };
    let moves: Vec<Vec3> = known
        .windows(2)
        .map(|w| w[1].tip_mm.vec() - w[0].tip_mm.vec())
        .filter(|m| m.norm() > REST_MM)
        .collect();
    let path_mm: f64 = moves.iter().map(Vec3::norm).sum();
    let straight_mm = (last.tip_mm.vec() - first.tip_mm.vec()).norm();
    let back = |w: &&[Vec3]| w[0].normalize().dot(&w[1].normalize()) < BACK_COSINE;
    PathMetrics {
        time_s: last.t_s - first.t_s,
        path_mm,
        straight_mm,
        straightness_ratio: if path_mm > 0.0 { straight_mm / path_mm } else { 1.0 },
        reversals: moves.windows(2).filter(back).count() as u32,
    }
}

/// The measures of an active tip to a nerve; none where the nerve has fewer than two points or a length is not above zero.
pub fn to_nerve(
    pose: &Pose,
    active_tip_mm: f64,
    outer_diameter_mm: f64,
    nerve: &NerveCourse<'_>,
) -> Option<NerveMetrics> {
    let line: Vec<Vec3> = nerve.points.iter().map(neurotome_base::Point::vec).collect();
    if line.len() < 2 || !(active_tip_mm > 0.0 && outer_diameter_mm > 0.0) {
        return None;
    }
    let (tip, hub) = (pose.at(0.0), pose.at(active_tip_mm));
    let middle = nearest(&line, &pose.at(0.5 * active_tip_mm));
    let end = nearest(&line, &tip);
    let mean_mm = (0..=SAMPLES)
        .map(|i| nearest(&line, &pose.at(active_tip_mm * i as f64 / SAMPLES as f64)).apart)
        .sum::<f64>()
        / (SAMPLES + 1) as f64;
    let radius = 0.5 * outer_diameter_mm;
    let rounded = pose.at(radius.min(active_tip_mm));
    let closest = line
        .windows(2)
        .map(|w| distance_between_segments(&rounded, &hub, &w[0], &w[1]))
        .min_by(f64::total_cmp)?;
    let half = 0.5 * active_tip_mm;
    let beside = point_along(&line, middle.at + half) - point_along(&line, middle.at - half);
    Some(NerveMetrics {
        tip_mm: end.apart,
        gap_mm: closest - radius - 0.5 * nerve.diameter_mm,
        mean_mm,
        along_mm: end.at - middle.at,
        across_mm: middle.apart,
        parallel_deg: angle_between_deg(&pose.along(), &beside),
    })
}

/// The measures of a pose to the planned one.
pub fn to_plan(pose: &Pose, plan: &Pose) -> PlanMetrics {
    let apart = pose.tip_mm.vec() - plan.tip_mm.vec();
    let along = plan.along();
    let depth_mm = apart.dot(&along);
    let (a, b) = (pose.along(), along);
    PlanMetrics {
        tip_mm: apart.norm(),
        depth_mm,
        aside_mm: (apart - along * depth_mm).norm(),
        angle_deg: a.cross(&b).norm().atan2(a.dot(&b)).to_degrees(),
    }
}

/// The point at a distance along a line, or the end that it goes beyond.
fn point_along(line: &[Vec3], at: f64) -> Vec3 {
    let mut left = at.max(0.0);
    for w in line.windows(2) {
        let length = (w[1] - w[0]).norm();
        if left <= length {
            return w[0] + (w[1] - w[0]) * (left / length.max(1e-12));
        }
        left -= length;
    }
    line[line.len() - 1]
}

/// The point of a line nearest to another.
struct Nearest {
    /// Distance, mm.
    apart: f64,
    /// Place along the line, mm from its first point.
    at: f64,
}

fn nearest(line: &[Vec3], p: &Vec3) -> Nearest {
    let mut best = Nearest {
        apart: f64::INFINITY,
        at: 0.0,
    };
    let mut length = 0.0;
    for w in line.windows(2) {
        let (apart, t) = distance_to_segment(p, &w[0], &w[1]);
        let piece = (w[1] - w[0]).norm();
        if apart < best.apart {
            best = Nearest {
                apart,
                at: length + t * piece,
            };
        }
        length += piece;
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(t_s: f64, x: f64, y: f64) -> TracePoint {
        TracePoint {
            t_s,
            tip_mm: PatientPoint::new(x, y, 0.0),
        }
    }

    #[test]
    fn a_way_there_and_half_back_is_measured() {
        let trace = [
            at(1.0, 0.0, 0.0),
            at(2.0, 30.0, 40.0),
            at(3.0, 30.0, 40.0),
            at(9.0, 15.0, 20.0),
        ];
        let m = path(&trace);
        assert!((m.path_mm - 75.0).abs() < 1e-12 && (m.straight_mm - 25.0).abs() < 1e-12);
        assert!((m.straightness_ratio - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!((m.time_s, m.reversals), (8.0, 1));
        let none = path(&[]);
        assert_eq!((none.straightness_ratio, none.path_mm), (1.0, 0.0));
        assert_eq!(path(&[at(0.0, f64::NAN, 0.0)]).path_mm, 0.0);
    }

    #[test]
    fn a_needle_beside_a_straight_nerve_is_measured() {
        let points = [PatientPoint::new(0.0, 0.0, -50.0), PatientPoint::new(0.0, 0.0, 50.0)];
        let nerve = NerveCourse {
            points: &points,
            diameter_mm: 1.0,
        };
        let angle = 15f64.to_radians();
        let direction = Vec3::new(0.0, angle.sin(), angle.cos());
        // The middle of a 10 mm tip lies 3 mm beside the nerve and passes it there in the plane x = 3.
        let pose = Pose::with_middle(&Vec3::new(3.0, 0.0, 7.0), &direction, 10.0);
        let m = to_nerve(&pose, 10.0, 1.0, &nerve).unwrap();
        assert!((m.parallel_deg - 15.0).abs() < 1e-9);
        // A nerve that zigzags beside the tip is as parallel to it as its course from end to end.
        let zigzag: Vec<PatientPoint> = (-25..=25)
            .map(|k| PatientPoint::new(0.0, 0.5 * f64::from(k % 2), 2.0 * f64::from(k)))
            .collect();
        let along_z = Pose::with_middle(&Vec3::new(3.0, 0.0, 0.0), &Vec3::z(), 8.0);
        let bent = NerveCourse {
            points: &zigzag,
            diameter_mm: 1.0,
        };
        assert!(to_nerve(&along_z, 8.0, 1.0, &bent).unwrap().parallel_deg < 4.0);
        assert!((m.gap_mm - 2.0).abs() < 1e-9 && (m.across_mm - 3.0).abs() < 1e-9);
        assert!((m.along_mm - 5.0 * angle.cos()).abs() < 1e-9);
        assert!((m.tip_mm - 3f64.hypot(5.0 * angle.sin())).abs() < 1e-9);
        assert!(m.mean_mm > 3.0 && m.mean_mm < m.tip_mm);
        assert!(
            to_nerve(
                &pose,
                10.0,
                1.0,
                &NerveCourse {
                    points: &points[..1],
                    ..nerve
                }
            )
            .is_none()
        );
    }

    #[test]
    fn depth_and_side_to_the_plan_are_told_apart() {
        let plan = Pose {
            tip_mm: PatientPoint::new(0.0, 0.0, 0.0),
            direction: [0.0, -1.0, 0.0],
        };
        let pose = Pose {
            tip_mm: PatientPoint::new(3.0, -4.0, 0.0),
            direction: [1.0, 0.0, 0.0],
        };
        let m = to_plan(&pose, &plan);
        assert_eq!((m.tip_mm, m.depth_mm, m.aside_mm), (5.0, 4.0, 3.0));
        assert!((m.angle_deg - 90.0).abs() < 1e-12);
    }
}
