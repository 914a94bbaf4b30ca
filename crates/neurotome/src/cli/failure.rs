//! How a command can end other than well.

use std::{fmt, io::IsTerminal as _};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use neurotome_io::{
    catalog::CatalogError,
    history::HistoryError,
    scenario::{Fault, ScenarioError},
};
use neurotome_procedure::lesion::LesionError;

/// Why a command did not end well.
#[derive(Debug)]
pub(super) enum Failure {
    /// A check failed; what is to be said has been said.
    Check(String),
    /// Something given is unusable.
    Input(String),
    /// A line of a file is unusable.
    Line(Box<Fault>),
    /// The equations were not solved.
    NotSolved(String),
    /// Ctrl-C.
    Interrupted(String),
}

impl Failure {
    /// The exit status.
    pub fn code(&self) -> u8 {
        match self {
            Self::Check(_) => 1,
            Self::Input(_) | Self::Line(_) => 2,
            Self::NotSolved(_) => 3,
            Self::Interrupted(_) => 130,
        }
    }

    /// Tells the user, on standard error.
    pub fn show(&self) {
        match self {
            Self::Line(fault) => eprint!("{}", at_its_line(fault)),
            Self::Check(text) | Self::Input(text) | Self::NotSolved(text) | Self::Interrupted(text) => {
                eprintln!("neurotome: {text}");
            }
        }
    }
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        match error {
            ScenarioError::Fault(fault) => Self::Line(fault),
            other => Self::Input(other.to_string()),
        }
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Text(fault) => Self::Line(fault),
            other => Self::Input(other.to_string()),
        }
    }
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Fault(fault) => Self::Line(fault),
            other => Self::Input(other.to_string()),
        }
    }
}

impl From<LesionError> for Failure {
    fn from(error: LesionError) -> Self {
        match error {
            LesionError::Cancelled { .. } => Self::Interrupted(error.to_string()),
            LesionError::Problem { .. } => Self::Input(error.to_string()),
            _ => Self::NotSolved(error.to_string()),
        }
    }
}

/// A fault with its line drawn out.
fn at_its_line(fault: &Fault) -> String {
    let shown = Shown {
        fault,
        source: NamedSource::new(&fault.file, fault.text.clone()),
    };
    let theme = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let mut out = String::new();
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(110)
        .with_links(false);
    if handler.render_report(&mut out, &shown).is_err() {
        out = format!("neurotome: {fault}\n");
    }
    out
}

struct Shown<'a> {
    fault: &'a Fault,
    source: NamedSource<String>,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fault.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        (!self.fault.help.is_empty()).then(|| Box::new(&self.fault.help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.fault.span.clone()?;
        let span = span.start..span.end.min(self.fault.text.len());
        Some(Box::new(std::iter::once(LabeledSpan::underline(span))))
    }
}
