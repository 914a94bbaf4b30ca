//! What a run leaves behind: one folder with the record, the report, pictures, tables and field files.
//!
//! [`write_results`] writes the folder whole or not at all, and the same run gives the same bytes for any number of threads.

mod curves;
pub(crate) mod files;
mod folder;
mod injection;
pub(crate) mod lattice;
pub(crate) mod needle_shape;
mod spine;
mod summary;
pub(crate) mod surface;
mod vtk;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use neurotome_base::Volume;
use neurotome_procedure::lesion::{Drive, LesionProblem, LesionResult};
use rayon::prelude::*;

use crate::report::{self, Scene, style::TissueStyle};
use crate::volumes::VolumeFileError;

pub use folder::{check_target, write_files};
pub use injection::{CONCENTRATION_FILE, SHARE_FILE, write_injection};
pub use spine::{
    MAX_SPINE_VOXELS, SpineExport, SpineFibres, SpineLabel, SpineLandmark, SpineNerve, SpineSummary, write_spine,
};
pub use summary::summarise;
pub(crate) use summary::{end_of_heating, figure};

/// Why a results folder cannot be written. Nothing is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// Something else is where the results should go.
    #[error(
        "writing results to {}: found {found}; expected a new or empty folder, or one that an earlier run wrote; choose another folder or remove it",
        folder.display()
    )]
    Occupied {
        /// The folder asked for.
        folder: PathBuf,
        /// What is there.
        found: String,
    },
    /// The system refused to write.
    #[error("writing results to {}: {source}; {advice}; nothing was left behind", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
        /// What to do.
        advice: &'static str,
    },
    /// The run cannot be reported as it is.
    #[error("writing results: {what} hold {found}; expected {expected}; nothing was left behind")]
    Input {
        /// Which part of the run.
        what: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A picture could not be drawn.
    #[error(
        "drawing a picture of the results: {reason}; nothing was left behind; this is a defect of the program, please report it"
    )]
    Picture {
        /// What the drawing library said.
        reason: String,
    },
    /// A report could not be set as PDF.
    #[error(
        "writing a report as PDF: {reason}; nothing was left behind; this is a defect of the program, please report it"
    )]
    Document {
        /// What the library that writes PDF said.
        reason: String,
    },
    /// The caller asked to stop.
    #[error("writing results: interrupted; nothing was left behind")]
    Cancelled,
    /// An image file could not be written.
    #[error("writing results: {0}")]
    Image(VolumeFileError),
}

/// One row of the report's summary; texts as they shall appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SummaryRow {
    /// What it is.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its unit; empty for none.
    pub unit: String,
    /// Its stated error with unit, such as `± 0.1 mm`; empty when none is stated.
    pub error: String,
}

impl SummaryRow {
    /// A row from its texts.
    pub fn new(
        name: impl Into<String>,
        value: impl Into<String>,
        unit: impl Into<String>,
        error: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            unit: unit.into(),
            error: error.into(),
        }
    }
}

/// A file that the caller adds to the folder, such as an X-ray picture of the needle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraFile {
    /// Its name, without folders.
    pub name: String,
    /// One line that says what it is; the caption in the report when it is a PNG picture.
    pub caption: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Everything that a results folder tells of.
#[derive(Clone, Copy)]
pub struct RunForReport<'a> {
    /// Title of the report. Must not name a patient.
    pub title: &'a str,
    /// What was asked.
    pub problem: &'a LesionProblem,
    /// What was computed.
    pub result: &'a LesionResult,
    /// The CT in Hounsfield units, when there was one.
    pub ct: Option<&'a Volume<f32>>,
    /// How each tissue is shown, in the order of the problem's tissues; by the tissues' names when absent.
    pub tissue_styles: Option<&'a [TissueStyle]>,
    /// The record of the run, serialised as JSON: written as `record.json` as it is.
    pub record_json: &'a str,
    /// The scenario as text, for the reader of the report.
    pub scenario_text: &'a str,
    /// Rows of the summary; see [`summarise`].
    pub summary: &'a [SummaryRow],
    /// Name and version of the program that computed the run.
    pub program: &'a str,
    /// More files for the folder.
    pub extra_files: &'a [ExtraFile],
}

/// What to leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultsOptions {
    /// Draw the pictures (the report then shows them).
    pub pictures: bool,
    /// Write the VTK files.
    pub vtk: bool,
    /// Write the NIfTI files.
    pub nifti: bool,
}

impl Default for ResultsOptions {
    fn default() -> Self {
        Self {
            pictures: true,
            vtk: true,
            nifti: true,
        }
    }
}

/// A file of the folder before it is written.
pub(crate) struct Made {
    /// Its name.
    pub name: &'static str,
    /// What it is, in one line.
    pub what: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Work that gives the bytes of one file, or writes it; jobs know nothing of each other.
type Job<'s> = Box<dyn Fn() -> Result<Option<Made>, ResultsError> + Sync + Send + 's>;

/// Writes the results of a run to `folder` and returns the files written.
///
/// The folder is made beside its final place and renamed when complete. A folder that an earlier run wrote is replaced; any
/// other folder that is not empty is an error.
///
/// # Errors
/// [`ResultsError`]; nothing is left behind.
pub fn write_results(
    folder: &Path,
    run: &RunForReport<'_>,
    options: &ResultsOptions,
) -> Result<Vec<PathBuf>, ResultsError> {
    check(run)?;
    let curves = curves::csv(&run.result.curves)?;
    let staging = folder::Staging::begin(folder)?;
    let scene = Scene::new(run);

    // Of other drives the field is of no interest to image tools; VTK has it.
    let pulsed = matches!(run.problem.drive, Drive::Pulsed { .. });
    let mut jobs: Vec<Job<'_>> = Vec::new();
    if options.nifti {
        let images = files::Images::new(&scene)?;
        let (path, scene, images) = (staging.path(files::PEAK), &scene, std::sync::Arc::new(images));
        let mask = (staging.path(files::MASK), images.clone());
        if pulsed {
            let field = (staging.path(files::FIELD), images.clone());
            jobs.push(Box::new(move || field.1.write_field(&field.0).map(|()| None)));
        }
        jobs.push(Box::new(move || images.write_peak(scene, &path).map(|()| None)));
        jobs.push(Box::new(move || mask.1.write_mask(&mask.0).map(|()| None)));
    }
    if options.pictures {
        jobs.push(Box::new(|| report::lesion_slices(&scene).map(Some)));
        jobs.push(Box::new(|| report::views(&scene).map(Some)));
        jobs.push(Box::new(|| report::tissue_map(&scene).map(Some)));
        jobs.push(Box::new(|| report::curves(&scene).map(Some)));
    }
    if options.vtk {
        jobs.push(Box::new(|| Ok(Some(files::fields(&scene)))));
        jobs.push(Box::new(|| Ok(Some(files::lesion(&scene)))));
        jobs.push(Box::new(|| Ok(Some(files::needle(&scene)))));
        jobs.push(Box::new(|| Ok(Some(files::nerves(&scene)))));
    }
    let made: Vec<Made> = jobs
        .par_iter()
        .with_max_len(1)
        .map(|job| job())
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect();

    let mut contents = BTreeMap::new();
    let mut put = |name: &str, what: &str, bytes: &[u8]| {
        contents.insert(name.to_owned(), what.to_owned());
        folder::write_file(&staging.path(name), bytes)
    };
    put(
        folder::RECORD,
        "what was asked, enough to run it again",
        run.record_json.as_bytes(),
    )?;
    put(
        "curves.csv",
        "temperature, voltage, current, power and impedance at every time step",
        curves.as_bytes(),
    )?;
    for file in &made {
        put(file.name, file.what, &file.bytes)?;
    }
    for file in run.extra_files {
        put(&file.name, &file.caption, &file.bytes)?;
    }
    if options.nifti {
        let field = pulsed.then_some(files::FIELD_ENTRY);
        for (name, what) in [files::MASK_ENTRY, files::PEAK_ENTRY].into_iter().chain(field) {
            contents.insert(name.to_owned(), what.to_owned());
        }
    }
    let document = report::report(&scene, &made, &contents);
    let (pdf, html) = rayon::join(|| document.to_pdf(), || document.to_html());
    let pdf = pdf?;
    contents.insert(report::FILE.to_owned(), "the report: open it in a browser".to_owned());
    contents.insert(report::PDF.to_owned(), "the report, to be printed or sent".to_owned());
    folder::write_file(&staging.path(report::FILE), html.as_bytes())?;
    folder::write_file(&staging.path(report::PDF), &pdf)?;
    staging.publish(&contents)
}

/// Names that the program itself uses in a results folder.
const RESERVED: [&str; 6] = [
    folder::RECORD,
    folder::CONTENTS,
    report::FILE,
    report::PDF,
    "curves.csv",
    "fields.vti",
];

/// Refuses what cannot be reported.
pub(crate) fn check(run: &RunForReport<'_>) -> Result<(), ResultsError> {
    let problem = run.problem;
    let input = |what, found: String, expected| Err(ResultsError::Input { what, found, expected });
    if problem.needles.is_empty() {
        return input("the needles", "none".to_owned(), "at least one needle");
    }
    for needle in &problem.needles {
        let lengths = [needle.outer_diameter_mm, needle.active_tip_mm, needle.length_mm];
        let sound = lengths.iter().all(|l| l.is_finite() && *l > 0.0 && *l < 1000.0);
        if !sound || !needle.tip.is_finite() || needle.direction.iter().any(|d| !d.is_finite()) {
            return input(
                "the needles",
                format!("{needle:?}"),
                "finite positions and lengths between 0 and 1000 mm",
            );
        }
    }
    let finite = |p: &neurotome_base::PatientPoint| p.is_finite();
    if let Some(n) = problem
        .nerves
        .iter()
        .find(|n| n.points.len() < 2 || !n.points.iter().all(finite))
    {
        return input(
            "the nerves",
            format!("`{}`", n.name),
            "at least two points each, all finite",
        );
    }
    if problem.tissue_names.len() != problem.tissues.len()
        || run.tissue_styles.is_some_and(|s| s.len() != problem.tissues.len())
    {
        return input(
            "the tissues",
            format!(
                "{} names, {} rows of properties and {} styles",
                problem.tissue_names.len(),
                problem.tissues.len(),
                run.tissue_styles.map_or(0, <[_]>::len)
            ),
            "one name, one row and, when given, one style for each",
        );
    }
    let plain = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
            && !RESERVED.contains(&name)
            && !report::PICTURES.contains(&name)
            && !files::NAMES.contains(&name)
    };
    if let Some(f) = run.extra_files.iter().find(|f| !plain(&f.name)) {
        return input(
            "the added files",
            format!("the name {:?}", f.name),
            "letters, digits, dot, hyphen and underscore only, and not a name the program uses",
        );
    }
    Ok(())
}
