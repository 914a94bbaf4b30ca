//! A whole run: heating and cooling, with curves at every step and snapshots at the times asked for.

use super::{
    Contours, Curves, Drive, LesionError, LesionProblem, Progress, Snapshot, drive::SAME_TIME_S, heating::Heating,
};

/// A finished run on one grid.
pub(super) struct Run {
    pub heating: Heating,
    pub snapshots: Vec<Snapshot>,
    pub curves: Curves,
    /// Current that returns through the pad at every time step, A rms.
    pub return_current_a: Vec<f64>,
    /// Index in the curves of the last reading with the drive on.
    pub heated_at: usize,
    /// Contours at the end of heating.
    pub heated: Contours,
    /// Time of the end of heating, s.
    pub heating_s: f64,
}

/// Runs the problem on a grid with cells `factor` times as large and the step tolerance times `slack`.
pub(super) fn run(
    problem: &LesionProblem,
    factor: f64,
    slack: f64,
    observer: &mut dyn FnMut(Progress) -> bool,
    watch: &mut dyn FnMut(&Heating),
) -> Result<Run, LesionError> {
    let mut heating = Heating::coarser(problem, factor, slack)?;
    let end_s = problem.heating_s + problem.cooling_s;
    let is_output = |t: f64| problem.output_times_s.iter().any(|&o| (o - t).abs() < SAME_TIME_S);
    let mut stops: Vec<f64> = problem
        .output_times_s
        .iter()
        .copied()
        .filter(|&t| t > 0.0 && t < end_s)
        .chain([problem.heating_s, end_s])
        .collect();
    stops.sort_by(f64::total_cmp);
    stops.dedup_by(|a, b| (*a - *b).abs() < SAME_TIME_S);

    let mut curves = Curves::default();
    let mut return_current_a = vec![return_current(&heating)];
    push(&mut curves, &heating);
    watch(&heating);
    let mut snapshots = Vec::new();
    let (mut heated_at, mut heated) = (0, Contours::default());
    for stop in stops {
        heating.advance_to(stop, &mut |h| {
            push(&mut curves, h);
            watch(h);
            return_current_a.push(return_current(h));
            let last = curves.t_s.len() - 1;
            observer(Progress {
                t_s: curves.t_s[last],
                end_s,
                thermocouple_c: curves.thermocouple_c[last],
                power_w: curves.power_w[last],
                impedance_ohm: curves.impedance_ohm[last],
            })
        })?;
        let heating_ends = (stop - problem.heating_s).abs() < SAME_TIME_S;
        let asked = (stop - end_s).abs() < SAME_TIME_S || is_output(stop);
        if heating_ends {
            heated_at = curves.t_s.len() - 1;
        }
        if asked || heating_ends {
            let snapshot = heating.snapshot();
            if heating_ends {
                heated.clone_from(&snapshot.contours);
            }
            if asked {
                snapshots.push(snapshot);
            }
        }
    }
    Ok(Run {
        heating,
        snapshots,
        curves,
        return_current_a,
        heated_at,
        heated,
        heating_s: problem.heating_s,
    })
}

/// What all needles together send to the return electrode, A rms.
fn return_current(heating: &Heating) -> f64 {
    heating.reading().needle_current_a.iter().sum::<f64>().abs()
}

fn push(curves: &mut Curves, heating: &Heating) {
    let r = heating.reading();
    let thermocouple = r.thermocouples_c[0];
    curves.t_s.push(r.t_s);
    curves
        .set_temperature_c
        .push(r.set_temperature_c.unwrap_or(thermocouple));
    curves.thermocouple_c.push(thermocouple);
    curves.max_tissue_c.push(r.hottest_c);
    curves.voltage_v.push(r.voltage_v[0]);
    curves.current_a.push(r.current_a);
    curves.power_w.push(r.power_w);
    curves.impedance_ohm.push(r.impedance_ohm);
    if matches!(heating.problem.drive, Drive::Pulsed { .. }) {
        curves.tip_tissue_c.push(r.tip_tissue_c);
    }
    if r.thermocouples_c.len() > 1 {
        curves
            .more_thermocouples_c
            .resize(r.thermocouples_c.len() - 1, Vec::new());
        for (all, t) in curves.more_thermocouples_c.iter_mut().zip(&r.thermocouples_c[1..]) {
            all.push(*t);
        }
    }
}
