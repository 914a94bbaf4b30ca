//! Markups of 3D Slicer (`.mrk.json`): points, lines and curves that a person sets or looks at on a CT.
//!
//! What is read: point lists (`Fiducial`), `Line`, `Curve` and `ClosedCurve`, by the schema `markups-schema-v1.0.3.json` of Slicer and its
//! older and newer 1.x kin. Planes, angles and regions are left out and reported. What is written: the same kinds.
//!
//! - **Frame**: positions become LPS millimetres. A markup says `coordinateSystem` `"LPS"` or `"RAS"` (in old files 0 is RAS and 1 LPS);
//!   one that says nothing is refused, although Slicer would take it for LPS: left and right are never guessed. The unit is millimetres,
//!   stated or not (the schema's default).
//! - **Points**: those without a defined position (`positionStatus` `"undefined"` or `"preview"`, or no position at all) are left out and
//!   reported. Hidden, locked and unselected points count like others. Orientation, colours and measurements are not used.
//! - **Curves** are their control points; Slicer draws a spline through them by default.
//! - A transform that is applied to a markup in Slicer is not in its file: harden the transform before saving.
//!
//! # Landmarks
//!
//! A point list may name landmarks of vertebrae, one point each, by its labels: `L4` for a rough point within the body of L4,
//! `L4 right SAP-TP junction`, `L4 right mamillary`, `L4 right accessory`, `L4 right foramen`, `L4 right TP tip`. Case, spaces and
//! underscores do not matter, and `R` and `L` stand for the sides: `l4_r_mamillary`.
//! [`Landmark`](neurotome_procedure::anatomy::Landmark) says in anatomical words where each lies; [`landmarks`] reads them.

mod error;
mod loose;
mod read;
mod write;

use std::collections::BTreeSet;

use neurotome_base::PatientPoint;
use neurotome_procedure::anatomy::LandmarkName;

pub use error::MarkupsError;
pub use read::{read_markups, read_markups_bytes};
pub use write::{markups_json, write_markups};

/// Largest file that is read or written, bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// Most control points, and most markups, of one file.
pub const MAX_POINTS: usize = 10_000;
/// Positions farther from the origin than this along any axis are a mistake of unit, mm.
pub const MAX_COORDINATE_MM: f64 = 10_000.0;

/// Kinds of markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkupKind {
    /// A list of points.
    Fiducial,
    /// Two points, as entry and target of a needle.
    Line,
    /// An open curve through its points, as the course of a nerve.
    Curve,
    /// A curve that returns to its first point.
    ClosedCurve,
}

impl MarkupKind {
    /// All.
    pub const ALL: [MarkupKind; 4] = [Self::Fiducial, Self::Line, Self::Curve, Self::ClosedCurve];

    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fiducial => "Fiducial",
            Self::Line => "Line",
            Self::Curve => "Curve",
            Self::ClosedCurve => "ClosedCurve",
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// How many points it needs, in words, where `count` is not such a number.
    fn count_fault(self, count: usize) -> Option<&'static str> {
        let (fits, expected) = match self {
            Self::Fiducial => (count >= 1, "at least one"),
            Self::Line => (count == 2, "two"),
            Self::Curve => (count >= 2, "at least two"),
            Self::ClosedCurve => (count >= 3, "at least three"),
        };
        (!fits).then_some(expected)
    }
}

/// A point of a markup.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlPoint {
    /// Its label; may be empty.
    pub label: String,
    /// Where it lies, LPS mm.
    pub at: PatientPoint,
}

impl ControlPoint {
    /// A point with its label.
    pub fn new(label: impl Into<String>, at: PatientPoint) -> Self {
        Self {
            label: label.into(),
            at,
        }
    }
}

/// A list of points, a line or a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Markup {
    /// What it is.
    pub kind: MarkupKind,
    /// Its name. Slicer keeps none in files that it writes: then it is the file's.
    pub name: String,
    /// Its points, in order.
    pub points: Vec<ControlPoint>,
}

impl Markup {
    /// A list of points.
    pub fn fiducials(name: impl Into<String>, points: Vec<ControlPoint>) -> Self {
        Self {
            kind: MarkupKind::Fiducial,
            name: name.into(),
            points,
        }
    }

    /// A line from where a needle enters to its target.
    pub fn line(name: impl Into<String>, entry: PatientPoint, target: PatientPoint) -> Self {
        Self {
            kind: MarkupKind::Line,
            name: name.into(),
            points: vec![ControlPoint::new("entry", entry), ControlPoint::new("target", target)],
        }
    }

    /// An open curve, such as a nerve from proximal to distal.
    pub fn curve(name: impl Into<String>, points: &[PatientPoint]) -> Self {
        Self {
            kind: MarkupKind::Curve,
            name: name.into(),
            points: points.iter().map(|p| ControlPoint::new("", *p)).collect(),
        }
    }
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Markups {
    /// The file, as the caller named it.
    pub file: String,
    /// Its lists, lines and curves, in order.
    pub list: Vec<Markup>,
    /// What was left out, in plain words.
    pub notes: Vec<String>,
}

/// A landmark set by hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LandmarkPoint {
    /// Which it is.
    pub name: LandmarkName,
    /// Where it lies, LPS mm.
    pub at: PatientPoint,
}

/// The landmarks that the point lists of a file name; lines and curves are passed over.
///
/// # Errors
/// [`MarkupsError::Landmark`] for a label that names none, [`MarkupsError::LandmarkTwice`], [`MarkupsError::Empty`] where there is no
/// point list.
pub fn landmarks(markups: &Markups) -> Result<Vec<LandmarkPoint>, MarkupsError> {
    let mut names = BTreeSet::new();
    let mut found = Vec::new();
    let lists = markups.list.iter().filter(|m| m.kind == MarkupKind::Fiducial);
    for point in lists.flat_map(|m| &m.points) {
        let name: LandmarkName = point.label.parse().map_err(|source| MarkupsError::Landmark {
            file: markups.file.clone(),
            source,
        })?;
        if !names.insert(name) {
            return Err(MarkupsError::LandmarkTwice {
                file: markups.file.clone(),
                name,
            });
        }
        found.push(LandmarkPoint { name, at: point.at });
    }
    if found.is_empty() {
        return Err(MarkupsError::Empty {
            file: markups.file.clone(),
            found: "no point list".to_owned(),
            expected: "a point list whose labels name landmarks",
        });
    }
    Ok(found)
}
