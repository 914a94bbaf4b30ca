//! Lesions of tined and cooled probes, with fluid, and of pulses: each as the scenario that a user would write.

use std::{f64::consts::PI, sync::Arc};

use neurotome_base::PatientPoint;
use neurotome_procedure::lesion::{Contour, Contours, LesionResult};

use super::{
    Case,
    bench::{Bench, CELL_SIZE},
    edge::Edge,
};

type Outcome = Result<f64, String>;

/// The law by which a scenario draws the lesion.
const USUAL_LAW: &str = "liver_jacques";
/// Step and length of the way beyond the tip on which the distal reach is looked for, mm.
const REACH_STEP_MM: f64 = 0.02;
const REACH_MM: f64 = 10.0;

const STANDARD: &str = "cannula = \"18G-10mm-straight\"";
const TINED: &str = "cannula = \"18G-5mm-three-tined\"\ntines_towards = [1, 0, 0]";
const COOLED: &str = "cannula = \"17G-4mm-cooled\"";
const SMALLEST_COOLED: &str = "cannula = \"17G-4mm-cooled\"\nactive_tip_mm = 2";
/// The cooled probe with its water off: the metal without a channel, which carries away less than still water would.
const WATER_OFF: &str = "outer_diameter_mm = 1.27\nactive_tip_mm = 4\nthermocouple_from_tip_mm = -0.5";

/// A needle held at a temperature for some time, ramp included, in muscle that is the same everywhere.
struct Held<'a> {
    needle: &'a str,
    set_c: f64,
    heating_s: f64,
    /// More keys at the top of the scenario.
    top: String,
}

impl<'a> Held<'a> {
    fn new(needle: &'a str, set_c: f64, heating_s: f64) -> Self {
        Self {
            needle,
            set_c,
            heating_s,
            top: String::new(),
        }
    }

    fn run(&self, bench: &mut Bench, case: &Case) -> Result<Arc<LesionResult>, String> {
        let drive = format!("set_temperature_c = {}\nheating_s = {}", self.set_c, self.heating_s);
        bench.scenario(&scenario(case, &self.top, self.needle, &drive))
    }

    /// The lesion at the end by the edge of the case.
    fn lesion(&self, bench: &mut Bench, case: &Case) -> Result<Contour, String> {
        let run = self.run(bench, case)?;
        let last = run.snapshots.last().ok_or("the run has no report")?;
        contour(&last.contours, case.edge)
    }
}

/// The scenario of a study's preparation: meat below 30 °C, else perfused muscle.
fn scenario(case: &Case, top: &str, needle: &str, drive: &str) -> String {
    let start = case.study.start_temperature_c;
    let perfusion = if start < 30.0 { "off" } else { "stops_with_injury" };
    let laws: Vec<String> = case
        .study
        .other_edges
        .iter()
        .chain([&case.study.edge])
        .filter_map(|e| match e {
            Edge::Law { law } if law != USUAL_LAW => Some(format!("\"{law}\"")),
            _ => None,
        })
        .collect();
    let every_ten: Vec<String> = (1..18).map(|k| (10 * k).to_string()).collect();
    // Reports later than the end of the run are not allowed.
    let times = if top.contains("anaesthetic") {
        every_ten.join(", ")
    } else {
        String::new()
    };
    format!(
        "perfusion = \"{perfusion}\"\nboiling = true\n{top}\n[phantom]\nbackground = \"muscle\"\n[domain]\nshape = \"sphere\"\n\
         radius_mm = 65\ninitial_temperature_c = {start}\nboundary_temperature_c = {start}\n[[needles]]\n{needle}\n\
         tip_mm = [0, 0, 0]\ndirection = [0, 0, -1]\n[drive]\n{drive}\n[injury]\nalso = [{}]\n[output]\ntimes_s = [{times}]\n\
         isotherms_c = [55]\n[solver]\ncell_size = {CELL_SIZE}\nestimate_error = false\n",
        laws.join(", ")
    )
}

/// The contour of an edge.
fn contour(all: &Contours, edge: &Edge) -> Result<Contour, String> {
    let found = match edge {
        Edge::Law { law } if law == USUAL_LAW => all.omega1,
        Edge::Law { law } => all.more.get(&format!("omega1_{law}")).copied().flatten(),
        Edge::Isotherm { isotherm_c } if *isotherm_c == 50.0 => all.iso50,
        Edge::Isotherm { isotherm_c } if *isotherm_c == 60.0 => all.iso60,
        Edge::Isotherm { isotherm_c } => all.more.get(&format!("iso{isotherm_c}")).copied().flatten(),
    };
    found.ok_or_else(|| format!("no lesion by {}", edge.text()))
}

/// Volume as calipers give it, mm³.
fn ellipsoid(c: &Contour) -> f64 {
    PI / 6.0 * c.width_mm * c.width_x_mm * c.length_mm
}

fn ellipse(c: &Contour) -> f64 {
    PI / 4.0 * c.width_mm * c.length_mm
}

// Avanos 2024.

fn standard() -> Held<'static> {
    Held::new(STANDARD, 80.0, 90.0)
}

fn tined() -> Held<'static> {
    Held::new(TINED, 80.0, 120.0)
}

fn cooled(needle: &'static str) -> Held<'static> {
    Held::new(needle, 60.0, 150.0)
}

fn volumes(bench: &mut Bench, case: &Case, over: &Held, under: &Held) -> Outcome {
    Ok(ellipsoid(&over.lesion(bench, case)?) / ellipsoid(&under.lesion(bench, case)?))
}

pub(super) fn smallest_cooled(bench: &mut Bench, case: &Case) -> Outcome {
    volumes(bench, case, &cooled(SMALLEST_COOLED), &standard())
}

pub(super) fn other_cooled(bench: &mut Bench, case: &Case) -> Outcome {
    volumes(bench, case, &cooled(COOLED), &standard())
}

pub(super) fn cooled_grows(bench: &mut Bench, case: &Case) -> Outcome {
    volumes(bench, case, &cooled(COOLED), &cooled(SMALLEST_COOLED))
}

pub(super) fn tined_over_standard(bench: &mut Bench, case: &Case) -> Outcome {
    volumes(bench, case, &tined(), &standard())
}

/// Width over length of the less round of the two, over that of the standard probe.
pub(super) fn rounder(bench: &mut Bench, case: &Case) -> Outcome {
    let mut roundness = |held: &Held| held.lesion(bench, case).map(|c| c.width_mm / c.length_mm);
    let standard = roundness(&standard())?;
    Ok(roundness(&tined())?.min(roundness(&cooled(COOLED))?) / standard)
}

/// Reach past the tip of the lesser of the two, over that of the standard probe; by isotherms alone.
pub(super) fn distal(bench: &mut Bench, case: &Case) -> Outcome {
    let Edge::Isotherm { isotherm_c } = case.edge else {
        return Err("the reach past the tip is read off isotherms".to_owned());
    };
    let mut reach = |held: &Held| -> Outcome {
        let run = held.run(bench, case)?;
        let steps = (1..(REACH_MM / REACH_STEP_MM) as usize).map(|k| REACH_STEP_MM * k as f64);
        let hot = |mm: &f64| {
            let sample = run.fields.sample(&PatientPoint::new(0.0, 0.0, -mm));
            sample.is_some_and(|s| s.peak_temperature_c >= *isotherm_c)
        };
        Ok(steps.take_while(hot).last().unwrap_or(0.0))
    };
    let standard = reach(&standard())?;
    Ok(reach(&tined())?.min(reach(&cooled(COOLED))?) / standard)
}

// Cobbs 2023.

fn energy_j(run: &LesionResult) -> f64 {
    let c = &run.curves;
    (1..c.t_s.len())
        .map(|i| 0.5 * (c.t_s[i] - c.t_s[i - 1]) * (c.power_w[i] + c.power_w[i - 1]))
        .sum()
}

/// Energy of the cooled probe over that of the standard one with the most.
pub(super) fn energy(bench: &mut Bench, case: &Case) -> Outcome {
    let mut most = 0.0f64;
    for name in ["22G-5mm-straight", "18G-10mm-straight", "16G-10mm-straight"] {
        let needle = format!("cannula = \"{name}\"");
        most = most.max(energy_j(&*Held::new(&needle, 80.0, 90.0).run(bench, case)?));
    }
    Ok(energy_j(&*cooled(COOLED).run(bench, case)?) / most)
}

pub(super) fn energy_without_water(bench: &mut Bench, case: &Case) -> Outcome {
    let with = energy_j(&*cooled(COOLED).run(bench, case)?);
    Ok(energy_j(&*cooled(WATER_OFF).run(bench, case)?) / with)
}

pub(super) fn length_without_water(bench: &mut Bench, case: &Case) -> Outcome {
    let with = cooled(COOLED).lesion(bench, case)?.width_mm;
    Ok(cooled(WATER_OFF).lesion(bench, case)?.width_mm / with)
}

// Provenzano 2010, 2013, 2015.

/// The standard probe after an injection of half a millilitre of an agent of the catalogue, whose spread is computed.
fn with_fluid(case: &Case, agent: &str, heating_s: f64) -> Result<Held<'static>, String> {
    let (ml, wait) = (case.study.number("volume_ml")?, case.study.number("wait_s")?);
    // Lidocaine of 2010 is of 1 %.
    let percent = if agent == "lidocaine" { ", percent = 1" } else { "" };
    Ok(Held {
        top: format!("anaesthetic = {{ agent = \"{agent}\"{percent}, volume_ml = {ml}, wait_s = {wait} }}"),
        ..Held::new(STANDARD, 80.0, heating_s)
    })
}

/// Area at 90 s with a fluid, of the run to 180 s, mm².
fn area(bench: &mut Bench, case: &Case, agent: &str) -> Outcome {
    let run = with_fluid(case, agent, 180.0)?.run(bench, case)?;
    let at = run.snapshots.iter().find(|s| (s.t_s - 90.0).abs() < 1e-6);
    let contours = &at.ok_or("no report at 90 s")?.contours;
    contour(contours, case.edge).map(|c| ellipse(&c))
}

fn larger_than_dry(bench: &mut Bench, case: &Case, agent: &str) -> Outcome {
    Ok(area(bench, case, agent)? / ellipse(&standard().lesion(bench, case)?))
}

pub(super) fn water_larger(bench: &mut Bench, case: &Case) -> Outcome {
    larger_than_dry(bench, case, "water")
}

pub(super) fn saline_larger(bench: &mut Bench, case: &Case) -> Outcome {
    larger_than_dry(bench, case, "saline")
}

pub(super) fn lidocaine_larger(bench: &mut Bench, case: &Case) -> Outcome {
    larger_than_dry(bench, case, "lidocaine")
}

pub(super) fn salt_over_water(bench: &mut Bench, case: &Case) -> Outcome {
    Ok(area(bench, case, "saline")? / area(bench, case, "water")?)
}

pub(super) fn brine_over_water(bench: &mut Bench, case: &Case) -> Outcome {
    Ok(area(bench, case, BRINE)? / area(bench, case, "water")?)
}

pub(super) fn lidocaine_adds_nothing(bench: &mut Bench, case: &Case) -> Outcome {
    Ok(area(bench, case, "lidocaine-saline")? / area(bench, case, "saline")?)
}

const BRINE: &str = "saline-23.4";
const WEAKEST: &str = "saline-0.7";

pub(super) fn brine_impedance(bench: &mut Bench, case: &Case) -> Outcome {
    let mut late = |agent: &str| -> Outcome {
        let run = with_fluid(case, agent, 180.0)?.run(bench, case)?;
        let at = run.curves.t_s.partition_point(|t| *t < 90.0);
        run.curves
            .impedance_ohm
            .get(at)
            .copied()
            .ok_or_else(|| "no reading at 90 s".to_owned())
    };
    Ok(late(BRINE)? / late(WEAKEST)?)
}

pub(super) fn brine_power(bench: &mut Bench, case: &Case) -> Outcome {
    let mut mean = |agent: &str| -> Outcome {
        let run = with_fluid(case, agent, 180.0)?.run(bench, case)?;
        Ok(energy_j(&run) / 180.0)
    };
    Ok(mean(BRINE)? / mean(WEAKEST)?)
}

/// Smallest growth over ten seconds from 30 to 180 s with saline.
pub(super) fn grows_with_saline(bench: &mut Bench, case: &Case) -> Outcome {
    let run = with_fluid(case, "saline", 180.0)?.run(bench, case)?;
    let late = run.snapshots.iter().filter(|s| s.t_s > 29.0);
    let areas: Result<Vec<f64>, String> = late
        .map(|s| contour(&s.contours, case.edge).map(|c| ellipse(&c)))
        .collect();
    Ok(areas?.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min))
}

// Pulses.

fn pulsed(bench: &mut Bench, case: &Case) -> Result<Arc<LesionResult>, String> {
    let drive = "mode = \"pulsed\"\nvoltage_v = 45\npulse_s = 0.02\nrate_hz = 2\nlimit_temperature_c = 42\nheating_s = 10\n\
                 resolve_pulses = true";
    bench.scenario(&scenario(case, "", "cannula = \"22G-5mm-straight\"", drive))
}

pub(super) fn hottest_in_a_burst(bench: &mut Bench, case: &Case) -> Outcome {
    let run = pulsed(bench, case)?;
    Ok(run.curves.max_tissue_c.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v)))
}

pub(super) fn spike(bench: &mut Bench, case: &Case) -> Outcome {
    let run = pulsed(bench, case)?;
    run.pulse
        .and_then(|p| p.spike_k)
        .ok_or_else(|| "no whole cycle".to_owned())
}

pub(super) fn field_at_1_mm(bench: &mut Bench, case: &Case) -> Outcome {
    let run = pulsed(bench, case)?;
    run.pulse
        .map(|p| p.field_at_1_mm_v_per_m)
        .ok_or_else(|| "no pulses".to_owned())
}
