//! X-ray guidance: the C-arm, its views and what it shows.

mod carm;
mod radiograph;

pub use carm::{BodyAxes, CArm, CArmError, Collimation, Travel};
pub use radiograph::{Picture, RadiographError, RelativeToWater, radiograph};
