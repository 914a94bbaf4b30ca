//! The coupled solve.

use super::{LesionProblem, LesionResult};

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
    let _ = (problem, observer);
    unreachable!("being written")
}
