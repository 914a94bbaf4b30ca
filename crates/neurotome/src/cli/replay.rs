//! `neurotome replay`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use neurotome_io::{
    catalog,
    scenario::{self, Source},
    session_log,
};
use serde_json::Value;

use super::{Common, Failure, open_catalog, perform::Stage, print, simulate, solve};
use crate::{
    record::{FORMAT, Record, first_difference},
    session::reopen,
};

/// Largest record read, bytes.
const MAX_RECORD_BYTES: u64 = 256 << 20;
/// Numbers of threads with which a record is computed again.
const THREADS: [u16; 2] = [1, 2];

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// A record.json or session.jsonl that `neurotome simulate` or `neurotome run` wrote.
    record: PathBuf,
    /// Folder from which the scenario's relative paths start. Default: the record's folder.
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Write the results again, to this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Replay {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        if is_session(&self.record) {
            return self.session(common);
        }
        let (recorded, value) = read(&self.record)?;
        let catalog = open_catalog(common)?;
        let catalog_sha256 = catalog::hash(&catalog);
        let folder = self
            .folder
            .clone()
            .or_else(|| self.record.parent().map(Path::to_owned))
            .unwrap_or_default();
        let source = Source {
            name: recorded.scenario.name.clone(),
            text: recorded.scenario.text.clone(),
            folder,
        };
        let loaded = scenario::load(&source, &catalog)?;
        let mut last = None;
        for threads in THREADS {
            let common = Common {
                threads: Some(threads),
                ..common.clone()
            };
            let result = solve::solve(&loaded.problem, &common)?;
            let mut record = Record::new(&source, &loaded, &catalog_sha256, &result);
            // Another version may well give the same figures; that is for the figures to say.
            record.program.clone_from(&recorded.program);
            let again = serde_json::to_value(&record)
                .map_err(|e| Failure::NotSolved(format!("writing the record as JSON: {e}")))?;
            // Inputs first: when they differ, the results are bound to.
            for part in ["catalog_sha256", "inputs", "resolved", "results", "notices"] {
                if let Some((path, before, now)) = first_difference(&value[part], &again[part]) {
                    let dot = if path.is_empty() || path.starts_with('[') {
                        ""
                    } else {
                        "."
                    };
                    return Err(Failure::Check(format!(
                        "replay with {threads} thread(s): first difference at {part}{dot}{path}: recorded {before}, now {now}"
                    )));
                }
            }
            if !common.quiet {
                print(&format!("{threads} thread(s): the same to the last digit\n"));
            }
            last = Some((result, record));
        }
        if let (Some(folder), Some((result, record))) = (&self.out, last) {
            simulate::write_folder(folder, &source, &loaded, &result, &record, common)?;
        }
        Ok(())
    }
}

impl Replay {
    /// Gives the orders of a session's log again and compares every byte.
    fn session(&self, common: &Common) -> Result<(), Failure> {
        if self.out.is_some() {
            return Err(Failure::Input(
                "--out: a session's log is compared, not written again; leave it out".to_owned(),
            ));
        }
        let logged = session_log::read(&self.record)?;
        let catalog = Arc::new(open_catalog(common)?);
        let folder = self
            .folder
            .clone()
            .or_else(|| self.record.parent().map(Path::to_owned))
            .unwrap_or_default();
        let opened = reopen(&logged.header, &folder, &catalog)?;
        let quiet = common.quiet;
        for threads in THREADS {
            let common = Common {
                threads: Some(threads),
                quiet: true,
                ..common.clone()
            };
            let mut stage = Stage::begin(&opened, None, &common)?;
            for (k, before) in logged.entries.iter().enumerate() {
                let now = stage.perform(before.order.clone())?;
                let json = |e| serde_json::to_value(e).map_err(|e| Failure::NotSolved(format!("writing JSON: {e}")));
                if let Some((path, before, now)) = first_difference(&json(before)?, &json(&now)?) {
                    return Err(Failure::Check(format!(
                        "replay with {threads} thread(s): first difference in entry {}, {path}: recorded {before}, now {now}",
                        k + 1
                    )));
                }
            }
            if !quiet {
                print(&format!(
                    "{threads} thread(s): {} entries, the same to the last digit\n",
                    logged.entries.len()
                ));
            }
        }
        Ok(())
    }
}

/// Whether a file begins like a session's log.
fn is_session(path: &Path) -> bool {
    let mut begin = [0u8; 64];
    let read = fs::File::open(path).and_then(|mut f| std::io::Read::read(&mut f, &mut begin));
    let expected = format!("{{\"format\":\"{}\"", session_log::FORMAT);
    read.is_ok_and(|n| begin[..n].starts_with(expected.as_bytes()))
}

/// Reads a record.
pub(super) fn read(path: &Path) -> Result<(Record, Value), Failure> {
    let failure = |reason: String| {
        Failure::Input(format!(
            "cannot use the record {}: {reason}; give a record.json that `neurotome simulate --out` wrote",
            path.display()
        ))
    };
    let meta = fs::metadata(path).map_err(|e| failure(e.to_string()))?;
    if meta.len() > MAX_RECORD_BYTES {
        return Err(failure(format!("{} bytes, at most {MAX_RECORD_BYTES}", meta.len())));
    }
    let text = fs::read_to_string(path).map_err(|e| failure(e.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| failure(format!("not JSON: {e}")))?;
    let format = value["format"].as_str().unwrap_or("nothing");
    if format != FORMAT {
        return Err(failure(format!("its format is {format}, expected {FORMAT}")));
    }
    let record = serde_json::from_str(&text).map_err(|e| failure(format!("not a whole record: {e}")))?;
    Ok((record, value))
}
