//! The modes that a campaign runs, and the plants on which it runs them.

use serde::{Deserialize, Serialize};

use super::super::{
    Lumped, Mode, Program,
    faults::{FaultKind, Target},
    program::{CoolantNeed, Stage, Until},
};
use crate::lesion::LesionError;

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
    pub fn program(self, heat_s: f64, usual: &Usual) -> Program {
        let pulsed = |voltage_v, until, adapt_c| Mode::Pulsed {
            pulse_s: 0.02,
            rate_hz: 2.0,
            voltage_v,
            until,
            adapt_c,
            stop_c: 48.0,
        };
        let program = match self {
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
                power_w: usual.power_w,
                hold_s: heat_s + 15.0,
                stop_c: 95.0,
            }),
            Self::Voltage => Program::of(Mode::Voltage {
                voltage_v: usual.voltage_v,
                hold_s: heat_s + 15.0,
                stop_c: 95.0,
            }),
            Self::Pulsed => Program::of(pulsed(usual.pulse_v, Until::Seconds(heat_s + 15.0), None)),
            Self::PulsedAdapted => Program::of(pulsed(60.0, Until::Seconds(heat_s + 15.0), Some(42.0))),
            Self::PulsedDose => Program::of(pulsed(
                usual.pulse_v,
                Until::Pulses((2.0 * (heat_s + 15.0)) as u32),
                None,
            )),
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
        };
        Program {
            usual_ohm: Some(usual.ohm),
            ..program
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

/// What an operator would set on a plant where no temperature is held.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// Impedance of such electrodes, Ω.
    pub ohm: f64,
    /// Power that comes to about 80 °C, W.
    pub power_w: f64,
    /// Voltage that does, V.
    pub voltage_v: f64,
    /// Voltage of pulses that stay below 45 °C, V.
    pub pulse_v: f64,
}

/// Makes the plants of a campaign.
pub trait MakePlant: Sync {
    /// The plants it makes.
    type Plant: Target;
    /// Whether a plant of this name can run a mode with so many channels.
    fn fits(&self, plant: &str, kind: Kind, channels: usize) -> bool;
    /// What is set on it.
    fn usual(&self, plant: &str, kind: Kind) -> Usual;
    /// A plant at rest.
    ///
    /// # Errors
    /// [`LesionError`], of a plant that solves fields.
    fn make(&self, plant: &str, kind: Kind, channels: usize) -> Result<Self::Plant, LesionError>;
}

/// Name of the shells of heat, [`Lumped`].
pub const SHELLS: &str = "shells";

/// Makes [`Lumped`] plants.
#[derive(Debug, Clone, Copy)]
pub struct LumpedPlants;

impl MakePlant for LumpedPlants {
    type Plant = Lumped;

    fn fits(&self, plant: &str, _kind: Kind, _channels: usize) -> bool {
        plant == SHELLS
    }

    fn usual(&self, _plant: &str, kind: Kind) -> Usual {
        Usual {
            ohm: if kind == Kind::Bipolar { 350.0 } else { 250.0 },
            power_w: 1.8,
            voltage_v: 18.0,
            pulse_v: 45.0,
        }
    }

    fn make(&self, _plant: &str, kind: Kind, channels: usize) -> Result<Self::Plant, LesionError> {
        Ok(match kind {
            Kind::Bipolar => Lumped::bipolar(channels),
            Kind::Cooled => Lumped::cooled(channels, 22.0),
            _ => Lumped::monopolar(channels),
        })
    }
}
