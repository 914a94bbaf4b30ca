//! Thresholds over places of the needle.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    StimulationError, examination::Examination, pathway::Pathway, sampled::Sampled, territory::territory,
    waveform::TestPulse,
};
use crate::{
    anatomy::Patient,
    catalog::{Catalog, FibreKind},
    lesion::{LesionError, LesionProblem},
};

/// The plane in which the needle is moved; its direction stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plane {
    /// Left–right and front–back.
    #[default]
    Axial,
    /// Front–back and up–down.
    Sagittal,
    /// Left–right and up–down.
    Coronal,
}

impl Plane {
    /// Its axes in the patient: horizontal and vertical of a picture.
    pub fn axes(self) -> [Vec3; 2] {
        match self {
            Self::Axial => [Vec3::x(), -Vec3::y()],
            Self::Sagittal => [Vec3::y(), Vec3::z()],
            Self::Coronal => [Vec3::x(), Vec3::z()],
        }
    }
}

/// What a map is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MapRequest {
    /// The plane.
    pub plane: Plane,
    /// Places reach so far to each side, mm.
    pub half_mm: f64,
    /// Places along each axis.
    pub count: usize,
    /// Cells of the field, as a multiple of the usual size.
    pub cell_size: f64,
}

/// Tissues are looked up this finely so far beyond the places of the tip, and coarsely elsewhere, mm.
const NEAR_MM: f64 = 12.0;
const FINE_MM: f64 = 0.5;
const COARSE_MM: f64 = 1.5;
/// Nerves of the leg that are looked at: the nearest ones.
const LEGS: usize = 2;
/// Most places along an axis of a map.
pub const MAX_COUNT: usize = 101;

impl MapRequest {
    /// Whether the numbers can be used.
    ///
    /// # Errors
    /// [`StimulationError::Unsound`].
    pub fn check(&self) -> Result<(), StimulationError> {
        if self.count < 2 || self.count > MAX_COUNT {
            return Err(StimulationError::Unsound {
                what: "the number of places along an axis of the map",
                found: self.count.to_string(),
                expected: format!("2 to {MAX_COUNT}"),
            });
        }
        if !(self.half_mm > 0.0 && self.half_mm <= 30.0) {
            return Err(StimulationError::Unsound {
                what: "the reach of the map",
                found: format!("{} mm", self.half_mm),
                expected: "more than 0 and at most 30 mm".to_owned(),
            });
        }
        Ok(())
    }
}

/// Why a place has no thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It has: the needle can lie there.
    Free,
    /// The bare metal would stand in bone.
    Bone,
    /// The needle does not fit into the region computed there.
    NoFit,
}

/// Thresholds at one place.
#[derive(Debug, Clone, Serialize)]
pub struct MapPoint {
    /// Shift along the plane's axes, mm.
    pub shift_mm: [f64; 2],
    /// Whether the needle can lie there.
    pub place: Place,
    /// Of the typical Aβ fibre of the target; none up to the limit.
    pub target: Option<f64>,
    /// Of the most sensitive typical Aα fibre of a nerve of the leg; none up to the limit.
    pub leg: Option<f64>,
    /// Distance from the target's axis to that of the bare metal, mm.
    pub distance_mm: Option<f64>,
    /// Resistance of the tissue, Ω.
    pub resistance_ohm: Option<f64>,
}

/// Thresholds over places, row by row.
#[derive(Debug, Clone, Serialize)]
pub struct Map {
    /// What was asked for.
    pub request: MapRequest,
    /// The pulse.
    pub pulse: TestPulse,
    /// The places, the first axis fastest.
    pub points: Vec<MapPoint>,
}

/// The problem with its needles moved.
pub fn moved(problem: &LesionProblem, by_mm: &Vec3) -> LesionProblem {
    let mut problem = problem.clone();
    for needle in &mut problem.needles {
        needle.tip = PatientPoint::from_vec(needle.tip.vec() + by_mm);
    }
    problem
}

/// Computes a map; `problem` has the conductivities of stimulation, `patient` tells where bone is. `progress` is told how many places are
/// done and of how many, and says whether to go on.
///
/// # Errors
/// [`StimulationError`].
pub fn map(
    problem: &LesionProblem,
    patient: Option<&dyn Patient>,
    pathways: &[Pathway],
    catalog: &Catalog,
    pulse: &TestPulse,
    request: &MapRequest,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Map, StimulationError> {
    pulse.check()?;
    request.check()?;
    let [u, v] = request.plane.axes();
    let n = request.count;
    let step = 2.0 * request.half_mm / (n - 1) as f64;
    let shifts: Vec<[f64; 2]> = (0..n * n)
        .map(|k| [k % n, k / n].map(|i| i as f64 * step - request.half_mm))
        .collect();
    // Hundreds of fields in one patient: what lies where is looked up once. Cells of the coarse fields are larger than these spacings.
    let tip = &problem.needles[0].tip;
    let near = request.half_mm + NEAR_MM;
    let far = problem.domain.half_extent_mm() + (tip.vec() - problem.domain.center.vec()).norm();
    let mut problem = problem.clone();
    problem.anatomy = Arc::new(Sampled::new(problem.anatomy, tip, (near, FINE_MM), (far, COARSE_MM)));
    let done = std::sync::atomic::AtomicUsize::new(0);
    let points = shifts
        .par_iter()
        .with_max_len(1)
        .map(|shift| {
            let mut at = moved(&problem, &(u * shift[0] + v * shift[1]));
            at.solver.cell_size = request.cell_size;
            let point = point(&at, patient, pathways, catalog, pulse, *shift)?;
            let done = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            if progress(done, shifts.len()) {
                Ok(point)
            } else {
                Err(StimulationError::Cancelled)
            }
        })
        .collect::<Result<_, _>>()?;
    Ok(Map {
        request: *request,
        pulse: *pulse,
        points,
    })
}

fn point(
    problem: &LesionProblem,
    patient: Option<&dyn Patient>,
    pathways: &[Pathway],
    catalog: &Catalog,
    pulse: &TestPulse,
    shift_mm: [f64; 2],
) -> Result<MapPoint, StimulationError> {
    let nothing = |place| MapPoint {
        shift_mm,
        place,
        target: None,
        leg: None,
        distance_mm: None,
        resistance_ohm: None,
    };
    if patient.is_some_and(|p| in_bone(problem, p)) {
        return Ok(nothing(Place::Bone));
    }
    let examination = match Examination::new(problem, pathways, catalog) {
        Ok(examination) => examination,
        Err(StimulationError::Field(LesionError::Problem { .. })) => return Ok(nothing(Place::NoFit)),
        Err(error) => return Err(error),
    };
    let aimed: Vec<&Pathway> = pathways.iter().filter(|p| p.target).collect();
    let feeling = examination.typical(&aimed, pulse, FibreKind::ABeta)?;
    let target = feeling.first();
    let mut legs: Vec<(f64, &Pathway)> = pathways
        .iter()
        .filter(|p| territory(p.kind, p.nerve).leg)
        .map(|p| (p.nearest(&examination.field).1, p))
        .collect();
    legs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let nearest: Vec<&Pathway> = legs.iter().take(LEGS).map(|l| l.1).collect();
    let leg = examination
        .typical(&nearest, pulse, FibreKind::AAlpha)?
        .into_iter()
        .filter_map(|t| t.amplitude)
        .min_by(f64::total_cmp);
    Ok(MapPoint {
        shift_mm,
        place: Place::Free,
        target: target.and_then(|t| t.amplitude),
        leg,
        distance_mm: target.map(|t| t.distance_mm),
        resistance_ohm: Some(examination.circuit.tissue_ohm),
    })
}

/// Whether the axis of the bare metal of any needle lies in bone.
pub fn in_bone(problem: &LesionProblem, patient: &dyn Patient) -> bool {
    problem.needles.iter().any(|needle| {
        let direction = Vec3::from(needle.direction);
        (0..=10).any(|k| {
            let back = needle.active_tip_mm * f64::from(k) / 10.0;
            let p = PatientPoint::from_vec(needle.tip.vec() - direction * back);
            patient.bone_level_mm(&p) < 0.0
        })
    })
}
