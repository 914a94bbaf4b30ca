//! Why a CT series cannot be read. Nothing here can hold an identifier of the patient.

use neurotome_base::VolumeError;

use crate::volumes::VolumeFileError;

/// One series found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesSummary {
    /// SeriesInstanceUID, digits and dots.
    pub uid: String,
    /// Modality.
    pub modality: String,
    /// Number of images.
    pub images: usize,
}

impl std::fmt::Display for SeriesSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, {} images)", self.uid, self.modality, self.images)
    }
}

fn list(series: &[SeriesSummary]) -> String {
    let all: Vec<String> = series.iter().map(ToString::to_string).collect();
    all.join("; ")
}

/// Why a CT image cannot be read from a path, whatever its format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CtError {
    /// The DICOM series cannot be read.
    #[error(transparent)]
    Dicom(#[from] DicomError),
    /// The NIfTI file cannot be read.
    #[error(transparent)]
    Nifti(#[from] VolumeFileError),
    /// The box to cut out misses the image.
    #[error("cutting the CT image: {0}")]
    Crop(#[from] VolumeError),
}

/// Why a CT series cannot be read. Files are named by their ordinal in order of name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DicomError {
    /// The system refused.
    #[error(
        "reading the CT series: {source}; expected a folder or zip of DICOM files; check the path and its permissions"
    )]
    Io {
        /// What the system said.
        source: std::io::Error,
    },
    /// Neither folder nor zip.
    #[error(
        "reading the CT series: the path is {found}; expected a folder of DICOM files, a .zip of them, or a .nii or .nii.gz file; give the folder that holds the slices"
    )]
    NotASeries {
        /// What was found.
        found: &'static str,
    },
    /// The zip is broken.
    #[error(
        "reading the CT series: the zip is unreadable: {reason}; expected a plain zip of DICOM files; make the zip again"
    )]
    Zip {
        /// What is wrong.
        reason: &'static str,
    },
    /// The zip unpacks to more than it should.
    #[error(
        "reading the CT series: the zip looks like a decompression bomb: {what} is {found}, expected at most {limit}; unpack it yourself if you trust it, and give the folder"
    )]
    ZipBomb {
        /// Which limit.
        what: &'static str,
        /// Value found.
        found: u64,
        /// Value allowed.
        limit: u64,
    },
    /// Too many or too large files.
    #[error(
        "reading the CT series: {what} is {found}, expected at most {limit}; give a folder that holds the series alone"
    )]
    TooLarge {
        /// Which limit.
        what: &'static str,
        /// Value found.
        found: u64,
        /// Value allowed.
        limit: u64,
    },
    /// No DICOM image at all.
    #[error("reading the CT series: none of {files} files is a DICOM image; expected CT slices; check the path")]
    NoImages {
        /// Files looked at.
        files: usize,
    },
    /// Images, but no CT.
    #[error("reading the CT series: no CT among the series found: {}; expected modality CT; give the CT series", list(.found))]
    NotCt {
        /// The series found.
        found: Vec<SeriesSummary>,
    },
    /// More than one CT series.
    #[error("reading the CT series: several CT series found: {}; expected one; name the series wanted by its UID", list(.found))]
    SeveralSeries {
        /// The CT series found.
        found: Vec<SeriesSummary>,
    },
    /// The series asked for is not there.
    #[error("reading the CT series: the series asked for is not among those found: {}; expected one of them", list(.found))]
    NoSuchSeries {
        /// The series found.
        found: Vec<SeriesSummary>,
    },
    /// One file is bad.
    #[error("reading the CT series: file {ordinal} of {files} (in order of name): {problem}")]
    File {
        /// Ordinal of the file, from 1.
        ordinal: usize,
        /// Files in all.
        files: usize,
        /// What is wrong.
        problem: FileProblem,
    },
    /// Slices of one series disagree.
    #[error(
        "reading the CT series: file {ordinal} of {files} (in order of name) has another {attribute} ({found}) than the first slice ({expected}); expected the same in all slices; split the series"
    )]
    Differing {
        /// Ordinal of the file, from 1.
        ordinal: usize,
        /// Files in all.
        files: usize,
        /// Which attribute.
        attribute: &'static str,
        /// Value found.
        found: String,
        /// Value of the first slice.
        expected: String,
    },
    /// Too few slices.
    #[error("reading the CT series: {found} slice(s); expected at least 2; give the whole series")]
    TooFewSlices {
        /// Slices found.
        found: usize,
    },
    /// Row and column directions are not at right angles or not of unit length.
    #[error(
        "reading the CT series: ImageOrientationPatient {found:?} is not orthonormal; expected two unit vectors at right angles; export the series again"
    )]
    Orientation {
        /// The six direction cosines.
        found: [f64; 6],
    },
    /// The stack of slices leans: a tilted gantry, or slices shifted sideways.
    #[error("reading the CT series: slices are shifted sideways by {shift_mm:.2} mm over {length_mm:.1} mm{}; expected slices stacked along their normal; resample the series to straight slices first (gantry tilt correction)", tilt_text(*.tilt_deg))]
    Sheared {
        /// Largest sideways shift, mm.
        shift_mm: f64,
        /// Length of the stack, mm.
        length_mm: f64,
        /// Gantry tilt stated in the files, degrees.
        tilt_deg: Option<f64>,
    },
    /// Two slices at one place.
    #[error(
        "reading the CT series: {count} slices lie at the position of another, the first at {position_mm:.2} mm along the normal; expected one slice at each position; remove the copies or split the phases"
    )]
    DuplicateSlice {
        /// How many.
        count: usize,
        /// Where, mm along the normal.
        position_mm: f64,
    },
    /// Slices are missing.
    #[error(
        "reading the CT series: {missing} slice(s) missing after {position_mm:.2} mm along the normal (a step of {step_mm:.3} mm where others are {spacing_mm:.3} mm); expected no gap; export the whole series again"
    )]
    MissingSlice {
        /// How many.
        missing: usize,
        /// Where, mm along the normal.
        position_mm: f64,
        /// Step found, mm.
        step_mm: f64,
        /// Usual step, mm.
        spacing_mm: f64,
    },
    /// Steps differ.
    #[error(
        "reading the CT series: distances between slices range from {least_mm:.3} to {most_mm:.3} mm; expected one distance within 1 %; resample the series"
    )]
    UnevenSpacing {
        /// Least distance, mm.
        least_mm: f64,
        /// Largest distance, mm.
        most_mm: f64,
    },
    /// The volume cannot be made.
    #[error("reading the CT series: {0}")]
    Volume(#[from] VolumeError),
}

fn tilt_text(tilt_deg: Option<f64>) -> String {
    tilt_deg.map_or(String::new(), |t| format!(" (gantry tilt {t:.1}°)"))
}

/// What is wrong with one file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FileProblem {
    /// The system or the zip refused.
    #[error("it cannot be read; expected a whole file; copy it again")]
    Unreadable,
    /// Larger than any slice.
    #[error("it holds more than {limit} bytes; expected a single CT slice; leave the file out")]
    TooLarge {
        /// Limit, bytes.
        limit: u64,
    },
    /// Not DICOM.
    #[error("it is not a DICOM file; expected the letters DICM at byte 128; leave the file out")]
    NotDicom,
    /// No pixels.
    #[error("it holds no image; expected a CT slice; leave the file out")]
    NoImage,
    /// The elements run over the end of the file.
    #[error("it is truncated or corrupt: an element reaches beyond the end; expected a whole file; copy it again")]
    Truncated,
    /// Sequences in sequences without end.
    #[error("sequences are nested more than {limit} deep; expected a CT slice; leave the file out")]
    TooDeep {
        /// Limit.
        limit: usize,
    },
    /// The way of storing pixels is not known.
    #[error(
        "transfer syntax {uid}{name} is not supported; expected native, deflated, RLE, JPEG baseline or JPEG lossless; convert the series, for example with gdcmconv --raw or dcmdjpeg"
    )]
    TransferSyntax {
        /// Its UID.
        uid: String,
        /// Its name in brackets, when known.
        name: &'static str,
    },
    /// An attribute is missing.
    #[error("{attribute} is missing; expected it in every CT slice; export the series again")]
    Missing {
        /// The attribute.
        attribute: &'static str,
    },
    /// An attribute cannot be read as what it is.
    #[error("{attribute} is unreadable; expected {expected}; export the series again")]
    Malformed {
        /// The attribute.
        attribute: &'static str,
        /// Values that can be.
        expected: &'static str,
    },
    /// An attribute has a value that cannot be.
    #[error("{attribute} is {found}; expected {expected}; export the series again")]
    Value {
        /// The attribute.
        attribute: &'static str,
        /// Value found.
        found: f64,
        /// Values that can be.
        expected: &'static str,
    },
    /// Several frames in one file.
    #[error(
        "it holds several frames or an enhanced CT object; expected one slice a file; convert it to classic CT slices"
    )]
    MultiFrame,
    /// Colour or inverted grey.
    #[error(
        "the pixels are not plain grey values (MONOCHROME2, one sample a pixel); expected an original CT slice; leave screenshots and colour maps out"
    )]
    NotGrey,
    /// Fewer pixels than rows × columns.
    #[error(
        "pixel data hold {found} bytes, too few for the {expected} of the rows and columns stated; expected a whole slice; copy the file again"
    )]
    ShortPixels {
        /// Bytes found.
        found: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// The compressed pixels cannot be decoded.
    #[error(
        "the {codec} pixel data are corrupt or of another size than stated; expected an image of the rows and columns stated; copy the file again"
    )]
    Decode {
        /// The codec.
        codec: &'static str,
    },
}
