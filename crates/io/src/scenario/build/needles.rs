//! Needles: sizes, pose and metal.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::anatomy::spine::parallel_needle;
use neurotome_procedure::catalog::{Cannula, Sourced};
use neurotome_procedure::lesion::{Bend, Contact, Coolant, InsulationDefect, Metal, Needle, Tine, end_length_mm};

use super::super::axis::shaft_direction;
use super::super::{Arrangement, NeedleTable, Scenario};
use super::{Aim, Builder, DEFAULT_METAL, Result};

/// Farthest that a thermocouple may stand out of the distal end, mm.
const MOST_BEYOND_MM: f64 = 10.0;
/// Shortest contact and shortest insulation between contacts, mm.
const LEAST_PIECE_MM: f64 = 0.2;
/// Most contacts above the active tip.
const MOST_CONTACTS: usize = 16;
/// Most tines of a needle.
const MOST_TINES: usize = 12;

/// Cannula of the problem from which a procedure starts.
const PROCEDURE_CANNULA: &str = "18G-10mm-straight";

impl Builder<'_> {
    pub(super) fn needles(&mut self, s: &Scenario, aim: Option<&Aim>) -> Result<Vec<Needle>> {
        if s.needles.is_empty() && s.procedure.is_some() {
            if aim.is_none() {
                return Err(self.fault(
                    "procedure",
                    "`procedure` without a patient whose bones and nerves are known",
                    "leave out `phantom` for the built-in patient, or fit the spine to an image with [image.spine]",
                ));
            }
            // A procedure brings its own needles; one in the usual place stands in for the problem that they start from.
            let usual = NeedleTable {
                cannula: Some(PROCEDURE_CANNULA.to_owned()),
                ..NeedleTable::default()
            };
            return Ok(vec![self.needle("procedure", &usual, 1.0, aim)?]);
        }
        if s.needles.is_empty() {
            return Err(self.fault(
                "needles",
                "there is no needle",
                "add a [[needles]] table with `cannula`, `tip_mm` and `direction`",
            ));
        }
        let bipolar = s.drive.arrangement == Arrangement::Bipolar;
        let mut needles = Vec::with_capacity(s.needles.len());
        for (i, table) in s.needles.iter().enumerate() {
            let default_fraction = match (bipolar, i) {
                (false, _) => 1.0,
                (true, 0) => 0.5,
                (true, _) => -0.5,
            };
            needles.push(self.needle(&format!("needles[{i}]"), table, default_fraction, aim)?);
        }
        let one_probe = matches!(&needles[..], [n] if !n.contacts.is_empty());
        if bipolar && needles.len() != 2 && !one_probe {
            return Err(self.fault(
                "drive.arrangement",
                format!("a bipolar arrangement with {} needles, expected two", s.needles.len()),
                "give exactly two [[needles]] or one with contacts, or arrangement = \"monopolar\"",
            ));
        }
        if needles.iter().flat_map(Needle::potential_fractions).all(|f| f == 0.0) {
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
        aim: Option<&Aim>,
    ) -> Result<Needle> {
        let key = |k: &str| format!("{path}.{k}");
        let catalog = self.catalog;
        let cannula: Option<&Cannula> = match &n.cannula {
            Some(name) => Some(self.entry(&key("cannula"), &catalog.cannulas, name)?),
            None => None,
        };
        let subject = cannula.map(|c| format!("cannula {}", c.name)).unwrap_or_default();
        let c = cannula;
        let mut size = |k: &str, own: Option<f64>, from: Option<&Sourced>, fallback: Option<f64>| {
            self.size(&subject, path, k, own, from, fallback)
        };
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
        self.within(
            &key("thermocouple_from_tip_mm"),
            thermocouple_from_tip_mm,
            -MOST_BEYOND_MM..=length_mm,
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
        let (tip, direction) = self.pose(path, n, bend.as_ref(), aim, [outer_diameter_mm, active_tip_mm])?;
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
        let bevel = self.bevel(&subject, path, n, cannula, bend.as_ref(), &direction)?;
        self.bare_end(path, active_tip_mm, outer_diameter_mm, bevel.as_ref())?;
        let metal = self.metal(path, n, cannula)?;
        let potential_fraction = self.within(
            &key("potential_fraction"),
            n.potential_fraction.unwrap_or(default_fraction),
            -1.0..=1.0,
            "",
        )?;
        let mut needle = Needle {
            tip,
            direction: direction.into(),
            outer_diameter_mm,
            active_tip_mm,
            length_mm,
            bend,
            bevel,
            contacts: vec![],
            insulation_defects: vec![],
            skin_from_tip_mm: None,
            tines: vec![],
            coolant: None,
            potential_fraction,
            thermocouple_from_tip_mm,
            thermocouple_tine: None,
            metal,
        };
        needle.contacts = self.contacts(&subject, path, n, cannula, &needle)?;
        needle.insulation_defects = self.insulation_defects(path, n, &needle)?;
        needle.skin_from_tip_mm = match n.skin_from_tip_mm {
            None => None,
            Some(s) => Some(self.within(&key("skin_from_tip_mm"), s, outer_diameter_mm..=length_mm, "mm")?),
        };
        needle.tines = self.tines(&subject, path, n, cannula, &needle)?;
        needle.coolant = self.coolant(&subject, path, n, cannula, &needle)?;
        if let Some(tine) = n.thermocouple_tine {
            if tine < 1 || tine > needle.tines.len() {
                return Err(self.fault(
                    &key("thermocouple_tine"),
                    format!("tine {tine} of {} holds the thermocouple", needle.tines.len()),
                    "count the tines from 1",
                ));
            }
            needle.thermocouple_tine = Some(tine - 1);
        }
        Ok(needle)
    }

    /// A size: that of the scenario goes before that of the cannula; `fallback` holds where neither gives one.
    pub(super) fn size(
        &mut self,
        subject: &str,
        path: &str,
        k: &str,
        own: Option<f64>,
        from: Option<&Sourced>,
        fallback: Option<f64>,
    ) -> Result<f64> {
        if let (None, Some(v)) = (own, from) {
            self.note(subject, k, v);
            return Ok(v.value);
        }
        own.or(fallback).ok_or_else(|| {
            self.missing(
                &format!("{path}.{k}"),
                "a needle needs it, or a `cannula` of the catalogue",
            )
        })
    }

    /// Contacts above the active tip: those of the scenario, each with the place that the cannula gives where it gives none.
    fn contacts(
        &mut self,
        subject: &str,
        path: &str,
        n: &NeedleTable,
        cannula: Option<&Cannula>,
        needle: &Needle,
    ) -> Result<Vec<Contact>> {
        let mut known: Vec<(f64, f64)> = Vec::new();
        if let Some(c) = cannula
            && let (Some(count), Some(length), Some(gap)) = (&c.contact_count, &c.contact_length_mm, &c.contact_gap_mm)
        {
            for (k, v) in [
                ("contact_count", count),
                ("contact_length_mm", length),
                ("contact_gap_mm", gap),
            ] {
                self.note(subject, k, v);
            }
            let step = length.value + gap.value;
            known.extend((0..MOST_CONTACTS.min(count.value as usize)).map(|i| {
                let from = needle.active_tip_mm + gap.value + step * i as f64;
                (from, from + length.value)
            }));
        }
        self.cap(&format!("{path}.contacts"), n.contacts.len(), MOST_CONTACTS)?;
        let mut below_mm = needle.active_tip_mm;
        let mut contacts = Vec::new();
        for i in 0..n.contacts.len().max(known.len()) {
            let key = |k: &str| format!("{path}.contacts[{i}].{k}");
            let table = n.contacts.get(i).cloned().unwrap_or_default();
            let place = known.get(i);
            let why = "a contact needs it, or a `cannula` of the catalogue with contacts";
            let from_mm = self.required(&key("from_mm"), table.from_mm.or(place.map(|p| p.0)), why)?;
            let to_mm = self.required(&key("to_mm"), table.to_mm.or(place.map(|p| p.1)), why)?;
            self.within(
                &key("from_mm"),
                from_mm,
                below_mm + LEAST_PIECE_MM..=needle.length_mm,
                "mm",
            )?;
            self.within(&key("to_mm"), to_mm, from_mm + LEAST_PIECE_MM..=needle.length_mm, "mm")?;
            below_mm = to_mm;
            let by_turns = if i % 2 == 0 { -1.0 } else { 1.0 };
            let fallback = if needle.potential_fraction == 1.0 {
                1.0
            } else {
                by_turns * needle.potential_fraction
            };
            contacts.push(Contact {
                from_mm,
                to_mm,
                potential_fraction: self.within(
                    &key("potential_fraction"),
                    table.potential_fraction.unwrap_or(fallback),
                    -1.0..=1.0,
                    "",
                )?,
            });
        }
        Ok(contacts)
    }

    /// Defects of the insulation, apart from all other bare metal.
    fn insulation_defects(&self, path: &str, n: &NeedleTable, needle: &Needle) -> Result<Vec<InsulationDefect>> {
        self.cap(
            &format!("{path}.insulation_defects"),
            n.insulation_defects.len(),
            MOST_CONTACTS,
        )?;
        let mut with_defects = needle.clone();
        for (i, d) in n.insulation_defects.iter().enumerate() {
            let key = |k: &str| format!("{path}.insulation_defects[{i}].{k}");
            let least = needle.active_tip_mm + LEAST_PIECE_MM;
            self.within(&key("from_mm"), d.from_mm, least..=needle.length_mm, "mm")?;
            self.within(
                &key("to_mm"),
                d.to_mm,
                d.from_mm + LEAST_PIECE_MM..=needle.length_mm,
                "mm",
            )?;
            if let Some(other) = with_defects
                .electrodes()
                .iter()
                .find(|e| e.from_mm < d.to_mm + LEAST_PIECE_MM && d.from_mm < e.to_mm + LEAST_PIECE_MM)
            {
                return Err(self.fault(
                    &key("from_mm"),
                    format!(
                        "the defect from {} to {} mm is not {LEAST_PIECE_MM} mm apart from the bare metal from {} to {} mm",
                        d.from_mm, d.to_mm, other.from_mm, other.to_mm
                    ),
                    "leave insulation between them, or make one of the two",
                ));
            }
            with_defects.insulation_defects.push(InsulationDefect {
                from_mm: d.from_mm,
                to_mm: d.to_mm,
            });
        }
        Ok(with_defects.insulation_defects)
    }

    /// Tines: those of the scenario, or those of the cannula.
    fn tines(
        &mut self,
        subject: &str,
        path: &str,
        n: &NeedleTable,
        cannula: Option<&Cannula>,
        needle: &Needle,
    ) -> Result<Vec<Tine>> {
        let mut tines: Vec<Tine> = n
            .tines
            .iter()
            .map(|t| Tine {
                from_tip_mm: t.from_tip_mm,
                angle_deg: t.angle_deg,
                towards: t.towards,
                length_mm: t.length_mm,
                diameter_mm: t.diameter_mm,
            })
            .collect();
        self.cap(&format!("{path}.tines"), tines.len(), MOST_TINES)?;
        if let (true, Some(c)) = (tines.is_empty(), cannula)
            && let (Some(count), Some(from), Some(angle), Some(length), Some(diameter)) = (
                &c.tine_count,
                &c.tine_from_tip_mm,
                &c.tine_angle_deg,
                &c.tine_length_mm,
                &c.tine_diameter_mm,
            )
        {
            for (k, v) in [
                ("tine_count", count),
                ("tine_from_tip_mm", from),
                ("tine_angle_deg", angle),
                ("tine_length_mm", length),
                ("tine_diameter_mm", diameter),
            ] {
                self.note(subject, k, v);
            }
            let key = format!("{path}.tines_towards");
            let towards = self.required(
                &key,
                n.tines_towards,
                "a tined cannula has a side to which its first tine leaves",
            )?;
            let first = self.direction(&key, towards)?;
            let axis = Vec3::from(needle.direction);
            let count = MOST_TINES.min(count.value as usize);
            tines.extend((0..count).map(|i| {
                let turn = std::f64::consts::TAU * i as f64 / count as f64;
                let (sin, cos) = turn.sin_cos();
                Tine {
                    from_tip_mm: from.value,
                    angle_deg: angle.value,
                    towards: (first * cos + axis.cross(&first) * sin + axis * (axis.dot(&first) * (1.0 - cos))).into(),
                    length_mm: length.value,
                    diameter_mm: diameter.value,
                }
            }));
        } else {
            self.unused(
                &format!("{path}.tines_towards"),
                n.tines_towards.is_some(),
                "without a tined cannula of the catalogue",
            )?;
        }
        let radius_mm = 0.5 * needle.outer_diameter_mm;
        let end_mm = end_length_mm(needle.outer_diameter_mm, needle.bevel.as_ref());
        for (i, t) in tines.iter().enumerate() {
            let key = |k: &str| match n.tines.get(i) {
                Some(_) => format!("{path}.tines[{i}].{k}"),
                None => format!("{path}.cannula"),
            };
            self.within(
                &key("diameter_mm"),
                t.diameter_mm,
                0.05..=0.8 * needle.outer_diameter_mm,
                "mm",
            )?;
            self.within(&key("angle_deg"), t.angle_deg, 10.0..=150.0, "degrees")?;
            let angle = t.angle_deg.to_radians();
            let (wire_mm, inside_mm) = (0.5 * t.diameter_mm, radius_mm / angle.sin());
            self.within(
                &key("length_mm"),
                t.length_mm,
                inside_mm + 2.0 * t.diameter_mm..=50.0,
                "mm",
            )?;
            // The hole lies in the shaft, clear of the end.
            let least = end_mm + radius_mm / angle.tan() + wire_mm / angle.sin();
            self.within(&key("from_tip_mm"), t.from_tip_mm, least..=needle.length_mm, "mm")?;
            let towards = self.direction(&key("towards"), t.towards)?;
            if towards.cross(&Vec3::from(needle.direction)).norm() < 1e-3 {
                return Err(self.fault(
                    &key("towards"),
                    "a tine leaves along the shaft, expected a direction across it",
                    "give the side to which the tine leaves",
                ));
            }
        }
        Ok(tines)
    }

    /// The channel of a cooled probe.
    fn coolant(
        &mut self,
        subject: &str,
        path: &str,
        n: &NeedleTable,
        cannula: Option<&Cannula>,
        needle: &Needle,
    ) -> Result<Option<Coolant>> {
        let diameter = cannula.and_then(|c| c.channel_diameter_mm.as_ref());
        let from = cannula.and_then(|c| c.channel_from_tip_mm.as_ref());
        if n.channel_diameter_mm.is_none() && diameter.is_none() {
            for (k, given) in [
                ("channel_from_tip_mm", n.channel_from_tip_mm),
                ("coolant_temperature_c", n.coolant_temperature_c),
                ("coolant_heat_transfer_w_per_m2_k", n.coolant_heat_transfer_w_per_m2_k),
                ("coolant_flow_ml_per_min", n.coolant_flow_ml_per_min),
            ] {
                self.unused(&format!("{path}.{k}"), given.is_some(), "without a channel")?;
            }
            return Ok(None);
        }
        let diameter_mm = self.size(
            subject,
            path,
            "channel_diameter_mm",
            n.channel_diameter_mm,
            diameter,
            None,
        )?;
        let from_tip_mm = self.size(subject, path, "channel_from_tip_mm", n.channel_from_tip_mm, from, None)?;
        let outer = needle.outer_diameter_mm;
        self.within(
            &format!("{path}.channel_diameter_mm"),
            diameter_mm,
            0.05 * outer..=0.95 * outer,
            "mm",
        )?;
        // The end is solid.
        self.within(
            &format!("{path}.channel_from_tip_mm"),
            from_tip_mm,
            end_length_mm(outer, needle.bevel.as_ref())..=needle.length_mm,
            "mm",
        )?;
        let (temperature, transfer, flow) = (
            cannula.and_then(|c| c.coolant_temperature_c.as_ref()),
            cannula.and_then(|c| c.coolant_heat_transfer_w_per_m2_k.as_ref()),
            cannula.and_then(|c| c.coolant_flow_ml_per_min.as_ref()),
        );
        let temperature_c = self.size(
            subject,
            path,
            "coolant_temperature_c",
            n.coolant_temperature_c,
            temperature,
            None,
        )?;
        let key = "coolant_heat_transfer_w_per_m2_k";
        let transfer = self.size(subject, path, key, n.coolant_heat_transfer_w_per_m2_k, transfer, None)?;
        let key = |k: &str| format!("{path}.{k}");
        let flow_ml_per_min = match (n.coolant_flow_ml_per_min, flow) {
            (None, None) => None,
            (own, from) => {
                let flow = self.size(subject, path, "coolant_flow_ml_per_min", own, from, None)?;
                Some(self.positive(&key("coolant_flow_ml_per_min"), flow, 1000.0, "ml/min")?)
            }
        };
        Ok(Some(Coolant {
            channel_radius_mm: 0.5 * diameter_mm,
            from_tip_mm,
            temperature_c: self.within(&key("coolant_temperature_c"), temperature_c, 0.0..=60.0, "°C")?,
            heat_transfer_w_per_m2_k: self.positive(
                &key("coolant_heat_transfer_w_per_m2_k"),
                transfer,
                1e6,
                "W/(m² K)",
            )?,
            flow_ml_per_min,
        }))
    }

    pub(super) fn pose(
        &self,
        path: &str,
        n: &NeedleTable,
        bend: Option<&Bend>,
        aim: Option<&Aim>,
        sizes_mm: [f64; 2],
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
            (None, None, None, None) => match aim {
                Some(Aim { patient, target, .. }) => {
                    let [diameter, active] = sizes_mm;
                    let pose = parallel_needle(&**patient, target, diameter, active).ok_or_else(|| {
                        self.fault(
                            path,
                            format!(
                                "no straight way from the skin to the {} lets a tip of {active} mm lie along it clear of bone",
                                target.name
                            ),
                            "give `tip_mm` and `direction`, or `target_mm` and `entry_mm`",
                        )
                    })?;
                    Ok((pose.tip, pose.direction))
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
