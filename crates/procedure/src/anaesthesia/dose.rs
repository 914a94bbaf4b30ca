//! What the body gets.

use serde::Serialize;

use super::Drug;

/// A dose beside the largest one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Dose {
    /// What is injected, mg.
    pub dose_mg: f64,
    /// The largest dose for this body, mg.
    pub max_mg: f64,
}

impl Dose {
    /// Of a volume for a body.
    pub fn new(drug: &Drug, volume_ml: f64, body_mass_kg: f64) -> Self {
        Self {
            dose_mg: 10.0 * drug.percent * volume_ml,
            max_mg: (drug.max_dose_mg_per_kg * body_mass_kg).min(drug.max_dose_mg),
        }
    }

    /// True when it is more than allowed.
    pub fn too_much(&self) -> bool {
        self.dose_mg > self.max_mg
    }
}

/// The drug in plasma: one compartment, filled by what blood takes up at the site, emptied by clearance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plasma {
    rate_per_s: f64,
    distribution_l: f64,
    amount_mg: f64,
}

impl Plasma {
    /// Nothing yet.
    pub fn new(drug: &Drug) -> Self {
        Self {
            rate_per_s: drug.clearance_l_per_min / 60.0 / drug.distribution_l,
            distribution_l: drug.distribution_l,
            amount_mg: 0.0,
        }
    }

    /// A time in which `absorbed_mg` came in evenly.
    pub fn step(&mut self, absorbed_mg: f64, dt_s: f64) {
        let x = self.rate_per_s * dt_s;
        let kept = (-x).exp();
        let gain = if x > 1e-12 { (1.0 - kept) / x } else { 1.0 };
        self.amount_mg = self.amount_mg * kept + absorbed_mg * gain;
    }

    /// Concentration, mg/l.
    pub fn mg_per_l(&self) -> f64 {
        self.amount_mg / self.distribution_l
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plasma_settles_where_inflow_is_cleared() {
        let mut plasma = Plasma {
            rate_per_s: 1e-3,
            distribution_l: 50.0,
            amount_mg: 0.0,
        };
        for _ in 0..100 {
            plasma.step(0.1 * 200.0, 200.0);
        }
        // 0.1 mg/s over 0.05 l/s.
        assert!((plasma.mg_per_l() - 2.0).abs() < 1e-6, "{}", plasma.mg_per_l());
        let before = plasma.mg_per_l();
        plasma.step(0.0, 1000.0);
        assert!((plasma.mg_per_l() / before - (-1f64).exp()).abs() < 1e-12);
    }
}
