//! Checks of single values, and the faults they give.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::catalog::{Entry, Sourced, find};

use super::super::fault::nearest;
use super::super::locate::span_of;
use super::super::{Fault, Notice};
use super::{Builder, MAX_COORDINATE_MM, Result};

// A fault is boxed where it is made: every check hands it on as it is.
#[expect(clippy::unnecessary_box_returns)]
impl Builder<'_> {
    pub(super) fn fault(&self, path: &str, message: impl Into<String>, help: impl Into<String>) -> Box<Fault> {
        Box::new(Fault {
            file: self.source.name.clone(),
            text: self.source.text.clone(),
            span: span_of(&self.source.text, path),
            message: message.into(),
            help: help.into(),
        })
    }

    /// The value when it is finite and within `low..=high`, or above `low` when `low` is zero and `open`.
    pub(super) fn within(
        &self,
        path: &str,
        value: f64,
        range: std::ops::RangeInclusive<f64>,
        unit: &str,
    ) -> Result<f64> {
        if value.is_finite() && range.contains(&value) {
            return Ok(value);
        }
        Err(self.fault(
            path,
            format!(
                "`{path}` is {value}, expected {} to {} {unit}",
                range.start(),
                range.end()
            ),
            "give a value in this range, in the unit that the key names",
        ))
    }

    pub(super) fn positive(&self, path: &str, value: f64, high: f64, unit: &str) -> Result<f64> {
        if value.is_finite() && value > 0.0 && value <= high {
            return Ok(value);
        }
        Err(self.fault(
            path,
            format!("`{path}` is {value}, expected above 0 and at most {high} {unit}"),
            "give a value in this range, in the unit that the key names",
        ))
    }

    pub(super) fn point(&self, path: &str, p: [f64; 3]) -> Result<PatientPoint> {
        if p.iter().all(|c| c.abs() <= MAX_COORDINATE_MM) {
            return Ok(PatientPoint::new(p[0], p[1], p[2]));
        }
        Err(self.fault(
            path,
            format!("`{path}` is {p:?}, expected three numbers within ±{MAX_COORDINATE_MM} mm"),
            "give a position in millimetres of the patient frame (LPS)",
        ))
    }

    pub(super) fn direction(&self, path: &str, d: [f64; 3]) -> Result<Vec3> {
        let v = Vec3::from(d);
        if d.iter().all(|c| c.is_finite())
            && let Some(unit) = v.try_normalize(1e-9)
        {
            return Ok(unit);
        }
        Err(self.fault(
            path,
            format!("`{path}` is {d:?}, expected a direction other than zero"),
            "give three numbers such as [0, 0, -1]",
        ))
    }

    pub(super) fn required<T>(&self, path: &str, value: Option<T>, why: &str) -> Result<T> {
        value.ok_or_else(|| self.missing(path, why))
    }

    pub(super) fn missing(&self, path: &str, why: &str) -> Box<Fault> {
        let key = path.rsplit_once('.').map_or(path, |(_, k)| k);
        self.fault(path, format!("`{path}` is missing: {why}"), format!("add `{key} = …`"))
    }

    pub(super) fn unused(&self, path: &str, given: bool, why: &str) -> Result<()> {
        if given {
            return Err(self.fault(path, format!("`{path}` has no meaning {why}"), "remove this key"));
        }
        Ok(())
    }

    pub(super) fn cap(&self, path: &str, found: usize, most: usize) -> Result<()> {
        if found > most {
            return Err(self.fault(
                path,
                format!("`{path}` has {found} entries, expected at most {most}"),
                "leave some out",
            ));
        }
        Ok(())
    }

    pub(super) fn note(&mut self, subject: &str, key: &str, value: &Sourced) {
        let notice = Notice {
            subject: subject.to_owned(),
            key: key.to_owned(),
            value: value.value,
            source: self.catalog.sources.get(&value.source).unwrap_or(&value.source).clone(),
        };
        if !value.verified && !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// The entry of a name, or a fault that offers the nearest one.
    pub(super) fn entry<'c, E: Entry>(&self, path: &str, entries: &'c [E], name: &str) -> Result<&'c E> {
        find(entries, name).ok_or_else(|| {
            let names: Vec<&str> = entries.iter().map(Entry::name).collect();
            self.unknown(path, E::KIND, name, &names)
        })
    }

    pub(super) fn unknown(&self, path: &str, kind: &str, name: &str, names: &[&str]) -> Box<Fault> {
        let help = match nearest(name, names) {
            Some(best) => format!("did you mean \"{best}\"? `neurotome catalog {kind}` lists all"),
            None => format!("`neurotome catalog {kind}` lists all"),
        };
        self.fault(path, format!("there is no {kind} \"{name}\""), help)
    }

    pub(super) fn named(&self, path: &str, name: &str, earlier: &mut Vec<String>) -> Result<()> {
        if name.trim().is_empty() || name.len() > 100 {
            return Err(self.fault(
                path,
                format!("`{path}` is \"{name}\""),
                "give a name of 1 to 100 characters",
            ));
        }
        if earlier.iter().any(|e| e == name) {
            return Err(self.fault(
                path,
                format!("the name \"{name}\" occurs twice"),
                "give each one its own name",
            ));
        }
        earlier.push(name.to_owned());
        Ok(())
    }
}
