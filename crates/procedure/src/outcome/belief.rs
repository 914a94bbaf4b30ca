//! The probability that the joint is the source of the pain.

use super::Block;
use crate::catalog::OutcomeNumbers;

/// After positive and negative blocks, from a probability before them: Bayes, the blocks independent.
pub fn belief(before: f64, sensitivity: f64, false_positive: f64, positive: u32, negative: u32) -> f64 {
    let given = |p: f64| p.powi(positive as i32) * (1.0 - p).powi(negative as i32);
    let (source, other) = (before * given(sensitivity), (1.0 - before) * given(false_positive));
    if source + other > 0.0 {
        source / (source + other)
    } else {
        before
    }
}

/// The same by the catalogue's numbers; a block is positive from the relief that the catalogue says.
pub fn belief_of(numbers: &OutcomeNumbers, blocks: &[Block]) -> f64 {
    let threshold = numbers.block_relief_percent.value;
    let positive = blocks.iter().filter(|b| b.relief_percent >= threshold).count() as u32;
    belief(
        numbers.prevalence_fraction.value,
        numbers.block_sensitivity_fraction.value,
        numbers.block_false_positive_fraction.value,
        positive,
        blocks.len() as u32 - positive,
    )
}
