//! From the scenario as written to the problem as solved, with every check on the way.

mod anaesthetic;
mod anatomy;
mod bevel;
mod fitted;
mod generator;
mod needles;
mod pad;
mod phantom;
mod placement;
mod preset;
mod reports;
mod tissues;
mod values;

use neurotome_physics::tissue::TissueProperties;
use neurotome_procedure::anatomy::{Course, Patient, TissueId};
use neurotome_procedure::catalog::Catalog;
use neurotome_procedure::lesion::{LesionProblem, Perfusion, SolverSettings};
use std::sync::Arc;

pub use anaesthetic::{anaesthetic_values, dose_remark, injection};

use super::fault::parse_toml;
use super::{DriveMode, Fault, InputFile, Loaded, Notice, PerfusionMode, Scenario, ScenarioError, Setting, Source};

/// Most needles of a scenario.
pub const MAX_NEEDLES: usize = 8;
/// Most probes of a scenario.
pub const MAX_PROBES: usize = 256;
/// Most nerves of a scenario.
pub const MAX_NERVES: usize = 64;
/// Most points of a nerve.
const MAX_NERVE_POINTS: usize = 4096;
/// Most regions of a phantom.
pub const MAX_REGIONS: usize = 256;
/// Most output times of a scenario.
pub const MAX_OUTPUT_TIMES: usize = 1000;
/// Longest run, s.
const MAX_TIME_S: f64 = 3600.0;
/// Largest coordinate, mm.
const MAX_COORDINATE_MM: f64 = 10_000.0;
/// Temperature of a body, °C.
const BODY_C: f64 = 37.0;
/// Injury law where the scenario names none.
const DEFAULT_LAW: &str = "liver_jacques";
/// Generator where the scenario names none.
const DEFAULT_GENERATOR: &str = "generic";
/// Metal of a needle that no cannula describes.
const DEFAULT_METAL: &str = "steel_304";
/// Half side of the region computed where the scenario gives none, mm.
const DEFAULT_HALF_MM: f64 = 60.0;
/// The needle must lie this far inside the region computed, mm.
const MARGIN_MM: f64 = 1.0;
/// An image is read this far beyond the region computed, mm.
const IMAGE_MARGIN_MM: f64 = 10.0;
/// The nerve beside which a needle without a position is laid.
const DEFAULT_TARGET: &str = "L4 medial branch right";
/// Tissues that occur in the built-in patient.
const BUILT_IN_TISSUES: [&str; 12] = [
    "muscle",
    "fat",
    "skin",
    "cortical_bone",
    "cancellous_bone",
    "intervertebral_disc",
    "csf",
    "nerve",
    "cartilage",
    "ligament",
    "blood",
    "air",
];

type Result<T> = std::result::Result<T, Box<Fault>>;

/// Reads, checks and resolves a scenario.
///
/// # Errors
/// [`ScenarioError::Fault`] with the line at fault.
pub fn load(source: &Source, catalog: &Catalog) -> std::result::Result<Loaded, ScenarioError> {
    resolved(source, catalog, true)
}

/// The same without computing how an anaesthetic spreads, for who wants to see the patient or injects by himself: `[anaesthetic]` is checked, but
/// [`Loaded::anaesthesia`] is none and the problem has no fluid.
///
/// # Errors
/// As [`load`].
pub fn load_before_injection(source: &Source, catalog: &Catalog) -> std::result::Result<Loaded, ScenarioError> {
    resolved(source, catalog, false)
}

fn resolved(source: &Source, catalog: &Catalog, spreads: bool) -> std::result::Result<Loaded, ScenarioError> {
    let mut scenario: Scenario = parse_toml(&source.name, &source.text)?;
    let mut builder = Builder {
        source,
        catalog,
        notices: Vec::new(),
        inputs: Vec::new(),
        remarks: Vec::new(),
    };
    builder.preset(&mut scenario)?;
    usual_drive(&mut scenario);
    let (mut problem, setting, patient) = builder.problem(&scenario)?;
    let anaesthesia = builder.anaesthetic(&scenario, &mut problem, spreads)?;
    let Builder {
        notices,
        inputs,
        remarks,
        ..
    } = builder;
    Ok(Loaded {
        scenario,
        problem,
        setting,
        patient,
        anaesthesia,
        notices,
        inputs,
        remarks,
    })
}

/// A procedure whose `[drive]` does not say what is held holds what is usual: 80 °C for 90 s.
fn usual_drive(scenario: &mut Scenario) {
    let drive = &mut scenario.drive;
    if scenario.procedure.is_none() || drive.preset.is_some() || drive.mode != DriveMode::Temperature {
        return;
    }
    drive.set_temperature_c.get_or_insert(80.0);
    if drive.heating_s.is_none() {
        drive.hold_s.get_or_insert(90.0);
    }
}

/// The problem, the anatomy behind it, and the patient where bones and nerves are known.
type Built = (LesionProblem, Setting, Option<Arc<dyn Patient>>);

struct Builder<'a> {
    source: &'a Source,
    catalog: &'a Catalog,
    notices: Vec<Notice>,
    inputs: Vec<InputFile>,
    remarks: Vec<String>,
}

/// A patient whose bones and nerves are known, with the nerve aimed at.
struct Aim {
    patient: Arc<dyn Patient>,
    setting: Setting,
    target: Course,
}

/// The run's tissue table.
struct Tissues {
    names: Vec<String>,
    properties: Vec<TissueProperties>,
}

impl Builder<'_> {
    fn problem(&mut self, s: &Scenario) -> Result<Built> {
        self.cap("needles", s.needles.len(), MAX_NEEDLES)?;
        self.cap("probes", s.probes.len(), MAX_PROBES)?;
        self.cap("nerves", s.nerves.len(), MAX_NERVES)?;
        self.cap("output.times_s", s.output.times_s.len(), MAX_OUTPUT_TIMES)?;
        if s.image.is_some() && s.phantom.is_some() {
            return Err(self.fault(
                "phantom",
                "both [image] and [phantom] are given, expected at most one",
                "remove one of the two; without both the built-in patient is used",
            ));
        }
        let tissues = self.tissues(&s.tissues)?;
        self.unused(
            "spine",
            s.spine.is_some() && (s.phantom.is_some() || s.image.is_some()),
            "beside [image] or [phantom]",
        )?;
        let fit = s.image.as_ref().and_then(|image| Some((image, image.spine.as_ref()?)));
        let aim = match fit {
            Some((image, spine)) => Some(self.fitted(image, spine, &tissues)?),
            None if s.phantom.is_none() && s.image.is_none() => Some(self.built_in(s, &tissues)?),
            None => None,
        };
        // Needles and region first: of an image without a fitted spine only the part round them is read.
        let needles = self.needles(s, aim.as_ref())?;
        let domain = self.domain(&s.domain, &needles)?;
        let (anatomy, setting, used) = self.anatomy(s, &tissues, aim.as_ref(), &needles, &domain)?;
        for (index, name) in tissues.names.iter().enumerate() {
            if used.contains(&TissueId(index as u8)) {
                self.note_tissue(name, s);
            }
        }
        let initial_temperature_c = self.within(
            "domain.initial_temperature_c",
            s.domain.initial_temperature_c.unwrap_or(BODY_C),
            0.0..=45.0,
            "°C",
        )?;
        let boundary_temperature_c = self.within(
            "domain.boundary_temperature_c",
            s.domain.boundary_temperature_c.unwrap_or(BODY_C),
            0.0..=45.0,
            "°C",
        )?;
        let (drive, heating_s, cooling_s, limits) = self.drive(s, initial_temperature_c)?;
        let injury = self.injury(s)?;
        let tissue_injury = self.tissue_injury(s, &tissues)?;
        let more_injury = self.more_injury(s)?;
        let injectate = self.injectate(s, &needles)?;
        let blood = self.blood(s)?;
        let probes = self.probes(s, &domain)?;
        let mut nerves = aim.as_ref().map_or_else(Vec::new, Aim::nerves);
        nerves.extend(self.nerves(s, &domain)?);
        let output_times_s = self.output_times(s, heating_s, heating_s + cooling_s)?;
        let solver = self.solver(s)?;
        self.check_placement(&needles, &domain, &*anatomy, &tissues)?;
        let pad = self.pad(s, &tissues)?;
        let problem = LesionProblem {
            tissues: tissues.properties,
            tissue_names: tissues.names,
            anatomy,
            domain,
            needles,
            drive,
            heating_s,
            cooling_s,
            limits,
            injury,
            tissue_injury,
            more_injury,
            perfusion: match s.perfusion {
                PerfusionMode::On => Perfusion::On,
                PerfusionMode::Off => Perfusion::Off,
                PerfusionMode::StopsWithInjury => Perfusion::StopsWithInjury,
            },
            blood,
            initial_temperature_c,
            boundary_temperature_c,
            boiling: s.boils(),
            injectate,
            probes,
            output_times_s,
            more_isotherms_c: self.levels(
                "output.isotherms_c",
                s.output.isotherms_c.as_deref(),
                55.0,
                0.0..=150.0,
                "°C",
            )?,
            dose_contours_min: self.levels(
                "output.doses_min",
                s.output.doses_min.as_deref(),
                240.0,
                1e-3..=1e9,
                "min",
            )?,
            nerves,
            pad,
            solver,
        };
        Ok((problem, setting, aim.map(|a| a.patient)))
    }

    fn solver(&self, s: &Scenario) -> Result<SolverSettings> {
        let default = SolverSettings::default();
        let t = &s.solver;
        Ok(SolverSettings {
            cell_size: self.within(
                "solver.cell_size",
                t.cell_size.unwrap_or(default.cell_size),
                0.2..=4.0,
                "",
            )?,
            step_tolerance_k: self.within(
                "solver.step_tolerance_k",
                t.step_tolerance_k.unwrap_or(default.step_tolerance_k),
                1e-4..=2.0,
                "K",
            )?,
            linear_tolerance: self.within(
                "solver.linear_tolerance",
                t.linear_tolerance.unwrap_or(default.linear_tolerance),
                1e-12..=1e-3,
                "",
            )?,
            estimate_error: t.estimate_error.unwrap_or(default.estimate_error),
        })
    }
}
