//! Pictures of slices: the lesion in four planes, and the tissue map beside the CT.

use super::{
    Scene,
    canvas::{Anchor, Canvas, Font},
    section::{Background, Entry, Frame, Mark, Overlay, draw_legend, draw_panel, planes},
    style::{ACTIVE_TIP, BONE, ISO_45, ISO_50, ISO_60, LESION, NERVE_SPARED, NERVE_TARGET, SHAFT},
};
use crate::results::ResultsError;

const PANEL: usize = 600;
const LEFT: usize = 58;
const TOP: usize = 72;
const STEP_X: usize = PANEL + 74;
const STEP_Y: usize = PANEL + 84;
/// Half of the field of view of the lesion's slices, mm.
const LESION_HALF_MM: f64 = 30.0;
/// Half of the field of view of the tissue map, mm.
const MAP_HALF_MM: f64 = 50.0;

fn title(canvas: &mut Canvas, text: &str) {
    canvas.text(LEFT as f64, 30.0, Anchor::Start, Font::plain(20.0).bold(), text);
}

/// The lesion in the three planes of the patient and along the needle.
pub(crate) fn lesion_slices(scene: &Scene<'_>) -> Result<Vec<u8>, ResultsError> {
    let width = LEFT + 2 * STEP_X;
    let mut canvas = Canvas::new(width, TOP + 2 * STEP_Y + 76);
    title(
        &mut canvas,
        "Lesion at the needle: temperature at the end of heating, destroyed tissue at the end of the run",
    );
    for (n, plane) in planes(scene).iter().enumerate() {
        let frame = Frame {
            x: LEFT + (n % 2) * STEP_X,
            y: TOP + (n / 2) * STEP_Y,
            size: PANEL,
            half_mm: LESION_HALF_MM,
        };
        let overlay = Overlay {
            lesion: true,
            outlines: true,
        };
        draw_panel(&mut canvas, scene, plane, &frame, Background::Ct, overlay);
    }
    let entry = |mark, color, label: &str| Entry {
        mark,
        color,
        label: label.to_owned(),
    };
    let mut entries = vec![
        entry(Mark::Line, ISO_45, "45 °C"),
        entry(Mark::Line, ISO_50, "50 °C"),
        entry(Mark::Line, ISO_60, "60 °C"),
        entry(Mark::Area, LESION, "destroyed tissue, Ω ≥ 1"),
        entry(Mark::Rod, ACTIVE_TIP, "bare metal"),
        entry(Mark::Rod, SHAFT, "insulation (dots: axis off the plane)"),
    ];
    if scene.nerves.iter().any(|n| n.target) {
        entries.push(entry(Mark::Rod, NERVE_TARGET, "target nerve within 1 mm of the plane"));
    }
    if scene.nerves.iter().any(|n| !n.target) {
        entries.push(entry(Mark::Rod, NERVE_SPARED, "nerve to be spared"));
    }
    if scene.run.ct.is_some() {
        entries.push(entry(Mark::Line, BONE, "outline of bone"));
    }
    draw_legend(
        &mut canvas,
        LEFT as f64,
        (TOP + 2 * STEP_Y) as f64,
        (width - LEFT - 10) as f64,
        &entries,
    );
    canvas.png()
}

/// The tissues as the program took them, beside the CT they were taken from.
pub(crate) fn tissue_map(scene: &Scene<'_>) -> Result<Vec<u8>, ResultsError> {
    let all = planes(scene);
    let with_ct = scene.run.ct.is_some();
    // With a CT: one row a plane, CT on the left. Without: two planes side by side.
    let (rows, chosen) = if with_ct { (2, [0, 2]) } else { (1, [0, 2]) };
    let width = LEFT + 2 * STEP_X;
    let mut canvas = Canvas::new(width, TOP + rows * STEP_Y + 76);
    title(
        &mut canvas,
        if with_ct {
            "Tissues taken from the CT: do the colours agree with the grey picture?"
        } else {
            "Tissues of the model"
        },
    );
    let frame = |column: usize, row: usize| Frame {
        x: LEFT + column * STEP_X,
        y: TOP + row * STEP_Y,
        size: PANEL,
        half_mm: MAP_HALF_MM,
    };
    let plain = Overlay {
        lesion: false,
        outlines: false,
    };
    let outlined = Overlay {
        lesion: false,
        outlines: true,
    };
    let mut seen = std::collections::BTreeSet::new();
    for (n, &p) in chosen.iter().enumerate() {
        let plane = &all[p];
        let map = if with_ct {
            draw_panel(&mut canvas, scene, plane, &frame(0, n), Background::Ct, plain);
            frame(1, n)
        } else {
            frame(n, 0)
        };
        let present = draw_panel(&mut canvas, scene, plane, &map, Background::Tissues, outlined);
        seen.extend(present.into_iter().map(|t| t.0));
    }
    let entries: Vec<Entry> = seen
        .iter()
        .map(|&t| Entry {
            mark: Mark::Rod,
            color: scene.style(t).rgb,
            label: scene.tissue_name(t),
        })
        .chain([Entry {
            mark: Mark::Rod,
            color: ACTIVE_TIP,
            label: "bare metal".to_owned(),
        }])
        .collect();
    let y = (TOP + rows * STEP_Y) as f64;
    draw_legend(&mut canvas, LEFT as f64, y, (width - LEFT - 10) as f64, &entries);
    canvas.png()
}
