//! `neurotome assess`.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use neurotome_io::history;
use neurotome_procedure::{
    assessment::{Assessment, History, State, assess},
    catalog::Catalog,
};
use serde_json::json;

use super::{Common, Failure, deliver, json_text, open_catalog, print};

#[derive(Debug, Args)]
pub(super) struct Assess {
    /// History (TOML).
    #[arg(required_unless_present = "example")]
    history: Option<PathBuf>,
    /// Print a worked history to start from, and stop.
    #[arg(long, conflicts_with_all = ["history", "json"])]
    example: bool,
    /// Write the assessment as JSON to FILE; `-` prints it instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Assess {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let Some(path) = &self.history else {
            print(history::EXAMPLE);
            return Ok(());
        };
        let catalog = open_catalog(common)?;
        let history = history::read_history(path)?;
        let assessment = judged(&catalog, &history)?;
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if let Some(target) = &self.json {
            let value = json!({
                "title": history.title,
                "verdict": assessment.verdict,
                "findings": assessment.findings,
                "disclaimer": crate::DISCLAIMER,
            });
            deliver(target, &json_text(&value)?)?;
        }
        if !common.quiet && !printed {
            print(&table(&catalog, &history, &assessment));
        }
        Ok(())
    }
}

/// The judgement of a history.
pub(super) fn judged(catalog: &Catalog, history: &History) -> Result<Assessment, Failure> {
    assess(catalog, history).ok_or_else(|| {
        Failure::Input("the catalogue has no [[selection]], whose thresholds an assessment needs; add one".to_owned())
    })
}

fn mark(state: State) -> &'static str {
    match state {
        State::Met => "met",
        State::Plan => "plan",
        State::Missing => "missing",
        State::NotYet => "not yet",
        State::Against => "AGAINST",
    }
}

fn table(catalog: &Catalog, history: &History, assessment: &Assessment) -> String {
    let mut out = String::new();
    if !history.title.is_empty() {
        let _ = writeln!(out, "{}", history.title);
    }
    let _ = writeln!(out, "Assessment: {}\n", assessment.verdict);
    for f in &assessment.findings {
        let _ = writeln!(out, "  {:8} {:34} {}", mark(f.state), f.criterion, f.found);
        if f.state != State::Met {
            let _ = writeln!(out, "  {:8} expected {}\n  {:8} {}", "", f.expected, "", f.advice);
        }
    }
    let mut sources: Vec<&str> = assessment.findings.iter().map(|f| f.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    let _ = writeln!(out, "\nCriteria from");
    for s in sources {
        let _ = writeln!(out, "  {}", catalog.sources.get(s).map_or(s, String::as_str));
    }
    let recalled = assessment.findings.iter().filter(|f| !f.verified).count();
    if recalled > 0 {
        let _ = writeln!(
            out,
            "{recalled} of {} criteria were recalled and not checked against their source (`neurotome catalog selection lumbar_neurotomy`).",
            assessment.findings.len()
        );
    }
    let _ = writeln!(out, "\n{}", crate::DISCLAIMER);
    out
}
