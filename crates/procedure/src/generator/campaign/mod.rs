//! Every fault, at every time, in every mode, on every channel: was it noticed, by which rule, how soon, and what did it cost?
//!
//! [`Campaign`] says what is tried, [`kinds`] in which modes and on which plants, [`run`] tries one, [`outcome`] counts.

mod fitted;
mod kinds;
mod outcome;
mod run;

use serde::{Deserialize, Serialize};

use super::faults::{Fault, FaultKind};

pub use fitted::{AnyPlant, Fitted};
pub use kinds::{Kind, LumpedPlants, MakePlant, SHELLS, Usual};
pub use outcome::{Cell, Outcome, carry_out};
pub use run::{Run, run};

/// Most runs of a campaign.
pub const MAX_RUNS: usize = 100_000;

/// A fault of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Which.
    pub kind: FaultKind,
    /// Its size; none: the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    /// How long it lasts, s; none: it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
}

/// What a campaign does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Title.
    pub title: String,
    /// Generator of the catalogue.
    pub generator: String,
    /// Plants: `shells`, or fitted plants by name; each runs the modes that fit it.
    #[serde(default = "shells")]
    pub plants: Vec<String>,
    /// Modes.
    pub modes: Vec<Kind>,
    /// Numbers of channels.
    pub channels: Vec<usize>,
    /// Onsets, s after the start; 0: there before the start.
    pub onsets_s: Vec<f64>,
    /// Seeds of the instruments' noise.
    pub seeds: Vec<u64>,
    /// How long a lesion is held, s.
    pub heat_s: f64,
    /// How many seeds are run without a fault, for false alarms.
    pub faultless_seeds: u64,
    /// The first of those.
    #[serde(default = "first_faultless_seed")]
    pub first_faultless_seed: u64,
    /// The faults; none: all, of their usual size.
    #[serde(default, rename = "fault", skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<FaultSpec>,
}

fn shells() -> Vec<String> {
    vec![SHELLS.to_owned()]
}

fn first_faultless_seed() -> u64 {
    1000
}

impl Campaign {
    /// What is wrong with it: key, what was found, what was expected.
    pub fn fault(&self) -> Option<(&'static str, String, String)> {
        let bad = |key, found: String, expected: &str| Some((key, found, expected.to_owned()));
        if self.plants.is_empty() {
            return bad("plants", "an empty list".into(), "at least one plant");
        }
        if self.modes.is_empty() {
            return bad("modes", "an empty list".into(), "at least one mode");
        }
        if let Some(c) = self.channels.iter().find(|c| !(1..=4).contains(*c)) {
            return bad("channels", c.to_string(), "1 to 4");
        }
        if self.channels.is_empty() || self.seeds.is_empty() || self.onsets_s.is_empty() {
            return bad(
                "channels, seeds or onsets_s",
                "an empty list".into(),
                "at least one of each",
            );
        }
        if let Some(t) = self.onsets_s.iter().find(|t| !(0.0..=600.0).contains(*t)) {
            return bad("onsets_s", t.to_string(), "0 to 600 s");
        }
        if !(5.0..=600.0).contains(&self.heat_s) {
            return bad("heat_s", self.heat_s.to_string(), "5 to 600 s");
        }
        let numbers = |f: &FaultSpec| {
            f.size.is_none_or(|s| (0.0..=1e6).contains(&s)) && f.duration_s.is_none_or(|s| (0.1..=1e6).contains(&s))
        };
        if self.faults.iter().any(|f| !numbers(f)) {
            return bad(
                "fault",
                "a size or duration_s out of range".into(),
                "sizes of 0 to 1e6, durations of 0.1 to 1e6 s",
            );
        }
        let runs = self.faultless().len() + self.cases().len();
        if runs > MAX_RUNS {
            return bad(
                "modes, channels, onsets_s, seeds",
                format!("{runs} runs"),
                "at most 100000 runs",
            );
        }
        None
    }

    /// The faults with their sizes.
    fn listed(&self) -> Vec<FaultSpec> {
        if !self.faults.is_empty() {
            return self.faults.clone();
        }
        let usual = |kind: &FaultKind| FaultSpec {
            kind: *kind,
            size: None,
            duration_s: None,
        };
        FaultKind::ALL.iter().map(usual).collect()
    }

    /// Plants, modes and numbers of channels.
    fn set_ups(&self) -> impl Iterator<Item = (&String, Kind, usize)> {
        self.plants.iter().flat_map(move |plant| {
            let modes = self.modes.iter();
            modes.flat_map(move |mode| self.channels.iter().map(move |n| (plant, *mode, *n)))
        })
    }

    /// All runs with a fault, whether their plant fits or not.
    pub fn cases(&self) -> Vec<Case> {
        let mut all = Vec::new();
        for spec in self.listed() {
            for (plant, mode, channels) in self.set_ups().filter(|s| s.1.meets(spec.kind)) {
                for &onset_s in &self.onsets_s {
                    // Cables are exchanged before a lesion, not in it.
                    if spec.kind == FaultKind::ThermocoupleWrongChannel && onset_s > 0.0 {
                        continue;
                    }
                    for &seed in &self.seeds {
                        let usual = Fault::usual(spec.kind, onset_s, 0);
                        all.push(Case {
                            plant: plant.clone(),
                            mode,
                            channels,
                            seed,
                            fault: Some(Fault {
                                size: spec.size.unwrap_or(usual.size),
                                duration_s: spec.duration_s.unwrap_or(usual.duration_s),
                                ..usual
                            }),
                        });
                    }
                }
            }
        }
        all
    }

    /// All runs without one, whether their plant fits or not.
    pub fn faultless(&self) -> Vec<Case> {
        let mut all = Vec::new();
        for (plant, mode, channels) in self.set_ups() {
            for seed in 0..self.faultless_seeds {
                all.push(Case {
                    plant: plant.clone(),
                    mode,
                    channels,
                    seed: self.first_faultless_seed.wrapping_add(seed),
                    fault: None,
                });
            }
        }
        all
    }
}

/// A run to be made.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Case {
    /// Plant.
    pub plant: String,
    /// Mode.
    pub mode: Kind,
    /// Channels.
    pub channels: usize,
    /// Seed.
    pub seed: u64,
    /// The fault.
    pub fault: Option<Fault>,
}

impl Case {
    /// The same run without the fault.
    fn sound(&self) -> Self {
        Self {
            fault: None,
            ..self.clone()
        }
    }
}
