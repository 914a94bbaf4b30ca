//! What is told of an injection: the record and the table.

use std::fmt::Write as _;

use neurotome_io::scenario::Notice;
use neurotome_procedure::anaesthesia::{
    Dose, FibreKind, NerveExposure, Solution, Spread, SpreadEvidence, SpreadPoint, WHEAL_DEPTH_MM,
};
use serde::Serialize;

use super::Done;
use crate::{DISCLAIMER, PROGRAM};

/// Times after the injection at which the table has a row, s.
const ROWS_S: [f64; 16] = [
    0.0, 10.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 5400.0, 7200.0, 10_800.0, 21_600.0,
    43_200.0,
];
/// Share that conducts at which a class counts as blocked.
const BLOCKED: f64 = 0.05;
/// Share at which it counts as back.
const BACK: f64 = 0.5;

/// The record of an injection.
#[derive(Serialize)]
pub(super) struct Told {
    program: &'static str,
    disclaimer: &'static str,
    scenario: String,
    solution: Solution,
    volume_ml: f64,
    rate_ml_per_min: f64,
    injected_s: f64,
    wait_s: f64,
    tip_mm: [f64; 3],
    dose: Option<Dose>,
    evidence: SpreadEvidence,
    /// At the start of heating.
    at_heating: Option<AtHeating>,
    wheal: Option<ToldWheal>,
    /// Name of the nerve in the table.
    nerve: Option<String>,
    nerves: Vec<ToldNerve>,
    spread: Vec<SpreadPoint>,
    remarks: Vec<String>,
    notices: Vec<Notice>,
}

#[derive(Serialize)]
struct AtHeating {
    /// Share of the Aδ fibres of the nerve that still conduct.
    a_delta_conducting: f64,
    /// Share of its C fibres.
    c_conducting: f64,
}

#[derive(Serialize)]
struct ToldWheal {
    /// Depth below the skin, mm.
    depth_mm: f64,
    /// Diameter of the skin that is numb when the wait is over, mm.
    numb_diameter_mm: f64,
    times: Vec<ToldSkin>,
}

#[derive(Serialize)]
struct ToldSkin {
    /// Seconds after the end of the injection.
    after_s: f64,
    radius_mm: f64,
    numb_diameter_mm: f64,
}

#[derive(Serialize)]
struct ToldNerve {
    name: String,
    /// Distance from the tip, mm.
    distance_mm: f64,
    classes: Vec<ToldClass>,
    times: Vec<At>,
}

#[derive(Serialize)]
struct ToldClass {
    class: FibreKind,
    /// When at most 5 % conduct, s after the start of the injection.
    blocked_s: Option<f64>,
    /// When half of them conduct again, s after the start of the injection.
    back_s: Option<f64>,
}

#[derive(Serialize)]
struct At {
    /// Seconds after the end of the injection.
    after_s: f64,
    radius_mm: f64,
    volume_ml: f64,
    /// Highest along the nerve.
    outside_mmol_per_l: f64,
    inside_mmol_per_l: f64,
    /// Largest share blocked at one place, in the order of the classes.
    blocked: [f64; 5],
    /// Share that still conducts.
    conducting: [f64; 5],
    absorbed_mg: f64,
    plasma_mg_per_l: f64,
}

/// Times of the table, s after the end of the injection.
fn rows(spread: &Spread, wait_s: f64) -> Vec<f64> {
    let follow = spread.end_s() - spread.injected_s;
    let mut rows: Vec<f64> = ROWS_S.into_iter().filter(|t| *t <= follow + 1e-6).collect();
    rows.extend([wait_s, follow]);
    rows.sort_by(f64::total_cmp);
    rows.dedup_by(|a, b| (*a - *b).abs() < 0.5);
    rows
}

/// The figures of the first step at or after a time.
fn point_at(spread: &Spread, t_s: f64) -> SpreadPoint {
    let next = spread.curve.partition_point(|p| p.t_s < t_s - 1e-6);
    spread.curve[next.min(spread.curve.len() - 1)]
}

fn most(profile: &[f64]) -> f64 {
    profile.iter().copied().fold(0.0, f64::max)
}

impl Told {
    pub(super) fn new(scenario: &str, done: &Done, nerve: Option<usize>) -> Self {
        let spread = &done.spread;
        let nerves: Vec<ToldNerve> = spread
            .nerves
            .iter()
            .map(|n| ToldNerve::new(n, spread, done.wait_s))
            .collect();
        let heating_s = spread.injected_s + done.wait_s;
        let chosen = nerve.and_then(|i| spread.nerves.get(i));
        let drugged = spread.solution.drug.is_some();
        Self {
            program: PROGRAM,
            disclaimer: DISCLAIMER,
            scenario: scenario.to_owned(),
            solution: spread.solution.clone(),
            volume_ml: spread.volume_ml,
            rate_ml_per_min: spread.rate_ml_per_min,
            injected_s: spread.injected_s,
            wait_s: done.wait_s,
            tip_mm: spread.tip.xyz,
            dose: spread.dose,
            evidence: spread.evidence,
            at_heating: chosen.filter(|_| drugged && done.wheal.is_none()).map(|n| AtHeating {
                a_delta_conducting: n.conducting_share(FibreKind::ADelta, heating_s),
                c_conducting: n.conducting_share(FibreKind::C, heating_s),
            }),
            wheal: done.wheal.as_ref().map(|w| ToldWheal {
                depth_mm: WHEAL_DEPTH_MM,
                numb_diameter_mm: spread.numb_diameter_mm(&w.at, &w.normal, heating_s),
                times: rows(spread, done.wait_s)
                    .into_iter()
                    .map(|after_s| ToldSkin {
                        after_s,
                        radius_mm: point_at(spread, spread.injected_s + after_s).radius_mm,
                        numb_diameter_mm: spread.numb_diameter_mm(&w.at, &w.normal, spread.injected_s + after_s),
                    })
                    .collect(),
            }),
            nerve: chosen.map(|n| n.name.clone()),
            nerves,
            spread: spread.curve.clone(),
            remarks: done.remarks.clone(),
            notices: done.notices.clone(),
        }
    }
}

impl ToldNerve {
    fn new(nerve: &NerveExposure, spread: &Spread, wait_s: f64) -> Self {
        let drug = spread.solution.drug.as_ref();
        let times = rows(spread, wait_s)
            .into_iter()
            .map(|after_s| {
                let t = spread.injected_s + after_s;
                let point = point_at(spread, t);
                let inside = most(&nerve.inside_at(t));
                At {
                    after_s,
                    radius_mm: point.radius_mm,
                    volume_ml: point.volume_ml,
                    outside_mmol_per_l: most(&nerve.outside_at(t)),
                    inside_mmol_per_l: inside,
                    blocked: FibreKind::ALL.map(|c| drug.map_or(0.0, |d| d.blocked_share(c, inside))),
                    conducting: FibreKind::ALL.map(|c| nerve.conducting_share(c, t)),
                    absorbed_mg: point.absorbed_mg,
                    plasma_mg_per_l: point.plasma_mg_per_l,
                }
            })
            .collect();
        Self {
            name: nerve.name.clone(),
            distance_mm: nerve
                .places
                .iter()
                .map(|p| (p.vec() - spread.tip.vec()).norm())
                .fold(f64::INFINITY, f64::min),
            classes: FibreKind::ALL
                .into_iter()
                .map(|class| ToldClass {
                    class,
                    blocked_s: nerve.onset_s(class, BLOCKED),
                    back_s: nerve
                        .onset_s(class, BLOCKED)
                        .and_then(|_| nerve.wears_off_s(class, BACK)),
                })
                .collect(),
            times,
        }
    }
}

/// What is in the syringe: `0.5 ml of lidocaine 2 %`.
pub(super) fn syringe(solution: &Solution, volume_ml: f64) -> String {
    let percent = solution
        .drug
        .as_ref()
        .map_or_else(String::new, |d| format!(" {} %", d.percent));
    format!("{volume_ml} ml of {}{percent}", solution.name)
}

/// A time in s, or min from ten minutes on.
fn time(s: f64) -> String {
    if s < 600.0 {
        format!("{s:.0} s")
    } else {
        format!("{:.0} min", s / 60.0)
    }
}

pub(super) fn table(told: &Told) -> String {
    let mut out = String::new();
    let [x, y, z] = told.tip_mm;
    let _ = writeln!(
        out,
        "{} at {} ml/min, tip at {x:.1}, {y:.1}, {z:.1} mm",
        syringe(&told.solution, told.volume_ml),
        told.rate_ml_per_min
    );
    if let Some(dose) = &told.dose {
        let _ = writeln!(
            out,
            "dose {:.1} mg, {:.1} % of the largest for this body, {:.0} mg",
            dose.dose_mg,
            100.0 * dose.dose_mg / dose.max_mg,
            dose.max_mg
        );
    }
    let nerve = told
        .nerve
        .as_ref()
        .and_then(|name| told.nerves.iter().find(|n| n.name == *name));
    if let Some(wheal) = &told.wheal {
        let _ = writeln!(
            out,
            "\nwheal {} mm below the skin\n  {:>8} {:>9} {:>12}",
            wheal.depth_mm, "after", "radius mm", "numb skin mm"
        );
        for t in &wheal.times {
            let _ = writeln!(
                out,
                "  {:>8} {:>9.1} {:>12.0}",
                time(t.after_s),
                t.radius_mm,
                t.numb_diameter_mm
            );
        }
        let _ = writeln!(
            out,
            "  diameter of the skin in which nine in ten Aδ endings are blocked"
        );
    } else if let Some(nerve) = nerve {
        out += &nerve_rows(told, nerve);
    } else {
        let _ = writeln!(out, "\nno nerve is known here; the spread in time:");
        for p in told
            .spread
            .iter()
            .filter(|p| p.t_s >= told.injected_s - 1e-6)
            .step_by(8)
        {
            let _ = writeln!(
                out,
                "  {:>8}  radius {:5.1} mm  volume {:5.2} ml  reach {:5.1} mm",
                time(p.t_s - told.injected_s),
                p.radius_mm,
                p.volume_ml,
                p.reach_mm
            );
        }
    }
    let e = &told.evidence;
    let _ = writeln!(
        out,
        "\n{} cells of {:.2} mm, {} steps; balance of fluid {:.0e}, of drug {:.0e}; pressure at the tip {:.0} kPa",
        e.cells, e.cell_mm, e.steps, e.fluid_imbalance, e.drug_imbalance, e.tip_pressure_kpa
    );
    for remark in &told.remarks {
        let _ = writeln!(out, "\nRemark: {remark}");
    }
    if !told.notices.is_empty() {
        let mut subjects: Vec<&str> = told.notices.iter().map(|n| n.subject.as_str()).collect();
        subjects.dedup();
        let _ = writeln!(
            out,
            "\n{} unverified values used, of: {} (`neurotome catalog` shows them)",
            told.notices.len(),
            subjects.join(", ")
        );
    }
    let _ = writeln!(out, "\n{}", told.disclaimer);
    out
}

fn nerve_rows(told: &Told, nerve: &ToldNerve) -> String {
    let mut out = String::new();
    let drugged = told.solution.drug.is_some();
    let _ = writeln!(out, "\n{}, {:.1} mm from the tip", nerve.name, nerve.distance_mm);
    if !drugged {
        let _ = writeln!(out, "  {:>8} {:>9} {:>9}", "after", "radius mm", "volume ml");
        for t in &nerve.times {
            let _ = writeln!(
                out,
                "  {:>8} {:>9.1} {:>9.2}",
                time(t.after_s),
                t.radius_mm,
                t.volume_ml
            );
        }
        return out;
    }
    let _ = writeln!(
        out,
        "  {:>8} {:>9} {:>9} {:>8} {:>8}   {:>4} {:>4} {:>4} {:>4} {:>4}   {:>8} {:>8}",
        "after", "radius mm", "volume ml", "round mM", "among mM", "Aα", "Aβ", "Aγ", "Aδ", "C", "blood mg", "plasma"
    );
    for t in &nerve.times {
        let share = |c: f64| format!("{:.0}%", 100.0 * c);
        let [a, b, g, d, c] = t.conducting.map(share);
        let _ = writeln!(
            out,
            "  {:>8} {:>9.1} {:>9.2} {:>8.2} {:>8.2}   {a:>4} {b:>4} {g:>4} {d:>4} {c:>4}   {:>8.2} {:>8.3}{}",
            time(t.after_s),
            t.radius_mm,
            t.volume_ml,
            t.outside_mmol_per_l,
            t.inside_mmol_per_l,
            t.absorbed_mg,
            t.plasma_mg_per_l,
            if (t.after_s - told.wait_s).abs() < 0.5 {
                "  heating"
            } else {
                ""
            }
        );
    }
    let _ = writeln!(
        out,
        "  times after the end of the injection; radius and volume of the tissue where fluid takes half of the pores; drug round the\n  \
         nerve and among its fibres; fibres that still conduct past it; drug in blood, mg, and in plasma, mg/l"
    );
    for c in &nerve.classes {
        let line = match (c.blocked_s, c.back_s) {
            (None, _) => "not blocked: never fewer than 5 % conduct in the time followed".to_owned(),
            (Some(on), None) => format!(
                "blocked {} after the injection began, to the end of the time followed",
                time(on)
            ),
            (Some(on), Some(off)) => format!(
                "blocked {} after the injection began, half of it back {} after",
                time(on),
                time(off)
            ),
        };
        let _ = writeln!(out, "  {:<3} {line}", c.class.symbol());
    }
    if let Some(at) = &told.at_heating {
        let _ = writeln!(
            out,
            "\nheating after {} would be felt through {:.0} % of the Aδ and {:.0} % of the C fibres",
            time(told.wait_s),
            100.0 * at.a_delta_conducting,
            100.0 * at.c_conducting
        );
    }
    out
}
