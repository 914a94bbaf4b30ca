//! Commands and orders from lines.

use std::str::FromStr;

use super::usage::words_of_all;
use super::{Command, HeatProgram, LARGEST, Order, Preparation, Sedation, Syringe, TestKind, USUAL, check_reason};
use crate::{anatomy::Level, generator::faults::FaultKind};

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
