//! Fibres as they are laid beside a source, and what the source does there.

use neurotome_physics::axon::{
    Criterion, Fibre, Geometry, GeometrySet, Membrane, Myelinated, Search, Stimulated, ThresholdError, Unmyelinated,
};

use super::question::{Beside, Model, OneFibreError, Question, Source};

/// Nodes or compartments at most.
const MOST_PLACES: usize = 20_001;
/// Internodes to either side at least, and multiples of the distance.
const INTERNODES: usize = 12;
const REACH: f64 = 4.0;
/// Compartments of C fibres, µm: near the source, and from this distance (mm) on.
const NEAR_SPACING_UM: f64 = 25.0;
const FAR_SPACING_UM: f64 = 50.0;
const FAR_MM: f64 = 2.5;

/// A straight fibre beside a source.
pub(super) enum Made {
    Myelinated(Box<Laid<Myelinated>>),
    Unmyelinated(Box<Laid<Unmyelinated>>),
}

/// A fibre, the outside potential of 1 mA (mV) and what counts as firing.
pub(super) struct Laid<F> {
    pub fibre: F,
    pub field_mv: Vec<f64>,
    pub criterion: Criterion,
    /// Where the source is, µm from the fibre's start.
    pub beside_um: f64,
}

impl<F: Fibre> Laid<F> {
    /// At rest in the source's potential.
    pub fn ready(&self) -> Result<Stimulated<'_, F>, ThresholdError> {
        Stimulated::new(&self.fibre, &self.field_mv)
    }
}

/// Sizes of the myelinated fibre that is asked for.
pub(super) fn geometry(q: &Question) -> Result<Geometry, OneFibreError> {
    let set = q.sizes.unwrap_or(GeometrySet::advised(q.diameter_um));
    Ok(Geometry::new(set, q.diameter_um)?)
}

/// The membrane of the C fibre that is asked for.
pub(super) fn membrane(q: &Question) -> Membrane {
    match q.model {
        Model::Rattay => Membrane::Rattay,
        Model::Mrg | Model::Sundt => Membrane::Sundt,
    }
}

/// How much longer everything takes than at body temperature, at most: gates follow it by factors of up to 3 for 10 K.
pub(super) fn slowness(q: &Question) -> f64 {
    3f64.powf(0.1 * (37.0 - q.temperature_c)).max(1.0)
}

/// Length of compartments of a C fibre at a distance, µm.
pub(super) fn spacing_um(distance_mm: f64) -> f64 {
    if distance_mm < FAR_MM {
        NEAR_SPACING_UM
    } else {
        FAR_SPACING_UM
    }
}

fn capped(distance_mm: f64, found: f64) -> Result<usize, OneFibreError> {
    if found <= MOST_PLACES as f64 {
        return Ok(found as usize);
    }
    Err(OneFibreError::TooLong {
        distance_mm,
        found: found.min(1e15) as usize,
        most: MOST_PLACES,
    })
}

/// The outside potential (mV) of 1 mA, cathodic, at places along a fibre (µm from beside the source).
fn field(q: &Question, distance_mm: f64, away_um: f64) -> f64 {
    let (x, z) = (1e-3 * away_um, distance_mm);
    let scale = -1e3 / (4.0 * std::f64::consts::PI * q.conductivity_s_per_m);
    match q.source {
        Source::Point => scale / x.hypot(z),
        Source::Tip { length_mm, across } => {
            // An even line of current: its potential is that of two distances, to its ends.
            let half = 0.5 * length_mm;
            let (one, other) = if across {
                let r = x.hypot(z).hypot(half);
                (r, r)
            } else {
                ((x - half).hypot(z), (x + half).hypot(z))
            };
            let sum = one + other;
            scale / length_mm * ((sum + length_mm) / (sum - length_mm)).ln()
        }
    }
}

/// Half of the tip where it lies along the fibre, mm.
fn half_tip_mm(q: &Question) -> f64 {
    match q.source {
        Source::Tip {
            length_mm,
            across: false,
        } => 0.5 * length_mm,
        _ => 0.0,
    }
}

/// The fibre at a distance (mm); `coarser` makes the compartments of C fibres so many times as long.
pub(super) fn made(q: &Question, distance_mm: f64, coarser: f64) -> Result<Made, OneFibreError> {
    let reach_mm = REACH * distance_mm + half_tip_mm(q);
    if q.model == Model::Mrg {
        let geometry = geometry(q)?;
        let half = (1e3 * reach_mm / geometry.node_spacing).ceil().max(INTERNODES as f64);
        let nodes = capped(distance_mm, 2.0 * half + 1.0)?;
        let fibre = Myelinated::new(geometry, nodes, q.temperature_c);
        let shift = match q.beside {
            Beside::Node => 0.0,
            Beside::Mid => 0.5 * geometry.node_spacing,
        };
        let mut criterion = Criterion::myelinated(nodes);
        criterion.longest_ms *= slowness(q);
        criterion.quiet_after_ms *= slowness(q);
        return Ok(Made::Myelinated(Box::new(laid(
            q,
            distance_mm,
            fibre,
            shift,
            criterion,
        ))));
    }
    let spacing = coarser * spacing_um(distance_mm);
    let places = |mm: f64| (1e3 * mm / spacing).round();
    let half_mm = 2.0 * distance_mm + 2.0 + half_tip_mm(q);
    let count = capped(distance_mm, 2.0 * places(half_mm) + 1.0)?;
    let length_um = (count - 1) as f64 * spacing;
    let membrane = membrane(q);
    let fibre = Unmyelinated::new(membrane, q.diameter_um, length_um, spacing, q.temperature_c);
    let away_mm = 1.5 * distance_mm + 1.5 + half_tip_mm(q);
    let (middle, away) = (count / 2, places(away_mm) as usize);
    // Slow fibres of 1 µm cover a third of a metre a second; speed goes with the root of the diameter.
    let travel_ms = away_mm / (0.3 * q.diameter_um.sqrt());
    let criterion = Criterion {
        arrive_at: vec![middle - away, middle + away],
        spike_mv: -20.0,
        quiet_mv: if membrane == Membrane::Sundt { -50.0 } else { -60.0 },
        quiet_after_ms: 4.0 * slowness(q),
        longest_ms: (40.0 + 2.0 * travel_ms) * slowness(q),
    };
    Ok(Made::Unmyelinated(Box::new(laid(
        q,
        distance_mm,
        fibre,
        0.0,
        criterion,
    ))))
}

fn laid<F: Fibre>(q: &Question, distance_mm: f64, fibre: F, shift_um: f64, criterion: Criterion) -> Laid<F> {
    let places = fibre.places_um();
    let beside_um = places[fibre.place_of(fibre.active() / 2)] + shift_um;
    let field_mv = places.iter().map(|x| field(q, distance_mm, x - beside_um)).collect();
    Laid {
        fibre,
        field_mv,
        criterion,
        beside_um,
    }
}

/// Where to look first, mA: the law of the square of the distance.
pub(super) fn search(q: &Question, distance_mm: f64, pulse_ms: f64, step_ms: f64, tolerance: f64) -> Search {
    let per_mm2 = if q.model == Model::Mrg { 0.05 } else { 3.0 };
    let sigma = q.conductivity_s_per_m / 0.3;
    let guess = per_mm2 * sigma * distance_mm.powi(2) * (0.8 + 0.2 / pulse_ms);
    Search {
        dt_ms: step_ms,
        tolerance,
        guess: guess.min(q.limit_ma),
        most: q.limit_ma,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tip_is_a_row_of_points() {
        for across in [false, true] {
            let q = Question {
                source: Source::Tip {
                    length_mm: 10.0,
                    across,
                },
                ..Question::default()
            };
            let point = Question::default();
            for (away, z) in [(0.0, 1.0), (3000.0, 2.0), (-9000.0, 4.0)] {
                let n = 20_000;
                let sum: f64 = (0..n)
                    .map(|i| {
                        let s = 10.0 * ((f64::from(i) + 0.5) / f64::from(n) - 0.5);
                        if across {
                            field(&point, f64::hypot(z, s), away)
                        } else {
                            field(&point, z, away - 1e3 * s)
                        }
                    })
                    .sum();
                let (mean, found) = (sum / f64::from(n), field(&q, z, away));
                assert!((found / mean - 1.0).abs() < 1e-6, "{across} {away} {z}: {found} {mean}");
            }
        }
    }
}
