//! What the generator does and what it meets: pulses, channels, injected fluid, perfusion that rises, several laws of injury.

use std::{f64::consts::PI, sync::Arc};

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::{
    injury::Arrhenius,
    medium::{Injectate as Fluid, Laid},
    tissue::PerfusionRise,
};
use neurotome_procedure::anatomy::TissueId;
use neurotome_procedure::lesion::{
    Control, DomainShape, Drive, Heating, Injectate, LesionProblem, NamedLaw, NerveCurve, Probe, ShareField, solve,
};

use super::{
    super::Report,
    injury::unheated,
    setting::{Model, cube, octree, tissue},
};

const RADIUS_MM: f64 = 0.454;

/// A share of the volume that is the same everywhere.
struct Everywhere(f64);

impl ShareField for Everywhere {
    fn share_at(&self, _: &PatientPoint, _: TissueId) -> f64 {
        self.0
    }
}

fn saline(share: f64) -> Injectate {
    Injectate {
        share: Arc::new(Everywhere(share)),
        sigma_s_per_m: 2.0,
        density_kg_per_m3: 1000.0,
        specific_heat_j_per_kg_k: 4200.0,
    }
}

pub(super) fn injectate(report: &mut Report) {
    const SOURCE: &str = "mixed in parallel, (1 - c) tissue + c fluid";
    const CLAIM: &str = "tissue with a third of its volume saline";
    let share = 0.3;
    // Warmed by blood alone: the rate goes as 1 / ρc.
    let mut p = unheated(1e-4, 37.0, 60.0, 0.02, 30.0);
    p.solver.step_tolerance_k = 0.002;
    p.solver.linear_tolerance = 1e-8;
    p.probes = vec![Probe {
        name: "far".to_owned(),
        position: PatientPoint::new(8.0, 3.0, -2.0),
    }];
    let run = |p: &LesionProblem| {
        let r = solve(p, &mut |_| true).map_err(|e| e.to_string())?;
        let end = r.snapshots.last().ok_or("no snapshot")?;
        Ok::<_, String>((r.curves.impedance_ohm[0], end.probes["far"]))
    };
    let dry = run(&p);
    p.injectate = Some(saline(share));
    let (dry, wet) = match (dry, run(&p)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(e), _) | (_, Err(e)) => return report.failed(CLAIM, e, SOURCE),
    };
    let mixed = 0.4 + share * (2.0 - 0.4);
    report.within(
        format!("{CLAIM}: impedance over that of the tissue alone"),
        wet.0 / dry.0,
        0.4 / mixed,
        1e-5,
        SOURCE,
    );
    let capacity = (1.0 - share) * 3.7e6 + share * 4.2e6;
    let exact = 60.0 - 23.0 * (-30.0 * 0.02 * 3.7e6 / capacity).exp();
    report.within(
        format!("{CLAIM}: temperature in °C after 30 s of warming by blood alone"),
        wet.1,
        exact,
        0.02,
        SOURCE,
    );
}

/// A ball of fluid in tissue under a uniform field (Maxwell).
pub(super) fn injected_ball(report: &mut Report) {
    const SOURCE: &str = "Maxwell 1873, sphere in a uniform field: 3σ₁ / (2σ₁ + σ₂) of it inside";
    let (outer, inner, radius) = (0.4, 5.0, 5e-3f64);
    let contrast = (inner - outer) / (inner + 2.0 * outer);
    let exact = |p: &Vec3| {
        let r = p.norm();
        if r < radius {
            p.z * 3.0 * outer / (inner + 2.0 * outer)
        } else {
            p.z * (1.0 - contrast * (radius / r).powi(3))
        }
    };
    let share = |p: &Vec3, _: u8| f64::from(u8::from(p.norm() < radius));
    let laid = Laid {
        injectate: Some(Fluid {
            share: &share,
            sigma_s_per_m: inner,
            heat_capacity_j_per_m3_k: 4.2e6,
        }),
        ..Laid::tissue(&|_| 0)
    };
    let h = 0.5e-3;
    let claim = "ball of 10 mm of fluid (σ 12.5:1) in a uniform field, cells of 0.5 mm: relative root mean square error of the potential";
    let model = Model::laid(
        cube(12e-3),
        &[],
        &octree(h, 0.0),
        &[tissue(outer, 0.5, 3.7e6, 0.0)],
        &laid,
    );
    match model.and_then(|m| Ok((m.potential(&exact)?.0, m))) {
        Ok((u, m)) => report.at_most(claim, m.l2(&u, &exact), 0.01, SOURCE),
        Err(e) => report.failed(claim, e, SOURCE),
    }
}

pub(super) fn rising_perfusion(report: &mut Report) {
    const SOURCE: &str = "ρc dT/dt = f(T) w (T_b - T), Runge-Kutta of fourth order with 20000 steps";
    const CLAIM: &str =
        "tissue warmed by blood of 60 °C whose flow rises with temperature: temperature in °C after 60 s";
    let rise = PerfusionRise {
        max_factor: 6.0,
        max_temperature_c: 45.0,
        width_k: 3.46,
    };
    let (rate, seconds, n) = (0.004, 60.0, 20_000);
    let slope = |t: f64| rise.factor(t) * rate * (60.0 - t);
    let dt = seconds / f64::from(n);
    let exact = (0..n).fold(37.0, |t, _| {
        let k1 = slope(t);
        let k2 = slope(t + 0.5 * dt * k1);
        let k3 = slope(t + 0.5 * dt * k2);
        let k4 = slope(t + dt * k3);
        t + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    });
    let at_end = |step_k: f64| {
        let mut p = unheated(1e-4, 37.0, 60.0, rate, seconds);
        p.tissues[0].perfusion_rise = Some(rise);
        p.solver.step_tolerance_k = step_k;
        p.solver.linear_tolerance = 1e-8;
        let result = solve(&p, &mut |_| true).map_err(|e| e.to_string())?;
        let sampled = result.fields.sample(&PatientPoint::new(8.0, 3.0, -2.0));
        sampled.map(|s| s.temperature_c).ok_or_else(|| "outside".to_owned())
    };
    // What an error does to the flow makes it grow threefold in these 60 s. An eighth of the error of a step is half of its length.
    let (usual, short, half) = (0.08, 0.0005, 0.0005 / 8.0);
    match at_end(usual) {
        Ok(t) => report.within(
            format!("{CLAIM}, error of a step below {usual} K"),
            t,
            exact,
            0.16,
            SOURCE,
        ),
        Err(e) => return report.failed(CLAIM, e, SOURCE),
    }
    if !report.full() {
        return;
    }
    match at_end(short).and_then(|t| Ok((t, at_end(half)?))) {
        Ok((t_short, t_half)) => {
            report.within(
                format!("{CLAIM}, error of a step below {half} K"),
                t_half,
                exact,
                0.01,
                SOURCE,
            );
            let (e_short, e_half) = ((t_short - exact).abs(), (t_half - exact).abs());
            report.at_least(
                format!("{CLAIM}: order in the length of a step, errors {e_short:.4} and {e_half:.4} K"),
                (e_short / e_half).log2(),
                1.75,
                SOURCE,
            );
        }
        Err(e) => report.failed(CLAIM, e, SOURCE),
    }
}

/// A long bare needle along the axis of a cylinder of 10 mm: in its middle the field is that of a coaxial line.
fn coaxial(drive: Drive, seconds: f64) -> LesionProblem {
    let mut p = unheated(0.5, 37.0, 37.0, 0.0, seconds);
    p.domain.shape = DomainShape::Cylinder {
        axis: [0.0, 0.0, 1.0],
        radius_mm: 10.0,
        half_length_mm: 45.0,
    };
    p.needles[0].tip = PatientPoint::new(0.0, 0.0, -30.0);
    p.needles[0].active_tip_mm = 60.0;
    p.drive = drive;
    (p.limits.power_w, p.limits.current_a) = (1e3, 1e2);
    p.solver.cell_size = 2.0;
    p.probes = [0.3, 1.0]
        .map(|d| Probe {
            name: format!("{d}"),
            position: PatientPoint::new((RADIUS_MM + d) * 0.8, (RADIUS_MM + d) * 0.6, 0.0),
        })
        .into();
    p
}

fn pulses(resolved: bool) -> Drive {
    Drive::Pulsed {
        voltage_v: 45.0,
        pulse_s: 0.02,
        rate_hz: 2.0,
        limit_temperature_c: None,
        resolved,
    }
}

pub(super) fn pulses_of_current(report: &mut Report) {
    const FIELD: &str = "coaxial line, E = V / (r ln(R/a))";
    const MEAN: &str = "the same run with the mean power of the cycle";
    const SPIKE: &str = "σE²t/(ρc): heat has no time to move within the pulse";
    let strength = |d: f64| 45.0 / ((RADIUS_MM + d) * 1e-3 * (10.0 / RADIUS_MM).ln());
    let mut p = coaxial(pulses(true), 0.1);
    p.output_times_s = vec![0.02];
    match solve(&p, &mut |_| !report.stopped()) {
        Ok(r) => {
            for probe in &p.probes {
                let d: f64 = probe.name.parse().unwrap_or(f64::NAN);
                let e = strength(d);
                let field = r.fields.sample(&probe.position).map_or(f64::NAN, |s| s.field_v_per_m);
                report.within(
                    format!("pulse of 45 V: field strength in V/m {d} mm from the middle of the bare metal"),
                    field,
                    e,
                    0.03 * e,
                    FIELD,
                );
                let spike = 0.4 * e * e * 0.02 / 3.7e6;
                report.within(
                    format!(
                        "first pulse of 45 V, 20 ms: rise of temperature in K {d} mm from the middle of the bare metal"
                    ),
                    r.snapshots[0].probes[&probe.name] - 37.0,
                    spike,
                    0.05 * spike,
                    SPIKE,
                );
            }
        }
        Err(e) => report.failed("first pulse", e, SPIKE),
    }
    // The mean over four whole cycles of the thermocouple.
    let mean = |resolved: bool| -> Result<f64, String> {
        let mut heating = Heating::new(&coaxial(pulses(resolved), 60.0)).map_err(|e| e.to_string())?;
        heating.advance(6.0, &mut |_| true).map_err(|e| e.to_string())?;
        let mut last = heating.reading();
        let mut sum = 0.0;
        heating
            .advance(2.0, &mut |h| {
                let r = h.reading();
                sum += 0.5 * (r.thermocouples_c[0] + last.thermocouples_c[0]) * (r.t_s - last.t_s);
                last = r;
                true
            })
            .map_err(|e| e.to_string())?;
        Ok(0.5 * sum)
    };
    let claim = "pulses resolved in time: mean reading in °C from 6 to 8 s";
    match (mean(true), mean(false)) {
        (Ok(resolved), Ok(averaged)) => report.within(claim, resolved, averaged, 0.2, MEAN),
        (Err(e), _) | (_, Err(e)) => report.failed(claim, e, MEAN),
    }
}

pub(super) fn channels(report: &mut Report) {
    const SOURCE: &str = "two needles 50 mm apart in a ball of 120 mm: too far to warm each other";
    let set = |control: Control| Drive::Temperature {
        set_temperature_c: 80.0,
        ramp_s: 5.0,
        control,
    };
    let run = |xs: &[f64]| -> Result<_, String> {
        let mut p = unheated(0.49, 37.0, 37.0, 0.0007, 20.0);
        p.domain.shape = DomainShape::Sphere { radius_mm: 60.0 };
        p.solver.cell_size = 2.0;
        let one = p.needles[0].clone();
        p.needles = xs
            .iter()
            .map(|x| {
                let mut n = one.clone();
                n.tip = PatientPoint::new(*x, 0.0, 0.0);
                n
            })
            .collect();
        p.drive = set(Control::Each);
        let mut heating = Heating::new(&p).map_err(|e| e.to_string())?;
        heating.advance(20.0, &mut |_| true).map_err(|e| e.to_string())?;
        let volume = heating.snapshot().contours.iso50.map_or(0.0, |c| c.volume_mm3);
        Ok((heating.reading(), volume))
    };
    let (one, two) = match (run(&[25.0]), run(&[25.0, -25.0])) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(e), _) | (_, Err(e)) => return report.failed("two needles by two channels", e, SOURCE),
    };
    for (k, t) in two.0.thermocouples_c.iter().enumerate() {
        report.within(
            format!("two needles by two channels: thermocouple {} in °C", k + 1),
            *t,
            80.0,
            0.05,
            "the set temperature",
        );
    }
    let power = 2.0 * one.0.power_w;
    report.within(
        "two needles far apart: power in W against twice one's",
        two.0.power_w,
        power,
        0.01 * power,
        SOURCE,
    );
    let volume = 2.0 * one.1;
    report.within(
        "two needles far apart: volume above 50 °C in mm³ against twice one's",
        two.1,
        volume,
        0.02 * volume,
        SOURCE,
    );
    // In phase, each lifts the other: V = R I + R' I with R' = 1/(4πσd) less what the boundary at zero takes.
    let current = two.0.needle_current_a[0];
    let free = 1.0 / (4.0 * PI * 0.4 * 50e-3);
    // Image in the grounded ball of the point at 25 mm: charge a/d at a²/d.
    let image = 60.0 / 25.0 / (4.0 * PI * 0.4 * (144.0 + 25.0) * 1e-3);
    let own = one.0.voltage_v[0] / one.0.needle_current_a[0];
    let exact = own + free - image;
    report.within(
        "two needles far apart, in phase: voltage over current of the first in Ω",
        two.0.voltage_v[0] / current,
        exact,
        0.01 * exact,
        "resistance of one and that between two points in a grounded ball (image charge)",
    );
}

/// Two laws at once: each destroys a nerve when its own Ω reaches one.
pub(super) fn several_laws(report: &mut Report) {
    const SOURCE: &str = "iso-effect: Ω = 1 at t = exp(Ea/(R T)) / A";
    let laws = [("first", 2.94e39f64, 2.596e5f64), ("second", 3.1e98, 6.28e5)];
    for t_c in [50.0, 60.0] {
        for (name, a, ea) in laws {
            let effect_s = (ea / (8.314_462_618 * (t_c + 273.15))).exp() / a;
            for (part, destroyed) in [(0.999, 0.0), (1.001, 10.0)] {
                let mut p = unheated(0.5, t_c, t_c, 0.001, part * effect_s);
                p.more_injury = laws
                    .iter()
                    .map(|(name, a, ea)| NamedLaw {
                        name: (*name).to_owned(),
                        law: Arrhenius {
                            ln_frequency_factor: a.ln(),
                            activation_energy_j_per_mol: *ea,
                        },
                    })
                    .collect();
                p.nerves = vec![NerveCurve {
                    name: "nerve".to_owned(),
                    points: vec![PatientPoint::new(5.0, 0.0, 0.0), PatientPoint::new(5.0, 10.0, 0.0)],
                    diameter_mm: 0.2,
                    target: true,
                }];
                let claim = format!(
                    "nerve of 10 mm at {t_c} °C for {part} of the iso-effect time ({effect_s:.1} s) of the {name} of two laws: length destroyed in mm"
                );
                match solve(&p, &mut |_| true) {
                    Ok(r) => report.within(claim, r.nerves[0].destroyed_by_law_mm[name], destroyed, 0.05, SOURCE),
                    Err(e) => report.failed(claim, e, SOURCE),
                }
            }
        }
    }
}
