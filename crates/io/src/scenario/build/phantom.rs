//! Phantoms and their regions.

use neurotome_base::Vec3;
use neurotome_procedure::anatomy::TissueId;
use neurotome_procedure::anatomy::phantom::{Fibres, Phantom as PhantomField, Region as SolidRegion, Shape, Turn};
use std::sync::Arc;

use super::super::{FibreTable, Phantom, Region, RegionShape};
use super::{Builder, MAX_COORDINATE_MM, MAX_REGIONS, Result, Tissues};
use crate::volumes::read_label_nifti;

impl Builder<'_> {
    pub(super) fn phantom(&mut self, phantom: &Phantom, tissues: &Tissues) -> Result<(PhantomField, Vec<TissueId>)> {
        self.cap("phantom.regions", phantom.regions.len(), MAX_REGIONS)?;
        let background = self.tissue_id("phantom.background", tissues, &phantom.background)?;
        let mut used = vec![background];
        let mut regions = Vec::with_capacity(phantom.regions.len());
        for (i, region) in phantom.regions.iter().enumerate() {
            let path = format!("phantom.regions[{i}]");
            if region.shape == RegionShape::Labels {
                regions.push(self.label_region(&path, region, tissues, &mut used)?);
                continue;
            }
            let name = region
                .tissue
                .as_deref()
                .ok_or_else(|| self.missing(&format!("{path}.tissue"), "every region but labels has a tissue"))?;
            let tissue = self.tissue_id(&format!("{path}.tissue"), tissues, name)?;
            used.push(tissue);
            regions.push(SolidRegion::Solid {
                shape: self.shape(&path, region)?,
                tissue,
            });
        }
        let fibres = match &phantom.fibres {
            Some(table) => self.fibres(table)?,
            None => Fibres::default(),
        };
        Ok((
            PhantomField {
                background,
                regions,
                fibres,
            },
            used,
        ))
    }

    fn fibres(&self, table: &FibreTable) -> Result<Fibres> {
        let direction = self.direction("phantom.fibres.direction", table.direction)?;
        let turns = table.turn_axis.is_some() || table.turn_along.is_some() || table.turn_deg_per_mm.is_some();
        if !turns {
            self.unused(
                "phantom.fibres.turn_within_mm",
                table.turn_within_mm.is_some(),
                "for fibres that do not turn",
            )?;
            return Ok(Fibres { direction, turn: None });
        }
        let why = "fibres that turn need it";
        let unit = |key: &str, v: Option<[f64; 3]>| -> Result<Vec3> {
            let path = format!("phantom.fibres.{key}");
            let v = self.required(&path, v, why)?;
            self.direction(&path, v)
        };
        let rate = self.required("phantom.fibres.turn_deg_per_mm", table.turn_deg_per_mm, why)?;
        Ok(Fibres {
            direction,
            turn: Some(Turn {
                axis: unit("turn_axis", table.turn_axis)?,
                along: unit("turn_along", table.turn_along)?,
                rad_per_mm: self
                    .within("phantom.fibres.turn_deg_per_mm", rate, -90.0..=90.0, "degrees/mm")?
                    .to_radians(),
                within_mm: self.positive(
                    "phantom.fibres.turn_within_mm",
                    table.turn_within_mm.unwrap_or(MAX_COORDINATE_MM),
                    MAX_COORDINATE_MM,
                    "mm",
                )?,
            }),
        })
    }

    pub(super) fn shape(&self, path: &str, r: &Region) -> Result<Shape> {
        use RegionShape as S;
        let kind = match r.shape {
            S::Box => "box",
            S::Sphere => "sphere",
            S::Cylinder => "cylinder",
            S::Capsule => "capsule",
            S::HalfSpace => "half_space",
            S::Layer => "layer",
            S::Labels => "labels",
        };
        let needs = format!("a {kind} needs it");
        let why = format!("for a {kind}");
        let key = |k: &str| format!("{path}.{k}");
        for (name, given, shapes) in [
            (
                "center_mm",
                r.center_mm.is_some(),
                &[S::Box, S::Sphere, S::Cylinder][..],
            ),
            ("half_mm", r.half_mm.is_some(), &[S::Box]),
            (
                "radius_mm",
                r.radius_mm.is_some(),
                &[S::Sphere, S::Cylinder, S::Capsule],
            ),
            ("axis", r.axis.is_some(), &[S::Cylinder]),
            ("half_length_mm", r.half_length_mm.is_some(), &[S::Cylinder]),
            ("from_mm", r.from_mm.is_some(), &[S::Capsule]),
            ("to_mm", r.to_mm.is_some(), &[S::Capsule]),
            ("point_mm", r.point_mm.is_some(), &[S::HalfSpace, S::Layer]),
            ("normal", r.normal.is_some(), &[S::HalfSpace, S::Layer]),
            ("thickness_mm", r.thickness_mm.is_some(), &[S::Layer]),
            ("path", r.path.is_some(), &[]),
            ("label_tissues", !r.label_tissues.is_empty(), &[]),
        ] {
            if !shapes.contains(&r.shape) {
                self.unused(&key(name), given, &why)?;
            }
        }
        let point = |k: &str, v: Option<[f64; 3]>| -> Result<Vec3> {
            let v = self.required(&key(k), v, &needs)?;
            Ok(self.point(&key(k), v)?.vec())
        };
        let length = |k: &str, v: Option<f64>| -> Result<f64> {
            let v = self.required(&key(k), v, &needs)?;
            self.positive(&key(k), v, MAX_COORDINATE_MM, "mm")
        };
        let unit = |k: &str, v: Option<[f64; 3]>| -> Result<Vec3> {
            let v = self.required(&key(k), v, &needs)?;
            self.direction(&key(k), v)
        };
        Ok(match r.shape {
            S::Box => {
                let half = self.required(&key("half_mm"), r.half_mm, &needs)?;
                for h in half {
                    self.positive(&key("half_mm"), h, MAX_COORDINATE_MM, "mm")?;
                }
                Shape::Box {
                    center: point("center_mm", r.center_mm)?,
                    half_mm: Vec3::from(half),
                }
            }
            S::Sphere => Shape::Sphere {
                center: point("center_mm", r.center_mm)?,
                radius_mm: length("radius_mm", r.radius_mm)?,
            },
            S::Cylinder => Shape::Cylinder {
                center: point("center_mm", r.center_mm)?,
                axis: unit("axis", r.axis)?,
                radius_mm: length("radius_mm", r.radius_mm)?,
                half_length_mm: length("half_length_mm", r.half_length_mm)?,
            },
            S::Capsule => Shape::Capsule {
                from: point("from_mm", r.from_mm)?,
                to: point("to_mm", r.to_mm)?,
                radius_mm: length("radius_mm", r.radius_mm)?,
            },
            S::HalfSpace => Shape::HalfSpace {
                point: point("point_mm", r.point_mm)?,
                normal: unit("normal", r.normal)?,
            },
            S::Layer => Shape::Layer {
                point: point("point_mm", r.point_mm)?,
                normal: unit("normal", r.normal)?,
                thickness_mm: length("thickness_mm", r.thickness_mm)?,
            },
            S::Labels => unreachable!("label regions are read elsewhere"),
        })
    }

    pub(super) fn label_region(
        &mut self,
        path: &str,
        r: &Region,
        tissues: &Tissues,
        used: &mut Vec<TissueId>,
    ) -> Result<SolidRegion> {
        let key = |k: &str| format!("{path}.{k}");
        self.unused(&key("tissue"), r.tissue.is_some(), "for labels; use `label_tissues`")?;
        for (k, given) in [
            ("center_mm", r.center_mm.is_some()),
            ("half_mm", r.half_mm.is_some()),
            ("radius_mm", r.radius_mm.is_some()),
            ("axis", r.axis.is_some()),
            ("half_length_mm", r.half_length_mm.is_some()),
            ("from_mm", r.from_mm.is_some()),
            ("to_mm", r.to_mm.is_some()),
            ("point_mm", r.point_mm.is_some()),
            ("normal", r.normal.is_some()),
            ("thickness_mm", r.thickness_mm.is_some()),
        ] {
            self.unused(&key(k), given, "for labels")?;
        }
        let written = self.required(&key("path"), r.path.as_deref(), "labels come from a NIfTI file")?;
        if r.label_tissues.is_empty() {
            return Err(self.missing(&key("label_tissues"), "it gives the tissue of each label number"));
        }
        let mut table = Vec::with_capacity(r.label_tissues.len());
        for (label, tissue) in &r.label_tissues {
            let path = format!("{path}.label_tissues.{label}");
            let number = self.label_number(&path, label)?;
            let id = self.tissue_id(&path, tissues, tissue)?;
            table.push((number, id));
            used.push(id);
        }
        table.sort_unstable();
        let full = self.resolve(&key("path"), written)?;
        let volume =
            read_label_nifti(&full).map_err(|e| self.fault(&key("path"), e.to_string(), "give a NIfTI label map"))?;
        self.input(&key("path"), written, &full)?;
        Ok(SolidRegion::Labels {
            volume: Arc::new(volume),
            tissues: table,
        })
    }
}
