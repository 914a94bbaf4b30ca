//! What `neurotome stimulate` prints and writes.

use std::fmt::Write as _;

use neurotome_io::{
    report::stimulation::{muscles, recruitment, threshold_map},
    results::ExtraFile,
};
use neurotome_procedure::{
    lesion::LesionProblem,
    stimulation::{Answer, Noticed, Trace},
};

use super::{Failure, Record, Tested, json_text};

/// The files of a results folder.
pub(super) fn files(record: &Record<'_>, problem: &LesionProblem) -> Result<Vec<ExtraFile>, Failure> {
    let picture = |name: &str, caption: &str, bytes: Result<Vec<u8>, neurotome_io::results::ResultsError>| {
        Ok::<_, Failure>(ExtraFile {
            name: name.to_owned(),
            caption: caption.to_owned(),
            bytes: bytes.map_err(|e| Failure::Input(e.to_string()))?,
        })
    };
    let unit = record.sensory.unit;
    let columns: Vec<(String, Vec<Trace>)> = record
        .traces
        .iter()
        .map(|(a, t)| (format!("{a} {unit}"), t.clone()))
        .collect();
    let mut all = vec![
        ExtraFile {
            name: "stimulation.json".to_owned(),
            caption: "answers, thresholds, shares of fibres, traces, decision".to_owned(),
            bytes: json_text(record)?.into_bytes(),
        },
        picture(
            "recruitment.png",
            "which fibres fire at which amplitude",
            recruitment(
                record.scenario,
                &record.sensory.nerves,
                unit,
                record.sensory.pulse.output.most(),
            ),
        )?,
        picture(
            "muscles.png",
            "traces of the muscles after a pulse of the motor test",
            muscles("Muscles after a pulse of the motor test", &columns),
        )?,
    ];
    if let Some(map) = &record.map {
        all.push(picture(
            "threshold_map.png",
            "thresholds over places of the needle",
            threshold_map(record.scenario, map, problem, unit),
        )?);
    }
    Ok(all)
}

fn amplitude(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(|| "not reached".to_owned(), |v| format!("{v:.2} {unit}"))
}

fn told(n: &Noticed) -> &'static str {
    match n.answer {
        Answer::Tingling => "tingling",
        Answer::ConcordantPain => "his pain",
        Answer::Pain => "pain",
        Answer::Twitch => "twitch",
    }
}

/// Answers that come at no allowed amplitude stand last; of these only the count is told.
fn answers(out: &mut String, tested: &Tested) {
    for n in tested.answers.iter().filter(|n| n.amplitude.is_some()) {
        let range = match n.range {
            [Some(low), Some(high)] => format!("{low:.2} to {high:.2}"),
            [Some(low), None] => format!("{low:.2} or more"),
            _ => String::new(),
        };
        let _ = writeln!(
            out,
            "  {:>11}  {:13}  {:9} {}  ({})",
            amplitude(n.amplitude, tested.unit),
            range,
            told(n),
            n.place,
            n.nerve
        );
    }
    let silent = tested.answers.iter().filter(|n| n.amplitude.is_none()).count();
    if silent > 0 {
        let most = tested.pulse.output.most();
        let _ = writeln!(out, "  {silent} other answers not up to {most} {}", tested.unit);
    }
}

/// What is printed.
pub(super) fn table(r: &Record<'_>) -> String {
    let mut out = String::new();
    let tip = r.tip_mm.map(|v| format!("{v:.1}")).join(", ");
    let _ = writeln!(out, "{}\nTip at {tip} mm", r.scenario);
    let _ = writeln!(
        out,
        "Tissue {:.0} Ω; border of the metal {:.1} µF, so that a voltage decays in the tissue with {:.2} ms",
        r.circuit.tissue_ohm, r.circuit.border_uf, r.time_constant_ms
    );
    let phases = if r.sensory.pulse.biphasic { ", biphasic" } else { "" };
    for (name, tested, what) in [
        ("Sensory", &r.sensory, "what the patient tells"),
        ("Motor", &r.motor, "which muscles twitch"),
    ] {
        let _ = writeln!(
            out,
            "\n{name} test, {} Hz, {} ms{phases}: {what} ({})\n     typical  8 of 10 people",
            tested.pulse.rate_hz, tested.pulse.width_ms, r.perception
        );
        answers(&mut out, tested);
    }
    let _ = writeln!(out, "\nDecision");
    for q in &r.card.questions {
        let _ = writeln!(out, "  {:39} {:9} {}", q.question, q.finding.word(), q.evidence);
    }
    let _ = writeln!(out, "  → {}", r.card.advice);
    if let Some(map) = &r.map {
        let mut found: Vec<f64> = map.points.iter().filter_map(|p| p.target).collect();
        found.sort_by(f64::total_cmp);
        let at = |share: f64| found.get((share * (found.len().max(1) - 1) as f64) as usize);
        if let (Some(low), Some(middle), Some(high)) = (at(0.1), at(0.5), at(0.9)) {
            let _ = writeln!(
                out,
                "\nMap: {} places that the needle can take of {}; the typical Aβ fibre of the target fires at {low:.2}, {middle:.2}, {high:.2} {} \
                 (tenth, half, nine tenths of them)",
                found.len(),
                map.points.len(),
                r.sensory.unit
            );
        }
    }
    for remark in &r.remarks {
        let _ = writeln!(out, "\nRemark: {remark}");
    }
    if !r.unverified.is_empty() {
        let _ = writeln!(
            out,
            "\nThese answers rest on values that were recalled, derived or assumed (`neurotome catalog KIND NAME` tells each):"
        );
        for line in &r.unverified {
            let _ = writeln!(out, "  {line}");
        }
    }
    out
}
