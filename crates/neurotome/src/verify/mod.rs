//! Claims about the program's correctness, checked by the program itself.
//!
//! A claim is a plain function that computes something and adds rows to a [`Report`]; it stands in the list of its group. A new claim
//! is one function and one line.

mod analytic;
mod convergence;
mod crosscode;

use std::fmt::Write as _;

use serde::Serialize;

/// A claim: computes, and adds at least one row.
pub type Claim = fn(&mut Report);

/// Claims that belong together.
#[derive(Debug)]
pub struct Group {
    /// The group's name for `--only`.
    pub name: &'static str,
    /// Its claims in the order in which they are checked.
    pub claims: &'static [Claim],
}

/// All groups.
pub const GROUPS: &[Group] = &[
    Group {
        name: "analytic",
        claims: analytic::CLAIMS,
    },
    Group {
        name: "convergence",
        claims: convergence::CLAIMS,
    },
    Group {
        name: "crosscode",
        claims: crosscode::CLAIMS,
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
}

/// Collects rows.
pub struct Report {
    rows: Vec<Row>,
    group: &'static str,
    all: bool,
    full: bool,
    stop: fn() -> bool,
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
        });
    }
}

/// The groups of these names, or all when there is none.
///
/// # Errors
/// What is wrong with a name.
pub fn select(only: &[String]) -> Result<Vec<&'static Group>, String> {
    if only.is_empty() {
        return Ok(GROUPS.iter().collect());
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
        let mark = if r.passed { "ok  " } else { "FAIL" };
        let _ = writeln!(out, "{mark} {:<11} {}", r.group, r.claim);
        if r.value.is_finite() {
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
        assert_eq!(select(&[]).unwrap().len(), GROUPS.len());
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
