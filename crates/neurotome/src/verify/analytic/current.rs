//! Potentials with closed forms, given as data on the metal and on the outer boundary.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::grid::Sizing;

use super::{
    super::Report,
    setting::{Model, cube, farthest, needle, octree, tissue, worst},
};

const SIGMA: f64 = 0.446;
/// Half side of the region, m: the grid's cubes fill it at every scale that is a power of two.
const HALF: f64 = 32e-3;

/// Potential at one ampere from a point at the origin.
fn point(p: &Vec3) -> f64 {
    1.0 / (4.0 * PI * SIGMA * p.norm())
}

/// Potential at one ampere from the line between the foci, 0 and `2c` along z.
pub(in crate::verify) fn line(p: &Vec3, c: f64) -> f64 {
    let sum = p.norm() + (p - Vec3::z() * (2.0 * c)).norm();
    ((sum + 2.0 * c) / (sum - 2.0 * c)).ln() / (8.0 * PI * SIGMA * c)
}

/// The part of a line source's current (0 to `2c` along z; `c = 0`: a point) that leaves through the cut end of the metal at
/// `end`, which is insulated in the grid.
pub(in crate::verify) fn through_cut_end(c: f64, end: f64, radius: f64) -> f64 {
    let n = 200;
    (0..n)
        .map(|i| {
            let d = end - 2.0 * c * (f64::from(i) + 0.5) / f64::from(n);
            0.5 * (1.0 - d / d.hypot(radius)) / f64::from(n)
        })
        .sum()
}

/// A needle in one tissue, all its metal at given potentials.
pub(in crate::verify) fn fitted(sizing: &Sizing) -> Result<Model, String> {
    Model::new(
        cube(HALF),
        &[needle(10e-3)],
        sizing,
        &[tissue(SIGMA, 0.5, 3.7e6, 0.0)],
        &|_| 0,
    )
}

pub(super) fn point_source(report: &mut Report) {
    const SOURCE: &str = "point source in an infinite conductor, R = 1/(4πσa)";
    const CLAIM: &str = "round electrode of radius 0.454 mm: resistance in Ω from the computed current";
    let solved = fitted(&Sizing::default()).and_then(|m| Ok((m.potential(&point)?, m)));
    let ((u, state), model) = match solved {
        Ok(s) => s,
        Err(e) => return report.failed(CLAIM, e, SOURCE),
    };
    let shells = &model.grid.shells[0];
    let a = shells.radius[0];
    let inside = 1.0 - through_cut_end(0.0, shells.end(), a);
    let exact = 1.0 / (4.0 * PI * SIGMA * a);
    let cells = model.grid.cells();
    report.within(
        format!("{CLAIM}; {cells} cells"),
        exact * inside / state.current,
        exact,
        0.002 * exact,
        SOURCE,
    );
    // The octree's cells grow to a quarter of the distance from the tip, which sets the error far away.
    for (least, most, part) in [(0.6e-3, 5e-3, 0.01), (5e-3, 28e-3, 0.02)] {
        let points: Vec<Vec3> = [0.6e-3, 0.8e-3, 1e-3, 2e-3, 4e-3, 8e-3, 16e-3, 28e-3f64]
            .iter()
            .filter(|r| (least..=most).contains(*r))
            .flat_map(|&r| [0.0f64, 0.7, 1.3].map(|polar| Vec3::new(r * polar.sin(), 0.0, -r * polar.cos())))
            .collect();
        let exact: Vec<f64> = points.iter().map(point).collect();
        let (value, reference, i) = worst(&model.at(&u, &points), &exact);
        report.within(
            format!(
                "round electrode: potential in V at 1 A, worst of {} points {} to {} mm from the source: at {:.1} mm",
                points.len(),
                1e3 * least,
                1e3 * most,
                1e3 * points[i].norm()
            ),
            value,
            reference,
            part * reference,
            SOURCE,
        );
    }
}

pub(super) fn line_source(report: &mut Report) {
    const SOURCE: &str = "prolate spheroid in an infinite conductor, R = ln((a+c)/(a-c))/(8πσc)";
    const CLAIM: &str =
        "spheroid electrode with half axes 5.45 and 3 mm: resistance in Ω, mean potential over computed current";
    let c = 4.55e-3;
    let solved = fitted(&Sizing::default()).and_then(|m| Ok((m.potential(&|p| line(p, c))?, m)));
    let ((u, state), model) = match solved {
        Ok(s) => s,
        Err(e) => return report.failed(CLAIM, e, SOURCE),
    };
    let b = 3e-3f64;
    let a = b.hypot(c);
    let exact = ((a + c) / (a - c)).ln() / (8.0 * PI * SIGMA * c);
    // The tip's side of the spheroid and its waist; the shaft passes through the other end.
    let points: Vec<Vec3> = (0..12)
        .flat_map(|i| {
            let polar = PI * (1.0 - 0.7 * f64::from(i) / 11.0);
            (0..4).map(move |k| {
                let angle = 0.3 + 0.5 * PI * f64::from(k);
                Vec3::new(
                    b * polar.sin() * angle.cos(),
                    b * polar.sin() * angle.sin(),
                    c + a * polar.cos(),
                )
            })
        })
        .collect();
    let values = model.at(&u, &points);
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let shells = &model.grid.shells[0];
    let inside = 1.0 - through_cut_end(c, shells.end(), shells.radius[0]);
    report.within(
        format!("{CLAIM}; {} cells", model.grid.cells()),
        mean * inside / state.current,
        exact,
        0.005 * exact,
        SOURCE,
    );
    let (value, reference, _) = worst(&values, &vec![exact; values.len()]);
    report.within(
        "spheroid electrode: potential in V at 1 A, worst of 48 points on the spheroid, which is an equipotential",
        value,
        reference,
        0.005 * reference,
        SOURCE,
    );
}

/// Conductivities of the two sides of a border, S/m.
const SIDES: [f64; 2] = [0.5, 0.025];
const IMAGES: &str = "method of images for a plane between two conductors, 20:1";

/// Potential at one ampere from a point at `from` (on the side where `normal · p < offset`) beside the plane `normal · p = offset`.
fn images(p: &Vec3, from: &Vec3, normal: &Vec3, offset: f64) -> f64 {
    let [own, other] = SIDES;
    let direct = 1.0 / (p - from).norm();
    if p.dot(normal) < offset {
        let image = from + normal * (2.0 * (offset - from.dot(normal)));
        (direct + (own - other) / (own + other) / (p - image).norm()) / (4.0 * PI * own)
    } else {
        2.0 / (own + other) * direct / (4.0 * PI)
    }
}

pub(super) fn layers_in_octree(report: &mut Report) {
    let tilted = Vec3::new(0.36, 0.48, 0.8);
    for (name, normal, offset, tolerance) in [
        ("plane along cell faces", Vec3::z(), 0.0, 0.0005),
        ("plane through cells", Vec3::z(), 0.3e-3, 0.002),
        ("oblique plane", tilted, 0.3e-3, 0.003),
    ] {
        let claim = format!(
            "border 20:1, {name}, cells of 1 mm: root mean square error of the potential over that of the potential"
        );
        // The source lies outside the cube, whose whole surface has exact data.
        let from = normal * -24e-3;
        let exact = |p: &Vec3| images(p, &from, &normal, offset);
        let at = |p: &Vec3| u8::from(p.dot(&normal) >= offset);
        let tissues = SIDES.map(|s| tissue(s, 0.5, 3.7e6, 0.0));
        let model = Model::new(cube(12e-3), &[], &octree(1e-3, 0.0), &tissues, &at);
        match model.and_then(|m| Ok((m.potential(&exact)?, m))) {
            Ok(((u, _), m)) => report.within(claim, m.l2(&u, &exact), 0.0, tolerance, IMAGES),
            Err(e) => report.failed(claim, e, IMAGES),
        }
    }
}

pub(super) fn layers_at_needle(report: &mut Report) {
    layers_beside(report, false);
}

/// The farthest single cell: of those that a border cuts the part at their point.
pub(super) fn cut_cells_at_needle(report: &mut Report) {
    layers_beside(report, true);
}

fn layers_beside(report: &mut Report, single_cells: bool) {
    for (name, normal, offset) in [
        (
            "border 20:1 beside the needle, 2.15 mm from its axis",
            Vec3::x(),
            2.15e-3,
        ),
        (
            "oblique border 20:1 ahead of the needle, 2.15 mm from its centre",
            Vec3::new(0.6, 0.0, -0.8),
            2.15e-3,
        ),
    ] {
        let claim = format!("{name}: current in A from the point source of 1 A in its rounded end");
        let exact = |p: &Vec3| images(p, &Vec3::zeros(), &normal, offset);
        let at = |p: &Vec3| u8::from(p.dot(&normal) >= offset);
        let tissues = SIDES.map(|s| tissue(s, 0.5, 3.7e6, 0.0));
        let model = Model::new(cube(HALF), &[needle(10e-3)], &Sizing::default(), &tissues, &at);
        let ((u, state), model) = match model.and_then(|m| Ok((m.potential(&exact)?, m))) {
            Ok(s) => s,
            Err(e) => {
                report.failed(claim, e, IMAGES);
                continue;
            }
        };
        let near: Vec<usize> = (0..model.grid.tissue_cells)
            .filter(|&i| model.grid.center[i].norm() < 15e-3)
            .collect();
        let values: Vec<f64> = near.iter().map(|&i| u[i]).collect();
        let references: Vec<f64> = near.iter().map(|&i| exact(&model.grid.center[i])).collect();
        if single_cells {
            let (value, reference, i) = farthest(&values, &references);
            let electrode = exact(&(normal * -model.grid.shells[0].radius[0]));
            let relative = worst(&values, &references);
            report.within(
                format!(
                    "{name}: potential in V at 1 A, farthest of all cells within 15 mm, in 2 % of that of the electrode: {:.2} mm from \
                     the border (largest part of the local value: {:.1} %)",
                    1e3 * (model.grid.center[near[i]].dot(&normal) - offset),
                    1e2 * (relative.0 / relative.1 - 1.0).abs()
                ),
                value,
                reference,
                0.02 * electrode,
                IMAGES,
            );
            continue;
        }
        report.within(claim, state.current, 1.0, 0.015, IMAGES);
        let (mut square, mut size) = (0.0, 0.0);
        for ((v, r), &i) in values.iter().zip(&references).zip(&near) {
            square += model.grid.volume[i] * (v - r).powi(2);
            size += model.grid.volume[i] * r * r;
        }
        report.within(
            format!(
                "{name}: relative root mean square error of the potential within 15 mm, {} cells",
                near.len()
            ),
            (square / size).sqrt(),
            0.0,
            0.02,
            IMAGES,
        );
    }
}
