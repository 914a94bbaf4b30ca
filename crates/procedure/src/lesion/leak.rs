//! What leaks out of defects of the insulation.

use serde::{Deserialize, Serialize};

use super::{LesionProblem, heating::Heating};

/// Current and heat at a defect of the insulation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// The needle, counted from 1.
    pub needle: usize,
    /// Where the defect begins, mm from the distal end.
    pub from_mm: f64,
    /// Where it ends, mm from the distal end.
    pub to_mm: f64,
    /// Current out of it at the end of heating, A rms.
    pub current_a: f64,
    /// That current over the current out of all electrodes of its sign.
    pub current_share: f64,
    /// Power that the generator loses there at the end of heating, W: the metal's potential times the current.
    pub power_w: f64,
    /// That power over the power of all electrodes.
    pub power_share: f64,
    /// Hottest tissue on the bare metal there over the run, °C.
    pub hottest_c: f64,
    /// Largest Ω there at the end of the run.
    pub omega: f64,
}

/// The leaks of all needles.
pub(super) fn leaks(problem: &LesionProblem, heating: &Heating) -> Vec<Leak> {
    let currents = heating.delivered_current_a();
    let potentials = heating.delivered_potential_v();
    let powers: Vec<f64> = currents.iter().zip(&potentials).map(|(i, v)| i * v).collect();
    let power: f64 = powers.iter().sum();
    let share = |part: f64, whole: f64| if whole == 0.0 { 0.0 } else { part / whole };
    let electrodes = problem
        .needles
        .iter()
        .enumerate()
        .flat_map(|(k, n)| n.electrodes().into_iter().map(move |e| (k, e)));
    electrodes
        .enumerate()
        .filter(|(_, (_, e))| e.defect)
        .map(|(index, (needle, e))| {
            let current_a = currents[index];
            let same_sign = currents.iter().filter(|i| i.signum() == current_a.signum());
            let (hottest_c, omega) = heating.worst_at(index);
            Leak {
                needle: needle + 1,
                from_mm: e.from_mm,
                to_mm: e.to_mm,
                current_a,
                current_share: share(current_a, same_sign.sum()),
                power_w: powers[index],
                power_share: share(powers[index], power),
                hottest_c,
                omega,
            }
        })
        .collect()
}
