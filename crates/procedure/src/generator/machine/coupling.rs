//! Channels that share a return pad meet each other's potential: the impedance of one changes when another is switched. What a channel would
//! show alone is what the rules look at.
//!
//! With the currents `I_k = f_k (g_kk V_k + Σ g_kj f_j V_j)` (the resistance that two channels share lies between the needles and stays as it is;
//! f tells how much better each conducts as it warms) a channel shows the admittance `f_k (g_kk + Σ g_kj f_j V_j / V_k)`. When a channel is
//! switched on, the admittance of those that are on already jumps by the new term; a second of readings gives `g_kj`, which by
//! reciprocity is `g_jk`.

use serde::{Deserialize, Serialize};

/// Readings before and after a channel is switched on from which the coupling is learned.
const BEFORE: usize = 5;
const AFTER: usize = 10;

/// A coupling of less than this share of the channel's own conductance is that of noise.
const NOISE_FRACTION: f64 = 0.05;

/// Another channel's voltage over one's own from which the own impedance is not told.
const FAR_ABOVE: f64 = 4.0;

/// What is known of the channels' coupling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Coupling {
    /// Conductance between two channels, S; symmetric.
    mutual_s: Vec<Vec<f64>>,
    /// Own admittance of each channel at the start, S: the mean of its first readings, and their number.
    start_s: Vec<(f64, usize)>,
    /// Last own admittances of each channel, S.
    own_s: Vec<Vec<f64>>,
    /// Readings still to be taken after the channel was switched on, sums of the estimates, and their number, for each channel.
    learning: Vec<usize>,
    sums: Vec<Vec<(f64, f64)>>,
    on: Vec<bool>,
}

impl Coupling {
    /// Nothing is known.
    pub(super) fn new(channels: usize) -> Self {
        Self {
            mutual_s: vec![vec![0.0; channels]; channels],
            start_s: vec![(0.0, 0); channels],
            own_s: vec![Vec::new(); channels],
            learning: vec![0; channels],
            sums: vec![vec![(0.0, 0.0); channels]; channels],
            on: vec![false; channels],
        }
    }

    /// The impedances that the channels would show alone, Ω, from those read while these voltages, V, were on (zero: off), and by which share of
    /// its own conductance each was corrected.
    pub(super) fn alone(&mut self, read_ohm: &[f64], volts: &[f64]) -> Vec<(f64, f64)> {
        let n = read_ohm.len();
        let on: Vec<bool> = volts.iter().map(|v| *v > 0.0).collect();
        for j in 0..n {
            if on[j] && !self.on[j] && (0..n).any(|k| k != j && on[k]) {
                self.learning[j] = AFTER;
                self.sums[j] = vec![(0.0, 0.0); n];
            }
        }
        self.on.clone_from(&on);
        let alone = on.iter().filter(|on| **on).count() <= 1;
        // How much better each conducts than at its start, as of the last readings.
        let factor: Vec<f64> = (0..n)
            .map(|k| mean(&self.own_s[k]).map_or(1.0, |own| own / self.start_s[k].0.max(1e-12)))
            .collect();
        let mut own = vec![0.0; n];
        let mut share = vec![0.0; n];
        for k in 0..n {
            let y = 1.0 / read_ohm[k];
            let start = &mut self.start_s[k];
            if alone && start.1 < BEFORE {
                start.1 += 1;
                start.0 += (y - start.0) / start.1 as f64;
            }
            let start = start.0;
            let others = |mutual: &[Vec<f64>]| -> f64 {
                (0..n)
                    .filter(|j| *j != k && on[k] && on[*j])
                    .map(|j| mutual[k][j] * factor[j] * volts[j] / volts[k])
                    .sum()
            };
            let fresh = (0..n).find(|j| *j != k && on[k] && on[*j] && self.learning[*j] > 0);
            let before = mean(&self.own_s[k]);
            own[k] = match (fresh, before) {
                // Another channel has just come on: what differs from before is its doing, as far as it is not known yet.
                (Some(j), Some(before)) => {
                    let ratio = factor[j] * volts[j] / volts[k];
                    let known = others(&self.mutual_s) - self.mutual_s[k][j] * ratio;
                    let (sum, weight) = &mut self.sums[j][k];
                    *sum += (y / factor[k].max(1e-6) - start - known) * ratio;
                    *weight += ratio * ratio;
                    before
                }
                // Where another's voltage is many times its own, what is left after that is noise.
                (None, Some(before)) if (0..n).any(|j| j != k && on[k] && volts[j] > FAR_ABOVE * volts[k]) => before,
                // This one has just come on and is learned of from the others.
                (None, Some(before)) if self.learning[k] > 0 => before,
                _ => {
                    let coupled = others(&self.mutual_s);
                    share[k] = coupled / start.max(1e-12);
                    if coupled == 0.0 {
                        y
                    } else {
                        y * start / (start + coupled).max(0.05 * start)
                    }
                }
            };
        }
        for j in 0..n {
            if self.learning[j] == 0 {
                continue;
            }
            self.learning[j] -= 1;
            if self.learning[j] == 0 {
                for k in 0..n {
                    let (sum, weight) = self.sums[j][k];
                    if weight > 0.0 {
                        let found = sum / weight;
                        let own = (self.start_s[k].0 * self.start_s[j].0).sqrt();
                        let coupled = if found.abs() > NOISE_FRACTION * own { found } else { 0.0 };
                        self.mutual_s[k][j] = coupled;
                        self.mutual_s[j][k] = coupled;
                    }
                }
            }
        }
        for (past, now) in self.own_s.iter_mut().zip(&own) {
            past.push(*now);
            if past.len() > BEFORE {
                past.remove(0);
            }
        }
        own.into_iter().map(|y| 1.0 / y.max(1e-9)).zip(share).collect()
    }
}

fn mean(all: &[f64]) -> Option<f64> {
    (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_shows_what_it_would_alone_when_another_is_switched_on() {
        let (own, mutual) = (0.01, -0.0015);
        let mut coupling = Coupling::new(2);
        for step in 0..60 {
            let volts = match step {
                0..=19 => [12.0, 0.0],
                20..=49 => [12.0, 3.0 + 0.3 * f64::from(step - 20)],
                _ => [0.0, 12.0],
            };
            let read: Vec<f64> = (0..2)
                .map(|k| {
                    let j = 1 - k;
                    let y = if volts[k] > 0.0 {
                        own + mutual * volts[j] / volts[k]
                    } else {
                        own
                    };
                    1.0 / y
                })
                .collect();
            let alone = coupling.alone(&read, &volts);
            for (ohm, _) in alone {
                assert!((ohm - 100.0).abs() < 0.5, "step {step}: {ohm}");
            }
        }
    }

    #[test]
    fn a_step_of_one_channel_is_seen_beside_another() {
        let mut coupling = Coupling::new(2);
        let mut last = vec![(0.0, 0.0); 2];
        for step in 0..40 {
            let volts = if step < 10 { [12.0, 0.0] } else { [12.0, 10.0] };
            let own = if step < 30 { 0.01 } else { 0.015 };
            let better = own / 0.01;
            let y = [
                better * (0.01 - 0.001 * volts[1] / volts[0]),
                0.01 - 0.001 * better * volts[0] / f64::max(volts[1], 1e-3),
            ];
            last = coupling.alone(&[1.0 / y[0], if step < 10 { 100.0 } else { 1.0 / y[1] }], &volts);
        }
        assert!((last[0].0 - 1.0 / 0.015).abs() < 0.5, "{last:?}");
    }
}
