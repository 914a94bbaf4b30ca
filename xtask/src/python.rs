//! A virtual environment below the target folder, with the independent readers that judge our files.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;
use crate::steps::Failure;
use crate::workspace::Workspace;

/// The environment's Python, made or brought up to date when `python/requirements.txt` has changed.
pub fn environment(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let requirements = workspace.root.join("python").join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).map_err(|e| {
        Failure::new(
            format!("cannot read {}: {e}", requirements.display()),
            "restore it from git",
        )
    })?;
    let folder = workspace.target.join("python-venv");
    let python = folder.join("bin").join("python");
    let stamp = folder.join("requirements-installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) && runs(&python, "import pip") {
        return Ok(python);
    }
    if !runs(Path::new("python3"), "import sys; assert sys.version_info >= (3, 11)") {
        return Err(Failure::new(
            "python3, version 3.11 or later, is missing",
            "install it (Debian: `apt install python3 python3-venv`)",
        ));
    }
    if !runs(Path::new("python3"), "import venv, ensurepip") {
        return Err(Failure::new(
            "python3 is here, but its modules venv and ensurepip are missing",
            "install them (Debian: `apt install python3-venv`)",
        ));
    }
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    process::show(
        &mut make,
        "free space in the target folder, or mend the python3 installation",
    )?;
    let mut install = Command::new(&python);
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-deps",
            "-r",
        ])
        .arg(&requirements);
    process::show(&mut install, "check the network to the Python registry, then try again")?;
    std::fs::write(&stamp, wanted).map_err(|e| {
        Failure::new(
            format!("cannot write {}: {e}", stamp.display()),
            "free space in the target folder",
        )
    })?;
    Ok(python)
}

fn runs(python: &Path, code: &str) -> bool {
    process::works(Command::new(python).args(["-c", code]))
}
