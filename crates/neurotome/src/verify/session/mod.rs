//! The procedure as it is done: the needle's way, its measures, the judgement and the debriefing.

mod debrief;
mod needle;
mod record;

use super::Claim;

/// The claims of this group.
pub(super) const CLAIMS: &[Claim] = &[
    needle::bone_stops,
    needle::deflection,
    needle::turned_deflection,
    needle::withdrawal,
    needle::path_metrics,
    needle::nerve_metrics,
    needle::checklist,
    debrief::unchanged,
    debrief::longer_and_thicker,
    record::replay,
    record::chain,
    record::branches,
    record::refusals,
];
