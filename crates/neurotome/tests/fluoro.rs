//! `neurotome fluoro` as its users start it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder for the test");
    dir
}

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
        (&["--spacing", "0"], "dimensions"),
        (&["--out", "view.bmp"], ".png"),
    ] {
        let output = fluoro(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(message.contains(expected), "{args:?}: {message}");
    }
    let dir = folder("fluoro-black");
    let out = dir.join("view.png").to_string_lossy().into_owned();
    let output = fluoro(&["--table", "250,0,0", "--target", "400,0,0", "--out", &out]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::remove_dir_all(dir).unwrap();
}
