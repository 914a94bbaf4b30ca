//! The pad of the return electrode.

use neurotome_procedure::catalog::Sourced;
use neurotome_procedure::lesion::Pad;

use super::super::{Arrangement, Scenario};
use super::{Builder, DEFAULT_GENERATOR, Result, Tissues};

/// Thickness of the muscle below the fat, mm: the last layer goes on to the end of the region.
const MUSCLE_MM: f64 = 1.0;

impl Builder<'_> {
    pub(super) fn pad(&mut self, s: &Scenario, tissues: &Tissues) -> Result<Option<Pad>> {
        let Some(table) = &s.pad else { return Ok(None) };
        let bipolar = s.drive.arrangement == Arrangement::Bipolar;
        self.unused(
            "pad",
            bipolar,
            "for a bipolar arrangement: no current returns through a pad",
        )?;
        let name = s.drive.generator.as_deref().unwrap_or(DEFAULT_GENERATOR);
        let catalog = self.catalog;
        let generator = self.entry("drive.generator", &catalog.generators, name)?;
        let subject = format!("generator {name}");
        let mut value = |key: &str, own: Option<f64>, catalog_key: &str, from: Option<&Sourced>| -> Result<f64> {
            if let (None, Some(v)) = (own, from) {
                self.note(&subject, catalog_key, v);
            }
            own.or(from.map(|v| v.value))
                .ok_or_else(|| self.missing(&format!("pad.{key}"), "the generator of the catalogue has no value"))
        };
        let skin_mm = value("skin_mm", table.skin_mm, "pad_skin_mm", generator.pad_skin_mm.as_ref())?;
        let fat_mm = value("fat_mm", table.fat_mm, "pad_fat_mm", generator.pad_fat_mm.as_ref())?;
        let room_c = value("room_c", table.room_c, "room_c", generator.room_c.as_ref())?;
        let transfer = value(
            "heat_transfer_w_per_m2_k",
            table.heat_transfer_w_per_m2_k,
            "skin_heat_transfer_w_per_m2_k",
            generator.skin_heat_transfer_w_per_m2_k.as_ref(),
        )?;
        let [length, width] = match (table.sides_mm, table.area_cm2) {
            (Some(_), Some(_)) => {
                return Err(self.fault(
                    "pad.area_cm2",
                    "both `area_cm2` and `sides_mm` are given, expected at most one",
                    "remove one of the two",
                ));
            }
            (Some(sides), None) => sides,
            (None, own) => {
                let area = value("area_cm2", own, "pad_area_cm2", generator.pad_area_cm2.as_ref())?;
                let area = self.within("pad.area_cm2", area, 1.0..=1000.0, "cm²")?;
                [(100.0 * area).sqrt(); 2]
            }
        };
        for side in [length, width] {
            self.within("pad.sides_mm", side, 10.0..=400.0, "mm")?;
        }
        let fraction = self.within(
            "pad.contact_fraction",
            table.contact_fraction.unwrap_or(1.0),
            0.02..=1.0,
            "",
        )?;
        self.within("pad.skin_mm", skin_mm, 0.5..=10.0, "mm")?;
        self.within("pad.fat_mm", fat_mm, 0.5..=60.0, "mm")?;
        self.within("pad.room_c", room_c, 0.0..=45.0, "°C")?;
        self.within("pad.heat_transfer_w_per_m2_k", transfer, 0.1..=1000.0, "W/(m² K)")?;
        let mut layers = Vec::new();
        for (name, thickness_mm) in [("skin", skin_mm), ("fat", fat_mm), ("muscle", MUSCLE_MM)] {
            let tissue = tissues.names.iter().position(|n| n == name);
            let tissue = tissue.ok_or_else(|| {
                self.fault(
                    "pad",
                    format!("there is no tissue \"{name}\""),
                    "add it to the catalogue or to [tissues]",
                )
            })?;
            self.note_tissue(name, s);
            layers.push((tissue, thickness_mm));
        }
        Ok(Some(Pad {
            sides_mm: [fraction * length, width],
            layers,
            room_c,
            heat_transfer_w_per_m2_k: transfer,
        }))
    }
}
