//! The sections of the report, in the order of the procedure.

mod before;
mod lesion;

use self::{
    before::{anaesthetic, eligibility, placements, plan, tests, views},
    lesion::{generator, harm, lesions, nerves, outcome},
};
use super::{Log, ProcedureForReport, Reproducibility, Score};
use crate::report::document::{Align, Block, Document, Picture, Section, Status, Table, Text, quantity};
use crate::results::{ResultsError, SummaryRow};

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

/// Two pictures beside each other when both are narrow, else one below the other.
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

fn terms(s: &mut Section, pairs: &[[String; 2]]) {
    if !pairs.is_empty() {
        let all = pairs
            .iter()
            .map(|[a, b]| (a.as_str().into(), b.as_str().into()))
            .collect();
        s.push(Block::Terms(all));
    }
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
        s.push(Block::note(
            Status::Open,
            "A comparison with other decisions was not recorded in this procedure; `neurotome simulate --debrief` computes it.",
        ));
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
