//! Compressed sparse rows.

use neurotome_base::parallel::for_blocks;
use rayon::prelude::*;

/// Rows of a product that one task makes: blocks are independent and joined in order, so that threads do not matter.
const ROWS: usize = 1024;

/// The places of the entries of a sparse matrix, shared by all matrices on one grid. Columns ascend within a row.
#[derive(Debug, Clone, Default)]
pub struct Pattern {
    /// Where each row starts, `rows + 1` entries.
    pub row: Vec<u32>,
    /// Column of each entry.
    pub column: Vec<u32>,
    /// Entry of each row's diagonal.
    pub diagonal: Vec<u32>,
}

impl Pattern {
    /// The pattern of a symmetric graph of `n` nodes, each joined to itself and along the given edges (no edge twice).
    ///
    /// Also returns, for every entry, the index of its edge (`u32::MAX` on the diagonal).
    pub fn from_edges(n: usize, edges: &[(u32, u32)]) -> (Self, Vec<u32>) {
        let mut count = vec![1u32; n + 1];
        count[n] = 0;
        for &(a, b) in edges {
            count[a as usize] += 1;
            count[b as usize] += 1;
        }
        let mut row = vec![0u32; n + 1];
        for i in 0..n {
            row[i + 1] = row[i] + count[i];
        }
        let mut entries: Vec<(u32, u32)> = vec![(0, 0); row[n] as usize];
        let mut next: Vec<u32> = row[..n].to_vec();
        let mut push = |r: u32, c: u32, e: u32| {
            entries[next[r as usize] as usize] = (c, e);
            next[r as usize] += 1;
        };
        for i in 0..n as u32 {
            push(i, i, u32::MAX);
        }
        for (e, &(a, b)) in edges.iter().enumerate() {
            push(a, b, e as u32);
            push(b, a, e as u32);
        }
        let mut diagonal = vec![0u32; n];
        for i in 0..n {
            let r = row[i] as usize..row[i + 1] as usize;
            entries[r.clone()].sort_unstable_by_key(|e| e.0);
            let at = entries[r].iter().position(|e| e.1 == u32::MAX).unwrap_or(0);
            diagonal[i] = row[i] + at as u32;
        }
        let column = entries.iter().map(|e| e.0).collect();
        let edge = entries.iter().map(|e| e.1).collect();
        (Self { row, column, diagonal }, edge)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.row.len() - 1
    }

    /// The entries of one row.
    pub fn range(&self, i: usize) -> std::ops::Range<usize> {
        self.row[i] as usize..self.row[i + 1] as usize
    }
}

/// A sparse matrix; `T` is `f64` where it is solved and `f32` where it only preconditions.
#[derive(Debug, Clone, Default)]
pub struct Csr<T> {
    /// Where the entries are.
    pub pattern: Pattern,
    /// The entries.
    pub value: Vec<T>,
}

/// The scalars a matrix may hold.
pub trait Scalar: Copy + Send + Sync + Default + std::ops::AddAssign + std::ops::Mul<Output = Self> {}
impl Scalar for f32 {}
impl Scalar for f64 {}

impl<T: Scalar> Csr<T> {
    /// One row times a vector. Four sums run side by side, so that no addition waits for the one before.
    #[inline]
    pub fn row_times(&self, i: usize, x: &[T]) -> T {
        let r = self.pattern.range(i);
        let (value, column) = (&self.value[r.clone()], &self.pattern.column[r]);
        let (mut values, mut columns) = (value.chunks_exact(4), column.chunks_exact(4));
        let mut sum = [T::default(); 4];
        for (v, c) in values.by_ref().zip(columns.by_ref()) {
            for k in 0..4 {
                sum[k] += v[k] * x[c[k] as usize];
            }
        }
        for (k, (v, c)) in values.remainder().iter().zip(columns.remainder()).enumerate() {
            sum[k] += *v * x[*c as usize];
        }
        sum[0] += sum[1];
        sum[2] += sum[3];
        sum[0] += sum[2];
        sum[0]
    }

    /// `y = A x`.
    pub fn multiply(&self, x: &[T], y: &mut [T]) {
        for_blocks(y, |offset, block| {
            for (k, out) in block.iter_mut().enumerate() {
                *out = self.row_times(offset + k, x);
            }
        });
    }
}

impl Csr<f64> {
    /// A matrix from unsorted entries, duplicates added; for small and coarse matrices.
    pub fn from_rows(rows: Vec<Vec<(u32, f64)>>) -> Self {
        let mut row = vec![0u32];
        let mut column = Vec::new();
        let mut value = Vec::new();
        let mut diagonal = Vec::new();
        for (i, mut entries) in rows.into_iter().enumerate() {
            entries.sort_unstable_by_key(|e| e.0);
            diagonal.push(u32::MAX);
            for (c, v) in entries {
                if c as usize == i && diagonal[i] == u32::MAX {
                    diagonal[i] = column.len() as u32;
                }
                column.push(c);
                value.push(v);
            }
            row.push(column.len() as u32);
        }
        Self {
            pattern: Pattern { row, column, diagonal },
            value,
        }
    }

    /// The transposed matrix of `columns` rows.
    #[must_use]
    pub fn transpose(&self, columns: usize) -> Self {
        let n = self.pattern.rows();
        let mut row = vec![0u32; columns + 1];
        for &c in &self.pattern.column {
            row[c as usize + 1] += 1;
        }
        for i in 0..columns {
            row[i + 1] += row[i];
        }
        let mut next = row.clone();
        let mut column = vec![0u32; self.value.len()];
        let mut value = vec![0.0; self.value.len()];
        for i in 0..n {
            for e in self.pattern.range(i) {
                let c = self.pattern.column[e] as usize;
                column[next[c] as usize] = i as u32;
                value[next[c] as usize] = self.value[e];
                next[c] += 1;
            }
        }
        Self {
            pattern: Pattern {
                row,
                column,
                diagonal: Vec::new(),
            },
            value,
        }
    }

    /// The product `self · other`, `other` having `columns` columns.
    #[must_use]
    pub fn times(&self, other: &Self, columns: usize) -> Self {
        let n = self.pattern.rows();
        let blocks: Vec<Vec<Vec<(u32, f64)>>> = (0..n.div_ceil(ROWS))
            .into_par_iter()
            .map(|b| {
                let mut sum = vec![0.0; columns];
                let mut seen = vec![false; columns];
                let mut touched: Vec<u32> = Vec::new();
                (b * ROWS..((b + 1) * ROWS).min(n))
                    .map(|i| {
                        for e in self.pattern.range(i) {
                            let (k, v) = (self.pattern.column[e] as usize, self.value[e]);
                            for f in other.pattern.range(k) {
                                let c = other.pattern.column[f] as usize;
                                if !seen[c] {
                                    seen[c] = true;
                                    touched.push(c as u32);
                                }
                                sum[c] += v * other.value[f];
                            }
                        }
                        let out = touched.iter().map(|&c| (c, sum[c as usize])).collect();
                        for &c in &touched {
                            seen[c as usize] = false;
                            sum[c as usize] = 0.0;
                        }
                        touched.clear();
                        out
                    })
                    .collect()
            })
            .collect();
        Self::from_rows(blocks.into_iter().flatten().collect())
    }
}
