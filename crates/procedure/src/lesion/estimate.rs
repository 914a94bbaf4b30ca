//! The stated error: what a run on coarser cells, with longer time steps, gives otherwise.
//!
//! The difference of one figure between two grids is a poor estimate where it happens to pass zero: near the metal the coarser run is
//! too cold, farther out too warm, and a contour that lies between seems exact. So a contour's extents are compared at several places
//! and times, and the largest difference counts; `validation/STATED_ERROR.md` tells how often that covers the true error.

use super::{Contour, ErrorEstimate, run::Run};

/// Part of the heating time before which the injured region is too small to compare.
const GROWN: f64 = 0.5;

/// Compares two runs of a problem.
pub(super) fn estimate(fine: &Run, coarse: &Run) -> ErrorEstimate {
    let width = extent(fine, coarse, |c| c.width_mm);
    let length = extent(fine, coarse, |c| c.length_mm);
    let volume = match (&fine.heated.omega1, &coarse.heated.omega1) {
        // Volume goes with the square of the width; its own difference passes zero where width and length err in opposite directions.
        (Some(a), Some(b)) => relative(a.volume_mm3, b.volume_mm3).max(2.0 * width),
        (None, None) => 0.0,
        _ => 1.0,
    };
    let probes = fine
        .snapshots
        .iter()
        .zip(&coarse.snapshots)
        .flat_map(|(a, b)| a.probes.values().zip(b.probes.values()).map(|(x, y)| (x - y).abs()));
    let peak = |curve: &[f64]| curve.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
    let of = |curve: fn(&super::Curves) -> &Vec<f64>| {
        relative(
            of_heated(curve(&fine.curves), fine),
            of_heated(curve(&coarse.curves), coarse),
        )
    };
    ErrorEstimate {
        width_relative: width,
        length_relative: length,
        volume_relative: volume,
        peak_temperature_k: probes.fold(
            (peak(&fine.curves.thermocouple_c) - peak(&coarse.curves.thermocouple_c)).abs(),
            f64::max,
        ),
        impedance_relative: of(|c| &c.impedance_ohm),
        power_relative: of(|c| &c.power_w),
    }
}

/// The largest difference of an extent, as a part of that of Ω = 1 at the end of heating. Compared are Ω = 1 at the end of heating
/// and at all reports from the middle of heating on, and the isotherms that most often enclose it and lie in it, 50 and 60 °C.
fn extent(fine: &Run, coarse: &Run, of: fn(&Contour) -> f64) -> f64 {
    let whole = match (&fine.heated.omega1, &coarse.heated.omega1) {
        (Some(a), Some(_)) => of(a),
        (None, None) => return 0.0,
        _ => return 1.0,
    };
    let later = fine
        .snapshots
        .iter()
        .zip(&coarse.snapshots)
        .filter(|(a, _)| a.t_s >= GROWN * fine.heating_s)
        .map(|(a, b)| (a.contours.omega1, b.contours.omega1));
    let heated = (&fine.heated, &coarse.heated);
    later
        .chain([
            (heated.0.omega1, heated.1.omega1),
            (heated.0.iso50, heated.1.iso50),
            (heated.0.iso60, heated.1.iso60),
        ])
        .filter_map(|(a, b)| Some((of(&a?) - of(&b?)).abs()))
        .fold(0.0, f64::max)
        / whole
}

fn of_heated(curve: &[f64], run: &Run) -> f64 {
    curve[run.heated_at]
}

fn relative(fine: f64, coarse: f64) -> f64 {
    if fine.abs() > 0.0 {
        ((fine - coarse) / fine).abs()
    } else {
        0.0
    }
}
