//! Needles: sizes, pose and metal.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::anatomy::builtin::LumbarSegment;
use neurotome_procedure::catalog::{Cannula, Sourced};
use neurotome_procedure::lesion::{Bend, Metal, Needle};

use super::super::axis::shaft_direction;
use super::super::{Arrangement, NeedleTable, Scenario};
use super::{Builder, DEFAULT_METAL, Result};

impl Builder<'_> {
    pub(super) fn needles(&mut self, s: &Scenario, segment: Option<&LumbarSegment>) -> Result<Vec<Needle>> {
        if s.needles.is_empty() {
            return Err(self.fault(
                "needles",
                "there is no needle",
                "add a [[needles]] table with `cannula`, `tip_mm` and `direction`",
            ));
        }
        let bipolar = s.drive.arrangement == Arrangement::Bipolar;
        if bipolar && s.needles.len() != 2 {
            return Err(self.fault(
                "drive.arrangement",
                format!("a bipolar arrangement with {} needles, expected two", s.needles.len()),
                "give exactly two [[needles]], or arrangement = \"monopolar\"",
            ));
        }
        let mut needles = Vec::with_capacity(s.needles.len());
        for (i, table) in s.needles.iter().enumerate() {
            let default_fraction = match (bipolar, i) {
                (false, _) => 1.0,
                (true, 0) => 0.5,
                (true, _) => -0.5,
            };
            needles.push(self.needle(&format!("needles[{i}]"), table, default_fraction, segment)?);
        }
        if needles.iter().all(|n| n.potential_fraction == 0.0) {
            return Err(self.fault(
                "needles[0].potential_fraction",
                "every `potential_fraction` is 0, so no current flows",
                "give one needle a fraction other than 0",
            ));
        }
        Ok(needles)
    }

    pub(super) fn needle(
        &mut self,
        path: &str,
        n: &NeedleTable,
        default_fraction: f64,
        segment: Option<&LumbarSegment>,
    ) -> Result<Needle> {
        let key = |k: &str| format!("{path}.{k}");
        let catalog = self.catalog;
        let cannula: Option<&Cannula> = match &n.cannula {
            Some(name) => Some(self.entry(&key("cannula"), &catalog.cannulas, name)?),
            None => None,
        };
        let subject = cannula.map(|c| format!("cannula {}", c.name)).unwrap_or_default();
        // A size of the scenario goes before that of the cannula; `fallback` holds where neither gives one.
        let mut size = |k: &str, own: Option<f64>, from: Option<&Sourced>, fallback: Option<f64>| -> Result<f64> {
            if let (None, Some(v)) = (own, from) {
                self.note(&subject, k, v);
                return Ok(v.value);
            }
            own.or(fallback)
                .ok_or_else(|| self.missing(&key(k), "a needle needs it, or a `cannula` of the catalogue"))
        };
        let c = cannula;
        let outer_diameter_mm = size(
            "outer_diameter_mm",
            n.outer_diameter_mm,
            c.map(|c| &c.outer_diameter_mm),
            None,
        )?;
        let active_tip_mm = size("active_tip_mm", n.active_tip_mm, c.map(|c| &c.active_tip_mm), None)?;
        let length_mm = size("length_mm", n.length_mm, c.map(|c| &c.length_mm), Some(100.0))?;
        let thermocouple_from_tip_mm = size(
            "thermocouple_from_tip_mm",
            n.thermocouple_from_tip_mm,
            c.map(|c| &c.thermocouple_from_tip_mm),
            Some(0.5),
        )?;
        let bend_angle = c.and_then(|c| c.bend_angle_deg.as_ref());
        let bend_length = c.and_then(|c| c.bend_length_mm.as_ref());
        let curved = n.bend_angle_deg.is_some() || n.bend_length_mm.is_some() || bend_angle.is_some();
        let bend = if curved {
            Some((
                size("bend_angle_deg", n.bend_angle_deg, bend_angle, None)?,
                size("bend_length_mm", n.bend_length_mm, bend_length, None)?,
            ))
        } else {
            None
        };
        self.positive(&key("outer_diameter_mm"), outer_diameter_mm, 5.0, "mm")?;
        self.positive(&key("length_mm"), length_mm, 500.0, "mm")?;
        self.positive(&key("active_tip_mm"), active_tip_mm, 500.0, "mm")?;
        if active_tip_mm >= length_mm {
            return Err(self.fault(
                &key("active_tip_mm"),
                format!("the active tip of {active_tip_mm} mm is not shorter than the needle of {length_mm} mm"),
                "shorten `active_tip_mm` or lengthen `length_mm`",
            ));
        }
        if active_tip_mm < 0.5 * outer_diameter_mm {
            return Err(self.fault(
                &key("active_tip_mm"),
                format!(
                    "the active tip of {active_tip_mm} mm is shorter than its rounded end of {} mm",
                    0.5 * outer_diameter_mm
                ),
                "lengthen `active_tip_mm`",
            ));
        }
        self.within(
            &key("thermocouple_from_tip_mm"),
            thermocouple_from_tip_mm,
            0.0..=length_mm,
            "mm",
        )?;
        let bend = match bend {
            None => {
                self.unused(&key("bend_towards"), n.bend_towards.is_some(), "for a straight cannula")?;
                None
            }
            Some((angle_deg, bend_length_mm)) => {
                self.positive(&key("bend_angle_deg"), angle_deg, 90.0, "degrees")?;
                self.positive(&key("bend_length_mm"), bend_length_mm, length_mm, "mm")?;
                let towards = self.required(
                    &key("bend_towards"),
                    n.bend_towards,
                    "a curved cannula bends towards some side",
                )?;
                Some(Bend {
                    angle_deg,
                    length_mm: bend_length_mm,
                    towards: self.direction(&key("bend_towards"), towards)?.into(),
                })
            }
        };
        let (tip, direction) = self.pose(path, n, bend.as_ref(), segment)?;
        if let Some(bend) = &bend
            && Vec3::from(bend.towards).cross(&direction).norm() < 1e-3
        {
            return Err(self.fault(
                &key("bend_towards"),
                format!(
                    "`{}` lies along the shaft, expected a direction across it",
                    key("bend_towards")
                ),
                "give the side to which the tip bends",
            ));
        }
        let metal = self.metal(path, n, cannula)?;
        let potential_fraction = self.within(
            &key("potential_fraction"),
            n.potential_fraction.unwrap_or(default_fraction),
            -1.0..=1.0,
            "",
        )?;
        Ok(Needle {
            tip,
            direction: direction.into(),
            outer_diameter_mm,
            active_tip_mm,
            length_mm,
            bend,
            potential_fraction,
            thermocouple_from_tip_mm,
            metal,
        })
    }

    pub(super) fn pose(
        &self,
        path: &str,
        n: &NeedleTable,
        bend: Option<&Bend>,
        segment: Option<&LumbarSegment>,
    ) -> Result<(PatientPoint, Vec3)> {
        let key = |k: &str| format!("{path}.{k}");
        match (n.tip_mm, n.direction, n.target_mm, n.entry_mm) {
            (Some(tip), Some(direction), None, None) => Ok((
                self.point(&key("tip_mm"), tip)?,
                self.direction(&key("direction"), direction)?,
            )),
            (None, None, Some(target), Some(entry)) => {
                let tip = self.point(&key("target_mm"), target)?;
                let entry_point = self.point(&key("entry_mm"), entry)?;
                let direction = shaft_direction(&tip.vec(), &entry_point.vec(), bend).ok_or_else(|| {
                    self.fault(
                        &key("entry_mm"),
                        format!("entry {entry:?} and target {target:?} give no direction"),
                        "move the entry away from the target",
                    )
                })?;
                Ok((tip, direction))
            }
            (None, None, None, None) => match segment {
                Some(segment) => {
                    let needle = segment.default_needle();
                    Ok((needle.tip, Vec3::from(needle.direction)))
                }
                None => Err(self.fault(
                    path,
                    format!("`{path}` has no position"),
                    "give `tip_mm` and `direction`, or `target_mm` and `entry_mm`",
                )),
            },
            _ => Err(self.fault(
                path,
                format!("the position of `{path}` is incomplete or given twice"),
                "give either `tip_mm` and `direction`, or `target_mm` and `entry_mm`",
            )),
        }
    }

    pub(super) fn metal(&mut self, path: &str, n: &NeedleTable, cannula: Option<&Cannula>) -> Result<Metal> {
        let name = cannula.map_or(DEFAULT_METAL, |c| c.metal.as_str());
        let catalog = self.catalog;
        let entry = self.entry(&format!("{path}.metal"), &catalog.metals, name)?;
        let subject = format!("metal {name}");
        let mut pick = |k: &str, own: Option<f64>, from: &Sourced, high: f64, unit: &str| -> Result<f64> {
            if own.is_none() {
                self.note(&subject, k, from);
            }
            self.positive(&format!("{path}.metal.{k}"), own.unwrap_or(from.value), high, unit)
        };
        Ok(Metal {
            thermal_conductivity_w_per_m_k: pick(
                "thermal_conductivity_w_per_m_k",
                n.metal.thermal_conductivity_w_per_m_k,
                &entry.thermal_conductivity_w_per_m_k,
                500.0,
                "W/(m K)",
            )?,
            density_kg_per_m3: pick(
                "density_kg_per_m3",
                n.metal.density_kg_per_m3,
                &entry.density_kg_per_m3,
                25_000.0,
                "kg/m³",
            )?,
            specific_heat_j_per_kg_k: pick(
                "specific_heat_j_per_kg_k",
                n.metal.specific_heat_j_per_kg_k,
                &entry.specific_heat_j_per_kg_k,
                20_000.0,
                "J/(kg K)",
            )?,
        })
    }
}
