//! What the numbers of a label map mean.

use std::collections::{BTreeMap, BTreeSet};

use neurotome_base::{Affine, Point, Volume};

use super::CtAnatomyError;

/// What a label stands for, as far as tissue goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// Bone with its marrow.
    Bone,
    /// Intervertebral disc.
    Disc,
    /// Spinal canal.
    Canal,
}

/// The numbering of a label map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelMeaning {
    /// TotalSegmentator (task `total`, version 2): sacrum 25, vertebrae 26 (S1) to 50 (C1); spinal cord 79.
    TotalSegmentator,
    /// TPTBox vertebrae: 1–28 count vertebrae from the neck (20 is L1); discs are 100 more, endplates 200 more; canal 61, cord 60.
    TptboxVertebrae,
    /// TPTBox sub-regions: 41 arch, 42 spinous, 43–44 transverse, 45–48 articular processes, 49–50 body; disc 100, canal 61, cord 60.
    TptboxSubregions,
    /// Any other numbering.
    Table(BTreeMap<u16, Structure>),
}

impl LabelMeaning {
    /// What a label stands for; none for the background and for what does not matter here.
    pub fn structure(&self, label: u16) -> Option<Structure> {
        use Structure::{Bone, Canal, Disc};
        match self {
            Self::TotalSegmentator => match label {
                25..=50 => Some(Bone),
                79 => Some(Canal),
                _ => None,
            },
            Self::TptboxVertebrae => match label {
                1..=28 | 201..=228 => Some(Bone),
                101..=128 => Some(Disc),
                60 | 61 => Some(Canal),
                _ => None,
            },
            Self::TptboxSubregions => match label {
                26 | 41..=50 => Some(Bone),
                100 => Some(Disc),
                60 | 61 => Some(Canal),
                _ => None,
            },
            Self::Table(table) => table.get(&label).copied(),
        }
    }

    fn name(&self) -> (&'static str, &'static str) {
        match self {
            Self::TotalSegmentator => ("TotalSegmentator's numbering", "25 to 50"),
            Self::TptboxVertebrae => ("TPTBox's numbering of vertebrae", "1 to 28"),
            Self::TptboxSubregions => ("TPTBox's numbering of sub-regions", "41 to 50"),
            Self::Table(_) => ("the table given", "the labels of that table"),
        }
    }
}

/// A label map with its numbering.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelMap {
    /// The labels, on any grid.
    pub labels: Volume<u16>,
    /// The numbering.
    pub meaning: LabelMeaning,
}

impl LabelMap {
    /// The structure at every voxel of another grid, from the nearest label.
    pub(super) fn on_grid(&self, dims: [usize; 3], affine: &Affine) -> Result<Vec<Option<Structure>>, CtAnatomyError> {
        let found: BTreeSet<u16> = self.labels.data().iter().copied().filter(|l| *l != 0).collect();
        if !found.iter().any(|l| self.meaning.structure(*l).is_some()) {
            let (meaning, expected) = self.meaning.name();
            return Err(CtAnatomyError::UnknownLabels {
                found: found.into_iter().take(12).collect(),
                meaning,
                expected,
            });
        }
        let mut out = Vec::with_capacity(dims.iter().product());
        let mut met = false;
        for k in 0..dims[2] {
            for j in 0..dims[1] {
                for i in 0..dims[0] {
                    let label = self
                        .labels
                        .nearest(&affine.to_patient(&Point::new(i as f64, j as f64, k as f64)));
                    met |= label.is_some();
                    out.push(label.and_then(|l| self.meaning.structure(l)));
                }
            }
        }
        if met {
            Ok(out)
        } else {
            Err(CtAnatomyError::LabelsElsewhere)
        }
    }
}
