//! People with the catalogue's sizes, for tests.

use super::{LumbarSpine, SpineParameters, TissueIds};
use crate::anatomy::TissueId;
use crate::catalog::{Catalog, SpineMeasure};

/// Tissues in the order of [`ids`].
pub(crate) const NAMES: [&str; 12] = [
    "muscle",
    "fat",
    "skin",
    "cortical_bone",
    "cancellous_bone",
    "intervertebral_disc",
    "csf",
    "nerve",
    "cartilage",
    "ligament",
    "blood",
    "air",
];

/// The catalogue's measures of the spine.
pub(crate) fn catalog() -> Catalog {
    #[derive(serde::Deserialize)]
    struct File {
        spine: Vec<SpineMeasure>,
    }
    let text = include_str!("../../../../../catalog/spine.toml");
    let File { spine } = toml::from_str(text).expect("the catalogue's measures");
    Catalog {
        spine,
        ..Catalog::default()
    }
}

/// Numbers of the tissues.
pub(crate) fn ids() -> TissueIds {
    TissueIds::by_name(|name| TissueId(NAMES.iter().position(|n| *n == name).expect("a tissue") as u8))
}

/// A person.
pub(crate) fn person(parameters: &SpineParameters) -> LumbarSpine {
    LumbarSpine::new(&catalog(), parameters, ids()).expect("a person")
}
