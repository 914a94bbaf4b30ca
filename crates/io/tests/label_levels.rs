//! The levels of the label maps of real CT.

use std::path::PathBuf;

use neurotome_base::{Affine, Volume, geometry::Mat3};
use neurotome_io::dicom::read_ct;
use neurotome_io::volumes::read_label_nifti;
use neurotome_procedure::anatomy::Level::{self, L1, L2, L3, L4, L5, S1, T11, T12};
use neurotome_procedure::anatomy::ct::levels::{LevelError, LevelEvidence, LevelReport, check_levels};
use neurotome_procedure::anatomy::ct::{LabelMap, LabelMeaning};

fn test_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("NEUROTOME_TEST_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: {test}: NEUROTOME_TEST_DATA is not set");
    }
    folder
}

fn names(report: &LevelReport) -> Vec<Level> {
    report.vertebrae.iter().map(|v| v.level).collect()
}

/// The same image with left and right exchanged.
fn mirrored(volume: &Volume<u16>) -> Volume<u16> {
    let affine = volume.affine();
    let flip = Mat3::from_diagonal(&[-1.0, 1.0, 1.0].into());
    let affine = Affine::new(flip * affine.matrix, flip * affine.origin_mm).unwrap();
    Volume::new(volume.dims(), affine, volume.data().to_vec()).unwrap()
}

#[test]
fn vertebrae_of_the_torso() {
    let Some(folder) = test_data("vertebrae_of_the_torso") else {
        return;
    };
    let folder = folder.join("totalsegmentator-example");
    let mut labels = LabelMap {
        labels: read_label_nifti(&folder.join("example_ct_vertebrae_labels.nii.gz")).unwrap(),
        meaning: LabelMeaning::TotalSegmentator,
    };
    let hu = read_ct(&folder.join("example_ct.nii.gz")).unwrap().hu;
    let evidence = LevelEvidence {
        labels: &labels,
        parts: None,
        hu: Some(&hu),
    };
    let report = check_levels(&evidence);
    assert_eq!(report.errors, []);
    assert_eq!(names(&report), [T11, T12, L1, L2, L3, L4, L5, S1]);
    assert_eq!((report.lumbar_count, report.counts_agree), (None, None));
    for v in &report.vertebrae {
        assert_eq!(v.from_sacrum, Some(v.level));
    }
    let l4 = report.vertebra(L4).unwrap();
    assert!(!l4.cut && (30.0..130.0).contains(&l4.volume_cm3), "{l4:?}");
    assert!(
        report
            .warnings
            .iter()
            .any(|w| w.contains("count from the sacrum alone"))
    );

    // One vertebra without its label is a gap, and no level is given.
    let whole = labels.labels.clone();
    labels.labels = whole.map(|l| if l == 28 { 0 } else { l });
    let evidence = LevelEvidence {
        labels: &labels,
        parts: None,
        hu: None,
    };
    let report = check_levels(&evidence);
    assert!(
        matches!(
            report.errors[..],
            [LevelError::Gap {
                above: L3,
                below: L5,
                ..
            }]
        ),
        "{report:?}"
    );
    assert!(report.vertebra(L3).is_err());
}

#[test]
fn vertebrae_and_parts_round_l3() {
    let Some(folder) = test_data("vertebrae_and_parts_round_l3") else {
        return;
    };
    let folder = folder.join("tptbox-L3");
    let labels = LabelMap {
        labels: read_label_nifti(&folder.join("sub-ct_seg-vert_label-22_msk.nii.gz")).unwrap(),
        meaning: LabelMeaning::TptboxVertebrae,
    };
    let mut parts = LabelMap {
        labels: read_label_nifti(&folder.join("sub-ct_seg-subreg_label-22_msk.nii.gz")).unwrap(),
        meaning: LabelMeaning::TptboxSubregions,
    };
    let hu = read_ct(&folder.join("sub-ct_label-22_ct.nii.gz")).unwrap().hu;
    let report = check_levels(&LevelEvidence {
        labels: &labels,
        parts: Some(&parts),
        hu: Some(&hu),
    });
    assert_eq!(report.errors, []);
    assert_eq!(names(&report), [L2, L3, L4]);
    // The image is cut out round L3; its neighbours go on beyond the border.
    assert!(report.vertebrae[0].cut && report.vertebrae[2].cut);
    assert!(report.warnings.iter().any(|w| w.contains("Neither S1 nor a last rib")));
    assert!(
        !report
            .warnings
            .iter()
            .any(|w| w.contains("meets the sacrum") || w.contains("metal"))
    );

    parts.labels = mirrored(&parts.labels);
    let mirrored_labels = LabelMap {
        labels: mirrored(&labels.labels),
        ..labels.clone()
    };
    let report = check_levels(&LevelEvidence {
        labels: &mirrored_labels,
        parts: Some(&parts),
        hu: None,
    });
    assert!(matches!(report.errors[..], [LevelError::Mirrored { .. }]), "{report:?}");
}
