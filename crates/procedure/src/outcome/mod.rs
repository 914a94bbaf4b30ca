//! What comes after: how likely the joint was the source, how long its nerves stay cut, and what a person feels over the months.
//!
//! **This is a model, and a plain one.** It is there to show which of selection, lesion and regrowth an outcome hangs on; it does not
//! foretell what one patient will feel. Its numbers stand in `catalog/outcomes.toml`, each with its source.
//!
//! 1. *Source.* The share of people whose pain comes from a facet joint, and the answers to diagnostic blocks, give the probability that
//!    this joint is the source ([`belief`], Bayes; blocks are taken as independent, so that a person who answers to any needle is
//!    underestimated).
//! 2. *Nerves.* Each joint has two nerves. A fibre with a dead place is silent until it has regrown ([`Regrowth`]): a delay, then the
//!    coagulated gap and the way to the joint at their own rates. Relief follows the share of the joint's fibres that are silent.
//! 3. *Course.* Pain also changes without any lesion: course of the disease, exercise, expectation. It acts on what pain is left, and does
//!    not fade within the time looked at.
//! 4. *Soreness, neuritis, local pain* are added for a time; numb skin is counted:
//!    as often as reported, and where branches to the skin are cut.
//!
//! A virtual population draws all that is uncertain between people ([`population`]). Laws of injury are not mixed: each has its own population.

mod belief;
mod harm;
mod population;
mod regrowth;

pub use belief::{belief, belief_of};
pub use harm::{Harm, NerveHarm, SkinHarm, TissueVolume, skin_cut_fraction};
pub use population::{
    Block, Course, Curves, NerveState, Outcome, OutcomeError, OutcomeRequest, Shares, compare, population,
};
pub use regrowth::Regrowth;

/// Days in a month, on average.
pub const DAYS_PER_MONTH: f64 = 30.4375;

#[cfg(test)]
mod tests;
