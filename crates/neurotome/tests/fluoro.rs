//! `neurotome fluoro` as its users start it.

mod common;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

use common::folder;

/// A small phantom, so that the patient is sampled quickly.
fn fluoro(args: &[&str]) -> Output {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/bone-half-space.toml");
    Command::new(env!("CARGO_BIN_EXE_neurotome"))
        .arg("fluoro")
        .arg(scenario)
        .args(["--pixels", "96", "--spacing", "5"])
        .args(args)
        .output()
        .expect("the program starts")
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_threads() {
    let dir = folder("fluoro-bytes");
    let picture = |name: &str, more: &[&str]| {
        let out = dir.join(name);
        let path = out.to_string_lossy().into_owned();
        let mut args = vec!["--view", "oblique-right", "--out", &path];
        args.extend(more);
        let output = fluoro(&args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(out).unwrap()
    };
    let one = picture("one.png", &["--threads", "1"]);
    assert_eq!(one, picture("two.png", &["--threads", "2"]));
    assert_ne!(one, picture("three.png", &["--seed", "2"]));
    assert_ne!(one, picture("four.png", &["--no-needle"]));
    let cine = picture("cine.dcm", &["--frames", "3"]);
    assert_eq!(cine, picture("cine2.dcm", &["--frames", "3", "--threads", "1"]));
    assert_eq!(&cine[128..132], b"DICM");
    // Three frames of 96² pixels of 16 bits, and not much else.
    assert!((3 * 96 * 96 * 2..3 * 96 * 96 * 2 + 4096).contains(&cine.len()));
    let integrals = picture("integrals.npy", &[]);
    assert_eq!(&integrals[1..6], b"NUMPY");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn the_tip_is_in_the_middle_and_the_dose_is_told() {
    let dir = folder("fluoro-json");
    let out = dir.join("view.png").to_string_lossy().into_owned();
    let output = fluoro(&["--view", "ap", "--frames", "8", "--json", "--out", &out]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tip = &told["needle_tips_pixel"][0];
    for a in 0..2 {
        assert!((tip[a].as_f64().unwrap() - 47.5).abs() < 1e-6, "{tip}");
    }
    assert_eq!(told["dose"]["frames"], 8);
    assert_eq!(told["dose"]["screening_s"], 1.0);
    assert!(told["dose"]["air_kerma_mgy"].as_f64().unwrap() > 0.0);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_cannot_be_shown_is_told() {
    for (args, expected) in [
        (&["--view", "scotty"][..], "oblique-right"),
        (&["--orbital", "170"], "beyond the machine's travel"),
        (&["--target", "1,2"], "3 numbers"),
        (&["--kv", "300"], "outside of the tabulated spectra"),
        (&["--collimate", "0,50"], "above zero"),
        (&["--zoom", "0.5"], "1 to 16"),
        (&["--pulses", "100"], "1 to 30"),
        (&["--out", "view.bmp"], ".png"),
        (&["--window", "2"], "2 numbers"),
        (&["--window", "2,0"], "above zero"),
        (&["--contrast", "50"], "at most 20"),
        (&["--level", "L4"], "vertebrae of bone-half-space.toml are not known"),
    ] {
        let output = fluoro(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(expected), "{args:?}: {message}");
    }
}

/// A picture that shows nothing says why.
#[test]
fn black_pictures_are_explained() {
    let dir = folder("fluoro-black");
    let out = dir.join("view.png").to_string_lossy().into_owned();
    for (args, expected) in [
        (&["--table", "250,0,0", "--zoom", "4"][..], "the view misses the volume"),
        (&["--window", "40,1"], "the window runs from"),
        (&["--collimate", "2,2"], "open the collimator"),
    ] {
        let mut all = args.to_vec();
        all.extend(["--out", &out]);
        let output = fluoro(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let message = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(message.contains(expected), "{args:?}: {message}");
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn needle_carm_and_contrast_move_and_end_where_they_are_told() {
    let dir = folder("fluoro-moving");
    let last = |name: &str, more: &[&str]| {
        let out = dir.join(name);
        let path = out.to_string_lossy().into_owned();
        let mut args = vec!["--plain", "--frames", "6", "--out", &path];
        args.extend(more);
        let output = fluoro(&args);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let bytes = fs::read(out).unwrap();
        // Pixels of 16 bits end the file, 96² a frame.
        let pixels = &bytes[bytes.len() - 6 * 96 * 96 * 2..];
        (pixels[..96 * 96 * 2].to_vec(), pixels[5 * 96 * 96 * 2..].to_vec())
    };
    let (first, end) = last("still.dcm", &[]);
    assert_eq!(first, end);
    for (name, more) in [
        ("needle.dcm", &["--advance", "40"][..]),
        ("carm.dcm", &["--turn", "20"]),
        ("contrast.dcm", &["--contrast", "1"]),
    ] {
        let (begin, _) = last(name, more);
        let (_, finish) = last(&format!("again-{name}"), more);
        assert_ne!(begin, finish, "{name}");
    }
    fs::remove_dir_all(dir).unwrap();
}

/// The named views of the built-in patient belong to a vertebra, whose neck lies at the isocentre.
#[test]
fn views_of_the_built_in_patient_follow_the_level() {
    let dir = folder("fluoro-level");
    let out = dir.join("view.png").to_string_lossy().into_owned();
    let told = |level: &str| -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_neurotome"))
            .args([
                "fluoro",
                "--level",
                level,
                "--view",
                "oblique-right",
                "--spacing",
                "4",
                "--pixels",
                "64",
            ])
            .args(["--frames", "1", "--json", "--out", &out])
            .output()
            .expect("the program starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let [upper, lower] = ["L2", "L5"].map(told);
    assert_eq!(
        (upper["level"].as_str(), lower["level"].as_str()),
        (Some("L2"), Some("L5"))
    );
    let number = |told: &Value, key: &str| told[key].as_f64().unwrap();
    // Lordosis tips the upper end plates backward and the lower ones forward: the detector goes to the feet there, to the head here.
    assert!(
        number(&lower, "cranio_caudal_deg") > number(&upper, "cranio_caudal_deg") + 10.0,
        "{upper} {lower}"
    );
    assert!(upper["target_mm"][2].as_f64() > lower["target_mm"][2].as_f64());
    // The needle of the scenario lies at L5, at the right of the midline.
    assert!(lower["target_mm"][0].as_f64().unwrap() < -15.0, "{lower}");
    fs::remove_dir_all(dir).unwrap();
}
