//! Three-dimensional views: bone, needle, nerves and lesion, drawn orthographically with a depth buffer.

use neurotome_base::{PatientPoint, Vec3, geometry::perpendicular_pair};
use rayon::prelude::*;

use super::{
    Scene,
    canvas::{Anchor, Canvas, Font},
    section::{Entry, Mark, draw_legend},
    style::{ACTIVE_TIP, BONE, INK, LESION, MUTED, NERVE_SPARED, NERVE_TARGET, Rgb, SHAFT},
};
use crate::results::{
    ResultsError,
    lattice::Lattice,
    surface::{Mesh, isosurface},
};

/// Half of the cube in which bone is shown, mm.
const BONE_REACH_MM: f64 = 42.0;
/// Spacing of the lattice for the bone surface, mm.
const BONE_SPACING_MM: f64 = 1.0;
/// Pieces of bone smaller than this part of all bone shown are left out: specks that a threshold finds in soft tissue.
const SPECK_SHARE: f64 = 0.01;
/// Samples a pixel in each direction.
const SUPERSAMPLING: usize = 2;
/// Radius in pixels of the neighbourhood that shades hollows.
const HOLLOW_RADIUS: usize = 14;

/// Rows of samples that are drawn one after the other; bands go side by side.
const BAND: usize = 128;

/// What lies behind everything: a pale blue grey, against which pale bone stands out.
const BACKGROUND: [f64; 3] = [236.0, 240.0, 245.0];

/// A direct view on the scene.
struct View {
    title: &'static str,
    note: &'static str,
    /// Unit vector from the scene to the eye.
    toward: Vec3,
    half_mm: f64,
    /// Opacity of bone where it covers a needle, nerve or lesion, and what is added at its rims.
    bone_over: (f64, f64),
}

/// One kind of surface: its nearest fragment at each sample.
struct Layer {
    depth: Vec<f32>,
    shade: Vec<Shade>,
}

/// How a fragment looks.
#[derive(Debug, Clone, Copy, Default)]
struct Shade {
    color: Rgb,
    /// Cosine between surface and view, of 255.
    facing: u8,
}

impl Layer {
    fn new(n: usize) -> Self {
        Self {
            depth: vec![f32::NEG_INFINITY; n],
            shade: vec![Shade::default(); n],
        }
    }
}

/// The eye and the samples of the picture.
struct Eye {
    center: Vec3,
    right: Vec3,
    up: Vec3,
    toward: Vec3,
    light: Vec3,
    side: usize,
    per_mm: f64,
}

impl Eye {
    fn new(center: Vec3, toward: Vec3, half_mm: f64, side: usize) -> Self {
        let right = (-toward).cross(&Vec3::z()).try_normalize(1e-6).unwrap_or_else(Vec3::x);
        let up = toward.cross(&right);
        Self {
            center,
            right,
            up,
            toward,
            light: (toward + up * 0.7 - right * 0.5).normalize(),
            side,
            per_mm: side as f64 / (2.0 * half_mm),
        }
    }

    /// Column, row and depth (larger is nearer) of a point.
    fn project(&self, p: &Vec3) -> [f64; 3] {
        let d = p - self.center;
        let middle = 0.5 * self.side as f64;
        [
            middle + d.dot(&self.right) * self.per_mm,
            middle - d.dot(&self.up) * self.per_mm,
            d.dot(&self.toward),
        ]
    }

    /// Draws a mesh into a layer, in parallel by bands of rows; `color` gives each triangle's colour. Of a closed mesh only the near side is
    /// drawn.
    fn draw(&self, layer: &mut Layer, mesh: &Mesh, closed: bool, color: impl Fn(usize) -> Rgb + Sync) {
        let projected: Vec<[f64; 3]> = mesh.positions.par_iter().map(|p| self.project(p)).collect();
        // Ambient and diffuse light, and how far each vertex faces the eye.
        let light = |n: &Vec3| (0.34 + 0.66 * n.dot(&self.light).max(0.0), n.dot(&self.toward).abs());
        let lit: Vec<(f64, f64)> = mesh.normals.par_iter().map(light).collect();
        let shown: Vec<Shown> = mesh
            .triangles
            .par_iter()
            .enumerate()
            .filter_map(|(number, t)| self.shown(number, t.map(|v| projected[v as usize]), closed))
            .collect();
        let band = BAND * self.side;
        layer
            .depth
            .par_chunks_mut(band)
            .zip(layer.shade.par_chunks_mut(band))
            .enumerate()
            .for_each(|(number, (depth, shade))| {
                let mut band = Band {
                    first: number * BAND,
                    side: self.side,
                    depth,
                    shade,
                };
                for triangle in &shown {
                    if !band.meets(triangle) {
                        continue;
                    }
                    let t = mesh.triangles[triangle.number].map(|v| v as usize);
                    let (corners, lit) = (t.map(|v| projected[v]), t.map(|v| lit[v]));
                    band.draw(triangle, corners, lit, color(triangle.number).map(f64::from));
                }
            });
    }

    /// A triangle with projected corners, if it can be seen.
    fn shown(&self, number: usize, [a, b, c]: [[f64; 3]; 3], closed: bool) -> Option<Shown> {
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        // Rows run downwards, so that what is counter-clockwise from outside turns the other way here.
        if area.abs() < 1e-12 || (closed && area > 0.0) {
            return None;
        }
        let pixels = |axis: usize| {
            let low = a[axis].min(b[axis]).min(c[axis]);
            let high = a[axis].max(b[axis]).max(c[axis]);
            let first = (low - 0.5).ceil().max(0.0);
            let last = (high - 0.5).floor().min(self.side as f64 - 1.0);
            (first <= last).then_some([first as u32, last as u32])
        };
        Some(Shown {
            number,
            columns: pixels(0)?,
            rows: pixels(1)?,
        })
    }
}

/// A triangle that can be seen: its number, and the first and last columns and rows of its box.
struct Shown {
    number: usize,
    columns: [u32; 2],
    rows: [u32; 2],
}

/// Some rows of a layer.
struct Band<'l> {
    first: usize,
    side: usize,
    depth: &'l mut [f32],
    shade: &'l mut [Shade],
}

impl Band<'_> {
    /// The row after its last.
    fn end(&self) -> usize {
        self.first + self.depth.len() / self.side
    }

    fn meets(&self, triangle: &Shown) -> bool {
        let [first, last] = triangle.rows.map(|row| row as usize);
        first < self.end() && last >= self.first
    }

    /// Draws what lies in the band of a triangle with projected corners, their light and how far they face the eye.
    fn draw(&mut self, triangle: &Shown, [a, b, c]: [[f64; 3]; 3], lit: [(f64, f64); 3], rgb: [f64; 3]) {
        let [x0, x1] = triangle.columns.map(|column| column as usize);
        let [y0, y1] = triangle.rows.map(|row| row as usize);
        let (y0, y1) = (y0.max(self.first), y1.min(self.end() - 1));
        let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
        // The weights of the corners are linear in column and row.
        let per_area = 1.0 / area;
        let (across1, down1) = ((c[1] - a[1]) * per_area, (a[0] - c[0]) * per_area);
        let (across2, down2) = ((a[1] - b[1]) * per_area, (b[0] - a[0]) * per_area);
        let across = [-across1 - across2, across1, across2];
        // Columns at which a weight is zero lie at its value in the first column times this.
        let columns = across.map(|w| -1.0 / w);
        let from_a = x0 as f64 + 0.5 - a[0];
        for y in y0..=y1 {
            let below_a = y as f64 + 0.5 - a[1];
            let (row1, row2) = (below_a * down1, below_a * down2);
            let (w1, w2) = (from_a * across1 + row1, from_a * across2 + row2);
            // The columns in which no weight is below zero, and one more on either side.
            let (mut low, mut high) = (0.0, (x1 - x0) as f64);
            for ((w, across), columns) in [1.0 - w1 - w2, w1, w2].into_iter().zip(across).zip(columns) {
                if across > 0.0 {
                    low = f64::max(low, w * columns - 1.0);
                } else if across < 0.0 {
                    high = f64::min(high, w * columns + 1.0);
                }
            }
            if low > high {
                continue;
            }
            for x in x0 + low as usize..=x0 + high as usize {
                let from_a = x as f64 + 0.5 - a[0];
                let (w1, w2) = (from_a * across1 + row1, from_a * across2 + row2);
                let w0 = 1.0 - w1 - w2;
                if w0 < 0.0 || w1 < 0.0 || w2 < 0.0 {
                    continue;
                }
                let depth = (w0 * a[2] + w1 * b[2] + w2 * c[2]) as f32;
                let at = (y - self.first) * self.side + x;
                if depth > self.depth[at] {
                    self.depth[at] = depth;
                    let light = w0 * lit[0].0 + w1 * lit[1].0 + w2 * lit[2].0;
                    let facing = w0 * lit[0].1 + w1 * lit[1].1 + w2 * lit[2].1;
                    self.shade[at] = Shade {
                        color: rgb.map(|c| rounded(c * light.min(1.0))),
                        facing: rounded(255.0 * facing.min(1.0)),
                    };
                }
            }
        }
    }
}

/// A brightness, at least zero, to the nearest whole number.
fn rounded(v: f64) -> u8 {
    (v + 0.5) as u8
}

/// Darkens hollows: samples that lie deeper than the mean of their neighbourhood.
fn shade_hollows(layer: &mut Layer, side: usize, per_mm: f64) {
    let finite = |d: f32| d.is_finite();
    let floor = layer.depth.par_iter().copied().filter(|d| finite(*d));
    let floor = floor.reduce(|| f32::INFINITY, f32::min);
    let mut blurred: Vec<f32> = layer
        .depth
        .par_iter()
        .map(|&d| if finite(d) { d } else { floor })
        .collect();
    blur_rows(&mut blurred, side);
    blurred = blurred_columns(&blurred, side);
    let reach = (HOLLOW_RADIUS as f64 / per_mm) as f32;
    layer
        .shade
        .par_iter_mut()
        .zip(&layer.depth)
        .zip(blurred)
        .for_each(|((shade, &d), blurred)| {
            if finite(d) {
                let hollow = f64::from(((blurred - d) / (2.5 * reach)).clamp(0.0, 1.0));
                shade.color = shade.color.map(|c| rounded(f64::from(c) * (1.0 - 0.38 * hollow)));
            }
        });
}

/// The samples round number `at` over which a mean is taken, of `n`.
fn window(at: usize, n: usize) -> std::ops::Range<usize> {
    at.saturating_sub(HOLLOW_RADIUS)..(at + HOLLOW_RADIUS + 1).min(n)
}

/// Means over windows in each row.
fn blur_rows(values: &mut [f32], side: usize) {
    values
        .par_chunks_exact_mut(side)
        .for_each_init(Vec::new, |row: &mut Vec<f32>, out| {
            row.clear();
            row.extend_from_slice(out);
            let mut held = 0..0;
            let mut sum = 0.0f64;
            for (x, out) in out.iter_mut().enumerate() {
                let window = window(x, side);
                sum += row[held.end..window.end].iter().map(|v| f64::from(*v)).sum::<f64>();
                sum -= row[held.start..window.start].iter().map(|v| f64::from(*v)).sum::<f64>();
                *out = (sum / window.len() as f64) as f32;
                held = window;
            }
        });
}

/// Means over windows in each column, in parallel by bands of rows.
fn blurred_columns(values: &[f32], side: usize) -> Vec<f32> {
    let mut out = vec![0.0f32; values.len()];
    out.par_chunks_mut(BAND * side).enumerate().for_each(|(number, band)| {
        let mut sums = vec![0.0f64; side];
        let add = |rows: std::ops::Range<usize>, sign: f64, sums: &mut [f64]| {
            for row in values[rows.start * side..rows.end * side].chunks_exact(side) {
                for (sum, v) in sums.iter_mut().zip(row) {
                    *sum += sign * f64::from(*v);
                }
            }
        };
        let first = window(number * BAND, side).start;
        let mut held = first..first;
        for (row, out) in band.chunks_exact_mut(side).enumerate() {
            let window = window(number * BAND + row, side);
            add(held.end..window.end, 1.0, &mut sums);
            add(held.start..window.start, -1.0, &mut sums);
            let share = 1.0 / window.len() as f64;
            for (out, sum) in out.iter_mut().zip(&sums) {
                *out = (sum * share) as f32;
            }
            held = window;
        }
    });
    out
}

/// The bone surface round the lesion, from the tissues that the lesion was computed with.
fn bone_surface(scene: &Scene<'_>) -> Mesh {
    let reach = Vec3::repeat(BONE_REACH_MM);
    let lattice = Lattice::around(&(scene.focus - reach), &(scene.focus + reach), BONE_SPACING_MM);
    let bone: Vec<bool> = scene
        .run
        .problem
        .tissues
        .iter()
        .enumerate()
        .map(|(t, _)| scene.style(t).bone)
        .collect();
    if !bone.contains(&true) {
        return Mesh::default();
    }
    let anatomy = &scene.run.problem.anatomy;
    let mut inside = lattice.fill(|p| {
        let tissue = anatomy.tissue_at(&PatientPoint::from_vec(*p)).0;
        bone.get(usize::from(tissue)).copied().unwrap_or(false)
    });
    drop_specks(&mut inside, lattice.dims);
    let values = smoothed(&inside, lattice.dims);
    isosurface(&lattice, &values, 0.5)
}

/// Clears pieces of a mask that are small against the whole.
fn drop_specks(mask: &mut [bool], dims: [usize; 3]) {
    let total = mask.iter().filter(|m| **m).count();
    let least = (total as f64 * SPECK_SHARE) as usize;
    let strides = [1, dims[0], dims[0] * dims[1]];
    let mut seen = vec![false; mask.len()];
    for start in 0..mask.len() {
        if !mask[start] || seen[start] {
            continue;
        }
        let mut piece = vec![start];
        seen[start] = true;
        let mut next = 0;
        while next < piece.len() {
            let node = piece[next];
            next += 1;
            let index = [node % dims[0], node / dims[0] % dims[1], node / (dims[0] * dims[1])];
            for a in 0..3 {
                let neighbours = [
                    (index[a] > 0).then(|| node - strides[a]),
                    (index[a] + 1 < dims[a]).then(|| node + strides[a]),
                ];
                for n in neighbours.into_iter().flatten() {
                    if mask[n] && !seen[n] {
                        seen[n] = true;
                        piece.push(n);
                    }
                }
            }
        }
        if piece.len() < least {
            for n in piece {
                mask[n] = false;
            }
        }
    }
}

/// The mask as a smooth field: weights 1 2 1 along each axis, twice.
fn smoothed(mask: &[bool], dims: [usize; 3]) -> Vec<f32> {
    let mut values: Vec<f32> = mask.iter().map(|&m| f32::from(u8::from(m))).collect();
    let strides = [1, dims[0], dims[0] * dims[1]];
    for pass in 0..6 {
        let axis = pass % 3;
        let (stride, n) = (strides[axis], dims[axis]);
        let source = values.clone();
        values
            .par_iter_mut()
            .with_min_len(4096)
            .enumerate()
            .for_each(|(node, v)| {
                let i = node / stride % n;
                let down = if i > 0 { source[node - stride] } else { source[node] };
                let up = if i + 1 < n { source[node + stride] } else { source[node] };
                *v = 0.5 * source[node] + 0.25 * (down + up);
            });
    }
    values
}

/// A tube round a polyline.
fn tube(points: &[Vec3], radius_mm: f64) -> Mesh {
    const FACETS: usize = 16;
    let mut mesh = Mesh::default();
    let mut side: Option<Vec3> = None;
    for (n, p) in points.iter().enumerate() {
        let ahead = points[(n + 1).min(points.len() - 1)] - points[n.saturating_sub(1)];
        let axis = ahead.try_normalize(1e-9).unwrap_or_else(Vec3::z);
        let s = side
            .and_then(|s| (s - axis * axis.dot(&s)).try_normalize(1e-6))
            .unwrap_or_else(|| perpendicular_pair(&axis).0);
        side = Some(s);
        let other = axis.cross(&s);
        for f in 0..FACETS {
            let a = std::f64::consts::TAU * f as f64 / FACETS as f64;
            let out = s * a.cos() + other * a.sin();
            mesh.push(p + out * radius_mm, out);
        }
        if n > 0 {
            for f in 0..FACETS {
                let v = |ring: usize, f: usize| (ring * FACETS + f % FACETS) as u32;
                mesh.triangles.push([v(n - 1, f), v(n - 1, f + 1), v(n, f + 1)]);
                mesh.triangles.push([v(n - 1, f), v(n, f + 1), v(n, f)]);
            }
        }
    }
    mesh
}

/// Pixels of one view.
fn render(scene: &Scene<'_>, bone: &Mesh, view: &View, size: usize) -> Vec<u8> {
    let side = size * SUPERSAMPLING;
    let eye = Eye::new(scene.focus, view.toward, view.half_mm, side);
    let n = side * side;
    let mut layers = [Layer::new(n), Layer::new(n), Layer::new(n)];
    eye.draw(&mut layers[0], bone, true, |_| BONE);
    shade_hollows(&mut layers[0], side, eye.per_mm);
    for needle in &scene.needles {
        let (mesh, active) = needle.surface();
        eye.draw(
            &mut layers[1],
            &mesh,
            true,
            |t| if active[t] { ACTIVE_TIP } else { SHAFT },
        );
    }
    for nerve in &scene.nerves {
        let color = if nerve.target { NERVE_TARGET } else { NERVE_SPARED };
        eye.draw(
            &mut layers[1],
            &tube(&nerve.points, 0.5 * nerve.diameter_mm),
            false,
            |_| color,
        );
    }
    eye.draw(&mut layers[2], &scene.lesion, true, |_| LESION);

    let mut pixels = vec![255u8; size * size * 3];
    pixels
        .par_chunks_exact_mut(size * 3)
        .enumerate()
        .for_each(|(row, line)| {
            for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
                let mut sum = [0.0f64; 3];
                for s in 0..SUPERSAMPLING * SUPERSAMPLING {
                    let at =
                        (row * SUPERSAMPLING + s / SUPERSAMPLING) * side + column * SUPERSAMPLING + s % SUPERSAMPLING;
                    for (s, c) in sum.iter_mut().zip(blend(&layers, at, view)) {
                        *s += c;
                    }
                }
                let samples = (SUPERSAMPLING * SUPERSAMPLING) as f64;
                for (p, s) in pixel.iter_mut().zip(sum) {
                    *p = rounded(s / samples);
                }
            }
        });
    pixels
}

/// Colour of one sample: at most one fragment of each kind, blended from far to near.
fn blend(layers: &[Layer; 3], at: usize, view: &View) -> [f64; 3] {
    let mut color = BACKGROUND;
    let depth = [0, 1, 2].map(|l| layers[l].depth[at]);
    if depth[1..].iter().all(|d| *d == f32::NEG_INFINITY) {
        return if depth[0].is_finite() {
            layers[0].shade[at].color.map(f64::from)
        } else {
            color
        };
    }
    let mut order = [0, 1, 2];
    order.sort_by(|&a, &b| depth[a].total_cmp(&depth[b]));
    for l in order {
        if !depth[l].is_finite() {
            continue;
        }
        let Shade { color: new, facing } = layers[l].shade[at];
        let rim = 1.0 - f64::from(facing) / 255.0;
        let covers = depth[1].is_finite() || depth[2].is_finite();
        let opacity = match l {
            0 if covers => (view.bone_over.0 + view.bone_over.1 * rim * rim).min(1.0),
            0 | 1 => 1.0,
            _ => 0.42 + 0.4 * rim * rim,
        };
        for (c, new) in color.iter_mut().zip(new) {
            *c += opacity * (f64::from(new) - *c);
        }
    }
    color
}

/// The directions of the patient as short lines with letters.
fn draw_axes(canvas: &mut Canvas, toward: &Vec3, x: f64, y: f64) {
    let eye = Eye::new(Vec3::zeros(), *toward, 1.0, 2);
    let mut axes: Vec<(f64, [f64; 2], &str)> = [
        (Vec3::x(), "L"),
        (-Vec3::x(), "R"),
        (Vec3::y(), "P"),
        (-Vec3::y(), "A"),
        (Vec3::z(), "S"),
        (-Vec3::z(), "I"),
    ]
    .into_iter()
    .filter(|(v, _)| v.dot(toward) > -1e-9)
    .map(|(v, name)| (v.dot(toward), [v.dot(&eye.right), -v.dot(&eye.up)], name))
    .collect();
    axes.sort_by(|a, b| b.0.total_cmp(&a.0));
    canvas.rect(x - 50.0, y - 50.0, 100.0, 100.0, [255; 3], 0.8, 0.0);
    for (_, d, name) in axes {
        let length = d[0].hypot(d[1]);
        let tip = [x + 30.0 * d[0], y + 30.0 * d[1]];
        canvas.line([x, y], tip, INK, 2.0);
        let out = if length > 0.05 {
            43.0 / length.max(0.5) * length
        } else {
            0.0
        };
        let unit = if length > 0.05 {
            [d[0] / length, d[1] / length]
        } else {
            [0.0, 0.0]
        };
        let reach = (30.0 * length + 12.0).min(out.max(14.0));
        canvas.text(
            x + unit[0] * reach,
            y + unit[1] * reach + 5.0,
            Anchor::Middle,
            Font::plain(14.0).bold(),
            name,
        );
    }
}

/// Two views: from behind as the operator stands, and close up with translucent bone.
pub(crate) fn views(scene: &Scene<'_>) -> Result<Vec<u8>, ResultsError> {
    const SIZE: usize = 660;
    const TOP: usize = 78;
    let bone = bone_surface(scene);
    // The eye stands on the side from which the needle comes.
    let hub = -scene.needles[0].tip_direction();
    let lateral = if hub.x.abs() > 0.05 { hub.x } else { scene.focus.x };
    let side = if lateral < 0.0 { -1.0 } else { 1.0 };
    let toward = |azimuth_deg: f64, elevation_deg: f64| {
        let (a, e) = (azimuth_deg.to_radians(), elevation_deg.to_radians());
        Vec3::new(side * a.sin() * e.cos(), a.cos() * e.cos(), e.sin())
    };
    let views = [
        View {
            title: "From behind",
            note: "oblique, from above and from the needle's side",
            toward: toward(28.0, 22.0),
            half_mm: 42.0,
            bone_over: (0.84, 0.1),
        },
        View {
            title: "Close up, seen through bone",
            note: "from the needle's side",
            toward: toward(72.0, 12.0),
            half_mm: 22.0,
            bone_over: (0.34, 0.4),
        },
    ];
    let mut canvas = Canvas::new(20 + 2 * (SIZE + 20), TOP + SIZE + 66);
    canvas.text(
        20.0,
        30.0,
        Anchor::Start,
        Font::plain(20.0).bold(),
        "Needle, nerves and destroyed tissue",
    );
    let pictures: Vec<Vec<u8>> = views.par_iter().map(|v| render(scene, &bone, v, SIZE)).collect();
    for (n, (view, pixels)) in views.iter().zip(&pictures).enumerate() {
        let x = 20 + n * (SIZE + 20);
        let (fx, fy, s) = (x as f64, TOP as f64, SIZE as f64);
        canvas.blit(x, TOP, SIZE, pixels);
        canvas.rect(fx, fy, s, s, MUTED, 1.0, 1.0);
        canvas.text(fx, fy - 10.0, Anchor::Start, Font::plain(16.0).bold(), view.title);
        canvas.text(
            fx + s,
            fy - 10.0,
            Anchor::End,
            Font::plain(13.5).color(MUTED),
            view.note,
        );
        draw_axes(&mut canvas, &view.toward, fx + s - 60.0, fy + s - 60.0);
        let bar = 10.0 * s / (2.0 * view.half_mm);
        canvas.rect(fx + 8.0, fy + s - 50.0, bar + 20.0, 42.0, [255; 3], 0.8, 0.0);
        canvas.rect(fx + 18.0, fy + s - 22.0, bar, 5.0, INK, 1.0, 0.0);
        canvas.text(
            fx + 18.0 + bar / 2.0,
            fy + s - 30.0,
            Anchor::Middle,
            Font::plain(13.5).bold(),
            "10 mm",
        );
    }
    let entry = |mark, color, label: &str| Entry {
        mark,
        color,
        label: label.to_owned(),
    };
    let mut entries = vec![
        entry(Mark::Rod, ACTIVE_TIP, "bare metal"),
        entry(Mark::Rod, SHAFT, "insulation"),
    ];
    if !scene.lesion.triangles.is_empty() {
        entries.push(entry(Mark::Area, LESION, "destroyed tissue, Ω ≥ 1"));
    }
    if scene.nerves.iter().any(|n| n.target) {
        entries.push(entry(Mark::Rod, NERVE_TARGET, "target nerve"));
    }
    if scene.nerves.iter().any(|n| !n.target) {
        entries.push(entry(Mark::Rod, NERVE_SPARED, "nerve to be spared"));
    }
    if !bone.triangles.is_empty() {
        entries.push(entry(Mark::Rod, BONE, "bone"));
    }
    draw_legend(&mut canvas, 24.0, (TOP + SIZE + 34) as f64, 2.0 * SIZE as f64, &entries);
    canvas.png()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seen_from_behind_the_right_side_is_on_the_right() {
        let eye = Eye::new(Vec3::zeros(), Vec3::y(), 10.0, 100);
        let right = eye.project(&Vec3::new(-5.0, 0.0, 0.0));
        let head = eye.project(&Vec3::new(0.0, 0.0, 5.0));
        assert!(right[0] > 50.0 && head[1] < 50.0);
        assert!(eye.project(&Vec3::y())[2] > eye.project(&-Vec3::y())[2]);
    }

    #[test]
    fn specks_go_and_large_pieces_stay() {
        let dims = [20, 20, 20];
        let mut mask: Vec<bool> = (0..8000).map(|n| n % 20 < 10).collect();
        mask[15] = true;
        drop_specks(&mut mask, dims);
        assert!(!mask[15] && mask[5]);
        assert_eq!(mask.iter().filter(|m| **m).count(), 4000);
    }

    #[test]
    fn the_nearer_surface_wins() {
        let eye = Eye::new(Vec3::zeros(), Vec3::y(), 10.0, 40);
        let mut layer = Layer::new(1600);
        let far = tube(&[Vec3::new(-5.0, -3.0, 0.0), Vec3::new(5.0, -3.0, 0.0)], 2.0);
        let near = tube(&[Vec3::new(0.0, 3.0, -5.0), Vec3::new(0.0, 3.0, 5.0)], 1.0);
        eye.draw(&mut layer, &near, false, |_| [255, 0, 0]);
        eye.draw(&mut layer, &far, false, |_| [0, 255, 0]);
        let middle = layer.shade[20 * 40 + 20].color;
        assert!(middle[0] > middle[1]);
        assert!(layer.shade[20 * 40 + 12].color[1] > 0);
    }
}
