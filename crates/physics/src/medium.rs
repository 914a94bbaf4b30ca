//! The tissue laid on the grid: resistances of half cells, heat capacities, perfusion.
//!
//! A cell that a border cuts gets its volume's mean heat capacity and perfusion. The thermal resistance between its point and a face
//! is that of parallel columns, each a series of the tissues met on the way: exact for borders along and across the way. That serves
//! tissues that differ by little, as they do for heat. Unlike conductors of current share no cell: each is a node of its own
//! ([`Network`]). Tissue is looked up once at a lattice of points in each such cell ([`cut`]), from which all of these follow.

mod cut;
mod network;
mod parts;

use neurotome_base::Vec3;
use rayon::prelude::*;

pub use network::{Link, MetalLink, Network};

use self::{
    cut::Cut,
    parts::{Parts, Sample},
};
use crate::{
    grid::{Face, FaceKind, Grid},
    tissue::TissueProperties,
};

/// What lies where, as functions of a point in metres.
#[derive(Clone, Copy)]
pub struct Laid<'a> {
    /// The tissue, an index into the table of tissues.
    pub tissue: &'a (dyn Fn(&Vec3) -> u8 + Sync),
    /// The unit vector along the fibres, asked for only in tissues whose conductivity depends on it.
    pub fibre: &'a (dyn Fn(&Vec3) -> Vec3 + Sync),
    /// A fluid that was injected.
    pub injectate: Option<Injectate<'a>>,
}

impl<'a> Laid<'a> {
    /// Tissue alone, with fibres (where it has any) along z.
    pub fn tissue(tissue: &'a (dyn Fn(&Vec3) -> u8 + Sync)) -> Self {
        Self {
            tissue,
            fibre: &|_| Vec3::z(),
            injectate: None,
        }
    }
}

/// A fluid that was injected, mixed with the tissue in parallel: σ = (1 − c) σ_tissue + c σ_fluid, and likewise ρc.
#[derive(Clone, Copy)]
pub struct Injectate<'a> {
    /// Its share c of the volume at a point in a tissue, 0 to 1.
    pub share: &'a (dyn Fn(&Vec3, u8) -> f64 + Sync),
    /// Its conductivity at 37 °C, S/m.
    pub sigma_s_per_m: f64,
    /// Its heat capacity, J/(m³ K).
    pub heat_capacity_j_per_m3_k: f64,
}

/// Fibres of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fibre {
    /// The tissue cell.
    pub cell: u32,
    /// The tissue that has them.
    pub tissue: u8,
    /// Conductivity along the fibres less that across, times the cell's volume, at 37 °C, S m².
    pub extra: f64,
    /// Unit vector along the fibres.
    pub direction: Vec3,
}

/// A cell that is held at a temperature by fluid that flows through it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pinned {
    /// The tissue cell.
    pub cell: u32,
    /// How strongly, W/K.
    pub conductance: f64,
    /// Temperature, °C.
    pub temperature_c: f64,
}

/// Time in which a moving fluid is renewed, s: far below that of any change of interest.
const RENEWAL_S: f64 = 1e-3;

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
    /// The table of tissues.
    pub tissues: Vec<TissueProperties>,
    /// Tissue at each tissue cell's point.
    pub tissue: Vec<u8>,
    /// Cells with fibres, ascending.
    pub fibres: Vec<Fibre>,
    /// Cells in moving fluid, ascending.
    pub pinned: Vec<Pinned>,
    /// Resistances between the nodes of the current.
    pub network: Network,
    /// Mean conductivity of each tissue cell at 37 °C (across the fibres where it has any), S/m.
    pub sigma: Vec<f64>,
    /// Heat capacity of each cell, J/K.
    pub capacity: Vec<f64>,
    /// Perfusion of each cell at full flow, W/K.
    pub perfusion: Vec<f64>,
    /// Water in each cell, kg.
    pub water: Vec<f64>,
    /// Thermal conductance of each face, W/K.
    pub thermal: Vec<f64>,
    /// Electric resistance of each outer face at 37 °C, Ω.
    pub outer_electric: Vec<f64>,
    /// Thermal conductance of each outer face, W/K.
    pub outer_thermal: Vec<f64>,
    /// Mean share of the metal in the temperature of its surface: see [`crate::grid::CellField`].
    pub metal_share: f64,
}

/// Cells smaller than this, m, are smaller than any layer or nerve that an anatomy holds as a tissue (single voxels of a CT aside).
const FINE: f64 = 0.5e-3;

/// What a tissue cell holds.
struct Cell {
    tissue: u8,
    /// It holds no other tissue.
    uniform: bool,
    /// What a cell holds that a border cuts.
    cut: Option<Cut>,
    /// Its parts, where it holds unlike conductors.
    parts: Option<Parts>,
    sigma: f64,
    coefficient: f64,
    limit: f64,
    capacity: f64,
    perfusion: f64,
    water: f64,
    fibre: Option<Fibre>,
}

impl Medium {
    /// Lays tissues on a grid. `metals` has one entry a needle, `blood` is ρ c of blood in J/(m³ K).
    pub fn new(grid: &Grid, tissues: &[TissueProperties], laid: &Laid, metals: &[MetalProperties], blood: f64) -> Self {
        let n = grid.tissue_cells;
        let at = laid.tissue;
        let share = |p: &Vec3, tissue: u8| laid.injectate.map_or(0.0, |i| (i.share)(p, tissue).clamp(0.0, 1.0));
        // Conductivity and heat capacity of a tissue with a share of fluid in it.
        let sigma = |t: &TissueProperties, share: f64| match laid.injectate {
            Some(i) => t.sigma_s_per_m + share * (i.sigma_s_per_m - t.sigma_s_per_m),
            None => t.sigma_s_per_m,
        };
        let heat_capacity = |t: &TissueProperties, share: f64| match laid.injectate {
            Some(i) => {
                let tissue = t.heat_capacity_j_per_m3_k();
                tissue + share * (i.heat_capacity_j_per_m3_k - tissue)
            }
            None => t.heat_capacity_j_per_m3_k(),
        };
        // To look a tissue up is the dearer part.
        let tissue_of: Vec<u8> = grid.center[..n].par_iter().with_min_len(256).map(at).collect();
        let all_round =
            |i: usize, like: &dyn Fn(usize) -> bool| grid.neighbours_of(i).iter().all(|k| like(*k as usize));
        let as_those_round: Vec<bool> = (0..n)
            .into_par_iter()
            .with_min_len(4096)
            .map(|i| all_round(i, &|k| tissue_of[k] == tissue_of[i]))
            .collect();
        // Small cells two rows from any border hold one tissue.
        let deep = |i: usize| grid.size[i] < FINE && as_those_round[i] && all_round(i, &|k| as_those_round[k]);
        let cells: Vec<Cell> = (0..n)
            .into_par_iter()
            .with_min_len(256)
            .map(|i| {
                let (center, tissue) = (&grid.center[i], tissue_of[i]);
                // One tissue; and, if so, without fluid.
                let uniform = deep(i) || grid.sub_points(i as u32, 2).all(|p| at(&p) == tissue);
                let pure = uniform
                    && (laid.injectate.is_none()
                        || share(center, tissue) == 0.0
                            && grid.sub_points(i as u32, 2).all(|p| share(&p, tissue) == 0.0));
                let v = grid.volume[i];
                let t = &tissues[usize::from(tissue)];
                let mut cell = Cell {
                    tissue,
                    uniform,
                    cut: None,
                    parts: None,
                    sigma: t.sigma_s_per_m,
                    coefficient: t.sigma_temperature_coefficient_per_k,
                    limit: t.sigma_limit_temperature_c,
                    capacity: v * t.heat_capacity_j_per_m3_k(),
                    perfusion: v * t.perfusion_per_s * blood,
                    water: v * t.density_kg_per_m3 * t.water_fraction,
                    fibre: None,
                };
                let mut extra = (t.sigma_fibre_ratio - 1.0) * t.sigma_s_per_m;
                let mut fibred = tissue;
                if !pure {
                    let (mut count, mut weight) = (0.0, 0.0);
                    let (mut coefficient, mut limit) = (0.0, 0.0);
                    (cell.capacity, cell.perfusion, cell.water, extra) = (0.0, 0.0, 0.0, 0.0);
                    let mut inverse = Vec::with_capacity(cut::SIDE.pow(3));
                    let mut samples = Vec::with_capacity(cut::SIDE.pow(3));
                    for p in grid.sub_points(i as u32, cut::SIDE) {
                        let tissue = if uniform { tissue } else { at(&p) };
                        let share = share(&p, tissue);
                        let t = &tissues[usize::from(tissue)];
                        let sigma = sigma(t, share);
                        inverse.push([1.0 / sigma, 1.0 / t.thermal_conductivity_w_per_m_k]);
                        samples.push(Sample {
                            tissue,
                            plain: t.sigma_s_per_m,
                            sigma,
                            coefficient: t.sigma_temperature_coefficient_per_k,
                            limit: t.sigma_limit_temperature_c,
                        });
                        count += 1.0;
                        weight += sigma;
                        coefficient += sigma * t.sigma_temperature_coefficient_per_k;
                        limit += sigma * t.sigma_limit_temperature_c;
                        extra += (t.sigma_fibre_ratio - 1.0) * t.sigma_s_per_m * (1.0 - share);
                        if t.sigma_fibre_ratio > 1.0 {
                            fibred = tissue;
                        }
                        cell.capacity += heat_capacity(t, share);
                        cell.perfusion += t.perfusion_per_s * blood;
                        cell.water += t.density_kg_per_m3 * t.water_fraction;
                    }
                    cell.capacity *= v / count;
                    cell.perfusion *= v / count;
                    cell.water *= v / count;
                    cell.sigma = weight / count;
                    cell.coefficient = coefficient / weight;
                    cell.limit = limit / weight;
                    extra /= count;
                    cell.cut = Some(Cut::new(&inverse));
                    cell.parts = Parts::new(&samples, tissue, grid.spans(i as u32), v);
                }
                if extra > 0.0 {
                    cell.fibre = Some(Fibre {
                        cell: i as u32,
                        tissue: fibred,
                        extra: extra * v,
                        direction: (laid.fibre)(center),
                    });
                }
                cell
            })
            .collect();

        let is_fluid = |i: u32| tissues[usize::from(cells[i as usize].tissue)].fluid.is_some();
        // Means of 1/σ and 1/k from a cell's point to a face.
        let resistivity = |i: usize, to: u32, foot: &Vec3| -> [f64; 2] {
            let cell = i as u32;
            let Some(cut) = &cells[i].cut else {
                let own = &tissues[usize::from(cells[i].tissue)];
                return [1.0 / own.sigma_s_per_m, 1.0 / own.thermal_conductivity_w_per_m_k];
            };
            if let Some(side) = grid.side(cell, to) {
                return cut.towards(side);
            }
            let way = grid.half_columns(cell, foot, cut::COLUMNS, cut::ALONG);
            if grid.shells_of(cell).is_some() {
                cut::columns(way.map(|p| {
                    let tissue = if cells[i].uniform { cells[i].tissue } else { at(&p) };
                    let t = &tissues[usize::from(tissue)];
                    [
                        1.0 / sigma(t, share(&p, tissue)),
                        1.0 / t.thermal_conductivity_w_per_m_k,
                    ]
                }))
            } else {
                let (center, h) = (grid.center[i], grid.size[i]);
                cut::columns(way.map(|p| cut.at(&((p - center) / h))))
            }
        };
        let metal_k = |i: u32| metals[usize::from(grid.metal_needle[i as usize - n])].thermal_conductivity;
        let faces: Vec<((f64, f64), f64)> = grid
            .faces
            .par_iter()
            .with_min_len(256)
            .map(|f| {
                let (a, b) = (f.a as usize, f.b as usize);
                match f.kind {
                    FaceKind::Metal => ((0.0, 0.0), 1.0 / (f.ra / metal_k(f.a) + f.rb / metal_k(f.b))),
                    FaceKind::Electrode | FaceKind::Shaft => {
                        // Towards the metal: the foot of the perpendicular on its surface.
                        let [e, k] = resistivity(a, f.b, &grid.foot(f));
                        ((f.ra * e, 0.0), 1.0 / (f.ra * k + f.rb / metal_k(f.b)))
                    }
                    FaceKind::Tissue => {
                        let share = f.ra / (f.ra + f.rb);
                        let foot = grid.center[a] + (grid.center[b] - grid.center[a]) * share;
                        let [ea, ka] = resistivity(a, f.b, &foot);
                        let [eb, kb] = resistivity(b, f.a, &foot);
                        let thermal = if is_fluid(f.a) == is_fluid(f.b) {
                            1.0 / (f.ra * ka + f.rb * kb)
                        } else {
                            film(grid, tissues, at, f, ka, kb)
                        };
                        ((f.ra * ea, f.rb * eb), thermal)
                    }
                }
            })
            .collect();
        let (sides, thermal): (Vec<(f64, f64)>, Vec<f64>) = faces.into_iter().unzip();
        let network = Network::new(grid, &cells, tissues, &sides);
        let outer: Vec<(f64, f64)> = grid
            .outer
            .iter()
            .map(|f| {
                let tissue = cells[f.cell as usize].tissue;
                let t = &tissues[usize::from(tissue)];
                (
                    f.resistance / sigma(t, share(&grid.center[f.cell as usize], tissue)),
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
            .zip(&thermal)
            .filter(|(f, _)| f.kind == FaceKind::Electrode)
            .map(|(f, h)| 1.0 - h * f.rb / metal_k(f.b))
            .collect();
        let pinned = cells
            .iter()
            .enumerate()
            .filter_map(|(i, c)| {
                let fluid = tissues[usize::from(c.tissue)].fluid?;
                Some(Pinned {
                    cell: i as u32,
                    conductance: c.capacity / RENEWAL_S,
                    temperature_c: fluid.temperature_c,
                })
            })
            .collect();
        Self {
            tissues: tissues.to_vec(),
            fibres: cells.iter().filter_map(|c| c.fibre).collect(),
            pinned,
            tissue: cells.iter().map(|c| c.tissue).collect(),
            network,
            sigma: cells.iter().map(|c| c.sigma).collect(),
            capacity,
            perfusion,
            water: cells.iter().map(|c| c.water).collect(),
            thermal,
            outer_electric: outer.iter().map(|f| f.0).collect(),
            outer_thermal: outer.iter().map(|f| f.1).collect(),
            metal_share: shares.iter().sum::<f64>() / shares.len().max(1) as f64,
        }
    }

    /// σ(T)/σ(37) of a node of the network: of a tissue cell, or of a further part of one.
    #[inline]
    pub fn sigma_factor(&self, node: usize, temperature_c: f64) -> f64 {
        let network = &self.network;
        let rise = temperature_c.min(network.sigma_limit[node]) - 37.0;
        (1.0 + network.sigma_coefficient[node] * rise).max(0.05)
    }
}

/// Half the samples along a side of the cube in which the normal of a fluid's border is looked for.
const SIDE: i32 = 3;

/// Thermal conductance, W/K, of a face between tissue and moving fluid: the tissue's half, and the film at the border. The border
/// is a staircase of faces; each stands for its projection on the true border, so that their areas add up to its area.
fn film(
    grid: &Grid,
    tissues: &[TissueProperties],
    at: &(dyn Fn(&Vec3) -> u8 + Sync),
    face: &Face,
    ka: f64,
    kb: f64,
) -> f64 {
    let (a, b) = (grid.center[face.a as usize], grid.center[face.b as usize]);
    let way = b - a;
    let distance = way.norm();
    let area = distance / (face.ra + face.rb);
    let fluid_of = |p: &Vec3| tissues[usize::from(at(p))].fluid;
    // Normal of the true border: the first moment of the fluid in a ball round the middle of the face.
    let middle = 0.5 * (a + b);
    let mut normal = Vec3::zeros();
    for k in 0..(2 * SIDE + 1).pow(3) {
        let n = 2 * SIDE + 1;
        let v = Vec3::new(
            f64::from(k % n - SIDE),
            f64::from(k / n % n - SIDE),
            f64::from(k / (n * n) - SIDE),
        ) / f64::from(SIDE);
        if v.norm_squared() <= 1.0 && fluid_of(&(middle + v * distance)).is_some() {
            normal += v;
        }
    }
    let facing = if normal.norm() > 1e-9 {
        (normal.normalize().dot(&way) / distance).abs()
    } else {
        1.0
    };
    let (solid, fluid) = match (fluid_of(&a), fluid_of(&b)) {
        (Some(f), _) => (face.rb * kb, f),
        (_, Some(f)) => (face.ra * ka, f),
        (None, None) => return 1.0 / (face.ra * ka + face.rb * kb),
    };
    1.0 / (solid + 1.0 / (fluid.heat_transfer_w_per_m2_k * area * facing.max(1e-3)))
}
