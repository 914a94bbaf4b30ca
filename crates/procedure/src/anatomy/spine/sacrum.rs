//! The sacrum below and beside its first body, and the ilium, in the frame of the first sacral vertebra (see [`super::shape`]).
//!
//! Proportions of an adult sacrum, about 105 mm wide and high, from plates of given thickness; the foramina and the canal are cut out.

use std::sync::LazyLock;

use super::solid::{Bounds, EightBounds, P, capsule, join, plate};

/// Height of the first sacral body with what joins it to the second, mm.
pub(crate) const BODY_HEIGHT: f64 = 30.0;

/// Half width of the first body's end plate at which all is given, mm; the sacrum is larger or smaller in proportion.
pub(crate) const HALF_WIDTH: f64 = 25.0;

/// A box round the sacrum, x outwards.
pub(crate) const BOUNDS: Bounds = Bounds {
    low: [0.0, -18.0, -92.0],
    high: [62.0, 44.0, 22.0],
};

/// Upper lateral end of the ala.
pub(crate) const ALA: P = [41.0, 13.0, -9.0];

/// Triangles of the plate below the first body, with the half thickness at each corner.
const PLATES: [([P; 3], [f64; 3]); 6] = [
    (
        [[0.0, 5.0, -12.0], [44.0, 13.0, -13.0], [36.0, 15.0, -42.0]],
        [12.0, 10.5, 8.0],
    ),
    (
        [[0.0, 5.0, -12.0], [36.0, 15.0, -42.0], [0.0, 10.0, -46.0]],
        [12.0, 8.0, 9.0],
    ),
    (
        [[0.0, 10.0, -46.0], [36.0, 15.0, -42.0], [15.0, 5.0, -76.0]],
        [9.0, 7.0, 5.0],
    ),
    (
        [[0.0, 10.0, -46.0], [15.0, 5.0, -76.0], [0.0, 2.0, -78.0]],
        [9.0, 5.0, 5.5],
    ),
    // The back wall of the canal.
    (
        [[0.0, 32.0, -12.0], [26.0, 25.0, -12.0], [13.0, 19.0, -54.0]],
        [3.0, 4.0, 3.0],
    ),
    (
        [[0.0, 32.0, -12.0], [13.0, 19.0, -54.0], [0.0, 22.0, -54.0]],
        [3.0, 3.0, 3.0],
    ),
];

/// Fillet between the plates, mm.
const PLATE_FILLET: f64 = 4.0;

/// Rods beside the plates, with the fillet of each.
type Rod = (P, P, [f64; 2], f64);

/// Alae; behind each the root of the articular process; and what joins it to the ala.
const ALAE: [Rod; 3] = [
    ([17.0, 8.0, -3.0], ALA, [13.0, 12.0], 6.0),
    ([22.0, 13.0, -5.0], [25.0, 25.0, -7.0], [10.0, 8.5], 6.0),
    ([26.0, 20.0, -9.0], [42.0, 18.0, -15.0], [10.0, 9.5], 6.0),
];
/// The median crest, an uneven ridge, and a lateral one.
const CRESTS: [Rod; 2] = [
    ([0.0, 36.0, -16.0], [0.0, 24.0, -58.0], [3.0, 2.5], 5.0),
    ([33.0, 21.0, -20.0], [22.0, 13.0, -66.0], [4.5, 3.5], 6.0),
];
/// The canal.
const CANAL: [Rod; 2] = [
    ([0.0, 24.5, 12.0], [0.0, 22.0, -20.0], [8.5, 6.5], 0.0),
    ([0.0, 22.0, -20.0], [0.0, 9.0, -80.0], [6.5, 2.5], 0.0),
];

/// Boxes round the rods, the holes and the plates.
struct Boxes {
    rods_and_holes: EightBounds,
    plates: EightBounds,
}

static BOXES: LazyLock<Boxes> = LazyLock::new(|| {
    let of = |(a, b, [ra, rb], _): &Rod| Bounds::of_balls(&[(*a, *ra), (*b, *rb)]);
    let [a, b, c] = ALAE.each_ref().map(of);
    let [d, e] = CRESTS.each_ref().map(of);
    let canal = CANAL.iter().map(of);
    let foramina = FORAMINA.iter().map(|(a, b, r)| Bounds::of_balls(&[(*a, *r), (*b, *r)]));
    let holes = canal.chain(foramina).fold(Bounds::EMPTY, |all, b| all.and(&b));
    let [f, g, h, i, j, k] = PLATES.map(|(corners, radii)| {
        let balls: [(P, f64); 3] = std::array::from_fn(|n| (corners[n], radii[n]));
        Bounds::of_balls(&balls)
    });
    let none = Bounds::EMPTY;
    Boxes {
        rods_and_holes: EightBounds::new([&a, &b, &c, &d, &e, &holes, &none, &none]),
        plates: EightBounds::new([&f, &g, &h, &i, &j, &k, &none, &none]),
    }
});

/// How far the edges of the holes are rounded, mm.
const HOLE_EDGE: f64 = 1.0;

/// Foramina from front to back: middle lines and radii.
const FORAMINA: [(P, P, f64); 4] = [
    ([19.0, -16.0, -24.0], [19.0, 42.0, -22.0], 4.4),
    ([17.5, -10.0, -40.0], [17.5, 42.0, -38.0], 3.8),
    ([15.5, -6.0, -54.0], [15.5, 42.0, -52.0], 3.2),
    ([13.0, -10.0, -66.0], [13.0, 42.0, -65.0], 2.6),
];

/// Adds alae and the lower sacrum to the level of the first sacral vertebra, and takes foramina and canal out.
pub(crate) fn add(first: f64, p: P) -> f64 {
    let boxes = &*BOXES;
    let (to_rods, to_plates) = (boxes.rods_and_holes.distances(p), boxes.plates.distances(p));
    let mut bone = first;
    // A part farther away than its fillet leaves the level as it is.
    let rods = |mut bone: f64, rods: &[Rod], distances: &[f64]| {
        for ((a, b, [ra, rb], fillet), distance) in rods.iter().zip(distances) {
            if *distance < bone + fillet {
                bone = join(bone, capsule(p, *a, *b, *ra, *rb), *fillet);
            }
        }
        bone
    };
    bone = rods(bone, &ALAE, &to_rods[..3]);
    for ((corners, radii), distance) in PLATES.iter().zip(to_plates) {
        if distance < bone + PLATE_FILLET {
            bone = join(bone, plate(p, *corners, *radii), PLATE_FILLET);
        }
    }
    bone = rods(bone, &CRESTS, &to_rods[3..5]);
    if to_rods[5] > (HOLE_EDGE - bone).max(0.0) {
        return bone;
    }
    let mut cut = f64::INFINITY;
    for (a, b, [ra, rb], _) in &CANAL {
        cut = cut.min(capsule(p, *a, *b, *ra, *rb));
    }
    for (a, b, radius) in &FORAMINA {
        cut = cut.min(capsule(p, *a, *b, *radius, *radius));
    }
    -join(-bone, cut, HOLE_EDGE)
}

/// Triangles of the wing of the ilium with the half thickness at each corner: crest, wing, roof of the acetabulum.
///
/// Given in axes along the body with the origin in the first sacral body, at a sacral slope of 38°.
pub(crate) const CREST: [P; 6] = [
    [40.0, 60.0, -14.0],
    [62.0, 50.0, 18.0],
    [96.0, 24.0, 40.0],
    [120.0, -8.0, 38.0],
    [126.0, -38.0, 18.0],
    [119.0, -66.0, -12.0],
];
const WING: [P; 5] = [
    [52.0, 42.0, -36.0],
    [62.0, 24.0, -14.0],
    [84.0, 2.0, -12.0],
    [104.0, -26.0, -22.0],
    [110.0, -52.0, -36.0],
];
const BASE: [P; 4] = [
    [60.0, 22.0, -54.0],
    [76.0, -6.0, -60.0],
    [90.0, -34.0, -74.0],
    [100.0, -56.0, -60.0],
];
/// Half thickness of the crest, mm.
pub(crate) const CREST_RADIUS: f64 = 6.0;
/// The sacral slope at which the ilium is given.
pub(crate) const ILIUM_SLOPE_DEG: f64 = 38.0;

/// The triangles of one ilium, x outwards.
pub(crate) fn ilium() -> Vec<([P; 3], [f64; 3])> {
    // Half thickness: crest, wing, base.
    strip(&CREST, &WING, CREST_RADIUS, 3.2)
        .into_iter()
        .chain(strip(&WING, &BASE, 3.6, 9.0))
        .collect()
}

/// Triangles between two polylines that run side by side.
fn strip(a: &[P], b: &[P], ra: f64, rb: f64) -> Vec<([P; 3], [f64; 3])> {
    let mut triangles = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i + 1 < a.len() || j + 1 < b.len() {
        let share = |n: usize, of: &[P]| n as f64 / (of.len() - 1) as f64;
        if j + 1 >= b.len() || (i + 1 < a.len() && share(i + 1, a) <= share(j + 1, b)) {
            triangles.push(([a[i], a[i + 1], b[j]], [ra, ra, rb]));
            i += 1;
        } else {
            triangles.push(([a[i], b[j], b[j + 1]], [ra, rb, rb]));
            j += 1;
        }
    }
    triangles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ilium_has_no_gap() {
        let triangles = ilium();
        assert_eq!(triangles.len(), 9 + 7);
        for pair in triangles.windows(2) {
            let shared = pair[0].0.iter().filter(|p| pair[1].0.contains(p)).count();
            assert!(shared == 2 || pair[0].0.contains(&WING[4]), "{pair:?}");
        }
    }

    #[test]
    fn canal_and_foramina_are_open() {
        for p in [[0.0, 23.0, -5.0], [19.0, 0.0, -23.0], [17.5, 5.0, -39.0]] {
            assert!(add(10.0, p) > 0.0, "{p:?}");
        }
        assert!(add(10.0, [40.0, 12.0, -12.0]) < -5.0);
    }
}
