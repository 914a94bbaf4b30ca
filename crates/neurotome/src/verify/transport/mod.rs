//! Injected fluid and local anaesthetic: spread, diffusion, uptake, and the block of nerve fibres.

mod block;
mod flow;
mod heating;
mod patient;
mod solute;

use super::Claim;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[
    flow::point_source,
    flow::wall,
    flow::front,
    solute::ball,
    solute::point,
    solute::uptake,
    solute::two_tissues,
    block::half_at_the_ic50,
    block::order_of_the_classes,
    block::rule_and_cable,
    block::steady_nerve,
    patient::balances,
    patient::spares_bone,
    patient::dose,
    heating::salt_orders,
];

/// Figures of practice and of injections at the nerves of rats, some of which do not hold.
pub(super) const OPEN: &[Claim] = &[patient::practice, block::injected_thresholds, block::content];
