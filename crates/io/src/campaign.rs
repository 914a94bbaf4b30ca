//! Campaigns of faults (TOML) and their matrix as a page.

use std::{fmt::Write as _, path::Path};

use neurotome_procedure::generator::campaign::{Campaign, Cell, Kind, Outcome};

use crate::plants::of_campaigns;
use crate::scenario::{
    fault::{Fault, parse_toml},
    read_text, span_of,
};

/// Largest campaign read, bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// The campaign of all faults.
pub const ALL: &str = include_str!("../../../scenarios/faults/all.toml");

/// Why a campaign cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CampaignError {
    /// The file cannot be read.
    #[error(
        "campaign: cannot read {path}: {reason}; give the path of a campaign (TOML) such as scenarios/faults/all.toml"
    )]
    Read {
        /// The path as given.
        path: String,
        /// Why.
        reason: String,
    },
    /// Something in the file is wrong.
    #[error("campaign: {0}")]
    Fault(#[from] Box<Fault>),
}

/// Reads a campaign from a file.
///
/// # Errors
/// [`CampaignError`].
pub fn read_campaign(path: &Path) -> Result<Campaign, CampaignError> {
    let text = read_text(path, MAX_FILE_BYTES).map_err(|reason| CampaignError::Read {
        path: path.display().to_string(),
        reason,
    })?;
    Ok(parse_campaign(&path.display().to_string(), &text)?)
}

/// Reads a campaign from its text; `name` is what messages call it.
///
/// # Errors
/// [`Fault`] with the line at fault.
pub fn parse_campaign(name: &str, text: &str) -> Result<Campaign, Box<Fault>> {
    let campaign: Campaign = parse_toml(name, text)?;
    let unknown = || {
        let plants = of_campaigns().ok()?;
        let found = campaign.plants.iter().find(|p| !plants.names().any(|n| n == *p))?;
        let names: Vec<&str> = plants.names().collect();
        Some((
            "plants",
            format!("\"{found}\""),
            format!("names among {}", names.join(", ")),
        ))
    };
    match campaign.fault().or_else(unknown) {
        None => Ok(campaign),
        Some((key, found, expected)) => Err(Box::new(Fault {
            file: name.to_owned(),
            text: text.to_owned(),
            span: span_of(text, key),
            message: format!("`{key}` is {found}, expected {expected}"),
            help: "correct the value".to_owned(),
        })),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The matrix as a drawing: faults down, modes across; green all found in time, with the longest latency, orange not all.
pub fn matrix_svg(title: &str, outcome: &Outcome) -> String {
    const LEFT: usize = 290;
    const TOP: usize = 90;
    const WIDE: usize = 92;
    const HIGH: usize = 24;
    let cells = outcome.matrix();
    let mut faults: Vec<_> = cells.iter().map(|c| c.fault).collect();
    faults.dedup();
    let modes: Vec<Kind> = Kind::ALL
        .iter()
        .copied()
        .filter(|m| cells.iter().any(|c| c.mode == *m))
        .collect();
    let (width, height) = (LEFT + WIDE * modes.len() + 20, TOP + HIGH * faults.len() + 50);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" font-family=\"DejaVu Sans, sans-serif\" font-size=\"12\" fill=\"#212934\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n<text x=\"16\" y=\"30\" font-size=\"17\" font-weight=\"bold\">{}</text>\n<text x=\"16\" y=\"52\">Longest time to the alarm, s, of the time allowed; below it is named when not every run was found in time.</text>\n",
        escaped(title)
    );
    for (i, m) in modes.iter().enumerate() {
        let x = LEFT + WIDE * i + WIDE / 2;
        let _ = writeln!(
            out,
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\">{}</text>",
            TOP - 10,
            m.name()
        );
    }
    for (row, fault) in faults.iter().enumerate() {
        let y = TOP + HIGH * row;
        let _ = writeln!(
            out,
            "<text x=\"16\" y=\"{}\">{}</text>",
            y + 16,
            escaped(fault.risk().words)
        );
        for (i, m) in modes.iter().enumerate() {
            let x = LEFT + WIDE * i;
            let cell: Option<&Cell> = cells.iter().find(|c| c.fault == *fault && c.mode == *m);
            let (fill, text) = match cell {
                None => ("#f1f3f5", String::new()),
                Some(c) if c.good == c.runs => ("#9fdcc6", format!("{:.1} / {}", c.latency_s, c.limit_s)),
                Some(c) => ("#f3b48a", format!("{} of {}", c.good, c.runs)),
            };
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" fill=\"{fill}\"/><text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\">{text}</text>",
                WIDE - 3,
                HIGH - 3,
                x + WIDE / 2,
                y + 15
            );
        }
    }
    let _ = writeln!(
        out,
        "<text x=\"16\" y=\"{}\">{} runs with a fault, {} without; {} false alarms. Empty: the fault cannot happen in that mode.</text>\n</svg>",
        height - 18,
        outcome.runs.len(),
        outcome.faultless.len(),
        outcome.false_alarms()
    );
    out
}

/// The matrix, the table of risks and what went wrong, as a page.
pub fn page(title: &str, outcome: &Outcome, disclaimer: &str) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{0}</title>\n<style>body{{font:15px/1.5 sans-serif;margin:2em;color:#212934}}td,th{{border:1px solid #dee2e6;padding:.3em .6em;text-align:left;vertical-align:top}}table{{border-collapse:collapse}}svg{{max-width:100%;height:auto}}</style>\n{1}\n<h2>Risks</h2>\n<table><tr><th>Fault</th><th>Hazard</th><th>Hazardous situation</th><th>Harm</th><th>Risk control</th><th>Essential performance</th><th>Time allowed, s</th><th>Hottest tissue, °C</th><th>Above the sound run, °C</th><th>Alarm</th></tr>\n",
        escaped(title),
        matrix_svg(title, outcome)
    );
    let cells = outcome.matrix();
    let mut faults: Vec<_> = cells.iter().map(|c| c.fault).collect();
    faults.dedup();
    for fault in faults {
        let risk = fault.risk();
        let of = |value: fn(&Cell) -> f64| cells.iter().filter(|c| c.fault == fault).map(value).fold(0.0, f64::max);
        let alarm = risk.rules.first().map_or("", |r| r.text());
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{:.1}</td><td>{:.1}</td><td>{}</td></tr>",
            risk.words,
            risk.hazard,
            risk.situation,
            risk.harm,
            risk.control,
            if risk.essential_performance { "yes" } else { "no" },
            risk.latency_s,
            of(|c| c.hottest_c),
            of(|c| c.excess_c),
            escaped(alarm)
        );
    }
    let _ = writeln!(
        out,
        "</table>\n<p>Words of ISO 14971 and IEC 60601-2-2 order this table; no conformity is claimed. {}</p></html>",
        escaped(disclaimer)
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_campaign_is_sound_and_faults_point_at_their_line() {
        let c = parse_campaign("all.toml", ALL).unwrap();
        assert!(c.cases().len() > 500 && c.faultless().len() == 1800);
        let f = parse_campaign("c.toml", &ALL.replace("heat_s = 60", "heat_s = 1")).unwrap_err();
        assert!(f.line().is_some() && f.message.contains("5 to 600"), "{f}");
        assert!(parse_campaign("c.toml", &ALL.replace("\"bipolar\"", "\"tripolar\"")).is_err());
        assert!(parse_campaign("c.toml", &ALL.replace("[1, 2]", "[1, 9]")).is_err());
    }
}
