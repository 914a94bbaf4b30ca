//! Who should have a lesion: a structured history against the criteria of guidelines, each met, missing or failed criterion by name.
//!
//! [`History`] is what a person writes; [`assess`] judges it by the catalogue's thresholds. Nothing is guessed: what the history does not say
//! is missing, and a history with anything missing is not yet eligible.

mod criteria;
mod history;

pub use criteria::{Assessment, Finding, State, Verdict, assess};
pub use history::{
    Allergy, Anticoagulant, BlockKind, Conservative, Contraindications, DiagnosticBlock, Former, History, Implant,
    Infection, Pain, Patient, RedFlag, Where,
};

#[cfg(test)]
mod tests;
