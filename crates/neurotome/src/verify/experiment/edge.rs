//! What makes the edge of a lesion: a temperature once reached, or Ω = 1 of an injury law.

use neurotome_physics::injury::Arrhenius;
use neurotome_procedure::catalog::{Catalog, InjuryLaw, find};
use serde::Deserialize;

/// Pieces into which the time between two readings is cut to integrate a law.
const PIECES: usize = 8;
/// Ω below which there is no injury worth a logarithm.
const LEAST_OMEGA: f64 = 1e-300;

/// A criterion of injury.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(super) enum Edge {
    /// A temperature that was reached, however shortly.
    Isotherm {
        /// °C.
        isotherm_c: f64,
    },
    /// Ω = 1 of a law of the catalogue.
    Law {
        /// Its name there.
        law: String,
    },
}

impl Edge {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            Self::Isotherm { isotherm_c } => format!("{isotherm_c} °C reached"),
            Self::Law { law } => format!("Ω = 1, {law}"),
        }
    }

    /// The criterion with the law looked up.
    ///
    /// # Errors
    /// When the catalogue has no such law.
    pub fn criterion(&self, catalog: &Catalog) -> Result<Criterion, String> {
        match self {
            Self::Isotherm { isotherm_c } => Ok(Criterion::Isotherm(*isotherm_c)),
            Self::Law { law } => find(&catalog.injury, law)
                .and_then(InjuryLaw::arrhenius)
                .map(Criterion::Law)
                .ok_or_else(|| format!("the catalogue has no injury law \"{law}\"")),
        }
    }
}

/// A criterion that can be evaluated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Criterion {
    /// A temperature, °C.
    Isotherm(f64),
    /// A law.
    Law(Arrhenius),
}

impl Criterion {
    /// How far beyond the edge a point is after temperatures `temperature_c` at ascending times `t_s`: kelvins above the isotherm, or
    /// ln Ω. At and above zero the point is injured. Between the readings the temperature is taken as straight in time.
    pub fn level(&self, t_s: &[f64], temperature_c: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::Isotherm(edge) => temperature_c.take(t_s.len()).fold(f64::NEG_INFINITY, f64::max) - edge,
            Self::Law(law) => {
                let mut omega = 0.0;
                let mut before: Option<(f64, f64)> = None;
                for (&t, c) in t_s.iter().zip(temperature_c) {
                    if let Some((t0, c0)) = before {
                        let piece = (t - t0) / PIECES as f64;
                        omega += (0..PIECES)
                            .map(|k| {
                                let w = (k as f64 + 0.5) / PIECES as f64;
                                piece * law.rate_per_s(c0 + w * (c - c0))
                            })
                            .sum::<f64>();
                    }
                    before = Some((t, c));
                }
                omega.max(LEAST_OMEGA).ln()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isotherm_remembers_the_peak() {
        let level = Criterion::Isotherm(55.0).level(&[0.0, 1.0, 2.0], [20.0, 57.0, 40.0].into_iter());
        assert_eq!(level, 2.0);
        let earlier = Criterion::Isotherm(55.0).level(&[0.0], [20.0, 57.0].into_iter());
        assert_eq!(earlier, -35.0);
    }

    #[test]
    fn a_law_adds_up() {
        let catalog = neurotome_io::catalog::built_in().unwrap();
        let edge = Edge::Law {
            law: "liver_jacques".to_owned(),
        };
        let Criterion::Law(law) = edge.criterion(&catalog).unwrap() else {
            panic!("a law")
        };
        let c = law.iso_effect_temperature_c(90.0);
        let level = Criterion::Law(law).level(&[0.0, 50.0, 90.0], [c; 3].into_iter());
        assert!(level.abs() < 1e-9, "{level}");
        // A straight rise of 30 K in 60 s against the integral in ten thousand pieces.
        let fine: f64 = (0..10_000)
            .map(|k| 0.006 * law.rate_per_s(30.0 + 0.003 * (f64::from(k) + 0.5)))
            .sum();
        let times: Vec<f64> = (0..=24).map(|k| 2.5 * f64::from(k)).collect();
        let rise = times.iter().map(|t| 30.0 + 0.5 * t);
        let level = Criterion::Law(law).level(&times, rise);
        assert!((level - fine.ln()).abs() < 1e-3, "{level} against {}", fine.ln());
        let unknown = Edge::Law { law: "x".to_owned() };
        assert!(unknown.criterion(&catalog).is_err());
    }
}
