//! Implicit solids: signed level functions in millimetres, negative inside, close to the true distance near the surface.

/// A point or direction, mm.
pub(crate) type P = [f64; 3];

/// Union with a fillet: at most `k / 4` is added in the corner, and only where the two levels differ by less than `k`.
#[inline]
pub(crate) fn join(a: f64, b: f64, k: f64) -> f64 {
    let h = (k - (a - b).abs()).max(0.0);
    a.min(b) - h * h * (0.25 / k)
}

/// Intersection with a rounded edge.
#[inline]
pub(crate) fn meet(a: f64, b: f64, k: f64) -> f64 {
    let h = (k - (a - b).abs()).max(0.0);
    a.max(b) + h * h * (0.25 / k)
}

/// Ellipse about the origin with half axes `a` and `b`; first-order distance.
#[inline]
pub(crate) fn ellipse(x: f64, y: f64, a: f64, b: f64) -> f64 {
    let (u, v) = (x / a, y / b);
    // Not `hypot`: nothing here is near overflow, and this is the innermost loop.
    let k0 = (u * u + v * v).sqrt();
    let k1 = ((u / a) * (u / a) + (v / b) * (v / b)).sqrt();
    // In the centre the quotient is 0/0; there the level is minus the shorter half axis.
    if k1 < 1e-9 { -a.min(b) } else { k0 * (k0 - 1.0) / k1 }
}

/// Distance from `p` to the axis `a`–`b`, less a radius that changes linearly from `ra` at `a` to `rb` at `b`.
#[inline]
pub(crate) fn capsule(p: P, a: P, b: P, ra: f64, rb: f64) -> f64 {
    let (d, q) = (sub(b, a), sub(p, a));
    let t = (dot(q, d) / dot(d, d).max(1e-12)).clamp(0.0, 1.0);
    let off = [q[0] - t * d[0], q[1] - t * d[1], q[2] - t * d[2]];
    dot(off, off).sqrt() - (ra + t * (rb - ra))
}

/// Distance from `p` to a triangle, less a radius that changes linearly over it from corner to corner.
pub(crate) fn plate(p: P, corners: [P; 3], radii: [f64; 3]) -> f64 {
    let [a, b, c] = corners;
    let (ab, ac, ap) = (sub(b, a), sub(c, a), sub(p, a));
    let (d00, d01, d11) = (dot(ab, ab), dot(ab, ac), dot(ac, ac));
    let (d20, d21) = (dot(ap, ab), dot(ap, ac));
    let area = d00 * d11 - d01 * d01;
    let (v, w) = ((d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area);
    if v >= 0.0 && w >= 0.0 && v + w <= 1.0 {
        let foot = add(a, add(scale(ab, v), scale(ac, w)));
        let radius = radii[0] + v * (radii[1] - radii[0]) + w * (radii[2] - radii[0]);
        return norm(sub(p, foot)) - radius;
    }
    capsule(p, a, b, radii[0], radii[1])
        .min(capsule(p, b, c, radii[1], radii[2]))
        .min(capsule(p, c, a, radii[2], radii[0]))
}

/// A box that holds a solid.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounds {
    pub low: P,
    pub high: P,
}

impl Bounds {
    pub(crate) const EMPTY: Self = Self {
        low: [f64::INFINITY; 3],
        high: [f64::NEG_INFINITY; 3],
    };

    /// Round balls.
    pub(crate) fn of_balls(balls: &[(P, f64)]) -> Self {
        balls.iter().fold(Self::EMPTY, |all, (center, radius)| {
            all.with(add(*center, [-radius; 3])).with(add(*center, [*radius; 3]))
        })
    }

    pub(crate) fn with(self, p: P) -> Self {
        Self {
            low: std::array::from_fn(|a| self.low[a].min(p[a])),
            high: std::array::from_fn(|a| self.high[a].max(p[a])),
        }
    }

    pub(crate) fn and(self, other: &Self) -> Self {
        self.with(other.low).with(other.high)
    }

    /// Distance to the box, 0 inside: never more than the distance to what the box holds.
    #[inline]
    pub(crate) fn distance(&self, p: P) -> f64 {
        let off = |a: usize| (self.low[a] - p[a]).max(p[a] - self.high[a]).max(0.0);
        let (x, y, z) = (off(0), off(1), off(2));
        (x * x + y * y + z * z).sqrt()
    }

    /// True inside and on the box.
    #[inline]
    pub(crate) fn holds(&self, p: P) -> bool {
        (0..3).all(|a| p[a] >= self.low[a] && p[a] <= self.high[a])
    }

    /// The eight corners.
    pub(crate) fn corners(&self) -> [P; 8] {
        std::array::from_fn(|n| std::array::from_fn(|a| if n >> a & 1 == 0 { self.low[a] } else { self.high[a] }))
    }
}

/// Eight boxes side by side, so that a processor asks them all at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EightBounds {
    low: [[f64; 8]; 3],
    high: [[f64; 8]; 3],
}

impl EightBounds {
    pub(crate) fn new(boxes: [&Bounds; 8]) -> Self {
        Self {
            low: std::array::from_fn(|a| boxes.map(|b| b.low[a])),
            high: std::array::from_fn(|a| boxes.map(|b| b.high[a])),
        }
    }

    /// As [`Bounds::distance`], for each.
    #[inline]
    pub(crate) fn distances(&self, p: P) -> [f64; 8] {
        let mut sum = [0.0; 8];
        for a in 0..3 {
            for n in 0..8 {
                let off = (self.low[a][n] - p[a]).max(p[a] - self.high[a][n]).max(0.0);
                sum[n] += off * off;
            }
        }
        sum.map(f64::sqrt)
    }
}

#[inline]
pub(crate) fn sub(a: P, b: P) -> P {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

#[inline]
pub(crate) fn add(a: P, b: P) -> P {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

#[inline]
pub(crate) fn scale(a: P, s: f64) -> P {
    [a[0] * s, a[1] * s, a[2] * s]
}

#[inline]
pub(crate) fn dot(a: P, b: P) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(crate) fn norm(a: P) -> f64 {
    dot(a, a).sqrt()
}

pub(crate) fn unit(a: P) -> P {
    scale(a, 1.0 / norm(a).max(1e-12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plate_is_as_thick_as_its_corners_say() {
        let corners = [[0.0; 3], [10.0, 0.0, 0.0], [0.0, 10.0, 0.0]];
        let level = |p| plate(p, corners, [1.0, 2.0, 3.0]);
        assert!((level([0.0, 0.0, 4.0]) - 3.0).abs() < 1e-12);
        assert!((level([5.0, 0.0, 4.0]) - 2.5).abs() < 1e-12);
        assert!((level([2.0, 2.0, -5.0]) - (5.0 - 1.6)).abs() < 1e-12);
        assert!((level([-3.0, 0.0, 0.0]) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn a_box_is_never_farther_than_what_it_holds() {
        let bounds = Bounds::of_balls(&[([0.0; 3], 1.0), ([10.0, 0.0, 0.0], 2.0)]);
        for p in [[5.0, 5.0, 5.0], [-4.0, 0.0, 0.0], [1.0, 0.5, 0.0]] {
            let solid = capsule(p, [0.0; 3], [10.0, 0.0, 0.0], 1.0, 2.0);
            assert!(bounds.distance(p) <= solid.max(0.0) + 1e-12, "{p:?}");
        }
    }
}
