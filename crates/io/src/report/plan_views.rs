//! A plan as a C-arm would show it: bone in parallel projection with needle, entry and nerve drawn over it.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::anatomy::{Patient, VertebraFrame};
use rayon::prelude::*;

use super::{
    canvas::{Anchor, Canvas, Font},
    style::{ACTIVE_TIP, ISO_50, MUTED, NERVE_TARGET},
};
use crate::results::ResultsError;

/// Side of a view, pixels and mm.
const SIDE_PX: usize = 420;
const SIDE_MM: f64 = 130.0;
/// Pixels of the bone's picture are so many times as large as those drawn.
const COARSE: usize = 2;
/// Half the depth that rays run through, and their step, mm.
const DEPTH_MM: f64 = 75.0;
const STEP_MM: f64 = 1.5;
/// Path in bone that leaves a tenth of the brightness, mm.
const DARK_MM: f64 = 60.0;
const GAP_PX: usize = 12;
const TOP_PX: usize = 58;

/// A needle to be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedNeedle {
    /// Distal end, mm.
    pub tip_mm: PatientPoint,
    /// Where the axis meets the skin, mm.
    pub entry_mm: PatientPoint,
    /// Active tip, mm.
    pub active_tip_mm: f64,
}

/// A view: the way of the rays through the patient and what is up in the picture.
struct View {
    title: String,
    rays: Vec3,
    up: Vec3,
    left: String,
    right: String,
}

/// Four views of a plan for one nerve: postero-anterior along the end plate, lateral, oblique by 30° and down the needle. PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn plan_views(
    patient: &dyn Patient,
    frame: &VertebraFrame,
    title: &str,
    needle: &PlannedNeedle,
    nerve: &[PatientPoint],
    right_side: bool,
) -> Result<Vec<u8>, ResultsError> {
    let sign = if right_side { -1.0 } else { 1.0 };
    let (anterior, own) = (-frame.posterior, frame.left * sign);
    let oblique = (anterior * 30f64.to_radians().cos() - own * 30f64.to_radians().sin()).normalize();
    let along = (needle.tip_mm.vec() - needle.entry_mm.vec()).normalize();
    let letter = |d: &Vec3, posterior: bool| {
        let parts = [(d.dot(&frame.left), "L", "R"), (d.dot(&frame.posterior), "P", "A")];
        let (v, plus, minus) = if posterior { parts[1] } else { parts[0] };
        if v > 0.0 { plus } else { minus }.to_owned()
    };
    let view = |title: String, rays: Vec3, up: Vec3| {
        let right = rays.cross(&up).normalize();
        let lateral = rays.dot(&frame.posterior).abs() < 0.5;
        View {
            title,
            rays,
            up: right.cross(&rays).normalize(),
            left: letter(&-right, lateral),
            right: letter(&right, lateral),
        }
    };
    let views = [
        view("postero-anterior, along the end plate".into(), anterior, frame.superior),
        view("lateral".into(), -own, frame.superior),
        view("oblique 30° to the side".into(), oblique, frame.superior),
        view("down the needle".into(), along, frame.superior),
    ];
    let width = views.len() * (SIDE_PX + GAP_PX) + GAP_PX;
    let mut canvas = Canvas::new(width, TOP_PX + SIDE_PX + 30);
    canvas.text(GAP_PX as f64, 24.0, Anchor::Start, Font::plain(18.0).bold(), title);
    let center = needle.tip_mm.vec() - along * (0.5 * needle.active_tip_mm);
    for (i, v) in views.iter().enumerate() {
        draw(
            &mut canvas,
            GAP_PX + i * (SIDE_PX + GAP_PX),
            v,
            patient,
            &center,
            needle,
            nerve,
        );
    }
    let y = (TOP_PX + SIDE_PX + 20) as f64;
    canvas.text(
        GAP_PX as f64,
        y,
        Anchor::Start,
        Font::plain(13.0).color(MUTED),
        "Parallel projection of bone; nerve green, shaft orange, active tip blue, entry through the skin circled. Research and teaching software, \
         not a medical device.",
    );
    canvas.png()
}

fn draw(
    canvas: &mut Canvas,
    left: usize,
    view: &View,
    patient: &dyn Patient,
    center: &Vec3,
    needle: &PlannedNeedle,
    nerve: &[PatientPoint],
) {
    let right = view.rays.cross(&view.up);
    let pixels = SIDE_PX / COARSE;
    let mm = SIDE_MM / pixels as f64;
    let shade: Vec<u8> = (0..pixels * pixels)
        .into_par_iter()
        .map(|k| {
            let (u, v) = ((k % pixels) as f64 + 0.5, (k / pixels) as f64 + 0.5);
            let start = center + right * (u * mm - 0.5 * SIDE_MM) - view.up * (v * mm - 0.5 * SIDE_MM);
            let (mut s, mut bone) = (-DEPTH_MM, 0.0);
            while s < DEPTH_MM {
                let level = patient.bone_level_mm(&PatientPoint::from_vec(start + view.rays * s));
                if level <= 0.0 {
                    bone += STEP_MM;
                }
                // The level is a distance within 3 mm of the surface.
                s += level.clamp(STEP_MM, 3.0);
            }
            (235.0 * 10f64.powf(-bone / DARK_MM)) as u8
        })
        .collect();
    let mut rows = vec![0u8; SIDE_PX * SIDE_PX * 3];
    for (i, pixel) in rows.chunks_exact_mut(3).enumerate() {
        let (x, y) = ((i % SIDE_PX) / COARSE, (i / SIDE_PX) / COARSE);
        pixel.fill(shade[y.min(pixels - 1) * pixels + x.min(pixels - 1)]);
    }
    canvas.blit(left, TOP_PX, SIDE_PX, &rows);
    let scale = SIDE_PX as f64 / SIDE_MM;
    let at = |p: &Vec3| {
        let d = p - center;
        [
            left as f64 + 0.5 * SIDE_PX as f64 + d.dot(&right) * scale,
            TOP_PX as f64 + 0.5 * SIDE_PX as f64 - d.dot(&view.up) * scale,
        ]
    };
    canvas.begin_clip(left as f64, TOP_PX as f64, SIDE_PX as f64, SIDE_PX as f64);
    let line: Vec<[f64; 2]> = nerve.iter().map(|p| at(&p.vec())).collect();
    canvas.polyline(&line, NERVE_TARGET, 3.0, 1.0, "");
    let (tip, entry) = (needle.tip_mm.vec(), needle.entry_mm.vec());
    let back = (entry - tip).normalize();
    canvas.line(at(&tip), at(&(entry + back * 20.0)), ISO_50, 2.5);
    canvas.line(at(&tip), at(&(tip + back * needle.active_tip_mm)), ACTIVE_TIP, 4.0);
    let ring: Vec<[f64; 2]> = (0..=24)
        .map(|i| {
            let (sin, cos) = (std::f64::consts::TAU * f64::from(i) / 24.0).sin_cos();
            let [x, y] = at(&entry);
            [x + 6.0 * cos, y + 6.0 * sin]
        })
        .collect();
    canvas.polyline(&ring, ISO_50, 2.0, 1.0, "");
    canvas.end_clip();
    let font = Font::plain(14.0);
    canvas.text(left as f64, TOP_PX as f64 - 8.0, Anchor::Start, font, &view.title);
    let over = font.bold().halo([255, 255, 255]);
    let y = TOP_PX as f64 + 18.0;
    canvas.text(left as f64 + 6.0, y, Anchor::Start, over, &view.left);
    canvas.text((left + SIDE_PX) as f64 - 6.0, y, Anchor::End, over, &view.right);
}
