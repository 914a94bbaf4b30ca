//! Bioheat (Pennes 1948): ρc ∂T/∂t = ∇·(k ∇T) + Q − w (T − T_b), in tissue and metal.

mod boiling;
mod history;

use neurotome_base::parallel::for_blocks;

pub use boiling::{BOILING_C, Boiling, LATENT_J_PER_KG};
pub use history::History;

use crate::{
    grid::Grid,
    linear::{Graph, Matrix, Multigrid, Solved, Workspace, conjugate_gradients},
    medium::Medium,
};

/// Most hierarchies kept for steps of different length.
const HIERARCHIES: usize = 3;

/// The heat problem on one grid, with what is kept from solve to solve.
pub struct Heat {
    /// The operator of the last [`Heat::set_operator`]; beside its diagonal stands conduction alone.
    a: Matrix<f64>,
    /// Diagonal of conduction, outer faces included.
    conduction: Vec<f64>,
    /// Hierarchies for different shifts, the one in use last.
    hierarchies: Vec<Multigrid>,
    workspace: Workspace,
    /// Conductance of each cell to the outer boundary, W/K.
    pub outer: Vec<f64>,
}

impl Heat {
    /// Prepares the problem.
    pub fn new(grid: &Grid, medium: &Medium) -> Self {
        let edges: Vec<(u32, u32)> = grid.faces.iter().map(|f| (f.a, f.b)).collect();
        let graph = Graph::new(grid.cells(), &edges);
        let mut outer = vec![0.0; grid.cells()];
        for (f, g) in grid.outer.iter().zip(&medium.outer_thermal) {
            outer[f.cell as usize] += g;
        }
        let mut a = graph.matrix();
        graph.assemble(&medium.thermal, &outer, &mut a);
        Self {
            conduction: a.diagonal.clone(),
            a,
            hierarchies: Vec::new(),
            workspace: Workspace::default(),
            outer,
        }
    }

    /// Makes the operator `shift · capacity + conduction + perfusion`.
    pub fn set_operator(&mut self, shift: f64, capacity: &[f64], perfusion: &[f64]) {
        let conduction = &self.conduction;
        for_blocks(&mut self.a.diagonal, |offset, block| {
            let own = conduction[offset..]
                .iter()
                .zip(&capacity[offset..])
                .zip(&perfusion[offset..]);
            for (d, ((k, c), w)) in block.iter_mut().zip(own) {
                *d = k + shift * c + w;
            }
        });
        let follows = (0..self.hierarchies.len())
            .rev()
            .find(|&k| self.hierarchies[k].follow(&self.a, shift));
        let hierarchy = if let Some(k) = follows {
            self.hierarchies.remove(k)
        } else {
            // After each switching steps begin short and grow.
            if self.hierarchies.len() == HIERARCHIES {
                self.hierarchies.remove(0);
            }
            Multigrid::falling(&self.a, capacity, shift)
        };
        self.hierarchies.push(hierarchy);
    }

    /// Solves with the operator of [`Heat::set_operator`], starting from `x`.
    pub fn solve(&mut self, b: &[f64], x: &mut [f64], tolerance: f64) -> Solved {
        let Self {
            a,
            hierarchies,
            workspace,
            ..
        } = self;
        if hierarchies.is_empty() {
            hierarchies.push(Multigrid::new(a, &[], 0.0));
        }
        let last = hierarchies.len() - 1;
        conjugate_gradients(a, &mut hierarchies[last], workspace, b, x, tolerance, 200)
    }

    /// `y = (conduction + outer) x`.
    pub fn conduct(&self, x: &[f64], y: &mut [f64]) {
        let (off, conduction) = (&self.a.off, &self.conduction);
        for_blocks(y, |offset, block| {
            off.rows_times(conduction, offset, block.len(), x, |k, v| block[k] = v);
        });
    }
}
