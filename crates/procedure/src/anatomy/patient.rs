//! What a planner asks of a patient, whether built in or fitted to a CT.

use neurotome_base::{PatientPoint, Vec3};
use serde::{Deserialize, Serialize};

use super::{Level, Side, TissueField};

/// Kinds of nervous structures beside the spine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NerveKind {
    /// Medial branch of a dorsal ramus.
    MedialBranch,
    /// A dorsal ramus, as that of L5 over the sacral ala.
    DorsalRamus,
    /// Dorsal and ventral roots in their sleeve, down to the ganglion.
    Root,
    /// Dorsal root ganglion.
    Ganglion,
    /// Ventral ramus.
    VentralRamus,
    /// Lateral branch of a dorsal ramus of L1 to L3: to iliocostalis, and as superior cluneal nerve to the skin of the buttock.
    LateralBranch,
    /// Intermediate branch of a dorsal ramus of L4 or L5, with what there is of a lateral one: to longissimus, not to skin.
    IntermediateBranch,
}

impl NerveKind {
    /// All.
    pub const ALL: [NerveKind; 7] = [
        Self::MedialBranch,
        Self::DorsalRamus,
        Self::Root,
        Self::Ganglion,
        Self::VentralRamus,
        Self::LateralBranch,
        Self::IntermediateBranch,
    ];

    /// Its name in files, such as `medial_branch`.
    pub fn name(self) -> &'static str {
        match self {
            Self::MedialBranch => "medial_branch",
            Self::DorsalRamus => "dorsal_ramus",
            Self::Root => "root",
            Self::Ganglion => "ganglion",
            Self::VentralRamus => "ventral_ramus",
            Self::LateralBranch => "lateral_branch",
            Self::IntermediateBranch => "intermediate_branch",
        }
    }
}

/// How far a nerve may lie from its curve: independent normal deviations of the whole curve, standard deviations in mm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Along the bone's surface, across the course.
    pub across_mm: f64,
    /// Off the bone; only outward deviations are possible where the nerve lies on bone.
    pub off_bone_mm: f64,
}

/// The course of a nerve.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Its name, such as `L4 medial branch right`.
    pub name: String,
    /// What it is.
    pub kind: NerveKind,
    /// The spinal nerve it belongs to. By the usual numbering the L4 medial branch crosses the L5 superior articular process.
    pub nerve: Level,
    /// Side.
    pub side: Side,
    /// The mean course, from proximal to distal.
    pub points: Vec<PatientPoint>,
    /// Diameter, mm.
    pub diameter_mm: f64,
    /// How far it may lie from there.
    pub spread: Spread,
    /// First and last index of the points between which a needle should lie alongside: the neck of the superior articular process, or the
    /// sacral ala. None where no needle belongs.
    pub target: Option<[usize; 2]>,
}

/// A vertebra's own axes in the patient: origin in the middle of the body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VertebraFrame {
    /// Middle of the body, mm.
    pub origin: Vec3,
    /// To the patient's left, parallel to the superior end plate.
    pub left: Vec3,
    /// Posterior, parallel to the superior end plate.
    pub posterior: Vec3,
    /// Superior, perpendicular to the superior end plate.
    pub superior: Vec3,
}

impl VertebraFrame {
    /// From the vertebra's own coordinates (left, posterior, superior) to the patient.
    pub fn to_patient(&self, p: &Vec3) -> Vec3 {
        self.origin + self.direction_to_patient(p)
    }

    /// From the patient to the vertebra's own coordinates.
    pub fn to_local(&self, p: &Vec3) -> Vec3 {
        self.direction_to_local(&(p - self.origin))
    }

    /// A direction, likewise.
    pub fn direction_to_patient(&self, d: &Vec3) -> Vec3 {
        self.left * d.x + self.posterior * d.y + self.superior * d.z
    }

    /// A direction, likewise.
    pub fn direction_to_local(&self, d: &Vec3) -> Vec3 {
        Vec3::new(self.left.dot(d), self.posterior.dot(d), self.superior.dot(d))
    }
}

/// Where a needle must not pass, beside bone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepOut {
    /// Spinal canal: dura, cerebrospinal fluid, epidural fat.
    Canal,
    /// Intervertebral foramen, anterior to the plane of the facet joints.
    Foramen,
    /// A large vessel.
    Vessel,
    /// Air: lung, bowel, outside of the body.
    Air,
}

/// A patient with bone, nerves and skin: built in, or fitted to a CT.
pub trait Patient: TissueField {
    /// Signed distance to the nearest bone, mm: negative inside, true to a tenth within 3 mm of the surface, beyond that only a lower bound.
    fn bone_level_mm(&self, p: &PatientPoint) -> f64;

    /// Depth below the skin, mm; negative outside the body.
    fn skin_depth_mm(&self, p: &PatientPoint) -> f64;

    /// Where a needle must not pass.
    fn keep_out(&self, p: &PatientPoint) -> Option<KeepOut>;

    /// All nerves known.
    fn courses(&self) -> &[Course];

    /// The axes of a vertebra; none where there is no such vertebra.
    fn frame(&self, level: Level) -> Option<VertebraFrame>;

    /// The vertebrae that are there, from above to below.
    fn levels(&self) -> Vec<Level>;

    /// The nerve of a kind at a level and side.
    fn course(&self, kind: NerveKind, nerve: Level, side: Side) -> Option<&Course> {
        self.courses()
            .iter()
            .find(|c| c.kind == kind && c.nerve == nerve && c.side == side)
    }
}
