//! A patient, a problem and needles for the tests of planning.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::{injury::Arrhenius, tissue::TissueProperties};

use super::{Device, Effort, PlanRequest, Target};
use crate::{
    anatomy::{
        Course, KeepOut, Level, NerveKind, Patient, Side, Spread, TissueField, TissueId, VertebraFrame,
        spine::{
            SpineParameters,
            testing::{NAMES, person},
        },
    },
    catalog::{Sourced, Technique},
    lesion::{
        Blood, Control, Domain, DomainShape, Drive, LesionProblem, Limits, Metal, Needle, Perfusion, SolverSettings,
    },
};

/// The built-in patient with the catalogue's sizes.
pub fn patient() -> Arc<dyn Patient> {
    Arc::new(person(&SpineParameters::default()))
}

fn needle(outer_diameter_mm: f64) -> Needle {
    Needle {
        tip: PatientPoint::new(0.0, 0.0, 0.0),
        direction: [0.0, -1.0, 0.0],
        outer_diameter_mm,
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

/// 16 G, 20 G and 22 G with 10 mm tips.
pub fn devices() -> Vec<Device> {
    [("16G", 1.651), ("20G", 0.908), ("22G", 0.717)]
        .map(|(name, diameter)| Device {
            name: name.to_owned(),
            needle: needle(diameter),
        })
        .to_vec()
}

/// Angles, spreads and limits of round figures.
pub fn technique() -> Technique {
    let value = |value: f64| Sourced {
        value,
        source: "test".to_owned(),
        verified: true,
        condition: None,
        range: None,
    };
    Technique {
        name: "test".to_owned(),
        title: "test".to_owned(),
        lateral_least_deg: value(12.0),
        lateral_most_deg: value(63.0),
        caudal_least_deg: value(23.0),
        caudal_most_deg: value(60.0),
        tip_sd_mm: value(1.0),
        depth_sd_mm: value(1.5),
        angle_sd_deg: value(3.0),
        lesion_sd_fraction: value(0.1),
        spare_nerve_mm: value(2.0),
        spare_skin_mm: value(10.0),
        harm_fraction: value(0.01),
        hub_mm: value(5.0),
        destroyed_mm: value(8.0),
    }
}

/// A plan for the right L4–L5 joint, 80 °C for 90 s, with properties near those of the catalogue.
pub fn request() -> PlanRequest {
    let tissue = |sigma: f64, k: f64, perfusion: f64| TissueProperties {
        sigma_s_per_m: sigma,
        sigma_temperature_coefficient_per_k: 0.015,
        sigma_limit_temperature_c: 100.0,
        thermal_conductivity_w_per_m_k: k,
        density_kg_per_m3: 1090.0,
        specific_heat_j_per_kg_k: 3400.0,
        perfusion_per_s: perfusion,
        water_fraction: 0.7,
        sigma_fibre_ratio: 1.0,
        perfusion_rise: None,
        fluid: None,
    };
    let tissues = vec![
        tissue(0.44, 0.49, 0.0008),
        tissue(0.044, 0.21, 0.0005),
        tissue(0.3, 0.37, 0.001),
        tissue(0.02, 0.32, 0.0001),
        tissue(0.086, 0.31, 0.0003),
        tissue(0.2, 0.47, 0.0),
        tissue(2.0, 0.57, 0.0),
        tissue(0.11, 0.5, 0.0039),
        tissue(0.2, 0.49, 0.0003),
        tissue(0.39, 0.47, 0.0005),
        tissue(0.7, 0.52, 0.0),
        tissue(1e-6, 0.026, 0.0),
    ];
    let patient = patient();
    PlanRequest {
        template: LesionProblem {
            tissues,
            tissue_names: NAMES.map(str::to_owned).to_vec(),
            anatomy: patient.clone(),
            domain: Domain {
                center: PatientPoint::new(0.0, 0.0, 0.0),
                shape: DomainShape::Box { half_mm: [60.0; 3] },
            },
            needles: vec![],
            drive: Drive::Temperature {
                set_temperature_c: 80.0,
                ramp_s: 15.0,
                control: Control::First,
            },
            heating_s: 105.0,
            cooling_s: 15.0,
            limits: Limits {
                voltage_v: 100.0,
                current_a: 1.0,
                power_w: 50.0,
            },
            injury: Arrhenius {
                ln_frequency_factor: 7.39e39f64.ln(),
                activation_energy_j_per_mol: 2.577e5,
            },
            tissue_injury: vec![],
            more_injury: vec![],
            perfusion: Perfusion::StopsWithInjury,
            blood: Blood {
                density_kg_per_m3: 1050.0,
                specific_heat_j_per_kg_k: 3617.0,
                temperature_c: 37.0,
            },
            initial_temperature_c: 37.0,
            boundary_temperature_c: 37.0,
            boiling: true,
            injectate: None,
            probes: vec![],
            output_times_s: vec![],
            more_isotherms_c: vec![],
            dose_contours_min: vec![],
            nerves: vec![],
            pad: None,
            solver: SolverSettings {
                estimate_error: false,
                ..SolverSettings::default()
            },
        },
        patient,
        devices: devices(),
        joint: "L4-L5".parse().expect("a joint"),
        side: Side::Right,
        destroyed_mm: 8.0,
        technique: technique(),
        effort: Effort::default(),
    }
}

/// Bone below y = 0, skin at y = 60 mm, vessel beyond x = 30 mm; one straight nerve along z at x = 0, 0.6 mm off the bone.
pub struct Slab {
    courses: Vec<Course>,
}

impl Slab {
    /// The nerve may lie so far aside on the bone (standard deviation, mm).
    pub fn new(across_mm: f64) -> Self {
        let points = (-30..=30).map(|z| PatientPoint::new(0.0, 0.6, f64::from(z)));
        Self {
            courses: vec![Course {
                name: "L4 medial branch right".to_owned(),
                kind: NerveKind::MedialBranch,
                nerve: Level::L4,
                side: Side::Right,
                points: points.collect(),
                diameter_mm: 1.0,
                spread: Spread {
                    across_mm,
                    off_bone_mm: 0.0,
                },
                target: Some([20, 40]),
            }],
        }
    }

    /// Its one target.
    pub fn target() -> Target {
        Target {
            kind: NerveKind::MedialBranch,
            nerve: Level::L4,
            at: Level::L5,
            side: Side::Right,
        }
    }
}

impl TissueField for Slab {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        TissueId(if p.xyz[1] < 0.0 { 3 } else { 0 })
    }
}

impl Patient for Slab {
    fn bone_level_mm(&self, p: &PatientPoint) -> f64 {
        p.xyz[1]
    }

    fn skin_depth_mm(&self, p: &PatientPoint) -> f64 {
        60.0 - p.xyz[1]
    }

    fn keep_out(&self, p: &PatientPoint) -> Option<KeepOut> {
        (p.xyz[0] > 30.0).then_some(KeepOut::Vessel)
    }

    fn courses(&self) -> &[Course] {
        &self.courses
    }

    fn frame(&self, _: Level) -> Option<VertebraFrame> {
        Some(VertebraFrame {
            origin: Vec3::zeros(),
            left: Vec3::x(),
            posterior: Vec3::y(),
            superior: Vec3::z(),
        })
    }

    fn levels(&self) -> Vec<Level> {
        vec![Level::L4, Level::L5]
    }
}
