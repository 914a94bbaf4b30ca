//! What a generator is to do: modes, stages, stimulation.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Profile;

/// A stage of a temperature profile: a ramp, then a hold whose clock starts when the set point is reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Rate of the ramp, °C/s.
    pub ramp_c_per_s: f64,
    /// What is held, °C.
    pub set_c: f64,
    /// For how long, s.
    pub hold_s: f64,
}

/// When a pulsed lesion ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// After this time, s.
    Seconds(f64),
    /// After so many pulses of each channel.
    Pulses(u32),
}

/// How a channel is driven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mode {
    /// Continuous current, thermocouple held at what the stages say.
    Temperature {
        /// The stages in order.
        stages: Vec<Stage>,
    },
    /// Constant power.
    Power {
        /// Power, W.
        power_w: f64,
        /// For how long, s.
        hold_s: f64,
        /// Temperature at which it stops, °C.
        stop_c: f64,
    },
    /// Constant voltage.
    Voltage {
        /// Voltage, V rms.
        voltage_v: f64,
        /// For how long, s.
        hold_s: f64,
        /// Temperature at which it stops, °C.
        stop_c: f64,
    },
    /// Pulses.
    Pulsed {
        /// Length of a pulse, s.
        pulse_s: f64,
        /// Pulses a second, Hz.
        rate_hz: f64,
        /// Voltage in a pulse, V rms; the largest where it is adapted.
        voltage_v: f64,
        /// When it ends.
        until: Until,
        /// The voltage is lowered so that the reading stays at or below this, °C.
        adapt_c: Option<f64>,
        /// Temperature at which it stops, °C.
        stop_c: f64,
    },
}

/// Coolant that a program needs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoolantNeed {
    /// Flow, ml/min.
    pub flow_ml_per_min: f64,
    /// Its temperature, °C.
    pub temperature_c: f64,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// How each channel is driven.
    pub mode: Mode,
    /// Time between the starts of neighbouring channels, s.
    pub stagger_s: f64,
    /// How much higher each channel's set temperature is than the program's, °C; missing channels: 0.
    pub offsets_c: Vec<f64>,
    /// Current flows between the two needles of a channel, without return pad.
    pub bipolar: bool,
    /// Coolant, of a cooled probe.
    pub coolant: Option<CoolantNeed>,
    /// How long readings are shown after heating, s.
    pub post_heat_s: f64,
    /// Impedance that such electrodes show at this place, Ω, where it is known: looked at before output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_ohm: Option<f64>,
}

/// Test stimulation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stimulation {
    /// Pulses a second, Hz.
    pub rate_hz: f64,
    /// Length of a pulse, s.
    pub pulse_s: f64,
    /// Amplitude at the end of the ramp, V.
    pub amplitude_v: f64,
    /// Length of the ramp of amplitude, s.
    pub ramp_s: f64,
    /// Channel.
    pub channel: usize,
}

/// Largest amplitude of stimulation, V.
pub const MAX_STIMULATION_V: f64 = 10.0;
/// Longest program, s.
pub const MAX_PROGRAM_S: f64 = 3600.0;
/// Most stages.
pub const MAX_STAGES: usize = 32;

impl fmt::Display for Program {
    /// In words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.mode {
            Mode::Temperature { stages } => {
                for (k, s) in stages.iter().enumerate() {
                    let then = if k == 0 { "" } else { ", then " };
                    write!(f, "{then}{} °C for {} s", s.set_c, s.hold_s)?;
                }
                Ok(())
            }
            Mode::Power { power_w, hold_s, .. } => write!(f, "{power_w} W for {hold_s} s"),
            Mode::Voltage { voltage_v, hold_s, .. } => write!(f, "{voltage_v} V for {hold_s} s"),
            Mode::Pulsed {
                pulse_s,
                rate_hz,
                voltage_v,
                until,
                adapt_c,
                ..
            } => {
                write!(f, "pulses of {voltage_v} V, {} ms, {rate_hz} Hz, ", 1e3 * pulse_s)?;
                match until {
                    Until::Seconds(s) => write!(f, "for {s} s"),
                    Until::Pulses(n) => write!(f, "{n} of them"),
                }?;
                adapt_c.map_or(Ok(()), |c| write!(f, ", at most {c} °C"))
            }
        }?;
        f.write_str(if self.bipolar { ", between two needles" } else { "" })
    }
}

impl Program {
    /// A program with this mode on needles without coolant, channels started 5 s after each other.
    pub fn of(mode: Mode) -> Self {
        Self {
            mode,
            stagger_s: 5.0,
            offsets_c: Vec::new(),
            bipolar: false,
            coolant: None,
            post_heat_s: 10.0,
            usual_ohm: None,
        }
    }

    /// The usual thermal lesion: one stage.
    pub fn temperature(set_c: f64, ramp_s: f64, hold_s: f64) -> Self {
        let ramp_c_per_s = (set_c - 37.0) / ramp_s;
        Self::of(Mode::Temperature {
            stages: vec![Stage {
                ramp_c_per_s,
                set_c,
                hold_s,
            }],
        })
    }

    /// Duty of the pulses; one where current is continuous.
    pub fn duty(&self) -> f64 {
        match self.mode {
            Mode::Pulsed { pulse_s, rate_hz, .. } => pulse_s * rate_hz,
            _ => 1.0,
        }
    }

    /// What is wrong with it on this generator: key, what was found, what was expected.
    pub fn fault(&self, profile: &Profile) -> Option<(&'static str, f64, String)> {
        let outside = |key, value: f64, low: f64, high: f64| {
            (!(low..=high).contains(&value)).then(|| (key, value, format!("{low} to {high}")))
        };
        let (cold, hot) = (profile.min_set_temperature_c, profile.max_set_temperature_c);
        let common = outside("stagger_s", self.stagger_s, 0.0, 600.0)
            .or_else(|| outside("post_heat_s", self.post_heat_s, 0.0, 600.0))
            .or_else(|| {
                let worst = self.offsets_c.iter().find(|o| !(-30.0..=30.0).contains(*o))?;
                outside("offsets_c", *worst, -30.0, 30.0)
            });
        common.or_else(|| match &self.mode {
            Mode::Temperature { stages } => {
                if stages.is_empty() || stages.len() > MAX_STAGES {
                    return Some(("stages", stages.len() as f64, format!("1 to {MAX_STAGES} stages")));
                }
                stages.iter().find_map(|s| {
                    let highest = self.offsets_c.iter().fold(0.0, |a: f64, o| a.max(*o));
                    outside("set_c", s.set_c + highest, cold, hot)
                        .or_else(|| outside("ramp_c_per_s", s.ramp_c_per_s, 0.05, 0.8 * profile.max_rise_c_per_s))
                        .or_else(|| outside("hold_s", s.hold_s, 0.0, MAX_PROGRAM_S / stages.len() as f64))
                })
            }
            Mode::Power {
                power_w,
                hold_s,
                stop_c,
            } => outside("power_w", *power_w, 0.0, profile.max_power_w)
                .or_else(|| outside("hold_s", *hold_s, 0.0, MAX_PROGRAM_S))
                .or_else(|| outside("stop_c", *stop_c, cold, hot)),
            Mode::Voltage {
                voltage_v,
                hold_s,
                stop_c,
            } => outside("voltage_v", *voltage_v, 0.0, profile.max_voltage_v)
                .or_else(|| outside("hold_s", *hold_s, 0.0, MAX_PROGRAM_S))
                .or_else(|| outside("stop_c", *stop_c, cold, hot)),
            Mode::Pulsed {
                pulse_s,
                rate_hz,
                voltage_v,
                until,
                adapt_c,
                stop_c,
            } => outside("voltage_v", *voltage_v, 0.0, profile.max_voltage_v)
                .or_else(|| outside("rate_hz", *rate_hz, 0.1, 100.0))
                .or_else(|| outside("pulse_s", *pulse_s, 1e-4, 0.9 / rate_hz))
                .or_else(|| match until {
                    Until::Seconds(s) => outside("until.seconds", *s, 0.0, MAX_PROGRAM_S),
                    Until::Pulses(n) => outside("until.pulses", f64::from(*n), 1.0, MAX_PROGRAM_S * rate_hz),
                })
                .or_else(|| adapt_c.and_then(|c| outside("adapt_c", c, cold, hot)))
                .or_else(|| outside("stop_c", *stop_c, cold, hot)),
        })
    }
}

impl Stimulation {
    /// What is wrong with it: key, what was found, what was expected.
    pub fn fault(&self, channels: usize) -> Option<(&'static str, f64, String)> {
        let outside = |key, value: f64, low: f64, high: f64| {
            (!(low..=high).contains(&value)).then(|| (key, value, format!("{low} to {high}")))
        };
        outside("rate_hz", self.rate_hz, 1.0, 200.0)
            .or_else(|| outside("pulse_s", self.pulse_s, 5e-5, 3e-3))
            .or_else(|| outside("amplitude_v", self.amplitude_v, 0.0, MAX_STIMULATION_V))
            .or_else(|| outside("ramp_s", self.ramp_s, 0.0, 60.0))
            .or_else(|| outside("channel", self.channel as f64, 0.0, channels as f64 - 1.0))
    }
}
