//! Courses of the nerves, on the side of positive `|x|`, in the segment's frame (mm).

use super::shapes::capsule;
use super::vertebra::{LEVEL_PITCH_MM, WALL_POINT, WALL_SIN_COS};
use super::{l5_level, l5_z};

/// Diameter of a medial branch, mm (0.5–1.5 mm).
pub(super) const MEDIAL_BRANCH_DIAMETER_MM: f64 = 1.0;
/// Diameter of the L4 spinal nerve and ventral ramus, mm.
pub(super) const VENTRAL_RAMUS_DIAMETER_MM: f64 = 5.0;
/// 20 G, mm.
pub(super) const NEEDLE_DIAMETER_MM: f64 = 0.908;
/// Length of the active tip, mm.
pub(super) const ACTIVE_TIP_MM: f64 = 10.0;

/// Angle of the needle above the plane of the end plate, as seen from the side (tangent of 38°).
const TAN_CAUDAL: f64 = 0.781_285_626_506_717_3;

/// L4 root and ventral ramus: from the dural sac, below the L4 pedicle through the upper part of the foramen L4–L5, then down through the
/// psoas in front of the transverse process of L5.
pub(super) const VENTRAL_RAMUS: [[f64; 3]; 9] = [
    [7.5, 23.5, 38.0],
    [9.0, 23.0, 26.0],
    [12.0, 21.8, 17.0],
    [16.0, 20.0, 12.0],
    [20.5, 18.0, 7.0],
    [26.0, 15.5, -1.0],
    [31.5, 12.5, -11.0],
    [35.5, 8.5, -24.0],
    [38.0, 4.0, -42.0],
];

/// The courses, once computed.
#[derive(Debug, Clone)]
pub(super) struct Courses {
    /// L4 medial branch, from the dorsal ramus at the foramen to the lamina of L5.
    pub medial_branch: Vec<[f64; 3]>,
    /// Middle of its stretch on the neck of the superior articular process.
    pub target: [f64; 3],
    /// Distal end of the default needle.
    pub needle_tip: [f64; 3],
}

/// Unit vector along the neck of the superior articular process, towards anterior, superior and medial.
pub(super) fn neck_direction() -> [f64; 3] {
    let (sin, cos) = WALL_SIN_COS;
    let rise = TAN_CAUDAL * cos;
    let n = (1.0 + rise * rise).sqrt();
    [-sin / n, -cos / n, rise / n]
}

/// Unit vector out of the groove along the wall: perpendicular to the neck and to the wall's normal, posterosuperior.
fn along_wall() -> [f64; 3] {
    let d = neck_direction();
    let (sin, cos) = WALL_SIN_COS;
    // wall normal × d
    let w = [cos, -sin, 0.0];
    let c = [
        w[1] * d[2] - w[2] * d[1],
        w[2] * d[0] - w[0] * d[2],
        w[0] * d[1] - w[1] * d[0],
    ];
    let s = if c[2] > 0.0 { 1.0 } else { -1.0 };
    [s * c[0], s * c[1], s * c[2]]
}

fn shifted(p: [f64; 3], d: [f64; 3], s: f64) -> [f64; 3] {
    [p[0] + s * d[0], p[1] + s * d[1], p[2] + s * d[2]]
}

/// Moves a point along the gradient of the bone's level until it lies `clearance` outside the surface.
fn hug(mut p: [f64; 3], clearance: f64) -> [f64; 3] {
    const H: f64 = 0.05;
    for _ in 0..40 {
        let f = l5_level(p) - clearance;
        if f.abs() < 1e-6 {
            break;
        }
        let mut g = [0.0; 3];
        for a in 0..3 {
            let (mut lo, mut hi) = (p, p);
            lo[a] -= H;
            hi[a] += H;
            g[a] = (l5_level(hi) - l5_level(lo)) / (2.0 * H);
        }
        let norm = (g[0] * g[0] + g[1] * g[1] + g[2] * g[2]).max(0.04);
        p = shifted(p, g, -f / norm);
    }
    p
}

impl Courses {
    pub(super) fn new() -> Self {
        let z = l5_z();
        let d = neck_direction();
        let (sin, cos) = WALL_SIN_COS;
        // Half the nerve and a trace of loose tissue between it and the bone.
        let clearance = 0.5 * MEDIAL_BRANCH_DIAMETER_MM + 0.1;

        // In the groove between the wall and the root of the transverse process.
        let y = WALL_POINT.1 - 0.75;
        let on_wall = WALL_POINT.0 + (y - WALL_POINT.1) * sin / cos + clearance / cos;
        let target = hug([on_wall, y, z + 9.9], clearance);

        let mut medial_branch = vec![
            // From the dorsal ramus, round the front of the superior articular process.
            [21.5, 19.5, z + 24.0],
            [23.2, 21.5, z + 19.5],
        ];
        medial_branch
            .extend([7.0, 5.0, 3.0, 1.0, -1.0, -3.0, -5.0, -6.5].map(|s| hug(shifted(target, d, s), clearance)));
        // Under the mamillo-accessory ligament, then medially over the lamina.
        medial_branch.extend(
            [
                [27.0, 34.4, 3.2],
                [25.2, 37.0, 0.2],
                [22.0, 38.8, -2.5],
                [18.5, 40.4, -5.5],
            ]
            .map(|[x, y, dz]| hug([x, y, z + dz], clearance)),
        );

        // The needle lies on the same wall, above and behind the nerve; its axis is pushed out until the metal just touches the bone.
        let radius = 0.5 * NEEDLE_DIAMETER_MM;
        let out = [cos, -sin, 0.0];
        let beside = shifted(target, along_wall(), radius + 0.5 * MEDIAL_BRANCH_DIAMETER_MM + 0.1);
        let lowest = |shift: f64| {
            (0..=20)
                .map(|i| l5_level(shifted(shifted(beside, out, shift), d, f64::from(i) * 0.5 - 5.0)))
                .fold(f64::INFINITY, f64::min)
        };
        let (mut low, mut high) = (-3.0, 3.0);
        for _ in 0..50 {
            let middle = 0.5 * (low + high);
            if lowest(middle) < radius + 0.03 {
                low = middle;
            } else {
                high = middle;
            }
        }
        let needle_tip = shifted(shifted(beside, out, high), d, 0.5 * ACTIVE_TIP_MM);
        Self {
            medial_branch,
            target,
            needle_tip,
        }
    }

    /// True inside a nerve. Every level has the same courses.
    pub(super) fn in_nerve(&self, ax: f64, y: f64, z: f64) -> bool {
        let near = |path: &[[f64; 3]], radius: f64, z: f64| {
            path.windows(2).any(|w| {
                let (lo, hi) = (w[0][2].min(w[1][2]) - radius, w[0][2].max(w[1][2]) + radius);
                z >= lo && z <= hi && capsule([ax, y, z], w[0], w[1], radius, radius) <= 0.0
            })
        };
        if y > 17.0 && y < 44.0 && ax > 16.0 && ax < 30.0 {
            // L4 on L5, L3 on L4, L5 dorsal ramus on S1.
            let level = ((z + 0.35 * LEVEL_PITCH_MM) / LEVEL_PITCH_MM).round();
            if near(
                &self.medial_branch,
                0.5 * MEDIAL_BRANCH_DIAMETER_MM,
                z - level * LEVEL_PITCH_MM,
            ) {
                return true;
            }
        }
        if y > 1.0 && y < 27.0 && ax > 4.0 && ax < 41.0 {
            let radius = 0.5 * VENTRAL_RAMUS_DIAMETER_MM;
            return [-1.0, 0.0, 1.0]
                .into_iter()
                .any(|level| near(&VENTRAL_RAMUS, radius, z - level * LEVEL_PITCH_MM));
        }
        false
    }
}
