//! From a facet joint to the nerves that supply it, and where each is met.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::PlanError;
use crate::anatomy::{Course, Level, NerveKind, Patient, Side};

/// A facet joint, by its two vertebrae.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joint {
    /// The vertebra above, whose inferior articular process it has.
    pub upper: Level,
    /// The vertebra below, whose superior articular process it has.
    pub lower: Level,
}

impl fmt::Display for Joint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}–{}", self.upper, self.lower)
    }
}

impl FromStr for Joint {
    type Err = String;

    /// Reads `L4-L5`, also with a slash, an en dash or without the second letter.
    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("\"{text}\" is no joint; expected two neighbouring vertebrae such as L4-L5 or L5-S1");
        let mut parts = text.split(['-', '–', '/']).map(str::trim);
        let (Some(upper), Some(lower), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(fault());
        };
        let upper: Level = upper.parse().map_err(|_| fault())?;
        let lower: Level = match lower.parse() {
            Ok(level) => level,
            Err(_) => format!("{}{lower}", &upper.name()[..1]).parse().map_err(|_| fault())?,
        };
        let neighbours = match (upper, lower) {
            // A spine without a sixth lumbar vertebra.
            (Level::L5, Level::S1) => true,
            _ => lower as usize == upper as usize + 1,
        };
        neighbours.then_some(Self { upper, lower }).ok_or_else(fault)
    }
}

/// A nerve to be destroyed for a joint, and the bone on which it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What it is: a medial branch, or the dorsal ramus at the sacral ala.
    pub kind: NerveKind,
    /// The spinal nerve it belongs to.
    pub nerve: Level,
    /// The vertebra on whose superior articular process or ala it is met.
    pub at: Level,
    /// Side.
    pub side: Side,
}

impl Target {
    /// The nerve in words, such as `L4 medial branch right`.
    pub fn name(&self) -> String {
        let kind = match self.kind {
            NerveKind::DorsalRamus => "dorsal ramus",
            _ => "medial branch",
        };
        format!("{} {kind} {}", self.nerve, self.side)
    }

    /// The place in words.
    pub fn place(&self) -> String {
        match self.kind {
            NerveKind::DorsalRamus => "sacral ala".to_owned(),
            _ => format!("superior articular process of {}", self.at),
        }
    }

    /// Its course in a patient.
    ///
    /// # Errors
    /// [`PlanError::NoNerve`] where the patient has none, or none with a stretch for a needle.
    pub fn course<'p>(&self, patient: &'p dyn Patient) -> Result<&'p Course, PlanError> {
        patient
            .course(self.kind, self.nerve, self.side)
            .filter(|c| c.target.is_some_and(|[from, to]| from < to && to < c.points.len()))
            .ok_or_else(|| PlanError::NoNerve {
                nerve: self.name(),
                levels: patient.levels().iter().map(|l| l.name()).collect::<Vec<_>>().join(", "),
            })
    }
}

/// The two nerves that supply a joint: the medial branch from the vertebra above the joint, met on the joint's upper vertebra, and that of
/// the joint's own level, met on the lower one; of the last lumbar vertebra the dorsal ramus, met on the sacral ala.
///
/// # Errors
/// [`PlanError::NoNerve`] where no vertebra of this program lies above.
pub fn nerves(joint: Joint, side: Side) -> Result<[Target; 2], PlanError> {
    let above = (joint.upper as usize)
        .checked_sub(1)
        .map(|i| Level::ALL[i])
        .ok_or_else(|| PlanError::NoNerve {
            nerve: format!("medial branch from above {}", joint.upper),
            levels: "T11 to S1".to_owned(),
        })?;
    let kind = if joint.lower == Level::S1 {
        NerveKind::DorsalRamus
    } else {
        NerveKind::MedialBranch
    };
    Ok([
        Target {
            kind: NerveKind::MedialBranch,
            nerve: above,
            at: joint.upper,
            side,
        },
        Target {
            kind,
            nerve: joint.upper,
            at: joint.lower,
            side,
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joints_have_the_nerves_of_the_usual_numbering() {
        let named = |joint: &str, side| {
            nerves(joint.parse().unwrap(), side)
                .unwrap()
                .map(|t| (t.name(), t.place()))
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            named("L4-L5", Side::Right),
            [
                pair("L3 medial branch right", "superior articular process of L4"),
                pair("L4 medial branch right", "superior articular process of L5"),
            ]
        );
        assert_eq!(
            named("L5–S1", Side::Left),
            [
                pair("L4 medial branch left", "superior articular process of L5"),
                pair("L5 dorsal ramus left", "sacral ala"),
            ]
        );
        assert_eq!(named("T12/L1", Side::Left)[0].0, "T11 medial branch left");
        assert_eq!(named("l3-4", Side::Left)[1].0, "L3 medial branch left");
        assert_eq!(named("L6-S1", Side::Left)[1].0, "L6 dorsal ramus left");
    }

    #[test]
    fn what_is_no_joint_is_refused() {
        for text in ["L4", "L4-L4", "L4-S1", "L5-L4", "L4-L5-S1", "", "x-y"] {
            let message = text.parse::<Joint>().unwrap_err();
            assert!(message.contains("such as L4-L5"), "{message}");
        }
        assert!(nerves("T11-T12".parse().unwrap(), Side::Left).is_err());
    }
}
