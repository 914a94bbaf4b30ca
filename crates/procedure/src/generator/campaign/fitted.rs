//! Campaigns on plants that were fitted to the full solver.

use super::{
    super::{
        Lumped, Plant, Seen,
        faults::Target,
        plant::{Apart, ReducedModel, ReducedPlant, Response},
    },
    Kind, LumpedPlants, MakePlant, SHELLS, Usual,
};
use crate::lesion::LesionError;

/// Coolant flows for so long before a campaign's run, s.
const SETTLE_S: f64 = 60.0;
/// Rise at constant power or voltage, and in pulses, K.
const RISE_K: f64 = 40.0;
const PULSED_RISE_K: f64 = 6.0;
/// Pulses are given at no more than this, V: the usual ones, 20 ms long, 2 a second.
const PULSE_V: f64 = 45.0;
const DUTY: f64 = 0.04;

/// Fitted plants by name, and the shells of heat beside them.
#[derive(Debug, Clone)]
pub struct Fitted {
    models: Vec<(String, ReducedModel)>,
}

impl Fitted {
    /// Of these names and models.
    pub fn new(models: Vec<(String, ReducedModel)>) -> Self {
        Self { models }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(SHELLS).chain(self.models.iter().map(|p| p.0.as_str()))
    }

    fn model(&self, name: &str) -> Option<&ReducedModel> {
        self.models.iter().find(|p| p.0 == name).map(|p| &p.1)
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
    let (tip, warming) = (&model.thermocouples[0], &model.warming[0]);
    let at_metal = model.channels() + model.coolants.len();
    let (mut power_w, mut warmed) = (0.0, 1.0);
    // Each pass is nearer by a factor of about ten.
    for _ in 0..8 {
        let share = warmed / (1.0 + model.conducting_per_k * rise_k);
        let sum = |source: usize, r: &Response| r.weights_per_w.get(source).map_or(0.0, |w| w.iter().sum());
        let own = |r: &Response| -> f64 { sum(0, r) + share * sum(at_metal, r) };
        power_w = invert(tip.bend, rise_k) / own(tip).max(1e-9);
        let z = own(warming) * power_w;
        warmed = 1.0 + z + warming.bend * z * z;
    }
    (power_w, warmed)
}

impl MakePlant for Fitted {
    type Plant = AnyPlant;

    fn fits(&self, plant: &str, kind: Kind, channels: usize) -> bool {
        let Some(model) = self.model(plant) else {
            return LumpedPlants.fits(plant, kind, channels);
        };
        let pair = model.thermocouples.len() == 2 * model.channels();
        let cooled = !model.coolants.is_empty();
        channels.is_multiple_of(model.channels()) && pair == (kind == Kind::Bipolar) && cooled == (kind == Kind::Cooled)
    }

    fn usual(&self, plant: &str, kind: Kind) -> Usual {
        let Some(model) = self.model(plant) else {
            return LumpedPlants.usual(plant, kind);
        };
        let ohm = 1.0 / model.conductance_s[0][0];
        let (power_w, warmed) = steady(model, RISE_K);
        let (pulsed_w, pulsed_warmed) = steady(model, PULSED_RISE_K);
        Usual {
            ohm,
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
