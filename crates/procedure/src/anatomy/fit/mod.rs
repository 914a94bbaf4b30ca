//! The parametric spine fitted to a CT, with labels of the vertebrae or from one rough point in each body.

pub mod occupancy;
mod patient;
mod start;
mod vertebra;

use neurotome_base::{PatientPoint, Vec3};

use self::occupancy::Occupancy;
pub(crate) use self::vertebra::{Fitted, Free, Stage};
use super::spine::vertebra::Kind;
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

/// A vertebra is lost whose shape is more unlike the mean of its level than this (see [`Quality::unlikeliness`]): good fits to built-in people
/// have 0.1 to 0.4 and those to patients 0.5 to 1.5; one that slid into its neighbour has 2 to 8.
pub const LOST: f64 = 2.0;
/// Where a neighbour was not given, so much is tried again.
const DOUBTFUL: f64 = 1.0;
/// A fit that is good beyond doubt is less unlike the mean than this.
const GOOD: f64 = 0.25;

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
    /// How unlike the mean of its level the shape is: mean square of the deviations of its numbers, each in units of 2.5 times its spread among
    /// people.
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
                fits[i] = improved(&fits, i, stage, image);
            }
        }
        let first = Self::start(sizes, &start.frames)?;
        start_again(&mut fits, &first, start.wanted.clone(), image);
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
                    unlikeliness: f.unlike(),
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

/// One vertebra after one stage, beside its neighbours as they are.
fn improved(fits: &[Fitted], i: usize, stage: &Stage, image: &dyn Occupancy) -> Fitted {
    let mut own = fits[i].clone();
    let others: Vec<&Fitted> = neighbours(fits, i);
    own.improve(stage, image, &others);
    if stage.free == Free::Shape {
        own.find_transverse_processes(stage, image, &others);
        own.find_mamillary_processes(stage, image, &others);
    }
    own
}

/// Fits again, from other places near the first one, what has got a shape that no vertebra has. At the ends of the column, where one neighbour
/// is known by its likely place only, a vertebra may slide into the next one or turn over, and its shape is then drawn to fill that bone: it lies
/// on the image as well as a good fit does, and its shape alone tells. The sacrum, whose processes are small beside the rest, may lose them
/// while it lies in its place.
fn start_again(fits: &mut [Fitted], first: &[Fitted], wanted: std::ops::Range<usize>, image: &dyn Occupancy) {
    let count = fits.len();
    let outer = |n: &usize| *n < count && !wanted.contains(n);
    let outer_beside = |i: usize| -> Vec<usize> {
        let beside = [i.checked_sub(1), Some(i + 1)].into_iter().flatten();
        beside.filter(outer).collect()
    };
    let most = |i: usize| if outer_beside(i).is_empty() { LOST } else { DOUBTFUL };
    let mut lost: Vec<usize> = wanted.clone().filter(|i| fits[*i].unlike() > most(*i)).collect();
    for i in &lost {
        fits[*i] = first[*i].clone();
    }
    while !lost.is_empty() {
        // What has most good neighbours first: these hold it.
        let good = |i: &usize| {
            let beside = [i.wrapping_sub(1), i + 1];
            beside.iter().filter(|n| **n < fits.len() && !lost.contains(n)).count()
        };
        let next = (0..lost.len()).max_by_key(|n| good(&lost[*n])).unwrap_or(0);
        let i = lost.swap_remove(next);
        let good = |n: usize| fits.get(n).filter(|_| !lost.contains(&n));
        let from_below = good(i + 1)
            .zip(good(i + 2))
            .map(|(next, one_more)| (1.0, next, one_more));
        let from_above = (i.checked_sub(1).and_then(good)).zip(i.checked_sub(2).and_then(good));
        let from = from_below.or(from_above.map(|(next, one_more)| (-1.0, next, one_more)));
        // The sacrum leans away from the column, so that what lies above tells little of it.
        let from = from.filter(|_| fits[i].kind == Kind::Lumbar);
        // Of this many steps from the next one.
        let place = |n: usize, steps: f64| {
            let mut placed = first[n].clone();
            if let Some((up, next, one_more)) = from {
                let pitch = (next.frame.origin - one_more.frame.origin).norm();
                placed.frame = next.frame;
                placed.frame.origin += next.frame.superior * (up * steps * pitch);
            }
            placed
        };
        let base = place(i, 1.0);
        let starts = STARTS.map(|[up, lean]| base.displaced(up, lean));
        // What stands beside the last one asked for is fitted with it, and may be where it should be.
        let beside = outer_beside(i);
        let placed: Vec<Fitted> = beside.iter().map(|n| place(*n, 2.0)).collect();
        for (n, placed) in beside.iter().zip(placed) {
            fits[*n] = placed;
        }
        best_of(fits, i, &beside, &starts, &STAGES, image);
    }
    for i in wanted {
        if fits[i].kind == Kind::Sacral && fits[i].unlike() > GOOD {
            let found = fits[i].clone();
            let again = [found.with_mean_shape()];
            best_of(fits, i, &[], &again, &STAGES[FIRST_OF_SHAPE..], image);
            if fits[i].unlike() > found.unlike() {
                fits[i] = found;
            }
        }
    }
}

/// The first good fit of one vertebra from several starts, or the one least unlike the mean of its level; those `beside` it are fitted with it.
fn best_of(
    fits: &mut [Fitted],
    i: usize,
    beside: &[usize],
    starts: &[Fitted],
    stages: &[Stage],
    image: &dyn Occupancy,
) {
    let before = fits.to_vec();
    let mut best: Option<Vec<Fitted>> = None;
    for start in starts {
        let mut all = before.clone();
        all[i] = start.clone();
        for stage in stages {
            for n in std::iter::once(&i).chain(beside) {
                all[*n] = improved(&all, *n, stage, image);
            }
        }
        let unlike = all[i].unlike();
        if best.as_ref().is_none_or(|b| unlike < b[i].unlike()) {
            best = Some(all);
        }
        if unlike < GOOD {
            break;
        }
    }
    if let Some(best) = best {
        fits.clone_from_slice(&best);
    }
}

/// The first of the stages that fits the shape.
const FIRST_OF_SHAPE: usize = 3;

/// Places to start again from, the nearest first: mm up along the column, degrees of lean forward.
const STARTS: [[f64; 2]; 11] = [
    [0.0, 0.0],
    [-8.0, 0.0],
    [8.0, 0.0],
    [0.0, 12.0],
    [0.0, -12.0],
    [-8.0, 12.0],
    [-8.0, -12.0],
    [8.0, 12.0],
    [8.0, -12.0],
    [-14.0, 0.0],
    [14.0, 0.0],
];

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
