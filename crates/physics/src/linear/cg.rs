//! Preconditioned conjugate gradients.

use neurotome_base::parallel::{dot, for_blocks, ordered_sum, sum_parts};
use rayon::prelude::*;

use super::{Matrix, Multigrid};

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
pub trait Operator: Sync {
    /// The diagonal, or what stands for it.
    fn diagonal(&self) -> &[f64];

    /// What is needed of `x` before its rows are taken; empty for a matrix.
    fn prepare(&self, x: &[f64], prepared: &mut Vec<f64>);

    /// Calls `f(offset in block, row times x)` for `count` rows from `offset`, a multiple of eight.
    fn rows_times(&self, prepared: &[f64], offset: usize, count: usize, x: &[f64], f: impl FnMut(usize, f64));
}

impl Operator for Matrix<f64> {
    fn diagonal(&self) -> &[f64] {
        &self.diagonal
    }

    fn prepare(&self, _: &[f64], _: &mut Vec<f64>) {}

    #[inline]
    fn rows_times(&self, _: &[f64], offset: usize, count: usize, x: &[f64], f: impl FnMut(usize, f64)) {
        Self::rows_times(self, offset, count, x, f);
    }
}

/// Vectors that solves on one grid share.
#[derive(Debug, Default)]
pub struct Workspace {
    r: Vec<f64>,
    p: Vec<f64>,
    q: Vec<f64>,
    prepared: Vec<f64>,
}

/// Residuals of single rows over their diagonals may be this many times the tolerance of the largest unknown.
const LOCAL: f64 = 3.0;

/// Whether each row's residual is small for that row. Rows of tiny cells weigh nothing in the norm of all, but what is left in them would
/// shake the unknown there.
fn settled(diagonal: &[f64], r: &[f64], x: &[f64], tolerance: f64) -> bool {
    let (left, most) = diagonal
        .par_iter()
        .zip(r)
        .zip(x)
        .with_min_len(4096)
        .map(|((d, r), x)| ((r / d).abs(), x.abs()))
        .reduce(|| (0.0, 0.0), |a, b| (a.0.max(b.0), a.1.max(b.1)));
    left <= LOCAL * tolerance * most
}

/// Solves `A x = b` for symmetric positive definite `A`, starting from `x`, to `‖b − A x‖ ≤ tolerance ‖b‖`, and until no row by itself is
/// far off.
pub fn conjugate_gradients(
    a: &impl Operator,
    multigrid: &mut Multigrid,
    workspace: &mut Workspace,
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
    let Workspace { r, p, q, prepared } = workspace;
    r.resize(n, 0.0);
    p.clear();
    p.resize(n, 0.0);
    q.resize(n, 0.0);
    a.prepare(x, prepared);
    let mut r_norm = sum_parts(&mut r[..], |offset, block| {
        let b = &b[offset..];
        let mut sum = 0.0;
        a.rows_times(prepared, offset, block.len(), x, |k, ax| {
            let v = b[k] - ax;
            block[k] = v;
            sum += v * v;
        });
        sum
    })
    .sqrt();
    let mut rz_old = 0.0;
    let mut iterations = 0;
    while iterations < max_iterations
        && r_norm.is_finite()
        && (r_norm > tolerance * b_norm || !settled(a.diagonal(), r, x, tolerance))
    {
        let size = r_norm;
        let z = multigrid.precondition(r, size);
        let rz = size
            * ordered_sum(n, |range| {
                r[range.clone()]
                    .iter()
                    .zip(&z[range])
                    .map(|(r, z)| r * f64::from(*z))
                    .sum()
            });
        let beta = if iterations == 0 { 0.0 } else { rz / rz_old };
        for_blocks(p, |offset, block| {
            for (p, z) in block.iter_mut().zip(&z[offset..]) {
                *p = size * f64::from(*z) + beta * *p;
            }
        });
        a.prepare(p, prepared);
        let pq = sum_parts(&mut q[..], |offset, block| {
            let own = &p[offset..];
            let mut sum = 0.0;
            a.rows_times(prepared, offset, block.len(), p, |k, ap| {
                block[k] = ap;
                sum += ap * own[k];
            });
            sum
        });
        let alpha = rz / pq;
        r_norm = sum_parts((&mut *x, &mut r[..]), |offset, (x, r)| {
            let mut sum = 0.0;
            for (((x, r), p), q) in x.iter_mut().zip(r).zip(&p[offset..]).zip(&q[offset..]) {
                *x += alpha * p;
                *r -= alpha * q;
                sum += *r * *r;
            }
            sum
        })
        .sqrt();
        rz_old = rz;
        iterations += 1;
    }
    Solved {
        iterations,
        residual: r_norm / b_norm,
        converged: r_norm <= tolerance * b_norm,
    }
}
