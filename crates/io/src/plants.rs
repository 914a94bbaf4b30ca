//! Standard reduced plants: electrodes in tissue as a generator meets them, fitted beforehand.
//!
//! `plants/standard.toml` holds, for each, the scenario it was fitted to and the numbers; `cargo run --release -p neurotome-io --example
//! fit_plants` makes the numbers again.

use std::path::PathBuf;

use neurotome_procedure::generator::{
    campaign::Fitted,
    plant::{ReducedError, ReducedModel, ReducedPlant},
};
use serde::{Deserialize, Serialize};

use crate::scenario::{Scenario, Source, fault::Fault, fault::parse_toml};

/// The file compiled in.
const TEXT: &str = include_str!("../../../plants/standard.toml");

/// A fitted plant with what it was fitted to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandardPlant {
    /// Its name, such as `20G-10mm`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// The scenario it was fitted to (TOML).
    pub scenario: String,
    /// The model.
    pub model: ReducedModel,
}

impl StandardPlant {
    /// The plant at rest.
    ///
    /// # Errors
    /// [`ReducedError`].
    pub fn plant(&self) -> Result<ReducedPlant, ReducedError> {
        ReducedPlant::new(self.model.clone())
    }

    /// Cannula of its first needle, where its scenario names one.
    ///
    /// # Errors
    /// [`PlantsError::Text`].
    pub fn cannula(&self) -> Result<Option<String>, PlantsError> {
        let scenario: Scenario = parse_toml(&self.name, &self.scenario)?;
        Ok(scenario.needles.into_iter().next().and_then(|n| n.cannula))
    }

    /// The scenario, to be loaded and solved in full.
    pub fn source(&self) -> Source {
        Source {
            name: format!("{}.toml", self.name),
            text: self.scenario.clone(),
            folder: PathBuf::new(),
        }
    }
}

/// Why there are no plants.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlantsError {
    /// The text is no table of plants.
    #[error("plants: {0}")]
    Text(#[from] Box<Fault>),
    /// A model is unusable.
    #[error("plants: \"{name}\": {error}")]
    Model {
        /// The plant.
        name: String,
        /// Why.
        error: ReducedError,
    },
    /// No plant has the name.
    #[error("plants: found no plant \"{found}\"; expected one of {expected}; choose a name of the list")]
    Name {
        /// The name asked for.
        found: String,
        /// The names there are.
        expected: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    plant: Vec<StandardPlant>,
}

/// The plants compiled into the program.
///
/// # Errors
/// [`PlantsError`], which would be a fault of the program.
pub fn standard() -> Result<Vec<StandardPlant>, PlantsError> {
    let table: Table = parse_toml("plants/standard.toml", TEXT)?;
    for plant in &table.plant {
        plant.model.check().map_err(|error| PlantsError::Model {
            name: plant.name.clone(),
            error,
        })?;
    }
    Ok(table.plant)
}

/// The plant of a name.
///
/// # Errors
/// [`PlantsError::Name`], which lists the names.
pub fn find(name: &str) -> Result<StandardPlant, PlantsError> {
    let all = standard()?;
    let names: Vec<&str> = all.iter().map(|p| p.name.as_str()).collect();
    let expected = names.join(", ");
    all.iter()
        .find(|p| p.name == name)
        .cloned()
        .ok_or_else(|| PlantsError::Name {
            found: name.to_owned(),
            expected,
        })
}

/// The plants of a campaign: shells of heat, and the fitted ones.
///
/// # Errors
/// [`PlantsError`].
pub fn of_campaigns() -> Result<Fitted, PlantsError> {
    let all = standard()?;
    Ok(Fitted::new(all.into_iter().map(|p| (p.name, p.model)).collect()))
}
