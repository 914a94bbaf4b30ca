//! People for the claims.

use neurotome_io::catalog;
use neurotome_procedure::{
    anatomy::{
        TissueId,
        spine::{LumbarSpine, Sex, SpineParameters, TissueIds},
    },
    catalog::Catalog,
};

pub fn catalogue() -> Result<Catalog, String> {
    catalog::built_in().map_err(|e| e.to_string())
}

pub fn person(catalog: &Catalog, parameters: &SpineParameters) -> Result<LumbarSpine, String> {
    let id = |name: &str| TissueId(catalog.tissues.iter().position(|t| t.name == name).unwrap_or(0) as u8);
    LumbarSpine::new(catalog, parameters, TissueIds::by_name(id)).map_err(|e| e.to_string())
}

/// The mean person of a sex.
pub fn mean(catalog: &Catalog, sex: Sex) -> Result<LumbarSpine, String> {
    let parameters = SpineParameters {
        sex,
        ..SpineParameters::default()
    };
    person(catalog, &parameters)
}

/// A person of their own; even seeds are men.
pub fn drawn(catalog: &Catalog, seed: u64) -> Result<LumbarSpine, String> {
    let parameters = SpineParameters {
        seed: Some(seed),
        sex: if seed.is_multiple_of(2) { Sex::Male } else { Sex::Female },
        ..SpineParameters::default()
    };
    person(catalog, &parameters)
}
