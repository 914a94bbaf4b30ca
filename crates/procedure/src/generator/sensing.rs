//! What a generator reads: thermocouples with lag, noise and rounding, impedance, voltage, current.

use neurotome_base::random::Stream;
use serde::{Deserialize, Serialize};

use super::{Profile, State};

/// Which limit of the output is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Voltage.
    Voltage,
    /// Current.
    Current,
    /// Power of the channel.
    Power,
    /// Power of all channels.
    TotalPower,
    /// Change of power.
    Slew,
}

/// What is shown of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelReading {
    /// Temperature as displayed, °C; the hotter one of a bipolar pair.
    pub temperature_c: f64,
    /// What is set now, °C, where a temperature is held.
    pub set_c: Option<f64>,
    /// Impedance as displayed, Ω.
    pub impedance_ohm: f64,
    /// Voltage while on, V rms.
    pub voltage_v: f64,
    /// Current while on, A rms.
    pub current_a: f64,
    /// Mean power of the last interval, W.
    pub power_w: f64,
    /// Stage, from 0.
    pub stage: usize,
    /// Pulses so far.
    pub pulses: u32,
    /// Limit active.
    pub limit: Option<Limit>,
    /// Whether it is being driven.
    pub on: bool,
}

/// What a clinician sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Readings {
    /// Time since switching on, s.
    pub t_s: f64,
    /// Time of heating, without pauses, s.
    pub heating_s: f64,
    /// State of the machine.
    pub state: State,
    /// The channels.
    pub channels: Vec<ChannelReading>,
}

/// A thermocouple with its amplifier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Thermocouple {
    /// What the junction has come to, °C.
    pub junction_c: f64,
    /// The converter's last value, °C.
    pub raw_c: f64,
}

impl Thermocouple {
    /// The junction follows its surroundings for `dt_s`.
    pub fn follow(&mut self, true_c: f64, dt_s: f64, lag_s: f64) {
        self.junction_c += (true_c - self.junction_c) * (1.0 - (-dt_s / lag_s.max(1e-6)).exp());
    }
}

/// To the nearest step.
pub(super) fn rounded(value: f64, step: f64) -> f64 {
    if step > 0.0 {
        (value / step).round() * step
    } else {
        value
    }
}

/// Noise of a generator's instruments: a pure function of seed, instrument and reading.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Noise {
    pub seed: u64,
}

impl Noise {
    fn normal(self, instrument: u64, n: u64) -> f64 {
        Stream::new(self.seed).split(instrument).normal(n)
    }

    pub fn temperature(self, needle: usize, n: u64, profile: &Profile, junction_c: f64) -> f64 {
        let noisy = junction_c + profile.temperature_noise_c * self.normal(1000 + needle as u64, n);
        rounded(noisy, profile.temperature_resolution_c)
    }

    pub fn impedance(self, channel: usize, n: u64, profile: &Profile, ohm: f64) -> f64 {
        ohm * (1.0 + profile.impedance_noise_fraction * self.normal(2000 + channel as u64, n))
    }

    pub fn output(self, channel: usize, n: u64, profile: &Profile, value: f64) -> f64 {
        value * (1.0 + profile.output_noise_fraction * self.normal(3000 + channel as u64, n))
    }
}
