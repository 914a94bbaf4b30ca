//! `neurotome inject`.

mod told;

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use neurotome_base::{PatientPoint, Vec3};
use neurotome_io::{
    report::{block_curves, injection_sections},
    results::{ExtraFile, check_target, write_injection},
    scenario::{self, AnaestheticTable, Loaded, Notice},
};
use neurotome_procedure::{
    anaesthesia::{self, AnaesthesiaError, Spread, wheal_tip},
    catalog::Catalog,
    lesion::NerveCurve,
};

use self::told::{Told, table};
use super::{Common, Failure, deliver, json_text, open_catalog, open_scenario_before_injection, print, solve};

/// Time followed where nothing is said, s.
const FOLLOW_S: f64 = 600.0;

#[derive(Debug, Args)]
pub(super) struct InjectCommand {
    /// Scenario file (TOML); options below replace the keys of its [anaesthetic]. Default: the built-in patient.
    scenario: Option<PathBuf>,
    /// Agent: lidocaine, bupivacaine, ropivacaine, saline, water, contrast or another solution of the catalogue.
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Concentration of a drug, g in 100 ml. Default: the strongest sold up to 2 %.
    #[arg(long, value_name = "PERCENT", allow_negative_numbers = true)]
    percent: Option<f64>,
    /// Volume, 0.1 to 3 ml. Default: 0.5.
    #[arg(long, value_name = "ML", allow_negative_numbers = true)]
    volume_ml: Option<f64>,
    /// Rate, ml/min. Default: 1.
    #[arg(long, value_name = "RATE", allow_negative_numbers = true)]
    rate_ml_per_min: Option<f64>,
    /// Seconds from the end of the injection to the heating; pictures and fields are of that time. Default: 120.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    wait_s: Option<f64>,
    /// Seconds followed after the injection, up to 43200. Default: 600.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    follow_s: Option<f64>,
    /// Where the fluid leaves: `needle` for the tip of the first needle, `skin` for a wheal where that needle goes in, or a place as X,Y,Z in
    /// mm.
    #[arg(long, value_name = "PLACE", default_value = "needle", allow_hyphen_values = true)]
    tip: String,
    /// Mass of the body, for the largest dose, kg. Default: 70.
    #[arg(long, value_name = "KG", allow_negative_numbers = true)]
    body_mass_kg: Option<f64>,
    /// Side of the cells, mm. Default: by the volume, 0.4 to 1.2.
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    cell_mm: Option<f64>,
    /// Nerve of the table and of the curves. Default: the target.
    #[arg(long, value_name = "NAME")]
    nerve: Option<String>,
    /// Folder for inject.json, share.nii.gz, concentration.nii.gz and pictures; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the record as JSON to FILE; `-` prints it instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// A wheal in the skin.
struct Wheal {
    at: PatientPoint,
    normal: Vec3,
}

/// An injection, computed.
struct Done {
    spread: Arc<Spread>,
    wait_s: f64,
    wheal: Option<Wheal>,
    notices: Vec<Notice>,
    remarks: Vec<String>,
}

impl InjectCommand {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        if let Some(folder) = &self.out {
            check_target(folder).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let catalog = open_catalog(common)?;
        let (source, loaded) = open_scenario_before_injection(self.scenario.as_deref(), &catalog)?;
        let nerve = self.chosen(&loaded.problem.nerves)?;
        let done = self.inject(&loaded, &catalog, common)?;
        let told = Told::new(&source.name, &done, nerve);
        let record = json_text(&told)?;
        if let Some(folder) = &self.out {
            let files = solve::on_threads(common.threads, || files(&loaded, &done, nerve, &record))??;
            solve::check_interrupt()?;
            let t_s = done.spread.injected_s + done.wait_s;
            solve::on_threads(common.threads, || write_injection(folder, &files, &done.spread, t_s))?
                .map_err(|e| Failure::Input(e.to_string()))?;
        }
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if let Some(target) = &self.json {
            solve::check_interrupt()?;
            deliver(target, &record)?;
        }
        if !common.quiet && !printed {
            print(&table(&told));
            if let Some(folder) = &self.out {
                print(&format!("Written to {}\n", folder.display()));
            }
        }
        Ok(())
    }

    /// The nerve asked for, by its index: the one named, or the first target, or the first.
    fn chosen(&self, nerves: &[NerveCurve]) -> Result<Option<usize>, Failure> {
        let Some(name) = &self.nerve else {
            let target = nerves.iter().position(|n| n.target);
            return Ok(target.or((!nerves.is_empty()).then_some(0)));
        };
        let found = nerves.iter().position(|n| n.name == *name);
        found.map(Some).ok_or_else(|| {
            let names: Vec<&str> = nerves.iter().map(|n| n.name.as_str()).collect();
            Failure::Input(format!(
                "there is no nerve \"{name}\" here; expected one of: {}",
                names.join(", ")
            ))
        })
    }

    fn inject(&self, loaded: &Loaded, catalog: &Catalog, common: &Common) -> Result<Done, Failure> {
        let asked = self.laid_over(loaded.scenario.anaesthetic.clone().unwrap_or_default());
        let (table, wheal) = self.placed(asked, loaded)?;
        if self.wait_s.is_some_and(|w| !(w.is_finite() && w >= 0.0)) {
            return Err(Failure::Input(format!(
                "--wait-s {}: expected a number of seconds, not below zero",
                self.wait_s.unwrap_or_default()
            )));
        }
        let refused = |e: AnaesthesiaError| match e {
            AnaesthesiaError::Cancelled { .. } => Failure::Interrupted(e.to_string()),
            AnaesthesiaError::Flow(_) => Failure::NotSolved(e.to_string()),
            e => Failure::Input(e.to_string()),
        };
        let injection = scenario::injection(&table, &loaded.problem, &loaded.scenario, catalog).map_err(refused)?;
        let bar = solve::stage_bar(common.quiet);
        let spread = solve::on_threads(common.threads, || {
            anaesthesia::inject(&injection, &mut |p| {
                bar.set_length(p.end_s.ceil() as u64);
                bar.set_position(p.t_s as u64);
                bar.set_message("seconds");
                !solve::interrupted()
            })
        })?
        .map_err(refused)?;
        bar.finish_and_clear();
        let mut remarks: Vec<String> = spread
            .dose
            .iter()
            .filter_map(|dose| scenario::dose_remark(table.agent(), dose))
            .collect();
        if spread.evidence.left_fraction > 0.01 {
            remarks.push(format!(
                "{:.0} % of the fluid left the region computed, along a way of less resistance",
                100.0 * spread.evidence.left_fraction
            ));
        }
        let notices = scenario::anaesthetic_values(catalog, table.agent(), &injection, &spread)
            .into_iter()
            .filter(|(_, _, v)| !v.verified)
            .map(|(subject, key, v)| Notice {
                subject,
                key: key.to_owned(),
                value: v.value,
                source: catalog.sources.get(&v.source).unwrap_or(&v.source).clone(),
            })
            .collect();
        Ok(Done {
            spread: Arc::new(spread),
            wait_s: table.waits_s(),
            wheal,
            notices,
            remarks,
        })
    }

    /// The table with the options laid over it.
    fn laid_over(&self, mut table: AnaestheticTable) -> AnaestheticTable {
        if let Some(agent) = &self.agent {
            // The concentration of another agent means nothing for this one.
            if table.agent.as_ref().is_some_and(|a| a != agent) {
                table.percent = None;
            }
            table.agent = Some(agent.clone());
        }
        table.percent = self.percent.or(table.percent);
        table.volume_ml = self.volume_ml.or(table.volume_ml);
        table.rate_ml_per_min = self.rate_ml_per_min.or(table.rate_ml_per_min);
        table.wait_s = self.wait_s.or(table.wait_s);
        table.follow_s = self.follow_s.or(table.follow_s).or(Some(FOLLOW_S));
        table.body_mass_kg = self.body_mass_kg.or(table.body_mass_kg);
        table.cell_mm = self.cell_mm.or(table.cell_mm);
        table
    }

    /// The table with its tip, and the wheal when it is one.
    fn placed(
        &self,
        mut table: AnaestheticTable,
        loaded: &Loaded,
    ) -> Result<(AnaestheticTable, Option<Wheal>), Failure> {
        match self.tip.as_str() {
            "needle" => Ok((table, None)),
            "skin" => {
                let needle = loaded.problem.needles.first();
                let (Some(patient), Some(needle)) = (loaded.patient.as_deref(), needle) else {
                    return Err(Failure::Input(
                        "--tip skin: there is no patient whose skin is known; give a place as X,Y,Z, or a scenario of the built-in patient or of an \
                         image with [image.spine]"
                            .to_owned(),
                    ));
                };
                let direction = Vec3::from(needle.direction);
                let at = wheal_tip(patient, &needle.tip, &direction, 2.0 * needle.length_mm).ok_or_else(|| {
                    Failure::Input(format!(
                        "--tip skin: the needle meets no skin within {} mm of its tip; move it, or give a place as X,Y,Z",
                        2.0 * needle.length_mm
                    ))
                })?;
                table.tip_mm = Some(at.xyz);
                let depth = |v: &Vec3| patient.skin_depth_mm(&PatientPoint::from_vec(*v));
                let slope = |axis: Vec3| depth(&(at.vec() + axis)) - depth(&(at.vec() - axis));
                let normal = Vec3::new(slope(Vec3::x()), slope(Vec3::y()), slope(Vec3::z()));
                let normal = normal.try_normalize(1e-9).unwrap_or_else(Vec3::y);
                Ok((table, Some(Wheal { at, normal })))
            }
            place => {
                let numbers: Option<Vec<f64>> = place
                    .split(',')
                    .map(|t| t.trim().parse().ok().filter(|v: &f64| v.abs() <= 1e4))
                    .collect();
                let Some(&[x, y, z]) = numbers.as_deref() else {
                    return Err(Failure::Input(format!(
                        "--tip {place}: expected `needle`, `skin`, or three numbers with commas between, mm in the patient frame (LPS)"
                    )));
                };
                table.tip_mm = Some([x, y, z]);
                Ok((table, None))
            }
        }
    }
}

/// The files of the folder, but for the images.
fn files(loaded: &Loaded, done: &Done, nerve: Option<usize>, record: &str) -> Result<Vec<ExtraFile>, Failure> {
    let spread = &done.spread;
    let t_s = spread.injected_s + done.wait_s;
    let what = told::syringe(&spread.solution, spread.volume_ml);
    let failed = |e: neurotome_io::results::ResultsError| Failure::Input(e.to_string());
    let mut all = vec![
        ExtraFile {
            name: "inject.json".to_owned(),
            caption: "what was injected, its spread and the block of the nerves in time".to_owned(),
            bytes: record.as_bytes().to_vec(),
        },
        ExtraFile {
            name: "section.png".to_owned(),
            caption: "sections through the needle with fluid and drug".to_owned(),
            bytes: injection_sections(
                &loaded.problem,
                spread,
                t_s,
                &format!("{what}, {:.0} s after the injection", done.wait_s),
            )
            .map_err(failed)?,
        },
    ];
    if let (Some(nerve), true) = (nerve.and_then(|i| spread.nerves.get(i)), spread.solution.drug.is_some()) {
        all.push(ExtraFile {
            name: "block.png".to_owned(),
            caption: format!("fibres that conduct and concentrations in time, {}", nerve.name),
            bytes: block_curves(nerve, spread, t_s, &format!("{what}: {}", nerve.name)).map_err(failed)?,
        });
    }
    Ok(all)
}
