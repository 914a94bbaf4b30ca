//! `neurotome lesion`.

use std::{path::PathBuf, time::Instant};

use clap::Args;

use super::{Common, Failure, deliver, json_text, open_catalog, open_scenario, print, solve};
use crate::{record::lesion_json, summary::Summary};

#[derive(Debug, Args)]
pub(super) struct Lesion {
    /// Scenario file (TOML).
    scenario: PathBuf,
    /// Write the state at the output times as JSON to FILE; `-` prints it instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Lesion {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let catalog = open_catalog(common)?;
        let (_, loaded) = open_scenario(Some(&self.scenario), &catalog)?;
        let start = Instant::now();
        let result = solve::solve(&loaded.problem, common)?;
        let wall_s = start.elapsed().as_secs_f64();
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if !common.quiet && !printed {
            print(&Summary::new(&loaded, &result).table(&loaded, &result.evidence, wall_s));
        }
        if let Some(target) = &self.json {
            let text = json_text(&lesion_json(&result))?;
            solve::check_interrupt()?;
            deliver(target, &text)?;
        }
        Ok(())
    }
}
