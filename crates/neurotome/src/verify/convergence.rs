//! Orders of convergence, and the values converged to.

use super::Claim;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[];
