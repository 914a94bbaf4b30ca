//! The needle in the patient, as the session keeps it.

use neurotome_base::Vec3;
use serde::{Deserialize, Serialize};

use crate::{
    lesion::Needle,
    planning::{Device, pose::Pose},
};

/// A needle in the patient now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NeedleNow {
    /// Cannula of the catalogue.
    pub cannula: String,
    /// Where it went through the skin, mm.
    pub entry_mm: [f64; 3],
    /// Distal end, mm.
    pub tip_mm: [f64; 3],
    /// Unit vector from hub to tip.
    pub direction: [f64; 3],
    /// From the skin to the tip along the shaft, mm.
    pub depth_mm: f64,
    /// Turned about its shaft, degrees.
    pub turned_deg: f64,
    /// Axial force against a further advance, N.
    pub force_n: f64,
}

impl NeedleNow {
    /// Its pose.
    pub fn pose(&self) -> Pose {
        Pose {
            tip_mm: super::point(self.tip_mm),
            direction: self.direction,
        }
    }

    /// The needle for the solver.
    pub fn needle(&self, device: &Device) -> Needle {
        self.pose().needle(&device.needle)
    }

    /// Unit vector from hub to tip.
    pub fn along(&self) -> Vec3 {
        Vec3::from(self.direction)
    }
}
