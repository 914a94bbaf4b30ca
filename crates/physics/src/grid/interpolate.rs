//! Values between the points of the grid.
//!
//! Within the shells: cubic in distance, meridian and angle (straight along the meridian of a bevelled end). Elsewhere: a quadratic fitted by weighted least squares to the
//! neighbours and their neighbours, exact at the cell's own point. Within the metal: linear along the axis.

use std::sync::{Arc, OnceLock};

use neurotome_base::Vec3;

use super::{Grid, Shells, shells::METAL_LAYERS};

/// Where a point lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// In metal, at this place along its axis (metres from the centre of the rounded end).
    Metal {
        /// The body of metal, an index into [`Grid::shells`].
        body: usize,
        /// Place along the axis, m.
        along: f64,
    },
    /// In the shells of a body of metal, at `(s, r, θ)`.
    Shell {
        /// The body, an index into [`Grid::shells`].
        body: usize,
        /// Place along the axis, m; negative round the end.
        along: f64,
        /// Distance from the axis, m.
        radius: f64,
        /// Angle, rad.
        angle: f64,
    },
    /// Beside the bevelled end of a body of metal.
    Bevel {
        /// The body, an index into [`Grid::shells`].
        body: usize,
        /// Place among the columns.
        column: f64,
        /// Distance from the metal, m.
        distance: f64,
        /// Angle, rad.
        angle: f64,
    },
    /// In the Voronoi cell of this index.
    Cell(u32),
}

/// Interpolates cell fields; the weights of each Voronoi cell are made once, on first use.
pub struct Interpolator {
    grid: Arc<Grid>,
    fits: Vec<OnceLock<Fit>>,
}

struct Fit {
    stencil: Vec<u32>,
    /// Nine rows (x, y, z, xx, yy, zz, xy, xz, yz) of weights on the differences to the own value.
    weights: Vec<f64>,
    scale: f64,
}

/// A cell field with the temperature of the metal's surface needed between metal and the first shell.
pub struct CellField<'f> {
    /// A value for every tissue cell.
    pub tissue: &'f [f64],
    /// A value for every metal cell; none when the field does not exist in metal.
    pub metal: Option<&'f [f64]>,
    /// Share of the metal's value in the value at the surface of the metal, for every shell cell that touches it (the rest
    /// is the cell's): `k` of the metal side over the sum. One value serves, since steel conducts far better than tissue.
    pub metal_share: f64,
}

impl Interpolator {
    /// An interpolator on a grid.
    pub fn new(grid: Arc<Grid>) -> Self {
        let mut fits = Vec::new();
        fits.resize_with(grid.tissue_cells, OnceLock::new);
        Self { grid, fits }
    }

    /// Where a point lies; none outside the region.
    pub fn locate(&self, p: &Vec3) -> Option<Place> {
        let g = &*self.grid;
        if g.region.depth(p) < -1e-9 {
            return None;
        }
        let mut beside = None;
        for (body, s) in g.shells.iter().enumerate() {
            let (along, r, angle) = s.axis.coordinates(p);
            if along > s.end() {
                continue;
            }
            let distance = s.distance(p, along, r);
            if distance < s.radius[0] * (1.0 - 1e-9) {
                return Some(Place::Metal { body, along });
            }
            let last = s.along_center(s.meridian() - 1);
            if beside.is_some() {
                continue;
            }
            if s.is_beside_bevel(along) {
                beside = beside_bevel(body, s, p, along, r, angle);
            } else if distance <= s.shell_center(s.shells() - 1) && along <= last {
                let nodes = Nodes::new(s, along, r, angle);
                if nodes.exist(s) {
                    beside = Some(Place::Shell {
                        body,
                        along,
                        radius: r,
                        angle,
                    });
                }
            }
        }
        beside.or_else(|| self.nearest(p).map(Place::Cell))
    }

    /// The tissue cell whose point is nearest.
    fn nearest(&self, p: &Vec3) -> Option<u32> {
        let g = &*self.grid;
        let n = g.octree.leaf_at(p);
        let is_tissue = |i: u32| (i as usize) < g.tissue_cells;
        let start = g.octree.points(n).iter().copied().find(|&i| is_tissue(i));
        let mut best = start.or_else(|| {
            let mut found: Option<(f64, u32)> = None;
            let mut radius = g.octree.size(n);
            while found.is_none() && radius < 1.0 {
                g.octree.for_points_near(p, radius, |i| {
                    if is_tissue(i) {
                        let d = (g.center[i as usize] - p).norm_squared();
                        if found.is_none_or(|f| d < f.0) {
                            found = Some((d, i));
                        }
                    }
                });
                radius *= 2.0;
            }
            found.map(|f| f.1)
        })?;
        // Walk to the nearest point: on Voronoi neighbours this ends at the owner of the cell.
        let mut distance = (g.center[best as usize] - p).norm_squared();
        loop {
            let next = g
                .neighbours
                .of(best)
                .iter()
                .map(|&i| ((g.center[i as usize] - p).norm_squared(), i))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            match next {
                Some((d, i)) if d < distance => (distance, best) = (d, i),
                _ => return Some(best),
            }
        }
    }

    /// The field at a point already located.
    pub fn at(&self, place: &Place, p: &Vec3, field: &CellField) -> f64 {
        let [value] = self.at_once(place, p, [field]);
        value
    }

    /// Several fields at a point already located.
    pub fn at_once<const N: usize>(&self, place: &Place, p: &Vec3, fields: [&CellField; N]) -> [f64; N] {
        match *place {
            Place::Metal { body, along } => {
                let weights = self.on_axis(body, along);
                fields.map(|f| f.metal.map_or(f64::NAN, |m| weights.iter().map(|w| w.1 * m[w.0]).sum()))
            }
            Place::Shell {
                body,
                along,
                radius,
                angle,
            } => {
                let s = &self.grid.shells[body];
                self.in_shells(s, &Nodes::new(s, along, radius, angle), fields)
            }
            Place::Bevel {
                body,
                column,
                distance,
                angle,
            } => {
                let s = &self.grid.shells[body];
                self.in_shells(s, &Nodes::on_bevel(s, column, distance, angle), fields)
            }
            Place::Cell(i) => self.in_cell(i, p, fields.map(|f| f.tissue)),
        }
    }

    /// Weights of metal cells (counted from the first metal cell) for a place along the axis of a body of metal.
    pub fn on_axis(&self, body: usize, along: f64) -> [(usize, f64); 2] {
        let s = &self.grid.shells[body];
        let base = self.grid.tissue_cells as u32;
        // Points on the axis, from the tip: the rounded end's layers at the pole, outermost first, then the innermost layer along the
        // shaft and what is bevelled.
        let (poles, first, least) = match s.first_metal_place() {
            0 => (METAL_LAYERS, s.cap(), -1.0),
            bevelled => (0, bevelled, 0.0),
        };
        let count = poles + s.meridian() - first;
        let node = |k: usize| -> (u32, f64) {
            if k < poles {
                let layer = METAL_LAYERS - 1 - k;
                (
                    s.metal(layer, 0),
                    -0.5 * (s.metal_radius(layer, 0) + s.metal_radius(layer + 1, 0)),
                )
            } else {
                let t = first + k - poles;
                (s.metal(0, t), s.metal_along(t))
            }
        };
        let mut k = 0;
        while k + 2 < count && node(k + 1).1 < along {
            k += 1;
        }
        let ((i, x), (j, y)) = (node(k), node(k + 1));
        let w = ((along - x) / (y - x)).clamp(least, 2.0);
        [((i - base) as usize, 1.0 - w), ((j - base) as usize, w)]
    }

    /// Weights of cells, tissue and metal, whose sum is the field at a point; none outside the region. `metal_share` as in
    /// [`CellField`].
    pub fn weights(&self, p: &Vec3, metal_share: f64) -> Option<Vec<(usize, f64)>> {
        let tissue = self.grid.tissue_cells;
        let mut out = Vec::new();
        match self.locate(p)? {
            Place::Metal { body, along } => out.extend(self.on_axis(body, along).map(|(i, w)| (tissue + i, w))),
            Place::Shell {
                body,
                along,
                radius,
                angle,
            } => {
                let s = &self.grid.shells[body];
                Nodes::new(s, along, radius, angle).add_weights(s, metal_share, &mut out);
            }
            Place::Bevel {
                body,
                column,
                distance,
                angle,
            } => {
                let s = &self.grid.shells[body];
                Nodes::on_bevel(s, column, distance, angle).add_weights(s, metal_share, &mut out);
            }
            Place::Cell(i) => {
                let fit = self.fits[i as usize].get_or_init(|| self.fit(i));
                let basis = quadratic(&((p - self.grid.center[i as usize]) / fit.scale));
                let m = fit.stencil.len();
                let mut own = 1.0;
                for (k, &j) in fit.stencil.iter().enumerate() {
                    let w: f64 = (0..9).map(|b| basis[b] * fit.weights[b * m + k]).sum();
                    own -= w;
                    out.push((j as usize, w));
                }
                out.push((i as usize, own));
            }
        }
        Some(out)
    }

    fn in_shells<const N: usize>(&self, s: &Shells, nodes: &Nodes, fields: [&CellField; N]) -> [f64; N] {
        let mut sums = [0.0; N];
        nodes.each(s, |k, t, q, w| {
            let cell = if k > 0 { s.cell(k - 1, t, q) as usize } else { 0 };
            for (sum, field) in sums.iter_mut().zip(fields) {
                *sum += w * if k > 0 {
                    field.tissue[cell]
                } else {
                    self.surface(s, t, q, field)
                };
            }
        });
        sums
    }

    /// The grid.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The field at a point; none outside the region, and in metal when the field does not exist there.
    pub fn sample(&self, p: &Vec3, field: &CellField) -> Option<f64> {
        let place = self.locate(p)?;
        if matches!(place, Place::Metal { .. }) && field.metal.is_none() {
            return None;
        }
        Some(self.at(&place, p, field))
    }

    /// Gradient of the field at the point of cell `i`, per metre.
    pub fn gradient(&self, i: u32, values: &[f64]) -> Vec3 {
        let fit = self.fits[i as usize].get_or_init(|| self.fit(i));
        let m = fit.stencil.len();
        let own = values[i as usize];
        let mut g = Vec3::zeros();
        for (k, &j) in fit.stencil.iter().enumerate() {
            let d = values[j as usize] - own;
            for a in 0..3 {
                g[a] += fit.weights[a * m + k] * d;
            }
        }
        g / fit.scale
    }

    /// The value at the metal's surface beside shell cell `(0, t, q)`.
    pub fn surface(&self, s: &Shells, t: usize, q: usize, field: &CellField) -> f64 {
        let near = field.tissue[s.cell(0, t, q) as usize];
        if let Some(metal) = field.metal {
            let steel = metal[s.metal(METAL_LAYERS - 1, t) as usize - self.grid.tissue_cells];
            field.metal_share * steel + (1.0 - field.metal_share) * near
        } else {
            // Without a value in the metal the field is carried on straight from the first two shells.
            let next = field.tissue[s.cell(1, t, q) as usize];
            let (r0, r1) = (s.shell_center(0), s.shell_center(1));
            near + (near - next) * (r0 - s.radius[0]) / (r1 - r0)
        }
    }

    /// The quadratics of cell `i` at `p`, kept within the values they were fitted to.
    fn in_cell<const N: usize>(&self, i: u32, p: &Vec3, fields: [&[f64]; N]) -> [f64; N] {
        let fit = self.fits[i as usize].get_or_init(|| self.fit(i));
        let own = fields.map(|f| f[i as usize]);
        let d = (p - self.grid.center[i as usize]) / fit.scale;
        let basis = quadratic(&d);
        let m = fit.stencil.len();
        let (mut low, mut high, mut sum) = (own, own, own);
        for (k, &j) in fit.stencil.iter().enumerate() {
            let w: f64 = (0..9).map(|b| basis[b] * fit.weights[b * m + k]).sum();
            for n in 0..N {
                let v = fields[n][j as usize];
                low[n] = low[n].min(v);
                high[n] = high[n].max(v);
                sum[n] += w * (v - own[n]);
            }
        }
        std::array::from_fn(|n| sum[n].clamp(low[n], high[n]))
    }

    fn fit(&self, i: u32) -> Fit {
        let g = &*self.grid;
        let mut stencil: Vec<u32> = g.neighbours.of(i).to_vec();
        let first = stencil.len();
        for k in 0..first {
            stencil.extend_from_slice(g.neighbours.of(stencil[k]));
        }
        stencil.sort_unstable();
        stencil.dedup();
        stencil.retain(|&j| j != i);
        let center = g.center[i as usize];
        // The nearest serve, more only cost time; but where many neighbours lie in one sheet (round the end of the shells), others must
        // tell how the field changes across it.
        stencil.sort_by(|&a, &b| {
            let d = |j: u32| (g.center[j as usize] - center).norm_squared();
            d(a).total_cmp(&d(b)).then(a.cmp(&b))
        });
        stencil.truncate(40.max(2 * first + 24));
        let scale = g.size[i as usize];
        let m = stencil.len();
        let rows: Vec<([f64; 9], f64)> = stencil
            .iter()
            .map(|&j| {
                let d = (g.center[j as usize] - center) / scale;
                (quadratic(&d), 1.0 / (d.norm_squared() + 1e-6))
            })
            .collect();
        let mut normal = [[0.0; 9]; 9];
        for (row, w) in &rows {
            for a in 0..9 {
                for b in 0..9 {
                    normal[a][b] += w * row[a] * row[b];
                }
            }
        }
        let trace: f64 = (0..9).map(|a| normal[a][a]).sum();
        for (a, row) in normal.iter_mut().enumerate() {
            row[a] += 1e-9 * trace;
        }
        let factor = cholesky(normal);
        let mut weights = vec![0.0; 9 * m];
        for (k, (row, w)) in rows.iter().enumerate() {
            let x = cholesky_solve(&factor, row.map(|v| v * w));
            for b in 0..9 {
                weights[b * m + k] = x[b];
            }
        }
        Fit {
            stencil,
            weights,
            scale,
        }
    }
}

/// The nodes of the lattice round a place in the shells, four in each direction, with their weights.
struct Nodes {
    /// First node across: 0 is the metal's surface, then the shells.
    across: usize,
    /// First node along the meridian; before the pole (negative) nodes lie on the other side of the axis.
    along: isize,
    /// First node round the axis.
    round: usize,
    weights: [[f64; 4]; 3],
}

/// A place beside a bevelled end, unless it lies beyond the shells or other metal is nearer.
fn beside_bevel(body: usize, s: &Shells, p: &Vec3, along: f64, r: f64, angle: f64) -> Option<Place> {
    let (column, distance, angle) = s.bevel_coordinates(p, along, r, angle)?;
    let within = s.radius[0] + distance <= s.shell_center(s.shells() - 1);
    (within && Nodes::on_bevel(s, column, distance, angle).exist(s)).then_some(Place::Bevel {
        body,
        column,
        distance,
        angle,
    })
}

impl Nodes {
    /// Nodes of a place beside a bevelled end: straight between columns, whose feet do not follow one another smoothly.
    fn on_bevel(s: &Shells, column: f64, distance: f64, angle: f64) -> Self {
        let (across, across_weights) = Self::across(s, s.radius[0] + distance);
        let (round, round_weights) = Self::round(s, angle);
        let t = column.floor();
        Self {
            across,
            along: t as isize,
            round,
            weights: [
                across_weights,
                [1.0 - (column - t), column - t, 0.0, 0.0],
                round_weights,
            ],
        }
    }

    /// First node across and the weights at a distance `r` from the axis.
    fn across(s: &Shells, r: f64) -> (usize, [f64; 4]) {
        let n = s.shells();
        let across = |k: usize| if k == 0 { s.radius[0] } else { s.shell_center(k - 1) };
        let mut k = 0;
        while k + 1 < n && across(k + 1) < r {
            k += 1;
        }
        let k0 = k.saturating_sub(1).min(n.saturating_sub(3));
        let nodes: [f64; 4] = std::array::from_fn(|i| across((k0 + i).min(n)));
        (k0, lagrange(&nodes, r))
    }

    /// First node round the axis and the weights at an angle.
    fn round(s: &Shells, angle: f64) -> (usize, [f64; 4]) {
        let step = std::f64::consts::TAU / s.around as f64;
        let turns = angle.rem_euclid(std::f64::consts::TAU) / step;
        let q = turns.floor();
        (q as usize + s.around - 1, lagrange(&[-1.0, 0.0, 1.0, 2.0], turns - q))
    }

    fn new(s: &Shells, along: f64, radius: f64, angle: f64) -> Self {
        let r = if along < 0.0 { radius.hypot(along) } else { radius };
        let (across, across_weights) = Self::across(s, r);
        let (round, round_weights) = Self::round(s, angle);
        let m = s.meridian();
        let length = |t: isize| -> f64 {
            let (sign, t) = if t < 0 {
                (-1.0, (-t) as usize)
            } else {
                (1.0, t as usize)
            };
            sign * if t < s.cap() {
                r * s.polar_center(t)
            } else {
                r * std::f64::consts::FRAC_PI_2 + s.along_center(t)
            }
        };
        let here = if along < 0.0 {
            r * radius.atan2(-along)
        } else {
            r * std::f64::consts::FRAC_PI_2 + along
        };
        // Four nodes on the lattice: one below the place.
        let mut t = match s.first_on_lattice() {
            0 => 0,
            first => first as isize + 1,
        };
        while (t as usize) + 2 < m && length(t + 1) < here {
            t += 1;
        }
        let t0 = (t - 1).min(m as isize - 4);
        let along_nodes: [f64; 4] = std::array::from_fn(|i| length(t0 + i as isize));
        Self {
            across,
            along: t0,
            round,
            weights: [across_weights, lagrange(&along_nodes, here), round_weights],
        }
    }

    /// Calls `f` with every node (across, meridian, round) and its weight.
    fn each(&self, s: &Shells, mut f: impl FnMut(usize, usize, usize, f64)) {
        for (i, wr) in self.weights[0].iter().enumerate() {
            if *wr == 0.0 {
                continue;
            }
            for (j, wt) in self.weights[1].iter().enumerate() {
                for (l, wq) in self.weights[2].iter().enumerate() {
                    let w = wr * wt * wq;
                    if w == 0.0 {
                        continue;
                    }
                    let (t, q) = (self.along + j as isize, self.round + l);
                    if t < 0 {
                        f(self.across + i, (-t) as usize, q + s.around / 2, w);
                    } else {
                        f(self.across + i, t as usize, q, w);
                    }
                }
            }
        }
    }

    /// Adds the weights of cells, tissue and metal.
    fn add_weights(&self, s: &Shells, metal_share: f64, out: &mut Vec<(usize, f64)>) {
        self.each(s, |k, t, q, w| {
            if k > 0 {
                out.push((s.cell(k - 1, t, q) as usize, w));
            } else {
                out.push((s.metal(METAL_LAYERS - 1, t) as usize, w * metal_share));
                out.push((s.cell(0, t, q) as usize, w * (1.0 - metal_share)));
            }
        });
    }

    /// True when no node lies where other metal is nearer.
    fn exist(&self, s: &Shells) -> bool {
        let mut all = true;
        if !s.is_whole() {
            self.each(s, |k, t, q, _| all &= s.on_lattice(t, q) >= k.max(2));
        }
        all
    }
}

fn quadratic(d: &Vec3) -> [f64; 9] {
    [
        d.x,
        d.y,
        d.z,
        d.x * d.x,
        d.y * d.y,
        d.z * d.z,
        d.x * d.y,
        d.x * d.z,
        d.y * d.z,
    ]
}

fn cholesky(mut a: [[f64; 9]; 9]) -> [[f64; 9]; 9] {
    for j in 0..9 {
        for k in 0..j {
            let v = a[j][k];
            for i in j..9 {
                a[i][j] -= a[i][k] * v;
            }
        }
        let root = a[j][j].max(1e-300).sqrt();
        for i in j..9 {
            a[i][j] /= root;
        }
    }
    a
}

fn cholesky_solve(f: &[[f64; 9]; 9], mut x: [f64; 9]) -> [f64; 9] {
    for i in 0..9 {
        for k in 0..i {
            x[i] -= f[i][k] * x[k];
        }
        x[i] /= f[i][i];
    }
    for i in (0..9).rev() {
        for k in i + 1..9 {
            x[i] -= f[k][i] * x[k];
        }
        x[i] /= f[i][i];
    }
    x
}

/// Cubic Lagrange weights of four ascending nodes.
fn lagrange(node: &[f64; 4], x: f64) -> [f64; 4] {
    std::array::from_fn(|i| {
        let mut w = 1.0;
        for j in 0..4 {
            if j != i {
                w *= (x - node[j]) / (node[i] - node[j]);
            }
        }
        w
    })
}
