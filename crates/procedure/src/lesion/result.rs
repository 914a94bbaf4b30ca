//! What was computed, and how well.

use std::collections::BTreeMap;

use neurotome_base::PatientPoint;
use serde::{Deserialize, Serialize};

use super::{Leak, PadHeating, PulseFigures, SkinEntry};

/// Everything that a lesion run gives.
pub struct LesionResult {
    /// State at the output times.
    pub snapshots: Vec<Snapshot>,
    /// Readings at every time step.
    pub curves: Curves,
    /// Injury of each nerve at the end, in the problem's order.
    pub nerves: Vec<NerveInjury>,
    /// Injury of each tissue that the region holds, in the order of the table of tissues.
    pub tissues: Vec<TissueInjury>,
    /// Skin beside the shafts where they pass it, of the needles that pass skin within the region computed.
    pub skin_entries: Vec<SkinEntry>,
    /// What leaks out of defects of the insulation.
    pub leaks: Vec<Leak>,
    /// Field and spikes of pulsed current.
    pub pulse: Option<PulseFigures>,
    /// Heating under the return pad, where it was asked for.
    pub pad: Option<PadHeating>,
    /// How well it was solved.
    pub evidence: Evidence,
    /// Points on the surface Ω = 1 at the end (empty without a lesion).
    pub lesion_surface: Vec<PatientPoint>,
    /// The fields at the end of the run.
    pub fields: Box<dyn FieldSampler>,
}

/// Tissues whose injury is harm whatever the target.
const SPARED: [&str; 6] = [
    "skin",
    "csf",
    "dura",
    "spinal_cord",
    "nerve_root",
    "intervertebral_disc",
];

impl LesionResult {
    /// Injury of tissues that are to be spared: skin, canal, roots and disc, where any of it is destroyed.
    pub fn harm(&self) -> impl Iterator<Item = &TissueInjury> {
        self.tissues
            .iter()
            .filter(|t| t.injured_mm3 > 0.0 && SPARED.contains(&t.tissue.as_str()))
    }

    /// Injury of skin, where the region holds any.
    pub fn skin(&self) -> Option<&TissueInjury> {
        self.tissues.iter().find(|t| t.tissue == "skin")
    }
}

/// State at one output time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Time, s.
    pub t_s: f64,
    /// Temperature of each probe, °C.
    pub probes: BTreeMap<String, f64>,
    /// Power in the tissue, W.
    pub power_w: f64,
    /// Impedance seen by the generator, Ω.
    pub impedance_ohm: f64,
    /// Voltage, V rms.
    pub voltage_v: f64,
    /// Current, A rms.
    pub current_a: f64,
    /// Contours; null where none exists at this time.
    pub contours: Contours,
}

/// The contours reported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Contours {
    /// T ≥ 45 °C at this time.
    pub iso45: Option<Contour>,
    /// T ≥ 50 °C at this time.
    pub iso50: Option<Contour>,
    /// T ≥ 60 °C at this time.
    pub iso60: Option<Contour>,
    /// Ω ≥ 1 up to this time.
    pub omega1: Option<Contour>,
    /// Further contours by name: `iso55` for an isotherm, `cem43_240` for a thermal dose, `omega1_LAW` for Ω ≥ 1 by another law.
    #[serde(flatten)]
    pub more: BTreeMap<String, Option<Contour>>,
}

/// Size of one contour in the frame of the first needle (z along its axis; with several needles, y across their plane).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Contour {
    /// Extent along y, mm.
    pub width_mm: f64,
    /// Extent along x, mm.
    pub width_x_mm: f64,
    /// Extent along the needle, mm, needle included.
    pub length_mm: f64,
    /// Volume of tissue inside, mm³.
    pub volume_mm3: f64,
}

/// Readings at every time step; all vectors of one length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Time, s.
    pub t_s: Vec<f64>,
    /// Set temperature, °C (NaN-free: repeats the thermocouple when there is none).
    pub set_temperature_c: Vec<f64>,
    /// Thermocouple of the first needle, °C.
    pub thermocouple_c: Vec<f64>,
    /// Hottest tissue cell, °C.
    pub max_tissue_c: Vec<f64>,
    /// Voltage, V rms.
    pub voltage_v: Vec<f64>,
    /// Current, A rms.
    pub current_a: Vec<f64>,
    /// Power, W.
    pub power_w: Vec<f64>,
    /// Impedance, Ω.
    pub impedance_ohm: Vec<f64>,
    /// Tissue at the distal end of the first needle, °C; of pulsed current alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tip_tissue_c: Vec<f64>,
    /// Thermocouples of the other needles, °C.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_thermocouples_c: Vec<Vec<f64>>,
}

/// Injury of one nerve at the end of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NerveInjury {
    /// The nerve's name.
    pub name: String,
    /// Length with Ω ≥ 1 across the whole nerve (at the axis and at four points of its circumference), mm.
    pub destroyed_mm: f64,
    /// Hottest point on the nerve's axis over the whole run, °C.
    pub peak_temperature_c: f64,
    /// The same length by the further laws of injury, mm, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub destroyed_by_law_mm: BTreeMap<String, f64>,
    /// Nearest distance from the nerve's axis to the surface Ω = 1, mm; zero when the lesion reaches it; null without a lesion.
    pub distance_to_lesion_mm: Option<f64>,
}

/// Injury of one tissue at the end of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TissueInjury {
    /// The tissue.
    pub tissue: String,
    /// Volume with Ω ≥ 1, mm³, cell by cell.
    pub injured_mm3: f64,
    /// Highest temperature over the run, °C.
    pub peak_temperature_c: f64,
}

/// Stated discretisation error of the results at the end of heating: the largest difference to a run on cells twice as large, over
/// Ω = 1 at several times and the 50 and 60 °C isotherms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorEstimate {
    /// Relative error of the Ω = 1 width.
    pub width_relative: f64,
    /// Relative error of the Ω = 1 length.
    pub length_relative: f64,
    /// Relative error of the Ω = 1 volume.
    pub volume_relative: f64,
    /// Error of the highest thermocouple and probe temperatures, K.
    pub peak_temperature_k: f64,
    /// Relative error of impedance at the end of heating.
    pub impedance_relative: f64,
    /// Relative error of power at the end of heating.
    pub power_relative: f64,
}

/// How well a run was solved.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Cells of the grid.
    pub cells: usize,
    /// Faces of the grid.
    pub faces: usize,
    /// Time steps accepted.
    pub steps: usize,
    /// Time steps rejected.
    pub rejected_steps: usize,
    /// Mean conjugate-gradient iterations of a potential solve.
    pub potential_iterations_mean: f64,
    /// Most conjugate-gradient iterations of a potential solve.
    pub potential_iterations_max: usize,
    /// Mean conjugate-gradient iterations of a heat solve.
    pub heat_iterations_mean: f64,
    /// Most conjugate-gradient iterations of a heat solve.
    pub heat_iterations_max: usize,
    /// Largest relative residual accepted.
    pub residual_max: f64,
    /// Relative energy balance over the run: (in − stored − out) / in.
    pub energy_balance_relative: f64,
    /// Largest relative current balance over the run: (in − out) / in.
    pub current_balance_relative: f64,
    /// Lowest temperature anywhere in the run, °C (maximum principle: not below initial, blood and boundary).
    pub min_temperature_c: f64,

    /// Stated discretisation error, when asked for.
    pub error: Option<ErrorEstimate>,
}

/// Fields at one point at the end of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FieldSample {
    /// Temperature at the end, °C.
    pub temperature_c: f64,
    /// Highest temperature over the run, °C.
    pub peak_temperature_c: f64,
    /// Temperature at the end of heating, °C.
    pub heated_temperature_c: f64,
    /// ln Ω at the end (−∞ never: at least −690).
    pub ln_omega: f64,
    /// Cumulative equivalent minutes at 43 °C.
    pub cem43_min: f64,
    /// Field strength at the end of heating, V/m rms (of pulsed current: within a pulse).
    pub field_v_per_m: f64,
}

/// Reads the final fields at any point of the domain.
pub trait FieldSampler: Send + Sync {
    /// The fields at a point in patient LPS millimetres; none outside the domain or inside the metal.
    fn sample(&self, p: &PatientPoint) -> Option<FieldSample>;
}
