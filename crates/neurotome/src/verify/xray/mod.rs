//! X-ray projection, metal, beam, picture and sessions in the built-in patient.

mod beam;
mod metal;
mod phantoms;
mod picture;
mod projection;
mod session;

pub(super) use session::published_kerma;

use super::Claim;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[
    projection::reference_pixels,
    projection::blobs,
    projection::solids,
    projection::two_projectors,
    projection::any_axis,
    projection::threads,
    metal::chords,
    metal::width,
    metal::place,
    beam::coefficients,
    beam::kerma,
    beam::half_value_layers,
    picture::quantum_noise,
    picture::still_anatomy,
    picture::dose,
    picture::contrast,
    session::squared,
    session::scotty_dog,
    session::two_levels,
    session::published_product,
    session::through_the_table,
];
