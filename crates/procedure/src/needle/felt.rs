//! What hand, eye and patient tell while the needle moves.

use neurotome_base::PatientPoint;
use serde::{Deserialize, Serialize};

use crate::anatomy::NerveKind;

/// Something that is felt, seen or told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Felt {
    /// Where the tip was, mm.
    pub tip_mm: PatientPoint,
    /// Depth of the tip along its way, mm.
    pub depth_mm: f64,
    /// Axial force at that moment, N.
    pub force_n: f64,
    /// What.
    pub kind: FeltKind,
}

/// What is felt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum FeltKind {
    /// The skin gives way.
    Skin,
    /// The tip passes from one tissue into another.
    Border {
        /// Index of the tissue left.
        from: u8,
        /// Index of the tissue entered.
        into: u8,
        /// Peak of the axial force at the border, N.
        peak_n: f64,
        /// True where the resistance falls so much that a pop is felt.
        pop: bool,
    },
    /// Bone: the needle goes no further.
    Bone,
    /// The tip touches a nerve: tingling or pain in its territory.
    Nerve {
        /// Its name.
        name: String,
        /// What it is.
        kind: NerveKind,
        /// Between the metal and the nerve's surface, mm; negative inside.
        gap_mm: f64,
    },
    /// A large vessel: blood comes back.
    Vessel,
    /// The spinal canal.
    Canal,
    /// Cerebrospinal fluid comes back.
    CerebrospinalFluid,
    /// An intervertebral foramen.
    Foramen,
    /// Lung, bowel or another hollow.
    Air,
    /// The hub is at the skin.
    Hub,
}

impl FeltKind {
    /// True for what may harm: vessel, canal, fluid, hollow, root or ramus.
    pub fn is_alarm(&self) -> bool {
        match self {
            Self::Vessel | Self::Canal | Self::CerebrospinalFluid | Self::Air => true,
            Self::Nerve { kind, .. } => {
                matches!(kind, NerveKind::Root | NerveKind::Ganglion | NerveKind::VentralRamus)
            }
            _ => false,
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Skin => "the skin gives way".to_owned(),
            Self::Border { pop: true, .. } => "a pop: the resistance falls".to_owned(),
            Self::Border { pop: false, .. } => "another tissue".to_owned(),
            Self::Bone => "bone: the needle goes no further".to_owned(),
            Self::Nerve { name, .. } => format!("tingling: the tip touches the {name}"),
            Self::Vessel => "blood comes back: a vessel".to_owned(),
            Self::Canal => "the spinal canal".to_owned(),
            Self::CerebrospinalFluid => "clear fluid comes back: the dural sac".to_owned(),
            Self::Foramen => "the foramen".to_owned(),
            Self::Air => "lung, bowel or another hollow".to_owned(),
            Self::Hub => "the hub is at the skin".to_owned(),
        }
    }
}

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// Felt on the way, in order.
    pub felt: Vec<Felt>,
    /// How far the tip went along its track, mm; negative on the way out.
    pub moved_mm: f64,
    /// Where the tip is now, mm; none where the needle is out.
    pub tip_mm: Option<PatientPoint>,
    /// Where it points.
    pub direction: Option<[f64; 3]>,
    /// Axial force against further advance, N.
    pub force_n: f64,
}
