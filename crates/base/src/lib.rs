//! Geometry, frames, volumes and ordered parallel loops: what every other crate stands on.
//!
//! Nothing here reads a file, a clock, the environment or a random source.

pub mod geometry;
pub mod parallel;
pub mod random;
pub mod volume;

pub use geometry::{Frame, Patient, PatientPoint, Point, Vec3};
pub use volume::{Affine, PatientBox, Volume, VolumeError};
