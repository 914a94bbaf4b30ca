//! Presets: what a generator is set to for the procedures in use.

use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};

/// What a preset does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresetMode {
    /// Continuous current; the thermocouple is held at what the stages say.
    Temperature,
    /// Constant power.
    Power,
    /// Constant voltage.
    Voltage,
    /// Pulses.
    Pulsed,
    /// Test stimulation.
    Stimulation,
}

/// A stage of a preset: a ramp, then a hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetStage {
    /// What is held, °C.
    pub set_c: Sourced,
    /// From what was held before (37 °C at first) to this, s.
    pub ramp_s: Sourced,
    /// How long it is held, s.
    pub hold_s: Sourced,
}

/// A preset. Which keys it needs follows from its mode; [`PresetEntry::make`] says which one is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresetEntry {
    /// Name, such as `conventional-80-90`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// What it does.
    pub mode: PresetMode,
    /// Current flows between two needles.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub bipolar: bool,
    /// It needs a probe with coolant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cooled: bool,
    /// Cannula of the catalogue with which it is used; none: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannula: Option<String>,
    /// Test of the catalogue whose pulses it gives, of a stimulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// Stages in order, of a temperature.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stage: Vec<PresetStage>,
    /// Power, W.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_w: Option<Sourced>,
    /// Voltage, V rms; in a pulse, of pulses; at the end of its rise, of a stimulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voltage_v: Option<Sourced>,
    /// Length of a pulse, ms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulse_ms: Option<Sourced>,
    /// Pulses a second, Hz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_hz: Option<Sourced>,
    /// How long it goes on, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heating_s: Option<Sourced>,
    /// Instead of `heating_s`: after how many pulses it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulses_count: Option<Sourced>,
    /// The voltage of pulses is lowered so that the reading stays at or below this, °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapt_c: Option<Sourced>,
    /// Reading at which a program that holds no temperature stops, °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_c: Option<Sourced>,
    /// How long the amplitude rises, s, of a stimulation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rise_s: Option<Sourced>,
}

impl Entry for PresetEntry {
    const KIND: &'static str = "preset";

    fn name(&self) -> &str {
        &self.name
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn values(&self) -> Vec<(&'static str, &Sourced)> {
        let mut all = Vec::new();
        for stage in &self.stage {
            all.extend([
                ("set_c", &stage.set_c),
                ("ramp_s", &stage.ramp_s),
                ("hold_s", &stage.hold_s),
            ]);
        }
        let optional = [
            ("power_w", &self.power_w),
            ("voltage_v", &self.voltage_v),
            ("pulse_ms", &self.pulse_ms),
            ("rate_hz", &self.rate_hz),
            ("heating_s", &self.heating_s),
            ("pulses_count", &self.pulses_count),
            ("adapt_c", &self.adapt_c),
            ("stop_c", &self.stop_c),
            ("rise_s", &self.rise_s),
        ];
        all.extend(optional.into_iter().filter_map(|(key, v)| Some((key, v.as_ref()?))));
        all
    }
}
