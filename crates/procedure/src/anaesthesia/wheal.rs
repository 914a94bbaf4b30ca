//! Numbing of the skin: where the needle is to go in.

use neurotome_base::{PatientPoint, Vec3};

use crate::anatomy::Patient;

/// Depth of a wheal below the surface of the skin, mm: in the dermis.
pub const WHEAL_DEPTH_MM: f64 = 1.5;

/// Step along the shaft, mm.
const STEP_MM: f64 = 0.1;

/// Where a wheal is set for a needle: on its shaft, [`WHEAL_DEPTH_MM`] below the skin. None where the shaft meets no skin within
/// `length_mm` of the tip. `direction` points from the hub to the tip.
pub fn wheal_tip(patient: &dyn Patient, tip: &PatientPoint, direction: &Vec3, length_mm: f64) -> Option<PatientPoint> {
    let steps = (length_mm / STEP_MM).clamp(0.0, 1e5) as usize;
    let at = |k: usize| PatientPoint::from_vec(tip.vec() - direction * (STEP_MM * k as f64));
    let outermost = (0..=steps).find(|k| patient.skin_depth_mm(&at(*k)) < WHEAL_DEPTH_MM)?;
    (outermost > 0).then(|| at(outermost))
}
