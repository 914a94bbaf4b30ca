//! The coupled run in time: current at extrapolated σ(T), heat by second-order backward differences, injury inside the step.
//!
//! Per step: σ at the extrapolated temperature → unit potential → heat at one volt → one heat solve, and a
//! correction when the thermocouple sets the voltage (`T` is linear in `V²` within a step) → injury integrated on the quadratic in time
//! through the last three temperatures. Steps follow the difference to the extrapolation; each switching of the drive starts
//! anew with one small backward Euler step.

use std::sync::Arc;

use neurotome_base::parallel::for_blocks;
use neurotome_physics::{
    current::{Current, CurrentState},
    grid::{CellField, Interpolator},
    heat::{Heat, History},
    injury::cem43_rate_min_per_s,
    linear::Solved,
    medium::Medium,
};
use rayon::prelude::*;

use super::{
    Curves, Drive, Evidence, LesionError, LesionProblem, Needle, Perfusion, Progress, Snapshot,
    measure::Measure,
    setup::{LesionFrame, Setup, thermocouple},
};

/// First step after a switching, s.
const FIRST_STEP_S: f64 = 0.004;
/// Shortest step while the thermocouple sets the voltage, s. The thermocouple lags the tissue through the metal, so that a
/// controller asked to be exact at ever shorter times answers with ever wilder pulses; real ones sample at such intervals.
const CONTROL_STEP_S: f64 = 0.1;
/// Relative residual of the response of temperature to one V².
const ROUGH: f64 = 1e-4;
/// Longest step, s.
const LONGEST_STEP_S: f64 = 4.0;
/// Latent heat of vaporisation of water, J/kg, spread over this range of temperatures, °C.
const LATENT_J_PER_KG: f64 = 2.257e6;
const LATENT_RANGE_C: (f64, f64) = (98.0, 102.0);

/// A finished run on one grid.
pub(super) struct Run {
    pub interpolator: Interpolator,
    pub metal_share: f64,
    pub snapshots: Vec<Snapshot>,
    pub curves: Curves,
    pub evidence: Evidence,
    pub state: State,
    /// Index in the curves of the last reading with the drive on.
    pub heated_at: usize,
    /// Ω = 1 at the end of heating: width, length, volume.
    pub heated: Option<super::Contour>,
}

/// The fields that a run carries.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// Temperature of every cell, °C.
    pub temperature: Vec<f64>,
    /// Temperature of every cell at the end of heating, °C.
    pub heated: Vec<f64>,
    /// Highest temperature of every tissue cell, °C.
    pub peak: Vec<f64>,
    /// Arrhenius integral of every tissue cell.
    pub omega: Vec<f64>,
    /// Thermal dose of every tissue cell, equivalent minutes at 43 °C.
    pub cem43: Vec<f64>,
}

#[derive(Default)]
struct Iterations {
    solves: usize,
    total: usize,
    most: usize,
    residual: f64,
}

impl Iterations {
    fn add(&mut self, s: &Solved) {
        self.solves += 1;
        self.total += s.iterations;
        self.most = self.most.max(s.iterations);
        self.residual = self.residual.max(s.residual);
    }

    fn mean(&self) -> f64 {
        self.total as f64 / self.solves.max(1) as f64
    }
}

/// Runs the problem on a grid with cells `factor` times as large and the step tolerance times `slack`.
pub(super) fn run(
    problem: &LesionProblem,
    factor: f64,
    slack: f64,
    observer: &mut dyn FnMut(Progress) -> bool,
) -> Result<Run, LesionError> {
    let Setup { grid, medium } = Setup::new(problem, factor)?;
    let n = grid.cells();
    let tissue = grid.tissue_cells;
    let fractions: Vec<f64> = problem.needles.iter().flat_map(Needle::potential_fractions).collect();
    let mut current = Current::new(&grid, &fractions);
    let mut heat = Heat::new(&grid, &medium);
    let interpolator = Interpolator::new(Arc::clone(&grid));
    let thermocouple = thermocouple(problem, &interpolator, medium.metal_share)?;
    let t0 = problem.initial_temperature_c;
    let read = |rise: &[f64]| t0 + thermocouple.iter().map(|(i, w)| w * rise[*i]).sum::<f64>();
    let frame = LesionFrame::new(&problem.needles);
    let measure = Measure::new(problem, frame);

    let end_s = problem.heating_s + problem.cooling_s;
    let mut switches = vec![problem.heating_s];
    if let Drive::Temperature { ramp_s, .. } = problem.drive
        && ramp_s < problem.heating_s
    {
        switches.push(ramp_s);
    }
    let mut stops: Vec<f64> = problem
        .output_times_s
        .iter()
        .copied()
        .filter(|&t| t > 0.0 && t < end_s)
        .collect();
    stops.extend(switches.iter().copied().filter(|&t| t > 0.0 && t < end_s));
    stops.push(end_s);
    stops.sort_by(f64::total_cmp);
    stops.dedup_by(|a, b| (*a - *b).abs() < 1e-9);

    let linear = problem.solver.linear_tolerance;
    let tolerance = problem.solver.step_tolerance_k * slack;
    let mut state = State {
        temperature: vec![t0; n],
        heated: vec![t0; n],
        peak: vec![t0; tissue],
        omega: vec![0.0; tissue],
        cem43: vec![0.0; tissue],
    };
    let mut perfusion = if problem.perfusion == Perfusion::Off {
        vec![0.0; n]
    } else {
        medium.perfusion.clone()
    };
    let fixed = |i: usize, perfusion: &[f64], heat: &Heat| {
        perfusion[i] * (problem.blood.temperature_c - t0) + heat.outer[i] * (problem.boundary_temperature_c - t0)
    };
    let mut history = History::new(0.0, vec![0.0; n]);
    let (mut potential_iterations, mut heat_iterations) = (Iterations::default(), Iterations::default());
    let mut evidence = Evidence {
        cells: n,
        faces: grid.faces.len(),
        min_temperature_c: t0,
        ..Evidence::default()
    };
    let mut curves = Curves::default();
    let mut snapshots = Vec::new();
    let mut heated_contour = None;
    let mut heated_at = 0;

    // Work space.
    let mut power_at_one_volt = vec![0.0; n];
    let (mut predicted, mut temperature) = (vec![0.0; n], vec![0.0; n]);
    let (mut base, mut b) = (vec![0.0; n], vec![0.0; n]);
    let mut response = vec![0.0; n];
    let mut last_shift = 1.0;
    let mut capacity = medium.capacity.clone();
    let mut spare: Vec<f64> = vec![0.0; n];
    let mut potential_before: Option<(f64, Vec<f64>)> = None;

    let solve_current = |current: &mut Current,
                         temperature: &[f64],
                         heat_out: &mut [f64],
                         t: f64,
                         iterations: &mut Iterations,
                         evidence: &mut Evidence|
     -> Result<CurrentState, LesionError> {
        let s = current.solve(&grid, &medium, temperature, linear, heat_out);
        iterations.add(&s.solved);
        evidence.current_balance_relative = evidence.current_balance_relative.max(s.balance.abs());
        if !s.solved.converged {
            return Err(not_converged("potential", t, &s.solved, linear, n));
        }
        Ok(s)
    };

    // Reading at the start.
    let start = solve_current(
        &mut current,
        &state.temperature,
        &mut power_at_one_volt,
        0.0,
        &mut potential_iterations,
        &mut evidence,
    )?;
    let mut conductance = start.conductance;
    let v2 = drive_v2(problem, 0.0, conductance).unwrap_or(0.0);
    push_reading(&mut curves, problem, 0.0, t0, t0, v2, conductance);

    let controls = matches!(problem.drive, Drive::Temperature { .. });
    let shortest = |t: f64| {
        if controls && t < problem.heating_s - 1e-9 {
            CONTROL_STEP_S
        } else {
            FIRST_STEP_S
        }
    };
    let (mut t, mut step_s) = (0.0, shortest(0.0));
    let (mut energy_in, mut energy_out) = (0.0, 0.0);
    let mut power_before = v2 * conductance;
    let mut loss_before = 0.0;
    let mut voltage_squared = v2;
    let mut next_stop = 0;
    let mut stored_latent = 0.0;

    while next_stop < stops.len() {
        let stop = stops[next_stop];
        let left = stop - t;
        // Land on the stop without leaving a sliver.
        let dt = if left <= step_s * 1.0001 {
            left
        } else if left < 2.0 * step_s {
            0.5 * left
        } else {
            step_s
        };
        let t_new = if (left - dt).abs() < 1e-12 { stop } else { t + dt };
        let order_two = history.points().len() >= 2;

        // Extrapolation.
        history.extrapolate(t_new, &mut predicted);
        for_blocks(&mut temperature, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = t0 + predicted[offset + k];
            }
        });
        let on = t < problem.heating_s - 1e-12;
        if on {
            if let Some((t_before, before)) = &potential_before
                && t > *t_before
            {
                let w = (t_new - t) / (t - t_before);
                let u = &mut current.potential;
                let now = u.clone();
                for (v, (n, o)) in u.iter_mut().zip(now.iter().zip(before)) {
                    *v = n + w.min(2.0) * (n - o);
                }
                potential_before = Some((t, now));
            } else {
                potential_before = Some((t, current.potential.clone()));
            }
            let s = solve_current(
                &mut current,
                &temperature,
                &mut power_at_one_volt,
                t_new,
                &mut potential_iterations,
                &mut evidence,
            )?;
            conductance = s.conductance;
        }

        // Backward differences: shift · x_new = shift-weighted past + sources.
        let (shift, past) = history.backward_difference(t_new);
        if problem.latent_heat {
            apparent_capacity(&mut capacity, &medium, t0, &history.newest().1, &predicted);
        }
        heat.set_operator(shift, &capacity, &perfusion);
        for_blocks(&mut base, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                let i = offset + k;
                let old: f64 = history.points().iter().zip(&past).map(|(p, w)| w * p.1[i]).sum();
                *v = capacity[i] * old + fixed(i, &perfusion, &heat);
            }
        });

        let mut x = std::mem::take(&mut spare);
        x.resize(n, 0.0);
        if !on {
            voltage_squared = 0.0;
        } else if let Some(v2) = drive_v2(problem, t_new, conductance) {
            voltage_squared = v2;
        }
        x.copy_from_slice(&predicted);
        let mut solve_heat = |v2: f64, x: &mut [f64], heat: &mut Heat| {
            for_blocks(&mut b, |offset, block| {
                for (k, v) in block.iter_mut().enumerate() {
                    *v = base[offset + k] + v2 * power_at_one_volt[offset + k];
                }
            });
            let s = heat.solve(&b, x, linear);
            heat_iterations.add(&s);
            if s.converged {
                Ok(())
            } else {
                Err(not_converged("heat", t_new, &s, linear, n))
            }
        };
        solve_heat(voltage_squared, &mut x, &mut heat)?;
        if on && controls {
            // T is linear in V²: move by the response to one V² to where the thermocouple reads what it should. The response
            // need only be rough, since the last solve ends at T for the new voltage whatever it started from.
            let scale = last_shift / shift;
            for v in &mut response {
                *v *= scale;
            }
            last_shift = shift;
            let _ = heat.solve(&power_at_one_volt, &mut response, ROUGH);
            let gain: f64 = thermocouple.iter().map(|(i, w)| w * response[*i]).sum();
            let set = set_temperature(problem, t_new).unwrap_or(t0);
            let wanted = voltage_squared + (set - read(&x)) / gain;
            let v2 = wanted.max(0.0).min(limit_v2(problem, conductance));
            let change = v2 - voltage_squared;
            for_blocks(&mut x, |offset, block| {
                for (k, v) in block.iter_mut().enumerate() {
                    *v += change * response[offset + k];
                }
            });
            voltage_squared = v2;
            solve_heat(voltage_squared, &mut x, &mut heat)?;
        }

        // Error of the step, from the distance to the extrapolation.
        let distance = x
            .par_iter()
            .zip(&predicted)
            .with_min_len(4096)
            .map(|(a, b)| (a - b).abs())
            .reduce(|| 0.0, f64::max);
        let error = history.step_error(t_new, distance);
        if error > 2.0 * tolerance && dt > shortest(t) {
            step_s = (dt * (0.8 * (tolerance / error).cbrt()).clamp(0.25, 0.7)).max(shortest(t));
            evidence.rejected_steps += 1;
            spare = x;
            continue;
        }
        let growth = if error > 0.0 {
            (0.85 * (tolerance / error).cbrt()).clamp(0.5, 1.8)
        } else {
            1.5
        };
        let suggested = dt * growth;
        // A step cut short to land on a stop does not hold back the next.
        step_s = if dt < step_s && growth >= 1.0 {
            suggested.max(step_s)
        } else {
            suggested
        }
        .clamp(shortest(t_new), LONGEST_STEP_S);

        // Accepted.
        evidence.steps += 1;
        integrate_injury(problem, &mut state, t0, &history, t_new, &x);
        let power = voltage_squared * conductance;
        if problem.latent_heat {
            stored_latent += (0..tissue)
                .map(|i| (capacity[i] - medium.capacity[i]) * (x[i] - history.newest().1[i]))
                .sum::<f64>();
        }
        let rise_boundary = problem.boundary_temperature_c - t0;
        let loss = heat.losses(&x, &perfusion, rise_boundary, problem.blood.temperature_c - t0);
        if order_two {
            energy_in += 0.5 * dt * (power + power_before);
            energy_out += 0.5 * dt * (loss + loss_before);
        } else {
            energy_in += dt * power;
            energy_out += dt * loss;
        }
        (power_before, loss_before) = (power, loss);
        for (i, v) in state.temperature.iter_mut().enumerate() {
            *v = t0 + x[i];
        }
        for (p, v) in state.peak.iter_mut().zip(&state.temperature) {
            *p = p.max(*v);
        }
        let coldest = state.temperature.iter().fold(f64::INFINITY, |m, v| m.min(*v));
        evidence.min_temperature_c = evidence.min_temperature_c.min(coldest);
        if problem.perfusion == Perfusion::StopsWithInjury {
            for (i, w) in state.omega.iter().enumerate() {
                if *w >= 1.0 {
                    perfusion[i] = 0.0;
                }
            }
        }
        let hottest = state.temperature[..tissue]
            .iter()
            .fold(f64::NEG_INFINITY, |m, v| m.max(*v));
        let reading = read(&x);
        t = t_new;
        push_reading(&mut curves, problem, t, reading, hottest, voltage_squared, conductance);
        if let Some(old) = history.push(t, x) {
            spare = old;
        }
        if !observer(Progress {
            t_s: t,
            end_s,
            thermocouple_c: reading,
            power_w: power,
            impedance_ohm: 1.0 / conductance,
        }) {
            return Err(LesionError::Cancelled { t_s: t });
        }

        if (t - stop).abs() < 1e-9 {
            next_stop += 1;
            let heating_ends = (t - problem.heating_s).abs() < 1e-9;
            let asked = (t - end_s).abs() < 1e-9 || problem.output_times_s.iter().any(|&o| (o - t).abs() < 1e-9);
            if heating_ends {
                state.heated.clone_from(&state.temperature);
                heated_at = curves.t_s.len() - 1;
            }
            if asked || heating_ends {
                let snapshot = measure.snapshot(&interpolator, &medium, &state, t, voltage_squared, conductance);
                if heating_ends {
                    heated_contour = snapshot.contours.omega1;
                }
                if asked {
                    snapshots.push(snapshot);
                }
            }
            if switches.iter().any(|&s| (s - t).abs() < 1e-9) && t < end_s {
                history.restart();
                step_s = shortest(t);
                potential_before = None;
            }
        }
    }
    let stored: f64 = (0..n)
        .map(|i| medium.capacity[i] * (state.temperature[i] - t0))
        .sum::<f64>()
        + stored_latent;
    evidence.energy_balance_relative = if energy_in > 0.0 {
        (energy_in - stored - energy_out) / energy_in
    } else {
        0.0
    };
    evidence.potential_iterations_mean = potential_iterations.mean();
    evidence.potential_iterations_max = potential_iterations.most;
    evidence.heat_iterations_mean = heat_iterations.mean();
    evidence.heat_iterations_max = heat_iterations.most;
    evidence.residual_max = potential_iterations.residual.max(heat_iterations.residual);
    Ok(Run {
        metal_share: medium.metal_share,
        interpolator,
        snapshots,
        curves,
        evidence,
        state,
        heated_at,
        heated: heated_contour,
    })
}

fn not_converged(equation: &'static str, t_s: f64, s: &Solved, tolerance: f64, cells: usize) -> LesionError {
    LesionError::NotConverged {
        equation,
        t_s,
        residual: s.residual,
        tolerance,
        iterations: s.iterations,
        cells,
    }
}

/// The set temperature at a time, when there is one.
fn set_temperature(problem: &LesionProblem, t: f64) -> Option<f64> {
    match problem.drive {
        Drive::Temperature {
            set_temperature_c,
            ramp_s,
        } => {
            let share = if ramp_s > 0.0 { (t / ramp_s).min(1.0) } else { 1.0 };
            Some(problem.initial_temperature_c + share * (set_temperature_c - problem.initial_temperature_c))
        }
        _ => None,
    }
}

/// Square of the largest voltage within the generator's limits, V².
fn limit_v2(problem: &LesionProblem, conductance: f64) -> f64 {
    let l = &problem.limits;
    let by_voltage = l.voltage_v * l.voltage_v;
    let by_current = (l.current_a / conductance).powi(2);
    by_voltage.min(by_current).min(l.power_w / conductance)
}

/// Square of the voltage, V², for drives that do not look at temperature.
fn drive_v2(problem: &LesionProblem, t: f64, conductance: f64) -> Option<f64> {
    if t > problem.heating_s + 1e-9 {
        return Some(0.0);
    }
    let wanted = match problem.drive {
        Drive::Voltage { voltage_v } => voltage_v * voltage_v,
        Drive::Current { current_a } => (current_a / conductance).powi(2),
        Drive::Power { power_w } => power_w / conductance,
        Drive::Temperature { .. } => return None,
    };
    Some(wanted.min(limit_v2(problem, conductance)))
}

fn push_reading(
    curves: &mut Curves,
    problem: &LesionProblem,
    t: f64,
    thermocouple: f64,
    hottest: f64,
    v2: f64,
    conductance: f64,
) {
    let voltage = v2.sqrt();
    let set = if t <= problem.heating_s + 1e-9 {
        set_temperature(problem, t)
    } else {
        None
    };
    curves.t_s.push(t);
    curves.set_temperature_c.push(set.unwrap_or(thermocouple));
    curves.thermocouple_c.push(thermocouple);
    curves.max_tissue_c.push(hottest);
    curves.voltage_v.push(voltage);
    curves.current_a.push(voltage * conductance);
    curves.power_w.push(v2 * conductance);
    curves.impedance_ohm.push(1.0 / conductance);
}

/// Three-point Gauss quadrature of the injury rates on the polynomial in time through the new and the last temperatures.
fn integrate_injury(problem: &LesionProblem, state: &mut State, t0: f64, history: &History, t_new: f64, x: &[f64]) {
    let t = history.newest().0;
    let dt = t_new - t;
    let root = 0.6f64.sqrt();
    // Weights of (oldest used, newest, new) at each node.
    let nodes: Vec<f64> = history
        .points()
        .iter()
        .rev()
        .take(2)
        .rev()
        .map(|p| p.0)
        .chain([t_new])
        .collect();
    let used = history.points().len() - (nodes.len() - 1);
    let gauss: Vec<(f64, Vec<f64>)> = [(-root, 5.0 / 18.0), (0.0, 8.0 / 18.0), (root, 5.0 / 18.0)]
        .iter()
        .map(|(s, w)| {
            let at = t + 0.5 * dt * (1.0 + s);
            let lagrange = (0..nodes.len())
                .map(|i| {
                    (0..nodes.len())
                        .filter(|&j| j != i)
                        .map(|j| (at - nodes[j]) / (nodes[i] - nodes[j]))
                        .product()
                })
                .collect();
            (w * dt, lagrange)
        })
        .collect();
    state
        .omega
        .par_iter_mut()
        .zip(state.cem43.par_iter_mut())
        .enumerate()
        .with_min_len(2048)
        .for_each(|(i, (omega, dose))| {
            for (w, lagrange) in &gauss {
                let past: f64 = history.points()[used..]
                    .iter()
                    .zip(lagrange)
                    .map(|(p, l)| l * p.1[i])
                    .sum();
                let temperature = t0 + past + lagrange[lagrange.len() - 1] * x[i];
                *omega += w * problem.injury.rate_per_s(temperature);
                *dose += w * cem43_rate_min_per_s(temperature);
            }
        });
}

/// Heat capacity with the latent heat met between the last and the extrapolated temperature (secant of the enthalpy).
fn apparent_capacity(capacity: &mut [f64], medium: &Medium, t0: f64, last: &[f64], predicted: &[f64]) {
    let (low, high) = LATENT_RANGE_C;
    let boiled = |t: f64| ((t - low) / (high - low)).clamp(0.0, 1.0);
    for (i, water) in medium.water.iter().enumerate() {
        let (a, b) = (t0 + last[i], t0 + predicted[i]);
        let slope = if (b - a).abs() > 1e-6 {
            (boiled(b) - boiled(a)) / (b - a)
        } else if a > low && a < high {
            1.0 / (high - low)
        } else {
            0.0
        };
        capacity[i] = medium.capacity[i] + water * LATENT_J_PER_KG * slope;
    }
}

/// The field of a state that is measured and sampled.
pub(super) fn temperature_field<'a>(interpolator: &Interpolator, values: &'a [f64], metal_share: f64) -> CellField<'a> {
    let tissue = interpolator.grid().tissue_cells;
    CellField {
        tissue: &values[..tissue],
        metal: Some(&values[tissue..]),
        metal_share,
    }
}
