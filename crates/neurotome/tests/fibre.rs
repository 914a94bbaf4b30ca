//! `neurotome fibre`: its files are whole, its numbers are those of its JSON, and bad input is refused.

mod common;

use std::{
    fs,
    process::{Command, Output},
};

use common::folder;

fn fibre(options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_neurotome"))
        .arg("fibre")
        .args(options)
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_folder_holds_the_answer_and_its_pictures() {
    let dir = folder("fibre-files");
    let out_dir = dir.join("fibre");
    let shown = out_dir.display().to_string();
    let mut told = vec![];
    for threads in ["1", "2"] {
        let out = fibre(&[
            "--threads",
            threads,
            "--distance-mm",
            "1",
            "--json",
            "-",
            "--out",
            &shown,
        ]);
        assert!(out.status.success(), "{}", text(&out.stderr));
        told.push(out.stdout);
    }
    assert_eq!(told[0], told[1], "one thread and two give the same");
    let kept = fs::read(out_dir.join("fibre.json")).unwrap();
    assert_eq!(kept, told[0]);
    let answer: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(answer["sizes"], "fitted");
    let threshold = answer["threshold"]["threshold_ma"].as_f64().unwrap();
    assert!((0.06..0.09).contains(&threshold), "{threshold}");
    let listed = fs::read_to_string(out_dir.join("contents.txt")).unwrap();
    for name in ["thresholds.svg", "thresholds.png", "potential.png"] {
        assert!(listed.contains(name), "{listed}");
        assert!(fs::metadata(out_dir.join(name)).unwrap().len() > 2000, "{name}");
    }
    let svg = fs::read_to_string(out_dir.join("thresholds.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.contains("Threshold in mA against distance"));
    // Something else in the way is not overwritten.
    fs::write(out_dir.join("mine.txt"), "mine").unwrap();
    let out = fibre(&["--out", &shown]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("mine.txt"));
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn the_table_names_the_sizes_and_what_was_not_found() {
    let out = fibre(&[
        "--diameter-um",
        "3",
        "--limit-ma",
        "0.5",
        "--train",
        "50",
        "--pulses",
        "2",
    ]);
    let told = text(&out.stdout);
    assert!(out.status.success(), "{}", text(&out.stderr));
    for part in [
        "small (advised",
        "Aδ fibres",
        "not found: above 0.5 mA",
        "strength, duration   not told",
        "train                not computed",
        "not a medical device",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let out = fibre(&[
        "--geometry",
        "table",
        "--along",
        "mid",
        "--train",
        "50",
        "--pulses",
        "3",
        "--block",
        "1",
        "--block-mm",
        "6",
    ]);
    let told = text(&out.stdout);
    for part in [
        "table (fitted is advised",
        "the middle between two",
        "3 pulses at 50 Hz",
        "111  3 of 3 followed",
        "stops a spike",
        "chronaxie 0.2",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn bad_input_is_refused_with_its_name() {
    let cases: [(&[&str], &str); 14] = [
        (&["--pulse-ms", "0"], "width of the pulse"),
        (&["--pulse-ms", "nan"], "width of the pulse"),
        (&["--pulse-ms", "-1"], "width of the pulse"),
        (&["--distance-mm", "inf"], "distance"),
        (&["--step-us", "0"], "step"),
        (&["--step-us", "1e9"], "step"),
        (&["--model", "hodgkin"], "mrg (myelinated)"),
        (&["--geometry", "round"], "table, fitted or small"),
        (&["--geometry", "table", "--diameter-um", "6"], "no diameter of 6"),
        (&["--diameter-um", "nan"], "no diameter of NaN"),
        (&["--model", "sundt", "--geometry", "small"], "no sets of sizes"),
        (&["--block", "0.8"], "--block-mm"),
        (&["--block", "2", "--block-mm", "3"], "share of blocked"),
        (&["--along", "edge"], "node or mid"),
    ];
    for (options, part) in cases {
        let out = fibre(options);
        assert_eq!(out.status.code(), Some(2), "{options:?}");
        assert!(text(&out.stderr).contains(part), "{options:?}: {}", text(&out.stderr));
        assert!(out.stdout.is_empty());
    }
    let help = fibre(&["--help"]);
    assert!(help.status.success() && text(&help.stdout).contains("Examples:"));
}
