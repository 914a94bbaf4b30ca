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

/// A class of nerve fibres.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FibreKind {
    /// To muscles, from spindles and tendons.
    AAlpha,
    /// Touch and joint position.
    ABeta,
    /// To the spindles.
    AGamma,
    /// Fast pain, cold.
    ADelta,
    /// Slow pain.
    C,
}

impl std::fmt::Display for FibreKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl FibreKind {
    /// All, thickest first.
    pub const ALL: [FibreKind; 5] = [Self::AAlpha, Self::ABeta, Self::AGamma, Self::ADelta, Self::C];

    /// Its name in files, such as `a_delta`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AAlpha => "a_alpha",
            Self::ABeta => "a_beta",
            Self::AGamma => "a_gamma",
            Self::ADelta => "a_delta",
            Self::C => "c",
        }
    }

    /// Its name for people, such as `Aδ`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::AAlpha => "Aα",
            Self::ABeta => "Aβ",
            Self::AGamma => "Aγ",
            Self::ADelta => "Aδ",
            Self::C => "C",
        }
    }
}

/// Fibres of one class in a nerve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FibreClass {
    /// Which.
    #[serde(rename = "name")]
    pub kind: FibreKind,
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
        let class = |kind, share: &Sourced, diameter: &Sourced, sd: &Sourced| FibreClass {
            kind,
            myelinated: kind != FibreKind::C,
            share: share.value,
            diameter_um: diameter.value,
            sd_um: sd.value,
        };
        [
            class(
                FibreKind::AAlpha,
                &self.a_alpha_fraction,
                &self.a_alpha_diameter_um,
                &self.a_alpha_sd_um,
            ),
            class(
                FibreKind::ABeta,
                &self.a_beta_fraction,
                &self.a_beta_diameter_um,
                &self.a_beta_sd_um,
            ),
            class(
                FibreKind::AGamma,
                &self.a_gamma_fraction,
                &self.a_gamma_diameter_um,
                &self.a_gamma_sd_um,
            ),
            class(
                FibreKind::ADelta,
                &self.a_delta_fraction,
                &self.a_delta_diameter_um,
                &self.a_delta_sd_um,
            ),
            class(FibreKind::C, &self.c_fraction, &self.c_diameter_um, &self.c_sd_um),
        ]
    }
}

impl super::Catalog {
    /// The fibres of a kind of nerve.
    pub fn nerve_fibres(&self, kind: NerveKind) -> Option<&NerveFibres> {
        super::find(&self.nerves, kind.name())
    }
}
