//! `neurotome outcome`.

mod tell;

use std::path::{Path, PathBuf};

use clap::Args;
use neurotome_io::{
    history,
    report::{nerve_strips, relief_curves},
    results::{ExtraFile, check_target, write_files},
    scenario::{self, Loaded, Source},
};
use neurotome_procedure::{
    anatomy::Side,
    assessment::{Assessment, History},
    catalog::{Catalog, Entry as _, OutcomeNumbers},
    lesion::LesionResult,
    nerve_death::{self, Conduction, NerveCut, NerveHeat, NerveLaw, conduction, cut},
    outcome::{Block, Harm, NerveState, Outcome, OutcomeRequest, belief_of, compare, population, skin_cut_fraction},
    planning::{Joint, nerves},
};
use serde::Serialize;

use super::{Common, Failure, assess, deliver, json_text, open_catalog, print, replay, solve};
use crate::{DISCLAIMER, PROGRAM};

/// Joint where neither an option nor a history names one.
const JOINT: &str = "L4-L5";
/// First words of `outcome.json`.
const FORMAT: &str = "neurotome-outcome-1";

#[derive(Debug, Args)]
pub(super) struct OutcomeCommand {
    /// Scenario (TOML), or a results folder or record.json of `neurotome simulate`, whose scenario is solved again. Default: the built-in
    /// patient.
    source: Option<PathBuf>,
    /// History of the patient (TOML): diagnostic blocks, pain, joint. `neurotome assess --example` prints one.
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// Facet joint that is treated. Default: that of the history, else L4-L5.
    #[arg(long, value_name = "UPPER-LOWER")]
    joint: Option<Joint>,
    /// Side of the patient: left or right.
    #[arg(long, default_value = "right")]
    side: Side,
    /// The joint's other nerve, where this scenario treats one: `same` lesion again, `none`, or another scenario (TOML).
    #[arg(long, value_name = "WHAT", default_value = "same")]
    other: String,
    /// People of the virtual population.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    people: u32,
    /// Seed of the population.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Leave out the conduction test, which takes most of the time after the lesion.
    #[arg(long)]
    no_conduction: bool,
    /// Write everything as JSON to FILE; `-` prints it instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Folder for outcome.json and pictures; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// A lesion with what its nerves met.
struct Solved {
    source: Source,
    loaded: Loaded,
    result: LesionResult,
    heats: Vec<NerveHeat>,
}

/// A nerve of the joint.
#[derive(Debug, Clone)]
struct Treated {
    name: String,
    /// Where its lesion comes from.
    from: String,
    lesioned: bool,
    /// For each law the gap at each place across, mm.
    gaps_mm: Vec<Vec<f64>>,
}

impl Treated {
    fn by(name: &str, from: String, cut: &NerveCut) -> Self {
        Self {
            name: name.to_owned(),
            from,
            lesioned: true,
            gaps_mm: cut.laws.iter().map(|l| l.gap_mm.clone()).collect(),
        }
    }

    fn whole(name: &str, laws: &[NerveLaw]) -> Self {
        Self {
            name: name.to_owned(),
            from: "not treated".to_owned(),
            lesioned: false,
            gaps_mm: laws.iter().map(|_| vec![0.0]).collect(),
        }
    }
}

/// What a population feels, by one law.
#[derive(Debug, Clone, Serialize)]
struct ByLaw {
    law: String,
    /// What the law tells of came back in the animals: it shows function, not death.
    reversible: bool,
    /// Difference in mean pain to the same people without a lesion at 3 months, points.
    difference_at_3_months_points: f64,
    outcome: Outcome,
}

/// Everything told, in the order of the file.
#[derive(Debug, Serialize)]
struct Told {
    format: &'static str,
    program: &'static str,
    disclaimer: &'static str,
    scenario: String,
    joint: String,
    /// The joint's two nerves and where their lesions come from.
    nerves: [(String, String); 2],
    blocks_percent: Vec<f64>,
    source_probability: f64,
    assessment: Option<Assessment>,
    fibres: Vec<NerveCut>,
    conduction: Vec<Conduction>,
    harm: Harm,
    outcomes: Vec<ByLaw>,
    unverified: Vec<String>,
}

impl OutcomeCommand {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        if let Some(folder) = &self.out {
            check_target(folder).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let catalog = open_catalog(common)?;
        let history = self.history.as_deref().map(history::read_history).transpose()?;
        let numbers = catalog.outcomes.first().ok_or_else(|| {
            Failure::Input("the catalogue has no [[outcome]], whose numbers an outcome needs; add one".to_owned())
        })?;
        let joint = self.joint(history.as_ref())?;
        let laws = nerve_death::laws(&catalog);
        let main = solved(self.source.as_deref(), &catalog, &laws, common)?;
        let cuts: Vec<NerveCut> = main.heats.iter().map(|h| cut(&catalog, h)).collect();
        let nerves = self.nerves_of_the_joint(&catalog, joint, &laws, &cuts, common)?;
        let tested = if self.no_conduction {
            vec![]
        } else {
            let targets: Vec<&NerveHeat> = main.heats.iter().filter(|h| h.nerve.target).collect();
            let bar = solve::stage_bar(common.quiet);
            bar.set_length(targets.len() as u64);
            bar.set_message("spikes through the lesion");
            let tested = solve::on_threads(common.threads, || {
                let mut all = vec![];
                for heat in targets {
                    all.extend(conduction(&catalog, heat, 0, &|_, _| 0.0));
                    bar.inc(1);
                }
                all
            })?;
            bar.finish_and_clear();
            tested
        };
        solve::check_interrupt()?;
        let told = self.told(
            &catalog,
            numbers,
            history.as_ref(),
            joint,
            &laws,
            &main,
            cuts,
            nerves,
            tested,
            common,
        )?;
        self.deliver(&told, &main, common)
    }

    fn joint(&self, history: Option<&History>) -> Result<Joint, Failure> {
        let named = history.and_then(|h| h.pain.joint.clone());
        match (self.joint, named) {
            (Some(joint), _) => Ok(joint),
            (None, named) => named.as_deref().unwrap_or(JOINT).parse().map_err(Failure::Input),
        }
    }

    /// The joint's two nerves with what is cut of each by every law, and where that comes from.
    fn nerves_of_the_joint(
        &self,
        catalog: &Catalog,
        joint: Joint,
        laws: &[NerveLaw],
        cuts: &[NerveCut],
        common: &Common,
    ) -> Result<[Treated; 2], Failure> {
        let targets = nerves(joint, self.side).map_err(|e| Failure::Input(e.to_string()))?;
        let names = targets.map(|t| t.name());
        let is_cut = |c: &NerveCut| c.target || c.laws.iter().any(|l| l.cut_fraction > 0.0);
        let of_this = |name: &String| {
            let cut = cuts.iter().find(|c| c.nerve == *name && is_cut(c));
            cut.map(|c| Treated::by(name, "this lesion".to_owned(), c))
        };
        let mut found = names.each_ref().map(of_this);
        // A nerve that the scenario names itself stands for the joint's when none of them is there.
        if found.iter().all(Option::is_none) {
            let aimed: Vec<&NerveCut> = cuts.iter().filter(|c| c.target).collect();
            let foreign = aimed
                .iter()
                .any(|c| c.nerve.contains("medial branch") || c.nerve.contains("dorsal ramus"));
            match aimed.first() {
                Some(c) if !foreign => {
                    found[1] = Some(Treated::by(&names[1], format!("the lesion of \"{}\"", c.nerve), c));
                }
                _ => {
                    let known: Vec<&str> = aimed.iter().map(|c| c.nerve.as_str()).collect();
                    return Err(Failure::Input(format!(
                        "the lesion's target is {}; the nerves of {joint} on the {} are {} and {}; give the --joint and --side that \
                         the lesion was made for",
                        if known.is_empty() {
                            "no nerve at all".to_owned()
                        } else {
                            known.join(", ")
                        },
                        self.side,
                        names[0],
                        names[1]
                    )));
                }
            }
        }
        let mut both = Vec::with_capacity(2);
        for (nerve, name) in found.iter().zip(&names) {
            both.push(match (nerve, found.iter().flatten().next()) {
                (Some(nerve), _) => nerve.clone(),
                (None, Some(there)) if self.other == "same" => Treated {
                    name: name.clone(),
                    from: format!("taken to be like {}", there.from),
                    ..there.clone()
                },
                (None, _) if self.other == "none" || self.other == "same" => Treated::whole(name, laws),
                (None, _) => self.elsewhere(catalog, name, laws, common)?,
            });
        }
        <[Treated; 2]>::try_from(both).map_err(|_| Failure::Input(format!("{joint} has not two nerves")))
    }

    /// A nerve of the joint in another scenario.
    fn elsewhere(&self, catalog: &Catalog, name: &str, laws: &[NerveLaw], common: &Common) -> Result<Treated, Failure> {
        let other = solved(Some(Path::new(&self.other)), catalog, laws, common)?;
        let heat = (other.heats.iter())
            .find(|h| h.nerve.name == name)
            .or_else(|| other.heats.iter().find(|h| h.nerve.target))
            .ok_or_else(|| Failure::Input(format!("{} has no nerve {name}, nor a target", self.other)))?;
        let from = format!("{} of {}", heat.nerve.name, other.source.name);
        Ok(Treated::by(name, from, &cut(catalog, heat)))
    }

    #[expect(clippy::too_many_arguments, reason = "all of them are parts of what is told")]
    fn told(
        &self,
        catalog: &Catalog,
        numbers: &OutcomeNumbers,
        history: Option<&History>,
        joint: Joint,
        laws: &[NerveLaw],
        main: &Solved,
        fibres: Vec<NerveCut>,
        nerves: [Treated; 2],
        conduction: Vec<Conduction>,
        common: &Common,
    ) -> Result<Told, Failure> {
        let blocks: Vec<Block> = history.map_or_else(Vec::new, History::answers);
        let treated = nerves.iter().filter(|n| n.lesioned).count() as u32;
        let bar = solve::stage_bar(common.quiet);
        bar.set_length(laws.len() as u64);
        bar.set_message("virtual population");
        let outcomes = solve::on_threads(common.threads, || {
            laws.iter()
                .enumerate()
                .map(|(k, law)| {
                    let state = |n: &Treated| NerveState {
                        nerve: n.name.clone(),
                        gap_mm: n.gaps_mm[k].clone(),
                    };
                    let request = OutcomeRequest {
                        numbers,
                        blocks: blocks.clone(),
                        nerves: [state(&nerves[0]), state(&nerves[1])],
                        lesions: treated,
                        skin_cut_fraction: skin_cut_fraction(&fibres, &law.name),
                        baseline_points: history.and_then(|h| h.pain.intensity_points).filter(|p| *p > 0.0),
                        people: self.people as usize,
                        seed: self.seed,
                    };
                    let by = ByLaw {
                        law: law.name.clone(),
                        reversible: law.reversible,
                        difference_at_3_months_points: compare(&request, 3.0)?,
                        outcome: population(&request)?,
                    };
                    bar.inc(1);
                    Ok(by)
                })
                .collect::<Result<Vec<_>, neurotome_procedure::outcome::OutcomeError>>()
        })?
        .map_err(|e| Failure::Input(e.to_string()))?;
        bar.finish_and_clear();
        let unverified = numbers
            .values()
            .into_iter()
            .filter(|(_, v)| !v.verified)
            .map(|(key, v)| format!("{key} = {}", v.value))
            .collect();
        Ok(Told {
            format: FORMAT,
            program: PROGRAM,
            disclaimer: DISCLAIMER,
            scenario: main.source.name.clone(),
            joint: format!("{joint} {}", self.side),
            nerves: nerves.map(|n| (n.name, n.from)),
            source_probability: belief_of(numbers, &blocks),
            blocks_percent: blocks.iter().map(|b| b.relief_percent).collect(),
            assessment: history.map(|h| assess::judged(catalog, h)).transpose()?,
            harm: Harm::new(&main.result, &fibres),
            fibres,
            conduction,
            outcomes,
            unverified,
        })
    }

    fn deliver(&self, told: &Told, main: &Solved, common: &Common) -> Result<(), Failure> {
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if let Some(folder) = &self.out {
            let picture = |name: &str, caption: &str, bytes: Result<Vec<u8>, neurotome_io::results::ResultsError>| {
                bytes
                    .map(|bytes| ExtraFile {
                        name: name.to_owned(),
                        caption: caption.to_owned(),
                        bytes,
                    })
                    .map_err(|e| Failure::Input(e.to_string()))
            };
            let by_law: Vec<(String, &Outcome)> = told.outcomes.iter().map(|o| (o.law.clone(), &o.outcome)).collect();
            let strips: Vec<(&NerveHeat, &NerveCut)> = main.heats.iter().zip(&told.fibres).collect();
            let files = [
                ExtraFile {
                    name: "outcome.json".to_owned(),
                    caption: "fibres cut, conduction, harm and relief, all figures".to_owned(),
                    bytes: json_text(told)?.into_bytes(),
                },
                picture(
                    "relief.png",
                    "relief over the months, by each law of injury",
                    relief_curves(&format!("After the lesion: {}", told.joint), &by_law),
                )?,
                picture(
                    "nerves.png",
                    "each nerve unrolled: its heat, and what is dead by each law",
                    nerve_strips("What the nerves met", &strips),
                )?,
            ];
            solve::check_interrupt()?;
            write_files(folder, &files).map_err(|e| Failure::Input(e.to_string()))?;
        }
        if let Some(target) = &self.json {
            solve::check_interrupt()?;
            deliver(target, &json_text(told)?)?;
        }
        if !common.quiet && !printed {
            print(&tell::table(told, &main.loaded));
            if let Some(folder) = &self.out {
                print(&format!("Written to {}\n", folder.display()));
            }
        }
        Ok(())
    }
}

/// Reads a scenario, or that of a record, and solves it.
fn solved(path: Option<&Path>, catalog: &Catalog, laws: &[NerveLaw], common: &Common) -> Result<Solved, Failure> {
    let source = match path {
        None => Source::built_in(),
        Some(path) => {
            let record = if path.is_dir() {
                Some(path.join("record.json"))
            } else {
                (path.extension().is_some_and(|e| e == "json")).then(|| path.to_owned())
            };
            match record {
                None => Source::read(path)?,
                Some(record) => {
                    let (recorded, _) = replay::read(&record)?;
                    if recorded.catalog_sha256 != neurotome_io::catalog::hash(catalog) && !common.quiet {
                        eprintln!(
                            "neurotome: {} was made with another catalogue; its scenario is solved with this one",
                            record.display()
                        );
                    }
                    Source {
                        name: recorded.scenario.name,
                        text: recorded.scenario.text,
                        folder: record.parent().map(Path::to_owned).unwrap_or_default(),
                    }
                }
            }
        }
    };
    let mut loaded = scenario::load(&source, catalog)?;
    if loaded.problem.nerves.is_empty() {
        return Err(Failure::Input(format!(
            "{} has no nerve, of which an outcome tells; add [[nerves]] or use the built-in patient",
            source.name
        )));
    }
    // The stated error is told by `simulate`; here it would double the time.
    loaded.problem.solver.estimate_error = false;
    let (result, heats) = solve::solve_nerves(&loaded.problem, laws, common)?;
    Ok(Solved {
        source,
        loaded,
        result,
        heats,
    })
}
