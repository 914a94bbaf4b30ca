//! How pain makes a patient move.

use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};

/// A patient's movements in a state of sedation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Movement {
    /// Name: that of a perception, such as `awake`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// Share of patients who move when heat is felt.
    pub heat_fraction: Sourced,
    /// Share of patients who move at a sharp pain in a test.
    pub test_fraction: Sourced,
    /// How far the needle then is from where it was, mm.
    pub distance_mm: Sourced,
}

entry!(Movement, "movement", [heat_fraction, test_fraction, distance_mm], []);
