//! Which slices belong together, and where they lie.

use std::collections::BTreeMap;

use neurotome_base::{Affine, Vec3, geometry::Mat3};

use super::{
    DicomError, SeriesSummary,
    slice::{Header, SliceHeader},
};

/// Series of at most this many images beside a longer one are taken for localizers.
const LOCALIZER_IMAGES: usize = 3;
/// Tolerance of slice distances: relative, and mm.
const SPACING_TOLERANCE: (f64, f64) = (0.01, 0.01);
/// Tolerance of sideways shift: relative to the length of the stack, and mm.
const SHEAR_TOLERANCE: (f64, f64) = (1e-3, 0.05);

/// One file of the series with its index in the source.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub file: usize,
    pub slice: SliceHeader,
}

/// The slices of one series, in order along the normal, and their place.
#[derive(Debug)]
pub(super) struct Stack {
    pub members: Vec<Member>,
    /// Columns, rows, slices.
    pub dims: [usize; 3],
    pub affine: Affine,
}

/// Chooses the CT series: the one asked for, or the only one. `headers` are `(file index, header)`.
pub(super) fn choose(
    headers: Vec<(usize, Header)>,
    wanted: Option<&str>,
    files: usize,
    notes: &mut Vec<String>,
) -> Result<Vec<Member>, DicomError> {
    let mut groups: BTreeMap<(String, String), Vec<(usize, Header)>> = BTreeMap::new();
    for (file, header) in headers {
        groups
            .entry((header.series.clone(), header.modality.clone()))
            .or_default()
            .push((file, header));
    }
    let summary = |key: &(String, String), images: usize| SeriesSummary {
        uid: key.0.clone(),
        modality: key.1.clone(),
        images,
    };
    let all: Vec<SeriesSummary> = groups.iter().map(|(k, g)| summary(k, g.len())).collect();
    if all.is_empty() {
        return Err(DicomError::NoImages { files });
    }
    // Localizers go, whether they have a series of their own or not, unless a series is nothing else.
    let mut candidates = Vec::new();
    for (key, group) in groups {
        if let Some(wanted) = wanted
            && key.0 != wanted
        {
            continue;
        }
        if key.1 != "CT" {
            notes.push(format!("{} image(s) of modality {} left out", group.len(), key.1));
            continue;
        }
        let before = group.len();
        let rest: Vec<_> = group.into_iter().filter(|(_, h)| !h.localizer).collect();
        if rest.len() < before {
            notes.push(format!("{} localizer image(s) left out", before - rest.len()));
        }
        if !rest.is_empty() {
            candidates.push((key, rest));
        }
    }
    if let Some(wanted) = wanted
        && !all.iter().any(|s| s.uid == wanted)
    {
        return Err(DicomError::NoSuchSeries { found: all });
    }
    if candidates.iter().filter(|(_, g)| g.len() > LOCALIZER_IMAGES).count() == 1 {
        candidates.retain(|(_, group)| {
            let keep = group.len() > LOCALIZER_IMAGES;
            if !keep {
                notes.push(format!(
                    "a CT series of {} image(s), taken for a localizer, left out",
                    group.len()
                ));
            }
            keep
        });
    }
    if candidates.len() > 1 {
        return Err(DicomError::SeveralSeries {
            found: candidates.iter().map(|(k, g)| summary(k, g.len())).collect(),
        });
    }
    let Some((_, group)) = candidates.pop() else {
        return Err(DicomError::NotCt { found: all });
    };
    group
        .into_iter()
        .map(|(file, header)| match header.slice {
            Ok(slice) => Ok(Member { file, slice }),
            Err(problem) => Err(DicomError::File {
                ordinal: file + 1,
                files,
                problem,
            }),
        })
        .collect()
}

/// Checks that the slices make one straight, even stack, and puts them in order.
pub(super) fn stack(mut members: Vec<Member>, files: usize, notes: &mut Vec<String>) -> Result<Stack, DicomError> {
    if members.len() < 2 {
        return Err(DicomError::TooFewSlices { found: members.len() });
    }
    same_in_all(&members, files)?;
    let first = &members[0].slice;
    let (row, column, normal) = directions(first.orientation)?;
    let (row_spacing, column_spacing) = (first.spacing_mm[0], first.spacing_mm[1]);
    let along = |m: &Member| normal.dot(&Vec3::from(m.slice.position_mm));
    // Positions are finite, so the order is total; equal positions keep the order of names.
    members.sort_by(|a, b| along(a).total_cmp(&along(b)));
    let positions: Vec<f64> = members.iter().map(along).collect();
    let spacing = even_steps(&positions)?;
    let origin = Vec3::from(members[0].slice.position_mm);
    let length = positions[positions.len() - 1] - positions[0];
    let shift = members
        .iter()
        .map(|m| {
            let d = Vec3::from(m.slice.position_mm) - origin;
            (d - normal * normal.dot(&d)).norm()
        })
        .fold(0.0, f64::max);
    let tilt_deg = members[0].slice.tilt_deg.filter(|t| *t != 0.0);
    if shift > SHEAR_TOLERANCE.1.max(SHEAR_TOLERANCE.0 * length) {
        return Err(DicomError::Sheared {
            shift_mm: shift,
            length_mm: length,
            tilt_deg,
        });
    }
    if let Some(tilt) = tilt_deg {
        notes.push(format!(
            "a gantry tilt of {tilt:.1}° is stated, but the slices are stacked straight along their normal"
        ));
    }
    let matrix = Mat3::from_columns(&[row * column_spacing, column * row_spacing, normal * spacing]);
    let dims = [first_columns(&members), members[0].slice.format.rows, members.len()];
    Ok(Stack {
        affine: Affine::new(matrix, origin)?,
        dims,
        members,
    })
}

fn first_columns(members: &[Member]) -> usize {
    members[0].slice.format.columns
}

fn same_in_all(members: &[Member], files: usize) -> Result<(), DicomError> {
    let first = &members[0].slice;
    for m in &members[1..] {
        let s = &m.slice;
        let differing = |attribute, found: String, expected: String| {
            Err(DicomError::Differing {
                ordinal: m.file + 1,
                files,
                attribute,
                found,
                expected,
            })
        };
        let size = |s: &SliceHeader| format!("{} × {}", s.format.columns, s.format.rows);
        if (s.format.rows, s.format.columns) != (first.format.rows, first.format.columns) {
            return differing("number of columns and rows", size(s), size(first));
        }
        let near = |a: &[f64], b: &[f64], by: f64| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= by);
        if !near(&s.spacing_mm, &first.spacing_mm, 1e-4 * first.spacing_mm[0]) {
            return differing(
                "PixelSpacing",
                format!("{:?}", s.spacing_mm),
                format!("{:?}", first.spacing_mm),
            );
        }
        if !near(&s.orientation, &first.orientation, 1e-3) {
            return differing(
                "ImageOrientationPatient",
                format!("{:?}", s.orientation),
                format!("{:?}", first.orientation),
            );
        }
    }
    Ok(())
}

/// Unit vectors along a row, along a column, and along the normal.
fn directions(cosines: [f64; 6]) -> Result<(Vec3, Vec3, Vec3), DicomError> {
    let row = Vec3::new(cosines[0], cosines[1], cosines[2]);
    let column = Vec3::new(cosines[3], cosines[4], cosines[5]);
    let bad = (row.norm() - 1.0).abs() > 1e-3 || (column.norm() - 1.0).abs() > 1e-3 || row.dot(&column).abs() > 1e-3;
    if bad {
        return Err(DicomError::Orientation { found: cosines });
    }
    let row = row.normalize();
    let normal = row.cross(&column).normalize();
    Ok((row, normal.cross(&row), normal))
}

/// The one distance between neighbours, mm.
fn even_steps(positions: &[f64]) -> Result<f64, DicomError> {
    let steps: Vec<f64> = positions.windows(2).map(|w| w[1] - w[0]).collect();
    let copies = steps.iter().filter(|s| **s < SPACING_TOLERANCE.1).count();
    if copies > 0 {
        let at = steps.iter().position(|s| *s < SPACING_TOLERANCE.1).unwrap_or(0);
        return Err(DicomError::DuplicateSlice {
            count: copies,
            position_mm: positions[at],
        });
    }
    let mut sorted = steps.clone();
    sorted.sort_by(f64::total_cmp);
    // Of an even number of steps the lower of the middle ones, so that one gap in two steps is a gap.
    let usual = sorted[(sorted.len() - 1) / 2];
    let tolerance = SPACING_TOLERANCE.1.max(SPACING_TOLERANCE.0 * usual);
    let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
    if usual - least > tolerance || most - usual > tolerance {
        let gap = steps.iter().position(|s| s - usual > tolerance);
        // All odd steps whole multiples of the usual one: slices are missing. Otherwise the spacing itself is uneven.
        let whole = steps
            .iter()
            .all(|s| (s / usual).round() >= 1.0 && (s - usual * (s / usual).round()).abs() <= tolerance);
        return Err(match gap {
            Some(at) if whole => DicomError::MissingSlice {
                missing: (steps[at] / usual).round() as usize - 1,
                position_mm: positions[at],
                step_mm: steps[at],
                spacing_mm: usual,
            },
            _ => DicomError::UnevenSpacing {
                least_mm: least,
                most_mm: most,
            },
        });
    }
    // The mean loses less to rounded positions than any single step.
    Ok((positions[positions.len() - 1] - positions[0]) / steps.len() as f64)
}
