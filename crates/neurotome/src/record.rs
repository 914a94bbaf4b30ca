//! The record of a run: enough to compute it again and to compare every figure.
//!
//! A record holds no clock time, host name or absolute path, so that the same scenario gives the same bytes anywhere.

use neurotome_io::scenario::{InputFile, Loaded, Notice, Source, resolved};
use neurotome_procedure::lesion::{Curves, Evidence, LesionResult, NerveInjury, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{DISCLAIMER, PROGRAM, summary::Summary};

/// First words of a record; the number grows when its shape changes.
pub const FORMAT: &str = "neurotome-record-1";

/// A record. Field order is the order in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`FORMAT`].
    pub format: String,
    /// Name and version of the program.
    pub program: String,
    /// What the software is not.
    pub disclaimer: String,
    /// The scenario.
    pub scenario: ScenarioText,
    /// SHA-256 of the catalogue's content.
    pub catalog_sha256: String,
    /// Input images and label volumes.
    pub inputs: Vec<InputFile>,
    /// What the readers of the images want the user to know.
    pub remarks: Vec<String>,
    /// Unverified values of the catalogue that the run used.
    pub notices: Vec<Notice>,
    /// Every figure that entered the solve.
    pub resolved: Value,
    /// What came out.
    pub results: Results,
}

/// The scenario as it was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioText {
    /// File name without folders.
    pub name: String,
    /// Whole text.
    pub text: String,
}

/// What came out of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Key figures.
    pub summary: Summary,
    /// State at the output times.
    pub snapshots: Vec<Snapshot>,
    /// Injury of each nerve.
    pub nerves: Vec<NerveInjury>,
    /// How well it was solved.
    pub evidence: Evidence,
    /// Readings at every time step.
    pub curves: Curves,
}

impl Record {
    /// The record of a run.
    pub fn new(source: &Source, loaded: &Loaded, catalog_sha256: &str, result: &LesionResult) -> Self {
        Self {
            format: FORMAT.to_owned(),
            program: PROGRAM.to_owned(),
            disclaimer: DISCLAIMER.to_owned(),
            scenario: ScenarioText {
                name: source.name.clone(),
                text: source.text.clone(),
            },
            catalog_sha256: catalog_sha256.to_owned(),
            inputs: loaded.inputs.clone(),
            remarks: loaded.remarks.clone(),
            notices: loaded.notices.clone(),
            resolved: resolved(&loaded.problem),
            results: Results {
                summary: Summary::new(loaded, result),
                snapshots: result.snapshots.clone(),
                nerves: result.nerves.clone(),
                evidence: result.evidence.clone(),
                curves: result.curves.clone(),
            },
        }
    }

    /// The record as the bytes of its file.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

/// Reports and evidence in the shape of `lesion --json`.
pub fn lesion_json(result: &LesionResult) -> Value {
    let contour = |c: Option<neurotome_procedure::lesion::Contour>| {
        c.map(|c| json!({ "width_mm": c.width_mm, "length_mm": c.length_mm, "volume_mm3": c.volume_mm3 }))
    };
    let contours = |c: &neurotome_procedure::lesion::Contours| {
        let named = [
            ("iso45", c.iso45),
            ("iso50", c.iso50),
            ("iso60", c.iso60),
            ("omega1", c.omega1),
        ];
        let more = c.more.iter().map(|(name, c)| (name.as_str(), *c));
        let all: serde_json::Map<String, Value> = named
            .into_iter()
            .chain(more)
            .map(|(name, c)| (name.to_owned(), json!(contour(c))))
            .collect();
        all
    };
    let times: Vec<Value> = result
        .snapshots
        .iter()
        .map(|s| {
            json!({
                "t_s": s.t_s,
                "probes": s.probes,
                "power_w": s.power_w,
                "impedance_ohm": s.impedance_ohm,
                "voltage_v": s.voltage_v,
                "contours": contours(&s.contours),
            })
        })
        .collect();
    let mut all = json!({ "times": times, "evidence": result.evidence });
    // Only runs that have them name them.
    let more = [
        (
            "skin_entries",
            (!result.skin_entries.is_empty()).then(|| json!(result.skin_entries)),
        ),
        ("leaks", (!result.leaks.is_empty()).then(|| json!(result.leaks))),
        ("pulse", result.pulse.map(|p| json!(p))),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            all[name] = value;
        }
    }
    all
}

/// Where two JSON values first differ, in the first one's order: path, first value, second value.
pub fn first_difference(a: &Value, b: &Value) -> Option<(String, String, String)> {
    fn walk(path: &str, a: &Value, b: &Value) -> Option<(String, String, String)> {
        let differ = |a: &Value, b: &Value| Some((path.to_owned(), short(a), short(b)));
        match (a, b) {
            (Value::Object(x), Value::Object(y)) => x
                .iter()
                .find_map(|(k, v)| walk(&join(path, k), v, y.get(k).unwrap_or(&Value::Null)))
                .or_else(|| {
                    y.iter()
                        .find(|(k, _)| !x.contains_key(*k))
                        .map(|(k, v)| (join(path, k), "absent".to_owned(), short(v)))
                }),
            (Value::Array(x), Value::Array(y)) => x
                .iter()
                .zip(y)
                .enumerate()
                .find_map(|(i, (v, w))| walk(&format!("{path}[{i}]"), v, w))
                .or_else(|| {
                    (x.len() != y.len()).then(|| {
                        (
                            path.to_owned(),
                            format!("{} entries", x.len()),
                            format!("{} entries", y.len()),
                        )
                    })
                }),
            _ if a == b => None,
            _ => differ(a, b),
        }
    }
    fn join(path: &str, key: &str) -> String {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    }
    fn short(v: &Value) -> String {
        let text = v.to_string();
        if text.chars().count() > 60 {
            text.chars().take(60).chain(['…']).collect()
        } else {
            text
        }
    }
    walk("", a, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let a = json!({"a": [1, {"b": 2.5}], "c": "x"});
        assert_eq!(first_difference(&a, &a), None);
        let b = json!({"a": [1, {"b": 2.25}], "c": "x"});
        assert_eq!(
            first_difference(&a, &b),
            Some(("a[1].b".to_owned(), "2.5".to_owned(), "2.25".to_owned()))
        );
        let c = json!({"a": [1], "c": "x"});
        assert_eq!(first_difference(&a, &c).unwrap().1, "2 entries");
        let d = json!({"a": [1, {"b": 2.5}], "c": "x", "d": 1});
        assert_eq!(first_difference(&a, &d).unwrap().0, "d");
    }
}
