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
    corners: Vec<Vec3>,
}

/// A convex polyhedron round the origin (the cell's own point).
#[derive(Debug, Clone)]
pub struct Polyhedron {
    sides: Vec<Side>,
    tolerance: f64,
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
        let sides = faces
            .iter()
            .map(|f| Side {
                behind: Behind::Open,
                corners: f.map(corner).to_vec(),
            })
            .collect();
        Self {
            sides,
            tolerance: 1e-10 * half,
        }
    }

    /// Keeps the part with `normal · x ≤ distance`; true when something was cut.
    pub fn clip(&mut self, normal: &Vec3, distance: f64, behind: Behind) -> bool {
        let tolerance = self.tolerance;
        let cuts = self
            .sides
            .iter()
            .any(|s| s.corners.iter().any(|c| normal.dot(c) > distance + tolerance));
        if !cuts {
            return false;
        }
        let mut cap: Vec<Vec3> = Vec::with_capacity(12);
        let mut kept = Vec::with_capacity(16);
        for side in &mut self.sides {
            kept.clear();
            let n = side.corners.len();
            for i in 0..n {
                let (p, q) = (side.corners[i], side.corners[(i + 1) % n]);
                let (dp, dq) = (normal.dot(&p) - distance, normal.dot(&q) - distance);
                if dp <= tolerance {
                    kept.push(p);
                }
                if (dp <= tolerance) != (dq <= tolerance) {
                    let t = (dp / (dp - dq)).clamp(0.0, 1.0);
                    let cut = p + (q - p) * t;
                    kept.push(cut);
                    cap.push(cut);
                }
            }
            side.corners.clone_from(&kept);
        }
        self.sides.retain(|s| s.corners.len() >= 3);
        if cap.len() >= 3 {
            let middle = cap.iter().sum::<Vec3>() / cap.len() as f64;
            let (u, v) = neurotome_base::geometry::perpendicular_pair(normal);
            let angle = |c: &Vec3| (c - middle).dot(&v).atan2((c - middle).dot(&u));
            let mut with_angle: Vec<(f64, Vec3)> = cap.iter().map(|c| (angle(c), *c)).collect();
            with_angle.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut corners: Vec<Vec3> = Vec::with_capacity(with_angle.len());
            for (_, c) in with_angle {
                if corners.last().is_none_or(|l| (l - c).norm() > 10.0 * tolerance) {
                    corners.push(c);
                }
            }
            while corners.len() > 1 && (corners[0] - corners[corners.len() - 1]).norm() <= 10.0 * tolerance {
                corners.pop();
            }
            if corners.len() >= 3 {
                self.sides.push(Side { behind, corners });
            }
        }
        true
    }

    /// Largest distance of a corner from the point, squared.
    pub fn reach_squared(&self) -> f64 {
        self.sides
            .iter()
            .flat_map(|s| &s.corners)
            .map(Vec3::norm_squared)
            .fold(0.0, f64::max)
    }

    /// Area and what is behind, for every side.
    pub fn areas(&self) -> impl Iterator<Item = (Behind, f64)> + '_ {
        self.sides.iter().map(|s| (s.behind, area(&s.corners).norm()))
    }

    /// Volume.
    pub fn volume(&self) -> f64 {
        self.sides
            .iter()
            .map(|s| area(&s.corners).dot(&s.corners[0]).abs() / 3.0)
            .sum()
    }

    /// Centroid, from the point.
    pub fn centroid(&self) -> Vec3 {
        let mut sum = Vec3::zeros();
        let mut volume = 0.0;
        for s in &self.sides {
            let o = s.corners[0];
            for w in s.corners[1..].windows(2) {
                let v = o.dot(&w[0].cross(&w[1])).abs() / 6.0;
                sum += (o + w[0] + w[1]) * (0.25 * v);
                volume += v;
            }
        }
        sum / volume.max(1e-300)
    }
}

/// Area vector of a plane polygon.
fn area(corners: &[Vec3]) -> Vec3 {
    let o = corners[0];
    let mut sum = Vec3::zeros();
    for w in corners[1..].windows(2) {
        sum += (w[0] - o).cross(&(w[1] - o));
    }
    sum * 0.5
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
                let a = area(&s.corners);
                if a.dot(&s.corners[0]) < 0.0 { -a } else { a }
            })
            .sum();
        assert!(sum.norm() < 1e-10, "{sum}");
    }
}
