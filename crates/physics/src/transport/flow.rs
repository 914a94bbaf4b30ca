//! Steady flow from a source in porous tissue.

use neurotome_base::Vec3;

use super::grid::{BoxGrid, Faces, Sheet};
use crate::linear::{Graph, Multigrid, Workspace, conjugate_gradients};

/// Relative residual of the pressure.
const TOLERANCE: f64 = 1e-10;
/// Iterations after which a solve is given up.
const MAX_ITERATIONS: usize = 400;

/// Where fluid enters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FlowSource {
    /// The cell.
    pub cell: usize,
    /// Volume entering, m³/s.
    pub rate_m3_per_s: f64,
}

/// Flow to be computed.
#[derive(Clone, Copy)]
pub struct FlowProblem<'a> {
    /// The cells.
    pub grid: &'a BoxGrid,
    /// Permeability of each cell, m²; zero for what lets nothing through.
    pub permeability_m2: &'a [f64],
    /// Thin barriers.
    pub sheets: &'a [Sheet],
    /// Viscosity, Pa s.
    pub viscosity_pa_s: f64,
    /// Sources.
    pub sources: &'a [FlowSource],
    /// Pressure at a point of the outer boundary in m, Pa.
    pub outer_pressure_pa: &'a (dyn Fn(&Vec3) -> f64 + Sync),
}

/// Why a flow cannot be computed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// A source in tissue that is closed all round.
    #[error(
        "flow: the source in cell {cell} has no way to the outer boundary; place it in permeable tissue that is not enclosed"
    )]
    Enclosed {
        /// The cell.
        cell: usize,
    },
    /// The system was not solved.
    #[error(
        "flow: the pressure did not converge: residual {residual:.1e} after {iterations} iterations, expected {TOLERANCE:.0e}"
    )]
    NotConverged {
        /// Relative residual.
        residual: f64,
        /// Iterations spent.
        iterations: usize,
    },
}

/// A flow.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Pressure of each cell, Pa; NaN where no fluid can come.
    pub pressure_pa: Vec<f64>,
    /// Cells that fluid can reach, by falling pressure.
    pub order: Vec<u32>,
    /// Conductances of the faces, m³/(s Pa).
    faces: Faces,
    /// Outflow through the outer boundary of cells that lie there, m³/s; negative for inflow.
    pub outer_m3_per_s: Vec<(u32, f64)>,
    /// Relative residual of the pressure.
    pub residual: f64,
    /// Iterations spent.
    pub iterations: usize,
}

impl Flow {
    /// Solves for the pressure.
    ///
    /// # Errors
    /// [`FlowError`].
    pub fn new(problem: &FlowProblem) -> Result<Self, FlowError> {
        let grid = problem.grid;
        let mobility: Vec<f64> = problem
            .permeability_m2
            .iter()
            .map(|k| k.max(0.0) / problem.viscosity_pa_s)
            .collect();
        let faces = Faces::new(grid, &mobility, problem.sheets);
        let outer = outer_faces(grid, &mobility);
        let reached = reached(grid, &faces, &outer);
        let mut number = vec![u32::MAX; grid.cells()];
        let mut cells = Vec::new();
        for (i, _) in reached.iter().enumerate().filter(|(_, r)| **r) {
            number[i] = cells.len() as u32;
            cells.push(i as u32);
        }
        let (mut edges, mut conductance) = (Vec::new(), Vec::new());
        for &cell in &cells {
            for (axis, stride) in grid.strides().into_iter().enumerate() {
                let g = faces.along[axis][cell as usize];
                if g > 0.0 {
                    edges.push((number[cell as usize], number[cell as usize + stride]));
                    conductance.push(g);
                }
            }
        }
        let (mut ground, mut b) = (vec![0.0; cells.len()], vec![0.0; cells.len()]);
        let mut most = 0.0f64;
        for (cell, g, at) in &outer {
            let i = number[*cell as usize] as usize;
            let p = (problem.outer_pressure_pa)(at);
            most = most.max(p.abs());
            ground[i] += g;
            b[i] += g * p;
        }
        for source in problem.sources {
            let Some(i) = number.get(source.cell).filter(|i| **i != u32::MAX) else {
                return Err(FlowError::Enclosed { cell: source.cell });
            };
            b[*i as usize] += source.rate_m3_per_s;
        }
        let graph = Graph::new(cells.len(), &edges);
        let mut matrix = graph.matrix();
        graph.assemble(&conductance, &ground, &mut matrix);
        let mut multigrid = Multigrid::new(&matrix, &[], 0.0);
        let mut x = vec![0.0; cells.len()];
        let solved = conjugate_gradients(
            &matrix,
            &mut multigrid,
            &mut Workspace::default(),
            &b,
            &mut x,
            TOLERANCE,
            MAX_ITERATIONS,
        );
        if !solved.converged {
            return Err(FlowError::NotConverged {
                residual: solved.residual,
                iterations: solved.iterations,
            });
        }
        let mut pressure_pa = vec![f64::NAN; grid.cells()];
        for (&cell, p) in cells.iter().zip(&x) {
            pressure_pa[cell as usize] = *p;
        }
        let mut order = cells;
        order.sort_by(|a, b| {
            let (pa, pb) = (pressure_pa[*a as usize], pressure_pa[*b as usize]);
            pb.total_cmp(&pa).then(a.cmp(b))
        });
        let outer_m3_per_s = outer
            .iter()
            .map(|(cell, g, at)| {
                let p = (problem.outer_pressure_pa)(at);
                (*cell, g * (pressure_pa[*cell as usize] - p))
            })
            .collect();
        Ok(Self {
            pressure_pa,
            order,
            faces,
            outer_m3_per_s,
            residual: solved.residual,
            iterations: solved.iterations,
        })
    }

    /// Calls `f(neighbour, flow)` for the open faces of a cell, m³/s, positive from the cell to the neighbour.
    pub fn around(&self, grid: &BoxGrid, cell: usize, mut f: impl FnMut(usize, f64)) {
        let own = self.pressure_pa[cell];
        self.faces
            .around(grid, cell, |n, g| f(n, g * (own - self.pressure_pa[n])));
    }

    /// Volume that leaves through the outer boundary, m³/s.
    pub fn outflow_m3_per_s(&self) -> f64 {
        self.outer_m3_per_s.iter().map(|o| o.1).sum()
    }
}

/// Faces of open cells on the outer boundary: cell, conductance of half a cell, middle of the face.
fn outer_faces(grid: &BoxGrid, mobility: &[f64]) -> Vec<(u32, f64, Vec3)> {
    let h = grid.spacing_m();
    let mut all = Vec::new();
    for (cell, m) in mobility.iter().enumerate().filter(|(_, m)| **m > 0.0) {
        let place = grid.place(cell);
        for axis in 0..3 {
            for (at_end, sign) in [(place[axis] == 0, -0.5), (place[axis] + 1 == grid.dims()[axis], 0.5)] {
                if at_end {
                    let mut at = grid.center_m(cell);
                    at[axis] += sign * h;
                    all.push((cell as u32, 2.0 * h * m, at));
                }
            }
        }
    }
    all
}

/// Cells with an open way to the outer boundary.
fn reached(grid: &BoxGrid, faces: &Faces, outer: &[(u32, f64, Vec3)]) -> Vec<bool> {
    let mut reached = vec![false; grid.cells()];
    let mut next: Vec<usize> = outer.iter().map(|o| o.0 as usize).collect();
    for cell in &next {
        reached[*cell] = true;
    }
    while let Some(cell) = next.pop() {
        faces.around(grid, cell, |n, _| {
            if !reached[n] {
                reached[n] = true;
                next.push(n);
            }
        });
    }
    reached
}
