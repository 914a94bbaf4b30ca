//! What sets pulsed current apart: the field at the tip, and the temperature spikes.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::grid::Grid;
use serde::{Deserialize, Serialize};

use super::{
    Curves, Drive, LesionProblem,
    result::FieldSampler,
    setup::{end_length_mm, needle_axis},
};

const MM: f64 = 1e-3;
/// Distance from the distal end at which the field is taken to be that on the metal, mm: the first cells are thinner.
const AT_THE_TIP_MM: f64 = 0.02;

/// Figures of pulsed current, those of the field within a pulse at the end of heating.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PulseFigures {
    /// Field on the distal end of the first needle, V/m rms.
    pub field_at_tip_v_per_m: f64,
    /// Field 1 mm beyond it along the axis, V/m rms.
    pub field_1_mm_ahead_v_per_m: f64,
    /// Largest field 1 mm from the bare metal of the first needle, V/m rms.
    pub field_at_1_mm_v_per_m: f64,
    /// Largest rise within a cycle of the tissue at the distal end above its mean over that cycle, K; null unless pulses are resolved.
    pub spike_k: Option<f64>,
}

/// The figures of a pulsed run, none of other runs.
pub(super) fn pulse_figures(
    problem: &LesionProblem,
    grid: &Grid,
    fields: &dyn FieldSampler,
    curves: &Curves,
) -> Option<PulseFigures> {
    let Drive::Pulsed { rate_hz, resolved, .. } = problem.drive else {
        return None;
    };
    let needle = &problem.needles[0];
    let (start, tangent, _, _) = needle_axis(needle).at(0.0);
    let end = end_length_mm(needle.outer_diameter_mm, needle.bevel.as_ref());
    let ahead = |mm: f64| {
        let p = PatientPoint::from_vec(start / MM + tangent * (end + mm));
        fields.sample(&p).map_or(0.0, |f| f.field_v_per_m)
    };
    let field_at_1_mm_v_per_m = round_the_bare_metal(grid, MM)
        .iter()
        .filter_map(|p| fields.sample(&PatientPoint::from_vec(p / MM)))
        .fold(0.0, |m: f64, f| m.max(f.field_v_per_m));
    Some(PulseFigures {
        field_at_tip_v_per_m: ahead(AT_THE_TIP_MM),
        field_1_mm_ahead_v_per_m: ahead(1.0),
        field_at_1_mm_v_per_m,
        spike_k: resolved
            .then(|| spike(&curves.t_s, &curves.tip_tissue_c, rate_hz, problem.heating_s))
            .flatten(),
    })
}

/// Points at a distance in m from the bare metal of the first needle's shaft, one beside each of its cells, m.
fn round_the_bare_metal(grid: &Grid, distance: f64) -> Vec<Vec3> {
    let shells = &grid.shells[0];
    (0..shells.meridian())
        .filter(|&t| shells.electrode[t].is_some())
        .flat_map(|t| (0..shells.around_at(t)).map(move |q| (t, q)))
        .map(|(t, q)| shells.place(shells.radius[0] + distance, t, shells.angle(q)))
        .collect()
}

/// Largest rise above the mean of its cycle, over the whole cycles until `until_s`.
fn spike(t_s: &[f64], value: &[f64], rate_hz: f64, until_s: f64) -> Option<f64> {
    let cycle = |t: f64| (t * rate_hz + 1e-6).floor();
    let mut worst: Option<f64> = None;
    let mut from = 0;
    for i in 1..t_s.len().min(value.len()) {
        if t_s[i] > until_s + 1e-6 {
            break;
        }
        if cycle(t_s[i]) > cycle(t_s[from]) {
            let seconds = t_s[i] - t_s[from];
            let area: f64 = (from..i)
                .map(|k| 0.5 * (value[k] + value[k + 1]) * (t_s[k + 1] - t_s[k]))
                .sum();
            let peak = value[from..=i].iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
            let rise = peak - area / seconds;
            worst = Some(worst.map_or(rise, |w| w.max(rise)));
            from = i;
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_stands_above_the_mean_of_its_cycle() {
        // A triangle of 2 K over 0.1 s in a cycle of 0.5 s on 37 °C: mean 37.2, so the peak stands 1.8 K above it.
        let t_s = [0.0, 0.05, 0.1, 0.5, 0.55, 0.6, 1.0];
        let value = [37.0, 39.0, 37.0, 37.0, 39.0, 37.0, 37.0];
        let found = spike(&t_s, &value, 2.0, 1.0).unwrap();
        assert!((found - 1.8).abs() < 1e-12, "{found}");
        // A cycle that is not whole says nothing.
        assert_eq!(spike(&t_s[..3], &value[..3], 2.0, 1.0), None);
    }
}
