//! The criteria, and the judgement.

use std::fmt;

use serde::Serialize;

use super::history::{Allergy, Anticoagulant, History, Implant, Infection, Where};
use crate::catalog::{Catalog, Selection};

/// The source of criteria without a threshold of their own.
const GUIDELINE: &str = "consensus2020_recalled";

/// What a criterion came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Met.
    Met,
    /// Met, if something is planned for.
    Plan,
    /// The history does not say.
    Missing,
    /// Not met now; time or care may change it.
    NotYet,
    /// Speaks against a lesion.
    Against,
}

impl State {
    /// In a word, as in files.
    pub fn word(self) -> &'static str {
        ["met", "plan", "missing", "not_yet", "against"][self as usize]
    }
}

/// One criterion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The criterion.
    pub criterion: &'static str,
    /// The key of the history that it looks at.
    pub key: &'static str,
    /// What it came to.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// What to do; empty where it is met.
    pub advice: String,
    /// Where the criterion comes from: a key of the catalogue's sources.
    pub source: String,
    /// Whether its threshold was read there.
    pub verified: bool,
}

/// The judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All criteria are met.
    Eligible,
    /// All are, and something must be planned for.
    EligibleWithPlanning,
    /// Something is missing or too early.
    NotYet,
    /// Something speaks against it.
    NotEligible,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eligible => "eligible",
            Self::EligibleWithPlanning => "eligible with planning",
            Self::NotYet => "not yet",
            Self::NotEligible => "not eligible",
        })
    }
}

/// A history judged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// The judgement.
    pub verdict: Verdict,
    /// Every criterion.
    pub findings: Vec<Finding>,
}

/// Judges a history by the first selection of the catalogue; none where it has none.
pub fn assess(catalog: &Catalog, history: &History) -> Option<Assessment> {
    let s = catalog.selections.first()?;
    let mut findings = vec![pain(s, history), place(history)];
    findings.extend(conservative(s, history));
    findings.extend(match &history.former {
        // Who had relief from the same lesion before needs no new blocks.
        Some(_) => former(s, history),
        None => blocks(s, history),
    });
    findings.push(red_flags(history));
    findings.extend(contraindications(s, history));
    findings.push(informed(history));
    let worst = findings.iter().map(|f| f.state).max().unwrap_or(State::Met);
    let verdict = match worst {
        State::Met => Verdict::Eligible,
        State::Plan => Verdict::EligibleWithPlanning,
        State::Missing | State::NotYet => Verdict::NotYet,
        State::Against => Verdict::NotEligible,
    };
    Some(Assessment { verdict, findings })
}

/// A criterion that looks at `key`, not judged yet.
fn finding(criterion: &'static str, key: &'static str, expected: impl Into<String>) -> Finding {
    Finding {
        criterion,
        key,
        state: State::Missing,
        found: "not told".to_owned(),
        expected: expected.into(),
        advice: format!("add `{key}` to the history"),
        source: GUIDELINE.to_owned(),
        verified: false,
    }
}

impl Finding {
    fn by(self, threshold: &crate::catalog::Sourced) -> Self {
        Self {
            source: threshold.source.clone(),
            verified: threshold.verified,
            ..self
        }
    }

    fn is(self, state: State, found: impl Into<String>, advice: &str) -> Self {
        Self {
            state,
            found: found.into(),
            advice: if state == State::Met {
                String::new()
            } else {
                advice.to_owned()
            },
            ..self
        }
    }

    fn met(self, found: impl Into<String>) -> Self {
        self.is(State::Met, found, "")
    }
}

fn pain(s: &Selection, h: &History) -> Finding {
    let least = s.pain_weeks.value;
    let f = finding(
        "chronic pain",
        "pain.duration_weeks",
        format!("at least {least} weeks despite treatment"),
    )
    .by(&s.pain_weeks);
    match h.pain.duration_weeks {
        None => f,
        Some(w) if w >= least => f.met(format!("{w} weeks")),
        Some(w) => f.is(
            State::NotYet,
            format!("{w} weeks"),
            "wait and treat: most back pain eases within weeks",
        ),
    }
}

fn place(h: &History) -> Finding {
    let f = finding(
        "pain of the back, not of a root",
        "pain.place",
        "axial pain, with or without dull referral",
    );
    match h.pain.place {
        None => f,
        Some(Where::Axial) => f.met("axial"),
        Some(Where::AxialWithReferral) => f.met("axial with referral"),
        Some(Where::Radicular) => f.is(
            State::Against,
            "radicular",
            "look for the root: a lesion of medial branches does not reach it",
        ),
    }
}

fn conservative(s: &Selection, h: &History) -> Vec<Finding> {
    let least = s.conservative_weeks.value;
    let care = &h.conservative;
    let f = finding(
        "conservative care",
        "conservative.duration_weeks",
        format!("at least {least} weeks, of at least one kind"),
    )
    .by(&s.conservative_weeks);
    let time = match care.duration_weeks {
        None => f,
        Some(_) if care.treatments.is_empty() => f.is(
            State::Missing,
            "no treatment named",
            "name what was tried in `conservative.treatments`",
        ),
        Some(w) if w >= least => f.met(format!("{w} weeks: {}", care.treatments.join(", "))),
        Some(w) => f.is(
            State::NotYet,
            format!("{w} weeks"),
            "go on with exercise and analgesics first",
        ),
    };
    let f = finding("conservative care did not suffice", "conservative.sufficient", "false");
    let failed = match care.sufficient {
        None => f,
        Some(false) => f.met("it did not suffice"),
        Some(true) => f.is(State::NotYet, "it suffices", "go on with what helps"),
    };
    vec![time, failed]
}

fn blocks(s: &Selection, h: &History) -> Vec<Finding> {
    let (least, relief) = (s.blocks_count.value, s.block_relief_percent.value);
    let expected =
        format!("at least {least} block of this joint with {relief} % relief or more, as long as the drug acts");
    let f = finding("diagnostic blocks", "block", expected).by(&s.blocks_count);
    let all = h.blocks_of_the_joint();
    let good = all
        .iter()
        .filter(|b| b.relief_percent >= relief && b.as_long_as_the_drug != Some(false))
        .count() as f64;
    let told: Vec<String> = all.iter().map(|b| format!("{} %", b.relief_percent)).collect();
    let told = format!("{} of {} positive ({})", good, all.len(), told.join(", "));
    let main = if all.is_empty() {
        let other = if h.blocks.is_empty() {
            "none"
        } else {
            "none of this joint"
        };
        f.is(
            State::Missing,
            other,
            "block the joint's two nerves and note the relief",
        )
    } else if good >= least && good * 2.0 >= all.len() as f64 {
        f.met(told)
    } else {
        f.is(State::Against, told, "look for another source of the pain")
    };
    let mut out = vec![main];
    let advised = s.advised_blocks_count.value;
    if good >= least && good < advised {
        let f = finding(
            "controlled blocks",
            "block",
            format!("{advised} positive blocks, which are surer"),
        )
        .by(&s.advised_blocks_count);
        out.push(f.is(
            State::Plan,
            format!("{good} positive"),
            "consider a second block on another day: one block alone is wrong in many",
        ));
    }
    if all.iter().any(|b| b.as_long_as_the_drug == Some(false)) {
        let f = finding("relief as long as the drug acts", "block.as_long_as_the_drug", "true");
        out.push(f.is(State::Plan, "false in a block", "do not count that block; repeat it"));
    }
    out
}

fn former(s: &Selection, h: &History) -> Vec<Finding> {
    let Some(former) = &h.former else { return vec![] };
    let (relief, months) = (s.repeat_relief_percent.value, s.repeat_relief_months.value);
    let f = finding(
        "relief by the former neurotomy",
        "former",
        format!("at least {relief} % for at least {months} months"),
    )
    .by(&s.repeat_relief_months);
    let told = format!("{} % for {} months", former.relief_percent, former.relief_months);
    vec![if former.relief_percent >= relief && former.relief_months >= months {
        f.met(told)
    } else {
        f.is(
            State::Against,
            told,
            "what did not help before is not done again the same way; look for another source",
        )
    }]
}

fn red_flags(h: &History) -> Finding {
    let f = finding("no red flag", "red_flags", "an empty list");
    match &h.red_flags {
        None => f,
        Some(flags) if flags.is_empty() => f.met("none"),
        Some(flags) => {
            let named: Vec<&str> = flags.iter().map(|f| f.words()).collect();
            f.is(State::Against, named.join(", "), "look into this first")
        }
    }
}

fn contraindications(s: &Selection, h: &History) -> Vec<Finding> {
    let c = &h.contraindications;
    let mut all = vec![];
    let f = finding("no infection", "contraindications.infection", "none");
    all.push(match c.infection {
        None => f,
        Some(Infection::None) => f.met("none"),
        Some(i) => f.is(State::Against, i.words(), "treat the infection first"),
    });
    let f = finding(
        "drugs against clotting",
        "contraindications.anticoagulant",
        "none, or planned for",
    );
    all.push(match c.anticoagulant {
        None => f,
        Some(Anticoagulant::None) => f.met("none"),
        Some(a) => f.is(
            State::Plan,
            a.words(),
            "weigh pausing it against its reason, with who prescribed it",
        ),
    });
    let f = finding("no disorder of clotting", "contraindications.coagulopathy", "false");
    all.push(match c.coagulopathy {
        None => f,
        Some(false) => f.met("none"),
        Some(true) => f.is(State::Against, "told", "correct it first, or do not go ahead"),
    });
    if let Some(inr) = c.inr_ratio {
        let f = finding(
            "clotting time",
            "contraindications.inr_ratio",
            format!("INR at most {}", s.inr_ratio.value),
        )
        .by(&s.inr_ratio);
        all.push(if inr <= s.inr_ratio.value {
            f.met(format!("{inr}"))
        } else {
            f.is(State::NotYet, format!("{inr}"), "let it fall first")
        });
    }
    if let Some(n) = c.platelets_count {
        let least = s.platelets_count.value;
        let f = finding(
            "platelets",
            "contraindications.platelets_count",
            format!("at least {least} thousand in a microlitre"),
        )
        .by(&s.platelets_count);
        all.push(if n >= least {
            f.met(format!("{n}"))
        } else {
            f.is(State::Against, format!("{n}"), "correct it first, or do not go ahead")
        });
    }
    let f = finding("no pregnancy", "contraindications.pregnancy", "false");
    all.push(match c.pregnancy {
        None => f,
        Some(false) => f.met("none"),
        Some(true) => f.is(State::Against, "pregnant", "no X-rays and no elective lesion"),
    });
    all.push(allergies(c.allergies.as_deref()));
    all.push(implants(c.implants.as_deref()));
    all
}

fn allergies(all: Option<&[Allergy]>) -> Finding {
    let f = finding("allergies", "contraindications.allergies", "none, or planned for");
    match all {
        None => f,
        Some([]) => f.met("none"),
        Some(all) => {
            let named: Vec<&str> = all.iter().map(|a| a.words()).collect();
            f.is(State::Plan, named.join(", "), "use another drug or material")
        }
    }
}

fn implants(all: Option<&[Implant]>) -> Finding {
    let f = finding("implants", "contraindications.implants", "none, or planned for");
    match all {
        None => f,
        Some([]) => f.met("none"),
        Some(all) => {
            let named: Vec<&str> = all.iter().map(|a| a.words()).collect();
            let electric = all.iter().any(|i| *i != Implant::SpinalMetal);
            let advice = if electric {
                "have the device checked and set by those who look after it; bipolar needles, return pad so that current does not cross it"
            } else {
                "plan the needle's way round the metal, which also draws current"
            };
            f.is(State::Plan, named.join(", "), advice)
        }
    }
}

fn informed(h: &History) -> Finding {
    let f = finding("informed consent", "patient.informed", "true");
    match h.patient.informed {
        None => f,
        Some(true) => f.met("yes"),
        Some(false) => f.is(State::NotYet, "no", "talk over risks and the chance of no relief"),
    }
}
