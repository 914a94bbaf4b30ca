//! Who the built-in patient is.

use serde::{Deserialize, Serialize};

use super::super::{Level, Side};

/// Sex, for sizes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    #[default]
    Male,
}

/// Disc-height loss at a level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscLoss {
    /// The vertebra above the disc.
    pub below: Level,
    /// Lost share of the height, 0 to 0.9.
    pub share: f64,
}

/// A vertebra that has slipped.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// The vertebra that slipped on the one below.
    pub level: Level,
    /// How far forward, mm; negative: back.
    pub forward_mm: f64,
}

/// A lateral curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scoliosis {
    /// Angle of Cobb between the end vertebrae L4 and T12, degrees.
    pub cobb_deg: f64,
    /// The side to which the curve bulges.
    pub convex: Side,
}

/// Number of vertebrae between the ribs and the sacrum, and the kind of the last one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// Five, as usual.
    #[default]
    None,
    /// Six: a lumbarised S1 (L6).
    SixLumbar,
    /// The transverse processes of L5 are broad and meet the sacrum (Castellvi II).
    BroadL5,
}

/// The built-in patient. Everything may be left out: then it is the mean adult man.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SpineParameters {
    /// Sex.
    pub sex: Sex,
    /// Height of the body, cm; none: the mean of the sex.
    pub stature_cm: Option<f64>,
    /// A person of their own for each seed; none: the mean person.
    pub seed: Option<u64>,
    /// Lordosis between the upper end plates of L1 and S1, degrees; none: the mean, or what the seed gives.
    pub lordosis_deg: Option<f64>,
    /// A lateral curve.
    pub scoliosis: Option<Scoliosis>,
    /// How much arthrosis has thickened the facets, mm on each process.
    pub facet_hypertrophy_mm: f64,
    /// Discs that have lost height.
    pub disc_loss: Vec<DiscLoss>,
    /// A vertebra that has slipped.
    pub slip: Option<Slip>,
    /// A transitional vertebra.
    pub transition: Transition,
    /// Thickness of the fat under the skin of the back, mm; none: the mean. 20 is slim, 60 obese.
    pub back_fat_mm: Option<f64>,
    /// Vertebrae with pedicle screws on both sides.
    pub screws: Vec<Level>,
}

impl Default for SpineParameters {
    fn default() -> Self {
        Self {
            sex: Sex::Male,
            stature_cm: None,
            seed: None,
            lordosis_deg: None,
            scoliosis: None,
            facet_hypertrophy_mm: 0.0,
            disc_loss: vec![],
            slip: None,
            transition: Transition::None,
            back_fat_mm: None,
            screws: vec![],
        }
    }
}

/// Why there is no such patient.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SpineError {
    /// A number is out of its range.
    #[error("built-in spine: `{name}` is {found}, expected {expected}")]
    Range {
        /// The parameter.
        name: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// The catalogue lacks a measure.
    #[error("built-in spine: the catalogue has no value of `{name}` for {level}; add it to spine.toml")]
    Missing {
        /// The measure.
        name: &'static str,
        /// The level.
        level: Level,
    },
}

impl SpineParameters {
    /// Checks every number.
    ///
    /// # Errors
    /// [`SpineError::Range`].
    pub fn check(&self) -> Result<(), SpineError> {
        let within = |name, value: Option<f64>, low: f64, high: f64, expected| match value {
            Some(v) if !(low..=high).contains(&v) => Err(SpineError::Range {
                name,
                found: v.to_string(),
                expected,
            }),
            _ => Ok(()),
        };
        let lumbar = |name, level: Level| {
            if (Level::L1..=Level::L5).contains(&level) {
                Ok(())
            } else {
                Err(SpineError::Range {
                    name,
                    found: level.to_string(),
                    expected: "L1 to L5",
                })
            }
        };
        within("stature_cm", self.stature_cm, 130.0, 220.0, "130 to 220")?;
        within("lordosis_deg", self.lordosis_deg, 10.0, 85.0, "10 to 85")?;
        within("back_fat_mm", self.back_fat_mm, 3.0, 120.0, "3 to 120")?;
        within(
            "facet_hypertrophy_mm",
            Some(self.facet_hypertrophy_mm),
            0.0,
            5.0,
            "0 to 5",
        )?;
        if let Some(s) = self.scoliosis {
            within("scoliosis.cobb_deg", Some(s.cobb_deg), 0.0, 50.0, "0 to 50")?;
        }
        for d in &self.disc_loss {
            within("disc_loss.share", Some(d.share), 0.0, 0.9, "0 to 0.9")?;
            lumbar("disc_loss.below", d.below)?;
        }
        if let Some(s) = self.slip {
            within("slip.forward_mm", Some(s.forward_mm), -6.0, 14.0, "-6 to 14")?;
            lumbar("slip.level", s.level)?;
        }
        for level in &self.screws {
            lumbar("screws", *level)?;
        }
        Ok(())
    }
}
