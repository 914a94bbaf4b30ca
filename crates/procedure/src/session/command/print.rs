//! Commands and orders as lines.

use std::fmt;

use super::{Command, HeatProgram, Order, Syringe, USUAL};

struct Place([f64; 3]);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, z] = self.0;
        write!(f, "{x},{y},{z}")
    }
}

impl fmt::Display for Syringe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(agent) = &self.agent {
            write!(f, " {agent}")?;
        }
        if let Some(percent) = self.percent {
            write!(f, " {percent}%")?;
        }
        if let Some(ml) = self.volume_ml {
            write!(f, " {ml}ml")?;
        }
        Ok(())
    }
}

impl fmt::Display for HeatProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preset(name) => write!(f, "preset {name}"),
            Self::Power([w, s]) => write!(f, "power {w} {s}"),
            Self::Voltage([v, s]) => write!(f, "voltage {v} {s}"),
            Self::Pulsed([v, s]) => write!(f, "pulsed {v} {s}"),
            Self::Steps(steps) => {
                f.write_str("steps ")?;
                for (k, [c, s]) in steps.iter().enumerate() {
                    write!(f, "{}{c}:{s}", if k == 0 { "" } else { "," })?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assess => f.write_str("assess"),
            Self::Plan => f.write_str("plan"),
            Self::Prepare { item } => write!(f, "prepare {}", item.word()),
            Self::Sedate { level } => write!(f, "sedate {}", level.word()),
            Self::View { view, level } => {
                write!(f, "view {view}")?;
                level.map_or(Ok(()), |l| write!(f, " {l}"))
            }
            Self::Arm { orbital_deg, tilt_deg } => write!(f, "arm {orbital_deg} {tilt_deg}"),
            Self::LookAlong => f.write_str("look-along"),
            Self::Shot => f.write_str("shot"),
            Self::Screen { seconds } => write!(f, "screen {seconds}"),
            Self::Mark { entry_mm } => {
                f.write_str("mark")?;
                entry_mm.map_or(Ok(()), |p| write!(f, " {}", Place(p)))
            }
            Self::Numb { syringe } => write!(f, "numb{syringe}"),
            Self::Enter { cannula, towards_mm } => {
                f.write_str("enter")?;
                if let Some(cannula) = cannula {
                    write!(f, " {cannula}")?;
                }
                towards_mm.map_or(Ok(()), |p| write!(f, " towards {}", Place(p)))
            }
            Self::Advance { mm } => write!(f, "advance {mm}"),
            Self::Withdraw { mm } => write!(f, "withdraw {mm}"),
            Self::Turn { deg } => write!(f, "turn {deg}"),
            Self::Steer { towards_mm } => write!(f, "steer {}", Place(*towards_mm)),
            Self::Remove => f.write_str("remove"),
            Self::Impedance => f.write_str("impedance"),
            Self::Test { kind, up_to_v } => {
                write!(f, "test {}", kind.word())?;
                up_to_v.map_or(Ok(()), |v| write!(f, " {v}"))
            }
            Self::Anaesthetise { syringe } => write!(f, "anaesthetise{syringe}"),
            Self::Wait { seconds } => write!(f, "wait {seconds}"),
            Self::Heat {
                set_c,
                hold_s,
                for_s,
                program,
            } => {
                f.write_str("heat")?;
                match (program, set_c, hold_s) {
                    (Some(program), _, _) => write!(f, " {program}"),
                    (None, None, None) => Ok(()),
                    (None, Some(c), None) => write!(f, " {c}"),
                    (None, Some(c), Some(s)) => write!(f, " {c} {s}"),
                    (None, None, Some(s)) => write!(f, " {USUAL} {s}"),
                }?;
                for_s.map_or(Ok(()), |s| write!(f, " for {s}"))
            }
            Self::Pump { ml_per_min: None } => f.write_str("pump on"),
            Self::Pump { ml_per_min: Some(v) } if *v == 0.0 => f.write_str("pump off"),
            Self::Pump { ml_per_min: Some(v) } => write!(f, "pump on {v}"),
            Self::Fault {
                kind,
                size,
                at_s,
                lasting_s,
            } => {
                write!(f, "fault {}", kind.name())?;
                for (word, value) in [("size", size), ("at", at_s), ("lasting", lasting_s)] {
                    if let Some(v) = value {
                        write!(f, " {word} {v}")?;
                    }
                }
                Ok(())
            }
            Self::Resume => f.write_str("resume"),
            Self::Stop => f.write_str("stop"),
            Self::Next { target } => {
                f.write_str("next")?;
                target.map_or(Ok(()), |n| write!(f, " {n}"))
            }
            Self::Inspect => f.write_str("inspect"),
            Self::Finish => f.write_str("finish"),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undo { undo_to } => write!(f, "undo {undo_to}"),
            Self::Do { command, reason: None } => write!(f, "{command}"),
            Self::Do {
                command,
                reason: Some(reason),
            } => write!(f, "{command} because {reason}"),
        }
    }
}
