//! Bones that are no vertebrae: hips and last ribs; and pedicle screws.

use neurotome_base::Vec3;

use super::solid::{Bounds, P, capsule, join, plate};
use super::structure::Structure;
use super::{Placed, column, sacrum};
use crate::anatomy::{Level, Side};

/// A bone that is no vertebra, or a screw.
#[derive(Debug, Clone)]
pub(super) struct Loose {
    pub structure: Structure,
    /// Corners and half thickness there of each plate, and a box round it.
    plates: Vec<([P; 3], [f64; 3], Bounds)>,
    rods: Vec<(P, P, f64)>,
    pub bounds: Bounds,
}

/// Fillet between the plates of a loose bone, mm.
const PLATE_FILLET: f64 = 3.0;

impl Loose {
    fn new(structure: Structure, plates: Vec<([P; 3], [f64; 3])>, rods: Vec<(P, P, f64)>) -> Self {
        let mut bounds = Bounds::EMPTY;
        let plates = plates
            .into_iter()
            .map(|(corners, radii)| {
                let balls: Vec<(P, f64)> = corners.into_iter().zip(radii).collect();
                let own = Bounds::of_balls(&balls);
                bounds = bounds.and(&own);
                (corners, radii, own)
            })
            .collect();
        for (a, b, radius) in &rods {
            bounds = bounds.and(&Bounds::of_balls(&[(*a, *radius), (*b, *radius)]));
        }
        Self {
            structure,
            plates,
            rods,
            bounds,
        }
    }

    /// Signed level at a point, mm.
    pub(super) fn level(&self, p: P) -> f64 {
        let mut level = f64::INFINITY;
        for (corners, radii, own) in &self.plates {
            // A plate farther away than this leaves the level as it is.
            if own.distance(p) < level + PLATE_FILLET {
                level = join(level.min(1e6), plate(p, *corners, *radii), PLATE_FILLET);
            }
        }
        for (a, b, radius) in &self.rods {
            level = level.min(capsule(p, *a, *b, *radius, *radius));
        }
        level
    }
}

/// Takes points of the hip, given for a mean person with `x` outwards, to where the hip stands beside a sacrum: the two are one.
pub(super) fn beside_sacrum(sacrum: &Placed, side: Side, size: f64) -> impl Fn(P) -> P {
    // From axes along the body at its own slope to those of the sacrum.
    let given = column::frame(Vec3::zeros(), sacrum::ILIUM_SLOPE_DEG, 0.0, 0.0);
    let frame = sacrum.frame;
    move |p: P| {
        let mirrored = Vec3::new(side.sign() * p[0], p[1], p[2]) * size;
        frame.to_patient(&given.direction_to_local(&mirrored)).into()
    }
}

/// Both hips and twelfth ribs.
pub(super) fn pelvis_and_ribs(vertebrae: &[Placed], size: f64) -> Vec<Loose> {
    let mut all = vec![];
    for side in Side::BOTH {
        let mirrored = |p: P| Vec3::new(side.sign() * p[0], p[1], p[2]) * size;
        if let Some(sacrum) = vertebrae.iter().find(|v| v.level == Level::S1) {
            let to = beside_sacrum(sacrum, side, size);
            let plates = sacrum::ilium()
                .into_iter()
                .map(|(corners, radii)| (corners.map(&to), radii))
                .collect();
            all.push(Loose::new(Structure::Hip(side), plates, vec![]));
        }
        if let Some(last) = vertebrae.iter().find(|v| v.level == Level::T12) {
            let points = [
                [21.0, 15.0, 4.0],
                [34.0, 31.0, -3.0],
                [55.0, 42.0, -14.0],
                [80.0, 40.0, -30.0],
                [100.0, 28.0, -46.0],
            ];
            let to = |p: P| -> P { last.frame.to_patient(&mirrored(p)).into() };
            let rods = points.windows(2).map(|w| (to(w[0]), to(w[1]), 3.8)).collect();
            all.push(Loose::new(Structure::Rib(side), vec![], rods));
        }
    }
    all
}

/// Screws of 6.5 mm through both pedicles of a vertebra, with a head behind each.
pub(super) fn screws(vertebrae: &[Placed], level: Level) -> Vec<Loose> {
    let Some(v) = vertebrae.iter().find(|v| v.level == level) else {
        return vec![];
    };
    [true, false]
        .into_iter()
        .map(|left| {
            let s = &v.bone.shape;
            let side = if left { &s.left } else { &s.right };
            let wall = s.back_wall();
            let x = |y: f64| 0.5 * (s.middle.canal_width + side.pedicle_width) + side.pedicle_slope * (y - wall);
            let point = |y: f64| -> P { v.side_to_patient(left, [x(y), y, side.pedicle_z]).xyz };
            let rods = vec![
                (point(wall - 18.0), point(wall + 22.0), 3.25),
                (point(wall + 22.0), point(wall + 34.0), 6.0),
            ];
            Loose::new(Structure::Screw, vec![], rods)
        })
        .collect()
}
