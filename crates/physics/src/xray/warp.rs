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

/// Pixels whose places are computed together before their values are fetched.
const CHUNK: usize = 64;

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
        let step_mm = view.column_step_mm;
        // |start + step n|² as a polynomial of the column.
        let square = [
            start_mm.norm_squared(),
            2.0 * start_mm.dot(&step_mm),
            step_mm.norm_squared(),
        ];
        let scale = [1.0 / grid.step[0], 1.0 / grid.step[1]];
        let last = [grid.columns as f64 - 3.0, grid.rows as f64 - 3.0];
        let (mut place, mut part, mut length) = ([[0i32; 2]; CHUNK], [[0.0f32; 2]; CHUNK], [0.0f32; CHUNK]);
        for (chunk, out) in out.chunks_mut(CHUNK).enumerate() {
            let first = (chunk * CHUNK) as f64;
            for k in 0..CHUNK {
                let n = first + k as f64;
                let reach = 1.0 / (start[sa] + step[sa] * n);
                let q = (grid.base - s[sa]) * reach;
                let x = (s[ca] + (start[ca] + step[ca] * n) * q - grid.origin[0]) * scale[0];
                let y = (s[ra] + (start[ra] + step[ra] * n) * q - grid.origin[1]) * scale[1];
                let (i, j) = (x.floor(), y.floor());
                // Rays beside the grid see nothing; a length of zero says so.
                let inside = i >= 1.0 && j >= 1.0 && i <= last[0] && j <= last[1];
                let mm = (square[0] + n * (square[1] + n * square[2])).sqrt() * reach.abs();
                place[k] = if inside { [i as i32, j as i32] } else { [1, 1] };
                part[k] = [(x - i) as f32, (y - j) as f32];
                length[k] = if inside { mm as f32 } else { 0.0 };
            }
            for (k, out) in out.iter_mut().enumerate() {
                if length[k] > 0.0 {
                    let corner = (place[k][0] as usize - 1) + grid.columns * (place[k][1] as usize - 1);
                    *out = around(grid, corner, cubic(part[k][0]), cubic(part[k][1])).map(|v| v * length[k]);
                }
            }
        }
    });
    std::array::from_fn(|c| Image {
        columns,
        rows: view.rows,
        data: all.iter().map(|v| v[c]).collect(),
    })
}

/// The weighted sum of four by four points.
#[inline]
fn around<const C: usize>(grid: &Grid<'_, C>, corner: usize, across: [f32; 4], down: [f32; 4]) -> [f32; C] {
    let mut sums = [[0.0f32; C]; 4];
    for (m, w) in down.into_iter().enumerate() {
        let at = corner + grid.columns * m;
        let four = &grid.data[at..at + 4];
        for n in 0..4 {
            for c in 0..C {
                sums[n][c] += w * four[n][c];
            }
        }
    }
    std::array::from_fn(|c| {
        (across[0] * sums[0][c] + across[1] * sums[1][c]) + (across[2] * sums[2][c] + across[3] * sums[3][c])
    })
}
