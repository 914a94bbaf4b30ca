//! The dural sac in the canal.

use neurotome_base::Vec3;

use super::morphometry::Morphometry;
use super::parameters::SpineError;
use super::{Placed, bone_level};
use crate::anatomy::Level;

/// The dural sac at one height.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sac {
    pub center: Vec3,
    pub half_width: f64,
    pub half_depth: f64,
}

/// The share of its usual size that the dural sac has room for at a place in a vertebra's canal.
fn sac_size(vertebrae: &[Placed], at: &Placed, y: f64, z: f64, half: [f64; 2]) -> f64 {
    let free = |size: f64| {
        (0..16).all(|turn| {
            let (sin, cos) = (f64::from(turn) * std::f64::consts::TAU / 16.0).sin_cos();
            let p = Vec3::new(size * half[0] * cos, y + size * half[1] * sin, z);
            bone_level(vertebrae, &at.frame.to_patient(&p)) > 0.5
        })
    };
    (0..10)
        .map(|n| 1.0 - 0.05 * f64::from(n))
        .find(|size| free(*size))
        .unwrap_or(0.5)
}

/// Its sections, from below to above.
pub(super) fn dural_sac(sizes: &Morphometry<'_>, vertebrae: &[Placed]) -> Result<Vec<Sac>, SpineError> {
    let mut all = vec![];
    for v in vertebrae {
        let s = &v.bone.shape;
        let sizes_at = if v.level == Level::S1 { Level::L5 } else { v.level };
        let (width, depth) = (
            0.5 * sizes.at("dural_sac_width_mm", sizes_at)?,
            0.5 * sizes.at("dural_sac_depth_mm", sizes_at)?,
        );
        let depth = depth.min(0.42 * s.middle.canal_depth);
        let y = s.back_wall() + 0.45 * s.middle.canal_depth;
        let narrow = if v.level == Level::S1 { 0.75 } else { 1.0 };
        for z in [
            0.5 * s.height(),
            s.middle.lamina_z + 0.25 * s.middle.lamina_height,
            s.middle.lamina_z,
            -0.5 * s.height(),
        ] {
            let size = sac_size(vertebrae, v, y, z, [width * narrow, depth * narrow]);
            all.push(Sac {
                center: v.frame.to_patient(&Vec3::new(0.0, y, z)),
                half_width: size * width * narrow,
                half_depth: size * depth * narrow,
            });
        }
        if v.level == Level::S1 {
            all.push(Sac {
                center: v.frame.to_patient(&Vec3::new(0.0, 21.0, -34.0)),
                half_width: 2.0,
                half_depth: 2.0,
            });
        }
    }
    all.sort_by(|a, b| a.center.z.total_cmp(&b.center.z));
    Ok(all)
}
