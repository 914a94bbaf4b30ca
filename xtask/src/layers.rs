//! Who may depend on whom, and that the inner layers cannot reach the outside world.

use std::path::Path;

use crate::rust_text;
use crate::steps::Failure;
use crate::workspace::{Workspace, files_below, list, text};

/// The layers from the inside out: a crate may use the ones before it, never one after it.
const LAYERS: [&[&str]; 6] = [
    &["neurotome-base"],
    &["neurotome-physics"],
    &["neurotome-procedure"],
    &["neurotome-io"],
    &["neurotome"],
    &["neurotome-server", "neurotome-python"],
];

/// Crates that others may use in tests only.
const TEST_ONLY: [&str; 1] = ["neurotome-testkit"];

/// Crates that nobody may use.
const CHORES: [&str; 1] = ["xtask"];

/// The only third-party crates of the two innermost layers.
const INNER_CRATES: [&str; 7] = ["faer", "nalgebra", "pulp", "rayon", "serde", "thiserror", "wide"];

/// Layers which read no file, clock, environment or random source.
const PURE: [&str; 3] = ["base", "physics", "procedure"];

/// What a pure layer may not name, and why.
const FORBIDDEN: [(&str, &str); 15] = [
    ("std::fs", "files belong to `io`"),
    ("std::env", "settings are arguments"),
    ("std::net", "the network belongs to the doors"),
    ("std::process", "other programs belong to the doors"),
    ("std::io", "streams belong to `io`"),
    ("std::time", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("Instant", "time is an argument"),
    ("thread_rng", "seeds are arguments"),
    ("rand::rng", "seeds are arguments"),
    ("from_entropy", "seeds are arguments"),
    ("from_os_rng", "seeds are arguments"),
    ("RandomState", "its seed is random; use BTreeMap"),
    ("println", "results are returned, not printed"),
    ("eprintln", "results are returned, not printed"),
];

/// Checks the dependency direction and the sources of the pure layers.
pub fn check(workspace: &Workspace) -> Result<(), Failure> {
    let mut faults = dependency_faults(workspace);
    for layer in PURE {
        let folder = workspace.root.join("crates").join(layer).join("src");
        scan_folder(&workspace.root, &folder, &mut faults)?;
    }
    faults.extend(clippy_settings_faults(&workspace.root));
    if faults.is_empty() {
        println!("   base → physics → procedure → io → neurotome holds; the first three touch nothing outside");
        return Ok(());
    }
    Err(Failure::list(
        "the layers do not hold",
        &faults,
        "move the code to the layer where it belongs, or pass what it needs as an argument (ARCHITECTURE.md, \"Invariants\")",
    ))
}

fn layer_of(name: &str) -> Option<usize> {
    LAYERS.iter().position(|l| l.contains(&name))
}

fn dependency_faults(workspace: &Workspace) -> Vec<String> {
    let mut faults = Vec::new();
    for package in list(&workspace.metadata, "packages") {
        let name = text(package, "name");
        if layer_of(name).is_none() && !TEST_ONLY.contains(&name) && !CHORES.contains(&name) {
            faults.push(format!("crate `{name}` has no layer; add it to xtask/src/layers.rs"));
        }
        for dependency in list(package, "dependencies") {
            let in_tests = text(dependency, "kind") == "dev";
            let ours = dependency["path"].is_string();
            faults.extend(dependency_fault(name, text(dependency, "name"), in_tests, ours));
        }
    }
    faults
}

/// What is wrong with `user` depending on `used`, if anything.
fn dependency_fault(user: &str, used: &str, in_tests: bool, ours: bool) -> Option<String> {
    if !ours {
        let inner = layer_of(user).is_some_and(|l| l < 2) && !in_tests;
        return (inner && !INNER_CRATES.contains(&used)).then(|| {
            format!(
                "`{user}` uses `{used}`, but base and physics use nothing beyond {}",
                INNER_CRATES.join(", ")
            )
        });
    }
    if CHORES.contains(&used) {
        return Some(format!("`{user}` uses `{used}`, which is for chores only"));
    }
    if TEST_ONLY.contains(&used) {
        return (!in_tests).then(|| format!("`{user}` uses `{used}` outside tests; make it a dev-dependency"));
    }
    if CHORES.contains(&user) {
        return Some(format!(
            "`{user}` uses `{used}`, but the chores must build without the program"
        ));
    }
    let user_layer = if TEST_ONLY.contains(&user) {
        Some(1)
    } else {
        layer_of(user)
    };
    (user_layer <= layer_of(used)).then(|| format!("`{user}` uses `{used}`, which is not below it"))
}

fn scan_folder(root: &Path, folder: &Path, faults: &mut Vec<String>) -> Result<(), Failure> {
    let tests = |p: &Path| p.file_name().is_some_and(|n| n == "tests.rs");
    for path in files_below(folder)?
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "rs") && !tests(p))
    {
        let source = std::fs::read_to_string(&path).map_err(|e| {
            Failure::new(
                format!("cannot read {}: {e}", path.display()),
                "it must be text in UTF-8",
            )
        })?;
        let code = rust_text::without_tests(&rust_text::without_comments_and_strings(&source));
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        for (word, reason) in FORBIDDEN {
            for line in rust_text::lines_naming(&code, word) {
                faults.push(format!("{shown}:{line}: names `{word}`; {reason}"));
            }
        }
    }
    Ok(())
}

/// Every pure layer carries the same Clippy settings, which catch at compile time what the scan cannot see.
fn clippy_settings_faults(root: &Path) -> Vec<String> {
    let settings = PURE.map(|layer| std::fs::read_to_string(root.join("crates").join(layer).join("clippy.toml")).ok());
    if settings[0].is_some() && settings.iter().all(|s| *s == settings[0]) {
        Vec::new()
    } else {
        vec!["crates/{base,physics,procedure}/clippy.toml must exist and be the same".into()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_go_inwards_only() {
        assert_eq!(dependency_fault("neurotome-io", "neurotome-physics", false, true), None);
        assert!(dependency_fault("neurotome-physics", "neurotome-io", false, true).is_some());
        assert!(dependency_fault("neurotome-physics", "neurotome-io", true, true).is_some());
        assert!(dependency_fault("neurotome-io", "neurotome", false, true).is_some());
        assert_eq!(dependency_fault("neurotome-server", "neurotome", false, true), None);
        assert!(dependency_fault("neurotome-server", "neurotome-python", false, true).is_some());
    }

    #[test]
    fn the_testkit_is_for_tests() {
        assert_eq!(
            dependency_fault("neurotome-physics", "neurotome-testkit", true, true),
            None
        );
        assert!(dependency_fault("neurotome-physics", "neurotome-testkit", false, true).is_some());
        assert_eq!(
            dependency_fault("neurotome-testkit", "neurotome-base", false, true),
            None
        );
        assert!(dependency_fault("neurotome-testkit", "neurotome-physics", false, true).is_some());
    }

    #[test]
    fn the_inner_layers_stay_light() {
        assert!(dependency_fault("neurotome-base", "tokio", false, false).is_some());
        assert_eq!(dependency_fault("neurotome-base", "proptest", true, false), None);
        assert_eq!(dependency_fault("neurotome-io", "tokio", false, false), None);
    }
}
