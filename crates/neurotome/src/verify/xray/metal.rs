//! Metal drawn from its geometry.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::xray::{Part, Shape, View, shade};

use super::phantoms::{self, SOURCE, Solid};
use crate::verify::Report;

/// The path through the reference needle at every pixel of three frames, against a formula written for the comparison.
pub fn chords(report: &mut Report) {
    let claim = "needle of 0.9 mm, largest difference of attenuation to its exact chord over three frames at 512²";
    let reference = match phantoms::reference() {
        Ok(reference) => reference,
        Err(e) => return report.failed(claim, e, SOURCE),
    };
    let needle = &reference.phantoms.needle;
    let Solid::Cylinder {
        mu,
        args: (from, to, radius_mm),
    } = needle
    else {
        return report.failed(claim, "the reference's needle is no cylinder", SOURCE);
    };
    let shape = Shape::Cylinder {
        from: Vec3::from(*from),
        to: Vec3::from(*to),
        radius_mm: *radius_mm,
    };
    let mut worst = 0.0f64;
    let mut shaded_pixels = 0;
    for frame in 0..3 {
        let view = phantoms::view(frame, 512);
        let mut shaded = shade::<1>(&[Part::solid(shape, 0)], &view, 1).into_iter().peekable();
        for n in 0..view.columns * view.rows {
            let d = view.direction((n % view.columns) as f64, (n / view.columns) as f64);
            let path = shaded
                .next_if(|s| s.pixel == n)
                .map_or(0.0, |s| f64::from(s.paths_mm[0][0]));
            shaded_pixels += usize::from(path > 0.0);
            worst = worst.max((mu * (path - needle.chord_mm(&view.source_mm, &d))).abs());
        }
    }
    report.at_most(claim, worst, 1e-6, SOURCE);
    report.at_least(
        "needle of 0.9 mm, pixels that it shades in those frames",
        shaded_pixels as f64,
        500.0,
        SOURCE,
    );
}

/// A detector 1000 mm from a source at −650 mm on the y axis.
fn view(pixel_mm: f64, side: usize) -> View {
    let half = 0.5 * (side as f64 - 1.0) * pixel_mm;
    View {
        source_mm: Vec3::new(0.0, -650.0, 0.0),
        first_mm: Vec3::new(half, 350.0, half),
        column_step_mm: Vec3::new(-pixel_mm, 0.0, 0.0),
        row_step_mm: Vec3::new(0.0, 0.0, -pixel_mm),
        columns: side,
        rows: side,
    }
}

/// Width of a needle as the picture shows it, over its true magnified width: across a rod the paths add to its cross-section.
fn shown_over_true(angle_in_picture_deg: f64, tilt_deg: f64, radius: f64) -> f64 {
    let (a, t) = (angle_in_picture_deg.to_radians(), tilt_deg.to_radians());
    let axis = Vec3::new(a.sin() * t.cos(), t.sin(), a.cos() * t.cos());
    let shape = Shape::Cylinder {
        from: axis * -70.0,
        to: axis * 70.0,
        radius_mm: radius,
    };
    let pixel = 300.0 / 512.0;
    let view = view(pixel, 512);
    let mut sum = 0.0f64;
    // A window of the picture round the isocentre, along the needle: 60 mm of its shadow.
    let (along, half_length) = (Vec3::new(a.sin(), 0.0, a.cos()), 30.0);
    for s in shade::<1>(&[Part::solid(shape, 0)], &view, 4) {
        let count = s.paths_mm.len() as f64;
        for (k, path) in s.paths_mm.iter().enumerate() {
            let place = |n: usize| (n as f64 + 0.5) / 4.0 - 0.5;
            let (c, r) = (
                (s.pixel % 512) as f64 + place(k % 4),
                (s.pixel / 512) as f64 + place(k / 4),
            );
            let on = view.pixel_mm(c, r);
            if on.dot(&along).abs() <= half_length {
                // The path where the ray meets the needle, seen square: its part across the needle.
                let ray = (on - view.source_mm).normalize();
                let square = ray.cross(&axis).norm();
                let depth = view.source_mm.norm();
                let magnification = 1000.0 / (depth + near(&ray, &axis, &view.source_mm));
                sum += f64::from(path[0]) * square / magnification * pixel * pixel / count;
            }
        }
    }
    // ∫ path · square d(across) = π r² for each mm of shadow.
    let area = sum / (2.0 * half_length);
    (area / std::f64::consts::PI).sqrt() / radius
}

/// Place along y where a ray passes the axis through the origin.
fn near(ray: &Vec3, axis: &Vec3, source: &Vec3) -> f64 {
    let normal = ray.cross(axis);
    let t = -source.cross(axis).dot(&normal) / normal.norm_squared();
    source.y + t * ray.y
}

/// The width of a thin needle, at any angle in the picture and any tilt to the detector.
pub fn width(report: &mut Report) {
    let mut worst = 0.0f64;
    for angle in [0.0, 7.0, 21.0, 33.0, 45.0, 68.0, 90.0] {
        for tilt in [0.0, 15.0, 40.0, 60.0] {
            for radius in [0.25, 0.45] {
                let off = 100.0 * (shown_over_true(angle, tilt, radius) - 1.0);
                if report.all() {
                    report.within(
                        format!(
                            "width of a needle of {} mm at {angle}° in the picture, tilted by {tilt}°, deviation in %",
                            2.0 * radius
                        ),
                        off,
                        0.0,
                        2.0,
                        "Geometry: paths across a rod add to its cross-section",
                    );
                }
                worst = worst.max(off.abs());
            }
        }
    }
    report.at_most(
        "width of needles of 0.5 and 0.9 mm at any angle, worst deviation in %",
        worst,
        2.0,
        "Geometry: paths across a rod add to its cross-section",
    );
}

/// A ball is seen where `project` says that its middle is.
pub fn place(report: &mut Report) {
    let mut worst = 0.0f64;
    for frame in 0..10 {
        let view = phantoms::view(frame, 512);
        for at in [
            Vec3::new(0.0, 0.0, 0.0),
            Vec3::new(35.0, -20.0, 40.0),
            Vec3::new(-50.0, 30.0, -25.0),
        ] {
            let ball = Shape::Ellipsoid {
                center: at,
                half_mm: [0.6; 3],
            };
            let (mut sum, mut column, mut row) = (0.0, 0.0, 0.0);
            for s in shade::<1>(&[Part::solid(ball, 0)], &view, 4) {
                let mean: f32 = s.paths_mm.iter().map(|p| p[0]).sum();
                sum += f64::from(mean);
                column += f64::from(mean) * (s.pixel % 512) as f64;
                row += f64::from(mean) * (s.pixel / 512) as f64;
            }
            let Some([c, r]) = view.project(&PatientPoint::from_vec(at)) else {
                continue;
            };
            worst = worst.max((column / sum - c).hypot(row / sum - r));
            if sum == 0.0 {
                worst = f64::INFINITY;
            }
        }
    }
    report.at_most(
        "middle of a small ball in the picture against `project`, worst distance in pixels",
        worst,
        0.1,
        "Geometry: 3 places in 10 views",
    );
}
