//! Presets of the catalogue as programs.

use super::{
    Mode, Program,
    program::{CoolantNeed, Stage, Stimulation, Until},
};
use crate::{
    catalog::{Catalog, PresetEntry, PresetMode, Sourced, find},
    lesion::Needle,
};

/// Temperature from which the first ramp of a preset counts, °C.
const BODY_C: f64 = 37.0;

/// What a preset makes a generator do.
#[derive(Debug, Clone, PartialEq)]
pub enum Preset {
    /// A lesion.
    Lesion(Program),
    /// A test.
    Stimulation(Stimulation),
}

impl PresetEntry {
    /// What it makes a generator do. A cooled preset's coolant is that of the needle with which it is used ([`Program::for_needle`]).
    ///
    /// # Errors
    /// The first key that its mode needs and it lacks.
    pub fn make(&self, catalog: &Catalog) -> Result<Preset, &'static str> {
        let of = |key: &'static str, v: &Option<Sourced>| v.as_ref().map(|v| v.value).ok_or(key);
        if self.mode == PresetMode::Stimulation {
            let name = self.test.as_deref().ok_or("test")?;
            let test = find(&catalog.stimulation_tests, name).ok_or("test")?;
            return Ok(Preset::Stimulation(Stimulation {
                rate_hz: test.rate_hz.value,
                pulse_s: 1e-3 * test.pulse_ms.value,
                amplitude_v: of("voltage_v", &self.voltage_v)?,
                ramp_s: of("rise_s", &self.rise_s)?,
                channel: 0,
            }));
        }
        let mode = match self.mode {
            PresetMode::Temperature => Mode::Temperature { stages: self.stages()? },
            PresetMode::Power => Mode::Power {
                power_w: of("power_w", &self.power_w)?,
                hold_s: of("heating_s", &self.heating_s)?,
                stop_c: of("stop_c", &self.stop_c)?,
            },
            PresetMode::Voltage => Mode::Voltage {
                voltage_v: of("voltage_v", &self.voltage_v)?,
                hold_s: of("heating_s", &self.heating_s)?,
                stop_c: of("stop_c", &self.stop_c)?,
            },
            PresetMode::Pulsed | PresetMode::Stimulation => Mode::Pulsed {
                pulse_s: 1e-3 * of("pulse_ms", &self.pulse_ms)?,
                rate_hz: of("rate_hz", &self.rate_hz)?,
                voltage_v: of("voltage_v", &self.voltage_v)?,
                until: match (&self.pulses_count, &self.heating_s) {
                    (Some(n), None) => Until::Pulses(n.value.round().clamp(1.0, 1e6) as u32),
                    (None, Some(s)) => Until::Seconds(s.value),
                    _ => return Err("heating_s or pulses_count"),
                },
                adapt_c: self.adapt_c.as_ref().map(|v| v.value),
                stop_c: of("stop_c", &self.stop_c)?,
            },
        };
        Ok(Preset::Lesion(Program {
            bipolar: self.bipolar,
            ..Program::of(mode)
        }))
    }

    fn stages(&self) -> Result<Vec<Stage>, &'static str> {
        let mut from_c = BODY_C;
        let stages: Vec<Stage> = self
            .stage
            .iter()
            .map(|s| {
                let ramp_c_per_s = (s.set_c.value - from_c).abs() / s.ramp_s.value;
                from_c = s.set_c.value;
                Stage {
                    ramp_c_per_s,
                    set_c: s.set_c.value,
                    hold_s: s.hold_s.value,
                }
            })
            .collect();
        if stages.is_empty() { Err("stage") } else { Ok(stages) }
    }
}

impl Program {
    /// The program with the coolant that a needle needs, if it needs one.
    #[must_use]
    pub fn for_needle(mut self, needle: &Needle) -> Self {
        self.coolant = needle.coolant.as_ref().map(|c| CoolantNeed {
            flow_ml_per_min: c.flow_ml_per_min.unwrap_or(0.0),
            temperature_c: c.temperature_c,
        });
        self
    }

    /// Seconds of current of a run in which nothing goes wrong, without the wait for set points.
    pub fn heating_s(&self) -> f64 {
        match &self.mode {
            Mode::Temperature { stages } => {
                let mut from_c = BODY_C;
                stages
                    .iter()
                    .map(|s| {
                        let ramp_s = (s.set_c - from_c).abs() / s.ramp_c_per_s;
                        from_c = s.set_c;
                        ramp_s + s.hold_s
                    })
                    .sum()
            }
            Mode::Power { hold_s, .. } | Mode::Voltage { hold_s, .. } => *hold_s,
            Mode::Pulsed { until, rate_hz, .. } => match until {
                Until::Seconds(s) => *s,
                Until::Pulses(n) => f64::from(*n) / rate_hz,
            },
        }
    }
}
