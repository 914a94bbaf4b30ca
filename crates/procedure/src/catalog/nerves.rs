//! Fibres of the nerves: what a stimulus excites and a lesion destroys.

use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};
use crate::anatomy::NerveKind;

/// The fibres of a kind of nerve. Shares are of all fibres, those without myelin too, and add to one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NerveFibres {
    /// Name: that of a [`NerveKind`], such as `medial_branch`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Number of all fibres in the nerve.
    pub fibre_count: Sourced,
    /// Share of Aα fibres: to muscles, from spindles and tendons.
    pub a_alpha_fraction: Sourced,
    /// Their mean diameter, myelin included, µm.
    pub a_alpha_diameter_um: Sourced,
    /// Its standard deviation, µm.
    pub a_alpha_sd_um: Sourced,
    /// Share of Aβ fibres: touch and joint position.
    pub a_beta_fraction: Sourced,
    /// Their mean diameter, µm.
    pub a_beta_diameter_um: Sourced,
    /// Its standard deviation, µm.
    pub a_beta_sd_um: Sourced,
    /// Share of Aγ fibres: to the spindles.
    pub a_gamma_fraction: Sourced,
    /// Their mean diameter, µm.
    pub a_gamma_diameter_um: Sourced,
    /// Its standard deviation, µm.
    pub a_gamma_sd_um: Sourced,
    /// Share of Aδ fibres: fast pain, cold.
    pub a_delta_fraction: Sourced,
    /// Their mean diameter, µm.
    pub a_delta_diameter_um: Sourced,
    /// Its standard deviation, µm.
    pub a_delta_sd_um: Sourced,
    /// Share of C fibres, without myelin: slow pain, sympathetic.
    pub c_fraction: Sourced,
    /// Their mean diameter, µm.
    pub c_diameter_um: Sourced,
    /// Its standard deviation, µm.
    pub c_sd_um: Sourced,
}

entry!(
    NerveFibres,
    "nerve",
    [
        fibre_count,
        a_alpha_fraction,
        a_alpha_diameter_um,
        a_alpha_sd_um,
        a_beta_fraction,
        a_beta_diameter_um,
        a_beta_sd_um,
        a_gamma_fraction,
        a_gamma_diameter_um,
        a_gamma_sd_um,
        a_delta_fraction,
        a_delta_diameter_um,
        a_delta_sd_um,
        c_fraction,
        c_diameter_um,
        c_sd_um,
    ],
    []
);

/// Fibres of one class in a nerve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FibreClass {
    /// Its name, such as `a_delta`.
    pub name: &'static str,
    /// True for fibres with myelin.
    pub myelinated: bool,
    /// Share of all fibres of the nerve.
    pub share: f64,
    /// Mean diameter, myelin included, µm.
    pub diameter_um: f64,
    /// Its standard deviation, µm.
    pub sd_um: f64,
}

impl NerveFibres {
    /// The classes, thickest first; some may be absent, with a share of zero.
    pub fn classes(&self) -> [FibreClass; 5] {
        let class = |name, myelinated, share: &Sourced, diameter: &Sourced, sd: &Sourced| FibreClass {
            name,
            myelinated,
            share: share.value,
            diameter_um: diameter.value,
            sd_um: sd.value,
        };
        [
            class(
                "a_alpha",
                true,
                &self.a_alpha_fraction,
                &self.a_alpha_diameter_um,
                &self.a_alpha_sd_um,
            ),
            class(
                "a_beta",
                true,
                &self.a_beta_fraction,
                &self.a_beta_diameter_um,
                &self.a_beta_sd_um,
            ),
            class(
                "a_gamma",
                true,
                &self.a_gamma_fraction,
                &self.a_gamma_diameter_um,
                &self.a_gamma_sd_um,
            ),
            class(
                "a_delta",
                true,
                &self.a_delta_fraction,
                &self.a_delta_diameter_um,
                &self.a_delta_sd_um,
            ),
            class("c", false, &self.c_fraction, &self.c_diameter_um, &self.c_sd_um),
        ]
    }
}

impl super::Catalog {
    /// The fibres of a kind of nerve.
    pub fn nerve_fibres(&self, kind: NerveKind) -> Option<&NerveFibres> {
        super::find(&self.nerves, kind.name())
    }
}
