//! What the choice hangs on, in numbers: along the nerve or across it, thick needle or thin, one lesion or two.

use neurotome_base::{Vec3, geometry::perpendicular_pair};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    candidates::{Candidate, Site, admissible},
    fast_lesion::FastLesion,
    lesion_shape::LesionShape,
    objective::{Lesion, Objective, Outcome},
    pose::{Pose, angle_between_deg},
    rank::{Ranked, better, distinct, in_place, judged},
    settings::Family,
};
use crate::{anatomy::Patient, catalog::Technique};

/// Directions across the nerve that are tried, and places along it, mm.
const ACROSS_DIRECTIONS: usize = 36;
const ACROSS_PLACES_MM: [f64; 5] = [-4.0, -2.0, 0.0, 2.0, 4.0];
/// How far off square to the nerve a needle across it may be where bone bars the way, degrees: as little as needed.
const OFF_SQUARE_DEG: [f64; 7] = [0.0, 10.0, -10.0, 20.0, -20.0, 30.0, -30.0];
/// A needle that is put on the nerve across it may have to draw back so far to come clear of bone, mm.
const DRAW_BACK_MM: f64 = 6.0;
/// Placements that a second lesion is chosen from.
const SECONDS: usize = 60;

/// A placement that is compared with others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The pose.
    pub pose: Pose,
    /// Angle between needle and nerve, degrees.
    pub to_nerve_deg: f64,
    /// By the fast model.
    pub fast: Outcome,
    /// By the full solver, where it was asked.
    pub full: Option<Outcome>,
}

/// What one size of needle achieves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ByDevice {
    /// Name in the catalogue.
    pub device: String,
    /// Outer diameter, mm.
    pub outer_diameter_mm: f64,
    /// Active tip, mm.
    pub active_tip_mm: f64,
    /// Width and length of its lesion in muscle alone, mm.
    pub plain_width_mm: f64,
    /// See `plain_width_mm`.
    pub plain_length_mm: f64,
    /// Its best placement along the nerve.
    pub parallel: Option<Compared>,
    /// Its best placement across the nerve, as square to it as bone allows, the tip on it, whatever it harms.
    pub perpendicular: Option<Compared>,
    /// The best placement along the nerve with the best second one; the pose is that of the second.
    pub two: Option<Compared>,
}

/// The best of each size of needle, before any is solved in full.
pub(super) struct Best<'r> {
    pub family: usize,
    pub parallel: Option<&'r Ranked>,
    pub perpendicular: Option<Ranked>,
    pub second: Option<(&'r Ranked, Outcome)>,
}

pub(super) fn best_of_each<'r>(
    patient: &dyn Patient,
    site: &Site,
    families: &[Family],
    fast: &FastLesion,
    objective: &Objective,
    technique: &Technique,
    ranked: &'r [Ranked],
) -> Vec<Best<'r>> {
    (0..families.len())
        .map(|family| {
            let parallel = ranked.iter().find(|r| r.candidate.family == family);
            Best {
                family,
                parallel,
                perpendicular: perpendicular(patient, site, families, fast, objective, technique, family),
                second: parallel.and_then(|first| second(objective, first, ranked)),
            }
        })
        .collect()
}

/// The best needle across the nerve, as square to it as bone allows: its tip put on the nerve, drawn back until clear of bone.
fn perpendicular(
    patient: &dyn Patient,
    site: &Site,
    families: &[Family],
    fast: &FastLesion,
    objective: &Objective,
    technique: &Technique,
    family: usize,
) -> Option<Ranked> {
    let stem = families[family].stem;
    let (a, b) = perpendicular_pair(&site.along);
    let best_at = |off_square_deg: f64| {
        let (sin, cos) = off_square_deg.to_radians().sin_cos();
        let mut all: Vec<Ranked> = (0..ACROSS_DIRECTIONS * ACROSS_PLACES_MM.len())
            .into_par_iter()
            .filter_map(|i| {
                let turn = std::f64::consts::TAU * (i % ACROSS_DIRECTIONS) as f64 / ACROSS_DIRECTIONS as f64;
                let direction: Vec3 = (a * turn.cos() + b * turn.sin()) * cos + site.along * sin;
                if direction.dot(&site.frame.posterior) > -0.2 {
                    return None;
                }
                let tip = site.middle + site.along * ACROSS_PLACES_MM[i / ACROSS_DIRECTIONS];
                let mut back = 0.0;
                while back <= DRAW_BACK_MM {
                    let pose = Pose::with_middle(
                        &(tip - direction * (back + 0.5 * stem.active_tip_mm)),
                        &direction,
                        stem.active_tip_mm,
                    );
                    if let Ok(candidate) = admissible(patient, families, technique, i, family, pose) {
                        let shape = fast.shape(patient, &candidate.pose, stem);
                        return Some(judged(patient, objective, candidate, shape));
                    }
                    back += 0.25;
                }
                None
            })
            .collect();
        all.sort_by(|a, b| better(&a.outcome, &b.outcome).then(a.candidate.index.cmp(&b.candidate.index)));
        (!all.is_empty()).then(|| all.swap_remove(0))
    };
    OFF_SQUARE_DEG.into_iter().find_map(best_at)
}

/// The placement of the same needle that adds most to a first one.
fn second<'r>(objective: &Objective, first: &Ranked, ranked: &'r [Ranked]) -> Option<(&'r Ranked, Outcome)> {
    let same = ranked.iter().filter(|r| r.candidate.family == first.candidate.family);
    distinct(same, SECONDS)
        .into_par_iter()
        .map(|r| (r, objective.outcome(&[first.lesion(), r.lesion()])))
        .collect::<Vec<_>>()
        .into_iter()
        .min_by(|a, b| better(&a.1, &b.1).then(a.0.candidate.index.cmp(&b.0.candidate.index)))
}

/// The comparison in numbers; `full` holds the lesions of the full solver by candidate, where it was asked.
pub(super) fn told(
    site: &Site,
    families: &[Family],
    fast: &FastLesion,
    objective: &Objective,
    best: &[Best],
    full: &[(Candidate, LesionShape)],
) -> Vec<ByDevice> {
    let solved = |c: &Candidate| full.iter().find(|f| f.0 == *c).map(|f| &f.1);
    best.iter()
        .map(|b| {
            let family = &families[b.family];
            let compared = |r: &Ranked| Compared {
                pose: r.candidate.pose,
                to_nerve_deg: angle_between_deg(&r.candidate.pose.along(), &site.along),
                fast: r.outcome,
                full: solved(&r.candidate).map(|shape| objective.outcome(&[in_place(&r.candidate, shape)])),
            };
            let (plain_width_mm, plain_length_mm) = fast.plain_shape(family.stem).width_and_length_mm();
            let two = b.parallel.zip(b.second.as_ref()).map(|(first, (second, outcome))| {
                let both = solved(&first.candidate).zip(solved(&second.candidate));
                Compared {
                    fast: *outcome,
                    full: both.map(|(f, s)| {
                        let lesions: [Lesion; 2] = [in_place(&first.candidate, f), in_place(&second.candidate, s)];
                        objective.outcome(&lesions)
                    }),
                    ..compared(second)
                }
            });
            ByDevice {
                device: family.devices[0].name.clone(),
                outer_diameter_mm: 2.0 * family.stem.radius_mm,
                active_tip_mm: family.stem.active_tip_mm,
                plain_width_mm,
                plain_length_mm,
                parallel: b.parallel.map(compared),
                perpendicular: b.perpendicular.as_ref().map(compared),
                two,
            }
        })
        .collect()
}
