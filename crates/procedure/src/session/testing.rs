//! Impedance and the two tests, with the needle where it lies.

use super::{
    Answered, Case, Done, Event, Judged, NeedleNow, SessionError, State, TestKind, Watch,
    drugs::Drugs,
    movement::{Cause, movement},
    needle_in, problem_of, target_of, within,
};
use crate::{
    catalog::{Perception, StimulationTest, find},
    stimulation::{
        Answer, Circuit, Conductivities, Evidence, Examination, MOST_V, Noticed, Output, Pathway, Recruitment,
        TestPulse, at_stimulation, card, notice,
    },
};

/// Amplitudes rise in such steps, V.
const STEP_V: f64 = 0.05;
/// The impedance is read on cells so many times as large as the lesion's: it is known to a hundredth then, as an instrument knows it.
const IMPEDANCE_CELLS: f64 = 2.0;
/// Volts up to which a test goes where nothing is said: sensory, motor.
const UP_TO_V: [f64; 2] = [1.0, 2.0];

/// What was computed for the needle where it lies.
#[derive(Default)]
pub(super) struct Testing {
    at: Option<At>,
}

struct At {
    needle: NeedleNow,
    target: usize,
    /// Time for which an anaesthetic was looked at; none before there is one.
    numb_at_s: Option<f64>,
    circuit: Circuit,
    recruitments: Vec<Recruitment>,
    pathways: Vec<Pathway>,
}

fn protocol(case: &Case, kind: TestKind) -> Result<&StimulationTest, SessionError> {
    find(&case.catalog.stimulation_tests, kind.word()).ok_or_else(|| {
        super::impossible(
            "test",
            format!("the catalogue has no stimulation_test \"{}\"", kind.word()),
            "add the entry",
        )
    })
}

fn pulse(protocol: &StimulationTest) -> TestPulse {
    TestPulse {
        output: Output::Voltage,
        width_ms: protocol.pulse_ms.value,
        biphasic: false,
        rate_hz: protocol.rate_hz.value,
    }
}

/// Measures the impedance at the radiofrequency.
pub(super) fn impedance(case: &Case, state: &State) -> Result<Done, SessionError> {
    let needle = needle_in(state, "impedance")?;
    let mut problem = problem_of(case, state, needle)?;
    problem.solver.cell_size *= IMPEDANCE_CELLS;
    let usual_ohm = crate::lesion::Heating::new(&problem)?.reading().impedance_ohm;
    // A cannula that is broken shows less, one that is not connected more.
    let ohm = state
        .faults
        .iter()
        .filter(|f| f.onset_s <= 0.0)
        .fold(usual_ohm, |ohm, f| {
            let (series, beside) = f.circuit(ohm);
            1.0 / (1.0 / (series + ohm) + 1.0 / beside)
        });
    Ok(Done::at_once(vec![Event::ImpedanceRead {
        ohm,
        usual_ohm: Some(usual_ohm),
    }]))
}

fn said(answer: Answer) -> &'static str {
    match answer {
        Answer::Tingling => "tingling",
        Answer::ConcordantPain => "the known pain",
        Answer::Pain => "another pain",
        Answer::Twitch => "twitch",
    }
}

impl Testing {
    fn at(&mut self, case: &Case, state: &State, drugs: &mut Drugs, watch: Watch<'_>) -> Result<&At, SessionError> {
        let needle = needle_in(state, "test")?;
        let numb_at_s = state.at_target().anaesthetic.as_ref().map(|_| state.t_s);
        let known = self
            .at
            .as_ref()
            .is_some_and(|at| at.needle == *needle && at.target == state.target && at.numb_at_s == numb_at_s);
        if !known {
            let problem = problem_of(case, state, needle)?;
            let (problem, _) = at_stimulation(&problem, &case.catalog, Conductivities::default());
            let name = target_of(case, state)?.name();
            let pathways = Pathway::of_patient(&*case.patient, Some(&name));
            let numbed = drugs.numbed(case, state, watch)?;
            if !watch("test: field of the bare metal") {
                return Err(SessionError::Cancelled);
            }
            let examination = Examination::new(&problem, &pathways, &case.catalog)?;
            if !watch("test: fibres") {
                return Err(SessionError::Cancelled);
            }
            let sensory = pulse(protocol(case, TestKind::Sensory)?);
            let recruitments = match &numbed {
                Some(numbed) => examination.answers(&sensory, Some(&|p, c, mm| numbed.sodium(p, c, mm))),
                None => examination.answers(&sensory, None),
            }?;
            self.at = Some(At {
                needle: needle.clone(),
                target: state.target,
                numb_at_s,
                circuit: examination.circuit,
                recruitments,
                pathways,
            });
        }
        self.at
            .as_ref()
            .ok_or_else(|| super::impossible("test", "nothing was computed", "test again"))
    }

    /// Raises the amplitude and notes what is told or seen; when both tests are made, judges them.
    pub(super) fn test(
        &mut self,
        case: &Case,
        state: &State,
        drugs: &mut Drugs,
        kind: TestKind,
        up_to_v: Option<f64>,
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        let up_to_v = within(
            "the largest amplitude",
            up_to_v.unwrap_or(UP_TO_V[usize::from(kind == TestKind::Motor)]),
            STEP_V,
            MOST_V,
            "V",
        )?;
        let name = state.sedation.perception();
        let perception: &Perception = find(&case.catalog.perceptions, name).ok_or_else(|| {
            super::impossible(
                "test",
                format!("the catalogue has no perception \"{name}\""),
                "add the entry",
            )
        })?;
        let protocols = [protocol(case, TestKind::Sensory)?, protocol(case, TestKind::Motor)?];
        let at = self.at(case, state, drugs, watch)?;
        let noticed = |motor: bool, limit_v: f64| -> Vec<Noticed> {
            notice(&at.recruitments, &at.pathways, perception, motor, case.seed)
                .into_iter()
                .map(|n| {
                    // What comes between two steps is noticed at the higher one.
                    let step = n.amplitude.map(|a| (a / STEP_V).ceil() * STEP_V);
                    Noticed {
                        amplitude: step.map(|a| (a * 1e4).round() / 1e4).filter(|a| *a <= limit_v + 1e-9),
                        ..n
                    }
                })
                .collect()
        };
        let answers: Vec<Answered> = noticed(kind == TestKind::Motor, up_to_v)
            .into_iter()
            .filter_map(|n| {
                Some(Answered {
                    answer: said(n.answer).to_owned(),
                    place: n.place.to_owned(),
                    amplitude_v: n.amplitude?,
                    leg: n.leg,
                    target: n.target,
                    nerve: n.nerve,
                })
            })
            .collect();
        let numb = state.at_target().anaesthetic.is_some();
        let mut events = vec![Event::Tested {
            kind,
            up_to_v,
            answers,
            numb,
        }];
        let other = match kind {
            TestKind::Sensory => TestKind::Motor,
            TestKind::Motor => TestKind::Sensory,
        };
        if let Some(done) = state.tested_here(other).filter(|_| !numb) {
            let limit = |k: TestKind| if k == kind { up_to_v } else { done.up_to_v };
            let sensory = noticed(false, limit(TestKind::Sensory));
            let motor = noticed(true, limit(TestKind::Motor));
            let card = card(&Evidence {
                sensory: &sensory,
                motor: &motor,
                protocols,
                output: Output::Voltage,
                circuit: &at.circuit,
            });
            events.push(Event::TestsJudged {
                leg_answers: card.questions[1..]
                    .iter()
                    .any(|q| q.finding == crate::stimulation::Finding::No),
                questions: card
                    .questions
                    .iter()
                    .map(|q| Judged {
                        question: q.question.to_owned(),
                        finding: q.finding.word().to_owned(),
                        evidence: q.evidence.clone(),
                    })
                    .collect(),
                lesion_here: card.lesion_here,
                advice: card.advice,
            });
        }
        // A sharp pain, not that which is asked for, makes some patients move.
        let sharp = events.iter().any(|e| {
            matches!(e, Event::Tested { kind: TestKind::Sensory, answers, .. } if answers.iter().any(|a| a.answer == said(Answer::Pain)))
        });
        if sharp && let Some(moved) = movement(case, state, Cause::Test) {
            events.push(moved);
        }
        Ok(Done::at_once(events))
    }
}
