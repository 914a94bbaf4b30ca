//! Lesions advanced step by step: control, pulses, boiling, heat sinks, injectate.

use std::sync::Arc;

use neurotome_base::PatientPoint;
use neurotome_physics::{
    injury::Arrhenius,
    tissue::{Fluid, PerfusionRise, TissueProperties},
};
use neurotome_procedure::{
    anatomy::{
        TissueId,
        phantom::{Fibres, Phantom, Region, Shape},
    },
    lesion::{
        Blood, Bolus, Control, Domain, DomainShape, Drive, Heating, Injectate, InsulationDefect, LesionProblem, Limits,
        Metal, NamedLaw, Needle, NerveCurve, Perfusion, SolverSettings, solve,
    },
};

const MUSCLE: TissueProperties = TissueProperties {
    sigma_s_per_m: 0.446,
    sigma_temperature_coefficient_per_k: 0.015,
    sigma_limit_temperature_c: 100.0,
    thermal_conductivity_w_per_m_k: 0.49,
    density_kg_per_m3: 1090.0,
    specific_heat_j_per_kg_k: 3421.0,
    perfusion_per_s: 0.0007,
    water_fraction: 0.75,
    sigma_fibre_ratio: 1.0,
    perfusion_rise: None,
    fluid: None,
};

fn needle(x: f64) -> Needle {
    Needle {
        tip: PatientPoint::new(x, 0.0, -5.0),
        direction: [0.0, 0.0, -1.0],
        outer_diameter_mm: 0.908,
        active_tip_mm: 10.0,
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
    }
}

fn temperature(set_temperature_c: f64, control: Control) -> Drive {
    Drive::Temperature {
        set_temperature_c,
        ramp_s: 10.0,
        control,
    }
}

/// One 20 G needle in muscle on a coarse grid.
fn problem(drive: Drive, heating_s: f64) -> LesionProblem {
    LesionProblem {
        tissues: vec![MUSCLE],
        tissue_names: vec!["muscle".into()],
        anatomy: Arc::new(Phantom {
            background: TissueId(0),
            regions: vec![],
            fibres: Fibres::default(),
        }),
        domain: Domain {
            center: PatientPoint::new(0.0, 0.0, 0.0),
            shape: DomainShape::Sphere { radius_mm: 50.0 },
        },
        needles: vec![needle(0.0)],
        drive,
        heating_s,
        cooling_s: 0.0,
        limits: Limits {
            voltage_v: 200.0,
            current_a: 5.0,
            power_w: 200.0,
        },
        injury: Arrhenius {
            ln_frequency_factor: 7.39e39_f64.ln(),
            activation_energy_j_per_mol: 2.577e5,
        },
        tissue_injury: vec![],
        more_injury: vec![],
        perfusion: Perfusion::On,
        blood: Blood {
            density_kg_per_m3: 1050.0,
            specific_heat_j_per_kg_k: 3617.0,
            temperature_c: 37.0,
        },
        initial_temperature_c: 37.0,
        boundary_temperature_c: 37.0,
        boiling: false,
        injectate: None,
        probes: vec![],
        output_times_s: vec![],
        more_isotherms_c: vec![],
        dose_contours_min: vec![],
        nerves: vec![],
        pad: None,
        solver: SolverSettings {
            cell_size: 2.2,
            estimate_error: false,
            ..SolverSettings::default()
        },
    }
}

fn goes_on(_: &Heating) -> bool {
    true
}

#[test]
fn a_session_follows_the_operator() {
    let mut heating = Heating::new(&problem(temperature(80.0, Control::First), 300.0)).unwrap();
    let mut steps = 0;
    heating
        .advance(30.0, &mut |h| {
            steps += 1;
            assert!(h.reading().power_w >= 0.0);
            true
        })
        .unwrap();
    assert!(steps > 10);
    let held = heating.reading();
    assert!((held.t_s - 30.0).abs() < 1e-9);
    assert!((held.thermocouples_c[0] - 80.0).abs() < 0.02, "{held:?}");
    // The isotherm of 60 °C lies within that of 45 °C.
    let reach = |t: f64| heating.isotherm(t).iter().map(|p| p.xyz[0].abs()).fold(0.0, f64::max);
    assert!(reach(60.0) > 0.6 && reach(45.0) > reach(60.0) + 0.5);

    heating.set_drive(temperature(60.0, Control::First), 60.0).unwrap();
    heating.advance(30.0, &mut goes_on).unwrap();
    assert!((heating.reading().thermocouples_c[0] - 60.0).abs() < 0.02);
    heating.set_drive(Drive::Power { power_w: 3.0 }, 60.0).unwrap();
    heating.advance(5.0, &mut goes_on).unwrap();
    assert!((heating.reading().power_w - 3.0).abs() < 1e-9);
    heating.switch_off();
    heating.advance(20.0, &mut goes_on).unwrap();
    let off = heating.reading();
    assert_eq!((off.power_w, off.voltage_v[0]), (0.0, 0.0));
    assert!(off.thermocouples_c[0] < 60.0 && off.impedance_ohm > 50.0, "{off:?}");
    let evidence = heating.evidence();
    assert!(evidence.energy_balance_relative.abs() < 5e-3, "{evidence:?}");
    // A drive with other channels needs another run.
    let mut two = problem(temperature(80.0, Control::First), 10.0);
    two.needles.push(needle(10.0));
    let mut heating = Heating::new(&two).unwrap();
    assert!(heating.set_drive(temperature(80.0, Control::Each), 5.0).is_err());
}

/// What a solve after a correction of the voltage finds is kept for the next step's, which then leaves next to nothing to solve: without
/// that such a run takes 1.9 iterations a solve.
#[test]
fn control_learns_how_the_tissue_answers() {
    let mut heating = Heating::new(&problem(temperature(80.0, Control::First), 60.0)).unwrap();
    heating
        .advance(60.0, &mut |h| {
            let r = h.reading();
            assert!(
                (r.thermocouples_c[0] - r.set_temperature_c.unwrap()).abs() < 5e-3,
                "{r:?}"
            );
            assert_eq!(r.hottest_c, h.hottest_by_needle_c()[0]);
            true
        })
        .unwrap();
    let evidence = heating.evidence();
    assert!(evidence.heat_iterations_mean < 1.6, "{evidence:?}");
}

#[test]
fn stepping_by_hand_is_the_same_run() {
    let problem = problem(temperature(75.0, Control::First), 20.0);
    let whole = solve(&problem, &mut |_| true).unwrap();
    let mut heating = Heating::new(&problem).unwrap();
    heating.advance(20.0, &mut goes_on).unwrap();
    let (a, b) = (whole.snapshots.last().unwrap(), heating.snapshot());
    assert_eq!(a, &b);
}

/// One needle beside bone-like tissue, one in muscle: each must be held by its own voltage.
#[test]
fn each_needle_is_held_by_its_own_channel() {
    let mut p = problem(temperature(80.0, Control::Each), 40.0);
    p.needles = vec![needle(-4.0), needle(4.0)];
    let mut poor = MUSCLE;
    poor.sigma_s_per_m = 0.15;
    p.tissues.push(poor);
    p.tissue_names.push("poor".into());
    p.anatomy = Arc::new(Phantom {
        background: TissueId(0),
        regions: vec![Region::Solid {
            shape: Shape::HalfSpace {
                point: neurotome_base::Vec3::zeros(),
                normal: neurotome_base::Vec3::x(),
            },
            tissue: TissueId(1),
        }],
        fibres: Fibres::default(),
    });
    let mut heating = Heating::new(&p).unwrap();
    heating
        .advance(40.0, &mut |h| {
            let r = h.reading();
            let set = r.set_temperature_c.unwrap();
            // From the second second on: the first steps start from a guess.
            r.t_s < 2.0 || r.thermocouples_c.iter().all(|t| (t - set).abs() < 0.3)
        })
        .unwrap();
    let r = heating.reading();
    assert!(r.voltage_v[1] > 1.1 * r.voltage_v[0], "{r:?}");
    let drawn: f64 = r.needle_current_a.iter().sum();
    assert!(drawn > 0.0 && r.power_w > 1.0);
    assert!(
        heating.evidence().current_balance_relative < 1e-6,
        "{:?}",
        heating.evidence()
    );
}

#[test]
fn the_hottest_thermocouple_is_held() {
    let mut p = problem(temperature(80.0, Control::Hottest), 30.0);
    p.needles = vec![needle(-4.0), needle(4.0)];
    p.needles[0].potential_fraction = 0.5;
    p.needles[1].potential_fraction = -0.6;
    let mut heating = Heating::new(&p).unwrap();
    heating.advance(30.0, &mut goes_on).unwrap();
    let t = heating.reading().thermocouples_c;
    assert!((t[1] - 80.0).abs() < 0.1 && t[0] < 79.0, "{t:?}");
}

fn pulses(resolved: bool, limit: Option<f64>) -> Drive {
    Drive::Pulsed {
        voltage_v: 45.0,
        pulse_s: 0.02,
        rate_hz: 2.0,
        limit_temperature_c: limit,
        resolved,
    }
}

#[test]
fn the_mean_of_resolved_pulses_is_that_of_the_averaged_ones() {
    let run = |resolved: bool| {
        let mut p = problem(pulses(resolved, None), 60.0);
        p.solver.step_tolerance_k = 0.03;
        let mut heating = Heating::new(&p).unwrap();
        let (mut sum, mut hottest, mut before) = (0.0, 0.0f64, 6.0);
        heating.advance(6.0, &mut goes_on).unwrap();
        let mut last = heating.reading().thermocouples_c[0];
        // The mean reading from 6 to 8 s: four whole cycles.
        heating
            .advance(2.0, &mut |h| {
                let r = h.reading();
                sum += 0.5 * (r.thermocouples_c[0] + last) * (r.t_s - before);
                (before, last) = (r.t_s, r.thermocouples_c[0]);
                hottest = hottest.max(r.hottest_c);
                true
            })
            .unwrap();
        (0.5 * sum, hottest)
    };
    let ((resolved, spike), (averaged, flat)) = (run(true), run(false));
    assert!((resolved - averaged).abs() < 0.2, "{resolved} against {averaged}");
    // Within a pulse the tissue at the edge of the tip is far hotter than in the mean.
    assert!(spike > flat + 3.0, "{spike} against {flat}");
}

#[test]
fn pulses_give_way_to_the_temperature_limit() {
    for resolved in [false, true] {
        let mut heating = Heating::new(&problem(pulses(resolved, Some(39.0)), 60.0)).unwrap();
        heating
            .advance(if resolved { 15.0 } else { 40.0 }, &mut goes_on)
            .unwrap();
        let r = heating.reading();
        assert!((r.thermocouples_c[0] - 39.0).abs() < 0.5, "resolved {resolved}: {r:?}");
    }
}

/// High voltage: tissue boils, dries, conducts no more; the generator sees the impedance rise.
#[test]
fn boiling_tissue_dries_and_its_impedance_rises() {
    let mut p = problem(Drive::Voltage { voltage_v: 32.0 }, 20.0);
    p.boiling = true;
    let mut heating = Heating::new(&p).unwrap();
    let (mut least, mut peak_power) = (f64::INFINITY, 0.0f64);
    heating
        .advance(20.0, &mut |h| {
            let r = h.reading();
            least = least.min(r.impedance_ohm);
            peak_power = peak_power.max(r.power_w);
            true
        })
        .unwrap();
    let r = heating.reading();
    assert!(r.impedance_ohm > 1.5 * least, "{} from {least}", r.impedance_ohm);
    assert!(r.power_w < 0.7 * peak_power, "{} of {peak_power}", r.power_w);
    let evidence = heating.evidence();
    assert!(evidence.energy_balance_relative.abs() < 0.02, "{evidence:?}");
}

/// A vessel beside the tip keeps its wall cold; a poor film less so.
#[test]
fn a_vessel_takes_heat_away() {
    let reach = |transfer: Option<f64>| {
        let mut p = problem(temperature(80.0, Control::First), 40.0);
        let mut blood = MUSCLE;
        blood.fluid = transfer.map(|h| Fluid {
            temperature_c: 37.0,
            heat_transfer_w_per_m2_k: h,
        });
        p.tissues.push(blood);
        p.tissue_names.push("vessel".into());
        p.anatomy = Arc::new(Phantom {
            background: TissueId(0),
            regions: vec![Region::Solid {
                shape: Shape::Capsule {
                    from: neurotome_base::Vec3::new(4.0, 0.0, -30.0),
                    to: neurotome_base::Vec3::new(4.0, 0.0, 30.0),
                    radius_mm: 1.5,
                },
                tissue: TissueId(1),
            }],
            fibres: Fibres::default(),
        });
        let mut heating = Heating::new(&p).unwrap();
        heating.advance(40.0, &mut goes_on).unwrap();
        let e = heating.evidence();
        assert!(e.energy_balance_relative.abs() < 0.01, "{e:?}");
        let side = |s: f64| heating.isotherm(50.0).iter().map(|p| s * p.xyz[0]).fold(0.0, f64::max);
        (side(1.0), side(-1.0), heating.reading().power_w)
    };
    let (dry, poor, good) = (reach(None), reach(Some(200.0)), reach(Some(5000.0)));
    assert!((dry.0 - dry.1).abs() < 0.15, "{dry:?}");
    assert!(
        good.0 < good.1 - 0.1 && good.0 < poor.0 && poor.0 < dry.0,
        "{dry:?} {poor:?} {good:?}"
    );
    assert!(good.2 > poor.2 && poor.2 > dry.2, "{dry:?} {poor:?} {good:?}");
}

#[test]
fn injected_saline_lowers_impedance_and_widens_the_lesion() {
    let run = |sigma: Option<f64>| {
        let mut p = problem(temperature(80.0, Control::First), 40.0);
        p.injectate = sigma.map(|sigma_s_per_m| Injectate {
            share: Arc::new(Bolus {
                center: PatientPoint::new(0.0, 0.0, 0.0),
                volume_ml: 0.5,
                share: 0.4,
            }),
            sigma_s_per_m,
            density_kg_per_m3: 1005.0,
            specific_heat_j_per_kg_k: 4150.0,
        });
        let result = solve(&p, &mut |_| true).unwrap();
        let last = result.snapshots.last().unwrap().clone();
        (last.impedance_ohm, last.power_w, last.contours.omega1.unwrap().width_mm)
    };
    let (dry, saline) = (run(None), run(Some(5.0)));
    assert!(
        saline.0 < 0.6 * dry.0 && saline.1 > dry.1 && saline.2 > dry.2,
        "{dry:?} {saline:?}"
    );
}

#[test]
fn perfusion_that_rises_with_heat_shrinks_the_lesion() {
    let width = |rise: Option<PerfusionRise>| {
        let mut p = problem(temperature(80.0, Control::First), 90.0);
        p.tissues[0].perfusion_rise = rise;
        let result = solve(&p, &mut |_| true).unwrap();
        result.snapshots.last().unwrap().contours.iso45.unwrap().width_mm
    };
    let rise = PerfusionRise {
        max_factor: 8.0,
        max_temperature_c: 45.0,
        width_k: 3.46,
    };
    let (rest, risen) = (width(None), width(Some(rise)));
    assert!(risen < 0.97 * rest, "{risen} against {rest}");
}

#[test]
fn several_laws_give_several_lesions() {
    let mut p = problem(temperature(80.0, Control::First), 60.0);
    let gentle = Arrhenius {
        ln_frequency_factor: 2.94e39_f64.ln(),
        activation_energy_j_per_mol: 2.596e5,
    };
    p.more_injury = vec![
        NamedLaw {
            name: "same".into(),
            law: p.injury,
        },
        NamedLaw {
            name: "gentle".into(),
            law: gentle,
        },
    ];
    p.more_isotherms_c = vec![55.0];
    p.dose_contours_min = vec![240.0];
    p.nerves = vec![NerveCurve {
        name: "nerve".into(),
        points: vec![PatientPoint::new(1.6, 0.0, -20.0), PatientPoint::new(1.6, 0.0, 20.0)],
        diameter_mm: 0.8,
        target: true,
    }];
    let result = solve(&p, &mut |_| true).unwrap();
    let c = &result.snapshots.last().unwrap().contours;
    let width = |name: &str| c.more[name].unwrap().width_mm;
    assert_eq!(c.more["omega1_same"], c.omega1);
    assert!(width("omega1_gentle") < c.omega1.unwrap().width_mm);
    assert!(width("iso55") < c.iso50.unwrap().width_mm && width("iso55") > c.iso60.unwrap().width_mm);
    assert!(width("cem43_240") > width("iso55"));
    let nerve = &result.nerves[0];
    assert_eq!(nerve.destroyed_by_law_mm["same"], nerve.destroyed_mm);
    assert!(nerve.destroyed_by_law_mm["gentle"] < nerve.destroyed_mm);
    assert_eq!(result.tissues.len(), 1);
    let volume = c.omega1.unwrap().volume_mm3;
    assert!(
        (result.tissues[0].injured_mm3 / volume - 1.0).abs() < 0.2,
        "{:?} {volume}",
        result.tissues
    );
    // A law of its own for the tissue replaces the run's.
    p.tissue_injury = vec![(0, gentle)];
    let own = solve(&p, &mut |_| true).unwrap();
    assert_eq!(own.snapshots.last().unwrap().contours.omega1, c.more["omega1_gentle"]);
}

#[test]
fn a_defect_of_the_insulation_takes_its_share() {
    let mut p = problem(Drive::Voltage { voltage_v: 14.0 }, 20.0);
    // Voltage times current is the power as far as the potential is solved for.
    p.solver.linear_tolerance = 1e-7;
    let sound = solve(&p, &mut |_| true).unwrap();
    assert!(sound.leaks.is_empty() && sound.skin_entries.is_empty() && sound.pulse.is_none());
    p.needles[0].insulation_defects = vec![InsulationDefect {
        from_mm: 24.0,
        to_mm: 26.0,
    }];
    // In the skin, as given by its place alone.
    p.needles[0].skin_from_tip_mm = Some(27.0);
    let mut heating = Heating::new(&p).unwrap();
    heating.advance(20.0, &mut goes_on).unwrap();
    let r = heating.reading();
    let sum: f64 = r.electrode_current_a.iter().sum();
    assert_eq!(r.electrode_current_a.len(), 2);
    assert!((sum / r.needle_current_a[0] - 1.0).abs() < 1e-9, "{r:?}");
    assert!((14.0 * sum / r.power_w - 1.0).abs() < 1e-5, "{r:?}");

    let leaky = solve(&p, &mut |_| true).unwrap();
    let leak = &leaky.leaks[0];
    assert_eq!((leak.needle, leak.from_mm, leak.to_mm), (1, 24.0, 26.0));
    assert!(
        (leak.current_a / r.electrode_current_a[1] - 1.0).abs() < 1e-9,
        "{leak:?}"
    );
    assert!((leak.current_share - leak.power_share).abs() < 1e-9, "{leak:?}");
    assert!((leak.power_w - 14.0 * leak.current_a).abs() < 1e-9, "{leak:?}");
    // A fifth as long as the tip, a rod's resistance is some 2.5 times as large.
    assert!((0.2..0.4).contains(&leak.current_share), "{leak:?}");
    assert!(leak.hottest_c > 50.0, "{leak:?}");
    // What leaks the generator delivers beside.
    let last = |c: &neurotome_procedure::lesion::Curves| *c.impedance_ohm.last().unwrap();
    assert!(last(&leaky.curves) < 0.85 * last(&sound.curves));
    let entry = &leaky.skin_entries[0];
    assert!(
        entry.skin_entry_c > 50.0 && (entry.entry_mm.xyz[2] - 22.0).abs() < 1e-9,
        "{entry:?}"
    );
}

#[test]
fn skin_far_up_the_shaft_stays_cool() {
    let mut p = problem(temperature(80.0, Control::First), 30.0);
    let mut entry = |from_tip_mm: f64| {
        p.needles[0].skin_from_tip_mm = Some(from_tip_mm);
        let result = solve(&p, &mut |_| true).unwrap();
        result.skin_entries.first().cloned()
    };
    let (near, far) = (entry(12.0).unwrap(), entry(40.0).unwrap());
    assert!(
        near.skin_entry_c > 60.0 && near.omega > 1.0 && near.cem43_min > 240.0,
        "{near:?}"
    );
    assert!(far.skin_entry_c < 37.05 && far.omega < 0.1, "{far:?}");
    // Skin outside the region computed says nothing.
    assert_eq!(entry(60.0), None);
}

#[test]
fn pulsed_current_tells_its_field_and_spikes() {
    let mut p = problem(pulses(true, None), 2.0);
    let resolved = solve(&p, &mut |_| true).unwrap();
    p.drive = pulses(false, None);
    let mean = solve(&p, &mut |_| true).unwrap();
    let (a, b) = (resolved.pulse.unwrap(), mean.pulse.unwrap());
    let spike = a.spike_k.unwrap();
    // Both tell the field within a pulse. At its end the tissue at the tip is hotter by the spike than in the mean, and conducts better
    // by as much; 1 mm away it is not.
    let softer = MUSCLE.sigma_temperature_coefficient_per_k * spike;
    for (x, y, part) in [
        (a.field_at_tip_v_per_m, b.field_at_tip_v_per_m, softer),
        (a.field_1_mm_ahead_v_per_m, b.field_1_mm_ahead_v_per_m, 0.02),
        (a.field_at_1_mm_v_per_m, b.field_at_1_mm_v_per_m, 0.02),
    ] {
        assert!((x / y - 1.0).abs() < part, "{a:?} {b:?}");
    }
    assert!(a.field_at_tip_v_per_m > 2.0 * a.field_1_mm_ahead_v_per_m, "{a:?}");
    assert!(a.field_at_1_mm_v_per_m >= a.field_1_mm_ahead_v_per_m, "{a:?}");
    // A pulse leaves σ E² t / (ρ c) where heat has no time to flow away; conduction takes some of it.
    let sigma = MUSCLE.sigma_s_per_m;
    let most =
        sigma * a.field_at_tip_v_per_m.powi(2) * 0.02 / (MUSCLE.density_kg_per_m3 * MUSCLE.specific_heat_j_per_kg_k);
    assert!(spike > 0.4 * most && spike < 1.05 * most, "{spike} K against {most} K");
    assert_eq!(b.spike_k, None);
    assert_eq!(resolved.curves.tip_tissue_c.len(), resolved.curves.t_s.len());
}
