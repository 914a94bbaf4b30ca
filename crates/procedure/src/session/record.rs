//! The record of a session: entries in the order in which they were made; going back begins another branch.

use serde::{Deserialize, Serialize};

use super::{
    command::{Command, Order},
    event::Event,
    state::State,
};

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it began, s from the beginning of the procedure.
    pub t_s: f64,
    /// How long it took, s.
    pub took_s: f64,
    /// What was wanted.
    pub order: Order,
    /// What happened.
    pub events: Vec<Event>,
}

impl Entry {
    /// The command; none of a return to an earlier step.
    pub fn command(&self) -> Option<&Command> {
        match &self.order {
            Order::Do { command, .. } => Some(command),
            Order::Undo { .. } => None,
        }
    }
}

/// All entries, and which of them make up the branch that is followed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    entries: Vec<Entry>,
    branch: Vec<usize>,
}

impl Record {
    /// A record of entries that were made before.
    ///
    /// # Errors
    /// Which entry goes back to a step that was never made.
    pub fn of(entries: Vec<Entry>) -> Result<Self, String> {
        let mut record = Self::default();
        for entry in entries {
            record.push(entry)?;
        }
        Ok(record)
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// When it goes back to a step that was never made.
    pub fn push(&mut self, entry: Entry) -> Result<(), String> {
        let at = self.entries.len();
        match entry.order {
            Order::Do { .. } => self.branch.push(at),
            Order::Undo { undo_to } if undo_to < self.branch.len() => self.branch.truncate(undo_to),
            Order::Undo { undo_to } => {
                return Err(format!(
                    "undo to step {undo_to}; this branch has {} steps; give a smaller number",
                    self.branch.len()
                ));
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    /// All entries, those of branches left too.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries of the branch that is followed, oldest first.
    pub fn branch(&self) -> impl DoubleEndedIterator<Item = &Entry> + Clone {
        self.branch.iter().map(|k| &self.entries[*k])
    }

    /// Steps of the branch.
    pub fn steps(&self) -> usize {
        self.branch.len()
    }

    /// The state that the branch leads to.
    pub fn state(&self) -> State {
        State::after(self.branch())
    }
}
