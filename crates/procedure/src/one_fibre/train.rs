//! Which pulses of a train a fibre follows.

use neurotome_physics::axon::{Fibre, Pulse};
use rayon::prelude::*;
use serde::Serialize;

use super::{
    answer::arrival_ms,
    made,
    made::{Laid, Made},
    question::{OneFibreError, Question, Train},
};

/// Currents looked at, times the threshold of a single pulse.
const TIMES_THRESHOLD: [f64; 4] = [1.05, 1.2, 1.5, 2.0];
/// A spike may come this share of a period early.
const EARLY: f64 = 0.25;

/// A train at several currents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundTrain {
    /// The train.
    #[serde(flatten)]
    pub train: Train,
    /// What is followed.
    pub followed: Vec<Followed>,
}

/// A train at one current.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Followed {
    /// The current over the threshold of a single pulse.
    pub times_threshold: f64,
    /// The current, mA.
    pub current_ma: f64,
    /// Spikes that arrive of each pulse.
    pub spikes: Vec<u32>,
}

/// The spikes of each pulse at several times the threshold.
pub(super) fn followed(q: &Question, train: &Train, threshold_ma: f64) -> Result<FoundTrain, OneFibreError> {
    let followed: Result<Vec<Followed>, OneFibreError> = TIMES_THRESHOLD
        .par_iter()
        .map(|times| {
            let current_ma = times * threshold_ma;
            let spikes = match made::made(q, q.distance_mm, 1.0)? {
                Made::Myelinated(laid) => spikes(q, &laid, train, current_ma)?,
                Made::Unmyelinated(laid) => spikes(q, &laid, train, current_ma)?,
            };
            Ok(Followed {
                times_threshold: *times,
                current_ma,
                spikes,
            })
        })
        .collect();
    Ok(FoundTrain {
        train: *train,
        followed: followed?,
    })
}

/// Spikes where the criterion looks at the far side, each given to the pulse whose spike would arrive then.
fn spikes<F: Fibre>(q: &Question, laid: &Laid<F>, train: &Train, current_ma: f64) -> Result<Vec<u32>, OneFibreError> {
    let period = 1e3 / train.frequency_hz;
    let pieces = (0..train.pulses)
        .flat_map(|_| [(q.pulse_ms, 1.0), (period - q.pulse_ms, 0.0)])
        .collect();
    let place = laid.criterion.arrive_at.last().copied().unwrap_or(0);
    let tail = laid.criterion.longest_ms.min(period);
    let trace = laid
        .ready()?
        .trace(&Pulse::new(pieces), current_ma, q.step_ms, tail, None, &[place]);
    let mut all = vec![0; train.pulses];
    let Some(first) = arrival_ms(&trace, 0) else {
        return Ok(all);
    };
    for w in trace.windows(2) {
        if w[0].1[0] < -20.0 && w[1].1[0] >= -20.0 {
            let n = ((w[1].0 - first) / period + EARLY).max(0.0) as usize;
            if let Some(count) = all.get_mut(n) {
                *count += 1;
            }
        }
    }
    Ok(all)
}
