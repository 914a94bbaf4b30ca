//! The patient apart from table and air; the soft tissue of mixed voxels; the depth below the skin.

use rayon::prelude::*;

use super::{CtAnatomyError, CtRules, bone::Bone, morphology::Grid, noise};

/// HU of what is not the patient.
const AIR_HU: i16 = -1000;
/// Outer air smaller than this is bowel gas at the edge of the image, mm³.
const SMALLEST_OUTER_AIR_MM3: f64 = 3000.0;
/// Smallest body, mm³.
const SMALLEST_BODY_MM3: f64 = 1000.0;
/// Noise up to which single voxels are believed, HU: a quarter of the way from the border of fat to muscle.
const QUIET_HU: f64 = 20.0;
/// Depth where there is no outer air, mm.
const DEEP_MM: f32 = 30.0;

pub(super) struct Body {
    /// HU, with everything that is not the patient turned to air.
    pub hu: Vec<i16>,
    /// The outer air, one voxel of the mixed rim left out.
    outer_air: Vec<bool>,
}

pub(super) fn find(hu: &[f32], grid: &Grid, rules: &CtRules) -> Result<Body, CtAnatomyError> {
    let above: Vec<bool> = hu.iter().map(|v| f64::from(*v) > rules.body_above_hu).collect();
    let below: Vec<bool> = above.iter().map(|m| !m).collect();
    // Opening: what is thinner than two radii goes, and with it the bridges to the table.
    let inner: Vec<bool> = grid
        .distance_mm(&below)
        .iter()
        .map(|d| f64::from(*d) > rules.cut_plates_mm)
        .collect();
    let parts = grid.parts(&inner);
    let (part, voxels) = parts.largest().unwrap_or((0, 0));
    if voxels as f64 * grid.voxel_mm3() < SMALLEST_BODY_MM3 {
        return Err(CtAnatomyError::NoBody {
            voxels,
            total: hu.len(),
            above_hu: rules.body_above_hu,
        });
    }
    let kernel: Vec<bool> = parts.part_of.iter().map(|p| *p == part).collect();
    let widest = grid.spacing_mm.iter().copied().fold(0.0, f64::max);
    // Back by the radius, and by a voxel for the rounding of distances.
    let reach = rules.cut_plates_mm + grid.spacing_mm[0].min(grid.spacing_mm[1]).min(grid.spacing_mm[2]);
    let body: Vec<bool> = grid
        .distance_mm(&kernel)
        .iter()
        .zip(&above)
        .map(|(d, above)| *above && f64::from(*d) <= reach.max(widest.min(2.0 * rules.cut_plates_mm)))
        .collect();
    // Voxels next to the body hold a part of it and keep their value; so does all that the body encloses.
    let outside: Vec<bool> = body.iter().map(|b| !b).collect();
    let around = grid.parts(&outside);
    let rim = touching(&body, grid);
    let patient: Vec<bool> = (0..hu.len())
        .map(|n| {
            body[n] || rim[n] || {
                let part = around.part_of[n];
                part != u32::MAX && !around.at_border[part as usize]
            }
        })
        .collect();
    let hu: Vec<i16> = hu
        .iter()
        .zip(&patient)
        .map(|(v, inside)| {
            if *inside && v.is_finite() {
                v.clamp(-1024.0, 30_000.0).round() as i16
            } else {
                AIR_HU
            }
        })
        .collect();
    // The outer air: large parts of air that reach an edge of the image, where two of its faces meet. Gas of the bowel may
    // reach a face, but hardly an edge.
    let air: Vec<bool> = hu.iter().map(|v| f64::from(*v) < rules.air_below_hu).collect();
    let parts = grid.parts(&air);
    let mut at_edge = vec![false; parts.sizes.len()];
    for n in (0..hu.len()).filter(|n| air[*n] && grid.at_edge(*n)) {
        at_edge[parts.part_of[n] as usize] = true;
    }
    let outer_air = parts
        .part_of
        .iter()
        .map(|p| {
            *p != u32::MAX
                && at_edge[*p as usize]
                && parts.sizes[*p as usize] as f64 * grid.voxel_mm3() >= SMALLEST_OUTER_AIR_MM3
        })
        .collect();
    Ok(Body { hu, outer_air })
}

/// Voxels that have a voxel of the mask among their 26 neighbours.
fn touching(mask: &[bool], grid: &Grid) -> Vec<bool> {
    (0..mask.len())
        .into_par_iter()
        .map(|n| {
            let at = grid.index(n);
            grid.neighbours
                .iter()
                .any(|(by, _)| grid.step(n, at, *by).is_some_and(|m| mask[m]))
        })
        .collect()
}

/// HU of the soft tissue of each voxel: its own, or where it is mixed with bone that beside the bone, or where it is mixed with
/// air that of the neighbour farthest from air.
pub(super) fn soft_values(body: &Body, sigma_hu: f64, bone: &Bone, grid: &Grid, rules: &CtRules) -> Vec<i16> {
    let air: Vec<bool> = body.hu.iter().map(|v| f64::from(*v) < rules.air_below_hu).collect();
    let beside_air = touching(&air, grid);
    // Where fat and muscle cannot be told voxel by voxel, the mean of neighbours decides.
    let hu = if sigma_hu > QUIET_HU {
        let may = |n: usize| !air[n] && !beside_air[n] && bone.beside[n].is_none() && bone.fraction[n] < 0.5;
        let mut hu = noise::average(&body.hu, may, grid);
        hu.iter_mut()
            .zip(&body.hu)
            .zip(&air)
            .filter(|(_, air)| **air)
            .for_each(|((v, own), _)| *v = *own);
        hu
    } else {
        body.hu.clone()
    };
    let own: Vec<i16> = hu
        .iter()
        .zip(&bone.beside)
        .map(|(hu, beside)| beside.unwrap_or(*hu))
        .collect();
    (0..own.len())
        .into_par_iter()
        .map(|n| {
            if !(air[n] || beside_air[n]) {
                return own[n];
            }
            let at = grid.index(n);
            let pure = |m: usize| !air[m] && !beside_air[m];
            // The nearest pure neighbours decide: first within one step, then within two.
            let nearest = |n: usize, at: [usize; 3]| {
                let mut found: Option<(f32, i32, i32)> = None;
                for (by, d) in &grid.neighbours {
                    if found.is_some_and(|(best, ..)| *d > best * 1.01) {
                        break;
                    }
                    if let Some(m) = grid.step(n, at, *by).filter(|m| pure(*m)) {
                        let (_, sum, count) = found.unwrap_or((*d, 0, 0));
                        found = Some((*d, sum + i32::from(own[m]), count + 1));
                    }
                }
                found.map(|(_, sum, count)| (sum / count) as i16)
            };
            nearest(n, at)
                .or_else(|| {
                    grid.neighbours.iter().find_map(|(by, _)| {
                        let m = grid.step(n, at, *by).filter(|m| !air[*m])?;
                        nearest(m, grid.index(m))
                    })
                })
                // A film with nothing pure behind it is soft tissue, not fat.
                .unwrap_or_else(|| if air[n] { own[n] } else { own[n].max(0) })
        })
        .collect()
}

/// Distance in mm from the outer air's surface, about half a voxel inside the last voxel of air.
pub(super) fn depth_mm(body: &Body, grid: &Grid) -> Vec<f32> {
    if !body.outer_air.contains(&true) {
        return vec![DEEP_MM; body.hu.len()];
    }
    let half = 0.5 * grid.spacing_mm.iter().copied().fold(f64::INFINITY, f64::min) as f32;
    grid.distance_mm(&body.outer_air)
        .into_iter()
        .map(|d| (d - half).min(DEEP_MM))
        .collect()
}
