//! A trace like that of electromyography: what the muscles' fibres that fire would show after a pulse.
//!
//! Each tenth of the recruited Aα fibres makes a motor unit's potential, the second derivative of a Gaussian, after the time that its fibre
//! needs to the muscle. In shares of the largest answer: electrodes, skin and the size of muscles are not modelled.

use serde::Serialize;

use super::{pathway::Pathway, recruit::Recruitment, territory::territory};
use crate::catalog::Catalog;

/// The trace of one muscle after one pulse.
#[derive(Debug, Clone, Serialize)]
pub struct Trace {
    /// The muscle.
    pub muscle: &'static str,
    /// The nerve that drives it.
    pub nerve: String,
    /// Share of its motor fibres that fire.
    pub share: f64,
    /// From the pulse to the beginning of the answer, ms; none without one.
    pub latency_ms: Option<f64>,
    /// Time from one value to the next, ms.
    pub step_ms: f64,
    /// Values in shares of the largest answer's peak.
    pub values: Vec<f64>,
}

/// Length and step of a trace, ms.
const LENGTH_MS: f64 = 40.0;
const STEP_MS: f64 = 0.1;
/// Conduction velocity of a myelinated fibre over its diameter, m/s per µm: the slope that this program's own fibres have at 10 µm.
const VELOCITY_PER_UM: f64 = 5.6;
/// From the end of the nerve to the muscle's answer, ms.
const JUNCTION_MS: f64 = 1.0;
/// Width of a motor unit's potential, ms.
const UNIT_MS: f64 = 1.5;
/// Groups of fibres by their speed.
const GROUPS: usize = 10;

/// The traces of the muscles at an amplitude (V or mA), one for each nerve.
pub fn traces(recruitments: &[Recruitment], pathways: &[Pathway], catalog: &Catalog, amplitude: f64) -> Vec<Trace> {
    let mut all = Vec::new();
    for r in recruitments {
        let Some(pathway) = pathways.iter().find(|p| p.name == r.nerve) else {
            continue;
        };
        let Some(class) = catalog
            .nerve_fibres(pathway.kind)
            .and_then(|f| f.classes().into_iter().find(|c| c.name == "a_alpha" && c.share > 0.0))
        else {
            continue;
        };
        let place = territory(pathway.kind, pathway.nerve);
        let share = r.share("a_alpha", amplitude);
        // Thick fibres are the first to fire and the fastest.
        let fired = share * GROUPS as f64;
        let groups: Vec<(f64, f64)> = (0..GROUPS)
            .map(|k| {
                let weight = (fired - k as f64).clamp(0.0, 1.0) / GROUPS as f64;
                let off = 1.5 - 3.0 * (k as f64 + 0.5) / GROUPS as f64;
                let speed = VELOCITY_PER_UM * (class.diameter_um + off * class.sd_um).max(1.0);
                (weight, place.to_muscle_mm / speed + JUNCTION_MS)
            })
            .filter(|g| g.0 > 0.0)
            .collect();
        let unit = |t: f64| {
            let x = t / (0.4 * UNIT_MS);
            (1.0 - x * x) * (-0.5 * x * x).exp()
        };
        let values = (0..(LENGTH_MS / STEP_MS) as usize)
            .map(|n| {
                let t = n as f64 * STEP_MS;
                groups.iter().map(|(w, at)| w * unit(t - at - UNIT_MS)).sum()
            })
            .collect();
        all.push(Trace {
            muscle: place.muscle,
            nerve: r.nerve.clone(),
            share,
            latency_ms: groups.first().map(|g| g.1),
            step_ms: STEP_MS,
            values,
        });
    }
    all
}
