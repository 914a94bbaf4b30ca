//! A results folder that appears whole or not at all.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::ResultsError;

/// The list of a folder's files; marks a folder as written by Neurotome.
pub(crate) const CONTENTS: &str = "contents.txt";
/// The record; a folder without it is not a result.
pub(crate) const RECORD: &str = "record.json";
/// The plan; a folder without it is no plan.
pub(crate) const PLAN: &str = "plan.json";
/// The built-in patient; a folder without it is no patient's.
pub(crate) const SPINE: &str = "spine.json";
/// Files of which each folder holds one: without it, it is none of ours.
const NAMING: [&str; 10] = [
    RECORD,
    PLAN,
    SPINE,
    "fibre.json",
    "stimulation.json",
    "inject.json",
    "outcome.json",
    "session.jsonl",
    "debrief.json",
    "faults.json",
];
/// First words of [`CONTENTS`].
const CONTENTS_TITLE: &str = "Neurotome results";

/// Says what went wrong with a file or folder, and what to do.
pub(crate) fn write_error(path: &Path, source: io::Error) -> ResultsError {
    let advice = match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: free some space or choose another folder"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "the folder may not be written: choose another one or change its permissions"
        }
        io::ErrorKind::NotFound => "the folder above it does not exist: create it or correct the path",
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a file is in the way: choose another name or remove it"
        }
        _ => "choose another folder or disk",
    };
    ResultsError::Write {
        path: path.to_path_buf(),
        source,
        advice,
    }
}

/// Writes one file; a full disk shows here and not later.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ResultsError> {
    let write = || -> io::Result<()> {
        let mut file = fs::File::create(path)?;
        file.write_all(bytes)?;
        file.flush()
    };
    write().map_err(|e| write_error(path, e))
}

/// A folder in the making, beside its final place; removed unless [`Staging::publish`] succeeds.
pub(crate) struct Staging {
    target: PathBuf,
    work: PathBuf,
    replaces: bool,
    done: bool,
}

impl Staging {
    /// Checks that `target` may be written and makes the working folder beside it.
    pub fn begin(target: &Path) -> Result<Self, ResultsError> {
        let name = target.file_name().ok_or_else(|| ResultsError::Occupied {
            folder: target.to_path_buf(),
            found: "a path that ends in no name".to_owned(),
        })?;
        let replaces = check_target(target)?;
        let mut work_name = std::ffi::OsString::from(".");
        work_name.push(name);
        work_name.push(format!(".unfinished-{}", std::process::id()));
        let work = target.with_file_name(work_name);
        if let Some(parent) = target.parent().filter(|p| !p.as_os_str().is_empty()) {
            fs::create_dir_all(parent).map_err(|e| write_error(parent, e))?;
        }
        fs::create_dir(&work).map_err(|e| write_error(target, e))?;
        Ok(Self {
            target: target.to_path_buf(),
            work,
            replaces,
            done: false,
        })
    }

    /// The place of a file while the folder is in the making.
    pub fn path(&self, name: &str) -> PathBuf {
        self.work.join(name)
    }

    /// Writes the list of files and moves the folder to its place.
    ///
    /// A former result is moved aside first and comes back when the new one cannot take its place.
    pub fn publish(mut self, contents: &BTreeMap<String, String>) -> Result<Vec<PathBuf>, ResultsError> {
        let mut list = format!(
            "{CONTENTS_TITLE}: the files of this folder. Research and teaching software, not a medical device.\n"
        );
        for (name, what) in contents {
            let _ = writeln!(list, "{name}\t{what}");
        }
        write_file(&self.path(CONTENTS), list.as_bytes())?;
        let former = self.work.with_extension(format!("former-{}", std::process::id()));
        if self.replaces {
            fs::rename(&self.target, &former).map_err(|e| write_error(&self.target, e))?;
        }
        if let Err(e) = fs::rename(&self.work, &self.target) {
            if self.replaces {
                // Nothing better can be done when this fails too: the error below names the folder.
                let _ = fs::rename(&former, &self.target);
            }
            return Err(write_error(&self.target, e));
        }
        self.done = true;
        if self.replaces {
            // The new result stands; what is left of the former one is only in the way.
            let _ = fs::remove_dir_all(&former);
        }
        let names = contents.keys().map(String::as_str).chain([CONTENTS]);
        Ok(names.map(|n| self.target.join(n)).collect())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.done {
            let _ = fs::remove_dir_all(&self.work);
        }
    }
}

/// Writes files to a folder, whole or not at all; one that names what the folder holds, such as `plan.json`, must be among them.
///
/// # Errors
/// [`ResultsError`]; nothing is left behind.
pub fn write_files(folder: &Path, made: &[super::ExtraFile]) -> Result<Vec<PathBuf>, ResultsError> {
    let staging = Staging::begin(folder)?;
    let mut contents = BTreeMap::new();
    for file in made {
        write_file(&staging.path(&file.name), &file.bytes)?;
        contents.insert(file.name.clone(), file.caption.clone());
    }
    staging.publish(&contents)
}

/// True when `target` holds a former result, false when nothing is there; an error when something else would be lost. Ask before
/// a long run, so that it is not computed in vain.
///
/// # Errors
/// [`ResultsError::Occupied`], or [`ResultsError::Write`] when the folder cannot be read.
pub fn check_target(target: &Path) -> Result<bool, ResultsError> {
    let occupied = |found: String| ResultsError::Occupied {
        folder: target.to_path_buf(),
        found,
    };
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => return Err(occupied("a file".to_owned())),
        Err(e) => return Err(write_error(target, e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| write_error(target, e))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    if names.is_empty() {
        return Ok(true);
    }
    let list = fs::read_to_string(target.join(CONTENTS)).unwrap_or_default();
    if !names.iter().any(|n| NAMING.contains(&n.as_str())) || !list.starts_with(CONTENTS_TITLE) {
        return Err(occupied(format!(
            "`{}`, and none of {} of an earlier run",
            names[0],
            NAMING.join(", ")
        )));
    }
    let listed: Vec<&str> = list.lines().skip(1).filter_map(|l| l.split('\t').next()).collect();
    let foreign = names.iter().find(|n| *n != CONTENTS && !listed.contains(&n.as_str()));
    match foreign {
        Some(name) => Err(occupied(format!("`{name}`, which Neurotome did not write"))),
        None => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("neurotome-folder-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        path
    }

    fn write_one(target: &Path, text: &str) -> Result<Vec<PathBuf>, ResultsError> {
        let staging = Staging::begin(target)?;
        write_file(&staging.path(RECORD), text.as_bytes())?;
        staging.publish(&BTreeMap::from([(RECORD.to_owned(), "what was asked".to_owned())]))
    }

    #[test]
    fn a_former_result_is_replaced_and_nothing_else_is() {
        let base = scratch("replace");
        let target = base.join("run");
        write_one(&target, "one").unwrap();
        write_one(&target, "two").unwrap();
        assert_eq!(fs::read_to_string(target.join(RECORD)).unwrap(), "two");
        assert_eq!(
            fs::read_dir(&base).unwrap().count(),
            1,
            "nothing is left beside the result"
        );

        fs::write(target.join("notes.txt"), "mine").unwrap();
        let error = write_one(&target, "three").unwrap_err().to_string();
        assert!(error.contains("notes.txt"), "{error}");
        assert_eq!(fs::read_to_string(target.join(RECORD)).unwrap(), "two");

        let other = base.join("other");
        fs::create_dir(&other).unwrap();
        write_one(&other, "into an empty folder").unwrap();
        let foreign = base.join("foreign");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("record.json"), "{}").unwrap();
        assert!(matches!(write_one(&foreign, "x"), Err(ResultsError::Occupied { .. })));
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn an_unfinished_folder_leaves_nothing() {
        let base = scratch("unfinished");
        let staging = Staging::begin(&base.join("run")).unwrap();
        write_file(&staging.path("a"), b"a").unwrap();
        drop(staging);
        assert_eq!(fs::read_dir(&base).unwrap().count(), 0);
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn a_place_below_a_file_gives_one_clear_error() {
        let base = scratch("blocked");
        fs::write(base.join("file"), "x").unwrap();
        let error = write_one(&base.join("file").join("run"), "x").unwrap_err().to_string();
        assert!(
            error.contains("a file is in the way") || error.contains("a file"),
            "{error}"
        );
        let error = write_one(&base.join("file"), "x").unwrap_err();
        assert!(matches!(error, ResultsError::Occupied { .. }), "{error}");
        assert_eq!(fs::read_to_string(base.join("file")).unwrap(), "x");
        fs::remove_dir_all(&base).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_without_permission_gives_one_clear_error() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = scratch("permission");
        fs::set_permissions(&base, fs::Permissions::from_mode(0o555)).unwrap();
        let privileged = fs::write(base.join("probe"), "x").is_ok();
        if privileged {
            // The administrator may write anywhere; a place that nobody may write is /proc.
            let error = write_one(Path::new("/proc/neurotome-results"), "x").unwrap_err();
            assert!(matches!(error, ResultsError::Write { .. }), "{error}");
        } else {
            let error = write_one(&base.join("run"), "x").unwrap_err().to_string();
            assert!(error.contains("may not be written"), "{error}");
        }
        fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_dir_all(&base).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_gives_one_clear_error() {
        let full = Path::new("/dev/full");
        if full.exists() {
            let error = write_file(full, b"x").unwrap_err().to_string();
            assert!(error.contains("disk is full") && error.contains("/dev/full"), "{error}");
        }
        let mapped = write_error(Path::new("a"), io::Error::from(io::ErrorKind::StorageFull)).to_string();
        assert!(mapped.contains("free some space"), "{mapped}");
    }
}
