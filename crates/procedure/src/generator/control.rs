//! How a temperature is held.

use serde::{Deserialize, Serialize};

/// What a controller is told once a control interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// What the temperature should be now, °C.
    pub set_c: f64,
    /// How fast that changes, °C/s.
    pub set_rate_c_per_s: f64,
    /// What the thermocouple reads, °C.
    pub reading_c: f64,
    /// Power that was put out in the last interval, after all limits, W.
    pub applied_w: f64,
    /// Most that can be put out in the next, W.
    pub most_w: f64,
    /// Length of an interval, s.
    pub dt_s: f64,
}

/// Says which power for each needle holds a temperature. Limits of voltage, current, power and slew are applied after it, by the machine.
///
/// A controller of one's own:
///
/// ```
/// use neurotome_procedure::generator::control::{Controller, Demand};
///
/// /// Full power below what is set, none above.
/// #[derive(Clone)]
/// struct Thermostat { on_w: f64 }
///
/// impl Controller for Thermostat {
///     fn reset(&mut self, _reading_c: f64) {}
///     fn power_w(&mut self, d: &Demand) -> f64 {
///         if d.reading_c < d.set_c { self.on_w.min(d.most_w) } else { 0.0 }
///     }
/// }
///
/// let mut c = Thermostat { on_w: 5.0 };
/// let cold = Demand { set_c: 80.0, set_rate_c_per_s: 0.0, reading_c: 60.0, applied_w: 0.0, most_w: 50.0, dt_s: 0.1 };
/// assert_eq!(c.power_w(&cold), 5.0);
/// assert_eq!(c.power_w(&Demand { reading_c: 81.0, ..cold }), 0.0);
/// ```
///
/// `Generator::with_controller(profile, channels, seed, Thermostat { on_w: 5.0 })` then drives with it.
pub trait Controller {
    /// Forgets the past; the thermocouple reads `reading_c` now.
    fn reset(&mut self, reading_c: f64);
    /// The power wanted in the next interval, W.
    fn power_w(&mut self, demand: &Demand) -> f64;
}

/// Proportional, integral and derivative action on the error of temperature, with feed-forward of the ramp. The derivative acts on the
/// reading, so that a step of the set point makes no kick; the integral follows what was really put out (back calculation), so that it
/// does not wind up while a limit is active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pid {
    /// Proportional gain, W/K.
    pub gain_w_per_k: f64,
    /// Integral gain, W/(K s).
    pub integral_w_per_k_s: f64,
    /// Derivative gain, W s/K.
    pub derivative_w_s_per_k: f64,
    /// Feed-forward, W s/K: heat capacity of what follows the tip at once.
    pub feed_w_s_per_k: f64,
    /// Time constant with which the reading is smoothed for the derivative, s.
    pub smooth_s: f64,
    /// Whether the integral follows what was put out. Off only to show what that is for.
    pub anti_windup: bool,
    integral_w: f64,
    smooth_c: f64,
    asked_w: f64,
}

impl Default for Pid {
    fn default() -> Self {
        Self {
            gain_w_per_k: 0.35,
            integral_w_per_k_s: 0.05,
            derivative_w_s_per_k: 0.1,
            feed_w_s_per_k: 0.5,
            smooth_s: 0.4,
            anti_windup: true,
            integral_w: 0.0,
            smooth_c: 37.0,
            asked_w: 0.0,
        }
    }
}

impl Pid {
    /// The usual controller with or without anti-windup.
    pub fn with_anti_windup(anti_windup: bool) -> Self {
        Self {
            anti_windup,
            ..Self::default()
        }
    }
}

impl Controller for Pid {
    fn reset(&mut self, reading_c: f64) {
        self.integral_w = 0.0;
        self.smooth_c = reading_c;
        self.asked_w = 0.0;
    }

    fn power_w(&mut self, d: &Demand) -> f64 {
        let before = self.smooth_c;
        self.smooth_c += (d.reading_c - self.smooth_c) * d.dt_s / (self.smooth_s + d.dt_s);
        let rate = (self.smooth_c - before) / d.dt_s;
        let error = d.set_c - d.reading_c;
        if self.anti_windup {
            // What a limit withheld is taken back from the integral.
            self.integral_w += (d.applied_w - self.asked_w).clamp(-d.most_w, 0.0) * (d.dt_s / 0.5).min(1.0);
        }
        self.integral_w += self.integral_w_per_k_s * error * d.dt_s;
        if self.anti_windup {
            self.integral_w = self.integral_w.clamp(0.0, d.most_w);
        }
        let wanted = self.gain_w_per_k * error
            + self.integral_w
            + self.derivative_w_s_per_k * (d.set_rate_c_per_s - rate)
            + self.feed_w_s_per_k * d.set_rate_c_per_s;
        self.asked_w = wanted.max(0.0);
        self.asked_w.min(d.most_w)
    }
}
