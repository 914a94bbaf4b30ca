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
    let id = TissueId;
    TissueIds {
        muscle: id(0),
        fat: id(1),
        skin: id(2),
        cortical_bone: id(3),
        cancellous_bone: id(4),
        intervertebral_disc: id(5),
        csf: id(6),
        nerve: id(7),
        cartilage: id(8),
        ligament: id(9),
        blood: id(10),
        air: id(11),
    }
}

/// A person.
pub(crate) fn person(parameters: &SpineParameters) -> LumbarSpine {
    LumbarSpine::new(&catalog(), parameters, ids()).expect("a person")
}
