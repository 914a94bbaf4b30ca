//! The record of a session: replay, the chain of hashes, branches, refusals.

use std::sync::Arc;

use neurotome_io::{
    catalog,
    scenario::{self, Source},
    session_log::{FORMAT, Header, read_bytes, to_bytes},
};
use neurotome_procedure::session::{Case, Entry, Event, Order, Session, State};

use crate::verify::Report;

const DEFINITION: &str = "definition";

/// A short procedure with a refusal, a reason, a needle and two branches.
const LINES: [&str; 14] = [
    "assess",
    "prepare consent",
    "mark -40,90,-24",
    "prepare prone",
    "undo 2",
    "prepare time-out",
    "mark -40,90,-24 because the level was counted before",
    "enter 18G-10mm-straight towards -25,30,-24 because a test",
    "advance 20",
    "fault power_loss at 10 lasting 5",
    "turn 90",
    "withdraw 5",
    "wait 30",
    "pump on 10",
];

type Fault = Box<dyn std::error::Error>;

fn case() -> Result<Arc<Case>, Fault> {
    let catalog = Arc::new(catalog::built_in()?);
    let source = Source::procedure();
    let loaded = scenario::load(&source, &catalog)?;
    Ok(Arc::new(scenario::case(&source, loaded, &catalog)?))
}

fn header() -> Header {
    Header {
        format: FORMAT.to_owned(),
        program: "verify".to_owned(),
        disclaimer: crate::DISCLAIMER.to_owned(),
        scenario_name: "procedure.toml".to_owned(),
        scenario: Source::procedure().text,
        catalog_sha256: String::new(),
        inputs: vec![],
    }
}

fn perform(case: &Arc<Case>, orders: impl IntoIterator<Item = Order>) -> Result<Session, Fault> {
    let mut session = Session::new(Arc::clone(case))?;
    for order in orders {
        session.submit(order, &mut |_| true, &mut |_| Ok(()))?;
    }
    Ok(session)
}

fn performed(case: &Arc<Case>) -> Result<Session, Fault> {
    let orders = LINES
        .iter()
        .map(|l| l.parse())
        .collect::<Result<Vec<Order>, String>>()?;
    perform(case, orders)
}

fn tell(report: &mut Report, claim: &str, made: Result<f64, Fault>, reference: f64) {
    match made {
        Ok(value) => report.within(claim, value, reference, 0.0, DEFINITION),
        Err(e) => report.failed(claim, e, DEFINITION),
    }
}

/// The orders of a record, given again, lead to the same bytes; its entries, read again, to the same state.
pub(super) fn replay(report: &mut Report) {
    let made = || -> Result<(f64, f64), Fault> {
        let case = case()?;
        let session = performed(&case)?;
        let entries = session.record().entries();
        let bytes = to_bytes(&header(), entries)?;
        let again = perform(&case, entries.iter().map(|e| e.order.clone()))?;
        let replayed = to_bytes(&header(), again.record().entries())?;
        let differ = bytes.iter().zip(&replayed).filter(|(a, b)| a != b).count() + bytes.len().abs_diff(replayed.len());
        let read = read_bytes(&bytes)?;
        let resumed = Session::resumed(Arc::clone(&case), read.entries)?;
        let same = resumed.state() == session.state() && *session.state() == session.record().state();
        Ok((differ as f64, f64::from(u8::from(!same))))
    };
    let claim = "bytes that differ between a session's log and the log of its orders given again";
    match made() {
        Ok((bytes, states)) => {
            report.within(claim, bytes, 0.0, 0.0, DEFINITION);
            let claim = "states that differ between a session, its log read again, and the fold over its events";
            report.within(claim, states, 0.0, 0.0, DEFINITION);
        }
        Err(e) => report.failed(claim, e, DEFINITION),
    }
}

/// Wherever a byte of a log is changed, reading tells.
pub(super) fn chain(report: &mut Report) {
    let made = || -> Result<(f64, f64), Fault> {
        let session = performed(&case()?)?;
        let bytes = to_bytes(&header(), session.record().entries())?;
        let (mut tried, mut unnoticed) = (0u32, 0u32);
        // Not the last byte, an end of line, without which the last line does not count yet.
        for at in (0..bytes.len() - 1).step_by(7) {
            let mut changed = bytes.clone();
            changed[at] = if changed[at] == b'7' { b'8' } else { b'7' };
            tried += 1;
            unnoticed += u32::from(read_bytes(&changed).is_ok());
        }
        Ok((f64::from(tried), f64::from(unnoticed)))
    };
    let claim = "changes of one byte of a session's log that reading does not notice";
    match made() {
        Ok((tried, unnoticed)) => {
            report.within(format!("{claim}, of {tried}"), unnoticed, 0.0, 0.0, DEFINITION);
        }
        Err(e) => report.failed(claim, e, DEFINITION),
    }
}

/// Going back begins another branch, and nothing is lost.
pub(super) fn branches(report: &mut Report) {
    let made = || -> Result<(f64, f64), Fault> {
        let session = performed(&case()?)?;
        let record = session.record();
        // Two steps were left and the return itself is none.
        let left = record.entries().len() - record.steps();
        let at = LINES.iter().position(|l| l.starts_with("undo")).ok_or("no undo")?;
        let before = State::after(record.entries()[..2].iter());
        let after = State::after(record.branch().take(2));
        Ok((
            f64::from(u8::from(
                before != after || !matches!(record.entries()[at].order, Order::Undo { .. }),
            )),
            left as f64,
        ))
    };
    let claim = "states that differ between two steps kept by an undo and the same two steps alone";
    match made() {
        Ok((states, left)) => {
            report.within(claim, states, 0.0, 0.0, DEFINITION);
            let claim = "entries in the log beside the branch that is followed: the two steps left and the undo";
            report.within(claim, left, 3.0, 0.0, DEFINITION);
        }
        Err(e) => report.failed(claim, e, DEFINITION),
    }
}

/// What does not fit the state is refused or an error, and changes nothing.
pub(super) fn refusals(report: &mut Report) {
    let lines = [
        "mark -40,90,-24",
        "enter towards -25,30,-24",
        "advance 10",
        "impedance",
        "test sensory",
        "heat",
        "stop",
        "resume",
        "undo 9",
        "next 7",
        "wait -1",
    ];
    let made = || -> Result<f64, Fault> {
        let mut session = Session::new(case()?)?;
        let mut carried_out = 0;
        for line in lines {
            let before = session.state().clone();
            let done: Result<Entry, _> = session.submit(line.parse()?, &mut |_| true, &mut |_| Ok(())).cloned();
            let refused = match done {
                Ok(entry) => matches!(entry.events[..], [Event::Refused { .. }]),
                Err(_) => session.state() == &before,
            };
            let unmoved = session.state().needle.is_none() && session.state().t_s == 0.0;
            carried_out += u32::from(!(refused && unmoved));
        }
        Ok(f64::from(carried_out))
    };
    let claim = format!(
        "orders carried out of {} that do not fit a session's beginning",
        lines.len()
    );
    tell(report, &claim, made(), 0.0);
}
