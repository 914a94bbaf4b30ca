//! Which vertebrae a label map shows, and whether its numbering can be right: a guard against the wrong level.
//!
//! A segmentation numbers vertebrae by what they look like and can be off by one without any other sign. What can be checked is checked:
//! the order along the body, gaps, left and right, the axis of the spine, and the count from the sacrum up against the count from the last
//! rib down. What cannot be checked, because no rib or no sacrum is in view, is said. Errors mean that no level of the map can be
//! trusted ([`LevelReport::vertebra`] then gives none); warnings go to the user, who decides.
//!
//! The spine may have four or six vertebrae between the last rib and the sacrum. Such a transitional vertebra is found in 4 to 30 % of
//! people (Konin GP, Walz DM. AJNR Am J Neuroradiol 2010;31:1778), and then two numberings are defensible: the report gives both.
//!
//! Thresholds are not measurements but bounds that no adult spine crosses: centres of neighbouring bodies with their arches 15 to 55 mm
//! apart, 10 to 160 cm³ of bone each.

mod column;
mod metal;
mod parts;
mod survey;
#[cfg(test)]
mod tests;

use neurotome_base::{PatientPoint, Volume};

use super::LabelMap;
use crate::anatomy::Level;
use survey::Survey;

/// What there is to judge by.
#[derive(Debug, Clone, Copy)]
pub struct LevelEvidence<'a> {
    /// The label map that says which vertebra is which, and where it can, shows ribs and hips.
    pub labels: &'a LabelMap,
    /// A label map of the parts of the same vertebrae, where there is one.
    pub parts: Option<&'a LabelMap>,
    /// The CT, HU, where there is one: shows metal.
    pub hu: Option<&'a Volume<f32>>,
}

/// A vertebra of the label map.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundVertebra {
    /// Its name in the map.
    pub level: Level,
    /// Mean of its voxel centres, LPS mm.
    pub center: PatientPoint,
    /// Number of voxels.
    pub voxels: usize,
    /// Its volume, cm³.
    pub volume_cm3: f64,
    /// True when it reaches the border of the image, so that part of it may be missing.
    pub cut: bool,
    /// Its name by counting up from the sacrum with five lumbar vertebrae; none where S1 is not labelled.
    pub from_sacrum: Option<Level>,
    /// Its name by counting down from the last vertebra with a rib, taken for T12; none where no rib shows it.
    pub from_last_rib: Option<Level>,
}

/// What the check found.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelReport {
    /// The vertebrae from T11 down, from above to below by name.
    pub vertebrae: Vec<FoundVertebra>,
    /// Vertebrae between the last one with a rib and the sacrum, where both are in view; five are usual.
    pub lumbar_count: Option<usize>,
    /// Whether the count from the sacrum up and from the last rib down give the same names; none where only one can be made.
    pub counts_agree: Option<bool>,
    /// What the user should know, in plain words.
    pub warnings: Vec<String>,
    /// Why the map's levels cannot be trusted; empty when they can.
    pub errors: Vec<LevelError>,
}

impl LevelReport {
    /// The vertebra of a name, unless anything speaks against the map's levels.
    ///
    /// # Errors
    /// The first of [`LevelReport::errors`], or [`LevelError::NotFound`].
    pub fn vertebra(&self, level: Level) -> Result<&FoundVertebra, LevelError> {
        if let Some(error) = self.errors.first() {
            return Err(error.clone());
        }
        self.vertebrae
            .iter()
            .find(|v| v.level == level)
            .ok_or_else(|| LevelError::NotFound {
                level,
                found: names(self.vertebrae.iter().map(|v| v.level)),
            })
    }
}

/// Why the levels of a label map cannot be trusted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LevelError {
    /// No label is a vertebra.
    #[error(
        "levels from labels: none of the labels {found:?} is a vertebra from T11 to S1 in {meaning}; expected {expected}; name the kind of label map that it is"
    )]
    NoVertebra {
        /// The first labels found.
        found: Vec<u16>,
        /// The meaning asked for.
        meaning: &'static str,
        /// Its labels of vertebrae.
        expected: &'static str,
    },
    /// The vertebra asked for has no label.
    #[error(
        "levels from labels: {level} has no label, found {found}; expected the level that is treated; choose another level or a label map that shows it"
    )]
    NotFound {
        /// The vertebra.
        level: Level,
        /// Names of those found.
        found: String,
    },
    /// A vertebra lies above one that should be above it.
    #[error(
        "levels from labels: {upper} lies at z = {upper_z_mm:.0} mm, below {lower} at z = {lower_z_mm:.0} mm; expected z to fall from {upper} to {lower}; check the numbering and the orientation in the file"
    )]
    Order {
        /// The vertebra that should be above.
        upper: Level,
        /// The vertebra that should be below.
        lower: Level,
        /// Where the one lies, mm.
        upper_z_mm: f64,
        /// Where the other lies, mm.
        lower_z_mm: f64,
    },
    /// A level is missing between two others.
    #[error(
        "levels from labels: {missing} is missing between {above} and {below}; expected no gap, since one vertebra without a label may mean that all on one side of it are misnumbered; label it or cut the map to one side of the gap"
    )]
    Gap {
        /// The vertebra above the gap.
        above: Level,
        /// The vertebra below the gap.
        below: Level,
        /// Names of those missing.
        missing: String,
    },
    /// Left and right are exchanged.
    #[error(
        "levels from labels: {what} lies at x = {left_x_mm:.0} mm on the left and {right_x_mm:.0} mm on the right; expected the left at the larger x (LPS); the map is mirrored: correct its orientation"
    )]
    Mirrored {
        /// The pair that shows it.
        what: String,
        /// Mean x of what is labelled left, mm.
        left_x_mm: f64,
        /// Mean x of what is labelled right, mm.
        right_x_mm: f64,
    },
    /// Front and back are exchanged.
    #[error(
        "levels from labels: the spinous process of {what} lies at y = {spinous_y_mm:.0} mm, in front of the body at {body_y_mm:.0} mm; expected it behind, at the larger y (LPS); correct the map's orientation"
    )]
    FrontToBack {
        /// The vertebra that shows it.
        what: String,
        /// Mean y of the spinous process, mm.
        spinous_y_mm: f64,
        /// Mean y of the body, mm.
        body_y_mm: f64,
    },
    /// The spine does not run along z.
    #[error(
        "levels from labels: the spine from {upper} to {lower} runs {angle_deg:.0}° off z; expected z (LPS) along the body within {limit_deg:.0}°; correct the map's orientation"
    )]
    Rotated {
        /// The uppermost vertebra used.
        upper: Level,
        /// The lowermost.
        lower: Level,
        /// Angle between the spine and z, degrees.
        angle_deg: f64,
        /// Largest angle accepted, degrees.
        limit_deg: f64,
    },
    /// Neither count gives the name in the map.
    #[error(
        "levels from labels: {level} is {from_sacrum} by counting from the sacrum and {from_last_rib} by counting from the last rib; expected one of them to be {level}; correct the numbering"
    )]
    Misnumbered {
        /// The name in the map.
        level: Level,
        /// The name by counting up.
        from_sacrum: Level,
        /// The name by counting down.
        from_last_rib: Level,
    },
}

/// Lists the vertebrae of a label map and checks whether its numbering can be right. Never fails: what is wrong stands in the report.
pub fn check_levels(evidence: &LevelEvidence) -> LevelReport {
    let survey = Survey::of(evidence.labels);
    let mut report = LevelReport {
        vertebrae: survey.vertebrae(),
        lumbar_count: None,
        counts_agree: None,
        warnings: Vec::new(),
        errors: Vec::new(),
    };
    if report.vertebrae.is_empty() {
        let (meaning, expected) = evidence.labels.meaning.level_labels();
        report.errors.push(LevelError::NoVertebra {
            found: survey.first_labels,
            meaning,
            expected,
        });
        return report;
    }
    column::check_each(&mut report);
    column::check_course(&survey, &mut report);
    survey.check_sides(&mut report);
    if report.errors.is_empty() {
        column::count(evidence.labels, &survey, &mut report);
    }
    if let Some(parts) = evidence.parts {
        parts::check(evidence.labels, parts, &mut report);
    }
    if let Some(hu) = evidence.hu {
        metal::check(evidence.labels, hu, &mut report);
    }
    report
}

/// Names joined for a message.
fn names(levels: impl Iterator<Item = Level>) -> String {
    levels.map(Level::name).collect::<Vec<_>>().join(", ")
}
