//! Reading and writing NIfTI-1.

use std::{
    fs::File,
    io::{self, BufReader, Read, Write},
    path::Path,
};

use flate2::{Compression, GzBuilder, bufread::MultiGzDecoder};
use neurotome_base::{Affine, Volume};

use super::{
    VolumeFileError,
    header::{Datatype, HEADER_BYTES, Header},
    whole_file::write_whole,
};

/// Bytes read and converted at a time; a multiple of every voxel size.
const CHUNK: usize = 1 << 20;
/// Padding that is tolerated after the voxels.
const TRAILING: u64 = 1 << 16;
/// Deflate cannot do better than this.
const MAX_RATIO: u64 = 1032;

/// An image with what the reader had to say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct NiftiImage {
    /// The values, scaled by slope and intercept, in LPS millimetres.
    pub volume: Volume<f32>,
    /// What the user should know, in plain words.
    pub notes: Vec<String>,
}

/// Reads a NIfTI-1 image: values scaled by slope and intercept, sform preferred to qform, RAS turned to LPS.
///
/// # Errors
/// [`VolumeFileError`].
pub fn read_nifti(path: &Path) -> Result<Volume<f32>, VolumeFileError> {
    read_nifti_image(path).map(|image| image.volume)
}

/// As [`read_nifti`], with notes.
///
/// # Errors
/// [`VolumeFileError`].
pub fn read_nifti_image(path: &Path) -> Result<NiftiImage, VolumeFileError> {
    let name = path.display().to_string();
    let (source, length) = open(path, &name)?;
    read_image(source, length, &name)
}

/// As [`read_nifti_image`], from the bytes of a file, plain or gzipped.
///
/// # Errors
/// [`VolumeFileError`].
pub fn read_nifti_bytes(bytes: &[u8]) -> Result<NiftiImage, VolumeFileError> {
    read_image(bytes, bytes.len() as u64, "(bytes)")
}

/// Reads a NIfTI-1 label map; values must be whole numbers from 0 to 65535.
///
/// # Errors
/// [`VolumeFileError`].
pub fn read_label_nifti(path: &Path) -> Result<Volume<u16>, VolumeFileError> {
    let name = path.display().to_string();
    let (source, length) = open(path, &name)?;
    read_labels(source, length, &name)
}

/// As [`read_label_nifti`], from the bytes of a file, plain or gzipped.
///
/// # Errors
/// [`VolumeFileError`].
pub fn read_label_nifti_bytes(bytes: &[u8]) -> Result<Volume<u16>, VolumeFileError> {
    read_labels(bytes, bytes.len() as u64, "(bytes)")
}

/// Writes values as 32-bit numbers; gzipped when the name ends with `.gz`. The file appears whole or not at all.
///
/// # Errors
/// [`VolumeFileError::Write`], or [`VolumeFileError::Header`] for a side over 32767 voxels.
pub fn write_nifti_f32(path: &Path, volume: &Volume<f32>) -> Result<(), VolumeFileError> {
    write(path, volume.dims(), volume.affine(), Datatype::F32, |out| {
        let mut buffer = Vec::with_capacity(CHUNK);
        for values in volume.data().chunks(CHUNK / 4) {
            buffer.clear();
            buffer.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            out.write_all(&buffer)?;
        }
        Ok(())
    })
}

/// Writes values as bytes; gzipped when the name ends with `.gz`. The file appears whole or not at all.
///
/// # Errors
/// [`VolumeFileError::Write`], or [`VolumeFileError::Header`] for a side over 32767 voxels.
pub fn write_nifti_u8(path: &Path, volume: &Volume<u8>) -> Result<(), VolumeFileError> {
    write(path, volume.dims(), volume.affine(), Datatype::U8, |out| {
        out.write_all(volume.data())
    })
}

/// Writes values as whole 16-bit numbers, rounded and cut off at their ends, such as Hounsfield units; gzipped when the name ends with `.gz`.
/// The file appears whole or not at all.
///
/// # Errors
/// [`VolumeFileError::Write`], or [`VolumeFileError::Header`] for a side over 32767 voxels.
pub fn write_nifti_i16(path: &Path, volume: &Volume<f32>) -> Result<(), VolumeFileError> {
    write(path, volume.dims(), volume.affine(), Datatype::I16, |out| {
        let mut buffer = Vec::with_capacity(CHUNK);
        for values in volume.data().chunks(CHUNK / 2) {
            buffer.clear();
            buffer.extend(values.iter().flat_map(|v| (v.round() as i16).to_le_bytes()));
            out.write_all(&buffer)?;
        }
        Ok(())
    })
}

fn write(
    path: &Path,
    dims: [usize; 3],
    affine: &Affine,
    datatype: Datatype,
    voxels: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), VolumeFileError> {
    let name = path.display().to_string();
    let header = Header::compose(dims, affine, datatype).ok_or_else(|| VolumeFileError::Header {
        file: name.clone(),
        field: "dim",
        found: format!("{dims:?}"),
        expected: "sides of at most 32767 voxels",
    })?;
    let gzipped = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    write_whole(path, |out| {
        if gzipped {
            // No name and no time in the gzip header: the same volume gives the same bytes.
            let mut gz = GzBuilder::new().mtime(0).write(out, Compression::new(5));
            gz.write_all(&header)?;
            voxels(&mut gz)?;
            gz.finish().map(|_| ())
        } else {
            out.write_all(&header)?;
            voxels(out)
        }
    })
    .map_err(|source| VolumeFileError::Write { file: name, source })
}

fn open(path: &Path, name: &str) -> Result<(File, u64), VolumeFileError> {
    let fail = |source| VolumeFileError::Read {
        file: name.to_owned(),
        source,
    };
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.is_dir() {
        return Err(VolumeFileError::NotNifti {
            file: name.to_owned(),
            found: "this is a folder".to_owned(),
            advice: "name the file itself; a DICOM folder is read by the DICOM reader",
        });
    }
    Ok((file, metadata.len()))
}

fn read_image(source: impl Read, length: u64, name: &str) -> Result<NiftiImage, VolumeFileError> {
    let mut data: Vec<f32> = Vec::new();
    let (mut bad, mut first_bad) = (0usize, 0usize);
    let header = read_voxels(source, length, name, |value| {
        let value = value as f32;
        if !value.is_finite() {
            if bad == 0 {
                first_bad = data.len();
            }
            bad += 1;
        }
        data.push(value);
    })?;
    if bad > 0 {
        return Err(VolumeFileError::NotFinite {
            file: name.to_owned(),
            count: bad,
            first: index_of(first_bad, header.dims),
        });
    }
    Ok(NiftiImage {
        volume: assemble(&header, data, name)?,
        notes: header.notes,
    })
}

fn read_labels(source: impl Read, length: u64, name: &str) -> Result<Volume<u16>, VolumeFileError> {
    let mut data: Vec<u16> = Vec::new();
    let mut bad = None;
    let header = read_voxels(source, length, name, |value| {
        // A scaled label may miss its whole number by rounding.
        let rounded = value.round();
        if !((value - rounded).abs() <= 1e-3 && (0.0..=65535.0).contains(&rounded)) && bad.is_none() {
            bad = Some((value, data.len()));
        }
        data.push(rounded as u16);
    })?;
    if let Some((value, at)) = bad {
        return Err(VolumeFileError::NotALabel {
            file: name.to_owned(),
            value,
            index: index_of(at, header.dims),
        });
    }
    assemble(&header, data, name)
}

fn assemble<T: Copy>(header: &Header, data: Vec<T>, name: &str) -> Result<Volume<T>, VolumeFileError> {
    Volume::new(header.dims, header.affine, data).map_err(|source| VolumeFileError::Volume {
        file: name.to_owned(),
        source,
    })
}

fn index_of(at: usize, [nx, ny, _]: [usize; 3]) -> [usize; 3] {
    [at % nx, at / nx % ny, at / (nx * ny)]
}

/// Hands every scaled value to `each`, in file order. Memory is taken only as data arrive, so a header cannot ask for more than
/// the file holds.
fn read_voxels(
    source: impl Read,
    length: u64,
    name: &str,
    mut each: impl FnMut(f64),
) -> Result<Header, VolumeFileError> {
    let fail = |source| VolumeFileError::Read {
        file: name.to_owned(),
        source,
    };
    let mut raw = BufReader::with_capacity(1 << 16, source);
    let gzipped = {
        let start = io::BufRead::fill_buf(&mut raw).map_err(fail)?;
        start.starts_with(&[0x1f, 0x8b])
    };
    let mut input: Box<dyn Read + '_> = if gzipped {
        Box::new(MultiGzDecoder::new(raw))
    } else {
        Box::new(raw)
    };
    let mut bytes = [0u8; HEADER_BYTES];
    let got = fill(&mut input, &mut bytes).map_err(fail)?;
    if got < HEADER_BYTES {
        return Err(VolumeFileError::NotNifti {
            file: name.to_owned(),
            found: format!("the file holds {got} bytes, fewer than a NIfTI header"),
            advice: "copy the file again",
        });
    }
    let header = Header::parse(&bytes, name)?;
    let size = header.datatype.bytes();
    let expected = header.dims.iter().product::<usize>() as u64 * size as u64;
    let skip = header.voxel_offset as u64;
    // A file this short cannot hold the voxels promised, however well it is packed.
    let most = if gzipped {
        length.saturating_mul(MAX_RATIO)
    } else {
        length
    };
    if most < expected {
        return Err(VolumeFileError::Truncated {
            file: name.to_owned(),
            found: if gzipped { 0 } else { length.saturating_sub(skip) },
            expected,
        });
    }
    io::copy(&mut input.by_ref().take(skip - HEADER_BYTES as u64), &mut io::sink()).map_err(fail)?;
    let truncated = |found| VolumeFileError::Truncated {
        file: name.to_owned(),
        found,
        expected,
    };
    let mut buffer = vec![0u8; CHUNK.min(expected as usize)];
    let mut done = 0u64;
    while done < expected {
        let want = (expected - done).min(buffer.len() as u64) as usize;
        let got = match fill(&mut input, &mut buffer[..want]) {
            Ok(got) => got,
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Err(truncated(done)),
            Err(e) => return Err(fail(e)),
        };
        if got < want {
            return Err(truncated(done + got as u64));
        }
        decode(&header, &mut buffer[..want], &mut each);
        done += want as u64;
    }
    // Read on to the end: this also makes gzip check its sum.
    let after = match io::copy(&mut input.take(TRAILING + 1), &mut io::sink()) {
        Ok(after) => after,
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Err(truncated(done)),
        Err(e) => return Err(fail(e)),
    };
    if after > TRAILING {
        return Err(VolumeFileError::TooLong {
            file: name.to_owned(),
            expected,
            allowed: TRAILING,
        });
    }
    Ok(header)
}

/// Reads until `buffer` is full or the input ends.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match input.read(&mut buffer[got..]) {
            Ok(0) => break,
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(got)
}

fn decode(header: &Header, bytes: &mut [u8], each: &mut impl FnMut(f64)) {
    let size = header.datatype.bytes();
    if header.big_endian && size > 1 {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    let (slope, intercept) = header.scaling.unwrap_or((1.0, 0.0));
    macro_rules! values {
        ($type:ty) => {{
            for chunk in bytes.chunks_exact(size_of::<$type>()) {
                let mut word = [0u8; size_of::<$type>()];
                word.copy_from_slice(chunk);
                each(<$type>::from_le_bytes(word) as f64 * slope + intercept);
            }
        }};
    }
    match header.datatype {
        Datatype::U8 => values!(u8),
        Datatype::I8 => values!(i8),
        Datatype::I16 => values!(i16),
        Datatype::U16 => values!(u16),
        Datatype::I32 => values!(i32),
        Datatype::U32 => values!(u32),
        Datatype::I64 => values!(i64),
        Datatype::U64 => values!(u64),
        Datatype::F32 => values!(f32),
        Datatype::F64 => values!(f64),
    }
}
