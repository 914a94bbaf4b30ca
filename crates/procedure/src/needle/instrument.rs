//! A cannula as tissue meets it.

use serde::{Deserialize, Serialize};

use crate::{
    catalog::{InsertionNumbers, TissueResistance, find},
    lesion::Needle,
};

/// What decides where a tip goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TipShape {
    /// Rounded or conical: straight on.
    Round,
    /// Cut by a plane: away from the cut face.
    Bevelled,
    /// Bent: towards the bend.
    Curved,
}

/// A cannula.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Instrument {
    /// Its tip.
    pub tip: TipShape,
    /// Outer diameter, mm.
    pub outer_diameter_mm: f64,
    /// Greatest depth: the length less what stays outside, mm.
    pub reach_mm: f64,
    /// Curvature of the tip's way in tissue, 1/mm.
    pub curvature_per_mm: f64,
}

impl Instrument {
    /// A needle with these sizes. The curvature is that of an arc with the measured deflection at the measured depth.
    pub fn new(needle: &Needle, numbers: &InsertionNumbers) -> Self {
        let tip = match (&needle.bend, &needle.bevel) {
            (Some(_), _) => TipShape::Curved,
            (None, Some(_)) => TipShape::Bevelled,
            (None, None) => TipShape::Round,
        };
        let (aside, deep) = (numbers.bevel_deflection_mm.value, numbers.bevel_depth_mm.value);
        let measured = 2.0 * aside / (aside * aside + deep * deep);
        let thicker = needle.outer_diameter_mm / numbers.bevel_diameter_mm.value;
        let bevelled = measured * thicker.powf(-numbers.curvature_exponent_ratio.value);
        Self {
            tip,
            outer_diameter_mm: needle.outer_diameter_mm,
            reach_mm: needle.length_mm - numbers.hub_mm.value,
            curvature_per_mm: match tip {
                TipShape::Round => 0.0,
                TipShape::Bevelled => bevelled,
                TipShape::Curved => bevelled * numbers.curved_factor_ratio.value,
            },
        }
    }

    /// Outer radius, mm.
    pub fn radius_mm(&self) -> f64 {
        0.5 * self.outer_diameter_mm
    }
}

/// Resistance of a tissue to a needle of the catalogue's diameter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Resistance {
    /// Peak on entering, N.
    pub puncture_n: f64,
    /// At the tip, N.
    pub cutting_n: f64,
    /// Along the shaft, N/mm.
    pub friction_n_per_mm: f64,
}

/// The resistances of tissues in the order of their names; that of muscle where a tissue has none of its own.
pub fn resistances(entries: &[TissueResistance], tissue_names: &[String]) -> Vec<Resistance> {
    tissue_names
        .iter()
        .map(|name| {
            find(entries, name).or_else(|| find(entries, "muscle")).map_or(
                Resistance {
                    puncture_n: 0.0,
                    cutting_n: 0.0,
                    friction_n_per_mm: 0.0,
                },
                |r| Resistance {
                    puncture_n: r.puncture_n.value,
                    cutting_n: r.cutting_n.value,
                    friction_n_per_mm: r.friction_n_per_mm.value,
                },
            )
        })
        .collect()
}
