//! The generator's curves as small multiples.

use neurotome_procedure::lesion::Drive;

use super::{
    Scene,
    canvas::{Anchor, Canvas, Font},
    style::{ACTIVE_TIP, GRID, INK, ISO_60, MUTED, Rgb},
};
use crate::results::{ResultsError, end_of_heating};

/// One curve.
struct Series<'a> {
    name: &'a str,
    color: Rgb,
    values: &'a [f64],
    dash: &'a str,
    width: f64,
}

/// The place of one chart.
struct Chart {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

const SLATE: Rgb = [62, 76, 96];

/// Steps of 1, 2 or 5 that divide a range into four to eight parts.
fn nice_step(range: f64, parts: f64) -> f64 {
    let raw = (range / parts).max(1e-12);
    let power = 10f64.powf(raw.log10().floor());
    let factor = raw / power;
    power
        * if factor <= 1.0 {
            1.0
        } else if factor <= 2.0 {
            2.0
        } else if factor <= 5.0 {
            5.0
        } else {
            10.0
        }
}

/// A number of an axis with as many decimals as its step needs.
fn label(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    format!("{value:.decimals$}").replace('-', "\u{2212}")
}

/// Lowest and highest finite value.
fn range(series: &[Series<'_>]) -> (f64, f64) {
    let values = series.iter().flat_map(|s| s.values).filter(|v| v.is_finite());
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)))
}

/// At most two points a pixel column: the lowest and the highest, in order of time.
fn thinned(t: &[f64], v: &[f64], columns: usize, end: f64) -> Vec<(f64, f64)> {
    let n = t.len().min(v.len());
    if n <= 2 * columns {
        return (0..n).map(|i| (t[i], v[i])).collect();
    }
    let column = |i: usize| ((t[i] / end) * columns as f64) as usize;
    let mut out = Vec::new();
    let mut i = 0;
    while i < n {
        let (mut low, mut high, c) = (i, i, column(i));
        while i < n && column(i) == c {
            low = if v[i] < v[low] { i } else { low };
            high = if v[i] > v[high] { i } else { high };
            i += 1;
        }
        out.push((t[low.min(high)], v[low.min(high)]));
        if low != high {
            out.push((t[low.max(high)], v[low.max(high)]));
        }
    }
    out
}

fn draw(
    canvas: &mut Canvas,
    scene: &Scene<'_>,
    chart: &Chart,
    title: &str,
    unit: &str,
    series: &[Series<'_>],
    from_zero: bool,
) {
    let t = &scene.run.result.curves.t_s;
    let end = t.last().copied().filter(|e| *e > 0.0).unwrap_or(1.0);
    let (mut low, mut high) = range(series);
    if !(low.is_finite() && high.is_finite()) {
        (low, high) = (0.0, 1.0);
    }
    if from_zero {
        low = low.min(0.0);
    }
    if high - low < 1e-9 * high.abs().max(1.0) {
        high = low + high.abs().max(1.0) * 0.1;
    }
    let step = nice_step(high - low, 5.0);
    low = (low / step).floor() * step;
    high = (high / step + 0.02).ceil() * step;
    let px = |s: f64| chart.x + s / end * chart.width;
    let py = |v: f64| chart.y + (high - v) / (high - low) * chart.height;
    let small = Font::plain(12.5).color(MUTED);

    // Heating is shaded, so that it need not be guessed when the current stopped.
    let heated = scene.run.problem.heating_s.clamp(0.0, end);
    canvas.rect(
        chart.x,
        chart.y,
        px(heated) - chart.x,
        chart.height,
        [252, 241, 228],
        1.0,
        0.0,
    );
    for k in 0..=((high - low) / step).round() as usize {
        let v = low + k as f64 * step;
        canvas.line([chart.x, py(v)], [chart.x + chart.width, py(v)], GRID, 1.0);
        canvas.text(chart.x - 8.0, py(v) + 4.5, Anchor::End, small, &label(v, step));
    }
    let t_step = nice_step(end, chart.width / 90.0);
    for k in 0..=(end / t_step + 1e-9).floor() as usize {
        let s = k as f64 * t_step;
        canvas.line(
            [px(s), chart.y + chart.height],
            [px(s), chart.y + chart.height + 5.0],
            MUTED,
            1.0,
        );
        canvas.text(
            px(s),
            chart.y + chart.height + 19.0,
            Anchor::Middle,
            small,
            &label(s, t_step),
        );
    }
    canvas.text(
        chart.x + chart.width,
        chart.y + chart.height + 36.0,
        Anchor::End,
        small,
        "time in s",
    );
    canvas.line(
        [chart.x, chart.y + chart.height],
        [chart.x + chart.width, chart.y + chart.height],
        MUTED,
        1.2,
    );
    canvas.text(
        chart.x,
        chart.y - 12.0,
        Anchor::Start,
        Font::plain(16.0).bold(),
        &format!("{title} in {unit}"),
    );

    canvas.begin_clip(chart.x - 2.0, chart.y - 3.0, chart.width + 4.0, chart.height + 6.0);
    for s in series {
        let points: Vec<[f64; 2]> = thinned(t, s.values, chart.width as usize, end)
            .into_iter()
            .filter(|p| p.1.is_finite())
            .map(|(x, v)| [px(x), py(v)])
            .collect();
        canvas.polyline(&points, s.color, s.width, 1.0, s.dash);
    }
    canvas.end_clip();
    if series.len() > 1 {
        let mut x = chart.x + chart.width;
        for s in series.iter().rev() {
            let w = s.name.chars().count() as f64 * 8.0;
            canvas.text(
                x - w,
                chart.y - 12.0,
                Anchor::Start,
                Font::plain(13.5).color(INK),
                s.name,
            );
            canvas.polyline(
                &[[x - w - 34.0, chart.y - 16.5], [x - w - 7.0, chart.y - 16.5]],
                s.color,
                2.8,
                1.0,
                s.dash,
            );
            x -= w + 56.0;
        }
    }
}

/// Temperature, power, impedance, voltage and current against time.
pub(crate) fn curves(scene: &Scene<'_>) -> Result<Vec<u8>, ResultsError> {
    let c = &scene.run.result.curves;
    let mut canvas = Canvas::new(1360, 1090);
    canvas.text(
        70.0,
        34.0,
        Anchor::Start,
        Font::plain(20.0).bold(),
        "What the generator did, and what the tissue felt",
    );
    canvas.text(
        70.0,
        58.0,
        Anchor::Start,
        Font::plain(14.0).color(MUTED),
        "Shaded: current on. Volts and amperes are root-mean-square values.",
    );
    let mut temperature = vec![
        Series {
            name: "hottest tissue",
            color: ISO_60,
            values: &c.max_tissue_c,
            dash: "",
            width: 2.4,
        },
        Series {
            name: "thermocouple in the tip",
            color: ACTIVE_TIP,
            values: &c.thermocouple_c,
            dash: "",
            width: 3.0,
        },
    ];
    if matches!(scene.run.problem.drive, Drive::Temperature { .. }) {
        // After the current is off nothing is set.
        let steps = end_of_heating(scene.run.problem, c).map_or(0, |i| i + 1);
        temperature.push(Series {
            name: "set",
            color: INK,
            values: &c.set_temperature_c[..steps],
            dash: "7 5",
            width: 1.8,
        });
    }
    let wide = Chart {
        x: 70.0,
        y: 108.0,
        width: 1270.0,
        height: 300.0,
    };
    draw(&mut canvas, scene, &wide, "Temperature", "°C", &temperature, false);
    let four = [
        ("Power in the tissue", "W", &c.power_w, true),
        ("Impedance", "Ω", &c.impedance_ohm, false),
        ("Voltage", "V", &c.voltage_v, true),
        ("Current", "A", &c.current_a, true),
    ];
    for (n, (title, unit, values, from_zero)) in four.into_iter().enumerate() {
        let chart = Chart {
            x: 70.0 + (n % 2) as f64 * 670.0,
            y: 508.0 + (n / 2) as f64 * 300.0,
            width: 600.0,
            height: 210.0,
        };
        let one = Series {
            name: title,
            color: SLATE,
            values,
            dash: "",
            width: 2.4,
        };
        draw(&mut canvas, scene, &chart, title, unit, &[one], from_zero);
    }
    canvas.png()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_labels_are_round() {
        assert_eq!(nice_step(57.0, 5.0), 20.0);
        assert!((nice_step(0.4, 5.0) - 0.1).abs() < 1e-12);
        assert_eq!(label(0.30000000000000004, 0.1), "0.3");
        assert_eq!(label(-20.0, 20.0), "\u{2212}20");
    }

    #[test]
    fn thinning_keeps_the_extremes() {
        let t: Vec<f64> = (0..10_000).map(f64::from).collect();
        let mut v = vec![1.0; 10_000];
        v[4321] = 9.0;
        let thin = thinned(&t, &v, 100, 9999.0);
        assert!(thin.len() <= 202 && thin.iter().any(|p| p.1 == 9.0));
    }
}
