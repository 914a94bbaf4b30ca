//! What each place of a nerve met: temperature in time, and injury by several laws, integrated inside the steps of the run.

use neurotome_physics::injury::{Arrhenius, cem43_rate_min_per_s};

use rayon::prelude::*;

use super::places::{ACROSS, NervePlaces};
use crate::lesion::{Heating, LesionProblem, NerveCurve, PointWeights};

/// Times kept of a run, about.
const KEPT_TIMES: f64 = 48.0;

/// Points that one thread looks at, at least.
const LOOKED_AT_ONCE: usize = 128;

/// How injury grows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kinetics {
    /// dΩ/dt by Arrhenius.
    Arrhenius(Arrhenius),
    /// Thermal dose over the lethal one, equivalent minutes at 43 °C.
    Dose {
        /// The lethal dose.
        minutes: f64,
    },
}

impl Kinetics {
    /// Growth of injury, 1/s, at a temperature in °C; dead from 1 on.
    pub fn rate_per_s(&self, temperature_c: f64) -> f64 {
        match self {
            Self::Arrhenius(law) => law.rate_per_s(temperature_c),
            Self::Dose { minutes } => cem43_rate_min_per_s(temperature_c) / minutes,
        }
    }
}

/// A law of injury of nerves.
#[derive(Debug, Clone, PartialEq)]
pub struct NerveLaw {
    /// Its name in the results.
    pub name: String,
    /// What was measured came back: function, not life.
    pub reversible: bool,
    /// The law.
    pub kinetics: Kinetics,
}

/// What a nerve met. Values of places stand for each step along, all places across.
#[derive(Debug, Clone, PartialEq)]
pub struct NerveHeat {
    /// The nerve.
    pub nerve: NerveCurve,
    /// Where it was looked at.
    pub places: NervePlaces,
    /// The laws.
    pub laws: Vec<NerveLaw>,
    /// Injury of each place by each law; dead from 1 on.
    pub injury: Vec<Vec<f64>>,
    /// Highest temperature of each place, °C.
    pub peak_c: Vec<f64>,
    /// Temperatures of each place at the end of heating, °C.
    pub heated_c: Vec<f64>,
    /// Times, s, and the temperatures of each place then, °C; some fifty of them.
    pub history: Vec<(f64, Vec<f64>)>,
}

impl NerveHeat {
    /// Number of steps along.
    pub fn steps(&self) -> usize {
        self.places.along_mm.len()
    }

    /// Values of one place across, along the nerve.
    pub fn along<'a>(&self, values: &'a [f64], across: usize) -> impl Iterator<Item = f64> + 'a {
        values.iter().skip(across).step_by(ACROSS).copied()
    }

    /// Highest temperature over the cross-section at each step, °C.
    pub fn hottest_along_c(&self) -> Vec<f64> {
        self.peak_c
            .chunks(ACROSS)
            .map(|c| c.iter().copied().fold(f64::NEG_INFINITY, f64::max))
            .collect()
    }
}

/// Watches a run and integrates what its nerves meet.
pub struct Recorder {
    nerves: Vec<NerveHeat>,
    /// Points of all nerves; known from the first look on.
    points: Option<PointWeights>,
    /// The last two looks: time and temperature of all points.
    last: Option<(f64, Vec<f64>)>,
    before: Option<(f64, Vec<f64>)>,
    keep_every_s: f64,
    keep_next_s: f64,
    /// Whether the current was on at the last look.
    heated: bool,
}

impl Recorder {
    /// For the nerves of a problem.
    pub fn new(problem: &LesionProblem, laws: &[NerveLaw]) -> Self {
        let run_s = problem.heating_s + problem.cooling_s;
        Self::of(&problem.nerves, problem.initial_temperature_c, run_s, laws)
    }

    /// For nerves, the temperature at the start (°C) and the length of the run (s).
    pub(super) fn of(nerves: &[NerveCurve], initial_c: f64, run_s: f64, laws: &[NerveLaw]) -> Self {
        let nerves: Vec<NerveHeat> = nerves
            .iter()
            .map(|nerve| {
                let places = NervePlaces::new(nerve);
                let n = places.points.len();
                NerveHeat {
                    nerve: nerve.clone(),
                    laws: laws.to_vec(),
                    injury: vec![vec![0.0; n]; laws.len()],
                    peak_c: vec![f64::NEG_INFINITY; n],
                    heated_c: vec![initial_c; n],
                    history: vec![],
                    places,
                }
            })
            .collect();
        Self {
            nerves,
            points: None,
            last: None,
            before: None,
            keep_every_s: run_s / KEPT_TIMES,
            keep_next_s: 0.0,
            heated: true,
        }
    }

    /// Looks at the run: at its start and after each accepted step.
    pub fn see(&mut self, heating: &Heating) {
        let points = self.points.get_or_insert_with(|| {
            let all: Vec<_> = self
                .nerves
                .iter()
                .flat_map(|n| n.places.points.iter().copied())
                .collect();
            heating.points(&all)
        });
        let now = heating.temperatures_c(points);
        self.advance(heating.time_s(), now, heating.heats());
    }

    /// Goes on to a time (s) with the temperatures of all points then; `heats`: the current is still on.
    pub(super) fn advance(&mut self, t_s: f64, now: Vec<f64>, heats: bool) {
        let keep = t_s >= self.keep_next_s;
        if keep {
            self.keep_next_s = t_s + self.keep_every_s;
        }
        let nodes = self.last.as_ref().map(|last| {
            let before = self.before.as_ref().map(|b| b.0);
            nodes(before, last.0, t_s)
        });
        let mut at = 0;
        for nerve in &mut self.nerves {
            let n = nerve.peak_c.len();
            let here = &now[at..at + n];
            for (peak, t) in nerve.peak_c.iter_mut().zip(here) {
                *peak = peak.max(*t);
            }
            // The last look with the current on is that at the end of heating: then it has just gone off.
            if heats || self.heated {
                nerve.heated_c.copy_from_slice(here);
            }
            if keep {
                nerve.history.push((t_s, here.to_vec()));
            }
            if let (Some(nodes), Some(last)) = (&nodes, &self.last) {
                for (law, injury) in nerve.laws.iter().zip(&mut nerve.injury) {
                    injury
                        .par_iter_mut()
                        .with_min_len(LOOKED_AT_ONCE)
                        .zip(here)
                        .enumerate()
                        .for_each(|(i, (injury, t))| {
                            let newest = last.1[at + i];
                            let older = self.before.as_ref().map_or(0.0, |b| b.1[at + i]);
                            // Injury below 38 °C is none by any of the laws.
                            if newest.max(*t) >= 38.0 {
                                let rate =
                                    |[a, b, c]: [f64; 3]| law.kinetics.rate_per_s(a * older + b * newest + c * t);
                                *injury += nodes.iter().map(|(s, at)| s * rate(*at)).sum::<f64>();
                            }
                        });
                }
            }
            at += n;
        }
        self.heated = heats;
        self.before = self.last.replace((t_s, now));
    }

    /// What the nerves met, in the problem's order.
    pub fn finish(mut self) -> Vec<NerveHeat> {
        // The last state belongs to the history.
        if let Some((t_s, all)) = &self.last {
            let mut at = 0;
            for nerve in &mut self.nerves {
                let n = nerve.peak_c.len();
                if nerve.history.last().is_none_or(|h| h.0 < *t_s) {
                    nerve.history.push((*t_s, all[at..at + n].to_vec()));
                }
                at += n;
            }
        }
        self.nerves
    }
}

/// Gauss quadrature over the last step on the parabola through the last three looks: seconds, and weights of (older, newest, now).
fn nodes(before: Option<f64>, last: f64, now: f64) -> [(f64, [f64; 3]); 3] {
    let dt = now - last;
    let root = 0.6f64.sqrt();
    [(-root, 5.0 / 18.0), (0.0, 8.0 / 18.0), (root, 5.0 / 18.0)].map(|(x, w)| {
        let share = 0.5 * (1.0 + x);
        let at = last + dt * share;
        let weights = match before {
            Some(b) if last > b => [
                (at - last) * (at - now) / ((b - last) * (b - now)),
                (at - b) * (at - now) / ((last - b) * (last - now)),
                (at - b) * (at - last) / ((now - b) * (now - last)),
            ],
            _ => [0.0, 1.0 - share, share],
        };
        (w * dt, weights)
    })
}
