//! A scenario as text again: what the program writes for a person to go on with.

use toml::{Table, Value};

use super::Scenario;

/// The scenario as TOML, without keys that say nothing. Reading it gives the same scenario.
///
/// # Errors
/// What the writer says: a number that is not finite, a whole number beyond 64 bits.
pub fn to_text(scenario: &Scenario) -> Result<String, String> {
    let mut table = Table::try_from(scenario).map_err(|e| e.to_string())?;
    strip(&mut table);
    toml::to_string_pretty(&table).map_err(|e| e.to_string())
}

/// Leaves out empty texts, lists and tables.
fn strip(table: &mut Table) {
    table.retain(|_, value| match value {
        Value::Table(inner) => {
            strip(inner);
            !inner.is_empty()
        }
        Value::Array(items) => {
            for item in items.iter_mut() {
                if let Value::Table(inner) = item {
                    strip(inner);
                }
            }
            !items.is_empty()
        }
        Value::String(text) => !text.is_empty(),
        _ => true,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Source, fault::parse_toml};

    #[test]
    fn a_scenario_is_the_same_after_writing_and_reading() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
        let mut met = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "toml") {
                let source = Source::read(&path).unwrap();
                let scenario: Scenario = parse_toml(&source.name, &source.text).unwrap();
                let text = to_text(&scenario).unwrap();
                let again: Scenario = parse_toml("again", &text).unwrap();
                assert_eq!(again, scenario, "{}\n{text}", source.name);
                met += 1;
            }
        }
        assert!(met > 10);
    }
}
