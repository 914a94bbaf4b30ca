//! Pictures of one fibre: its thresholds, and the potential across its membrane in space and time.

use neurotome_procedure::one_fibre::{Answer, Membranes, Model, Source, ThresholdAt};

use super::{
    canvas::{Anchor, Canvas, Font},
    style::{GRID, INK, ISO_60, MUTED, NERVE_SPARED, NERVE_TARGET, Rgb},
};
use crate::results::ResultsError;

const SMALL: Font = Font::plain(13.0).color(MUTED);

/// A chart with logarithmic axes.
struct LogChart {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    across: [f64; 2],
    up: [f64; 2],
}

impl LogChart {
    /// The pixel of a point.
    fn at(&self, x: f64, y: f64) -> [f64; 2] {
        let part = |v: f64, [low, high]: [f64; 2]| (v / low).ln() / (high / low).ln();
        [
            self.x + part(x, self.across) * self.width,
            self.y + (1.0 - part(y, self.up)) * self.height,
        ]
    }

    /// Frame, grid and numbers.
    fn frame(&self, canvas: &mut Canvas, title: &str, below: &str) {
        let (bottom, right) = (self.y + self.height, self.x + self.width);
        for v in ticks(self.across) {
            let [x, _] = self.at(v, self.up[0]);
            canvas.line([x, self.y], [x, bottom], GRID, 1.0);
            canvas.text(x, bottom + 20.0, Anchor::Middle, SMALL, &number(v));
        }
        for v in ticks(self.up) {
            let [_, y] = self.at(self.across[0], v);
            canvas.line([self.x, y], [right, y], GRID, 1.0);
            canvas.text(self.x - 8.0, y + 4.5, Anchor::End, SMALL, &number(v));
        }
        canvas.line([self.x, bottom], [right, bottom], MUTED, 1.2);
        canvas.text(self.x, self.y - 14.0, Anchor::Start, Font::plain(16.0).bold(), title);
        canvas.text(right, bottom + 42.0, Anchor::End, SMALL, below);
    }
}

/// 1, 2 and 5 times powers of ten within a range.
fn ticks([low, high]: [f64; 2]) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let all = (first..=last).flat_map(|p| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(p)));
    let within: Vec<f64> = all.filter(|v| *v >= low * 0.999 && *v <= high * 1.001).collect();
    if within.len() <= 9 {
        return within;
    }
    // Whole powers only where there are many.
    within
        .into_iter()
        .filter(|v| (v.log10() - v.log10().round()).abs() < 1e-9)
        .collect()
}

/// A round number without needless noughts.
fn number(v: f64) -> String {
    let text = format!("{:.*}", (-v.log10().floor()).clamp(0.0, 9.0) as usize, v);
    text.replace('-', "\u{2212}")
}

/// A range with some room, around what is positive and finite; one decade round 1 where nothing is.
fn range(values: impl Iterator<Item = f64>) -> [f64; 2] {
    let sound = values.filter(|v| *v > 0.0 && v.is_finite());
    let (low, high) = sound.fold((f64::INFINITY, 0.0f64), |(a, b), v| (a.min(v), b.max(v)));
    if low.is_finite() {
        [low / 1.3, high * 1.3]
    } else {
        [0.3, 3.0]
    }
}

/// Which fibre this is.
fn name(a: &Answer) -> String {
    let q = &a.question;
    let source = match q.source {
        Source::Point => "a point".to_owned(),
        Source::Tip { length_mm, across } => {
            format!("a tip of {length_mm} mm {} it", if across { "across" } else { "along" })
        }
    };
    let kind = match (&a.sizes, q.model) {
        (Some(sizes), _) => format!("myelinated ({}, {sizes} sizes)", q.model),
        (None, Model::Mrg | Model::Sundt | Model::Rattay) => format!("C fibre ({})", q.model),
    };
    format!(
        "{} µm, {kind}, beside {source} in {} S/m at {} °C",
        q.diameter_um, q.conductivity_s_per_m, q.temperature_c
    )
}

/// A curve of thresholds with its points; the point asked for is larger.
fn curve(
    canvas: &mut Canvas,
    chart: &LogChart,
    points: &[ThresholdAt],
    of: fn(&ThresholdAt) -> f64,
    asked: f64,
    color: Rgb,
) {
    let found: Vec<(f64, [f64; 2])> = points
        .iter()
        .filter_map(|p| Some((of(p), chart.at(of(p), p.weakest.ma()?))))
        .collect();
    let line: Vec<[f64; 2]> = found.iter().map(|f| f.1).collect();
    canvas.polyline(&line, color, 2.6, 1.0, "");
    for (x, at) in &found {
        canvas.dot(*at, if (x / asked - 1.0).abs() < 1e-9 { 6.5 } else { 3.8 }, color);
    }
    let missing: Vec<String> = points
        .iter()
        .filter(|p| p.weakest.ma().is_none())
        .map(|p| number(of(p)))
        .collect();
    if !missing.is_empty() {
        canvas.text(
            chart.x + 10.0,
            chart.y + 20.0,
            Anchor::Start,
            SMALL,
            &format!("above the limit, not drawn: {}", missing.join(", ")),
        );
    }
}

/// Thresholds against distance and against the width of the pulse, as SVG and as PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn fibre_thresholds(a: &Answer) -> Result<(Vec<u8>, Vec<u8>), ResultsError> {
    let q = &a.question;
    let mut canvas = Canvas::new(1360, 600);
    canvas.text(
        80.0,
        36.0,
        Anchor::Start,
        Font::plain(20.0).bold(),
        "Weakest cathodic pulse that fires the fibre",
    );
    canvas.text(80.0, 62.0, Anchor::Start, Font::plain(14.0).color(MUTED), &name(a));
    let all = a.by_distance.iter().chain(&a.by_pulse);
    let up = range(all.filter_map(|p| p.weakest.ma()));
    let charts = [(&a.by_distance, 80.0, NERVE_TARGET), (&a.by_pulse, 750.0, NERVE_SPARED)];
    for (n, (points, x, color)) in charts.into_iter().enumerate() {
        let of: fn(&ThresholdAt) -> f64 = if n == 0 { |p| p.distance_mm } else { |p| p.pulse_ms };
        let chart = LogChart {
            x,
            y: 120.0,
            width: 570.0,
            height: 390.0,
            across: range(points.iter().map(of)),
            up,
        };
        let (title, below, asked) = if n == 0 {
            (
                format!("Threshold in mA against distance, {} ms", q.pulse_ms),
                "distance in mm",
                q.distance_mm,
            )
        } else {
            (
                format!("Threshold in mA against width, {} mm away", q.distance_mm),
                "width of the pulse in ms",
                q.pulse_ms,
            )
        };
        chart.frame(&mut canvas, &title, below);
        canvas.begin_clip(chart.x - 6.0, chart.y - 6.0, chart.width + 12.0, chart.height + 12.0);
        if n == 1
            && let Some((s, rheobase, chronaxie)) = a
                .strength_duration
                .as_ref()
                .and_then(|s| Some((s, s.rheobase_ma?, s.chronaxie_ms?)))
        {
            let law: Vec<[f64; 2]> = (0..=100)
                .map(|i| chart.across[0] * (chart.across[1] / chart.across[0]).powf(f64::from(i) / 100.0))
                .map(|t| chart.at(t, rheobase * (1.0 + chronaxie / t)))
                .collect();
            canvas.polyline(&law, INK, 1.6, 1.0, "6 5");
            canvas.text(
                chart.x + chart.width - 10.0,
                chart.y + 20.0,
                Anchor::End,
                Font::plain(13.5),
                &format!(
                    "dashed: Weiss, fitted from {} to {} ms: rheobase {rheobase:.3} mA, chronaxie {chronaxie:.2} ms",
                    s.fitted_ms[0], s.fitted_ms[1]
                ),
            );
        }
        curve(&mut canvas, &chart, points, of, asked, color);
        canvas.end_clip();
    }
    let svg = canvas.svg().into_bytes();
    Ok((svg, canvas.png()?))
}

/// Colours of potentials, dark at rest and bright in a spike: stops of viridis (van der Walt and Smith).
const COLOURS: [Rgb; 6] = [
    [68, 1, 84],
    [65, 68, 135],
    [42, 120, 142],
    [34, 168, 132],
    [122, 209, 81],
    [253, 231, 37],
];
const LOW_MV: f64 = -100.0;
const HIGH_MV: f64 = 40.0;

fn colour(mv: f64) -> Rgb {
    let at = ((mv - LOW_MV) / (HIGH_MV - LOW_MV)).clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let n = (at as usize).min(COLOURS.len() - 2);
    let part = at - n as f64;
    std::array::from_fn(|c| {
        let (a, b) = (f64::from(COLOURS[n][c]), f64::from(COLOURS[n + 1][c]));
        (a + part * (b - a)).round() as u8
    })
}

/// The entry of an ascending list that is nearest to a value.
fn nearest(list: &[f64], value: f64) -> usize {
    let n = list.partition_point(|x| *x < value);
    if n > 0 && (n == list.len() || value - list[n - 1] < list[n] - value) {
        n - 1
    } else {
        n
    }
}

/// The potential across the membrane along the fibre and in time, as PNG.
///
/// # Errors
/// [`ResultsError::Picture`]: also when there is nothing to draw.
pub fn fibre_potentials(a: &Answer, m: &Membranes) -> Result<Vec<u8>, ResultsError> {
    const LEFT: usize = 90;
    const TOP: usize = 100;
    const SIZE: [usize; 2] = [1000, 460];
    let (Some(first), Some(last), Some(end)) = (m.places_mm.first(), m.places_mm.last(), m.times_ms.last()) else {
        return Err(ResultsError::Picture {
            reason: "there are no potentials".to_owned(),
        });
    };
    let mut canvas = Canvas::new(1240, 640);
    canvas.text(
        LEFT as f64,
        36.0,
        Anchor::Start,
        Font::plain(20.0).bold(),
        &format!(
            "Potential across the membrane: {:.3} mA for {} ms, 1.2 times the threshold",
            m.current_ma, a.question.pulse_ms
        ),
    );
    canvas.text(
        LEFT as f64,
        62.0,
        Anchor::Start,
        Font::plain(14.0).color(MUTED),
        &format!("{}, {} mm away", name(a), a.question.distance_mm),
    );
    let mut pixels = Vec::with_capacity(SIZE[0] * SIZE[1] * 3);
    let columns: Vec<usize> = (0..SIZE[0])
        .map(|i| nearest(&m.times_ms, (i as f64 + 0.5) / SIZE[0] as f64 * end))
        .collect();
    for j in 0..SIZE[1] {
        let place = nearest(&m.places_mm, last - (j as f64 + 0.5) / SIZE[1] as f64 * (last - first));
        for t in &columns {
            let mv = m.mv.get(*t).and_then(|row| row.get(place)).copied().unwrap_or(LOW_MV);
            pixels.extend(colour(mv));
        }
    }
    canvas.blit(LEFT, TOP, SIZE[0], &pixels);
    let (x0, y0) = (LEFT as f64, TOP as f64);
    let (w, h) = (SIZE[0] as f64, SIZE[1] as f64);
    let px = |t: f64| x0 + t / end * w;
    let py = |x: f64| y0 + (last - x) / (last - first) * h;
    for k in 0..=5 {
        let t = end * f64::from(k) / 5.0;
        canvas.line([px(t), y0 + h], [px(t), y0 + h + 6.0], MUTED, 1.2);
        canvas.text(px(t), y0 + h + 22.0, Anchor::Middle, SMALL, &format!("{t:.2}"));
        let x = first + (last - first) * f64::from(k) / 5.0;
        canvas.line([x0 - 6.0, py(x)], [x0, py(x)], MUTED, 1.2);
        let text = format!("{x:.1}").replace('-', "\u{2212}");
        canvas.text(x0 - 10.0, py(x) + 4.5, Anchor::End, SMALL, &text);
    }
    canvas.text(x0 + w, y0 + h + 44.0, Anchor::End, SMALL, "time in ms");
    canvas.text(
        x0 - 70.0,
        y0 - 12.0,
        Anchor::Start,
        SMALL,
        "along the fibre from beside the source, mm",
    );
    // While the current flows, and where it comes from.
    let pulse = px(a.question.pulse_ms.min(*end));
    canvas.line([x0, y0 + h + 2.0], [pulse, y0 + h + 2.0], ISO_60, 4.0);
    canvas.text(x0 + 4.0, y0 + h + 44.0, Anchor::Start, SMALL.color(ISO_60), "pulse");
    canvas.line([x0 - 5.0, py(0.0)], [x0 + 8.0, py(0.0)], ISO_60, 3.0);
    // The scale.
    for k in 0..140 {
        let mv = HIGH_MV - (HIGH_MV - LOW_MV) * (f64::from(k) + 0.5) / 140.0;
        let y = y0 + h * f64::from(k) / 140.0;
        canvas.rect(x0 + w + 30.0, y, 22.0, h / 140.0 + 0.6, colour(mv), 1.0, 0.0);
    }
    for mv in [-100, -80, -60, -40, -20, 0, 20, 40] {
        let y = y0 + h * (HIGH_MV - f64::from(mv)) / (HIGH_MV - LOW_MV);
        let text = format!("{mv}").replace('-', "\u{2212}");
        canvas.text(x0 + w + 60.0, y + 4.5, Anchor::Start, SMALL, &text);
    }
    canvas.text(x0 + w + 30.0, y0 - 12.0, Anchor::Start, SMALL, "mV");
    canvas.png()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_and_numbers_are_round() {
        assert_eq!(ticks([0.04, 2.4]), vec![0.05, 0.1, 0.2, 0.5, 1.0, 2.0]);
        assert_eq!(ticks([0.001, 1000.0]).len(), 7);
        assert_eq!(
            ["0.05", "0.2", "1", "20"],
            [0.05, 0.2, 1.0, 20.0].map(number).each_ref().map(String::as_str)
        );
        assert_eq!(range(std::iter::empty()), [0.3, 3.0]);
    }

    #[test]
    fn the_nearest_is_found_and_colours_end_at_both_ends() {
        let list = [0.0, 1.0, 3.0];
        assert_eq!([-1.0, 0.4, 0.6, 2.1, 9.0].map(|v| nearest(&list, v)), [0, 0, 1, 2, 2]);
        assert_eq!((colour(-200.0), colour(100.0)), (COLOURS[0], COLOURS[5]));
    }
}
