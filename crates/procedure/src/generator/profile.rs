//! What a make of generator can do and how it judges its readings; all of it from the catalogue.

use serde::{Deserialize, Serialize};

use crate::catalog::{GeneratorEntry, generator_keys};

macro_rules! profile {
    (
        [$($(#[$d1:meta])* $limit:ident),* $(,)?],
        [$($(#[$d2:meta])* $always:ident),* $(,)?],
        [$($(#[$d3:meta])* $pad:ident),* $(,)?],
        [$($(#[$d4:meta])* $twin:ident),* $(,)?]
    ) => {
        /// A generator's limits, instruments and alarm limits. Units stand in the names.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Profile {
            /// Name of the catalogue's entry.
            pub name: String,
            $($(#[$d1])* pub $limit: f64,)*
            $($(#[$d4])* pub $twin: f64,)*
        }

        impl Profile {
            /// The profile of an entry of the catalogue.
            ///
            /// # Errors
            /// The name of the first key that a twin needs and the entry lacks.
            pub fn from_entry(entry: &GeneratorEntry) -> Result<Self, &'static str> {
                Ok(Self {
                    name: entry.name.clone(),
                    $($limit: entry.$limit.value,)*
                    $($twin: entry.$twin.as_ref().ok_or(stringify!($twin))?.value,)*
                })
            }
        }
    };
}

generator_keys!(profile);
