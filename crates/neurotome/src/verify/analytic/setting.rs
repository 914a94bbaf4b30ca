//! What the claims share: tissues, grids, solves with exact boundary data, errors.

use std::{fmt::Write as _, sync::Arc};

use neurotome_base::Vec3;
use neurotome_physics::{
    current::{Current, CurrentState},
    grid::{Axis, CellField, FittedNeedle, Grid, Interpolator, Region, Sizing},
    heat::{Heat, History},
    linear::Solved,
    medium::{Laid, Medium, MetalProperties},
    tissue::TissueProperties,
};

/// Relative residual of all linear solves of the claims.
pub(in crate::verify) const LINEAR: f64 = 1e-10;

/// A grid with its medium.
pub(in crate::verify) struct Model {
    pub grid: Arc<Grid>,
    pub medium: Medium,
}

/// A tissue with σ in S/m, k in W/(m K), ρc in J/(m³ K) and perfusion in W/(m³ K), all constant.
pub(in crate::verify) fn tissue(sigma: f64, k: f64, heat_capacity: f64, perfusion: f64) -> TissueProperties {
    TissueProperties {
        sigma_s_per_m: sigma,
        sigma_temperature_coefficient_per_k: 0.0,
        sigma_limit_temperature_c: 100.0,
        thermal_conductivity_w_per_m_k: k,
        density_kg_per_m3: 1000.0,
        specific_heat_j_per_kg_k: 1e-3 * heat_capacity,
        perfusion_per_s: perfusion,
        ..TissueProperties::default()
    }
}

impl Model {
    pub fn new(
        region: Region,
        needles: &[FittedNeedle],
        sizing: &Sizing,
        tissues: &[TissueProperties],
        at: &(dyn Fn(&Vec3) -> u8 + Sync),
    ) -> Result<Self, String> {
        Self::laid(region, needles, sizing, tissues, &Laid::tissue(at))
    }

    /// The same with fibres or an injected fluid.
    pub fn laid(
        region: Region,
        needles: &[FittedNeedle],
        sizing: &Sizing,
        tissues: &[TissueProperties],
        laid: &Laid,
    ) -> Result<Self, String> {
        let grid = Grid::new(region, needles, sizing, laid.tissue).map_err(|e| e.to_string())?;
        let steel = MetalProperties {
            thermal_conductivity: 16.2,
            heat_capacity: 3.95e6,
        };
        let medium = Medium::new(&grid, tissues, laid, &vec![steel; needles.len()], 1.0);
        Ok(Self {
            grid: Arc::new(grid),
            medium,
        })
    }

    /// A cube of half side `half` round the origin with one tissue and no needle; cells `h + growth · distance`.
    pub fn cube(half: f64, h: f64, growth: f64, tissue: TissueProperties) -> Result<Self, String> {
        Self::new(cube(half), &[], &octree(h, growth), &[tissue], &|_| 0)
    }

    /// The potential with exact values on the metal and on the outer boundary.
    pub fn potential(&self, exact: &dyn Fn(&Vec3) -> f64) -> Result<(Vec<f64>, CurrentState), String> {
        let grid = &self.grid;
        let mut current = Current::with_potentials(grid, &self.medium, &|f| Some(exact(&grid.foot(f))), &|f| {
            Some(exact(&f.foot))
        });
        let temperature = vec![37.0; grid.cells()];
        let mut heat = vec![0.0; grid.cells()];
        let state = current.solve_one_volt(grid, &self.medium, &temperature, LINEAR, &mut heat);
        converged(&state.solved)?;
        Ok((current.potential(&[1.0]), state))
    }

    /// Heat that enters through the outer boundary, held at `boundary`, into cells at zero: W for each cell.
    pub fn boundary_heat(&self, boundary: &dyn Fn(&Vec3) -> f64) -> Vec<f64> {
        let mut b = vec![0.0; self.grid.cells()];
        for (f, g) in self.grid.outer.iter().zip(&self.medium.outer_thermal) {
            b[f.cell as usize] += g * boundary(&f.foot);
        }
        b
    }

    /// Steady temperature: heat for each cell in W, values on the outer boundary; cells in moving fluid are held at its temperature.
    pub fn steady(&self, source: &[f64], boundary: &dyn Fn(&Vec3) -> f64) -> Result<Vec<f64>, String> {
        let mut heat = Heat::new(&self.grid, &self.medium);
        let mut sink = self.medium.perfusion.clone();
        let mut b = self.boundary_heat(boundary);
        for p in &self.medium.pinned {
            sink[p.cell as usize] += p.conductance;
            b[p.cell as usize] += p.conductance * p.temperature_c;
        }
        heat.set_operator(0.0, &self.medium.capacity, &sink);
        for (b, q) in b.iter_mut().zip(source) {
            *b += q;
        }
        let mut x = vec![0.0; b.len()];
        converged(&heat.solve(&b, &mut x, LINEAR))?;
        Ok(x)
    }

    /// Steps of backward differences to each of `times`; `source` gives the heat into each cell at a time, boundary included.
    pub fn march(&self, history: &mut History, times: &[f64], source: &dyn Fn(f64) -> Vec<f64>) -> Result<(), String> {
        let mut heat = Heat::new(&self.grid, &self.medium);
        for &t in times {
            let (shift, past) = history.backward_difference(t);
            heat.set_operator(shift, &self.medium.capacity, &self.medium.perfusion);
            let mut b = source(t);
            for (point, weight) in history.points().iter().zip(&past) {
                for ((b, x), c) in b.iter_mut().zip(&point.1).zip(&self.medium.capacity) {
                    *b += c * weight * x;
                }
            }
            let mut x = vec![0.0; b.len()];
            history.extrapolate(t, &mut x);
            converged(&heat.solve(&b, &mut x, LINEAR))?;
            history.push(t, x);
        }
        Ok(())
    }

    /// Volume-weighted root mean square of the error over that of the exact field, in tissue.
    pub fn l2(&self, values: &[f64], exact: &dyn Fn(&Vec3) -> f64) -> f64 {
        let (mut error, mut size) = (0.0, 0.0);
        for i in 0..self.grid.tissue_cells {
            let e = exact(&self.grid.center[i]);
            error += self.grid.volume[i] * (values[i] - e).powi(2);
            size += self.grid.volume[i] * e * e;
        }
        (error / size).sqrt()
    }

    /// The tissue cells whose points lie nearest to `points`.
    pub fn nearest(&self, points: &[Vec3]) -> Vec<usize> {
        let distance = |i: usize, p: &Vec3| (self.grid.center[i] - p).norm_squared();
        points
            .iter()
            .map(|p| {
                (0..self.grid.tissue_cells)
                    .min_by(|&a, &b| distance(a, p).total_cmp(&distance(b, p)))
                    .unwrap_or(0)
            })
            .collect()
    }

    /// The values at points, interpolated; NaN outside.
    pub fn at(&self, values: &[f64], points: &[Vec3]) -> Vec<f64> {
        let interpolator = Interpolator::new(Arc::clone(&self.grid));
        let field = CellField {
            tissue: &values[..self.grid.tissue_cells],
            metal: None,
            metal_share: 0.0,
        };
        points
            .iter()
            .map(|p| interpolator.sample(p, &field).unwrap_or(f64::NAN))
            .collect()
    }
}

/// A cube round the origin.
pub(in crate::verify) fn cube(half: f64) -> Region {
    Region::Box {
        center: Vec3::zeros(),
        half: Vec3::repeat(half),
    }
}

/// Sizes for a grid without needles: `h` at the centre, growing with distance. A growth of zero is a hair above it, since a
/// leaf that equals the wanted size but for rounding is split once more.
pub(in crate::verify) fn octree(h: f64, growth: f64) -> Sizing {
    Sizing {
        octree_first: h,
        octree_growth: growth.max(1e-5),
        ..Sizing::default()
    }
}

/// A straight needle of 0.908 mm along z whose rounded end has its centre at the origin; all of it but the cut end conducts
/// when potentials are given on all of its metal.
pub(in crate::verify) fn needle(active_length: f64) -> FittedNeedle {
    let radius = 0.454e-3;
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -radius), -Vec3::z(), radius);
    FittedNeedle::rounded(axis, radius, active_length, 0.1)
}

fn converged(solved: &Solved) -> Result<(), String> {
    if solved.converged {
        Ok(())
    } else {
        Err(format!(
            "the linear solve stopped at a residual of {:.1e} after {} iterations",
            solved.residual, solved.iterations
        ))
    }
}

/// Worst relative deviation of values from their references: `(value, reference, index)`.
pub(in crate::verify) fn worst(values: &[f64], references: &[f64]) -> (f64, f64, usize) {
    let deviation = |i: usize| {
        let d = ((values[i] - references[i]) / references[i]).abs();
        if d.is_nan() { f64::INFINITY } else { d }
    };
    let i = (0..values.len())
        .max_by(|&a, &b| deviation(a).total_cmp(&deviation(b)))
        .unwrap_or(0);
    (values[i], references[i], i)
}

/// The same with deviations counted against one size.
pub(in crate::verify) fn farthest(values: &[f64], references: &[f64]) -> (f64, f64, usize) {
    let deviation = |i: usize| {
        let d = (values[i] - references[i]).abs();
        if d.is_nan() { f64::INFINITY } else { d }
    };
    let i = (0..values.len())
        .max_by(|&a, &b| deviation(a).total_cmp(&deviation(b)))
        .unwrap_or(0);
    (values[i], references[i], i)
}

/// Errors on ever finer grids or steps.
pub(in crate::verify) struct Series {
    unit: &'static str,
    rows: Vec<(f64, f64)>,
}

impl Series {
    pub fn new(unit: &'static str) -> Self {
        Self { unit, rows: Vec::new() }
    }

    pub fn push(&mut self, h: f64, error: f64) {
        self.rows.push((h, error.abs()));
    }

    /// Observed order between the two finest.
    pub fn order(&self) -> f64 {
        match self.rows[..] {
            [.., (h0, e0), (h1, e1)] => (e0 / e1).ln() / (h0 / h1).ln(),
            _ => f64::NAN,
        }
    }

    /// Error of the finest.
    pub fn last(&self) -> f64 {
        self.rows.last().map_or(f64::NAN, |r| r.1)
    }

    /// The errors, for the text of a claim.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (i, (h, e)) in self.rows.iter().enumerate() {
            let _ = write!(
                out,
                "{}{h:.3} {}: {e:.2e}",
                if i > 0 { ", " } else { "errors at " },
                self.unit
            );
            if i > 0 {
                let (h0, e0) = self.rows[i - 1];
                let _ = write!(out, " (order {:.2})", (e0 / e).ln() / (h0 / h).ln());
            }
        }
        out
    }
}
