//! What an operator can do, in words and as data.
//!
//! A command is written as one line, as in a terminal or a script: `advance 20`, `test sensory 2`, `heat 80 90 because the patient asked
//! to go on`. [`Order`] is what such a line says; [`std::str::FromStr`] and [`std::fmt::Display`] are each other's inverse.

mod parse;
mod print;
mod usage;

pub use usage::{MORE_USAGE, USAGE, Usage, words};

use serde::{Deserialize, Serialize};

use crate::{
    anatomy::Level,
    fluoroscopy::NamedView,
    generator::{faults::FaultKind, program::MAX_STAGES},
};

/// Stands for the usual value where another one follows.
const USUAL: &str = "-";
/// Largest number that a command may hold.
const LARGEST: f64 = 1e6;
/// Longest name, bytes.
const LONGEST_NAME: usize = 100;
/// Longest reason, characters.
const MAX_REASON: usize = 400;

/// What is to be ready before a needle goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preparation {
    /// The patient has agreed.
    Consent,
    /// Patient, joint and side said aloud by all.
    TimeOut,
    /// The patient lies prone.
    Prone,
    /// Heart, blood pressure and oxygen are watched.
    Monitor,
    /// The return pad sticks, whole.
    Pad,
    /// The skin is cleaned and draped.
    Clean,
}

impl Preparation {
    /// All, in their usual order.
    pub const ALL: [Self; 6] = [
        Self::Consent,
        Self::TimeOut,
        Self::Prone,
        Self::Monitor,
        Self::Pad,
        Self::Clean,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        ["consent", "time-out", "prone", "monitor", "pad", "clean"][self as usize]
    }

    /// What it means.
    pub fn means(self) -> &'static str {
        [
            "the patient has agreed",
            "patient, joint and side were said aloud",
            "the patient lies prone",
            "heart, blood pressure and oxygen are watched",
            "the return pad sticks, whole",
            "the skin is cleaned and draped",
        ][self as usize]
    }
}

/// How awake the patient is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sedation {
    /// Awake.
    #[default]
    None,
    /// Lightly sedated: tells less.
    Light,
    /// Deeply sedated: tells nothing.
    Deep,
}

impl Sedation {
    /// All.
    pub const ALL: [Self; 3] = [Self::None, Self::Light, Self::Deep];

    /// Its word.
    pub fn word(self) -> &'static str {
        ["none", "light", "deep"][self as usize]
    }

    /// The catalogue's entry of how a person in this state perceives.
    pub fn perception(self) -> &'static str {
        ["awake", "light", "deep"][self as usize]
    }
}

/// The two tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    /// What the patient feels.
    Sensory,
    /// What twitches.
    Motor,
}

impl TestKind {
    /// Its word, and the catalogue's name of the protocol.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sensory => "sensory",
            Self::Motor => "motor",
        }
    }
}

/// What is in a syringe; what is left out is the usual.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Syringe {
    /// Agent, as the catalogue names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Concentration of the drug, g in 100 ml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<f64>,
    /// Volume, ml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_ml: Option<f64>,
}

/// What a generator does where it does not hold one temperature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum HeatProgram {
    /// A preset of the catalogue.
    Preset(String),
    /// Constant power, W, for so many seconds.
    Power([f64; 2]),
    /// Constant voltage, V, for so many seconds.
    Voltage([f64; 2]),
    /// The usual pulses of a voltage, V, for so many seconds.
    Pulsed([f64; 2]),
    /// Temperatures, °C, each with the seconds for which it is held.
    Steps(Vec<[f64; 2]>),
}

/// One thing that an operator does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// Judge the patient's history.
    Assess,
    /// Plan the needles of the joint's nerves.
    Plan,
    /// Make something ready.
    Prepare {
        /// What.
        item: Preparation,
    },
    /// Change how awake the patient is.
    Sedate {
        /// To what.
        level: Sedation,
    },
    /// Turn the C-arm to a named view of a vertebra, by default the one where the present target is met.
    View {
        /// The view.
        view: NamedView,
        /// The vertebra.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<Level>,
    },
    /// Turn the C-arm to angles, degrees.
    Arm {
        /// Orbital.
        orbital_deg: f64,
        /// Cranio-caudal.
        tilt_deg: f64,
    },
    /// Turn the C-arm so that the needle is seen as a point; before there is one, the planned needle.
    LookAlong,
    /// One pulse of X-rays.
    Shot,
    /// Pulsed X-rays with the pedal down.
    Screen {
        /// Seconds.
        seconds: f64,
    },
    /// Mark where the needle will enter the skin, mm (patient, LPS); by default the planned place.
    Mark {
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        entry_mm: Option<[f64; 3]>,
    },
    /// Numb the skin at the mark.
    Numb {
        /// With what.
        #[serde(flatten)]
        syringe: Syringe,
    },
    /// Put a needle through the skin at the mark.
    Enter {
        /// Cannula of the catalogue; by default the planned one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cannula: Option<String>,
        /// The point at which it is aimed, mm; by default the planned place of the tip.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        towards_mm: Option<[f64; 3]>,
    },
    /// Push the needle on.
    Advance {
        /// By how much.
        mm: f64,
    },
    /// Draw the needle back.
    Withdraw {
        /// By how much.
        mm: f64,
    },
    /// Turn the needle about its shaft.
    Turn {
        /// By how much, clockwise as seen from the hub.
        deg: f64,
    },
    /// Aim the needle at another point, mm.
    Steer {
        /// The point.
        towards_mm: [f64; 3],
    },
    /// Take the needle out.
    Remove,
    /// Measure the impedance.
    Impedance,
    /// Stimulate with a rising amplitude.
    Test {
        /// Which test.
        kind: TestKind,
        /// Up to how many volts; by default the protocol's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to_v: Option<f64>,
    },
    /// Inject through the needle.
    Anaesthetise {
        /// What.
        #[serde(flatten)]
        syringe: Syringe,
    },
    /// Let time pass; a lesion that runs goes on.
    Wait {
        /// Seconds.
        seconds: f64,
    },
    /// Make the lesion.
    Heat {
        /// Set temperature, °C; by default that of the case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        set_c: Option<f64>,
        /// Seconds at the set temperature; by default those of the case.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hold_s: Option<f64>,
        /// Come back after so many seconds, with the lesion running; by default it is watched to its end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        for_s: Option<f64>,
        /// What the generator does instead of holding one temperature.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<HeatProgram>,
    },
    /// The pump of a cooled probe.
    Pump {
        /// Flow, ml/min, zero: off; by default what the probe needs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ml_per_min: Option<f64>,
    },
    /// Let a fault happen, for teaching.
    Fault {
        /// Which.
        kind: FaultKind,
        /// How large, in the unit of its row in the table of risks; by default the usual size.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<f64>,
        /// When, s after the lesion's start; by default now, or before the next lesion.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_s: Option<f64>,
        /// For how long, s; by default it stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lasting_s: Option<f64>,
    },
    /// Go on with a lesion that a loss of mains interrupted.
    Resume,
    /// Stop the generator.
    Stop,
    /// Turn to another target: by its number in the plan, from 1; by default the next one that has no lesion.
    Next {
        /// Which.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        target: Option<usize>,
    },
    /// Look at the skin at the needle's entry and under the pad.
    Inspect,
    /// End the procedure.
    Finish,
}

impl HeatProgram {
    /// Its steps; too many where it has none.
    fn steps(&self) -> usize {
        match self {
            Self::Steps(steps) if steps.is_empty() => usize::MAX,
            Self::Steps(steps) => steps.len(),
            _ => 1,
        }
    }

    fn numbers(&self) -> Box<dyn Iterator<Item = &f64> + '_> {
        match self {
            Self::Preset(_) => Box::new(std::iter::empty()),
            Self::Power(all) | Self::Voltage(all) | Self::Pulsed(all) => Box::new(all.iter()),
            Self::Steps(all) => Box::new(all.iter().flatten()),
        }
    }
}

impl Syringe {
    fn numbers(&self) -> impl Iterator<Item = f64> {
        self.percent.into_iter().chain(self.volume_ml)
    }
}

impl Command {
    /// Its numbers.
    fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Arm { orbital_deg, tilt_deg } => vec![*orbital_deg, *tilt_deg],
            Self::Screen { seconds } | Self::Wait { seconds } => vec![*seconds],
            Self::Mark { entry_mm: Some(p) }
            | Self::Enter {
                towards_mm: Some(p), ..
            }
            | Self::Steer { towards_mm: p } => p.to_vec(),
            Self::Numb { syringe } | Self::Anaesthetise { syringe } => syringe.numbers().collect(),
            Self::Advance { mm } | Self::Withdraw { mm } => vec![*mm],
            Self::Turn { deg } => vec![*deg],
            Self::Test { up_to_v, .. } => up_to_v.iter().copied().collect(),
            Self::Heat {
                set_c,
                hold_s,
                for_s,
                program,
            } => {
                let plain = [set_c, hold_s, for_s].into_iter().flatten().copied();
                plain
                    .chain(program.iter().flat_map(HeatProgram::numbers).copied())
                    .collect()
            }
            Self::Pump { ml_per_min } => ml_per_min.iter().copied().collect(),
            Self::Fault {
                size, at_s, lasting_s, ..
            } => [size, at_s, lasting_s].into_iter().flatten().copied().collect(),
            _ => Vec::new(),
        }
    }

    /// Its names.
    fn names(&self) -> Vec<&str> {
        match self {
            Self::Numb { syringe } | Self::Anaesthetise { syringe } => {
                syringe.agent.iter().map(String::as_str).collect()
            }
            Self::Enter { cannula, .. } => cannula.iter().map(String::as_str).collect(),
            Self::Heat {
                program: Some(HeatProgram::Preset(name)),
                ..
            } => vec![name],
            _ => Vec::new(),
        }
    }

    /// Whether a log could hold it and a line could say it: numbers that are numbers, names of one word.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if let Some(v) = self.numbers().into_iter().find(|v| v.is_nan() || v.abs() > LARGEST) {
            return Err(format!(
                "`{self}`: {v} is no usable number; expected at most {LARGEST:e}"
            ));
        }
        let unusable = |n: &&str| {
            n.is_empty() || n.len() > LONGEST_NAME || n.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if let Self::Heat {
            set_c,
            hold_s,
            program: Some(program),
            ..
        } = self
            && (set_c.is_some() || hold_s.is_some() || program.steps() > MAX_STAGES)
        {
            return Err(format!(
                "a program of `heat` stands for itself, with 1 to {MAX_STAGES} steps; expected no other temperature or time"
            ));
        }
        match self.names().into_iter().find(unusable) {
            Some(name) => Err(format!(
                "\"{name}\" is no name; expected one word of at most {LONGEST_NAME} letters"
            )),
            None => Ok(()),
        }
    }
}

/// Whether a reason can be written on a line.
pub(super) fn check_reason(reason: &str) -> Result<(), String> {
    let length = reason.chars().count();
    if reason.trim() != reason || length == 0 || length > MAX_REASON || reason.chars().any(char::is_control) {
        return Err(format!(
            "a reason of {length} characters; expected 1 to {MAX_REASON} on one line, without spaces at its ends"
        ));
    }
    Ok(())
}

/// A command with the reason for which interlocks are overridden, or the wish to go back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Order {
    /// Go back to the state after the first so many entries of the branch that is followed; what came after stays in the log.
    Undo {
        /// Entries kept.
        undo_to: usize,
    },
    /// Do something.
    Do {
        /// What.
        command: Command,
        /// Why it is done in spite of interlocks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl From<Command> for Order {
    fn from(command: Command) -> Self {
        Self::Do { command, reason: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_and_written_back() {
        let lines = [
            "assess",
            "plan",
            "prepare time-out",
            "sedate light",
            "view oblique-right L5",
            "view ap",
            "arm 30 -15.5",
            "look-along",
            "shot",
            "screen 2.5",
            "mark",
            "mark 1,-2.5,3",
            "numb lidocaine 1% 2ml",
            "enter",
            "enter 18G-10mm-straight-100mm towards 1,2,3",
            "enter towards 1,2,3",
            "advance 20",
            "withdraw 1.5",
            "turn -90",
            "steer 4,5,6",
            "remove",
            "impedance",
            "test sensory",
            "test motor 2",
            "anaesthetise",
            "anaesthetise lidocaine 2% 0.5ml",
            "wait 120",
            "heat",
            "heat 80 90",
            "heat 85 for 10",
            "heat - 60",
            "heat preset pulsed-120",
            "heat power 2.5 60 for 10",
            "heat voltage 18 60",
            "heat pulsed 45 120",
            "heat steps 60:30,80:60",
            "pump on",
            "pump on 12.5",
            "pump off",
            "fault thermocouple_open",
            "fault power_loss at 20 lasting 5",
            "fault thermocouple_drifting size 0.3 at 20",
            "resume",
            "stop",
            "next 2",
            "inspect",
            "finish",
            "undo 12",
            "heat 80 90 because the patient asked to go on",
        ];
        for line in lines {
            let order: Order = line.parse().unwrap_or_else(|e| panic!("{line}: {e}"));
            assert_eq!(order.to_string(), line);
            let json = serde_json::to_string(&order).unwrap();
            assert_eq!(serde_json::from_str::<Order>(&json).unwrap(), order, "{json}");
        }
        let loose: Order = "inject 2 %  lidocaine 0.5 ml".parse().unwrap();
        assert_eq!(loose.to_string(), "anaesthetise lidocaine 2% 0.5ml");
    }

    #[test]
    fn what_is_no_command_is_explained() {
        for (line, says) in [
            ("", "nothing to do"),
            ("cut", "there is no command"),
            ("advance", "takes one word"),
            ("advance far", "is no length"),
            ("advance nan", "is no length"),
            ("prepare table", "expected one of consent"),
            ("view sideways", "is no view"),
            ("numb 2", "needs a unit"),
            ("mark 1,2", "is no place"),
            ("heat 80 90 100", "is written"),
            ("heat power 3", "is written"),
            ("heat steps 60,80", "is no step"),
            ("pump", "is written"),
            ("fault tea", "expected one of"),
            ("fault pad_missing at", "needs a number"),
            ("stop because ", "there is no command"),
        ] {
            match line.parse::<Order>() {
                Err(e) => assert!(e.contains(says) || line.starts_with("stop"), "{line}: {e}"),
                Ok(order) => assert_eq!(order.to_string(), "stop", "{line}"),
            }
        }
    }
}
