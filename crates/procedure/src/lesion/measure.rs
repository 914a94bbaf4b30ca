//! What is read off the fields: probes, contours, nerves.

use std::collections::BTreeMap;

use neurotome_base::{PatientPoint, Vec3, geometry::perpendicular_pair};
use neurotome_physics::grid::{CellField, Interpolator, LevelSet};
use rayon::prelude::*;

use super::{
    Contour, Contours, LesionProblem, NerveInjury, Snapshot, TissueInjury, heating::Heating, setup::LesionFrame,
};

const MM: f64 = 1e-3;
/// Pieces in which nerves are looked at, mm.
const STEP_MM: f64 = 0.1;
/// ln of the smallest Ω that is told from none.
const LEAST_LN_OMEGA: f64 = -690.0;

pub(super) struct Measure<'p> {
    problem: &'p LesionProblem,
    frame: LesionFrame,
}

/// ln Ω of every tissue cell.
pub(super) fn ln_omega(omega: &[f64]) -> Vec<f64> {
    omega.iter().map(|w| w.max(1e-300).ln().max(LEAST_LN_OMEGA)).collect()
}

/// A field that exists in tissue alone.
pub(super) fn tissue_only(values: &[f64]) -> CellField<'_> {
    CellField {
        tissue: values,
        metal: None,
        metal_share: 0.0,
    }
}

/// Points on the surface Ω = 1 at the end, mm.
pub(super) fn lesion_surface(heating: &Heating) -> Vec<PatientPoint> {
    let injury = ln_omega(&heating.state.injuries.omega);
    LevelSet::surface(&heating.interpolator, &tissue_only(&injury))
        .iter()
        .map(|p| PatientPoint::from_vec(p / MM))
        .collect()
}

impl<'p> Measure<'p> {
    pub fn new(problem: &'p LesionProblem, frame: LesionFrame) -> Self {
        Self { problem, frame }
    }

    /// Probes and readings now, without contours.
    pub fn probed(&self, heating: &Heating) -> Snapshot {
        let field = heating.temperature_field(&heating.state.temperature);
        let probes = self
            .problem
            .probes
            .iter()
            .map(|p| {
                let value = heating.interpolator.sample(&(p.position.vec() * MM), &field);
                (p.name.clone(), value.unwrap_or(self.problem.boundary_temperature_c))
            })
            .collect();
        let reading = heating.reading();
        Snapshot {
            t_s: reading.t_s,
            probes,
            power_w: reading.power_w,
            impedance_ohm: reading.impedance_ohm,
            voltage_v: reading.voltage_v[0],
            current_a: reading.current_a,
            contours: Contours::default(),
        }
    }

    fn injured(&self, heating: &Heating, omega: &[f64]) -> Option<Contour> {
        self.contour(&heating.interpolator, &tissue_only(&ln_omega(omega)))
    }

    fn isotherm(&self, heating: &Heating, level: f64) -> Option<Contour> {
        let above: Vec<f64> = heating.state.temperature.iter().map(|v| v - level).collect();
        self.contour(&heating.interpolator, &heating.temperature_field(&above))
    }

    fn dose(&self, heating: &Heating, minutes: f64) -> Option<Contour> {
        // The dose grows by decades, its logarithm evenly.
        let dose = heating.state.injuries.cem43.iter();
        let above: Vec<f64> = dose.map(|d| (d.max(1e-30) / minutes).ln()).collect();
        self.contour(&heating.interpolator, &tissue_only(&above))
    }

    pub fn contours(&self, heating: &Heating) -> Contours {
        let problem = self.problem;
        let ((iso45, iso50), (iso60, omega1)) = rayon::join(
            || rayon::join(|| self.isotherm(heating, 45.0), || self.isotherm(heating, 50.0)),
            || {
                rayon::join(
                    || self.isotherm(heating, 60.0),
                    || self.injured(heating, &heating.state.injuries.omega),
                )
            },
        );
        let isotherms = problem.more_isotherms_c.par_iter();
        let doses = problem.dose_contours_min.par_iter();
        let laws = problem.more_injury.par_iter().zip(&heating.state.injuries.more);
        let more = isotherms
            .map(|t| (format!("iso{t}"), self.isotherm(heating, *t)))
            .chain(doses.map(|minutes| (format!("cem43_{minutes}"), self.dose(heating, *minutes))))
            .chain(laws.map(|(law, omega)| (format!("omega1_{}", law.name), self.injured(heating, omega))))
            .collect::<BTreeMap<_, _>>();
        Contours {
            iso45,
            iso50,
            iso60,
            omega1,
            more,
        }
    }

    /// Injury of each tissue at the end.
    pub fn tissues(&self, heating: &Heating) -> Vec<TissueInjury> {
        let mut all: Vec<TissueInjury> = self
            .problem
            .tissue_names
            .iter()
            .map(|name| TissueInjury {
                tissue: name.clone(),
                injured_mm3: 0.0,
                peak_temperature_c: f64::NEG_INFINITY,
            })
            .collect();
        for (i, &tissue) in heating.medium.tissue.iter().enumerate() {
            let t = &mut all[usize::from(tissue)];
            t.peak_temperature_c = t.peak_temperature_c.max(heating.state.peak[i]);
            if heating.state.injuries.omega[i] >= 1.0 {
                t.injured_mm3 += heating.grid.volume[i] / MM.powi(3);
            }
        }
        all.retain(|t| t.peak_temperature_c.is_finite());
        all
    }

    fn contour(&self, interpolator: &Interpolator, field: &CellField) -> Option<Contour> {
        let set = LevelSet::new(interpolator, field)?;
        let span = |axis: &Vec3| -> Option<f64> {
            let high = set.extent(interpolator, field, axis)?;
            let low = set.extent(interpolator, field, &-axis)?;
            Some((high + low) / MM)
        };
        Some(Contour {
            width_mm: span(&self.frame.y)?,
            width_x_mm: span(&self.frame.x)?,
            length_mm: span(&self.frame.z)?,
            volume_mm3: set.volume / MM.powi(3),
        })
    }

    /// Injury of each nerve at the end.
    pub fn nerves(&self, heating: &Heating, surface: &[PatientPoint]) -> Vec<NerveInjury> {
        let interpolator = &heating.interpolator;
        let injuries = &heating.state.injuries;
        let injury = ln_omega(&injuries.omega);
        let more: Vec<Vec<f64>> = injuries.more.iter().map(|omega| ln_omega(omega)).collect();
        let peak = tissue_only(&heating.state.peak);
        self.problem
            .nerves
            .par_iter()
            .map(|nerve| {
                let mut destroyed_mm = 0.0;
                let mut by_law = vec![0.0; more.len()];
                let mut peak_temperature_c = self.problem.initial_temperature_c;
                let mut nearest = f64::INFINITY;
                for w in nerve.points.windows(2) {
                    let (a, b) = (w[0].vec(), w[1].vec());
                    let length = (b - a).norm();
                    if length == 0.0 {
                        continue;
                    }
                    let along = (b - a) / length;
                    let (u, v) = perpendicular_pair(&along);
                    let pieces = (length / STEP_MM).ceil() as usize;
                    let piece = length / pieces as f64;
                    for k in 0..pieces {
                        let p = a + along * ((k as f64 + 0.5) * piece);
                        let r = 0.5 * nerve.diameter_mm;
                        let dead = |q: Vec3, injury: &[f64]| {
                            interpolator
                                .sample(&(q * MM), &tissue_only(injury))
                                .is_some_and(|w| w >= 0.0)
                        };
                        let across = |injury: &[f64]| [u, -u, v, -v].iter().all(|d| dead(p + d * r, injury));
                        let axis_dead = dead(p, &injury);
                        if axis_dead && across(&injury) {
                            destroyed_mm += piece;
                        }
                        for (destroyed, injury) in by_law.iter_mut().zip(&more) {
                            if dead(p, injury) && across(injury) {
                                *destroyed += piece;
                            }
                        }
                        if let Some(t) = interpolator.sample(&(p * MM), &peak) {
                            peak_temperature_c = peak_temperature_c.max(t);
                        }
                        if axis_dead {
                            nearest = 0.0;
                        } else if nearest > 0.0 {
                            let d = surface
                                .iter()
                                .map(|s| (s.vec() - p).norm_squared())
                                .fold(f64::INFINITY, f64::min);
                            nearest = nearest.min(d.sqrt());
                        }
                    }
                }
                NerveInjury {
                    name: nerve.name.clone(),
                    destroyed_mm,
                    peak_temperature_c,
                    destroyed_by_law_mm: self
                        .problem
                        .more_injury
                        .iter()
                        .map(|l| l.name.clone())
                        .zip(by_law)
                        .collect(),
                    distance_to_lesion_mm: nearest.is_finite().then_some(nearest),
                }
            })
            .collect()
    }
}
