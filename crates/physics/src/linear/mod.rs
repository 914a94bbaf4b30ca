//! Sparse symmetric systems: row storage, smoothed-aggregation multigrid and conjugate gradients.

mod cg;
mod csr;
mod multigrid;

pub use cg::{Operator, Solved, conjugate_gradients};
pub use csr::{Csr, Pattern};
pub use multigrid::Multigrid;
