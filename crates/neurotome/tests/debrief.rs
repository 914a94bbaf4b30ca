//! `neurotome debrief` on a short lesion in one tissue.

mod common;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use common::folder;

/// A needle along z, 1.2 mm beside a straight nerve.
const SCENARIO: &str = r#"title = "Beside a nerve"

[phantom]
background = "muscle"

[[needles]]
cannula = "20G-10mm-straight"
tip_mm = [0.0, 0.0, -5.0]
direction = [0.0, 0.0, -1.0]

[drive]
mode = "temperature"
set_temperature_c = 80
hold_s = 20
cooling_s = 5

[[nerves]]
name = "branch"
points_mm = [[1.2, 0.0, -40.0], [1.2, 0.0, 40.0]]
diameter_mm = 1.0
target = true
"#;

fn neurotome(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_neurotome"))
        .args(args)
        .output()
        .expect("the program starts")
}

fn written(dir: &Path, text: &str) -> String {
    let path = dir.join("scenario.toml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn a_debriefing_tells_compares_and_draws_the_same_with_any_number_of_threads() {
    let dir = folder("debrief");
    let scenario = written(&dir, SCENARIO);
    let out = dir.join("out");
    let told = neurotome(&["debrief", &scenario, "--out", out.to_str().unwrap(), "--threads", "2"]);
    let text = String::from_utf8_lossy(&told.stdout);
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
    for expected in [
        "as it was",
        "1 mm deeper",
        "along the nerve",
        "across the nerve",
        "16 G",
        "90 °C",
        "not a medical device",
    ] {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert!(fs::read(out.join("debrief.png")).unwrap().starts_with(b"\x89PNG"));
    let written = fs::read(out.join("debrief.json")).unwrap();
    let value: Value = serde_json::from_slice(&written).unwrap();
    let variants = value["variants"].as_array().unwrap();
    assert_eq!(variants.len(), 9);
    let by = |words: &str| {
        let variant = variants.iter().find(|v| v["words"] == words).unwrap();
        variant["destroyed_difference_mm"].as_f64().unwrap()
    };
    // A long straight nerve beside it: along is as it was, across cuts less, hotter more.
    assert!(
        by("along the nerve").abs() < 0.2 && by("across the nerve") < -1.0,
        "{text}"
    );
    assert!(by("90 °C") > 0.0 && by("1 mm away from the nerve") < 0.0, "{text}");

    let one = neurotome(&["debrief", &scenario, "--json", "-", "--threads", "1"]);
    assert_eq!(one.stdout, written);
}

#[test]
fn without_a_nerve_there_is_nothing_to_debrief() {
    let dir = folder("debrief-no-nerve");
    let scenario = written(&dir, &SCENARIO.replace("target = true", "target = false"));
    let refused = neurotome(&["debrief", &scenario]);
    assert_eq!(refused.status.code(), Some(2));
    let error = String::from_utf8_lossy(&refused.stderr);
    assert!(error.contains("no nerve to be destroyed"), "{error}");
}
