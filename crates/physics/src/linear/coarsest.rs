//! The coarsest level, solved by a dense Cholesky factor.

use super::rows::Operator;

/// The coarsest operator and its factor, by rows.
#[derive(Debug, Default)]
pub struct Coarsest {
    operator: Operator,
    factor: Vec<f64>,
    /// Right-hand side before [`Coarsest::solve`], solution after it.
    pub x: Vec<f64>,
    single: Vec<f32>,
}

impl Coarsest {
    /// Factors an operator.
    pub fn new(operator: Operator) -> Self {
        let n = operator.count();
        let mut coarsest = Self {
            factor: vec![0.0; n * n],
            x: vec![0.0; n],
            single: vec![0.0; n],
            operator,
        };
        coarsest.factorise();
        coarsest
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.x.len()
    }

    /// Number of entries that are not zero.
    pub fn entries(&self) -> usize {
        self.operator.off.column.len() + self.count()
    }

    /// Factors the operator with another shift.
    pub fn set_shift(&mut self, shift: f64) {
        self.operator.shift = shift;
        self.factorise();
    }

    fn factorise(&mut self) {
        let n = self.count();
        let f = &mut self.factor;
        f.fill(0.0);
        let mut largest = 0.0f64;
        for i in 0..n {
            for (j, v) in self.operator.off.row(i) {
                f[i * n + j] = v;
            }
            f[i * n + i] = self.operator.diagonal(i);
            largest = largest.max(f[i * n + i]);
        }
        for i in 0..n {
            let (above, row) = f.split_at_mut(i * n);
            for j in 0..i {
                let done = &above[j * n..=j * n + j];
                let sum: f64 = row[..j].iter().zip(done).map(|(a, b)| a * b).sum();
                row[j] = (row[j] - sum) / done[j];
            }
            let pivot = row[i] - row[..i].iter().map(|v| v * v).sum::<f64>();
            // A semidefinite remainder (a floating region) is held fixed instead of being divided by zero.
            row[i] = if pivot > 1e-14 * largest {
                pivot.sqrt()
            } else {
                f64::INFINITY
            };
        }
    }

    /// Solves in place.
    pub fn solve(&mut self) {
        let (n, f, x) = (self.x.len(), &self.factor, &mut self.x);
        for i in 0..n {
            let row = &f[i * n..=i * n + i];
            let sum: f64 = row[..i].iter().zip(&x[..i]).map(|(a, b)| a * b).sum();
            x[i] = (x[i] - sum) / row[i];
        }
        for i in (0..n).rev() {
            let row = &f[i * n..=i * n + i];
            x[i] /= row[i];
            let v = x[i];
            for (x, a) in x[..i].iter_mut().zip(row) {
                *x -= a * v;
            }
        }
        for (s, x) in self.single.iter_mut().zip(&self.x) {
            *s = *x as f32;
        }
    }

    /// The solution in single precision.
    pub fn single(&self) -> &[f32] {
        &self.single
    }
}
