//! The debriefing of the built-in patient's needle in its differences.

use neurotome_io::{
    catalog,
    scenario::{self, Source},
};
use neurotome_procedure::debrief::{Change, Debrief, Thicker, debrief};

use crate::verify::Report;

fn made(changes: &[Change]) -> Result<Debrief, String> {
    let catalog = catalog::built_in().map_err(|e| e.to_string())?;
    let loaded = scenario::load(&Source::built_in(), &catalog).map_err(|e| e.to_string())?;
    debrief(&loaded.problem, changes, &mut |_| true).map_err(|e| e.to_string())
}

/// A needle that was not changed makes no difference.
pub(super) fn unchanged(report: &mut Report) {
    let claim = "debriefing of an unchanged needle: difference of nerve destroyed and of width, mm";
    let source = "the same bytes for the same problem";
    match made(&[Change::Depth { mm: 0.0 }]) {
        Ok(made) => {
            let v = &made.variants[0];
            let both = v.destroyed_difference_mm.zip(v.width_difference_mm);
            let sum = both.map_or(f64::NAN, |(a, b)| a.abs() + b.abs());
            report.within(claim, sum, 0.0, 0.0, source);
        }
        Err(e) => report.failed(claim, e, source),
    }
}

/// A thicker needle and a longer time make a wider lesion.
pub(super) fn longer_and_thicker(report: &mut Report) {
    let source = "width grows with diameter and time: Cosman et al. 2014";
    let claim = "debriefing: width gained by 16 G instead of 20 G, mm";
    let thicker = Thicker {
        name: "16 G".to_owned(),
        outer_diameter_mm: 1.651,
    };
    match made(&[Change::Thickness(thicker), Change::Longer { s: 30.0 }]) {
        Ok(made) => {
            let by = |k: usize| made.variants[k].width_difference_mm.unwrap_or(f64::NAN);
            report.at_least(claim, by(0), 0.5, source);
            report.at_least("debriefing: width gained by 30 s more, mm", by(1), 0.0, source);
        }
        Err(e) => report.failed(claim, e, source),
    }
}
