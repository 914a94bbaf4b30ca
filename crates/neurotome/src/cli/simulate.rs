//! `neurotome simulate`.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use neurotome_io::{
    catalog,
    results::{ResultsOptions, RunForReport, summarise, write_results},
};

use super::{Common, Failure, json_text, open_catalog, open_scenario, print, solve};
use crate::{PROGRAM, record::Record};

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Scenario file (TOML). Default: the built-in patient.
    scenario: Option<PathBuf>,
    /// Folder for record, report, pictures and fields; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the key figures as JSON instead of the table.
    #[arg(long)]
    json: bool,
}

impl Simulate {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let catalog = open_catalog(common)?;
        let (source, loaded) = open_scenario(self.scenario.as_deref(), &catalog)?;
        let start = Instant::now();
        let result = solve::solve(&loaded.problem, common)?;
        let wall_s = start.elapsed().as_secs_f64();
        let record = Record::new(&source, &loaded, &catalog::hash(&catalog), &result);
        if let Some(folder) = &self.out {
            let text = json_text(&record)?;
            solve::check_interrupt()?;
            let title = match loaded.scenario.title.as_str() {
                "" => source.name.as_str(),
                title => title,
            };
            let run = RunForReport {
                title,
                problem: &loaded.problem,
                result: &result,
                ct: None,
                tissue_styles: None,
                record_json: &text,
                scenario_text: &source.text,
                summary: &summarise(&loaded.problem, &result),
                program: PROGRAM,
                extra_files: &[],
            };
            solve::on_threads(common.threads, || {
                write_results(folder, &run, &ResultsOptions::default())
            })?
            .map_err(|e| Failure::Input(e.to_string()))?;
        }
        if self.json {
            print(&json_text(&record.results.summary)?);
        } else if !common.quiet {
            print(&record.results.summary.table(&loaded, &result.evidence, wall_s));
            match &self.out {
                Some(folder) => print(&format!("Written to {}\n", folder.display())),
                None => print("Nothing was written; `--out DIR` keeps record, report, pictures and fields.\n"),
            }
        }
        Ok(())
    }
}
