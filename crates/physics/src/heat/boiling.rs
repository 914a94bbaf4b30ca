//! Boiling: tissue stays near 100 °C while it has water, loses that water as steam, and dries.
//!
//! Above 100 °C a cell evaporates water at the rate `ρc (T − 100 °C) / (τ L)`. With τ much shorter than the time in which
//! tissue warms, its temperature stays near 100 °C until the water is gone; then it rises on. The sink is implicit in the heat
//! equation, so that the step is not bound to τ. Steam leaves the computation: its heat is not given to the tissue it
//! passes through.

/// Boiling point of tissue water, °C.
pub const BOILING_C: f64 = 100.0;
/// Latent heat of vaporisation of water at 100 °C, J/kg.
pub const LATENT_J_PER_KG: f64 = 2.257e6;
/// Time in which superheat relaxes, s.
const RELAXATION_S: f64 = 0.05;
/// Conductivity of dry tissue over that of wet tissue (vaporised tissue in the public MITA-model code, RFA-sensitivity.py: 0.01,
/// varied there from 0.0001 to 0.01).
pub const DRY_CONDUCTIVITY: f64 = 0.01;

/// The water of every tissue cell and the sink that its boiling makes.
#[derive(Debug, Clone)]
pub struct Boiling {
    /// Water at the start, kg.
    water: Vec<f64>,
    /// Part of it that is left.
    left: Vec<f64>,
    /// Sink in this step, W/K above the boiling point.
    sink: Vec<f64>,
    active: usize,
}

impl Boiling {
    /// Tissue with the given water in kg, one entry a tissue cell.
    pub fn new(water: Vec<f64>) -> Self {
        let n = water.len();
        Self {
            water,
            left: vec![1.0; n],
            sink: vec![0.0; n],
            active: 0,
        }
    }

    /// Part of each cell's water that is left.
    pub fn left(&self) -> &[f64] {
        &self.left
    }

    /// Sink of each tissue cell in this step, W/K above [`BOILING_C`].
    pub fn sink(&self) -> &[f64] {
        &self.sink
    }

    /// True when any cell boils in this step.
    pub fn any(&self) -> bool {
        self.active > 0
    }

    /// Sets the sinks of a step of `dt` seconds from temperatures in °C that are close to those at its end; `capacity` in J/K.
    /// Returns whether the set of boiling cells has changed.
    pub fn predict(&mut self, temperature_c: impl Fn(usize) -> f64, capacity: &[f64], dt: f64) -> bool {
        let mut changed = false;
        self.active = 0;
        for (i, sink) in self.sink.iter_mut().enumerate() {
            let superheat = temperature_c(i) - BOILING_C;
            let before = *sink > 0.0;
            *sink = if superheat > 0.0 && self.left[i] > 0.0 {
                // No more than the water left can take.
                let most = self.left[i] * self.water[i] * LATENT_J_PER_KG / (dt * superheat);
                (capacity[i] / RELAXATION_S).min(most)
            } else {
                0.0
            };
            self.active += usize::from(*sink > 0.0);
            changed |= before != (*sink > 0.0);
        }
        changed
    }

    /// Takes the steam of a finished step away; returns the latent heat, J.
    pub fn evaporate(&mut self, temperature_c: impl Fn(usize) -> f64, dt: f64) -> f64 {
        let mut latent = 0.0;
        for (i, sink) in self.sink.iter().enumerate() {
            if *sink > 0.0 {
                let heat = sink * (temperature_c(i) - BOILING_C) * dt;
                latent += heat;
                let water = self.water[i] * LATENT_J_PER_KG;
                self.left[i] = (self.left[i] - heat / water).clamp(0.0, 1.0);
                // A last trace would only boil for ever.
                if self.left[i] < 1e-6 {
                    self.left[i] = 0.0;
                }
            }
        }
        latent
    }

    /// Conductivity of a cell over that of the wet tissue.
    #[inline]
    pub fn conductivity_factor(&self, i: usize) -> f64 {
        DRY_CONDUCTIVITY + (1.0 - DRY_CONDUCTIVITY) * self.left[i]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One insulated cell under constant power: reaches 100 °C, stays there for the time that its water takes, then goes on.
    #[test]
    fn a_cell_boils_dry_in_the_time_its_latent_heat_takes() {
        let (capacity, water, power) = (4.0e-3, 0.8e-6, 0.05);
        let mut boiling = Boiling::new(vec![water]);
        let (mut t, mut at, dt) = (90.0, 0.0, 0.02);
        let (mut reached, mut dry) = (None, None);
        let mut latent = 0.0;
        while at < 60.0 && dry.is_none() {
            let mut guess = t + power * dt / capacity;
            for _ in 0..3 {
                boiling.predict(|_| guess, &[capacity], dt);
                let sink = boiling.sink()[0];
                guess = (capacity * t / dt + power + sink * BOILING_C) / (capacity / dt + sink);
            }
            t = guess;
            latent += boiling.evaporate(|_| t, dt);
            at += dt;
            if reached.is_none() && t >= BOILING_C {
                reached = Some(at);
            }
            if boiling.left()[0] == 0.0 {
                dry = Some(at);
            } else {
                assert!(t < 101.0, "superheat {t} at {at}");
            }
        }
        let takes = water * LATENT_J_PER_KG / power;
        let took = dry.unwrap() - reached.unwrap();
        assert!((took - takes).abs() < 0.15, "{took} against {takes}");
        assert!((latent - water * LATENT_J_PER_KG).abs() < 1e-6 * latent + 2e-6);
    }
}
