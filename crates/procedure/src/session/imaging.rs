//! The C-arm in the room. Where it stands is state; the volume behind it is made when it is first used.

use neurotome_base::{PatientPoint, Vec3};

use super::{Case, Done, Event, SessionError, State, impossible, point, within};
use crate::{
    anatomy::Level,
    fluoroscopy::{
        BodyAxes, CArm, Collimation, Dose, Fluoroscope, Frame, NamedView, NeedleLook, Settings, TableTop, aimed_at,
        looking_along, needle_parts, turned_to,
    },
};

/// Half a side of the collimated field at the detector, mm.
const FIELD_HALF_MM: f64 = 100.0;
/// Pixels along a side.
const PIXELS: usize = 512;
/// Longest screening in one go, s.
const LONGEST_S: f64 = 60.0;

/// The C-arm's machinery.
#[derive(Default)]
pub(super) struct Imaging {
    scope: Option<Fluoroscope>,
    /// Angles and isocentre for which the scope stands.
    stands: Option<[f64; 5]>,
    picture: Option<Frame>,
}

fn base_arm(case: &Case) -> CArm {
    CArm {
        pixels: [PIXELS; 2],
        collimation: Some(Collimation {
            half_width_mm: FIELD_HALF_MM,
            half_height_mm: FIELD_HALF_MM,
        }),
        ..case.machine.arm()
    }
}

fn moved(arm: &CArm, target: &PatientPoint, view: Option<NamedView>, level: Option<Level>) -> Done {
    Done::at_once(vec![Event::ArmMoved {
        orbital_deg: arm.orbital_deg,
        tilt_deg: arm.cranio_caudal_deg,
        target_mm: target.xyz,
        view,
        level,
    }])
}

/// Turns to a named view; without a vertebra that where the target is met.
pub(super) fn view(case: &Case, state: &State, view: NamedView, level: Option<Level>) -> Result<Done, SessionError> {
    let level = match level {
        Some(level) => level,
        None => super::target_of(case, state)?.at,
    };
    let frame = case.patient.frame(level);
    let target = aimed_at(&*case.patient, level, view);
    let (Some(frame), Some(target)) = (frame, target) else {
        return Err(impossible(
            "view",
            format!("the patient has no vertebra {level}"),
            "name another one",
        ));
    };
    let arm = turned_to(&base_arm(case), view, Some(&frame)).map_err(crate::fluoroscopy::FluoroError::from)?;
    Ok(moved(&arm, &target, Some(view), Some(level)))
}

/// Turns to angles, with the isocentre where it was.
pub(super) fn arm(case: &Case, state: &State, orbital_deg: f64, tilt_deg: f64) -> Result<Done, SessionError> {
    let target = match state.arm {
        Some(now) => point(now.target_mm),
        None => middle_of_target(case, state)?,
    };
    let arm = CArm {
        orbital_deg,
        cranio_caudal_deg: tilt_deg,
        ..base_arm(case)
    };
    arm.check().map_err(crate::fluoroscopy::FluoroError::from)?;
    Ok(moved(&arm, &target, None, None))
}

/// Turns along the needle, or along the planned one.
pub(super) fn look_along(case: &Case, state: &State) -> Result<Done, SessionError> {
    let (direction, tip) = match (&state.needle, state.planned()) {
        (Some(needle), _) => (needle.along(), point(needle.tip_mm)),
        (None, Some(planned)) => (planned.pose.along(), planned.pose.tip_mm),
        (None, None) => {
            return Err(impossible(
                "look-along",
                "there is neither a needle nor a plan",
                "`plan`, or turn to a named `view`",
            ));
        }
    };
    let arm = looking_along(&base_arm(case), &-direction).map_err(crate::fluoroscopy::FluoroError::from)?;
    Ok(moved(&arm, &tip, None, None))
}

fn middle_of_target(case: &Case, state: &State) -> Result<PatientPoint, SessionError> {
    let target = super::target_of(case, state)?;
    let course = target.course(&*case.patient)?;
    let [from, to] = course.target.unwrap_or([0, course.points.len() - 1]);
    let middle: Vec3 = 0.5 * (course.points[from].vec() + course.points[to].vec());
    Ok(PatientPoint::from_vec(middle))
}

impl Imaging {
    pub(super) fn picture(&self) -> Option<&Frame> {
        self.picture.as_ref()
    }

    pub(super) fn open_pixels(&self) -> Option<[std::ops::Range<usize>; 2]> {
        self.scope.as_ref().map(|s| s.arm().open_pixels())
    }

    /// The scope where the state says that it stands, with the needle that is in.
    fn ready(&mut self, case: &Case, state: &State) -> Result<&mut Fluoroscope, SessionError> {
        let Some(now) = state.arm else {
            return Err(impossible(
                "the C-arm",
                "it was not turned to the patient yet",
                "choose a `view` first",
            ));
        };
        let scope = if let Some(scope) = self.scope.take() {
            scope
        } else {
            let hu = (case.radiodensity)().map_err(SessionError::Image)?;
            let table = TableTop::under_body(&(&case.machine.entry).into(), &hu, BodyAxes::default());
            let mut scope = Fluoroscope::new(hu, case.machine.clone(), point(now.target_mm))?;
            scope.set_table(table.filter(|_| case.has_table));
            scope.set(Settings {
                seed: case.seed,
                ..Settings::default()
            })?;
            self.stands = None;
            scope
        };
        let scope = self.scope.insert(scope);
        let [x, y, z] = now.target_mm;
        let stands = [now.orbital_deg, now.tilt_deg, x, y, z];
        if self.stands != Some(stands) {
            // Brightness control begins anew, so that a dose does not depend on the view before.
            scope.set_technique(case.machine.technique)?;
            scope.move_target(point(now.target_mm))?;
            scope.move_arm(CArm {
                orbital_deg: now.orbital_deg,
                cranio_caudal_deg: now.tilt_deg,
                ..base_arm(case)
            })?;
            self.stands = Some(stands);
        }
        let device = state
            .needle
            .as_ref()
            .and_then(|n| case.device(&n.cannula).map(|d| n.needle(d)));
        scope.set_devices(device.map_or_else(Vec::new, |n| needle_parts(&n, &NeedleLook::default())));
        Ok(scope)
    }

    /// Some pulses.
    pub(super) fn expose(&mut self, case: &Case, state: &State, pulses: usize) -> Result<Done, SessionError> {
        let scope = self.ready(case, state)?;
        let mut dose = Dose::default();
        let mut last = None;
        for _ in 0..pulses {
            let frame = scope.frame()?;
            dose = dose.plus(&frame.dose);
            last = Some(frame);
        }
        self.picture = last;
        Ok(Done {
            events: vec![Event::Exposed { dose }],
            took_s: dose.screening_s,
        })
    }

    /// Pulses with the pedal down.
    pub(super) fn screen(&mut self, case: &Case, state: &State, seconds: f64) -> Result<Done, SessionError> {
        within("the screening", seconds, 0.1, LONGEST_S, "s")?;
        let rate = Settings::default().pulses_per_s;
        // All pulses of a still view have the same dose: one picture stands for them.
        let pulses = (seconds * rate).ceil().max(1.0);
        let mut done = self.expose(case, state, 1)?;
        for event in &mut done.events {
            if let Event::Exposed { dose } = event {
                *dose = Dose {
                    frames: pulses as u64,
                    screening_s: dose.screening_s * pulses,
                    air_kerma_mgy: dose.air_kerma_mgy * pulses,
                    dose_area_gy_cm2: dose.dose_area_gy_cm2 * pulses,
                    operator_ugy: dose.operator_ugy * pulses,
                };
                done.took_s = dose.screening_s;
            }
        }
        Ok(done)
    }
}
