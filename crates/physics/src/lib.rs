//! Equations only: fitted finite-volume grid, multigrid, current, heat and tissue injury.
//!
//! Nothing here knows of operators, files, clocks or brands of needle. SI units inside; lengths in metres.

pub mod injury;
pub mod tissue;
