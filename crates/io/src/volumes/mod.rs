//! Image files: NIfTI-1, plain (`.nii`) or gzipped (`.nii.gz`).
//!
//! Files speak RAS (x to the patient's right is negative); [`Volume`](neurotome_base::Volume) speaks LPS. Voxels are never
//! moved or resampled on the way: their order is kept and the orientation goes into the affine, so that any of the 48 ways to
//! lay voxels along the patient's axes, and any oblique one, is read as it is.
//!
//! The crate `nifti` was considered and not taken: it reserves memory from the header before the data are seen, reads negative
//! sides as large ones, and writes to its own path with no say over the gzip header.

mod error;
mod header;
mod nifti;
mod whole_file;

pub(crate) use whole_file::write_whole;

pub use error::VolumeFileError;
pub use nifti::{
    NiftiImage, read_label_nifti, read_label_nifti_bytes, read_nifti, read_nifti_bytes, read_nifti_image,
    write_nifti_f32, write_nifti_i16, write_nifti_u8,
};
