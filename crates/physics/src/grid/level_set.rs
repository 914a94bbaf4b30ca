//! The region where a cell field is at least zero: its surface, extent and volume.

use neurotome_base::Vec3;

use super::{CellField, Grid, Interpolator, Place, Shells};

/// A region `f ≥ 0`.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelSet {
    /// Points on its surface, where the lattice of the grid crosses it.
    pub surface: Vec<Vec3>,
    /// Volume of tissue inside, m³.
    pub volume: f64,
}

impl LevelSet {
    /// Finds the region; none when it is empty.
    pub fn new(interpolator: &Interpolator, field: &CellField) -> Option<Self> {
        let sides = sides(interpolator, field);
        let (surface, cut) = crossings(interpolator, field, &sides);
        let volume = volume(interpolator, field, &sides, &cut);
        if surface.is_empty() && volume <= 0.0 {
            None
        } else {
            Some(Self { surface, volume })
        }
    }

    /// Its surface alone, which is quicker: points where the lattice of the grid crosses it.
    pub fn surface(interpolator: &Interpolator, field: &CellField) -> Vec<Vec3> {
        crossings(interpolator, field, &sides(interpolator, field)).0
    }

    /// Largest reach of the region along the unit vector `direction`, as `direction · p` in metres; none without a surface.
    pub fn extent(&self, interpolator: &Interpolator, field: &CellField, direction: &Vec3) -> Option<f64> {
        let mut best = *self
            .surface
            .iter()
            .max_by(|a, b| direction.dot(a).total_cmp(&direction.dot(b)))?;
        let value = |p: &Vec3| -> Option<f64> {
            match interpolator.locate(p)? {
                Place::Metal { .. } => None,
                place => Some(interpolator.at(&place, p, field)),
            }
        };
        // The lattice samples the surface; climb from its best point along the surface.
        let mut step = 0.3e-3;
        'climb: while step > 0.01e-3 {
            if let Some((_, g)) = value_and_gradient(&value, &best) {
                let n = g / g.norm().max(1e-30);
                let tangent = direction - n * direction.dot(&n);
                if tangent.norm() > 1e-3 {
                    let mut p = best + tangent.normalize() * step;
                    for _ in 0..3 {
                        let Some((f, g)) = value_and_gradient(&value, &p) else {
                            step *= 0.5;
                            continue 'climb;
                        };
                        let move_by = g * (-f / g.norm_squared().max(1e-30));
                        if move_by.norm() > step {
                            step *= 0.5;
                            continue 'climb;
                        }
                        p += move_by;
                    }
                    if direction.dot(&p) > direction.dot(&best) + 1e-9 {
                        best = p;
                        continue;
                    }
                }
            }
            step *= 0.5;
        }
        Some(direction.dot(&best))
    }
}

/// On which side of the level the points of shells lie.
struct Sides {
    around: usize,
    meridian: usize,
    /// [`Sides::WITHIN`], [`Sides::WITHOUT`], or [`Sides::NONE`] where there is no point; by shells, the metal's surface first.
    side: Vec<u8>,
    /// Whether a column has a point within.
    reached: Vec<bool>,
}

impl Sides {
    const WITHOUT: u8 = 0;
    const WITHIN: u8 = 1;
    const NONE: u8 = 2;

    fn new(interpolator: &Interpolator, s: &Shells, field: &CellField) -> Self {
        let (around, meridian) = (s.around, s.meridian());
        let at = lattice_value(interpolator, s, field);
        let mut side = Vec::with_capacity((s.shells() + 1) * meridian * around);
        let mut reached = vec![false; meridian * around];
        for k in 0..=s.shells() {
            for t in 0..meridian {
                for q in 0..around {
                    let height = s.height(t, q);
                    // Of shorter columns nobody asks.
                    side.push(if k > height || height + 1 < LEAST_COLUMN {
                        Self::NONE
                    } else if at(k, t, q) >= 0.0 {
                        reached[t * around + q] = true;
                        Self::WITHIN
                    } else {
                        Self::WITHOUT
                    });
                }
            }
        }
        Self {
            around,
            meridian,
            side,
            reached,
        }
    }

    fn at(&self, k: usize, t: usize, q: usize) -> u8 {
        let q = if q == self.around { 0 } else { q };
        self.side[(k * self.meridian + t) * self.around + q]
    }

    /// Whether the level passes between two points that there are.
    fn part(one: u8, other: u8) -> bool {
        one + other == Self::WITHIN + Self::WITHOUT
    }
}

/// The sides of all shells.
fn sides(interpolator: &Interpolator, field: &CellField) -> Vec<Sides> {
    let shells = interpolator.grid().shells.iter();
    shells.map(|s| Sides::new(interpolator, s, field)).collect()
}

/// The field at the points of shells, the metal's surface counting as the first.
fn lattice_value<'a>(
    interpolator: &'a Interpolator,
    s: &'a Shells,
    field: &'a CellField<'_>,
) -> impl Fn(usize, usize, usize) -> f64 + 'a {
    move |k, t, q| {
        if k == 0 {
            interpolator.surface(s, t, q, field)
        } else {
            field.tissue[s.cell(k - 1, t, q) as usize]
        }
    }
}

/// Whether a cell lies within columns along which values are taken as a curve.
fn in_column(grid: &Grid, cell: u32) -> bool {
    grid.shells_of(cell).is_some_and(|s| {
        let (_, t, q) = s.index(cell);
        s.is_exact(cell) && s.height(t, q) >= LEAST_COLUMN
    })
}

/// Points on the surface, and the cells that it cuts.
fn crossings(interpolator: &Interpolator, field: &CellField, sides: &[Sides]) -> (Vec<Vec3>, Vec<bool>) {
    let grid = interpolator.grid();
    let f = field.tissue;
    let mut surface = Vec::new();
    for (s, sides) in grid.shells.iter().zip(sides) {
        shell_surface(interpolator, s, field, sides, &mut surface);
    }
    let mut cut = vec![false; grid.tissue_cells];
    let inside: Vec<bool> = f[..grid.tissue_cells].iter().map(|v| *v >= 0.0).collect();
    for a in (0..grid.tissue_cells).filter(|a| inside[*a]) {
        for &neighbour in grid.neighbours_of(a) {
            let b = neighbour as usize;
            if inside[b] {
                continue;
            }
            (cut[a], cut[b]) = (true, true);
            if in_column(grid, a as u32) || in_column(grid, neighbour) {
                continue;
            }
            let way = grid.center[b] - grid.center[a];
            let (da, db) = (
                interpolator.gradient(a as u32, f).dot(&way),
                interpolator.gradient(neighbour, f).dot(&way),
            );
            surface.push(grid.center[a] + way * hermite_root(f[a], f[b], da, db));
        }
    }
    (surface, cut)
}

/// Volume of tissue inside, m³.
fn volume(interpolator: &Interpolator, field: &CellField, sides: &[Sides], cut: &[bool]) -> f64 {
    let grid = interpolator.grid();
    let f = field.tissue;
    let mut volume = 0.0;
    for (s, sides) in grid.shells.iter().zip(sides) {
        volume += shell_volume(interpolator, s, field, sides);
    }
    // A neighbour of a cut cell can hold a corner of the region.
    let mut near = cut.to_vec();
    for (i, _) in cut.iter().enumerate().filter(|(_, cut)| **cut) {
        for &neighbour in grid.neighbours_of(i) {
            near[neighbour as usize] = true;
        }
    }
    for i in 0..grid.tissue_cells as u32 {
        let at = i as usize;
        if !near[at] && f[at] < 0.0 || in_column(grid, i) {
            continue;
        }
        if near[at] {
            let g = interpolator.gradient(i, f);
            let middle = f[at] + g.dot(&(grid.centroid[at] - grid.center[at]));
            volume += grid.volume[at] * box_fraction(&grid.spans(i).map(|span| g.dot(&span)), middle);
        } else {
            volume += grid.volume[at];
        }
    }
    volume
}

fn value_and_gradient(value: &impl Fn(&Vec3) -> Option<f64>, p: &Vec3) -> Option<(f64, Vec3)> {
    const H: f64 = 0.03e-3;
    let mut g = Vec3::zeros();
    for a in 0..3 {
        let mut d = Vec3::zeros();
        d[a] = H;
        g[a] = (value(&(p + d))? - value(&(p - d))?) / (2.0 * H);
    }
    Some((value(p)?, g))
}

/// A place between two points is found to this part of their distance,
const CLOSE: f64 = 1e-9;
/// in at most this many tries; some six are usual.
const MOST_TRIES: usize = 60;
/// Fewest shells of a column along which values are taken as a curve.
const LEAST_COLUMN: usize = 3;

/// Crossings along the three families of lattice lines within the shells, the metal's surface included.
fn shell_surface(interpolator: &Interpolator, s: &Shells, field: &CellField, sides: &Sides, out: &mut Vec<Vec3>) {
    let (n, m) = (s.shells(), s.meridian());
    let at = lattice_value(interpolator, s, field);
    let radius = |k: usize| if k == 0 { s.radius[0] } else { s.shell_center(k - 1) };
    for t in 0..m {
        for q in 0..s.around_at(t) {
            let n = s.height(t, q);
            if n < LEAST_COLUMN {
                continue;
            }
            let radius = |k: usize| {
                if k == 0 {
                    s.radius[0]
                } else {
                    s.point_radius(k - 1, t, q)
                }
            };
            for k in (0..n).filter(|&k| Sides::part(sides.at(k, t, q), sides.at(k + 1, t, q))) {
                let r = line_root(0..n + 1, k, &radius, &|k| at(k, t, q));
                out.push(s.place(r, t, s.angle(q)));
            }
        }
    }
    for k in 0..=n {
        let r = radius(k);
        let half_turn = r * std::f64::consts::FRAC_PI_2;
        let length = |t: usize| {
            if s.is_round(t) {
                r * s.polar_center(t)
            } else {
                half_turn + s.along_center(t)
            }
        };
        let has = |t: usize, q: usize| s.on_lattice(t, q) >= k.max(LEAST_COLUMN - 1);
        for q in 0..s.around {
            for t in 0..m - 1 {
                // Elsewhere the faces tell.
                let here = sides.at(k, t, q);
                if Sides::part(here, sides.at(k, t + 1, q)) && t >= s.first_on_lattice() && has(t, q) && has(t + 1, q) {
                    let below = (s.first_on_lattice()..t)
                        .rev()
                        .take(2)
                        .take_while(|&u| has(u, q))
                        .count();
                    let above = (t + 2..m).take(2).take_while(|&u| has(u, q)).count();
                    let x = line_root(t - below..t + 2 + above, t, &length, &|t| at(k, t, q));
                    out.push(if x < half_turn && s.first_on_lattice() == 0 {
                        s.polar_place(r, x / r, s.angle(q))
                    } else {
                        let (c, _, e1, e2) = s.axis.at(x - half_turn);
                        c + (e1 * s.angle(q).cos() + e2 * s.angle(q).sin()) * r
                    });
                }
                if Sides::part(here, sides.at(k, t, q + 1))
                    && t > 0
                    && t >= s.first_on_lattice()
                    && has(t, q)
                    && has(t, q + 1)
                {
                    let (f, g) = (at(k, t, q), at(k, t, q + 1));
                    out.push(s.place(r, t, s.angle(q) + f / (f - g) * std::f64::consts::TAU / s.around as f64));
                }
            }
        }
    }
}

/// Volume within the cells of the lattice; Voronoi cells are counted elsewhere.
fn shell_volume(interpolator: &Interpolator, s: &Shells, field: &CellField, sides: &Sides) -> f64 {
    let mut volume = 0.0;
    let value = lattice_value(interpolator, s, field);
    for t in 0..s.meridian() {
        for q in 0..s.around_at(t) {
            let n = s.height(t, q);
            if n < LEAST_COLUMN || !sides.reached[t * sides.around + q] {
                continue;
            }
            let radius = |k: usize| {
                if k == 0 {
                    s.radius[0]
                } else {
                    s.point_radius(k - 1, t, q)
                }
            };
            let at = |k: usize| value(k, t, q);
            let inside: Vec<bool> = (0..=n).map(|k| sides.at(k, t, q) == Sides::WITHIN).collect();
            for j in (0..n - 1).filter(|&j| s.is_exact(s.cell(j, t, q))) {
                // Far from the surface the whole cell lies on one side.
                let near = &inside[j.saturating_sub(1)..=(j + 3).min(n)];
                if near.iter().all(|i| *i == near[0]) {
                    if near[0] {
                        volume += s.volume(j, t, q);
                    }
                    continue;
                }
                // The cell from face to face: the values at its faces, cubic along the line on either side of the cell's point.
                let (r1, r2) = (s.radius[j], s.radius[j + 1]);
                let piece = |k: usize| {
                    let first = k.saturating_sub(1).min(n - 3);
                    Cubic::through(std::array::from_fn(|i| (radius(first + i), at(first + i))))
                };
                let (below, above, point) = (piece(j), piece(j + 1), radius(j + 1));
                let f = |r: f64| if r <= point { below.at(r) } else { above.at(r) };
                let (f1, f2) = (f(r1), f(r2));
                if f1 >= 0.0 && f2 >= 0.0 {
                    volume += s.volume(j, t, q);
                } else if (f1 >= 0.0) != (f2 >= 0.0) {
                    let part = s.part_volume(t, q, r1, root((r1, f1), (r2, f2), f));
                    volume += if f1 >= 0.0 { part } else { s.volume(j, t, q) - part };
                }
            }
        }
    }
    volume
}

/// Where the curve through up to four nodes of `nodes` round `k` changes sign between `k` and `k + 1`: a cubic, or straight where
/// there are fewer.
fn line_root(
    nodes: std::ops::Range<usize>,
    k: usize,
    position: &impl Fn(usize) -> f64,
    value: &impl Fn(usize) -> f64,
) -> f64 {
    let (a, b) = (position(k), position(k + 1));
    let (f, g) = (value(k), value(k + 1));
    if nodes.len() < 4 {
        return a + (b - a) * f / (f - g);
    }
    let k0 = k.saturating_sub(1).clamp(nodes.start, nodes.end - 4);
    let curve = Cubic::through(std::array::from_fn(|i| (position(k0 + i), value(k0 + i))));
    root((a, f), (b, g), |x| curve.at(x))
}

/// Where `f` changes sign between `a`, where it is `fa`, and `b`, where it is `fb`: false position, with the value at an end that stays
/// halved (Dowell and Jarratt 1971, the Illinois rule).
fn root((mut a, mut fa): (f64, f64), (mut b, mut fb): (f64, f64), f: impl Fn(f64) -> f64) -> f64 {
    let close = CLOSE * (b - a).abs();
    let mut last = a;
    let mut stays = 0;
    for _ in 0..MOST_TRIES {
        let x = (a * fb - b * fa) / (fb - fa);
        let fx = f(x);
        if fx == 0.0 || (x - last).abs() < close {
            return x;
        }
        last = x;
        if (fx > 0.0) == (fa > 0.0) {
            (a, fa) = (x, fx);
            if stays == 1 {
                fb *= 0.5;
            }
            stays = 1;
        } else {
            (b, fb) = (x, fx);
            if stays == -1 {
                fa *= 0.5;
            }
            stays = -1;
        }
    }
    last
}

/// The cubic through four nodes, by divided differences.
struct Cubic {
    node: [f64; 3],
    coefficient: [f64; 4],
}

impl Cubic {
    fn through(nodes: [(f64, f64); 4]) -> Self {
        let x = nodes.map(|n| n.0);
        let mut coefficient = nodes.map(|n| n.1);
        for order in 1..4 {
            for i in (order..4).rev() {
                coefficient[i] = (coefficient[i] - coefficient[i - 1]) / (x[i] - x[i - order]);
            }
        }
        Self {
            node: [x[0], x[1], x[2]],
            coefficient,
        }
    }

    fn at(&self, x: f64) -> f64 {
        let [a, b, c, d] = self.coefficient;
        let [u, v, w] = self.node.map(|n| x - n);
        a + u * (b + v * (c + w * d))
    }
}

/// Where the cubic with end values `a`, `b` of opposite sign and end slopes `da`, `db` on 0…1 crosses zero.
fn hermite_root(a: f64, b: f64, da: f64, db: f64) -> f64 {
    let value = |t: f64| {
        let u = 1.0 - t;
        a * u * u * (1.0 + 2.0 * t) + b * t * t * (3.0 - 2.0 * t) + da * t * u * u - db * t * t * u
    };
    root((0.0, a), (1.0, b), value)
}

/// Fraction of a box where `f + g·x ≥ 0`, `x` from the box's centre and `change` the differences of `g·x` along its three
/// sides (Scardovelli and Zaleski 2000).
fn box_fraction(change: &[f64; 3], f: f64) -> f64 {
    let mut m = change.map(f64::abs);
    let sum: f64 = m.iter().sum();
    if sum < 1e-30 {
        return if f >= 0.0 { 1.0 } else { 0.0 };
    }
    for v in &mut m {
        *v /= sum;
    }
    let alpha = (0.5 + f / sum).clamp(0.0, 1.0);
    // Volume below the plane m·x = α in the unit cube, by symmetry for α ≤ ½.
    let below = |alpha: f64| {
        let cube = |v: f64| v.max(0.0).powi(3);
        let floor = m.map(|v| v.max(1e-6));
        let total: f64 = floor.iter().sum();
        let a = alpha * total;
        let [p, q, r] = floor;
        (cube(a) - cube(a - p) - cube(a - q) - cube(a - r) + cube(a - p - q) + cube(a - p - r) + cube(a - q - r)
            - cube(a - p - q - r))
            / (6.0 * p * q * r)
    };
    if alpha <= 0.5 {
        below(alpha).clamp(0.0, 1.0)
    } else {
        (1.0 - below(1.0 - alpha)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn box_fractions() {
        assert!((box_fraction(&[1.0, 0.0, 0.0], 0.25) - 0.75).abs() < 1e-3);
        assert!((box_fraction(&[1.0, -2.0, 3.0], 0.0) - 0.5).abs() < 1e-12);
        // A corner of side 0.3: 0.3³/6.
        let corner = box_fraction(&[1.0, 1.0, 1.0], -(1.5 - 0.3));
        assert!((corner - 0.3f64.powi(3) / 6.0).abs() < 1e-9, "{corner}");
    }

    #[test]
    fn a_cubic_goes_through_its_nodes_and_any_other_cubic_is_itself() {
        let f = |x: f64| 2.0 - x + 3.0 * x * x - 0.5 * x * x * x;
        let curve = Cubic::through([-1.0, 0.3, 1.0, 2.5].map(|x| (x, f(x))));
        for x in [-1.0, 0.0, 0.3, 0.8, 1.0, 2.5, 3.0] {
            assert!((curve.at(x) - f(x)).abs() < 1e-12, "{x}");
        }
    }

    #[test]
    fn roots_are_found_in_few_tries_whichever_end_is_positive() {
        let tries = std::cell::Cell::new(0);
        let f = |x: f64| {
            tries.set(tries.get() + 1);
            x * x * x - 0.2
        };
        let exact = 0.2f64.cbrt();
        assert!((root((0.0, f(0.0)), (1.0, f(1.0)), f) - exact).abs() < 1e-9);
        assert!((root((1.0, f(1.0)), (0.0, f(0.0)), f) - exact).abs() < 1e-9);
        assert!(tries.get() < 30, "{tries:?}");
        // At an end, and where the curve is steep at one end only.
        assert_eq!(root((0.0, 0.0), (1.0, -1.0), |x| -x), 0.0);
        let steep = |x: f64| (1e3 * (x - 0.001)).tanh();
        assert!((root((0.0, steep(0.0)), (1.0, steep(1.0)), steep) - 0.001).abs() < 1e-8);
    }

    #[test]
    fn hermite_finds_the_root_of_a_cubic() {
        // f = (t − 0.3)(t + 1)² has these end values and slopes.
        let f = |t: f64| (t - 0.3) * (t + 1.0) * (t + 1.0);
        let d = |t: f64| (t + 1.0) * (t + 1.0) + 2.0 * (t - 0.3) * (t + 1.0);
        assert!((hermite_root(f(0.0), f(1.0), d(0.0), d(1.0)) - 0.3).abs() < 1e-8);
    }
}
