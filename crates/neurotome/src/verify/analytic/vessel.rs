//! Tissue beside a moving fluid: steady conduction to a wall with a film, closed forms.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::tissue::{Fluid, TissueProperties};

use super::{
    super::Report,
    setting::{Model, cube, octree, tissue},
};

const K: f64 = 0.49;
const FLUID_C: f64 = 37.0;
/// Half side of the cube, m.
const HALF: f64 = 6e-3;

fn tissues(heat_transfer: f64) -> [TissueProperties; 2] {
    let solid = tissue(0.4, K, 3.7e6, 0.0);
    let fluid = TissueProperties {
        fluid: Some(Fluid {
            temperature_c: FLUID_C,
            heat_transfer_w_per_m2_k: heat_transfer,
        }),
        ..solid
    };
    [solid, fluid]
}

/// What the fluid takes, W: the part that came through the wall, without what its own outer faces bring.
fn taken(model: &Model, x: &[f64]) -> f64 {
    model
        .medium
        .pinned
        .iter()
        .map(|p| p.conductance * (x[p.cell as usize] - p.temperature_c))
        .sum()
}

/// Solves, and claims the heat taken and the temperature of the tissue at the wall, read from the cells beside it with the closed
/// form's own slope. A wall that cuts cells stands at their faces, up to half a cell off: that much of the slope is allowed.
fn claim(
    report: &mut Report,
    name: &str,
    heat_transfer: f64,
    h: f64,
    depth: &(dyn Fn(&Vec3) -> f64 + Sync),
    exact: &dyn Fn(f64) -> f64,
    heat_w: f64,
    source: &str,
    tolerance: f64,
) {
    // In the fluid, where the depth is negative, its own temperature.
    let field = |p: &Vec3| if depth(p) < 0.0 { FLUID_C } else { exact(depth(p)) };
    let at = |p: &Vec3| u8::from(depth(p) < 0.0);
    let solved = Model::new(cube(HALF), &[], &octree(h, 0.0), &tissues(heat_transfer), &at).and_then(|m| {
        let none = vec![0.0; m.grid.cells()];
        Ok((m.steady(&none, &field)?, m))
    });
    let (x, model) = match solved {
        Ok(s) => s,
        Err(e) => return report.failed(name, e, source),
    };
    report.within(
        format!(
            "{name}, h {heat_transfer} W/(m² K): heat taken by the fluid in W; {} cells of {} mm",
            model.grid.cells(),
            1e3 * h
        ),
        taken(&model, &x),
        heat_w,
        tolerance * heat_w,
        source,
    );
    // Mean over the cells nearest to the wall of the temperature less the closed form's, added to the wall's.
    let beside: Vec<usize> = (0..model.grid.tissue_cells)
        .filter(|&i| (0.0..h).contains(&depth(&model.grid.center[i])))
        .collect();
    let off = beside
        .iter()
        .map(|&i| x[i] - exact(depth(&model.grid.center[i])))
        .sum::<f64>()
        / beside.len() as f64;
    let wall = exact(0.0);
    report.within(
        format!(
            "{name}, h {heat_transfer} W/(m² K): temperature of the wall in °C, mean over {} cells",
            beside.len()
        ),
        wall + off,
        wall,
        0.5 * h * (exact(h) - wall) / h,
        source,
    );
}

pub(super) fn slab(report: &mut Report) {
    const SOURCE: &str = "conduction through a slab to a film, q = (T0 - Tf) / (L/k + 1/h)";
    let tilted = Vec3::new(0.36, 0.48, 0.8);
    for (name, normal, offset, tolerance) in [
        // Moving fluid is renewed within a millisecond, not at once.
        ("plane wall along cell faces", Vec3::z(), 0.0, 1e-3),
        // Half a cell off, and the tissue's sides, held at the exact temperature, feed what is missing.
        ("plane wall through cells", Vec3::z(), 0.17e-3, 0.12),
        ("oblique wall", tilted, 0.17e-3, 0.15),
    ] {
        for heat_transfer in [200.0, 2000.0] {
            // 60 °C at a depth of 8 mm.
            let length = 8e-3;
            let q = (60.0 - FLUID_C) / (length / K + 1.0 / heat_transfer);
            let exact = |d: f64| FLUID_C + q / heat_transfer + q * d / K;
            // The wall's area in the cube.
            let n = 800;
            let strip = 2.0 * HALF / f64::from(n);
            let area: f64 = (0..n * n)
                .filter(|k| {
                    let (x, y) = (
                        -HALF + strip * (f64::from(k % n) + 0.5),
                        -HALF + strip * (f64::from(k / n) + 0.5),
                    );
                    ((-offset - normal.x * x - normal.y * y) / normal.z).abs() <= HALF
                })
                .count() as f64
                * strip
                * strip
                / normal.z;
            claim(
                report,
                name,
                heat_transfer,
                0.375e-3,
                &move |p| p.dot(&normal) + offset,
                &exact,
                q * area,
                SOURCE,
                tolerance,
            );
        }
    }
}

pub(super) fn cylinder(report: &mut Report) {
    const SOURCE: &str = "radial conduction to a vessel with a film, Q' = 2πk (T0 - Tf) / (ln(R0/R) + k/(hR))";
    let (radius, far) = (1.5e-3f64, 8e-3f64);
    for (name, axis) in [
        ("vessel of 3 mm along the grid", Vec3::z()),
        ("oblique vessel of 3 mm", Vec3::new(0.36, 0.48, 0.8)),
    ] {
        for (heat_transfer, h) in [(1000.0, 0.375e-3), (5000.0, 0.375e-3)] {
            let per_length = 2.0 * PI * K * (60.0 - FLUID_C) / ((far / radius).ln() + K / (heat_transfer * radius));
            let exact = |d: f64| {
                FLUID_C
                    + per_length / (2.0 * PI * K) * ((d / radius + 1.0).max(1e-3).ln() + K / (heat_transfer * radius))
            };
            let length = 2.0 * HALF / axis.z;
            claim(
                report,
                name,
                heat_transfer,
                h,
                &move |p| (p - axis * p.dot(&axis)).norm() - radius,
                &exact,
                per_length * length,
                SOURCE,
                0.05,
            );
        }
    }
}
