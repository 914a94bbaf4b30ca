//! Injury by the lesion solver where the temperature has a closed form.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::injury::{Arrhenius, cem43_rate_min_per_s};
use neurotome_procedure::{
    anatomy::{Homogeneous, TissueId},
    lesion::{
        Blood, Domain, DomainShape, Drive, FieldSample, LesionProblem, Limits, Metal, Needle, Perfusion,
        SolverSettings, solve,
    },
};

use super::{super::Report, setting::tissue};

/// The liver set of the reference cases.
const LAW: (f64, f64) = (7.39e39, 2.577e5);

/// A needle without current, which warms or cools nothing by itself.
pub(super) fn unheated(k: f64, initial_c: f64, blood_c: f64, perfusion_per_s: f64, seconds: f64) -> LesionProblem {
    let mut t = tissue(0.4, k, 3.7e6, 0.0);
    t.perfusion_per_s = perfusion_per_s;
    LesionProblem {
        tissues: vec![t],
        tissue_names: vec!["tissue".to_owned()],
        anatomy: Arc::new(Homogeneous(TissueId(0))),
        domain: Domain {
            center: PatientPoint::from_vec(Vec3::zeros()),
            shape: DomainShape::Box { half_mm: [30.0; 3] },
        },
        needles: vec![Needle {
            tip: PatientPoint::from_vec(Vec3::zeros()),
            direction: [0.0, 0.0, -1.0],
            outer_diameter_mm: 0.908,
            active_tip_mm: 5.0,
            length_mm: 100.0,
            bend: None,
            bevel: None,
            contacts: vec![],
            insulation_defects: vec![],
            skin_from_tip_mm: None,
            tines: vec![],
            coolant: None,
            potential_fraction: 1.0,
            thermocouple_from_tip_mm: 0.5,
            thermocouple_tine: None,
            metal: Metal {
                thermal_conductivity_w_per_m_k: 16.2,
                density_kg_per_m3: 7900.0,
                specific_heat_j_per_kg_k: 500.0,
            },
        }],
        drive: Drive::Voltage { voltage_v: 0.0 },
        heating_s: seconds,
        cooling_s: 0.0,
        limits: Limits {
            voltage_v: 100.0,
            current_a: 2.0,
            power_w: 50.0,
        },
        injury: Arrhenius {
            ln_frequency_factor: LAW.0.ln(),
            activation_energy_j_per_mol: LAW.1,
        },
        perfusion: Perfusion::On,
        blood: Blood {
            density_kg_per_m3: 1000.0,
            specific_heat_j_per_kg_k: 3700.0,
            temperature_c: blood_c,
        },
        initial_temperature_c: initial_c,
        boundary_temperature_c: initial_c,
        boiling: false,
        injectate: None,
        tissue_injury: vec![],
        more_injury: vec![],
        more_isotherms_c: vec![],
        dose_contours_min: vec![],
        probes: vec![],
        output_times_s: vec![],
        nerves: vec![],
        pad: None,
        solver: SolverSettings {
            cell_size: 2.5,
            estimate_error: false,
            ..SolverSettings::default()
        },
    }
}

fn sample(problem: &LesionProblem, p: Vec3) -> Result<FieldSample, String> {
    let result = solve(problem, &mut |_| true).map_err(|e| e.to_string())?;
    result
        .fields
        .sample(&PatientPoint::from_vec(p))
        .ok_or_else(|| "the point lies outside the tissue".to_owned())
}

pub(super) fn isothermal(report: &mut Report) {
    const OMEGA: &str = "Ω = A t exp(-Ea/(R T)), with R = 8.314462618 J/(mol K)";
    const DOSE: &str =
        "Sapareto and Dewey 1984: one equivalent minute a minute at 43 °C, two at 44 °C, a quarter at 42 °C";
    let here = Vec3::new(8.0, 3.0, -2.0);
    for (t_c, seconds) in [(50.0, 60.0), (45.0, 90.0), (60.0, 10.0)] {
        let claim = format!("tissue at {t_c} °C for {seconds} s: Arrhenius integral Ω");
        let exact = LAW.0 * seconds * (-LAW.1 / (8.314_462_618 * (t_c + 273.15))).exp();
        match sample(&unheated(0.5, t_c, t_c, 0.001, seconds), here) {
            Ok(s) => report.within(claim, s.ln_omega.exp(), exact, 1e-6 * exact, OMEGA),
            Err(e) => report.failed(claim, e, OMEGA),
        }
    }
    for (t_c, minutes) in [(43.0, 1.0), (44.0, 2.0), (42.0, 0.25)] {
        let claim = format!("tissue at {t_c} °C for 60 s: thermal dose CEM43 in min");
        match sample(&unheated(0.5, t_c, t_c, 0.001, 60.0), here) {
            Ok(s) => report.within(claim, s.cem43_min, minutes, 1e-6 * minutes, DOSE),
            Err(e) => report.failed(claim, e, DOSE),
        }
    }
}

pub(super) fn warming(report: &mut Report) {
    const SOURCE: &str = "T = 60 - 23 exp(-t/20 s) by blood alone; Ω and CEM43 by Simpson's rule with 200000 intervals";
    const CLAIM: &str = "tissue warmed by blood from 37 towards 60 °C in 90 s";
    let (t0, blood, tau, seconds) = (37.0, 60.0, 20.0, 90.0);
    let temperature = |t: f64| blood + (t0 - blood) * (-t / tau).exp();
    let law = Arrhenius {
        ln_frequency_factor: LAW.0.ln(),
        activation_energy_j_per_mol: LAW.1,
    };
    let simpson = |rate: &dyn Fn(f64) -> f64| {
        let n = 200_000;
        let h = seconds / f64::from(n);
        (0..=n)
            .map(|i| {
                let w = if i == 0 || i == n {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                w * rate(temperature(h * f64::from(i)))
            })
            .sum::<f64>()
            * h
            / 3.0
    };
    let omega = simpson(&|t| law.rate_per_s(t));
    let dose = simpson(&cem43_rate_min_per_s);
    let end = temperature(seconds);
    let usual = SolverSettings::default().step_tolerance_k;
    // Hardly any conduction: the boundary and the needle do not matter 8 mm away. With
    // the usual tolerance the error may be as large as if it lasted: a kelvin changes the dose by a factor of 2 (ln 2 = 0.69) and Ω by 1.32 (0.28).
    for (step_k, temperature_k, omega_part, dose_part) in [
        (usual, 0.5 * usual, 0.28 * usual, 0.69 * usual),
        (0.0005, 0.005, 0.003, 0.005),
    ] {
        let mut problem = unheated(1e-4, t0, blood, 1.0 / tau, seconds);
        problem.solver.step_tolerance_k = step_k;
        // The error of a step is only seen when the linear solves err far less.
        problem.solver.linear_tolerance = problem.solver.linear_tolerance.min(2e-6 * step_k);
        let s = match sample(&problem, Vec3::new(8.0, 3.0, -2.0)) {
            Ok(s) => s,
            Err(e) => return report.failed(CLAIM, e, SOURCE),
        };
        let claim = format!("{CLAIM}, error of a step below {step_k} K:");
        report.within(
            format!("{claim} temperature at the end in °C"),
            s.temperature_c,
            end,
            temperature_k,
            SOURCE,
        );
        report.within(
            format!("{claim} Arrhenius integral Ω"),
            s.ln_omega.exp(),
            omega,
            omega_part * omega,
            SOURCE,
        );
        report.within(
            format!("{claim} thermal dose CEM43 in min"),
            s.cem43_min,
            dose,
            dose_part * dose,
            SOURCE,
        );
    }
}
