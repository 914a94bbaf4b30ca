//! An octree of cubes, refined by a size function and balanced 2:1 over faces, edges and corners.

use neurotome_base::Vec3;
use rayon::prelude::*;

const LEAF: u32 = 0;

#[derive(Debug, Clone)]
struct Node {
    /// First of eight children, or [`LEAF`].
    child: u32,
    level: u8,
    ijk: [u32; 3],
}

/// The tree; node 0 is the root.
#[derive(Debug, Clone)]
pub struct Octree {
    origin: Vec3,
    side: f64,
    nodes: Vec<Node>,
    /// Where the points of each node begin in `points`; one more than nodes. Empty while there are none.
    start: Vec<u32>,
    points: Vec<u32>,
}

/// Nodes that a walk over the tree can have before it: seven for each of twenty levels, and one.
const WALK: usize = 7 * 20 + 8;

impl Octree {
    /// Refines a cube until `split(centre, side)` is false for every leaf, then balances. At most `max_leaves` leaves.
    pub fn new(origin: Vec3, side: f64, max_leaves: usize, split: impl Fn(&Vec3, f64) -> bool) -> Option<Self> {
        let mut tree = Self {
            origin,
            side,
            nodes: vec![Node {
                child: LEAF,
                level: 0,
                ijk: [0; 3],
            }],
            start: vec![],
            points: vec![],
        };
        let mut next = 0;
        while next < tree.nodes.len() {
            let n = &tree.nodes[next];
            if n.level < 20 && split(&tree.center(next), tree.size(next)) {
                tree.divide(next);
            }
            if tree.nodes.len() > 2 * max_leaves {
                return None;
            }
            next += 1;
        }
        tree.balance();
        Some(tree)
    }

    fn divide(&mut self, n: usize) {
        let (level, ijk) = (self.nodes[n].level + 1, self.nodes[n].ijk);
        self.nodes[n].child = self.nodes.len() as u32;
        for c in 0..8u32 {
            let ijk = [
                2 * ijk[0] + (c & 1),
                2 * ijk[1] + ((c >> 1) & 1),
                2 * ijk[2] + ((c >> 2) & 1),
            ];
            self.nodes.push(Node {
                child: LEAF,
                level,
                ijk,
            });
        }
    }

    fn balance(&mut self) {
        // Leaves are visited finest first; a split queues the new leaves' elders again.
        let mut queue: Vec<u32> = (0..self.nodes.len() as u32)
            .filter(|&n| self.is_leaf(n as usize))
            .collect();
        while let Some(n) = queue.pop() {
            if !self.is_leaf(n as usize) {
                continue;
            }
            let (level, ijk) = (self.nodes[n as usize].level, self.nodes[n as usize].ijk);
            if level < 2 {
                continue;
            }
            for d in 0..27 {
                let offset = [d % 3 - 1, d / 3 % 3 - 1, d / 9 - 1];
                if let Some(m) = self.covering(level, ijk, offset)
                    && self.nodes[m].level + 1 < level
                {
                    self.divide(m);
                    let first = self.nodes[m].child;
                    queue.push(n);
                    queue.extend(first..first + 8);
                }
            }
        }
    }

    /// The node of at most `level` that covers the cube beside `ijk`; none outside the root.
    pub fn covering(&self, level: u8, ijk: [u32; 3], offset: [i32; 3]) -> Option<usize> {
        let mut target = [0u32; 3];
        for a in 0..3 {
            let v = i64::from(ijk[a]) + i64::from(offset[a]);
            if v < 0 || v >= 1i64 << level {
                return None;
            }
            target[a] = v as u32;
        }
        let mut n = 0;
        for l in (0..level).rev() {
            if self.is_leaf(n) {
                break;
            }
            let c = ((target[0] >> l) & 1) | (((target[1] >> l) & 1) << 1) | (((target[2] >> l) & 1) << 2);
            n = (self.nodes[n].child + c) as usize;
        }
        Some(n)
    }

    pub fn is_leaf(&self, n: usize) -> bool {
        self.nodes[n].child == LEAF
    }

    pub fn level(&self, n: usize) -> u8 {
        self.nodes[n].level
    }

    pub fn ijk(&self, n: usize) -> [u32; 3] {
        self.nodes[n].ijk
    }

    pub fn size(&self, n: usize) -> f64 {
        self.side / f64::from(1u32 << self.nodes[n].level)
    }

    pub fn center(&self, n: usize) -> Vec3 {
        let h = self.size(n);
        let [i, j, k] = self.nodes[n].ijk;
        self.origin + Vec3::new(f64::from(i) + 0.5, f64::from(j) + 0.5, f64::from(k) + 0.5) * h
    }

    /// Leaves in depth-first order, which keeps neighbours close in memory.
    pub fn leaves(&self) -> Vec<usize> {
        let mut out = Vec::with_capacity(self.nodes.len());
        let mut stack = vec![0usize];
        while let Some(n) = stack.pop() {
            if self.is_leaf(n) {
                out.push(n);
            } else {
                let c = self.nodes[n].child as usize;
                stack.extend((c..c + 8).rev());
            }
        }
        out
    }

    /// The leaf that holds `p`, clamped to the root cube.
    pub fn leaf_at(&self, p: &Vec3) -> usize {
        let mut n = 0;
        while !self.is_leaf(n) {
            let c = self.center(n);
            let child = u32::from(p.x >= c.x) | (u32::from(p.y >= c.y) << 1) | (u32::from(p.z >= c.z) << 2);
            n = (self.nodes[n].child + child) as usize;
        }
        n
    }

    /// Puts points with their numbers into the leaves that hold them.
    pub fn hold(&mut self, points: &[(Vec3, u32)]) {
        let leaf: Vec<u32> = points.par_iter().map(|(p, _)| self.leaf_at(p) as u32).collect();
        self.start = vec![0; self.nodes.len() + 1];
        for &n in &leaf {
            self.start[n as usize + 1] += 1;
        }
        for n in 0..self.nodes.len() {
            self.start[n + 1] += self.start[n];
        }
        let mut next = self.start.clone();
        self.points = vec![0; points.len()];
        for (&n, (_, number)) in leaf.iter().zip(points) {
            let at = &mut next[n as usize];
            self.points[*at as usize] = *number;
            *at += 1;
        }
    }

    /// The points in a leaf.
    pub fn points(&self, n: usize) -> &[u32] {
        &self.points[self.start[n] as usize..self.start[n + 1] as usize]
    }

    /// The smallest node that holds the whole ball; the root when none does.
    fn around(&self, p: &Vec3, radius: f64) -> usize {
        let mut n = 0;
        while !self.is_leaf(n) {
            let d = p - self.center(n);
            if d.iter().any(|v| v.abs() < radius) {
                break;
            }
            let child = u32::from(d.x >= 0.0) | (u32::from(d.y >= 0.0) << 1) | (u32::from(d.z >= 0.0) << 2);
            n = (self.nodes[n].child + child) as usize;
        }
        n
    }

    /// Calls `f` on the points of all leaves that meet the ball.
    pub fn for_points_near(&self, p: &Vec3, radius: f64, mut f: impl FnMut(u32)) {
        let start = self.around(p, radius);
        if self.is_leaf(start) {
            return self.points(start).iter().copied().for_each(f);
        }
        // Nodes that meet the ball and have children, and where the point lies from their middles.
        let mut stack = [(0usize, Vec3::zeros()); WALK];
        stack[0] = (start, p - self.center(start));
        let mut left = 1;
        while left > 0 {
            left -= 1;
            let (n, from) = stack[left];
            let quarter = 0.25 * self.size(n);
            // Of the lower and the upper half along each axis, how far the point lies outside, squared.
            let outside =
                [-quarter, quarter].map(|middle| from.map(|v| ((v - middle).abs() - quarter).max(0.0).powi(2)));
            let children = self.nodes[n].child as usize;
            for c in 0..8 {
                let half = |axis: usize| (c >> axis) & 1;
                if outside[half(0)].x + outside[half(1)].y + outside[half(2)].z > radius * radius {
                    continue;
                }
                let child = children + c;
                if self.is_leaf(child) {
                    self.points(child).iter().copied().for_each(&mut f);
                } else {
                    let middle = |axis: usize| if half(axis) == 1 { quarter } else { -quarter };
                    stack[left] = (child, from - Vec3::new(middle(0), middle(1), middle(2)));
                    left += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_and_complete() {
        let tree = Octree::new(Vec3::zeros(), 1.0, 100_000, |c, h| h > 0.02 + 0.9 * c.norm()).unwrap();
        let leaves = tree.leaves();
        let volume: f64 = leaves.iter().map(|&n| tree.size(n).powi(3)).sum();
        assert!((volume - 1.0).abs() < 1e-12);
        for &n in &leaves {
            for d in 0..27 {
                if let Some(m) = tree.covering(tree.level(n), tree.ijk(n), [d % 3 - 1, d / 3 % 3 - 1, d / 9 - 1]) {
                    assert!(tree.level(m) + 1 >= tree.level(n));
                }
            }
        }
    }

    /// Every point of the ball is among those given, and each but once.
    #[test]
    fn points_near_are_found() {
        let mut tree = Octree::new(Vec3::repeat(-0.5), 1.0, 100_000, |c, h| h > 0.02 + 0.5 * c.norm()).unwrap();
        let mut seed = 7u64;
        let mut next = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as f64 / f64::from(1u32 << 31) - 0.5
        };
        let points: Vec<(Vec3, u32)> = (0..2000).map(|i| (Vec3::new(next(), next(), next()), i)).collect();
        tree.hold(&points);
        for k in 0..200 {
            let (p, radius) = (points[k].0, 0.3 * f64::from(k as u32) / 200.0);
            let mut found = Vec::new();
            tree.for_points_near(&p, radius, |i| found.push(i));
            found.sort_unstable();
            assert!(found.windows(2).all(|w| w[0] < w[1]));
            let within = points.iter().filter(|q| (q.0 - p).norm() <= radius);
            assert!(within.clone().all(|q| found.binary_search(&q.1).is_ok()), "{k}");
        }
    }
}
