//! `neurotome spine`: its files are read back, and bad input leaves none.

mod common;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use neurotome::{
    io::{
        markups::{landmarks, read_markups},
        volumes::{read_label_nifti, read_nifti},
    },
    procedure::anatomy::{
        Level,
        ct::{
            LabelMap, LabelMeaning,
            levels::{LevelEvidence, check_levels},
        },
    },
};

use common::folder;

fn spine(out: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_neurotome"))
        .arg("spine")
        .arg("--out")
        .arg(out)
        .args(options)
        .output()
        .expect("the program starts")
}

#[test]
fn the_files_are_read_back_and_the_same_again() {
    let dir = folder("spine-files");
    let options = [
        "--sex",
        "female",
        "--seed",
        "3",
        "--spacing-mm",
        "3",
        "--no-pictures",
        "--json",
    ];
    let out = spine(&dir.join("a"), &options);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let told: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let kept = fs::read_to_string(dir.join("a/spine.json")).unwrap();
    assert_eq!(told, serde_json::from_str::<serde_json::Value>(&kept).unwrap());
    assert_eq!(told["parameters"]["sex"], "female");

    let labels = LabelMap {
        labels: read_label_nifti(&dir.join("a/labels.nii.gz")).unwrap(),
        meaning: LabelMeaning::TotalSegmentator,
    };
    let ct = read_nifti(&dir.join("a/ct.nii.gz")).unwrap();
    assert_eq!(ct.dims(), labels.labels.dims());
    let report = check_levels(&LevelEvidence {
        labels: &labels,
        parts: None,
        hu: Some(&ct),
    });
    assert_eq!(report.errors, []);
    let l4 = report.vertebra(Level::L4).unwrap();
    assert!(!l4.cut && l4.from_last_rib == Some(Level::L4), "{l4:?}");

    // Landmarks are read back by name, each near its vertebra.
    let points = landmarks(&read_markups(&dir.join("a/landmarks.mrk.json")).unwrap()).unwrap();
    assert_eq!(points.len(), 54);
    let of_l4: Vec<_> = points.iter().filter(|p| p.name.level == Level::L4).collect();
    assert!(of_l4.len() == 10 && of_l4.iter().all(|p| (p.at.vec() - l4.center.vec()).norm() < 70.0));
    let nerves = read_markups(&dir.join("a/nerves.mrk.json")).unwrap();
    assert_eq!(nerves.list.len(), told["nerves"].as_array().unwrap().len());

    // The same person again, with another number of threads, byte for byte.
    let mut again = options.to_vec();
    again.extend(["--threads", "1"]);
    assert!(spine(&dir.join("b"), &again).status.success());
    for name in told["files"].as_object().unwrap().keys() {
        assert_eq!(
            fs::read(dir.join("a").join(name)).unwrap(),
            fs::read(dir.join("b").join(name)).unwrap(),
            "{name}"
        );
    }
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn bad_input_is_named_and_leaves_nothing() {
    let dir = folder("spine-faults");
    let phantom = dir.join("phantom.toml");
    fs::write(&phantom, "[phantom]\nbackground = \"muscle\"\n[[needles]]\ncannula = \"20G-10mm-straight\"\ntip_mm = [0.0, 0.0, 0.0]\ndirection = [0.0, 0.0, -1.0]\n[drive]\nmode = \"temperature\"\nset_temperature_c = 80.0\nhold_s = 90.0\n").unwrap();
    let phantom = phantom.to_str().unwrap();
    for (options, expected) in [
        (&["--spacing-mm", "0.1"][..], "million"),
        (&["--spacing-mm", "0"], "between 0.1 and 20 mm"),
        (&["--spacing-mm", "nan"], "between 0.1 and 20 mm"),
        (&["--spacing-mm", "1,2"], "three with commas"),
        (&["--stature-cm", "20"], "`stature_cm` is 20, expected 130 to 220"),
        (&["--lordosis-deg", "nan"], "lordosis_deg"),
        (&["--slip", "S1=3"], "L1 to L5"),
        (&["--slip", "L4"], "as L4=0.5"),
        (&["--disc-loss", "L4=2"], "0 to 0.9"),
        (&["--noise-hu", "-3"], "--noise-hu -3"),
        (&["--blur-mm", "inf"], "--blur-mm inf"),
        (&["--sex", "other"], "female"),
        (&["--convex", "right"], "--scoliosis-deg"),
        (&[phantom], "expected the built-in patient"),
    ] {
        let out = spine(&dir.join("out"), options);
        let error = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{options:?}: {error}");
        assert!(error.contains(expected), "{options:?}: {error}");
        assert!(!dir.join("out").exists());
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "only the scenario is there");
    fs::remove_dir_all(&dir).unwrap();
}
