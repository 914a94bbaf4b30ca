//! What the numbers of a label map mean.

use std::collections::{BTreeMap, BTreeSet};

use neurotome_base::{Affine, Point, Volume};

use super::CtAnatomyError;
use crate::anatomy::{Level, Side};

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

/// A part of a vertebra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Vertebral body, with its border.
    Body,
    /// Arch: pedicles and laminae.
    Arch,
    /// Spinous process.
    Spinous,
    /// Transverse process (costal process).
    Transverse(Side),
    /// Superior articular process.
    SuperiorArticular(Side),
    /// Inferior articular process.
    InferiorArticular(Side),
}

/// What one number of a table of one's own stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableEntry {
    /// A structure, without saying which vertebra.
    Structure(Structure),
    /// The bone of this vertebra; at S1 the sacrum's first vertebra or the whole sacrum.
    Vertebra(Level),
}

/// What a label tells of the numbering of the vertebrae.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Vertebra(Level),
    /// A thirteenth vertebra with ribs, below T12.
    T13,
    /// The sacrum, or what is left of it below S1.
    Sacrum,
    /// A rib, by the number of its vertebra; 13 that of L1 or T13.
    Rib(u8, Option<Side>),
    Hip(Side),
}

/// The numbering of a label map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelMeaning {
    /// TotalSegmentator (task `total`, version 2): sacrum 25, vertebrae 26 (S1) to 50 (C1); hips 77 and 78, spinal cord 79, ribs 92–103
    /// (left) and 104–115 (right). Source: `class_map` of TotalSegmentator's `map_to_binary.py`.
    TotalSegmentator,
    /// TPTBox vertebrae, as in VerSe: 1–24 count vertebrae from C1 to L5 (20 is L1), 25 L6, 26 sacrum, 27 coccyx, 28 T13; ribs are 32 more
    /// than their vertebra (51 that of T12, 53 that of T13), discs 100 more, endplates 200 more; canal 61, cord 60. Source:
    /// `Vertebra_Instance` of TPTBox's `vert_constants.py`; Sekuboyina A et al., Med Image Anal 2021;73:102166.
    TptboxVertebrae,
    /// TPTBox sub-regions, as SPINEPS writes them: 41 arch, 42 spinous, 43–44 transverse, 45–48 articular processes, 49–50 body; disc 100,
    /// canal 61, cord 60. Source: `Location` of TPTBox's `vert_constants.py`.
    TptboxSubregions,
    /// Any other numbering.
    Table(BTreeMap<u16, TableEntry>),
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
            Self::Table(table) => table.get(&label).map(|entry| match entry {
                TableEntry::Structure(structure) => *structure,
                TableEntry::Vertebra(_) => Bone,
            }),
        }
    }

    /// The vertebra that a label stands for; none for all else, for vertebrae above T11, and in numberings that tell no vertebrae.
    pub fn level(&self, label: u16) -> Option<Level> {
        match self.sign(label) {
            Some(Sign::Vertebra(level)) => Some(level),
            _ => None,
        }
    }

    /// The part of a vertebra that a label stands for; none in numberings that tell no parts.
    pub fn part(&self, label: u16) -> Option<Part> {
        use Side::{Left, Right};
        if *self != Self::TptboxSubregions {
            return None;
        }
        Some(match label {
            41 => Part::Arch,
            42 => Part::Spinous,
            43 => Part::Transverse(Left),
            44 => Part::Transverse(Right),
            45 => Part::SuperiorArticular(Left),
            46 => Part::SuperiorArticular(Right),
            47 => Part::InferiorArticular(Left),
            48 => Part::InferiorArticular(Right),
            49 | 50 => Part::Body,
            _ => return None,
        })
    }

    /// What a label tells of the numbering of the vertebrae.
    pub(super) fn sign(&self, label: u16) -> Option<Sign> {
        use Level::{L1, L2, L3, L4, L5, L6, S1, T11, T12};
        const DOWN_FROM_T11: [Level; 9] = [T11, T12, L1, L2, L3, L4, L5, L6, S1];
        const UP_FROM_S1: [Level; 8] = [S1, L5, L4, L3, L2, L1, T12, T11];
        match self {
            Self::TotalSegmentator => match label {
                25 => Some(Sign::Sacrum),
                26..=33 => Some(Sign::Vertebra(UP_FROM_S1[usize::from(label - 26)])),
                77 => Some(Sign::Hip(Side::Left)),
                78 => Some(Sign::Hip(Side::Right)),
                92..=103 => Some(Sign::Rib((label - 91) as u8, Some(Side::Left))),
                104..=115 => Some(Sign::Rib((label - 103) as u8, Some(Side::Right))),
                _ => None,
            },
            Self::TptboxVertebrae => match label {
                18..=26 => Some(Sign::Vertebra(DOWN_FROM_T11[usize::from(label - 18)])),
                27 | 29..=33 => Some(Sign::Sacrum),
                28 => Some(Sign::T13),
                40..=51 => Some(Sign::Rib((label - 39) as u8, None)),
                52 | 53 => Some(Sign::Rib(13, None)),
                _ => None,
            },
            Self::TptboxSubregions => None,
            Self::Table(table) => match table.get(&label) {
                Some(TableEntry::Vertebra(level)) => Some(Sign::Vertebra(*level)),
                _ => None,
            },
        }
    }

    /// The name of the numbering, and the labels of vertebrae in it.
    pub(super) fn level_labels(&self) -> (&'static str, &'static str) {
        match self {
            Self::TotalSegmentator => ("TotalSegmentator's numbering", "26 (S1) to 33 (T11)"),
            Self::TptboxVertebrae => ("TPTBox's numbering of vertebrae", "18 (T11) to 26 (sacrum)"),
            Self::TptboxSubregions => (
                "TPTBox's numbering of sub-regions",
                "a map of vertebrae beside it, since parts do not say whose they are",
            ),
            Self::Table(_) => (
                "the table given",
                "a label that the table names T11, T12, L1 to L6 or S1",
            ),
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
