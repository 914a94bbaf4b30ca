//! The whole procedure through the program: by itself, by a script, in a dialogue, killed and gone on with.

mod common;

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use common::folder;
use neurotome_io::session_log;
use serde_json::Value;

/// A case that is quick to compute: coarse cells, a small plan.
const QUICK: &str = r#"
title = "A quick one"

[procedure]
candidates = 12
draws = 20
fit_solves = 2
verified = 0
people = 50

[drive]
set_temperature_c = 80
hold_s = 20

[solver]
cell_size = 2.0
"#;

fn neurotome(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_neurotome"));
    command.args(args).env_remove("NEUROTOME_TEST_DATA");
    command
}

fn fed(args: &[&str], lines: &str) -> Output {
    let mut child = neurotome(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child
        .stdin
        .take()
        .expect("a pipe")
        .write_all(lines.as_bytes())
        .expect("the program reads");
    child.wait_with_output().expect("the program ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn quick(dir: &Path) -> String {
    let path = dir.join("quick.toml");
    fs::write(&path, QUICK).expect("the scenario is written");
    path.display().to_string()
}

#[test]
fn a_procedure_runs_by_itself() {
    let dir = folder("whole");
    let out = dir.join("results");
    let done = neurotome(&["simulate", &quick(&dir), "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let told = text(&done.stdout);
    for part in [
        "assessment: eligible",
        "L3 medial branch right",
        "twitch",
        "lesion:",
        "not a medical device",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    let summary: Value = serde_json::from_slice(&fs::read(out.join("summary.json")).unwrap()).unwrap();
    for nerve in summary["nerves"].as_array().unwrap() {
        assert_eq!(nerve["lesions"], 1, "{nerve}");
        assert!(nerve["destroyed_mm"].as_f64().unwrap() > 2.0, "{nerve}");
    }
    assert!(summary["dose"]["air_kerma_mgy"].as_f64().unwrap() > 0.0);
    assert_eq!(summary["relief_50_after_a_year"].as_array().unwrap().len(), 5);

    let log = out.join("session.jsonl");
    // The folder is known as an earlier run's; nothing else may be overwritten.
    let again = [
        "simulate",
        "--operator",
        "no-such-script",
        "--out",
        out.to_str().unwrap(),
    ];
    let done = neurotome(&again).output().unwrap();
    assert!(text(&done.stderr).contains("no-such-script"), "{}", text(&done.stderr));

    // A log that was changed is refused. (That it replays is looked at with the release build.)
    let changed = fs::read_to_string(&log)
        .unwrap()
        .replace("\"grams\"", "")
        .replacen("0.05", "0.06", 1);
    fs::write(&log, changed).unwrap();
    let again = neurotome(&["replay", log.to_str().unwrap()]).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    assert!(
        text(&again.stderr).contains("a hash that does not follow"),
        "{}",
        text(&again.stderr)
    );
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_lesion_is_left_and_gone_on_with() {
    let dir = folder("left");
    let scenario = quick(&dir);
    let log = dir.join("session.jsonl");
    let log = log.to_str().unwrap();
    // Asleep, so that the heat at a nerve that is not numb moves nobody.
    let first = "\
assess
sedate deep
mark -42.8,90.1,-37.6 because the plan is left out here
next 2
mark -42.8,90.1,-37.6 because the plan is left out here
enter 18G-10mm-straight towards -28.3,31.7,3.6 because this is a test
advance 55
heat 80 20 for 5 because this is a test
";
    let done = fed(&["run", &scenario, "--log", log], first);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let told = text(&done.stdout);
    assert!(told.contains("5 s of the lesion; it goes on"), "{told}");
    assert!(told.contains("OVERRIDDEN: [no-impedance]"), "{told}");
    // Another process goes on with it; the lesion is computed again up to there.
    let done = fed(&["run", "--log", log], "advance 2\nwait 5\nstatus\nstop\n");
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let told = text(&done.stdout);
    assert!(told.contains("going on with"), "{told}");
    assert!(told.contains("10 s of the lesion; it goes on"), "{told}");
    assert!(told.contains("stopped after 10 s"), "{told}");
    assert!(text(&done.stderr).contains("a lesion runs"), "{}", text(&done.stderr));
    // In one go the same bytes come out.
    let again = neurotome(&["replay", log]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_dialogue_bears_mistakes() {
    let dir = folder("dialogue");
    let scenario = quick(&dir);
    let log = dir.join("a.jsonl");
    let log = log.to_str().unwrap();
    let lines = "\
help advance
prepare pad
asses
assess
advance
next?
locks heat
prepare pad
undo
undo 77
status
quit
assess
";
    let done = fed(&["run", &scenario, "--log", log], lines);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let (told, wrong) = (text(&done.stdout), text(&done.stderr));
    assert!(told.contains("push the needle on"), "{told}");
    assert!(told.contains("[not-assessed]"), "{told}");
    assert!(told.contains("[no-lateral-view]"), "{told}");
    assert!(told.contains("plan\n"), "{told}");
    assert!(wrong.contains("there is no command \"asses\""), "{wrong}");
    assert!(wrong.contains("`advance` takes one word"), "{wrong}");
    assert!(wrong.contains("to step 77"), "{wrong}");
    let logged = session_log::read(Path::new(log)).unwrap();
    // What was refused by an interlock is in the record; what could not be understood is not.
    assert_eq!(logged.entries.len(), 4);
    // A log is never overwritten by another scenario.
    let done = fed(&["run", &scenario, "--log", log], "");
    assert_eq!(done.status.code(), Some(2));
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_script_that_is_wrong_is_named_by_its_line() {
    let dir = folder("script");
    let scenario = quick(&dir);
    let script = dir.join("operator.txt");
    let out = dir.join("results");
    let run = |lines: &str| {
        fs::write(&script, lines).unwrap();
        let args = [
            "simulate",
            &scenario,
            "--operator",
            script.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ];
        neurotome(&args).output().unwrap()
    };
    let done = run("assess\n# a remark\ncut deeper\n");
    assert_eq!(done.status.code(), Some(2));
    assert!(
        text(&done.stderr).contains("operator.txt, line 3"),
        "{}",
        text(&done.stderr)
    );
    let done = run("assess\nadvance 10\n");
    assert_eq!(done.status.code(), Some(2));
    assert!(
        text(&done.stderr).contains("line 2, `advance 10`"),
        "{}",
        text(&done.stderr)
    );
    assert!(!out.exists());
    let lesion = neurotome(&[
        "simulate",
        "scenarios/bipolar.toml",
        "--operator",
        script.to_str().unwrap(),
    ])
    .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
    .output()
    .unwrap();
    assert_eq!(lesion.status.code(), Some(2));
    assert!(
        text(&lesion.stderr).contains("no [procedure]"),
        "{}",
        text(&lesion.stderr)
    );
    fs::remove_dir_all(&dir).unwrap();
}

/// Steps that are quick, in an order that can go on forever.
fn step(k: usize) -> String {
    match k % 6 {
        0 => "assess".to_owned(),
        1 => "prepare prone".to_owned(),
        2 => "view ap".to_owned(),
        3 => format!("mark {},90.1,-37.6 because a test", -40.0 - (k % 5) as f64),
        4 => "sedate light".to_owned(),
        _ => "arm 10 5".to_owned(),
    }
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let kills: u32 = std::env::var("NEUROTOME_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(8);
    let dir = folder("killed");
    let scenario = quick(&dir);
    let log = dir.join("session.jsonl");
    let (mut acknowledged, mut given) = (0usize, 0usize);
    // A small generator of numbers: the delays only have to differ.
    let mut bits = 12345u64;
    for kill in 0..kills {
        let mut command = neurotome(&["run", "--log", log.to_str().unwrap()]);
        if kill == 0 {
            command.arg(&scenario);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut input = child.stdin.take().expect("a pipe");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        bits = bits.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let last = 1 + (bits >> 33) as usize % 12;
        let pause = Duration::from_micros((bits >> 20) % 3000);
        let mut line = String::new();
        for _ in 0..last {
            let _ = writeln!(input, "{}", step(given));
            given += 1;
            // Entries begin with a time; what follows is indented.
            loop {
                line.clear();
                assert!(output.read_line(&mut line).expect("lines") > 0, "the program ended");
                let time = |w: &str| w.matches(':').count() == 2;
                if !line.starts_with(' ') && line.split_whitespace().next().is_some_and(time) {
                    acknowledged += 1;
                    break;
                }
            }
        }
        // One more is on its way when the end comes.
        let _ = writeln!(input, "{}", step(given));
        std::thread::sleep(pause);
        child.kill().expect("it can be killed");
        let _ = child.wait();
        let logged = session_log::read(&log).expect("a log that can be read");
        let kept = logged.entries.len();
        assert!(
            kept == acknowledged || kept == acknowledged + 1,
            "{acknowledged} acknowledged, {kept} kept after {} kills",
            kill + 1
        );
        acknowledged = kept;
    }
    assert!(acknowledged as u32 >= kills);
    fs::remove_dir_all(&dir).unwrap();
}
