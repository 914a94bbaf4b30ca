//! How much block stops a spike, for each class of fibres.

use neurotome_physics::axon::{Geometry, GeometrySet};
use serde::Serialize;

use super::AnaesthesiaError;
use crate::{
    anatomy::NerveKind,
    catalog::{Catalog, FibreKind, Sourced},
};

/// Thresholds of the fibres of a class, in a long stretch of nerve held at a concentration for long: half of them are blocked at `ic50`,
/// the share `c^n / (c^n + ic50^n)` at c.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassBlock {
    /// Concentration that blocks half of the fibres, mmol/l.
    pub ic50_mmol_per_l: f64,
    /// Exponent n, from the spread of thresholds between fibres.
    pub slope: f64,
}

impl ClassBlock {
    /// From mean and standard deviation of the thresholds: a logistic spread of their logarithms, whose standard deviation is π/(n √3).
    pub fn new(ic50: &Sourced, sd: &Sourced) -> Self {
        let relative = sd.value / ic50.value;
        let sd_ln = (1.0 + relative * relative).ln().sqrt();
        Self {
            ic50_mmol_per_l: ic50.value,
            slope: std::f64::consts::PI / (3f64.sqrt() * sd_ln),
        }
    }

    /// Share of the fibres blocked by a concentration, mmol/l.
    pub fn share(&self, mmol_per_l: f64) -> f64 {
        if mmol_per_l <= 0.0 {
            return 0.0;
        }
        1.0 / (1.0 + (self.ic50_mmol_per_l / mmol_per_l).powf(self.slope))
    }
}

/// Nodes in a row for which the block that stops a spike is known.
const NODES: [usize; 6] = [3, 4, 5, 6, 9, 13];

/// What a blocked stretch must be to stop a spike, for the fibres of a nerve.
///
/// A single fibre's sodium channels follow `b = c/(c + K)`. A long stretch stops it from `b∞` on, a stretch of N nodes from `b_N` on: a short
/// stretch needs a concentration that is higher by `[b_N/(1 − b_N)] / [b∞/(1 − b∞)]`, whatever K is. Two nodes never stop it. A C
/// fibre needs a length, and then no more than a long stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct ConductionRule {
    /// Distance between nodes of Aα, Aβ, Aγ and Aδ fibres, mm.
    pub node_spacing_mm: [f64; 4],
    /// Nodes in a row, and the factor on the concentration.
    pub nodes: Vec<(usize, f64)>,
    /// Length of a C fibre that must be blocked, mm.
    pub unmyelinated_mm: f64,
    /// Share of sodium channels whose block stops a spike in a long stretch: myelinated fibres, C fibres.
    pub long_stretch: [f64; 2],
}

impl ConductionRule {
    /// For the mean fibres of a kind of nerve.
    ///
    /// # Errors
    /// [`AnaesthesiaError::Catalogue`].
    pub fn new(catalog: &Catalog, kind: NerveKind) -> Result<Self, AnaesthesiaError> {
        let missing = |what: String| AnaesthesiaError::Catalogue { what };
        let rule = catalog
            .conduction_block
            .first()
            .ok_or_else(|| missing("[[conduction_block]]".to_owned()))?;
        let fibres = catalog
            .nerve_fibres(kind)
            .ok_or_else(|| missing(format!("[[nerve]] \"{}\"", kind.name())))?;
        let odds = |b: f64| b / (1.0 - b).max(1e-9);
        let blocks = [
            &rule.nodes_3_fraction,
            &rule.nodes_4_fraction,
            &rule.nodes_5_fraction,
            &rule.nodes_6_fraction,
            &rule.nodes_9_fraction,
            &rule.nodes_13_fraction,
        ];
        let long = rule.nodes_13_fraction.value;
        let mut node_spacing_mm = [0.0; 4];
        for (spacing, class) in node_spacing_mm.iter_mut().zip(fibres.classes()) {
            let geometry = Geometry::new(GeometrySet::advised(class.diameter_um), class.diameter_um)
                .map_err(|e| missing(format!("usable diameter of {} fibres ({e})", class.kind.name())))?;
            *spacing = geometry.node_spacing / 1000.0;
        }
        Ok(Self {
            node_spacing_mm,
            nodes: NODES
                .into_iter()
                .zip(blocks)
                .map(|(n, b)| (n, odds(b.value) / odds(long)))
                .collect(),
            unmyelinated_mm: rule.unmyelinated_mm.value,
            long_stretch: [long, rule.unmyelinated_fraction.value],
        })
    }

    /// The concentration of a long uniform stretch that would block as many fibres of a class as a profile along the nerve does; the
    /// profile holds values `step_mm` apart. mmol/l.
    pub fn effective(&self, class: FibreKind, profile: &[f64], step_mm: f64) -> f64 {
        if class == FibreKind::C {
            let count = (self.unmyelinated_mm / step_mm).ceil() as usize + 1;
            return best_window(profile, count);
        }
        let spacing = self.node_spacing_mm[class as usize];
        self.nodes
            .iter()
            .map(|(n, factor)| best_nodes(profile, step_mm, spacing, *n) / factor)
            .fold(0.0, f64::max)
    }
}

/// The largest value that a run of `count` neighbours reaches throughout.
fn best_window(profile: &[f64], count: usize) -> f64 {
    profile
        .windows(count.max(1))
        .map(|w| w.iter().copied().fold(f64::INFINITY, f64::min))
        .fold(0.0, f64::max)
}

/// The largest value that `n` nodes reach, wherever the first one lies.
fn best_nodes(profile: &[f64], step_mm: f64, spacing_mm: f64, n: usize) -> f64 {
    let at = |x: f64| {
        let i = x.floor() as usize;
        let w = x - i as f64;
        let next = profile.get(i + 1).unwrap_or(&profile[i]);
        profile[i] * (1.0 - w) + next * w
    };
    let stride = spacing_mm / step_mm;
    let reach = stride * (n - 1) as f64;
    let last = profile.len() as f64 - 1.0 - reach;
    if profile.is_empty() || last < 0.0 {
        return 0.0;
    }
    (0..=last.floor() as usize)
        .map(|first| {
            (0..n)
                .map(|k| at(first as f64 + k as f64 * stride))
                .fold(f64::INFINITY, f64::min)
        })
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> ConductionRule {
        ConductionRule {
            node_spacing_mm: [1.0, 0.8, 0.3, 0.3],
            nodes: vec![(3, 15.0), (6, 1.5), (13, 1.0)],
            unmyelinated_mm: 2.0,
            long_stretch: [0.76, 0.6],
        }
    }

    #[test]
    fn half_are_blocked_at_the_ic50_and_more_above() {
        let value = |value| Sourced {
            value,
            source: String::new(),
            verified: true,
            condition: None,
            range: None,
        };
        let block = ClassBlock::new(&value(0.8), &value(0.32));
        assert!((block.share(0.8) - 0.5).abs() < 1e-12 && block.share(0.0) == 0.0);
        assert!((4.0..6.0).contains(&block.slope), "{}", block.slope);
        // The spread of the thresholds is the one given: their variance by the share's density.
        let (mut mean, mut square, mut before) = (0.0, 0.0, 0.0);
        for k in 1..40_000 {
            let c = 1e-3 * (f64::from(k) - 0.5);
            let share = block.share(1e-3 * f64::from(k));
            mean += c * (share - before);
            square += c * c * (share - before);
            before = share;
        }
        let sd = (square - mean * mean).sqrt();
        assert!(
            (mean / 0.8 - 1.0).abs() < 0.1 && (sd / 0.32 - 1.0).abs() < 0.25,
            "{mean} {sd}"
        );
    }

    #[test]
    fn short_stretches_let_spikes_pass() {
        let rule = rule();
        let stretch = |length: f64| -> Vec<f64> {
            (0..=200)
                .map(|k| {
                    if (0.2 * f64::from(k) - 20.0).abs() <= 0.5 * length {
                        1.0
                    } else {
                        0.0
                    }
                })
                .collect()
        };
        let at = |class, length| rule.effective(class, &stretch(length), 0.2);
        // Two nodes of 1 mm never block; three need fifteen times as much; thirteen no more than any length.
        assert_eq!(at(FibreKind::AAlpha, 1.2), 0.0);
        assert!((at(FibreKind::AAlpha, 2.4) - 1.0 / 15.0).abs() < 1e-12);
        assert!((at(FibreKind::AAlpha, 5.2) - 1.0 / 1.5).abs() < 1e-12);
        assert_eq!(at(FibreKind::AAlpha, 13.0), 1.0);
        // Thin fibres have their nodes closer.
        assert_eq!(at(FibreKind::ADelta, 4.0), 1.0);
        assert_eq!(at(FibreKind::C, 1.0), 0.0);
        assert_eq!(at(FibreKind::C, 2.4), 1.0);
        // A nerve that is too short for the nodes is not blocked.
        assert_eq!(rule.effective(FibreKind::AAlpha, &[1.0, 1.0], 0.2), 0.0);
        assert_eq!(rule.effective(FibreKind::AAlpha, &[], 0.2), 0.0);
    }
}
