//! Every step of `tutorial/` does what its README says.
//!
//! The test reads five kinds of fenced block from `tutorial/step-*/README.md`:
//!
//! - ```` ```toml NAME.toml ```` shows a scenario and must equal the file of that name in the step's folder;
//! - ```` ```toml expected ```` states numbers. The scenario is run and each number compared.
//! - ```` ```toml spine ```` states numbers of `spine.json` as `neurotome spine` writes it for a scenario.
//! - ```` ```toml command ```` states values of the JSON that a command of the text prints, some of them with more options.
//! - ```` ```toml workshop ```` lists commands that are run one after the other in a folder of their own, with files of the step's folder, each
//!   of which the text shows as ```` ```text NAME ````; some state values of the JSON that they print.

use std::path::{Path, PathBuf};

use neurotome_io::catalog;
use neurotome_io::scenario::{self, Loaded, Source};
use neurotome_procedure::lesion;
use neurotome_testkit::{Tolerance, close};
use serde::Deserialize;

/// What a README promises of one scenario.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    scenario: String,
    numbers: Vec<Number>,
}

/// One number: where it stands in the result, and how near it must be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Number {
    /// Time of the snapshot in s; without it, `quantity` is a member of the evidence.
    at_s: Option<f64>,
    /// Names joined by dots, as in the output of `neurotome lesion --json`.
    quantity: String,
    value: f64,
    tolerance: f64,
}

/// What a README promises of one patient.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patient {
    scenario: String,
    options: Vec<String>,
    numbers: Vec<Named>,
}

/// One number of a named member of a list.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    list: String,
    name: String,
    quantity: String,
    value: f64,
    tolerance: f64,
}

/// What a README promises of one command.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    /// Its arguments; it is run from the root of the repository and asked for JSON.
    command: Vec<String>,
    values: Vec<Value>,
}

/// One value: its place in the JSON as a pointer (RFC 6901); numbers have a tolerance.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Value {
    at: String,
    is: serde_json::Value,
    #[serde(default)]
    tolerance: f64,
}

/// Commands run one after the other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Workshop {
    /// Files of the step's folder that they need.
    files: Vec<String>,
    run: Vec<Run>,
}

/// One of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    command: Vec<String>,
    #[serde(default)]
    values: Vec<Value>,
}

fn steps() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tutorial");
    let mut steps: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the tutorial folder can be read")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.is_dir())
        .collect();
    steps.sort();
    steps
}

/// The labels and contents of the fenced TOML blocks.
fn blocks(readme: &str) -> Vec<(String, String)> {
    fenced(readme, "```toml ")
}

/// The labels and contents of the fenced blocks that open so.
fn fenced(readme: &str, opening: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if let Some(label) = line.strip_prefix(opening) {
            let body: Vec<&str> = lines.by_ref().take_while(|l| *l != "```").collect();
            found.push((label.trim().to_owned(), body.join("\n") + "\n"));
        }
    }
    found
}

fn load(path: &Path) -> Loaded {
    let source = Source::read(path).expect("the step's scenario can be read");
    let catalog = catalog::built_in().expect("the built-in catalogue is sound");
    scenario::load(&source, &catalog).unwrap_or_else(|e| panic!("{e}"))
}

fn member<'a>(mut value: &'a serde_json::Value, path: &str) -> &'a serde_json::Value {
    for name in path.split('.') {
        value = &value[name];
    }
    value
}

/// Runs the scenario and names every number that is not as promised.
fn faults(folder: &Path, expected: &Expected) -> Vec<String> {
    let mut loaded = load(&folder.join(&expected.scenario));
    // The stated error is not among the numbers, and its second run would double the time.
    loaded.problem.solver.estimate_error = false;
    let result = lesion::solve(&loaded.problem, &mut |_| true).unwrap_or_else(|e| panic!("{e}"));
    let evidence = serde_json::to_value(&result.evidence).expect("evidence can be written");
    let snapshots = serde_json::to_value(&result.snapshots).expect("snapshots can be written");
    let snapshots = snapshots.as_array().expect("snapshots are a list");
    let mut faults = Vec::new();
    for number in &expected.numbers {
        let (place, holder) = match number.at_s {
            None => ("the evidence".to_owned(), Some(&evidence)),
            Some(t) => (
                format!("{t} s"),
                snapshots
                    .iter()
                    .find(|s| s["t_s"].as_f64().is_some_and(|s| (s - t).abs() < 1e-6)),
            ),
        };
        let found = holder.and_then(|h| member(h, &number.quantity).as_f64());
        match found {
            None => faults.push(format!("{} at {place}: not in the result", number.quantity)),
            Some(found) => {
                faults.extend(
                    close(
                        &number.quantity,
                        &place,
                        found,
                        number.value,
                        Tolerance::absolute(number.tolerance),
                    )
                    .err(),
                );
            }
        }
    }
    faults
}

#[test]
fn the_numbers_in_the_tutorial_are_true() {
    let mut checked = 0;
    let mut all_faults = Vec::new();
    for folder in steps() {
        let readme = std::fs::read_to_string(folder.join("README.md")).expect("each step has a README");
        for (_, body) in blocks(&readme).iter().filter(|(label, _)| label == "expected") {
            let expected: Expected = toml::from_str(body).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
            checked += expected.numbers.len();
            all_faults.extend(faults(&folder, &expected));
        }
    }
    assert!(all_faults.is_empty(), "{}", all_faults.join("\n"));
    assert!(checked > 0, "no README of the tutorial states a number");
}

#[test]
fn the_scenarios_shown_are_the_files_run() {
    let mut checked = 0;
    for folder in steps() {
        let readme = std::fs::read_to_string(folder.join("README.md")).expect("each step has a README");
        for (name, body) in blocks(&readme)
            .iter()
            .filter(|(label, _)| Path::new(label).extension().is_some_and(|e| e == "toml"))
        {
            let file = std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(*body, file, "{}: the text and the file {name} differ", folder.display());
            assert!(
                !load(&folder.join(name)).scenario.title.is_empty(),
                "{name} has no title"
            );
            checked += 1;
        }
    }
    assert!(checked > 0, "no README of the tutorial shows its scenario");
}

#[test]
fn the_patients_in_the_tutorial_are_as_told() {
    let mut checked = 0;
    for folder in steps() {
        let readme = std::fs::read_to_string(folder.join("README.md")).expect("each step has a README");
        for (_, body) in blocks(&readme).iter().filter(|(label, _)| label == "spine") {
            let told: Patient = toml::from_str(body).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
            let out = std::env::temp_dir().join(format!("neurotome-tutorial-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&out);
            let status = std::process::Command::new(env!("CARGO_BIN_EXE_neurotome"))
                .args(["spine", "--quiet", "--out"])
                .arg(&out)
                .arg(folder.join(&told.scenario))
                .args(&told.options)
                .status()
                .expect("the program runs");
            assert!(status.success(), "{}: {status}", folder.display());
            let json = std::fs::read_to_string(out.join("spine.json")).expect("the summary is there");
            let summary: serde_json::Value = serde_json::from_str(&json).expect("the summary is JSON");
            for number in &told.numbers {
                let list = summary[&number.list].as_array().expect("a list");
                let found = list
                    .iter()
                    .find(|e| e["name"] == number.name.as_str())
                    .and_then(|e| e[&number.quantity].as_f64())
                    .unwrap_or_else(|| panic!("{} {}: not in the summary", number.name, number.quantity));
                let tolerance = Tolerance::absolute(number.tolerance);
                close(&number.quantity, &number.name, found, number.value, tolerance).unwrap_or_else(|e| panic!("{e}"));
                checked += 1;
            }
            for name in summary["files"].as_object().expect("a table of files").keys() {
                assert!(out.join(name).is_file(), "{name}");
            }
            std::fs::remove_dir_all(&out).expect("the folder can be removed");
        }
    }
    assert!(checked > 0, "no README of the tutorial tells of a patient");
}

#[test]
fn the_commands_in_the_tutorial_say_what_is_told() {
    let mut checked = 0;
    for folder in steps() {
        let readme = std::fs::read_to_string(folder.join("README.md")).expect("each step has a README");
        for (_, body) in blocks(&readme).iter().filter(|(label, _)| label == "command") {
            let told: Told = toml::from_str(body).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
            let command = format!("neurotome {}", told.command.join(" "));
            let name = format!("neurotome {}", told.command[0]);
            assert!(
                readme.contains(&name),
                "{}: `{name}` is not in the text",
                folder.display()
            );
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_neurotome"))
                .args(&told.command)
                .args(["--quiet", "--json", "-"])
                .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
                .output()
                .expect("the program runs");
            assert!(
                output.status.success(),
                "{command}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
            agree(&command, &json, &told.values);
            checked += told.values.len();
        }
    }
    assert!(checked > 0, "no README of the tutorial tells of a command");
}

/// Compares what a command has printed with what is told.
fn agree(command: &str, json: &serde_json::Value, values: &[Value]) {
    for value in values {
        let found = json
            .pointer(&value.at)
            .unwrap_or_else(|| panic!("{command}: nothing at {}", value.at));
        match (found.as_f64(), value.is.as_f64()) {
            (Some(found), Some(told)) => {
                let tolerance = Tolerance::absolute(value.tolerance);
                close(&value.at, command, found, told, tolerance).unwrap_or_else(|e| panic!("{e}"));
            }
            _ => assert_eq!(*found, value.is, "{command}: {}", value.at),
        }
    }
}

#[test]
fn the_workshops_in_the_tutorial_can_be_followed() {
    let mut checked = 0;
    for folder in steps() {
        let readme = std::fs::read_to_string(folder.join("README.md")).expect("each step has a README");
        for (_, body) in blocks(&readme).iter().filter(|(label, _)| label == "workshop") {
            let told: Workshop = toml::from_str(body).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
            let room = std::env::temp_dir().join(format!("neurotome-workshop-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&room);
            std::fs::create_dir_all(&room).expect("a folder can be made");
            for name in &told.files {
                let file = std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
                let shown = fenced(&readme, "```text ").into_iter().find(|(label, _)| label == name);
                assert_eq!(shown.map(|s| s.1).as_ref(), Some(&file), "the text and {name} differ");
                std::fs::write(room.join(name), file).expect("the file can be written");
            }
            for run in &told.run {
                let command = format!("neurotome {}", run.command.join(" "));
                let name = format!("neurotome {}", run.command[0]);
                assert!(
                    readme.contains(&name),
                    "{}: `{name}` is not in the text",
                    folder.display()
                );
                let output = std::process::Command::new(env!("CARGO_BIN_EXE_neurotome"))
                    .args(&run.command)
                    .arg("--quiet")
                    .current_dir(&room)
                    .output()
                    .expect("the program runs");
                let error = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{command}: {error}");
                if !run.values.is_empty() {
                    let json = serde_json::from_slice(&output.stdout).expect("it prints JSON");
                    agree(&command, &json, &run.values);
                }
                checked += 1;
            }
            std::fs::remove_dir_all(&room).expect("the folder can be removed");
        }
    }
    assert!(checked > 0, "no README of the tutorial has a workshop");
}
