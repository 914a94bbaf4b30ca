//! Reading markups. The file is gone through twice: once to count, once to keep.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use neurotome_base::PatientPoint;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};

use super::loose::{Loose, quoted, rest};
use super::{ControlPoint, MAX_BYTES, MAX_COORDINATE_MM, MAX_POINTS, Markup, MarkupKind, Markups, MarkupsError};

/// Reads a `.mrk.json` file of 3D Slicer into LPS millimetres.
///
/// # Errors
/// [`MarkupsError`].
pub fn read_markups(path: &Path) -> Result<Markups, MarkupsError> {
    let file = path.display().to_string();
    let fail = |source| MarkupsError::Read {
        file: file.clone(),
        source,
    };
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    File::open(path)
        .map_err(fail)?
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    let mut markups = read(&bytes, &file)?;
    // Slicer names a markup after its file.
    let stem = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let stem = stem.as_deref().unwrap_or_default();
    let stem = [".mrk.json", ".json"]
        .into_iter()
        .find_map(|ending| stem.strip_suffix(ending))
        .unwrap_or(stem);
    for markup in markups.list.iter_mut().filter(|m| m.name.is_empty()) {
        stem.clone_into(&mut markup.name);
    }
    Ok(markups)
}

/// As [`read_markups`], from the bytes of a file.
///
/// # Errors
/// [`MarkupsError`].
pub fn read_markups_bytes(bytes: &[u8]) -> Result<Markups, MarkupsError> {
    read(bytes, "(bytes)")
}

fn read(bytes: &[u8], file: &str) -> Result<Markups, MarkupsError> {
    let file = file.to_owned();
    if bytes.len() > MAX_BYTES {
        return Err(MarkupsError::TooLarge { file });
    }
    let counted: CountedFile = parse(bytes, &file)?;
    match &counted.schema {
        Some(Loose::Text(schema)) if is_known_schema(schema) => {}
        other => {
            let found = other.as_ref().map_or_else(|| "missing".to_owned(), Loose::to_string);
            return Err(MarkupsError::Schema { file, found });
        }
    }
    for (what, found) in [
        ("markups", counted.markups.markups),
        ("control points", counted.markups.points),
    ] {
        if found > MAX_POINTS {
            return Err(MarkupsError::TooMany { file, what, found });
        }
    }
    let raw: RawFile = parse(bytes, &file)?;
    let (mut list, mut notes) = (Vec::new(), Vec::new());
    for (n, raw) in raw.markups.iter().enumerate() {
        let place = Place {
            file: &file,
            markup: match &raw.name {
                name if name.is_empty() => format!("markup {} ({})", n + 1, shown(&raw.kind)),
                name => format!("markup {} ({} {})", n + 1, shown(&raw.kind), quoted(name)),
            },
        };
        match MarkupKind::of_name(&raw.kind) {
            Some(kind) => list.push(place.markup(kind, raw, &mut notes)?),
            None => notes.push(format!(
                "{} was left out: only point lists, lines and curves are used.",
                place.markup
            )),
        }
    }
    if list.is_empty() {
        let found = match raw.markups.len() {
            0 => "no markup".to_owned(),
            n => format!("{n} markup(s), none of them of use"),
        };
        return Err(MarkupsError::Empty {
            file,
            found,
            expected: "a point list, a line or a curve",
        });
    }
    Ok(Markups { file, list, notes })
}

/// A word of the file, short enough for a message.
fn shown(word: &str) -> String {
    quoted(word).trim_matches('"').to_owned()
}

fn parse<'de, T: Deserialize<'de>>(bytes: &'de [u8], file: &str) -> Result<T, MarkupsError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let fail = |found: String| MarkupsError::Json {
        file: file.to_owned(),
        found,
    };
    let value = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let path: String = e.path().to_string();
        let reason = shorten(&e.inner().to_string());
        if path.is_empty() || path == "." || path.contains('?') {
            fail(reason)
        } else {
            fail(format!("{}: {reason}", shorten(&path)))
        }
    })?;
    json.end().map_err(|e| fail(e.to_string()))?;
    Ok(value)
}

/// A message of the JSON reader without the long texts that it may quote: start and end, where line and column stand.
fn shorten(message: &str) -> String {
    let count = message.chars().count();
    if count <= 200 {
        return message.to_owned();
    }
    let start: String = message.chars().take(120).collect();
    let end: String = message.chars().skip(count - 70).collect();
    format!("{start} … {end}")
}

/// True for version 1.x of the markups' schema, as Slicer takes it: by the end of the address, in any case.
fn is_known_schema(schema: &str) -> bool {
    let schema = schema.to_ascii_lowercase();
    let Some((_, version)) = schema.rsplit_once("markups-schema-v1.") else {
        return false;
    };
    let version = version.trim_end_matches('#');
    let numbers: Vec<&str> = version.strip_suffix(".json").unwrap_or("").split('.').collect();
    numbers.len() == 2
        && numbers
            .iter()
            .all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The first pass: counts and keeps nothing else.
#[derive(serde::Deserialize)]
#[serde(expecting = "the object of a markups file")]
struct CountedFile {
    #[serde(rename = "@schema")]
    schema: Option<Loose>,
    #[serde(default)]
    markups: Counted,
}

#[derive(Default)]
struct Counted {
    markups: usize,
    points: usize,
}

#[derive(serde::Deserialize)]
#[serde(expecting = "a markup")]
struct CountedMarkup {
    #[serde(rename = "controlPoints", default)]
    points: CountedPoints,
}

#[derive(Default)]
struct CountedPoints(usize);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Counted;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of markups")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Counted, A::Error> {
                let mut counted = Counted::default();
                while let Some(markup) = list.next_element::<CountedMarkup>()? {
                    counted.markups += 1;
                    counted.points += markup.points.0;
                }
                Ok(counted)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

impl<'de> Deserialize<'de> for CountedPoints {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = CountedPoints;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of control points")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CountedPoints, A::Error> {
                rest(&mut list).map(CountedPoints)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// The second pass. Keys not named here are passed over.
#[derive(serde::Deserialize)]
#[serde(expecting = "the object of a markups file")]
struct RawFile {
    #[serde(default)]
    markups: Vec<RawMarkup>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a markup")]
struct RawMarkup {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    coordinate_system: Option<Loose>,
    coordinate_units: Option<Loose>,
    #[serde(default)]
    control_points: Vec<RawPoint>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a control point")]
struct RawPoint {
    #[serde(default)]
    label: String,
    position: Option<Loose>,
    position_status: Option<Loose>,
}

/// Where in the file, for messages.
struct Place<'a> {
    file: &'a str,
    markup: String,
}

impl Place<'_> {
    fn markup(&self, kind: MarkupKind, raw: &RawMarkup, notes: &mut Vec<String>) -> Result<Markup, MarkupsError> {
        let (file, markup) = (self.file.to_owned(), self.markup.clone());
        let flip = self.flips_xy(raw.coordinate_system.as_ref())?;
        let in_mm = match &raw.coordinate_units {
            None => true,
            Some(Loose::Text(unit)) => unit == "mm",
            // Code, coding scheme and meaning.
            Some(Loose::List(3, code)) => {
                matches!(&code[..2], [Loose::Text(unit), Loose::Text(scheme)] if unit == "mm" && scheme == "UCUM")
            }
            Some(_) => false,
        };
        if !in_mm {
            let found = raw.coordinate_units.as_ref().map_or_else(String::new, Loose::to_string);
            return Err(MarkupsError::Units { file, markup, found });
        }
        let mut points = Vec::with_capacity(raw.control_points.len());
        let mut left_out = Vec::new();
        for (n, point) in raw.control_points.iter().enumerate() {
            match self.position(n + 1, point)? {
                Some([x, y, z]) => points.push(ControlPoint {
                    label: point.label.clone(),
                    at: if flip {
                        PatientPoint::new(-x, -y, z)
                    } else {
                        PatientPoint::new(x, y, z)
                    },
                }),
                None => left_out.push(match &point.label {
                    label if label.is_empty() => format!("point {}", n + 1),
                    label => quoted(label),
                }),
            }
        }
        if let Some(expected) = kind.count_fault(points.len()) {
            return Err(MarkupsError::Count {
                file,
                markup,
                found: points.len(),
                expected,
            });
        }
        if !left_out.is_empty() {
            let count = left_out.len();
            left_out.truncate(8);
            let more = if count > left_out.len() { ", …" } else { "" };
            notes.push(format!(
                "{markup}: {count} point(s) without a defined position were left out: {}{more}.",
                left_out.join(", ")
            ));
        }
        Ok(Markup {
            kind,
            name: raw.name.clone(),
            points,
        })
    }

    /// Whether x and y change their signs on the way to LPS.
    fn flips_xy(&self, system: Option<&Loose>) -> Result<bool, MarkupsError> {
        let found = match system {
            Some(Loose::Text(text)) if text == "LPS" || text == "1" => return Ok(false),
            Some(Loose::Text(text)) if text == "RAS" || text == "0" => return Ok(true),
            Some(Loose::Number(n)) if *n == 1.0 => return Ok(false),
            Some(Loose::Number(n)) if *n == 0.0 => return Ok(true),
            Some(other) => other.to_string(),
            None => "missing".to_owned(),
        };
        Err(MarkupsError::CoordinateSystem {
            file: self.file.to_owned(),
            markup: self.markup.clone(),
            found,
        })
    }

    /// The position of a point as it stands in the file; none where it is not defined.
    fn position(&self, number: usize, point: &RawPoint) -> Result<Option<[f64; 3]>, MarkupsError> {
        match &point.position_status {
            None => {}
            Some(Loose::Text(status)) if status == "defined" => {}
            Some(Loose::Text(status)) if status == "undefined" || status == "preview" => return Ok(None),
            Some(other) => {
                return Err(MarkupsError::Status {
                    file: self.file.to_owned(),
                    markup: self.markup.clone(),
                    point: number,
                    found: other.to_string(),
                });
            }
        }
        let Some(position) = &point.position else {
            return Ok(None);
        };
        match position.triple() {
            Some(xyz) if xyz.iter().all(|c| c.abs() <= MAX_COORDINATE_MM) => Ok(Some(xyz)),
            _ => Err(MarkupsError::Position {
                file: self.file.to_owned(),
                markup: self.markup.clone(),
                point: number,
                found: position.to_string(),
            }),
        }
    }
}
