//! A procedure judged by the checklist of the catalogue (`guideline` entries): each item met, not met or not applicable, with what was found.
//!
//! Items, bounds and weights are data; what a rule looks at is here. A score sums the weights of the items met over those that apply. It is
//! a teaching aid: no study has shown that its points predict relief.

mod facts;
mod judge;

use serde::{Deserialize, Serialize};

pub use facts::ProcedureFacts;

use crate::catalog::{Guideline, Rule};

/// How an item came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As asked for.
    Met,
    /// Not so, or not done.
    NotMet,
    /// The procedure did not come so far, or the item has nothing to look at.
    NotApplicable,
}

impl State {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "NOT MET",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// A judged item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The item's name.
    pub name: String,
    /// What it asks for.
    pub title: String,
    /// Its rule.
    pub rule: Rule,
    /// How it came out.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// What to do where it is not met.
    pub advice: String,
    /// What it counts for.
    pub weight_points: f64,
    /// Keys of the sources of its bounds.
    pub sources: Vec<String>,
    /// True where all of its bounds were read in their sources.
    pub verified: bool,
}

/// A whole judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The items in the order of the catalogue.
    pub items: Vec<Judged>,
    /// Weights of the items met.
    pub points: f64,
    /// Weights of the items that apply.
    pub of_points: f64,
    /// Their quotient, percent; none where no item applies.
    pub percent: Option<f64>,
}

impl Score {
    /// The items not met, weightiest first.
    pub fn missed(&self) -> Vec<&Judged> {
        let mut all: Vec<&Judged> = self.items.iter().filter(|i| i.state == State::NotMet).collect();
        all.sort_by(|a, b| b.weight_points.total_cmp(&a.weight_points));
        all
    }
}

/// Judges a procedure by a checklist.
pub fn score(items: &[Guideline], facts: &ProcedureFacts) -> Score {
    let items: Vec<Judged> = items
        .iter()
        .map(|item| {
            let verdict = judge::judge(item, facts);
            let mut sources: Vec<String> = item.given().map(|b| b.source.clone()).collect();
            sources.dedup();
            Judged {
                name: item.name.clone(),
                title: item.title.clone(),
                rule: item.rule,
                state: verdict.state,
                found: verdict.found,
                expected: verdict.expected,
                advice: item.advice.clone(),
                weight_points: item.weight_points.value,
                sources,
                verified: item.given().all(|b| b.verified),
            }
        })
        .collect();
    let sum =
        |keep: &dyn Fn(State) -> bool| -> f64 { items.iter().filter(|i| keep(i.state)).map(|i| i.weight_points).sum() };
    let (points, of_points) = (sum(&|s| s == State::Met), sum(&|s| s != State::NotApplicable));
    Score {
        percent: (of_points > 0.0).then(|| 100.0 * points / of_points),
        items,
        points,
        of_points,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Sourced;

    fn catalogue() -> Vec<Guideline> {
        #[derive(Deserialize)]
        struct File {
            guideline: Vec<Guideline>,
        }
        toml::from_str::<File>(include_str!("../../../../catalog/guidelines.toml"))
            .unwrap()
            .guideline
    }

    fn perfect() -> ProcedureFacts {
        ProcedureFacts {
            eligible: Some(true),
            blocks: Some(2),
            block_relief_percent: Some(80.0),
            consent: Some(true),
            pad_checked: Some(true),
            level_counted: Some(true),
            level_right: Some(true),
            ap_view: true,
            oblique_view: true,
            lateral_view: true,
            parallel_deg: Some(8.0),
            gap_mm: Some(0.4),
            alarms: Some(0),
            redirects: Some(1),
            impedance_ohm: Some(250.0),
            sensory_threshold_v: Some(0.4),
            motor_tested_to_v: Some(2.0),
            leg_twitch: Some(false),
            multifidus_twitch: Some(true),
            anaesthetic_ml: Some(0.5),
            anaesthetic_wait_s: Some(90.0),
            heated: true,
            set_temperature_c: Some(80.0),
            held_s: Some(90.0),
            destroyed_mm: Some(9.0),
            asked_mm: Some(8.0),
            harmed: Some(vec![]),
            dose_noted: Some(true),
            skin_after: Some(true),
        }
    }

    fn state(score: &Score, rule: Rule) -> State {
        score.items.iter().find(|i| i.rule == rule).unwrap().state
    }

    #[test]
    fn a_sound_procedure_has_all_points() {
        let score = score(&catalogue(), &perfect());
        let missed: Vec<&str> = score.missed().iter().map(|i| i.name.as_str()).collect();
        assert!(missed.is_empty(), "{missed:?}");
        assert_eq!(score.percent, Some(100.0));
        assert_eq!(state(&score, Rule::LegTwitch), State::Met);
        assert_eq!(score.items.len(), 23);
    }

    #[test]
    fn each_fact_spoils_its_own_item() {
        type Spoil = fn(&mut ProcedureFacts);
        let cases: [(Rule, Spoil); 23] = [
            (Rule::Eligible, |f| f.eligible = Some(false)),
            (Rule::DiagnosticBlocks, |f| f.blocks = Some(1)),
            (Rule::BlockRelief, |f| f.block_relief_percent = Some(49.9)),
            (Rule::Consent, |f| f.consent = None),
            (Rule::PadChecked, |f| f.pad_checked = Some(false)),
            (Rule::LevelCounted, |f| f.level_counted = None),
            (Rule::LevelRight, |f| f.level_right = Some(false)),
            (Rule::Views, |f| f.lateral_view = false),
            (Rule::Parallel, |f| f.parallel_deg = Some(20.1)),
            (Rule::Near, |f| f.gap_mm = Some(2.1)),
            (Rule::NoAlarm, |f| f.alarms = Some(1)),
            (Rule::Redirects, |f| f.redirects = Some(4)),
            (Rule::Impedance, |f| f.impedance_ohm = Some(50.0)),
            (Rule::SensoryTest, |f| {
                // What the motor test must reach follows from the sensory threshold.
                f.sensory_threshold_v = Some(0.6);
                f.motor_tested_to_v = Some(2.0);
            }),
            (Rule::MotorTest, |f| f.motor_tested_to_v = Some(0.7)),
            (Rule::LegTwitch, |f| f.leg_twitch = Some(true)),
            (Rule::Anaesthetic, |f| f.anaesthetic_wait_s = Some(10.0)),
            (Rule::Temperature, |f| f.set_temperature_c = Some(70.0)),
            (Rule::Duration, |f| f.held_s = Some(30.0)),
            (Rule::Coverage, |f| f.destroyed_mm = Some(7.9)),
            (Rule::NoHarm, |f| f.harmed = Some(vec!["L4 ventral ramus".to_owned()])),
            (Rule::DoseNoted, |f| f.dose_noted = None),
            (Rule::SkinAfter, |f| f.skin_after = None),
        ];
        for (rule, spoil) in cases {
            let mut facts = perfect();
            spoil(&mut facts);
            let score = score(&catalogue(), &facts);
            let missed: Vec<Rule> = score.missed().iter().map(|i| i.rule).collect();
            assert_eq!(missed, [rule]);
            assert!(score.percent.unwrap() < 100.0);
        }
    }

    #[test]
    fn a_leg_twitch_that_stopped_the_procedure_is_no_fault() {
        let facts = ProcedureFacts {
            leg_twitch: Some(true),
            heated: false,
            set_temperature_c: None,
            held_s: None,
            destroyed_mm: None,
            harmed: None,
            skin_after: None,
            ..perfect()
        };
        let score = score(&catalogue(), &facts);
        assert_eq!(state(&score, Rule::LegTwitch), State::Met);
        for rule in [Rule::Temperature, Rule::Duration, Rule::Coverage, Rule::NoHarm] {
            assert_eq!(state(&score, rule), State::NotApplicable);
        }
    }

    #[test]
    fn nothing_done_is_nothing_earned() {
        let empty = score(&catalogue(), &ProcedureFacts::default());
        assert_eq!(empty.points, 0.0);
        assert!(score(&[], &perfect()).percent.is_none());
    }

    #[test]
    fn points_add_as_by_hand() {
        let mut items = catalogue();
        items.retain(|i| matches!(i.rule, Rule::Parallel | Rule::Coverage | Rule::Duration));
        let weights = [3.0, 5.0, 2.0];
        for (item, weight) in items.iter_mut().zip(weights) {
            item.weight_points = Sourced {
                value: weight,
                ..item.weight_points.clone()
            };
        }
        // In the order of the catalogue: parallel, duration, coverage.
        let facts = ProcedureFacts {
            destroyed_mm: Some(2.0),
            ..perfect()
        };
        let score = score(&items, &facts);
        assert_eq!((score.points, score.of_points, score.percent), (8.0, 10.0, Some(80.0)));
    }
}
