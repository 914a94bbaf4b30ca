//! A fast model of the lesion, fitted to the full solver in the same patient.
//!
//! In muscle alone a lesion has the same reach `R₀(place)` at every angle round the needle; one full solve of each size of needle gives it.
//! Beside other tissue the logarithm of the reach changes by a sum of features of the tissue along the ray and round the tip:
//!
//! ```text
//! ln (R / R₀) = Σ wᵢ xᵢ
//! ```
//!
//! The weights are the least squares (ridge) solution over all rays of full solves at poses of this patient, on coarse cells. Other
//! poses, which did not enter the fit, tell the error.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::tissue::TissueProperties;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    PlanError,
    lesion_shape::{AROUND, CAP, LesionShape, PLACES, SIDE, Stem},
    pose::Pose,
};
use crate::{
    anatomy::{Homogeneous, TissueField, TissueId},
    lesion::{Control, DomainShape, Drive, LesionProblem, Needle, solve},
};

/// Points at which a ray looks for tissue between metal and `R₀`, and beyond, as shares of the way from metal to `R₀`.
const WITHIN: [f64; 4] = [0.1, 0.35, 0.6, 0.85];
const BEYOND: [f64; 3] = [1.1, 1.4, 1.8];
/// Strength of the ridge, as a share of the mean square of each feature.
const RIDGE: f64 = 1e-2;
/// Logarithms of reach that the model may add at most.
const MOST_CHANGE: f64 = 0.7;

/// How a tissue differs from the one that the plain model is solved in.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Contrast {
    /// ln of the ratio of electrical conductivities.
    electric: f64,
    /// ln of the ratio of thermal conductivities.
    thermal: f64,
}

const FEATURES: usize = 22;

/// The model.
#[derive(Debug, Clone)]
pub struct FastLesion {
    contrasts: Vec<Contrast>,
    /// `R₀` of each size of needle, mm.
    plain: Vec<(Stem, Vec<f64>)>,
    weights: [f64; FEATURES],
}

/// How far the fast model is from the full solver, over poses that did not enter the fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct FastError {
    /// Full solves that the weights were fitted to.
    pub fitted: usize,
    /// Full solves that the errors are of.
    pub held_out: usize,
    /// Root mean square of the difference of reach, over all rays, mm.
    pub reach_rms_mm: f64,
    /// The same with the plain model alone, mm.
    pub plain_reach_rms_mm: f64,
    /// Mean difference of reach (fast less full), mm.
    pub reach_bias_mm: f64,
    /// 95 % of the differences of reach are smaller, mm.
    pub reach_95_mm: f64,
    /// Root mean square of the difference of the destroyed length of the nerve as planned, mm.
    pub destroyed_rms_mm: f64,
    /// Largest of those differences, mm.
    pub destroyed_worst_mm: f64,
}

/// A full solve with the lesion read off it.
#[derive(Debug, Clone)]
pub struct Solved {
    /// Which needle.
    pub needle: Needle,
    /// The lesion.
    pub shape: LesionShape,
}

impl FastLesion {
    /// The plain model of needles, each size by one full solve in one tissue, which is the reference of all contrasts.
    ///
    /// # Errors
    /// [`PlanError::Lesion`].
    pub fn plain(template: &LesionProblem, needles: &[Needle], reference: TissueId) -> Result<Self, PlanError> {
        let of = &template.tissues[usize::from(reference.0)];
        let contrasts = template.tissues.iter().map(|t| Contrast::new(t, of)).collect();
        let plain = needles
            .par_iter()
            .map(|needle| {
                let mut problem = coarse(template, needle.clone());
                problem.anatomy = std::sync::Arc::new(Homogeneous(reference));
                let shape = lesion(&problem)?.shape;
                let reach = (0..PLACES)
                    .map(|place| (0..AROUND).map(|a| shape.at(place, a)).sum::<f64>() / AROUND as f64)
                    .collect();
                Ok((Stem::of(needle), reach))
            })
            .collect::<Result<Vec<_>, PlanError>>()?;
        Ok(Self {
            contrasts,
            plain,
            weights: [0.0; FEATURES],
        })
    }

    /// Fits the weights to full solves.
    pub fn fit(&mut self, anatomy: &dyn TissueField, solved: &[Solved]) {
        // Sums in the order of the solves, whatever the number of threads.
        let sums: Vec<_> = solved.par_iter().map(|s| self.normal_equations(anatomy, s)).collect();
        let (mut matrix, mut right) = ([[0.0; FEATURES]; FEATURES], [0.0; FEATURES]);
        for (m, r) in sums {
            for i in 0..FEATURES {
                right[i] += r[i];
                for j in 0..FEATURES {
                    matrix[i][j] += m[i][j];
                }
            }
        }
        for i in 0..FEATURES {
            matrix[i][i] += RIDGE * matrix[i][i] + 1e-9;
        }
        self.weights = cholesky_solve(matrix, right);
    }

    fn normal_equations(
        &self,
        anatomy: &dyn TissueField,
        solved: &Solved,
    ) -> ([[f64; FEATURES]; FEATURES], [f64; FEATURES]) {
        let pose = Pose {
            tip_mm: solved.needle.tip,
            direction: solved.needle.direction,
        };
        let stem = Stem::of(&solved.needle);
        let plain = self.plain_reach(stem);
        let rays = Rays::look(anatomy, &self.contrasts, &pose, stem, plain);
        let (mut matrix, mut right) = ([[0.0; FEATURES]; FEATURES], [0.0; FEATURES]);
        for place in 0..PLACES {
            for around in 0..AROUND {
                let x = rays.features(place, around);
                let y = (solved.shape.at(place, around) / plain[place]).ln();
                for i in 0..FEATURES {
                    right[i] += x[i] * y;
                    for j in 0..FEATURES {
                        matrix[i][j] += x[i] * x[j];
                    }
                }
            }
        }
        (matrix, right)
    }

    fn plain_reach(&self, stem: Stem) -> &[f64] {
        let near = |s: &Stem| (s.radius_mm - stem.radius_mm).abs() + (s.active_tip_mm - stem.active_tip_mm).abs();
        let nearest = self.plain.iter().min_by(|a, b| near(&a.0).total_cmp(&near(&b.0)));
        nearest.map_or(&[], |(_, reach)| reach)
    }

    /// The lesion of a needle in a pose.
    pub fn shape(&self, anatomy: &dyn TissueField, pose: &Pose, stem: Stem) -> LesionShape {
        let plain = self.plain_reach(stem);
        let rays = Rays::look(anatomy, &self.contrasts, pose, stem, plain);
        LesionShape::new(stem, |place, around| {
            let x = rays.features(place, around);
            let change: f64 = x.iter().zip(&self.weights).map(|(x, w)| x * w).sum();
            (plain[place] * change.clamp(-MOST_CHANGE, MOST_CHANGE).exp()).max(stem.metal_mm(place))
        })
    }

    /// The lesion in the reference tissue alone.
    pub fn plain_shape(&self, stem: Stem) -> LesionShape {
        let plain = self.plain_reach(stem);
        LesionShape::new(stem, |place, _| plain[place])
    }
}

impl Contrast {
    fn new(tissue: &TissueProperties, reference: &TissueProperties) -> Self {
        // Air would outweigh everything else.
        let ratio = |a: f64, b: f64| (a.max(1e-9) / b.max(1e-9)).ln().clamp(-3.5, 2.0);
        Self {
            electric: ratio(tissue.sigma_s_per_m, reference.sigma_s_per_m),
            thermal: ratio(
                tissue.thermal_conductivity_w_per_m_k,
                reference.thermal_conductivity_w_per_m_k,
            ),
        }
    }
}

/// Tissue along the rays of a needle in a pose.
struct Rays {
    /// Mean contrast within and beyond the plain reach, [place][angle].
    within: Vec<Contrast>,
    beyond: Vec<Contrast>,
    /// Mean of `within` round the needle at each place, and its first two harmonics (cos, sin).
    ring: Vec<Contrast>,
    harmonics: Vec<[f64; 4]>,
    /// Mean over the sides of the tip.
    all: Contrast,
    /// Mean about the distal end, where the thermocouple is.
    end: Contrast,
}

impl Rays {
    fn look(anatomy: &dyn TissueField, contrasts: &[Contrast], pose: &Pose, stem: Stem, plain: &[f64]) -> Self {
        let axes = pose.axes();
        let mut within = vec![Contrast::default(); PLACES * AROUND];
        let mut beyond = within.clone();
        for place in 0..PLACES {
            let metal = stem.metal_mm(place);
            for around in 0..AROUND {
                let i = place * AROUND + around;
                if place == 0 && around > 0 {
                    (within[i], beyond[i]) = (within[0], beyond[0]);
                    continue;
                }
                let (start, ray) = stem.ray(place, around);
                let mean = |shares: &[f64]| {
                    let mut sum = Contrast::default();
                    for share in shares {
                        let p: Vec3 = start + ray * (metal + share * (plain[place] - metal));
                        let tissue = anatomy.tissue_at(&PatientPoint::from_vec(axes.patient(&p)));
                        let c = contrasts.get(usize::from(tissue.0)).copied().unwrap_or_default();
                        sum.electric += c.electric / shares.len() as f64;
                        sum.thermal += c.thermal / shares.len() as f64;
                    }
                    sum
                };
                (within[i], beyond[i]) = (mean(&WITHIN), mean(&BEYOND));
            }
        }
        let mean = |range: &[Contrast]| Contrast {
            electric: range.iter().map(|c| c.electric).sum::<f64>() / range.len() as f64,
            thermal: range.iter().map(|c| c.thermal).sum::<f64>() / range.len() as f64,
        };
        let ring = within.chunks(AROUND).map(mean).collect();
        let harmonics = within
            .chunks(AROUND)
            .map(|ring| {
                let mut h = [0.0; 4];
                for (around, c) in ring.iter().enumerate() {
                    let (sin, cos) = (std::f64::consts::TAU * around as f64 / AROUND as f64).sin_cos();
                    h[0] += c.electric * cos / AROUND as f64;
                    h[1] += c.electric * sin / AROUND as f64;
                    h[2] += c.thermal * cos / AROUND as f64;
                    h[3] += c.thermal * sin / AROUND as f64;
                }
                h
            })
            .collect();
        Self {
            all: mean(&within[CAP * AROUND..(CAP + SIDE + 1) * AROUND]),
            end: mean(&within[..(CAP + SIDE / 4) * AROUND]),
            within,
            beyond,
            ring,
            harmonics,
        }
    }

    fn features(&self, place: usize, around: usize) -> [f64; FEATURES] {
        let i = place * AROUND + around;
        let (a, b, ring) = (self.within[i], self.beyond[i], self.ring[place]);
        let (sin, cos) = (std::f64::consts::TAU * around as f64 / AROUND as f64).sin_cos();
        let h = self.harmonics[place];
        let towards = [h[0] * cos + h[1] * sin, h[2] * cos + h[3] * sin];
        let ahead = (1.0 - place as f64 / CAP as f64).max(0.0);
        let behind = ((place as f64 - (CAP + SIDE) as f64) / CAP as f64).max(0.0);
        let along = ((place as f64 - CAP as f64) / SIDE as f64).clamp(0.0, 1.0);
        [
            1.0,
            a.electric,
            a.thermal,
            b.electric,
            b.thermal,
            ring.electric,
            ring.thermal,
            self.all.electric,
            self.all.thermal,
            self.end.electric,
            self.end.thermal,
            towards[0],
            towards[1],
            a.electric * a.electric,
            self.all.electric * self.all.electric,
            self.end.electric * along,
            self.end.electric * self.end.electric,
            ahead,
            behind,
            ahead * self.all.electric,
            behind * self.all.electric,
            ring.electric * towards[0],
        ]
    }
}

/// Solves a symmetric positive definite system.
fn cholesky_solve<const N: usize>(mut a: [[f64; N]; N], mut b: [f64; N]) -> [f64; N] {
    for j in 0..N {
        for k in 0..j {
            for i in j..N {
                a[i][j] -= a[i][k] * a[j][k];
            }
        }
        let root = a[j][j].max(1e-300).sqrt();
        for i in j..N {
            a[i][j] /= root;
        }
    }
    for i in 0..N {
        for k in 0..i {
            b[i] -= a[i][k] * b[k];
        }
        b[i] /= a[i][i];
    }
    for i in (0..N).rev() {
        for k in i + 1..N {
            b[i] -= a[k][i] * b[k];
        }
        b[i] /= a[i][i];
    }
    b
}

/// Cells of the solves that the model is fitted to are so many times the usual size.
pub(super) const COARSE: f64 = 2.0;

/// The problem of one needle, on coarse cells and without anything that only a report needs.
pub(super) fn coarse(template: &LesionProblem, needle: Needle) -> LesionProblem {
    let mut problem = one(template, needle);
    problem.solver.cell_size *= COARSE;
    problem.solver.estimate_error = false;
    problem.nerves = Vec::new();
    problem.more_isotherms_c = Vec::new();
    problem.dose_contours_min = Vec::new();
    problem.more_injury = Vec::new();
    problem
}

/// The problem of one needle by itself.
pub(super) fn one(template: &LesionProblem, needle: Needle) -> LesionProblem {
    let mut problem = template.clone();
    problem.domain.center = needle.tip;
    if let DomainShape::Cylinder { .. } = problem.domain.shape {
        problem.domain.shape = DomainShape::Box { half_mm: [60.0; 3] };
    }
    if let Drive::Temperature { control, .. } = &mut problem.drive {
        *control = Control::First;
    }
    problem.needles = vec![needle];
    problem.probes = Vec::new();
    problem.output_times_s = Vec::new();
    problem.pad = None;
    problem
}

/// Solves a problem of one needle and reads the lesion off it.
pub(super) fn lesion(problem: &LesionProblem) -> Result<Solved, PlanError> {
    let result = solve(problem, &mut |_| true).map_err(PlanError::Lesion)?;
    let needle = problem.needles[0].clone();
    Ok(Solved {
        shape: LesionShape::read(&needle, result.fields.as_ref()),
        needle,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_solver_solves() {
        let (a, x) = ([[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 5.0]], [1.0, -2.0, 0.25]);
        let b = [0, 1, 2].map(|i: usize| (0..3).map(|j| a[i][j] * x[j]).sum::<f64>());
        let found = cholesky_solve(a, b);
        for i in 0..3 {
            assert!((found[i] - x[i]).abs() < 1e-12, "{found:?}");
        }
    }
}
