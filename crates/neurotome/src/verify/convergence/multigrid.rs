//! Iterations that do not grow with the grid.

use neurotome_base::Vec3;
use neurotome_physics::{current::Current, grid::Sizing, heat::Heat, linear::Solved};

use super::super::{
    Report,
    analytic::setting::{Model, cube, needle, tissue},
};

const SOURCE: &str = "multigrid, whose work for each unknown is constant";
const TOLERANCE: f64 = 1e-8;

/// Iterations on one grid, from zero.
struct Counts {
    cells: usize,
    potential: Solved,
    /// A time step of one second.
    step: Solved,
    /// The steady state: an endless step.
    steady: Solved,
}

/// A name and which count it is.
type Kind = (&'static str, fn(&Counts) -> usize);

fn counts(scale: f64) -> Result<Counts, String> {
    let fat = tissue(0.04, 0.21, 2.1e6, 500.0);
    let muscle = tissue(0.446, 0.49, 3.73e6, 2500.0);
    let at = |p: &Vec3| u8::from(p.x + 0.3 * p.z > 2e-3);
    let model = Model::new(
        cube(60e-3),
        &[needle(10e-3)],
        &Sizing::default().scaled(scale),
        &[muscle, fat],
        &at,
    )?;
    let n = model.grid.cells();
    let mut power = vec![0.0; n];
    let mut current = Current::new(&model.grid, &model.medium, &[1.0]);
    let potential = current.solve_one_volt(&model.grid, &model.medium, &vec![37.0; n], TOLERANCE, &mut power);
    let mut heat = Heat::new(&model.grid, &model.medium);
    heat.set_operator(1.0, &model.medium.capacity, &model.medium.perfusion);
    let step = heat.solve(&power, &mut vec![0.0; n], TOLERANCE);
    heat.set_operator(0.0, &model.medium.capacity, &model.medium.perfusion);
    let steady = heat.solve(&power, &mut vec![0.0; n], TOLERANCE);
    Ok(Counts {
        cells: n,
        potential: potential.solved,
        step,
        steady,
    })
}

pub(super) fn iterations(report: &mut Report) {
    let scales: &[f64] = if report.full() {
        &[2.0, 1.0, 0.5]
    } else {
        &[2.0, 1.4, 1.0]
    };
    let mut all = Vec::new();
    for &scale in scales {
        if report.stopped() {
            return;
        }
        match counts(scale) {
            Ok(c) if [c.potential, c.step, c.steady].iter().all(|s| s.converged) => all.push(c),
            Ok(c) => return report.failed("multigrid", format!("not converged with {} cells", c.cells), SOURCE),
            Err(e) => return report.failed("multigrid", e, SOURCE),
        }
    }
    let kinds: [Kind; 3] = [
        ("potential", |c| c.potential.iterations),
        ("heat, step of 1 s", |c| c.step.iterations),
        ("heat, steady", |c| c.steady.iterations),
    ];
    for (what, pick) in kinds {
        let text: Vec<String> = all
            .iter()
            .map(|c| format!("{} with {} cells", pick(c), c.cells))
            .collect();
        let growth = all.last().map_or(0, pick) as f64 - all.first().map_or(0, pick) as f64;
        report.at_most(
            format!(
                "{what}: growth of iterations to 1e-8 beside a needle and a border 11:1, {}",
                text.join(", ")
            ),
            growth,
            3.0,
            SOURCE,
        );
    }
}
