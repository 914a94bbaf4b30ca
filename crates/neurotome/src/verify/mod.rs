//! Claims about the program's correctness, checked by the program itself.
//!
//! A claim is a plain function that computes something and adds rows to a [`Report`]; it stands in the list of its group. A new claim
//! is one function and one line.

mod analytic;
mod anatomy;
mod axon;
mod convergence;
mod crosscode;
mod experiment;
mod generator;
mod outcome;
mod session;
mod transport;
mod xray;

use std::fmt::Write as _;

use serde::Serialize;

pub use experiment::{ByEdge, Experiment, Moved, Sensitivity};

/// A claim: computes, and adds at least one row.
pub type Claim = fn(&mut Report);

/// Claims that belong together.
#[derive(Debug)]
pub struct Group {
    /// The group's name for `--only`.
    pub name: &'static str,
    /// Its claims in the order in which they are checked.
    pub claims: &'static [Claim],
    /// Whether it is checked when no group is named. Comparisons with experiments are not: they tell how far the model is from
    /// nature, not whether the program is right, and a claim that fails there must not be mended by a change of the program. Nor are the
    /// open ones, of which some do not hold yet.
    pub by_default: bool,
}

/// The claims of all groups of which some do not hold yet, by group.
const OPEN_LISTS: [&[Claim]; 5] = [
    crosscode::OPEN,
    anatomy::OPEN,
    axon::OPEN,
    transport::OPEN,
    outcome::OPEN,
];
const OPEN: [Claim; count(&OPEN_LISTS)] = {
    let mut all = [OPEN_LISTS[0][0]; count(&OPEN_LISTS)];
    let (mut i, mut list) = (0, 0);
    while list < OPEN_LISTS.len() {
        let mut k = 0;
        while k < OPEN_LISTS[list].len() {
            all[i] = OPEN_LISTS[list][k];
            i += 1;
            k += 1;
        }
        list += 1;
    }
    all
};

const fn count(lists: &[&[Claim]]) -> usize {
    let (mut sum, mut list) = (0, 0);
    while list < lists.len() {
        sum += lists[list].len();
        list += 1;
    }
    sum
}

/// All groups.
pub const GROUPS: &[Group] = &[
    Group {
        name: "analytic",
        claims: analytic::CLAIMS,
        by_default: true,
    },
    Group {
        name: "convergence",
        claims: convergence::CLAIMS,
        by_default: true,
    },
    Group {
        name: "crosscode",
        claims: crosscode::CLAIMS,
        by_default: true,
    },
    Group {
        name: "xray",
        claims: xray::CLAIMS,
        by_default: true,
    },
    Group {
        name: "anatomy",
        claims: anatomy::CLAIMS,
        by_default: true,
    },
    Group {
        name: "axon",
        claims: axon::CLAIMS,
        by_default: true,
    },
    Group {
        name: "transport",
        claims: transport::CLAIMS,
        by_default: true,
    },
    Group {
        name: "outcome",
        claims: outcome::CLAIMS,
        by_default: true,
    },
    Group {
        name: "generator",
        claims: generator::CLAIMS,
        by_default: true,
    },
    Group {
        name: "session",
        claims: session::CLAIMS,
        by_default: true,
    },
    Group {
        name: "open",
        claims: &OPEN,
        by_default: false,
    },
    Group {
        name: "experiment",
        claims: experiment::CLAIMS,
        by_default: false,
    },
];

/// One comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Group.
    pub group: String,
    /// What is claimed, with the unit of the values.
    pub claim: String,
    /// What was computed.
    pub value: f64,
    /// What it is compared with.
    pub reference: f64,
    /// Largest allowed distance between the two.
    pub tolerance: f64,
    /// Whether the claim holds.
    pub passed: bool,
    /// Where the reference comes from.
    pub source: String,
    /// More of a comparison with an experiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experiment: Option<Experiment>,
}

/// Collects rows.
pub struct Report {
    rows: Vec<Row>,
    group: &'static str,
    all: bool,
    full: bool,
    stop: fn() -> bool,
    /// Lesions that comparisons with experiments share.
    bench: Option<experiment::Bench>,
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report")
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl Report {
    /// An empty report. With `all`, claims add every value compared and not only the worst; with `full`, slow claims on finer grids
    /// are checked too. `stop` tells a long computation that nobody waits for it any more.
    pub fn new(all: bool, full: bool, stop: fn() -> bool) -> Self {
        Self {
            rows: Vec::new(),
            group: "",
            all,
            full,
            stop,
            bench: None,
        }
    }

    /// Checks one claim of a group.
    pub fn run(&mut self, group: &'static str, claim: Claim) {
        self.group = group;
        claim(self);
    }

    /// True when the user has interrupted: return at once.
    pub fn stopped(&self) -> bool {
        (self.stop)()
    }

    /// True when every value compared is wanted.
    pub fn all(&self) -> bool {
        self.all
    }

    /// True when slow claims are to be checked too.
    pub fn full(&self) -> bool {
        self.full
    }

    /// The rows so far.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Claims that `value` is within `tolerance` of `reference`.
    pub fn within(&mut self, claim: impl Into<String>, value: f64, reference: f64, tolerance: f64, source: &str) {
        let passed = (value - reference).abs() <= tolerance;
        self.push(claim.into(), value, reference, tolerance, passed, source);
    }

    /// Claims that `value` is at most `bound`.
    pub fn at_most(&mut self, claim: impl Into<String>, value: f64, bound: f64, source: &str) {
        self.push(claim.into() + " (at most)", value, bound, 0.0, value <= bound, source);
    }

    /// Claims that `value` is at least `bound`.
    pub fn at_least(&mut self, claim: impl Into<String>, value: f64, bound: f64, source: &str) {
        self.push(claim.into() + " (at least)", value, bound, 0.0, value >= bound, source);
    }

    /// A comparison with an experiment: its reference is the middle of the band, or its only end. Fails only when it is judged.
    fn experiment(&mut self, claim: String, value: f64, source: &str, about: Experiment, holds: bool) {
        let (reference, tolerance) = match (about.at_least, about.at_most) {
            (Some(a), Some(b)) => (0.5 * (a + b), 0.5 * (b - a)),
            (Some(bound), None) | (None, Some(bound)) => (bound, 0.0),
            (None, None) => (f64::NAN, f64::NAN),
        };
        self.push(claim, value, reference, tolerance, holds || !about.judged, source);
        if let Some(row) = self.rows.last_mut() {
            row.experiment = Some(about);
        }
    }

    /// A claim that could not be checked: it fails.
    pub fn failed(&mut self, claim: impl Into<String>, reason: impl std::fmt::Display, source: &str) {
        let claim = format!("{}: not computed: {reason}", claim.into());
        self.push(claim, f64::NAN, f64::NAN, 0.0, false, source);
    }

    fn push(&mut self, claim: String, value: f64, reference: f64, tolerance: f64, passed: bool, source: &str) {
        self.rows.push(Row {
            group: self.group.to_owned(),
            claim,
            value,
            reference,
            tolerance,
            passed,
            source: source.to_owned(),
            experiment: None,
        });
    }
}

/// The groups of these names, or those checked by default when there is none.
///
/// # Errors
/// What is wrong with a name.
pub fn select(only: &[String]) -> Result<Vec<&'static Group>, String> {
    if only.is_empty() {
        return Ok(GROUPS.iter().filter(|g| g.by_default).collect());
    }
    only.iter()
        .map(|name| {
            GROUPS.iter().find(|g| g.name == name).ok_or_else(|| {
                let names: Vec<&str> = GROUPS.iter().map(|g| g.name).collect();
                format!(
                    "there is no group of claims \"{name}\"; expected one of {}",
                    names.join(", ")
                )
            })
        })
        .collect()
}

/// Rows as lines of a table.
pub fn table(rows: &[Row]) -> String {
    rows.iter().fold(String::new(), |mut out, r| {
        let judged = r.experiment.as_ref().is_none_or(|e| e.judged);
        let mark = match (judged, r.passed) {
            (false, _) => "info",
            (true, true) => "ok  ",
            (true, false) => "FAIL",
        };
        let _ = writeln!(out, "{mark} {:<11} {}", r.group, r.claim);
        if let Some(e) = &r.experiment {
            let _ = writeln!(out, "     {:<11} {}", "", against(r.value, e));
        } else if r.value.is_finite() {
            let _ = writeln!(
                out,
                "     {:<11} {} against {}, tolerance {}; {}",
                "",
                figure(r.value),
                figure(r.reference),
                figure(r.tolerance),
                r.source
            );
        }
        out
    })
}

/// A comparison with an experiment in one line.
fn against(value: f64, e: &Experiment) -> String {
    let band = match (e.at_least, e.at_most) {
        (Some(a), Some(b)) if a == b => figure(a),
        (Some(a), Some(b)) => format!("{} to {}", figure(a), figure(b)),
        (Some(a), None) => format!("at least {}", figure(a)),
        (None, Some(b)) => format!("at most {}", figure(b)),
        (None, None) => "no figure".to_owned(),
    };
    let others = e
        .by_other_edges
        .iter()
        .enumerate()
        .fold(String::new(), |mut text, (i, o)| {
            let value = o.value.map_or_else(|| "none".to_owned(), rounded);
            let _ = write!(text, "{} {value} by {}", if i == 0 { ";" } else { "," }, o.edge);
            text
        });
    let note = e.note.as_ref().map_or_else(String::new, |n| format!("; {n}"));
    format!(
        "{} against {band} ({}); edge {}{others}{note}",
        rounded(value),
        e.status,
        e.edge.split(':').next().unwrap_or_default(),
    )
}

/// A number with four significant digits at most.
fn rounded(v: f64) -> String {
    format!("{v:.3e}").parse::<f64>().map_or_else(|_| v.to_string(), figure)
}

/// A number with six significant digits at most.
fn figure(v: f64) -> String {
    if v == 0.0 {
        return "0".to_owned();
    }
    let magnitude = v.abs().log10().floor();
    if (-4.0..6.0).contains(&magnitude) {
        let decimals = (5.0 - magnitude).clamp(0.0, 9.0) as usize;
        let text = format!("{v:.decimals$}");
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    } else {
        format!("{v:.4e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_pass_and_fail() {
        let mut report = Report::new(false, false, || false);
        report.run("analytic", |r| {
            r.within("a", 1.05, 1.0, 0.1, "here");
            r.within("b", f64::NAN, 1.0, 0.1, "here");
            r.at_most("c", 2.0, 1.0, "here");
            r.at_least("d", 2.0, 1.0, "here");
            r.failed("e", "no grid", "here");
        });
        let passed: Vec<bool> = report.rows().iter().map(|r| r.passed).collect();
        assert_eq!(passed, [true, false, false, true, false]);
        let text = table(report.rows());
        assert!(text.contains("ok   analytic    a\n"), "{text}");
        assert!(text.contains("FAIL analytic    e: not computed: no grid"), "{text}");
    }

    #[test]
    fn groups_are_found_by_name() {
        let usual: Vec<&str> = select(&[]).unwrap().iter().map(|g| g.name).collect();
        assert_eq!(
            usual,
            [
                "analytic",
                "convergence",
                "crosscode",
                "xray",
                "anatomy",
                "axon",
                "transport",
                "outcome",
                "generator",
                "session"
            ]
        );
        assert_eq!(select(&["experiment".to_owned()]).unwrap().len(), 1);
        assert_eq!(select(&["crosscode".to_owned()]).unwrap()[0].name, "crosscode");
        assert!(select(&["cross".to_owned()]).unwrap_err().contains("crosscode"));
    }

    #[test]
    fn figures_have_six_digits() {
        for (v, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (152.2941, "152.294"),
            (0.05, "0.05"),
            (2447.64321, "2447.64"),
            (1e-7, "1.0000e-7"),
        ] {
            assert_eq!(figure(v), text);
        }
    }
}
