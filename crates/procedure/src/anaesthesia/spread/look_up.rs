//! What a spread tells of a point and a time.

use std::{f64::consts::PI, sync::Arc};

use neurotome_base::{PatientPoint, Vec3};

use super::{Frame, MM, Spread};
use crate::{
    anaesthesia::nerve::bracket,
    anatomy::TissueId,
    catalog::FibreKind,
    lesion::{Injectate, ShareField},
};

impl Spread {
    /// The mean of a cells' value about a point, over the open cells among the eight about it; zero where there is none.
    pub(super) fn between(&self, p: &PatientPoint, value: impl Fn(usize) -> f64) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        self.grid.between(&(p.vec() * MM), |cell, w| {
            if self.open[cell] {
                sum += w * value(cell);
                weight += w;
            }
        });
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    fn at(&self, p: &PatientPoint, t_s: f64, field: impl Fn(&Frame, usize) -> f64) -> f64 {
        let (i, w) = bracket(&self.times_s, t_s);
        let (a, b) = (&self.frames[i], &self.frames[(i + 1).min(self.frames.len() - 1)]);
        self.between(p, |cell| (1.0 - w) * field(a, cell) + w * field(b, cell))
    }

    /// Time followed, s from the start of the injection.
    pub fn end_s(&self) -> f64 {
        self.times_s.last().copied().unwrap_or(0.0)
    }

    /// Concentration of the drug in the fluid of the pores at a point and time (s from the start of the injection), mmol/l. Within half a cell of
    /// open tissue closed tissue has that of its neighbour, so that a nerve that touches bone is not missed.
    pub fn concentration_mmol_per_l(&self, p: &PatientPoint, t_s: f64) -> f64 {
        if self.solution.drug.is_none() {
            return 0.0;
        }
        self.at(p, t_s, |frame, cell| f64::from(frame.drug[cell]))
    }

    /// Share of the volume that fluid can take at a point: zero in closed tissue.
    pub fn porosity(&self, p: &PatientPoint) -> f64 {
        self.porosity_of(self.anatomy.tissue_at(p))
    }

    fn porosity_of(&self, tissue: TissueId) -> f64 {
        self.porosity.get(usize::from(tissue.0)).copied().unwrap_or(0.0)
    }

    /// The fluid's share of the volume at a point and time, 0 to 1: none in closed tissue.
    pub fn share(&self, p: &PatientPoint, t_s: f64) -> f64 {
        self.share_in(self.anatomy.tissue_at(p), p, t_s)
    }

    /// The same where the tissue at the point is known: to look it up is the dearer part.
    pub fn share_in(&self, tissue: TissueId, p: &PatientPoint, t_s: f64) -> f64 {
        let porosity = self.porosity_of(tissue);
        if porosity <= 0.0 {
            return 0.0;
        }
        let part = self.at(p, t_s, |frame, cell| f64::from(frame.fluid[cell]));
        (porosity * part).clamp(0.0, 1.0)
    }

    /// The fluid as a lesion takes it, at a time after the end of the injection, s.
    pub fn injectate_at(self: &Arc<Self>, wait_s: f64) -> Injectate {
        Injectate {
            share: Arc::new(SpreadShare {
                spread: Arc::clone(self),
                t_s: self.injected_s + wait_s,
            }),
            sigma_s_per_m: self.solution.sigma_s_per_m,
            density_kg_per_m3: self.solution.density_kg_per_m3,
            specific_heat_j_per_kg_k: self.solution.specific_heat_j_per_kg_k,
        }
    }

    /// Middle of the first cell in mm, cells a side and their side in mm, for files.
    pub fn lattice(&self) -> (PatientPoint, [usize; 3], f64) {
        let first = PatientPoint::from_vec(self.grid.center_m(0) / MM);
        (first, self.grid.dims(), self.grid.spacing_m() / MM)
    }

    /// Diameter of the skin that is numb at a time, mm: of the circle as large as the part of the plane through `at`, normal to `normal`, in
    /// which nine in ten Aδ endings are blocked.
    pub fn numb_diameter_mm(&self, at: &PatientPoint, normal: &Vec3, t_s: f64) -> f64 {
        let Some(drug) = &self.solution.drug else { return 0.0 };
        let step = 0.5 * self.grid.spacing_m() / MM;
        let n = (self.grid.dims()[0] as f64 * self.grid.spacing_m() / MM / step) as i64 / 2;
        let (u, v) = neurotome_base::geometry::perpendicular_pair(normal);
        let numb = (-n..=n)
            .flat_map(|i| (-n..=n).map(move |j| (i, j)))
            .filter(|(i, j)| {
                let p = PatientPoint::from_vec(at.vec() + u * (*i as f64 * step) + v * (*j as f64 * step));
                let c = self.concentration_mmol_per_l(&p, t_s);
                drug.blocked_share(FibreKind::ADelta, c) >= 0.9
            })
            .count();
        2.0 * (numb as f64 * step * step / PI).sqrt()
    }
}

/// The share of an injected fluid at one time.
#[derive(Clone)]
pub struct SpreadShare {
    /// The spread.
    pub spread: Arc<Spread>,
    /// The time, s from the start of the injection.
    pub t_s: f64,
}

impl ShareField for SpreadShare {
    fn share_at(&self, p: &PatientPoint, tissue: TissueId) -> f64 {
        self.spread.share_in(tissue, p, self.t_s)
    }
}
