//! Fits one vertebra to an image: pose and shape by least squares.
//!
//! The model's level `s` at a point tells how much bone there should be, `½ − s / 2w` between 0 and 1, with a ramp of half width `w`; the image
//! tells how much there is. The squares of the differences on a lattice round the model's surface, and of the shape's deviations from the mean
//! of its level in units of their spread among people, are made least together by Gauss and Newton's method with damping (Levenberg 1944,
//! Marquardt 1963).

use nalgebra::{DMatrix, DVector, Rotation3};
use neurotome_base::Vec3;
use rayon::prelude::*;

use super::super::spine::shape::{MiddleShape, SideShape, VertebraShape};
use super::super::spine::solid::Bounds;
use super::super::spine::vertebra::{Kind, Vertebra};
use super::super::{Level, VertebraFrame};
use super::occupancy::Occupancy;

/// A vertebra that is being fitted.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    pub level: Level,
    pub kind: Kind,
    pub frame: VertebraFrame,
    pub shape: VertebraShape,
    /// The mean of its level, at the size found.
    pub mean: VertebraShape,
    pub bone: Vertebra,
}

/// What may change in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Free {
    /// The pose.
    Pose,
    /// Pose and overall size.
    Size,
    /// Pose and every number of the shape.
    Shape,
}

/// One stage of a fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage {
    pub free: Free,
    /// Half width of the ramp, mm.
    pub ramp_mm: f64,
    /// Distance of the lattice's points, mm.
    pub lattice_mm: f64,
    pub steps: usize,
}

/// Deviation of one difference of occupancy, for its weight beside the shapes'. Differences of neighbouring points are far from independent.
const DEVIATION: f64 = 0.6;

/// Step of the differences that give the slope of the level, mm.
const SLOPE_STEP_MM: f64 = 0.1;

/// A stage ends when a step gains less than this share.
const ENOUGH: f64 = 5e-4;

/// How far from the fitted surface a mamillary process is looked for, mm.
const MAMILLARY_SEARCH_MM: f64 = 6.0;

/// A transverse process whose tip is so far from the mean one's may have been lost, mm.
const LOST_TRANSVERSE_MM: f64 = 10.0;
/// Places of its tip that are tried, back and up from a usual one, mm.
const TRANSVERSE_SHIFTS_MM: [[f64; 2]; 9] = [
    [0.0, 0.0],
    [0.0, 5.0],
    [0.0, -5.0],
    [5.0, 0.0],
    [-5.0, 0.0],
    [5.0, 5.0],
    [5.0, -5.0],
    [-5.0, 5.0],
    [-5.0, -5.0],
];

/// How much wider than among people the shapes are taken to scatter: real vertebrae differ from the model in more than its numbers.
const WIDER: f64 = 2.5;

/// The spread of the shape's numbers that a fit allows for.
fn deviations() -> Vec<f64> {
    VertebraShape::deviations().iter().map(|d| WIDER * d).collect()
}

impl Fitted {
    pub(crate) fn new(level: Level, mean: &VertebraShape, frame: VertebraFrame) -> Self {
        let kind = if level == Level::S1 { Kind::Sacral } else { Kind::Lumbar };
        Self {
            level,
            kind,
            frame,
            shape: *mean,
            mean: *mean,
            bone: Vertebra::new(mean, kind),
        }
    }

    /// Level of the model at a point of the patient.
    pub(crate) fn level_at(&self, p: &Vec3) -> f64 {
        self.bone.level(self.frame.to_local(p).into())
    }

    /// Points of a lattice within a distance of the model's surface, where the image says something.
    fn points(&self, stage: &Stage, image: &dyn Occupancy) -> Vec<(Vec3, f64)> {
        let bounds = self.bone.bounds();
        let h = stage.lattice_mm;
        // The lattice stands still in the patient, so that a small move changes few points.
        let corners = bounds.corners().map(|c| self.frame.to_patient(&Vec3::from(c)));
        let low = corners.iter().fold(Vec3::repeat(f64::INFINITY), |a, b| a.inf(b));
        let high = corners.iter().fold(Vec3::repeat(f64::NEG_INFINITY), |a, b| a.sup(b));
        let first = low.map(|x| ((x - stage.ramp_mm) / h).floor() as i64);
        let last = high.map(|x| ((x + stage.ramp_mm) / h).ceil() as i64);
        (first.z..=last.z)
            .into_par_iter()
            .flat_map_iter(|k| {
                let mut row = vec![];
                for j in first.y..=last.y {
                    for i in first.x..=last.x {
                        // Every other row is shifted, against walls that run along the lattice.
                        let shift = 0.5 * ((j + k) & 1) as f64;
                        let p = Vec3::new(i as f64 + shift, j as f64, k as f64) * h;
                        if self.level_at(&p).abs() < stage.ramp_mm
                            && let Some(b) = image.at(&p)
                        {
                            row.push((p, b));
                        }
                    }
                }
                row
            })
            .collect()
    }

    /// Improves the fit; `others` are neighbours whose bone the image shows too.
    pub(crate) fn improve(&mut self, stage: &Stage, image: &dyn Occupancy, others: &[&Fitted]) {
        let mut damping = 1e-3;
        for _ in 0..stage.steps {
            let points = self.points(stage, image);
            // Where a neighbour's bone is, the image tells nothing of this one.
            let points: Vec<(Vec3, f64)> = points
                .into_iter()
                .filter(|(p, _)| others.iter().all(|o| o.level_at(p) > 0.5 * stage.ramp_mm.min(1.0)))
                .collect();
            if points.len() < 200 {
                return;
            }
            let before = self.cost(stage, &points);
            let (matrix, slope) = self.normal_equations(stage, &points);
            let mut better = None;
            for _ in 0..6 {
                let mut damped = matrix.clone();
                for i in 0..damped.nrows() {
                    damped[(i, i)] *= 1.0 + damping;
                    damped[(i, i)] += 1e-9;
                }
                let Some(step) = damped.cholesky().map(|c| c.solve(&slope)) else {
                    damping *= 10.0;
                    continue;
                };
                let mut next = self.clone();
                next.step(stage.free, step.as_slice());
                if next.cost(stage, &points) < before {
                    better = Some((next, step));
                    damping = (0.2 * damping).max(1e-6);
                    break;
                }
                damping *= 10.0;
            }
            let Some((next, step)) = better else { return };
            let gain = before - next.cost(stage, &points);
            *self = next;
            let still = step.rows(0, 3).norm() < 0.01 && step.rows(3, 3).norm() < 2e-4;
            if (still && stage.free != Free::Shape) || gain < ENOUGH * before {
                return;
            }
        }
    }

    /// Tries other places for the mamillary processes: a process that the shape has lost, or drawn into another, is too far away for small
    /// steps to find it again.
    pub(crate) fn find_mamillary_processes(&mut self, stage: &Stage, image: &dyn Occupancy, others: &[&Fitted]) {
        // Beyond the fitted surface, where another shape may have bone.
        let wide = Stage {
            ramp_mm: MAMILLARY_SEARCH_MM,
            ..*stage
        };
        let mut points = self.points(&wide, image);
        let near = |p: &Vec3| {
            let q = self.frame.to_local(p);
            let m = self.bone.mamillary(q.x >= 0.0);
            (Vec3::new(q.x.abs(), q.y, q.z) - Vec3::from(m)).norm() < 2.0 * MAMILLARY_SEARCH_MM
        };
        points.retain(|(p, _)| near(p) && others.iter().all(|o| o.level_at(p) > 0.5 * stage.ramp_mm.min(1.0)));
        let mut best = self.cost(stage, &points);
        for left in [true, false] {
            for shift in [-4.5, -3.0, -1.5, 1.5, 3.0, 4.5, 6.0] {
                let mut next = self.clone();
                let (mean, side) = if left {
                    (self.mean.left.mamillary, &mut next.shape.left)
                } else {
                    (self.mean.right.mamillary, &mut next.shape.right)
                };
                side.mamillary = mean + shift;
                next.bone = Vertebra::new(&next.shape, self.kind);
                let cost = next.cost(stage, &points);
                if cost < best {
                    best = cost;
                    *self = next;
                }
            }
        }
    }

    /// Tries other places for a transverse process whose tip has come far from where it usually is. One that has shrunk into the neck has no
    /// surface near the image's own any more, so that small steps do not find it again; nor would the nerve find the groove beside it.
    pub(crate) fn find_transverse_processes(&mut self, stage: &Stage, image: &dyn Occupancy, others: &[&Fitted]) {
        if self.kind != Kind::Lumbar {
            return;
        }
        for left in [true, false] {
            let (own, mean, other) = if left {
                (self.shape.left, self.mean.left, self.shape.right)
            } else {
                (self.shape.right, self.mean.right, self.shape.left)
            };
            let tip = |s: &SideShape| Vec3::new(s.transverse_x, s.transverse_y, s.transverse_z);
            if (tip(&own) - tip(&mean)).norm() < LOST_TRANSVERSE_MM {
                continue;
            }
            let mut tried = Vec::new();
            for from in [mean, other] {
                for [back, up] in TRANSVERSE_SHIFTS_MM {
                    let mut next = self.clone();
                    let side = if left {
                        &mut next.shape.left
                    } else {
                        &mut next.shape.right
                    };
                    side.transverse_x = from.transverse_x;
                    side.transverse_y = from.transverse_y + back;
                    side.transverse_z = from.transverse_z + up;
                    side.transverse_root = from.transverse_root;
                    side.transverse_end = from.transverse_end;
                    next.bone = Vertebra::new(&next.shape, self.kind);
                    tried.push(next);
                }
            }
            // The same points for all: those near the surface of any of them, on this side.
            let mut points = self.points(stage, image);
            let mut seen: Vec<&Fitted> = vec![&*self];
            for next in &tried {
                let more = next.points(stage, image);
                let far = |p: &Vec3| seen.iter().all(|s| s.level_at(p).abs() >= stage.ramp_mm);
                points.extend(more.into_iter().filter(|(p, _)| far(p)));
                seen.push(next);
            }
            points.retain(|(p, _)| {
                let x = self.frame.to_local(p).x;
                (x > 0.0) == left
                    && x.abs() > 15.0
                    && others.iter().all(|o| o.level_at(p) > 0.5 * stage.ramp_mm.min(1.0))
            });
            let costs: Vec<f64> = tried.iter().map(|next| next.cost(stage, &points)).collect();
            let best = (0..tried.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b]));
            if let Some(best) = best.filter(|b| costs[*b] < self.cost(stage, &points)) {
                *self = tried.swap_remove(best);
            }
        }
    }

    fn model(stage: &Stage, level: f64) -> f64 {
        (0.5 - 0.5 * level / stage.ramp_mm).clamp(0.0, 1.0)
    }

    /// Each point stands for its part of the space, whatever the lattice.
    fn weight(stage: &Stage) -> f64 {
        (stage.lattice_mm / 3.0).powi(3) / (DEVIATION * DEVIATION)
    }

    fn cost(&self, stage: &Stage, points: &[(Vec3, f64)]) -> f64 {
        let sums: Vec<f64> = points
            .par_chunks(1024)
            .map(|chunk| {
                chunk
                    .iter()
                    .map(|(p, b)| (Self::model(stage, self.level_at(p)) - b).powi(2))
                    .sum()
            })
            .collect();
        let image = Self::weight(stage) * sums.into_iter().sum::<f64>();
        if stage.free == Free::Shape {
            image + self.unlikeliness()
        } else {
            image
        }
    }

    /// Sum of the squares of the shape's deviations from the mean, in units of their spread.
    pub(crate) fn unlikeliness(&self) -> f64 {
        let (own, mean) = (self.shape.to_vec(), self.mean.to_vec());
        own.iter()
            .zip(&mean)
            .zip(deviations())
            .map(|((a, b), d)| ((a - b) / d).powi(2))
            .sum()
    }

    /// The mean of the squares that [`Fitted::unlikeliness`] sums.
    pub(crate) fn unlike(&self) -> f64 {
        self.unlikeliness() / VertebraShape::LEN as f64
    }

    /// The vertebra moved up along its own axis, mm, and leant forward, degrees.
    pub(crate) fn displaced(&self, up_mm: f64, lean_deg: f64) -> Self {
        let mut next = self.clone();
        let way = self.frame.superior * up_mm;
        let turn = self.frame.left * lean_deg.to_radians();
        next.step(Free::Pose, &[way.x, way.y, way.z, turn.x, turn.y, turn.z]);
        next
    }

    /// The mean vertebra of this size in this place.
    pub(crate) fn with_mean_shape(&self) -> Self {
        Self {
            shape: self.mean,
            bone: Vertebra::new(&self.mean, self.kind),
            ..self.clone()
        }
    }

    /// Moves along the unknowns: displacement (mm), rotation (rad), then the stage's own.
    fn step(&mut self, free: Free, by: &[f64]) {
        self.frame.origin += Vec3::new(by[0], by[1], by[2]);
        let turn = Rotation3::new(Vec3::new(by[3], by[4], by[5]));
        self.frame.left = turn * self.frame.left;
        self.frame.posterior = turn * self.frame.posterior;
        self.frame.superior = self.frame.left.cross(&self.frame.posterior);
        match free {
            Free::Pose => {}
            Free::Size => self.resize(1.0 + by[6]),
            Free::Shape => {
                let numbers: Vec<f64> = self.shape.to_vec().iter().zip(&by[6..]).map(|(a, b)| a + b).collect();
                if let Some(shape) = VertebraShape::from_slice(&numbers) {
                    self.shape = shape;
                    self.bone = Vertebra::new(&shape, self.kind);
                }
            }
        }
    }

    /// Scales the shape and its mean.
    pub(crate) fn resize(&mut self, by: f64) {
        self.mean = self.mean.scaled(by);
        self.shape = self.shape.scaled(by);
        self.bone = Vertebra::new(&self.shape, self.kind);
    }

    fn normal_equations(&self, stage: &Stage, points: &[(Vec3, f64)]) -> (DMatrix<f64>, DVector<f64>) {
        let (middle, side) = (MiddleShape::NAMES.len(), SideShape::NAMES.len());
        let deviations = deviations();
        let numbers = self.shape.to_vec();
        let steps: Vec<f64> = deviations.iter().map(|d| 0.05 * d).collect();
        let changed: Vec<Vertebra> = match stage.free {
            Free::Pose => vec![],
            Free::Size => vec![Vertebra::new(&self.shape.scaled(1.01), self.kind)],
            Free::Shape => (0..numbers.len())
                .map(|i| {
                    let mut other = numbers.clone();
                    other[i] += steps[i];
                    Vertebra::new(&VertebraShape::from_slice(&other).unwrap_or(self.shape), self.kind)
                })
                .collect(),
        };
        // The lattice points near enough for a side's number to matter.
        let reach: Vec<Bounds> = [true, false]
            .into_iter()
            .flat_map(|left| (0..side).map(move |number| (left, number)))
            .map(|(left, number)| self.bone.reach_of(left, number, stage.ramp_mm))
            .collect();
        let n = 6 + changed.len();
        let partial: Vec<(DMatrix<f64>, DVector<f64>)> = points
            .par_chunks(1024)
            .map(|chunk| {
                let mut matrix = DMatrix::<f64>::zeros(n, n);
                let mut slope = DVector::<f64>::zeros(n);
                let mut row = vec![0.0; n];
                let mut used = Vec::with_capacity(n);
                for (p, b) in chunk {
                    let local = self.frame.to_local(p);
                    let level = self.bone.level(local.into());
                    if level.abs() >= stage.ramp_mm {
                        continue;
                    }
                    // The model's occupancy falls by this with the level.
                    let fall = -0.5 / stage.ramp_mm;
                    let mut gradient = Vec3::zeros();
                    for a in 0..3 {
                        let mut q = local;
                        q[a] += SLOPE_STEP_MM;
                        gradient[a] = (self.bone.level(q.into()) - level) / SLOPE_STEP_MM;
                    }
                    let world = self.frame.direction_to_patient(&gradient);
                    let arm = (p - self.frame.origin).cross(&world);
                    for a in 0..3 {
                        row[a] = -fall * world[a];
                        row[3 + a] = -fall * arm[a];
                    }
                    used.clear();
                    used.extend(0..6);
                    match stage.free {
                        Free::Pose => {}
                        Free::Size => {
                            row[6] = fall * (changed[0].level(local.into()) - level) / 0.01;
                            used.push(6);
                        }
                        Free::Shape => {
                            let own = if local.x >= 0.0 { middle } else { middle + side };
                            let beside = [local.x.abs(), local.y, local.z];
                            let near = |i: &usize| reach[i - middle].distance(beside) == 0.0;
                            for i in (0..middle).chain((own..own + side).filter(near)) {
                                let slope = (changed[i].level(local.into()) - level) / steps[i];
                                if slope != 0.0 {
                                    row[6 + i] = fall * slope;
                                    used.push(6 + i);
                                }
                            }
                        }
                    }
                    let miss = Self::model(stage, level) - b;
                    for (m, i) in used.iter().enumerate() {
                        slope[*i] -= row[*i] * miss;
                        for j in &used[..=m] {
                            matrix[(*i, *j)] += row[*i] * row[*j];
                        }
                    }
                }
                (matrix, slope)
            })
            .collect();
        let mut matrix = DMatrix::<f64>::zeros(n, n);
        let mut slope = DVector::<f64>::zeros(n);
        for (m, s) in &partial {
            matrix += m;
            slope += s;
        }
        let weight = Self::weight(stage);
        matrix *= weight;
        slope *= weight;
        for i in 0..n {
            for j in 0..i {
                // `used` is ascending, so the lower half holds all.
                matrix[(j, i)] = matrix[(i, j)];
            }
        }
        if stage.free == Free::Shape {
            let mean = self.mean.to_vec();
            for i in 0..numbers.len() {
                let w = 1.0 / (deviations[i] * deviations[i]);
                matrix[(6 + i, 6 + i)] += w;
                slope[6 + i] -= w * (numbers[i] - mean[i]);
            }
        }
        (matrix, slope)
    }

    /// The share of the places more than 2 mm inside the model where the image has bone; 0 where the image shows none of them.
    pub(crate) fn filled(&self, image: &dyn Occupancy) -> f64 {
        let stage = Stage {
            free: Free::Pose,
            ramp_mm: 30.0,
            lattice_mm: 3.0,
            steps: 0,
        };
        let (mut bone, mut all) = (0.0, 0.0);
        for (p, b) in self.points(&stage, image) {
            if self.level_at(&p) < -2.0 {
                all += 1.0;
                bone += f64::from(u8::from(b > 0.5));
            }
        }
        if all > 0.0 { bone / all } else { 0.0 }
    }

    /// Root mean square of the level of the model on the image's surface, mm, and how many points that are: how well they lie on each other.
    pub(crate) fn misfit_mm(&self, image: &dyn Occupancy, others: &[&Fitted]) -> (f64, usize) {
        let stage = Stage {
            free: Free::Pose,
            ramp_mm: 3.0,
            lattice_mm: 2.0,
            steps: 0,
        };
        let (mut sum, mut count) = (0.0, 0usize);
        for (p, b) in self.points(&stage, image) {
            if others.iter().any(|o| o.level_at(&p) < 1.0) {
                continue;
            }
            for axis in [Vec3::x(), Vec3::y(), Vec3::z()] {
                let q = p + axis * stage.lattice_mm;
                if let Some(c) = image.at(&q)
                    && (b - 0.5) * (c - 0.5) < 0.0
                {
                    let on = p + axis * (stage.lattice_mm * (0.5 - b) / (c - b));
                    sum += self.level_at(&on).powi(2);
                    count += 1;
                }
            }
        }
        ((sum / count.max(1) as f64).sqrt(), count)
    }
}
