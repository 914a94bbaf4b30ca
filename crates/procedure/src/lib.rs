//! The steps of the procedure, in the order in which an operator does them.
//!
//! Nothing here reads a file, a clock, the environment or a random source.

pub mod anaesthesia;
pub mod anatomy;
pub mod assessment;
pub mod catalog;
pub mod debrief;
pub mod fluoroscopy;
pub mod generator;
pub mod lesion;
pub mod metrics;
pub mod needle;
pub mod nerve_death;
pub mod one_fibre;
pub mod outcome;
pub mod planning;
pub mod scoring;
pub mod session;
pub mod stimulation;
