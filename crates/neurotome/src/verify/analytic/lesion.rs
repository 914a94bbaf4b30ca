//! What holds for any lesion: balances, bounds, and no dependence on how the needle lies in the grid.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::{
    anatomy::{TissueField, TissueId},
    lesion::{Control, Domain, DomainShape, Drive, LesionProblem, solve},
};

use super::{super::Report, injury::unheated};

const BALANCE: &str = "conservation of energy and current, and the maximum principle";

/// Reference case B of `validation/crosscode/field` on a coarse grid, in a box.
fn case_b() -> LesionProblem {
    let mut problem = unheated(0.49, 37.0, 37.0, 0.0007, 100.0);
    let tissue = &mut problem.tissues[0];
    tissue.sigma_s_per_m = 0.446;
    tissue.sigma_temperature_coefficient_per_k = 0.015;
    tissue.density_kg_per_m3 = 1090.0;
    tissue.specific_heat_j_per_kg_k = 3421.0;
    problem.blood.density_kg_per_m3 = 1050.0;
    problem.blood.specific_heat_j_per_kg_k = 3617.0;
    problem.domain.shape = DomainShape::Box { half_mm: [60.0; 3] };
    let needle = &mut problem.needles[0];
    needle.tip = PatientPoint::from_vec(Vec3::z() * -5.0);
    needle.active_tip_mm = 10.0;
    problem.drive = Drive::Temperature {
        set_temperature_c: 80.0,
        ramp_s: 10.0,
        control: Control::First,
    };
    problem.cooling_s = 30.0;
    problem.solver.cell_size = 1.5;
    problem
}

pub(super) fn balances(report: &mut Report) {
    balance_rows(report, "case B with cells 1.5 times as large", &case_b());
}

/// A quarter of the conductivities beyond a plane.
struct Layers;

impl TissueField for Layers {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        TissueId(u8::from(p.vec().x + 0.3 * p.vec().z > 1.2))
    }
}

pub(super) fn layered_balances(report: &mut Report) {
    let mut p = case_b();
    let first = p.tissues[0];
    let mut second = first;
    second.sigma_s_per_m *= 0.05;
    second.thermal_conductivity_w_per_m_k *= 0.5;
    second.density_kg_per_m3 *= 0.7;
    second.perfusion_per_s *= 3.0;
    p.tissues = vec![first, second];
    p.tissue_names = vec!["muscle".to_owned(), "beyond the plane".to_owned()];
    p.anatomy = Arc::new(Layers);
    (p.heating_s, p.cooling_s) = (30.0, 10.0);
    balance_rows(report, "needle beside an oblique border 20:1", &p);
}

fn balance_rows(report: &mut Report, case: &str, problem: &LesionProblem) {
    let initial = problem.initial_temperature_c;
    match solve(problem, &mut |_| !report.stopped()).map(|r| r.evidence) {
        Ok(e) => {
            report.within(
                format!(
                    "{case}: energy balance (in - stored - out) / in; {} cells, {} steps",
                    e.cells, e.steps
                ),
                e.energy_balance_relative,
                0.0,
                0.005,
                BALANCE,
            );
            report.at_most(
                format!("{case}: largest current balance (in - out) / in"),
                e.current_balance_relative,
                1e-6,
                BALANCE,
            );
            // Linear solves stop at a residual, not at zero.
            report.at_least(
                format!("{case}: lowest temperature in °C, not below the start at {initial} but for 1e-4"),
                e.min_temperature_c,
                initial - 1e-4,
                BALANCE,
            );
        }
        Err(e) => report.failed(format!("{case}: balances"), e, BALANCE),
    }
}

pub(super) fn poses(report: &mut Report) {
    const SOURCE: &str =
        "a ball of one tissue round the active tip, which looks the same from everywhere; mean over the poses";
    const CLAIM: &str = "4 orientations and shifts of the needle in the grid";
    let run = |direction: Vec3, shift: Vec3| -> Result<[f64; 4], String> {
        let mut p = case_b();
        let direction = direction.normalize();
        p.domain = Domain {
            center: PatientPoint::from_vec(Vec3::zeros()),
            shape: DomainShape::Sphere { radius_mm: 45.0 },
        };
        // The centre of the active tip stands near the centre of the ball, and not always at the same place between cells.
        p.needles[0].tip = PatientPoint::from_vec(direction * 5.0 + shift);
        p.needles[0].direction = direction.into();
        p.drive = Drive::Voltage { voltage_v: 18.0 };
        (p.heating_s, p.cooling_s) = (30.0, 0.0);
        let result = solve(&p, &mut |_| true).map_err(|e| e.to_string())?;
        let end = result.snapshots.last().ok_or("no snapshot")?;
        let c = end.contours.omega1.ok_or("no lesion")?;
        Ok([result.curves.impedance_ohm[0], c.width_mm, c.length_mm, c.volume_mm3])
    };
    let runs: Result<Vec<[f64; 4]>, String> = [
        (-Vec3::z(), Vec3::zeros()),
        (Vec3::x(), Vec3::new(0.31, 0.17, -0.23)),
        (Vec3::new(1.0, -1.0, -1.0), Vec3::new(-0.2, 0.4, 0.1)),
        (Vec3::new(0.3, 0.5, -0.8), Vec3::new(0.45, -0.35, 0.25)),
    ]
    .into_iter()
    .map(|(d, s)| run(d, s))
    .collect();
    let runs = match runs {
        Ok(r) => r,
        Err(e) => return report.failed(CLAIM, e, SOURCE),
    };
    for (k, (what, tolerance)) in [
        ("impedance in Ω", 0.005),
        ("width of Ω = 1 in mm", 0.005),
        ("length of Ω = 1 in mm", 0.005),
        ("volume of Ω = 1 in mm³", 0.01),
    ]
    .into_iter()
    .enumerate()
    {
        let mean = runs.iter().map(|r| r[k]).sum::<f64>() / runs.len() as f64;
        let worst = runs
            .iter()
            .map(|r| r[k])
            .max_by(|a, b| (a - mean).abs().total_cmp(&(b - mean).abs()))
            .unwrap_or(f64::NAN);
        report.within(
            format!("{CLAIM}: {what}, farthest from the mean"),
            worst,
            mean,
            tolerance * mean,
            SOURCE,
        );
    }
}
