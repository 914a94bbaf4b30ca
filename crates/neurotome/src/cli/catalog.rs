//! `neurotome catalog`.

use std::fmt::Write as _;

use clap::Args;
use neurotome_procedure::catalog::{
    AnaestheticEntry, CArmEntry, Cannula, Catalog, ConductionBlock, ElectrodeInterface, Entry, Fascicle,
    GeneratorEntry, Guideline, InjuryLaw, InsertionNumbers, MetalEntry, Movement, NerveFibres, OutcomeNumbers,
    Perception, PresetEntry, Selection, SolutionEntry, SpineMeasure, Spread, StimulationTest, Technique, Tissue,
    TissueHounsfield, TissueResistance, TransportEntry, TubeSpectrum, XrayMaterial,
};
use serde::Serialize;
use serde_json::Value;

use super::{Common, Failure, json_text, open_catalog, print};

const KINDS: &str = "tissue, injury, cannula, metal, generator, preset, movement, spine, nerve, stimulation_test, electrode_interface, fascicle, perception, anaesthetic, solution, transport, conduction_block, outcome, selection, insertion, tissue_resistance, guideline, technique, xray_material, tube_spectrum, carm, tissue_hounsfield, source";

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Kind of entry: tissue, injury, cannula, metal, generator, preset, movement, spine, nerve, stimulation_test, electrode_interface, fascicle, perception, anaesthetic, solution, transport, conduction_block, outcome, selection, insertion, tissue_resistance, guideline, technique, xray_material, tube_spectrum, carm, tissue_hounsfield or source.
    kind: Option<String>,
    /// Name of one entry.
    name: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Show {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let catalog = open_catalog(common)?;
        let Some(kind) = &self.kind else {
            let text = if self.json {
                json_text(&catalog)?
            } else {
                overview(&catalog)
            };
            print(&text);
            return Ok(());
        };
        let text = match kind.trim_end_matches('s') {
            "tissue" => self.kind(&catalog, &catalog.tissues, values)?,
            "injury" | "injurie" => self.kind(&catalog, &catalog.injury, values)?,
            "cannula" => self.kind(&catalog, &catalog.cannulas, values)?,
            "metal" => self.kind(&catalog, &catalog.metals, values)?,
            "generator" => self.kind(&catalog, &catalog.generators, values)?,
            "movement" => self.kind(&catalog, &catalog.movements, values)?,
            "preset" => self.kind(&catalog, &catalog.presets, values)?,
            "nerve" => self.kind(&catalog, &catalog.nerves, values)?,
            "stimulation_test" => self.kind(&catalog, &catalog.stimulation_tests, values)?,
            "electrode_interface" => self.kind(&catalog, &catalog.electrode_interfaces, values)?,
            "fascicle" => self.kind(&catalog, &catalog.fascicles, values)?,
            "perception" => self.kind(&catalog, &catalog.perceptions, values)?,
            "anaesthetic" => self.kind(&catalog, &catalog.anaesthetics, values)?,
            "solution" => self.kind(&catalog, &catalog.solutions, values)?,
            "transport" => self.kind(&catalog, &catalog.transport, values)?,
            "conduction_block" => self.kind(&catalog, &catalog.conduction_block, values)?,
            "outcome" => self.kind(&catalog, &catalog.outcomes, values)?,
            "selection" => self.kind(&catalog, &catalog.selections, values)?,
            "insertion" => self.kind(&catalog, &catalog.insertions, values)?,
            "tissue_resistance" => self.kind(&catalog, &catalog.tissue_resistances, values)?,
            "guideline" => self.kind(&catalog, &catalog.guidelines, values)?,
            "spine" => self.kind(&catalog, &catalog.spine, measure)?,
            "xray_material" => self.kind(&catalog, &catalog.xray_materials, values)?,
            "tube_spectrum" | "tube_spectra" => self.kind(&catalog, &catalog.tube_spectra, values)?,
            "carm" => self.kind(&catalog, &catalog.carms, values)?,
            "tissue_hounsfield" => self.kind(&catalog, &catalog.tissue_hounsfield, values)?,
            "technique" => self.kind(&catalog, &catalog.techniques, values)?,
            "source" => self.sources(&catalog)?,
            _ => {
                return Err(Failure::Input(format!(
                    "the catalogue has no kind \"{kind}\"; expected one of {KINDS}"
                )));
            }
        };
        print(&text);
        Ok(())
    }

    /// One entry as `show` tells it, or the list of all.
    fn kind<E: Entry + Serialize>(
        &self,
        catalog: &Catalog,
        entries: &[E],
        show: fn(&Catalog, &E) -> String,
    ) -> Result<String, Failure> {
        let Some(name) = &self.name else {
            if self.json {
                return json_text(&entries);
            }
            let width = entries.iter().map(|e| e.name().len()).max().unwrap_or(0);
            return Ok(entries.iter().fold(String::new(), |mut out, e| {
                let _ = writeln!(out, "{:width$}  {}", e.name(), e.title());
                out
            }));
        };
        let entry = entries.iter().find(|e| e.name() == name).ok_or_else(|| {
            Failure::Input(format!(
                "there is no {} \"{name}\"; `neurotome catalog {}` lists all",
                E::KIND,
                E::KIND
            ))
        })?;
        if self.json {
            return json_text(entry);
        }
        Ok(format!(
            "{} {}: {}\n{}",
            E::KIND,
            entry.name(),
            entry.title(),
            show(catalog, entry)
        ))
    }

    fn sources(&self, catalog: &Catalog) -> Result<String, Failure> {
        if let Some(name) = &self.name {
            let source = catalog.sources.get(name).ok_or_else(|| {
                Failure::Input(format!(
                    "there is no source \"{name}\"; `neurotome catalog source` lists all"
                ))
            })?;
            return if self.json {
                json_text(&Value::from(source.as_str()))
            } else {
                Ok(format!("{source}\n"))
            };
        }
        if self.json {
            return json_text(&catalog.sources);
        }
        Ok(catalog.sources.iter().fold(String::new(), |mut out, (k, v)| {
            let _ = writeln!(out, "{k}\n    {v}");
            out
        }))
    }
}

fn mark(verified: bool) -> &'static str {
    if verified { "" } else { "  (unverified)" }
}

fn values<E: Entry>(catalog: &Catalog, entry: &E) -> String {
    let mut out = String::new();
    for (key, v) in entry.values() {
        let _ = writeln!(out, "\n  {key} = {}{}", v.value, mark(v.verified));
        if let Some(condition) = &v.condition {
            let _ = writeln!(out, "      {condition}");
        }
        if let Some([low, high]) = v.range {
            let _ = writeln!(out, "      published range {low} to {high}");
        }
        let source = catalog.sources.get(&v.source).unwrap_or(&v.source);
        let _ = writeln!(out, "      {source}");
    }
    out
}

fn measure(catalog: &Catalog, m: &SpineMeasure) -> String {
    let mut out = String::from("\n");
    let mut line = |place: &str, mean: f64, sd: Option<f64>| {
        let spread = sd.map_or(String::new(), |sd| format!(" ± {sd}"));
        let _ = writeln!(out, "  {place}{mean}{spread}{}", mark(m.verified));
    };
    match (&m.by_level, m.value, &m.sd) {
        (Some(levels), _, _) => {
            for (level, mean) in levels {
                line(&format!("{:3} = ", level.name()), *mean, m.sd_at(*level));
            }
        }
        (None, Some(value), Some(Spread::All(sd))) => line("", value, Some(*sd)),
        (None, Some(value), _) => line("", value, None),
        (None, None, _) => {}
    }
    if let Some(ratio) = m.female_ratio {
        let _ = writeln!(out, "      women over men {ratio}");
    }
    if let Some(condition) = &m.condition {
        let _ = writeln!(out, "      {condition}");
    }
    let source = catalog.sources.get(&m.source).unwrap_or(&m.source);
    let _ = writeln!(out, "      {source}");
    out
}

fn overview(catalog: &Catalog) -> String {
    fn line<E: Entry>(out: &mut String, entries: &[E]) {
        let names: Vec<&str> = entries.iter().map(Entry::name).collect();
        let (all, verified) = entries
            .iter()
            .flat_map(Entry::values)
            .fold((0, 0), |(n, v), (_, s)| (n + 1, v + usize::from(s.verified)));
        let _ = writeln!(
            out,
            "{} ({} entries, {verified} of {all} values verified)\n  {}\n",
            E::KIND,
            entries.len(),
            names.join(", ")
        );
    }
    let mut out = String::new();
    line::<Tissue>(&mut out, &catalog.tissues);
    line::<InjuryLaw>(&mut out, &catalog.injury);
    line::<Cannula>(&mut out, &catalog.cannulas);
    line::<MetalEntry>(&mut out, &catalog.metals);
    line::<GeneratorEntry>(&mut out, &catalog.generators);
    line::<Movement>(&mut out, &catalog.movements);
    line::<PresetEntry>(&mut out, &catalog.presets);
    line::<XrayMaterial>(&mut out, &catalog.xray_materials);
    line::<TubeSpectrum>(&mut out, &catalog.tube_spectra);
    line::<CArmEntry>(&mut out, &catalog.carms);
    line::<TissueHounsfield>(&mut out, &catalog.tissue_hounsfield);
    line::<NerveFibres>(&mut out, &catalog.nerves);
    line::<StimulationTest>(&mut out, &catalog.stimulation_tests);
    line::<ElectrodeInterface>(&mut out, &catalog.electrode_interfaces);
    line::<Fascicle>(&mut out, &catalog.fascicles);
    line::<Perception>(&mut out, &catalog.perceptions);
    line::<AnaestheticEntry>(&mut out, &catalog.anaesthetics);
    line::<SolutionEntry>(&mut out, &catalog.solutions);
    line::<TransportEntry>(&mut out, &catalog.transport);
    line::<ConductionBlock>(&mut out, &catalog.conduction_block);
    line::<Technique>(&mut out, &catalog.techniques);
    line::<OutcomeNumbers>(&mut out, &catalog.outcomes);
    line::<Selection>(&mut out, &catalog.selections);
    line::<InsertionNumbers>(&mut out, &catalog.insertions);
    line::<TissueResistance>(&mut out, &catalog.tissue_resistances);
    line::<Guideline>(&mut out, &catalog.guidelines);
    let names: Vec<&str> = catalog.spine.iter().map(Entry::name).collect();
    let (all, verified) = catalog.spine.iter().fold((0, 0), |(n, v), m| {
        (n + m.means(), v + if m.verified { m.means() } else { 0 })
    });
    let _ = writeln!(
        out,
        "{} ({} entries, {verified} of {all} values verified)\n  {}\n",
        SpineMeasure::KIND,
        names.len(),
        names.join(", ")
    );
    let _ = writeln!(
        out,
        "SHA-256 {}\n`neurotome catalog KIND NAME` shows the values and their sources.",
        neurotome_io::catalog::hash(catalog)
    );
    out
}
