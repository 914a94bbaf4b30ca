//! Flow from a point, beside a wall, and the front of what is injected.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::transport::{BoxGrid, Carrier, Flow, FlowProblem, FlowSource, Sheet, Solute};

use super::super::Report;

const MM: f64 = 1e-3;
const K: f64 = 1.1e-13;
const MU: f64 = 7e-4;
/// 1 ml/min.
const RATE: f64 = 1e-6 / 60.0;
const POROSITY: f64 = 0.25;
const POINT: &str = "Darcy's law round a point: p = Q µ / (4π k r)";
const IMAGE: &str = "Darcy's law beside an impermeable plane: the source and its mirror image";

fn point_pressure(r: f64) -> f64 {
    RATE * MU / (4.0 * PI * K * r)
}

struct Solved {
    grid: BoxGrid,
    flow: Flow,
    source: FlowSource,
}

/// Flow from the middle of a cube of 2n + 1 cells a side; the exact pressure holds on the boundary.
fn solve(n: usize, half_m: f64, sheets: &[Sheet], exact: &(dyn Fn(&Vec3) -> f64 + Sync)) -> Result<Solved, String> {
    let h = half_m / n as f64;
    let grid = BoxGrid::new([2 * n + 1; 3], Vec3::repeat(-half_m), h).map_err(|e| e.to_string())?;
    let source = FlowSource {
        cell: grid.cell_at(&Vec3::zeros()).ok_or("no cell in the middle")?,
        rate_m3_per_s: RATE,
    };
    let flow = Flow::new(&FlowProblem {
        grid: &grid,
        permeability_m2: &vec![K; grid.cells()],
        sheets,
        viscosity_pa_s: MU,
        sources: &[source],
        outer_pressure_pa: exact,
    })
    .map_err(|e| e.to_string())?;
    Ok(Solved { grid, flow, source })
}

/// Root mean square of the error over that of the exact pressure where `wanted`.
fn error(s: &Solved, exact: &dyn Fn(&Vec3) -> f64, wanted: &dyn Fn(&Vec3) -> bool) -> f64 {
    let (mut error, mut size) = (0.0, 0.0);
    for cell in 0..s.grid.cells() {
        let p = s.grid.center_m(cell);
        if wanted(&p) {
            error += (s.flow.pressure_pa[cell] - exact(&p)).powi(2);
            size += exact(&p).powi(2);
        }
    }
    (error / size).sqrt()
}

/// The pressure round a point, on cells of 0.5 and 0.25 mm.
pub fn point_source(report: &mut Report) {
    let claim = "pressure round the tip beyond 2 mm";
    let exact = |p: &Vec3| point_pressure(p.norm());
    let outside = |p: &Vec3| p.norm() > 2.0 * MM;
    let of = |n| solve(n, 8.0 * MM, &[], &exact).map(|s| (error(&s, &exact, &outside), s));
    match (of(16), of(32)) {
        (Ok((coarse, _)), Ok((fine, s))) => {
            report.at_most(
                format!("{claim}, cells of 0.25 mm: relative root mean square error"),
                fine,
                1e-3,
                POINT,
            );
            report.at_least(format!("{claim}: order"), (coarse / fine).log2(), 1.9, POINT);
            report.within(
                format!("{claim}: outflow over what is injected"),
                s.flow.outflow_m3_per_s() / RATE,
                1.0,
                1e-8,
                "conservation of volume",
            );
        }
        (Err(e), _) | (_, Err(e)) => report.failed(claim, e, POINT),
    }
}

/// The pressure before a wall.
pub fn wall(report: &mut Report) {
    let claim = "pressure before an impermeable plane 3.5 mm from the tip";
    let sheet = [Sheet {
        point_m: Vec3::new(3.5 * MM, 0.0, 0.0),
        normal: Vec3::x(),
        radius_m: f64::INFINITY,
    }];
    let exact = |p: &Vec3| {
        if p.x > 3.5 * MM {
            return 0.0;
        }
        point_pressure(p.norm()) + point_pressure((p - Vec3::new(7.0 * MM, 0.0, 0.0)).norm())
    };
    let before = |p: &Vec3| p.norm() > 2.0 * MM && p.x < 3.5 * MM;
    match solve(24, 8.0 * MM, &sheet, &exact) {
        Ok(s) => report.at_most(
            format!("{claim}, cells of 0.33 mm: relative root mean square error"),
            error(&s, &exact, &before),
            2e-3,
            IMAGE,
        ),
        Err(e) => report.failed(claim, e, IMAGE),
    }
}

/// The front of half a millilitre.
pub fn front(report: &mut Report) {
    let claim = "0.5 ml at 1 ml/min, porosity 0.25, cells of 0.5 mm: radius of the front in mm";
    let source = "the ball of the volume: r = (3 V / (4π φ))^(1/3)";
    let exact = |p: &Vec3| point_pressure(p.norm());
    let s = match solve(22, 11.0 * MM, &[], &exact) {
        Ok(s) => s,
        Err(e) => return report.failed(claim, e, source),
    };
    let carrier = Carrier::new(&s.grid, &s.flow, &[s.source]);
    let mut fluid = Solute::new(vec![POROSITY * s.grid.cell_m3(); s.grid.cells()]);
    for _ in 0..60 {
        fluid.carry(&carrier, 1.0, 0.5);
    }
    let radius = (3.0 * 500.0 / (4.0 * PI * POROSITY)).cbrt();
    let mut worst = (0.0f64, 0.0);
    for direction in [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.3, -0.9, 0.4]] {
        let d = Vec3::from(direction).normalize();
        let at = |r: f64| {
            let mut c = 0.0;
            s.grid
                .between(&(d * (r * MM)), |cell, w| c += w * fluid.concentration(cell));
            c
        };
        let (mut low, mut high) = (0.0, 10.5);
        while high - low > 1e-4 {
            let middle = 0.5 * (low + high);
            if at(middle) > 0.5 { low = middle } else { high = middle }
        }
        if report.all() {
            report.within(format!("{claim}, along {direction:?}"), low, radius, 0.3, source);
        }
        if (low - radius).abs() > worst.0 {
            worst = ((low - radius).abs(), low);
        }
    }
    report.within(
        format!("{claim}, the worst of four directions"),
        worst.1,
        radius,
        0.3,
        source,
    );
    report.within(
        "fluid in the tissue and over the boundary over what was injected",
        (fluid.total() + fluid.left) / fluid.injected,
        1.0,
        1e-12,
        "conservation of volume",
    );
    let highest = (0..s.grid.cells()).map(|c| fluid.concentration(c)).fold(0.0, f64::max);
    report.at_most(
        "largest part of the pores that the fluid takes",
        highest,
        1.0 + 1e-7,
        "maximum principle",
    );
}
