//! Electrodes so far apart that none meets the current or the heat of another.

use super::{Plant, ReducedPlant, Seen};
use crate::{generator::faults::Target, lesion::LesionError};

/// Several reduced plants side by side, the channels of one after those of the other. A loss of coolant concerns all of them.
#[derive(Debug, Clone)]
pub struct Apart {
    units: Vec<ReducedPlant>,
    seen: Seen,
}

impl Apart {
    /// Side by side, at least one. Their coolants flow for `settle_s` seconds beforehand; then time begins.
    pub fn new(mut units: Vec<ReducedPlant>, settle_s: f64) -> Self {
        for unit in &mut units {
            if !unit.model().coolants.is_empty() {
                unit.settle(settle_s);
            }
        }
        let mut all = Self {
            units,
            seen: Seen {
                t_s: 0.0,
                thermocouples_c: Vec::new(),
                impedance_ohm: Vec::new(),
                voltage_v: Vec::new(),
                current_a: Vec::new(),
                power_w: 0.0,
                hottest_c: f64::NEG_INFINITY,
            },
        };
        all.look();
        all
    }

    fn look(&mut self) {
        let seen = &mut self.seen;
        seen.thermocouples_c.clear();
        seen.impedance_ohm.clear();
        seen.voltage_v.clear();
        seen.current_a.clear();
        (seen.power_w, seen.hottest_c) = (0.0, f64::NEG_INFINITY);
        for unit in &self.units {
            let one = unit.seen();
            seen.t_s = one.t_s;
            seen.thermocouples_c.extend(&one.thermocouples_c);
            seen.impedance_ohm.extend(&one.impedance_ohm);
            seen.voltage_v.extend(&one.voltage_v);
            seen.current_a.extend(&one.current_a);
            seen.power_w += one.power_w;
            seen.hottest_c = seen.hottest_c.max(one.hottest_c);
        }
    }
}

impl Plant for Apart {
    fn channels(&self) -> usize {
        self.seen.impedance_ohm.len()
    }

    fn advance(&mut self, volts: &[f64], dt_s: f64) -> Result<(), LesionError> {
        let mut rest = volts;
        for unit in &mut self.units {
            let (own, others) = rest.split_at(unit.model().channels().min(rest.len()));
            unit.go_on(own, dt_s);
            rest = others;
        }
        self.look();
        Ok(())
    }

    fn seen(&self) -> &Seen {
        &self.seen
    }
}

impl Target for Apart {
    fn set_coolant(&mut self, flow_fraction: f64, warmer_c: f64) -> Result<(), LesionError> {
        for unit in &mut self.units {
            unit.disturb_coolant(flow_fraction, warmer_c);
        }
        self.look();
        Ok(())
    }
}
