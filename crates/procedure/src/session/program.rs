//! What `heat` makes the generator do: presets and modes, and what they are for the solver.

use super::{Case, SessionError, command::HeatProgram, heating::Asked, impossible};
use crate::{
    catalog::find,
    generator::{
        Mode, Preset, Program,
        program::{Stage, Until},
    },
    lesion::{Control, Drive},
};

/// Rate of the ramps between steps, °C/s.
const RAMP_C_PER_S: f64 = 3.0;
/// Reading at which a program that holds no temperature stops, °C.
const STOP_C: f64 = 95.0;
/// The usual pulses: s, Hz, what the reading is kept below and where they stop, °C.
const PULSES: [f64; 4] = [0.02, 2.0, 42.0, 48.0];

/// The program that is asked for; none: one temperature is held. Where nothing is said, that of the case.
///
/// # Errors
/// [`SessionError`]: a preset that the catalogue does not have, or that needs other needles, or numbers that the generator refuses.
pub(super) fn asked(case: &Case, asked: &Asked<'_>) -> Result<Option<Program>, SessionError> {
    let plain = asked.set_c.is_some() || asked.hold_s.is_some();
    let preset = case.preset.as_deref().filter(|_| !plain);
    let program = match (asked.program, preset) {
        (Some(HeatProgram::Preset(name)), _) => Some(of_preset(case, name)?),
        (Some(other), _) => Some(of_mode(other)),
        (None, Some(name)) => Some(of_preset(case, name)?),
        (None, None) => None,
    };
    if let Some(program) = &program {
        if program.bipolar {
            return Err(impossible(
                "heat",
                "the program is for a pair of needles, and one is in the patient",
                "choose another preset; `neurotome lesion` computes pairs",
            ));
        }
        if let Some((key, found, expected)) = program.fault(&case.generator) {
            return Err(crate::generator::GeneratorError::Program { key, found, expected }.into());
        }
    }
    Ok(program)
}

fn of_preset(case: &Case, name: &str) -> Result<Program, SessionError> {
    let unusable = |found: String| impossible("heat", found, "`neurotome catalog preset` lists all");
    let entry = find(&case.catalog.presets, name).ok_or_else(|| unusable(format!("there is no preset \"{name}\"")))?;
    match entry.make(&case.catalog) {
        Ok(Preset::Lesion(program)) => Ok(program),
        Ok(Preset::Stimulation(_)) => Err(unusable(format!("preset \"{name}\" makes no lesion; `test`"))),
        Err(key) => Err(unusable(format!("preset \"{name}\" has no usable {key}"))),
    }
}

fn of_mode(program: &HeatProgram) -> Program {
    let [pulse_s, rate_hz, adapt_c, stop_c] = PULSES;
    Program::of(match program {
        HeatProgram::Power([power_w, hold_s]) => Mode::Power {
            power_w: *power_w,
            hold_s: *hold_s,
            stop_c: STOP_C,
        },
        HeatProgram::Voltage([voltage_v, hold_s]) => Mode::Voltage {
            voltage_v: *voltage_v,
            hold_s: *hold_s,
            stop_c: STOP_C,
        },
        HeatProgram::Pulsed([voltage_v, seconds]) => Mode::Pulsed {
            pulse_s,
            rate_hz,
            voltage_v: *voltage_v,
            until: Until::Seconds(*seconds),
            adapt_c: Some(adapt_c),
            stop_c,
        },
        HeatProgram::Steps(steps) => Mode::Temperature {
            stages: steps
                .iter()
                .map(|[set_c, hold_s]| Stage {
                    ramp_c_per_s: RAMP_C_PER_S,
                    set_c: *set_c,
                    hold_s: *hold_s,
                })
                .collect(),
        },
        HeatProgram::Preset(_) => Mode::Temperature { stages: Vec::new() },
    })
}

/// Whether it holds temperatures.
pub(super) fn holds(program: &Program) -> bool {
    matches!(program.mode, Mode::Temperature { .. })
}

/// Set temperature, °C (the last one of several; that of the start where none is held), seconds at the end, and seconds before.
pub(super) fn summary(program: &Program, start_c: f64) -> (f64, f64, f64) {
    match &program.mode {
        Mode::Temperature { stages } => {
            let (set_c, hold_s) = stages.last().map_or((start_c, 0.0), |s| (s.set_c, s.hold_s));
            (set_c, hold_s, program.heating_s() - hold_s)
        }
        _ => (start_c, program.heating_s(), 0.0),
    }
}

/// The same for the solver, which knows one ramp.
pub(super) fn drive(set_temperature_c: f64, ramp_s: f64, program: Option<&Program>) -> Drive {
    match program.map(|p| &p.mode) {
        Some(Mode::Power { power_w, .. }) => Drive::Power { power_w: *power_w },
        Some(Mode::Voltage { voltage_v, .. }) => Drive::Voltage { voltage_v: *voltage_v },
        Some(Mode::Pulsed {
            pulse_s,
            rate_hz,
            voltage_v,
            adapt_c,
            ..
        }) => Drive::Pulsed {
            voltage_v: *voltage_v,
            pulse_s: *pulse_s,
            rate_hz: *rate_hz,
            limit_temperature_c: *adapt_c,
            resolved: false,
        },
        Some(Mode::Temperature { .. }) | None => Drive::Temperature {
            set_temperature_c,
            ramp_s,
            control: Control::First,
        },
    }
}
