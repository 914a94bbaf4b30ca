//! What stands against a command: the order of the procedure, what was skipped, what the tests say. An operator may override each with a
//! reason; what cannot be done at all is an error, not an interlock.

use super::{
    case::Case,
    command::{Command, Preparation, Sedation, TestKind},
    event::Interlock,
    state::{State, ViewKind},
};

/// Seconds after an injection before which heating is early: the advice is one to three minutes.
pub const WAIT_S: f64 = 60.0;
/// Share of the fibres of pain that may still conduct when heating begins.
pub const NUMB_SHARE: f64 = 0.5;
/// Impedance within which a lesion is begun, Ω.
pub const IMPEDANCE_OHM: [f64; 2] = [80.0, 1000.0];
/// Set temperatures that destroy and do not char, °C.
pub const SET_C: [f64; 2] = [60.0, 95.0];

fn lock(code: &str, text: impl Into<String>) -> Interlock {
    Interlock {
        code: code.to_owned(),
        text: text.into(),
    }
}

/// All that stands against a command now.
pub fn interlocks(case: &Case, state: &State, command: &Command) -> Vec<Interlock> {
    let mut all = Vec::new();
    match command {
        Command::Prepare { .. } | Command::Sedate { .. } => {
            eligible(state, &mut all);
        }
        Command::Shot | Command::Screen { .. } if !state.ready.contains(&Preparation::Prone) => {
            all.push(lock(
                "not-prone",
                "the patient does not lie on the table yet; `prepare prone`",
            ));
        }
        Command::Mark { .. } => {
            if !state.seen(ViewKind::Ap) {
                all.push(lock(
                    "level-not-counted",
                    "no AP picture yet, so that the level was not counted; `view ap`, `shot`",
                ));
            }
            if state.plan.is_empty() {
                all.push(lock("no-plan", "there is no plan; `plan`"));
            }
        }
        Command::Numb { .. } => before_needle(state, &mut all),
        Command::Enter { .. } => {
            before_needle(state, &mut all);
            if state.at_target().skin.is_none() && state.sedation != Sedation::Deep {
                all.push(lock("skin-not-numb", "the skin is not numb; `numb`"));
            }
        }
        Command::Test { kind, .. } => test(state, *kind, &mut all),
        Command::Anaesthetise { .. }
            if state.tested_here(TestKind::Sensory).is_none() || state.tested_here(TestKind::Motor).is_none() =>
        {
            all.push(lock(
                "not-tested",
                "both tests come before the anaesthetic, with the needle where it lies; `test sensory`, `test motor`",
            ));
        }
        Command::Heat { set_c, .. } => heat(case, state, *set_c, &mut all),
        Command::Finish => {
            if state.needle.is_some() {
                all.push(lock("needle-in", "a needle is still in the patient; `remove`"));
            }
            for (planned, at) in state.plan.iter().zip(&state.targets) {
                if at.lesions.is_empty() {
                    all.push(lock(
                        "nerve-left",
                        format!("the {} has no lesion yet; `next`, or say why it is left", planned.nerve),
                    ));
                }
            }
        }
        _ => {}
    }
    all
}

fn eligible(state: &State, all: &mut Vec<Interlock>) {
    match &state.assessed {
        None => all.push(lock("not-assessed", "the history was not judged; `assess`")),
        Some((verdict, false)) => all.push(lock(
            "not-eligible",
            format!("by the assessment the patient is {verdict}"),
        )),
        Some(_) => {}
    }
}

fn before_needle(state: &State, all: &mut Vec<Interlock>) {
    eligible(state, all);
    for item in Preparation::ALL {
        // The pad matters when current flows.
        if item != Preparation::Pad && !state.ready.contains(&item) {
            all.push(lock(
                &format!("no-{}", item.word()),
                format!("not yet: {}; `prepare {}`", item.means(), item.word()),
            ));
        }
    }
    if state.at_target().marked_mm.is_none() {
        all.push(lock("not-marked", "the skin is not marked for this nerve; `mark`"));
    }
}

fn pad(state: &State, all: &mut Vec<Interlock>) {
    if !state.ready.contains(&Preparation::Pad) {
        all.push(lock(
            "no-pad",
            "no return pad: current would return through whatever touches the patient; `prepare pad`",
        ));
    }
}

fn test(state: &State, kind: TestKind, all: &mut Vec<Interlock>) {
    pad(state, all);
    if state.sedation == Sedation::Deep && kind == TestKind::Sensory {
        all.push(lock(
            "too-sedated",
            "a deeply sedated patient tells nothing; `sedate light`",
        ));
    }
    if state.at_target().anaesthetic.is_some() {
        all.push(lock(
            "numb",
            "the anaesthetic is in: a test now says nothing of where the needle lies",
        ));
    }
}

fn heat(case: &Case, state: &State, set_c: Option<f64>, all: &mut Vec<Interlock>) {
    pad(state, all);
    let at = state.at_target();
    for kind in [TestKind::Sensory, TestKind::Motor] {
        if state.tested_here(kind).is_none() {
            let word = kind.word();
            all.push(lock(
                &format!("no-{word}-test"),
                format!("no {word} test with the needle where it lies; `test {word}`"),
            ));
        }
    }
    if let Some(judged) = state.judged_here()
        && judged.leg_answers
    {
        all.push(lock("leg-answers", judged.advice.clone()));
    }
    if let Some(beyond) = state.planned().and_then(|p| p.beyond.as_ref()) {
        all.push(lock(
            "harm-planned",
            format!("the plan goes beyond the limits of harm: {beyond}"),
        ));
    }
    match &at.anaesthetic {
        None if state.sedation != Sedation::Deep => all.push(lock(
            "not-numb",
            "no anaesthetic at the nerve: heating would hurt; `anaesthetise`, `wait 120`",
        )),
        Some(done) => {
            let since_s = state.t_s - done.end_s;
            if since_s < WAIT_S {
                all.push(lock(
                    "not-waited",
                    format!("{since_s:.0} s since the injection; the anaesthetic needs one to three minutes; `wait`"),
                ));
            } else if done.pain_conducting.is_some_and(|c| c > NUMB_SHARE) {
                all.push(lock(
                    "still-feels",
                    format!(
                        "{:.0} % of the fibres of pain still conduct; wait, or inject again",
                        100.0 * done.pain_conducting.unwrap_or(1.0)
                    ),
                ));
            }
        }
        None => {}
    }
    for (kind, what, view) in [
        (ViewKind::Ap, "AP", "ap".to_owned()),
        (ViewKind::Lateral, "lateral", State::lateral(case.side).to_string()),
    ] {
        if !state.seen_since_moved(kind) {
            all.push(lock(
                &format!("no-{}-view", what.to_lowercase()),
                format!("no {what} picture of the needle where it lies; `view {view}`, `shot`"),
            ));
        }
    }
    match at.impedance_ohm {
        None => all.push(lock("no-impedance", "the impedance was not measured; `impedance`")),
        Some(ohm) if !(IMPEDANCE_OHM[0]..=IMPEDANCE_OHM[1]).contains(&ohm) => all.push(lock(
            "impedance",
            format!(
                "{ohm:.0} Ω, expected {} to {} Ω: look at leads, pad and needle",
                IMPEDANCE_OHM[0], IMPEDANCE_OHM[1]
            ),
        )),
        Some(_) => {}
    }
    if let Some(c) = set_c
        && !(SET_C[0]..=SET_C[1]).contains(&c)
    {
        all.push(lock(
            "set-temperature",
            format!("{c} °C; lesions are made at {} to {} °C", SET_C[0], SET_C[1]),
        ));
    }
}
