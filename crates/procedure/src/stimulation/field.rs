//! The potential round the needle's bare metal at the frequencies of test stimulation.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::{
    current::Current,
    grid::{Axis, CellField, Interpolator},
};
use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Catalog, find},
    lesion::{LesionError, LesionProblem, Needle, Setup, needle_axis, not_converged},
};

const MM: f64 = 1e-3;
/// A nerve that a needle would pass through is pushed aside: its fibres stay so far from the metal, mm.
const ASIDE_MM: f64 = 0.15;
/// Cells as a part of those for heat: what fires a fibre is the potential's second difference along it.
const CELLS: f64 = 0.7;

/// Which published conductivities are taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conductivities {
    /// Those at 1 kHz, to which pulses of about a millisecond belong (Gabriel 1996).
    #[default]
    OneKilohertz,
    /// Those below it (IT'IS low frequency), where there are any; the two sets differ by up to twelvefold.
    Low,
}

/// The problem with the conductivities of stimulation in place of those of the radiofrequency, and the names of tissues that have none
/// in the catalogue and keep theirs.
pub fn at_stimulation(problem: &LesionProblem, catalog: &Catalog, set: Conductivities) -> (LesionProblem, Vec<String>) {
    let mut problem = problem.clone();
    let mut kept = Vec::new();
    for (name, tissue) in problem.tissue_names.iter().zip(&mut problem.tissues) {
        let Some(entry) = find(&catalog.tissues, name) else {
            kept.push(name.clone());
            continue;
        };
        let own = &entry.sigma_1khz_s_per_m;
        tissue.sigma_s_per_m = match set {
            Conductivities::OneKilohertz => own,
            Conductivities::Low => entry.sigma_50hz_s_per_m.as_ref().unwrap_or(own),
        }
        .value;
        tissue.sigma_fibre_ratio = entry.sigma_1khz_fibre_ratio.as_ref().map_or(1.0, |v| v.value);
    }
    (problem, kept)
}

/// The potential at one volt between tissue at the needle and the return electrode.
pub struct TipField {
    interpolator: Interpolator,
    potential: Vec<f64>,
    /// Axis and radius of each needle, m.
    needles: Vec<(Axis, f64)>,
    /// Places on the bare metal's axis, mm.
    bare: Vec<Vec3>,
    /// Resistance of the tissue, Ω.
    pub resistance_ohm: f64,
    /// Area of the bare metal at positive potential, mm².
    pub area_mm2: f64,
    /// Cells of the grid.
    pub cells: usize,
}

impl TipField {
    /// Solves for the potential; `problem` has the conductivities of stimulation already.
    ///
    /// # Errors
    /// [`LesionError`]: needles that do not fit, or a solve that does not converge.
    pub fn new(problem: &LesionProblem) -> Result<Self, LesionError> {
        let mut finer = problem.clone();
        finer.solver.cell_size *= CELLS;
        let Setup { grid, medium } = Setup::new(&finer)?;
        let fractions: Vec<f64> = problem.needles.iter().flat_map(Needle::potential_fractions).collect();
        let mut current = Current::new(&grid, &medium, &fractions);
        let cells = grid.cells();
        let body = vec![problem.initial_temperature_c; cells];
        let tolerance = problem.solver.linear_tolerance;
        let mut heat = vec![0.0; cells];
        let state = current.solve_one_volt(&grid, &medium, &body, tolerance, &mut heat);
        if !state.solved.converged {
            return Err(not_converged("potential", 0.0, &state.solved, tolerance, cells));
        }
        let potential = current.potential(&[1.0]);
        let needles: Vec<(Axis, f64)> = problem
            .needles
            .iter()
            .map(|n| (needle_axis(n), 0.5 * n.outer_diameter_mm * MM))
            .collect();
        let mut bare = Vec::new();
        let mut area_mm2 = 0.0;
        for (needle, (axis, radius)) in problem.needles.iter().zip(&needles) {
            for e in needle.electrodes().iter().filter(|e| e.potential_fraction > 0.0) {
                // The rounded end of a cylinder has the area of the cylinder that it ends.
                area_mm2 += std::f64::consts::PI * needle.outer_diameter_mm * (e.to_mm - e.from_mm);
                let end = radius / MM;
                bare.extend((0..=20).map(|k| {
                    let along = e.from_mm + (e.to_mm - e.from_mm) * f64::from(k) / 20.0;
                    axis.at((along - end) * MM).0 / MM
                }));
            }
        }
        Ok(Self {
            interpolator: Interpolator::new(Arc::clone(&grid)),
            potential,
            needles,
            bare,
            resistance_ohm: 1.0 / state.conductance,
            area_mm2,
            cells,
        })
    }

    /// Distance from a point to the axis of the bare metal, mm.
    pub fn distance_mm(&self, p: &PatientPoint) -> f64 {
        let p = p.vec();
        self.bare.iter().map(|b| (b - p).norm()).fold(f64::INFINITY, f64::min)
    }

    /// The potential at a point, volts at one volt; none outside the region. Within metal and close to it that of the tissue beside it.
    pub fn volts_at(&self, p: &PatientPoint) -> Option<f64> {
        let mut p = p.vec() * MM;
        for (axis, radius) in &self.needles {
            let (along, r, _) = axis.coordinates(&p);
            let (center, _, _, _) = axis.at(along.max(0.0));
            let least = radius + ASIDE_MM * MM;
            let reach = if along < 0.0 { r.hypot(along) } else { r };
            if reach < least {
                let out = p - center;
                let out = if out.norm() > 1e-9 { out.normalize() } else { Vec3::x() };
                p = center + out * least;
            }
        }
        let field = CellField {
            tissue: &self.potential,
            metal: None,
            metal_share: 0.0,
        };
        self.interpolator.sample(&p, &field)
    }
}
