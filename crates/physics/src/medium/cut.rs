//! A cell that a border of tissues cuts: resistivities along it, from a lattice of points in its own coordinates.

use neurotome_base::Vec3;

/// Points along each coordinate; even, so that a half holds whole layers.
pub const SIDE: usize = 4;
/// Columns side by side between a cell's point and a slanting face are this number squared.
pub const COLUMNS: usize = 3;
/// Points on the way from a cell's point to a slanting face, in each column.
pub const ALONG: usize = 4;

/// 1/σ in Ω m and 1/k in m K/W at the points of the lattice, and their means over halves of the cell.
#[derive(Debug, Clone)]
pub struct Cut {
    inverse: Box<[[f32; 2]]>,
    towards: [[f64; 2]; 6],
}

impl Cut {
    /// A cell with 1/σ and 1/k at `SIDE³` points, the first coordinate running fastest.
    pub fn new(inverse: &[[f64; 2]]) -> Self {
        let mut towards = [[0.0; 2]; 6];
        for (side, mean) in towards.iter_mut().enumerate() {
            *mean = half(inverse, side);
        }
        Self {
            inverse: inverse.iter().map(|v| v.map(|v| v as f32)).collect(),
            towards,
        }
    }

    /// Means of 1/σ and 1/k on the way from the cell's middle to a side, numbered as by [`crate::grid::Grid::side`].
    pub fn towards(&self, side: usize) -> [f64; 2] {
        self.towards[side]
    }

    /// 1/σ and 1/k at the lattice point nearest to a place in the cell's coordinates, −½ to ½.
    pub fn at(&self, p: &Vec3) -> [f64; 2] {
        let index = |v: f64| (((v + 0.5) * SIDE as f64) as usize).min(SIDE - 1);
        let k = index(p.x) + SIDE * (index(p.y) + SIDE * index(p.z));
        self.inverse[k].map(f64::from)
    }
}

/// Means over the half of a lattice towards a side: columns side by side, each a series.
fn half(inverse: &[[f64; 2]], side: usize) -> [f64; 2] {
    let stride = SIDE.pow(side as u32 / 2);
    let first = if side.is_multiple_of(2) { 0 } else { SIDE / 2 };
    let layer = |k: usize| k / stride % SIDE;
    let columns = (0..SIDE.pow(3)).filter(|k| layer(*k) == first);
    mean(columns.map(|k| {
        let mut sum = [0.0; 2];
        for l in 0..SIDE / 2 {
            for (s, v) in sum.iter_mut().zip(inverse[k + l * stride]) {
                *s += v;
            }
        }
        sum.map(|v| v / (SIDE / 2) as f64)
    }))
}

/// Means of 1/σ and 1/k over columns of [`ALONG`] points each, column after column.
pub fn columns(points: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    let mut sums = Vec::with_capacity(COLUMNS * COLUMNS);
    for (k, point) in points.enumerate() {
        if k % ALONG == 0 {
            sums.push([0.0; 2]);
        }
        if let Some(sum) = sums.last_mut() {
            for (s, v) in sum.iter_mut().zip(point) {
                *s += v / ALONG as f64;
            }
        }
    }
    mean(sums.into_iter())
}

/// Harmonic mean: resistivities side by side.
fn mean(columns: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    let (mut sum, mut count) = ([0.0; 2], 0.0);
    for column in columns {
        count += 1.0;
        for (s, v) in sum.iter_mut().zip(column) {
            *s += 1.0 / v;
        }
    }
    sum.map(|s| count / s)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two layers across the first coordinate: in series along it, side by side across it.
    #[test]
    fn layers_in_series_and_side_by_side() {
        let inverse: Vec<[f64; 2]> = (0..SIDE.pow(3))
            .map(|k| if k % SIDE < 1 { [20.0, 2.0] } else { [1.0, 4.0] })
            .collect();
        let cut = Cut::new(&inverse);
        let close = |a: [f64; 2], b: [f64; 2]| (a[0] / b[0] - 1.0).abs() < 1e-12 && (a[1] / b[1] - 1.0).abs() < 1e-12;
        assert!(close(cut.towards(0), [10.5, 3.0]));
        assert!(close(cut.towards(1), [1.0, 4.0]));
        let parallel = [4.0 / (1.0 / 20.0 + 3.0), 4.0 / (1.0 / 2.0 + 3.0 / 4.0)];
        for side in 2..6 {
            assert!(close(cut.towards(side), parallel), "{:?}", cut.towards(side));
        }
        assert_eq!(cut.at(&Vec3::new(-0.4, 0.1, 0.49)), [20.0, 2.0]);
        assert_eq!(cut.at(&Vec3::new(0.6, -0.7, 0.2)), [1.0, 4.0]);
    }
}
