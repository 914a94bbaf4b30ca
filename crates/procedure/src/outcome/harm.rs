//! What else was destroyed: one summary.

use serde::{Deserialize, Serialize};

use crate::{
    anatomy::NerveKind,
    catalog::FibreKind,
    lesion::LesionResult,
    nerve_death::{NerveCut, kind_of},
};

/// Everything that was destroyed beside the target, and how much of each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Harm {
    /// Nerves that were to be spared.
    pub nerves: Vec<NerveHarm>,
    /// Skin where shafts pass it.
    pub skin: Vec<SkinHarm>,
    /// Volume destroyed of each tissue, the largest first; tissues of which nothing was are left out.
    pub tissues: Vec<TissueVolume>,
    /// Whether a nerve to be spared lost fibres by any law (but for branches to the back's muscles), or skin, canal, roots or a disc were destroyed.
    pub harmful: bool,
}

/// A nerve that was to be spared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NerveHarm {
    /// Its name.
    pub nerve: String,
    /// What it is.
    pub kind: NerveKind,
    /// Hottest place in it, °C.
    pub peak_c: f64,
    /// Share of its fibres that are cut, least and most of the laws.
    pub cut_fraction: [f64; 2],
    /// From its axis to the lesion, mm.
    pub distance_mm: Option<f64>,
}

/// Skin beside a shaft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkinHarm {
    /// The needle, counted from 1.
    pub needle: usize,
    /// Hottest skin, °C.
    pub peak_c: f64,
    /// Largest Ω.
    pub omega: f64,
    /// Whether it is burnt: Ω of at least 1.
    pub burnt: bool,
}

/// Volume of a tissue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TissueVolume {
    /// The tissue.
    pub tissue: String,
    /// Volume destroyed, mm³.
    pub destroyed_mm3: f64,
}

/// Share of the touch fibres of a patch of skin that are cut by a law: of the branches to the skin the one hit hardest.
pub fn skin_cut_fraction<'a>(cuts: impl IntoIterator<Item = &'a NerveCut>, law: &str) -> f64 {
    cuts.into_iter()
        .filter(|c| kind_of(&c.nerve) == NerveKind::LateralBranch)
        .flat_map(|c| c.laws.iter().filter(|l| l.law == law))
        .flat_map(|l| &l.classes)
        .filter(|c| c.class == FibreKind::ABeta && c.fibres > 0.0)
        .map(|c| c.cut / c.fibres)
        .fold(0.0, f64::max)
}

impl Harm {
    /// From a lesion and the fibres cut in its nerves, in the same order.
    pub fn new(result: &LesionResult, cuts: &[NerveCut]) -> Self {
        let nerves: Vec<NerveHarm> = cuts
            .iter()
            .filter(|c| !c.target)
            .map(|c| {
                let shares = c.laws.iter().map(|l| l.cut_fraction);
                let (least, most) = shares.fold((1.0f64, 0.0f64), |(a, b), s| (a.min(s), b.max(s)));
                NerveHarm {
                    nerve: c.nerve.clone(),
                    kind: kind_of(&c.nerve),
                    peak_c: c.peak_c,
                    cut_fraction: [least.min(most), most],
                    distance_mm: result
                        .nerves
                        .iter()
                        .find(|n| n.name == c.nerve)
                        .and_then(|n| n.distance_to_lesion_mm),
                }
            })
            .collect();
        let skin: Vec<SkinHarm> = result
            .skin_entries
            .iter()
            .map(|s| SkinHarm {
                needle: s.needle,
                peak_c: s.skin_entry_c,
                omega: s.omega,
                burnt: s.omega >= 1.0,
            })
            .collect();
        let mut tissues: Vec<TissueVolume> = result
            .tissues
            .iter()
            .filter(|t| t.injured_mm3 > 0.0)
            .map(|t| TissueVolume {
                tissue: t.tissue.clone(),
                destroyed_mm3: t.injured_mm3,
            })
            .collect();
        tissues.sort_by(|a, b| b.destroyed_mm3.total_cmp(&a.destroyed_mm3));
        let spared = nerves.iter().filter(|n| n.kind != NerveKind::IntermediateBranch);
        let harmful = spared.into_iter().any(|n| n.cut_fraction[1] > 0.0)
            || skin.iter().any(|s| s.burnt)
            || result.harm().next().is_some();
        Self {
            nerves,
            skin,
            tissues,
            harmful,
        }
    }
}
