//! The material law of a tissue.

use serde::{Deserialize, Serialize};

/// Properties of one tissue at the RF frequency, at 37 °C where they depend on temperature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TissueProperties {
    /// Electrical conductivity at 37 °C, S/m.
    pub sigma_s_per_m: f64,
    /// Relative change of the conductivity per kelvin: σ(T) = σ(37)(1 + c (min(T, limit) − 37)).
    pub sigma_temperature_coefficient_per_k: f64,
    /// Temperature above which the conductivity rises no further, °C.
    pub sigma_limit_temperature_c: f64,
    /// Thermal conductivity, W/(m K).
    pub thermal_conductivity_w_per_m_k: f64,
    /// Density, kg/m³.
    pub density_kg_per_m3: f64,
    /// Specific heat, J/(kg K).
    pub specific_heat_j_per_kg_k: f64,
    /// Perfusion ω, 1/s (volume of blood per volume of tissue and second).
    pub perfusion_per_s: f64,
    /// Mass fraction of water, for boiling at 100 °C.
    pub water_fraction: f64,
    /// Conductivity along the fibres over that across them (`sigma_s_per_m`); 1 where all directions are alike.
    pub sigma_fibre_ratio: f64,
    /// How perfusion rises with temperature; none where it does not.
    pub perfusion_rise: Option<PerfusionRise>,
    /// A fluid that moves and so stays at its own temperature: blood in a vessel, cerebrospinal fluid.
    pub fluid: Option<Fluid>,
}

/// Perfusion that rises with temperature: the factor is `1 + (max − 1) exp(−((T − T_max)/w)²)` below `T_max` and `max` above.
///
/// Form of Lang, Erdmann and Seebass, IEEE Trans. Biomed. Eng. 46 (1999) 1129; `w² = 12 K²` there, so that 37 °C is at rest.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PerfusionRise {
    /// Perfusion at `T_max` and above over that at rest.
    pub max_factor: f64,
    /// `T_max`, °C.
    pub max_temperature_c: f64,
    /// `w`, K.
    pub width_k: f64,
}

impl PerfusionRise {
    /// Perfusion at a temperature in °C over that at rest.
    pub fn factor(&self, temperature_c: f64) -> f64 {
        let below = (self.max_temperature_c - temperature_c).max(0.0) / self.width_k;
        1.0 + (self.max_factor - 1.0) * (-below * below).exp()
    }
}

/// A moving fluid as a heat sink.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fluid {
    /// Its temperature, °C.
    pub temperature_c: f64,
    /// Coefficient of heat transfer at its border, W/(m² K).
    pub heat_transfer_w_per_m2_k: f64,
}

impl Default for TissueProperties {
    /// A solid without any property but density: to be filled in.
    fn default() -> Self {
        Self {
            sigma_s_per_m: 0.0,
            sigma_temperature_coefficient_per_k: 0.0,
            sigma_limit_temperature_c: 100.0,
            thermal_conductivity_w_per_m_k: 0.0,
            density_kg_per_m3: 1000.0,
            specific_heat_j_per_kg_k: 0.0,
            perfusion_per_s: 0.0,
            water_fraction: 0.0,
            sigma_fibre_ratio: 1.0,
            perfusion_rise: None,
            fluid: None,
        }
    }
}

impl TissueProperties {
    /// σ(T)/σ(37): never below 0.05, so that cooling cannot turn the conductivity negative.
    pub fn sigma_factor(&self, temperature_c: f64) -> f64 {
        let t = temperature_c.min(self.sigma_limit_temperature_c);
        (1.0 + self.sigma_temperature_coefficient_per_k * (t - 37.0)).max(0.05)
    }

    /// Volumetric heat capacity ρc, J/(m³ K).
    pub fn heat_capacity_j_per_m3_k(&self) -> f64 {
        self.density_kg_per_m3 * self.specific_heat_j_per_kg_k
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perfusion_rises_and_saturates() {
        let rise = PerfusionRise {
            max_factor: 8.0,
            max_temperature_c: 45.0,
            width_k: 12f64.sqrt(),
        };
        assert!((rise.factor(37.0) - 1.0).abs() < 0.04);
        assert_eq!(rise.factor(45.0), 8.0);
        assert_eq!(rise.factor(80.0), 8.0);
        assert!((rise.factor(45.0 - 12f64.sqrt()) - (1.0 + 7.0 / std::f64::consts::E)).abs() < 1e-12);
    }
}
