//! Courses of the lateral and intermediate branches of the dorsal rami.
//!
//! A lateral branch leaves the dorsal ramus where the medial branch does, crosses the middle third of the transverse process below and runs down,
//! outwards and back through iliocostalis; an intermediate branch crosses the inner third (Zhang et al. 2022). Those of L1 to L3 come out at the outer border of the erector spinae, pierce the
//! thoracolumbar fascia, cross the iliac crest side by side, the lowest nearest to the midline, and end in the skin of the buttock as the
//! superior cluneal nerves. From L4 and L5 branches to the longissimus alone are taken (Bogduk et al. 1982), although Iwanaga et al. (2019) found
//! skin fibres in 45 % of the rami of L4 and 10 % of L5.

use super::loose::{Loose, beside_sacrum};
use super::morphometry::Morphometry;
use super::nerves::{CUSHION, clear_of_bone, dorsal_ramus, medial_branch};
use super::sacrum::{CREST, CREST_RADIUS};
use super::soft::SoftParts;
use super::solid::{P, add, norm, scale, sub, unit};
use super::vertebra::{Kind, Vertebra, wall_x};
use super::{Placed, SpineError, bone_level};
use crate::anatomy::{Course, Level, NerveKind, Side, Spread};
use neurotome_base::{PatientPoint, Vec3};

/// Away from the crest's middle line, in the axes in which the hip is given.
const OFF_CREST: P = [0.0, 0.6, 0.8];
/// Above the crest, where a nerve comes through the fascia, mm, in the same axes: as far as Lu et al. (1998) found for the outer two.
const AT_FASCIA: P = [-4.0, 0.0, 10.0];
/// From the crest to the end in the skin: outwards and down, mm.
const TO_SKIN: P = [14.0, 0.0, -34.0];
/// How far below the surface of the transverse process's back a branch is laid, mm.
const OVER_PROCESS: f64 = 0.8;

/// The lateral branches of L1 to L3 and the intermediate branches below, of both sides.
pub(super) fn courses(
    sizes: &Morphometry<'_>,
    vertebrae: &[Placed],
    loose: &[Loose],
    soft: &SoftParts,
    size: f64,
) -> Result<Vec<Course>, SpineError> {
    let mut all = vec![];
    let level = |p: P| {
        let others = loose.iter().filter(|l| l.bounds.distance(p) < super::NEAR);
        others.fold(bone_level(vertebrae, &Vec3::from(p)), |nearest, l| {
            nearest.min(l.level(p))
        })
    };
    for (i, v) in vertebrae.iter().enumerate() {
        // The branch that crosses a vertebra belongs to the nerve above.
        let above = i.checked_sub(1).map(|n| vertebrae[n].level).or_else(|| v.level.above());
        let Some(nerve) = above.filter(|n| *n >= Level::L1) else {
            continue;
        };
        let cutaneous = nerve <= Level::L3 && v.bone.kind == Kind::Lumbar;
        let (kind, name) = if cutaneous {
            (NerveKind::LateralBranch, "lateral branch")
        } else {
            (NerveKind::IntermediateBranch, "intermediate branch")
        };
        let diameter_mm = sizes.at("lateral_branch_diameter_mm", nerve.min(Level::L5))?;
        let clearance = 0.5 * diameter_mm + CUSHION;
        let place = sizes.at("lateral_branch_place_fraction", nerve.min(Level::L5))?;
        for side in Side::BOTH {
            let left = side == Side::Left;
            let local = proximal(&v.bone, left, clearance, place);
            let mut points: Vec<P> = local.iter().map(|p| v.side_to_patient(left, *p).xyz).collect();
            let out = |p: P, d: P| v.side_to_patient(left, add(p, d)).xyz;
            let last = local[local.len() - 1];
            let sacrum = vertebrae.iter().find(|v| v.level == Level::S1).filter(|_| cutaneous);
            if let Some(sacrum) = sacrum {
                points.push(out(last, [9.0, 9.0, -14.0]));
                let crossing = sizes.at("cluneal_crossing_mm", nerve)? * size;
                points.extend(over_crest(sacrum, side, size, crossing, clearance, &level, soft));
            } else if cutaneous {
                // Without a sacrum nobody knows where the crest is; the nerve is followed to the border of the muscle.
                points.extend([[9.0, 9.0, -14.0], [20.0, 13.0, -34.0], [30.0, 14.0, -58.0]].map(|d| out(last, d)));
            } else if v.bone.kind == Kind::Lumbar {
                points.extend([[3.0, 9.0, -12.0], [6.0, 16.0, -26.0]].map(|d| out(last, d)));
            }
            let clear = clear_of_bone(&level, &rounded(&points), clearance, [false, false]);
            all.push(Course {
                name: format!("{nerve} {name} {side}"),
                kind,
                nerve,
                side,
                points: clear.into_iter().map(|[x, y, z]| PatientPoint::new(x, y, z)).collect(),
                diameter_mm,
                spread: Spread {
                    across_mm: sizes.value("lateral_branch_scatter_mm")?,
                    off_bone_mm: 1.0,
                },
                target: None,
            });
        }
    }
    Ok(all)
}

/// From the dorsal ramus over the transverse process, at a part of its length from the superior articular process to its tip, to its back (on the
/// sacrum over the ala); in the vertebra's own frame with `x` outwards.
fn proximal(vertebra: &Vertebra, left: bool, clearance: f64, place: f64) -> Vec<P> {
    let [ramus, fork] = dorsal_ramus(vertebra, left);
    if vertebra.kind == Kind::Sacral {
        // With the medial branch half the way over the ala, then back and out towards the longissimus at the posterior superior spine.
        let branch = medial_branch(vertebra, left, 2.0 * clearance);
        let leaves = branch.target[branch.target.len() / 2];
        return vec![
            ramus,
            fork,
            branch.target[0],
            leaves,
            add(leaves, [3.0, 9.0, -2.0]),
            add(leaves, [5.0, 18.0, -6.0]),
            add(leaves, [6.0, 26.0, -12.0]),
        ];
    }
    let level = |p: P| vertebra.level_at(left, p);
    let side = if left {
        &vertebra.shape.left
    } else {
        &vertebra.shape.right
    };
    // From the wall of the superior articular process to the tip.
    let wall = wall_x(side, side.upper_y - 7.0);
    let x = wall + place * (side.transverse_x + side.transverse_end - wall);
    let ridge = |x: f64| vertebra.transverse_line(left, x)[0];
    // Over the upper border: where a ball comes to rest that falls on it.
    let on_top = |x: f64, y: f64| {
        let mut z = fork[2] + 6.0;
        while level([x, y, z - 0.25]) > clearance + OVER_PROCESS && z > fork[2] - 25.0 {
            z -= 0.25;
        }
        [x, y, z]
    };
    let border = on_top(x, ridge(x));
    let behind = [x + 2.0, ridge(x + 2.0) + 6.0, border[2] - 5.0];
    vec![
        ramus,
        fork,
        border,
        behind,
        [x + 4.0, ridge(x + 4.0) + 9.0, border[2] - 13.0],
    ]
}

/// Through the fascia, over the iliac crest at a distance from the midline, and to the skin of the buttock, in the patient.
fn over_crest(
    sacrum: &Placed,
    side: Side,
    size: f64,
    crossing_mm: f64,
    clearance: f64,
    level: &dyn Fn(P) -> f64,
    soft: &SoftParts,
) -> Vec<P> {
    let to = beside_sacrum(sacrum, side, size);
    let origin = to([0.0; 3]);
    let turned = |d: P| sub(to(d), origin);
    let crest: Vec<P> = CREST.iter().map(|p| to(*p)).collect();
    let from_midline = |p: P| side.sign() * (p[0] - origin[0]);
    // The crest's ends where it reaches nowhere so far out.
    let on = crest
        .windows(2)
        .find(|w| from_midline(w[1]) >= crossing_mm)
        .map_or(crest[crest.len() - 1], |w| {
            let (a, b) = (from_midline(w[0]), from_midline(w[1]));
            let t = ((crossing_mm - a) / (b - a).max(1e-9)).clamp(0.0, 1.0);
            add(w[0], scale(sub(w[1], w[0]), t))
        });
    let off = unit(turned(OFF_CREST));
    let mut over = add(on, scale(off, CREST_RADIUS * size + clearance));
    for _ in 0..40 {
        if level(over) >= clearance {
            break;
        }
        over = add(over, scale(off, 0.25));
    }
    let mut end = add(over, turned(TO_SKIN));
    // Just below the skin.
    let under = soft.skin + 0.5;
    while soft.depth(end[0], end[1]) > under {
        end[1] += 0.25;
    }
    while soft.depth(end[0], end[1]) < under && end[1] > over[1] - 60.0 {
        end[1] -= 0.25;
    }
    let half_way = add(scale(add(over, end), 0.5), turned([0.0, 2.0, 0.0]));
    vec![add(over, turned(AT_FASCIA)), over, half_way, end]
}

/// A course without corners: each is cut, three times over (Chaikin); the ends stay.
fn rounded(points: &[P]) -> Vec<P> {
    let mut course = points.to_vec();
    for _ in 0..3 {
        let mut cut: Vec<P> = course.first().copied().into_iter().collect();
        for w in course.windows(2) {
            let d = sub(w[1], w[0]);
            if norm(d) > 1e-9 {
                cut.extend([0.25, 0.75].map(|t| add(w[0], scale(d, t))));
            }
        }
        cut.extend(course.last());
        course = cut;
    }
    course
}
