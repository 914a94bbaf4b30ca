//! The standard plants are what a fit gives.

use neurotome_io::{catalog, plants, scenario};
use neurotome_procedure::generator::plant::{FitSettings, Plant, fit};

#[test]
fn all_standard_plants_can_be_used_and_heat() {
    let all = plants::standard().expect("the compiled-in plants");
    assert!(all.len() >= 6, "{}", all.len());
    for p in &all {
        let mut plant = p.plant().expect("a sound model");
        let volts = vec![12.0; plant.channels()];
        for _ in 0..1000 {
            plant.advance(&volts, 0.01).expect("no field is solved");
        }
        let seen = plant.seen();
        assert!(seen.hottest_c > 40.0 && seen.hottest_c < 100.0, "{}: {seen:?}", p.name);
        assert!(
            seen.thermocouples_c.iter().all(|t| *t < seen.hottest_c + 1.0),
            "{}: {seen:?}",
            p.name
        );
        assert!(
            seen.impedance_ohm.iter().all(|z| (30.0..1000.0).contains(z)),
            "{}: {seen:?}",
            p.name
        );
        assert!(seen.power_w > 0.1, "{}: {seen:?}", p.name);
    }
    assert!(plants::find("no such plant").is_err());
}

/// Some 20 s of one processor: the fit with all its runs of the solver.
#[test]
fn a_fit_made_again_gives_the_same_numbers() {
    let standard = plants::find("22G-10mm").expect("a standard plant");
    let catalog = catalog::built_in().expect("the catalogue");
    let loaded = scenario::load(&standard.source(), &catalog).expect("its scenario");
    let again = fit(&loaded.problem, FitSettings::default(), &mut |_, _| true).expect("a fit");
    let numbers = |m: &neurotome_procedure::generator::plant::ReducedModel| -> Vec<f64> {
        let weights = m.responses().flat_map(|r| r.weights_per_w.concat());
        weights.chain(m.conductance_s.concat()).collect()
    };
    let (found, expected) = (numbers(&again), numbers(&standard.model));
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    for (a, b) in found.iter().zip(&expected) {
        // Digits of another machine's mathematical functions may differ.
        assert!((a - b).abs() <= 1e-5 * largest, "{a} {b}");
    }
    assert!((again.error.thermocouple_k - standard.model.error.thermocouple_k).abs() < 0.01);
}
