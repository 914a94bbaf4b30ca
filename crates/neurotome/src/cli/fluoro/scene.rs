//! What lies in the beam: patient, table, needles.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_io::scenario::Loaded;
use neurotome_procedure::{
    anatomy::{Level, Patient},
    fluoroscopy::{NeedleLook, needle_parts},
    lesion::Needle,
};

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
