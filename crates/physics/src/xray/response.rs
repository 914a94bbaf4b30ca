//! What an energy-integrating detector makes of a polychromatic beam behind several materials.
//!
//! With photons Φ(E), absorbed fraction η(E) and paths t_m through materials of attenuation μ_m(E), the energy taken up per pixel and its
//! variance are (compound Poisson)
//!
//! ```text
//! S = ∫ Φ η E exp(−Σ μ_m t_m) dE,      V = ∫ Φ η E² exp(−Σ μ_m t_m) dE
//! ```
//!
//! Low energies are lost first: −ln S grows less than in proportion to thickness (beam hardening). Two base materials, soft tissue and
//! bone, are tabulated; metals and contrast are summed over the bins of energy where they are.

use super::{Coefficients, Spectrum};

/// Spacing of the table along both base materials, mm, and its length along each.
const STEP_MM: f32 = 5.0;
const SOFT: usize = 161;
const BONE: usize = 81;

/// The response of beam and detector. `M` further materials beside the two base ones.
#[derive(Debug, Clone)]
pub struct Response<const M: usize> {
    /// Share of each bin in the signal with nothing in the beam.
    weight: Vec<f32>,
    energy_kev: Vec<f32>,
    base: [Vec<f32>; 2],
    more: [Vec<f32>; M],
    /// −ln of the transmitted signal, and V/S in keV, by thickness of the base materials.
    table: Vec<[f32; 2]>,
    open_kev_per_mas_mm2: f64,
}

impl<const M: usize> Response<M> {
    /// For a beam, a scintillator of a thickness in mm, and the attenuation of the materials per unit of their path.
    ///
    /// `base` and `more` give for a photon energy in keV the attenuation per unit of the quantity integrated along the ray.
    pub fn new(
        spectrum: &Spectrum,
        scintillator: (&Coefficients, f64),
        base: [&dyn Fn(f64) -> f64; 2],
        more: [&dyn Fn(f64) -> f64; M],
    ) -> Self {
        let taken = |e: f64| 1.0 - (-scintillator.0.per_mm(e) * scintillator.1).exp();
        // Bins that carry nothing after the filters cost time and change nothing.
        let bins: Vec<(f64, f64)> = spectrum
            .energy_kev
            .iter()
            .zip(&spectrum.photons)
            .map(|(e, n)| (*e, n * taken(*e) * e))
            .collect();
        let open: f64 = bins.iter().map(|b| b.1).sum();
        let bins: Vec<(f64, f64)> = bins.into_iter().filter(|b| b.1 > 1e-7 * open).collect();
        let of = |f: &dyn Fn(f64) -> f64| bins.iter().map(|b| f(b.0) as f32).collect::<Vec<f32>>();
        let mut response = Self {
            weight: bins.iter().map(|b| (b.1 / open) as f32).collect(),
            energy_kev: bins.iter().map(|b| b.0 as f32).collect(),
            base: base.map(of),
            more: more.map(of),
            table: Vec::new(),
            // 100 mm² in a cm².
            open_kev_per_mas_mm2: open / 100.0,
        };
        response.table = (0..SOFT * BONE)
            .map(|n| {
                let base = [(n % SOFT) as f32 * STEP_MM, (n / SOFT) as f32 * STEP_MM];
                let (signal, ratio) = response.sum(base, [0.0; M]);
                [-signal.max(f32::MIN_POSITIVE).ln(), ratio]
            })
            .collect();
        response
    }

    /// Energy taken up at 1 m from the source with nothing in the beam, keV per mAs and mm².
    pub fn open_kev_per_mas_mm2(&self) -> f64 {
        self.open_kev_per_mas_mm2
    }

    /// Transmitted share of the signal, and variance over signal in keV, summed over the bins without the table.
    pub fn sum(&self, base: [f32; 2], more: [f32; M]) -> (f32, f32) {
        let (mut signal, mut square) = (0.0, 0.0);
        for (n, w) in self.weight.iter().enumerate() {
            let mut depth = self.base[0][n] * base[0] + self.base[1][n] * base[1];
            for m in 0..M {
                depth += self.more[m][n] * more[m];
            }
            let left = w * (-depth).exp();
            signal += left;
            square += left * self.energy_kev[n];
        }
        let ratio = if signal > 0.0 {
            square / signal
        } else {
            self.energy_kev.last().copied().unwrap_or(0.0)
        };
        (signal, ratio)
    }

    /// −ln of the transmitted share, and variance over signal in keV, from the table.
    #[inline]
    pub fn depth(&self, base: [f32; 2]) -> [f32; 2] {
        let place = |v: f32, count: usize| {
            let at = (v * (1.0 / STEP_MM)).max(0.0);
            let low = (at as usize).min(count - 2);
            (low, at - low as f32)
        };
        let (i, u) = place(base[0], SOFT);
        let (j, w) = place(base[1], BONE);
        let at = i + SOFT * j;
        let (low, high) = (&self.table[at..at + 2], &self.table[at + SOFT..at + SOFT + 2]);
        std::array::from_fn(|k| {
            let a = low[0][k] + u * (low[1][k] - low[0][k]);
            let b = high[0][k] + u * (high[1][k] - high[0][k]);
            a + w * (b - a)
        })
    }

    /// Mean transmitted share behind the base materials and several equally frequent paths through the others: a pixel at the edge of
    /// metal averages what it receives, not the depths.
    pub fn averaged(&self, base: [f32; 2], paths: &[[f32; M]]) -> f32 {
        /// More bins than any spectrum up to 200 kV has.
        const MOST: usize = 128;
        let bins = self.weight.len().min(MOST);
        let mut left = [0.0f32; MOST];
        for n in 0..bins {
            left[n] = self.weight[n] * (-(self.base[0][n] * base[0] + self.base[1][n] * base[1])).exp();
        }
        let open: f32 = left[..bins].iter().sum();
        let mut sum = 0.0;
        for path in paths {
            if path.iter().all(|t| *t == 0.0) {
                sum += open;
                continue;
            }
            for n in 0..bins {
                let depth: f32 = (0..M).map(|m| self.more[m][n] * path[m]).sum();
                sum += left[n] * (-depth).exp();
            }
        }
        sum / paths.len().max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response() -> Response<1> {
        let spectrum = Spectrum {
            kv: 80.0,
            energy_kev: vec![30.0, 50.0, 70.0],
            photons: vec![1e6, 2e6, 1e6],
        };
        let scintillator = Coefficients::new("scintillator", &[10.0, 100.0], &[200.0, 1.0], 4510.0).unwrap();
        let water = |e: f64| 0.005 + 0.4 * e.powi(-1);
        let bone = |e: f64| 0.005 + 60.0 * e.powi(-2);
        let steel = |e: f64| 2e5 * e.powi(-3);
        Response::new(&spectrum, (&scintillator, 0.6), [&water, &bone], [&steel])
    }

    #[test]
    fn the_table_holds_the_sums() {
        let response = response();
        for base in [[0.0, 0.0], [12.3, 4.5], [211.0, 33.0], [399.0, 80.0]] {
            let (signal, ratio) = response.sum(base, [0.0]);
            let [depth, table_ratio] = response.depth(base);
            assert!((depth + signal.ln()).abs() < 1e-3, "{base:?}: {depth} {}", -signal.ln());
            assert!((table_ratio - ratio).abs() < 1e-2 * ratio);
        }
    }

    #[test]
    fn thickness_hardens_the_beam() {
        let response = response();
        let [thin, first] = response.depth([20.0, 0.0]);
        let [thick, last] = response.depth([200.0, 0.0]);
        assert!(thick < 10.0 * thin && last > first);
    }

    #[test]
    fn half_covered_pixels_average_what_they_receive() {
        let response = response();
        let base = [150.0, 20.0];
        let (open, _) = response.sum(base, [0.0]);
        let (behind, _) = response.sum(base, [0.8]);
        let half = response.averaged(base, &[[0.0], [0.8]]);
        assert!((half - 0.5 * (open + behind)).abs() < 1e-6 * open);
        assert!(behind < 0.8 * open);
    }
}
