//! What lies where: the built-in segment, a phantom or an image.

use neurotome_base::{PatientBox, PatientPoint, Vec3};
use neurotome_procedure::anatomy::builtin::{LumbarSegment, TissueIds};
use neurotome_procedure::anatomy::ct::{self, CtAnatomy, CtRules, LabelMap, LabelMeaning, Structure, TableEntry};
use neurotome_procedure::anatomy::{Level, TissueField, TissueId};
use neurotome_procedure::lesion::{Domain, DomainShape, Needle};
use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::hash::sha256_of;
use super::super::{Image, InputFile, LabelNumbering, LabelStructure, Scenario, Setting, TEST_DATA_VARIABLE};
use super::{BUILT_IN_TISSUES, Builder, IMAGE_MARGIN_MM, Result, Tissues};
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

impl Builder<'_> {
    pub(super) fn segment(&self, tissues: &Tissues) -> Result<LumbarSegment> {
        let id = |name: &str| self.tissue_id("tissues", tissues, name);
        Ok(LumbarSegment::new(TissueIds {
            muscle: id("muscle")?,
            fat: id("fat")?,
            skin: id("skin")?,
            cortical_bone: id("cortical_bone")?,
            cancellous_bone: id("cancellous_bone")?,
            intervertebral_disc: id("intervertebral_disc")?,
            csf: id("csf")?,
            nerve: id("nerve")?,
            cartilage: id("cartilage")?,
            ligament: id("ligament")?,
            air: id("air")?,
        }))
    }

    /// The tissue field, the setting and the tissues that occur in it.
    pub(super) fn anatomy(
        &mut self,
        s: &Scenario,
        tissues: &Tissues,
        segment: Option<Arc<LumbarSegment>>,
        needles: &[Needle],
        domain: &Domain,
    ) -> Result<(Arc<dyn TissueField>, Setting, Vec<TissueId>)> {
        if let Some(phantom) = &s.phantom {
            let (field, used) = self.phantom(phantom, tissues)?;
            return Ok((Arc::new(field), Setting::Phantom, used));
        }
        if let Some(image) = &s.image {
            return self.image(image, tissues, needles, domain);
        }
        let segment = match segment {
            Some(segment) => segment,
            None => Arc::new(self.segment(tissues)?),
        };
        let used = self.ids(tissues, &BUILT_IN_TISSUES)?;
        Ok((segment.clone(), Setting::BuiltIn(segment), used))
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
        let id = |name: &str| self.tissue_id("tissues", tissues, name);
        let ids = ct::TissueIds {
            air: id("air")?,
            fat: id("fat")?,
            muscle: id("muscle")?,
            skin: Some(id("skin")?),
            cancellous_bone: id("cancellous_bone")?,
            cortical_bone: id("cortical_bone")?,
            csf: Some(id("csf")?),
            disc: Some(id("intervertebral_disc")?),
        };
        let mut used = self.ids(
            tissues,
            &["air", "fat", "muscle", "skin", "cancellous_bone", "cortical_bone"],
        )?;
        if labels.is_some() {
            used.extend(self.ids(tissues, &["csf", "intervertebral_disc"])?);
        }
        let field = CtAnatomy::new(&ct.hu, labels.as_ref(), ids, &CtRules::default())
            .map_err(|e| self.fault("image", e.to_string(), "see [image]"))?;
        self.remarks.extend(field.notes().iter().cloned());
        Ok((Arc::new(field), Setting::Image(Arc::new(ct.hu)), used))
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
