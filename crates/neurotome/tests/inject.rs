//! `neurotome inject`: its files are read back and feed a lesion; bad input leaves none.

mod common;

use std::{
    fs,
    process::{Command, Output},
};

use neurotome::io::volumes::read_nifti;

use common::folder;

fn neurotome(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_neurotome"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

const PHANTOM: &str = "title = \"numbed\"\nperfusion = \"off\"\n[phantom]\nbackground = \"muscle\"\n[domain]\nhalf_mm = [40, 40, 40]\n\
    [[needles]]\ncannula = \"20G-10mm-straight\"\ntip_mm = [0, 0, 0]\ndirection = [0, 0, -1]\n[drive]\nmode = \"voltage\"\nvoltage_v = 15\nheating_s = 2\n\
    [[nerves]]\nname = \"a nerve\"\npoints_mm = [[2, 0, -30], [2, 0, 30]]\ndiameter_mm = 1\ntarget = true\n\
    [solver]\ncell_size = 2\nestimate_error = false\n";

#[test]
fn the_files_are_read_back_and_feed_a_lesion() {
    let dir = folder("inject-files");
    let scenario = dir.join("phantom.toml");
    fs::write(&scenario, PHANTOM).unwrap();
    let scenario = scenario.to_str().unwrap();
    let out = dir.join("out");
    let options = [
        "inject",
        scenario,
        "--percent",
        "1",
        "--wait-s",
        "60",
        "--cell-mm",
        "1",
        "--out",
        out.to_str().unwrap(),
        "--json",
        "-",
    ];
    let run = neurotome(&options);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let told: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let kept = fs::read_to_string(out.join("inject.json")).unwrap();
    assert_eq!(told, serde_json::from_str::<serde_json::Value>(&kept).unwrap());
    assert_eq!(told["dose"]["dose_mg"], 5.0);
    let nerve = &told["nerves"][0];
    assert!(nerve["name"] == "a nerve" && (nerve["distance_mm"].as_f64().unwrap() - 2.0).abs() < 0.05);
    let last = nerve["times"].as_array().unwrap().last().unwrap();
    assert!(last["conducting"][3].as_f64().unwrap() < 0.05, "{last}");
    for picture in ["section.png", "block.png"] {
        assert!(
            fs::read(out.join(picture)).unwrap().starts_with(b"\x89PNG"),
            "{picture}"
        );
    }
    // The amounts in the images are what was injected.
    let share = read_nifti(&out.join("share.nii.gz")).unwrap();
    let sum: f64 = share.data().iter().map(|v| f64::from(*v)).sum();
    assert!((sum / 500.0 - 1.0).abs() < 0.01, "{sum} mm³");
    let concentration = read_nifti(&out.join("concentration.nii.gz")).unwrap();
    let most = concentration.data().iter().copied().fold(0.0, f32::max);
    assert!(most > 30.0 && most < 37.0, "{most}");
    assert!(!dir.join("out/.unfinished").exists());

    // The same lesion from [anaesthetic] and from the file.
    let lesion = |name: &str, keys: &str| -> serde_json::Value {
        let path = dir.join(name);
        fs::write(&path, format!("{keys}\n{PHANTOM}")).unwrap();
        let run = neurotome(&["lesion", path.to_str().unwrap(), "--json", "-"]);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        serde_json::from_slice(&run.stdout).unwrap()
    };
    let ohm = |v: &serde_json::Value| {
        v["times"].as_array().unwrap().last().unwrap()["impedance_ohm"]
            .as_f64()
            .unwrap()
    };
    let computed = ohm(&lesion(
        "a.toml",
        "anaesthetic = { percent = 1, wait_s = 60, cell_mm = 1 }",
    ));
    let given = ohm(&lesion(
        "b.toml",
        "injectate = { sigma_s_per_m = 1.8, share_path = \"out/share.nii.gz\" }",
    ));
    let dry = ohm(&lesion("c.toml", ""));
    assert!(computed < 0.95 * dry, "{computed} {dry}");
    assert!((computed / given - 1.0).abs() < 0.01, "{computed} {given}");

    // With another number of threads, byte for byte.
    let again = dir.join("again");
    let mut options = options.to_vec();
    options[9] = again.to_str().unwrap();
    options.extend(["--threads", "1"]);
    assert!(neurotome(&options).status.success());
    for entry in fs::read_dir(&out).unwrap() {
        let name = entry.unwrap().file_name();
        assert_eq!(
            fs::read(out.join(&name)).unwrap(),
            fs::read(again.join(&name)).unwrap(),
            "{}",
            name.display()
        );
    }
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn the_table_tells_of_the_dose_and_of_a_fluid_without_a_drug() {
    let dir = folder("inject-table");
    let scenario = dir.join("phantom.toml");
    fs::write(&scenario, PHANTOM).unwrap();
    let scenario = scenario.to_str().unwrap();
    let told = |options: &[&str]| {
        let mut all = vec![
            "inject",
            scenario,
            "--cell-mm",
            "1.2",
            "--follow-s",
            "60",
            "--wait-s",
            "10",
        ];
        all.extend(options);
        let run = neurotome(&all);
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    let text = told(&["--volume-ml", "3", "--body-mass-kg", "10"]);
    assert!(
        text.contains("60 mg of lidocaine is more than the largest dose of 45 mg"),
        "{text}"
    );
    assert!(
        text.contains("unverified values used") && text.contains("not a medical device"),
        "{text}"
    );
    let text = told(&["--agent", "saline"]);
    assert!(
        text.starts_with("0.5 ml of saline at 1 ml/min") && !text.contains("dose"),
        "{text}"
    );
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_wheal_numbs_the_skin_where_the_needle_goes_in() {
    let run = neurotome(&[
        "inject",
        "--tip",
        "skin",
        "--percent",
        "1",
        "--cell-mm",
        "1",
        "--follow-s",
        "120",
        "--json",
        "-",
    ]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let told: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let wheal = &told["wheal"];
    let numb = wheal["numb_diameter_mm"].as_f64().unwrap();
    assert!(wheal["depth_mm"] == 1.5 && (5.0..30.0).contains(&numb), "{wheal}");
    assert_eq!(told["at_heating"], serde_json::Value::Null);
    // The nerve, some centimetres deeper, feels nothing of it.
    let nerve = &told["nerves"][0];
    assert!(nerve["distance_mm"].as_f64().unwrap() > 20.0);
    assert_eq!(nerve["times"].as_array().unwrap().last().unwrap()["conducting"][3], 1.0);
}

#[test]
fn bad_input_is_named_and_leaves_nothing() {
    let dir = folder("inject-faults");
    let scenario = dir.join("phantom.toml");
    fs::write(&scenario, PHANTOM).unwrap();
    let scenario = scenario.to_str().unwrap();
    let out = dir.join("out");
    for (options, expected) in [
        (&["--agent", "novocaine"][..], "there is no agent \"novocaine\""),
        (&["--percent", "50"], "the concentration is 50 %"),
        (&["--percent", "-1"], "the concentration is -1 %"),
        (&["--agent", "water", "--percent", "1"], "holds no anaesthetic"),
        (&["--volume-ml", "0"], "the volume is 0 ml; expected 0.1 to 3"),
        (&["--volume-ml", "nan"], "the volume is NaN"),
        (&["--rate-ml-per-min", "inf"], "the rate is inf"),
        (&["--wait-s", "-5"], "--wait-s -5"),
        (&["--wait-s", "1e6"], "the wait"),
        (&["--follow-s", "1e9"], "the time followed"),
        (&["--body-mass-kg", "0"], "the mass of the body"),
        (&["--cell-mm", "0"], "the side of a cell"),
        (&["--tip", "somewhere"], "three numbers with commas"),
        (&["--tip", "1,2"], "three numbers with commas"),
        (&["--tip", "nan,0,0"], "three numbers with commas"),
        (&["--tip", "skin"], "no patient whose skin is known"),
        (&["--nerve", "optic"], "expected one of: a nerve"),
    ] {
        let mut all = vec!["inject", scenario, "--out", out.to_str().unwrap()];
        all.extend(options);
        let run = neurotome(&all);
        let error = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(2), "{options:?}: {error}");
        assert!(error.contains(expected), "{options:?}: {error}");
        assert!(!out.exists());
    }
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "only the scenario is there");
    fs::remove_dir_all(&dir).unwrap();
}
