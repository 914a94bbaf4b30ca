//! Histories of patients for the assessment: structured text (TOML), without anything that tells who the patient is.

use std::path::Path;

use neurotome_procedure::assessment::History;

use crate::scenario::{
    fault::{Fault, parse_toml},
    read_text, span_of,
};

/// Largest history read, bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// Most diagnostic blocks of a history.
pub const MAX_BLOCKS: usize = 64;
/// A worked example, with every key explained.
pub const EXAMPLE: &str = include_str!("../../../scenarios/histories/eligible.toml");

/// Why a history cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The file cannot be read.
    #[error(
        "history: cannot read {path}: {reason}; give the path of a history (TOML); `neurotome assess --example` prints one"
    )]
    Read {
        /// The path as given.
        path: String,
        /// Why.
        reason: String,
    },
    /// Something in the file is wrong.
    #[error("history: {0}")]
    Fault(#[from] Box<Fault>),
}

/// Reads a history from a file.
///
/// # Errors
/// [`HistoryError`].
pub fn read_history(path: &Path) -> Result<History, HistoryError> {
    let text = read_text(path, MAX_FILE_BYTES).map_err(|reason| HistoryError::Read {
        path: path.display().to_string(),
        reason,
    })?;
    let name = path
        .file_name()
        .map_or_else(|| "history.toml".to_owned(), |n| n.to_string_lossy().into_owned());
    Ok(parse_history(&name, &text)?)
}

/// Reads a history from its text; `name` is what messages call it.
///
/// # Errors
/// [`Fault`] with the line at fault.
pub fn parse_history(name: &str, text: &str) -> Result<History, Box<Fault>> {
    let history: History = parse_toml(name, text)?;
    let fault = |key: &str, message: String, help: String| {
        Box::new(Fault {
            file: name.to_owned(),
            text: text.to_owned(),
            span: span_of(text, key),
            message,
            help,
        })
    };
    if history.blocks.len() > MAX_BLOCKS {
        let n = history.blocks.len();
        return Err(fault(
            "block",
            format!("{n} diagnostic blocks, expected at most {MAX_BLOCKS}"),
            "leave out those that say nothing".to_owned(),
        ));
    }
    match history.faults().into_iter().next() {
        Some((key, found, expected)) => Err(fault(
            &key,
            format!("`{key}` is {found}, expected {expected}"),
            "correct the value".to_owned(),
        )),
        None => Ok(history),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_example_is_sound() {
        let history = parse_history("example.toml", EXAMPLE).unwrap();
        assert!(history.blocks.len() >= 2 && history.red_flags == Some(vec![]));
    }

    #[test]
    fn faults_point_at_their_line() {
        let fault = |text: &str| parse_history("h.toml", text).unwrap_err();
        let f = fault("[pain]\nduration_weeks = 20\nintensity_points = 14\n");
        assert_eq!(f.line(), Some(3));
        assert!(
            f.message
                .contains("`pain.intensity_points` is 14, expected 0 to 10 points"),
            "{f}"
        );
        let f = fault("[pain]\nduration_week = 20\n");
        assert_eq!(f.line(), Some(2));
        assert!(f.help.contains("did you mean `duration_weeks`"), "{f}");
        let f = fault("[[block]]\nkind = \"medial_branch\"\njoint = \"L4-S1\"\nrelief_percent = 80\n");
        assert_eq!(f.line(), Some(3));
        let f = fault("[[block]]\nkind = \"medial\"\njoint = \"L4-L5\"\nrelief_percent = 80\n");
        assert!(f.help.contains("medial_branch"), "{f}");
        let f = fault("red_flags = [\"cancre\"]\n");
        assert!(f.help.contains("did you mean \"cancer\""), "{f}");
        let many = "[[block]]\nkind = \"medial_branch\"\njoint = \"L4-L5\"\nrelief_percent = 80\n".repeat(65);
        assert!(fault(&many).message.contains("65 diagnostic blocks"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC*") {
            let _ = parse_history("h.toml", &text);
        }

        #[test]
        fn no_number_makes_it_panic(relief in any::<f64>(), weeks in any::<f64>()) {
            let text = format!(
                "[pain]\nduration_weeks = {weeks:e}\n[[block]]\nkind = \"medial_branch\"\njoint = \"L4-L5\"\nrelief_percent = {relief:e}\n"
            );
            if let Ok(history) = parse_history("h.toml", &text) {
                prop_assert!((0.0..=100.0).contains(&history.blocks[0].relief_percent));
            }
        }
    }
}
