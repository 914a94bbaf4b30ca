//! The sections of the report, in the order of the procedure.

use super::{
    Anaesthetic, Curves, Eligibility, Expected, Lesion, Log, Placement, Plan, ProcedureForReport, Reproducibility,
    Score, Tests, Views,
};
use crate::report::{
    charts::SLATE,
    document::{Align, Block, Document, KeyFigure, Picture, Section, Status, Table, Text, quantity},
    plot::{Band, Curve, PAPER_PX, Plot, plots},
    style::{ACTIVE_TIP, INK, ISO_50, ISO_60, LESION, NERVE_SPARED, NERVE_TARGET, Rgb},
};
use crate::results::{ResultsError, SummaryRow, figure};

const RIGHT: Align = Align::Right;
const LEFT: Align = Align::Left;

/// A number with its decimals; a dash when there is none.
fn number(value: f64, decimals: usize) -> String {
    if value.is_finite() && value.abs() < 1e12 {
        format!("{value:.decimals$}").replace('-', "\u{2212}")
    } else {
        "–".to_owned()
    }
}

fn maybe(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |v| number(v, decimals))
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |s| quantity(&number(100.0 * s, 0), "%"))
}

fn section(id: &str, title: &str, intro: &str) -> Section {
    let mut s = Section::new(id, title);
    if !intro.is_empty() {
        s.paragraph(intro);
    }
    s
}

/// Says that there is nothing, so that a gap is seen as one.
fn absent(s: &mut Section, what: &str) {
    s.push(Block::note(
        Status::Open,
        format!("{what} was not recorded in this procedure."),
    ));
}

/// Two pictures beside each other when there are several, else one across.
fn shown(s: &mut Section, pictures: &[Picture]) {
    match pictures {
        [] => {}
        [one] => {
            s.push(Block::Picture(one.clone()));
        }
        many => {
            for pair in many.chunks(2) {
                let narrow = pair.iter().all(|p| p.width <= 0.5);
                if narrow {
                    s.push(Block::Pictures(pair.to_vec()));
                } else {
                    s.blocks.extend(pair.iter().cloned().map(Block::Picture));
                }
            }
        }
    }
}

fn eligibility(e: Option<&Eligibility>) -> Section {
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

fn terms(s: &mut Section, pairs: &[[String; 2]]) {
    if !pairs.is_empty() {
        let all = pairs
            .iter()
            .map(|[a, b]| (a.as_str().into(), b.as_str().into()))
            .collect();
        s.push(Block::Terms(all));
    }
}

fn plan(p: Option<&Plan>) -> Section {
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

fn views(v: Option<&Views>) -> Section {
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

fn placements(all: &[Placement]) -> Section {
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

fn tests(t: Option<&Tests>) -> Section {
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

fn anaesthetic(a: Option<&Anaesthetic>) -> Section {
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

/// Figures with unit and stated error.
fn figures(caption: &str, rows: &[SummaryRow]) -> Table {
    let mut t = Table::new(
        caption,
        &[
            ("Result", LEFT),
            ("Value", RIGHT),
            ("Unit", LEFT),
            ("Stated error", RIGHT),
        ],
    );
    for r in rows {
        let error = if r.error.is_empty() { "not stated" } else { &r.error };
        t.row([r.name.as_str(), &r.value, &r.unit, error]);
    }
    t
}

fn color(status: Status) -> Rgb {
    match status {
        Status::Plain | Status::Open => INK,
        s => s.rgb(),
    }
}

/// The generator's curves with their events.
fn curves(nerve: &str, c: &Curves) -> Result<Vec<u8>, ResultsError> {
    const COLORS: [Rgb; 5] = [ACTIVE_TIP, ISO_60, NERVE_TARGET, LESION, ISO_50];
    const DASHES: [&str; 5] = ["", "9 5", "2 5", "12 4 2 4", "5 3"];
    let t = c.t_s.as_slice();
    let events = |named: bool| -> Vec<(f64, Rgb, &str)> {
        c.events
            .iter()
            .map(|(at, status, name)| (*at, color(*status), if named { name.as_str() } else { "" }))
            .collect()
    };
    let mut temperatures: Vec<Curve<'_>> = c
        .temperatures_c
        .iter()
        .enumerate()
        .map(|(n, (name, values))| Curve {
            dash: DASHES[n % DASHES.len()],
            ..Curve::line(name, COLORS[n % COLORS.len()], t, values)
        })
        .collect();
    if !c.set_temperature_c.is_empty() {
        temperatures.push(Curve {
            dash: "7 5",
            width: 1.8,
            ..Curve::line("set", INK, t, &c.set_temperature_c)
        });
    }
    let plain = Plot {
        along: "time in s",
        spans: c.heated_s.clone(),
        ..Plot::default()
    };
    let mut all = vec![Plot {
        title: "Temperature in °C",
        curves: temperatures,
        events: events(true),
        ..plain.clone()
    }];
    let others = [
        ("Power in W", &c.power_w, true),
        ("Impedance in Ω", &c.impedance_ohm, false),
        ("Voltage in V", &c.voltage_v, true),
    ];
    for (title, values, from_zero) in others {
        if !values.is_empty() {
            all.push(Plot {
                title,
                from_zero,
                events: events(false),
                curves: vec![Curve::line("", SLATE, t, values)],
                ..plain.clone()
            });
        }
    }
    plots(
        &format!("Generator, {nerve}"),
        "Shaded: current on. Broken upright lines: events. Volts: root mean square.",
        &all,
        PAPER_PX,
    )
}

fn generator(all: &[Lesion]) -> Result<Section, ResultsError> {
    let mut s = section(
        "generator",
        "Generator",
        "What the generator showed. The thermocouple sits in the metal and reads less than the hottest tissue. A sharp rise of impedance would \
         mean boiling, charring or lost contact.",
    );
    if all.iter().all(|l| l.curves.is_none()) {
        absent(&mut s, "The generator's course");
    }
    for l in all {
        let Some(c) = &l.curves else { continue };
        s.push(Block::Heading(l.nerve.clone()));
        if !l.setting.is_empty() {
            s.paragraph(l.setting.as_str());
        }
        s.push(Block::Picture(Picture::png(
            curves(&l.nerve, c)?,
            format!(
                "Curves of temperature, power, impedance and voltage against time for {}",
                l.nerve
            ),
            "",
        )));
        if !l.alarms.is_empty() {
            s.push(Block::Timeline(l.alarms.clone()));
        }
    }
    Ok(s)
}

fn lesions(all: &[Lesion]) -> Section {
    let mut s = section("lesions", "Lesions", "");
    if all.is_empty() {
        absent(&mut s, "A lesion");
    }
    for l in all {
        s.push(Block::Heading(l.nerve.clone()));
        if !l.figures.is_empty() {
            let caption = "Errors are of the discretisation, as estimated for this run; they do not hold the uncertainty of tissue.";
            s.push(Block::Table(figures(caption, &l.figures)));
        }
        shown(&mut s, &l.pictures);
    }
    s
}

fn nerves(p: &ProcedureForReport) -> Section {
    let mut s = section("nerves", "Nerves", "");
    if p.nerves.is_empty() {
        absent(&mut s, "The fate of a nerve");
        return s;
    }
    let mut t = Table::new(
        "Destroyed: length over which the whole nerve is dead. Regrowth: months until fibres may reach their ends again.",
        &[
            ("Nerve", LEFT),
            ("Aim", LEFT),
            ("Destroyed, mm", RIGHT),
            ("Fibres cut", RIGHT),
            ("Highest, °C", RIGHT),
            ("Regrowth, months", RIGHT),
        ],
    );
    for n in &p.nerves {
        let error = n
            .destroyed_error_mm
            .map_or(String::new(), |e| format!("\u{a0}±\u{a0}{}", number(e, 1)));
        t.row_with(
            n.status,
            [
                n.name.clone(),
                if n.target { "destroy" } else { "spare" }.to_owned(),
                format!("{}{error}", number(n.destroyed_mm, 1)),
                percent(n.cut),
                number(n.peak_c, 1),
                n.regrowth_months.map_or_else(
                    || "–".to_owned(),
                    |[a, b]| format!("{} to {}", number(a, 0), number(b, 0)),
                ),
            ],
        );
    }
    s.push(Block::Table(t));
    s
}

fn harm(p: &ProcedureForReport) -> Section {
    let mut s = section("harm", "Harm", "");
    if p.harm.is_empty() {
        absent(&mut s, "Harm beside the target");
        return s;
    }
    let mut t = Table::new(
        "",
        &[
            ("What", LEFT),
            ("Found", RIGHT),
            ("Matters from", RIGHT),
            ("What it means", LEFT),
        ],
    );
    for h in &p.harm {
        t.row_with(h.status, [&h.what, &h.value, &h.limit, &h.remark].map(String::as_str));
    }
    s.push(Block::Table(t));
    s
}

fn outcome(e: Option<&Expected>) -> Result<Section, ResultsError> {
    let mut s = section(
        "outcome",
        "Outcome",
        "A model of many people with this lesion. It tells how relief is spread among them and does not foretell what one of them will feel.",
    );
    let Some(e) = e else {
        absent(&mut s, "An outcome");
        return Ok(s);
    };
    if !e.figures.is_empty() {
        s.push(Block::Table(figures("", &e.figures)));
    }
    if !e.months.is_empty() {
        let shares = |v: &[f64]| v.iter().map(|x| 100.0 * x).collect::<Vec<f64>>();
        let [mean, relieved] = [shares(&e.mean), shares(&e.half_relieved)];
        let [half_low, half_high, most_low, most_high] =
            [&e.half[0], &e.half[1], &e.most[0], &e.most[1]].map(|v| shares(v));
        let band = |low, high, opacity| Band {
            color: NERVE_TARGET,
            opacity,
            x: &e.months,
            low,
            high,
        };
        let all = [Plot {
            title: "Share in %",
            along: "months after the procedure",
            range: Some([most_low.iter().copied().fold(0.0, f64::min), 100.0]),
            bands: vec![band(&most_low, &most_high, 0.13), band(&half_low, &half_high, 0.2)],
            curves: vec![
                Curve {
                    markers: e.months.len() <= 40,
                    ..Curve::line("mean relief", NERVE_TARGET, &e.months, &mean)
                },
                Curve {
                    dash: "8 5",
                    ..Curve::line(
                        "people with half of their pain gone",
                        NERVE_SPARED,
                        &e.months,
                        &relieved,
                    )
                },
            ],
            ..Plot::default()
        }];
        let png = plots(
            "Relief over the months",
            "Bands: the middle half of people, and 80 % of them.",
            &all,
            PAPER_PX,
        )?;
        let alt = "Mean relief over the months with bands of its spread, and the share of people with half of their pain gone";
        s.push(Block::Picture(Picture::png(png, alt, "")));
    }
    s.blocks.extend(e.remarks.iter().map(|r| Block::paragraph(r.as_str())));
    Ok(s)
}

fn score(p: Option<&Score>) -> Section {
    let mut s = section("score", "Score", "");
    let Some(p) = p else {
        absent(&mut s, "A score");
        return s;
    };
    s.push(Block::note(
        p.status,
        Text::default().bold(format!(
            "{} of {} points",
            number(p.points[0], 0),
            number(p.points[1], 0)
        )),
    ));
    let mut t = Table::new("", &[("Part", LEFT), ("Points", RIGHT), ("Of", RIGHT), ("Why", LEFT)]);
    for (name, won, of, why) in &p.parts {
        t.row([name.clone(), number(*won, 0), number(*of, 0), why.clone()]);
    }
    if !p.parts.is_empty() {
        s.push(Block::Table(t));
    }
    s
}

fn debrief(p: &ProcedureForReport) -> Section {
    let mut s = section(
        "debrief",
        "Debrief",
        "Each row changes one decision, leaves all else as it was, and computes again what comes of it.",
    );
    if p.debrief.is_empty() {
        absent(&mut s, "A comparison with other decisions");
        return s;
    }
    let mut t = Table::new(
        "",
        &[
            ("Had you", LEFT),
            ("It was", RIGHT),
            ("It would have been", RIGHT),
            ("What to learn from it", LEFT),
        ],
    );
    for c in &p.debrief {
        t.row_with(
            c.status,
            [&c.instead, &c.was, &c.would_be, &c.lesson].map(String::as_str),
        );
    }
    s.push(Block::Table(t));
    s
}

fn log(l: Option<&Log>) -> Section {
    let mut s = section("log", "Log", "");
    let Some(l) = l else {
        absent(&mut s, "A log");
        return s;
    };
    if !l.head.is_empty() {
        s.paragraph(
            Text::from(
                "Each entry holds the hash of the one before, so none can be changed unseen. Hash of the last: ",
            )
            .code(l.head.as_str()),
        );
    }
    s.push(Block::Timeline(l.events.clone()));
    s
}

fn unverified(p: &ProcedureForReport) -> Section {
    let mut s = section("unverified", "Values that were not verified", "");
    if p.unverified.is_empty() {
        s.paragraph("All values of the literature that were used were read in their sources.");
        return s;
    }
    s.paragraph("These values were used, but nobody has yet read them in the source that is named. What follows from them may change.");
    let mut t = Table::new("", &[("Value", LEFT), ("Source named", LEFT)]);
    for [name, source] in &p.unverified {
        t.row_with(Status::Warn, [name.as_str(), source]);
    }
    s.push(Block::Table(t));
    s
}

fn reproducibility(r: Option<&Reproducibility>) -> Section {
    let mut s = section("repeat", "How to repeat it", "");
    let Some(r) = r else {
        absent(&mut s, "What is needed to repeat it");
        return s;
    };
    s.paragraph("The same program computes the same from the same scenario, byte for byte, on any number of threads.");
    let mut pairs = r.versions.clone();
    pairs.extend(r.seed.map(|seed| ["Seed".to_owned(), seed.to_string()]));
    terms(&mut s, &pairs);
    if !r.hashes.is_empty() {
        let mut t = Table::new("", &[("What", LEFT), ("SHA-256", LEFT)]);
        for [name, hash] in &r.hashes {
            t.row([Text::from(name.as_str()), Text::default().code(hash.as_str())]);
        }
        s.push(Block::Table(t));
    }
    if !r.command.is_empty() {
        s.push(Block::Code(r.command.clone()));
    }
    if !r.scenario.is_empty() {
        s.push(Block::Heading("Scenario".to_owned()));
        s.push(Block::Code(r.scenario.clone()));
    }
    s
}

/// The report.
pub(super) fn report(p: &ProcedureForReport) -> Result<Document, ResultsError> {
    let mut opening = Vec::new();
    if !p.key_figures.is_empty() {
        opening.push(Block::KeyFigures(p.key_figures.clone()));
    }
    let mut about = Section::new("about", "What this is, and what it is not");
    about.push(Block::List(vec![
        "The report of a simulated radiofrequency neurotomy of lumbar medial branch nerves. No patient was treated.".into(),
        "Positions, temperatures, thresholds and lesions are computed by physical models, and each figure carries its stated error where one is \
         known. Tissue of living people differs more than these errors tell."
            .into(),
        "Relief and harm over the months come from a model of a population, checked against published studies. They are no promise to \
         anyone."
            .into(),
        "A point that was not recorded is named as such. Values whose source nobody has read are listed near the end.".into(),
    ]));
    let mut checklist = section("checklist", "Checklist", "");
    if p.checklist.is_empty() {
        absent(&mut checklist, "A checklist");
    } else {
        checklist.push(Block::Checklist(p.checklist.clone()));
    }
    let sections = vec![
        about,
        eligibility(p.eligibility.as_ref()),
        plan(p.plan.as_ref()),
        views(p.views.as_ref()),
        placements(&p.placements),
        tests(p.tests.as_ref()),
        anaesthetic(p.anaesthetic.as_ref()),
        generator(&p.lesions)?,
        lesions(&p.lesions),
        nerves(p),
        harm(p),
        outcome(p.outcome.as_ref())?,
        checklist,
        score(p.score.as_ref()),
        debrief(p),
        log(p.log.as_ref()),
        unverified(p),
        reproducibility(p.reproducibility.as_ref()),
    ];
    Ok(Document {
        title: p.title.clone(),
        subtitle: p.about.clone(),
        statement: "A simulated procedure: nothing here may guide the treatment of a patient.".into(),
        program: p.program.clone(),
        date: p.date,
        opening,
        sections,
    })
}
