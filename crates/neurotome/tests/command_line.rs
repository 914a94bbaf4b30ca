//! The program as its users start it: what it prints, what it refuses, how it ends.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

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

fn folder(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder for the test");
    dir
}

#[test]
fn help_teaches_and_names_the_exit_codes() {
    let out = neurotome(&["--help"]);
    assert_eq!(out.status.code(), Some(0));
    let help = text(&out.stdout);
    for expected in [
        "simulate",
        "lesion",
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
    for command in ["simulate", "lesion", "replay", "verify", "schema", "catalog"] {
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
