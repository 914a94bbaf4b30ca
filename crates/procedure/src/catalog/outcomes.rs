//! Numbers of what comes after a lesion, and of who should have one.

use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};

/// Numbers of the model of outcome.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeNumbers {
    /// Name, such as `lumbar_medial_branch`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Share of people with chronic low back pain in whom a facet joint is the source, before any block.
    pub prevalence_fraction: Sourced,
    /// Share of those with a painful joint whose block relieves.
    pub block_sensitivity_fraction: Sourced,
    /// Share of those without one whose block relieves all the same.
    pub block_false_positive_fraction: Sourced,
    /// Relief by a block that counts as positive, percent.
    pub block_relief_percent: Sourced,
    /// Share of the pain that a painful joint makes, where blocks do not tell.
    pub joint_share_fraction: Sourced,
    /// Its standard deviation.
    pub joint_share_sd_fraction: Sourced,
    /// Share of the joint's pain that the nerve from above carries.
    pub upper_nerve_fraction: Sourced,
    /// Its standard deviation.
    pub upper_nerve_sd_fraction: Sourced,
    /// Pain before, 0 to 10.
    pub baseline_pain_points: Sourced,
    /// Relief at three months without a lesion, as a share of the pain: course of the disease, exercise, expectation.
    pub course_relief_fraction: Sourced,
    /// Its standard deviation between people.
    pub course_sd_fraction: Sourced,
    /// Time until axons begin to grow, days.
    pub regrowth_delay_days: Sourced,
    /// Time for a millimetre of coagulated nerve, days.
    pub gap_days_per_mm: Sourced,
    /// Time for a millimetre of living nerve, days.
    pub nerve_days_per_mm: Sourced,
    /// Standard deviation of the logarithm of these times between people.
    pub regrowth_sd_ratio: Sourced,
    /// Way from the lesion to the joint, mm.
    pub joint_distance_mm: Sourced,
    /// Neuritis for each lesion.
    pub neuritis_fraction: Sourced,
    /// How long it lasts, days.
    pub neuritis_days: Sourced,
    /// Local pain of more than two weeks for each lesion.
    pub local_pain_fraction: Sourced,
    /// How long that lasts, days.
    pub local_pain_days: Sourced,
    /// Numb skin for each procedure.
    pub numb_skin_fraction: Sourced,
    /// Soreness after any procedure, points, …
    pub sore_points: Sourced,
    /// … for so many days.
    pub sore_days: Sourced,
    /// Days until usual activity.
    pub activity_days: Sourced,
    /// Thermal dose taken as lethal to nerve, equivalent minutes at 43 °C.
    pub lethal_dose_min: Sourced,
}

entry!(
    OutcomeNumbers,
    "outcome",
    [
        prevalence_fraction,
        block_sensitivity_fraction,
        block_false_positive_fraction,
        block_relief_percent,
        joint_share_fraction,
        joint_share_sd_fraction,
        upper_nerve_fraction,
        upper_nerve_sd_fraction,
        baseline_pain_points,
        course_relief_fraction,
        course_sd_fraction,
        regrowth_delay_days,
        gap_days_per_mm,
        nerve_days_per_mm,
        regrowth_sd_ratio,
        joint_distance_mm,
        neuritis_fraction,
        neuritis_days,
        local_pain_fraction,
        local_pain_days,
        numb_skin_fraction,
        sore_points,
        sore_days,
        activity_days,
        lethal_dose_min,
    ],
    []
);

/// Who should have a lesion: the thresholds of an assessment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Name, such as `lumbar_neurotomy`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Shortest pain, weeks.
    pub pain_weeks: Sourced,
    /// Shortest conservative care, weeks.
    pub conservative_weeks: Sourced,
    /// Fewest positive diagnostic blocks.
    pub blocks_count: Sourced,
    /// Positive blocks that are advised where certainty counts more than haste.
    pub advised_blocks_count: Sourced,
    /// Relief by a block that counts as positive, percent.
    pub block_relief_percent: Sourced,
    /// Relief by a former neurotomy that warrants another, percent.
    pub repeat_relief_percent: Sourced,
    /// How long that must have lasted, months.
    pub repeat_relief_months: Sourced,
    /// Highest international normalised ratio.
    pub inr_ratio: Sourced,
    /// Fewest platelets, thousands in a microlitre.
    pub platelets_count: Sourced,
}

entry!(
    Selection,
    "selection",
    [
        pain_weeks,
        conservative_weeks,
        blocks_count,
        advised_blocks_count,
        block_relief_percent,
        repeat_relief_percent,
        repeat_relief_months,
        inr_ratio,
        platelets_count,
    ],
    []
);
