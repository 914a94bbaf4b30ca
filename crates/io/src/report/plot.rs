//! One chart for every report: curves, bands, markers, spans and lines of events against time or anything else.

use super::{
    canvas::{Anchor, Canvas, Font},
    style::{GRID, INK, MUTED, Rgb},
};
use crate::results::ResultsError;

/// A curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve<'a> {
    /// Its name; empty for none in the legend.
    pub name: &'a str,
    /// Its colour.
    pub color: Rgb,
    /// Values along the horizontal axis, rising.
    pub x: &'a [f64],
    /// Values along the vertical axis; gaps where they are not finite.
    pub y: &'a [f64],
    /// Dashes, as SVG has them; empty for a whole line.
    pub dash: &'a str,
    /// Width, pixels.
    pub width: f64,
    /// Dots at the values.
    pub markers: bool,
}

impl<'a> Curve<'a> {
    /// A whole line.
    pub fn line(name: &'a str, color: Rgb, x: &'a [f64], y: &'a [f64]) -> Self {
        Self {
            name,
            color,
            x,
            y,
            dash: "",
            width: 2.4,
            markers: false,
        }
    }
}

/// The room between two curves.
#[derive(Debug, Clone, PartialEq)]
pub struct Band<'a> {
    /// Its colour.
    pub color: Rgb,
    /// Its opacity.
    pub opacity: f64,
    /// Values along the horizontal axis.
    pub x: &'a [f64],
    /// Lower border.
    pub low: &'a [f64],
    /// Upper border.
    pub high: &'a [f64],
}

/// A chart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plot<'a> {
    /// What it shows, with the unit: `Temperature in °C`.
    pub title: &'a str,
    /// What runs along the horizontal axis, with the unit.
    pub along: &'a str,
    /// Zero is on the vertical axis.
    pub from_zero: bool,
    /// Lowest and highest value of the vertical axis; from the curves when absent.
    pub range: Option<[f64; 2]>,
    /// Spans of the horizontal axis that are shaded, such as times with the current on.
    pub spans: Vec<[f64; 2]>,
    /// Lines across the chart at a place of the horizontal axis: place, colour, name.
    pub events: Vec<(f64, Rgb, &'a str)>,
    /// Bands below the curves.
    pub bands: Vec<Band<'a>>,
    /// Curves.
    pub curves: Vec<Curve<'a>>,
}

/// The place of a chart on a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

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
fn range<'v>(values: impl Iterator<Item = &'v f64>) -> (f64, f64) {
    values
        .filter(|v| v.is_finite() && v.abs() < 1e12)
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &v| (a.min(v), b.max(v)))
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

/// Draws a chart in its place.
pub(crate) fn draw(canvas: &mut Canvas, place: &Place, plot: &Plot<'_>) {
    let (_, end) = range(
        plot.curves
            .iter()
            .flat_map(|c| c.x)
            .chain(plot.bands.iter().flat_map(|b| b.x)),
    );
    let end = if end > 0.0 && end.is_finite() { end } else { 1.0 };
    let borders = plot.bands.iter().flat_map(|b| b.low.iter().chain(b.high));
    let (mut low, mut high) = range(plot.curves.iter().flat_map(|c| c.y).chain(borders));
    if let Some([a, b]) = plot.range {
        (low, high) = (a, b);
    }
    if !(low.is_finite() && high.is_finite()) {
        (low, high) = (0.0, 1.0);
    }
    if plot.from_zero {
        low = low.min(0.0);
    }
    if high - low < 1e-9 * high.abs().max(1.0) {
        high = low + high.abs().max(1.0) * 0.1;
    }
    let step = nice_step(high - low, 5.0);
    low = (low / step).floor() * step;
    high = (high / step + if plot.range.is_some() { -1e-9 } else { 0.02 }).ceil() * step;
    let px = |s: f64| place.x + s / end * place.width;
    let py = |v: f64| place.y + (high - v) / (high - low) * place.height;
    let small = Font::plain(12.5).color(MUTED);
    let bottom = place.y + place.height;
    let right = place.x + place.width;

    for [from, to] in &plot.spans {
        let (a, b) = (px(from.clamp(0.0, end)), px(to.clamp(0.0, end)));
        canvas.rect(a, place.y, b - a, place.height, [252, 241, 228], 1.0, 0.0);
    }
    for k in 0..=((high - low) / step).round() as usize {
        let v = low + k as f64 * step;
        canvas.line([place.x, py(v)], [right, py(v)], GRID, 1.0);
        canvas.text(place.x - 8.0, py(v) + 4.5, Anchor::End, small, &label(v, step));
    }
    let x_step = nice_step(end, place.width / 90.0);
    for k in 0..=(end / x_step + 1e-9).floor() as usize {
        let s = k as f64 * x_step;
        canvas.line([px(s), bottom], [px(s), bottom + 5.0], MUTED, 1.0);
        canvas.text(px(s), bottom + 19.0, Anchor::Middle, small, &label(s, x_step));
    }
    canvas.text(right, bottom + 36.0, Anchor::End, small, plot.along);
    canvas.line([place.x, bottom], [right, bottom], MUTED, 1.2);
    canvas.text(
        place.x,
        place.y - 12.0,
        Anchor::Start,
        Font::plain(16.0).bold(),
        plot.title,
    );

    canvas.begin_clip(place.x - 2.0, place.y - 3.0, place.width + 4.0, place.height + 6.0);
    for b in &plot.bands {
        let finite = |v: &[f64]| -> Vec<[f64; 2]> {
            b.x.iter()
                .zip(v)
                .filter(|(x, y)| x.is_finite() && y.is_finite())
                .map(|(x, y)| [px(*x), py(*y)])
                .collect()
        };
        let mut shape = finite(b.high);
        shape.extend(finite(b.low).into_iter().rev());
        if shape.len() > 2 {
            canvas.loops(&[shape], b.color, b.opacity, 0.0);
        }
    }
    for c in &plot.curves {
        let points: Vec<[f64; 2]> = thinned(c.x, c.y, place.width as usize, end)
            .into_iter()
            .filter(|p| p.0.is_finite() && p.1.is_finite())
            .map(|(x, v)| [px(x), py(v)])
            .collect();
        canvas.polyline(&points, c.color, c.width, 1.0, c.dash);
        if c.markers {
            for p in points {
                canvas.dot(p, 1.6 * c.width, c.color);
            }
        }
    }
    canvas.end_clip();
    // Names of events on three levels, so that neighbours do not cover each other.
    for (n, (at, color, name)) in plot.events.iter().filter(|e| (0.0..=end).contains(&e.0)).enumerate() {
        let x = px(*at);
        canvas.polyline(&[[x, place.y], [x, bottom]], *color, 1.6, 1.0, "4 3");
        let font = Font::plain(12.0).color(*color).halo([255, 255, 255]);
        let y = place.y + 13.0 + 14.0 * (n % 3) as f64;
        let (anchor, dx) = if x > place.x + 0.7 * place.width {
            (Anchor::End, -4.0)
        } else {
            (Anchor::Start, 4.0)
        };
        canvas.text(x + dx, y, anchor, font, name);
    }
    let named: Vec<&Curve<'_>> = plot.curves.iter().filter(|c| !c.name.is_empty()).collect();
    if named.len() > 1 {
        let mut x = right;
        for c in named.iter().rev() {
            let w = c.name.chars().count() as f64 * 8.0;
            canvas.text(
                x - w,
                place.y - 12.0,
                Anchor::Start,
                Font::plain(13.5).color(INK),
                c.name,
            );
            canvas.polyline(
                &[[x - w - 34.0, place.y - 16.5], [x - w - 7.0, place.y - 16.5]],
                c.color,
                2.8,
                1.0,
                c.dash,
            );
            x -= w + 56.0;
        }
    }
}

/// Width of a picture of charts on a page of its own, pixels.
pub const WIDE_PX: usize = 1360;
/// Width of one in a report on paper, where its letters must be read: pixels.
pub const PAPER_PX: usize = 920;

/// A chart across, and those after it two beside each other; PNG, `width_px` wide.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn plots(title: &str, about: &str, all: &[Plot<'_>], width_px: usize) -> Result<Vec<u8>, ResultsError> {
    let rows = all.len().saturating_sub(1).div_ceil(2);
    let height = if rows == 0 { 480 } else { 490 + 300 * rows };
    let width_px = width_px.clamp(400, 4000);
    let mut canvas = Canvas::new(width_px, height);
    canvas.text(70.0, 34.0, Anchor::Start, Font::plain(20.0).bold(), title);
    canvas.text(70.0, 58.0, Anchor::Start, Font::plain(14.0).color(MUTED), about);
    let wide = width_px as f64 - 90.0;
    let half = 0.5 * wide - 35.0;
    for (n, plot) in all.iter().enumerate() {
        let place = match n.checked_sub(1) {
            None => Place {
                x: 70.0,
                y: 108.0,
                width: wide,
                height: 300.0,
            },
            Some(n) => Place {
                x: 70.0 + (n % 2) as f64 * (half + 70.0),
                y: 508.0 + (n / 2) as f64 * 300.0,
                width: half,
                height: 210.0,
            },
        };
        draw(&mut canvas, &place, plot);
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

    #[test]
    fn a_chart_of_nothing_or_of_bad_numbers_is_a_chart() {
        let (x, y) = ([0.0, 1.0, f64::NAN], [f64::INFINITY, 2.0, 3.0]);
        let bad = Plot {
            spans: vec![[f64::NEG_INFINITY, f64::INFINITY]],
            events: vec![(f64::NAN, INK, "never"), (0.5, INK, "now")],
            bands: vec![Band {
                color: INK,
                opacity: 0.2,
                x: &x,
                low: &y,
                high: &x,
            }],
            curves: vec![Curve {
                markers: true,
                ..Curve::line("a", INK, &x, &y)
            }],
            ..Plot::default()
        };
        let png = plots(
            "",
            "",
            &[Plot::default(), bad, Plot::default(), Plot::default()],
            PAPER_PX,
        )
        .unwrap();
        assert!(png.starts_with(b"\x89PNG"));
    }
}
