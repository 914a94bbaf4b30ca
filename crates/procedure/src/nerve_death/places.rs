//! Where a nerve is looked at: at steps along it, and at places spread evenly over its cross-section.

use neurotome_base::{PatientPoint, Vec3, geometry::perpendicular_pair};

use crate::{anatomy::NerveKind, lesion::NerveCurve};

/// Places across a nerve, each standing for an equal part of its area.
pub const ACROSS: usize = 19;
/// Length between places along a nerve, mm; longer in nerves of more than [`MOST_ALONG`] steps.
const STEP_MM: f64 = 0.25;
/// Most steps along a nerve.
const MOST_ALONG: usize = 2000;
/// Turn between two places of the spiral on which they lie (Vogel 1979).
const GOLDEN_RAD: f64 = 2.399_963_229_728_653;

/// The places of one nerve.
#[derive(Debug, Clone, PartialEq)]
pub struct NervePlaces {
    /// Length that each step stands for, mm.
    pub step_mm: f64,
    /// Middle of each step, mm from the nerve's first point along it.
    pub along_mm: Vec<f64>,
    /// Places across, mm in two directions from the axis.
    pub across_mm: Vec<[f64; 2]>,
    /// Points: for each step all places across.
    pub points: Vec<PatientPoint>,
}

impl NervePlaces {
    /// Places of a nerve; fibres keep their place across along the whole of it.
    pub fn new(nerve: &NerveCurve) -> Self {
        let lengths: Vec<f64> = nerve
            .points
            .windows(2)
            .map(|w| (w[1].vec() - w[0].vec()).norm())
            .collect();
        let total: f64 = lengths.iter().sum();
        let steps = ((total / STEP_MM).ceil() as usize).clamp(1, MOST_ALONG);
        let step_mm = total / steps as f64;
        let radius = 0.5 * nerve.diameter_mm;
        let across_mm: Vec<[f64; 2]> = (0..ACROSS)
            .map(|k| {
                let r = radius * ((k as f64 + 0.5) / ACROSS as f64).sqrt();
                let (sin, cos) = (k as f64 * GOLDEN_RAD).sin_cos();
                [r * cos, r * sin]
            })
            .collect();
        let mut points = Vec::with_capacity(steps * ACROSS);
        let mut along_mm = Vec::with_capacity(steps);
        let (mut piece, mut before) = (0, 0.0);
        // Two directions across that turn no more than the nerve does.
        let mut frame: Option<(Vec3, Vec3)> = None;
        for k in 0..steps {
            let s = (k as f64 + 0.5) * step_mm;
            while piece + 1 < lengths.len() && (s > before + lengths[piece] || lengths[piece] == 0.0) {
                before += lengths[piece];
                piece += 1;
            }
            let (a, b) = match (nerve.points.get(piece), nerve.points.get(piece + 1)) {
                (Some(a), Some(b)) => (a.vec(), b.vec()),
                _ => break,
            };
            let tangent = (b - a) / lengths[piece].max(1e-12);
            let carried = frame.and_then(|(u, _)| {
                let u = u - tangent * u.dot(&tangent);
                (u.norm() > 1e-3).then(|| u.normalize())
            });
            let u = carried.unwrap_or_else(|| perpendicular_pair(&tangent).0);
            let v = tangent.cross(&u);
            frame = Some((u, v));
            let middle = a + tangent * (s - before);
            along_mm.push(s);
            points.extend(
                across_mm
                    .iter()
                    .map(|[x, y]| PatientPoint::from_vec(middle + u * *x + v * *y)),
            );
        }
        Self {
            step_mm,
            along_mm,
            across_mm,
            points,
        }
    }
}

/// The kind of a nerve, from its name; a medial branch where the name says nothing.
pub fn kind_of(name: &str) -> NerveKind {
    let name = name.to_lowercase();
    let says = |word: &str| name.contains(word);
    if says("dorsal ramus") || says("dorsal_ramus") {
        NerveKind::DorsalRamus
    } else if says("ganglion") {
        NerveKind::Ganglion
    } else if says("ventral") {
        NerveKind::VentralRamus
    } else if says("root") {
        NerveKind::Root
    } else if says("lateral branch") || says("lateral_branch") {
        NerveKind::LateralBranch
    } else if says("intermediate") {
        NerveKind::IntermediateBranch
    } else {
        NerveKind::MedialBranch
    }
}
