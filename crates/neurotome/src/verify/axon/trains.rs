//! Which pulses of a train a fibre follows.

use neurotome_physics::axon::{Pulse, Stimulated};

use super::fibres::{self, SOURCE, Train};
use crate::verify::Report;

/// Step of the reference's trains, ms.
const STEP_MS: f64 = 0.005;
/// Slow trains that are looked at in any case.
const SLOW: usize = 2;
/// Nodes of its fibres.
const NODES: usize = 25;

/// Spikes at the fourth node from the end within each period of a train, with the reference's first-order steps: near threshold one pulse more
/// or less depends on them.
fn spikes(row: &Train) -> Result<Vec<u8>, String> {
    let geometry = fibres::geometry("table", row.diameter_um)?;
    let (fibre, field) = fibres::beside_source(geometry, NODES, row.z_mm, 0.0);
    let ready = Stimulated::new(&fibre, &field)
        .map_err(|e| e.to_string())?
        .first_order();
    let amplitude = row.mult * row.threshold_ma;
    let period = 1e3 / row.freq;
    let count = row.per_pulse.len();
    let pieces = (0..count)
        .flat_map(|_| [(row.pw, 1.0), (period - row.pw, 0.0)])
        .collect();
    let trace = ready.trace(&Pulse::new(pieces), amplitude, STEP_MS, STEP_MS, None, &[NODES - 4]);
    let mut all = vec![0u8; count];
    for w in trace.windows(2) {
        if w[0].1[0] < -20.0 && w[1].1[0] >= -20.0 {
            let n = ((w[1].0 / period) as usize).min(count - 1);
            all[n] += 1;
        }
    }
    Ok(all)
}

fn rows(report: &mut Report, frequency: f64) {
    let claim = format!("trains at {frequency} Hz, spikes of each pulse as in the reference, trains that differ");
    let reference = match fibres::reference() {
        Ok(reference) => reference,
        Err(e) => return report.failed(claim, e, SOURCE),
    };
    let mut differ = 0;
    // Trains of seconds take seconds; the short form looks at a few of these.
    let most = if report.full() || frequency > 10.0 {
        usize::MAX
    } else {
        SLOW
    };
    let trains: Vec<&Train> = reference
        .trains_fastfib
        .iter()
        .filter(|t| t.freq == frequency)
        .take(most)
        .collect();
    for row in &trains {
        if report.stopped() {
            return;
        }
        let found = match spikes(row) {
            Ok(found) => found,
            Err(e) => return report.failed(claim, e, SOURCE),
        };
        let same = found == row.per_pulse;
        differ += usize::from(!same);
        if report.all() {
            let text = format!(
                "{} µm, {} ms at {frequency} Hz, {} × threshold: pulses with another number of spikes than {:?}",
                row.diameter_um, row.pw, row.mult, row.per_pulse
            );
            let off = found.iter().zip(&row.per_pulse).filter(|(a, b)| a != b).count();
            report.at_most(text, off as f64, 0.0, SOURCE);
        }
    }
    report.at_most(format!("{claim}, of {}", trains.len()), differ as f64, 0.0, SOURCE);
}

/// As in the sensory test.
pub fn fifty_hertz(report: &mut Report) {
    rows(report, 50.0);
}

/// As in the motor test.
pub fn two_hertz(report: &mut Report) {
    rows(report, 2.0);
}
