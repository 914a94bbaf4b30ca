//! When a generator stops: rules on its readings, each with the time for which it must hold.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Profile, sensing::Limit};

/// What an alarm makes the generator do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Output off and relay open until the alarm is acknowledged.
    Stop,
    /// Told; heating goes on.
    Caution,
    /// A command is refused.
    Refuse,
}

macro_rules! rules {
    ($($rule:ident: $action:ident, $confirm:literal, $text:literal;)*) => {
        /// A rule of detection.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Rule {
            $(#[doc = $text] $rule,)*
        }

        impl Rule {
            /// All rules.
            pub const ALL: &'static [Rule] = &[$(Rule::$rule),*];
            /// What it makes the generator do.
            pub fn action(self) -> Action {
                match self { $(Self::$rule => Action::$action,)* }
            }
            /// For how long it must hold without a break, s.
            pub fn confirm_s(self) -> f64 {
                match self { $(Self::$rule => $confirm,)* }
            }
            /// What the generator shows.
            pub fn text(self) -> &'static str {
                match self { $(Self::$rule => $text,)* }
            }
        }
    };
}

rules! {
    ImpedanceOpen: Stop, 0.1, "Open circuit: check cable, electrode and return pad";
    ImpedanceHigh: Stop, 0.2, "Impedance too high: check the electrode's contact with tissue";
    ImpedanceLow: Stop, 0.1, "Impedance too low: check for touching electrodes or a damaged cable";
    ImpedanceStep: Stop, 0.0, "Impedance changed suddenly: check whether the needle or a cable has moved";
    ImpedanceRise: Stop, 0.5, "Impedance rises: tissue boils or chars";
    InsulationBreach: Stop, 0.0, "Impedance fell suddenly: insulation of the cannula may be broken";
    ThermocoupleOpen: Stop, 0.0, "Thermocouple open: change the electrode";
    ThermocoupleLow: Stop, 0.2, "Temperature impossibly low: thermocouple shorted or reversed";
    ThermocoupleJump: Stop, 0.0, "Temperature jumped: thermocouple or its cable is faulty";
    ThermocoupleStuck: Stop, 2.0, "Temperature does not move at all: thermocouple or converter is faulty";
    ThermocoupleDoubt: Stop, 1.5, "Temperature does not fit the power: thermocouple in doubt";
    WrongChannel: Stop, 0.3, "Another channel's electrode gets warm: cables are exchanged";
    OverTemperature: Stop, 0.3, "Temperature too high";
    RiseTooFast: Stop, 0.2, "Temperature rises too fast";
    NotFollowing: Stop, 1.0, "Temperature does not follow the ramp";
    NotReached: Stop, 0.0, "Set temperature not reached";
    LimitActive: Caution, 0.0, "Output at its limit: temperature may not be reached";
    OutputError: Stop, 0.1, "Output differs from what was asked for: service needed";
    PadMissing: Stop, 0.1, "Return pad missing";
    PadContact: Stop, 0.3, "Return pad has poor contact";
    CoolantStopped: Stop, 0.5, "Coolant does not flow";
    CoolantWarm: Stop, 1.0, "Coolant too warm";
    Interlock: Refuse, 0.0, "No stimulation while radiofrequency is armed";
    EmergencyStop: Stop, 0.0, "Emergency stop";
    PowerLost: Stop, 0.0, "Mains lost; output is off";
}

/// What a channel shows at the end of a control interval.
#[derive(Debug, Clone)]
pub(super) struct Look<'a> {
    pub dt_s: f64,
    /// Being driven.
    pub on: bool,
    /// Since it was first driven, s.
    pub driven_s: f64,
    /// Converter's values of its needles, °C.
    pub raw_c: &'a [f64],
    /// Impedance that the channel would show alone.
    pub impedance_ohm: f64,
    /// Share of its own conductance by which that was corrected for other channels.
    pub coupled: f64,
    /// What such electrodes show, Ω, while that is looked at.
    pub usual_ohm: Option<f64>,
    pub set_c: Option<f64>,
    /// The set temperature is changing.
    pub ramping: bool,
    /// How fast the set point changes in a ramp, °C/s.
    pub ramp_c_per_s: f64,
    /// Since the ramp ended without the set point being reached, s.
    pub waiting_s: f64,
    pub stop_c: Option<f64>,
    pub asked_v: f64,
    pub measured_v: f64,
    /// Mean power, W.
    pub power_w: f64,
    pub limit: Option<Limit>,
    /// Lowest plausible reading, °C.
    pub lowest_c: f64,
}

/// Time over which changes of impedance, reading and power are compared, s, and after which that begins when a ramp has ended.
const LATELY_S: f64 = 6.0;
const SETTLED_S: f64 = 2.0;
/// While a temperature is held, tissue warms through: it takes ever less power, and its impedance falls a little. The logarithm of the impedance
/// falls by less than this for a unit of that of the power: in the fitted plants by 0.065, with a thermocouple that reads ever lower by 0.3 and more.
const FALL_PER_POWER: f64 = 0.1;
/// Fall of a reading, K, within that time under an output that has fallen by less than this, as a logarithm, that is not that of tissue.
const COOLS_K: f64 = 0.8;
const COOLS_POWER: f64 = 0.2;
/// Share to which the correction for other channels is known.
const COUPLING_DOUBT: f64 = 0.15;
/// Time over which impedance is smoothed, s.
const SMOOTH_S: f64 = 2.5;
/// Time over which the distance to what is set is smoothed, s, and growth of that distance with which a reading falls back, °C/s.
const FOLLOW_S: f64 = 2.0;
const FALLS_BACK_C_PER_S: f64 = 0.35;
/// A reading that gets where the set point was longer ago than this is late whether it falls back or not, s: of a slow ramp, that is few
/// degrees.
const LATE_S: f64 = 4.5;
/// Energy after which a needle must have warmed, J, and by how much, K.
const DEAF_J: f64 = 4.0;
const DEAF_K: f64 = 0.7;
/// Fall of impedance for a kelvin where the ramp does not tell, 1/K.
const USUAL_PER_K: f64 = 0.006;
/// Samples in half a second at most, whatever the interval.
const WINDOW_S: f64 = 0.5;
/// Response of tissue's conductivity to warmth that a fall of impedance may be due to, 1/K.
const WARMTH_PER_K: f64 = 0.02;

/// What the rules remember of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Watch {
    held_s: Vec<f64>,
    told: Vec<bool>,
    ohm: VecDeque<f64>,
    celsius: Vec<VecDeque<f64>>,
    same_s: Vec<f64>,
    limit_s: f64,
    lowest_ohm: f64,
    /// How far the reading stays behind what is set, smoothed, °C.
    behind_c: f64,
    /// Reading when driving began, °C.
    base_c: Option<f64>,
    power_w: f64,
    rise_c: f64,
    slow_c: f64,
    steady_s: f64,
    /// Since the ramp ended, whether what is set was reached or not, s.
    held_steady_s: f64,
    energy_j: f64,
    best_w_per_k: f64,
    /// Impedance, smoothed, and that when driving began, Ω.
    smooth_ohm: f64,
    start_ohm: f64,
    /// How impedance went with temperature in the ramp, 1/K.
    per_k: f64,
    /// What was seen in the last while in which nothing was ramped.
    lately: VecDeque<Point>,
}

/// Logarithms and reading at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Point {
    /// Logarithm of the impedance.
    ln_ohm: f64,
    /// Rise of the reading since driving began, K.
    rise_k: f64,
    /// Logarithm of the power.
    ln_w: f64,
    /// Correction for other channels.
    coupled: f64,
}

impl Watch {
    pub fn new() -> Self {
        Self {
            held_s: vec![0.0; Rule::ALL.len()],
            told: vec![false; Rule::ALL.len()],
            ohm: VecDeque::new(),
            celsius: Vec::new(),
            same_s: Vec::new(),
            limit_s: 0.0,
            lowest_ohm: f64::MAX,
            behind_c: 0.0,
            base_c: None,
            power_w: 0.0,
            rise_c: 0.0,
            slow_c: 0.0,
            steady_s: 0.0,
            held_steady_s: 0.0,
            energy_j: 0.0,
            best_w_per_k: f64::MAX,
            smooth_ohm: 0.0,
            start_ohm: 0.0,
            per_k: USUAL_PER_K,
            lately: VecDeque::new(),
        }
    }

    /// True once when a condition has held long enough.
    pub fn confirmed(&mut self, rule: Rule, holds: bool, dt_s: f64) -> bool {
        let i = rule as usize;
        if !holds {
            self.held_s[i] = 0.0;
            self.told[i] = false;
            return false;
        }
        self.held_s[i] += dt_s;
        let now = self.held_s[i] + 1e-9 >= rule.confirm_s() && !self.told[i];
        self.told[i] |= now;
        now
    }

    /// The rules that a look confirms.
    pub fn look(&mut self, look: &Look<'_>, p: &Profile) -> Vec<Rule> {
        let window = ((WINDOW_S / look.dt_s).round() as usize).clamp(2, 1000);
        let hottest = look.raw_c.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        self.remember(look, window);
        let mut found = Vec::new();
        for (rule, holds) in self.conditions(look, p, hottest, window) {
            if rule == Rule::OutputError && look.asked_v <= 1.0 {
                // Between pulses nothing is told of the output.
                continue;
            }
            if self.confirmed(rule, holds, look.dt_s) {
                found.push(rule);
            }
        }
        found
    }

    fn remember(&mut self, look: &Look<'_>, window: usize) {
        if self.celsius.len() != look.raw_c.len() {
            self.celsius = vec![VecDeque::new(); look.raw_c.len()];
            self.same_s = vec![0.0; look.raw_c.len()];
        }
        for ((past, same), now) in self.celsius.iter_mut().zip(&mut self.same_s).zip(look.raw_c) {
            *same = match past.back() {
                Some(last) if last == now && look.on => *same + look.dt_s,
                _ => 0.0,
            };
            push(past, *now, window + 1);
        }
        push(&mut self.ohm, look.impedance_ohm, window + 3);
        if look.on {
            self.lowest_ohm = self.lowest_ohm.min(mean_of(&self.ohm, 0, 3));
        }
    }

    fn conditions(&mut self, look: &Look<'_>, p: &Profile, hottest: f64, window: usize) -> Vec<(Rule, bool)> {
        let rise = |past: &VecDeque<f64>, back: usize| {
            let last = past.len() - 1;
            past[last] - past[last.saturating_sub(back)]
        };
        let full = self.celsius.iter().all(|c| c.len() > window);
        let rise_window = self
            .celsius
            .iter()
            .map(|c| rise(c, window))
            .fold(f64::NEG_INFINITY, f64::max);
        let fall_fast = self.celsius.iter().map(|c| rise(c, 3)).fold(f64::INFINITY, f64::min);
        let ohm = look.impedance_ohm;
        let (now, then) = (mean_of(&self.ohm, 0, 2), mean_of(&self.ohm, window, 3));
        let known = self.ohm.len() >= window + 3;
        let step = if known { now / then - 1.0 } else { 0.0 };
        let fall = -step - WARMTH_PER_K * rise_window.max(0.0);
        self.limit_s = match look.limit {
            Some(Limit::Slew) | None => 0.0,
            Some(_) => self.limit_s + look.dt_s,
        };
        let coldest = look.raw_c.iter().copied().fold(f64::INFINITY, f64::min);
        let behind = look.set_c.map_or(0.0, |s| s - hottest);
        // A loop follows a ramp at a distance, and farther off where fluid was injected: that distance settles after a few seconds' worth of the
        // ramp. Where the output does little it grows.
        self.behind_c += (behind - self.behind_c) * look.dt_s / (FOLLOW_S + look.dt_s);
        let falls_back = behind - self.behind_c > FALLS_BACK_C_PER_S * FOLLOW_S;
        let late = behind > LATE_S * look.ramp_c_per_s;
        let not_following = behind > 2.0 * p.lag_behind_c
            || (behind > p.lag_behind_c && falls_back)
            || (behind > 0.5 * p.lag_behind_c && late);
        let measured = look.on && look.asked_v > 1.0;
        let off_v = (look.measured_v - look.asked_v).abs();
        let over = look
            .set_c
            .map(|s| hottest > s + p.over_temperature_c && !look.ramping)
            .or(look.stop_c.map(|s| hottest > s))
            .unwrap_or(false);
        vec![
            (Rule::ImpedanceOpen, ohm >= p.impedance_open_ohm),
            (
                Rule::ImpedanceHigh,
                (p.impedance_high_ohm..p.impedance_open_ohm).contains(&ohm),
            ),
            (Rule::ImpedanceLow, ohm < p.impedance_low_ohm),
            (Rule::ImpedanceStep, look.on && step.abs() > p.impedance_step_fraction),
            (
                Rule::ImpedanceRise,
                look.on && now > self.lowest_ohm * (1.0 + p.impedance_rise_fraction),
            ),
            (
                Rule::InsulationBreach,
                (look.on && fall > p.insulation_drop_fraction)
                    || look
                        .usual_ohm
                        .is_some_and(|u| now < u * (1.0 - p.insulation_band_fraction)),
            ),
            (Rule::ThermocoupleOpen, hottest > p.highest_reading_c),
            (Rule::ThermocoupleLow, coldest < look.lowest_c),
            (Rule::ThermocoupleJump, fall_fast < -6.0),
            (Rule::ThermocoupleStuck, self.same_s.iter().any(|s| *s > 0.0)),
            (Rule::ThermocoupleDoubt, self.doubtful(look, p, hottest)),
            (
                Rule::OverTemperature,
                look.on && (over || hottest > p.max_set_temperature_c + p.over_temperature_c),
            ),
            (
                Rule::RiseTooFast,
                look.on && full && rise_window > p.max_rise_c_per_s * window as f64 * look.dt_s,
            ),
            (Rule::NotFollowing, look.on && look.ramping && not_following),
            (Rule::NotReached, look.on && look.waiting_s > p.reach_s),
            (Rule::LimitActive, look.on && self.limit_s > p.limit_active_s),
            (
                Rule::OutputError,
                measured && off_v > p.output_error_fraction * look.asked_v + 0.5,
            ),
        ]
    }

    /// Whether temperature and power do not belong together: needles of a pair far apart; much energy and no warmth; or, while nothing is
    /// ramped, more power for a kelvin than before, where tissue that warms through needs ever less, or an impedance that falls without a rise of the
    /// reading.
    fn doubtful(&mut self, look: &Look<'_>, p: &Profile, hottest: f64) -> bool {
        if !look.on {
            return false;
        }
        let base = *self.base_c.get_or_insert(hottest);
        let follow = |old: f64, new: f64, tau: f64| old + (new - old) * look.dt_s / (tau + look.dt_s);
        self.power_w = follow(self.power_w, look.power_w, 3.0);
        self.rise_c = follow(self.rise_c, hottest - base, 1.0);
        self.slow_c = follow(self.slow_c, hottest - base, SMOOTH_S);
        self.energy_j += look.power_w * look.dt_s;
        let apart = look.raw_c.iter().any(|c| hottest - c > 10.0);
        let deaf = self.energy_j > DEAF_J && self.rise_c < DEAF_K;
        if look.ramping || look.waiting_s > 0.0 || look.limit.is_some() {
            self.steady_s = 0.0;
            self.best_w_per_k = f64::MAX;
        } else {
            self.steady_s += look.dt_s;
        }
        // Tissue gets warmer than the reading tells: its impedance falls without a rise of the reading.
        self.smooth_ohm = if self.smooth_ohm > 0.0 {
            follow(self.smooth_ohm, look.impedance_ohm, SMOOTH_S)
        } else {
            self.start_ohm = look.impedance_ohm;
            look.impedance_ohm
        };
        let point = Point {
            ln_ohm: self.smooth_ohm.ln(),
            rise_k: self.slow_c,
            ln_w: self.power_w.max(1e-3).ln(),
            coupled: look.coupled,
        };
        let samples = |s: f64| (s / look.dt_s).round().clamp(2.0, 1e4) as usize;
        let steady = !look.ramping && look.limit.is_none();
        let warmer = if steady {
            self.held_steady_s += look.dt_s;
            self.held_steady_s > SETTLED_S && self.warms_unseen(look, p, &point, samples(LATELY_S))
        } else {
            self.held_steady_s = 0.0;
            self.lately.clear();
            false
        };
        let mut dear = false;
        if self.steady_s > 8.0 && look.driven_s > 12.0 {
            // A reading that has fallen back to where it began leaves a ratio without bound.
            let ratio = self.power_w / self.rise_c.max(0.3);
            self.best_w_per_k = self.best_w_per_k.min(ratio);
            dear = ratio > self.best_w_per_k * (1.0 + p.doubt_fraction);
        }
        apart || deaf || dear || warmer
    }

    /// While nothing is ramped: impedance falls by more than reading and power tell.
    fn warms_unseen(&mut self, look: &Look<'_>, p: &Profile, now: &Point, samples: usize) -> bool {
        if self.lately.is_empty() && self.slow_c > 3.0 {
            self.per_k = ((self.start_ohm / self.smooth_ohm).ln() / self.slow_c).clamp(0.002, 0.02);
        }
        push(&mut self.lately, *now, samples);
        let then = self.lately[0];
        let rise = now.rise_k - then.rise_k;
        // Wide on either side: tissue further off follows late.
        let by_warmth = self.per_k * if rise > 0.0 { 1.2 * rise } else { 0.6 * rise };
        let by_power = if look.set_c.is_some() && self.lately.len() == samples {
            FALL_PER_POWER * (then.ln_w - now.ln_w)
        } else if look.set_c.is_some() {
            // Nothing is said before the time is over.
            f64::INFINITY
        } else {
            p.doubt_free_fraction
        };
        // Under an output that does not fall no tissue cools.
        if look.set_c.is_none() && rise < -COOLS_K && now.ln_w > then.ln_w - COOLS_POWER {
            return true;
        }
        // What is put right for other channels is known to a share only.
        let by_others = COUPLING_DOUBT * (now.coupled - then.coupled).abs();
        then.ln_ohm - now.ln_ohm > by_warmth + by_power + by_others + p.doubt_impedance_fraction
    }
}

fn push<T>(all: &mut VecDeque<T>, value: T, most: usize) {
    all.push_back(value);
    while all.len() > most {
        all.pop_front();
    }
}

/// Mean of `count` values that end `back` before the last.
fn mean_of(all: &VecDeque<f64>, back: usize, count: usize) -> f64 {
    let end = all.len().saturating_sub(back).max(1).min(all.len());
    let start = end.saturating_sub(count);
    all.range(start..end).sum::<f64>() / (end - start).max(1) as f64
}
