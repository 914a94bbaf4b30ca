//! `neurotome stimulate`: answers, pictures, bad input.

mod common;

use std::path::PathBuf;
use std::process::{Command, Output};

use common::folder;

fn stimulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_neurotome"))
        .arg("stimulate")
        .args(arguments)
        .output()
        .expect("the program runs")
}

fn json(arguments: &[&str]) -> serde_json::Value {
    let output = stimulate(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

/// A needle in uniform tissue with a nerve beside it.
fn scenario(folder: &std::path::Path, nerves: &str) -> PathBuf {
    std::fs::create_dir_all(folder).expect("a folder");
    let path = folder.join("nerve.toml");
    let text = format!(
        "[phantom]\nbackground = \"ligament\"\n[[needles]]\ncannula = \"20G-10mm-straight\"\ntip_mm = [0, 0, 0]\ndirection = [0, 0, -1]\n\
         [drive]\nmode = \"temperature\"\nset_temperature_c = 80\nhold_s = 10\n{nerves}"
    );
    std::fs::write(&path, text).expect("a file");
    path
}

#[test]
fn a_folder_holds_answers_and_pictures() {
    let work = folder("stimulate-folder");
    let nerves = "[[nerves]]\nname = \"pain\"\npoints_mm = [[2, -30, 5], [2, 30, 5]]\ndiameter_mm = 1\ntarget = true\n\
                  [[nerves]]\nname = \"leg\"\npoints_mm = [[-9, -30, 5], [-9, 30, 5]]\ndiameter_mm = 3\n";
    let path = scenario(&work, nerves);
    let out = work.join("out");
    let (file, target) = (path.to_str().expect("a path"), out.to_str().expect("a path"));
    let arguments = [
        file,
        "--out",
        target,
        "--map",
        "axial",
        "--map-count",
        "3",
        "--map-half",
        "2",
        "--quiet",
    ];
    let output = stimulate(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in ["recruitment.png", "muscles.png", "threshold_map.png"] {
        let bytes = std::fs::read(out.join(name)).expect("a picture");
        assert!(bytes.starts_with(b"\x89PNG"), "{name}");
    }
    let text = std::fs::read_to_string(out.join("stimulation.json")).expect("the answers");
    let found: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(found["sensory"]["nerves"][0]["nerve"], "pain");
    assert_eq!(found["map"]["points"].as_array().expect("places").len(), 9);
    // The nearer nerve answers first, and the same question has the same answer.
    let amplitude = |n: usize| found["motor"]["answers"][n]["amplitude"].as_f64().expect("a threshold");
    assert!(amplitude(0) < amplitude(1));
    let again = json(&[file, "--json", "-", "--threads", "1"]);
    assert_eq!(again["motor"]["answers"], found["motor"]["answers"]);
    // A second run may replace the first, another folder's content is safe.
    assert!(stimulate(&arguments).status.success());
    let taken = stimulate(&[file, "--out", work.to_str().expect("a path")]);
    assert_eq!(taken.status.code(), Some(2));
    std::fs::remove_dir_all(&work).expect("the folder can be removed");
}

#[test]
fn sedation_silences_the_patient_and_not_his_muscles() {
    let deep = json(&["--sedation", "deep", "--json", "-"]);
    let all = deep["sensory"]["answers"].as_array().expect("answers");
    assert!(all.iter().all(|a| a["amplitude"].is_null()));
    assert!(deep["motor"]["answers"][0]["amplitude"].is_f64());
    assert_eq!(deep["card"]["questions"][0]["finding"], "doubtful");
    assert_eq!(deep["card"]["lesion_here"], false);
}

#[test]
fn an_anaesthetic_silences_the_pain_and_not_the_muscle() {
    let scenarios = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let numbed = scenarios.join("numbed.toml");
    let before = json(&["--json", "-"]);
    let after = json(&[numbed.to_str().expect("a path"), "--json", "-"]);
    let of = |found: &serde_json::Value, test: &str, answer: &str| {
        let all = found[test]["answers"].as_array().expect("answers").clone();
        let own = all.into_iter().find(|a| a["target"] == true && a["answer"] == answer);
        own.expect("an answer")["amplitude"].as_f64().unwrap_or(f64::INFINITY)
    };
    let pain = |found| of(found, "sensory", "concordant_pain");
    assert!(
        pain(&after) > 10.0 * pain(&before),
        "{} {}",
        pain(&after),
        pain(&before)
    );
    // Beyond the drug the nerve to the muscle is as it was.
    assert!(of(&after, "motor", "twitch") < 3.0 * of(&before, "motor", "twitch"));
    // Salt water conducts better than tissue.
    let ohm = |found: &serde_json::Value| found["circuit"]["tissue_ohm"].as_f64().expect("a resistance");
    assert!(ohm(&after) < 0.9 * ohm(&before));
}

#[test]
fn current_and_phases_and_width_change_the_thresholds() {
    let of = |arguments: &[&str]| {
        let mut all = vec!["--json", "-"];
        all.extend(arguments);
        json(&all)["motor"]["answers"][0]["amplitude"]
            .as_f64()
            .expect("a threshold")
    };
    let long = of(&["--current"]);
    let short = of(&["--current", "--pulse-ms", "0.1"]);
    let both = of(&["--current", "--pulse-ms", "0.1", "--biphasic"]);
    assert!(short > 1.5 * long, "{short} {long}");
    assert!(both > short, "{both} {short}");
}

#[test]
fn wrong_input_is_told() {
    let work = folder("stimulate-wrong");
    let none = scenario(&work, "");
    let none = none.to_str().expect("a path");
    let curve = "[[nerves]]\nname = \"far\"\npoints_mm = [[45, -30, 5], [45, 30, 5]]\ndiameter_mm = 1\ntarget = true\n";
    let far = scenario(&work.join("far"), curve);
    let far = far.to_str().expect("a path");
    for (arguments, told) in [
        (vec!["--pulse-ms", "0"], "pulse"),
        (vec!["--pulse-ms", "9"], "0.1 to 3 ms"),
        (vec!["--pulse-ms", "nan"], "pulse"),
        (vec!["--rate-hz", "1000"], "rate"),
        (vec!["--shift", "1,2"], "--shift 1,2"),
        (vec!["--shift", "1,2,x"], "three numbers"),
        (vec!["--shift", "1,2,999"], "100 mm"),
        (vec!["--map", "axial", "--map-count", "1"], "2 to 101"),
        (vec!["--map", "axial", "--map-half", "-3"], "reach of the map"),
        (vec![none], "has no nerves"),
        (vec!["--shift", "0,60,0"], "outer boundary"),
        (vec![far], "no nerve within 30 mm"),
        (vec!["missing.toml"], "missing.toml"),
    ] {
        let output = stimulate(&arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(told), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    std::fs::remove_dir_all(&work).expect("the folder can be removed");
}
