//! Equations only: needle-fitted finite volumes, multigrid, current, heat, tissue injury, transport in porous tissue and X-ray projection.
//!
//! Nothing here knows of operators, files, clocks or brands of needle. SI units inside; lengths in metres, but for
//! the millimetres of images in [`xray`].

pub mod axon;
pub mod current;
pub mod grid;
pub mod heat;
pub mod injury;
pub mod linear;
pub mod medium;
pub mod tissue;
pub mod transport;
pub mod xray;
