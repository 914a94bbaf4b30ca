//! The folder of an injection: its record, pictures, and the fields as images.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use neurotome_base::{Affine, Point, Volume, geometry::Voxel};
use neurotome_procedure::anaesthesia::Spread;

use super::{
    ExtraFile, ResultsError,
    folder::{Staging, write_file},
};
use crate::volumes::write_nifti_f32;

/// The fluid's share of the volume.
pub const SHARE_FILE: &str = "share.nii.gz";
/// The drug's concentration.
pub const CONCENTRATION_FILE: &str = "concentration.nii.gz";

/// Writes an injection's files to a folder, whole or not at all: those made, among which `inject.json` must be, the fluid's share of the volume
/// and, with a drug, its concentration in mmol/l, both at `t_s` from the start of the injection.
///
/// # Errors
/// [`ResultsError`]; nothing is left behind.
pub fn write_injection(
    folder: &Path,
    made: &[ExtraFile],
    spread: &Spread,
    t_s: f64,
) -> Result<Vec<PathBuf>, ResultsError> {
    let staging = Staging::begin(folder)?;
    let mut contents = BTreeMap::new();
    for file in made {
        write_file(&staging.path(&file.name), &file.bytes)?;
        contents.insert(file.name.clone(), file.caption.clone());
    }
    let failed = |e: &dyn std::fmt::Display| ResultsError::Picture { reason: e.to_string() };
    let (first, dims, side_mm) = spread.lattice();
    let affine = Affine::axis_aligned([side_mm; 3], first.xyz).map_err(|e| failed(&e))?;
    let [nx, ny, nz] = dims;
    let image = |value: &(dyn Fn(&neurotome_base::PatientPoint) -> f64 + Sync)| {
        use rayon::prelude::*;
        let data: Vec<f32> = (0..nx * ny * nz)
            .into_par_iter()
            .with_min_len(1024)
            .map(|n| {
                let at = Point::<Voxel>::new((n % nx) as f64, (n / nx % ny) as f64, (n / (nx * ny)) as f64);
                value(&affine.to_patient(&at)) as f32
            })
            .collect();
        Volume::new(dims, affine, data).map_err(|e| failed(&e))
    };
    let share = image(&|p| spread.share(p, t_s))?;
    write_nifti_f32(&staging.path(SHARE_FILE), &share).map_err(|e| failed(&e))?;
    contents.insert(
        SHARE_FILE.to_owned(),
        "the fluid's share of the volume, 0 to 1, for `share_path` of [injectate]".to_owned(),
    );
    if spread.solution.drug.is_some() {
        let concentration = image(&|p| spread.concentration_mmol_per_l(p, t_s))?;
        write_nifti_f32(&staging.path(CONCENTRATION_FILE), &concentration).map_err(|e| failed(&e))?;
        contents.insert(
            CONCENTRATION_FILE.to_owned(),
            "concentration of the drug in the fluid of the tissue's pores, mmol/l".to_owned(),
        );
    }
    staging.publish(&contents)
}
