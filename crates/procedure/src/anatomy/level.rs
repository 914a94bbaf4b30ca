//! Names of vertebrae and sides.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A vertebra, from above to below. L6 is there in spines with a transitional sixth lumbar vertebra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Level {
    T11,
    T12,
    L1,
    L2,
    L3,
    L4,
    L5,
    L6,
    S1,
}

impl Level {
    /// All, from above to below.
    pub const ALL: [Level; 9] = [
        Level::T11,
        Level::T12,
        Level::L1,
        Level::L2,
        Level::L3,
        Level::L4,
        Level::L5,
        Level::L6,
        Level::S1,
    ];

    /// The next one up in a spine of five lumbar vertebrae; none above T11.
    pub fn above(self) -> Option<Level> {
        match self {
            Level::S1 => Some(Level::L5),
            _ => (self as usize).checked_sub(1).map(|n| Self::ALL[n]),
        }
    }

    /// Its name, such as `L4`.
    pub fn name(self) -> &'static str {
        ["T11", "T12", "L1", "L2", "L3", "L4", "L5", "L6", "S1"][self as usize]
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.trim().to_ascii_uppercase();
        Level::ALL
            .into_iter()
            .find(|l| l.name() == wanted)
            .ok_or_else(|| format!("\"{text}\" is no level; expected one of T11, T12, L1 to L6, S1"))
    }
}

/// A side of the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Side {
    Left,
    Right,
}

impl Side {
    /// Both.
    pub const BOTH: [Side; 2] = [Side::Left, Side::Right];

    /// +1 on the left, −1 on the right: the sign of x in the patient frame.
    pub fn sign(self) -> f64 {
        match self {
            Side::Left => 1.0,
            Side::Right => -1.0,
        }
    }

    /// `left` or `right`.
    pub fn name(self) -> &'static str {
        match self {
            Side::Left => "left",
            Side::Right => "right",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "left" | "l" => Ok(Side::Left),
            "right" | "r" => Ok(Side::Right),
            _ => Err(format!("\"{text}\" is no side; expected left or right")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for level in Level::ALL {
            assert_eq!(level.name().to_lowercase().parse(), Ok(level));
        }
        for side in Side::BOTH {
            assert_eq!(side.name().parse(), Ok(side));
        }
        assert!("L7".parse::<Level>().is_err());
        assert!(Level::L4 < Level::L5);
    }
}
