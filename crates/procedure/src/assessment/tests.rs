use super::*;
use crate::catalog::{Catalog, Selection, Sourced};

fn sourced(value: f64) -> Sourced {
    Sourced {
        value,
        source: "test".to_owned(),
        verified: true,
        condition: None,
        range: None,
    }
}

fn catalog() -> Catalog {
    Catalog {
        selections: vec![Selection {
            name: "test".to_owned(),
            title: "test".to_owned(),
            pain_weeks: sourced(12.0),
            conservative_weeks: sourced(12.0),
            blocks_count: sourced(1.0),
            advised_blocks_count: sourced(2.0),
            block_relief_percent: sourced(50.0),
            repeat_relief_percent: sourced(50.0),
            repeat_relief_months: sourced(3.0),
            inr_ratio: sourced(1.5),
            platelets_count: sourced(50.0),
        }],
        ..Catalog::default()
    }
}

fn block(relief_percent: f64) -> DiagnosticBlock {
    DiagnosticBlock {
        kind: BlockKind::MedialBranch,
        joint: "L4-L5".to_owned(),
        relief_percent,
        drug: "lidocaine".to_owned(),
        as_long_as_the_drug: Some(true),
    }
}

fn sound() -> History {
    History {
        patient: Patient {
            age_years: Some(58.0),
            informed: Some(true),
        },
        pain: Pain {
            duration_weeks: Some(60.0),
            intensity_points: Some(7.0),
            place: Some(Where::AxialWithReferral),
            joint: Some("L4-L5".to_owned()),
        },
        conservative: Conservative {
            duration_weeks: Some(20.0),
            treatments: vec!["exercise".to_owned()],
            sufficient: Some(false),
        },
        blocks: vec![block(80.0), block(90.0)],
        red_flags: Some(vec![]),
        contraindications: Contraindications {
            infection: Some(Infection::None),
            anticoagulant: Some(Anticoagulant::None),
            coagulopathy: Some(false),
            inr_ratio: None,
            platelets_count: None,
            pregnancy: Some(false),
            allergies: Some(vec![]),
            implants: Some(vec![]),
        },
        ..History::default()
    }
}

fn judged(history: &History) -> (Verdict, Vec<&'static str>) {
    let a = assess(&catalog(), history).unwrap();
    let open = a
        .findings
        .iter()
        .filter(|f| f.state != State::Met)
        .map(|f| f.criterion)
        .collect();
    assert!(
        a.findings
            .iter()
            .all(|f| (f.state == State::Met) == f.advice.is_empty())
    );
    (a.verdict, open)
}

#[test]
fn a_sound_history_is_eligible() {
    assert_eq!(judged(&sound()), (Verdict::Eligible, vec![]));
    assert!(sound().faults().is_empty());
}

#[test]
fn an_empty_history_names_all_that_is_missing() {
    let (verdict, open) = judged(&History::default());
    assert_eq!(verdict, Verdict::NotYet);
    let a = assess(&catalog(), &History::default()).unwrap();
    assert_eq!(open.len(), a.findings.len());
    assert!(a.findings.iter().all(|f| f.state == State::Missing));
}

/// Something done to a history.
type Change<'a> = &'a dyn Fn(&mut History);

#[test]
fn each_change_is_answered_by_its_criterion() {
    let with = |change: &dyn Fn(&mut History)| {
        let mut history = sound();
        change(&mut history);
        judged(&history)
    };
    let cases: [(Change<'_>, Verdict, &str); 14] = [
        (&|h| h.pain.duration_weeks = Some(11.9), Verdict::NotYet, "chronic pain"),
        (
            &|h| h.pain.place = Some(Where::Radicular),
            Verdict::NotEligible,
            "pain of the back, not of a root",
        ),
        (
            &|h| h.conservative.duration_weeks = Some(4.0),
            Verdict::NotYet,
            "conservative care",
        ),
        (
            &|h| h.conservative.treatments.clear(),
            Verdict::NotYet,
            "conservative care",
        ),
        (
            &|h| h.conservative.sufficient = Some(true),
            Verdict::NotYet,
            "conservative care did not suffice",
        ),
        (&|h| h.blocks.clear(), Verdict::NotYet, "diagnostic blocks"),
        (
            &|h| h.blocks = vec![block(30.0)],
            Verdict::NotEligible,
            "diagnostic blocks",
        ),
        (
            &|h| h.blocks = vec![block(60.0)],
            Verdict::EligibleWithPlanning,
            "controlled blocks",
        ),
        (
            &|h| h.red_flags = Some(vec![RedFlag::Cancer]),
            Verdict::NotEligible,
            "no red flag",
        ),
        (
            &|h| h.contraindications.infection = Some(Infection::Systemic),
            Verdict::NotEligible,
            "no infection",
        ),
        (
            &|h| h.contraindications.anticoagulant = Some(Anticoagulant::Direct),
            Verdict::EligibleWithPlanning,
            "drugs against clotting",
        ),
        (
            &|h| h.contraindications.pregnancy = Some(true),
            Verdict::NotEligible,
            "no pregnancy",
        ),
        (
            &|h| h.contraindications.implants = Some(vec![Implant::Pacemaker]),
            Verdict::EligibleWithPlanning,
            "implants",
        ),
        (
            &|h| h.contraindications.inr_ratio = Some(2.4),
            Verdict::NotYet,
            "clotting time",
        ),
    ];
    for (change, verdict, criterion) in cases {
        assert_eq!(with(change), (verdict, vec![criterion]));
    }
}

#[test]
fn a_former_neurotomy_stands_in_for_blocks() {
    let mut history = sound();
    history.blocks.clear();
    let former = |relief_percent, relief_months| Former {
        months_ago: 12.0,
        relief_percent,
        relief_months,
    };
    history.former = Some(former(80.0, 9.0));
    assert_eq!(judged(&history).0, Verdict::Eligible);
    history.former = Some(former(80.0, 1.0));
    assert_eq!(
        judged(&history),
        (Verdict::NotEligible, vec!["relief by the former neurotomy"])
    );
}

#[test]
fn blocks_of_another_joint_do_not_count() {
    let mut history = sound();
    history.pain.joint = Some("L5-S1".to_owned());
    assert_eq!(judged(&history), (Verdict::NotYet, vec!["diagnostic blocks"]));
    assert!(history.answers().is_empty() && sound().answers().len() == 2);
}

#[test]
fn numbers_that_cannot_be_are_named_by_their_key() {
    let mut history = sound();
    history.blocks[1].relief_percent = 120.0;
    history.pain.joint = Some("L9".to_owned());
    let keys: Vec<String> = history.faults().into_iter().map(|f| f.0).collect();
    assert_eq!(keys, ["block[1].relief_percent", "pain.joint"]);
    history.blocks[1].relief_percent = f64::NAN;
    assert_eq!(history.faults().len(), 2);
}
