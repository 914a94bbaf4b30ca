//! Smoothed-aggregation algebraic multigrid (Vaněk, Mandel and Brezina 1996), kept in single precision as a preconditioner.
//!
//! The operator is `K + s M` with `M` diagonal and a shift `s`. Transfer operators are made for one shift: where mass dominates,
//! rows have no strong couplings and need no coarse correction, so that hierarchies of short time steps are small. Mass is
//! lumped on every level; another shift near the one they were made for then changes diagonals only.
//!
//! Smoothing is a Chebyshev polynomial of the fourth kind (Lottes 2023) of degree two in the matrix scaled by its absolute row
//! sums, whose spectrum ends at one: symmetric, parallel, and the same bits for any number of threads.

use neurotome_base::parallel::for_blocks;
use wide::f32x8;

use super::{
    Matrix, Sliced,
    aggregation::{aggregate, prolongation, strong_couplings},
    coarsest::Coarsest,
    galerkin::coarse_operator,
    matrix::LANES,
    rows::{Operator, Rows},
};

/// Rows at or below which the coarsest problem is factored.
const COARSEST: usize = 100;
/// Strength of connection on the finest level; halved on each coarser one.
const STRENGTH: f64 = 0.08;
/// Shifts up to this many times smaller, and
const SMALLER: f64 = 3.0;
/// up to this many times larger, use the same transfer operators.
const LARGER: f64 = 10.0;

/// Where shifts go on to fall, a hierarchy is made for one this many times smaller.
const FALLING: f64 = 3.0;

/// Sweeps before and after from the third level on, which cost next to nothing.
const DEEP_SWEEPS: usize = 2;

/// First and second step of the smoother: `d₁ = FIRST S r`, `d₂ = CARRY d₁ + SECOND S r`.
const FIRST: f32 = 4.0 / 3.0;
const SECOND: f32 = 12.0 / 5.0;
const CARRY: f32 = 1.0 / 5.0;

/// One level; its vectors and its matrix's diagonal are filled up to whole slices of rows.
struct Level {
    a: Matrix<f32>,
    /// One over the absolute row sums.
    scale: Vec<f32>,
    /// What the diagonal is made of; empty on the finest level, whose diagonal is given.
    stiffness: Vec<f32>,
    mass: Vec<f32>,
    prolong: Sliced<f32>,
    restrict: Sliced<f32>,
    x: Vec<f32>,
    y: Vec<f32>,
    b: Vec<f32>,
}

/// The multigrid hierarchy.
pub struct Multigrid {
    levels: Vec<Level>,
    coarsest: Coarsest,
    made_for: f64,
    shift: f64,
}

impl Multigrid {
    /// Builds the hierarchy of `a`, whose diagonal contains `shift · mass` (empty for none).
    pub fn new(a: &Matrix<f64>, mass: &[f64], shift: f64) -> Self {
        Self::made_for(a, mass, shift, shift)
    }

    /// As [`Multigrid::new`], but good for shifts that go on to fall: made for the smallest shift that still serves the present one.
    pub fn falling(a: &Matrix<f64>, mass: &[f64], shift: f64) -> Self {
        let mut multigrid = Self::made_for(a, mass, shift, shift / FALLING);
        multigrid.follow(a, shift);
        multigrid
    }

    fn made_for(a: &Matrix<f64>, mass: &[f64], shift: f64, made_for: f64) -> Self {
        let mut levels = Vec::new();
        let mut strength = STRENGTH;
        let mut operator = Operator::new(a, mass, shift);
        operator.shift = made_for;
        let mut matrix = a.single();
        while operator.count() > COARSEST {
            let strong = strong_couplings(&operator, strength);
            let (group, groups) = aggregate(&strong.off);
            // What cannot be made coarser, because mass dominates, is smoothed alone.
            let ends = groups == 0 || groups * 10 > operator.count() * 9;
            let (prolong, coarse) = if ends {
                (Rows::empty(operator.count()), None)
            } else {
                let prolong = prolongation(&strong, &group);
                let restrict = prolong.transpose(groups);
                let coarse = coarse_operator(&operator, &prolong, &restrict);
                (prolong, Some((restrict, coarse)))
            };
            let (restrict, coarse) = coarse.unwrap_or_default();
            levels.push(Level::new(matrix, &operator, &prolong, &restrict));
            matrix = coarse.single();
            operator = coarse;
            strength *= 0.5;
        }
        if let Some(finest) = levels.first_mut() {
            finest.stiffness = Vec::new();
            finest.mass = Vec::new();
        }
        Self {
            levels,
            coarsest: Coarsest::new(operator),
            made_for,
            shift: made_for,
        }
    }

    /// Follows `a` to another shift, and to other values on its diagonal; the mass is that of [`Multigrid::new`]. False when the
    /// shift is so far that a new hierarchy is better.
    pub fn follow(&mut self, a: &Matrix<f64>, shift: f64) -> bool {
        if shift * SMALLER < self.made_for || shift > self.made_for * LARGER {
            return false;
        }
        if let Some((finest, coarser)) = self.levels.split_first_mut() {
            for_blocks(&mut finest.a.diagonal, |offset, block| {
                for (to, from) in block.iter_mut().zip(&a.diagonal[offset..]) {
                    *to = *from as f32;
                }
            });
            finest.rescale();
            if shift != self.shift {
                for level in coarser {
                    for ((d, k), m) in level.a.diagonal.iter_mut().zip(&level.stiffness).zip(&level.mass) {
                        *d = k + shift as f32 * m;
                    }
                    level.rescale();
                }
            }
        }
        if shift != self.shift {
            self.coarsest.set_shift(shift);
        }
        self.shift = shift;
        true
    }

    /// Rows on each level, finest first.
    pub fn level_sizes(&self) -> Vec<usize> {
        let sizes = self.levels.iter().map(|l| l.a.off.rows());
        sizes.chain([self.coarsest.count()]).collect()
    }

    /// Entries on all levels over entries on the finest.
    pub fn operator_complexity(&self) -> f64 {
        let entries: Vec<usize> = self.levels.iter().map(|l| l.a.off.entries() + l.a.off.rows()).collect();
        let coarsest = self.coarsest.entries();
        (entries.iter().sum::<usize>() + coarsest) as f64 / entries.first().copied().unwrap_or(coarsest).max(1) as f64
    }

    /// One smoother sweep on the finest level alone, from what the last cycle left; for measuring.
    pub fn smooth_finest(&mut self) {
        if let Some(finest) = self.levels.first_mut() {
            finest.smooth();
        }
    }

    /// `A⁻¹ r / size`, nearly, by one V-cycle: a fixed symmetric positive definite operator. `size` is any number near the
    /// size of `r`, which keeps single precision in range; the result, which may be followed by zeros, is to be multiplied by it.
    pub fn precondition(&mut self, r: &[f64], size: f64) -> &[f32] {
        let one_over_size = 1.0 / size;
        if let Some(finest) = self.levels.first_mut() {
            for_blocks(&mut finest.b, |offset, block| {
                for (b, r) in block.iter_mut().zip(&r[offset..]) {
                    *b = (r * one_over_size) as f32;
                }
            });
        } else {
            for (x, r) in self.coarsest.x.iter_mut().zip(r) {
                *x = r * one_over_size;
            }
        }
        cycle(&mut self.levels, &mut self.coarsest, 0);
        match self.levels.first() {
            Some(finest) => &finest.x,
            None => self.coarsest.single(),
        }
    }
}

/// One V-cycle from zero on the levels given; the right-hand side is in the first one's `b`, the result in its `x`.
fn cycle(levels: &mut [Level], coarsest: &mut Coarsest, depth: usize) {
    let sweeps = if depth < 2 { 1 } else { DEEP_SWEEPS };
    let Some((level, coarser)) = levels.split_first_mut() else {
        coarsest.solve();
        return;
    };
    level.smooth_from_zero();
    for _ in 1..sweeps {
        level.smooth();
    }
    if level.restrict.rows() > 0 {
        level.residual();
        let coarse_x = if let Some(next) = coarser.first_mut() {
            let (restrict, y) = (&level.restrict, &level.y);
            for_eights(&mut next.b, |s, _| restrict.slice_times(s, y));
            cycle(coarser, coarsest, depth + 1);
            &coarser[0].x
        } else {
            for (s, block) in coarsest.x.chunks_mut(LANES).enumerate() {
                let sum = level.restrict.slice_times(s, &level.y).to_array();
                for (x, v) in block.iter_mut().zip(sum) {
                    *x = f64::from(v);
                }
            }
            coarsest.solve();
            coarsest.single()
        };
        let prolong = &level.prolong;
        for_eights(&mut level.x, |s, x| x + prolong.slice_times(s, coarse_x));
    }
    for _ in 0..sweeps {
        level.smooth();
    }
}

/// Writes `f(slice, what stands there)` to each slice of eight.
fn for_eights(out: &mut [f32], f: impl Fn(usize, f32x8) -> f32x8 + Sync) {
    for_blocks(out, |offset, block| {
        for (s, eight) in block.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            *eight = f(offset / LANES + s, f32x8::from(*eight)).to_array();
        }
    });
}

/// A vector filled up to whole slices, read by eights.
#[derive(Clone, Copy)]
struct Eights<'a>(&'a [[f32; LANES]]);

impl<'a> Eights<'a> {
    fn of(v: &'a [f32]) -> Self {
        Self(v.as_chunks().0)
    }

    #[inline]
    fn at(self, slice: usize) -> f32x8 {
        f32x8::from(self.0[slice])
    }
}

/// Eight rows of a level's matrix times a vector.
#[inline]
fn slice_times(a: &Matrix<f32>, s: usize, x: &[f32]) -> f32x8 {
    Eights::of(&a.diagonal).at(s) * Eights::of(x).at(s) + a.off.slice_times(s, x)
}

impl Level {
    fn new(mut a: Matrix<f32>, operator: &Operator, prolong: &Rows, restrict: &Rows) -> Self {
        let n = operator.count().next_multiple_of(LANES);
        // Rows that are none are solved by zero.
        a.diagonal.resize(n, 1.0);
        let single = |v: &[f64]| v.iter().map(|v| *v as f32).collect();
        let mut level = Self {
            a,
            scale: vec![0.0; n],
            stiffness: single(&operator.stiffness),
            mass: single(&operator.mass),
            prolong: Sliced::from_rows(prolong),
            restrict: Sliced::from_rows(restrict),
            x: vec![0.0; n],
            y: vec![0.0; n],
            b: vec![0.0; n],
        };
        level.rescale();
        level
    }

    /// Recomputes the absolute row sums.
    fn rescale(&mut self) {
        let a = &self.a;
        let diagonal = Eights::of(&a.diagonal);
        for_eights(&mut self.scale, |s, _| {
            f32x8::splat(1.0) / (diagonal.at(s) + f32x8::from(a.off.slice_sizes(s)))
        });
    }

    /// Two steps on `A x = b` from zero.
    fn smooth_from_zero(&mut self) {
        let Self { a, scale, x, y, b, .. } = self;
        let (b, scale) = (Eights::of(b), Eights::of(scale));
        for_eights(y, |s, _| scale.at(s) * FIRST * b.at(s));
        for_eights(x, |s, _| {
            let ay = slice_times(a, s, y);
            Eights::of(y).at(s) * (1.0 + CARRY) + scale.at(s) * SECOND * (b.at(s) - ay)
        });
    }

    /// Two steps on `A x = b` from `x`.
    fn smooth(&mut self) {
        let Self { a, scale, x, y, b, .. } = self;
        let (b, scale) = (Eights::of(b), Eights::of(scale));
        for_eights(y, |s, _| {
            Eights::of(x).at(s) + scale.at(s) * FIRST * (b.at(s) - slice_times(a, s, x))
        });
        for_eights(x, |s, x| {
            let (ay, y) = (slice_times(a, s, y), Eights::of(y).at(s));
            y + (y - x) * CARRY + scale.at(s) * SECOND * (b.at(s) - ay)
        });
    }

    /// The residual, left in `y`.
    fn residual(&mut self) {
        let Self { a, x, y, b, .. } = self;
        let b = Eights::of(b);
        for_eights(y, |s, _| b.at(s) - slice_times(a, s, x));
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Graph, Workspace, conjugate_gradients},
        *,
    };

    /// A cube of `n³` cells graded by 1.25 a cell along x, with a rod of 33-fold conductivity along z. Matrix without mass, mass.
    fn graded_with_rod(n: usize) -> (Matrix<f64>, Vec<f64>) {
        let at = |x: usize, y: usize, z: usize| (x + n * (y + n * z)) as u32;
        let width = |x: usize| 1.25f64.powi(x as i32);
        let k = |x: usize, y: usize| if x < 2 && y < 2 { 33.0 } else { 1.0 };
        let (mut edges, mut conductance) = (Vec::new(), Vec::new());
        let (mut mass, mut ground) = (vec![0.0; n * n * n], vec![0.0; n * n * n]);
        for z in 0..n {
            for y in 0..n {
                for x in 0..n {
                    let i = at(x, y, z);
                    mass[i as usize] = width(x);
                    if x + 1 < n {
                        edges.push((i, at(x + 1, y, z)));
                        conductance.push(2.0 / (width(x) / k(x, y) + width(x + 1) / k(x + 1, y)));
                    } else {
                        ground[i as usize] = 2.0 / width(x);
                    }
                    if y + 1 < n {
                        edges.push((i, at(x, y + 1, z)));
                        conductance.push(2.0 * width(x) / (1.0 / k(x, y) + 1.0 / k(x, y + 1)));
                    }
                    if z + 1 < n {
                        edges.push((i, at(x, y, z + 1)));
                        conductance.push(width(x) * k(x, y));
                    }
                }
            }
        }
        let graph = Graph::new(n * n * n, &edges);
        let mut a = graph.matrix();
        graph.assemble(&conductance, &ground, &mut a);
        (a, mass)
    }

    fn shifted(a: &Matrix<f64>, mass: &[f64], shift: f64) -> Matrix<f64> {
        let mut a = a.clone();
        for (d, m) in a.diagonal.iter_mut().zip(mass) {
            *d += shift * m;
        }
        a
    }

    fn wave(n: usize, rate: f64) -> Vec<f64> {
        (0..n).map(|i| (i as f64 * rate).sin()).collect()
    }

    fn iterations(a: &Matrix<f64>, multigrid: &mut Multigrid) -> usize {
        let b = wave(a.rows(), 0.37);
        let mut x = vec![0.0; b.len()];
        let s = conjugate_gradients(a, multigrid, &mut Workspace::default(), &b, &mut x, 1e-8, 60);
        assert!(s.converged, "{s:?}");
        // The residual kept in the iteration is the true one.
        let mut ax = vec![0.0; b.len()];
        a.multiply(&x, &mut ax);
        let (mut error, mut size) = (0.0, 0.0);
        for (ax, b) in ax.iter().zip(&b) {
            error += (ax - b).powi(2);
            size += b * b;
        }
        assert!((error / size).sqrt() < 1.5e-8);
        s.iterations
    }

    #[test]
    fn iterations_are_bounded_on_graded_cells_with_metal_at_any_shift() {
        let mut most = Vec::new();
        for n in [10, 20] {
            let (k, mass) = graded_with_rod(n);
            for shift in [0.0, 1e-3, 1.0, 1e3] {
                let a = shifted(&k, &mass, shift);
                most.push(iterations(&a, &mut Multigrid::new(&a, &mass, shift)));
            }
        }
        assert!(most.iter().all(|&i| i <= 14), "{most:?}");
    }

    #[test]
    fn hierarchies_follow_near_shifts_and_refuse_far_ones() {
        let (k, mass) = graded_with_rod(16);
        let mut multigrid = Multigrid::new(&shifted(&k, &mass, 0.1), &mass, 0.1);
        let fresh = iterations(&shifted(&k, &mass, 0.1), &mut multigrid);
        for shift in [0.04, 0.2, 0.9] {
            let a = shifted(&k, &mass, shift);
            assert!(multigrid.follow(&a, shift));
            let followed = iterations(&a, &mut multigrid);
            assert!(followed <= fresh + 2, "{followed} at {shift}, {fresh} at first");
        }
        for shift in [0.0, 0.03, 1.1] {
            assert!(!multigrid.follow(&shifted(&k, &mass, shift), shift));
        }
    }

    #[test]
    fn a_small_problem_is_solved_by_its_factor() {
        let (k, mass) = graded_with_rod(4);
        let a = shifted(&k, &mass, 0.3);
        let mut multigrid = Multigrid::new(&a, &mass, 0.3);
        assert_eq!(multigrid.level_sizes(), [64]);
        let x = wave(64, 0.9);
        let mut b = vec![0.0; 64];
        a.multiply(&x, &mut b);
        for (z, x) in multigrid.precondition(&b, 1.0).iter().zip(&x) {
            assert!((f64::from(*z) - x).abs() < 1e-5);
        }
    }

    #[test]
    fn the_cycle_is_symmetric_and_positive_definite() {
        let (k, mass) = graded_with_rod(14);
        for shift in [0.0, 0.5, 50.0] {
            let a = shifted(&k, &mass, shift);
            let mut multigrid = Multigrid::new(&a, &mass, shift);
            let (u, v) = (wave(a.rows(), 0.31), wave(a.rows(), 1.7));
            let dot = |a: &[f64], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * f64::from(*b)).sum::<f64>();
            let mu = multigrid.precondition(&u, 1.0).to_vec();
            let mv = multigrid.precondition(&v, 1.0).to_vec();
            let size = (dot(&u, &mu) * dot(&v, &mv)).sqrt();
            assert!(dot(&u, &mu) > 0.0 && dot(&v, &mv) > 0.0);
            assert!((dot(&u, &mv) - dot(&v, &mu)).abs() < 1e-5 * size);
        }
    }

    #[test]
    fn threads_do_not_change_a_bit() {
        let (k, mass) = graded_with_rod(30);
        let a = shifted(&k, &mass, 0.2);
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut multigrid = Multigrid::new(&a, &mass, 0.2);
                let mut x = vec![0.0; a.rows()];
                let b = wave(a.rows(), 0.37);
                conjugate_gradients(&a, &mut multigrid, &mut Workspace::default(), &b, &mut x, 1e-8, 60);
                x
            })
        };
        let one = run(1);
        assert!(one == run(2) && one == run(3));
    }
}
