//! From a scenario with `[procedure]` to the case of a session.

use std::sync::Arc;

use neurotome_procedure::{
    anaesthesia::TissueTransport,
    anatomy::Side,
    assessment::History,
    catalog::{Cannula, Catalog, find},
    fluoroscopy::Machine,
    generator::{
        Profile,
        faults::{Fault, FaultKind},
    },
    planning::{Device, Effort, Joint},
    session::{Case, CaseFault, NearPlant},
};

use super::{FaultTable, Loaded, Source, hounsfield, table_top};
use crate::history::{EXAMPLE, HistoryError, parse_history, read_history};
use crate::plants;

const JOINT: &str = "L4-L5";
const SIDE: &str = "right";
const CARM: &str = "mobile-flat-30cm";
/// All lengths of this cannula are at hand where none is named.
const CANNULA: &str = "18G-10mm-straight";
const GENERATOR: &str = "generic";
const BODY_KG: f64 = 70.0;
const CANDIDATES: u32 = 200;
const DRAWS: u32 = 200;
const FIT_SOLVES: u32 = 2;
const VERIFIED: u32 = 0;
const PEOPLE: u32 = 1000;
/// Most of each of these.
const MOST: u32 = 1_000_000;
/// Most faults of a scenario.
const MOST_FAULTS: usize = 16;
/// Voxels of the built-in patient under the C-arm, mm.
const VOXEL_MM: f64 = 2.0;

/// Why a scenario is no case.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaseError {
    /// The scenario has no patient.
    #[error(
        "{0} has no patient whose bones and nerves are known, which a procedure needs; use the built-in patient, or fit the spine to an image \
         with [image.spine]"
    )]
    NoPatient(String),
    /// A key of `[procedure]` cannot be used.
    #[error("procedure.{key}: {found}; expected {expected}")]
    Key {
        /// The key.
        key: &'static str,
        /// What was found.
        found: String,
        /// What may be.
        expected: String,
    },
    /// The history.
    #[error(transparent)]
    History(#[from] HistoryError),
}

fn bad(key: &'static str, found: impl Into<String>, expected: impl Into<String>) -> CaseError {
    CaseError::Key {
        key,
        found: found.into(),
        expected: expected.into(),
    }
}

fn count(key: &'static str, value: Option<u32>, usual: u32, least: u32) -> Result<usize, CaseError> {
    let value = value.unwrap_or(usual);
    if (least..=MOST).contains(&value) {
        Ok(value as usize)
    } else {
        Err(bad(key, value.to_string(), format!("{least} to {MOST}")))
    }
}

/// The case of a scenario; where it has no `[procedure]`, everything in it is the usual.
///
/// # Errors
/// [`CaseError`].
pub fn case(source: &Source, loaded: Loaded, catalog: &Arc<Catalog>) -> Result<Case, CaseError> {
    let patient = loaded
        .patient
        .clone()
        .ok_or_else(|| CaseError::NoPatient(source.name.clone()))?;
    let table = loaded.scenario.procedure.clone().unwrap_or_default();
    let joint: Joint = table
        .joint
        .as_deref()
        .unwrap_or(JOINT)
        .parse()
        .map_err(|e: String| bad("joint", e, "a joint such as L4-L5"))?;
    let side_name = table.side.as_deref().unwrap_or(SIDE);
    let side: Side = side_name
        .parse()
        .map_err(|_| bad("side", format!("\"{side_name}\""), "left or right"))?;
    let history: History = match &table.history {
        Some(path) => read_history(&source.folder.join(path))?,
        None => parse_history("history.toml", EXAMPLE).map_err(HistoryError::from)?,
    };
    let body_mass_kg = table.body_mass_kg.unwrap_or(BODY_KG);
    if !(20.0..=300.0).contains(&body_mass_kg) {
        return Err(bad("body_mass_kg", body_mass_kg.to_string(), "20 to 300"));
    }
    let carm = table.carm.as_deref().unwrap_or(CARM);
    let machine = Machine::new(catalog, carm).map_err(|e| bad("carm", e.to_string(), "a C-arm of the catalogue"))?;
    let seed = table.seed.unwrap_or(1);
    let fit_solves = count("fit_solves", table.fit_solves, FIT_SOLVES, 2)?;
    let effort = Effort {
        candidates: count("candidates", table.candidates, CANDIDATES, 1)?,
        draws: count("draws", table.draws, DRAWS, 1)?,
        fit_solves,
        held_out_solves: fit_solves.div_ceil(2),
        verified: count("verified", table.verified, VERIFIED, 0)?.min(100),
        seed,
    };
    let devices = devices(catalog, &table.cannulas)?;
    let people = count("people", table.people, PEOPLE, 1)?;
    let title = match loaded.scenario.title.as_str() {
        "" => source.name.clone(),
        title => title.to_owned(),
    };
    let top = table_top(&loaded, &machine);
    let generator = table.generator.as_deref().unwrap_or(GENERATOR);
    let entry = find(&catalog.generators, generator)
        .ok_or_else(|| bad("generator", format!("\"{generator}\""), "a generator of the catalogue"))?;
    let generator = Profile::from_entry(entry).map_err(|key| {
        bad(
            "generator",
            format!("\"{generator}\" without `{key}`"),
            "an entry with all keys",
        )
    })?;
    let plants = near_plants(catalog)?;
    let faults = faults(&table.faults)?;
    let preset = loaded.scenario.drive.preset.clone();
    let template = loaded.problem.clone();
    let transport = template
        .tissue_names
        .iter()
        .map(|name| TissueTransport::of(catalog, name))
        .collect();
    let target = template.domain.center;
    let (source, seen) = (source.clone(), Arc::clone(catalog));
    Ok(Case {
        title,
        patient,
        template,
        transport,
        catalog: Arc::clone(catalog),
        devices,
        history,
        joint,
        side,
        generator,
        plants,
        preset,
        faults,
        machine,
        radiodensity: Arc::new(move || hounsfield(&source, &loaded, &seen, &target, VOXEL_MM, true)),
        table: top,
        effort,
        body_mass_kg,
        people,
        seed,
    })
}

/// The standard plants of single needles with the sizes of their cannulas.
fn near_plants(catalog: &Catalog) -> Result<Vec<NearPlant>, CaseError> {
    let unusable = |e: String| bad("cannulas", e, "standard plants of cannulas of the catalogue");
    let mut all = Vec::new();
    for plant in plants::standard().map_err(|e| unusable(e.to_string()))? {
        let name = plant.cannula().map_err(|e| unusable(e.to_string()))?;
        let Some(cannula) = name.and_then(|n| find(&catalog.cannulas, &n)) else {
            continue;
        };
        all.push(NearPlant {
            outer_diameter_mm: cannula.outer_diameter_mm.value,
            active_tip_mm: cannula.active_tip_mm.value,
            name: plant.name,
            model: plant.model,
        });
    }
    Ok(all)
}

/// The faults of `[[procedure.fault]]`.
fn faults(tables: &[FaultTable]) -> Result<Vec<CaseFault>, CaseError> {
    if tables.len() > MOST_FAULTS {
        return Err(bad(
            "fault",
            format!("{} of them", tables.len()),
            format!("at most {MOST_FAULTS}"),
        ));
    }
    let within = |what: &str, v: f64, most: f64| {
        if (0.0..=most).contains(&v) {
            Ok(v)
        } else {
            Err(bad("fault", format!("{what} = {v}"), format!("0 to {most}")))
        }
    };
    tables
        .iter()
        .map(|t| {
            let kind = FaultKind::ALL
                .iter()
                .copied()
                .find(|k| k.name() == t.kind)
                .ok_or_else(|| {
                    let names: Vec<&str> = FaultKind::ALL.iter().map(|k| k.name()).collect();
                    bad(
                        "fault",
                        format!("kind = \"{}\"", t.kind),
                        format!("one of {}", names.join(", ")),
                    )
                })?;
            let usual = Fault::usual(kind, within("at_s", t.at_s.unwrap_or(0.0), 3600.0)?, 0);
            Ok(CaseFault {
                lesion: t.lesion.unwrap_or(1) as usize,
                fault: Fault {
                    size: within("size", t.size.unwrap_or(usual.size), 1e6)?,
                    duration_s: within("lasting_s", t.lasting_s.unwrap_or(usual.duration_s), 1e6)?,
                    ..usual
                },
            })
        })
        .collect()
}

/// The cannulas named, or all lengths of the usual one.
fn devices(catalog: &Catalog, named: &[String]) -> Result<Vec<Device>, CaseError> {
    let unusable = |name: &str, why: String| {
        bad(
            "cannulas",
            format!("\"{name}\": {why}"),
            "straight cannulas of the catalogue",
        )
    };
    let cannulas: Vec<&Cannula> = if named.is_empty() {
        let usual = |c: &&Cannula| {
            c.name
                .strip_prefix(CANNULA)
                .is_some_and(|r| r.is_empty() || r.starts_with('-'))
        };
        catalog.cannulas.iter().filter(usual).collect()
    } else {
        named
            .iter()
            .map(|name| find(&catalog.cannulas, name).ok_or_else(|| unusable(name, "there is none".to_owned())))
            .collect::<Result<_, _>>()?
    };
    if cannulas.is_empty() {
        return Err(unusable(CANNULA, "the catalogue has none".to_owned()));
    }
    cannulas
        .into_iter()
        .map(|c| {
            let metal = find(&catalog.metals, &c.metal)
                .ok_or_else(|| unusable(&c.name, format!("there is no metal \"{}\"", c.metal)))?;
            Device::new(c, metal)
                .or_else(|_| Device::cooled(c, metal))
                .map_err(|what| unusable(&c.name, format!("it has {what}")))
        })
        .collect()
}
