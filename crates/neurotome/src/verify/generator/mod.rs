//! The generator: its twin.

mod twin;

use super::Claim;

/// The claims in the order in which they are checked.
pub(super) const CLAIMS: &[Claim] = twin::CLAIMS;
