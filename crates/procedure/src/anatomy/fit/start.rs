//! Where a fit starts: frames from one point of each vertebra.

use neurotome_base::{PatientPoint, Vec3};

use super::super::spine::{Morphometry, SpineError};
use super::super::{Level, VertebraFrame};

/// Why a spine cannot be fitted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// No vertebra.
    #[error(
        "spine from CT: no vertebra given; expected at least one; give a point or a label for each vertebra from L1 to S1 that the image shows"
    )]
    None,
    /// A level twice.
    #[error("spine from CT: {level} is given twice; expected each vertebra once; remove one of the two")]
    Twice {
        /// The level.
        level: Level,
    },
    /// A level is left out between two that are given.
    #[error(
        "spine from CT: {missing} is missing between {above} and {below}; expected every vertebra between the first and the last; add it, or check the names"
    )]
    Gap {
        /// The level missing.
        missing: Level,
        /// The one above it.
        above: Level,
        /// The one below it.
        below: Level,
    },
    /// Levels do not follow each other downwards, or lie too near or too far from each other.
    #[error(
        "spine from CT: from {above} to {below} it is {found_mm:.0} mm{direction}; expected 20 to 60 mm downwards (to the sacrum at most 95); check the names of the levels, and that the image is in patient axes"
    )]
    Spacing {
        /// The upper vertebra.
        above: Level,
        /// The lower one.
        below: Level,
        /// Distance between the points, mm.
        found_mm: f64,
        /// Said when it goes the wrong way.
        direction: &'static str,
    },
    /// A size is missing.
    #[error(transparent)]
    Spine(#[from] SpineError),
}

/// Checks that levels follow each other downwards at distances that vertebrae have.
fn in_order(points: &[(Level, PatientPoint)]) -> Result<Vec<(Level, Vec3)>, FitError> {
    if points.is_empty() {
        return Err(FitError::None);
    }
    let mut all: Vec<(Level, Vec3)> = points.iter().map(|(l, p)| (*l, p.vec())).collect();
    all.sort_by_key(|(l, _)| *l);
    let has_l6 = all.iter().any(|(l, _)| *l == Level::L6);
    for w in all.windows(2) {
        let ((above, a), (below, b)) = (w[0], w[1]);
        if above == below {
            return Err(FitError::Twice { level: above });
        }
        let between = Level::ALL
            .into_iter()
            .find(|l| *l > above && *l < below && (*l != Level::L6 || has_l6));
        if let Some(missing) = between {
            return Err(FitError::Gap { missing, above, below });
        }
        let found_mm = (a - b).norm();
        // The middle of a whole sacrum lies far below that of its first body.
        let most = if below == Level::S1 { 95.0 } else { 60.0 };
        if !(20.0..most).contains(&found_mm) || a.z < b.z {
            return Err(FitError::Spacing {
                above,
                below,
                found_mm,
                direction: if a.z < b.z { " upwards" } else { "" },
            });
        }
    }
    Ok(all)
}

/// A frame with the given way up; the patient's left is the image's.
fn upright(origin: Vec3, up: Vec3) -> VertebraFrame {
    let superior = up.normalize();
    let left = (Vec3::x() - superior * superior.x).normalize();
    VertebraFrame {
        origin,
        left,
        posterior: superior.cross(&left),
        superior,
    }
}

/// The way along the column at each point, up; that of the body where there is one point only.
fn tangents(points: &[(Level, Vec3)]) -> Vec<Vec3> {
    let n = points.len();
    if n == 1 {
        return vec![Vec3::z()];
    }
    (0..n)
        .map(|i| (points[i.saturating_sub(1)].1 - points[(i + 1).min(n - 1)].1).normalize())
        .collect()
}

/// Turns a direction about the left-right axis: its upper end forward by an angle.
fn tilt(d: &Vec3, angle_deg: f64) -> Vec3 {
    let (s, c) = angle_deg.to_radians().sin_cos();
    Vec3::new(d.x, c * d.y - s * d.z, s * d.y + c * d.z)
}

/// Extra forward tilt of the upper end plate of a vertebra against the way along the column at its middle, degrees: the lowest ones stand on a
/// curve.
fn lean_deg(level: Level, last: bool) -> f64 {
    match level {
        Level::S1 => 32.0,
        Level::L5 | Level::L6 if last => 8.0,
        _ => 0.0,
    }
}

/// Where vertebrae start, from above to below.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Start {
    pub frames: Vec<(Level, VertebraFrame)>,
    /// The frames of those that were asked for; the others only stand for the bone beside them.
    pub wanted: std::ops::Range<usize>,
}

/// Frames from points in the middle of the bodies, with one more vertebra above and below them, whose processes reach into theirs.
///
/// # Errors
/// [`FitError`].
pub(super) fn frames_from_bodies(points: &[(Level, PatientPoint)]) -> Result<Start, FitError> {
    let mut all = in_order(points)?;
    let ways = tangents(&all);
    let n = all.len();
    let has_l6 = all.iter().any(|(l, _)| *l == Level::L6);
    let (first, last) = (all[0], all[n - 1]);
    let apart = |a: usize| all.get(a + 1).map_or(PITCH_MM, |next| (all[a].1 - next.1).norm());
    let (over, under) = (apart(0), apart(n.saturating_sub(2)));
    let other = |wanted: fn(&Level, &Level) -> bool, of: Level| {
        let listed = Level::ALL.into_iter().filter(|l| *l != Level::L6 || has_l6);
        listed.filter(|l| wanted(l, &of)).collect::<Vec<_>>()
    };
    let above = other(|l, of| l < of, first.0).last().copied();
    let below = other(|l, of| l > of, last.0).first().copied();
    if let Some(level) = below {
        all.push((level, last.1 - ways[n - 1] * under));
    }
    if let Some(level) = above {
        all.insert(0, (level, first.1 + ways[0] * over));
    }
    let start = usize::from(above.is_some());
    let ways = tangents(&all);
    let frames = all
        .iter()
        .zip(&ways)
        .enumerate()
        .map(|(i, ((level, p), way))| (*level, upright(*p, tilt(way, lean_deg(*level, i + 1 == all.len())))))
        .collect();
    Ok(Start {
        frames,
        wanted: start..start + n,
    })
}

/// Distance between the middles of neighbouring vertebrae where one only is known, mm.
const PITCH_MM: f64 = 36.0;

/// Frames from the middles of whole vertebrae.
///
/// # Errors
/// [`FitError`].
pub(super) fn frames_from_centroids(
    sizes: &Morphometry<'_>,
    points: &[(Level, PatientPoint)],
) -> Result<Vec<(Level, VertebraFrame)>, FitError> {
    let all = in_order(points)?;
    let ways = tangents(&all);
    all.iter()
        .zip(&ways)
        .enumerate()
        .map(|(i, ((level, p), way))| {
            let frame = upright(*p, tilt(way, lean_deg(*level, i + 1 == all.len())));
            // The middle of a mean vertebra lies behind that of its body.
            let middle = sizes.centroid(*level)?;
            let origin = p - frame.direction_to_patient(&middle);
            Ok((*level, VertebraFrame { origin, ..frame }))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(level: Level, z: f64) -> (Level, PatientPoint) {
        (level, PatientPoint::new(0.0, 0.0, z))
    }

    #[test]
    fn levels_must_follow_each_other() {
        let good = [at(Level::L4, 0.0), at(Level::L3, 36.0), at(Level::L5, -36.0)];
        let frames = frames_from_bodies(&good).unwrap();
        // T12 is not asked for, nor is S1: L2 and the sacrum stand beside them.
        assert_eq!(frames.wanted, 1..4);
        let levels: Vec<Level> = frames.frames.iter().map(|f| f.0).collect();
        assert_eq!(levels, [Level::L2, Level::L3, Level::L4, Level::L5, Level::S1]);
        let frames = &frames.frames;
        assert!((frames[0].1.origin.z - 72.0).abs() < 1e-12 && (frames[4].1.origin.z + 72.0).abs() < 1e-12);
        assert!((frames[2].1.superior.z - 1.0).abs() < 1e-12);
        assert_eq!(frames_from_bodies(&[]), Err(FitError::None));
        assert_eq!(frames_from_bodies(&good[..1]).unwrap().frames[1].1.superior, Vec3::z());
        let gap = [at(Level::L2, 72.0), at(Level::L4, 0.0)];
        assert!(matches!(
            frames_from_bodies(&gap),
            Err(FitError::Gap { missing: Level::L3, .. })
        ));
        let upside_down = [at(Level::L3, 0.0), at(Level::L4, 36.0)];
        assert!(
            frames_from_bodies(&upside_down)
                .unwrap_err()
                .to_string()
                .contains("36 mm upwards")
        );
        let twice = [at(Level::L3, 0.0), at(Level::L3, -36.0)];
        assert!(matches!(frames_from_bodies(&twice), Err(FitError::Twice { .. })));
    }

    #[test]
    fn the_sacrum_leans_forward() {
        let frames = frames_from_bodies(&[at(Level::L5, 36.0), at(Level::S1, 0.0)])
            .unwrap()
            .frames;
        assert!(frames[2].1.superior.y < -0.4);
        let f = &frames[1].1;
        assert!((f.left.cross(&f.posterior) - f.superior).norm() < 1e-12);
    }
}
