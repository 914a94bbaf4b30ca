//! Which tissue lies where.

pub mod builtin;
pub mod ct;
pub mod fit;
mod landmark;
mod level;
mod patient;
pub mod phantom;
pub mod spine;

use neurotome_base::{PatientPoint, Vec3};

pub use landmark::{Landmark, LandmarkName, LandmarkNameError};
pub use level::{Level, Side};
pub use patient::{Course, KeepOut, NerveKind, Patient, Spread, VertebraFrame};

/// Index of a tissue in the run's tissue table (the catalogue's order).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TissueId(pub u8);

/// Tells the tissue at any point: a built-in anatomy, a phantom or a CT behind one face.
pub trait TissueField: Send + Sync {
    /// The tissue at a point in patient LPS millimetres. Must answer for every finite point.
    fn tissue_at(&self, p: &PatientPoint) -> TissueId;

    /// Unit vector along the fibres at a point, where the tissue has any. Default: along the body, as most muscle of the back.
    fn fibre_at(&self, _: &PatientPoint) -> Vec3 {
        Vec3::z()
    }
}

/// One tissue everywhere.
#[derive(Debug, Clone, Copy)]
pub struct Homogeneous(pub TissueId);

impl TissueField for Homogeneous {
    fn tissue_at(&self, _: &PatientPoint) -> TissueId {
        self.0
    }
}
