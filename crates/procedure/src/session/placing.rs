//! Assessment, plan, marks, and the needle on its way.

use neurotome_base::Vec3;

use super::{
    Case, Command, Criterion, Done, Event, Felt, NeedleNow, PlannedNeedle, Record, SessionError, State, Watch,
    impossible, needle_in, point, within,
};
use crate::{
    assessment::{self, Verdict},
    catalog::{InsertionNumbers, find},
    needle::{self, FeltKind, Insertion, Instrument, Resistance, Response, Surroundings, resistances},
    planning::{self, Device, PlanError, PlanRequest},
};

/// Technique of the plan.
const TECHNIQUE: &str = "lumbar_parallel";
/// Longest single movement, mm.
const LONGEST_MM: f64 = 150.0;
/// How far the needle goes in when it enters, mm.
const ENTERED_MM: f64 = 5.0;

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
        // Lesions of cooled probes are not what a plan foretells.
        devices: case
            .devices
            .iter()
            .filter(|d| d.needle.coolant.is_none())
            .cloned()
            .collect(),
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
        let outcome = best.full.as_ref().map_or(best.fast, |f| f.outcome);
        needles.push(PlannedNeedle {
            target: nerve.target,
            nerve: nerve.nerve.clone(),
            place: nerve.place.clone(),
            cannula: best.device.clone(),
            pose: best.pose,
            entry_mm: best.entry_mm.xyz,
            depth_mm: best.depth_mm,
            to_nerve_deg: best.to_nerve_deg,
            probability: outcome.probability,
            spared_mm: best
                .full
                .as_ref()
                .map_or(best.spared.as_ref(), |f| f.spared.as_ref())
                .map(|s| s.1),
            harm: outcome.harm,
            beyond: nerve.beyond.clone(),
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

/// The hand that holds the needle: its way so far is made again from the record's commands when it is not known.
#[derive(Default)]
pub(super) struct Hand {
    /// Movements of needles after which the insertion stands so, and it.
    insertion: Option<(usize, Insertion)>,
}

/// What the needle goes through.
struct Around<'c> {
    numbers: &'c InsertionNumbers,
    resistance: Vec<Resistance>,
    case: &'c Case,
}

impl<'c> Around<'c> {
    fn new(case: &'c Case) -> Result<Self, SessionError> {
        let numbers = case
            .catalog
            .insertions
            .first()
            .ok_or_else(|| impossible("the needle", "the catalogue has no [[insertion]]", "add one"))?;
        Ok(Self {
            numbers,
            resistance: resistances(&case.catalog.tissue_resistances, &case.template.tissue_names),
            case,
        })
    }

    fn get(&self) -> Surroundings<'_> {
        let csf = self.case.template.tissue_names.iter().position(|n| n == "csf");
        Surroundings {
            patient: &*self.case.patient,
            resistance: &self.resistance,
            csf: csf.map(|k| crate::anatomy::TissueId(k as u8)),
            numbers: self.numbers,
        }
    }
}

fn cannula<'a>(case: &'a Case, state: &'a State, named: Option<&'a str>) -> Result<&'a Device, SessionError> {
    let name = named
        .or(state.planned().map(|p| p.cannula.as_str()))
        .or(case.devices.first().map(|d| d.name.as_str()))
        .unwrap_or_default();
    case.device(name).ok_or_else(|| {
        let known: Vec<&str> = case.devices.iter().map(|d| d.name.as_str()).collect();
        impossible(
            "enter",
            format!("there is no cannula \"{name}\" at hand"),
            format!("take one of {}", known.join(", ")),
        )
    })
}

/// The first two moves of a needle: through the skin, and some way on.
fn entering(state: &State, towards_mm: Option<[f64; 3]>) -> Result<[needle::Command; 2], SessionError> {
    let planned = state.planned();
    let entry = state
        .at_target()
        .marked_mm
        .or(planned.map(|p| p.entry_mm))
        .ok_or_else(|| impossible("enter", "the skin is not marked", "`mark` it"))?;
    let aim = towards_mm
        .or(planned.map(|p| p.pose.tip_mm.xyz))
        .ok_or_else(|| impossible("enter", "nothing says where to", "`plan`, or enter towards X,Y,Z"))?;
    Ok([
        needle::Command::Enter {
            skin_mm: entry,
            direction: (Vec3::from(aim) - Vec3::from(entry)).into(),
        },
        needle::Command::Advance { mm: ENTERED_MM },
    ])
}

/// The moves of a command on a needle that is in.
fn moves(insertion: &Insertion, command: &Command) -> Vec<needle::Command> {
    match command {
        Command::Advance { mm } => vec![needle::Command::Advance { mm: *mm }],
        Command::Withdraw { mm } => vec![needle::Command::Withdraw { mm: *mm }],
        Command::Turn { deg } => vec![needle::Command::Turn { deg: *deg }],
        Command::Steer { towards_mm } => {
            // At the skin the shaft turns about its entry; deeper the tip goes another way from where it is.
            let from = insertion.track.points.first().map_or([0.0; 3], |p| p.tip_mm.xyz);
            vec![needle::Command::Steer {
                direction: (Vec3::from(*towards_mm) - Vec3::from(from)).into(),
            }]
        }
        _ => Vec::new(),
    }
}

impl Hand {
    /// The needle where the state says that it is.
    fn ready(&mut self, case: &Case, record: &Record, state: &State) -> Result<&mut Insertion, SessionError> {
        let known = self.insertion.as_ref().is_some_and(|i| i.0 == state.needle_moves);
        if !known {
            self.insertion = Some((state.needle_moves, again(case, record)?));
        }
        self.insertion
            .as_mut()
            .map(|i| &mut i.1)
            .ok_or_else(|| impossible("the needle", "no needle is in the patient", "`enter` first"))
    }

    /// Puts a needle through the skin.
    pub(super) fn enter(
        &mut self,
        case: &Case,
        state: &State,
        named: Option<&str>,
        towards_mm: Option<[f64; 3]>,
    ) -> Result<Done, SessionError> {
        if state.needle.is_some() {
            return Err(impossible("enter", "a needle is in already", "`remove` it first"));
        }
        let device = cannula(case, state, named)?;
        let around = Around::new(case)?;
        let mut insertion = Insertion::new(Instrument::new(&device.needle, around.numbers));
        let mut responses = Vec::new();
        for command in entering(state, towards_mm)? {
            responses.push(insertion.perform(&command, &around.get())?);
        }
        let mut events = told(&device.name, &insertion, &responses);
        if state.at_target().skin.is_none() && state.sedation != super::Sedation::Deep {
            events.push(Event::Pain {
                from: "the needle through skin that is not numb".to_owned(),
            });
        }
        self.insertion = Some((state.needle_moves + 1, insertion));
        Ok(Done::at_once(events))
    }

    /// Moves the needle that is in.
    pub(super) fn go(
        &mut self,
        case: &Case,
        record: &Record,
        state: &State,
        command: &Command,
    ) -> Result<Done, SessionError> {
        let word = match command {
            Command::Withdraw { mm } => within("the way", *mm, 0.1, LONGEST_MM, "mm").map(|_| "withdraw")?,
            Command::Advance { mm } => within("the way", *mm, 0.1, LONGEST_MM, "mm").map(|_| "advance")?,
            Command::Turn { .. } => "turn",
            _ => "steer",
        };
        let name = needle_in(state, word)?.cannula.clone();
        let around = Around::new(case)?;
        let insertion = self.ready(case, record, state)?;
        let mut moved = insertion.clone();
        let mut responses = Vec::new();
        for command in moves(insertion, command) {
            responses.push(moved.perform(&command, &around.get())?);
        }
        let events = told(&name, &moved, &responses);
        self.insertion = Some((state.needle_moves + 1, moved));
        Ok(Done::at_once(events))
    }
}

/// The insertion that a record's commands lead to.
fn again(case: &Case, record: &Record) -> Result<Insertion, SessionError> {
    let around = Around::new(case)?;
    let mut state = State::default();
    let mut insertion = None;
    for entry in record.branch() {
        let done = !entry.events.iter().any(|e| matches!(e, Event::Refused { .. }));
        match entry.command().filter(|_| done) {
            Some(Command::Enter {
                cannula: named,
                towards_mm,
            }) => {
                let device = cannula(case, &state, named.as_deref())?;
                let mut fresh = Insertion::new(Instrument::new(&device.needle, around.numbers));
                for command in entering(&state, *towards_mm)? {
                    fresh.perform(&command, &around.get())?;
                }
                insertion = Some(fresh);
            }
            Some(command) => {
                if let Some(known) = &mut insertion {
                    for command in moves(known, command) {
                        known.perform(&command, &around.get())?;
                    }
                }
            }
            None => {}
        }
        for event in &entry.events {
            if let (Event::PatientMoved { by_mm }, Some(known)) = (event, &mut insertion) {
                known.shift(*by_mm);
            }
        }
        state.apply(entry);
    }
    insertion.ok_or_else(|| impossible("the needle", "no needle is in the patient", "`enter` first"))
}

/// Where the needle is now, and what was felt.
fn told(cannula: &str, insertion: &Insertion, responses: &[Response]) -> Vec<Event> {
    let felt = responses
        .iter()
        .flat_map(|r| &r.felt)
        .filter(|f| !matches!(f.kind, FeltKind::Border { pop: false, .. }))
        .map(|f| Event::NeedleFelt {
            felt: Felt {
                depth_mm: f.depth_mm,
                what: f.kind.words(),
                warning: f.kind.is_alarm(),
                bone: f.kind == FeltKind::Bone,
            },
        });
    let now = match (insertion.pose(), insertion.track.points.first()) {
        (Some(pose), Some(first)) => Event::NeedleMoved {
            needle: NeedleNow {
                cannula: cannula.to_owned(),
                entry_mm: first.tip_mm.xyz,
                tip_mm: pose.tip_mm.xyz,
                direction: pose.direction,
                depth_mm: insertion.track.depth_mm(),
                turned_deg: insertion.turn_deg,
                force_n: responses.last().map_or(0.0, |r| r.force_n),
            },
        },
        _ => Event::NeedleRemoved,
    };
    std::iter::once(now).chain(felt).collect()
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
