//! The box of cells in which an injection spreads: what lies in them, and through which the fluid enters.

use std::f64::consts::PI;

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::transport::{BoxGrid, FlowSource};
use rayon::prelude::*;

use super::MM;
use crate::{
    anaesthesia::{AnaesthesiaError, Injection, TissueTransport},
    anatomy::TissueId,
};

/// The fluid enters through cells within this distance of the tip, or else those nearest within [`REACH_MM`].
const MOUTH_MM: f64 = 0.75;
const REACH_MM: f64 = 2.5;
/// Porosity and half space by which the box is laid out.
const LAYOUT_POROSITY: f64 = 0.25;
/// Samples a side in cells that a border cuts.
const SUB: usize = 3;

/// What lies in the cells.
pub(super) struct Cells {
    pub permeability_m2: Vec<f64>,
    pub porosity: Vec<f64>,
    pub perfusion_per_s: Vec<f64>,
    /// Part of each cell that is open.
    pub open: Vec<f64>,
    /// Tissues met, ascending.
    pub tissues: Vec<TissueId>,
}

/// The box of cells: twice the radius of a half ball of the fluid to each side.
pub(super) fn layout(injection: &Injection) -> Result<BoxGrid, AnaesthesiaError> {
    let radius_mm = (2.0 * 3.0 * 1000.0 * injection.volume_ml / (4.0 * PI * LAYOUT_POROSITY)).cbrt();
    let cell_mm = injection.cell_mm.unwrap_or((radius_mm / 14.0).clamp(0.4, 1.2));
    let half_mm = 1.6 * radius_mm + 4.0;
    Ok(BoxGrid::around(injection.tip.vec() * MM, half_mm * MM, cell_mm * MM)?)
}

/// Looks up the tissue at the cells' middles, and at more points in cells that differ from a neighbour.
pub(super) fn fill(injection: &Injection, grid: &BoxGrid) -> Result<Cells, AnaesthesiaError> {
    let at = |p: &Vec3| injection.anatomy.tissue_at(&PatientPoint::from_vec(p / MM));
    let middle: Vec<TissueId> = (0..grid.cells())
        .into_par_iter()
        .with_min_len(1024)
        .map(|i| at(&grid.center_m(i)))
        .collect();
    let [nx, ny, nz] = grid.dims();
    let differs = |cell: usize| {
        let [i, j, k] = grid.place(cell);
        let ranges = [(i, nx), (j, ny), (k, nz)].map(|(i, n)| i.saturating_sub(1)..(i + 2).min(n));
        let [x, y, z] = ranges;
        z.clone().any(|k| {
            y.clone().any(|j| {
                let row = nx * (j + ny * k);
                middle[row + x.start..row + x.end].iter().any(|t| *t != middle[cell])
            })
        })
    };
    let of = |t: TissueId| -> Result<(TissueTransport, f64), AnaesthesiaError> {
        let index = usize::from(t.0);
        let transport = injection.transport.get(index).copied().flatten();
        let transport = transport.ok_or_else(|| AnaesthesiaError::Tissue {
            name: injection
                .tissue_names
                .get(index)
                .cloned()
                .unwrap_or_else(|| format!("{index}")),
        })?;
        Ok((transport, injection.perfusion_per_s.get(index).copied().unwrap_or(0.0)))
    };
    // Mean of the open part: permeability and porosity of what is open, over the whole cell.
    let mean = |tissues: &mut dyn Iterator<Item = TissueId>| -> Result<[f64; 4], AnaesthesiaError> {
        let (mut sum, mut count) = ([0.0; 4], 0.0);
        for t in tissues {
            let (transport, perfusion) = of(t)?;
            if transport.permeability_m2 > 0.0 {
                sum[0] += transport.permeability_m2;
                sum[1] += transport.porosity;
                sum[2] += perfusion;
                sum[3] += 1.0;
            }
            count += 1.0;
        }
        Ok(sum.map(|s| s / count))
    };
    let h = grid.spacing_m();
    let all: Vec<Result<[f64; 4], AnaesthesiaError>> = (0..grid.cells())
        .into_par_iter()
        .with_min_len(1024)
        .map(|cell| {
            if !differs(cell) {
                return mean(&mut std::iter::once(middle[cell]));
            }
            let center = grid.center_m(cell);
            let offset = |n: usize| ((n as f64 + 0.5) / SUB as f64 - 0.5) * h;
            let mut points = (0..SUB.pow(3)).map(|n| {
                let step = Vec3::new(offset(n % SUB), offset(n / SUB % SUB), offset(n / (SUB * SUB)));
                at(&(center + step))
            });
            mean(&mut points)
        })
        .collect();
    let mut cells = Cells {
        permeability_m2: Vec::with_capacity(all.len()),
        porosity: Vec::with_capacity(all.len()),
        perfusion_per_s: Vec::with_capacity(all.len()),
        open: Vec::with_capacity(all.len()),
        tissues: Vec::new(),
    };
    let mut met = [false; 256];
    for t in &middle {
        met[usize::from(t.0)] = true;
    }
    cells.tissues = (0..=u8::MAX).filter(|t| met[usize::from(*t)]).map(TissueId).collect();
    for cell in all {
        let [permeability, porosity, perfusion, open] = cell?;
        cells.permeability_m2.push(permeability);
        cells.porosity.push(porosity);
        cells.perfusion_per_s.push(perfusion);
        cells.open.push(open);
    }
    Ok(cells)
}

/// Cells through which the fluid enters.
pub(super) fn mouth(
    injection: &Injection,
    grid: &BoxGrid,
    cells: &Cells,
    rate_m3_per_s: f64,
) -> Result<Vec<FlowSource>, AnaesthesiaError> {
    let tip = injection.tip.vec() * MM;
    let mut near: Vec<(f64, usize)> = (0..grid.cells())
        .filter(|i| cells.permeability_m2[*i] > 0.0)
        .map(|i| ((grid.center_m(i) - tip).norm(), i))
        .filter(|(d, _)| *d <= REACH_MM * MM)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let Some(nearest) = near.first().map(|n| n.0) else {
        let tissue = usize::from(injection.anatomy.tissue_at(&injection.tip).0);
        return Err(AnaesthesiaError::Tip {
            tip_mm: injection.tip.xyz,
            tissue: injection.tissue_names.get(tissue).cloned().unwrap_or_default(),
            reach_mm: REACH_MM,
        });
    };
    near.retain(|(d, _)| *d <= (MOUTH_MM * MM).max(nearest * (1.0 + 1e-9)));
    let each = rate_m3_per_s / near.len() as f64;
    Ok(near
        .into_iter()
        .map(|(_, cell)| FlowSource {
            cell,
            rate_m3_per_s: each,
        })
        .collect())
}
