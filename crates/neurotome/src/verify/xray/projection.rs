//! Line integrals through volumes.

use neurotome_base::{Affine, Point, Vec3, Volume, geometry::Mat3};
use neurotome_physics::xray::{Image, Projector, View, exact_image};
use rayon::prelude::*;

use super::phantoms::{self, SOURCE};
use crate::verify::Report;

/// Exact integrals of the phantoms at the pixels of the reference: geometry and formulas agree.
pub fn reference_pixels(report: &mut Report) {
    let claim = "phantoms at 75 reference pixels, largest difference of the exact integrals";
    let reference = match phantoms::reference() {
        Ok(reference) => reference,
        Err(e) => return report.failed(claim, e, SOURCE),
    };
    let mut worst = 0.0f64;
    for sampled in &reference.exact_samples {
        let view = phantoms::view(sampled.frame, sampled.side);
        for pixel in &sampled.pixels {
            let (o, d) = (view.source_mm, view.direction(pixel.i as f64, pixel.j as f64));
            let solids = reference.phantoms.solids_integral(&o, &d);
            let needle = &reference.phantoms.needle;
            let differences = [
                reference.phantoms.blobs_integral(&o, &d) - pixel.blobs,
                solids - pixel.solids,
                solids + needle.mu() * needle.chord_mm(&o, &d) - pixel.solids_needle,
            ];
            worst = differences.iter().fold(worst, |w, d| w.max(d.abs()));
        }
    }
    report.at_most(claim, worst, 1e-9, SOURCE);
}

struct Errors {
    square: f64,
    sum: f64,
    highest: f64,
    count: f64,
}

/// Errors of the fast projector over frames 0 to 2 at 512².
fn errors(volume: Volume<f32>, exact: impl Fn(&Vec3, &Vec3) -> f64 + Sync) -> Result<Errors, String> {
    const SIDE: usize = 512;
    let projector = Projector::new(volume).map_err(|e| e.to_string())?;
    let mut all = Errors {
        square: 0.0,
        sum: 0.0,
        highest: 0.0,
        count: 0.0,
    };
    for frame in 0..3 {
        let view = phantoms::view(frame, SIDE);
        let image = projector.project(&view).map_err(|e| e.to_string())?;
        let rows: Vec<[f64; 3]> = (0..SIDE)
            .into_par_iter()
            .map(|row| {
                let mut sums = [0.0, 0.0, 0.0f64];
                for column in 0..SIDE {
                    let value = exact(&view.source_mm, &view.direction(column as f64, row as f64));
                    let error = f64::from(image.data[column + SIDE * row]) - value;
                    sums[0] += error * error;
                    sums[1] += error;
                    sums[2] = sums[2].max(value);
                }
                sums
            })
            .collect();
        for [square, sum, highest] in rows {
            all.square += square;
            all.sum += sum;
            all.highest = all.highest.max(highest);
        }
        all.count += (SIDE * SIDE) as f64;
    }
    Ok(all)
}

fn claim_errors(report: &mut Report, name: &str, bound_percent: f64, errors: Result<Errors, String>) {
    match errors {
        Ok(e) => {
            let rms = 100.0 * (e.square / e.count).sqrt() / e.highest;
            report.at_most(
                format!("{name}, rms error in % of the largest integral"),
                rms,
                bound_percent,
                SOURCE,
            );
            report.at_most(
                format!("{name}, size of the mean error"),
                (e.sum / e.count).abs(),
                2e-4,
                SOURCE,
            );
        }
        Err(e) => report.failed(name, e, SOURCE),
    }
}

pub fn blobs(report: &mut Report) {
    let computed =
        phantoms::reference().and_then(|r| errors(r.phantoms.blobs()?, |o, d| r.phantoms.blobs_integral(o, d)));
    claim_errors(report, "blobs, 256³ at 512²", 0.012, computed);
}

pub fn solids(report: &mut Report) {
    let computed =
        phantoms::reference().and_then(|r| errors(r.phantoms.solids()?, |o, d| r.phantoms.solids_integral(o, d)));
    claim_errors(report, "solids, 256³ at 512²", 0.15, computed);
}

/// Rms difference in % of the largest value.
fn difference_percent(a: &Image, b: &Image) -> f64 {
    let square: f64 = a.data.iter().zip(&b.data).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let [_, highest] = b.range();
    100.0 * (square / a.data.len() as f64).sqrt() / f64::from(highest)
}

/// The fast projector against the plain one, which integrates the voxels' interpolant without error.
pub fn two_projectors(report: &mut Report) {
    let claim = "fast against plain projector, blobs at 128², rms difference in % of the largest integral";
    let source = "crates/physics/src/xray/exact.rs: the interpolant's cubic integrated cell by cell";
    let computed = phantoms::reference().and_then(|r| {
        let volume = r.phantoms.blobs()?;
        let view = phantoms::view(1, 128);
        let plain = exact_image(&volume, &view).map_err(|e| e.to_string())?;
        let fast = Projector::new(volume)
            .and_then(|p| p.project(&view))
            .map_err(|e| e.to_string())?;
        Ok(difference_percent(&fast, &plain))
    });
    match computed {
        Ok(percent) => report.at_most(claim, percent, 0.01, source),
        Err(e) => report.failed(claim, e, source),
    }
}

/// A smooth bump in oblong voxels laid askew and mirrored.
fn skew_volume() -> Result<Volume<f32>, String> {
    let dims = [48usize, 40, 36];
    let turn = Mat3::new(0.96, -0.28, 0.0, 0.28, 0.96, 0.0, 0.0, 0.0, -1.0);
    let spacing = [1.0, 1.3, 2.1];
    let matrix = turn * Mat3::from_diagonal(&Vec3::from(spacing));
    let middle = Vec3::new(23.5, 19.5, 17.5);
    let affine = Affine::new(matrix, Vec3::new(5.0, -3.0, 8.0) - matrix * middle).map_err(|e| e.to_string())?;
    let data = (0..dims[0] * dims[1] * dims[2])
        .map(|n| {
            let p = Vec3::new((n % 48) as f64, (n / 48 % 40) as f64, (n / (48 * 40)) as f64) - middle;
            let q = p.component_div(&Vec3::new(9.0, 7.0, 6.0));
            (0.02 * (-0.5 * q.norm_squared()).exp()) as f32
        })
        .collect();
    Volume::new(dims, affine, data).map_err(|e| e.to_string())
}

/// Beams along, across and between all axes of a volume that lies askew.
pub fn any_axis(report: &mut Report) {
    let claim = "fast against plain projector from 12 directions, voxels oblong, askew and mirrored, worst rms difference in % of the largest integral";
    let source = "crates/physics/src/xray/exact.rs";
    let computed = skew_volume().and_then(|volume| {
        let projector = Projector::new(volume.clone()).map_err(|e| e.to_string())?;
        let mut worst = 0.0f64;
        for [x, y, z] in [
            [1.0, 0.0, 0.0],
            [-1.0, 0.2, 0.1],
            [0.0, 1.0, 0.0],
            [0.1, -1.0, 0.2],
            [0.0, 0.0, 1.0],
            [0.2, 0.1, -1.0],
            [0.7, 0.7, 0.0],
            [-0.7, 0.7, 0.1],
            [0.0, 0.7, 0.7],
            [0.7, 0.0, -0.7],
            [0.577, 0.577, 0.577],
            [-0.577, 0.577, -0.577],
        ] {
            let d = Vec3::new(x, y, z).normalize();
            let (u, v) = neurotome_base::geometry::perpendicular_pair(&d);
            let center = Vec3::new(5.0, -3.0, 8.0);
            let view = View {
                source_mm: center - d * 650.0,
                first_mm: center + d * 350.0 - (u + v) * (47.5 * 1.5),
                column_step_mm: u * 1.5,
                row_step_mm: v * 1.5,
                columns: 96,
                rows: 96,
            };
            let plain = exact_image(&volume, &view).map_err(|e| e.to_string())?;
            let fast = projector.project(&view).map_err(|e| e.to_string())?;
            worst = worst.max(difference_percent(&fast, &plain));
        }
        Ok(worst)
    });
    match computed {
        Ok(percent) => report.at_most(claim, percent, 0.05, source),
        Err(e) => report.failed(claim, e, source),
    }
}

/// One and two threads give the same bits.
pub fn threads(report: &mut Report) {
    let claim = "pixels that differ between one and three threads";
    let source = "Rows are summed over slices in order by one thread each";
    let computed = skew_volume().and_then(|volume| {
        let projector = Projector::new(volume).map_err(|e| e.to_string())?;
        let center = Point::new(5.0, -3.0, 8.0);
        let mut view = phantoms::view(1, 200);
        view.source_mm += Point::<neurotome_base::Patient>::vec(&center);
        view.first_mm += center.vec();
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .map_err(|e| e.to_string())?;
            pool.install(|| projector.project(&view)).map_err(|e| e.to_string())
        };
        let (one, three) = (with(1)?, with(3)?);
        let different = one
            .data
            .iter()
            .zip(&three.data)
            .filter(|(a, b)| a.to_bits() != b.to_bits());
        Ok(different.count() as f64)
    });
    match computed {
        Ok(count) => report.at_most(claim, count, 0.0, source),
        Err(e) => report.failed(claim, e, source),
    }
}
