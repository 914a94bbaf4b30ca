//! The whole procedure as a session: an operator gives [`Command`]s, [`Event`]s happen, and what has happened is the [`State`].
//!
//! A session is its record. [`Session::submit`] looks what stands against a command ([`interlock`]), carries it out in the [`Room`] (the
//! physics), and adds an [`Entry`] with the events. The state is a fold over the entries of the branch that is followed, so that a record
//! read again gives the same state without computing, and a record computed again gives the same bytes. [`operator`] is an operator that
//! needs no person.
//!
//! Nothing here reads a file or a clock: a record is written by the caller's `keep`, before the entry counts.

mod case;
mod command;
mod drugs;
mod ending;
mod event;
mod facts;
mod heating;
mod imaging;
mod interlock;
mod movement;
mod needle;
mod operator;
mod placing;
mod program;
mod record;
mod state;
mod testing;
mod timing;

use std::sync::Arc;

use heating::Asked;
use neurotome_base::PatientPoint;

pub use case::{Case, CaseFault, NearPlant, Radiodensity};
pub use command::{
    Command, HeatProgram, MORE_USAGE, Order, Preparation, Sedation, Syringe, TestKind, USAGE, Usage, words,
};
pub use event::{
    Answered, Criterion, Event, Felt, Injected, Interlock, Judged, Lesion, OutcomeByLaw, PlannedNeedle, Shown,
};
pub use facts::{Judgement, debriefing, facts, judge, metrics_of, usual_debriefing};
pub use interlock::interlocks;
pub use needle::NeedleNow;
pub use operator::next_order;
pub use record::{Entry, Record};
pub use state::{
    ArmNow, AtTarget, HeatingAct, HeatingNow, InjectionDone, Shot, State, TestDone, TestsJudged, ViewKind,
};

use crate::{
    anaesthesia::AnaesthesiaError,
    fluoroscopy::{FluoroError, Frame},
    lesion::{LesionError, LesionProblem, LesionResult},
    outcome::OutcomeError,
    planning::{PlanError, Target},
    stimulation::StimulationError,
};

/// Why a command cannot be carried out; nothing was recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// It makes no sense now.
    #[error("{command}: {found}; {advice}")]
    Impossible {
        /// The command.
        command: &'static str,
        /// What stands in the way.
        found: String,
        /// What to do.
        advice: String,
    },
    /// An order that no line could say.
    #[error("{0}")]
    Unusable(String),
    /// A number out of range.
    #[error("{what} is {found}; expected {expected}")]
    Range {
        /// Which.
        what: &'static str,
        /// What was found.
        found: f64,
        /// What may be.
        expected: String,
    },
    /// The plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The generator.
    #[error(transparent)]
    Generator(#[from] crate::generator::GeneratorError),
    /// What the generator meets.
    #[error(transparent)]
    Plant(#[from] crate::generator::plant::SolvedError),
    /// A lesion.
    #[error(transparent)]
    Lesion(#[from] LesionError),
    /// The needle.
    #[error(transparent)]
    Needle(#[from] crate::needle::NeedleError),
    /// The C-arm.
    #[error(transparent)]
    Fluoro(#[from] FluoroError),
    /// A test.
    #[error(transparent)]
    Stimulation(#[from] StimulationError),
    /// An injection.
    #[error(transparent)]
    Anaesthesia(#[from] AnaesthesiaError),
    /// The outcome.
    #[error(transparent)]
    Outcome(#[from] OutcomeError),
    /// The patient's image.
    #[error("the C-arm's picture: {0}")]
    Image(String),
    /// The entry could not be kept.
    #[error("the step was not recorded: {0}; it does not count")]
    NotKept(String),
    /// The observer said stop.
    #[error("interrupted; the step does not count")]
    Cancelled,
}

fn impossible(command: &'static str, found: impl Into<String>, advice: impl Into<String>) -> SessionError {
    SessionError::Impossible {
        command,
        found: found.into(),
        advice: advice.into(),
    }
}

fn within(what: &'static str, value: f64, low: f64, high: f64, unit: &str) -> Result<f64, SessionError> {
    if value.is_finite() && (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(SessionError::Range {
            what,
            found: value,
            expected: format!("{low} to {high} {unit}").trim_end().to_owned(),
        })
    }
}

/// What a long step tells of itself; false ends it.
pub type Watch<'w> = &'w mut dyn FnMut(&str) -> bool;

/// A session.
pub struct Session {
    case: Arc<Case>,
    record: Record,
    state: State,
    room: Room,
}

/// What is at hand in the room and can be made again from case and state.
#[derive(Default)]
struct Room {
    hand: placing::Hand,
    imaging: imaging::Imaging,
    testing: testing::Testing,
    drugs: drugs::Drugs,
    heating: heating::Furnace,
}

/// What a command led to.
struct Done {
    events: Vec<Event>,
    /// Seconds beside those of handling.
    took_s: f64,
}

impl Done {
    fn at_once(events: Vec<Event>) -> Self {
        Self { events, took_s: 0.0 }
    }
}

impl Session {
    /// A new session.
    ///
    /// # Errors
    /// [`SessionError::Plan`]: a patient without the joint's nerves.
    pub fn new(case: Arc<Case>) -> Result<Self, SessionError> {
        Self::resumed(case, Vec::new())
    }

    /// The session of a record: nothing is computed again.
    ///
    /// # Errors
    /// As [`Session::new`]; [`SessionError::NotKept`] for a record that goes back to a step that was never made.
    pub fn resumed(case: Arc<Case>, entries: Vec<Entry>) -> Result<Self, SessionError> {
        case.targets()?;
        let record = Record::of(entries).map_err(SessionError::NotKept)?;
        Ok(Self {
            state: record.state(),
            record,
            case,
            room: Room::default(),
        })
    }

    /// The case.
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// What has happened.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Where the procedure stands.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The last picture of the C-arm, while it is on the screen.
    pub fn picture(&self) -> Option<&Frame> {
        self.room.imaging.picture()
    }

    /// Columns and rows of the picture that the collimator leaves open.
    pub fn screen_field(&self) -> Option<[std::ops::Range<usize>; 2]> {
        self.room.imaging.open_pixels()
    }

    /// The last lesion that was made, with its fields, while it is at hand.
    pub fn lesion(&self) -> Option<(&LesionProblem, &LesionResult)> {
        self.room.heating.last.as_ref().map(|(p, r)| (p, r))
    }

    /// What stands against a command now.
    pub fn interlocks(&self, command: &Command) -> Vec<Interlock> {
        interlocks(&self.case, &self.state, command)
    }

    /// Carries out an order. `watch` hears of long work and ends it by returning false; `keep` is given the entry before it counts, to write
    /// it down. Where interlocks stand against a command without a reason, the entry says so and nothing else happens.
    ///
    /// # Errors
    /// [`SessionError`]; the session is then as it was.
    pub fn submit(
        &mut self,
        order: Order,
        watch: Watch<'_>,
        keep: &mut dyn FnMut(&Entry) -> Result<(), String>,
    ) -> Result<&Entry, SessionError> {
        let entry = match order {
            Order::Undo { undo_to } => self.back(undo_to)?,
            Order::Do { command, reason } => self.forward(command, reason, watch)?,
        };
        keep(&entry).map_err(SessionError::NotKept)?;
        let returns = matches!(entry.order, Order::Undo { .. });
        if !returns {
            self.state.apply(&entry);
        }
        self.record.push(entry).map_err(SessionError::NotKept)?;
        if returns {
            self.state = self.record.state();
            // Counts of movements mean another way now.
            self.room.hand = placing::Hand::default();
            self.room.testing = testing::Testing::default();
            self.room.heating = heating::Furnace::default();
        }
        Ok(&self.record.entries()[self.record.entries().len() - 1])
    }

    fn back(&self, undo_to: usize) -> Result<Entry, SessionError> {
        let steps = self.record.steps();
        if undo_to >= steps {
            return Err(impossible(
                "undo",
                format!("to step {undo_to} of {steps}"),
                "give a smaller number",
            ));
        }
        Ok(Entry {
            t_s: self.state.t_s,
            took_s: 0.0,
            order: Order::Undo { undo_to },
            events: Vec::new(),
        })
    }

    fn forward(&mut self, command: Command, reason: Option<String>, watch: Watch<'_>) -> Result<Entry, SessionError> {
        let sound = command
            .check()
            .and_then(|()| reason.as_deref().map_or(Ok(()), command::check_reason));
        sound.map_err(SessionError::Unusable)?;
        if self.state.over() {
            return Err(impossible(
                "the procedure is over",
                "nothing more can be done",
                "go back with `undo`, or begin anew",
            ));
        }
        let meanwhile = matches!(
            command,
            Command::Wait { .. }
                | Command::Stop
                | Command::Shot
                | Command::Fault { .. }
                | Command::Pump { .. }
                | Command::Resume
        );
        if self.state.heating.is_some() && !meanwhile {
            return Err(impossible(
                "the generator heats",
                "a lesion runs",
                "`wait` for it, or `stop` it",
            ));
        }
        let against = self.interlocks(&command);
        let (events, took_s) = match (&reason, against.is_empty()) {
            (None, false) => (vec![Event::Refused { interlocks: against }], 0.0),
            (reason, _) => {
                let done = self.carry_out(&command, watch)?;
                let overridden = reason
                    .as_ref()
                    .filter(|_| !against.is_empty())
                    .map(|reason| Event::Overridden {
                        interlocks: against,
                        reason: reason.clone(),
                    });
                let events = overridden.into_iter().chain(done.events).collect();
                (events, done.took_s + timing::handling_s(&command))
            }
        };
        Ok(Entry {
            t_s: self.state.t_s,
            took_s,
            order: Order::Do { command, reason },
            events,
        })
    }

    fn carry_out(&mut self, command: &Command, watch: Watch<'_>) -> Result<Done, SessionError> {
        let (case, state, room) = (&*self.case, &self.state, &mut self.room);
        match command {
            Command::Assess => placing::assess(case),
            Command::Plan => placing::plan(case, watch),
            Command::Prepare { item } => Ok(Done::at_once(vec![Event::Prepared { item: *item }])),
            Command::Sedate { level } => Ok(Done::at_once(vec![Event::Sedated { level: *level }])),
            Command::View { view, level } => imaging::view(case, state, *view, *level),
            Command::Arm { orbital_deg, tilt_deg } => imaging::arm(case, state, *orbital_deg, *tilt_deg),
            Command::LookAlong => imaging::look_along(case, state),
            Command::Shot => room.imaging.expose(case, state, 1),
            Command::Screen { seconds } => room.imaging.screen(case, state, *seconds),
            Command::Mark { entry_mm } => placing::mark(case, state, *entry_mm),
            Command::Numb { syringe } => drugs::numb_skin(case, state, syringe),
            Command::Enter { cannula, towards_mm } => room.hand.enter(case, state, cannula.as_deref(), *towards_mm),
            Command::Advance { .. } | Command::Withdraw { .. } | Command::Turn { .. } | Command::Steer { .. } => {
                room.hand.go(case, &self.record, state, command)
            }
            Command::Remove => placing::remove(state),
            Command::Impedance => testing::impedance(case, state),
            Command::Test { kind, up_to_v } => room.testing.test(case, state, &mut room.drugs, *kind, *up_to_v, watch),
            Command::Anaesthetise { syringe } => drugs::anaesthetise(case, state, syringe),
            Command::Wait { seconds } => {
                within("the wait", *seconds, 0.1, 7200.0, "s")?;
                if state.heating.is_some() {
                    room.heating.go_on(case, state, &mut room.drugs, *seconds, watch)
                } else {
                    room.drugs.wait(case, state, *seconds, watch)
                }
            }
            Command::Heat {
                set_c,
                hold_s,
                for_s,
                program,
            } => {
                let asked = Asked {
                    set_c: *set_c,
                    hold_s: *hold_s,
                    for_s: *for_s,
                    program: program.as_ref(),
                };
                room.heating.heat(case, state, &mut room.drugs, &asked, watch)
            }
            Command::Pump { ml_per_min } => heating::pump(case, state, *ml_per_min),
            Command::Fault {
                kind,
                size,
                at_s,
                lasting_s,
            } => heating::fault(state, *kind, [*size, *at_s, *lasting_s]),
            Command::Resume => room.heating.resume(case, state, &mut room.drugs, watch),
            Command::Stop => room.heating.stop(case, state, &mut room.drugs, watch),
            Command::Inspect => Ok(Done::at_once(vec![Event::SkinSeen])),
            Command::Next { target } => placing::next(state, *target),
            Command::Finish => ending::finish(case, state, watch),
        }
    }
}

/// The nerve aimed at.
fn target_of(case: &Case, state: &State) -> Result<Target, SessionError> {
    Ok(case.targets()?[state.target.min(1)])
}

/// The needle that is in, or why none is.
fn needle_in<'s>(state: &'s State, command: &'static str) -> Result<&'s NeedleNow, SessionError> {
    state
        .needle
        .as_ref()
        .ok_or_else(|| impossible(command, "no needle is in the patient", "`enter` first"))
}

/// The lesion problem of the needle where it lies.
fn problem_of(case: &Case, state: &State, needle: &NeedleNow) -> Result<LesionProblem, SessionError> {
    let device = case.device(&needle.cannula).ok_or_else(|| {
        impossible(
            "the needle",
            format!("cannula {} is not at hand", needle.cannula),
            "give the record's own catalogue",
        )
    })?;
    let target = target_of(case, state)?;
    Ok(crate::planning::placed(
        &case.template,
        needle.needle(device),
        &*case.patient,
        target,
    )?)
}

fn point(p: [f64; 3]) -> PatientPoint {
    PatientPoint::new(p[0], p[1], p[2])
}
