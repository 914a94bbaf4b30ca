//! Heat along a shaft: the mode of a rod in perfused tissue.

use neurotome_base::Vec3;
use neurotome_physics::grid::{Region, Sizing};

use super::setting::{Model, needle, tissue};
use crate::verify::Report;

/// Thermal conductivity of the rod, W/(m K): the steel of [`Model`].
const METAL: f64 = 16.2;
/// So poor a conductor of tissue that the rod carries its heat far.
const TISSUE: f64 = 0.02;
/// Inverse of the distance over which perfusion takes heat away in tissue alone, 1/m.
const KAPPA: f64 = 1000.0;
const RADIUS: f64 = 0.454e-3;
const SOURCE: &str = "rod in perfused tissue: T = J0(mr) exp(-ms) within, K0(βr) exp(-ms) outside, β² = κ² - m²";

/// Modified Bessel function of the second kind, K_n(x) = ∫ exp(−x cosh t) cosh(nt) dt over t > 0.
fn bessel_k(n: f64, x: f64) -> f64 {
    let step = 1e-3;
    let term = |t: f64| (-x * t.cosh()).exp() * (n * t).cosh();
    step * (0.5 * term(0.0) + (1..12_000).map(|i| term(step * f64::from(i))).sum::<f64>())
}

/// The decay m along the rod, 1/m: heat through the rod's wall equals heat into the tissue.
fn decay() -> f64 {
    let excess = |m: f64| {
        let x = m * RADIUS;
        // J1(x)/J0(x) to the fourth order: x is below 0.1.
        let within = METAL * m * 0.5 * x * (1.0 + x * x / 8.0);
        let beta = (KAPPA * KAPPA - m * m).sqrt();
        within - TISSUE * beta * bessel_k(1.0, beta * RADIUS) / bessel_k(0.0, beta * RADIUS)
    };
    let (mut low, mut high) = (1.0, 0.9 * KAPPA);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if excess(middle) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

pub(super) fn rod(report: &mut Report) {
    let exact = decay();
    // Cells along the shaft as near the tip, and as far from it, where they are twice as long: (m h)²/24 is 0.3 % and 1.2 %.
    for (cells, shaft_fine, tolerance) in [("2.5 mm", 60e-3, 0.005), ("5 mm", 0.0, 0.02)] {
        let name = format!("decay along a shaft in 1/m, cells of {cells}");
        match computed(shaft_fine) {
            Ok(m) => report.within(name, m, exact, tolerance * exact, SOURCE),
            Err(e) => report.failed(name, e, SOURCE),
        }
    }
}

/// The decay between two places along the shaft, far from both of its ends, when its tip is heated.
fn computed(shaft_fine: f64) -> Result<f64, String> {
    let sizing = Sizing {
        shaft: 80e-3,
        shaft_fine,
        ..Sizing::default()
    };
    let region = Region::Box {
        center: Vec3::z() * 40e-3,
        half: Vec3::new(30e-3, 30e-3, 70e-3),
    };
    let perfused = tissue(1.0, TISSUE, 4e6, TISSUE * KAPPA * KAPPA);
    let model = Model::new(region, &[needle(5e-3)], &sizing, &[perfused], &|_| 0)?;
    let shells = &model.grid.shells[0];
    let mut heat = vec![0.0; model.grid.cells()];
    heat[shells.metal(0, shells.cap()) as usize] = 1.0;
    let x = model.steady(&heat, &|_| 0.0)?;
    let at = |along: f64| {
        let t = shells.meridian_at(along);
        (shells.along_center(t), x[shells.metal(0, t) as usize])
    };
    let ((s1, t1), (s2, t2)) = (at(15e-3), at(45e-3));
    Ok((t1 / t2).ln() / (s2 - s1))
}
