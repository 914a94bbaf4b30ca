//! What steps and lengths cost, and linearity.

use neurotome_physics::axon::{Pulse, Search, Stimulated};

use super::conduction;
use super::fibres::{self, SOURCE};
use crate::verify::Report;

/// Time at which a spike arrives far from the source, with steps of 8, 4 and 2 µs against 0.5 µs.
pub fn second_order(report: &mut Report) {
    let source = "second-order backward differentiation, restarted by extrapolation";
    let claim = "order in the time step of the time at which a spike arrives";
    let arrivals = || -> Result<(Vec<f64>, f64), String> {
        let geometry = fibres::geometry("table", 10.0)?;
        let (fibre, field) = fibres::beside_source(geometry, 41, 1.0, 0.0);
        let ready = Stimulated::new(&fibre, &field).map_err(|e| e.to_string())?;
        let at = |dt_ms: f64| {
            let trace = ready.trace(&Pulse::square(0.2), 0.3, dt_ms, 1.0, None, &[37]);
            conduction::arrival(&trace, 0).ok_or("no spike arrived")
        };
        let best = at(0.000_5)?;
        let errors = [0.008, 0.004, 0.002].map(|dt| at(dt).map(|t| (t - best).abs()));
        Ok((errors.into_iter().collect::<Result<_, _>>()?, best))
    };
    match arrivals() {
        Ok((errors, best)) => {
            report.at_least(claim, 0.5 * (errors[0] / errors[2]).log2(), 1.8, source);
            report.at_most(
                "deviation of that time with steps of 4 µs, %",
                100.0 * errors[1] / best,
                1.0,
                source,
            );
        }
        Err(e) => report.failed(claim, e, source),
    }
}

/// The threshold on fibres of several lengths: short ones have ends within reach of the field.
pub fn length(report: &mut Report) {
    let claim = "threshold on short and long fibres, worst deviation, %";
    let reference = match fibres::reference() {
        Ok(reference) => reference,
        Err(e) => return report.failed(claim, e, SOURCE),
    };
    let mut worst = 0.0f64;
    for row in &reference.length_convergence {
        let found = fibres::geometry("table", row.diameter_um)
            .and_then(|g| fibres::mrg_threshold(g, row.nodes, row.z_mm, 0.0, row.pw_ms, &fibres::search(row.z_mm)));
        match found {
            Ok(t) => worst = worst.max(100.0 * (t.amplitude / row.threshold_ma - 1.0).abs()),
            Err(e) => return report.failed(claim, e, SOURCE),
        }
    }
    report.at_most(
        claim,
        worst,
        LENGTH_BOUND,
        "as the others, but with steps of 5 µs, whose error is up to 1.7 %; validation/crosscode/axon",
    );
}

/// What the reference's step leaves of its lengths' thresholds, %.
const LENGTH_BOUND: f64 = 2.0;

/// Twice the field, half the threshold.
pub fn linearity(report: &mut Report) {
    let source = "the outside potential enters linearly";
    let claim = "threshold in twice the field over half the threshold";
    let found = fibres::geometry("table", 10.0).and_then(|geometry| {
        let (fibre, field) = fibres::beside_source(geometry, 25, 1.0, 0.0);
        let twice: Vec<f64> = field.iter().map(|v| 2.0 * v).collect();
        let of = |field: &[f64], guess: f64| {
            let search = Search {
                tolerance: 1e-6,
                ..fibres::search(guess)
            };
            let ready = Stimulated::new(&fibre, field).map_err(|e| e.to_string())?;
            ready
                .threshold(
                    &Pulse::square(0.1),
                    &search,
                    &neurotome_physics::axon::Criterion::myelinated(25),
                )
                .map(|t| t.amplitude)
                .map_err(|e| e.to_string())
        };
        Ok((of(&field, 0.2)?, of(&twice, 0.13)?))
    });
    match found {
        Ok((once, twice)) => report.within(claim, 2.0 * twice / once, 1.0, 2e-6, source),
        Err(e) => report.failed(claim, e, source),
    }
}
