//! A session at work on the terminal: orders go in, lines come out, each step is logged.

use std::{fmt::Write as _, path::Path, sync::Arc};

use neurotome_io::session_log::{LogError, Logged, SessionLog};
use neurotome_procedure::session::{Case, Entry, Event, Order, Session, SessionError};

use super::{Common, Failure, print, solve};
use crate::session::{OpenError, Opened, clock, told};

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Scenario(e) => e.into(),
            OpenError::Case(neurotome_io::scenario::CaseError::History(e)) => e.into(),
            e => Self::Input(e.to_string()),
        }
    }
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Lesion(e) => e.into(),
            SessionError::Cancelled => Self::Interrupted(error.to_string()),
            e => Self::Input(e.to_string()),
        }
    }
}

/// A session that is performed.
pub(super) struct Stage<'c> {
    pub session: Session,
    log: Option<SessionLog>,
    common: &'c Common,
}

impl<'c> Stage<'c> {
    /// A new session, logged to a file where one is given.
    pub fn begin(opened: &Opened, log: Option<&Path>, common: &'c Common) -> Result<Self, Failure> {
        Ok(Self {
            session: Session::new(Arc::clone(&opened.case))?,
            log: log.map(|path| SessionLog::create(path, &opened.header)).transpose()?,
            common,
        })
    }

    /// Goes on with the session of a log.
    pub fn go_on(case: &Arc<Case>, log: SessionLog, logged: Logged, common: &'c Common) -> Result<Self, Failure> {
        Ok(Self {
            session: Session::resumed(Arc::clone(case), logged.entries)?,
            log: Some(log),
            common,
        })
    }

    /// Carries out an order; returns what was recorded.
    pub fn perform(&mut self, order: Order) -> Result<Entry, SessionError> {
        let bar = solve::stage_bar(self.common.quiet);
        let (session, log) = (&mut self.session, &mut self.log);
        let done = solve::on_threads(self.common.threads, || {
            session
                .submit(
                    order,
                    &mut |what| {
                        bar.set_message(what.to_owned());
                        !solve::interrupted()
                    },
                    &mut |entry| match log {
                        Some(log) => log.append(entry).map_err(|e| e.to_string()),
                        None => Ok(()),
                    },
                )
                .cloned()
        });
        bar.finish_and_clear();
        match done {
            Ok(done) => done,
            Err(_) => Err(SessionError::NotKept("no threads to compute with".to_owned())),
        }
    }
}

/// An entry as it is printed.
pub(super) fn printed(entry: &Entry) -> String {
    let mut out = format!("{}  {}\n", clock(entry.t_s), entry.order);
    for line in told(entry) {
        let _ = writeln!(out, "         {line}");
    }
    out
}

/// Whether interlocks kept an order from being carried out.
pub(super) fn refused(entry: &Entry) -> bool {
    entry.events.iter().any(|e| matches!(e, Event::Refused { .. }))
}

/// Prints an entry unless the user wants quiet.
pub(super) fn show(entry: &Entry, common: &Common) {
    if !common.quiet {
        print(&printed(entry));
    }
}
