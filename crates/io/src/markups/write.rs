//! Writing markups that 3D Slicer opens.

use std::path::Path;

use serde::Serialize;

use super::loose::quoted;
use super::{MAX_BYTES, MAX_COORDINATE_MM, MAX_POINTS, Markup, MarkupKind, MarkupsError};
use crate::volumes::write_whole;

/// The address by which Slicer knows the form, versions 4.11 to 5; it names the form and need not lead anywhere.
const SCHEMA: &str = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#";
/// Slicer's own axes, right, anterior and superior, written in LPS: what it gives a point that has no orientation.
const ORIENTATION: [f64; 9] = [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0];

#[derive(Serialize)]
struct WrittenFile<'a> {
    #[serde(rename = "@schema")]
    schema: &'static str,
    markups: Vec<WrittenMarkup<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenMarkup<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    coordinate_system: &'static str,
    coordinate_units: &'static str,
    locked: bool,
    fixed_number_of_control_points: bool,
    label_format: &'static str,
    last_used_control_point_number: usize,
    control_points: Vec<WrittenPoint<'a>>,
    display: WrittenDisplay,
}

/// Positions are floating-point numbers also where they are whole: early readers in Slicer take no others.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenPoint<'a> {
    id: String,
    label: &'a str,
    position: [f64; 3],
    orientation: [f64; 9],
    selected: bool,
    locked: bool,
    visibility: bool,
    position_status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenDisplay {
    visibility: bool,
    point_labels_visibility: bool,
}

/// The bytes of a `.mrk.json` file, in LPS millimetres; the same markups give the same bytes.
///
/// # Errors
/// [`MarkupsError::Input`] for what [`read_markups_bytes`](super::read_markups_bytes) would not take back.
pub fn markups_json(list: &[Markup]) -> Result<Vec<u8>, MarkupsError> {
    compose(list, "(bytes)")
}

/// Writes a file that 3D Slicer opens, in LPS millimetres. It appears whole or not at all.
///
/// # Errors
/// [`MarkupsError::Write`], or [`MarkupsError::Input`] for what cannot be read back and for a name that does not end in `.mrk.json`.
pub fn write_markups(path: &Path, list: &[Markup]) -> Result<(), MarkupsError> {
    let file = path.display().to_string();
    let named = path.file_name().map(|n| n.to_string_lossy().to_lowercase());
    if !named.is_some_and(|n| n.ends_with(".mrk.json")) {
        return Err(MarkupsError::Input {
            found: "another ending of the file's name".to_owned(),
            expected: "a name that ends in .mrk.json, by which Slicer knows the file",
            file,
        });
    }
    let bytes = compose(list, &file)?;
    write_whole(path, |out| out.write_all(&bytes)).map_err(|source| MarkupsError::Write { file, source })
}

fn compose(list: &[Markup], file: &str) -> Result<Vec<u8>, MarkupsError> {
    let refuse = |found: String, expected| {
        Err(MarkupsError::Input {
            file: file.to_owned(),
            found,
            expected,
        })
    };
    if list.is_empty() || list.len() > MAX_POINTS {
        return refuse(format!("{} markups", list.len()), "1 to 10000");
    }
    let total: usize = list.iter().map(|m| m.points.len()).sum();
    if total > MAX_POINTS {
        return refuse(format!("{total} points"), "at most 10000");
    }
    for markup in list {
        let what = format!("{} {}", markup.kind.name(), quoted(&markup.name));
        if let Some(expected) = markup.kind.count_fault(markup.points.len()) {
            return refuse(format!("{} point(s) in {what}", markup.points.len()), expected);
        }
        let within = |c: &f64| c.abs() <= MAX_COORDINATE_MM;
        if let Some(point) = markup.points.iter().find(|p| !p.at.xyz.iter().all(within)) {
            return refuse(
                format!("the position {:?} mm in {what}", point.at.xyz),
                "finite positions within ±10000 mm",
            );
        }
    }
    let written = WrittenFile {
        schema: SCHEMA,
        markups: list.iter().map(written).collect(),
    };
    let bytes = match serde_json::to_vec(&written) {
        Ok(bytes) => bytes,
        Err(e) => return refuse(e.to_string(), "markups that JSON can hold"),
    };
    if bytes.len() > MAX_BYTES {
        return refuse(
            format!("{} bytes of JSON", bytes.len()),
            "at most 4 MiB; shorten the labels",
        );
    }
    Ok(bytes)
}

fn written(markup: &Markup) -> WrittenMarkup<'_> {
    WrittenMarkup {
        kind: markup.kind.name(),
        name: &markup.name,
        coordinate_system: "LPS",
        coordinate_units: "mm",
        locked: false,
        fixed_number_of_control_points: false,
        label_format: "%N-%d",
        last_used_control_point_number: markup.points.len(),
        control_points: markup
            .points
            .iter()
            .enumerate()
            .map(|(n, point)| WrittenPoint {
                id: (n + 1).to_string(),
                label: &point.label,
                position: point.at.xyz,
                orientation: ORIENTATION,
                selected: true,
                locked: false,
                visibility: true,
                position_status: "defined",
            })
            .collect(),
        display: WrittenDisplay {
            visibility: true,
            point_labels_visibility: markup.kind == MarkupKind::Fiducial,
        },
    }
}
