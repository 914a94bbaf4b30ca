//! Courses of the nerves, by rule from bony landmarks.
//!
//! A medial branch leaves the dorsal ramus at the foramen, runs down and back over the junction of superior articular and transverse
//! process, under the mamillo-accessory ligament and medially over the lamina (Bogduk 1983; Tran et al. 2022). The dorsal ramus of L5 does the
//! same between the superior articular process of S1 and the ala. Points are in a vertebra's own frame with `x` outwards on either side.

use super::solid::{P, add, scale, sub, unit};
use super::vertebra::{Kind, Vertebra, wall_x};

/// Angle of the neck above the plane of the end plate, seen from the side (tangent of 41°, the middle of the means of 33 to 49° that Tran et al. measured): the nerve's fall over the neck.
const TAN_FALL: f64 = 0.869_286_737_816_226_6;
/// How far behind the ridge of the transverse process its junction with the superior articular process is taken, mm.
const BEHIND_RIDGE: f64 = 2.5;
/// Loose tissue between a nerve and the bone, mm.
pub(crate) const CUSHION: f64 = 0.1;

/// Bony landmarks of one side, mm, with `x` outwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SideMarks {
    /// On the bone in the groove between the superior articular process and the transverse process (or ala).
    pub junction: P,
    /// On the mamillary process, its most lateral and posterior point.
    pub mamillary: P,
    /// On the tip of the accessory process.
    pub accessory: P,
    /// Middle of the foramen below the pedicle.
    pub foramen: P,
    /// Tip of the transverse process (or ala).
    pub transverse_tip: P,
}

/// Unit vector along the neck of the superior articular process, forward, up and medial.
pub(crate) fn neck_direction(vertebra: &Vertebra, left: bool) -> P {
    let side = if left {
        &vertebra.shape.left
    } else {
        &vertebra.shape.right
    };
    let (sin, cos) = side.wall_angle.to_radians().sin_cos();
    unit([-sin, -cos, TAN_FALL * cos])
}

/// Moves a point along the slope of the bone's level until it lies `clearance` outside the surface.
pub(crate) fn hug(level: &dyn Fn(P) -> f64, mut p: P, clearance: f64) -> P {
    const H: f64 = 0.05;
    for _ in 0..40 {
        let f = level(p) - clearance;
        if f.abs() < 1e-5 {
            break;
        }
        let gradient = slope(level, p, H);
        let steep = gradient.iter().map(|g| g * g).sum::<f64>().max(0.04);
        p = add(
            p,
            scale(gradient, (-f / steep).clamp(-3.0, 3.0) / steep.sqrt().max(1.0)),
        );
    }
    p
}

/// Moves what comes nearer to bone than `clearance` away from it, and smooths the course there; `fixed` points at either end stay.
///
/// Points are about [`SPACING`] apart afterwards.
pub(crate) fn clear_of_bone(level: &dyn Fn(P) -> f64, points: &[P], clearance: f64, fixed: [bool; 2]) -> Vec<P> {
    // Points that were moved apart leave chords between them that may cut bone again.
    let once = cleared(level, points, clearance, fixed);
    cleared(level, &once, clearance, fixed)
}

fn cleared(level: &dyn Fn(P) -> f64, points: &[P], clearance: f64, fixed: [bool; 2]) -> Vec<P> {
    const ROUNDS: usize = 100;
    const H: f64 = 0.05;
    let mut course = resample(points, SPACING);
    let n = course.len();
    let (first, end) = (usize::from(fixed[0]), n - usize::from(fixed[1]));
    // Points known to be clear where they are.
    let mut clear = vec![false; n];
    for round in 0..ROUNDS {
        let mut moved = vec![false; n];
        for i in first..end {
            if clear[i] {
                continue;
            }
            let short = clearance - level(course[i]);
            clear[i] = short <= 1e-4;
            if !clear[i] {
                let out = unit(slope(level, course[i], H));
                course[i] = add(course[i], scale(out, short.min(1.0)));
                moved[i] = true;
            }
        }
        if !moved.contains(&true) {
            break;
        }
        // The last rounds only clear.
        if round + 20 < ROUNDS {
            let before = course.clone();
            for i in first.max(1)..end.min(n - 1) {
                if moved[i - 1] || moved[i] || moved[i + 1] {
                    let middle = scale(add(before[i - 1], before[i + 1]), 0.5);
                    course[i] = add(scale(before[i], 0.5), scale(middle, 0.5));
                    clear[i] = false;
                }
            }
        }
    }
    course
}

/// Moves what runs through bone out of it in the direction `way`, where that takes no more than 25 mm: on which side of a bone a nerve passes is not
/// left to where the nearest surface is. A course that meets no bone stays as it is; points of another are about [`SPACING`] apart afterwards.
pub(crate) fn led_out(level: &dyn Fn(P) -> f64, points: &[P], clearance: f64, way: P) -> Vec<P> {
    const STEP: f64 = 0.5;
    const MOST: usize = 50;
    let mut course = resample(points, SPACING);
    let mut moved = false;
    for p in &mut course {
        if level(*p) < 0.0 {
            let free = (1..=MOST)
                .map(|n| add(*p, scale(way, STEP * n as f64)))
                .find(|q| level(*q) >= clearance);
            moved |= free.is_some();
            *p = free.unwrap_or(*p);
        }
    }
    if moved { course } else { points.to_vec() }
}

/// Distance between the points of a course, mm.
const SPACING: f64 = 1.0;

/// The corners of a polyline with points between them, no farther apart than `spacing`.
fn resample(points: &[P], spacing: f64) -> Vec<P> {
    let mut all: Vec<P> = points.first().copied().into_iter().collect();
    for w in points.windows(2) {
        let d = sub(w[1], w[0]);
        let parts = (d.iter().map(|x| x * x).sum::<f64>().sqrt() / spacing).ceil().max(1.0);
        all.extend((1..=parts as usize).map(|n| add(w[0], scale(d, n as f64 / parts))));
    }
    all
}

/// Where a ray from inside the bone leaves it for the last time within 10 mm; the nearest bone where the ray meets none.
fn outermost(level: &dyn Fn(P) -> f64, inside: P, direction: P) -> P {
    const STEP: f64 = 0.5;
    let at = |s: f64| add(inside, scale(direction, s));
    let mut s = 10.0;
    while level(at(s)) > 0.0 {
        s -= STEP;
        if s < 0.0 {
            return hug(level, inside, 0.0);
        }
    }
    let (mut low, mut high) = (s, s + STEP);
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if level(at(middle)) > 0.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    at(low)
}

fn slope(level: &dyn Fn(P) -> f64, p: P, h: f64) -> P {
    std::array::from_fn(|a| {
        let (mut low, mut high) = (p, p);
        low[a] -= h;
        high[a] += h;
        (level(high) - level(low)) / (2.0 * h)
    })
}

/// Where a ball of radius `clearance` comes to rest that falls down beside the lateral wall of the superior articular process, `aside` from
/// it, on the back of the transverse process: behind its ridge, where the process's back meets the wall and a needle from behind comes to rest.
fn groove(vertebra: &Vertebra, left: bool, clearance: f64, aside: f64) -> P {
    let side = if left {
        &vertebra.shape.left
    } else {
        &vertebra.shape.right
    };
    match vertebra.kind {
        Kind::Lumbar => {
            let [ridge, _] = vertebra.transverse_line(left, wall_x(side, side.upper_y - 7.0));
            let mut behind = BEHIND_RIDGE;
            loop {
                let rest = fall(vertebra, left, ridge + behind, clearance, aside);
                // Past a thin process the ball falls to what is below.
                if rest[2] >= vertebra.transverse_line(left, rest[0])[1] || behind <= 0.0 {
                    return rest;
                }
                behind -= 0.25;
            }
        }
        Kind::Sacral => fall(vertebra, left, side.upper_y - 4.0, clearance, aside),
    }
}

/// Where a ball comes to rest that falls down beside the wall at the depth `y`.
fn fall(vertebra: &Vertebra, left: bool, y: f64, clearance: f64, aside: f64) -> P {
    const STEP: f64 = 0.5;
    let side = if left {
        &vertebra.shape.left
    } else {
        &vertebra.shape.right
    };
    let x = wall_x(side, y) + clearance + aside;
    let free = |z: f64| vertebra.level_at(left, [x, y, z]) >= clearance;
    let mut z = side.upper_z;
    // Out of the bump of a thick wall first, then down.
    while !free(z) && z < side.upper_z + 8.0 {
        z += STEP;
    }
    while free(z - STEP) && z > side.pedicle_z - 12.0 {
        z -= STEP;
    }
    let (mut low, mut high) = (z - STEP, z);
    for _ in 0..30 {
        let middle = 0.5 * (low + high);
        if free(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    [x, y, high]
}

/// The landmarks of one side.
pub(crate) fn marks(vertebra: &Vertebra, left: bool) -> SideMarks {
    let shape = &vertebra.shape;
    let side = if left { &shape.left } else { &shape.right };
    let level = |p: P| vertebra.level_at(left, p);
    let mamillary = vertebra.mamillary(left);
    let accessory = vertebra.accessory(left);
    let transverse_tip = match vertebra.kind {
        Kind::Lumbar => [
            side.transverse_x + 0.9 * side.transverse_end,
            side.transverse_y,
            side.transverse_z,
        ],
        Kind::Sacral => add(super::sacrum::ALA, [9.0, 0.0, 6.0]),
    };
    SideMarks {
        junction: hug(&level, groove(vertebra, left, 0.0, 2.5), 0.0),
        mamillary: outermost(&level, mamillary, unit([1.0, 1.0, 0.2])),
        accessory: outermost(&level, accessory, unit([0.6, 1.0, -0.2])),
        foramen: [
            0.5 * shape.middle.canal_width + 0.5 * side.pedicle_width,
            shape.back_wall() + 4.0,
            side.pedicle_z - 0.5 * side.pedicle_height - 5.5,
        ],
        transverse_tip: hug(&level, transverse_tip, 0.0),
    }
}

/// The parts of a medial branch, each starting where the one before ends.
pub(crate) struct Branch {
    /// From the dorsal ramus, round the front of the superior articular process.
    pub before: Vec<P>,
    /// Along the neck of that process, where a needle should lie alongside.
    pub target: Vec<P>,
    /// Through the notch between mamillary and accessory process and over the lamina, or over the back of the sacrum.
    pub after: Vec<P>,
}

/// The dorsal ramus of the nerve above a vertebra: where it begins, and where it divides above the transverse process.
pub(crate) fn dorsal_ramus(vertebra: &Vertebra, left: bool) -> [P; 2] {
    let shape = &vertebra.shape;
    let side = if left { &shape.left } else { &shape.right };
    let half_canal = 0.5 * shape.middle.canal_width;
    let (top, back_wall) = (0.5 * shape.height(), shape.back_wall());
    [
        [half_canal + 9.5, (back_wall + 3.1).min(side.upper_y - 15.0), top + 10.0],
        [half_canal + 11.2, (back_wall + 5.1).min(side.upper_y - 13.0), top + 5.5],
    ]
}

/// The medial branch that crosses a vertebra (on the sacrum the dorsal ramus of L5), from proximal to distal.
pub(crate) fn medial_branch(vertebra: &Vertebra, left: bool, diameter: f64) -> Branch {
    let shape = &vertebra.shape;
    let side = if left { &shape.left } else { &shape.right };
    let level = |p: P| vertebra.level_at(left, p);
    let clearance = 0.5 * diameter + CUSHION;
    let d = neck_direction(vertebra, left);
    let rest = groove(vertebra, left, clearance, 1.5);
    let middle = hug(&level, rest, clearance);
    // Along the neck, never into the bone.
    let mut target: Vec<P> = (-7..=5)
        .map(|s| hug(&level, add(middle, scale(d, -f64::from(s))), clearance))
        .collect();
    // Round a corner of the bone neighbouring points may lie apart, and a chord would cut it.
    for _ in 0..2 {
        target = target
            .windows(2)
            .flat_map(|w| {
                let apart = sub(w[1], w[0]);
                let far = apart.iter().map(|x| x * x).sum::<f64>() > SPACING * SPACING * 1.2;
                let between = far.then(|| hug(&level, add(w[0], scale(apart, 0.5)), clearance));
                [Some(w[0]), between].into_iter().flatten()
            })
            .chain(target.last().copied())
            .collect();
    }
    let [ramus, fork] = dorsal_ramus(vertebra, left);
    let before = vec![ramus, fork, target[0]];
    let (x, y, z) = (side.upper_x, side.upper_y, side.pedicle_z);
    let rest = match vertebra.kind {
        // Through the notch between mamillary and accessory process, then medially over the lamina.
        Kind::Lumbar => {
            let between = scale(add(vertebra.mamillary(left), vertebra.accessory(left)), 0.5);
            vec![
                add(between, [1.5, 0.5, 0.0]),
                [x + 7.7, y + 2.7, z - 6.0],
                [x + 4.5, y + 4.5, z - 8.7],
                [x + 1.0, y + 6.0, z - 11.7],
            ]
        }
        // Down behind the joint, over the back of the sacrum.
        Kind::Sacral => vec![
            add(middle, [-0.5, 4.5, -4.0]),
            [x + 5.0, y + 2.0, z - 13.0],
            [x + 1.0, y + 3.0, z - 20.0],
        ],
    };
    let mut after = vec![target[target.len() - 1]];
    after.extend(rest.into_iter().map(|p| hug(&level, p, clearance)));
    Branch { before, target, after }
}

/// The part of a root's way that lies in the frame of the vertebra it leaves below: dural sac, under the pedicle, ganglion, ventral ramus; and
/// the part in the frame of the next vertebra below. The two lists follow each other.
pub(crate) struct RootCourse {
    pub sleeve: Vec<P>,
    pub ganglion: [P; 2],
    pub ramus_upper: Vec<P>,
    pub ramus_lower: Vec<P>,
}

/// The root that leaves below a vertebra.
pub(crate) fn root(
    upper: &Vertebra,
    lower: Option<&Vertebra>,
    left: bool,
    ganglion_length: f64,
    radius: f64,
) -> RootCourse {
    let shape = &upper.shape;
    let side = if left { &shape.left } else { &shape.right };
    let (half_canal, back_wall) = (0.5 * shape.middle.canal_width, shape.back_wall());
    let below = side.pedicle_z - 0.5 * side.pedicle_height - radius - 0.8;
    let sleeve = vec![
        [0.6 * half_canal, back_wall + 7.5, side.pedicle_z + 10.0],
        [0.75 * half_canal, back_wall + 6.5, side.pedicle_z],
        [half_canal, back_wall + 5.4, below + 1.5],
    ];
    let middle = [half_canal + 0.5 * side.pedicle_width, back_wall + 3.8, below - 3.0];
    let way = unit([0.55, -0.22, -0.8]);
    let ganglion = [
        sub(middle, scale(way, 0.5 * ganglion_length)),
        add(middle, scale(way, 0.5 * ganglion_length)),
    ];
    let ramus_upper = vec![ganglion[1], add(ganglion[1], scale(unit([0.65, -0.35, -0.7]), 5.0))];
    let ramus_lower = match lower.map(|v| (v.kind, &v.shape)) {
        Some((Kind::Lumbar, next)) => {
            let (edge, wall, top) = (next.middle.top_half_width, next.back_wall(), 0.5 * next.height());
            vec![
                [edge + 1.5, wall - 1.0, top + 4.0],
                [edge + 6.5, wall - 4.5, top - 6.0],
                [edge + 10.5, wall - 8.5, top - 18.0],
                [edge + 13.0, wall - 13.0, top - 36.0],
            ]
        }
        // Over the front of the ala.
        Some((Kind::Sacral, _)) => vec![
            [30.0, -2.0, 14.0],
            [37.0, -6.0, 2.0],
            [40.0, -9.0, -12.0],
            [40.0, -8.0, -28.0],
        ],
        None => vec![],
    };
    RootCourse {
        sleeve,
        ganglion,
        ramus_upper,
        ramus_lower,
    }
}
