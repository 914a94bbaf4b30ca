//! Bioheat with closed forms, on octrees without a needle.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::heat::History;

use super::{
    super::Report,
    setting::{Model, farthest, tissue, worst},
};

const K: f64 = 0.5;
const HEAT_CAPACITY: f64 = 3.7e6;
/// Radius of the heated ball, m.
const BALL: f64 = 4e-3;

/// Heat into each cell, W, from `density` W/m³ in the ball: by the part of the cell inside, scaled to the ball's exact volume.
fn ball_source(model: &Model, density: f64) -> Vec<f64> {
    let n = 8;
    let mut part: Vec<f64> = (0..model.grid.cells())
        .map(|i| {
            let inside = model.grid.sub_points(i as u32, n).filter(|p| p.norm() < BALL);
            model.grid.volume[i] * inside.count() as f64
        })
        .collect();
    let scale = density * 4.0 / 3.0 * PI * BALL.powi(3) / part.iter().sum::<f64>();
    for v in &mut part {
        *v *= scale;
    }
    part
}

/// Points at radii in mm, each in three directions.
fn points_at(radii_mm: &[f64]) -> Vec<Vec3> {
    let directions = [
        Vec3::x(),
        Vec3::new(0.6, 0.0, 0.8),
        Vec3::new(1.0, 1.0, 1.0).normalize(),
    ];
    radii_mm
        .iter()
        .flat_map(|&r| directions.map(|d| d * (1e-3 * r)))
        .collect()
}

pub(super) fn perfused_ball(report: &mut Report) {
    const SOURCE: &str = "Pennes' equation, uniform source in a ball in infinite perfused tissue, closed form";
    const CLAIM: &str = "ball of 4 mm heated in perfused tissue: steady temperature rise in K";
    // Diffusion length of 3 mm and 10 K were the ball infinite.
    let lambda = 3e-3;
    let w = K / (lambda * lambda);
    let q = 10.0 * w;
    let exact = |p: &Vec3| {
        let (r, big) = (p.norm() / lambda, BALL / lambda);
        let over = |r: f64| if r < 1e-9 { 1.0 } else { r.sinh() / r };
        if r < big {
            q / w * (1.0 - (1.0 + big) * (-big).exp() * over(r))
        } else {
            q / w * (big * big.cosh() - big.sinh()) * (-r).exp() / r
        }
    };
    let solved = Model::cube(10e-3, 0.4e-3, 0.0, tissue(0.4, K, HEAT_CAPACITY, w)).and_then(|m| {
        let source = ball_source(&m, q);
        Ok((m.steady(&source, &exact)?, m))
    });
    let (x, model) = match solved {
        Ok(s) => s,
        Err(e) => return report.failed(CLAIM, e, SOURCE),
    };
    let cells = model.grid.cells();
    let radii = [0.0, 2.0, 3.5, 4.0, 5.0, 7.0, 9.0];
    for r in radii {
        let near = model.nearest(&points_at(&[r]));
        let references: Vec<f64> = near.iter().map(|&i| exact(&model.grid.center[i])).collect();
        let values: Vec<f64> = near.iter().map(|&i| x[i]).collect();
        let (value, reference, _) = worst(&values, &references);
        report.within(
            format!("{CLAIM}, worst of the 3 cells nearest to {r} mm from the centre; {cells} cells of 0.4 mm"),
            value,
            reference,
            0.005 * reference,
            SOURCE,
        );
    }
    let points = points_at(&radii);
    let references: Vec<f64> = points.iter().map(&exact).collect();
    let (value, reference, i) = worst(&model.at(&x, &points), &references);
    report.within(
        format!(
            "{CLAIM} read between the cells' points (a smooth fit, at a jump of the second derivative), worst of {}: {} mm",
            points.len(),
            radii[i / 3]
        ),
        value,
        reference,
        0.015 * reference,
        SOURCE,
    );
}

/// Times that start with steps of `first` and double every fourth step up to `longest`, and meet every stop.
fn times(first: f64, longest: f64, stops: &[f64]) -> Vec<Vec<f64>> {
    let (mut t, mut dt, mut count) = (0.0, first, 0);
    stops
        .iter()
        .map(|&stop| {
            let mut out = Vec::new();
            while t < stop - 1e-9 {
                let left = stop - t;
                t = if left <= dt * 1.001 {
                    stop
                } else if left < 2.0 * dt {
                    t + 0.5 * left
                } else {
                    t + dt
                };
                out.push(t);
                count += 1;
                if count % 4 == 0 {
                    dt = (2.0 * dt).min(longest);
                }
            }
            out
        })
        .collect()
}

pub(super) fn cooling_cube(report: &mut Report) {
    const SOURCE: &str = "Carslaw and Jaeger 1959, product of sine series";
    const CLAIM: &str = "cube of 16 mm cooled at its surface: part of the initial temperature rise left";
    let half = 8e-3;
    let alpha = K / HEAT_CAPACITY;
    let slab = |x: f64, t: f64| -> f64 {
        (0..60)
            .map(|n| {
                let m = f64::from(2 * n + 1) * PI / 2.0;
                let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
                2.0 * sign / m * (m * x / half).cos() * (-m * m * alpha * t / (half * half)).exp()
            })
            .sum()
    };
    let exact = |p: &Vec3, t: f64| slab(p.x, t) * slab(p.y, t) * slab(p.z, t);
    let stops = [20.0, 50.0, 100.0, 200.0];
    let model = match Model::cube(half, 0.5e-3, 0.0, tissue(0.4, K, HEAT_CAPACITY, 0.0)) {
        Ok(m) => m,
        Err(e) => return report.failed(CLAIM, e, SOURCE),
    };
    let zero = vec![0.0; model.grid.cells()];
    let mut history = History::new(0.0, vec![1.0; model.grid.cells()]);
    let points = [
        Vec3::zeros(),
        Vec3::new(4e-3, 0.0, 0.0),
        Vec3::new(4e-3, 4e-3, 4e-3),
        Vec3::new(1e-3, -6e-3, 3e-3),
    ];
    for (t, steps) in stops.iter().zip(times(0.02, 2.0, &stops)) {
        if report.stopped() {
            return;
        }
        if let Err(e) = model.march(&mut history, &steps, &|_| zero.clone()) {
            return report.failed(CLAIM, e, SOURCE);
        }
        let references: Vec<f64> = points.iter().map(|p| exact(p, *t)).collect();
        let (value, reference, _) = worst(&model.at(&history.newest().1, &points), &references);
        report.within(
            format!(
                "{CLAIM} after {t} s, worst of {} points; {} cells",
                points.len(),
                model.grid.cells()
            ),
            value,
            reference,
            0.005 * reference,
            SOURCE,
        );
    }
}

/// The error function; its series has positive terms only.
pub(in crate::verify) fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum) = (x, x);
    for n in 1..200 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

/// Rise at `r` of a ball heated since time 0 at `density / ρc` K/s in an infinite body.
fn heated_ball(r: f64, t: f64, rate: f64, alpha: f64) -> f64 {
    // What is left at r after s of a ball of unit temperature; integrated over s = t x², which smooths the start.
    let left = |s: f64| {
        let d = (4.0 * alpha * s).sqrt();
        if r < 1e-9 {
            let z = BALL / d;
            return erf(z) - 2.0 / PI.sqrt() * z * (-z * z).exp();
        }
        let (near, far) = ((BALL - r) / d, (BALL + r) / d);
        0.5 * (erf(near) + erf(far)) - d / (2.0 * PI.sqrt() * r) * ((-near * near).exp() - (-far * far).exp())
    };
    let n = 4000;
    (0..n)
        .map(|i| {
            let x = (f64::from(i) + 0.5) / f64::from(n);
            2.0 * x / f64::from(n) * left(t * x * x)
        })
        .sum::<f64>()
        * rate
        * t
}

pub(super) fn ball_switched_on(report: &mut Report) {
    const SOURCE: &str = "Carslaw and Jaeger 1959, uniform source in a ball switched on, integral of error functions";
    const CLAIM: &str = "ball of 4 mm heated at 1 K/s: temperature rise in K";
    let alpha = K / HEAT_CAPACITY;
    let model = match Model::cube(10e-3, 0.25e-3, 0.045, tissue(0.4, K, HEAT_CAPACITY, 0.0)) {
        Ok(m) => m,
        Err(e) => return report.failed(CLAIM, e, SOURCE),
    };
    let source = ball_source(&model, HEAT_CAPACITY);
    let mut history = History::new(0.0, vec![0.0; model.grid.cells()]);
    let stops = [5.0, 15.0];
    let radii = [0.0, 2.0, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0];
    let near = model.nearest(&points_at(&radii));
    for (t, steps) in stops.iter().zip(times(0.05, 0.5, &stops)) {
        if report.stopped() {
            return;
        }
        if let Err(e) = model.march(&mut history, &steps, &|_| source.clone()) {
            return report.failed(CLAIM, e, SOURCE);
        }
        let references: Vec<f64> = near
            .iter()
            .map(|&i| heated_ball(model.grid.center[i].norm(), *t, 1.0, alpha))
            .collect();
        let values: Vec<f64> = near.iter().map(|&i| history.newest().1[i]).collect();
        let (value, reference, i) = farthest(&values, &references);
        report.within(
            format!(
                "{CLAIM} after {t} s within 0.5 % of that at the centre, worst of {} cells: {} mm from the centre; {} cells",
                near.len(),
                radii[i / 3],
                model.grid.cells()
            ),
            value,
            reference,
            0.005 * references[0],
            SOURCE,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_function_values() {
        for (x, v) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_8),
            (2.0, 0.995_322_265_0),
            (-1.0, -0.842_700_792_9),
        ] {
            assert!((erf(x) - v).abs() < 1e-9, "{x}");
        }
    }
}
