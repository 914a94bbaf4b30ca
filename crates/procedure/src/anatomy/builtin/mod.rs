//! The built-in patient: the lumbar motion segment L4–L5 from simple implicit shapes, with its neighbours where a domain of 120 mm reaches them.
//!
//! The frame is patient LPS in millimetres: `x` to the patient's left, `y` posterior, `z` superior; the origin lies in the middle of the
//! L4–L5 disc and the midline is `x = 0`. The anatomy is exactly symmetrical. End plates are parallel (no lordosis). Bodies, discs,
//! arches, processes, facet joints, the canal with the dural sac, the foramina, the roots and the medial branches are there, and
//! muscle, fat, skin and air round them; the ilium, vessels and organs are not.
//!
//! By the usual numbering the **L4** medial branch crosses the junction of superior articular and transverse process of **L5**, and the L3
//! medial branch that of L4; the two together supply the L4–L5 facet joint.

mod nerves;
mod patient;
mod shapes;
mod vertebra;

use neurotome_base::{PatientPoint, Vec3};

use self::nerves::Courses;
use self::shapes::{capsule, ellipse};
use self::vertebra::{BODY_HALF_HEIGHT_MM, DISC_HEIGHT_MM, LEVEL_PITCH_MM, Vertebra, body_outline, in_facet_cartilage};
use super::{Course, TissueField, TissueId};
use crate::lesion::{Domain, DomainShape, Metal, Needle, NerveCurve};

/// Middle of the L5 body, z in mm.
const L5_Z: f64 = -0.5 * LEVEL_PITCH_MM;

/// The vertebrae, from below: S1, L5, L4, L3.
const VERTEBRAE: [Vertebra; 4] = [
    Vertebra {
        center_z_mm: L5_Z - LEVEL_PITCH_MM,
        transverse_reach_mm: 44.0,
        transverse_end_radius_mm: 0.0,
        spinous_y_mm: 50.0,
        sacral: true,
    },
    Vertebra {
        center_z_mm: L5_Z,
        transverse_reach_mm: 42.5,
        transverse_end_radius_mm: 4.2,
        spinous_y_mm: 56.0,
        sacral: false,
    },
    Vertebra {
        center_z_mm: L5_Z + LEVEL_PITCH_MM,
        transverse_reach_mm: 40.0,
        transverse_end_radius_mm: 3.2,
        spinous_y_mm: 62.0,
        sacral: false,
    },
    Vertebra {
        center_z_mm: L5_Z + 2.0 * LEVEL_PITCH_MM,
        transverse_reach_mm: 43.0,
        transverse_end_radius_mm: 3.0,
        spinous_y_mm: 62.0,
        sacral: false,
    },
];
const L5: &Vertebra = &VERTEBRAE[1];

/// Nothing of the spine lies outside this: |x|, y from, y to (mm).
const SPINE_BOX: (f64, f64, f64) = (58.0, -19.0, 64.0);
/// Thickness of compact bone, mm.
const CORTEX_MM: f64 = 1.0;
/// Thickness of skin, mm.
const SKIN_MM: f64 = 2.0;
/// Depth of the muscle fascia: skin and 20 mm of subcutaneous fat.
const FASCIA_DEPTH_MM: f64 = SKIN_MM + 20.0;
/// The trunk: an ellipse in the axial plane, half axes and the y of its centre, mm.
const TRUNK: (f64, f64, f64) = (170.0, 116.0, -30.0);

/// Where each kind of tissue of the built-in anatomy stands in the run's tissue table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TissueIds {
    /// Muscle.
    pub muscle: TissueId,
    /// Fat: subcutaneous, epidural, of the foramen and behind the peritoneum.
    pub fat: TissueId,
    /// Skin.
    pub skin: TissueId,
    /// Compact bone.
    pub cortical_bone: TissueId,
    /// Spongy bone.
    pub cancellous_bone: TissueId,
    /// Disc.
    pub intervertebral_disc: TissueId,
    /// Cerebrospinal fluid.
    pub csf: TissueId,
    /// Nerve.
    pub nerve: TissueId,
    /// Cartilage of the facet joints.
    pub cartilage: TissueId,
    /// Ligament.
    pub ligament: TissueId,
    /// Air outside the body.
    pub air: TissueId,
}

/// The lumbar motion segment L4–L5.
#[derive(Debug, Clone)]
pub struct LumbarSegment {
    tissues: TissueIds,
    courses: Courses,
    all_courses: Vec<Course>,
}

impl LumbarSegment {
    /// The segment, with the ids that its tissues have in the run's table.
    pub fn new(tissues: TissueIds) -> Self {
        let courses = Courses::new();
        Self {
            tissues,
            all_courses: patient::courses(&courses),
            courses,
        }
    }

    /// Signed level of the nearest bone, mm: negative inside, close to the distance within some 3 mm of the surface, only a sign beyond.
    pub fn bone_level_mm(&self, p: &PatientPoint) -> f64 {
        let [x, y, z] = p.xyz;
        bone_level(x.abs(), y, z)
    }

    /// Depth below the skin, mm, along the shortest way; negative outside the body.
    pub fn skin_distance_mm(&self, p: &PatientPoint) -> f64 {
        let [x, y, _] = p.xyz;
        depth(x, y)
    }

    /// The nerves of the right side that a lesion at the default needle must reach or spare.
    pub fn nerves(&self) -> Vec<NerveCurve> {
        let right = |path: &[[f64; 3]]| path.iter().map(|p| PatientPoint::new(-p[0], p[1], p[2])).collect();
        vec![
            NerveCurve {
                name: "L4 medial branch right".into(),
                points: right(&self.courses.medial_branch),
                diameter_mm: nerves::MEDIAL_BRANCH_DIAMETER_MM,
                target: true,
            },
            NerveCurve {
                name: "L4 ventral ramus right".into(),
                points: right(&nerves::VENTRAL_RAMUS),
                diameter_mm: nerves::VENTRAL_RAMUS_DIAMETER_MM,
                target: false,
            },
        ]
    }

    /// The middle of the stretch of the right L4 medial branch to be destroyed, on the neck of the L5 superior articular process.
    pub fn target_mm(&self) -> PatientPoint {
        let [x, y, z] = self.courses.target;
        PatientPoint::new(-x, y, z)
    }

    /// A 20 G cannula with an active tip of 10 mm, alongside the right L4 medial branch on the neck of the L5 superior articular process.
    ///
    /// It comes from caudal and lateral. Its angles lie within the ranges of means that Tran et al. measured on dry bone for a
    /// parallel electrode: 33–49° caudal of the end plate (lateral view), 29–47° lateral of the parasagittal plane (posterior view).
    pub fn default_needle(&self) -> Needle {
        let (tip, d) = (self.courses.needle_tip, nerves::neck_direction());
        Needle {
            tip: PatientPoint::new(-tip[0], tip[1], tip[2]),
            direction: [-d[0], d[1], d[2]],
            outer_diameter_mm: nerves::NEEDLE_DIAMETER_MM,
            active_tip_mm: nerves::ACTIVE_TIP_MM,
            length_mm: 100.0,
            bend: None,
            bevel: None,
            contacts: vec![],
            insulation_defects: vec![],
            skin_from_tip_mm: None,
            tines: vec![],
            coolant: None,
            potential_fraction: 1.0,
            thermocouple_from_tip_mm: 0.5,
            thermocouple_tine: None,
            metal: Metal {
                // Austenitic steel (AISI 304) near body temperature.
                thermal_conductivity_w_per_m_k: 16.2,
                density_kg_per_m3: 7900.0,
                specific_heat_j_per_kg_k: 500.0,
            },
        }
    }

    /// Where the default needle's axis meets the skin.
    pub fn skin_entry_mm(&self) -> PatientPoint {
        let needle = self.default_needle();
        let (tip, back) = (needle.tip.vec(), -Vec3::from(needle.direction));
        let (mut inside, mut outside) = (0.0, 2.0 * needle.length_mm);
        while outside - inside > 1e-9 {
            let middle = 0.5 * (inside + outside);
            if self.skin_distance_mm(&PatientPoint::from_vec(tip + back * middle)) > 0.0 {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        PatientPoint::from_vec(tip + back * inside)
    }

    /// A region to compute: a box of 120 mm round the needle's tip.
    pub fn domain(&self) -> Domain {
        Domain {
            center: self.default_needle().tip,
            shape: DomainShape::Box { half_mm: [60.0; 3] },
        }
    }

    fn spine(&self, ax: f64, y: f64, z: f64) -> Option<TissueId> {
        let t = &self.tissues;
        let bone = bone_level(ax, y, z);
        if bone <= 0.0 {
            return Some(if bone > -CORTEX_MM {
                t.cortical_bone
            } else {
                t.cancellous_bone
            });
        }
        // The neighbours repeat each other at this pitch; `local` is the height in the frame of the nearest vertebra.
        let level = ((z - L5_Z) / LEVEL_PITCH_MM).round();
        let local = z - L5_Z - level * LEVEL_PITCH_MM;
        if y < 18.0 && local.abs() > BODY_HALF_HEIGHT_MM - 2.0 {
            // A disc bulges a little beyond the rims.
            let from_rim = (0.5 * LEVEL_PITCH_MM - local.abs()) / (0.5 * DISC_HEIGHT_MM);
            let bulge = 1.0 + 0.02 * (1.0 - (1.0 - from_rim.clamp(0.0, 1.0)).powi(2));
            if local.abs() >= BODY_HALF_HEIGHT_MM - 0.5 && body_outline(ax, y, bulge) <= 0.0 {
                return Some(t.intervertebral_disc);
            }
        }
        if self.courses.in_nerve(ax, y, z) {
            return Some(t.nerve);
        }
        if y > 24.0 && ax > 8.0 && ax < 30.0 {
            // The superior process of the vertebra below reaches up past the middle between two vertebrae.
            if in_facet_cartilage(ax, y, local) || in_facet_cartilage(ax, y, local + LEVEL_PITCH_MM) {
                return Some(t.cartilage);
            }
            let mamillo_accessory = capsule([ax, y, local], [28.3, 36.6, 6.5], [27.6, 32.2, 1.0], 0.8, 0.8);
            if mamillo_accessory <= 0.0 {
                return Some(t.ligament);
            }
        }
        // The canal, and the foramina up to the front of the superior articular processes.
        if y > 14.0 && y < 42.0 && ax < 24.0 - 0.5 * (y - 20.0).max(0.0) {
            if ellipse(ax, y - 25.0, 8.5, 6.5) <= 0.0 {
                return Some(t.csf);
            }
            // Yellow ligament: closes the canal between two arches.
            let slope = y - (39.6 - 0.46 * ax);
            if ax < 14.0 && slope.abs() <= 2.0 {
                return Some(t.ligament);
            }
            if slope < 0.0 && y < 33.0 + (14.0 - ax).max(0.0) {
                return Some(t.fat);
            }
        }
        // Between and behind the spinous processes.
        (ax < 1.2 && y > 38.0 && y < 63.0).then_some(t.ligament)
    }
}

impl TissueField for LumbarSegment {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        let t = &self.tissues;
        let [x, y, z] = p.xyz;
        let depth = depth(x, y);
        if depth < 0.0 {
            return t.air;
        }
        if depth < SKIN_MM {
            return t.skin;
        }
        if depth < FASCIA_DEPTH_MM {
            return t.fat;
        }
        let ax = x.abs();
        let (reach, front, back) = SPINE_BOX;
        if ax < reach
            && y > front
            && y < back
            && let Some(tissue) = self.spine(ax, y, z)
        {
            return tissue;
        }
        if in_muscle(ax, y) { t.muscle } else { t.fat }
    }
}

/// Erector spinae and multifidus, intertransverse muscles, psoas and quadratus lumborum, as prisms along the body.
fn in_muscle(ax: f64, y: f64) -> bool {
    let inside = |cx: f64, cy: f64, a: f64, b: f64| {
        let (u, v) = ((ax - cx) / a, (y - cy) / b);
        u * u + v * v <= 1.0
    };
    let back = if ax < 42.0 {
        y > 24.0 + 0.1 * ax
    } else {
        inside(42.0, 46.0, 36.0, 18.0) || inside(42.0, 40.0, 30.0, 12.0)
    };
    let between_processes = ax > 21.0 && ax < 44.0 && y > 17.0 && y < 32.0;
    back || between_processes || inside(40.0, 0.0, 16.5, 23.0) || inside(64.0, 16.0, 20.0, 10.0)
}

/// Depth below the skin in mm, first order in the distance.
fn depth(x: f64, y: f64) -> f64 {
    let (a, b, cy) = TRUNK;
    -ellipse(x, y - cy, a, b)
}

/// Level of the nearest bone of the whole segment, `(|x|, y, z)` in the segment's frame.
fn bone_level(ax: f64, y: f64, z: f64) -> f64 {
    let mut level = f64::INFINITY;
    for v in &VERTEBRAE {
        let local = z - v.center_z_mm;
        // A vertebra reaches from the tips of its inferior to the tips of its superior articular processes.
        // Below its transverse processes only the narrow arch is left.
        if local > -34.0 && local < 26.0 && (local > -17.0 || ax < 26.0 || v.sacral) {
            level = level.min(v.level(ax, y, local));
        }
    }
    level
}

/// Middle of the L5 body in the segment's frame, for the courses of the nerves.
const fn l5_z() -> f64 {
    L5_Z
}

/// The bone of L5 alone, which carries the target.
fn l5_level(p: [f64; 3]) -> f64 {
    L5.level(p[0], p[1], p[2] - L5_Z)
}

#[cfg(test)]
mod tests;
