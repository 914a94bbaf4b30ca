//! What is wrong with a text file that a person wrote, and where.

use std::{fmt::Write as _, ops::Range};

use serde::de::DeserializeOwned;

/// A fault in a scenario, catalogue or record file.
///
/// `message` says what was found and what was expected, `help` what to do; `span` points into `text`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", self.summary())]
pub struct Fault {
    /// The file, as the user named it.
    pub file: String,
    /// Its text.
    pub text: String,
    /// Bytes of `text` at fault, where known.
    pub span: Option<Range<usize>>,
    /// What was found and expected.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Fault {
    /// Line of the fault, counted from 1.
    pub fn line(&self) -> Option<usize> {
        let start = self.span.as_ref()?.start.min(self.text.len());
        Some(1 + self.text.bytes().take(start).filter(|b| *b == b'\n').count())
    }

    fn summary(&self) -> String {
        let mut out = self.file.clone();
        if let Some(line) = self.line() {
            let _ = write!(out, ":{line}");
        }
        let _ = write!(out, ": {}", self.message);
        if !self.help.is_empty() {
            let _ = write!(out, "; {}", self.help);
        }
        out
    }
}

/// Reads TOML into `T`; a wrong key is answered with the right one.
pub(crate) fn parse_toml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Box<Fault>> {
    let fault = |span: Option<Range<usize>>, message: String, help: String| {
        Box::new(Fault {
            file: file.to_owned(),
            text: text.to_owned(),
            span,
            message,
            help,
        })
    };
    let syntax = |e: &toml::de::Error| {
        fault(
            e.span(),
            format!("not valid TOML: {}", e.message()),
            "correct the syntax on this line".to_owned(),
        )
    };
    let de = toml::Deserializer::parse(text).map_err(|e| syntax(&e))?;
    serde_path_to_error::deserialize(de).map_err(|e| {
        let path = e.path().to_string();
        let inner = e.inner();
        let (message, help) = explain(&path, inner.message());
        fault(inner.span(), message, help)
    })
}

/// Turns serde's message about `path` into what was found, what was expected and what to do.
fn explain(path: &str, raw: &str) -> (String, String) {
    let quoted: Vec<&str> = raw.split('`').skip(1).step_by(2).collect();
    let place = match path.rsplit_once('.') {
        Some((parent, _)) => format!(" in `{parent}`"),
        None => String::new(),
    };
    if raw.starts_with("unknown field") {
        let (found, known) = quoted.split_first().map_or(("", &[][..]), |(f, k)| (*f, k));
        let help = nearest(found, known).map_or_else(
            || format!("known keys here: {}", known.join(", ")),
            |best| {
                if best.starts_with(found) {
                    format!("did you mean `{best}`? The unit is part of the key")
                } else {
                    format!("did you mean `{best}`?")
                }
            },
        );
        return (format!("unknown key `{found}`{place}"), help);
    }
    if raw.starts_with("unknown variant") {
        let (found, known) = quoted.split_first().map_or(("", &[][..]), |(f, k)| (*f, k));
        let help = nearest(found, known).map_or_else(
            || format!("use one of: {}", known.join(", ")),
            |best| format!("did you mean \"{best}\"? Possible values: {}", known.join(", ")),
        );
        return (format!("`{path}` has the unknown value \"{found}\""), help);
    }
    if raw.starts_with("missing field") {
        let field = quoted.first().copied().unwrap_or_default();
        let place = if path == "." || path.is_empty() {
            String::new()
        } else {
            format!(" in `{path}`")
        };
        return (
            format!("the key `{field}` is missing{place}"),
            format!("add `{field} = …`"),
        );
    }
    let raw = if raw.starts_with("wanted exactly 1 element") {
        "a table where one word is expected"
    } else {
        raw
    };
    (
        format!("`{path}` is unusable: {raw}"),
        "give a value of the expected type".to_owned(),
    )
}

/// The known word nearest to `found`, when one is near enough.
pub(crate) fn nearest<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    if found.is_empty() {
        return None;
    }
    if let Some(best) = known.iter().find(|k| k.starts_with(&format!("{found}_"))) {
        return Some(best);
    }
    known
        .iter()
        .map(|k| (strsim::jaro_winkler(found, k), *k))
        .filter(|(score, _)| *score > 0.8)
        .fold(None, |best: Option<(f64, &str)>, c| match best {
            Some(b) if b.0 >= c.0 => Some(b),
            _ => Some(c),
        })
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Sample {
        set_temperature_c: f64,
        #[serde(default)]
        mode: Option<Mode>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        Voltage,
        Current,
    }

    #[test]
    fn a_key_without_its_unit_is_answered_with_the_key() {
        let fault = parse_toml::<Sample>("s.toml", "\nset_temperature = 80\n").unwrap_err();
        assert_eq!(fault.line(), Some(2));
        assert_eq!(fault.message, "unknown key `set_temperature`");
        assert!(
            fault.help.contains("did you mean `set_temperature_c`"),
            "{}",
            fault.help
        );
    }

    #[test]
    fn wrong_variant_type_and_missing_key_are_shown_at_their_line() {
        let fault = parse_toml::<Sample>("s.toml", "set_temperature_c = 80\nmode = \"voltge\"\n").unwrap_err();
        assert_eq!(fault.line(), Some(2));
        assert!(fault.help.contains("did you mean \"voltage\""), "{fault}");
        let fault = parse_toml::<Sample>("s.toml", "set_temperature_c = \"hot\"\n").unwrap_err();
        assert_eq!(fault.line(), Some(1));
        assert!(fault.message.contains("set_temperature_c"), "{fault}");
        let fault = parse_toml::<Sample>("s.toml", "mode = \"voltage\"\n").unwrap_err();
        assert!(
            fault.message.contains("the key `set_temperature_c` is missing"),
            "{fault}"
        );
        let fault = parse_toml::<Sample>("s.toml", "a = = 1\n").unwrap_err();
        assert!(fault.message.contains("not valid TOML"), "{fault}");
    }
}
