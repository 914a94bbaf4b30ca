//! Why an image file cannot be read or written.

use neurotome_base::VolumeError;

/// Why an image file cannot be read or written. `file` is the path as the caller gave it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VolumeFileError {
    /// The file cannot be opened or read.
    #[error(
        "reading image {file}: {source}; expected a NIfTI-1 file (.nii or .nii.gz); check the path and its permissions"
    )]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error(
        "writing image {file}: {source}; nothing was left behind; check the folder, its permissions and the free space"
    )]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error("reading image {file}: {found}; expected a single-file NIfTI-1 image (.nii or .nii.gz); {advice}")]
    NotNifti {
        /// The file.
        file: String,
        /// What was found instead.
        found: String,
        /// What to do.
        advice: &'static str,
    },
    /// A header field has a value that cannot be.
    #[error(
        "reading image {file}: header field {field} is {found}; expected {expected}; write the image again with a sound header"
    )]
    Header {
        /// The file.
        file: String,
        /// Field of the NIfTI-1 header.
        field: &'static str,
        /// Value found.
        found: String,
        /// Values that can be.
        expected: &'static str,
    },
    /// The image is not one three-dimensional volume.
    #[error(
        "reading image {file}: dimensions {found:?}; expected one three-dimensional volume; extract the volume wanted and try again"
    )]
    NotOneVolume {
        /// The file.
        file: String,
        /// Sides found.
        found: Vec<i16>,
    },
    /// Neither sform nor qform is set.
    #[error(
        "reading image {file}: sform_code and qform_code are both 0, so left and right cannot be told; expected at least one; set the orientation in the program that wrote the image"
    )]
    NoOrientation {
        /// The file.
        file: String,
    },
    /// The file ends early.
    #[error("reading image {file}: truncated: {found} bytes of voxel data, expected {expected}; copy the file again")]
    Truncated {
        /// The file.
        file: String,
        /// Bytes of voxel data found.
        found: u64,
        /// Bytes of voxel data that the header promises.
        expected: u64,
    },
    /// The file goes on well after the voxels.
    #[error(
        "reading image {file}: data go on well after the {expected} bytes of voxels that the header promises; expected at most {allowed} bytes of padding; the header is wrong or the file is a decompression bomb: write the image again"
    )]
    TooLong {
        /// The file.
        file: String,
        /// Bytes that the header promises.
        expected: u64,
        /// Bytes allowed after them.
        allowed: u64,
    },
    /// Some values are NaN or infinite.
    #[error(
        "reading image {file}: {count} voxels are NaN, infinite or beyond the range of 32-bit numbers, the first at index {first:?}; expected finite values; replace them (air is -1024 HU) and try again"
    )]
    NotFinite {
        /// The file.
        file: String,
        /// How many voxels.
        count: usize,
        /// Index of the first.
        first: [usize; 3],
    },
    /// A label map holds values that are no labels.
    #[error(
        "reading label map {file}: value {value} at index {index:?}; expected whole numbers from 0 to 65535; was an image given in place of a label map?"
    )]
    NotALabel {
        /// The file.
        file: String,
        /// Value found.
        value: f64,
        /// Where.
        index: [usize; 3],
    },
    /// The volume itself cannot be.
    #[error("image {file}: {source}")]
    Volume {
        /// The file.
        file: String,
        /// Why.
        source: VolumeError,
    },
}
