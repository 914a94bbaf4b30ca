//! Markups of 3D Slicer: what Slicer writes is read in LPS millimetres, what is written is read back to the bit, all else is one error.

use std::fs;
use std::path::{Path, PathBuf};

use neurotome_base::PatientPoint;
use neurotome_io::markups::{
    ControlPoint, MAX_BYTES, MAX_POINTS, Markup, MarkupKind, Markups, MarkupsError, landmarks, markups_json,
    read_markups, read_markups_bytes, write_markups,
};
use proptest::prelude::*;

const SCHEMA: &str = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v1.0.3.json#";

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus/markups")
        .join(name)
}

/// One markup as text, within a sound file.
fn file(markup: &str) -> String {
    format!(r#"{{"@schema": "{SCHEMA}", "markups": [{markup}]}}"#)
}

fn points(head: &str, points: &str) -> String {
    file(&format!(r#"{{{head}, "controlPoints": [{points}]}}"#))
}

fn read(text: &str) -> Result<Markups, MarkupsError> {
    read_markups_bytes(text.as_bytes())
}

fn refused(text: &str) -> String {
    let message = read(text).expect_err(text).to_string();
    assert!(message.starts_with("reading markups (bytes)"), "{message}");
    assert!(message.contains("expected"), "{message}");
    message
}

#[test]
fn files_as_slicer_writes_them() {
    let m = read_markups(&corpus("landmarks_lps.mrk.json")).unwrap();
    assert_eq!((m.list.len(), m.list[0].kind), (1, MarkupKind::Fiducial));
    assert_eq!(m.list[0].name, "landmarks_lps");
    assert_eq!(m.list[0].points.len(), 3);
    assert_eq!(m.list[0].points[1].at, PatientPoint::new(-21.25, 205.5, -84.75));
    assert!(m.notes.len() == 1 && m.notes[0].contains("\"F-4\""), "{:?}", m.notes);
    let names: Vec<String> = landmarks(&m).unwrap().iter().map(|l| l.name.to_string()).collect();
    assert_eq!(names, ["L4", "L4 right SAP-TP junction", "L4 left mamillary"]);

    let m = read_markups(&corpus("needle_line_coded_units.mrk.json")).unwrap();
    assert_eq!(
        (m.list[0].kind, m.list[0].points[0].label.as_str()),
        (MarkupKind::Line, "entry")
    );

    let m = read_markups(&corpus("nerve_ras_and_plane.mrk.json")).unwrap();
    assert_eq!((m.list.len(), m.list[0].kind), (1, MarkupKind::Curve));
    assert_eq!(m.list[0].name, "L3 medial branch right");
    assert_eq!(m.list[0].points[0].at, PatientPoint::new(-21.0, 202.0, -83.0));
    assert!(
        m.notes[0].contains("Plane") && m.notes[0].contains("left out"),
        "{:?}",
        m.notes
    );

    let m = read_markups(&corpus("old_number_ras.mrk.json")).unwrap();
    assert_eq!(m.list[0].points[0].at, PatientPoint::new(-1.0, 180.0, -125.5));

    let error = read_markups(&corpus("no_coordinate_system.mrk.json")).unwrap_err();
    assert!(matches!(error, MarkupsError::CoordinateSystem { .. }), "{error}");
}

#[test]
fn the_frame_is_never_guessed() {
    let list = |system: &str| {
        points(
            &format!(r#""type": "Fiducial"{system}"#),
            r#"{"label": "L4", "position": [1.5, -2.5, 3.5]}"#,
        )
    };
    let (lps, ras) = (PatientPoint::new(1.5, -2.5, 3.5), PatientPoint::new(-1.5, 2.5, 3.5));
    for (system, at) in [
        (r#""LPS""#, lps),
        ("1", lps),
        (r#""1""#, lps),
        (r#""RAS""#, ras),
        ("0", ras),
        (r#""0""#, ras),
    ] {
        let m = read(&list(&format!(r#", "coordinateSystem": {system}"#))).unwrap();
        assert_eq!(m.list[0].points[0].at, at, "{system}");
    }
    for (system, found) in [
        ("", "missing"),
        (r#", "coordinateSystem": null"#, "missing"),
        (r#", "coordinateSystem": "IJK""#, "\"IJK\""),
        (r#", "coordinateSystem": "lps""#, "\"lps\""),
        (r#", "coordinateSystem": 2"#, "2"),
        (r#", "coordinateSystem": true"#, "true"),
        (r#", "coordinateSystem": ["LPS"]"#, "[\"LPS\"]"),
    ] {
        let message = refused(&list(system));
        assert!(message.contains(&format!("coordinateSystem is {found};")), "{message}");
        assert!(message.contains("markup 1 (Fiducial)"), "{message}");
    }
}

#[test]
fn other_units_are_refused() {
    let list = |unit: &str| {
        points(
            &format!(r#""type": "Fiducial", "coordinateSystem": "LPS", "coordinateUnits": {unit}"#),
            r#"{"position": [1.5, -2.5, 3.5]}"#,
        )
    };
    assert!(read(&list(r#""mm""#)).is_ok());
    assert!(read(&list(r#"["mm", "UCUM", "millimeter"]"#)).is_ok());
    for unit in [
        r#""um""#,
        r#""""#,
        "1",
        r#"["um", "UCUM", "micrometer"]"#,
        r#"["mm", "DCM", "millimeter"]"#,
        r#"["mm"]"#,
        "[]",
        "[[], [], []]",
        "{}",
    ] {
        let message = refused(&list(unit));
        assert!(message.contains("coordinateUnits is"), "{message}");
    }
}

#[test]
fn points_that_are_none() {
    let list = |kind: &str, list: &str| points(&format!(r#""type": "{kind}", "coordinateSystem": "RAS""#), list);
    for (position, found) in [
        ("[1, 2]", "[1, 2]"),
        ("[1, 2, 3, 4]", "[1, 2, 3, 4]"),
        ("[1, 2, 3, 4, 5, 6]", "a list of 6"),
        (r#"[1, 2, "3"]"#, "\"3\""),
        ("[1, 2, null]", "null"),
        ("[1, 2, 1e300]", "1000000000"),
        ("[1, 2, 10000.5]", "10000.5"),
        (r#""""#, "\"\""),
        ("{}", "an object"),
    ] {
        let text = list(
            "Fiducial",
            &format!(r#"{{"position": [1, 2, 3]}}, {{"position": {position}}}"#),
        );
        let message = refused(&text);
        assert!(
            message.contains(found) && message.contains("position of point 2"),
            "{message}"
        );
    }
    // NaN and infinity are no JSON; a number beyond all range is none either.
    for position in ["[1, 2, NaN]", "[1, 2, Infinity]", "[1, 2, 1e999]"] {
        let message = refused(&list("Fiducial", &format!(r#"{{"position": {position}}}"#)));
        assert!(message.contains("line 1 column"), "{message}");
    }
    let message = refused(&list(
        "Fiducial",
        r#"{"position": [1, 2, 3], "positionStatus": "sure"}"#,
    ));
    assert!(message.contains("positionStatus of point 1 is \"sure\""), "{message}");

    let unset = r#"{"label": "a", "position": "", "positionStatus": "undefined"}, {"label": "b", "position": [1, 2, 3], "positionStatus": "preview"}, {"label": "c"}"#;
    let m = read(&list(
        "Fiducial",
        &format!(r#"{unset}, {{"label": "d", "position": [1, 2, 3]}}"#),
    ))
    .unwrap();
    assert_eq!(m.list[0].points.len(), 1);
    assert!(
        m.notes[0].contains("3 point(s)") && m.notes[0].contains("\"a\", \"b\", \"c\""),
        "{:?}",
        m.notes
    );
    assert!(refused(&list("Fiducial", unset)).contains("0 point(s)"));

    let p = r#"{"position": [1, 2, 3]}"#;
    for (kind, most) in [
        ("Fiducial", 0),
        ("Line", 1),
        ("Line", 3),
        ("Curve", 1),
        ("ClosedCurve", 2),
    ] {
        let message = refused(&list(kind, &vec![p; most].join(", ")));
        assert!(
            message.contains(&format!("{most} point(s) with a defined position")),
            "{message}"
        );
    }
}

#[test]
fn what_is_no_markups_file() {
    for (text, found) in [
        (String::new(), "EOF"),
        ("not JSON".to_owned(), "line 1 column"),
        ("[]".to_owned(), "the object of a markups file"),
        ("{}".to_owned(), "the schema is missing"),
        (r#"{"@schema": 3, "markups": []}"#.to_owned(), "the schema is 3"),
        (r#"{"@schema": "x", "markups": []}"#.to_owned(), "the schema is \"x\""),
        (
            format!(
                r#"{{"@schema": "{}", "markups": []}}"#,
                SCHEMA.replace("v1.0.3", "v2.0.0")
            ),
            "the schema is",
        ),
        (file(""), "no markup"),
        (format!(r#"{{"@schema": "{SCHEMA}"}}"#), "no markup"),
        (
            format!(r#"{{"@schema": "{SCHEMA}", "markups": {{}}}}"#),
            "a list of markups",
        ),
        (file("3"), "markups[0]: invalid type"),
        (file(r#"{"name": "a"}"#), "missing field `type`"),
        (file(r#"{"type": "Plane"}"#), "1 markup(s), none of them of use"),
        (
            file(r#"{"type": "Fiducial", "controlPoints": 3}"#),
            "a list of control points",
        ),
        (points(r#""type": "Fiducial""#, "3"), "a control point"),
        (
            points(r#""type": "Fiducial""#, r#"{"label": 3}"#),
            "controlPoints[0].label",
        ),
        (file("") + "x", "trailing characters"),
        ("[".repeat(100_000), "line 1 column"),
        (
            file(&format!(
                r#"{{"type": {}{}}}"#,
                "[".repeat(100_000),
                "]".repeat(100_000)
            )),
            "line 1 column",
        ),
    ] {
        let message = refused(&text);
        assert!(message.contains(found), "{found}: {message}");
        assert!(message.len() < 1000, "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read_markups(folder.path()), Err(MarkupsError::Read { .. })));
    let gone = read_markups(&folder.path().join("none.mrk.json"))
        .unwrap_err()
        .to_string();
    assert!(
        gone.contains("none.mrk.json") && gone.contains("check the path"),
        "{gone}"
    );
}

#[test]
fn long_texts_give_short_messages() {
    let long = "é".repeat(100_000);
    for text in [
        file(&format!(r#"{{"type": "Fiducial", "name": "{long}"}}"#)),
        points(&format!(r#""type": "Fiducial", "coordinateSystem": "{long}""#), ""),
        file(&format!(r#"{{"type": 3, "{long}": 1}}"#)),
        file(&format!(r#"{{"type": "Fiducial", "controlPoints": "{long}"}}"#)),
        format!(r#"{{"@schema": "{long}"}}"#),
    ] {
        assert!(refused(&text[..]).len() < 1200);
    }
}

#[test]
fn sizes_are_capped() {
    let p = r#"{"position":[1,2,3]}"#;
    let head = r#""type": "Curve", "coordinateSystem": "LPS""#;
    assert!(read(&points(head, &vec![p; MAX_POINTS].join(","))).is_ok());
    let message = refused(&points(head, &vec![p; MAX_POINTS + 1].join(",")));
    assert!(message.contains("10001 control points"), "{message}");
    let message = refused(&file(&vec![r#"{"type":"Plane"}"#; MAX_POINTS + 1].join(",")));
    assert!(message.contains("10001 markups"), "{message}");
    let mut padded = points(head, &[p; 2].join(",")).into_bytes();
    padded.resize(MAX_BYTES, b' ');
    assert!(read_markups_bytes(&padded).is_ok());
    padded.push(b' ');
    assert!(matches!(
        read_markups_bytes(&padded),
        Err(MarkupsError::TooLarge { .. })
    ));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.mrk.json");
    fs::write(&path, &padded).unwrap();
    assert!(matches!(read_markups(&path), Err(MarkupsError::TooLarge { .. })));
}

#[test]
fn what_is_written_is_what_slicer_asks_for() {
    let at = PatientPoint::new(-21.0, 205.5, -84.75);
    let list = [
        Markup::fiducials("landmarks", vec![ControlPoint::new("L4 right SAP-TP junction", at)]),
        Markup::line("needle", PatientPoint::new(-60.0, 260.0, -120.0), at),
        Markup::curve("L3 medial branch right", &[at, PatientPoint::new(-21.0, 207.0, -88.0)]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.mrk.json");
    write_markups(&path, &list).unwrap();
    assert_eq!(read_markups(&path).unwrap().list, list);
    assert_eq!(fs::read(&path).unwrap(), markups_json(&list).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);

    // The schema's keys, types and allowed words.
    let json: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(json["@schema"], SCHEMA);
    let kinds: Vec<_> = json["markups"].as_array().unwrap().iter().map(|m| &m["type"]).collect();
    assert_eq!(kinds, ["Fiducial", "Line", "Curve"]);
    for markup in json["markups"].as_array().unwrap() {
        assert_eq!(
            (&markup["coordinateSystem"], &markup["coordinateUnits"]),
            (&"LPS".into(), &"mm".into())
        );
        for point in markup["controlPoints"].as_array().unwrap() {
            assert!(point["id"].is_string() && point["label"].is_string());
            // Early versions of Slicer take whole numbers for an error.
            let position = point["position"].as_array().unwrap();
            assert!(position.len() == 3 && position.iter().all(serde_json::Value::is_f64));
            assert_eq!(point["orientation"].as_array().unwrap().len(), 9);
            assert_eq!(point["positionStatus"], "defined");
            assert!(point["selected"].is_boolean() && point["visibility"].is_boolean());
        }
    }
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.mrk.json");
    let at = |x: f64| ControlPoint::new("", PatientPoint::new(x, 0.0, 0.0));
    let good = [Markup::fiducials("good", vec![at(0.0)])];
    write_markups(&path, &good).unwrap();
    let long = ControlPoint::new("x".repeat(MAX_BYTES), PatientPoint::new(0.0, 0.0, 0.0));
    for list in [
        vec![],
        vec![Markup::fiducials("none", vec![])],
        vec![Markup::fiducials("nan", vec![at(f64::NAN)])],
        vec![Markup::fiducials("far", vec![at(1e6)])],
        vec![Markup::curve("short", &[PatientPoint::new(0.0, 0.0, 0.0)])],
        vec![Markup::fiducials("many", vec![at(0.0); MAX_POINTS + 1])],
        vec![Markup::fiducials("long", vec![long])],
    ] {
        let error = write_markups(&path, &list).unwrap_err();
        assert!(matches!(error, MarkupsError::Input { .. }), "{error}");
    }
    assert_eq!(
        read_markups(&path).unwrap().list,
        good,
        "the older file is left as it was"
    );
    let error = write_markups(&folder.path().join("plan.json"), &good)
        .unwrap_err()
        .to_string();
    assert!(error.contains(".mrk.json"), "{error}");
    let error = write_markups(&folder.path().join("none/plan.mrk.json"), &good).unwrap_err();
    assert!(matches!(error, MarkupsError::Write { .. }), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn labels_that_name_no_landmark_are_told() {
    let read = |labels: &[&str]| {
        let at = PatientPoint::new(0.0, 0.0, 0.0);
        let list = [Markup::fiducials(
            "a",
            labels.iter().map(|l| ControlPoint::new(*l, at)).collect(),
        )];
        landmarks(&read_markups_bytes(&markups_json(&list).unwrap()).unwrap())
    };
    assert_eq!(read(&["L4", "L4 R accessory"]).unwrap().len(), 2);
    let error = read(&["L4", "F-2"]).unwrap_err().to_string();
    assert!(error.contains("\"F-2\"") && error.contains("rename"), "{error}");
    let error = read(&["L4 r TP tip", "l4_right_tp_tip"]).unwrap_err().to_string();
    assert!(error.contains("\"L4 right TP tip\" is there twice"), "{error}");
    let line = Markup::line("n", PatientPoint::new(0.0, 0.0, 0.0), PatientPoint::new(1.0, 0.0, 0.0));
    let lines = read_markups_bytes(&markups_json(&[line]).unwrap()).unwrap();
    assert!(matches!(landmarks(&lines), Err(MarkupsError::Empty { .. })));
}

fn any_point() -> impl Strategy<Value = ControlPoint> {
    let c = -10_000.0..=10_000.0f64;
    ("\\PC{0,12}", c.clone(), c.clone(), c)
        .prop_map(|(label, x, y, z)| ControlPoint::new(label, PatientPoint::new(x, y, z)))
}

fn any_markup() -> impl Strategy<Value = Markup> {
    (0..4usize, "\\PC{1,12}", prop::collection::vec(any_point(), 3..20)).prop_map(|(kind, name, mut points)| {
        let kind = MarkupKind::ALL[kind];
        if kind == MarkupKind::Line {
            points.truncate(2);
        }
        Markup { kind, name, points }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_written_is_read_to_the_bit(list in prop::collection::vec(any_markup(), 1..4)) {
        let json = markups_json(&list).unwrap();
        let read = read_markups_bytes(&json).unwrap();
        prop_assert_eq!(&read.list, &list);
        prop_assert!(read.notes.is_empty());
        prop_assert_eq!(markups_json(&read.list).unwrap(), json);
    }

    #[test]
    fn ras_and_lps_are_the_same_place(list in prop::collection::vec(any_markup(), 1..4)) {
        let mut json: serde_json::Value = serde_json::from_slice(&markups_json(&list).unwrap()).unwrap();
        for markup in json["markups"].as_array_mut().unwrap() {
            markup["coordinateSystem"] = "RAS".into();
            for point in markup["controlPoints"].as_array_mut().unwrap() {
                for axis in 0..2 {
                    let negated = -point["position"][axis].as_f64().unwrap();
                    point["position"][axis] = negated.into();
                }
            }
        }
        let read = read_markups_bytes(&serde_json::to_vec_pretty(&json).unwrap()).unwrap();
        prop_assert_eq!(read.list, list);
    }

    #[test]
    fn any_text_in_any_place_is_an_answer_or_an_error(key in "[a-zA-Z@]{1,12}", value in "\\PC{0,40}") {
        for text in [
            file(&format!(r#"{{"type": "Curve", "{key}": {value}}}"#)),
            points(r#""type": "Curve", "coordinateSystem": "LPS""#, &format!(r#"{{"{key}": {value}}}"#)),
            value,
        ] {
            if let Err(e) = read(&text) {
                prop_assert!(e.to_string().len() < 1500);
            }
        }
    }
}
