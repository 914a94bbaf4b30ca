//! Planes through the patient and one picture panel of each.

use neurotome_base::{PatientPoint, Vec3};
use rayon::prelude::*;

use crate::results::{
    files,
    lattice::filled,
    needle_shape::{Distance, NeedleShape},
};

use super::{
    Scene,
    canvas::{Anchor, Canvas, Font},
    contour::Grid2,
    style::{
        ACTIVE_TIP, BONE, GRID, INK, ISO_45, ISO_50, ISO_60, LESION, MUTED, NERVE_SPARED, NERVE_TARGET, Rgb, SHAFT,
    },
};

/// Hounsfield values shown black and white: soft tissue stays grey, compact bone bright.
const WINDOW_HU: (f64, f64) = (-200.0, 850.0);
/// Distance between samples of the fields, mm.
const FIELD_STEP_MM: f64 = 0.25;
/// Distance between samples of the needle's signed distance, mm.
const NEEDLE_STEP_MM: f64 = 0.1;
/// A nerve is drawn where it runs within this distance of the plane, mm.
pub(crate) const NERVE_SLAB_MM: f64 = 1.0;
/// Background where there is no image.
const NOWHERE: Rgb = [24, 28, 34];
/// Dark edge under light lines.
const DARK: Rgb = [20, 24, 30];

/// A plane through the patient, as it is looked at.
#[derive(Debug, Clone)]
pub(crate) struct Plane {
    /// What it is called.
    pub title: String,
    /// Where it lies, in words.
    pub place: String,
    /// The middle of the picture, mm.
    pub center: Vec3,
    /// Unit vector to the right of the picture.
    pub right: Vec3,
    /// Unit vector to the top of the picture.
    pub up: Vec3,
    /// True when the needle stands upright in the middle, where letters would hide it.
    pub upright: bool,
}

impl Plane {
    /// The point at `u` mm to the right and `v` mm above the middle.
    pub fn point(&self, u: f64, v: f64) -> Vec3 {
        self.center + self.right * u + self.up * v
    }

    /// Right, up and out-of-plane coordinates of a point, mm.
    pub fn coordinates(&self, p: &Vec3) -> [f64; 3] {
        let d = p - self.center;
        [d.dot(&self.right), d.dot(&self.up), d.dot(&self.right.cross(&self.up))]
    }
}

/// The three planes of the patient's axes through the middle of the active tip, and one that holds the needle.
pub(crate) fn planes(scene: &Scene<'_>) -> [Plane; 4] {
    let c = scene.focus;
    let at = |axis: &str, mm: f64| format!("{axis} = {mm:.1} mm").replace('-', "\u{2212}");
    let plane = |title: &str, place: String, right: Vec3, up: Vec3| Plane {
        title: title.to_owned(),
        place,
        center: c,
        right,
        up,
        upright: false,
    };
    let (right, up, place) = oblique(scene);
    [
        plane("Axial", at("z", c.z), Vec3::x(), -Vec3::y()),
        plane("Coronal", at("y", c.y), Vec3::x(), Vec3::z()),
        plane("Sagittal", at("x", c.x), Vec3::y(), Vec3::z()),
        Plane {
            upright: true,
            ..plane("Along the needle", place, right, up)
        },
    ]
}

/// Right and up of the plane that holds the needle, needle upright and tip down; among these planes, the one nearest to the
/// second needle or to the target nerve.
fn oblique(scene: &Scene<'_>) -> (Vec3, Vec3, String) {
    let up = -scene.needles[0].tip_direction();
    let across = |v: Vec3| v - up * v.dot(&up);
    let (mut right, place) = if let Some(second) = scene.needles.get(1) {
        (
            across(second.active_middle() - scene.needles[0].active_middle()),
            "holds both needles",
        )
    } else {
        // The direction across the needle along which the nearby target nerve lies most: largest eigenvector of a 2 × 2 matrix.
        let (a, b) = neurotome_base::geometry::perpendicular_pair(&up);
        let (mut aa, mut ab, mut bb) = (0.0, 0.0, 0.0);
        for nerve in scene.nerves.iter().filter(|n| n.target) {
            for p in &nerve.points {
                let d = p - scene.focus;
                if d.norm() < 15.0 {
                    let (x, y) = (d.dot(&a), d.dot(&b));
                    aa += x * x;
                    ab += x * y;
                    bb += y * y;
                }
            }
        }
        if aa + bb > 1e-6 {
            let angle = 0.5 * (2.0 * ab).atan2(aa - bb);
            (a * angle.cos() + b * angle.sin(), "turned to follow the target nerve")
        } else {
            upright_plane(&scene.needles[0], &across)
        }
    };
    right = right
        .try_normalize(1e-9)
        .unwrap_or_else(|| neurotome_base::geometry::perpendicular_pair(&up).0);
    // Turned so that the patient's left, back or head is on the right of the picture.
    let main = right.iamax();
    if right[main] < 0.0 {
        right = -right;
    }
    (right, up, place.to_owned())
}

/// The direction across a single needle to the right of its own plane: that of its first tine or bevel, or any.
fn upright_plane(needle: &NeedleShape, across: &impl Fn(Vec3) -> Vec3) -> (Vec3, &'static str) {
    if let Some(side) = needle.side.map(across).filter(|s| s.norm() > 1e-3) {
        let tined = needle.tine_ends().next().is_some();
        return (
            side,
            if tined {
                "holds the first tine"
            } else {
                "cuts the bevel in half"
            },
        );
    }
    let z = across(Vec3::z());
    (
        if z.norm() > 0.3 { z } else { across(Vec3::x()) },
        "holds the needle's axis",
    )
}

/// The letters of a direction: L or R, P or A, S or I, the strongest first, two at most.
pub(crate) fn letters(direction: &Vec3) -> String {
    let names = [("L", "R"), ("P", "A"), ("S", "I")];
    let mut parts: Vec<(f64, &str)> = (0..3)
        .map(|a| {
            (
                direction[a].abs(),
                if direction[a] > 0.0 { names[a].0 } else { names[a].1 },
            )
        })
        .collect();
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    parts.iter().take(2).filter(|p| p.0 > 0.35).map(|p| p.1).collect()
}

/// Where a panel lies on the picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub x: usize,
    pub y: usize,
    /// Side of the square panel in pixels.
    pub size: usize,
    /// Half of the side in mm.
    pub half_mm: f64,
}

impl Frame {
    fn pixels_per_mm(&self) -> f64 {
        self.size as f64 / (2.0 * self.half_mm)
    }

    /// Pixel of a point of the plane.
    fn pixel(&self, u: f64, v: f64) -> [f64; 2] {
        let s = self.pixels_per_mm();
        [
            self.x as f64 + (u + self.half_mm) * s,
            self.y as f64 + (self.half_mm - v) * s,
        ]
    }
}

/// What the background of a panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Background {
    /// The CT in grey; tissue colours where there is no CT.
    Ct,
    /// Tissue colours.
    Tissues,
}

/// Nodes along a side of a plane's grid that reaches one step beyond the panel, and the place of the first.
fn nodes(frame: &Frame, step: f64) -> (usize, f64) {
    let n = (2.0 * frame.half_mm / step).ceil() as usize + 3;
    (n, -0.5 * (n - 1) as f64 * step)
}

/// Samples of the nodes of a plane, rows upwards.
fn sample(frame: &Frame, step: f64, f: impl Fn(f64, f64) -> f32 + Sync) -> (Grid2, f64) {
    let (n, low) = nodes(frame, step);
    let values = (0..n * n)
        .into_par_iter()
        .with_min_len(n)
        .map(|k| f(low + (k % n) as f64 * step, low + (k / n) as f64 * step))
        .collect();
    (
        Grid2 {
            columns: n,
            rows: n,
            values,
        },
        low,
    )
}

/// Loops of a grid in pixels.
fn loops(frame: &Frame, grid: &Grid2, low: f64, step: f64, level: f32) -> Vec<Vec<[f64; 2]>> {
    let mut loops = grid.loops(level);
    for p in loops.iter_mut().flatten() {
        *p = frame.pixel(low + p[0] * step, low + p[1] * step);
    }
    loops
}

/// The tissue labels of a panel.
struct Labels {
    grid: Grid2,
    low: f64,
    step: f64,
}

/// Samples the tissue over a panel.
fn labels(scene: &Scene<'_>, plane: &Plane, frame: &Frame) -> Labels {
    let step = frame.half_mm / 170.0;
    let anatomy = &scene.run.problem.anatomy;
    let (n, low) = nodes(frame, step);
    let values = filled([n, n, 1], |[i, j, _]| {
        let p = plane.point(low + i as f64 * step, low + j as f64 * step);
        f32::from(anatomy.tissue_at(&PatientPoint::from_vec(p)).0)
    });
    let grid = Grid2 {
        columns: n,
        rows: n,
        values,
    };
    Labels { grid, low, step }
}

impl Labels {
    /// The tissues present, with their share of the panel, in the order of the tissue table.
    fn present(&self) -> Vec<(usize, f64)> {
        let mut count = [0usize; 256];
        for v in &self.grid.values {
            count[*v as usize] += 1;
        }
        let n = self.grid.values.len() as f64;
        (0..256)
            .filter(|&t| count[t] > 0)
            .map(|t| (t, count[t] as f64 / n))
            .collect()
    }

    /// Smooth outlines in pixels of the nodes for which `belongs` holds.
    fn outline(&self, frame: &Frame, belongs: impl Fn(usize) -> bool) -> Vec<Vec<[f64; 2]>> {
        let indicator = Grid2 {
            columns: self.grid.columns,
            rows: self.grid.rows,
            values: self
                .grid
                .values
                .iter()
                .map(|v| f32::from(u8::from(belongs(*v as usize))))
                .collect(),
        };
        loops(frame, &indicator.smoothed(2), self.low, self.step, 0.5)
    }
}

/// Pixels of a panel's background.
fn background(scene: &Scene<'_>, plane: &Plane, frame: &Frame, labels: &Labels, what: Background) -> Vec<u8> {
    let n = frame.size;
    let mm = 1.0 / frame.pixels_per_mm();
    let mut pixels = vec![0u8; n * n * 3];
    let ct = scene.run.ct.filter(|_| what == Background::Ct);
    pixels.par_chunks_exact_mut(n * 3).enumerate().for_each(|(row, line)| {
        let v = frame.half_mm - (row as f64 + 0.5) * mm;
        for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
            let u = (column as f64 + 0.5) * mm - frame.half_mm;
            let rgb = if let Some(ct) = ct {
                let hu = ct.trilinear(&PatientPoint::from_vec(plane.point(u, v)));
                hu.map_or(NOWHERE, |hu| {
                    let grey = (hu - WINDOW_HU.0) / (WINDOW_HU.1 - WINDOW_HU.0);
                    [(grey.clamp(0.0, 1.0) * 255.0).round() as u8; 3]
                })
            } else {
                let i = ((u - labels.low) / labels.step).round() as usize;
                let j = ((v - labels.low) / labels.step).round() as usize;
                scene
                    .style(labels.grid.values[i + labels.grid.columns * j] as usize)
                    .rgb
            };
            pixel.copy_from_slice(&rgb);
        }
    });
    pixels
}

/// What is drawn over a panel's background.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overlay {
    /// Isotherms, lesion and nerves.
    pub lesion: bool,
    /// Outlines of the tissues.
    pub outlines: bool,
}

/// Draws one panel with its frame, scale and letters; returns the tissues in it.
pub(crate) fn draw_panel(
    canvas: &mut Canvas,
    scene: &Scene<'_>,
    plane: &Plane,
    frame: &Frame,
    what: Background,
    overlay: Overlay,
) -> Vec<(usize, f64)> {
    let labels = labels(scene, plane, frame);
    canvas.blit(
        frame.x,
        frame.y,
        frame.size,
        &background(scene, plane, frame, &labels, what),
    );
    let (x, y, size) = (frame.x as f64, frame.y as f64, frame.size as f64);
    canvas.begin_clip(x, y, size, size);
    if overlay.outlines {
        draw_outlines(canvas, scene, frame, &labels, what);
    }
    if overlay.lesion {
        draw_lesion(canvas, scene, plane, frame);
    }
    if overlay.lesion {
        draw_nerves(canvas, scene, plane, frame);
    }
    draw_needles(
        canvas,
        scene,
        plane,
        frame,
        scene.run.ct.is_some() && what == Background::Ct,
    );
    canvas.end_clip();
    draw_frame(canvas, plane, frame, scene.needles.len());
    labels.present()
}

fn draw_outlines(canvas: &mut Canvas, scene: &Scene<'_>, frame: &Frame, labels: &Labels, what: Background) {
    let present = labels.present();
    if what == Background::Ct && scene.run.ct.is_some() {
        let bone = labels.outline(frame, |t| scene.style(t).bone);
        canvas.loops(&bone, BONE, 0.10, 1.3);
    } else {
        // The outline of all but the commonest tissue holds every border once or twice.
        let commonest = present.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |p| p.0);
        for (t, _) in present.into_iter().filter(|p| p.0 != commonest) {
            let outline = labels.outline(frame, |l| l == t);
            canvas.loops(&outline, [96, 84, 76], 0.0, 1.0);
        }
    }
}

fn draw_lesion(canvas: &mut Canvas, scene: &Scene<'_>, plane: &Plane, frame: &Frame) {
    let n = (2.0 * frame.half_mm / FIELD_STEP_MM).ceil() as usize + 3;
    let low = -0.5 * (n - 1) as f64 * FIELD_STEP_MM;
    let at = |k: usize| {
        plane.point(
            low + (k % n) as f64 * FIELD_STEP_MM,
            low + (k / n) as f64 * FIELD_STEP_MM,
        )
    };
    // Only contours of hot or destroyed tissue are drawn: what stayed cooler need not be looked at.
    let hot = scene.survey.box_above(files::FIELD_TEMPERATURE_C);
    let fields = scene.probe().fields_within(&hot, [n, n, 1], at);
    let grid = |values: Vec<f32>| Grid2 {
        columns: n,
        rows: n,
        values,
    };
    let omega = loops(frame, &grid(fields.log10_omega), low, FIELD_STEP_MM, 0.0);
    canvas.loops(&omega, LESION, if scene.run.ct.is_some() { 0.45 } else { 0.62 }, 0.0);
    canvas.loops(&omega, DARK, 0.0, 4.0);
    canvas.loops(&omega, LESION, 0.0, 2.6);
    let heated = grid(fields.heated_c);
    for (level, color) in [(45.0, ISO_45), (50.0, ISO_50), (60.0, ISO_60)] {
        let lines = loops(frame, &heated, low, FIELD_STEP_MM, level);
        canvas.loops(&lines, DARK, 0.0, 2.8);
        canvas.loops(&lines, color, 0.0, 1.7);
    }
}

/// Blocks of a plane in which a needle is looked for, mm; most are far from it.
const BLOCK_MM: f64 = 2.0;

/// Distance from a needle as a function of the place on the plane; far away only that it is far.
fn distance_on<'a>(
    needle: &'a NeedleShape,
    plane: &'a Plane,
    frame: &Frame,
) -> impl Fn(f64, f64) -> Distance + Sync + use<'a> {
    let blocks = (2.0 * (frame.half_mm + 1.0) / BLOCK_MM).ceil() as isize + 2;
    let first = -(blocks / 2) - 1;
    let side = (blocks + 3) as usize;
    let middle = |n: usize| (first as f64 + n as f64 + 0.5) * BLOCK_MM;
    let far: Vec<bool> = (0..side * side)
        .map(|k| {
            needle
                .distance(&plane.point(middle(k % side), middle(k / side)))
                .metal_mm
                > BLOCK_MM
        })
        .collect();
    move |u, v| {
        let cell = |c: f64| ((c / BLOCK_MM).floor() as isize - first) as usize;
        if far[cell(u) + side * cell(v)] {
            Distance {
                metal_mm: BLOCK_MM,
                bare_mm: BLOCK_MM,
            }
        } else {
            needle.distance(&plane.point(u, v))
        }
    }
}

fn draw_needles(canvas: &mut Canvas, scene: &Scene<'_>, plane: &Plane, frame: &Frame, on_dark: bool) {
    for needle in &scene.needles {
        // Axes as they project on the plane, so that the eye finds the parts before and behind it.
        for line in needle.lines() {
            let axis: Vec<[f64; 2]> = line
                .iter()
                .map(|p| {
                    let [u, v, _] = plane.coordinates(p);
                    frame.pixel(u, v)
                })
                .collect();
            canvas.polyline(&axis, if on_dark { SHAFT } else { DARK }, 1.5, 0.8, "2 6");
        }
        let distance = distance_on(needle, plane, frame);
        let (metal, low) = sample(frame, NEEDLE_STEP_MM, |u, v| -distance(u, v).metal_mm as f32);
        let (bare, _) = sample(frame, NEEDLE_STEP_MM, |u, v| -distance(u, v).bare_mm as f32);
        let metal = loops(frame, &metal, low, NEEDLE_STEP_MM, 0.0);
        let bare = loops(frame, &bare, low, NEEDLE_STEP_MM, 0.0);
        canvas.loops(&metal, DARK, 0.0, 2.4);
        canvas.loops(&metal, SHAFT, 1.0, 0.0);
        canvas.loops(&bare, ACTIVE_TIP, 1.0, 0.0);
    }
}

fn draw_nerves(canvas: &mut Canvas, scene: &Scene<'_>, plane: &Plane, frame: &Frame) {
    for nerve in &scene.nerves {
        let (color, edge) = if nerve.target {
            (NERVE_TARGET, [255; 3])
        } else {
            (NERVE_SPARED, [255; 3])
        };
        let width = (nerve.diameter_mm * frame.pixels_per_mm()).max(4.0);
        let mut piece: Vec<[f64; 2]> = Vec::new();
        let mut pieces = Vec::new();
        for p in &nerve.points {
            let [u, v, w] = plane.coordinates(p);
            if w.abs() <= NERVE_SLAB_MM {
                piece.push(frame.pixel(u, v));
            } else if !piece.is_empty() {
                pieces.push(std::mem::take(&mut piece));
            }
        }
        pieces.push(piece);
        for piece in pieces.iter().filter(|p| !p.is_empty()) {
            if piece.len() == 1 {
                canvas.dot(piece[0], 0.5 * width + 1.2, edge);
                canvas.dot(piece[0], 0.5 * width, color);
            } else {
                canvas.polyline(piece, edge, width + 2.4, 1.0, "");
                canvas.polyline(piece, color, width, 1.0, "");
            }
        }
    }
}

fn draw_frame(canvas: &mut Canvas, plane: &Plane, frame: &Frame, needles: usize) {
    let (x, y, size) = (frame.x as f64, frame.y as f64, frame.size as f64);
    canvas.rect(x, y, size, size, MUTED, 1.0, 1.0);
    let small = Font::plain(12.5).color(MUTED);
    let step = if frame.half_mm > 40.0 { 20.0 } else { 10.0 };
    let ticks = (frame.half_mm / step).floor() as i32;
    for t in -ticks..=ticks {
        let mm = f64::from(t) * step;
        let [px, py] = frame.pixel(mm, mm);
        canvas.line([px, y + size], [px, y + size + 5.0], MUTED, 1.0);
        canvas.line([x - 5.0, py], [x, py], MUTED, 1.0);
        let label = if t == 0 {
            "0".to_owned()
        } else {
            format!("{mm:.0}").replace('-', "\u{2212}")
        };
        canvas.text(px, y + size + 19.0, Anchor::Middle, small, &label);
        canvas.text(x - 8.0, py + 4.5, Anchor::End, small, &label);
    }
    let origin = if needles > 1 {
        "mm from the middle between the active tips"
    } else {
        "mm from the middle of the active tip"
    };
    canvas.text(x + size, y + size + 36.0, Anchor::End, small, origin);
    canvas.text(x, y - 9.0, Anchor::Start, Font::plain(17.0).bold(), &plane.title);
    canvas.text(
        x + size,
        y - 9.0,
        Anchor::End,
        Font::plain(14.0).color(MUTED),
        &plane.place,
    );

    let letter = Font::plain(18.0).bold().color([255; 3]).halo(INK);
    let middle = size / 2.0;
    canvas.text(
        x + 9.0,
        y + middle + 6.0,
        Anchor::Start,
        letter,
        &letters(&-plane.right),
    );
    canvas.text(
        x + size - 9.0,
        y + middle + 6.0,
        Anchor::End,
        letter,
        &letters(&plane.right),
    );
    let across = if plane.upright { middle - 30.0 } else { middle };
    canvas.text(x + across, y + 22.0, Anchor::Middle, letter, &letters(&plane.up));
    canvas.text(
        x + across,
        y + size - 10.0,
        Anchor::Middle,
        letter,
        &letters(&-plane.up),
    );

    let bar = step * frame.pixels_per_mm();
    let (bx, by) = (x + 16.0, y + size - 16.0);
    canvas.rect(bx - 2.0, by - 2.0, bar + 4.0, 8.0, INK, 1.0, 0.0);
    canvas.rect(bx, by, bar, 4.0, [255; 3], 1.0, 0.0);
    canvas.text(
        bx + bar / 2.0,
        by - 7.0,
        Anchor::Middle,
        Font::plain(13.0).bold().color([255; 3]).halo(INK),
        &format!("{step:.0} mm"),
    );
}

/// One entry of a legend.
pub(crate) struct Entry {
    pub mark: Mark,
    pub color: Rgb,
    pub label: String,
}

/// What stands before a legend's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Line,
    Area,
    Rod,
}

/// Draws a legend in rows between `x` and `x + width`; returns its height.
pub(crate) fn draw_legend(canvas: &mut Canvas, x: f64, y: f64, width: f64, entries: &[Entry]) -> f64 {
    let font = Font::plain(14.5);
    let (mut cx, mut cy) = (x, y);
    for e in entries {
        let w = 46.0 + e.label.chars().count() as f64 * font.size * 0.60 + 18.0;
        if cx + w > x + width && cx > x {
            cx = x;
            cy += 27.0;
        }
        let (mx, my) = (cx, cy);
        match e.mark {
            Mark::Line => {
                canvas.line([mx, my], [mx + 34.0, my], DARK, 4.2);
                canvas.line([mx, my], [mx + 34.0, my], e.color, 2.6);
            }

            Mark::Area => {
                canvas.rect(mx, my - 8.0, 34.0, 16.0, e.color, 0.55, 0.0);
                canvas.rect(mx, my - 8.0, 34.0, 16.0, e.color, 1.0, 2.4);
            }
            Mark::Rod => {
                canvas.rect(mx, my - 5.5, 34.0, 11.0, e.color, 1.0, 0.0);
                canvas.rect(mx, my - 5.5, 34.0, 11.0, GRID, 1.0, 0.8);
            }
        }
        canvas.text(mx + 42.0, my + 5.2, Anchor::Start, font, &e.label);
        cx += w;
    }
    cy - y + 27.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_follow_lps() {
        assert_eq!(letters(&Vec3::x()), "L");
        assert_eq!(letters(&-Vec3::y()), "A");
        assert_eq!(letters(&Vec3::new(0.0, 0.6, -0.8)), "IP");
    }
}
