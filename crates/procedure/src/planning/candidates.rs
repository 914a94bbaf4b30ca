//! Poses to choose from: beside the nerve, along it, with the angles of the guidelines.

use neurotome_base::{Vec3, geometry::perpendicular_pair, random::Stream};
use rayon::prelude::*;

use super::{
    PlanError, Target,
    constraints::{NerveLine, Path, Reason, clearance, laid_beside, off_bone, path},
    pose::{Angles, Pose},
    sequence::evenly,
    settings::Family,
};
use crate::{
    anatomy::{Course, Patient, VertebraFrame},
    catalog::Technique,
};

/// The middle of the active tip may lie so far along the nerve from the middle of its stretch, mm.
const ALONG_MM: f64 = 6.0;
/// Most tissue left between needle and nerve, mm.
const GAP_MM: f64 = 2.5;
/// Share of the poses that start from the nerve's own direction, and by how much they turn from it, degrees.
const ALONG_SHARE: f64 = 0.6;
const TURN_DEG: f64 = 20.0;
/// A needle laid beside the nerve may have to move so far to come clear of bone, mm.
const LIFT_MM: f64 = 3.5;
/// Poses tried for each one that is wanted.
const TRIES: usize = 200;
/// Poses tried at once.
const BATCH: usize = 512;

/// The nerve's surroundings that every pose needs.
#[derive(Debug, Clone)]
pub struct Site {
    /// The target.
    pub target: Target,
    /// The nerve's middle point, mm.
    pub middle: Vec3,
    /// Unit vector along the nerve there, from proximal to distal.
    pub along: Vec3,
    /// Unit vector off the bone there.
    pub off_bone: Vec3,
    /// Radius of the nerve, mm.
    pub nerve_radius_mm: f64,
    /// Axes of the vertebra.
    pub frame: VertebraFrame,
    /// The nerve's mean course.
    pub nerve: NerveLine,
}

impl Site {
    /// The surroundings of a target.
    ///
    /// # Errors
    /// [`PlanError::NoNerve`].
    pub fn new(patient: &dyn Patient, target: Target) -> Result<Self, PlanError> {
        let course = target.course(patient)?;
        let frame = patient.frame(target.at).ok_or_else(|| PlanError::NoNerve {
            nerve: target.name(),
            levels: patient.levels().iter().map(|l| l.name()).collect::<Vec<_>>().join(", "),
        })?;
        let (middle, along) = middle_of(course);
        Ok(Self {
            target,
            middle,
            along,
            off_bone: off_bone(patient, &middle),
            nerve_radius_mm: 0.5 * course.diameter_mm,
            frame,
            nerve: NerveLine::new(course),
        })
    }
}

/// The middle of a nerve's stretch for a needle by length, and the direction of its chord.
fn middle_of(course: &Course) -> (Vec3, Vec3) {
    let [from, to] = course.target.unwrap_or([0, course.points.len() - 1]);
    let points: Vec<Vec3> = course.points[from..=to]
        .iter()
        .map(neurotome_base::Point::vec)
        .collect();
    let length: f64 = points.windows(2).map(|w| (w[1] - w[0]).norm()).sum();
    let mut rest = 0.5 * length;
    let mut middle = points[0];
    for w in points.windows(2) {
        let piece = (w[1] - w[0]).norm();
        if rest <= piece {
            middle = w[0] + (w[1] - w[0]) * (rest / piece.max(1e-12));
            break;
        }
        rest -= piece;
    }
    let chord = points[points.len() - 1] - points[0];
    (middle, chord.try_normalize(1e-9).unwrap_or_else(Vec3::z))
}

/// An admissible pose of a needle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Its number among the poses tried.
    pub index: usize,
    /// Which family of needles, and which of the family.
    pub family: usize,
    /// The shortest of the family that reaches.
    pub device: usize,
    /// The pose.
    pub pose: Pose,
    /// Its way from the skin.
    pub path: Path,
    /// Between metal and bone along the active tip, mm.
    pub clearance_mm: f64,
    /// Unit vector off the bone beside the tip.
    pub off_bone: Vec3,
}

/// What came of the poses tried.
#[derive(Debug, Clone, Default)]
pub struct Candidates {
    /// Admissible ones, in the order of their numbers.
    pub poses: Vec<Candidate>,
    /// Poses tried.
    pub tried: usize,
    /// How many were turned down for each reason, in the order of [`Reason::ALL`].
    pub rejected: [usize; Reason::ALL.len()],
}

/// Makes poses until `wanted` of them are admissible, or too many were tried.
pub(super) fn candidates(
    patient: &dyn Patient,
    site: &Site,
    families: &[Family],
    technique: &Technique,
    wanted: usize,
    seed: u64,
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<Candidates, PlanError> {
    let shift = Stream::new(seed).split(1);
    let mut all = Candidates::default();
    while all.poses.len() < wanted && all.tried < TRIES * wanted {
        if !go_on(all.poses.len()) {
            return Err(PlanError::Cancelled);
        }
        let batch: Vec<Result<Candidate, Reason>> = (all.tried..all.tried + BATCH)
            .into_par_iter()
            .map(|index| one(patient, site, families, technique, index, shift))
            .collect();
        for outcome in batch {
            if all.poses.len() == wanted {
                break;
            }
            all.tried += 1;
            match outcome {
                Ok(candidate) => all.poses.push(candidate),
                Err(reason) => all.rejected[reason as usize] += 1,
            }
        }
    }
    Ok(all)
}

fn one(
    patient: &dyn Patient,
    site: &Site,
    families: &[Family],
    technique: &Technique,
    index: usize,
    shift: Stream,
) -> Result<Candidate, Reason> {
    let family = index % families.len();
    // Every family meets the same poses.
    let u: [f64; 7] = evenly((index / families.len()) as u64, &shift);
    let lateral = technique.lateral_deg();
    let caudal = technique.caudal_deg();
    let within = |[low, high]: [f64; 2], u: f64| low + (high - low) * u;
    let angles = if u[0] < ALONG_SHARE {
        let turned = turned(&towards_hub_behind(site), TURN_DEG * u[1].sqrt(), u[2]);
        let own = Angles::of(&turned, &site.frame, site.target.side);
        Angles {
            lateral_deg: own.lateral_deg.clamp(lateral[0], lateral[1]),
            caudal_deg: own.caudal_deg.clamp(caudal[0], caudal[1]),
        }
    } else {
        Angles {
            lateral_deg: within(lateral, u[1]),
            caudal_deg: within(caudal, u[2]),
        }
    };
    let direction = angles.direction(&site.frame, site.target.side);
    let stem = families[family].stem;
    let (a, b) = perpendicular_pair(&direction);
    let (sin, cos) = (std::f64::consts::TAU * u[4]).sin_cos();
    let beside = (a * cos + b * sin) * (site.nerve_radius_mm + stem.radius_mm + GAP_MM * u[5]);
    let middle = site.middle + site.along * (ALONG_MM * (2.0 * u[3] - 1.0)) + beside;
    let pose = Pose::with_middle(&middle, &direction, stem.active_tip_mm);
    let pose =
        laid_beside(patient, &site.nerve, pose, stem.radius_mm, stem.active_tip_mm, LIFT_MM).ok_or(Reason::Bone)?;
    admissible(patient, families, technique, index, family, pose)
}

/// The pose with its way from the skin and the needle that reaches.
pub(super) fn admissible(
    patient: &dyn Patient,
    families: &[Family],
    technique: &Technique,
    index: usize,
    family: usize,
    pose: Pose,
) -> Result<Candidate, Reason> {
    let of = &families[family];
    let path = path(patient, &pose, of.stem.radius_mm)?;
    let device = of
        .devices
        .iter()
        .position(|d| d.needle.length_mm >= path.depth_mm + technique.hub_mm.value)
        .ok_or(Reason::Length)?;
    let (clearance_mm, nearest) = clearance(patient, &pose, of.stem.radius_mm, of.stem.active_tip_mm);
    Ok(Candidate {
        index,
        family,
        device,
        pose,
        path,
        clearance_mm,
        off_bone: off_bone(patient, &nearest),
    })
}

/// The direction along the nerve that a needle from behind would have.
pub(super) fn towards_hub_behind(site: &Site) -> Vec3 {
    if site.along.dot(&site.frame.posterior) > 0.0 {
        -site.along
    } else {
        site.along
    }
}

/// A direction turned by an angle towards the share `round` of a full turn.
fn turned(direction: &Vec3, by_deg: f64, round: f64) -> Vec3 {
    let (a, b) = perpendicular_pair(direction);
    let (sin, cos) = (std::f64::consts::TAU * round).sin_cos();
    let (turn_sin, turn_cos) = by_deg.to_radians().sin_cos();
    direction * turn_cos + (a * cos + b * sin) * turn_sin
}
