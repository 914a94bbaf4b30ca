//! Needles, markers and screws as exact solids.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::{
    grid::{Axis, End, FittedNeedle},
    xray::{Part, Shape},
};

use crate::lesion::{Needle, fitted_needles};

/// Materials of devices, in the order of their paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceMaterial {
    /// Stainless steel: cannula, stylet, electrode.
    Steel,
    /// Titanium: screws and rods.
    Titanium,
    /// Polymer of hubs.
    Polymer,
    /// Lead: skin markers.
    Lead,
}

impl DeviceMaterial {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Steel, Self::Titanium, Self::Polymer, Self::Lead];

    /// Its name in the catalogue.
    pub fn catalog_name(self) -> &'static str {
        ["steel_304", "titanium", "polycarbonate", "lead"][self as usize]
    }
}

/// What of a needle is in it and at its end. The sizes of the hub are assumptions for the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NeedleLook {
    /// Inner diameter over outer; none: drawn as solid metal.
    pub lumen_ratio: Option<f64>,
    /// A stylet or electrode fills the lumen.
    pub stylet: bool,
    /// Length of the hub behind the needle, mm; zero: no hub.
    pub hub_length_mm: f64,
    /// Diameter of the hub, mm.
    pub hub_diameter_mm: f64,
}

impl Default for NeedleLook {
    fn default() -> Self {
        Self {
            lumen_ratio: Some(0.7),
            stylet: true,
            hub_length_mm: 25.0,
            hub_diameter_mm: 6.0,
        }
    }
}

/// Longest piece of a curved axis that is drawn straight, mm: 0.5 mm of a bend of 60 mm radius is off by 0.0005 mm.
const PIECE_MM: f64 = 0.5;
const MM_PER_M: f64 = 1e3;

/// The solids of a needle: outer metal, lumen, stylet, tines and hub. Curved tips follow the arc that the lesion's grid uses.
pub fn needle_parts(needle: &Needle, look: &NeedleLook) -> Vec<Part> {
    let mut parts = Vec::new();
    for fitted in fitted_needles(std::slice::from_ref(needle)) {
        let radius = fitted.radius * MM_PER_M;
        rod(&mut parts, &fitted, radius, Some(DeviceMaterial::Steel));
        // A stylet or electrode fills the lumen: the hair of air round it is not seen.
        if let Some(ratio) = look.lumen_ratio.filter(|r| *r > 0.0 && *r < 1.0 && !look.stylet) {
            rod(&mut parts, &fitted, radius * ratio, None);
        }
        for tine in &fitted.tines {
            let axis = fitted.tine_axis(tine);
            let (end, tangent, ..) = axis.at(0.0);
            let from = end * MM_PER_M;
            let to = from - tangent * (tine.length * MM_PER_M);
            let shape = Shape::Capsule {
                from,
                to,
                radius_mm: tine.radius * MM_PER_M,
            };
            parts.push(Part::solid(shape, DeviceMaterial::Steel as usize));
        }
        if look.hub_length_mm > 0.0 {
            let (hub, tangent, ..) = fitted.axis.at(fitted.length);
            let from = hub * MM_PER_M;
            let outer = Shape::Cylinder {
                from,
                to: from - tangent * look.hub_length_mm,
                radius_mm: 0.5 * look.hub_diameter_mm,
            };
            parts.push(Part::solid(outer, DeviceMaterial::Polymer as usize));
        }
    }
    parts
}

/// A rod along a needle's axis, with its end: rounded or cut. Without material it is the hollow inside.
fn rod(parts: &mut Vec<Part>, needle: &FittedNeedle, radius_mm: f64, material: Option<DeviceMaterial>) {
    let material = material.map(|m| m as usize);
    let axis = &needle.axis;
    let at = |s: f64| axis.at(s).0 * MM_PER_M;
    let end = needle.end_length();
    let mut add = |shape, cut| parts.push(Part { shape, cut, material });
    match needle.end {
        End::Rounded => {}
        End::Bevel { angle, azimuth } => {
            let (start, tangent, e1, e2) = axis.at(0.0);
            let tip = (start + tangent * end) * MM_PER_M;
            let open = e1 * azimuth.cos() + e2 * azimuth.sin();
            let point = tip - open * (needle.radius * MM_PER_M);
            let normal = tangent * angle.sin() + open * angle.cos();
            let shape = Shape::Cylinder {
                from: tip,
                to: start * MM_PER_M,
                radius_mm,
            };
            add(shape, Some((point, normal)));
        }
    }
    let mut from = 0.0;
    let pieces = (axis.arc() * MM_PER_M / PIECE_MM).ceil();
    for n in 1..=pieces as usize {
        let to = axis.arc() * n as f64 / pieces;
        add(
            Shape::Capsule {
                from: at(from),
                to: at(to),
                radius_mm,
            },
            None,
        );
        from = to;
    }
    let straight = [at(from), at(needle.length - end)];
    let shape = if pieces > 0.0 || matches!(needle.end, End::Rounded) {
        Shape::Capsule {
            from: straight[0],
            to: straight[1],
            radius_mm,
        }
    } else {
        Shape::Cylinder {
            from: straight[0],
            to: straight[1],
            radius_mm,
        }
    };
    add(shape, None);
}

/// A ball of lead on the skin.
pub fn skin_marker(place: &PatientPoint, diameter_mm: f64) -> Part {
    let at = place.vec();
    Part::solid(
        Shape::Capsule {
            from: at,
            to: at + Vec3::z() * 1e-6,
            radius_mm: 0.5 * diameter_mm,
        },
        DeviceMaterial::Lead as usize,
    )
}

/// A pedicle screw of titanium: shank with a pointed end, and a head.
pub fn pedicle_screw(head: &PatientPoint, point: &PatientPoint, diameter_mm: f64) -> Vec<Part> {
    let (from, to) = (head.vec(), point.vec());
    let axis = (to - from).normalize();
    let neck = to - axis * (2.0 * diameter_mm);
    let titanium = DeviceMaterial::Titanium as usize;
    vec![
        Part::solid(
            Shape::Cylinder {
                from,
                to: neck,
                radius_mm: 0.5 * diameter_mm,
            },
            titanium,
        ),
        Part::solid(
            Shape::Cone {
                from: neck,
                to,
                radius_mm: [0.5 * diameter_mm, 0.0],
            },
            titanium,
        ),
        Part::solid(
            Shape::Cylinder {
                from: from - axis * 12.0,
                to: from,
                radius_mm: diameter_mm,
            },
            titanium,
        ),
    ]
}

/// The axis of a needle, mm, from its distal end to its hub: points for overlays.
pub fn needle_axis_mm(needle: &Needle, points: usize) -> Vec<Vec3> {
    let all = fitted_needles(std::slice::from_ref(needle));
    let Some(fitted) = all.first() else { return Vec::new() };
    let axis: &Axis = &fitted.axis;
    let end = fitted.end_length();
    (0..points)
        .map(|n| axis.at(-end + fitted.length * n as f64 / (points.max(2) - 1) as f64).0 * MM_PER_M)
        .collect()
}
