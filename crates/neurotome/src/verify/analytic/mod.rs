//! Comparison with exact solutions.

mod boiling;
pub(super) mod current;
mod drive;
pub(super) mod fibres;
mod heat;
mod injury;
mod lesion;
pub(super) mod setting;
mod shaft;
mod vessel;

use super::Claim;

pub(super) use heat::erf;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[
    current::point_source,
    current::line_source,
    current::layers_in_octree,
    current::layers_at_needle,
    current::cut_cells_at_needle,
    fibres::sources,
    fibres::reciprocity,
    vessel::slab,
    vessel::cylinder,
    boiling::insulated_block,
    drive::injectate,
    drive::injected_ball,
    drive::rising_perfusion,
    drive::pulses_of_current,
    drive::channels,
    drive::several_laws,
    heat::perfused_ball,
    heat::cooling_cube,
    heat::ball_switched_on,
    shaft::rod,
    injury::isothermal,
    injury::warming,
    lesion::balances,
    lesion::layered_balances,
    lesion::poses,
];
