//! The catalogue compiled into the program, and a user's own laid over it.

use std::{collections::BTreeMap, fs, path::Path};

use neurotome_procedure::catalog::{
    AnaestheticEntry, CArmEntry, Cannula, Catalog, ConductionBlock, ElectrodeInterface, Entry, Fascicle,
    GeneratorEntry, Guideline, InjuryLaw, InsertionNumbers, MetalEntry, Movement, MuscleAnswer, NerveFibres,
    OutcomeNumbers, Perception, PresetEntry, Selection, Series, SolutionEntry, Sourced, SpineMeasure, Spread,
    StimulationTest, Technique, Tissue, TissueHounsfield, TissueResistance, TransportEntry, TubeSpectrum, XrayMaterial,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::scenario::fault::{Fault, parse_toml};

/// Largest catalogue file read, bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// The files of a catalogue, with the text compiled in.
const FILES: [(&str, &str); 17] = [
    ("sources.toml", include_str!("../../../catalog/sources.toml")),
    ("tissues.toml", include_str!("../../../catalog/tissues.toml")),
    ("injury.toml", include_str!("../../../catalog/injury.toml")),
    ("cannulas.toml", include_str!("../../../catalog/cannulas.toml")),
    ("generators.toml", include_str!("../../../catalog/generators.toml")),
    ("movement.toml", include_str!("../../../catalog/movement.toml")),
    ("presets.toml", include_str!("../../../catalog/presets.toml")),
    ("xray.toml", include_str!("../../../catalog/xray.toml")),
    ("techniques.toml", include_str!("../../../catalog/techniques.toml")),
    ("spine.toml", include_str!("../../../catalog/spine.toml")),
    ("nerves.toml", include_str!("../../../catalog/nerves.toml")),
    ("stimulation.toml", include_str!("../../../catalog/stimulation.toml")),
    ("anaesthetics.toml", include_str!("../../../catalog/anaesthetics.toml")),
    ("transport.toml", include_str!("../../../catalog/transport.toml")),
    ("outcomes.toml", include_str!("../../../catalog/outcomes.toml")),
    ("insertion.toml", include_str!("../../../catalog/insertion.toml")),
    ("guidelines.toml", include_str!("../../../catalog/guidelines.toml")),
];

/// Why a catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// The folder or a file of it cannot be read.
    #[error(
        "catalogue: cannot read {path}: {reason}; name a folder with any of sources.toml, tissues.toml, injury.toml, cannulas.toml, generators.toml, presets.toml, movement.toml, techniques.toml, spine.toml, nerves.toml, stimulation.toml, anaesthetics.toml, transport.toml, outcomes.toml, insertion.toml, guidelines.toml, xray.toml"
    )]
    Read {
        /// The path as given.
        path: String,
        /// Why.
        reason: String,
    },
    /// A file is not a catalogue file.
    #[error("catalogue: {0}")]
    Text(#[from] Box<Fault>),
    /// An entry is unusable.
    #[error("catalogue: {kind} \"{name}\": {found}; expected {expected}; correct the entry")]
    Entry {
        /// Kind of entry.
        kind: &'static str,
        /// Its name.
        name: String,
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CatalogFile {
    sources: BTreeMap<String, String>,
    tissue: Vec<Tissue>,
    law: Vec<InjuryLaw>,
    cannula: Vec<Cannula>,
    metal: Vec<MetalEntry>,
    generator: Vec<GeneratorEntry>,
    preset: Vec<PresetEntry>,
    movement: Vec<Movement>,
    xray_material: Vec<XrayMaterial>,
    tube_spectrum: Vec<TubeSpectrum>,
    carm: Vec<CArmEntry>,
    tissue_hounsfield: Vec<TissueHounsfield>,
    technique: Vec<Technique>,
    spine: Vec<SpineMeasure>,
    nerve: Vec<NerveFibres>,
    stimulation_test: Vec<StimulationTest>,
    electrode_interface: Vec<ElectrodeInterface>,
    fascicle: Vec<Fascicle>,
    muscle_answer: Vec<MuscleAnswer>,
    perception: Vec<Perception>,
    solution: Vec<SolutionEntry>,
    anaesthetic: Vec<AnaestheticEntry>,
    conduction_block: Vec<ConductionBlock>,
    transport: Vec<TransportEntry>,
    outcome: Vec<OutcomeNumbers>,
    selection: Vec<Selection>,
    insertion: Vec<InsertionNumbers>,
    tissue_resistance: Vec<TissueResistance>,
    guideline: Vec<Guideline>,
}

/// The catalogue compiled into the program.
///
/// # Errors
/// [`CatalogError`], which would be a fault of the program; a test reads every entry.
pub fn built_in() -> Result<Catalog, CatalogError> {
    let mut catalog = Catalog::default();
    for (name, text) in FILES {
        lay_over(&mut catalog, parse_toml(name, text)?);
    }
    check(&catalog)?;
    Ok(catalog)
}

/// The catalogue with the files of `folder` laid over it: an entry there replaces the whole entry of the same name.
///
/// # Errors
/// [`CatalogError`].
pub fn with_overlay(folder: &Path) -> Result<Catalog, CatalogError> {
    let read_error = |path: &Path, reason: String| CatalogError::Read {
        path: path.display().to_string(),
        reason,
    };
    let mut catalog = built_in()?;
    let mut found = false;
    for (name, _) in FILES {
        let path = folder.join(name);
        let Ok(meta) = fs::metadata(&path) else { continue };
        if meta.len() > MAX_FILE_BYTES {
            return Err(read_error(
                &path,
                format!("{} bytes, at most {MAX_FILE_BYTES}", meta.len()),
            ));
        }
        let text = fs::read_to_string(&path).map_err(|e| read_error(&path, e.to_string()))?;
        lay_over(&mut catalog, parse_toml(&path.display().to_string(), &text)?);
        found = true;
    }
    if !found {
        return Err(read_error(folder, "no catalogue file there".to_owned()));
    }
    check(&catalog)?;
    Ok(catalog)
}

/// SHA-256 of the catalogue's content, hexadecimal; independent of layout and comments of the files.
pub fn hash(catalog: &Catalog) -> String {
    let text = serde_json::to_string(catalog).unwrap_or_default();
    hex(&Sha256::digest(text.as_bytes()))
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [b >> 4, b & 15])
        .map(|n| char::from(DIGITS[usize::from(n)]))
        .collect()
}

fn lay_over(catalog: &mut Catalog, file: CatalogFile) {
    fn merge<E: Entry>(all: &mut Vec<E>, new: Vec<E>) {
        for entry in new {
            match all.iter_mut().find(|e| e.name() == entry.name()) {
                Some(old) => *old = entry,
                None => all.push(entry),
            }
        }
    }
    catalog.sources.extend(file.sources);
    merge(&mut catalog.tissues, file.tissue);
    merge(&mut catalog.injury, file.law);
    merge(&mut catalog.cannulas, file.cannula);
    merge(&mut catalog.metals, file.metal);
    merge(&mut catalog.generators, file.generator);
    merge(&mut catalog.presets, file.preset);
    merge(&mut catalog.movements, file.movement);
    merge(&mut catalog.xray_materials, file.xray_material);
    merge(&mut catalog.tube_spectra, file.tube_spectrum);
    merge(&mut catalog.carms, file.carm);
    merge(&mut catalog.tissue_hounsfield, file.tissue_hounsfield);
    merge(&mut catalog.techniques, file.technique);
    merge(&mut catalog.spine, file.spine);
    merge(&mut catalog.nerves, file.nerve);
    merge(&mut catalog.stimulation_tests, file.stimulation_test);
    merge(&mut catalog.electrode_interfaces, file.electrode_interface);
    merge(&mut catalog.fascicles, file.fascicle);
    merge(&mut catalog.muscle_answers, file.muscle_answer);
    merge(&mut catalog.perceptions, file.perception);
    merge(&mut catalog.solutions, file.solution);
    merge(&mut catalog.anaesthetics, file.anaesthetic);
    merge(&mut catalog.conduction_block, file.conduction_block);
    merge(&mut catalog.transport, file.transport);
    merge(&mut catalog.outcomes, file.outcome);
    merge(&mut catalog.selections, file.selection);
    merge(&mut catalog.insertions, file.insertion);
    merge(&mut catalog.tissue_resistances, file.tissue_resistance);
    merge(&mut catalog.guidelines, file.guideline);
}

/// Values that may be zero; all others but [`MAY_BE_NEGATIVE`] must be above zero.
const MAY_BE_ZERO: [&str; 13] = [
    "heat_fraction",
    "test_fraction",
    "at_most_count",
    "permeability_m2",
    "perfusion_per_s",
    "water_fraction",
    "sigma_temperature_coefficient_per_k",
    "copper_filter_mm",
    "a_alpha_fraction",
    "a_beta_fraction",
    "a_gamma_fraction",
    "a_delta_fraction",
    "c_fraction",
];
/// A thermocouple may stand out of the distal end; fat and air are below water.
const MAY_BE_NEGATIVE: [&str; 2] = ["thermocouple_from_tip_mm", "value_hu"];

/// Each preset makes a program, and what it names exists.
fn check_presets(catalog: &Catalog) -> Result<(), CatalogError> {
    for preset in &catalog.presets {
        let fail = |found: String, expected: &'static str| CatalogError::Entry {
            kind: PresetEntry::KIND,
            name: preset.name.clone(),
            found,
            expected,
        };
        preset
            .make(catalog)
            .map_err(|key| fail(format!("no usable {key}"), "the keys that its mode needs"))?;
        if let Some(cannula) = &preset.cannula
            && !catalog.cannulas.iter().any(|c| c.name == *cannula)
        {
            return Err(fail(format!("cannula \"{cannula}\""), "a [[cannula]] of the catalogue"));
        }
    }
    Ok(())
}

fn check(catalog: &Catalog) -> Result<(), CatalogError> {
    fn check_all<E: Entry>(catalog: &Catalog, entries: &[E]) -> Result<(), CatalogError> {
        for entry in entries {
            let fail = |found: String, expected: &'static str| CatalogError::Entry {
                kind: E::KIND,
                name: entry.name().to_owned(),
                found,
                expected,
            };
            for (key, v) in entry.values() {
                let lowest_ok =
                    v.value > 0.0 || (v.value == 0.0 && MAY_BE_ZERO.contains(&key)) || MAY_BE_NEGATIVE.contains(&key);
                if !(v.value.is_finite() && lowest_ok) {
                    return Err(fail(format!("{key} = {}", v.value), "a finite value above zero"));
                }
                if !catalog.sources.contains_key(&v.source) {
                    return Err(fail(
                        format!("{key} names the source \"{}\"", v.source),
                        "a key of [sources]",
                    ));
                }
            }
        }
        Ok(())
    }
    check_all(catalog, &catalog.tissues)?;
    check_all(catalog, &catalog.injury)?;
    check_all(catalog, &catalog.cannulas)?;
    check_all(catalog, &catalog.metals)?;
    check_all(catalog, &catalog.generators)?;
    check_all(catalog, &catalog.presets)?;
    check_all(catalog, &catalog.movements)?;
    check_presets(catalog)?;
    check_all(catalog, &catalog.xray_materials)?;
    check_all(catalog, &catalog.tube_spectra)?;
    check_all(catalog, &catalog.carms)?;
    check_all(catalog, &catalog.tissue_hounsfield)?;
    for material in &catalog.xray_materials {
        check_series(catalog, XrayMaterial::KIND, &material.name, &material.series())?;
    }
    for spectrum in &catalog.tube_spectra {
        check_series(catalog, TubeSpectrum::KIND, &spectrum.name, &spectrum.series())?;
    }
    check_all(catalog, &catalog.techniques)?;
    check_all(catalog, &catalog.nerves)?;
    check_all(catalog, &catalog.stimulation_tests)?;
    check_all(catalog, &catalog.electrode_interfaces)?;
    check_all(catalog, &catalog.fascicles)?;
    check_all(catalog, &catalog.muscle_answers)?;
    check_all(catalog, &catalog.perceptions)?;
    check_all(catalog, &catalog.solutions)?;
    check_all(catalog, &catalog.anaesthetics)?;
    check_all(catalog, &catalog.conduction_block)?;
    check_all(catalog, &catalog.transport)?;
    check_anaesthetics(catalog)?;
    check_all(catalog, &catalog.outcomes)?;
    check_all(catalog, &catalog.selections)?;
    check_all(catalog, &catalog.insertions)?;
    check_all(catalog, &catalog.tissue_resistances)?;
    check_all(catalog, &catalog.guidelines)?;
    for item in &catalog.guidelines {
        if let Some(missing) = item.missing_bound() {
            return Err(CatalogError::Entry {
                kind: Guideline::KIND,
                name: item.name.clone(),
                found: format!("no {missing}"),
                expected: "the bound that its rule compares with",
            });
        }
    }
    for entry in &catalog.outcomes {
        let over = |(key, v): &(&str, &Sourced)| key.ends_with("_fraction") && v.value > 1.0;
        if let Some((key, v)) = entry.values().into_iter().find(over) {
            return Err(CatalogError::Entry {
                kind: OutcomeNumbers::KIND,
                name: entry.name.clone(),
                found: format!("{key} = {}", v.value),
                expected: "a share of at most 1",
            });
        }
    }
    for nerve in &catalog.nerves {
        let sum: f64 = nerve.classes().iter().map(|c| c.share).sum();
        if (sum - 1.0).abs() > 1e-6 {
            return Err(CatalogError::Entry {
                kind: NerveFibres::KIND,
                name: nerve.name.clone(),
                found: format!("shares that add to {sum}"),
                expected: "shares of the five classes that add to 1",
            });
        }
    }
    for law in &catalog.injury {
        if law.arrhenius().is_none() {
            return Err(CatalogError::Entry {
                kind: InjuryLaw::KIND,
                name: law.name.clone(),
                found: "no usable frequency factor".to_owned(),
                expected: "either frequency_factor_per_s or log10_frequency_factor_per_s",
            });
        }
    }
    for cannula in &catalog.cannulas {
        let fail = |found: String, expected| CatalogError::Entry {
            kind: Cannula::KIND,
            name: cannula.name.clone(),
            found,
            expected,
        };
        if !catalog.metals.iter().any(|m| m.name == cannula.metal) {
            return Err(fail(
                format!("metal \"{}\"", cannula.metal),
                "a [[metal]] of the catalogue",
            ));
        }
        if cannula.active_tip_mm.value >= cannula.length_mm.value {
            return Err(fail(
                format!("active_tip_mm = {}", cannula.active_tip_mm.value),
                "an active tip shorter than length_mm",
            ));
        }
        for (what, given, expected) in groups(cannula) {
            if given.iter().any(|g| *g) && !given.iter().all(|g| *g) {
                return Err(fail(format!("{what} given in part"), expected));
            }
        }
    }
    catalog.spine.iter().try_for_each(|m| check_measure(catalog, m))
}

/// Shares are at most one, and a drug has a fluid and concentrations.
fn check_anaesthetics(catalog: &Catalog) -> Result<(), CatalogError> {
    fn shares<E: Entry>(entries: &[E]) -> Result<(), CatalogError> {
        for entry in entries {
            for (key, v) in entry.values() {
                if key.ends_with("_fraction") && v.value > 1.0 {
                    return Err(CatalogError::Entry {
                        kind: E::KIND,
                        name: entry.name().to_owned(),
                        found: format!("{key} = {}", v.value),
                        expected: "a share of at most 1",
                    });
                }
            }
        }
        Ok(())
    }
    shares(&catalog.solutions)?;
    shares(&catalog.anaesthetics)?;
    shares(&catalog.conduction_block)?;
    shares(&catalog.transport)?;
    for drug in &catalog.anaesthetics {
        let fail = |found: String, expected| {
            Err(CatalogError::Entry {
                kind: AnaestheticEntry::KIND,
                name: drug.name.clone(),
                found,
                expected,
            })
        };
        if !catalog.solutions.iter().any(|s| s.name == drug.name) {
            return fail("no solution".to_owned(), "a [[solution]] of the same name");
        }
        let stock: Vec<f64> = drug.stock_percent.iter().map(|s| s.value).collect();
        if stock.is_empty() || stock.windows(2).any(|w| w[0] >= w[1]) {
            return fail(
                format!("stock_percent {stock:?}"),
                "at least one concentration, ascending",
            );
        }
    }
    Ok(())
}

/// Names of unknown levels do not reach this: they are refused when the file is read.
fn check_measure(catalog: &Catalog, measure: &SpineMeasure) -> Result<(), CatalogError> {
    let fail = |found: String, expected: &'static str| {
        Err(CatalogError::Entry {
            kind: SpineMeasure::KIND,
            name: measure.name.clone(),
            found,
            expected,
        })
    };
    if !catalog.sources.contains_key(&measure.source) {
        return fail(format!("the source \"{}\"", measure.source), "a key of [sources]");
    }
    let means: Vec<f64> = match (measure.value, &measure.by_level) {
        (Some(value), None) => vec![value],
        (None, Some(levels)) if !levels.is_empty() => levels.values().copied().collect(),
        _ => return fail("no mean, or two forms of it".to_owned(), "either value or by_level"),
    };
    if let Some(mean) = means.iter().find(|m| !m.is_finite()) {
        return fail(format!("a mean of {mean}"), "a finite number");
    }
    let spreads: Vec<f64> = match &measure.sd {
        None => Vec::new(),
        Some(Spread::All(sd)) => vec![*sd],
        Some(Spread::ByLevel(levels)) => {
            let known = |level| measure.by_level.as_ref().is_some_and(|m| m.contains_key(level));
            if let Some(level) = levels.keys().find(|l| !known(l)) {
                return fail(format!("sd for {level}"), "sd for levels of by_level only");
            }
            levels.values().copied().collect()
        }
    };
    if let Some(sd) = spreads.iter().find(|s| !(s.is_finite() && **s >= 0.0)) {
        return fail(format!("sd = {sd}"), "a finite number, not below zero");
    }
    match measure.female_ratio {
        Some(ratio) if !(ratio.is_finite() && ratio > 0.0) => {
            fail(format!("female_ratio = {ratio}"), "a finite value above zero")
        }
        _ => Ok(()),
    }
}

/// Rows of numbers: finite, not negative, from a source that is there.
fn check_series(
    catalog: &Catalog,
    kind: &'static str,
    name: &str,
    all: &[(&'static str, &Series)],
) -> Result<(), CatalogError> {
    for (key, series) in all {
        let fail = |found: String, expected: &'static str| {
            Err(CatalogError::Entry {
                kind,
                name: name.to_owned(),
                found,
                expected,
            })
        };
        if let Some(bad) = series.value.iter().find(|v| !(**v >= 0.0 && v.is_finite())) {
            return fail(format!("{key} holds {bad}"), "finite values of at least zero");
        }
        if !catalog.sources.contains_key(&series.source) {
            return fail(
                format!("{key} names the source \"{}\"", series.source),
                "a key of [sources]",
            );
        }
    }
    Ok(())
}

/// Values of a cannula that belong together: what they are, which are given, and what is expected.
fn groups(c: &Cannula) -> [(&'static str, Vec<bool>, &'static str); 4] {
    let given = |values: &[&Option<Sourced>]| values.iter().map(|v| v.is_some()).collect::<Vec<bool>>();
    let mut channel = given(&[
        &c.channel_diameter_mm,
        &c.channel_from_tip_mm,
        &c.coolant_temperature_c,
        &c.coolant_heat_transfer_w_per_m2_k,
    ]);
    // The flow may be left out, but means nothing by itself.
    if c.coolant_flow_ml_per_min.is_some() {
        channel.push(true);
    }
    [
        (
            "a bend",
            given(&[&c.bend_angle_deg, &c.bend_length_mm]),
            "both bend_angle_deg and bend_length_mm, or neither",
        ),
        (
            "contacts",
            given(&[&c.contact_count, &c.contact_length_mm, &c.contact_gap_mm]),
            "contact_count, contact_length_mm and contact_gap_mm, or none of them",
        ),
        (
            "tines",
            given(&[
                &c.tine_count,
                &c.tine_from_tip_mm,
                &c.tine_angle_deg,
                &c.tine_length_mm,
                &c.tine_diameter_mm,
            ]),
            "tine_count, tine_from_tip_mm, tine_angle_deg, tine_length_mm and tine_diameter_mm, or none of them",
        ),
        (
            "a channel of coolant",
            channel,
            "channel_diameter_mm, channel_from_tip_mm, coolant_temperature_c and coolant_heat_transfer_w_per_m2_k, or none of \
             them",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use neurotome_procedure::{
        anatomy::{Level, NerveKind},
        catalog::find,
    };

    use neurotome_procedure::catalog::FibreKind;

    use super::*;

    #[test]
    fn the_built_in_catalogue_is_complete() {
        let catalog = built_in().unwrap();
        for name in [
            "muscle",
            "fat",
            "skin",
            "cortical_bone",
            "cancellous_bone",
            "intervertebral_disc",
            "csf",
            "nerve",
            "blood",
            "ligament",
            "cartilage",
            "dura",
            "air",
        ] {
            assert!(find(&catalog.tissues, name).is_some(), "{name}");
        }
        for gauge in [16, 18, 20, 22] {
            for tip in [5, 10, 15] {
                for shape in ["straight", "curved"] {
                    let name = format!("{gauge}G-{tip}mm-{shape}");
                    let cannula = find(&catalog.cannulas, &name).unwrap();
                    assert_eq!(cannula.active_tip_mm.value, f64::from(tip));
                    assert_eq!(cannula.bend([0.0; 3]).is_some(), shape == "curved");
                }
            }
        }
        let unused: Vec<_> = catalog
            .sources
            .keys()
            .filter(|k| {
                !FILES
                    .iter()
                    .any(|(_, text)| text.contains(&format!("source = \"{k}\"")))
            })
            .collect();
        assert!(unused.is_empty(), "sources that nothing cites: {unused:?}");
    }

    #[test]
    fn electrodes_given_in_part_are_refused() {
        let catalog = built_in().unwrap();
        let refused = |name: &str, what: &str, take: fn(&mut Cannula)| {
            let mut catalog = catalog.clone();
            let cannula = catalog.cannulas.iter_mut().find(|c| c.name == name).unwrap();
            take(cannula);
            let message = check(&catalog).unwrap_err().to_string();
            assert!(
                message.contains(&format!("\"{name}\": {what} given in part")),
                "{message}"
            );
        };
        refused("18G-5mm-two-tined", "tines", |c| c.tine_angle_deg = None);
        refused("18G-5mm-two-tined", "tines", |c| c.tine_count = None);
        refused("18G-four-contacts", "contacts", |c| c.contact_gap_mm = None);
        refused("17G-4mm-cooled", "a channel of coolant", |c| {
            c.coolant_temperature_c = None;
        });
        refused("20G-10mm-curved", "a bend", |c| c.bend_length_mm = None);
        let flow = find(&catalog.cannulas, "17G-4mm-cooled").unwrap().active_tip_mm.clone();
        let mut only_flow = catalog.clone();
        let cannula = only_flow.cannulas.iter_mut().find(|c| c.name == "20G-10mm-straight");
        cannula.unwrap().coolant_flow_ml_per_min = Some(flow);
        assert!(check(&only_flow).is_err());
        assert!(check(&catalog).is_ok());
    }

    #[test]
    fn measures_of_the_spine_are_told_by_level_or_once() {
        let catalog = built_in().unwrap();
        let width = catalog.spine_measure("pedicle_width_mm").unwrap();
        assert!(width.at(Level::L5) > width.at(Level::L1));
        assert_eq!(width.at(Level::T11), None);
        let (women, men) = width.sex_factors();
        assert!((women / men - width.female_ratio.unwrap()).abs() < 1e-12 && (women + men - 2.0).abs() < 1e-12);
        let fork = catalog.spine_measure("medial_branch_fork_mm").unwrap();
        assert!(fork.sd_at(Level::L4).is_some() && fork.sd_at(Level::S1).is_none());
        let lordosis = catalog.spine_measure("lordosis_l1_s1_deg").unwrap();
        assert_eq!(lordosis.at(Level::L1), lordosis.value);
        // The wedges of vertebrae and discs make up the lordosis.
        let wedge = |name: &str| -> f64 {
            let measure = catalog.spine_measure(name).unwrap();
            (Level::ALL.iter().filter(|l| **l >= Level::L1))
                .filter_map(|l| measure.at(*l))
                .sum()
        };
        let sum = wedge("vertebra_wedge_deg") + wedge("disc_wedge_deg");
        assert!((sum - lordosis.value.unwrap()).abs() < 1.0, "{sum}");

        let refused = |change: fn(&mut SpineMeasure), expected: &str| {
            let mut catalog = catalog.clone();
            let measure = catalog.spine.iter_mut().find(|m| m.name == "medial_branch_fork_mm");
            change(measure.unwrap());
            let message = check(&catalog).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        refused(|m| m.value = Some(1.0), "either value or by_level");
        refused(|m| m.by_level = None, "either value or by_level");
        refused(|m| m.source = "rumour".to_owned(), "a key of [sources]");
        refused(|m| m.sd = Some(Spread::All(f64::NAN)), "sd = NaN");
        refused(|m| m.female_ratio = Some(0.0), "female_ratio = 0");
        refused(|m| m.by_level = Some([(Level::L1, f64::INFINITY)].into()), "finite");
        refused(
            |m| m.sd = Some(Spread::ByLevel([(Level::T11, 1.0)].into())),
            "sd for T11",
        );
        assert!(parse_toml::<CatalogFile>("s.toml", "[[spine]]\nname = \"a\"\nby_level = { L9 = 1.0 }\n").is_err());
    }

    #[test]
    fn an_item_of_the_checklist_has_the_bounds_of_its_rule() {
        let mut catalog = built_in().unwrap();
        let item = catalog.guidelines.iter_mut().find(|g| g.name == "impedance").unwrap();
        item.at_most_ohm = None;
        let message = check(&catalog).unwrap_err().to_string();
        assert!(message.contains("no at_most_ohm"), "{message}");
        // Every tissue but bone, which stops a needle, and air has its resistance.
        let catalog = built_in().unwrap();
        for tissue in &catalog.tissues {
            let known = find(&catalog.tissue_resistances, &tissue.name).is_some();
            let stops = ["cortical_bone", "cancellous_bone", "air"].contains(&tissue.name.as_str());
            assert_eq!(known, !stops, "{}", tissue.name);
        }
    }

    #[test]
    fn every_kind_of_nerve_has_its_fibres() {
        let mut catalog = built_in().unwrap();
        for kind in NerveKind::ALL {
            let fibres = catalog.nerve_fibres(kind).unwrap();
            assert!(fibres.fibre_count.value > 1000.0, "{}", fibres.name);
            assert!(
                fibres
                    .classes()
                    .iter()
                    .all(|c| c.myelinated == (c.kind != FibreKind::C))
            );
        }
        // A medial branch is thinner and has fewer fibres than a root.
        let count = |kind| catalog.nerve_fibres(kind).unwrap().fibre_count.value;
        assert!(count(NerveKind::MedialBranch) < 0.3 * count(NerveKind::Root));
        catalog.nerves[0].c_fraction.value = 0.9;
        let message = check(&catalog).unwrap_err().to_string();
        assert!(message.contains("shares that add to"), "{message}");
    }

    #[test]
    fn injury_laws_give_the_iso_effect_temperatures_of_the_literature_notes() {
        // Constant temperature in °C that gives Ω = 1 in 90 s, as computed in the notes for each set.
        let catalog = built_in().unwrap();
        for (name, expected) in [
            ("liver_jacques", 48.7),
            ("rat_sciatic_1988", 47.8),
            ("muscle_jacques_gaylor", 54.2),
            ("skin_henriques_moritz", 53.4),
            ("bhk_borrelli", 47.8),
            ("collagen_pearce", 65.8),
            ("vessel_agah", 68.7),
        ] {
            let law = find(&catalog.injury, name).unwrap().arrhenius().unwrap();
            let t = law.iso_effect_temperature_c(90.0);
            assert!((t - expected).abs() < 0.08, "{name}: {t:.2} against {expected}");
        }
    }

    #[test]
    fn an_overlay_replaces_whole_entries_and_changes_the_hash() {
        let dir = std::env::temp_dir().join(format!("neurotome-catalog-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(
            dir.join("injury.toml"),
            "[sources]\nmine = \"bench\"\n[[law]]\nname = \"liver_jacques\"\ntitle = \"mine\"\n\
             log10_frequency_factor_per_s = { value = 40.0, source = \"mine\", verified = true }\n\
             activation_energy_j_per_mol = { value = 2.6e5, source = \"mine\", verified = true }\n",
        )
        .unwrap();
        let (plain, own) = (built_in().unwrap(), with_overlay(&dir).unwrap());
        assert_eq!(find(&own.injury, "liver_jacques").unwrap().title, "mine");
        assert_eq!(own.tissues, plain.tissues);
        assert_ne!(hash(&own), hash(&plain));
        assert_eq!(hash(&plain), hash(&built_in().unwrap()));

        fs::write(dir.join("injury.toml"), "[[law]]\nname = \"x\"\ntitel = \"y\"\n").unwrap();
        let message = with_overlay(&dir).unwrap_err().to_string();
        assert!(message.contains("did you mean `title`"), "{message}");
        fs::remove_dir_all(&dir).unwrap();
        assert!(matches!(with_overlay(&dir), Err(CatalogError::Read { .. })));
    }
}
