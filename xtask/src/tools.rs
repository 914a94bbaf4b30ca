//! Finds the optional tools, and installs them into `target/tools` when they are missing.

use std::path::PathBuf;
use std::process::Command;

use crate::process;
use crate::steps::Failure;
use crate::workspace::Workspace;

/// A Cargo subcommand from the crates registry.
pub struct Tool {
    /// Its package, also the name of its program.
    pub package: &'static str,
    /// The version installed when it is missing; one that is present is taken as it is.
    pub version: &'static str,
}

/// Runs tests in parallel, one process each.
pub const NEXTEST: Tool = Tool {
    package: "cargo-nextest",
    version: "0.9.143",
};

/// Checks licences, bans and sources of all dependencies.
pub const DENY: Tool = Tool {
    package: "cargo-deny",
    version: "0.20.2",
};

impl Tool {
    /// A command that runs the tool as Cargo would, without arguments beyond its own name; none when it is not installed.
    pub fn find(&self, workspace: &Workspace) -> Option<Command> {
        let installed = tools_folder(workspace).join("bin").join(self.package);
        [installed, PathBuf::from(self.package)]
            .into_iter()
            .find(|program| process::works(Command::new(program).args([self.subcommand(), "--version"])))
            .map(|program| {
                let mut command = Command::new(program);
                command.current_dir(&workspace.root).arg(self.subcommand());
                command
            })
    }

    /// As [`Tool::find`], and installs it first when it is missing.
    pub fn find_or_install(&self, workspace: &Workspace) -> Result<Command, Failure> {
        if let Some(command) = self.find(workspace) {
            return Ok(command);
        }
        println!(
            "   {} is missing; installing it into target/tools (minutes, once)",
            self.package
        );
        let folder = tools_folder(workspace);
        let root = folder.to_string_lossy();
        let mut install = workspace.cargo(&[
            "install",
            self.package,
            "--locked",
            "--version",
            self.version,
            "--root",
            &root,
        ]);
        let by_hand = format!(
            "check the network, then `cargo install {} --locked --version {}`",
            self.package, self.version
        );
        // Built beside the tools, so that the next installation finds nothing stale and the workspace is not rebuilt.
        install.env("CARGO_TARGET_DIR", folder.join("build"));
        process::show(&mut install, &by_hand)?;
        let _ = std::fs::remove_dir_all(folder.join("build"));
        self.find(workspace)
            .ok_or_else(|| Failure::new(format!("{} was installed but does not start", self.package), by_hand))
    }

    fn subcommand(&self) -> &'static str {
        self.package.trim_start_matches("cargo-")
    }
}

fn tools_folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}

/// Installs every optional tool that is missing.
pub fn install_all(workspace: &Workspace) -> Result<(), Failure> {
    for tool in [NEXTEST, DENY] {
        tool.find_or_install(workspace)?;
        println!("   {} is ready", tool.package);
    }
    Ok(())
}
