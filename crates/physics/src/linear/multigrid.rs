//! Smoothed-aggregation algebraic multigrid (Vaněk, Mandel and Brezina 1996), kept in single precision as a preconditioner.
//!
//! The operator is `K + s M` with `M` diagonal on the finest grid and a scalar shift `s` that may be changed at little cost:
//! the transfer operators are made once from `K`, and both parts are carried to every level. Smoothing is a Chebyshev
//! polynomial in the diagonally scaled matrix: symmetric, parallel, and the same bits for any number of threads.

use neurotome_base::parallel::for_blocks;

use super::{Csr, Pattern};

/// Rows at or below which the coarsest problem is factored.
const COARSEST: usize = 300;
/// Strength of connection on the finest level; halved on each coarser one.
const STRENGTH: f64 = 0.08;
/// The Chebyshev smoother damps the spectrum from λmax divided by this.
const SMOOTHING_RANGE: f64 = 8.0;

struct Level {
    stiffness: Vec<f64>,
    mass: Vec<f64>,
    a: Csr<f32>,
    inverse_diagonal: Vec<f32>,
    lambda_max: f32,
    prolong: Csr<f32>,
    restrict: Csr<f32>,
    x: Vec<f32>,
    b: Vec<f32>,
    d: Vec<f32>,
    r: Vec<f32>,
}

/// The multigrid hierarchy.
pub struct Multigrid {
    levels: Vec<Level>,
    coarsest: Coarsest,
    shift: f64,
}

struct Coarsest {
    n: usize,
    pattern: Pattern,
    stiffness: Vec<f64>,
    mass: Vec<f64>,
    factor: Vec<f64>,
    x: Vec<f64>,
}

impl Multigrid {
    /// Builds the hierarchy for `K + shift M`; `mass` is the diagonal of `M` (empty for none).
    pub fn new(k: &Csr<f64>, mass: &[f64], shift: f64) -> Self {
        let mut levels = Vec::new();
        let mut a = k.clone();
        let mut m = vec![0.0; k.value.len()];
        if !mass.is_empty() {
            for (i, &e) in k.pattern.diagonal.iter().enumerate() {
                m[e as usize] = mass[i];
            }
        }
        let mut strength = STRENGTH;
        while a.pattern.rows() > COARSEST && levels.len() < 12 {
            let aggregate = aggregate(&a, strength);
            let coarse_n = aggregate
                .iter()
                .filter(|&&g| g != u32::MAX)
                .max()
                .map_or(0, |g| *g as usize + 1);
            if coarse_n == 0 || coarse_n * 10 > a.pattern.rows() * 9 {
                break;
            }
            let prolong = smoothed_prolongation(&a, &aggregate, strength);
            let restrict = prolong.transpose(coarse_n);
            let coarse_a = restrict.times(&a.times(&prolong, coarse_n), coarse_n);
            let fine_mass = Csr {
                pattern: a.pattern.clone(),
                value: m.clone(),
            };
            let coarse_mass = restrict.times(&fine_mass.times(&prolong, coarse_n), coarse_n);
            let coarse_m = onto_pattern(&coarse_mass, &coarse_a.pattern);
            let n = a.pattern.rows();
            levels.push(Level {
                stiffness: a.value,
                mass: m,
                a: Csr {
                    pattern: a.pattern,
                    value: Vec::new(),
                },
                inverse_diagonal: vec![0.0; n],
                lambda_max: 2.0,
                prolong: single(&prolong),
                restrict: single(&restrict),
                x: vec![0.0; n],
                b: vec![0.0; n],
                d: vec![0.0; n],
                r: vec![0.0; n],
            });
            a = coarse_a;
            m = coarse_m;
            strength *= 0.5;
        }
        let n = a.pattern.rows();
        let coarsest = Coarsest {
            n,
            pattern: a.pattern,
            stiffness: a.value,
            mass: m,
            factor: Vec::new(),
            x: vec![0.0; n],
        };
        let mut multigrid = Self {
            levels,
            coarsest,
            shift: f64::NAN,
        };
        multigrid.set_shift(shift);
        multigrid
    }

    /// Makes the hierarchy that of `K + shift M`.
    pub fn set_shift(&mut self, shift: f64) {
        if shift == self.shift {
            return;
        }
        self.shift = shift;
        for level in &mut self.levels {
            level.a.value = level
                .stiffness
                .iter()
                .zip(&level.mass)
                .map(|(k, m)| (k + shift * m) as f32)
                .collect();
            for (i, &e) in level.a.pattern.diagonal.iter().enumerate() {
                level.inverse_diagonal[i] = 1.0 / level.a.value[e as usize];
            }
            level.lambda_max = spectrum_bound(&level.a, &level.inverse_diagonal);
        }
        self.coarsest.factorise(shift);
    }

    /// Rows on each level, finest first.
    pub fn level_sizes(&self) -> Vec<usize> {
        self.levels.iter().map(|l| l.b.len()).chain([self.coarsest.n]).collect()
    }

    /// Entries on all levels over entries on the finest.
    pub fn operator_complexity(&self) -> f64 {
        let entries: usize =
            self.levels.iter().map(|l| l.stiffness.len()).sum::<usize>() + self.coarsest.stiffness.len();
        let finest = self
            .levels
            .first()
            .map_or(self.coarsest.stiffness.len(), |l| l.stiffness.len());
        entries as f64 / finest as f64
    }

    /// `z ≈ A⁻¹ r` by one V-cycle: a fixed symmetric positive definite operator.
    pub fn precondition(&mut self, r: &[f64], z: &mut [f64]) {
        let scale = r.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        if scale == 0.0 {
            z.fill(0.0);
            return;
        }
        if self.levels.is_empty() {
            self.coarsest.x.copy_from_slice(r);
            self.coarsest.solve();
            z.copy_from_slice(&self.coarsest.x);
            return;
        }
        for_blocks(&mut self.levels[0].b, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = (r[offset + k] / scale) as f32;
            }
        });
        self.cycle();
        let x = &self.levels[0].x;
        for_blocks(z, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = f64::from(x[offset + k]) * scale;
            }
        });
    }

    fn cycle(&mut self) {
        let depth = self.levels.len();
        for l in 0..depth {
            let (head, tail) = self.levels.split_at_mut(l + 1);
            let level = &mut head[l];
            level.smooth(true);
            level.a_residual();
            if let Some(next) = tail.first_mut() {
                level.restrict.multiply(&level.r, &mut next.b);
            } else {
                let mut b = vec![0.0f32; self.coarsest.n];
                level.restrict.multiply(&level.r, &mut b);
                for (x, v) in self.coarsest.x.iter_mut().zip(&b) {
                    *x = f64::from(*v);
                }
            }
        }
        self.coarsest.solve();
        let mut coarse: Vec<f32> = self.coarsest.x.iter().map(|v| *v as f32).collect();
        for level in self.levels.iter_mut().rev() {
            let Level { prolong, x, .. } = level;
            for_blocks(x, |offset, block| {
                for (k, v) in block.iter_mut().enumerate() {
                    *v += prolong.row_times(offset + k, &coarse);
                }
            });
            level.smooth(false);
            coarse.clone_from(&level.x);
        }
    }
}

impl Level {
    /// Two Chebyshev steps on `A x = b`; from `x = 0` when `fresh`.
    fn smooth(&mut self, fresh: bool) {
        let (upper, lower) = (self.lambda_max, self.lambda_max / SMOOTHING_RANGE as f32);
        let (theta, delta) = (0.5 * (upper + lower), 0.5 * (upper - lower));
        let sigma = theta / delta;
        let rho = 1.0 / sigma;
        let Self {
            a,
            inverse_diagonal,
            x,
            b,
            d,
            ..
        } = self;
        if fresh {
            for_blocks(x, |offset, block| {
                for (k, v) in block.iter_mut().enumerate() {
                    *v = b[offset + k] * inverse_diagonal[offset + k] / theta;
                }
            });
            d.copy_from_slice(x);
        } else {
            for_blocks(d, |offset, block| {
                for (k, v) in block.iter_mut().enumerate() {
                    let i = offset + k;
                    *v = (b[i] - a.row_times(i, x)) * inverse_diagonal[i] / theta;
                }
            });
            for_blocks(x, |offset, block| {
                for (k, v) in block.iter_mut().enumerate() {
                    *v += d[offset + k];
                }
            });
        }
        let rho_next = 1.0 / (2.0 * sigma - rho);
        let (c_old, c_new) = (rho_next * rho, 2.0 * rho_next / delta);
        for_blocks(d, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                let i = offset + k;
                *v = c_old * *v + c_new * (b[i] - a.row_times(i, x)) * inverse_diagonal[i];
            }
        });
        for_blocks(x, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v += d[offset + k];
            }
        });
    }

    fn a_residual(&mut self) {
        let Self { a, x, b, r, .. } = self;
        for_blocks(r, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = b[offset + k] - a.row_times(offset + k, x);
            }
        });
    }
}

impl Coarsest {
    fn factorise(&mut self, shift: f64) {
        let n = self.n;
        let mut f = vec![0.0; n * n];
        for i in 0..n {
            for e in self.pattern.range(i) {
                f[i * n + self.pattern.column[e] as usize] = self.stiffness[e] + shift * self.mass[e];
            }
        }
        for j in 0..n {
            for k in 0..j {
                let v = f[j * n + k];
                if v != 0.0 {
                    for i in j..n {
                        f[i * n + j] -= f[i * n + k] * v;
                    }
                }
            }
            // A semidefinite remainder (a floating region) is held fixed instead of being divided by zero.
            let pivot = f[j * n + j];
            let root = if pivot > 1e-14 * self.stiffness.iter().fold(0.0f64, |m, v| m.max(v.abs())) {
                pivot.sqrt()
            } else {
                f64::INFINITY
            };
            for i in j..n {
                f[i * n + j] = if i == j { root } else { f[i * n + j] / root };
            }
        }
        self.factor = f;
    }

    fn solve(&mut self) {
        let (n, f, x) = (self.n, &self.factor, &mut self.x);
        for i in 0..n {
            let mut s = x[i];
            for k in 0..i {
                s -= f[i * n + k] * x[k];
            }
            x[i] = s / f[i * n + i];
        }
        for i in (0..n).rev() {
            x[i] /= f[i * n + i];
            let v = x[i];
            for k in 0..i {
                x[k] -= f[i * n + k] * v;
            }
        }
    }
}

fn single(a: &Csr<f64>) -> Csr<f32> {
    Csr {
        pattern: a.pattern.clone(),
        value: a.value.iter().map(|v| *v as f32).collect(),
    }
}

/// The values of `a` laid on a pattern that contains it.
fn onto_pattern(a: &Csr<f64>, pattern: &Pattern) -> Vec<f64> {
    let mut out = vec![0.0; pattern.column.len()];
    for i in 0..pattern.rows() {
        let mut at = pattern.range(i).start;
        for e in a.pattern.range(i) {
            while pattern.column[at] < a.pattern.column[e] {
                at += 1;
            }
            out[at] = a.value[e];
        }
    }
    out
}

fn is_strong(a: &Csr<f64>, i: usize, e: usize, strength: f64) -> bool {
    let j = a.pattern.column[e] as usize;
    let (aii, ajj) = (
        a.value[a.pattern.diagonal[i] as usize],
        a.value[a.pattern.diagonal[j] as usize],
    );
    let v = a.value[e];
    i != j && v < 0.0 && v * v > strength * strength * aii * ajj
}

/// Aggregate of every row (`u32::MAX` for rows that need no coarse correction).
fn aggregate(a: &Csr<f64>, strength: f64) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let n = a.pattern.rows();
    let mut group = vec![NONE; n];
    let mut groups = 0u32;
    let strong = |i: usize| a.pattern.range(i).filter(move |&e| is_strong(a, i, e, strength));
    for i in 0..n {
        if group[i] != NONE {
            continue;
        }
        let mut any = false;
        let free = strong(i).all(|e| {
            any = true;
            group[a.pattern.column[e] as usize] == NONE
        });
        if any && free {
            group[i] = groups;
            for e in strong(i) {
                group[a.pattern.column[e] as usize] = groups;
            }
            groups += 1;
        }
    }
    let first = group.clone();
    for i in 0..n {
        if group[i] == NONE {
            let best = strong(i)
                .filter(|&e| first[a.pattern.column[e] as usize] != NONE)
                .min_by(|&e, &f| a.value[e].total_cmp(&a.value[f]));
            if let Some(e) = best {
                group[i] = first[a.pattern.column[e] as usize];
            }
        }
    }
    for i in 0..n {
        if group[i] == NONE && strong(i).next().is_some() {
            group[i] = groups;
            for e in strong(i) {
                let j = a.pattern.column[e] as usize;
                if group[j] == NONE {
                    group[j] = groups;
                }
            }
            groups += 1;
        }
    }
    group
}

/// `(I − ω D⁻¹ A_F) P₀` with piecewise constant `P₀` and the filtered matrix `A_F` (weak entries moved to the diagonal).
fn smoothed_prolongation(a: &Csr<f64>, group: &[u32], strength: f64) -> Csr<f64> {
    let rows = (0..a.pattern.rows())
        .map(|i| {
            let mut diagonal = a.value[a.pattern.diagonal[i] as usize];
            for e in a.pattern.range(i) {
                if a.pattern.column[e] as usize != i && !is_strong(a, i, e, strength) {
                    diagonal += a.value[e];
                }
            }
            // On M-matrices the spectrum of D⁻¹A_F ends at 2, so that ω = (4/3) / 2.
            let omega = 2.0 / 3.0;
            let mut row: Vec<(u32, f64)> = Vec::new();
            let mut add = |g: u32, v: f64| {
                if g != u32::MAX {
                    match row.iter_mut().find(|r| r.0 == g) {
                        Some(r) => r.1 += v,
                        None => row.push((g, v)),
                    }
                }
            };
            add(group[i], 1.0 - omega);
            for e in a.pattern.range(i) {
                if is_strong(a, i, e, strength) {
                    add(group[a.pattern.column[e] as usize], -omega * a.value[e] / diagonal);
                }
            }
            row
        })
        .collect();
    Csr::from_rows(rows)
}

/// An upper bound of the spectrum of `D⁻¹ A`: the largest absolute row sum (Gershgorin). It never underestimates, as power
/// iteration does when mass dominates and the spectrum crowds at one.
fn spectrum_bound(a: &Csr<f32>, inverse_diagonal: &[f32]) -> f32 {
    (0..inverse_diagonal.len())
        .map(|i| a.value[a.pattern.range(i)].iter().map(|v| v.abs()).sum::<f32>() * inverse_diagonal[i])
        .fold(0.0, f32::max)
}
