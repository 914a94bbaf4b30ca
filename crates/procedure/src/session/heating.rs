//! The lesion: generator, tissue and nerves, in pieces of any length.

use super::{
    Case, Done, Event, Lesion, SessionError, Shown, State, Watch,
    drugs::{Drugs, pain_conducting},
    impossible, needle_in, problem_of,
    state::HeatingNow,
    within,
};
use crate::{
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

/// A lesion with all its fields.
struct Live {
    problem: LesionProblem,
    run: LesionRun,
    recorder: Recorder,
    /// What was shown since the last look.
    curve: Vec<Shown>,
    noted_s: f64,
    hottest_c: f64,
    /// When it began in the procedure's time, s.
    since_s: f64,
}

fn shown(heating: &Heating) -> Shown {
    let r = heating.reading();
    Shown {
        t_s: r.t_s,
        set_c: r.set_temperature_c.unwrap_or(r.thermocouples_c[0]),
        temperature_c: r.thermocouples_c[0],
        impedance_ohm: r.impedance_ohm,
        voltage_v: r.voltage_v[0],
        current_a: r.current_a,
        power_w: r.power_w,
    }
}

impl Live {
    fn new(problem: LesionProblem, case: &Case, since_s: f64) -> Result<Self, SessionError> {
        let run = LesionRun::new(&problem)?;
        let mut recorder = Recorder::new(&problem, &laws(&case.catalog));
        recorder.see(run.heating());
        Ok(Self {
            curve: vec![shown(run.heating())],
            noted_s: 0.0,
            hottest_c: problem.initial_temperature_c,
            problem,
            run,
            recorder,
            since_s,
        })
    }

    fn t_s(&self) -> f64 {
        self.run.heating().time_s()
    }

    fn over(&self) -> bool {
        self.t_s() > self.run.end_s() - SAME_S
    }

    /// Goes on to a time of the lesion, s.
    fn advance_to(&mut self, to_s: f64, watch: Watch<'_>) -> Result<(), SessionError> {
        let (recorder, curve) = (&mut self.recorder, &mut self.curve);
        let (noted_s, hottest_c) = (&mut self.noted_s, &mut self.hottest_c);
        self.run
            .advance_to(to_s, &mut |heating, p| {
                recorder.see(heating);
                let r = heating.reading();
                *hottest_c = hottest_c.max(r.hottest_c);
                if r.t_s - *noted_s >= NOTED_S - SAME_S {
                    *noted_s = r.t_s;
                    curve.push(shown(heating));
                }
                watch(&format!(
                    "lesion: {:.0} of {:.0} s, {:.1} °C, {:.1} W",
                    p.t_s, p.end_s, p.thermocouple_c, p.power_w
                ))
            })
            .map_err(|e| match e {
                LesionError::Cancelled { .. } => SessionError::Cancelled,
                e => e.into(),
            })
    }

    /// The lesion as it is now.
    fn finish(
        self,
        case: &Case,
        plan: &HeatingNow,
        heated_s: f64,
        complete: bool,
    ) -> Result<(Lesion, LesionProblem, LesionResult), SessionError> {
        let result = self.run.finish()?;
        let cuts: Vec<_> = self.recorder.finish().iter().map(|h| cut(&case.catalog, h)).collect();
        let harm = Harm::new(&result, &cuts);
        let target = self.problem.nerves.iter().position(|n| n.target);
        let mut curve = plan.curve.clone();
        curve.extend(self.curve);
        let lesion = Lesion {
            set_c: plan.set_c,
            heated_s,
            held_s: (heated_s - plan.ramp_s).max(0.0),
            complete,
            contours: result.snapshots.last().map(|s| s.contours.clone()).unwrap_or_default(),
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

impl Furnace {
    /// Begins a lesion, and follows it to its end or for some seconds.
    pub(super) fn heat(
        &mut self,
        case: &Case,
        state: &State,
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
        state: &State,
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
        state: &State,
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
        let heated_s = from_s.min(live.problem.heating_s);
        live.run.set_outputs(&[0.0])?;
        live.advance_to(from_s + COOLING_S, watch)?;
        let took_s = live.t_s() - from_s;
        let complete = heated_s > live.problem.heating_s - SAME_S;
        let made = self.finish(live, case, plan, heated_s, complete)?;
        Ok(Done {
            events: vec![made],
            took_s,
        })
    }

    fn finish(
        &mut self,
        live: Live,
        case: &Case,
        plan: &HeatingNow,
        heated_s: f64,
        complete: bool,
    ) -> Result<Event, SessionError> {
        let (lesion, problem, result) = live.finish(case, plan, heated_s, complete)?;
        self.last = Some((problem, result));
        Ok(Event::LesionMade {
            lesion: Box::new(lesion),
        })
    }

    /// Goes on for some seconds, or to the end.
    fn follow(&mut self, case: &Case, plan: &HeatingNow, seconds: f64, watch: Watch<'_>) -> Result<Done, SessionError> {
        let mut live = self
            .live
            .take()
            .ok_or_else(|| impossible("wait", "no lesion runs", "`heat`"))?;
        let from_s = live.t_s();
        live.advance_to((from_s + seconds).min(live.run.end_s()), watch)?;
        let took_s = live.t_s() - from_s;
        if live.over() {
            let heated_s = live.problem.heating_s;
            let made = self.finish(live, case, plan, heated_s, true)?;
            return Ok(Done {
                events: vec![made],
                took_s,
            });
        }
        let events = std::mem::take(&mut live.curve)
            .into_iter()
            .map(|shown| Event::Heating { shown })
            .chain([Event::HeatingSeen { t_s: live.t_s() }])
            .collect();
        self.live = Some(live);
        Ok(Done { events, took_s })
    }

    /// Computes a lesion again up to where it was left, when a record is gone on with.
    fn again(
        &mut self,
        case: &Case,
        state: &State,
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
        self.live = Some(live);
        Ok(())
    }
}

fn running<'s>(state: &'s State, command: &'static str) -> Result<&'s HeatingNow, SessionError> {
    state
        .heating
        .as_ref()
        .ok_or_else(|| impossible(command, "no lesion runs", "`heat`"))
}

/// The lesion at its beginning.
fn begin(
    case: &Case,
    state: &State,
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
    Live::new(problem, case, plan.since_s)
}

/// What the patient feels of the heat.
fn felt(case: &Case, state: &State, drugs: &mut Drugs, watch: Watch<'_>) -> Result<Vec<Event>, SessionError> {
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
