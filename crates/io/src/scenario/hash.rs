//! Fingerprints of input files.

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::catalog::hex;

/// Most files of an image folder.
const MAX_FILES: usize = 100_000;

/// SHA-256 of a file; of a folder, over the names and hashes of the files directly in it, in name order.
pub(super) fn sha256_of(path: &Path) -> Result<String, String> {
    let meta = fs::metadata(path).map_err(|e| e.to_string())?;
    if !meta.is_dir() {
        return file_hash(path);
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(|e| e.to_string())? {
        let entry = entry.map_err(|e| e.to_string())?;
        if entry.path().is_file() {
            names.push(entry.file_name());
        }
        if names.len() > MAX_FILES {
            return Err(format!("more than {MAX_FILES} files"));
        }
    }
    names.sort();
    let mut all = Sha256::new();
    for name in names {
        all.update(name.to_string_lossy().as_bytes());
        all.update([0]);
        all.update(file_hash(&path.join(&name))?.as_bytes());
    }
    Ok(hex(&all.finalize()))
}

fn file_hash(path: &Path) -> Result<String, String> {
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(n) => hasher.update(&block[..n]),
            Err(e) => return Err(e.to_string()),
        }
    }
}
