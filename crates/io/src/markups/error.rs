//! Why a markups file cannot be read or written.

use neurotome_procedure::anatomy::{LandmarkName, LandmarkNameError};

use super::{MAX_BYTES, MAX_COORDINATE_MM, MAX_POINTS};

/// Why a markups file cannot be read or written. `file` is the path as the caller gave it; `markup` is the place in the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MarkupsError {
    /// The file cannot be opened or read.
    #[error(
        "reading markups {file}: {source}; expected a .mrk.json file of 3D Slicer; check the path and its permissions"
    )]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error(
        "writing markups {file}: {source}; nothing was left behind; check the folder, its permissions and the free space"
    )]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is too large.
    #[error("reading markups {file}: more than {MAX_BYTES} bytes; expected a list of points; was another file given?")]
    TooLarge {
        /// The file.
        file: String,
    },
    /// Too many points.
    #[error("reading markups {file}: {found} {what}; expected at most {MAX_POINTS}; split the file or thin the curve")]
    TooMany {
        /// The file.
        file: String,
        /// Control points or markups.
        what: &'static str,
        /// How many.
        found: usize,
    },
    /// The file is no JSON, or not of this form.
    #[error(
        "reading markups {file}: {found}; expected the JSON of 3D Slicer's markups; save it again from Slicer as .mrk.json"
    )]
    Json {
        /// The file.
        file: String,
        /// What was found, with line and column.
        found: String,
    },
    /// The JSON is of another kind or version.
    #[error(
        "reading markups {file}: the schema is {found}; expected \"markups-schema-v1.…\" in the key @schema; save it again from Slicer as .mrk.json"
    )]
    Schema {
        /// The file.
        file: String,
        /// What was found.
        found: String,
    },
    /// The file holds nothing of use.
    #[error("reading markups {file}: found {found}; expected {expected}; place it in Slicer and save again")]
    Empty {
        /// The file.
        file: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Which way the axes run is not known.
    #[error(
        "reading markups {file}, {markup}: coordinateSystem is {found}; expected \"LPS\" or \"RAS\", since left and right are not guessed; save it again from Slicer, or add the key if you know"
    )]
    CoordinateSystem {
        /// The file.
        file: String,
        /// Which markup.
        markup: String,
        /// What was found.
        found: String,
    },
    /// The unit is not millimetres.
    #[error(
        "reading markups {file}, {markup}: coordinateUnits is {found}; expected \"mm\"; set Slicer's unit of length to millimetres and save again"
    )]
    Units {
        /// The file.
        file: String,
        /// Which markup.
        markup: String,
        /// What was found.
        found: String,
    },
    /// A position is no place in a patient.
    #[error(
        "reading markups {file}, {markup}: the position of point {point} is {found}; expected three numbers within ±{MAX_COORDINATE_MM} mm; place the point again"
    )]
    Position {
        /// The file.
        file: String,
        /// Which markup.
        markup: String,
        /// Number of the point, from 1.
        point: usize,
        /// What was found.
        found: String,
    },
    /// A status of a position is not known.
    #[error(
        "reading markups {file}, {markup}: positionStatus of point {point} is {found}; expected \"defined\", \"undefined\" or \"preview\"; save it again from Slicer"
    )]
    Status {
        /// The file.
        file: String,
        /// Which markup.
        markup: String,
        /// Number of the point, from 1.
        point: usize,
        /// What was found.
        found: String,
    },
    /// A markup has too few points, or a line too many.
    #[error(
        "reading markups {file}, {markup}: {found} point(s) with a defined position; expected {expected}; place them in Slicer and save again, or remove the markup"
    )]
    Count {
        /// The file.
        file: String,
        /// Which markup.
        markup: String,
        /// Points with a position.
        found: usize,
        /// Points needed.
        expected: &'static str,
    },
    /// What is to be written cannot be.
    #[error("writing markups {file}: found {found}; expected {expected}; nothing was written")]
    Input {
        /// The file.
        file: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A label names no landmark.
    #[error("landmarks of {file}: {source}")]
    Landmark {
        /// The file.
        file: String,
        /// Why.
        source: LandmarkNameError,
    },
    /// Two points have the same name.
    #[error("landmarks of {file}: \"{name}\" is there twice; expected one point of this name; remove or rename one")]
    LandmarkTwice {
        /// The file.
        file: String,
        /// The name.
        name: LandmarkName,
    },
}
