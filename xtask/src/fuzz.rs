//! Coverage-guided fuzzing with libFuzzer on the stable toolchain.

use std::path::Path;
use std::process::Command;

use crate::process;
use crate::steps::Failure;
use crate::workspace::{Workspace, cargo_metadata, list, text};

/// What `cargo fuzz` would set, spelt with flags that stable accepts.
const INSTRUMENTATION: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1 -Cdebug-assertions";

/// Builds a target of `fuzz/` and runs it for a while, starting from its corpus.
pub fn run(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let folder = workspace.root.join("fuzz");
    let manifest = folder.join("Cargo.toml");
    let manifest_text = manifest.to_string_lossy().into_owned();
    let targets = targets(&manifest)?;
    let (target, seconds) = parse(args, &targets)?;
    let host = host_triple()?;
    let build_folder = workspace.target.join("fuzz");
    // The explicit --target keeps these flags away from build scripts and procedural macros.
    let mut build = workspace.cargo(&["build", "--release", "--manifest-path", &manifest_text, "--bin", target]);
    build
        .args(["--target", &host])
        .env("RUSTFLAGS", INSTRUMENTATION)
        .env("CARGO_TARGET_DIR", &build_folder);
    process::show(&mut build, "mend the fuzz target")?;

    // New inputs go to the target folder; the checked-in corpus is read only.
    let found = workspace.target.join("fuzz-corpus").join(target);
    let crashes = workspace.root.join("fuzz").join("artifacts").join(target);
    for made in [&found, &crashes] {
        std::fs::create_dir_all(made)
            .map_err(|e| Failure::new(format!("cannot make {}: {e}", made.display()), "free space"))?;
    }
    let mut fuzz = Command::new(build_folder.join(&host).join("release").join(target));
    fuzz.current_dir(&folder)
        .arg(format!("-max_total_time={seconds}"))
        .args(["-rss_limit_mb=2048", "-timeout=10", "-print_final_stats=1"])
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .arg(&found);
    let corpus = folder.join("corpus").join(target);
    if corpus.is_dir() {
        fuzz.arg(&corpus);
    }
    process::show(
        &mut fuzz,
        &format!(
            "the input that broke it is in fuzz/artifacts/{target}; mend the reader, then add the input to \
             fuzz/corpus/{target} so that it stays a test"
        ),
    )
}

/// Names of the programs of the fuzz workspace.
fn targets(manifest: &Path) -> Result<Vec<String>, Failure> {
    let json = cargo_metadata(manifest)?;
    Ok(list(&json, "packages")
        .iter()
        .flat_map(|p| list(p, "targets"))
        .filter(|t| list(t, "kind").iter().any(|k| k == "bin"))
        .map(|t| text(t, "name").to_owned())
        .collect())
}

/// The target and the seconds asked for.
fn parse<'a>(args: &'a [String], targets: &[String]) -> Result<(&'a str, u32), Failure> {
    let usage = || {
        format!(
            "cargo xtask fuzz TARGET [--seconds N]; the targets are {}",
            targets.join(", ")
        )
    };
    let (target, seconds) = match args {
        [target] => (target, "60"),
        [target, flag, seconds] if flag == "--seconds" => (target, seconds.as_str()),
        _ => return Err(Failure::new("expected a target and perhaps --seconds", usage())),
    };
    if !targets.contains(target) {
        return Err(Failure::new(format!("there is no fuzz target `{target}`"), usage()));
    }
    let seconds = seconds
        .parse()
        .ok()
        .filter(|s| *s > 0)
        .ok_or_else(|| Failure::new(format!("`{seconds}` is not a number of seconds above zero"), usage()))?;
    Ok((target, seconds))
}

/// The machine's own triple, as rustc names it.
fn host_triple() -> Result<String, Failure> {
    let out = process::output(Command::new("rustc").arg("-vV"))?;
    let text = String::from_utf8_lossy(&out);
    text.lines()
        .find_map(|l| l.strip_prefix("host: "))
        .map(ToOwned::to_owned)
        .ok_or_else(|| Failure::new("`rustc -vV` names no host", "reinstall the toolchain"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn target_and_seconds_are_read_and_checked() {
        let targets = strings(&["nifti", "dicom"]);
        assert_eq!(parse(&strings(&["nifti"]), &targets), Ok(("nifti", 60)));
        assert_eq!(
            parse(&strings(&["dicom", "--seconds", "5"]), &targets),
            Ok(("dicom", 5))
        );
        for wrong in [
            &["png"][..],
            &[],
            &["nifti", "--seconds", "0"],
            &["nifti", "--seconds"],
            &["nifti", "5"],
        ] {
            let failure = parse(&strings(wrong), &targets).unwrap_err().to_string();
            assert!(failure.contains("nifti, dicom"), "{failure}");
        }
    }
}
