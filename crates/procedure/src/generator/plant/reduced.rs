//! The patient in a handful of numbers: what a generator meets, at microseconds a step.
//!
//! Each source of heat (a channel's current, with a minus what a coolant takes, and the current's heat at the metal) feeds first-order states
//! with log-spaced rates; what is read is their weighted sum:
//!
//! ```text
//! dx_sm/dt = λ_m (q_s − x_sm)             states, W
//! z' = (Σ w_sm x_sm − z) / τ              lag of what is read (a thermocouple in metal)
//! y  = z + c z²                           perfusion that stops and σ(T) bend the line
//! T  = T_0 + y                            thermocouples, hottest tissue, metal at the coolant
//! f  = (1 + y) / (1 + d)                  conductance of a channel beside that at the start; d grows where tissue dries
//! I_i = G_ii f_i V_i + Σ_k≠i G_ik (f_i f_k)^p V_k,  q_i = I_i² / (G_ii f_i)
//! q°_i = q_i (1 + y) / (1 + a y_metal)    heat at the metal, y that of the channel's conductance
//! d' = k max(0, T_hot − 100 °C)
//! ```
//!
//! Where a current spreads from metal its heat per volume is J²/σ(T): tissue at the metal, warmed to a larger σ, takes a smaller part of
//! it than the cooler tissue around. After a fast ramp, when only a thin layer is warm, that part is smallest: the same whole heat makes
//! the tip less warm than it does in tissue warmed through.
//!
//! Tissue warms beside the needles, hardly between them: the resistance that two channels share stays nearly as it is, and the conductance
//! between them grows with both factors, to a power p little below one.
//!
//! The weights of one output have one sign, so that a constant heat never makes it swing. Weights, lags and bends are fitted
//! ([`super::fit`]) to runs of the full solver; a model tells how far it was from the solver in runs that the fit did not see.

use serde::{Deserialize, Serialize};

use super::{Plant, Seen};
use crate::lesion::{LesionError, coolant::stream_w_per_k};

/// Tissue boils, °C.
pub(super) const BOILING_C: f64 = 100.0;
/// Longest step that is taken at once, s: conductance and coolant stand still within one.
pub const LONGEST_STEP_S: f64 = 1e-3;
/// Flow of a stream that hardly warms, ml/min.
const FAST_ML_PER_MIN: f64 = 1000.0;
/// Conductivity and conductance fall to no less than this part of what they were at the start.
const LEAST_FACTOR: f64 = 0.05;
/// Most channels, needles and rates of a model.
const MOST: usize = 64;

/// A reduced model of electrodes in tissue: data alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReducedModel {
    /// Temperature of everything at the start, °C.
    pub initial_c: f64,
    /// Rates of the states, ascending, 1/s.
    pub rates_per_s: Vec<f64>,
    /// Conductance between the channels at the start, S.
    pub conductance_s: Vec<Vec<f64>>,
    /// Power of both channels' factors with which the conductance between them grows.
    pub between_power: f64,
    /// Relative rise of each channel's conductance.
    pub warming: Vec<Response>,
    /// Rise of each needle's thermocouple, K.
    pub thermocouples: Vec<Response>,
    /// Rise of the hottest tissue beside each needle, K.
    pub hottest: Vec<Response>,
    /// Coolants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coolants: Vec<CoolantLoop>,
    /// How fast tissue above boiling dries, 1/(K s); zero: boiling is not modelled.
    pub drying_per_k_s: f64,
    /// How much more tissue at the metal conducts with each kelvin, as a part of what it conducts at the start, 1/K.
    pub conducting_per_k: f64,
    /// How far the model was from the full solver in runs that the fit did not see.
    pub error: StatedError,
}

/// How one output follows from the states.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Lag τ, s.
    pub lag_s: f64,
    /// Bend c, one over the unit of the output.
    pub bend: f64,
    /// Weights, unit of the output per W: by source (channels, coolants, channels' heat at the metal) and rate.
    pub weights_per_w: Vec<Vec<f64>>,
}

/// The coolant of a probe as a sink that the metal's temperature drives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoolantLoop {
    /// The needle, counted from the first.
    pub needle: usize,
    /// From metal to coolant, W/K.
    pub conductance_w_per_k: f64,
    /// Temperature of the coolant at the end of its channel, °C.
    pub temperature_c: f64,
    /// Flow, ml/min; none: so much that it does not warm.
    pub flow_ml_per_min: Option<f64>,
    /// Rise of the metal as the coolant meets it, K.
    pub wall: Response,
}

/// Largest distance to the full solver under the same voltages, over all held-out runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatedError {
    /// Thermocouples, K.
    pub thermocouple_k: f64,
    /// The same, root mean square over time, K.
    pub thermocouple_rms_k: f64,
    /// Hottest tissue while current flows, K.
    pub hottest_k: f64,
    /// Impedance, relative.
    pub impedance_relative: f64,
    /// Thermocouples while a coolant fails, K; zero without a coolant.
    pub coolant_failure_k: f64,
    /// Highest thermocouple up to which this was tried, °C.
    pub up_to_c: f64,
}

/// Why a reduced model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReducedError {
    /// The model's numbers do not belong together.
    #[error("reduced plant: {found}; expected {expected}; fit the model again")]
    Model {
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A state does not belong to the model.
    #[error("reduced plant: a state of {found} numbers; expected {expected}; take it from the same model")]
    State {
        /// Numbers found.
        found: usize,
        /// Numbers expected.
        expected: usize,
    },
}

impl ReducedModel {
    /// Channels.
    pub fn channels(&self) -> usize {
        self.conductance_s.len()
    }

    /// Sources of heat: channels, coolants, then the channels' heat at the metal.
    pub fn sources(&self) -> usize {
        2 * self.channels() + self.coolants.len()
    }

    /// All outputs in the order of their states: conductances, thermocouples, hottest, metal at the coolants.
    pub fn responses(&self) -> impl Iterator<Item = &Response> {
        let walls = self.coolants.iter().map(|c| &c.wall);
        self.warming
            .iter()
            .chain(&self.thermocouples)
            .chain(&self.hottest)
            .chain(walls)
    }

    /// Numbers of the model that are not zero.
    pub fn numbers(&self) -> usize {
        let of = |r: &Response| {
            let weights = r.weights_per_w.iter().flatten().filter(|w| **w != 0.0).count();
            weights + usize::from(r.lag_s != 0.0) + usize::from(r.bend != 0.0)
        };
        let n = self.channels();
        self.responses().map(of).sum::<usize>() + n * (n + 1) / 2 + self.coolants.len() + 6
    }

    /// Numbers of a state.
    pub fn state_len(&self) -> usize {
        self.sources() * self.rates_per_s.len() + self.responses().count() + self.channels() + 1
    }

    /// Temperature, °C, and flow, ml/min, of a coolant that flows at a share of what the model has and is so much warmer.
    pub(super) fn disturbed(&self, coolant: usize, flow_fraction: f64, warmer_c: f64) -> (f64, f64) {
        let of = &self.coolants[coolant];
        let flow = match of.flow_ml_per_min {
            Some(flow) => flow * flow_fraction,
            // A stream that hardly warms, or none.
            None if flow_fraction > 0.0 => FAST_ML_PER_MIN,
            None => 0.0,
        };
        (of.temperature_c + warmer_c, flow)
    }

    /// Whether the numbers belong together.
    ///
    /// # Errors
    /// [`ReducedError::Model`].
    pub fn check(&self) -> Result<(), ReducedError> {
        let fault = |found: String, expected| Err(ReducedError::Model { found, expected });
        let n = self.channels();
        let needles = self.thermocouples.len();
        let rates = &self.rates_per_s;
        if n == 0 || n > MOST || needles == 0 || needles > MOST || rates.is_empty() || rates.len() > MOST {
            return fault(
                format!("{n} channels, {needles} needles, {} rates", rates.len()),
                "1 to 64 of each",
            );
        }
        if self.conductance_s.iter().any(|row| row.len() != n)
            || (0..n).any(|i| self.conductance_s[i][i].is_nan() || self.conductance_s[i][i] <= 0.0)
            || !self.between_power.is_finite()
        {
            return fault(
                "conductances".into(),
                "a square table with a positive diagonal, and a finite power",
            );
        }
        if self.warming.len() != n || self.hottest.len() != needles || self.coolants.len() > needles {
            return fault(
                format!("{} of warming, {} of hottest", self.warming.len(), self.hottest.len()),
                "one for each channel, one for each needle",
            );
        }
        if rates.iter().any(|r| !(r.is_finite() && *r > 0.0)) {
            return fault(format!("rates {rates:?}"), "positive rates");
        }
        let sound = |r: &Response| {
            r.weights_per_w.len() == self.sources()
                && r.weights_per_w
                    .iter()
                    .all(|w| w.len() == rates.len() && w.iter().all(|v| v.is_finite()))
                && r.lag_s >= 0.0
                && r.bend.is_finite()
        };
        if !self.responses().all(sound) {
            return fault("weights".into(), "finite ones, one for each source and rate");
        }
        let coolant =
            |c: &CoolantLoop| c.needle < needles && c.conductance_w_per_k > 0.0 && c.temperature_c.is_finite();
        let sound = |v: f64| v.is_finite() && v >= 0.0;
        if !self.coolants.iter().all(coolant) || !sound(self.drying_per_k_s) || !sound(self.conducting_per_k) {
            return fault(
                "coolant, drying or conducting".into(),
                "a needle of the model, positive conductance, rates that are not negative",
            );
        }
        Ok(())
    }
}

/// A reduced model with its state: a [`Plant`].
#[derive(Debug, Clone)]
pub struct ReducedPlant {
    model: ReducedModel,
    /// States x by source and rate, W.
    x: Vec<f64>,
    /// Lagged sums z of the outputs.
    z: Vec<f64>,
    /// Dryness d of each channel.
    dry: Vec<f64>,
    /// Factors of one step: of the states, of the lags; and the step for which they stand, s.
    decay: Vec<f64>,
    follow: Vec<f64>,
    step_s: f64,
    /// Coolants' temperature, °C, and conductance to the metal at the flow, W/K.
    coolant: Vec<(f64, f64)>,
    source: Vec<f64>,
    factor: Vec<f64>,
    /// Factors to the power of the conductances between channels.
    between: Vec<f64>,
    seen: Seen,
}

/// Conductance between metal and a coolant's inlet at a flow, W/K: coolant nears the metal exponentially on its way. A negative flow
/// stands for one that does not warm.
fn at_flow(full_w_per_k: f64, flow_ml_per_min: f64) -> f64 {
    if flow_ml_per_min > 0.0 {
        let stream = stream_w_per_k(flow_ml_per_min);
        -stream * (-full_w_per_k / stream).exp_m1()
    } else if flow_ml_per_min < 0.0 {
        full_w_per_k
    } else {
        0.0
    }
}

/// What a channel has of something that each needle has: its own needle's, or the mean of all where a channel has several.
pub(super) fn of_channel(channel: usize, channels: usize, needles: usize, of: impl Fn(usize) -> f64) -> f64 {
    if channels == needles {
        of(channel)
    } else {
        (0..needles).map(of).sum::<f64>() / needles as f64
    }
}

/// Heat at the metal beside the whole heat: by the growth of the channel's conductance, that of σ there each kelvin, 1/K, and the rise
/// of the metal, K.
pub(super) fn share_at_metal(growth: f64, conducting_per_k: f64, metal_rise_k: f64) -> f64 {
    growth / f64::max(1.0 + conducting_per_k * metal_rise_k, LEAST_FACTOR)
}

impl ReducedPlant {
    /// A plant at rest.
    ///
    /// # Errors
    /// [`ReducedError::Model`].
    pub fn new(model: ReducedModel) -> Result<Self, ReducedError> {
        model.check()?;
        let (n, needles, rates) = (model.channels(), model.thermocouples.len(), model.rates_per_s.len());
        let outputs = model.responses().count();
        let mut plant = Self {
            x: vec![0.0; model.sources() * rates],
            z: vec![0.0; outputs],
            dry: vec![0.0; n],
            decay: vec![0.0; rates],
            follow: vec![0.0; outputs],
            step_s: 0.0,
            coolant: model
                .coolants
                .iter()
                .map(|c| {
                    (
                        c.temperature_c,
                        at_flow(c.conductance_w_per_k, c.flow_ml_per_min.unwrap_or(-1.0)),
                    )
                })
                .collect(),
            source: vec![0.0; model.sources()],
            factor: vec![1.0; n],
            between: vec![1.0; n],
            seen: Seen {
                t_s: 0.0,
                thermocouples_c: vec![model.initial_c; needles],
                impedance_ohm: vec![0.0; n],
                voltage_v: vec![0.0; n],
                current_a: vec![0.0; n],
                power_w: 0.0,
                hottest_c: model.initial_c,
            },
            model,
        };
        plant.look(&vec![0.0; n]);
        Ok(plant)
    }

    /// The model.
    pub fn model(&self) -> &ReducedModel {
        &self.model
    }

    /// Back to the start: nothing is warm, the coolant as the model has it.
    pub fn reset(&mut self) {
        self.x.fill(0.0);
        self.z.fill(0.0);
        self.dry.fill(0.0);
        for (now, c) in self.coolant.iter_mut().zip(&self.model.coolants) {
            *now = (
                c.temperature_c,
                at_flow(c.conductance_w_per_k, c.flow_ml_per_min.unwrap_or(-1.0)),
            );
        }
        self.seen.t_s = 0.0;
        self.look(&vec![0.0; self.model.channels()]);
    }

    /// Changes a coolant (counted among the model's coolants) from now on: °C at the end of its channel, ml/min (zero: it stands still; negative:
    /// it does not warm). False when there is no such coolant or a value is not finite.
    pub fn set_coolant(&mut self, coolant: usize, temperature_c: f64, flow_ml_per_min: f64) -> bool {
        let (Some(of), Some(now)) = (self.model.coolants.get(coolant), self.coolant.get_mut(coolant)) else {
            return false;
        };
        if !(temperature_c.is_finite() && flow_ml_per_min.is_finite()) {
            return false;
        }
        *now = (temperature_c, at_flow(of.conductance_w_per_k, flow_ml_per_min));
        true
    }

    /// Lets the coolant flow without a current for a time; then time begins anew.
    pub fn settle(&mut self, seconds: f64) {
        let off = vec![0.0; self.model.channels()];
        self.go_on(&off, seconds);
        self.seen.t_s = 0.0;
    }

    /// The coolants flow at a share of the model's flow, so much warmer, °C.
    pub fn disturb_coolant(&mut self, flow_fraction: f64, warmer_c: f64) {
        for k in 0..self.coolant.len() {
            let (temperature_c, flow) = self.model.disturbed(k, flow_fraction, warmer_c);
            self.set_coolant(k, temperature_c, flow);
        }
    }

    /// The state in numbers, time included.
    pub fn state(&self) -> Vec<f64> {
        let parts = self.x.iter().chain(&self.z).chain(&self.dry);
        parts.copied().chain([self.seen.t_s]).collect()
    }

    /// Takes a state over; nothing flows until the next step.
    ///
    /// # Errors
    /// [`ReducedError::State`].
    pub fn set_state(&mut self, state: &[f64]) -> Result<(), ReducedError> {
        let expected = self.model.state_len();
        if state.len() != expected {
            return Err(ReducedError::State {
                found: state.len(),
                expected,
            });
        }
        let (x, rest) = state.split_at(self.x.len());
        let (z, rest) = rest.split_at(self.z.len());
        let (dry, rest) = rest.split_at(self.dry.len());
        self.x.copy_from_slice(x);
        self.z.copy_from_slice(z);
        self.dry.copy_from_slice(dry);
        self.seen.t_s = rest[0];
        self.look(&vec![0.0; self.model.channels()]);
        Ok(())
    }

    /// Goes on by a time with the voltages held; steps are at most [`LONGEST_STEP_S`].
    pub fn go_on(&mut self, volts: &[f64], dt_s: f64) {
        if dt_s.is_nan() || dt_s <= 0.0 {
            return;
        }
        let steps = (dt_s / LONGEST_STEP_S - 1e-9).ceil().clamp(1.0, 1e9);
        self.prepare(dt_s / steps);
        for _ in 0..steps as u64 {
            self.step(volts);
        }
        self.seen.t_s += dt_s;
        self.look(volts);
    }

    fn prepare(&mut self, step_s: f64) {
        if step_s == self.step_s {
            return;
        }
        self.step_s = step_s;
        for (d, rate) in self.decay.iter_mut().zip(&self.model.rates_per_s) {
            *d = (-rate * step_s).exp();
        }
        for (f, r) in self.follow.iter_mut().zip(self.model.responses()) {
            *f = if r.lag_s > 0.0 {
                1.0 - (-step_s / r.lag_s).exp()
            } else {
                1.0
            };
        }
    }

    /// Value of an output, by the order of [`ReducedModel::responses`].
    fn value(z: f64, response: &Response) -> f64 {
        z + response.bend * z * z
    }

    fn voltage(volts: &[f64], k: usize) -> f64 {
        volts.get(k).copied().unwrap_or(0.0)
    }

    /// Factors of the conductances, and currents at these voltages.
    fn currents(&mut self, volts: &[f64]) {
        let n = self.model.channels();
        for (k, f) in self.factor.iter_mut().enumerate() {
            let rise = Self::value(self.z[k], &self.model.warming[k]);
            *f = f64::max(1.0 + rise, LEAST_FACTOR) / (1.0 + self.dry[k]);
        }
        if n > 1 {
            for (b, f) in self.between.iter_mut().zip(&self.factor) {
                *b = f.powf(self.model.between_power);
            }
        }
        for i in 0..n {
            self.seen.current_a[i] = self.current_at(volts, i);
        }
    }

    /// Current of a channel that these voltages would make now, A rms.
    pub(super) fn current_at(&self, volts: &[f64], channel: usize) -> f64 {
        let mut sum = 0.0;
        for (k, conductance) in self.model.conductance_s[channel].iter().enumerate() {
            let growth = if k == channel {
                self.factor[k]
            } else {
                self.between[channel] * self.between[k]
            };
            sum += conductance * growth * Self::voltage(volts, k);
        }
        sum
    }

    fn step(&mut self, volts: &[f64]) {
        self.currents(volts);
        let (n, needles) = (self.model.channels(), self.model.thermocouples.len());
        let at_metal = n + self.model.coolants.len();
        for i in 0..n {
            let current = self.seen.current_a[i];
            self.source[i] = current * current / (self.model.conductance_s[i][i] * self.factor[i]);
            let share = share_at_metal(
                self.factor[i] * (1.0 + self.dry[i]),
                self.model.conducting_per_k,
                self.metal_rise_k(i),
            );
            self.source[at_metal + i] = share * self.source[i];
        }
        for (c, (of, (inlet_c, conductance))) in self.model.coolants.iter().zip(&self.coolant).enumerate() {
            let wall = self.model.initial_c + Self::value(self.z[n + 2 * needles + c], &of.wall);
            self.source[n + c] = conductance * (wall - inlet_c);
        }
        let rates = self.decay.len();
        for (states, q) in self.x.chunks_exact_mut(rates).zip(&self.source) {
            for (x, d) in states.iter_mut().zip(&self.decay) {
                *x = q + (*x - q) * d;
            }
        }
        let responses = self.model.warming.iter();
        let responses = responses
            .chain(&self.model.thermocouples)
            .chain(&self.model.hottest)
            .chain(self.model.coolants.iter().map(|c| &c.wall));
        for ((z, f), response) in self.z.iter_mut().zip(&self.follow).zip(responses) {
            let mut sum = 0.0;
            for (weights, states) in response.weights_per_w.iter().zip(self.x.chunks_exact(rates)) {
                for (w, x) in weights.iter().zip(states) {
                    sum += w * x;
                }
            }
            *z += f * (sum - *z);
        }
        if self.model.drying_per_k_s > 0.0 {
            for k in 0..n {
                let over = self.hot(k) - BOILING_C;
                if over > 0.0 {
                    self.dry[k] += self.step_s * self.model.drying_per_k_s * over;
                }
            }
        }
    }

    /// Rise of the metal of a channel, K: where a coolant meets it, else where the thermocouple is.
    fn metal_rise_k(&self, channel: usize) -> f64 {
        let (n, needles) = (self.model.channels(), self.model.thermocouples.len());
        let of = |needle: usize| match self.model.coolants.iter().position(|c| c.needle == needle) {
            Some(c) => Self::value(self.z[n + 2 * needles + c], &self.model.coolants[c].wall),
            None => Self::value(self.z[n + needle], &self.model.thermocouples[needle]),
        };
        of_channel(channel, n, needles, of)
    }

    /// Hottest tissue of a channel as if water did not boil, °C; a channel that has several needles has the hottest of all.
    fn hot(&self, channel: usize) -> f64 {
        let (n, needles) = (self.model.channels(), self.model.hottest.len());
        let of = |k: usize| self.model.initial_c + Self::value(self.z[n + needles + k], &self.model.hottest[k]);
        if n == needles {
            of(channel)
        } else {
            (0..needles).map(of).fold(f64::NEG_INFINITY, f64::max)
        }
    }

    /// Fills what is seen.
    fn look(&mut self, volts: &[f64]) {
        self.currents(volts);
        let (n, needles) = (self.model.channels(), self.model.thermocouples.len());
        let mut power = 0.0;
        for k in 0..n {
            let (v, current) = (Self::voltage(volts, k), self.seen.current_a[k]);
            power += v * current;
            self.seen.voltage_v[k] = v;
            self.seen.impedance_ohm[k] = if v > 0.0 && current > 0.0 {
                v / current
            } else {
                1.0 / (self.model.conductance_s[k][k] * self.factor[k])
            };
        }
        self.seen.power_w = power;
        let mut hottest = f64::NEG_INFINITY;
        for k in 0..needles {
            self.seen.thermocouples_c[k] =
                self.model.initial_c + Self::value(self.z[n + k], &self.model.thermocouples[k]);
            let hot = self.model.initial_c + Self::value(self.z[n + needles + k], &self.model.hottest[k]);
            hottest = f64::max(hottest, hot);
        }
        self.seen.hottest_c = if self.model.drying_per_k_s > 0.0 {
            f64::min(hottest, BOILING_C)
        } else {
            hottest
        };
    }
}

impl Plant for ReducedPlant {
    fn channels(&self) -> usize {
        self.model.channels()
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        self.go_on(volts, dt_s);
        Ok(())
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}
