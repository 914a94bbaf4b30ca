//! A whole procedure from a scenario: its case, its log, and an operator.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use neurotome::{
//!     io::{catalog, scenario::Source},
//!     procedure::session::{Order, Session, next_order},
//!     session,
//! };
//!
//! let catalog = Arc::new(catalog::built_in()?);
//! let opened = session::open(&Source::procedure(), &catalog)?;
//! let mut session = Session::new(Arc::clone(&opened.case))?;
//! let (watch, keep) = (&mut |_: &str| true, &mut |_: &_| Ok(()));
//! // By hand, one line at a time …
//! let order: Order = "assess".parse()?;
//! for line in session::told(session.submit(order, watch, keep)?) {
//!     println!("{line}");
//! }
//! // … or by the operator that needs no person, to the end.
//! while let Some(order) = next_order(session.case(), session.state()) {
//!     session.submit(order, watch, keep)?;
//! }
//! let outcomes = session.state().outcomes.as_ref();
//! println!("relief of at least half after a year: {:?}", outcomes.map(|o| o[0].outcome.shares[3].relief_50));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod report;
mod script;
mod summary;
mod told;

use std::{path::Path, sync::Arc};

use neurotome_io::{
    catalog,
    scenario::{self, CaseError, Loaded, ScenarioError, Source},
    session_log::{FORMAT, Header},
};
use neurotome_procedure::{catalog::Catalog, session::Case};

pub use report::{Pictures, report};
pub use script::{MAX_LINES, Script, ScriptError};
pub use summary::{NerveFigures, Summary};
pub use told::{clock, told};

use crate::{DISCLAIMER, PROGRAM};

/// Why a scenario cannot be treated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The scenario.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The case.
    #[error(transparent)]
    Case(#[from] CaseError),
    /// The catalogue is another one.
    #[error(
        "the session was recorded with another catalogue ({recorded:.12}…, now {now:.12}…); give that one with --catalog, or begin a new session"
    )]
    Catalog {
        /// Hash in the record.
        recorded: String,
        /// Hash now.
        now: String,
    },
    /// An input image is another one.
    #[error("{0} is not the file that the session was recorded with; give back that file, or begin a new session")]
    Input(String),
}

/// A case and what a log says of it.
pub struct Opened {
    /// The case.
    pub case: Arc<Case>,
    /// First line of its log.
    pub header: Header,
    /// What the readers of images want the user to know.
    pub remarks: Vec<String>,
    /// Unverified values that the case uses.
    pub notices: Vec<scenario::Notice>,
}

/// Opens a scenario.
///
/// # Errors
/// [`OpenError`].
pub fn open(source: &Source, catalog: &Arc<Catalog>) -> Result<Opened, OpenError> {
    let loaded = scenario::load(source, catalog)?;
    opened(source, loaded, catalog)
}

/// The case of a scenario that was loaded.
///
/// # Errors
/// [`OpenError::Case`].
pub fn opened(source: &Source, loaded: Loaded, catalog: &Arc<Catalog>) -> Result<Opened, OpenError> {
    let header = Header {
        format: FORMAT.to_owned(),
        program: PROGRAM.to_owned(),
        disclaimer: DISCLAIMER.to_owned(),
        scenario_name: source.name.clone(),
        scenario: source.text.clone(),
        catalog_sha256: catalog::hash(catalog),
        inputs: loaded.inputs.clone(),
    };
    let (remarks, notices) = (loaded.remarks.clone(), loaded.notices.clone());
    Ok(Opened {
        case: Arc::new(scenario::case(source, loaded, catalog)?),
        header,
        remarks,
        notices,
    })
}

/// Opens the scenario of a log again; `folder` is where its relative paths start.
///
/// # Errors
/// [`OpenError`]: what it was recorded with is no longer the same.
pub fn reopen(header: &Header, folder: &Path, catalog: &Arc<Catalog>) -> Result<Opened, OpenError> {
    let now = catalog::hash(catalog);
    if now != header.catalog_sha256 {
        return Err(OpenError::Catalog {
            recorded: header.catalog_sha256.clone(),
            now,
        });
    }
    let source = Source {
        name: header.scenario_name.clone(),
        text: header.scenario.clone(),
        folder: folder.to_owned(),
    };
    let opened = open(&source, catalog)?;
    if let Some(changed) = opened.header.inputs.iter().find(|i| !header.inputs.contains(i)) {
        return Err(OpenError::Input(changed.path.clone()));
    }
    Ok(opened)
}
