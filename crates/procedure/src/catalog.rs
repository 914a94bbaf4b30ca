//! The literature as data: tissues, injury laws, cannulas, generators, measures of the spine, fibres of nerves, stimulation, local anaesthetics,
//! outcomes and X-ray tables, each value with its source.
//!
//! The types are here; `neurotome_io::catalog` holds the text compiled into the program and reads a user's own files.

use std::collections::BTreeMap;

use neurotome_physics::{
    injury::Arrhenius,
    tissue::{Fluid, PerfusionRise, TissueProperties},
};
use serde::{Deserialize, Serialize};

use crate::{
    anatomy::Level,
    lesion::{Bend, Coolant, Metal},
};

/// A number with its source. The unit is in the name of the field that holds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sourced {
    /// The number.
    pub value: f64,
    /// A key of the catalogue's table of sources.
    pub source: String,
    /// True when the number was read in its source; false when recalled, derived or assumed.
    pub verified: bool,
    /// Under which condition it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Published range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
}

/// A named entry of the catalogue.
pub trait Entry {
    /// What the entries of this kind are called, in the singular.
    const KIND: &'static str;
    /// The entry's name, unique in its kind.
    fn name(&self) -> &str;
    /// What it is, in words.
    fn title(&self) -> &str;
    /// Every number of the entry with the name of its field, in file order.
    fn values(&self) -> Vec<(&'static str, &Sourced)>;
}

macro_rules! entry {
    ($type:ident, $kind:literal, [$($field:ident),* $(,)?], [$($optional:ident),* $(,)?]) => {
        impl Entry for $type {
            const KIND: &'static str = $kind;
            fn name(&self) -> &str {
                &self.name
            }
            fn title(&self) -> &str {
                &self.title
            }
            fn values(&self) -> Vec<(&'static str, &Sourced)> {
                #[allow(unused_mut)]
                let mut all = vec![$((stringify!($field), &self.$field)),*];
                $(all.extend(self.$optional.as_ref().map(|v| (stringify!($optional), v)));)*
                all
            }
        }
    };
}

mod anaesthetics;
mod generators;
mod guidelines;
mod insertion;
mod movement;
mod nerves;
mod outcomes;
mod presets;
mod stimulation;
mod xray;

pub use anaesthetics::{AnaestheticEntry, ConductionBlock, SolutionEntry, TransportEntry};
pub use generators::GeneratorEntry;
pub(crate) use generators::generator_keys;
pub use guidelines::{Guideline, Rule};
pub use insertion::{InsertionNumbers, TissueResistance};
pub use movement::Movement;
pub use nerves::{FibreClass, NerveFibres};
pub use outcomes::{OutcomeNumbers, Selection};
pub use presets::{PresetEntry, PresetMode, PresetStage};
pub use stimulation::{ElectrodeInterface, Fascicle, Perception, StimulationTest};
pub use xray::{CArmEntry, Series, TUNGSTEN_LINES_KEV, TissueHounsfield, TubeSpectrum, XrayMaterial};

/// A tissue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tissue {
    /// Name, such as `cortical_bone`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Electrical conductivity at the radiofrequency and 37 °C, S/m.
    pub sigma_s_per_m: Sourced,
    /// Relative change of that conductivity per kelvin.
    pub sigma_temperature_coefficient_per_k: Sourced,
    /// Temperature above which the conductivity rises no further, °C.
    pub sigma_limit_temperature_c: Sourced,
    /// Conductivity at 1 kHz, S/m, for stimulation.
    pub sigma_1khz_s_per_m: Sourced,
    /// Conductivity at the repetition rates of stimulation (2–50 Hz), S/m, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma_50hz_s_per_m: Option<Sourced>,
    /// Conductivity along the fibres over that across them at 1 kHz, where it depends on direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma_1khz_fibre_ratio: Option<Sourced>,
    /// Thermal conductivity, W/(m K).
    pub thermal_conductivity_w_per_m_k: Sourced,
    /// Density, kg/m³.
    pub density_kg_per_m3: Sourced,
    /// Specific heat, J/(kg K).
    pub specific_heat_j_per_kg_k: Sourced,
    /// Perfusion, volume of blood per volume of tissue and second, 1/s.
    pub perfusion_per_s: Sourced,
    /// Mass fraction of water.
    pub water_fraction: Sourced,
    /// Conductivity along the fibres over that across them, where it depends on direction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sigma_fibre_ratio: Option<Sourced>,
    /// Perfusion of hot tissue over that at rest, where it rises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perfusion_max_factor: Option<Sourced>,
    /// Temperature from which perfusion rises no further, °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perfusion_max_temperature_c: Option<Sourced>,
    /// Width of the rise of perfusion, K.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perfusion_width_k: Option<Sourced>,
    /// Temperature of a fluid that moves, °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fluid_temperature_c: Option<Sourced>,
    /// Coefficient of heat transfer at the border of a fluid that moves, W/(m² K).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat_transfer_w_per_m2_k: Option<Sourced>,
}

entry!(
    Tissue,
    "tissue",
    [
        sigma_s_per_m,
        sigma_temperature_coefficient_per_k,
        sigma_limit_temperature_c,
        sigma_1khz_s_per_m,
        thermal_conductivity_w_per_m_k,
        density_kg_per_m3,
        specific_heat_j_per_kg_k,
        perfusion_per_s,
        water_fraction,
    ],
    [
        sigma_50hz_s_per_m,
        sigma_1khz_fibre_ratio,
        sigma_fibre_ratio,
        perfusion_max_factor,
        perfusion_max_temperature_c,
        perfusion_width_k,
        fluid_temperature_c,
        heat_transfer_w_per_m2_k,
    ]
);

impl Tissue {
    /// The properties that a lesion needs.
    pub fn properties(&self) -> TissueProperties {
        TissueProperties {
            sigma_s_per_m: self.sigma_s_per_m.value,
            sigma_temperature_coefficient_per_k: self.sigma_temperature_coefficient_per_k.value,
            sigma_limit_temperature_c: self.sigma_limit_temperature_c.value,
            thermal_conductivity_w_per_m_k: self.thermal_conductivity_w_per_m_k.value,
            density_kg_per_m3: self.density_kg_per_m3.value,
            specific_heat_j_per_kg_k: self.specific_heat_j_per_kg_k.value,
            perfusion_per_s: self.perfusion_per_s.value,
            water_fraction: self.water_fraction.value,
            sigma_fibre_ratio: self.sigma_fibre_ratio.as_ref().map_or(1.0, |v| v.value),
            perfusion_rise: self.perfusion_rise(),
            fluid: self.fluid(),
        }
    }
}

impl Tissue {
    fn perfusion_rise(&self) -> Option<PerfusionRise> {
        Some(PerfusionRise {
            max_factor: self.perfusion_max_factor.as_ref()?.value,
            max_temperature_c: self.perfusion_max_temperature_c.as_ref()?.value,
            width_k: self.perfusion_width_k.as_ref()?.value,
        })
    }

    fn fluid(&self) -> Option<Fluid> {
        Some(Fluid {
            temperature_c: self.fluid_temperature_c.as_ref()?.value,
            heat_transfer_w_per_m2_k: self.heat_transfer_w_per_m2_k.as_ref()?.value,
        })
    }
}

/// An injury law. One of the two forms of the frequency factor is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InjuryLaw {
    /// Name, such as `liver_jacques`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Frequency factor A, 1/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_factor_per_s: Option<Sourced>,
    /// Decimal logarithm of the frequency factor in 1/s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log10_frequency_factor_per_s: Option<Sourced>,
    /// Activation energy, J/mol.
    pub activation_energy_j_per_mol: Sourced,
}

entry!(
    InjuryLaw,
    "injury",
    [activation_energy_j_per_mol],
    [frequency_factor_per_s, log10_frequency_factor_per_s]
);

impl InjuryLaw {
    /// The law, or none when the entry does not give exactly one usable frequency factor.
    pub fn arrhenius(&self) -> Option<Arrhenius> {
        let ln = match (&self.frequency_factor_per_s, &self.log10_frequency_factor_per_s) {
            (Some(a), None) => a.value.ln(),
            (None, Some(log)) => log.value * std::f64::consts::LN_10,
            _ => return None,
        };
        (ln.is_finite()).then_some(Arrhenius {
            ln_frequency_factor: ln,
            activation_energy_j_per_mol: self.activation_energy_j_per_mol.value,
        })
    }
}

/// A cannula with its electrode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cannula {
    /// Name, such as `20G-10mm-straight`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Name of its metal.
    pub metal: String,
    /// Outer diameter, mm.
    pub outer_diameter_mm: Sourced,
    /// Length of the active tip, mm.
    pub active_tip_mm: Sourced,
    /// Length from hub to tip, mm.
    pub length_mm: Sourced,
    /// Distance of the thermocouple from the distal end, mm.
    pub thermocouple_from_tip_mm: Sourced,
    /// Angle between shaft and tip of a curved cannula, degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bend_angle_deg: Option<Sourced>,
    /// Length of the arc of a curved cannula, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bend_length_mm: Option<Sourced>,
    /// Angle between axis and plane of a bevelled end, degrees; none: half a ball.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bevel_angle_deg: Option<Sourced>,
    /// Contacts above the active tip of a multi-contact probe: how many, the length of each, and the insulation before each, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_count: Option<Sourced>,
    /// Length of each contact above the active tip, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_length_mm: Option<Sourced>,
    /// Insulation before each contact above the active tip, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_gap_mm: Option<Sourced>,
    /// Tines, equally spaced round the cannula: how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tine_count: Option<Sourced>,
    /// Where the tines' axes leave that of the cannula, mm from the distal end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tine_from_tip_mm: Option<Sourced>,
    /// Angle between tines and cannula, degrees; 0 would point to the distal end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tine_angle_deg: Option<Sourced>,
    /// Length of a tine from the cannula's axis, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tine_length_mm: Option<Sourced>,
    /// Diameter of a tine, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tine_diameter_mm: Option<Sourced>,
    /// Diameter of the channel of a cooled probe, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_diameter_mm: Option<Sourced>,
    /// Where that channel begins, mm from the distal end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_from_tip_mm: Option<Sourced>,
    /// Temperature of the coolant at the end of the channel, °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coolant_temperature_c: Option<Sourced>,
    /// Coefficient of heat transfer between the channel's wall and the coolant, W/(m² K).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coolant_heat_transfer_w_per_m2_k: Option<Sourced>,
    /// Flow of coolant, ml/min.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coolant_flow_ml_per_min: Option<Sourced>,
}

entry!(
    Cannula,
    "cannula",
    [outer_diameter_mm, active_tip_mm, length_mm, thermocouple_from_tip_mm],
    [
        bend_angle_deg,
        bend_length_mm,
        bevel_angle_deg,
        contact_count,
        contact_length_mm,
        contact_gap_mm,
        tine_count,
        tine_from_tip_mm,
        tine_angle_deg,
        tine_length_mm,
        tine_diameter_mm,
        channel_diameter_mm,
        channel_from_tip_mm,
        coolant_temperature_c,
        coolant_heat_transfer_w_per_m2_k,
        coolant_flow_ml_per_min,
    ]
);

impl Cannula {
    /// The channel of a cooled probe with its coolant; none where a number is missing.
    pub fn coolant(&self) -> Option<Coolant> {
        let of = |v: &Option<Sourced>| v.as_ref().map(|v| v.value);
        Some(Coolant {
            channel_radius_mm: 0.5 * of(&self.channel_diameter_mm)?,
            from_tip_mm: of(&self.channel_from_tip_mm)?,
            temperature_c: of(&self.coolant_temperature_c)?,
            heat_transfer_w_per_m2_k: of(&self.coolant_heat_transfer_w_per_m2_k)?,
            flow_ml_per_min: of(&self.coolant_flow_ml_per_min),
        })
    }

    /// The bend, when the cannula is curved.
    pub fn bend(&self, towards: [f64; 3]) -> Option<Bend> {
        Some(Bend {
            angle_deg: self.bend_angle_deg.as_ref()?.value,
            length_mm: self.bend_length_mm.as_ref()?.value,
            towards,
        })
    }
}

/// A metal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetalEntry {
    /// Name, such as `steel_304`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Thermal conductivity, W/(m K).
    pub thermal_conductivity_w_per_m_k: Sourced,
    /// Density, kg/m³.
    pub density_kg_per_m3: Sourced,
    /// Specific heat, J/(kg K).
    pub specific_heat_j_per_kg_k: Sourced,
}

entry!(
    MetalEntry,
    "metal",
    [
        thermal_conductivity_w_per_m_k,
        density_kg_per_m3,
        specific_heat_j_per_kg_k
    ],
    []
);

impl MetalEntry {
    /// The metal's properties.
    pub fn metal(&self) -> Metal {
        Metal {
            thermal_conductivity_w_per_m_k: self.thermal_conductivity_w_per_m_k.value,
            density_kg_per_m3: self.density_kg_per_m3.value,
            specific_heat_j_per_kg_k: self.specific_heat_j_per_kg_k.value,
        }
    }
}

/// How needles are placed: the angles of the guidelines, how far things may be from where they are meant to be, and what is kept away from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technique {
    /// Name, such as `lumbar_parallel`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Smallest angle between shaft and parasagittal plane in the posterior view, degrees.
    pub lateral_least_deg: Sourced,
    /// Largest.
    pub lateral_most_deg: Sourced,
    /// Smallest angle between shaft and superior end plate in the lateral view, degrees.
    pub caudal_least_deg: Sourced,
    /// Largest.
    pub caudal_most_deg: Sourced,
    /// Standard deviation of the tip's place in each direction across the needle, mm.
    pub tip_sd_mm: Sourced,
    /// Standard deviation of the tip's place along the needle, mm.
    pub depth_sd_mm: Sourced,
    /// Standard deviation of the needle's direction in each of two planes, degrees.
    pub angle_sd_deg: Sourced,
    /// Standard deviation of the logarithm of the lesion's reach, from spread of the tissue and of where its edge lies.
    pub lesion_sd_fraction: Sourced,
    /// Least distance from the lesion to a root, ganglion or ventral ramus, mm.
    pub spare_nerve_mm: Sourced,
    /// Least distance from the lesion to the skin, mm.
    pub spare_skin_mm: Sourced,
    /// Largest probability that the lesion touches a nerve to be spared.
    pub harm_fraction: Sourced,
    /// Length of the cannula that stays outside, mm.
    pub hub_mm: Sourced,
    /// Length of a nerve to be destroyed where none is asked for, mm.
    pub destroyed_mm: Sourced,
}

entry!(
    Technique,
    "technique",
    [
        lateral_least_deg,
        lateral_most_deg,
        caudal_least_deg,
        caudal_most_deg,
        tip_sd_mm,
        depth_sd_mm,
        angle_sd_deg,
        lesion_sd_fraction,
        spare_nerve_mm,
        spare_skin_mm,
        harm_fraction,
        hub_mm,
        destroyed_mm,
    ],
    []
);

impl Technique {
    /// Range of angles to the parasagittal plane, degrees.
    pub fn lateral_deg(&self) -> [f64; 2] {
        [self.lateral_least_deg.value, self.lateral_most_deg.value]
    }

    /// Range of angles to the end plate, degrees.
    pub fn caudal_deg(&self) -> [f64; 2] {
        [self.caudal_least_deg.value, self.caudal_most_deg.value]
    }
}

/// A spread between people: one for all levels, or one for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Spread {
    /// The same everywhere.
    All(f64),
    /// By level.
    ByLevel(BTreeMap<Level, f64>),
}

/// A measure of the lumbar spine or of what lies round it, mean of adult women and men. The unit is in its name; names that begin with
/// `hu_` are CT numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpineMeasure {
    /// Name, such as `pedicle_width_mm`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// A key of the catalogue's table of sources.
    pub source: String,
    /// True when the means were read in the source; false when recalled, derived or assumed.
    pub verified: bool,
    /// Under which condition it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Women over men; none: no difference is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub female_ratio: Option<f64>,
    /// Standard deviation between people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<Spread>,
    /// The mean, where it has no level. One of this and `by_level` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The mean at each level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_level: Option<BTreeMap<Level, f64>>,
}

impl SpineMeasure {
    /// The mean at a level; none where the measure is told by level and not for this one.
    pub fn at(&self, level: Level) -> Option<f64> {
        match &self.by_level {
            Some(levels) => levels.get(&level).copied(),
            None => self.value,
        }
    }

    /// The standard deviation at a level, where one is told.
    pub fn sd_at(&self, level: Level) -> Option<f64> {
        match self.sd.as_ref()? {
            Spread::All(sd) => Some(*sd),
            Spread::ByLevel(levels) => levels.get(&level).copied(),
        }
    }

    /// The factors that lead from the common mean to that of women and to that of men.
    pub fn sex_factors(&self) -> (f64, f64) {
        let ratio = self.female_ratio.unwrap_or(1.0);
        (2.0 * ratio / (1.0 + ratio), 2.0 / (1.0 + ratio))
    }

    /// How many means it holds.
    pub fn means(&self) -> usize {
        self.by_level.as_ref().map_or(1, BTreeMap::len)
    }
}

impl Entry for SpineMeasure {
    const KIND: &'static str = "spine";
    fn name(&self) -> &str {
        &self.name
    }
    fn title(&self) -> &str {
        &self.title
    }
    /// Its numbers are means with a spread, not values of named fields.
    fn values(&self) -> Vec<(&'static str, &Sourced)> {
        Vec::new()
    }
}

/// The whole catalogue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Citation of each source key.
    pub sources: BTreeMap<String, String>,
    /// Tissues; their order is that of [`crate::anatomy::TissueId`].
    pub tissues: Vec<Tissue>,
    /// Injury laws.
    pub injury: Vec<InjuryLaw>,
    /// Cannulas.
    pub cannulas: Vec<Cannula>,
    /// Metals.
    pub metals: Vec<MetalEntry>,
    /// Generators.
    pub generators: Vec<GeneratorEntry>,
    /// How pain makes patients move.
    #[serde(default)]
    pub movements: Vec<Movement>,
    /// Presets of generators.
    #[serde(default)]
    pub presets: Vec<PresetEntry>,
    /// Attenuation of materials.
    pub xray_materials: Vec<XrayMaterial>,
    /// Spectra of X-ray tubes, in ascending order of voltage.
    pub tube_spectra: Vec<TubeSpectrum>,
    /// C-arms.
    pub carms: Vec<CArmEntry>,
    /// Values of tissues in a CT.
    pub tissue_hounsfield: Vec<TissueHounsfield>,
    /// Techniques of placement.
    pub techniques: Vec<Technique>,
    /// Measures of the spine.
    pub spine: Vec<SpineMeasure>,
    /// Fibres of the nerves.
    #[serde(default)]
    pub nerves: Vec<NerveFibres>,
    /// Tests with stimulation.
    #[serde(default)]
    pub stimulation_tests: Vec<StimulationTest>,
    /// Borders between metal and tissue.
    #[serde(default)]
    pub electrode_interfaces: Vec<ElectrodeInterface>,
    /// Bundles of fibres.
    #[serde(default)]
    pub fascicles: Vec<Fascicle>,
    /// What people notice.
    #[serde(default)]
    pub perceptions: Vec<Perception>,
    /// Fluids that are injected.
    #[serde(default)]
    pub solutions: Vec<SolutionEntry>,
    /// Local anaesthetics.
    #[serde(default)]
    pub anaesthetics: Vec<AnaestheticEntry>,
    /// How much block stops a spike.
    #[serde(default)]
    pub conduction_block: Vec<ConductionBlock>,
    /// How tissues let fluid through.
    #[serde(default)]
    pub transport: Vec<TransportEntry>,
    /// Numbers of the model of outcome.
    #[serde(default)]
    pub outcomes: Vec<OutcomeNumbers>,
    /// Thresholds of the assessment.
    #[serde(default)]
    pub selections: Vec<Selection>,
    /// How cannulas go through tissue.
    #[serde(default)]
    pub insertions: Vec<InsertionNumbers>,
    /// Resistances of tissues to a cannula.
    #[serde(default)]
    pub tissue_resistances: Vec<TissueResistance>,
    /// The checklist of a sound procedure.
    #[serde(default)]
    pub guidelines: Vec<Guideline>,
}

impl Catalog {
    /// The measure of the spine of a name, such as `pedicle_width_mm`.
    pub fn spine_measure(&self, name: &str) -> Option<&SpineMeasure> {
        find(&self.spine, name)
    }
}

/// The entry of a name.
pub fn find<'a, E: Entry>(entries: &'a [E], name: &str) -> Option<&'a E> {
    entries.iter().find(|e| e.name() == name)
}
