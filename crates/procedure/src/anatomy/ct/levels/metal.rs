//! Metal beside a vertebra: screws, cages, cement with contrast.

use neurotome_base::{PatientPoint, Point, Volume};

use super::column::each_voxel;
use super::{LevelReport, names};
use crate::anatomy::Level;
use crate::anatomy::ct::labels::Sign;
use crate::anatomy::ct::{CtRules, LabelMap};

/// Metal this near concerns a vertebra, mm.
const NEAR_MM: f64 = 10.0;
/// Step of the search round a voxel of metal, mm.
const STEP_MM: f64 = 2.5;

pub(super) fn check(labels: &LabelMap, hu: &Volume<f32>, report: &mut LevelReport) {
    let above_hu = CtRules::default().metal_above_hu;
    // The box of all vertebrae, and what lies round it.
    let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
    each_voxel(labels, |sign, p| {
        if matches!(sign, Sign::Vertebra(_)) {
            for a in 0..3 {
                low[a] = low[a].min(p[a] - NEAR_MM);
                high[a] = high[a].max(p[a] + NEAR_MM);
            }
        }
    });
    let reach = (NEAR_MM / STEP_MM) as i32;
    let mut offsets = Vec::new();
    for k in -reach..=reach {
        for j in -reach..=reach {
            for i in -reach..=reach {
                if i * i + j * j + k * k <= reach * reach {
                    offsets.push([i, j, k].map(|n| f64::from(n) * STEP_MM));
                }
            }
        }
    }
    let [nx, ny, _] = hu.dims();
    let (mut voxels, mut near) = (0usize, [false; Level::ALL.len()]);
    let metal = hu.data().iter().enumerate().filter(|(_, v)| f64::from(**v) > above_hu);
    for (n, _) in metal {
        let index = Point::new((n % nx) as f64, (n / nx % ny) as f64, (n / (nx * ny)) as f64);
        let p: PatientPoint = hu.affine().to_patient(&index);
        if (0..3).any(|a| p.xyz[a] < low[a] || p.xyz[a] > high[a]) {
            continue;
        }
        let mut met = false;
        for [x, y, z] in &offsets {
            let q = Point::new(p.xyz[0] + x, p.xyz[1] + y, p.xyz[2] + z);
            if let Some(level) = labels.labels.nearest(&q).and_then(|l| labels.meaning.level(l)) {
                near[level as usize] = true;
                met = true;
            }
        }
        voxels += usize::from(met);
    }
    if voxels > 0 {
        let levels = names(Level::ALL.into_iter().filter(|l| near[*l as usize]));
        report.warnings.push(format!(
            "{voxels} voxel(s) above {above_hu} HU, metal perhaps, lie within {NEAR_MM} mm of {levels}: labels and bone there are less sure, and metal conducts current and heat."
        ));
    }
}
