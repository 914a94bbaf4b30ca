//! What is injected, and how tissue lets it through.

use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};

/// The fluid of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolutionEntry {
    /// Name of the agent, such as `saline`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Conductivity at 37 °C, S/m.
    pub sigma_s_per_m: Sourced,
    /// Density, kg/m³.
    pub density_kg_per_m3: Sourced,
    /// Specific heat, J/(kg K).
    pub specific_heat_j_per_kg_k: Sourced,
    /// Viscosity at 37 °C, Pa s.
    pub viscosity_pa_s: Sourced,
    /// Diffusion of its salt in the pores of tissue, detours included, m²/s.
    pub salt_diffusion_m2_per_s: Sourced,
    /// Share of its salt that blood takes up as it passes.
    pub salt_extraction_fraction: Sourced,
}

entry!(
    SolutionEntry,
    "solution",
    [
        sigma_s_per_m,
        density_kg_per_m3,
        specific_heat_j_per_kg_k,
        viscosity_pa_s,
        salt_diffusion_m2_per_s,
        salt_extraction_fraction,
    ],
    []
);

/// A local anaesthetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnaestheticEntry {
    /// Name of the agent, that of its [`SolutionEntry`], such as `lidocaine`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Molar mass of what percent are counted in, g/mol.
    pub molar_mass_g_per_mol: Sourced,
    /// The pH at which half of it is ionised (pKa).
    pub half_ionised_ph: Sourced,
    /// Concentrations sold, g in 100 ml, ascending.
    pub stock_percent: Vec<Sourced>,
    /// Largest dose, mg per kg of body.
    pub max_dose_mg_per_kg: Sourced,
    /// Largest dose, mg.
    pub max_dose_mg: Sourced,
    /// What cells hold in a volume of tissue over the concentration in its pores.
    pub partition_ratio: Sourced,
    /// Diffusion in the pores of tissue, detours included, m²/s.
    pub diffusion_m2_per_s: Sourced,
    /// Share that blood takes up as it passes.
    pub extraction_fraction: Sourced,
    /// Concentration among the fibres of a nerve over that round it, once settled.
    pub nerve_share_fraction: Sourced,
    /// Time constant of that, of a nerve of 1 mm, s.
    pub nerve_lag_s: Sourced,
    /// Concentration that blocks half of the Aα fibres in a bath, mmol/l.
    pub ic50_a_alpha_mmol_per_l: Sourced,
    /// Its standard deviation between fibres, mmol/l.
    pub ic50_a_alpha_sd_mmol_per_l: Sourced,
    /// Likewise of Aβ fibres.
    pub ic50_a_beta_mmol_per_l: Sourced,
    /// Likewise.
    pub ic50_a_beta_sd_mmol_per_l: Sourced,
    /// Likewise of Aγ fibres.
    pub ic50_a_gamma_mmol_per_l: Sourced,
    /// Likewise.
    pub ic50_a_gamma_sd_mmol_per_l: Sourced,
    /// Likewise of Aδ fibres.
    pub ic50_a_delta_mmol_per_l: Sourced,
    /// Likewise.
    pub ic50_a_delta_sd_mmol_per_l: Sourced,
    /// Likewise of C fibres.
    pub ic50_c_mmol_per_l: Sourced,
    /// Likewise.
    pub ic50_c_sd_mmol_per_l: Sourced,
    /// Volume in which the body distributes it, l.
    pub distribution_l: Sourced,
    /// Clearance from plasma, l/min.
    pub clearance_l_per_min: Sourced,
    /// Concentration in plasma at which toxic signs begin, mg/l.
    pub toxic_mg_per_l: Sourced,
}

impl Entry for AnaestheticEntry {
    const KIND: &'static str = "anaesthetic";
    fn name(&self) -> &str {
        &self.name
    }
    fn title(&self) -> &str {
        &self.title
    }
    fn values(&self) -> Vec<(&'static str, &Sourced)> {
        let mut all = vec![
            ("molar_mass_g_per_mol", &self.molar_mass_g_per_mol),
            ("half_ionised_ph", &self.half_ionised_ph),
        ];
        all.extend(self.stock_percent.iter().map(|s| ("stock_percent", s)));
        all.extend([
            ("max_dose_mg_per_kg", &self.max_dose_mg_per_kg),
            ("max_dose_mg", &self.max_dose_mg),
            ("partition_ratio", &self.partition_ratio),
            ("diffusion_m2_per_s", &self.diffusion_m2_per_s),
            ("extraction_fraction", &self.extraction_fraction),
            ("nerve_share_fraction", &self.nerve_share_fraction),
            ("nerve_lag_s", &self.nerve_lag_s),
            ("ic50_a_alpha_mmol_per_l", &self.ic50_a_alpha_mmol_per_l),
            ("ic50_a_alpha_sd_mmol_per_l", &self.ic50_a_alpha_sd_mmol_per_l),
            ("ic50_a_beta_mmol_per_l", &self.ic50_a_beta_mmol_per_l),
            ("ic50_a_beta_sd_mmol_per_l", &self.ic50_a_beta_sd_mmol_per_l),
            ("ic50_a_gamma_mmol_per_l", &self.ic50_a_gamma_mmol_per_l),
            ("ic50_a_gamma_sd_mmol_per_l", &self.ic50_a_gamma_sd_mmol_per_l),
            ("ic50_a_delta_mmol_per_l", &self.ic50_a_delta_mmol_per_l),
            ("ic50_a_delta_sd_mmol_per_l", &self.ic50_a_delta_sd_mmol_per_l),
            ("ic50_c_mmol_per_l", &self.ic50_c_mmol_per_l),
            ("ic50_c_sd_mmol_per_l", &self.ic50_c_sd_mmol_per_l),
            ("distribution_l", &self.distribution_l),
            ("clearance_l_per_min", &self.clearance_l_per_min),
            ("toxic_mg_per_l", &self.toxic_mg_per_l),
        ]);
        all
    }
}

/// How much block of sodium channels stops a spike: the share that must be blocked at so many nodes in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConductionBlock {
    /// Name.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// At three nodes.
    pub nodes_3_fraction: Sourced,
    /// At four.
    pub nodes_4_fraction: Sourced,
    /// At five.
    pub nodes_5_fraction: Sourced,
    /// At six.
    pub nodes_6_fraction: Sourced,
    /// At nine.
    pub nodes_9_fraction: Sourced,
    /// At thirteen and more.
    pub nodes_13_fraction: Sourced,
    /// Length of a C fibre from which its block does not depend on length, mm.
    pub unmyelinated_mm: Sourced,
    /// Share that must be blocked over such a length.
    pub unmyelinated_fraction: Sourced,
}

entry!(
    ConductionBlock,
    "conduction_block",
    [
        nodes_3_fraction,
        nodes_4_fraction,
        nodes_5_fraction,
        nodes_6_fraction,
        nodes_9_fraction,
        nodes_13_fraction,
        unmyelinated_mm,
        unmyelinated_fraction,
    ],
    []
);

/// How a tissue lets fluid through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportEntry {
    /// Name of the tissue, such as `muscle`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Permeability of Darcy's law, m²; zero for a tissue that is closed.
    pub permeability_m2: Sourced,
    /// Share of the volume that an injected fluid fills.
    pub porosity_fraction: Sourced,
}

entry!(TransportEntry, "transport", [permeability_m2, porosity_fraction], []);
