//! The generator and the injury law.

use neurotome_physics::injury::Arrhenius;
use neurotome_procedure::catalog::{Entry, Sourced};
use neurotome_procedure::lesion::{Control, Drive, Limits, NamedLaw};

use super::super::{Arrangement, ControlMode, DriveMode, Scenario};
use super::{Builder, DEFAULT_GENERATOR, DEFAULT_LAW, MAX_TIME_S, Result, Tissues};

/// Most laws reported beside that of Ω.
const MAX_LAWS: usize = 10;

impl Builder<'_> {
    /// Drive, seconds of heating, seconds of cooling, limits.
    pub(super) fn drive(&mut self, s: &Scenario, initial_c: f64) -> Result<(Drive, f64, f64, Limits)> {
        let d = &s.drive;
        let name = d.generator.as_deref().unwrap_or(DEFAULT_GENERATOR);
        let catalog = self.catalog;
        let generator = self.entry("drive.generator", &catalog.generators, name)?;
        let subject = format!("generator {name}");
        let (mode, key) = match d.mode {
            DriveMode::Temperature => ("temperature", "set_temperature_c"),
            DriveMode::Voltage => ("voltage", "voltage_v"),
            DriveMode::Current => ("current", "current_a"),
            DriveMode::Power => ("power", "power_w"),
            DriveMode::Pulsed => ("pulsed", "voltage_v"),
        };
        let why = format!("with mode = \"{mode}\"");
        for (k, given) in [
            ("set_temperature_c", d.set_temperature_c.is_some()),
            ("voltage_v", d.voltage_v.is_some()),
            ("current_a", d.current_a.is_some()),
            ("power_w", d.power_w.is_some()),
        ] {
            if k != key {
                self.unused(&format!("drive.{k}"), given, &why)?;
            }
        }
        if d.mode != DriveMode::Pulsed {
            for (k, given) in [
                ("pulse_s", d.pulse_s.is_some()),
                ("rate_hz", d.rate_hz.is_some()),
                ("limit_temperature_c", d.limit_temperature_c.is_some()),
                ("resolve_pulses", d.resolve_pulses.is_some()),
            ] {
                self.unused(&format!("drive.{k}"), given, &why)?;
            }
        }
        if d.mode != DriveMode::Temperature {
            self.unused("drive.control", d.control.is_some(), &why)?;
        }
        let needs = format!("mode = \"{mode}\" needs it");
        let path = format!("drive.{key}");
        let mut ramp_s = 0.0;
        let drive = if d.mode == DriveMode::Temperature {
            let set_temperature_c = self.required(&path, d.set_temperature_c, &needs)?;
            if !(set_temperature_c > initial_c && set_temperature_c <= 100.0) {
                return Err(self.fault(
                    &path,
                    format!(
                        "the set temperature is {set_temperature_c} °C, expected above the {initial_c} °C at the start \
                         and at most 100 °C"
                    ),
                    "radiofrequency neurotomy uses 60 to 90 °C",
                ));
            }
            ramp_s = match (d.ramp_s, d.ramp_rate_c_per_s) {
                (Some(_), Some(_)) => {
                    return Err(self.fault(
                        "drive.ramp_rate_c_per_s",
                        "both `drive.ramp_s` and `drive.ramp_rate_c_per_s` are given, expected one",
                        "remove one of the two",
                    ));
                }
                (Some(ramp), None) => self.within("drive.ramp_s", ramp, 0.1..=600.0, "s")?,
                (None, Some(rate)) => {
                    (set_temperature_c - initial_c)
                        / self.within("drive.ramp_rate_c_per_s", rate, 0.05..=500.0, "°C/s")?
                }
                (None, None) => {
                    self.note(&subject, "ramp_s", &generator.ramp_s);
                    generator.ramp_s.value
                }
            };
            Drive::Temperature {
                set_temperature_c,
                ramp_s,
                control: self.control(s)?,
            }
        } else {
            for (k, given) in [
                ("ramp_s", d.ramp_s.is_some()),
                ("ramp_rate_c_per_s", d.ramp_rate_c_per_s.is_some()),
                ("hold_s", d.hold_s.is_some()),
            ] {
                self.unused(&format!("drive.{k}"), given, &why)?;
            }
            match d.mode {
                DriveMode::Voltage => {
                    let v = self.required(&path, d.voltage_v, &needs)?;
                    Drive::Voltage {
                        voltage_v: self.positive(&path, v, 1000.0, "V")?,
                    }
                }
                DriveMode::Current => {
                    let v = self.required(&path, d.current_a, &needs)?;
                    Drive::Current {
                        current_a: self.positive(&path, v, 20.0, "A")?,
                    }
                }
                DriveMode::Pulsed => self.pulses(s, initial_c)?,
                DriveMode::Power | DriveMode::Temperature => {
                    let v = self.required(&path, d.power_w, &needs)?;
                    Drive::Power {
                        power_w: self.positive(&path, v, 500.0, "W")?,
                    }
                }
            }
        };
        let heating_s = match (d.heating_s, d.hold_s) {
            (Some(_), Some(_)) => {
                return Err(self.fault(
                    "drive.hold_s",
                    "both `drive.heating_s` and `drive.hold_s` are given, expected one",
                    "remove one of the two: heating_s includes the ramp, hold_s does not",
                ));
            }
            (Some(heating), None) => self.positive("drive.heating_s", heating, MAX_TIME_S, "s")?,
            (None, Some(hold)) => ramp_s + self.positive("drive.hold_s", hold, MAX_TIME_S, "s")?,
            (None, None) => return Err(self.missing("drive.heating_s", "how long does the current flow?")),
        };
        let cooling_s = self.within("drive.cooling_s", d.cooling_s.unwrap_or(0.0), 0.0..=MAX_TIME_S, "s")?;
        let mut limit = |k: &str, own: Option<f64>, catalog_key: &str, from: &Sourced, unit: &str| -> Result<f64> {
            if own.is_none() {
                self.note(&subject, catalog_key, from);
            }
            self.positive(&format!("drive.limits.{k}"), own.unwrap_or(from.value), 1e9, unit)
        };
        let limits = Limits {
            voltage_v: limit(
                "voltage_v",
                d.limits.voltage_v,
                "max_voltage_v",
                &generator.max_voltage_v,
                "V",
            )?,
            current_a: limit(
                "current_a",
                d.limits.current_a,
                "max_current_a",
                &generator.max_current_a,
                "A",
            )?,
            power_w: limit("power_w", d.limits.power_w, "max_power_w", &generator.max_power_w, "W")?,
        };
        Ok((drive, heating_s, cooling_s, limits))
    }

    fn control(&self, s: &Scenario) -> Result<Control> {
        let bipolar = s.drive.arrangement == Arrangement::Bipolar;
        Ok(match s.drive.control.unwrap_or_default() {
            ControlMode::First => Control::First,
            ControlMode::Hottest => Control::Hottest,
            ControlMode::Each if bipolar => {
                return Err(self.fault(
                    "drive.control",
                    "control = \"each\" with a bipolar arrangement, expected needles with a voltage of their own",
                    "use \"hottest\", or arrangement = \"monopolar\"",
                ));
            }
            ControlMode::Each => Control::Each,
        })
    }

    fn pulses(&self, s: &Scenario, initial_c: f64) -> Result<Drive> {
        let d = &s.drive;
        let voltage = self.required("drive.voltage_v", d.voltage_v, "mode = \"pulsed\" needs it")?;
        let pulse_s = self.within("drive.pulse_s", d.pulse_s.unwrap_or(0.02), 1e-4..=1.0, "s")?;
        let rate_hz = self.within("drive.rate_hz", d.rate_hz.unwrap_or(2.0), 0.1..=100.0, "Hz")?;
        if pulse_s * rate_hz > 0.9 {
            return Err(self.fault(
                "drive.pulse_s",
                format!("pulses of {pulse_s} s at {rate_hz} Hz leave no pause, expected at most 0.9 of the time"),
                "shorten `drive.pulse_s` or lower `drive.rate_hz`",
            ));
        }
        Ok(Drive::Pulsed {
            voltage_v: self.positive("drive.voltage_v", voltage, 1000.0, "V")?,
            pulse_s,
            rate_hz,
            limit_temperature_c: Some(self.within(
                "drive.limit_temperature_c",
                d.limit_temperature_c.unwrap_or(42.0),
                initial_c..=100.0,
                "°C",
            )?),
            resolved: d.resolve_pulses.unwrap_or(false),
        })
    }

    /// A law of the catalogue; its unverified numbers are noted.
    fn law(&mut self, path: &str, name: &str) -> Result<Arrhenius> {
        let catalog = self.catalog;
        let law = self.entry(path, &catalog.injury, name)?;
        let subject = format!("injury {name}");
        for (key, value) in law.values() {
            self.note(&subject, key, value);
        }
        law.arrhenius().ok_or_else(|| {
            self.fault(
                path,
                format!("law \"{name}\" has no usable frequency factor"),
                "correct the catalogue",
            )
        })
    }

    /// Laws of single tissues.
    pub(super) fn tissue_injury(&mut self, s: &Scenario, tissues: &Tissues) -> Result<Vec<(usize, Arrhenius)>> {
        s.injury
            .tissues
            .iter()
            .map(|(tissue, law)| {
                let path = format!("injury.tissues.{tissue}");
                let id = self.tissue_id(&path, tissues, tissue)?;
                Ok((usize::from(id.0), self.law(&path, law)?))
            })
            .collect()
    }

    /// Laws reported beside that of Ω.
    pub(super) fn more_injury(&mut self, s: &Scenario) -> Result<Vec<NamedLaw>> {
        self.cap("injury.also", s.injury.also.len(), MAX_LAWS)?;
        let mut names = Vec::new();
        s.injury
            .also
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let path = format!("injury.also[{i}]");
                self.named(&path, name, &mut names)?;
                Ok(NamedLaw {
                    name: name.clone(),
                    law: self.law(&path, name)?,
                })
            })
            .collect()
    }

    pub(super) fn injury(&mut self, s: &Scenario) -> Result<Arrhenius> {
        let t = &s.injury;
        let explicit = t.frequency_factor_per_s.is_some()
            || t.log10_frequency_factor_per_s.is_some()
            || t.activation_energy_j_per_mol.is_some();
        if !explicit {
            let name = t.law.as_deref().unwrap_or(DEFAULT_LAW);
            return self.law("injury.law", name);
        }
        self.unused("injury.law", t.law.is_some(), "beside explicit values")?;
        let ln_frequency_factor = match (t.frequency_factor_per_s, t.log10_frequency_factor_per_s) {
            (Some(a), None) => self.positive("injury.frequency_factor_per_s", a, 1e300, "1/s")?.ln(),
            (None, Some(log)) => {
                self.within("injury.log10_frequency_factor_per_s", log, 1.0..=1000.0, "")? * std::f64::consts::LN_10
            }
            (Some(_), Some(_)) => {
                return Err(self.fault(
                    "injury.log10_frequency_factor_per_s",
                    "the frequency factor is given twice, expected once",
                    "remove one of the two",
                ));
            }
            (None, None) => {
                return Err(self.missing("injury.frequency_factor_per_s", "an explicit law needs both numbers"));
            }
        };
        let energy = self.required(
            "injury.activation_energy_j_per_mol",
            t.activation_energy_j_per_mol,
            "an explicit law needs both numbers",
        )?;
        Ok(Arrhenius {
            ln_frequency_factor,
            activation_energy_j_per_mol: self.within(
                "injury.activation_energy_j_per_mol",
                energy,
                1e4..=5e6,
                "J/mol",
            )?,
        })
    }
}
