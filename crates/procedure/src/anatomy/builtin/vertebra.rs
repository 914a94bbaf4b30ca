//! The bone of one vertebra, in its own frame: origin in the middle of the vertebral body, `x` to the side (symmetrical, so only
//! `|x|` enters), `y` posterior, `z` superior, millimetres.
//!
//! The sizes are typical adult values, rounded, of the order that textbooks and series of lumbar morphometry give for L4 and L5
//! (vertebral body 50 × 35 × 28 mm, pedicle 10–11 mm wide and 15 mm high, interpedicular distance 24 mm, canal 20 mm deep,
//! transverse processes 80–92 mm from tip to tip, facets at 45° to the sagittal plane). They are fitted to no single patient or data set.

use super::shapes::{capsule, ellipse, join, meet};

/// Half height of a vertebral body, mm.
pub(super) const BODY_HALF_HEIGHT_MM: f64 = 14.0;
/// Height of the disc, mm.
pub(super) const DISC_HEIGHT_MM: f64 = 11.0;
/// From one vertebra to the next, mm.
pub(super) const LEVEL_PITCH_MM: f64 = 2.0 * BODY_HALF_HEIGHT_MM + DISC_HEIGHT_MM;

/// Direction in the axial plane of the lateral wall of the superior articular process: 25° off the sagittal plane, running
/// posterolaterally. (sin, cos).
pub(super) const WALL_SIN_COS: (f64, f64) = (0.422_618_261_740_699_4, 0.906_307_787_036_65);
/// A point of that wall, (|x|, y).
pub(super) const WALL_POINT: (f64, f64) = (25.0, 29.5);

/// Middle of the facet joint in the frame of the lower vertebra, (|x|, y).
const FACET_POINT: (f64, f64) = (17.5, 34.5);
/// Heights of the joint's ends in the frame of the lower vertebra.
const FACET_Z: (f64, f64) = (7.0, 22.5);
/// Half width of the joint, mm.
const FACET_HALF_WIDTH_MM: f64 = 7.5;
/// Half of the distance between the two bones of the joint, mm.
const FACET_HALF_GAP_MM: f64 = 1.0;

/// Kind and proportions of a vertebra.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Vertebra {
    /// Height of the middle of its body in the segment's frame, mm.
    pub center_z_mm: f64,
    /// Lateral end of the transverse process, mm from the midline; for the sacrum, of the ala.
    pub transverse_reach_mm: f64,
    /// Radius of the lateral end of the transverse process, mm.
    pub transverse_end_radius_mm: f64,
    /// Posterior end of the spinous process, mm.
    pub spinous_y_mm: f64,
    /// True for the first sacral vertebra: alae in place of transverse processes.
    pub sacral: bool,
}

impl Vertebra {
    /// Signed level of the bone, mm, at `(|x|, y, z)` in the vertebra's own frame.
    ///
    /// Parts that are too far away to shape the surface are left out, so that far from bone the level may be too large.
    pub(super) fn level(&self, ax: f64, y: f64, z: f64) -> f64 {
        let mut bone = f64::INFINITY;
        if y < 22.0 {
            bone = body(ax, y, z);
        }
        if self.sacral {
            bone = join(bone, ala(self, ax, y, z), 6.0);
        }
        if y > 2.0 && z > -6.0 && z < 18.0 && ax < 30.0 {
            bone = join(bone, pedicle(ax, y, z), 4.0);
        }
        if y > 18.0 {
            let mut arch = f64::INFINITY;
            if ax < 26.0 {
                arch = lamina(ax, y, z);
            }
            if ax < 10.0 {
                arch = join(arch, spinous_process(self.spinous_y_mm, ax, y, z), 4.0);
            }
            if ax > 6.0 {
                if ax < 26.0 {
                    arch = join(arch, pars(ax, y, z), 3.0);
                }
                if z > -3.0 {
                    arch = join(arch, superior_articular_process(ax, y, z), 2.0);
                }
                if z < -4.0 && ax < 26.0 && !self.sacral {
                    arch = join(arch, inferior_articular_process(ax, y, z), 2.0);
                }
            }
            bone = join(bone, arch, 3.0);
        }
        if !self.sacral && y > 14.0 && ax > 12.0 && z > -8.0 && z < 18.0 {
            bone = join(bone, self.transverse_process(ax, y, z), 1.5);
        }
        bone
    }

    fn transverse_process(&self, ax: f64, y: f64, z: f64) -> f64 {
        let p = [ax, y, z];
        let shaft = capsule(
            p,
            [17.0, 24.4, 4.6],
            [self.transverse_reach_mm, 30.5, 7.0],
            5.0,
            self.transverse_end_radius_mm,
        );
        let accessory_process = capsule(p, [25.5, 29.0, 1.0], [27.0, 31.5, 0.5], 2.5, 1.8);
        join(shaft, accessory_process, 2.0)
    }
}

/// Outline of a vertebral body and of the discs, in the axial plane: an ellipse whose posterior wall is flat to concave.
pub(super) fn body_outline(ax: f64, y: f64, scale: f64) -> f64 {
    let wall = 16.4 + 0.008 * (ax * ax).min(196.0);
    meet(
        ellipse(ax, y, 25.0 * scale, 17.5 * scale),
        y - wall * scale.min(1.0),
        2.5,
    )
}

fn body(ax: f64, y: f64, z: f64) -> f64 {
    let h = (z / BODY_HALF_HEIGHT_MM).abs().min(1.0);
    let waist = 0.90 + 0.10 * h * h;
    meet(body_outline(ax, y, waist), z.abs() - BODY_HALF_HEIGHT_MM, 2.0)
}

fn pedicle(ax: f64, y: f64, z: f64) -> f64 {
    let middle = 16.8 + 0.18 * (y - 17.0);
    let section = ellipse(ax - middle, z - 6.0, 5.2, 7.4);
    section.max(8.0 - y).max(y - 31.0)
}

fn lamina(ax: f64, y: f64, z: f64) -> f64 {
    // The plate slopes: its upper border lies further anterior.
    let y = y + 0.22 * (z + 5.5);
    // From the articular pillar to the midline, in the axial plane.
    let (ex, ey) = (-17.0, 7.8);
    let (qx, qy) = (ax - 17.0, y - 31.7);
    let t = ((qx * ex + qy * ey) / (ex * ex + ey * ey)).clamp(0.0, 1.0);
    let (dx, dy) = (qx - t * ex, qy - t * ey);
    let plate = (dx * dx + dy * dy).sqrt() - 3.2;
    meet(plate, (z + 5.5).abs() - 10.5, 2.5)
}

fn pars(ax: f64, y: f64, z: f64) -> f64 {
    capsule([ax, y, z], [19.0, 32.0, 4.0], [14.5, 37.0, -14.0], 4.4, 4.0)
}

fn spinous_process(end_y: f64, ax: f64, y: f64, z: f64) -> f64 {
    let sag = -7.0 - 0.12 * (y - 40.0);
    let half_height = 7.5 + 0.12 * (y - 40.0).max(0.0);
    let along = (40.0 - y).max(y - end_y);
    meet(meet(ax - 3.3, (z - sag).abs() - half_height, 3.0), along, 3.0)
}

/// Coordinates of the facet joint: across it (positive towards the posteromedial side, where the upper vertebra's process lies) and along it.
fn facet_coordinates(ax: f64, y: f64) -> (f64, f64) {
    let (dx, dy) = (ax - FACET_POINT.0, y - FACET_POINT.1);
    let r = std::f64::consts::FRAC_1_SQRT_2;
    ((dy - dx) * r, (dx + dy) * r)
}

fn superior_articular_process(ax: f64, y: f64, z: f64) -> f64 {
    let (across, along) = facet_coordinates(ax, y);
    let (sin, cos) = WALL_SIN_COS;
    // The wall leans medially above the neck.
    let wall = cos * (ax - WALL_POINT.0) - sin * (y - WALL_POINT.1) + 0.18 * (z - 15.0).max(0.0);
    let facet = across + FACET_HALF_GAP_MM;
    let anterior = 23.5 - y;
    let medial = 14.5 - ax;
    let posterior = along - FACET_HALF_WIDTH_MM + 0.5;
    let sides = meet(meet(wall, facet, 2.0), meet(anterior.max(medial), posterior, 2.0), 2.0);
    meet(sides, (z - FACET_Z.1).max(-z), 4.0)
}

fn inferior_articular_process(ax: f64, y: f64, z: f64) -> f64 {
    let (across, along) = facet_coordinates(ax, y);
    let facet = FACET_HALF_GAP_MM - across;
    let back = across - 8.5;
    let sides = meet(meet(facet, back, 3.0), along.abs() - 6.5, 3.0);
    let bottom = FACET_Z.0 - 0.5 - LEVEL_PITCH_MM - z;
    meet(sides, bottom.max(z + 8.0), 5.0)
}

/// True in the cartilage between the superior articular process of this vertebra and the inferior one of the vertebra above.
pub(super) fn in_facet_cartilage(ax: f64, y: f64, z: f64) -> bool {
    let (across, along) = facet_coordinates(ax, y);
    let middle = 0.5 * (FACET_Z.0 + FACET_Z.1);
    let half = 0.5 * (FACET_Z.1 - FACET_Z.0);
    let (u, v) = (along / FACET_HALF_WIDTH_MM, (z - middle) / half);
    across.abs() <= FACET_HALF_GAP_MM + 0.3 && u * u + v * v <= 1.0
}

fn ala(v: &Vertebra, ax: f64, y: f64, z: f64) -> f64 {
    capsule(
        [ax, y, z],
        [18.0, 8.0, -2.0],
        [v.transverse_reach_mm, 16.0, -10.0],
        13.0,
        13.0,
    )
}
