//! From a path to a volume.

use std::path::Path;

use neurotome_base::{PatientBox, Volume};
use rayon::prelude::*;

use super::{
    CtError, CtSlice, DicomError, FileProblem,
    series::{self, Stack},
    sieve::{DataSet, is_dicom},
    slice::{self, Header},
    source::{PathKind, Source, path_kind, zip_bytes},
};
use crate::volumes;

/// Bytes read of a file to see whether it is DICOM at all.
const START_BYTES: u64 = 4096;

/// A CT image in Hounsfield units.
#[derive(Debug, Clone, PartialEq)]
pub struct CtImage {
    /// Hounsfield units in LPS millimetres.
    pub hu: Volume<f32>,
    /// What the user should know, in plain words; no identifiers.
    pub notes: Vec<String>,
    /// Tube voltage in kV, when stated.
    pub kvp: Option<f64>,
    /// Thickness of a slice in mm (slices may overlap: it can be more than their distance), when stated.
    pub slice_thickness_mm: Option<f64>,
}

/// What to read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CtOptions {
    /// SeriesInstanceUID, when the folder or zip holds more than one CT series.
    pub series: Option<String>,
    /// The part of the image wanted; all of it when none.
    pub crop: Option<PatientBox>,
}

/// Reads a CT image by what the path holds: a folder or zip is a DICOM series, anything else must be a NIfTI file.
///
/// # Errors
/// [`CtError`].
pub fn read_ct(path: &Path) -> Result<CtImage, CtError> {
    read_ct_with(path, &CtOptions::default())
}

/// As [`read_ct`], with options.
///
/// # Errors
/// [`CtError`].
pub fn read_ct_with(path: &Path, options: &CtOptions) -> Result<CtImage, CtError> {
    if path_kind(path)? != PathKind::Other {
        return Ok(read_ct_series_with(path, options)?);
    }
    let image = volumes::read_nifti_image(path)?;
    let hu = match &options.crop {
        Some(part) => image.volume.crop(part)?,
        None => image.volume,
    };
    Ok(CtImage {
        hu,
        notes: image.notes,
        kvp: None,
        slice_thickness_mm: None,
    })
}

/// Reads the one CT series of a folder (with its subfolders) or of a zip.
///
/// # Errors
/// [`DicomError`].
pub fn read_ct_series(path: &Path) -> Result<CtImage, DicomError> {
    read_ct_series_with(path, &CtOptions::default())
}

/// As [`read_ct_series`], with options.
///
/// # Errors
/// [`DicomError`].
pub fn read_ct_series_with(path: &Path, options: &CtOptions) -> Result<CtImage, DicomError> {
    let not_a_series = |found| Err(DicomError::NotASeries { found });
    match path_kind(path)? {
        PathKind::Folder => read_source(&Source::folder(path)?, options),
        PathKind::Zip => read_ct_series_zip_bytes(&zip_bytes(path)?, options),
        PathKind::SingleDicom => not_a_series("a single DICOM file"),
        PathKind::Other => not_a_series("a file of another kind"),
    }
}

/// As [`read_ct_series_with`], from the bytes of a zip.
///
/// # Errors
/// [`DicomError`].
pub fn read_ct_series_zip_bytes(bytes: &[u8], options: &CtOptions) -> Result<CtImage, DicomError> {
    read_source(&Source::zip(bytes)?, options)
}

/// Decodes one CT slice from the bytes of its file.
///
/// # Errors
/// [`FileProblem`].
pub fn read_dicom_slice_bytes(bytes: &[u8]) -> Result<CtSlice, FileProblem> {
    let set = DataSet::open(bytes)?;
    let header = slice::header(&set)?.ok_or(FileProblem::NoImage)?.slice?;
    let (rows, columns) = (header.format.rows, header.format.columns);
    let mut hu = vec![0.0; rows * columns];
    slice::decode_part(&set, &header, &(0..columns), &(0..rows), &mut hu)?;
    Ok(CtSlice { rows, columns, hu })
}

/// What one file turned out to be.
enum Kind {
    Other,
    DicomWithoutImage,
    Image(Box<Header>),
}

fn look_at(source: &Source, index: usize) -> Result<Kind, FileProblem> {
    let judge = |bytes: &[u8]| {
        if !is_dicom(bytes) {
            return Ok(Kind::Other);
        }
        let set = DataSet::open(bytes)?;
        Ok(slice::header(&set)?.map_or(Kind::DicomWithoutImage, |h| Kind::Image(Box::new(h))))
    };
    let (start, whole) = source.read(index, START_BYTES)?;
    if whole || !is_dicom(&start) {
        return judge(&start);
    }
    let all = source.read_whole(index)?;
    judge(&all)
}

fn read_source(source: &Source, options: &CtOptions) -> Result<CtImage, DicomError> {
    let files = source.len();
    let at = |index: usize, problem| DicomError::File {
        ordinal: index + 1,
        files,
        problem,
    };
    // Collected in order, so that the first bad file in order of name is the one reported, whatever the number of threads.
    let kinds: Vec<Result<Kind, FileProblem>> = (0..files).into_par_iter().map(|i| look_at(source, i)).collect();
    let (mut headers, mut others, mut without) = (Vec::new(), 0usize, 0usize);
    for (index, kind) in kinds.into_iter().enumerate() {
        match kind.map_err(|problem| at(index, problem))? {
            Kind::Other => others += 1,
            Kind::DicomWithoutImage => without += 1,
            Kind::Image(header) => headers.push((index, *header)),
        }
    }
    let mut notes = Vec::new();
    if others > 0 {
        notes.push(format!("{others} file(s) that are not DICOM left out"));
    }
    if without > 0 {
        notes.push(format!("{without} DICOM file(s) without an image left out"));
    }
    let members = series::choose(headers, options.series.as_deref(), files, &mut notes)?;
    let stack = series::stack(members, files, &mut notes)?;
    read_stack(source, &stack, options, notes)
}

fn read_stack(
    source: &Source,
    stack: &Stack,
    options: &CtOptions,
    mut notes: Vec<String>,
) -> Result<CtImage, DicomError> {
    let [columns, rows, slices] = match &options.crop {
        Some(part) => part.index_ranges(stack.dims, &stack.affine)?,
        None => stack.dims.map(|n| 0..n),
    };
    let dims = [columns.len(), rows.len(), slices.len()];
    let mut data = vec![0f32; Volume::<f32>::checked_len(dims)?];
    let results: Vec<Result<usize, FileProblem>> = data
        .par_chunks_mut(dims[0] * dims[1])
        .zip(&stack.members[slices.clone()])
        .map(|(out, member)| {
            let bytes = source.read_whole(member.file)?;
            let set = DataSet::open(&bytes)?;
            slice::decode_part(&set, &member.slice, &columns, &rows, out)
        })
        .collect();
    let mut padded = 0;
    for (result, member) in results.into_iter().zip(&stack.members[slices.clone()]) {
        padded += result.map_err(|problem| DicomError::File {
            ordinal: member.file + 1,
            files: source.len(),
            problem,
        })?;
    }
    if padded > 0 {
        notes.push(format!(
            "{padded} voxel(s) outside the field of view (pixel padding) set to {} HU",
            slice::AIR_HU
        ));
    }
    let first = &stack.members[0].slice;
    if first.hounsfield_stated == Some(false) {
        notes.push("RescaleType is not HU; the values were taken as Hounsfield units all the same".to_owned());
    }
    let affine = stack.affine.shifted([columns.start, rows.start, slices.start])?;
    Ok(CtImage {
        hu: Volume::new(dims, affine, data)?,
        notes,
        kvp: first.kvp,
        slice_thickness_mm: first.thickness_mm,
    })
}
