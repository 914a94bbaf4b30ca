//! JSON of uncertain form, kept small: what is long or nested is counted and not kept.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longest list that is kept.
const KEPT: usize = 4;
/// Longest text shown in a message, characters.
const SHOWN: usize = 60;

/// A value that may be of the wrong type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Loose {
    Text(String),
    Number(f64),
    /// Number of elements, and the first of them.
    List(usize, Vec<Loose>),
    Other(&'static str),
}

impl Loose {
    /// The three numbers that it is, if so.
    pub(super) fn triple(&self) -> Option<[f64; 3]> {
        match self {
            Loose::List(3, values) => match values[..] {
                [Loose::Number(x), Loose::Number(y), Loose::Number(z)] => Some([x, y, z]),
                _ => None,
            },
            _ => None,
        }
    }
}

impl fmt::Display for Loose {
    /// For a message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loose::Text(text) => f.write_str(&quoted(text)),
            Loose::Number(n) => write!(f, "{n}"),
            Loose::List(count, values) if *count == values.len() => {
                let shown: Vec<String> = values.iter().map(Loose::to_string).collect();
                write!(f, "[{}]", shown.join(", "))
            }
            Loose::List(count, _) => write!(f, "a list of {count}"),
            Loose::Other(what) => f.write_str(what),
        }
    }
}

/// A text in quotes, short enough for a message.
pub(super) fn quoted(text: &str) -> String {
    let more = text.chars().nth(SHOWN).map_or("", |_| "…");
    let start: String = text.chars().take(SHOWN).collect();
    format!("{:?}", start + more)
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Loose;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
                Ok(Loose::Other(if value { "true" } else { "false" }))
            }
            fn visit_unit<E>(self) -> Result<Loose, E> {
                Ok(Loose::Other("null"))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Loose, E> {
                Ok(Loose::Number(value as f64))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
                Ok(Loose::Number(value as f64))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Loose, E> {
                Ok(Loose::Number(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Loose, E> {
                Ok(Loose::Text(value.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
                let mut kept = Vec::new();
                while kept.len() < KEPT {
                    match list.next_element()? {
                        Some(value) => kept.push(value),
                        None => return Ok(Loose::List(kept.len(), kept)),
                    }
                }
                Ok(Loose::List(KEPT + rest(&mut list)?, kept))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose::Other("an object"))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Counts what is left of a list and keeps nothing.
pub(super) fn rest<'de, A: SeqAccess<'de>>(list: &mut A) -> Result<usize, A::Error> {
    let mut count = 0;
    while list.next_element::<IgnoredAny>()?.is_some() {
        count += 1;
    }
    Ok(count)
}
