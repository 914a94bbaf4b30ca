//! X-ray pictures as files: PNG of 8 or 16 bits, NumPy arrays of line integrals, DICOM X-ray radiofluoroscopic images.
//!
//! Each encoder gives the bytes of a whole file; [`write_bytes`] puts them in place whole or not at all. No time, path or name of a
//! patient is in any of them.

mod dicom_files;
mod numpy;
mod png_files;

use std::path::Path;

pub use dicom_files::{Exposed, dicom_radiofluoroscopic};
pub use numpy::{integrals_volume, npy_f32};
pub use png_files::{png_grey8, png_grey16};

use crate::volumes::{VolumeFileError, write_whole};

/// Why a picture cannot be encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The values do not fill the picture.
    #[error("picture: {found} values for {columns} × {rows} pixels; expected one a pixel and at least one pixel")]
    Size {
        /// Pixels along a row.
        columns: usize,
        /// Rows.
        rows: usize,
        /// Values.
        found: usize,
    },
    /// The encoder failed.
    #[error("picture: cannot encode {format}: {reason}")]
    Encode {
        /// The format.
        format: &'static str,
        /// What it says.
        reason: String,
    },
}

/// Writes a file whole or not at all.
///
/// # Errors
/// [`VolumeFileError::Write`].
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), VolumeFileError> {
    write_whole(path, |out| out.write_all(bytes)).map_err(|source| VolumeFileError::Write {
        file: path.display().to_string(),
        source,
    })
}

fn check(columns: usize, rows: usize, found: usize) -> Result<(), PictureError> {
    if columns > 0 && rows > 0 && columns.checked_mul(rows) == Some(found) && columns.max(rows) <= 1 << 16 {
        Ok(())
    } else {
        Err(PictureError::Size { columns, rows, found })
    }
}
