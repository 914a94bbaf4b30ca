//! What is asked of one fibre.

use std::{fmt, str::FromStr};

use neurotome_physics::axon::{GeometryError, GeometrySet, ThresholdError};
use serde::Serialize;

/// The model of a fibre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Model {
    /// Myelinated, a double cable after McIntyre, Richardson and Grill (2002).
    Mrg,
    /// A C fibre after Sundt et al. (2015).
    Sundt,
    /// A C fibre after Rattay and Aberham (1993).
    Rattay,
}

impl FromStr for Model {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "mrg" => Ok(Self::Mrg),
            "sundt" => Ok(Self::Sundt),
            "rattay" => Ok(Self::Rattay),
            _ => Err(format!(
                "\"{text}\" is no model; expected mrg (myelinated), sundt or rattay (C fibres)"
            )),
        }
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mrg => "mrg",
            Self::Sundt => "sundt",
            Self::Rattay => "rattay",
        })
    }
}

/// What the current leaves from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase", tag = "shape")]
pub enum Source {
    /// A point.
    Point,
    /// A bare tip of a length, thin, with the current spread evenly over it.
    Tip {
        /// Its length, mm.
        length_mm: f64,
        /// Whether it lies across the fibre, at a right angle to it and to the shortest line between the two, and not along it.
        across: bool,
    },
}

/// What of a fibre lies beside the source. Only a myelinated one has places that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Beside {
    /// A node of Ranvier.
    Node,
    /// The middle between two nodes.
    Mid,
}

impl FromStr for Beside {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "node" => Ok(Self::Node),
            "mid" => Ok(Self::Mid),
            _ => Err(format!("\"{text}\" is no place along a fibre; expected node or mid")),
        }
    }
}

/// A train of pulses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Train {
    /// Pulses a second, Hz.
    pub frequency_hz: f64,
    /// Number of pulses.
    pub pulses: usize,
}

/// A stretch of a fibre in which sodium channels are blocked, as by a local anaesthetic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Block {
    /// The share of channels that are blocked, 0 to 1.
    pub share: f64,
    /// Length of the stretch, mm.
    pub length_mm: f64,
}

/// A fibre, its source and what is to be found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Question {
    /// The fibre's model.
    pub model: Model,
    /// Its outer diameter, µm.
    pub diameter_um: f64,
    /// Where the sizes of a myelinated fibre come from; none for the set advised for its diameter. The answer names the set used.
    #[serde(skip)]
    pub sizes: Option<GeometrySet>,
    /// The electrode.
    pub source: Source,
    /// From the source to the fibre's axis, mm.
    pub distance_mm: f64,
    /// What lies beside the source.
    pub beside: Beside,
    /// Conductivity of the tissue, S/m.
    pub conductivity_s_per_m: f64,
    /// Temperature of the fibre, °C.
    pub temperature_c: f64,
    /// Width of the cathodic square pulse, ms.
    pub pulse_ms: f64,
    /// Step in time, ms; the stated error compares with half of it.
    pub step_ms: f64,
    /// Largest current looked at, mA.
    pub limit_ma: f64,
    /// A train whose pulses are followed or not.
    pub train: Option<Train>,
    /// A block that stops spikes or not.
    pub block: Option<Block>,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            model: Model::Mrg,
            diameter_um: 10.0,
            sizes: None,
            source: Source::Point,
            distance_mm: 2.0,
            beside: Beside::Node,
            conductivity_s_per_m: 0.3,
            temperature_c: 37.0,
            pulse_ms: 1.0,
            step_ms: 0.01,
            limit_ma: 1000.0,
            train: None,
            block: None,
        }
    }
}

/// Why one fibre cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OneFibreError {
    /// A value that is no number or lies outside what the models are for.
    #[error("one fibre: {what} is {found}; expected {low} to {high}{advice}")]
    Outside {
        /// Which, with its unit.
        what: &'static str,
        /// Its value.
        found: f64,
        /// The smallest.
        low: f64,
        /// The largest.
        high: f64,
        /// What else to do.
        advice: &'static str,
    },
    /// A set of sizes for a fibre without myelin.
    #[error("one fibre: the model {model} has no sets of sizes; leave the set out, or take the model mrg")]
    NoSizes {
        /// The model.
        model: Model,
    },
    /// The diameter is not in the set of sizes.
    #[error("{0}; choose another set or diameter")]
    Sizes(#[from] GeometryError),
    /// Too many nodes or compartments.
    #[error(
        "one fibre: at {distance_mm} mm it would need {found} nodes or compartments; expected at most {most}; take a thicker fibre or a nearer source"
    )]
    TooLong {
        /// Distance, mm.
        distance_mm: f64,
        /// How many.
        found: usize,
        /// How many are computed at most.
        most: usize,
    },
    /// Stopped by the caller.
    #[error("one fibre: stopped; nothing was kept")]
    Cancelled,
    /// The search failed.
    #[error(transparent)]
    Search(#[from] ThresholdError),
}

impl Question {
    /// The set of sizes used: the one asked for, or the one advised. None for C fibres.
    pub fn sizes_used(&self) -> Option<GeometrySet> {
        let advised = GeometrySet::advised(self.diameter_um);
        (self.model == Model::Mrg).then(|| self.sizes.unwrap_or(advised))
    }

    /// Whether all values are sound.
    ///
    /// # Errors
    /// [`OneFibreError`]: which is not, and what it may be.
    pub fn check(&self) -> Result<(), OneFibreError> {
        let within = |what, found: f64, low: f64, high: f64, advice| {
            if (low..=high).contains(&found) {
                Ok(())
            } else {
                Err(OneFibreError::Outside {
                    what,
                    found,
                    low,
                    high,
                    advice,
                })
            }
        };
        if self.model == Model::Mrg {
            let set = self.sizes.unwrap_or(GeometrySet::advised(self.diameter_um));
            neurotome_physics::axon::Geometry::new(set, self.diameter_um)?;
        } else {
            if self.sizes.is_some() {
                return Err(OneFibreError::NoSizes { model: self.model });
            }
            within(
                "the diameter of a C fibre in µm",
                self.diameter_um,
                0.1,
                3.0,
                ", or the model mrg",
            )?;
        }
        within("the distance in mm", self.distance_mm, 0.1, 50.0, "")?;
        within("the conductivity in S/m", self.conductivity_s_per_m, 0.001, 100.0, "")?;
        within("the temperature in °C", self.temperature_c, 15.0, 45.0, "")?;
        within("the width of the pulse in ms", self.pulse_ms, 0.005, 20.0, "")?;
        within("the step in ms", self.step_ms, 0.000_1, 0.05, "")?;
        within("the largest current in mA", self.limit_ma, 1e-4, 1e6, "")?;
        if let Source::Tip { length_mm, .. } = self.source {
            within("the length of the tip in mm", length_mm, 0.1, 50.0, "")?;
        }
        if let Some(train) = self.train {
            let high = (500.0 / self.pulse_ms).min(1000.0);
            within("the frequency of the train in Hz", train.frequency_hz, 0.1, high, "")?;
            within("the number of pulses", train.pulses as f64, 1.0, 200.0, "")?;
            let length_s = train.pulses as f64 / train.frequency_hz;
            within(
                "the length of the train in s",
                length_s,
                0.0,
                5.0,
                "; ask for fewer pulses",
            )?;
        }
        if let Some(block) = self.block {
            within("the share of blocked channels", block.share, 0.0, 1.0, "")?;
            within("the length of the block in mm", block.length_mm, 0.1, 50.0, "")?;
        }
        Ok(())
    }
}
