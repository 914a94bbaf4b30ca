//! Whether a spike passes a stretch with fewer sodium channels.

use neurotome_physics::axon::{Fibre, Myelinated, Pulse, Stimulated, Unmyelinated};

use super::fibres::{self, BODY_C, Block, SOURCE};
use crate::verify::Report;

/// C fibres reach so far to either side of the block, mm, and are waited for so long, ms, and so much longer for each mm.
const C_BESIDE: f64 = 2.0;
const C_WAIT: [f64; 2] = [20.0, 8.0];
/// Their compartments, µm.
const C_SPACING: f64 = 25.0;
/// Without `--full` only blocks of C fibres of up to this length are looked at, mm: their outcome does not depend on it.
const C_SHORT: f64 = 2.0;

/// Whether a spike launched at the start arrives near the end.
fn passes<F: Fibre>(fibre: &F, current_ua: f64, width_ms: f64, dt_ms: f64, longest_ms: f64) -> Result<bool, String> {
    let ready = Stimulated::new(fibre, &vec![0.0; fibre.places_um().len()]).map_err(|e| e.to_string())?;
    let end = fibre.active() - 4;
    let trace = ready.trace(
        &Pulse::square(width_ms),
        0.0,
        dt_ms,
        longest_ms,
        Some((0, current_ua)),
        &[end],
    );
    Ok(trace.iter().any(|(_, v)| v[0] > -20.0))
}

fn found(row: &Block) -> Result<bool, String> {
    let half = 500.0 * row.length_mm;
    if row.model == "mrg" {
        let geometry = fibres::geometry("table", row.diameter_um)?;
        let nodes = 41;
        let mut fibre = Myelinated::new(geometry, nodes, BODY_C);
        for n in 0..nodes {
            if (n as f64 - 20.0).abs() * geometry.node_spacing <= half + 1e-6 {
                fibre.set_sodium(n, 1.0 - row.b);
            }
        }
        return passes(&fibre, 2e-3 * (row.diameter_um / 2.0).powi(2), 0.1, 0.005, 6.0);
    }
    let length_mm = row.length_mm + 2.0 * C_BESIDE;
    let mut fibre = Unmyelinated::new(
        fibres::membrane(&row.model)?,
        row.diameter_um,
        1e3 * length_mm,
        C_SPACING,
        BODY_C,
    );
    for (n, x) in fibre.places_um().into_iter().enumerate() {
        if (x - 500.0 * length_mm).abs() <= half + 1e-6 {
            fibre.set_sodium(n, 1.0 - row.b);
        }
    }
    passes(&fibre, 2e-3, 1.0, 0.01, C_WAIT[0] + C_WAIT[1] * length_mm)
}

/// Whether a spike passes so many nodes in a row, of a fibre of 10 µm, with a share of their sodium channels blocked.
///
/// # Errors
/// What the model says.
pub fn passes_nodes(nodes: usize, share: f64) -> Result<bool, String> {
    let all = 41;
    let geometry = fibres::geometry("table", 10.0)?;
    let mut fibre = Myelinated::new(geometry, all, BODY_C);
    let first = (all - nodes) / 2;
    for n in first..first + nodes {
        fibre.set_sodium(n, 1.0 - share);
    }
    passes(&fibre, 2e-3 * 5f64.powi(2), 0.1, 0.005, 6.0)
}

fn rows(report: &mut Report, model: &str) {
    let claim = format!("conduction through blocked stretches ({model}), outcomes unlike the reference's");
    let reference = match fibres::reference() {
        Ok(reference) => reference,
        Err(e) => return report.failed(claim, e, SOURCE),
    };
    let short = |b: &&Block| b.model == model && (report.full() || model == "mrg" || b.length_mm <= C_SHORT);
    let all: Vec<&Block> = reference.block_fastfib.iter().filter(short).collect();
    let mut differ = 0;
    for row in &all {
        if report.stopped() {
            return;
        }
        let passed = match found(row) {
            Ok(passed) => passed,
            Err(e) => return report.failed(claim, e, SOURCE),
        };
        differ += usize::from(passed != row.passes);
        if report.all() {
            let text = format!(
                "{model} {} µm, {} mm with {} of the sodium channels blocked: passes (1) or not (0)",
                row.diameter_um, row.length_mm, row.b
            );
            report.within(
                text,
                f64::from(u8::from(passed)),
                f64::from(u8::from(row.passes)),
                0.0,
                SOURCE,
            );
        }
    }
    report.at_most(format!("{claim}, of {}", all.len()), differ as f64, 0.0, SOURCE);
}

/// Of myelinated fibres.
pub fn myelinated(report: &mut Report) {
    rows(report, "mrg");
}

/// Of C fibres.
pub fn unmyelinated(report: &mut Report) {
    rows(report, "sundt");
    rows(report, "rattay");
}
