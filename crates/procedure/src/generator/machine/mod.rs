//! The machine of states.

use serde::{Deserialize, Serialize};

use super::{
    Plant, Profile, Program,
    control::{Controller, Pid},
    program::Stimulation,
    sensing::{Limit, Noise, Readings, Thermocouple},
    watch::{Action, Rule, Watch},
};

mod clock;
mod coupling;
mod judging;
mod output;
mod types;

use coupling::Coupling;
pub use types::{Command, Event, EventKind, GeneratorError, State, Surroundings};

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
    coupling: Coupling,
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
            coupling: Coupling::new(channels),
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
        self.coupling = Coupling::new(self.channels.len());
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
