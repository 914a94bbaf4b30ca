//! CT series in DICOM: a folder or a zip of single-frame CT slices becomes one volume in Hounsfield units.
//!
//! ```text
//! source   every file of the folder or zip, in order of name, each read with a cap
//! sieve    keeps twenty numeric attributes and the pixels; everything else is dropped unread
//! slice    the attributes of one slice, as numbers
//! series   which slices belong together, and where they lie
//! pixels   stored bytes → stored values (native, deflated, RLE, JPEG)
//! ```
//!
//! **Identifiers of the patient never pass the sieve**: names, dates, numbers, descriptions and private attributes are skipped by
//! their length and are never decoded. Errors name files by their ordinal in order of name, since file names can hold names.

mod error;
mod pixels;
mod read;
mod series;
mod sieve;
mod slice;
mod source;

pub use error::{CtError, DicomError, FileProblem, SeriesSummary};
pub use read::{
    CtImage, CtOptions, read_ct, read_ct_series, read_ct_series_with, read_ct_series_zip_bytes, read_ct_with,
    read_dicom_slice_bytes,
};
pub use slice::CtSlice;
