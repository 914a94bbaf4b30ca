//! Admissible poses in the order of what they achieve.

use neurotome_base::{PatientPoint, Vec3};
use rayon::prelude::*;

use super::{
    PlanError,
    candidates::Candidate,
    constraints::Reason,
    fast_lesion::FastLesion,
    lesion_shape::LesionShape,
    objective::{Lesion, Objective, Outcome},
    pose::angle_between_deg,
    settings::Family,
};
use crate::{anatomy::Patient, catalog::Technique};

/// Poses that are less apart than this count as one when the best are told, mm and degrees.
const APART_MM: f64 = 1.0;
const APART_DEG: f64 = 4.0;
/// Poses ranked between two looks at the observer.
const BATCH: usize = 64;

/// A pose with its outcome by the fast model.
#[derive(Debug, Clone)]
pub struct Ranked {
    /// The pose.
    pub candidate: Candidate,
    /// Its lesion.
    pub shape: LesionShape,
    /// What it achieves.
    pub outcome: Outcome,
    /// The nearest nerve to be spared and its distance from the lesion, mm.
    pub spared: Option<(String, f64)>,
    /// From the lesion to the skin's deep surface, mm.
    pub skin_mm: f64,
}

impl Ranked {
    /// The lesion in its place.
    pub fn lesion(&self) -> Lesion<'_> {
        in_place(&self.candidate, &self.shape)
    }
}

/// A lesion of a pose.
pub(super) fn in_place<'a>(candidate: &'a Candidate, shape: &'a LesionShape) -> Lesion<'a> {
    Lesion {
        pose: &candidate.pose,
        shape,
        off_bone: candidate.off_bone,
        clearance_mm: candidate.clearance_mm,
    }
}

/// Thickness of skin where only its surface is known, mm: that taken in images.
const SKIN_MM: f64 = 2.0;

/// Judges one pose, whatever it harms.
pub(super) fn judged(patient: &dyn Patient, objective: &Objective, candidate: Candidate, shape: LesionShape) -> Ranked {
    let lesion = in_place(&candidate, &shape);
    let spared = objective
        .spared_mm(&[lesion])
        .into_iter()
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(name, mm)| (name.to_owned(), mm));
    let stem = shape.stem;
    let skin_mm = (0..=10)
        .map(|i| {
            let p = candidate.pose.at(stem.active_tip_mm * f64::from(i) / 10.0);
            patient.skin_depth_mm(&PatientPoint::from_vec(p))
        })
        .fold(f64::INFINITY, f64::min)
        - shape.farthest_mm()
        - SKIN_MM;
    Ranked {
        outcome: objective.outcome(&[lesion]),
        candidate,
        shape,
        spared,
        skin_mm,
    }
}

/// Why a pose's lesion is not admissible, if it is not.
fn harms(ranked: &Ranked, technique: &Technique) -> Option<Reason> {
    let near = ranked
        .spared
        .as_ref()
        .is_some_and(|s| s.1 < technique.spare_nerve_mm.value);
    if near || ranked.outcome.harm > technique.harm_fraction.value {
        return Some(Reason::SparedNerve);
    }
    (ranked.skin_mm < technique.spare_skin_mm.value).then_some(Reason::Skin)
}

/// Poses by what they do.
pub(super) struct Ranking {
    /// Those that spare what they must: by probability, then by the length that nearly all draws reach, then by the mean.
    pub sparing: Vec<Ranked>,
    /// Those that do not, in the order of their draw.
    pub harmful: Vec<Ranked>,
}

/// Of the best probability, a pose that is taken for its little harm must reach this share: what spares all nerves by missing its own is no
/// placement.
const STILL_USEFUL: f64 = 0.5;

/// Where no pose spares what it must: those that still destroy enough in at least half as many draws as the best of them, in the order of
/// the harm that they do, then of the distance that they keep.
pub(super) fn least_harmful(mut harmful: Vec<Ranked>, technique: &Technique) -> Vec<Ranked> {
    let most = harmful.iter().map(|r| r.outcome.probability).fold(0.0, f64::max);
    harmful.retain(|r| r.outcome.probability >= STILL_USEFUL * most && r.skin_mm >= technique.spare_skin_mm.value);
    let gap = |r: &Ranked| r.spared.as_ref().map_or(f64::INFINITY, |s| s.1);
    harmful.sort_by(|a, b| {
        let by_harm = a.outcome.harm.total_cmp(&b.outcome.harm);
        by_harm
            .then(gap(b).total_cmp(&gap(a)))
            .then(better(&a.outcome, &b.outcome))
            .then(a.candidate.index.cmp(&b.candidate.index))
    });
    harmful
}

/// Ranks poses. Those that do harm are counted in `rejected`.
pub(super) fn rank(
    patient: &dyn Patient,
    families: &[Family],
    fast: &FastLesion,
    objective: &Objective,
    technique: &Technique,
    poses: &[Candidate],
    rejected: &mut [usize; Reason::ALL.len()],
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<Ranking, PlanError> {
    let (mut sparing, mut harmful) = (Vec::with_capacity(poses.len()), Vec::new());
    for (batch, poses) in poses.chunks(BATCH).enumerate() {
        if !go_on(batch * BATCH) {
            return Err(PlanError::Cancelled);
        }
        let judged: Vec<_> = poses
            .par_iter()
            .map(|c| {
                let shape = fast.shape(patient, &c.pose, families[c.family].stem);
                judged(patient, objective, *c, shape)
            })
            .collect();
        for ranked in judged {
            match harms(&ranked, technique) {
                None => sparing.push(ranked),
                Some(reason) => {
                    rejected[reason as usize] += 1;
                    harmful.push(ranked);
                }
            }
        }
    }
    sparing.sort_by(|a, b| better(&a.outcome, &b.outcome).then(a.candidate.index.cmp(&b.candidate.index)));
    Ok(Ranking { sparing, harmful })
}

/// The better outcome comes first.
pub(super) fn better(a: &Outcome, b: &Outcome) -> std::cmp::Ordering {
    b.probability
        .total_cmp(&a.probability)
        .then(b.low_mm.total_cmp(&a.low_mm))
        .then(b.mean_mm.total_cmp(&a.mean_mm))
}

/// The first `count` that are not nearly the same pose.
pub(super) fn distinct<'r>(ranked: impl Iterator<Item = &'r Ranked>, count: usize) -> Vec<&'r Ranked> {
    let mut best: Vec<&Ranked> = Vec::new();
    for r in ranked {
        let other = |b: &&Ranked| {
            let (p, q) = (&b.candidate.pose, &r.candidate.pose);
            let apart: Vec3 = p.tip_mm.vec() - q.tip_mm.vec();
            apart.norm() >= APART_MM
                || angle_between_deg(&p.along(), &q.along()) >= APART_DEG
                || b.candidate.family != r.candidate.family
        };
        if best.iter().all(other) {
            best.push(r);
            if best.len() == count {
                break;
            }
        }
    }
    best
}
