//! Points with their frame in the type, and the few vector helpers that the subject needs.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

/// A vector of three doubles; its unit is named by the variable that holds it.
pub type Vec3 = nalgebra::Vector3<f64>;

/// A 3 × 3 matrix of doubles.
pub type Mat3 = nalgebra::Matrix3<f64>;

/// A frame of reference; implemented by marker types only.
pub trait Frame: Copy + Clone + std::fmt::Debug + Default {}

/// The patient frame: DICOM LPS (x to the patient's left, y posterior, z superior), millimetres.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patient;
impl Frame for Patient {}

/// The voxel frame: continuous indices, integer at voxel centres.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Voxel;
impl Frame for Voxel {}

/// A point whose frame is part of its type, so that LPS millimetres and voxel indices cannot be mixed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Point<F: Frame> {
    /// The coordinates, in the unit of the frame.
    pub xyz: Vec3Array,
    #[serde(skip)]
    frame: PhantomData<F>,
}

/// Coordinates as a plain array, as they stand in files.
pub type Vec3Array = [f64; 3];

/// A point in patient LPS millimetres.
pub type PatientPoint = Point<Patient>;

impl<F: Frame> Point<F> {
    /// A point from its three coordinates.
    pub const fn new(x: f64, y: f64, z: f64) -> Self {
        Self {
            xyz: [x, y, z],
            frame: PhantomData,
        }
    }

    /// A point from a vector.
    pub fn from_vec(v: Vec3) -> Self {
        Self::new(v.x, v.y, v.z)
    }

    /// The coordinates as a vector.
    pub fn vec(&self) -> Vec3 {
        Vec3::from(self.xyz)
    }

    /// True when no coordinate is NaN or infinite.
    pub fn is_finite(&self) -> bool {
        self.xyz.iter().all(|c| c.is_finite())
    }
}

/// Two unit vectors which with `axis` (unit) make a right-handed orthonormal frame `(u, v, axis)`.
///
/// The choice depends only on `axis`, so that it is the same on every run.
pub fn perpendicular_pair(axis: &Vec3) -> (Vec3, Vec3) {
    let helper = if axis.x.abs() < 0.6 { Vec3::x() } else { Vec3::y() };
    let u = (helper - axis * helper.dot(axis)).normalize();
    (u, axis.cross(&u))
}

/// Distance from `p` to the segment `a`–`b`, and the parameter in 0..=1 of the nearest point (same unit as the arguments).
pub fn distance_to_segment(p: &Vec3, a: &Vec3, b: &Vec3) -> (f64, f64) {
    let d = b - a;
    let length_squared = d.norm_squared();
    let t = if length_squared > 0.0 {
        ((p - a).dot(&d) / length_squared).clamp(0.0, 1.0)
    } else {
        0.0
    };
    ((p - (a + d * t)).norm(), t)
}

/// Nearest distance between the segments `a0`–`a1` and `b0`–`b1` (same unit as the arguments).
pub fn distance_between_segments(a0: &Vec3, a1: &Vec3, b0: &Vec3, b1: &Vec3) -> f64 {
    let (u, v, w) = (a1 - a0, b1 - b0, a0 - b0);
    let (a, b, c, d, e) = (u.dot(&u), u.dot(&v), v.dot(&v), u.dot(&w), v.dot(&w));
    let denominator = a * c - b * b;
    let mut best = f64::INFINITY;
    if denominator > 1e-12 * a * c {
        let s = (b * e - c * d) / denominator;
        let t = (a * e - b * d) / denominator;
        if (0.0..=1.0).contains(&s) && (0.0..=1.0).contains(&t) {
            best = (w + u * s - v * t).norm();
        }
    }
    for (p, q0, q1) in [(a0, b0, b1), (a1, b0, b1), (b0, a0, a1), (b1, a0, a1)] {
        best = best.min(distance_to_segment(p, q0, q1).0);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn perpendicular_pair_is_right_handed() {
        for axis in [Vec3::x(), Vec3::y(), Vec3::z(), Vec3::new(0.3, -0.5, 0.7).normalize()] {
            let (u, v) = perpendicular_pair(&axis);
            assert!((u.cross(&v) - axis).norm() < 1e-14);
            assert!(u.dot(&axis).abs() < 1e-14);
        }
    }

    #[test]
    fn segment_distances() {
        let o = Vec3::zeros();
        assert_eq!(distance_to_segment(&Vec3::new(0.0, 2.0, 0.0), &o, &Vec3::x()).0, 2.0);
        let d = distance_between_segments(
            &-Vec3::x(),
            &Vec3::x(),
            &Vec3::new(0.0, -1.0, 3.0),
            &Vec3::new(0.0, 1.0, 3.0),
        );
        assert!((d - 3.0).abs() < 1e-14);
        let parallel = distance_between_segments(&o, &Vec3::x(), &Vec3::new(2.0, 1.0, 0.0), &Vec3::new(3.0, 1.0, 0.0));
        assert!((parallel - 2f64.sqrt()).abs() < 1e-14);
    }
}
