//! `neurotome run`: the procedure step by step.

use std::{
    fmt::Write as _,
    io::{BufRead as _, IsTerminal as _, Write as _},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use neurotome_io::{pictures::png_grey8, scenario::Source, session_log::SessionLog};
use neurotome_procedure::{
    anatomy::Level,
    fluoroscopy::NamedView,
    session::{Command, MORE_USAGE, Order, Preparation, Sedation, SessionError, State, USAGE, next_order, words},
};
use rustyline::{
    CompletionType, Config, Context, Editor, Helper, completion::Completer, error::ReadlineError,
    highlight::Highlighter, hint::Hinter, history::MemHistory, validate::Validator,
};

use super::{
    Common, Failure,
    files::write_whole,
    open_catalog,
    perform::{Stage, printed, show},
    print,
};
use crate::session::{clock, open, reopen};

#[derive(Debug, Args)]
pub(super) struct Run {
    /// Scenario file (TOML) whose patient is treated. Default: both nerves of the right L4-L5 joint of the built-in patient.
    scenario: Option<PathBuf>,
    /// The session's log. A log that exists is gone on with, and then brings its own scenario.
    #[arg(long, value_name = "FILE", default_value = "session.jsonl")]
    log: PathBuf,
}

/// Words beside those of the procedure.
const OWN: [(&str, &str, &str); 8] = [
    ("help", "[WORD]", "this list, or one command"),
    ("status", "", "where the procedure stands"),
    ("next?", "", "what a careful operator would do next"),
    ("auto", "[N]", "let that operator do it, N times"),
    ("locks", "COMMAND", "what stands against a command, without trying it"),
    ("log", "", "everything done so far"),
    ("picture", "FILE", "write the last X-ray picture (PNG)"),
    ("quit", "", "leave; the log can be gone on with"),
];

impl Run {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let catalog = Arc::new(open_catalog(common)?);
        let mut stage = if self.log.exists() {
            if self.scenario.is_some() {
                return Err(Failure::Input(format!(
                    "{} exists and brings its own scenario; leave out SCENARIO to go on with it, or name another --log",
                    self.log.display()
                )));
            }
            let (log, logged) = SessionLog::open(&self.log)?;
            let folder = self.log.parent().map(PathBuf::from).unwrap_or_default();
            let opened = reopen(&logged.header, &folder, &catalog)?;
            if !common.quiet {
                if logged.dropped_bytes > 0 {
                    print(&format!(
                        "an unfinished line of {} bytes was dropped\n",
                        logged.dropped_bytes
                    ));
                }
                print(&format!(
                    "going on with {} after {} entries\n",
                    self.log.display(),
                    logged.entries.len()
                ));
            }
            Stage::go_on(&opened.case, log, logged, common)?
        } else {
            let source = match &self.scenario {
                Some(path) => Source::read(path)?,
                None => Source::procedure(),
            };
            let opened = open(&source, &catalog)?;
            for remark in &opened.remarks {
                eprintln!("neurotome: {remark}");
            }
            Stage::begin(&opened, Some(&self.log), common)?
        };
        if !common.quiet {
            print(&format!(
                "{}\n{}\n`help` lists the commands, `next?` says what comes next, Tab completes.\n",
                stage.session.case().title,
                crate::DISCLAIMER
            ));
        }
        if std::io::stdin().is_terminal() {
            terminal(&mut stage, common)
        } else {
            piped(&mut stage, common)
        }
    }
}

/// What a line leads to.
enum Next {
    On,
    Quit,
}

/// Reads lines from a pipe or a file.
fn piped(stage: &mut Stage<'_>, common: &Common) -> Result<(), Failure> {
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|e| Failure::Input(format!("standard input: {e}; give lines of text")))?;
        if let Next::Quit = answer(stage, &line, common)? {
            break;
        }
    }
    Ok(())
}

/// Reads lines from a terminal, with completion.
fn terminal(stage: &mut Stage<'_>, common: &Common) -> Result<(), Failure> {
    let config = Config::builder().completion_type(CompletionType::List).build();
    let failed = |e: ReadlineError| Failure::Input(format!("the terminal: {e}"));
    let mut editor: Editor<Words, MemHistory> = Editor::with_history(config, MemHistory::new()).map_err(failed)?;
    let case = stage.session.case();
    editor.set_helper(Some(Words {
        cannulas: case.devices.iter().map(|d| d.name.clone()).collect(),
        agents: case.catalog.solutions.iter().map(|s| s.name.clone()).collect(),
    }));
    loop {
        let prompt = format!("{} > ", clock(stage.session.state().t_s));
        match editor.readline(&prompt) {
            Ok(line) => {
                let _ = editor.add_history_entry(line.as_str());
                if let Next::Quit = answer(stage, &line, common)? {
                    return Ok(());
                }
            }
            // Ctrl-C drops the line, Ctrl-D leaves.
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => return Ok(()),
            Err(e) => return Err(failed(e)),
        }
    }
}

/// Does what a line says; what is wrong with it is told, and the session goes on.
fn answer(stage: &mut Stage<'_>, line: &str, common: &Common) -> Result<Next, Failure> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    match word {
        "" => {}
        "quit" | "exit" => return Ok(Next::Quit),
        "help" => print(&help(rest)),
        "status" => print(&status(stage.session.state())),
        "next?" => match next_order(stage.session.case(), stage.session.state()) {
            Some(order) => print(&format!("{order}\n")),
            None => print("nothing: the procedure is over\n"),
        },
        "auto" => {
            let times: usize = if rest.is_empty() { 1 } else { rest.parse().unwrap_or(1) };
            for _ in 0..times {
                let Some(order) = next_order(stage.session.case(), stage.session.state()) else {
                    break;
                };
                if !carry_out(stage, order, common)? {
                    break;
                }
            }
        }
        "locks" => match rest.parse::<Command>() {
            Ok(command) => {
                let all = stage.session.interlocks(&command);
                if all.is_empty() {
                    print("nothing stands against it\n");
                }
                for lock in all {
                    print(&format!("[{}] {}\n", lock.code, lock.text));
                }
            }
            Err(e) => told_wrong(&e),
        },
        "log" => {
            for entry in stage.session.record().entries() {
                print(&printed(entry));
            }
        }
        "picture" => picture(stage, rest),
        "undo" => {
            let steps = stage.session.record().steps();
            let to = if rest.is_empty() {
                Ok(steps.saturating_sub(1))
            } else {
                rest.parse()
            };
            match to {
                Ok(undo_to) => {
                    carry_out(stage, Order::Undo { undo_to }, common)?;
                }
                Err(_) => told_wrong(&format!("`undo` takes a number of steps, found \"{rest}\"")),
            }
        }
        _ => match line.parse::<Order>() {
            Ok(order) => {
                carry_out(stage, order, common)?;
            }
            Err(e) => told_wrong(&e),
        },
    }
    Ok(Next::On)
}

fn told_wrong(what: &str) {
    eprintln!("neurotome: {what}");
    let _ = std::io::stderr().flush();
}

/// Carries out an order and shows it; false when it was not recorded.
fn carry_out(stage: &mut Stage<'_>, order: Order, common: &Common) -> Result<bool, Failure> {
    match stage.perform(order) {
        Ok(entry) => {
            show(&entry, common);
            Ok(true)
        }
        // The session is as it was; the operator may go on. Ctrl-C ends the program.
        Err(SessionError::Cancelled) => Err(SessionError::Cancelled.into()),
        Err(e @ SessionError::NotKept(_)) => Err(e.into()),
        Err(e) => {
            told_wrong(&e.to_string());
            Ok(false)
        }
    }
}

fn picture(stage: &Stage<'_>, file: &str) {
    let Some(frame) = stage.session.picture() else {
        return told_wrong("there is no picture on the screen; `shot` first");
    };
    if file.is_empty() {
        return told_wrong("`picture` takes the name of a file, such as view.png");
    }
    let written = png_grey8(frame.picture.columns, frame.picture.rows, &frame.picture.grey)
        .map_err(|e| e.to_string())
        .and_then(|bytes| write_whole(&PathBuf::from(file), &bytes).map_err(|e| format!("{e:?}")));
    match written {
        Ok(()) => print(&format!("written to {file}\n")),
        Err(e) => told_wrong(&e),
    }
}

fn help(word: &str) -> String {
    let lines = USAGE
        .iter()
        .chain(&MORE_USAGE)
        .map(|u| (u.word, u.arguments, u.does))
        .chain(OWN);
    let mut out = String::new();
    for (name, arguments, does) in lines {
        if word.is_empty() || word == name {
            let _ = writeln!(out, "  {:<46} {does}", format!("{name} {arguments}"));
        }
    }
    if out.is_empty() {
        return format!("there is no command \"{word}\"\n");
    }
    if word.is_empty() {
        out += "An interlock is overridden with a reason: COMMAND because REASON.\n";
    }
    out
}

fn status(state: &State) -> String {
    let mut out = format!(
        "{}  {} steps, {} refused, {} interlocks overridden\n",
        clock(state.t_s),
        state.entries,
        state.refused,
        state.overridden.len()
    );
    if let Some((verdict, _)) = &state.assessed {
        let _ = writeln!(out, "assessment: {verdict}");
    }
    let ready: Vec<&str> = state.ready.iter().map(|r| r.word()).collect();
    let _ = writeln!(
        out,
        "ready: {}",
        if ready.is_empty() {
            "nothing".to_owned()
        } else {
            ready.join(", ")
        }
    );
    for (k, (planned, at)) in state.plan.iter().zip(&state.targets).enumerate() {
        let mark = if k == state.target { ">" } else { " " };
        let lesion = at.lesions.last().map_or_else(
            || "no lesion yet".to_owned(),
            |l| format!("{:.1} mm destroyed", l.destroyed_mm),
        );
        let _ = writeln!(out, "{mark} {}. {}: {lesion}", k + 1, planned.nerve);
    }
    if let Some(needle) = &state.needle {
        let _ = writeln!(out, "needle: {}, {:.1} mm deep", needle.cannula, needle.depth_mm);
    }
    let _ = writeln!(
        out,
        "radiation: {} pictures, {:.2} mGy, {:.3} Gy cm²; redirected {} times",
        state.shots.len(),
        state.dose.air_kerma_mgy,
        state.dose.dose_area_gy_cm2,
        state.redirects()
    );
    for (agent, mg) in &state.drugs_mg {
        let _ = writeln!(out, "{agent}: {mg:.0} mg");
    }
    out
}

/// Completes words by where they stand.
struct Words {
    cannulas: Vec<String>,
    agents: Vec<String>,
}

impl Helper for Words {}
impl Highlighter for Words {}
impl Validator for Words {}
impl Hinter for Words {
    type Hint = String;
}

impl Words {
    /// What may follow the words before.
    fn after(&self, before: &[&str]) -> Vec<String> {
        let owned = |all: &mut dyn Iterator<Item = &'static str>| all.map(str::to_owned).collect();
        match before {
            [] => owned(&mut words().chain(OWN.iter().map(|o| o.0))),
            ["prepare"] => owned(&mut Preparation::ALL.into_iter().map(Preparation::word)),
            ["sedate"] => owned(&mut Sedation::ALL.into_iter().map(Sedation::word)),
            ["view"] => owned(&mut NamedView::ALL.into_iter().map(NamedView::name)),
            ["view", _] => owned(&mut Level::ALL.into_iter().map(Level::name)),
            ["test"] => owned(&mut ["sensory", "motor"].into_iter()),
            ["enter"] => self.cannulas.clone(),
            ["numb" | "anaesthetise"] => self.agents.clone(),
            ["help" | "locks"] => owned(&mut words()),
            _ => Vec::new(),
        }
    }
}

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let line = &line[..pos];
        let start = line.rfind(char::is_whitespace).map_or(0, |k| k + 1);
        let before: Vec<&str> = line[..start].split_whitespace().collect();
        let all = self.after(&before);
        let begun = &line[start..];
        Ok((start, all.into_iter().filter(|w| w.starts_with(begun)).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_completed_by_their_place() {
        let all = Words {
            cannulas: vec!["18G-10mm-straight".to_owned()],
            agents: vec!["lidocaine".to_owned()],
        };
        assert!(all.after(&[]).contains(&"anaesthetise".to_owned()));
        assert!(all.after(&["view"]).contains(&"oblique-right".to_owned()));
        assert_eq!(all.after(&["enter"]), ["18G-10mm-straight"]);
        assert!(all.after(&["shot"]).is_empty());
    }

    #[test]
    fn every_command_has_its_help() {
        for word in words() {
            assert!(help(word).contains(word));
        }
        assert!(help("cut").contains("no command"));
    }
}
