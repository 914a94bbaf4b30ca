//! What comes after a lesion: fibres cut, spikes that no more pass, and relief over the months.
//!
//! Numbers that set a parameter of the model (`catalog/outcomes.toml` says which) are no test of it. Those here are closed forms, other
//! parts of the program, or studies that no parameter was set by. Studies from which the model departs stand in the group `open`.

mod nerve;
mod people;

use super::Claim;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[
    nerve::built_in,
    nerve::pulsed,
    nerve::nodes_to_block,
    nerve::heat_block,
    nerve::no_class_is_spared,
    people::bayes,
    people::regrowth,
    people::selection,
    people::systematic_review,
    people::mint,
    people::mint_interval,
];

/// Studies from which the model departs, or that were only recalled.
pub(super) const OPEN: &[Claim] = &[
    people::dreyfuss,
    people::conger,
    people::schofferman,
    people::mint_whole,
    nerve::numb_skin,
];
