//! `[anaesthetic]`: an injection before heating, and its spread.

use std::sync::Arc;

use neurotome_base::PatientPoint;
use neurotome_procedure::{
    anaesthesia::{
        AnaesthesiaError, ConductionRule, Dose, Fascia, Injection, Solution, Spread, TissueTransport, inject,
    },
    anatomy::NerveKind,
    catalog::{Catalog, Entry, Sourced, find},
    lesion::{LesionProblem, Perfusion},
};

use super::super::{Anaesthesia, AnaestheticTable, Scenario};
use super::{Builder, Result};

/// Agent where the table names none.
const DEFAULT_AGENT: &str = "lidocaine";
const DEFAULT_VOLUME_ML: f64 = 0.5;
const DEFAULT_RATE_ML_PER_MIN: f64 = 1.0;
const DEFAULT_WAIT_S: f64 = 120.0;
const DEFAULT_MASS_KG: f64 = 70.0;
/// Most fasciae.
const MAX_FASCIAE: usize = 16;
/// Longest wait before heating, s.
const MAX_WAIT_S: f64 = 7200.0;

impl AnaestheticTable {
    /// Seconds from the end of the injection to the start of heating.
    pub fn waits_s(&self) -> f64 {
        self.wait_s.unwrap_or(DEFAULT_WAIT_S)
    }

    /// Name of the agent.
    pub fn agent(&self) -> &str {
        self.agent.as_deref().unwrap_or(DEFAULT_AGENT)
    }
}

/// The injection that a table describes, in the anatomy of a problem; where the table names no tip, the fluid leaves the first needle.
///
/// # Errors
/// [`AnaesthesiaError`].
pub fn injection(
    table: &AnaestheticTable,
    problem: &LesionProblem,
    scenario: &Scenario,
    catalog: &Catalog,
) -> std::result::Result<Injection, AnaesthesiaError> {
    let range = |what, found: f64, high: f64, unit, advice| {
        if found.is_finite() && (0.0..=high).contains(&found) {
            return Ok(found);
        }
        Err(AnaesthesiaError::Range {
            what,
            found,
            low: 0.0,
            high,
            unit,
            advice,
        })
    };
    let wait_s = range(
        "the wait",
        table.waits_s(),
        MAX_WAIT_S,
        "s",
        "give the time from the injection to the heating",
    )?;
    range(
        "the number of fasciae",
        table.fasciae.len() as f64,
        MAX_FASCIAE as f64,
        "",
        "leave some out",
    )?;
    let transport = problem
        .tissue_names
        .iter()
        .map(|name| transport_of(catalog, scenario, name));
    let perfused = problem.perfusion != Perfusion::Off;
    let point = |p: [f64; 3]| PatientPoint::new(p[0], p[1], p[2]);
    let injection = Injection {
        anatomy: Arc::clone(&problem.anatomy),
        tissue_names: problem.tissue_names.clone(),
        transport: transport.collect(),
        perfusion_per_s: problem
            .tissues
            .iter()
            .map(|t| if perfused { t.perfusion_per_s } else { 0.0 })
            .collect(),
        solution: Solution::new(catalog, table.agent(), table.percent)?,
        volume_ml: table.volume_ml.unwrap_or(DEFAULT_VOLUME_ML),
        rate_ml_per_min: table.rate_ml_per_min.unwrap_or(DEFAULT_RATE_ML_PER_MIN),
        tip: match (table.tip_mm, problem.needles.first()) {
            (Some(tip), _) => point(tip),
            (None, Some(needle)) => needle.tip,
            (None, None) => problem.domain.center,
        },
        follow_s: table.follow_s.unwrap_or(0.0).max(wait_s),
        keep_s: vec![wait_s],
        nerves: problem.nerves.clone(),
        rule: ConductionRule::new(catalog, NerveKind::MedialBranch)?,
        fasciae: table
            .fasciae
            .iter()
            .map(|f| Fascia {
                point: point(f.point_mm),
                normal: f.normal,
                radius_mm: f.radius_mm,
            })
            .collect(),
        body_mass_kg: table.body_mass_kg.unwrap_or(DEFAULT_MASS_KG),
        cell_mm: table.cell_mm,
    };
    injection.check()?;
    Ok(injection)
}

/// The transport of a tissue of a run: that of its name, or of the tissue on which it is based.
fn transport_of(catalog: &Catalog, scenario: &Scenario, name: &str) -> Option<TissueTransport> {
    TissueTransport::of(catalog, name).or_else(|| {
        let base = scenario.tissues.get(name)?.based_on.as_deref()?;
        TissueTransport::of(catalog, base)
    })
}

/// What is to be said of a dose.
pub fn dose_remark(agent: &str, dose: &Dose) -> Option<String> {
    dose.too_much().then(|| {
        format!(
            "{:.0} mg of {agent} is more than the largest dose of {:.0} mg for this body; inject less, or weaker",
            dose.dose_mg, dose.max_mg
        )
    })
}

/// Key of a scenario that an error is about.
fn key(error: &AnaesthesiaError) -> &'static str {
    match error {
        AnaesthesiaError::Agent { .. } => "anaesthetic.agent",
        AnaesthesiaError::Percent { .. } => "anaesthetic.percent",
        AnaesthesiaError::Tip { .. } => "anaesthetic.tip_mm",
        AnaesthesiaError::Range { what, .. } => match *what {
            "the concentration" => "anaesthetic.percent",
            "the volume" => "anaesthetic.volume_ml",
            "the rate" => "anaesthetic.rate_ml_per_min",
            "the wait" => "anaesthetic.wait_s",
            "the time followed" => "anaesthetic.follow_s",
            "the mass of the body" => "anaesthetic.body_mass_kg",
            "the side of a cell" => "anaesthetic.cell_mm",
            _ => "anaesthetic.fasciae",
        },
        _ => "anaesthetic",
    }
}

impl Builder<'_> {
    /// Computes the spread of `[anaesthetic]`, where that is wanted, and gives its fluid to the problem.
    pub(super) fn anaesthetic(
        &mut self,
        s: &Scenario,
        problem: &mut LesionProblem,
        spreads: bool,
    ) -> Result<Option<Anaesthesia>> {
        let Some(table) = &s.anaesthetic else { return Ok(None) };
        if s.injectate.is_some() {
            return Err(self.fault(
                "anaesthetic",
                "both [anaesthetic] and [injectate] are given, expected at most one",
                "remove one of the two: [anaesthetic] computes how the fluid spreads, [injectate] says where it is",
            ));
        }
        if let Some(tip) = table.tip_mm {
            self.point("anaesthetic.tip_mm", tip)?;
        }
        for (i, f) in table.fasciae.iter().enumerate() {
            self.point(&format!("anaesthetic.fasciae[{i}].point_mm"), f.point_mm)?;
            self.direction(&format!("anaesthetic.fasciae[{i}].normal"), f.normal)?;
        }
        let refused = |e: AnaesthesiaError| {
            self.fault(
                key(&e),
                e.to_string(),
                "`neurotome inject --help` tells what can be given",
            )
        };
        let injection = injection(table, problem, s, self.catalog).map_err(refused)?;
        if !spreads {
            return Ok(None);
        }
        let spread = inject(&injection, &mut |_| true).map_err(refused)?;
        if let Some(dose) = &spread.dose {
            self.remarks.extend(dose_remark(table.agent(), dose));
        }
        self.note_anaesthetic(table.agent(), &injection, &spread);
        let anaesthesia = Anaesthesia {
            injection,
            spread: Arc::new(spread),
            wait_s: table.waits_s(),
        };
        problem.injectate = Some(anaesthesia.spread.injectate_at(anaesthesia.wait_s));
        Ok(Some(anaesthesia))
    }

    /// Notes the unverified values of the agent and of the tissues' transport.
    fn note_anaesthetic(&mut self, agent: &str, injection: &Injection, spread: &Spread) {
        for (subject, key, value) in anaesthetic_values(self.catalog, agent, injection, spread) {
            self.note(&subject, key, value);
        }
    }
}

/// Values of the catalogue that an injection uses: what they belong to, their key, and they themselves.
pub fn anaesthetic_values<'c>(
    catalog: &'c Catalog,
    agent: &str,
    injection: &Injection,
    spread: &Spread,
) -> Vec<(String, &'static str, &'c Sourced)> {
    fn all<'c, E: Entry>(entry: &'c E, what: &str) -> Vec<(String, &'static str, &'c Sourced)> {
        entry
            .values()
            .into_iter()
            .map(|(k, v)| (format!("{what} {}", entry.name()), k, v))
            .collect()
    }
    let mut found = Vec::new();
    if let Some(entry) = find(&catalog.solutions, agent) {
        found.extend(all(entry, "solution"));
    }
    if let Some(entry) = find(&catalog.anaesthetics, agent) {
        found.extend(all(entry, "anaesthetic"));
    }
    let names = spread
        .tissues
        .iter()
        .filter_map(|t| injection.tissue_names.get(usize::from(t.0)));
    for tissue in names {
        if let Some(entry) = find(&catalog.transport, tissue) {
            found.extend(all(entry, "transport"));
        }
    }
    found
}
