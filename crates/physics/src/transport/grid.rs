//! A box of equal cubes and what lies on their faces.

use neurotome_base::Vec3;

/// Most cells of a grid: checked before anything is allocated.
pub const MAX_CELLS: usize = 8_000_000;

/// Why a grid cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BoxGridError {
    /// Too many cells, or none.
    #[error(
        "grid of {dims:?} cells: expected at least 2 a side and at most {MAX_CELLS} in all; use larger cells or a smaller box"
    )]
    Cells {
        /// Cells along x, y, z.
        dims: [usize; 3],
    },
    /// A place or a size is no number.
    #[error("grid: cells of {spacing_m} m from {first_m:?}: expected a finite place and a size above zero")]
    Numbers {
        /// Side of a cell, m.
        spacing_m: f64,
        /// Middle of the first cell, m.
        first_m: [f64; 3],
    },
}

/// A box of equal cubes, x fastest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxGrid {
    dims: [usize; 3],
    first_m: Vec3,
    spacing_m: f64,
}

impl BoxGrid {
    /// A grid of `dims` cells of side `spacing_m` whose first has its middle at `first_m`.
    ///
    /// # Errors
    /// [`BoxGridError`].
    pub fn new(dims: [usize; 3], first_m: Vec3, spacing_m: f64) -> Result<Self, BoxGridError> {
        let cells = dims.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
        if dims.iter().any(|d| *d < 2) || cells.is_none_or(|n| n > MAX_CELLS) {
            return Err(BoxGridError::Cells { dims });
        }
        if !(spacing_m.is_finite() && spacing_m > 0.0 && first_m.iter().all(|c| c.is_finite())) {
            return Err(BoxGridError::Numbers {
                spacing_m,
                first_m: first_m.into(),
            });
        }
        Ok(Self {
            dims,
            first_m,
            spacing_m,
        })
    }

    /// The cube of an odd number of cells a side whose middle cell has its middle at `center_m`, at least `half_m` to each side.
    ///
    /// # Errors
    /// [`BoxGridError`].
    pub fn around(center_m: Vec3, half_m: f64, spacing_m: f64) -> Result<Self, BoxGridError> {
        let steps = (half_m / spacing_m).ceil();
        let n = if steps.is_finite() && (0.0..1e6).contains(&steps) {
            steps as usize
        } else {
            usize::MAX / 4
        };
        let first = center_m - Vec3::repeat(n as f64 * spacing_m);
        Self::new([2 * n + 1; 3], first, spacing_m)
    }

    /// Cells along x, y, z.
    pub fn dims(&self) -> [usize; 3] {
        self.dims
    }

    /// Side of a cell, m.
    pub fn spacing_m(&self) -> f64 {
        self.spacing_m
    }

    /// Volume of a cell, m³.
    pub fn cell_m3(&self) -> f64 {
        self.spacing_m.powi(3)
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.dims.iter().product()
    }

    /// Indices of a cell along x, y, z.
    pub fn place(&self, cell: usize) -> [usize; 3] {
        let [nx, ny, _] = self.dims;
        [cell % nx, cell / nx % ny, cell / (nx * ny)]
    }

    /// Middle of a cell, m.
    pub fn center_m(&self, cell: usize) -> Vec3 {
        let [i, j, k] = self.place(cell);
        self.first_m + Vec3::new(i as f64, j as f64, k as f64) * self.spacing_m
    }

    /// The step from a cell to the next along each axis.
    pub fn strides(&self) -> [usize; 3] {
        [1, self.dims[0], self.dims[0] * self.dims[1]]
    }

    /// The place of a point in cells from the middle of the first one; none outside the outer faces.
    pub fn position(&self, p_m: &Vec3) -> Option<[f64; 3]> {
        let v = (p_m - self.first_m) / self.spacing_m;
        let inside = (0..3).all(|a| v[a] >= -0.5 && v[a] <= self.dims[a] as f64 - 0.5);
        inside.then_some([v.x, v.y, v.z])
    }

    /// The cell that holds a point; none outside.
    pub fn cell_at(&self, p_m: &Vec3) -> Option<usize> {
        let v = self.position(p_m)?;
        let index = [0, 1, 2].map(|a| (v[a].round().max(0.0) as usize).min(self.dims[a] - 1));
        let [sx, sy, sz] = self.strides();
        Some(index[0] * sx + index[1] * sy + index[2] * sz)
    }

    /// Calls `f(cell, weight)` for the up to eight cells between which a point lies; the weights add to one. Nothing outside.
    pub fn between(&self, p_m: &Vec3, mut f: impl FnMut(usize, f64)) {
        let Some(v) = self.position(p_m) else { return };
        let strides = self.strides();
        let (mut low, mut up) = ([0usize; 3], [0.0; 3]);
        for a in 0..3 {
            let x = v[a].clamp(0.0, (self.dims[a] - 1) as f64);
            low[a] = (x.floor() as usize).min(self.dims[a] - 2);
            up[a] = x - low[a] as f64;
        }
        for corner in 0..8usize {
            let (mut cell, mut weight) = (0, 1.0);
            for a in 0..3 {
                let side = corner >> a & 1;
                cell += (low[a] + side) * strides[a];
                weight *= if side == 1 { up[a] } else { 1.0 - up[a] };
            }
            if weight > 0.0 {
                f(cell, weight);
            }
        }
    }
}

/// A thin barrier that no fluid and no solute crosses: a disc of a plane, such as a fascia.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sheet {
    /// Its middle, m.
    pub point_m: Vec3,
    /// Unit normal.
    pub normal: Vec3,
    /// Its radius, m; infinite for the whole plane.
    pub radius_m: f64,
}

impl Sheet {
    /// True when the way from `a` to `b` crosses it.
    fn crosses(&self, a: &Vec3, b: &Vec3) -> bool {
        let (da, db) = (
            (a - self.point_m).dot(&self.normal),
            (b - self.point_m).dot(&self.normal),
        );
        if (da >= 0.0) == (db >= 0.0) {
            return false;
        }
        let at = a + (b - a) * (da / (da - db));
        (at - self.point_m).norm_squared() <= self.radius_m * self.radius_m
    }
}

/// Conductances of the faces between neighbours: of cell `i` and the next along an axis at `along[axis][i]`, zero at the box's end.
#[derive(Debug, Clone, PartialEq)]
pub struct Faces {
    /// Along x, y, z.
    pub along: [Vec<f64>; 3],
}

impl Faces {
    /// Of a coefficient that each cell has (zero closes the cell): two halves of cells in series. Faces that a sheet cuts are closed.
    pub fn new(grid: &BoxGrid, coefficient: &[f64], sheets: &[Sheet]) -> Self {
        let h = grid.spacing_m();
        let strides = grid.strides();
        let along = [0, 1, 2].map(|axis| {
            let mut step = Vec3::zeros();
            step[axis] = h;
            (0..grid.cells())
                .map(|i| {
                    if grid.place(i)[axis] + 1 == grid.dims()[axis] {
                        return 0.0;
                    }
                    let (a, b) = (coefficient[i], coefficient[i + strides[axis]]);
                    if a <= 0.0 || b <= 0.0 {
                        return 0.0;
                    }
                    let at = || grid.center_m(i);
                    if sheets.iter().any(|s| s.crosses(&at(), &(at() + step))) {
                        return 0.0;
                    }
                    2.0 * h * a * b / (a + b)
                })
                .collect()
        });
        Self { along }
    }

    /// Calls `f(neighbour, conductance)` for the open faces of a cell, in a fixed order.
    #[inline]
    pub fn around(&self, grid: &BoxGrid, cell: usize, mut f: impl FnMut(usize, f64)) {
        for (axis, stride) in grid.strides().into_iter().enumerate() {
            let along = &self.along[axis];
            // Conductances are zero across the box's ends, so that no wrong row is met.
            if cell >= stride && along[cell - stride] > 0.0 {
                f(cell - stride, along[cell - stride]);
            }
            if along[cell] > 0.0 {
                f(cell + stride, along[cell]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_found_and_interpolation_is_exact_on_a_ramp() {
        let grid = BoxGrid::around(Vec3::new(1.0, 2.0, 3.0), 2.0, 0.5).unwrap();
        assert_eq!(grid.dims(), [9; 3]);
        let middle = grid.cell_at(&Vec3::new(1.0, 2.0, 3.0)).unwrap();
        assert_eq!(grid.place(middle), [4; 3]);
        assert!((grid.center_m(middle) - Vec3::new(1.0, 2.0, 3.0)).norm() < 1e-12);
        let p = Vec3::new(0.3, 2.9, 2.2);
        let (mut sum, mut weights) = (0.0, 0.0);
        grid.between(&p, |cell, w| {
            let c = grid.center_m(cell);
            sum += w * (c.x + 10.0 * c.y - 3.0 * c.z);
            weights += w;
        });
        assert!((weights - 1.0f64).abs() < 1e-12 && (sum - (0.3 + 29.0 - 6.6)).abs() < 1e-12);
        assert_eq!(grid.cell_at(&Vec3::new(9.0, 2.0, 3.0)), None);
    }

    #[test]
    fn faces_are_closed_by_bone_and_by_sheets() {
        let grid = BoxGrid::new([4, 2, 2], Vec3::zeros(), 1.0).unwrap();
        let mut k = vec![1.0; grid.cells()];
        k[1] = 3.0;
        k[3] = 0.0;
        let cut = Sheet {
            point_m: Vec3::new(1.4, 0.0, 0.0),
            normal: Vec3::x(),
            radius_m: 0.5,
        };
        let faces = Faces::new(&grid, &k, &[cut]);
        // In series, cut by the sheet, closed by the cell, and beyond the sheet's edge.
        assert_eq!([0, 1, 2, 5].map(|i| faces.along[0][i]), [1.5, 0.0, 0.0, 1.0]);
        let mut met = Vec::new();
        faces.around(&grid, 0, |n, _| met.push(n));
        assert_eq!(met, [1, 4, 8]);
    }

    #[test]
    fn absurd_grids_are_refused() {
        assert!(matches!(
            BoxGrid::around(Vec3::zeros(), 1.0, 1e-6),
            Err(BoxGridError::Cells { .. })
        ));
        assert!(BoxGrid::around(Vec3::zeros(), f64::NAN, 1.0).is_err());
        assert!(BoxGrid::new([4; 3], Vec3::zeros(), 0.0).is_err());
        assert!(BoxGrid::new([1, 4, 4], Vec3::zeros(), 1.0).is_err());
    }
}
