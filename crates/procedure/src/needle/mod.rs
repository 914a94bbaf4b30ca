//! A needle on its way through the patient: what the hand does, where the tip goes, what is felt.
//!
//! The tip moves as a unicycle: a round tip straight on, an asymmetric one on arcs of constant curvature away from its bevel (Webster et
//! al. 2006); the shaft follows in the tip's track. Bone stops it. The tissue is not deformed, and the shaft does not push its track aside.

mod felt;
mod insertion;
mod instrument;
#[cfg(test)]
mod tests;
mod track;

pub use felt::{Felt, FeltKind, Response};
pub use insertion::{BONE_TOLERANCE_MM, Command, Insertion, NeedleError, Surroundings};
pub use instrument::{Instrument, Resistance, TipShape, resistances};
pub use track::{Track, TrackPoint, arc};
