//! Numbers of how a cannula goes through tissue.

use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};

/// Deflection of tips, what a hand feels, how far a hub may be levered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsertionNumbers {
    /// Name, such as `cannula`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Deflection of a bevelled needle off its straight course, mm, …
    pub bevel_deflection_mm: Sourced,
    /// … at this depth, mm, …
    pub bevel_depth_mm: Sourced,
    /// … for this outer diameter, mm.
    pub bevel_diameter_mm: Sourced,
    /// The power of the diameter with which the curvature falls.
    pub curvature_exponent_ratio: Sourced,
    /// Curvature behind a curved tip over that behind a bevelled one.
    pub curved_factor_ratio: Sourced,
    /// Outer diameter for which the resistances of tissues hold, mm.
    pub force_diameter_mm: Sourced,
    /// Fall of resistance that is felt as a pop, N.
    pub pop_n: Sourced,
    /// Distance between metal and nerve below which the tip touches it, mm.
    pub nerve_touch_mm: Sourced,
    /// Depth down to which the whole needle turns about the skin, mm.
    pub free_steer_mm: Sourced,
    /// Largest change of a deeper tip's course by levering the hub, degrees.
    pub lever_most_deg: Sourced,
    /// Length of the cannula that stays outside, mm.
    pub hub_mm: Sourced,
}

entry!(
    InsertionNumbers,
    "insertion",
    [
        bevel_deflection_mm,
        bevel_depth_mm,
        bevel_diameter_mm,
        curvature_exponent_ratio,
        curved_factor_ratio,
        force_diameter_mm,
        pop_n,
        nerve_touch_mm,
        free_steer_mm,
        lever_most_deg,
        hub_mm,
    ],
    []
);

/// Resistance of a tissue to a needle of the diameter of [`InsertionNumbers::force_diameter_mm`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TissueResistance {
    /// Name of the tissue.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Peak of the axial force where the tip enters it, N.
    pub puncture_n: Sourced,
    /// Axial force at the tip on its way through it, N.
    pub cutting_n: Sourced,
    /// Friction along the shaft, N/mm.
    pub friction_n_per_mm: Sourced,
}

entry!(
    TissueResistance,
    "tissue_resistance",
    [puncture_n, cutting_n, friction_n_per_mm],
    []
);
