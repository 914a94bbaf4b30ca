//! A run without a solver: an analytic spine, a needle at a medial branch, and a temperature that falls off on confocal
//! prolate spheroids round the active tip, so that sizes and volumes are known exactly.

use std::{collections::BTreeMap, sync::Arc};

use neurotome_base::{Affine, PatientPoint, Point, Vec3, Volume, geometry::distance_to_segment};
use neurotome_physics::{injury::Arrhenius, tissue::TissueProperties};
use neurotome_procedure::{
    anatomy::{TissueField, TissueId},
    lesion::{
        Blood, Contour, Contours, Control, Curves, Domain, DomainShape, Drive, ErrorEstimate, Evidence, FieldSample,
        FieldSampler, LesionProblem, LesionResult, Limits, Metal, Needle, NerveCurve, NerveInjury, Perfusion, Probe,
        Snapshot, SolverSettings,
    },
};

pub const TISSUES: [&str; 6] = [
    "muscle",
    "cortical bone",
    "cancellous bone",
    "intervertebral disc",
    "fat",
    "air",
];
const HU: [f32; 6] = [55.0, 900.0, 280.0, 90.0, -100.0, -1000.0];

/// Three lumbar vertebrae made of ellipses and capsules.
pub struct Spine;

impl Spine {
    fn bone_depth_mm(p: &Vec3) -> f64 {
        let level = (p.z / 36.0).round();
        let q = Vec3::new(p.x.abs(), p.y, p.z - 36.0 * level);
        let rod = |a: [f64; 3], b: [f64; 3], r: f64| r - distance_to_segment(&q, &Vec3::from(a), &Vec3::from(b)).0;
        let body = (1.0 - (q.x / 24.0).hypot((q.y + 2.0) / 17.0)) * 17.0;
        [
            body.min(13.0 - q.z.abs()),
            rod([12.0, 12.0, 6.0], [15.0, 24.0, 6.0], 4.5),
            rod([17.0, 25.0, 5.0], [38.0, 29.0, 6.0], 4.0),
            rod([16.0, 27.0, 8.0], [17.0, 25.0, 21.0], 4.5),
            rod([13.0, 32.0, 0.0], [13.0, 33.0, -14.0], 4.5),
            rod([15.0, 28.0, 6.0], [5.0, 36.0, -4.0], 3.8),
            rod([0.0, 38.0, -4.0], [0.0, 62.0, -9.0], 3.2),
        ]
        .into_iter()
        .fold(f64::NEG_INFINITY, f64::max)
    }
}

impl TissueField for Spine {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        let p = p.vec();
        let bone = Self::bone_depth_mm(&p);
        TissueId(if bone > 1.3 {
            2
        } else if bone > 0.0 {
            1
        } else if (p.x / 22.0).hypot((p.y + 2.0) / 15.5) < 1.0 {
            3
        } else if p.y > 100.0 {
            5
        } else if p.y > 78.0 {
            4
        } else {
            0
        })
    }
}

/// A CT of [`Spine`] with these voxels, blurred a little by partial volume.
pub fn ct(dims: [usize; 3], spacing_mm: [f64; 3], center: [f64; 3]) -> Volume<f32> {
    let origin = [0, 1, 2].map(|a| center[a] - 0.5 * (dims[a] - 1) as f64 * spacing_mm[a]);
    let affine = Affine::axis_aligned(spacing_mm, origin).unwrap();
    let mut volume = Volume::filled(dims, affine, 0.0f32).unwrap();
    let (nx, ny) = (dims[0], dims[1]);
    for (n, v) in volume.data_mut().iter_mut().enumerate() {
        let index = Point::new((n % nx) as f64, (n / nx % ny) as f64, (n / (nx * ny)) as f64);
        let p = affine.to_patient(&index).vec();
        let mut sum = 0.0;
        for s in 0..8 {
            let shift =
                Vec3::new(f64::from(s & 1), f64::from(s >> 1 & 1), f64::from(s >> 2)) * 0.5 - Vec3::repeat(0.25);
            let q = p + shift.component_mul(&Vec3::from(spacing_mm));
            sum += HU[usize::from(Spine.tissue_at(&PatientPoint::from_vec(q)).0)];
        }
        // Noise of a fixed pattern.
        let noise = ((n as u64).wrapping_mul(6_364_136_223_846_793_005) >> 40) as f32 / 16_777_216.0 - 0.5;
        *v = sum / 8.0 + 40.0 * noise;
    }
    volume
}

/// Temperature on spheroids whose foci are the ends of the active tip.
pub struct Spheroid {
    foci: Vec<[Vec3; 2]>,
    law: Arrhenius,
    metal: Vec<(Vec3, Vec3, f64)>,
    domain: Domain,
}

const HOLD_S: f64 = 80.0;
const START_C: f64 = 37.0;
const RISE_K: f64 = 45.0;

impl Spheroid {
    fn heated_c(half_sum_mm: f64, half_focal_mm: f64) -> f64 {
        START_C + RISE_K / (1.0 + (half_sum_mm - half_focal_mm).max(0.0).powf(1.5))
    }
    /// Half of the long axis of the spheroid with this temperature.
    fn half_axis_mm(temperature_c: f64, half_focal_mm: f64) -> f64 {
        half_focal_mm + (RISE_K / (temperature_c - START_C) - 1.0).powf(2.0 / 3.0)
    }
}

impl FieldSampler for Spheroid {
    fn sample(&self, p: &PatientPoint) -> Option<FieldSample> {
        let p = p.vec();
        if self.domain.level_mm(&p) > 0.0 || self.metal.iter().any(|(a, b, r)| distance_to_segment(&p, a, b).0 < *r) {
            return None;
        }
        let heated = self
            .foci
            .iter()
            .map(|[a, b]| Self::heated_c(0.5 * ((p - a).norm() + (p - b).norm()), 0.5 * (a - b).norm()))
            .fold(START_C, f64::max);
        Some(FieldSample {
            temperature_c: START_C + 0.3 * (heated - START_C),
            peak_temperature_c: heated,
            heated_temperature_c: heated,
            ln_omega: (self.law.rate_per_s(heated) * HOLD_S).ln().max(-690.0),
            cem43_min: neurotome_physics::injury::cem43_rate_min_per_s(heated) * HOLD_S,
            field_v_per_m: 30.0 * heated,
        })
    }
}

fn tissue(sigma: f64, k: f64, rho: f64, c: f64, perfusion: f64, water: f64) -> TissueProperties {
    TissueProperties {
        sigma_s_per_m: sigma,
        sigma_temperature_coefficient_per_k: 0.02,
        sigma_limit_temperature_c: 90.0,
        thermal_conductivity_w_per_m_k: k,
        density_kg_per_m3: rho,
        specific_heat_j_per_kg_k: c,
        perfusion_per_s: perfusion,
        water_fraction: water,
        ..TissueProperties::default()
    }
}

fn points(list: &[[f64; 3]]) -> Vec<PatientPoint> {
    list.iter().map(|p| PatientPoint::new(p[0], p[1], p[2])).collect()
}

/// A needle on the left L4 medial branch of [`Spine`]; `second` adds a parallel one for a bipolar lesion.
pub fn problem(second: bool) -> LesionProblem {
    let direction = Vec3::new(-0.22, -0.72, 0.62).normalize();
    let needle = |tip: PatientPoint, potential_fraction: f64| Needle {
        tip,
        direction: direction.into(),
        outer_diameter_mm: 0.9,
        active_tip_mm: 10.0,
        length_mm: 100.0,
        bend: None,
        bevel: None,
        contacts: vec![],
        insulation_defects: vec![],
        skin_from_tip_mm: None,
        tines: vec![],
        coolant: None,
        potential_fraction,
        thermocouple_from_tip_mm: 1.0,
        thermocouple_tine: None,
        metal: Metal {
            thermal_conductivity_w_per_m_k: 15.0,
            density_kg_per_m3: 7900.0,
            specific_heat_j_per_kg_k: 500.0,
        },
    };
    let mut needles = vec![needle(PatientPoint::new(22.3, 25.6, 12.6), 1.0)];
    if second {
        needles.push(needle(PatientPoint::new(30.5, 25.6, 15.5), -0.5));
    }
    LesionProblem {
        tissues: vec![
            tissue(0.45, 0.49, 1090.0, 3421.0, 0.0007, 0.76),
            tissue(0.02, 0.32, 1908.0, 1313.0, 0.0002, 0.1),
            tissue(0.09, 0.31, 1178.0, 2274.0, 0.0005, 0.2),
            tissue(0.6, 0.49, 1100.0, 3568.0, 0.0, 0.75),
            tissue(0.05, 0.21, 911.0, 2348.0, 0.0005, 0.12),
            tissue(1e-6, 0.03, 1.2, 1004.0, 0.0, 0.0),
        ],
        tissue_names: TISSUES.map(str::to_owned).to_vec(),
        anatomy: Arc::new(Spine),
        domain: Domain {
            center: PatientPoint::new(22.0, 28.0, 10.0),
            shape: DomainShape::Sphere { radius_mm: 60.0 },
        },
        needles,
        drive: Drive::Temperature {
            set_temperature_c: 80.0,
            ramp_s: 10.0,
            control: Control::First,
        },
        heating_s: 90.0,
        cooling_s: 30.0,
        limits: Limits {
            voltage_v: 100.0,
            current_a: 1.0,
            power_w: 50.0,
        },
        injury: Arrhenius {
            ln_frequency_factor: 7.39e39_f64.ln(),
            activation_energy_j_per_mol: 2.577e5,
        },
        perfusion: Perfusion::StopsWithInjury,
        blood: Blood {
            density_kg_per_m3: 1050.0,
            specific_heat_j_per_kg_k: 3617.0,
            temperature_c: 37.0,
        },
        initial_temperature_c: START_C,
        boundary_temperature_c: START_C,
        boiling: true,
        injectate: None,
        tissue_injury: vec![],
        more_injury: vec![],
        more_isotherms_c: vec![],
        dose_contours_min: vec![],
        probes: vec![Probe {
            name: "bone".to_owned(),
            position: PatientPoint::new(20.0, 24.0, 10.0),
        }],
        output_times_s: vec![90.0],
        nerves: vec![
            NerveCurve {
                name: "left L4 medial branch".to_owned(),
                points: points(&[
                    [31.0, 13.0, 27.0],
                    [27.5, 20.5, 20.0],
                    [23.8, 27.0, 11.6],
                    [22.6, 31.0, 5.6],
                    [20.0, 36.0, -2.0],
                    [17.0, 40.0, -9.0],
                ]),
                diameter_mm: 1.0,
                target: true,
            },
            NerveCurve {
                name: "left L4 <spinal> nerve & ganglion".to_owned(),
                points: points(&[
                    [9.0, 20.0, 10.0],
                    [12.0, 17.0, -6.0],
                    [19.0, 13.0, -14.0],
                    [29.0, 6.0, -26.0],
                    [35.0, 2.0, -36.0],
                ]),
                diameter_mm: 4.0,
                target: false,
            },
        ],
        pad: None,
        solver: SolverSettings::default(),
    }
}

/// The exact contour of one spheroid round a needle: tissue alone, the enclosed needle taken off.
fn contour(temperature_c: f64, needle: &Needle) -> Contour {
    let c = 0.5 * needle.active_tip_mm;
    let a = Spheroid::half_axis_mm(temperature_c, c);
    let b = (a * a - c * c).sqrt();
    let r = 0.5 * needle.outer_diameter_mm;
    let pi = std::f64::consts::PI;
    let metal = pi * r * r * (a + c - r) + 2.0 / 3.0 * pi * r * r * r;
    Contour {
        width_mm: 2.0 * b,
        width_x_mm: 2.0 * b,
        length_mm: 2.0 * a,
        volume_mm3: 4.0 / 3.0 * pi * a * b * b - metal,
    }
}

/// What a solver would have found for `problem`.
pub fn result(problem: &LesionProblem) -> LesionResult {
    let segments: Vec<[Vec3; 2]> = problem
        .needles
        .iter()
        .map(|n| [n.tip.vec(), n.tip.vec() - Vec3::from(n.direction) * n.active_tip_mm])
        .collect();
    let metal = problem
        .needles
        .iter()
        .map(|n| {
            let (r, d) = (0.5 * n.outer_diameter_mm, Vec3::from(n.direction));
            (n.tip.vec() - d * r, n.tip.vec() - d * n.length_mm, r)
        })
        .collect();
    let sampler = Spheroid {
        foci: segments,
        law: problem.injury,
        metal,
        domain: problem.domain,
    };
    let mut curves = Curves::default();
    for i in 0..=480 {
        let t = f64::from(i) * 0.25;
        let set = START_C + (80.0 - START_C) * (t / 10.0).min(1.0);
        let off = t > 90.0;
        let tip = if off {
            START_C + 43.0 * (-(t - 90.0) / 9.0).exp()
        } else {
            START_C + (set - START_C) * (1.0 - 0.3 * (-t / 3.0).exp())
        };
        let power = if off {
            0.0
        } else {
            (3.1 + 2.4 * (-t / 12.0).exp()) * (t / 6.0).min(1.0)
        };
        let impedance = 205.0 - 60.0 * (1.0 - (-t / 8.0).exp());
        curves.t_s.push(t);
        curves.set_temperature_c.push(if off { tip } else { set });
        curves.thermocouple_c.push(tip);
        curves.max_tissue_c.push(START_C + 1.05 * (tip - START_C));
        curves.power_w.push(power);
        curves.impedance_ohm.push(impedance);
        curves.voltage_v.push((power * impedance).sqrt());
        curves.current_a.push((power / impedance).sqrt());
    }
    let needle = &problem.needles[0];
    let contours = Contours {
        iso45: Some(contour(45.0, needle)),
        iso50: Some(contour(50.0, needle)),
        iso60: Some(contour(60.0, needle)),
        omega1: Some(contour(problem.injury.iso_effect_temperature_c(HOLD_S), needle)),
        more: BTreeMap::new(),
    };
    let snapshot = |t_s: f64| Snapshot {
        t_s,
        probes: BTreeMap::from([("bone".to_owned(), 61.0)]),
        power_w: 3.1,
        impedance_ohm: 145.0,
        voltage_v: 21.2,
        current_a: 0.146,
        contours: contours.clone(),
    };
    LesionResult {
        snapshots: vec![snapshot(90.0), snapshot(120.0)],
        curves,
        nerves: vec![
            NerveInjury {
                name: problem.nerves[0].name.clone(),
                destroyed_mm: 9.4,
                peak_temperature_c: 71.2,
                destroyed_by_law_mm: BTreeMap::new(),
                distance_to_lesion_mm: Some(0.0),
            },
            NerveInjury {
                name: problem.nerves[1].name.clone(),
                destroyed_mm: 0.0,
                peak_temperature_c: 38.4,
                destroyed_by_law_mm: BTreeMap::new(),
                distance_to_lesion_mm: Some(11.3),
            },
        ],
        tissues: vec![],
        skin_entries: vec![],
        leaks: vec![],
        pulse: None,
        pad: None,
        evidence: Evidence {
            cells: 412_310,
            faces: 1_301_877,
            steps: 214,
            rejected_steps: 6,
            potential_iterations_mean: 8.1,
            potential_iterations_max: 10,
            heat_iterations_mean: 4.2,
            heat_iterations_max: 6,
            residual_max: 9.1e-8,
            energy_balance_relative: 3.4e-4,
            current_balance_relative: 2.0e-9,
            min_temperature_c: 37.0,
            error: Some(ErrorEstimate {
                width_relative: 0.008,
                length_relative: 0.005,
                volume_relative: 0.02,
                peak_temperature_k: 0.3,
                impedance_relative: 0.004,
                power_relative: 0.006,
            }),
        },
        lesion_surface: Vec::new(),
        fields: Box::new(sampler),
    }
}
