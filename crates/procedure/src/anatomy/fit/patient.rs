//! A patient from a CT: tissue from the image; nerves, canal and foramina from the spine fitted to it.

use neurotome_base::{PatientPoint, Vec3};

use super::super::ct::CtAnatomy;
use super::super::spine::{Landmarks, LumbarSpine, Morphometry, SpineError, TissueIds};
use super::super::{Course, KeepOut, Level, NerveKind, Patient, Side, TissueField, TissueId, VertebraFrame};
use super::{FittedSpine, Quality};

/// Bone of the image farther than this from the fitted bones is bone that the fit does not know: ribs, hips, other vertebrae, spurs, mm.
const UNKNOWN_BONE_MM: f64 = 2.5;
/// The level given for such bone, mm: inside, by no more than is known.
const IN_UNKNOWN_BONE: f64 = -1.0;

/// Where a branch leaves bone that the fit does not know: back and up, away from the crest of a hip; how far at most, mm, the space that is kept,
/// mm, and over how many points, a millimetre apart, its neighbours follow.
const BACK: Vec3 = Vec3::new(0.0, 0.8, 0.6);
const MOST_BACK_MM: f64 = 30.0;
const CLEAR_MM: f64 = 0.5;
const EASE: usize = 15;

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
            if matches!(course.kind, NerveKind::LateralBranch | NerveKind::IntermediateBranch) {
                lead_out(course, &tissue, &model);
            }
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

/// Leads a branch that runs far from the fitted vertebrae round what the image shows as bone, hips and ribs, towards the back, and ends it below
/// the image's skin.
fn lead_out(course: &mut Course, tissue: &CtAnatomy, model: &LumbarSpine) {
    let clearance = 0.5 * course.diameter_mm + CLEAR_MM;
    let in_bone = |p: &Vec3| {
        let at = PatientPoint::from_vec(*p);
        model.bone_level_mm(&at) > UNKNOWN_BONE_MM && tissue.bone_fraction_at(&at) > 0.5
    };
    // What lies in bone, or so near that its body would, goes back until it does not.
    let free = |p: &Vec3| !in_bone(p) && !in_bone(&(p - BACK * clearance));
    let needed: Vec<f64> = course
        .points
        .iter()
        .map(|p| {
            let mut by = 0.0;
            while by < MOST_BACK_MM && !free(&(p.vec() + BACK * by)) {
                by += 0.5;
            }
            by
        })
        .collect();
    if needed.iter().any(|by| *by > 0.0) {
        // Points beside give way with it, the less the farther they are.
        let last = needed.len() - 1;
        let eased: Vec<f64> = (0..=last)
            .map(|k| {
                (k.saturating_sub(EASE)..=(k + EASE).min(last))
                    .map(|j| needed[j] * (1.0 - k.abs_diff(j) as f64 / EASE as f64).max(0.0))
                    .fold(0.0, f64::max)
            })
            .collect();
        for (point, by) in course.points.iter_mut().zip(eased) {
            *point = PatientPoint::from_vec(point.vec() + BACK * by);
        }
    }
    let inside = course
        .points
        .iter()
        .take_while(|p| tissue.skin_depth_mm(p) > clearance)
        .count();
    course.points.truncate(inside.max(2));
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
