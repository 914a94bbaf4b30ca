//! The best placements by the full solver.

use neurotome_base::{PatientPoint, Vec3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    PlanError,
    candidates::{Candidate, Site},
    fast_lesion::{FastError, FastLesion, Solved, coarse, lesion, one},
    lesion_shape::{AROUND, LesionShape, PLACES, Stem},
    objective::{Lesion, Objective, Outcome},
    pose::Pose,
    rank::in_place,
    settings::Family,
};
use crate::{
    anatomy::{Level, NerveKind, Patient, Side},
    lesion::{LesionProblem, NerveCurve, solve},
};

/// Nerves to be spared farther from the target are not reported, mm.
const NEAR_MM: f64 = 30.0;

/// What the full solver says of a placement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// The outcome of the same draws with the lesion of the full solver.
    pub outcome: Outcome,
    /// Destroyed length of the nerve as the solver itself measures it, mm.
    pub destroyed_mm: f64,
    /// Width of the lesion (mean of all directions round the needle), mm.
    pub width_mm: f64,
    /// Length of the lesion, mm.
    pub length_mm: f64,
    /// Volume, mm³.
    pub volume_mm3: f64,
    /// Nearest nerve to be spared and its distance from this lesion, mm.
    #[serde(default)]
    pub spared: Option<(String, f64)>,
    /// Highest temperature of each nerve to be spared, °C.
    pub spared_peak_c: Vec<(String, f64)>,
    /// Harm that the solver found: tissues to be spared with destroyed volume, mm³.
    pub harm_mm3: Vec<(String, f64)>,
    /// Impedance at the end of heating, Ω.
    pub impedance_ohm: f64,
    /// Root mean square of the fast model's error of reach at this placement, mm.
    pub fast_reach_rms_mm: f64,
}

/// How far from a target the branches beside it are followed, mm: farther than a lesion reaches.
const BRANCH_REACH_MM: f64 = 35.0;

/// The branches of a dorsal ramus that run on to skin and muscle beside its medial branch, as far as a lesion at `middle` reaches.
pub fn branches_beside(patient: &dyn Patient, nerve: Level, side: Side, middle: &Vec3) -> Vec<NerveCurve> {
    [NerveKind::LateralBranch, NerveKind::IntermediateBranch]
        .into_iter()
        .filter_map(|kind| patient.course(kind, nerve, side))
        .filter_map(|c| {
            let far = |p: &PatientPoint| (p.vec() - middle).norm() > BRANCH_REACH_MM;
            let kept = c.points.iter().position(far).unwrap_or(c.points.len());
            (kept >= 2).then(|| NerveCurve {
                name: c.name.clone(),
                points: c.points[..kept].to_vec(),
                diameter_mm: c.diameter_mm,
                target: false,
            })
        })
        .collect()
}

/// The nerves of a site for the solver: the target's and those to be spared.
pub(super) fn nerve_curves(patient: &dyn Patient, site: &Site) -> Vec<NerveCurve> {
    let near = |p: &PatientPoint| (p.vec() - site.middle).norm() < NEAR_MM;
    let of = |c: &crate::anatomy::Course, target: bool| NerveCurve {
        name: c.name.clone(),
        points: c.points.clone(),
        diameter_mm: c.diameter_mm,
        target,
    };
    let target = site.target.course(patient).ok();
    let spared = patient.courses().iter().filter(|c| {
        matches!(c.kind, NerveKind::Root | NerveKind::Ganglion | NerveKind::VentralRamus) && c.points.iter().any(near)
    });
    target
        .map(|c| of(c, true))
        .into_iter()
        .chain(spared.map(|c| of(c, false)))
        .collect()
}

/// The problem of a placement, ready for the full solver.
pub(super) fn problem(
    patient: &dyn Patient,
    template: &LesionProblem,
    site: &Site,
    family: &Family,
    candidate: &Candidate,
) -> LesionProblem {
    let needle = candidate.pose.needle(&family.devices[candidate.device].needle);
    let mut problem = one(template, needle);
    problem.nerves = nerve_curves(patient, site);
    problem
}

/// Solves placements in full, several at once, and judges them by the draws of the objective. Gives the lesions too.
pub(super) fn verify(
    patient: &dyn Patient,
    template: &LesionProblem,
    site: &Site,
    families: &[Family],
    objective: &Objective,
    placements: &[(&Candidate, &LesionShape)],
) -> Result<Vec<(Verified, LesionShape)>, PlanError> {
    placements
        .par_iter()
        .with_max_len(1)
        .map(|(candidate, fast)| {
            let mut problem = problem(patient, template, site, &families[candidate.family], candidate);
            problem.solver.estimate_error = false;
            let result = solve(&problem, &mut |_| true).map_err(PlanError::Lesion)?;
            let shape = LesionShape::read(&problem.needles[0], result.fields.as_ref());
            let placed = [in_place(candidate, &shape)];
            let outcome = objective.outcome(&placed);
            let nearest = objective
                .spared_mm(&placed)
                .into_iter()
                .min_by(|a, b| a.1.total_cmp(&b.1));
            let (width_mm, length_mm) = shape.width_and_length_mm();
            let last = result.snapshots.last();
            let spared = result.nerves.iter().zip(&problem.nerves).filter(|n| !n.1.target);
            Ok((
                Verified {
                    outcome,
                    spared: nearest.map(|(name, mm)| (name.to_owned(), mm)),
                    destroyed_mm: result.nerves.first().map_or(0.0, |n| n.destroyed_mm),
                    width_mm,
                    length_mm,
                    volume_mm3: last
                        .and_then(|s| s.contours.omega1.as_ref())
                        .map_or(0.0, |c| c.volume_mm3),
                    spared_peak_c: spared.map(|(n, _)| (n.name.clone(), n.peak_temperature_c)).collect(),
                    harm_mm3: result.harm().map(|t| (t.tissue.clone(), t.injured_mm3)).collect(),
                    impedance_ohm: last.map_or(0.0, |s| s.impedance_ohm),
                    fast_reach_rms_mm: difference(fast, &shape).rms(),
                },
                shape,
            ))
        })
        .collect()
}

/// Full solves on coarse cells at poses, several at once, in the order of the poses.
pub(super) fn solve_coarse(
    template: &LesionProblem,
    families: &[Family],
    poses: &[&Candidate],
) -> Result<Vec<Solved>, PlanError> {
    poses
        .par_iter()
        .with_max_len(1)
        .map(|c| {
            let needle = c.pose.needle(&families[c.family].devices[c.device].needle);
            lesion(&coarse(template, needle))
        })
        .collect()
}

/// Differences of reach, fast less full, mm.
pub(super) struct Difference(pub Vec<f64>);

impl Difference {
    pub fn rms(&self) -> f64 {
        (self.0.iter().map(|d| d * d).sum::<f64>() / self.0.len().max(1) as f64).sqrt()
    }
}

pub(super) fn difference(fast: &LesionShape, full: &LesionShape) -> Difference {
    let all = (0..PLACES * AROUND).map(|i| fast.at(i / AROUND, i % AROUND) - full.at(i / AROUND, i % AROUND));
    Difference(all.collect())
}

/// The fast model against full solves, each with the objective of its nerve.
pub(super) fn fast_error(
    patient: &dyn Patient,
    fast: &FastLesion,
    fitted: usize,
    held_out: &[(Solved, &Objective)],
) -> FastError {
    let (mut all, mut plain, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for (solved, objective) in held_out {
        let pose = Pose {
            tip_mm: solved.needle.tip,
            direction: solved.needle.direction,
        };
        let stem = Stem::of(&solved.needle);
        let shape = fast.shape(patient, &pose, stem);
        all.extend(difference(&shape, &solved.shape).0);
        plain.extend(difference(&fast.plain_shape(stem), &solved.shape).0);
        let length = |shape: &LesionShape| {
            objective.nominal_mm(&[Lesion {
                pose: &pose,
                shape,
                off_bone: Vec3::y(),
                clearance_mm: 0.0,
            }])
        };
        lengths.push(length(&shape) - length(&solved.shape));
    }
    let n = all.len().max(1) as f64;
    let reach_bias_mm = all.iter().sum::<f64>() / n;
    let mut sizes: Vec<f64> = all.iter().map(|d| d.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    FastError {
        fitted,
        held_out: held_out.len(),
        reach_bias_mm,
        reach_95_mm: sizes.get(sizes.len() * 95 / 100).copied().unwrap_or(0.0),
        reach_rms_mm: Difference(all).rms(),
        plain_reach_rms_mm: Difference(plain).rms(),
        destroyed_worst_mm: lengths.iter().fold(0.0, |w: f64, d| w.max(d.abs())),
        destroyed_rms_mm: Difference(lengths).rms(),
    }
}
