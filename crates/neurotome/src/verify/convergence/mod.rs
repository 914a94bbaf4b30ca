//! Orders of convergence, and the values converged to.

mod multigrid;
mod space;
mod time;

use super::Claim;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[
    space::potential,
    space::fitted_potential,
    space::fibres,
    space::temperature,
    time::decaying_mode,
    time::forced_mode,
    multigrid::iterations,
];
