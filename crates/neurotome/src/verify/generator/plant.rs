//! Electrodes in tissue, reduced and solved, beside the full solver.

use neurotome_io::{catalog, plants, scenario};
use neurotome_procedure::{
    generator::plant::{MACRO_STEP_S, Plant, ReducedModel, ReducedPlant, SolvedPlant, distance, held_out},
    lesion::{Heating, LesionProblem, LesionResult, solve},
};

use super::super::Report;

/// Stated error that is claimed at most, K: that of a clinical thermocouple with its display.
const STATED_K: f64 = 2.0;
/// Control steps of the proportional-integral control, s.
const CONTROL_S: f64 = 0.01;

/// At the end of a ramp to 90 °C, where the pair takes most power, its reduced plant is too warm.
const BIPOLAR: &str = "20G-10mm-bipolar";

const SOLVER: &str = "the full solver on the same cells";

type Fault = Box<dyn std::error::Error>;

fn standard(name: &str) -> Result<(LesionProblem, ReducedModel), Fault> {
    let plant = plants::find(name)?;
    let mut problem = scenario::load(&plant.source(), &catalog::built_in()?)?.problem;
    problem.solver.estimate_error = false;
    Ok((problem, plant.model))
}

/// The pair, whose stated error is not yet what is claimed of the others.
pub(super) fn bipolar_pair(report: &mut Report) {
    match plants::find(BIPOLAR) {
        Ok(p) => report.at_most(
            format!("stated error of the reduced plant {BIPOLAR}: thermocouple, K"),
            p.model.error.thermocouple_k,
            STATED_K,
            "held-out runs of the fit, plants/standard.toml",
        ),
        Err(e) => report.failed("reduced plant of a bipolar pair", e, SOLVER),
    }
}

/// Runs that no fit has seen: another set temperature than the fit's own held-out runs; by default for one plant.
pub(super) fn reduced_against_full(report: &mut Report) {
    let all = plants::standard().unwrap_or_default();
    for p in &all {
        let first = p.name == "20G-10mm";
        if p.name == BIPOLAR {
            continue;
        }
        report.at_most(
            format!("stated error of the reduced plant {}: thermocouple, K", p.name),
            p.model.error.thermocouple_k,
            STATED_K,
            "held-out runs of the fit, plants/standard.toml",
        );
        if !(first || report.full()) || report.stopped() {
            continue;
        }
        let claim = format!("reduced plant {} under the voltages of a run at 75 °C", p.name);
        let set_c = if p.model.coolants.is_empty() { 75.0 } else { 57.0 };
        match standard(&p.name).and_then(|(problem, model)| Ok(distance(&model, &held_out(&problem, set_c, false)?)?)) {
            Ok(error) => {
                report.at_most(
                    format!("{claim}: thermocouple, K"),
                    error.thermocouple_k,
                    STATED_K,
                    SOLVER,
                );
                report.at_most(
                    format!("{claim}: impedance, relative"),
                    error.impedance_relative,
                    0.05,
                    SOLVER,
                );
            }
            Err(e) => report.failed(claim, e, SOLVER),
        }
    }
}

/// At constant power the model's equations have a solution in closed form.
pub(super) fn constant_power(report: &mut Report) {
    let source = "T = T₀ + P Σ w (1 − exp(−λt)) at constant power; V I = P";
    let claim = "reduced plant at constant power";
    let compute = || -> Result<(f64, f64), Fault> {
        let (_, mut model) = standard("20G-10mm")?;
        for response in model
            .warming
            .iter_mut()
            .chain(&mut model.thermocouples)
            .chain(&mut model.hottest)
        {
            response.bend = 0.0;
            response.lag_s = 0.0;
        }
        model.warming[0].weights_per_w[0].fill(0.0);
        model.drying_per_k_s = 0.0;
        let (volts, seconds) = (15.0, 12.5);
        let power = volts * volts * model.conductance_s[0][0];
        let weights = model.thermocouples[0].weights_per_w[0].iter().zip(&model.rates_per_s);
        let rise: f64 = weights.map(|(w, rate)| -w * (-rate * seconds).exp_m1()).sum();
        let expected = model.initial_c + power * rise;
        let mut plant = ReducedPlant::new(model)?;
        for _ in 0..1250 {
            plant.advance(&[volts], seconds / 1250.0)?;
        }
        let seen = plant.seen();
        let balance = (seen.power_w - volts * volts / seen.impedance_ohm[0]) / power;
        Ok((seen.thermocouples_c[0] - expected, balance))
    };
    match compute() {
        Ok((off, balance)) => {
            report.within(format!("{claim}: thermocouple, K"), off, 0.0, 1e-9, source);
            report.within(
                format!("{claim}: power beside V²/Z, relative"),
                balance,
                0.0,
                1e-12,
                source,
            );
        }
        Err(e) => report.failed(claim, e, source),
    }
}

/// Currents of two channels are the sums of what each channel alone sends, and the reduced plant has the solver's numbers.
pub(super) fn channels_superpose(report: &mut Report) {
    let source = "linearity of ∇·(σ∇φ) = 0; reciprocity";
    let claim = "two channels in muscle";
    let compute = || -> Result<[f64; 3], Fault> {
        let (mut problem, model) = standard("20G-10mm-two-channels")?;
        problem.solver.linear_tolerance = 1e-9;
        let mut currents = Vec::new();
        let volts = [[10.0, 0.0], [0.0, 6.0], [10.0, 6.0]];
        for v in volts {
            let mut heating = Heating::new(&problem)?;
            heating.set_outputs(&v)?;
            heating.advance(0.001, &mut |_| true)?;
            currents.push(heating.reading().needle_current_a);
        }
        let sum = (currents[0][0] + currents[1][0] - currents[2][0]) / currents[2][0];
        let reciprocity = (currents[0][1] / 10.0) / (currents[1][0] / 6.0) - 1.0;
        let mut plant = ReducedPlant::new(model)?;
        plant.advance(&volts[2], 0.001)?;
        Ok([sum, reciprocity, plant.seen().current_a[0] / currents[2][0] - 1.0])
    };
    match compute() {
        Ok([sum, reciprocity, reduced]) => {
            report.within(
                format!("{claim}: current at both voltages less those at each, relative"),
                sum,
                0.0,
                1e-5,
                source,
            );
            report.within(
                format!("{claim}: current into 2 by 1 beside into 1 by 2, relative"),
                reciprocity,
                0.0,
                1e-4,
                source,
            );
            report.within(
                format!("{claim}: current of the reduced plant, relative"),
                reduced,
                0.0,
                0.01,
                SOLVER,
            );
        }
        Err(e) => report.failed(claim, e, source),
    }
}

const IMPLICIT: &str = "the solver's own control, exact at the end of each step";
const SOLVED: &str = "solved plant under proportional-integral control at 100 Hz";

/// A control from outside over the solved plant holds the full field's thermocouple as the solver's own implicit control does.
pub(super) fn solved_against_implicit(report: &mut Report) {
    let compute = || -> Result<[f64; 2], Fault> {
        let (problem, model) = short()?;
        let (solved, worst_k) = under_control(&problem, model)?;
        let held = solved.curves.t_s.iter().zip(&solved.curves.thermocouple_c);
        let held = held.filter(|(t, _)| **t > 30.0 && **t < 60.0 + 1e-9);
        Ok([held.map(|(_, c)| (c - 80.0).abs()).fold(0.0, f64::max), worst_k])
    };
    match compute() {
        Ok([off, seen]) => {
            report.at_most(
                format!("{SOLVED}: thermocouple of the full field off 80 °C while held, K"),
                off,
                0.5,
                IMPLICIT,
            );
            report.at_most(
                format!("{SOLVED}: what the generator sees off 80 °C while held, K"),
                seen,
                0.5,
                IMPLICIT,
            );
        }
        Err(e) => report.failed(SOLVED, e, IMPLICIT),
    }
}

/// The lesion is not yet as near to the one under implicit control.
pub(super) fn solved_lesion(report: &mut Report) {
    let compute = || -> Result<f64, Fault> {
        let (problem, model) = short()?;
        let implicit = solve(&problem, &mut |_| true)?;
        let (solved, _) = under_control(&problem, model)?;
        let volume = |r: &LesionResult| {
            let last = r.snapshots.last().and_then(|s| s.contours.omega1);
            last.map_or(f64::NAN, |c| c.volume_mm3)
        };
        Ok(volume(&solved) / volume(&implicit) - 1.0)
    };
    let claim = format!("{SOLVED}: volume of Ω ≥ 1 beside implicit control, relative");
    match compute() {
        Ok(volume) => report.within(claim, volume, 0.0, 0.03, IMPLICIT),
        Err(e) => report.failed(claim, e, IMPLICIT),
    }
}

/// A minute at 80 °C on coarse cells.
fn short() -> Result<(LesionProblem, ReducedModel), Fault> {
    let (mut problem, model) = standard("20G-10mm")?;
    problem.solver.cell_size = 1.5;
    problem.heating_s = 60.0;
    problem.cooling_s = 10.0;
    problem.output_times_s.clear();
    Ok((problem, model))
}

/// The same under control from outside, and how far off what is seen was while the temperature was held, K.
fn under_control(problem: &LesionProblem, model: ReducedModel) -> Result<(LesionResult, f64), Fault> {
    let mut plant = SolvedPlant::new(problem, model, MACRO_STEP_S)?;
    let worst_k = controlled(&mut plant, 80.0, 10.0, 60.0)?;
    for _ in 0..(10.0 / CONTROL_S) as usize {
        plant.advance(&[0.0], CONTROL_S)?;
    }
    Ok((plant.finish()?, worst_k))
}

/// Holds a temperature after a ramp; returns the largest distance to it from half the time on, K.
fn controlled(plant: &mut dyn Plant, set_c: f64, ramp_s: f64, heating_s: f64) -> Result<f64, Fault> {
    // V² per K and per K s: such that the loop settles in some seconds, much slower than a macro step.
    let (gain, integral) = (300.0, 60.0);
    let start_c = plant.seen().thermocouples_c[0];
    let (mut v2, mut before, mut worst) = (0.0f64, 0.0, 0.0f64);
    let steps = (heating_s / CONTROL_S).round() as usize;
    for n in 0..steps {
        let t = n as f64 * CONTROL_S;
        let wanted = start_c + (set_c - start_c) * (t / ramp_s).min(1.0);
        let error = wanted - plant.seen().thermocouples_c[0];
        v2 = (v2 + gain * (error - before) + integral * error * CONTROL_S).clamp(0.0, 3600.0);
        before = error;
        plant.advance(&[v2.sqrt()], CONTROL_S)?;
        if t > 0.5 * heating_s {
            worst = worst.max((plant.seen().thermocouples_c[0] - set_c).abs());
        }
    }
    Ok(worst)
}
