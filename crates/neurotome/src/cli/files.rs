//! Files that appear whole or not at all.

use std::{fs, io, io::Write as _, path::Path};

use super::Failure;

/// Writes beside the target and renames, so that nobody ever sees half a file.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failure = |e: io::Error| {
        Failure::Input(format!(
            "cannot write {}: {e}; nothing was left behind; give a path in a folder that exists and can be written",
            path.display()
        ))
    };
    let name = path
        .file_name()
        .ok_or_else(|| failure(io::Error::other("the path ends in no file name")))?;
    let mut unfinished = std::ffi::OsString::from(".");
    unfinished.push(name);
    unfinished.push(format!(".unfinished-{}", std::process::id()));
    let work = path.with_file_name(unfinished);
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(&work)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&work, path)
    };
    write().map_err(|e| {
        let _ = fs::remove_file(&work);
        failure(e)
    })
}
