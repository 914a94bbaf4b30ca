//! Lesions of one needle in meat.

use super::{Case, bench::Bench, bench::Treatment, lattice::Size};

/// Time by which a size is followed in most studies, s.
const LONG_S: f64 = 180.0;
/// Longest treatment of Goldberg 1995, s.
const LONGEST_S: f64 = 720.0;

type Outcome = Result<f64, String>;

fn meat(case: &Case, diameter_mm: f64, tip_mm: f64, set_c: f64) -> Treatment {
    Treatment {
        diameter_mm,
        tip_mm,
        set_c,
        start_c: case.study.start_temperature_c,
        perfused: false,
        spacing_mm: None,
        bend: None,
    }
}

fn size(bench: &mut Bench, case: &Case, gauge: u32, tip_mm: f64, set_c: f64, t_s: f64) -> Result<Size, String> {
    let treatment = meat(case, bench.diameter_mm(gauge)?, tip_mm, set_c);
    bench.size(&treatment, LONG_S, t_s, case.edge)
}

fn width(bench: &mut Bench, case: &Case, gauge: u32, set_c: f64, t_s: f64) -> Outcome {
    size(bench, case, gauge, 10.0, set_c, t_s).map(|s| s.width_mm)
}

/// The value of the gauge that is farthest from the middle of the band.
fn farthest_gauge(bench: &mut Bench, case: &Case, value: impl Fn(&mut Bench, u32) -> Outcome) -> Outcome {
    let values: Result<Vec<f64>, String> = bench.gauges().iter().map(|&g| value(bench, g)).collect();
    Ok(case.claim.farthest(&values?))
}

/// Gauges and tips over which lengths are looked at.
fn gauges_and_tips(bench: &Bench) -> Vec<(u32, f64)> {
    bench
        .gauges()
        .iter()
        .flat_map(|&g| {
            let tips: &[f64] = if g == 22 || g == 16 {
                &[5.0, 10.0, 15.0]
            } else {
                &[10.0]
            };
            tips.iter().map(move |&tip| (g, tip))
        })
        .collect()
}

pub(super) fn gauge_ratio(bench: &mut Bench, case: &Case) -> Outcome {
    Ok(width(bench, case, 16, 80.0, 120.0)? / width(bench, case, 22, 80.0, 120.0)?)
}

pub(super) fn gauge_gain(bench: &mut Bench, case: &Case) -> Outcome {
    Ok(width(bench, case, 16, 80.0, 120.0)? - width(bench, case, 22, 80.0, 120.0)?)
}

pub(super) fn temperature_ratio(bench: &mut Bench, case: &Case) -> Outcome {
    farthest_gauge(bench, case, |b, g| {
        Ok(width(b, case, g, 90.0, 120.0)? / width(b, case, g, 60.0, 120.0)?)
    })
}

pub(super) fn two_minutes(bench: &mut Bench, case: &Case) -> Outcome {
    farthest_gauge(bench, case, |b, g| {
        Ok(width(b, case, g, 80.0, 120.0)? / width(b, case, g, 80.0, 60.0)?)
    })
}

pub(super) fn three_minutes(bench: &mut Bench, case: &Case) -> Outcome {
    farthest_gauge(bench, case, |b, g| {
        Ok(width(b, case, g, 80.0, 180.0)? / width(b, case, g, 80.0, 60.0)?)
    })
}

pub(super) fn first_minute(bench: &mut Bench, case: &Case) -> Outcome {
    farthest_gauge(bench, case, |b, g| {
        let (one, two) = (width(b, case, g, 80.0, 60.0)?, width(b, case, g, 80.0, 120.0)?);
        Ok((two - one) / one)
    })
}

pub(super) fn overshoot(bench: &mut Bench, case: &Case) -> Outcome {
    let values: Result<Vec<f64>, String> = gauges_and_tips(bench)
        .into_iter()
        .map(|(g, tip)| Ok(size(bench, case, g, tip, 80.0, 120.0)?.length_mm - tip))
        .collect();
    Ok(case.claim.farthest(&values?))
}

pub(super) fn both_ends(bench: &mut Bench, case: &Case) -> Outcome {
    let values: Result<Vec<f64>, String> = gauges_and_tips(bench)
        .into_iter()
        .map(|(g, tip)| {
            let s = size(bench, case, g, tip, 80.0, 120.0)?;
            Ok(s.distal_mm.min(s.proximal_mm - tip))
        })
        .collect();
    Ok(case.claim.farthest(&values?))
}

pub(super) fn each_factor(bench: &mut Bench, case: &Case) -> Outcome {
    let mut series: Vec<Vec<Size>> = Vec::new();
    let gauges = bench.gauges();
    let thin_to_thick: Result<Vec<Size>, String> = gauges
        .iter()
        .map(|&g| size(bench, case, g, 10.0, 80.0, 120.0))
        .collect();
    series.push(thin_to_thick?);
    for g in [22, 16] {
        let tips: Result<Vec<Size>, String> = [5.0, 10.0, 15.0]
            .into_iter()
            .map(|tip| size(bench, case, g, tip, 80.0, 120.0))
            .collect();
        series.push(tips?);
    }
    for &g in gauges {
        let temperatures: Result<Vec<Size>, String> = [60.0, 80.0, 90.0]
            .into_iter()
            .map(|c| size(bench, case, g, 10.0, c, 120.0))
            .collect();
        series.push(temperatures?);
        let times: Result<Vec<Size>, String> = [60.0, 90.0, 120.0, 180.0]
            .into_iter()
            .map(|t| size(bench, case, g, 10.0, 80.0, t))
            .collect();
        series.push(times?);
    }
    let against = series
        .iter()
        .flat_map(|s| s.windows(2))
        .filter(|w| w[1].width_mm <= w[0].width_mm || w[1].length_mm <= w[0].length_mm)
        .count();
    Ok(against as f64)
}

pub(super) fn width_22g(bench: &mut Bench, case: &Case) -> Outcome {
    width(bench, case, 22, 80.0, 120.0)
}

pub(super) fn width_16g(bench: &mut Bench, case: &Case) -> Outcome {
    width(bench, case, 16, 80.0, 120.0)
}

pub(super) fn width_16g_hot(bench: &mut Bench, case: &Case) -> Outcome {
    width(bench, case, 16, 90.0, 180.0)
}

pub(super) fn largest_diameter(bench: &mut Bench, case: &Case) -> Outcome {
    let treatment = meat(case, case.study.number("twelve_gauge_mm")?, 30.0, 90.0);
    Ok(bench.size(&treatment, LONGEST_S, LONGEST_S, case.edge)?.width_mm)
}

pub(super) fn length_follows_tip(bench: &mut Bench, case: &Case) -> Outcome {
    let diameter = bench.diameter_mm(18)?;
    let points: Result<Vec<(f64, f64)>, String> = [10.0, 20.0, 40.0, 80.0]
        .into_iter()
        .map(|tip| {
            let size = bench.size(&meat(case, diameter, tip, 80.0), 360.0, 360.0, case.edge)?;
            Ok((tip, size.length_mm))
        })
        .collect();
    Ok(r_squared(&points?))
}

pub(super) fn saturation(bench: &mut Bench, case: &Case) -> Outcome {
    let treatment = meat(case, bench.diameter_mm(18)?, 30.0, 80.0);
    let late = bench.size(&treatment, LONGEST_S, LONGEST_S, case.edge)?.width_mm;
    Ok(late - bench.size(&treatment, LONGEST_S, 360.0, case.edge)?.width_mm)
}

pub(super) fn little_hotter(bench: &mut Bench, case: &Case) -> Outcome {
    let diameter = bench.diameter_mm(18)?;
    let cool = bench.size(&meat(case, diameter, 30.0, 80.0), LONGEST_S, 360.0, case.edge)?;
    let hot = bench.size(&meat(case, diameter, 30.0, 90.0), 360.0, 360.0, case.edge)?;
    Ok(hot.width_mm - cool.width_mm)
}

pub(super) fn volume(bench: &mut Bench, case: &Case) -> Outcome {
    Ok(size(bench, case, 20, 10.0, 80.0, 90.0)?.ellipsoid_cm3())
}

pub(super) fn keeps_growing(bench: &mut Bench, case: &Case) -> Outcome {
    let areas: Result<Vec<f64>, String> = (3..=18)
        .map(|k| Ok(size(bench, case, 18, 10.0, 80.0, 10.0 * f64::from(k))?.ellipse_mm2()))
        .collect();
    Ok(areas?.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min))
}

pub(super) fn power(bench: &mut Bench, case: &Case) -> Outcome {
    let treatment = meat(case, bench.diameter_mm(18)?, 10.0, 80.0);
    Ok(bench.heat(&treatment, LONG_S)?.mean_power_w(90.0))
}

fn reach(bench: &mut Bench, case: &Case, gauge: u32) -> Outcome {
    let width = size(bench, case, gauge, 5.0, 80.0, 90.0)?.width_mm;
    Ok(0.5 * (width - bench.diameter_mm(gauge)?))
}

pub(super) fn reach_22g(bench: &mut Bench, case: &Case) -> Outcome {
    reach(bench, case, 22)
}

pub(super) fn reach_16g(bench: &mut Bench, case: &Case) -> Outcome {
    reach(bench, case, 16)
}

pub(super) fn length_over_tip(bench: &mut Bench, case: &Case) -> Outcome {
    Ok(size(bench, case, 20, 10.0, 80.0, 60.0)?.length_mm / 10.0)
}

pub(super) fn growth_after_a_minute(bench: &mut Bench, case: &Case) -> Outcome {
    Ok(width(bench, case, 20, 80.0, 180.0)? / width(bench, case, 20, 80.0, 60.0)?)
}

/// Reaches on the inner and the outer side of the bend and past the tip, mm.
fn tew(bench: &mut Bench, case: &Case) -> Result<[f64; 3], String> {
    let mut treatment = meat(case, bench.diameter_mm(22)?, 5.0, 90.0);
    treatment.bend = Some(bench.bend("22G-5mm-curved")?);
    let criterion = case.edge.criterion(bench.catalog())?;
    bench.heat(&treatment, 120.0)?.reaches(&criterion, 120.0)
}

pub(super) fn internal_over_external(bench: &mut Bench, case: &Case) -> Outcome {
    tew(bench, case).map(|[inner, outer, _]| inner / outer)
}

pub(super) fn internal_over_distal(bench: &mut Bench, case: &Case) -> Outcome {
    tew(bench, case).map(|[inner, _, past]| inner / past)
}

pub(super) fn internal(bench: &mut Bench, case: &Case) -> Outcome {
    tew(bench, case).map(|r| r[0])
}

pub(super) fn distal(bench: &mut Bench, case: &Case) -> Outcome {
    tew(bench, case).map(|r| r[2])
}

/// Square of the correlation of points.
fn r_squared(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let sum = |f: &dyn Fn(f64, f64) -> f64| points.iter().map(|p| f(p.0 - x, p.1 - y)).sum::<f64>();
    sum(&|a, b| a * b).powi(2) / (sum(&|a, _| a * a) * sum(&|_, b| b * b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation() {
        assert!((r_squared(&[(1.0, 5.0), (2.0, 7.0), (4.0, 11.0)]) - 1.0).abs() < 1e-12);
        // Worked out by hand: deviations (-1, 0, 1) and (0, -1, 1), product 1, squares 2 and 2.
        assert!((r_squared(&[(0.0, 1.0), (1.0, 0.0), (2.0, 2.0)]) - 0.25).abs() < 1e-12);
    }
}
