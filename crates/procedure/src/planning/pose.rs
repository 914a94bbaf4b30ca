//! Where a needle lies, and its angles as the guidelines tell them.

use neurotome_base::{PatientPoint, Vec3, geometry::perpendicular_pair};
use serde::{Deserialize, Serialize};

use crate::{
    anatomy::{Side, VertebraFrame},
    lesion::Needle,
};

/// Place and direction of a straight needle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Distal end of the metal, mm.
    pub tip_mm: PatientPoint,
    /// Unit vector from the hub to the tip.
    pub direction: [f64; 3],
}

impl Pose {
    /// The pose whose active tip has its middle at `middle`.
    pub fn with_middle(middle: &Vec3, direction: &Vec3, active_tip_mm: f64) -> Self {
        Self {
            tip_mm: PatientPoint::from_vec(middle + direction * (0.5 * active_tip_mm)),
            direction: (*direction).into(),
        }
    }

    /// The direction as a vector.
    pub fn along(&self) -> Vec3 {
        Vec3::from(self.direction)
    }

    /// The point on the axis so many mm from the distal end.
    pub fn at(&self, from_tip_mm: f64) -> Vec3 {
        self.tip_mm.vec() - self.along() * from_tip_mm
    }

    /// The pose moved by a vector, mm.
    #[must_use]
    pub fn moved(&self, by: &Vec3) -> Self {
        Self {
            tip_mm: PatientPoint::from_vec(self.tip_mm.vec() + by),
            direction: self.direction,
        }
    }

    /// Coordinates in the needle's own axes.
    pub fn axes(&self) -> NeedleAxes {
        let along = self.along();
        let (x, y) = perpendicular_pair(&along);
        NeedleAxes {
            tip: self.tip_mm.vec(),
            x,
            y,
            z: -along,
        }
    }

    /// A needle of these sizes in this pose.
    pub fn needle(&self, sizes: &Needle) -> Needle {
        Needle {
            tip: self.tip_mm,
            direction: self.direction,
            ..sizes.clone()
        }
    }
}

/// Axes of a needle: origin at the distal end, z towards the hub.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeedleAxes {
    /// Origin, mm.
    pub tip: Vec3,
    /// Across the needle.
    pub x: Vec3,
    /// Across the needle.
    pub y: Vec3,
    /// From the tip to the hub.
    pub z: Vec3,
}

impl NeedleAxes {
    /// A patient's point in these axes, mm.
    pub fn local(&self, p: &Vec3) -> Vec3 {
        let d = p - self.tip;
        Vec3::new(self.x.dot(&d), self.y.dot(&d), self.z.dot(&d))
    }

    /// A point of these axes in the patient, mm.
    pub fn patient(&self, p: &Vec3) -> Vec3 {
        self.tip + self.x * p.x + self.y * p.y + self.z * p.z
    }
}

/// Angles of a needle's shaft against a vertebra, as they are seen in two views: degrees.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Angles {
    /// Posterior view: between the shaft and the parasagittal plane, positive where the hub lies lateral.
    pub lateral_deg: f64,
    /// Lateral view: between the shaft and the superior end plate, positive where the hub lies caudal.
    pub caudal_deg: f64,
}

impl Angles {
    /// Those of a direction from hub to tip.
    pub fn of(direction: &Vec3, frame: &VertebraFrame, side: Side) -> Self {
        let back = frame.direction_to_local(&-direction);
        Self {
            lateral_deg: (back.x * side.sign()).atan2(-back.z).to_degrees(),
            caudal_deg: (-back.z).atan2(back.y).to_degrees(),
        }
    }

    /// The unit vector from hub to tip with these angles; both within 0 to 90 degrees.
    pub fn direction(&self, frame: &VertebraFrame, side: Side) -> Vec3 {
        let caudal = self.caudal_deg.to_radians().tan();
        let lateral = self.lateral_deg.to_radians().tan() * caudal;
        let back = Vec3::new(side.sign() * lateral, 1.0, -caudal);
        -frame.direction_to_patient(&back).normalize()
    }
}

/// Angle between two lines, degrees, 0 to 90.
pub fn angle_between_deg(a: &Vec3, b: &Vec3) -> f64 {
    a.cross(b).norm().atan2(a.dot(b).abs()).to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tilted() -> VertebraFrame {
        let posterior = Vec3::new(0.0, 0.9, 0.3).normalize();
        VertebraFrame {
            origin: Vec3::new(3.0, -2.0, 40.0),
            left: Vec3::x(),
            posterior,
            superior: Vec3::x().cross(&posterior),
        }
    }

    #[test]
    fn angles_and_directions_are_each_other_s_inverse() {
        for side in Side::BOTH {
            for (lateral_deg, caudal_deg) in [(30.0, 38.0), (5.0, 60.0), (47.0, 33.0)] {
                let angles = Angles {
                    lateral_deg,
                    caudal_deg,
                };
                let direction = angles.direction(&tilted(), side);
                let back = Angles::of(&direction, &tilted(), side);
                assert!((back.lateral_deg - lateral_deg).abs() < 1e-9);
                assert!((back.caudal_deg - caudal_deg).abs() < 1e-9);
                // The hub lies on the patient's own side, behind and below.
                assert!(direction.x * side.sign() < 0.0 && direction.y < 0.0);
            }
        }
    }

    #[test]
    fn needle_axes_bring_points_there_and_back() {
        let pose = Pose {
            tip_mm: PatientPoint::new(1.0, 2.0, 3.0),
            direction: Vec3::new(-0.3, -0.8, 0.5).normalize().into(),
        };
        let axes = pose.axes();
        let p = Vec3::new(4.0, -1.0, 7.0);
        assert!((axes.patient(&axes.local(&p)) - p).norm() < 1e-12);
        assert!((axes.local(&pose.at(6.0)) - Vec3::new(0.0, 0.0, 6.0)).norm() < 1e-12);
        let middle = Pose::with_middle(&p, &pose.along(), 10.0).at(5.0);
        assert!((middle - p).norm() < 1e-12);
        assert!((angle_between_deg(&Vec3::x(), &-Vec3::y()) - 90.0).abs() < 1e-12);
    }
}
