//! Conduction velocity and rest.

use neurotome_physics::axon::{Fibre, Myelinated, Pulse, Stimulated, Unmyelinated};

use super::fibres::{self, BODY_C, SOURCE, Velocity};
use crate::verify::Report;

/// Largest deviation allowed, %.
const BOUND: f64 = 2.0;

/// Time at which a place first passes −20 mV on its way up, between steps, ms.
pub fn arrival(trace: &[(f64, Vec<f64>)], place: usize) -> Option<f64> {
    trace.windows(2).find_map(|w| {
        let (a, b) = (w[0].1[place], w[1].1[place]);
        (a < -20.0 && b >= -20.0).then(|| w[0].0 + (w[1].0 - w[0].0) * (-20.0 - a) / (b - a))
    })
}

/// Velocity (m/s) between a quarter and three quarters of a fibre that fires at its start, and the rest there, mV.
fn velocity<F: Fibre>(
    fibre: &F,
    current_ua: f64,
    width_ms: f64,
    dt_ms: f64,
    longest_ms: f64,
) -> Result<(f64, f64), String> {
    let places = fibre.places_um();
    let ready = Stimulated::new(fibre, &vec![0.0; places.len()]).map_err(|e| e.to_string())?;
    let n = fibre.active();
    let (from, to) = (n / 4, 3 * n / 4);
    let trace = ready.trace(
        &Pulse::square(width_ms),
        0.0,
        dt_ms,
        longest_ms,
        Some((0, current_ua)),
        &[from, to],
    );
    let times = arrival(&trace, 0).zip(arrival(&trace, 1));
    let (a, b) = times.ok_or("no spike arrived")?;
    let apart = places[fibre.place_of(to)] - places[fibre.place_of(from)];
    let rest = trace.first().map_or(f64::NAN, |t| t.1[0]);
    Ok((1e-3 * apart / (b - a), rest))
}

fn found(row: &Velocity) -> Result<(f64, f64), String> {
    if row.model == "mrg" {
        let geometry = fibres::geometry(&row.geom_or_dx, row.diameter_um)?;
        let fibre = Myelinated::new(geometry, 61, BODY_C);
        return velocity(&fibre, 2e-3 * (row.diameter_um / 2.0).powi(2), 0.1, 0.0025, 12.0);
    }
    let spacing: f64 = row.geom_or_dx.parse().map_err(|e| format!("{e}"))?;
    let fibre = Unmyelinated::new(fibres::membrane(&row.model)?, row.diameter_um, 6000.0, spacing, BODY_C);
    velocity(&fibre, 2e-3, 1.0, 0.005, 25.0)
}

fn rows(report: &mut Report, mrg: bool) {
    let reference = match fibres::reference() {
        Ok(reference) => reference,
        Err(e) => return report.failed("conduction velocity", e, SOURCE),
    };
    let mut worst: Vec<(String, f64)> = vec![];
    for row in reference
        .conduction_velocity
        .iter()
        .filter(|r| (r.model == "mrg") == mrg)
    {
        if report.stopped() {
            return;
        }
        let claim = format!(
            "conduction velocity of {} µm ({}, {}), m/s",
            row.diameter_um, row.model, row.geom_or_dx
        );
        let v = match found(row) {
            Ok((v, _)) => v,
            Err(e) => return report.failed(claim, e, SOURCE),
        };
        if report.all() {
            report.within(claim, v, row.cv_m_s, 0.01 * BOUND * row.cv_m_s, SOURCE);
        }
        let class = if mrg { row.geom_or_dx.clone() } else { row.model.clone() };
        let off = 100.0 * (v / row.cv_m_s - 1.0).abs();
        match worst.iter_mut().find(|w| w.0 == class) {
            Some(w) => w.1 = w.1.max(off),
            None => worst.push((class, off)),
        }
    }
    for (class, off) in worst {
        report.at_most(
            format!("conduction velocity, {class}, worst deviation, %"),
            off,
            BOUND,
            SOURCE,
        );
    }
}

/// Of myelinated fibres.
pub fn myelinated(report: &mut Report) {
    rows(report, true);
}

/// Of C fibres.
pub fn unmyelinated(report: &mut Report) {
    rows(report, false);
}

/// The potential that each fibre comes to rest at.
pub fn rest(report: &mut Report) {
    let claim = "potential at rest, largest difference over all fibres, mV";
    let reference = match fibres::reference() {
        Ok(reference) => reference,
        Err(e) => return report.failed(claim, e, SOURCE),
    };
    let mut worst = 0.0f64;
    for row in &reference.conduction_velocity {
        match found(row) {
            Ok((_, rest)) => worst = worst.max((rest - row.rest_mv).abs()),
            Err(e) => return report.failed(claim, e, SOURCE),
        }
    }
    report.at_most(claim, worst, 0.05, SOURCE);
}
