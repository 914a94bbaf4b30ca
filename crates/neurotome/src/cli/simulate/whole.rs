//! The whole procedure, by the automatic operator or a script.

use std::{fmt::Write as _, fs, ops::Range, path::Path, sync::Arc, time::Instant};

use neurotome_io::{
    pictures::{PictureError, png_grey8},
    report::{document::Picture, procedure::Lesion},
    results::{ExtraFile, RunForReport, write_files},
    scenario::{Loaded, Source},
    session_log,
};
use neurotome_procedure::{
    catalog::Catalog,
    debrief::Debrief,
    fluoroscopy as radiograph,
    session::{Entry, Event, debriefing, next_order, usual_debriefing},
};

use crate::{
    PROGRAM,
    cli::{
        Common, Failure, deliver, json_text,
        perform::{Stage, printed, refused, show},
        print, solve,
    },
    session::{Pictures, Script, Summary, opened, report},
};

/// Largest script read, bytes.
const MAX_SCRIPT_BYTES: u64 = 4 << 20;
/// Steps after which an automatic operator has lost its way.
const MOST_STEPS: usize = 500;

/// What the command line asks for.
pub(super) struct Asked<'a> {
    pub debrief: bool,
    pub operator: Option<&'a Path>,
    pub out: &'a Path,
    pub json: Option<&'a Path>,
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
    let printed_json = asked.json.is_some_and(|p| p.as_os_str() == "-");
    let told = Common {
        quiet: common.quiet || printed_json,
        ..common.clone()
    };
    let mut stage = Stage::begin(&opened, None, &told)?;
    let mut album = Album::default();
    match &script {
        Some(script) => by_script(&mut stage, script, &mut album, &told)?,
        None => by_itself(&mut stage, &mut album, &told)?,
    }
    let debriefs = if asked.debrief {
        debriefs(&stage, common)?
    } else {
        Vec::new()
    };
    solve::check_interrupt()?;
    let entries = stage.session.record().entries();
    let log = session_log::to_bytes(&opened.header, entries)
        .map_err(|e| Failure::NotSolved(format!("writing the session: {e}")))?;
    let mut transcript = String::new();
    for entry in entries {
        let _ = write!(transcript, "{}", printed(entry));
    }
    let head = session_log::read_bytes(&log)
        .map_err(|e| Failure::NotSolved(e.to_string()))?
        .head;
    let document = report(
        &stage.session,
        &opened.header,
        &head,
        &opened.notices,
        &album.pictures(),
        &debriefs,
    )
    .report()
    .map_err(|e| Failure::NotSolved(e.to_string()))?;
    let pdf = document.to_pdf().map_err(|e| Failure::NotSolved(e.to_string()))?;
    let summary = Summary::of(stage.session.case(), stage.session.state());
    let file = |name: &str, caption: &str, bytes: Vec<u8>| ExtraFile {
        name: name.to_owned(),
        caption: caption.to_owned(),
        bytes,
    };
    let files = [
        file(
            "report.html",
            "the procedure in order, with pictures",
            document.to_html().into_bytes(),
        ),
        file("report.pdf", "the same, to print", pdf),
        file(
            "session.jsonl",
            "the session: every step with its events, chained by hashes",
            log,
        ),
        file("transcript.txt", "the same in words", transcript.into_bytes()),
        file("summary.json", "key figures", json_text(&summary)?.into_bytes()),
    ];
    write_files(asked.out, &files).map_err(|e| Failure::Input(e.to_string()))?;
    if let Some(target) = asked.json {
        deliver(target, &json_text(&summary)?)?;
    }
    if !common.quiet && !printed_json {
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

/// Pictures on the way: of each view of a target the last one, and what each lesion looks like.
#[derive(Default)]
struct Album {
    views: Vec<(usize, String, Picture)>,
    lesions: Vec<Vec<Picture>>,
}

impl Album {
    /// Keeps what a step showed.
    fn see(&mut self, stage: &Stage<'_>, entry: &Entry) -> Result<(), Failure> {
        let failed = |e: &dyn std::fmt::Display| Failure::NotSolved(e.to_string());
        let state = stage.session.state();
        for event in &entry.events {
            match event {
                Event::Exposed { .. } => {
                    let (Some(frame), Some(shot)) = (stage.session.picture(), state.shots.last()) else {
                        continue;
                    };
                    let name = shot
                        .arm
                        .view
                        .map_or_else(|| "free angles".to_owned(), |v| v.to_string());
                    let png = open_field(stage.session.screen_field(), &frame.picture).map_err(|e| failed(&e))?;
                    let nerve = state.planned().map_or_else(String::new, |p| format!(", {}", p.nerve));
                    let with = if state.needle.is_some() {
                        "with the needle"
                    } else {
                        "before the needle"
                    };
                    let caption = format!("{name}{nerve}, {with}");
                    let mut picture = Picture::png(png, format!("X-ray picture: {caption}"), caption);
                    picture.width = 0.48;
                    let key = (state.target, format!("{name} {with}"));
                    self.views.retain(|v| (v.0, &v.1) != (key.0, &key.1));
                    self.views.push((key.0, key.1, picture));
                }
                Event::LesionMade { .. } => {
                    let Some((problem, result)) = stage.session.lesion() else {
                        continue;
                    };
                    let nerve = state.planned().map_or("", |p| p.nerve.as_str());
                    let run = RunForReport {
                        title: nerve,
                        problem,
                        result,
                        ct: None,
                        tissue_styles: None,
                        record_json: "",
                        scenario_text: "",
                        summary: &[],
                        program: PROGRAM,
                        extra_files: &[],
                    };
                    let drawn = Lesion::of_run(nerve, &run).map_err(|e| failed(&e))?;
                    self.lesions.push(drawn.pictures);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn pictures(self) -> Pictures {
        Pictures {
            views: self.views.into_iter().map(|v| v.2).collect(),
            lesions: self.lesions,
        }
    }
}

/// The part of a picture that the collimator leaves open, as PNG.
fn open_field(field: Option<[Range<usize>; 2]>, picture: &radiograph::Picture) -> Result<Vec<u8>, PictureError> {
    let [columns, rows] = field.unwrap_or([0..picture.columns, 0..picture.rows]);
    let grey: Vec<u8> = rows
        .clone()
        .flat_map(|r| &picture.grey[r * picture.columns..][columns.clone()])
        .copied()
        .collect();
    png_grey8(columns.len(), rows.len(), &grey)
}

/// What each lesion would have been otherwise.
fn debriefs(stage: &Stage<'_>, common: &Common) -> Result<Vec<Debrief>, Failure> {
    let (case, state) = (stage.session.case(), stage.session.state());
    let mut all = Vec::new();
    for target in 0..2 {
        if let Some(problem) = debriefing(case, state, target)? {
            let changes = usual_debriefing(case, &problem);
            all.push(super::super::debrief::made(&problem, &changes, common)?);
        }
    }
    Ok(all)
}

fn by_itself(stage: &mut Stage<'_>, album: &mut Album, common: &Common) -> Result<(), Failure> {
    for _ in 0..MOST_STEPS {
        let Some(order) = next_order(stage.session.case(), stage.session.state()) else {
            return Ok(());
        };
        let entry = stage.perform(order)?;
        album.see(stage, &entry)?;
        show(&entry, common);
    }
    Err(Failure::NotSolved(format!(
        "the automatic operator did not end within {MOST_STEPS} steps"
    )))
}

fn by_script(stage: &mut Stage<'_>, script: &Script, album: &mut Album, common: &Common) -> Result<(), Failure> {
    for (line, order) in &script.orders {
        let entry = stage.perform(order.clone()).map_err(|e| {
            let failure = Failure::from(e);
            match failure {
                Failure::Input(text) => Failure::Input(format!("operator's line {line}, `{order}`: {text}")),
                other => other,
            }
        })?;
        album.see(stage, &entry)?;
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
