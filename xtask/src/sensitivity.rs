//! `cargo xtask sensitivity`: how far uncertain inputs move the comparisons with experiments, as a table and a chart.

use std::fmt::Write as _;
use std::process::Command;

use serde_json::Value;

use crate::steps::Failure;
use crate::validate::{self, short};
use crate::workspace::{Workspace, list, text};
use crate::{process, suite};

const TABLE: &str = "SENSITIVITY.md";
const CHART: &str = "sensitivity.svg";

/// Runs the group with its inputs moved, and writes the table and the chart to `validation/experiment`.
pub fn run(workspace: &Workspace) -> Result<(), Failure> {
    let program = suite::program(workspace)?;
    let json = workspace.fresh_folder("sensitivity")?.join("verify.json");
    let mut verify = Command::new(program);
    verify
        .current_dir(&workspace.root)
        .args(["verify", "--only", "experiment", "--full", "--json"])
        .arg(&json);
    // Claims may fail; what counts here is that they were computed.
    let outcome = process::show(&mut verify, "`neurotome verify --only experiment --full` repeats it");
    let rows = validate::read_rows(&json);
    let claims: Vec<Claim> = rows.iter().filter_map(claim).collect();
    if claims.is_empty() {
        return outcome.and(Err(Failure::new(
            "no claim tells how far its inputs move it",
            "mark claims with `sensitivity = true` in validation/experiment",
        )));
    }
    let folder = workspace.root.join("validation").join("experiment");
    for (name, content) in [(TABLE, table(&claims)), (CHART, chart(&claims))] {
        let path = folder.join(name);
        validate::write_whole(&path, &content)
            .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display()), "mend its permissions"))?;
        println!("   wrote validation/experiment/{name}");
    }
    Ok(())
}

/// A claim with its band and what moves it.
#[derive(Debug, PartialEq)]
struct Claim {
    title: String,
    /// With the catalogue's inputs, on the grid and gauges of the sensitivity.
    base: f64,
    band: [Option<f64>; 2],
    moves: Vec<Move>,
}

/// The values of a claim at both ends of an input.
#[derive(Debug, PartialEq)]
struct Move {
    name: String,
    from: String,
    to: String,
    values: [f64; 2],
}

impl Move {
    fn width(&self) -> f64 {
        (self.values[1] - self.values[0]).abs()
    }
}

fn claim(row: &Value) -> Option<Claim> {
    let about = &row["experiment"];
    let sensitivity = about.get("sensitivity")?;
    let number = |v: &Value, key: &str| v[key].as_f64();
    let mut moves: Vec<Move> = list(sensitivity, "factors")
        .iter()
        .filter_map(|f| {
            Some(Move {
                name: text(f, "name").to_owned(),
                from: short(number(f, "low")?),
                to: short(number(f, "high")?),
                values: [number(f, "value_low")?, number(f, "value_high")?],
            })
        })
        .collect();
    moves.extend(edges(about, row["value"].as_f64()?));
    moves.sort_by(|a, b| b.width().total_cmp(&a.width()));
    Some(Claim {
        title: format!("{}: {}", text(about, "study"), text(about, "measured")),
        base: number(sensitivity, "base")?,
        band: [number(about, "at_least"), number(about, "at_most")],
        moves,
    })
}

/// The edges by which the claim was computed, as one move over isotherms and one over laws.
fn edges(about: &Value, value: f64) -> Vec<Move> {
    let by = list(about, "by_other_edges");
    let own = text(about, "edge").split(':').next().unwrap_or_default();
    let of_kind = |name: &str, is: fn(&str) -> bool| {
        let mut found: Vec<(&str, f64)> = by
            .iter()
            .filter_map(|e| Some((text(e, "edge"), e["value"].as_f64()?)))
            .filter(|(edge, _)| is(edge))
            .collect();
        if is(own) {
            found.push((own, value));
        }
        let low = found.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))?;
        let high = found.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
        (low.0 != high.0).then(|| Move {
            name: name.to_owned(),
            from: low.0.replace("Ω = 1, ", ""),
            to: high.0.replace("Ω = 1, ", ""),
            values: [low.1, high.1],
        })
    };
    let law = |edge: &str| edge.starts_with('Ω');
    [
        of_kind("edge of the lesion, isotherm", |edge| !edge.starts_with('Ω')),
        of_kind("edge of the lesion, injury law", law),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn band(claim: &Claim) -> String {
    match claim.band {
        [Some(a), Some(b)] => format!("{} to {}", short(a), short(b)),
        [Some(a), None] => format!("at least {}", short(a)),
        [None, Some(b)] => format!("at most {}", short(b)),
        [None, None] => "none".to_owned(),
    }
}

fn table(claims: &[Claim]) -> String {
    let mut out = format!(
        "# Sensitivity of the comparisons with experiments\n\n\
         Written by `cargo xtask sensitivity` from `neurotome verify --only experiment --full`. Do not edit.\n\n\
         Each input is moved alone over its published range (`sensitivity.toml` tells the sources), all others stay at the catalogue's\n\
         values; cells are 2.0 times the usual size, claims over gauges look at 22 G and 16 G only. Rows stand in the order of their\n\
         reach. The edges of the lesion are read on the cells of the claims themselves.\n\n![Sensitivity]({CHART})\n"
    );
    for claim in claims {
        let _ = write!(
            out,
            "\n## {}\n\nPublished {}; computed {}.\n\n| input | from | to | value at the first | at the second |\n\
             | --- | --- | --- | ---: | ---: |\n",
            claim.title,
            band(claim),
            short(rounded(claim.base))
        );
        for m in &claim.moves {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                m.name,
                m.from,
                m.to,
                short(rounded(m.values[0])),
                short(rounded(m.values[1]))
            );
        }
    }
    out
}

/// Four significant digits.
fn rounded(x: f64) -> f64 {
    format!("{x:.3e}").parse().unwrap_or(x)
}

const PANEL: (f64, f64) = (620.0, 300.0);
const LABELS: f64 = 285.0;
const BARS: f64 = 300.0;
const BAR: f64 = 20.0;
const HEAD: f64 = 44.0;
const COLUMNS: usize = 2;

/// A panel a claim: the published band as a shade, the computed value as a line, a bar for each input.
fn chart(claims: &[Claim]) -> String {
    let rows = claims.len().div_ceil(COLUMNS);
    let (width, height) = (PANEL.0 * COLUMNS as f64, PANEL.1 * rows as f64 + 34.0);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\" fill=\"#222\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <rect x=\"12\" y=\"10\" width=\"22\" height=\"12\" fill=\"#cfe8d2\"/><text x=\"40\" y=\"20\">published</text>\n\
         <line x1=\"120\" y1=\"8\" x2=\"120\" y2=\"24\" stroke=\"#222\" stroke-width=\"1.5\"/><text x=\"127\" y=\"20\">computed</text>\n\
         <rect x=\"205\" y=\"10\" width=\"22\" height=\"12\" fill=\"#3b76af\"/><text x=\"233\" y=\"20\">from the low end of the input</text>\n\
         <rect x=\"420\" y=\"10\" width=\"22\" height=\"12\" fill=\"#d9822b\"/><text x=\"448\" y=\"20\">to its high end</text>\n"
    );
    for (i, claim) in claims.iter().enumerate() {
        let (x, y) = (PANEL.0 * (i % COLUMNS) as f64, 34.0 + PANEL.1 * (i / COLUMNS) as f64);
        let _ = writeln!(out, "<g transform=\"translate({x} {y})\">");
        panel(&mut out, claim);
        out.push_str("</g>\n");
    }
    out.push_str("</svg>\n");
    out
}

fn panel(out: &mut String, claim: &Claim) {
    let values = claim
        .moves
        .iter()
        .flat_map(|m| m.values)
        .chain(claim.band.into_iter().flatten())
        .chain([claim.base]);
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let margin = 0.06 * (high - low).max(1e-9);
    let (low, high) = (low - margin, high + margin);
    let at = |v: f64| LABELS + BARS * ((v - low) / (high - low)).clamp(0.0, 1.0);
    let bottom = HEAD + BAR * claim.moves.len() as f64;
    for (k, line) in wrap(&claim.title, 86).iter().take(2).enumerate() {
        let _ = writeln!(
            out,
            "<text x=\"12\" y=\"{}\" font-weight=\"bold\">{}</text>",
            16.0 + 14.0 * k as f64,
            escape(line)
        );
    }
    let (a, b) = (
        claim.band[0].map_or(LABELS, at),
        claim.band[1].map_or(LABELS + BARS, at),
    );
    let _ = writeln!(
        out,
        "<rect x=\"{a:.1}\" y=\"{HEAD}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"#cfe8d2\"/>",
        (b - a).max(2.0),
        bottom - HEAD
    );
    for (k, m) in claim.moves.iter().enumerate() {
        let y = HEAD + BAR * k as f64;
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LABELS - 8.0,
            y + 14.0,
            escape(&m.name)
        );
        for (v, colour) in m.values.into_iter().zip(["#3b76af", "#d9822b"]) {
            let (from, to) = (at(claim.base).min(at(v)), at(claim.base).max(at(v)));
            let _ = writeln!(
                out,
                "<rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\" fill-opacity=\"0.85\"/>",
                y + 4.0,
                to - from,
                BAR - 8.0
            );
        }
    }
    let x = at(claim.base);
    let _ = writeln!(
        out,
        "<line x1=\"{x:.1}\" y1=\"{}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"#222\" stroke-width=\"1.5\"/>\n\
         <line x1=\"{LABELS}\" y1=\"{bottom:.1}\" x2=\"{:.1}\" y2=\"{bottom:.1}\" stroke=\"#888\"/>",
        HEAD - 4.0,
        LABELS + BARS
    );
    for k in 0..=4 {
        let v = low + (high - low) * f64::from(k) / 4.0;
        let x = at(v);
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" y1=\"{bottom:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\" stroke=\"#888\"/>\
             <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">{}</text>",
            bottom + 4.0,
            bottom + 16.0,
            short(format!("{v:.2e}").parse().unwrap_or(v))
        );
    }
}

/// Lines of at most `columns` characters.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Value {
        serde_json::json!({
            "group": "experiment", "claim": "c", "value": 1.5, "passed": true,
            "experiment": {
                "study": "Somebody 2000", "measured": "width in mm", "at_least": 1.0, "at_most": 2.0,
                "edge": "55 °C reached: why",
                "by_other_edges": [
                    {"edge": "50 °C reached", "value": 2.5}, {"edge": "Ω = 1, a", "value": 1.9},
                    {"edge": "Ω = 1, b", "value": 1.2}, {"edge": "Ω = 1, c", "value": null},
                ],
                "sensitivity": {"base": 1.51, "factors": [
                    {"name": "k, W/(m K)", "low": 0.3, "high": 0.6, "value_low": 1.4, "value_high": 1.6, "source": "s"},
                    {"name": "σ", "low": 1.0, "high": 2.0, "value_low": 1.2, "value_high": 2.9, "source": "s"},
                ]},
            },
        })
    }

    #[test]
    fn inputs_stand_in_the_order_of_their_reach() {
        let claim = claim(&row()).unwrap();
        let names: Vec<&str> = claim.moves.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "σ",
                "edge of the lesion, isotherm",
                "edge of the lesion, injury law",
                "k, W/(m K)"
            ]
        );
        assert_eq!(claim.moves[1].values, [1.5, 2.5]);
        assert_eq!(claim.moves[2].from, "b");
        let text = table(&[claim]);
        assert!(text.contains("Published 1 to 2; computed 1.51."), "{text}");
        assert!(text.contains("| σ | 1 | 2 | 1.2 | 2.9 |"), "{text}");
    }

    #[test]
    fn a_row_without_moved_inputs_is_left_out() {
        let mut row = row();
        row["experiment"].as_object_mut().unwrap().remove("sensitivity");
        assert_eq!(claim(&row), None);
    }

    #[test]
    fn the_chart_holds_every_bar() {
        let claim = claim(&row()).unwrap();
        let svg = chart(&[claim]);
        assert_eq!(svg.matches("fill-opacity").count(), 8);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    }
}
