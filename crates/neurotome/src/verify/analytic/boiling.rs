//! Boiling in an insulated block that conducts evenly between two of its faces.

use neurotome_physics::{
    current::Current,
    heat::{BOILING_C, Boiling, Heat, LATENT_J_PER_KG},
    tissue::TissueProperties,
};

use super::{
    super::Report,
    setting::{LINEAR, Model, cube, octree, tissue},
};

const SOURCE: &str = "C dT/dt = P, then L dm/dt = -P at 100 °C: an insulated block heated evenly";
const SIGMA: f64 = 0.446;
const HALF: f64 = 4e-3;

/// What is seen while the block is heated, times in s.
struct Seen {
    boils: f64,
    dry: f64,
    hottest_before_dry: f64,
    /// (in − stored − steam) / in.
    balance: f64,
    /// Resistance at the start and after drying, Ω.
    resistance: [f64; 2],
}

/// The block under constant power, with steps of `dt`.
fn heat(model: &mut Model, power: f64, dt: f64) -> Result<Seen, String> {
    model.medium.outer_thermal.fill(0.0);
    let (grid, medium) = (&model.grid, &model.medium);
    let n = grid.cells();
    // One volt between the faces across z; the other faces are insulated.
    let mut current = Current::with_potentials(grid, medium, &|_| None, &|f| {
        (f.foot.z.abs() > 0.999 * HALF).then(|| 0.5 * (1.0 + f.foot.z / HALF))
    });
    let mut boiling = Boiling::new(medium.water.clone());
    let mut equation = Heat::new(grid, medium);
    let mut temperature = vec![37.0; n];
    let mut cell_power = vec![0.0; n];
    let (mut step, mut latent) = (0u32, 0.0);
    let (mut boils, mut dry, mut hottest_before_dry) = (None, None, 0.0f64);
    let mut resistance = [0.0; 2];
    while dry.is_none() && f64::from(step) * dt < 1000.0 {
        let wet = |i: usize| boiling.conductivity_factor(i);
        let solved = current.solve(grid, medium, &temperature, Some(&wet), LINEAR);
        if !solved[0].converged {
            return Err("the potential did not converge".to_owned());
        }
        let conductance = current.flow(grid, medium, &[1.0], &mut cell_power).power;
        resistance[1] = 1.0 / conductance;
        if step == 0 {
            resistance[0] = resistance[1];
        }
        let volts = (power / conductance).sqrt();
        current.flow(grid, medium, &[volts], &mut cell_power);
        let before = temperature.clone();
        for _ in 0..3 {
            boiling.predict(|i| temperature[i], &medium.capacity, dt);
            equation.set_operator(1.0 / dt, &medium.capacity, boiling.sink());
            let b: Vec<f64> = (0..n)
                .map(|i| medium.capacity[i] * before[i] / dt + cell_power[i] + boiling.sink()[i] * BOILING_C)
                .collect();
            if !equation.solve(&b, &mut temperature, LINEAR).converged {
                return Err("the temperature did not converge".to_owned());
            }
        }
        latent += boiling.evaporate(|i| temperature[i], dt);
        step += 1;
        let t = f64::from(step) * dt;
        if boils.is_none() && temperature.iter().all(|v| *v >= BOILING_C) {
            boils = Some(t);
        }
        if boiling.left().iter().all(|l| *l == 0.0) {
            dry = Some(t);
        } else {
            hottest_before_dry = temperature.iter().fold(hottest_before_dry, |m, v| m.max(*v));
        }
    }
    let wet = |i: usize| boiling.conductivity_factor(i);
    current.solve(grid, medium, &temperature, Some(&wet), LINEAR);
    resistance[1] = 1.0 / current.flow(grid, medium, &[1.0], &mut cell_power).power;
    let into = power * f64::from(step) * dt;
    let stored: f64 = medium
        .capacity
        .iter()
        .zip(&temperature)
        .map(|(c, t)| c * (t - 37.0))
        .sum();
    Ok(Seen {
        boils: boils.ok_or("it never boiled")?,
        dry: dry.ok_or("it never dried")?,
        hottest_before_dry,
        balance: (into - stored - latent) / into,
        resistance,
    })
}

pub(super) fn insulated_block(report: &mut Report) {
    const NAME: &str = "insulated block of 8 mm under 4 W";
    let power = 4.0;
    let t = TissueProperties {
        water_fraction: 0.2,
        ..tissue(SIGMA, 0.5, 3.7e6, 0.0)
    };
    let dt = 0.05;
    let seen = Model::new(cube(HALF), &[], &octree(2e-3, 0.0), &[t], &|_| 0).and_then(|mut m| heat(&mut m, power, dt));
    let seen = match seen {
        Ok(s) => s,
        Err(e) => return report.failed(NAME, e, SOURCE),
    };
    let volume = (2.0 * HALF).powi(3);
    let to_boil = volume * t.heat_capacity_j_per_m3_k() * (BOILING_C - 37.0) / power;
    let plateau = volume * t.density_kg_per_m3 * t.water_fraction * LATENT_J_PER_KG / power;
    report.within(
        format!("{NAME}: time to 100 °C in s"),
        seen.boils,
        to_boil,
        2.0 * dt,
        SOURCE,
    );
    report.within(
        format!("{NAME}: time at 100 °C in s, water times latent heat over power"),
        seen.dry - seen.boils,
        plateau,
        0.005 * plateau,
        SOURCE,
    );
    report.within(
        format!("{NAME}: hottest place in °C while there is water"),
        seen.hottest_before_dry,
        BOILING_C,
        1.0,
        SOURCE,
    );
    report.within(
        format!("{NAME}: energy balance (in - stored - steam) / in"),
        seen.balance,
        0.0,
        1e-6,
        SOURCE,
    );
    let exact = 1.0 / (SIGMA * 2.0 * HALF);
    report.within(
        format!("{NAME}: resistance at the start in Ω"),
        seen.resistance[0],
        exact,
        1e-6 * exact,
        "R = l/(σA)",
    );
    report.within(
        format!("{NAME}: resistance in Ω once it is dry, where tissue keeps 1 % of its conductivity"),
        seen.resistance[1],
        100.0 * exact,
        1e-4 * exact,
        "R = l/(σA)",
    );
}
