//! The run's tissue table and blood.

use neurotome_physics::tissue::TissueProperties;
use neurotome_procedure::anatomy::TissueId;
use neurotome_procedure::catalog::{Sourced, find};
use neurotome_procedure::lesion::Blood;
use std::collections::BTreeMap;

use super::super::{PerfusionMode, Scenario, TissueTable};
use super::{BODY_C, Builder, Result, Tissues};

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
        })
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
                s.latent_heat,
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
