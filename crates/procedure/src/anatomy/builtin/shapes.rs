//! Implicit shapes: signed level functions in millimetres, negative inside, close to the true distance near the surface.

/// Union with a fillet: at most `k / 4` is added in the corner, and only where the two levels differ by less than `k`.
#[inline]
pub(super) fn join(a: f64, b: f64, k: f64) -> f64 {
    let h = (k - (a - b).abs()).max(0.0);
    a.min(b) - h * h * (0.25 / k)
}

/// Intersection with a rounded edge.
#[inline]
pub(super) fn meet(a: f64, b: f64, k: f64) -> f64 {
    let h = (k - (a - b).abs()).max(0.0);
    a.max(b) + h * h * (0.25 / k)
}

/// Ellipse about the origin with half axes `a` and `b`; first-order distance.
#[inline]
pub(super) fn ellipse(x: f64, y: f64, a: f64, b: f64) -> f64 {
    let (u, v) = (x / a, y / b);
    // Not `hypot`: nothing here is near overflow, and this is the innermost loop.
    let k0 = (u * u + v * v).sqrt();
    let k1 = ((u / a) * (u / a) + (v / b) * (v / b)).sqrt();
    // In the centre the quotient is 0/0; there the level is minus the shorter half axis.
    if k1 < 1e-9 { -a.min(b) } else { k0 * (k0 - 1.0) / k1 }
}

/// Distance from `p` to the axis `a`–`b`, less a radius that changes linearly from `ra` at `a` to `rb` at `b`.
#[inline]
pub(super) fn capsule(p: [f64; 3], a: [f64; 3], b: [f64; 3], ra: f64, rb: f64) -> f64 {
    let (d, q) = (sub(b, a), sub(p, a));
    let t = (dot(q, d) / dot(d, d)).clamp(0.0, 1.0);
    let off = [q[0] - t * d[0], q[1] - t * d[1], q[2] - t * d[2]];
    dot(off, off).sqrt() - (ra + t * (rb - ra))
}

fn sub(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
