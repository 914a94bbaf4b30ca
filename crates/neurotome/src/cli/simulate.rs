//! `neurotome simulate`: a whole procedure, or the lesion of needles that lie already.

mod whole;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use clap::Args;
use neurotome_io::{
    catalog,
    results::{ResultsOptions, RunForReport, check_target, summarise, write_results},
    scenario::{self, Loaded, Setting, Source},
};
use neurotome_procedure::lesion::LesionResult;

use super::{Common, Failure, deliver, json_text, open_catalog, print, solve};
use crate::{PROGRAM, record::Record};

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// Scenario file (TOML). With [procedure] the whole procedure is simulated, else the lesion of its needles. Default: both nerves of the
    /// right L4-L5 joint of the built-in patient.
    scenario: Option<PathBuf>,
    /// A script of commands, one a line as in `neurotome run`, in place of the automatic operator.
    #[arg(long, value_name = "FILE")]
    operator: Option<PathBuf>,
    /// Solve what each lesion would have been otherwise (deeper, parallel, thicker, longer, hotter), for the report of a procedure.
    #[arg(long)]
    debrief: bool,
    /// Folder for record, report, pictures and fields; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR", default_value = "results")]
    out: PathBuf,
    /// Write the key figures as JSON to FILE; `-` prints them instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Simulate {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        check_target(&self.out).map_err(|e| Failure::Input(e.to_string()))?;
        let catalog = Arc::new(open_catalog(common)?);
        let source = match &self.scenario {
            Some(path) => Source::read(path)?,
            None => Source::procedure(),
        };
        let loaded = scenario::load(&source, &catalog)?;
        if loaded.scenario.procedure.is_some() {
            let asked = whole::Asked {
                debrief: self.debrief,
                operator: self.operator.as_deref(),
                out: &self.out,
                json: self.json.as_deref(),
            };
            return whole::simulate(&source, loaded, &catalog, &asked, common);
        }
        if self.operator.is_some() {
            return Err(Failure::Input(format!(
                "--operator: {} has no [procedure], so that there is nothing for an operator to do; add that table",
                source.name
            )));
        }
        let start = Instant::now();
        let result = solve::solve(&loaded.problem, common)?;
        let wall_s = start.elapsed().as_secs_f64();
        let record = Record::new(&source, &loaded, &catalog::hash(&catalog), &result);
        write_folder(&self.out, &source, &loaded, &result, &record, common)?;
        if let Some(target) = &self.json {
            deliver(target, &json_text(&record.results.summary)?)?;
        }
        if !common.quiet && self.json.as_ref().is_none_or(|p| p.as_os_str() != "-") {
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
