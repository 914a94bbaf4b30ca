//! From the question to the block of the nerve.

use super::{
    super::{Anaesthetic, Eligibility, Placement, Plan, Tests, Views},
    LEFT, RIGHT, absent, maybe, number, percent, section, shown, terms,
};
use crate::report::document::{Block, KeyFigure, Section, Status, Table, Text, quantity};
use crate::results::figure;

pub(super) fn eligibility(e: Option<&Eligibility>) -> Section {
    let mut s = section(
        "eligibility",
        "Should it be done?",
        "Who is helped by this procedure is a question of the pain's source. Blocks of the medial branches answer it best, and they err.",
    );
    let Some(e) = e else {
        absent(&mut s, "An assessment");
        return s;
    };
    s.push(Block::note(e.status, Text::default().bold(e.advice.as_str())));
    if !e.criteria.is_empty() {
        s.push(Block::Checklist(e.criteria.clone()));
    }
    terms(&mut s, &e.beliefs);
    s
}

pub(super) fn plan(p: Option<&Plan>) -> Section {
    let mut s = section(
        "plan",
        "Plan",
        "The lesion reaches sideways from the bare metal and hardly beyond its point, so the active tip should lie along the nerve.",
    );
    let Some(p) = p else {
        absent(&mut s, "A plan");
        return s;
    };
    let mut t = Table::new(
        "Destroyed length: middle of the draws of nerve, placement and tissue, and the range of 80 % of them.",
        &[
            ("Nerve", LEFT),
            ("Cannula", LEFT),
            ("Angle to the nerve, °", RIGHT),
            ("From the nerve, mm", RIGHT),
            ("Depth, mm", RIGHT),
            ("Setting", LEFT),
            ("Expected, mm", RIGHT),
        ],
    );
    for n in &p.needles {
        t.row([
            n.nerve.clone(),
            n.cannula.clone(),
            number(n.to_nerve_deg, 0),
            number(n.from_nerve_mm, 1),
            number(n.depth_mm, 0),
            format!(
                "{}, {}",
                quantity(&number(n.set_temperature_c, 0), "°C"),
                quantity(&number(n.heating_s, 0), "s")
            ),
            n.destroyed_mm.map_or_else(
                || "–".to_owned(),
                |[low, mid, high]| format!("{} ({} to {})", number(mid, 1), number(low, 1), number(high, 1)),
            ),
        ]);
    }
    s.push(Block::Table(t));
    s.blocks.extend(p.remarks.iter().map(|r| Block::paragraph(r.as_str())));
    shown(&mut s, &p.pictures);
    s
}

pub(super) fn views(v: Option<&Views>) -> Section {
    let mut s = section("views", "Views and dose", "");
    let Some(v) = v else {
        absent(&mut s, "Fluoroscopy");
        return s;
    };
    let error = v.dose_error_relative.map_or_else(
        || "error not stated".to_owned(),
        |e| format!("± {}", quantity(&number(100.0 * e, 0), "%")),
    );
    let card = |name: &str, value: String, unit: &str, remark: &str| KeyFigure {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        remark: remark.to_owned(),
        status: Status::Plain,
    };
    let mut cards = vec![
        card("Beam on", number(v.beam_s, 1), "s", ""),
        card(
            "Air kerma at the reference point",
            figure(v.air_kerma_mgy),
            "mGy",
            &error,
        ),
        card("Kerma–area product", figure(v.kerma_area_gy_cm2), "Gy cm²", &error),
    ];
    if let Some(usv) = v.staff_usv {
        cards.push(card("Staff, under the apron", figure(usv), "µSv", &error));
    }
    s.push(Block::KeyFigures(cards));
    if !v.taken.is_empty() {
        let mut t = Table::new(
            "Views in order. Rotation is positive to the patient's left, tilt to the head.",
            &[
                ("View", LEFT),
                ("Rotation, °", RIGHT),
                ("Tilt, °", RIGHT),
                ("Pulses", RIGHT),
                ("Air kerma, mGy", RIGHT),
                ("Remark", LEFT),
            ],
        );
        for w in &v.taken {
            t.row_with(
                w.status,
                [
                    w.purpose.clone(),
                    number(w.orbital_deg, 0),
                    number(w.tilt_deg, 0),
                    w.pulses.to_string(),
                    figure(w.air_kerma_mgy),
                    w.remark.clone(),
                ],
            );
        }
        s.push(Block::Table(t));
    }
    shown(&mut s, &v.pictures);
    s
}

pub(super) fn placements(all: &[Placement]) -> Section {
    let mut s = section(
        "needles",
        "Needle placement",
        "Distances are to the nerve of the model, which the operator cannot see. The error is that from the plan.",
    );
    if all.is_empty() {
        absent(&mut s, "Placement of a needle");
        return s;
    }
    let mut t = Table::new(
        "",
        &[
            ("Nerve", LEFT),
            ("Tip from the plan, mm", RIGHT),
            ("Active tip from the nerve, mm", RIGHT),
            ("Angle to the nerve, °", RIGHT),
            ("Redirects", RIGHT),
            ("Bone touched", RIGHT),
            ("Time, s", RIGHT),
        ],
    );
    for p in all {
        t.row_with(
            p.status,
            [
                p.nerve.clone(),
                number(p.tip_error_mm, 1),
                number(p.from_nerve_mm, 1),
                number(p.to_nerve_deg, 0),
                p.redirects.to_string(),
                p.bone_contacts.to_string(),
                number(p.time_s, 0),
            ],
        );
    }
    s.push(Block::Table(t));
    for p in all.iter().filter(|p| !p.felt.is_empty() || !p.pictures.is_empty()) {
        s.push(Block::Heading(p.nerve.clone()));
        if !p.felt.is_empty() {
            s.push(Block::Timeline(p.felt.clone()));
        }
        shown(&mut s, &p.pictures);
    }
    s
}

pub(super) fn tests(t: Option<&Tests>) -> Section {
    let mut s = section(
        "tests",
        "Stimulation tests",
        "A low sensory threshold says that the tip is near the medial branch. A twitch of the leg, or pain into it, says that a spinal nerve is \
         near: then no lesion may be made.",
    );
    let Some(tests) = t else {
        absent(&mut s, "Stimulation");
        return s;
    };
    let mut t = Table::new(
        "In brackets: the threshold of one person in ten, and that which nine in ten have or stay below.",
        &[
            ("Nerve", LEFT),
            ("Test", LEFT),
            ("Threshold", RIGHT),
            ("Tried up to", RIGHT),
            ("Answer", LEFT),
        ],
    );
    for d in &tests.done {
        let threshold = match (d.threshold, d.threshold_range) {
            (None, _) => "none".to_owned(),
            (Some(v), None) => quantity(&number(v, 2), &d.unit),
            (Some(v), Some([a, b])) => {
                format!(
                    "{} ({} to {})",
                    quantity(&number(v, 2), &d.unit),
                    number(a, 2),
                    number(b, 2)
                )
            }
        };
        let row = [
            d.nerve.clone(),
            d.kind.clone(),
            threshold,
            quantity(&number(d.highest, 1), &d.unit),
            d.answer.clone(),
        ];
        t.row_with(d.status, row);
    }
    s.push(Block::Table(t));
    if !tests.card.is_empty() {
        s.push(Block::Heading("The card".to_owned()));
        s.push(Block::Checklist(tests.card.clone()));
    }
    shown(&mut s, &tests.pictures);
    s
}

pub(super) fn anaesthetic(a: Option<&Anaesthetic>) -> Section {
    let mut s = section("anaesthetic", "Local anaesthetic", "");
    let Some(a) = a else {
        absent(&mut s, "Local anaesthetic");
        return s;
    };
    let mut t = Table::new(
        "Blocked: share of the fibres of pain that did not conduct when the lesion began.",
        &[
            ("Where", LEFT),
            ("What", LEFT),
            ("Volume, ml", RIGHT),
            ("Dose, mg", RIGHT),
            ("Onset, s", RIGHT),
            ("Blocked", RIGHT),
        ],
    );
    for i in &a.given {
        t.row_with(
            i.status,
            [
                i.place.clone(),
                i.agent.clone(),
                number(i.volume_ml, 1),
                number(i.dose_mg, 0),
                maybe(i.onset_s, 0),
                percent(i.blocked),
            ],
        );
    }
    s.push(Block::Table(t));
    let total = Text::from("Dose of all: ").quantity(&number(a.total_mg, 0), "mg");
    s.paragraph(match a.most_mg {
        Some(most) => total
            .plain(", of at most ")
            .quantity(&number(most, 0), "mg")
            .plain(format!(" ({}).", percent(Some(a.total_mg / most)))),
        None => total.plain("."),
    });
    s.blocks.extend(a.remarks.iter().map(|r| Block::paragraph(r.as_str())));
    shown(&mut s, &a.pictures);
    s
}
