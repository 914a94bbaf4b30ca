//! The nerves of the built-in patient against dissections, and against its own bone.

use neurotome_base::{PatientPoint, Vec3, geometry::distance_between_segments};
use neurotome_procedure::{
    anatomy::{
        Course, Level, NerveKind, Patient as _, Side,
        spine::{LumbarSpine, Sex, Structure, approach_angles},
    },
    catalog::find,
    planning::nerves,
};

use super::people::{catalogue, drawn, mean};
use crate::verify::Report;

/// The vertebra that a branch crosses.
fn crossed(spine: &LumbarSpine, nerve: Level) -> Option<Level> {
    spine.levels().into_iter().find(|l| *l > nerve)
}

fn medial_branches(spine: &LumbarSpine) -> impl Iterator<Item = &Course> {
    spine
        .courses()
        .iter()
        .filter(|c| c.kind == NerveKind::MedialBranch && c.nerve >= Level::L1)
}

fn vecs(points: &[PatientPoint]) -> Vec<Vec3> {
    points.iter().map(PatientPoint::vec).collect()
}

/// Points at most 0.25 mm apart.
fn dense(points: &[Vec3]) -> Vec<Vec3> {
    points
        .windows(2)
        .flat_map(|w| {
            let n = ((w[1] - w[0]).norm() / 0.25).ceil().max(1.0) as usize;
            let (a, b) = (w[0], w[1]);
            (0..=n).map(move |i| a + (b - a) * (i as f64 / n as f64))
        })
        .collect()
}

/// Directions of the medial branches on the neck of the superior articular process.
pub fn fall(report: &mut Report) {
    let source = "Tran et al., needles laid along the nerve on the middle two quarters of the neck, highest and lowest mean of a level with their standard deviations: catalog/techniques.toml";
    let claims = [
        "angle of the L1 to L4 medial branches to the superior end plate, seen from the side, degrees",
        "angle of the L1 to L4 medial branches to the sagittal plane, seen from behind, degrees",
    ];
    let computed = || -> Result<[[f64; 3]; 2], String> {
        let catalog = catalogue()?;
        let technique = find(&catalog.techniques, "lumbar_parallel").ok_or("no technique")?;
        let (mut sums, mut count) = ([0.0; 2], 0.0);
        for sex in [Sex::Female, Sex::Male] {
            let spine = mean(&catalog, sex)?;
            for c in medial_branches(&spine) {
                let [first, last] = c.target.ok_or("no target")?;
                let frame = crossed(&spine, c.nerve)
                    .and_then(|l| spine.frame(l))
                    .ok_or("no vertebra")?;
                let direction = (c.points[first].vec() - c.points[last].vec()).normalize();
                let a = approach_angles(&frame, &direction, c.side.sign());
                sums = [sums[0] + a.caudal_deg, sums[1] + a.lateral_deg];
                count += 1.0;
            }
        }
        let band = |[low, high]: [f64; 2], sum: f64| [sum / count, 0.5 * (low + high), 0.5 * (high - low)];
        Ok([
            band(technique.caudal_deg(), sums[0]),
            band(technique.lateral_deg(), sums[1]),
        ])
    };
    match computed() {
        Ok(rows) => {
            for (claim, [value, reference, tolerance]) in claims.into_iter().zip(rows) {
                report.within(claim, value, reference, tolerance, source);
            }
        }
        Err(e) => report.failed(claims[0], e, source),
    }
}

/// The ligament's length at the level farthest from the published one: the level, what was measured, what is published, its spread; then how
/// far the nerve lies from the ligament at most, and how far it may.
type Ligament = ((Level, [f64; 3]), f64, f64);

/// The mamillo-accessory ligament: as long as published, and the nerve under it.
pub fn ligament(report: &mut Report) {
    let source = "catalog/spine.toml, mamillo_accessory_distance_mm (recalled) and its standard deviation";
    let passes = "farthest from the nerve's axis to the line from mamillary to accessory process, L1 to L4, mm";
    let under =
        "thickness of the ligament (catalog/spine.toml, mamillo_accessory_ligament_mm) and half the nerve's diameter";
    let computed = || -> Result<Ligament, String> {
        let catalog = catalogue()?;
        let entry = catalog
            .spine_measure("mamillo_accessory_distance_mm")
            .ok_or("no distance")?;
        let thick = catalog
            .spine_measure("mamillo_accessory_ligament_mm")
            .and_then(|m| m.value)
            .ok_or("no thickness")?;
        let spine = mean(&catalog, Sex::Male)?;
        let woman = mean(&catalog, Sex::Female)?;
        let mut worst = (Level::L1, [f64::NAN; 3]);
        let (mut off, mut farthest, mut bound) = (-1.0, 0.0f64, 0.0);
        for level in [Level::L1, Level::L2, Level::L3, Level::L4, Level::L5] {
            let length = |s: &LumbarSpine| -> f64 {
                let all = s.landmarks();
                let both = all.iter().filter(|l| l.level == level);
                0.5 * both
                    .map(|l| (l.mamillary.vec() - l.accessory.vec()).norm())
                    .sum::<f64>()
            };
            let (value, published, sd) = (
                0.5 * (length(&spine) + length(&woman)),
                entry.at(level).ok_or("no mean")?,
                entry.sd_at(level).ok_or("no standard deviation")?,
            );
            if (value - published).abs() / sd > off {
                off = (value - published).abs() / sd;
                worst = (level, [value, published, sd]);
            }
        }
        for c in medial_branches(&spine) {
            let at = crossed(&spine, c.nerve);
            let all = spine.landmarks();
            let Some(l) = all.iter().find(|l| Some(l.level) == at && l.side == c.side) else {
                return Err(format!("no landmarks for the {}", c.name));
            };
            let nearest = vecs(&c.points)
                .windows(2)
                .map(|w| distance_between_segments(&w[0], &w[1], &l.mamillary.vec(), &l.accessory.vec()))
                .fold(f64::INFINITY, f64::min);
            farthest = farthest.max(nearest);
            bound = thick + 0.5 * c.diameter_mm;
        }
        Ok((worst, farthest, bound))
    };
    match computed() {
        Ok(((level, [value, published, sd]), farthest, bound)) => {
            let claim = format!(
                "distance from mamillary to accessory process at {level}, of all levels, mm, mean of woman and man"
            );
            report.within(claim, value, published, sd, source);
            report.at_most(passes, farthest, bound, under);
        }
        Err(e) => report.failed(passes, e, source),
    }
}

/// How far the nerve's surface is from bone along the stretch that a needle is laid against.
pub fn on_the_neck(report: &mut Report) {
    let claim = "widest gap between a medial branch and the neck of the superior articular process, mean man, mm";
    let source = "Tran et al. 2022: the nerve runs on the lateral neck; one diameter of a nerve is allowed";
    let computed = || -> Result<f64, String> {
        let catalog = catalogue()?;
        let spine = mean(&catalog, Sex::Male)?;
        let mut widest = f64::NEG_INFINITY;
        for c in medial_branches(&spine) {
            let [first, last] = c.target.ok_or("no target")?;
            for p in dense(&vecs(&c.points[first..=last])) {
                let gap = spine.bone_level_mm(&PatientPoint::from_vec(p)) - 0.5 * c.diameter_mm;
                widest = widest.max(gap);
            }
        }
        Ok(widest)
    };
    match computed() {
        Ok(widest) => report.at_most(claim, widest, 1.0, source),
        Err(e) => report.failed(claim, e, source),
    }
}

/// No nerve runs through bone.
pub fn outside_bone(report: &mut Report) {
    let source = "Anatomy: nerves lie outside bone; in six people";
    let kinds: [(&str, &[NerveKind]); 3] = [
        (
            "medial branches and dorsal rami",
            &[NerveKind::MedialBranch, NerveKind::DorsalRamus],
        ),
        (
            "roots, ganglia and ventral rami",
            &[NerveKind::Root, NerveKind::Ganglion, NerveKind::VentralRamus],
        ),
        (
            "lateral and intermediate branches",
            &[NerveKind::LateralBranch, NerveKind::IntermediateBranch],
        ),
    ];
    let people = || -> Result<Vec<LumbarSpine>, String> {
        let catalog = catalogue()?;
        let mut all = vec![mean(&catalog, Sex::Female)?, mean(&catalog, Sex::Male)?];
        for seed in 2000..2004 {
            all.push(drawn(&catalog, seed)?);
        }
        Ok(all)
    };
    let people = match people() {
        Ok(people) => people,
        Err(e) => return report.failed("nerves outside bone", e, source),
    };
    for (words, kinds) in kinds {
        let mut deepest = (0.0f64, "none");
        for spine in &people {
            for c in spine.courses().iter().filter(|c| kinds.contains(&c.kind)) {
                for p in dense(&vecs(&c.points)) {
                    let into = 0.5 * c.diameter_mm - spine.bone_level_mm(&PatientPoint::from_vec(p));
                    if into > deepest.0 {
                        deepest = (into, &c.name);
                    }
                }
            }
        }
        let claim = format!("{words}: deepest of a nerve's body in bone, mm, in the {}", deepest.1);
        report.at_most(claim, deepest.0, 0.1, source);
    }
}

/// What is measured on the superior cluneal nerves of a person: for L1, L2 and L3 of both sides the mean distance from the midline where the nerve
/// first comes within 2 mm of the hip, then the farthest of an end from the skin.
fn cluneal(spine: &LumbarSpine) -> Result<([f64; 3], f64), String> {
    let solids = spine.solids();
    let middle = spine.frame(Level::S1).ok_or("no sacrum")?.origin.x;
    let mut deepest = 0.0f64;
    let mut crossing = [0.0; 3];
    for (sum, nerve) in crossing.iter_mut().zip([Level::L1, Level::L2, Level::L3]) {
        for side in Side::BOTH {
            let course = spine
                .course(NerveKind::LateralBranch, nerve, side)
                .ok_or_else(|| format!("no lateral branch of {nerve}"))?;
            let hip = solids
                .iter()
                .find(|s| s.structure == Structure::Hip(side))
                .ok_or("no hip")?;
            let near = dense(&vecs(&course.points))
                .into_iter()
                .find(|p| hip.level_mm(&PatientPoint::from_vec(*p)) < 2.0 + 0.5 * course.diameter_mm);
            let near = near.ok_or_else(|| format!("the lateral branch of {nerve} does not come to the hip"))?;
            *sum += 0.5 * (near.x - middle).abs();
            let end = course.points.last().ok_or("no points")?;
            deepest = deepest.max(spine.skin_depth_mm(end));
        }
    }
    Ok((crossing, deepest))
}

/// The lateral branches of L1 to L3 cross the iliac crest where dissections found the superior cluneal nerves, and end in the skin.
pub fn to_the_buttock(report: &mut Report) {
    let claim = "lateral branch of L3: distance from the midline at the iliac crest, mean of woman and man, mm";
    let loubser = "Loubser, Raath and van Schoor, 54 sides of 27 cadavers, 72.1 ± 10.2: catalog/spine.toml";
    let computed = || -> Result<([f64; 3], f64), String> {
        let catalog = catalogue()?;
        let (woman, man) = (mean(&catalog, Sex::Female)?, mean(&catalog, Sex::Male)?);
        let ((a, deep), (b, deeper)) = (cluneal(&woman)?, cluneal(&man)?);
        Ok((std::array::from_fn(|k| 0.5 * (a[k] + b[k])), deep.max(deeper)))
    };
    match computed() {
        Ok(([first, second, third], deepest)) => {
            report.within(claim, third, 72.1, 10.2, loubser);
            report.within(
                format!("{claim}, against another dissection"),
                third,
                65.3,
                8.2,
                "Iwanaga et al. 2019, grooves of the crest on 11 sides, 65.3 ± 8.2",
            );
            let order = "Bogduk et al. 1982: they cross side by side, the lower the nearer to the midline";
            let least = (second - third).min(first - second);
            report.at_least(
                "lateral branches of L1 to L3 at the crest: least that the upper lies outside the lower, mm",
                least,
                3.0,
                order,
            );
            report.at_most(
                "lateral branches of L1 to L3: farthest end from the surface of the skin, mm",
                deepest,
                5.0,
                "anatomy: they end in the skin of the buttock",
            );
        }
        Err(e) => report.failed(claim, e, loubser),
    }
}

/// The same against the dissection that found them farthest out: three dissections differ by 16 mm.
pub fn to_the_buttock_farther_out(report: &mut Report) {
    let claim = "lateral branch of L3: distance from the midline at the iliac crest, mean of woman and man, mm, against a third dissection";
    let source = "Lu et al. 1998, 15 cadavers, 81.0 ± 9.2";
    let computed = || -> Result<f64, String> {
        let catalog = catalogue()?;
        let (woman, man) = (mean(&catalog, Sex::Female)?, mean(&catalog, Sex::Male)?);
        Ok(0.5 * (cluneal(&woman)?.0[2] + cluneal(&man)?.0[2]))
    };
    match computed() {
        Ok(third) => report.within(claim, third, 81.0, 9.2, source),
        Err(e) => report.failed(claim, e, source),
    }
}

/// The two nerves of the L4–L5 joint cross the bones that they should.
pub fn of_the_joint(report: &mut Report) {
    let claim = "nerves of the L4–L5 joint, both sides, that lie on another bone than L3 medial branch on L4, L4 medial branch on L5";
    let source = "Bogduk 1983: a joint is supplied by the medial branches of its own nerve and of the one above";
    let computed = || -> Result<f64, String> {
        let spine = mean(&catalogue()?, Sex::Male)?;
        let joint = "L4-L5".parse()?;
        let mut wrong = 0;
        for side in Side::BOTH {
            let targets = nerves(joint, side).map_err(|e| e.to_string())?;
            for (target, (nerve, bone)) in targets.iter().zip([(Level::L3, Level::L4), (Level::L4, Level::L5)]) {
                let course = target.course(&spine).map_err(|e| e.to_string())?;
                let [first, last] = course.target.ok_or("no target")?;
                let middle = course.points[usize::midpoint(first, last)];
                let nearest = spine
                    .solids()
                    .into_iter()
                    .min_by(|a, b| a.level_mm(&middle).total_cmp(&b.level_mm(&middle)))
                    .map(|s| s.structure);
                let right = course.nerve == nerve && course.side == side && side.sign() * middle.xyz[0] > 0.0;
                if !right || nearest != Some(Structure::Vertebra(bone)) {
                    wrong += 1;
                }
            }
        }
        Ok(f64::from(wrong))
    };
    match computed() {
        Ok(wrong) => report.at_most(claim, wrong, 0.0, source),
        Err(e) => report.failed(claim, e, source),
    }
}
