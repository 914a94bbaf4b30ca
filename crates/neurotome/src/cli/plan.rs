//! `neurotome plan`.

use std::{fmt::Write as _, path::PathBuf, sync::Arc, time::Instant};

use clap::Args;
use neurotome_io::{
    markups::{Markup, markups_json},
    report::{PLAN_FIELD_MM, PLAN_SIDE_PX, PlannedNeedle, plan_views, sheet::Radiographer},
    results::{ExtraFile, check_target, write_files},
    scenario::{Loaded, NeedleTable, NerveTable, Scenario, Source, hounsfield, to_text},
};
use neurotome_procedure::{
    anatomy::{Patient, Side},
    catalog::{Cannula, Catalog, Technique, find},
    planning::{
        self, Device, Effort, Joint, NervePlan, Placement, Plan, PlanError, PlanRequest, explain::Compared,
        objective::Outcome,
    },
};

use super::{Common, Failure, deliver, json_text, open_catalog, open_scenario, print, solve};

/// Voxels of the built-in patient in the pictures, mm.
const PICTURE_SPACING_MM: f64 = 1.0;
/// Technique used.
const TECHNIQUE: &str = "lumbar_parallel";
/// Cannulas to choose from where none is named: all lengths of these.
const USUAL: [&str; 4] = [
    "16G-10mm-straight",
    "18G-10mm-straight",
    "20G-10mm-straight",
    "22G-10mm-straight",
];

#[derive(Debug, Args)]
pub(super) struct PlanCommand {
    /// Scenario file (TOML) whose patient and drive are planned for. Default: the built-in patient, 80 °C for 90 s.
    scenario: Option<PathBuf>,
    /// Facet joint, such as L4-L5 or L5-S1.
    #[arg(long, value_name = "UPPER-LOWER")]
    joint: Joint,
    /// Side of the patient: left or right.
    #[arg(long)]
    side: Side,
    /// Folder for plan.json, scenarios, pictures and markups of 3D Slicer; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the plan as JSON to FILE; `-` prints it instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A cannula of the catalogue that may be used; may be given more than once. Default: straight ones of 16 to 22 G with 10 mm tips.
    #[arg(long, value_name = "NAME")]
    cannula: Vec<String>,
    /// Length of each nerve to be destroyed, mm. Default: that of the catalogue's technique, 8.
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    length_mm: Option<f64>,
    /// Poses ranked for each nerve.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    candidates: u32,
    /// Draws of nerve, placement and tissue for each pose.
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    draws: u32,
    /// Best poses of each nerve that the full solver checks; 0 for none.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=100))]
    verify: u32,
    /// Full solves on coarse cells that the fast model is fitted to; half as many more tell its error.
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    fit: u32,
    /// Seed of all draws.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl PlanCommand {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        if let Some(folder) = &self.out {
            check_target(folder).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let catalog = open_catalog(common)?;
        let (source, loaded) = open_scenario(self.scenario.as_deref(), &catalog)?;
        let request = self.request(&catalog, &source, &loaded)?;
        let start = Instant::now();
        let plan = plan(&request, common)?;
        let wall_s = start.elapsed().as_secs_f64();
        if let Some(folder) = &self.out {
            let files = solve::on_threads(common.threads, || files(&request, &catalog, &source, &loaded, &plan))??;
            solve::check_interrupt()?;
            write_files(folder, &files).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if let Some(target) = &self.json {
            solve::check_interrupt()?;
            deliver(target, &json_text(&plan)?)?;
        }
        if !common.quiet && !printed {
            print(&table(&plan, &request.technique));
            print(&format!("\nplanned in {wall_s:.0} s\n"));
            if let Some(folder) = &self.out {
                print(&format!("Written to {}\n", folder.display()));
            }
        }
        Ok(())
    }

    fn request(&self, catalog: &Catalog, source: &Source, loaded: &Loaded) -> Result<PlanRequest, Failure> {
        let patient: Arc<dyn Patient> = loaded.patient.clone().ok_or_else(|| {
            Failure::Input(format!(
                "{} has no patient whose bones and nerves are known, which a plan needs; fit the spine to its image with [image.spine], \
                 or give a scenario of the built-in patient, or none",
                source.name
            ))
        })?;
        let technique = find(&catalog.techniques, TECHNIQUE)
            .ok_or_else(|| Failure::Input(format!("the catalogue has no technique \"{TECHNIQUE}\"")))?
            .clone();
        let fit_solves = self.fit as usize;
        Ok(PlanRequest {
            patient,
            template: loaded.problem.clone(),
            devices: devices(catalog, &self.cannula)?,
            joint: self.joint,
            side: self.side,
            destroyed_mm: self.length_mm.unwrap_or(technique.destroyed_mm.value),
            technique,
            effort: Effort {
                candidates: self.candidates as usize,
                draws: self.draws as usize,
                fit_solves,
                held_out_solves: fit_solves.div_ceil(2),
                verified: self.verify as usize,
                seed: self.seed,
            },
        })
    }
}

/// The cannulas named, or all lengths of the usual ones.
fn devices(catalog: &Catalog, named: &[String]) -> Result<Vec<Device>, Failure> {
    let cannulas: Vec<&Cannula> = if named.is_empty() {
        let usual = |c: &&Cannula| {
            USUAL
                .iter()
                .any(|u| c.name == *u || c.name.strip_prefix(u).is_some_and(|r| r.starts_with('-')))
        };
        catalog.cannulas.iter().filter(usual).collect()
    } else {
        named
            .iter()
            .map(|name| {
                find(&catalog.cannulas, name).ok_or_else(|| {
                    Failure::Input(format!(
                        "there is no cannula \"{name}\"; `neurotome catalog cannula` lists all"
                    ))
                })
            })
            .collect::<Result<_, _>>()?
    };
    cannulas
        .into_iter()
        .map(|cannula| {
            let metal = find(&catalog.metals, &cannula.metal).ok_or_else(|| {
                Failure::Input(format!(
                    "cannula {}: there is no metal \"{}\"",
                    cannula.name, cannula.metal
                ))
            })?;
            Device::new(cannula, metal).map_err(|what| {
                Failure::Input(format!(
                    "cannula {} has {what}; a plan knows straight cannulas with a rounded end: choose one of those",
                    cannula.name
                ))
            })
        })
        .collect()
}

fn plan(request: &PlanRequest, common: &Common) -> Result<Plan, Failure> {
    let bar = solve::stage_bar(common.quiet);
    let plan = solve::on_threads(common.threads, || {
        planning::plan(request, &mut |p| {
            bar.set_length(p.of as u64);
            bar.set_position(p.done as u64);
            bar.set_message(p.stage.clone());
            !solve::interrupted()
        })
    })?;
    bar.finish_and_clear();
    plan.map_err(|e| match e {
        PlanError::Lesion(e) => e.into(),
        PlanError::Cancelled => Failure::Interrupted(e.to_string()),
        e => Failure::Input(e.to_string()),
    })
}

/// A name for files: `l4-medial-branch-right`.
fn slug(nerve: &str) -> String {
    nerve.to_lowercase().replace(' ', "-")
}

/// The files of a plan's folder.
fn files(
    request: &PlanRequest,
    catalog: &Catalog,
    source: &Source,
    loaded: &Loaded,
    plan: &Plan,
) -> Result<Vec<ExtraFile>, Failure> {
    let mut all = vec![ExtraFile {
        name: "plan.json".to_owned(),
        caption: "the plan: poses, probabilities, errors, comparisons".to_owned(),
        bytes: json_text(plan)?.into_bytes(),
    }];
    all.push(ExtraFile {
        name: "plan.mrk.json".to_owned(),
        caption: "entry and tip of the best needles, and the nerves, for 3D Slicer".to_owned(),
        bytes: markups_json(&markups(plan)).map_err(|e| Failure::NotSolved(e.to_string()))?,
    });
    let aim = loaded.problem.domain.center;
    let hu = hounsfield(source, loaded, catalog, &aim, PICTURE_SPACING_MM).map_err(Failure::Input)?;
    let camera = Radiographer::new(&hu, PLAN_FIELD_MM, PLAN_SIDE_PX).map_err(|e| Failure::Input(e.to_string()))?;
    for nerve in &plan.nerves {
        let Some(best) = nerve.best.first() else { continue };
        all.push(ExtraFile {
            name: format!("{}.toml", slug(&nerve.nerve)),
            caption: format!(
                "scenario of the best placement at the {}, for `neurotome simulate`",
                nerve.nerve
            ),
            bytes: scenario(request, source, loaded, nerve, best)?.into_bytes(),
        });
        let needle = PlannedNeedle {
            tip_mm: best.pose.tip_mm,
            entry_mm: best.entry_mm,
            active_tip_mm: active_tip_mm(request, best),
        };
        let frame = request
            .patient
            .frame(nerve.target.at)
            .ok_or_else(|| Failure::Input(format!("the patient has no vertebra {}", nerve.target.at)))?;
        let title = format!("{} at the {}: {}", nerve.nerve, nerve.place, best.device);
        let right = request.side == Side::Right;
        all.push(ExtraFile {
            name: format!("{}.png", slug(&nerve.nerve)),
            caption: format!("needle, entry and nerve in radiographs, {}", nerve.nerve),
            bytes: plan_views(&camera, &frame, &title, &needle, &nerve.course_mm, right)
                .map_err(|e| Failure::Input(e.to_string()))?,
        });
    }
    Ok(all)
}

/// The line from entry to tip of each nerve's best placement, and the nerve.
fn markups(plan: &Plan) -> Vec<Markup> {
    let of = |nerve: &NervePlan| {
        let needle = nerve.best.first().map(|best| {
            let name = format!("{} {}", nerve.nerve, best.device);
            Markup::line(name, best.entry_mm, best.pose.tip_mm)
        });
        let course = Markup::curve(&nerve.nerve, &nerve.course_mm);
        needle.into_iter().chain(std::iter::once(course))
    };
    plan.nerves.iter().flat_map(of).collect()
}

fn active_tip_mm(request: &PlanRequest, placement: &Placement) -> f64 {
    let device = request.devices.iter().find(|d| d.name == placement.device);
    device.map_or(0.0, |d| d.needle.active_tip_mm)
}

/// The scenario of a placement: the patient and the drive of the scenario that was planned with.
fn scenario(
    request: &PlanRequest,
    source: &Source,
    loaded: &Loaded,
    nerve: &NervePlan,
    best: &Placement,
) -> Result<String, Failure> {
    let problem = planning::placement_problem(request, nerve, best).map_err(|e| Failure::Input(e.to_string()))?;
    let inside = |p: &neurotome_base::PatientPoint| problem.domain.level_mm(&p.vec()) < 0.0;
    let known = |name: &str| loaded.problem.nerves.iter().any(|n| n.name == name);
    let named = loaded
        .scenario
        .nerves
        .iter()
        .map(|n| n.name.clone())
        .collect::<Vec<_>>();
    let fresh = problem
        .nerves
        .iter()
        .filter(|n| (!known(&n.name) || named.contains(&n.name)) && n.points.iter().any(inside));
    let mut scenario = Scenario {
        title: format!("{} at the {}, {}", nerve.nerve, nerve.place, best.device),
        needles: vec![NeedleTable {
            cannula: Some(best.device.clone()),
            target_mm: Some(best.pose.tip_mm.xyz),
            entry_mm: Some(best.entry_mm.xyz),
            ..NeedleTable::default()
        }],
        nerves: fresh
            .map(|n| NerveTable {
                name: n.name.clone(),
                points_mm: n.points.iter().map(|p| p.xyz).collect(),
                diameter_mm: n.diameter_mm,
                target: n.target,
            })
            .collect(),
        ..loaded.scenario.clone()
    };
    // The file lies elsewhere than the one that it comes from.
    if let Some(image) = &mut scenario.image {
        let markups = image.spine.as_mut().and_then(|spine| spine.markups.as_mut());
        for path in [Some(&mut image.path), image.labels.as_mut(), markups]
            .into_iter()
            .flatten()
        {
            if !path.contains("${")
                && let Ok(whole) = std::path::absolute(source.folder.join(&*path))
            {
                *path = whole.display().to_string();
            }
        }
    }
    scenario.domain.center_mm = None;
    scenario.probes.clear();
    let text = to_text(&scenario).map_err(|e| Failure::NotSolved(format!("writing the scenario: {e}")))?;
    Ok(format!(
        "# Best placement of a plan for {} {}: simulate it with `neurotome simulate`.\n\n{text}",
        request.joint, request.side
    ))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn table(plan: &Plan, technique: &Technique) -> String {
    let mut out = String::new();
    let e = &plan.fast_error;
    let _ = writeln!(
        out,
        "Joint {} {}: at least {} mm of each nerve\n",
        plan.joint, plan.side, plan.destroyed_mm
    );
    for n in &plan.nerves {
        nerve_table(&mut out, n);
    }
    let _ = writeln!(
        out,
        "Fast model of the lesion, fitted to {} full solves here, against {} others\n  \
         reach of the lesion            {:.2} mm root mean square ({:.2} mm without the fit), {:+.2} mm on average, 95 % within {:.2} mm\n  \
         destroyed length as planned    {:.2} mm root mean square, {:.2} mm at worst",
        e.fitted,
        e.held_out,
        e.reach_rms_mm,
        e.plain_reach_rms_mm,
        e.reach_bias_mm,
        e.reach_95_mm,
        e.destroyed_rms_mm,
        e.destroyed_worst_mm
    );
    let _ = writeln!(
        out,
        "\nDraws: nerve by its spread, tip {} mm across and {} mm along the needle, {}° of direction, {} of the lesion's reach \
         (standard deviations)",
        technique.tip_sd_mm.value,
        technique.depth_sd_mm.value,
        technique.angle_sd_deg.value,
        percent(technique.lesion_sd_fraction.value)
    );
    let unverified: Vec<String> = neurotome_procedure::catalog::Entry::values(technique)
        .into_iter()
        .filter(|(_, v)| !v.verified)
        .map(|(key, v)| format!("{key} = {}", v.value))
        .collect();
    if !unverified.is_empty() {
        let _ = writeln!(
            out,
            "Unverified values used (`neurotome catalog technique {TECHNIQUE}`): {}",
            unverified.join(", ")
        );
    }
    let _ = writeln!(out, "\n{}", crate::DISCLAIMER);
    out
}

fn nerve_table(out: &mut String, n: &NervePlan) {
    let rejected: Vec<String> = n.rejected.iter().map(|(r, k)| format!("{k} {}", r.words())).collect();
    let _ = writeln!(
        out,
        "{} at the {}\n  {} poses tried, {} ranked, {} spare what they must ({})",
        n.nerve,
        n.place,
        n.tried,
        n.ranked,
        n.sparing,
        rejected.join(", ")
    );
    let _ = writeln!(
        out,
        "  {:22} {:>7} {:>8} {:>8} {:>7} {:>9} {:>9} {:>9} {:>9} {:>7}  entry, mm",
        "cannula", "depth", "lateral", "caudal", "to", "P fast", "P full", "planned", "planned", "harm"
    );
    let _ = writeln!(
        out,
        "  {:22} {:>7} {:>8} {:>8} {:>7} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "", "mm", "", "", "nerve", "", "", "fast, mm", "full, mm", ""
    );
    for p in &n.best {
        let full = p.full.as_ref();
        let dash = || "-".to_owned();
        let _ = writeln!(
            out,
            "  {:22} {:7.1} {:7.1}° {:7.1}° {:6.1}° {:>9} {:>9} {:9.1} {:>9} {:>7}  {:.1}, {:.1}, {:.1}",
            p.device,
            p.depth_mm,
            p.angles.lateral_deg,
            p.angles.caudal_deg,
            p.to_nerve_deg,
            percent(p.fast.probability),
            full.map_or_else(dash, |v| percent(v.outcome.probability)),
            p.fast.nominal_mm,
            full.map_or_else(dash, |v| format!("{:.1}", v.destroyed_mm)),
            percent(full.map_or(p.fast.harm, |v| v.outcome.harm)),
            p.entry_mm.xyz[0],
            p.entry_mm.xyz[1],
            p.entry_mm.xyz[2],
        );
    }
    if let Some(beyond) = &n.beyond {
        let _ = writeln!(out, "  BEYOND THE LIMITS: {beyond}");
    }
    if let Some(p) = n.best.first() {
        let spared = p
            .full
            .as_ref()
            .map_or(p.spared.as_ref(), |v| v.spared.as_ref())
            .map_or(String::new(), |(name, mm)| format!("{name} {mm:.1} mm, "));
        let _ = writeln!(
            out,
            "  lesion of the first: {spared}skin {:.0} mm away; {} lesion{} proposed",
            p.skin_mm,
            n.lesions,
            if n.lesions == 1 { "" } else { "s" }
        );
    }
    let _ = writeln!(
        out,
        "\n  {:22} {:>17} {:>26} {:>26} {:>26}",
        "why", "lesion in muscle", "along the nerve", "across it", "two lesions"
    );
    for d in &n.by_device {
        let _ = writeln!(
            out,
            "  {:22} {:>17} {:>26} {:>26} {:>26}",
            d.device,
            format!("{:.1} × {:.1} mm", d.plain_width_mm, d.plain_length_mm),
            compared(d.parallel.as_ref()),
            compared(d.perpendicular.as_ref()),
            compared(d.two.as_ref())
        );
    }
    let _ = writeln!(
        out,
        "  (probability, mean length destroyed; by the full solver where marked *, else by the fast model)\n"
    );
}

fn compared(c: Option<&Compared>) -> String {
    let Some(c) = c else {
        return "none spares all".to_owned();
    };
    let text = |o: &Outcome| format!("{}, {:.1} mm", percent(o.probability), o.mean_mm);
    match &c.full {
        Some(full) => format!("{} *", text(full)),
        None => text(&c.fast),
    }
}
