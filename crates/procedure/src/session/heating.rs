//! The lesion: generator, tissue and nerves, in pieces of any length.

use super::{
    Case, Done, Event, Lesion, SessionError, Shown, State as Procedure, Watch,
    command::HeatProgram,
    drugs::{Drugs, pain_conducting},
    impossible,
    movement::{Cause, movement},
    needle_in, problem_of, program,
    state::{HeatingAct, HeatingNow},
    within,
};
use crate::{
    generator::{
        Command, EventKind, Generator, GeneratorError, Plant, Program, Seen, State,
        faults::{Fault, FaultKind, Faulty},
        plant::SolvedPlant,
    },
    lesion::{Drive, Heating, LesionError, LesionProblem, LesionResult, LesionRun, Needle},
    nerve_death::{Recorder, cut, laws},
    outcome::Harm,
};

/// Set temperature, °C, time at it and ramp, s, of a case whose drive holds no temperature.
const USUAL: [f64; 3] = [80.0, 90.0, 15.0];
/// Seconds that it takes to stop when a patient moves.
const MOVED_S: f64 = 5.0;
/// When what only a change can tell begins, of a fault that is there beforehand: with the first output, s.
const WITH_OUTPUT_S: f64 = 1.0;
/// Seconds beyond those after which a lesion may no longer be resumed, in which the operator may still stop it.
const GRACE_S: f64 = 60.0;
/// Seconds followed after the current is off.
const COOLING_S: f64 = 30.0;
/// Share of the target's fibres of pain from which heat is felt.
const FELT_SHARE: f64 = 0.5;
/// The full fields correct the generator's loop so often, s.
const MACRO_STEP_S: f64 = 1.0;
/// The generator's display is noted so often, s.
const NOTED_S: f64 = 1.0;
/// Flow of a coolant of which nothing is known, ml/min.
const PUMP_ML_PER_MIN: f64 = 20.0;
/// Most faults of a lesion, and most that is done while one runs.
const MAX_FAULTS: usize = 16;
const MAX_ACTS: usize = 64;
/// Two times are the same when they are closer, s.
const SAME_S: f64 = 1e-6;

/// Set temperature, °C, time at it and ramp, s, where the operator says nothing.
fn usual(case: &Case) -> [f64; 3] {
    match case.template.drive {
        Drive::Temperature {
            set_temperature_c,
            ramp_s,
            ..
        } => [set_temperature_c, case.template.heating_s - ramp_s, ramp_s],
        _ => USUAL,
    }
}

/// The lesion that runs.
#[derive(Default)]
pub(super) struct Furnace {
    live: Option<Live>,
    /// The last lesion with its fields, for pictures.
    pub(super) last: Option<(LesionProblem, LesionResult)>,
}

/// A lesion with all its fields: the generator, and the tissue that it meets.
struct Live {
    problem: LesionProblem,
    generator: Generator,
    tissue: Tissue,
    recorder: Recorder,
    /// What was shown since the last look.
    curve: Vec<Shown>,
    noted_s: f64,
    hottest_c: f64,
    /// Events of the generator that were told already.
    told: usize,
    /// What was done since it began.
    acts: usize,
    /// Faults whose deed at the generator was done.
    deeds: usize,
    /// The operator has stopped it.
    stopped: bool,
    /// When it began in the procedure's time, s.
    since_s: f64,
}

/// The tissue while the generator drives it, and after.
enum Tissue {
    /// Driven.
    Driven(Box<Faulty<SolvedPlant>>),
    /// Left to itself from this time on, s.
    Cools { run: Box<LesionRun>, from_s: f64 },
    /// While it is handed over from one to the other.
    Nothing,
}

/// The plant, with somebody who looks at every step of the solver.
struct Watched<'a> {
    plant: &'a mut Faulty<SolvedPlant>,
    observer: &'a mut dyn FnMut(&Heating) -> bool,
}

impl Plant for Watched<'_> {
    fn channels(&self) -> usize {
        self.plant.channels()
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        let observer = &mut *self.observer;
        self.plant.advance_by(volts, dt_s, &mut |inner, volts, dt_s| {
            inner.advance_watched(volts, dt_s, observer)
        })
    }

    fn seen(&self) -> &Seen {
        self.plant.seen()
    }
}

fn interrupted(e: LesionError) -> SessionError {
    match e {
        LesionError::Cancelled { .. } => SessionError::Cancelled,
        e => e.into(),
    }
}

fn lost() -> SessionError {
    impossible("heat", "the lesion was lost", "`heat` again")
}

impl Live {
    fn new(problem: LesionProblem, case: &Case, plan: &HeatingNow) -> Result<Self, SessionError> {
        let near = case.plant(&problem.needles, 1).ok_or_else(|| {
            impossible(
                "heat",
                "no plant is fitted to such a needle",
                "take another cannula, or fit a plant to it",
            )
        })?;
        let plant = SolvedPlant::new(&problem, near.model.clone(), MACRO_STEP_S)?;
        let mut generator = Generator::new(case.generator.clone(), 1, case.seed)?;
        generator.start(doing(plan).for_needle(&problem.needles[0]))?;
        let mut recorder = Recorder::new(&problem, &laws(&case.catalog));
        recorder.see(plant.run().heating());
        let mut plant = Faulty::new(plant, plan.faults.iter().map(with_output).collect());
        plant.set_pump(pumped(&problem.needles[0], plan.pump_ml_per_min));
        Ok(Self {
            curve: Vec::new(),
            noted_s: f64::NEG_INFINITY,
            hottest_c: problem.initial_temperature_c,
            problem,
            generator,
            tissue: Tissue::Driven(Box::new(plant)),
            recorder,
            told: 0,
            acts: 0,
            deeds: 0,
            stopped: false,
            since_s: plan.since_s,
        })
    }

    fn t_s(&self) -> f64 {
        match &self.tissue {
            Tissue::Driven(plant) => plant.seen().t_s,
            Tissue::Cools { run, .. } => run.heating().time_s(),
            Tissue::Nothing => f64::INFINITY,
        }
    }

    fn over(&self) -> bool {
        match &self.tissue {
            Tissue::Driven(_) => false,
            Tissue::Cools { run, from_s } => run.heating().time_s() > from_s + COOLING_S - SAME_S,
            Tissue::Nothing => true,
        }
    }

    fn interrupted(&self) -> bool {
        self.generator.state() == State::Interrupted
    }

    /// What is done while it runs.
    fn act(&mut self, act: &HeatingAct) -> Result<(), SessionError> {
        self.acts += 1;
        match (act, &mut self.tissue) {
            (HeatingAct::Resume, _) => self.generator.command(Command::Resume)?,
            (HeatingAct::Fault(fault), Tissue::Driven(plant)) => plant.add(*fault),
            (HeatingAct::Pump(flow), Tissue::Driven(plant)) => {
                plant.set_pump(pumped(&self.problem.needles[0], *flow));
            }
            _ => {}
        }
        Ok(())
    }

    /// Does what a person at the generator does, of a fault that is such a deed.
    fn meddle(&mut self) {
        let Tissue::Driven(plant) = &self.tissue else { return };
        let t_s = plant.seen().t_s;
        let there = plant.faults().iter().filter(|f| f.is_there(t_s));
        let deeds: Vec<Command> = there.filter_map(Fault::command).collect();
        for command in deeds.into_iter().skip(self.deeds) {
            self.deeds += 1;
            // Where it is refused the generator tells so.
            let _ = self.generator.command(command);
        }
    }

    /// Goes on to a time of the lesion, s, or to its end, or to where the operator is needed.
    fn advance_to(&mut self, to_s: f64, watch: Watch<'_>) -> Result<(), SessionError> {
        let mut needed = self.interrupted() && to_s.is_finite();
        while self.t_s() < to_s - SAME_S && !self.over() {
            if self.interrupted() && !needed {
                break;
            }
            needed &= self.interrupted();
            self.meddle();
            let waits = self.interrupted() && self.generator.in_state_s() < self.generator.profile().resume_s + GRACE_S;
            let runs = waits || matches!(self.generator.state(), State::Armed | State::Checking | State::Running);
            match &mut self.tissue {
                Tissue::Driven(plant) if runs => {
                    let around = plant.surroundings();
                    let (recorder, hottest_c) = (&mut self.recorder, &mut self.hottest_c);
                    let mut observer = |heating: &Heating| {
                        recorder.see(heating);
                        let r = heating.reading();
                        *hottest_c = hottest_c.max(r.hottest_c);
                        watch(&format!(
                            "lesion: {:.0} s, {:.1} °C, {:.1} W",
                            r.t_s, r.thermocouples_c[0], r.power_w
                        ))
                    };
                    let mut watched = Watched {
                        plant,
                        observer: &mut observer,
                    };
                    self.generator.step_in(&mut watched, &around).map_err(|e| match e {
                        GeneratorError::Lesion(e) => interrupted(e),
                        e => e.into(),
                    })?;
                    self.note();
                }
                Tissue::Driven(_) => self.cool()?,
                Tissue::Cools { run, from_s } => {
                    let end_s = to_s.min(*from_s + COOLING_S);
                    let (recorder, curve, noted_s) = (&mut self.recorder, &mut self.curve, &mut self.noted_s);
                    run.advance_to(end_s, &mut |heating, p| {
                        recorder.see(heating);
                        if p.t_s - *noted_s >= NOTED_S - SAME_S {
                            *noted_s = p.t_s;
                            curve.push(cooling(heating));
                        }
                        watch("the tissue cools")
                    })
                    .map_err(interrupted)?;
                }
                Tissue::Nothing => return Err(lost()),
            }
        }
        Ok(())
    }

    /// Notes what the generator shows.
    fn note(&mut self) {
        let t_s = self.t_s();
        let Some(channel) = self.generator.readings().channels.first() else {
            return;
        };
        if t_s - self.noted_s >= NOTED_S - SAME_S {
            self.noted_s = t_s;
            self.curve.push(Shown {
                t_s,
                set_c: channel.set_c.unwrap_or(channel.temperature_c),
                temperature_c: channel.temperature_c,
                impedance_ohm: channel.impedance_ohm,
                voltage_v: channel.voltage_v,
                current_a: channel.current_a,
                power_w: channel.power_w,
            });
        }
    }

    /// The generator has ended: the tissue is left to itself.
    fn cool(&mut self) -> Result<(), SessionError> {
        if !matches!(self.tissue, Tissue::Driven(_)) {
            return Ok(());
        }
        // The plant is taken out of its place to be turned into the run that it holds.
        let Tissue::Driven(plant) = std::mem::replace(&mut self.tissue, Tissue::Nothing) else {
            return Err(lost());
        };
        let from_s = plant.seen().t_s;
        let recorder = &mut self.recorder;
        let mut run = plant
            .into_inner()
            .into_run(&mut |heating| {
                recorder.see(heating);
                true
            })
            .map_err(interrupted)?;
        run.set_outputs(&[0.0])?;
        self.tissue = Tissue::Cools {
            run: Box::new(run),
            from_s,
        };
        Ok(())
    }

    /// Alarms of the generator that were not told yet.
    fn alarms(&mut self) -> Vec<Event> {
        let new = &self.generator.events()[self.told..];
        let alarms = new
            .iter()
            .filter_map(|e| match e.kind {
                EventKind::Alarm(_) => Some(Event::Alarm { text: e.text.clone() }),
                EventKind::MainsBack => Some(Event::GeneratorTold { text: e.text.clone() }),
                _ => None,
            })
            .collect();
        self.told = self.generator.events().len();
        alarms
    }

    /// The lesion as it is now.
    fn finish(mut self, case: &Case, plan: &HeatingNow) -> Result<(Lesion, LesionProblem, LesionResult), SessionError> {
        self.cool()?;
        let heated_s = self.generator.readings().heating_s;
        let complete = matches!(self.generator.state(), State::PostHeat | State::Done) && !self.stopped;
        let Tissue::Cools { run, .. } = self.tissue else {
            return Err(lost());
        };
        let result = run.finish()?;
        let cuts: Vec<_> = self.recorder.finish().iter().map(|h| cut(&case.catalog, h)).collect();
        let harm = Harm::new(&result, &cuts);
        let target = self.problem.nerves.iter().position(|n| n.target);
        let mut curve = plan.curve.clone();
        curve.extend(self.curve);
        let last = result.snapshots.last();
        let lesion = Lesion {
            set_c: if holds(plan) {
                plan.set_c
            } else {
                curve.iter().map(|s| s.temperature_c).fold(f64::NEG_INFINITY, f64::max)
            },
            program: plan.program.clone().map(Box::new),
            heated_s,
            held_s: (heated_s - plan.ramp_s).clamp(0.0, plan.hold_s),
            complete,
            contours: last.map(|s| s.contours.clone()).unwrap_or_default(),
            destroyed_mm: target
                .and_then(|k| result.nerves.get(k))
                .map_or(0.0, |n| n.destroyed_mm),
            hottest_c: self.hottest_c,
            nerves: cuts,
            harm,
            curve,
        };
        Ok((lesion, self.problem, result))
    }
}

/// What the generator does.
fn doing(plan: &HeatingNow) -> Program {
    let plain = || Program::temperature(plan.set_c, plan.ramp_s, plan.hold_s);
    plan.program.clone().unwrap_or_else(plain)
}

/// Whether it holds a temperature.
fn holds(plan: &HeatingNow) -> bool {
    plan.program.as_ref().is_none_or(program::holds)
}

/// A fault of which only a change tells begins with the output, where it is there before.
fn with_output(fault: &Fault) -> Fault {
    Fault {
        onset_s: if Fault::is_change(fault.kind) {
            fault.onset_s.max(WITH_OUTPUT_S)
        } else {
            fault.onset_s
        },
        ..*fault
    }
}

/// Share of the flow that a needle needs; all of it for one that needs none.
fn pumped(needle: &Needle, ml_per_min: f64) -> f64 {
    match needle.coolant.as_ref().map(|c| c.flow_ml_per_min) {
        None => 1.0,
        Some(Some(needed)) if needed > 0.0 => ml_per_min / needed,
        Some(_) => f64::from(u8::from(ml_per_min > 0.0)),
    }
}

/// Sets the pump.
pub(super) fn pump(case: &Case, state: &Procedure, ml_per_min: Option<f64>) -> Result<Done, SessionError> {
    let device = state.needle.as_ref().and_then(|n| case.device(&n.cannula));
    let needed = device.and_then(|d| d.needle.coolant.as_ref()?.flow_ml_per_min);
    let flow = ml_per_min.or(needed).unwrap_or(PUMP_ML_PER_MIN);
    let ml_per_min = within("the flow", flow, 0.0, 200.0, "ml/min")?;
    Ok(Done::at_once(vec![Event::PumpSet { ml_per_min }]))
}

/// Lets a fault happen: its size, when, s, and for how long, s.
pub(super) fn fault(
    state: &Procedure,
    kind: FaultKind,
    [size, at_s, lasting_s]: [Option<f64>; 3],
) -> Result<Done, SessionError> {
    let now_s = state
        .heating
        .as_ref()
        .map_or(0.0, |h| h.looks_s.last().copied().unwrap_or(0.0));
    let onset_s = within("the time of the fault", at_s.unwrap_or(now_s), 0.0, 3600.0, "s")?;
    let usual = Fault::usual(kind, onset_s, 0);
    let fault = Fault {
        size: within("the size of the fault", size.unwrap_or(usual.size), 0.0, 1e6, "")?,
        duration_s: within(
            "how long it lasts",
            lasting_s.unwrap_or(usual.duration_s),
            0.1,
            1e6,
            "s",
        )?,
        ..usual
    };
    if state.faults.len() >= MAX_FAULTS || state.heating.as_ref().is_some_and(|h| h.acts.len() >= MAX_ACTS) {
        return Err(impossible(
            "fault",
            "enough faults are set",
            "make the lesion first, or `undo`",
        ));
    }
    Ok(Done::at_once(vec![Event::FaultSet { fault }]))
}

/// What is asked of `heat`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub set_c: Option<f64>,
    pub hold_s: Option<f64>,
    pub for_s: Option<f64>,
    pub program: Option<&'a HeatProgram>,
}

/// What an instrument shows of tissue that cools.
fn cooling(heating: &Heating) -> Shown {
    let r = heating.reading();
    Shown {
        t_s: r.t_s,
        set_c: r.thermocouples_c[0],
        temperature_c: r.thermocouples_c[0],
        impedance_ohm: r.impedance_ohm,
        voltage_v: 0.0,
        current_a: 0.0,
        power_w: 0.0,
    }
}

impl Furnace {
    /// Begins a lesion, and follows it to its end or for some seconds.
    pub(super) fn heat(
        &mut self,
        case: &Case,
        state: &Procedure,
        drugs: &mut Drugs,
        asked: &Asked<'_>,
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        needle_in(state, "heat")?;
        let [usual_c, usual_s, ramp_s] = usual(case);
        let Asked {
            set_c, hold_s, for_s, ..
        } = *asked;
        let set_c = within("the set temperature", set_c.unwrap_or(usual_c), 40.0, 95.0, "°C")?;
        let hold_s = within(
            "the time at the set temperature",
            hold_s.unwrap_or(usual_s),
            1.0,
            1200.0,
            "s",
        )?;
        if let Some(for_s) = for_s {
            within("the time until you come back", for_s, 0.1, 1200.0, "s")?;
        }
        let program = program::asked(case, asked)?;
        let (set_c, hold_s, ramp_s) = program.as_ref().map_or((set_c, hold_s, ramp_s), |p| {
            program::summary(p, case.template.initial_temperature_c)
        });
        let mut events = felt(case, state, drugs, watch)?;
        if events.iter().any(|e| matches!(e, Event::PatientMoved { .. })) {
            // The current is off as soon as the patient moves: nothing was heated to speak of.
            return Ok(Done {
                events,
                took_s: MOVED_S,
            });
        }
        let lesion = 1 + state.targets.iter().map(|t| t.lesions.len()).sum::<usize>();
        let scheduled = case.faults.iter().filter(|f| f.lesion == lesion).map(|f| f.fault);
        let before: Vec<Event> = scheduled
            .filter(|f| !state.faults.contains(f))
            .map(|fault| Event::FaultSet { fault })
            .collect();
        let faults = state.faults.iter().copied();
        let plan = HeatingNow {
            set_c,
            hold_s,
            ramp_s,
            looks_s: Vec::new(),
            curve: Vec::new(),
            since_s: state.t_s,
            program: program.clone(),
            faults: faults
                .chain(before.iter().filter_map(|e| match e {
                    Event::FaultSet { fault } => Some(*fault),
                    _ => None,
                }))
                .collect(),
            pump_ml_per_min: state.pump_ml_per_min,
            acts: Vec::new(),
            interrupted: None,
        };
        let live = begin(case, state, drugs, &plan, watch)?;
        events.splice(
            0..0,
            before.into_iter().chain([Event::HeatingBegan {
                set_c,
                hold_s,
                ramp_s,
                program: program.map(Box::new),
            }]),
        );
        let goal_s = for_s.unwrap_or(f64::INFINITY);
        let mut done = self.follow(live, case, &plan, goal_s, watch)?;
        events.append(&mut done.events);
        Ok(Done {
            events,
            took_s: done.took_s,
        })
    }

    /// Follows the lesion that runs for some more seconds.
    pub(super) fn go_on(
        &mut self,
        case: &Case,
        state: &Procedure,
        drugs: &mut Drugs,
        seconds: f64,
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        let (plan, live) = self.again("wait", case, state, drugs, watch)?;
        self.follow(live, case, plan, seconds, watch)
    }

    /// Stops the generator; the tissue cools.
    pub(super) fn stop(
        &mut self,
        case: &Case,
        state: &Procedure,
        drugs: &mut Drugs,
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        let (plan, mut live) = self.again("stop", case, state, drugs, watch)?;
        let from_s = live.t_s();
        live.stopped = true;
        // Refused where it has stopped by itself.
        let _ = live.generator.command(Command::Stop);
        live.cool()?;
        live.advance_to(f64::INFINITY, watch)?;
        let took_s = live.t_s() - from_s;
        Ok(Done {
            events: self.finish(live, case, plan)?,
            took_s,
        })
    }

    fn finish(&mut self, mut live: Live, case: &Case, plan: &HeatingNow) -> Result<Vec<Event>, SessionError> {
        let mut events = live.alarms();
        let (lesion, problem, result) = live.finish(case, plan)?;
        self.last = Some((problem, result));
        events.push(Event::LesionMade {
            lesion: Box::new(lesion),
        });
        Ok(events)
    }

    /// Goes on for some seconds, or to the end.
    fn follow(
        &mut self,
        mut live: Live,
        case: &Case,
        plan: &HeatingNow,
        seconds: f64,
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        let from_s = live.t_s();
        live.advance_to(from_s + seconds, watch)?;
        let took_s = live.t_s() - from_s;
        if live.over() {
            return Ok(Done {
                events: self.finish(live, case, plan)?,
                took_s,
            });
        }
        let mut events = live.alarms();
        let shown = std::mem::take(&mut live.curve).into_iter();
        events.extend(shown.map(|shown| Event::Heating { shown }));
        events.push(Event::HeatingSeen { t_s: live.t_s() });
        if live.interrupted() {
            events.push(Event::Interrupted {
                resumable: live.generator.may_resume(),
            });
        }
        self.live = Some(live);
        Ok(Done { events, took_s })
    }

    /// Resumes a lesion that a loss of mains interrupted.
    pub(super) fn resume(
        &mut self,
        case: &Case,
        state: &Procedure,
        drugs: &mut Drugs,
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        let (_, mut live) = self.again("resume", case, state, drugs, watch)?;
        live.act(&HeatingAct::Resume)?;
        self.live = Some(live);
        Ok(Done::at_once(vec![Event::Resumed]))
    }

    /// Takes out the lesion that runs, as it was left; computed again up to there when a record is gone on with.
    fn again<'s>(
        &mut self,
        command: &'static str,
        case: &Case,
        state: &'s Procedure,
        drugs: &mut Drugs,
        watch: Watch<'_>,
    ) -> Result<(&'s HeatingNow, Live), SessionError> {
        let none = || impossible(command, "no lesion runs", "`heat`");
        let plan = state.heating.as_ref().ok_or_else(none)?;
        let last_s = plan.looks_s.last().copied().unwrap_or(0.0);
        let same = |live: &Live| live.since_s == plan.since_s && live.t_s() == last_s && live.acts == plan.acts.len();
        if let Some(live) = self.live.take().filter(same) {
            return Ok((plan, live));
        }
        let mut live = begin(case, state, drugs, plan, watch)?;
        // By the same looks, so that the steps and thus all figures are the same.
        for k in 0..=plan.looks_s.len() {
            if let Some(look_s) = k.checked_sub(1).and_then(|k| plan.looks_s.get(k)) {
                live.advance_to(*look_s, watch)?;
            }
            for (_, act) in plan.acts.iter().filter(|a| a.0 == k) {
                live.act(act)?;
            }
        }
        live.curve.clear();
        live.told = live.generator.events().len();
        Ok((plan, live))
    }
}

/// The lesion at its beginning.
fn begin(
    case: &Case,
    state: &Procedure,
    drugs: &mut Drugs,
    plan: &HeatingNow,
    watch: Watch<'_>,
) -> Result<Live, SessionError> {
    let needle = needle_in(state, "heat")?;
    let mut problem = problem_of(case, state, needle)?;
    problem.drive = program::drive(plan.set_c, plan.ramp_s, plan.program.as_ref());
    problem.heating_s = plan.ramp_s + plan.hold_s;
    problem.cooling_s = COOLING_S;
    problem.solver.estimate_error = false;
    if let Some((spread, since_s)) = drugs.spread(case, state, plan.since_s, watch)? {
        problem.injectate = Some(spread.injectate_at(since_s));
    }
    Live::new(problem, case, plan)
}

/// What the patient feels of the heat.
fn felt(case: &Case, state: &Procedure, drugs: &mut Drugs, watch: Watch<'_>) -> Result<Vec<Event>, SessionError> {
    let mut events = Vec::new();
    let mut conducting = 1.0;
    if let Some((spread, since_s)) = drugs.spread(case, state, state.t_s, watch)? {
        conducting = pain_conducting(case, state, &spread, since_s).unwrap_or(1.0);
        events.push(Event::Numbness {
            since_s,
            pain_conducting: conducting,
        });
    }
    if conducting > FELT_SHARE && state.sedation != super::Sedation::Deep {
        events.push(Event::Pain {
            from: "the heat".to_owned(),
        });
        events.extend(movement(case, state, Cause::Heat));
    }
    Ok(events)
}
