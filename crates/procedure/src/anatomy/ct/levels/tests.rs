//! Each check on a spine of boxes, where the answer is known.

use neurotome_base::{Affine, Point, Vec3, Volume, geometry::Mat3};

use super::*;
use crate::anatomy::ct::{LabelMeaning, Structure, TableEntry};
use std::collections::BTreeMap;

const SPACING_MM: f64 = 3.0;
const DIMS: [usize; 3] = [70, 40, 110];
/// One vertebra and disc, mm.
const STEP_MM: f64 = 33.0;
const TOTAL_T12: u16 = 32;
const TOTAL_S1: u16 = 26;

fn empty() -> Volume<u16> {
    let origin = [0, 1, 2].map(|a| -0.5 * SPACING_MM * (DIMS[a] as f64 - 1.0));
    Volume::filled(DIMS, Affine::axis_aligned([SPACING_MM; 3], origin).unwrap(), 0).unwrap()
}

fn draw(volume: &mut Volume<u16>, label: u16, center: [f64; 3], half: [f64; 3]) {
    let (dims, affine) = (volume.dims(), *volume.affine());
    for k in 0..dims[2] {
        for j in 0..dims[1] {
            for i in 0..dims[0] {
                let p = affine.to_patient(&Point::new(i as f64, j as f64, k as f64));
                if (0..3).all(|a| (p.xyz[a] - center[a]).abs() <= half[a]) {
                    volume.data_mut()[i + dims[0] * (j + dims[1] * k)] = label;
                }
            }
        }
    }
}

/// Vertebrae one below the other from `top_mm` on; 0 leaves a place empty.
fn column(labels: &[u16], top_mm: f64) -> Volume<u16> {
    let mut volume = empty();
    for (n, label) in labels.iter().enumerate() {
        draw(
            &mut volume,
            *label,
            [0.0, 0.0, top_mm - STEP_MM * n as f64],
            [22.0, 28.0, 11.0],
        );
    }
    volume
}

/// T12 to S1 by TotalSegmentator's numbers.
fn lumbar() -> Volume<u16> {
    column(&[32, 31, 30, 29, 28, 27, 26], 120.0)
}

/// A pair of ribs that join the vertebra at this height.
fn ribs(volume: &mut Volume<u16>, [left, right]: [u16; 2], z: f64) {
    draw(volume, left, [58.0, 10.0, z - 6.0], [32.0, 3.0, 4.0]);
    draw(volume, right, [-58.0, 10.0, z - 6.0], [32.0, 3.0, 4.0]);
}

fn total(labels: Volume<u16>) -> LabelMap {
    LabelMap {
        labels,
        meaning: LabelMeaning::TotalSegmentator,
    }
}

fn report(map: &LabelMap) -> LevelReport {
    check_levels(&LevelEvidence {
        labels: map,
        parts: None,
        hu: None,
    })
}

fn warned(report: &LevelReport, words: &str) -> bool {
    report.warnings.iter().any(|w| w.contains(words))
}

#[test]
fn a_sound_column_is_counted_from_both_ends() {
    use Level::{L1, L2, L3, L4, L5, S1, T12};
    let mut labels = lumbar();
    ribs(&mut labels, [103, 115], 120.0);
    let r = report(&total(labels));
    assert_eq!(r.errors, []);
    assert_eq!(r.warnings, [] as [String; 0]);
    assert_eq!((r.lumbar_count, r.counts_agree), (Some(5), Some(true)));
    let found: Vec<Level> = r.vertebrae.iter().map(|v| v.level).collect();
    assert_eq!(found, [T12, L1, L2, L3, L4, L5, S1]);
    for v in &r.vertebrae {
        assert_eq!(v.from_sacrum, Some(v.level));
        assert!(v.level == S1 || v.from_last_rib == Some(v.level), "{v:?}");
    }
    let l3 = r.vertebra(L3).unwrap();
    // 15 × 18 or 19 × 7 or 8 voxels of 0.027 cm³, centred on the grid to half a voxel.
    assert!((l3.center.vec() - Vec3::new(0.0, 0.0, 21.0)).amax() <= 1.5, "{l3:?}");
    assert!(
        (l3.volume_cm3 - 44.0 * 56.0 * 22.0 / 1000.0).abs() < 8.0 && !l3.cut,
        "{l3:?}"
    );
    assert!((l3.volume_cm3 - l3.voxels as f64 * 0.027).abs() < 1e-9);
    assert!(matches!(r.vertebra(Level::L6), Err(LevelError::NotFound { .. })));
}

#[test]
fn one_end_or_none_is_said() {
    let r = report(&total(lumbar()));
    assert!(r.errors.is_empty() && r.counts_agree.is_none());
    assert!(warned(&r, "count from the sacrum alone"), "{:?}", r.warnings);
    let mut labels = column(&[32, 31, 30, 29], 120.0);
    ribs(&mut labels, [103, 115], 120.0);
    let r = report(&total(labels));
    assert!(warned(&r, "count from the last rib alone"), "{:?}", r.warnings);
    assert_eq!(r.vertebra(Level::L3).unwrap().from_last_rib, Some(Level::L3));
    let r = report(&total(column(&[30, 29, 28], 60.0)));
    assert!(warned(&r, "Neither S1 nor a last rib"), "{:?}", r.warnings);
    let r = report(&total(column(&[29], 0.0)));
    assert!(warned(&r, "the only vertebra") && r.vertebra(Level::L3).is_ok());
}

#[test]
fn a_cut_vertebra_is_named() {
    let r = report(&total(column(&[30, 29, 28], 160.0)));
    assert!(r.vertebrae[0].cut && !r.vertebrae[1].cut);
    assert!(warned(&r, "cuts L2"), "{:?}", r.warnings);
}

#[test]
fn disorder_and_gaps_give_no_level() {
    let r = report(&total(column(&[29, 30, 28, 27, 26], 60.0)));
    assert!(
        matches!(
            r.errors[..],
            [LevelError::Order {
                upper: Level::L2,
                lower: Level::L3,
                ..
            }]
        ),
        "{:?}",
        r.errors
    );
    assert!(r.vertebra(Level::L4).is_err());
    let r = report(&total(column(&[31, 30, 0, 28, 27, 26], 90.0)));
    let [LevelError::Gap { above, below, missing }] = &r.errors[..] else {
        panic!("{:?}", r.errors);
    };
    assert_eq!((*above, *below, missing.as_str()), (Level::L2, Level::L4, "L3"));
    // Upside down: every pair is reversed.
    let r = report(&total(column(&[26, 27, 28, 29], 60.0)));
    assert!(matches!(r.errors[..], [LevelError::Order { .. }]), "{:?}", r.errors);
}

#[test]
fn a_vertebra_without_label_shows_by_its_space() {
    // L2 and L3 are named one after the other, with an unlabelled vertebra between them.
    let r = report(&total(column(&[30, 0, 29, 28], 60.0)));
    assert!(r.errors.is_empty());
    assert!(warned(&r, "may have no label"), "{:?}", r.warnings);
    let mut labels = column(&[30, 28], 60.0);
    draw(&mut labels, 29, [0.0, 0.0, 49.5], [22.0, 28.0, 4.0]);
    assert!(warned(&report(&total(labels)), "may carry two labels"));
    let mut labels = column(&[30, 29], 60.0);
    draw(&mut labels, 28, [0.0, 0.0, -10.0], [6.0, 6.0, 6.0]);
    assert!(warned(&report(&total(labels)), "may be incomplete"));
}

#[test]
fn a_turned_image_is_refused() {
    let upright = lumbar();
    // Steps along k go to the patient's left, steps along i down.
    let matrix = Mat3::new(0.0, 0.0, 3.0, 0.0, 3.0, 0.0, -3.0, 0.0, 0.0);
    let affine = Affine::new(matrix, Vec3::new(-160.0, -60.0, 100.0)).unwrap();
    let turned = Volume::new(upright.dims(), affine, upright.data().to_vec()).unwrap();
    let r = report(&total(turned));
    let [LevelError::Rotated { angle_deg, .. }] = r.errors[..] else {
        panic!("{:?}", r.errors);
    };
    assert!((angle_deg - 90.0).abs() < 1.0, "{angle_deg}");
}

#[test]
fn mirrored_hips_and_ribs_are_refused() {
    for [left, right] in [[103, 115], [77, 78]] {
        let mut labels = lumbar();
        ribs(&mut labels, [right, left], if left == 77 { -90.0 } else { 120.0 });
        let r = report(&total(labels));
        assert!(matches!(r.errors[..], [LevelError::Mirrored { .. }]), "{:?}", r.errors);
    }
}

#[test]
fn six_between_rib_and_sacrum_are_a_transitional_vertebra() {
    // T12 has lost its rib: the last one is at T11.
    let mut labels = column(&[33, 32, 31, 30, 29, 28, 27, 26], 120.0);
    ribs(&mut labels, [102, 114], 120.0);
    let r = report(&total(labels));
    assert_eq!(r.errors, []);
    assert_eq!((r.lumbar_count, r.counts_agree), (Some(6), Some(false)));
    assert!(warned(&r, "6 vertebrae lie between T11"), "{:?}", r.warnings);
    let l4 = r.vertebra(Level::L4).unwrap();
    assert_eq!((l4.from_sacrum, l4.from_last_rib), (Some(Level::L4), Some(Level::L5)));
    // A sixth lumbar vertebra by VerSe's number.
    let mut labels = column(&[19, 20, 21, 22, 23, 24, 25, 26], 120.0);
    ribs(&mut labels, [51, 51], 120.0);
    let r = report(&LabelMap {
        labels,
        meaning: LabelMeaning::TptboxVertebrae,
    });
    assert_eq!((r.errors.len(), r.lumbar_count), (0, Some(6)));
    assert!(warned(&r, "a vertebra L6") && warned(&r, "6 vertebrae lie between T12"));
    // A thirteenth vertebra with ribs takes the place of L1.
    let mut labels = column(&[19, 28, 20, 21, 22, 23, 24, 26], 120.0);
    ribs(&mut labels, [53, 53], 120.0 - STEP_MM);
    let r = report(&LabelMap {
        labels,
        meaning: LabelMeaning::TptboxVertebrae,
    });
    assert_eq!((r.errors.len(), r.lumbar_count), (0, Some(5)));
    assert!(warned(&r, "a vertebra T13"), "{:?}", r.warnings);
}

#[test]
fn a_numbering_that_no_count_supports_is_refused() {
    // Rib and sacrum both show that what the map names L1 to L6 is T12 to L5.
    let mut labels = column(&[20, 21, 22, 23, 24, 25, 26], 120.0);
    ribs(&mut labels, [51, 51], 120.0);
    let r = report(&LabelMap {
        labels,
        meaning: LabelMeaning::TptboxVertebrae,
    });
    assert!(
        matches!(
            r.errors[..],
            [LevelError::Misnumbered {
                level: Level::L1,
                from_sacrum: Level::T12,
                from_last_rib: Level::T12
            }]
        ),
        "{:?}",
        r.errors
    );
    assert!(r.vertebra(Level::L4).is_err());
}

#[test]
fn ribs_that_disagree_are_not_counted_from() {
    let mut labels = lumbar();
    draw(&mut labels, 103, [58.0, 10.0, 114.0], [32.0, 3.0, 4.0]);
    draw(&mut labels, 115, [-58.0, 10.0, 114.0 - STEP_MM], [32.0, 3.0, 4.0]);
    let r = report(&total(labels));
    assert!(
        warned(&r, "joins T12 on one side and L1 on the other"),
        "{:?}",
        r.warnings
    );
    assert_eq!(r.lumbar_count, None);
    // A piece of rib far from the spine tells nothing.
    let mut labels = lumbar();
    draw(&mut labels, 103, [80.0, 10.0, 60.0], [15.0, 3.0, 4.0]);
    assert!(warned(&report(&total(labels)), "No rib shows"));
}

/// The parts of the vertebrae at these heights.
fn parts(heights_mm: &[f64]) -> LabelMap {
    let mut volume = empty();
    for z in heights_mm {
        draw(&mut volume, 50, [0.0, -14.0, *z], [15.0, 12.0, 10.0]);
        draw(&mut volume, 42, [0.0, 24.0, *z], [4.0, 4.0, 6.0]);
        for (label, side) in [(43, 1.0), (44, -1.0)] {
            draw(&mut volume, label, [18.0 * side, 10.0, *z], [4.0, 4.0, 8.0]);
        }
    }
    LabelMap {
        labels: volume,
        meaning: LabelMeaning::TptboxSubregions,
    }
}

fn with_parts(labels: &LabelMap, parts: &LabelMap) -> LevelReport {
    check_levels(&LevelEvidence {
        labels,
        parts: Some(parts),
        hu: None,
    })
}

#[test]
fn parts_show_left_and_back() {
    let map = total(column(&[30, 29, 28], 60.0));
    let good = parts(&[60.0, 27.0, -6.0]);
    assert_eq!(with_parts(&map, &good).errors, []);
    let mirrored = LabelMap {
        labels: good.labels.map(|l| match l {
            43 => 44,
            44 => 43,
            l => l,
        }),
        ..good.clone()
    };
    let r = with_parts(&map, &mirrored);
    let [LevelError::Mirrored { what, .. }] = &r.errors[..] else {
        panic!("{:?}", r.errors);
    };
    assert_eq!(what, "the transverse process of L2");
    let turned = LabelMap {
        labels: good.labels.map(|l| match l {
            42 => 50,
            50 => 42,
            l => l,
        }),
        ..good.clone()
    };
    let r = with_parts(&map, &turned);
    assert!(
        matches!(r.errors[..], [LevelError::FrontToBack { .. }]),
        "{:?}",
        r.errors
    );
    let r = with_parts(&map, &parts(&[-120.0]));
    assert!(warned(&r, "does not meet"), "{:?}", r.warnings);
    let r = with_parts(
        &map,
        &LabelMap {
            labels: empty(),
            ..good
        },
    );
    assert!(warned(&r, "holds no part"), "{:?}", r.warnings);
}

#[test]
fn a_transverse_process_that_meets_the_sacrum_is_transitional() {
    let map = total(lumbar());
    let l5 = 120.0 - 5.0 * STEP_MM;
    let r = with_parts(&map, &parts(&[l5]));
    assert!(!warned(&r, "meets the sacrum"), "{:?}", r.warnings);
    let mut labels = map.labels.clone();
    draw(&mut labels, TOTAL_S1, [18.0, 10.0, l5 - 14.0], [8.0, 8.0, 8.0]);
    let r = with_parts(&total(labels), &parts(&[l5]));
    assert!(
        warned(&r, "left transverse process of L5 meets the sacrum"),
        "{:?}",
        r.warnings
    );
    assert!(!warned(&r, "right transverse process"));
}

#[test]
fn metal_beside_a_vertebra_is_told() {
    let map = total(lumbar());
    let mut hu = map.labels.map(|_| 40.0f32);
    let at = hu
        .affine()
        .to_voxel(&Point::new(25.0, 0.0, 21.0))
        .xyz
        .map(|x| x.round() as usize);
    let n = at[0] + DIMS[0] * (at[1] + DIMS[1] * at[2]);
    hu.data_mut()[n] = 3000.0;
    // A hip prosthesis far below, and a value that is no number.
    hu.data_mut()[0] = 3000.0;
    hu.data_mut()[1] = f32::NAN;
    let r = check_levels(&LevelEvidence {
        labels: &map,
        parts: None,
        hu: Some(&hu),
    });
    assert!(
        warned(&r, "1 voxel(s) above 2500 HU") && warned(&r, "of L3:"),
        "{:?}",
        r.warnings
    );
}

#[test]
fn maps_without_vertebrae_are_refused() {
    for (meaning, volume) in [
        (LabelMeaning::TotalSegmentator, empty()),
        (LabelMeaning::TotalSegmentator, column(&[5, 6], 0.0)),
        (LabelMeaning::TptboxSubregions, column(&[50, 26], 0.0)),
        (
            LabelMeaning::Table(BTreeMap::from([(1, TableEntry::Structure(Structure::Bone))])),
            column(&[1], 0.0),
        ),
    ] {
        let r = report(&LabelMap {
            labels: volume,
            meaning,
        });
        assert!(matches!(r.errors[..], [LevelError::NoVertebra { .. }]), "{r:?}");
        assert!(r.vertebra(Level::L4).is_err());
    }
}

#[test]
fn a_table_may_name_vertebrae() {
    let table = [(7, Level::L4), (8, Level::L5), (9, Level::S1)].map(|(n, l)| (n, TableEntry::Vertebra(l)));
    let map = LabelMap {
        labels: column(&[7, 8, 9], 60.0),
        meaning: LabelMeaning::Table(BTreeMap::from(table)),
    };
    let r = report(&map);
    assert_eq!(r.errors, []);
    assert_eq!(r.vertebra(Level::L4).unwrap().from_sacrum, Some(Level::L4));
    assert_eq!(map.meaning.structure(7), Some(Structure::Bone));
}

#[test]
fn numberings_of_levels_and_parts() {
    let level = |meaning: &LabelMeaning, label| meaning.level(label).map(Level::name);
    let (total, verse) = (LabelMeaning::TotalSegmentator, LabelMeaning::TptboxVertebrae);
    for (label, name) in [(25, None), (26, Some("S1")), (27, Some("L5")), (31, Some("L1"))] {
        assert_eq!(level(&total, label), name);
    }
    for (label, name) in [(TOTAL_T12, Some("T12")), (33, Some("T11")), (34, None), (0, None)] {
        assert_eq!(level(&total, label), name);
    }
    for (label, name) in [(17, None), (18, Some("T11")), (19, Some("T12")), (20, Some("L1"))] {
        assert_eq!(level(&verse, label), name);
    }
    for (label, name) in [(24, Some("L5")), (25, Some("L6")), (26, Some("S1")), (28, None)] {
        assert_eq!(level(&verse, label), name);
    }
    assert_eq!(total.part(43), None);
    assert!((41..=50).all(|l| LabelMeaning::TptboxSubregions.part(l).is_some()));
    assert_eq!(LabelMeaning::TptboxSubregions.part(51), None);
}
