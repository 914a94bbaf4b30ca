//! Licences, bans and sources of every dependency, as `deny.toml` states them.

use crate::process;
use crate::steps::Failure;
use crate::tools;
use crate::workspace::Workspace;

/// Runs `cargo deny check licenses bans sources`. Advisories need a network beyond the registry and are left out.
pub fn check(workspace: &Workspace) -> Result<(), Failure> {
    let mut deny = tools::DENY.find_or_install(workspace)?;
    deny.args([
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ]);
    process::show(
        &mut deny,
        "choose another crate, or argue for an entry in deny.toml; `cargo deny list` shows all licences",
    )
}
