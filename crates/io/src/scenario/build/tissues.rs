//! The run's tissue table and blood.

use neurotome_base::{PatientPoint, Volume};
use neurotome_physics::tissue::{Fluid, PerfusionRise, TissueProperties};
use neurotome_procedure::anatomy::TissueId;
use neurotome_procedure::catalog::{Sourced, find};
use neurotome_procedure::lesion::{Blood, Bolus, Injectate, Needle, ShareField};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{PerfusionMode, Scenario, TissueTable};
use super::{BODY_C, Builder, Result, Tissues};
use crate::volumes::read_nifti;

/// A share of the volume from a file; none outside it.
struct ShareVolume(Volume<f32>);

impl ShareField for ShareVolume {
    fn share_at(&self, p: &PatientPoint, _: TissueId) -> f64 {
        self.0.trilinear(p).unwrap_or(0.0)
    }
}

impl Builder<'_> {
    /// The catalogue's tissues in their order with the scenario's changes, then the scenario's own in name order.
    pub(super) fn tissues(&self, tables: &BTreeMap<String, TissueTable>) -> Result<Tissues> {
        let mut names: Vec<String> = self.catalog.tissues.iter().map(|t| t.name.clone()).collect();
        names.extend(
            tables
                .keys()
                .filter(|k| find(&self.catalog.tissues, k).is_none())
                .cloned(),
        );
        self.cap("tissues", names.len(), usize::from(u8::MAX))?;
        let empty = TissueTable::default();
        let properties = names
            .iter()
            .map(|name| self.tissue(name, tables.get(name).unwrap_or(&empty)))
            .collect::<Result<_>>()?;
        Ok(Tissues { names, properties })
    }

    pub(super) fn tissue(&self, name: &str, table: &TissueTable) -> Result<TissueProperties> {
        let path = format!("tissues.{name}");
        let base = match &table.based_on {
            Some(base) => Some(self.entry(&format!("{path}.based_on"), &self.catalog.tissues, base)?),
            None => find(&self.catalog.tissues, name),
        }
        .map(neurotome_procedure::catalog::Tissue::properties);
        let pick = |key: &str, own: Option<f64>, base: Option<f64>, low: f64, high: f64, unit: &str| -> Result<f64> {
            let path = format!("{path}.{key}");
            let Some(value) = own.or(base) else {
                return Err(self.fault(
                    &path,
                    format!("tissue \"{name}\" is not in the catalogue and has no `{key}`"),
                    "give this key, or a tissue of the catalogue in `based_on`",
                ));
            };
            if low > 0.0 {
                self.positive(&path, value, high, unit)
            } else {
                self.within(&path, value, low..=high, unit)
            }
        };
        let b = base.as_ref();
        Ok(TissueProperties {
            sigma_s_per_m: pick(
                "sigma_s_per_m",
                table.sigma_s_per_m,
                b.map(|b| b.sigma_s_per_m),
                1.0,
                100.0,
                "S/m",
            )?,
            sigma_temperature_coefficient_per_k: pick(
                "sigma_temperature_coefficient_per_k",
                table.sigma_temperature_coefficient_per_k,
                b.map(|b| b.sigma_temperature_coefficient_per_k),
                -0.02,
                0.1,
                "1/K",
            )?,
            sigma_limit_temperature_c: pick(
                "sigma_limit_temperature_c",
                table.sigma_limit_temperature_c,
                b.map(|b| b.sigma_limit_temperature_c),
                1.0,
                1000.0,
                "°C",
            )?,
            thermal_conductivity_w_per_m_k: pick(
                "thermal_conductivity_w_per_m_k",
                table.thermal_conductivity_w_per_m_k,
                b.map(|b| b.thermal_conductivity_w_per_m_k),
                1.0,
                500.0,
                "W/(m K)",
            )?,
            density_kg_per_m3: pick(
                "density_kg_per_m3",
                table.density_kg_per_m3,
                b.map(|b| b.density_kg_per_m3),
                1.0,
                25_000.0,
                "kg/m³",
            )?,
            specific_heat_j_per_kg_k: pick(
                "specific_heat_j_per_kg_k",
                table.specific_heat_j_per_kg_k,
                b.map(|b| b.specific_heat_j_per_kg_k),
                1.0,
                20_000.0,
                "J/(kg K)",
            )?,
            perfusion_per_s: pick(
                "perfusion_per_s",
                table.perfusion_per_s,
                b.map(|b| b.perfusion_per_s),
                0.0,
                1.0,
                "1/s",
            )?,
            water_fraction: pick(
                "water_fraction",
                table.water_fraction,
                b.map(|b| b.water_fraction),
                0.0,
                1.0,
                "",
            )?,
            sigma_fibre_ratio: self.within(
                &format!("{path}.sigma_fibre_ratio"),
                table
                    .sigma_fibre_ratio
                    .or(b.map(|b| b.sigma_fibre_ratio))
                    .unwrap_or(1.0),
                1.0..=20.0,
                "",
            )?,
            perfusion_rise: self.perfusion_rise(&path, table, b.and_then(|b| b.perfusion_rise))?,
            fluid: self.fluid(&path, table, b.and_then(|b| b.fluid))?,
        })
    }

    fn perfusion_rise(
        &self,
        path: &str,
        table: &TissueTable,
        base: Option<PerfusionRise>,
    ) -> Result<Option<PerfusionRise>> {
        let Some(max) = table.perfusion_max_factor.or(base.map(|b| b.max_factor)) else {
            let given = table.perfusion_max_temperature_c.or(table.perfusion_width_k).is_some();
            self.unused(
                &format!("{path}.perfusion_max_temperature_c"),
                given,
                "without `perfusion_max_factor`",
            )?;
            return Ok(None);
        };
        let key = |k: &str| format!("{path}.{k}");
        Ok(Some(PerfusionRise {
            max_factor: self.within(&key("perfusion_max_factor"), max, 1.0..=50.0, "")?,
            max_temperature_c: self.within(
                &key("perfusion_max_temperature_c"),
                table
                    .perfusion_max_temperature_c
                    .or(base.map(|b| b.max_temperature_c))
                    .unwrap_or(45.0),
                38.0..=60.0,
                "°C",
            )?,
            width_k: self.positive(
                &key("perfusion_width_k"),
                table
                    .perfusion_width_k
                    .or(base.map(|b| b.width_k))
                    .unwrap_or(12f64.sqrt()),
                50.0,
                "K",
            )?,
        }))
    }

    fn fluid(&self, path: &str, table: &TissueTable, base: Option<Fluid>) -> Result<Option<Fluid>> {
        let temperature = table.fluid_temperature_c.or(base.map(|b| b.temperature_c));
        let transfer = table
            .heat_transfer_w_per_m2_k
            .or(base.map(|b| b.heat_transfer_w_per_m2_k));
        let (temperature_key, transfer_key) = (
            format!("{path}.fluid_temperature_c"),
            format!("{path}.heat_transfer_w_per_m2_k"),
        );
        match (temperature, transfer) {
            (None, None) => Ok(None),
            (Some(t), Some(h)) => Ok(Some(Fluid {
                temperature_c: self.within(&temperature_key, t, 0.0..=45.0, "°C")?,
                heat_transfer_w_per_m2_k: self.positive(&transfer_key, h, 1e6, "W/(m² K)")?,
            })),
            (Some(_), None) => Err(self.missing(&transfer_key, "a moving fluid needs both")),
            (None, Some(_)) => Err(self.missing(&temperature_key, "a moving fluid needs both")),
        }
    }

    /// The injected fluid.
    pub(super) fn injectate(&mut self, s: &Scenario, needles: &[Needle]) -> Result<Option<Injectate>> {
        let Some(t) = &s.injectate else { return Ok(None) };
        let sigma = self.required("injectate.sigma_s_per_m", t.sigma_s_per_m, "an injected fluid needs it")?;
        let share: Arc<dyn ShareField> = if let Some(written) = &t.share_path {
            for (key, given) in [
                ("center_mm", t.center_mm.is_some()),
                ("volume_ml", t.volume_ml.is_some()),
                ("share", t.share.is_some()),
            ] {
                self.unused(&format!("injectate.{key}"), given, "beside `share_path`")?;
            }
            let full = self.resolve("injectate.share_path", written)?;
            let volume = read_nifti(&full)
                .map_err(|e| self.fault("injectate.share_path", e.to_string(), "give a NIfTI volume of shares"))?;
            self.input("injectate.share_path", written, &full)?;
            Arc::new(ShareVolume(volume))
        } else {
            let volume = self.required(
                "injectate.volume_ml",
                t.volume_ml,
                "a bolus needs it, or give `share_path`",
            )?;
            let center = match t.center_mm {
                Some(c) => self.point("injectate.center_mm", c)?,
                None => needles[0].tip,
            };
            Arc::new(Bolus {
                center,
                volume_ml: self.positive("injectate.volume_ml", volume, 50.0, "ml")?,
                share: self.within("injectate.share", t.share.unwrap_or(0.3), 0.01..=1.0, "")?,
            })
        };
        Ok(Some(Injectate {
            share,
            sigma_s_per_m: self.positive("injectate.sigma_s_per_m", sigma, 50.0, "S/m")?,
            density_kg_per_m3: self.positive(
                "injectate.density_kg_per_m3",
                t.density_kg_per_m3.unwrap_or(1005.0),
                2000.0,
                "kg/m³",
            )?,
            specific_heat_j_per_kg_k: self.positive(
                "injectate.specific_heat_j_per_kg_k",
                t.specific_heat_j_per_kg_k.unwrap_or(4150.0),
                10_000.0,
                "J/(kg K)",
            )?,
        }))
    }

    /// Notes the unverified values of a tissue that the run uses and the scenario does not replace.
    pub(super) fn note_tissue(&mut self, name: &str, s: &Scenario) {
        let empty = TissueTable::default();
        let table = s.tissues.get(name).unwrap_or(&empty);
        let base = table.based_on.as_deref().unwrap_or(name);
        let Some(tissue) = find(&self.catalog.tissues, base) else {
            return;
        };
        let subject = format!("tissue {name}");
        let perfused = s.perfusion != PerfusionMode::Off;
        for (key, own, used, value) in [
            ("sigma_s_per_m", table.sigma_s_per_m, true, &tissue.sigma_s_per_m),
            (
                "sigma_temperature_coefficient_per_k",
                table.sigma_temperature_coefficient_per_k,
                true,
                &tissue.sigma_temperature_coefficient_per_k,
            ),
            (
                "sigma_limit_temperature_c",
                table.sigma_limit_temperature_c,
                true,
                &tissue.sigma_limit_temperature_c,
            ),
            (
                "thermal_conductivity_w_per_m_k",
                table.thermal_conductivity_w_per_m_k,
                true,
                &tissue.thermal_conductivity_w_per_m_k,
            ),
            (
                "density_kg_per_m3",
                table.density_kg_per_m3,
                true,
                &tissue.density_kg_per_m3,
            ),
            (
                "specific_heat_j_per_kg_k",
                table.specific_heat_j_per_kg_k,
                true,
                &tissue.specific_heat_j_per_kg_k,
            ),
            (
                "perfusion_per_s",
                table.perfusion_per_s,
                perfused,
                &tissue.perfusion_per_s,
            ),
            (
                "water_fraction",
                table.water_fraction,
                s.boils(),
                &tissue.water_fraction,
            ),
        ] {
            if own.is_none() && used {
                self.note(&subject, key, value);
            }
        }
    }

    pub(super) fn tissue_id(&self, path: &str, tissues: &Tissues, name: &str) -> Result<TissueId> {
        let index = tissues.names.iter().position(|n| n == name).ok_or_else(|| {
            let names: Vec<&str> = tissues.names.iter().map(String::as_str).collect();
            self.unknown(path, "tissue", name, &names)
        })?;
        Ok(TissueId(index as u8))
    }

    pub(super) fn ids(&self, tissues: &Tissues, names: &[&str]) -> Result<Vec<TissueId>> {
        names
            .iter()
            .map(|name| self.tissue_id("tissues", tissues, name))
            .collect()
    }

    pub(super) fn blood(&mut self, s: &Scenario) -> Result<Blood> {
        let catalog = self.catalog;
        let blood = self.entry("blood", &catalog.tissues, "blood")?;
        let used = s.perfusion != PerfusionMode::Off;
        let mut pick = |k: &str, own: Option<f64>, from: &Sourced, high: f64, unit: &str| -> Result<f64> {
            if own.is_none() && used {
                self.note("blood", k, from);
            }
            self.positive(&format!("blood.{k}"), own.unwrap_or(from.value), high, unit)
        };
        Ok(Blood {
            density_kg_per_m3: pick(
                "density_kg_per_m3",
                s.blood.density_kg_per_m3,
                &blood.density_kg_per_m3,
                5000.0,
                "kg/m³",
            )?,
            specific_heat_j_per_kg_k: pick(
                "specific_heat_j_per_kg_k",
                s.blood.specific_heat_j_per_kg_k,
                &blood.specific_heat_j_per_kg_k,
                20_000.0,
                "J/(kg K)",
            )?,
            temperature_c: self.within(
                "blood.temperature_c",
                s.blood.temperature_c.unwrap_or(BODY_C),
                0.0..=45.0,
                "°C",
            )?,
        })
    }
}
