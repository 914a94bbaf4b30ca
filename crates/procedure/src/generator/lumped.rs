//! A cheap plant: a few shells of heat round each tip.

use super::{Plant, Seen, faults::Target};
use crate::lesion::LesionError;

/// Temperature of the body, °C.
const BODY_C: f64 = 37.0;
/// Heat capacities of metal and shells round a 20 G tip of 10 mm, to radii of 1, 2.5 and 5 mm, J/K.
const CAPACITY: [f64; 4] = [0.03, 0.10, 0.65, 2.3];
/// Conductances of heat between neighbours, and from the last to the body, W/K.
const CONDUCTANCE: [f64; 4] = [0.086, 0.052, 0.059, 0.05];
/// Shares of the power; the rest is lost far away. In even tissue it goes with the logarithm of the radii.
const SHARE: [f64; 4] = [0.0, 0.33, 0.33, 0.2];
/// Longest step of the explicit scheme, s: the fastest shell needs less than 0.5.
const STEP_S: f64 = 0.05;
/// Relative change of tissue's conductivity, 1/K, up to 90 °C; above it dries.
const SIGMA_PER_K: f64 = 0.008;

/// Needles of 20 G with tips of 10 mm, each in four shells of heat; impedance falls as tissue warms and rises when it dries. Made to try
/// generators on, not to foretell a lesion.
#[derive(Debug, Clone, PartialEq)]
pub struct Lumped {
    t_s: f64,
    /// Impedance at 37 °C of each channel, Ω.
    ohm: f64,
    bipolar: bool,
    /// Coolant's temperature and conductance to the metal, °C and W/K.
    coolant: Option<(f64, f64)>,
    /// The same as it was made.
    made_with: Option<(f64, f64)>,
    shells: Vec<[f64; 4]>,
    seen: Seen,
}

impl Lumped {
    /// Needles against a return pad, one a channel.
    pub fn monopolar(channels: usize) -> Self {
        Self::new(channels, channels, 250.0, false)
    }

    /// Pairs of needles, one a channel.
    pub fn bipolar(channels: usize) -> Self {
        Self::new(channels, 2 * channels, 350.0, true)
    }

    /// Cooled needles, whose metal is held near the coolant's temperature.
    pub fn cooled(channels: usize, coolant_c: f64) -> Self {
        let mut all = Self::new(channels, channels, 250.0, false);
        all.coolant = Some((coolant_c, 0.04));
        all.made_with = all.coolant;
        for _ in 0..400 {
            let _ = all.advance(&vec![0.0; channels], 0.1);
        }
        all.t_s = 0.0;
        all.seen.t_s = 0.0;
        all
    }

    fn new(channels: usize, needles: usize, ohm: f64, bipolar: bool) -> Self {
        let mut all = Self {
            t_s: 0.0,
            ohm,
            bipolar,
            coolant: None,
            made_with: None,
            shells: vec![[BODY_C; 4]; needles],
            seen: Seen {
                t_s: 0.0,
                thermocouples_c: Vec::new(),
                impedance_ohm: vec![ohm; channels],
                voltage_v: vec![0.0; channels],
                current_a: vec![0.0; channels],
                power_w: 0.0,
                hottest_c: BODY_C,
            },
        };
        all.look();
        all
    }

    fn needles_of(&self, channel: usize) -> std::ops::Range<usize> {
        if self.bipolar {
            2 * channel..2 * channel + 2
        } else {
            channel..channel + 1
        }
    }

    fn impedance(&self, channel: usize) -> f64 {
        let needles = self.needles_of(channel);
        let count = needles.len() as f64;
        let sum: f64 = self.shells[needles]
            .iter()
            .map(|s| {
                let near = 1.0 + SIGMA_PER_K * (s[1].min(90.0) - BODY_C);
                let dry = 1.0 + 0.08 * (s[1] - 98.0).max(0.0);
                (0.75 / near) * dry + 0.25 / (1.0 + SIGMA_PER_K * (s[2] - BODY_C))
            })
            .sum();
        self.ohm * sum / count
    }

    fn look(&mut self) {
        self.seen.t_s = self.t_s;
        self.seen.thermocouples_c = self.shells.iter().map(|s| s[0]).collect();
        self.seen.hottest_c = self
            .shells
            .iter()
            .flat_map(|s| s[1..].iter().copied())
            .fold(f64::NEG_INFINITY, f64::max);
        for k in 0..self.seen.impedance_ohm.len() {
            self.seen.impedance_ohm[k] = self.impedance(k);
        }
    }
}

impl Plant for Lumped {
    fn channels(&self) -> usize {
        self.seen.impedance_ohm.len()
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        let parts = (dt_s / STEP_S).ceil().max(1.0);
        let dt = dt_s / parts;
        let channels = self.channels();
        let (mut energy, mut charge) = (0.0, vec![0.0; channels]);
        for _ in 0..parts as usize {
            for k in 0..channels {
                let v = volts.get(k).copied().unwrap_or(0.0);
                let ohm = self.impedance(k);
                charge[k] += v / ohm * dt;
                energy += v * v / ohm * dt;
                let needles = self.needles_of(k);
                let power = v * v / ohm / needles.len() as f64;
                for s in &mut self.shells[needles] {
                    let mut heat = SHARE.map(|share| share * power);
                    for i in 0..4 {
                        let outer = s.get(i + 1).copied().unwrap_or(BODY_C);
                        let flow = CONDUCTANCE[i] * (s[i] - outer);
                        heat[i] -= flow;
                        if i < 3 {
                            heat[i + 1] += flow;
                        }
                    }
                    if let Some((c, conductance)) = self.coolant {
                        heat[0] -= conductance * (s[0] - c);
                    }
                    // Water that boils takes all further heat.
                    for i in 0..4 {
                        s[i] = (s[i] + heat[i] * dt / CAPACITY[i]).min(if i == 0 { 110.0 } else { 105.0 });
                    }
                }
            }
        }
        self.t_s += dt_s;
        self.look();
        for (k, q) in charge.iter().enumerate() {
            self.seen.voltage_v[k] = volts.get(k).copied().unwrap_or(0.0);
            self.seen.current_a[k] = if dt_s > 0.0 { q / dt_s } else { 0.0 };
        }
        self.seen.power_w = if dt_s > 0.0 { energy / dt_s } else { 0.0 };
        Ok(())
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Target for Lumped {
    fn set_coolant(&mut self, flow_fraction: f64, warmer_c: f64) -> Result<(), LesionError> {
        if let (Some((c, conductance)), Some((of_c, of))) = (&mut self.coolant, self.made_with) {
            *conductance = of * flow_fraction;
            *c = of_c + warmer_c;
        }
        Ok(())
    }
}
