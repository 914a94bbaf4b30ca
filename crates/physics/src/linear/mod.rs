//! Sparse symmetric systems: sliced storage, smoothed-aggregation multigrid and conjugate gradients.

mod aggregation;
mod cg;
mod coarsest;
mod galerkin;
mod matrix;
mod multigrid;
mod rows;

pub use cg::{Operator, Solved, Workspace, conjugate_gradients};
pub use matrix::{Graph, LANES, Matrix, Scalar, Sliced};
pub use multigrid::Multigrid;
