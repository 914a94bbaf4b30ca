//! Comparison with exact solutions.

pub(super) mod current;
mod heat;
mod injury;
mod lesion;
pub(super) mod setting;

use super::Claim;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[
    current::point_source,
    current::line_source,
    current::layers_in_octree,
    current::layers_at_needle,
    heat::perfused_ball,
    heat::cooling_cube,
    heat::ball_switched_on,
    injury::isothermal,
    injury::warming,
    lesion::balances,
    lesion::layered_balances,
    lesion::poses,
];
