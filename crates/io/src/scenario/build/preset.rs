//! `[drive] preset`: what the scenario does not say itself is taken from a preset of the catalogue.

use neurotome_procedure::{
    catalog::Entry as _,
    generator::{Mode, Preset, Program, program::Until},
};

use super::super::{Arrangement, DriveMode, DriveTable, Scenario};
use super::{Builder, Result};

impl Builder<'_> {
    /// Fills `[drive]` from its preset.
    pub(super) fn preset(&mut self, s: &mut Scenario) -> Result<()> {
        let Some(name) = s.drive.preset.clone() else {
            return Ok(());
        };
        let path = "drive.preset";
        let catalog = self.catalog;
        let entry = self.entry(path, &catalog.presets, &name)?;
        let Ok(Preset::Lesion(program)) = entry.make(catalog) else {
            return Err(self.fault(
                path,
                format!("preset \"{name}\" makes no lesion, expected one that does"),
                "`neurotome catalog preset` lists all",
            ));
        };
        let staged = matches!(&program.mode, Mode::Temperature { stages } if stages.len() > 1);
        if staged && s.procedure.is_none() {
            return Err(self.fault(
                path,
                format!("preset \"{name}\" has several stages, which only the generator of a procedure can run"),
                "add [procedure] and use `neurotome run` or `simulate`, or choose a preset of one stage",
            ));
        }
        for (key, value) in entry.values() {
            self.note(&format!("preset {name}"), key, value);
        }
        fill(&mut s.drive, &program);
        Ok(())
    }
}

/// Gives each key that is not given its value of the program; of several stages the last one's, with all ramps before it.
fn fill(drive: &mut DriveTable, program: &Program) {
    if program.bipolar {
        drive.arrangement = Arrangement::Bipolar;
    }
    let timed = drive.heating_s.is_some() || drive.hold_s.is_some();
    let ramped = drive.ramp_s.is_some() || drive.ramp_rate_c_per_s.is_some();
    match &program.mode {
        Mode::Temperature { stages } => {
            drive.mode = DriveMode::Temperature;
            let (hold_s, set_c) = stages.last().map_or((0.0, 0.0), |s| (s.hold_s, s.set_c));
            drive.set_temperature_c.get_or_insert(set_c);
            if !timed {
                drive.hold_s = Some(hold_s);
            }
            if !ramped {
                drive.ramp_s = Some(program.heating_s() - hold_s);
            }
        }
        Mode::Power { power_w, .. } => {
            drive.mode = DriveMode::Power;
            drive.power_w.get_or_insert(*power_w);
        }
        Mode::Voltage { voltage_v, .. } => {
            drive.mode = DriveMode::Voltage;
            drive.voltage_v.get_or_insert(*voltage_v);
        }
        Mode::Pulsed {
            pulse_s,
            rate_hz,
            voltage_v,
            until,
            adapt_c,
            stop_c,
        } => {
            drive.mode = DriveMode::Pulsed;
            drive.voltage_v.get_or_insert(*voltage_v);
            drive.pulse_s.get_or_insert(*pulse_s);
            let rate_hz = *drive.rate_hz.get_or_insert(*rate_hz);
            drive.limit_temperature_c.get_or_insert(adapt_c.unwrap_or(*stop_c));
            if !timed {
                drive.heating_s = Some(match until {
                    Until::Seconds(s) => *s,
                    Until::Pulses(n) => f64::from(*n) / rate_hz,
                });
            }
        }
    }
    let continuous = matches!(program.mode, Mode::Power { .. } | Mode::Voltage { .. });
    if continuous && !timed {
        drive.heating_s = Some(program.heating_s());
    }
}
