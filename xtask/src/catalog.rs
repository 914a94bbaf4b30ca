//! Every literature value in `catalog/` has a unit in its key, a source and a state of verification.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table, Value};

use crate::steps::Failure;
use crate::workspace::{Workspace, files_below};

/// Last words a key may end with: a unit, or a word that says the value has none.
const UNITS: &[&str] = &[
    // length, area, volume
    "um", "mm", "cm", "m", "mm2", "cm2", "m2", "mm3", "m3", "ml", "l", // time and frequency
    "us", "ms", "s", "min", "h", "days", "weeks", "months", "hz", "khz", "mhz", // temperature, angle
    "c", "k", "deg", "rad", // electricity
    "mv", "v", "kv", "ma", "a", "mas", "ohm", "nf", "uf", "f", // mass, energy, amount, pressure
    "mg", "g", "kg", "j", "kj", "w", "kw", "mol", "mmol", "n", "pa", "kpa", "mmhg", "kev", "ev", "gy", "mgy", "ngy",
    "hu", // no unit
    "fraction", "percent", "ratio", "count", "ph", "points",
];

/// Kind whose entries are values themselves: the unit ends the entry's name, and CT numbers begin with `hu_`.
const MEASURES: &str = "spine";

/// File that holds the citations, and its one table.
const SOURCES_FILE: &str = "sources.toml";
const SOURCES_TABLE: &str = "sources";

/// Checks all of `catalog/`.
pub fn check(workspace: &Workspace) -> Result<(), Failure> {
    let files = read_folder(&workspace.root.join("catalog"))?;
    let mut report = Report::default();
    let sources = sources(&files, &mut report.faults);
    for (file, table) in files.iter().filter(|(file, _)| *file != SOURCES_FILE) {
        report.check_file(file, table, &sources);
    }
    for unused in sources.difference(&report.used_sources) {
        report
            .faults
            .push(format!("{SOURCES_FILE}: `{unused}` is cited nowhere"));
    }
    if report.values == 0 {
        report.faults.push("no value was found in catalog/".into());
    }
    if report.faults.is_empty() {
        println!(
            "   {} values from {} sources; {} verified, {} not",
            report.values,
            sources.len(),
            report.verified,
            report.values - report.verified
        );
        return Ok(());
    }
    Err(Failure::list(
        "the catalogue has faults",
        &report.faults,
        "write values as `key_UNIT = { value = …, source = \"key of sources.toml\", verified = true or false }` \
         (CONTRIBUTING.md, \"A new tissue\"; the units are listed in xtask/src/catalog.rs)",
    ))
}

#[derive(Default)]
struct Report {
    faults: Vec<String>,
    used_sources: BTreeSet<String>,
    values: usize,
    verified: usize,
}

impl Report {
    fn check_file(&mut self, file: &str, table: &Table, sources: &BTreeSet<String>) {
        for (kind, entries) in table {
            match entries.as_array() {
                Some(entries) => self.check_kind(file, kind, entries, sources),
                None => self
                    .faults
                    .push(format!("{file}: `{kind}` is not a list of entries ([[{kind}]])")),
            }
        }
    }

    fn check_kind(&mut self, file: &str, kind: &str, entries: &[Value], sources: &BTreeSet<String>) {
        let mut names = BTreeSet::new();
        for entry in entries {
            let name = entry.get("name").and_then(Value::as_str).unwrap_or("");
            let place = format!("{file}: {kind} `{name}`");
            if name.is_empty() {
                self.faults.push(format!("{file}: a {kind} has no name"));
            }
            if !names.insert(name) {
                self.faults.push(format!("{place} stands twice"));
            }
            if entry.get("title").and_then(Value::as_str).is_none_or(str::is_empty) {
                self.faults.push(format!("{place} has no title"));
            }
            if kind == MEASURES {
                self.check_measure(&place, name, entry, sources);
                continue;
            }
            for (key, value) in entry.as_table().into_iter().flatten() {
                self.check_value(&format!("{place}: `{key}`"), key, value, sources);
            }
        }
    }

    /// Texts and switches are free; whatever holds a number must be a value with its citation.
    fn check_value(&mut self, place: &str, key: &str, value: &Value, sources: &BTreeSet<String>) {
        match value {
            Value::String(_) | Value::Boolean(_) => {}
            Value::Table(fields) if fields.contains_key("value") => {
                self.check_citation(place, key, fields, sources);
            }
            Value::Table(fields) => {
                for (inner, value) in fields {
                    self.check_value(&format!("{place}.{inner}"), inner, value, sources);
                }
            }
            Value::Array(items) if items.iter().all(|i| i.is_table() || i.is_str()) => {
                for item in items {
                    self.check_value(place, key, item, sources);
                }
            }
            _ => self
                .faults
                .push(format!("{place} is a bare number; it needs value, source and verified")),
        }
    }

    /// A mean, or one by level, with its citation beside it.
    fn check_measure(&mut self, place: &str, name: &str, entry: &Value, sources: &BTreeSet<String>) {
        let Some(fields) = entry.as_table() else { return };
        if !(has_unit(name) || name.starts_with("hu_")) {
            self.faults.push(format!("{place} does not end in a unit"));
        }
        let means: Vec<&Value> = match (fields.get("value"), fields.get("by_level").and_then(Value::as_table)) {
            (Some(value), None) => vec![value],
            (None, Some(levels)) => levels.values().collect(),
            _ => Vec::new(),
        };
        if means.is_empty() || !means.iter().all(|v| is_number(v)) {
            self.faults
                .push(format!("{place} needs value or by_level, finite numbers"));
        }
        self.check_source(place, fields, sources, means.len());
    }

    fn check_citation(&mut self, place: &str, key: &str, fields: &Table, sources: &BTreeSet<String>) {
        if !has_unit(key) {
            self.faults.push(format!("{place} does not end in a unit"));
        }
        if fields.get("value").is_none_or(|v| !is_number(v)) {
            self.faults.push(format!(
                "{place} has a value that is not a finite number or a list of them"
            ));
        }
        self.check_source(place, fields, sources, 1);
    }

    /// The source and state of verification of `count` values.
    fn check_source(&mut self, place: &str, fields: &Table, sources: &BTreeSet<String>, count: usize) {
        self.values += count;
        match fields.get("source").and_then(Value::as_str) {
            None => self.faults.push(format!("{place} has no source")),
            Some(source) if !sources.contains(source) => {
                self.faults
                    .push(format!("{place} cites `{source}`, which is not in {SOURCES_FILE}"));
            }
            Some(source) => {
                self.used_sources.insert(source.to_owned());
            }
        }
        match fields.get("verified").and_then(Value::as_bool) {
            None => self
                .faults
                .push(format!("{place} does not say whether it was verified")),
            Some(verified) => self.verified += if verified { count } else { 0 },
        }
    }
}

fn has_unit(key: &str) -> bool {
    key.rsplit('_')
        .next()
        .is_some_and(|last| UNITS.contains(&last) && last.len() < key.len())
}

fn is_number(value: &Value) -> bool {
    match value {
        Value::Integer(_) => true,
        Value::Float(v) => v.is_finite(),
        Value::Array(items) => !items.is_empty() && items.iter().all(is_number),
        _ => false,
    }
}

fn sources(files: &BTreeMap<String, Table>, faults: &mut Vec<String>) -> BTreeSet<String> {
    let table = files
        .get(SOURCES_FILE)
        .and_then(|t| t.get(SOURCES_TABLE))
        .and_then(Value::as_table);
    if table.is_none() {
        faults.push(format!("catalog/{SOURCES_FILE} has no table [{SOURCES_TABLE}]"));
    }
    let mut keys = BTreeSet::new();
    for (key, citation) in table.into_iter().flatten() {
        if citation.as_str().is_none_or(|c| c.trim().is_empty()) {
            faults.push(format!("{SOURCES_FILE}: `{key}` has no citation"));
        }
        keys.insert(key.clone());
    }
    keys
}

/// Every TOML file below `folder`, by its path relative to it.
fn read_folder(folder: &Path) -> Result<BTreeMap<String, Table>, Failure> {
    let mut files = BTreeMap::new();
    for path in files_below(folder)?
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
    {
        let unreadable =
            |e: &dyn std::fmt::Display| Failure::new(format!("cannot read {}: {e}", path.display()), "mend that file");
        let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&e))?;
        let table = text.parse::<Table>().map_err(|e| unreadable(&e))?;
        files.insert(
            path.strip_prefix(folder)
                .unwrap_or(&path)
                .to_string_lossy()
                .into_owned(),
            table,
        );
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<String> {
        let sources = BTreeSet::from(["book".to_owned()]);
        let mut report = Report::default();
        report.check_file("t.toml", &text.parse().unwrap(), &sources);
        report.faults
    }

    #[test]
    fn a_complete_entry_passes() {
        let text = "[[tissue]]\nname = 'fat'\ntitle = 'Fat'\n\
            sigma_s_per_m = { value = 0.02, source = 'book', verified = true, condition = '37 °C' }\n\
            range_mm = { value = [1.0, 2], source = 'book', verified = false }\n";
        assert_eq!(faults(text), Vec::<String>::new());
    }

    #[test]
    fn measures_of_the_spine_carry_their_citation_themselves() {
        let measure = |name: &str, rest: &str| {
            faults(&format!(
                "[[spine]]\nname = '{name}'\ntitle = 'A'\nverified = true\n{rest}\n"
            ))
            .join("; ")
        };
        assert_eq!(measure("a_mm", "source = 'book'\nsd = 1.0\nvalue = 2"), "");
        assert_eq!(measure("hu_fat", "source = 'book'\nby_level = { L1 = 2.0 }"), "");
        assert!(measure("a", "source = 'book'\nvalue = 2").contains("unit"));
        assert!(measure("a_mm", "source = 'book'").contains("value or by_level"));
        assert!(measure("a_mm", "source = 'book'\nby_level = { L1 = nan }").contains("value or by_level"));
        assert!(measure("a_mm", "source = 'rumour'\nvalue = 2").contains("rumour"));
    }

    #[test]
    fn each_missing_part_is_named() {
        let entry = |line: &str| faults(&format!("[[tissue]]\nname = 'fat'\ntitle = 'Fat'\n{line}\n")).join("; ");
        assert!(entry("k_c = 3").contains("bare number"));
        assert!(entry("sigma = { value = 1.0, source = 'book', verified = true }").contains("unit"));
        assert!(entry("a_mm = { value = 'x', source = 'book', verified = true }").contains("not a finite number"));
        assert!(entry("a_mm = { value = nan, source = 'book', verified = true }").contains("not a finite number"));
        assert!(entry("a_mm = { value = 1, verified = true }").contains("no source"));
        assert!(entry("a_mm = { value = 1, source = 'rumour', verified = true }").contains("rumour"));
        assert!(entry("a_mm = { value = 1, source = 'book' }").contains("verified"));
        assert!(faults("[[t]]\nname = 'a'\ntitle = 'A'\n[[t]]\nname = 'a'\ntitle = 'A'\n")[0].contains("twice"));
    }
}
