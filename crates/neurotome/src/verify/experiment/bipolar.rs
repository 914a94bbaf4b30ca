//! Lesions of two parallel needles in meat.

use super::{
    Case,
    bench::{Bench, PairSize, Treatment},
};

/// Distances tried, mm; the longer ones of the protocol leave the lesions apart.
const SPACINGS_MM: [f64; 5] = [6.0, 8.0, 10.0, 12.0, 14.0];
/// Heating of the 2023 protocol, s.
const HEATING_S: f64 = 105.0;
/// Least height between the needles over the largest, Provenzano 2012.
const THREE_QUARTERS: f64 = 0.75;

type Outcome = Result<f64, String>;

fn pair(
    bench: &mut Bench,
    case: &Case,
    gauge: u32,
    spacing_mm: f64,
    start_c: f64,
    set_c: f64,
    t_s: f64,
) -> Result<PairSize, String> {
    let treatment = Treatment {
        diameter_mm: bench.diameter_mm(gauge)?,
        tip_mm: 10.0,
        set_c,
        start_c,
        perfused: false,
        spacing_mm: Some(spacing_mm),
        bend: None,
    };
    let criterion = case.edge.criterion(bench.catalog())?;
    bench.heat(&treatment, t_s)?.pair(&criterion, t_s, spacing_mm)
}

/// The largest distance up to which `meets` holds; zero when it holds at none.
fn largest(bench: &mut Bench, case: &Case, start_c: f64, meets: fn(&PairSize) -> bool) -> Outcome {
    let mut found = 0.0;
    for spacing in SPACINGS_MM {
        if !meets(&pair(bench, case, 20, spacing, start_c, 80.0, HEATING_S)?) {
            break;
        }
        found = spacing;
    }
    Ok(found)
}

pub(super) fn confluent_20g(bench: &mut Bench, case: &Case) -> Outcome {
    largest(bench, case, case.study.start_temperature_c, |p| p.middle_mm2 > 0.0)
}

pub(super) fn confluent_20g_37(bench: &mut Bench, case: &Case) -> Outcome {
    largest(bench, case, 37.0, |p| p.middle_mm2 > 0.0)
}

pub(super) fn three_quarters_20g(bench: &mut Bench, case: &Case) -> Outcome {
    largest(bench, case, case.study.start_temperature_c, |p| {
        p.least_over_largest >= THREE_QUARTERS
    })
}

fn area(bench: &mut Bench, case: &Case, gauge: u32) -> Outcome {
    let start = case.study.start_temperature_c;
    Ok(pair(bench, case, gauge, 8.0, start, 80.0, HEATING_S)?.middle_mm2)
}

pub(super) fn area_22g(bench: &mut Bench, case: &Case) -> Outcome {
    area(bench, case, 22)
}

pub(super) fn area_20g(bench: &mut Bench, case: &Case) -> Outcome {
    area(bench, case, 20)
}

pub(super) fn area_18g(bench: &mut Bench, case: &Case) -> Outcome {
    area(bench, case, 18)
}

fn brick(bench: &mut Bench, case: &Case) -> Result<PairSize, String> {
    pair(bench, case, 20, 10.0, case.study.start_temperature_c, 90.0, 180.0)
}

pub(super) fn brick_across(bench: &mut Bench, case: &Case) -> Outcome {
    brick(bench, case).map(|p| p.across_mm)
}

pub(super) fn brick_along(bench: &mut Bench, case: &Case) -> Outcome {
    brick(bench, case).map(|p| p.middle_along_mm)
}

pub(super) fn brick_deep(bench: &mut Bench, case: &Case) -> Outcome {
    brick(bench, case).map(|p| p.middle_deep_mm)
}
