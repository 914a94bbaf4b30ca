//! The vertebrae as a column: order, gaps, axis, and the counts from both ends.

use neurotome_base::{Point, Vec3};

use super::survey::Survey;
use super::{LevelError, LevelReport, names};
use crate::anatomy::Level;
use crate::anatomy::ct::LabelMap;
use crate::anatomy::ct::labels::Sign;

/// Bone of one vertebra, cm³.
const VOLUME_CM3: std::ops::RangeInclusive<f64> = 10.0..=160.0;
/// From one vertebra's centre to the next, mm.
const STEP_MM: std::ops::RangeInclusive<f64> = 15.0..=55.0;
/// From here on the tilt of the spine is worth a word, degrees.
const TILT_DEG: f64 = 25.0;
/// Beyond this the image is turned, degrees.
const TURNED_DEG: f64 = 45.0;
/// The same where the sacrum is one of two vertebrae in view: its centre lies far behind L5.
const TURNED_AT_SACRUM_DEG: f64 = 60.0;
/// A rib whose inner end is farther than this from every vertebra tells nothing, mm.
const RIB_REACH_MM: f64 = 12.0;

/// Cut vertebrae and unlikely sizes.
pub(super) fn check_each(report: &mut LevelReport) {
    let cut = names(report.vertebrae.iter().filter(|v| v.cut).map(|v| v.level));
    if !cut.is_empty() {
        report.warnings.push(format!(
            "The border of the label map cuts {cut}: part of the bone may be missing there."
        ));
    }
    for v in &report.vertebrae {
        let small = v.volume_cm3 < *VOLUME_CM3.start() && !v.cut;
        if small || v.volume_cm3 > *VOLUME_CM3.end() && v.level != Level::S1 {
            report.warnings.push(format!(
                "{} has {:.0} cm³ of bone, where {:.0} to {:.0} cm³ are usual: its label may be incomplete or may cover two vertebrae.",
                v.level,
                v.volume_cm3,
                VOLUME_CM3.start(),
                VOLUME_CM3.end()
            ));
        }
    }
}

/// Axis, order, gaps and distances.
pub(super) fn check_course(survey: &Survey, report: &mut LevelReport) {
    let found = &report.vertebrae;
    let (Some(upper), Some(last)) = (found.first(), found.last()) else {
        return;
    };
    if found.len() == 1 {
        report.warnings.push(format!(
            "{} is the only vertebra: neither order nor axis of the spine can be checked.",
            upper.level
        ));
        return;
    }
    // The sacrum bends backwards, and what the border leaves of a vertebra has another centre: both are left out where others show the axis.
    let above_sacrum: Vec<_> = found.iter().filter(|v| v.level != Level::S1).collect();
    let whole: Vec<_> = above_sacrum.iter().copied().filter(|v| !v.cut).collect();
    let (upper, lower, limit_deg) = match (&whole[..], &above_sacrum[..]) {
        ([upper, .., lower], _) | (_, [upper, .., lower]) => (*upper, *lower, TURNED_DEG),
        _ => (upper, last, TURNED_AT_SACRUM_DEG),
    };
    let along: Vec3 = upper.center.vec() - lower.center.vec();
    let angle_deg = (along.z.abs() / along.norm().max(f64::MIN_POSITIVE))
        .min(1.0)
        .acos()
        .to_degrees();
    if angle_deg > limit_deg {
        report.errors.push(LevelError::Rotated {
            upper: upper.level,
            lower: lower.level,
            angle_deg,
            limit_deg,
        });
    } else {
        if angle_deg > TILT_DEG && limit_deg == TURNED_DEG {
            report.warnings.push(format!(
                "The spine from {} to {} runs {angle_deg:.0}° off z: check that the image is not turned.",
                upper.level, lower.level
            ));
        }
        let reversed = found.windows(2).find(|w| w[0].center.xyz[2] <= w[1].center.xyz[2]);
        if let Some([above, below]) = reversed {
            report.errors.push(LevelError::Order {
                upper: above.level,
                lower: below.level,
                upper_z_mm: above.center.xyz[2],
                lower_z_mm: below.center.xyz[2],
            });
        }
    }
    let thirteenth = survey.region(Sign::T13).is_some();
    for w in found.windows(2) {
        let [above, below] = w else { continue };
        let missing = Level::ALL
            .into_iter()
            .filter(|l| *l > above.level && *l < below.level && *l != Level::L6);
        let missing = names(missing);
        if !missing.is_empty() {
            report.errors.push(LevelError::Gap {
                above: above.level,
                below: below.level,
                missing,
            });
            continue;
        }
        let step_mm = (above.center.vec() - below.center.vec()).norm();
        let told = below.level == Level::S1 || above.cut || below.cut || (thirteenth && below.level == Level::L1);
        if !told && !STEP_MM.contains(&step_mm) {
            let why = if step_mm < *STEP_MM.start() {
                "one vertebra may carry two labels"
            } else {
                "a vertebra between them may have no label"
            };
            report.warnings.push(format!(
                "{} and {} lie {step_mm:.0} mm apart, where {:.0} to {:.0} mm are usual: {why}.",
                above.level,
                below.level,
                STEP_MM.start(),
                STEP_MM.end()
            ));
        }
    }
}

/// A vertebra above the sacrum, by place.
struct Member {
    sign: Sign,
    name: &'static str,
    center: Vec3,
}

/// Counts from the sacrum up and from the last rib down, and compares both with the map's names.
pub(super) fn count(map: &LabelMap, survey: &Survey, report: &mut LevelReport) {
    let mut column: Vec<Member> = survey
        .regions
        .iter()
        .filter_map(|r| {
            let name = match r.sign {
                Sign::Vertebra(level) if level != Level::S1 => level.name(),
                Sign::T13 => "T13",
                _ => return None,
            };
            Some(Member {
                sign: r.sign,
                name,
                center: r.center.vec(),
            })
        })
        .collect();
    column.sort_by(|a, b| b.center.z.total_cmp(&a.center.z));
    let sacrum = survey.region(Sign::Vertebra(Level::S1)).is_some();
    if !sacrum && survey.region(Sign::Sacrum).is_some() {
        report
            .warnings
            .push("The sacrum has a label but its first vertebra S1 has none: it was not counted from.".to_owned());
    }
    for (sign, name) in [(Sign::Vertebra(Level::L6), "L6"), (Sign::T13, "T13")] {
        if survey.region(sign).is_some() {
            report.warnings.push(format!(
                "The label map has a vertebra {name}, a transitional one: levels may be numbered in two ways; agree on one before treating."
            ));
        }
    }
    let bearer = last_rib_bearer(map, survey, &column, report);
    let thirteenth = survey.region(Sign::T13).is_some();
    for v in &mut report.vertebrae {
        // With thirteen pairs of ribs the count from below says nothing of T12 and T11.
        if thirteenth && v.level <= Level::T12 {
            continue;
        }
        if v.level == Level::S1 {
            v.from_sacrum = Some(Level::S1);
            continue;
        }
        let Some(at) = column.iter().position(|m| m.sign == Sign::Vertebra(v.level)) else {
            continue;
        };
        v.from_sacrum = sacrum.then(|| counted_up(column.len() - 1 - at)).flatten();
        v.from_last_rib = bearer.and_then(|b| counted_down(at as i64 - b as i64));
    }
    report.lumbar_count = bearer.filter(|_| sacrum).map(|b| column.len() - 1 - b);
    report.counts_agree = report.lumbar_count.map(|n| n == 5);
    match (sacrum, bearer.map(|b| &column[b])) {
        (true, Some(last_with_rib)) => {
            let wrong = report.vertebrae.iter().find_map(|v| {
                let (up, down) = (v.from_sacrum?, v.from_last_rib?);
                (v.level != up && v.level != down).then_some((v.level, up, down))
            });
            if let Some((level, from_sacrum, from_last_rib)) = wrong {
                report.errors.push(LevelError::Misnumbered {
                    level,
                    from_sacrum,
                    from_last_rib,
                });
            }
            if let Some(n) = report.lumbar_count.filter(|n| *n != 5) {
                report.warnings.push(format!(
                    "{n} vertebrae lie between {}, the last one with a rib, and the sacrum, where five are usual: a transitional vertebra. Counting from the sacrum and from the last rib gives different names; agree on one before treating.",
                    last_with_rib.name
                ));
            }
        }
        (true, None) => report.warnings.push(
            "No rib shows which vertebra is T12: levels rest on the count from the sacrum alone, which cannot tell a transitional vertebra."
                .to_owned(),
        ),
        (false, Some(last_with_rib)) => {
            report.warnings.push(
                "S1 is not labelled: levels rest on the count from the last rib alone, which cannot tell a transitional vertebra."
                    .to_owned(),
            );
            if last_with_rib.sign != Sign::Vertebra(Level::T12) {
                report.warnings.push(format!(
                    "The last rib joins {}, where T12 is usual: the numbering may be off by one, or there is a transitional vertebra.",
                    last_with_rib.name
                ));
            }
        }
        (false, None) => report.warnings.push(
            "Neither S1 nor a last rib is labelled: levels rest on the label map alone; check them in an image that shows the sacrum."
                .to_owned(),
        ),
    }
}

/// The name of the vertebra so many places above the lowest one above the sacrum.
fn counted_up(places: usize) -> Option<Level> {
    use Level::{L1, L2, L3, L4, L5, T11, T12};
    [L5, L4, L3, L2, L1, T12, T11].get(places).copied()
}

/// The name of the vertebra so many places below the last one with a rib.
fn counted_down(places: i64) -> Option<Level> {
    let at = usize::try_from(places + 1).ok()?;
    Level::ALL.get(at).copied().filter(|l| *l != Level::S1)
}

/// The place in the column of the last vertebra that a rib joins, by the lowest rib that is labelled up to its inner end.
fn last_rib_bearer(map: &LabelMap, survey: &Survey, column: &[Member], report: &mut LevelReport) -> Option<usize> {
    // Ribs above the eleventh may join vertebrae that have no place in the column.
    let mut ribs: Vec<(u8, Sign)> = survey
        .regions
        .iter()
        .filter_map(|r| match r.sign {
            Sign::Rib(n, _) if n >= 11 => Some((n, r.sign)),
            _ => None,
        })
        .collect();
    if ribs.is_empty() || column.is_empty() {
        return None;
    }
    ribs.sort_by_key(|r| std::cmp::Reverse(r.0));
    // A label of both sides is parted at the spine.
    let mut ends: Vec<Option<(f64, Vec3)>> = vec![None; 2 * ribs.len()];
    each_voxel(map, |sign, p| {
        if let Some(n) = ribs.iter().position(|r| r.1 == sign) {
            let spine = at_height(column, p.z);
            let aside = (p.x - spine.x).hypot(p.y - spine.y);
            let end = &mut ends[2 * n + usize::from(p.x < spine.x)];
            if end.is_none_or(|(least, _)| aside < least) {
                *end = Some((aside, *p));
            }
        }
    });
    let mut nearest: Vec<Vec<f64>> = vec![vec![f64::INFINITY; column.len()]; ends.len()];
    each_voxel(map, |sign, p| {
        let Some(c) = column.iter().position(|m| m.sign == sign) else {
            return;
        };
        for (end, least) in ends.iter().zip(&mut nearest) {
            if let Some((_, q)) = end {
                least[c] = least[c].min((p - q).norm());
            }
        }
    });
    let joined = |n: usize| -> Vec<usize> {
        let joins = |least: &Vec<f64>| {
            let best = least.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?;
            (*best.1 <= RIB_REACH_MM).then_some(best.0)
        };
        nearest[2 * n..2 * n + 2].iter().filter_map(joins).collect()
    };
    // All labels of the lowest number that reaches a vertebra.
    let lowest = (0..ribs.len()).find(|n| !joined(*n).is_empty())?;
    let number = ribs[lowest].0;
    let mut bearers: Vec<usize> = (0..ribs.len())
        .filter(|n| ribs[*n].0 == number)
        .flat_map(joined)
        .collect();
    bearers.sort_unstable();
    bearers.dedup();
    if let [first, .., last] = bearers[..] {
        report.warnings.push(format!(
            "Rib {number} joins {} on one side and {} on the other: the count from the last rib was not made.",
            column[first].name, column[last].name
        ));
        return None;
    }
    bearers.first().copied()
}

/// The line through the vertebrae's centres at a height; straight up and down beyond its ends.
fn at_height(column: &[Member], z: f64) -> Vec3 {
    let below = column.iter().position(|m| m.center.z <= z).unwrap_or(column.len());
    if below == 0 {
        return column[0].center;
    }
    let upper = column[below - 1].center;
    let Some(lower) = column.get(below).map(|m| m.center) else {
        return upper;
    };
    let t = (upper.z - z) / (upper.z - lower.z).max(f64::MIN_POSITIVE);
    upper + (lower - upper) * t
}

/// Hands every voxel with a sign to `each`, with its place in the patient, mm.
pub(super) fn each_voxel(map: &LabelMap, mut each: impl FnMut(Sign, &Vec3)) {
    let [nx, ny, _] = map.labels.dims();
    let affine = map.labels.affine();
    let (mut label, mut sign) = (0, None);
    for (n, found) in map.labels.data().iter().enumerate().filter(|(_, l)| **l != 0) {
        if *found != label {
            (label, sign) = (*found, map.meaning.sign(*found));
        }
        if let Some(sign) = sign {
            let index = Point::new((n % nx) as f64, (n / nx % ny) as f64, (n / (nx * ny)) as f64);
            each(sign, &affine.to_patient(&index).vec());
        }
    }
}
