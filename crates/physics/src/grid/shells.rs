//! Nested shells round one body of metal: capsule coordinates with their exact metric.
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
//!
//! Where other metal is near, a column `(t, q)` ends half way to it. What is nearer to one convex body than to another stays so
//! on the way to it, so that no column has gaps. Cells beside a missing neighbour are irregular too.
//!
//! Where the end is bevelled, the columns of [`Columns`] stand for those of the rounded end, and all their cells are irregular.

use std::f64::consts::{PI, TAU};

use neurotome_base::Vec3;
use rayon::prelude::*;

use super::{Face, FaceKind, NONE, Sizing, axis::Axis, bevel::Columns, needle::Body};

/// The shells of one body. Cells are indexed `(shell j, meridian t, angle q)`; the pole `t = 0` has one cell a shell.
#[derive(Debug, Clone)]
pub struct Shells {
    /// Axis.
    pub axis: Axis,
    /// Needle to which the metal belongs, counted from 0.
    pub needle: usize,
    /// Faces between shells, metres from the axis; the first is the metal's radius.
    pub radius: Vec<f64>,
    /// Angles from the pole of the faces of the rounded end, 0 to π/2.
    pub polar: Vec<f64>,
    /// Columns of a bevelled end, which has no rounded one.
    pub(super) bevel: Option<Columns>,
    /// Faces along the shaft, metres from the centre of the rounded end.
    pub along: Vec<f64>,
    /// Cells round the axis.
    pub around: usize,
    /// Electrode of each meridian place; none where the metal is insulated.
    pub electrode: Vec<Option<u16>>,
    /// First tissue cell.
    pub first: u32,
    /// First metal cell.
    pub first_metal: u32,
    /// Channel of coolant: radius, and the first meridian place that has it.
    channel: Option<(f64, usize)>,
    /// Shells of each column, in the order of a shell's cells.
    height: Vec<u16>,
    /// Distance from the axis of each column's last point, which stands in the middle of a cell cut short.
    last: Vec<f64>,
    /// Cell of each place of the lattice, counted from the first; [`NONE`] where there is none.
    number: Vec<u32>,
    /// Place in the lattice of each cell.
    lattice: Vec<u32>,
    /// Whether volume and faces of each cell are those of the lattice.
    exact: Vec<bool>,
}

/// Layers of metal from axis to surface.
pub const METAL_LAYERS: usize = 2;

/// What bounds a shell cell towards a neighbour of the lattice: unit normal outwards, distance from the cell's point, and the
/// neighbour (none: the metal).
pub(super) struct Wall {
    pub normal: Vec3,
    pub distance: f64,
    pub neighbour: Option<(usize, usize, usize)>,
}

impl Shells {
    /// Lays the shells of a body out to `reach` metres from its metal; `end` is where the modelled shaft ends.
    pub(super) fn new(body: &Body, sizing: &Sizing, reach: f64, end: f64) -> Self {
        let a = body.radius;
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
        let cell = step * (a + sizing.shell_first);
        let along = meridian(body, sizing, if body.bevel.is_some() { 2.0 * cell } else { cell }, end);
        let bevel = body
            .bevel
            .clone()
            .map(|b| Columns::new(b, sizing.cap, 0.5 * (along[1] - along[0])));
        let cap = bevel.as_ref().map_or(sizing.cap, Columns::len);
        let electrode = (0..cap + along.len() - 1)
            .map(|t| {
                // Middle of the place; the rounded end is all one.
                let s = if t < cap {
                    -0.5 * a
                } else {
                    0.5 * (along[t - cap] + along[t - cap + 1])
                };
                body.contacts.iter().find(|c| c.0 < s && s < c.1).map(|c| c.2)
            })
            .collect();
        let channel = body.channel.and_then(|(r, from)| {
            let k = along.iter().position(|s| (s - from).abs() < 1e-9)?;
            Some((r, cap + k))
        });
        let mut shells = Self {
            axis: body.axis,
            needle: body.needle,
            radius,
            polar,
            bevel,
            along,
            around: sizing.around,
            electrode,
            first: 0,
            first_metal: 0,
            channel,
            height: vec![],
            last: vec![],
            number: vec![],
            lattice: vec![],
            exact: vec![],
        };
        shells.last = vec![shells.shell_center(shells.shells() - 1); shells.per_shell()];
        shells.set_heights(vec![shells.shells() as u16; shells.per_shell()]);
        shells
    }

    /// Ends each column half way to other metal; `others(p)` is the distance of `p` from the nearest.
    pub(super) fn give_way(&mut self, others: &(dyn Fn(&Vec3) -> f64 + Sync)) {
        let columns: Vec<(usize, usize)> = (0..self.meridian())
            .flat_map(|t| (0..self.around_at(t)).map(move |q| (t, q)))
            .collect();
        let a = self.radius[0];
        let outermost = self.radius[self.shells()];
        let ends: Vec<(u16, f64)> = columns
            .par_iter()
            .enumerate()
            .map(|(column, &(t, q))| {
                let own_nearer = |r: f64| others(&self.place(r, t, self.angle(q))) > r - a;
                if own_nearer(outermost) {
                    return (self.height[column], self.last[column]);
                }
                let (mut low, mut high) = (a, outermost);
                while high - low > 1e-9 {
                    let r = 0.5 * (low + high);
                    if own_nearer(r) {
                        low = r;
                    } else {
                        high = r;
                    }
                }
                // The last cell is half a shell thick at least.
                let height = (0..self.shells())
                    .take_while(|&j| self.radius[j] + 0.5 * (self.radius[j + 1] - self.radius[j]) < low)
                    .count();
                let last = 0.5 * (self.radius[height.saturating_sub(1)] + low);
                (height as u16, last)
            })
            .collect();
        self.last = ends.iter().map(|e| e.1).collect();
        self.set_heights(ends.iter().map(|e| e.0).collect());
    }

    fn set_heights(&mut self, height: Vec<u16>) {
        let per_shell = self.per_shell();
        self.height = height;
        self.number = vec![NONE; self.shells() * per_shell];
        self.lattice.clear();
        for j in 0..self.shells() {
            for k in 0..per_shell {
                if j < usize::from(self.height[k]) {
                    self.number[j * per_shell + k] = self.lattice.len() as u32;
                    self.lattice.push((j * per_shell + k) as u32);
                }
            }
        }
        self.exact = (0..self.lattice.len() as u32)
            .map(|i| {
                let (j, t, q) = self.index(self.first + i);
                j + 1 < self.height(t, q)
                    && t >= self.first_exact()
                    && self.beside(t, q).all(|(t, q)| j < self.height(t, q))
            })
            .collect();
    }

    /// Shells.
    pub fn shells(&self) -> usize {
        self.radius.len() - 1
    }

    /// Shells of the column `(t, q)`: fewer where other metal is near.
    pub fn height(&self, t: usize, q: usize) -> usize {
        usize::from(self.height[self.in_shell(t, q)])
    }

    /// True when no column ends early.
    pub fn is_whole(&self) -> bool {
        self.lattice.len() == self.number.len()
    }

    /// Cells along the meridian.
    pub fn meridian(&self) -> usize {
        self.cap() + self.along.len() - 1
    }

    /// Cells along the meridian of the rounded or bevelled end.
    pub fn cap(&self) -> usize {
        self.bevel.as_ref().map_or(self.polar.len() - 1, Columns::len)
    }

    /// True in the rounded end.
    pub(super) fn is_round(&self, t: usize) -> bool {
        t < self.cap() && self.bevel.is_none()
    }

    /// True in the bevelled end.
    pub(super) fn is_bevelled(&self, t: usize) -> bool {
        t < self.cap() && self.bevel.is_some()
    }

    /// First meridian place whose columns stand on the lattice of the shaft or of the rounded end.
    pub(super) fn first_on_lattice(&self) -> usize {
        if self.bevel.is_some() { self.cap() } else { 0 }
    }

    /// First meridian place with exact cells: the ring before it has neighbours off the lattice.
    fn first_exact(&self) -> usize {
        self.bevel.as_ref().map_or(0, |b| b.len() + 1)
    }

    /// First meridian place with metal of its own; those before it share that.
    pub(super) fn first_metal_place(&self) -> usize {
        self.bevel.as_ref().map_or(0, |b| b.wall)
    }

    /// True below the rings whose lattice serves to interpolate on a body with a bevelled end.
    pub(super) fn is_beside_bevel(&self, along: f64) -> bool {
        self.bevel.is_some() && along < self.along_center(self.cap() + 1)
    }

    /// Place among the columns, distance from the metal and angle of a point beside a bevelled end; none inside.
    pub(super) fn bevel_coordinates(&self, p: &Vec3, along: f64, r: f64, angle: f64) -> Option<(f64, f64, f64)> {
        let columns = self.bevel.as_ref()?;
        if along < 0.0 {
            return columns.coordinates(p);
        }
        // From the last ring of the bevel, which mirrors the first of the shaft.
        let first = self.along_center(self.cap());
        let next = self.along_center(self.cap() + 1);
        let place = if along < first {
            0.5 * (along + first) / first - 1.0
        } else {
            (along - first) / (next - first)
        };
        (r > self.radius[0]).then_some((self.cap() as f64 + place, r - self.radius[0], angle))
    }

    /// Distance of a point below the modelled end from the metal's axis (where the end is bevelled: from the metal, and its radius).
    pub(super) fn distance(&self, p: &Vec3, along: f64, r: f64) -> f64 {
        match &self.bevel {
            Some(b) if along < 0.0 => self.radius[0] + b.bevel.distance(p),
            _ if along < 0.0 => r.hypot(along),
            _ => r,
        }
    }

    /// Where the modelled shaft ends.
    pub fn end(&self) -> f64 {
        self.along[self.along.len() - 1]
    }

    fn per_shell(&self) -> usize {
        1 + (self.meridian() - 1) * self.around
    }

    fn in_shell(&self, t: usize, q: usize) -> usize {
        if t == 0 {
            0
        } else {
            1 + (t - 1) * self.around + q % self.around
        }
    }

    /// Tissue cells.
    pub fn tissue_cells(&self) -> usize {
        self.lattice.len()
    }

    /// Metal cells.
    pub fn metal_cells(&self) -> usize {
        METAL_LAYERS * (self.meridian() - self.first_metal_place())
    }

    /// The tissue cell `(j, t, q)`, [`NONE`] where there is none; at the pole any `q` gives the one cell.
    pub fn cell(&self, j: usize, t: usize, q: usize) -> u32 {
        match self.number[j * self.per_shell() + self.in_shell(t, q)] {
            NONE => NONE,
            i => self.first + i,
        }
    }

    /// True when the column `(t, q)` has a cell in shell `j`.
    pub fn has(&self, j: usize, t: usize, q: usize) -> bool {
        j < self.height(t, q)
    }

    /// `(j, t, q)` of a tissue cell.
    pub fn index(&self, cell: u32) -> (usize, usize, usize) {
        let local = self.lattice[(cell - self.first) as usize] as usize;
        let (j, in_shell) = (local / self.per_shell(), local % self.per_shell());
        match in_shell.checked_sub(1) {
            None => (j, 0, 0),
            Some(k) => (j, 1 + k / self.around, k % self.around),
        }
    }

    /// True when volume and faces of a tissue cell are those of the lattice; the others are Voronoi cells.
    pub fn is_exact(&self, cell: u32) -> bool {
        self.exact[(cell - self.first) as usize]
    }

    /// True when a tissue cell has neighbours outside the lattice.
    pub(super) fn is_open(&self, cell: u32) -> bool {
        !self.is_exact(cell) || self.index(cell).1 + 1 == self.meridian()
    }

    /// Columns beside the column `(t, q)`.
    fn beside(&self, t: usize, q: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let n = self.around;
        let ring = if t == 0 { 0..n } else { 0..0 };
        let up = (t + 1 < self.meridian() && t > 0).then_some((t + 1, q));
        let rest: [Option<(usize, usize)>; 4] = if t == 0 {
            [None; 4]
        } else {
            [Some((t - 1, q)), Some((t, (q + 1) % n)), Some((t, (q + n - 1) % n)), up]
        };
        ring.map(|p| (1, p)).chain(rest.into_iter().flatten())
    }

    /// What bounds an irregular cell towards its neighbours of the lattice and the metal.
    pub(super) fn walls(&self, cell: u32) -> Vec<Wall> {
        let (j, t, q) = self.index(cell);
        let p = self.center(j, t, q);
        let r = self.point_radius(j, t, q);
        if let Some(b) = self.bevel.as_ref().filter(|_| self.is_bevelled(t)) {
            let metal = Wall {
                normal: -b.column(t as f64, self.angle(q)).1,
                distance: r - self.radius[0],
                neighbour: None,
            };
            return if j == 0 { vec![metal] } else { vec![] };
        }
        let out = if t < self.cap() {
            (p - self.axis.start()) / r
        } else {
            (p - self.axis.at(self.along_center(t)).0) / r
        };
        let mut walls = vec![Wall {
            normal: -out,
            distance: r - self.radius[j],
            neighbour: (j > 0).then(|| (j - 1, t, q)),
        }];
        if self.has(j + 1, t, q) {
            walls.push(Wall {
                normal: out,
                distance: self.radius[j + 1] - r,
                neighbour: Some((j + 1, t, q)),
            });
        }
        for (u, w) in self.beside(t, q).filter(|&(u, w)| self.has(j, u, w)) {
            let at = if u == t { None } else { Some(t.max(u)) };
            let (normal, distance) = match at {
                // Across the shaft the face stands where the lattice has it.
                Some(face) if face >= self.cap() => {
                    let (c, tangent, _, _) = self.axis.at(self.along[face - self.cap()]);
                    let normal = if u > t { -tangent } else { tangent };
                    (normal, (c - p).dot(&normal))
                }
                _ => {
                    let way = self.center(j, u, w) - p;
                    (way.normalize(), 0.5 * way.norm())
                }
            };
            walls.push(Wall {
                normal,
                distance,
                neighbour: Some((j, u, w)),
            });
        }
        walls
    }

    /// Cells beside a bevelled cell, those across the corners too.
    pub(super) fn around_bevelled(&self, cell: u32) -> Vec<u32> {
        let (j, t, q) = self.index(cell);
        let mut found = Vec::new();
        if !self.is_bevelled(t) {
            return found;
        }
        for j in j.saturating_sub(1)..=(j + 1).min(self.shells() - 1) {
            for t in t.saturating_sub(1)..=t + 1 {
                for turn in [self.around - 1, 0, 1] {
                    let i = self.cell(j, t, q + turn);
                    if i != NONE && i != cell && self.is_open(i) {
                        found.push(i);
                    }
                }
            }
        }
        found
    }

    /// Points just within the metal where columns are missing altogether.
    pub(super) fn bare_metal(&self) -> Vec<Vec3> {
        let depth = self.shell_center(0) - self.radius[0];
        let mut points = Vec::new();
        for t in 0..self.meridian() {
            for q in (0..self.around_at(t)).filter(|&q| self.height(t, q) == 0) {
                points.push(self.place(self.radius[0] - depth, t, self.angle(q)));
            }
        }
        points
    }

    /// The metal cell of a layer and meridian place.
    pub fn metal(&self, layer: usize, t: usize) -> u32 {
        let place = t.saturating_sub(self.first_metal_place());
        self.first_metal + (place * METAL_LAYERS + layer) as u32
    }

    /// Meridian place that holds `along`.
    pub fn meridian_at(&self, along: f64) -> usize {
        if along <= 0.0 {
            return 0;
        }
        let k = self.along.partition_point(|s| *s <= along);
        self.cap() + k.clamp(1, self.along.len() - 1) - 1
    }

    /// Radius of face `face` between layers of metal at meridian place `t`, from the axis (or the channel's wall) outwards.
    pub fn metal_radius(&self, face: usize, t: usize) -> f64 {
        let a = self.radius[0];
        match (face, self.channel) {
            (0, Some((r, from))) if t >= from => r,
            (0, _) => 0.0,
            (1, Some((r, from))) if t >= from => 0.5 * (r + a),
            (1, _) => 0.6 * a,
            _ => a,
        }
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

    fn metal_center(&self, layer: usize, t: usize) -> f64 {
        0.5 * (self.metal_radius(layer, t) + self.metal_radius(layer + 1, t))
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
        if let Some(b) = self.bevel.as_ref().filter(|_| self.is_bevelled(t)) {
            let (foot, normal) = b.column(t as f64, angle);
            foot + normal * (radius - self.radius[0])
        } else if t < self.cap() {
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

    /// Distance from the axis of the point of a tissue cell.
    pub fn point_radius(&self, j: usize, t: usize, q: usize) -> f64 {
        let column = self.in_shell(t, q);
        if j + 1 == usize::from(self.height[column]) {
            self.last[column]
        } else {
            self.shell_center(j)
        }
    }

    /// Shells of the column `(t, q)` whose points stand on the lattice.
    pub fn on_lattice(&self, t: usize, q: usize) -> usize {
        let height = self.height(t, q);
        if height == self.shells() && self.last[self.in_shell(t, q)] == self.shell_center(height - 1) {
            height
        } else {
            height.saturating_sub(1)
        }
    }

    /// Point of a tissue cell.
    pub fn center(&self, j: usize, t: usize, q: usize) -> Vec3 {
        self.place(self.point_radius(j, t, q), t, self.angle(q))
    }

    /// Point of a metal cell.
    pub fn metal_point(&self, layer: usize, t: usize) -> Vec3 {
        // Metal cells have no angle; their point stands on the axis (rounded end: at their depth below the pole's surface).
        if self.is_round(t) {
            self.polar_place(self.metal_center(layer, t), 0.0, 0.0)
        } else {
            self.axis.at(self.metal_along(t)).0
        }
    }

    /// Place along the axis of the metal beyond a rounded end.
    pub(super) fn metal_along(&self, t: usize) -> f64 {
        match &self.bevel {
            Some(b) if t < b.len() => {
                let (from, to) = b.metal_span(t);
                0.5 * (from + to)
            }
            _ => self.along_center(t),
        }
    }

    /// Length of a cell along the shaft at radius `r` and angle `angle`, m: longer on the outside of a bend.
    fn length(&self, t: usize, r: f64, angle: f64) -> f64 {
        if let Some(b) = self.bevel.as_ref().filter(|b| t < b.len()) {
            let (from, to) = b.metal_span(t);
            return to - from;
        }
        let k = t - self.cap();
        let ds = self.along[k + 1] - self.along[k];
        ds * (1.0 - self.axis.curvature(self.along_center(t)) * r * angle.cos())
    }

    /// Volume between the radii `r1` and `r2` at meridian place `t`, for a sector of `sector` rad round `angle`.
    fn sector_volume(&self, t: usize, r1: f64, r2: f64, angle: f64, sector: f64) -> f64 {
        if self.is_round(t) {
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
        if self.is_bevelled(t) {
            return self.bevelled_volume(j, t, q);
        }
        self.sector_volume(t, self.radius[j], self.radius[j + 1], self.angle(q), self.sector(t))
    }

    /// About the volume of a cell of a bevelled end, as a box.
    fn bevelled_volume(&self, j: usize, t: usize, q: usize) -> f64 {
        let at = |across: f64, along: f64, round: f64| self.inside((j, t, q), across, along, round);
        let thick = at(0.5, 0.0, 0.0) - at(-0.5, 0.0, 0.0);
        if t == 0 {
            let (long, short) = (
                at(0.0, 0.5, 0.0) - at(0.0, -0.5, 0.0),
                at(0.0, 0.5, 0.25) - at(0.0, -0.5, 0.25),
            );
            return PI * long.cross(&short).dot(&thick).abs();
        }
        let (long, wide) = (
            at(0.0, 0.5, 0.0) - at(0.0, -0.5, 0.0),
            at(0.0, 0.0, 0.5) - at(0.0, 0.0, -0.5),
        );
        long.cross(&wide).dot(&thick).abs()
    }

    /// The face of a bevelled cell on the metal, found flat with area `flat`: its resistances towards the cell and the metal, and the
    /// volume between the flat face and the round metal.
    pub(super) fn bevelled_contact(&self, t: usize, flat: f64) -> (f64, f64, f64) {
        let (a, half) = (self.radius[0], 0.5 * self.sector(t));
        let layer = METAL_LAYERS - 1;
        let way = self.shell_center(0) - a;
        let steel = (a / self.metal_center(layer, t)).ln() * a;
        match &self.bevel {
            Some(b) if t >= b.wall => {
                let area = flat * half / half.tan();
                let behind = 0.5 * flat * a * (1.0 - half / half.tan());
                ((1.0 + way / a).ln() * a / area, steel / area, behind)
            }
            _ => (way / flat, steel / flat, 0.0),
        }
    }

    /// What part of a flat face between two cells of one bevelled column its curved shell has; one for other pairs of cells.
    pub(super) fn roundness(&self, a: u32, b: u32) -> f64 {
        let ((_, t, q), (_, u, w)) = (self.index(a), self.index(b));
        match &self.bevel {
            Some(columns) if self.is_bevelled(t) && t > 0 && (t, q) == (u, w) => {
                let (t, half) = (t as f64, 0.5 * self.sector(t));
                let normal = |along: f64, round: f64| columns.column(t + along, self.angle(q) + round * half).1;
                let part = |n: Vec3, m: Vec3| {
                    let half = 0.5 * n.cross(&m).norm().atan2(n.dot(&m));
                    if half < 1e-6 { 1.0 } else { half / half.tan() }
                };
                part(normal(-0.5, 0.0), normal(0.5, 0.0)) * part(normal(0.0, -1.0), normal(0.0, 1.0))
            }
            _ => 1.0,
        }
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
        self.sector_volume(
            t,
            self.metal_radius(layer, t),
            self.metal_radius(layer + 1, t),
            0.5 * PI,
            TAU,
        )
    }

    /// Geometric resistance across shells from radius `r1` to `r2 > r1` over a sector: exact for the potential of a line
    /// (along the shaft) and of a point (round the end).
    fn radial(&self, t: usize, r1: f64, r2: f64, angle: f64, sector: f64) -> f64 {
        if self.is_round(t) {
            (1.0 / r1 - 1.0 / r2) / (sector * (self.polar[t].cos() - self.polar[t + 1].cos()))
        } else {
            (r2 / r1).ln() / (sector * self.length(t, 0.5 * (r1 + r2), angle))
        }
    }

    /// Geometric resistances of the face between meridian places `t` and `t + 1`, between radii `r1` and `r2`, over a sector.
    fn meridional(&self, t: usize, r1: f64, r2: f64, angle: f64, sector: f64) -> (f64, f64) {
        let area = 0.5 * sector * (r2 * r2 - r1 * r1);
        if self.is_round(t + 1) {
            let per_rad = 1.0 / (sector * self.polar[t + 1].sin() * (r2 - r1));
            (
                per_rad * (self.polar[t + 1] - self.polar_center(t)),
                per_rad * (self.polar_center(t + 1) - self.polar[t + 1]),
            )
        } else {
            let r = 0.5 * (r1 + r2);
            let below = if self.is_round(t) {
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
        if self.is_round(t) {
            half * self.polar_center(t).sin() / ((r2 - r1) * (self.polar[t + 1] - self.polar[t]))
        } else {
            half / (self.length(t, self.shell_center(j), self.angle(q)) * (r2 / r1).ln())
        }
    }

    /// Kind of the faces between tissue and metal at a meridian place.
    pub(super) fn contact_kind(&self, t: usize) -> FaceKind {
        match self.electrode[t] {
            Some(_) => FaceKind::Electrode,
            None => FaceKind::Shaft,
        }
    }

    /// All faces within the shells and the metal whose metric is that of the lattice: those with an exact cell on a side.
    pub(super) fn faces(&self, out: &mut Vec<Face>) {
        let (n, m) = (self.shells(), self.meridian());
        for j in 0..n {
            let (r1, r2) = (self.radius[j], self.radius[j + 1]);
            for t in 0..m {
                let sector = self.sector(t);
                for q in 0..self.around_at(t) {
                    let a = self.cell(j, t, q);
                    if a == NONE {
                        continue;
                    }
                    let angle = self.angle(q);
                    let rc = self.point_radius(j, t, q);
                    if j == 0 && !self.is_bevelled(t) {
                        let last = METAL_LAYERS - 1;
                        let kind = self.contact_kind(t);
                        out.push(Face {
                            a,
                            b: self.metal(last, t),
                            ra: self.radial(t, r1, rc, angle, sector),
                            rb: self.radial(t, self.metal_center(last, t), r1, angle, sector),
                            kind,
                        });
                    }
                    let mut add = |b: u32, ra: f64, rb: f64| {
                        if b != NONE && (self.is_exact(a) || self.is_exact(b)) {
                            let kind = FaceKind::Tissue;
                            out.push(Face { a, b, ra, rb, kind });
                        }
                    };
                    if j + 1 < n {
                        add(
                            self.cell(j + 1, t, q),
                            self.radial(t, rc, r2, angle, sector),
                            self.radial(t, r2, self.point_radius(j + 1, t, q), angle, sector),
                        );
                    }
                    if t > 0 && t + 1 < m {
                        let (ra, rb) = self.meridional(t, r1, r2, angle, sector);
                        add(self.cell(j, t + 1, q), ra, rb);
                    }
                    if t == 0 {
                        for p in 0..self.around {
                            let (ra, rb) = self.meridional(0, r1, r2, self.angle(p), self.sector(1));
                            add(self.cell(j, 1, p), ra, rb);
                        }
                    } else {
                        let (ra, rb) = (self.circumferential(j, t, q), self.circumferential(j, t, q + 1));
                        add(self.cell(j, t, q + 1), ra, rb);
                    }
                }
            }
        }
        for t in self.first_metal_place()..m {
            for layer in 0..METAL_LAYERS {
                let (r1, r2) = (self.metal_radius(layer, t), self.metal_radius(layer + 1, t));
                if layer + 1 < METAL_LAYERS {
                    out.push(Face {
                        a: self.metal(layer, t),
                        b: self.metal(layer + 1, t),
                        ra: self.radial(t, self.metal_center(layer, t), r2, 0.5 * PI, TAU),
                        rb: self.radial(t, r2, self.metal_center(layer + 1, t), 0.5 * PI, TAU),
                        kind: FaceKind::Metal,
                    });
                }
                if t + 1 < m {
                    // Where a channel begins the face is that of the narrower side.
                    let (r1, r2) = (
                        r1.max(self.metal_radius(layer, t + 1)),
                        r2.max(self.metal_radius(layer + 1, t + 1)),
                    );
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

    /// Faces between the cut end of a tine and the cannula that it enters at `along`.
    pub(super) fn joint(&self, cannula: &Self, along: f64, out: &mut Vec<Face>) {
        let (t, outer) = (cannula.meridian_at(along), METAL_LAYERS - 1);
        let last = self.meridian() - 1;
        let way = cannula.radius[0] - cannula.metal_center(outer, t);
        for layer in 0..METAL_LAYERS {
            let (r1, r2) = (self.metal_radius(layer, last), self.metal_radius(layer + 1, last));
            let area = PI * (r2 * r2 - r1 * r1);
            out.push(Face {
                a: self.metal(layer, last),
                b: cannula.metal(outer, t),
                ra: 0.5 * self.length(last, 0.0, 0.0) / area,
                rb: way / area,
                kind: FaceKind::Metal,
            });
        }
    }

    /// Area of the channel's wall in a metal cell in m², and the geometric resistance from the cell's point to it in 1/m.
    pub(super) fn channel_wall(&self, layer: usize, t: usize) -> (f64, f64) {
        match self.channel {
            Some((r, from)) if layer == 0 && t >= from => (
                TAU * r * self.length(t, r, 0.5 * PI),
                self.radial(t, r, self.metal_center(0, t), 0.5 * PI, TAU),
            ),
            _ => (0.0, 0.0),
        }
    }
}

/// Faces along the shaft up to `end`: fine where metal meets insulation, at the rounded end (cells of `cap_cell`) and where
/// tines leave.
fn meridian(body: &Body, sizing: &Sizing, cap_cell: f64, end: f64) -> Vec<f64> {
    let rings: Vec<f64> = body
        .contacts
        .iter()
        .flat_map(|c| [c.0, c.1])
        .filter(|s| *s > 1e-9 && *s <= end)
        .collect();
    let active = body.active_end().min(end);
    let size = |s: f64| {
        // Far up the shaft nothing changes fast along it.
        let widest = if s < active {
            sizing.along_tip
        } else if s < active + sizing.shaft_fine {
            sizing.along_shaft
        } else {
            2.0 * sizing.along_shaft
        };
        let at_rings = rings
            .iter()
            .map(|ring| sizing.ring + 0.25 * (s - ring).abs())
            .fold(f64::INFINITY, f64::min);
        let at_holes = body
            .holes
            .iter()
            .map(|(hole, half)| 0.5 * half + 0.3 * ((s - hole).abs() - half).max(0.0))
            .fold(f64::INFINITY, f64::min);
        let at_joint = if body.joint.is_some() {
            0.3 * body.radius + 0.3 * (end - s)
        } else {
            f64::INFINITY
        };
        at_rings
            .min(at_holes)
            .min(at_joint)
            .min(cap_cell + 0.25 * s)
            .min(widest)
    };
    let mut stops = rings.clone();
    stops.extend(body.channel.map(|c| c.1).filter(|s| *s > 1e-9 && *s < end));
    stops.push(end);
    stops.sort_by(f64::total_cmp);
    stops.dedup_by(|a, b| (*a - *b).abs() < 1e-9);
    let mut along = vec![0.0];
    for stop in stops {
        if stop > along[along.len() - 1] + 1e-9 {
            fill(&mut along, stop, &size);
        }
    }
    along
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
