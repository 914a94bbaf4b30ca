//! Project chores as one small program: `cargo xtask --help`.
//!
//! Start with [`suite`], the list of steps of `cargo xtask test`. Each check is one module, named after what it checks.

mod bench;
mod catalog;
mod fuzz;
mod layers;
mod licences;
mod peers;
mod process;
mod python;
mod rust_text;
mod sensitivity;
mod stated_error;
mod steps;
mod suite;
mod tools;
mod validate;
mod workspace;

use std::process::ExitCode;

use steps::Failure;
use workspace::Workspace;

const HELP: &str = "\
cargo xtask: the project's chores

  cargo xtask test              everything that must hold before a change is merged (run this)
  cargo xtask test --list       the steps of it, by name
  cargo xtask test --only STEP  one step; may be given several times
  cargo xtask test --from STEP  that step and all after it

  cargo xtask check-layers      who depends on whom; no files, clocks or chance in the physics
  cargo xtask check-catalog     every literature value has a unit, a source and a state of verification
  cargo xtask check-licences    every dependency may be used and comes from the crates registry

  cargo xtask bench             counts the kernels' instructions against benches/counts.json (--update rewrites it)
  cargo xtask bench --interactive   simulated seconds per second of a lesion that is looked at in short pieces
  cargo xtask bench --scaling   times from 47,000 cells upwards, as table and picture in target/bench
  cargo xtask peers             NGSolve and DOLFINx beside our program on one case, in minutes; table and chart in target/bench
                                (--only ours|ngsolve|dolfinx, --runs N; --update rewrites benches/peers/README.md)
  cargo xtask validate          the slow validation; rewrites validation/REPORT.md
  cargo xtask sensitivity       how far uncertain inputs move the comparisons with experiments (half an hour);
                                rewrites validation/experiment/SENSITIVITY.md and its chart
  cargo xtask stated-error      how often the stated error covers the true one, on twenty problems (an hour; goes on where it
                                was stopped); rewrites validation/STATED_ERROR.md
  cargo xtask fuzz TARGET [--seconds N]
                                feeds a reader with made-up bytes, guided by coverage (60 s unless told)
  cargo xtask tools             installs cargo-nextest and cargo-deny into target/tools, if missing

Tests on real CT run when NEUROTOME_TEST_DATA names the folder that holds it; without it they say `skipped`.
TESTING.md tells which kind of test lives where.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<(), Failure> {
    let Some((command, rest)) = args.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    if matches!(command.as_str(), "help" | "-h" | "--help") || rest.iter().any(|a| a == "--help" || a == "-h") {
        print!("{HELP}");
        return Ok(());
    }
    let workspace = Workspace::load()?;
    match command.as_str() {
        "test" => suite::run(&workspace, rest),
        "bench" => bench::run(&workspace, rest),
        "peers" => peers::run(&workspace, rest),
        "stated-error" => no_arguments(rest).and_then(|()| stated_error::run(&workspace)),
        "validate" => no_arguments(rest).and_then(|()| validate::run(&workspace)),
        "sensitivity" => no_arguments(rest).and_then(|()| sensitivity::run(&workspace)),
        "fuzz" => fuzz::run(&workspace, rest),
        "tools" => no_arguments(rest).and_then(|()| tools::install_all(&workspace)),
        "check-layers" => no_arguments(rest).and_then(|()| layers::check(&workspace)),
        "check-catalog" => no_arguments(rest).and_then(|()| catalog::check(&workspace)),
        "check-licences" => no_arguments(rest).and_then(|()| licences::check(&workspace)),
        other => Err(Failure::new(
            format!("there is no chore called `{other}`"),
            "`cargo xtask --help` lists them",
        )),
    }
}

fn no_arguments(rest: &[String]) -> Result<(), Failure> {
    match rest.first() {
        None => Ok(()),
        Some(extra) => Err(Failure::new(
            format!("unexpected argument `{extra}`"),
            "this chore takes none; see `cargo xtask --help`",
        )),
    }
}
