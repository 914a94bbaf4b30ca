//! The solver as a plant: at each control step a reduced model answers, and every part of a second the full fields correct it.
//!
//! Within a macro step the reduced model follows the generator's voltages. At its end the solver takes one step with the rms of those
//! voltages, and the distance of its thermocouples, hottest tissue and impedances to the model's becomes the correction towards which what
//! is seen moves during the next macro step: without a jump, which a controller would answer. So the loop is closed on the full fields,
//! with a delay of one macro step of the model's error only. While that error hardly moves, macro steps grow; a voltage that leaps ends them.

use super::{Plant, ReducedError, ReducedModel, ReducedPlant, Seen};
use crate::generator::faults::Target;
use crate::lesion::{Heating, LesionError, LesionProblem, LesionResult, LesionRun};

/// A usual macro step, s.
pub const MACRO_STEP_S: f64 = 0.5;
/// How many times longer macro steps may grow.
const MOST_GROWTH: f64 = 4.0;
/// Macro steps grow while the correction moves by less than this from one to the next: thermocouples and hottest tissue, K; conductances.
const STILL: (f64, f64, f64) = (0.05, 0.2, 0.005);
/// A voltage that changes by more than this share ends a macro step that has grown.
const LEAP: f64 = 0.2;
/// Two times are the same when they are closer than this, s.
const SAME_TIME_S: f64 = 1e-9;

/// Why a solved plant cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolvedError {
    /// The problem cannot be solved.
    #[error("solved plant: {0}")]
    Lesion(#[from] LesionError),
    /// The reduced model is unusable.
    #[error("solved plant: {0}")]
    Model(#[from] ReducedError),
    /// Model and problem differ.
    #[error(
        "solved plant: the reduced model has {model_channels} channels and {model_needles} needles, the problem {channels} and {needles}; fit the model to this problem"
    )]
    Other {
        /// Channels of the model.
        model_channels: usize,
        /// Needles of the model.
        model_needles: usize,
        /// Channels of the problem.
        channels: usize,
        /// Needles of the problem.
        needles: usize,
    },
}

/// What is added to the model's temperatures, K, and by what its conductances are multiplied.
#[derive(Debug, Clone)]
struct Correction {
    thermocouples_k: Vec<f64>,
    hottest_k: f64,
    conductance: Vec<f64>,
}

/// A lesion under a generator of its own.
pub struct SolvedPlant {
    run: LesionRun,
    reduced: ReducedPlant,
    macro_step_s: f64,
    /// Length of this macro step, s, and the voltages at its start.
    step_s: f64,
    volts: Vec<f64>,
    /// Since when the voltages below were summed, s, and the sum of V² dt of each channel.
    since_s: f64,
    squares: Vec<f64>,
    before: Correction,
    after: Correction,
    seen: Seen,
}

impl SolvedPlant {
    /// Lays the problem on its grid. The model may be one fitted to a problem like it; its channels and needles must be the problem's.
    /// The problem's own drive only says how many channels there are.
    ///
    /// # Errors
    /// [`SolvedError`].
    pub fn new(problem: &LesionProblem, model: ReducedModel, macro_step_s: f64) -> Result<Self, SolvedError> {
        let run = LesionRun::new(problem)?;
        let (channels, needles) = (run.heating().channels(), problem.needles.len());
        if model.channels() != channels || model.thermocouples.len() != needles {
            return Err(SolvedError::Other {
                model_channels: model.channels(),
                model_needles: model.thermocouples.len(),
                channels,
                needles,
            });
        }
        let reduced = ReducedPlant::new(model)?;
        let start = run.heating().conductances_s();
        let of_model = &reduced.model().conductance_s;
        let correction = Correction {
            thermocouples_k: vec![0.0; needles],
            hottest_k: 0.0,
            conductance: (0..channels).map(|k| start[k][k] / of_model[k][k]).collect(),
        };
        let macro_step_s = if macro_step_s > 0.0 { macro_step_s } else { MACRO_STEP_S };
        let mut plant = Self {
            macro_step_s,
            step_s: macro_step_s,
            volts: vec![0.0; channels],
            since_s: 0.0,
            squares: vec![0.0; channels],
            before: correction.clone(),
            after: correction,
            seen: reduced.seen().clone(),
            reduced,
            run,
        };
        plant.look();
        Ok(plant)
    }

    /// The run behind it, at the last macro step.
    pub fn run(&self) -> &LesionRun {
        &self.run
    }

    /// Largest correction of a thermocouple now, K: how far the reduced model is off.
    pub fn correction_k(&self) -> f64 {
        let all = self.after.thermocouples_k.iter();
        all.fold(0.0, |m: f64, v| m.max(v.abs()))
    }

    /// Changes a coolant, counted among the model's coolants, as [`ReducedPlant::set_coolant`] and [`LesionRun::set_coolant`].
    ///
    /// # Errors
    /// [`LesionError`], when there is no such coolant.
    pub fn set_coolant(&mut self, coolant: usize, temperature_c: f64, flow_ml_per_min: f64) -> Result<(), LesionError> {
        self.solve(&mut |_| true)?;
        let needle = self
            .reduced
            .model()
            .coolants
            .get(coolant)
            .map_or(usize::MAX, |c| c.needle);
        self.run.set_coolant(needle, temperature_c, flow_ml_per_min)?;
        self.reduced.set_coolant(coolant, temperature_c, flow_ml_per_min);
        Ok(())
    }

    /// Ends the run and reads off the lesion.
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn finish(mut self) -> Result<LesionResult, LesionError> {
        self.solve(&mut |_| true)?;
        self.run.finish()
    }

    /// One macro step of the solver up to now, and the new correction.
    fn solve(&mut self, observer: &mut dyn FnMut(&Heating) -> bool) -> Result<(), LesionError> {
        let now = self.seen.t_s;
        let seconds = now - self.since_s;
        if seconds < SAME_TIME_S {
            return Ok(());
        }
        let rms: Vec<f64> = self.squares.iter().map(|s| (s / seconds).sqrt()).collect();
        self.run.set_outputs(&rms)?;
        self.run.advance_to(now, &mut |heating, _| observer(heating))?;
        self.since_s = now;
        self.squares.fill(0.0);
        self.before = self.after.clone();
        let heating = self.run.heating();
        let reading = heating.reading();
        let of_model = self.reduced.seen();
        let pairs = reading.thermocouples_c.iter().zip(&of_model.thermocouples_c);
        self.after.thermocouples_k = pairs.map(|(full, reduced)| full - reduced).collect();
        self.after.hottest_k = reading.hottest_c - of_model.hottest_c;
        if rms.iter().all(|v| *v > 0.0) {
            let conductances = heating.conductances_s();
            for (k, factor) in self.after.conductance.iter_mut().enumerate() {
                let full: f64 = conductances[k].iter().zip(&rms).map(|(g, v)| g * v).sum();
                let reduced = self.reduced.current_at(&rms, k);
                if full > 0.0 && reduced > 0.0 {
                    *factor = full / reduced;
                }
            }
        }
        self.step_s = if self.is_still() {
            (2.0 * self.step_s).min(MOST_GROWTH * self.macro_step_s)
        } else {
            self.macro_step_s
        };
        Ok(())
    }

    /// True when the correction hardly moved in the last macro step.
    fn is_still(&self) -> bool {
        let (before, after) = (&self.before, &self.after);
        let moves = |a: &[f64], b: &[f64]| a.iter().zip(b).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
        moves(&before.thermocouples_k, &after.thermocouples_k) < STILL.0
            && (before.hottest_k - after.hottest_k).abs() < STILL.1
            && moves(&before.conductance, &after.conductance) < STILL.2
    }

    /// True when a voltage is far from what it was at the start of the macro step.
    fn leaps(&self, volts: &[f64]) -> bool {
        let mut pairs = self.volts.iter().zip(volts);
        pairs.any(|(before, now)| (now - before).abs() > LEAP * before.abs())
    }

    /// What is seen: the model's answer with the correction of this moment.
    fn look(&mut self) {
        let of_model = self.reduced.seen();
        let share = ((of_model.t_s - self.since_s) / self.step_s).clamp(0.0, 1.0);
        let between = |a: f64, b: f64| a + share * (b - a);
        let (before, after) = (&self.before, &self.after);
        self.seen.t_s = of_model.t_s;
        for (k, seen) in self.seen.thermocouples_c.iter_mut().enumerate() {
            *seen = of_model.thermocouples_c[k] + between(before.thermocouples_k[k], after.thermocouples_k[k]);
        }
        self.seen.hottest_c = of_model.hottest_c + between(before.hottest_k, after.hottest_k);
        let mut power = 0.0;
        self.seen.voltage_v.clone_from(&of_model.voltage_v);
        for k in 0..self.seen.current_a.len() {
            let factor = between(before.conductance[k], after.conductance[k]);
            self.seen.current_a[k] = of_model.current_a[k] * factor;
            self.seen.impedance_ohm[k] = of_model.impedance_ohm[k] / factor;
            power += self.seen.current_a[k] * self.seen.current_a[k].abs() * self.seen.impedance_ohm[k];
        }
        self.seen.power_w = power;
    }
}

impl SolvedPlant {
    /// As [`Plant::advance`]; `observer` sees the fields after every step of the solver, and ends the run by returning false.
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn advance_watched(
        &mut self,
        volts: &[f64],
        dt_s: f64,
        observer: &mut dyn FnMut(&Heating) -> bool,
    ) -> Result<(), LesionError> {
        let end = self.seen.t_s + dt_s;
        if self.step_s > self.macro_step_s && self.leaps(volts) {
            self.solve(observer)?;
            self.step_s = self.macro_step_s;
        }
        while self.seen.t_s < end - SAME_TIME_S {
            if self.seen.t_s - self.since_s < SAME_TIME_S {
                self.volts.copy_from_slice(volts);
            }
            let stop = (self.since_s + self.step_s).min(end);
            let piece = stop - self.seen.t_s;
            self.reduced.go_on(volts, piece);
            for (sum, v) in self.squares.iter_mut().zip(volts) {
                *sum += v * v * piece;
            }
            self.look();
            if self.seen.t_s - self.since_s > self.step_s - SAME_TIME_S {
                self.solve(observer)?;
                self.look();
            }
        }
        Ok(())
    }

    /// The run, solved up to now: to go on with it when the generator has ended.
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn into_run(mut self, observer: &mut dyn FnMut(&Heating) -> bool) -> Result<LesionRun, LesionError> {
        self.solve(observer)?;
        Ok(self.run)
    }
}

impl Plant for SolvedPlant {
    fn channels(&self) -> usize {
        self.reduced.channels()
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        self.advance_watched(volts, dt_s, &mut |_| true)
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Target for SolvedPlant {
    fn set_coolant(&mut self, flow_fraction: f64, warmer_c: f64) -> Result<(), LesionError> {
        for k in 0..self.reduced.model().coolants.len() {
            let (temperature_c, flow_ml_per_min) = self.reduced.model().disturbed(k, flow_fraction, warmer_c);
            SolvedPlant::set_coolant(self, k, temperature_c, flow_ml_per_min)?;
        }
        Ok(())
    }
}
