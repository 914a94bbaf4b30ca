//! Fluid and solutes in porous tissue: slow flow driven by pressure, diffusion, uptake by blood.
//!
//! Space is a box of equal cubes ([`BoxGrid`]). The flow of an injection is steady: Darcy's law with a source,
//!
//! ```text
//! ∇·(k/µ ∇p) + s = 0,   q = −(k/µ) ∇p
//! ```
//!
//! ([`Flow`]). A solute of concentration c in the pores, of which a volume of tissue holds β c, moves with it, spreads and is taken up:
//!
//! ```text
//! ∂(β c)/∂t + ∇·(q c) = ∇·(D ∇c) − λ β c + s c_in
//! ```
//!
//! ([`Solute`]). Everything is a balance of amounts over faces, so that nothing is lost but by rounding; no concentration falls below zero, and
//! none rises above the largest of its start and its inflow (but for the residual of the flow).
//!
//! The flow goes down the pressure. Taken in the order of falling pressure, cells depend on earlier ones alone, and an implicit upwind
//! step is one sweep without a system to solve, stable for any step. It is of first order: a front is smeared over
//! some cells, its place is right. Diffusion is of second order in space and time, explicit in steps that keep it positive.
//! The injected fluid and the fluid that it displaces have one viscosity. Pores are rigid; flow stops when the injection does.

mod flow;
mod grid;
mod solute;

pub use flow::{Flow, FlowError, FlowProblem, FlowSource};
pub use grid::{BoxGrid, BoxGridError, Faces, MAX_CELLS, Sheet};
pub use solute::{Carrier, Mixing, Solute};
