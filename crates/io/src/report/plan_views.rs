//! A plan as a C-arm shows it: radiographs with needle, entry and nerve drawn over them.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::anatomy::VertebraFrame;
use neurotome_procedure::fluoroscopy::{NamedView, looking_along, turned_to};

use super::{
    sheet::{Overlay, Panel, Radiographer, sheet},
    style::{ACTIVE_TIP, ISO_50, NERVE_TARGET},
};
use crate::results::ResultsError;

/// Side of a view, pixels, and its width at the needle, mm.
pub const SIDE_PX: usize = 420;
/// See [`SIDE_PX`].
pub const FIELD_MM: f64 = 130.0;
/// The shaft is drawn so far beyond the skin, and the ring round the entry has this radius, mm.
const OUTSIDE_MM: f64 = 20.0;
const RING_MM: f64 = 2.0;

/// A needle to be drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlannedNeedle {
    /// Distal end, mm.
    pub tip_mm: PatientPoint,
    /// Where the axis meets the skin, mm.
    pub entry_mm: PatientPoint,
    /// Active tip, mm.
    pub active_tip_mm: f64,
}

/// Four views of a plan for one nerve: antero-posterior, lateral and oblique, squared to the vertebra, and along the needle. PNG.
///
/// # Errors
/// [`ResultsError::Picture`].
pub fn plan_views(
    camera: &Radiographer,
    frame: &VertebraFrame,
    title: &str,
    needle: &PlannedNeedle,
    nerve: &[PatientPoint],
    right_side: bool,
) -> Result<Vec<u8>, ResultsError> {
    let (tip, entry) = (needle.tip_mm.vec(), needle.entry_mm.vec());
    let back = (entry - tip).normalize();
    let point = |p: Vec3| PatientPoint::from_vec(p);
    let across = back.cross(&frame.superior).normalize();
    let other = back.cross(&across);
    let ring = (0..=24).map(|i| {
        let (sin, cos) = (std::f64::consts::TAU * f64::from(i) / 24.0).sin_cos();
        point(entry + (across * cos + other * sin) * RING_MM)
    });
    let overlay: Vec<Overlay> = vec![
        (NERVE_TARGET, 2.6, nerve.to_vec()),
        (ISO_50, 2.2, vec![needle.tip_mm, point(entry + back * OUTSIDE_MM)]),
        (
            ACTIVE_TIP,
            4.0,
            vec![needle.tip_mm, point(tip + back * needle.active_tip_mm)],
        ),
        (ISO_50, 1.8, ring.collect()),
    ];
    let target = point(tip + back * (0.5 * needle.active_tip_mm));
    let failed = |e: &dyn std::fmt::Display| ResultsError::Picture { reason: e.to_string() };
    let (lateral, oblique) = if right_side {
        (NamedView::LateralRight, NamedView::ObliqueRight)
    } else {
        (NamedView::LateralLeft, NamedView::ObliqueLeft)
    };
    let mut panels: Vec<Panel> = Vec::new();
    for view in [NamedView::Ap, lateral, oblique] {
        let arm = turned_to(camera.arm(), view, Some(frame)).map_err(|e| failed(&e))?;
        panels.push(camera.panel(view.name(), &arm, &target, &overlay)?);
    }
    // A machine cannot look along every needle.
    if let Ok(arm) = looking_along(camera.arm(), &back) {
        panels.push(camera.panel("along the needle", &arm, &target, &overlay)?);
    }
    sheet(
        title,
        &[panels],
        "Nerve green, shaft orange, active tip blue, entry through the skin ringed. Research and teaching software, not a medical device.",
    )
}
