//! `neurotome simulate`.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use neurotome_io::{
    catalog,
    results::{ResultsOptions, RunForReport, check_target, summarise, write_results},
    scenario::{Loaded, Setting, Source},
};
use neurotome_procedure::lesion::LesionResult;

use super::{Common, Failure, json_text, open_catalog, open_scenario, print, solve};
use crate::{PROGRAM, record::Record};

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Scenario file (TOML). Default: the built-in patient.
    scenario: Option<PathBuf>,
    /// Folder for record, report, pictures and fields; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR", default_value = "results")]
    out: PathBuf,
    /// Print the key figures as JSON instead of the table.
    #[arg(long)]
    json: bool,
}

impl Simulate {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        check_target(&self.out).map_err(|e| Failure::Input(e.to_string()))?;
        let catalog = open_catalog(common)?;
        let (source, loaded) = open_scenario(self.scenario.as_deref(), &catalog)?;
        let start = Instant::now();
        let result = solve::solve(&loaded.problem, common)?;
        let wall_s = start.elapsed().as_secs_f64();
        let record = Record::new(&source, &loaded, &catalog::hash(&catalog), &result);
        write_folder(&self.out, &source, &loaded, &result, &record, common)?;
        if self.json {
            print(&json_text(&record.results.summary)?);
        } else if !common.quiet {
            print(&record.results.summary.table(&loaded, &result.evidence, wall_s));
            print(&format!("Written to {}\n", self.out.display()));
        }
        Ok(())
    }
}

/// Writes the results folder of a run, whole or not at all.
pub(super) fn write_folder(
    folder: &Path,
    source: &Source,
    loaded: &Loaded,
    result: &LesionResult,
    record: &Record,
    common: &Common,
) -> Result<(), Failure> {
    let text = json_text(record)?;
    solve::check_interrupt()?;
    let title = match loaded.scenario.title.as_str() {
        "" => source.name.as_str(),
        title => title,
    };
    let run = RunForReport {
        title,
        problem: &loaded.problem,
        result,
        ct: match &loaded.setting {
            Setting::Image(ct) => Some(ct),
            Setting::BuiltIn(_) | Setting::Phantom => None,
        },
        tissue_styles: None,
        record_json: &text,
        scenario_text: &source.text,
        summary: &summarise(&loaded.problem, result),
        program: PROGRAM,
        extra_files: &[],
    };
    solve::on_threads(common.threads, || {
        write_results(folder, &run, &ResultsOptions::default())
    })?
    .map(|_| ())
    .map_err(|e| Failure::Input(e.to_string()))
}
