//! Thermal injury: the Arrhenius integral and cumulative equivalent minutes at 43 °C.

use serde::{Deserialize, Serialize};

/// Gas constant, J/(mol K).
pub const GAS_CONSTANT: f64 = 8.314462618;

/// A first-order Arrhenius injury law, dΩ/dt = A exp(−Ea / (R T)).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Arrhenius {
    /// ln of the frequency factor A in 1/s.
    pub ln_frequency_factor: f64,
    /// Activation energy, J/mol.
    pub activation_energy_j_per_mol: f64,
}

impl Arrhenius {
    /// The rate dΩ/dt in 1/s at a temperature in °C.
    pub fn rate_per_s(&self, temperature_c: f64) -> f64 {
        (self.ln_frequency_factor - self.activation_energy_j_per_mol / (GAS_CONSTANT * (temperature_c + 273.15))).exp()
    }

    /// The constant temperature in °C that gives Ω = 1 after `duration_s`.
    pub fn iso_effect_temperature_c(&self, duration_s: f64) -> f64 {
        self.activation_energy_j_per_mol / (GAS_CONSTANT * (self.ln_frequency_factor + duration_s.ln())) - 273.15
    }
}

/// Rate of CEM43 thermal dose in equivalent minutes per second at a temperature in °C (Sapareto and Dewey 1984).
///
/// R = 0.5 above 43 °C, 0.25 from 39 to 43 °C and 0 below 39 °C.
pub fn cem43_rate_min_per_s(temperature_c: f64) -> f64 {
    let halvings = if temperature_c >= 43.0 {
        43.0 - temperature_c
    } else if temperature_c >= 39.0 {
        2.0 * (43.0 - temperature_c)
    } else {
        return 0.0;
    };
    (-halvings).exp2() / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_effect_temperatures_of_the_liver_set() {
        // Ea / (R ln(A t)) for A = 7.39e39 1/s, Ea = 2.577e5 J/mol, worked out by hand to two decimals.
        let law = Arrhenius {
            ln_frequency_factor: 7.39e39_f64.ln(),
            activation_energy_j_per_mol: 2.577e5,
        };
        for (t, expected) in [(60.0, 50.06), (90.0, 48.70), (120.0, 47.74), (180.0, 46.40)] {
            assert!((law.iso_effect_temperature_c(t) - expected).abs() < 0.006, "{t} s");
            assert!((law.rate_per_s(law.iso_effect_temperature_c(t)) * t - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn one_minute_at_43_is_one_minute() {
        assert!((cem43_rate_min_per_s(43.0) * 60.0 - 1.0).abs() < 1e-15);
        assert!((cem43_rate_min_per_s(44.0) * 60.0 - 2.0).abs() < 1e-15);
        assert!((cem43_rate_min_per_s(42.0) * 60.0 - 0.25).abs() < 1e-15);
    }
}
