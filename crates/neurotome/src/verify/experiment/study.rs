//! The published numbers: the files of `validation/experiment`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::edge::Edge;

/// The studies with their files.
pub(super) const FILES: [(&str, &str); 15] = [
    (
        "cosman2014",
        include_str!("../../../../../validation/experiment/cosman2014.toml"),
    ),
    (
        "goldberg1995",
        include_str!("../../../../../validation/experiment/goldberg1995.toml"),
    ),
    (
        "lidocaine2020",
        include_str!("../../../../../validation/experiment/lidocaine2020.toml"),
    ),
    (
        "provenzano",
        include_str!("../../../../../validation/experiment/provenzano.toml"),
    ),
    (
        "bogduk1987",
        include_str!("../../../../../validation/experiment/bogduk1987.toml"),
    ),
    (
        "nt1100",
        include_str!("../../../../../validation/experiment/nt1100.toml"),
    ),
    (
        "tew2015",
        include_str!("../../../../../validation/experiment/tew2015.toml"),
    ),
    (
        "bipolar",
        include_str!("../../../../../validation/experiment/bipolar.toml"),
    ),
    (
        "sciatic1988",
        include_str!("../../../../../validation/experiment/sciatic1988.toml"),
    ),
    (
        "morgan2020",
        include_str!("../../../../../validation/experiment/morgan2020.toml"),
    ),
    (
        "smith1981",
        include_str!("../../../../../validation/experiment/smith1981.toml"),
    ),
    (
        "avanos2024",
        include_str!("../../../../../validation/experiment/avanos2024.toml"),
    ),
    (
        "cobbs2023",
        include_str!("../../../../../validation/experiment/cobbs2023.toml"),
    ),
    (
        "provenzano_fluid",
        include_str!("../../../../../validation/experiment/provenzano_fluid.toml"),
    ),
    (
        "cosman2005",
        include_str!("../../../../../validation/experiment/cosman2005.toml"),
    ),
];

const SENSITIVITY: &str = include_str!("../../../../../validation/experiment/sensitivity.toml");

/// A published study and what of it is compared.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Study {
    /// Short name.
    #[serde(rename = "study")]
    pub name: String,
    /// Citation.
    pub citation: String,
    /// Where its numbers were read.
    pub seen_at: String,
    /// What was done in the experiment, and what stands for it here.
    pub preparation: String,
    /// Temperature of everything at the start, °C.
    pub start_temperature_c: f64,
    /// Why that one.
    pub start_why: String,
    /// What makes the edge of the lesion; the claims are judged by it.
    pub edge: Edge,
    /// Why that one.
    pub edge_why: String,
    /// Other edges by which each claim is shown.
    pub other_edges: Vec<Edge>,
    /// Other numbers of the experiment, by name.
    #[serde(default)]
    pub protocol: BTreeMap<String, f64>,
    /// What is compared.
    #[serde(rename = "claim")]
    pub claims: Vec<Expectation>,
}

/// One published number and the band in which the computed one must lie.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    /// Its name in the file.
    pub key: String,
    /// What was measured, with its unit.
    pub measured: String,
    /// Lower end of the band.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// Upper end of the band.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// Whether the numbers were read.
    pub status: Status,
    /// Why the number is shown and not judged.
    #[serde(default)]
    pub information: Option<String>,
    /// Moved by `cargo xtask sensitivity`.
    #[serde(default)]
    pub sensitivity: bool,
    /// What a reader should know.
    #[serde(default)]
    pub note: Option<String>,
}

/// How a number came here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    /// Read at the place named.
    Read,
    /// Arithmetic on numbers read.
    Derived,
    /// Recalled; cannot fail.
    Unverified,
}

impl Status {
    pub fn text(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Derived => "derived from numbers read",
            Self::Unverified => "recalled, unverified",
        }
    }
}

impl Expectation {
    /// Whether the claim can fail: its numbers were read or follow from numbers read, and nothing speaks against judging.
    pub fn judged(&self) -> bool {
        self.status != Status::Unverified && self.information.is_none()
    }

    /// Whether a value lies in the band; its ends belong to it, and no value that is not a number does.
    pub fn holds(&self, value: f64) -> bool {
        self.at_least.unwrap_or(f64::NEG_INFINITY) <= value && value <= self.at_most.unwrap_or(f64::INFINITY)
    }

    /// The value farthest from the middle of the band.
    pub fn farthest(&self, values: &[f64]) -> f64 {
        let middle = match (self.at_least, self.at_most) {
            (Some(a), Some(b)) => 0.5 * (a + b),
            (None, Some(_)) => f64::NEG_INFINITY,
            (Some(_), None) => f64::INFINITY,
            (None, None) => f64::NAN,
        };
        let distance = |v: f64| match middle {
            m if v.is_nan() || m.is_nan() => f64::INFINITY,
            m if m == f64::NEG_INFINITY => v,
            m if m == f64::INFINITY => -v,
            m => (v - m).abs(),
        };
        values
            .iter()
            .copied()
            .max_by(|a, b| distance(*a).total_cmp(&distance(*b)))
            .unwrap_or(f64::NAN)
    }
}

impl Study {
    /// The study of a file's name.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn read(name: &str) -> Result<Self, String> {
        let (_, text) = FILES
            .iter()
            .find(|(n, _)| *n == name)
            .ok_or_else(|| format!("there is no study \"{name}\""))?;
        Self::parse(text).map_err(|e| format!("validation/experiment/{name}.toml: {e}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let study: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        for (i, claim) in study.claims.iter().enumerate() {
            if study.claims[..i].iter().any(|c| c.key == claim.key) {
                return Err(format!("claim \"{}\": the key stands twice", claim.key));
            }
            let numbers = [claim.at_least, claim.at_most];
            if claim.judged() && numbers == [None, None] {
                return Err(format!(
                    "claim \"{}\": neither at_least nor at_most; a claim without a band needs `information`",
                    claim.key
                ));
            }
            if numbers.iter().flatten().any(|v| !v.is_finite()) || matches!(numbers, [Some(a), Some(b)] if a > b) {
                return Err(format!(
                    "claim \"{}\": at_least must not lie above at_most, and both must be finite",
                    claim.key
                ));
            }
        }
        Ok(study)
    }

    /// A claim by its key.
    ///
    /// # Errors
    /// When there is none.
    pub fn claim(&self, key: &str) -> Result<&Expectation, String> {
        self.claims
            .iter()
            .find(|c| c.key == key)
            .ok_or_else(|| format!("{}: there is no claim \"{key}\"", self.name))
    }

    /// A number of the protocol.
    ///
    /// # Errors
    /// When there is none.
    pub fn number(&self, key: &str) -> Result<f64, String> {
        self.protocol
            .get(key)
            .copied()
            .ok_or_else(|| format!("{}: the protocol has no \"{key}\"", self.name))
    }
}

/// An input and its published range.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Factor {
    /// Name of the input in the program.
    pub key: String,
    /// What it is, with its unit.
    pub name: String,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Where the range comes from; shown by `cargo xtask sensitivity`.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Factors {
    factor: Vec<Factor>,
}

/// The inputs that the sensitivity moves.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn factors() -> Result<Vec<Factor>, String> {
    toml::from_str::<Factors>(SENSITIVITY)
        .map(|f| f.factor)
        .map_err(|e| format!("validation/experiment/sensitivity.toml: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str = r#"
study = "s"
citation = "c"
seen_at = "p"
preparation = "x"
start_temperature_c = 21
start_why = "w"
edge = { isotherm_c = 55 }
edge_why = "w"
other_edges = [{ law = "liver_jacques" }]
"#;

    fn with_claim(lines: &str) -> Result<Study, String> {
        Study::parse(&format!("{STUDY}[[claim]]\nkey = \"k\"\nmeasured = \"m\"\n{lines}"))
    }

    #[test]
    fn every_file_is_read() {
        for (name, _) in FILES {
            let study = Study::read(name).unwrap();
            assert!(!study.claims.is_empty(), "{name}");
            assert!((15.0..40.0).contains(&study.start_temperature_c), "{name}");
        }
        assert!(Study::read("nobody").unwrap_err().contains("nobody"));
        assert!(
            factors()
                .unwrap()
                .iter()
                .all(|f| f.low < f.high && !f.source.is_empty())
        );
    }

    #[test]
    fn a_number_that_was_not_read_is_never_judged() {
        let judged = |lines: &str| with_claim(lines).unwrap().claims[0].judged();
        assert!(judged("status = \"read\"\nat_most = 1"));
        assert!(judged("status = \"derived\"\nat_most = 1"));
        assert!(!judged("status = \"unverified\"\nat_most = 1"));
        assert!(!judged("status = \"read\"\nat_most = 1\ninformation = \"why\""));
    }

    #[test]
    fn a_wrong_file_says_what_is_wrong() {
        for (lines, part) in [
            ("status = \"read\"", "without a band"),
            ("status = \"read\"\nat_least = 2\nat_most = 1", "must not lie above"),
            ("status = \"read\"\nat_most = nan", "finite"),
            ("status = \"heard\"\nat_most = 1", "heard"),
            ("status = \"read\"\nat_most = 1\nextra = 1", "extra"),
            (
                "status = \"read\"\nat_most = 1\n[[claim]]\nkey = \"k\"\nmeasured = \"m\"\nstatus = \"read\"\nat_most = 1",
                "twice",
            ),
        ] {
            let error = with_claim(lines).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn the_band_has_closed_ends() {
        let claim = |lines: &str| with_claim(&format!("status = \"read\"\n{lines}")).unwrap().claims[0].clone();
        let both = claim("at_least = 1\nat_most = 2");
        let holds = [0.999, 1.0, 1.5, 2.0, 2.001, f64::NAN].map(|v| both.holds(v));
        assert_eq!(holds, [false, true, true, true, false, false]);
        assert!(claim("at_least = 1").holds(1e9) && !claim("at_least = 1").holds(0.9));
        assert!(claim("at_most = 1").holds(-1e9) && !claim("at_most = 1").holds(1.1));
        assert!(!claim("at_most = 1").holds(f64::NAN));
    }

    #[test]
    fn the_farthest_value_is_the_one_that_decides() {
        let claim = |lines: &str| with_claim(&format!("status = \"read\"\n{lines}")).unwrap().claims[0].clone();
        assert_eq!(claim("at_least = 1\nat_most = 2").farthest(&[1.4, 1.9, 1.2]), 1.9);
        assert_eq!(claim("at_least = 1").farthest(&[1.4, 1.9, 1.2]), 1.2);
        assert_eq!(claim("at_most = 2").farthest(&[1.4, 1.9, 1.2]), 1.9);
        assert!(claim("at_most = 2").farthest(&[1.4, f64::NAN, 1.2]).is_nan());
        assert!(claim("at_most = 2").farthest(&[]).is_nan());
    }
}
