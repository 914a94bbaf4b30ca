//! A debriefing as bars: the nerve destroyed by the needle as it was and by each change.

use neurotome_procedure::debrief::Debrief;

use super::{
    canvas::{Anchor, Canvas, Font},
    style::{GRID, INK, LESION, MUTED, NERVE_TARGET},
};
use crate::results::ResultsError;

const WIDTH: usize = 900;
const LEFT: f64 = 250.0;
const RIGHT: f64 = 640.0;
const TOP: f64 = 96.0;
const ROW: f64 = 34.0;
/// Most bars of a picture.
const MOST: usize = 40;

/// Bars of the nerve destroyed, with the width of the lesion and what is harmed beside them. PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn debrief_bars(debrief: &Debrief) -> Result<Vec<u8>, ResultsError> {
    let shown = debrief.variants.len().min(MOST);
    let height = TOP + ROW * (shown + 1) as f64 + 62.0;
    let mut canvas = Canvas::new(WIDTH, height as usize);
    let small = Font::plain(12.5).color(MUTED);
    let most = debrief
        .variants
        .iter()
        .filter_map(|v| v.figures.as_ref())
        .chain([&debrief.actual])
        .map(|f| f.destroyed_mm)
        .fold(1.0f64, f64::max);
    let step = if most > 20.0 {
        5.0
    } else if most > 8.0 {
        2.0
    } else {
        1.0
    };
    let end = (most / step).ceil() * step;
    let px = |mm: f64| LEFT + mm / end * (RIGHT - LEFT);
    let bottom = TOP + ROW * (shown + 1) as f64;

    canvas.text(
        24.0,
        34.0,
        Anchor::Start,
        Font::plain(17.0).bold(),
        "What else could have been",
    );
    let what = format!("{}: length destroyed, mm", debrief.nerve);
    canvas.text(24.0, 56.0, Anchor::Start, Font::plain(13.5).color(MUTED), &what);
    for (x, text) in [(700.0, "width mm"), (780.0, "angle °"), (876.0, "harm mm³")] {
        canvas.text(x, TOP - 14.0, Anchor::End, small, text);
    }
    for k in 0..=(end / step).round() as u32 {
        let x = px(step * f64::from(k));
        canvas.line([x, TOP - 6.0], [x, bottom], GRID, 1.0);
        canvas.text(
            x,
            bottom + 18.0,
            Anchor::Middle,
            small,
            &format!("{}", step * f64::from(k)),
        );
    }
    let rows = std::iter::once(("as it was", Some(&debrief.actual), None)).chain(
        debrief
            .variants
            .iter()
            .take(shown)
            .map(|v| (v.words.as_str(), v.figures.as_ref(), v.destroyed_difference_mm)),
    );
    for (k, (words, figures, by)) in rows.enumerate() {
        let y = TOP + ROW * k as f64;
        let middle = y + 0.5 * ROW;
        let label = if by.is_none() && k == 0 {
            Font::plain(14.0).bold()
        } else {
            Font::plain(14.0)
        };
        canvas.text(LEFT - 14.0, middle + 5.0, Anchor::End, label, words);
        let Some(f) = figures else {
            canvas.text(LEFT + 8.0, middle + 5.0, Anchor::Start, small, "not computed");
            continue;
        };
        let color = if k == 0 { INK } else { NERVE_TARGET };
        canvas.rect(LEFT, y + 7.0, px(f.destroyed_mm) - LEFT, ROW - 14.0, color, 0.85, 0.0);
        let difference = by.map_or(String::new(), |d| format!(" ({d:+.1})").replace('-', "\u{2212}"));
        let value = format!("{:.1}{difference}", f.destroyed_mm);
        // Inside a long bar, behind a short one.
        let (x, anchor, font) = if px(f.destroyed_mm) - LEFT > 130.0 {
            (LEFT + 10.0, Anchor::Start, Font::plain(12.5).color([255, 255, 255]))
        } else {
            (px(f.destroyed_mm) + 6.0, Anchor::Start, Font::plain(12.5))
        };
        canvas.text(x, middle + 4.5, anchor, font, &value);
        canvas.text(
            700.0,
            middle + 5.0,
            Anchor::End,
            Font::plain(13.0),
            &format!("{:.1}", f.width_mm),
        );
        canvas.text(
            780.0,
            middle + 5.0,
            Anchor::End,
            Font::plain(13.0),
            &format!("{:.0}", f.parallel_deg),
        );
        let harm = Font::plain(13.0).color(if f.harm_mm3 + f.spared_nerve_mm > 0.05 {
            LESION
        } else {
            MUTED
        });
        canvas.text(876.0, middle + 5.0, Anchor::End, harm, &format!("{:.1}", f.harm_mm3));
    }
    let actual = px(debrief.actual.destroyed_mm);
    canvas.polyline(&[[actual, TOP - 6.0], [actual, bottom]], INK, 1.5, 1.0, "5 4");
    let note = format!(
        "Cells {} times as large as usual, for all alike; differences below 0.3 mm tell nothing.",
        debrief.cell_size
    );
    canvas.text(24.0, bottom + 46.0, Anchor::Start, small, &note);
    canvas.png()
}
