//! Running a fibre through pulses, and the search for the weakest that fires it.

use super::lanes::{LANES, Lanes};

/// One step in time.
#[derive(Debug)]
pub struct Step<'a, F> {
    /// The fibre's factor for this step's weight of the new value.
    pub(crate) factor: &'a F,
    /// Its length, ms.
    pub(crate) dt_ms: f64,
    /// Weights of the present and of the value before in the time derivative, per ms.
    pub(crate) history: [f64; 2],
    /// By how much of the last change the potential is looked at ahead for the gates.
    pub(crate) ahead: f64,
}

/// A fibre that can be stepped, four amplitudes at once.
pub trait Fibre {
    /// Potentials and gates.
    type State: Clone;
    /// What is computed once for a step size.
    type Factor;
    /// What a unit of the outside potential drives.
    type Outside;

    /// Middles of all compartments along the fibre, µm from its start.
    fn places_um(&self) -> Vec<f64>;
    /// How many places can fire: nodes of Ranvier, or all compartments.
    fn active(&self) -> usize;
    /// The compartment of such a place, as an index into [`Fibre::places_um`].
    fn place_of(&self, active: usize) -> usize;
    /// Lets a share (0 to 1) of the sodium channels of a place that can fire take part: 0 where they are all blocked.
    fn set_sodium(&mut self, active: usize, share: f64);
    /// Sets the temperature of a place that can fire, °C: that of its gates. Passive parts do not know of it.
    fn set_temperature(&mut self, active: usize, temperature_c: f64);
    /// Cuts the fibre between a place that can fire and the next: nothing flows there any more, and both ends are sealed.
    fn sever(&mut self, after: usize);
    /// From the outside potential of a unit amplitude at all compartments, mV.
    fn outside(&self, potential_mv: &[f64]) -> Self::Outside;
    /// For a weight (per ms) of the new value in the time derivative.
    fn factor(&self, rate: f64) -> Self::Factor;
    /// Near rest.
    fn start(&self) -> Self::State;
    /// One step on; `injected` is a place that fires and a current (µA) into it.
    fn advance(
        &self,
        state: &mut Self::State,
        step: &Step<'_, Self::Factor>,
        outside: &Self::Outside,
        amplitude: Lanes,
        injected: Option<(usize, f64)>,
    );
    /// Puts the gates where they come to rest at the present potential.
    fn settle_gates(&self, state: &mut Self::State);
    /// Twice the one result less the other: what remains of a first-order error once `fine` took two steps for the one of `coarse`. The value
    /// before is that of `coarse`.
    fn extrapolate(&self, fine: &mut Self::State, coarse: &Self::State);
    /// Potential across the membrane of a place that can fire, mV.
    fn potential(&self, state: &Self::State, active: usize) -> Lanes;
}

/// A stimulus: pieces of constant level, each with its length in ms; nothing before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct Pulse {
    pieces: Vec<(f64, f64)>,
}

impl Pulse {
    /// One square pulse of level 1.
    pub fn square(width_ms: f64) -> Self {
        Self {
            pieces: vec![(width_ms, 1.0)],
        }
    }

    /// Pieces of length (ms) and level; a train has pieces of level 0 between its pulses.
    pub fn new(pieces: Vec<(f64, f64)>) -> Self {
        Self { pieces }
    }

    /// Whether all lengths are positive and all numbers finite.
    fn is_sound(&self) -> bool {
        let sound = |(width, level): &(f64, f64)| *width > 0.0 && width.is_finite() && level.is_finite();
        !self.pieces.is_empty() && self.pieces.iter().all(sound)
    }
}

/// When a fibre has fired, and when it has not.
#[derive(Debug, Clone, PartialEq)]
pub struct Criterion {
    /// Places that can fire where a spike must arrive, at any of them.
    pub arrive_at: Vec<usize>,
    /// Potential that counts as a spike, mV.
    pub spike_mv: f64,
    /// No spike will come once every place is below this, mV, …
    pub quiet_mv: f64,
    /// … so long after the stimulus, ms.
    pub quiet_after_ms: f64,
    /// Time after the stimulus at which the wait ends, ms.
    pub longest_ms: f64,
}

impl Criterion {
    /// For a myelinated fibre: a spike at the fourth node from either end.
    pub fn myelinated(nodes: usize) -> Self {
        Self {
            arrive_at: vec![3.min(nodes - 1), nodes.saturating_sub(4)],
            spike_mv: -20.0,
            quiet_mv: -65.0,
            quiet_after_ms: 0.4,
            longest_ms: 20.0,
        }
    }
}

/// Numbers of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// Step in time, ms; shortened so that pieces of the stimulus are whole numbers of steps.
    pub dt_ms: f64,
    /// The bracket of the threshold is narrowed to this share of it.
    pub tolerance: f64,
    /// Where to look first.
    pub guess: f64,
    /// Largest amplitude looked at.
    pub most: f64,
}

/// What came of a stimulus in each lane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Whether a spike arrived.
    pub fired: [bool; LANES],
    /// When it arrived, ms from the start of the stimulus.
    pub arrival_ms: [f64; LANES],
    /// Whether the stimulus itself held a place above the potential of a spike: only then can it have stopped one.
    pub driven: [bool; LANES],
}

/// A threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// The middle of the last bracket.
    pub amplitude: f64,
    /// Half of its width.
    pub uncertainty: f64,
    /// Lanes run.
    pub runs: usize,
}

/// Where a stimulus has become too strong: from this amplitude on no spike arrives any more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Block {
    /// The middle of the last bracket.
    pub amplitude: f64,
    /// Half of its width.
    pub uncertainty: f64,
}

/// Why there is no threshold.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// Nothing fires it.
    #[error("fibre: no spike up to {most}, the largest amplitude looked at; the threshold lies above it")]
    Above {
        /// The limit.
        most: f64,
    },
    /// A number that cannot be used.
    #[error("fibre: {what} is {found}; expected {expected}")]
    Unsound {
        /// Which.
        what: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
}

/// Smallest ratio between the four amplitudes of the first look.
const LEAST_RATIO: f64 = 1.5;
/// Ratio between amplitudes below one that is doubted.
const BELOW_RATIO: f64 = 2.0;
/// Amplitudes between the threshold and the limit at which a block is looked for, a multiple of the lanes; and its bracket.
const BLOCK_LOOKS: usize = 8;
const BLOCK_TOLERANCE: f64 = 0.05;
/// While a stimulus lasts its hold on the fibre is looked at each so many steps.
const DRIVEN_EVERY: usize = 4;
/// Steps in a stimulus at least.
const STEPS_IN_PULSE: f64 = 20.0;
/// How long after a stimulus the steps stay as short as in it, ms.
const AFTER_EDGE_MS: f64 = 0.2;
/// Steps to rest, and their length, ms.
const REST_STEPS: usize = 12;
const REST_STEP_MS: f64 = 50.0;

/// The ratio between the amplitudes of the first look from which whole looks lead to a bracket just as narrow as asked for: each divides it by
/// one more than there are lanes.
fn first_ratio(tolerance: f64) -> f64 {
    // A hair less, so that rounding asks for no further look.
    let mut width = 0.99 * tolerance;
    while width < LEAST_RATIO - 1.0 {
        width *= (LANES + 1) as f64;
    }
    1.0 + width.min(LANES as f64)
}

/// A fibre in an outside potential, at rest and ready to be stimulated.
#[derive(Debug)]
pub struct Stimulated<'f, F: Fibre> {
    pub(super) fibre: &'f F,
    outside: F::Outside,
    rest: F::State,
    /// Backward Euler throughout, as other programs have it.
    first_order: bool,
}

impl<'f, F: Fibre> Stimulated<'f, F> {
    /// `potential_mv` is the outside potential of a unit amplitude at all compartments.
    ///
    /// # Errors
    /// [`ThresholdError::Unsound`]: another number of values than compartments, or one that is not finite.
    pub fn new(fibre: &'f F, potential_mv: &[f64]) -> Result<Self, ThresholdError> {
        let expected = fibre.places_um().len();
        if potential_mv.len() != expected || potential_mv.iter().any(|v| !v.is_finite()) {
            return Err(ThresholdError::Unsound {
                what: "the outside potential",
                found: format!("{} values, or one that is not finite", potential_mv.len()),
                expected: "one finite value for each compartment",
            });
        }
        let outside = fibre.outside(potential_mv);
        let mut rest = fibre.start();
        let factor = fibre.factor(1.0 / REST_STEP_MS);
        let step = Step {
            factor: &factor,
            dt_ms: 0.0,
            history: [1.0 / REST_STEP_MS, 0.0],
            ahead: 0.0,
        };
        for _ in 0..REST_STEPS {
            fibre.advance(&mut rest, &step, &outside, Lanes::splat(0.0), None);
            fibre.settle_gates(&mut rest);
        }
        Ok(Self {
            fibre,
            outside,
            rest,
            first_order: false,
        })
    }

    /// With backward Euler throughout and no step shorter than asked for, the usual way of other programs: for comparison with them.
    #[must_use]
    pub fn first_order(self) -> Self {
        Self {
            first_order: true,
            ..self
        }
    }

    /// Runs a stimulus at four amplitudes; `see` is shown time and state after each step and may end the run.
    pub(super) fn run(
        &self,
        pulse: &Pulse,
        amplitudes: [f64; LANES],
        dt_ms: f64,
        tail_ms: f64,
        injected: Option<(usize, f64)>,
        see: &mut dyn FnMut(f64, f64, &F::State) -> bool,
    ) {
        let fibre = self.fibre;
        let mut state = self.rest.clone();
        let amplitude = Lanes::from(amplitudes);
        let length: f64 = pulse.pieces.iter().map(|p| p.0).sum();
        // A short pulse wants short steps, and so does the time just after it.
        let shortest = pulse
            .pieces
            .iter()
            .filter(|p| p.1 != 0.0)
            .map(|p| p.0)
            .fold(f64::INFINITY, f64::min);
        let fine = if self.first_order {
            dt_ms
        } else {
            dt_ms.min(shortest / STEPS_IN_PULSE)
        };
        let stretches = pulse
            .pieces
            .iter()
            .copied()
            .chain([(tail_ms, 0.0)])
            .flat_map(|(width, level)| {
                let start = if level == 0.0 { AFTER_EDGE_MS.min(width) } else { width };
                [(start, level, fine), (width - start, level, dt_ms)]
            });
        let mut start = 0.0;
        for (width, level, longest) in stretches.filter(|s| s.0 > 0.0) {
            let steps = (width / longest - 1e-9).ceil().max(1.0);
            let h = width / steps;
            let (whole, half, then) = (fibre.factor(1.0 / h), fibre.factor(2.0 / h), fibre.factor(1.5 / h));
            let current = if level == 0.0 { None } else { injected };
            let driven = amplitude * level;
            for n in 0..steps as usize {
                // After an edge there is no past: backward Euler, made second order by extrapolation.
                let euler = |factor, dt_ms: f64| Step {
                    factor,
                    dt_ms,
                    history: [1.0 / dt_ms, 0.0],
                    ahead: 0.0,
                };
                if self.first_order {
                    fibre.advance(&mut state, &euler(&whole, h), &self.outside, driven, current);
                } else if n == 0 {
                    let mut coarse = state.clone();
                    fibre.advance(&mut coarse, &euler(&whole, h), &self.outside, driven, current);
                    for _ in 0..2 {
                        fibre.advance(&mut state, &euler(&half, 0.5 * h), &self.outside, driven, current);
                    }
                    fibre.extrapolate(&mut state, &coarse);
                } else {
                    let step = Step {
                        factor: &then,
                        dt_ms: h,
                        history: [2.0 / h, -0.5 / h],
                        ahead: 0.5,
                    };
                    fibre.advance(&mut state, &step, &self.outside, driven, current);
                }
                let time = start + h * (n + 1) as f64;
                if !see(time, time - length, &state) {
                    return;
                }
            }
            start += width;
        }
    }

    /// Whether each of four amplitudes fires the fibre.
    pub fn outcome(&self, pulse: &Pulse, amplitudes: [f64; LANES], dt_ms: f64, criterion: &Criterion) -> Outcome {
        let mut found = Outcome {
            fired: [false; LANES],
            arrival_ms: [f64::INFINITY; LANES],
            driven: [false; LANES],
        };
        let highest = |state: &F::State| {
            let all = (0..self.fibre.active()).fold(Lanes::splat(f64::NEG_INFINITY), |m, n| {
                m.fast_max(self.fibre.potential(state, n))
            });
            all.to_array()
        };
        let mut seen = 0;
        let spike = Lanes::splat(criterion.spike_mv);
        let mut see = |time: f64, after: f64, state: &F::State| {
            for place in &criterion.arrive_at {
                let v = self.fibre.potential(state, *place);
                if v.fast_max(spike) != spike {
                    for (lane, v) in v.to_array().into_iter().enumerate() {
                        if v > criterion.spike_mv && !found.fired[lane] {
                            found.fired[lane] = true;
                            found.arrival_ms[lane] = time;
                        }
                    }
                }
            }
            // With amplitudes in ascending order the first that fires decides.
            if found.fired == [true; LANES] {
                return false;
            }
            if after < criterion.quiet_after_ms {
                seen += 1;
                if after < 1e-9 && (seen % DRIVEN_EVERY == 0 || after > -1e-9) {
                    for (driven, v) in found.driven.iter_mut().zip(highest(state)) {
                        *driven |= v > criterion.spike_mv;
                    }
                }
                return true;
            }
            let all = highest(state);
            (0..LANES).any(|lane| !found.fired[lane] && all[lane] > criterion.quiet_mv)
        };
        self.run(pulse, amplitudes, dt_ms, criterion.longest_ms, None, &mut see);
        found
    }

    /// The potential of a place at each step of a stimulus in the first lane: time (ms) and mV. `injected` is a place and a current (µA) into
    /// it while the stimulus lasts.
    pub fn trace(
        &self,
        pulse: &Pulse,
        amplitude: f64,
        dt_ms: f64,
        tail_ms: f64,
        injected: Option<(usize, f64)>,
        places: &[usize],
    ) -> Vec<(f64, Vec<f64>)> {
        let mut all = vec![];
        let mut see = |time: f64, _: f64, state: &F::State| {
            let at = |place: &usize| self.fibre.potential(state, *place).to_array()[0];
            all.push((time, places.iter().map(at).collect()));
            true
        };
        self.run(pulse, [amplitude; LANES], dt_ms, tail_ms, injected, &mut see);
        all
    }

    /// The weakest stimulus that fires the fibre.
    ///
    /// # Errors
    /// [`ThresholdError`].
    pub fn threshold(
        &self,
        pulse: &Pulse,
        search: &Search,
        criterion: &Criterion,
    ) -> Result<Threshold, ThresholdError> {
        let unsound = |what, found: f64, expected| {
            Err(ThresholdError::Unsound {
                what,
                found: found.to_string(),
                expected,
            })
        };
        let positive = |x: f64| x > 0.0 && x.is_finite();
        if !pulse.is_sound() {
            return unsound(
                "a length or level of the stimulus",
                f64::NAN,
                "lengths above 0 ms, finite levels",
            );
        }
        if !positive(search.dt_ms) {
            return unsound("the time step", search.dt_ms, "a length above 0 ms");
        }
        if !(positive(search.tolerance) && search.tolerance < 1.0) {
            return unsound("the tolerance", search.tolerance, "a share above 0 and below 1");
        }
        if !positive(search.guess) || !positive(search.most) {
            return unsound("the first amplitude", search.guess, "above 0");
        }
        let mut runs = 0;
        // The first of four ascending amplitudes that fires, and whether the one below it may have been too strong rather than too weak.
        let first_firing = |amplitudes: [f64; LANES]| {
            let found = self.outcome(pulse, amplitudes, search.dt_ms, criterion);
            let first = found.fired.iter().position(|fired| *fired);
            let doubtful = match first {
                Some(0) => false,
                Some(n) => found.driven[n - 1],
                None => found.driven[LANES - 1],
            };
            (first, doubtful)
        };
        // A bracket: up or down by whole looks until a threshold lies within.
        let ratio = first_ratio(search.tolerance);
        let mut base = search.guess.min(search.most) / ratio;
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut doubtful = false;
        loop {
            while high.is_infinite() || low == 0.0 {
                let looks: [f64; LANES] = std::array::from_fn(|n| base * ratio.powi(n as i32));
                let (first, doubt) = first_firing(looks);
                runs += LANES;
                match first {
                    Some(0) => {
                        high = looks[0];
                        base = looks[0] / ratio.powi(LANES as i32);
                    }
                    Some(n) => (low, high, doubtful) = (looks[n - 1], looks[n], doubt),
                    None => {
                        (low, doubtful) = (looks[LANES - 1], doubt);
                        if high.is_finite() || low >= search.most {
                            break;
                        }
                        base = low * ratio;
                    }
                }
                if high < search.guess * 1e-12 {
                    return unsound("the first amplitude", search.guess, "one nearer to the threshold");
                }
            }
            while high.is_finite() && high - low > search.tolerance * low {
                let looks: [f64; LANES] =
                    std::array::from_fn(|n| low + (high - low) * (n + 1) as f64 / (LANES + 1) as f64);
                let (first, doubt) = first_firing(looks);
                runs += LANES;
                match first {
                    Some(0) => high = looks[0],
                    Some(n) => (low, high, doubtful) = (looks[n - 1], looks[n], doubt),
                    None => (low, doubtful) = (looks[LANES - 1], doubt),
                }
            }
            if !doubtful {
                break;
            }
            // What did not fire was held above the potential of a spike: it may be blocked, and the threshold lie below.
            let Some((below, firing)) = self.below(pulse, search, criterion, low, &mut runs) else {
                break;
            };
            (low, high, doubtful) = (below, firing, false);
            base = firing / ratio.powi(LANES as i32);
        }
        if high.is_infinite() {
            return Err(ThresholdError::Above { most: search.most });
        }
        Ok(Threshold {
            amplitude: 0.5 * (low + high),
            uncertainty: 0.5 * (high - low),
            runs,
        })
    }

    /// Below an amplitude at which the fibre was driven and did not fire: one that fires it and the next lower one looked at, that does not
    /// (0 where all looked at fire); none where nothing below fires it.
    fn below(
        &self,
        pulse: &Pulse,
        search: &Search,
        criterion: &Criterion,
        amplitude: f64,
        runs: &mut usize,
    ) -> Option<(f64, f64)> {
        let mut top = amplitude;
        loop {
            let looks: [f64; LANES] = std::array::from_fn(|n| top / BELOW_RATIO.powi((LANES - n) as i32));
            *runs += LANES;
            let found = self.outcome(pulse, looks, search.dt_ms, criterion);
            if let Some(n) = found.fired.iter().position(|fired| *fired) {
                return Some((if n > 0 { looks[n - 1] } else { 0.0 }, looks[n]));
            }
            if !found.driven[0] || looks[0] < amplitude * 1e-6 {
                return None;
            }
            top = looks[0];
        }
    }

    /// Looks between a threshold and the limit of the search for an amplitude from which on the fibre no longer fires: a strong cathode holds
    /// the places beside it depolarised, and its surround stops what they send. None where all amplitudes looked at fire it.
    pub fn block(&self, pulse: &Pulse, search: &Search, criterion: &Criterion, threshold: f64) -> Option<Block> {
        let ratio = search.most / threshold;
        if !(ratio > 1.0 && ratio.is_finite()) {
            return None;
        }
        let silent = |looks: [f64; LANES]| {
            let found = self.outcome(pulse, looks, search.dt_ms, criterion);
            found.fired.iter().position(|fired| !fired)
        };
        let mut low = threshold;
        for part in 0..BLOCK_LOOKS / LANES {
            let looks: [f64; LANES] =
                std::array::from_fn(|n| threshold * ratio.powf((part * LANES + n + 1) as f64 / BLOCK_LOOKS as f64));
            let Some(n) = silent(looks) else {
                low = looks[LANES - 1];
                continue;
            };
            let mut high = looks[n];
            if n > 0 {
                low = looks[n - 1];
            }
            while high > (1.0 + BLOCK_TOLERANCE) * low {
                let step = high / low;
                let looks: [f64; LANES] = std::array::from_fn(|n| low * step.powf((n + 1) as f64 / (LANES + 1) as f64));
                match silent(looks) {
                    Some(0) => high = looks[0],
                    Some(n) => (low, high) = (looks[n - 1], looks[n]),
                    None => low = looks[LANES - 1],
                }
            }
            return Some(Block {
                amplitude: 0.5 * (low + high),
                uncertainty: 0.5 * (high - low),
            });
        }
        None
    }
}
