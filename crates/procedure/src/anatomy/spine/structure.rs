//! What there is in the built-in patient, with the number of each structure in label maps.

use serde::{Deserialize, Serialize};

use super::super::{Level, Side};

/// A structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Structure {
    /// A vertebra; S1 stands for the whole sacrum.
    Vertebra(Level),
    /// Hip bone.
    Hip(Side),
    /// Twelfth rib.
    Rib(Side),
    /// Pedicle screw.
    Screw,
    /// The disc below a vertebra.
    Disc(Level),
    /// Cartilage of a facet joint.
    Cartilage,
    /// Yellow, interspinous and mamillo-accessory ligaments.
    Ligament,
    /// Dural sac with its fluid.
    DuralSac,
    /// Fat of the canal and the foramina.
    EpiduralFat,
    /// Nerve: medial branches, roots, ganglia, rami.
    Nerve,
    /// Multifidus.
    Multifidus(Side),
    /// Longissimus and iliocostalis.
    ErectorSpinae(Side),
    /// Psoas.
    Psoas(Side),
    /// Quadratus lumborum.
    QuadratusLumborum(Side),
    /// Intertransverse muscles.
    Intertransverse(Side),
    /// Muscles of the abdominal wall.
    AbdominalWall,
    /// Organs of the abdomen, as one.
    Viscera,
    /// Aorta and common iliac arteries.
    Artery,
    /// Vena cava and common iliac veins.
    Vein,
    /// Fat elsewhere.
    Fat,
    /// Skin.
    Skin,
    /// Air outside the body.
    Air,
}

impl Structure {
    /// Every structure that a label map may hold, in the order of the numbers.
    pub fn all() -> Vec<Self> {
        let mut all = vec![
            Self::Air,
            Self::Screw,
            Self::Cartilage,
            Self::Ligament,
            Self::DuralSac,
            Self::EpiduralFat,
            Self::Nerve,
            Self::AbdominalWall,
            Self::Viscera,
            Self::Artery,
            Self::Vein,
            Self::Fat,
            Self::Skin,
        ];
        all.extend(Level::ALL.into_iter().flat_map(|l| [Self::Vertebra(l), Self::Disc(l)]));
        for side in Side::BOTH {
            all.extend([
                Self::Hip(side),
                Self::Rib(side),
                Self::Multifidus(side),
                Self::ErectorSpinae(side),
                Self::Psoas(side),
                Self::QuadratusLumborum(side),
                Self::Intertransverse(side),
            ]);
        }
        all.sort_by_key(|s| s.label());
        all
    }

    /// The number in a label map: that of `TotalSegmentator` (task `total`, version 2) where it has one, else 150 and more.
    pub fn label(self) -> u16 {
        let sided = |side: Side, left: u16, right: u16| if side == Side::Left { left } else { right };
        match self {
            Self::Air => 0,
            Self::Vertebra(level) => match level {
                Level::S1 => 25,
                Level::L6 => 150,
                Level::L5 => 27,
                Level::L4 => 28,
                Level::L3 => 29,
                Level::L2 => 30,
                Level::L1 => 31,
                Level::T12 => 32,
                Level::T11 => 33,
            },
            Self::Hip(side) => sided(side, 77, 78),
            Self::Rib(side) => sided(side, 103, 115),
            Self::Artery => 52,
            Self::Vein => 63,
            Self::ErectorSpinae(side) => sided(side, 86, 87),
            Self::Psoas(side) => sided(side, 88, 89),
            Self::Screw => 151,
            Self::Cartilage => 152,
            Self::Ligament => 153,
            Self::DuralSac => 154,
            Self::EpiduralFat => 155,
            Self::Nerve => 156,
            Self::Multifidus(side) => sided(side, 157, 158),
            Self::QuadratusLumborum(side) => sided(side, 159, 160),
            Self::Intertransverse(side) => sided(side, 161, 162),
            Self::AbdominalWall => 163,
            Self::Viscera => 164,
            Self::Fat => 165,
            Self::Skin => 166,
            Self::Disc(level) => 170 + level as u16,
        }
    }

    /// Its name.
    pub fn name(self) -> String {
        let sided = |name: &str, side: Side| format!("{name} {side}");
        match self {
            Self::Vertebra(Level::S1) => "sacrum".into(),
            Self::Vertebra(level) => format!("vertebra {level}"),
            Self::Hip(side) => sided("hip", side),
            Self::Rib(side) => sided("rib 12", side),
            Self::Screw => "pedicle screw".into(),
            Self::Disc(level) => format!("disc below {level}"),
            Self::Cartilage => "facet cartilage".into(),
            Self::Ligament => "ligament".into(),
            Self::DuralSac => "dural sac".into(),
            Self::EpiduralFat => "epidural fat".into(),
            Self::Nerve => "nerve".into(),
            Self::Multifidus(side) => sided("multifidus", side),
            Self::ErectorSpinae(side) => sided("erector spinae", side),
            Self::Psoas(side) => sided("psoas", side),
            Self::QuadratusLumborum(side) => sided("quadratus lumborum", side),
            Self::Intertransverse(side) => sided("intertransverse muscles", side),
            Self::AbdominalWall => "abdominal wall".into(),
            Self::Viscera => "viscera".into(),
            Self::Artery => "aorta and iliac arteries".into(),
            Self::Vein => "vena cava and iliac veins".into(),
            Self::Fat => "fat".into(),
            Self::Skin => "skin".into(),
            Self::Air => "air".into(),
        }
    }

    /// True for bone.
    pub fn is_bone(self) -> bool {
        matches!(self, Self::Vertebra(_) | Self::Hip(_) | Self::Rib(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_fit_a_byte() {
        let all = Structure::all();
        for pair in all.windows(2) {
            assert!(pair[0].label() < pair[1].label(), "{pair:?}");
        }
        assert!(all.last().unwrap().label() <= 255);
        assert_eq!(Structure::Vertebra(Level::L4).label(), 28);
    }
}
