//! The log of a session: lines of JSON, appended and never changed, each chained to the one before by its SHA-256.
//!
//! The first line says what is treated: program, scenario, catalogue, input images. Each further line is `{"sha256": …, "entry": …}`; the hash is
//! that of the former line's hash and the entry's bytes, so that no line can be changed, left out or put in without all later ones telling.
//! A line counts when it is whole and on the disk. What a killed process left of a line is dropped when the log is opened again.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use neurotome_procedure::session::Entry;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::scenario::InputFile;

/// First words of a log; the number grows when its shape changes.
pub const FORMAT: &str = "neurotome-session-1";
/// Largest log read, bytes.
const MAX_LOG_BYTES: u64 = 256 << 20;

/// What a session is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// Name and version of the program.
    pub program: String,
    /// What the software is not.
    pub disclaimer: String,
    /// Name of the scenario: a file name without folders.
    pub scenario_name: String,
    /// Its whole text.
    pub scenario: String,
    /// SHA-256 of the catalogue's content.
    pub catalog_sha256: String,
    /// Input images and label volumes.
    pub inputs: Vec<InputFile>,
}

/// Why a log cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file cannot be read or written.
    #[error("session log {path}: {reason}; give a path that can be read and written")]
    File {
        /// The path as given.
        path: String,
        /// Why.
        reason: String,
    },
    /// Another process writes it.
    #[error("session log {0} is in use by another process; end that one, or give another path")]
    InUse(String),
    /// Something in it is wrong.
    #[error("session log {path}, line {line}: {found}; expected {expected}; take the copy that was not changed")]
    Broken {
        /// The path as given.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What was found.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
}

#[derive(Serialize)]
struct LineOut<'a> {
    sha256: &'a str,
    entry: &'a RawValue,
}

#[derive(Deserialize)]
struct LineIn<'a> {
    sha256: String,
    #[serde(borrow)]
    entry: &'a RawValue,
}

/// What a log holds.
#[derive(Debug)]
pub struct Logged {
    /// What it is about.
    pub header: Header,
    /// All entries.
    pub entries: Vec<Entry>,
    /// Hash of the last line.
    pub head: String,
    /// Bytes of an unfinished last line that were left out.
    pub dropped_bytes: u64,
}

/// A log that is being written.
#[derive(Debug)]
pub struct SessionLog {
    file: File,
    path: PathBuf,
    head: String,
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut all, b| {
        let _ = write!(all, "{b:02x}");
        all
    })
}

fn chained(before: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(text.as_bytes());
    hex(&hash.finalize())
}

/// The hash that a header begins with.
fn begun(header: &str) -> String {
    chained("", header)
}

/// The text of a log's line for an entry, without its end, and its hash.
fn line(head: &str, entry: &Entry) -> Result<(String, String), serde_json::Error> {
    let text = serde_json::to_string(entry)?;
    let sha256 = chained(head, &text);
    let raw = RawValue::from_string(text)?;
    let line = serde_json::to_string(&LineOut {
        sha256: &sha256,
        entry: &raw,
    })?;
    Ok((line, sha256))
}

/// Reads the text of a log; `path` is what messages call it. Returns the number of bytes that are whole lines too.
fn parse(path: &str, text: &[u8]) -> Result<(Logged, u64), LogError> {
    let broken = |line: usize, found: String, expected: &'static str| LogError::Broken {
        path: path.to_owned(),
        line,
        found,
        expected,
    };
    let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |k| k + 1);
    let kept =
        std::str::from_utf8(&text[..whole]).map_err(|e| broken(1, format!("bytes that are no text ({e})"), "UTF-8"))?;
    let mut lines = kept.lines().enumerate();
    let (_, first) = lines
        .next()
        .ok_or_else(|| broken(1, "nothing".to_owned(), "the header of a session log"))?;
    let header: Header = serde_json::from_str(first)
        .map_err(|e| broken(1, format!("no header ({e})"), "the header of a session log"))?;
    if header.format != FORMAT {
        return Err(broken(1, format!("format {}", header.format), FORMAT));
    }
    let mut head = begun(first);
    let mut entries = Vec::new();
    for (k, text) in lines {
        let at = k + 1;
        let line: LineIn<'_> =
            serde_json::from_str(text).map_err(|e| broken(at, format!("no entry ({e})"), "an entry with its hash"))?;
        let expected = chained(&head, line.entry.get());
        if line.sha256 != expected {
            return Err(broken(
                at,
                "a hash that does not follow from the line before and this entry".to_owned(),
                "an unbroken chain",
            ));
        }
        head = expected;
        entries.push(
            serde_json::from_str(line.entry.get())
                .map_err(|e| broken(at, format!("no entry of this version ({e})"), "an entry"))?,
        );
    }
    Ok((
        Logged {
            header,
            entries,
            head,
            dropped_bytes: (text.len() - whole) as u64,
        },
        whole as u64,
    ))
}

fn failed(path: &Path, e: impl std::fmt::Display) -> LogError {
    LogError::File {
        path: path.display().to_string(),
        reason: e.to_string(),
    }
}

fn read_capped(path: &Path, file: &mut File) -> Result<Vec<u8>, LogError> {
    let length = file.metadata().map_err(|e| failed(path, e))?.len();
    if length > MAX_LOG_BYTES {
        return Err(failed(path, format!("{length} bytes, at most {MAX_LOG_BYTES}")));
    }
    let mut text = Vec::with_capacity(length as usize);
    file.take(MAX_LOG_BYTES)
        .read_to_end(&mut text)
        .map_err(|e| failed(path, e))?;
    Ok(text)
}

fn locked(path: &Path, file: &File) -> Result<(), LogError> {
    file.try_lock().map_err(|e| match e {
        TryLockError::WouldBlock => LogError::InUse(path.display().to_string()),
        TryLockError::Error(e) => failed(path, e),
    })
}

/// Reads a log.
///
/// # Errors
/// [`LogError`].
pub fn read(path: &Path) -> Result<Logged, LogError> {
    let mut file = File::open(path).map_err(|e| failed(path, e))?;
    let text = read_capped(path, &mut file)?;
    parse(&path.display().to_string(), &text).map(|p| p.0)
}

/// Reads the bytes of a log.
///
/// # Errors
/// [`LogError::Broken`].
pub fn read_bytes(text: &[u8]) -> Result<Logged, LogError> {
    parse("in memory", text).map(|p| p.0)
}

/// The bytes that a log of these entries has.
///
/// # Errors
/// When a value cannot be written as JSON.
pub fn to_bytes(header: &Header, entries: &[Entry]) -> Result<Vec<u8>, serde_json::Error> {
    let first = serde_json::to_string(header)?;
    let mut head = begun(&first);
    let mut all = first + "\n";
    for entry in entries {
        let (text, hash) = line(&head, entry)?;
        all.push_str(&text);
        all.push('\n');
        head = hash;
    }
    Ok(all.into_bytes())
}

impl SessionLog {
    /// Begins a log; there must be no file of that name.
    ///
    /// # Errors
    /// [`LogError::File`], [`LogError::InUse`].
    pub fn create(path: &Path, header: &Header) -> Result<Self, LogError> {
        let file = OpenOptions::new()
            .create_new(true)
            .read(true)
            .append(true)
            .open(path)
            .map_err(|e| failed(path, e))?;
        locked(path, &file)?;
        let first = serde_json::to_string(header).map_err(|e| failed(path, e))?;
        let mut log = Self {
            file,
            path: path.to_owned(),
            head: begun(&first),
        };
        log.write(&first)?;
        Ok(log)
    }

    /// Opens a log to go on with it; an unfinished last line is cut off.
    ///
    /// # Errors
    /// [`LogError`].
    pub fn open(path: &Path) -> Result<(Self, Logged), LogError> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|e| failed(path, e))?;
        locked(path, &file)?;
        let text = read_capped(path, &mut file)?;
        let (logged, whole) = parse(&path.display().to_string(), &text)?;
        file.set_len(whole).map_err(|e| failed(path, e))?;
        file.seek(SeekFrom::End(0)).map_err(|e| failed(path, e))?;
        let log = Self {
            file,
            path: path.to_owned(),
            head: logged.head.clone(),
        };
        Ok((log, logged))
    }

    /// Hash of the last line.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// Adds an entry; when this returns it is on the disk.
    ///
    /// # Errors
    /// [`LogError::File`].
    pub fn append(&mut self, entry: &Entry) -> Result<(), LogError> {
        let (text, head) = line(&self.head, entry).map_err(|e| failed(&self.path, e))?;
        self.write(&text)?;
        self.head = head;
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<(), LogError> {
        let whole = format!("{text}\n");
        let before = self.file.metadata().map_err(|e| failed(&self.path, e))?.len();
        let written = self
            .file
            .write_all(whole.as_bytes())
            .and_then(|()| self.file.sync_data());
        if let Err(e) = written {
            // A line that is not wholly on the disk does not count.
            let _ = self.file.set_len(before);
            return Err(failed(&self.path, e));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use neurotome_procedure::session::{Command, Event, Order, Preparation};

    use super::*;

    fn header() -> Header {
        Header {
            format: FORMAT.to_owned(),
            program: "test".to_owned(),
            disclaimer: String::new(),
            scenario_name: "a.toml".to_owned(),
            scenario: "[procedure]".to_owned(),
            catalog_sha256: String::new(),
            inputs: vec![],
        }
    }

    fn entry(t_s: f64) -> Entry {
        Entry {
            t_s,
            took_s: 0.1,
            order: Order::from(Command::Prepare { item: Preparation::Pad }),
            events: vec![Event::Prepared { item: Preparation::Pad }],
        }
    }

    #[test]
    fn a_log_is_read_back_and_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.jsonl");
        let mut log = SessionLog::create(&path, &header()).unwrap();
        log.append(&entry(0.0)).unwrap();
        assert!(matches!(SessionLog::open(&path), Err(LogError::InUse(_))));
        drop(log);
        assert!(matches!(
            SessionLog::create(&path, &header()),
            Err(LogError::File { .. })
        ));
        // What a killed process left of a line is dropped.
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], b"{\"sha256\":\"12"].concat()).unwrap();
        let (mut log, logged) = SessionLog::open(&path).unwrap();
        assert_eq!((logged.entries.len(), logged.dropped_bytes), (1, 13));
        log.append(&entry(0.3)).unwrap();
        drop(log);
        let logged = read(&path).unwrap();
        assert_eq!(logged.entries, [entry(0.0), entry(0.3)]);
        assert_eq!(
            std::fs::read(&path).unwrap(),
            to_bytes(&header(), &logged.entries).unwrap()
        );
    }

    #[test]
    fn a_changed_line_is_found() {
        let bytes = to_bytes(&header(), &[entry(0.0), entry(1.0), entry(2.0)]).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let says = |lines: &[&str]| match read_bytes((lines.join("\n") + "\n").as_bytes()) {
            Err(LogError::Broken { line, .. }) => line,
            other => panic!("{other:?}"),
        };
        let changed = lines[2].replace("1.0", "9.0");
        assert_ne!(changed, lines[2]);
        assert_eq!(says(&[lines[0], lines[1], &changed, lines[3]]), 3);
        assert_eq!(says(&[lines[0], lines[1], lines[3]]), 3);
        assert_eq!(says(&[lines[0], lines[2], lines[1], lines[3]]), 2);
        let other = lines[0].replace("a.toml", "b.toml");
        assert_eq!(says(&[&other, lines[1]]), 2);
        assert_eq!(says(&["{}"]), 1);
        assert_eq!(says(&[""]), 1);
    }
}
