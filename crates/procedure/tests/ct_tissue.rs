//! Tissue from synthetic CT with partial volume: recovered sizes against the truth, at thin and thick slices.

use std::collections::BTreeMap;

use neurotome_base::{Affine, PatientPoint, Point, Vec3, Volume};
use neurotome_procedure::anatomy::{
    TissueField, TissueId,
    ct::{CtAnatomy, CtAnatomyError, CtRules, LabelMap, LabelMeaning, Structure, TableEntry, TissueIds},
};

const AIR: TissueId = TissueId(0);
const FAT: TissueId = TissueId(1);
const MUSCLE: TissueId = TissueId(2);
const SKIN: TissueId = TissueId(3);
const CANCELLOUS: TissueId = TissueId(4);
const CORTICAL: TissueId = TissueId(5);
const CSF: TissueId = TissueId(6);
const DISC: TissueId = TissueId(7);

const IDS: TissueIds = TissueIds {
    air: AIR,
    fat: FAT,
    muscle: MUSCLE,
    skin: Some(SKIN),
    cancellous_bone: CANCELLOUS,
    cortical_bone: CORTICAL,
    csf: Some(CSF),
    disc: Some(DISC),
};

/// A CT of `truth` (HU at a point) on a cube of the half side given: each voxel is the mean over its box.
fn scan(half_mm: f64, in_plane_mm: f64, slice_mm: f64, truth: impl Fn(&Vec3) -> f64) -> Volume<f32> {
    let n = |s: f64| (2.0 * half_mm / s).round() as usize;
    let dims = [n(in_plane_mm), n(in_plane_mm), n(slice_mm)];
    let first = |n: usize, s: f64| -0.5 * (n as f64 - 1.0) * s;
    let origin = [
        first(dims[0], in_plane_mm),
        first(dims[1], in_plane_mm),
        first(dims[2], slice_mm),
    ];
    let affine = Affine::axis_aligned([in_plane_mm, in_plane_mm, slice_mm], origin).unwrap();
    let (sub, sub_z) = (3, (slice_mm / 0.5).ceil() as usize);
    let at = |s: usize, n: usize| (s as f64 + 0.5) / n as f64 - 0.5;
    let mut data = Vec::with_capacity(dims.iter().product());
    for k in 0..dims[2] {
        for j in 0..dims[1] {
            for i in 0..dims[0] {
                let mut sum = 0.0;
                for c in 0..sub_z {
                    for b in 0..sub {
                        for a in 0..sub {
                            sum += truth(&Vec3::new(
                                origin[0] + (i as f64 + at(a, sub)) * in_plane_mm,
                                origin[1] + (j as f64 + at(b, sub)) * in_plane_mm,
                                origin[2] + (k as f64 + at(c, sub_z)) * slice_mm,
                            ));
                        }
                    }
                }
                data.push((sum / (sub * sub * sub_z) as f64) as f32);
            }
        }
    }
    Volume::new(dims, affine, data).unwrap()
}

fn anatomy(ct: &Volume<f32>) -> CtAnatomy {
    CtAnatomy::new(ct, None, IDS, &CtRules::default()).unwrap()
}

/// Volume in mm³ of each tissue in a cube, by sampling every 0.4 mm.
fn volumes(field: &dyn TissueField, half_mm: f64) -> BTreeMap<TissueId, f64> {
    let step = 0.4;
    let n = (2.0 * half_mm / step) as usize;
    let at = |i: usize| -half_mm + (i as f64 + 0.5) * step;
    let mut out = BTreeMap::new();
    for k in 0..n {
        for j in 0..n {
            for i in 0..n {
                *out.entry(field.tissue_at(&Point::new(at(i), at(j), at(k))))
                    .or_insert(0.0) += step * step * step;
            }
        }
    }
    out
}

fn bone(v: &BTreeMap<TissueId, f64>) -> f64 {
    v.get(&CANCELLOUS).unwrap_or(&0.0) + v.get(&CORTICAL).unwrap_or(&0.0)
}

#[test]
fn a_dense_ball_keeps_its_volume_at_every_slice_thickness() {
    let radius = 9.0;
    let truth = 4.0 / 3.0 * std::f64::consts::PI * f64::powi(radius, 3);
    for (around, surroundings) in [(50.0, "muscle"), (-100.0, "fat")] {
        for slice in [1.0, 2.0, 4.0] {
            for density in [400.0, 900.0] {
                let ct = scan(18.0, 0.9, slice, |p| if p.norm() < radius { density } else { around });
                let found = bone(&volumes(&anatomy(&ct), 12.0));
                let error = found / truth - 1.0;
                println!(
                    "{density} HU in {surroundings}, {slice} mm slices: volume {:+.1} %",
                    100.0 * error
                );
                assert!(
                    error.abs() < 0.05,
                    "{density} HU in {surroundings}, {slice} mm slices: {error:+.3}"
                );
            }
        }
    }
}

#[test]
fn marrow_in_a_thin_shell_is_bone() {
    // A vertebral body in small: shell 1.2 mm of 800 HU round fatty marrow of 60 HU, hardly brighter than muscle.
    let (radius, shell) = (11.0, 1.2);
    let truth = 4.0 / 3.0 * std::f64::consts::PI * f64::powi(radius, 3);
    for slice in [1.0, 2.0, 3.0] {
        let ct = scan(20.0, 0.8, slice, |p| match p.norm() {
            r if r < radius - shell => 60.0,
            r if r < radius => 800.0,
            _ => 50.0,
        });
        let field = anatomy(&ct);
        let found = volumes(&field, 14.0);
        let error = bone(&found) / truth - 1.0;
        println!("shell, {slice} mm slices: volume {:+.1} %", 100.0 * error);
        assert!(error.abs() < 0.08, "{slice} mm slices: {error:+.3}");
        assert_eq!(field.tissue_at(&Point::new(0.0, 0.0, 0.0)), CANCELLOUS);
        assert_eq!(field.tissue_at(&Point::new(radius - 0.5, 0.0, 0.0)), CORTICAL);
        assert_eq!(field.tissue_at(&Point::new(0.0, -radius + 0.5, 0.0)), CORTICAL);
    }
}

/// Air, 2 mm of skin, fat, then muscle, stacked along y with a slope of one in ten along x.
fn layers(fat_mm: f64) -> impl Fn(&Vec3) -> f64 {
    move |p| match p.y + 0.1 * p.x + 12.0 {
        d if d < 0.0 => -1000.0,
        d if d < 2.0 => 40.0,
        d if d < 2.0 + fat_mm => -100.0,
        _ => 55.0,
    }
}

/// Lengths in mm of the runs of each tissue along y at x = 0; slivers where skin meets fat count with the run before.
fn runs(field: &dyn TissueField, z: f64) -> Vec<(TissueId, f64)> {
    let step = 0.05;
    let mut out: Vec<(TissueId, f64)> = Vec::new();
    for i in 0..600 {
        let id = field.tissue_at(&PatientPoint::new(0.0, -15.0 + i as f64 * step, z));
        match out.last_mut() {
            Some((last, length)) if *last == id => *length += step,
            _ => out.push((id, step)),
        }
    }
    let mut whole: Vec<(TissueId, f64)> = Vec::new();
    for (id, length) in out {
        match whole.last_mut() {
            Some((last, before)) if *last == id || length < 0.3 => *before += length,
            _ => whole.push((id, length)),
        }
    }
    whole
}

#[test]
fn layers_of_skin_and_fat_keep_their_thickness() {
    for (in_plane, slice) in [(0.7, 1.0), (0.98, 4.0)] {
        for fat in [4.0, 8.0] {
            let ct = scan(18.0, in_plane, slice, layers(fat));
            let found = runs(&anatomy(&ct), 0.3);
            let order: Vec<TissueId> = found.iter().map(|r| r.0).collect();
            assert_eq!(order, [AIR, SKIN, FAT, MUSCLE], "{found:?}");
            println!("pixels {in_plane} mm, slices {slice} mm, fat {fat} mm: {found:?}");
            assert!((found[0].1 - 3.0).abs() < 0.35, "skin surface: {found:?}");
            assert!((found[1].1 - 2.0).abs() < 0.5, "skin: {found:?}");
            assert!((found[2].1 - fat).abs() < 0.6, "fat: {found:?}");
        }
    }
}

#[test]
fn the_rim_between_air_and_soft_tissue_is_no_fat() {
    // No fat at all: a cylinder of muscle with gas inside. Without a skin tissue nothing hides the rim.
    let ids = TissueIds { skin: None, ..IDS };
    for slice in [1.0, 4.0] {
        let ct = scan(18.0, 0.9, slice, |p| match p.xy().norm() {
            r if r > 15.0 => -1000.0,
            _ if (p - Vec3::new(3.0, 2.0, 0.0)).norm() < 4.0 => -1000.0,
            _ => 45.0,
        });
        let field = CtAnatomy::new(&ct, None, ids, &CtRules::default()).unwrap();
        let found = volumes(&field, 16.0);
        assert_eq!(found.get(&FAT), None, "{slice} mm slices: {found:?}");
        assert_eq!(field.tissue_at(&Point::new(3.0, 2.0, 0.0)), AIR);
    }
}

#[test]
fn table_and_far_objects_are_not_the_patient() {
    // A patient on a table that touches the skin, and a bar of metal in the air.
    let ct = scan(30.0, 1.0, 4.0, |p| {
        let (table, bar) = ((20.0..22.0).contains(&p.y), (p.x - 25.0).hypot(p.y + 25.0) < 3.0);
        if p.x.hypot(p.y) < 20.0 {
            40.0
        } else if table {
            200.0
        } else if bar {
            3000.0
        } else {
            -1000.0
        }
    });
    let field = anatomy(&ct);
    assert_eq!(field.tissue_at(&Point::new(12.0, 21.0, 0.0)), AIR);
    assert_eq!(field.tissue_at(&Point::new(25.0, -25.0, 0.0)), AIR);
    assert_eq!(field.tissue_at(&Point::new(0.0, 0.0, 0.0)), MUSCLE);
    assert_eq!(field.notes().len(), 1);
}

#[test]
fn outside_the_image_its_border_answers() {
    let ct = scan(18.0, 0.9, 2.0, layers(6.0));
    let field = anatomy(&ct);
    assert_eq!(field.tissue_at(&Point::new(0.0, -500.0, 0.0)), AIR);
    assert_eq!(field.tissue_at(&Point::new(0.0, 500.0, 0.0)), MUSCLE);
    assert_eq!(field.tissue_at(&Point::new(0.0, 0.0, -1e6)), MUSCLE);
}

#[test]
fn noise_makes_no_bone() {
    let mut state = 12345u32;
    let mut ct = scan(18.0, 0.9, 1.0, |p| if p.norm() < 8.0 { 600.0 } else { 50.0 });
    for v in ct.data_mut() {
        // Sum of four uniform numbers: standard deviation 35 HU.
        let mut sum = 0.0;
        for _ in 0..4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sum += f64::from(state >> 8) / f64::from(1 << 24) - 0.5;
        }
        *v += (sum * 60.0) as f32;
    }
    let truth = 4.0 / 3.0 * std::f64::consts::PI * 512.0;
    let field = anatomy(&ct);
    let error = bone(&volumes(&field, 16.0)) / truth - 1.0;
    println!("noise: volume {:+.1} %", 100.0 * error);
    assert!(error.abs() < 0.06, "{error:+.3}");
    // Far from the ball there is no speck of bone.
    assert_eq!(field.tissue_at(&Point::new(15.0, 15.0, 15.0)), MUSCLE);
}

#[test]
fn labels_decide_where_values_cannot() {
    // Marrow as dark as muscle without a shell, a canal and a disc: only the labels know.
    let ct = scan(18.0, 0.9, 3.0, |_| 60.0);
    let place = |p: &Vec3| match (p.x, p.z) {
        (x, _) if x < -6.0 => 22,
        (x, _) if x > 6.0 => 61,
        (_, z) if z > 0.0 => 122,
        _ => 0,
    };
    // On a grid of its own.
    let grid = Affine::axis_aligned([1.5, 1.5, 1.5], [-17.25; 3]).unwrap();
    let n = 24usize;
    let data = (0..n * n * n)
        .map(|v| {
            let index = Point::new((v % n) as f64, (v / n % n) as f64, (v / (n * n)) as f64);
            place(&grid.to_patient(&index).vec())
        })
        .collect();
    let map = LabelMap {
        labels: Volume::new([n; 3], grid, data).unwrap(),
        meaning: LabelMeaning::TptboxVertebrae,
    };
    let field = CtAnatomy::new(&ct, Some(&map), IDS, &CtRules::default()).unwrap();
    for (x, z, id) in [
        (-12.0, 3.0, CANCELLOUS),
        (12.0, 3.0, CSF),
        (0.0, 9.0, DISC),
        (0.0, -9.0, MUSCLE),
    ] {
        assert_eq!(field.tissue_at(&Point::new(x, 0.0, z)), id, "x {x} z {z}");
    }
    // The border of bone lies half way between labelled and other voxels.
    let border = (0..200)
        .map(|i| -8.0 + 0.02 * i as f64)
        .find(|x| {
            field.tissue_at(&Point::new(*x, 0.0, 3.0)) != CANCELLOUS
                && field.bone_fraction_at(&Point::new(*x, 0.0, 3.0)) < 0.5
        })
        .unwrap();
    assert!((border + 6.0).abs() < 0.9, "{border}");

    let wrong = LabelMap {
        meaning: LabelMeaning::TptboxSubregions,
        labels: map.labels.map(|l| if l == 61 { 0 } else { l }),
    };
    assert!(matches!(
        CtAnatomy::new(&ct, Some(&wrong), IDS, &CtRules::default()),
        Err(CtAnatomyError::UnknownLabels { .. })
    ));
    let table = LabelMeaning::Table(BTreeMap::from([(22, TableEntry::Structure(Structure::Bone))]));
    let far = LabelMap {
        labels: Volume::filled([2, 2, 2], Affine::axis_aligned([1.0; 3], [900.0; 3]).unwrap(), 22).unwrap(),
        meaning: table,
    };
    assert!(matches!(
        CtAnatomy::new(&ct, Some(&far), IDS, &CtRules::default()),
        Err(CtAnatomyError::LabelsElsewhere)
    ));
}

#[test]
fn numberings() {
    use Structure::{Bone, Canal, Disc};
    for (meaning, label, structure) in [
        (LabelMeaning::TotalSegmentator, 28, Some(Bone)),
        (LabelMeaning::TotalSegmentator, 51, None),
        (LabelMeaning::TptboxVertebrae, 22, Some(Bone)),
        (LabelMeaning::TptboxVertebrae, 122, Some(Disc)),
        (LabelMeaning::TptboxSubregions, 45, Some(Bone)),
        (LabelMeaning::TptboxSubregions, 61, Some(Canal)),
        (LabelMeaning::TptboxSubregions, 0, None),
    ] {
        assert_eq!(meaning.structure(label), structure, "{meaning:?} {label}");
    }
}

#[test]
fn an_image_without_a_body() {
    for value in [-1000.0f32, f32::NAN] {
        let ct = scan(10.0, 1.0, 2.0, |_| 0.0).map(|_| value);
        assert!(matches!(
            CtAnatomy::new(&ct, None, IDS, &CtRules::default()),
            Err(CtAnatomyError::NoBody { voxels: 0, .. })
        ));
    }
}

#[test]
fn one_thread_and_three_give_the_same_labels() {
    let ct = scan(18.0, 0.9, 2.0, |p| match p.norm() {
        r if r < 6.0 => 150.0,
        r if r < 8.0 => 700.0,
        _ => layers(5.0)(p),
    });
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| anatomy(&ct).inferred_labels().unwrap())
    };
    assert_eq!(run(1), run(3));
    let fractions = anatomy(&ct).body_fractions().unwrap();
    assert!((fractions.values().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(fractions[&MUSCLE] > 0.3 && !fractions.contains_key(&AIR));
}
