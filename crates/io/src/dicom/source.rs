//! The files of a series: a folder with its subfolders, or a zip as it is (read in memory, never unpacked to disk).

use std::{
    fs::{self, File},
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

use zip::ZipArchive;

use super::{DicomError, FileProblem};

/// Most files looked at.
const MAX_FILES: usize = 20_000;
/// Largest file that can be a slice.
pub(super) const MAX_FILE_BYTES: u64 = 64 << 20;
/// Largest zip.
const MAX_ZIP_BYTES: u64 = 4 << 30;
/// Most that a zip may unpack to.
const MAX_TOTAL_BYTES: u64 = 8 << 30;
/// Compression of one file beyond which a zip is suspect: CT packs 2 to 5 times, slices of mere air some hundred times.
const MAX_RATIO: u64 = 400;
/// Files smaller than this may be packed as tightly as they like.
const RATIO_FREE_BYTES: u64 = 4 << 20;
/// Compression of the whole zip beyond which it is suspect.
const MAX_TOTAL_RATIO: u64 = 100;
const RATIO_FREE_TOTAL_BYTES: u64 = 256 << 20;
/// Deepest folder.
const MAX_FOLDER_DEPTH: usize = 16;

pub(super) enum Source<'a> {
    Folder(Vec<PathBuf>),
    Zip {
        archive: Box<ZipArchive<Cursor<&'a [u8]>>>,
        /// Indices of the files in the archive, in order of name.
        order: Vec<usize>,
    },
}

/// What a path leads to, by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathKind {
    Folder,
    Zip,
    SingleDicom,
    Other,
}

pub(super) fn path_kind(path: &Path) -> Result<PathKind, DicomError> {
    let io = |source| DicomError::Io { source };
    if fs::metadata(path).map_err(io)?.is_dir() {
        return Ok(PathKind::Folder);
    }
    let mut start = Vec::new();
    File::open(path)
        .map_err(io)?
        .take(132)
        .read_to_end(&mut start)
        .map_err(io)?;
    Ok(if start.starts_with(b"PK") {
        PathKind::Zip
    } else if start.get(128..132) == Some(b"DICM") {
        PathKind::SingleDicom
    } else {
        PathKind::Other
    })
}

/// The bytes of a zip file.
pub(super) fn zip_bytes(path: &Path) -> Result<Vec<u8>, DicomError> {
    let io = |source| DicomError::Io { source };
    let found = fs::metadata(path).map_err(io)?.len();
    if found > MAX_ZIP_BYTES {
        return Err(DicomError::TooLarge {
            what: "the size of the zip in bytes",
            found,
            limit: MAX_ZIP_BYTES,
        });
    }
    fs::read(path).map_err(io)
}

impl<'a> Source<'a> {
    pub(super) fn folder(path: &Path) -> Result<Self, DicomError> {
        let mut files = Vec::new();
        collect(path, 0, &mut files)?;
        files.sort();
        Ok(Self::Folder(files))
    }

    pub(super) fn zip(bytes: &'a [u8]) -> Result<Self, DicomError> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| DicomError::Zip {
            reason: "its directory is missing or corrupt",
        })?;
        let bomb = |what, found, limit| Err(DicomError::ZipBomb { what, found, limit });
        if archive.len() > MAX_FILES {
            return bomb("the number of files", archive.len() as u64, MAX_FILES as u64);
        }
        let mut names = Vec::new();
        let mut total = 0u64;
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(|_| DicomError::Zip {
                reason: "an entry is corrupt",
            })?;
            if entry.is_dir() {
                continue;
            }
            if entry.encrypted() {
                return Err(DicomError::Zip {
                    reason: "it is encrypted",
                });
            }
            let (size, packed) = (entry.size(), entry.compressed_size());
            total = total.saturating_add(size);
            if size > RATIO_FREE_BYTES && size / packed.max(1) > MAX_RATIO {
                return bomb("the compression ratio of a file", size / packed.max(1), MAX_RATIO);
            }
            names.push((entry.name_raw().to_vec(), index));
        }
        if total > MAX_TOTAL_BYTES {
            return bomb("the unpacked size in bytes", total, MAX_TOTAL_BYTES);
        }
        let ratio = total / (bytes.len() as u64).max(1);
        if total > RATIO_FREE_TOTAL_BYTES && ratio > MAX_TOTAL_RATIO {
            return bomb("the compression ratio", ratio, MAX_TOTAL_RATIO);
        }
        names.sort();
        Ok(Self::Zip {
            archive: Box::new(archive),
            order: names.into_iter().map(|(_, index)| index).collect(),
        })
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Folder(files) => files.len(),
            Self::Zip { order, .. } => order.len(),
        }
    }

    /// The first `most` bytes of a file, and whether that is all of it.
    pub(super) fn read(&self, index: usize, most: u64) -> Result<(Vec<u8>, bool), FileProblem> {
        let most = most.min(MAX_FILE_BYTES);
        let mut bytes = Vec::new();
        let read = |source: &mut dyn Read, bytes: &mut Vec<u8>| {
            source
                .take(most + 1)
                .read_to_end(bytes)
                .map_err(|_| FileProblem::Unreadable)
        };
        match self {
            Self::Folder(files) => {
                let mut file = File::open(&files[index]).map_err(|_| FileProblem::Unreadable)?;
                read(&mut file, &mut bytes)?;
            }
            Self::Zip { archive, order } => {
                // Cheap: the directory is shared, only the cursor is copied.
                let mut archive = archive.clone();
                let mut entry = archive.by_index(order[index]).map_err(|_| FileProblem::Unreadable)?;
                // The limits were checked on the sizes stated, so an entry may not be longer than it says.
                let stated = entry.size();
                read(&mut (&mut entry).take(stated.saturating_add(1)), &mut bytes)?;
                if bytes.len() as u64 > stated {
                    return Err(FileProblem::Unreadable);
                }
            }
        }
        let whole = bytes.len() as u64 <= most;
        bytes.truncate(most as usize);
        Ok((bytes, whole))
    }

    /// A whole file.
    pub(super) fn read_whole(&self, index: usize) -> Result<Vec<u8>, FileProblem> {
        let (bytes, whole) = self.read(index, MAX_FILE_BYTES)?;
        if whole {
            Ok(bytes)
        } else {
            Err(FileProblem::TooLarge { limit: MAX_FILE_BYTES })
        }
    }
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DicomError> {
    let io = |source| DicomError::Io { source };
    if depth > MAX_FOLDER_DEPTH {
        return Err(DicomError::TooLarge {
            what: "the depth of folders",
            found: depth as u64,
            limit: MAX_FOLDER_DEPTH as u64,
        });
    }
    for entry in fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        let kind = entry.file_type().map_err(io)?;
        // Links to folders are not followed: they can go round in circles.
        if kind.is_dir() {
            collect(&entry.path(), depth + 1, files)?;
        } else if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) {
            files.push(entry.path());
        }
        if files.len() > MAX_FILES {
            return Err(DicomError::TooLarge {
                what: "the number of files",
                found: files.len() as u64,
                limit: MAX_FILES as u64,
            });
        }
    }
    Ok(())
}
