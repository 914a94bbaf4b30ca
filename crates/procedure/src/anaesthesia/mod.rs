//! Local anaesthesia: an injection through the needle or into the skin, how it spreads, and which nerve fibres it blocks when.
//!
//! [`inject`] takes an [`Injection`] and gives a [`Spread`]: the fluid's share of the volume and the drug's concentration at each point and
//! time, what nerves take up, and what the body gets. [`Spread::injectate_at`] is what a lesion takes.
//!
//! A nerve follows the concentration c round it with a lag τ and to a share r of it, `dcₙ/dt = (r c − cₙ)/τ`. Of a class of fibres the share
//! [`Drug::blocked_share`] is blocked by a concentration: the fibres' thresholds are spread about the IC50. A spike passes a
//! blocked stretch that is too short: [`NerveExposure::conducting_share`] holds the rule.

mod dose;
mod error;
mod fibre;
mod injection;
mod nerve;
mod solution;
mod spread;
mod wheal;

pub use crate::catalog::FibreKind;
pub use dose::{Dose, Plasma};
pub use error::AnaesthesiaError;
pub use fibre::{ClassBlock, ConductionRule};
pub use injection::{Fascia, Injection, MAX_FOLLOW_S, TissueTransport};
pub use nerve::NerveExposure;
pub use solution::{Drug, Solution};
pub use spread::{Progress, Spread, SpreadEvidence, SpreadPoint, SpreadShare, inject};
pub use wheal::{WHEAL_DEPTH_MM, wheal_tip};
