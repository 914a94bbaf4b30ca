//! What a record is judged by: facts for the checklist, measures of the needle's way, and the lesion for a debriefing.

use super::{Case, SessionError, State, TestKind, ViewKind, problem_of};
use crate::{
    anatomy::NerveKind,
    debrief::{Change, thicknesses, usual_changes},
    lesion::LesionProblem,
    metrics::{Counts, Metrics, NerveCourse, TracePoint, path, to_nerve, to_plan},
    scoring::{ProcedureFacts, Score, score},
};

/// A nerve's part of a record, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The nerve.
    pub nerve: String,
    /// The facts.
    pub facts: ProcedureFacts,
    /// The checklist.
    pub score: Score,
    /// Measures of the needle's way and place; none where no needle was in.
    pub metrics: Option<Metrics>,
}

/// The facts of one nerve of the plan, by its number from 0.
pub fn facts(case: &Case, state: &State, target: usize) -> ProcedureFacts {
    let blocks = case.history.blocks_of_the_joint();
    let at = &state.targets[target.min(1)];
    let lesion = at.lesions.last();
    let metrics = metrics_of(case, state, target);
    let nerve = metrics.as_ref().and_then(|m| m.nerve);
    // What was seen of the needle where it lay when it heated.
    let heated_after = at.judged.as_ref().map(|j| j.needle_moves);
    let seen = |kind: ViewKind| {
        state.shots.iter().any(|s| {
            s.target == target
                && s.needle_moves.is_some()
                && (heated_after.is_none() || s.needle_moves >= heated_after)
                && s.arm.view.is_some_and(|v| ViewKind::of(v) == kind)
        })
    };
    let oblique = state.shots.iter().any(|s| {
        s.target == target
            && s.needle_moves.is_some()
            && s.arm.view.is_some_and(|v| ViewKind::of(v) == ViewKind::Oblique)
    });
    let weakest = |kind: TestKind, wanted: &dyn Fn(&super::Answered) -> bool| {
        let test = match kind {
            TestKind::Sensory => &at.sensory,
            TestKind::Motor => &at.motor,
        };
        let found = test.iter().flat_map(|t| &t.answers).filter(|a| wanted(a));
        found.map(|a| a.amplitude_v).min_by(f64::total_cmp)
    };
    let needle_was_in = state.path.iter().any(|p| p.2 == target);
    let technique = case.catalog.techniques.first();
    ProcedureFacts {
        eligible: state.assessed.as_ref().map(|a| a.1),
        blocks: Some(blocks.len() as u32),
        block_relief_percent: blocks.iter().map(|b| b.relief_percent).min_by(f64::total_cmp),
        consent: Some(state.ready.contains(&super::Preparation::Consent)),
        pad_checked: Some(state.ready.contains(&super::Preparation::Pad)),
        level_counted: Some(state.seen(ViewKind::Ap)),
        // The level is that of the nerve aimed at when its lesion destroyed any of it.
        level_right: lesion.map(|l| l.destroyed_mm > 0.0),
        ap_view: seen(ViewKind::Ap),
        oblique_view: oblique,
        lateral_view: seen(ViewKind::Lateral),
        parallel_deg: nerve.map(|n| n.parallel_deg),
        gap_mm: nerve.map(|n| n.gap_mm),
        alarms: needle_was_in.then_some(at.warnings.len() as u32),
        redirects: needle_was_in.then_some(at.redirects as u32),
        impedance_ohm: at.impedance_ohm,
        sensory_threshold_v: weakest(TestKind::Sensory, &|a| a.target && a.answer == "the known pain"),
        motor_tested_to_v: at.motor.as_ref().map(|t| t.up_to_v),
        leg_twitch: at.judged.as_ref().map(|j| j.leg_answers),
        multifidus_twitch: at.motor.as_ref().map(|t| t.answers.iter().any(|a| a.target)),
        anaesthetic_ml: at.anaesthetic.as_ref().map(|a| a.injected.volume_ml),
        anaesthetic_wait_s: at
            .anaesthetic
            .as_ref()
            .and_then(|a| Some((at.heated_at_s? - a.end_s).max(0.0))),
        heated: lesion.is_some(),
        set_temperature_c: lesion.map(|l| l.set_c),
        held_s: lesion.map(|l| l.held_s),
        destroyed_mm: lesion.map(|_| at.lesions.iter().map(|l| l.destroyed_mm).fold(0.0, f64::max)),
        asked_mm: technique.map(|t| t.destroyed_mm.value),
        harmed: lesion.map(|_| harmed(state, target)),
        dose_noted: Some(true),
        skin_after: lesion.map(|_| state.skin_seen),
    }
}

/// What the lesions of a nerve harmed, in words.
fn harmed(state: &State, target: usize) -> Vec<String> {
    let mut all = Vec::new();
    for harm in state.targets[target.min(1)]
        .lesions
        .iter()
        .map(|l| &l.harm)
        .filter(|h| h.harmful)
    {
        // A branch to the back's muscles is no harm, as in `Harm::harmful`.
        let spared = harm.nerves.iter().filter(|n| n.kind != NerveKind::IntermediateBranch);
        let nerves = spared.filter(|n| n.cut_fraction[1] > 0.0);
        all.extend(nerves.map(|n| n.nerve.clone()));
        all.extend(harm.skin.iter().filter(|s| s.burnt).map(|_| "skin".to_owned()));
    }
    all
}

/// Measures of the needle's way to a nerve and of where it lay last; none where no needle was in.
pub fn metrics_of(case: &Case, state: &State, target: usize) -> Option<Metrics> {
    let trace: Vec<TracePoint> = state
        .path
        .iter()
        .filter(|p| p.2 == target)
        .map(|p| TracePoint {
            t_s: p.0,
            tip_mm: super::point(p.1),
        })
        .collect();
    if trace.is_empty() {
        return None;
    }
    let at = &state.targets[target.min(1)];
    let here = (state.target == target).then_some(state.needle.as_ref()).flatten();
    let needle = here.or(at.needles.last());
    let shots = state.shots.iter().filter(|s| s.target == target);
    let sum = |of: &dyn Fn(&crate::fluoroscopy::Dose) -> f64| shots.clone().map(|s| of(&s.dose)).sum::<f64>();
    let counts = Counts {
        redirects: at.redirects as u32,
        entries: 1,
        bone_contacts: at.bone_contacts as u32,
        alarms: at.warnings.len() as u32,
        images: sum(&|d| d.frames as f64) as u32,
        fluoroscopy_s: sum(&|d| d.screening_s),
        air_kerma_mgy: sum(&|d| d.air_kerma_mgy),
        ..Counts::default()
    };
    let course = case
        .targets()
        .ok()
        .and_then(|t| t[target.min(1)].course(&*case.patient).ok().cloned());
    let nerve = needle.zip(course.as_ref()).and_then(|(needle, course)| {
        let device = case.device(&needle.cannula)?;
        let nerve = NerveCourse {
            points: &course.points,
            diameter_mm: course.diameter_mm,
        };
        let sizes = &device.needle;
        to_nerve(&needle.pose(), sizes.active_tip_mm, sizes.outer_diameter_mm, &nerve)
    });
    let plan = needle
        .zip(state.plan.get(target))
        .map(|(needle, planned)| to_plan(&needle.pose(), &planned.pose));
    Some(Metrics {
        path: path(&trace),
        counts,
        nerve,
        plan,
    })
}

/// Every nerve of the plan, judged by the catalogue's guideline.
pub fn judge(case: &Case, state: &State) -> Vec<Judgement> {
    let names = case.targets().map(|t| t.map(|t| t.name())).unwrap_or_default();
    names
        .into_iter()
        .enumerate()
        .map(|(k, nerve)| {
            let facts = facts(case, state, k);
            Judgement {
                nerve,
                score: score(&case.catalog.guidelines, &facts),
                metrics: metrics_of(case, state, k),
                facts,
            }
        })
        .collect()
}

/// The last lesion of a nerve as a problem: what a debriefing changes. None where it has none.
///
/// # Errors
/// As for any needle in the patient.
pub fn debriefing(case: &Case, state: &State, target: usize) -> Result<Option<LesionProblem>, SessionError> {
    let at = &state.targets[target.min(1)];
    let (Some(needle), Some(lesion)) = (at.needles.last(), at.lesions.last()) else {
        return Ok(None);
    };
    let aimed = State {
        target,
        ..State::default()
    };
    let mut problem = problem_of(case, &aimed, needle)?;
    let ramp_s = (lesion.heated_s - lesion.held_s).max(0.0);
    problem.drive = super::program::drive(lesion.set_c, ramp_s, lesion.program.as_deref());
    problem.heating_s = lesion.heated_s;
    Ok(Some(problem))
}

/// The usual changes of a debriefing.
pub fn usual_debriefing(case: &Case, problem: &LesionProblem) -> Vec<Change> {
    usual_changes(problem, &thicknesses(&case.catalog))
}
