//! Exact paths of rays through solids: metal is never cut into voxels.

use neurotome_base::{PatientPoint, Vec3};

use super::View;

/// A convex solid, mm, in the patient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// A cylinder with flat ends.
    Cylinder {
        /// Middle of one end.
        from: Vec3,
        /// Middle of the other.
        to: Vec3,
        /// Radius.
        radius_mm: f64,
    },
    /// All points nearer than the radius to a segment: a rod with half a ball at each end, or a ball.
    Capsule {
        /// One end of the segment.
        from: Vec3,
        /// The other.
        to: Vec3,
        /// Radius.
        radius_mm: f64,
    },
    /// A cone, or part of one, with flat ends.
    Cone {
        /// Middle of one end.
        from: Vec3,
        /// Middle of the other.
        to: Vec3,
        /// Radii of the two ends.
        radius_mm: [f64; 2],
    },
    /// An ellipsoid along the patient's axes.
    Ellipsoid {
        /// Centre.
        center: Vec3,
        /// Half axes along x, y, z.
        half_mm: [f64; 3],
    },
}

/// A solid of one material, cut by at most one plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Its shape.
    pub shape: Shape,
    /// Only what lies behind this plane (point, outward normal) is there.
    pub cut: Option<(Vec3, Vec3)>,
    /// Index of its material; none: a hollow.
    pub material: Option<usize>,
}

/// Where a ray is within a solid, in mm from its origin; the direction is a unit vector.
type Interval = [f64; 2];

/// The roots of `a t² + 2 b t + c`, ascending.
fn roots(a: f64, b: f64, c: f64) -> Option<Interval> {
    let d = b * b - a * c;
    if !(d > 0.0 && a > 0.0) {
        return None;
    }
    let root = d.sqrt();
    // The larger of the two in size first, so that the other is a quotient and no difference.
    let q = if b > 0.0 { -b - root } else { root - b };
    let (t0, t1) = (q / a, c / q);
    Some([t0.min(t1), t0.max(t1)])
}

fn meet(a: Interval, b: Interval) -> Option<Interval> {
    let both = [a[0].max(b[0]), a[1].min(b[1])];
    (both[0] < both[1]).then_some(both)
}

/// Where `at + speed t` lies between two values.
fn slab(at: f64, speed: f64, low: f64, high: f64) -> Option<Interval> {
    if speed == 0.0 {
        return (low <= at && at <= high).then_some([f64::NEG_INFINITY, f64::INFINITY]);
    }
    let (t0, t1) = ((low - at) / speed, (high - at) / speed);
    Some([t0.min(t1), t0.max(t1)])
}

fn ball(origin: &Vec3, direction: &Vec3, center: &Vec3, radius: f64) -> Option<Interval> {
    let o = origin - center;
    roots(1.0, o.dot(direction), o.norm_squared() - radius * radius)
}

impl Shape {
    /// Where a ray (unit direction) runs inside.
    pub fn crossing(&self, origin: &Vec3, direction: &Vec3) -> Option<[f64; 2]> {
        match *self {
            Shape::Ellipsoid { center, half_mm } => {
                let half = Vec3::from(half_mm);
                let (o, d) = ((origin - center).component_div(&half), direction.component_div(&half));
                roots(d.norm_squared(), o.dot(&d), o.norm_squared() - 1.0)
            }
            Shape::Cylinder { from, to, radius_mm } => round(origin, direction, &from, &to, [radius_mm; 2]),
            Shape::Cone { from, to, radius_mm } => round(origin, direction, &from, &to, radius_mm),
            Shape::Capsule { from, to, radius_mm } => [
                round(origin, direction, &from, &to, [radius_mm; 2]),
                ball(origin, direction, &from, radius_mm),
                ball(origin, direction, &to, radius_mm),
            ]
            .into_iter()
            .flatten()
            .reduce(|a, b| [a[0].min(b[0]), a[1].max(b[1])]),
        }
    }

    /// A capsule that holds it: ends and radius.
    fn hull(&self) -> (Vec3, Vec3, f64) {
        match *self {
            Shape::Cylinder { from, to, radius_mm } | Shape::Capsule { from, to, radius_mm } => (from, to, radius_mm),
            Shape::Cone { from, to, radius_mm } => (from, to, radius_mm[0].max(radius_mm[1])),
            Shape::Ellipsoid { center, half_mm } => (center, center, half_mm.into_iter().fold(0.0, f64::max)),
        }
    }
}

/// Crossing of a solid of revolution whose radius grows evenly between its flat ends.
fn round(origin: &Vec3, direction: &Vec3, from: &Vec3, to: &Vec3, radius: [f64; 2]) -> Option<Interval> {
    let axis = to - from;
    let length = axis.norm();
    if length.is_nan() || length <= 0.0 {
        return None;
    }
    let axis = axis / length;
    let o = origin - from;
    let (along, speed) = (o.dot(&axis), direction.dot(&axis));
    let (across, drift) = (o - axis * along, direction - axis * speed);
    let ends = slab(along, speed, 0.0, length)?;
    let slope = (radius[1] - radius[0]) / length;
    // |across + drift t|² = (r₀ + slope (along + speed t))²
    let (r, dr) = (radius[0] + slope * along, slope * speed);
    let (a, b, c) = (
        drift.norm_squared() - dr * dr,
        across.dot(&drift) - r * dr,
        across.norm_squared() - r * r,
    );
    if a > 1e-14 {
        return roots(a, b, c).and_then(|t| meet(t, ends));
    }
    if a > -1e-14 && b.abs() <= 1e-12 {
        // Along the axis: inside all the way or not at all.
        return (c <= 0.0).then_some(ends);
    }
    // Steeper than the cone: the solid is convex, so that inside between its ends the surface is met at most once.
    let value = |t: f64| a * t * t + 2.0 * b * t + c;
    let (start, end) = (value(ends[0]) <= 0.0, value(ends[1]) <= 0.0);
    let root = || {
        let d = (b * b - a * c).max(0.0).sqrt();
        let q = if b > 0.0 { -b - d } else { d - b };
        let pair = if a == 0.0 { [c / q, c / q] } else { [q / a, c / q] };
        pair.into_iter().find(|t| ends[0] <= *t && *t <= ends[1])
    };
    match (start, end) {
        (true, true) => Some(ends),
        (true, false) => root().and_then(|t| meet([ends[0], t], ends)),
        (false, true) => root().and_then(|t| meet([t, ends[1]], ends)),
        (false, false) => None,
    }
}

impl Part {
    /// A whole solid.
    pub fn solid(shape: Shape, material: usize) -> Self {
        Self {
            shape,
            cut: None,
            material: Some(material),
        }
    }

    /// Where a ray (unit direction) runs inside.
    pub fn crossing(&self, origin: &Vec3, direction: &Vec3) -> Option<[f64; 2]> {
        let whole = self.shape.crossing(origin, direction)?;
        let Some((point, normal)) = self.cut else {
            return Some(whole);
        };
        let (at, speed) = ((origin - point).dot(&normal), direction.dot(&normal));
        let behind = match speed {
            s if s > 0.0 => [f64::NEG_INFINITY, -at / s],
            s if s < 0.0 => [-at / s, f64::INFINITY],
            _ if at <= 0.0 => return Some(whole),
            _ => return None,
        };
        meet(whole, behind)
    }
}

/// Longest list of parts that a single ray can meet.
const MOST_MET: usize = 64;

/// Path through each material along a ray, mm. Where parts overlap the last in the list is there: a cannula is a rod of steel and
/// then its hollow, and a stylet in the hollow comes after both.
pub fn paths_mm<const M: usize>(parts: &[Part], origin: &Vec3, direction: &Vec3) -> [f64; M] {
    let all: Vec<usize> = (0..parts.len()).collect();
    paths_of(parts, &all, origin, direction)
}

fn paths_of<const M: usize>(parts: &[Part], which: &[usize], origin: &Vec3, direction: &Vec3) -> [f64; M] {
    let mut met = [([0.0f64; 2], 0usize); MOST_MET];
    let mut count = 0;
    for n in which {
        if let Some(interval) = parts[*n].crossing(origin, direction)
            && count < MOST_MET
        {
            met[count] = (interval, *n);
            count += 1;
        }
    }
    let mut sum = [0.0; M];
    let met = &met[..count];
    if let [([t0, t1], n)] = met {
        if let Some(m) = parts[*n].material {
            sum[m] = t1 - t0;
        }
        return sum;
    }
    let mut ends = [0.0f64; 2 * MOST_MET];
    for (k, ([t0, t1], _)) in met.iter().enumerate() {
        ends[2 * k] = *t0;
        ends[2 * k + 1] = *t1;
    }
    let ends = &mut ends[..2 * count];
    ends.sort_unstable_by(f64::total_cmp);
    for w in ends.windows(2) {
        let middle = 0.5 * (w[0] + w[1]);
        let top = met.iter().rev().find(|([t0, t1], _)| *t0 <= middle && middle <= *t1);
        if let Some((_, n)) = top
            && let Some(m) = parts[*n].material
        {
            sum[m] += w[1] - w[0];
        }
    }
    sum
}

/// A pixel that parts shade, with the path through each material at each place sampled in it, mm.
#[derive(Debug, Clone, PartialEq)]
pub struct Shaded<const M: usize> {
    /// Index of the pixel in the image.
    pub pixel: usize,
    /// Paths at `samples²` places spread evenly over the pixel, rows first.
    pub paths_mm: Vec<[f32; M]>,
}

/// The pixels that parts shade, in the order of the image.
///
/// With one sample a side the path is that through the middle of the pixel, exact to rounding; more samples show how the edge of the
/// metal runs through the pixel.
pub fn shade<const M: usize>(parts: &[Part], view: &View, samples: usize) -> Vec<Shaded<M>> {
    let samples = samples.max(1);
    let mut shaded = Vec::new();
    let strips: Vec<Strip> = parts.iter().map(|p| Strip::new(&p.shape, view)).collect();
    let mut which = Vec::new();
    for row in 0..view.rows {
        let ranges: Vec<Option<[usize; 2]>> = strips.iter().map(|s| s.columns(row, view.columns)).collect();
        let first = ranges.iter().flatten().map(|r| r[0]).min();
        let last = ranges.iter().flatten().map(|r| r[1]).max();
        let (Some(first), Some(last)) = (first, last) else {
            continue;
        };
        for column in first..=last {
            which.clear();
            which.extend(
                ranges
                    .iter()
                    .enumerate()
                    .filter(|(_, r)| r.is_some_and(|r| r[0] <= column && column <= r[1]))
                    .map(|(n, _)| n),
            );
            if which.is_empty() {
                continue;
            }
            let mut hit = false;
            let mut paths = Vec::with_capacity(samples * samples);
            for n in 0..samples * samples {
                let place = |k: usize| (k as f64 + 0.5) / samples as f64 - 0.5;
                let (c, r) = (column as f64 + place(n % samples), row as f64 + place(n / samples));
                let sum = paths_of::<M>(parts, &which, &view.source_mm, &view.direction(c, r));
                hit |= sum.iter().any(|v| *v > 0.0);
                paths.push(sum.map(|v| v as f32));
            }
            if hit {
                shaded.push(Shaded {
                    pixel: column + view.columns * row,
                    paths_mm: paths,
                });
            }
        }
    }
    shaded
}

/// The strip of the picture that a part may shade.
struct Strip {
    ends: Option<[[f64; 2]; 2]>,
    reach: f64,
}

impl Strip {
    fn new(shape: &Shape, view: &View) -> Self {
        let (from, to, radius) = shape.hull();
        let seen = |p: Vec3| view.project(&PatientPoint::from_vec(p));
        let pixel = view.column_step_mm.norm().min(view.row_step_mm.norm());
        // The nearest point to the source is magnified most.
        let near = neurotome_base::geometry::distance_to_segment(&view.source_mm, &from, &to).0 - radius;
        let far = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
            .map(|[c, r]| {
                let p = view.pixel_mm(c * (view.columns as f64 - 1.0), r * (view.rows as f64 - 1.0));
                (p - view.source_mm).norm()
            })
            .into_iter()
            .fold(0.0, f64::max);
        let ends = match (seen(from), seen(to)) {
            (Some(a), Some(b)) if near > 0.0 => Some([a, b]),
            _ => None,
        };
        // Slanted rays stretch a ball's shadow; a tenth more than straight on covers a C-arm's cone.
        Self {
            ends,
            reach: 1.1 * radius * far / near.max(1e-3) / pixel + 1.5,
        }
    }

    /// First and last column in a row.
    fn columns(&self, row: usize, columns: usize) -> Option<[usize; 2]> {
        let Some([a, b]) = self.ends else {
            // Level with the source or behind: no telling, take the row.
            return Some([0, columns - 1]);
        };
        let row = row as f64;
        let (low, high) = (a[1].min(b[1]) - self.reach, a[1].max(b[1]) + self.reach);
        if row < low || row > high {
            return None;
        }
        // The part of the axis within reach of the row.
        let span = b[1] - a[1];
        let at = |r: f64| {
            if span.abs() < 1e-9 {
                None
            } else {
                Some(((r - a[1]) / span).clamp(0.0, 1.0))
            }
        };
        let column = |t: f64| a[0] + t * (b[0] - a[0]);
        let (x0, x1) = match (at(row - self.reach), at(row + self.reach)) {
            (Some(t0), Some(t1)) => (column(t0), column(t1)),
            _ => (a[0], b[0]),
        };
        let first = (x0.min(x1) - self.reach).floor().max(0.0);
        let last = (x0.max(x1) + self.reach).ceil().min(columns as f64 - 1.0);
        (first <= last).then_some([first as usize, last as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(part: Part, origin: Vec3, direction: Vec3) -> f64 {
        paths_mm::<1>(&[part], &origin, &direction.normalize())[0]
    }

    #[test]
    fn chords_are_those_of_geometry() {
        let (from, to) = (Vec3::new(0.0, 0.0, -10.0), Vec3::new(0.0, 0.0, 10.0));
        let rod = Part::solid(
            Shape::Cylinder {
                from,
                to,
                radius_mm: 2.0,
            },
            0,
        );
        let x = Vec3::x();
        assert!((path(rod, Vec3::new(-100.0, 0.0, 0.0), x) - 4.0).abs() < 1e-12);
        assert!((path(rod, Vec3::new(-100.0, 1.0, 0.0), x) - 2.0 * 3f64.sqrt()).abs() < 1e-12);
        assert_eq!(path(rod, Vec3::new(-100.0, 0.0, 10.5), x), 0.0);
        assert!((path(rod, Vec3::new(0.5, 0.5, -100.0), Vec3::z()) - 20.0).abs() < 1e-12);
        // Slanted by 30°: 4 / cos 30°.
        let slanted = path(
            rod,
            Vec3::new(-100.0 * 3f64.sqrt(), 0.0, -100.0),
            Vec3::new(3f64.sqrt(), 0.0, 1.0),
        );
        assert!((slanted - 4.0 / (3f64.sqrt() / 2.0)).abs() < 1e-10, "{slanted}");
        let capsule = Part::solid(
            Shape::Capsule {
                from,
                to,
                radius_mm: 2.0,
            },
            0,
        );
        assert!((path(capsule, Vec3::new(0.0, 0.0, -100.0), Vec3::z()) - 24.0).abs() < 1e-12);
        assert!((path(capsule, Vec3::new(-100.0, 0.0, 11.0), x) - 2.0 * 3f64.sqrt()).abs() < 1e-12);
        // A cone of 45°: across at half its height twice the radius there, along its axis its height.
        let cone = Part::solid(
            Shape::Cone {
                from,
                to: from + Vec3::z() * 4.0,
                radius_mm: [0.0, 4.0],
            },
            0,
        );
        assert!((path(cone, Vec3::new(-100.0, 0.0, -8.0), x) - 4.0).abs() < 1e-12);
        assert!((path(cone, Vec3::new(1.0, 0.0, -100.0), Vec3::z()) - 3.0).abs() < 1e-12);
        assert!((path(cone, Vec3::new(0.0, 0.0, 100.0), -Vec3::z()) - 4.0).abs() < 1e-12);
        // Steeper than the surface and slanted: compared with a fine sum.
        let (origin, d) = (Vec3::new(1.3, 0.2, -100.0), Vec3::new(-0.01, 0.004, 1.0).normalize());
        let inside = |t: f64| {
            let p = origin + d * t - from;
            p.z >= 0.0 && p.z <= 4.0 && p.xy().norm() <= p.z
        };
        let sum = (0..400_000).filter(|n| inside(85.0 + f64::from(*n) * 5e-5)).count() as f64 * 5e-5;
        assert!(
            (path(cone, origin, d) - sum).abs() < 2e-4,
            "{} {sum}",
            path(cone, origin, d)
        );
        let ellipsoid = Part::solid(
            Shape::Ellipsoid {
                center: from,
                half_mm: [3.0, 4.0, 5.0],
            },
            0,
        );
        assert!((path(ellipsoid, from - x * 50.0, x) - 6.0).abs() < 1e-12);
    }

    #[test]
    fn the_last_part_is_there_and_hollows_are_empty() {
        let (from, to) = (Vec3::new(0.0, 0.0, -10.0), Vec3::new(0.0, 0.0, 10.0));
        let rod = |radius_mm| Shape::Cylinder { from, to, radius_mm };
        let hollow = Part {
            material: None,
            ..Part::solid(rod(1.0), 0)
        };
        let parts = [Part::solid(rod(2.0), 0), hollow, Part::solid(rod(0.5), 1)];
        let sum = paths_mm::<2>(&parts, &Vec3::new(-100.0, 0.0, 0.0), &Vec3::x());
        assert!((sum[0] - 2.0).abs() < 1e-12 && (sum[1] - 1.0).abs() < 1e-12, "{sum:?}");
    }

    #[test]
    fn a_cut_takes_what_lies_before_it() {
        let (from, to) = (Vec3::new(0.0, 0.0, -10.0), Vec3::new(0.0, 0.0, 10.0));
        let normal = Vec3::new(1.0, 0.0, 1.0).normalize();
        let part = Part {
            cut: Some((Vec3::zeros(), normal)),
            ..Part::solid(
                Shape::Cylinder {
                    from,
                    to,
                    radius_mm: 2.0,
                },
                0,
            )
        };
        assert!((path(part, Vec3::new(0.5, 0.0, -100.0), Vec3::z()) - 9.5).abs() < 1e-12);
        assert!((path(part, Vec3::new(100.0, 0.0, 1.0), -Vec3::x()) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn shading_meets_every_ray_that_hits() {
        let view = View {
            source_mm: Vec3::new(0.0, -650.0, 0.0),
            first_mm: Vec3::new(60.0, 350.0, 40.0),
            column_step_mm: Vec3::new(-1.0, 0.1, 0.0),
            row_step_mm: Vec3::new(0.0, 0.0, -1.0),
            columns: 120,
            rows: 80,
        };
        let parts = [
            Part::solid(
                Shape::Capsule {
                    from: Vec3::new(-20.0, 5.0, 3.0),
                    to: Vec3::new(25.0, -60.0, 21.0),
                    radius_mm: 0.7,
                },
                0,
            ),
            Part::solid(
                Shape::Ellipsoid {
                    center: Vec3::new(-20.0, 5.0, -20.0),
                    half_mm: [6.0, 3.0, 2.0],
                },
                0,
            ),
            Part::solid(
                Shape::Cylinder {
                    from: Vec3::new(0.0, 0.0, -60.0),
                    to: Vec3::new(0.0, 10.0, 60.0),
                    radius_mm: 0.4,
                },
                0,
            ),
        ];
        let shaded = shade::<1>(&parts, &view, 1);
        let mut next = shaded.iter().peekable();
        for n in 0..view.columns * view.rows {
            let d = view.direction((n % view.columns) as f64, (n / view.columns) as f64);
            let exact = paths_mm::<1>(&parts, &view.source_mm, &d)[0];
            let found = next.next_if(|s| s.pixel == n).map_or(0.0, |s| s.paths_mm[0][0]);
            assert!(
                (f64::from(found) - exact).abs() < 1e-6 * (1.0 + exact),
                "pixel {n}: {found} {exact}"
            );
        }
    }
}
