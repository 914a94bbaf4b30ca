//! `cargo xtask peers`: general finite-element programs beside ours on field case B. `benches/peers/README.md` says how and why.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::python::{self, Environment};
use crate::steps::Failure;
use crate::validate::write_whole;
use crate::workspace::{Workspace, text};
use crate::{process, suite};

/// Largest deviation of the lesion's width that counts as the same answer, in percent.
const CRITERION_PERCENT: f64 = 2.0;
const THREADS: [u64; 2] = [1, 2];
const HEATED_S: f64 = 100.0;
const END_S: f64 = 130.0;
const NAMES: [&str; 3] = ["ours", "ngsolve", "dolfinx"];
/// Our runs: with the coarsest cells and steps that the criterion and 0.5 % in Z allow, as the peers are tuned; and as a user has it.
const OURS: [(&str, &str); 2] = [
    ("Neurotome, tuned", "cell_size = 4\nstep_tolerance_k = 1.6"),
    ("Neurotome, as usual", "cell_size = 1"),
];
const FIRST: &str = "<!-- measured by `cargo xtask peers --update` -->\n";
const LAST: &str = "<!-- end of what was measured -->\n";

/// Runs the chore.
pub fn run(w: &Workspace, args: &[String]) -> Result<(), Failure> {
    let asked = Asked::read(args)?;
    let contenders = contenders(w, &asked)?;
    for c in &contenders {
        // Fills the caches of files and of compiled forms, which are not part of the times.
        c.run(w, 1)?;
    }
    let reference = Reference::read(w)?;
    let mut runs = Vec::new();
    for threads in THREADS {
        for round in 1..=asked.runs {
            for c in &contenders {
                let row = c.run(w, threads)?;
                println!(
                    "   {} of {}: {} on {threads}: {:.2} s",
                    round,
                    asked.runs,
                    c.name(),
                    seconds(&row, "total_s")
                );
                runs.push(row);
            }
        }
    }
    let rows = summary(&runs, &reference);
    let table = table(&rows);
    println!("\n{table}");
    let folder = w.target.join("bench");
    let all = json!({ "machine": machine(), "reference": reference.source, "rows": rows, "runs": runs });
    write(
        &folder.join("peers.json"),
        &(serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"),
    )?;
    write(&folder.join("peers.md"), &table)?;
    if let Some(python) = &asked.python(w)? {
        let mut chart = Command::new(python);
        chart.arg(peers(w).join("chart.py")).arg(folder.join("peers.json"));
        process::show(&mut chart, "mend benches/peers/chart.py")?;
    }
    if asked.update {
        update(w, &asked, &table)?;
    }
    Ok(())
}

/// What the command line asks for.
struct Asked {
    only: Vec<String>,
    runs: usize,
    update: bool,
}

impl Asked {
    fn read(args: &[String]) -> Result<Self, Failure> {
        let mut asked = Self {
            only: Vec::new(),
            runs: 3,
            update: false,
        };
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            match (arg.as_str(), rest.as_slice().first()) {
                ("--update", _) => asked.update = true,
                ("--only", Some(name)) if NAMES.contains(&name.as_str()) => {
                    asked.only.push(name.clone());
                    rest.next();
                }
                ("--runs", Some(n)) if n.parse().is_ok_and(|n: usize| n > 0) => {
                    asked.runs = n.parse().unwrap_or(1);
                    rest.next();
                }
                _ => {
                    return Err(Failure::new(
                        format!("`{}` is not understood", args.join(" ")),
                        format!("give --only {}, --runs N or --update", NAMES.join("|")),
                    ));
                }
            }
        }
        Ok(asked)
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|o| o == name)
    }

    /// The peers' Python, when a peer is asked for.
    fn python(&self, w: &Workspace) -> Result<Option<PathBuf>, Failure> {
        if !NAMES[1..].iter().any(|peer| self.wants(peer)) {
            return Ok(None);
        }
        Environment {
            requirements: &peers(w).join("requirements.txt"),
            folder: &w.target.join("peers").join("venv"),
            version: (3, 12),
            candidates: &python::interpreters(),
            pip: &[],
        }
        .ready()
        .map(Some)
    }
}

fn peers(w: &Workspace) -> PathBuf {
    w.root.join("benches").join("peers")
}

/// Somebody who solves the case.
enum Contender {
    Ours {
        program: PathBuf,
        scenario: PathBuf,
        name: &'static str,
        /// From the record of an earlier run: `lesion --json` holds one width only.
        width_x_mm: f64,
    },
    Peer {
        name: &'static str,
        python: PathBuf,
    },
}

fn contenders(w: &Workspace, asked: &Asked) -> Result<Vec<Contender>, Failure> {
    let mut all = Vec::new();
    if asked.wants("ours") {
        let program = suite::program(w)?;
        for (name, solver) in OURS {
            all.push(ours(w, &program, name, solver)?);
        }
    }
    if let Some(python) = asked.python(w)? {
        for name in NAMES[1..].iter().copied().filter(|n| asked.wants(n)) {
            let python = python.clone();
            all.push(Contender::Peer { name, python });
        }
    }
    Ok(all)
}

/// Our program on the case's own scenario, without the second run that estimates the error, and with reports at the end of heating and
/// at the end only: the peers read nothing else off their fields.
fn ours(w: &Workspace, program: &Path, name: &'static str, solver: &str) -> Result<Contender, Failure> {
    let case = read(&w.root.join("validation/crosscode/field/case-b.toml"))?;
    let scenario = w
        .target
        .join("bench")
        .join("peers")
        .join(format!("{}.toml", name.replace(", ", "-")));
    let lines = case.lines().map(|line| {
        if line.starts_with("times_s = ") {
            "isotherms_c = []\ndoses_min = []"
        } else {
            line
        }
    });
    let case = lines.collect::<Vec<_>>().join("\n");
    write(
        &scenario,
        &format!("{case}\n\n[solver]\n{solver}\nestimate_error = false\n"),
    )?;
    let out = w.fresh_folder("peers")?;
    let mut simulate = Command::new(program);
    simulate.arg("simulate").arg(&scenario).arg("-q").arg("--out").arg(&out);
    process::output(&mut simulate)?;
    let record = parse(&read(&out.join("record.json"))?)?;
    let width_x_mm = at(&record["results"]["snapshots"], END_S)["contours"]["omega1"]["width_x_mm"]
        .as_f64()
        .unwrap_or(f64::NAN);
    Ok(Contender::Ours {
        program: program.to_path_buf(),
        scenario,
        name,
        width_x_mm,
    })
}

impl Contender {
    fn name(&self) -> &'static str {
        match self {
            Self::Ours { name, .. } | Self::Peer { name, .. } => name,
        }
    }

    /// Solves the case once.
    fn run(&self, w: &Workspace, threads: u64) -> Result<Value, Failure> {
        match self {
            Self::Peer { name, python } => parse(&peer(w, name, python, threads)?),
            Self::Ours {
                program,
                scenario,
                width_x_mm,
                ..
            } => {
                let json = w.target.join("bench").join("lesion.json");
                let mut lesion = Command::new(program);
                lesion.arg("lesion").arg(scenario).arg("-q").arg("--json").arg(&json);
                let start = Instant::now();
                process::output(lesion.arg("--threads").arg(threads.to_string()))?;
                let total_s = start.elapsed().as_secs_f64();
                let result = parse(&read(&json)?)?;
                let cells = &result["evidence"]["cells"];
                Ok(json!({
                    "peer": self.name(), "order": "finite volumes", "threads": threads, "cells": cells, "dofs": cells,
                    "width_x_mm": width_x_mm, "width_y_mm": at(&result["times"], END_S)["contours"]["omega1"]["width_mm"],
                    "impedance_ohm": at(&result["times"], HEATED_S)["impedance_ohm"], "total_s": total_s,
                }))
            }
        }
    }
}

/// One run of a peer's script, which prints a line of JSON.
fn peer(w: &Workspace, name: &str, python: &Path, threads: u64) -> Result<String, Failure> {
    let script = peers(w).join(format!("case_b_{name}.py"));
    let venv = w.target.join("peers").join("venv");
    let mut command = if name == "dolfinx" && threads > 1 {
        let mut mpirun = Command::new(venv.join("bin").join("mpirun"));
        mpirun.args(["-n", &threads.to_string()]).arg(python);
        mpirun
    } else {
        Command::new(python)
    };
    // DOLFINx works in parallel by processes, each of one thread; NGSolve has threads of its own. Both look for the libraries of
    // the environment, DOLFINx needs to be told where they are.
    command.env("OMP_NUM_THREADS", "1").env("OPENBLAS_NUM_THREADS", "1");
    if name == "dolfinx" {
        command.env("LD_LIBRARY_PATH", venv.join("lib"));
    }
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script)
        .arg(threads.to_string());
    let out = process::output(&mut command)?;
    let out = String::from_utf8_lossy(&out);
    let line = out.lines().find(|line| line.starts_with('{'));
    line.map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("case_b_{name}.py prints no result"), "run it by hand"))
}

/// Exact values of the case.
struct Reference {
    width_mm: f64,
    impedance_ohm: f64,
    source: String,
}

impl Reference {
    fn read(w: &Workspace) -> Result<Self, Failure> {
        let all = parse(&read(&w.root.join("validation/crosscode/field/reference.json"))?)?;
        let times = &all["B"]["t"];
        let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
        Ok(Self {
            width_mm: number(&times["130"]["value"]["omega1"]["width"]),
            impedance_ohm: number(&times["100"]["value"]["Z"]),
            source: "validation/crosscode/field/reference.json, case B".to_owned(),
        })
    }
}

/// One row for each contender and number of threads, in the order of their first run: medians, deviations, ratio to our first.
fn summary(runs: &[Value], reference: &Reference) -> Vec<Value> {
    let mut rows: Vec<Value> = Vec::new();
    for r in runs {
        let same = |x: &&Value| x["peer"] == r["peer"] && x["threads"] == r["threads"];
        if rows.iter().any(|x| same(&x)) {
            continue;
        }
        let of = |key: &str| median(runs.iter().filter(same).map(|x| seconds(x, key)).collect());
        let percent = |key: &str, exact: f64| 100.0 * (r[key].as_f64().unwrap_or(f64::NAN) / exact - 1.0);
        let widths = [
            percent("width_x_mm", reference.width_mm),
            percent("width_y_mm", reference.width_mm),
        ];
        let total = of("total_s");
        let ours = rows
            .iter()
            .find(|x| x["threads"] == r["threads"] && text(x, "peer").starts_with("Neurotome"));
        let ours = ours.map_or(f64::NAN, |x| seconds(x, "total_s"));
        let own = text(r, "peer").starts_with("Neurotome") && ours.is_nan();
        rows.push(json!({
            "peer": r["peer"], "version": r["version"], "order": r["order"], "threads": r["threads"], "cells": r["cells"],
            "dofs": r["dofs"], "width_x_percent": widths[0], "width_y_percent": widths[1],
            "impedance_percent": percent("impedance_ohm", reference.impedance_ohm),
            "meets_criterion": widths.iter().all(|d| d.abs() <= CRITERION_PERCENT),
            "mesh_s": of("mesh_s"), "other_s": of("other_s"), "total_s": total, "runs": runs.iter().filter(same).count(),
            "ratio": if own { 1.0 } else { total / ours },
        }));
    }
    rows
}

fn seconds(row: &Value, key: &str) -> f64 {
    row[key].as_f64().unwrap_or(f64::NAN)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        0.5 * (values[middle - 1] + values[middle])
    }
}

fn table(rows: &[Value]) -> String {
    let mut out = String::from(
        "| program | order | threads | cells | dofs | width x % | width y % | Z % | mesh s | other s | total wall s (median, n) | × ours |\n\
         | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    let figure = |row: &Value, key: &str, digits: usize| {
        row[key]
            .as_f64()
            .map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"))
    };
    for r in rows {
        let signed = |key: &str| r[key].as_f64().map_or_else(|| "–".to_owned(), |v| format!("{v:+.2}"));
        let name = format!("{} {}", text(r, "peer"), text(r, "version"));
        let order = r["order"]
            .as_str()
            .map_or_else(|| r["order"].to_string(), str::to_owned);
        let cells = [
            name.trim().to_owned(),
            order,
            r["threads"].to_string(),
            r["cells"].to_string(),
            r["dofs"].to_string(),
            signed("width_x_percent"),
            signed("width_y_percent"),
            signed("impedance_percent"),
            figure(r, "mesh_s", 1),
            figure(r, "other_s", 1),
            format!(
                "{} ({}){}",
                figure(r, "total_s", 2),
                r["runs"],
                if r["meets_criterion"] == true { "" } else { ", fails" }
            ),
            figure(r, "ratio", 1),
        ];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out
}

/// The processor as the system names it, with the cores this program may use.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{}, {cores} cores",
        model.map_or("unknown processor", |(_, name)| name.trim())
    )
}

/// Rewrites the generated part of the README.
fn update(w: &Workspace, asked: &Asked, table: &str) -> Result<(), Failure> {
    if !asked.only.is_empty() {
        return Err(Failure::new("--update needs everybody", "leave out --only"));
    }
    let path = peers(w).join("README.md");
    let old = read(&path)?;
    let parts = old
        .split_once(FIRST)
        .and_then(|(head, rest)| Some((head, rest.split_once(LAST)?.1)));
    let Some((head, tail)) = parts else {
        return Err(Failure::new(
            "benches/peers/README.md has lost its marks",
            "restore it from git",
        ));
    };
    write(
        &path,
        &format!("{head}{FIRST}\nMachine: {}.\n\n{table}\n{LAST}{tail}", machine()),
    )
}

/// The member of a list of states at a time.
fn at(states: &Value, t_s: f64) -> &Value {
    const NONE: &Value = &Value::Null;
    let states = states.as_array().map_or(&[][..], Vec::as_slice);
    states.iter().find(|s| s["t_s"].as_f64() == Some(t_s)).unwrap_or(NONE)
}

pub fn parse(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|e| Failure::new(format!("a result is no JSON: {e}"), "run the program by hand"))
}

pub fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|e| Failure::new(format!("cannot read {}: {e}", path.display()), "restore it from git"))
}

pub fn write(path: &Path, content: &str) -> Result<(), Failure> {
    write_whole(path, content)
        .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display()), "mend its permissions"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(peer: &str, total_s: f64, width: f64) -> Value {
        json!({"peer": peer, "order": 2, "threads": 1, "cells": 9, "dofs": 8, "width_x_mm": width, "width_y_mm": width,
               "impedance_ohm": 49.5, "total_s": total_s})
    }

    #[test]
    fn medians_deviations_and_ratios() {
        let reference = Reference {
            width_mm: 10.0,
            impedance_ohm: 50.0,
            source: String::new(),
        };
        let runs: Vec<Value> = [("Neurotome, tuned", 1.0, 10.1), ("Peer", 9.0, 10.3)]
            .into_iter()
            .flat_map(|(name, s, w)| [row(name, s, w), row(name, 3.0 * s, w), row(name, 2.0 * s, w)])
            .collect();
        let rows = summary(&runs, &reference);
        assert_eq!(rows.len(), 2);
        assert_eq!((seconds(&rows[0], "total_s"), seconds(&rows[0], "ratio")), (2.0, 1.0));
        assert_eq!((seconds(&rows[1], "total_s"), seconds(&rows[1], "ratio")), (18.0, 9.0));
        assert!((seconds(&rows[1], "width_y_percent") - 3.0).abs() < 1e-9);
        assert_eq!(
            (&rows[0]["meets_criterion"], &rows[1]["meets_criterion"]),
            (&json!(true), &json!(false))
        );
        let text = table(&rows);
        assert!(
            text.contains("| Peer | 2 | 1 | 9 | 8 | +3.00 | +3.00 | -1.00 | – | – | 18.00 (3), fails | 9.0 |"),
            "{text}"
        );
    }

    #[test]
    fn arguments_are_read_or_refused() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let asked = Asked::read(&words("--only ours --runs 2")).unwrap();
        assert!(asked.wants("ours") && !asked.wants("dolfinx") && asked.runs == 2 && !asked.update);
        assert!(Asked::read(&words("--only theirs")).is_err());
        assert!(Asked::read(&words("--runs 0")).is_err());
    }
}
