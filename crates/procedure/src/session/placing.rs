//! Assessment, plan, marks, and the needle on its way.

use neurotome_base::{PatientPoint, Vec3};

use super::{
    Case, Criterion, Done, Event, Felt, NeedleNow, PlannedNeedle, SessionError, State, Watch, impossible, needle_in,
    point, target_of, within,
};
use crate::{
    anatomy::{KeepOut, NerveKind},
    assessment::{self, Verdict},
    catalog::find,
    planning::{self, PlanError, PlanRequest, constraints},
};

/// Technique of the plan.
const TECHNIQUE: &str = "lumbar_parallel";
/// The needle is followed in such steps, mm.
const STEP_MM: f64 = 0.25;
/// Longest single movement, mm.
const LONGEST_MM: f64 = 150.0;
/// A rounded end that meets bone by less than this slides along it, mm; else bone stops the needle.
const GRAZE_MM: f64 = 0.3;
/// A nerve is felt when the metal comes so near to its surface, mm.
const TOUCH_MM: f64 = 0.5;
/// Deeper than this a shaft can no longer be aimed elsewhere without drawing it back, mm.
const STEERABLE_MM: f64 = 30.0;

pub(super) fn assess(case: &Case) -> Result<Done, SessionError> {
    let judged = assessment::assess(&case.catalog, &case.history)
        .ok_or_else(|| impossible("assess", "the catalogue has no [[selection]]", "add one"))?;
    let criteria = judged
        .findings
        .iter()
        .map(|f| Criterion {
            criterion: f.criterion.to_owned(),
            state: f.state.word().to_owned(),
            found: f.found.clone(),
            expected: f.expected.clone(),
            advice: f.advice.clone(),
        })
        .collect();
    Ok(Done::at_once(vec![Event::Assessed {
        verdict: judged.verdict.to_string(),
        eligible: matches!(judged.verdict, Verdict::Eligible | Verdict::EligibleWithPlanning),
        criteria,
    }]))
}

pub(super) fn plan(case: &Case, watch: Watch<'_>) -> Result<Done, SessionError> {
    let technique = find(&case.catalog.techniques, TECHNIQUE)
        .ok_or_else(|| {
            impossible(
                "plan",
                format!("the catalogue has no technique \"{TECHNIQUE}\""),
                "add it",
            )
        })?
        .clone();
    let request = PlanRequest {
        patient: case.patient.clone(),
        template: case.template.clone(),
        devices: case.devices.clone(),
        joint: case.joint,
        side: case.side,
        destroyed_mm: technique.destroyed_mm.value,
        technique,
        effort: case.effort,
    };
    let plan = planning::plan(&request, &mut |p| {
        watch(&format!("plan: {} ({} of {})", p.stage, p.done, p.of))
    })
    .map_err(|e| match e {
        PlanError::Cancelled => SessionError::Cancelled,
        e => e.into(),
    })?;
    let mut needles = Vec::new();
    for nerve in &plan.nerves {
        let Some(best) = nerve.best.first() else { continue };
        needles.push(PlannedNeedle {
            target: nerve.target,
            nerve: nerve.nerve.clone(),
            place: nerve.place.clone(),
            cannula: best.device.clone(),
            pose: best.pose,
            entry_mm: best.entry_mm.xyz,
            depth_mm: best.depth_mm,
            to_nerve_deg: best.to_nerve_deg,
            probability: best.full.as_ref().map_or(best.fast, |f| f.outcome).probability,
            spared_mm: best.spared.as_ref().map(|s| s.1),
        });
    }
    Ok(Done::at_once(vec![Event::Planned { needles }]))
}

pub(super) fn mark(case: &Case, state: &State, entry_mm: Option<[f64; 3]>) -> Result<Done, SessionError> {
    let planned = state.planned().map(|p| p.entry_mm);
    let at = entry_mm.or(planned).ok_or_else(|| {
        impossible(
            "mark",
            "there is no plan that says where",
            "`plan`, or give a place: mark X,Y,Z",
        )
    })?;
    let depth = case.patient.skin_depth_mm(&point(at));
    within("the mark's depth below the skin", depth, -5.0, 5.0, "mm")?;
    let off_plan_mm = planned.map(|p| (Vec3::from(p) - Vec3::from(at)).norm());
    Ok(Done::at_once(vec![Event::Marked {
        entry_mm: at,
        off_plan_mm,
    }]))
}

pub(super) fn enter(
    case: &Case,
    state: &State,
    cannula: Option<&str>,
    towards_mm: Option<[f64; 3]>,
) -> Result<Done, SessionError> {
    if state.needle.is_some() {
        return Err(impossible("enter", "a needle is in already", "`remove` it first"));
    }
    let planned = state.planned();
    let cannula = cannula
        .or(planned.map(|p| p.cannula.as_str()))
        .or(case.devices.first().map(|d| d.name.as_str()))
        .unwrap_or_default();
    if case.device(cannula).is_none() {
        let known: Vec<&str> = case.devices.iter().map(|d| d.name.as_str()).collect();
        return Err(impossible(
            "enter",
            format!("there is no cannula \"{cannula}\" at hand"),
            format!("take one of {}", known.join(", ")),
        ));
    }
    let entry = state
        .at_target()
        .marked_mm
        .or(planned.map(|p| p.entry_mm))
        .ok_or_else(|| impossible("enter", "the skin is not marked", "`mark` it"))?;
    let aim = towards_mm
        .or(planned.map(|p| p.pose.tip_mm.xyz))
        .ok_or_else(|| impossible("enter", "nothing says where to", "`plan`, or enter towards X,Y,Z"))?;
    let direction = (Vec3::from(aim) - Vec3::from(entry))
        .try_normalize(1.0)
        .ok_or_else(|| impossible("enter", "the aim lies at the mark", "aim at a deeper point"))?;
    let mut needle = NeedleNow {
        cannula: cannula.to_owned(),
        entry_mm: entry,
        tip_mm: entry,
        direction: direction.into(),
        depth_mm: 0.0,
        turned_deg: 0.0,
    };
    let mut events = push(case, state, &mut needle, 5.0)?;
    if state.at_target().skin.is_none() {
        events.push(Event::Pain {
            from: "the needle through skin that is not numb".to_owned(),
        });
    }
    Ok(Done::at_once(events))
}

pub(super) fn advance(case: &Case, state: &State, mm: f64) -> Result<Done, SessionError> {
    within("the way", mm, 0.1, LONGEST_MM, "mm")?;
    let mut needle = needle_in(state, "advance")?.clone();
    Ok(Done::at_once(push(case, state, &mut needle, mm)?))
}

pub(super) fn withdraw(case: &Case, state: &State, mm: f64) -> Result<Done, SessionError> {
    within("the way", mm, 0.1, LONGEST_MM, "mm")?;
    let mut needle = needle_in(state, "withdraw")?.clone();
    let _ = case;
    if mm >= needle.depth_mm {
        return Ok(Done::at_once(vec![Event::NeedleRemoved]));
    }
    needle.depth_mm -= mm;
    needle.tip_mm = (Vec3::from(needle.tip_mm) - needle.along() * mm).into();
    Ok(Done::at_once(vec![Event::NeedleMoved { needle }]))
}

pub(super) fn turn(state: &State, deg: f64) -> Result<Done, SessionError> {
    within("the turn", deg, -360.0, 360.0, "degrees")?;
    let mut needle = needle_in(state, "turn")?.clone();
    needle.turned_deg = (needle.turned_deg + deg).rem_euclid(360.0);
    Ok(Done::at_once(vec![Event::NeedleMoved { needle }]))
}

/// Aims elsewhere: the shaft turns about its place in the skin. A deep needle holds on to its way.
pub(super) fn steer(case: &Case, state: &State, towards_mm: [f64; 3]) -> Result<Done, SessionError> {
    let mut needle = needle_in(state, "steer")?.clone();
    if needle.depth_mm > STEERABLE_MM {
        return Err(impossible(
            "steer",
            format!(
                "the tip is {:.0} mm deep and the tissue holds the shaft",
                needle.depth_mm
            ),
            format!("`withdraw` it to {STEERABLE_MM} mm first"),
        ));
    }
    let direction = (Vec3::from(towards_mm) - Vec3::from(needle.entry_mm))
        .try_normalize(1.0)
        .ok_or_else(|| impossible("steer", "the aim lies at the skin", "aim at a deeper point"))?;
    needle.direction = direction.into();
    let depth = std::mem::replace(&mut needle.depth_mm, 0.0);
    needle.tip_mm = needle.entry_mm;
    Ok(Done::at_once(push(case, state, &mut needle, depth)?))
}

pub(super) fn remove(state: &State) -> Result<Done, SessionError> {
    needle_in(state, "remove")?;
    Ok(Done::at_once(vec![Event::NeedleRemoved]))
}

pub(super) fn next(state: &State, target: Option<usize>) -> Result<Done, SessionError> {
    if state.needle.is_some() {
        return Err(impossible("next", "a needle is in the patient", "`remove` it first"));
    }
    let index = match target {
        Some(n @ 1..=2) => n - 1,
        Some(n) => {
            return Err(SessionError::Range {
                what: "the target",
                found: n as f64,
                expected: "1 or 2".to_owned(),
            });
        }
        None => state
            .targets
            .iter()
            .position(|t| t.lesions.is_empty())
            .ok_or_else(|| impossible("next", "every nerve has its lesion", "`finish`"))?,
    };
    Ok(Done::at_once(vec![Event::TargetChosen { index }]))
}

/// Pushes a needle on along its shaft until it is where it should be, or bone stops it.
fn push(case: &Case, state: &State, needle: &mut NeedleNow, mm: f64) -> Result<Vec<Event>, SessionError> {
    let device = case
        .device(&needle.cannula)
        .ok_or_else(|| impossible("advance", "the cannula is not at hand", "take another one"))?;
    let radius = 0.5 * device.needle.outer_diameter_mm;
    let room = device.needle.length_mm - needle.depth_mm;
    if room < 0.1 {
        return Err(impossible(
            "advance",
            format!(
                "the cannula is {:.0} mm long and in to its hub",
                device.needle.length_mm
            ),
            "take a longer one",
        ));
    }
    let along = needle.along();
    let start = Vec3::from(needle.tip_mm);
    let own = target_of(case, state)?.name();
    let mut felt: Vec<Felt> = Vec::new();
    let mut gone = 0.0;
    let goal = mm.min(room);
    while gone < goal - 1e-9 {
        let step = STEP_MM.min(goal - gone);
        let tip = start + along * (gone + step);
        let p = PatientPoint::from_vec(tip);
        let depth_mm = needle.depth_mm + gone + step;
        if case
            .patient
            .bone_level_mm(&PatientPoint::from_vec(tip - along * radius))
            < radius - GRAZE_MM
        {
            felt.push(Felt {
                depth_mm,
                what: "bone stops the needle".to_owned(),
                warning: false,
                bone: true,
            });
            break;
        }
        let mut say = |what: String| {
            if !felt.iter().any(|f| f.what == what) {
                felt.push(Felt {
                    depth_mm,
                    what,
                    warning: true,
                    bone: false,
                });
            }
        };
        match case.patient.keep_out(&p) {
            Some(KeepOut::Canal) => say("the spinal canal: clear fluid drops from the needle".to_owned()),
            Some(KeepOut::Vessel) => say("a vessel: blood in the hub".to_owned()),
            Some(KeepOut::Foramen) => say("the foramen: no bone where it should be".to_owned()),
            Some(KeepOut::Air) | None => {}
        }
        for course in case.patient.courses() {
            let feels = matches!(
                course.kind,
                NerveKind::Root | NerveKind::Ganglion | NerveKind::VentralRamus
            );
            let reach = radius + 0.5 * course.diameter_mm + TOUCH_MM;
            if feels && course.name != own && constraints::distance_to_course(course, &tip) < reach {
                say(format!("a shot of pain into the leg: the {} is touched", course.name));
            }
        }
        gone += step;
    }
    needle.depth_mm += gone;
    needle.tip_mm = (start + along * gone).into();
    let mut events = vec![Event::NeedleMoved { needle: needle.clone() }];
    events.extend(felt.into_iter().map(|felt| Event::NeedleFelt { felt }));
    Ok(events)
}
