//! Which fibres are cut, over which length.

use serde::{Deserialize, Serialize};

use super::heat::NerveHeat;
use super::places::{ACROSS, kind_of};
use crate::catalog::{Catalog, FibreClass, FibreKind};
use neurotome_physics::axon::{Geometry, GeometrySet};

/// Nodes in a row without sodium channels that stop a spike: three do, two do not, in fibres of 10 µm (`neurotome verify --only axon`).
const NODES_TO_BLOCK: f64 = 3.0;
/// Length without sodium channels that stops a C fibre, mm: outcomes no longer depend on the length from here on.
const C_LENGTH_TO_BLOCK_MM: f64 = 2.0;
/// Diameters that stand for a class: quantiles of its normal distribution.
const DIAMETERS: usize = 9;
/// Standard normal quantiles at (k + ½) / 9.
const QUANTILES: [f64; DIAMETERS] = [
    -1.593_219, -0.967_422, -0.589_456, -0.282_216, 0.0, 0.282_216, 0.589_456, 0.967_422, 1.593_219,
];

/// Fibres of a nerve after a lesion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NerveCut {
    /// The nerve.
    pub nerve: String,
    /// Whether it is to be destroyed.
    pub target: bool,
    /// Highest temperature anywhere in it, °C.
    pub peak_c: f64,
    /// By each law.
    pub laws: Vec<CutByLaw>,
}

/// The same by one law.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CutByLaw {
    /// The law.
    pub law: String,
    /// What the law tells of came back: function is lost, fibres are not.
    pub reversible: bool,
    /// Share of the cross-section whose fibres have a dead place.
    pub cut_fraction: f64,
    /// For each place across, the length from the first to the last dead place along, mm; 0 where the fibres live.
    pub gap_mm: Vec<f64>,
    /// Mean gap of the fibres that are cut, mm; 0 where none is.
    pub mean_gap_mm: f64,
    /// Fibres by class, thickest first.
    pub classes: Vec<ClassCut>,
}

/// Fibres of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassCut {
    /// The class.
    pub class: FibreKind,
    /// How many the nerve has.
    pub fibres: f64,
    /// How many have a dead place.
    pub cut: f64,
    /// How many would not conduct even if their axons had only lost the sodium channels where they are dead.
    pub blocked: f64,
    /// Mean number of nodes of Ranvier in the dead stretch of those that are cut; none in C fibres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_nodes: Option<f64>,
}

/// Fibres cut in a nerve, by all laws that were watched.
pub fn cut(catalog: &Catalog, heat: &NerveHeat) -> NerveCut {
    let fibres = catalog.nerve_fibres(kind_of(&heat.nerve.name));
    let laws = heat
        .laws
        .iter()
        .zip(&heat.injury)
        .map(|(law, injury)| {
            let gap_mm = gaps(heat, injury);
            let hit: Vec<f64> = gap_mm.iter().copied().filter(|g| *g > 0.0).collect();
            let classes = fibres.map_or_else(Vec::new, |f| {
                let count = f.fibre_count.value;
                let classes = f.classes();
                classes
                    .iter()
                    .filter(|c| c.share > 0.0)
                    .map(|c| class_cut(c, count, &gap_mm))
                    .collect()
            });
            CutByLaw {
                law: law.name.clone(),
                reversible: law.reversible,
                cut_fraction: hit.len() as f64 / gap_mm.len().max(1) as f64,
                mean_gap_mm: hit.iter().sum::<f64>() / hit.len().max(1) as f64,
                gap_mm,
                classes,
            }
        })
        .collect();
    NerveCut {
        nerve: heat.nerve.name.clone(),
        target: heat.nerve.target,
        peak_c: heat.peak_c.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        laws,
    }
}

/// Length from the first to the last dead place along, for each place across, mm.
fn gaps(heat: &NerveHeat, injury: &[f64]) -> Vec<f64> {
    (0..ACROSS)
        .map(|j| {
            let dead: Vec<usize> = heat
                .along(injury, j)
                .enumerate()
                .filter(|(_, w)| *w >= 1.0)
                .map(|(i, _)| i)
                .collect();
            match (dead.first(), dead.last()) {
                (Some(a), Some(b)) => (b - a + 1) as f64 * heat.places.step_mm,
                _ => 0.0,
            }
        })
        .collect()
}

/// Probability that a stretch of `length` holds at least three nodes, which lie anywhere along it.
fn blocks(length_mm: f64, spacing_mm: f64) -> f64 {
    (length_mm / spacing_mm - (NODES_TO_BLOCK - 1.0)).clamp(0.0, 1.0)
}

fn class_cut(class: &FibreClass, count: f64, gap_mm: &[f64]) -> ClassCut {
    let fibres = count * class.share;
    let of = |places: f64| fibres * (places / gap_mm.len().max(1) as f64);
    let hit = gap_mm.iter().filter(|g| **g > 0.0).count() as f64;
    let cut = of(hit);
    if !class.myelinated {
        let blocked = gap_mm.iter().filter(|g| **g >= C_LENGTH_TO_BLOCK_MM).count() as f64;
        return ClassCut {
            class: class.kind,
            fibres,
            cut,
            blocked: of(blocked),
            dead_nodes: None,
        };
    }
    let spacings: Vec<f64> = QUANTILES
        .iter()
        .filter_map(|q| spacing_mm(class.diameter_um + q * class.sd_um))
        .collect();
    let mean = |of: &dyn Fn(f64) -> f64| spacings.iter().map(|s| of(*s)).sum::<f64>() / spacings.len().max(1) as f64;
    let blocked = of(gap_mm.iter().map(|g| mean(&|s| blocks(*g, s))).sum::<f64>());
    let nodes = gap_mm
        .iter()
        .filter(|g| **g > 0.0)
        .map(|g| mean(&|s| g / s))
        .sum::<f64>();
    ClassCut {
        class: class.kind,
        fibres,
        cut,
        blocked,
        dead_nodes: (hit > 0.0).then(|| nodes / hit),
    }
}

/// Distance between nodes of a fibre, mm; of diameters that no set of sizes holds, that of the nearest that one does.
fn spacing_mm(diameter_um: f64) -> Option<f64> {
    let d = diameter_um.clamp(1.0, 16.0);
    let geometry = Geometry::new(GeometrySet::advised(d), d).ok()?;
    Some(1e-3 * geometry.node_spacing)
}
