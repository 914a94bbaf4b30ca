//! Order in time step of the backward differences, with space out of the comparison.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::heat::History;

use super::super::{
    Report,
    analytic::setting::{Model, Series, tissue},
};

const K: f64 = 0.5;
const HEAT_CAPACITY: f64 = 3.7e6;
const HALF: f64 = 8e-3;
const H: f64 = 2e-3;

/// Times from `−dt` (known) over 0 (known) to `end`: equal steps, or steps in the ratio 1.5 : 1 by turns.
fn times(steps: usize, end: f64, alternating: bool) -> Vec<f64> {
    let dt = end / steps as f64;
    (1..=steps)
        .map(|i| {
            let late = if alternating && i % 2 == 1 { 0.2 * dt } else { 0.0 };
            dt * i as f64 + late
        })
        .collect()
}

/// Marches with ever smaller steps from exact values and claims the order and the last error, relative to the exact field.
fn claim(
    report: &mut Report,
    what: &str,
    source_text: &str,
    perfusion: f64,
    end: f64,
    bound: f64,
    exact: &dyn Fn(&Model, &Vec3, f64) -> f64,
    heat: &dyn Fn(&Model, f64) -> Vec<f64>,
) {
    let model = match Model::cube(HALF, H, 0.0, tissue(0.4, K, HEAT_CAPACITY, perfusion)) {
        Ok(m) => m,
        Err(e) => return report.failed(what, e, source_text),
    };
    let field = |t: f64| -> Vec<f64> { model.grid.center.iter().map(|p| exact(&model, p, t)).collect() };
    for (kind, alternating, least) in [("equal steps", false, 1.9), ("steps 1.5:1 by turns", true, 1.8)] {
        let mut series = Series::new("s");
        for steps in [10, 20, 40, 80] {
            let times = times(steps, end, alternating);
            let dt = end / steps as f64;
            let before = if alternating { -0.8 * dt } else { -dt };
            let mut history = History::new(before, field(before));
            history.push(0.0, field(0.0));
            if let Err(e) = model.march(&mut history, &times, &|t| heat(&model, t)) {
                return report.failed(what, e, source_text);
            }
            series.push(dt, model.l2(&history.newest().1, &|p| exact(&model, p, end)));
        }
        report.at_least(
            format!("{what}, {kind}: order in time, {}", series.text()),
            series.order(),
            least,
            source_text,
        );
        report.at_most(
            format!("{what}, {kind}: relative error with 80 steps"),
            series.last(),
            bound,
            source_text,
        );
    }
}

pub(super) fn decaying_mode(report: &mut Report) {
    // On equal cubes the mode is an eigenvector of the discrete operator, whose eigenvalue is known.
    let n = 2.0 * HALF / H;
    let eigenvalue = 3.0 * 4.0 / (H * H) * (PI / (2.0 * n)).sin().powi(2);
    let rate = K * eigenvalue / HEAT_CAPACITY;
    let end = 2.0 / rate;
    let mode = |p: &Vec3, t: f64| {
        let q = PI / (2.0 * HALF);
        (q * p.x).cos() * (q * p.y).cos() * (q * p.z).cos() * (-rate * t).exp()
    };
    claim(
        report,
        "cooling cosine of a cube",
        "eigenvector of the discrete conduction, decays with its eigenvalue",
        0.0,
        end,
        1e-3,
        &|_, p, t| mode(p, t),
        &|m, _| vec![0.0; m.grid.cells()],
    );
}

pub(super) fn forced_mode(report: &mut Report) {
    // Linear in space, which the grid holds exactly; driven from the boundary and by a source.
    let w = 2e4;
    let omega = 2.0 * PI / 60.0;
    let shape = |p: &Vec3| 1.0 + 30.0 * p.x - 50.0 * p.y + 20.0 * p.z;
    claim(
        report,
        "perfused tissue driven by a sine",
        "manufactured solution linear in space, a sine in time",
        w,
        40.0,
        2e-3,
        &|_, p, t| shape(p) * (1.5 + (omega * t).sin()),
        &|m, t| {
            let (value, slope) = (1.5 + (omega * t).sin(), omega * (omega * t).cos());
            let mut b = m.from_boundary(&|p| shape(p) * value);
            for (i, b) in b.iter_mut().enumerate() {
                let s = shape(&m.grid.center[i]);
                *b += s * (m.medium.capacity[i] * slope + m.medium.perfusion[i] * value);
            }
            b
        },
    );
}
