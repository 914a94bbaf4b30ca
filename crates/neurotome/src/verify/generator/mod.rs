//! The generator, and what it meets in the patient.

mod plant;
mod twin;

use super::Claim;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[
    plant::reduced_against_full,
    plant::constant_power,
    plant::channels_superpose,
    plant::solved_against_implicit,
    plant::solved_lesion,
    plant::twin_lesion,
    twin::temperature,
    twin::pulsed_power,
    twin::cap_and_dose,
    twin::limits_and_windup,
    twin::stagger_and_mains,
    twin::saved,
    twin::campaign,
];
