//! What can go wrong, how it is noticed, and a plant in which it happens.
//!
//! The words are those of ISO 14971 (hazard, hazardous situation, harm, risk control) and IEC 60601-2-2 (essential performance). They order
//! the table; they claim no conformity.

use serde::{Deserialize, Serialize};

use super::{
    Command, Plant,
    program::Stimulation,
    watch::{Action, Rule},
};
use crate::lesion::LesionError;

mod faulty;

pub use faulty::{Faulty, Step};

macro_rules! faults {
    ($($kind:ident $name:literal {
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

            /// Its name in files and commands.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }

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
    ImpedanceHigh "impedance_high" {
        words: "impedance too high", size: 1500.0 "Ω", latency: 0.5, rules: [ImpedanceHigh, ImpedanceStep, ImpedanceOpen],
        hazard: "electrical energy at poor contact", situation: "the tip lies in scar, bone or air", harm: "no lesion, or a burn at the contact",
        control: "upper limit of impedance", essential: false,
    }
    ImpedanceOpen "impedance_open" {
        words: "open circuit", size: 0.0 "", latency: 0.5, rules: [ImpedanceOpen, ImpedanceHigh],
        hazard: "loss of function", situation: "a lead is broken in the lesion", harm: "nerve not destroyed",
        control: "upper limit of impedance", essential: false,
    }
    ImpedanceLow "impedance_low" {
        words: "short circuit", size: 15.0 "Ω", latency: 0.5, rules: [ImpedanceLow, InsulationBreach, ImpedanceStep],
        hazard: "electrical energy at a wrong place", situation: "electrodes touch, or a cable is crushed", harm: "burn outside the target",
        control: "lower limit of impedance; limit of current", essential: true,
    }
    ImpedanceStep "impedance_step" {
        words: "impedance steps", size: 0.5 "of it", latency: 0.7, rules: [ImpedanceStep],
        hazard: "electrical energy at a wrong place", situation: "the needle has moved", harm: "lesion of another nerve",
        control: "limit of the change of impedance", essential: false,
    }
    ThermocoupleOpen "thermocouple_open" {
        words: "thermocouple open", size: 0.0 "", latency: 0.5, rules: [ThermocoupleOpen],
        hazard: "heat without control", situation: "output goes on without a reading", harm: "burn of tissue to be spared",
        control: "upper limit of plausible readings", essential: true,
    }
    ThermocoupleShort "thermocouple_short" {
        words: "thermocouple shorted", size: 22.0 "°C", latency: 8.0, rules: [ThermocoupleLow, ThermocoupleJump, NotFollowing, ThermocoupleDoubt, WrongChannel],
        hazard: "heat without control", situation: "the reading is that of the room; control adds power", harm: "burn of tissue to be spared",
        control: "lower limit of plausible readings; limit of their fall", essential: true,
    }
    ThermocoupleReversed "thermocouple_reversed" {
        words: "thermocouple reversed", size: 22.0 "°C", latency: 8.0, rules: [ThermocoupleLow, ThermocoupleJump, NotFollowing, ThermocoupleDoubt, WrongChannel],
        hazard: "heat without control", situation: "the reading falls as the tip warms; control adds power", harm: "burn of tissue to be spared",
        control: "lower limit of plausible readings; limit of their fall", essential: true,
    }
    ThermocoupleStuck "thermocouple_stuck" {
        words: "thermocouple stuck", size: 0.0 "", latency: 2.5, rules: [ThermocoupleStuck, NotFollowing, ThermocoupleDoubt],
        hazard: "heat without control", situation: "the reading stands still; control adds power", harm: "burn of tissue to be spared",
        control: "a reading without noise is not believed", essential: true,
    }
    ThermocoupleDrifting "thermocouple_drifting" {
        words: "thermocouple reads ever lower", size: 0.5 "°C/s", latency: 60.0,
        rules: [ThermocoupleDoubt, ThermocoupleLow, ImpedanceRise, NotFollowing, NotReached, OverTemperature, InsulationBreach, ThermocoupleJump],
        hazard: "heat without control", situation: "tissue is hotter than read", harm: "burn of tissue to be spared, boiling",
        control: "power for a kelvin watched; rise of impedance watched", essential: true,
    }
    ThermocoupleWrongChannel "thermocouple_wrong_channel" {
        words: "thermocouple on the wrong channel", size: 0.0 "", latency: 30.0,
        rules: [WrongChannel, ThermocoupleDoubt, NotFollowing],
        hazard: "heat without control", situation: "a channel is held by another one's reading", harm: "burn at one needle, no lesion at the other",
        control: "channels start one after the other; the driven needle must warm", essential: true,
    }
    OverTemperature "over_temperature" {
        words: "tissue too hot", size: 20.0 "°C", latency: 3.0, rules: [OverTemperature, RiseTooFast, ThermocoupleDoubt],
        hazard: "heat", situation: "another source heats the tip", harm: "larger lesion than meant",
        control: "upper limit of temperature", essential: true,
    }
    RiseTooFast "rise_too_fast" {
        words: "temperature rises too fast", size: 25.0 "°C/s", latency: 1.5, rules: [RiseTooFast, OverTemperature, ThermocoupleDoubt],
        hazard: "heat", situation: "little tissue takes the power", harm: "boiling, charring",
        control: "limit of the rate of rise", essential: true,
    }
    SetPointNotReached "set_point_not_reached" {
        words: "set temperature not reached", size: 0.97 "of the rise", latency: 30.0, rules: [NotReached, NotFollowing, ThermocoupleDoubt, ThermocoupleJump, ImpedanceRise, ImpedanceStep, LimitActive],
        hazard: "loss of function", situation: "blood carries the heat away", harm: "nerve not destroyed",
        control: "limit of the time to the set point", essential: false,
    }
    LimitActive "limit_active" {
        words: "output at its limit", size: 600.0 "Ω in series", latency: 25.0, rules: [LimitActive, NotFollowing, NotReached, ImpedanceStep],
        hazard: "loss of function", situation: "the output cannot follow", harm: "nerve not destroyed",
        control: "an active limit is told", essential: false,
    }
    OutputError "output_error" {
        words: "output stage puts out more than asked for", size: 0.5 "of it", latency: 0.7, rules: [OutputError],
        hazard: "electrical energy", situation: "the voltage is above the limit", harm: "larger lesion than meant, burn",
        control: "voltage and current measured apart from the output stage; relay", essential: true,
    }
    PadMissing "pad_missing" {
        words: "return pad missing", size: 0.0 "", latency: 0.5, rules: [PadMissing, ImpedanceOpen],
        hazard: "electrical energy at a wrong place", situation: "current seeks another way back", harm: "burn of the skin",
        control: "contact of the divided pad watched", essential: true,
    }
    PadHalfOff "pad_half_off" {
        words: "return pad half off", size: 2.0 "times", latency: 1.0, rules: [PadContact, ImpedanceStep],
        hazard: "heat at the pad", situation: "the whole current through half the area", harm: "burn of the skin",
        control: "contact of the divided pad watched", essential: true,
    }
    CoolantStopped "coolant_stopped" {
        words: "coolant stopped", size: 0.0 "of the flow", latency: 1.0, rules: [CoolantStopped, RiseTooFast],
        hazard: "heat", situation: "the tip is as hot as the tissue", harm: "charring, lesion of another size",
        control: "flow of coolant watched", essential: true,
    }
    CoolantWarm "coolant_warm" {
        words: "coolant warm", size: 15.0 "°C", latency: 2.0, rules: [CoolantWarm],
        hazard: "heat", situation: "the reading no longer tells of the tissue", harm: "lesion of another size",
        control: "temperature of the coolant watched", essential: false,
    }
    InsulationBreach "insulation_breach" {
        words: "insulation breached", size: 400.0 "Ω beside the tip", latency: 0.7, rules: [InsulationBreach, ImpedanceStep, ImpedanceLow],
        hazard: "electrical energy at a wrong place", situation: "current leaves the shaft", harm: "burn along the needle, of skin or nerve",
        control: "limit of the fall of impedance", essential: true,
    }
    StimulationWhileArmed "stimulation_while_armed" {
        words: "stimulation asked for while armed", size: 0.0 "", latency: 0.1, rules: [Interlock],
        hazard: "electrical energy at the wrong time", situation: "stimulation and radiofrequency together", harm: "pain, movement",
        control: "interlock", essential: true,
    }
    EmergencyStop "emergency_stop" {
        words: "emergency stop", size: 0.0 "", latency: 0.1, rules: [EmergencyStop],
        hazard: "any", situation: "the operator sees what the machine does not", harm: "any",
        control: "button that opens the relay", essential: true,
    }
    PowerLoss "power_loss" {
        words: "mains lost", size: 0.0 "", latency: 0.1, rules: [PowerLost],
        hazard: "loss of function", situation: "the lesion is broken off", harm: "nerve not destroyed, or heated twice",
        control: "output off; resumed by the operator only, after a short loss only, from a new ramp", essential: true,
    }
}

/// Impedance of an open circuit, Ω.
const OPEN_OHM: f64 = 1e5;
/// What half a pad adds, Ω, times the size of the fault.
const HALF_PAD_OHM: f64 = 15.0;

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
            FaultKind::ImpedanceStep | FaultKind::OverTemperature | FaultKind::RiseTooFast
        )
    }

    /// Resistance in series with tissue of this impedance and beside both, Ω.
    pub fn circuit(&self, tissue_ohm: f64) -> (f64, f64) {
        match self.kind {
            FaultKind::ImpedanceHigh => ((self.size - tissue_ohm).max(0.0), f64::INFINITY),
            FaultKind::ImpedanceOpen | FaultKind::PadMissing => (OPEN_OHM, f64::INFINITY),
            FaultKind::ImpedanceLow | FaultKind::InsulationBreach => (0.0, self.size),
            FaultKind::ImpedanceStep => (tissue_ohm * self.size, f64::INFINITY),
            FaultKind::LimitActive => (self.size, f64::INFINITY),
            FaultKind::PadHalfOff => (HALF_PAD_OHM * self.size, f64::INFINITY),
            _ => (0.0, f64::INFINITY),
        }
    }

    /// What a person at the generator does, of a fault that is one.
    pub fn command(&self) -> Option<Command> {
        match self.kind {
            FaultKind::EmergencyStop => Some(Command::EmergencyStop),
            FaultKind::StimulationWhileArmed => Some(Command::Stimulate(Stimulation {
                rate_hz: 50.0,
                pulse_s: 1e-3,
                amplitude_v: 1.0,
                ramp_s: 0.0,
                channel: self.channel,
            })),
            _ => None,
        }
    }

    /// True while it is there.
    pub fn is_there(&self, t_s: f64) -> bool {
        t_s + 1e-9 >= self.onset_s && t_s < self.onset_s + self.duration_s
    }
}

/// A plant whose coolant can be disturbed.
pub trait Target: Plant {
    /// The coolant flows at this share of what it should and is so much warmer, °C. Nothing where there is none.
    ///
    /// # Errors
    /// [`LesionError`], of a plant that solves fields.
    fn set_coolant(&mut self, _flow_fraction: f64, _warmer_c: f64) -> Result<(), LesionError> {
        Ok(())
    }
}
