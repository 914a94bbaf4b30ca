//! `neurotome debrief`.

use std::{path::PathBuf, time::Instant};

use clap::Args;
use neurotome_io::{
    report::debrief_bars,
    results::{ExtraFile, check_target, write_files},
    scenario::Loaded,
};
use neurotome_procedure::{
    catalog::Catalog,
    debrief::{self, Change, Debrief, DebriefError, thicknesses, usual_changes},
    lesion::LesionProblem,
};
use serde::Serialize;

use super::{Common, Failure, deliver, json_text, open_catalog, open_scenario, print, solve};

#[derive(Debug, Args)]
pub(super) struct DebriefCommand {
    /// Scenario file (TOML) with one needle and a nerve to be destroyed. Default: the built-in patient.
    scenario: Option<PathBuf>,
    /// Folder for debrief.json and the picture; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the debriefing as JSON to FILE; `-` prints it instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What is written as JSON.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    debrief: &'a Debrief,
    unverified: &'a [neurotome_io::scenario::Notice],
    disclaimer: &'static str,
}

impl DebriefCommand {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        if let Some(folder) = &self.out {
            check_target(folder).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let catalog = open_catalog(common)?;
        let (_, loaded) = open_scenario(self.scenario.as_deref(), &catalog)?;
        let start = Instant::now();
        let made = debriefed(&catalog, &loaded, common)?;
        let wall_s = start.elapsed().as_secs_f64();
        let text = json_text(&Told {
            debrief: &made,
            unverified: &loaded.notices,
            disclaimer: crate::DISCLAIMER,
        })?;
        if let Some(folder) = &self.out {
            let files = [
                ExtraFile {
                    name: "debrief.json".to_owned(),
                    caption: "the lesion as it was and with each change".to_owned(),
                    bytes: text.clone().into_bytes(),
                },
                ExtraFile {
                    name: "debrief.png".to_owned(),
                    caption: "length of nerve destroyed as it was and with each change".to_owned(),
                    bytes: debrief_bars(&made).map_err(|e| Failure::Input(e.to_string()))?,
                },
            ];
            solve::check_interrupt()?;
            write_files(folder, &files).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if let Some(target) = &self.json {
            solve::check_interrupt()?;
            deliver(target, &text)?;
        }
        if !common.quiet && !printed {
            print(&debrief::table(&made));
            print(&format!(
                "{} values used are unverified; `neurotome simulate` names them.\n{}\n\ndebriefed in {wall_s:.0} s\n",
                loaded.notices.len(),
                crate::DISCLAIMER
            ));
            if let Some(folder) = &self.out {
                print(&format!("Written to {}\n", folder.display()));
            }
        }
        Ok(())
    }
}

fn debriefed(catalog: &Catalog, loaded: &Loaded, common: &Common) -> Result<Debrief, Failure> {
    made(
        &loaded.problem,
        &usual_changes(&loaded.problem, &thicknesses(catalog)),
        common,
    )
}

/// A debriefing with a bar that shows how far it is.
pub(super) fn made(problem: &LesionProblem, changes: &[Change], common: &Common) -> Result<Debrief, Failure> {
    let bar = solve::stage_bar(common.quiet);
    bar.set_message("solving");
    let made = solve::on_threads(common.threads, || {
        debrief::debrief(problem, changes, &mut |p| {
            bar.set_length(p.of as u64);
            bar.set_position(p.done as u64);
            !solve::interrupted()
        })
    })?;
    bar.finish_and_clear();
    made.map_err(|e| match e {
        DebriefError::Lesion { error, .. } => error.into(),
        DebriefError::Cancelled => Failure::Interrupted(e.to_string()),
        e => Failure::Input(e.to_string()),
    })
}
