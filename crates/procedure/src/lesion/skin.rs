//! The skin where a shaft passes it: how far the shaft is modelled, and what the skin beside it suffers.
//!
//! Steel beyond the active tip is a poor fin: in muscle its heat has gone into the tissue after some 3.5 mm, but that tissue carries it
//! on, over some 14 mm. No rod with losses describes both, so the shaft is modelled in space up to the skin, with long cells.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::grid::CellField;
use serde::{Deserialize, Serialize};

use super::{
    LesionProblem, Needle,
    heating::Heating,
    setup::{end_length_mm, needle_axis},
};

const MM: f64 = 1e-3;
/// Step along the shaft in the search for skin, mm.
const STEP_MM: f64 = 0.1;
/// The skin's surface is found to this, mm.
const SURFACE_MM: f64 = 1e-6;
/// Thickness of skin where only the place of its surface is known, mm: that taken in images.
const SKIN_MM: f64 = 2.0;
/// The shaft is modelled this far beyond the skin's surface, mm.
const BEYOND_MM: f64 = 1.0;
/// Distance from the metal at which skin is looked at, mm.
const BESIDE_MM: f64 = 0.05;
/// Places round the shaft and through the skin at which it is looked at.
const AROUND: usize = 8;
const THROUGH: usize = 5;

/// Skin beside a shaft where the shaft passes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkinEntry {
    /// The needle, counted from 1.
    pub needle: usize,
    /// Where its axis passes the skin's surface, mm from the distal end.
    pub from_tip_mm: f64,
    /// The same as a point, mm.
    pub entry_mm: PatientPoint,
    /// Highest temperature of the skin beside the shaft over the run, °C.
    pub skin_entry_c: f64,
    /// Largest Ω there at the end of the run.
    pub omega: f64,
    /// Largest thermal dose there, equivalent minutes at 43 °C.
    pub cem43_min: f64,
}

/// Skin along a shaft: from its deep side to its surface, mm from the distal end.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pass {
    deep_mm: f64,
    surface_mm: f64,
}

/// Where a needle passes the skin within the region computed.
fn pass(problem: &LesionProblem, needle: &Needle) -> Option<Pass> {
    let axis = needle_axis(needle);
    let end = end_length_mm(needle.outer_diameter_mm, needle.bevel.as_ref());
    let at = |s: f64| axis.at((s - end) * MM).0 / MM;
    let inside = |s: f64| problem.domain.level_mm(&at(s)) < 0.0;
    if let Some(surface_mm) = needle.skin_from_tip_mm {
        return inside(surface_mm).then_some(Pass {
            deep_mm: (surface_mm - SKIN_MM).max(end),
            surface_mm,
        });
    }
    let named = |name: &str| problem.tissue_names.iter().position(|n| n == name);
    let (skin, air) = (named("skin")?, named("air")?);
    let tissue = |s: f64| usize::from(problem.anatomy.tissue_at(&PatientPoint::from_vec(at(s))).0);
    let mut deep_mm = None;
    for k in 0..(needle.length_mm / STEP_MM) as usize {
        let s = end + STEP_MM * k as f64;
        if !inside(s) {
            return None;
        }
        match (tissue(s), deep_mm) {
            (t, None) if t == skin => deep_mm = Some(s),
            (t, Some(deep_mm)) if t == air => {
                let (mut within, mut out) = (s - STEP_MM, s);
                while out - within > SURFACE_MM {
                    let middle = 0.5 * (within + out);
                    if tissue(middle) == air {
                        out = middle;
                    } else {
                        within = middle;
                    }
                }
                return Some(Pass {
                    deep_mm,
                    surface_mm: within,
                });
            }
            (t, Some(_)) if t != skin => deep_mm = None,
            _ => {}
        }
    }
    None
}

/// Length of shaft above the bare metal that reaches through the skin, mm; the largest of all needles, 0 where none passes skin.
pub(super) fn shaft_to_skin_mm(problem: &LesionProblem) -> f64 {
    let beyond = |needle: &Needle| {
        let bare_mm = needle.electrodes().last().map_or(0.0, |e| e.to_mm);
        pass(problem, needle).map(|p| p.surface_mm + BEYOND_MM - bare_mm)
    };
    problem.needles.iter().filter_map(beyond).fold(0.0, f64::max)
}

/// What the skin beside each shaft suffered, where the region computed holds it.
pub(super) fn skin_entries(problem: &LesionProblem, heating: &Heating) -> Vec<SkinEntry> {
    let entry = |(index, needle): (usize, &Needle)| {
        let pass = pass(problem, needle)?;
        let axis = needle_axis(needle);
        let radius = 0.5 * needle.outer_diameter_mm;
        let end = end_length_mm(needle.outer_diameter_mm, needle.bevel.as_ref());
        let places: Vec<Vec3> = (0..THROUGH * AROUND)
            .map(|k| {
                let share = (k / AROUND) as f64 / (THROUGH - 1) as f64;
                // Just within the surface: beyond it is air.
                let surface = pass.surface_mm - STEP_MM;
                let s = pass.deep_mm + share * (surface - pass.deep_mm);
                let (c, _, e1, e2) = axis.at((s - end) * MM);
                let (sin, cos) = (std::f64::consts::TAU * (k % AROUND) as f64 / AROUND as f64).sin_cos();
                c + (e1 * cos + e2 * sin) * ((radius + BESIDE_MM) * MM)
            })
            .collect();
        let most = |values: &[f64]| {
            let field = CellField {
                tissue: values,
                metal: None,
                metal_share: 0.0,
            };
            let seen = places.iter().filter_map(|p| heating.interpolator.sample(p, &field));
            seen.fold(f64::NEG_INFINITY, f64::max)
        };
        let state = &heating.state;
        let skin_entry_c = most(&state.peak);
        skin_entry_c.is_finite().then(|| SkinEntry {
            needle: index + 1,
            from_tip_mm: pass.surface_mm,
            entry_mm: PatientPoint::from_vec(axis.at((pass.surface_mm - end) * MM).0 / MM),
            skin_entry_c,
            omega: most(&state.injuries.omega).max(0.0),
            cem43_min: most(&state.injuries.cem43).max(0.0),
        })
    };
    problem.needles.iter().enumerate().filter_map(entry).collect()
}
