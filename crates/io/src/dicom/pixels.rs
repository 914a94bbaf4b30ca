//! Stored bytes of one slice: native, encapsulated, run-length encoded or JPEG.
//!
//! Run-length decoding is written here (PS3.5 annex G is one page) because the decoder of the DICOM library takes the length of
//! a segment on trust; JPEG goes through `jpeg-decoder` with the size checked before and after.

use std::borrow::Cow;

use super::{
    FileProblem,
    sieve::{Codec, PixelBytes},
};

/// How the samples of one slice are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PixelFormat {
    pub rows: usize,
    pub columns: usize,
    pub bits_allocated: u32,
    pub bits_stored: u32,
    pub high_bit: u32,
    pub signed: bool,
    pub big_endian: bool,
    pub codec: Codec,
}

impl PixelFormat {
    pub(super) fn sample_bytes(&self) -> usize {
        self.bits_allocated as usize / 8
    }

    /// Bytes of the whole slice.
    pub(super) fn bytes(&self) -> usize {
        self.rows * self.columns * self.sample_bytes()
    }

    /// The value in a word: the stored bits alone, with their sign. Bits outside them may hold anything (old overlays).
    pub(super) fn stored_value(&self, word: u16) -> i64 {
        let low = self.high_bit + 1 - self.bits_stored;
        let bits = i64::from(word >> low) & ((1i64 << self.bits_stored) - 1);
        if self.signed && bits >> (self.bits_stored - 1) & 1 == 1 {
            bits - (1i64 << self.bits_stored)
        } else {
            bits
        }
    }
}

/// Checks that so few bytes can be the slice that the header promises.
pub(super) fn can_hold(pixels: &PixelBytes, format: &PixelFormat) -> Result<(), FileProblem> {
    // Runs pack 128 bytes into 2; JPEG a block of 64 samples into two bits.
    let most = match format.codec {
        _ if !pixels.encapsulated => 1,
        Codec::Rle => 64,
        Codec::Jpeg => 512,
        Codec::Native | Codec::EncapsulatedNative => 1,
    };
    if pixels.bytes.len().saturating_mul(most) < format.bytes() {
        return Err(FileProblem::ShortPixels {
            found: pixels.bytes.len(),
            expected: format.bytes(),
        });
    }
    Ok(())
}

/// The samples of a slice as they would stand in native form.
pub(super) fn stored_bytes<'a>(pixels: &PixelBytes<'a>, format: &PixelFormat) -> Result<Cow<'a, [u8]>, FileProblem> {
    let expected = format.bytes();
    if format.codec == Codec::Native && !pixels.encapsulated {
        return pixels
            .bytes
            .get(..expected)
            .map(Cow::Borrowed)
            .ok_or(FileProblem::ShortPixels {
                found: pixels.bytes.len(),
                expected,
            });
    }
    if !pixels.encapsulated {
        return Err(FileProblem::Decode { codec: "encapsulated" });
    }
    let frame = fragments(pixels.bytes)?;
    match format.codec {
        Codec::Rle => run_length(&frame, format).map(Cow::Owned),
        Codec::Jpeg => jpeg(&frame, format).map(Cow::Owned),
        Codec::Native | Codec::EncapsulatedNative => {
            if frame.len() < expected {
                return Err(FileProblem::ShortPixels {
                    found: frame.len(),
                    expected,
                });
            }
            Ok(Cow::Owned(frame))
        }
    }
}

/// All fragments after the offset table, joined: one slice is one frame.
fn fragments(bytes: &[u8]) -> Result<Vec<u8>, FileProblem> {
    let mut frame = Vec::new();
    let mut rest = bytes;
    let mut first = true;
    loop {
        let Some((head, after)) = rest.split_first_chunk::<8>() else {
            return Err(FileProblem::Truncated);
        };
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        match [head[0], head[1], head[2], head[3]] {
            [0xFE, 0xFF, 0xDD, 0xE0] => return Ok(frame),
            [0xFE, 0xFF, 0x00, 0xE0] => {
                let value = after.get(..length).ok_or(FileProblem::Truncated)?;
                if !first {
                    frame.extend_from_slice(value);
                }
                first = false;
                rest = &after[length..];
            }
            _ => return Err(FileProblem::Truncated),
        }
    }
}

/// RLE Lossless: one segment a byte of the sample, most significant first, each packed by runs.
fn run_length(frame: &[u8], format: &PixelFormat) -> Result<Vec<u8>, FileProblem> {
    let bad = FileProblem::Decode { codec: "RLE" };
    let size = format.sample_bytes();
    let word = |i: usize| -> Option<usize> {
        let b = frame.get(4 * i..4 * i + 4)?;
        Some(u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
    };
    if word(0) != Some(size) {
        return Err(bad);
    }
    let pixels = format.rows * format.columns;
    let mut out = vec![0u8; pixels * size];
    for segment in 0..size {
        let start = word(segment + 1).ok_or_else(|| bad.clone())?;
        let end = if segment + 1 < size {
            word(segment + 2).ok_or_else(|| bad.clone())?
        } else {
            frame.len()
        };
        let packed = frame.get(start..end).ok_or_else(|| bad.clone())?;
        let byte = size - 1 - segment;
        if unpack_bits(packed, out.iter_mut().skip(byte).step_by(size)) < pixels {
            return Err(bad);
        }
    }
    Ok(out)
}

/// Unpacks runs until either side ends; the answer is the number of bytes written.
fn unpack_bits<'a>(packed: &[u8], mut out: impl Iterator<Item = &'a mut u8>) -> usize {
    let mut written = 0;
    let mut put = |byte: u8| -> bool {
        out.next().is_some_and(|slot| {
            *slot = byte;
            written += 1;
            true
        })
    };
    let mut rest = packed;
    while let Some((&code, after)) = rest.split_first() {
        rest = after;
        match code {
            0..=127 => {
                let (literal, after) = rest.split_at((usize::from(code) + 1).min(rest.len()));
                rest = after;
                if !literal.iter().all(|&b| put(b)) {
                    break;
                }
            }
            129..=255 => {
                let Some((&byte, after)) = rest.split_first() else {
                    break;
                };
                rest = after;
                if !(0..257 - usize::from(code)).all(|_| put(byte)) {
                    break;
                }
            }
            128 => {}
        }
    }
    written
}

fn jpeg(frame: &[u8], format: &PixelFormat) -> Result<Vec<u8>, FileProblem> {
    use jpeg_decoder::{Decoder, PixelFormat as Stored};
    let bad = || FileProblem::Decode { codec: "JPEG" };
    let mut decoder = Decoder::new(frame);
    decoder.set_max_decoding_buffer_size(2 * format.rows * format.columns);
    decoder.read_info().map_err(|_| bad())?;
    let info = decoder.info().ok_or_else(bad)?;
    if usize::from(info.width) != format.columns || usize::from(info.height) != format.rows {
        return Err(bad());
    }
    let data = decoder.decode().map_err(|_| bad())?;
    let pixels = format.rows * format.columns;
    match (info.pixel_format, format.bits_allocated) {
        (Stored::L8, 8) if data.len() == pixels => Ok(data),
        // A slice of few bits may be allocated more.
        (Stored::L8, 16) if data.len() == pixels => Ok(data.iter().flat_map(|&b| [b, 0]).collect()),
        // The decoder answers in the order of the machine.
        (Stored::L16, 16) if data.len() == 2 * pixels => Ok(data
            .chunks_exact(2)
            .flat_map(|b| u16::from_ne_bytes([b[0], b[1]]).to_le_bytes())
            .collect()),
        _ => Err(bad()),
    }
}
