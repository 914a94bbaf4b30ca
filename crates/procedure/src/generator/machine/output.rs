//! What goes out: voltages by program and limits, pulse by pulse.

use super::{GUARD, Generator, GeneratorError, Put, State};
use crate::generator::{
    Mode, Plant, Program,
    control::{Controller, Demand},
    program::Until,
    sensing::Limit,
};

impl<C: Controller + Clone> Generator<C> {
    pub(super) fn stagger_us(&self, k: usize) -> u64 {
        // A resumed lesion starts all its channels at once.
        match &self.program {
            Some(p) => (p.stagger_s * 1e6 * k as f64).round() as u64,
            None => 0,
        }
    }

    pub(super) fn driven(&self, k: usize) -> bool {
        self.state == State::Running && !self.channels[k].done && self.heating_us >= self.stagger_us(k)
    }

    /// Voltages (in a pulse, for pulses) that the program wants within the limits.
    pub(super) fn wanted_volts(&mut self, dt_s: f64) -> Vec<f64> {
        let n = self.channels.len();
        let mut volts = vec![0.0; n];
        if let (State::Stimulating, Some(s)) = (self.state, self.stimulation) {
            let share = if s.ramp_s > 0.0 {
                (self.state_us as f64 * 1e-6 / s.ramp_s).min(1.0)
            } else {
                1.0
            };
            volts[s.channel] = s.amplitude_v * share;
            return volts;
        }
        let Some(program) = self.program.clone() else {
            return volts;
        };
        let mut powers = vec![0.0; n];
        for k in 0..n {
            if self.driven(k) {
                powers[k] = self.wanted_power(k, &program, dt_s);
            } else {
                let c = &mut self.channels[k];
                (c.applied_w, c.limit) = (0.0, None);
            }
        }
        // The channels share one output stage.
        let total: f64 = powers.iter().sum();
        let most = GUARD * self.profile.max_total_power_w;
        for (k, power) in powers.iter_mut().enumerate() {
            let c = &mut self.channels[k];
            if total > most {
                *power *= most / total;
                c.limit = Some(Limit::TotalPower);
            }
            c.applied_w = *power * program.duty();
            volts[k] = (*power * c.impedance_ohm).max(0.0).sqrt();
            if !volts[k].is_finite() {
                volts[k] = 0.0;
            }
        }
        volts
    }

    /// Power of a channel while its pulse is on, after its own limits, W.
    pub(super) fn wanted_power(&mut self, k: usize, program: &Program, dt_s: f64) -> f64 {
        let reading = self.hottest(k);
        let offset = program.offsets_c.get(k).copied().unwrap_or(0.0);
        let needles = self.per_channel() as f64;
        let p = &self.profile;
        let c = &mut self.channels[k];
        let ohm = c.impedance_ohm;
        if c.driven_us == 0 {
            c.from_c = reading;
            c.controller.reset(reading);
        }
        let caps = [
            (Limit::Voltage, (GUARD * p.max_voltage_v).powi(2) / ohm),
            (Limit::Current, (GUARD * p.max_current_a).powi(2) * ohm),
            (Limit::Power, GUARD * p.max_power_w),
        ];
        let (which, cap) = caps
            .into_iter()
            .reduce(|a, b| if b.1 < a.1 { b } else { a })
            .unwrap_or((Limit::Power, 0.0));
        let slewed = c.applied_w + p.power_slew_w_per_s * dt_s;
        let duty = program.duty();
        let mut demand = Demand {
            set_c: reading,
            set_rate_c_per_s: 0.0,
            reading_c: reading,
            applied_w: c.applied_w,
            most_w: cap,
            dt_s,
        };
        let wanted = match &program.mode {
            Mode::Temperature { stages } => {
                let stage = stages[c.stage.min(stages.len() - 1)];
                let target = stage.set_c + offset;
                let way = target - c.from_c;
                let gone = stage.ramp_c_per_s * c.stage_us as f64 * 1e-6;
                let ramping = gone < way.abs();
                demand.set_c = if ramping {
                    c.from_c + gone * way.signum()
                } else {
                    target
                };
                demand.set_rate_c_per_s = if ramping {
                    stage.ramp_c_per_s * way.signum()
                } else {
                    0.0
                };
                c.set_c = Some(demand.set_c);
                demand.applied_w /= needles;
                demand.most_w /= needles;
                needles * c.controller.power_w(&demand)
            }
            Mode::Power { power_w, .. } => *power_w,
            Mode::Pulsed {
                voltage_v,
                adapt_c: Some(adapt),
                ..
            } => {
                let own = voltage_v.powi(2) / ohm;
                demand.most_w = own.min(cap) * duty / needles;
                demand.applied_w /= needles;
                demand.set_c = adapt - 0.5;
                c.set_c = Some(*adapt);
                let mean = needles * c.controller.power_w(&demand);
                c.set_c = None;
                mean / duty
            }
            Mode::Voltage { voltage_v, .. } | Mode::Pulsed { voltage_v, .. } => voltage_v.powi(2) / ohm,
        };
        c.limit = None;
        let mut power = if wanted.is_finite() { wanted.max(0.0) } else { 0.0 };
        let pulsed = matches!(program.mode, Mode::Pulsed { .. });
        if !pulsed && power > slewed {
            power = slewed;
            c.limit = Some(Limit::Slew);
        }
        if power >= cap {
            power = cap;
            c.limit = Some(which);
        }
        power
    }

    /// Lets voltages through for one interval, pulse by pulse.
    pub(super) fn put_out(
        &mut self,
        plant: &mut dyn Plant,
        volts: &[f64],
        dt_us: u64,
    ) -> Result<Vec<Put>, GeneratorError> {
        let n = self.channels.len();
        let mut put = vec![Put::default(); n];
        let train = self.train();
        let stimulating = self.state == State::Stimulating;
        let on: Vec<bool> = (0..n)
            .map(|k| self.driven(k) || (stimulating && self.stimulation.is_some_and(|s| s.channel == k)))
            .collect();
        let limit = match &self.program {
            Some(Program {
                mode:
                    Mode::Pulsed {
                        until: Until::Pulses(m),
                        ..
                    },
                ..
            }) if !stimulating => *m,
            _ => u32::MAX,
        };
        let mut at = 0;
        while at < dt_us {
            let mut next = dt_us;
            let mut now = vec![0.0; n];
            for k in 0..n {
                if !on[k] {
                    continue;
                }
                let Some((period, width)) = train else {
                    now[k] = volts[k];
                    continue;
                };
                let since = if stimulating {
                    self.state_us
                } else {
                    self.channels[k].driven_us
                };
                let phase = (since + at) % period;
                let c = &mut self.channels[k];
                if phase < width {
                    if !c.pulse_open && c.pulses < limit {
                        c.pulse_open = true;
                        c.pulses = c.pulses.saturating_add(1);
                    }
                    next = next.min(at + width - phase);
                    now[k] = if c.pulse_open { volts[k] } else { 0.0 };
                } else {
                    c.pulse_open = false;
                    next = next.min(at + period - phase);
                }
            }
            // The output stage limits at once, whatever the readings say.
            for (v, ohm) in now.iter_mut().zip(&plant.seen().impedance_ohm) {
                let p = &self.profile;
                let most = (GUARD * p.max_voltage_v)
                    .min(GUARD * p.max_current_a * ohm)
                    .min((GUARD * p.max_power_w * ohm).max(0.0).sqrt());
                *v = if v.is_finite() && most.is_finite() {
                    v.min(most).max(0.0)
                } else {
                    0.0
                };
            }
            let part_s = (next - at) as f64 * 1e-6;
            plant.advance(&now, part_s)?;
            for k in 0..n {
                let (i, v) = (plant.seen().current_a[k], plant.seen().voltage_v[k]);
                put[k].energy_j += i * v * part_s;
                if now[k] > 0.0 {
                    put[k].asked_v = now[k];
                    put[k].volts = v;
                    put[k].amps = i;
                }
            }
            for (needle, c) in self.needles.iter_mut().zip(&plant.seen().thermocouples_c) {
                let c = if c.is_finite() { *c } else { 1e3 };
                needle.follow(c, part_s, self.profile.thermocouple_lag_s);
            }
            at = next;
        }
        for (k, p) in put.iter_mut().enumerate() {
            p.on = on[k];
            p.power_w = p.energy_j / (dt_us as f64 * 1e-6);
            if on[k] && !stimulating {
                self.channels[k].driven_us += dt_us;
            }
        }
        Ok(put)
    }

    /// Period and width of the pulses, µs.
    pub(super) fn train(&self) -> Option<(u64, u64)> {
        let of = |rate_hz: f64, pulse_s: f64| {
            let period = (1e6 / rate_hz).round().max(2.0) as u64;
            (period, ((pulse_s * 1e6).round() as u64).clamp(1, period - 1))
        };
        if self.state == State::Stimulating {
            return self.stimulation.map(|s| of(s.rate_hz, s.pulse_s));
        }
        match self.program.as_ref()?.mode {
            Mode::Pulsed { pulse_s, rate_hz, .. } => Some(of(rate_hz, pulse_s)),
            _ => None,
        }
    }
}
