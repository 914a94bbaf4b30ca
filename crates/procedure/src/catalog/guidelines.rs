//! The checklist of a sound procedure.

use serde::{Deserialize, Serialize};

use super::{Entry, Sourced};

/// How an item is judged; what it looks at is told in [`crate::scoring`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Eligibility was assessed, and the verdict allowed to go on.
    Eligible,
    /// Number of diagnostic blocks.
    DiagnosticBlocks,
    /// Least relief by them.
    BlockRelief,
    /// Informed consent.
    Consent,
    /// Return pad checked.
    PadChecked,
    /// Level counted.
    LevelCounted,
    /// Needle at the nerve that was meant.
    LevelRight,
    /// Different views before heating.
    Views,
    /// Angle between active tip and nerve.
    Parallel,
    /// Distance between active tip and nerve.
    Near,
    /// Vessel, canal, hollow or root met.
    NoAlarm,
    /// Changes of direction.
    Redirects,
    /// Impedance before heating.
    Impedance,
    /// Threshold of the sensory test.
    SensoryTest,
    /// How far the motor test went.
    MotorTest,
    /// Whether heating followed a twitch of the leg.
    LegTwitch,
    /// Volume of local anaesthetic and the wait after it.
    Anaesthetic,
    /// Set temperature.
    Temperature,
    /// Time at it.
    Duration,
    /// Length of nerve destroyed.
    Coverage,
    /// Structures harmed.
    NoHarm,
    /// Dose noted.
    DoseNoted,
    /// Skin looked at afterwards.
    SkinAfter,
}

/// An item of the checklist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guideline {
    /// Name, such as `parallel`.
    pub name: String,
    /// What it asks for, in words.
    pub title: String,
    /// How it is judged.
    pub rule: Rule,
    /// What to do where it is not met.
    pub advice: String,
    /// What it counts for.
    pub weight_points: Sourced,
    /// 1: something that is to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_count: Option<Sourced>,
    /// Least number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_count: Option<Sourced>,
    /// Largest number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most_count: Option<Sourced>,
    /// Least share, percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_percent: Option<Sourced>,
    /// Largest angle, degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most_deg: Option<Sourced>,
    /// Largest distance, mm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most_mm: Option<Sourced>,
    /// Least impedance, Ω.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_ohm: Option<Sourced>,
    /// Largest impedance, Ω.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most_ohm: Option<Sourced>,
    /// Least amplitude, V.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_v: Option<Sourced>,
    /// Largest amplitude, V.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most_v: Option<Sourced>,
    /// Least multiple.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_ratio: Option<Sourced>,
    /// Least volume, ml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_ml: Option<Sourced>,
    /// Least time, s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_s: Option<Sourced>,
    /// Lowest temperature, °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least_c: Option<Sourced>,
    /// Highest temperature, °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most_c: Option<Sourced>,
}

entry!(
    Guideline,
    "guideline",
    [weight_points],
    [
        done_count,
        at_least_count,
        at_most_count,
        at_least_percent,
        at_most_deg,
        at_most_mm,
        at_least_ohm,
        at_most_ohm,
        at_least_v,
        at_most_v,
        at_least_ratio,
        at_least_ml,
        at_least_s,
        at_least_c,
        at_most_c,
    ]
);

impl Guideline {
    /// The bounds that the rule compares with.
    fn bounds(&self) -> Vec<(&'static str, Option<&Sourced>)> {
        let done = ("done_count", self.done_count.as_ref());
        match self.rule {
            Rule::Eligible
            | Rule::Consent
            | Rule::PadChecked
            | Rule::LevelCounted
            | Rule::LevelRight
            | Rule::LegTwitch
            | Rule::DoseNoted
            | Rule::SkinAfter => vec![done],
            Rule::DiagnosticBlocks | Rule::Views => vec![("at_least_count", self.at_least_count.as_ref())],
            Rule::BlockRelief | Rule::Coverage => vec![("at_least_percent", self.at_least_percent.as_ref())],
            Rule::Parallel => vec![("at_most_deg", self.at_most_deg.as_ref())],
            Rule::Near => vec![("at_most_mm", self.at_most_mm.as_ref())],
            Rule::NoAlarm | Rule::Redirects | Rule::NoHarm => vec![("at_most_count", self.at_most_count.as_ref())],
            Rule::Impedance => vec![
                ("at_least_ohm", self.at_least_ohm.as_ref()),
                ("at_most_ohm", self.at_most_ohm.as_ref()),
            ],
            Rule::SensoryTest => vec![("at_most_v", self.at_most_v.as_ref())],
            Rule::MotorTest => vec![
                ("at_least_ratio", self.at_least_ratio.as_ref()),
                ("at_least_v", self.at_least_v.as_ref()),
            ],
            Rule::Anaesthetic => vec![
                ("at_least_ml", self.at_least_ml.as_ref()),
                ("at_least_s", self.at_least_s.as_ref()),
            ],
            Rule::Temperature => vec![
                ("at_least_c", self.at_least_c.as_ref()),
                ("at_most_c", self.at_most_c.as_ref()),
            ],
            Rule::Duration => vec![("at_least_s", self.at_least_s.as_ref())],
        }
    }

    /// The name of a bound that the rule needs and the entry lacks.
    pub fn missing_bound(&self) -> Option<&'static str> {
        self.bounds()
            .into_iter()
            .find(|(_, b)| b.is_none())
            .map(|(name, _)| name)
    }

    /// The bounds that the rule compares with, as given.
    pub fn given(&self) -> impl Iterator<Item = &Sourced> {
        self.bounds().into_iter().filter_map(|(_, b)| b)
    }
}
