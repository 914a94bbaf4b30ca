//! The outer boundary.

use neurotome_base::Vec3;

/// The region computed, lengths in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Region {
    /// Axis-aligned box.
    Box {
        /// Centre.
        center: Vec3,
        /// Half sides.
        half: Vec3,
    },
    /// Cylinder.
    Cylinder {
        /// Centre.
        center: Vec3,
        /// Unit vector along the axis.
        axis: Vec3,
        /// Radius.
        radius: f64,
        /// Half length.
        half_length: f64,
    },
    /// Ball.
    Sphere {
        /// Centre.
        center: Vec3,
        /// Radius.
        radius: f64,
    },
}

impl Region {
    /// The centre.
    pub fn center(&self) -> Vec3 {
        match self {
            Self::Box { center, .. } | Self::Cylinder { center, .. } | Self::Sphere { center, .. } => *center,
        }
    }

    /// Half side of the cube that holds the region in any orientation.
    pub fn half_extent(&self) -> f64 {
        match self {
            Self::Box { half, .. } => half.max(),
            Self::Cylinder {
                axis,
                radius,
                half_length,
                ..
            } => (0..3)
                .map(|i| axis[i].abs() * half_length + (1.0 - axis[i] * axis[i]).max(0.0).sqrt() * radius)
                .fold(0.0, f64::max),
            Self::Sphere { radius, .. } => *radius,
        }
    }

    /// Planes `(outward normal, distance from p)` that bound the region near `p`: its flat faces, and planes that touch its
    /// curved ones at the point nearest to `p`. Negative distances mean that `p` is outside.
    pub fn planes(&self, p: &Vec3, out: &mut Vec<(Vec3, f64)>) {
        out.clear();
        match self {
            Self::Box { center, half } => {
                for a in 0..3 {
                    let d = p[a] - center[a];
                    for sign in [-1.0, 1.0] {
                        let mut n = Vec3::zeros();
                        n[a] = sign;
                        out.push((n, half[a] - sign * d));
                    }
                }
            }
            Self::Cylinder {
                center,
                axis,
                radius,
                half_length,
            } => {
                let d = p - center;
                let along = d.dot(axis);
                out.push((*axis, half_length - along));
                out.push((-*axis, half_length + along));
                let across = d - axis * along;
                let r = across.norm();
                if r > 1e-12 {
                    out.push((across / r, radius - r));
                }
            }
            Self::Sphere { center, radius } => {
                let d = p - center;
                let r = d.norm();
                if r > 1e-12 {
                    out.push((d / r, radius - r));
                }
            }
        }
    }

    /// Distance from `p` to the boundary, negative outside.
    pub fn depth(&self, p: &Vec3) -> f64 {
        let mut planes = Vec::new();
        self.planes(p, &mut planes);
        planes.iter().map(|p| p.1).fold(self.half_extent(), f64::min)
    }
}
