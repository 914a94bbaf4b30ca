//! All of a scenario's image, not only the part round the region computed.

use std::env;

use super::{Loaded, ScenarioError, Source, TEST_DATA_VARIABLE};
use crate::dicom::{CtOptions, read_ct_with};
use neurotome_base::Volume;

/// The scenario's whole CT in Hounsfield units; none for an anatomy that is no image.
///
/// # Errors
/// [`ScenarioError::Read`].
pub fn whole_image(source: &Source, loaded: &Loaded) -> Result<Option<Volume<f32>>, ScenarioError> {
    let Some(image) = &loaded.scenario.image else {
        return Ok(None);
    };
    let error = |reason: String| ScenarioError::Read {
        path: image.path.clone(),
        reason,
    };
    let variable = format!("${{{TEST_DATA_VARIABLE}}}");
    let folder = || env::var(TEST_DATA_VARIABLE).map_err(|_| error(format!("{TEST_DATA_VARIABLE} is not set")));
    let path = if image.path.contains(&variable) {
        image.path.replace(&variable, &folder()?)
    } else {
        image.path.clone()
    };
    let options = CtOptions {
        series: image.series.clone(),
        crop: None,
    };
    let ct = read_ct_with(&source.folder.join(path), &options).map_err(|e| error(e.to_string()))?;
    Ok(Some(ct.hu))
}
