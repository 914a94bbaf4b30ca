//! Equations only: needle-fitted finite volumes, multigrid, current, heat and tissue injury.
//!
//! Nothing here knows of operators, files, clocks or brands of needle. SI units inside; lengths in metres.

pub mod current;
pub mod grid;
pub mod heat;
pub mod injury;
pub mod linear;
pub mod medium;
pub mod tissue;
