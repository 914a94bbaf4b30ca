//! Injury of nerves: the laws against nerves held at a temperature, and lesions of the dog.

use neurotome_physics::injury::{Arrhenius, cem43_rate_min_per_s};

use super::{
    Case,
    bench::{Bench, Treatment},
    edge::{Criterion, Edge},
};

/// Temperatures of the thermode, °C.
const HELD_C: [f64; 3] = [43.0, 44.0, 45.0];
/// Longest heating of C fibres, s.
const C_FIBRES_S: f64 = 35.0 * 60.0;
/// Heating of the dog's lesions, s.
const DOG_S: f64 = 120.0;

type Outcome = Result<f64, String>;

/// Times in s after which half the animals had lost half the function.
fn times_to_loss(case: &Case) -> Result<[f64; 3], String> {
    let mut all = [0.0; 3];
    for (t, c) in all.iter_mut().zip(HELD_C) {
        *t = 60.0 * case.study.number(&format!("time_at_{c:.0}_c_min"))?;
    }
    Ok(all)
}

fn law(bench: &Bench, edge: &Edge) -> Result<Arrhenius, String> {
    match edge.criterion(bench.catalog())? {
        Criterion::Law(law) => Ok(law),
        Criterion::Isotherm(_) => Err("an isotherm is no law".to_owned()),
    }
}

pub(super) fn dose(_: &mut Bench, case: &Case) -> Outcome {
    let times = times_to_loss(case)?;
    let doses: Vec<f64> = HELD_C
        .iter()
        .zip(times)
        .map(|(c, t)| t * cem43_rate_min_per_s(*c))
        .collect();
    let mean = (doses.iter().map(|d| d.ln()).sum::<f64>() / 3.0).exp();
    let relative: Vec<f64> = doses.iter().map(|d| d / mean).collect();
    Ok(case.claim.farthest(&relative))
}

fn predicted_over_measured(bench: &Bench, case: &Case, edge: &Edge) -> Outcome {
    let law = law(bench, edge)?;
    let ratios: Vec<f64> = HELD_C
        .iter()
        .zip(times_to_loss(case)?)
        .map(|(c, t)| 1.0 / (law.rate_per_s(*c) * t))
        .collect();
    Ok(case.claim.farthest(&ratios))
}

pub(super) fn law_of_the_nerve(bench: &mut Bench, case: &Case) -> Outcome {
    let edge = Edge::Law {
        law: "rat_sciatic_1988".to_owned(),
    };
    predicted_over_measured(bench, case, &edge)
}

pub(super) fn law_of_lesions(bench: &mut Bench, case: &Case) -> Outcome {
    predicted_over_measured(bench, case, case.edge)
}

pub(super) fn not_destroyed(bench: &mut Bench, case: &Case) -> Outcome {
    Ok(law(bench, case.edge)?.rate_per_s(45.0) * C_FIBRES_S)
}

/// log10 Ω at the metal's surface in the middle of the tip.
fn at_tip(bench: &mut Bench, case: &Case, set_c: f64) -> Outcome {
    let treatment = Treatment {
        diameter_mm: bench.diameter_mm(20)?,
        tip_mm: 5.0,
        set_c,
        start_c: case.study.start_temperature_c,
        perfused: true,
        spacing_mm: None,
        bend: None,
    };
    let criterion = Criterion::Law(law(bench, case.edge)?);
    let ln_omega = bench.heat(&treatment, DOG_S)?.level_at_tip(&criterion, DOG_S)?;
    Ok(ln_omega / std::f64::consts::LN_10)
}

pub(super) fn at_45(bench: &mut Bench, case: &Case) -> Outcome {
    at_tip(bench, case, 45.0)
}

pub(super) fn at_55_and_above(bench: &mut Bench, case: &Case) -> Outcome {
    let all: Result<Vec<f64>, String> = [55.0, 65.0, 75.0, 85.0]
        .into_iter()
        .map(|c| at_tip(bench, case, c))
        .collect();
    Ok(case.claim.farthest(&all?))
}
