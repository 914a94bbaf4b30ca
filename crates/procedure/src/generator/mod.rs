//! The generator: what it puts out, what it reads, when it stops.
//!
//! It sees the patient through a [`Plant`] only: voltages go in, currents and thermocouples come out. [`Generator`] is a machine of states that
//! goes on by one control interval a call; [`program`] says what it is to do, [`control`] how temperature is held, [`sensing`] what it reads,
//! [`watch`] when it stops, [`faults`] what can go wrong, and [`campaign`] makes all of that go wrong and counts what was noticed.

pub mod campaign;
pub mod control;
pub mod faults;
mod lumped;
mod machine;
pub mod plant;
mod presets;
pub mod profile;
pub mod program;
pub mod sensing;
pub mod watch;

#[cfg(test)]
mod tests;

pub use lumped::Lumped;
pub use machine::{Command, Event, EventKind, Generator, GeneratorError, State, Surroundings};
pub use plant::{Plant, Seen};
pub use presets::Preset;
pub use profile::Profile;
pub use program::{Mode, Program};
pub use sensing::{ChannelReading, Readings};
