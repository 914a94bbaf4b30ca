//! What is read, and what the rules say to it.

use super::{Generator, Put, State, Surroundings};
use crate::generator::{
    Mode, Plant, Program,
    control::Controller,
    watch::{Look, Rule},
};

impl<C: Controller + Clone> Generator<C> {
    pub(super) fn read(&mut self, plant: &dyn Plant, around: &Surroundings) {
        for (i, needle) in self.needles.iter_mut().enumerate() {
            if around.frozen_needle != Some(i) {
                needle.raw_c = self.noise.temperature(i, self.steps, &self.profile, needle.junction_c);
            }
        }
        for (k, c) in self.channels.iter_mut().enumerate() {
            let ohm = plant.seen().impedance_ohm[k];
            c.impedance_ohm = self.noise.impedance(k, self.steps, &self.profile, ohm);
        }
    }

    /// Asks the rules.
    pub(super) fn judge(&mut self, around: &Surroundings, put: &[Put], dt_s: f64) {
        if !matches!(self.state, State::Checking | State::Running | State::Paused) {
            return;
        }
        let Some(program) = self.program.clone() else { return };
        let per = self.per_channel();
        let raw: Vec<f64> = self.needles.iter().map(|n| n.raw_c).collect();
        let stop_c = match program.mode {
            Mode::Temperature { .. } => None,
            Mode::Power { stop_c, .. } | Mode::Voltage { stop_c, .. } | Mode::Pulsed { stop_c, .. } => Some(stop_c),
        };
        let lowest_c = program
            .coolant
            .map_or(self.profile.lowest_reading_c, |c| c.temperature_c - 5.0);
        let mut found: Vec<(Option<usize>, Rule)> = Vec::new();
        // Pulses are over when the impedance is read.
        let pulsed = matches!(program.mode, Mode::Pulsed { .. });
        let read: Vec<f64> = self.channels.iter().map(|c| c.impedance_ohm).collect();
        let volts: Vec<f64> = put.iter().map(|p| if pulsed { 0.0 } else { p.volts }).collect();
        let alone = self.coupling.alone(&read, &volts);
        let checking = self.state == State::Checking;
        for k in 0..self.channels.len() {
            let c = &mut self.channels[k];
            let (ramping, ramp_c_per_s) = match (&program.mode, c.set_c) {
                (Mode::Temperature { stages }, Some(set)) => {
                    let stage = &stages[c.stage.min(stages.len() - 1)];
                    let goal = stage.set_c + program.offsets_c.get(k).unwrap_or(&0.0);
                    ((goal - set).abs() > 1e-9, stage.ramp_c_per_s)
                }
                _ => (false, 0.0),
            };
            let look = Look {
                dt_s,
                on: put[k].on,
                driven_s: c.driven_us as f64 * 1e-6,
                raw_c: &raw[k * per..(k + 1) * per],
                impedance_ohm: alone[k].0,
                coupled: alone[k].1,
                usual_ohm: program.usual_ohm.filter(|_| checking),
                set_c: c.set_c,
                ramping,
                ramp_c_per_s,
                waiting_s: c.waiting_us as f64 * 1e-6,
                stop_c,
                asked_v: put[k].asked_v,
                measured_v: self.noise.output(k, self.steps, &self.profile, put[k].volts),
                power_w: put[k].power_w,
                limit: c.limit,
                lowest_c,
            };
            found.extend(c.watch.look(&look, &self.profile).into_iter().map(|r| (Some(k), r)));
        }
        found.extend(self.judge_all(around, put, &raw, &program, dt_s));
        for (channel, rule) in found {
            self.alarm(channel, rule);
        }
    }

    /// Rules that concern more than a channel.
    pub(super) fn judge_all(
        &mut self,
        around: &Surroundings,
        put: &[Put],
        raw: &[f64],
        program: &Program,
        dt_s: f64,
    ) -> Vec<(Option<usize>, Rule)> {
        let per = self.per_channel();
        let mut all = Vec::new();
        let p = &self.profile;
        let start = *self.pad_start_ohm.get_or_insert(around.pad_ohm);
        let pad = !program.bipolar;
        let (missing, poor) = (
            pad && around.pad_ohm > 10.0 * p.pad_contact_ohm,
            pad && (around.pad_ohm > p.pad_contact_ohm || around.pad_ohm > start * (1.0 + p.pad_rise_fraction)),
        );
        let cooled = program.coolant.is_some();
        let still = cooled && around.coolant_flow_fraction < p.coolant_flow_fraction;
        let warm = cooled && around.coolant_warmer_c > p.coolant_warm_c;
        // While one channel alone is driven, its own needle must be the one that gets warm.
        let alone = put.iter().filter(|x| x.on).count() == 1;
        let driven = put.iter().position(|x| x.on);
        let mut exchanged = false;
        if let (true, Some(k)) = (alone, driven)
            && k == 0
            && !self.resumed
        {
            let rises: Vec<f64> = raw.iter().zip(&self.start_c).map(|(now, start)| now - start).collect();
            let most = |all: &[f64]| all.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (own, other) = (most(&rises[..per]), most(&rises[per..]));
            exchanged = other > 0.7 && own < 0.5 * other;
        }
        let watch = &mut self.channels[0].watch;
        for (rule, holds) in [
            (Rule::PadMissing, missing),
            (Rule::PadContact, poor && !missing),
            (Rule::CoolantStopped, still),
            (Rule::CoolantWarm, warm),
            (Rule::WrongChannel, exchanged),
        ] {
            if watch.confirmed(rule, holds, dt_s) {
                all.push((None, rule));
            }
        }
        all
    }
}
