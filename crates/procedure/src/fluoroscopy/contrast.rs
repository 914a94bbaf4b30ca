//! Contrast medium and opaque injectate: iodine as a volume that changes in time.

use neurotome_base::{Affine, Point, Volume, VolumeError};
use neurotome_physics::xray::{Attenuation, Image, Projector, View, ViewError};
use rayon::prelude::*;

use crate::lesion::Bolus;

/// Iodine at one time.
#[derive(Debug)]
struct Moment {
    time_s: f64,
    projector: Projector<Attenuation, 1>,
    /// What the last view saw, mg/cm².
    seen: Option<(View, Image)>,
}

/// Iodine in mg/ml on any grids, linear in time between the volumes; before the first and after the last it stays as there.
///
/// Since line integrals are linear, it is their pictures that are blended: while the C-arm stands, no volume is projected twice.
#[derive(Debug)]
pub struct Contrast {
    moments: Vec<Moment>,
}

/// Why contrast medium cannot be shown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContrastError {
    /// Times do not ascend.
    #[error("contrast medium: volumes at {0:?} s; expected at least one, at finite times that ascend")]
    Times(Vec<f64>),
    /// An amount is out of range.
    #[error("contrast medium: {key} = {found}; expected {expected}")]
    Amount {
        /// What.
        key: &'static str,
        /// Its value.
        found: f64,
        /// What was expected.
        expected: &'static str,
    },
    /// A volume cannot be projected.
    #[error(transparent)]
    View(#[from] ViewError),
    /// A volume cannot be made.
    #[error("contrast medium: {0}")]
    Volume(#[from] VolumeError),
}

impl Contrast {
    /// Volumes of iodine, mg/ml, with their times on the machine's clock, s.
    ///
    /// # Errors
    /// [`ContrastError::Times`], [`ContrastError::View`].
    pub fn new(volumes: Vec<(f64, Volume<f32>)>) -> Result<Self, ContrastError> {
        let times: Vec<f64> = volumes.iter().map(|v| v.0).collect();
        let ascend = times.windows(2).all(|w| w[0] < w[1]);
        if times.is_empty() || !ascend || times.iter().any(|t| !t.is_finite()) {
            return Err(ContrastError::Times(times));
        }
        let moments: Result<_, ViewError> = volumes
            .into_iter()
            .map(|(time_s, volume)| {
                Ok(Moment {
                    time_s,
                    projector: Projector::new(volume)?,
                    seen: None,
                })
            })
            .collect();
        Ok(Self { moments: moments? })
    }

    /// Contrast medium that does not move.
    ///
    /// # Errors
    /// [`ContrastError::View`].
    pub fn still(iodine_mg_per_ml: Volume<f32>) -> Result<Self, ContrastError> {
        Self::new(vec![(0.0, iodine_mg_per_ml)])
    }

    /// A bolus that grows at an even rate.
    ///
    /// # Errors
    /// [`ContrastError`].
    pub fn injected(injection: &Injection) -> Result<Self, ContrastError> {
        injection.check()?;
        let [from_s, until_s] = injection.span_s;
        let volumes: Result<_, ContrastError> = (0..=STEPS)
            .map(|n| {
                let part = n as f64 / STEPS as f64;
                Ok((from_s + part * (until_s - from_s), depot(injection, part)?))
            })
            .collect();
        Self::new(volumes?)
    }

    /// Iodine along the rays of a view at a time, mg/cm².
    pub(super) fn at(&mut self, view: &View, time_s: f64) -> Result<Image, ViewError> {
        let after = self.moments.partition_point(|m| m.time_s <= time_s);
        let last = self.moments.len() - 1;
        let (a, b) = (after.saturating_sub(1), after.min(last));
        let mut image = self.moments[a].image(view)?.clone();
        if a == b {
            return Ok(image);
        }
        let (t0, t1) = (self.moments[a].time_s, self.moments[b].time_s);
        let part = (((time_s - t0) / (t1 - t0)).clamp(0.0, 1.0)) as f32;
        let next = self.moments[b].image(view)?;
        for (v, w) in image.data.iter_mut().zip(&next.data) {
            *v += part * (w - *v);
        }
        Ok(image)
    }
}

impl Moment {
    fn image(&mut self, view: &View) -> Result<&Image, ViewError> {
        if self.seen.as_ref().is_none_or(|(seen, _)| seen != view) {
            let mut image = self.projector.project(view)?;
            // mg/ml · mm = 0.1 mg/cm²
            image.data.iter_mut().for_each(|v| *v *= 0.1);
            self.seen = Some((*view, image));
        }
        match &self.seen {
            Some((_, image)) => Ok(image),
            None => unreachable!("just projected"),
        }
    }
}

/// An injection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Injection {
    /// The bolus at its end.
    pub bolus: Bolus,
    /// Iodine in the fluid, mg/ml.
    pub iodine_mg_per_ml: f64,
    /// Begin and end on the machine's clock, s.
    pub span_s: [f64; 2],
}

/// Volumes between begin and end of an injection.
const STEPS: usize = 8;
/// Side of the voxels of a bolus, mm.
const VOXEL_MM: f64 = 0.5;

impl Injection {
    fn check(&self) -> Result<(), ContrastError> {
        let amount = |key, found: f64, holds: bool, expected| {
            if holds {
                Ok(())
            } else {
                Err(ContrastError::Amount { key, found, expected })
            }
        };
        let ml = self.bolus.volume_ml;
        amount("volume, ml", ml, ml > 0.0 && ml <= 20.0, "above 0, at most 20")?;
        let share = self.bolus.share;
        amount("share of the tissue", share, (0.05..=1.0).contains(&share), "0.05 to 1")?;
        let iodine = self.iodine_mg_per_ml;
        amount("iodine, mg/ml", iodine, (0.0..=500.0).contains(&iodine), "0 to 500")?;
        let [from, until] = self.span_s;
        amount("duration, s", until - from, from < until, "an end after the begin")
    }
}

/// Iodine when a part of the injection, 0 to 1, is in.
fn depot(injection: &Injection, part: f64) -> Result<Volume<f32>, ContrastError> {
    let whole = &injection.bolus;
    // The bolus' edge reaches a little beyond its radius.
    let half = (1.1 * whole.radius_mm() / VOXEL_MM).ceil() as usize + 1;
    let side = 2 * half + 1;
    let corner = half as f64 * VOXEL_MM;
    let affine = Affine::axis_aligned([VOXEL_MM; 3], whole.center.xyz.map(|x| x - corner))?;
    if part <= 0.0 {
        return Ok(Volume::filled([side; 3], affine, 0.0)?);
    }
    let bolus = Bolus {
        volume_ml: part * whole.volume_ml,
        ..*whole
    };
    let data = (0..side * side * side)
        .into_par_iter()
        .map(|n| {
            let index = Point::new((n % side) as f64, (n / side % side) as f64, (n / (side * side)) as f64);
            (injection.iodine_mg_per_ml * bolus.share_at(&affine.to_patient(&index))) as f32
        })
        .collect();
    Ok(Volume::new([side; 3], affine, data)?)
}

#[cfg(test)]
mod tests {
    use neurotome_base::PatientPoint;

    use super::*;
    use crate::fluoroscopy::CArm;

    const CENTER: PatientPoint = PatientPoint::new(3.0, -2.0, 1.0);

    fn injection() -> Injection {
        Injection {
            bolus: Bolus {
                center: CENTER,
                volume_ml: 0.5,
                share: 0.3,
            },
            iodine_mg_per_ml: 300.0,
            span_s: [1.0, 5.0],
        }
    }

    /// Iodine on the detector, mg, of a source so far away that rays are all but parallel.
    fn seen_mg(contrast: &mut Contrast, time_s: f64) -> f64 {
        let arm = CArm {
            source_isocentre_mm: 1e5,
            source_detector_mm: 1e5 + 300.0,
            detector_mm: [60.0; 2],
            pixels: [120; 2],
            ..CArm::default()
        };
        let image = contrast.at(&arm.view(&CENTER).unwrap(), time_s).unwrap();
        // Pixels of 0.05 cm.
        image.data.iter().map(|v| f64::from(*v)).sum::<f64>() * 0.05 * 0.05
    }

    #[test]
    fn what_was_injected_is_seen_at_any_time() {
        let mut contrast = Contrast::injected(&injection()).unwrap();
        for (time_s, mg) in [(0.0, 0.0), (1.0, 0.0), (2.3, 48.75), (5.0, 150.0), (9.0, 150.0)] {
            let seen = seen_mg(&mut contrast, time_s);
            assert!((seen - mg).abs() < 2.0, "{seen} mg at {time_s} s, injected {mg}");
        }
    }

    #[test]
    fn impossible_ones_are_refused() {
        let bolus = injection().bolus;
        for bad in [
            Injection {
                bolus: Bolus {
                    volume_ml: 0.0,
                    ..bolus
                },
                ..injection()
            },
            Injection {
                bolus: Bolus { share: 1.5, ..bolus },
                ..injection()
            },
            Injection {
                iodine_mg_per_ml: f64::NAN,
                ..injection()
            },
            Injection {
                span_s: [2.0, 2.0],
                ..injection()
            },
        ] {
            let refused = Contrast::injected(&bad);
            assert!(matches!(refused, Err(ContrastError::Amount { .. })), "{bad:?}");
        }
        assert!(matches!(Contrast::new(vec![]), Err(ContrastError::Times(_))));
    }
}
