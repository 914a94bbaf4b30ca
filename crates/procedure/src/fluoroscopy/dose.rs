//! Dose: what the patient and, roughly, the operator receive.

use serde::{Deserialize, Serialize};

use super::{CArm, Machine};

/// Dose of one pulse or of a whole screening.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Dose {
    /// Pulses.
    pub frames: u64,
    /// Time with the pedal down, s.
    pub screening_s: f64,
    /// Incident air kerma at the patient entrance reference point, mGy, without backscatter.
    pub air_kerma_mgy: f64,
    /// Dose–area product, Gy cm².
    pub dose_area_gy_cm2: f64,
    /// Air kerma 1 m beside the patient, µGy: an order of magnitude, without lead.
    pub operator_ugy: f64,
}

impl Dose {
    /// The sum of two.
    #[must_use]
    pub fn plus(&self, other: &Dose) -> Dose {
        Dose {
            frames: self.frames + other.frames,
            screening_s: self.screening_s + other.screening_s,
            air_kerma_mgy: self.air_kerma_mgy + other.air_kerma_mgy,
            dose_area_gy_cm2: self.dose_area_gy_cm2 + other.dose_area_gy_cm2,
            operator_ugy: self.operator_ugy + other.operator_ugy,
        }
    }
}

/// Field in cm² for which the rule of scatter beside the patient is stated.
const OPERATOR_FIELD_CM2: f64 = 400.0;

/// The dose of a pulse of a charge in mAs.
///
/// Kerma falls with the square of the distance from the source, the field grows with it, so that their product is the same anywhere.
/// Scatter beside the patient goes with the product.
pub fn pulse_dose(machine: &Machine, arm: &CArm, charge_mas: f64, pulses_per_s: f64) -> Dose {
    let reference_m = 1e-3 * (arm.source_isocentre_mm - machine.entry.reference_point_mm.value).max(1.0);
    let kerma_ugy = machine.kerma_ugy_per_mas * charge_mas / (reference_m * reference_m);
    let [width, height] = arm.field_mm();
    let scale = 1e3 * reference_m / arm.source_detector_mm;
    let field_cm2 = width * height * scale * scale / 100.0;
    Dose {
        frames: 1,
        screening_s: 1.0 / pulses_per_s,
        air_kerma_mgy: 1e-3 * kerma_ugy,
        dose_area_gy_cm2: 1e-6 * kerma_ugy * field_cm2,
        operator_ugy: kerma_ugy * machine.entry.operator_scatter_ratio.value * field_cm2 / OPERATOR_FIELD_CM2,
    }
}
