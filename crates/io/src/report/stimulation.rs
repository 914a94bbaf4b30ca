//! Pictures of test stimulation: which fibres fire at which amplitude, traces of muscles, thresholds over places of the needle.

use neurotome_base::PatientPoint;
use neurotome_procedure::{
    catalog::FibreKind,
    lesion::LesionProblem,
    stimulation::{Map, MapPoint, Place, Recruitment, Trace},
};

use super::{
    canvas::{Anchor, Canvas, Font},
    section::letters,
    sheet::Cut,
    style::{BONE, GRID, INK, ISO_60, LESION, MUTED, NERVE_SPARED, NERVE_TARGET, Rgb, TissueStyle},
};
use crate::results::ResultsError;

/// Nerves drawn: the nearest ones.
const NERVES: usize = 4;
/// Classes drawn, their names, colours and dashes.
const CLASSES: [(FibreKind, &str, Rgb, &str); 4] = [
    (FibreKind::AAlpha, "Aα, to muscle", NERVE_SPARED, ""),
    (FibreKind::ABeta, "Aβ, touch", NERVE_TARGET, ""),
    (FibreKind::ADelta, "Aδ, sharp pain", ISO_60, "8 4"),
    (FibreKind::C, "C, dull pain", LESION, "2 4"),
];

/// The share of each class that fires against the amplitude (`unit`), for the nearest nerves, on a logarithmic axis up to `most`; PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn recruitment(title: &str, recruitments: &[Recruitment], unit: &str, most: f64) -> Result<Vec<u8>, ResultsError> {
    let shown = &recruitments[..recruitments.len().min(NERVES)];
    let (left, width, height, top) = (72.0, 860.0, 150.0, 96.0);
    let row = height + 52.0;
    let mut canvas = Canvas::new(960, (top + row * shown.len() as f64 + 26.0) as usize);
    canvas.text(left, 30.0, Anchor::Start, Font::plain(19.0).bold(), title);
    let mut x = left;
    for (_, name, color, dash) in CLASSES {
        canvas.polyline(&[[x, 52.0], [x + 30.0, 52.0]], color, 3.0, 1.0, dash);
        canvas.text(x + 36.0, 57.0, Anchor::Start, Font::plain(14.0), name);
        x += 170.0;
    }
    let low = most / 500.0;
    let at = |amplitude: f64| left + (amplitude / low).ln() / (most / low).ln() * width;
    for (n, r) in shown.iter().enumerate() {
        let y = top + row * n as f64;
        let name = format!(
            "{}, {:.1} mm away{}",
            r.nerve,
            r.distance_mm,
            if r.target { " (target)" } else { "" }
        );
        canvas.text(left, y - 6.0, Anchor::Start, Font::plain(14.5).bold(), &name);
        for (share, label) in [(0.0, "0"), (0.5, "50"), (1.0, "100 %")] {
            let at = y + height * (1.0 - share);
            canvas.line([left, at], [left + width, at], GRID, 1.0);
            canvas.text(left - 8.0, at + 4.0, Anchor::End, Font::plain(12.0).color(MUTED), label);
        }
        for tick in ticks(low, most) {
            canvas.line([at(tick), y], [at(tick), y + height], GRID, 1.0);
            let label = Font::plain(12.0).color(MUTED);
            canvas.text(at(tick), y + height + 16.0, Anchor::Middle, label, &format!("{tick}"));
        }
        canvas.begin_clip(left, y - 2.0, width, height + 4.0);
        for (class, _, color, dash) in CLASSES {
            let points: Vec<[f64; 2]> = (0..=600)
                .map(|k| {
                    let amplitude = low * (most / low).powf(f64::from(k) / 600.0);
                    [at(amplitude), y + height * (1.0 - r.share(class, amplitude))]
                })
                .collect();
            canvas.polyline(&points, color, 2.4, 1.0, dash);
        }
        canvas.end_clip();
    }
    let foot = format!("share of the fibres that fire, against the amplitude in {unit}");
    let y = top + row * shown.len() as f64 + 10.0;
    canvas.text(left + width, y, Anchor::End, Font::plain(13.0).color(MUTED), &foot);
    canvas.png()
}

/// 1, 2 and 5 times powers of ten within a range.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let first = low.log10().floor() as i32;
    (first..=high.log10().ceil() as i32)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|f| f * 10f64.powi(power)))
        .map(|t| (t * 1e6).round() / 1e6)
        .filter(|t| (low..=high * 1.0001).contains(t))
        .collect()
}

/// Traces of the muscles at some amplitudes, one column each; PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn muscles(title: &str, columns: &[(String, Vec<Trace>)]) -> Result<Vec<u8>, ResultsError> {
    let rows = columns.iter().map(|c| c.1.len()).max().unwrap_or(0).min(NERVES);
    let (left, wide, high, top) = (30.0, 300.0, 84.0, 84.0);
    let width = left + (wide + 24.0) * columns.len() as f64 + 10.0;
    let mut canvas = Canvas::new(width.max(620.0) as usize, (top + high * rows as f64 + 40.0) as usize);
    canvas.text(left, 30.0, Anchor::Start, Font::plain(19.0).bold(), title);
    for (n, (name, traces)) in columns.iter().enumerate() {
        let x = left + (wide + 24.0) * n as f64;
        canvas.text(x, 62.0, Anchor::Start, Font::plain(15.0).bold(), name);
        for (k, trace) in traces.iter().take(rows).enumerate() {
            let y = top + high * k as f64;
            let label = format!("{}: {:.0} %", trace.muscle, 100.0 * trace.share);
            canvas.text(x, y + 8.0, Anchor::Start, Font::plain(12.0).color(MUTED), &label);
            let middle = y + 0.58 * high;
            canvas.line([x, middle], [x + wide, middle], GRID, 1.0);
            let last = (trace.values.len().max(2) - 1) as f64;
            let points: Vec<[f64; 2]> = trace
                .values
                .iter()
                .enumerate()
                .map(|(i, v)| [x + wide * i as f64 / last, middle - 0.38 * high * v])
                .collect();
            let color = if trace.share > 0.0 { INK } else { MUTED };
            canvas.polyline(&points, color, 1.8, 1.0, "");
        }
        let ms = columns[n].1.first().map_or(0.0, |t| t.step_ms * t.values.len() as f64);
        let foot = format!("0 to {ms:.0} ms after the pulse");
        let y = top + high * rows as f64 + 16.0;
        canvas.text(x, y, Anchor::Start, Font::plain(12.0).color(MUTED), &foot);
    }
    canvas.png()
}

/// Steps of the colours of a map, in volts or milliamperes.
const STEPS: [f64; 7] = [0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0];
const COLORS: [Rgb; 8] = [
    [8, 48, 107],
    [8, 88, 158],
    [43, 140, 190],
    [78, 179, 211],
    [123, 204, 196],
    [168, 221, 181],
    [224, 243, 219],
    [255, 255, 255],
];
const PX_PER_MM: f64 = 18.0;

fn color_of(amplitude: Option<f64>) -> Rgb {
    COLORS[STEPS.partition_point(|s| *s <= amplitude.unwrap_or(f64::INFINITY))]
}

/// A map of thresholds over places of the tip: of the target's feeling and of the leg's twitch, side by side, with bone as it lies in the
/// plane and the places where the nerves cross it; PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn threshold_map(title: &str, map: &Map, problem: &LesionProblem, unit: &str) -> Result<Vec<u8>, ResultsError> {
    let [right, up] = map.request.plane.axes();
    let tip = problem.needles[0].tip.vec();
    let half = map.request.half_mm;
    let n = map.request.count;
    let step = 2.0 * half / (n - 1) as f64;
    let side = 2.0 * half + step;
    let cut = Cut {
        title: String::new(),
        center: tip,
        right,
        up,
        size_mm: [side; 2],
    };
    let bone: Vec<bool> = problem
        .tissue_names
        .iter()
        .enumerate()
        .map(|(i, name)| TissueStyle::for_name(name, i).bone)
        .collect();
    let panels = [("he feels it in the back from", true), ("the leg twitches from", false)].map(|(name, target)| {
        let value = |p: &MapPoint| if target { p.target } else { p.leg };
        let panel = cut.panel(PX_PER_MM, |p| {
            let d = p - tip;
            let k = [d.dot(&right), d.dot(&up)].map(|v| (((v + half) / step).round().max(0.0) as usize).min(n - 1));
            let point = &map.points[k[1] * n + k[0]];
            let here = problem.anatomy.tissue_at(&PatientPoint::from_vec(*p));
            let is_bone = bone.get(usize::from(here.0)).copied().unwrap_or(false);
            match (point.place, is_bone) {
                (Place::Free, false) => color_of(value(point)),
                (Place::Free, true) => mixed(color_of(value(point)), BONE, 0.35),
                (_, true) => BONE,
                (_, false) => blocked(),
            }
        });
        (name, panel)
    });
    let px = panels[0].1.size[0] as f64;
    let (gap, top) = (24.0, 78.0);
    let mut canvas = Canvas::new((2.0 * px + 3.0 * gap + 180.0) as usize, (top + px + 56.0) as usize);
    canvas.text(gap, 30.0, Anchor::Start, Font::plain(19.0).bold(), title);
    let shift = |p: &neurotome_base::Vec3| {
        let d = p - tip;
        [d.dot(&right), d.dot(&up)].map(|v| (v + 0.5 * side) * PX_PER_MM)
    };
    for (k, (name, panel)) in panels.iter().enumerate() {
        let x = gap + (px + gap) * k as f64;
        canvas.text(x, top - 10.0, Anchor::Start, Font::plain(15.0).bold(), name);
        canvas.blit(x as usize, top as usize, panel.size[0], &panel.rgb);
        canvas.begin_clip(x, top, px, px);
        for nerve in &problem.nerves {
            let color = if nerve.target { NERVE_TARGET } else { ISO_60 };
            let line: Vec<[f64; 2]> = nerve
                .points
                .iter()
                .map(|p| {
                    let [u, v] = shift(&p.vec());
                    [x + u, top + px - v]
                })
                .collect();
            canvas.polyline(&line, color, 2.2, 0.8, "5 3");
            // Where it crosses the plane of the picture.
            let normal = right.cross(&up);
            for pair in nerve.points.windows(2) {
                let [a, b] = [&pair[0], &pair[1]].map(|p| (p.vec() - tip).dot(&normal));
                if a * b <= 0.0 && a != b {
                    let [u, v] = shift(&(pair[0].vec() + (pair[1].vec() - pair[0].vec()) * (a / (a - b))));
                    canvas.dot([x + u, top + px - v], 5.0, color);
                }
            }
        }
        let [u, v] = shift(&tip).map(|c| c);
        for (a, b) in [([-7.0, 0.0], [7.0, 0.0]), ([0.0, -7.0], [0.0, 7.0])] {
            canvas.line([x + u + a[0], top + v + a[1]], [x + u + b[0], top + v + b[1]], INK, 2.0);
        }
        canvas.end_clip();
        let over = Font::plain(14.0).bold().halo([255, 255, 255]);
        canvas.text(x + 6.0, top + 18.0, Anchor::Start, over, &letters(&-right));
        canvas.text(x + px - 6.0, top + 18.0, Anchor::End, over, &letters(&right));
    }
    let x = 2.0 * px + 3.0 * gap;
    for (k, color) in COLORS.iter().enumerate() {
        let y = top + 30.0 * k as f64;
        canvas.rect(x, y, 26.0, 26.0, *color, 1.0, 0.0);
        canvas.rect(x, y, 26.0, 26.0, GRID, 1.0, 1.0);
        let label = match k {
            0 => format!("below {} {unit}", STEPS[0]),
            _ if k == STEPS.len() => format!("{} or more, or never", STEPS[k - 1]),
            _ => format!("{} to {}", STEPS[k - 1], STEPS[k]),
        };
        canvas.text(x + 34.0, y + 18.0, Anchor::Start, Font::plain(13.0), &label);
    }
    for (k, (color, label)) in [(BONE, "bone in this plane"), (blocked(), "bone in the way")]
        .iter()
        .enumerate()
    {
        let y = top + 30.0 * (COLORS.len() + k) as f64;
        canvas.rect(x, y, 26.0, 26.0, *color, 1.0, 0.0);
        canvas.text(x + 34.0, y + 18.0, Anchor::Start, Font::plain(13.0), label);
    }
    for (k, foot) in [
        format!(
            "Each square is a place of the tip, {step:.2} mm apart; its direction stays. Cross: the tip as planned."
        ),
        "Dashed: nerves (green the target), with a dot where they cross the plane.".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let y = top + px + 24.0 + 18.0 * k as f64;
        canvas.text(gap, y, Anchor::Start, Font::plain(13.0).color(MUTED), foot);
    }
    canvas.png()
}

/// Where the needle cannot lie because bone is on its way.
fn blocked() -> Rgb {
    mixed(BONE, [255, 255, 255], 0.6)
}

fn mixed(a: Rgb, b: Rgb, share: f64) -> Rgb {
    std::array::from_fn(|i| (f64::from(a[i]) * (1.0 - share) + f64::from(b[i]) * share).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_grow_lighter_with_the_threshold() {
        assert_eq!(color_of(Some(0.05)), COLORS[0]);
        assert_eq!(color_of(Some(0.1)), COLORS[1]);
        assert_eq!(color_of(Some(4.9)), COLORS[6]);
        assert_eq!(color_of(None), COLORS[7]);
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.02, 1.0), [0.02, 0.05, 0.1, 0.2, 0.5, 1.0]);
    }
}
