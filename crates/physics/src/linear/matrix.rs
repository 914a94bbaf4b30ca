//! Matrices for products: rows in slices of eight, diagonal apart.
//!
//! A slice holds the entries of eight rows side by side, as many for each as its longest row has (SELL-8; Kreutzer et al.
//! 2014). Eight sums then run at once and no row has a loop of its own. Short rows are filled up with zeros.

use std::sync::Arc;

use neurotome_base::parallel::for_blocks;
use wide::{f32x8, f64x8};

use super::rows::Rows;

/// Rows in a slice. [`neurotome_base::parallel::BLOCK`] is a multiple of it.
pub const LANES: usize = 8;

/// The scalars a matrix may hold: `f64` where it is solved, `f32` where it only preconditions.
pub trait Scalar: Copy + Send + Sync + Default + std::ops::Mul<Output = Self> + std::ops::Add<Output = Self> {
    /// Eight of them, computed with at once.
    type Eight: Copy
        + Default
        + From<[Self; LANES]>
        + std::ops::Add<Output = Self::Eight>
        + std::ops::Mul<Output = Self::Eight>;

    /// The eight as an array.
    fn array(eight: Self::Eight) -> [Self; LANES];
}

impl Scalar for f32 {
    type Eight = f32x8;

    #[inline]
    fn array(eight: f32x8) -> [Self; LANES] {
        eight.to_array()
    }
}

impl Scalar for f64 {
    type Eight = f64x8;

    #[inline]
    fn array(eight: f64x8) -> [Self; LANES] {
        eight.to_array()
    }
}

/// Where the entries of a sliced matrix are.
#[derive(Debug, Default)]
struct Places {
    rows: usize,
    /// Where each slice starts, in groups of eight entries; one more than slices.
    start: Vec<u32>,
    /// Columns of the `j`-th entries of eight rows.
    column: Vec<[u32; LANES]>,
}

impl Places {
    /// Of rows whose lengths are given; `fill(row, j)` is the column of a row's `j`-th entry.
    fn new(length: &[u32], fill: impl Fn(usize, usize) -> u32) -> Self {
        let rows = length.len();
        let mut start = vec![0u32];
        let mut column = Vec::new();
        for (s, lengths) in length.chunks(LANES).enumerate() {
            let most = lengths.iter().copied().max().unwrap_or(0) as usize;
            for j in 0..most {
                let mut group = [0; LANES];
                for (k, &length) in lengths.iter().enumerate() {
                    if length > 0 {
                        group[k] = fill(s * LANES + k, j.min(length as usize - 1));
                    }
                }
                column.push(group);
            }
            start.push(column.len() as u32);
        }
        Self { rows, start, column }
    }

    fn slice(&self, s: usize) -> std::ops::Range<usize> {
        self.start[s] as usize..self.start[s + 1] as usize
    }
}

/// A sliced matrix without a special diagonal.
#[derive(Debug, Clone, Default)]
pub struct Sliced<T> {
    places: Arc<Places>,
    value: Vec<[T; LANES]>,
}

impl<T: Scalar> Sliced<T> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.places.rows
    }

    /// Eight rows times a vector.
    #[inline]
    pub fn slice_times(&self, s: usize, x: &[T]) -> T::Eight {
        let range = self.places.slice(s);
        let mut sum = T::Eight::default();
        for (value, column) in self.value[range.clone()].iter().zip(&self.places.column[range]) {
            let mut gathered = [T::default(); LANES];
            for k in 0..LANES {
                gathered[k] = x[column[k] as usize];
            }
            sum = sum + T::Eight::from(*value) * T::Eight::from(gathered);
        }
        sum
    }

    /// Calls `f(offset in block, row times x)` for `count` rows from `offset`, a multiple of eight; the diagonal is given apart.
    #[inline]
    pub fn rows_times(&self, diagonal: &[T], offset: usize, count: usize, x: &[T], mut f: impl FnMut(usize, T)) {
        let (own, diagonal) = (&x[offset..offset + count], &diagonal[offset..offset + count]);
        for (s, (x8, d8)) in own.chunks(LANES).zip(diagonal.chunks(LANES)).enumerate() {
            let sum = T::array(self.slice_times(offset / LANES + s, x));
            for (k, ((v, x), d)) in sum.into_iter().zip(x8).zip(d8).enumerate() {
                f(s * LANES + k, *d * *x + v);
            }
        }
    }

    /// Entries stored over entries that are not zero.
    pub fn filling(&self) -> f64
    where
        T: PartialEq,
    {
        let stored = self.value.len() * LANES;
        let used = self.value.iter().flatten().filter(|v| **v != T::default()).count();
        stored as f64 / used.max(1) as f64
    }

    /// Entries stored.
    pub fn entries(&self) -> usize {
        self.value.len() * LANES
    }

    /// The entries of a row that are not zero: column and value.
    pub fn row(&self, i: usize) -> impl Iterator<Item = (usize, T)> + '_
    where
        T: PartialEq,
    {
        let k = i % LANES;
        self.places
            .slice(i / LANES)
            .map(move |g| (self.places.column[g][k] as usize, self.value[g][k]))
            .filter(|(_, v)| *v != T::default())
    }
}

impl Sliced<f32> {
    /// Sums of the absolute values in eight rows.
    pub(super) fn slice_sizes(&self, s: usize) -> [f32; LANES] {
        let mut sum = [0.0; LANES];
        for value in &self.value[self.places.slice(s)] {
            for k in 0..LANES {
                sum[k] += value[k].abs();
            }
        }
        sum
    }

    /// The same rows in slices.
    pub(super) fn from_rows(rows: &Rows) -> Self {
        let length: Vec<u32> = rows.start.windows(2).map(|w| w[1] - w[0]).collect();
        let places = Places::new(&length, |i, j| rows.column[rows.start[i] as usize + j]);
        let mut value = vec![[0.0; LANES]; places.column.len()];
        for i in 0..rows.count() {
            let first = places.start[i / LANES] as usize;
            for (j, (_, v)) in rows.row(i).enumerate() {
                value[first + j][i % LANES] = v as f32;
            }
        }
        Self {
            places: Arc::new(places),
            value,
        }
    }
}

/// A symmetric matrix: entries beside the diagonal in slices, and the diagonal.
#[derive(Debug, Clone, Default)]
pub struct Matrix<T> {
    /// Entries beside the diagonal.
    pub off: Sliced<T>,
    /// The diagonal.
    pub diagonal: Vec<T>,
}

impl<T: Scalar> Matrix<T> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.diagonal.len()
    }

    /// Calls `f(offset in block, row times x)` for `count` rows from `offset`, a multiple of eight.
    #[inline]
    pub fn rows_times(&self, offset: usize, count: usize, x: &[T], f: impl FnMut(usize, T)) {
        self.off.rows_times(&self.diagonal, offset, count, x, f);
    }

    /// `y = A x`.
    pub fn multiply(&self, x: &[T], y: &mut [T]) {
        for_blocks(y, |offset, block| {
            self.rows_times(offset, block.len(), x, |k, v| block[k] = v);
        });
    }
}

impl Matrix<f64> {
    /// The matrix in single precision; the places are shared.
    pub fn single(&self) -> Matrix<f32> {
        let mut value = vec![[0.0f32; LANES]; self.off.value.len()];
        for_blocks(&mut value, |offset, block| {
            for (to, from) in block.iter_mut().zip(&self.off.value[offset..]) {
                *to = from.map(|v| v as f32);
            }
        });
        Matrix {
            off: Sliced {
                places: Arc::clone(&self.off.places),
                value,
            },
            diagonal: self.diagonal.iter().map(|v| *v as f32).collect(),
        }
    }
}

/// A graph of cells joined by edges, from which matrices of conductances are made.
#[derive(Debug)]
pub struct Graph {
    places: Arc<Places>,
    /// Edge of each entry; `u32::MAX` where a row is filled up.
    edge: Vec<[u32; LANES]>,
}

impl Graph {
    /// The graph of `n` nodes joined along the given edges (no edge twice).
    pub fn new(n: usize, edges: &[(u32, u32)]) -> Self {
        let mut length = vec![0u32; n];
        for &(a, b) in edges {
            length[a as usize] += 1;
            length[b as usize] += 1;
        }
        let mut next = Vec::with_capacity(n);
        let mut total = 0u32;
        for l in &length {
            next.push(total);
            total += l;
        }
        let first = next.clone();
        let mut entry = vec![(0u32, 0u32); total as usize];
        for (e, &(a, b)) in edges.iter().enumerate() {
            for (from, to) in [(a, b), (b, a)] {
                let at = &mut next[from as usize];
                entry[*at as usize] = (to, e as u32);
                *at += 1;
            }
        }
        for i in 0..n {
            entry[first[i] as usize..next[i] as usize].sort_unstable_by_key(|e| e.0);
        }
        let places = Places::new(&length, |i, j| entry[first[i] as usize + j].0);
        let mut edge = vec![[u32::MAX; LANES]; places.column.len()];
        for i in 0..n {
            let group = places.start[i / LANES] as usize;
            for j in 0..length[i] as usize {
                edge[group + j][i % LANES] = entry[first[i] as usize + j].1;
            }
        }
        Self {
            places: Arc::new(places),
            edge,
        }
    }

    /// A matrix of zeros on this graph.
    pub fn matrix(&self) -> Matrix<f64> {
        Matrix {
            off: Sliced {
                places: Arc::clone(&self.places),
                value: vec![[0.0; LANES]; self.edge.len()],
            },
            diagonal: vec![0.0; self.places.rows],
        }
    }

    /// Sets a matrix of this graph to that of conductances: `Σ g (xᵢ − xⱼ) + groundᵢ xᵢ`.
    pub fn assemble(&self, conductance: &[f64], ground: &[f64], matrix: &mut Matrix<f64>) {
        for_blocks(&mut matrix.off.value, |offset, block| {
            for (value, edge) in block.iter_mut().zip(&self.edge[offset..]) {
                for k in 0..LANES {
                    value[k] = conductance.get(edge[k] as usize).map_or(0.0, |g| -g);
                }
            }
        });
        let off = &matrix.off;
        for_blocks(&mut matrix.diagonal, |offset, block| {
            for (s, block) in block.chunks_mut(LANES).enumerate() {
                let first = offset + s * LANES;
                let mut sum = [0.0; LANES];
                for value in &off.value[self.places.slice(first / LANES)] {
                    for k in 0..LANES {
                        sum[k] -= value[k];
                    }
                }
                for ((d, s), g) in block.iter_mut().zip(sum).zip(&ground[first..]) {
                    *d = s + g;
                }
            }
        });
    }

    /// Calls `f(lane, neighbour, edge)` for all entries of the slice that starts at row `first`.
    #[inline]
    pub fn for_slice(&self, first: usize, mut f: impl FnMut(usize, usize, usize)) {
        for g in self.places.slice(first / LANES) {
            for k in 0..LANES {
                if self.edge[g][k] != u32::MAX {
                    f(k, self.places.column[g][k] as usize, self.edge[g][k] as usize);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_and_a_path_multiply_as_their_definition() {
        // Node 0 joined to 1..=20, and a path through all: rows of very different length.
        let n = 21;
        let mut edges: Vec<(u32, u32)> = (1..n as u32).map(|i| (0, i)).collect();
        edges.extend((1..n as u32 - 1).map(|i| (i + 1, i)));
        let g: Vec<f64> = (0..edges.len()).map(|e| 1.0 + e as f64).collect();
        let ground: Vec<f64> = (0..n).map(|i| 0.5 * i as f64).collect();
        let graph = Graph::new(n, &edges);
        let mut a = graph.matrix();
        graph.assemble(&g, &ground, &mut a);
        let x: Vec<f64> = (0..n).map(|i| (i as f64 * 0.9).sin()).collect();
        let mut expected: Vec<f64> = (0..n).map(|i| ground[i] * x[i]).collect();
        for (&(a, b), g) in edges.iter().zip(&g) {
            let d = g * (x[a as usize] - x[b as usize]);
            expected[a as usize] += d;
            expected[b as usize] -= d;
        }
        let mut y = vec![0.0; n];
        a.multiply(&x, &mut y);
        for (y, e) in y.iter().zip(&expected) {
            assert!((y - e).abs() < 1e-12, "{y} {e}");
        }
        assert_eq!(a.off.row(0).count(), 20);
        assert_eq!(a.off.row(20).collect::<Vec<_>>(), [(0, -20.0), (19, -39.0)]);
    }
}
