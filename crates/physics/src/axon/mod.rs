//! Nerve fibres in an outside potential: will they fire, how fast do they conduct, does a block stop them?
//!
//! Myelinated fibres are double cables after McIntyre, Richardson and Grill (J Neurophysiol 2002;87:995), unmyelinated ones single cables
//! after Sundt et al. (J Neurophysiol 2015;114:3140) and Rattay and Aberham (IEEE Trans Biomed Eng 1993;40:1201). Units here are the field's own:
//! mV, ms, µm, µF, mS and hence µA; densities per cm².
//!
//! **Time.** The potential across each membrane goes on through an edge of the outside potential without a jump, so the equations are
//! stepped for these and not for the absolute potentials: backward Euler for the first step after an edge, then the second-order backward
//! differentiation formula, with the gates half a step ahead. **Space.** The ten passive compartments between two nodes of Ranvier are
//! eliminated once for each step size; each step is then two sweeps over constants and a tridiagonal system of the nodes. Four amplitudes
//! are computed at once, one in each lane of a vector.
//!
//! **Injury.** Each place that can fire has its own share of sodium channels and its own temperature, and a fibre can be severed between two of
//! them ([`Stimulated::launch`] tells whether a spike still passes). Heat acts through the gates' Q10 alone.

mod conduction;
mod gates;
mod geometry;
mod lanes;
mod myelinated;
mod threshold;
mod unmyelinated;

pub use conduction::{Launch, Passage};
pub use gates::Membrane;
pub use geometry::{Geometry, GeometryError, GeometrySet};
pub use lanes::LANES;
pub use myelinated::Myelinated;
pub use threshold::{Block, Criterion, Fibre, Outcome, Pulse, Search, Step, Stimulated, Threshold, ThresholdError};
pub use unmyelinated::Unmyelinated;

#[cfg(test)]
mod tests;
