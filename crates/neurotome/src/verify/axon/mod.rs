//! Nerve fibres: thresholds, conduction, trains and block against other programs.

mod block;
mod conduction;
mod convergence;
mod fibres;
mod needle;
mod thresholds;
mod trains;

use super::Claim;

pub(super) use block::passes_nodes;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[
    thresholds::at_a_node,
    thresholds::between_nodes,
    thresholds::thin_fibres,
    thresholds::off_the_reference,
    thresholds::c_fibres_off_the_reference,
    thresholds::c_fibres,
    thresholds::without_a_field,
    conduction::myelinated,
    conduction::unmyelinated,
    conduction::rest,
    trains::fifty_hertz,
    trains::two_hertz,
    block::myelinated,
    block::unmyelinated,
    convergence::second_order,
    convergence::length,
    convergence::linearity,
    needle::finer_cells,
    needle::conductivity,
    needle::turned,
    needle::distance,
    needle::border,
    needle::order,
];

/// Those that do not hold yet.
pub(super) const OPEN: &[Claim] = &[needle::clinic];
