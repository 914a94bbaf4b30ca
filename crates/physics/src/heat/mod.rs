//! Bioheat (Pennes 1948): ρc ∂T/∂t = ∇·(k ∇T) + Q − w (T − T_b), in tissue and metal.

mod boiling;
mod history;

use neurotome_base::parallel::for_blocks;

pub use boiling::{BOILING_C, Boiling, LATENT_J_PER_KG};
pub use history::History;

use crate::{
    grid::Grid,
    linear::{Csr, Multigrid, Pattern, Solved, conjugate_gradients},
    medium::Medium,
};

/// The heat problem on one grid, with what is kept from solve to solve.
pub struct Heat {
    /// Conduction alone, outer faces included.
    stiffness: Csr<f64>,
    a: Csr<f64>,
    multigrid: Multigrid,
    /// Conductance of each cell to the outer boundary, W/K.
    pub outer: Vec<f64>,
}

impl Heat {
    /// Prepares the problem.
    pub fn new(grid: &Grid, medium: &Medium) -> Self {
        let n = grid.cells();
        let edges: Vec<(u32, u32)> = grid.faces.iter().map(|f| (f.a, f.b)).collect();
        let (pattern, edge) = Pattern::from_edges(n, &edges);
        let mut outer = vec![0.0; n];
        for (f, g) in grid.outer.iter().zip(&medium.outer_thermal) {
            outer[f.cell as usize] += g;
        }
        let mut value = vec![0.0; edge.len()];
        for i in 0..n {
            let mut sum = outer[i];
            for e in pattern.range(i) {
                if edge[e] != u32::MAX {
                    let g = medium.thermal[edge[e] as usize];
                    value[e] = -g;
                    sum += g;
                }
            }
            value[pattern.diagonal[i] as usize] = sum;
        }
        let stiffness = Csr { pattern, value };
        let mut perfused = stiffness.clone();
        for (i, &e) in stiffness.pattern.diagonal.iter().enumerate() {
            perfused.value[e as usize] += medium.perfusion[i];
        }
        for p in &medium.pinned {
            perfused.value[stiffness.pattern.diagonal[p.cell as usize] as usize] += p.conductance;
        }
        let multigrid = Multigrid::new(&perfused, &medium.capacity, 1.0);
        let a = stiffness.clone();
        Self {
            stiffness,
            a,
            multigrid,
            outer,
        }
    }

    /// Makes the operator `shift · capacity + conduction + perfusion`.
    pub fn set_operator(&mut self, shift: f64, capacity: &[f64], perfusion: &[f64]) {
        for (i, &e) in self.stiffness.pattern.diagonal.iter().enumerate() {
            self.a.value[e as usize] = self.stiffness.value[e as usize] + shift * capacity[i] + perfusion[i];
        }
        self.multigrid.set_shift(shift);
    }

    /// Solves with the operator of [`Heat::set_operator`], starting from `x`.
    pub fn solve(&mut self, b: &[f64], x: &mut [f64], tolerance: f64) -> Solved {
        conjugate_gradients(&self.a, &mut self.multigrid, b, x, tolerance, 200)
    }

    /// `y = (conduction + outer) x`.
    pub fn conduct(&self, x: &[f64], y: &mut [f64]) {
        for_blocks(y, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = self.stiffness.row_times(offset + k, x);
            }
        });
    }
}
