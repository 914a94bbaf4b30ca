//! The end: what a population with these lesions feels, by each law of injury.

use super::{Case, Done, Event, OutcomeByLaw, SessionError, State, Watch, impossible};
use crate::{
    nerve_death::laws,
    outcome::{NerveState, OutcomeRequest, belief_of, population, skin_cut_fraction},
};

/// Ends the procedure.
pub(super) fn finish(case: &Case, state: &State, watch: Watch<'_>) -> Result<Done, SessionError> {
    let numbers = case
        .catalog
        .outcomes
        .first()
        .ok_or_else(|| impossible("finish", "the catalogue has no [[outcome]]", "add one"))?;
    let blocks = case.history.answers();
    let targets = case.targets()?;
    let lesions: usize = state.targets.iter().map(|t| t.lesions.len()).sum();
    let mut outcomes = Vec::new();
    for law in laws(&case.catalog) {
        if !watch(&format!("outcome by {}", law.name)) {
            return Err(SessionError::Cancelled);
        }
        // A nerve with several lesions is cut wherever one of them cuts it: at each place across the longest gap counts.
        let nerve = |k: usize| {
            let name = targets[k].name();
            let mut gaps: Vec<f64> = vec![0.0];
            let all = state.targets.iter().flat_map(|t| &t.lesions).flat_map(|l| &l.nerves);
            for cut in all
                .filter(|n| n.nerve == name)
                .flat_map(|n| &n.laws)
                .filter(|l| l.law == law.name)
            {
                gaps.resize(gaps.len().max(cut.gap_mm.len()), 0.0);
                for (gap, new) in gaps.iter_mut().zip(&cut.gap_mm) {
                    *gap = gap.max(*new);
                }
            }
            NerveState {
                nerve: name,
                gap_mm: gaps,
            }
        };
        let request = OutcomeRequest {
            numbers,
            blocks: blocks.clone(),
            nerves: [nerve(0), nerve(1)],
            lesions: lesions as u32,
            skin_cut_fraction: skin_cut_fraction(
                state.targets.iter().flat_map(|t| &t.lesions).flat_map(|l| &l.nerves),
                &law.name,
            ),
            baseline_points: case.history.pain.intensity_points.filter(|p| *p > 0.0),
            people: case.people,
            seed: case.seed,
        };
        outcomes.push(OutcomeByLaw {
            law: law.name,
            reversible: law.reversible,
            outcome: population(&request)?,
        });
    }
    Ok(Done::at_once(vec![Event::Finished {
        outcomes,
        source_probability: belief_of(numbers, &blocks),
    }]))
}
