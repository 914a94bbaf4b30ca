//! What the generator wants at a time, and its limits.

use super::{Control, Drive, LesionProblem, Limits};

/// A drive with the time in which it is on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Program {
    pub drive: Drive,
    /// From this time, s.
    pub since_s: f64,
    /// Until this time, s.
    pub until_s: f64,
    /// Temperature from which a ramp starts, °C.
    pub from_c: f64,
}

/// Two times are the same when they are closer than this, s.
pub(super) const SAME_TIME_S: f64 = 1e-9;

impl Program {
    pub fn new(problem: &LesionProblem) -> Self {
        Self {
            drive: problem.drive,
            since_s: 0.0,
            until_s: problem.heating_s,
            from_c: problem.initial_temperature_c,
        }
    }

    /// Channels of the generator, with `needles` needles.
    pub fn channels(&self, needles: usize) -> usize {
        match self.drive {
            Drive::Temperature {
                control: Control::Each, ..
            } => needles,
            _ => 1,
        }
    }

    /// True when current flows in the step that starts at `t`.
    pub fn is_on(&self, t: f64) -> bool {
        if t > self.until_s - SAME_TIME_S {
            return false;
        }
        match self.drive {
            Drive::Pulsed {
                pulse_s,
                rate_hz,
                resolved: true,
                ..
            } => {
                let phase = self.phase(t, rate_hz);
                phase < pulse_s - SAME_TIME_S
            }
            _ => true,
        }
    }

    /// Seconds since the last pulse began.
    fn phase(&self, t: f64, rate_hz: f64) -> f64 {
        let cycles = (t - self.since_s + SAME_TIME_S) * rate_hz;
        ((cycles - cycles.floor()) / rate_hz - SAME_TIME_S).max(0.0)
    }

    /// True when a resolved pulse begins at `t`.
    pub fn pulse_begins(&self, t: f64) -> bool {
        match self.drive {
            Drive::Pulsed {
                rate_hz,
                resolved: true,
                ..
            } => t < self.until_s - SAME_TIME_S && self.phase(t, rate_hz) < SAME_TIME_S,
            _ => false,
        }
    }

    /// The next time after `t` at which the drive jumps or has a kink.
    pub fn next_switch(&self, t: f64) -> Option<f64> {
        let mut next = f64::INFINITY;
        let mut consider = |at: f64| {
            if at > t + SAME_TIME_S {
                next = next.min(at);
            }
        };
        consider(self.until_s);
        match self.drive {
            Drive::Temperature { ramp_s, .. } => consider((self.since_s + ramp_s).min(self.until_s)),
            Drive::Pulsed {
                pulse_s,
                rate_hz,
                resolved: true,
                ..
            } if t < self.until_s => {
                let cycle = ((t - self.since_s + SAME_TIME_S) * rate_hz).floor();
                let begin = self.since_s + cycle / rate_hz;
                consider((begin + pulse_s).min(self.until_s));
                consider((self.since_s + (cycle + 1.0) / rate_hz).min(self.until_s));
            }
            _ => {}
        }
        next.is_finite().then_some(next)
    }

    /// The set temperature at a time while the drive is on, °C.
    pub fn set_temperature(&self, t: f64) -> Option<f64> {
        match self.drive {
            Drive::Temperature {
                set_temperature_c,
                ramp_s,
                ..
            } if t <= self.until_s + SAME_TIME_S => {
                let share = if ramp_s > 0.0 {
                    ((t - self.since_s) / ramp_s).clamp(0.0, 1.0)
                } else {
                    1.0
                };
                Some(self.from_c + share * (set_temperature_c - self.from_c))
            }
            _ => None,
        }
    }

    /// Square of the voltage that the drive wants without a look at temperature, V²; `conductance` in S.
    pub fn wanted_v2(&self, conductance: f64) -> Option<f64> {
        match self.drive {
            Drive::Voltage { voltage_v } => Some(voltage_v * voltage_v),
            Drive::Current { current_a } => Some((current_a / conductance).powi(2)),
            Drive::Power { power_w } => Some(power_w / conductance),
            Drive::Temperature { .. } => None,
            Drive::Pulsed { voltage_v, .. } => Some(voltage_v * voltage_v * self.mean_share()),
        }
    }

    /// Mean of V² over its value within a pulse, where the mean is computed; else 1.
    pub fn mean_share(&self) -> f64 {
        match self.drive {
            Drive::Pulsed {
                pulse_s,
                rate_hz,
                resolved: false,
                ..
            } => (pulse_s * rate_hz).min(1.0),
            _ => 1.0,
        }
    }

    /// The temperature above which the drive gives way, °C.
    pub fn limit_temperature(&self) -> Option<f64> {
        match self.drive {
            Drive::Pulsed {
                limit_temperature_c, ..
            } => limit_temperature_c,
            _ => None,
        }
    }
}

/// Square of the largest voltage within a generator's limits, V².
pub(super) fn limit_v2(limits: &Limits, conductance: f64) -> f64 {
    let by_voltage = limits.voltage_v * limits.voltage_v;
    let by_current = (limits.current_a / conductance).powi(2);
    by_voltage.min(by_current).min(limits.power_w / conductance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulses_switch_where_they_should() {
        let program = Program {
            drive: Drive::Pulsed {
                voltage_v: 45.0,
                pulse_s: 0.02,
                rate_hz: 2.0,
                limit_temperature_c: Some(42.0),
                resolved: true,
            },
            since_s: 0.0,
            until_s: 1.75,
            from_c: 37.0,
        };
        let mut t = 0.0;
        let mut seen = vec![];
        while let Some(next) = program.next_switch(t) {
            seen.push((next, program.is_on(t), program.pulse_begins(t)));
            t = next;
        }
        let expected = [0.02, 0.5, 0.52, 1.0, 1.02, 1.5, 1.52, 1.75];
        assert_eq!(seen.len(), expected.len(), "{seen:?}");
        for (k, (s, e)) in seen.iter().zip(expected).enumerate() {
            assert!((s.0 - e).abs() < 1e-12, "{seen:?}");
            assert_eq!((s.1, s.2), (k % 2 == 0, k % 2 == 0), "{k}: {seen:?}");
        }
        assert!(!program.is_on(1.75));
    }

    #[test]
    fn a_ramp_has_a_kink_and_an_end() {
        let program = Program {
            drive: Drive::Temperature {
                set_temperature_c: 80.0,
                ramp_s: 10.0,
                control: Control::First,
            },
            since_s: 0.0,
            until_s: 100.0,
            from_c: 37.0,
        };
        assert_eq!(program.next_switch(0.0), Some(10.0));
        assert_eq!(program.next_switch(10.0), Some(100.0));
        assert_eq!(program.next_switch(100.0), None);
        assert_eq!(program.set_temperature(5.0), Some(58.5));
        assert_eq!(program.set_temperature(101.0), None);
    }
}
