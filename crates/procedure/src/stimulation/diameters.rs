//! Fibres of some diameters stand for all: whose thresholds are computed, and those of any other between them.

use crate::catalog::FibreClass;

/// Diameters whose thresholds are computed, µm: of the thin set of sizes and of the fitted one.
pub(super) const THIN_UM: [f64; 4] = [1.2, 2.2, 3.6, 5.6];
pub(super) const THICK_UM: [f64; 4] = [5.8, 8.0, 11.0, 15.0];
/// Where the two sets meet, µm.
pub(super) const SETS_MEET_UM: f64 = 5.7;
/// Diameters drawn from each class.
const DRAWN: usize = 100;

/// Thresholds on one line of fibres at the chosen diameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table {
    pub thin: [f64; 4],
    pub thick: [f64; 4],
    /// Amplitudes from which on pulses are too strong for them; infinite where none was found.
    pub thin_blocks: [f64; 4],
    pub thick_blocks: [f64; 4],
}

impl Table {
    /// The threshold at any diameter: straight between the logarithms of the two beside it.
    pub fn threshold(&self, diameter_um: f64) -> f64 {
        let ((below, above), t) = between(diameter_um, &self.thin, &self.thick);
        if below.is_infinite() || above.is_infinite() {
            return f64::INFINITY;
        }
        (below.ln() * (1.0 - t) + above.ln() * t).exp()
    }

    /// The amplitude from which on a pulse is too strong, likewise; beside one without a block that of the nearer.
    pub fn block(&self, diameter_um: f64) -> f64 {
        let ((below, above), t) = between(diameter_um, &self.thin_blocks, &self.thick_blocks);
        if below.is_infinite() || above.is_infinite() {
            return if t < 0.5 { below } else { above };
        }
        (below.ln() * (1.0 - t) + above.ln() * t).exp()
    }
}

/// The values at the two diameters beside one, and how far it lies between them.
fn between(diameter_um: f64, thin: &[f64; 4], thick: &[f64; 4]) -> ((f64, f64), f64) {
    let (at, found) = if diameter_um < SETS_MEET_UM {
        (&THIN_UM, thin)
    } else {
        (&THICK_UM, thick)
    };
    let k = at[1..3].partition_point(|d| *d < diameter_um);
    let t = (diameter_um / at[k]).ln() / (at[k + 1] / at[k]).ln();
    ((found[k], found[k + 1]), t)
}

/// Diameters that stand for a class: equally many fibres each, of a normal distribution cut to what the sizes of fibres allow.
pub(super) fn drawn(class: &FibreClass) -> Vec<f64> {
    (0..DRAWN)
        .map(|k| {
            let p = (k as f64 + 0.5) / DRAWN as f64;
            (class.diameter_um + class.sd_um * normal_quantile(p)).clamp(1.0, 16.0)
        })
        .collect()
}

/// Quantile of the standard normal distribution, to 2e-3 (logistic form of Bowling et al., inverted by Newton steps).
fn normal_quantile(p: f64) -> f64 {
    let logit = (p / (1.0 - p)).ln();
    let mut x = logit / 1.702;
    for _ in 0..8 {
        let f = 0.07056 * x * x * x + 1.5976 * x - logit;
        x -= f / (0.211_68 * x * x + 1.5976);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        for (p, x) in [(0.5, 0.0), (0.841_34, 1.0), (0.977_25, 2.0), (0.022_75, -2.0)] {
            assert!((normal_quantile(p) - x).abs() < 0.02, "{p}: {}", normal_quantile(p));
        }
    }

    #[test]
    fn thresholds_between_diameters_lie_between_theirs() {
        let table = Table {
            thin: [8.0, 4.0, 2.0, 1.0],
            thick: [0.8, 0.4, 0.2, 0.1],
            thin_blocks: [f64::INFINITY, f64::INFINITY, 9.0, 4.0],
            thick_blocks: [8.0, 4.0, 2.0, 1.0],
        };
        assert_eq!(table.block(8.0), 4.0);
        assert_eq!(table.block(2.3), f64::INFINITY);
        assert_eq!(table.block(3.5), 9.0);
        for pair in [(1.2, 8.0), (2.2, 4.0), (3.6, 2.0), (5.8, 0.8), (15.0, 0.1)] {
            assert!((table.threshold(pair.0) - pair.1).abs() < 1e-9, "{pair:?}");
        }
        let between = table.threshold(3.0);
        assert!(between > 2.0 && between < 4.0, "{between}");
    }
}
