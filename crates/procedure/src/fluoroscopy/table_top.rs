//! The table under the patient.

use neurotome_base::{PatientPoint, Vec3};

use super::BodyAxes;
use crate::catalog::CArmEntry;

/// A flat table top, as long as the picture, that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TableTop {
    /// A point of the middle line of the face on which the patient lies, mm.
    pub face_mm: Vec3,
    /// The patient's axes: the table lies before the face, as under one who lies prone.
    pub axes: BodyAxes,
    /// Thickness, mm.
    pub thickness_mm: f64,
    /// Width, mm.
    pub width_mm: f64,
    /// Water that weakens a beam at right angles as much, mm.
    pub water_mm: f64,
}

impl TableTop {
    /// The table of a machine under a patient who lies prone on it at a point.
    pub fn under(entry: &CArmEntry, face: &PatientPoint, axes: BodyAxes) -> Self {
        Self {
            face_mm: face.vec(),
            axes,
            thickness_mm: entry.table_thickness_mm.value,
            width_mm: entry.table_width_mm.value,
            water_mm: entry.table_water_mm.value,
        }
    }

    /// Water met by a ray, mm.
    pub fn water_along(&self, source_mm: &Vec3, ray: &Vec3) -> f64 {
        let from = source_mm - self.face_mm;
        let slab = |axis: &Vec3, low: f64, high: f64| {
            let (at, speed) = (from.dot(axis), ray.dot(axis));
            if speed.abs() < 1e-12 {
                let inside = (low..=high).contains(&at);
                return if inside {
                    [f64::NEG_INFINITY, f64::INFINITY]
                } else {
                    [1.0, 0.0]
                };
            }
            let (a, b) = ((low - at) / speed, (high - at) / speed);
            [a.min(b), a.max(b)]
        };
        let depth = slab(&self.axes.posterior, -self.thickness_mm, 0.0);
        let width = slab(&self.axes.left, -0.5 * self.width_mm, 0.5 * self.width_mm);
        let (first, last) = (depth[0].max(width[0]).max(0.0), depth[1].min(width[1]));
        if last > first && (last - first).is_finite() {
            (last - first) * ray.norm() * self.water_mm / self.thickness_mm
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slanted_rays_meet_more_of_it_and_others_none() {
        let table = TableTop {
            face_mm: Vec3::new(0.0, -120.0, 0.0),
            axes: BodyAxes::default(),
            thickness_mm: 40.0,
            width_mm: 500.0,
            water_mm: 4.0,
        };
        let source = Vec3::new(0.0, -650.0, 0.0);
        assert!((table.water_along(&source, &Vec3::new(0.0, 3.0, 0.0)) - 4.0).abs() < 1e-12);
        let slanted = Vec3::new(0.0, 1.0, 1.0);
        assert!((table.water_along(&source, &slanted) - 4.0 * 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(table.water_along(&source, &Vec3::new(1.0, 1.0, 0.0)), 0.0);
        // From the side, level with it, all of its width; above it nothing.
        let side = Vec3::new(-600.0, -140.0, 0.0);
        assert!((table.water_along(&side, &Vec3::x()) - 50.0).abs() < 1e-12);
        assert_eq!(table.water_along(&(side + Vec3::y() * 30.0), &Vec3::x()), 0.0);
    }
}
