//! Spikes sent through the lesion: before, while it is hot, and after.

use neurotome_physics::axon::{Fibre, Geometry, GeometrySet, Launch, Membrane, Myelinated, Stimulated, Unmyelinated};
use rayon::prelude::*;
use serde::Serialize;

use super::heat::NerveHeat;
use super::places::{ACROSS, kind_of};
use crate::catalog::{Catalog, FibreClass, FibreKind};

/// Body temperature, °C.
const BODY_C: f64 = 37.0;
/// A place counts as warmed from here on, °C.
const WARM_C: f64 = 40.0;
/// Nodes beyond the warmed or dead stretch at either end.
const NODES_BEYOND: usize = 8;
/// Most nodes of a fibre.
const MOST_NODES: usize = 161;
/// Length beyond it of a C fibre, µm, its compartments, µm, and its greatest length, µm.
const C_BEYOND_UM: f64 = 2000.0;
const C_SPACING_UM: f64 = 50.0;
const C_LONGEST_UM: f64 = 60_000.0;

/// Where in the nerve a fibre lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// Where the lesion did least.
    LeastInjured,
    /// Nearest to the axis.
    Middle,
    /// Where the lesion did most.
    MostInjured,
}

/// Whether a spike passes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Passes {
    /// True when it arrives.
    pub passes: bool,
    /// After how long, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<f64>,
}

/// The test of one fibre.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conduction {
    /// The nerve.
    pub nerve: String,
    /// The fibre's class.
    pub class: FibreKind,
    /// Its diameter, µm: the class's mean.
    pub diameter_um: f64,
    /// Where it lies.
    pub place: Where,
    /// Length of its dead stretch by the law used, mm.
    pub gap_mm: f64,
    /// Its hottest place at the end of heating, °C.
    pub hottest_c: f64,
    /// Before the lesion.
    pub before: Passes,
    /// At the end of heating, by heat alone.
    pub during: Passes,
    /// After, if dead places had only lost their sodium channels.
    pub after_without_sodium: Passes,
    /// After, with the axon cut through wherever it is dead.
    pub after_cut: Passes,
}

/// What a fibre is to go through.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Before,
    During,
    WithoutSodium,
    Cut,
}

/// Sends spikes through a nerve, by the law of this index. `block` is the share (0 to 1) of sodium channels that a drug blocks at a place
/// (mm along the nerve) in a class of fibres; it acts in all states.
pub fn conduction(
    catalog: &Catalog,
    heat: &NerveHeat,
    law: usize,
    block: &(dyn Fn(f64, &FibreClass) -> f64 + Sync),
) -> Vec<Conduction> {
    let (Some(fibres), Some(injury)) = (catalog.nerve_fibres(kind_of(&heat.nerve.name)), heat.injury.get(law)) else {
        return vec![];
    };
    let places = places(heat, injury);
    let classes = fibres.classes();
    let fibres: Vec<(&FibreClass, Where, usize)> = classes
        .iter()
        .filter(|c| c.share > 0.0)
        .flat_map(|c| places.iter().map(move |(w, j)| (c, *w, *j)))
        .collect();
    let test = |(class, place, across): &(&FibreClass, Where, usize)| {
        let line = Line::new(heat, injury, *across);
        let run = |state| line.passes(class, state, block);
        Conduction {
            nerve: heat.nerve.name.clone(),
            class: class.kind,
            diameter_um: class.diameter_um,
            place: *place,
            gap_mm: line.gap_mm(),
            hottest_c: line.heated_c.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            before: run(State::Before),
            during: run(State::During),
            after_without_sodium: run(State::WithoutSodium),
            after_cut: run(State::Cut),
        }
    };
    fibres.par_iter().map(test).collect()
}

/// The places across that are tested, each once.
fn places(heat: &NerveHeat, injury: &[f64]) -> Vec<(Where, usize)> {
    let harm: Vec<f64> = (0..ACROSS)
        .map(|j| heat.along(injury, j).map(|w| w.min(1.0)).sum())
        .collect();
    let by = |better: &dyn Fn(f64, f64) -> bool| {
        (1..ACROSS).fold(0, |best, j| if better(harm[j], harm[best]) { j } else { best })
    };
    let all = [
        (Where::LeastInjured, by(&|a, b| a < b)),
        (Where::Middle, 0),
        (Where::MostInjured, by(&|a, b| a > b)),
    ];
    let mut once: Vec<(Where, usize)> = vec![];
    for (w, j) in all {
        if !once.iter().any(|(_, k)| *k == j) {
            once.push((w, j));
        }
    }
    once
}

/// What a fibre meets along its way.
struct Line<'h> {
    along_mm: &'h [f64],
    step_mm: f64,
    heated_c: Vec<f64>,
    dead: Vec<bool>,
}

impl<'h> Line<'h> {
    fn new(heat: &'h NerveHeat, injury: &[f64], across: usize) -> Self {
        Self {
            along_mm: &heat.places.along_mm,
            step_mm: heat.places.step_mm,
            heated_c: heat.along(&heat.heated_c, across).collect(),
            dead: heat.along(injury, across).map(|w| w >= 1.0).collect(),
        }
    }

    fn span(&self, holds: impl Fn(usize) -> bool) -> Option<(f64, f64)> {
        let all: Vec<usize> = (0..self.dead.len()).filter(|i| holds(*i)).collect();
        let (a, b) = (*all.first()?, *all.last()?);
        Some((
            self.along_mm[a] - 0.5 * self.step_mm,
            self.along_mm[b] + 0.5 * self.step_mm,
        ))
    }

    fn gap_mm(&self) -> f64 {
        self.span(|i| self.dead[i]).map_or(0.0, |(a, b)| b - a)
    }

    /// From where to where anything happens to the fibre, mm along the nerve.
    fn stretch_mm(&self) -> (f64, f64) {
        let middle = self.along_mm.get(self.along_mm.len() / 2).copied().unwrap_or(0.0);
        self.span(|i| self.dead[i] || self.heated_c[i] >= WARM_C)
            .unwrap_or((middle, middle))
    }

    fn index(&self, place_mm: f64) -> Option<usize> {
        let i = (place_mm / self.step_mm).floor();
        (i >= 0.0 && (i as usize) < self.dead.len()).then_some(i as usize)
    }

    fn temperature_c(&self, place_mm: f64) -> f64 {
        self.index(place_mm).map_or(BODY_C, |i| self.heated_c[i])
    }

    fn is_dead(&self, place_mm: f64) -> bool {
        self.index(place_mm).is_some_and(|i| self.dead[i])
    }

    fn any_dead(&self, from_mm: f64, to_mm: f64) -> bool {
        (0..self.dead.len()).any(|i| {
            self.dead[i]
                && self.along_mm[i] + 0.5 * self.step_mm > from_mm
                && self.along_mm[i] - 0.5 * self.step_mm < to_mm
        })
    }

    fn passes(&self, class: &FibreClass, state: State, block: &(dyn Fn(f64, &FibreClass) -> f64 + Sync)) -> Passes {
        let (from, to) = self.stretch_mm();
        if class.myelinated {
            self.myelinated(class, state, block, (from, to))
        } else {
            self.unmyelinated(class, state, block, (from, to))
        }
    }

    fn myelinated(
        &self,
        class: &FibreClass,
        state: State,
        block: &(dyn Fn(f64, &FibreClass) -> f64 + Sync),
        (from, to): (f64, f64),
    ) -> Passes {
        let d = class.diameter_um.clamp(1.0, 16.0);
        let nothing = Passes {
            passes: false,
            after_ms: None,
        };
        let Ok(geometry) = Geometry::new(GeometrySet::advised(d), d) else {
            return nothing;
        };
        let spacing = 1e-3 * geometry.node_spacing;
        let within = ((to - from) / spacing).ceil() as usize;
        let nodes = (within + 2 * NODES_BEYOND + 1).min(MOST_NODES);
        let mut fibre = Myelinated::new(geometry, nodes, BODY_C);
        // The middle node lies in the middle of the stretch.
        let at = |n: usize| 0.5 * (from + to) + (n as f64 - (nodes / 2) as f64) * spacing;
        self.prepare(&mut fibre, state, &at, &|place| block(place, class));
        launched(
            &fibre,
            &Launch {
                from: 0,
                to: nodes - 4,
                current_ua: 2e-3 * (d / 2.0).powi(2),
                width_ms: 0.1,
                dt_ms: 0.005,
                spike_mv: -20.0,
                quiet_mv: -65.0,
                longest_ms: 20.0,
            },
        )
    }

    /// Blocks, warms or cuts a fibre whose places that can fire lie at `at` (mm along the nerve).
    fn prepare<F: Fibre>(&self, fibre: &mut F, state: State, at: &dyn Fn(usize) -> f64, block: &dyn Fn(f64) -> f64) {
        let places = fibre.active();
        for n in 0..places {
            let place = at(n);
            let mut share = 1.0 - block(place).clamp(0.0, 1.0);
            if state == State::During {
                fibre.set_temperature(n, self.temperature_c(place));
            }
            if state == State::WithoutSodium && self.is_dead(place) {
                share = 0.0;
            }
            fibre.set_sodium(n, share);
            if state == State::Cut && n + 1 < places && self.any_dead(place, at(n + 1)) {
                fibre.sever(n);
            }
        }
    }

    fn unmyelinated(
        &self,
        class: &FibreClass,
        state: State,
        block: &(dyn Fn(f64, &FibreClass) -> f64 + Sync),
        (from, to): (f64, f64),
    ) -> Passes {
        let length = (1e3 * (to - from) + 2.0 * C_BEYOND_UM).min(C_LONGEST_UM);
        let mut fibre = Unmyelinated::new(Membrane::Sundt, class.diameter_um, length, C_SPACING_UM, BODY_C);
        let places = fibre.active();
        let at = |n: usize| 0.5 * (from + to) + 1e-3 * C_SPACING_UM * (n as f64 - 0.5 * (places - 1) as f64);
        self.prepare(&mut fibre, state, &at, &|place| block(place, class));
        launched(
            &fibre,
            &Launch {
                from: 0,
                to: places - 8,
                current_ua: 2e-3,
                width_ms: 1.0,
                dt_ms: 0.02,
                spike_mv: -20.0,
                quiet_mv: -50.0,
                longest_ms: 300.0,
            },
        )
    }
}

fn launched<F: Fibre>(fibre: &F, launch: &Launch) -> Passes {
    let zeros = vec![0.0; fibre.places_um().len()];
    let arrival = Stimulated::new(fibre, &zeros)
        .ok()
        .and_then(|ready| ready.launch(launch).arrival_ms);
    Passes {
        passes: arrival.is_some(),
        after_ms: arrival,
    }
}
