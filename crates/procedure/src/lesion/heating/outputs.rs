//! Voltages set from outside, one control interval after the other: what a generator beside the solver needs.

use super::{Heating, SAME_TIME_S};
use crate::lesion::LesionError;

/// A change of V² by more than this part of the larger one starts the time-stepping anew.
const JUMP: f64 = 0.2;

impl Heating {
    /// Channels of the generator.
    pub fn channels(&self) -> usize {
        self.volts.len()
    }

    /// Holds these voltages (V rms, one a channel; channels are in phase) until they are set again; the program no longer drives. The rms
    /// over an interval is what heats. Small changes go on with the steps as they are, large ones start them anew. When all voltages
    /// become zero, heating counts as ended.
    ///
    /// # Errors
    /// [`LesionError::Problem`] when the number of voltages is not that of the channels, or one is negative or not finite.
    pub fn set_outputs(&mut self, volts: &[f64]) -> Result<(), LesionError> {
        if volts.len() != self.volts.len() || volts.iter().any(|v| !(v.is_finite() && *v >= 0.0)) {
            return Err(LesionError::Problem {
                step: "setting the generator's voltages",
                found: format!("{volts:?}"),
                expected: format!("{} finite voltages, none negative", self.volts.len()),
                advice: "give one voltage a channel; `Control::Each` gives each needle its own".into(),
            });
        }
        let was = self.is_on();
        let before = match (&self.outputs, was) {
            (Some(v), _) => v.clone(),
            (None, true) => self.volts.clone(),
            (None, false) => vec![0.0; volts.len()],
        };
        let on = volts.iter().any(|v| *v > 0.0);
        if was && !on {
            self.keep_heated();
        }
        let largest = volts.iter().chain(&before).fold(0.0, |m: f64, v| m.max(v * v));
        let jumps = |(v, w): (&f64, &f64)| (v * v - w * w).abs() > JUMP * largest;
        let jump = was != on || volts.iter().zip(&before).any(jumps);
        self.outputs = Some(volts.to_vec());
        if jump {
            self.start_anew();
        }
        Ok(())
    }

    /// Changes the coolant of a cooled needle from now on: °C where it reaches the end of the channel, and ml/min (zero: it stands still).
    ///
    /// # Errors
    /// [`LesionError::Problem`] when the needle is not cooled or a value is not finite or negative.
    pub fn set_coolant(&mut self, needle: usize, temperature_c: f64, flow_ml_per_min: f64) -> Result<(), LesionError> {
        let sound = temperature_c.is_finite() && flow_ml_per_min.is_finite() && flow_ml_per_min >= 0.0;
        let flow = self.coolants.iter_mut().find(|f| f.needle == needle);
        let Some(flow) = flow.filter(|_| sound) else {
            return Err(LesionError::Problem {
                step: "changing the coolant",
                found: format!("needle {needle}, {temperature_c} °C, {flow_ml_per_min} ml/min"),
                expected: "a cooled needle, a finite temperature and a flow that is not negative".into(),
                advice: "give the needle a coolant in the problem".into(),
            });
        };
        flow.set(temperature_c, flow_ml_per_min);
        self.start_anew();
        Ok(())
    }

    /// Heat that the coolant of a needle takes, W, and the metal's temperature as the coolant meets it, °C; none of an uncooled needle.
    pub fn coolant_takes(&self, needle: usize) -> Option<(f64, f64)> {
        let flow = self.coolants.iter().find(|f| f.needle == needle)?;
        Some(flow.taken(|i| self.state.temperature[i]))
    }

    /// How much more the tissue at the distal end of the first needle conducts with each kelvin, as a part of what it conducts at the
    /// start, 1/K.
    pub fn conducting_per_k(&self) -> f64 {
        let cell = self.grid.shells[0].cell(0, 0, 0) as usize;
        let start_c = self.problem.initial_temperature_c;
        self.medium.network.sigma_coefficient[cell] / self.medium.sigma_factor(cell, start_c)
    }

    /// Conductance between the channels, S: the current out of channel i is the sum over k of `[i][k]` times the voltage of k.
    pub fn conductances_s(&self) -> Vec<Vec<f64>> {
        let n = self.volts.len();
        let mut columns = vec![vec![0.0; n]; n];
        if n == 1 && self.flow.power > 0.0 {
            return vec![vec![self.flow.power / self.volts[0].powi(2)]];
        }
        let mut power = vec![0.0; self.grid.cells()];
        if n == 1 {
            let flow = self.current.flow(&self.grid, &self.medium, &[1.0], &mut power);
            return vec![vec![flow.power]];
        }
        for k in 0..n {
            let mut unit = vec![0.0; n];
            unit[k] = 1.0;
            let flow = self.current.flow(&self.grid, &self.medium, &unit, &mut power);
            for (i, row) in columns.iter_mut().enumerate() {
                row[k] = flow.needle_current[i];
            }
        }
        columns
    }

    /// Hottest tissue nearer to one needle's axis than to the others', of each needle, °C.
    pub fn hottest_by_needle_c(&self) -> Vec<f64> {
        let needles = &self.problem.needles;
        let mut hottest = vec![f64::NEG_INFINITY; needles.len()];
        let axes: Vec<_> = needles
            .iter()
            .map(|n| (n.tip.vec() * 1e-3, neurotome_base::Vec3::from(n.direction)))
            .collect();
        for (p, t) in self
            .grid
            .center
            .iter()
            .zip(&self.state.temperature[..self.grid.tissue_cells])
        {
            let distance = |(tip, direction): &(neurotome_base::Vec3, neurotome_base::Vec3)| {
                let d = p - tip;
                let along = d.dot(direction).min(0.0);
                (d - direction * along).norm()
            };
            let nearest = axes
                .iter()
                .enumerate()
                .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))
                .map_or(0, |n| n.0);
            hottest[nearest] = f64::max(hottest[nearest], *t);
        }
        hottest
    }

    /// Whether current flows in the step that starts now.
    pub(super) fn is_on(&self) -> bool {
        match &self.outputs {
            Some(volts) => volts.iter().any(|v| *v > 0.0),
            None => self.program.is_on(self.t),
        }
    }

    /// The next time after `t` at which the program switches; voltages from outside have none.
    pub(super) fn next_switch(&self, t: f64) -> Option<f64> {
        if self.outputs.is_some() {
            return None;
        }
        self.program.next_switch(t)
    }

    /// Ends heating by outputs, where it still goes on, so that what stands at its end is kept.
    pub(in crate::lesion) fn end_outputs(&mut self) -> Result<(), LesionError> {
        if self.outputs.is_some() && self.is_on() && self.t > SAME_TIME_S {
            self.set_outputs(&vec![0.0; self.volts.len()])?;
        }
        Ok(())
    }
}
