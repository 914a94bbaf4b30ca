//! The way of the tip from the skin.

use neurotome_base::{PatientPoint, Vec3};
use serde::{Deserialize, Serialize};

/// A place of the tip on its way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrackPoint {
    /// The distal end, mm.
    pub tip_mm: PatientPoint,
    /// Unit vector in which the tip points.
    pub direction: [f64; 3],
    /// Unit vector across the needle from which the turn about the shaft counts; carried along without twist.
    pub across: [f64; 3],
    /// Length of the way from the skin, mm.
    pub depth_mm: f64,
}

impl TrackPoint {
    /// The direction as a vector.
    pub fn along(&self) -> Vec3 {
        Vec3::from(self.direction)
    }

    /// The unit vector across the needle at an angle about the shaft, degrees, counted from `across` towards `direction × across`.
    pub fn across_at(&self, turn_deg: f64) -> Vec3 {
        let (u, d) = (Vec3::from(self.across), self.along());
        let (sin, cos) = turn_deg.to_radians().sin_cos();
        u * cos + d.cross(&u) * sin
    }
}

/// Moves a point so many mm along an arc that bends towards `towards` (unit, across the needle) with a curvature, 1/mm. Exact for any
/// length; `across` is carried along without twist.
pub fn arc(from: &TrackPoint, towards: &Vec3, curvature_per_mm: f64, length_mm: f64) -> TrackPoint {
    let d = from.along();
    let angle = curvature_per_mm * length_mm;
    // (1 − cos a)/κ and sin a/κ without loss of digits where the curvature is small.
    let half = 0.5 * angle;
    let sinc = |x: f64| if x.abs() < 1e-8 { 1.0 - x * x / 6.0 } else { x.sin() / x };
    let chord = length_mm * sinc(half);
    let tip = from.tip_mm.vec() + d * (chord * half.cos()) + towards * (chord * half.sin());
    let (sin, cos) = angle.sin_cos();
    let direction = (d * cos + towards * sin).normalize();
    let u = Vec3::from(from.across);
    let part = u.dot(towards);
    let turned = u + towards * (part * (cos - 1.0)) - d * (part * sin);
    let across = (turned - direction * turned.dot(&direction)).normalize();
    TrackPoint {
        tip_mm: PatientPoint::from_vec(tip),
        direction: direction.into(),
        across: across.into(),
        depth_mm: from.depth_mm + length_mm,
    }
}

/// The track from the skin to the tip.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// Places in ascending depth; the first is at the skin.
    pub points: Vec<TrackPoint>,
}

impl Track {
    /// Where the tip is.
    pub fn last(&self) -> Option<&TrackPoint> {
        self.points.last()
    }

    /// Length of the way, mm.
    pub fn depth_mm(&self) -> f64 {
        self.last().map_or(0.0, |p| p.depth_mm)
    }

    /// Draws the tip back to a depth on its own track, mm.
    pub fn cut_to(&mut self, depth_mm: f64) {
        let keep = self.points.partition_point(|p| p.depth_mm <= depth_mm).max(1);
        let next = self.points.get(keep).copied();
        self.points.truncate(keep);
        if let (Some(a), Some(b)) = (self.points.last().copied(), next)
            && depth_mm > a.depth_mm
        {
            let t = (depth_mm - a.depth_mm) / (b.depth_mm - a.depth_mm);
            let mix = |x: &Vec3, y: &Vec3| x + (y - x) * t;
            let direction = mix(&a.along(), &b.along()).normalize();
            let across = mix(&Vec3::from(a.across), &Vec3::from(b.across));
            let across = (across - direction * across.dot(&direction)).normalize();
            self.points.push(TrackPoint {
                tip_mm: PatientPoint::from_vec(mix(&a.tip_mm.vec(), &b.tip_mm.vec())),
                direction: direction.into(),
                across: across.into(),
                depth_mm,
            });
        }
    }
}
