//! A plain picture of a CT or of any volume in Hounsfield units, for looking at anatomy: no physics of the detector, no noise.

use neurotome_base::{PatientPoint, Volume};
use neurotome_physics::xray::{Image, Integrand, Projector, ViewError};

use super::{CArm, CArmError};

/// Grey values, row by row from the top: 0 is black.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels along a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// The values, column fastest.
    pub grey: Vec<u8>,
}

/// Why there is no picture.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RadiographError {
    /// The C-arm cannot stand so.
    #[error(transparent)]
    CArm(#[from] CArmError),
    /// The volume cannot be projected.
    #[error(transparent)]
    View(#[from] ViewError),
}

/// Attenuation relative to water, from Hounsfield units; nothing below air.
#[derive(Debug, Clone, Copy, Default)]
pub struct RelativeToWater;

impl Integrand<1> for RelativeToWater {
    #[inline]
    fn of(&self, hu: f32) -> [f32; 1] {
        [(1.0 + hu * 1e-3).max(0.0)]
    }
}

/// A picture as fluoroscopy shows it, bone dark, of a volume in Hounsfield units, with `target` at the isocentre.
///
/// The line integrals are those of attenuation relative to water, mm; black and white are their 99.5th and 1st percentiles over the
/// pixels that the collimator leaves open. For many pictures of one volume keep a [`Projector`] and call [`Picture::windowed`].
///
/// # Errors
/// [`RadiographError`].
pub fn radiograph(hu: &Volume<f32>, carm: &CArm, target: &PatientPoint) -> Result<Picture, RadiographError> {
    let view = carm.view(target)?;
    let projector = Projector::with_integrand(hu.clone(), RelativeToWater)?;
    let [water_mm] = projector.integrals(&view)?;
    let [white, black] = water_mm.quantiles([0.01, 0.995]);
    Ok(Picture::windowed(&water_mm, f64::from(black), f64::from(white)))
}

/// Sixteen-bit grey values of an image, windowed as by [`Picture::windowed`].
pub fn windowed16(image: &Image, logarithmic: bool, [black, white]: [f64; 2]) -> Vec<u16> {
    let scale = if white == black { 0.0 } else { 65535.0 / (white - black) };
    let quantity = |v: f32| {
        let v = f64::from(v);
        if logarithmic { -v.max(1e-6).ln() } else { v }
    };
    image
        .data
        .iter()
        .map(|v| ((quantity(*v) - black) * scale).round().clamp(0.0, 65535.0) as u16)
        .collect()
}

impl Picture {
    /// Grey values of an image: `black` and beyond is 0, `white` and beyond 255, either may be the larger; NaN is black.
    pub fn windowed(image: &Image, black: f64, white: f64) -> Self {
        let span = white - black;
        let scale = if span == 0.0 { 0.0 } else { 255.0 / span };
        Self {
            columns: image.columns,
            rows: image.rows,
            grey: image
                .data
                .iter()
                .map(|v| ((f64::from(*v) - black) * scale).round().clamp(0.0, 255.0) as u8)
                .collect(),
        }
    }
}
