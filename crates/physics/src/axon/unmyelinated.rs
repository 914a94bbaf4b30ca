//! An unmyelinated fibre: a single cable that fires everywhere.

use super::gates::{Gates, Kinetics, Membrane};
use super::lanes::Lanes;
use super::threshold::{Fibre, Step};

/// Resistivity of axoplasm, Ω cm.
const RESISTIVITY: f64 = 100.0;
/// Capacitance of the membrane, µF/cm².
const CAPACITANCE: f64 = 1.0;

/// A C fibre with sealed ends.
#[derive(Debug, Clone)]
pub struct Unmyelinated {
    kinetics: Kinetics,
    places: usize,
    spacing_um: f64,
    /// From S/cm² to mS of a compartment.
    area: f64,
    capacitance: f64,
    axial: f64,
    sodium: Vec<f64>,
    /// Of a fibre that is not equally warm: the membrane of each compartment. Else empty.
    warmed: Vec<Kinetics>,
    /// Of a fibre that is cut somewhere: whether it is after each compartment. Else empty.
    severed: Vec<bool>,
}

impl Unmyelinated {
    /// A fibre of a diameter and length, cut into compartments of about `spacing_um`.
    pub fn new(membrane: Membrane, diameter_um: f64, length_um: f64, spacing_um: f64, temperature_c: f64) -> Self {
        let places = ((length_um / spacing_um).round() as usize).max(2) + 1;
        let area = std::f64::consts::PI * diameter_um * spacing_um * 1e-8;
        let section = 0.25 * std::f64::consts::PI * diameter_um * diameter_um;
        Self {
            kinetics: Kinetics::unmyelinated(membrane, temperature_c),
            places,
            spacing_um,
            area: 1e3 * area,
            capacitance: area * CAPACITANCE,
            // Ω cm × µm / µm² = 10⁴ Ω, 10 kΩ.
            axial: section / (10.0 * RESISTIVITY * spacing_um),
            sodium: vec![1.0; places],
            warmed: vec![],
            severed: vec![],
        }
    }

    #[inline]
    fn kinetics_of(&self, place: usize) -> &Kinetics {
        self.warmed.get(place).unwrap_or(&self.kinetics)
    }

    /// Conductance to the next compartment, mS.
    #[inline]
    fn axial_after(&self, place: usize) -> f64 {
        match self.severed.get(place) {
            Some(true) => 0.0,
            _ => self.axial,
        }
    }
}

/// Potentials across the membrane, mV, and gates.
#[derive(Debug, Clone)]
pub struct State {
    now: Vec<Lanes>,
    before: Vec<Lanes>,
    gates: Vec<Gates>,
    diagonal: Vec<Lanes>,
    right: Vec<Lanes>,
}

impl Fibre for Unmyelinated {
    type State = State;
    /// Weight of the new value in the time derivative, per ms.
    type Factor = f64;
    type Outside = Vec<f64>;

    fn places_um(&self) -> Vec<f64> {
        (0..self.places).map(|n| self.spacing_um * n as f64).collect()
    }

    fn active(&self) -> usize {
        self.places
    }

    fn place_of(&self, active: usize) -> usize {
        active
    }

    fn set_sodium(&mut self, place: usize, share: f64) {
        self.sodium[place] = share;
    }

    fn set_temperature(&mut self, place: usize, temperature_c: f64) {
        if self.warmed.is_empty() {
            self.warmed = vec![self.kinetics; self.places];
        }
        self.warmed[place] = self.kinetics.at(temperature_c);
    }

    fn sever(&mut self, after_place: usize) {
        if self.severed.is_empty() {
            self.severed = vec![false; self.places - 1];
        }
        self.severed[after_place] = true;
    }

    fn outside(&self, potential_mv: &[f64]) -> Vec<f64> {
        (0..self.places)
            .map(|n| {
                let to = |m: Option<&f64>| m.map_or(0.0, |m| potential_mv[n] - m);
                let before = n.checked_sub(1).filter(|m| self.axial_after(*m) > 0.0);
                let before = before.and_then(|m| potential_mv.get(m));
                let after = potential_mv.get(n + 1).filter(|_| self.axial_after(n) > 0.0);
                self.axial * (to(before) + to(after))
            })
            .collect()
    }

    fn factor(&self, rate: f64) -> f64 {
        rate
    }

    fn start(&self) -> State {
        let rest = Lanes::splat(self.kinetics.rest());
        State {
            now: vec![rest; self.places],
            before: vec![rest; self.places],
            gates: (0..self.places).map(|n| self.kinetics_of(n).steady(rest)).collect(),
            diagonal: vec![rest; self.places],
            right: vec![rest; self.places],
        }
    }

    fn advance(
        &self,
        s: &mut State,
        step: &Step<'_, f64>,
        outside: &Vec<f64>,
        amplitude: Lanes,
        injected: Option<(usize, f64)>,
    ) {
        let [now, before] = step.history;
        let (c, n) = (self.capacitance, self.places);
        for i in 0..n {
            let v = s.now[i];
            let ahead = v + (v - s.before[i]) * step.ahead;
            let kinetics = self.kinetics_of(i);
            kinetics.advance(&mut s.gates[i], ahead, step.dt_ms);
            let (g, ge) = kinetics.current(&s.gates[i], self.sodium[i]);
            let mut neighbours = if i == 0 || i + 1 == n { 1.0 } else { 2.0 };
            if !self.severed.is_empty() {
                let cut = |j: usize| f64::from(u8::from(self.severed.get(j).is_some_and(|s| *s)));
                neighbours -= cut(i) + i.checked_sub(1).map_or(0.0, cut);
            }
            s.diagonal[i] = g * self.area + (step.factor * c + neighbours * self.axial);
            s.right[i] = (v * now + s.before[i] * before) * c + ge * self.area - amplitude * outside[i];
        }
        if let Some((i, current)) = injected {
            s.right[i] += Lanes::splat(current);
        }
        for i in 1..n {
            let axial = self.axial_after(i - 1);
            let m = Lanes::splat(axial) / s.diagonal[i - 1];
            s.diagonal[i] -= m * axial;
            s.right[i] = s.right[i] + m * s.right[i - 1];
        }
        std::mem::swap(&mut s.now, &mut s.before);
        s.now[n - 1] = s.right[n - 1] / s.diagonal[n - 1];
        for i in (0..n - 1).rev() {
            s.now[i] = (s.right[i] + s.now[i + 1] * self.axial_after(i)) / s.diagonal[i];
        }
    }

    fn settle_gates(&self, s: &mut State) {
        for (n, (y, v)) in s.gates.iter_mut().zip(&s.now).enumerate() {
            *y = self.kinetics_of(n).steady(*v);
        }
    }

    fn extrapolate(&self, fine: &mut State, coarse: &State) {
        for (f, c) in fine.now.iter_mut().zip(&coarse.now) {
            *f = *f + *f - *c;
        }
        for (f, c) in fine.gates.iter_mut().flatten().zip(coarse.gates.iter().flatten()) {
            *f = *f + *f - *c;
        }
        fine.before.clone_from(&coarse.before);
    }

    fn potential(&self, s: &State, active: usize) -> Lanes {
        s.now[active]
    }
}
