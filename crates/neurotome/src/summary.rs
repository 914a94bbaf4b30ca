//! The figures that a person asks for after a run.

use std::fmt::Write as _;

use neurotome_io::scenario::{Loaded, Setting};
use neurotome_procedure::anatomy::Patient as _;
use neurotome_procedure::lesion::{
    Contour, Contours, Drive, ErrorEstimate, Evidence, Leak, LesionResult, NerveInjury, PAD_RIM_MM, PadHeating,
    PulseFigures, SkinEntry, Snapshot, TissueInjury,
};
use serde::{Deserialize, Serialize};

/// The set temperature counts as reached when the thermocouple is this near, K.
const REACHED_WITHIN_K: f64 = 0.5;

/// Key figures of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Impedance at the first step with current, Ω.
    pub impedance_start_ohm: Option<f64>,
    /// Impedance at the end of heating, Ω.
    pub impedance_end_ohm: Option<f64>,
    /// Highest power, W.
    pub peak_power_w: f64,
    /// Energy delivered to the tissue, J.
    pub energy_j: f64,
    /// Seconds until the thermocouple is within 0.5 K of the set temperature; null without one or when it is never reached.
    pub time_to_set_temperature_s: Option<f64>,
    /// Highest reading of the thermocouple, °C.
    pub peak_thermocouple_c: f64,
    /// Hottest tissue over the run, °C.
    pub peak_tissue_c: f64,
    /// Ω ≥ 1 at the end of the run.
    pub lesion: Option<Contour>,
    /// Isotherms at the end of heating.
    pub heated: Contours,
    /// Injury of the nerves.
    pub nerves: Vec<NerveSummary>,
    /// Nearest distance from the lesion to the skin of the built-in patient, mm; null without lesion or skin.
    pub lesion_to_skin_mm: Option<f64>,
    /// Tissues that are to be spared (skin, canal, roots, disc) of which some is destroyed.
    #[serde(default)]
    pub harm: Vec<TissueInjury>,
    /// Injury of skin; null where the region holds none.
    #[serde(default)]
    pub skin: Option<TissueInjury>,
    /// Skin beside the shafts where they pass it.
    #[serde(default)]
    pub skin_entries: Vec<SkinEntry>,
    /// What leaks out of defects of the insulation.
    #[serde(default)]
    pub leaks: Vec<Leak>,
    /// Field and spikes of pulsed current.
    #[serde(default)]
    pub pulse: Option<PulseFigures>,
    /// Heating under the return pad, where it was asked for.
    #[serde(default)]
    pub pad: Option<PadHeating>,
    /// Stated discretisation error.
    pub error: Option<ErrorEstimate>,
}

/// Injury of one nerve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NerveSummary {
    /// True for the nerve that is to be destroyed.
    pub target: bool,
    /// The injury.
    #[serde(flatten)]
    pub injury: NerveInjury,
}

/// The snapshot at a time.
fn at(result: &LesionResult, t_s: f64) -> Option<&Snapshot> {
    result.snapshots.iter().find(|s| (s.t_s - t_s).abs() < 1e-6)
}

impl Summary {
    /// The key figures of a run.
    pub fn new(loaded: &Loaded, result: &LesionResult) -> Self {
        let problem = &loaded.problem;
        let c = &result.curves;
        let heated = at(result, problem.heating_s);
        let largest = |v: &[f64]| v.iter().copied().fold(0.0, f64::max);
        let set = match problem.drive {
            Drive::Temperature { set_temperature_c, .. } => Some(set_temperature_c),
            _ => None,
        };
        let nerves = result
            .nerves
            .iter()
            .zip(&problem.nerves)
            .map(|(injury, nerve)| NerveSummary {
                target: nerve.target,
                injury: injury.clone(),
            })
            .collect();
        let lesion = result.snapshots.last().and_then(|s| s.contours.omega1);
        Self {
            impedance_start_ohm: (0..c.t_s.len())
                .find(|&i| c.current_a[i] > 0.0)
                .map(|i| c.impedance_ohm[i]),
            impedance_end_ohm: heated.map(|s| s.impedance_ohm),
            peak_power_w: largest(&c.power_w),
            energy_j: energy_j(&c.t_s, &c.power_w),
            time_to_set_temperature_s: set.and_then(|set| {
                (0..c.t_s.len())
                    .find(|&i| c.thermocouple_c[i] >= set - REACHED_WITHIN_K)
                    .map(|i| c.t_s[i])
            }),
            peak_thermocouple_c: largest(&c.thermocouple_c),
            peak_tissue_c: largest(&c.max_tissue_c),
            lesion,
            heated: heated.map(|s| s.contours.clone()).unwrap_or_default(),
            nerves,
            lesion_to_skin_mm: skin_distance_mm(loaded, result),
            harm: result.harm().cloned().collect(),
            skin: result.skin().cloned(),
            skin_entries: result.skin_entries.clone(),
            leaks: result.leaks.clone(),
            pulse: result.pulse,
            pad: result.pad,
            error: result.evidence.error,
        }
    }

    /// The table that a person reads.
    pub fn table(&self, loaded: &Loaded, evidence: &Evidence, wall_s: f64) -> String {
        let mut out = String::new();
        let e = self.error;
        let row = |out: &mut String, name: &str, value: String, error: Option<String>| {
            let pad = " ".repeat(38usize.saturating_sub(name.chars().count()));
            let error = error.map(|e| format!("  ± {e}")).unwrap_or_default();
            let _ = writeln!(out, "  {name}{pad} {value}{error}");
        };
        let percent = |r: f64| format!("{} %", two_figures(100.0 * r));
        if !loaded.scenario.title.is_empty() {
            let _ = writeln!(out, "{}", loaded.scenario.title);
        }
        let _ = writeln!(out, "\nGenerator");
        let ohm = |z: Option<f64>| z.map_or_else(|| "–".to_owned(), |z| format!("{z:.1} Ω"));
        row(&mut out, "impedance at the start", ohm(self.impedance_start_ohm), None);
        row(
            &mut out,
            "impedance at the end of heating",
            ohm(self.impedance_end_ohm),
            e.map(|e| percent(e.impedance_relative)),
        );
        row(
            &mut out,
            "peak power",
            format!("{:.2} W", self.peak_power_w),
            e.map(|e| percent(e.power_relative)),
        );
        row(&mut out, "energy", format!("{:.0} J", self.energy_j), None);
        if matches!(loaded.problem.drive, Drive::Temperature { .. }) {
            let time = self
                .time_to_set_temperature_s
                .map_or_else(|| "not reached".to_owned(), |t| format!("{t:.1} s"));
            row(&mut out, "time to set temperature", time, None);
        }
        row(
            &mut out,
            "highest thermocouple reading",
            format!("{:.1} °C", self.peak_thermocouple_c),
            e.map(|e| format!("{} K", two_figures(e.peak_temperature_k))),
        );
        row(
            &mut out,
            "hottest tissue",
            format!("{:.1} °C", self.peak_tissue_c),
            None,
        );

        let _ = writeln!(out, "\nLesion{:>42}{:>12}{:>14}", "width", "length", "volume");
        let size = |out: &mut String, name: &str, c: Option<Contour>| {
            let pad = " ".repeat(38usize.saturating_sub(name.chars().count()));
            let _ = match c {
                Some(c) => writeln!(
                    out,
                    "  {name}{pad}{:>5.2} mm{:>9.2} mm{:>10.1} mm³",
                    c.width_mm, c.length_mm, c.volume_mm3
                ),
                None => writeln!(out, "  {name}{pad}{:>8}{:>12}{:>14}", "–", "–", "–"),
            };
        };
        size(&mut out, "destroyed (Ω ≥ 1), end of the run", self.lesion);
        if let (Some(e), Some(_)) = (e, self.lesion) {
            let _ = writeln!(
                out,
                "{:40}{:>8}{:>12}{:>14}",
                "    stated error ±",
                percent(e.width_relative),
                percent(e.length_relative),
                percent(e.volume_relative)
            );
        }
        size(&mut out, "45 °C or more, end of heating", self.heated.iso45);
        size(&mut out, "50 °C or more, end of heating", self.heated.iso50);
        size(&mut out, "60 °C or more, end of heating", self.heated.iso60);

        if !self.nerves.is_empty() || self.lesion_to_skin_mm.is_some() {
            let _ = writeln!(out, "\nStructures");
        }
        for n in &self.nerves {
            let role = if n.target { "target" } else { "to be spared" };
            row(
                &mut out,
                &format!("{} ({role})", n.injury.name),
                format!("{:.1} mm destroyed", n.injury.destroyed_mm),
                None,
            );
            if !n.target || n.injury.destroyed_mm == 0.0 {
                let distance = n
                    .injury
                    .distance_to_lesion_mm
                    .map_or_else(|| "no lesion".to_owned(), |d| format!("{d:.1} mm from the lesion"));
                row(
                    &mut out,
                    "",
                    format!("{distance}, up to {:.1} °C", n.injury.peak_temperature_c),
                    None,
                );
            }
        }
        if let Some(d) = self.lesion_to_skin_mm {
            row(&mut out, "skin", format!("{d:.1} mm from the lesion"), None);
        }

        self.write_leaks(&mut out, row);
        self.write_pulse(&mut out, row);
        self.write_harm(&mut out, row);

        let _ = writeln!(out, "\nSolution");
        row(
            &mut out,
            "cells, time steps",
            format!(
                "{}, {} ({} repeated)",
                evidence.cells, evidence.steps, evidence.rejected_steps
            ),
            None,
        );
        row(
            &mut out,
            "energy balance, current balance",
            format!(
                "{:.1e}, {:.1e}",
                evidence.energy_balance_relative, evidence.current_balance_relative
            ),
            None,
        );
        row(&mut out, "wall time", format!("{wall_s:.1} s"), None);
        if e.is_none() {
            row(
                &mut out,
                "stated error",
                "not asked for (solver.estimate_error)".to_owned(),
                None,
            );
        }
        if !loaded.notices.is_empty() {
            let _ = writeln!(out, "\nUnverified values used (see `neurotome catalog`)");
            let mut subjects: Vec<&str> = loaded.notices.iter().map(|n| n.subject.as_str()).collect();
            subjects.dedup();
            for subject in subjects {
                let values: Vec<String> = loaded
                    .notices
                    .iter()
                    .filter(|n| n.subject == subject)
                    .map(|n| format!("{} = {}", n.key, n.value))
                    .collect();
                let _ = writeln!(out, "  {subject}");
                for line in wrapped(&values, 92) {
                    let _ = writeln!(out, "    {line}");
                }
            }
        }
        if !loaded.remarks.is_empty() {
            let _ = writeln!(out, "\nRemarks");
        }
        for remark in &loaded.remarks {
            let _ = writeln!(out, "  {remark}");
        }
        let _ = writeln!(out, "\n{}", crate::DISCLAIMER);
        out
    }
}

impl Summary {
    /// What leaks out of defects of the insulation.
    fn write_leaks(&self, out: &mut String, row: impl Fn(&mut String, &str, String, Option<String>)) {
        if !self.leaks.is_empty() {
            let _ = writeln!(out, "\nInsulation");
        }
        for l in &self.leaks {
            let name = format!("defect {}–{} mm, needle {}", l.from_mm, l.to_mm, l.needle);
            let value = format!(
                "{:.1} % of the current ({:.3} A), {:.2} W",
                100.0 * l.current_share,
                l.current_a.abs(),
                l.power_w
            );
            row(out, &name, value, None);
            row(out, "    hottest tissue there", format!("{:.1} °C", l.hottest_c), None);
        }
    }

    /// Field and temperature spikes of pulsed current.
    fn write_pulse(&self, out: &mut String, row: impl Fn(&mut String, &str, String, Option<String>)) {
        let Some(p) = &self.pulse else { return };
        let _ = writeln!(out, "\nPulses");
        let field = |v: f64| format!("{:.1} kV/m", 1e-3 * v);
        row(out, "field on the distal end", field(p.field_at_tip_v_per_m), None);
        row(out, "field 1 mm beyond it", field(p.field_1_mm_ahead_v_per_m), None);
        row(
            out,
            "largest field 1 mm from bare metal",
            field(p.field_at_1_mm_v_per_m),
            None,
        );
        if let Some(spike) = p.spike_k {
            row(out, "spike at the tip over its mean", format!("{spike:.2} K"), None);
        }
    }

    /// What was harmed, loudly, and the skin under the return pad.
    fn write_harm(&self, out: &mut String, row: impl Fn(&mut String, &str, String, Option<String>)) {
        let spared = self.nerves.iter().filter(|n| !n.target && n.injury.destroyed_mm > 0.0);
        let mut harm: Vec<(String, String)> = self
            .harm
            .iter()
            .map(|t| {
                let value = format!(
                    "{:.2} mm³ destroyed, up to {:.1} °C",
                    t.injured_mm3, t.peak_temperature_c
                );
                (format!("! {}", t.tissue), value)
            })
            .collect();
        harm.extend(spared.map(|n| {
            let i = &n.injury;
            let value = format!(
                "{:.1} mm destroyed, up to {:.1} °C",
                i.destroyed_mm, i.peak_temperature_c
            );
            (format!("! {}", i.name), value)
        }));
        let entries = self.skin_entries.iter().filter(|e| e.omega >= 1.0);
        harm.extend(entries.map(|e| {
            let name = format!("! skin at the entry of needle {}", e.needle);
            (name, format!("destroyed, up to {:.1} °C", e.skin_entry_c))
        }));
        let leaks = self.leaks.iter().filter(|l| l.omega >= 1.0);
        harm.extend(leaks.map(|l| {
            let name = format!("! tissue at the defect {}–{} mm", l.from_mm, l.to_mm);
            (name, format!("destroyed, up to {:.1} °C", l.hottest_c))
        }));
        let burn = self.pad.filter(|p| p.margin_k() < 0.0 || p.skin_omega >= 1.0);
        if let Some(p) = burn {
            let value = if p.skin_omega >= 1.0 {
                "destroyed"
            } else {
                "above 43 °C"
            };
            harm.push((
                "! skin under the return pad".to_owned(),
                format!("{value}, up to {:.1} °C", p.skin_peak_c),
            ));
        }
        let nothing_seen = self.skin.is_none() && self.pad.is_none() && self.skin_entries.is_empty();
        if harm.is_empty() && nothing_seen {
            return;
        }
        let _ = writeln!(out, "\nHarm");
        for (name, value) in harm {
            row(out, &name, value, None);
        }
        if let Some(skin) = self.skin.as_ref().filter(|s| s.injured_mm3 == 0.0) {
            row(
                out,
                "skin",
                format!("not reached, up to {:.1} °C", skin.peak_temperature_c),
                None,
            );
        }
        for e in &self.skin_entries {
            row(
                out,
                &format!("skin at the entry of needle {}", e.needle),
                format!("up to {:.1} °C, {:.1} mm from the tip", e.skin_entry_c, e.from_tip_mm),
                None,
            );
        }
        if let Some(p) = &self.pad {
            row(
                out,
                "skin under the return pad",
                format!(
                    "{:.2} °C, {:.1} K {} 43 °C",
                    p.skin_peak_c,
                    p.margin_k().abs(),
                    if p.margin_k() < 0.0 { "above" } else { "below" }
                ),
                None,
            );
            row(
                out,
                "    current density, mean",
                format!(
                    "{:.1} A/m² at {:.3} A on {:.0} cm²",
                    p.mean_density_a_per_m2, p.current_a, p.contact_cm2
                ),
                None,
            );
            let name = format!("    at the edge ({PAD_RIM_MM} mm) over the mean");
            row(out, &name, format!("{:.2}", p.edge_to_mean), None);
        }
    }
}

/// A positive figure with two significant digits, as errors are stated.
fn two_figures(v: f64) -> String {
    if !v.is_finite() {
        return "unknown".to_owned();
    }
    if v.abs() < 0.005 {
        return "<0.005".to_owned();
    }
    let decimals = (1.0 - v.abs().log10().floor()).clamp(0.0, 3.0) as usize;
    format!("{v:.decimals$}")
}

/// Words joined by commas into lines of at most `width` characters, where they fit.
fn wrapped(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.len() + word.len() + 2 <= width => {
                line.push_str(", ");
                line.push_str(word);
            }
            _ => lines.push(word.clone()),
        }
    }
    lines
}

/// Energy from the power at the end of each step: the steps are implicit, so the power of a step is that at its end.
fn energy_j(t_s: &[f64], power_w: &[f64]) -> f64 {
    let mut before = 0.0;
    let mut sum = 0.0;
    for (t, p) in t_s.iter().zip(power_w) {
        sum += p * (t - before);
        before = *t;
    }
    sum
}

/// Nearest distance from the surface Ω = 1 to the skin.
fn skin_distance_mm(loaded: &Loaded, result: &LesionResult) -> Option<f64> {
    let Setting::BuiltIn(spine) = &loaded.setting else {
        return None;
    };
    let nearest = result
        .lesion_surface
        .iter()
        .map(|p| spine.skin_depth_mm(p))
        .fold(f64::INFINITY, f64::min);
    nearest.is_finite().then_some(nearest)
}
