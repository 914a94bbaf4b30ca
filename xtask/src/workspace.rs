//! The workspace as Cargo sees it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::process;
use crate::steps::Failure;

/// Folders and packages of the workspace.
pub struct Workspace {
    /// The repository's root.
    pub root: PathBuf,
    /// Where Cargo builds.
    pub target: PathBuf,
    /// The output of `cargo metadata --no-deps`.
    pub metadata: Value,
}

impl Workspace {
    /// Asks Cargo.
    pub fn load() -> Result<Self, Failure> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().unwrap_or(manifest).to_path_buf();
        let metadata = cargo_metadata(&root.join("Cargo.toml"))?;
        let target = PathBuf::from(text(&metadata, "target_directory"));
        Ok(Self { root, target, metadata })
    }

    /// A Cargo command at the root, without standard input.
    pub fn cargo(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo_program());
        command.current_dir(&self.root).args(args);
        command
    }

    /// The folder for scratch output of the checks, emptied.
    pub fn fresh_folder(&self, name: &str) -> Result<PathBuf, Failure> {
        let folder = self.target.join("xtask").join(name);
        let trouble = |e: std::io::Error| {
            Failure::new(
                format!("cannot make an empty folder {}: {e}", folder.display()),
                "free space or mend permissions in the target folder",
            )
        };
        match std::fs::remove_dir_all(&folder) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(trouble(e)),
            _ => {}
        }
        std::fs::create_dir_all(&folder).map_err(trouble)?;
        Ok(folder)
    }
}

/// The Cargo that runs us.
fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Our own packages as `cargo metadata --no-deps` tells them.
pub fn cargo_metadata(manifest: &Path) -> Result<Value, Failure> {
    let mut command = Command::new(cargo_program());
    command
        .args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"])
        .arg(manifest);
    let out = process::output(&mut command)?;
    serde_json::from_slice(&out).map_err(|e| {
        Failure::new(
            format!("cargo metadata wrote unreadable JSON: {e}"),
            "run it by hand to see",
        )
    })
}

/// All files below a folder, in name order.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |e: std::io::Error| {
        Failure::new(
            format!("cannot read {}: {e}", folder.display()),
            "check that the folder is there and complete",
        )
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A text member of a JSON object; empty when absent.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

/// The members of a JSON list; none when absent.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}
