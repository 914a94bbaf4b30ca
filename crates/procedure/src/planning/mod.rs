//! Targets and plans: which nerves a joint has, and where needles should lie to destroy them.
//!
//! [`plan`] names the nerves ([`nerves`]), makes poses with the angles of the guidelines ([`candidates`]), leaves out those that pass what a
//! needle must not pass ([`constraints`]), ranks the others by the probability that enough of the nerve is destroyed ([`objective`],
//! [`rank`]) with a fast model of the lesion that is fitted to the full solver in this very patient ([`fast_lesion`]), solves the best in
//! full ([`verify`]) and tells what the choice hangs on ([`explain`]).
//!
//! All randomness is a function of the seed ([`random`]); the same request gives the same plan with any number of threads.

pub mod candidates;
pub mod constraints;
pub mod explain;
pub mod fast_lesion;
mod joint;
pub mod lesion_shape;
pub mod objective;
pub mod pose;
pub mod rank;
pub mod sequence;
mod settings;
#[cfg(test)]
pub(crate) mod testing;
pub mod verify;

use neurotome_base::{PatientPoint, geometry::distance_to_segment};
use serde::{Deserialize, Serialize};

pub use joint::{Joint, Target, nerves};
pub use pose::Pose;
pub use settings::{Device, Effort, PlanRequest};

use candidates::{Candidate, Candidates, Site};
use constraints::Reason;
use explain::ByDevice;
use fast_lesion::{FastError, FastLesion, Solved};
use lesion_shape::LesionShape;
use objective::{Objective, Outcome};
use pose::{Angles, angle_between_deg};
use rank::{Ranked, distinct};
use verify::Verified;
pub use verify::branches_beside;

use crate::{
    anatomy::{Patient, TissueId},
    catalog::Technique,
    lesion::{LesionError, LesionProblem, Needle},
};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The patient lacks a nerve or its stretch for a needle.
    #[error(
        "planning: the patient has no course of the {nerve} with a stretch for a needle (vertebrae: {levels}); choose another joint or \
         a patient that shows it"
    )]
    NoNerve {
        /// The nerve.
        nerve: String,
        /// The vertebrae that are there.
        levels: String,
    },
    /// No needle to choose from, or a count of zero.
    #[error("planning: {found}; expected {expected}; correct it")]
    Request {
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// No pose is admissible.
    #[error(
        "planning: of {tried} poses at the {nerve} none is admissible ({reasons}); allow longer or thinner cannulas or wider angles"
    )]
    NoPose {
        /// The nerve.
        nerve: String,
        /// Poses tried.
        tried: usize,
        /// Counts by reason.
        reasons: String,
    },
    /// A lesion was not solved.
    #[error(transparent)]
    Lesion(#[from] LesionError),
    /// The observer asked to stop.
    #[error("planning was interrupted; nothing was written")]
    Cancelled,
}

/// Where a plan stands.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanProgress {
    /// What is being done.
    pub stage: String,
    /// How much of it is done.
    pub done: usize,
    /// Of how much.
    pub of: usize,
}

/// A plan for a joint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The joint in words.
    pub joint: String,
    /// The side in words.
    pub side: String,
    /// Length of each nerve to be destroyed, mm.
    pub destroyed_mm: f64,
    /// How much was computed.
    pub effort: Effort,
    /// How far the fast model is from the full solver here.
    pub fast_error: FastError,
    /// The plan for each nerve.
    pub nerves: Vec<NervePlan>,
}

/// The plan for one nerve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NervePlan {
    /// The nerve in words.
    pub nerve: String,
    /// Where it is met, in words.
    pub place: String,
    /// The target.
    pub target: Target,
    /// Middle of its stretch for a needle, mm.
    pub target_mm: PatientPoint,
    /// The nerve's mean course, mm.
    pub course_mm: Vec<PatientPoint>,
    /// Diameter of the nerve, mm.
    pub diameter_mm: f64,
    /// Poses tried, and those ranked.
    pub tried: usize,
    /// Poses whose way is free and within reach.
    pub ranked: usize,
    /// Of these, poses whose lesion spares what it must.
    pub sparing: usize,
    /// Poses turned down, by reason.
    pub rejected: Vec<(Reason, usize)>,
    /// Where no pose spares what it must, or the full solver finds more harm than the fast model did, `best` begins with the one that does the
    /// least harm; this says how far it goes beyond the limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<String>,
    /// The best, solved in full, in the order of the full solver.
    pub best: Vec<Placement>,
    /// Lesions proposed: two where one is not enough and a second one helps.
    pub lesions: usize,
    /// What the choice hangs on, for each size of needle.
    pub by_device: Vec<ByDevice>,
}

/// A placement proposed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Name of the cannula in the catalogue: the shortest of its kind that reaches.
    pub device: String,
    /// The pose.
    pub pose: Pose,
    /// Where its axis meets the skin, mm.
    pub entry_mm: PatientPoint,
    /// From there to the distal end, mm.
    pub depth_mm: f64,
    /// Its angles against the vertebra.
    pub angles: Angles,
    /// Angle between needle and nerve, degrees.
    pub to_nerve_deg: f64,
    /// Between the axis of the active tip and the nerve's own, in the middle of the nerve's stretch, mm.
    pub axis_to_nerve_mm: f64,
    /// Between metal and bone along the active tip, mm.
    pub clearance_mm: f64,
    /// Nearest nerve to be spared and its distance from the lesion (fast model), mm.
    pub spared: Option<(String, f64)>,
    /// From the lesion to the skin, mm.
    pub skin_mm: f64,
    /// By the fast model.
    pub fast: Outcome,
    /// By the full solver.
    pub full: Option<Verified>,
}

/// Probability from which one lesion is enough, and what a second one must add.
const ENOUGH: f64 = 0.95;
const WORTH: f64 = 0.02;
/// How often the fast model may learn from lesions of the full solver that do more harm than it said, and how much each of them counts among
/// those that it was fitted to: they are where it matters.
const LESSONS: usize = 1;
const LESSON_WEIGHT: usize = 4;

/// Makes the plan; `observer` hears of its progress and stops it by returning false.
///
/// # Errors
/// [`PlanError`].
pub fn plan(request: &PlanRequest, observer: &mut dyn FnMut(&PlanProgress) -> bool) -> Result<Plan, PlanError> {
    let planner = Planner::new(request)?;
    let effort = &request.effort;
    let mut tell = |stage: &str, done: usize, of: usize| {
        observer(&PlanProgress {
            stage: stage.to_owned(),
            done,
            of,
        })
    };
    let mut found = planner.candidates(&mut tell)?;
    let (fast, solved, fast_error) = planner.fast_model(&found, &mut tell)?;
    let mut nerves = Vec::new();
    for (k, at) in planner.sites.iter().enumerate() {
        let poses = std::mem::take(&mut found[k].poses);
        nerves.push(planner.nerve(at, &fast, &solved, &found[k], &poses, &mut tell)?);
    }
    Ok(Plan {
        joint: request.joint.to_string(),
        side: request.side.to_string(),
        destroyed_mm: request.destroyed_mm,
        effort: *effort,
        fast_error,
        nerves,
    })
}

/// The problem of a proposed placement, ready for the full solver: for scenarios and pictures.
///
/// # Errors
/// As [`plan`].
pub fn placement_problem(
    request: &PlanRequest,
    nerve: &NervePlan,
    placement: &Placement,
) -> Result<LesionProblem, PlanError> {
    let device = request
        .devices
        .iter()
        .find(|d| d.name == placement.device)
        .ok_or_else(|| PlanError::Request {
            found: format!("the placement's cannula {} is not in the request", placement.device),
            expected: "one of the request's devices",
        })?;
    placed(
        &request.template,
        placement.pose.needle(&device.needle),
        &*request.patient,
        nerve.target,
    )
}

/// The problem of one needle at a nerve, with the nerves near it and the branches beside it: as `template` for all else.
///
/// # Errors
/// [`PlanError::NoNerve`].
pub fn placed(
    template: &LesionProblem,
    needle: Needle,
    patient: &dyn Patient,
    target: Target,
) -> Result<LesionProblem, PlanError> {
    let mut problem = fast_lesion::one(template, needle);
    let site = Site::new(patient, target)?;
    problem.nerves = verify::nerve_curves(patient, &site);
    problem
        .nerves
        .extend(branches_beside(patient, target.nerve, target.side, &site.middle));
    Ok(problem)
}

fn no_pose(target: Target, found: &Candidates) -> PlanError {
    let reasons: Vec<String> = Reason::ALL
        .iter()
        .zip(found.rejected)
        .filter(|r| r.1 > 0)
        .map(|(reason, n)| format!("{n} {}", reason.words()))
        .collect();
    PlanError::NoPose {
        nerve: target.name(),
        tried: found.tried,
        reasons: reasons.join(", "),
    }
}

/// How far the best placement goes beyond the limits of the technique, and what may be done about it.
fn beyond(best: &Placement, poses: usize, technique: &Technique) -> String {
    let (outcome, spared, by) = match &best.full {
        Some(v) => (&v.outcome, &v.spared, "the full solver"),
        None => (&best.fast, &best.spared, "the fast model"),
    };
    let near = spared.as_ref().map_or(String::new(), |(name, mm)| {
        format!(
            ", and as planned its lesion ends {mm:.1} mm from the {name} (at least {} mm is wanted)",
            technique.spare_nerve_mm.value
        )
    });
    format!(
        "of {poses} poses none that was found spares what it must; by {by} the lesion of the one that harms least touches a nerve in {:.1} % of the \
         draws (at most {:.1} % is wanted){near}; choose a shorter or thinner active tip, draw the needle back, or rely on the tests before heating",
        100.0 * outcome.harm,
        100.0 * technique.harm_fraction.value
    )
}

/// A nerve with the draws for it.
struct At {
    site: Site,
    objective: Objective,
}

struct Planner<'r> {
    request: &'r PlanRequest,
    families: Vec<settings::Family>,
    sites: Vec<At>,
    muscle: TissueId,
}

type Tell<'t> = &'t mut dyn FnMut(&str, usize, usize) -> bool;

impl<'r> Planner<'r> {
    fn new(request: &'r PlanRequest) -> Result<Self, PlanError> {
        let unusable = |found: String, expected| Err(PlanError::Request { found, expected });
        let effort = &request.effort;
        if request.devices.is_empty() {
            return unusable("no cannula".to_owned(), "at least one");
        }
        if !(request.destroyed_mm.is_finite() && request.destroyed_mm > 0.0 && request.destroyed_mm <= 50.0) {
            return unusable(
                format!("a length of {} mm", request.destroyed_mm),
                "above 0 and at most 50 mm",
            );
        }
        if effort.candidates == 0 || effort.draws == 0 || effort.fit_solves == 0 || effort.held_out_solves == 0 {
            return unusable(
                "a count of zero".to_owned(),
                "at least one candidate, draw, fitted and held-out solve",
            );
        }
        let Some(muscle) = request.template.tissue_names.iter().position(|n| n == "muscle") else {
            return unusable(
                "no tissue named muscle".to_owned(),
                "one, which the fast model starts from",
            );
        };
        let patient = &*request.patient;
        let sites = nerves(request.joint, request.side)?
            .into_iter()
            .map(|target| {
                let site = Site::new(patient, target)?;
                let objective = Objective::new(
                    patient,
                    &site,
                    &request.technique,
                    request.destroyed_mm,
                    effort.draws,
                    effort.seed,
                )?;
                Ok(At { site, objective })
            })
            .collect::<Result<Vec<_>, PlanError>>()?;
        Ok(Self {
            request,
            families: settings::families(&request.devices),
            sites,
            muscle: TissueId(muscle as u8),
        })
    }

    fn candidates(&self, tell: Tell) -> Result<Vec<Candidates>, PlanError> {
        let effort = &self.request.effort;
        self.sites
            .iter()
            .map(|at| {
                let stage = format!("poses, {}", at.site.target.name());
                let found = candidates::candidates(
                    &*self.request.patient,
                    &at.site,
                    &self.families,
                    &self.request.technique,
                    effort.candidates,
                    effort.seed,
                    &mut |done| tell(&stage, done, effort.candidates),
                )?;
                if found.poses.is_empty() {
                    return Err(no_pose(at.site.target, &found));
                }
                Ok(found)
            })
            .collect()
    }

    /// Fits the fast model to poses of all nerves, evenly picked, and measures its error on others.
    fn fast_model(&self, found: &[Candidates], tell: Tell) -> Result<(FastLesion, Vec<Solved>, FastError), PlanError> {
        let (request, effort) = (self.request, &self.request.effort);
        let patient = &*request.patient;
        let mut template = request.template.clone();
        template.anatomy = request.patient.clone();
        let needles: Vec<_> = self.families.iter().map(|f| f.devices[0].needle.clone()).collect();
        let of = effort.fit_solves + effort.held_out_solves;
        let stage = "fitting the fast model";
        if !tell(stage, 0, of) {
            return Err(PlanError::Cancelled);
        }
        let mut fast = FastLesion::plain(&template, &needles, self.muscle)?;
        let picked = |count: usize, phase: f64| -> Vec<(&Candidate, usize)> {
            (0..count)
                .map(|j| {
                    let k = j % found.len();
                    let poses = &found[k].poses;
                    let share = ((j / found.len()) as f64 + phase) / count.div_ceil(found.len()) as f64;
                    (&poses[((share * poses.len() as f64) as usize).min(poses.len() - 1)], k)
                })
                .collect()
        };
        let (fit, held_out) = (picked(effort.fit_solves, 0.25), picked(effort.held_out_solves, 0.6));
        let mut solved = Vec::with_capacity(of);
        let all: Vec<&Candidate> = fit.iter().chain(&held_out).map(|p| p.0).collect();
        for poses in all.chunks(4) {
            if !tell(stage, solved.len(), of) {
                return Err(PlanError::Cancelled);
            }
            solved.extend(verify::solve_coarse(&template, &self.families, poses)?);
        }
        let rest = solved.split_off(fit.len());
        fast.fit(patient, &solved);
        let rest: Vec<_> = rest
            .into_iter()
            .zip(&held_out)
            .map(|(s, (_, k))| (s, &self.sites[*k].objective))
            .collect();
        let error = verify::fast_error(patient, &fast, solved.len(), &rest);
        Ok((fast, solved, error))
    }

    /// The plan for one nerve. Where the full solver finds harm beyond the limits in what the fast model took for sparing, the fast model learns from
    /// these very lesions, and the poses are ranked again.
    fn nerve(
        &self,
        at: &At,
        fast: &FastLesion,
        solved: &[Solved],
        found: &Candidates,
        poses: &[Candidate],
        tell: Tell,
    ) -> Result<NervePlan, PlanError> {
        let (request, effort) = (self.request, &self.request.effort);
        let patient = &*request.patient;
        let name = at.site.target.name();
        let mut fast = fast.clone();
        let mut learned = solved.to_vec();
        let mut lessons = 0;
        loop {
            let mut found = Candidates {
                poses: Vec::new(),
                ..found.clone()
            };
            let stage = format!("ranking, {name}");
            let ranking = rank::rank(
                patient,
                &self.families,
                &fast,
                &at.objective,
                &request.technique,
                poses,
                &mut found.rejected,
                &mut |done| tell(&stage, done, poses.len()),
            )?;
            let sparing = ranking.sparing.len();
            let ranked = if sparing > 0 {
                ranking.sparing
            } else {
                rank::least_harmful(ranking.harmful, &request.technique)
            };
            if ranked.is_empty() {
                return Err(no_pose(at.site.target, &found));
            }
            if !tell(&format!("verifying, {name}"), 0, effort.verified) {
                return Err(PlanError::Cancelled);
            }
            let (plan, full) = self.nerve_plan(at, &fast, &found, [poses.len(), sparing], &ranked)?;
            if plan.beyond.is_none() || effort.verified == 0 || lessons == LESSONS {
                return Ok(plan);
            }
            for (candidate, shape) in full {
                let device = &self.families[candidate.family].devices[candidate.device];
                let lesson = Solved {
                    needle: candidate.pose.needle(&device.needle),
                    shape,
                };
                learned.extend(std::iter::repeat_n(lesson, LESSON_WEIGHT));
            }
            fast.fit(patient, &learned);
            lessons += 1;
        }
    }

    /// The plan from ranked poses, and the lesions of the full solver.
    fn nerve_plan(
        &self,
        at: &At,
        fast: &FastLesion,
        found: &Candidates,
        [poses, sparing]: [usize; 2],
        ranked: &[Ranked],
    ) -> Result<(NervePlan, Vec<(Candidate, LesionShape)>), PlanError> {
        let (request, effort, site) = (self.request, &self.request.effort, &at.site);
        let patient = &*request.patient;
        let mut template = request.template.clone();
        template.anatomy = request.patient.clone();
        let best = distinct(ranked.iter(), effort.verified.max(1));
        let each = explain::best_of_each(
            patient,
            site,
            &self.families,
            fast,
            &at.objective,
            &request.technique,
            ranked,
        );
        // In full: the best, and what the comparison of the thickest and the thinnest needle and of the best one needs.
        let mut wanted: Vec<&Ranked> = best.clone();
        let radius = |i: &usize| self.families[*i].stem.radius_mm;
        let by_radius = |a: &usize, b: &usize| radius(a).total_cmp(&radius(b));
        let thick = (0..self.families.len()).max_by(by_radius).unwrap_or(0);
        let thin = (0..self.families.len()).min_by(by_radius).unwrap_or(0);
        for b in &each {
            if b.family == thick || b.family == thin || b.family == best[0].candidate.family {
                wanted.extend(b.parallel);
                wanted.extend(b.perpendicular.as_ref());
                wanted.extend(b.second.as_ref().map(|s| s.0));
            }
        }
        let mut placements: Vec<(&Candidate, &LesionShape)> = Vec::new();
        for r in wanted {
            if effort.verified > 0 && placements.iter().all(|p| *p.0 != r.candidate) {
                placements.push((&r.candidate, &r.shape));
            }
        }
        let verified = verify::verify(patient, &template, site, &self.families, &at.objective, &placements)?;
        let full: Vec<(Candidate, LesionShape)> = placements
            .iter()
            .zip(&verified)
            .map(|(p, v)| (*p.0, v.1.clone()))
            .collect();
        let of = |c: &Candidate| placements.iter().position(|p| p.0 == c).map(|i| verified[i].0.clone());
        let mut proposed: Vec<Placement> = best.iter().map(|r| self.placement(site, r, of(&r.candidate))).collect();
        let by = |p: &Placement| p.full.as_ref().map_or(p.fast, |v| v.outcome);
        let technique = &request.technique;
        let within = |p: &Placement| {
            let near = p.full.as_ref().map_or(p.spared.as_ref(), |v| v.spared.as_ref());
            by(p).harm <= technique.harm_fraction.value && near.is_none_or(|s| s.1 >= technique.spare_nerve_mm.value)
        };
        proposed.sort_by(|a, b| match (within(a), within(b)) {
            (true, true) => rank::better(&by(a), &by(b)),
            // Beyond the limits harm goes first.
            (false, false) => by(a).harm.total_cmp(&by(b).harm).then(rank::better(&by(a), &by(b))),
            (a, b) => b.cmp(&a),
        });
        let beyond = (!within(&proposed[0])).then(|| beyond(&proposed[0], poses, technique));
        let by_device = explain::told(site, &self.families, fast, &at.objective, &each, &full);
        let chosen = &self.families[best[0].candidate.family].devices[0].name;
        let one = by(&proposed[0]).probability;
        let two = by_device
            .iter()
            .find(|b| b.device == *chosen)
            .and_then(|b| b.two.as_ref())
            .map_or(0.0, |two| two.full.unwrap_or(two.fast).probability);
        let course = site.target.course(patient)?;
        let plan = NervePlan {
            nerve: site.target.name(),
            place: site.target.place(),
            target: site.target,
            target_mm: PatientPoint::from_vec(site.middle),
            course_mm: course.points.clone(),
            diameter_mm: course.diameter_mm,
            tried: found.tried,
            ranked: poses,
            sparing,
            beyond,
            rejected: Reason::ALL
                .into_iter()
                .zip(found.rejected)
                .filter(|r| r.1 > 0)
                .collect(),
            lesions: if one < ENOUGH && two > one + WORTH { 2 } else { 1 },
            best: proposed,
            by_device,
        };
        Ok((plan, full))
    }

    fn placement(&self, site: &Site, r: &Ranked, full: Option<Verified>) -> Placement {
        let c = &r.candidate;
        let device = &self.families[c.family].devices[c.device];
        let along = c.pose.along();
        let (axis_to_nerve_mm, _) = distance_to_segment(
            &site.middle,
            &c.pose.tip_mm.vec(),
            &c.pose.at(device.needle.active_tip_mm),
        );
        Placement {
            device: device.name.clone(),
            pose: c.pose,
            entry_mm: c.path.entry_mm,
            depth_mm: c.path.depth_mm,
            angles: Angles::of(&along, &site.frame, site.target.side),
            to_nerve_deg: angle_between_deg(&along, &site.along),
            axis_to_nerve_mm,
            clearance_mm: c.clearance_mm,
            spared: r.spared.clone(),
            skin_mm: r.skin_mm,
            fast: r.outcome,
            full,
        }
    }
}

#[cfg(test)]
mod tests;
