//! Counts the instructions of the solver's kernels and holds them to `benches/counts.json`; measures times on growing grids.
//! `benches/README.md` says how and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process;
use crate::steps::Failure;
use crate::workspace::{Workspace, text};

/// Growth of a count beyond which it fails, in percent.
const ALLOWED_PERCENT: u64 = 3;
/// Cell sizes of `--scaling`, times the usual.
const SIZES: [&str; 4] = ["1", "0.7", "0.5", "0.35"];

/// Pieces of `--interactive` between two looks, s.
const LOOKS_S: [&str; 3] = ["0.1", "0.25", "0.5"];

/// `cargo xtask bench`, with `--update`, `--scaling [SIZE…]` or `--interactive`.
pub fn run(w: &Workspace, args: &[String]) -> Result<(), Failure> {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => counts(w, false),
        ["--update"] => counts(w, true),
        ["--scaling"] => scaling(w, &SIZES),
        ["--interactive"] => interactive(w),
        ["--scaling", sizes @ ..] => scaling(w, sizes),
        _ => Err(Failure::new(
            format!("`{}` is not understood", args.join(" ")),
            "give nothing, --update, --interactive, or --scaling with sizes of cells",
        )),
    }
}

/// Simulated seconds per second of the clock of a lesion that is looked at in short pieces. It depends on the machine and what else
/// runs there, so it is told and gates nothing.
fn interactive(w: &Workspace) -> Result<(), Failure> {
    for look_s in LOOKS_S {
        let out = process::output(&mut w.cargo(&[
            "run",
            "--release",
            "--locked",
            "--quiet",
            "--package",
            "neurotome",
            "--example",
            "interactive",
            "--",
            "default",
            look_s,
        ]))?;
        let out = String::from_utf8_lossy(&out);
        for line in [out.lines().next(), out.lines().last()].into_iter().flatten() {
            println!("   {line}");
        }
    }
    Ok(())
}

/// Builds the measuring program.
fn kernels(w: &Workspace) -> Result<PathBuf, Failure> {
    let out = process::output(&mut w.cargo(&[
        "build",
        "--release",
        "--locked",
        "--package",
        "neurotome-physics",
        "--bench",
        "kernels",
        "--message-format=json",
    ]))?;
    String::from_utf8_lossy(&out)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "kernels")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .ok_or_else(|| Failure::new("Cargo names no program called kernels", "see crates/physics/Cargo.toml"))
}

fn counts(w: &Workspace, update: bool) -> Result<(), Failure> {
    if !process::works(Command::new("valgrind").arg("--version")) {
        return Err(Failure::new(
            "valgrind, which counts the instructions, is not installed",
            "install it (Debian: apt install valgrind)",
        ));
    }
    let program = kernels(w)?;
    let folder = w.fresh_folder("bench")?;
    let names = process::output(Command::new(&program).arg("names"))?;
    let mut found = BTreeMap::new();
    for name in String::from_utf8_lossy(&names).lines() {
        let profile = folder.join(name);
        process::output(
            Command::new("valgrind")
                .args(["--tool=callgrind", "--toggle-collect=*measured_kernel*"])
                .arg(format!("--callgrind-out-file={}", profile.display()))
                .arg(&program)
                .args(["count", name]),
        )?;
        found.insert(name.to_owned(), own_instructions(&read(&profile)?, &program));
    }
    let rustc = process::output(Command::new("rustc").arg("--version"))?;
    let rustc = String::from_utf8_lossy(&rustc).trim().to_owned();
    let path = w.root.join("benches").join("counts.json");
    if update {
        let text = serde_json::json!({ "compiler": rustc, "instructions": found });
        let text = serde_json::to_string_pretty(&text).unwrap_or_default() + "\n";
        return std::fs::write(&path, text)
            .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display()), "mend its permissions"));
    }
    let stored: Value = serde_json::from_str(&read(&path)?)
        .map_err(|e| Failure::new(format!("benches/counts.json: {e}"), "cargo xtask bench --update"))?;
    let faults = growth(&stored["instructions"], &found);
    if faults.is_empty() {
        return Ok(());
    }
    let compiler = text(&stored, "compiler");
    let advice = if compiler == rustc {
        "make it as quick as before, or, if the work is worth it, `cargo xtask bench --update` and say why in the commit".into()
    } else {
        format!("the counts are those of {compiler}, this is {rustc}: compare with that one before you --update")
    };
    Err(Failure::list("kernels take more instructions", &faults, advice))
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|e| {
        Failure::new(
            format!("cannot read {}: {e}", path.display()),
            "cargo xtask bench --update",
        )
    })
}

/// The instructions in a callgrind profile that belong to the program itself. What libc and libm spend differs from machine to
/// machine, since they choose among versions of `memcpy` or `exp` when they are loaded.
fn own_instructions(profile: &str, program: &Path) -> u64 {
    let program = program.to_string_lossy();
    let mut own_id = "";
    let (mut own, mut call, mut sum) = (false, false, 0);
    for line in profile.lines() {
        if let Some(object) = line.strip_prefix("ob=") {
            let (id, name) = object.split_once(' ').unwrap_or((object, ""));
            if name == program {
                own_id = id;
            }
            own = !own_id.is_empty() && id == own_id;
        } else if let Some(object) = line.strip_prefix("cob=") {
            // The object of a function that is called: named here when it is met for the first time.
            if let Some((id, name)) = object.split_once(' ')
                && name == program
            {
                own_id = id;
            }
        } else if line.starts_with("calls=") {
            call = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
            // The line after `calls=` holds what the callee spends, which is counted there.
            if own && !call {
                sum += line.split(' ').nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
            }
            call = false;
        }
    }
    sum
}

/// Shows all counts and names those that have grown too much or have no stored count.
fn growth(stored: &Value, found: &BTreeMap<String, u64>) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, &count) in found {
        let Some(before) = stored[name].as_u64().filter(|n| *n > 0) else {
            faults.push(format!("{name}: {count}, no stored count"));
            continue;
        };
        let change = count as f64 / before as f64 - 1.0;
        println!("   {name:<16} {count:>12}  {:+.2} %", 100.0 * change);
        if count == 0 || 100 * count > (100 + ALLOWED_PERCENT) * before {
            faults.push(format!(
                "{name}: {before} before, {count} now ({:+.1} %)",
                100.0 * change
            ));
        }
    }
    faults
}

fn scaling(w: &Workspace, sizes: &[&str]) -> Result<(), Failure> {
    let out = process::output(Command::new(kernels(w)?).arg("scaling").args(sizes))?;
    let lines: Vec<Value> = String::from_utf8_lossy(&out)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let (machine, rows): (Vec<Value>, Vec<Value>) = lines.into_iter().partition(|l| l["triad_gb_per_s"].is_number());
    let number = |v: &Value, key: &str| v[key].as_f64().unwrap_or(f64::NAN);
    for m in &machine {
        println!(
            "   {} threads: triad {:.1} GB/s",
            m["threads"],
            number(m, "triad_gb_per_s")
        );
    }
    println!(
        "   cells      threads  grid s  set-up ns/cell  solve ns/cell  iterations  ns/cell/iteration  sweep GB/s  bytes/cell"
    );
    for r in &rows {
        let per_cell = |key| 1e9 * number(r, key) / number(r, "cells");
        println!(
            "   {:<10} {:<8} {:<7.2} {:<15.0} {:<14.0} {:<11} {:<18.1} {:<11.1} {:.0}",
            r["cells"].to_string(),
            r["threads"].to_string(),
            number(r, "grid_s"),
            per_cell("setup_s"),
            per_cell("solve_s"),
            r["iterations"].to_string(),
            per_cell("solve_s") / number(r, "iterations"),
            number(r, "sweep_gb_per_s"),
            number(r, "bytes_per_cell"),
        );
    }
    let folder = w.target.join("bench");
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display()), "mend its permissions"))
    };
    let picture = picture(&rows);
    let all = serde_json::json!({ "machine": machine, "sizes": rows });
    write(
        "scaling.json",
        serde_json::to_string_pretty(&all).unwrap_or_default() + "\n",
    )?;
    write("scaling.svg", picture)
}

/// Nanoseconds a cell of set-up and solve over the number of cells, both logarithmic.
fn picture(rows: &[Value]) -> String {
    let (left, right, top, bottom) = (70.0, 600.0, 30.0, 340.0);
    let x = |cells: f64| left + (right - left) * ((cells.log10() - 4.5) / 2.5).clamp(0.0, 1.0);
    let y = |ns: f64| bottom - (bottom - top) * ((ns.log10() - 1.0) / 3.0).clamp(0.0, 1.0);
    let mut svg = String::from(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 760 400' font-family='sans-serif' font-size='13'>\n\
         <rect width='760' height='400' fill='white'/>\n",
    );
    for ns in [10.0, 100.0, 1e3, 1e4] {
        let _ = writeln!(
            svg,
            "<path d='M{left} {0:.1}H{right}' stroke='#ddd'/><text x='{1}' y='{2:.1}' text-anchor='end'>{ns}</text>",
            y(ns),
            left - 6.0,
            y(ns) + 4.0
        );
    }
    for (cells, name) in [(1e5, "100,000"), (1e6, "1 million"), (1e7, "10 million")] {
        let _ = writeln!(
            svg,
            "<path d='M{0:.1} {top}V{bottom}' stroke='#ddd'/><text x='{0:.1}' y='{1}' text-anchor='middle'>{name}</text>",
            x(cells),
            bottom + 18.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x='335' y='385' text-anchor='middle'>cells</text><text x='70' y='20'>nanoseconds a cell</text>"
    );
    let curves = [
        ("solve_s", 1, "solve, 1 thread", "#1f5fa8", ""),
        ("solve_s", 2, "solve, 2 threads", "#1f5fa8", "6 4"),
        ("setup_s", 1, "set-up, 1 thread", "#b5521b", ""),
        ("setup_s", 2, "set-up, 2 threads", "#b5521b", "6 4"),
    ];
    for (key, threads, name, colour, dash) in curves {
        let points: Vec<(f64, f64)> = rows
            .iter()
            .filter(|r| r["threads"] == threads)
            .filter_map(|r| Some((r["cells"].as_f64()?, r[key].as_f64()?)))
            .map(|(cells, s)| (x(cells), y(1e9 * s / cells)))
            .collect();
        let line: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(
            svg,
            "<polyline points='{}' fill='none' stroke='{colour}' stroke-width='2' stroke-dasharray='{dash}'/>",
            line.join(" ")
        );
        if let Some((x, y)) = points.last() {
            let _ = writeln!(
                svg,
                "<text x='{:.1}' y='{:.1}' fill='{colour}'>{name}</text>",
                x + 8.0,
                y + 4.0
            );
        }
    }
    svg + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_program_itself_is_counted() {
        let profile = "events: Ir\nob=(1) /lib/libm.so\nfn=(1) exp\n5 100\nob=(2) /x/kernels\nfn=(2) solve\n7 30\n+1 12\n\
                       cob=(1)\ncfn=(1)\ncalls=3 5\n* 100\n9 8\nob=(1)\nfn=(3) sin\n4 9\ntotals: 159\n";
        assert_eq!(own_instructions(profile, Path::new("/x/kernels")), 50);
    }

    #[test]
    fn growth_beyond_the_allowance_is_a_fault() {
        let stored = serde_json::json!({ "a": 100, "b": 100 });
        let found = |a, b| BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]);
        assert!(growth(&stored, &found(103, 90)).is_empty());
        assert_eq!(growth(&stored, &found(104, 0)).len(), 2);
        assert_eq!(growth(&serde_json::json!({}), &found(1, 1)).len(), 2);
    }
}
