//! Line integrals as NumPy arrays and as volumes.

use neurotome_base::{Affine, Volume, VolumeError, geometry::Mat3};
use neurotome_physics::xray::{Image, View};

use super::{PictureError, check};

/// A NumPy file (format 1.0) of 32-bit numbers, shape (rows, columns), rows from above.
///
/// # Errors
/// [`PictureError::Size`].
pub fn npy_f32(image: &Image) -> Result<Vec<u8>, PictureError> {
    /// The whole header is a multiple of this.
    const ALIGN: usize = 64;
    check(image.columns, image.rows, image.data.len())?;
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
        image.rows, image.columns
    );
    // Ten bytes before the header, one line end after it.
    let padded = (10 + header.len() + 1).next_multiple_of(ALIGN);
    header.push_str(&" ".repeat(padded - 10 - header.len() - 1));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(image.data.iter().flat_map(|v| v.to_le_bytes()));
    Ok(bytes)
}

/// An image as a volume one voxel thick in the plane of the detector, in the patient.
///
/// # Errors
/// [`VolumeError`].
pub fn integrals_volume(image: &Image, view: &View) -> Result<Volume<f32>, VolumeError> {
    let normal = view.column_step_mm.cross(&view.row_step_mm).normalize();
    let matrix = Mat3::from_columns(&[view.column_step_mm, view.row_step_mm, normal]);
    let affine = Affine::new(matrix, view.first_mm)?;
    Volume::new([image.columns, image.rows, 1], affine, image.data.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_what_numpy_expects() {
        let image = Image {
            columns: 3,
            rows: 2,
            data: vec![0.5, 1.0, -2.0, 3.0, 4.0, 5.0],
        };
        let bytes = npy_f32(&image).unwrap();
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((10 + length) % 64, 0);
        let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
        assert!(header.contains("'shape': (2, 3)") && header.ends_with('\n'));
        assert_eq!(bytes.len(), 10 + length + 24);
        assert_eq!(bytes[10 + length..10 + length + 4], 0.5f32.to_le_bytes());
    }
}
