//! `neurotome faults`.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use neurotome_io::{
    campaign as files,
    plants::of_campaigns,
    results::{ExtraFile, write_files},
};
use neurotome_procedure::{
    catalog::{Entry as _, find},
    generator::{
        GeneratorError, Profile,
        campaign::{Campaign, Outcome, carry_out},
    },
};
use serde_json::json;

use super::{Common, Failure, deliver, json_text, open_catalog, print, solve};

#[derive(Debug, Args)]
pub(super) struct Faults {
    /// Campaign (TOML); without it all faults in all modes.
    campaign: Option<PathBuf>,
    /// Write every run and the matrix as JSON to FILE; `-` prints it instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write faults.json, matrix.svg and faults.html into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Faults {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let catalog = open_catalog(common)?;
        let campaign = match &self.campaign {
            Some(path) => files::read_campaign(path).map_err(failure)?,
            None => files::parse_campaign("all.toml", files::ALL).map_err(Failure::Line)?,
        };
        let entry = find(&catalog.generators, &campaign.generator).ok_or_else(|| {
            Failure::Input(format!(
                "there is no generator \"{}\"; `neurotome catalog generator` lists all",
                campaign.generator
            ))
        })?;
        let profile = Profile::from_entry(entry).map_err(|key| {
            Failure::Input(format!(
                "generator \"{}\" has no {key}, which a campaign needs; add it to the catalogue's entry",
                campaign.generator
            ))
        })?;
        let unverified = entry.values().iter().filter(|(_, v)| !v.verified).count();
        let bar = solve::stage_bar(common.quiet);
        bar.set_message("faults");
        let plants = of_campaigns().map_err(|e| Failure::Input(e.to_string()))?;
        let outcome = solve::on_threads(common.threads, || {
            carry_out(&profile, &campaign, &plants, &|| !solve::interrupted())
        })?;
        bar.finish_and_clear();
        let outcome = outcome.map_err(|e| match e {
            GeneratorError::Lesion(e) => Failure::from(e),
            other => Failure::Input(other.to_string()),
        })?;
        solve::check_interrupt()?;
        let told = json_text(&json!({
            "title": campaign.title,
            "campaign": campaign,
            "all_found": outcome.bad().is_empty(),
            "runs_with_fault": outcome.runs.len(),
            "runs_without_fault": outcome.faultless.len(),
            "false_alarms": outcome.false_alarms(),
            "bad_runs": outcome.bad().len(),
            "matrix": outcome.matrix(),
            "runs": outcome.runs,
            "faultless": outcome.faultless,
            "disclaimer": crate::DISCLAIMER,
        }))?;
        if let Some(folder) = &self.out {
            let file = |name: &str, caption: &str, text: String| ExtraFile {
                name: name.to_owned(),
                caption: caption.to_owned(),
                bytes: text.into_bytes(),
            };
            let all = [
                file("faults.json", "every run and the matrix", told.clone()),
                file(
                    "matrix.svg",
                    "faults by modes",
                    files::matrix_svg(&campaign.title, &outcome),
                ),
                file(
                    "faults.html",
                    "matrix and table of risks",
                    files::page(&campaign.title, &outcome, crate::DISCLAIMER),
                ),
            ];
            write_files(folder, &all).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if let Some(target) = &self.json {
            deliver(target, &told)?;
        }
        if !common.quiet && !printed {
            print(&table(&campaign, &outcome, unverified));
            if let Some(folder) = &self.out {
                print(&format!("Written to {}\n", folder.display()));
            }
        }
        match outcome.bad().len() {
            0 => Ok(()),
            bad => Err(Failure::Check(format!(
                "faults: {bad} runs with a fault missed, found late or by a rule not meant for it, left unsafe, or with a false alarm"
            ))),
        }
    }
}

fn failure(e: files::CampaignError) -> Failure {
    match e {
        files::CampaignError::Fault(fault) => Failure::Line(fault),
        other => Failure::Input(other.to_string()),
    }
}

fn table(campaign: &Campaign, outcome: &Outcome, unverified: usize) -> String {
    let mut out = format!(
        "{}\n\n  {:36} {:15} {:>9} {:>14} {:>9}  rules\n",
        campaign.title, "fault", "mode", "found", "latency, s", "excess,°C"
    );
    for c in outcome.matrix() {
        let rules: Vec<String> = c.rules.iter().map(|r| format!("{r:?}")).collect();
        let _ = writeln!(
            out,
            "  {:36} {:15} {:>4}/{:<4} {:>6.1} of {:<5} {:>8.1}  {}",
            c.fault.risk().words,
            c.mode.name(),
            c.good,
            c.runs,
            c.latency_s,
            c.limit_s,
            c.excess_c,
            rules.join(", ")
        );
    }
    for r in outcome.bad().iter().take(20) {
        let what = r.case.fault.map_or("no fault".to_owned(), |f| {
            format!("{} from {} s", f.kind.risk().words, f.onset_s)
        });
        let _ = writeln!(
            out,
            "  NOT GOOD: {what}, {}, {} channels, seed {}: rule {:?}, latency {:?} of {} s, {} false alarms",
            r.case.mode.name(),
            r.case.channels,
            r.case.seed,
            r.rule,
            r.latency_s,
            r.limit_s,
            r.false_alarms
        );
    }
    let _ = writeln!(
        out,
        "\n{} runs with a fault, {} without, {} false alarms, {} runs not good\n\
         Unverified values used: {unverified} of generator {} (`neurotome catalog generator {}`); times allowed and sizes of faults are this project's.\n\
         Tissue: a few shells of heat round each tip, made to try generators on.\n\n{}",
        outcome.runs.len(),
        outcome.faultless.len(),
        outcome.false_alarms(),
        outcome.bad().len(),
        campaign.generator,
        campaign.generator,
        crate::DISCLAIMER
    );
    out
}
