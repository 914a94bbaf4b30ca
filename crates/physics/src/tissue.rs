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
    /// Mass fraction of water, for latent heat near 100 °C.
    pub water_fraction: f64,
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
