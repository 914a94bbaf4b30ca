//! The machine of states.

use serde::{Deserialize, Serialize};

use super::{
    Mode, Plant, Profile, Program,
    control::{Controller, Demand, Pid},
    program::{Stimulation, Until},
    sensing::{ChannelReading, Limit, Noise, Readings, Thermocouple, rounded},
    watch::{Action, Look, Rule, Watch},
};
use crate::lesion::LesionError;

/// Most channels.
pub const MAX_CHANNELS: usize = 4;
/// How long a start is checked before output is let through, s.
const CHECK_S: f64 = 0.5;
/// How near a reading must come to what is set for the hold's clock to start, °C.
const REACHED_C: f64 = 1.0;
/// Share of a limit that is used, so that readings with noise keep the true output below it.
const GUARD: f64 = 0.98;
/// Most rows of curves.
const MAX_CURVE: usize = 100_000;

/// Why a generator does not do what it is told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GeneratorError {
    /// Wrong number of channels.
    #[error("generator: {found} channels; expected 1 to {MAX_CHANNELS}; choose fewer")]
    Channels {
        /// As given.
        found: usize,
    },
    /// A program that it cannot carry out.
    #[error("generator: program: {key} is {found}; expected {expected}; correct the program")]
    Program {
        /// Key of the program.
        key: &'static str,
        /// Value found.
        found: f64,
        /// What was expected.
        expected: String,
    },
    /// A command that does not fit the state.
    #[error("generator: {command} while {state:?}; expected {expected}; do that first")]
    Refused {
        /// The command.
        command: &'static str,
        /// The state.
        state: State,
        /// What was expected.
        expected: &'static str,
    },
    /// A plant that does not fit.
    #[error(
        "generator: a plant with {channels} channels and {needles} thermocouples; expected {expected}; connect the right electrodes"
    )]
    Plant {
        /// Its channels.
        channels: usize,
        /// Its thermocouples.
        needles: usize,
        /// What was expected.
        expected: String,
    },
    /// The plant failed.
    #[error(transparent)]
    Lesion(#[from] LesionError),
}

/// State of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing is armed.
    Idle,
    /// Ready to start.
    Armed,
    /// Impedance, temperature and pad are checked before output.
    Checking,
    /// Radiofrequency on.
    Running,
    /// Output off, the program's clock stands.
    Paused,
    /// Heating is over, readings are shown.
    PostHeat,
    /// The program is over.
    Done,
    /// Test stimulation.
    Stimulating,
    /// An alarm has switched the output off.
    Alarm,
    /// Mains lost in a lesion, or back and not yet resumed.
    Interrupted,
    /// Emergency stop pressed, not yet reset.
    Emergency,
}

/// What an operator does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Set the program.
    Load(Program),
    /// Make ready.
    Arm,
    /// Undo that.
    Disarm,
    /// Start the program.
    Start,
    /// Output off, go on later.
    Pause,
    /// Go on after a pause or a loss of mains.
    Resume,
    /// End the program.
    Stop,
    /// Stimulate.
    Stimulate(Stimulation),
    /// Acknowledge an alarm.
    Acknowledge,
    /// Press the emergency stop.
    EmergencyStop,
    /// Release it.
    Reset,
}

/// What a generator senses besides the electrodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surroundings {
    /// Mains there.
    pub mains: bool,
    /// Impedance between the halves of the return pad, Ω; infinite without a pad.
    pub pad_ohm: f64,
    /// Flow of coolant over what is asked for.
    pub coolant_flow_fraction: f64,
    /// How much warmer than asked for the coolant is, °C.
    pub coolant_warmer_c: f64,
    /// A needle whose converter returns its last value.
    pub frozen_needle: Option<usize>,
}

impl Default for Surroundings {
    /// All is well.
    fn default() -> Self {
        Self {
            mains: true,
            pad_ohm: 70.0,
            coolant_flow_fraction: 1.0,
            coolant_warmer_c: 0.0,
            frozen_needle: None,
        }
    }
}

/// Kind of an entry in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A change of state.
    State(State),
    /// A rule has found something.
    Alarm(Rule),
    /// A channel has begun a stage.
    Stage(usize),
    /// A channel has ended.
    ChannelDone,
    /// Mains are back.
    MainsBack,
}

/// An entry in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Time since switching on, s.
    pub t_s: f64,
    /// Channel, where it concerns one.
    pub channel: Option<usize>,
    /// What happened.
    pub kind: EventKind,
    /// In words.
    pub text: String,
}

/// Where a channel is in its program. Times in µs, so that pulses are counted without rounding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Channel<C> {
    controller: C,
    watch: Watch,
    driven_us: u64,
    stage: usize,
    holding: bool,
    from_c: f64,
    stage_us: u64,
    hold_us: u64,
    waiting_us: u64,
    pulses: u32,
    pulse_open: bool,
    done: bool,
    applied_w: f64,
    set_c: Option<f64>,
    limit: Option<Limit>,
    impedance_ohm: f64,
}

/// A generator with 1 to 4 channels and a shared return pad. Everything that it will do follows from its seed, its commands, and the plant; it can
/// be written and read back (serde) between any two steps and then goes on with the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generator<C = Pid> {
    profile: Profile,
    noise: Noise,
    steps: u64,
    t_us: u64,
    state: State,
    program: Option<Program>,
    heating_us: u64,
    state_us: u64,
    channels: Vec<Channel<C>>,
    needles: Vec<Thermocouple>,
    stimulation: Option<Stimulation>,
    pad_start_ohm: Option<f64>,
    /// What each needle read when output was let through, °C.
    start_c: Vec<f64>,
    mains_lost_us: Option<u64>,
    mains: bool,
    resumable: bool,
    resumed: bool,
    events: Vec<Event>,
    curves: Vec<Readings>,
    readings: Readings,
}

impl Generator<Pid> {
    /// A generator with the usual controller, switched on.
    ///
    /// # Errors
    /// [`GeneratorError::Channels`].
    pub fn new(profile: Profile, channels: usize, seed: u64) -> Result<Self, GeneratorError> {
        Self::with_controller(profile, channels, seed, Pid::default())
    }
}

impl<C: Controller + Clone> Generator<C> {
    /// A generator whose channels each have a copy of this controller.
    ///
    /// # Errors
    /// [`GeneratorError::Channels`].
    pub fn with_controller(
        profile: Profile,
        channels: usize,
        seed: u64,
        controller: C,
    ) -> Result<Self, GeneratorError> {
        if !(1..=MAX_CHANNELS).contains(&channels) {
            return Err(GeneratorError::Channels { found: channels });
        }
        let channel = Channel {
            controller,
            watch: Watch::new(),
            driven_us: 0,
            stage: 0,
            holding: false,
            from_c: 37.0,
            stage_us: 0,
            hold_us: 0,
            waiting_us: 0,
            pulses: 0,
            pulse_open: false,
            done: false,
            applied_w: 0.0,
            set_c: None,
            limit: None,
            impedance_ohm: f64::MAX,
        };
        Ok(Self {
            profile,
            noise: Noise { seed },
            steps: 0,
            t_us: 0,
            state: State::Idle,
            program: None,
            heating_us: 0,
            state_us: 0,
            channels: vec![channel; channels],
            needles: Vec::new(),
            stimulation: None,
            pad_start_ohm: None,
            start_c: Vec::new(),
            mains_lost_us: None,
            mains: true,
            resumable: false,
            resumed: false,
            events: Vec::new(),
            curves: Vec::new(),
            readings: Readings {
                t_s: 0.0,
                heating_s: 0.0,
                state: State::Idle,
                channels: Vec::new(),
            },
        })
    }

    /// The log.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What it has shown, one row a step from arming on.
    pub fn curves(&self) -> &[Readings] {
        &self.curves
    }

    /// What it shows now.
    pub fn readings(&self) -> &Readings {
        &self.readings
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Its profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The control interval: how far a step goes, s.
    pub fn interval_s(&self) -> f64 {
        self.interval_us() as f64 * 1e-6
    }

    /// True when nothing more will come without a command.
    pub fn finished(&self) -> bool {
        matches!(self.state, State::Idle | State::Done | State::Alarm | State::Emergency)
            || (self.state == State::Interrupted && self.mains)
    }

    /// Time since the state was entered, s.
    pub fn in_state_s(&self) -> f64 {
        self.state_us as f64 * 1e-6
    }

    /// Whether a lesion that was interrupted may be resumed now.
    pub fn may_resume(&self) -> bool {
        self.state == State::Interrupted && self.mains && self.resumable
    }

    /// Loads, arms and starts.
    ///
    /// # Errors
    /// [`GeneratorError`].
    pub fn start(&mut self, program: Program) -> Result<(), GeneratorError> {
        self.command(Command::Load(program))?;
        self.command(Command::Arm)?;
        self.command(Command::Start)
    }

    /// Obeys a command or says why not.
    ///
    /// # Errors
    /// [`GeneratorError`].
    pub fn command(&mut self, command: Command) -> Result<(), GeneratorError> {
        use State::{
            Alarm, Armed, Checking, Done, Emergency, Idle, Interrupted, Paused, PostHeat, Running, Stimulating,
        };
        let state = self.state;
        let refused = |command, expected| {
            Err(GeneratorError::Refused {
                command,
                state,
                expected,
            })
        };
        match command {
            Command::EmergencyStop => {
                self.alarm(None, Rule::EmergencyStop);
                self.enter(Emergency);
            }
            Command::Load(program) => {
                if !matches!(state, Idle | Done) {
                    return refused("load", "nothing armed");
                }
                if let Some((key, found, expected)) = program.fault(&self.profile) {
                    return Err(GeneratorError::Program { key, found, expected });
                }
                self.program = Some(program);
            }
            Command::Arm => match (state, &self.program) {
                (Idle | Done, Some(_)) => self.enter(Armed),
                _ => return refused("arm", "a program, and nothing armed"),
            },
            Command::Disarm if state == Armed => self.enter(Idle),
            Command::Disarm => return refused("disarm", "an armed generator"),
            Command::Start if state == Armed => {
                self.rewind();
                self.enter(Checking);
            }
            Command::Start => return refused("start", "an armed generator"),
            Command::Pause if state == Running => self.enter(Paused),
            Command::Pause => return refused("pause", "a running program"),
            Command::Resume => {
                let may = state == Paused || (state == Interrupted && self.mains && self.resumable);
                if !may {
                    return refused("resume", "a pause, or a short loss of mains that is over");
                }
                self.resumed = true;
                self.ramp_again();
                self.enter(Checking);
            }
            Command::Stop => match state {
                Checking | Running | Paused | Interrupted | PostHeat => self.enter(Done),
                Stimulating => self.enter(Idle),
                _ => return refused("stop", "something to be stopped"),
            },
            Command::Stimulate(what) => {
                if !matches!(state, Idle | Done) {
                    self.alarm(Some(what.channel), Rule::Interlock);
                    return refused("stimulate", "nothing armed");
                }
                if let Some((key, found, expected)) = what.fault(self.channels.len()) {
                    return Err(GeneratorError::Program { key, found, expected });
                }
                self.stimulation = Some(what);
                self.enter(Stimulating);
            }
            Command::Acknowledge if state == Alarm => self.enter(Idle),
            Command::Acknowledge => return refused("acknowledge", "an alarm"),
            Command::Reset if state == Emergency => self.enter(Idle),
            Command::Reset => return refused("reset", "an emergency stop"),
        }
        Ok(())
    }

    /// Goes on by one control interval where all is well round the generator.
    ///
    /// # Errors
    /// [`GeneratorError`].
    pub fn step(&mut self, plant: &mut dyn Plant) -> Result<&Readings, GeneratorError> {
        self.step_in(plant, &Surroundings::default())
    }

    /// Goes on by one control interval.
    ///
    /// # Errors
    /// [`GeneratorError`].
    pub fn step_in(&mut self, plant: &mut dyn Plant, around: &Surroundings) -> Result<&Readings, GeneratorError> {
        self.connect(plant)?;
        let dt_us = self.interval_us();
        let dt_s = dt_us as f64 * 1e-6;
        self.meet_mains(around);
        let volts = self.wanted_volts(dt_s);
        let put = self.put_out(plant, &volts, dt_us)?;
        self.t_us += dt_us;
        self.state_us += dt_us;
        self.steps += 1;
        if around.mains {
            self.read(plant, around);
            self.judge(around, &put, dt_s);
        }
        if self.state == State::Running {
            self.heating_us += dt_us;
            self.go_on(dt_us);
        }
        self.move_on();
        self.show(&put);
        Ok(&self.readings)
    }

    fn interval_us(&self) -> u64 {
        (self.profile.sampling_s * 1e6).round().clamp(1e3, 1e6) as u64
    }

    fn t_s(&self) -> f64 {
        self.t_us as f64 * 1e-6
    }

    /// Needles of a channel.
    fn per_channel(&self) -> usize {
        self.needles.len() / self.channels.len()
    }

    fn connect(&mut self, plant: &dyn Plant) -> Result<(), GeneratorError> {
        let (channels, needles) = (plant.channels(), plant.seen().thermocouples_c.len());
        let bipolar = self.program.as_ref().map(|p| p.bipolar);
        let n = self.channels.len();
        let fits = channels == n
            && match bipolar {
                Some(true) => needles == 2 * n,
                Some(false) => needles == n,
                None => needles == n || needles == 2 * n,
            };
        if !fits {
            return Err(GeneratorError::Plant {
                channels,
                needles,
                expected: format!("{n} channels with one thermocouple each, two each for a bipolar program"),
            });
        }
        if self.needles.len() != needles {
            self.needles = plant
                .seen()
                .thermocouples_c
                .iter()
                .map(|c| Thermocouple {
                    junction_c: if c.is_finite() { *c } else { 1e3 },
                    raw_c: *c,
                })
                .collect();
        }
        Ok(())
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.state_us = 0;
        self.log(None, EventKind::State(state), format!("{state:?}"));
    }

    fn log(&mut self, channel: Option<usize>, kind: EventKind, text: String) {
        if self.events.len() < MAX_CURVE {
            self.events.push(Event {
                t_s: self.t_s(),
                channel,
                kind,
                text,
            });
        }
    }

    fn alarm(&mut self, channel: Option<usize>, rule: Rule) {
        let at = channel.map_or(String::new(), |k| format!("channel {}: ", k + 1));
        self.log(channel, EventKind::Alarm(rule), format!("{at}{}", rule.text()));
        if rule.action() == Action::Stop && self.state != State::Emergency && rule != Rule::PowerLost {
            self.enter(State::Alarm);
        }
    }

    /// Everything of the program from its start.
    fn rewind(&mut self) {
        self.heating_us = 0;
        self.pad_start_ohm = None;
        self.resumed = false;
        for c in &mut self.channels {
            c.watch = Watch::new();
            (c.driven_us, c.stage, c.stage_us, c.hold_us, c.waiting_us) = (0, 0, 0, 0, 0);
            (c.holding, c.pulse_open, c.done) = (false, false, false);
            (c.pulses, c.applied_w, c.set_c, c.limit) = (0, 0.0, None, None);
        }
    }

    /// After a break: ramps to the set point again from where the reading is; what was held counts.
    fn ramp_again(&mut self) {
        for k in 0..self.channels.len() {
            let reading = self.hottest(k);
            let c = &mut self.channels[k];
            c.watch = Watch::new();
            (c.holding, c.stage_us, c.waiting_us) = (false, 0, 0);
            (c.from_c, c.applied_w, c.pulse_open) = (reading, 0.0, false);
            c.controller.reset(reading);
        }
    }

    fn meet_mains(&mut self, around: &Surroundings) {
        if self.mains && !around.mains {
            self.mains_lost_us = Some(self.t_us);
            self.alarm(None, Rule::PowerLost);
            let lesion = matches!(self.state, State::Checking | State::Running | State::Paused);
            if lesion {
                self.enter(State::Interrupted);
            } else if !matches!(self.state, State::Interrupted | State::Alarm | State::Emergency) {
                self.enter(State::Idle);
            }
        } else if !self.mains && around.mains {
            let lost_s = self.mains_lost_us.map_or(0.0, |t| (self.t_us - t) as f64 * 1e-6);
            self.resumable = lost_s <= self.profile.resume_s;
            let may = if self.resumable { "may" } else { "may not" };
            self.log(
                None,
                EventKind::MainsBack,
                format!("mains back after {lost_s:.1} s; the lesion {may} be resumed"),
            );
        }
        self.mains = around.mains;
    }

    /// The hotter converter value of a channel's needles.
    fn hottest(&self, k: usize) -> f64 {
        let per = self.per_channel();
        self.needles[k * per..(k + 1) * per]
            .iter()
            .map(|n| n.raw_c)
            .fold(f64::NEG_INFINITY, f64::max)
    }

    fn stagger_us(&self, k: usize) -> u64 {
        // A resumed lesion starts all its channels at once.
        match &self.program {
            Some(p) => (p.stagger_s * 1e6 * k as f64).round() as u64,
            None => 0,
        }
    }

    fn driven(&self, k: usize) -> bool {
        self.state == State::Running && !self.channels[k].done && self.heating_us >= self.stagger_us(k)
    }

    /// Voltages (in a pulse, for pulses) that the program wants within the limits.
    fn wanted_volts(&mut self, dt_s: f64) -> Vec<f64> {
        let n = self.channels.len();
        let mut volts = vec![0.0; n];
        if let (State::Stimulating, Some(s)) = (self.state, self.stimulation) {
            let share = if s.ramp_s > 0.0 {
                (self.state_us as f64 * 1e-6 / s.ramp_s).min(1.0)
            } else {
                1.0
            };
            volts[s.channel] = s.amplitude_v * share;
            return volts;
        }
        let Some(program) = self.program.clone() else {
            return volts;
        };
        let mut powers = vec![0.0; n];
        for k in 0..n {
            if self.driven(k) {
                powers[k] = self.wanted_power(k, &program, dt_s);
            } else {
                let c = &mut self.channels[k];
                (c.applied_w, c.limit) = (0.0, None);
            }
        }
        // The channels share one output stage.
        let total: f64 = powers.iter().sum();
        let most = GUARD * self.profile.max_total_power_w;
        for (k, power) in powers.iter_mut().enumerate() {
            let c = &mut self.channels[k];
            if total > most {
                *power *= most / total;
                c.limit = Some(Limit::TotalPower);
            }
            c.applied_w = *power * program.duty();
            volts[k] = (*power * c.impedance_ohm).max(0.0).sqrt();
            if !volts[k].is_finite() {
                volts[k] = 0.0;
            }
        }
        volts
    }

    /// Power of a channel while its pulse is on, after its own limits, W.
    fn wanted_power(&mut self, k: usize, program: &Program, dt_s: f64) -> f64 {
        let reading = self.hottest(k);
        let offset = program.offsets_c.get(k).copied().unwrap_or(0.0);
        let needles = self.per_channel() as f64;
        let p = &self.profile;
        let c = &mut self.channels[k];
        let ohm = c.impedance_ohm;
        if c.driven_us == 0 {
            c.from_c = reading;
            c.controller.reset(reading);
        }
        let caps = [
            (Limit::Voltage, (GUARD * p.max_voltage_v).powi(2) / ohm),
            (Limit::Current, (GUARD * p.max_current_a).powi(2) * ohm),
            (Limit::Power, GUARD * p.max_power_w),
        ];
        let (which, cap) = caps
            .into_iter()
            .reduce(|a, b| if b.1 < a.1 { b } else { a })
            .unwrap_or((Limit::Power, 0.0));
        let slewed = c.applied_w + p.power_slew_w_per_s * dt_s;
        let duty = program.duty();
        let mut demand = Demand {
            set_c: reading,
            set_rate_c_per_s: 0.0,
            reading_c: reading,
            applied_w: c.applied_w,
            most_w: cap,
            dt_s,
        };
        let wanted = match &program.mode {
            Mode::Temperature { stages } => {
                let stage = stages[c.stage.min(stages.len() - 1)];
                let target = stage.set_c + offset;
                let way = target - c.from_c;
                let gone = stage.ramp_c_per_s * c.stage_us as f64 * 1e-6;
                let ramping = gone < way.abs();
                demand.set_c = if ramping {
                    c.from_c + gone * way.signum()
                } else {
                    target
                };
                demand.set_rate_c_per_s = if ramping {
                    stage.ramp_c_per_s * way.signum()
                } else {
                    0.0
                };
                c.set_c = Some(demand.set_c);
                demand.applied_w /= needles;
                demand.most_w /= needles;
                needles * c.controller.power_w(&demand)
            }
            Mode::Power { power_w, .. } => *power_w,
            Mode::Pulsed {
                voltage_v,
                adapt_c: Some(adapt),
                ..
            } => {
                let own = voltage_v.powi(2) / ohm;
                demand.most_w = own.min(cap) * duty / needles;
                demand.applied_w /= needles;
                demand.set_c = adapt - 0.5;
                c.set_c = Some(*adapt);
                let mean = needles * c.controller.power_w(&demand);
                c.set_c = None;
                mean / duty
            }
            Mode::Voltage { voltage_v, .. } | Mode::Pulsed { voltage_v, .. } => voltage_v.powi(2) / ohm,
        };
        c.limit = None;
        let mut power = if wanted.is_finite() { wanted.max(0.0) } else { 0.0 };
        let pulsed = matches!(program.mode, Mode::Pulsed { .. });
        if !pulsed && power > slewed {
            power = slewed;
            c.limit = Some(Limit::Slew);
        }
        if power >= cap {
            power = cap;
            c.limit = Some(which);
        }
        power
    }

    /// Lets voltages through for one interval, pulse by pulse.
    fn put_out(&mut self, plant: &mut dyn Plant, volts: &[f64], dt_us: u64) -> Result<Vec<Put>, GeneratorError> {
        let n = self.channels.len();
        let mut put = vec![Put::default(); n];
        let train = self.train();
        let stimulating = self.state == State::Stimulating;
        let on: Vec<bool> = (0..n)
            .map(|k| self.driven(k) || (stimulating && self.stimulation.is_some_and(|s| s.channel == k)))
            .collect();
        let limit = match &self.program {
            Some(Program {
                mode:
                    Mode::Pulsed {
                        until: Until::Pulses(m),
                        ..
                    },
                ..
            }) if !stimulating => *m,
            _ => u32::MAX,
        };
        let mut at = 0;
        while at < dt_us {
            let mut next = dt_us;
            let mut now = vec![0.0; n];
            for k in 0..n {
                if !on[k] {
                    continue;
                }
                let Some((period, width)) = train else {
                    now[k] = volts[k];
                    continue;
                };
                let since = if stimulating {
                    self.state_us
                } else {
                    self.channels[k].driven_us
                };
                let phase = (since + at) % period;
                let c = &mut self.channels[k];
                if phase < width {
                    if !c.pulse_open && c.pulses < limit {
                        c.pulse_open = true;
                        c.pulses = c.pulses.saturating_add(1);
                    }
                    next = next.min(at + width - phase);
                    now[k] = if c.pulse_open { volts[k] } else { 0.0 };
                } else {
                    c.pulse_open = false;
                    next = next.min(at + period - phase);
                }
            }
            // The output stage limits at once, whatever the readings say.
            for (v, ohm) in now.iter_mut().zip(&plant.seen().impedance_ohm) {
                let p = &self.profile;
                let most = (GUARD * p.max_voltage_v)
                    .min(GUARD * p.max_current_a * ohm)
                    .min((GUARD * p.max_power_w * ohm).max(0.0).sqrt());
                *v = if v.is_finite() && most.is_finite() {
                    v.min(most).max(0.0)
                } else {
                    0.0
                };
            }
            let part_s = (next - at) as f64 * 1e-6;
            plant.advance(&now, part_s)?;
            for k in 0..n {
                let (i, v) = (plant.seen().current_a[k], plant.seen().voltage_v[k]);
                put[k].energy_j += i * v * part_s;
                if now[k] > 0.0 {
                    put[k].asked_v = now[k];
                    put[k].volts = v;
                    put[k].amps = i;
                }
            }
            for (needle, c) in self.needles.iter_mut().zip(&plant.seen().thermocouples_c) {
                let c = if c.is_finite() { *c } else { 1e3 };
                needle.follow(c, part_s, self.profile.thermocouple_lag_s);
            }
            at = next;
        }
        for (k, p) in put.iter_mut().enumerate() {
            p.on = on[k];
            p.power_w = p.energy_j / (dt_us as f64 * 1e-6);
            if on[k] && !stimulating {
                self.channels[k].driven_us += dt_us;
            }
        }
        Ok(put)
    }

    /// Period and width of the pulses, µs.
    fn train(&self) -> Option<(u64, u64)> {
        let of = |rate_hz: f64, pulse_s: f64| {
            let period = (1e6 / rate_hz).round().max(2.0) as u64;
            (period, ((pulse_s * 1e6).round() as u64).clamp(1, period - 1))
        };
        if self.state == State::Stimulating {
            return self.stimulation.map(|s| of(s.rate_hz, s.pulse_s));
        }
        match self.program.as_ref()?.mode {
            Mode::Pulsed { pulse_s, rate_hz, .. } => Some(of(rate_hz, pulse_s)),
            _ => None,
        }
    }

    fn read(&mut self, plant: &dyn Plant, around: &Surroundings) {
        for (i, needle) in self.needles.iter_mut().enumerate() {
            if around.frozen_needle != Some(i) {
                needle.raw_c = self.noise.temperature(i, self.steps, &self.profile, needle.junction_c);
            }
        }
        for (k, c) in self.channels.iter_mut().enumerate() {
            let ohm = plant.seen().impedance_ohm[k];
            c.impedance_ohm = self.noise.impedance(k, self.steps, &self.profile, ohm);
        }
    }

    /// Asks the rules.
    fn judge(&mut self, around: &Surroundings, put: &[Put], dt_s: f64) {
        if !matches!(self.state, State::Checking | State::Running | State::Paused) {
            return;
        }
        let Some(program) = self.program.clone() else { return };
        let per = self.per_channel();
        let raw: Vec<f64> = self.needles.iter().map(|n| n.raw_c).collect();
        let stop_c = match program.mode {
            Mode::Temperature { .. } => None,
            Mode::Power { stop_c, .. } | Mode::Voltage { stop_c, .. } | Mode::Pulsed { stop_c, .. } => Some(stop_c),
        };
        let lowest_c = program
            .coolant
            .map_or(self.profile.lowest_reading_c, |c| c.temperature_c - 5.0);
        let mut found: Vec<(Option<usize>, Rule)> = Vec::new();
        for k in 0..self.channels.len() {
            let c = &mut self.channels[k];
            let ramping = match (&program.mode, c.set_c) {
                (Mode::Temperature { stages }, Some(set)) => {
                    let goal = stages[c.stage.min(stages.len() - 1)].set_c + program.offsets_c.get(k).unwrap_or(&0.0);
                    (goal - set).abs() > 1e-9
                }
                _ => false,
            };
            let look = Look {
                dt_s,
                on: put[k].on,
                driven_s: c.driven_us as f64 * 1e-6,
                raw_c: &raw[k * per..(k + 1) * per],
                impedance_ohm: c.impedance_ohm,
                set_c: c.set_c,
                ramping,
                waiting_s: c.waiting_us as f64 * 1e-6,
                stop_c,
                asked_v: put[k].asked_v,
                measured_v: self.noise.output(k, self.steps, &self.profile, put[k].volts),
                power_w: put[k].power_w,
                limit: c.limit,
                lowest_c,
            };
            found.extend(c.watch.look(&look, &self.profile).into_iter().map(|r| (Some(k), r)));
        }
        found.extend(self.judge_all(around, put, &raw, &program, dt_s));
        for (channel, rule) in found {
            self.alarm(channel, rule);
        }
    }

    /// Rules that concern more than a channel.
    fn judge_all(
        &mut self,
        around: &Surroundings,
        put: &[Put],
        raw: &[f64],
        program: &Program,
        dt_s: f64,
    ) -> Vec<(Option<usize>, Rule)> {
        let per = self.per_channel();
        let mut all = Vec::new();
        let p = &self.profile;
        let start = *self.pad_start_ohm.get_or_insert(around.pad_ohm);
        let pad = !program.bipolar;
        let (missing, poor) = (
            pad && around.pad_ohm > 10.0 * p.pad_contact_ohm,
            pad && (around.pad_ohm > p.pad_contact_ohm || around.pad_ohm > start * (1.0 + p.pad_rise_fraction)),
        );
        let cooled = program.coolant.is_some();
        let still = cooled && around.coolant_flow_fraction < p.coolant_flow_fraction;
        let warm = cooled && around.coolant_warmer_c > p.coolant_warm_c;
        // While one channel alone is driven, its own needle must be the one that gets warm.
        let alone = put.iter().filter(|x| x.on).count() == 1;
        let driven = put.iter().position(|x| x.on);
        let mut exchanged = false;
        if let (true, Some(k)) = (alone, driven)
            && k == 0
            && !self.resumed
        {
            let rises: Vec<f64> = raw.iter().zip(&self.start_c).map(|(now, start)| now - start).collect();
            let most = |all: &[f64]| all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (own, other) = (most(&rises[..per]), most(&rises[per..]));
            exchanged = other > 1.5 && own < 0.5 * other;
        }
        let watch = &mut self.channels[0].watch;
        for (rule, holds) in [
            (Rule::PadMissing, missing),
            (Rule::PadContact, poor && !missing),
            (Rule::CoolantStopped, still),
            (Rule::CoolantWarm, warm),
            (Rule::WrongChannel, exchanged),
        ] {
            if watch.confirmed(rule, holds, dt_s) {
                all.push((None, rule));
            }
        }
        all
    }

    /// The program's clocks.
    fn go_on(&mut self, dt_us: u64) {
        let Some(program) = self.program.clone() else { return };
        for k in 0..self.channels.len() {
            if self.channels[k].done || self.channels[k].driven_us == 0 {
                continue;
            }
            let reading = self.hottest(k);
            let offset = program.offsets_c.get(k).copied().unwrap_or(0.0);
            let c = &mut self.channels[k];
            c.stage_us += dt_us;
            let us = |s: f64| (s * 1e6).round() as u64;
            let mut next = None;
            match &program.mode {
                Mode::Temperature { stages } => {
                    let stage = stages[c.stage.min(stages.len() - 1)];
                    let target = stage.set_c + offset;
                    if c.holding {
                        c.hold_us += dt_us;
                        if c.hold_us >= us(stage.hold_s) {
                            next = Some(c.stage + 1);
                            c.done = c.stage + 1 == stages.len();
                        }
                    } else if c.set_c.is_some_and(|s| (s - target).abs() < 1e-9) {
                        c.waiting_us += dt_us;
                        let rising = target >= c.from_c;
                        if !rising || reading >= target - REACHED_C {
                            (c.holding, c.waiting_us) = (true, 0);
                        }
                    }
                    if next.is_some() && !c.done {
                        (c.stage, c.stage_us, c.hold_us, c.holding, c.from_c) = (c.stage + 1, 0, 0, false, target);
                    }
                }
                Mode::Power { hold_s, .. } | Mode::Voltage { hold_s, .. } => c.done = c.driven_us >= us(*hold_s),
                Mode::Pulsed { until, .. } => {
                    c.done = match until {
                        Until::Seconds(s) => c.driven_us >= us(*s),
                        Until::Pulses(n) => c.pulses >= *n && !c.pulse_open,
                    };
                }
            }
            let (done, stage) = (c.done, c.stage);
            if done {
                c.set_c = None;
                self.log(Some(k), EventKind::ChannelDone, format!("channel {}: done", k + 1));
            } else if next.is_some() {
                self.log(
                    Some(k),
                    EventKind::Stage(stage),
                    format!("channel {}: stage {}", k + 1, stage + 1),
                );
            }
        }
    }

    /// Changes of state by time.
    fn move_on(&mut self) {
        let in_state_s = self.state_us as f64 * 1e-6;
        match self.state {
            State::Checking if in_state_s >= CHECK_S - 1e-9 => {
                self.start_c = self.needles.iter().map(|n| n.raw_c).collect();
                self.enter(State::Running);
            }
            State::Running if self.channels.iter().all(|c| c.done) => self.enter(State::PostHeat),
            State::PostHeat if in_state_s >= self.program.as_ref().map_or(0.0, |p| p.post_heat_s) => {
                self.enter(State::Done);
            }
            _ => {}
        }
    }

    fn show(&mut self, put: &[Put]) {
        let p = &self.profile;
        let channels = (0..self.channels.len())
            .map(|k| {
                let c = &self.channels[k];
                ChannelReading {
                    temperature_c: rounded(self.hottest(k), p.temperature_display_c),
                    set_c: c.set_c,
                    impedance_ohm: rounded(c.impedance_ohm, p.impedance_display_ohm),
                    voltage_v: rounded(self.noise.output(k, self.steps, p, put[k].volts), 0.1),
                    current_a: rounded(self.noise.output(k, self.steps, p, put[k].amps), 1e-3),
                    power_w: rounded(self.noise.output(k, self.steps, p, put[k].power_w), 0.01),
                    stage: c.stage,
                    pulses: c.pulses,
                    limit: c.limit,
                    on: put[k].on,
                }
            })
            .collect();
        self.readings = Readings {
            t_s: self.t_s(),
            heating_s: self.heating_us as f64 * 1e-6,
            state: self.state,
            channels,
        };
        if self.state != State::Idle && self.curves.len() < MAX_CURVE {
            self.curves.push(self.readings.clone());
        }
    }
}

/// What really went out of a channel in an interval.
#[derive(Debug, Clone, Default)]
struct Put {
    on: bool,
    asked_v: f64,
    volts: f64,
    amps: f64,
    energy_j: f64,
    power_w: f64,
}
