//! The summary of a run in figures, each with its stated error.

use neurotome_procedure::lesion::{Curves, ErrorEstimate, LesionProblem, LesionResult};

use super::SummaryRow;

/// Number of the last time step with the current on.
pub(crate) fn end_of_heating(problem: &LesionProblem, curves: &Curves) -> Option<usize> {
    curves.t_s.iter().rposition(|t| *t <= problem.heating_s + 1e-9)
}

/// `value` with about three significant digits.
pub(crate) fn figure(value: f64) -> String {
    if !value.is_finite() {
        return "not known".to_owned();
    }
    let decimals = match value.abs() {
        v if v >= 100.0 || v == 0.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        v if v >= 0.1 => 3,
        v => (2.0 - v.log10().floor()).min(9.0) as usize,
    };
    format!("{value:.decimals$}").replace('-', "\u{2212}")
}

/// An error with two significant digits.
fn error_figure(value: f64, unit: &str) -> String {
    let value = value.abs();
    let decimals = if value >= 10.0 || value == 0.0 {
        0
    } else {
        (1.0 - value.log10().floor()).clamp(0.0, 6.0) as usize
    };
    format!("± {value:.decimals$} {unit}")
}

/// Name, value and unit of a figure, and the relative error that belongs to it.
type Measured = (&'static str, f64, &'static str, fn(&ErrorEstimate) -> f64);

/// The rows of a report's summary: size of the lesion, temperatures, electric readings and what became of each nerve.
pub fn summarise(problem: &LesionProblem, result: &LesionResult) -> Vec<SummaryRow> {
    let mut rows = Vec::new();
    let error = result.evidence.error;
    let relative = |value: f64, unit: &str, pick: fn(&ErrorEstimate) -> f64| {
        error.map_or(String::new(), |e| error_figure(value * pick(&e), unit))
    };
    let absolute =
        |unit: &str, pick: fn(&ErrorEstimate) -> f64| error.map_or(String::new(), |e| error_figure(pick(&e), unit));
    match result.snapshots.last().and_then(|s| s.contours.omega1) {
        Some(c) => {
            let lengths: [Measured; 3] = [
                ("Width of destroyed tissue, across the needle", c.width_mm, "mm", |e| {
                    e.width_relative
                }),
                ("Length of destroyed tissue, along the needle", c.length_mm, "mm", |e| {
                    e.length_relative
                }),
                ("Volume of destroyed tissue", c.volume_mm3, "mm³", |e| {
                    e.volume_relative
                }),
            ];
            for (name, value, unit, pick) in lengths {
                rows.push(SummaryRow::new(name, figure(value), unit, relative(value, unit, pick)));
            }
        }
        None => rows.push(SummaryRow::new(
            "Destroyed tissue",
            "none: Ω stayed below 1 everywhere",
            "",
            "",
        )),
    }
    for nerve in &result.nerves {
        let target = problem.nerves.iter().any(|n| n.name == nerve.name && n.target);
        let role = if target { "to be destroyed" } else { "to be spared" };
        rows.push(SummaryRow::new(
            format!("{} ({role}): length destroyed", nerve.name),
            figure(nerve.destroyed_mm),
            "mm",
            "",
        ));
    }
    let c = &result.curves;
    let hottest = c.max_tissue_c.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if hottest.is_finite() {
        rows.push(SummaryRow::new(
            "Hottest tissue during the run",
            format!("{hottest:.1}"),
            "°C",
            absolute("K", |e| e.peak_temperature_k),
        ));
    }
    if let Some(i) = end_of_heating(problem, c) {
        let at = |v: &[f64]| v.get(i).copied().unwrap_or(f64::NAN);
        let thermocouple = at(&c.thermocouple_c);
        rows.push(SummaryRow::new(
            "Thermocouple at the end of heating",
            format!("{thermocouple:.1}"),
            "°C",
            absolute("K", |e| e.peak_temperature_k),
        ));
        let electric: [Measured; 2] = [
            ("Impedance at the end of heating", at(&c.impedance_ohm), "Ω", |e| {
                e.impedance_relative
            }),
            ("Power at the end of heating", at(&c.power_w), "W", |e| e.power_relative),
        ];
        for (name, value, unit, pick) in electric {
            rows.push(SummaryRow::new(name, figure(value), unit, relative(value, unit, pick)));
        }
    }
    for t in result.harm() {
        rows.push(SummaryRow::new(
            format!(
                "HARM: {} destroyed (up to {:.1} °C)",
                t.tissue.replace('_', " "),
                t.peak_temperature_c
            ),
            figure(t.injured_mm3),
            "mm³",
            "",
        ));
    }
    for nerve in &result.nerves {
        let spared = problem.nerves.iter().any(|n| n.name == nerve.name && !n.target);
        if spared && nerve.destroyed_mm > 0.0 {
            rows.push(SummaryRow::new(
                format!(
                    "HARM: {} destroyed (up to {:.1} °C)",
                    nerve.name, nerve.peak_temperature_c
                ),
                figure(nerve.destroyed_mm),
                "mm",
                "",
            ));
        }
    }
    if let Some(skin) = result.skin().filter(|s| s.injured_mm3 == 0.0) {
        rows.push(SummaryRow::new(
            "Skin: not reached; its hottest place",
            format!("{:.1}", skin.peak_temperature_c),
            "°C",
            "",
        ));
    }
    rows.extend(skin_entries(result));
    rows.extend(leaks(result));
    rows.extend(pulses(result));
    if let Some(pad) = &result.pad {
        let name = if pad.skin_omega >= 1.0 {
            "HARM: skin under the return pad destroyed; its hottest place"
        } else if pad.margin_k() < 0.0 {
            "HARM: skin under the return pad above 43 °C; its hottest place"
        } else {
            "Skin under the return pad; its hottest place"
        };
        rows.push(SummaryRow::new(name, format!("{:.2}", pad.skin_peak_c), "°C", ""));
        rows.push(SummaryRow::new(
            "Current density at the pad's edge over its mean",
            figure(pad.edge_to_mean),
            "",
            "",
        ));
    }
    rows
}

/// Skin where shafts pass it.
fn skin_entries(result: &LesionResult) -> Vec<SummaryRow> {
    result
        .skin_entries
        .iter()
        .map(|e| {
            let name = if e.omega >= 1.0 {
                format!(
                    "HARM: skin at the entry of needle {} destroyed; its hottest place",
                    e.needle
                )
            } else {
                format!("Skin at the entry of needle {}; its hottest place", e.needle)
            };
            SummaryRow::new(name, format!("{:.1}", e.skin_entry_c), "°C", "")
        })
        .collect()
}

/// Defects of the insulation.
fn leaks(result: &LesionResult) -> Vec<SummaryRow> {
    let mut rows = Vec::new();
    for leak in &result.leaks {
        let place = format!(
            "{}–{} mm from the tip of needle {}",
            leak.from_mm, leak.to_mm, leak.needle
        );
        rows.push(SummaryRow::new(
            format!("Current through the insulation's defect {place}"),
            figure(100.0 * leak.current_share),
            "% of all",
            "",
        ));
        let harm = if leak.omega >= 1.0 {
            "HARM: tissue destroyed at"
        } else {
            "Hottest tissue at"
        };
        let name = format!("{harm} the defect {place}");
        rows.push(SummaryRow::new(name, format!("{:.1}", leak.hottest_c), "°C", ""));
    }
    rows
}

/// Field and spikes of pulsed current.
fn pulses(result: &LesionResult) -> Vec<SummaryRow> {
    let mut rows = Vec::new();
    if let Some(pulse) = &result.pulse {
        for (name, value) in [
            ("Field within a pulse, on the distal end", pulse.field_at_tip_v_per_m),
            (
                "Field within a pulse, 1 mm beyond the distal end",
                pulse.field_1_mm_ahead_v_per_m,
            ),
            (
                "Largest field within a pulse 1 mm from the bare metal",
                pulse.field_at_1_mm_v_per_m,
            ),
        ] {
            rows.push(SummaryRow::new(name, figure(value), "V/m", ""));
        }
        if let Some(spike) = pulse.spike_k {
            let name = "Temperature spike of a pulse at the tip, above its cycle's mean";
            rows.push(SummaryRow::new(name, figure(spike), "K", ""));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_keep_three_digits() {
        assert_eq!(figure(1234.4), "1234");
        assert_eq!(figure(8.4567), "8.46");
        assert_eq!(figure(-0.5), "\u{2212}0.500");
        assert_eq!(figure(0.00123), "0.00123");
        assert_eq!(figure(0.0), "0");
        assert_eq!(error_figure(0.0712, "mm"), "± 0.071 mm");
        assert_eq!(error_figure(12.3, "Ω"), "± 12 Ω");
    }
}
