//! Whether a stretch of blocked sodium channels stops a spike.

use neurotome_physics::axon::{Fibre, Myelinated, Pulse, Stimulated, Unmyelinated};
use serde::Serialize;

use super::{
    answer::launch,
    made,
    question::{Block, Model, OneFibreError, Question},
};

/// Nodes, or mm of a C fibre, at either side of the stretch.
const NODES_BESIDE: usize = 12;
const MM_BESIDE: f64 = 4.0;
/// The weakest share that stops is found to this.
const SHARE_TO: f64 = 0.01;
/// Step, ms, of myelinated and of C fibres.
const STEP_MS: [f64; 2] = [0.005, 0.01];

/// A block and what it does.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FoundBlock {
    /// The block.
    #[serde(flatten)]
    pub block: Block,
    /// Nodes within it, or compartments of a C fibre.
    pub places_within: usize,
    /// Whether it stops a spike that comes along the fibre.
    pub stops: bool,
    /// The smallest share of blocked channels that stops it on this length, to 0.01; none when even 1 does not.
    pub least_share_that_stops: Option<f64>,
}

pub(super) fn found(q: &Question, block: &Block) -> Result<FoundBlock, OneFibreError> {
    let passes = |share: f64| passes(q, &Block { share, ..*block });
    let (passed, places_within) = passes(block.share)?;
    let least_share_that_stops = if passes(1.0)?.0 {
        None
    } else {
        let (mut low, mut high) = if passed { (block.share, 1.0) } else { (0.0, block.share) };
        while high - low > SHARE_TO {
            let middle = 0.5 * (low + high);
            if passes(middle)?.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    };
    Ok(FoundBlock {
        block: *block,
        places_within,
        stops: !passed,
        least_share_that_stops,
    })
}

/// Whether a spike launched at the start arrives near the end, and how many places are blocked.
fn passes(q: &Question, block: &Block) -> Result<(bool, usize), OneFibreError> {
    let (half_um, slow) = (500.0 * block.length_mm + 1e-6, made::slowness(q));
    if q.model == Model::Mrg {
        let geometry = made::geometry(q)?;
        let within = (half_um / geometry.node_spacing).floor() as usize;
        let side = within + NODES_BESIDE;
        let mut fibre = Myelinated::new(geometry, 2 * side + 1, q.temperature_c);
        for n in side - within..=side + within {
            fibre.set_sodium(n, 1.0 - block.share);
        }
        // A spike needs some 25 µs from node to node, and lingers where it nearly fails.
        let longest_ms = (2.0 + 0.1 * (2 * side) as f64) * slow;
        return Ok((arrives(q, &fibre, STEP_MS[0], longest_ms)?, 2 * within + 1));
    }
    let spacing = made::spacing_um(0.0);
    let length_um = 1e3 * (block.length_mm + 2.0 * MM_BESIDE);
    let mut fibre = Unmyelinated::new(made::membrane(q), q.diameter_um, length_um, spacing, q.temperature_c);
    let blocked: Vec<usize> = fibre
        .places_um()
        .iter()
        .enumerate()
        .filter(|(_, x)| (**x - 0.5 * length_um).abs() <= half_um)
        .map(|(n, _)| n)
        .collect();
    for n in &blocked {
        fibre.set_sodium(*n, 1.0 - block.share);
    }
    let longest_ms = 10.0 * (1e-3 * length_um) * slow / q.diameter_um.min(1.0).sqrt();
    Ok((arrives(q, &fibre, STEP_MS[1], longest_ms)?, blocked.len()))
}

fn arrives<F: Fibre>(q: &Question, fibre: &F, step_ms: f64, longest_ms: f64) -> Result<bool, OneFibreError> {
    let ready = Stimulated::new(fibre, &vec![0.0; fibre.places_um().len()])?;
    let (current, width) = launch(q);
    let end = fibre.active() - 4;
    let trace = ready.trace(
        &Pulse::square(width),
        0.0,
        step_ms,
        longest_ms,
        Some((0, current)),
        &[end],
    );
    Ok(trace.iter().any(|(_, v)| v[0] > -20.0))
}
