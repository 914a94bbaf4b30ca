//! `cargo xtask validate`: the slow validation, and the report made of its rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::steps::Failure;
use crate::workspace::{Workspace, list, text};
use crate::{process, suite};

/// Runs all of `neurotome verify` and writes `validation/REPORT.md`, also when a claim fails.
pub fn run(workspace: &Workspace) -> Result<(), Failure> {
    let program = suite::program(workspace)?;
    let json = workspace.fresh_folder("validate")?.join("verify.json");
    let mut verify = Command::new(program);
    verify
        .current_dir(&workspace.root)
        .args(["verify", "--all", "--json"])
        .arg(&json);
    let advice = "`neurotome verify --all --only GROUP` repeats a group of claims";
    let outcome = process::show(&mut verify, advice);
    let written = std::fs::read(&json)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(rows) = written.as_ref().map(rows).filter(|rows| !rows.is_empty()) else {
        return outcome.and(Err(Failure::new("`neurotome verify --json` wrote no rows", advice)));
    };
    let path = workspace.root.join("validation").join("REPORT.md");
    let version = list(&workspace.metadata, "packages")
        .iter()
        .find(|p| text(p, "name") == "neurotome")
        .map_or("", |p| text(p, "version"));
    write_whole(&path, &report(version, rows))
        .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display()), "mend its permissions"))?;
    println!("   wrote validation/REPORT.md, {} claims", rows.len());
    outcome
}

/// The rows, whether the file is a list or an object with a list called `rows`.
fn rows(json: &Value) -> &[Value] {
    json.as_array().map_or_else(|| list(json, "rows"), Vec::as_slice)
}

fn write_whole(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension("md.part");
    std::fs::write(&draft, text)?;
    std::fs::rename(&draft, path)
}

/// The report as Markdown: a summary, then one table a group.
fn report(version: &str, rows: &[Value]) -> String {
    let mut groups: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for row in rows {
        groups.entry(text(row, "group")).or_default().push(row);
    }
    let passed = |rows: &[&Value]| rows.iter().filter(|r| r["passed"] == true).count();
    let mut out = format!(
        "# Validation report\n\nWritten by `cargo xtask validate` from `neurotome verify --all`, version {version}. \
         Do not edit.\n\nA claim passes when its value lies within the tolerance of the reference. Units are in the claim.\n\n\
         | group | passed | of |\n| --- | ---: | ---: |\n"
    );
    for (group, rows) in &groups {
        let _ = writeln!(out, "| [{group}](#{group}) | {} | {} |", passed(rows), rows.len());
    }
    for (group, rows) in &groups {
        let _ = write!(
            out,
            "\n## {group}\n\n| | claim | value | reference | tolerance | source |\n| --- | --- | ---: | ---: | ---: | --- |\n"
        );
        for row in rows {
            let mark = if row["passed"] == true { "pass" } else { "**FAIL**" };
            let cell = |key: &str| cell(&row[key]);
            let _ = writeln!(
                out,
                "| {mark} | {} | {} | {} | {} | {} |",
                cell("claim"),
                cell("value"),
                cell("reference"),
                cell("tolerance"),
                cell("source")
            );
        }
    }
    out
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
fn short(x: f64) -> String {
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
        assert!(text.contains("| [analytic](#analytic) | 1 | 2 |"), "{text}");
        assert!(text.contains("| pass | a \\| b | 1 | 1 | 0.1 | s |"), "{text}");
        assert!(text.contains("| **FAIL** | c |"), "{text}");
    }
}
