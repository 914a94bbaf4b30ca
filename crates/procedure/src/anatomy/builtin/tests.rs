use neurotome_base::geometry::{distance_between_segments, distance_to_segment};

use super::*;

const IDS: TissueIds = TissueIds {
    muscle: TissueId(0),
    fat: TissueId(1),
    skin: TissueId(2),
    cortical_bone: TissueId(3),
    cancellous_bone: TissueId(4),
    intervertebral_disc: TissueId(5),
    csf: TissueId(6),
    nerve: TissueId(7),
    cartilage: TissueId(8),
    ligament: TissueId(9),
    air: TissueId(10),
};

fn patient() -> LumbarSegment {
    LumbarSegment::new(IDS)
}

fn is_bone(t: TissueId) -> bool {
    t == IDS.cortical_bone || t == IDS.cancellous_bone
}

/// Points in the default domain from a Weyl sequence: evenly spread and the same on every run.
fn spread(n: usize) -> impl Iterator<Item = PatientPoint> {
    let center = patient().domain().center;
    (0..n).map(move |i| {
        let w = |step: f64| 120.0 * (i as f64 * step).fract() - 60.0;
        let [x, y, z] = center.xyz;
        PatientPoint::new(
            x + w(0.819_172_513_396_164_4),
            y + w(0.671_043_606_703_789_3),
            z + w(0.549_700_477_901_970_3),
        )
    })
}

fn distance_to_curve(p: &Vec3, points: &[PatientPoint]) -> f64 {
    points
        .windows(2)
        .map(|w| distance_to_segment(p, &w[0].vec(), &w[1].vec()).0)
        .fold(f64::INFINITY, f64::min)
}

/// Points along the axis of the default needle, from the tip, with their distance from it.
fn along_needle(patient: &LumbarSegment, length_mm: f64) -> Vec<(f64, Vec3)> {
    let needle = patient.default_needle();
    let d = Vec3::from(needle.direction);
    let n = (length_mm / 0.1) as usize;
    (0..=n)
        .map(|i| (0.1 * i as f64, needle.tip.vec() - d * (0.1 * i as f64)))
        .collect()
}

#[test]
fn left_and_right_are_alike() {
    let patient = patient();
    for p in spread(20_000) {
        let [x, y, z] = p.xyz;
        let mirrored = PatientPoint::new(-x, y, z);
        assert_eq!(patient.tissue_at(&p), patient.tissue_at(&mirrored), "{p:?}");
    }
}

#[test]
fn every_tissue_is_met_in_the_domain() {
    let patient = patient();
    let mut seen = [0usize; 11];
    for p in spread(60_000) {
        seen[usize::from(patient.tissue_at(&p).0)] += 1;
    }
    for (tissue, n) in seen.iter().enumerate() {
        assert!(*n > 0, "tissue {tissue} is nowhere: {seen:?}");
    }
    // Soft tissue is most of the domain, and bone a sensible part of it.
    let bone = (seen[3] + seen[4]) as f64 / 60_000.0;
    assert!((0.04..0.20).contains(&bone), "bone fraction {bone}");
    assert!(seen[0] > seen[3] + seen[4]);
}

#[test]
fn needle_reaches_the_skin_without_crossing_bone() {
    let patient = patient();
    let needle = patient.default_needle();
    let radius = 0.5 * needle.outer_diameter_mm;
    assert!((Vec3::from(needle.direction).norm() - 1.0).abs() < 1e-12);
    let entry = patient.skin_entry_mm();
    let depth = (entry.vec() - needle.tip.vec()).norm();
    assert!(
        (60.0..needle.length_mm - 5.0).contains(&depth),
        "skin to tip {depth} mm"
    );
    assert!(patient.skin_distance_mm(&entry).abs() < 1e-6);

    let mut lowest = f64::INFINITY;
    for (s, p) in along_needle(&patient, depth) {
        let p = PatientPoint::from_vec(p);
        let gap = patient.bone_level_mm(&p) - radius;
        lowest = lowest.min(gap);
        assert!(gap > 0.0, "needle in bone {s} mm from its tip: {gap}");
        assert!(!is_bone(patient.tissue_at(&p)));
        if s < depth - 0.1 {
            assert_ne!(patient.tissue_at(&p), IDS.air);
        }
    }
    // It touches: the operator feels bone.
    assert!(lowest < 0.1, "nearest bone {lowest} mm");
}

#[test]
fn needle_angles_are_those_of_a_parallel_electrode() {
    let d = Vec3::from(patient().default_needle().direction);
    assert!(
        d.y < 0.0 && d.z > 0.0 && d.x > 0.0,
        "towards anterior, superior, medial: {d}"
    );
    let caudal = d.z.atan2(-d.y).to_degrees();
    let lateral_posterior_view = d.x.atan2(d.z).to_degrees();
    let lateral_axial = d.x.atan2(-d.y).to_degrees();
    assert!((33.53..49.19).contains(&caudal), "{caudal}");
    assert!(
        (29.29..47.22).contains(&lateral_posterior_view),
        "{lateral_posterior_view}"
    );
    assert!((24.0..26.0).contains(&lateral_axial), "{lateral_axial}");
}

#[test]
fn active_tip_lies_along_the_nerve() {
    let patient = patient();
    let (needle, nerves) = (patient.default_needle(), patient.nerves());
    let branch = &nerves[0];
    assert!(branch.target && branch.name == "L4 medial branch right");
    let metal_to_nerve = 0.5 * (needle.outer_diameter_mm + branch.diameter_mm);
    let mut close = 0.0;
    let mut nearest = f64::INFINITY;
    for (_, p) in along_needle(&patient, needle.active_tip_mm) {
        let gap = distance_to_curve(&p, &branch.points) - metal_to_nerve;
        nearest = nearest.min(gap);
        if gap < 0.5 {
            close += 0.1;
        }
    }
    assert!(close >= 8.0, "alongside for {close} mm only");
    assert!((0.0..0.3).contains(&nearest), "metal to sheath {nearest} mm");
}

#[test]
fn medial_branch_lies_on_bone_and_not_in_it() {
    let patient = patient();
    let branch = &patient.nerves()[0];
    let radius = 0.5 * branch.diameter_mm;
    let target = patient.target_mm().vec();
    let mut on_bone = 0.0;
    for w in branch.points.windows(2) {
        let n = ((w[1].vec() - w[0].vec()).norm() / 0.1).ceil();
        for i in 0..n as usize {
            let p = w[0].vec().lerp(&w[1].vec(), i as f64 / n);
            let gap = patient.bone_level_mm(&PatientPoint::from_vec(p)) - radius;
            assert!(gap > -0.3, "nerve {gap} mm inside bone at {p}");
            if (p - target).norm() < 6.0 {
                assert!(gap < 1.0, "nerve {gap} mm off bone at {p}");
                on_bone += 0.1;
            }
        }
    }
    assert!(on_bone > 10.0, "{on_bone}");
    // It descends from the foramen to the lamina: backwards and downwards all the way.
    for w in branch.points.windows(2) {
        assert!(w[1].xyz[1] > w[0].xyz[1] && w[1].xyz[2] < w[0].xyz[2], "{w:?}");
    }
}

#[test]
fn ventral_ramus_is_spared_by_distance() {
    let patient = patient();
    let (needle, nerves) = (patient.default_needle(), patient.nerves());
    let ramus = &nerves[1];
    assert!(!ramus.target && ramus.name == "L4 ventral ramus right");
    let d = Vec3::from(needle.direction);
    let rear = needle.tip.vec() - d * needle.active_tip_mm;
    let axis_gap = ramus
        .points
        .windows(2)
        .map(|w| distance_between_segments(&w[0].vec(), &w[1].vec(), &needle.tip.vec(), &rear))
        .fold(f64::INFINITY, f64::min);
    let gap = axis_gap - 0.5 * (ramus.diameter_mm + needle.outer_diameter_mm);
    // Literature: 5 to 15 mm in front of a correct tip.
    assert!((5.0..15.0).contains(&gap), "tip to ventral ramus {gap} mm");
    for w in ramus.points.windows(2) {
        for i in 0..20 {
            let p = PatientPoint::from_vec(w[0].vec().lerp(&w[1].vec(), f64::from(i) / 20.0));
            assert_eq!(patient.tissue_at(&p), IDS.nerve, "{p:?}");
            assert!(patient.bone_level_mm(&p) > 0.3, "{p:?}");
        }
    }
}

#[test]
fn canal_and_foramen_are_free_of_bone() {
    let patient = patient();
    for i in -240..240 {
        let z = 0.2 * f64::from(i);
        for (x, y) in [(0.0, 19.0), (0.0, 25.0), (0.0, 31.0), (7.0, 25.0), (-10.0, 25.0)] {
            let t = patient.tissue_at(&PatientPoint::new(x, y, z));
            assert!(t == IDS.csf || t == IDS.fat || t == IDS.nerve, "{x} {y} {z}: {t:?}");
        }
    }
    // From the canal straight out to the right through the foramen L4–L5.
    for i in 0..300 {
        let p = PatientPoint::new(-0.1 * f64::from(i), 21.0, 8.0);
        assert!(!is_bone(patient.tissue_at(&p)), "{p:?}");
    }
}

#[test]
fn landmarks_are_where_a_reader_looks_for_them() {
    let patient = patient();
    let at = |x: f64, y: f64, z: f64| patient.tissue_at(&PatientPoint::new(x, y, z));
    assert_eq!(at(0.0, 0.0, 0.0), IDS.intervertebral_disc);
    assert_eq!(at(0.0, 0.0, L5_Z), IDS.cancellous_bone);
    assert_eq!(at(0.0, 0.0, -L5_Z), IDS.cancellous_bone);
    assert_eq!(at(0.0, -15.4, L5_Z), IDS.cortical_bone);
    // L5: pedicle, transverse process, spinous process, superior process; L4: inferior process; the joint between them.
    assert!(is_bone(at(-17.5, 20.0, L5_Z + 6.0)));
    assert!(is_bone(at(-38.0, 29.0, L5_Z + 6.0)));
    assert!(is_bone(at(0.0, 50.0, L5_Z - 8.0)));
    assert!(is_bone(at(-21.0, 31.0, L5_Z + 15.0)));
    assert!(is_bone(at(-14.0, 38.0, L5_Z + 15.0)));
    assert_eq!(at(-17.5, 34.5, L5_Z + 15.0), IDS.cartilage);
    assert_eq!(at(0.0, 36.5, 2.0), IDS.fat);
    assert_eq!(at(0.0, 40.0, 0.0), IDS.ligament);
    assert_eq!(at(-40.0, 0.0, 0.0), IDS.muscle);
    assert_eq!(at(-30.0, 50.0, 0.0), IDS.muscle);
    assert_eq!(at(0.0, 75.0, 0.0), IDS.fat);
    assert_eq!(at(0.0, 85.0, 0.0), IDS.skin);
    assert_eq!(at(0.0, 87.0, 0.0), IDS.air);
}

#[test]
fn every_finite_point_has_a_tissue() {
    let patient = patient();
    for p in [[1e9, -1e9, 1e9], [0.0; 3], [-0.0, 1e-300, -5e-324], [0.0, -30.0, 0.0]] {
        let t = patient.tissue_at(&PatientPoint::new(p[0], p[1], p[2]));
        assert!(t.0 <= 10);
    }
    assert_eq!(patient.tissue_at(&PatientPoint::new(1e9, -1e9, 1e9)), IDS.air);
}

#[test]
fn bone_level_is_close_to_a_distance_at_the_surface() {
    // A level that grows faster than the distance would let a needle into bone that it says is clear of it.
    let patient = patient();
    let mut steepest: f64 = 0.0;
    for p in spread(40_000) {
        if patient.bone_level_mm(&p).abs() > 2.0 {
            continue;
        }
        let step = 0.01;
        let mut g = Vec3::zeros();
        for a in 0..3 {
            let (mut lo, mut hi) = (p, p);
            lo.xyz[a] -= step;
            hi.xyz[a] += step;
            g[a] = (patient.bone_level_mm(&hi) - patient.bone_level_mm(&lo)) / (2.0 * step);
        }
        steepest = steepest.max(g.norm());
    }
    assert!(steepest < 1.6, "{steepest}");
}
