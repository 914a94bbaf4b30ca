//! The shape of the two JSON files that other programs read, on a made-up result.

use neurotome::{
    io::{
        catalog,
        scenario::{self, Source},
    },
    procedure::lesion::{
        Contour, Contours, Curves, Evidence, FieldSample, FieldSampler, LesionResult, NerveInjury, Snapshot,
    },
    record::{FORMAT, Record, first_difference, lesion_json},
};
use neurotome_base::PatientPoint;

struct NoField;
impl FieldSampler for NoField {
    fn sample(&self, _: &PatientPoint) -> Option<FieldSample> {
        None
    }
}

fn made_up(nerves: &[String]) -> LesionResult {
    let contour = Contour {
        width_mm: 7.5,
        width_x_mm: 7.25,
        length_mm: 12.5,
        volume_mm3: 320.0,
    };
    let snapshot = |t_s: f64, power_w: f64| Snapshot {
        t_s,
        probes: [("tip".to_owned(), 80.0 + 0.1)].into(),
        power_w,
        impedance_ohm: 110.5,
        voltage_v: 15.0,
        current_a: 0.125,
        contours: Contours {
            iso45: Some(contour),
            omega1: Some(contour),
            ..Contours::default()
        },
    };
    LesionResult {
        snapshots: vec![snapshot(105.0, 2.0), snapshot(135.0, 0.0)],
        curves: Curves {
            t_s: vec![1.0, 3.0],
            set_temperature_c: vec![40.0, 80.0],
            thermocouple_c: vec![40.0, 79.75],
            max_tissue_c: vec![41.0, 82.0],
            voltage_v: vec![12.0, 15.0],
            current_a: vec![0.1, 0.125],
            power_w: vec![1.5, 2.0],
            impedance_ohm: vec![120.0, 110.5],
            ..Curves::default()
        },
        tissues: vec![],
        skin_entries: vec![],
        leaks: vec![],
        pulse: None,
        pad: None,
        nerves: nerves
            .iter()
            .map(|name| NerveInjury {
                name: name.clone(),
                destroyed_mm: 0.0,
                peak_temperature_c: 42.0,
                destroyed_by_law_mm: std::collections::BTreeMap::new(),
                distance_to_lesion_mm: Some(4.0),
            })
            .collect(),
        evidence: Evidence::default(),
        lesion_surface: vec![PatientPoint::new(0.0, 0.0, 0.0)],
        fields: Box::new(NoField),
    }
}

#[test]
fn a_record_reads_back_and_names_no_machine() {
    let catalog = catalog::built_in().unwrap();
    let source = Source {
        folder: "/some/where".into(),
        ..Source::built_in()
    };
    let loaded = scenario::load(&source, &catalog).unwrap();
    let names: Vec<String> = loaded.problem.nerves.iter().map(|n| n.name.clone()).collect();
    let result = made_up(&names);
    let record = Record::new(&source, &loaded, &catalog::hash(&catalog), &result);
    let text = record.to_json().unwrap();
    assert!(!text.contains("/some/where"));
    let back: Record = serde_json::from_str(&text).unwrap();
    assert_eq!(back, record);
    assert_eq!(back.to_json().unwrap(), text);

    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["format"], FORMAT);
    assert!(value["disclaimer"].as_str().unwrap().contains("not a medical device"));
    for key in [
        "tissues",
        "needles",
        "drive",
        "injury",
        "blood",
        "solver",
        "output_times_s",
    ] {
        assert!(!value["resolved"][key].is_null(), "resolved.{key}");
    }
    for key in ["summary", "snapshots", "nerves", "evidence", "curves"] {
        assert!(!value["results"][key].is_null(), "results.{key}");
    }
    // The built-in patient uses unverified values, and the record says which.
    assert!(value["notices"].as_array().is_some_and(|n| n.len() > 5));
    let summary = &value["results"]["summary"];
    assert_eq!(summary["peak_power_w"], 2.0);
    assert_eq!(summary["energy_j"], 1.5 + 2.0 * 2.0);
    assert_eq!(summary["impedance_start_ohm"], 120.0);
    assert_eq!(summary["impedance_end_ohm"], 110.5);
    assert_eq!(summary["time_to_set_temperature_s"], 3.0);
    assert_eq!(summary["lesion"]["width_mm"], 7.5);
    assert_eq!(summary["nerves"][0]["name"], names[0].as_str());

    let mut other = value.clone();
    other["results"]["curves"]["power_w"][1] = 2.25.into();
    let (path, before, now) = first_difference(&value["results"], &other["results"]).unwrap();
    assert_eq!(
        (path.as_str(), before.as_str(), now.as_str()),
        ("curves.power_w[1]", "2.0", "2.25")
    );

    let table = record.results.summary.table(&loaded, &result.evidence, 1.25);
    for expected in [
        "peak power",
        "2.00 W",
        "12.50 mm",
        "4.0 mm from the lesion",
        "Unverified values used",
        "not a medical device",
    ] {
        assert!(table.contains(expected), "{expected} is not in\n{table}");
    }
}

#[test]
fn lesion_json_has_its_agreed_shape() {
    let json = lesion_json(&made_up(&[]));
    let keys = |v: &serde_json::Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sorted = |mut v: Vec<String>| {
        v.sort();
        v
    };
    assert_eq!(sorted(keys(&json)), ["evidence", "times"]);
    let time = &json["times"][0];
    assert_eq!(
        sorted(keys(time)),
        ["contours", "impedance_ohm", "power_w", "probes", "t_s", "voltage_v"]
    );
    assert_eq!(sorted(keys(&time["contours"])), ["iso45", "iso50", "iso60", "omega1"]);
    assert_eq!(
        sorted(keys(&time["contours"]["iso45"])),
        ["length_mm", "volume_mm3", "width_mm"]
    );
    assert!(time["contours"]["iso60"].is_null());
    assert_eq!(time["probes"]["tip"], 80.1);
}
