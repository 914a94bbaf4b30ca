//! Electrodes in tissue, reduced and solved, beside the full solver.

use neurotome_io::{catalog, plants, scenario};
use neurotome_procedure::{
    catalog::find,
    generator::{
        Generator, Profile, Program, State,
        plant::{MACRO_STEP_S, Plant, ReducedModel, ReducedPlant, SolvedPlant, distance, held_out},
    },
    lesion::{Control, Drive, Heating, LesionProblem, LesionResult, solve},
};

use super::super::Report;

/// Stated error that is claimed at most, K: that of a clinical thermocouple with its display.
const STATED_K: f64 = 2.0;
/// Control steps of the proportional-integral control, s.
const CONTROL_S: f64 = 0.01;
/// The full fields correct a session's loop so often, s.
const SESSION_STEP_S: f64 = 1.0;

const SOLVER: &str = "the full solver on the same cells";

type Fault = Box<dyn std::error::Error>;

fn standard(name: &str) -> Result<(LesionProblem, ReducedModel), Fault> {
    let plant = plants::find(name)?;
    let mut problem = scenario::load(&plant.source(), &catalog::built_in()?)?.problem;
    problem.solver.estimate_error = false;
    Ok((problem, plant.model))
}

/// Runs that no fit has seen: another set temperature than the fit's own held-out runs; by default for one plant.
pub(super) fn reduced_against_full(report: &mut Report) {
    let all = plants::standard().unwrap_or_default();
    for p in &all {
        let first = p.name == "20G-10mm";
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
        for weights in &mut model.warming[0].weights_per_w {
            weights.fill(0.0);
        }
        (model.drying_per_k_s, model.conducting_per_k) = (0.0, 0.0);
        let (volts, seconds) = (15.0, 12.5);
        let power = volts * volts * model.conductance_s[0][0];
        // With a conductivity that stays as it is, the heat at the metal is all of it.
        let weights = model.thermocouples[0].weights_per_w.iter();
        let weights = weights.flat_map(|w| w.iter().zip(&model.rates_per_s));
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
        let held = held.filter(|(t, _)| **t > 0.5 * HEATING_S && **t < HEATING_S + 1e-9);
        Ok([held.map(|(_, c)| (c - SET_C).abs()).fold(0.0, f64::max), worst_k])
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

/// Volume of Ω ≥ 1 at the end, mm³.
fn lesion_mm3(result: &LesionResult) -> f64 {
    let last = result.snapshots.last().and_then(|s| s.contours.omega1);
    last.map_or(f64::NAN, |c| c.volume_mm3)
}

/// The lesion is that of implicit control.
pub(super) fn solved_lesion(report: &mut Report) {
    let compute = || -> Result<f64, Fault> {
        let (problem, model) = short()?;
        let (solved, _) = under_control(&problem, model)?;
        Ok(lesion_mm3(&solved) / lesion_mm3(&solve(&problem, &mut |_| true)?) - 1.0)
    };
    let claim = format!("{SOLVED}: volume of Ω ≥ 1 beside implicit control, relative");
    match compute() {
        Ok(volume) => report.within(claim, volume, 0.0, 0.01, IMPLICIT),
        Err(e) => report.failed(claim, e, IMPLICIT),
    }
}

/// Ramp and hold of the twin's lesion, s.
const TWIN_S: [f64; 2] = [15.0, 45.0];

/// The generator twin's lesion is that of implicit control which heats as long: the twin's clock of the hold starts when the reading comes near
/// what is set, some seconds after the ramp.
pub(super) fn twin_lesion(report: &mut Report) {
    let [ramp_s, hold_s] = TWIN_S;
    let claim = "lesion of the generator twin on the full fields";
    let compute = || -> Result<[f64; 2], Fault> {
        let (mut problem, model) = short()?;
        let catalog = catalog::built_in()?;
        let entry = find(&catalog.generators, "generic").ok_or("no generator")?;
        let mut twin = Generator::new(Profile::from_entry(entry)?, 1, 1)?;
        twin.start(Program::temperature(SET_C, ramp_s, hold_s).for_needle(&problem.needles[0]))?;
        let mut plant = SolvedPlant::new(&problem, model, SESSION_STEP_S)?;
        while !matches!(twin.state(), State::PostHeat) {
            if twin.finished() {
                return Err(format!("the twin ended as {:?}", twin.state()).into());
            }
            twin.step(&mut plant)?;
        }
        let heated_s = twin.readings().heating_s;
        let mut run = plant.into_run(&mut |_| true)?;
        run.set_outputs(&[0.0])?;
        run.advance_to(run.heating().time_s() + problem.cooling_s, &mut |_, _| true)?;
        problem.drive = hold(SET_C, ramp_s);
        problem.heating_s = heated_s;
        let implicit = solve(&problem, &mut |_| true)?;
        Ok([heated_s, lesion_mm3(&run.finish()?) / lesion_mm3(&implicit) - 1.0])
    };
    match compute() {
        Ok([heated_s, volume]) => {
            report.at_most(
                format!("{claim}: from the end of the ramp to the start of the hold, s"),
                heated_s - ramp_s - hold_s,
                10.0,
                "reading within 1 °C of what is set",
            );
            report.within(
                format!("{claim}: volume of Ω ≥ 1 beside implicit control that heats as long, relative"),
                volume,
                0.0,
                0.01,
                IMPLICIT,
            );
        }
        Err(e) => report.failed(claim, e, IMPLICIT),
    }
}

/// What the short lesions below hold, °C, after which ramp, s, and how long they are heated, s.
const SET_C: f64 = 80.0;
const RAMP_S: f64 = 10.0;
const HEATING_S: f64 = 60.0;

fn hold(set_temperature_c: f64, ramp_s: f64) -> Drive {
    Drive::Temperature {
        set_temperature_c,
        ramp_s,
        control: Control::First,
    }
}

/// A minute at 80 °C on coarse cells.
fn short() -> Result<(LesionProblem, ReducedModel), Fault> {
    let (mut problem, model) = standard("20G-10mm")?;
    problem.solver.cell_size = 1.5;
    problem.drive = hold(SET_C, RAMP_S);
    problem.heating_s = HEATING_S;
    problem.cooling_s = 10.0;
    problem.output_times_s.clear();
    Ok((problem, model))
}

/// The same under control from outside, and how far off what is seen was while the temperature was held, K.
fn under_control(problem: &LesionProblem, model: ReducedModel) -> Result<(LesionResult, f64), Fault> {
    let mut plant = SolvedPlant::new(problem, model, MACRO_STEP_S)?;
    let worst_k = controlled(&mut plant)?;
    for _ in 0..(10.0 / CONTROL_S) as usize {
        plant.advance(&[0.0], CONTROL_S)?;
    }
    Ok((plant.finish()?, worst_k))
}

/// Holds the temperature after the ramp; returns the largest distance to it from half the time on, K.
fn controlled(plant: &mut dyn Plant) -> Result<f64, Fault> {
    // V² per K and per K s: such that the loop settles in some seconds, much slower than a macro step.
    let (gain, integral) = (300.0, 60.0);
    let start_c = plant.seen().thermocouples_c[0];
    let (mut v2, mut before, mut worst) = (0.0f64, 0.0, 0.0f64);
    let steps = (HEATING_S / CONTROL_S).round() as usize;
    for n in 0..steps {
        let t = n as f64 * CONTROL_S;
        let wanted = start_c + (SET_C - start_c) * (t / RAMP_S).min(1.0);
        let error = wanted - plant.seen().thermocouples_c[0];
        v2 = (v2 + gain * (error - before) + integral * error * CONTROL_S).clamp(0.0, 3600.0);
        before = error;
        plant.advance(&[v2.sqrt()], CONTROL_S)?;
        if t > 0.5 * HEATING_S {
            worst = worst.max((plant.seen().thermocouples_c[0] - SET_C).abs());
        }
    }
    Ok(worst)
}
