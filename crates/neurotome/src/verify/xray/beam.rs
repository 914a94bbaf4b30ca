//! Attenuation and tube spectra.

use neurotome_io::catalog;
use neurotome_procedure::{
    catalog::{Catalog, find},
    fluoroscopy::{Machine, Technique},
};

use crate::verify::Report;

const SPEKPY: &str =
    "SpekPy 2.5.4 (Poludniowski et al. 2021), tungsten anode of 12°, model casim: validation/xray/README.md";

/// NIST values at 60 keV (Hubbell and Seltzer, NISTIR 5632), cm²/g; recalled.
const NIST_60_KEV: [(&str, f64); 8] = [
    ("water", 0.2059),
    ("cortical_bone", 0.3148),
    ("aluminium", 0.2778),
    ("titanium", 0.7661),
    ("copper", 1.593),
    ("iodine", 7.579),
    ("lead", 5.021),
    ("air", 0.1875),
];

/// Tube voltage, aluminium and copper, and there air kerma at 1 m (µGy per mAs) and half value layer (mm of aluminium).
const SPECTRA: [(f64, f64, f64, f64, f64); 12] = [
    (50.0, 2.5, 0.0, 33.358, 1.7501),
    (60.0, 2.5, 0.0, 48.898, 2.0816),
    (65.0, 3.0, 0.0, 47.402, 2.4824),
    (70.0, 2.5, 0.1, 28.100, 3.8542),
    (75.0, 3.0, 0.0, 62.225, 2.8377),
    (80.0, 2.5, 0.0, 81.979, 2.7338),
    (80.0, 3.0, 0.2, 23.069, 5.6227),
    (85.0, 4.0, 0.0, 61.061, 3.7747),
    (90.0, 2.5, 0.3, 25.630, 6.9797),
    (95.0, 3.0, 0.0, 95.699, 3.6201),
    (110.0, 3.0, 0.1, 75.784, 6.1734),
    (120.0, 2.5, 0.0, 158.730, 4.2195),
];

fn built_in() -> Result<Catalog, String> {
    catalog::built_in().map_err(|e| e.to_string())
}

pub fn coefficients(report: &mut Report) {
    let source = "NIST X-ray mass attenuation coefficients (Hubbell and Seltzer, NISTIR 5632); recalled";
    let claim = "mass attenuation at 60 keV of 8 materials against NIST, worst deviation in %";
    let catalog = match built_in() {
        Ok(catalog) => catalog,
        Err(e) => return report.failed(claim, e, source),
    };
    let mut worst = 0.0f64;
    for (name, expected) in NIST_60_KEV {
        let Some(material) = find(&catalog.xray_materials, name) else {
            return report.failed(claim, format!("no material {name}"), source);
        };
        match material.attenuation() {
            // 1/mm over kg/m³ to cm²/g.
            Ok(c) => {
                let value = c.per_mm(60.0) / (1e-4 * material.density_kg_per_m3.value);
                worst = worst.max(100.0 * (value / expected - 1.0).abs());
            }
            Err(e) => return report.failed(claim, e, source),
        }
    }
    report.at_most(claim, worst, 2.0, source);
}

/// Kerma and half value layer over the tabulated ones, for each technique.
fn ratios() -> Result<Vec<(f64, f64)>, String> {
    let catalog = built_in()?;
    let machine = Machine::new(&catalog, "mobile-flat-30cm").map_err(|e| e.to_string())?;
    SPECTRA
        .iter()
        .map(|&(kv, aluminium_mm, copper_mm, kerma, layer)| {
            let technique = Technique {
                kv,
                aluminium_mm,
                copper_mm,
                beam_hardening: true,
            };
            let m = machine.with_technique(technique).map_err(|e| e.to_string())?;
            Ok((m.kerma_ugy_per_mas / kerma, m.half_value_layer_mm() / layer))
        })
        .collect()
}

fn worst(report: &mut Report, claim: &str, bound: f64, pick: fn(&(f64, f64)) -> f64) {
    match ratios() {
        Ok(all) => {
            let worst = all.iter().map(|r| 100.0 * (pick(r) - 1.0).abs()).fold(0.0, f64::max);
            report.at_most(claim, worst, bound, SPEKPY);
        }
        Err(e) => report.failed(claim, e, SPEKPY),
    }
}

pub fn kerma(report: &mut Report) {
    worst(
        report,
        "air kerma per mAs of 12 techniques from 50 to 120 kV, worst deviation in %",
        10.0,
        |r| r.0,
    );
}

pub fn half_value_layers(report: &mut Report) {
    worst(
        report,
        "half value layers of those techniques, worst deviation in %",
        5.0,
        |r| r.1,
    );
}
