//! How far fitted landmarks lie from true ones: on built-in people with images like a CT, and on the CT cut out round L3 where
//! `NEUROTOME_TEST_DATA` names the folder that holds it.
//!
//! `cargo run --release -p neurotome-io --example landmark_errors -- labels 1000 200 2.0` fits to the labels of 200 people (seeds 1000 to
//! 1199) with slices of 2 mm; `clicks` in place of `labels` fits to bone found by its Hounsfield units, from a point in each body that is
//! off by 4 mm (standard deviation) along each axis; `l3` measures the cut-out.

// An example is a program: it may read the environment and print.
#![allow(clippy::disallowed_methods)]

use std::error::Error;
use std::path::Path;

use neurotome_base::random::Stream;
use neurotome_base::{PatientBox, PatientPoint, Point, Vec3, Volume};
use neurotome_io::{catalog, volumes::read_label_nifti};
use neurotome_procedure::anatomy::ct::{self, CtAnatomy, CtRules};
use neurotome_procedure::anatomy::fit::FittedSpine;
use neurotome_procedure::anatomy::fit::occupancy::{CtBone, Labelled, Occupancy, centroid};
use neurotome_procedure::anatomy::spine::{
    Hounsfield, Landmarks, LumbarSpine, Morphometry, Scanner, Sex, SpineParameters, Structure, TissueIds,
};
use neurotome_procedure::anatomy::{Level, Patient as _, Side, TissueId};
use neurotome_procedure::catalog::Catalog;
use rayon::prelude::*;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Distances, mm, by kind of landmark as `points` orders them.
type Errors = [Vec<f64>; 5];

/// The table is shown each time so many people are done, all at once as far as there are processors.
const EVERY: u64 = 25;

/// A landmark that is so far off is told with the quality of its fit, mm.
const FAR_MM: f64 = 5.0;

/// Deviation of a click along each axis, mm.
const CLICK_MM: f64 = 4.0;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["l3"] => cut_out(),
        [mode @ ("labels" | "clicks"), first, count, slice] => {
            people(*mode == "clicks", first.parse()?, count.parse()?, slice.parse()?)
        }
        _ => Err("expected: labels|clicks FIRST_SEED COUNT SLICE_MM, or l3".into()),
    }
}

fn people(clicks: bool, first: u64, count: u64, slice_mm: f64) -> Outcome<()> {
    let catalog = catalog::built_in()?;
    let mut errors: Errors = Default::default();
    let mut done = 0;
    while done < count {
        let next = EVERY.min(count - done);
        let some: Vec<Errors> = (first + done..first + done + next)
            .into_par_iter()
            .map(|seed| person(&catalog, seed, clicks, slice_mm).map_err(|e| format!("seed {seed}: {e}")))
            .collect::<Result<_, String>>()?;
        for person in some {
            for (all, one) in errors.iter_mut().zip(person) {
                all.extend(one);
            }
        }
        done += next;
        println!("{done} people");
        table(&errors);
    }
    Ok(())
}

/// Distances of the fitted landmarks of one person from the true ones, mm, by kind of landmark.
fn person(catalog: &Catalog, seed: u64, clicks: bool, slice_mm: f64) -> Outcome<Errors> {
    let sizes = Morphometry::new(catalog, Sex::Male);
    let hu = Hounsfield::new(&sizes)?;
    let mut errors: Errors = Default::default();
    let parameters = SpineParameters {
        seed: Some(seed),
        sex: if seed.is_multiple_of(2) { Sex::Male } else { Sex::Female },
        ..SpineParameters::default()
    };
    let id = TissueId;
    let spine = LumbarSpine::new(catalog, &parameters, TissueIds::by_name(|_| TissueId(0)))?;
    let all = spine.extent();
    let over = PatientBox {
        low: PatientPoint::new(-75.0, -70.0, all.low.xyz[2] + 30.0),
        high: PatientPoint::new(75.0, all.high.xyz[1].min(110.0), all.high.xyz[2]),
    };
    let levels: Vec<Level> = spine.levels().into_iter().filter(|l| *l >= Level::L1).collect();
    let spacing_mm = [0.9, 0.9, slice_mm];
    let fit = if clicks {
        let scanner = Scanner {
            spacing_mm,
            seed,
            ..Scanner::default()
        };
        let image = spine.ct(&over, &hu, &scanner)?;
        let ids = ct::TissueIds {
            air: id(11),
            fat: id(1),
            muscle: id(0),
            skin: None,
            cancellous_bone: id(4),
            cortical_bone: id(3),
            csf: None,
            disc: None,
        };
        let anatomy = CtAnatomy::new(&image, None, ids, &CtRules::default())?;
        let stream = Stream::new(seed).split(99);
        let clicks: Vec<(Level, PatientPoint)> = levels
            .iter()
            .zip(0u64..)
            .filter_map(|(level, n)| {
                let off = Vec3::from_fn(|a, _| CLICK_MM * stream.normal(3 * n + a as u64));
                let frame = spine.frame(*level)?;
                Some((*level, PatientPoint::from_vec(frame.origin + off)))
            })
            .collect();
        FittedSpine::from_clicks(&sizes, &CtBone(&anatomy), &clicks)?
    } else {
        let labels = spine.labels(&over, spacing_mm)?;
        let wanted: Vec<[u16; 1]> = levels.iter().map(|l| [Structure::Vertebra(*l).label()]).collect();
        fit_labels(&sizes, &labels, &levels, &wanted)?
    };
    let truth = spine.landmarks();
    for found in fit.landmarks() {
        let same = |t: &&Landmarks| t.level == found.level && t.side == found.side;
        let Some(true_one) = truth.iter().find(same) else {
            continue;
        };
        let distances = points(&found).into_iter().zip(points(true_one));
        // Of the sacrum only the junction is a landmark.
        let distances = distances.take(if found.level == Level::S1 { 1 } else { 5 });
        let distances: Vec<f64> = distances.map(|(a, b)| (a.vec() - b.vec()).norm()).collect();
        let worst = distances.iter().copied().fold(0.0, f64::max);
        if worst > FAR_MM {
            let q = fit.quality.iter().find(|q| q.level == found.level);
            let (misfit, unlikely) = q.map_or((f64::NAN, f64::NAN), |q| (q.misfit_mm, q.unlikeliness));
            println!(
                "seed {seed}, {} {}: {worst:.1} mm; surface misses by {misfit:.2} mm, shape {unlikely:.2} unlike the mean",
                found.level, found.side
            );
        }
        for (all, distance) in errors.iter_mut().zip(distances) {
            all.push(distance);
        }
    }
    Ok(errors)
}

fn table(errors: &Errors) {
    let names = ["junction", "mamillary", "accessory", "foramen", "transverse tip"];
    for (name, e) in names.into_iter().zip(errors) {
        print_line(name, &mut e.clone());
    }
    print_line("all", &mut errors.concat());
}

fn print_line(name: &str, errors: &mut [f64]) {
    errors.sort_by(f64::total_cmp);
    let at = |share: f64| {
        errors
            .get((share * errors.len() as f64) as usize)
            .copied()
            .unwrap_or(f64::NAN)
    };
    println!(
        "{name:<15} n {:5}   median {:.2} mm   95 % {:.2} mm   worst {:.2} mm",
        errors.len(),
        at(0.5),
        at(0.95),
        errors.last().copied().unwrap_or(f64::NAN)
    );
}

fn points(l: &Landmarks) -> [PatientPoint; 5] {
    [l.junction, l.mamillary, l.accessory, l.foramen, l.transverse_tip]
}

fn fit_labels(
    sizes: &Morphometry<'_>,
    labels: &Volume<u16>,
    levels: &[Level],
    wanted: &[[u16; 1]],
) -> Outcome<FittedSpine> {
    let images: Vec<Labelled<'_>> = wanted.iter().map(|wanted| Labelled { labels, wanted }).collect();
    let images: Vec<&dyn Occupancy> = images.iter().map(|i| i as &dyn Occupancy).collect();
    let middles = levels
        .iter()
        .zip(wanted)
        .map(|(level, wanted)| {
            let (middle, _) = centroid(labels, wanted).ok_or("a vertebra has no voxel")?;
            Ok((*level, PatientPoint::from_vec(middle)))
        })
        .collect::<Outcome<Vec<_>>>()?;
    Ok(FittedSpine::from_labels(sizes, &images, &middles)?)
}

/// Fits to the label of L3 as a whole and measures against the labels of its parts.
fn cut_out() -> Outcome<()> {
    let folder = std::env::var("NEUROTOME_TEST_DATA").map_err(|_| "NEUROTOME_TEST_DATA is not set")?;
    let read = |name: &str| read_label_nifti(&Path::new(&folder).join("tptbox-L3").join(name));
    let whole = read("sub-ct_seg-vert_label-22_msk.nii.gz")?;
    let parts = read("sub-ct_seg-subreg_label-22_msk.nii.gz")?;
    let catalog = catalog::built_in()?;
    let fit = fit_labels(&Morphometry::new(&catalog, Sex::Male), &whole, &[Level::L3], &[[22]])?;
    for q in &fit.quality {
        println!("{}: surface within {:.2} mm (root mean square)", q.level, q.misfit_mm);
    }
    for l in fit.landmarks() {
        // Superior articular and transverse process of this side, by their labels.
        let (superior, transverse) = if l.side == Side::Left { (45, 43) } else { (46, 44) };
        let contact = contact(&whole, &parts, 22, superior, transverse);
        let middle = contact.iter().sum::<Vec3>() / contact.len().max(1) as f64;
        let nearest = contact
            .iter()
            .map(|c| (c - l.junction.vec()).norm())
            .fold(f64::INFINITY, f64::min);
        println!(
            "{} junction {:.1?}: {nearest:.2} mm from the nearest point of the contact of the two processes, {:.2} mm from its middle",
            l.side,
            l.junction.xyz,
            (middle - l.junction.vec()).norm()
        );
    }
    Ok(())
}

/// Middles of the voxel faces where two parts of a vertebra meet.
fn contact(whole: &Volume<u16>, parts: &Volume<u16>, vertebra: u16, one: u16, other: u16) -> Vec<Vec3> {
    let [nx, ny, nz] = parts.dims();
    let mut all = vec![];
    for k in 0..nz {
        for j in 0..ny {
            for i in 0..nx {
                if parts.get(i, j, k) != Some(one) || whole.get(i, j, k) != Some(vertebra) {
                    continue;
                }
                for a in 0..3 {
                    for step in [-1.0, 1.0] {
                        let mut next = [i as f64, j as f64, k as f64];
                        next[a] += step;
                        let inside = next.iter().all(|x| *x >= 0.0);
                        if inside && parts.get(next[0] as usize, next[1] as usize, next[2] as usize) == Some(other) {
                            next[a] -= 0.5 * step;
                            let [x, y, z] = next;
                            all.push(parts.affine().to_patient(&Point::new(x, y, z)).vec());
                        }
                    }
                }
            }
        }
    }
    all
}
