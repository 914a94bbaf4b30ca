//! The whole procedure, by the automatic operator or a script.

use std::{fmt::Write as _, fs, path::Path, sync::Arc, time::Instant};

use neurotome_io::{
    results::{ExtraFile, write_files},
    scenario::{Loaded, Source},
    session_log,
};
use neurotome_procedure::{catalog::Catalog, session::next_order};

use crate::{
    cli::{
        Common, Failure, json_text,
        perform::{Stage, printed, refused, show},
        print, solve,
    },
    session::{Script, Summary, opened},
};

/// Largest script read, bytes.
const MAX_SCRIPT_BYTES: u64 = 4 << 20;
/// Steps after which an automatic operator has lost its way.
const MOST_STEPS: usize = 500;

/// What the command line asks for.
pub(super) struct Asked<'a> {
    pub operator: Option<&'a Path>,
    pub out: &'a Path,
    pub json: bool,
}

/// Simulates the procedure and writes its folder.
pub(super) fn simulate(
    source: &Source,
    loaded: Loaded,
    catalog: &Arc<Catalog>,
    asked: &Asked<'_>,
    common: &Common,
) -> Result<(), Failure> {
    let script = asked.operator.map(read_script).transpose()?;
    let start = Instant::now();
    let opened = opened(source, loaded, catalog)?;
    let told = Common {
        quiet: common.quiet || asked.json,
        ..common.clone()
    };
    let mut stage = Stage::begin(&opened, None, &told)?;
    match &script {
        Some(script) => by_script(&mut stage, script, &told)?,
        None => by_itself(&mut stage, &told)?,
    }
    solve::check_interrupt()?;
    let entries = stage.session.record().entries();
    let log = session_log::to_bytes(&opened.header, entries)
        .map_err(|e| Failure::NotSolved(format!("writing the session: {e}")))?;
    let mut transcript = String::new();
    for entry in entries {
        let _ = write!(transcript, "{}", printed(entry));
    }
    let summary = Summary::of(stage.session.case(), stage.session.state());
    let file = |name: &str, caption: &str, bytes: Vec<u8>| ExtraFile {
        name: name.to_owned(),
        caption: caption.to_owned(),
        bytes,
    };
    let files = [
        file(
            "session.jsonl",
            "the session: every step with its events, chained by hashes",
            log,
        ),
        file("transcript.txt", "the same in words", transcript.into_bytes()),
        file("summary.json", "key figures", json_text(&summary)?.into_bytes()),
    ];
    write_files(asked.out, &files).map_err(|e| Failure::Input(e.to_string()))?;
    if asked.json {
        print(&json_text(&summary)?);
    } else if !common.quiet {
        print(&format!(
            "\n{}\nsimulated in {:.1} s; written to {}\n{}\n",
            summary.table(),
            start.elapsed().as_secs_f64(),
            asked.out.display(),
            crate::DISCLAIMER
        ));
    }
    Ok(())
}

fn by_itself(stage: &mut Stage<'_>, common: &Common) -> Result<(), Failure> {
    for _ in 0..MOST_STEPS {
        let Some(order) = next_order(stage.session.case(), stage.session.state()) else {
            return Ok(());
        };
        show(&stage.perform(order)?, common);
    }
    Err(Failure::NotSolved(format!(
        "the automatic operator did not end within {MOST_STEPS} steps"
    )))
}

fn by_script(stage: &mut Stage<'_>, script: &Script, common: &Common) -> Result<(), Failure> {
    for (line, order) in &script.orders {
        let entry = stage.perform(order.clone()).map_err(|e| {
            let failure = Failure::from(e);
            match failure {
                Failure::Input(text) => Failure::Input(format!("operator's line {line}, `{order}`: {text}")),
                other => other,
            }
        })?;
        show(&entry, common);
        if refused(&entry) && !common.quiet {
            eprintln!("neurotome: operator's line {line}, `{order}`: refused by interlocks; the script goes on");
        }
    }
    Ok(())
}

fn read_script(path: &Path) -> Result<Script, Failure> {
    let failed = |reason: String| {
        Failure::Input(format!(
            "cannot read the operator's script {}: {reason}; give a file with one command a line",
            path.display()
        ))
    };
    let size = fs::metadata(path).map_err(|e| failed(e.to_string()))?.len();
    if size > MAX_SCRIPT_BYTES {
        return Err(failed(format!("{size} bytes, at most {MAX_SCRIPT_BYTES}")));
    }
    let text = fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    let name = path
        .file_name()
        .map_or_else(|| "script".to_owned(), |n| n.to_string_lossy().into_owned());
    Script::parse(&name, &text).map_err(|e| Failure::Input(e.to_string()))
}
