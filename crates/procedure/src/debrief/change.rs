//! What could have been done otherwise.

use neurotome_base::{
    PatientPoint, Vec3,
    geometry::{distance_to_segment, perpendicular_pair},
};
use serde::{Deserialize, Serialize};

use crate::{
    catalog::{Catalog, find},
    lesion::{Drive, LesionProblem, Needle, NerveCurve},
    planning::{Pose, pose::angle_between_deg},
};

/// A change of needle or drive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "change")]
pub enum Change {
    /// Along the needle.
    Depth {
        /// How much deeper, mm; negative back.
        mm: f64,
    },
    /// Across the needle.
    Aside {
        /// How far away from the nerve, mm; negative towards it.
        mm: f64,
    },
    /// Turned about the middle of the active tip until it lies along the nerve.
    Parallel,
    /// Turned across the nerve, the end of the tip where the needle came nearest to it.
    Perpendicular,
    /// Another thickness; the distance between metal and nerve stays.
    Thickness(Thicker),
    /// Heated longer.
    Longer {
        /// So much, s.
        s: f64,
    },
    /// Another set temperature.
    Temperature {
        /// °C.
        set_temperature_c: f64,
    },
}

/// A thickness.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thicker {
    /// What it is called, such as `16 G`.
    pub name: String,
    /// Outer diameter, mm.
    pub outer_diameter_mm: f64,
}

/// Thicknesses compared with: what they are called, and a cannula of the catalogue that has them.
const THICKNESSES: [(&str, &str); 2] = [("18 G", "18G-10mm-straight"), ("16 G", "16G-10mm-straight")];

/// The thicknesses that the catalogue has.
pub fn thicknesses(catalog: &Catalog) -> Vec<Thicker> {
    THICKNESSES
        .iter()
        .filter_map(|(name, cannula)| {
            find(&catalog.cannulas, cannula).map(|c| Thicker {
                name: (*name).to_owned(),
                outer_diameter_mm: c.outer_diameter_mm.value,
            })
        })
        .collect()
}

/// The changes that a debriefing looks at: a millimetre deeper, back, and away from the nerve; along and across it; these thicknesses
/// where the needle has another; 30 s longer; 90 °C where the set temperature is lower.
pub fn usual_changes(problem: &LesionProblem, thicknesses: &[Thicker]) -> Vec<Change> {
    let mut all = vec![
        Change::Depth { mm: 1.0 },
        Change::Depth { mm: -1.0 },
        Change::Aside { mm: 1.0 },
        Change::Parallel,
        Change::Perpendicular,
    ];
    let now = problem.needles.first().map_or(0.0, |n| n.outer_diameter_mm);
    let other = |t: &&Thicker| (t.outer_diameter_mm - now).abs() > 0.01;
    all.extend(thicknesses.iter().filter(other).cloned().map(Change::Thickness));
    all.push(Change::Longer { s: 30.0 });
    if matches!(problem.drive, Drive::Temperature { set_temperature_c, .. } if set_temperature_c < 90.0) {
        all.push(Change::Temperature {
            set_temperature_c: 90.0,
        });
    }
    all
}

impl Change {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Depth { mm } if *mm < 0.0 => format!("{} mm back", -mm),
            Self::Depth { mm } => format!("{mm} mm deeper"),
            Self::Aside { mm } if *mm < 0.0 => format!("{} mm towards the nerve", -mm),
            Self::Aside { mm } => format!("{mm} mm away from the nerve"),
            Self::Parallel => "along the nerve".to_owned(),
            Self::Perpendicular => "across the nerve".to_owned(),
            Self::Thickness(t) => t.name.clone(),
            Self::Longer { s } => format!("{s} s longer"),
            Self::Temperature { set_temperature_c } => format!("{set_temperature_c} °C"),
        }
    }

    /// The problem with the change. A problem without needle or target stays as it is.
    pub fn applied(&self, problem: &LesionProblem) -> LesionProblem {
        let mut changed = problem.clone();
        let target = problem.nerves.iter().find(|n| n.target);
        let (Some(needle), Some(nerve)) = (changed.needles.first_mut(), target) else {
            return changed;
        };
        let pose = Pose {
            tip_mm: needle.tip,
            direction: needle.direction,
        };
        let along = pose.along();
        match self {
            Self::Depth { mm } => needle.tip = pose.moved(&(along * *mm)).tip_mm,
            Self::Aside { mm } => needle.tip = pose.moved(&(aside(needle, nerve) * *mm)).tip_mm,
            Self::Parallel => {
                let near = Near::of(needle, nerve);
                let direction = near.along_nerve * near.along_nerve.dot(&along).signum();
                let middle = pose.at(0.5 * needle.active_tip_mm);
                let turned = Pose::with_middle(&middle, &direction, needle.active_tip_mm);
                (needle.tip, needle.direction) = (turned.tip_mm, turned.direction);
            }
            Self::Perpendicular => {
                let near = Near::of(needle, nerve);
                let t = near.along_nerve;
                // What of its direction lies across the nerve; a needle along it would come straight at it.
                let across = along - t * along.dot(&t);
                let direction = if across.norm() > 0.1 {
                    across.normalize()
                } else {
                    let straight = t * near.away.dot(&t) - near.away;
                    straight.try_normalize(1e-9).unwrap_or_else(|| perpendicular_pair(&t).0)
                };
                needle.tip = PatientPoint::from_vec(near.on_axis + direction * (0.5 * needle.outer_diameter_mm));
                needle.direction = direction.into();
            }
            Self::Thickness(t) => {
                // It lies as near to the nerve: surface to surface, not axis to axis.
                let thicker = 0.5 * (t.outer_diameter_mm - needle.outer_diameter_mm);
                needle.tip = pose.moved(&(aside(needle, nerve) * thicker)).tip_mm;
                needle.outer_diameter_mm = t.outer_diameter_mm;
            }
            Self::Longer { s } => changed.heating_s += s,
            Self::Temperature { set_temperature_c } => {
                if let Drive::Temperature {
                    set_temperature_c: set, ..
                } = &mut changed.drive
                {
                    *set = *set_temperature_c;
                }
            }
        }
        changed
    }
}

/// Unit vector across the needle that leads away from the nerve.
fn aside(needle: &Needle, nerve: &NerveCurve) -> Vec3 {
    let along = Vec3::from(needle.direction);
    let away = Near::of(needle, nerve).away;
    (away - along * away.dot(&along))
        .try_normalize(1e-9)
        .unwrap_or_else(|| perpendicular_pair(&along).0)
}

/// The name of the nerve to be destroyed.
pub(super) fn target(problem: &LesionProblem) -> Option<String> {
    problem
        .nerves
        .iter()
        .find(|n| n.target && n.points.len() > 1)
        .map(|n| n.name.clone())
}

/// Angle between a needle and a nerve where they are nearest, degrees.
pub(super) fn angle_deg(needle: &Needle, nerve: &NerveCurve) -> f64 {
    angle_between_deg(&Vec3::from(needle.direction), &Near::of(needle, nerve).along_nerve)
}

/// Where the axis of an active tip comes nearest to a nerve.
struct Near {
    /// On the axis.
    on_axis: Vec3,
    /// From the nerve to there; zero where they meet.
    away: Vec3,
    /// Unit vector along the nerve.
    along_nerve: Vec3,
}

impl Near {
    fn of(needle: &Needle, nerve: &NerveCurve) -> Self {
        const PLACES: usize = 200;
        let pose = Pose {
            tip_mm: needle.tip,
            direction: needle.direction,
        };
        let mut best = (f64::INFINITY, pose.at(0.0), Vec3::zeros(), pose.along());
        for i in 0..=PLACES {
            let p = pose.at(needle.active_tip_mm * i as f64 / PLACES as f64);
            for w in nerve.points.windows(2) {
                let (a, b) = (w[0].vec(), w[1].vec());
                let (apart, t) = distance_to_segment(&p, &a, &b);
                // Of places equally near, as beside a parallel nerve, the one nearest to the middle of the tip.
                let off_middle = (i as f64 / PLACES as f64 - 0.5).abs();
                let rank = apart + 1e-6 * off_middle;
                if rank < best.0
                    && let Some(along) = (b - a).try_normalize(1e-9)
                {
                    best = (rank, p, p - (a + (b - a) * t), along);
                }
            }
        }
        Self {
            on_axis: best.1,
            away: best.2,
            along_nerve: best.3,
        }
    }
}
