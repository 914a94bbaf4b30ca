//! X-ray projection: line integrals through volumes and exact solids, seen from a point source on a flat detector.
//!
//! ```text
//!   source ×
//!          │╲╲          a ray runs from the source through the middle of a pixel;
//!          │ ╲ ╲        p = ∫ μ dl along it, lengths in mm, μ in 1/mm
//!        ┌─┼──╲──╲──┐
//!        │ volume   │   Volume<f32>, placed by its Affine in the patient (LPS, mm)
//!        └─┼────╲───╲┘
//!    ──────┴─────×───×──── detector: columns along `column_step_mm`, rows along `row_step_mm`
//! ```
//!
//! A volume stands for the trilinear interpolant of its voxels, surrounded by zeros: it falls to zero within one voxel of the outermost
//! centres. Two projectors compute the same integrals by different ways: [`exact_integral`] integrates the interpolant along a single
//! ray without error but for rounding; [`Projector`] sums slices on a sheared grid and warps the sum, a hundred times as fast.
//! A ray goes on behind the detector: crop what lies there. Lengths here are millimetres, as those of the images; the names say so.

mod attenuation;
mod blur;
mod exact;
mod image;
mod noise;
mod projector;
mod response;
mod solid;
mod spectrum;
mod stack;
mod view;
mod warp;

pub use attenuation::{Coefficients, SpectrumError};
pub use blur::{blur, blur_widely};
pub use exact::{exact_image, exact_integral};
pub use image::Image;
pub use noise::Noise;
pub use projector::Projector;
pub use response::Response;
pub use solid::{Part, Shaded, Shape, paths_mm, shade};
pub use spectrum::{Spectrum, Tube};
pub use stack::{Attenuation, Integrand};
pub use view::{View, ViewError};
