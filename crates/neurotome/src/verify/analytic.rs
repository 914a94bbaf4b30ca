//! Comparison with exact solutions.

use super::Claim;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[];
