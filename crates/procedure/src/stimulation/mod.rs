//! Test stimulation: what the patient feels and which muscles twitch when the needle is driven with pulses, and what follows from it.
//!
//! One place of the needle: [`at_stimulation`] puts the conductivities of stimulation into a lesion problem, [`Examination`] solves for the
//! field of the bare metal ([`TipField`]) and for the course of the pulse in the tissue ([`Circuit`]), and drives the fibres of all nerves
//! within reach ([`Pathway`]) with it, inside the sheaths of their fascicles. From the shares of fibres that fire ([`Recruitment`]) follow
//! what is told or seen ([`notice()`]), traces of muscles ([`traces`]) and the decision ([`card()`]). [`map()`] repeats the essential part over
//! places of the needle. Under a local anaesthetic ([`Numbed`]) fewer sodium channels take part.
//!
//! Left out: what synapses, spinal cord and attention make of it (shares of fibres stand for that), adaptation during a train, and nerves of
//! the skin beside those of the catalogue.

mod card;
mod diameters;
mod examination;
mod field;
mod map;
mod notice;
mod numb;
mod pathway;
mod recruit;
mod sampled;
mod territory;
mod twitch;
mod waveform;

use neurotome_physics::axon::{GeometryError, ThresholdError};

use crate::{anaesthesia::AnaesthesiaError, lesion::LesionError};

pub use card::{Card, Evidence, Finding, Question, card};
pub use examination::{Examination, MOST_MA, MOST_V, SodiumOf, TypicalThreshold};
pub use field::{Conductivities, TipField, at_stimulation};
pub use map::{MAX_COUNT, Map, MapPoint, MapRequest, Place, Plane, in_bone, map, moved};
pub use notice::{Answer, Noticed, notice};
pub use numb::Numbed;
pub use pathway::Pathway;
pub use recruit::{ClassThresholds, Recruitment};
pub use territory::{Territory, territory};
pub use twitch::{Trace, traces};
pub use waveform::{Circuit, Output, RATE_HZ, TestPulse, WIDTH_MS};

/// Why a test cannot be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StimulationError {
    /// A number that cannot be used.
    #[error("stimulation: {what} is {found}; expected {expected}")]
    Unsound {
        /// Which.
        what: &'static str,
        /// What was found.
        found: String,
        /// What may be.
        expected: String,
    },
    /// A nerve leaves the region computed.
    #[error(
        "stimulation: the {nerve} leaves the region computed near the needle; expected a region that holds it; enlarge [domain]"
    )]
    Outside {
        /// Its name.
        nerve: String,
    },
    /// A nerve that is too short for a fibre.
    #[error(
        "stimulation: the {nerve} is {length_mm:.1} mm long; expected at least {least_mm:.1} mm, for five nodes of Ranvier"
    )]
    TooShort {
        /// Its name.
        nerve: String,
        /// Its length, mm.
        length_mm: f64,
        /// What it needs, mm.
        least_mm: f64,
    },
    /// No nerve.
    #[error("stimulation: no nerve within {within_mm} mm of the bare metal; move the needle, or add [[nerves]]")]
    NoNerve {
        /// The reach, mm.
        within_mm: f64,
    },
    /// The catalogue lacks something.
    #[error("stimulation: the catalogue has no {kind} \"{name}\"; add the entry")]
    Catalog {
        /// Kind of entry.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// The field.
    #[error(transparent)]
    Field(#[from] LesionError),
    /// A fibre.
    #[error("stimulation: {0}")]
    Threshold(#[from] ThresholdError),
    /// The anaesthetic.
    #[error("stimulation: {0}")]
    Anaesthesia(Box<AnaesthesiaError>),
    /// A fibre's size.
    #[error("stimulation: {0}")]
    Geometry(#[from] GeometryError),
    /// The observer said stop.
    #[error("stimulation: interrupted")]
    Cancelled,
}
