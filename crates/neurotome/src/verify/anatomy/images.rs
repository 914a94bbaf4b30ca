//! Label maps and volumes of the built-in patient, and what is read off them.

use neurotome_base::{Affine, PatientBox, PatientPoint, Volume, geometry::Mat3};
use neurotome_procedure::anatomy::{
    Level, Patient as _,
    ct::{
        LabelMap, LabelMeaning,
        levels::{LevelError, LevelEvidence, LevelReport, check_levels},
    },
    fit::{
        FittedSpine,
        occupancy::{Labelled, Occupancy, centroid},
    },
    spine::{Hounsfield, Landmarks, LumbarSpine, Morphometry, Scanner, Sex, Structure},
};

use super::people::{catalogue, drawn, mean};
use crate::verify::Report;

/// One and two threads give the same voxels, another seed others.
pub fn repeat(report: &mut Report) {
    let source = "Every voxel is computed by itself; noise by its place and seed";
    let claim = "voxels of labels and CT of a drawn person that differ between one and two threads";
    let computed = || -> Result<(f64, f64), String> {
        let catalog = catalogue()?;
        let hu = Hounsfield::new(&Morphometry::new(&catalog, Sex::Male)).map_err(|e| e.to_string())?;
        let scanner = Scanner {
            spacing_mm: [2.0, 2.0, 3.0],
            ..Scanner::default()
        };
        let over = PatientBox {
            low: PatientPoint::new(-80.0, -60.0, -80.0),
            high: PatientPoint::new(80.0, 120.0, 80.0),
        };
        let images = |seed: u64, threads: usize| -> Result<(Volume<u16>, Volume<f32>), String> {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .map_err(|e| e.to_string())?;
            pool.install(|| {
                let spine = drawn(&catalog, seed)?;
                let labels = spine.labels(&over, scanner.spacing_mm).map_err(|e| e.to_string())?;
                let ct = spine.ct(&over, &hu, &scanner).map_err(|e| e.to_string())?;
                Ok((labels, ct))
            })
        };
        let (one, two, other) = (images(2010, 1)?, images(2010, 2)?, images(2012, 2)?);
        let labels = one.0.data().iter().zip(two.0.data()).filter(|(a, b)| a != b).count();
        let ct = one
            .1
            .data()
            .iter()
            .zip(two.1.data())
            .filter(|(a, b)| a.to_bits() != b.to_bits())
            .count();
        let changed = one.0.data().iter().zip(other.0.data()).filter(|(a, b)| a != b).count();
        Ok(((labels + ct) as f64, changed as f64 / one.0.data().len() as f64))
    };
    match computed() {
        Ok((different, changed)) => {
            report.at_most(claim, different, 0.0, source);
            let other = "share of voxels with another label in a person of another seed";
            report.at_least(other, changed, 0.01, "Two men are not the same man");
        }
        Err(e) => report.failed(claim, e, source),
    }
}

/// Junction, mamillary and accessory process and tip of the transverse process lie on the surface of bone.
pub fn landmarks_on_bone(report: &mut Report) {
    let claim = "landmarks of six people, farthest from the surface of bone, mm";
    let source = "Definition of the landmarks (procedure::anatomy::Landmark); the foramen's middle is not on bone";
    let computed = || -> Result<f64, String> {
        let catalog = catalogue()?;
        let mut people = vec![mean(&catalog, Sex::Female)?, mean(&catalog, Sex::Male)?];
        for seed in 2000..2004 {
            people.push(drawn(&catalog, seed)?);
        }
        let mut farthest = 0.0f64;
        for spine in &people {
            for l in spine.landmarks() {
                let of_sacrum = l.level == Level::S1;
                let points: &[PatientPoint] = if of_sacrum {
                    &[l.junction, l.mamillary]
                } else {
                    &[l.junction, l.mamillary, l.accessory, l.transverse_tip]
                };
                for p in points {
                    farthest = farthest.max(spine.bone_level_mm(p).abs());
                }
            }
        }
        Ok(farthest)
    };
    match computed() {
        Ok(farthest) => report.at_most(claim, farthest, 0.05, source),
        Err(e) => report.failed(claim, e, source),
    }
}

fn errors_of_fit(seed: u64, slice_mm: f64) -> Result<Vec<f64>, String> {
    let catalog = catalogue()?;
    let spine = drawn(&catalog, seed)?;
    let levels = [Level::L3, Level::L4, Level::L5];
    let over = PatientBox {
        low: PatientPoint::new(-65.0, -45.0, -50.0),
        high: PatientPoint::new(65.0, 85.0, 90.0),
    };
    let labels = spine.labels(&over, [1.0, 1.0, slice_mm]).map_err(|e| e.to_string())?;
    let wanted = levels.map(|l| [Structure::Vertebra(l).label()]);
    let images: Vec<Labelled<'_>> = wanted
        .iter()
        .map(|wanted| Labelled {
            labels: &labels,
            wanted,
        })
        .collect();
    let images: Vec<&dyn Occupancy> = images.iter().map(|i| i as &dyn Occupancy).collect();
    let middles = levels
        .iter()
        .zip(&wanted)
        .map(|(l, w)| {
            let (middle, _) = centroid(&labels, w).ok_or_else(|| format!("{l} has no voxel"))?;
            Ok((*l, PatientPoint::from_vec(middle)))
        })
        .collect::<Result<Vec<_>, String>>()?;
    // The fit is not told the sex.
    let fit = FittedSpine::from_labels(&Morphometry::new(&catalog, Sex::Male), &images, &middles)
        .map_err(|e| e.to_string())?;
    let truth = spine.landmarks();
    let points = |l: &Landmarks| [l.junction, l.mamillary, l.accessory, l.foramen, l.transverse_tip];
    let mut errors = vec![];
    for f in fit.landmarks() {
        let t = truth
            .iter()
            .find(|t| t.level == f.level && t.side == f.side)
            .ok_or("a landmark too many")?;
        errors.extend(
            points(&f)
                .iter()
                .zip(points(t))
                .map(|(a, b)| (a.vec() - b.vec()).norm()),
        );
    }
    Ok(errors)
}

/// Landmarks of a fit to the labels of people on whom it was not tuned.
pub fn landmarks_of_a_fit(report: &mut Report) {
    let source = "Goal of the fit: half within 1.5 mm, 95 % within 3.5 mm with slices of up to 2 mm";
    let runs: &[(f64, &[u64])] = if report.full() {
        &[(1.0, &[5001, 5002, 5003, 5004]), (2.0, &[5001, 5002, 5003, 5004])]
    } else {
        &[(2.0, &[5001])]
    };
    for (slice_mm, seeds) in runs {
        let words = format!(
            "landmarks of L3 to L5 fitted to labels of {} unseen people, slices of {slice_mm} mm",
            seeds.len()
        );
        let mut errors = vec![];
        for seed in *seeds {
            if report.stopped() {
                return;
            }
            match errors_of_fit(*seed, *slice_mm) {
                Ok(some) => errors.extend(some),
                Err(e) => return report.failed(words, e, source),
            }
        }
        errors.sort_by(f64::total_cmp);
        let at = |share: f64| errors[(share * errors.len() as f64) as usize];
        report.at_most(format!("{words}: median error, mm"), at(0.5), 1.5, source);
        report.at_most(format!("{words}: error that 95 % keep, mm"), at(0.95), 3.5, source);
    }
}

/// The map with its labels replaced.
fn relabelled(labels: &Volume<u16>, new: impl Fn(u16) -> u16) -> LabelMap {
    LabelMap {
        labels: labels.map(new),
        meaning: LabelMeaning::TotalSegmentator,
    }
}

fn turned(labels: &Volume<u16>, axes: [f64; 3]) -> Result<LabelMap, String> {
    let affine = labels.affine();
    let turn = Mat3::from_diagonal(&axes.into());
    let affine = Affine::new(turn * affine.matrix, turn * affine.origin_mm).map_err(|e| e.to_string())?;
    Ok(LabelMap {
        labels: Volume::new(labels.dims(), affine, labels.data().to_vec()).map_err(|e| e.to_string())?,
        meaning: LabelMeaning::TotalSegmentator,
    })
}

/// Label maps that are right pass the level guard, those with a fault do not.
pub fn level_guard(report: &mut Report) {
    let claim = "label maps that the level guard judges wrongly, of 6: sound, mirrored, upside down, L3 missing, numbered one too high above the sacrum, all names one off under the last rib";
    let source = "procedure::anatomy::ct::levels";
    let computed = || -> Result<f64, String> {
        let spine: LumbarSpine = mean(&catalogue()?, Sex::Male)?;
        let labels = spine
            .labels(&spine.extent(), [2.0, 2.0, 3.0])
            .map_err(|e| e.to_string())?;
        let check = |map: &LabelMap| {
            check_levels(&LevelEvidence {
                labels: map,
                parts: None,
                hu: None,
            })
        };
        // The sacrum as its first vertebra, so that levels can be counted from it.
        let labels = labels.map(|l| if l == 25 { 26 } else { l });
        let vertebra = |l: u16| (27..=32).contains(&l);
        let refused = |r: &LevelReport| r.vertebra(Level::L4).is_err();
        let sound = check(&relabelled(&labels, |l| l));
        let mirrored = check(&turned(&labels, [-1.0, 1.0, 1.0])?);
        let upside_down = check(&turned(&labels, [1.0, 1.0, -1.0])?);
        let missing = check(&relabelled(&labels, |l| if l == 29 { 0 } else { l }));
        let high = check(&relabelled(&labels, |l| if vertebra(l) { l + 1 } else { l }));
        let off = check(&relabelled(&labels, |l| if vertebra(l) || l == 26 { l + 1 } else { l }));
        let judged = [
            !refused(&sound) && sound.errors.is_empty(),
            matches!(mirrored.errors[..], [LevelError::Mirrored { .. }, ..]),
            refused(&upside_down),
            matches!(missing.errors[..], [LevelError::Gap { .. }, ..]),
            refused(&high),
            off.vertebrae
                .iter()
                .any(|v| v.from_last_rib.is_some_and(|l| l != v.level))
                || refused(&off),
        ];
        Ok(judged.iter().filter(|right| !**right).count() as f64)
    };
    match computed() {
        Ok(wrong) => report.at_most(claim, wrong, 0.0, source),
        Err(e) => report.failed(claim, e, source),
    }
}
