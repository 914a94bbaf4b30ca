//! Noise of the image, and averages that respect what may be averaged.

use super::morphology::Grid;

/// Averages run along an axis whose steps are at most this, mm: neighbours farther apart show different places.
const LONGEST_STEP_MM: f64 = 2.0;
/// Values between which differences of neighbours are noise rather than borders, HU.
const SOFT_HU: std::ops::RangeInclusive<i16> = -60..=120;

/// Standard deviation of the noise in soft tissue, HU, from the median difference of neighbours.
pub(super) fn sigma_hu(hu: &[i16], grid: &Grid) -> f64 {
    let mut counts = [0usize; 256];
    for line in hu.chunks_exact(grid.dims[0]) {
        for pair in line.windows(2) {
            if SOFT_HU.contains(&pair[0]) && SOFT_HU.contains(&pair[1]) {
                counts[usize::from(pair[0].abs_diff(pair[1])).min(255)] += 1;
            }
        }
    }
    let half = counts.iter().sum::<usize>() / 2;
    let mut sum = 0;
    let median = counts
        .iter()
        .position(|c| {
            sum += c;
            sum > half
        })
        .unwrap_or(0);
    // The median of |difference| of two normal numbers is 0.954 standard deviations.
    median as f64 / 0.954
}

/// Binomial average (1 2 1) over the voxels that may be averaged; voxels without such a neighbour keep their value.
pub(super) fn average(hu: &[i16], may: impl Fn(usize) -> bool, grid: &Grid) -> Vec<i16> {
    let mut weight: Vec<f32> = (0..hu.len()).map(|n| if may(n) { 1.0 } else { 0.0 }).collect();
    let mut value: Vec<f32> = hu.iter().zip(&weight).map(|(v, w)| f32::from(*v) * w).collect();
    let mut stride = 1;
    for axis in 0..3 {
        if grid.spacing_mm[axis] <= LONGEST_STEP_MM {
            along(&mut weight, grid.dims[axis], stride);
            along(&mut value, grid.dims[axis], stride);
        }
        stride *= grid.dims[axis];
    }
    hu.iter()
        .zip(value.iter().zip(&weight))
        .map(|(own, (v, w))| if *w > 0.0 { (v / w).round() as i16 } else { *own })
        .collect()
}

/// Replaces each value by a quarter of itself and its neighbours along one axis, itself twice.
fn along(values: &mut [f32], n: usize, stride: usize) {
    for block in values.chunks_exact_mut(n * stride) {
        for s in 0..stride {
            let mut before = 0.0;
            for q in 0..n {
                let at = s + q * stride;
                let here = block[at];
                let after = if q + 1 < n { block[at + stride] } else { 0.0 };
                block[at] = 0.25 * (before + after) + 0.5 * here;
                before = here;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use neurotome_base::Affine;

    #[test]
    fn averages_leave_out_what_is_not_soft() {
        let grid = Grid::new([5, 3, 2], &Affine::axis_aligned([1.0, 1.0, 4.0], [0.0; 3]).unwrap());
        let hu: Vec<i16> = (0..30).map(|n| if n % 5 == 4 { 1000 } else { 40 }).collect();
        let out = average(&hu, |n| hu[n] < 500, &grid);
        assert!((0..30).all(|n| out[n] == 40));
        let none = average(&hu, |_| false, &grid);
        assert_eq!(none, hu);
        assert_eq!(sigma_hu(&hu, &grid), 0.0);
    }
}
