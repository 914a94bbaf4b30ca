//! Every fault, at every time, in every mode, on every channel: was it noticed, by which rule, how soon, and what did it cost?

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    Command, Event, EventKind, Generator, GeneratorError, Mode, Profile, Program, State,
    faults::{Fault, FaultKind, Faulty, Target},
    program::{CoolantNeed, Stage, Stimulation, Until},
    watch::{Action, Rule},
};
use crate::lesion::LesionError;

/// Most runs of a campaign.
pub const MAX_RUNS: usize = 100_000;

/// The modes that a campaign runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Thermal lesion at 80 °C.
    Temperature,
    /// Two stages, 60 and 80 °C.
    Stages,
    /// Constant power.
    Power,
    /// Constant voltage.
    Voltage,
    /// Pulses of fixed voltage.
    Pulsed,
    /// Pulses whose voltage keeps the reading at or below 42 °C.
    PulsedAdapted,
    /// A counted dose of pulses.
    PulsedDose,
    /// Cooled probe.
    Cooled,
    /// A pair of needles.
    Bipolar,
}

impl Kind {
    /// All of them.
    pub const ALL: &'static [Kind] = &[
        Kind::Temperature,
        Kind::Stages,
        Kind::Power,
        Kind::Voltage,
        Kind::Pulsed,
        Kind::PulsedAdapted,
        Kind::PulsedDose,
        Kind::Cooled,
        Kind::Bipolar,
    ];

    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::Stages => "stages",
            Self::Power => "power",
            Self::Voltage => "voltage",
            Self::Pulsed => "pulsed",
            Self::PulsedAdapted => "pulsed_adapted",
            Self::PulsedDose => "pulsed_dose",
            Self::Cooled => "cooled",
            Self::Bipolar => "bipolar",
        }
    }

    /// The program of a run of about `heat_s` seconds.
    pub fn program(self, heat_s: f64) -> Program {
        let pulsed = |voltage_v, until, adapt_c| Mode::Pulsed {
            pulse_s: 0.02,
            rate_hz: 2.0,
            voltage_v,
            until,
            adapt_c,
            stop_c: 48.0,
        };
        match self {
            Self::Temperature => Program::temperature(80.0, 15.0, heat_s),
            Self::Bipolar => Program {
                bipolar: true,
                ..Program::temperature(80.0, 15.0, heat_s)
            },
            Self::Stages => Program::of(Mode::Temperature {
                stages: vec![
                    Stage {
                        ramp_c_per_s: 3.0,
                        set_c: 60.0,
                        hold_s: 0.4 * heat_s,
                    },
                    Stage {
                        ramp_c_per_s: 2.0,
                        set_c: 80.0,
                        hold_s: 0.6 * heat_s,
                    },
                ],
            }),
            Self::Power => Program::of(Mode::Power {
                power_w: 1.8,
                hold_s: heat_s + 15.0,
                stop_c: 95.0,
            }),
            Self::Voltage => Program::of(Mode::Voltage {
                voltage_v: 18.0,
                hold_s: heat_s + 15.0,
                stop_c: 95.0,
            }),
            Self::Pulsed => Program::of(pulsed(45.0, Until::Seconds(heat_s + 15.0), None)),
            Self::PulsedAdapted => Program::of(pulsed(60.0, Until::Seconds(heat_s + 15.0), Some(42.0))),
            Self::PulsedDose => Program::of(pulsed(45.0, Until::Pulses((2.0 * (heat_s + 15.0)) as u32), None)),
            Self::Cooled => Program {
                coolant: Some(CoolantNeed {
                    flow_ml_per_min: 20.0,
                    temperature_c: 22.0,
                }),
                ..Program::of(Mode::Temperature {
                    stages: vec![Stage {
                        ramp_c_per_s: 1.5,
                        set_c: 60.0,
                        hold_s: heat_s,
                    }],
                })
            },
        }
    }

    /// Whether a fault can happen in this mode, and mean something.
    pub fn meets(self, fault: FaultKind) -> bool {
        let held = matches!(self, Self::Temperature | Self::Stages | Self::Cooled | Self::Bipolar);
        match fault {
            FaultKind::CoolantStopped | FaultKind::CoolantWarm => self == Self::Cooled,
            FaultKind::PadMissing | FaultKind::PadHalfOff => self != Self::Bipolar,
            FaultKind::SetPointNotReached | FaultKind::LimitActive => held,
            _ => true,
        }
    }
}

/// Makes the plant of a mode for a number of channels.
pub trait MakePlant: Sync {
    /// The plants it makes.
    type Plant: Target;
    /// A plant at rest.
    ///
    /// # Errors
    /// [`LesionError`], of a plant that solves fields.
    fn make(&self, kind: Kind, channels: usize) -> Result<Self::Plant, LesionError>;
}

/// Makes [`super::Lumped`] plants.
#[derive(Debug, Clone, Copy)]
pub struct LumpedPlants;

impl MakePlant for LumpedPlants {
    type Plant = super::Lumped;
    fn make(&self, kind: Kind, channels: usize) -> Result<Self::Plant, LesionError> {
        Ok(match kind {
            Kind::Bipolar => super::Lumped::bipolar(channels),
            Kind::Cooled => super::Lumped::cooled(channels, 22.0),
            _ => super::Lumped::monopolar(channels),
        })
    }
}

/// A fault of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Which.
    pub kind: FaultKind,
    /// Its size; none: the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    /// How long it lasts, s; none: it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
}

/// What a campaign does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Title.
    pub title: String,
    /// Generator of the catalogue.
    pub generator: String,
    /// Modes.
    pub modes: Vec<Kind>,
    /// Numbers of channels.
    pub channels: Vec<usize>,
    /// Onsets, s after the start; 0: there before the start.
    pub onsets_s: Vec<f64>,
    /// Seeds of the instruments' noise.
    pub seeds: Vec<u64>,
    /// How long a lesion is held, s.
    pub heat_s: f64,
    /// How many seeds are run without a fault, for false alarms.
    pub faultless_seeds: u64,
    /// The faults; none: all, of their usual size.
    #[serde(default, rename = "fault", skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultSpec>,
}

impl Campaign {
    /// What is wrong with it: key, what was found, what was expected.
    pub fn fault(&self) -> Option<(&'static str, String, String)> {
        let bad = |key, found: String, expected: &str| Some((key, found, expected.to_owned()));
        if self.modes.is_empty() {
            return bad("modes", "an empty list".into(), "at least one mode");
        }
        if let Some(c) = self.channels.iter().find(|c| !(1..=4).contains(*c)) {
            return bad("channels", c.to_string(), "1 to 4");
        }
        if self.channels.is_empty() || self.seeds.is_empty() || self.onsets_s.is_empty() {
            return bad(
                "channels, seeds or onsets_s",
                "an empty list".into(),
                "at least one of each",
            );
        }
        if let Some(t) = self.onsets_s.iter().find(|t| !(0.0..=600.0).contains(*t)) {
            return bad("onsets_s", t.to_string(), "0 to 600 s");
        }
        if !(5.0..=600.0).contains(&self.heat_s) {
            return bad("heat_s", self.heat_s.to_string(), "5 to 600 s");
        }
        let numbers = |f: &FaultSpec| {
            f.size.is_none_or(|s| (0.0..=1e6).contains(&s)) && f.duration_s.is_none_or(|s| (0.1..=1e6).contains(&s))
        };
        if self.faults.iter().any(|f| !numbers(f)) {
            return bad(
                "fault",
                "a size or duration_s out of range".into(),
                "sizes of 0 to 1e6, durations of 0.1 to 1e6 s",
            );
        }
        let runs = self.faultless().len() + self.cases().len();
        if runs > MAX_RUNS {
            return bad(
                "modes, channels, onsets_s, seeds",
                format!("{runs} runs"),
                "at most 100000 runs",
            );
        }
        None
    }

    /// The faults with their sizes.
    fn listed(&self) -> Vec<FaultSpec> {
        if !self.faults.is_empty() {
            return self.faults.clone();
        }
        let usual = |kind: &FaultKind| FaultSpec {
            kind: *kind,
            size: None,
            duration_s: None,
        };
        FaultKind::ALL.iter().map(usual).collect()
    }

    /// All runs with a fault.
    pub fn cases(&self) -> Vec<Case> {
        let mut all = Vec::new();
        for spec in self.listed() {
            for &mode in self.modes.iter().filter(|m| m.meets(spec.kind)) {
                for &channels in &self.channels {
                    for &onset_s in &self.onsets_s {
                        // Cables are exchanged before a lesion, not in it.
                        if spec.kind == FaultKind::ThermocoupleWrongChannel && onset_s > 0.0 {
                            continue;
                        }
                        for &seed in &self.seeds {
                            let usual = Fault::usual(spec.kind, onset_s, 0);
                            all.push(Case {
                                mode,
                                channels,
                                seed,
                                fault: Some(Fault {
                                    size: spec.size.unwrap_or(usual.size),
                                    duration_s: spec.duration_s.unwrap_or(usual.duration_s),
                                    ..usual
                                }),
                            });
                        }
                    }
                }
            }
        }
        all
    }

    /// All runs without one.
    pub fn faultless(&self) -> Vec<Case> {
        let mut all = Vec::new();
        for &mode in &self.modes {
            for &channels in &self.channels {
                for seed in 0..self.faultless_seeds {
                    all.push(Case {
                        mode,
                        channels,
                        seed: 1000 + seed,
                        fault: None,
                    });
                }
            }
        }
        all
    }
}

/// A run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Case {
    /// Mode.
    pub mode: Kind,
    /// Channels.
    pub channels: usize,
    /// Seed.
    pub seed: u64,
    /// The fault.
    pub fault: Option<Fault>,
}

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
struct Trace {
    hottest_c: Vec<f64>,
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

fn trace<P: Target>(profile: &Profile, campaign: &Campaign, case: &Case, plant: P) -> Result<Trace, GeneratorError> {
    let program = case.mode.program(campaign.heat_s);
    let stagger_s = program.stagger_s * (case.channels - 1) as f64;
    let mut generator = Generator::new(profile.clone(), case.channels, case.seed)?;
    let fault = case.fault.map(|f| Fault {
        onset_s: onset_s(&f),
        ..f
    });
    let mut plant = Faulty::new(plant, fault);
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
            match f.kind {
                FaultKind::EmergencyStop => {
                    let _ = generator.command(Command::EmergencyStop);
                }
                FaultKind::StimulationWhileArmed => {
                    let _ = generator.command(Command::Stimulate(Stimulation {
                        rate_hz: 50.0,
                        pulse_s: 1e-3,
                        amplitude_v: 1.0,
                        ramp_s: 0.0,
                        channel: 0,
                    }));
                }
                _ => {}
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
        super::Plant::seen(self).hottest_c
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
    let made = trace(profile, campaign, case, plants.make(case.mode, case.channels)?)?;
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
        case: *case,
        rule: None,
        meant: false,
        latency_s: None,
        limit_s: 0.0,
        false_alarms: 0,
        safe: true,
        ended: made.ended,
        hottest_c: hottest(&made),
        cem43_min: cem43_min(&made.hottest_c[..last_on], made.interval_s),
        excess_c: 0.0,
    };
    let Some(fault) = case.fault else {
        out.false_alarms = alarms.len();
        out.rule = alarms.first().map(|a| a.1);
        return Ok(out);
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
    let sound = trace(
        profile,
        campaign,
        &Case { fault: None, ..*case },
        plants.make(case.mode, case.channels)?,
    )?;
    out.excess_c = made
        .hottest_c
        .iter()
        .zip(&sound.hottest_c)
        .map(|(a, b)| a - b)
        .fold(0.0, f64::max);
    Ok(out)
}

/// What came of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Runs with a fault.
    pub runs: Vec<Run>,
    /// Runs without one.
    pub faultless: Vec<Run>,
}

/// The runs of one fault in one mode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// Fault.
    pub fault: FaultKind,
    /// Mode.
    pub mode: Kind,
    /// Runs.
    pub runs: usize,
    /// Of those, found by a rule meant to, in time, and made safe.
    pub good: usize,
    /// Not found at all.
    pub missed: usize,
    /// Longest time to an alarm, s.
    pub latency_s: f64,
    /// Longest allowed, s.
    pub limit_s: f64,
    /// Rules that found it.
    pub rules: Vec<Rule>,
    /// Largest excess of the hottest tissue, °C.
    pub excess_c: f64,
    /// Hottest tissue, °C.
    pub hottest_c: f64,
}

impl Outcome {
    /// The matrix, fault by fault and mode by mode.
    pub fn matrix(&self) -> Vec<Cell> {
        let mut cells = std::collections::BTreeMap::<(FaultKind, Kind), Cell>::new();
        for r in &self.runs {
            let Some(f) = r.case.fault else { continue };
            let c = cells.entry((f.kind, r.case.mode)).or_insert_with(|| Cell {
                fault: f.kind,
                mode: r.case.mode,
                runs: 0,
                good: 0,
                missed: 0,
                latency_s: 0.0,
                limit_s: r.limit_s,
                rules: Vec::new(),
                excess_c: 0.0,
                hottest_c: 0.0,
            });
            c.runs += 1;
            c.good += usize::from(r.good());
            c.missed += usize::from(r.rule.is_none());
            c.latency_s = c.latency_s.max(r.latency_s.unwrap_or(0.0));
            c.excess_c = c.excess_c.max(r.excess_c);
            c.hottest_c = c.hottest_c.max(r.hottest_c);
            if let Some(rule) = r.rule
                && !c.rules.contains(&rule)
            {
                c.rules.push(rule);
                c.rules.sort();
            }
        }
        cells.into_values().collect()
    }

    /// Alarms that nothing called for.
    pub fn false_alarms(&self) -> usize {
        self.runs.iter().chain(&self.faultless).map(|r| r.false_alarms).sum()
    }

    /// Runs in which something was missed, late, unsafe or false.
    pub fn bad(&self) -> Vec<&Run> {
        self.runs.iter().chain(&self.faultless).filter(|r| !r.good()).collect()
    }
}

/// Carries out a campaign on all threads; `tell` hears of each run that is over and stops everything by returning false. The outcome does not
/// depend on the number of threads.
///
/// # Errors
/// [`GeneratorError`]; [`LesionError::Cancelled`] in it when stopped.
pub fn carry_out<M: MakePlant>(
    profile: &Profile,
    campaign: &Campaign,
    plants: &M,
    tell: &(dyn Fn() -> bool + Sync),
) -> Result<Outcome, GeneratorError> {
    let all = |cases: Vec<Case>| {
        cases
            .par_iter()
            .map(|case| {
                if !tell() {
                    return Err(GeneratorError::Lesion(LesionError::Cancelled { t_s: 0.0 }));
                }
                run(profile, campaign, case, plants)
            })
            .collect::<Result<Vec<Run>, GeneratorError>>()
    };
    Ok(Outcome {
        runs: all(campaign.cases())?,
        faultless: all(campaign.faultless())?,
    })
}
