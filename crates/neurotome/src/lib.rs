//! Neurotome: radiofrequency neurotomy of the lumbar medial branch nerves, simulated. Research and teaching software, not a medical
//! device.
//!
//! The facade over the crates of the workspace, and the command line as a library: [`cli::run`].
//!
//! ```no_run
//! use neurotome::{io::{catalog, scenario::{self, Source}}, procedure::lesion};
//!
//! let catalog = catalog::built_in()?;
//! let loaded = scenario::load(&Source::built_in(), &catalog)?;
//! let result = lesion::solve(&loaded.problem, &mut |_| true)?;
//! println!("{:?}", result.snapshots.last());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use neurotome_base as base;
pub use neurotome_io as io;
pub use neurotome_physics as physics;
pub use neurotome_procedure as procedure;

pub mod cli;
pub mod record;
pub mod session;
pub mod summary;
pub mod verify;

/// Name and version of the program, as they stand in records.
pub const PROGRAM: &str = concat!("neurotome ", env!("CARGO_PKG_VERSION"));

/// What this software is not; every door says so once.
pub const DISCLAIMER: &str = "Research and teaching software, not a medical device.";
