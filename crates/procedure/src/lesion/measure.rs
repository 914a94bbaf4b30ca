//! What is read off the fields: probes, contours, nerves.

use neurotome_base::{PatientPoint, Vec3, geometry::perpendicular_pair};
use neurotome_physics::{
    grid::{CellField, Interpolator, LevelSet},
    medium::Medium,
};

use super::{
    Contour, Contours, LesionProblem, NerveInjury, Snapshot,
    coupled::{State, temperature_field},
    setup::LesionFrame,
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
pub(super) fn ln_omega(state: &State) -> Vec<f64> {
    state
        .omega
        .iter()
        .map(|w| w.max(1e-300).ln().max(LEAST_LN_OMEGA))
        .collect()
}

/// Points on the surface Ω = 1 at the end, mm.
pub(super) fn lesion_surface(interpolator: &Interpolator, state: &State) -> Vec<PatientPoint> {
    let injury = ln_omega(state);
    let field = CellField {
        tissue: &injury,
        metal: None,
        metal_share: 0.0,
    };
    LevelSet::new(interpolator, &field)
        .map(|s| s.surface.iter().map(|p| PatientPoint::from_vec(p / MM)).collect())
        .unwrap_or_default()
}

impl<'p> Measure<'p> {
    pub fn new(problem: &'p LesionProblem, frame: LesionFrame) -> Self {
        Self { problem, frame }
    }

    pub fn snapshot(
        &self,
        interpolator: &Interpolator,
        medium: &Medium,
        state: &State,
        t_s: f64,
        voltage_squared: f64,
        conductance: f64,
    ) -> Snapshot {
        let field = temperature_field(interpolator, &state.temperature, medium.metal_share);
        let probes = self
            .problem
            .probes
            .iter()
            .map(|p| {
                let value = interpolator.sample(&(p.position.vec() * MM), &field);
                (p.name.clone(), value.unwrap_or(self.problem.boundary_temperature_c))
            })
            .collect();
        let isotherm = |level: f64| {
            let above: Vec<f64> = state.temperature.iter().map(|v| v - level).collect();
            self.contour(
                interpolator,
                &temperature_field(interpolator, &above, medium.metal_share),
            )
        };
        let injury = ln_omega(state);
        let omega = CellField {
            tissue: &injury,
            metal: None,
            metal_share: 0.0,
        };
        let voltage_v = voltage_squared.sqrt();
        Snapshot {
            t_s,
            probes,
            power_w: voltage_squared * conductance,
            impedance_ohm: 1.0 / conductance,
            voltage_v,
            current_a: voltage_v * conductance,
            contours: Contours {
                iso45: isotherm(45.0),
                iso50: isotherm(50.0),
                iso60: isotherm(60.0),
                omega1: self.contour(interpolator, &omega),
            },
        }
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
    pub fn nerves(&self, interpolator: &Interpolator, state: &State, surface: &[PatientPoint]) -> Vec<NerveInjury> {
        let injury = ln_omega(state);
        let omega = CellField {
            tissue: &injury,
            metal: None,
            metal_share: 0.0,
        };
        let peak = CellField {
            tissue: &state.peak,
            metal: None,
            metal_share: 0.0,
        };
        self.problem
            .nerves
            .iter()
            .map(|nerve| {
                let mut destroyed_mm = 0.0;
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
                        let dead = |q: Vec3| interpolator.sample(&(q * MM), &omega).is_some_and(|w| w >= 0.0);
                        let axis_dead = dead(p);
                        let r = 0.5 * nerve.diameter_mm;
                        if axis_dead && [u, -u, v, -v].iter().all(|d| dead(p + d * r)) {
                            destroyed_mm += piece;
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
                    distance_to_lesion_mm: nearest.is_finite().then_some(nearest),
                }
            })
            .collect()
    }
}
