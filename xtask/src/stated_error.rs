//! `cargo xtask stated-error`: how often the error that a run states covers its true one, on the problems of `validation/stated-error`.
//!
//! Each problem runs on cells twice the usual size with its stated error, and on cells a quarter of those with a quarter of the step
//! tolerance. What is finished stays in the target folder, so that the chore goes on where it was stopped.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::peers::{parse, read, write};
use crate::steps::Failure;
use crate::workspace::{Workspace, files_below, list};
use crate::{process, suite};

/// Cells of the run that states its error, times the usual.
const CELL_SIZE: f64 = 2.0;
/// Cells of the run taken for the truth, times those of the other.
const FINER: f64 = 0.25;
/// Largest error of temperature allowed in a step of the run taken for the truth, K: a quarter of the usual.
const FINE_STEP_K: f64 = 0.02;
/// Problems, of twenty, whose true error must lie within the stated one.
const CLAIM: f64 = 0.9;

const QUANTITIES: [(&str, &str, f64); 4] = [
    ("width", "width_relative", 100.0),
    ("length", "length_relative", 100.0),
    ("volume", "volume_relative", 100.0),
    ("peak temperature", "peak_temperature_k", 1.0),
];

/// Runs what has not been run, and rewrites `validation/STATED_ERROR.md`.
pub fn run(w: &Workspace) -> Result<(), Failure> {
    let program = suite::program(w)?;
    let mut rows = Vec::new();
    for path in files_below(&w.root.join("validation").join("stated-error"))? {
        if path.extension().is_some_and(|e| e == "toml") {
            let stated = solved(w, &program, &path, "stated", &format!("cell_size = {CELL_SIZE}\n"))?;
            let fine = format!(
                "cell_size = {}\nstep_tolerance_k = {FINE_STEP_K}\nestimate_error = false\n",
                CELL_SIZE * FINER
            );
            let fine = solved(w, &program, &path, "fine", &fine)?;
            rows.push(Row::new(&path, &stated, &fine)?);
        }
    }
    let path = w.root.join("validation").join("STATED_ERROR.md");
    write(&path, &report(&rows))?;
    println!("   wrote validation/STATED_ERROR.md");
    let short: Vec<String> = (0..QUANTITIES.len())
        .filter(|&q| (covered(&rows, q) as f64) < CLAIM * rows.len() as f64)
        .map(|q| format!("{}: {} of {}", QUANTITIES[q].0, covered(&rows, q), rows.len()))
        .collect();
    if short.is_empty() && !rows.is_empty() {
        Ok(())
    } else {
        Err(Failure::list(
            "the stated error covers the true one too seldom",
            &short,
            "see crates/procedure/src/lesion/estimate.rs",
        ))
    }
}

/// The result of a problem with these settings of the solver, computed unless the same was computed before.
fn solved(w: &Workspace, program: &Path, problem: &Path, name: &str, solver: &str) -> Result<Value, Failure> {
    let stem = problem.file_stem().unwrap_or_default().to_string_lossy();
    let folder = w.target.join("stated-error");
    let scenario = folder.join(format!("{stem}.{name}.toml"));
    let json = folder.join(format!("{stem}.{name}.json"));
    let wanted = format!("{}\n[solver]\n{solver}", read(problem)?);
    let recent = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    // A run that is quick is repeated when the program has changed; the long one, whose error is far smaller, is not.
    let outdated = name == "stated" && recent(&json) < recent(program);
    if outdated || !json.is_file() || std::fs::read_to_string(&scenario).ok().as_ref() != Some(&wanted) {
        println!("   {stem}, {name}");
        write(&scenario, &wanted)?;
        let fresh = folder.join("fresh.json");
        let mut lesion = Command::new(program);
        lesion.arg("lesion").arg(&scenario).arg("-q").arg("--json").arg(&fresh);
        process::output(&mut lesion)?;
        std::fs::rename(&fresh, &json)
            .map_err(|e| Failure::new(format!("cannot write {}: {e}", json.display()), "mend its permissions"))?;
    }
    parse(&read(&json)?)
}

/// Stated and true errors of one problem, in the order of [`QUANTITIES`].
struct Row {
    file: PathBuf,
    title: String,
    cells: [u64; 2],
    stated: [f64; 4],
    truth: [f64; 4],
}

impl Row {
    fn new(path: &Path, stated: &Value, fine: &Value) -> Result<Self, Failure> {
        let scenario = read(path)?;
        let title = scenario
            .lines()
            .find_map(|l| l.strip_prefix("title = \"")?.strip_suffix('"'));
        let cells = |run: &Value| run["evidence"]["cells"].as_u64().unwrap_or(0);
        let error = &stated["evidence"]["error"];
        Ok(Self {
            file: path.file_name().unwrap_or_default().into(),
            title: title.unwrap_or_default().to_owned(),
            cells: [cells(stated), cells(fine)],
            stated: QUANTITIES.map(|(_, key, _)| error[key].as_f64().unwrap_or(f64::NAN)),
            truth: true_errors(stated, fine),
        })
    }

    fn covers(&self, q: usize) -> bool {
        self.truth[q] <= self.stated[q]
    }
}

/// Relative differences of Ω = 1 at the end of heating, and the largest difference of a probe at any report. The problems cool down
/// at the end without a report in between, so the end of heating is the last report but one.
fn true_errors(stated: &Value, fine: &Value) -> [f64; 4] {
    let times = (list(stated, "times"), list(fine, "times"));
    let heated = |times: &[Value]| {
        times
            .len()
            .checked_sub(2)
            .map(|i| times[i]["contours"]["omega1"].clone())
    };
    let (a, b) = (heated(times.0).unwrap_or_default(), heated(times.1).unwrap_or_default());
    let size = |key: &str| {
        let value = |v: &Value| v[key].as_f64().unwrap_or(f64::NAN);
        ((value(&a) - value(&b)) / value(&a)).abs()
    };
    let probes = times.0.iter().zip(times.1).flat_map(|(x, y)| {
        let probes = x["probes"].as_object().into_iter().flatten();
        probes.filter_map(|(name, t)| Some((t.as_f64()? - y["probes"][name].as_f64()?).abs()))
    });
    [
        size("width_mm"),
        size("length_mm"),
        size("volume_mm3"),
        probes.fold(0.0, f64::max),
    ]
}

fn covered(rows: &[Row], q: usize) -> usize {
    rows.iter().filter(|r| r.covers(q)).count()
}

fn report(rows: &[Row]) -> String {
    let mut out = format!(
        "# The stated error against the true one\n\n\
         Written by `cargo xtask stated-error` from the problems in `stated-error/`. Do not edit.\n\n\
         Each problem runs on cells {CELL_SIZE} times the usual size and states its error (from a run on cells twice as large again). What is\n\
         taken for the truth is a run on cells {FINER} times as large, that is {} times the usual, and with a quarter of the step tolerance.\n\
         Width, length and volume are those of Ω = 1 at the end of heating, in percent; the temperature error is the largest of all probes\n\
         and reports, in kelvin. Each entry is stated / true; **bold** where the true error is the larger one.\n\n\
         The estimate was chosen among several on these problems, so the counts are not those of problems it never saw.\n\n\
         | problem | cells | finer cells | width % | length % | volume % | temperature K |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        CELL_SIZE * FINER
    );
    for r in rows {
        let entries: Vec<String> = (0..QUANTITIES.len())
            .map(|q| {
                let unit = QUANTITIES[q].2;
                let mark = if r.covers(q) { "" } else { "**" };
                format!("{mark}{:.2} / {:.2}{mark}", unit * r.stated[q], unit * r.truth[q])
            })
            .collect();
        let _ = writeln!(
            out,
            "| [{}](stated-error/{}) | {} | {} | {} |",
            r.title,
            r.file.display(),
            r.cells[0],
            r.cells[1],
            entries.join(" | ")
        );
    }
    out += "\n| quantity | true error within the stated one | stated over true, median |\n| --- | ---: | ---: |\n";
    for (q, (name, ..)) in QUANTITIES.iter().enumerate() {
        let mut ratios: Vec<f64> = rows.iter().map(|r| r.stated[q] / r.truth[q]).collect();
        ratios.sort_by(f64::total_cmp);
        let median = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
        let _ = writeln!(out, "| {name} | {} of {} | {median:.1} |", covered(rows, q), rows.len());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_are_those_at_the_end_of_heating() {
        let run = |width: f64, probe: f64| {
            let at = |w: f64| {
                json!({"contours": {"omega1": {"width_mm": w, "length_mm": 10.0, "volume_mm3": 100.0}},
                                     "probes": {"p": probe}})
            };
            json!({"times": [at(1.0), at(width), at(width + 3.0)], "evidence": {"cells": 5}})
        };
        let truth = true_errors(&run(8.0, 60.0), &run(7.6, 61.5));
        for (found, expected) in truth.iter().zip([0.05, 0.0, 0.0, 1.5]) {
            assert!((found - expected).abs() < 1e-12, "{truth:?}");
        }
        let row = Row {
            file: "a.toml".into(),
            title: "A".into(),
            cells: [1, 2],
            stated: [0.04, 0.1, 0.1, 2.0],
            truth,
        };
        assert!(!row.covers(0) && row.covers(3));
        let text = report(&[row]);
        assert!(
            text.contains("| [A](stated-error/a.toml) | 1 | 2 | **4.00 / 5.00** | 10.00 / 0.00 |"),
            "{text}"
        );
        assert!(text.contains("| width | 0 of 1 | 0.8 |"), "{text}");
    }
}
