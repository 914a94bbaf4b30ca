//! Conduction along fibres: the part of an anisotropic σ that the two-point fluxes do not carry.
//!
//! With σ = σ_across 1 + (σ_along − σ_across) f fᵀ the power is that of the two-point fluxes with σ_across plus
//! `Σ W (f·∇u)²` over the cells, `W = (σ_along − σ_across) V`. Its derivative, `Dᵀ W D` with the cells' directional derivatives
//! `D`, is symmetric and never negative, whatever the direction of the fibres; so is the sum.
//!
//! Method: Eymard, Gallouët and Herbin, IMA J. Numer. Anal. 26 (2006) 326: a cell gradient for the tensor, two-point fluxes for
//! stability.

use neurotome_base::parallel::for_blocks;

use crate::{
    grid::{Face, FaceKind, Grid, Link},
    linear::{Matrix, Operator},
    medium::Medium,
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
    /// Cells with fibres.
    cells: Vec<u32>,
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
    /// `W` of every cell at the present temperature.
    weight: Vec<f64>,
}

impl Fibres {
    /// Prepares the term; none in a medium without fibres. `faces` are the grid's faces between tissue cells.
    pub fn new(
        grid: &Grid,
        medium: &Medium,
        faces: &[u32],
        electrode_faces: &[u32],
        outer_faces: &[u32],
    ) -> Option<Self> {
        if medium.fibres.is_empty() {
            return None;
        }
        let n = grid.tissue_cells;
        // Faces of each cell on metal and on the outer boundary, with their position among those that have a potential.
        let mut border: Vec<Vec<(Option<u32>, Link, f64)>> = vec![Vec::new(); n];
        let position =
            |faces: &[u32], at: usize, first: usize| faces.binary_search(&(at as u32)).ok().map(|k| (first + k) as u32);
        for (at, face) in grid.faces.iter().enumerate().filter(|(_, f)| touches_metal(f)) {
            let conductance = 1.0 / medium.electric_a[at];
            border[face.a as usize].push((position(electrode_faces, at, 0), Link::Metal(face), conductance));
        }
        for (at, face) in grid.outer.iter().enumerate() {
            let position = position(outer_faces, at, electrode_faces.len());
            border[face.cell as usize].push((position, Link::Outer(face), 1.0 / medium.outer_electric[at]));
        }
        let mut neighbours: Vec<Vec<(u32, u32)>> = vec![Vec::new(); n];
        for &at in faces {
            let f = &grid.faces[at as usize];
            neighbours[f.a as usize].push((f.b, at));
            neighbours[f.b as usize].push((f.a, at));
        }
        let mut rows: Vec<Vec<(u32, f64)>> = vec![Vec::new(); n];
        let mut transposed: Vec<Vec<(u32, f64)>> = vec![Vec::new(); n];
        let mut sum = vec![0.0; n];
        let mut extra = Vec::with_capacity(medium.fibres.len());
        let mut electrode = Vec::new();
        let mut links: Vec<Link> = Vec::new();
        for fibre in &medium.fibres {
            let i = fibre.cell as usize;
            links.clear();
            links.extend(
                neighbours[i]
                    .iter()
                    .map(|&(j, at)| Link::Cell(j, &grid.faces[at as usize])),
            );
            links.extend(border[i].iter().map(|b| b.1));
            let weights = grid.gradient_weights(fibre.cell, &links);
            let coefficient: Vec<f64> = weights.iter().map(|g| fibre.direction.dot(g)).collect();
            let (inner, outer) = coefficient.split_at(neighbours[i].len());
            for (c, &(j, _)) in inner.iter().zip(&neighbours[i]) {
                sum[i] += c;
                rows[i].push((j, *c));
                transposed[j as usize].push((fibre.cell, *c));
            }
            // At an insulated face the potential is the one at which no current passes: it is eliminated, which leaves the term
            // with a smaller weight.
            let mut yielding = 0.0;
            for (c, (position, _, conductance)) in outer.iter().zip(&border[i]) {
                match position {
                    Some(k) => {
                        sum[i] += c;
                        electrode.push((*k, fibre.cell, *c));
                    }
                    None => yielding += c * c / conductance,
                }
            }
            extra.push(fibre.extra / (1.0 + fibre.extra * yielding));
        }
        Some(Self {
            cells: medium.fibres.iter().map(|f| f.cell).collect(),
            extra,
            rows: Rows::new(&rows),
            transposed: Rows::new(&transposed),
            sum,
            electrode,
            weight: vec![0.0; n],
        })
    }

    /// Takes the conductivity of each cell over that at 37 °C.
    pub fn set_factor(&mut self, factor: &[f64]) {
        for (&cell, &extra) in self.cells.iter().zip(&self.extra) {
            self.weight[cell as usize] = extra * factor[cell as usize];
        }
    }

    /// How much better a face conducts than with σ across the fibres alone: the likeness that preconditions.
    pub fn face_gain(grid: &Grid, medium: &Medium, faces: &[u32]) -> Vec<f64> {
        // Relative extra along the way, by cell: (σ_along/σ_across − 1) and the direction.
        let mut of_cell = vec![u32::MAX; grid.tissue_cells];
        for (k, f) in medium.fibres.iter().enumerate() {
            of_cell[f.cell as usize] = k as u32;
        }
        let gain = |cell: u32, way: &neurotome_base::Vec3| {
            medium.fibres.get(of_cell[cell as usize] as usize).map_or(0.0, |f| {
                let sigma = medium.tissues[usize::from(medium.tissue[cell as usize])].sigma_s_per_m;
                f.extra / (grid.volume[cell as usize] * sigma.max(1e-12)) * f.direction.dot(way).powi(2)
            })
        };
        faces
            .iter()
            .map(|&at| {
                let f = &grid.faces[at as usize];
                let way = (grid.center[f.b as usize] - grid.center[f.a as usize]).normalize();
                1.0 + 0.5 * (gain(f.a, &way) + gain(f.b, &way))
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
        for &cell in &self.cells {
            let i = cell as usize;
            if self.weight[i] > 0.0 {
                heat[i] += s[i] * s[i] / self.weight[i];
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

/// True for faces that can bring current from metal.
pub(super) fn touches_metal(face: &Face) -> bool {
    matches!(face.kind, FaceKind::Electrode | FaceKind::Shaft)
}
