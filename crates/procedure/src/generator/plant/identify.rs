//! Runs of the full solver from which a reduced model is fitted and against which it is tested.

use serde::Serialize;

use super::{
    FitError,
    reduced::{of_channel, share_at_metal},
};
use crate::lesion::{Control, Coolant, Drive, Heating, LesionError, LesionProblem};

/// The identification program: seconds, and V² as a part of what holds the set temperature.
const PROGRAM: [(f64, f64); 12] = [
    (6.0, 0.4),
    (10.0, 1.1),
    (4.0, 0.0),
    (8.0, 1.8),
    (8.0, 0.6),
    (15.0, 1.3),
    (5.0, 0.2),
    (35.0, 1.15),
    (10.0, 0.0),
    (5.0, 2.0),
    (25.0, 1.25),
    (20.0, 0.0),
];
/// Channels after the first are this many entries ahead in the program.
const AHEAD: usize = 5;
/// A step of the program ends early where tissue is hotter than this with boiling, or the thermocouple than that above the set
/// temperature.
const HOT_C: f64 = 98.0;
const ABOVE_SET_K: f64 = 14.0;
/// Between looks, s.
const LOOK_S: f64 = 1.0;
/// Seconds of the probing run and of held-out runs.
const PROBE_S: f64 = 60.0;
const HELD_OUT_S: f64 = 90.0;
/// Seconds and V² of the overload, as a part of what holds the set temperature.
const OVERLOAD: (f64, f64) = (20.0, 4.0);
/// Coolant during the later part of the identification: from these entries of the program on, flow as a part of the nominal one and
/// degrees more.
const COOLANT_CHANGES: [(usize, f64, f64); 6] = [
    (2, 0.25, 0.0),
    (4, 1.0, 8.0),
    (6, 0.0, 0.0),
    (7, 1.0, 0.0),
    (10, 0.5, 0.0),
    (11, 1.0, 0.0),
];
/// When the coolant of a held-out run fails, s, and V² from then on.
const FAILS_S: f64 = 60.0;
const FAILED_V2: f64 = 0.5;
/// A nominal flow where the coolant does not warm, ml/min.
const PLENTY_ML_PER_MIN: f64 = 1e4;

/// One accepted step of the solver.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sample {
    /// Time at its end, s.
    pub t_s: f64,
    /// Voltages during the step, V rms.
    pub volts: Vec<f64>,
    /// Thermocouples, °C.
    pub thermocouples_c: Vec<f64>,
    /// Hottest tissue beside each needle, °C.
    pub hottest_c: Vec<f64>,
    /// Conductance between the channels, S; while nothing flows the last one known.
    pub conductance_s: Vec<Vec<f64>>,
    /// Heat of each channel's current, `I² / G`, what each coolant takes, then each channel's heat at the metal, W.
    pub source_w: Vec<f64>,
    /// Metal where each coolant meets it, °C.
    pub wall_c: Vec<f64>,
    /// Coolants' temperature, °C, and flow, ml/min.
    pub coolant: Vec<(f64, Option<f64>)>,
}

/// Pieces into which a step is cut while V² changes within it, s.
const PIECE_S: f64 = 0.02;

impl Sample {
    /// The step that ends here, which began at `t_s`, in pieces: seconds and the share of the way from what was before to what is now at
    /// their middle. The solver's second-order steps take the source as it runs through its values at their ends; only a step after a
    /// switching holds it.
    pub(super) fn pieces(&self, t_s: f64, before: Option<&Self>) -> impl Iterator<Item = (f64, f64)> + use<> {
        let seconds = self.t_s - t_s;
        let runs = seconds > 1.5 * PIECE_S
            && before.is_some_and(|b| {
                let same = |(a, b): (&f64, &f64)| *a > 0.0 && *b > 0.0 && (a * a / (b * b) - 1.0).abs() < 0.5;
                self.volts.iter().zip(&b.volts).all(same)
            });
        let count = (seconds / PIECE_S).ceil().clamp(1.0, 1e6);
        (0..count as usize).map(move |k| {
            let share = if runs { (k as f64 + 0.5) / count } else { 1.0 };
            (seconds / count, share)
        })
    }
}

/// A sampled run.
#[derive(Debug, Clone, Serialize)]
pub struct Sampled {
    /// Temperature at the start, °C.
    pub initial_c: f64,
    /// Whether water boils.
    pub boiling: bool,
    /// Conductance between the channels at the start, S.
    pub conductance_s: Vec<Vec<f64>>,
    /// How much more tissue at the metal conducts with each kelvin, 1/K.
    pub conducting_per_k: f64,
    /// Coolants and their needles.
    pub coolants: Vec<NeedleCoolant>,
    /// The accepted steps.
    pub samples: Vec<Sample>,
}

/// A needle's coolant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NeedleCoolant {
    /// The needle, counted from the first.
    pub needle: usize,
    /// °C at the end of the channel.
    pub temperature_c: f64,
    /// ml/min; none: so much that it does not warm.
    pub flow_ml_per_min: Option<f64>,
}

impl Sampled {
    /// Conductance between metal and coolant at full flow, W/K: heat taken over temperature difference, by least squares; where the
    /// coolant warms, of the logarithmic law.
    pub(super) fn coolant_conductance(&self, coolant: usize) -> f64 {
        let channels = self.conductance_s.len();
        let (mut products, mut squares) = (0.0, 0.0);
        for s in &self.samples {
            let (inlet_c, flow) = s.coolant[coolant];
            // Only at the nominal flow: there one number holds.
            if flow != self.coolants[coolant].flow_ml_per_min && flow != Some(PLENTY_ML_PER_MIN) {
                continue;
            }
            let difference = s.wall_c[coolant] - inlet_c;
            products += difference * s.source_w[channels + coolant];
            squares += difference * difference;
        }
        let at_flow = products / f64::max(squares, f64::MIN_POSITIVE);
        match self.coolants[coolant].flow_ml_per_min {
            Some(flow) => {
                let stream = crate::lesion::coolant::stream_w_per_k(flow);
                -stream * (1.0 - (at_flow / stream).min(0.999)).ln()
            }
            None => at_flow,
        }
    }
}

/// Watches a heating and samples its steps.
struct Watcher {
    sampled: Sampled,
    coolant: Vec<(f64, Option<f64>)>,
    last: Vec<Vec<f64>>,
}

impl Watcher {
    fn new(problem: &LesionProblem, heating: &Heating) -> Self {
        let of = |(needle, n): (usize, &crate::lesion::Needle)| {
            n.coolant.map(|c: Coolant| NeedleCoolant {
                needle,
                temperature_c: c.temperature_c,
                flow_ml_per_min: c.flow_ml_per_min,
            })
        };
        let coolants: Vec<NeedleCoolant> = problem.needles.iter().enumerate().filter_map(of).collect();
        let conductance_s = heating.conductances_s();
        Self {
            coolant: coolants.iter().map(|c| (c.temperature_c, c.flow_ml_per_min)).collect(),
            last: conductance_s.clone(),
            sampled: Sampled {
                initial_c: problem.initial_temperature_c,
                boiling: problem.boiling,
                conductance_s,
                conducting_per_k: heating.conducting_per_k(),
                coolants,
                samples: Vec::new(),
            },
        }
    }

    fn see(&mut self, heating: &Heating) {
        let reading = heating.reading();
        let volts = reading.voltage_v;
        if volts.iter().any(|v| *v > 0.0) {
            self.last = heating.conductances_s();
        }
        let mut source_w: Vec<f64> = self
            .last
            .iter()
            .enumerate()
            .map(|(k, row)| {
                let current: f64 = row.iter().zip(&volts).map(|(g, v)| g * v).sum();
                current * current / row[k]
            })
            .collect();
        let mut wall_c = Vec::new();
        for c in &self.sampled.coolants {
            let (taken_w, metal_c) = heating.coolant_takes(c.needle).unwrap_or((0.0, self.sampled.initial_c));
            source_w.push(taken_w);
            wall_c.push(metal_c);
        }
        let at_metal: Vec<f64> = (0..volts.len())
            .map(|k| {
                let growth = self.last[k][k] / self.sampled.conductance_s[k][k];
                let rise_k = self.metal_c(k, &reading.thermocouples_c, &wall_c) - self.sampled.initial_c;
                source_w[k] * share_at_metal(growth, self.sampled.conducting_per_k, rise_k)
            })
            .collect();
        source_w.extend(at_metal);
        self.sampled.samples.push(Sample {
            t_s: reading.t_s,
            volts,
            thermocouples_c: reading.thermocouples_c,
            hottest_c: heating.hottest_by_needle_c(),
            conductance_s: self.last.clone(),
            source_w,
            wall_c,
            coolant: self.coolant.clone(),
        });
    }

    /// Metal of a channel, °C, as [`super::ReducedPlant`] takes it.
    fn metal_c(&self, channel: usize, thermocouples_c: &[f64], wall_c: &[f64]) -> f64 {
        let of = |needle: usize| {
            let coolant = self.sampled.coolants.iter().position(|c| c.needle == needle);
            coolant.map_or(thermocouples_c[needle], |c| wall_c[c])
        };
        of_channel(channel, self.last.len(), thermocouples_c.len(), of)
    }

    /// Changes all coolants: flow as a part of the nominal one, and degrees more.
    fn cool(&mut self, heating: &mut Heating, flow: f64, more_k: f64) -> Result<(), LesionError> {
        for (k, c) in self.sampled.coolants.iter().enumerate() {
            let flow = flow * c.flow_ml_per_min.unwrap_or(PLENTY_ML_PER_MIN);
            heating.set_coolant(c.needle, c.temperature_c + more_k, flow)?;
            self.coolant[k] = (c.temperature_c + more_k, Some(flow));
        }
        Ok(())
    }

    fn advance(&mut self, heating: &mut Heating, seconds: f64) -> Result<(), LesionError> {
        heating.advance(seconds, &mut |h| {
            self.see(h);
            true
        })
    }
}

/// Which control a problem's needles have.
fn control(problem: &LesionProblem) -> Control {
    match problem.drive {
        Drive::Temperature { control, .. } => control,
        _ => Control::First,
    }
}

fn controlled(problem: &LesionProblem, set_temperature_c: f64, ramp_s: f64, heating_s: f64) -> LesionProblem {
    let mut problem = problem.clone();
    problem.drive = Drive::Temperature {
        set_temperature_c,
        ramp_s,
        control: control(&problem),
    };
    problem.heating_s = heating_s;
    problem.cooling_s = 0.0;
    problem
}

/// V² of each channel that holds a temperature after a minute, from a run on cells twice as large.
///
/// # Errors
/// [`FitError`].
pub fn reference_v2(problem: &LesionProblem, set_c: f64) -> Result<Vec<f64>, FitError> {
    let mut problem = controlled(problem, set_c, 10.0, PROBE_S);
    problem.solver.cell_size *= 2.0;
    problem.solver.step_tolerance_k *= 2.0;
    let mut heating = Heating::new(&problem)?;
    let mut volts = Vec::new();
    heating.advance(PROBE_S, &mut |h| {
        volts = h.reading().voltage_v;
        true
    })?;
    let reached_c = heating.reading().thermocouples_c[0];
    if reached_c < set_c - 5.0 || volts.iter().any(|v| *v <= 0.0) {
        return Err(FitError::Weak {
            reached_c,
            expected_c: set_c,
        });
    }
    Ok(volts.iter().map(|v| v * v).collect())
}

/// The identification run.
///
/// # Errors
/// [`FitError`].
pub fn identify(problem: &LesionProblem, reference_v2: &[f64]) -> Result<Sampled, FitError> {
    let set_c = match problem.drive {
        Drive::Temperature { set_temperature_c, .. } => set_temperature_c,
        _ => 80.0,
    };
    let mut heating = Heating::new(problem)?;
    let mut watcher = Watcher::new(problem, &heating);
    for (entry, (seconds, _)) in PROGRAM.iter().enumerate() {
        if let Some((_, flow, more_k)) = COOLANT_CHANGES.iter().find(|c| c.0 == entry)
            && !watcher.sampled.coolants.is_empty()
        {
            watcher.cool(&mut heating, *flow, *more_k)?;
        }
        let part = |k: usize| PROGRAM[(entry + AHEAD * k) % PROGRAM.len()].1;
        let volts: Vec<f64> = reference_v2
            .iter()
            .enumerate()
            .map(|(k, v2)| (v2 * part(k)).sqrt())
            .collect();
        heating.set_outputs(&volts)?;
        let mut left = *seconds;
        while left > 1e-9 {
            let piece = left.min(LOOK_S);
            watcher.advance(&mut heating, piece)?;
            left -= piece;
            let reading = heating.reading();
            let boils = problem.boiling && reading.hottest_c > HOT_C;
            let on = volts.iter().any(|v| *v > 0.0);
            if on && (boils || reading.thermocouples_c.iter().any(|t| *t > set_c + ABOVE_SET_K)) {
                break;
            }
        }
    }
    Ok(watcher.sampled)
}

/// A run at a voltage that dries the tissue.
pub(super) fn overload(problem: &LesionProblem, reference_v2: &[f64]) -> Result<Sampled, FitError> {
    let mut heating = Heating::new(problem)?;
    let mut watcher = Watcher::new(problem, &heating);
    let volts: Vec<f64> = reference_v2.iter().map(|v2| (v2 * OVERLOAD.1).sqrt()).collect();
    heating.set_outputs(&volts)?;
    watcher.advance(&mut heating, OVERLOAD.0)?;
    Ok(watcher.sampled)
}

/// A run under the solver's own temperature control, then half a minute without current; or one whose coolant fails while the voltage
/// is held at a part of what it was.
///
/// # Errors
/// [`FitError`].
pub fn held_out(problem: &LesionProblem, set_c: f64, coolant_fails: bool) -> Result<Sampled, FitError> {
    let heating_s = if coolant_fails { FAILS_S } else { HELD_OUT_S };
    let problem = controlled(problem, set_c, 10.0, heating_s);
    let mut heating = Heating::new(&problem)?;
    let mut watcher = Watcher::new(&problem, &heating);
    watcher.advance(&mut heating, heating_s)?;
    if coolant_fails {
        let last = watcher
            .sampled
            .samples
            .last()
            .map(|s| s.volts.clone())
            .unwrap_or_default();
        let volts: Vec<f64> = last.iter().map(|v| v * FAILED_V2.sqrt()).collect();
        heating.set_outputs(&volts)?;
        watcher.cool(&mut heating, 0.0, 0.0)?;
        watcher.advance(&mut heating, 10.0)?;
    } else {
        watcher.advance(&mut heating, 30.0)?;
    }
    Ok(watcher.sampled)
}
