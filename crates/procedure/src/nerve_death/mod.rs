//! The death of the nerve: from the heat that each part of each nerve met to the fibres that are cut, and whether spikes still pass.
//!
//! A [`Recorder`] watches the run ([`crate::lesion::solve_watched`], or a [`crate::lesion::Heating`] stepped by hand) and integrates several
//! published laws of injury at places along and across each nerve, not on its axis alone. [`cut`] counts fibres of each class; the laws are
//! kept apart, since what they disagree in is what is not known. [`conduction`] sends spikes through the lesion in the fibre models of
//! [`neurotome_physics::axon`].
//!
//! **Classes.** Lesions of the dog at 45 to 85 °C showed no class spared (Smith et al. 1981), so one law serves all classes; they differ in
//! where their nodes lie, in what a dead stretch of a length does to them, and in the heat at which they fall silent.

mod conduction;
mod cut;
mod heat;
mod places;

pub use conduction::{Conduction, Passes, Where, conduction};
pub use cut::{ClassCut, CutByLaw, NerveCut, cut};
pub use heat::{Kinetics, NerveHeat, NerveLaw, Recorder};
pub use places::{ACROSS, NervePlaces, kind_of};

use crate::{
    catalog::{Catalog, find},
    lesion::{LesionError, LesionProblem, LesionResult, Progress, solve_watched},
};

/// The laws of injury that nerves are judged by, in the catalogue's names; the first is that of most lesion models. Those of collagen and of
/// vessel walls tell of other things.
pub const LAWS: [&str; 4] = [
    "liver_jacques",
    "bhk_borrelli",
    "muscle_jacques_gaylor",
    "rat_sciatic_1988",
];
/// The law whose measured loss of function came back.
const REVERSIBLE: &str = "rat_sciatic_1988";

/// The laws of [`LAWS`] and the thermal dose of the catalogue's outcome.
pub fn laws(catalog: &Catalog) -> Vec<NerveLaw> {
    let arrhenius = LAWS.iter().filter_map(|name| {
        let entry = find(&catalog.injury, name)?;
        Some(NerveLaw {
            name: entry.name.clone(),
            reversible: entry.name == REVERSIBLE,
            kinetics: Kinetics::Arrhenius(entry.arrhenius()?),
        })
    });
    let dose = catalog.outcomes.first().map(|o| NerveLaw {
        name: format!("cem43_{}", o.lethal_dose_min.value),
        reversible: false,
        kinetics: Kinetics::Dose {
            minutes: o.lethal_dose_min.value,
        },
    });
    arrhenius.chain(dose).collect()
}

/// Solves a lesion and keeps what its nerves met.
///
/// # Errors
/// [`LesionError`].
pub fn solve(
    problem: &LesionProblem,
    laws: &[NerveLaw],
    observer: &mut dyn FnMut(Progress) -> bool,
) -> Result<(LesionResult, Vec<NerveHeat>), LesionError> {
    let mut recorder = Recorder::new(problem, laws);
    let result = solve_watched(problem, observer, &mut |h| recorder.see(h))?;
    Ok((result, recorder.finish()))
}

#[cfg(test)]
mod tests;
