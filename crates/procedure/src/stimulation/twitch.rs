//! A trace like that of electromyography: what electrodes over the muscles would show after a pulse.
//!
//! Each tenth of the motor fibres has a speed of its own and makes the potential of its motor units, a wave up and one down, when its spike has
//! come along the nerve; fast ones are thick and fire first. In shares of the answer of the whole muscle: the size of muscles and what lies
//! over them are not modelled. Numbers are those of the catalogue's `muscle_answer`.

use serde::Serialize;

use super::{pathway::Pathway, recruit::Recruitment, territory::territory};
use crate::catalog::{Catalog, FibreKind, MuscleAnswer};

/// The trace of one muscle after one pulse.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// The muscle, with the nerve's level where that is known.
    pub muscle: String,
    /// The nerve that drives it.
    pub nerve: String,
    /// Share of its motor fibres that fire.
    pub share: f64,
    /// From the pulse to the beginning of the answer, ms; none without one.
    pub latency_ms: Option<f64>,
    /// Time from one value to the next, ms.
    pub step_ms: f64,
    /// Values in shares of the peak that the whole muscle would have.
    pub values: Vec<f64>,
}

/// Length and step of a trace, ms.
const LENGTH_MS: f64 = 40.0;
const STEP_MS: f64 = 0.1;
/// Shortest way to a muscle, mm.
const LEAST_MM: f64 = 10.0;
/// Groups of fibres by their speed, and how many standard deviations the middles of the outer ones lie from the mean.
const GROUPS: usize = 10;
const OUTER_SD: f64 = 1.35;

/// The traces of the muscles at an amplitude (V or mA), one for each nerve with motor fibres.
pub fn traces(recruitments: &[Recruitment], pathways: &[Pathway], catalog: &Catalog, amplitude: f64) -> Vec<Trace> {
    let Some(numbers) = catalog.muscle_answers.first() else {
        return vec![];
    };
    let mut all = Vec::new();
    for r in recruitments {
        let Some(pathway) = pathways.iter().find(|p| p.name == r.nerve) else {
            continue;
        };
        let fibres = catalog.nerve_fibres(pathway.kind);
        if !fibres.is_some_and(|f| f.a_alpha_fraction.value > 0.0) {
            continue;
        }
        let place = territory(pathway.kind, pathway.nerve);
        let done_mm = pathway.foramen_mm.map_or(0.0, |f| r.at_mm - f);
        let way_mm = (place.to_muscle_mm - done_mm).max(LEAST_MM);
        let share = r.share(FibreKind::AAlpha, amplitude);
        let answer = answer(numbers, way_mm, share);
        let peak = self::answer(numbers, way_mm, 1.0)
            .iter()
            .fold(0.0f64, |m, v| m.max(v.abs()));
        let latency_ms = arrivals(numbers, way_mm).first().copied().filter(|_| share > 0.0);
        all.push(Trace {
            muscle: match pathway.nerve {
                Some(level) => format!("{} {level}", place.muscle),
                None => place.muscle.to_owned(),
            },
            nerve: r.nerve.clone(),
            share,
            latency_ms,
            step_ms: STEP_MS,
            values: answer.into_iter().map(|v| v / peak.max(1e-12)).collect(),
        });
    }
    all
}

/// When the groups answer, fastest first, ms after the pulse.
fn arrivals(numbers: &MuscleAnswer, way_mm: f64) -> [f64; GROUPS] {
    std::array::from_fn(|k| {
        let off = OUTER_SD * (1.0 - 2.0 * k as f64 / (GROUPS - 1) as f64);
        // m/s is mm/ms.
        let speed = numbers.velocity_m_per_s.value + off * numbers.velocity_sd_m_per_s.value;
        way_mm / speed.max(1.0) + numbers.junction_ms.value
    })
}

/// What is seen when a share of the motor fibres fires, the fastest first.
fn answer(numbers: &MuscleAnswer, way_mm: f64, share: f64) -> Vec<f64> {
    let fired = share * GROUPS as f64;
    // From its first to its last deflection a wave up and down takes about six of these.
    let width = numbers.unit_ms.value / 6.0;
    let unit = |t: f64| {
        let x = t / width - 3.0;
        -x * (0.5 - 0.5 * x * x).exp()
    };
    let arrivals = arrivals(numbers, way_mm);
    (0..(LENGTH_MS / STEP_MS) as usize)
        .map(|n| {
            let t = n as f64 * STEP_MS;
            (0..GROUPS)
                .map(|k| (fired - k as f64).clamp(0.0, 1.0) / GROUPS as f64 * unit(t - arrivals[k]))
                .sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Sourced;

    fn numbers() -> MuscleAnswer {
        let value = |value| Sourced {
            value,
            source: String::new(),
            verified: true,
            condition: None,
            range: None,
        };
        MuscleAnswer {
            name: "surface".to_owned(),
            title: String::new(),
            velocity_m_per_s: value(50.0),
            velocity_sd_m_per_s: value(8.0),
            junction_ms: value(1.0),
            unit_ms: value(8.0),
        }
    }

    fn peak(values: &[f64]) -> f64 {
        values.iter().fold(0.0, |m: f64, v| m.max(v.abs()))
    }

    #[test]
    fn the_answer_grows_with_the_share_even_far_from_the_nerve() {
        for way_mm in [20.0, 150.0, 450.0] {
            let at = |share| peak(&answer(&numbers(), way_mm, share));
            let whole = at(1.0);
            // Units that come at different times may take from each other, but not so that three quarters look small.
            assert!(
                at(0.77) > 0.6 * whole && at(0.77) <= 1.01 * whole,
                "{way_mm}: {} of {whole}",
                at(0.77)
            );
            assert!(at(0.2) < at(0.5) && at(0.5) < at(0.77) * 1.01);
            assert_eq!(at(0.0), 0.0);
        }
    }

    #[test]
    fn the_answer_begins_after_the_way_along_the_nerve() {
        let n = numbers();
        let whole = answer(&n, 450.0, 1.0);
        let first = arrivals(&n, 450.0)[0];
        // 450 mm at 60.8 m/s and the junction.
        assert!((first - 8.4).abs() < 0.02, "{first}");
        let begins = whole.iter().position(|v| v.abs() > 0.01 * peak(&whole)).unwrap() as f64 * STEP_MS;
        assert!((begins - first).abs() < 1.5, "{begins} {first}");
        // A unit lasts about 8 ms; slow ones come later.
        let ends = whole.iter().rposition(|v| v.abs() > 0.05 * peak(&whole)).unwrap() as f64 * STEP_MS;
        assert!((8.0..14.0).contains(&(ends - begins)), "{begins} to {ends}");
    }
}
