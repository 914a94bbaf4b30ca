//! What came of a campaign: the matrix of faults and modes.

use rayon::prelude::*;
use serde::Serialize;

use super::{
    super::{GeneratorError, Profile, faults::FaultKind, watch::Rule},
    Campaign, Case, Kind, MakePlant, Run,
    run::{Trace, judged, trace},
};
use crate::lesion::LesionError;

/// What came of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Runs with a fault.
    pub runs: Vec<Run>,
    /// Runs without one.
    pub faultless: Vec<Run>,
}

/// The runs of one fault in one mode.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cell {
    /// Fault.
    pub fault: FaultKind,
    /// Mode.
    pub mode: Kind,
    /// Runs.
    pub runs: usize,
    /// Of those, found by a rule meant to, in time, and made safe.
    pub good: usize,
    /// Not found at all.
    pub missed: usize,
    /// Longest time to an alarm, s.
    pub latency_s: f64,
    /// Longest allowed, s.
    pub limit_s: f64,
    /// Rules that found it.
    pub rules: Vec<Rule>,
    /// Largest excess of the hottest tissue, °C.
    pub excess_c: f64,
    /// Hottest tissue, °C.
    pub hottest_c: f64,
}

impl Outcome {
    /// The matrix, fault by fault and mode by mode.
    pub fn matrix(&self) -> Vec<Cell> {
        let mut cells = std::collections::BTreeMap::<(FaultKind, Kind), Cell>::new();
        for r in &self.runs {
            let Some(f) = r.case.fault else { continue };
            let c = cells.entry((f.kind, r.case.mode)).or_insert_with(|| Cell {
                fault: f.kind,
                mode: r.case.mode,
                runs: 0,
                good: 0,
                missed: 0,
                latency_s: 0.0,
                limit_s: r.limit_s,
                rules: Vec::new(),
                excess_c: 0.0,
                hottest_c: 0.0,
            });
            c.runs += 1;
            c.good += usize::from(r.good());
            c.missed += usize::from(r.rule.is_none());
            c.latency_s = c.latency_s.max(r.latency_s.unwrap_or(0.0));
            c.excess_c = c.excess_c.max(r.excess_c);
            c.hottest_c = c.hottest_c.max(r.hottest_c);
            if let Some(rule) = r.rule
                && !c.rules.contains(&rule)
            {
                c.rules.push(rule);
                c.rules.sort();
            }
        }
        cells.into_values().collect()
    }

    /// Alarms that nothing called for.
    pub fn false_alarms(&self) -> usize {
        self.runs.iter().chain(&self.faultless).map(|r| r.false_alarms).sum()
    }

    /// Runs in which something was missed, late, unsafe or false.
    pub fn bad(&self) -> Vec<&Run> {
        self.runs.iter().chain(&self.faultless).filter(|r| !r.good()).collect()
    }
}

/// Carries out a campaign on all threads; `tell` hears of each run that is over and stops everything by returning false. The outcome does not
/// depend on the number of threads.
///
/// # Errors
/// [`GeneratorError`]; [`LesionError::Cancelled`] in it when stopped.
pub fn carry_out<M: MakePlant>(
    profile: &Profile,
    campaign: &Campaign,
    plants: &M,
    tell: &(dyn Fn() -> bool + Sync),
) -> Result<Outcome, GeneratorError> {
    let fits = |c: &Case| plants.fits(&c.plant, c.mode, c.channels);
    let cases: Vec<Case> = campaign.cases().into_iter().filter(fits).collect();
    let faultless: Vec<Case> = campaign.faultless().into_iter().filter(fits).collect();
    let traced = |case: &Case| -> Result<Trace, GeneratorError> {
        if !tell() {
            return Err(GeneratorError::Lesion(LesionError::Cancelled { t_s: 0.0 }));
        }
        trace(profile, campaign, case, plants)
    };
    // Many faults are compared with the same run without one.
    let mut sound: Vec<Case> = Vec::new();
    let beside: Vec<usize> = cases
        .iter()
        .map(|case| {
            let case = case.sound();
            let known = sound.iter().position(|c| *c == case);
            known.unwrap_or_else(|| {
                sound.push(case);
                sound.len() - 1
            })
        })
        .collect();
    let sound_c = sound
        .par_iter()
        .map(|case| Ok(traced(case)?.hottest_c))
        .collect::<Result<Vec<_>, GeneratorError>>()?;
    let runs = cases
        .par_iter()
        .zip(&beside)
        .map(|(case, k)| Ok(judged(case, &traced(case)?, &sound_c[*k])))
        .collect::<Result<_, GeneratorError>>()?;
    let faultless = faultless
        .par_iter()
        .map(|case| Ok(judged(case, &traced(case)?, &[])))
        .collect::<Result<_, GeneratorError>>()?;
    Ok(Outcome { runs, faultless })
}
