//! A reduced plant as a functional mock-up unit (FMI 3.0, co-simulation), for other people's simulators.
//!
//! The unit is a zip archive: `modelDescription.xml` (variables and units), `sources/` (plain C99 that computes what
//! [`neurotome_procedure::generator::plant::ReducedPlant`] computes, in the same order), `documentation/index.html`, and, where a C compiler
//! made it, `binaries/PLATFORM/`. It follows the FMI 3.0 standard of the Modelica Association (fmi-standard.org).

mod text;

use std::io::{Cursor, Write as _};

use neurotome_procedure::generator::plant::{ReducedError, ReducedModel};
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::catalog::hex;

/// The model's identifier within the unit: name of the library.
pub const IDENTIFIER: &str = "neurotome_plant";
/// The C file to be compiled; `fmu_model.h` lies beside it.
pub const SOURCE: &str = "fmu_plant.c";
const PLANT_C: &str = include_str!("fmu_plant.c");
/// What the compiler is told besides input and output: no contraction of products and sums, so that all machines give the same digits.
pub const COMPILER_FLAGS: [&str; 5] = ["-std=c99", "-O2", "-ffp-contract=off", "-fPIC", "-shared"];

/// Why no unit can be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FmuError {
    /// The model is unusable.
    #[error("functional mock-up unit: {0}")]
    Model(#[from] ReducedError),
    /// The archive cannot be packed.
    #[error("functional mock-up unit: packing the archive: {0}; free memory and try again")]
    Pack(String),
}

/// A plant with what is said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FmuPlant {
    /// Its name, such as `20G-10mm`.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// The model.
    pub model: ReducedModel,
}

/// A compiled library and the platform that it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binary {
    /// Platform tuple of FMI 3.0, such as `x86_64-linux`.
    pub platform: String,
    /// File name with the platform's ending.
    pub file: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A variable of the unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its value reference.
    pub reference: u32,
    /// `independent`, `parameter`, `input` or `output`.
    pub causality: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// Start value, of inputs and parameters.
    pub start: Option<f64>,
    /// What it is.
    pub description: String,
}

/// The unit's variables in the order of their value references.
pub fn variables(model: &ReducedModel) -> Vec<Variable> {
    let mut all = Vec::new();
    let mut add = |name: String, causality, unit, start, description: String| {
        all.push(Variable {
            name,
            reference: u32::try_from(all.len()).unwrap_or(u32::MAX),
            causality,
            unit,
            start,
            description,
        });
    };
    let (channels, needles) = (model.channels(), model.thermocouples.len());
    add("time".into(), "independent", "s", None, "Simulation time".into());
    let what = "Temperature of everything at the start";
    add(
        "initial_temperature".into(),
        "parameter",
        "degC",
        Some(model.initial_c),
        what.into(),
    );
    for k in 1..=channels {
        let what = format!("Voltage of channel {k}, rms; zero: off");
        add(format!("voltage_{k}"), "input", "V", Some(0.0), what);
    }
    for (k, c) in model.coolants.iter().enumerate() {
        let what = format!(
            "Coolant of needle {}: temperature at the end of its channel",
            c.needle + 1
        );
        add(
            format!("coolant_temperature_{}", k + 1),
            "input",
            "degC",
            Some(c.temperature_c),
            what,
        );
    }
    for (k, c) in model.coolants.iter().enumerate() {
        let what = format!(
            "Coolant of needle {}: flow; zero: it stands still, negative: it does not warm",
            c.needle + 1
        );
        let start = Some(c.flow_ml_per_min.unwrap_or(-1.0));
        add(format!("coolant_flow_{}", k + 1), "input", "ml/min", start, what);
    }
    for k in 1..=needles {
        add(
            format!("thermocouple_{k}"),
            "output",
            "degC",
            None,
            format!("Thermocouple of needle {k}"),
        );
    }
    for k in 1..=channels {
        let what = format!("Impedance of channel {k}; known while nothing flows too");
        add(format!("impedance_{k}"), "output", "Ohm", None, what);
    }
    for k in 1..=channels {
        add(
            format!("current_{k}"),
            "output",
            "A",
            None,
            format!("Current of channel {k}, rms"),
        );
    }
    add(
        "power".into(),
        "output",
        "W",
        None,
        "Power in the tissue, all channels".into(),
    );
    let what = "Hottest tissue while current flows; no instrument shows it";
    add("hottest".into(), "output", "degC", None, what.into());
    all
}

/// The instantiation token: a digest of the model and of the code that computes it.
pub fn token(plant: &FmuPlant) -> String {
    let mut digest = Sha256::new();
    digest.update(serde_json::to_string(&plant.model).unwrap_or_default());
    digest.update(PLANT_C);
    let text = hex(&digest.finalize());
    format!(
        "{{{}-{}-{}-{}-{}}}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..32]
    )
}

/// The C sources: name and text.
///
/// # Errors
/// [`FmuError::Model`].
pub fn sources(plant: &FmuPlant) -> Result<Vec<(&'static str, String)>, FmuError> {
    plant.model.check()?;
    Ok(vec![
        (SOURCE, PLANT_C.to_owned()),
        ("fmu_model.h", text::model_header(&plant.model, &token(plant))),
        ("buildDescription.xml", text::build_description()),
    ])
}

/// The whole unit; the same plant and binaries give the same bytes.
///
/// # Errors
/// [`FmuError`].
pub fn pack(plant: &FmuPlant, binaries: &[Binary]) -> Result<Vec<u8>, FmuError> {
    let failure = |e: &dyn std::fmt::Display| FmuError::Pack(e.to_string());
    let mut files = vec![
        (
            "modelDescription.xml".to_owned(),
            text::model_description(plant, &variables(&plant.model), &token(plant)).into_bytes(),
        ),
        (
            "documentation/index.html".to_owned(),
            text::documentation(plant, &variables(&plant.model)).into_bytes(),
        ),
    ];
    for (name, text) in sources(plant)? {
        files.push((format!("sources/{name}"), text.into_bytes()));
    }
    for binary in binaries {
        files.push((
            format!("binaries/{}/{}", binary.platform, binary.file),
            binary.bytes.clone(),
        ));
    }
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(name, options).map_err(|e| failure(&e))?;
        archive.write_all(&bytes).map_err(|e| failure(&e))?;
    }
    let written = archive.finish().map_err(|e| failure(&e))?;
    Ok(written.into_inner())
}
