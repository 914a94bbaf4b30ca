//! The `neurotome` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    neurotome::cli::run(std::env::args_os())
}
