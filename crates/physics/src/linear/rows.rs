//! Compressed rows, in which hierarchies are made.

use rayon::prelude::*;

use super::{Matrix, Sliced};

/// Rows that one task makes. Tasks are independent and joined in order, so that threads do not matter.
const TASK: usize = 1024;

/// A sparse matrix by rows.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Where each row starts; one more than rows.
    pub start: Vec<u32>,
    /// Column of each entry.
    pub column: Vec<u32>,
    /// The entries.
    pub value: Vec<f64>,
}

/// Rows in the making, with one more number for each.
#[derive(Debug, Default)]
pub struct Part {
    length: Vec<u32>,
    column: Vec<u32>,
    value: Vec<f64>,
    number: Vec<f64>,
}

impl Part {
    /// Adds an entry to the row in the making.
    pub fn push(&mut self, column: u32, value: f64) {
        self.column.push(column);
        self.value.push(value);
    }
}

impl Rows {
    /// Makes `n` rows in parallel. `row(scratch, i, part)` pushes the entries of row `i` and returns a number kept for it.
    pub fn build<S>(
        n: usize,
        scratch: impl Fn() -> S + Sync + Send,
        row: impl Fn(&mut S, usize, &mut Part) -> f64 + Sync + Send,
    ) -> (Self, Vec<f64>) {
        let parts: Vec<Part> = (0..n.div_ceil(TASK))
            .into_par_iter()
            .map_init(&scratch, |scratch, task| {
                let mut part = Part::default();
                for i in task * TASK..((task + 1) * TASK).min(n) {
                    let before = part.column.len();
                    let number = row(scratch, i, &mut part);
                    part.number.push(number);
                    part.length.push((part.column.len() - before) as u32);
                }
                part
            })
            .collect();
        let entries = parts.iter().map(|p| p.column.len()).sum();
        let mut rows = Self {
            start: Vec::with_capacity(n + 1),
            column: Vec::with_capacity(entries),
            value: Vec::with_capacity(entries),
        };
        let mut numbers = Vec::with_capacity(n);
        let mut at = 0;
        rows.start.push(at);
        for part in parts {
            for length in part.length {
                at += length;
                rows.start.push(at);
            }
            rows.column.extend_from_slice(&part.column);
            rows.value.extend_from_slice(&part.value);
            numbers.extend_from_slice(&part.number);
        }
        (rows, numbers)
    }

    /// `n` rows without entries.
    pub fn empty(n: usize) -> Self {
        Self {
            start: vec![0; n + 1],
            ..Self::default()
        }
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.start.len().saturating_sub(1)
    }

    /// The entries of a row: column and value.
    pub fn row(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let r = self.start[i] as usize..self.start[i + 1] as usize;
        self.column[r.clone()]
            .iter()
            .zip(&self.value[r])
            .map(|(c, v)| (*c as usize, *v))
    }

    /// The transposed matrix, of `columns` rows.
    pub fn transpose(&self, columns: usize) -> Self {
        let mut start = vec![0u32; columns + 1];
        for &c in &self.column {
            start[c as usize + 1] += 1;
        }
        for i in 0..columns {
            start[i + 1] += start[i];
        }
        let mut next = start.clone();
        let mut column = vec![0u32; self.column.len()];
        let mut value = vec![0.0; self.value.len()];
        for i in 0..self.count() {
            for (c, v) in self.row(i) {
                let at = next[c] as usize;
                column[at] = i as u32;
                value[at] = v;
                next[c] += 1;
            }
        }
        Self { start, column, value }
    }
}

/// The operator of one level: entries beside the diagonal, the diagonal without mass, and the lumped mass times the shift.
#[derive(Debug, Clone, Default)]
pub struct Operator {
    /// Entries beside the diagonal.
    pub off: Rows,
    /// Diagonal of the stiffness.
    pub stiffness: Vec<f64>,
    /// Lumped mass.
    pub mass: Vec<f64>,
    /// What the mass is multiplied by.
    pub shift: f64,
}

impl Operator {
    /// The operator of a matrix whose diagonal contains `shift · mass`.
    pub fn new(a: &Matrix<f64>, mass: &[f64], shift: f64) -> Self {
        let (off, _) = Rows::build(
            a.rows(),
            || (),
            |(), i, part| {
                for (j, v) in a.off.row(i) {
                    part.push(j as u32, v);
                }
                0.0
            },
        );
        let mut mass = mass.to_vec();
        mass.resize(a.rows(), 0.0);
        Self {
            off,
            stiffness: a.diagonal.iter().zip(&mass).map(|(d, m)| d - shift * m).collect(),
            mass,
            shift,
        }
    }

    /// Number of rows.
    pub fn count(&self) -> usize {
        self.stiffness.len()
    }

    /// The matrix in single precision.
    pub fn single(&self) -> Matrix<f32> {
        Matrix {
            off: Sliced::from_rows(&self.off),
            diagonal: (0..self.count()).map(|i| self.diagonal(i) as f32).collect(),
        }
    }

    /// The diagonal, mass included.
    pub fn diagonal(&self, i: usize) -> f64 {
        self.stiffness[i] + self.shift * self.mass[i]
    }
}
