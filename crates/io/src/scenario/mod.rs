//! Scenario files: what a person writes to say which procedure is to be computed.
//!
//! [`load`] turns a [`Source`] into a lesion problem, and lists each unverified value of the catalogue that the problem uses.

mod axis;
mod build;
mod case;
pub(crate) mod fault;
mod hash;
mod in_beam;
mod locate;
mod model;
mod resolved;
mod spine;
mod text;
mod whole_image;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use neurotome_base::Volume;
use neurotome_procedure::{
    anaesthesia::{Injection, Spread},
    anatomy::{Patient, spine::LumbarSpine},
    lesion::LesionProblem,
};
use serde::{Deserialize, Serialize};

pub use build::{
    MAX_NEEDLES, MAX_NERVES, MAX_OUTPUT_TIMES, MAX_PROBES, MAX_REGIONS, anaesthetic_values, dose_remark, injection,
    load, load_before_injection,
};
pub use case::{CaseError, case};
pub use fault::Fault;
pub use in_beam::{hounsfield, table_top};
pub(crate) use locate::span_of;
pub use model::*;
pub use resolved::resolved;
pub use spine::{DiscLossTable, ScoliosisTable, SlipTable, SpineTable};
pub use text::to_text;
pub use whole_image::whole_image;

/// Largest scenario file read, bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Environment variable that stands for the folder of test images in the paths of a scenario.
pub const TEST_DATA_VARIABLE: &str = "NEUROTOME_TEST_DATA";

/// Why a scenario cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file cannot be read.
    #[error("scenario: cannot read {path}: {reason}; give the path of a scenario file (TOML)")]
    Read {
        /// The path as given.
        path: String,
        /// Why.
        reason: String,
    },
    /// Something in the file is wrong.
    #[error("scenario: {0}")]
    Fault(#[from] Box<Fault>),
}

/// The text of a scenario and where its relative paths start.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Name for messages and the record: a file name without folders.
    pub name: String,
    /// The text.
    pub text: String,
    /// Folder from which relative paths start.
    pub folder: PathBuf,
}

/// The text of a file of at most so many bytes, or why there is none.
pub(crate) fn read_text(path: &Path, most_bytes: u64) -> Result<String, String> {
    let meta = fs::metadata(path).map_err(|e| e.to_string())?;
    if !meta.is_file() {
        return Err("not a file".to_owned());
    }
    if meta.len() > most_bytes {
        return Err(format!("{} bytes, at most {most_bytes}", meta.len()));
    }
    fs::read_to_string(path).map_err(|e| e.to_string())
}

impl Source {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// [`ScenarioError::Read`].
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = read_text(path, MAX_FILE_BYTES).map_err(|reason| ScenarioError::Read {
            path: path.display().to_string(),
            reason,
        })?;
        Ok(Self {
            name: path
                .file_name()
                .map_or_else(|| "scenario.toml".to_owned(), |n| n.to_string_lossy().into_owned()),
            text,
            folder: path.parent().unwrap_or(Path::new("")).to_owned(),
        })
    }

    /// The whole procedure on the built-in patient.
    pub fn procedure() -> Self {
        Self {
            name: "procedure.toml".to_owned(),
            text: include_str!("../../../../scenarios/procedure.toml").to_owned(),
            folder: PathBuf::new(),
        }
    }

    /// The built-in patient with the default needle.
    pub fn built_in() -> Self {
        Self {
            name: "built-in.toml".to_owned(),
            text: include_str!("../../../../scenarios/built-in.toml").to_owned(),
            folder: PathBuf::new(),
        }
    }
}

/// A value of the catalogue that nobody has checked against its source, and that the run uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What it belongs to, such as `tissue muscle`.
    pub subject: String,
    /// Its key, unit included.
    pub key: String,
    /// The value used.
    pub value: f64,
    /// Its source as the catalogue cites it.
    pub source: String,
}

/// An input file and its content's SHA-256.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputFile {
    /// The path as the scenario writes it.
    pub path: String,
    /// SHA-256, hexadecimal; of a folder, over the names and contents of its files in name order.
    pub sha256: String,
}

/// The anatomy behind the problem, for pictures.
#[derive(Clone)]
pub enum Setting {
    /// The built-in patient.
    BuiltIn(Arc<LumbarSpine>),
    /// A phantom.
    Phantom,
    /// A CT image, in Hounsfield units: the part of it round the region computed.
    Image(Arc<Volume<f32>>),
}

/// An injection before heating, computed.
#[derive(Clone)]
pub struct Anaesthesia {
    /// What was injected where.
    pub injection: Injection,
    /// How it spread.
    pub spread: Arc<Spread>,
    /// Seconds from the end of the injection to the start of heating.
    pub wait_s: f64,
}

/// A scenario ready to be computed.
pub struct Loaded {
    /// The scenario as written.
    pub scenario: Scenario,
    /// The problem.
    pub problem: LesionProblem,
    /// The anatomy.
    pub setting: Setting,
    /// The patient whose bones and nerves are known: built in, or an image with a spine fitted to it.
    pub patient: Option<Arc<dyn Patient>>,
    /// The injection of `[anaesthetic]`; its fluid is the problem's.
    pub anaesthesia: Option<Anaesthesia>,
    /// Unverified values used.
    pub notices: Vec<Notice>,
    /// Input files.
    pub inputs: Vec<InputFile>,
    /// What the readers of the images want the user to know.
    pub remarks: Vec<String>,
}
