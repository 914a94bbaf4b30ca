//! Scenarios, images, results and reports: everything that touches a file.

pub mod catalog;
pub mod scenario;
