//! Test stimulation: protocols, the border between metal and tissue, and what people notice.

use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};

/// A test with stimulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StimulationTest {
    /// Name: `sensory` or `motor`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Pulses a second, Hz.
    pub rate_hz: Sourced,
    /// Length of a pulse, ms.
    pub pulse_ms: Sourced,
    /// A threshold of the target up to this speaks for a good place, V.
    pub good_v: Sourced,
    /// Nerves to be spared must not answer up to this, V, …
    pub spare_v: Sourced,
    /// … or only beyond so many times the sensory threshold of the target.
    pub spare_ratio: Sourced,
}

entry!(
    StimulationTest,
    "stimulation_test",
    [rate_hz, pulse_ms, good_v, spare_v, spare_ratio],
    []
);

/// The border between metal and tissue fluid: a capacitor beside a resistor, per area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ElectrodeInterface {
    /// Name, such as `stainless_steel`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Capacitance, µF/cm².
    pub capacitance_uf_per_cm2: Sourced,
    /// Resistance to the transfer of charge, Ω cm².
    pub charge_transfer_ohm_cm2: Sourced,
}

entry!(
    ElectrodeInterface,
    "electrode_interface",
    [capacitance_uf_per_cm2, charge_transfer_ohm_cm2],
    []
);

/// What a muscle shows on the skin when its motor fibres fire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MuscleAnswer {
    /// Name: `surface`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Mean conduction velocity of motor fibres, m/s.
    pub velocity_m_per_s: Sourced,
    /// Its standard deviation between the fibres of a muscle, m/s.
    pub velocity_sd_m_per_s: Sourced,
    /// From the end of the nerve to the answer of the muscle, ms.
    pub junction_ms: Sourced,
    /// Length of the potential of a motor unit, ms.
    pub unit_ms: Sourced,
}

entry!(
    MuscleAnswer,
    "muscle_answer",
    [velocity_m_per_s, velocity_sd_m_per_s, junction_ms, unit_ms],
    []
);

/// What a person notices and tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perception {
    /// Name: `awake`, `light` or `deep`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Share of a nerve's Aβ fibres that is felt as tingling.
    pub tingling_fraction: Sourced,
    /// Share of the medial branch's Aβ fibres that is felt as the known pain.
    pub concordant_fraction: Sourced,
    /// Share of a nerve's Aδ fibres that is felt as pain.
    pub pain_fraction: Sourced,
    /// Share of a nerve's Aα fibres that makes a twitch that is seen.
    pub twitch_fraction: Sourced,
    /// Standard deviation of the logarithm of these shares between people and attempts.
    pub log_sd_fraction: Sourced,
}

entry!(
    Perception,
    "perception",
    [
        tingling_fraction,
        concordant_fraction,
        pain_fraction,
        twitch_fraction,
        log_sd_fraction
    ],
    []
);

/// A bundle of fibres in its sheath.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fascicle {
    /// Name, such as `somatic`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Its diameter, mm.
    pub diameter_mm: Sourced,
    /// Thickness of the sheath over the diameter.
    pub sheath_fraction: Sourced,
    /// Resistivity of the sheath, Ω m.
    pub sheath_ohm_m: Sourced,
    /// Resistivity inside, along the fibres, Ω m.
    pub inside_ohm_m: Sourced,
}

entry!(
    Fascicle,
    "fascicle",
    [diameter_mm, sheath_fraction, sheath_ohm_m, inside_ohm_m],
    []
);

impl Fascicle {
    /// The length over which the potential inside follows that outside, mm: that of a cable whose core is the inside and whose membrane is
    /// the sheath, `λ² = a t ρ_sheath / (2 ρ_inside)`.
    pub fn length_constant_mm(&self) -> f64 {
        let (d, t) = (self.diameter_mm.value, self.sheath_fraction.value);
        (0.5 * d * t * d * self.sheath_ohm_m.value / (2.0 * self.inside_ohm_m.value)).sqrt()
    }
}
