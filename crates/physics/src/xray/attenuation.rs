//! Attenuation of materials from tabulated coefficients.

/// Why a table or a spectrum cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpectrumError {
    /// A table is unusable.
    #[error("X-ray table of {what}: {found}; expected ascending energies with as many values above zero")]
    Table {
        /// What it is a table of.
        what: String,
        /// What is wrong.
        found: String,
    },
    /// Tube voltage outside of the tables.
    #[error("tube voltage {kv} kV is outside of the tabulated spectra, {low} to {high} kV; choose a voltage between")]
    Voltage {
        /// Voltage asked for, kV.
        kv: f64,
        /// Lowest.
        low: f64,
        /// Highest.
        high: f64,
    },
    /// A filter of impossible thickness.
    #[error("filter of {mm} mm; expected a finite thickness of at least zero")]
    Filter {
        /// Thickness, mm.
        mm: f64,
    },
    /// Nothing of the beam is left.
    #[error("the filters let nothing of the beam at {kv} kV through; take less filter or more voltage")]
    Nothing {
        /// Voltage, kV.
        kv: f64,
    },
}

/// Coefficients of a material by photon energy: interpolated linearly between the logarithms. Beyond the table its end holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficients {
    log_energy: Vec<f64>,
    log_per_mm: Vec<f64>,
}

impl Coefficients {
    /// From energies in keV (ascending; pairs close together keep an absorption edge), mass coefficients in cm²/g and a density in kg/m³.
    ///
    /// # Errors
    /// [`SpectrumError::Table`].
    pub fn new(
        what: &str,
        energy_kev: &[f64],
        cm2_per_g: &[f64],
        density_kg_per_m3: f64,
    ) -> Result<Self, SpectrumError> {
        let fail = |found: String| {
            Err(SpectrumError::Table {
                what: what.to_owned(),
                found,
            })
        };
        if energy_kev.len() != cm2_per_g.len() || energy_kev.len() < 2 {
            return fail(format!("{} energies and {} values", energy_kev.len(), cm2_per_g.len()));
        }
        let ascend = |a: f64, b: f64| a > 0.0 && b > a;
        if let Some(n) = (1..energy_kev.len()).find(|n| !ascend(energy_kev[n - 1], energy_kev[*n])) {
            return fail(format!(
                "energies {} and {} keV in a row",
                energy_kev[n - 1],
                energy_kev[n]
            ));
        }
        let usable = |v: &f64| *v > 0.0 && v.is_finite();
        if let Some(bad) = cm2_per_g.iter().chain([&density_kg_per_m3]).find(|v| !usable(v)) {
            return fail(format!("the value {bad}"));
        }
        // cm²/g · kg/m³ = 0.1 1/m = 1e-4 1/mm
        let scale = 1e-4 * density_kg_per_m3;
        Ok(Self {
            log_energy: energy_kev.iter().map(|e| e.ln()).collect(),
            log_per_mm: cm2_per_g.iter().map(|v| (v * scale).ln()).collect(),
        })
    }

    /// Linear coefficient at a photon energy in keV, 1/mm.
    pub fn per_mm(&self, energy_kev: f64) -> f64 {
        let at = energy_kev.ln();
        let n = self.log_energy.partition_point(|e| *e <= at);
        let last = self.log_energy.len() - 1;
        if n == 0 || n > last {
            return self.log_per_mm[n.min(last)].exp();
        }
        let (e0, e1) = (self.log_energy[n - 1], self.log_energy[n]);
        let (v0, v1) = (self.log_per_mm[n - 1], self.log_per_mm[n]);
        (v0 + (v1 - v0) * (at - e0) / (e1 - e0)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_is_met_between_its_points() {
        let energy = [10.0, 40.0, 160.0];
        let table = Coefficients::new("a power law", &energy, &energy.map(|e: f64| 50.0 * e.powi(-3)), 1000.0).unwrap();
        for e in [10.0, 13.0, 40.0, 77.0, 160.0] {
            let expected = 5.0 * f64::powi(e, -3);
            assert!((table.per_mm(e) / expected - 1.0).abs() < 1e-12);
        }
        assert_eq!(table.per_mm(5.0), table.per_mm(10.0));
        assert!(Coefficients::new("falling", &[20.0, 10.0], &[1.0, 1.0], 1.0).is_err());
        assert!(Coefficients::new("zero", &[10.0, 20.0], &[1.0, 0.0], 1.0).is_err());
        assert!(Coefficients::new("short", &[10.0, 20.0], &[1.0], 1.0).is_err());
    }
}
