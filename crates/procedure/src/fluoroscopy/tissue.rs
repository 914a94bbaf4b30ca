//! Hounsfield units as two materials: soft tissue and bone.

use neurotome_physics::xray::Integrand;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_add_to_the_whole() {
        let split = SoftAndBone::new(100.0, 2.6);
        for hu in [-1200.0f32, -1000.0, -300.0, 0.0, 100.0, 101.0, 700.0, 1599.0, 1600.0, 3000.0] {
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
