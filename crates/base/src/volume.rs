//! A three-dimensional image with its place in the patient.

use crate::geometry::{Mat3, Patient, Point, Vec3, Voxel};

/// Largest number of voxels a volume may have (1024 × 1024 × 512): checked before anything is allocated.
pub const MAX_VOXELS: usize = 1 << 29;

/// Why a volume cannot be made.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum VolumeError {
    /// A side is zero or the number of voxels is over [`MAX_VOXELS`].
    #[error(
        "image dimensions {dims:?} are unusable: expected three sides of at least 1 and at most {MAX_VOXELS} voxels in all"
    )]
    Dimensions {
        /// The dimensions found.
        dims: [usize; 3],
    },
    /// The data do not fill the dimensions.
    #[error("image data hold {found} voxels, but dimensions {dims:?} need {expected}")]
    Length {
        /// Dimensions stated.
        dims: [usize; 3],
        /// Voxels found.
        found: usize,
        /// Voxels expected.
        expected: usize,
    },
    /// The box asked for holds no voxel.
    #[error(
        "the box from {low_mm:?} to {high_mm:?} mm (LPS) holds no voxel centre of the image; choose a box inside the image"
    )]
    EmptyCrop {
        /// Lowest corner asked for, mm.
        low_mm: [f64; 3],
        /// Highest corner asked for, mm.
        high_mm: [f64; 3],
    },
    /// The voxel-to-patient matrix is singular or not finite.
    #[error("the image's voxel-to-patient matrix is singular or not finite")]
    Affine,
}

/// Voxel index → patient LPS millimetres: `p = matrix · index + origin_mm`, index (0, 0, 0) at the centre of the first voxel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// Columns: patient displacement in mm of one step along i, j, k.
    pub matrix: Mat3,
    /// Patient position in mm of the centre of voxel (0, 0, 0).
    pub origin_mm: Vec3,
    inverse: Mat3,
}

impl Affine {
    /// An affine from its matrix and origin.
    ///
    /// # Errors
    /// [`VolumeError::Affine`] when singular or not finite.
    pub fn new(matrix: Mat3, origin_mm: Vec3) -> Result<Self, VolumeError> {
        let finite = matrix.iter().chain(origin_mm.iter()).all(|v| v.is_finite());
        let inverse = matrix
            .try_inverse()
            .filter(|m| finite && m.iter().all(|v| v.is_finite()));
        inverse
            .map(|inverse| Self {
                matrix,
                origin_mm,
                inverse,
            })
            .ok_or(VolumeError::Affine)
    }

    /// Axis-aligned affine with equal orientation to LPS.
    ///
    /// # Errors
    /// As [`Affine::new`].
    pub fn axis_aligned(spacing_mm: [f64; 3], origin_mm: [f64; 3]) -> Result<Self, VolumeError> {
        Self::new(Mat3::from_diagonal(&Vec3::from(spacing_mm)), Vec3::from(origin_mm))
    }

    /// Patient position of a continuous voxel index.
    pub fn to_patient(&self, index: &Point<Voxel>) -> Point<Patient> {
        Point::from_vec(self.matrix * index.vec() + self.origin_mm)
    }

    /// Continuous voxel index of a patient position.
    pub fn to_voxel(&self, p: &Point<Patient>) -> Point<Voxel> {
        Point::from_vec(self.inverse * (p.vec() - self.origin_mm))
    }

    /// The inverse as three rows `[r0, r1, r2, r3]`: index `a` is `r0 x + r1 y + r2 z + r3` at patient position (x, y, z) mm.
    pub fn to_voxel_rows(&self) -> [[f64; 4]; 3] {
        let shift = self.inverse * self.origin_mm;
        [0, 1, 2].map(|a| {
            [
                self.inverse[(a, 0)],
                self.inverse[(a, 1)],
                self.inverse[(a, 2)],
                -shift[a],
            ]
        })
    }

    /// The same grid with its first voxel at another index.
    ///
    /// # Errors
    /// [`VolumeError::Affine`] when the origin leaves the range of numbers.
    pub fn shifted(&self, first: [usize; 3]) -> Result<Self, VolumeError> {
        Self::new(
            self.matrix,
            self.to_patient(&Point::new(first[0] as f64, first[1] as f64, first[2] as f64))
                .vec(),
        )
    }

    /// Length in mm of one step along i, j, k.
    pub fn spacing_mm(&self) -> [f64; 3] {
        [0, 1, 2].map(|c| self.matrix.column(c).norm())
    }
}

/// A box along the patient's axes, LPS millimetres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PatientBox {
    /// Lowest x, y and z.
    pub low: Point<Patient>,
    /// Highest x, y and z.
    pub high: Point<Patient>,
}

impl PatientBox {
    /// The cube with this half side round a centre.
    pub fn around(center: &Point<Patient>, half_side_mm: f64) -> Self {
        let half = Vec3::repeat(half_side_mm);
        Self {
            low: Point::from_vec(center.vec() - half),
            high: Point::from_vec(center.vec() + half),
        }
    }

    /// The ranges of voxel indices of an image that enclose the part of the box inside it: one voxel more on each side where the
    /// image has it, so that interpolation holds up to the faces of the box.
    ///
    /// # Errors
    /// [`VolumeError::EmptyCrop`] when box and image do not meet.
    pub fn index_ranges(&self, dims: [usize; 3], affine: &Affine) -> Result<[std::ops::Range<usize>; 3], VolumeError> {
        let empty = VolumeError::EmptyCrop {
            low_mm: self.low.xyz,
            high_mm: self.high.xyz,
        };
        if !(self.low.is_finite() && self.high.is_finite()) {
            return Err(empty);
        }
        let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for corner in 0..8usize {
            let pick = |a: usize| {
                if corner >> a & 1 == 1 {
                    self.high.xyz[a]
                } else {
                    self.low.xyz[a]
                }
            };
            let v = affine.to_voxel(&Point::new(pick(0), pick(1), pick(2)));
            for a in 0..3 {
                low[a] = low[a].min(v.xyz[a]);
                high[a] = high[a].max(v.xyz[a]);
            }
        }
        let mut ranges = [0..0, 0..0, 0..0];
        for a in 0..3 {
            let last = dims[a] as f64 - 1.0;
            if low[a] > last + 0.5 || high[a] < -0.5 || low[a] > high[a] {
                return Err(empty);
            }
            let first = low[a].floor().clamp(0.0, last) as usize;
            ranges[a] = first..high[a].ceil().clamp(0.0, last) as usize + 1;
        }
        Ok(ranges)
    }
}

/// Values on a regular grid, `i` fastest: `data[i + nx (j + ny k)]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Volume<T> {
    dims: [usize; 3],
    affine: Affine,
    data: Vec<T>,
}

impl<T: Copy> Volume<T> {
    /// A volume from its parts.
    ///
    /// # Errors
    /// [`VolumeError`] when dimensions and data disagree or are over the cap.
    pub fn new(dims: [usize; 3], affine: Affine, data: Vec<T>) -> Result<Self, VolumeError> {
        let expected = Self::checked_len(dims)?;
        if data.len() != expected {
            return Err(VolumeError::Length {
                dims,
                found: data.len(),
                expected,
            });
        }
        Ok(Self { dims, affine, data })
    }

    /// Number of voxels of `dims`, checked against [`MAX_VOXELS`] (call before allocating).
    ///
    /// # Errors
    /// [`VolumeError::Dimensions`].
    pub fn checked_len(dims: [usize; 3]) -> Result<usize, VolumeError> {
        dims.iter()
            .try_fold(1usize, |n, &d| n.checked_mul(d))
            .filter(|&n| n > 0 && n <= MAX_VOXELS)
            .ok_or(VolumeError::Dimensions { dims })
    }

    /// A volume of one value.
    ///
    /// # Errors
    /// [`VolumeError::Dimensions`].
    pub fn filled(dims: [usize; 3], affine: Affine, value: T) -> Result<Self, VolumeError> {
        let n = Self::checked_len(dims)?;
        Ok(Self {
            dims,
            affine,
            data: vec![value; n],
        })
    }

    /// Voxels along i, j, k.
    pub fn dims(&self) -> [usize; 3] {
        self.dims
    }

    /// Where the voxels lie.
    pub fn affine(&self) -> &Affine {
        &self.affine
    }

    /// All values, `i` fastest.
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// All values, to change.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// All values, the volume given up.
    pub fn into_data(self) -> Vec<T> {
        self.data
    }

    /// The value at an index, or none outside.
    pub fn get(&self, i: usize, j: usize, k: usize) -> Option<T> {
        let [nx, ny, nz] = self.dims;
        (i < nx && j < ny && k < nz).then(|| self.data[i + nx * (j + ny * k)])
    }

    /// The same grid with other values.
    pub fn map<U: Copy>(&self, f: impl FnMut(T) -> U) -> Volume<U> {
        Volume {
            dims: self.dims,
            affine: self.affine,
            data: self.data.iter().copied().map(f).collect(),
        }
    }

    /// The part of the image that encloses a box in the patient, in place: see [`PatientBox::index_ranges`].
    ///
    /// # Errors
    /// [`VolumeError::EmptyCrop`] when the box misses the image.
    pub fn crop(&self, to: &PatientBox) -> Result<Self, VolumeError> {
        let [ri, rj, rk] = to.index_ranges(self.dims, &self.affine)?;
        let dims = [ri.len(), rj.len(), rk.len()];
        let [nx, ny, _] = self.dims;
        let mut data = Vec::with_capacity(Self::checked_len(dims)?);
        for k in rk.clone() {
            for j in rj.clone() {
                let row = nx * (j + ny * k);
                data.extend_from_slice(&self.data[row + ri.start..row + ri.end]);
            }
        }
        let affine = self.affine.shifted([ri.start, rj.start, rk.start])?;
        Self::new(dims, affine, data)
    }

    /// The value of the voxel that holds `p`, or none outside the outer faces of the image.
    pub fn nearest(&self, p: &Point<Patient>) -> Option<T> {
        let v = self.affine.to_voxel(p);
        let mut index = [0usize; 3];
        for a in 0..3 {
            let r = v.xyz[a].round();
            if !(r >= 0.0 && r < self.dims[a] as f64) {
                return None;
            }
            index[a] = r as usize;
        }
        self.get(index[0], index[1], index[2])
    }

    /// True when `p` lies within the outer faces of the image.
    pub fn contains(&self, p: &Point<Patient>) -> bool {
        self.nearest(p).is_some()
    }
}

impl<T: Copy + Into<f64>> Volume<T> {
    /// Trilinear interpolation, clamped to the outermost voxel centres; none outside the outer faces.
    pub fn trilinear(&self, p: &Point<Patient>) -> Option<f64> {
        let v = self.affine.to_voxel(p);
        let (mut low, mut weight) = ([0usize; 3], [0.0; 3]);
        for a in 0..3 {
            let n = self.dims[a];
            let x = v.xyz[a];
            if !(x >= -0.5 && x < n as f64 - 0.5) {
                return None;
            }
            let x = x.clamp(0.0, (n - 1) as f64);
            low[a] = (x.floor() as usize).min(n.saturating_sub(2));
            weight[a] = x - low[a] as f64;
        }
        let mut sum = 0.0;
        for corner in 0..8usize {
            let mut w = 1.0;
            let mut index = [0usize; 3];
            for a in 0..3 {
                let up = (corner >> a) & 1;
                w *= if up == 1 { weight[a] } else { 1.0 - weight[a] };
                index[a] = (low[a] + up).min(self.dims[a] - 1);
            }
            if w > 0.0 {
                let [nx, ny, _] = self.dims;
                sum += w * self.data[index[0] + nx * (index[1] + ny * index[2])].into();
            }
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp() -> Volume<f64> {
        let affine = Affine::axis_aligned([1.0, 2.0, 3.0], [10.0, 20.0, 30.0]).unwrap();
        let dims = [4, 5, 6];
        let mut data = Vec::new();
        for k in 0..6 {
            for j in 0..5 {
                for i in 0..4 {
                    data.push(i as f64 + 10.0 * j as f64 + 100.0 * k as f64);
                }
            }
        }
        Volume::new(dims, affine, data).unwrap()
    }

    #[test]
    fn trilinear_is_exact_on_a_ramp() {
        let v = ramp();
        let p = Point::<Patient>::new(11.25, 23.0, 36.5);
        let expected = 1.25 + 10.0 * 1.5 + 100.0 * (6.5 / 3.0);
        assert!((v.trilinear(&p).unwrap() - expected).abs() < 1e-12);
        assert_eq!(v.nearest(&p), Some(1.0 + 20.0 + 200.0));
        assert_eq!(v.trilinear(&Point::new(9.4, 20.0, 30.0)), None);
    }

    #[test]
    fn a_crop_keeps_every_value_in_its_place() {
        let v = ramp();
        let part = v
            .crop(&PatientBox {
                low: Point::new(11.2, 21.0, 0.0),
                high: Point::new(11.8, 25.0, 37.0),
            })
            .unwrap();
        assert_eq!(part.dims(), [2, 4, 4]);
        let p = Point::<Patient>::new(11.25, 23.0, 36.5);
        assert_eq!(part.trilinear(&p), v.trilinear(&p));
        let outside = PatientBox::around(&Point::new(100.0, 0.0, 0.0), 5.0);
        assert!(matches!(v.crop(&outside), Err(VolumeError::EmptyCrop { .. })));
    }

    #[test]
    fn absurd_dimensions_are_refused_before_allocation() {
        let affine = Affine::axis_aligned([1.0; 3], [0.0; 3]).unwrap();
        assert!(matches!(
            Volume::filled([usize::MAX, 2, 2], affine, 0u8),
            Err(VolumeError::Dimensions { .. })
        ));
        assert!(matches!(
            Volume::<u8>::checked_len([0, 2, 2]),
            Err(VolumeError::Dimensions { .. })
        ));
        assert_eq!(
            Affine::axis_aligned([0.0, 1.0, 1.0], [0.0; 3]),
            Err(VolumeError::Affine)
        );
    }
}
