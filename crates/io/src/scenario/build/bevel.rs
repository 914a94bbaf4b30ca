//! Bevelled ends of needles.

use neurotome_base::{Vec3, geometry::perpendicular_pair};
use neurotome_procedure::{
    catalog::Cannula,
    lesion::{Bend, Bevel, end_length_mm},
};

use super::super::{NeedleTable, TipShape};
use super::{Builder, Result};

/// Flattest and steepest bevel, degrees.
const ANGLE_DEG: std::ops::RangeInclusive<f64> = 10.0..=60.0;
/// Least bare metal above the end of a needle, mm.
const LEAST_ABOVE_MM: f64 = 0.2;

impl Builder<'_> {
    /// The bevel of a needle along the unit vector `direction`, if it has one.
    pub(super) fn bevel(
        &mut self,
        subject: &str,
        path: &str,
        n: &NeedleTable,
        cannula: Option<&Cannula>,
        bend: Option<&Bend>,
        direction: &Vec3,
    ) -> Result<Option<Bevel>> {
        let key = |k: &str| format!("{path}.{k}");
        let from = cannula.and_then(|c| c.bevel_angle_deg.as_ref());
        let bevelled = match n.tip {
            Some(shape) => shape == TipShape::Bevel,
            None => from.is_some() || n.bevel_angle_deg.is_some(),
        };
        if !bevelled {
            let why = "for a needle whose end is not bevelled";
            self.unused(&key("bevel_angle_deg"), n.bevel_angle_deg.is_some(), why)?;
            self.unused(&key("bevel_towards"), n.bevel_towards.is_some(), why)?;
            return Ok(None);
        }
        let angle_deg = self.size(subject, path, "bevel_angle_deg", n.bevel_angle_deg, from, None)?;
        self.within(&key("bevel_angle_deg"), angle_deg, ANGLE_DEG, "degrees")?;
        let towards = match n.bevel_towards {
            Some(towards) => self.direction(&key("bevel_towards"), towards)?,
            None => bend.map_or_else(|| perpendicular_pair(direction).0, |b| Vec3::from(b.towards)),
        };
        if towards.cross(direction).norm() < 1e-3 {
            return Err(self.fault(
                &key("bevel_towards"),
                "the bevel opens along the shaft, expected a direction across it",
                "give the side to which the bevel opens",
            ));
        }
        Ok(Some(Bevel {
            angle_deg,
            towards: towards.into(),
        }))
    }

    /// The whole end of a needle is bare.
    pub(super) fn bare_end(
        &self,
        path: &str,
        tip_mm: f64,
        outer_diameter_mm: f64,
        bevel: Option<&Bevel>,
    ) -> Result<()> {
        let end_mm = end_length_mm(outer_diameter_mm, bevel);
        let (least_mm, name) = match bevel {
            None => (end_mm, "rounded end"),
            Some(_) => (end_mm + LEAST_ABOVE_MM, "bevelled end with the shaft above its heel"),
        };
        if tip_mm >= least_mm {
            return Ok(());
        }
        Err(self.fault(
            &format!("{path}.active_tip_mm"),
            format!("the active tip of {tip_mm} mm is shorter than its {name} of {least_mm:.2} mm"),
            "lengthen `active_tip_mm` or take a steeper bevel",
        ))
    }
}
