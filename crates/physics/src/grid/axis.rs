//! The axis of a needle: straight, with a circular arc at the tip for a curved cannula.

use neurotome_base::{Vec3, geometry::perpendicular_pair};

/// Axis from the centre of the rounded end (s = 0) up the shaft, in metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    start: Vec3,
    /// Unit vector along the straight shaft, towards the tip.
    direction: Vec3,
    /// Unit vectors across: the first is the side to which the tip bends.
    side: Vec3,
    other: Vec3,
    /// Bend angle in rad, length of the arc above `start` in m.
    angle: f64,
    arc: f64,
}

impl Axis {
    /// A straight axis whose metal ends at `tip`, pointing along the unit vector `direction`, with end radius `radius`.
    pub fn straight(tip: Vec3, direction: Vec3, radius: f64) -> Self {
        let (side, other) = perpendicular_pair(&direction);
        Self {
            start: tip - direction * radius,
            direction,
            side,
            other,
            angle: 0.0,
            arc: 0.0,
        }
    }

    /// A straight axis with a chosen side for the angle zero; `side` must be a unit vector across `direction`.
    #[must_use]
    pub fn with_side(mut self, side: Vec3) -> Self {
        self.side = side;
        self.other = self.direction.cross(&side);
        self
    }

    /// A curved axis: the last `length` bends by `angle` (rad) towards `side` (a unit vector across `direction`).
    pub fn bent(tip: Vec3, direction: Vec3, radius: f64, angle: f64, length: f64, side: Vec3) -> Self {
        let end = direction * angle.cos() + side * angle.sin();
        // The part of the arc within the rounded end is laid straight; its curvature is that of the arc.
        let arc = (length - radius).max(radius);
        Self {
            start: tip - end * radius,
            direction,
            side,
            other: direction.cross(&side),
            angle,
            arc,
        }
    }

    fn curvature_of_arc(&self) -> f64 {
        if self.arc > 0.0 { self.angle / self.arc } else { 0.0 }
    }

    /// Length of the arc; zero for a straight axis.
    pub fn arc(&self) -> f64 {
        self.arc
    }

    /// Curvature at `s`, 1/m.
    pub fn curvature(&self, s: f64) -> f64 {
        if s < self.arc { self.curvature_of_arc() } else { 0.0 }
    }

    /// Point on the axis, unit tangent towards the tip, and the two unit vectors across (the first to the inside of the bend).
    pub fn at(&self, s: f64) -> (Vec3, Vec3, Vec3, Vec3) {
        let k = self.curvature_of_arc();
        let on_arc = s.clamp(0.0, self.arc);
        let phi0 = self.angle;
        let phi = phi0 - k * on_arc;
        let mut p = self.start;
        if k > 0.0 {
            p -= self.direction * ((phi0.sin() - phi.sin()) / k) + self.side * ((phi.cos() - phi0.cos()) / k);
        }
        let phi = if s > self.arc { 0.0 } else { phi };
        let tangent = self.direction * phi.cos() + self.side * phi.sin();
        let across = self.side * phi.cos() - self.direction * phi.sin();
        p -= tangent * (s - on_arc);
        (p, tangent, across, self.other)
    }

    /// Coordinates of a point: `(s, r, θ)` with `s < 0` beyond the centre of the rounded end, measured along the tangent there.
    pub fn coordinates(&self, p: &Vec3) -> (f64, f64, f64) {
        let k = self.curvature_of_arc();
        let s = if k > 0.0 {
            let (c, _, across, _) = self.at(0.0);
            let v = p - (c + across / k);
            let (sin, cos) = (v.dot(&self.direction), -v.dot(&self.side));
            let phi = sin.atan2(cos);
            let on_arc = (self.angle - phi) / k;
            if on_arc >= self.arc {
                let (e, t, _, _) = self.at(self.arc);
                self.arc + (e - p).dot(&t).max(0.0)
            } else if on_arc >= 0.0 {
                on_arc
            } else {
                let (c, t, _, _) = self.at(0.0);
                (c - p).dot(&t).min(0.0)
            }
        } else {
            (self.start - p).dot(&self.direction)
        };
        let (c, tangent, e1, e2) = self.at(s.max(0.0));
        let v = p - c;
        let v = if s < 0.0 { v } else { v - tangent * v.dot(&tangent) };
        let (x, y) = (v.dot(&e1), v.dot(&e2));
        (s, x.hypot(y), y.atan2(x))
    }

    /// Distance from the axis between the centre of the rounded end and `end`.
    pub fn distance(&self, p: &Vec3, end: f64) -> f64 {
        let (s, r, _) = self.coordinates(p);
        if s < 0.0 {
            (p - self.start).norm()
        } else if s > end {
            (p - self.at(end).0).norm()
        } else {
            r
        }
    }

    /// Centre of the rounded end.
    pub fn start(&self) -> Vec3 {
        self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_invert_positions_on_a_bent_axis() {
        let axis = Axis::bent(Vec3::new(1e-3, 2e-3, 3e-3), -Vec3::z(), 0.4e-3, 0.26, 10e-3, Vec3::x());
        for s in [0.1e-3, 3e-3, 9.5e-3, 12e-3, 40e-3] {
            let (c, t, e1, e2) = axis.at(s);
            assert!((t.norm() - 1.0).abs() < 1e-12 && t.dot(&e1).abs() < 1e-12);
            for theta in [0.0f64, 1.0, 2.5, -2.0] {
                let p = c + (e1 * theta.cos() + e2 * theta.sin()) * 1.5e-3;
                let (s2, r2, theta2) = axis.coordinates(&p);
                assert!((s2 - s).abs() < 1e-12 && (r2 - 1.5e-3).abs() < 1e-12 && (theta2 - theta).abs() < 1e-9);
            }
        }
        // The tip is where it was asked for.
        let (c, t, _, _) = axis.at(0.0);
        assert!((c + t * 0.4e-3 - Vec3::new(1e-3, 2e-3, 3e-3)).norm() < 1e-15);
    }
}
