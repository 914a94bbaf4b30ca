//! Diffusion and uptake.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::transport::{BoxGrid, Mixing, Solute};

use super::super::Report;
use crate::verify::analytic::erf;

const MM: f64 = 1e-3;
const D: f64 = 4e-10;
const POROSITY: f64 = 0.25;

/// A cube of tissue with a start, after a time; the drug and its grid.
fn diffused(
    h_mm: f64,
    half_mm: f64,
    time_s: f64,
    uptake: f64,
    start: &dyn Fn(&Vec3) -> f64,
) -> Result<(BoxGrid, Solute), String> {
    let grid = BoxGrid::around(Vec3::zeros(), half_mm * MM, h_mm * MM).map_err(|e| e.to_string())?;
    let n = grid.cells();
    let mut drug = Solute::new(vec![POROSITY * grid.cell_m3(); n]);
    for cell in 0..n {
        drug.amount[cell] = start(&grid.center_m(cell)) * drug.capacity_m3[cell];
    }
    drug.injected = drug.total();
    let mixing = Mixing::new(&grid, &vec![POROSITY * D; n], vec![uptake; n], &drug, &[]);
    drug.mix(&mixing, time_s);
    Ok((grid, drug))
}

/// A ball of one concentration spreads.
pub fn ball(report: &mut Report) {
    let source = "Crank, The Mathematics of Diffusion: extended source limited to a sphere";
    let claim =
        "a ball of 4 mm that diffuses for 30 min, cells of 0.4 mm: largest error of concentration over the start's";
    let (radius, time) = (4.0 * MM, 1800.0);
    // Cells that the ball cuts hold their part.
    let start = |p: &Vec3| {
        let sub = |k: usize| ((k as f64 + 0.5) / 4.0 - 0.5) * 0.4 * MM;
        let inside = (0..64)
            .filter(|n| (p + Vec3::new(sub(n % 4), sub(n / 4 % 4), sub(n / 16))).norm() < radius)
            .count();
        inside as f64 / 64.0
    };
    let (grid, drug) = match diffused(0.4, 9.2, time, 0.0, &start) {
        Ok(found) => found,
        Err(e) => return report.failed(claim, e, source),
    };
    let root = 2.0 * (D * time).sqrt();
    let exact = |r: f64| {
        let (a, b) = ((radius - r) / root, (radius + r) / root);
        0.5 * (erf(a) + erf(b)) - root / (2.0 * r * PI.sqrt()) * ((-a * a).exp() - (-b * b).exp())
    };
    let worst = (0..grid.cells())
        .map(|c| (grid.center_m(c).norm(), drug.concentration(c)))
        .filter(|(r, _)| *r > 0.1 * MM && *r < 9.0 * MM)
        .map(|(r, c)| (c - exact(r)).abs())
        .fold(0.0, f64::max);
    report.at_most(claim, worst, 0.015, source);
    report.within(
        "the same: amount after over before",
        drug.total() / drug.injected,
        1.0,
        1e-13,
        "conservation of mass",
    );
}

/// A point spreads; the order.
pub fn point(report: &mut Report) {
    let source = "diffusion from a point, (4π D t)^(-3/2) exp(-r²/(4 D t))";
    let claim = "diffusion from a point";
    let (start2, time) = ((1.5 * MM).powi(2), 2000.0);
    let bell = |r2: f64, w2: f64| (-r2 / (2.0 * w2)).exp() / (2.0 * PI * w2).powf(1.5);
    let error = |h: f64| -> Result<f64, String> {
        let (grid, drug) = diffused(h, 11.0, time, 0.0, &|p| bell(p.norm_squared(), start2))?;
        let (mut error, mut size) = (0.0, 0.0);
        for cell in 0..grid.cells() {
            let exact = bell(grid.center_m(cell).norm_squared(), start2 + 2.0 * D * time);
            error += (drug.concentration(cell) - exact).powi(2);
            size += exact * exact;
        }
        Ok((error / size).sqrt())
    };
    match (error(1.0), error(0.5)) {
        (Ok(coarse), Ok(fine)) => {
            report.at_most(
                format!("{claim}, cells of 0.5 mm: relative root mean square error"),
                fine,
                6e-3,
                source,
            );
            report.at_least(format!("{claim}: order"), (coarse / fine).log2(), 1.9, source);
        }
        (Err(e), _) | (_, Err(e)) => report.failed(claim, e, source),
    }
}

/// Uptake by blood.
pub fn uptake(report: &mut Report) {
    let source = "exp(-λ t)";
    let claim = "uptake at 1e-3/s for 20 min: what is left over the start";
    match diffused(1.0, 3.0, 1200.0, 1e-3, &|_| 1.0) {
        Ok((_, drug)) => {
            report.within(claim, drug.total() / drug.injected, (-1.2f64).exp(), 1e-12, source);
            report.within(
                "the same: left and absorbed over the start",
                (drug.total() + drug.absorbed) / drug.injected,
                1.0,
                1e-13,
                "conservation of mass",
            );
        }
        Err(e) => report.failed(claim, e, source),
    }
}

/// Two tissues that hold different amounts come to one concentration in their pores.
pub fn two_tissues(report: &mut Report) {
    let source = "equilibrium: one concentration in the pores of both";
    let claim = "drug between tissues that hold 0.75 and 2.25 of a volume, at rest: concentration in the second over that in the first";
    let grid = match BoxGrid::new([6, 3, 3], Vec3::zeros(), MM) {
        Ok(grid) => grid,
        Err(e) => return report.failed(claim, e, source),
    };
    let first = |c: usize| grid.place(c)[0] < 3;
    let capacity = (0..grid.cells()).map(|c| if first(c) { 0.75 } else { 2.25 } * grid.cell_m3());
    let mut drug = Solute::new(capacity.collect());
    for c in (0..grid.cells()).filter(|c| first(*c)) {
        drug.amount[c] = drug.capacity_m3[c];
    }
    drug.injected = drug.total();
    let mixing = Mixing::new(
        &grid,
        &vec![POROSITY * D; grid.cells()],
        vec![0.0; grid.cells()],
        &drug,
        &[],
    );
    drug.mix(&mixing, 4e6);
    let at = |i: usize| drug.concentration(i);
    report.within(claim, at(5) / at(0), 1.0, 1e-6, source);
    report.within(
        "the same: concentration",
        at(0),
        0.25,
        1e-6,
        "all of the drug over both capacities",
    );
}
