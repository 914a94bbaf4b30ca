//! What is in the syringe.

use serde::Serialize;

use super::{AnaesthesiaError, error::within, fibre::ClassBlock};
use crate::catalog::{AnaestheticEntry, Catalog, FibreKind, SolutionEntry, Sourced, find};

/// An agent at its concentration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Solution {
    /// Name of the agent.
    pub name: String,
    /// Conductivity at 37 °C, S/m.
    pub sigma_s_per_m: f64,
    /// Density, kg/m³.
    pub density_kg_per_m3: f64,
    /// Specific heat, J/(kg K).
    pub specific_heat_j_per_kg_k: f64,
    /// Viscosity, Pa s.
    pub viscosity_pa_s: f64,
    /// Diffusion of its salt in pores, m²/s.
    pub salt_diffusion_m2_per_s: f64,
    /// Share of its salt that passing blood takes up.
    pub salt_extraction: f64,
    /// The drug in it.
    pub drug: Option<Drug>,
}

/// A drug in solution.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drug {
    /// Grams in 100 ml.
    pub percent: f64,
    /// The same in mmol/l.
    pub mmol_per_l: f64,
    /// Molar mass, g/mol.
    pub molar_mass_g_per_mol: f64,
    /// What cells hold in a volume of tissue over the concentration in pores.
    pub partition: f64,
    /// Diffusion in pores, m²/s.
    pub diffusion_m2_per_s: f64,
    /// Share that passing blood takes up.
    pub extraction: f64,
    /// Concentration among the fibres over that round the nerve, once settled.
    pub nerve_share: f64,
    /// Time constant of that, of a nerve of 1 mm, s.
    pub nerve_lag_s: f64,
    /// Thresholds of the classes, in the order of [`FibreKind::ALL`].
    pub classes: [ClassBlock; 5],
    /// Largest dose, mg/kg.
    pub max_dose_mg_per_kg: f64,
    /// Largest dose, mg.
    pub max_dose_mg: f64,
    /// Volume of distribution, l.
    pub distribution_l: f64,
    /// Clearance, l/min.
    pub clearance_l_per_min: f64,
    /// Concentration in plasma at which toxic signs begin, mg/l.
    pub toxic_mg_per_l: f64,
}

impl Solution {
    /// An agent of the catalogue; `percent` for a drug, by default its strongest usual concentration up to 2 %.
    ///
    /// # Errors
    /// [`AnaesthesiaError::Agent`], [`AnaesthesiaError::Percent`], [`AnaesthesiaError::Range`].
    pub fn new(catalog: &Catalog, agent: &str, percent: Option<f64>) -> Result<Self, AnaesthesiaError> {
        let entry = find(&catalog.solutions, agent).ok_or_else(|| {
            let known: Vec<&str> = catalog.solutions.iter().map(|s| s.name.as_str()).collect();
            AnaesthesiaError::Agent {
                name: agent.to_owned(),
                known: known.join(", "),
            }
        })?;
        let drug = match (find(&catalog.anaesthetics, agent), percent) {
            (Some(drug), percent) => Some(Drug::new(drug, percent)?),
            (None, None) => None,
            (None, Some(percent)) => {
                return Err(AnaesthesiaError::Percent {
                    name: agent.to_owned(),
                    found: format!("{percent} % was given, but it holds no anaesthetic"),
                    advice: "leave the percent out; other strengths of salt are agents of their own, as saline-3"
                        .to_owned(),
                });
            }
        };
        Ok(Self::of(entry, drug))
    }

    fn of(entry: &SolutionEntry, drug: Option<Drug>) -> Self {
        Self {
            name: entry.name.clone(),
            sigma_s_per_m: entry.sigma_s_per_m.value,
            density_kg_per_m3: entry.density_kg_per_m3.value,
            specific_heat_j_per_kg_k: entry.specific_heat_j_per_kg_k.value,
            viscosity_pa_s: entry.viscosity_pa_s.value,
            salt_diffusion_m2_per_s: entry.salt_diffusion_m2_per_s.value,
            salt_extraction: entry.salt_extraction_fraction.value,
            drug,
        }
    }
}

/// Strongest concentration that is taken where none is given, percent.
const USUAL_PERCENT: f64 = 2.0;

impl Drug {
    fn new(e: &AnaestheticEntry, percent: Option<f64>) -> Result<Self, AnaesthesiaError> {
        let stock = || e.stock_percent.iter().map(|s| s.value);
        let (weakest, strongest) = (stock().fold(f64::INFINITY, f64::min), stock().fold(0.0, f64::max));
        let usual = || stock().filter(|p| *p <= USUAL_PERCENT).fold(weakest, f64::max);
        // A stock solution may be diluted.
        let percent = within(
            "the concentration",
            percent.unwrap_or_else(usual),
            [0.01 * weakest, strongest],
            "%",
            "give one up to the strongest sold, or leave it out",
        )?;
        let class = |ic50: &Sourced, sd: &Sourced| ClassBlock::new(ic50, sd);
        Ok(Self {
            percent,
            mmol_per_l: 1e4 * percent / e.molar_mass_g_per_mol.value,
            molar_mass_g_per_mol: e.molar_mass_g_per_mol.value,
            partition: e.partition_ratio.value,
            diffusion_m2_per_s: e.diffusion_m2_per_s.value,
            extraction: e.extraction_fraction.value,
            nerve_share: e.nerve_share_fraction.value,
            nerve_lag_s: e.nerve_lag_s.value,
            classes: [
                class(&e.ic50_a_alpha_mmol_per_l, &e.ic50_a_alpha_sd_mmol_per_l),
                class(&e.ic50_a_beta_mmol_per_l, &e.ic50_a_beta_sd_mmol_per_l),
                class(&e.ic50_a_gamma_mmol_per_l, &e.ic50_a_gamma_sd_mmol_per_l),
                class(&e.ic50_a_delta_mmol_per_l, &e.ic50_a_delta_sd_mmol_per_l),
                class(&e.ic50_c_mmol_per_l, &e.ic50_c_sd_mmol_per_l),
            ],
            max_dose_mg_per_kg: e.max_dose_mg_per_kg.value,
            max_dose_mg: e.max_dose_mg.value,
            distribution_l: e.distribution_l.value,
            clearance_l_per_min: e.clearance_l_per_min.value,
            toxic_mg_per_l: e.toxic_mg_per_l.value,
        })
    }

    /// Thresholds of a class.
    pub fn class(&self, class: FibreKind) -> &ClassBlock {
        &self.classes[class as usize]
    }

    /// Share of a class's fibres that a concentration among the fibres blocks, in a long stretch, mmol/l.
    pub fn blocked_share(&self, class: FibreKind, mmol_per_l: f64) -> f64 {
        self.class(class).share(mmol_per_l)
    }

    /// Share of the sodium channels blocked in the mean fibre of a class, as a cable model of the fibre wants it: `c/(c + K)`, where K is such that
    /// at the IC50 the block is the one that stops a spike in a long stretch (`long_stretch` of the [`super::ConductionRule`]).
    pub fn sodium_block(&self, class: FibreKind, mmol_per_l: f64, long_stretch: [f64; 2]) -> f64 {
        let stops = long_stretch[usize::from(class == FibreKind::C)];
        let k = self.class(class).ic50_mmol_per_l * (1.0 - stops) / stops;
        if mmol_per_l > 0.0 {
            mmol_per_l / (mmol_per_l + k)
        } else {
            0.0
        }
    }
}
