//! What of a scenario lies in an X-ray beam.

use neurotome_base::{PatientPoint, Volume};
use neurotome_procedure::{
    anatomy::{
        ct::{CtRules, patient_alone},
        spine::{Hounsfield, Morphometry, Scanner, Sex},
    },
    catalog::{Catalog, find},
    fluoroscopy::{BodyAxes, Machine, TableTop, hounsfield_image},
};

use super::{Loaded, Setting, Source, whole_image};

/// Half sides of the box in which a phantom is sampled, mm.
const SAMPLED_HALF_MM: [f64; 3] = [150.0, 150.0, 110.0];
/// The patient in Hounsfield units, without the table: of the scenario's whole image the patient alone, since who lies prone under a C-arm has
/// left the scanner's couch; the built-in patient as a scanner would see it; or a phantom sampled round the target, in voxels of `spacing_mm`.
///
/// # Errors
/// Why there is none.
pub fn hounsfield(
    source: &Source,
    loaded: &Loaded,
    catalog: &Catalog,
    target: &PatientPoint,
    spacing_mm: f64,
) -> Result<Volume<f32>, String> {
    match &loaded.setting {
        Setting::Image(part) => {
            let hu = whole_image(source, loaded).map_err(|e| e.to_string())?;
            let hu = hu.unwrap_or_else(|| Volume::clone(part));
            patient_alone(&hu, &CtRules::default()).map_err(|e| e.to_string())
        }
        Setting::BuiltIn(spine) => {
            let sizes = Morphometry::new(catalog, Sex::Male);
            let hounsfield = Hounsfield::new(&sizes).map_err(|e| e.to_string())?;
            let scanner = Scanner {
                spacing_mm: [spacing_mm; 3],
                noise_hu: 0.0,
                ..Scanner::default()
            };
            spine
                .ct(&spine.extent(), &hounsfield, &scanner)
                .map_err(|e| e.to_string())
        }
        Setting::Phantom => {
            let hu: Vec<f32> = loaded
                .problem
                .tissue_names
                .iter()
                .map(|name| find(&catalog.tissue_hounsfield, name).map_or(0.0, |t| t.value_hu.value as f32))
                .collect();
            hounsfield_image(&*loaded.problem.anatomy, &hu, target, SAMPLED_HALF_MM, spacing_mm)
                .map_err(|e| e.to_string())
        }
    }
}

/// The table on which the patient of this volume lies prone; none under a phantom, or where the volume does not hold the body's front.
pub fn table_top(loaded: &Loaded, machine: &Machine, hu: &Volume<f32>) -> Option<TableTop> {
    match &loaded.setting {
        Setting::Phantom => None,
        Setting::BuiltIn(_) | Setting::Image(_) => {
            TableTop::under_body(&(&machine.entry).into(), hu, BodyAxes::default())
        }
    }
}
