//! `neurotome catalog`.

use std::fmt::Write as _;

use clap::Args;
use neurotome_procedure::catalog::{Cannula, Catalog, Entry, GeneratorEntry, InjuryLaw, MetalEntry, Technique, Tissue};
use serde::Serialize;
use serde_json::Value;

use super::{Common, Failure, json_text, open_catalog, print};

const KINDS: &str = "tissue, injury, cannula, metal, generator, technique, source";

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Kind of entry: tissue, injury, cannula, metal, generator, technique or source.
    kind: Option<String>,
    /// Name of one entry.
    name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Show {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let catalog = open_catalog(common)?;
        let Some(kind) = &self.kind else {
            let text = if self.json {
                json_text(&catalog)?
            } else {
                overview(&catalog)
            };
            print(&text);
            return Ok(());
        };
        let text = match kind.trim_end_matches('s') {
            "tissue" => self.kind(&catalog, &catalog.tissues)?,
            "injury" | "injurie" => self.kind(&catalog, &catalog.injury)?,
            "cannula" => self.kind(&catalog, &catalog.cannulas)?,
            "metal" => self.kind(&catalog, &catalog.metals)?,
            "generator" => self.kind(&catalog, &catalog.generators)?,
            "technique" => self.kind(&catalog, &catalog.techniques)?,
            "source" => self.sources(&catalog)?,
            _ => {
                return Err(Failure::Input(format!(
                    "the catalogue has no kind \"{kind}\"; expected one of {KINDS}"
                )));
            }
        };
        print(&text);
        Ok(())
    }

    fn kind<E: Entry + Serialize>(&self, catalog: &Catalog, entries: &[E]) -> Result<String, Failure> {
        let Some(name) = &self.name else {
            if self.json {
                return json_text(&entries);
            }
            let width = entries.iter().map(|e| e.name().len()).max().unwrap_or(0);
            return Ok(entries.iter().fold(String::new(), |mut out, e| {
                let _ = writeln!(out, "{:width$}  {}", e.name(), e.title());
                out
            }));
        };
        let entry = entries.iter().find(|e| e.name() == name).ok_or_else(|| {
            Failure::Input(format!(
                "there is no {} \"{name}\"; `neurotome catalog {}` lists all",
                E::KIND,
                E::KIND
            ))
        })?;
        if self.json {
            return json_text(entry);
        }
        let mut out = format!("{} {}: {}\n", E::KIND, entry.name(), entry.title());
        for (key, v) in entry.values() {
            let mark = if v.verified { "" } else { "  (unverified)" };
            let _ = writeln!(out, "\n  {key} = {}{mark}", v.value);
            if let Some(condition) = &v.condition {
                let _ = writeln!(out, "      {condition}");
            }
            if let Some([low, high]) = v.range {
                let _ = writeln!(out, "      published range {low} to {high}");
            }
            let source = catalog.sources.get(&v.source).unwrap_or(&v.source);
            let _ = writeln!(out, "      {source}");
        }
        Ok(out)
    }

    fn sources(&self, catalog: &Catalog) -> Result<String, Failure> {
        if let Some(name) = &self.name {
            let source = catalog.sources.get(name).ok_or_else(|| {
                Failure::Input(format!(
                    "there is no source \"{name}\"; `neurotome catalog source` lists all"
                ))
            })?;
            return if self.json {
                json_text(&Value::from(source.as_str()))
            } else {
                Ok(format!("{source}\n"))
            };
        }
        if self.json {
            return json_text(&catalog.sources);
        }
        Ok(catalog.sources.iter().fold(String::new(), |mut out, (k, v)| {
            let _ = writeln!(out, "{k}\n    {v}");
            out
        }))
    }
}

fn overview(catalog: &Catalog) -> String {
    fn line<E: Entry>(out: &mut String, entries: &[E]) {
        let names: Vec<&str> = entries.iter().map(Entry::name).collect();
        let (all, verified) = entries
            .iter()
            .flat_map(Entry::values)
            .fold((0, 0), |(n, v), (_, s)| (n + 1, v + usize::from(s.verified)));
        let _ = writeln!(
            out,
            "{} ({} entries, {verified} of {all} values verified)\n  {}\n",
            E::KIND,
            entries.len(),
            names.join(", ")
        );
    }
    let mut out = String::new();
    line::<Tissue>(&mut out, &catalog.tissues);
    line::<InjuryLaw>(&mut out, &catalog.injury);
    line::<Cannula>(&mut out, &catalog.cannulas);
    line::<MetalEntry>(&mut out, &catalog.metals);
    line::<GeneratorEntry>(&mut out, &catalog.generators);
    line::<Technique>(&mut out, &catalog.techniques);
    let _ = writeln!(
        out,
        "SHA-256 {}\n`neurotome catalog KIND NAME` shows the values and their sources.",
        neurotome_io::catalog::hash(catalog)
    );
    out
}
