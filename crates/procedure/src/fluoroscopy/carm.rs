//! The C-arm: where its source and detector are for given angles.
//!
//! The patient lies prone. Seen from the feet (left) and from the patient's right (right):
//!
//! ```text
//!                 detector                                  detector
//!            ────────┬────────                 cranial +  ────┬────
//!     −  ↙           │d          ↘  +                  ↖      │d     ↗  caudal −
//!                    │                                        │
//!    right     ______│______    left           head   ________│________   feet
//!   (−x)      (   posterior )   (+x)          (+z)   (  posterior (+y) )   (−z)
//!             (  isocentre· )                        (   · isocentre   )
//!             (___anterior__)                        (____anterior_____)
//!    ════════════════╪════════════ table       ═══════════════╪═══════════════ table
//!                    │                                        │
//!                    × source                                 × source
//! ```
//!
//! `orbital_deg` turns the detector about the body's long axis: 0 is over the back (AP picture: the beam runs from front to back),
//! positive towards the patient's left, 90 is a lateral with the detector on the left. `cranio_caudal_deg` then tilts the detector
//! towards the head (positive) or the feet (negative). The beam's direction from source to detector is
//! `d = cos f (cos t · posterior + sin t · left) + sin f · superior`.
//!
//! In DICOM (C.8.7.5) Positioner Primary Angle is 0 with the detector before the chest and positive towards the patient's left, and
//! the Secondary Angle positive towards the head: primary = 180° − orbital, secondary = cranio-caudal.
//!
//! Pictures are seen from the detector, head up: with the detector over the back the patient's left is on the left of the picture, as
//! for one who looks at the back. Rows run from head to feet.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::xray::View;
use serde::{Deserialize, Serialize};

use crate::anatomy::VertebraFrame;

/// Why a C-arm cannot stand so.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CArmError {
    /// A setting is out of range.
    #[error("C-arm: {key} = {found}; expected {expected}")]
    Setting {
        /// The setting, unit included.
        key: &'static str,
        /// Its value.
        found: f64,
        /// What was expected.
        expected: &'static str,
    },
    /// An angle is beyond the machine's travel.
    #[error(
        "C-arm: {key} = {found} is beyond the machine's travel of {low} to {high}; turn the patient or choose another view"
    )]
    Travel {
        /// The angle or shift, unit included.
        key: &'static str,
        /// Its value.
        found: f64,
        /// Lowest.
        low: f64,
        /// Highest.
        high: f64,
    },
    /// The axes of the body are not unit vectors at right angles, right-handed.
    #[error(
        "C-arm: the axes left {left:?}, posterior {posterior:?}, superior {superior:?} are not orthonormal and right-handed; expected unit vectors at right angles with left × posterior = superior"
    )]
    Axes {
        /// To the patient's left.
        left: [f64; 3],
        /// Posterior.
        posterior: [f64; 3],
        /// Superior.
        superior: [f64; 3],
    },
}

/// Axes to which the angles of a C-arm refer: those of the body, or of one vertebra.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BodyAxes {
    /// To the patient's left, unit.
    pub left: Vec3,
    /// Posterior, unit.
    pub posterior: Vec3,
    /// Superior, unit.
    pub superior: Vec3,
}

impl Default for BodyAxes {
    /// The axes of the patient frame, LPS.
    fn default() -> Self {
        Self {
            left: Vec3::x(),
            posterior: Vec3::y(),
            superior: Vec3::z(),
        }
    }
}

impl From<&VertebraFrame> for BodyAxes {
    fn from(frame: &VertebraFrame) -> Self {
        Self {
            left: frame.left,
            posterior: frame.posterior,
            superior: frame.superior,
        }
    }
}

impl BodyAxes {
    /// Checks that they are orthonormal and right-handed.
    ///
    /// # Errors
    /// [`CArmError::Axes`].
    pub fn check(&self) -> Result<(), CArmError> {
        let off = (self.left.cross(&self.posterior) - self.superior).norm()
            + (self.left.norm() - 1.0).abs()
            + (self.posterior.norm() - 1.0).abs()
            + self.left.dot(&self.posterior).abs();
        // NaN is not below.
        if off < 1e-6 {
            return Ok(());
        }
        Err(CArmError::Axes {
            left: self.left.into(),
            posterior: self.posterior.into(),
            superior: self.superior.into(),
        })
    }
}

/// Half widths of the collimator's opening in the plane of the detector, mm; nothing beyond is exposed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collimation {
    /// Across the picture.
    pub half_width_mm: f64,
    /// Along the picture's height.
    pub half_height_mm: f64,
}

/// How far a machine moves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Travel {
    /// Lowest and highest orbital angle, degrees.
    pub orbital_deg: [f64; 2],
    /// Lowest and highest cranio-caudal angle, degrees.
    pub cranio_caudal_deg: [f64; 2],
    /// Largest shift of the table to each side, mm.
    pub table_shift_mm: f64,
}

impl Default for Travel {
    /// No limits but those of a circle.
    fn default() -> Self {
        Self {
            orbital_deg: [-180.0, 180.0],
            cranio_caudal_deg: [-90.0, 90.0],
            table_shift_mm: 1e4,
        }
    }
}

/// A C-arm and its table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CArm {
    /// Angle about the body's long axis, degrees; see the module.
    pub orbital_deg: f64,
    /// Tilt of the detector towards the head, degrees.
    pub cranio_caudal_deg: f64,
    /// From source to detector, mm.
    pub source_detector_mm: f64,
    /// From source to isocentre, mm.
    pub source_isocentre_mm: f64,
    /// Width and height of the detector, mm.
    pub detector_mm: [f64; 2],
    /// Columns and rows of the picture.
    pub pixels: [usize; 2],
    /// Part of the detector that fills the picture: 1 all of it, 2 its middle half ("mag").
    pub zoom: f64,
    /// Collimator; none: open.
    pub collimation: Option<Collimation>,
    /// Shift of table and patient from where the target lies at the isocentre, mm to the patient's left, posterior, superior.
    pub table_shift_mm: [f64; 3],
    /// Axes to which the angles refer.
    pub axes: BodyAxes,
    /// What the machine can reach.
    pub travel: Travel,
}

impl Default for CArm {
    /// A mobile C-arm over the back: 1000 mm from source to detector, 650 to the isocentre, a flat detector of 300 mm.
    fn default() -> Self {
        Self {
            orbital_deg: 0.0,
            cranio_caudal_deg: 0.0,
            source_detector_mm: 1000.0,
            source_isocentre_mm: 650.0,
            detector_mm: [300.0; 2],
            pixels: [512; 2],
            zoom: 1.0,
            collimation: None,
            table_shift_mm: [0.0; 3],
            axes: BodyAxes::default(),
            travel: Travel::default(),
        }
    }
}

impl CArm {
    /// Magnification of what lies at the isocentre.
    pub fn magnification(&self) -> f64 {
        self.source_detector_mm / self.source_isocentre_mm
    }

    /// Width and height of a pixel in the plane of the detector, mm.
    pub fn pixel_mm(&self) -> [f64; 2] {
        [0, 1].map(|a| self.detector_mm[a] / self.zoom / self.pixels[a] as f64)
    }

    /// Unit vector from source to detector, in the patient.
    pub fn beam(&self) -> Vec3 {
        let (t, f) = (self.orbital_deg.to_radians(), self.cranio_caudal_deg.to_radians());
        (self.axes.posterior * t.cos() + self.axes.left * t.sin()) * f.cos() + self.axes.superior * f.sin()
    }

    /// Unit vectors across the picture to the right and down, in the patient.
    pub fn picture_axes(&self) -> [Vec3; 2] {
        let (t, f) = (self.orbital_deg.to_radians(), self.cranio_caudal_deg.to_radians());
        let across = self.axes.posterior * t.sin() - self.axes.left * t.cos();
        let down = (self.axes.posterior * t.cos() + self.axes.left * t.sin()) * f.sin() - self.axes.superior * f.cos();
        [across, down]
    }

    /// The angles for which the beam runs along a direction (from source to detector), degrees: orbital and cranio-caudal.
    pub fn angles_along(axes: &BodyAxes, direction: &Vec3) -> [f64; 2] {
        let d = direction.normalize();
        let (left, posterior, superior) = (d.dot(&axes.left), d.dot(&axes.posterior), d.dot(&axes.superior));
        let orbital = if left.hypot(posterior) < 1e-9 {
            0.0
        } else {
            left.atan2(posterior)
        };
        [orbital.to_degrees(), superior.clamp(-1.0, 1.0).asin().to_degrees()]
    }

    /// Checks settings, axes and travel.
    ///
    /// # Errors
    /// [`CArmError`].
    pub fn check(&self) -> Result<(), CArmError> {
        let setting = |key, found: f64, holds: bool, expected| {
            if holds {
                Ok(())
            } else {
                Err(CArmError::Setting { key, found, expected })
            }
        };
        let above_zero = |key, v: f64| setting(key, v, v > 0.0 && v.is_finite(), "a finite number above zero");
        above_zero("source_detector_mm", self.source_detector_mm)?;
        above_zero("source_isocentre_mm", self.source_isocentre_mm)?;
        setting(
            "source_isocentre_mm",
            self.source_isocentre_mm,
            self.source_isocentre_mm < self.source_detector_mm,
            "less than source_detector_mm: the isocentre lies between source and detector",
        )?;
        for side in self.detector_mm {
            above_zero("detector_mm", side)?;
        }
        for n in self.pixels {
            setting("pixels", n as f64, (1..=4096).contains(&n), "1 to 4096 along each side")?;
        }
        setting("zoom", self.zoom, (1.0..=16.0).contains(&self.zoom), "1 to 16")?;
        if let Some(c) = self.collimation {
            above_zero("collimation half_width_mm", c.half_width_mm)?;
            above_zero("collimation half_height_mm", c.half_height_mm)?;
        }
        let travel = |key, found: f64, [low, high]: [f64; 2]| {
            if (low..=high).contains(&found) {
                Ok(())
            } else {
                Err(CArmError::Travel { key, found, low, high })
            }
        };
        travel("orbital_deg", self.orbital_deg, self.travel.orbital_deg)?;
        travel(
            "cranio_caudal_deg",
            self.cranio_caudal_deg,
            self.travel.cranio_caudal_deg,
        )?;
        for shift in self.table_shift_mm {
            let reach = self.travel.table_shift_mm;
            travel("table_shift_mm", shift, [-reach, reach])?;
        }
        self.axes.check()
    }

    /// Source and detector in the patient, `target` being where the isocentre lies before the table is shifted.
    ///
    /// # Errors
    /// [`CArmError`].
    pub fn view(&self, target: &PatientPoint) -> Result<View, CArmError> {
        self.check()?;
        if !target.is_finite() {
            return Err(CArmError::Setting {
                key: "isocentre, mm",
                found: f64::NAN,
                expected: "a finite point",
            });
        }
        let [x, y, z] = self.table_shift_mm;
        // The table carries the patient one way, so the isocentre moves the other way in the patient.
        let isocentre = target.vec() - (self.axes.left * x + self.axes.posterior * y + self.axes.superior * z);
        let beam = self.beam();
        let [across, down] = self.picture_axes();
        let [width, height] = self.pixel_mm();
        let (column_step_mm, row_step_mm) = (across * width, down * height);
        let detector = isocentre + beam * (self.source_detector_mm - self.source_isocentre_mm);
        Ok(View {
            source_mm: isocentre - beam * self.source_isocentre_mm,
            first_mm: detector
                - column_step_mm * (0.5 * (self.pixels[0] as f64 - 1.0))
                - row_step_mm * (0.5 * (self.pixels[1] as f64 - 1.0)),
            column_step_mm,
            row_step_mm,
            columns: self.pixels[0],
            rows: self.pixels[1],
        })
    }

    /// Columns and rows that the collimator leaves open, of whole pixels at least half open.
    pub fn open_pixels(&self) -> [std::ops::Range<usize>; 2] {
        let Some(c) = self.collimation else {
            return self.pixels.map(|n| 0..n);
        };
        let half = [c.half_width_mm, c.half_height_mm];
        [0, 1].map(|a| {
            let n = self.pixels[a];
            let middle = 0.5 * n as f64;
            let reach = half[a] / self.pixel_mm()[a];
            let first = (middle - reach).round().max(0.0) as usize;
            first..((middle + reach).round().min(n as f64) as usize).max(first)
        })
    }

    /// Width and height of the exposed field in the plane of the detector, mm.
    pub fn field_mm(&self) -> [f64; 2] {
        let full = self.detector_mm.map(|side| side / self.zoom);
        match self.collimation {
            Some(c) => [full[0].min(2.0 * c.half_width_mm), full[1].min(2.0 * c.half_height_mm)],
            None => full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_the_back_left_is_left_and_the_head_is_up() {
        let arm = CArm::default();
        let view = arm.view(&PatientPoint::new(1.0, 2.0, 3.0)).unwrap();
        assert_eq!(arm.beam(), Vec3::y());
        let [column, row] = view.project(&PatientPoint::new(1.0, 2.0, 3.0)).unwrap();
        assert!((column - 255.5).abs() < 1e-9 && (row - 255.5).abs() < 1e-9);
        let left = view.project(&PatientPoint::new(21.0, 2.0, 3.0)).unwrap();
        let head = view.project(&PatientPoint::new(1.0, 2.0, 23.0)).unwrap();
        assert!(left[0] < column && head[1] < row);
        // 20 mm at the isocentre, magnified 1000/650.
        assert!((column - left[0] - 20.0 * arm.magnification() / arm.pixel_mm()[0]).abs() < 1e-9);
    }

    #[test]
    fn angles_turn_the_detector_as_the_module_says() {
        let at = |orbital_deg, cranio_caudal_deg| CArm {
            orbital_deg,
            cranio_caudal_deg,
            ..CArm::default()
        };
        assert!((at(90.0, 0.0).beam() - Vec3::x()).norm() < 1e-12);
        assert!((at(0.0, 90.0).beam() - Vec3::z()).norm() < 1e-12);
        for (t, f) in [(0.0, 0.0), (35.0, -25.0), (-60.0, 12.0), (170.0, 40.0)] {
            let arm = at(t, f);
            let [across, down] = arm.picture_axes();
            // Looking against the beam: right × down points away from the viewer, towards the source.
            assert!((across.cross(&down) + arm.beam()).norm() < 1e-12);
            let [orbital, tilt] = CArm::angles_along(&arm.axes, &arm.beam());
            assert!((orbital - t).abs() < 1e-9 && (tilt - f).abs() < 1e-9);
        }
    }

    #[test]
    fn the_table_carries_the_patient() {
        let arm = CArm {
            table_shift_mm: [10.0, 0.0, 0.0],
            ..CArm::default()
        };
        let target = PatientPoint::new(0.0, 0.0, 0.0);
        let [column, _] = arm.view(&target).unwrap().project(&target).unwrap();
        // The patient goes to the patient's left, which is left in the picture.
        assert!(column < 255.5);
    }

    #[test]
    fn impossible_settings_are_refused() {
        let good = CArm::default();
        let skew = BodyAxes {
            left: Vec3::new(1.0, 0.1, 0.0),
            ..BodyAxes::default()
        };
        let bad = [
            CArm {
                source_detector_mm: 0.0,
                ..good
            },
            CArm {
                source_isocentre_mm: -1.0,
                ..good
            },
            CArm {
                source_isocentre_mm: 1200.0,
                ..good
            },
            CArm {
                detector_mm: [300.0, f64::NAN],
                ..good
            },
            CArm {
                pixels: [0, 512],
                ..good
            },
            CArm { zoom: 0.0, ..good },
            CArm {
                orbital_deg: 200.0,
                ..good
            },
            CArm {
                cranio_caudal_deg: f64::NAN,
                ..good
            },
            CArm { axes: skew, ..good },
            CArm {
                collimation: Some(Collimation {
                    half_width_mm: 0.0,
                    half_height_mm: 10.0,
                }),
                ..good
            },
        ];
        for arm in bad {
            assert!(arm.view(&PatientPoint::new(0.0, 0.0, 0.0)).is_err(), "{arm:?}");
        }
        assert!(good.view(&PatientPoint::new(f64::NAN, 0.0, 0.0)).is_err());
    }
}
