//! One Voronoi cell: a convex polyhedron clipped by planes.

use neurotome_base::Vec3;

/// What lies behind a face of the polyhedron.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// The starting box: still open.
    Open,
    /// A face of the lattice, counted elsewhere.
    Wall,
    /// The metal.
    Metal,
    /// The outer boundary, with the number of its plane.
    Outer(u8),
    /// Another point.
    Point(u32),
}

#[derive(Debug, Clone)]
struct Side {
    behind: Behind,
    /// Numbers of its corners, in turn.
    corners: Vec<u16>,
}

/// A convex polyhedron round the origin (the cell's own point).
#[derive(Debug, Clone)]
pub struct Polyhedron {
    sides: Vec<Side>,
    /// Corners; those that were cut off are no numbers until their place is taken anew.
    corner: Vec<Vec3>,
    free: Vec<u16>,
    tolerance: f64,
    /// How far each corner lies beyond the plane that cuts.
    beyond: Vec<f64>,
}

impl Polyhedron {
    /// A cube of half side `half`.
    pub fn cube(half: f64) -> Self {
        let corner = |c: usize| {
            let s = |bit: usize| if (c >> bit) & 1 == 1 { half } else { -half };
            Vec3::new(s(0), s(1), s(2))
        };
        let faces = [
            [0, 4, 6, 2],
            [1, 3, 7, 5],
            [0, 1, 5, 4],
            [2, 6, 7, 3],
            [0, 2, 3, 1],
            [4, 5, 7, 6],
        ];
        Self {
            sides: faces
                .iter()
                .map(|f| Side {
                    behind: Behind::Open,
                    corners: f.to_vec(),
                })
                .collect(),
            corner: (0..8).map(corner).collect(),
            free: vec![],
            tolerance: 1e-10 * half,
            beyond: vec![],
        }
    }

    /// Keeps the part with `normal · x ≤ distance`; true when something was cut.
    pub fn clip(&mut self, normal: &Vec3, distance: f64, behind: Behind) -> bool {
        let tolerance = self.tolerance;
        let Self {
            sides,
            corner,
            free,
            beyond,
            ..
        } = self;
        if !corner.iter().any(|c| normal.dot(c) > distance + tolerance) {
            return false;
        }
        beyond.clear();
        beyond.extend(corner.iter().map(|c| normal.dot(c) - distance));
        let outside = |c: u16| beyond[usize::from(c)] > tolerance;
        // Corners of the new side, and the edges on which the new ones of them lie.
        let mut cap: Vec<u16> = Vec::with_capacity(12);
        let mut on_edge: Vec<((u16, u16), u16)> = Vec::with_capacity(12);
        let mut kept: Vec<u16> = Vec::with_capacity(16);
        for side in sides.iter_mut() {
            if !side.corners.iter().any(|c| outside(*c)) {
                continue;
            }
            kept.clear();
            let mut p = side.corners[side.corners.len() - 1];
            for &q in &side.corners {
                if outside(p) != outside(q) {
                    let (within, without) = if outside(p) { (q, p) } else { (p, q) };
                    // A corner in the plane is cut by it.
                    let cut = if beyond[usize::from(within)] >= -tolerance {
                        within
                    } else if let Some(known) = on_edge.iter().find(|e| e.0 == (within, without)) {
                        known.1
                    } else {
                        let (a, b) = (beyond[usize::from(within)], beyond[usize::from(without)]);
                        let (from, to) = (corner[usize::from(within)], corner[usize::from(without)]);
                        let place = from + (to - from) * (a / (a - b));
                        let number = free.pop().unwrap_or(corner.len() as u16);
                        if usize::from(number) < corner.len() {
                            corner[usize::from(number)] = place;
                        } else {
                            corner.push(place);
                        }
                        on_edge.push(((within, without), number));
                        number
                    };
                    if kept.last() != Some(&cut) && cut != q {
                        kept.push(cut);
                    }
                    if !cap.contains(&cut) {
                        cap.push(cut);
                    }
                }
                if !outside(q) {
                    kept.push(q);
                }
                p = q;
            }
            if kept.len() > 1 && kept[0] == kept[kept.len() - 1] {
                kept.pop();
            }
            side.corners.clone_from(&kept);
        }
        sides.retain(|s| s.corners.len() >= 3);
        for (number, beyond) in (0u16..).zip(beyond.iter()) {
            if *beyond > tolerance {
                corner[usize::from(number)] = Vec3::repeat(f64::NAN);
                free.push(number);
            }
        }
        if cap.len() >= 3 {
            let place = |c: u16| corner[usize::from(c)];
            let middle = cap.iter().map(|c| place(*c)).sum::<Vec3>() / cap.len() as f64;
            let (u, v) = neurotome_base::geometry::perpendicular_pair(normal);
            // Grows with the angle from u, as the angle itself does, from −2 to 2.
            let turn = |c: u16| {
                let d = place(c) - middle;
                let (x, y) = (d.dot(&u), d.dot(&v));
                let part = x / (x.abs() + y.abs()).max(f64::MIN_POSITIVE);
                if y < 0.0 { part - 1.0 } else { 1.0 - part }
            };
            let mut turned: Vec<(f64, u16)> = cap.iter().map(|&c| (turn(c), c)).collect();
            turned.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            let same = |a: u16, b: u16| (place(a) - place(b)).norm() <= 10.0 * tolerance;
            let mut corners: Vec<u16> = Vec::with_capacity(turned.len());
            for (_, c) in turned {
                if corners.last().is_none_or(|l| !same(*l, c)) {
                    corners.push(c);
                }
            }
            while corners.len() > 1 && same(corners[0], corners[corners.len() - 1]) {
                corners.pop();
            }
            if corners.len() >= 3 {
                sides.push(Side { behind, corners });
            }
        }
        true
    }

    /// Largest distance of a corner from the point, squared.
    pub fn reach_squared(&self) -> f64 {
        self.corner.iter().map(Vec3::norm_squared).fold(0.0, f64::max)
    }

    /// Area and what is behind, for every side.
    pub fn areas(&self) -> impl Iterator<Item = (Behind, f64)> + '_ {
        self.sides.iter().map(|s| (s.behind, self.area(s).norm()))
    }

    /// Volume.
    pub fn volume(&self) -> f64 {
        let of = |s: &Side| self.area(s).dot(&self.place(s, 0)).abs() / 3.0;
        self.sides.iter().map(of).sum()
    }

    /// Centroid, from the point.
    pub fn centroid(&self) -> Vec3 {
        let mut sum = Vec3::zeros();
        let mut volume = 0.0;
        for s in &self.sides {
            let o = self.place(s, 0);
            for k in 1..s.corners.len() - 1 {
                let (a, b) = (self.place(s, k), self.place(s, k + 1));
                let v = o.dot(&a.cross(&b)).abs() / 6.0;
                sum += (o + a + b) * (0.25 * v);
                volume += v;
            }
        }
        sum / volume.max(1e-300)
    }

    fn place(&self, side: &Side, k: usize) -> Vec3 {
        self.corner[usize::from(side.corners[k])]
    }

    /// Area vector of a side.
    fn area(&self, side: &Side) -> Vec3 {
        let o = self.place(side, 0);
        let mut sum = Vec3::zeros();
        for k in 1..side.corners.len() - 1 {
            sum += (self.place(side, k) - o).cross(&(self.place(side, k + 1) - o));
        }
        sum * 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lattice_cell() -> Polyhedron {
        let mut p = Polyhedron::cube(3.0);
        for d in 0..27 {
            let n = Vec3::new(f64::from(d % 3 - 1), f64::from(d / 3 % 3 - 1), f64::from(d / 9 - 1));
            if n.norm() > 0.0 {
                p.clip(&n.normalize(), 0.5 * n.norm(), Behind::Point(d as u32));
            }
        }
        p
    }

    #[test]
    fn lattice_cells_are_cubes() {
        let mut p = lattice_cell();
        assert!((p.volume() - 1.0).abs() < 1e-12);
        assert!(p.centroid().norm() < 1e-12);
        p.clip(&Vec3::x(), 0.1, Behind::Outer(0));
        assert!((p.centroid() - Vec3::new(-0.2, 0.0, 0.0)).norm() < 1e-12);
        let p = lattice_cell();
        let sides: Vec<_> = p.areas().filter(|a| a.1 > 1e-9).collect();
        assert_eq!(sides.len(), 6);
        assert!(sides.iter().all(|s| (s.1 - 1.0).abs() < 1e-12));
    }

    /// A plane through an edge takes no sliver with it, one through four corners leaves half; numbers of lost corners are used again.
    #[test]
    fn planes_through_corners() {
        let mut p = Polyhedron::cube(1.0);
        let slant = Vec3::new(1.0, 1.0, 0.0).normalize();
        assert!(!p.clip(&slant, 2.0f64.sqrt(), Behind::Point(0)));
        assert!(p.clip(&slant, 0.0, Behind::Point(1)));
        assert!((p.volume() - 4.0).abs() < 1e-12);
        assert_eq!(p.areas().count(), 5);
        let cut = p.areas().find(|a| a.0 == Behind::Point(1)).unwrap();
        assert!((cut.1 - 4.0 * 2.0f64.sqrt()).abs() < 1e-12);
        assert!(p.clip(&Vec3::z(), 0.0, Behind::Point(2)));
        assert!((p.volume() - 2.0).abs() < 1e-12);
        assert!(p.corner.len() <= 9, "{}", p.corner.len());
        assert!((p.reach_squared() - 3.0).abs() < 1e-12);
    }

    #[test]
    fn divergence_theorem_holds_on_random_cells() {
        let mut p = Polyhedron::cube(2.0);
        let mut seed = 1u64;
        let mut next = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as f64 / f64::from(1u32 << 31) * 2.0 - 1.0
        };
        for i in 0..40 {
            let n = Vec3::new(next(), next(), next());
            p.clip(&n.normalize(), 0.4 + 0.5 * next().abs(), Behind::Point(i));
        }
        // The area vectors of a closed surface add up to nothing.
        let sum: Vec3 = p
            .sides
            .iter()
            .map(|s| {
                let a = p.area(s);
                if a.dot(&p.place(s, 0)) < 0.0 { -a } else { a }
            })
            .sum();
        assert!(sum.norm() < 1e-10, "{sum}");
    }
}
