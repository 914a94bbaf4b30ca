//! A procedure's report from what the steps compute: lesion, stimulation and outcome of the built-in patient are computed here; what an operator
//! does (views, placement, checklist, score) is made up and says so.
//!
//! `cargo run --release -p neurotome-io --example procedure_report -- DIR` writes `DIR/procedure.html` and `DIR/procedure.pdf`.

// An example is a program: it may print.
#![allow(clippy::disallowed_methods)]

use std::{error::Error, path::Path};

use neurotome_io::{
    catalog,
    pictures::write_bytes,
    report::{
        document::{Check, KeyFigure, Moment, Picture, Status},
        procedure::{
            Anaesthetic, Counterfactual, Eligibility, Expected, Harm, Injection, Lesion, Log, NerveFate, Placement,
            Plan, PlannedLesion, ProcedureForReport, Reproducibility, Score, TestDone, Tests, ViewTaken, Views,
        },
        stimulation::recruitment,
    },
    results::{RunForReport, summarise},
    scenario::{self, Source},
};
use neurotome_procedure::{
    lesion,
    outcome::{NerveState, OutcomeRequest, population},
    stimulation::{self, Card, Evidence, Examination, Finding, Noticed, Output, Pathway, TestPulse, card, notice},
};

type Answer<T> = Result<T, Box<dyn Error>>;

const PROGRAM: &str = concat!("neurotome ", env!("CARGO_PKG_VERSION"));

fn main() -> Answer<()> {
    let out = std::env::args().nth(1).ok_or("usage: procedure_report DIR")?;
    let catalog = catalog::built_in()?;
    let source = Source::built_in();
    let loaded = scenario::load(&source, &catalog)?;
    let problem = &loaded.problem;
    let result = lesion::solve(problem, &mut |_| true)?;
    let summary = summarise(problem, &result);
    let run = RunForReport {
        title: "",
        problem,
        result: &result,
        ct: None,
        tissue_styles: None,
        record_json: "",
        scenario_text: &source.text,
        summary: &summary,
        program: PROGRAM,
        extra_files: &[],
    };
    let nerves = NerveFate::all_of(problem, &result);
    let target = nerves.iter().find(|n| n.target).ok_or("no target")?;
    let mut lesion = Lesion::of_run(&target.name, &run)?;
    if let Some(curves) = &mut lesion.curves {
        curves.events.push((0.0, Status::Plain, "current on".to_owned()));
        curves
            .events
            .push((problem.heating_s, Status::Plain, "current off".to_owned()));
    }

    let patient = loaded.patient.as_ref().ok_or("no patient")?;
    let pathways = Pathway::of_patient(&**patient, Some(&target.name));
    let examination = Examination::new(problem, &pathways, &catalog)?;
    let protocol = |name: &str| {
        catalog
            .stimulation_tests
            .iter()
            .find(|t| t.name == name)
            .ok_or("no such test")
    };
    let [sensory, motor] = [protocol("sensory")?, protocol("motor")?];
    let pulse = TestPulse {
        output: Output::Voltage,
        width_ms: sensory.pulse_ms.value,
        biphasic: false,
        rate_hz: sensory.rate_hz.value,
    };
    let recruited = examination.answers(&pulse, None)?;
    let person = catalog.perceptions.first().ok_or("nobody perceives")?;
    let [told, seen] = [false, true].map(|motor| notice(&recruited, &pathways, person, motor, 1));
    let decided = card(&Evidence {
        sensory: &told,
        motor: &seen,
        protocols: [sensory, motor],
        output: Output::Voltage,
        circuit: &examination.circuit,
    });

    let numbers = catalog.outcomes.first().ok_or("no numbers of the outcome")?;
    let state = |name: &str| {
        NerveState::cut(
            name,
            if target.destroyed_mm > 0.0 { 1.0 } else { 0.0 },
            target.destroyed_mm,
        )
    };
    let outcome = population(&OutcomeRequest {
        numbers,
        blocks: vec![],
        nerves: [state("upper"), state("lower")],
        lesions: 2,
        skin_cut_fraction: 0.0,
        baseline_points: None,
        people: 2000,
        seed: 1,
    })?;

    let procedure = ProcedureForReport {
        title: "Sample report: right L4–L5 facet joint".to_owned(),
        about: "The built-in patient. Lesion, stimulation and outcome are computed; the operator's deeds are made up for this sample.".to_owned(),
        program: PROGRAM.to_owned(),
        key_figures: vec![
            key("Nerve destroyed", &format!("{:.1}", target.destroyed_mm), "mm", "whole nerve, computed", Status::Pass),
            key("Hottest tissue", &format!("{:.1}", target.peak_c), "°C", "on the nerve, computed", Status::Plain),
            key(
                "Mean relief at 6 months",
                &outcome.shares.get(2).map_or("–".to_owned(), |s| format!("{:.0}", 100.0 * s.mean_relief)),
                "%",
                "of a population, computed",
                Status::Plain,
            ),
            key("Air kerma", "4.1", "mGy", "made up", Status::Plain),
            key("Score", "83", "of 100", "made up", Status::Pass),
        ],
        tests: Some(tests(&told, &seen, &decided, recruitment("Recruitment at the needle", &recruited, "V", 10.0)?)),
        lesions: vec![lesion],
        outcome: Some(Expected::of(&outcome)),
        unverified: loaded
            .notices
            .iter()
            .map(|n| [format!("{}: {} = {}", n.subject, n.key, n.value), n.source.clone()])
            .collect(),
        reproducibility: Some(Reproducibility {
            scenario: source.text.clone(),
            seed: Some(1),
            versions: vec![["Program".to_owned(), PROGRAM.to_owned()]],
            hashes: vec![["Catalogue".to_owned(), catalog::hash(&catalog)]],
            command: "cargo run --release -p neurotome-io --example procedure_report -- DIR".to_owned(),
        }),
        nerves,
        ..made_up()
    };
    let document = procedure.report()?;
    std::fs::create_dir_all(&out)?;
    write_bytes(&Path::new(&out).join("procedure.html"), document.to_html().as_bytes())?;
    write_bytes(&Path::new(&out).join("procedure.pdf"), &document.to_pdf()?)?;
    Ok(())
}

fn key(name: &str, value: &str, unit: &str, remark: &str, status: Status) -> KeyFigure {
    KeyFigure {
        name: name.to_owned(),
        value: value.to_owned(),
        unit: unit.to_owned(),
        remark: remark.to_owned(),
        status,
    }
}

fn tests(told: &[Noticed], seen: &[Noticed], card: &Card, png: Vec<u8>) -> Tests {
    let row = |n: &Noticed, kind: &str| TestDone {
        nerve: n.nerve.clone(),
        kind: kind.to_owned(),
        threshold: n.amplitude,
        threshold_range: n.range[0].zip(n.range[1]).map(|(a, b)| [a, b]),
        highest: 10.0,
        unit: "V".to_owned(),
        answer: format!("{}, {}", said(n.answer), n.place),
        status: if n.leg { Status::Warn } else { Status::Plain },
    };
    Tests {
        done: told
            .iter()
            .take(4)
            .map(|n| row(n, "sensory, 50 Hz"))
            .chain(seen.iter().take(4).map(|n| row(n, "motor, 2 Hz")))
            .collect(),
        card: card
            .questions
            .iter()
            .map(|q| {
                let status = match q.finding {
                    Finding::Yes => Status::Pass,
                    Finding::Doubtful => Status::Warn,
                    Finding::No => Status::Fail,
                };
                check(status, q.question, &q.evidence)
            })
            .collect(),
        pictures: vec![Picture::png(
            png,
            "The share of each class of fibres that fires, against the amplitude",
            "",
        )],
    }
}

fn said(answer: stimulation::Answer) -> &'static str {
    match answer {
        stimulation::Answer::Tingling => "tingling",
        stimulation::Answer::ConcordantPain => "the pain that is known",
        stimulation::Answer::Pain => "another pain",
        stimulation::Answer::Twitch => "twitch",
    }
}

fn check(status: Status, what: &str, remark: &str) -> Check {
    Check {
        status,
        what: what.into(),
        remark: remark.into(),
    }
}

fn moment(when: &str, status: Status, what: &str) -> Moment {
    Moment {
        when: when.to_owned(),
        status,
        what: what.into(),
    }
}

/// What an operator might have done.
fn made_up() -> ProcedureForReport {
    let nerve = "right L4 medial branch";
    ProcedureForReport {
        eligibility: Some(Eligibility {
            status: Status::Pass,
            advice: "Offer the procedure.".to_owned(),
            criteria: vec![
                check(Status::Pass, "Pain for three months or more", "eleven months"),
                check(Status::Pass, "Two blocks with 80 % relief or more", "85 % and 90 %"),
                check(
                    Status::Warn,
                    "Pain does not go below the knee",
                    "to the knee, now and then",
                ),
            ],
            beliefs: vec![["The joint is the source".to_owned(), "0.83 (0.70 to 0.92)".to_owned()]],
        }),
        plan: Some(Plan {
            needles: vec![PlannedLesion {
                nerve: nerve.to_owned(),
                cannula: "20 G, 10 mm, straight".to_owned(),
                to_nerve_deg: 12.0,
                from_nerve_mm: 0.6,
                depth_mm: 71.0,
                set_temperature_c: 80.0,
                heating_s: 90.0,
                destroyed_mm: Some([5.1, 8.8, 10.9]),
            }],
            pictures: vec![],
            remarks: vec![
                "The needle comes from below and lies along the neck of the superior articular process of L5."
                    .to_owned(),
            ],
        }),
        views: Some(Views {
            taken: vec![
                view("Levels counted, antero-posterior", 0.0, 0.0, 6, 0.31, Status::Pass, ""),
                view("Endplates squared", 0.0, -11.0, 4, 0.22, Status::Pass, ""),
                view(
                    "Along the needle",
                    14.0,
                    -38.0,
                    9,
                    0.7,
                    Status::Warn,
                    "6° off the needle",
                ),
                view("Lateral, before the lesion", 90.0, 0.0, 3, 0.9, Status::Pass, ""),
            ],
            beam_s: 22.4,
            air_kerma_mgy: 4.1,
            kerma_area_gy_cm2: 0.62,
            staff_usv: Some(0.4),
            dose_error_relative: Some(0.2),
            pictures: vec![],
        }),
        placements: vec![Placement {
            nerve: nerve.to_owned(),
            tip_error_mm: 1.9,
            from_nerve_mm: 0.9,
            to_nerve_deg: 16.0,
            redirects: 2,
            bone_contacts: 3,
            time_s: 212.0,
            felt: vec![
                moment("0:00", Status::Plain, "Skin"),
                moment("0:41", Status::Plain, "Fascia gives way"),
                moment(
                    "1:12",
                    Status::Warn,
                    "Bone 9 mm too early: transverse process. Drawn back and redirected 4° to the head",
                ),
                moment(
                    "3:32",
                    Status::Pass,
                    "Slides along the neck of the superior articular process",
                ),
            ],
            pictures: vec![],
            status: Status::Pass,
        }],
        anaesthetic: Some(Anaesthetic {
            given: vec![Injection {
                place: nerve.to_owned(),
                agent: "lidocaine 2 %".to_owned(),
                volume_ml: 0.5,
                dose_mg: 10.0,
                blocked: Some(0.97),
                onset_s: Some(74.0),
                status: Status::Pass,
            }],
            total_mg: 10.0,
            most_mg: Some(300.0),
            pictures: vec![],
            remarks: vec![],
        }),
        harm: vec![
            Harm {
                what: "Spinal nerve L4, highest temperature".to_owned(),
                value: "39.2 ± 0.3 °C".to_owned(),
                limit: "45 °C".to_owned(),
                status: Status::Pass,
                remark: "No fibre was hurt.".to_owned(),
            },
            Harm {
                what: "Skin at the shaft".to_owned(),
                value: "37.4 ± 0.1 °C".to_owned(),
                limit: "44 °C".to_owned(),
                status: Status::Pass,
                remark: String::new(),
            },
        ],
        checklist: vec![
            check(Status::Pass, "Side and level said aloud", ""),
            check(Status::Pass, "Return pad on clean skin, far from metal", ""),
            check(
                Status::Fail,
                "Motor test up to twice the sensory threshold",
                "stopped at 1.2 times",
            ),
            check(Status::Open, "Pulse and saturation watched", "not recorded"),
        ],
        score: Some(Score {
            points: [83.0, 100.0],
            status: Status::Pass,
            parts: vec![
                (
                    "Nerve destroyed".to_owned(),
                    38.0,
                    40.0,
                    "over the length that was planned".to_owned(),
                ),
                (
                    "Safety".to_owned(),
                    25.0,
                    35.0,
                    "the motor test was cut short".to_owned(),
                ),
                ("Dose".to_owned(), 20.0, 25.0, "one view too many".to_owned()),
            ],
        }),
        debrief: vec![
            Counterfactual {
                instead: "a second lesion, 5 mm further".to_owned(),
                was: "8.8 mm".to_owned(),
                would_be: "13.1 ± 0.4 mm".to_owned(),
                status: Status::Pass,
                lesson: "A longer gap takes the nerve longer to bridge.".to_owned(),
            },
            Counterfactual {
                instead: "the needle at right angles to the nerve".to_owned(),
                was: "8.8 mm".to_owned(),
                would_be: "3.2 ± 0.3 mm".to_owned(),
                status: Status::Fail,
                lesson: "The lesion hardly reaches beyond the point.".to_owned(),
            },
        ],
        log: Some(Log {
            events: vec![
                moment("00:00:04", Status::Plain, "Pulse: antero-posterior"),
                moment("00:03:32", Status::Pass, "Needle in place"),
                moment("00:05:10", Status::Plain, "Current on"),
                moment("00:06:40", Status::Plain, "Current off"),
            ],
            head: "5f2c…(sample)".to_owned(),
        }),
        ..ProcedureForReport::default()
    }
}

fn view(purpose: &str, orbital: f64, tilt: f64, pulses: u32, kerma: f64, status: Status, remark: &str) -> ViewTaken {
    ViewTaken {
        purpose: purpose.to_owned(),
        orbital_deg: orbital,
        tilt_deg: tilt,
        pulses,
        air_kerma_mgy: kerma,
        status,
        remark: remark.to_owned(),
    }
}
