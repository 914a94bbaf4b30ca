//! Points that a person sets by hand on a vertebra, and how they are named.
//!
//! A name is a level, a side where the landmark has two, and the landmark: `L4 right SAP-TP junction`. A level alone, `L4`, is a
//! rough point within that vertebra's body. Case, spaces, underscores, hyphens and dots do not matter, `R` and `L` stand for right and
//! left, and the order of level and side is free: `l4_r_mamillary` and `Right L4 mamillary process` are the same point.
//!
//! | name | landmark |
//! | --- | --- |
//! | `L4` or `L4 body` | [`Landmark::Body`] |
//! | `L4 right SAP-TP junction` | [`Landmark::Junction`]; at the sacrum also `S1 right SAP-ala junction` |
//! | `L4 right mamillary` | [`Landmark::Mamillary`] |
//! | `L4 right accessory` | [`Landmark::Accessory`] |
//! | `L4 right foramen` | [`Landmark::Foramen`] |
//! | `L4 right TP tip` | [`Landmark::TransverseTip`] |
//!
//! Anything else is an error: a name that is nearly right could be another vertebra.

use std::fmt;
use std::str::FromStr;

use super::{Level, Side};

/// A place on a vertebra that can be found by eye in a CT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Landmark {
    /// A rough point within the vertebral body, anywhere in its middle third: it says which vertebra is meant and no more.
    Body,
    /// The deepest point of the notch between the lateral face of the superior articular process and the upper border of the transverse
    /// process, where they join; at S1 that between the superior articular process and the ala of the sacrum. The medial branch of the
    /// nerve above (at S1 the dorsal ramus of L5) crosses the bone here.
    Junction,
    /// The tip of the mamillary process: the rounded prominence on the posterior border of the superior articular process.
    Mamillary,
    /// The tip of the accessory process: the small prominence on the back of the transverse process's root, below and lateral of the
    /// mamillary process. The mamillo-accessory ligament runs between the two and bridges the medial branch.
    Accessory,
    /// The middle of the intervertebral foramen beneath this vertebra's pedicle, where the nerve of the same number leaves: that of L4
    /// lies between L4 and L5.
    Foramen,
    /// The most lateral point of the transverse process.
    TransverseTip,
}

impl Landmark {
    /// All.
    pub const ALL: [Landmark; 6] = [
        Landmark::Body,
        Landmark::Junction,
        Landmark::Mamillary,
        Landmark::Accessory,
        Landmark::Foramen,
        Landmark::TransverseTip,
    ];

    /// Its name within a label, such as `SAP-TP junction`.
    pub fn name(self) -> &'static str {
        match self {
            Landmark::Body => "body",
            Landmark::Junction => "SAP-TP junction",
            Landmark::Mamillary => "mamillary",
            Landmark::Accessory => "accessory",
            Landmark::Foramen => "foramen",
            Landmark::TransverseTip => "TP tip",
        }
    }

    /// True where a vertebra has one on each side.
    pub fn has_sides(self) -> bool {
        self != Landmark::Body
    }

    /// True where such a vertebra has it. The transverse processes of the sacrum are fused into its ala, and its nerves leave through
    /// holes in it, not between two vertebrae.
    pub fn is_on(self, level: Level) -> bool {
        level != Level::S1 || !matches!(self, Landmark::Accessory | Landmark::TransverseTip | Landmark::Foramen)
    }

    /// The landmark of the words left of a label once level and side are taken out, in lower case and run together.
    fn of_words(words: &str) -> Option<Self> {
        Some(match words {
            "" | "body" | "vertebralbody" | "corpus" => Landmark::Body,
            "saptpjunction" | "saptp" | "junction" | "tpsapjunction" | "tpsap" | "sapalajunction" | "sapala" => {
                Landmark::Junction
            }
            "mamillary" | "mammillary" | "mamillaryprocess" | "mammillaryprocess" => Landmark::Mamillary,
            "accessory" | "accessoryprocess" => Landmark::Accessory,
            "foramen" | "intervertebralforamen" | "neuroforamen" | "neuralforamen" => Landmark::Foramen,
            "tptip" | "tipoftp" | "transverseprocesstip" | "tipoftransverseprocess" | "transversetip" => {
                Landmark::TransverseTip
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Landmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a label names no landmark.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LandmarkNameError {
    /// No level in it, or more than one.
    #[error(
        "landmark \"{label}\": found {found}; expected one level (T11, T12, L1 to L6, S1), as in \"L4 right mamillary\"; rename the point"
    )]
    Level {
        /// The label.
        label: String,
        /// What was found in the level's place.
        found: String,
    },
    /// The words beside level and side name nothing.
    #[error(
        "landmark \"{label}\": found \"{found}\", which names no landmark; expected nothing (a point in the body), \"SAP-TP junction\", \"mamillary\", \"accessory\", \"foramen\" or \"TP tip\"; rename the point"
    )]
    Unknown {
        /// The label.
        label: String,
        /// The words.
        found: String,
    },
    /// The side is missing, doubled or too much.
    #[error("landmark \"{label}\": found {found}; expected {expected}; rename the point")]
    Side {
        /// The label.
        label: String,
        /// What was found in the side's place.
        found: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// This vertebra has none.
    #[error(
        "landmark \"{label}\": {level} has no such landmark here ({landmark}); expected, at S1, a point in the body, \"SAP-TP junction\" or \"mamillary\"; rename or remove the point"
    )]
    NotThere {
        /// The label.
        label: String,
        /// The vertebra.
        level: Level,
        /// The landmark.
        landmark: Landmark,
    },
}

/// Which landmark a point is: what its label says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LandmarkName {
    /// The vertebra.
    pub level: Level,
    /// The side; none for the body.
    pub side: Option<Side>,
    /// The landmark.
    pub landmark: Landmark,
}

impl fmt::Display for LandmarkName {
    /// The name as this module reads it back, such as `L4 right SAP-TP junction`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.level)?;
        if let Some(side) = self.side {
            write!(f, " {side}")?;
        }
        match self.landmark {
            Landmark::Body => Ok(()),
            landmark => write!(f, " {landmark}"),
        }
    }
}

impl FromStr for LandmarkName {
    type Err = LandmarkNameError;

    fn from_str(text: &str) -> Result<Self, LandmarkNameError> {
        let label = shortened(text);
        let lower = text.to_lowercase();
        let words: Vec<&str> = lower
            .split(|c: char| !c.is_alphanumeric())
            .filter(|w| !w.is_empty())
            .collect();
        let (mut levels, mut sides, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        let mut n = 0;
        while n < words.len() {
            let word = words[n];
            // "L 4": a letter apart from its number is the level's, never a side.
            if let Some(level) = words.get(n + 1).and_then(|next| split_level(word, next)) {
                levels.push(level);
                n += 2;
                continue;
            }
            if let Some((level, side)) = level_and_side(word) {
                levels.push(level);
                sides.extend(side);
            } else if let Some(side) = side_of(word) {
                sides.push(side);
            } else {
                rest.push(word);
            }
            n += 1;
        }
        let level = match levels[..] {
            [level] => level,
            [] => {
                return Err(LandmarkNameError::Level {
                    label,
                    found: "no level".to_owned(),
                });
            }
            [first, second, ..] => {
                return Err(LandmarkNameError::Level {
                    label,
                    found: format!("more than one level, {first} and {second}"),
                });
            }
        };
        let landmark = Landmark::of_words(&rest.concat()).ok_or_else(|| LandmarkNameError::Unknown {
            label: label.clone(),
            found: shortened(&rest.join(" ")),
        })?;
        let wrong_side = |found, expected| LandmarkNameError::Side {
            label: label.clone(),
            found,
            expected,
        };
        let side = match (&sides[..], landmark.has_sides()) {
            ([], false) => None,
            ([side], true) => Some(*side),
            ([], true) => return Err(wrong_side("no side", SIDED)),
            ([_, _, ..], true) => return Err(wrong_side("more than one side", SIDED)),
            (_, false) => return Err(wrong_side("a side", "none for a point in the body, as in \"L4\"")),
        };
        if landmark.is_on(level) {
            Ok(Self { level, side, landmark })
        } else {
            Err(LandmarkNameError::NotThere { label, level, landmark })
        }
    }
}

/// What a landmark with two sides needs.
const SIDED: &str = "\"right\" or \"left\", as in \"L4 right mamillary\"";

/// The start of a text, short enough for a message.
fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    let mut out: String = text.chars().take(MOST).collect();
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out
}

fn side_of(word: &str) -> Option<Side> {
    match word {
        "r" | "rt" | "right" => Some(Side::Right),
        "l" | "lt" | "left" => Some(Side::Left),
        _ => None,
    }
}

/// A level written as two words.
fn split_level(letter: &str, number: &str) -> Option<Level> {
    let parted = matches!(letter, "l" | "t" | "s") && number.bytes().all(|b| b.is_ascii_digit());
    parted.then(|| format!("{letter}{number}").parse().ok()).flatten()
}

/// A level, and a side that is written in one with it, as in `l4r`.
fn level_and_side(word: &str) -> Option<(Level, Option<Side>)> {
    let digits = word.get(1..)?.bytes().take_while(u8::is_ascii_digit).count();
    let (level, after) = word.split_at_checked(1 + digits)?;
    let level = level.parse().ok()?;
    if after.is_empty() {
        Some((level, None))
    } else {
        side_of(after).map(|side| (level, Some(side)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for level in Level::ALL {
            for landmark in Landmark::ALL.into_iter().filter(|l| l.is_on(level)) {
                let sides = if landmark.has_sides() {
                    Side::BOTH.map(Some).to_vec()
                } else {
                    vec![None]
                };
                for side in sides {
                    let name = LandmarkName { level, side, landmark };
                    let text = name.to_string();
                    assert_eq!(text.parse(), Ok(name), "{text}");
                    assert_eq!(text.to_uppercase().replace([' ', '-'], "_").parse(), Ok(name), "{text}");
                }
            }
        }
    }

    #[test]
    fn labels_as_people_write_them() {
        let name = |text: &str| text.parse::<LandmarkName>().map(|n| n.to_string());
        for (text, expected) in [
            ("L4", "L4"),
            ("l4 body", "L4"),
            (" L 4 ", "L4"),
            ("T_12 left accessory", "T12 left accessory"),
            ("l4_r_mamillary", "L4 right mamillary"),
            ("L4 L mammillary process", "L4 left mamillary"),
            ("L L4 mamillary", "L4 left mamillary"),
            ("Right L5 SAP/TP junction", "L5 right SAP-TP junction"),
            ("L4R SAP-TP", "L4 right SAP-TP junction"),
            ("L3left.foramen", "L3 left foramen"),
            ("S1 rt SAP-ala junction", "S1 right SAP-TP junction"),
            ("L2 LEFT TIP OF TP", "L2 left TP tip"),
        ] {
            assert_eq!(name(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_nearly_a_name_is_refused() {
        let refused = |text: &str| text.parse::<LandmarkName>().unwrap_err().to_string();
        for (text, expected) in [
            ("", "no level"),
            ("F-1", "no level"),
            ("L7 right mamillary", "no level"),
            ("L4 L5 right mamillary", "more than one level, L4 and L5"),
            ("L4 mamillary", "no side"),
            ("L4 right left mamillary", "more than one side"),
            ("L4 right", "a side"),
            ("L4-1", "\"1\", which names no landmark"),
            ("L4 right TP", "\"tp\", which names no landmark"),
            ("L4 right pedicle", "rename the point"),
            ("L4x right mamillary", "no level"),
            ("S1 left TP tip", "S1 has no such landmark"),
        ] {
            let message = refused(text);
            assert!(message.contains(expected), "{text}: {message}");
        }
        assert!(refused(&"é".repeat(100_000)).len() < 500);
    }
}
