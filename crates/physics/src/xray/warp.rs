//! From the grid in the base plane to the pixels of the detector.

use rayon::prelude::*;

use super::{Image, View};

/// Sums over slices on a grid in the base plane; all in continuous voxel indices.
pub(super) struct Grid<'a, const C: usize> {
    pub data: &'a [[f32; C]],
    pub columns: usize,
    pub rows: usize,
    /// First point along columns and rows.
    pub origin: [f64; 2],
    /// Steps along columns and rows.
    pub step: [f64; 2],
    /// The base plane.
    pub base: f64,
    /// Axes of slices, rows and columns.
    pub axes: [usize; 3],
}

/// Weights of four points at −1, 0, 1, 2 for the place `t` in 0..1: Lagrange's cubic, of fourth order.
#[inline]
fn cubic(t: f32) -> [f32; 4] {
    let (a, b, c) = (t + 1.0, t - 1.0, t - 2.0);
    let (bc, at) = (b * c, a * t);
    [t * bc * (-1.0 / 6.0), a * bc * 0.5, at * c * -0.5, at * b * (1.0 / 6.0)]
}

/// The pictures on the detector: interpolated sums times each ray's length from slice to slice, mm.
pub(super) fn warp<const C: usize>(grid: &Grid<'_, C>, view: &View, inside: &View) -> [Image; C] {
    let [sa, ra, ca] = grid.axes;
    let columns = view.columns;
    let s = inside.source_mm;
    let mut all = vec![[0.0f32; C]; columns * view.rows];
    all.par_chunks_mut(columns).enumerate().for_each(|(row, out)| {
        let start = inside.pixel_mm(0.0, row as f64) - s;
        let step = inside.column_step_mm;
        let start_mm = view.pixel_mm(0.0, row as f64) - view.source_mm;
        let scale = [1.0 / grid.step[0], 1.0 / grid.step[1]];
        for (column, out) in out.iter_mut().enumerate() {
            let n = column as f64;
            let reach = 1.0 / (start[sa] + step[sa] * n);
            let q = (grid.base - s[sa]) * reach;
            let x = (s[ca] + (start[ca] + step[ca] * n) * q - grid.origin[0]) * scale[0];
            let y = (s[ra] + (start[ra] + step[ra] * n) * q - grid.origin[1]) * scale[1];
            let (i, j) = (x.floor(), y.floor());
            if !(i >= 1.0 && j >= 1.0 && i < grid.columns as f64 - 2.0 && j < grid.rows as f64 - 2.0) {
                continue;
            }
            let length = (start_mm + view.column_step_mm * n).norm() * reach.abs();
            let (wx, wy) = (cubic((x - i) as f32), cubic((y - j) as f32));
            let corner = (i as usize - 1) + grid.columns * (j as usize - 1);
            let mut sum = [0.0f32; C];
            for (m, wy) in wy.into_iter().enumerate() {
                let at = corner + grid.columns * m;
                let four = &grid.data[at..at + 4];
                for c in 0..C {
                    sum[c] += wy * (wx[0] * four[0][c] + wx[1] * four[1][c] + wx[2] * four[2][c] + wx[3] * four[3][c]);
                }
            }
            *out = sum.map(|v| v * length as f32);
        }
    });
    std::array::from_fn(|c| Image {
        columns,
        rows: view.rows,
        data: all.iter().map(|v| v[c]).collect(),
    })
}
