//! The bevelled end of a cannula: a cylinder cut by one plane, and the columns that stand on it.
//!
//! ```text
//!        shaft        straight rings (s = 0) ── the lattice of the shaft goes on from here
//!       │     │
//!       │     │ ←── wall: rings that begin along the edge and straighten
//!       │    ╱
//!       │  ╱  ←──── face: rings of similar ellipses round its middle, the pole
//!       │╱
//!        edge: columns that share their foot and turn from the face's normal to the wall's
//! ```
//!
//! The body is convex, so foot and distance along the normal are coordinates of all that lies outside. They are not orthogonal on
//! the wall: cells of these columns are Voronoi cells.

use neurotome_base::Vec3;

use super::Axis;

/// Radii of the shaft between the heel of the bevel and the first straight ring of the shaft.
const HEEL: f64 = 1.5;

/// Distance from the point of a bevel to the first straight ring of the shaft.
pub(super) fn length(radius: f64, angle: f64) -> f64 {
    2.0 * radius / angle.tan() + HEEL * radius
}

/// A bevelled end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bevel {
    /// Centre of the first straight ring.
    start: Vec3,
    /// Unit vector towards the point, and those across it from which angles are counted.
    tangent: Vec3,
    across: [Vec3; 2],
    radius: f64,
    /// Angle between plane and axis.
    angle: f64,
    /// Direction round the axis to which the face opens.
    azimuth: f64,
    /// Outward normal of the face.
    normal: Vec3,
    /// Distance from `start` to the middle of the face.
    middle: f64,
}

/// Where a column stands.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stand {
    /// Part of the way from the middle of the face to the edge.
    spread: f64,
    /// Part of the turn from the face's normal to the wall's.
    turn: f64,
    /// Part of the way from the edge to the last ring; from 1 to 2 across `start`.
    up: f64,
}

/// The columns of a bevelled end, from the pole to the last ring before the shaft.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    pub bevel: Bevel,
    /// One more than there are columns: the last is the first ring of the shaft.
    stand: Vec<Stand>,
    /// First column of the wall proper.
    pub wall: usize,
    /// Distance of the last ring from `start`, and of the shaft's first ring to the other side.
    half: f64,
}

impl Bevel {
    /// The bevel at the start of an axis.
    pub fn new(axis: &Axis, radius: f64, angle: f64, azimuth: f64) -> Self {
        let (start, tangent, e1, e2) = axis.at(0.0);
        let open = e1 * azimuth.cos() + e2 * azimuth.sin();
        Self {
            start,
            tangent,
            across: [e1, e2],
            radius,
            angle,
            azimuth,
            normal: open * angle.cos() + tangent * angle.sin(),
            middle: length(radius, angle) - radius / angle.tan(),
        }
    }

    /// Distance from `start` towards the point of the edge at an angle, or of the face at a part of the way to it.
    fn reach(&self, theta: f64, spread: f64) -> f64 {
        self.middle - spread * self.radius * (theta - self.azimuth).cos() / self.angle.tan()
    }

    fn out(&self, theta: f64) -> Vec3 {
        self.across[0] * theta.cos() + self.across[1] * theta.sin()
    }

    fn on_face(&self, theta: f64, spread: f64) -> Vec3 {
        self.start + self.out(theta) * (spread * self.radius) + self.tangent * self.reach(theta, spread)
    }

    /// Middle and outward normal of the face.
    pub fn face(&self) -> (Vec3, Vec3) {
        (self.start + self.tangent * self.middle, self.normal)
    }

    /// Distance from `p`, which must not lie above the first straight ring; negative inside.
    pub fn distance(&self, p: &Vec3) -> f64 {
        match self.nearest(p) {
            Nearest::Inside(d) | Nearest::Face(d, ..) | Nearest::Wall(d, ..) | Nearest::Edge(d, ..) => d,
        }
    }

    /// The nearest place of the surface to `p`, which must not lie above the first straight ring.
    fn nearest(&self, p: &Vec3) -> Nearest {
        let v = p - self.start;
        let across = |v: &Vec3| (v.dot(&self.across[0]), v.dot(&self.across[1]));
        let (x, y) = across(&v);
        let (theta, risen) = (y.atan2(x), v.dot(&self.tangent));
        let above = (v - self.tangent * self.middle).dot(&self.normal);
        let beside = x.hypot(y) - self.radius;
        if above <= 0.0 && beside <= 0.0 {
            return Nearest::Inside(above.max(beside));
        }
        let (x, y) = across(&(v - self.normal * above));
        if above > 0.0 && x.hypot(y) <= self.radius {
            return Nearest::Face(above, y.atan2(x), x.hypot(y) / self.radius);
        }
        if beside > 0.0 && risen <= self.reach(theta, 1.0) {
            return Nearest::Wall(beside, theta, risen);
        }
        let theta = self.nearest_edge(p);
        let way = p - self.on_face(theta, 1.0);
        let d = way.norm();
        let turned = (way / d.max(1e-30)).dot(&self.normal).clamp(-1.0, 1.0).acos();
        Nearest::Edge(d, theta, (turned / self.opening(theta)).min(1.0))
    }

    /// Angle between the normals of face and wall at a place of the edge.
    fn opening(&self, theta: f64) -> f64 {
        self.normal.dot(&self.out(theta)).clamp(-1.0, 1.0).acos()
    }

    /// The angle of the place of the edge nearest to `p`.
    fn nearest_edge(&self, p: &Vec3) -> f64 {
        let squared = |theta: f64| (self.on_face(theta, 1.0) - p).norm_squared();
        let step = std::f64::consts::TAU / f64::from(EDGE_SAMPLES);
        let best = (0..EDGE_SAMPLES)
            .map(|k| f64::from(k) * step)
            .min_by(|a, b| squared(*a).total_cmp(&squared(*b)))
            .unwrap_or(0.0);
        let (mut low, mut high) = (best - step, best + step);
        while high - low > 1e-6 {
            let third = (high - low) / 3.0;
            if squared(low + third) < squared(high - third) {
                high -= third;
            } else {
                low += third;
            }
        }
        0.5 * (low + high)
    }
}

/// The nearest place of the surface of a bevelled end: its distance, and but for a point inside its angle and where it lies.
enum Nearest {
    /// Inside; the distance is negative.
    Inside(f64),
    /// On the face, this part of the way to the edge.
    Face(f64, f64, f64),
    /// On the wall, this far from the first straight ring.
    Wall(f64, f64, f64),
    /// On the edge, this part of the turn from the face's normal to the wall's.
    Edge(f64, f64, f64),
}

/// Places on the edge from which the nearest is looked for.
const EDGE_SAMPLES: u32 = 24;

impl Columns {
    /// Columns as fine as `cap` cells along the meridian of a rounded end; `half` is half the length of the shaft's first ring.
    pub fn new(bevel: Bevel, cap: usize, half: f64) -> Self {
        let (rings, turns, walls) = ((5 * cap).div_ceil(8), cap, (3 * cap).div_ceil(2));
        let part = |k: usize, n: usize| k as f64 / n as f64;
        let stand = |spread: f64, turn: f64, up: f64| Stand { spread, turn, up };
        // Finer towards the edge, where the current is densest.
        let mut all: Vec<Stand> = (0..=rings)
            .map(|k| stand(1.0 - (1.0 - part(k, rings + 1)).powf(1.7), 0.0, 0.0))
            .collect();
        all.extend((0..=turns).map(|k| stand(1.0, part(k, turns), 0.0)));
        let wall = all.len();
        all.extend((1..=walls).map(|k| stand(1.0, 1.0, part(k, walls).powf(1.5))));
        all.push(stand(1.0, 1.0, 2.0));
        Self {
            bevel,
            stand: all,
            wall,
            half,
        }
    }

    /// Columns.
    pub fn len(&self) -> usize {
        self.stand.len() - 1
    }

    /// Foot and outward normal of the place `t` (between two columns too) at an angle.
    pub fn column(&self, t: f64, theta: f64) -> (Vec3, Vec3) {
        let b = &self.bevel;
        let k = (t.max(0.0) as usize).min(self.stand.len() - 2);
        let (a, c, w) = (self.stand[k], self.stand[k + 1], t - k as f64);
        let between = |a: f64, c: f64| a + (c - a) * w;
        let (spread, turn, up) = (
            between(a.spread, c.spread),
            between(a.turn, c.turn),
            between(a.up, c.up),
        );
        let foot = b.on_face(theta, spread) + b.tangent * (self.risen(b.reach(theta, 1.0), up) - b.reach(theta, 1.0));
        (foot, turned(&b.normal, &b.out(theta), turn))
    }

    /// Distance from `start` of a place of the wall whose edge is `edge` away from it.
    fn risen(&self, edge: f64, up: f64) -> f64 {
        if up <= 1.0 {
            edge + (self.half - edge) * up
        } else {
            self.half * (3.0 - 2.0 * up)
        }
    }

    /// The coordinates of a point below the first straight ring: place among the columns, distance from the metal and angle; none inside.
    pub fn coordinates(&self, p: &Vec3) -> Option<(f64, f64, f64)> {
        let turns = self.wall - 1 - self.edge();
        let among = |from: usize, x: f64, value: &dyn Fn(&Stand) -> f64| {
            let last = self.stand.len() - 2;
            let k = from + self.stand[from + 1..=last].partition_point(|s| value(s) <= x);
            let k = k.min(last);
            let (low, high) = (value(&self.stand[k]), value(&self.stand[k + 1]));
            k as f64 + ((x - low) / (high - low)).clamp(0.0, 1.0)
        };
        match self.bevel.nearest(p) {
            Nearest::Inside(_) => None,
            Nearest::Face(d, theta, spread) => {
                let t = among(0, spread.min(1.0 - 1e-12), &|s| s.spread);
                Some((t, d, theta))
            }
            Nearest::Edge(d, theta, turn) => Some((self.edge() as f64 + turn * turns as f64, d, theta)),
            Nearest::Wall(d, theta, risen) => {
                let edge = self.bevel.reach(theta, 1.0);
                let up = if risen >= self.half {
                    (edge - risen) / (edge - self.half)
                } else {
                    0.5 * (3.0 - risen / self.half)
                };
                Some((among(self.wall - 1, up, &|s| s.up), d, theta))
            }
        }
    }

    /// First column on the edge.
    fn edge(&self) -> usize {
        self.stand.partition_point(|s| s.spread < 1.0)
    }

    /// Where the metal of column `t` lies along the axis, from `start` up: that of a cylinder with the volume of the bevel, which
    /// reaches to the middle of its face. Columns before the wall share the first piece.
    pub fn metal_span(&self, t: usize) -> (f64, f64) {
        let face = |t: usize| {
            if t <= self.wall {
                -self.bevel.middle
            } else if t >= self.len() {
                0.0
            } else {
                -self.risen(self.bevel.middle, 0.5 * (self.stand[t - 1].up + self.stand[t].up))
            }
        };
        let t = t.max(self.wall);
        (face(t), face(t + 1))
    }
}

/// The unit vector a part of the way from one to another.
fn turned(from: &Vec3, to: &Vec3, part: f64) -> Vec3 {
    if part <= 0.0 {
        return *from;
    }
    if part >= 1.0 {
        return *to;
    }
    let whole = from.dot(to).clamp(-1.0, 1.0).acos();
    (from * ((1.0 - part) * whole).sin() + to * (part * whole).sin()) / whole.sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(angle_deg: f64, azimuth: f64) -> Columns {
        let axis = Axis::straight(Vec3::new(1e-3, 2e-3, -5e-3), Vec3::new(0.6, 0.0, -0.8), 3e-3);
        Columns::new(Bevel::new(&axis, 0.454e-3, angle_deg.to_radians(), azimuth), 8, 0.1e-3)
    }

    #[test]
    fn a_place_on_a_column_is_as_far_from_the_metal_as_it_was_laid() {
        for (angle, azimuth) in [(12.0, 0.3), (20.0, 3.1), (45.0, -1.0)] {
            let columns = columns(angle, azimuth);
            for t in 0..2 * columns.len() - 1 {
                for q in 0..12 {
                    let (foot, normal) = columns.column(0.5 * t as f64, f64::from(q) * 0.5);
                    assert!((normal.norm() - 1.0).abs() < 1e-12);
                    for d in [0.01e-3, 0.3e-3, 6e-3] {
                        let p = foot + normal * d;
                        let found = columns.bevel.distance(&p);
                        let within = 1e-7 * (d + 1e-3);
                        assert!(
                            (found - d).abs() < within,
                            "{angle}° column {t} angle {q}: {found} for {d}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn metal_of_the_columns_has_the_volume_of_the_bevel() {
        let columns = columns(20.0, 0.0);
        let a = 0.454e-3;
        let mut end = columns.metal_span(0).0;
        // A cylinder cut by a plane is as long as its axis.
        assert!((end + length(a, 20f64.to_radians()) - a / 20f64.to_radians().tan()).abs() < 1e-12);
        for t in columns.wall..columns.len() {
            let (from, to) = columns.metal_span(t);
            assert!((from - end).abs() < 1e-15 && to > from);
            end = to;
        }
        assert!(end.abs() < 1e-15);
    }
}
