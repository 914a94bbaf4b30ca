//! Quasi-static current: ∇·(σ(T) ∇u) = 0 for the unit potential `u`, the potential at one volt of the generator.
//!
//! With `φ = V u`, voltage, current and power control need no further solve.

use neurotome_base::parallel::{for_blocks, ordered_sum};

use crate::{
    grid::{Face, FaceKind, Grid, OuterFace},
    linear::{Csr, Multigrid, Pattern, Solved, conjugate_gradients},
    medium::Medium,
};

/// The current problem on one grid, with what is kept from solve to solve.
pub struct Current {
    a: Csr<f64>,
    edge: Vec<u32>,
    /// Tissue faces, in the order of the matrix' edges.
    tissue_faces: Vec<u32>,
    /// Electrode faces with their potential at one volt.
    electrode_faces: Vec<(u32, f64)>,
    multigrid: Option<Multigrid>,
    fresh_iterations: usize,
    /// Potential at one volt of each outer face.
    outer_potential: Vec<f64>,
    conductance: Vec<f64>,
    ground: Vec<f64>,
    /// The unit potential of each tissue cell.
    pub potential: Vec<f64>,
}

/// What a solve gives, for one volt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurrentState {
    /// Power at one volt, W: the conductance seen by the generator, S.
    pub conductance: f64,
    /// Current out of the metal into the tissue at one volt, A.
    pub current: f64,
    /// Relative current balance: (in − out) / in.
    pub balance: f64,
    /// How the linear solve went.
    pub solved: Solved,
}

impl Current {
    /// Prepares the problem; `fractions` holds the potential of each electrode (the contacts of all needles, needle by needle) as
    /// a fraction of the generator's voltage. The outer boundary is the return electrode, at zero.
    pub fn new(grid: &Grid, fractions: &[f64]) -> Self {
        Self::with_potentials(grid, &|f| grid.electrode(f).map(|e| fractions[e]), &|_| 0.0)
    }

    /// Prepares the problem with any potential on the metal's faces (none: insulated) and on the outer faces.
    pub fn with_potentials(
        grid: &Grid,
        metal: &dyn Fn(&Face) -> Option<f64>,
        outer: &dyn Fn(&OuterFace) -> f64,
    ) -> Self {
        let n = grid.tissue_cells;
        let mut tissue_faces = Vec::new();
        let mut electrode_faces = Vec::new();
        let mut edges = Vec::new();
        for (k, f) in grid.faces.iter().enumerate() {
            match f.kind {
                FaceKind::Tissue => {
                    tissue_faces.push(k as u32);
                    edges.push((f.a, f.b));
                }
                FaceKind::Electrode | FaceKind::Shaft => {
                    if let Some(potential) = metal(f) {
                        electrode_faces.push((k as u32, potential));
                    }
                }
                FaceKind::Metal => {}
            }
        }
        let (pattern, edge) = Pattern::from_edges(n, &edges);
        let value = vec![0.0; pattern.column.len()];
        Self {
            a: Csr { pattern, value },
            edge,
            conductance: vec![0.0; tissue_faces.len()],
            tissue_faces,
            electrode_faces,
            outer_potential: grid.outer.iter().map(outer).collect(),
            multigrid: None,
            fresh_iterations: 0,
            ground: vec![0.0; n],
            potential: vec![0.0; n],
        }
    }

    /// Solves at the given temperatures and leaves in `heat` the power of every cell at one volt, W.
    pub fn solve(
        &mut self,
        grid: &Grid,
        medium: &Medium,
        temperature: &[f64],
        tolerance: f64,
        heat: &mut [f64],
    ) -> CurrentState {
        let n = grid.tissue_cells;
        let mut factor = vec![0.0; n];
        for_blocks(&mut factor, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = medium.sigma_factor(offset + k, temperature[offset + k]);
            }
        });
        let tissue_faces = &self.tissue_faces;
        for_blocks(&mut self.conductance, |offset, block| {
            for (k, g) in block.iter_mut().enumerate() {
                let at = tissue_faces[offset + k] as usize;
                let f = &grid.faces[at];
                *g =
                    1.0 / (medium.electric_a[at] / factor[f.a as usize] + medium.electric_b[at] / factor[f.b as usize]);
            }
        });
        self.ground.fill(0.0);
        let mut b = vec![0.0; n];
        for &(at, fraction) in &self.electrode_faces {
            let cell = grid.faces[at as usize].a as usize;
            let g = factor[cell] / medium.electric_a[at as usize];
            self.ground[cell] += g;
            b[cell] += g * fraction;
        }
        for ((f, r), potential) in grid.outer.iter().zip(&medium.outer_electric).zip(&self.outer_potential) {
            let g = factor[f.cell as usize] / r;
            self.ground[f.cell as usize] += g;
            b[f.cell as usize] += g * potential;
        }
        let (conductance, edge, ground) = (&self.conductance, &self.edge, &self.ground);
        let pattern = &self.a.pattern;
        for_blocks(&mut self.a.value, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                let e = edge[offset + k];
                if e != u32::MAX {
                    *v = -conductance[e as usize];
                }
            }
        });
        let mut diagonal = vec![0.0; n];
        for_blocks(&mut diagonal, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                let mut sum = ground[offset + k];
                for e in pattern.range(offset + k) {
                    if edge[e] != u32::MAX {
                        sum += conductance[edge[e] as usize];
                    }
                }
                *v = sum;
            }
        });
        for (i, v) in diagonal.iter().enumerate() {
            self.a.value[self.a.pattern.diagonal[i] as usize] = *v;
        }

        // The hierarchy is kept while σ(T) drifts, and made anew when it has become a poor likeness.
        let mut multigrid = self
            .multigrid
            .take()
            .unwrap_or_else(|| Multigrid::new(&self.a, &[], 0.0));
        let solved = conjugate_gradients(&self.a, &mut multigrid, &b, &mut self.potential, tolerance, 200);
        close_balance(&self.ground, &b, &mut self.potential);
        if self.fresh_iterations == 0 {
            self.fresh_iterations = solved.iterations;
        }
        self.multigrid = (solved.iterations <= self.fresh_iterations + 6).then_some(multigrid);

        let u = &self.potential;
        heat[..].fill(0.0);
        // The heat of a face goes to its two sides as their resistances; the sum over cells is the power exactly.
        let conductance = &self.conductance;
        let faces = &self.tissue_faces;
        for_blocks(&mut heat[..n], |offset, block| {
            for (k, q) in block.iter_mut().enumerate() {
                let i = offset + k;
                let mut sum = 0.0;
                for e in pattern.range(i) {
                    let edge = edge[e];
                    if edge == u32::MAX {
                        continue;
                    }
                    let at = faces[edge as usize] as usize;
                    let g = conductance[edge as usize];
                    let j = pattern.column[e] as usize;
                    let own = if grid.faces[at].a as usize == i {
                        medium.electric_a[at]
                    } else {
                        medium.electric_b[at]
                    };
                    let d = u[i] - u[j];
                    sum += g * g * d * d * own / factor[i];
                }
                *q = sum;
            }
        });
        let mut sent = 0.0;
        let mut sent_size = 0.0;
        for &(at, fraction) in &self.electrode_faces {
            let cell = grid.faces[at as usize].a as usize;
            let g = factor[cell] / medium.electric_a[at as usize];
            let d = fraction - u[cell];
            heat[cell] += g * d * d;
            sent += g * d;
            sent_size += (g * d).abs();
        }
        let mut returned = 0.0;
        for ((f, r), potential) in grid.outer.iter().zip(&medium.outer_electric).zip(&self.outer_potential) {
            let cell = f.cell as usize;
            let d = u[cell] - potential;
            let g = factor[cell] / r;
            heat[cell] += g * d * d;
            returned += g * d;
        }
        let power = ordered_sum(n, |r| heat[r].iter().sum());
        CurrentState {
            conductance: power,
            current: sent,
            balance: (sent - returned) / sent_size.max(returned.abs()).max(f64::MIN_POSITIVE),
            solved,
        }
    }

    /// Rows on each multigrid level of the last solve, finest first.
    pub fn level_sizes(&self) -> Vec<usize> {
        self.multigrid.as_ref().map(Multigrid::level_sizes).unwrap_or_default()
    }
}

/// Scales the potential by the hair that makes what enters leave exactly: the residual's sum over all cells becomes zero.
fn close_balance(ground: &[f64], b: &[f64], u: &mut [f64]) {
    let n = b.len();
    let injected = ordered_sum(n, |r| b[r].iter().sum());
    let drained = ordered_sum(n, |r| r.map(|i| ground[i] * u[i]).sum());
    if drained.abs() > 0.0 && (injected / drained - 1.0).abs() < 1e-3 {
        for v in u {
            *v *= injected / drained;
        }
    }
}
