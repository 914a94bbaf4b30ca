//! The decision: is the needle near the pain nerve, and away from motor and sensory nerves?

use serde::Serialize;

use super::{
    notice::{Answer, Noticed},
    waveform::{Circuit, Output},
};
use crate::catalog::StimulationTest;

/// How a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Yes.
    Yes,
    /// The tests do not tell.
    Doubtful,
    /// No.
    No,
}

impl Finding {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Doubtful => "doubtful",
            Self::No => "no",
        }
    }
}

/// One line of the card.
#[derive(Debug, Clone, Serialize)]
pub struct Question {
    /// What is asked.
    pub question: &'static str,
    /// The answer.
    pub finding: Finding,
    /// What speaks for it.
    pub evidence: String,
}

/// The card.
#[derive(Debug, Clone, Serialize)]
pub struct Card {
    /// Near the pain nerve, away from motor nerves, away from sensory nerves.
    pub questions: Vec<Question>,
    /// True when all three are answered with yes.
    pub lesion_here: bool,
    /// What to do.
    pub advice: String,
}

/// What of the tests a card is made of: answers to the sensory and the motor pulse, in the same unit.
pub struct Evidence<'a> {
    /// What the patient told.
    pub sensory: &'a [Noticed],
    /// Which muscles twitched.
    pub motor: &'a [Noticed],
    /// The protocols.
    pub protocols: [&'a StimulationTest; 2],
    /// What the generator held.
    pub output: Output,
    /// Electrode and tissue, to tell volts from milliamperes.
    pub circuit: &'a Circuit,
}

/// The card of a pair of tests.
pub fn card(evidence: &Evidence<'_>) -> Card {
    // The protocols speak in volts.
    let per_unit = match evidence.output {
        Output::Voltage => 1.0,
        Output::Current => 1e-3 * evidence.circuit.tissue_ohm,
    };
    let weakest = |all: &[Noticed], wanted: &dyn Fn(&Noticed) -> bool| {
        all.iter()
            .filter(|n| wanted(n))
            .filter_map(|n| n.amplitude.map(|a| (a * per_unit, n.place)))
            .min_by(|a, b| a.0.total_cmp(&b.0))
    };
    let [sensory, motor] = evidence.protocols;
    let pain = weakest(evidence.sensory, &|n| n.target && n.answer == Answer::ConcordantPain);
    let multifidus = weakest(evidence.motor, &|n| n.target);
    let leg_twitch = weakest(evidence.motor, &|n| n.leg);
    let leg_feeling = weakest(evidence.sensory, &|n| n.leg);
    let good = sensory.good_v.value;
    let twitch = match multifidus {
        Some((v, muscle)) => format!("{muscle} twitches at {v:.2} V"),
        None => "no twitch of the target's muscle".to_owned(),
    };
    let near = match pain {
        Some((v, _)) if v <= good => (
            Finding::Yes,
            format!("his pain at {v:.2} V, up to {good} V is good; {twitch}"),
        ),
        Some((v, _)) if v <= 2.0 * good => (
            Finding::Doubtful,
            format!("his pain at {v:.2} V, more than {good} V; {twitch}"),
        ),
        Some((v, _)) => (Finding::No, format!("his pain only at {v:.2} V; {twitch}")),
        None => match multifidus {
            Some((v, _)) if v <= motor.good_v.value => (
                Finding::Doubtful,
                format!("the patient tells nothing of his pain; {twitch}"),
            ),
            _ => (Finding::No, format!("the patient tells nothing of his pain; {twitch}")),
        },
    };
    let away = |found: Option<(f64, &str)>, test: &StimulationTest, what: &str| {
        let ratio = test.spare_ratio.value;
        // Where the advice differs, the stricter one is sure.
        let sure = test.spare_ratio.range.map_or(ratio, |r| r[1]);
        let Some((v, place)) = found else {
            return (Finding::Yes, format!("no {what} the leg up to the generator's limit"));
        };
        let told = format!("{what} {place} at {v:.2} V");
        if v > test.spare_v.value {
            return (Finding::Yes, format!("{told}, more than {} V", test.spare_v.value));
        }
        match pain.map(|p| v / p.0) {
            Some(times) if times > sure => (
                Finding::Yes,
                format!("{told}, {times:.1} times the threshold of his pain"),
            ),
            Some(times) if times > ratio => (
                Finding::Doubtful,
                format!("{told}, only {times:.1} times the threshold of his pain"),
            ),
            Some(times) => (
                Finding::No,
                format!("{told}, {times:.1} times the threshold of his pain"),
            ),
            None => (Finding::No, told),
        }
    };
    let motor_away = away(leg_twitch, motor, "twitch of");
    let sensory_away = away(leg_feeling, sensory, "feeling in");
    let advice = match (near.0, motor_away.0, sensory_away.0) {
        (Finding::Yes, Finding::Yes, Finding::Yes) => "anaesthetise and make the lesion here",
        (_, Finding::No, _) | (_, _, Finding::No) => {
            "a nerve of the leg answers: draw back, away from the foramen, look at the lateral view, and test again"
        }
        (Finding::No, _, _) => "too far from the medial branch: move the needle and test again",
        (Finding::Doubtful, _, _) => {
            "not sure to be near the medial branch: look at the views, move by a millimetre or two, test again"
        }
        _ => {
            "near the medial branch; a nerve of the leg answers at several times that amplitude: check the depth in the lateral view before heating"
        }
    };
    let question = |question, (finding, evidence): (Finding, String)| Question {
        question,
        finding,
        evidence,
    };
    let questions = vec![
        question("near the pain nerve", near),
        question("away from motor nerves of the leg", motor_away),
        question("away from sensory nerves of the leg", sensory_away),
    ];
    Card {
        lesion_here: questions.iter().all(|q| q.finding == Finding::Yes),
        questions,
        advice: advice.to_owned(),
    }
}
