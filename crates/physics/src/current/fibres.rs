//! Conduction along fibres: the part of an anisotropic σ that the two-point fluxes do not carry.
//!
//! With σ = σ_across 1 + (σ_along − σ_across) f fᵀ the power is that of the two-point fluxes with σ_across plus
//! `Σ W (f·∇u)²` over the cells, `W = (σ_along − σ_across) V`. Its derivative, `Dᵀ W D` with the cells' directional derivatives
//! `D`, is symmetric and never negative, whatever the direction of the fibres; so is the sum.
//!
//! Method: Eymard, Gallouët and Herbin, IMA J. Numer. Anal. 26 (2006) 326: a cell gradient for the tensor, two-point fluxes for
//! stability.

use neurotome_base::{Vec3, parallel::for_blocks};

use crate::{
    grid::{FaceKind, Grid, Link},
    linear::{Matrix, Operator},
    medium::{Medium, MetalLink},
};

/// Rows of coefficients, most of them short or empty.
#[derive(Default)]
struct Rows {
    start: Vec<u32>,
    entry: Vec<(u32, f64)>,
}

impl Rows {
    fn new(rows: &[Vec<(u32, f64)>]) -> Self {
        let mut out = Self {
            start: vec![0],
            entry: Vec::new(),
        };
        for row in rows {
            out.entry.extend_from_slice(row);
            out.start.push(out.entry.len() as u32);
        }
        out
    }

    #[inline]
    fn times(&self, i: usize, x: &[f64]) -> f64 {
        self.entry[self.start[i] as usize..self.start[i + 1] as usize]
            .iter()
            .map(|&(j, c)| c * x[j as usize])
            .sum()
    }
}

/// The term of the fibres on one grid.
pub(super) struct Fibres {
    /// Nodes with fibres and their cells.
    nodes: Vec<(u32, u32)>,
    /// `W` of each of them at 37 °C, S m².
    extra: Vec<f64>,
    /// `D` beside its diagonal.
    rows: Rows,
    /// Its transpose.
    transposed: Rows,
    /// Sum of the coefficients of each row, metal included.
    sum: Vec<f64>,
    /// Coefficients of the faces with a potential in their cell's row: (position among them, cell, coefficient). The electrode
    /// faces come first, then the outer ones.
    electrode: Vec<(u32, u32, f64)>,
    /// `W` of every node at the present temperature.
    weight: Vec<f64>,
}

impl Fibres {
    /// Prepares the term; none in a medium without fibres.
    pub fn new(grid: &Grid, medium: &Medium, electrode_links: &[MetalLink], outer_faces: &[u32]) -> Option<Self> {
        if medium.fibres.is_empty() {
            return None;
        }
        let n = grid.tissue_cells;
        let network = &medium.network;
        let nodes = network.nodes();
        // Faces of each cell on metal and on the outer boundary, with their position among those that have a potential.
        let mut border: Vec<Vec<(Option<u32>, Link, f64)>> = vec![Vec::new(); n];
        for same in network.metal_links.chunk_by(|a, b| a.face == b.face) {
            let face = &grid.faces[same[0].face as usize];
            let at = electrode_links.partition_point(|l| l.face < same[0].face);
            let position = (electrode_links.get(at)).and_then(|l| (l.face == same[0].face).then_some(at as u32));
            let conductance = same.iter().map(|l| 1.0 / l.resistance).sum();
            border[face.a as usize].push((position, Link::Metal(face), conductance));
        }
        for (at, face) in grid.outer.iter().enumerate() {
            let position = outer_faces.binary_search(&(at as u32)).ok();
            let position = position.map(|k| (electrode_links.len() + k) as u32);
            border[face.cell as usize].push((position, Link::Outer(face), 1.0 / medium.outer_electric[at]));
        }
        let mut neighbours: Vec<Vec<(u32, u32)>> = vec![Vec::new(); n];
        for (at, f) in grid.faces.iter().enumerate().filter(|f| f.1.kind == FaceKind::Tissue) {
            neighbours[f.a as usize].push((f.b, at as u32));
            neighbours[f.b as usize].push((f.a, at as u32));
        }
        let mut rows: Vec<Vec<(u32, f64)>> = vec![Vec::new(); nodes];
        let mut transposed: Vec<Vec<(u32, f64)>> = vec![Vec::new(); nodes];
        let mut sum = vec![0.0; nodes];
        let (mut of, mut extra) = (Vec::new(), Vec::new());
        // Conductance of each node to all it is joined to.
        let mut conducting = vec![0.0; nodes];
        for link in &network.links {
            let conductance = 1.0 / (link.ra + link.rb);
            conducting[link.a as usize] += conductance;
            conducting[link.b as usize] += conductance;
        }
        for link in &network.metal_links {
            conducting[link.node as usize] += 1.0 / link.resistance;
        }
        for (face, resistance) in grid.outer.iter().zip(&medium.outer_electric) {
            conducting[face.cell as usize] += 1.0 / resistance;
        }
        let mut electrode = Vec::new();
        let mut links: Vec<Link> = Vec::new();
        for fibre in &medium.fibres {
            let i = fibre.cell as usize;
            let sigma = medium.tissues[usize::from(fibre.tissue)].sigma_s_per_m;
            let own = network.alike(fibre.cell, sigma).unwrap_or(fibre.cell);
            // Fields along fibres end where they do.
            let seen: Vec<(u32, u32, u32)> = (neighbours[i].iter())
                .filter_map(|&(j, at)| Some((network.alike(j, sigma)?, j, at)))
                .collect();
            links.clear();
            links.extend(seen.iter().map(|&(_, j, at)| Link::Cell(j, &grid.faces[at as usize])));
            links.extend(border[i].iter().map(|b| b.1));
            let weights = grid.gradient_weights(fibre.cell, &links);
            let coefficient: Vec<f64> = weights.iter().map(|g| fibre.direction.dot(g)).collect();
            let (inner, outer) = coefficient.split_at(seen.len());
            for (c, &(j, ..)) in inner.iter().zip(&seen) {
                sum[own as usize] += c;
                rows[own as usize].push((j, *c));
                transposed[j as usize].push((own, *c));
            }
            // At an insulated face the potential is the one at which no current passes: it is eliminated, which leaves the term
            // with a smaller weight.
            let mut yielding = 0.0;
            for (c, (position, _, conductance)) in outer.iter().zip(&border[i]) {
                match position {
                    Some(k) => {
                        sum[own as usize] += c;
                        electrode.push((*k, own, *c));
                    }
                    None => yielding += c * c / conductance,
                }
            }
            of.push((own, fibre.cell));
            let yielded = fibre.extra / (1.0 + fibre.extra * yielding);
            // A sliver may have a gradient by neighbours with whom it hardly shares a face.
            let most = (medium.tissues[usize::from(fibre.tissue)].sigma_fibre_ratio - 1.0) * conducting[own as usize];
            let own_sum: f64 = coefficient.iter().sum();
            let squares = own_sum * own_sum + coefficient.iter().map(|c| c * c).sum::<f64>();
            extra.push(yielded.min(most / squares.max(f64::MIN_POSITIVE)));
        }
        Some(Self {
            nodes: of,
            extra,
            rows: Rows::new(&rows),
            transposed: Rows::new(&transposed),
            sum,
            electrode,
            weight: vec![0.0; nodes],
        })
    }

    /// Takes the conductivity of each cell over that at 37 °C.
    pub fn set_factor(&mut self, factor: &[f64]) {
        for (&(node, _), &extra) in self.nodes.iter().zip(&self.extra) {
            self.weight[node as usize] = extra * factor[node as usize];
        }
    }

    /// How much better a link conducts than with σ across the fibres alone: the likeness that preconditions.
    pub fn link_gain(&self, grid: &Grid, medium: &Medium) -> Vec<f64> {
        let network = &medium.network;
        let mut of_node = vec![u32::MAX; network.nodes()];
        for (k, &(node, _)) in (0u32..).zip(&self.nodes) {
            of_node[node as usize] = k;
        }
        // Relative extra along the way.
        let gain = |node: u32, way: &Vec3| {
            medium.fibres.get(of_node[node as usize] as usize).map_or(0.0, |f| {
                (medium.tissues[usize::from(f.tissue)].sigma_fibre_ratio - 1.0) * f.direction.dot(way).powi(2)
            })
        };
        (network.links.iter())
            .map(|link| {
                let [a, b] = [link.a, link.b].map(|node| network.cell(node as usize));
                if a == b {
                    return 1.0;
                }
                let way = (grid.center[b] - grid.center[a]).normalize();
                1.0 + 0.5 * (gain(link.a, &way) + gain(link.b, &way))
            })
            .collect()
    }

    /// `s = W (D x + d)` with `d` from the potentials of electrode and outer faces.
    fn flow(&self, x: &[f64], held: Option<&[f64]>, s: &mut Vec<f64>) {
        s.resize(x.len(), 0.0);
        for_blocks(s, |offset, block| {
            for (k, out) in block.iter_mut().enumerate() {
                let i = offset + k;
                *out = if self.weight[i] == 0.0 {
                    0.0
                } else {
                    self.weight[i] * (self.rows.times(i, x) - self.sum[i] * x[i])
                };
            }
        });
        if let Some(potential) = held {
            for &(k, cell, c) in &self.electrode {
                s[cell as usize] += self.weight[cell as usize] * c * potential[k as usize];
            }
        }
    }

    /// `Dᵀ s`, one row.
    #[inline]
    fn gather(&self, i: usize, s: &[f64]) -> f64 {
        self.transposed.times(i, s) - self.sum[i] * s[i]
    }

    /// Subtracts from `b` what the potentials held bring.
    pub fn subtract_source(&self, held: &[f64], b: &mut [f64]) {
        let mut s = Vec::new();
        self.flow(&vec![0.0; b.len()], Some(held), &mut s);
        for_blocks(b, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v -= self.gather(offset + k, &s);
            }
        });
    }

    /// Adds the power of the fibres' currents to each cell; returns the current that enters the tissue by them through each
    /// electrode and outer face.
    pub fn add_heat(&self, x: &[f64], held: &[f64], heat: &mut [f64]) -> Vec<f64> {
        let mut s = Vec::new();
        self.flow(x, Some(held), &mut s);
        for &(node, cell) in &self.nodes {
            let i = node as usize;
            if self.weight[i] > 0.0 {
                heat[cell as usize] += s[i] * s[i] / self.weight[i];
            }
        }
        let mut current = vec![0.0; held.len()];
        for &(k, cell, c) in &self.electrode {
            current[k as usize] += c * s[cell as usize];
        }
        current
    }
}

/// A matrix of two-point fluxes with the fibres' term.
pub(super) struct WithFibres<'a>(pub &'a Matrix<f64>, pub &'a Fibres);

impl Operator for WithFibres<'_> {
    fn diagonal(&self) -> &[f64] {
        &self.0.diagonal
    }

    fn prepare(&self, x: &[f64], prepared: &mut Vec<f64>) {
        self.1.flow(x, None, prepared);
    }

    fn rows_times(&self, prepared: &[f64], offset: usize, count: usize, x: &[f64], mut f: impl FnMut(usize, f64)) {
        self.0
            .rows_times(offset, count, x, |k, v| f(k, v + self.1.gather(offset + k, prepared)));
    }
}
