//! The stated error: what a run on coarser cells, with longer time steps, gives otherwise.
//!
//! The difference of one figure between two grids is a poor estimate where it happens to pass zero: near the metal the coarser run is
//! too cold, farther out too warm, and a contour that lies between seems exact. So a contour's extents are compared at several places
//! and times, and the largest difference counts; `validation/STATED_ERROR.md` tells how often that covers the true error.

use super::{Contour, ErrorEstimate, run::LesionRun};

/// Part of the heating time before which the injured region is too small to compare.
pub(super) const GROWN: f64 = 0.5;

/// Compares two runs of a problem.
pub(super) fn estimate(fine: &LesionRun, coarse: &LesionRun) -> ErrorEstimate {
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
fn extent(fine: &LesionRun, coarse: &LesionRun, of: fn(&Contour) -> f64) -> f64 {
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
    let (a, b) = (&fine.heated, &coarse.heated);
    largest(
        later.chain([(a.omega1, b.omega1), (a.iso50, b.iso50), (a.iso60, b.iso60)]),
        of,
    ) / whole
}

/// The largest difference of an extent among contours that both runs have.
fn largest(pairs: impl Iterator<Item = (Option<Contour>, Option<Contour>)>, of: fn(&Contour) -> f64) -> f64 {
    pairs
        .filter_map(|(a, b)| Some((of(&a?) - of(&b?)).abs()))
        .fold(0.0, f64::max)
}

fn of_heated(curve: &[f64], run: &LesionRun) -> f64 {
    curve[run.heated_at]
}

fn relative(fine: f64, coarse: f64) -> f64 {
    if fine.abs() > 0.0 {
        ((fine - coarse) / fine).abs()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_that_passes_zero_does_not_hide_the_others() {
        let of_width = |width_mm: f64| {
            Some(Contour {
                width_mm,
                width_x_mm: width_mm,
                length_mm: 10.0,
                volume_mm3: 100.0,
            })
        };
        let pairs = [
            (of_width(8.0), of_width(8.0)),
            (of_width(9.0), of_width(8.7)),
            (None, of_width(2.0)),
        ];
        assert!((largest(pairs.into_iter(), |c| c.width_mm) - 0.3).abs() < 1e-12);
        assert!(largest(pairs.into_iter(), |c| c.length_mm).abs() < 1e-12);
    }

    #[test]
    fn differences_are_relative_to_the_finer_run() {
        assert!((relative(2.0, 1.5) - 0.25).abs() < 1e-12);
        assert!(relative(0.0, 1.5).abs() < 1e-12);
    }
}
