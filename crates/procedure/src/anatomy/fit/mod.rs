//! The parametric spine fitted to a CT, with labels of the vertebrae or from one rough point in each body.

pub mod occupancy;
mod patient;
mod start;
mod vertebra;

use neurotome_base::{PatientPoint, Vec3};

use self::occupancy::Occupancy;
pub(crate) use self::vertebra::{Fitted, Free, Stage};
use super::spine::{Landmarks, Morphometry, Placed, SpineError, landmarks_of};
use super::{Level, Side, VertebraFrame};

pub use patient::CtPatient;
pub use start::FitError;

/// The stages of a fit, from coarse to fine.
const STAGES: [Stage; 7] = [
    Stage {
        free: Free::Pose,
        ramp_mm: 8.0,
        lattice_mm: 4.0,
        steps: 10,
    },
    Stage {
        free: Free::Size,
        ramp_mm: 4.0,
        lattice_mm: 4.0,
        steps: 8,
    },
    Stage {
        free: Free::Size,
        ramp_mm: 2.5,
        lattice_mm: 3.0,
        steps: 6,
    },
    Stage {
        free: Free::Shape,
        ramp_mm: 5.0,
        lattice_mm: 3.5,
        steps: 8,
    },
    Stage {
        free: Free::Shape,
        ramp_mm: 2.5,
        lattice_mm: 3.0,
        steps: 8,
    },
    Stage {
        free: Free::Shape,
        ramp_mm: 1.5,
        lattice_mm: 2.5,
        steps: 8,
    },
    // Once more after a process may have jumped.
    Stage {
        free: Free::Shape,
        ramp_mm: 1.5,
        lattice_mm: 2.5,
        steps: 4,
    },
];

/// A spine fitted to an image.
#[derive(Debug, Clone)]
pub struct FittedSpine {
    pub(crate) vertebrae: Vec<Placed>,
    /// How well each vertebra lies on the image's bone.
    pub quality: Vec<Quality>,
}

/// How well a vertebra was fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// The vertebra.
    pub level: Level,
    /// Root mean square distance between the model's and the image's surface, mm, where they are within 3 mm.
    pub misfit_mm: f64,
    /// The share of the model's inside where the image has bone, 0 to 1.
    pub filled: f64,
    /// How unlike the mean of its level the shape is: mean square of the deviations of its numbers, 1 for a typical person.
    pub unlikeliness: f64,
}

impl FittedSpine {
    /// The landmarks of both sides of each vertebra from L1 down.
    pub fn landmarks(&self) -> Vec<Landmarks> {
        let crossed = self.vertebrae.iter().filter(|v| v.level >= Level::L1);
        crossed
            .flat_map(|v| Side::BOTH.map(|side| landmarks_of(v, side)))
            .collect()
    }

    /// The frames of the vertebrae.
    pub fn frames(&self) -> Vec<(Level, VertebraFrame)> {
        self.vertebrae.iter().map(|v| (v.level, v.frame)).collect()
    }

    /// The shapes of the vertebrae.
    pub fn shapes(&self) -> Vec<(Level, super::spine::shape::VertebraShape)> {
        self.vertebrae.iter().map(|v| (v.level, v.bone.shape)).collect()
    }

    /// Signed level of the fitted bones at a point, mm; at most `8`.
    pub fn model_level_mm(&self, p: &PatientPoint) -> f64 {
        let p = p.vec();
        self.vertebrae.iter().map(|v| v.level_at(&p)).fold(8.0, f64::min)
    }

    /// Fits a spine from a rough point in the middle of each body; `image` shows the bones of all.
    ///
    /// # Errors
    /// [`FitError`].
    pub fn from_clicks(
        sizes: &Morphometry<'_>,
        image: &dyn Occupancy,
        clicks: &[(Level, PatientPoint)],
    ) -> Result<Self, FitError> {
        let start = start::frames_from_bodies(clicks)?;
        let mut fits = Self::start(sizes, &start.frames)?;
        for stage in &STAGES {
            for i in 0..fits.len() {
                let mut own = fits[i].clone();
                let others: Vec<&Fitted> = neighbours(&fits, i);
                own.improve(stage, image, &others);
                if stage.free == Free::Shape {
                    own.find_transverse_processes(stage, image, &others);
                    own.find_mamillary_processes(stage, image, &others);
                }
                fits[i] = own;
            }
        }
        Ok(Self::finish(&fits, start.wanted, |_| image))
    }

    /// Fits each vertebra to its own label; `images` shows each alone, in the order of `starts`: level and mean place of the label's voxels.
    ///
    /// # Errors
    /// [`FitError`].
    pub fn from_labels(
        sizes: &Morphometry<'_>,
        images: &[&dyn Occupancy],
        centroids: &[(Level, PatientPoint)],
    ) -> Result<Self, FitError> {
        let starts = start::frames_from_centroids(sizes, centroids)?;
        let mut fits = Self::start(sizes, &starts)?;
        for stage in &STAGES {
            for (fit, image) in fits.iter_mut().zip(images) {
                fit.improve(stage, *image, &[]);
                if stage.free == Free::Shape {
                    fit.find_transverse_processes(stage, *image, &[]);
                    fit.find_mamillary_processes(stage, *image, &[]);
                }
            }
        }
        let levels: Vec<Level> = fits.iter().map(|f| f.level).collect();
        Ok(Self::finish(&fits, 0..fits.len(), |level| {
            images[levels.iter().position(|l| *l == level).unwrap_or(0)]
        }))
    }

    fn start(sizes: &Morphometry<'_>, starts: &[(Level, VertebraFrame)]) -> Result<Vec<Fitted>, SpineError> {
        starts
            .iter()
            .map(|(level, frame)| Ok(Fitted::new(*level, &sizes.vertebra_with_joint(*level)?, *frame)))
            .collect()
    }

    fn finish<'a>(fits: &[Fitted], wanted: std::ops::Range<usize>, image: impl Fn(Level) -> &'a dyn Occupancy) -> Self {
        let quality = wanted
            .clone()
            .map(|i| {
                let f = &fits[i];
                Quality {
                    level: f.level,
                    misfit_mm: f.misfit_mm(image(f.level), &neighbours(fits, i)).0,
                    filled: f.filled(image(f.level)),
                    unlikeliness: f.unlikeliness() / super::spine::shape::VertebraShape::LEN as f64,
                }
            })
            .collect();
        Self {
            vertebrae: fits[wanted]
                .iter()
                .map(|f| Placed::new(f.level, f.bone.clone(), f.frame))
                .collect(),
            quality,
        }
    }
}

/// The vertebrae above and below.
fn neighbours(fits: &[Fitted], i: usize) -> Vec<&Fitted> {
    [i.checked_sub(1), Some(i + 1)]
        .into_iter()
        .flatten()
        .filter_map(|n| fits.get(n))
        .collect()
}

/// Distance between two points, mm.
pub fn distance_mm(a: &PatientPoint, b: &PatientPoint) -> f64 {
    let d: Vec3 = a.vec() - b.vec();
    d.norm()
}
