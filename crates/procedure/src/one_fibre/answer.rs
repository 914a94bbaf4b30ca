//! What is found of one fibre.

use neurotome_physics::axon::{Fibre, Myelinated, Pulse, Search, Stimulated, Threshold, ThresholdError, Unmyelinated};
use rayon::prelude::*;
use serde::Serialize;

use super::{
    block, made,
    made::{Laid, Made},
    question::{Model, OneFibreError, Question},
    train,
};

pub use super::block::FoundBlock;
pub use super::train::{Followed, FoundTrain};

/// Distances of the curve, mm, and widths, ms. Searches of C fibres take a hundred times as long, so that there are fewer.
const DISTANCES_MM: [f64; 8] = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0];
const C_FIBRE_DISTANCES_MM: [f64; 4] = [0.5, 1.0, 2.0, 3.0];
const PULSES_MS: [f64; 7] = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
const C_FIBRE_PULSES_MS: [f64; 4] = [0.05, 0.1, 0.5, 1.0];
/// Widths that the law of Weiss is fitted to, ms.
const FITTED_MS: [f64; 2] = [0.05, 1.0];
/// A chronaxie beyond this lies too far outside the fitted widths to be told, ms.
const CHRONAXIE_TO_MS: f64 = 10.0;
/// Brackets of the threshold asked for, and of the curves' points.
const FINE: f64 = 2e-4;
const PLAIN: f64 = 2e-3;
/// Nodes or length (µm) of a fibre whose velocity is measured, and the step there, ms.
const VELOCITY_NODES: usize = 61;
const VELOCITY_LENGTH_UM: f64 = 6000.0;
const VELOCITY_STEP_MS: f64 = 0.0025;
/// How far above threshold the potentials are shown.
const SHOWN_AT: f64 = 1.2;
/// How far above threshold a block by too strong a pulse is looked for.
const BLOCK_TO: f64 = 50.0;
/// Times and places that are kept of these.
const SHOWN_TIMES: usize = 400;
const SHOWN_PLACES: usize = 201;

/// The weakest current that fires a fibre, or that there is none within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Weakest {
    /// Found.
    Found {
        /// The current, mA.
        threshold_ma: f64,
        /// Half of the last bracket, mA.
        bracket_ma: f64,
        /// By how much half the step in time moves it, mA; with C fibres also compartments half as long. Only of the threshold asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        step_ma: Option<f64>,
    },
    /// Nothing up to the limit fires it.
    NotFound {
        /// The limit, mA: the threshold lies above.
        above_ma: f64,
    },
}

impl Weakest {
    /// The threshold, mA, where there is one.
    pub fn ma(&self) -> Option<f64> {
        match self {
            Self::Found { threshold_ma, .. } => Some(*threshold_ma),
            Self::NotFound { .. } => None,
        }
    }
}

/// Whether stronger pulses still fire the fibre: next to a strong cathode spikes are stopped by its surround, and the curve of recruitment falls
/// again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TooStrong {
    /// From this current on no spike arrives, mA; none where all currents looked at fire it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ma: Option<f64>,
    /// Half of the last bracket, mA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bracket_ma: Option<f64>,
    /// The strongest current looked at, mA.
    pub up_to_ma: f64,
}

/// A point of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ThresholdAt {
    /// Distance from the source, mm.
    pub distance_mm: f64,
    /// Width of the pulse, ms.
    pub pulse_ms: f64,
    /// The threshold.
    #[serde(flatten)]
    pub weakest: Weakest,
}

/// The law of Weiss, I = rheobase × (1 + chronaxie / width), fitted to thresholds in relative terms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StrengthDuration {
    /// Rheobase, mA; none where the chronaxie cannot be told.
    pub rheobase_ma: Option<f64>,
    /// Chronaxie, ms; none where it lies outside what the widths can tell.
    pub chronaxie_ms: Option<f64>,
    /// The chronaxie is longer than this, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chronaxie_over_ms: Option<f64>,
    /// Shortest and longest width fitted, ms.
    pub fitted_ms: [f64; 2],
    /// The law's largest deviation from a threshold, as a part of it.
    pub misfit: f64,
}

/// What is found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The question.
    pub question: Question,
    /// The set of sizes that was used for a myelinated fibre.
    pub sizes: Option<String>,
    /// Distance from node to node, mm.
    pub node_spacing_mm: Option<f64>,
    /// Nodes or, of a C fibre, compartments beside the source.
    pub places: usize,
    /// The threshold of the pulse asked for.
    pub threshold: Weakest,
    /// Whether stronger pulses fire it too; none without a threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub too_strong: Option<TooStrong>,
    /// Conduction velocity, m/s; none when no spike arrives.
    pub velocity_m_per_s: Option<f64>,
    /// Potential across the membrane at rest, mV.
    pub rest_mv: f64,
    /// Thresholds of the pulse at several distances.
    pub by_distance: Vec<ThresholdAt>,
    /// Thresholds of several pulses at the distance.
    pub by_pulse: Vec<ThresholdAt>,
    /// The law of Weiss; none when a width that it is fitted to has no threshold.
    pub strength_duration: Option<StrengthDuration>,
    /// The train.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train: Option<FoundTrain>,
    /// The block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<FoundBlock>,
}

/// Potentials across the membrane in space and time.
#[derive(Debug, Clone, PartialEq)]
pub struct Membranes {
    /// Current, mA.
    pub current_ma: f64,
    /// Times, ms.
    pub times_ms: Vec<f64>,
    /// Places along the fibre from beside the source, mm.
    pub places_mm: Vec<f64>,
    /// At each time, at each place, mV.
    pub mv: Vec<Vec<f64>>,
}

/// One search: distance, width, step, bracket, and length of the compartments of C fibres.
#[derive(Debug, Clone, Copy)]
struct Point {
    distance_mm: f64,
    pulse_ms: f64,
    step_ms: f64,
    tolerance: f64,
    coarser: f64,
}

fn weakest<F: Fibre>(laid: &Laid<F>, pulse_ms: f64, search: &Search) -> Result<Option<Threshold>, OneFibreError> {
    let found = laid
        .ready()?
        .threshold(&Pulse::square(pulse_ms), search, &laid.criterion);
    match found {
        // A look that goes beyond the limit may fire it there.
        Ok(found) => Ok((found.amplitude <= search.most).then_some(found)),
        Err(ThresholdError::Above { .. }) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

fn searched(q: &Question, p: &Point) -> Result<Option<Threshold>, OneFibreError> {
    let search = made::search(q, p.distance_mm, p.pulse_ms, p.step_ms, p.tolerance);
    match made::made(q, p.distance_mm, p.coarser)? {
        Made::Myelinated(laid) => weakest(&laid, p.pulse_ms, &search),
        Made::Unmyelinated(laid) => weakest(&laid, p.pulse_ms, &search),
    }
}

fn plain(q: &Question, found: Option<Threshold>) -> Weakest {
    found.map_or(Weakest::NotFound { above_ma: q.limit_ma }, |t| Weakest::Found {
        threshold_ma: t.amplitude,
        bracket_ma: t.uncertainty,
        step_ma: None,
    })
}

/// A list with a value put in where it is missing, in order.
fn with(list: &[f64], value: f64) -> Vec<f64> {
    let mut all: Vec<f64> = list
        .iter()
        .copied()
        .filter(|x| (x / value - 1.0).abs() > 1e-9)
        .collect();
    all.push(value);
    all.sort_by(f64::total_cmp);
    all
}

/// Finds everything that is asked. `go_on` is called with what has been done and of how much, from any thread; false stops.
///
/// # Errors
/// [`OneFibreError`].
pub fn answer(q: &Question, go_on: &(dyn Fn(&str, usize, usize) -> bool + Sync)) -> Result<Answer, OneFibreError> {
    q.check()?;
    let point = |distance_mm, pulse_ms| Point {
        distance_mm,
        pulse_ms,
        step_ms: q.step_ms,
        tolerance: PLAIN,
        coarser: 1.0,
    };
    let mut points = heads(q);
    let heads = points.len();
    let (distances, pulses): (&[f64], &[f64]) = if q.model == Model::Mrg {
        (&DISTANCES_MM, &PULSES_MS)
    } else {
        (&C_FIBRE_DISTANCES_MM, &C_FIBRE_PULSES_MS)
    };
    let distances = with(distances, q.distance_mm);
    let pulses = with(pulses, q.pulse_ms);
    points.extend(distances.iter().map(|z| point(*z, q.pulse_ms)));
    points.extend(pulses.iter().map(|w| point(q.distance_mm, *w)));

    let done = std::sync::atomic::AtomicUsize::new(0);
    let total = points.len();
    let found: Result<Vec<Option<Threshold>>, OneFibreError> = points
        .par_iter()
        .map(|p| {
            let n = done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if !go_on("thresholds", n, total) {
                return Err(OneFibreError::Cancelled);
            }
            searched(q, p)
        })
        .collect();
    let found = found?;
    let threshold = with_step_error(q, &found[..heads]);
    let curve = |found: &[Option<Threshold>], at: &dyn Fn(usize) -> (f64, f64)| -> Vec<ThresholdAt> {
        let one = |(n, found): (usize, &Option<Threshold>)| {
            let (distance_mm, pulse_ms) = at(n);
            ThresholdAt {
                distance_mm,
                pulse_ms,
                weakest: plain(q, *found),
            }
        };
        found.iter().enumerate().map(one).collect()
    };
    let (near, widths) = found[heads..].split_at(distances.len());
    let by_distance = curve(near, &|n| (distances[n], q.pulse_ms));
    let by_pulse = curve(widths, &|n| (q.distance_mm, pulses[n]));

    let stop = |what: &str| {
        if go_on(what, 0, 1) {
            Ok(())
        } else {
            Err(OneFibreError::Cancelled)
        }
    };
    let too_strong = match threshold {
        Weakest::Found {
            threshold_ma,
            bracket_ma,
            ..
        } => {
            stop("stronger pulses")?;
            Some(too_strong(q, threshold_ma + bracket_ma)?)
        }
        Weakest::NotFound { .. } => None,
    };
    stop("velocity")?;
    let (velocity_m_per_s, rest_mv) = velocity(q)?;
    let train = match (q.train, threshold.ma()) {
        (Some(asked), Some(ma)) => {
            stop("train")?;
            Some(train::followed(q, &asked, ma)?)
        }
        _ => None,
    };
    let block = match q.block {
        Some(asked) => {
            stop("block")?;
            Some(block::found(q, &asked)?)
        }
        None => None,
    };
    let sizes = q.sizes_used();
    Ok(Answer {
        sizes: sizes.map(|s| s.to_string()),
        node_spacing_mm: match sizes {
            Some(_) => Some(1e-3 * made::geometry(q)?.node_spacing),
            None => None,
        },
        places: match made::made(q, q.distance_mm, 1.0)? {
            Made::Myelinated(laid) => laid.fibre.active(),
            Made::Unmyelinated(laid) => laid.fibre.active(),
        },
        threshold,
        too_strong,
        velocity_m_per_s,
        rest_mv,
        strength_duration: weiss(&by_pulse),
        by_distance,
        by_pulse,
        train,
        block,
        question: q.clone(),
    })
}

/// The threshold of the pulse alone, with its stated error.
///
/// # Errors
/// [`OneFibreError`].
pub fn threshold(q: &Question) -> Result<Weakest, OneFibreError> {
    q.check()?;
    let found: Result<Vec<_>, _> = heads(q).par_iter().map(|p| searched(q, p)).collect();
    Ok(with_step_error(q, &found?))
}

/// Looks above a current that fires the fibre for one that does not.
fn too_strong(q: &Question, firing_ma: f64) -> Result<TooStrong, OneFibreError> {
    let mut search = made::search(q, q.distance_mm, q.pulse_ms, q.step_ms, PLAIN);
    search.most = q.limit_ma.min(BLOCK_TO * firing_ma);
    let pulse = Pulse::square(q.pulse_ms);
    let found = match made::made(q, q.distance_mm, 1.0)? {
        Made::Myelinated(laid) => laid.ready()?.block(&pulse, &search, &laid.criterion, firing_ma),
        Made::Unmyelinated(laid) => laid.ready()?.block(&pulse, &search, &laid.criterion, firing_ma),
    };
    Ok(TooStrong {
        from_ma: found.map(|b| b.amplitude),
        bracket_ma: found.map(|b| b.uncertainty),
        up_to_ma: search.most,
    })
}

/// The searches behind the threshold that is asked for: with half the step, with the step, and for C fibres with compartments twice as long.
fn heads(q: &Question) -> Vec<Point> {
    let asked = Point {
        distance_mm: q.distance_mm,
        pulse_ms: q.pulse_ms,
        // A short pulse is cut into twenty steps at least; half of these is to be half.
        step_ms: q.step_ms.min(q.pulse_ms / 20.0),
        tolerance: FINE,
        coarser: 1.0,
    };
    let half_step = Point {
        step_ms: 0.5 * asked.step_ms,
        ..asked
    };
    let mut all = vec![half_step, asked];
    if q.model != Model::Mrg {
        all.push(Point { coarser: 2.0, ..asked });
    }
    all
}

/// The first threshold, and how far the other steps lead away. What one of these does not find is as far as it can be.
fn with_step_error(q: &Question, found: &[Option<Threshold>]) -> Weakest {
    let Some(Some(t)) = found.first() else {
        return Weakest::NotFound { above_ma: q.limit_ma };
    };
    let away = |other: &Option<Threshold>| other.map_or(t.amplitude, |o| (o.amplitude - t.amplitude).abs());
    Weakest::Found {
        threshold_ma: t.amplitude,
        bracket_ma: t.uncertainty,
        step_ma: Some(found[1..].iter().map(away).fold(0.0, f64::max)),
    }
}

/// The law of Weiss through the thresholds within the fitted widths.
fn weiss(points: &[ThresholdAt]) -> Option<StrengthDuration> {
    let [low, high] = FITTED_MS;
    let fitted: Vec<(f64, f64)> = points
        .iter()
        .filter(|p| (low..=high).contains(&p.pulse_ms))
        .map(|p| p.weakest.ma().map(|ma| (p.pulse_ms, ma)))
        .collect::<Option<_>>()?;
    // Least squares of (a + b / t) / I − 1.
    let (mut aa, mut ab, mut bb, mut ra, mut rb) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (t, i) in &fitted {
        let (x, y) = (1.0 / i, 1.0 / (i * t));
        aa += x * x;
        ab += x * y;
        bb += y * y;
        ra += x;
        rb += y;
    }
    let det = aa * bb - ab * ab;
    let (a, b) = ((ra * bb - rb * ab) / det, (aa * rb - ab * ra) / det);
    let misfit = fitted
        .iter()
        .map(|(t, i)| ((a + b / t) / i - 1.0).abs())
        .fold(0.0, f64::max);
    let chronaxie = b / a;
    let told = a > 0.0 && b > 0.0 && chronaxie <= CHRONAXIE_TO_MS;
    Some(StrengthDuration {
        rheobase_ma: told.then_some(a),
        chronaxie_ms: told.then_some(chronaxie),
        chronaxie_over_ms: (!told && b > 0.0).then_some(CHRONAXIE_TO_MS),
        fitted_ms: FITTED_MS,
        misfit,
    })
}

/// When a place first passes −20 mV on its way up, between steps, ms.
pub(super) fn arrival_ms(trace: &[(f64, Vec<f64>)], place: usize) -> Option<f64> {
    trace.windows(2).find_map(|w| {
        let (a, b) = (w[0].1[place], w[1].1[place]);
        (a < -20.0 && b >= -20.0).then(|| w[0].0 + (w[1].0 - w[0].0) * (-20.0 - a) / (b - a))
    })
}

/// A current (µA) into the start of a fibre, and how long (ms), that launches a spike there.
pub(super) fn launch(q: &Question) -> (f64, f64) {
    if q.model == Model::Mrg {
        (2e-3 * (0.5 * q.diameter_um).powi(2), 0.1 * made::slowness(q))
    } else {
        (2e-3 * q.diameter_um.max(1.0), made::slowness(q))
    }
}

/// Velocity between a quarter and three quarters of a fibre that fires at its start (m/s), and the rest there, mV.
fn velocity(q: &Question) -> Result<(Option<f64>, f64), OneFibreError> {
    let slow = made::slowness(q);
    if q.model == Model::Mrg {
        let fibre = Myelinated::new(made::geometry(q)?, VELOCITY_NODES, q.temperature_c);
        return velocity_of(q, &fibre, VELOCITY_STEP_MS, 12.0 * slow);
    }
    let spacing = made::spacing_um(0.0);
    let fibre = Unmyelinated::new(
        made::membrane(q),
        q.diameter_um,
        VELOCITY_LENGTH_UM,
        spacing,
        q.temperature_c,
    );
    velocity_of(
        q,
        &fibre,
        2.0 * VELOCITY_STEP_MS,
        25.0 * slow / q.diameter_um.min(1.0).sqrt(),
    )
}

fn velocity_of<F: Fibre>(
    q: &Question,
    fibre: &F,
    step_ms: f64,
    longest_ms: f64,
) -> Result<(Option<f64>, f64), OneFibreError> {
    let places = fibre.places_um();
    let ready = Stimulated::new(fibre, &vec![0.0; places.len()])?;
    let n = fibre.active();
    let (from, to) = (n / 4, 3 * n / 4);
    let (current, width) = launch(q);
    let trace = ready.trace(
        &Pulse::square(width),
        0.0,
        step_ms,
        longest_ms,
        Some((0, current)),
        &[from, to],
    );
    let apart = places[fibre.place_of(to)] - places[fibre.place_of(from)];
    let times = arrival_ms(&trace, 0).zip(arrival_ms(&trace, 1));
    let rest = trace.first().map_or(f64::NAN, |t| t.1[0]);
    Ok((times.map(|(a, b)| 1e-3 * apart / (b - a)), rest))
}

/// Potentials across the membrane while the pulse fires the fibre at 1.2 times its threshold (mA).
///
/// # Errors
/// [`OneFibreError`].
pub fn membranes(q: &Question, threshold_ma: f64) -> Result<Membranes, OneFibreError> {
    q.check()?;
    let current_ma = SHOWN_AT * threshold_ma;
    match made::made(q, q.distance_mm, 1.0)? {
        Made::Myelinated(laid) => shown(q, &laid, current_ma, 2.0 * made::slowness(q)),
        Made::Unmyelinated(laid) => {
            // Until the spike has run off.
            let outcome = laid.ready()?.outcome(
                &Pulse::square(q.pulse_ms),
                [current_ma; neurotome_physics::axon::LANES],
                q.step_ms,
                &laid.criterion,
            );
            let arrived = outcome.arrival_ms[0];
            let tail = if arrived.is_finite() { arrived } else { 10.0 };
            shown(q, &laid, current_ma, 1.2 * tail)
        }
    }
}

fn shown<F: Fibre>(q: &Question, laid: &Laid<F>, current_ma: f64, tail_ms: f64) -> Result<Membranes, OneFibreError> {
    let active = laid.fibre.active();
    let each = active.div_ceil(SHOWN_PLACES);
    // Every so many, counted from the middle, so that the place beside the source is among them.
    let chosen: Vec<usize> = (0..active).filter(|n| n.abs_diff(active / 2) % each == 0).collect();
    let trace = laid.ready()?.trace(
        &Pulse::square(q.pulse_ms),
        current_ma,
        q.step_ms,
        tail_ms,
        None,
        &chosen,
    );
    let every = trace.len().div_ceil(SHOWN_TIMES);
    let kept: Vec<&(f64, Vec<f64>)> = trace.iter().step_by(every).collect();
    let along = laid.fibre.places_um();
    Ok(Membranes {
        current_ma,
        times_ms: kept.iter().map(|t| t.0).collect(),
        places_mm: chosen
            .iter()
            .map(|n| 1e-3 * (along[laid.fibre.place_of(*n)] - laid.beside_um))
            .collect(),
        mv: kept.iter().map(|t| t.1.clone()).collect(),
    })
}
