//! The generator: what it puts out, what it reads, when it stops.
//!
//! It sees the patient through a [`Plant`] only: voltages go in, currents and thermocouples come out.

pub mod plant;

pub use plant::{Plant, Seen};
