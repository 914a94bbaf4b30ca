//! What can go wrong with an injection.

use neurotome_physics::transport::{BoxGridError, FlowError};

/// Why an injection cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnaesthesiaError {
    /// The catalogue has no such agent.
    #[error(
        "anaesthesia: there is no agent \"{name}\"; expected one of {known}; `neurotome catalog solution` shows them"
    )]
    Agent {
        /// The name given.
        name: String,
        /// The agents of the catalogue.
        known: String,
    },
    /// A number is out of range.
    #[error("anaesthesia: {what} is {found} {unit}; expected {low} to {high} {unit}; {advice}")]
    Range {
        /// What it is.
        what: &'static str,
        /// The number given.
        found: f64,
        /// Lowest allowed.
        low: f64,
        /// Highest allowed.
        high: f64,
        /// Its unit.
        unit: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A concentration was given for an agent that has none, or none for one that needs it.
    #[error("anaesthesia: {name}: {found}; {advice}")]
    Percent {
        /// The agent.
        name: String,
        /// What was found.
        found: String,
        /// What to do.
        advice: String,
    },
    /// The needle's tip lies where no fluid can go.
    #[error(
        "anaesthesia: the tip at {tip_mm:?} mm lies in {tissue}, where no fluid can enter; expected soft tissue within {reach_mm} mm; move the tip or the needle"
    )]
    Tip {
        /// The tip, mm.
        tip_mm: [f64; 3],
        /// The tissue there.
        tissue: String,
        /// How far was looked, mm.
        reach_mm: f64,
    },
    /// A tissue whose transport is not known.
    #[error(
        "anaesthesia: tissue \"{name}\" has no permeability and porosity; add a [[transport]] of this name to the catalogue, or a `based_on` tissue that has one"
    )]
    Tissue {
        /// The tissue.
        name: String,
    },
    /// The catalogue lacks something.
    #[error("anaesthesia: the catalogue has no {what}; add it")]
    Catalogue {
        /// What is missing.
        what: String,
    },
    /// The grid cannot be made.
    #[error("anaesthesia: {0}")]
    Grid(#[from] BoxGridError),
    /// The flow was not computed.
    #[error("anaesthesia: {0}")]
    Flow(#[from] FlowError),
    /// The caller wanted no more.
    #[error("anaesthesia: interrupted at {t_s:.1} s; nothing was kept")]
    Cancelled {
        /// Time reached, s.
        t_s: f64,
    },
}

/// The number when it lies within the range.
pub(super) fn within(
    what: &'static str,
    found: f64,
    [low, high]: [f64; 2],
    unit: &'static str,
    advice: &'static str,
) -> Result<f64, AnaesthesiaError> {
    if found.is_finite() && (low..=high).contains(&found) {
        return Ok(found);
    }
    Err(AnaesthesiaError::Range {
        what,
        found,
        low,
        high,
        unit,
        advice,
    })
}
