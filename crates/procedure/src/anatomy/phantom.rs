//! Bench phantoms: one tissue everywhere, and simple shapes laid over it.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3, Volume, geometry::distance_to_segment};

use super::{TissueField, TissueId};

/// A phantom; where regions overlap the later one lies on top.
#[derive(Debug, Clone)]
pub struct Phantom {
    /// Tissue where no region is.
    pub background: TissueId,
    /// Regions from the bottom to the top.
    pub regions: Vec<Region>,
    /// Direction of the fibres.
    pub fibres: Fibres,
}

/// Direction of fibres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fibres {
    /// Unit vector along the fibres, at the origin when they turn.
    pub direction: Vec3,
    /// How the direction turns.
    pub turn: Option<Turn>,
}

impl Default for Fibres {
    /// Along the body.
    fn default() -> Self {
        Self {
            direction: Vec3::z(),
            turn: None,
        }
    }
}

/// Fibres that turn evenly along a way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    /// Unit vector about which the direction turns.
    pub axis: Vec3,
    /// Unit vector of the way.
    pub along: Vec3,
    /// Angle per length of the way, rad/mm.
    pub rad_per_mm: f64,
    /// Distance from the origin beyond which it turns no further, mm.
    pub within_mm: f64,
}

impl Fibres {
    /// Unit vector along the fibres at a point in mm.
    pub fn at(&self, p: &Vec3) -> Vec3 {
        let Some(turn) = self.turn else { return self.direction };
        let angle = turn.rad_per_mm * turn.along.dot(p).clamp(-turn.within_mm, turn.within_mm);
        // Rodrigues' rotation.
        let (v, k) = (self.direction, turn.axis);
        v * angle.cos() + k.cross(&v) * angle.sin() + k * (k.dot(&v) * (1.0 - angle.cos()))
    }
}

/// A region of a phantom. Lengths in millimetres, positions in patient LPS.
#[derive(Debug, Clone)]
pub enum Region {
    /// A simple shape filled with one tissue.
    Solid {
        /// Its shape.
        shape: Shape,
        /// Its tissue.
        tissue: TissueId,
    },
    /// A label volume; labels that are not listed, and points outside it, leave what lies below.
    Labels {
        /// The labels.
        volume: Arc<Volume<u16>>,
        /// Tissue of each label, ascending by label.
        tissues: Vec<(u16, TissueId)>,
    },
}

/// A simple shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Axis-aligned box.
    Box {
        /// Centre, mm.
        center: Vec3,
        /// Half sides, mm.
        half_mm: Vec3,
    },
    /// Ball.
    Sphere {
        /// Centre, mm.
        center: Vec3,
        /// Radius, mm.
        radius_mm: f64,
    },
    /// Finite cylinder.
    Cylinder {
        /// Centre, mm.
        center: Vec3,
        /// Unit vector along the axis.
        axis: Vec3,
        /// Radius, mm.
        radius_mm: f64,
        /// Half length, mm.
        half_length_mm: f64,
    },
    /// Cylinder with rounded ends.
    Capsule {
        /// One end of the axis, mm.
        from: Vec3,
        /// The other end, mm.
        to: Vec3,
        /// Radius, mm.
        radius_mm: f64,
    },
    /// Everything on the side of a plane to which its normal points.
    HalfSpace {
        /// A point of the plane, mm.
        point: Vec3,
        /// Unit normal.
        normal: Vec3,
    },
    /// A layer that starts at a plane and extends along its normal.
    Layer {
        /// A point of the plane, mm.
        point: Vec3,
        /// Unit normal.
        normal: Vec3,
        /// Thickness, mm.
        thickness_mm: f64,
    },
}

impl Shape {
    /// True when `p` lies inside or on the surface.
    pub fn contains(&self, p: &Vec3) -> bool {
        match self {
            Self::Box { center, half_mm } => (0..3).all(|a| (p[a] - center[a]).abs() <= half_mm[a]),
            Self::Sphere { center, radius_mm } => (p - center).norm() <= *radius_mm,
            Self::Cylinder {
                center,
                axis,
                radius_mm,
                half_length_mm,
            } => {
                let d = p - center;
                let along = d.dot(axis);
                along.abs() <= *half_length_mm && (d - axis * along).norm() <= *radius_mm
            }
            Self::Capsule { from, to, radius_mm } => distance_to_segment(p, from, to).0 <= *radius_mm,
            Self::HalfSpace { point, normal } => (p - point).dot(normal) >= 0.0,
            Self::Layer {
                point,
                normal,
                thickness_mm,
            } => (0.0..=*thickness_mm).contains(&(p - point).dot(normal)),
        }
    }
}

impl TissueField for Phantom {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        let v = p.vec();
        self.regions
            .iter()
            .rev()
            .find_map(|region| match region {
                Region::Solid { shape, tissue } => shape.contains(&v).then_some(*tissue),
                Region::Labels { volume, tissues } => {
                    let label = volume.nearest(p)?;
                    let at = tissues.binary_search_by_key(&label, |(l, _)| *l).ok()?;
                    Some(tissues[at].1)
                }
            })
            .unwrap_or(self.background)
    }

    fn fibre_at(&self, p: &PatientPoint) -> Vec3 {
        self.fibres.at(&p.vec())
    }
}

#[cfg(test)]
mod tests {
    use neurotome_base::Affine;

    use super::*;

    #[test]
    fn later_regions_lie_over_earlier_ones() {
        let (x, z) = (Vec3::x(), Vec3::z());
        let solid = |shape, id| Region::Solid {
            shape,
            tissue: TissueId(id),
        };
        let affine = Affine::axis_aligned([1.0; 3], [100.0, 0.0, 0.0]).unwrap();
        let labels = Volume::new([2, 1, 1], affine, vec![5u16, 6]).unwrap();
        let phantom = Phantom {
            fibres: Fibres::default(),
            background: TissueId(0),
            regions: vec![
                solid(
                    Shape::HalfSpace {
                        point: x * 3.0,
                        normal: x,
                    },
                    1,
                ),
                solid(
                    Shape::Layer {
                        point: x * 4.0,
                        normal: x,
                        thickness_mm: 2.0,
                    },
                    2,
                ),
                solid(
                    Shape::Sphere {
                        center: x * 6.0,
                        radius_mm: 1.0,
                    },
                    3,
                ),
                solid(
                    Shape::Cylinder {
                        center: -x * 5.0,
                        axis: z,
                        radius_mm: 1.0,
                        half_length_mm: 2.0,
                    },
                    4,
                ),
                solid(
                    Shape::Capsule {
                        from: -x * 9.0,
                        to: -x * 8.0,
                        radius_mm: 0.5,
                    },
                    5,
                ),
                solid(
                    Shape::Box {
                        center: -x * 20.0,
                        half_mm: Vec3::new(1.0, 2.0, 3.0),
                    },
                    6,
                ),
                Region::Labels {
                    volume: Arc::new(labels),
                    tissues: vec![(6, TissueId(7))],
                },
            ],
        };
        let at = |x: f64, y: f64, z: f64| phantom.tissue_at(&PatientPoint::new(x, y, z)).0;
        for ((x, y, z), expected) in [
            ((0.0, 0.0, 0.0), 0),
            ((3.5, 9.0, 9.0), 1),
            ((4.5, 0.0, 0.0), 2),
            ((5.5, 0.0, 0.0), 3),
            ((8.0, 0.0, 0.0), 1),
            ((-5.0, 0.9, 1.9), 4),
            ((-5.0, 0.0, 2.1), 0),
            ((-9.4, 0.0, 0.0), 5),
            ((-21.0, 2.0, -3.0), 6),
            ((100.0, 0.0, 0.0), 1),
            ((101.0, 0.0, 0.0), 7),
        ] {
            assert_eq!(at(x, y, z), expected, "at {x}, {y}, {z}");
        }
    }
}
