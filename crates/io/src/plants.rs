//! Standard reduced plants: electrodes in tissue as a generator meets them, fitted beforehand.
//!
//! `plants/standard.toml` holds, for each, the scenario it was fitted to and the numbers; `cargo run --release -p neurotome-io --example
//! fit_plants` makes the numbers again.

use std::path::PathBuf;

use neurotome_procedure::{
    generator::{
        Lumped, Plant, Seen,
        campaign::{Kind, LumpedPlants, MakePlant, SHELLS, Usual},
        faults::Target,
        plant::{Apart, ReducedError, ReducedModel, ReducedPlant},
    },
    lesion::LesionError,
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

/// Coolant flows for so long before a campaign's run, s.
const SETTLE_S: f64 = 60.0;
/// Rise at constant power or voltage, and in pulses, K.
const RISE_K: f64 = 40.0;
const PULSED_RISE_K: f64 = 6.0;
/// Pulses are given at no more than this, V: the usual ones, 20 ms long, 2 a second.
const PULSE_V: f64 = 45.0;
const DUTY: f64 = 0.04;

/// The plants of a campaign: shells of heat, and the fitted ones.
#[derive(Debug, Clone)]
pub struct Plants {
    fitted: Vec<StandardPlant>,
}

impl Plants {
    /// All of them.
    ///
    /// # Errors
    /// [`PlantsError`].
    pub fn new() -> Result<Self, PlantsError> {
        Ok(Self { fitted: standard()? })
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(SHELLS).chain(self.fitted.iter().map(|p| p.name.as_str()))
    }

    fn model(&self, name: &str) -> Option<&ReducedModel> {
        self.fitted.iter().find(|p| p.name == name).map(|p| &p.model)
    }
}

/// Shells or fitted.
#[derive(Debug, Clone)]
pub enum AnyPlant {
    /// Shells of heat.
    Shells(Lumped),
    /// Fitted.
    Fitted(Apart),
}

impl Plant for AnyPlant {
    fn channels(&self) -> usize {
        match self {
            Self::Shells(p) => p.channels(),
            Self::Fitted(p) => p.channels(),
        }
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        match self {
            Self::Shells(p) => p.advance(volts, dt_s),
            Self::Fitted(p) => p.advance(volts, dt_s),
        }
    }

    fn seen(&self) -> &Seen {
        match self {
            Self::Shells(p) => p.seen(),
            Self::Fitted(p) => p.seen(),
        }
    }
}

impl Target for AnyPlant {
    fn set_coolant(&mut self, flow_fraction: f64, warmer_c: f64) -> Result<(), LesionError> {
        match self {
            Self::Shells(p) => p.set_coolant(flow_fraction, warmer_c),
            Self::Fitted(p) => p.set_coolant(flow_fraction, warmer_c),
        }
    }
}

/// Steady power for a rise of the thermocouple, W, and the growth of the conductance by then.
fn steady(model: &ReducedModel, rise_k: f64) -> (f64, f64) {
    // z + c z² = rise, of the lower branch.
    let invert = |bend: f64, y: f64| {
        if bend == 0.0 {
            y
        } else {
            ((1.0 + 4.0 * bend * y).max(0.0).sqrt() - 1.0) / (2.0 * bend)
        }
    };
    let own = |weights: &[Vec<f64>]| weights.first().map_or(0.0, |w| w.iter().sum::<f64>());
    let (tip, warming) = (&model.thermocouples[0], &model.warming[0]);
    let power_w = invert(tip.bend, rise_k) / own(&tip.weights_per_w).max(1e-9);
    let z = own(&warming.weights_per_w) * power_w;
    (power_w, 1.0 + z + warming.bend * z * z)
}

impl MakePlant for Plants {
    type Plant = AnyPlant;

    fn fits(&self, plant: &str, kind: Kind, channels: usize) -> bool {
        let Some(model) = self.model(plant) else {
            return LumpedPlants.fits(plant, kind, channels);
        };
        let pair = model.thermocouples.len() == 2 * model.channels();
        let cooled = !model.coolants.is_empty();
        channels % model.channels() == 0 && pair == (kind == Kind::Bipolar) && cooled == (kind == Kind::Cooled)
    }

    fn usual(&self, plant: &str) -> Usual {
        let Some(model) = self.model(plant) else {
            return LumpedPlants.usual(plant);
        };
        let ohm = 1.0 / model.conductance_s[0][0];
        let (power_w, warmed) = steady(model, RISE_K);
        let (pulsed_w, pulsed_warmed) = steady(model, PULSED_RISE_K);
        Usual {
            power_w,
            voltage_v: (power_w * ohm / warmed).sqrt(),
            pulse_v: PULSE_V.min((pulsed_w / DUTY * ohm / pulsed_warmed).sqrt()),
        }
    }

    fn make(&self, plant: &str, kind: Kind, channels: usize) -> Result<AnyPlant, LesionError> {
        let Some(model) = self.model(plant) else {
            return Ok(AnyPlant::Shells(LumpedPlants.make(plant, kind, channels)?));
        };
        let unit = ReducedPlant::new(model.clone()).map_err(|e| LesionError::Problem {
            step: "campaign",
            found: e.to_string(),
            expected: "a standard plant".to_owned(),
            advice: "fit the plants again".to_owned(),
        })?;
        let units = vec![unit; channels / model.channels()];
        Ok(AnyPlant::Fitted(Apart::new(units, SETTLE_S)))
    }
}
