//! What can go wrong, how it is noticed, and a plant in which it happens.
//!
//! The words are those of ISO 14971 (hazard, hazardous situation, harm, risk control) and IEC 60601-2-2 (essential performance). They order
//! the table; they claim no conformity.

use serde::{Deserialize, Serialize};

use super::{
    Plant, Seen, Surroundings,
    watch::{Action, Rule},
};
use crate::lesion::LesionError;

macro_rules! faults {
    ($($kind:ident {
        words: $words:literal, size: $size:literal $unit:literal, latency: $latency:literal, rules: [$($rule:ident),*],
        hazard: $hazard:literal, situation: $situation:literal, harm: $harm:literal, control: $control:literal,
        essential: $essential:literal,
    })*) => {
        /// A fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum FaultKind {
            $(#[doc = $words] $kind,)*
        }

        impl FaultKind {
            /// All faults.
            pub const ALL: &'static [FaultKind] = &[$(FaultKind::$kind),*];

            /// Its row in the table of risks.
            pub fn risk(self) -> Risk {
                match self {
                    $(Self::$kind => Risk {
                        words: $words, usual_size: $size, unit: $unit, latency_s: $latency, rules: &[$(Rule::$rule),*],
                        hazard: $hazard, situation: $situation, harm: $harm, control: $control, essential_performance: $essential,
                    },)*
                }
            }
        }
    };
}

/// A row of the table of risks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Risk {
    /// The fault in words.
    pub words: &'static str,
    /// Its size where none is given.
    pub usual_size: f64,
    /// Unit of the size; empty where it has none.
    pub unit: &'static str,
    /// Longest time from its onset, or from the first output where it was there before, to the generator's action, s. Set for this twin.
    pub latency_s: f64,
    /// The rules that are meant to find it; any of them counts.
    pub rules: &'static [Rule],
    /// Hazard.
    pub hazard: &'static str,
    /// Hazardous situation.
    pub situation: &'static str,
    /// Harm.
    pub harm: &'static str,
    /// Risk control.
    pub control: &'static str,
    /// Whether its control is essential performance.
    pub essential_performance: bool,
}

impl Risk {
    /// What the generator does.
    pub fn action(&self) -> Action {
        self.rules.first().map_or(Action::Stop, |r| r.action())
    }
}

faults! {
    ImpedanceHigh {
        words: "impedance too high", size: 1500.0 "Ω", latency: 0.5, rules: [ImpedanceHigh, ImpedanceStep, ImpedanceOpen],
        hazard: "electrical energy at poor contact", situation: "the tip lies in scar, bone or air", harm: "no lesion, or a burn at the contact",
        control: "upper limit of impedance", essential: false,
    }
    ImpedanceOpen {
        words: "open circuit", size: 0.0 "", latency: 0.5, rules: [ImpedanceOpen, ImpedanceHigh],
        hazard: "loss of function", situation: "a lead is broken in the lesion", harm: "nerve not destroyed",
        control: "upper limit of impedance", essential: false,
    }
    ImpedanceLow {
        words: "short circuit", size: 15.0 "Ω", latency: 0.5, rules: [ImpedanceLow, InsulationBreach, ImpedanceStep],
        hazard: "electrical energy at a wrong place", situation: "electrodes touch, or a cable is crushed", harm: "burn outside the target",
        control: "lower limit of impedance; limit of current", essential: true,
    }
    ImpedanceStep {
        words: "impedance steps", size: 0.5 "of it", latency: 0.7, rules: [ImpedanceStep],
        hazard: "electrical energy at a wrong place", situation: "the needle has moved", harm: "lesion of another nerve",
        control: "limit of the change of impedance", essential: false,
    }
    ThermocoupleOpen {
        words: "thermocouple open", size: 0.0 "", latency: 0.5, rules: [ThermocoupleOpen],
        hazard: "heat without control", situation: "output goes on without a reading", harm: "burn of tissue to be spared",
        control: "upper limit of plausible readings", essential: true,
    }
    ThermocoupleShort {
        words: "thermocouple shorted", size: 22.0 "°C", latency: 8.0, rules: [ThermocoupleLow, ThermocoupleJump, NotFollowing, ThermocoupleDoubt, WrongChannel],
        hazard: "heat without control", situation: "the reading is that of the room; control adds power", harm: "burn of tissue to be spared",
        control: "lower limit of plausible readings; limit of their fall", essential: true,
    }
    ThermocoupleReversed {
        words: "thermocouple reversed", size: 22.0 "°C", latency: 8.0, rules: [ThermocoupleLow, ThermocoupleJump, NotFollowing, ThermocoupleDoubt, WrongChannel],
        hazard: "heat without control", situation: "the reading falls as the tip warms; control adds power", harm: "burn of tissue to be spared",
        control: "lower limit of plausible readings; limit of their fall", essential: true,
    }
    ThermocoupleStuck {
        words: "thermocouple stuck", size: 0.0 "", latency: 2.5, rules: [ThermocoupleStuck, NotFollowing, ThermocoupleDoubt],
        hazard: "heat without control", situation: "the reading stands still; control adds power", harm: "burn of tissue to be spared",
        control: "a reading without noise is not believed", essential: true,
    }
    ThermocoupleDrifting {
        words: "thermocouple reads ever lower", size: 0.5 "°C/s", latency: 60.0,
        rules: [ThermocoupleDoubt, ThermocoupleLow, ImpedanceRise, NotFollowing, NotReached, OverTemperature, InsulationBreach, ThermocoupleJump],
        hazard: "heat without control", situation: "tissue is hotter than read", harm: "burn of tissue to be spared, boiling",
        control: "power for a kelvin watched; rise of impedance watched", essential: true,
    }
    ThermocoupleWrongChannel {
        words: "thermocouple on the wrong channel", size: 0.0 "", latency: 30.0,
        rules: [WrongChannel, ThermocoupleDoubt, NotFollowing],
        hazard: "heat without control", situation: "a channel is held by another one's reading", harm: "burn at one needle, no lesion at the other",
        control: "channels start one after the other; the driven needle must warm", essential: true,
    }
    OverTemperature {
        words: "tissue too hot", size: 20.0 "°C", latency: 3.0, rules: [OverTemperature, RiseTooFast, ThermocoupleDoubt],
        hazard: "heat", situation: "another source heats the tip", harm: "larger lesion than meant",
        control: "upper limit of temperature", essential: true,
    }
    RiseTooFast {
        words: "temperature rises too fast", size: 25.0 "°C/s", latency: 1.5, rules: [RiseTooFast, OverTemperature, ThermocoupleDoubt],
        hazard: "heat", situation: "little tissue takes the power", harm: "boiling, charring",
        control: "limit of the rate of rise", essential: true,
    }
    SetPointNotReached {
        words: "set temperature not reached", size: 0.97 "of the rise", latency: 30.0, rules: [NotReached, NotFollowing, ThermocoupleDoubt, ThermocoupleJump, ImpedanceRise, ImpedanceStep, LimitActive],
        hazard: "loss of function", situation: "blood carries the heat away", harm: "nerve not destroyed",
        control: "limit of the time to the set point", essential: false,
    }
    LimitActive {
        words: "output at its limit", size: 600.0 "Ω in series", latency: 25.0, rules: [LimitActive, NotFollowing, NotReached, ImpedanceStep],
        hazard: "loss of function", situation: "the output cannot follow", harm: "nerve not destroyed",
        control: "an active limit is told", essential: false,
    }
    OutputError {
        words: "output stage puts out more than asked for", size: 0.5 "of it", latency: 0.7, rules: [OutputError],
        hazard: "electrical energy", situation: "the voltage is above the limit", harm: "larger lesion than meant, burn",
        control: "voltage and current measured apart from the output stage; relay", essential: true,
    }
    PadMissing {
        words: "return pad missing", size: 0.0 "", latency: 0.5, rules: [PadMissing, ImpedanceOpen],
        hazard: "electrical energy at a wrong place", situation: "current seeks another way back", harm: "burn of the skin",
        control: "contact of the divided pad watched", essential: true,
    }
    PadHalfOff {
        words: "return pad half off", size: 2.0 "times", latency: 1.0, rules: [PadContact, ImpedanceStep],
        hazard: "heat at the pad", situation: "the whole current through half the area", harm: "burn of the skin",
        control: "contact of the divided pad watched", essential: true,
    }
    CoolantStopped {
        words: "coolant stopped", size: 0.0 "of the flow", latency: 1.0, rules: [CoolantStopped],
        hazard: "heat", situation: "the tip is as hot as the tissue", harm: "charring, lesion of another size",
        control: "flow of coolant watched", essential: true,
    }
    CoolantWarm {
        words: "coolant warm", size: 15.0 "°C", latency: 2.0, rules: [CoolantWarm],
        hazard: "heat", situation: "the reading no longer tells of the tissue", harm: "lesion of another size",
        control: "temperature of the coolant watched", essential: false,
    }
    InsulationBreach {
        words: "insulation breached", size: 400.0 "Ω beside the tip", latency: 0.7, rules: [InsulationBreach, ImpedanceStep, ImpedanceLow],
        hazard: "electrical energy at a wrong place", situation: "current leaves the shaft", harm: "burn along the needle, of skin or nerve",
        control: "limit of the fall of impedance", essential: true,
    }
    StimulationWhileArmed {
        words: "stimulation asked for while armed", size: 0.0 "", latency: 0.1, rules: [Interlock],
        hazard: "electrical energy at the wrong time", situation: "stimulation and radiofrequency together", harm: "pain, movement",
        control: "interlock", essential: true,
    }
    EmergencyStop {
        words: "emergency stop", size: 0.0 "", latency: 0.1, rules: [EmergencyStop],
        hazard: "any", situation: "the operator sees what the machine does not", harm: "any",
        control: "button that opens the relay", essential: true,
    }
    PowerLoss {
        words: "mains lost", size: 0.0 "", latency: 0.1, rules: [PowerLost],
        hazard: "loss of function", situation: "the lesion is broken off", harm: "nerve not destroyed, or heated twice",
        control: "output off; resumed by the operator only, after a short loss only, from a new ramp", essential: true,
    }
}

/// A fault that happens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which.
    pub kind: FaultKind,
    /// When it begins, s.
    pub onset_s: f64,
    /// How large it is, in the unit of its row.
    pub size: f64,
    /// How long it lasts, s.
    pub duration_s: f64,
    /// Channel.
    pub channel: usize,
}

impl Fault {
    /// A fault of its usual size that stays.
    pub fn usual(kind: FaultKind, onset_s: f64, channel: usize) -> Self {
        Self {
            kind,
            onset_s,
            size: kind.risk().usual_size,
            duration_s: 1e6,
            channel,
        }
    }

    /// True where only a change can be noticed, so that a fault from before the start begins with the output instead.
    pub fn is_change(kind: FaultKind) -> bool {
        matches!(
            kind,
            FaultKind::ImpedanceStep
                | FaultKind::InsulationBreach
                | FaultKind::OverTemperature
                | FaultKind::RiseTooFast
        )
    }

    /// True while it is there.
    pub fn is_there(&self, t_s: f64) -> bool {
        t_s + 1e-9 >= self.onset_s && t_s < self.onset_s + self.duration_s
    }
}

/// A plant whose coolant can be disturbed.
pub trait Target: Plant {
    /// The coolant flows at this share of before and is so much warmer, °C. Nothing where there is none.
    fn set_coolant(&mut self, _flow_fraction: f64, _warmer_c: f64) {}
}

/// Thermal resistance of tissue at a breach, K/W, and its time constant, s.
const BREACH_K_PER_W: f64 = 12.0;
const BREACH_S: f64 = 4.0;
/// What an open thermocouple's converter is driven to, °C.
const OPEN_C: f64 = 400.0;
/// Impedance of an open circuit, Ω.
const OPEN_OHM: f64 = 1e5;

/// A plant in which a fault happens: between generator and tissue, in the tissue, or in the sensors.
#[derive(Debug, Clone)]
pub struct Faulty<P> {
    inner: P,
    fault: Option<Fault>,
    seen: Seen,
    /// Warmth of tissue at a breach, of a second source, °C above what it would be.
    extra_c: f64,
    first_c: Vec<f64>,
    sunk: f64,
    coolant_told: bool,
}

impl<P: Target> Faulty<P> {
    /// The plant with a fault, or sound.
    pub fn new(inner: P, fault: Option<Fault>) -> Self {
        let seen = inner.seen().clone();
        let first_c = seen.thermocouples_c.clone();
        let mut all = Self {
            inner,
            fault,
            seen,
            extra_c: 0.0,
            first_c,
            sunk: 0.0,
            coolant_told: false,
        };
        all.look(None, &[]);
        all
    }

    /// The tissue behind it.
    pub fn inner(&self) -> &P {
        &self.inner
    }

    /// The fault, if it is there now.
    fn now(&self) -> Option<Fault> {
        self.fault.filter(|f| f.is_there(self.inner.seen().t_s))
    }

    /// What the generator senses besides.
    pub fn surroundings(&self) -> Surroundings {
        let mut s = Surroundings::default();
        let Some(f) = self.now() else { return s };
        match f.kind {
            FaultKind::PadMissing => s.pad_ohm = 1e9,
            FaultKind::PadHalfOff => s.pad_ohm *= f.size,
            FaultKind::CoolantStopped => s.coolant_flow_fraction = f.size,
            FaultKind::CoolantWarm => s.coolant_warmer_c = f.size,
            FaultKind::ThermocoupleStuck => s.frozen_needle = Some(self.needle(f.channel)),
            FaultKind::PowerLoss => s.mains = false,
            _ => {}
        }
        s
    }

    fn needle(&self, channel: usize) -> usize {
        channel * self.first_c.len() / self.inner.channels()
    }

    /// Voltage at the tissue over that at the socket, series and parallel resistance of a channel, Ω.
    fn circuit(&self, k: usize, fault: Option<Fault>) -> (f64, f64) {
        let tissue = self.inner.seen().impedance_ohm[k];
        match fault {
            Some(f) if f.channel == k => match f.kind {
                FaultKind::ImpedanceHigh => ((f.size - tissue).max(0.0), f64::INFINITY),
                FaultKind::ImpedanceOpen => (OPEN_OHM, f64::INFINITY),
                FaultKind::ImpedanceLow | FaultKind::InsulationBreach => (0.0, f.size),
                FaultKind::ImpedanceStep => (tissue * f.size, f64::INFINITY),
                FaultKind::LimitActive => (f.size, f64::INFINITY),
                _ => (0.0, f64::INFINITY),
            },
            Some(f) if f.kind == FaultKind::PadMissing => (OPEN_OHM, f64::INFINITY),
            Some(f) if f.kind == FaultKind::PadHalfOff => (15.0 * f.size, f64::INFINITY),
            _ => (0.0, f64::INFINITY),
        }
    }

    /// What is seen at the sockets, of the voltages there.
    fn look(&mut self, fault: Option<Fault>, volts: &[f64]) {
        let true_seen = self.inner.seen();
        let mut seen = true_seen.clone();
        let after = self.fault.filter(|f| f.is_there(true_seen.t_s));
        for k in 0..seen.impedance_ohm.len() {
            let (series, beside) = self.circuit(k, after);
            let whole = series + true_seen.impedance_ohm[k];
            seen.impedance_ohm[k] = 1.0 / (1.0 / whole + 1.0 / beside);
            if let (Some(f), Some(v)) = (fault, volts.get(k)) {
                let (series, beside) = self.circuit(k, Some(f));
                seen.current_a[k] = v / (series + true_seen.impedance_ohm[k]) + v / beside;
            }
        }
        if let Some(f) = after {
            self.disturb(&mut seen, &f);
        }
        self.seen = seen;
    }

    /// What thermocouples show and how hot it is where.
    fn disturb(&self, seen: &mut Seen, f: &Fault) {
        let i = self.needle(f.channel);
        let c = seen.thermocouples_c[i];
        let since = seen.t_s - f.onset_s;
        match f.kind {
            FaultKind::ThermocoupleOpen => seen.thermocouples_c[i] = OPEN_C,
            FaultKind::ThermocoupleShort => seen.thermocouples_c[i] = f.size,
            FaultKind::ThermocoupleReversed => seen.thermocouples_c[i] = 2.0 * f.size - c,
            FaultKind::ThermocoupleDrifting => seen.thermocouples_c[i] = c - f.size * since,
            FaultKind::ThermocoupleWrongChannel => {
                let per = self.first_c.len() / self.inner.channels();
                if self.inner.channels() > 1 {
                    seen.thermocouples_c.swap(i, (i + per) % self.first_c.len());
                } else {
                    seen.thermocouples_c[i] = self.first_c[i];
                }
            }
            FaultKind::OverTemperature | FaultKind::RiseTooFast => {
                seen.thermocouples_c[i] += self.extra_c;
                seen.hottest_c = seen.hottest_c.max(seen.thermocouples_c[i]);
            }
            FaultKind::SetPointNotReached => {
                seen.thermocouples_c[i] -= self.sunk * (c - self.first_c[i]);
            }
            FaultKind::InsulationBreach => seen.hottest_c = seen.hottest_c.max(37.0 + self.extra_c),
            _ => {}
        }
    }
}

impl<P: Target> Plant for Faulty<P> {
    fn channels(&self) -> usize {
        self.inner.channels()
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        let fault = self.now();
        let mut there = volts.to_vec();
        let mut socket = volts.to_vec();
        for k in 0..there.len().min(self.inner.channels()) {
            if let Some(f) = fault
                && f.kind == FaultKind::OutputError
                && f.channel == k
            {
                socket[k] *= 1.0 + f.size;
            }
            let tissue = self.inner.seen().impedance_ohm[k];
            let (series, _) = self.circuit(k, fault);
            there[k] = socket[k] * tissue / (series + tissue);
        }
        if let Some(f) = fault {
            self.follow(&f, &socket, dt_s);
        }
        self.inner.advance(&there, dt_s)?;
        self.look(fault, &socket);
        Ok(())
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl<P: Target> Faulty<P> {
    /// What grows with time while a fault is there.
    fn follow(&mut self, f: &Fault, socket: &[f64], dt_s: f64) {
        match f.kind {
            FaultKind::OverTemperature => self.extra_c += (f.size - self.extra_c) * (dt_s / 1.0).min(1.0),
            FaultKind::RiseTooFast => self.extra_c = (self.extra_c + f.size * dt_s).min(60.0),
            FaultKind::SetPointNotReached => self.sunk += (f.size - self.sunk) * (dt_s / 3.0).min(1.0),
            FaultKind::InsulationBreach => {
                let power = socket.get(f.channel).map_or(0.0, |v| v * v / f.size.max(1.0));
                self.extra_c += (power * BREACH_K_PER_W - self.extra_c) * (dt_s / BREACH_S).min(1.0);
            }
            FaultKind::CoolantStopped if !self.coolant_told => {
                self.inner.set_coolant(f.size, 0.0);
                self.coolant_told = true;
            }
            FaultKind::CoolantWarm if !self.coolant_told => {
                self.inner.set_coolant(1.0, f.size);
                self.coolant_told = true;
            }
            _ => {}
        }
    }
}
