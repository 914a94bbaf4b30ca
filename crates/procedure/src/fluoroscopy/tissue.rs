//! Hounsfield units as two materials: soft tissue and bone; and tissues as Hounsfield units.

use neurotome_base::{Affine, PatientPoint, Point, Volume, VolumeError};
use neurotome_physics::xray::Integrand;
use rayon::prelude::*;

use crate::anatomy::TissueField;

/// Attenuation relative to water, split in two by value: what is denser than soft tissue is a mixture with cortical bone.
///
/// `1 + HU/1000` is the attenuation over that of water in the beam of the CT. Below `bone_above_hu` all of it is soft tissue; above, as
/// much bone is mixed in as explains the value; beyond cortical bone all is bone. The integrals are mm of water of the same attenuation
/// in the CT's beam; at other energies each part follows its own material.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftAndBone {
    /// Densest soft tissue, relative to water.
    soft: f32,
    /// 1 / (cortical bone − densest soft tissue).
    per_bone: f32,
    /// Cortical bone, relative to water.
    bone: f32,
}

impl SoftAndBone {
    /// From the value above which bone begins and cortical bone's attenuation over that of water in the CT's beam.
    pub fn new(bone_above_hu: f64, cortical_over_water: f64) -> Self {
        let soft = 1.0 + 1e-3 * bone_above_hu;
        Self {
            soft: soft as f32,
            per_bone: (1.0 / (cortical_over_water - soft).max(1e-3)) as f32,
            bone: cortical_over_water as f32,
        }
    }
}

impl Integrand<2> for SoftAndBone {
    #[inline]
    fn of(&self, hu: f32) -> [f32; 2] {
        let all = (1.0 + hu * 1e-3).max(0.0);
        let share = ((all - self.soft) * self.per_bone).clamp(0.0, 1.0);
        let soft = all.min(self.soft) * (1.0 - share);
        // Beyond cortical bone the rest is denser bone.
        let bone = if share < 1.0 { share * self.bone } else { all };
        [soft, bone]
    }
}

/// An image in Hounsfield units of an anatomy that is none: `hu` holds the value of each tissue by its id, what is missing is water.
///
/// A cube of `half_side_mm` round `center`, sampled every `spacing_mm` at the middles of voxels.
///
/// # Errors
/// [`VolumeError`] for a spacing that is not above zero or gives too many voxels.
pub fn hounsfield_image(
    field: &dyn TissueField,
    hu: &[f32],
    center: &PatientPoint,
    half_side_mm: [f64; 3],
    spacing_mm: f64,
) -> Result<Volume<f32>, VolumeError> {
    let dims = half_side_mm.map(|h| (2.0 * h / spacing_mm).ceil().max(0.0) as usize + 1);
    let count = Volume::<f32>::checked_len(dims)?;
    let origin = [0, 1, 2].map(|a| center.xyz[a] - 0.5 * spacing_mm * (dims[a] as f64 - 1.0));
    let affine = Affine::axis_aligned([spacing_mm; 3], origin)?;
    let [nx, ny, _] = dims;
    let data = (0..count)
        .into_par_iter()
        .map(|n| {
            let index = Point::new((n % nx) as f64, (n / nx % ny) as f64, (n / (nx * ny)) as f64);
            let tissue = field.tissue_at(&affine.to_patient(&index)).0;
            hu.get(usize::from(tissue)).copied().unwrap_or(0.0)
        })
        .collect();
    Volume::new(dims, affine, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_add_to_the_whole() {
        let split = SoftAndBone::new(100.0, 2.6);
        for hu in [
            -1200.0f32, -1000.0, -300.0, 0.0, 100.0, 101.0, 700.0, 1599.0, 1600.0, 3000.0,
        ] {
            let [soft, bone] = split.of(hu);
            let all = (1.0 + hu * 1e-3).max(0.0);
            assert!((soft + bone - all).abs() < 1e-5, "{hu}: {soft} + {bone}");
            assert!(soft >= 0.0 && bone >= 0.0);
        }
        assert_eq!(split.of(-2000.0), [0.0, 0.0]);
        assert_eq!(split.of(50.0)[1], 0.0);
        assert!(split.of(2000.0)[0] == 0.0);
    }
}
