//! Points inside cells, for averages over what a cell holds.

use std::f64::consts::TAU;

use neurotome_base::Vec3;

use super::{
    Face, FaceKind, Grid, Shells,
    gradient::{INWARD, side_of},
};

impl Grid {
    /// The shells that hold a tissue cell, if it is a shell cell.
    pub fn shells_of(&self, cell: u32) -> Option<&Shells> {
        self.shells
            .iter()
            .find(|s| cell >= s.first && cell < s.first + s.tissue_cells() as u32)
    }

    /// `n³` points inside a tissue cell, in the middle of equal parts along its own coordinates (for `n = 2`: near its corners).
    pub fn sub_points(&self, cell: u32, n: usize) -> impl Iterator<Item = Vec3> + '_ {
        let shell = self.shells_of(cell).map(|s| (s, s.index(cell)));
        let (center, h) = (self.center[cell as usize], self.size[cell as usize]);
        (0..n * n * n).map(move |k| {
            let part = |k: usize| {
                if n == 2 {
                    if k == 0 { -0.45 } else { 0.45 }
                } else {
                    (k as f64 + 0.5) / n as f64 - 0.5
                }
            };
            let (x, y, z) = (part(k % n), part(k / n % n), part(k / (n * n)));
            match shell {
                Some((s, index)) => s.inside(index, x, y, z),
                None => center + Vec3::new(x, y, z) * h,
            }
        })
    }

    /// Three vectors along the sides of the box that stands for a tissue cell, m.
    pub fn spans(&self, cell: u32) -> [Vec3; 3] {
        let v = self.volume[cell as usize];
        match self.shells_of(cell) {
            Some(s) if s.index(cell).1 > 0 => {
                let index = s.index(cell);
                let along = s.inside(index, 0.0, 0.5, 0.0) - s.inside(index, 0.0, -0.5, 0.0);
                let round = s.inside(index, 0.0, 0.0, 0.5) - s.inside(index, 0.0, 0.0, -0.5);
                // An outermost cell reaches as far as its volume says.
                let across = along.cross(&round);
                [across * (v / across.norm_squared()), along, round]
            }
            _ => {
                let h = v.cbrt();
                [Vec3::x() * h, Vec3::y() * h, Vec3::z() * h]
            }
        }
    }

    /// The side of a tissue cell at which another cell lies, where the cell is a box in its own coordinates (those of
    /// [`Grid::sub_points`]): twice the coordinate, and one more at its upper end. `to` may be metal.
    pub fn side(&self, cell: u32, to: u32) -> Option<usize> {
        if let Some(s) = self.shells_of(cell) {
            if !s.is_exact(cell) {
                return None;
            }
            if to as usize >= self.tissue_cells {
                return Some(INWARD);
            }
            let inside = to >= s.first && to < s.first + s.tissue_cells() as u32;
            return if inside {
                side_of(s.index(cell), s.index(to), s.around)
            } else {
                None
            };
        }
        if to as usize >= self.tissue_cells {
            return None;
        }
        let way = self.center[to as usize] - self.center[cell as usize];
        let axis = way.iamax();
        let aligned = way[axis].abs() > (1.0 - 1e-9) * way.norm();
        aligned.then_some(2 * axis + usize::from(way[axis] > 0.0))
    }

    /// Points of the half of a tissue cell between its point and a face: `n²` columns side by side over the cell's width, in each
    /// `m` points from the cell's point to the face. `foot` is where the way to the cell behind it meets the face.
    pub fn half_columns(&self, cell: u32, foot: &Vec3, n: usize, m: usize) -> impl Iterator<Item = Vec3> + '_ {
        let part = move |k: usize| (k as f64 + 0.5) / n as f64 - 0.5;
        let center = self.center[cell as usize];
        let way = foot - center;
        let length = way.norm();
        let (u, v) = neurotome_base::geometry::perpendicular_pair(&(way / length));
        let width = (0.5 * self.volume[cell as usize] / length).sqrt();
        (0..n * n * m).map(move |i| {
            let (column, k) = (i / m, i % m);
            let along = (k as f64 + 0.5) / m as f64;
            center + way * along + (u * part(column % n) + v * part(column / n)) * width
        })
    }

    /// Number of electrodes.
    pub fn electrodes(&self) -> usize {
        let last = self.metal_electrode.iter().flatten().max();
        last.map_or(0, |e| usize::from(*e) + 1)
    }

    /// The electrode that a face belongs to, none for other faces.
    pub fn electrode(&self, face: &Face) -> Option<usize> {
        match face.kind {
            FaceKind::Electrode => self.metal_electrode[face.b as usize - self.tissue_cells].map(usize::from),
            _ => None,
        }
    }

    /// The point on the metal's surface nearest to the tissue point of an electrode or shaft face.
    pub fn foot(&self, face: &Face) -> Vec3 {
        match self.shells_of(face.a) {
            Some(s) => {
                let (_, t, q) = s.index(face.a);
                s.place(s.radius[0], t, s.angle(q))
            }
            None => self.center[face.a as usize],
        }
    }
}

impl Shells {
    /// The point of cell `(j, t, q)` at fractions −½…½ across, along the meridian and round the axis.
    pub fn inside(&self, (j, t, q): (usize, usize, usize), across: f64, along: f64, round: f64) -> Vec3 {
        let radius = self.radius[j] + (across + 0.5) * (self.radius[j + 1] - self.radius[j]);
        let angle = self.angle(q) + round * TAU / self.around_at(t) as f64;
        if let Some(bevel) = self.bevel.as_ref().filter(|_| self.is_bevelled(t)) {
            let t = if t == 0 { 0.5 * along + 0.25 } else { t as f64 + along };
            let (foot, normal) = bevel.column(t, angle);
            foot + normal * (radius - self.radius[0])
        } else if t < self.cap() {
            let polar = self.polar[t] + (along + 0.5) * (self.polar[t + 1] - self.polar[t]);
            self.polar_place(radius, polar, angle)
        } else {
            let k = t - self.cap();
            let s = self.along[k] + (along + 0.5) * (self.along[k + 1] - self.along[k]);
            let (c, _, e1, e2) = self.axis.at(s);
            c + (e1 * angle.cos() + e2 * angle.sin()) * radius
        }
    }
}
