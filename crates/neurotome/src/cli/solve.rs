//! A solve with its progress on the terminal, stopped by Ctrl-C.

use std::{
    io::IsTerminal as _,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use neurotome_procedure::{
    lesion::{self, LesionProblem, LesionResult},
    nerve_death::{self, NerveHeat, NerveLaw},
};

use super::{Common, Failure};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static HANDLER: Once = Once::new();

/// From now on Ctrl-C asks the run to stop; files are whole or absent either way.
fn watch_interrupt() {
    HANDLER.call_once(|| {
        // Where no handler can be set, Ctrl-C ends the program as the system does it.
        let _ = ctrlc::set_handler(|| INTERRUPTED.store(true, Ordering::SeqCst));
    });
}

/// True once Ctrl-C was pressed.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Fails when Ctrl-C was pressed: called before anything is written.
pub(super) fn check_interrupt() -> Result<(), Failure> {
    if interrupted() {
        return Err(Failure::Interrupted("interrupted; nothing was written".to_owned()));
    }
    Ok(())
}

/// Runs `work` on as many threads as asked for.
pub(super) fn on_threads<R: Send>(threads: Option<u16>, work: impl FnOnce() -> R + Send) -> Result<R, Failure> {
    watch_interrupt();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(usize::from(threads.unwrap_or(0)))
        .build()
        .map_err(|e| {
            Failure::Input(format!(
                "cannot start {threads:?} threads: {e}; give a smaller --threads"
            ))
        })?;
    Ok(pool.install(work))
}

/// Solves with a progress bar on standard error when that is a terminal.
pub(super) fn solve(problem: &LesionProblem, common: &Common) -> Result<LesionResult, Failure> {
    watched(common, |observer| lesion::solve(problem, observer))
}

/// The same, and keeps what each nerve met by these laws of injury.
pub(super) fn solve_nerves(
    problem: &LesionProblem,
    laws: &[NerveLaw],
    common: &Common,
) -> Result<(LesionResult, Vec<NerveHeat>), Failure> {
    watched(common, |observer| nerve_death::solve(problem, laws, observer))
}

/// Runs a solve with a bar that it tells its progress.
fn watched<R: Send>(
    common: &Common,
    run: impl FnOnce(&mut dyn FnMut(lesion::Progress) -> bool) -> Result<R, lesion::LesionError> + Send,
) -> Result<R, Failure> {
    let bar = bar(common.quiet, 1000, "{bar:30} {msg} · {elapsed}");
    bar.set_message("preparing the grid");
    let result = on_threads(common.threads, || {
        run(&mut |p| {
            if p.end_s > 0.0 {
                bar.set_position((1000.0 * p.t_s / p.end_s) as u64);
            }
            bar.set_message(format!(
                "{:.1} of {:.0} s · {:.1} °C · {:.2} W · {:.0} Ω",
                p.t_s, p.end_s, p.thermocouple_c, p.power_w, p.impedance_ohm
            ));
            !interrupted()
        })
    })?;
    bar.finish_and_clear();
    Ok(result?)
}

/// A bar for work in named stages, on a terminal only.
pub(super) fn stage_bar(quiet: bool) -> ProgressBar {
    bar(quiet, 1, "{bar:30} {msg} · {pos} of {len} · {elapsed}")
}

fn bar(quiet: bool, length: u64, template: &str) -> ProgressBar {
    let show = !quiet && std::io::stderr().is_terminal();
    let target = if show {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    if show {
        bar.enable_steady_tick(Duration::from_millis(250));
    }
    bar
}
