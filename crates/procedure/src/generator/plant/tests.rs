use super::{CoolantLoop, Plant, ReducedError, ReducedModel, ReducedPlant, Response, StatedError};

fn response(weights_per_w: &[&[f64]], lag_s: f64, bend: f64) -> Response {
    Response {
        lag_s,
        bend,
        weights_per_w: weights_per_w.iter().map(|w| w.to_vec()).collect(),
    }
}

/// One channel and a coolant.
fn cooled() -> ReducedModel {
    let of = |a: f64| response(&[&[a, 0.3 * a], &[-0.4 * a, -0.3 * a], &[0.0, 0.2 * a]], 0.1, -0.001);
    ReducedModel {
        initial_c: 37.0,
        rates_per_s: vec![0.02, 1.0],
        conductance_s: vec![vec![0.01]],
        between_power: 1.0,
        warming: vec![response(&[&[0.05, 0.01], &[0.0, 0.0], &[0.0, 0.0]], 0.0, 0.0)],
        thermocouples: vec![of(8.0)],
        hottest: vec![of(10.0)],
        coolants: vec![CoolantLoop {
            needle: 0,
            conductance_w_per_k: 0.05,
            temperature_c: 22.0,
            flow_ml_per_min: Some(10.0),
            wall: of(9.0),
        }],
        drying_per_k_s: 0.0,
        conducting_per_k: 0.015,
        error: StatedError::default(),
    }
}

/// Two channels, mirror images of each other, in phase.
fn two() -> ReducedModel {
    let none: &[f64] = &[0.0, 0.0];
    let of = |own: f64, other: f64| response(&[&[own, own], &[other, other], none, none], 0.0, 0.0);
    let swapped = |own: f64, other: f64| response(&[&[other, other], &[own, own], none, none], 0.0, 0.0);
    ReducedModel {
        initial_c: 37.0,
        rates_per_s: vec![0.02, 1.0],
        conductance_s: vec![vec![0.01, -0.002], vec![-0.002, 0.01]],
        between_power: 0.9,
        warming: vec![of(0.02, 0.002), swapped(0.02, 0.002)],
        thermocouples: vec![of(6.0, 1.0), swapped(6.0, 1.0)],
        hottest: vec![of(7.0, 1.0), swapped(7.0, 1.0)],
        coolants: vec![],
        drying_per_k_s: 0.01,
        conducting_per_k: 0.0,
        error: StatedError::default(),
    }
}

fn run(plant: &mut ReducedPlant, volts: &[f64], seconds: f64, step_s: f64) {
    for _ in 0..(seconds / step_s).round() as usize {
        plant.go_on(volts, step_s);
    }
}

#[test]
fn the_length_of_a_step_changes_little() {
    let after = |step_s: f64| {
        let mut plant = ReducedPlant::new(cooled()).expect("a model");
        run(&mut plant, &[15.0], 10.0, step_s);
        plant.seen().thermocouples_c[0]
    };
    let (coarse, fine) = (after(0.1), after(1e-4));
    assert!(fine > 38.0, "{fine}");
    assert!((coarse - fine).abs() < 0.01, "{coarse} {fine}");
}

#[test]
fn a_state_that_is_put_back_goes_on_as_before() {
    let mut plant = ReducedPlant::new(cooled()).expect("a model");
    run(&mut plant, &[15.0], 5.0, 0.01);
    let state = plant.state();
    run(&mut plant, &[12.0], 5.0, 0.01);
    let expected = plant.seen().clone();
    plant.set_state(&state).expect("a state of this model");
    run(&mut plant, &[12.0], 5.0, 0.01);
    assert_eq!(*plant.seen(), expected);
    plant.reset();
    assert_eq!(plant.seen().thermocouples_c, [37.0]);
    assert!(matches!(plant.set_state(&state[1..]), Err(ReducedError::State { .. })));
}

#[test]
fn a_coolant_cools_and_one_that_stands_does_not() {
    let mut plant = ReducedPlant::new(cooled()).expect("a model");
    run(&mut plant, &[0.0], 20.0, 0.01);
    let cold = plant.seen().thermocouples_c[0];
    assert!(cold < 36.0, "{cold}");
    assert!(plant.set_coolant(0, 22.0, 0.0));
    run(&mut plant, &[0.0], 2000.0, 1.0);
    let warm = plant.seen().thermocouples_c[0];
    assert!((warm - 37.0).abs() < 1e-3, "{warm}");
    assert!(!plant.set_coolant(1, 22.0, 0.0));
}

#[test]
fn channels_share_current_and_heat() {
    let mut plant = ReducedPlant::new(two()).expect("a model");
    plant.go_on(&[20.0, 0.0], 1.0);
    let seen = plant.seen();
    assert!(seen.thermocouples_c[0] > seen.thermocouples_c[1] && seen.thermocouples_c[1] > 37.0);
    assert!(seen.current_a[0] > 0.0 && seen.current_a[1] < 0.0, "{seen:?}");
    let mut plant = ReducedPlant::new(two()).expect("a model");
    plant.go_on(&[20.0, 20.0], 1.0);
    let seen = plant.seen();
    assert_eq!(seen.thermocouples_c[0], seen.thermocouples_c[1]);
    // In phase each meets the other's potential: less current than alone.
    assert!(seen.impedance_ohm[0] > 110.0, "{seen:?}");
    assert!((seen.power_w - 2.0 * 20.0 * seen.current_a[0]).abs() < 1e-12);
}

#[test]
fn warm_tissue_at_the_metal_takes_less_of_the_heat() {
    // All heat is heat at the metal: at constant power T' = λ (P w / (1 + a y) − y), and at rest y (1 + a y) = P w.
    let mut model = two();
    model.conducting_per_k = 0.02;
    for response in model.warming.iter_mut().chain(&mut model.thermocouples) {
        response.weights_per_w = vec![vec![0.0, 0.0]; 4];
    }
    model.thermocouples[0].weights_per_w[2] = vec![0.0, 12.0];
    let mut plant = ReducedPlant::new(model).expect("a model");
    run(&mut plant, &[20.0, 0.0], 60.0, 0.01);
    let (power_w, rise_k) = (4.0, plant.seen().thermocouples_c[0] - 37.0);
    assert!(
        (rise_k * (1.0 + 0.02 * rise_k) - 12.0 * power_w).abs() < 1e-6,
        "{rise_k}"
    );
}

#[test]
fn overload_dries_and_what_is_dry_conducts_less() {
    let mut plant = ReducedPlant::new(two()).expect("a model");
    run(&mut plant, &[60.0, 60.0], 10.0, 0.01);
    let hot = plant.seen().impedance_ohm[0];
    run(&mut plant, &[60.0, 60.0], 60.0, 0.01);
    assert!(plant.seen().impedance_ohm[0] > hot, "{hot} {:?}", plant.seen());
    assert_eq!(plant.seen().hottest_c, 100.0);
}

#[test]
fn numbers_that_do_not_belong_together_are_refused() {
    let mut model = two();
    model.warming.pop();
    assert!(matches!(ReducedPlant::new(model), Err(ReducedError::Model { .. })));
    let mut model = two();
    model.thermocouples[0].weights_per_w[1].pop();
    assert!(matches!(ReducedPlant::new(model), Err(ReducedError::Model { .. })));
    let mut model = two();
    model.conductance_s[1][1] = f64::NAN;
    assert!(matches!(ReducedPlant::new(model), Err(ReducedError::Model { .. })));
}
