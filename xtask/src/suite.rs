//! `cargo xtask test`: everything that must hold before a change is merged, cheapest first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::steps::{self, Failure, Step};
use crate::workspace::{Workspace, files_below};
use crate::{catalog, layers, licences, process, python, tools};

/// Runs the steps that `args` choose.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    match steps::choose(all(workspace), args)? {
        Some(chosen) => steps::run_all(&chosen),
        None => Ok(()),
    }
}

fn all(w: &Workspace) -> Vec<Step<'_>> {
    vec![
        step("format", "sources are formatted", move || format(w)),
        step(
            "layers",
            "who depends on whom; no files, clocks or chance in the physics",
            move || layers::check(w),
        ),
        step(
            "catalog",
            "every literature value has a unit, a source and a state of verification",
            move || catalog::check(w),
        ),
        step("licences", "every dependency may be used", move || licences::check(w)),
        step("clippy", "no warning of the compiler or of Clippy", move || clippy(w)),
        Step {
            name: "tests",
            about: "unit, property, convergence, integration and tutorial tests; replay of fuzz corpora",
            check: Box::new(move || tests(w)),
        },
        step("doctests", "examples in the documentation", move || doctests(w)),
        step("verify", "the program's own claims, short form", move || verify(w)),
        step(
            "replay",
            "the same bytes with 1 and 2 threads; the record replays",
            move || replay(w),
        ),
        step(
            "python",
            "independent readers agree with the files written",
            move || python::check(w),
        ),
    ]
}

fn step<'a>(name: &'static str, about: &'static str, check: impl Fn() -> Result<(), Failure> + 'a) -> Step<'a> {
    Step {
        name,
        about,
        check: Box::new(move || check().map(|()| String::new())),
    }
}

fn format(w: &Workspace) -> Result<(), Failure> {
    process::show(&mut w.cargo(&["fmt", "--all", "--check"]), "`cargo fmt --all`")
}

fn clippy(w: &Workspace) -> Result<(), Failure> {
    let args = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    process::show(
        &mut w.cargo(&args),
        "mend what Clippy names; allow a lint only with a reason beside it",
    )
}

/// Runs the tests and returns their count as the runner states it.
fn tests(w: &Workspace) -> Result<String, Failure> {
    if std::env::var_os("NEUROTOME_TEST_DATA").is_none() {
        println!("   NEUROTOME_TEST_DATA is not set: tests on real CT will say `skipped`");
    }
    let advice = "mend what failed; one test again: `cargo nextest run -E 'test(NAME)'`";
    match tools::NEXTEST.find_or_install(w) {
        Ok(mut nextest) => {
            nextest.args(["run", "--workspace", "--locked"]);
            if std::env::var_os("CI").is_some() {
                nextest.args(["--profile", "ci"]);
            }
            let lines = process::show_and_keep(&mut nextest, advice)?;
            let summary = lines
                .iter()
                .rev()
                .find_map(|l| l.split_once("Summary").map(|(_, s)| s.trim().to_owned()));
            Ok(summary.unwrap_or_default())
        }
        Err(failure) => {
            println!("   {failure}\n   going on with plain `cargo test`, which is slower");
            process::show(
                &mut w.cargo(&["test", "--workspace", "--all-targets", "--locked"]),
                advice,
            )?;
            Ok("by cargo test".into())
        }
    }
}

fn doctests(w: &Workspace) -> Result<(), Failure> {
    process::show(
        &mut w.cargo(&["test", "--workspace", "--doc", "--locked"]),
        "mend the example in the comment",
    )
}

/// The program, built for release.
pub fn program(w: &Workspace) -> Result<PathBuf, Failure> {
    let args = ["build", "--release", "--locked", "--package", "neurotome"];
    process::show(&mut w.cargo(&args), "mend the build")?;
    Ok(w.target.join("release").join("neurotome"))
}

fn verify(w: &Workspace) -> Result<(), Failure> {
    let mut verify = Command::new(program(w)?);
    process::show(
        verify.current_dir(&w.root).arg("verify"),
        "a claim of the program no longer holds; `neurotome verify --only GROUP` repeats a group of them",
    )
}

/// Where the `replay` step leaves the results of one thread.
fn results_folder(w: &Workspace) -> PathBuf {
    w.target.join("xtask").join("replay").join("threads-1")
}

fn replay(w: &Workspace) -> Result<(), Failure> {
    let program = program(w)?;
    let top = w.fresh_folder("replay")?;
    let (one, two) = (results_folder(w), top.join("threads-2"));
    simulate(w, &program, &one, "1")?;
    simulate(w, &program, &two, "2")?;
    let expected = contents(&one)?;
    let faults = differences(&expected, &contents(&two)?);
    if !faults.is_empty() {
        return Err(Failure::list(
            "the results of two threads differ from those of one",
            &faults,
            "look for a sum whose order depends on threads, a hash map, a time or a path in the output",
        ));
    }
    println!("   {} files, the same bytes with 1 and 2 threads", expected.len());
    let mut again = Command::new(&program);
    again.current_dir(&w.root).arg("replay").arg(one.join("record.json"));
    process::show(
        &mut again,
        "the record does not replay to the same figures; see which one it names",
    )?;
    // The whole procedure: computed once, and again with one and with two threads.
    let procedure = top.join("procedure");
    let mut whole = Command::new(&program);
    whole
        .current_dir(&w.root)
        .args(["simulate", "-q", "--out"])
        .arg(&procedure);
    process::show(&mut whole, "run it by hand to see what it says")?;
    let mut again = Command::new(&program);
    again
        .current_dir(&w.root)
        .arg("replay")
        .arg(procedure.join("session.jsonl"));
    process::show(
        &mut again,
        "the session does not replay to the same bytes; see which entry it names",
    )
}

/// The lesion of a needle in the built-in patient.
const LESION: &str = "scenarios/built-in.toml";

/// Makes the lesion.
fn simulate(w: &Workspace, program: &Path, out: &Path, threads: &str) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command
        .current_dir(&w.root)
        .args(["simulate", LESION, "--threads", threads, "--out"])
        .arg(out);
    process::show(&mut command, "run it by hand to see what it says")
}

/// Results of the built-in patient for other steps, made when the `replay` step has not run.
pub fn results(w: &Workspace) -> Result<PathBuf, Failure> {
    let folder = results_folder(w);
    if !folder.join("record.json").is_file() {
        simulate(w, &program(w)?, &folder, "2")?;
    }
    Ok(folder)
}

/// The bytes of all files below a folder, by relative path.
fn contents(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, Failure> {
    let mut files = BTreeMap::new();
    for path in files_below(folder)? {
        let bytes = std::fs::read(&path)
            .map_err(|e| Failure::new(format!("cannot read {}: {e}", path.display()), "mend its permissions"))?;
        files.insert(path.strip_prefix(folder).unwrap_or(&path).to_path_buf(), bytes);
    }
    Ok(files)
}

/// Names files that only one side has or whose bytes differ; an empty expectation is a fault too.
fn differences(expected: &BTreeMap<PathBuf, Vec<u8>>, found: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<String> {
    let mut faults = Vec::new();
    if expected.is_empty() {
        faults.push("no file was written".into());
    }
    for (name, bytes) in expected {
        match found.get(name) {
            None => faults.push(format!("{} is missing", name.display())),
            Some(other) if other != bytes => {
                let at = bytes.iter().zip(other).take_while(|(a, b)| a == b).count();
                faults.push(format!("{} differs from byte {at}", name.display()));
            }
            Some(_) => {}
        }
    }
    let extra = found.keys().filter(|name| !expected.contains_key(*name));
    faults.extend(extra.map(|name| format!("{} is extra", name.display())));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named() {
        let files = |list: &[(&str, &str)]| -> BTreeMap<PathBuf, Vec<u8>> {
            list.iter()
                .map(|(n, b)| (PathBuf::from(n), b.as_bytes().to_vec()))
                .collect()
        };
        let expected = files(&[("a", "same"), ("b", "12345"), ("c", "x")]);
        let found = files(&[("a", "same"), ("b", "12945"), ("d", "x")]);
        assert_eq!(
            differences(&expected, &found),
            ["b differs from byte 2", "c is missing", "d is extra"]
        );
        assert_eq!(differences(&expected, &expected), Vec::<String>::new());
        assert_eq!(differences(&files(&[]), &files(&[])), ["no file was written"]);
    }
}
