//! `neurotome verify`.

use std::path::PathBuf;

use clap::Args;

use super::{Common, Failure, deliver, json_text, print, solve};
use crate::verify::{self, Report};

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Only this group of claims; may be given more than once. Groups: analytic, convergence, crosscode, xray, anatomy, axon, outcome,
    /// open, experiment; without this option all but the last two.
    #[arg(long, value_name = "GROUP")]
    only: Vec<String>,
    /// Show every value compared, not only the worst of each kind.
    #[arg(long)]
    all: bool,
    /// Also check the slow claims, on finer grids; with the group experiment, tell how far uncertain inputs move its claims.
    #[arg(long)]
    full: bool,
    /// Write the rows as JSON to FILE; `-` prints them instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Verify {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let groups = verify::select(&self.only).map_err(Failure::Input)?;
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        let talk = !common.quiet && !printed;
        let mut report = Report::new(self.all, self.full, solve::interrupted);
        for group in groups {
            for claim in group.claims {
                let done = report.rows().len();
                solve::on_threads(common.threads, || report.run(group.name, *claim))?;
                solve::check_interrupt()?;
                if talk {
                    print(&verify::table(&report.rows()[done..]));
                }
            }
        }
        let failed = report.rows().iter().filter(|r| !r.passed).count();
        if talk {
            print(&format!("\n{} claims, {failed} failed\n", report.rows().len()));
        }
        if let Some(target) = &self.json {
            deliver(target, &json_text(&report.rows())?)?;
        }
        if report.rows().is_empty() {
            return Err(Failure::Check(
                "no claim was checked: the groups asked for are empty".to_owned(),
            ));
        }
        if failed > 0 {
            return Err(Failure::Check(format!(
                "{failed} of {} claims failed",
                report.rows().len()
            )));
        }
        Ok(())
    }
}
