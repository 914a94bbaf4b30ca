//! The parametric spine fitted to label maps of people that it was not tuned on.

use neurotome_base::{PatientBox, PatientPoint};
use neurotome_io::catalog;
use neurotome_procedure::anatomy::fit::FittedSpine;
use neurotome_procedure::anatomy::fit::occupancy::{Labelled, Occupancy, centroid};
use neurotome_procedure::anatomy::spine::{LumbarSpine, Morphometry, Sex, SpineParameters, Structure, TissueIds};
use neurotome_procedure::anatomy::{Level, Patient as _, TissueId};

const LEVELS: [Level; 3] = [Level::L3, Level::L4, Level::L5];

fn person(seed: u64) -> LumbarSpine {
    let parameters = SpineParameters {
        seed: Some(seed),
        ..SpineParameters::default()
    };
    LumbarSpine::new(
        &catalog::built_in().unwrap(),
        &parameters,
        TissueIds::by_name(|_| TissueId(0)),
    )
    .unwrap()
}

fn fit(spine: &LumbarSpine) -> FittedSpine {
    let catalog = catalog::built_in().unwrap();
    let over = PatientBox {
        low: PatientPoint::new(-65.0, -45.0, -50.0),
        high: PatientPoint::new(65.0, 85.0, 90.0),
    };
    let labels = spine.labels(&over, [1.0, 1.0, 2.0]).unwrap();
    let wanted = LEVELS.map(|l| [Structure::Vertebra(l).label()]);
    let images: Vec<Labelled<'_>> = wanted
        .iter()
        .map(|wanted| Labelled {
            labels: &labels,
            wanted,
        })
        .collect();
    let images: Vec<&dyn Occupancy> = images.iter().map(|i| i as &dyn Occupancy).collect();
    let middles: Vec<(Level, PatientPoint)> = LEVELS
        .iter()
        .zip(&wanted)
        .map(|(l, w)| (*l, PatientPoint::from_vec(centroid(&labels, w).unwrap().0)))
        .collect();
    FittedSpine::from_labels(&Morphometry::new(&catalog, Sex::Male), &images, &middles).unwrap()
}

#[test]
fn landmarks_are_found_from_labels_of_two_millimetre_slices() {
    let spine = person(1000);
    let found = fit(&spine);
    let truth = spine.landmarks();
    let mut errors: Vec<f64> = found
        .landmarks()
        .iter()
        .flat_map(|f| {
            let t = truth.iter().find(|t| t.level == f.level && t.side == f.side).unwrap();
            [
                (f.junction, t.junction),
                (f.mamillary, t.mamillary),
                (f.accessory, t.accessory),
                (f.foramen, t.foramen),
                (f.transverse_tip, t.transverse_tip),
            ]
            .map(|(a, b)| (a.vec() - b.vec()).norm())
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    assert_eq!(errors.len(), 30);
    // The goal for slices of 2 mm: half within 1.5 mm, 95 % within 3.5 mm.
    assert!(errors[15] <= 1.5, "{errors:?}");
    assert!(errors[28] <= 3.5, "{errors:?}");
    for q in &found.quality {
        assert!(q.misfit_mm < 1.0, "{q:?}");
    }
    for (level, frame) in found.frames() {
        let true_frame = spine.frame(level).unwrap();
        assert!((frame.origin - true_frame.origin).norm() < 1.5, "{level}");
        assert!(
            frame.superior.dot(&true_frame.superior) > 5f64.to_radians().cos(),
            "{level}"
        );
    }
}

#[test]
fn a_fit_is_the_same_with_any_number_of_threads() {
    let spine = person(1001);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&spine).landmarks())
    };
    assert_eq!(with(1), with(2));
}
