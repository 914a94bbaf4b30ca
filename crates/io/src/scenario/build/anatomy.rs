//! What lies where: the built-in patient, a phantom or an image.

use neurotome_base::{PatientBox, PatientPoint, Vec3};
use neurotome_procedure::anatomy::ct::{self, CtAnatomy, CtRules, LabelMap, LabelMeaning, Structure, TableEntry};
use neurotome_procedure::anatomy::spine::{LumbarSpine, TissueIds};
use neurotome_procedure::anatomy::{Course, Level, NerveKind, Patient, TissueField, TissueId};
use neurotome_procedure::lesion::{Domain, DomainShape, Needle, NerveCurve};
use neurotome_procedure::planning::branches_beside;
use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::fault::nearest;
use super::super::hash::sha256_of;
use super::super::spine::key_of;
use super::super::{Image, InputFile, LabelNumbering, LabelStructure, Scenario, Setting, TEST_DATA_VARIABLE};
use super::{Aim, BUILT_IN_TISSUES, Builder, DEFAULT_TARGET, IMAGE_MARGIN_MM, Result, Tissues};
use crate::dicom::{CtError, CtOptions, read_ct_with};
use crate::volumes::read_label_nifti;

/// What a word of the scenario's table of labels stands for.
fn table_entry(written: LabelStructure) -> TableEntry {
    TableEntry::Vertebra(match written {
        LabelStructure::Bone => return TableEntry::Structure(Structure::Bone),
        LabelStructure::Disc => return TableEntry::Structure(Structure::Disc),
        LabelStructure::Canal => return TableEntry::Structure(Structure::Canal),
        LabelStructure::T11 => Level::T11,
        LabelStructure::T12 => Level::T12,
        LabelStructure::L1 => Level::L1,
        LabelStructure::L2 => Level::L2,
        LabelStructure::L3 => Level::L3,
        LabelStructure::L4 => Level::L4,
        LabelStructure::L5 => Level::L5,
        LabelStructure::L6 => Level::L6,
        LabelStructure::S1 => Level::S1,
    })
}

impl Aim {
    /// The nerve aimed at, and those of the same segment and side that are to be spared.
    pub(super) fn nerves(&self) -> Vec<NerveCurve> {
        let curve = |c: &Course, target: bool| NerveCurve {
            name: c.name.clone(),
            points: c.points.clone(),
            diameter_mm: c.diameter_mm,
            target,
        };
        let aim = &self.target;
        let of = |kind| self.patient.course(kind, aim.nerve, aim.side);
        let spared = [NerveKind::VentralRamus, NerveKind::Ganglion]
            .into_iter()
            .filter_map(of);
        let middle = aim.target.map(|[from, to]| aim.points[usize::midpoint(from, to)].vec());
        let branches = middle.map_or(vec![], |m| branches_beside(&*self.patient, aim.nerve, aim.side, &m));
        std::iter::once(curve(aim, true))
            .chain(spared.map(|c| curve(c, false)))
            .chain(branches)
            .collect()
    }
}

/// Tissues that an image with a spine fitted to it shows.
const IMAGE_TISSUES: [&str; 6] = ["air", "fat", "muscle", "skin", "cancellous_bone", "cortical_bone"];

impl Builder<'_> {
    /// The ids of the spine's tissues.
    pub(super) fn spine_ids(&self, tissues: &Tissues) -> Result<TissueIds> {
        let ids = self.ids(tissues, &BUILT_IN_TISSUES)?;
        let of = |name: &str| BUILT_IN_TISSUES.iter().zip(&ids).find(|(n, _)| **n == name);
        Ok(TissueIds::by_name(|name| of(name).map_or(ids[0], |(_, id)| *id)))
    }

    /// The built-in patient and the nerve aimed at.
    pub(super) fn built_in(&self, s: &Scenario, tissues: &Tissues) -> Result<Aim> {
        let table = s.spine.clone().unwrap_or_default();
        let ids = self.spine_ids(tissues)?;
        let spine = LumbarSpine::new(self.catalog, &table.parameters(), ids).map_err(|e| {
            self.fault(
                &key_of(&e),
                e.to_string(),
                "`neurotome schema` tells the range of each key of [spine]",
            )
        })?;
        let target = self.target(&spine, "spine.target", table.target.as_deref())?;
        let spine = Arc::new(spine);
        Ok(Aim {
            patient: spine.clone(),
            setting: Setting::BuiltIn(spine),
            target,
        })
    }

    /// The nerve of a patient that a key names, or the default.
    pub(super) fn target(&self, patient: &dyn Patient, key: &str, wanted: Option<&str>) -> Result<Course> {
        let targets = || patient.courses().iter().filter(|c| c.target.is_some());
        let named = |name: &str| targets().find(|c| c.name.eq_ignore_ascii_case(name)).cloned();
        let found = match wanted {
            Some(wanted) => named(wanted.trim()),
            // A patient without L4 and L5 has others.
            None => named(DEFAULT_TARGET).or_else(|| targets().next_back().cloned()),
        };
        found.ok_or_else(|| {
            let wanted = wanted.unwrap_or(DEFAULT_TARGET);
            let names: Vec<&str> = targets().map(|c| c.name.as_str()).collect();
            let help = match nearest(wanted, &names) {
                Some(best) => format!("did you mean \"{best}\"?"),
                None => format!("give one of {}", names.join(", ")),
            };
            self.fault(key, format!("the patient has no nerve \"{wanted}\" to aim at"), help)
        })
    }

    /// The tissue field, the setting and the tissues that occur in it.
    pub(super) fn anatomy(
        &mut self,
        s: &Scenario,
        tissues: &Tissues,
        aim: Option<&Aim>,
        needles: &[Needle],
        domain: &Domain,
    ) -> Result<(Arc<dyn TissueField>, Setting, Vec<TissueId>)> {
        if let Some(phantom) = &s.phantom {
            let (field, used) = self.phantom(phantom, tissues)?;
            return Ok((Arc::new(field), Setting::Phantom, used));
        }
        if let Some(aim) = aim {
            let names = match aim.setting {
                Setting::Image(_) => &IMAGE_TISSUES[..],
                _ => &BUILT_IN_TISSUES[..],
            };
            let mut used = self.ids(tissues, names)?;
            if s.image.as_ref().is_some_and(|image| image.labels.is_some()) {
                used.extend(self.ids(tissues, &["csf", "intervertebral_disc"])?);
            }
            return Ok((aim.patient.clone(), aim.setting.clone(), used));
        }
        match &s.image {
            Some(image) => self.image(image, tissues, needles, domain),
            None => Err(self.missing("image", "no patient was made")),
        }
    }

    pub(super) fn image(
        &mut self,
        image: &Image,
        tissues: &Tissues,
        needles: &[Needle],
        domain: &Domain,
    ) -> Result<(Arc<dyn TissueField>, Setting, Vec<TissueId>)> {
        const ADVICE: &str = "give a CT in Hounsfield units: a DICOM folder or zip, or a NIfTI file";
        let full = self.resolve("image.path", &image.path)?;
        let half = match domain.shape {
            DomainShape::Box { half_mm } => Vec3::from(half_mm),
            DomainShape::Cylinder { .. } | DomainShape::Sphere { .. } => Vec3::repeat(domain.half_extent_mm()),
        }
        .add_scalar(IMAGE_MARGIN_MM);
        let center = domain.center.vec();
        let options = CtOptions {
            series: image.series.clone(),
            crop: Some(PatientBox {
                low: PatientPoint::from_vec(center - half),
                high: PatientPoint::from_vec(center + half),
            }),
        };
        let outside = |i: usize| {
            self.fault(
                &self.position_path(i),
                format!(
                    "the tip of needle {} at {:?} mm lies outside the image",
                    i + 1,
                    needles[i].tip.xyz
                ),
                "positions are LPS millimetres of the image's own frame",
            )
        };
        let ct = read_ct_with(&full, &options).map_err(|e| match e {
            CtError::Crop(_) => outside(0),
            e => self.fault("image.path", e.to_string(), ADVICE),
        })?;
        if let Some(i) = needles.iter().position(|n| !ct.hu.contains(&n.tip)) {
            return Err(outside(i));
        }
        self.input("image.path", &image.path, &full)?;
        self.remarks.extend(ct.notes);
        let labels = self.labels(image)?;
        let ids = self.image_ids(tissues)?;
        let mut used = self.ids(tissues, &IMAGE_TISSUES)?;
        if labels.is_some() {
            used.extend(self.ids(tissues, &["csf", "intervertebral_disc"])?);
        }
        let field = CtAnatomy::new(&ct.hu, labels.as_ref(), ids, &CtRules::default())
            .map_err(|e| self.fault("image", e.to_string(), "see [image]"))?;
        self.remarks.extend(field.notes().iter().cloned());
        Ok((Arc::new(field), Setting::Image(Arc::new(ct.hu)), used))
    }

    /// The ids of the tissues that an image shows.
    pub(super) fn image_ids(&self, tissues: &Tissues) -> Result<ct::TissueIds> {
        let id = |name: &str| self.tissue_id("tissues", tissues, name);
        Ok(ct::TissueIds {
            air: id("air")?,
            fat: id("fat")?,
            muscle: id("muscle")?,
            skin: Some(id("skin")?),
            cancellous_bone: id("cancellous_bone")?,
            cortical_bone: id("cortical_bone")?,
            csf: Some(id("csf")?),
            disc: Some(id("intervertebral_disc")?),
        })
    }

    pub(super) fn labels(&mut self, image: &Image) -> Result<Option<LabelMap>> {
        let Some(written) = &image.labels else {
            self.unused(
                "image.label_numbering",
                image.label_numbering.is_some(),
                "without `image.labels`",
            )?;
            self.unused(
                "image.label_meaning",
                !image.label_meaning.is_empty(),
                "without `image.labels`",
            )?;
            return Ok(None);
        };
        let meaning = match (image.label_numbering, image.label_meaning.is_empty()) {
            (Some(LabelNumbering::TotalSegmentator), true) => LabelMeaning::TotalSegmentator,
            (Some(LabelNumbering::TptboxVertebrae), true) => LabelMeaning::TptboxVertebrae,
            (Some(LabelNumbering::TptboxSubregions), true) => LabelMeaning::TptboxSubregions,
            (None, false) => LabelMeaning::Table(
                image
                    .label_meaning
                    .iter()
                    .map(|(label, structure)| {
                        Ok((
                            self.label_number(&format!("image.label_meaning.{label}"), label)?,
                            table_entry(*structure),
                        ))
                    })
                    .collect::<Result<_>>()?,
            ),
            (None, true) => {
                return Err(self.missing("image.label_meaning", "it says what the numbers of `image.labels` mean"));
            }
            (Some(_), false) => {
                return Err(self.fault(
                    "image.label_meaning",
                    "both `image.label_numbering` and `image.label_meaning` are given, expected one",
                    "remove one of the two",
                ));
            }
        };
        let full = self.resolve("image.labels", written)?;
        let labels =
            read_label_nifti(&full).map_err(|e| self.fault("image.labels", e.to_string(), "give a NIfTI label map"))?;
        self.input("image.labels", written, &full)?;
        Ok(Some(LabelMap { labels, meaning }))
    }

    pub(super) fn label_number(&self, path: &str, label: &str) -> Result<u16> {
        label.parse().map_err(|_| {
            self.fault(
                path,
                format!("the label \"{label}\" is not a whole number from 0 to 65535"),
                "write numbers before the equals sign, as in { 1 = … }",
            )
        })
    }

    /// The absolute place of a path written in the scenario.
    pub(super) fn resolve(&self, path: &str, written: &str) -> Result<PathBuf> {
        let variable = format!("${{{TEST_DATA_VARIABLE}}}");
        let expanded = if written.contains(&variable) {
            let folder = env::var(TEST_DATA_VARIABLE).map_err(|_| {
                self.fault(
                    path,
                    format!("`{path}` names {variable}, but this environment variable is not set"),
                    format!("set {TEST_DATA_VARIABLE} to the folder of the images, or write the path itself"),
                )
            })?;
            written.replace(&variable, &folder)
        } else {
            written.to_owned()
        };
        let full = self.source.folder.join(expanded);
        if fs::metadata(&full).is_err() {
            return Err(self.fault(
                path,
                format!("`{path}` names \"{written}\", which does not exist"),
                "relative paths start at the scenario file's folder",
            ));
        }
        Ok(full)
    }

    /// Notes an input file with its hash.
    pub(super) fn input(&mut self, path: &str, written: &str, full: &Path) -> Result<()> {
        let sha256 = sha256_of(full).map_err(|reason| {
            self.fault(
                path,
                format!("`{path}` names \"{written}\", which cannot be read: {reason}"),
                "check the file and its permissions",
            )
        })?;
        let input = InputFile {
            path: written.to_owned(),
            sha256,
        };
        if !self.inputs.contains(&input) {
            self.inputs.push(input);
        }
        Ok(())
    }
}
