//! The shape of a lesion round a straight needle, as a table of its reach.
//!
//! A point beside the needle has three coordinates: its distance from the axis of the active tip (a segment), its place along that
//! segment or round one of its ends, and its angle round the axis.
//!
//! ```text
//!   place:   0 ........ CAP ........................ CAP + SIDE ........ CAP + SIDE + CAP
//!            straight   abeam of the end's middle    abeam of the upper   75° towards
//!            ahead      (one radius above the end)   end of the tip       the hub
//! ```
//!
//! A lesion is the set of points no farther than its reach at their place and angle.

use std::f64::consts::{FRAC_PI_2, TAU};

use neurotome_base::{PatientPoint, Vec3};

use super::pose::Pose;
use crate::lesion::{FieldSampler, Needle};

/// Intervals round each end of the active tip.
pub(super) const CAP: usize = 6;
/// Intervals along the active tip.
pub(super) const SIDE: usize = 12;
/// Places.
pub(super) const PLACES: usize = 2 * CAP + SIDE + 1;
/// Angles round the axis.
pub(super) const AROUND: usize = 16;
/// Largest angle towards the hub: beyond it rays run within the shaft.
const PROXIMAL_RAD: f64 = 75.0 * std::f64::consts::PI / 180.0;
/// Farthest reach looked for, mm.
const FARTHEST_MM: f64 = 15.0;
/// Step of the search along a ray, mm.
const STEP_MM: f64 = 0.25;

/// Sizes of a needle that its lesion's coordinates need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stem {
    /// Radius of the metal, mm.
    pub radius_mm: f64,
    /// Length of the active tip, mm.
    pub active_tip_mm: f64,
}

impl Stem {
    /// Those of a needle.
    pub fn of(needle: &Needle) -> Self {
        Self {
            radius_mm: 0.5 * needle.outer_diameter_mm,
            active_tip_mm: needle.active_tip_mm,
        }
    }

    /// Length of the segment, mm.
    fn span_mm(&self) -> f64 {
        self.active_tip_mm - self.radius_mm
    }

    /// Start and direction of the ray at a place and angle, in the needle's axes.
    pub(super) fn ray(&self, place: usize, around: usize) -> (Vec3, Vec3) {
        let (sin, cos) = (TAU * around as f64 / AROUND as f64).sin_cos();
        let across = Vec3::new(cos, sin, 0.0);
        let (z, tilt) = if place < CAP {
            let ahead = FRAC_PI_2 * (1.0 - place as f64 / CAP as f64);
            (0.0, -ahead)
        } else if place <= CAP + SIDE {
            (self.span_mm() * (place - CAP) as f64 / SIDE as f64, 0.0)
        } else {
            let behind = PROXIMAL_RAD * (place - CAP - SIDE) as f64 / CAP as f64;
            (self.span_mm(), behind)
        };
        let start = Vec3::new(0.0, 0.0, self.radius_mm + z);
        (start, across * tilt.cos() + Vec3::z() * tilt.sin())
    }

    /// Where along a ray the metal ends, mm.
    pub(super) fn metal_mm(&self, place: usize) -> f64 {
        if place <= CAP + SIDE {
            self.radius_mm
        } else {
            let behind = PROXIMAL_RAD * (place - CAP - SIDE) as f64 / CAP as f64;
            self.radius_mm / behind.cos()
        }
    }

    /// Distance from the segment in mm, place and angle of a point in the needle's axes; the latter two as fractions of table indices.
    fn coordinates(&self, p: &Vec3) -> (f64, f64, f64) {
        let across = p.x.hypot(p.y);
        let span = self.span_mm();
        let z = p.z - self.radius_mm;
        let (distance, place) = if z < 0.0 {
            let ahead = (-z).atan2(across);
            (across.hypot(z), CAP as f64 * (1.0 - ahead / FRAC_PI_2))
        } else if z <= span {
            (across, CAP as f64 + SIDE as f64 * z / span)
        } else {
            let behind = (z - span).atan2(across).min(PROXIMAL_RAD);
            (
                across.hypot(z - span),
                (CAP + SIDE) as f64 + CAP as f64 * behind / PROXIMAL_RAD,
            )
        };
        let turn = p.y.atan2(p.x) / TAU;
        (distance, place, (turn - turn.floor()) * AROUND as f64)
    }
}

/// A lesion's reach at every place and angle.
#[derive(Debug, Clone, PartialEq)]
pub struct LesionShape {
    /// The needle.
    pub stem: Stem,
    /// Reach from the segment, mm, [place][angle]; of tissue that is not destroyed at the metal, the metal's surface.
    reach_mm: Vec<f64>,
    farthest_mm: f64,
}

impl LesionShape {
    /// From a function of place and angle.
    pub(super) fn new(stem: Stem, reach_mm: impl Fn(usize, usize) -> f64) -> Self {
        let reach_mm: Vec<f64> = (0..PLACES * AROUND).map(|i| reach_mm(i / AROUND, i % AROUND)).collect();
        Self {
            farthest_mm: reach_mm.iter().copied().fold(0.0, f64::max),
            stem,
            reach_mm,
        }
    }

    /// Read off the fields of a full solve: along each ray to the first point with Ω < 1.
    pub fn read(needle: &Needle, fields: &dyn FieldSampler) -> Self {
        let stem = Stem::of(needle);
        let axes = Pose {
            tip_mm: needle.tip,
            direction: needle.direction,
        }
        .axes();
        Self::new(stem, |place, around| {
            let (start, ray) = stem.ray(place, around);
            let metal = stem.metal_mm(place);
            let ln_omega = |reach: f64| {
                let p = PatientPoint::from_vec(axes.patient(&(start + ray * reach)));
                fields.sample(&p).map(|s| s.ln_omega)
            };
            let (mut reach, mut last) = (metal, f64::NAN);
            while reach < FARTHEST_MM {
                let Some(now) = ln_omega(reach + STEP_MM) else {
                    // Still in metal, or out of the region.
                    reach += STEP_MM;
                    continue;
                };
                if now < 0.0 {
                    let share = if last > 0.0 { last / (last - now) } else { 0.0 };
                    return (reach + share * STEP_MM).max(metal);
                }
                last = now;
                reach += STEP_MM;
            }
            FARTHEST_MM
        })
    }

    /// The reach in the table, mm.
    pub(super) fn at(&self, place: usize, around: usize) -> f64 {
        self.reach_mm[place * AROUND + around]
    }

    /// The largest reach, mm.
    pub fn farthest_mm(&self) -> f64 {
        self.farthest_mm
    }

    /// How far a point in the needle's axes lies outside a lesion `scale` times as large, mm; negative inside.
    #[inline]
    pub fn outside_mm(&self, p: &Vec3, scale: f64) -> f64 {
        let (distance, place, around) = self.stem.coordinates(p);
        distance - scale * self.between(place, around)
    }

    fn between(&self, place: f64, around: f64) -> f64 {
        let (i, j) = ((place as usize).min(PLACES - 2), around as usize % AROUND);
        let (u, v) = (place - i as f64, around - around.floor());
        let next = (j + 1) % AROUND;
        let row = |i: usize| self.at(i, j) * (1.0 - v) + self.at(i, next) * v;
        row(i) * (1.0 - u) + row(i + 1) * u
    }

    /// Largest extents: across the needle (mean of all directions) and along it, mm.
    pub fn width_and_length_mm(&self) -> (f64, f64) {
        let mut widest = [0.0f64; AROUND];
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for place in 0..PLACES {
            for around in 0..AROUND {
                let (start, ray) = self.stem.ray(place, around);
                let p = start + ray * self.at(place, around);
                widest[around] = widest[around].max(p.x.hypot(p.y));
                (low, high) = (low.min(p.z), high.max(p.z));
            }
        }
        (2.0 * widest.iter().sum::<f64>() / AROUND as f64, high - low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEM: Stem = Stem {
        radius_mm: 0.5,
        active_tip_mm: 10.0,
    };

    #[test]
    fn rays_have_their_own_coordinates() {
        for place in 0..PLACES {
            for around in 0..AROUND {
                let (start, ray) = STEM.ray(place, around);
                assert!((ray.norm() - 1.0).abs() < 1e-12);
                let (distance, u, v) = STEM.coordinates(&(start + ray * 3.0));
                assert!((distance - 3.0).abs() < 1e-9, "{place} {around}: {distance}");
                assert!((u - place as f64).abs() < 1e-9, "{place}: {u}");
                let turn = (v - around as f64).abs();
                assert!(place == 0 || turn.min(AROUND as f64 - turn) < 1e-9, "{around}: {v}");
            }
        }
    }

    #[test]
    fn a_capsule_is_a_constant_reach() {
        let shape = LesionShape::new(STEM, |_, _| 4.0);
        assert!((shape.outside_mm(&Vec3::new(0.0, 5.0, 6.0), 1.0) - 1.0).abs() < 1e-12);
        assert!((shape.outside_mm(&Vec3::new(0.0, 0.0, -1.0), 1.0) + 2.5).abs() < 1e-12);
        // Half as large again.
        assert!((shape.outside_mm(&Vec3::new(3.0, 0.0, 6.0), 1.5) + 3.0).abs() < 1e-12);
        let (width, length) = shape.width_and_length_mm();
        assert!((width - 8.0).abs() < 1e-9, "{width}");
        // The last ray runs at 75°, which misses 4 (1 − sin 75°) = 0.14 mm.
        assert!((length - (9.5 + 8.0)).abs() < 0.15, "{length}");
    }
}
