//! The clocks of the program, changes of state by time, and what is shown.

use super::{CHECK_S, EventKind, Generator, MAX_CURVE, Put, REACHED_C, State};
use crate::generator::{
    Mode,
    control::Controller,
    program::Until,
    sensing::{ChannelReading, Readings, rounded},
};

impl<C: Controller + Clone> Generator<C> {
    /// The program's clocks.
    pub(super) fn go_on(&mut self, dt_us: u64) {
        let Some(program) = self.program.clone() else { return };
        for k in 0..self.channels.len() {
            if self.channels[k].done || self.channels[k].driven_us == 0 {
                continue;
            }
            let reading = self.hottest(k);
            let offset = program.offsets_c.get(k).copied().unwrap_or(0.0);
            let c = &mut self.channels[k];
            c.stage_us += dt_us;
            let us = |s: f64| (s * 1e6).round() as u64;
            let mut next = None;
            match &program.mode {
                Mode::Temperature { stages } => {
                    let stage = stages[c.stage.min(stages.len() - 1)];
                    let target = stage.set_c + offset;
                    if c.holding {
                        c.hold_us += dt_us;
                        if c.hold_us >= us(stage.hold_s) {
                            next = Some(c.stage + 1);
                            c.done = c.stage + 1 == stages.len();
                        }
                    } else if c.set_c.is_some_and(|s| (s - target).abs() < 1e-9) {
                        c.waiting_us += dt_us;
                        let rising = target >= c.from_c;
                        if !rising || reading >= target - REACHED_C {
                            (c.holding, c.waiting_us) = (true, 0);
                        }
                    }
                    if next.is_some() && !c.done {
                        (c.stage, c.stage_us, c.hold_us, c.holding, c.from_c) = (c.stage + 1, 0, 0, false, target);
                    }
                }
                Mode::Power { hold_s, .. } | Mode::Voltage { hold_s, .. } => c.done = c.driven_us >= us(*hold_s),
                Mode::Pulsed { until, .. } => {
                    c.done = match until {
                        Until::Seconds(s) => c.driven_us >= us(*s),
                        Until::Pulses(n) => c.pulses >= *n && !c.pulse_open,
                    };
                }
            }
            let (done, stage) = (c.done, c.stage);
            if done {
                c.set_c = None;
                self.log(Some(k), EventKind::ChannelDone, format!("channel {}: done", k + 1));
            } else if next.is_some() {
                self.log(
                    Some(k),
                    EventKind::Stage(stage),
                    format!("channel {}: stage {}", k + 1, stage + 1),
                );
            }
        }
    }

    /// Changes of state by time.
    pub(super) fn move_on(&mut self) {
        let in_state_s = self.state_us as f64 * 1e-6;
        match self.state {
            State::Checking if in_state_s >= CHECK_S - 1e-9 => {
                self.start_c = self.needles.iter().map(|n| n.raw_c).collect();
                self.enter(State::Running);
            }
            State::Running if self.channels.iter().all(|c| c.done) => self.enter(State::PostHeat),
            State::PostHeat if in_state_s >= self.program.as_ref().map_or(0.0, |p| p.post_heat_s) => {
                self.enter(State::Done);
            }
            _ => {}
        }
    }

    pub(super) fn show(&mut self, put: &[Put]) {
        let p = &self.profile;
        let channels = (0..self.channels.len())
            .map(|k| {
                let c = &self.channels[k];
                ChannelReading {
                    temperature_c: rounded(self.hottest(k), p.temperature_display_c),
                    set_c: c.set_c,
                    impedance_ohm: rounded(c.impedance_ohm, p.impedance_display_ohm),
                    voltage_v: rounded(self.noise.output(k, self.steps, p, put[k].volts), 0.1),
                    current_a: rounded(self.noise.output(k, self.steps, p, put[k].amps), 1e-3),
                    power_w: rounded(self.noise.output(k, self.steps, p, put[k].power_w), 0.01),
                    stage: c.stage,
                    pulses: c.pulses,
                    limit: c.limit,
                    on: put[k].on,
                }
            })
            .collect();
        self.readings = Readings {
            t_s: self.t_s(),
            heating_s: self.heating_us as f64 * 1e-6,
            state: self.state,
            channels,
        };
        if self.state != State::Idle && self.curves.len() < MAX_CURVE {
            self.curves.push(self.readings.clone());
        }
    }
}
