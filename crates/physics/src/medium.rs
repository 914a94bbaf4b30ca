//! The tissue laid on the grid: resistances of half cells, heat capacities, perfusion.
//!
//! A cell that a border cuts gets its volume's mean heat capacity and perfusion. The resistance between its point and a face
//! is that of parallel columns, each a series of the tissues met on the way: exact for borders along and across the way.

use neurotome_base::{Vec3, geometry::perpendicular_pair};
use rayon::prelude::*;

use crate::{
    grid::{FaceKind, Grid},
    tissue::TissueProperties,
};

/// Thermal properties of a needle's metal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetalProperties {
    /// Thermal conductivity, W/(m K).
    pub thermal_conductivity: f64,
    /// Heat capacity, J/(m³ K).
    pub heat_capacity: f64,
}

/// Everything about the materials that the equations need.
pub struct Medium {
    /// Tissue at each tissue cell's point.
    pub tissue: Vec<u8>,
    /// Relative change of σ per kelvin, for each tissue cell.
    pub sigma_coefficient: Vec<f64>,
    /// Temperature in °C above which σ rises no further, for each tissue cell.
    pub sigma_limit: Vec<f64>,
    /// Heat capacity of each cell, J/K.
    pub capacity: Vec<f64>,
    /// Perfusion of each cell at full flow, W/K.
    pub perfusion: Vec<f64>,
    /// Water in each cell, kg.
    pub water: Vec<f64>,
    /// Electric resistance of side `a` of each face at 37 °C, Ω (tissue sides only).
    pub electric_a: Vec<f64>,
    /// Electric resistance of side `b`, Ω; zero at an electrode.
    pub electric_b: Vec<f64>,
    /// Thermal conductance of each face, W/K.
    pub thermal: Vec<f64>,
    /// Electric resistance of each outer face at 37 °C, Ω.
    pub outer_electric: Vec<f64>,
    /// Thermal conductance of each outer face, W/K.
    pub outer_thermal: Vec<f64>,
    /// Mean share of the metal in the temperature of its surface: see [`crate::grid::CellField`].
    pub metal_share: f64,
}

/// What a tissue cell holds.
struct Cell {
    tissue: u8,
    pure: bool,
    coefficient: f64,
    limit: f64,
    capacity: f64,
    perfusion: f64,
    water: f64,
}

/// Points on the way from a cell's point to a face, in each column.
const ALONG: usize = 5;

impl Medium {
    /// Lays tissues on a grid. `at` names the tissue at a point (an index into `tissues`), `metals` has one entry a needle,
    /// `blood` is ρ c of blood in J/(m³ K).
    pub fn new(
        grid: &Grid,
        tissues: &[TissueProperties],
        at: &(dyn Fn(&Vec3) -> u8 + Sync),
        metals: &[MetalProperties],
        blood: f64,
    ) -> Self {
        let n = grid.tissue_cells;
        let cells: Vec<Cell> = (0..n)
            .into_par_iter()
            .with_min_len(256)
            .map(|i| {
                let center = &grid.center[i];
                let tissue = at(center);
                let pure = grid.sub_points(i as u32, 2).all(|p| at(&p) == tissue);
                let v = grid.volume[i];
                let t = &tissues[usize::from(tissue)];
                let mut cell = Cell {
                    tissue,
                    pure,
                    coefficient: t.sigma_temperature_coefficient_per_k,
                    limit: t.sigma_limit_temperature_c,
                    capacity: v * t.heat_capacity_j_per_m3_k(),
                    perfusion: v * t.perfusion_per_s * blood,
                    water: v * t.density_kg_per_m3 * t.water_fraction,
                };
                if !pure {
                    let (mut count, mut weight) = (0.0, 0.0);
                    let (mut coefficient, mut limit) = (0.0, 0.0);
                    (cell.capacity, cell.perfusion, cell.water) = (0.0, 0.0, 0.0);
                    for p in grid.sub_points(i as u32, 4) {
                        let t = &tissues[usize::from(at(&p))];
                        count += 1.0;
                        weight += t.sigma_s_per_m;
                        coefficient += t.sigma_s_per_m * t.sigma_temperature_coefficient_per_k;
                        limit += t.sigma_s_per_m * t.sigma_limit_temperature_c;
                        cell.capacity += t.heat_capacity_j_per_m3_k();
                        cell.perfusion += t.perfusion_per_s * blood;
                        cell.water += t.density_kg_per_m3 * t.water_fraction;
                    }
                    cell.capacity *= v / count;
                    cell.perfusion *= v / count;
                    cell.water *= v / count;
                    cell.coefficient = coefficient / weight;
                    cell.limit = limit / weight;
                }
                cell
            })
            .collect();

        // Means of 1/σ and 1/k on the way from a cell's point to a face, over parallel columns.
        let resistivity = |i: usize, towards: &Vec3, fraction: f64| -> (f64, f64) {
            let own = &tissues[usize::from(cells[i].tissue)];
            if cells[i].pure {
                return (1.0 / own.sigma_s_per_m, 1.0 / own.thermal_conductivity_w_per_m_k);
            }
            let way = (towards - grid.center[i]) * fraction;
            let (u, v) = perpendicular_pair(&way.normalize());
            let width = 0.25 * grid.across(i as u32);
            let (mut electric, mut thermal) = (0.0, 0.0);
            for column in 0..4 {
                let offset =
                    u * if column & 1 == 0 { -width } else { width } + v * if column & 2 == 0 { -width } else { width };
                let (mut e, mut k) = (0.0, 0.0);
                for s in 0..ALONG {
                    let p = grid.center[i] + way * ((s as f64 + 0.5) / ALONG as f64) + offset;
                    let t = &tissues[usize::from(at(&p))];
                    e += 1.0 / t.sigma_s_per_m;
                    k += 1.0 / t.thermal_conductivity_w_per_m_k;
                }
                electric += ALONG as f64 / e;
                thermal += ALONG as f64 / k;
            }
            (4.0 / electric, 4.0 / thermal)
        };
        let metal_k = |i: u32| metals[usize::from(grid.metal_needle[i as usize - n])].thermal_conductivity;
        let faces: Vec<(f64, f64, f64)> = grid
            .faces
            .par_iter()
            .with_min_len(256)
            .map(|f| {
                let (a, b) = (f.a as usize, f.b as usize);
                match f.kind {
                    FaceKind::Metal => (0.0, 0.0, 1.0 / (f.ra / metal_k(f.a) + f.rb / metal_k(f.b))),
                    FaceKind::Electrode | FaceKind::Shaft => {
                        // Towards the metal: the foot of the perpendicular on its surface.
                        let (e, k) = resistivity(a, &grid.foot(f), 1.0);
                        (f.ra * e, 0.0, 1.0 / (f.ra * k + f.rb / metal_k(f.b)))
                    }
                    FaceKind::Tissue => {
                        let share = f.ra / (f.ra + f.rb);
                        let (ea, ka) = resistivity(a, &grid.center[b], share);
                        let (eb, kb) = resistivity(b, &grid.center[a], 1.0 - share);
                        (f.ra * ea, f.rb * eb, 1.0 / (f.ra * ka + f.rb * kb))
                    }
                }
            })
            .collect();
        let outer: Vec<(f64, f64)> = grid
            .outer
            .iter()
            .map(|f| {
                let t = &tissues[usize::from(cells[f.cell as usize].tissue)];
                (
                    f.resistance / t.sigma_s_per_m,
                    t.thermal_conductivity_w_per_m_k / f.resistance,
                )
            })
            .collect();
        let mut capacity: Vec<f64> = cells.iter().map(|c| c.capacity).collect();
        for (k, &needle) in grid.metal_needle.iter().enumerate() {
            capacity.push(grid.volume[n + k] * metals[usize::from(needle)].heat_capacity);
        }
        let mut perfusion: Vec<f64> = cells.iter().map(|c| c.perfusion).collect();
        perfusion.resize(capacity.len(), 0.0);
        let shares: Vec<f64> = grid
            .faces
            .iter()
            .zip(&faces)
            .filter(|(f, _)| f.kind == FaceKind::Electrode)
            .map(|(f, h)| 1.0 - h.2 * f.rb / metal_k(f.b))
            .collect();
        Self {
            tissue: cells.iter().map(|c| c.tissue).collect(),
            sigma_coefficient: cells.iter().map(|c| c.coefficient).collect(),
            sigma_limit: cells.iter().map(|c| c.limit).collect(),
            capacity,
            perfusion,
            water: cells.iter().map(|c| c.water).collect(),
            electric_a: faces.iter().map(|f| f.0).collect(),
            electric_b: faces.iter().map(|f| f.1).collect(),
            thermal: faces.iter().map(|f| f.2).collect(),
            outer_electric: outer.iter().map(|f| f.0).collect(),
            outer_thermal: outer.iter().map(|f| f.1).collect(),
            metal_share: shares.iter().sum::<f64>() / shares.len().max(1) as f64,
        }
    }

    /// σ(T)/σ(37) of a tissue cell.
    #[inline]
    pub fn sigma_factor(&self, i: usize, temperature_c: f64) -> f64 {
        (1.0 + self.sigma_coefficient[i] * (temperature_c.min(self.sigma_limit[i]) - 37.0)).max(0.05)
    }
}
