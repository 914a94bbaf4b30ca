//! The program as its users start it: what it prints, what it refuses, how it ends.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use common::folder;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn neurotome(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_neurotome"))
        .args(args)
        .env_remove("NEUROTOME_TEST_DATA")
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_teaches_and_names_the_exit_codes() {
    let out = neurotome(&["--help"]);
    assert_eq!(out.status.code(), Some(0));
    let help = text(&out.stdout);
    for expected in [
        "simulate",
        "lesion",
        "fluoro",
        "plan",
        "spine",
        "replay",
        "verify",
        "schema",
        "catalog",
        "Examples:",
        "130",
        "not a medical device",
    ] {
        assert!(help.contains(expected), "{expected} is not in {help}");
    }
    for command in [
        "simulate", "lesion", "fluoro", "plan", "spine", "replay", "verify", "schema", "catalog",
    ] {
        let out = neurotome(&[command, "--help"]);
        assert!(text(&out.stdout).contains("Example"), "{command}");
    }
}

#[test]
fn bad_input_ends_with_2_and_shows_the_line() {
    let dir = folder("bad-input");
    let path = dir.join("wrong.toml");
    fs::write(
        &path,
        "[phantom]\nbackground = \"muscle\"\n\n[drive]\nset_temperature = 80\nhold_s = 90\n",
    )
    .unwrap();
    let out = neurotome(&["lesion", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(2));
    let error = text(&out.stderr);
    for expected in [
        "unknown key `set_temperature`",
        "did you mean `set_temperature_c`",
        "wrong.toml:5",
        "set_temperature = 80",
    ] {
        assert!(error.contains(expected), "{expected} is not in {error}");
    }
    assert!(out.stdout.is_empty());

    for (args, expected) in [
        (&["lesion", "no-such-file.toml"][..], "cannot read no-such-file.toml"),
        (&["lesion"], "SCENARIO"),
        (
            &["verify", "--only", "everything"],
            "expected one of analytic, convergence, crosscode",
        ),
        (&["catalog", "spoon"], "expected one of tissue"),
        (&["catalog", "tissue", "muscel"], "there is no tissue"),
        (&["simulate", "--catalog", "no-such-folder"], "no-such-folder"),
        (&["replay", "Cargo.toml"], "cannot use the record"),
        (&["simulate", "--threads", "0"], "1..=1024"),
    ] {
        let out = neurotome(args);
        assert_eq!(out.status.code(), Some(2), "{args:?}");
        let error = text(&out.stderr);
        assert!(error.contains(expected), "{args:?}: {error}");
    }
}

#[test]
fn schema_and_catalogue_are_printed() {
    let out = neurotome(&["schema"]);
    let on_disk = fs::read_to_string(root().join("docs/scenario.schema.json")).unwrap();
    assert_eq!(text(&out.stdout), on_disk);
    let schema: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert!(schema["properties"]["drive"].is_object());

    let out = neurotome(&["catalog", "tissue", "muscle"]);
    let shown = text(&out.stdout);
    assert!(
        shown.contains("sigma_s_per_m = 0.439") && shown.contains("(unverified)"),
        "{shown}"
    );
    let out = neurotome(&["catalog", "cannula", "20G-10mm-straight", "--json"]);
    let cannula: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(cannula["active_tip_mm"]["value"], 10.0);
    assert!(text(&neurotome(&["catalog"]).stdout).contains("SHA-256"));
}

/// A second of heating on a coarse grid.
fn small_scenario(dir: &Path) -> String {
    let path = dir.join("small.toml");
    fs::write(
        &path,
        "title = \"small\"\n[phantom]\nbackground = \"muscle\"\n[domain]\nhalf_mm = [25, 25, 25]\n[[needles]]\n\
         cannula = \"18G-5mm-straight\"\ntip_mm = [0, 0, 0]\ndirection = [0, 0, -1]\n[drive]\nmode = \"power\"\npower_w = 4\n\
         heating_s = 1\ncooling_s = 0.5\n[[probes]]\nname = \"side\"\nposition_mm = [1.5, 0, 2.5]\n[output]\ntimes_s = [0.5]\n\
         [solver]\ncell_size = 4\nstep_tolerance_k = 1\nestimate_error = false\n",
    )
    .unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_lesion_is_printed_as_json() {
    let dir = folder("small-lesion");
    let out = neurotome(&["lesion", &small_scenario(&dir), "--json", "-"]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let lesion: Value = serde_json::from_slice(&out.stdout).unwrap();
    let times = lesion["times"].as_array().unwrap();
    let t_s: Vec<f64> = times.iter().map(|t| t["t_s"].as_f64().unwrap()).collect();
    assert_eq!(t_s, [0.5, 1.0, 1.5]);
    let power = times[1]["power_w"].as_f64().unwrap();
    assert!((power - 4.0).abs() < 0.05, "{power} W");
    assert!(
        times[1]["probes"]["side"].as_f64().unwrap() > 38.0,
        "{}",
        times[1]["probes"]
    );
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_run_is_written_whole_and_replays() {
    let dir = folder("small-run");
    let results = dir.join("results");
    let out = neurotome(&["simulate", &small_scenario(&dir), "--out", results.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let table = text(&out.stdout);
    assert!(
        table.contains("peak power") && table.contains("not a medical device"),
        "{table}"
    );
    let path = results.join("record.json");
    let record = fs::read_to_string(&path).unwrap();
    assert!(
        !record.contains(dir.to_str().unwrap()),
        "the record names a path of this machine"
    );

    let out = neurotome(&["replay", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let mut wrong: Value = serde_json::from_str(&record).unwrap();
    wrong["results"]["curves"]["power_w"][0] = 1.0.into();
    fs::write(&path, wrong.to_string()).unwrap();
    let out = neurotome(&["replay", path.to_str().unwrap()]);
    assert_eq!(out.status.code(), Some(1));
    let error = text(&out.stderr);
    assert!(
        error.contains("first difference at results.curves.power_w[0]: recorded 1.0"),
        "{error}"
    );
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_plan_that_cannot_be_made_says_why() {
    let scenario = root().join("scenarios/bipolar.toml");
    let right = ["plan", "--side", "right"];
    for (args, expected) in [
        (vec!["--joint", "L4-S1"], "expected two neighbouring vertebrae"),
        (
            vec!["--joint", "L4-L5", "--cannula", "20G"],
            "there is no cannula \"20G\"",
        ),
        (vec!["--joint", "L4-L5", "--cannula", "20G-10mm-curved"], "has a bend"),
        (
            vec!["--joint", "L4-L5", "--length-mm", "-1"],
            "above 0 and at most 50 mm",
        ),
        (
            vec!["--joint", "L4-L5", scenario.to_str().unwrap()],
            "or give a scenario of the built-in patient",
        ),
    ] {
        let out = neurotome(&[&right[..], &args].concat());
        let error = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {error}");
        assert!(error.contains(expected), "{expected} is not in {error}");
        assert!(out.stdout.is_empty());
    }
}

#[test]
fn a_plan_writes_a_folder_whose_scenarios_can_be_computed() {
    let dir = folder("plan");
    let out_dir = dir.join("plan");
    let coarse = dir.join("coarse.toml");
    fs::write(
        &coarse,
        "[[needles]]\ncannula = \"20G-10mm-straight\"\n\n[drive]\nset_temperature_c = 80\nhold_s = 20\n\n\
         [solver]\ncell_size = 2\nestimate_error = false\n",
    )
    .unwrap();
    let out = neurotome(&[
        "plan",
        coarse.to_str().unwrap(),
        "--joint",
        "L4-L5",
        "--side",
        "right",
        "--cannula",
        "20G-10mm-straight",
        "--candidates",
        "40",
        "--draws",
        "50",
        "--fit",
        "4",
        "--verify",
        "0",
        "--length-mm",
        "4",
        "--out",
        out_dir.to_str().unwrap(),
    ]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let table = text(&out.stdout);
    for expected in [
        "L3 medial branch right",
        "L4 medial branch right",
        "across it",
        "root mean square",
    ] {
        assert!(table.contains(expected), "{expected} is not in {table}");
    }
    let plan: Value = serde_json::from_str(&fs::read_to_string(out_dir.join("plan.json")).unwrap()).unwrap();
    assert_eq!(plan["nerves"][1]["nerve"], "L4 medial branch right");
    let picture = fs::read(out_dir.join("l4-medial-branch-right.png")).unwrap();
    assert_eq!(&picture[1..4], b"PNG");
    // 3D Slicer gets the needle from the skin to its tip.
    let markups = neurotome_io::markups::read_markups(&out_dir.join("plan.mrk.json")).unwrap();
    let names: Vec<&str> = markups.list.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(
        names[2..],
        ["L4 medial branch right 20G-10mm-straight", "L4 medial branch right"]
    );
    let tip = &plan["nerves"][1]["best"][0]["pose"]["tip_mm"];
    for a in 0..3 {
        assert!((markups.list[2].points[1].at.xyz[a] - tip[a].as_f64().unwrap()).abs() < 1e-6);
    }
    // The scenario computes as it stands, and its needle is the plan's.
    let scenario = out_dir.join("l4-medial-branch-right.toml");
    let result = neurotome(&["lesion", scenario.to_str().unwrap(), "--json", "-"]);
    assert_eq!(result.status.code(), Some(0), "{}", text(&result.stderr));
    let written = fs::read_to_string(&scenario).unwrap();
    let best = &plan["nerves"][1]["best"][0];
    assert!(written.contains(best["device"].as_str().unwrap()), "{written}");
    let x = best["entry_mm"][0].as_f64().unwrap();
    assert!(written.contains(&x.to_string()), "{x} is not in {written}");
    fs::remove_dir_all(&dir).unwrap();
}
