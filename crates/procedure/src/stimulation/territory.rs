//! Where a nerve is felt, and which muscle it moves: the usual charts of dermatomes and myotomes.

use crate::anatomy::{Level, NerveKind};

/// Where the fibres of a nerve end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Territory {
    /// Where it is felt.
    pub felt: &'static str,
    /// The muscle that twitches.
    pub muscle: &'static str,
    /// True for nerves of the leg, which must not answer.
    pub leg: bool,
    /// From the foramen to the muscle along the nerve, mm: for the delay of its answer. Round figures of an adult.
    pub to_muscle_mm: f64,
}

/// The territory of a nerve of a kind; `nerve` none: unknown.
pub fn territory(kind: NerveKind, nerve: Option<Level>) -> Territory {
    let back = |felt| Territory {
        felt,
        muscle: "multifidus",
        leg: false,
        to_muscle_mm: 40.0,
    };
    let leg = |felt, muscle, to_muscle_mm| Territory {
        felt,
        muscle,
        leg: true,
        to_muscle_mm,
    };
    match (kind, nerve) {
        (NerveKind::MedialBranch | NerveKind::DorsalRamus, Some(level)) => match level {
            Level::L3 => back("low back, towards the buttock"),
            Level::L4 | Level::L5 | Level::L6 => back("low back, buttock, back of the thigh"),
            Level::S1 => back("buttock, over the sacrum"),
            _ => back("back, beside the spine"),
        },
        (NerveKind::MedialBranch | NerveKind::DorsalRamus, None) => back("low back"),
        (NerveKind::LateralBranch, _) => Territory {
            felt: "skin of the buttock, below the iliac crest",
            muscle: "iliocostalis",
            leg: false,
            to_muscle_mm: 60.0,
        },
        (NerveKind::IntermediateBranch, _) => Territory {
            felt: "deep in the back, beside the spine",
            muscle: "longissimus",
            leg: false,
            to_muscle_mm: 50.0,
        },
        (_, Some(Level::L1)) => leg("groin", "iliopsoas", 150.0),
        (_, Some(Level::L2)) => leg("front of the thigh", "iliopsoas", 200.0),
        (_, Some(Level::L3)) => leg("front of the thigh and knee", "quadriceps", 400.0),
        (_, Some(Level::L4)) => leg(
            "knee and shin, below the knee",
            "quadriceps and tibialis anterior",
            450.0,
        ),
        (_, Some(Level::L5 | Level::L6)) => leg(
            "outer shin and top of the foot, below the knee",
            "gluteus medius and lifters of the foot",
            300.0,
        ),
        (_, Some(Level::S1)) => leg("back of the thigh and outer foot", "gluteus maximus and calf", 300.0),
        (_, Some(_)) => leg("flank", "wall of the belly", 200.0),
        (_, None) => leg("leg", "muscles of the leg", 400.0),
    }
}
