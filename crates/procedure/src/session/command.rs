//! What an operator can do, in words and as data.
//!
//! A command is written as one line, as in a terminal or a script: `advance 20`, `test sensory 2`, `heat 80 90 because the patient asked
//! to go on`. [`Order`] is what such a line says; [`std::str::FromStr`] and [`std::fmt::Display`] are each other's inverse.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    anatomy::Level,
    fluoroscopy::NamedView,
    generator::{faults::FaultKind, program::MAX_STAGES},
};

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

/// A line of the language: its words, what it does.
pub struct Usage {
    /// First word.
    pub word: &'static str,
    /// The rest.
    pub arguments: &'static str,
    /// In a sentence.
    pub does: &'static str,
}

const fn usage(word: &'static str, arguments: &'static str, does: &'static str) -> Usage {
    Usage { word, arguments, does }
}

/// The whole language, in the order of the procedure.
pub const USAGE: [Usage; 30] = [
    usage("assess", "", "judge the history: who should have a lesion"),
    usage("plan", "", "needles for the joint's two nerves"),
    usage("prepare", "ITEM", "consent, time-out, prone, monitor, pad or clean"),
    usage("sedate", "none|light|deep", "how awake the patient is"),
    usage(
        "view",
        "NAME [LEVEL]",
        "turn the C-arm: ap, oblique-right, lateral-left, declined-right, foraminal-left …",
    ),
    usage("arm", "ORBITAL TILT", "turn the C-arm to angles, degrees"),
    usage("look-along", "", "turn the C-arm so that the needle is a point"),
    usage("shot", "", "one pulse of X-rays"),
    usage("screen", "SECONDS", "X-rays with the pedal down"),
    usage("mark", "[X,Y,Z]", "mark the skin; without a place where it is planned"),
    usage("numb", "[AGENT] [P%] [V ml]", "numb the skin at the mark"),
    usage(
        "enter",
        "[CANNULA] [towards X,Y,Z]",
        "put the needle through the skin, aimed at a point",
    ),
    usage("advance", "MM", "push the needle on"),
    usage("withdraw", "MM", "draw the needle back"),
    usage("turn", "DEGREES", "turn the needle about its shaft"),
    usage("steer", "X,Y,Z", "aim the needle at another point"),
    usage("remove", "", "take the needle out"),
    usage("impedance", "", "measure the impedance"),
    usage("test", "sensory|motor [VOLTS]", "stimulate, up to so many volts"),
    usage(
        "anaesthetise",
        "[AGENT] [P%] [V ml]",
        "inject through the needle; without words 0.5 ml of lidocaine 2 %",
    ),
    usage("wait", "SECONDS", "let time pass; a lesion that runs goes on"),
    usage(
        "heat",
        "[C [HOLD]] [for SECONDS]",
        "make the lesion; with `for` come back while it runs",
    ),
    usage(
        "heat",
        "preset NAME [for SECONDS]",
        "make the lesion of a preset; `neurotome catalog preset` lists all",
    ),
    usage(
        "heat",
        "power|voltage|pulsed VALUE SECONDS [for SECONDS]",
        "constant power (W), constant voltage or pulses (V)",
    ),
    usage(
        "heat",
        "steps C:HOLD,C:HOLD… [for SECONDS]",
        "several temperatures after each other",
    ),
    usage("pump", "on [ML_PER_MIN]|off", "coolant of a cooled probe"),
    usage(
        "fault",
        "NAME [size X] [at SECONDS] [lasting SECONDS]",
        "let a fault happen, for teaching, such as thermocouple_drifting",
    ),
    usage("resume", "", "go on after a short loss of mains"),
    usage("stop", "", "stop the generator"),
    usage("next", "[NUMBER]", "turn to the next nerve of the plan"),
];

/// The last words of the language and that of the log.
pub const MORE_USAGE: [Usage; 3] = [
    usage("inspect", "", "look at the skin: entry and pad"),
    usage("finish", "", "end the procedure: what was destroyed, what comes after"),
    usage(
        "undo",
        "[N]",
        "go back by one step, or to the state after N steps; the record keeps both branches",
    ),
];

/// Words that begin a command.
pub fn words() -> impl Iterator<Item = &'static str> {
    USAGE.iter().chain(&MORE_USAGE).map(|u| u.word)
}

/// Stands for the usual value where another one follows.
const USUAL: &str = "-";
/// Largest number that a command may hold.
const LARGEST: f64 = 1e6;
/// Longest name, bytes.
const LONGEST_NAME: usize = 100;
/// Longest reason, characters.
const MAX_REASON: usize = 400;

fn number(word: &str, what: &str) -> Result<f64, String> {
    word.parse()
        .ok()
        .filter(|v: &f64| v.abs() <= LARGEST)
        .ok_or_else(|| format!("\"{word}\" is no {what}; expected a number"))
}

fn point(word: &str) -> Result<[f64; 3], String> {
    let parts: Vec<f64> = word
        .split(',')
        .map(|p| number(p.trim(), "coordinate"))
        .collect::<Result<_, _>>()?;
    <[f64; 3]>::try_from(parts).map_err(|_| format!("\"{word}\" is no place; expected X,Y,Z in mm without spaces"))
}

/// `lidocaine 2% 0.5ml`, in any order, any of it left out.
fn syringe(words: &[&str]) -> Result<Syringe, String> {
    let mut all = Syringe::default();
    let mut words = words.iter().copied().peekable();
    while let Some(word) = words.next() {
        let (text, unit) = match word.strip_suffix('%') {
            Some(text) => (text, "%"),
            None => match word.strip_suffix("ml") {
                Some(text) => (text, "ml"),
                None => (word, ""),
            },
        };
        let unit = match (unit, words.peek().copied()) {
            ("", Some("%")) => "%",
            ("", Some("ml")) => "ml",
            (unit, _) => unit,
        };
        if unit.is_empty() {
            if text.parse::<f64>().is_ok() {
                return Err(format!("\"{word}\" needs a unit: {word}% or {word}ml"));
            }
            all.agent = Some(text.to_owned());
            continue;
        }
        if !word.ends_with(unit) {
            words.next();
        }
        let value = Some(number(text, "amount")?);
        if unit == "%" {
            all.percent = value;
        } else {
            all.volume_ml = value;
        }
    }
    Ok(all)
}

/// `heat` and what follows it.
fn heat(words: &[&str]) -> Result<Command, String> {
    let (before, for_s) = match words.iter().position(|w| *w == "for") {
        None => (words, None),
        Some(k) => match &words[k + 1..] {
            [seconds] => (&words[..k], Some(number(seconds, "time")?)),
            _ => return Err("`heat … for` needs seconds".to_owned()),
        },
    };
    let two = |a: &str, b: &str| -> Result<[f64; 2], String> { Ok([number(a, "value")?, number(b, "time")?]) };
    let program = match before {
        ["preset", name] => Some(HeatProgram::Preset((*name).to_owned())),
        ["power", w, s] => Some(HeatProgram::Power(two(w, s)?)),
        ["voltage", v, s] => Some(HeatProgram::Voltage(two(v, s)?)),
        ["pulsed", v, s] => Some(HeatProgram::Pulsed(two(v, s)?)),
        ["steps", steps] => Some(HeatProgram::Steps(
            steps
                .split(',')
                .map(|step| {
                    let (c, s) = step
                        .split_once(':')
                        .ok_or_else(|| format!("\"{step}\" is no step; expected C:SECONDS"))?;
                    two(c, s)
                })
                .collect::<Result<_, String>>()?,
        )),
        ["preset" | "power" | "voltage" | "pulsed" | "steps", ..] => {
            return Err(
                "`heat` is written `heat preset NAME`, `heat power|voltage|pulsed VALUE SECONDS` or \
                        `heat steps C:HOLD,C:HOLD`"
                    .to_owned(),
            );
        }
        _ => None,
    };
    if program.is_none() && before.len() > 2 {
        return Err("`heat` is written `heat [C [HOLD]] [for SECONDS]`".to_owned());
    }
    let plain = if program.is_some() { &[] } else { before };
    Ok(Command::Heat {
        set_c: plain
            .first()
            .filter(|w| **w != USUAL)
            .map(|w| number(w, "temperature"))
            .transpose()?,
        hold_s: plain.get(1).map(|w| number(w, "time")).transpose()?,
        for_s,
        program,
    })
}

/// `fault` and what follows it.
fn fault(words: &[&str]) -> Result<Command, String> {
    let (name, mut rest) = words
        .split_first()
        .ok_or("`fault` needs a name, such as thermocouple_open")?;
    let kind = named(name, FaultKind::ALL, FaultKind::name)?;
    let (mut size, mut at_s, mut lasting_s) = (None, None, None);
    while let [word, value, more @ ..] = rest {
        let value = Some(number(value, "number")?);
        match *word {
            "size" => size = value,
            "at" => at_s = value,
            "lasting" => lasting_s = value,
            other => return Err(format!("\"{other}\" is not known here; expected size, at or lasting")),
        }
        rest = more;
    }
    if let [word] = rest {
        return Err(format!("`{word}` needs a number"));
    }
    Ok(Command::Fault {
        kind,
        size,
        at_s,
        lasting_s,
    })
}

/// One of named things.
fn named<T: Copy>(word: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, String> {
    all.iter().copied().find(|t| name(*t) == word).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|t| name(*t)).collect();
        format!("\"{word}\" is not known here; expected one of {}", names.join(", "))
    })
}

impl FromStr for Command {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (first, rest) = words.split_first().ok_or("nothing to do; `help` lists the commands")?;
        let at_most = |n: usize| {
            if rest.len() <= n {
                Ok(())
            } else {
                Err(format!("`{first}` takes at most {n} words, found {}", rest.len()))
            }
        };
        let one = |what: &str| match rest {
            [only] => Ok(*only),
            _ => Err(format!("`{first}` takes one word, {what}; found {}", rest.len())),
        };
        Ok(match *first {
            "assess" => at_most(0).map(|()| Self::Assess)?,
            "plan" => at_most(0).map(|()| Self::Plan)?,
            "prepare" => Self::Prepare {
                item: named(one("the item")?, &Preparation::ALL, Preparation::word)?,
            },
            "sedate" => Self::Sedate {
                level: named(one("the level")?, &Sedation::ALL, Sedation::word)?,
            },
            "view" => {
                at_most(2)?;
                let view = rest.first().ok_or("`view` needs a view, such as ap or oblique-right")?;
                Self::View {
                    view: view.parse()?,
                    level: rest.get(1).map(|w| w.parse::<Level>()).transpose()?,
                }
            }
            "arm" => match rest {
                [orbital, tilt] => Self::Arm {
                    orbital_deg: number(orbital, "angle")?,
                    tilt_deg: number(tilt, "angle")?,
                },
                _ => return Err(format!("`arm` takes two angles; found {} words", rest.len())),
            },
            "look-along" => at_most(0).map(|()| Self::LookAlong)?,
            "shot" => at_most(0).map(|()| Self::Shot)?,
            "screen" => Self::Screen {
                seconds: number(one("seconds")?, "time")?,
            },
            "mark" => {
                at_most(1)?;
                Self::Mark {
                    entry_mm: rest.first().map(|w| point(w)).transpose()?,
                }
            }
            "numb" => Self::Numb {
                syringe: syringe(rest)?,
            },
            "enter" => match rest {
                [] => Self::Enter {
                    cannula: None,
                    towards_mm: None,
                },
                ["towards", at] => Self::Enter {
                    cannula: None,
                    towards_mm: Some(point(at)?),
                },
                [cannula] => Self::Enter {
                    cannula: Some((*cannula).to_owned()),
                    towards_mm: None,
                },
                [cannula, "towards", at] => Self::Enter {
                    cannula: Some((*cannula).to_owned()),
                    towards_mm: Some(point(at)?),
                },
                _ => return Err("`enter` is written `enter [CANNULA] [towards X,Y,Z]`".to_owned()),
            },
            "advance" => Self::Advance {
                mm: number(one("millimetres")?, "length")?,
            },
            "withdraw" => Self::Withdraw {
                mm: number(one("millimetres")?, "length")?,
            },
            "turn" => Self::Turn {
                deg: number(one("degrees")?, "angle")?,
            },
            "steer" => Self::Steer {
                towards_mm: point(one("a place")?)?,
            },
            "remove" => at_most(0).map(|()| Self::Remove)?,
            "impedance" => at_most(0).map(|()| Self::Impedance)?,
            "test" => {
                at_most(2)?;
                let kind = rest.first().ok_or("`test` needs sensory or motor")?;
                Self::Test {
                    kind: named(kind, &[TestKind::Sensory, TestKind::Motor], TestKind::word)?,
                    up_to_v: rest.get(1).map(|w| number(w, "voltage")).transpose()?,
                }
            }
            "anaesthetise" | "anesthetize" | "inject" => Self::Anaesthetise {
                syringe: syringe(rest)?,
            },
            "wait" => Self::Wait {
                seconds: number(one("seconds")?, "time")?,
            },
            "heat" => heat(rest)?,
            "pump" => match rest {
                ["on"] => Self::Pump { ml_per_min: None },
                ["on", flow] => Self::Pump {
                    ml_per_min: Some(number(flow, "flow")?),
                },
                ["off"] => Self::Pump { ml_per_min: Some(0.0) },
                _ => return Err("`pump` is written `pump on [ML_PER_MIN]` or `pump off`".to_owned()),
            },
            "fault" => fault(rest)?,
            "resume" => at_most(0).map(|()| Self::Resume)?,
            "stop" => at_most(0).map(|()| Self::Stop)?,
            "next" => {
                at_most(1)?;
                let count = |w: &&str| w.parse().map_err(|_| format!("\"{w}\" is no number of a target"));
                Self::Next {
                    target: rest.first().map(count).transpose()?,
                }
            }
            "inspect" => at_most(0).map(|()| Self::Inspect)?,
            "finish" => at_most(0).map(|()| Self::Finish)?,
            other => {
                return Err(format!(
                    "there is no command \"{other}\"; expected one of {}",
                    words_of_all()
                ));
            }
        })
    }
}

fn words_of_all() -> String {
    words().collect::<Vec<_>>().join(", ")
}

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

impl FromStr for Order {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("undo ") {
            let undo_to = rest
                .trim()
                .parse()
                .map_err(|_| format!("`undo` takes the number of steps kept; found \"{}\"", rest.trim()))?;
            return Ok(Self::Undo { undo_to });
        }
        let (command, reason) = match line.split_once(" because ") {
            Some((command, reason)) => (command, Some(reason.trim())),
            None => (line, None),
        };
        if let Some(reason) = reason {
            check_reason(reason)?;
        }
        Ok(Self::Do {
            command: command.parse()?,
            reason: reason.map(str::to_owned),
        })
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
