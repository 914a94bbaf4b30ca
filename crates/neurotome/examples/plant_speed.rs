//! What a step of the plants costs: nanoseconds of the reduced one, simulated seconds per second of the clock of the solved one.
//!
//! ```sh
//! cargo run --release --example plant_speed
//! cargo run --release --example plant_speed -- 18G-10mm
//! ```

use std::time::Instant;

use neurotome::{
    io::{catalog, plants, scenario},
    procedure::generator::plant::{MACRO_STEP_S, Plant, SolvedPlant},
};

/// Control steps, s, and simulated time, s.
const CONTROL_S: f64 = 1e-3;
const END_S: f64 = 90.0;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "20G-10mm".to_owned());
    let standard = plants::find(&name)?;
    let mut plant = standard.plant()?;
    let start = Instant::now();
    hold(&mut plant)?;
    let steps = END_S / CONTROL_S;
    println!(
        "reduced: {:.0} ns a step of 1 ms, control included",
        start.elapsed().as_secs_f64() / steps * 1e9
    );
    let mut problem = scenario::load(&standard.source(), &catalog::built_in()?)?.problem;
    problem.solver.estimate_error = false;
    let start = Instant::now();
    let mut plant = SolvedPlant::new(&problem, standard.model.clone(), MACRO_STEP_S)?;
    let prepared = start.elapsed().as_secs_f64();
    let start = Instant::now();
    hold(&mut plant)?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "solved: {prepared:.1} s to begin, then {:.1} simulated seconds a second; the model is corrected by {:.2} K at the end",
        END_S / seconds,
        plant.correction_k()
    );
    let result = plant.finish()?;
    let last = result.curves.thermocouple_c.last().copied().unwrap_or(f64::NAN);
    println!(
        "thermocouple of the full field at the end: {last:.2} °C; {} steps, {} cells",
        result.evidence.steps, result.evidence.cells
    );
    Ok(())
}

/// Proportional-integral control of the first thermocouple at 80 °C, the same voltage on all channels.
fn hold(plant: &mut dyn Plant) -> Result<(), Box<dyn std::error::Error>> {
    let mut volts = vec![0.0; plant.channels()];
    let (mut v2, mut before) = (0.0f64, 0.0);
    for n in 0..(END_S / CONTROL_S) as u32 {
        let wanted = 37.0 + 43.0 * (f64::from(n) * CONTROL_S / 10.0).min(1.0);
        let error = wanted - plant.seen().thermocouples_c[0];
        v2 = (v2 + 100.0 * (error - before) + 60.0 * error * CONTROL_S).clamp(0.0, 3600.0);
        before = error;
        volts.fill(v2.sqrt());
        plant.advance(&volts, CONTROL_S)?;
    }
    Ok(())
}
