//! The table `[spine]`: who the built-in patient is.

use neurotome_procedure::anatomy::spine::{self, DiscLoss, Scoliosis, Sex, Slip, SpineParameters, Transition};
use neurotome_procedure::anatomy::{Level, Side};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The built-in patient: a lumbar spine with hips, nerves and soft tissue. Everything may be left out; then it is the mean adult man.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpineTable {
    /// Nerve beside which a needle without a position is laid, such as "L4 medial branch right" (the default) or "L5 dorsal ramus left". The L4 medial branch crosses L5.
    pub target: Option<String>,
    /// "female" or "male" (the default): sizes follow it.
    #[schemars(with = "SexName")]
    pub sex: Sex,
    /// Height of the body, 130 to 220 cm. Default: the mean of the sex, or what the seed gives.
    pub stature_cm: Option<f64>,
    /// A person of their own for each seed. Default: the mean person.
    pub seed: Option<u64>,
    /// Lordosis between the upper end plates of L1 and S1 of the prone patient, 10 to 85 degrees. Default: the mean, or what the seed gives.
    pub lordosis_deg: Option<f64>,
    /// A lateral curve between T12 and L4.
    pub scoliosis: Option<ScoliosisTable>,
    /// How much arthrosis has thickened the facets, 0 to 5 mm on each process.
    pub facet_hypertrophy_mm: f64,
    /// Discs that have lost height.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disc_loss: Vec<DiscLossTable>,
    /// A vertebra that has slipped on the one below.
    pub slip: Option<SlipTable>,
    /// "none" (the default), "six_lumbar" (a sixth lumbar vertebra, L6) or "broad_l5" (transverse processes of L5 that meet the sacrum).
    #[schemars(with = "TransitionName")]
    pub transition: Transition,
    /// Thickness of the fat under the skin of the back, 3 to 120 mm. Default: the mean, or what the seed gives.
    pub back_fat_mm: Option<f64>,
    /// Vertebrae with pedicle screws on both sides, L1 to L5.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<LumbarName>")]
    pub screws: Vec<Level>,
}

/// A lateral curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoliosisTable {
    /// Angle of Cobb between T12 and L4, 0 to 50 degrees.
    pub cobb_deg: f64,
    /// The side to which the curve bulges, "left" or "right".
    #[schemars(with = "SideName")]
    pub convex: Side,
}

/// Loss of height of a disc.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscLossTable {
    /// The vertebra above the disc, L1 to L5.
    #[schemars(with = "LumbarName")]
    pub below: Level,
    /// Lost share of the height, 0 to 0.9.
    pub share: f64,
}

/// A slipped vertebra.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlipTable {
    /// The vertebra that slipped, L1 to L5.
    #[schemars(with = "LumbarName")]
    pub level: Level,
    /// How far forward, −6 (back) to 14 mm.
    pub forward_mm: f64,
}

// The names of the solver's own enums, for the schema.

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[expect(dead_code)]
pub(super) enum SexName {
    Female,
    Male,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[expect(dead_code)]
enum SideName {
    Left,
    Right,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
#[expect(dead_code)]
enum TransitionName {
    None,
    SixLumbar,
    #[schemars(rename = "broad_l5")]
    BroadL5,
}

#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code)]
enum LumbarName {
    L1,
    L2,
    L3,
    L4,
    L5,
}

impl SpineTable {
    /// The parameters of the patient.
    pub fn parameters(&self) -> SpineParameters {
        SpineParameters {
            sex: self.sex,
            stature_cm: self.stature_cm,
            seed: self.seed,
            lordosis_deg: self.lordosis_deg,
            scoliosis: self.scoliosis.map(|s| Scoliosis {
                cobb_deg: s.cobb_deg,
                convex: s.convex,
            }),
            facet_hypertrophy_mm: self.facet_hypertrophy_mm,
            disc_loss: self
                .disc_loss
                .iter()
                .map(|d| DiscLoss {
                    below: d.below,
                    share: d.share,
                })
                .collect(),
            slip: self.slip.map(|s| Slip {
                level: s.level,
                forward_mm: s.forward_mm,
            }),
            transition: self.transition,
            back_fat_mm: self.back_fat_mm,
            screws: self.screws.clone(),
        }
    }
}

/// The key of the scenario at which an error of the patient points.
pub(super) fn key_of(error: &spine::SpineError) -> String {
    match error {
        spine::SpineError::Range { name, .. } => format!("spine.{name}"),
        _ => "spine".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_schema_is_read() {
        for transition in ["none", "six_lumbar", "broad_l5"] {
            let text = format!("transition = \"{transition}\"\nsex = \"female\"\nscrews = [\"L4\", \"L5\"]");
            let table: SpineTable = toml::from_str(&text).unwrap();
            let p = table.parameters();
            assert_eq!((p.sex, p.screws), (Sex::Female, vec![Level::L4, Level::L5]));
        }
        assert_eq!(SpineTable::default().parameters(), SpineParameters::default());
    }
}
