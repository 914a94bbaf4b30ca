//! Who is treated, where, with what: everything that a session may know beforehand.

use std::sync::Arc;

use neurotome_base::Volume;

use crate::{
    anaesthesia::TissueTransport,
    anatomy::{Patient, Side},
    assessment::History,
    catalog::Catalog,
    fluoroscopy::Machine,
    generator::{Profile, faults::Fault, plant::ReducedModel},
    lesion::{LesionProblem, Needle},
    planning::{Device, Effort, Joint, PlanError, Target, nerves},
};

/// The patient in Hounsfield units, for the C-arm: made when it is first looked at.
pub type Radiodensity = dyn Fn() -> Result<Volume<f32>, String> + Send + Sync;

/// A reduced model with the sizes of its needle.
#[derive(Debug, Clone, PartialEq)]
pub struct NearPlant {
    /// Its name, such as `18G-10mm`.
    pub name: String,
    /// Outer diameter, mm.
    pub outer_diameter_mm: f64,
    /// Length of the active tip, mm.
    pub active_tip_mm: f64,
    /// The model.
    pub model: ReducedModel,
}

/// A fault of a case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaseFault {
    /// In which lesion of the procedure, from 1.
    pub lesion: usize,
    /// The fault; its onset counts from the lesion's start.
    pub fault: Fault,
}

/// A case.
#[derive(Clone)]
pub struct Case {
    /// Its name, in the record.
    pub title: String,
    /// Bones, nerves and skin.
    pub patient: Arc<dyn Patient>,
    /// Tissues, solver, limits and drive; its needles mean nothing.
    pub template: LesionProblem,
    /// How fluids move in each tissue, in the order of the template's table.
    pub transport: Vec<Option<TissueTransport>>,
    /// The literature's values.
    pub catalog: Arc<Catalog>,
    /// Cannulas at hand, the usual first.
    pub devices: Vec<Device>,
    /// The history.
    pub history: History,
    /// The joint.
    pub joint: Joint,
    /// The side.
    pub side: Side,
    /// The generator.
    pub generator: Profile,
    /// Reduced models of needles in tissue, of which the nearest is corrected by the full fields while a lesion is made.
    pub plants: Vec<NearPlant>,
    /// Preset of the catalogue that `heat` takes where nothing is said.
    pub preset: Option<String>,
    /// Faults that happen in the lesions of the case.
    pub faults: Vec<CaseFault>,
    /// The C-arm.
    pub machine: Machine,
    /// What it looks at.
    pub radiodensity: Arc<Radiodensity>,
    /// The patient lies on the C-arm's table; without one, in the air.
    pub has_table: bool,
    /// How much is computed for the plan.
    pub effort: Effort,
    /// Mass of the body, kg.
    pub body_mass_kg: f64,
    /// People of the virtual population.
    pub people: usize,
    /// Seed of everything drawn.
    pub seed: u64,
}

impl Case {
    /// The joint's two nerves.
    ///
    /// # Errors
    /// [`PlanError::NoNerve`].
    pub fn targets(&self) -> Result<[Target; 2], PlanError> {
        let both = nerves(self.joint, self.side)?;
        for target in &both {
            target.course(&*self.patient)?;
        }
        Ok(both)
    }

    /// The plant nearest to a needle: of as many needles and channels, cooled or not, then by diameter and active tip. None where no plant is
    /// of that kind.
    pub fn plant(&self, needles: &[Needle], channels: usize) -> Option<&NearPlant> {
        let first = needles.first()?;
        let cooled = first.coolant.is_some();
        let alike = |p: &&NearPlant| {
            p.model.thermocouples.len() == needles.len()
                && p.model.channels() == channels
                && p.model.coolants.is_empty() != cooled
        };
        let far = |p: &NearPlant| {
            (p.outer_diameter_mm / first.outer_diameter_mm).ln().abs()
                + (p.active_tip_mm / first.active_tip_mm).ln().abs()
        };
        self.plants
            .iter()
            .filter(alike)
            .min_by(|a, b| far(a).total_cmp(&far(b)))
    }

    /// A cannula at hand, by its name.
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|d| d.name == name)
    }
}
