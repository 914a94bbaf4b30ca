//! `cargo xtask validate`: the slow validation, and the report made of its rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::steps::Failure;
use crate::workspace::{Workspace, list, text};
use crate::{process, suite};

/// Runs `neurotome verify --full`, its comparisons with experiments and its open claims and writes `validation/REPORT.md`, also when a
/// claim fails. A claim that differs from an experiment or is open is in the report and no failure of this chore.
pub fn run(workspace: &Workspace) -> Result<(), Failure> {
    let program = suite::program(workspace)?;
    let folder = workspace.fresh_folder("validate")?;
    let verify = |name: &str, groups: &[&str], advice: &str| {
        let json = folder.join(name);
        let mut verify = Command::new(&program);
        verify
            .current_dir(&workspace.root)
            .args(["verify", "--all"])
            .args(groups)
            .arg("--json")
            .arg(&json);
        let outcome = process::show(&mut verify, advice);
        let rows = read_rows(&json);
        if rows.is_empty() {
            return Err(outcome
                .err()
                .unwrap_or_else(|| Failure::new("`neurotome verify --json` wrote no rows", advice)));
        }
        Ok((rows, outcome))
    };
    let (mut rows, outcome) = verify(
        "verify.json",
        &["--full"],
        "`neurotome verify --all --full --only GROUP` repeats a group of claims",
    )?;
    let (not_gating, _) = verify(
        "experiment.json",
        &["--only", "experiment", "--only", "open"],
        "`neurotome verify --only experiment` repeats it",
    )?;
    rows.extend(not_gating);
    let path = workspace.root.join("validation").join("REPORT.md");
    let version = list(&workspace.metadata, "packages")
        .iter()
        .find(|p| text(p, "name") == "neurotome")
        .map_or("", |p| text(p, "version"));
    write_whole(&path, &report(version, &rows))
        .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display()), "mend its permissions"))?;
    println!("   wrote validation/REPORT.md, {} claims", rows.len());
    outcome
}

/// The rows of a file of `neurotome verify --json`; none when there is no such file.
pub fn read_rows(path: &std::path::Path) -> Vec<Value> {
    std::fs::read(path)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .map(|json| rows(&json).to_vec())
        .unwrap_or_default()
}

/// The rows, whether the file is a list or an object with a list called `rows`.
fn rows(json: &Value) -> &[Value] {
    json.as_array().map_or_else(|| list(json, "rows"), Vec::as_slice)
}

/// Writes a file beside its place and renames it.
pub fn write_whole(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension("md.part");
    std::fs::write(&draft, text)?;
    std::fs::rename(&draft, path)
}

/// The report as Markdown: a summary, the claims that fail, then one section a group.
fn report(version: &str, rows: &[Value]) -> String {
    let mut groups: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        groups.entry(text(row, "group")).or_default().push(row);
    }
    let mut out = format!(
        "# Validation report\n\nWritten by `cargo xtask validate` from `neurotome verify --all --full`, version {version}. \
         Do not edit.\n\nA claim passes when its value lies within the tolerance of the reference. Units are in the claim.\n\n\
         | group | passed | of | shown for information |\n| --- | ---: | ---: | ---: |\n"
    );
    for (group, rows) in &groups {
        let judged = rows.iter().filter(|r| is_judged(r)).count();
        let passed = rows.iter().filter(|r| is_judged(r) && r["passed"] == true).count();
        let _ = writeln!(
            out,
            "| [{group}](#{group}) | {passed} | {judged} | {} |",
            rows.len() - judged
        );
    }
    let failed: Vec<&Value> = rows.iter().filter(|r| r["passed"] != true).collect();
    if !failed.is_empty() {
        out.push_str("\n## Claims that fail\n\n");
        for row in failed {
            let _ = writeln!(
                out,
                "- {}: {}: {} against {}",
                text(row, "group"),
                cell(&row["claim"]),
                cell(&row["value"]),
                band(row)
            );
        }
    }
    for (group, rows) in &groups {
        let _ = write!(out, "\n## {group}\n");
        if rows.iter().any(|r| r.get("experiment").is_some()) {
            experiments(&mut out, rows);
        } else {
            claims(&mut out, rows);
        }
    }
    out
}

fn claims(out: &mut String, rows: &[&Value]) {
    out.push_str("\n| | claim | value | reference | tolerance | source |\n| --- | --- | ---: | ---: | ---: | --- |\n");
    for row in rows {
        let cell = |key: &str| cell(&row[key]);
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            mark(row),
            cell("claim"),
            cell("value"),
            cell("reference"),
            cell("tolerance"),
            cell("source")
        );
    }
}

/// Comparisons with experiments: a section a study, with what was done and what stands for it here.
fn experiments(out: &mut String, rows: &[&Value]) {
    out.push_str(
        "\nNothing is fitted to these experiments; tissue, cannulas and injury laws are the catalogue's. \
         [How to read this](experiment/README.md), [how far uncertain inputs move it](experiment/SENSITIVITY.md).\n",
    );
    let mut study = "";
    for row in rows {
        let about = &row["experiment"];
        if about.is_null() {
            let _ = writeln!(out, "\n- {} {}", mark(row), cell(&row["claim"]));
            study = "";
            continue;
        }
        if text(about, "study") != study {
            study = text(about, "study");
            let _ = write!(
                out,
                "\n### {study}\n\n{}. Read in: {}.\n\n- Experiment: {}.\n- Edge of the lesion: {}.\n- Start: {}.\n\n\
                 | | measured | computed | published | numbers | by other edges | note |\n\
                 | --- | --- | ---: | ---: | --- | --- | --- |\n",
                text(row, "source"),
                text(about, "seen_at"),
                text(about, "preparation"),
                text(about, "edge"),
                text(about, "start")
            );
        }
        let others: Vec<String> = list(about, "by_other_edges")
            .iter()
            .map(|e| format!("{} {}", text(e, "edge"), cell(&e["value"])))
            .collect();
        let note = about["note"].as_str().unwrap_or_default();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            mark(row),
            cell(&about["measured"]),
            cell(&row["value"]),
            band(row),
            text(about, "status"),
            others.join("<br>"),
            note.replace('|', "\\|")
        );
    }
}

/// Whether a row can fail.
fn is_judged(row: &Value) -> bool {
    row["experiment"]["judged"] != false
}

fn mark(row: &Value) -> &'static str {
    if !is_judged(row) {
        "info"
    } else if row["passed"] == true {
        "pass"
    } else {
        "**FAIL**"
    }
}

/// What a value must keep to.
fn band(row: &Value) -> String {
    let about = &row["experiment"];
    if about.is_null() {
        return format!("{} ± {}", cell(&row["reference"]), cell(&row["tolerance"]));
    }
    match (about["at_least"].as_f64(), about["at_most"].as_f64()) {
        (Some(a), Some(b)) if a == b => short(a),
        (Some(a), Some(b)) => format!("{} to {}", short(a), short(b)),
        (Some(a), None) => format!("at least {}", short(a)),
        (None, Some(b)) => format!("at most {}", short(b)),
        (None, None) => "–".to_owned(),
    }
}

/// One table cell: five significant digits for numbers, no line ends or bars in texts.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::String(s) => s.replace('|', "\\|").replace('\n', " "),
        Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), short),
        other => other.to_string().replace('|', "\\|"),
    }
}

/// A number with five significant digits, without trailing zeros.
pub fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    let exponent = x.abs().log10().floor() as i32;
    if !(-4..6).contains(&exponent) {
        return format!("{x:.4e}");
    }
    let text = format!("{x:.*}", (4 - exponent).max(0) as usize);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 12.5, 73.26812, -0.001234567, 1e-7, 123456.7, 2.5e9].map(short);
        assert_eq!(
            shown,
            ["0", "12.5", "73.268", "-0.0012346", "1.0000e-7", "123457", "2.5000e9"]
        );
    }

    #[test]
    fn the_report_counts_and_marks() {
        let json = serde_json::json!([
            {"group": "analytic", "claim": "a | b", "value": 1.0, "reference": 1.0, "tolerance": 0.1, "passed": true, "source": "s"},
            {"group": "analytic", "claim": "c", "value": 2.0, "reference": 1.0, "tolerance": 0.1, "passed": false, "source": "s"},
        ]);
        let text = report("0.1.0", rows(&json));
        assert!(text.contains("| [analytic](#analytic) | 1 | 2 | 0 |"), "{text}");
        assert!(text.contains("- analytic: c: 2 against 1 ± 0.1"), "{text}");
        assert!(text.contains("| pass | a \\| b | 1 | 1 | 0.1 | s |"), "{text}");
        assert!(text.contains("| **FAIL** | c |"), "{text}");
    }

    #[test]
    fn experiments_tell_what_was_measured_and_how() {
        let about = |judged: bool, at_most: Option<f64>| {
            serde_json::json!({
                "study": "Somebody 2000", "key": "k", "judged": judged, "measured": "width in mm", "at_least": 1.0,
                "at_most": at_most, "status": "read", "note": "n | m", "preparation": "meat", "seen_at": "abstract",
                "edge": "55 °C reached: colour", "start": "21 °C: room",
                "by_other_edges": [{"edge": "50 °C reached", "value": 2.5}, {"edge": "60 °C reached", "value": null}],
            })
        };
        let row = |value: f64, passed: bool, about: Value| {
            serde_json::json!({"group": "experiment", "claim": "Somebody 2000: width in mm", "value": value,
                "reference": 1.5, "tolerance": 0.5, "passed": passed, "source": "J 2000", "experiment": about})
        };
        let json = serde_json::json!([
            row(3.0, false, about(true, Some(2.0))),
            row(3.0, true, about(false, Some(2.0))),
            row(3.0, true, about(true, None)),
        ]);
        let text = report("0.1.0", rows(&json));
        assert!(text.contains("| [experiment](#experiment) | 1 | 2 | 1 |"), "{text}");
        assert!(
            text.contains("- experiment: Somebody 2000: width in mm: 3 against 1 to 2"),
            "{text}"
        );
        assert_eq!(text.matches("### Somebody 2000").count(), 1);
        let line = "| **FAIL** | width in mm | 3 | 1 to 2 | read | 50 °C reached 2.5<br>60 °C reached – | n \\| m |";
        assert!(text.contains(line), "{text}");
        assert!(
            text.contains("| info | width in mm |") && text.contains("| 3 | at least 1 |"),
            "{text}"
        );
    }
}
