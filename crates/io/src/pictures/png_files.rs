//! Grey PNG.

use super::{PictureError, check};

/// An 8-bit grey PNG, rows from above.
///
/// # Errors
/// [`PictureError`].
pub fn png_grey8(columns: usize, rows: usize, grey: &[u8]) -> Result<Vec<u8>, PictureError> {
    check(columns, rows, grey.len())?;
    encode(columns, rows, png::BitDepth::Eight, grey)
}

/// A 16-bit grey PNG, rows from above.
///
/// # Errors
/// [`PictureError`].
pub fn png_grey16(columns: usize, rows: usize, grey: &[u16]) -> Result<Vec<u8>, PictureError> {
    check(columns, rows, grey.len())?;
    let bytes: Vec<u8> = grey.iter().flat_map(|v| v.to_be_bytes()).collect();
    encode(columns, rows, png::BitDepth::Sixteen, &bytes)
}

fn encode(columns: usize, rows: usize, depth: png::BitDepth, bytes: &[u8]) -> Result<Vec<u8>, PictureError> {
    let failed = |e: png::EncodingError| PictureError::Encode {
        format: "PNG",
        reason: e.to_string(),
    };
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, columns as u32, rows as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(depth);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(bytes).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_read_back() {
        let grey = [0u16, 1, 255, 256, 65535, 4660];
        let bytes = png_grey16(3, 2, &grey).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let read: Vec<u16> = pixels
            .chunks_exact(2)
            .map(|b| u16::from_be_bytes([b[0], b[1]]))
            .collect();
        assert_eq!(read, grey);
        assert!(png_grey8(3, 2, &[0; 5]).is_err());
        assert!(png_grey8(0, 2, &[]).is_err());
    }
}
