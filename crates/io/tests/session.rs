//! A session: random commands never break it, and its log leads to the same state and the same bytes.

use std::sync::{Arc, OnceLock};

use neurotome_io::{
    catalog,
    scenario::{self, Source},
    session_log::{FORMAT, Header, read_bytes, to_bytes},
};
use neurotome_procedure::{
    anatomy::Level,
    fluoroscopy::NamedView,
    session::{
        Case, Command, Entry, Event, Order, Preparation, Record, Sedation, Session, SessionError, State, Syringe,
        TestKind, interlocks,
    },
};
use proptest::prelude::*;

fn case() -> Arc<Case> {
    static CASE: OnceLock<Arc<Case>> = OnceLock::new();
    Arc::clone(CASE.get_or_init(|| {
        let catalog = Arc::new(catalog::built_in().unwrap());
        let source = Source::procedure();
        let loaded = scenario::load(&source, &catalog).unwrap();
        Arc::new(scenario::case(&source, loaded, &catalog).unwrap())
    }))
}

fn header() -> Header {
    Header {
        format: FORMAT.to_owned(),
        program: "test".to_owned(),
        disclaimer: String::new(),
        scenario_name: "procedure.toml".to_owned(),
        scenario: Source::procedure().text,
        catalog_sha256: String::new(),
        inputs: vec![],
    }
}

fn submit(session: &mut Session, order: Order) -> Result<Entry, SessionError> {
    session.submit(order, &mut |_| true, &mut |_| Ok(())).cloned()
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => (-20i32..2000).prop_map(|n| f64::from(n) * 0.1),
        1 => Just(f64::NAN),
        1 => Just(1e300),
        1 => Just(-1.0),
        1 => Just(0.0),
    ]
}

fn place() -> impl Strategy<Value = [f64; 3]> {
    prop_oneof![
        3 => [-80.0..0.0f64, 0.0..95.0f64, -60.0..60.0f64],
        1 => [number(), number(), number()],
    ]
}

/// Commands that need no long computation: those that solve fields are stubborn only in time.
fn command() -> impl Strategy<Value = Command> {
    let item = prop::sample::select(Preparation::ALL.to_vec());
    let level = prop::sample::select(Sedation::ALL.to_vec());
    let view = prop::sample::select(NamedView::ALL.to_vec());
    let vertebra = prop::option::of(prop::sample::select(Level::ALL.to_vec()));
    let syringe = || {
        (
            prop::option::of(prop::sample::select(vec!["lidocaine", "saline", "tea"])),
            prop::option::of(number()),
            prop::option::of(number()),
        )
            .prop_map(|(agent, percent, volume_ml)| Syringe {
                agent: agent.map(str::to_owned),
                percent,
                volume_ml,
            })
    };
    let cannula = prop::option::of(prop::sample::select(vec!["18G-10mm-straight", "none"]));
    prop_oneof![
        Just(Command::Assess),
        item.prop_map(|item| Command::Prepare { item }),
        level.prop_map(|level| Command::Sedate { level }),
        (view, vertebra).prop_map(|(view, level)| Command::View { view, level }),
        (number(), number()).prop_map(|(orbital_deg, tilt_deg)| Command::Arm { orbital_deg, tilt_deg }),
        Just(Command::LookAlong),
        prop::option::of(place()).prop_map(|entry_mm| Command::Mark { entry_mm }),
        syringe().prop_map(|syringe| Command::Numb { syringe }),
        (cannula, prop::option::of(place())).prop_map(|(cannula, towards_mm)| Command::Enter {
            cannula: cannula.map(str::to_owned),
            towards_mm
        }),
        number().prop_map(|mm| Command::Advance { mm }),
        number().prop_map(|mm| Command::Withdraw { mm }),
        number().prop_map(|deg| Command::Turn { deg }),
        place().prop_map(|towards_mm| Command::Steer { towards_mm }),
        Just(Command::Remove),
        syringe().prop_map(|syringe| Command::Anaesthetise { syringe }),
        number().prop_map(|seconds| Command::Wait { seconds }),
        Just(Command::Stop),
        prop::option::of(0usize..4).prop_map(|target| Command::Next { target }),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        12 => (command(), prop::option::weighted(0.7, "[a-z ]{1,12}")).prop_map(|(command, reason)| Order::Do {
            command,
            reason,
        }),
        1 => (0usize..12).prop_map(|undo_to| Order::Undo { undo_to }),
    ]
}

/// What must hold of any state.
fn check(case: &Case, session: &Session) {
    let state = session.state();
    // The state is what its record leads to.
    assert_eq!(*state, session.record().state());
    assert!(state.t_s.is_finite() && state.t_s >= 0.0);
    assert!(state.target < 2);
    if let Some(needle) = &state.needle {
        let device = case.device(&needle.cannula).unwrap();
        assert!((0.0..=device.needle.length_mm + 1e-6).contains(&needle.depth_mm));
        let tip = needle.pose().tip_mm;
        assert!(
            case.patient.bone_level_mm(&tip) > -0.5,
            "the tip is in bone: {needle:?}"
        );
    }
    assert!(state.dose.air_kerma_mgy >= 0.0);
    for (agent, mg) in &state.drugs_mg {
        assert!(mg.is_finite() && *mg >= 0.0, "{agent}");
    }
    // Time only goes on, along the branch.
    let mut t_s = 0.0;
    for entry in session.record().branch() {
        assert!(entry.t_s >= t_s - 1e-9 && entry.took_s >= 0.0);
        t_s = entry.t_s;
    }
}

fn sequences() -> u32 {
    // The whole number is `cargo xtask validate`'s.
    std::env::var("NEUROTOME_SEQUENCES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(2000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: sequences(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_orders_never_break_a_session(orders in prop::collection::vec(order(), 1..30)) {
        let case = case();
        let mut session = Session::new(Arc::clone(&case)).unwrap();
        for order in orders {
            let before = session.state().clone();
            let steps = session.record().entries().len();
            match submit(&mut session, order) {
                Ok(entry) => {
                    // Interlocks without a reason change nothing but the count of them.
                    if entry.events.iter().any(|e| matches!(e, Event::Refused { .. })) {
                        prop_assert_eq!(entry.events.len(), 1);
                        prop_assert_eq!(&session.state().needle, &before.needle);
                        prop_assert_eq!(session.state().t_s, before.t_s);
                    }
                }
                Err(e) => {
                    prop_assert!(!e.to_string().is_empty());
                    prop_assert_eq!(session.state(), &before);
                    prop_assert_eq!(session.record().entries().len(), steps);
                }
            }
            check(&case, &session);
        }
        // Written, read and gone on with: the same state.
        let entries = session.record().entries().to_vec();
        let bytes = to_bytes(&header(), &entries).unwrap();
        let read = read_bytes(&bytes).unwrap();
        prop_assert_eq!(&read.entries, &entries);
        let resumed = Session::resumed(Arc::clone(&case), read.entries).unwrap();
        prop_assert_eq!(resumed.state(), session.state());
        // Given again: the same bytes.
        let mut again = Session::new(Arc::clone(&case)).unwrap();
        for entry in &entries {
            submit(&mut again, entry.order.clone()).unwrap();
        }
        prop_assert_eq!(to_bytes(&header(), again.record().entries()).unwrap(), bytes);
    }
}

fn lines(session: &mut Session, lines: &[&str]) -> Vec<Entry> {
    lines
        .iter()
        .map(|line| submit(session, line.parse().unwrap()).unwrap_or_else(|e| panic!("{line}: {e}")))
        .collect()
}

fn codes(entry: &Entry) -> Vec<&str> {
    match &entry.events[0] {
        Event::Refused { interlocks } | Event::Overridden { interlocks, .. } => {
            interlocks.iter().map(|i| i.code.as_str()).collect()
        }
        _ => vec![],
    }
}

#[test]
fn what_is_skipped_raises_an_interlock_that_a_reason_overrides() {
    let case = case();
    let mut session = Session::new(Arc::clone(&case)).unwrap();
    let done = lines(
        &mut session,
        &[
            "prepare consent",
            "assess",
            "prepare consent",
            "mark -40,90,-24",
            "mark -40,90,-24 because the level was counted before",
            "enter towards -25,30,30",
        ],
    );
    assert_eq!(codes(&done[0]), ["not-assessed"]);
    assert!(codes(&done[2]).is_empty());
    assert_eq!(codes(&done[3]), ["level-not-counted", "no-plan"]);
    assert!(matches!(done[4].events[1], Event::Marked { .. }));
    assert_eq!(
        codes(&done[5]),
        ["no-time-out", "no-prone", "no-monitor", "no-clean", "skin-not-numb"]
    );
    assert!(session.state().needle.is_none());
    assert_eq!(session.state().refused, 3);
    assert_eq!(session.state().overridden.len(), 2);
    let heat = interlocks(&case, session.state(), &"heat".parse().unwrap());
    for code in [
        "no-pad",
        "no-sensory-test",
        "no-motor-test",
        "not-numb",
        "no-lateral-view",
        "no-impedance",
    ] {
        assert!(heat.iter().any(|i| i.code == code), "{code} is missing");
    }
    // Without a needle nothing can be heated, whatever the reason.
    let error = submit(&mut session, "heat because I want to".parse().unwrap()).unwrap_err();
    assert!(error.to_string().contains("no needle"), "{error}");
}

#[test]
fn going_back_begins_another_branch() {
    let mut session = Session::new(case()).unwrap();
    lines(&mut session, &["assess", "prepare consent", "prepare prone"]);
    let after_two = State::after(session.record().branch().take(2));
    lines(&mut session, &["undo 2"]);
    assert_eq!(*session.state(), after_two);
    lines(&mut session, &["prepare monitor"]);
    assert_eq!(session.record().entries().len(), 5);
    assert_eq!(session.record().steps(), 3);
    assert!(!session.state().ready.contains(&Preparation::Prone));
    let error = submit(&mut session, Order::Undo { undo_to: 3 }).unwrap_err();
    assert!(error.to_string().contains("of 3"), "{error}");
    assert!(
        Record::of(vec![Entry {
            t_s: 0.0,
            took_s: 0.0,
            order: Order::Undo { undo_to: 0 },
            events: vec![],
        }])
        .is_err()
    );
}

#[test]
fn a_needle_is_stopped_by_bone_and_drawn_back() {
    let case = case();
    let mut session = Session::new(Arc::clone(&case)).unwrap();
    let [target, _] = case.targets().unwrap();
    let frame = case.patient.frame(target.at).unwrap();
    // Towards the middle of the body there is bone on the way from behind.
    let middle = frame.origin;
    let aim = format!("{},{},{}", middle.x, middle.y, middle.z);
    lines(
        &mut session,
        &[
            &format!("mark {},{},{} because a test", middle.x - 12.0, 91.0, middle.z),
            &format!("enter 18G-10mm-straight towards {aim} because a test"),
        ],
    );
    lines(&mut session, &["advance 90"]);
    let state = session.state();
    assert!(state.on_bone && state.bone_contacts() == 1, "{state:?}");
    let deep = state.needle.clone().unwrap();
    lines(&mut session, &["withdraw 10"]);
    let back = session.state().needle.clone().unwrap();
    assert!((deep.depth_mm - back.depth_mm - 10.0).abs() < 1e-9);
    lines(&mut session, &["withdraw 149"]);
    assert!(session.state().needle.is_none());
}

#[test]
fn an_entry_that_cannot_be_kept_does_not_count() {
    let mut session = Session::new(case()).unwrap();
    let error = session
        .submit("assess".parse().unwrap(), &mut |_| true, &mut |_| {
            Err("the disk is full".to_owned())
        })
        .unwrap_err();
    assert!(error.to_string().contains("the disk is full"));
    assert_eq!(*session.state(), State::default());
    assert_eq!(submit(&mut session, "assess".parse().unwrap()).unwrap().t_s, 0.0);
}

#[test]
fn a_test_needs_a_needle_and_a_picture_a_view() {
    let mut session = Session::new(case()).unwrap();
    for (line, says) in [
        ("shot because a test", "view"),
        ("test sensory because a test", "no needle"),
        ("impedance", "no needle"),
        ("withdraw 2", "no needle"),
        ("stop", "no lesion"),
    ] {
        let error = submit(&mut session, line.parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains(says), "{line}: {error}");
    }
    let kinds = [TestKind::Sensory, TestKind::Motor];
    assert_eq!(kinds.map(TestKind::word), ["sensory", "motor"]);
}
