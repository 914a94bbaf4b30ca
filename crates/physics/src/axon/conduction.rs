//! Does a spike that is launched at one place arrive at another?

use super::lanes::LANES;
use super::threshold::{Fibre, Pulse, Stimulated};

/// How a spike is launched and looked for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Launch {
    /// The place that can fire into which the current goes.
    pub from: usize,
    /// The place that can fire where the spike is looked for.
    pub to: usize,
    /// The current, µA, and how long it flows, ms.
    pub current_ua: f64,
    /// How long it flows, ms.
    pub width_ms: f64,
    /// Step in time, ms.
    pub dt_ms: f64,
    /// Potential that counts as a spike, mV.
    pub spike_mv: f64,
    /// A fibre all of whose places are below this, mV, after the launch, has let the spike die.
    pub quiet_mv: f64,
    /// Time after the launch at which the wait ends, ms.
    pub longest_ms: f64,
}

/// What became of a spike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passage {
    /// When it arrived, ms from the start of the launch; none: it did not.
    pub arrival_ms: Option<f64>,
    /// Whether the fibre fired at the far place before anything was launched: it is not at rest there.
    pub spontaneous: bool,
}

impl Passage {
    /// Whether the launched spike arrived.
    pub fn passes(&self) -> bool {
        self.arrival_ms.is_some()
    }
}

/// Quiet is looked for from this time after the launch on, ms.
const QUIET_AFTER_MS: f64 = 2.0;

impl<F: Fibre> Stimulated<'_, F> {
    /// Launches a spike and waits for it at another place.
    pub fn launch(&self, launch: &Launch) -> Passage {
        let mut passage = Passage {
            arrival_ms: None,
            spontaneous: false,
        };
        let far = |state: &F::State| self.fibre.potential(state, launch.to).to_array()[0];
        let mut first = true;
        let mut below = (0.0, f64::NEG_INFINITY);
        let mut see = |time: f64, after: f64, state: &F::State| {
            let v = far(state);
            if std::mem::take(&mut first) {
                passage.spontaneous = v > launch.spike_mv;
            }
            if v > launch.spike_mv && below.1 <= launch.spike_mv && below.1.is_finite() {
                // Between the two steps, on a straight line.
                let share = (launch.spike_mv - below.1) / (v - below.1);
                passage.arrival_ms = Some(below.0 + share * (time - below.0));
                return false;
            }
            below = (time, v);
            if after < QUIET_AFTER_MS {
                return true;
            }
            (0..self.fibre.active()).any(|n| self.fibre.potential(state, n).to_array()[0] > launch.quiet_mv)
        };
        self.run(
            &Pulse::square(launch.width_ms),
            [0.0; LANES],
            launch.dt_ms,
            launch.longest_ms,
            Some((launch.from, launch.current_ua)),
            &mut see,
        );
        passage
    }
}
