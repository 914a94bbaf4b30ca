//! The fraction of bone in each voxel.

use rayon::prelude::*;

use super::{CtRules, Structure, morphology::Grid, noise};

/// Shortest way walked uphill and downhill from a voxel, mm: half the width of a sharp kernel's blur and a cortical shell.
const WALK_MM: f32 = 3.0;
/// Enclosed soft parts up to this are marrow, mm³ (a lumbar vertebral body holds some 35 cm³).
const LARGEST_MARROW_MM3: f64 = 60_000.0;
/// Soft tissue beside bone is not taken darker or brighter than this, HU.
const SOFT_RANGE_HU: (i16, i16) = (-150, 100);
/// Soft specks in bone up to this many voxels are noise.
const LARGEST_SPECK: usize = 8;
/// Fraction given to the outermost voxels of a label that the image does not show as bone.
const LABEL_RIM: f32 = 0.55;

pub(super) struct Bone {
    /// 0 to 1.
    pub fraction: Vec<f32>,
    /// HU of the soft tissue beside, where the voxel is bone or mixed with it.
    pub beside: Vec<Option<i16>>,
}

struct Image<'a> {
    hu: &'a [i16],
    core: &'a [bool],
    /// Mean over neighbours.
    mean: &'a [i16],
    /// Mean over neighbours of soft tissue.
    soft: &'a [i16],
    /// Noise, HU.
    sigma: f32,
}

pub(super) fn find(
    hu: &[i16],
    sigma_hu: f64,
    grid: &Grid,
    structures: Option<&[Option<Structure>]>,
    rules: &CtRules,
) -> Bone {
    let core = core(hu, grid, rules);
    let walk = WALK_MM.max(1.01 * grid.spacing_mm.iter().copied().fold(0.0, f64::max) as f32);
    // Nothing farther from the core than one walk can hold bone.
    let from_core = grid.distance_mm(&core);
    let labelled = |n: usize| structures.is_some_and(|s| s[n] == Some(Structure::Bone));
    // The lowest value on a walk is low by chance; the mean of the soft tissue there is not.
    let mean = noise::average(hu, |_| true, grid);
    let clear = grid.neighbours.iter().map(|n| n.1).fold(f32::INFINITY, f32::min) * 1.5;
    let soft = noise::average(
        hu,
        |n| from_core[n] > clear && (SOFT_RANGE_HU.0..=SOFT_RANGE_HU.1).contains(&hu[n]),
        grid,
    );
    let image = Image {
        hu,
        core: &core,
        mean: &mean,
        soft: &soft,
        sigma: sigma_hu as f32,
    };
    let mixed: Vec<(f32, Option<i16>)> = (0..hu.len())
        .into_par_iter()
        .map(|n| {
            if from_core[n] > walk {
                return (0.0, None);
            }
            fraction(n, &image, grid, walk, rules)
        })
        .collect();
    let (mut fraction, mut beside): (Vec<f32>, Vec<Option<i16>>) = mixed.into_iter().unzip();
    for n in 0..hu.len() {
        if !labelled(n) {
            continue;
        }
        let at = grid.index(n);
        let inside = grid
            .neighbours
            .iter()
            .all(|(by, _)| grid.step(n, at, *by).is_none_or(labelled));
        fraction[n] = fraction[n].max(if inside { 1.0 } else { LABEL_RIM });
        beside[n].get_or_insert(hu[n].clamp(0, SOFT_RANGE_HU.1));
    }
    fill(&mut fraction, &mut beside, hu, grid, structures);
    Bone { fraction, beside }
}

/// Voxels that are surely bone: bright, and not a speck.
fn core(hu: &[i16], grid: &Grid, rules: &CtRules) -> Vec<bool> {
    let bright: Vec<bool> = hu.iter().map(|v| f64::from(*v) > rules.bone_core_above_hu).collect();
    let parts = grid.parts(&bright);
    let least = (rules.smallest_bone_mm3 / grid.voxel_mm3()).ceil() as usize;
    parts
        .part_of
        .iter()
        .map(|p| *p != u32::MAX && parts.sizes[*p as usize] >= least)
        .collect()
}

/// Where the value of a voxel lies between the top of the hill it stands on and the valley below it.
fn fraction(n: usize, image: &Image, grid: &Grid, walk: f32, rules: &CtRules) -> (f32, Option<i16>) {
    let hu = image.hu;
    let summit = climb(n, hu, grid, walk, 1.0);
    if !image.core[summit] {
        return (0.0, None);
    }
    let valley = climb(n, hu, grid, walk, -1.0);
    let beside = image.soft[valley].clamp(SOFT_RANGE_HU.0, SOFT_RANGE_HU.1);
    // All bone: no valley deeper than noise makes in cancellous bone.
    let limit = rules.cancellous_above_hu as f32;
    if f32::from(image.mean[valley]) > limit && f32::from(hu[valley]) > limit - 3.0 * image.sigma {
        return (1.0, Some(beside));
    }
    let (here, top) = (f32::from(hu[n]), f32::from(hu[summit]));
    let bottom = f32::from(image.soft[valley].max(SOFT_RANGE_HU.0)).min(top - 1.0);
    let fraction = ((here - bottom) / (top - bottom)).clamp(0.0, 1.0);
    // Far down the slope the voxel is soft tissue in its own right.
    (fraction, (fraction >= 0.1).then_some(beside))
}

/// Follows the steepest way up (`sign` 1) or down (−1) for at most `walk` mm.
fn climb(from: usize, hu: &[i16], grid: &Grid, walk: f32, sign: f32) -> usize {
    let (mut n, mut left) = (from, walk);
    loop {
        let at = grid.index(n);
        let here = f32::from(hu[n]);
        let mut best: Option<(f32, usize, f32)> = None;
        for (by, d) in &grid.neighbours {
            if *d > left {
                break;
            }
            let Some(m) = grid.step(n, at, *by) else { continue };
            let slope = sign * (f32::from(hu[m]) - here) / d;
            if slope > best.map_or(0.0, |b| b.0) {
                best = Some((slope, m, *d));
            }
        }
        let Some((_, m, d)) = best else { return n };
        n = m;
        left -= d;
    }
}

/// Marrow: soft parts that bone encloses, also when gaps of up to two voxels in a slice are closed.
fn fill(
    fraction: &mut [f32],
    beside: &mut [Option<i16>],
    hu: &[i16],
    grid: &Grid,
    structures: Option<&[Option<Structure>]>,
) {
    let most = (LARGEST_MARROW_MM3 / grid.voxel_mm3()) as usize;
    let keep_open = |n: usize| structures.is_some_and(|s| matches!(s[n], Some(Structure::Canal | Structure::Disc)));
    for closing in [false, true] {
        let soft: Vec<bool> = fraction.iter().map(|f| *f < 0.5).collect();
        let in_slice = |n: usize, test: &dyn Fn(usize) -> bool| {
            let at = grid.index(n);
            [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]]
                .into_iter()
                .filter_map(|by| grid.step(n, at, by))
                .any(test)
        };
        let open: Vec<bool> = (0..soft.len())
            .map(|n| soft[n] && !(closing && in_slice(n, &|m| !soft[m])))
            .collect();
        let parts = grid.parts(&open);
        let marrow: Vec<bool> = parts
            .part_of
            .iter()
            .map(|p| *p != u32::MAX && !parts.at_border[*p as usize] && parts.sizes[*p as usize] <= most)
            .collect();
        for n in 0..soft.len() {
            let enclosed = marrow[n] || (closing && soft[n] && in_slice(n, &|m| marrow[m]));
            if enclosed && !keep_open(n) && hu[n] > SOFT_RANGE_HU.0 {
                fraction[n] = 1.0;
                beside[n].get_or_insert(hu[n].clamp(SOFT_RANGE_HU.0, SOFT_RANGE_HU.1));
            }
        }
    }
    // Specks: what is left when every place is taken out where soft tissue is three voxels wide.
    let soft: Vec<bool> = fraction.iter().map(|f| *f < 0.5).collect();
    let among = |n: usize, test: &dyn Fn(usize) -> bool| {
        let at = grid.index(n);
        [[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]]
            .into_iter()
            .filter_map(|by| grid.step(n, at, by))
            .any(test)
    };
    let wide: Vec<bool> = (0..soft.len()).map(|n| soft[n] && !among(n, &|m| !soft[m])).collect();
    let narrow: Vec<bool> = (0..soft.len())
        .map(|n| soft[n] && !wide[n] && !among(n, &|m| wide[m]))
        .collect();
    let parts = grid.parts(&narrow);
    for n in 0..soft.len() {
        let part = parts.part_of[n];
        if part != u32::MAX && parts.sizes[part as usize] <= LARGEST_SPECK && !keep_open(n) && hu[n] > 0 {
            fraction[n] = 1.0;
            beside[n].get_or_insert(hu[n].clamp(SOFT_RANGE_HU.0, SOFT_RANGE_HU.1));
        }
    }
}
