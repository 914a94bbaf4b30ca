//! What enters and leaves the program: images, scenarios, results and reports.
//!
//! Readers treat every file as hostile: sizes are capped before memory is taken, and a bad file gives one error that says what
//! was found, what was expected and what to do. The patient frame is LPS in millimetres everywhere; RAS exists only inside the
//! NIfTI reader and writer and the reader of markups. Identifiers of a patient stop at the DICOM reader.

pub mod campaign;
pub mod catalog;
pub mod dicom;
pub mod fmu;
pub mod history;
pub mod markups;
pub mod pictures;
pub mod plants;
pub mod report;
pub mod results;
pub mod scenario;
pub mod session_log;
pub mod volumes;
