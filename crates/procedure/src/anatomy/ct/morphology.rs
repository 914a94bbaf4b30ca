//! Neighbours, connected parts and distances on a grid of voxels.

use neurotome_base::Affine;

/// A grid of voxels with the lengths of its steps.
#[derive(Debug, Clone)]
pub(super) struct Grid {
    pub dims: [usize; 3],
    pub spacing_mm: [f64; 3],
    /// Offsets of the 26 neighbours with their distance, nearest first.
    pub neighbours: Vec<([i32; 3], f32)>,
}

impl Grid {
    pub(super) fn new(dims: [usize; 3], affine: &Affine) -> Self {
        let mut neighbours = Vec::with_capacity(26);
        for dk in -1..=1i32 {
            for dj in -1..=1i32 {
                for di in -1..=1i32 {
                    if (di, dj, dk) != (0, 0, 0) {
                        let d = affine.matrix * neurotome_base::Vec3::new(di as f64, dj as f64, dk as f64);
                        neighbours.push(([di, dj, dk], d.norm() as f32));
                    }
                }
            }
        }
        neighbours.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
        Self {
            dims,
            spacing_mm: affine.spacing_mm(),
            neighbours,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.dims.iter().product()
    }

    pub(super) fn voxel_mm3(&self) -> f64 {
        self.spacing_mm.iter().product()
    }

    pub(super) fn index(&self, n: usize) -> [usize; 3] {
        let [nx, ny, _] = self.dims;
        [n % nx, n / nx % ny, n / (nx * ny)]
    }

    /// The neighbour of voxel `n`, whose index is `at`, or none beyond the image.
    #[inline]
    pub(super) fn step(&self, n: usize, at: [usize; 3], by: [i32; 3]) -> Option<usize> {
        let [nx, ny, _] = self.dims;
        for a in 0..3 {
            let x = at[a] as i64 + i64::from(by[a]);
            if x < 0 || x >= self.dims[a] as i64 {
                return None;
            }
        }
        let offset = i64::from(by[0]) + nx as i64 * (i64::from(by[1]) + ny as i64 * i64::from(by[2]));
        Some((n as i64 + offset) as usize)
    }

    /// The voxels that share a face with voxel `n`.
    fn faces(&self, n: usize) -> impl Iterator<Item = usize> {
        const FACES: [[i32; 3]; 6] = [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]];
        let at = self.index(n);
        FACES.into_iter().filter_map(move |by| self.step(n, at, by))
    }

    pub(super) fn at_border(&self, n: usize) -> bool {
        let at = self.index(n);
        (0..3).any(|a| at[a] == 0 || at[a] + 1 == self.dims[a])
    }

    /// True where two faces of the image meet.
    pub(super) fn at_edge(&self, n: usize) -> bool {
        let at = self.index(n);
        (0..3).filter(|a| at[*a] == 0 || at[*a] + 1 == self.dims[*a]).count() >= 2
    }

    /// The parts of a mask that hang together by faces, in order of their first voxel.
    pub(super) fn parts(&self, mask: &[bool]) -> Parts {
        let mut part_of = vec![u32::MAX; mask.len()];
        let mut sizes = Vec::new();
        let mut at_border = Vec::new();
        let mut stack = Vec::new();
        for first in 0..mask.len() {
            if !mask[first] || part_of[first] != u32::MAX {
                continue;
            }
            let part = sizes.len() as u32;
            let (mut size, mut border) = (0usize, false);
            part_of[first] = part;
            stack.push(first);
            while let Some(n) = stack.pop() {
                size += 1;
                border |= self.at_border(n);
                for m in self.faces(n) {
                    if mask[m] && part_of[m] == u32::MAX {
                        part_of[m] = part;
                        stack.push(m);
                    }
                }
            }
            sizes.push(size);
            at_border.push(border);
        }
        Parts {
            part_of,
            sizes,
            at_border,
        }
    }

    /// Distance in mm from every voxel centre to the nearest voxel centre of a mask (exact, Felzenszwalb and Huttenlocher,
    /// Theory of Computing 2012;8:415, for steps at right angles); a very large number when the mask is empty.
    pub(super) fn distance_mm(&self, mask: &[bool]) -> Vec<f32> {
        const FAR: f32 = 1e12;
        let mut squared: Vec<f32> = mask.iter().map(|m| if *m { 0.0 } else { FAR }).collect();
        let longest = self.dims.into_iter().max().unwrap_or(1);
        let mut line = vec![0f32; longest];
        let mut vertex = vec![0usize; longest];
        let mut limit = vec![0f32; longest + 1];
        let [nx, ny, nz] = self.dims;
        for axis in 0..3 {
            let n = self.dims[axis];
            if n == 1 {
                continue;
            }
            let stride = [1, nx, nx * ny][axis];
            let h2 = (self.spacing_mm[axis] * self.spacing_mm[axis]) as f32;
            let (others, starts) = match axis {
                0 => (ny * nz, [nx, 0]),
                1 => (nx * nz, [1, nx * ny]),
                _ => (nx * ny, [1, 0]),
            };
            for other in 0..others {
                let start = match axis {
                    0 => other * starts[0],
                    1 => other % nx + other / nx * starts[1],
                    _ => other,
                };
                for (q, value) in line[..n].iter_mut().enumerate() {
                    *value = squared[start + q * stride];
                }
                if line[..n].iter().all(|v| *v >= FAR) || line[..n].iter().all(|v| *v == 0.0) {
                    continue;
                }
                lower_envelope(&line[..n], h2, &mut vertex, &mut limit);
                let mut k = 0;
                for q in 0..n {
                    while limit[k + 1] < q as f32 {
                        k += 1;
                    }
                    let d = q as f32 - vertex[k] as f32;
                    squared[start + q * stride] = h2 * d * d + line[vertex[k]];
                }
            }
        }
        for v in &mut squared {
            *v = v.sqrt();
        }
        squared
    }
}

/// The lower envelope of the parabolas `h2 (q − v)² + line[v]`.
fn lower_envelope(line: &[f32], h2: f32, vertex: &mut [usize], limit: &mut [f32]) {
    let mut k = 0;
    vertex[0] = 0;
    limit[0] = f32::NEG_INFINITY;
    limit[1] = f32::INFINITY;
    for q in 1..line.len() {
        loop {
            let v = vertex[k];
            let (qf, vf) = (f64::from(q as u32), f64::from(v as u32));
            let meet =
                ((f64::from(line[q]) - f64::from(line[v])) / f64::from(h2) + qf * qf - vf * vf) / (2.0 * (qf - vf));
            if meet as f32 <= limit[k] && k > 0 {
                k -= 1;
            } else {
                k += 1;
                vertex[k] = q;
                limit[k] = meet as f32;
                limit[k + 1] = f32::INFINITY;
                break;
            }
        }
    }
}

/// Connected parts of a mask.
pub(super) struct Parts {
    /// Part of each voxel, `u32::MAX` outside the mask.
    pub part_of: Vec<u32>,
    /// Voxels of each part.
    pub sizes: Vec<usize>,
    /// Whether a part reaches the border of the image.
    pub at_border: Vec<bool>,
}

impl Parts {
    /// The part with most voxels; of several the first.
    pub(super) fn largest(&self) -> Option<(u32, usize)> {
        let mut best: Option<(u32, usize)> = None;
        for (part, size) in self.sizes.iter().enumerate() {
            if best.is_none_or(|b| *size > b.1) {
                best = Some((part as u32, *size));
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(dims: [usize; 3], spacing: [f64; 3]) -> Grid {
        Grid::new(dims, &Affine::axis_aligned(spacing, [0.0; 3]).unwrap())
    }

    #[test]
    fn distances_are_exact() {
        let g = grid([9, 7, 5], [0.7, 1.1, 4.25]);
        let seeds = [3usize, 40, 77, 200, 314];
        let mut mask = vec![false; g.len()];
        for s in seeds {
            mask[s] = true;
        }
        let d = g.distance_mm(&mask);
        for n in 0..g.len() {
            let a = g.index(n);
            let nearest = seeds
                .iter()
                .map(|s| {
                    let b = g.index(*s);
                    (0..3)
                        .map(|x| ((a[x] as f64 - b[x] as f64) * g.spacing_mm[x]).powi(2))
                        .sum::<f64>()
                        .sqrt()
                })
                .fold(f64::INFINITY, f64::min);
            assert!(
                (f64::from(d[n]) - nearest).abs() < 1e-4,
                "{a:?}: {} and {nearest}",
                d[n]
            );
        }
    }

    #[test]
    fn parts_are_counted() {
        let g = grid([5, 5, 3], [1.0; 3]);
        let mut mask = vec![false; g.len()];
        // One voxel in the middle; a row along the border; a voxel that touches the row at a corner only.
        mask[2 + 5 * 2 + 25] = true;
        (0..4).for_each(|i| mask[i] = true);
        mask[4 + 5] = true;
        let parts = g.parts(&mask);
        assert_eq!(parts.sizes, [4, 1, 1]);
        assert_eq!(parts.at_border, [true, true, false]);
        assert_eq!(parts.largest(), Some((0, 4)));
    }
}
