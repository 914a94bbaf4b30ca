//! One style for every picture: the same thing has the same colour everywhere.
//!
//! Colours of the procedure's objects are from the colour-blind-safe set of Okabe and Ito (2008).

/// An sRGB colour.
pub type Rgb = [u8; 3];

pub(crate) const ISO_45: Rgb = [240, 228, 66];
pub(crate) const ISO_50: Rgb = [230, 159, 0];
pub(crate) const ISO_60: Rgb = [213, 94, 0];
pub(crate) const LESION: Rgb = [204, 121, 167];
pub(crate) const ACTIVE_TIP: Rgb = [86, 180, 233];
pub(crate) const SHAFT: Rgb = [222, 226, 230];
pub(crate) const NERVE_TARGET: Rgb = [0, 158, 115];
pub(crate) const NERVE_SPARED: Rgb = [0, 114, 178];
/// Lateral and intermediate branches.
pub(crate) const NERVE_SKIN: Rgb = [148, 82, 172];
pub(crate) const BONE: Rgb = [233, 223, 200];
pub(crate) const INK: Rgb = [33, 41, 52];
pub(crate) const MUTED: Rgb = [108, 117, 128];
pub(crate) const GRID: Rgb = [222, 226, 230];

/// `#rrggbb`.
pub(crate) fn hex(c: Rgb) -> String {
    format!("#{:02x}{:02x}{:02x}", c[0], c[1], c[2])
}

/// How a tissue is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TissueStyle {
    /// Its colour on tissue maps.
    pub rgb: Rgb,
    /// True for what makes the bone surface of the three-dimensional views.
    pub bone: bool,
}

/// Words in a tissue's name, and how such a tissue is shown; the first that fits counts.
const BY_NAME: [(&[&str], Rgb, bool); 13] = [
    (&["disc", "disk", "cartilage"], [150, 194, 200], false),
    (&["marrow", "cancellous", "spong", "trabecular"], [222, 202, 158], true),
    (&["bone", "cortical", "vertebra", "sacrum"], [246, 240, 224], true),
    (&["muscle"], [208, 164, 156], false),
    (&["fat", "adipose"], [241, 224, 160], false),
    (&["skin", "dermis"], [217, 170, 142], false),
    (&["csf", "cerebrospinal", "fluid", "saline"], [158, 196, 226], false),
    (&["nerve", "cord", "root", "ganglion"], [122, 150, 190], false),
    (&["blood", "vessel", "artery", "vein"], [158, 60, 72], false),
    (
        &["ligament", "tendon", "capsule", "fascia", "connective"],
        [190, 172, 196],
        false,
    ),
    (&["air", "lung", "gas", "outside"], [38, 44, 52], false),
    (&["liver", "kidney", "organ", "viscera", "bowel"], [150, 120, 92], false),
    (&["gel", "agar", "albumen", "phantom", "water"], [200, 214, 222], false),
];
/// Colours of tissues whose name says nothing.
const OTHERS: [Rgb; 4] = [[176, 168, 160], [150, 160, 150], [190, 180, 190], [140, 148, 160]];

impl TissueStyle {
    /// The usual style of a tissue with this name; `index` tells unknown ones apart.
    pub fn for_name(name: &str, index: usize) -> Self {
        let name = name.to_lowercase();
        let known = BY_NAME
            .iter()
            .find(|(words, ..)| words.iter().any(|w| name.contains(w)));
        match known {
            Some(&(_, rgb, bone)) => Self { rgb, bone },
            None => Self {
                rgb: OTHERS[index % OTHERS.len()],
                bone: false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_style() {
        assert!(TissueStyle::for_name("Cortical bone", 0).bone);
        assert!(TissueStyle::for_name("cancellous bone", 0).bone);
        assert!(!TissueStyle::for_name("Muscle", 0).bone);
        assert_ne!(TissueStyle::for_name("x", 0), TissueStyle::for_name("y", 1));
        assert_eq!(hex([0, 158, 115]), "#009e73");
    }
}
