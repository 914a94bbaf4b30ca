//! Pictures of what comes after: relief over the months, and each nerve with its heat and what is dead of it.

use neurotome_procedure::{
    nerve_death::{ACROSS, NerveCut, NerveHeat},
    outcome::Outcome,
};

use super::{
    canvas::{Anchor, Canvas, Font},
    style::{GRID, INK, ISO_45, ISO_50, ISO_60, LESION, MUTED, NERVE_SPARED, NERVE_TARGET, Rgb},
};
use crate::results::ResultsError;

/// Colours of laws beside the first.
const OTHERS: [Rgb; 4] = [ISO_60, NERVE_SPARED, LESION, ISO_50];
/// Dashes that tell them apart without colour.
const DASHES: [&str; 5] = ["", "9 5", "2 5", "12 4 2 4", "5 3"];
/// Most nerves of a picture.
const MOST_NERVES: usize = 8;

fn color(law: usize) -> Rgb {
    if law == 0 {
        NERVE_TARGET
    } else {
        OTHERS[(law - 1) % OTHERS.len()]
    }
}

/// The place of a chart whose values run from 0 to 1 over months.
struct Chart {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    months: f64,
    /// Lowest value.
    low: f64,
}

impl Chart {
    fn at(&self, month: f64, value: f64) -> [f64; 2] {
        [
            self.x + month / self.months * self.width,
            self.y + (1.0 - value.max(self.low)) / (1.0 - self.low) * self.height,
        ]
    }

    fn axes(&self, canvas: &mut Canvas, title: &str) {
        let small = Font::plain(12.5).color(MUTED);
        let steps = ((1.0 - self.low) / 0.2).round() as i32;
        for k in 0..=steps {
            let v = 1.0 - 0.2 * f64::from(k);
            let [_, y] = self.at(0.0, v);
            canvas.line([self.x, y], [self.x + self.width, y], GRID, 1.0);
            let text = format!("{:.0} %", 100.0 * v).replace('-', "\u{2212}");
            canvas.text(self.x - 8.0, y + 4.5, Anchor::End, small, &text);
        }
        let bottom = self.y + self.height;
        for k in 0..=(self.months / 3.0) as u32 {
            let [x, _] = self.at(3.0 * f64::from(k), 0.0);
            canvas.line([x, bottom], [x, bottom + 5.0], MUTED, 1.0);
            canvas.text(x, bottom + 19.0, Anchor::Middle, small, &format!("{}", 3 * k));
        }
        canvas.line([self.x, bottom], [self.x + self.width, bottom], MUTED, 1.2);
        let end = self.x + self.width;
        canvas.text(end, bottom + 37.0, Anchor::End, small, "months after the procedure");
        canvas.text(self.x, self.y - 14.0, Anchor::Start, Font::plain(16.0).bold(), title);
    }

    fn curve(&self, canvas: &mut Canvas, months: &[f64], values: &[f64], law: usize) {
        let points: Vec<[f64; 2]> = months.iter().zip(values).map(|(m, v)| self.at(*m, *v)).collect();
        let width = if law == 0 { 3.0 } else { 2.0 };
        canvas.polyline(&points, color(law), width, 1.0, DASHES[law % DASHES.len()]);
    }

    fn band(&self, canvas: &mut Canvas, months: &[f64], low: &[f64], high: &[f64], opacity: f64) {
        let mut shape: Vec<[f64; 2]> = months.iter().zip(high).map(|(m, v)| self.at(*m, *v)).collect();
        shape.extend(months.iter().zip(low).rev().map(|(m, v)| self.at(*m, *v)));
        canvas.loops(&[shape], color(0), opacity, 0.0);
    }
}

/// Relief over the months: the first population with its bands, the means of all, and how many have half of their pain gone. PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn relief_curves(title: &str, by_law: &[(String, &Outcome)]) -> Result<Vec<u8>, ResultsError> {
    let mut canvas = Canvas::new(1360, 620);
    canvas.text(70.0, 34.0, Anchor::Start, Font::plain(20.0).bold(), title);
    let Some((_, first)) = by_law.first() else {
        return canvas.png();
    };
    let about = format!(
        "A model of {} people, {:.0} % with the joint as the source. It does not foretell what one patient will feel.",
        first.people,
        100.0 * first.source_probability
    );
    canvas.text(70.0, 58.0, Anchor::Start, Font::plain(14.0).color(MUTED), &about);
    let chart = |x: f64, low: f64| Chart {
        x,
        y: 110.0,
        width: 570.0,
        height: 360.0,
        months: 24.0,
        low,
    };
    let relief = chart(80.0, -0.4);
    relief.axes(&mut canvas, "Relief, as a share of the pain before");
    let c = &first.relief;
    canvas.begin_clip(relief.x, relief.y - 2.0, relief.width, relief.height + 4.0);
    relief.band(&mut canvas, &c.months, &c.q10, &c.q90, 0.13);
    relief.band(&mut canvas, &c.months, &c.q25, &c.q75, 0.2);
    for (k, (_, o)) in by_law.iter().enumerate().rev() {
        relief.curve(&mut canvas, &o.relief.months, &o.relief.mean, k);
    }
    canvas.end_clip();
    let half = chart(760.0, 0.0);
    half.axes(&mut canvas, "People with at least half of their pain gone");
    canvas.begin_clip(half.x, half.y - 2.0, half.width, half.height + 4.0);
    for (k, (_, o)) in by_law.iter().enumerate().rev() {
        half.curve(&mut canvas, &o.relief.months, &o.relief.half_relieved, k);
    }
    canvas.end_clip();
    let note = format!(
        "Lines: mean by each law of injury. Bands, by {}: the middle half of people, and 80 % of them.",
        by_law[0].0
    );
    canvas.text(80.0, 548.0, Anchor::Start, Font::plain(13.0).color(MUTED), &note);
    let mut x = 80.0;
    for (k, (law, _)) in by_law.iter().enumerate() {
        canvas.polyline(
            &[[x, 580.0], [x + 34.0, 580.0]],
            color(k),
            2.8,
            1.0,
            DASHES[k % DASHES.len()],
        );
        canvas.text(x + 42.0, 585.0, Anchor::Start, Font::plain(13.5).color(INK), law);
        x += 70.0 + 8.4 * law.chars().count() as f64;
    }
    canvas.png()
}

/// Colour of a temperature: white at 37 °C, then by the isotherms' own.
fn heat_color(c: f64) -> Rgb {
    const STOPS: [(f64, Rgb); 6] = [
        (37.0, [250, 250, 250]),
        (45.0, ISO_45),
        (50.0, ISO_50),
        (60.0, ISO_60),
        (80.0, [122, 20, 20]),
        (100.0, [40, 0, 20]),
    ];
    let above = STOPS.iter().position(|s| c < s.0).unwrap_or(STOPS.len());
    match above {
        0 => STOPS[0].1,
        n if n == STOPS.len() => STOPS[n - 1].1,
        n => {
            let ((a, from), (b, to)) = (STOPS[n - 1], STOPS[n]);
            let w = (c - a) / (b - a);
            std::array::from_fn(|i| (f64::from(from[i]) + w * (f64::from(to[i]) - f64::from(from[i]))).round() as u8)
        }
    }
}

/// Each nerve unrolled: highest temperature at the places across it along its length, and below what is dead by each law, in some of the
/// fibres (pale) and in all of them (full). PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn nerve_strips(title: &str, nerves: &[(&NerveHeat, &NerveCut)]) -> Result<Vec<u8>, ResultsError> {
    let nerves = &nerves[..nerves.len().min(MOST_NERVES)];
    let laws = nerves.iter().map(|n| n.0.laws.len()).max().unwrap_or(0);
    let bars = 20.0 * laws as f64;
    let each = 40.0 + 5.0 * ACROSS as f64 + 12.0 + bars + 58.0;
    let mut canvas = Canvas::new(1360, (92.0 + each * nerves.len() as f64 + 44.0) as usize);
    canvas.text(70.0, 34.0, Anchor::Start, Font::plain(20.0).bold(), title);
    let about = "Above: highest temperature, a row for each place across the nerve, from one side to the other. Below: dead by each law, \
                 in some fibres (pale) and in all (full).";
    canvas.text(70.0, 58.0, Anchor::Start, Font::plain(14.0).color(MUTED), about);
    let (x0, width) = (250.0, 1060.0);
    for (i, (heat, cut)) in nerves.iter().enumerate() {
        strip(&mut canvas, heat, cut, [x0, 92.0 + each * i as f64, width]);
    }
    let y = 92.0 + each * nerves.len() as f64 + 14.0;
    for k in 0..126 {
        let c = 37.0 + 0.5 * f64::from(k);
        canvas.rect(x0 + 4.0 * f64::from(k), y, 4.2, 12.0, heat_color(c), 1.0, 0.0);
    }
    for c in [37.0, 45.0, 50.0, 60.0, 80.0, 100.0] {
        let text = format!("{c:.0} °C");
        canvas.text(
            x0 + 8.0 * (c - 37.0),
            y + 27.0,
            Anchor::Middle,
            Font::plain(12.0).color(MUTED),
            &text,
        );
    }
    canvas.png()
}

fn strip(canvas: &mut Canvas, heat: &NerveHeat, cut: &NerveCut, [x0, y0, width]: [f64; 3]) {
    let steps = heat.steps();
    let length = heat.places.step_mm * steps as f64;
    let px = |mm: f64| x0 + mm / length.max(1e-9) * width;
    let kind = if heat.nerve.target { "target" } else { "to be spared" };
    let head = format!("{} ({kind}), up to {:.1} °C", heat.nerve.name, cut.peak_c);
    canvas.text(x0, y0 + 24.0, Anchor::Start, Font::plain(15.0).bold(), &head);
    let top = y0 + 36.0;
    // Rows from one side of the nerve to the other.
    let mut rows: Vec<usize> = (0..ACROSS).collect();
    rows.sort_by(|a, b| heat.places.across_mm[*a][0].total_cmp(&heat.places.across_mm[*b][0]));
    let mut pixels = vec![0u8; width as usize * 5 * ACROSS * 3];
    for (row, j) in rows.iter().enumerate() {
        for x in 0..width as usize {
            let i = ((x as f64 + 0.5) / width * steps as f64) as usize;
            let rgb = heat_color(heat.peak_c[i.min(steps - 1) * ACROSS + j]);
            for line in 0..5 {
                let at = ((row * 5 + line) * width as usize + x) * 3;
                pixels[at..at + 3].copy_from_slice(&rgb);
            }
        }
    }
    canvas.blit(x0 as usize, top as usize, width as usize, &pixels);
    let high = 5.0 * ACROSS as f64;
    canvas.rect(x0, top, width, high, MUTED, 1.0, 1.0);
    let across = format!("{:.1} mm thick", heat.nerve.diameter_mm);
    canvas.text(
        x0 - 12.0,
        top + 0.5 * high + 4.0,
        Anchor::End,
        Font::plain(13.0).color(MUTED),
        &across,
    );
    let below = top + high + 12.0;
    for (k, (law, injury)) in heat.laws.iter().zip(&heat.injury).enumerate() {
        let y = below + 20.0 * k as f64;
        let name = if law.reversible {
            format!("{} (function)", law.name)
        } else {
            law.name.clone()
        };
        canvas.text(x0 - 12.0, y + 12.0, Anchor::End, Font::plain(13.0).color(INK), &name);
        canvas.rect(x0, y + 1.0, width, 13.0, [244, 245, 247], 1.0, 0.0);
        let dead = |i: usize| {
            injury[i * ACROSS..(i + 1) * ACROSS]
                .iter()
                .filter(|w| **w >= 1.0)
                .count()
        };
        let shown = |i: usize| match dead(i) {
            0 => 0.0,
            ACROSS => 1.0,
            _ => 0.35,
        };
        let mut from = 0;
        while from < steps {
            let opacity = shown(from);
            let to = (from..steps).find(|i| shown(*i) != opacity).unwrap_or(steps);
            if opacity > 0.0 {
                let (a, b) = (
                    px(heat.places.step_mm * from as f64),
                    px(heat.places.step_mm * to as f64),
                );
                canvas.rect(a, y + 1.0, b - a, 13.0, color(k), opacity, 0.0);
            }
            from = to;
        }
    }
    let axis = below + 20.0 * heat.laws.len() as f64 + 2.0;
    let step = if length > 60.0 { 10.0 } else { 5.0 };
    let small = Font::plain(12.5).color(MUTED);
    for k in 0..=(length / step).floor() as u32 {
        let mm = step * f64::from(k);
        canvas.line([px(mm), axis], [px(mm), axis + 5.0], MUTED, 1.0);
        canvas.text(px(mm), axis + 19.0, Anchor::Middle, small, &format!("{mm:.0}"));
    }
    canvas.text(
        x0 + width,
        axis + 34.0,
        Anchor::End,
        small,
        "mm along the nerve, from its first point",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_heat_are_those_of_the_isotherms() {
        assert_eq!(heat_color(45.0), ISO_45);
        assert_eq!(heat_color(60.0), ISO_60);
        assert_eq!(heat_color(20.0), [250, 250, 250]);
        assert_eq!(heat_color(140.0), [40, 0, 20]);
        assert_eq!(heat_color(f64::NAN), [40, 0, 20]);
    }

    #[test]
    fn empty_pictures_are_pictures() {
        assert!(relief_curves("none", &[]).unwrap().starts_with(b"\x89PNG"));
        assert!(nerve_strips("none", &[]).unwrap().starts_with(b"\x89PNG"));
    }
}
