//! A patient from a CT: tissue from the image; nerves, canal and foramina from the spine fitted to it.

use neurotome_base::PatientPoint;

use super::super::ct::CtAnatomy;
use super::super::spine::{Landmarks, LumbarSpine, Morphometry, SpineError, TissueIds};
use super::super::{Course, KeepOut, Level, Patient, Side, TissueField, TissueId, VertebraFrame};
use super::{FittedSpine, Quality};

/// Bone of the image farther than this from the fitted bones is bone that the fit does not know: ribs, hips, other vertebrae, spurs, mm.
const UNKNOWN_BONE_MM: f64 = 2.5;
/// The level given for such bone, mm: inside, by no more than is known.
const IN_UNKNOWN_BONE: f64 = -1.0;

/// A patient from a CT.
///
/// Bone has two sources. Near a fitted vertebra it is the fitted solid, whose surface is smooth and on which the nerves lie; a CT of 1 to 5 mm
/// slices gives no distance to a tenth of a millimetre. Everywhere else it is what the image shows. Nerves lie as the fit carries them, and
/// may lie as much farther off as the fit's surface misses that of the image.
pub struct CtPatient {
    tissue: CtAnatomy,
    model: LumbarSpine,
    air: TissueId,
    courses: Vec<Course>,
    quality: Vec<Quality>,
    landmarks: Vec<Landmarks>,
}

impl CtPatient {
    /// From the tissue of an image and the spine fitted to it, of at least two vertebrae.
    ///
    /// # Errors
    /// [`SpineError`].
    pub fn new(
        sizes: &Morphometry<'_>,
        tissue: CtAnatomy,
        fit: FittedSpine,
        tissues: TissueIds,
    ) -> Result<Self, SpineError> {
        let landmarks = fit.landmarks();
        let FittedSpine { vertebrae, quality } = fit;
        let model = LumbarSpine::round(sizes, vertebrae, 1.0, tissues)?;
        let mut courses = model.courses().to_vec();
        for course in &mut courses {
            // The vertebra that a branch crosses is the one below its nerve.
            let crossed = quality.iter().find(|q| q.level > course.nerve).or(quality.last());
            let misfit = crossed.map_or(0.0, |q| q.misfit_mm);
            course.spread.across_mm = course.spread.across_mm.hypot(misfit);
            course.spread.off_bone_mm = course.spread.off_bone_mm.hypot(misfit);
        }
        Ok(Self {
            tissue,
            model,
            air: tissues.air,
            courses,
            quality,
            landmarks,
        })
    }

    /// Moves the nerve that crosses a vertebra to a junction of superior articular and transverse process that was set by hand, and believes it to
    /// a voxel. Returns how far that is from the fitted one, mm; none where there is no such vertebra.
    pub fn set_junction(&mut self, level: Level, side: Side, at: &PatientPoint) -> Option<f64> {
        let fitted = self.landmarks.iter().find(|l| l.level == level && l.side == side)?;
        let by = at.vec() - fitted.junction.vec();
        let nerve = self
            .model
            .levels()
            .into_iter()
            .rev()
            .find(|l| *l < level)
            .or_else(|| level.above())?;
        // The courses are those of the model, in its order.
        let crossing = |c: &Course| c.nerve == nerve && c.side == side && c.target.is_some();
        let n = self.courses.iter().position(crossing)?;
        let (model, course) = (&self.model.courses()[n], &mut self.courses[n]);
        for (point, from) in course.points.iter_mut().zip(&model.points) {
            *point = PatientPoint::from_vec(from.vec() + by);
        }
        course.spread = model.spread;
        Some(by.norm())
    }

    /// The landmarks that the fit found.
    pub fn landmarks(&self) -> &[Landmarks] {
        &self.landmarks
    }

    /// How well each vertebra lies on the image's bone.
    pub fn quality(&self) -> &[Quality] {
        &self.quality
    }

    /// What the image's tissue tells the user.
    pub fn notes(&self) -> &[String] {
        self.tissue.notes()
    }

    /// Signed level of the fitted bones alone, mm; at most 8.
    pub fn model_level_mm(&self, p: &PatientPoint) -> f64 {
        self.model.bone_level_mm(p)
    }
}

impl TissueField for CtPatient {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        self.tissue.tissue_at(p)
    }
}

impl Patient for CtPatient {
    fn bone_level_mm(&self, p: &PatientPoint) -> f64 {
        let level = self.model.bone_level_mm(p);
        if level > UNKNOWN_BONE_MM && self.tissue.bone_fraction_at(p) > 0.5 {
            IN_UNKNOWN_BONE
        } else {
            level
        }
    }

    fn skin_depth_mm(&self, p: &PatientPoint) -> f64 {
        self.tissue.skin_depth_mm(p)
    }

    fn keep_out(&self, p: &PatientPoint) -> Option<KeepOut> {
        // The model's skin is not the patient's.
        match self.model.keep_out(p) {
            Some(KeepOut::Air) | None => (self.tissue.tissue_at(p) == self.air).then_some(KeepOut::Air),
            found => found,
        }
    }

    fn courses(&self) -> &[Course] {
        &self.courses
    }

    fn frame(&self, level: Level) -> Option<VertebraFrame> {
        self.model.frame(level)
    }

    fn levels(&self) -> Vec<Level> {
        self.model.levels()
    }
}
