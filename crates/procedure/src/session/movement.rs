//! A patient in pain may move, and the needle is then no longer where it was.

use neurotome_base::{Vec3, random::Stream};

use super::{Case, Event, NeedleNow, State, point};
use crate::catalog::{Movement, find};

/// Stream of the case's seed.
const STREAM: u64 = 0x6d6f_7665;
/// The tip comes no nearer to bone than this by a movement, mm.
const OFF_BONE_MM: f64 = 0.1;

/// What hurts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Heat that is felt.
    Heat,
    /// A sharp pain in a test.
    Test,
}

/// The movement that a pain leads to, drawn from the case's seed for this step of the record; none where the patient lies still, or the catalogue
/// knows nothing of it.
pub(super) fn movement(case: &Case, state: &State, cause: Cause) -> Option<Event> {
    let numbers: &Movement = find(&case.catalog.movements, state.sedation.perception())?;
    let needle = state.needle.as_ref()?;
    let share = match cause {
        Cause::Heat => numbers.heat_fraction.value,
        Cause::Test => numbers.test_fraction.value,
    };
    let drawn = Stream::new(case.seed).split(STREAM).split(state.entries as u64);
    if drawn.uniform(0) >= share {
        return None;
    }
    // In any direction, the needle held by skin and muscle: across its shaft, and along it.
    let way = Vec3::new(drawn.normal(1), drawn.normal(2), drawn.normal(3)).normalize() * numbers.distance_mm.value;
    let mut by = way;
    for _ in 0..6 {
        let moved = shifted(needle, by.into());
        if case.patient.bone_level_mm(&point(moved.tip_mm)) > OFF_BONE_MM {
            return Some(Event::PatientMoved { by_mm: by.into() });
        }
        by *= 0.5;
    }
    None
}

/// A needle that lies elsewhere in the patient.
pub(super) fn shifted(needle: &NeedleNow, by_mm: [f64; 3]) -> NeedleNow {
    let moved = |p: [f64; 3]| -> [f64; 3] { (Vec3::from(p) + Vec3::from(by_mm)).into() };
    NeedleNow {
        entry_mm: moved(needle.entry_mm),
        tip_mm: moved(needle.tip_mm),
        ..needle.clone()
    }
}
