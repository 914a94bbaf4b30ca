//! What must hold in every person that the parameters describe.

use super::testing::person;
use super::*;

/// The mean man and woman, and people drawn from the published spread.
fn people() -> Vec<(String, LumbarSpine)> {
    let seeds = [
        None,
        Some(1),
        Some(2),
        Some(3),
        Some(4),
        Some(2000),
        Some(2002),
        Some(2003),
    ];
    [Sex::Male, Sex::Female]
        .into_iter()
        .flat_map(|sex| seeds.map(|seed| (sex, seed)))
        .map(|(sex, seed)| {
            let parameters = SpineParameters {
                sex,
                seed,
                ..SpineParameters::default()
            };
            (format!("{sex:?} {seed:?}"), person(&parameters))
        })
        .collect()
}

/// Points along a course, a quarter of a millimetre apart.
fn along(course: &Course) -> impl Iterator<Item = PatientPoint> + '_ {
    course.points.windows(2).flat_map(|w| {
        let (a, b) = (w[0].vec(), w[1].vec());
        let parts = ((b - a).norm() / 0.25).ceil().max(1.0) as usize;
        (0..=parts).map(move |n| PatientPoint::from_vec(a + (b - a) * (n as f64 / parts as f64)))
    })
}

#[test]
fn nerves_run_outside_bone() {
    let mut bad = vec![];
    for (who, spine) in people() {
        for course in spine.courses() {
            let (lowest, place) = along(course)
                .map(|p| (spine.bone_level_mm(&p), p))
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .unwrap();
            // A chord over a rounded bone may cut a hair off it.
            if lowest < 0.5 * course.diameter_mm - 0.1 {
                bad.push(format!(
                    "{who}: {} {:.2} of {:.2} at {:?}, target {:?} to {:?}",
                    course.name,
                    lowest,
                    0.5 * course.diameter_mm,
                    place.xyz,
                    course.target.map(|t| course.points[t[0]].xyz),
                    course.target.map(|t| course.points[t[1]].xyz)
                ));
            }
        }
    }
    assert!(bad.is_empty(), "{} courses in bone:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn foramina_are_open() {
    // Normal foramina are 8 to 12 mm wide below the pedicle and 15 to 23 mm high (Hasegawa et al., J Bone Joint Surg Am 1995;77:32: compression
    // is common below 15 mm).
    let mut bad = vec![];
    for (who, spine) in people() {
        let drawn = who.contains("Some");
        for pair in spine.vertebrae.windows(2) {
            let (upper, lower) = (&pair[0], &pair[1]);
            if upper.level < Level::L1 {
                continue;
            }
            for left in [true, false] {
                let s = &upper.bone.shape;
                let side = if left { &s.left } else { &s.right };
                let x = 0.5 * (s.middle.canal_width + side.pedicle_width);
                // From under one pedicle to the top of the next, beside the back of the disc.
                let under = [x, s.back_wall() + 3.0, side.pedicle_z - 0.5 * side.pedicle_height];
                let next = &lower.bone.shape;
                let other = if left { &next.left } else { &next.right };
                let over = [x, next.back_wall() + 3.0, other.pedicle_z + 0.5 * other.pedicle_height];
                let (from, to) = (
                    upper.side_to_patient(left, under).vec(),
                    lower.side_to_patient(left, over).vec(),
                );
                let free = |p: &Vec3| {
                    let p = PatientPoint::from_vec(*p);
                    spine.bone_level_mm(&p) > 0.0 && !matches!(spine.structure_at(&p), Structure::Disc(_))
                };
                let reach = |from: Vec3, way: Vec3| {
                    let steps = (0..160).map(|n| 0.25 * f64::from(n));
                    steps.take_while(|d| free(&(from + way * *d))).last().unwrap_or(0.0)
                };
                let (down, back) = ((to - from).normalize(), upper.frame.posterior);
                let middle = from + down * 4.0;
                let width = reach(middle, back) + reach(middle, -back);
                let height = reach(middle, down) + reach(middle, -down);
                // Drawn people differ by three standard deviations and more from each other.
                if width < 6.5 || height < if drawn { 11.0 } else { 14.0 } {
                    bad.push(format!(
                        "{who}: {}–{} left {left}: {width:.1} wide, {height:.1} high",
                        upper.level, lower.level
                    ));
                }
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn landmarks_lie_on_bone() {
    for (who, spine) in people() {
        for l in spine.landmarks() {
            let on = [l.junction, l.mamillary, l.accessory, l.transverse_tip];
            for (p, name) in on.iter().zip(["junction", "mamillary", "accessory", "tip"]) {
                let level = spine.bone_level_mm(p);
                assert!(level.abs() < 0.1, "{who}: {name} of {} {}: {level}", l.level, l.side);
            }
        }
    }
}

#[test]
fn the_dural_sac_has_room_in_the_canal() {
    for (who, spine) in people() {
        for pair in spine.axial.sac().windows(2) {
            let [a, b] = [&pair[0], &pair[1]];
            // Below the body of S1 the sac ends within the sacrum.
            if a.center.z < spine.frame(Level::S1).unwrap().origin.z {
                continue;
            }
            for (n, turn) in (0..=4).flat_map(|n| (0..16).map(move |turn| (n, turn))) {
                let t = 0.25 * f64::from(n);
                let (sin, cos) = (f64::from(turn) * std::f64::consts::TAU / 16.0).sin_cos();
                let half = [
                    a.half_width + t * (b.half_width - a.half_width),
                    a.half_depth + t * (b.half_depth - a.half_depth),
                ];
                let center = a.center + (b.center - a.center) * t;
                let p = PatientPoint::from_vec(center + Vec3::new(half[0] * cos, half[1] * sin, 0.0));
                let level = spine.bone_level_mm(&p);
                assert!(level > -1.0, "{who}: bone {level} in the sac at {:.1?}", p.xyz);
            }
        }
    }
}

#[test]
fn the_target_stretch_lies_along_the_neck() {
    for (who, spine) in people() {
        for course in spine.courses() {
            let Some([first, last]) = course.target else { continue };
            let stretch = &course.points[first..=last];
            let length: f64 = stretch.windows(2).map(|w| (w[1].vec() - w[0].vec()).norm()).sum();
            assert!((8.0..16.0).contains(&length), "{who}: {} {length}", course.name);
            let on = 0.5 * course.diameter_mm + nerves::CUSHION;
            for p in stretch {
                let level = spine.bone_level_mm(p);
                assert!((level - on).abs() < 0.05, "{who}: {} {level} from bone", course.name);
            }
        }
    }
}

#[test]
fn branches_to_the_skin_cross_the_crest_and_those_to_muscle_do_not() {
    for (who, spine) in people() {
        for course in spine.courses() {
            let end = spine.skin_depth_mm(course.points.last().unwrap());
            match course.kind {
                NerveKind::LateralBranch => {
                    assert!(
                        course.nerve >= Level::L1 && course.nerve <= Level::L3,
                        "{who}: {}",
                        course.name
                    );
                    assert!(end > 0.5 && end < 6.0, "{who}: {} ends {end} mm deep", course.name);
                    // No sharp turn anywhere.
                    for w in course.points.windows(3) {
                        let (a, b) = (w[1].vec() - w[0].vec(), w[2].vec() - w[1].vec());
                        let turn = a.angle(&b).to_degrees();
                        assert!(turn < 100.0, "{who}: {} turns by {turn} at {:?}", course.name, w[1].xyz);
                    }
                }
                NerveKind::IntermediateBranch => {
                    assert!(course.nerve >= Level::L4, "{who}: {}", course.name);
                    assert!(end > 10.0, "{who}: {} ends {end} mm deep", course.name);
                }
                _ => {}
            }
        }
    }
}
