//! How likely a placement destroys enough of the nerve, and harms what it should spare.
//!
//! Each draw moves the nerve as a whole (its spread), the needle (error of placement) and the size of the lesion (spread of the tissue),
//! all independently and normally. The lesion moves with the needle. All placements of a nerve meet the same draws, so that their order
//! is that of the placements and not of luck.

use neurotome_base::{Vec3, geometry::perpendicular_pair, random::Stream};
use serde::{Deserialize, Serialize};

use super::{candidates::Site, lesion_shape::LesionShape, pose::Pose};
use crate::{
    anatomy::{Course, NerveKind, Patient},
    catalog::Technique,
};

/// Pieces in which nerves are looked at, mm.
const PIECE_MM: f64 = 0.25;
const SPARED_PIECE_MM: f64 = 1.0;
/// Nothing farther from the middle of the nerve's stretch is looked at, mm.
const NEAR_MM: f64 = 25.0;

/// Points along a nerve.
#[derive(Debug, Clone)]
struct Pieces {
    name: String,
    points: Vec<Vec3>,
    /// Length that each point stands for, mm.
    lengths_mm: Vec<f64>,
    radius_mm: f64,
    /// Directions and standard deviations in which the whole nerve may lie aside, mm.
    spread: [(Vec3, f64); 2],
    /// True where the second deviation goes one way only.
    one_way: bool,
}

impl Pieces {
    fn new(course: &Course, middle: &Vec3, piece_mm: f64) -> Self {
        let (mut points, mut lengths_mm) = (Vec::new(), Vec::new());
        let mut chord = Vec3::zeros();
        for w in course.points.windows(2) {
            let (a, b) = (w[0].vec(), w[1].vec());
            let length = (b - a).norm();
            let pieces = (length / piece_mm).ceil().max(1.0) as usize;
            for k in 0..pieces {
                let p = a + (b - a) * ((k as f64 + 0.5) / pieces as f64);
                if (p - middle).norm() < NEAR_MM && length > 0.0 {
                    points.push(p);
                    lengths_mm.push(length / pieces as f64);
                    chord += (b - a) / pieces as f64;
                }
            }
        }
        let (u, v) = perpendicular_pair(&chord.try_normalize(1e-9).unwrap_or_else(Vec3::z));
        Self {
            name: course.name.clone(),
            points,
            lengths_mm,
            radius_mm: 0.5 * course.diameter_mm,
            spread: [(u, course.spread.across_mm), (v, course.spread.across_mm)],
            one_way: false,
        }
    }

    fn shift(&self, normals: [f64; 2]) -> Vec3 {
        let [(u, s), (v, t)] = self.spread;
        let second = if self.one_way { normals[1].abs() } else { normals[1] };
        u * (s * normals[0]) + v * (t * second)
    }
}

/// A draw of one lesion.
#[derive(Debug, Clone, Copy)]
struct Placed {
    /// Along the needle and across it, mm.
    moved_mm: [f64; 3],
    /// Turns about two axes across the needle, radians.
    turned: [f64; 2],
    /// Factor of the lesion's size.
    scale: f64,
}

/// One draw of everything.
#[derive(Debug, Clone)]
struct Draw {
    nerve: Vec3,
    spared: Vec<Vec3>,
    /// First and second lesion.
    lesions: [Placed; 2],
}

/// What the draws are made of, and the draws.
#[derive(Debug, Clone)]
pub struct Objective {
    nerve: Pieces,
    spared: Vec<Pieces>,
    draws: Vec<Draw>,
    destroyed_mm: f64,
}

/// A lesion in its place.
#[derive(Debug, Clone, Copy)]
pub struct Lesion<'a> {
    /// The needle's pose.
    pub pose: &'a Pose,
    /// Its shape.
    pub shape: &'a LesionShape,
    /// Unit vector off the bone beside the needle, and how far the metal is from bone, mm: bone stops a needle.
    pub off_bone: Vec3,
    /// See `off_bone`.
    pub clearance_mm: f64,
}

/// What a placement achieves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Share of the draws in which enough of the nerve is destroyed.
    pub probability: f64,
    /// Destroyed length with everything where it is meant to be, mm.
    pub nominal_mm: f64,
    /// Mean over the draws, mm.
    pub mean_mm: f64,
    /// The length that 5 % of the draws do not reach, mm.
    pub low_mm: f64,
    /// Share of the draws in which the lesion touches a nerve to be spared.
    pub harm: f64,
}

impl Objective {
    /// Draws for a nerve.
    ///
    /// # Errors
    /// As [`super::Target::course`].
    pub fn new(
        patient: &dyn Patient,
        site: &Site,
        technique: &Technique,
        destroyed_mm: f64,
        draws: usize,
        seed: u64,
    ) -> Result<Self, super::PlanError> {
        let course = site.target.course(patient)?;
        let mut nerve = Pieces::new(course, &site.middle, PIECE_MM);
        let across = site.off_bone.cross(&site.along);
        nerve.spread = [
            (
                across.try_normalize(1e-9).unwrap_or_else(Vec3::x),
                course.spread.across_mm,
            ),
            (site.off_bone, course.spread.off_bone_mm),
        ];
        nerve.one_way = true;
        let spared: Vec<Pieces> = patient
            .courses()
            .iter()
            .filter(|c| matches!(c.kind, NerveKind::Root | NerveKind::Ganglion | NerveKind::VentralRamus))
            .map(|c| Pieces::new(c, &site.middle, SPARED_PIECE_MM))
            .filter(|p| !p.points.is_empty())
            .collect();
        let stream = Stream::new(seed).split(2);
        let draws = (0..draws as u64)
            .map(|i| {
                let normal = |k: u64| stream.normal(64 * i + k);
                let placed = |k: u64| Placed {
                    moved_mm: [
                        technique.depth_sd_mm.value * normal(k),
                        technique.tip_sd_mm.value * normal(k + 1),
                        technique.tip_sd_mm.value * normal(k + 2),
                    ],
                    turned: [
                        technique.angle_sd_deg.value.to_radians() * normal(k + 3),
                        technique.angle_sd_deg.value.to_radians() * normal(k + 4),
                    ],
                    scale: (technique.lesion_sd_fraction.value * normal(k + 5)).exp(),
                };
                Draw {
                    nerve: nerve.shift([normal(0), normal(1)]),
                    spared: spared
                        .iter()
                        .enumerate()
                        .map(|(j, s)| {
                            let k = 16 + 2 * (j as u64 % 24);
                            s.shift([normal(k), normal(k + 1)])
                        })
                        .collect(),
                    lesions: [placed(2), placed(8)],
                }
            })
            .collect();
        Ok(Self {
            nerve,
            spared,
            draws,
            destroyed_mm,
        })
    }

    /// Destroyed length with everything where it is meant to be, mm.
    pub fn nominal_mm(&self, lesions: &[Lesion]) -> f64 {
        let placed: Vec<_> = lesions.iter().map(InPlace::meant).collect();
        self.destroyed(&placed, &Vec3::zeros())
    }

    /// Nearest distance from the lesions to each nerve to be spared, mm, with everything where it is meant to be; negative when reached.
    pub fn spared_mm(&self, lesions: &[Lesion]) -> Vec<(&str, f64)> {
        let placed: Vec<_> = lesions.iter().map(InPlace::meant).collect();
        self.spared
            .iter()
            .map(|s| (s.name.as_str(), gap(s, &placed, &Vec3::zeros())))
            .collect()
    }

    /// The outcome of one lesion, or of two made one after the other.
    pub fn outcome(&self, lesions: &[Lesion]) -> Outcome {
        // Only what comes near in the plan is looked at in every draw: six standard deviations of everything are some 8 mm.
        let near: Vec<bool> = self.spared_mm(lesions).iter().map(|s| s.1 < 8.0).collect();
        let mut lengths = Vec::with_capacity(self.draws.len());
        let (mut enough, mut harmed) = (0usize, 0usize);
        for draw in &self.draws {
            let placed: Vec<_> = lesions
                .iter()
                .zip(&draw.lesions)
                .map(|(l, d)| InPlace::drawn(l, d))
                .collect();
            let length = self.destroyed(&placed, &draw.nerve);
            enough += usize::from(length >= self.destroyed_mm);
            lengths.push(length);
            let harm = self
                .spared
                .iter()
                .zip(&draw.spared)
                .zip(&near)
                .any(|((s, shift), near)| *near && gap(s, &placed, shift) < 0.0);
            harmed += usize::from(harm);
        }
        lengths.sort_by(f64::total_cmp);
        let n = self.draws.len().max(1) as f64;
        Outcome {
            probability: enough as f64 / n,
            nominal_mm: self.nominal_mm(lesions),
            mean_mm: lengths.iter().sum::<f64>() / n,
            low_mm: lengths.get(lengths.len() / 20).copied().unwrap_or(0.0),
            harm: harmed as f64 / n,
        }
    }

    fn destroyed(&self, placed: &[InPlace], shift: &Vec3) -> f64 {
        let mut sum = 0.0;
        for (p, length) in self.nerve.points.iter().zip(&self.nerve.lengths_mm) {
            let q = p + shift;
            // The whole cross-section: its far side must be reached.
            if placed.iter().any(|l| l.outside_mm(&q) <= -self.nerve.radius_mm) {
                sum += length;
            }
        }
        sum
    }
}

/// Nearest distance from lesions to a nerve's surface, mm.
fn gap(nerve: &Pieces, placed: &[InPlace], shift: &Vec3) -> f64 {
    let mut nearest = f64::INFINITY;
    for p in &nerve.points {
        let q = p + shift;
        for l in placed {
            nearest = nearest.min(l.outside_mm(&q) - nerve.radius_mm);
        }
    }
    nearest
}

/// A lesion with the needle's axes as drawn.
struct InPlace<'a> {
    tip: Vec3,
    x: Vec3,
    y: Vec3,
    z: Vec3,
    shape: &'a LesionShape,
    scale: f64,
    farthest_mm: f64,
    middle: Vec3,
}

impl<'a> InPlace<'a> {
    fn meant(lesion: &Lesion<'a>) -> Self {
        Self::drawn(
            lesion,
            &Placed {
                moved_mm: [0.0; 3],
                turned: [0.0; 2],
                scale: 1.0,
            },
        )
    }

    fn drawn(lesion: &Lesion<'a>, draw: &Placed) -> Self {
        let axes = lesion.pose.axes();
        let half = 0.5 * lesion.shape.stem.active_tip_mm;
        let mut moved = axes.z * draw.moved_mm[0] + axes.x * draw.moved_mm[1] + axes.y * draw.moved_mm[2];
        // Bone stops the needle.
        let into_bone = -moved.dot(&lesion.off_bone) - lesion.clearance_mm.max(0.0);
        if into_bone > 0.0 {
            moved += lesion.off_bone * into_bone;
        }
        // Turned about the middle of the active tip.
        let z = (axes.z + axes.x * draw.turned[0] + axes.y * draw.turned[1]).normalize();
        let x = (axes.x - z * axes.x.dot(&z)).normalize();
        let middle = axes.tip + axes.z * half + moved;
        Self {
            tip: middle - z * half,
            x,
            y: z.cross(&x) * axes.z.cross(&axes.x).dot(&axes.y).signum(),
            z,
            scale: draw.scale,
            farthest_mm: half + draw.scale * lesion.shape.farthest_mm(),
            middle,
            shape: lesion.shape,
        }
    }

    fn outside_mm(&self, p: &Vec3) -> f64 {
        let from_middle = (p - self.middle).norm_squared();
        if from_middle > self.farthest_mm * self.farthest_mm {
            // A lower bound serves: nothing is destroyed out here.
            return from_middle.sqrt() - self.farthest_mm;
        }
        let d = p - self.tip;
        self.shape
            .outside_mm(&Vec3::new(self.x.dot(&d), self.y.dot(&d), self.z.dot(&d)), self.scale)
    }
}

#[cfg(test)]
mod tests {
    use neurotome_base::PatientPoint;

    use super::*;
    use crate::planning::{
        lesion_shape::Stem,
        testing::{Slab, technique},
    };

    /// A needle along the nerve, its axis 2.4 mm off the nerve's, with a lesion that reaches 4 mm.
    fn judged(across_mm: f64, destroyed_mm: f64, draws: usize) -> (Objective, Pose, LesionShape) {
        let patient = Slab::new(across_mm);
        let site = Site::new(&patient, Slab::target()).unwrap();
        let mut technique = technique();
        for spread in [
            &mut technique.tip_sd_mm,
            &mut technique.depth_sd_mm,
            &mut technique.angle_sd_deg,
            &mut technique.lesion_sd_fraction,
        ] {
            spread.value = 0.0;
        }
        let objective = Objective::new(&patient, &site, &technique, destroyed_mm, draws, 5).unwrap();
        let pose = Pose {
            tip_mm: PatientPoint::new(0.0, 3.0, 5.0),
            direction: [0.0, 0.0, 1.0],
        };
        let stem = Stem {
            radius_mm: 0.5,
            active_tip_mm: 10.0,
        };
        (objective, pose, LesionShape::new(stem, |_, _| 4.0))
    }

    fn lesion<'a>(pose: &'a Pose, shape: &'a LesionShape) -> Lesion<'a> {
        Lesion {
            pose,
            shape,
            off_bone: Vec3::y(),
            clearance_mm: 2.5,
        }
    }

    #[test]
    fn the_destroyed_length_beside_a_capsule_is_that_of_the_formula() {
        let (objective, pose, shape) = judged(0.0, 8.0, 1);
        // The far side of a nerve of 1 mm must be reached: 3.5 mm to its axis, round both ends of a segment of 9.5 mm.
        let expected = 9.5 + 2.0 * (3.5f64 * 3.5 - 2.4 * 2.4).sqrt();
        let length = objective.nominal_mm(&[lesion(&pose, &shape)]);
        assert!((length - expected).abs() <= PIECE_MM, "{length} against {expected}");
        assert_eq!(objective.outcome(&[lesion(&pose, &shape)]).probability, 1.0);
        // A second lesion in the same place adds nothing, one beyond the end adds its own length.
        let same = objective.nominal_mm(&[lesion(&pose, &shape), lesion(&pose, &shape)]);
        assert_eq!(same, length);
        let beyond = pose.moved(&Vec3::new(0.0, 0.0, 17.0));
        let both = objective.nominal_mm(&[lesion(&pose, &shape), lesion(&beyond, &shape)]);
        assert!((both - 2.0 * length).abs() <= 2.0 * PIECE_MM, "{both}");
    }

    #[test]
    fn the_probability_is_that_of_the_normal_distribution() {
        let (objective, pose, shape) = judged(2.0, 9.6, 20_000);
        let outcome = objective.outcome(&[lesion(&pose, &shape)]);
        // Enough is destroyed while the nerve lies within 3.5 mm of the axis: |x| < 2.548 mm, 1.274 standard deviations, and a little
        // less where the length falls off at the ends. Standard error 0.003.
        assert!((outcome.probability - 0.797).abs() < 0.012, "{}", outcome.probability);
        assert!(outcome.low_mm == 0.0 && outcome.mean_mm < outcome.nominal_mm);
        assert_eq!(outcome.harm, 0.0);
    }

    #[test]
    fn bone_stops_a_needle_that_is_pushed_towards_it() {
        let (_, pose, shape) = judged(0.0, 8.0, 1);
        let mut lesion = lesion(&pose, &shape);
        lesion.clearance_mm = 0.5;
        let (x, y) = (pose.axes().x, pose.axes().y);
        for off_bone in [x, -x, y, -y] {
            lesion.off_bone = off_bone;
            let pushed = Placed {
                moved_mm: [0.0, -3.0 * off_bone.dot(&x), -3.0 * off_bone.dot(&y)],
                turned: [0.0; 2],
                scale: 1.0,
            };
            let moved = InPlace::drawn(&lesion, &pushed).tip - pose.tip_mm.vec();
            assert!((moved + off_bone * 0.5).norm() < 1e-9, "{moved}");
        }
    }
}
