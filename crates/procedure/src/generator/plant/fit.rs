//! A reduced model from a few runs of the full solver.
//!
//! A coarse run tells the voltage that holds the set temperature. From it follows a program of steps for one identification run in full,
//! up to near the limit; one more run overloads the tissue until it dries, where the problem has boiling. The fit sees these. Runs under
//! temperature control, at 80 and 90 °C (or at and above the problem's own set temperature), are then replayed on the model with the
//! solver's own voltages: the largest distance is the stated error.

use super::{
    identify::{Sample, Sampled, held_out, identify, overload, reference_v2},
    nonnegative::nonnegative,
    reduced::{BOILING_C, CoolantLoop, ReducedError, ReducedModel, ReducedPlant, Response, StatedError},
};
use crate::lesion::{Drive, LesionError, LesionProblem};

/// Slowest and fastest rate of the states, 1/s, and
const SLOWEST_PER_S: f64 = 1.0 / 200.0;
const FASTEST_PER_S: f64 = 8.0;
/// their number.
const RATES: usize = 7;
/// Bends tried: of the largest value of an output, this part more or less than on a straight line.
const BENDS: [f64; 12] = [-0.25, -0.2, -0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4];
/// Lags tried, s.
const LAGS_S: [f64; 8] = [0.0, 0.05, 0.1, 0.15, 0.22, 0.3, 0.45, 0.7];
/// Error allowed in one time step of the runs, as a part of the problem's own: what errors of the steps add up to must be small beside
/// what is stated.
const STEP_TOLERANCE: f64 = 0.4;
/// States slower than this stand for tissue far off, which only the whole heat warms, 1/s.
const FAR_PER_S: f64 = 0.05;
/// Tissue above this is near boiling: it bends what is fitted, K below boiling.
const NEAR_BOILING_K: f64 = 0.5;

/// What to fit with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitSettings {
    /// Cells of the identification and held-out runs, as a factor of the problem's own.
    pub cell_factor: f64,
}

impl Default for FitSettings {
    fn default() -> Self {
        Self { cell_factor: 1.0 }
    }
}

/// Why no model can be fitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A run of the solver failed.
    #[error("fitting a reduced plant: {0}")]
    Lesion(#[from] LesionError),
    /// The fitted numbers do not make a model.
    #[error("fitting a reduced plant: {0}")]
    Model(#[from] ReducedError),
    /// The problem heats nothing.
    #[error(
        "fitting a reduced plant: the probing run reached {reached_c:.1} °C; expected {expected_c:.1} °C; raise the generator's limits or choose another needle"
    )]
    Weak {
        /// Reached, °C.
        reached_c: f64,
        /// Asked for, °C.
        expected_c: f64,
    },
}

/// Fits a reduced model to a problem's electrodes; `progress` hears of each run that begins (its name, share done) and stops the fit by
/// returning false.
///
/// # Errors
/// [`FitError`].
pub fn fit(
    problem: &LesionProblem,
    settings: FitSettings,
    progress: &mut dyn FnMut(&'static str, f64) -> bool,
) -> Result<ReducedModel, FitError> {
    let mut tell = |what, share| {
        if progress(what, share) {
            Ok(())
        } else {
            Err(LesionError::Cancelled { t_s: 0.0 })
        }
    };
    let mut problem = problem.clone();
    problem.solver.cell_size *= settings.cell_factor;
    problem.solver.step_tolerance_k *= STEP_TOLERANCE;
    problem.solver.estimate_error = false;
    tell("probing", 0.0)?;
    let set_c = match problem.drive {
        Drive::Temperature { set_temperature_c, .. } => set_temperature_c,
        _ => 80.0,
    };
    let reference = reference_v2(&problem, set_c)?;
    tell("identifying", 0.1)?;
    let sampled = identify(&problem, &reference)?;
    let mut model = fitted(&sampled)?;
    if problem.boiling {
        tell("drying", 0.4)?;
        let dried = overload(&problem, &reference)?;
        model.drying_per_k_s = drying(&model, &dried)?;
    }
    let mut error = StatedError::default();
    let drives = [(set_c, false), (set_c + 10.0, false), (set_c, true)];
    for (k, (set_c, failure)) in drives.into_iter().enumerate() {
        if failure && model.coolants.is_empty() {
            continue;
        }
        tell("testing", 0.5 + 0.17 * k as f64)?;
        let run = held_out(&problem, set_c, failure)?;
        let distance = distance(&model, &run)?;
        if failure {
            error.coolant_failure_k = distance.thermocouple_k;
        } else {
            error.thermocouple_k = error.thermocouple_k.max(distance.thermocouple_k);
            error.thermocouple_rms_k = error.thermocouple_rms_k.max(distance.thermocouple_rms_k);
            error.hottest_k = error.hottest_k.max(distance.hottest_k);
            error.impedance_relative = error.impedance_relative.max(distance.impedance_relative);
            error.up_to_c = error.up_to_c.max(distance.up_to_c);
        }
    }
    for figure in [
        &mut error.thermocouple_k,
        &mut error.thermocouple_rms_k,
        &mut error.hottest_k,
        &mut error.impedance_relative,
        &mut error.coolant_failure_k,
        &mut error.up_to_c,
    ] {
        *figure = rounded(*figure);
    }
    model.error = error;
    Ok(model)
}

/// Largest distance of a model to a sampled run of the solver under the same voltages and coolant.
///
/// # Errors
/// [`ReducedError`], of a model that is none.
pub fn distance(model: &ReducedModel, run: &Sampled) -> Result<StatedError, ReducedError> {
    let mut plant = ReducedPlant::new(model.clone())?;
    let mut error = StatedError::default();
    let (mut t, mut squares) = (0.0, 0.0);
    let mut before = None;
    for sample in &run.samples {
        for (c, (temperature_c, flow)) in sample.coolant.iter().enumerate() {
            if let Some(flow) = flow {
                plant.set_coolant(c, *temperature_c, *flow);
            }
        }
        replay(&mut plant, sample, before);
        let seen = super::Plant::seen(&plant);
        let worst = seen
            .thermocouples_c
            .iter()
            .zip(&sample.thermocouples_c)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        error.thermocouple_k = error.thermocouple_k.max(worst);
        squares += worst * worst * (sample.t_s - t);
        error.up_to_c = sample.thermocouples_c.iter().fold(error.up_to_c, |m, v| m.max(*v));
        if sample.volts.iter().all(|v| *v > 0.0) {
            let hottest = sample.hottest_c.iter().fold(f64::NEG_INFINITY, |m: f64, v| m.max(*v));
            error.hottest_k = error.hottest_k.max((seen.hottest_c - hottest).abs());
            for (k, ohm) in seen.impedance_ohm.iter().enumerate() {
                let current: f64 = sample.conductance_s[k]
                    .iter()
                    .zip(&sample.volts)
                    .map(|(g, v)| g * v)
                    .sum();
                let impedance = sample.volts[k] / current;
                error.impedance_relative = error.impedance_relative.max((ohm / impedance - 1.0).abs());
            }
        }
        t = sample.t_s;
        before = Some(sample);
    }
    error.thermocouple_rms_k = (squares / t.max(f64::MIN_POSITIVE)).sqrt();
    Ok(error)
}

/// Takes a plant through one step of the solver.
fn replay(plant: &mut ReducedPlant, sample: &Sample, before: Option<&Sample>) {
    let mut volts = sample.volts.clone();
    for (seconds, share) in sample.pieces(before.map_or(0.0, |b| b.t_s), before) {
        if let Some(before) = before {
            for ((v, now), was) in volts.iter_mut().zip(&sample.volts).zip(&before.volts) {
                *v = (was * was + share * (now * now - was * was)).sqrt();
            }
        }
        plant.go_on(&volts, seconds);
    }
}

/// States of the sources at every sample, as a sensor with a lag sees them: `[sample][source * rates + rate]`.
fn lagged(run: &Sampled, rates: &[f64], lag_s: f64) -> Vec<Vec<f64>> {
    let sources = run.samples[0].source_w.len();
    let mut x = vec![0.0; sources * rates.len()];
    let mut z = x.clone();
    let mut all = Vec::with_capacity(run.samples.len());
    let mut before: Option<&Sample> = None;
    let mut decay = vec![0.0; rates.len()];
    for sample in &run.samples {
        let pieces = sample.pieces(before.map_or(0.0, |b| b.t_s), before);
        for (k, (seconds, share)) in pieces.enumerate() {
            if k == 0 {
                for (d, rate) in decay.iter_mut().zip(rates) {
                    *d = (-rate * seconds).exp();
                }
            }
            let follow = if lag_s > 0.0 {
                1.0 - (-seconds / lag_s).exp()
            } else {
                1.0
            };
            for (i, (x, z)) in x.iter_mut().zip(&mut z).enumerate() {
                let source = i / rates.len();
                let now = sample.source_w[source];
                let was = before.map_or(now, |b| b.source_w[source]);
                let q = was + share * (now - was);
                *x = q + (*x - q) * decay[i % rates.len()];
                *z += follow * (*x - *z);
            }
        }
        before = Some(sample);
        all.push(z.clone());
    }
    all
}

/// One output to be fitted: its value at the samples, none where it does not count.
struct Output<'a> {
    run: &'a Sampled,
    rates: &'a [f64],
    value: Vec<Option<f64>>,
    lags_s: &'a [f64],
    /// The channel whose heat at the metal counts by itself; none off the metal.
    at_metal: Option<usize>,
}

impl Output<'_> {
    /// The best response over lags and bends; both are then refined once.
    fn fitted(&self) -> Response {
        let mut best = (f64::INFINITY, Response::default());
        for lag_s in self.lags_s {
            let features = lagged(self.run, self.rates, *lag_s);
            for bend in BENDS {
                self.attempt(&features, *lag_s, bend, &mut best);
            }
        }
        let largest = self.largest();
        let (lag_s, bend) = (best.1.lag_s, best.1.bend * largest);
        let features = lagged(self.run, self.rates, lag_s);
        for step in [-0.04, -0.03, -0.02, -0.01, 0.01, 0.02, 0.03, 0.04] {
            self.attempt(&features, lag_s, bend + step, &mut best);
        }
        best.1
    }

    fn largest(&self) -> f64 {
        let values = self.value.iter().flatten();
        values.fold(0.0, |m: f64, v| m.max(v.abs())).max(f64::MIN_POSITIVE)
    }

    fn attempt(&self, features: &[Vec<f64>], lag_s: f64, bend: f64, best: &mut (f64, Response)) {
        let bend = bend / self.largest();
        let m = features[0].len();
        let (channels, coolants) = (self.run.conductance_s.len(), self.run.coolants.len());
        let at_metal = self.at_metal.map(|k| channels + coolants + k);
        let sign = |i: usize| match i / self.rates.len() {
            source if source < channels => 1.0,
            // What a coolant takes cools: its weights have the other sign.
            source if source < channels + coolants => -1.0,
            source if at_metal == Some(source) && self.rates[i % self.rates.len()] > FAR_PER_S => 1.0,
            _ => 0.0,
        };
        let (mut gram, mut right) = (vec![vec![0.0; m]; m], vec![0.0; m]);
        let mut t = 0.0;
        let mut rows = Vec::new();
        for ((sample, row), value) in self.run.samples.iter().zip(features).zip(&self.value) {
            let weight = (sample.t_s - t).min(0.5) + 0.05;
            t = sample.t_s;
            let Some(y) = value else { continue };
            let z = if bend == 0.0 {
                *y
            } else {
                ((1.0 + 4.0 * bend * y).max(0.01).sqrt() - 1.0) / (2.0 * bend)
            };
            for i in 0..m {
                right[i] += weight * sign(i) * row[i] * z;
                for j in 0..m {
                    gram[i][j] += weight * sign(i) * sign(j) * row[i] * row[j];
                }
            }
            rows.push((row, *y, weight));
        }
        let w = nonnegative(&gram, &right);
        let mut squares = 0.0;
        for (row, y, weight) in rows {
            let z: f64 = row.iter().enumerate().map(|(i, x)| sign(i) * w[i] * x).sum();
            squares += weight * (z + bend * z * z - y).powi(2);
        }
        if squares < best.0 {
            let signed: Vec<f64> = w.iter().enumerate().map(|(i, w)| sign(i) * w).collect();
            let weights_per_w = signed
                .chunks_exact(self.rates.len())
                .map(|c| c.iter().map(|w| rounded(*w)).collect())
                .collect();
            *best = (
                squares,
                Response {
                    lag_s,
                    bend: rounded(bend),
                    weights_per_w,
                },
            );
        }
    }
}

/// Seven digits: more are noise of the fit.
fn rounded(v: f64) -> f64 {
    if v == 0.0 || !v.is_finite() {
        return 0.0;
    }
    let digits = 6 - v.abs().log10().floor() as i32;
    // By way of a whole number over a power of ten, so that the text is short.
    if digits >= 0 {
        let scale = 10f64.powi(digits.min(300));
        (v * scale).round() / scale
    } else {
        let scale = 10f64.powi(-digits);
        (v / scale).round() * scale
    }
}

/// The model of an identification run.
fn fitted(run: &Sampled) -> Result<ReducedModel, ReducedError> {
    let rates: Vec<f64> = (0..RATES)
        .map(|k| rounded(SLOWEST_PER_S * (FASTEST_PER_S / SLOWEST_PER_S).powf(k as f64 / (RATES - 1) as f64)))
        .collect();
    let channels = run.conductance_s.len();
    let needles = run.samples[0].thermocouples_c.len();
    let cool = |hottest_c: f64| !run.boiling || hottest_c < BOILING_C - NEAR_BOILING_K;
    let output = |value: Vec<Option<f64>>, lags_s: &[f64], at_metal: Option<usize>| {
        Output {
            run,
            rates: &rates,
            value,
            lags_s,
            at_metal,
        }
        .fitted()
    };
    // A single channel may have several needles.
    let channel_of = |needle: usize| needle.min(channels - 1);
    let samples = || run.samples.iter();
    // Once tissue has boiled, conductance and heat are no longer those of wet tissue.
    let mut wet = true;
    let wet: Vec<bool> = samples()
        .map(|s| {
            wet &= s.hottest_c.iter().all(|h| cool(*h));
            wet
        })
        .collect();
    let of = |value: &dyn Fn(usize) -> f64| -> Vec<Option<f64>> {
        wet.iter().enumerate().map(|(k, wet)| wet.then(|| value(k))).collect()
    };
    let warming = (0..channels)
        .map(|k| {
            let start = run.conductance_s[k][k];
            let mut value = of(&|i| run.samples[i].conductance_s[k][k] / start - 1.0);
            for (v, s) in value.iter_mut().zip(samples()) {
                if s.volts.iter().all(|v| *v == 0.0) {
                    *v = None;
                }
            }
            output(value, &[0.0], Some(k))
        })
        .collect();
    let thermocouples = (0..needles)
        .map(|k| {
            output(
                of(&|i| run.samples[i].thermocouples_c[k] - run.initial_c),
                &LAGS_S,
                Some(channel_of(k)),
            )
        })
        .collect();
    let hottest = (0..needles)
        .map(|k| {
            // What was hottest cools to where something else is hottest: only while it warms is it one place, which is off the metal.
            let mut value = of(&|i| run.samples[i].hottest_c[k] - run.initial_c);
            let mut before_c = run.initial_c;
            for (v, s) in value.iter_mut().zip(samples()) {
                let off = s.volts.get(k).or(s.volts.first()).is_none_or(|v| *v == 0.0);
                if off || s.hottest_c[k] < before_c {
                    *v = None;
                }
                before_c = s.hottest_c[k];
            }
            output(value, &[0.0], None)
        })
        .collect();
    let coolants = run
        .coolants
        .iter()
        .enumerate()
        .map(|(c, coolant)| CoolantLoop {
            needle: coolant.needle,
            conductance_w_per_k: rounded(run.coolant_conductance(c)),
            temperature_c: coolant.temperature_c,
            flow_ml_per_min: coolant.flow_ml_per_min,
            wall: output(
                of(&|i| run.samples[i].wall_c[c] - run.initial_c),
                &[0.0],
                Some(channel_of(coolant.needle)),
            ),
        })
        .collect();
    let conductance_s = run
        .conductance_s
        .iter()
        .map(|row| row.iter().map(|g| rounded(*g)).collect());
    let model = ReducedModel {
        initial_c: run.initial_c,
        conductance_s: conductance_s.collect(),
        between_power: rounded(between_power(run)),
        warming,
        thermocouples,
        hottest,
        coolants,
        drying_per_k_s: 0.0,
        conducting_per_k: rounded(run.conducting_per_k),
        error: StatedError::default(),
        rates_per_s: rates,
    };
    model.check()?;
    Ok(model)
}

/// Power of both channels' factors with which the conductance between them grows, by least squares in the logarithm.
fn between_power(run: &Sampled) -> f64 {
    let start = &run.conductance_s;
    let (mut products, mut squares) = (0.0, 0.0);
    for s in &run.samples {
        let g = &s.conductance_s;
        for i in 0..start.len() {
            for k in 0..i {
                let both = (g[i][i] * g[k][k] / (start[i][i] * start[k][k])).ln();
                let between = (g[i][k] / start[i][k]).ln();
                if both.is_finite() && between.is_finite() {
                    products += both * between;
                    squares += both * both;
                }
            }
        }
    }
    if squares > 0.0 { products / squares } else { 1.0 }
}

/// How fast overloaded tissue dries: of rates over five decades the one whose conductance is nearest, in the logarithm.
fn drying(model: &ReducedModel, run: &Sampled) -> Result<f64, ReducedError> {
    let off = |rate: f64| -> Result<f64, ReducedError> {
        let mut model = model.clone();
        model.drying_per_k_s = rate;
        let mut plant = ReducedPlant::new(model)?;
        let (mut t, mut sum) = (0.0, 0.0);
        let mut before = None;
        for sample in &run.samples {
            let dt = sample.t_s - t;
            replay(&mut plant, sample, before);
            before = Some(sample);
            t = sample.t_s;
            for (k, ohm) in super::Plant::seen(&plant).impedance_ohm.iter().enumerate() {
                let current: f64 = sample.conductance_s[k]
                    .iter()
                    .zip(&sample.volts)
                    .map(|(g, v)| g * v)
                    .sum();
                if current > 0.0 {
                    sum += dt * (ohm * current / sample.volts[k]).ln().powi(2);
                }
            }
        }
        Ok(sum)
    };
    let mut best = (f64::INFINITY, 0.0);
    let (mut centre, mut width) = (1e-3f64.ln(), 100f64.ln() * 1.25);
    for _ in 0..4 {
        for k in -8..=8 {
            let rate = (centre + width * f64::from(k) / 8.0).exp();
            let d = off(rate)?;
            if d < best.0 {
                best = (d, rate);
            }
        }
        centre = best.1.max(1e-12).ln();
        width *= 0.2;
    }
    Ok(rounded(best.1))
}
