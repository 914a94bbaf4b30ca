//! What lies in the beam: patient, table, needles.

use neurotome_base::{PatientPoint, Vec3, Volume};
use neurotome_io::scenario::{Loaded, Setting, Source, whole_image};
use neurotome_procedure::{
    anatomy::{
        Level, Patient,
        ct::{CtRules, patient_alone},
        spine::{Hounsfield, Morphometry, Scanner, Sex},
    },
    catalog::{Catalog, find},
    fluoroscopy::{BodyAxes, Machine, NeedleLook, TableTop, hounsfield_image, needle_parts},
    lesion::Needle,
};

use super::Failure;

/// Half sides of the box in which a phantom is sampled, mm.
const SAMPLED_HALF_MM: [f64; 3] = [150.0, 150.0, 110.0];
/// Room between the skin and the end of the built-in patient's box, mm.
const AIR_MM: f64 = 5.0;

fn input(e: &dyn std::fmt::Display) -> Failure {
    Failure::Input(e.to_string())
}

/// The patient whose vertebrae are known: built in, or an image with a spine fitted to it.
pub(super) fn vertebrae(loaded: &Loaded) -> Option<&dyn Patient> {
    loaded.patient.as_deref()
}

/// The vertebra whose middle is nearest to a point.
pub(super) fn nearest_level(patient: &dyn Patient, p: &PatientPoint) -> Option<Level> {
    let distance = |level: Level| patient.frame(level).map(|f| (f.origin - p.vec()).norm());
    let near = patient.levels().into_iter().filter_map(|l| Some((l, distance(l)?)));
    near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(level, _)| level)
}

/// The patient in Hounsfield units: the scenario's whole image, the built-in patient as a scanner would see it, or a phantom sampled round the
/// target. Of an image only the patient is kept where the table is not wanted.
pub(in crate::cli) fn patient(
    source: &Source,
    loaded: &Loaded,
    catalog: &Catalog,
    target: &PatientPoint,
    spacing_mm: f64,
    table: bool,
) -> Result<Volume<f32>, Failure> {
    match &loaded.setting {
        Setting::Image(part) => {
            let hu = whole_image(source, loaded).map_err(|e| input(&e))?;
            let hu = hu.unwrap_or_else(|| Volume::clone(part));
            if table {
                return Ok(hu);
            }
            patient_alone(&hu, &CtRules::default()).map_err(|e| input(&e))
        }
        Setting::BuiltIn(spine) => {
            let sizes = Morphometry::new(catalog, Sex::Male);
            let hounsfield = Hounsfield::new(&sizes).map_err(|e| input(&e))?;
            let scanner = Scanner {
                spacing_mm: [spacing_mm; 3],
                noise_hu: 0.0,
                ..Scanner::default()
            };
            spine.ct(&spine.extent(), &hounsfield, &scanner).map_err(|e| input(&e))
        }
        Setting::Phantom => {
            let hu: Vec<f32> = loaded
                .problem
                .tissue_names
                .iter()
                .map(|name| find(&catalog.tissue_hounsfield, name).map_or(0.0, |t| t.value_hu.value as f32))
                .collect();
            hounsfield_image(&*loaded.problem.anatomy, &hu, target, SAMPLED_HALF_MM, spacing_mm).map_err(|e| input(&e))
        }
    }
}

/// The table on which the built-in patient lies prone. A CT brings its own.
pub(super) fn table(loaded: &Loaded, machine: &Machine) -> Option<TableTop> {
    let Setting::BuiltIn(spine) = &loaded.setting else {
        return None;
    };
    let front = PatientPoint::new(0.0, spine.extent().low.xyz[1] + AIR_MM, 0.0);
    Some(TableTop::under(&machine.entry, &front, BodyAxes::default()))
}

/// The needles as solids, drawn back along their axis.
pub(super) fn needles(needles: &[Needle], back_mm: f64) -> Vec<neurotome_physics::xray::Part> {
    let look = NeedleLook::default();
    needles
        .iter()
        .flat_map(|n| {
            let tip = n.tip.vec() - Vec3::from(n.direction) * back_mm;
            let drawn = Needle {
                tip: PatientPoint::from_vec(tip),
                ..n.clone()
            };
            needle_parts(&drawn, &look)
        })
        .collect()
}
