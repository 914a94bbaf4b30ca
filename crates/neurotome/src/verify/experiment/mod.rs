//! Comparison with published experiments: the numbers of `validation/experiment`.
//!
//! Each claim is one number that somebody measured, the band in which it lies, and a function that computes it for a criterion of the
//! lesion's edge. Nothing is fitted: tissue, cannulas and laws are the catalogue's, and a claim that fails stays and is shown. A number
//! that was only recalled, or with which nothing can be judged, is shown and cannot fail.

mod bench;
mod bipolar;
mod edge;
mod lattice;
mod monopolar;
mod nerve;
mod probes;
mod study;

use serde::Serialize;

pub(in crate::verify) use bench::Bench;

use super::{Claim, Report};
use edge::Edge;
use study::{Expectation, Study};

/// The studies of this group.
pub(super) const CLAIMS: &[Claim] = &[
    cosman, goldberg, lidocaine, provenzano, bogduk, manual, tew, bipolar, sciatic, c_fibres, dog, avanos, cobbs,
    fluid, pulses,
];

/// A claim and the edge by which it is computed.
struct Case<'a> {
    study: &'a Study,
    claim: &'a Expectation,
    edge: &'a Edge,
}

/// Computes the value of a claim.
type Value = fn(&mut Bench, &Case) -> Result<f64, String>;

type Values = &'static [(&'static str, Value)];

const COSMAN: Values = &[
    ("gauge_ratio", monopolar::gauge_ratio),
    ("gauge_gain", monopolar::gauge_gain),
    ("temperature_ratio", monopolar::temperature_ratio),
    ("two_minutes", monopolar::two_minutes),
    ("three_minutes", monopolar::three_minutes),
    ("first_minute", monopolar::first_minute),
    ("overshoot", monopolar::overshoot),
    ("both_ends", monopolar::both_ends),
    ("each_factor", monopolar::each_factor),
    ("width_22g", monopolar::width_22g),
    ("width_16g", monopolar::width_16g),
    ("width_16g_hot", monopolar::width_16g_hot),
];
const GOLDBERG: Values = &[
    ("largest_diameter", monopolar::largest_diameter),
    ("length_follows_tip", monopolar::length_follows_tip),
    ("saturation", monopolar::saturation),
    ("little_hotter", monopolar::little_hotter),
];
const LIDOCAINE: Values = &[("volume", monopolar::volume)];
const PROVENZANO: Values = &[("keeps_growing", monopolar::keeps_growing), ("power", monopolar::power)];
const BOGDUK: Values = &[("reach_22g", monopolar::reach_22g), ("reach_16g", monopolar::reach_16g)];
const MANUAL: Values = &[
    ("length_over_tip", monopolar::length_over_tip),
    ("growth_after_a_minute", monopolar::growth_after_a_minute),
];
const TEW: Values = &[
    ("internal_over_external", monopolar::internal_over_external),
    ("internal_over_distal", monopolar::internal_over_distal),
    ("internal", monopolar::internal),
    ("distal", monopolar::distal),
];
const BIPOLAR: Values = &[
    ("confluent_20g", bipolar::confluent_20g),
    ("confluent_20g_37", bipolar::confluent_20g_37),
    ("three_quarters_20g", bipolar::three_quarters_20g),
    ("area_22g", bipolar::area_22g),
    ("area_20g", bipolar::area_20g),
    ("area_18g", bipolar::area_18g),
    ("brick_across", bipolar::brick_across),
    ("brick_along", bipolar::brick_along),
    ("brick_deep", bipolar::brick_deep),
];
const SCIATIC: Values = &[
    ("dose", nerve::dose),
    ("law_of_the_nerve", nerve::law_of_the_nerve),
    ("law_of_lesions", nerve::law_of_lesions),
];
const C_FIBRES: Values = &[("not_destroyed", nerve::not_destroyed)];
const DOG: Values = &[("at_45", nerve::at_45), ("at_55_and_above", nerve::at_55_and_above)];

const AVANOS: Values = &[
    ("smallest_cooled", probes::smallest_cooled),
    ("other_cooled", probes::other_cooled),
    ("cooled_grows", probes::cooled_grows),
    ("tined", probes::tined_over_standard),
    ("rounder", probes::rounder),
    ("distal", probes::distal),
];
const COBBS: Values = &[
    ("energy", probes::energy),
    ("energy_without_water", probes::energy_without_water),
    ("length_without_water", probes::length_without_water),
];
const FLUID: Values = &[
    ("water_larger", probes::water_larger),
    ("saline_larger", probes::saline_larger),
    ("lidocaine_larger", probes::lidocaine_larger),
    ("salt_over_water", probes::salt_over_water),
    ("brine_over_water", probes::brine_over_water),
    ("brine_impedance", probes::brine_impedance),
    ("lidocaine_adds_nothing", probes::lidocaine_adds_nothing),
    ("brine_power", probes::brine_power),
    ("grows_with_saline", probes::grows_with_saline),
];
const PULSES: Values = &[
    ("hottest_in_a_burst", probes::hottest_in_a_burst),
    ("spike", probes::spike),
    ("field_at_1_mm", probes::field_at_1_mm),
];

fn cosman(report: &mut Report) {
    compare(report, "cosman2014", COSMAN);
}

fn goldberg(report: &mut Report) {
    compare(report, "goldberg1995", GOLDBERG);
}

fn lidocaine(report: &mut Report) {
    compare(report, "lidocaine2020", LIDOCAINE);
}

fn provenzano(report: &mut Report) {
    compare(report, "provenzano", PROVENZANO);
}

fn bogduk(report: &mut Report) {
    compare(report, "bogduk1987", BOGDUK);
}

fn manual(report: &mut Report) {
    compare(report, "nt1100", MANUAL);
}

fn tew(report: &mut Report) {
    compare(report, "tew2015", TEW);
}

fn bipolar(report: &mut Report) {
    compare(report, "bipolar", BIPOLAR);
}

fn sciatic(report: &mut Report) {
    compare(report, "sciatic1988", SCIATIC);
}

fn c_fibres(report: &mut Report) {
    compare(report, "morgan2020", C_FIBRES);
}

fn dog(report: &mut Report) {
    compare(report, "smith1981", DOG);
}

fn avanos(report: &mut Report) {
    compare(report, "avanos2024", AVANOS);
}

fn cobbs(report: &mut Report) {
    compare(report, "cobbs2023", COBBS);
}

fn fluid(report: &mut Report) {
    compare(report, "provenzano_fluid", FLUID);
}

fn pulses(report: &mut Report) {
    compare(report, "cosman2005", PULSES);
}

/// What a reader needs to judge a comparison with an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Experiment {
    /// Short name of the study.
    pub study: String,
    /// Name of the claim in the study's file.
    pub key: String,
    /// True when the claim can fail; else it is shown for information.
    pub judged: bool,
    /// What was measured, with its unit.
    pub measured: String,
    /// Lower end of the band.
    pub at_least: Option<f64>,
    /// Upper end of the band.
    pub at_most: Option<f64>,
    /// Whether the published number was read, follows from numbers read, or was recalled.
    pub status: String,
    /// Why it is not judged, or what else a reader should know.
    pub note: Option<String>,
    /// How it was measured, and what stands for it in the computation.
    pub preparation: String,
    /// Where the numbers were read.
    pub seen_at: String,
    /// What makes the edge of the lesion here, and why.
    pub edge: String,
    /// Start temperature, and why.
    pub start: String,
    /// The value by other edges; empty when the edge does not enter.
    pub by_other_edges: Vec<ByEdge>,
    /// How far published ranges of the inputs move the value; only when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
}

/// A value by another edge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ByEdge {
    /// The edge.
    pub edge: String,
    /// The value; none when there is none.
    pub value: Option<f64>,
}

/// How far inputs move a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sensitivity {
    /// The value with the catalogue's inputs, on the cells and gauges of the sensitivity.
    pub base: f64,
    /// One entry an input.
    pub factors: Vec<Moved>,
}

/// A value with one input at either end of its range.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Moved {
    /// What was moved, with its unit.
    pub name: String,
    /// Lower end of its range.
    pub low: f64,
    /// Upper end of its range.
    pub high: f64,
    /// The value at the lower end.
    pub value_low: f64,
    /// The value at the upper end.
    pub value_high: f64,
    /// Where the range comes from.
    pub source: String,
}

/// Adds a row for each claim of a study.
fn compare(report: &mut Report, name: &str, values: Values) {
    let study = match Study::read(name) {
        Ok(study) => study,
        Err(reason) => return report.failed(name, reason, name),
    };
    // Taken out while the claims fill it, since they add to the report too.
    let mut bench = match report.bench.take().map_or_else(|| Bench::new(report.stop), Ok) {
        Ok(bench) => bench,
        Err(reason) => return report.failed(&study.name, reason, &study.citation),
    };
    for (key, value) in values {
        if report.stopped() {
            break;
        }
        match study.claim(key) {
            Ok(claim) => row(report, &mut bench, &study, claim, *value),
            Err(reason) => report.failed(&study.name, reason, &study.citation),
        }
    }
    report.bench = Some(bench);
}

fn row(report: &mut Report, bench: &mut Bench, study: &Study, claim: &Expectation, value: Value) {
    let title = format!("{}: {}", study.name, claim.measured);
    let mut by = |bench: &mut Bench, edge: &Edge| value(bench, &Case { study, claim, edge });
    bench.reset();
    let found = match by(bench, &study.edge) {
        Ok(v) => v,
        Err(reason) => return report.failed(title, reason, &study.citation),
    };
    let mut by_other_edges: Vec<ByEdge> = study
        .other_edges
        .iter()
        .map(|edge| ByEdge {
            edge: edge.text(),
            value: by(bench, edge).ok().filter(|v| v.is_finite()),
        })
        .collect();
    // The edge does not enter every claim.
    if by_other_edges.iter().all(|e| e.value == Some(found)) {
        by_other_edges.clear();
    }
    let sensitivity = if report.full() && claim.sensitivity {
        match vary(bench, &mut by, &study.edge) {
            Ok(s) => Some(s),
            Err(reason) => return report.failed(format!("{title}: sensitivity"), reason, &study.citation),
        }
    } else {
        None
    };
    report.experiment(
        title,
        found,
        &study.citation,
        Experiment {
            study: study.name.clone(),
            key: claim.key.clone(),
            judged: claim.judged(),
            measured: claim.measured.clone(),
            at_least: claim.at_least,
            at_most: claim.at_most,
            status: claim.status.text().to_owned(),
            note: claim.information.clone().or_else(|| claim.note.clone()),
            preparation: study.preparation.clone(),
            seen_at: study.seen_at.clone(),
            edge: format!("{}: {}", study.edge.text(), study.edge_why),
            start: format!("{} °C: {}", study.start_temperature_c, study.start_why),
            by_other_edges,
            sensitivity,
        },
        claim.holds(found),
    );
}

/// Moves each input to the ends of its range.
fn vary(
    bench: &mut Bench,
    value: &mut dyn FnMut(&mut Bench, &Edge) -> Result<f64, String>,
    edge: &Edge,
) -> Result<Sensitivity, String> {
    bench.reset_coarse();
    let base = value(bench, edge)?;
    let mut factors = Vec::new();
    for factor in study::factors()? {
        let mut at = |end: f64| {
            bench.reset_coarse();
            bench.set(&factor.key, end)?;
            value(bench, edge)
        };
        let (value_low, value_high) = (at(factor.low)?, at(factor.high)?);
        factors.push(Moved {
            name: factor.name,
            low: factor.low,
            high: factor.high,
            value_low,
            value_high,
            source: factor.source,
        });
    }
    bench.reset();
    Ok(Sensitivity { base, factors })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_number_has_a_function_and_every_function_a_number() {
        let tables: [(&str, Values); 15] = [
            ("cosman2014", COSMAN),
            ("goldberg1995", GOLDBERG),
            ("lidocaine2020", LIDOCAINE),
            ("provenzano", PROVENZANO),
            ("bogduk1987", BOGDUK),
            ("nt1100", MANUAL),
            ("tew2015", TEW),
            ("bipolar", BIPOLAR),
            ("sciatic1988", SCIATIC),
            ("morgan2020", C_FIBRES),
            ("smith1981", DOG),
            ("avanos2024", AVANOS),
            ("cobbs2023", COBBS),
            ("provenzano_fluid", FLUID),
            ("cosman2005", PULSES),
        ];
        assert_eq!(tables.map(|t| t.0), study::FILES.map(|f| f.0));
        for (name, values) in tables {
            let study = Study::read(name).unwrap();
            let keys: Vec<&str> = study.claims.iter().map(|c| c.key.as_str()).collect();
            let functions: Vec<&str> = values.iter().map(|v| v.0).collect();
            assert_eq!(keys, functions, "{name}");
        }
    }

    #[test]
    fn a_claim_outside_its_band_fails_and_information_does_not() {
        let mut report = Report::new(false, false, || false);
        let study = Study::read("nt1100").unwrap();
        let mut bench = Bench::new(|| false).unwrap();
        let mut claim = study.claims[0].clone();
        for (value, judged, passed) in [
            ((|_, _| Ok(1.05)) as Value, true, true),
            (|_, _| Ok(1.5), true, false),
            (|_, _| Ok(1.5), false, true),
            (|_, _| Err("no grid".to_owned()), false, false),
        ] {
            claim.information = (!judged).then(|| "why".to_owned());
            row(&mut report, &mut bench, &study, &claim, value);
            let row = report.rows().last().unwrap();
            assert_eq!(row.passed, passed, "{row:?}");
        }
        let text = super::super::table(report.rows());
        assert!(text.contains("ok  "), "{text}");
        assert!(text.contains("FAIL"), "{text}");
        assert!(text.contains("info"), "{text}");
    }
}
