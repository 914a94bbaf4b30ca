//! Preconditioned conjugate gradients.

use neurotome_base::parallel::{dot, for_blocks};

use super::{Csr, Multigrid};

/// How a linear solve went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solved {
    /// Iterations spent.
    pub iterations: usize,
    /// ‖b − A x‖ / ‖b‖ at the end.
    pub residual: f64,
    /// True when the residual met the tolerance.
    pub converged: bool,
}

/// A symmetric positive definite operator.
pub trait Operator {
    /// `y = A x`.
    fn multiply(&self, x: &[f64], y: &mut [f64]);

    /// `‖b − A x‖₂`, with the residual left in `r`.
    fn residual(&self, b: &[f64], x: &[f64], r: &mut [f64]) -> f64 {
        self.multiply(x, r);
        for_blocks(r, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = b[offset + k] - *v;
            }
        });
        dot(r, r).sqrt()
    }
}

impl Operator for Csr<f64> {
    fn multiply(&self, x: &[f64], y: &mut [f64]) {
        Self::multiply(self, x, y);
    }
}

/// Solves `A x = b` for symmetric positive definite `A`, starting from `x`, to `‖b − A x‖ ≤ tolerance ‖b‖`.
pub fn conjugate_gradients(
    a: &impl Operator,
    multigrid: &mut Multigrid,
    b: &[f64],
    x: &mut [f64],
    tolerance: f64,
    max_iterations: usize,
) -> Solved {
    let n = b.len();
    let b_norm = dot(b, b).sqrt();
    if b_norm == 0.0 {
        x.fill(0.0);
        return Solved {
            iterations: 0,
            residual: 0.0,
            converged: true,
        };
    }
    let mut r = vec![0.0; n];
    let mut residual = a.residual(b, x, &mut r) / b_norm;
    let (mut z, mut p, mut q) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut rz_old = 0.0;
    let mut iterations = 0;
    while residual > tolerance && iterations < max_iterations {
        multigrid.precondition(&r, &mut z);
        let rz = dot(&r, &z);
        let beta = if iterations == 0 { 0.0 } else { rz / rz_old };
        for_blocks(&mut p, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = z[offset + k] + beta * *v;
            }
        });
        a.multiply(&p, &mut q);
        let alpha = rz / dot(&p, &q);
        for_blocks(x, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v += alpha * p[offset + k];
            }
        });
        for_blocks(&mut r, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v -= alpha * q[offset + k];
            }
        });
        rz_old = rz;
        iterations += 1;
        residual = dot(&r, &r).sqrt() / b_norm;
        if !residual.is_finite() {
            break;
        }
    }
    Solved {
        iterations,
        residual,
        converged: residual <= tolerance,
    }
}
