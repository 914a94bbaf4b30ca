//! One nerve fibre beside a stimulating electrode in homogeneous tissue: the weakest pulse that fires it, how that changes with distance and
//! pulse width, how fast it conducts, which pulses of a train it follows, and whether a stretch of blocked sodium channels stops it.
//!
//! Straight fibres of `physics::axon`, long enough that their ends do not count: twelve internodes or four times the distance to either side of
//! the source. Thresholds state what the bracket of the search and the steps in time and space leave open.

mod answer;
mod block;
mod made;
mod question;
mod train;

pub use answer::{
    Answer, Followed, FoundBlock, FoundTrain, Membranes, StrengthDuration, ThresholdAt, TooStrong, Weakest, answer,
    membranes, threshold,
};
pub use question::{Beside, Block, Model, OneFibreError, Question, Source, Train};

#[cfg(test)]
mod tests;
