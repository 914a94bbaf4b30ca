//! The report of a procedure: all its sections in order, gaps named, and the same bytes twice.

#[expect(dead_code, reason = "other tests use the rest of it")]
mod synthetic;

use neurotome_io::{
    report::{
        document::{DISCLAIMER, KeyFigure, Moment, Status},
        procedure::{Expected, Harm, Lesion, Log, NerveFate, Placement, ProcedureForReport, Views},
    },
    results::{RunForReport, SummaryRow, summarise},
};

const SECTIONS: [&str; 18] = [
    "What this is, and what it is not",
    "Should it be done?",
    "Plan",
    "Views and dose",
    "Needle placement",
    "Stimulation tests",
    "Local anaesthetic",
    "Generator",
    "Lesions",
    "Nerves",
    "Harm",
    "Outcome",
    "Checklist",
    "Score",
    "Debrief",
    "Log",
    "Values that were not verified",
    "How to repeat it",
];

fn headings(html: &str) -> Vec<String> {
    html.split("<h2>")
        .skip(1)
        .map(|h| h.split("</h2>").next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_report_of_nothing_names_every_gap() {
    let document = ProcedureForReport::default().report().unwrap();
    let html = document.to_html();
    assert_eq!(headings(&html), SECTIONS);
    assert_eq!(html.matches("was not recorded in this procedure").count(), 16);
    assert!(document.to_pdf().unwrap().starts_with(b"%PDF"));
}

#[test]
fn a_report_holds_what_the_steps_computed() {
    let problem = synthetic::problem(true);
    let result = synthetic::result(&problem);
    let summary = summarise(&problem, &result);
    let run = RunForReport {
        title: "",
        problem: &problem,
        result: &result,
        ct: None,
        tissue_styles: None,
        record_json: "",
        scenario_text: "",
        summary: &summary,
        program: "test",
        extra_files: &[],
    };
    let mut lesion = Lesion::of_run("left L4 medial branch", &run).unwrap();
    let curves = lesion.curves.as_mut().unwrap();
    assert_eq!(curves.t_s.len(), curves.power_w.len());
    curves
        .events
        .push((30.0, Status::Fail, "impedance too high".to_owned()));
    let fates = NerveFate::all_of(&problem, &result);
    assert!(
        fates
            .iter()
            .any(|n| n.target && n.destroyed_mm > 0.0 && n.status == Status::Pass)
    );
    let months: Vec<f64> = (0..=24).map(f64::from).collect();
    let of = |v: f64| vec![v; months.len()];
    let procedure = ProcedureForReport {
        title: "A procedure".to_owned(),
        key_figures: vec![KeyFigure {
            name: "Score".to_owned(),
            value: "83".to_owned(),
            unit: "of 100".to_owned(),
            ..KeyFigure::default()
        }],
        views: Some(Views {
            air_kerma_mgy: 4.125,
            dose_error_relative: Some(0.2),
            ..Views::default()
        }),
        placements: vec![Placement {
            nerve: "left L4 medial branch".to_owned(),
            tip_error_mm: 1.94,
            from_nerve_mm: f64::NAN,
            felt: vec![Moment {
                when: "0:41".to_owned(),
                what: "Fascia gives way".into(),
                ..Moment::default()
            }],
            ..Placement::default()
        }],
        lesions: vec![lesion],
        nerves: fates,
        harm: vec![Harm {
            what: "Spinal nerve".to_owned(),
            value: "39.2 ± 0.3 °C".to_owned(),
            status: Status::Pass,
            ..Harm::default()
        }],
        outcome: Some(Expected {
            mean: of(0.5),
            half: [of(0.3), of(0.7)],
            most: [of(-0.1), of(0.9)],
            half_relieved: of(0.6),
            figures: vec![SummaryRow::new("Mean relief", "50", "%", "± 2 %")],
            months,
            ..Expected::default()
        }),
        log: Some(Log {
            head: "abc123".to_owned(),
            ..Log::default()
        }),
        ..ProcedureForReport::default()
    };
    let document = procedure.report().unwrap();
    let html = document.to_html();
    assert_eq!(headings(&html), SECTIONS);
    for text in [
        "4.12",
        "± 20\u{a0}%",
        "<td class=\"n\">1.9</td>",
        "<td class=\"n\">–</td>",
        "Fascia gives way",
        "39.2 ± 0.3 °C",
        "abc123",
    ] {
        assert!(html.contains(text), "{text}");
    }
    // Slices, views, the generator's curves, relief.
    assert_eq!(html.matches("data:image/png;base64,").count(), 4);
    assert_eq!(html.matches(DISCLAIMER).count(), 1);
    let pdf = document.to_pdf().unwrap();
    assert!(pdf == procedure.report().unwrap().to_pdf().unwrap());
}
