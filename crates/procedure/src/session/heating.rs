//! The lesion: generator, tissue and nerves, in pieces of any length.

use super::{
    Case, Done, Event, Lesion, SessionError, Shown, State as Procedure, Watch,
    drugs::{Drugs, pain_conducting},
    impossible, needle_in, problem_of,
    state::HeatingNow,
    within,
};
use crate::{
    generator::{Command, EventKind, Generator, GeneratorError, Plant, Program, Seen, State, plant::SolvedPlant},
    lesion::{Control, Drive, Heating, LesionError, LesionProblem, LesionResult, LesionRun},
    nerve_death::{Recorder, cut, laws},
    outcome::Harm,
};

/// Set temperature, °C, time at it and ramp, s, of a case whose drive holds no temperature.
const USUAL: [f64; 3] = [80.0, 90.0, 15.0];
/// Seconds followed after the current is off.
const COOLING_S: f64 = 30.0;
/// Share of the target's fibres of pain from which heat is felt.
const FELT_SHARE: f64 = 0.5;
/// The full fields correct the generator's loop so often, s.
const MACRO_STEP_S: f64 = 1.0;
/// The generator's display is noted so often, s.
const NOTED_S: f64 = 1.0;
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
    /// When it began in the procedure's time, s.
    since_s: f64,
}

/// The tissue while the generator drives it, and after.
enum Tissue {
    /// Driven.
    Driven(Box<SolvedPlant>),
    /// Left to itself from this time on, s.
    Cools { run: Box<LesionRun>, from_s: f64 },
    /// While it is handed over from one to the other.
    Nothing,
}

/// The plant, with somebody who looks at every step of the solver.
struct Watched<'a> {
    plant: &'a mut SolvedPlant,
    observer: &'a mut dyn FnMut(&Heating) -> bool,
}

impl Plant for Watched<'_> {
    fn channels(&self) -> usize {
        self.plant.channels()
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        self.plant.advance_watched(volts, dt_s, self.observer)
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
        let plant = SolvedPlant::new(&problem, case.plant.clone(), MACRO_STEP_S)?;
        let mut generator = Generator::new(case.generator.clone(), 1, case.seed)?;
        generator.start(Program::temperature(plan.set_c, plan.ramp_s, plan.hold_s))?;
        let mut recorder = Recorder::new(&problem, &laws(&case.catalog));
        recorder.see(plant.run().heating());
        Ok(Self {
            curve: Vec::new(),
            noted_s: f64::NEG_INFINITY,
            hottest_c: problem.initial_temperature_c,
            problem,
            generator,
            tissue: Tissue::Driven(Box::new(plant)),
            recorder,
            told: 0,
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

    /// Goes on to a time of the lesion, s, or to its end.
    fn advance_to(&mut self, to_s: f64, watch: Watch<'_>) -> Result<(), SessionError> {
        while self.t_s() < to_s - SAME_S && !self.over() {
            let runs = matches!(self.generator.state(), State::Armed | State::Checking | State::Running);
            match &mut self.tissue {
                Tissue::Driven(plant) if runs => {
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
                    self.generator.step(&mut watched).map_err(|e| match e {
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
            .filter(|e| matches!(e.kind, EventKind::Alarm(_)))
            .map(|e| Event::Alarm { text: e.text.clone() })
            .collect();
        self.told = self.generator.events().len();
        alarms
    }

    /// The lesion as it is now.
    fn finish(mut self, case: &Case, plan: &HeatingNow) -> Result<(Lesion, LesionProblem, LesionResult), SessionError> {
        self.cool()?;
        let heated_s = self.generator.readings().heating_s;
        let complete = matches!(self.generator.state(), State::PostHeat | State::Done)
            && heated_s > plan.ramp_s + plan.hold_s - SAME_S;
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
            set_c: plan.set_c,
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
        [set_c, hold_s, for_s]: [Option<f64>; 3],
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        needle_in(state, "heat")?;
        let [usual_c, usual_s, ramp_s] = usual(case);
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
        let plan = HeatingNow {
            set_c,
            hold_s,
            ramp_s,
            looks_s: Vec::new(),
            curve: Vec::new(),
            since_s: state.t_s,
        };
        self.live = Some(begin(case, state, drugs, &plan, watch)?);
        let mut events = vec![Event::HeatingBegan { set_c, hold_s, ramp_s }];
        events.extend(felt(case, state, drugs, watch)?);
        let goal_s = for_s.unwrap_or(f64::INFINITY);
        let mut done = self.follow(case, &plan, goal_s, watch)?;
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
        let plan = running(state, "wait")?;
        self.again(case, state, drugs, plan, watch)?;
        self.follow(case, plan, seconds, watch)
    }

    /// Stops the generator; the tissue cools.
    pub(super) fn stop(
        &mut self,
        case: &Case,
        state: &Procedure,
        drugs: &mut Drugs,
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        let plan = running(state, "stop")?;
        self.again(case, state, drugs, plan, watch)?;
        let mut live = self
            .live
            .take()
            .ok_or_else(|| impossible("stop", "no lesion runs", "`heat`"))?;
        let from_s = live.t_s();
        if !live.generator.finished() {
            live.generator.command(Command::Stop)?;
        }
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
    fn follow(&mut self, case: &Case, plan: &HeatingNow, seconds: f64, watch: Watch<'_>) -> Result<Done, SessionError> {
        let mut live = self
            .live
            .take()
            .ok_or_else(|| impossible("wait", "no lesion runs", "`heat`"))?;
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
        self.live = Some(live);
        Ok(Done { events, took_s })
    }

    /// Computes a lesion again up to where it was left, when a record is gone on with.
    fn again(
        &mut self,
        case: &Case,
        state: &Procedure,
        drugs: &mut Drugs,
        plan: &HeatingNow,
        watch: Watch<'_>,
    ) -> Result<(), SessionError> {
        let last_s = plan.looks_s.last().copied().unwrap_or(0.0);
        let same = |live: &Live| live.since_s == plan.since_s && live.t_s() == last_s;
        if self.live.as_ref().is_some_and(same) {
            return Ok(());
        }
        let mut live = begin(case, state, drugs, plan, watch)?;
        // By the same looks, so that the steps and thus all figures are the same.
        for look_s in &plan.looks_s {
            live.advance_to(*look_s, watch)?;
        }
        live.curve.clear();
        live.told = live.generator.events().len();
        self.live = Some(live);
        Ok(())
    }
}

fn running<'s>(state: &'s Procedure, command: &'static str) -> Result<&'s HeatingNow, SessionError> {
    state
        .heating
        .as_ref()
        .ok_or_else(|| impossible(command, "no lesion runs", "`heat`"))
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
    problem.drive = Drive::Temperature {
        set_temperature_c: plan.set_c,
        ramp_s: plan.ramp_s,
        control: Control::First,
    };
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
    }
    Ok(events)
}
