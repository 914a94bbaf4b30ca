//! Named views of a vertebra.
//!
//! Angles are measured in the vertebra's own axes, so that in each view but the declined one the superior end plate is seen edge on
//! ("squared"). The obliques turn the detector to the side by half of the usual 15–45°, where the lumbar "Scotty dog" shows: its eye is
//! the pedicle, its ear the superior articular process, its nose the transverse process.

use neurotome_base::{PatientPoint, Vec3};
use serde::{Deserialize, Serialize};

use super::{BodyAxes, CArm, CArmError};
use crate::anatomy::{Level, NerveKind, Patient, Side, VertebraFrame};

/// A view by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum NamedView {
    /// Over the back, end plate squared.
    Ap,
    /// From the patient's left or right.
    LateralLeft,
    LateralRight,
    /// Turned 30° to the side: the Scotty dog.
    ObliqueLeft,
    ObliqueRight,
    /// "Declined" or "pillar": turned 20° to the side and 25° to the feet, along a needle that lies alongside the medial branch.
    DeclinedLeft,
    DeclinedRight,
    /// Turned 60° to the side: into the foramen.
    ForaminalLeft,
    ForaminalRight,
}

impl NamedView {
    /// All.
    pub const ALL: [NamedView; 9] = [
        NamedView::Ap,
        NamedView::LateralLeft,
        NamedView::LateralRight,
        NamedView::ObliqueLeft,
        NamedView::ObliqueRight,
        NamedView::DeclinedLeft,
        NamedView::DeclinedRight,
        NamedView::ForaminalLeft,
        NamedView::ForaminalRight,
    ];

    /// Its name, as `oblique-right`.
    pub fn name(self) -> &'static str {
        [
            "ap",
            "lateral-left",
            "lateral-right",
            "oblique-left",
            "oblique-right",
            "declined-left",
            "declined-right",
            "foraminal-left",
            "foraminal-right",
        ][self as usize]
    }

    /// The side on which the detector is.
    pub fn side(self) -> Option<Side> {
        match self {
            NamedView::Ap => None,
            NamedView::LateralLeft | NamedView::ObliqueLeft | NamedView::DeclinedLeft | NamedView::ForaminalLeft => {
                Some(Side::Left)
            }
            _ => Some(Side::Right),
        }
    }

    /// Orbital and cranio-caudal angles relative to the vertebra, degrees.
    pub fn angles_deg(self) -> [f64; 2] {
        let side = self.side().map_or(0.0, Side::sign);
        match self {
            NamedView::Ap => [0.0, 0.0],
            NamedView::LateralLeft | NamedView::LateralRight => [90.0 * side, 0.0],
            NamedView::ObliqueLeft | NamedView::ObliqueRight => [30.0 * side, 0.0],
            NamedView::DeclinedLeft | NamedView::DeclinedRight => [20.0 * side, -25.0],
            NamedView::ForaminalLeft | NamedView::ForaminalRight => [60.0 * side, 0.0],
        }
    }
}

impl std::str::FromStr for NamedView {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.trim().to_ascii_lowercase().replace(['_', ' '], "-");
        NamedView::ALL.into_iter().find(|v| v.name() == wanted).ok_or_else(|| {
            let names = NamedView::ALL.map(NamedView::name).join(", ");
            format!("\"{text}\" is no view; expected one of {names}")
        })
    }
}

impl std::fmt::Display for NamedView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The C-arm turned to a named view. With a vertebra the beam keeps its angles to that vertebra; without, to the body. The machine's own
/// angles, which its travel limits, stay those of the body, so that a tilted vertebra is reached by tilting the arm.
///
/// # Errors
/// [`CArmError::Travel`] when the machine cannot reach it.
pub fn turned_to(arm: &CArm, view: NamedView, vertebra: Option<&VertebraFrame>) -> Result<CArm, CArmError> {
    let axes = vertebra.map_or(arm.axes, BodyAxes::from);
    let [orbital_deg, cranio_caudal_deg] = view.angles_deg();
    let wanted = CArm {
        orbital_deg,
        cranio_caudal_deg,
        axes,
        ..*arm
    };
    wanted.axes.check()?;
    let [orbital_deg, cranio_caudal_deg] = CArm::angles_along(&arm.axes, &wanted.beam());
    let turned = CArm {
        orbital_deg,
        cranio_caudal_deg,
        ..*arm
    };
    turned.check()?;
    Ok(turned)
}

/// What belongs into the isocentre for a view of a vertebra: in views from a side the neck of that side's superior articular process, where
/// the medial branch of the nerve above crosses it (at the sacrum the ala, with the L5 dorsal ramus); else, and where the nerve is not known,
/// the middle of the body. None without that vertebra.
pub fn aimed_at(patient: &dyn Patient, level: Level, view: NamedView) -> Option<PatientPoint> {
    let frame = patient.frame(level)?;
    let neck = || {
        let levels = patient.levels();
        let above = levels[levels.iter().position(|l| *l == level)?.checked_sub(1)?];
        let side = view.side()?;
        let course = [NerveKind::MedialBranch, NerveKind::DorsalRamus]
            .into_iter()
            .find_map(|kind| patient.course(kind, above, side))?;
        let [first, last] = course.target?;
        course.points.get(usize::midpoint(first, last)).copied()
    };
    Some(neck().unwrap_or_else(|| PatientPoint::from_vec(frame.origin)))
}

/// The C-arm with its beam along a direction in the patient, from source to detector: along a needle from tip to hub it is the view in
/// which the needle is a point.
///
/// # Errors
/// [`CArmError::Travel`] when the machine cannot reach it.
pub fn looking_along(arm: &CArm, direction: &Vec3) -> Result<CArm, CArmError> {
    let [orbital_deg, cranio_caudal_deg] = CArm::angles_along(&arm.axes, direction);
    let turned = CArm {
        orbital_deg,
        cranio_caudal_deg,
        ..*arm
    };
    turned.check()?;
    Ok(turned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for view in NamedView::ALL {
            assert_eq!(view.name().parse(), Ok(view));
        }
        assert_eq!("Oblique Right".parse(), Ok(NamedView::ObliqueRight));
        assert!("scotty".parse::<NamedView>().is_err());
    }

    /// A vertebra tipped forward and rolled: the AP and lateral beams lie in its end plate.
    #[test]
    fn end_plates_are_squared() {
        let (s, c) = 0.35f64.sin_cos();
        let superior = Vec3::new(0.05, -s, c).normalize();
        let left = (Vec3::x() - superior * superior.x).normalize();
        let frame = VertebraFrame {
            origin: Vec3::new(1.0, 2.0, 3.0),
            left,
            posterior: superior.cross(&left),
            superior,
        };
        for view in [
            NamedView::Ap,
            NamedView::LateralRight,
            NamedView::ObliqueLeft,
            NamedView::ForaminalRight,
        ] {
            let arm = turned_to(&CArm::default(), view, Some(&frame)).unwrap();
            assert!(arm.beam().dot(&superior).abs() < 1e-9, "{view}");
        }
        let ap = turned_to(&CArm::default(), NamedView::Ap, Some(&frame)).unwrap();
        assert!(ap.beam().dot(&left).abs() < 1e-9);
        // A vertebra tipped forward wants the detector tilted to the head: its end plate rises to the back.
        assert!(
            (ap.cranio_caudal_deg - 0.35f64.to_degrees()).abs() < 0.5,
            "{}",
            ap.cranio_caudal_deg
        );
        let right = turned_to(&CArm::default(), NamedView::ObliqueRight, None).unwrap();
        assert!(right.beam().x < 0.0 && right.beam().y > 0.0);
    }

    #[test]
    fn a_needle_seen_along_its_axis_is_a_point() {
        let direction = Vec3::new(-0.3, 0.8, -0.4).normalize();
        let arm = looking_along(&CArm::default(), &direction).unwrap();
        assert!((arm.beam() - direction).norm() < 1e-12);
    }
}
