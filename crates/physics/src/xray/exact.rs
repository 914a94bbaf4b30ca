//! The plain projector: the integral of the trilinear interpolant along one ray, cell by cell.
//!
//! Along a straight line the interpolant is a cubic in each cell between voxel centres, and two Gauss points integrate a cubic exactly.
//! It is slow and simple: what the fast projector is held against.

use neurotome_base::{Vec3, Volume};
use rayon::prelude::*;

use super::{Image, View, ViewError};

/// ∫ of the volume's trilinear interpolant along the ray from `source_mm` towards `target_mm` and on, lengths in mm.
///
/// The source must lie outside the volume, else only the part before it counts.
pub fn exact_integral(volume: &Volume<f32>, source_mm: &Vec3, target_mm: &Vec3) -> f64 {
    let affine = volume.affine();
    let place = |v: &Vec3| affine.to_voxel(&neurotome_base::Point::from_vec(*v)).vec();
    let (start, end) = (place(source_mm), place(target_mm));
    let direction = end - start;
    let dims = volume.dims();
    // Range of t, in units of source to target, within the zeros that surround the volume.
    let (mut enter, mut leave) = (0.0f64, f64::INFINITY);
    for a in 0..3 {
        let (low, high) = (-1.0 - start[a], dims[a] as f64 - start[a]);
        if direction[a] == 0.0 {
            if low >= 0.0 || high <= 0.0 {
                return 0.0;
            }
        } else {
            let (t0, t1) = (low / direction[a], high / direction[a]);
            enter = enter.max(t0.min(t1));
            leave = leave.min(t0.max(t1));
        }
    }
    if enter >= leave || !leave.is_finite() {
        return 0.0;
    }
    // The next plane of voxel centres along each axis.
    let mut next = [f64::INFINITY; 3];
    let mut plane = [0.0f64; 3];
    for a in 0..3 {
        if direction[a] != 0.0 {
            let at = start[a] + direction[a] * enter;
            plane[a] = if direction[a] > 0.0 {
                at.floor() + 1.0
            } else {
                at.ceil() - 1.0
            };
            next[a] = (plane[a] - start[a]) / direction[a];
        }
    }
    let gauss = 0.5 / 3f64.sqrt();
    let mut t = enter;
    let mut sum = 0.0;
    while t < leave {
        let a = (0..3).fold(0, |best, a| if next[a] < next[best] { a } else { best });
        let stop = next[a].min(leave);
        if stop > t {
            let (middle, length) = (0.5 * (t + stop), stop - t);
            let at = |s: f64| interpolant(volume, &(start + direction * (middle + s * length)));
            sum += 0.5 * length * (at(-gauss) + at(gauss));
        }
        t = t.max(stop);
        plane[a] += direction[a].signum();
        next[a] = (plane[a] - start[a]) / direction[a];
    }
    sum * (target_mm - source_mm).norm()
}

/// The trilinear interpolant at a continuous voxel index, zeros all round the volume.
fn interpolant(volume: &Volume<f32>, at: &Vec3) -> f64 {
    let [nx, ny, nz] = volume.dims().map(|n| n as isize);
    let low = at.map(f64::floor);
    let w = at - low;
    let mut sum = 0.0;
    for corner in 0..8usize {
        let mut weight = 1.0;
        let mut index = [0isize; 3];
        for a in 0..3 {
            let up = corner >> a & 1;
            weight *= if up == 1 { w[a] } else { 1.0 - w[a] };
            index[a] = low[a] as isize + up as isize;
        }
        let [i, j, k] = index;
        if (0..nx).contains(&i) && (0..ny).contains(&j) && (0..nz).contains(&k) {
            sum += weight * f64::from(volume.data()[(i + nx * (j + ny * k)) as usize]);
        }
    }
    sum
}

/// Line integrals of a volume for every pixel, by [`exact_integral`].
///
/// # Errors
/// [`ViewError`].
pub fn exact_image(volume: &Volume<f32>, view: &View) -> Result<Image, ViewError> {
    view.check()?;
    view.check_outside(volume.dims(), volume.affine())?;
    let data = (0..view.columns * view.rows)
        .into_par_iter()
        .map(|n| {
            let target = view.pixel_mm((n % view.columns) as f64, (n / view.columns) as f64);
            exact_integral(volume, &view.source_mm, &target) as f32
        })
        .collect();
    Ok(Image {
        columns: view.columns,
        rows: view.rows,
        data,
    })
}

#[cfg(test)]
mod tests {
    use neurotome_base::Affine;

    use super::*;

    /// One voxel of value 1: its interpolant is a hat, whose integral along an axis through its middle is one spacing.
    #[test]
    fn a_single_voxel_integrates_to_its_hat() {
        let affine = Affine::axis_aligned([2.0, 3.0, 4.0], [10.0, 20.0, 30.0]).unwrap();
        let mut volume = Volume::filled([3, 3, 3], affine, 0.0f32).unwrap();
        volume.data_mut()[13] = 1.0;
        let middle = Vec3::new(12.0, 23.0, 34.0);
        for (axis, spacing) in [(Vec3::x(), 2.0), (Vec3::y(), 3.0), (Vec3::z(), 4.0)] {
            let value = exact_integral(&volume, &(middle - axis * 50.0), &(middle + axis));
            assert!((value - spacing).abs() < 1e-12, "{value}");
        }
        // Half way to the neighbour: half of it.
        let beside = middle + Vec3::new(0.0, 1.5, 0.0);
        let value = exact_integral(&volume, &(beside - Vec3::x() * 50.0), &beside);
        assert!((value - 1.0).abs() < 1e-12, "{value}");
        // Along the diagonal of the cell: 2 ∫ (1 − t)³ = ½ of the diagonal.
        let diagonal = Vec3::new(2.0, 3.0, 4.0);
        let value = exact_integral(&volume, &(middle - diagonal * 9.0), &middle);
        assert!((value - 0.5 * diagonal.norm()).abs() < 1e-12, "{value}");
        // A ray that misses.
        assert_eq!(exact_integral(&volume, &Vec3::zeros(), &Vec3::x()), 0.0);
    }
}
