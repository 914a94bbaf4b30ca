//! How long things take in the room: assumptions, so that a record tells a believable time. Physics has its own times.

use super::command::Command;

/// Rate at which a fluid is injected by hand, ml/min.
pub const RATE_ML_PER_MIN: f64 = 1.0;

/// Seconds of an injection.
pub fn injection_s(volume_ml: f64) -> f64 {
    60.0 * volume_ml / RATE_ML_PER_MIN
}

/// Seconds that a command takes, beside the time that it is itself about.
pub fn handling_s(command: &Command) -> f64 {
    match command {
        Command::Assess => 600.0,
        Command::Plan | Command::Finish => 120.0,
        Command::Prepare { .. } => 60.0,
        Command::Sedate { .. } => 180.0,
        Command::View { .. } | Command::Arm { .. } | Command::LookAlong | Command::Mark { .. } => 15.0,
        Command::Shot | Command::Turn { .. } => 2.0,
        Command::Numb { .. } | Command::Inspect => 30.0,
        Command::Enter { .. } | Command::Anaesthetise { .. } => 20.0,
        Command::Advance { mm } | Command::Withdraw { mm } => 2.0 + 0.5 * mm.abs(),
        Command::Steer { .. } | Command::Next { .. } => 10.0,
        Command::Remove | Command::Impedance | Command::Pump { .. } => 5.0,
        // One second for each tenth of a volt, about.
        Command::Test { up_to_v, .. } => 10.0 + 10.0 * up_to_v.unwrap_or(1.0).abs(),
        Command::Screen { .. }
        | Command::Wait { .. }
        | Command::Heat { .. }
        | Command::Stop
        | Command::Fault { .. }
        | Command::Resume => 0.0,
    }
}
