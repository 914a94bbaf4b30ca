//! Who is treated, where, with what: everything that a session may know beforehand.

use std::sync::Arc;

use neurotome_base::Volume;

use crate::{
    anaesthesia::TissueTransport,
    anatomy::{Patient, Side},
    assessment::History,
    catalog::Catalog,
    fluoroscopy::Machine,
    generator::{Profile, plant::ReducedModel},
    lesion::LesionProblem,
    planning::{Device, Effort, Joint, PlanError, Target, nerves},
};

/// The patient in Hounsfield units, for the C-arm: made when it is first looked at.
pub type Radiodensity = dyn Fn() -> Result<Volume<f32>, String> + Send + Sync;

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
    /// A reduced model of one needle in tissue, which the full fields correct while a lesion is made.
    pub plant: ReducedModel,
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

    /// A cannula at hand, by its name.
    pub fn device(&self, name: &str) -> Option<&Device> {
        self.devices.iter().find(|d| d.name == name)
    }
}
