//! What the lesion would have been: the same needle a millimetre deeper, along the nerve, thicker, longer, hotter.
//!
//! Each change is solved in full, on cells as coarse as those of the actual needle's solve here, so that differences are due to the change
//! and not to the grid. What is told of the actual needle is therefore not that of the full solve.

mod change;
mod table;

use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use change::{Change, Thicker, thicknesses, usual_changes};
pub use table::table;

use crate::lesion::{LesionError, LesionProblem, SolverSettings, TissueInjury, solve};

/// Cells of these solves are so many times as large as by default.
pub const COARSE_CELLS: f64 = 2.0;
/// Largest error of temperature in a time step, K.
const STEP_TOLERANCE_K: f64 = 0.3;
/// Followed after heating, s: injury goes on while the tissue is hot.
const COOLING_S: f64 = 5.0;

/// Why there is no debriefing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DebriefError {
    /// No needle, or more than one.
    #[error("debriefing: {needles} needles; expected one: leave out the others, or debrief each by itself")]
    Needles {
        /// How many.
        needles: usize,
    },
    /// No nerve to be destroyed.
    #[error("debriefing: no nerve to be destroyed; expected one: give a [[nerve]] with target = true")]
    NoTarget,
    /// A solve failed.
    #[error("debriefing, {what}: {error}")]
    Lesion {
        /// Which needle.
        what: String,
        /// Why.
        error: LesionError,
    },
    /// The observer asked to stop.
    #[error("the debriefing was interrupted; nothing was written")]
    Cancelled,
}

/// A lesion in a few figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Length of the target nerve destroyed, mm.
    pub destroyed_mm: f64,
    /// Width of the lesion (Ω = 1), mm; 0 where there is none.
    pub width_mm: f64,
    /// Its volume, mm³.
    pub volume_mm3: f64,
    /// Length of nerves destroyed that are to be spared, mm.
    pub spared_nerve_mm: f64,
    /// Injured volume of tissues that are to be spared, mm³.
    pub harm_mm3: f64,
    /// The tissues, where any is injured.
    pub harm: Vec<TissueInjury>,
    /// Angle between active tip and nerve, degrees.
    pub parallel_deg: f64,
}

/// What a change makes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// The change.
    pub change: Change,
    /// In words.
    pub words: String,
    /// The lesion; none where it could not be computed.
    pub figures: Option<Figures>,
    /// Destroyed length less that of the actual needle, mm.
    pub destroyed_difference_mm: Option<f64>,
    /// Width less that of the actual lesion, mm.
    pub width_difference_mm: Option<f64>,
    /// Why there is none.
    pub fault: Option<String>,
}

/// A debriefing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Debrief {
    /// The nerve.
    pub nerve: String,
    /// Cells were so many times as large as by default.
    pub cell_size: f64,
    /// The lesion of the needle as it was.
    pub actual: Figures,
    /// The others, in the order asked for.
    pub variants: Vec<Variant>,
}

impl Debrief {
    /// The change that destroys most of the nerve without more harm than there was, where it is at least so much better, mm.
    pub fn best(&self, least_mm: f64) -> Option<&Variant> {
        let safe = |f: &Figures| {
            f.harm_mm3 <= self.actual.harm_mm3 + 1e-9 && f.spared_nerve_mm <= self.actual.spared_nerve_mm + 1e-9
        };
        self.variants
            .iter()
            .filter(|v| v.figures.as_ref().is_some_and(safe))
            .filter(|v| v.destroyed_difference_mm.is_some_and(|d| d >= least_mm))
            .max_by(|a, b| {
                let gain = |v: &Variant| v.destroyed_difference_mm.unwrap_or(0.0);
                gain(a).total_cmp(&gain(b))
            })
    }
}

/// Where a debriefing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DebriefProgress {
    /// Solves done.
    pub done: usize,
    /// Of so many.
    pub of: usize,
}

/// Solves the needle of a problem as it is and with each change. The same result with any number of threads. The observer is called now
/// and then from any thread, one at a time, and returns false to stop.
///
/// # Errors
/// [`DebriefError`]. A change that cannot be solved is no error: it is told as a fault.
pub fn debrief(
    problem: &LesionProblem,
    changes: &[Change],
    observer: &mut (dyn FnMut(DebriefProgress) -> bool + Send),
) -> Result<Debrief, DebriefError> {
    if problem.needles.len() != 1 {
        return Err(DebriefError::Needles {
            needles: problem.needles.len(),
        });
    }
    let target = change::target(problem).ok_or(DebriefError::NoTarget)?;
    let coarse = coarse(problem);
    let of = changes.len() + 1;
    let (alive, done, observer) = (AtomicBool::new(true), AtomicUsize::new(0), Mutex::new(observer));
    let tell = || {
        let progress = DebriefProgress {
            done: done.load(Ordering::Relaxed),
            of,
        };
        // Who holds the observer tells it; the others need not wait.
        if let Ok(mut observer) = observer.try_lock()
            && !observer(progress)
        {
            alive.store(false, Ordering::Relaxed);
        }
        alive.load(Ordering::Relaxed)
    };
    let one = |problem: &LesionProblem| -> Result<Figures, LesionError> {
        let result = solve(problem, &mut |_| tell())?;
        done.fetch_add(1, Ordering::Relaxed);
        let contour = result.snapshots.last().and_then(|s| s.contours.omega1);
        let harm: Vec<TissueInjury> = result.harm().cloned().collect();
        let spared = |name: &str| problem.nerves.iter().any(|n| n.name == name && !n.target);
        let nerve = problem.nerves.iter().find(|n| n.target);
        Ok(Figures {
            destroyed_mm: result
                .nerves
                .iter()
                .find(|n| n.name == target)
                .map_or(0.0, |n| n.destroyed_mm),
            width_mm: contour.map_or(0.0, |c| c.width_mm),
            volume_mm3: contour.map_or(0.0, |c| c.volume_mm3),
            spared_nerve_mm: result
                .nerves
                .iter()
                .filter(|n| spared(&n.name))
                .map(|n| n.destroyed_mm)
                .fold(0.0, std::ops::Add::add),
            harm_mm3: harm.iter().map(|t| t.injured_mm3).fold(0.0, std::ops::Add::add),
            harm,
            parallel_deg: nerve.map_or(90.0, |n| change::angle_deg(&problem.needles[0], n)),
        })
    };
    let solved: Vec<Result<Figures, LesionError>> = (0..of)
        .into_par_iter()
        .map(|k| match k.checked_sub(1) {
            None => one(&coarse),
            Some(k) => one(&changes[k].applied(&coarse)),
        })
        .collect();
    if !alive.load(Ordering::Relaxed) {
        return Err(DebriefError::Cancelled);
    }
    // The last call may have met a busy observer.
    tell();
    let mut solved = solved.into_iter();
    let actual = match solved.next() {
        Some(Ok(actual)) => actual,
        Some(Err(LesionError::Cancelled { .. })) | None => return Err(DebriefError::Cancelled),
        Some(Err(error)) => {
            return Err(DebriefError::Lesion {
                what: "the needle as it was".to_owned(),
                error,
            });
        }
    };
    let variants = changes
        .iter()
        .zip(solved)
        .map(|(change, solved)| {
            let (figures, fault) = match solved {
                Ok(figures) => (Some(figures), None),
                Err(e) => (None, Some(e.to_string())),
            };
            let than = |of: fn(&Figures) -> f64| figures.as_ref().map(|f| of(f) - of(&actual));
            Variant {
                words: change.words(),
                destroyed_difference_mm: than(|f| f.destroyed_mm),
                width_difference_mm: than(|f| f.width_mm),
                change: change.clone(),
                figures,
                fault,
            }
        })
        .collect();
    Ok(Debrief {
        nerve: target,
        cell_size: COARSE_CELLS,
        actual,
        variants,
    })
}

/// The problem on coarse cells, without what a debriefing does not look at.
fn coarse(problem: &LesionProblem) -> LesionProblem {
    LesionProblem {
        cooling_s: problem.cooling_s.min(COOLING_S),
        more_injury: Vec::new(),
        probes: Vec::new(),
        output_times_s: Vec::new(),
        more_isotherms_c: Vec::new(),
        dose_contours_min: Vec::new(),
        pad: None,
        solver: SolverSettings {
            cell_size: COARSE_CELLS,
            step_tolerance_k: STEP_TOLERANCE_K.max(problem.solver.step_tolerance_k),
            estimate_error: false,
            ..problem.solver
        },
        ..problem.clone()
    }
}

#[cfg(test)]
mod tests {
    use neurotome_base::PatientPoint;

    use super::*;
    use crate::{lesion::NerveCurve, planning::testing};

    /// A nerve along z, 1.5 mm beside a needle that points along z.
    fn problem() -> LesionProblem {
        let mut problem = testing::request().template;
        problem.anatomy = std::sync::Arc::new(crate::anatomy::Homogeneous(crate::anatomy::TissueId(0)));
        let mut needle = testing::devices()[1].needle.clone();
        needle.direction = [0.0, 0.0, -1.0];
        problem.needles = vec![needle];
        problem.heating_s = 30.0;
        problem.nerves = vec![NerveCurve {
            name: "target".to_owned(),
            points: (-40..=40).map(|z| PatientPoint::new(1.5, 0.0, f64::from(z))).collect(),
            diameter_mm: 1.0,
            target: true,
        }];
        problem
    }

    #[test]
    fn an_unchanged_needle_makes_no_difference_and_changes_go_the_right_way() {
        let changes = [
            Change::Depth { mm: 0.0 },
            Change::Aside { mm: 2.0 },
            Change::Perpendicular,
            Change::Longer { s: 30.0 },
            Change::Temperature {
                set_temperature_c: 90.0,
            },
            Change::Thickness(Thicker {
                name: "16 G".to_owned(),
                outer_diameter_mm: 1.651,
            }),
        ];
        let mut last = 0;
        let made = debrief(&problem(), &changes, &mut |p| {
            last = p.done;
            true
        })
        .unwrap();
        assert_eq!(last, 7);
        let by = |k: usize| made.variants[k].destroyed_difference_mm.unwrap();
        assert!(made.actual.destroyed_mm > 5.0, "{made:?}");
        assert_eq!(by(0), 0.0);
        assert_eq!(made.variants[0].width_difference_mm, Some(0.0));
        assert!(by(1) < -1.0 && by(2) < -1.0, "{made:?}");
        assert!(by(3) > 0.0 && by(4) > 0.0 && by(5) > 0.0, "{made:?}");
        assert!((made.variants[2].figures.as_ref().unwrap().parallel_deg - 90.0).abs() < 1e-6);
        assert!(
            made.best(0.01)
                .is_some_and(|v| v.destroyed_difference_mm >= Some(by(3)))
        );
        let text = table(&made);
        assert!(
            text.contains("as it was") && text.contains("across the nerve"),
            "{text}"
        );
    }

    #[test]
    fn what_cannot_be_debriefed_is_refused() {
        let mut none = problem();
        none.nerves[0].target = false;
        assert!(matches!(
            debrief(&none, &[], &mut |_| true),
            Err(DebriefError::NoTarget)
        ));
        none.needles.clear();
        assert!(matches!(
            debrief(&none, &[], &mut |_| true),
            Err(DebriefError::Needles { needles: 0 })
        ));
        assert!(matches!(
            debrief(&problem(), &[], &mut |_| false),
            Err(DebriefError::Cancelled)
        ));
    }
}
