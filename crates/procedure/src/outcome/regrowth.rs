//! When a fibre that is cut reaches the joint again.

use crate::catalog::OutcomeNumbers;

/// Regrowth of the axons of one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regrowth {
    /// Until growth begins, days.
    pub delay_days: f64,
    /// For a millimetre of coagulated nerve, days.
    pub gap_days_per_mm: f64,
    /// For a millimetre of living nerve, days.
    pub nerve_days_per_mm: f64,
    /// From the lesion to the joint, mm.
    pub joint_distance_mm: f64,
}

impl Regrowth {
    /// That of the catalogue, with times of growth multiplied by a person's own factor.
    pub fn of(numbers: &OutcomeNumbers, slowness: f64) -> Self {
        Self {
            delay_days: numbers.regrowth_delay_days.value,
            gap_days_per_mm: slowness * numbers.gap_days_per_mm.value,
            nerve_days_per_mm: slowness * numbers.nerve_days_per_mm.value,
            joint_distance_mm: numbers.joint_distance_mm.value,
        }
    }

    /// Days until a fibre with a gap of this length (mm) serves the joint again; 0 without a gap.
    pub fn days(&self, gap_mm: f64) -> f64 {
        if gap_mm > 0.0 {
            self.delay_days + self.gap_days_per_mm * gap_mm + self.nerve_days_per_mm * self.joint_distance_mm
        } else {
            0.0
        }
    }
}
