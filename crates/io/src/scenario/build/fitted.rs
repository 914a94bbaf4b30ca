//! The patient from an image: the spine fitted to its bone.

use std::collections::BTreeSet;
use std::sync::Arc;

use neurotome_base::{PatientBox, PatientPoint, Vec3, Volume};
use neurotome_procedure::anatomy::ct::levels::{FoundVertebra, LevelEvidence, check_levels};
use neurotome_procedure::anatomy::ct::{CtAnatomy, CtRules, LabelMap};
use neurotome_procedure::anatomy::fit::occupancy::{CtBone, Labelled, Occupancy};
use neurotome_procedure::anatomy::fit::{CtPatient, FittedSpine, LOST};
use neurotome_procedure::anatomy::spine::Morphometry;
use neurotome_procedure::anatomy::{Landmark, Level, Side};

use super::super::{Image, ImageSpine, Setting};
use super::{Aim, Builder, Result, Tissues};
use crate::dicom::{CtError, CtOptions, read_ct_with};
use crate::markups;

/// How far round the middles of the vertebral bodies the image is read, mm: to the sides, to the front, to the back, up and down. Behind, the
/// skin must be in view; above and below, half a vertebra and the processes of its neighbour.
const ASIDE_MM: f64 = 120.0;
const FRONT_MM: f64 = 70.0;
const BEHIND_MM: f64 = 200.0;
const BEYOND_MM: f64 = 65.0;
/// A fit that misses the image's bone by more than this is none, mm.
const MOST_MISFIT_MM: f64 = 2.5;
/// Less bone than this inside a fitted vertebra is no vertebra.
const LEAST_FILLED: f64 = 0.7;
/// A junction set by hand farther from the fitted one than this is another one, mm.
const FAR_MM: f64 = 15.0;
/// A point so near to the middle of a labelled vertebra is in that vertebra, mm: with arch and processes that middle lies behind the body's.
const SAME_MM: f64 = 30.0;
/// Fewest vertebrae.
const FEWEST: usize = 2;

/// Middles of vertebral bodies, from above to below, and where they came from.
#[derive(Default)]
struct Middles {
    points: Vec<(Level, PatientPoint)>,
    /// Junctions of superior articular and transverse process that were set by hand.
    junctions: Vec<(Level, Side, PatientPoint)>,
    key: &'static str,
}

impl Builder<'_> {
    /// The patient of an image with a spine fitted to it, and the nerve aimed at.
    pub(super) fn fitted(&mut self, image: &Image, spine: &ImageSpine, tissues: &Tissues) -> Result<Aim> {
        let labels = self.labels(image)?;
        let middles = self.middles(spine, labels.as_ref())?;
        if middles.points.len() < FEWEST {
            return Err(self.fault(
                middles.key,
                format!(
                    "{} vertebra(e) given, expected at least {FEWEST} in a row",
                    middles.points.len()
                ),
                "name the vertebra above the joint, the one below, and better one more on either side",
            ));
        }
        if middles.key != "image.labels" {
            let names: Vec<&str> = middles.points.iter().map(|p| p.0.name()).collect();
            self.remarks.push(format!(
                "the vertebrae are called {} because the points are; nothing checks their number",
                names.join(", ")
            ));
        }
        let hu = Arc::new(self.image_round(image, &middles)?);
        let field = CtAnatomy::new(&hu, labels.as_ref(), self.image_ids(tissues)?, &CtRules::default())
            .map_err(|e| self.fault("image", e.to_string(), "see [image]"))?;
        self.remarks.extend(field.notes().iter().cloned());
        if let Some(labels) = &labels {
            self.check_labels(labels, &hu, &middles)?;
        }
        let sizes = Morphometry::new(self.catalog, spine.sex);
        let fit = match &labels {
            Some(labels) if spine.points_mm.is_empty() && spine.markups.is_none() => {
                let found: BTreeSet<u16> = labels.labels.data().iter().copied().collect();
                let of = |level| {
                    let means = |l: &u16| labels.meaning.level(*l) == Some(level);
                    found.iter().copied().filter(means).collect()
                };
                let wanted: Vec<Vec<u16>> = middles.points.iter().map(|(level, _)| of(*level)).collect();
                let images: Vec<Labelled<'_>> = wanted
                    .iter()
                    .map(|wanted| Labelled {
                        labels: &labels.labels,
                        wanted,
                    })
                    .collect();
                let images: Vec<&dyn Occupancy> = images.iter().map(|i| i as &dyn Occupancy).collect();
                FittedSpine::from_labels(&sizes, &images, &middles.points)
            }
            _ => FittedSpine::from_clicks(&sizes, &CtBone(&field), &middles.points),
        };
        let fit = fit.map_err(|e| {
            self.fault(
                middles.key,
                e.to_string(),
                "points are patient LPS millimetres: x to the left, y to the back, z to the head",
            )
        })?;
        self.tell_quality(&fit, &hu, middles.key)?;
        let mut patient = CtPatient::new(&sizes, field, fit, self.spine_ids(tissues)?)
            .map_err(|e| self.fault("image.spine", e.to_string(), "see `neurotome catalog spine`"))?;
        for (level, side, at) in &middles.junctions {
            let Some(off_mm) = patient.set_junction(*level, *side, at) else {
                return Err(self.fault(
                    middles.key,
                    format!("a junction of {level} {side} is given, but {level} is not among the vertebrae"),
                    "give a point in its body too",
                ));
            };
            if off_mm > FAR_MM {
                return Err(self.fault(
                    middles.key,
                    format!(
                        "the junction of {level} {side} lies {off_mm:.0} mm from where the fit has it, at most {FAR_MM}"
                    ),
                    "check level and side of the point",
                ));
            }
            self.remarks.push(format!(
                "the nerve across {level} {side} follows the junction set by hand, {off_mm:.1} mm from the fitted one"
            ));
        }
        let target = self.target(&patient, "image.spine.target", spine.target.as_deref())?;
        Ok(Aim {
            patient: Arc::new(patient),
            setting: Setting::Image(hu),
            target,
        })
    }

    /// What speaks against the levels of labels, now that the image is there, and against points that stand beside them.
    fn check_labels(&mut self, labels: &LabelMap, hu: &Volume<f32>, middles: &Middles) -> Result<()> {
        let report = check_levels(&LevelEvidence {
            labels,
            parts: None,
            hu: Some(hu),
        });
        for warning in report.warnings {
            if !self.remarks.contains(&warning) {
                self.remarks.push(warning);
            }
        }
        if let Some(error) = report.errors.first() {
            return Err(self.fault(
                "image.labels",
                error.to_string(),
                "correct the labels, or leave them out and keep the points",
            ));
        }
        for (level, at) in &middles.points {
            let off = |v: &&FoundVertebra| (v.center.vec() - at.vec()).norm();
            let nearest = report.vertebrae.iter().min_by(|a, b| off(a).total_cmp(&off(b)));
            if let Some(found) = nearest.filter(|v| v.level != *level && off(v) < SAME_MM) {
                return Err(self.fault(
                    middles.key,
                    format!(
                        "the point of {level} lies {:.0} mm from the middle of what `image.labels` call {}",
                        off(&found),
                        found.level
                    ),
                    "points and labels must name the same vertebrae; count again from the sacrum",
                ));
            }
        }
        Ok(())
    }

    /// The middles of the bodies: given as points, in a file of markups, or from the labels.
    fn middles(&mut self, spine: &ImageSpine, labels: Option<&LabelMap>) -> Result<Middles> {
        if !spine.points_mm.is_empty() && spine.markups.is_some() {
            return Err(self.fault(
                "image.spine.markups",
                "both `points_mm` and `markups` are given, expected one",
                "remove one of the two",
            ));
        }
        if let Some(written) = &spine.markups {
            return self.middles_of_markups(written);
        }
        if !spine.points_mm.is_empty() {
            let key = "image.spine.points_mm";
            let points = spine.points_mm.iter().map(|(name, at)| {
                let path = format!("{key}.{name}");
                let level: Level = name.parse().map_err(|e: String| self.fault(&path, e, "such as L4"))?;
                Ok((level, self.point(&path, *at)?))
            });
            let mut points = points.collect::<Result<Vec<_>>>()?;
            points.sort_by_key(|p| p.0);
            return Ok(Middles {
                points,
                key,
                ..Middles::default()
            });
        }
        let Some(labels) = labels else {
            return Err(self.missing(
                "image.spine.points_mm",
                "the spine is fitted to `image.labels`, or from a point in each vertebral body",
            ));
        };
        let report = check_levels(&LevelEvidence {
            labels,
            parts: None,
            hu: None,
        });
        self.remarks.extend(report.warnings.iter().cloned());
        if let Some(error) = report.errors.first() {
            return Err(self.fault(
                "image.labels",
                error.to_string(),
                "no level is taken from labels that contradict themselves; correct them, or give `image.spine.points_mm`",
            ));
        }
        let whole = report.vertebrae.iter().filter(|v| v.level >= Level::L1 && !v.cut);
        Ok(Middles {
            points: whole.map(|v| (v.level, v.center)).collect(),
            key: "image.labels",
            ..Middles::default()
        })
    }

    fn middles_of_markups(&mut self, written: &str) -> Result<Middles> {
        let key = "image.spine.markups";
        let advice = "give a point list of 3D Slicer whose labels are names of vertebrae, such as L4";
        let full = self.resolve(key, written)?;
        let found = markups::read_markups(&full)
            .and_then(|m| markups::landmarks(&m))
            .map_err(|e| self.fault(key, e.to_string(), advice))?;
        self.input(key, written, &full)?;
        let mut middles = Middles {
            key,
            ..Middles::default()
        };
        let mut unused = 0;
        for p in found {
            match (p.name.landmark, p.name.side) {
                (Landmark::Body, _) => middles.points.push((p.name.level, p.at)),
                (Landmark::Junction, Some(side)) => middles.junctions.push((p.name.level, side, p.at)),
                _ => unused += 1,
            }
        }
        if unused > 0 {
            self.remarks.push(format!(
                "{unused} landmark(s) of \"{written}\" that are neither bodies nor junctions are not used"
            ));
        }
        middles.points.sort_by_key(|p| p.0);
        Ok(middles)
    }

    /// The part of the image round the vertebrae and back to the skin.
    fn image_round(&mut self, image: &Image, middles: &Middles) -> Result<neurotome_base::Volume<f32>> {
        let full = self.resolve("image.path", &image.path)?;
        let (mut low, mut high) = (Vec3::repeat(f64::INFINITY), Vec3::repeat(f64::NEG_INFINITY));
        for (_, p) in &middles.points {
            low = low.inf(&p.vec());
            high = high.sup(&p.vec());
        }
        let options = CtOptions {
            series: image.series.clone(),
            crop: Some(PatientBox {
                low: PatientPoint::from_vec(low - Vec3::new(ASIDE_MM, FRONT_MM, BEYOND_MM)),
                high: PatientPoint::from_vec(high + Vec3::new(ASIDE_MM, BEHIND_MM, BEYOND_MM)),
            }),
        };
        let outside = |level: Level, p: &PatientPoint| {
            self.fault(
                middles.key,
                format!("the point of {level} at {:.0?} mm lies outside the image", p.xyz),
                "points are patient LPS millimetres of the image's own frame",
            )
        };
        let ct = read_ct_with(&full, &options).map_err(|e| match e {
            CtError::Crop(_) => outside(middles.points[0].0, &middles.points[0].1),
            e => self.fault(
                "image.path",
                e.to_string(),
                "give a CT in Hounsfield units: a DICOM folder or zip, or a NIfTI file",
            ),
        })?;
        if let Some((level, p)) = middles.points.iter().find(|(_, p)| !ct.hu.contains(p)) {
            return Err(outside(*level, p));
        }
        self.input("image.path", &image.path, &full)?;
        self.remarks.extend(ct.notes);
        Ok(ct.hu)
    }

    /// Says how well each vertebra was fitted, and refuses a fit that is none.
    fn tell_quality(&mut self, fit: &FittedSpine, hu: &neurotome_base::Volume<f32>, key: &str) -> Result<()> {
        for q in &fit.quality {
            if q.filled < LEAST_FILLED {
                return Err(self.fault(
                    key,
                    format!(
                        "{} does not fit: only {:.0} % of its inside is bone in the image, at least {:.0} % expected",
                        q.level,
                        100.0 * q.filled,
                        100.0 * LEAST_FILLED
                    ),
                    "check that the point lies in the body of this vertebra, in patient LPS millimetres",
                ));
            }
            if q.unlikeliness > LOST {
                return Err(self.fault(
                    key,
                    format!(
                        "{} does not fit: the shape found is no vertebra's (unlike the mean of its level by {:.1}, at most {LOST} expected)",
                        q.level, q.unlikeliness
                    ),
                    "put the point nearer to the middle of the body, and give the vertebrae above and below too, which hold this one",
                ));
            }
            if q.misfit_mm > MOST_MISFIT_MM {
                return Err(self.fault(
                    key,
                    format!(
                        "{} does not fit: its surface misses the image's bone by {:.1} mm (root mean square), at most {MOST_MISFIT_MM}",
                        q.level, q.misfit_mm
                    ),
                    "check that the point or label is that of this vertebra, and that the image is in patient axes",
                ));
            }
        }
        let told: Vec<String> = fit
            .quality
            .iter()
            .map(|q| format!("{} {:.1} mm", q.level, q.misfit_mm))
            .collect();
        self.remarks.push(format!(
            "spine fitted to the image; where the two surfaces are within 3 mm they are apart by (root mean square) {}",
            told.join(", ")
        ));
        for l in fit.landmarks() {
            if !hu.contains(&l.transverse_tip) || !hu.contains(&l.mamillary) {
                self.remarks
                    .push(format!("{} reaches the border of the image on the {}", l.level, l.side));
            }
        }
        Ok(())
    }
}
