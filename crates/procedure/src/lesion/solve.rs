//! The lesion solve: a run, a coarser run beside it for the stated error, and what is read off them.

use std::sync::atomic::{AtomicBool, Ordering};

use neurotome_base::PatientPoint;
use neurotome_physics::grid::{Interpolator, Place};

use super::{
    Evidence, FieldSample, FieldSampler, LesionProblem, LesionResult,
    estimate::{GROWN, estimate},
    heating::{Heating, State, temperature_field},
    leak::leaks,
    measure::{Measure, lesion_surface, ln_omega, tissue_only},
    pulse::pulse_figures,
    run::LesionRun,
    setup::LesionFrame,
    skin::skin_entries,
};

/// Cells of the second run are this much larger, and
const COARSE_FACTOR: f64 = 2.0;
/// its step tolerance this much.
const COARSE_SLACK: f64 = 2.0;

/// Where a run stands; handed to the observer after each accepted time step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Simulated time reached, s.
    pub t_s: f64,
    /// Simulated time at the end, s.
    pub end_s: f64,
    /// Thermocouple of the first needle, °C.
    pub thermocouple_c: f64,
    /// Power, W.
    pub power_w: f64,
    /// Impedance, Ω.
    pub impedance_ohm: f64,
}

/// Why a lesion cannot be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LesionError {
    /// The observer asked to stop.
    #[error("the run was cancelled at {t_s:.1} s of simulated time; nothing was written")]
    Cancelled {
        /// Simulated time reached, s.
        t_s: f64,
    },
    /// The problem cannot be solved as stated.
    #[error("{step}: {found}; expected {expected}; {advice}")]
    Problem {
        /// What was being prepared.
        step: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
        /// What to do.
        advice: String,
    },
    /// A linear solve did not converge.
    #[error(
        "{equation} solve at {t_s:.3} s did not converge: residual {residual:.2e} after {iterations} iterations, expected {tolerance:.1e}; {cells} cells"
    )]
    NotConverged {
        /// Which equation.
        equation: &'static str,
        /// Simulated time, s.
        t_s: f64,
        /// Relative residual reached.
        residual: f64,
        /// Relative residual asked for.
        tolerance: f64,
        /// Iterations spent.
        iterations: usize,
        /// Cells of the grid.
        cells: usize,
    },
}

/// Computes a lesion; `observer` hears of every accepted step and stops the run by returning false.
///
/// # Errors
/// [`LesionError`].
pub fn solve(problem: &LesionProblem, observer: &mut dyn FnMut(Progress) -> bool) -> Result<LesionResult, LesionError> {
    solve_watched(problem, observer, &mut |_| {})
}

/// The same, and `watch` sees the heating at the start and after every accepted step: what a finished run no longer holds, such as the
/// temperatures on the way.
///
/// # Errors
/// [`LesionError`].
pub fn solve_watched(
    problem: &LesionProblem,
    observer: &mut dyn FnMut(Progress) -> bool,
    watch: &mut dyn FnMut(&Heating),
) -> Result<LesionResult, LesionError> {
    // The two runs share the worker threads: what is serial in one fills the gaps of the other.
    let alive = AtomicBool::new(true);
    let mut coarse = None;
    let fine = rayon::in_place_scope(|scope| {
        if problem.solver.estimate_error {
            scope.spawn(|_| {
                coarse = Some(coarser(problem, &|| alive.load(Ordering::Relaxed)));
            });
        }
        let fine = run(problem, observer, watch);
        if fine.is_err() {
            alive.store(false, Ordering::Relaxed);
        }
        fine
    });
    let fine = fine?;
    let mut evidence = fine.heating.evidence();
    evidence.error = coarse.transpose()?.map(|coarse| estimate(&fine, &coarse));
    finished(fine, evidence)
}

fn run(
    problem: &LesionProblem,
    observer: &mut dyn FnMut(Progress) -> bool,
    watch: &mut dyn FnMut(&Heating),
) -> Result<LesionRun, LesionError> {
    let mut run = LesionRun::new(problem)?;
    watch(&run.heating);
    run.advance_to(run.end_s(), &mut |heating, progress| {
        watch(heating);
        observer(progress)
    })?;
    Ok(run)
}

/// The run for the stated error, as long as `alive`.
fn coarser(problem: &LesionProblem, alive: &dyn Fn() -> bool) -> Result<LesionRun, LesionError> {
    let mut run = LesionRun::coarser(problem, COARSE_FACTOR, COARSE_SLACK)?;
    run.contours_from_s = GROWN * problem.heating_s;
    run.advance_to(run.end_s(), &mut |_, _| alive())?;
    Ok(run)
}

/// What is read off a run at its end.
pub(super) fn finished(run: LesionRun, evidence: Evidence) -> Result<LesionResult, LesionError> {
    let LesionRun {
        heating,
        snapshots,
        curves,
        return_current_a,
        ..
    } = run;
    let problem = &heating.problem;
    let measure = Measure::new(problem, LesionFrame::new(&problem.needles));
    let lesion_surface = lesion_surface(&heating);
    let nerves = measure.nerves(&heating, &lesion_surface);
    let tissues = measure.tissues(&heating);
    let pad = match &problem.pad {
        Some(pad) => Some(pad.heating(
            (&curves.t_s, &return_current_a),
            &problem.tissues,
            &problem.blood,
            problem.law_of(pad.layers.first().map_or(0, |l| l.0)),
        )?),
        None => None,
    };
    let skin_entries = skin_entries(problem, &heating);
    let leaks = leaks(problem, &heating);
    let problem = problem.clone();
    let fields = Fields::new(heating);
    let pulse = pulse_figures(&problem, fields.interpolator.grid(), &fields, &curves);
    Ok(LesionResult {
        snapshots,
        curves,
        nerves,
        tissues,
        skin_entries,
        leaks,
        pulse,
        pad,
        evidence,
        lesion_surface,
        fields: Box::new(fields),
    })
}

struct Fields {
    interpolator: Interpolator,
    state: State,
    ln_omega: Vec<f64>,
    metal_share: f64,
}

impl Fields {
    fn new(heating: Heating) -> Self {
        Self {
            ln_omega: ln_omega(&heating.state.injuries.omega),
            metal_share: heating.medium.metal_share,
            interpolator: heating.interpolator,
            state: heating.state,
        }
    }
}

impl FieldSampler for Fields {
    fn sample(&self, p: &PatientPoint) -> Option<FieldSample> {
        let p = p.vec() * 1e-3;
        let place = self.interpolator.locate(&p)?;
        if matches!(place, Place::Metal { .. }) {
            return None;
        }
        let tissue = self.interpolator.grid().tissue_cells;
        let state = &self.state;
        let with_metal = |values| temperature_field(tissue, values, self.metal_share);
        let fields = [
            with_metal(&state.temperature),
            with_metal(&state.heated),
            tissue_only(&state.peak),
            tissue_only(&self.ln_omega),
            tissue_only(&state.injuries.cem43),
            tissue_only(&state.field),
        ];
        let [
            temperature_c,
            heated_temperature_c,
            peak_temperature_c,
            ln_omega,
            cem43,
            field,
        ] = self.interpolator.at_once(&place, &p, fields.each_ref());
        Some(FieldSample {
            temperature_c,
            peak_temperature_c,
            heated_temperature_c,
            ln_omega,
            cem43_min: cem43.max(0.0),
            field_v_per_m: field.max(0.0),
        })
    }
}
