//! Nested shells round one needle: capsule coordinates with their exact metric.
//!
//! ```text
//!            meridian t →  (pole) 0 1 … cap-1 | cap … along the shaft
//!   shell j   ────────────────────────────────────────────────
//!   n-1       irregular: Voronoi towards the octree
//!    …        exact metric
//!    0        touches the metal
//!   ────────── surface r = a ──────────
//!   metal 1, 0 (no angle: steel is isothermal round its axis)
//! ```

use std::f64::consts::{PI, TAU};

use neurotome_base::Vec3;

use super::{Face, FaceKind, FittedNeedle, Sizing, axis::Axis};

/// The shells of one needle. Cells are indexed `(shell j, meridian t, angle q)`; the pole `t = 0` has one cell a shell.
#[derive(Debug, Clone)]
pub struct Shells {
    /// Axis.
    pub axis: Axis,
    /// Faces between shells, metres from the axis; the first is the metal's radius.
    pub radius: Vec<f64>,
    /// Angles from the pole of the faces of the rounded end, 0 to π/2.
    pub polar: Vec<f64>,
    /// Faces along the shaft, metres from the centre of the rounded end.
    pub along: Vec<f64>,
    /// Cells round the axis.
    pub around: usize,
    /// First meridian cell that is insulated.
    pub insulated_from: usize,
    /// First tissue cell.
    pub first: u32,
    /// First metal cell.
    pub first_metal: u32,
    /// Faces between metal layers, from the axis.
    pub metal_radius: [f64; METAL_LAYERS + 1],
}

/// Layers of metal from axis to surface.
pub const METAL_LAYERS: usize = 2;

impl Shells {
    /// Lays the shells of a needle out to `reach` metres from its metal; `end` is where the modelled shaft ends.
    pub fn new(needle: &FittedNeedle, sizing: &Sizing, reach: f64, end: f64) -> Self {
        let a = needle.radius;
        let mut radius = vec![a];
        let mut thickness = sizing.shell_first;
        while radius[radius.len() - 1] - a < reach * 0.999 {
            radius.push(radius[radius.len() - 1] + thickness);
            thickness *= sizing.shell_growth;
        }
        let stretch = reach / (radius[radius.len() - 1] - a);
        for r in &mut radius {
            *r = a + (*r - a) * stretch;
        }
        // The pole cell is half a step wide, so that its point on the axis is a step away from the next.
        let step = 0.5 * PI / (sizing.cap as f64 - 0.5);
        let polar: Vec<f64> = (0..=sizing.cap)
            .map(|t| if t == 0 { 0.0 } else { step * (t as f64 - 0.5) })
            .collect();
        let ring = (needle.active_length - a).min(end);
        let cap_cell = step * (a + sizing.shell_first);
        let size = |s: f64| {
            let widest = if s < ring { sizing.along_tip } else { sizing.along_shaft };
            (sizing.ring + 0.25 * (s - ring).abs())
                .min(cap_cell + 0.25 * s)
                .min(widest)
        };
        let mut along = vec![0.0];
        fill(&mut along, ring, &size);
        let insulated_from = sizing.cap + along.len() - 1;
        if end > ring {
            fill(&mut along, end, &size);
        }
        Self {
            axis: needle.axis,
            radius,
            polar,
            along,
            around: sizing.around,
            insulated_from,
            first: 0,
            first_metal: 0,
            metal_radius: [0.0, 0.6 * a, a],
        }
    }

    /// Shells.
    pub fn shells(&self) -> usize {
        self.radius.len() - 1
    }

    /// Cells along the meridian.
    pub fn meridian(&self) -> usize {
        self.cap() + self.along.len() - 1
    }

    /// Cells along the meridian of the rounded end.
    pub fn cap(&self) -> usize {
        self.polar.len() - 1
    }

    /// Where the modelled shaft ends.
    pub fn end(&self) -> f64 {
        self.along[self.along.len() - 1]
    }

    fn per_shell(&self) -> usize {
        1 + (self.meridian() - 1) * self.around
    }

    /// Tissue cells.
    pub fn tissue_cells(&self) -> usize {
        self.shells() * self.per_shell()
    }

    /// Metal cells.
    pub fn metal_cells(&self) -> usize {
        METAL_LAYERS * self.meridian()
    }

    /// The tissue cell `(j, t, q)`; at the pole any `q` gives the one cell.
    pub fn cell(&self, j: usize, t: usize, q: usize) -> u32 {
        let in_shell = if t == 0 {
            0
        } else {
            1 + (t - 1) * self.around + q % self.around
        };
        self.first + (j * self.per_shell() + in_shell) as u32
    }

    /// `(j, t, q)` of a tissue cell.
    pub fn index(&self, cell: u32) -> (usize, usize, usize) {
        let local = (cell - self.first) as usize;
        let (j, in_shell) = (local / self.per_shell(), local % self.per_shell());
        match in_shell.checked_sub(1) {
            None => (j, 0, 0),
            Some(k) => (j, 1 + k / self.around, k % self.around),
        }
    }

    /// The metal cell of a layer and meridian place.
    pub fn metal(&self, layer: usize, t: usize) -> u32 {
        self.first_metal + (t * METAL_LAYERS + layer) as u32
    }

    /// Cells round the axis at meridian place `t`.
    pub fn around_at(&self, t: usize) -> usize {
        if t == 0 { 1 } else { self.around }
    }

    /// Radius of the points of shell `j`. Those of the outermost mirror the next inner ones at the face between, which so is
    /// also a face of the Voronoi cells.
    pub fn shell_center(&self, j: usize) -> f64 {
        let middle = |j: usize| 0.5 * (self.radius[j] + self.radius[j + 1]);
        if j > 0 && j + 1 == self.shells() {
            2.0 * self.radius[j] - middle(j - 1)
        } else {
            middle(j)
        }
    }

    fn metal_center(&self, layer: usize) -> f64 {
        0.5 * (self.metal_radius[layer] + self.metal_radius[layer + 1])
    }

    /// Angle from the pole of the points at a meridian place within the rounded end.
    pub fn polar_center(&self, t: usize) -> f64 {
        if t == 0 {
            0.0
        } else {
            0.5 * (self.polar[t] + self.polar[t + 1])
        }
    }

    /// Place along the shaft of the points at a meridian place beyond the rounded end.
    pub fn along_center(&self, t: usize) -> f64 {
        let k = t - self.cap();
        0.5 * (self.along[k] + self.along[k + 1])
    }

    /// Arc length along the meridian at the metal's surface of the points at `t`, from the pole.
    pub fn meridian_center(&self, t: usize) -> f64 {
        let a = self.radius[0];
        if t < self.cap() {
            a * self.polar_center(t)
        } else {
            a * 0.5 * PI + self.along_center(t)
        }
    }

    /// The angle of the points with index `q`.
    pub fn angle(&self, q: usize) -> f64 {
        TAU * q as f64 / self.around as f64
    }

    /// The place of `(radius, t, angle)`.
    pub fn place(&self, radius: f64, t: usize, angle: f64) -> Vec3 {
        if t < self.cap() {
            self.polar_place(radius, self.polar_center(t), angle)
        } else {
            let (c, _, e1, e2) = self.axis.at(self.along_center(t));
            c + (e1 * angle.cos() + e2 * angle.sin()) * radius
        }
    }

    /// The place at a radius, polar angle and angle round the rounded end.
    pub fn polar_place(&self, radius: f64, polar: f64, angle: f64) -> Vec3 {
        let (c, tangent, e1, e2) = self.axis.at(0.0);
        c + (tangent * polar.cos() + (e1 * angle.cos() + e2 * angle.sin()) * polar.sin()) * radius
    }

    /// Point of a tissue cell.
    pub fn center(&self, j: usize, t: usize, q: usize) -> Vec3 {
        self.place(self.shell_center(j), t, self.angle(q))
    }

    /// Point of a metal cell.
    pub fn metal_point(&self, layer: usize, t: usize) -> Vec3 {
        // Metal cells have no angle; their point stands on the axis (rounded end: at their depth below the pole's surface).
        if t < self.cap() {
            self.polar_place(self.metal_center(layer), 0.0, 0.0)
        } else {
            self.axis.at(self.along_center(t)).0
        }
    }

    /// Length of a cell along the shaft at radius `r` and angle `angle`, m: longer on the outside of a bend.
    fn length(&self, t: usize, r: f64, angle: f64) -> f64 {
        let k = t - self.cap();
        let ds = self.along[k + 1] - self.along[k];
        ds * (1.0 - self.axis.curvature(self.along_center(t)) * r * angle.cos())
    }

    /// Volume between the radii `r1` and `r2` at meridian place `t`, for a sector of `sector` rad round `angle`.
    fn sector_volume(&self, t: usize, r1: f64, r2: f64, angle: f64, sector: f64) -> f64 {
        if t < self.cap() {
            sector * (self.polar[t].cos() - self.polar[t + 1].cos()) * (r2.powi(3) - r1.powi(3)) / 3.0
        } else {
            0.5 * sector * (r2 * r2 - r1 * r1) * self.length(t, 0.5 * (r1 + r2), angle)
        }
    }

    fn sector(&self, t: usize) -> f64 {
        if t == 0 { TAU } else { TAU / self.around as f64 }
    }

    /// Volume of a tissue cell.
    pub fn volume(&self, j: usize, t: usize, q: usize) -> f64 {
        self.sector_volume(t, self.radius[j], self.radius[j + 1], self.angle(q), self.sector(t))
    }

    /// Volume of the sector of `(t, q)` between the radii `r1` and `r2`.
    pub fn part_volume(&self, t: usize, q: usize, r1: f64, r2: f64) -> f64 {
        self.sector_volume(t, r1, r2, self.angle(q), self.sector(t))
    }

    /// Volume between the face at radius `radius[j]` (curved) and the plane that touches it at the point of `(t, q)`: what a
    /// Voronoi cell of the outermost shell lacks.
    pub fn segment_volume(&self, j: usize, t: usize, q: usize) -> f64 {
        let r = self.radius[j];
        let half = 0.5 * self.sector(t);
        if t == 0 {
            let w = self.polar[1];
            r.powi(3) / 3.0 * (PI * w.tan().powi(2) - TAU * (1.0 - w.cos()))
        } else if t < self.cap() {
            let solid = 2.0 * half * (self.polar[t].cos() - self.polar[t + 1].cos());
            let polar = 0.5 * (self.polar[t + 1] - self.polar[t]);
            let flat = 4.0 * polar.tan() * (half * self.polar_center(t).sin()).tan();
            r.powi(3) / 3.0 * (flat - solid).max(0.0)
        } else {
            self.length(t, r, self.angle(q)) * r * r * (half.tan() - half)
        }
    }

    /// Volume of a metal cell.
    pub fn metal_volume(&self, layer: usize, t: usize) -> f64 {
        self.sector_volume(t, self.metal_radius[layer], self.metal_radius[layer + 1], 0.5 * PI, TAU)
    }

    /// Geometric resistance across shells from radius `r1` to `r2 > r1` over a sector: exact for the potential of a line
    /// (along the shaft) and of a point (round the end).
    fn radial(&self, t: usize, r1: f64, r2: f64, angle: f64, sector: f64) -> f64 {
        if t < self.cap() {
            (1.0 / r1 - 1.0 / r2) / (sector * (self.polar[t].cos() - self.polar[t + 1].cos()))
        } else {
            (r2 / r1).ln() / (sector * self.length(t, 0.5 * (r1 + r2), angle))
        }
    }

    /// Geometric resistances of the face between meridian places `t` and `t + 1`, between radii `r1` and `r2`, over a sector.
    fn meridional(&self, t: usize, r1: f64, r2: f64, angle: f64, sector: f64) -> (f64, f64) {
        let area = 0.5 * sector * (r2 * r2 - r1 * r1);
        if t + 1 < self.cap() {
            let per_rad = 1.0 / (sector * self.polar[t + 1].sin() * (r2 - r1));
            (
                per_rad * (self.polar[t + 1] - self.polar_center(t)),
                per_rad * (self.polar_center(t + 1) - self.polar[t + 1]),
            )
        } else {
            let r = 0.5 * (r1 + r2);
            let below = if t < self.cap() {
                (0.5 * PI - self.polar_center(t)) / (sector * (r2 - r1))
            } else {
                0.5 * self.length(t, r, angle) / area
            };
            (below, 0.5 * self.length(t + 1, r, angle) / area)
        }
    }

    /// Geometric resistance from the point to one face round the axis.
    fn circumferential(&self, j: usize, t: usize, q: usize) -> f64 {
        let (r1, r2) = (self.radius[j], self.radius[j + 1]);
        let half = 0.5 * self.sector(t);
        if t < self.cap() {
            half * self.polar_center(t).sin() / ((r2 - r1) * (self.polar[t + 1] - self.polar[t]))
        } else {
            half / (self.length(t, self.shell_center(j), self.angle(q)) * (r2 / r1).ln())
        }
    }

    /// All faces within the shells and the metal. In the outermost shell the faces round the axis and along the meridian are
    /// left out: those cells are Voronoi cells.
    pub fn faces(&self, out: &mut Vec<Face>) {
        let (n, m) = (self.shells(), self.meridian());
        for j in 0..n {
            let (r1, r2) = (self.radius[j], self.radius[j + 1]);
            let rc = self.shell_center(j);
            for t in 0..m {
                let sector = self.sector(t);
                for q in 0..self.around_at(t) {
                    let angle = self.angle(q);
                    let a = self.cell(j, t, q);
                    if j == 0 {
                        let last = METAL_LAYERS - 1;
                        let kind = if t < self.insulated_from {
                            FaceKind::Electrode
                        } else {
                            FaceKind::Shaft
                        };
                        out.push(Face {
                            a,
                            b: self.metal(last, t),
                            ra: self.radial(t, r1, rc, angle, sector),
                            rb: self.radial(t, self.metal_center(last), r1, angle, sector),
                            kind,
                        });
                    }
                    if j + 1 < n {
                        out.push(Face {
                            a,
                            b: self.cell(j + 1, t, q),
                            ra: self.radial(t, rc, r2, angle, sector),
                            rb: self.radial(t, r2, self.shell_center(j + 1), angle, sector),
                            kind: FaceKind::Tissue,
                        });
                    }
                    if j + 1 == n {
                        continue;
                    }
                    if t > 0 && t + 1 < m {
                        let (ra, rb) = self.meridional(t, r1, r2, angle, sector);
                        out.push(Face {
                            a,
                            b: self.cell(j, t + 1, q),
                            ra,
                            rb,
                            kind: FaceKind::Tissue,
                        });
                    }
                    if t == 0 {
                        for p in 0..self.around {
                            let (ra, rb) = self.meridional(0, r1, r2, self.angle(p), self.sector(1));
                            out.push(Face {
                                a,
                                b: self.cell(j, 1, p),
                                ra,
                                rb,
                                kind: FaceKind::Tissue,
                            });
                        }
                    } else {
                        let (ra, rb) = (self.circumferential(j, t, q), self.circumferential(j, t, q + 1));
                        out.push(Face {
                            a,
                            b: self.cell(j, t, q + 1),
                            ra,
                            rb,
                            kind: FaceKind::Tissue,
                        });
                    }
                }
            }
        }
        for t in 0..m {
            for layer in 0..METAL_LAYERS {
                let (r1, r2) = (self.metal_radius[layer], self.metal_radius[layer + 1]);
                if layer + 1 < METAL_LAYERS {
                    out.push(Face {
                        a: self.metal(layer, t),
                        b: self.metal(layer + 1, t),
                        ra: self.radial(t, self.metal_center(layer), r2, 0.5 * PI, TAU),
                        rb: self.radial(t, r2, self.metal_center(layer + 1), 0.5 * PI, TAU),
                        kind: FaceKind::Metal,
                    });
                }
                if t + 1 < m {
                    let (ra, rb) = self.meridional(t, r1, r2, 0.5 * PI, TAU);
                    out.push(Face {
                        a: self.metal(layer, t),
                        b: self.metal(layer, t + 1),
                        ra,
                        rb,
                        kind: FaceKind::Metal,
                    });
                }
            }
        }
    }
}

/// Samples of the size function between two ends.
const SAMPLES: usize = 2000;

/// Appends faces up to `to` whose spacing follows `size`.
fn fill(along: &mut Vec<f64>, to: f64, size: &impl Fn(f64) -> f64) {
    let from = along[along.len() - 1];
    let ds = (to - from) / SAMPLES as f64;
    let mut count = vec![0.0];
    for i in 0..SAMPLES {
        count.push(count[i] + ds / size(from + (i as f64 + 0.5) * ds));
    }
    let total = count[SAMPLES];
    let n = total.ceil().max(1.0) as usize;
    let mut i = 0;
    for c in 1..n {
        let target = total * c as f64 / n as f64;
        while count[i + 1] < target {
            i += 1;
        }
        along.push(from + ds * (i as f64 + (target - count[i]) / (count[i + 1] - count[i])));
    }
    along.push(to);
}
