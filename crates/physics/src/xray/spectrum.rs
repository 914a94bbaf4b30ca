//! The spectrum that leaves a tube, and its air kerma.

use super::{Coefficients, SpectrumError};

/// Width of a bin of energy, keV.
const BIN_KEV: f64 = 2.0;
/// Joules of a keV, times 1e6 µGy per Gy and 1e3 g per kg.
const UGY_PER_KEV_PER_G: f64 = 1.602_176_634e-16 * 1e9;

/// A tabulated spectrum without filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Tube {
    /// Tube voltage, kV.
    pub kv: f64,
    /// Bremsstrahlung in equal bins of energy from 0 to the voltage: photons at 1 m per mAs, cm² and keV.
    pub bremsstrahlung: Vec<f64>,
    /// Photons at 1 m per mAs and cm² in characteristic lines.
    pub characteristic: Vec<f64>,
}

/// Photons by energy.
#[derive(Debug, Clone, PartialEq)]
pub struct Spectrum {
    /// Tube voltage, kV.
    pub kv: f64,
    /// Middle of each bin, keV, ascending.
    pub energy_kev: Vec<f64>,
    /// Photons at 1 m per mAs and cm², in each bin.
    pub photons: Vec<f64>,
}

impl Spectrum {
    /// The spectrum at a voltage, interpolated between tabulated ones at equal fractions of the voltage, behind filters of a material
    /// and a thickness in mm. `lines_kev` are the energies of the characteristic lines.
    ///
    /// # Errors
    /// [`SpectrumError`].
    pub fn new(
        tubes: &[Tube],
        lines_kev: &[f64],
        kv: f64,
        filters: &[(&Coefficients, f64)],
    ) -> Result<Self, SpectrumError> {
        let table = |found: String| SpectrumError::Table {
            what: "tube spectra".to_owned(),
            found,
        };
        let (Some(first), Some(last)) = (tubes.first(), tubes.last()) else {
            return Err(table("no spectrum".to_owned()));
        };
        if let Some(bad) = tubes.iter().find(|t| {
            t.bremsstrahlung.is_empty()
                || t.bremsstrahlung.len() != first.bremsstrahlung.len()
                || t.characteristic.len() != lines_kev.len()
        }) {
            return Err(table(format!("other lengths at {} kV", bad.kv)));
        }
        if let Some(w) = tubes
            .windows(2)
            .find(|w| w[0].kv.partial_cmp(&w[1].kv) != Some(std::cmp::Ordering::Less))
        {
            return Err(table(format!("{} and {} kV in a row", w[0].kv, w[1].kv)));
        }
        if !(first.kv..=last.kv).contains(&kv) {
            return Err(SpectrumError::Voltage {
                kv,
                low: first.kv,
                high: last.kv,
            });
        }
        if let Some((_, mm)) = filters.iter().find(|(_, mm)| !(*mm >= 0.0 && mm.is_finite())) {
            return Err(SpectrumError::Filter { mm: *mm });
        }
        let upper = tubes.iter().position(|t| t.kv >= kv).unwrap_or(tubes.len() - 1).max(1);
        let (low, high) = (
            &tubes[(upper - 1).min(tubes.len() - 1)],
            &tubes[upper.min(tubes.len() - 1)],
        );
        let weight = if high.kv > low.kv {
            (kv - low.kv) / (high.kv - low.kv)
        } else {
            0.0
        };
        let mixed = |a: f64, b: f64| a + weight * (b - a);
        // Density per keV at a fraction of the voltage, linear between the middles of the tabulated bins.
        let bins = first.bremsstrahlung.len();
        let density = |fraction: f64| {
            let at = (fraction * bins as f64 - 0.5).clamp(0.0, bins as f64 - 1.0);
            let n = (at as usize).min(bins.saturating_sub(2));
            let of = |t: &Tube| {
                let next = t.bremsstrahlung[(n + 1).min(bins - 1)];
                t.bremsstrahlung[n] + (at - n as f64) * (next - t.bremsstrahlung[n])
            };
            mixed(of(low), of(high))
        };
        let count = (kv / BIN_KEV).ceil() as usize;
        let mut photons = Vec::with_capacity(count);
        let mut energy_kev = Vec::with_capacity(count);
        for n in 0..count {
            let (from, to) = (n as f64 * BIN_KEV, ((n + 1) as f64 * BIN_KEV).min(kv));
            energy_kev.push(0.5 * (from + to));
            photons.push(density(0.5 * (from + to) / kv) * (to - from));
        }
        for (k, line) in lines_kev.iter().enumerate() {
            let n = (line / BIN_KEV) as usize;
            if *line < kv && n < count {
                photons[n] += mixed(low.characteristic[k], high.characteristic[k]);
            }
        }
        let spectrum = Self {
            kv,
            energy_kev,
            photons,
        }
        .behind(filters);
        let total: f64 = spectrum.photons.iter().sum();
        if !(total > 1e-30 && total.is_finite()) {
            return Err(SpectrumError::Nothing { kv });
        }
        Ok(spectrum)
    }

    /// The spectrum behind more material, mm of each.
    #[must_use]
    pub fn behind(&self, filters: &[(&Coefficients, f64)]) -> Self {
        let photons = self
            .energy_kev
            .iter()
            .zip(&self.photons)
            .map(|(e, n)| {
                let depth: f64 = filters.iter().map(|(c, mm)| c.per_mm(*e) * mm).sum();
                n * (-depth).exp()
            })
            .collect();
        Self {
            photons,
            ..self.clone()
        }
    }

    /// Mean energy of the photons, keV.
    pub fn mean_energy_kev(&self) -> f64 {
        let total: f64 = self.photons.iter().sum();
        let energy: f64 = self.energy_kev.iter().zip(&self.photons).map(|(e, n)| e * n).sum();
        energy / total
    }

    /// Air kerma at 1 m, µGy per mAs; `absorption` holds the mass energy-absorption coefficients of air, for a density of 1000 kg/m³.
    pub fn air_kerma_ugy_per_mas(&self, absorption: &Coefficients) -> f64 {
        // Per mm at 1 g/cm³ is a tenth of cm²/g.
        let per_g = |e: f64| 10.0 * absorption.per_mm(e);
        let sum: f64 = self
            .energy_kev
            .iter()
            .zip(&self.photons)
            .map(|(e, n)| n * e * per_g(*e))
            .sum();
        sum * UGY_PER_KEV_PER_G
    }

    /// Energy that a scintillator of a thickness in mm takes up at 1 m, keV per mAs and mm².
    pub fn taken_kev_per_mas_mm2(&self, scintillator: &Coefficients, thickness_mm: f64) -> f64 {
        let taken = |e: f64| 1.0 - (-scintillator.per_mm(e) * thickness_mm).exp();
        let sum: f64 = self
            .energy_kev
            .iter()
            .zip(&self.photons)
            .map(|(e, n)| n * e * taken(*e))
            .sum();
        // 100 mm² in a cm².
        sum / 100.0
    }

    /// Thickness of a material that halves the air kerma, mm.
    pub fn half_value_layer_mm(&self, material: &Coefficients, absorption: &Coefficients) -> f64 {
        let open = self.air_kerma_ugy_per_mas(absorption);
        let left = |mm: f64| self.behind(&[(material, mm)]).air_kerma_ugy_per_mas(absorption) / open;
        let (mut low, mut high) = (0.0, 1.0);
        while left(high) > 0.5 && high < 1e6 {
            high *= 2.0;
        }
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if left(middle) > 0.5 {
                low = middle;
            } else {
                high = middle;
            }
        }
        0.5 * (low + high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(kv: f64) -> Tube {
        Tube {
            kv,
            bremsstrahlung: vec![1e6; 20],
            characteristic: vec![1e5],
        }
    }

    #[test]
    fn a_flat_spectrum_keeps_its_photons() {
        let tubes = [flat(60.0), flat(80.0)];
        let spectrum = Spectrum::new(&tubes, &[59.3], 71.0, &[]).unwrap();
        let total: f64 = spectrum.photons.iter().sum();
        assert!((total - (71.0 * 1e6 + 1e5)).abs() < 1.0, "{total}");
        assert!(matches!(
            Spectrum::new(&tubes, &[59.3], 90.0, &[]),
            Err(SpectrumError::Voltage { .. })
        ));
        assert!(matches!(
            Spectrum::new(&tubes, &[59.3], f64::NAN, &[]),
            Err(SpectrumError::Voltage { .. })
        ));
        let lead = Coefficients::new("lead", &[10.0, 100.0], &[100.0, 5.0], 11350.0).unwrap();
        assert!(matches!(
            Spectrum::new(&tubes, &[59.3], 70.0, &[(&lead, -1.0)]),
            Err(SpectrumError::Filter { .. })
        ));
        assert!(matches!(
            Spectrum::new(&tubes, &[59.3], 70.0, &[(&lead, 100.0)]),
            Err(SpectrumError::Nothing { .. })
        ));
    }

    #[test]
    fn filters_harden_the_beam() {
        let tubes = [flat(60.0), flat(80.0)];
        let aluminium = Coefficients::new("aluminium", &[10.0, 100.0], &[26.0, 0.17], 2699.0).unwrap();
        let air = Coefficients::new("air", &[10.0, 100.0], &[4.6, 0.023], 1000.0).unwrap();
        let open = Spectrum::new(&tubes, &[59.3], 80.0, &[]).unwrap();
        let hard = open.behind(&[(&aluminium, 3.0)]);
        assert!(hard.mean_energy_kev() > open.mean_energy_kev() + 5.0);
        let layer = hard.half_value_layer_mm(&aluminium, &air);
        let halved = hard.behind(&[(&aluminium, layer)]).air_kerma_ugy_per_mas(&air);
        assert!((halved / hard.air_kerma_ugy_per_mas(&air) - 0.5).abs() < 1e-9);
    }
}
