//! What the parts of vertebrae tell: left and right, front and back, and a transverse process that meets the sacrum.

use std::collections::BTreeMap;

use neurotome_base::{Point, Vec3};

use super::{LevelError, LevelReport};
use crate::anatomy::ct::labels::Sign;
use crate::anatomy::ct::{LabelMap, Part};
use crate::anatomy::{Level, Side};

/// Fewer voxels than this show no side.
const FEWEST_VOXELS: usize = 5;
/// A transverse process and the sacrum touch when no farther apart than this, mm (or one voxel).
const CONTACT_MM: f64 = 2.0;
/// Fewer voxels in contact than this are noise of the borders.
const FEWEST_IN_CONTACT: usize = 3;

pub(super) fn check(labels: &LabelMap, parts: &LabelMap, report: &mut LevelReport) {
    let [nx, ny, _] = parts.labels.dims();
    let affine = parts.labels.affine();
    let mut tallies: BTreeMap<(Option<Level>, Part), (usize, Vec3)> = BTreeMap::new();
    let mut in_contact: BTreeMap<(Level, Side), usize> = BTreeMap::new();
    for (n, label) in parts.labels.data().iter().enumerate().filter(|(_, l)| **l != 0) {
        let Some(part) = parts.meaning.part(*label) else {
            continue;
        };
        let p = affine.to_patient(&Point::new(
            (n % nx) as f64,
            (n / nx % ny) as f64,
            (n / (nx * ny)) as f64,
        ));
        let owner = labels.labels.nearest(&p).and_then(|l| labels.meaning.level(l));
        let (voxels, sum) = tallies.entry((owner, part)).or_insert((0, Vec3::zeros()));
        *voxels += 1;
        *sum += p.vec();
        if let (Some(level), Part::Transverse(side)) = (owner, part)
            && level != Level::S1
            && meets_sacrum(labels, &p)
        {
            *in_contact.entry((level, side)).or_default() += 1;
        }
    }
    if tallies.is_empty() {
        report
            .warnings
            .push("The map of parts holds no part of a vertebra: left and right were not checked by it.".to_owned());
    } else if tallies.keys().all(|(owner, _)| owner.is_none()) {
        report.warnings.push(
            "The map of parts does not meet the labelled vertebrae: check that both belong to the same image."
                .to_owned(),
        );
    }
    let mean = |owner: Option<Level>, part: Part| {
        tallies
            .get(&(owner, part))
            .filter(|t| t.0 >= FEWEST_VOXELS)
            .map(|(voxels, sum)| sum / *voxels as f64)
    };
    let named = |owner: Option<Level>| owner.map_or_else(|| "a vertebra".to_owned(), |l| l.to_string());
    let owners: Vec<Option<Level>> = Level::ALL.into_iter().map(Some).chain([None]).collect();
    let mirrored = owners.iter().find_map(|owner| {
        [
            ("transverse process", Part::Transverse as fn(Side) -> Part),
            ("superior articular process", Part::SuperiorArticular),
            ("inferior articular process", Part::InferiorArticular),
        ]
        .into_iter()
        .find_map(|(name, part)| {
            let (left, right) = (mean(*owner, part(Side::Left))?, mean(*owner, part(Side::Right))?);
            (left.x <= right.x).then(|| LevelError::Mirrored {
                what: format!("the {name} of {}", named(*owner)),
                left_x_mm: left.x,
                right_x_mm: right.x,
            })
        })
    });
    let back_to_front = owners.iter().find_map(|owner| {
        let (spinous, body) = (mean(*owner, Part::Spinous)?, mean(*owner, Part::Body)?);
        (spinous.y <= body.y).then(|| LevelError::FrontToBack {
            what: named(*owner),
            spinous_y_mm: spinous.y,
            body_y_mm: body.y,
        })
    });
    report.errors.extend(mirrored);
    report.errors.extend(back_to_front);
    for ((level, side), _) in in_contact.iter().filter(|(_, n)| **n >= FEWEST_IN_CONTACT) {
        report.warnings.push(format!(
            "The {side} transverse process of {level} meets the sacrum: a transitional vertebra. Levels may be numbered in two ways; agree on one before treating."
        ));
    }
}

/// True when a label of the sacrum lies within reach along one of the map's axes.
fn meets_sacrum(labels: &LabelMap, p: &neurotome_base::PatientPoint) -> bool {
    let (affine, dims) = (labels.labels.affine(), labels.labels.dims());
    let at = affine.to_voxel(p).xyz.map(|x| x.round() as i64);
    let spacing = affine.spacing_mm();
    (0..3).any(|a| {
        let reach = (CONTACT_MM / spacing[a]).floor().clamp(1.0, dims[a] as f64) as i64;
        (-reach..=reach).any(|step| {
            let mut index = at;
            index[a] += step;
            let [Ok(i), Ok(j), Ok(k)] = index.map(usize::try_from) else {
                return false;
            };
            labels
                .labels
                .get(i, j, k)
                .and_then(|l| labels.meaning.sign(l))
                .is_some_and(|s| matches!(s, Sign::Vertebra(Level::S1) | Sign::Sacrum))
        })
    })
}
