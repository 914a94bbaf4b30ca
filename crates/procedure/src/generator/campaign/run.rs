//! One run of a campaign, step by step, and what came of it.

use serde::Serialize;

use super::{
    super::{
        Command, Event, EventKind, Generator, GeneratorError, Profile, State,
        faults::{Fault, Faulty, Target},
        watch::{Action, Rule},
    },
    Campaign, Case, MakePlant,
};

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// The run.
    pub case: Case,
    /// The first alarm from the fault's onset on.
    pub rule: Option<Rule>,
    /// Whether it is one of those meant to find this fault.
    pub meant: bool,
    /// From onset, or from the first output where the fault was there before, to that alarm, s; 0 where output was never let through.
    pub latency_s: Option<f64>,
    /// Longest allowed, s.
    pub limit_s: f64,
    /// Alarms that nothing called for: before the onset, or in a run without fault.
    pub false_alarms: usize,
    /// Whether no output came after the action.
    pub safe: bool,
    /// Whether the program came to its end.
    pub ended: bool,
    /// Hottest tissue in the run, °C.
    pub hottest_c: f64,
    /// Equivalent minutes at 43 °C of the hottest tissue until the output was off.
    pub cem43_min: f64,
    /// Hottest tissue above that of the same run without the fault at the same times, °C.
    pub excess_c: f64,
}

impl Run {
    /// Noticed by a rule that is meant to, in time, and made safe.
    pub fn good(&self) -> bool {
        self.false_alarms == 0
            && match self.case.fault {
                Some(_) => self.meant && self.safe && self.latency_s.is_some_and(|l| l <= self.limit_s + 1e-9),
                None => self.rule.is_none() && self.ended,
            }
    }
}

/// A run step by step: the hottest tissue at each, and whether output was on.
pub(super) struct Trace {
    pub(super) hottest_c: Vec<f64>,
    on: Vec<bool>,
    events: Vec<Event>,
    interval_s: f64,
    ended: bool,
}

/// Settling before the start, s.
const BEFORE_S: f64 = 1.0;

/// When a fault begins: counted from the start; 0 means before it, or with the first output for what only a change can tell.
fn onset_s(f: &Fault) -> f64 {
    if f.onset_s > 0.0 {
        BEFORE_S + f.onset_s
    } else if Fault::is_change(f.kind) {
        BEFORE_S + 1.5
    } else {
        0.0
    }
}

/// Follows a run to its end.
///
/// # Errors
/// [`GeneratorError`].
pub(super) fn trace<M: MakePlant>(
    profile: &Profile,
    campaign: &Campaign,
    case: &Case,
    plants: &M,
) -> Result<Trace, GeneratorError> {
    let program = case
        .mode
        .program(campaign.heat_s, &plants.usual(&case.plant, case.mode));
    let plant = plants.make(&case.plant, case.mode, case.channels)?;
    let stagger_s = program.stagger_s * (case.channels - 1) as f64;
    let mut generator = Generator::new(profile.clone(), case.channels, case.seed)?;
    let fault = case.fault.map(|f| Fault {
        onset_s: onset_s(&f),
        ..f
    });
    let mut plant = Faulty::new(plant, fault.into_iter().collect());
    let dt = generator.interval_s();
    let most_s = BEFORE_S + 3.0 * campaign.heat_s + 120.0 + stagger_s;
    let mut all = Trace {
        hottest_c: Vec::new(),
        on: Vec::new(),
        events: Vec::new(),
        interval_s: dt,
        ended: false,
    };
    generator.command(Command::Load(program))?;
    generator.command(Command::Arm)?;
    let (mut started, mut asked) = (false, false);
    for step in 0..(most_s / dt).ceil() as u64 {
        let t = step as f64 * dt;
        if !started && t + 1e-9 >= BEFORE_S {
            // Refused after a loss of mains.
            let _ = generator.command(Command::Start);
            started = true;
        }
        if let Some(f) = fault
            && !asked
            && f.is_there(t)
        {
            asked = true;
            // A refusal is what is looked for; it stands in the log.
            if let Some(command) = f.command() {
                let _ = generator.command(command);
            }
        }
        let around = plant.surroundings();
        generator.step_in(&mut plant, &around)?;
        all.hottest_c.push(plant.seen_hottest());
        all.on.push(generator.readings().channels.iter().any(|c| c.on));
        if started && generator.finished() {
            break;
        }
        if generator.state() == State::Interrupted && t > f64::max(BEFORE_S, fault.map_or(0.0, |f| f.onset_s)) + 5.0 {
            break;
        }
    }
    all.ended = generator.state() == State::Done;
    all.events = generator.events().to_vec();
    Ok(all)
}

impl<P: Target> Faulty<P> {
    fn seen_hottest(&self) -> f64 {
        super::super::Plant::seen(self).hottest_c
    }
}

/// Equivalent minutes at 43 °C (Sapareto and Dewey 1984): halved for each kelvin above, quartered for each below.
fn cem43_min(celsius: &[f64], dt_s: f64) -> f64 {
    let rate = |c: f64| {
        let r: f64 = if c >= 43.0 { 0.5 } else { 0.25 };
        if c < 39.0 { 0.0 } else { r.powf(43.0 - c.min(90.0)) }
    };
    celsius.iter().map(|c| rate(*c) * dt_s / 60.0).sum()
}

/// Carries out one run.
///
/// # Errors
/// [`GeneratorError`].
pub fn run<M: MakePlant>(
    profile: &Profile,
    campaign: &Campaign,
    case: &Case,
    plants: &M,
) -> Result<Run, GeneratorError> {
    let made = trace(profile, campaign, case, plants)?;
    let sound = match case.fault {
        Some(_) => trace(profile, campaign, &case.sound(), plants)?.hottest_c,
        None => Vec::new(),
    };
    Ok(judged(case, &made, &sound))
}

/// What came of a run, beside the hottest tissue of the same run without the fault.
pub(super) fn judged(case: &Case, made: &Trace, sound_c: &[f64]) -> Run {
    let alarms: Vec<(f64, Rule)> = made
        .events
        .iter()
        .filter_map(|e| match e.kind {
            EventKind::Alarm(rule) => Some((e.t_s, rule)),
            _ => None,
        })
        .collect();
    let hottest = |t: &Trace| t.hottest_c.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let last_on = made.on.iter().rposition(|on| *on).map_or(0, |i| i + 1);
    let mut out = Run {
        case: case.clone(),
        rule: None,
        meant: false,
        latency_s: None,
        limit_s: 0.0,
        false_alarms: 0,
        safe: true,
        ended: made.ended,
        hottest_c: hottest(made),
        cem43_min: cem43_min(&made.hottest_c[..last_on], made.interval_s),
        excess_c: 0.0,
    };
    let Some(fault) = case.fault else {
        out.false_alarms = alarms.len();
        out.rule = alarms.first().map(|a| a.1);
        return out;
    };
    let risk = fault.kind.risk();
    out.limit_s = risk.latency_s;
    let onset_s = onset_s(&fault);
    out.false_alarms = alarms.iter().filter(|a| a.0 + 1e-9 < onset_s).count();
    let mut since: Vec<&(f64, Rule)> = alarms.iter().filter(|a| a.0 + 1e-9 >= onset_s).collect();
    if let Some(first) = since.first().map(|a| a.0) {
        // Rules that answer in the same step: one that is meant for it is named first.
        since.retain(|a| a.0 <= first + 1e-9);
        since.sort_by_key(|a| !risk.rules.contains(&a.1));
        let (t, rule) = *since[0];
        out.rule = Some(rule);
        out.meant = risk.rules.contains(&rule);
        let first_on = made
            .on
            .iter()
            .position(|on| *on)
            .map_or(f64::INFINITY, |i| i as f64 * made.interval_s);
        let from = onset_s.max(first_on);
        out.latency_s = Some((t - from).max(0.0));
        let after = ((t / made.interval_s).round() as usize).min(made.on.len());
        out.safe = rule.action() != Action::Stop || made.on[after..].iter().all(|on| !on);
    }
    out.excess_c = made
        .hottest_c
        .iter()
        .zip(sound_c)
        .map(|(a, b)| a - b)
        .fold(0.0, f64::max);
    out
}
