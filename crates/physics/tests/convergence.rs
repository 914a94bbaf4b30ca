//! Orders of convergence and errors of the solver, on the coarsest grids that show them. `neurotome verify --only convergence`
//! goes further.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::{
    current::Current,
    grid::{Axis, FittedNeedle, Grid, Region, Sizing},
    heat::{Heat, History},
    medium::{Laid, Medium, MetalProperties},
    tissue::TissueProperties,
};
use neurotome_testkit::ConvergenceTable;

const TOLERANCE: f64 = 1e-10;
const SIGMA: f64 = 0.446;
const K: f64 = 0.5;
const HEAT_CAPACITY: f64 = 3.7e6;

fn medium(grid: &Grid, needles: usize, perfusion: f64) -> Medium {
    let tissue = TissueProperties {
        sigma_s_per_m: SIGMA,
        sigma_temperature_coefficient_per_k: 0.0,
        sigma_limit_temperature_c: 100.0,
        thermal_conductivity_w_per_m_k: K,
        density_kg_per_m3: 1000.0,
        specific_heat_j_per_kg_k: 1e-3 * HEAT_CAPACITY,
        perfusion_per_s: perfusion,
        ..TissueProperties::default()
    };
    let steel = MetalProperties {
        thermal_conductivity: 16.2,
        heat_capacity: 3.95e6,
    };
    Medium::new(grid, &[tissue], &Laid::tissue(&|_| 0), &vec![steel; needles], 1.0)
}

fn cube(half: f64) -> Region {
    Region::Box {
        center: Vec3::zeros(),
        half: Vec3::repeat(half),
    }
}

/// A cube without needles, cells `h + growth · distance`.
fn octree(half: f64, h: f64, growth: f64) -> Grid {
    let sizing = Sizing {
        octree_first: h,
        octree_growth: growth.max(1e-5),
        ..Sizing::default()
    };
    Grid::new(cube(half), &[], &sizing, &|_| 0).unwrap()
}

/// Volume-weighted root mean square of the error over that of the exact field.
fn l2(grid: &Grid, values: &[f64], exact: impl Fn(&Vec3) -> f64) -> f64 {
    let (mut error, mut size) = (0.0, 0.0);
    for (i, v) in values[..grid.tissue_cells].iter().enumerate() {
        let e = exact(&grid.center[i]);
        error += grid.volume[i] * (v - e).powi(2);
        size += grid.volume[i] * e * e;
    }
    (error / size).sqrt()
}

fn potential(grid: &Grid, needles: usize, exact: &dyn Fn(&Vec3) -> f64) -> (Vec<f64>, f64) {
    let n = grid.cells();
    let medium = medium(grid, needles, 0.0);
    let mut current = Current::with_potentials(grid, &medium, &|f| Some(exact(&grid.foot(f))), &|f| {
        Some(exact(&f.foot))
    });
    let state = current.solve_one_volt(grid, &medium, &vec![37.0; n], TOLERANCE, &mut vec![0.0; n]);
    assert!(state.solved.converged, "{:?}", state.solved);
    if needles > 0 {
        assert!(state.balance.abs() < 1e-9, "{state:?}");
    }
    (current.potential(&[1.0]), state.current)
}

#[test]
fn potential_is_of_second_order_on_uniform_and_graded_octrees() {
    let q = 100.0;
    let harmonic = |p: &Vec3| (q * 2.0f64.sqrt() * p.x).exp() * (q * p.y + 0.3).cos() * (q * p.z - 0.5).cos();
    for (name, growth, first, error) in [
        ("uniform octree", 0.0, 4e-3, 1.84e-3),
        ("graded octree", 0.22, 2e-3, 1.80e-3),
    ] {
        let mut table = ConvergenceTable::new(name, "potential, relative root mean square", "m", "1");
        for part in [1.0, 0.5, 0.25] {
            let grid = octree(16e-3, first * part, growth * part);
            table.push(first * part, l2(&grid, &potential(&grid, 0, &harmonic).0, harmonic));
        }
        table.assert_order_at_least(1.9);
        table.assert_last_error_within(error, 0.02);
    }
}

#[test]
fn steady_temperature_is_of_second_order_on_uniform_and_graded_octrees() {
    let w = 2e4;
    let (a, b, c) = (130.0, 170.0, 110.0);
    let wave = |p: &Vec3| (a * p.x + 0.4).sin() * (b * p.y).cos() * (c * p.z - 0.2).cos();
    let exact = |p: &Vec3| wave(p) + 20.0 * p.z;
    for (name, growth, first, error) in [
        ("uniform octree", 0.0, 4e-3, 1.76e-3),
        ("graded octree", 0.22, 2e-3, 2.08e-3),
    ] {
        let mut table = ConvergenceTable::new(name, "temperature, relative root mean square", "m", "1");
        for part in [1.0, 0.5, 0.25] {
            let grid = octree(16e-3, first * part, growth * part);
            let medium = medium(&grid, 0, w);
            let mut heat = Heat::new(&grid, &medium);
            heat.set_operator(0.0, &medium.capacity, &medium.perfusion);
            let mut source: Vec<f64> = (0..grid.cells())
                .map(|i| {
                    let p = &grid.centroid[i];
                    grid.volume[i] * (K * (a * a + b * b + c * c) * wave(p) + w * exact(p))
                })
                .collect();
            for (f, g) in grid.outer.iter().zip(&medium.outer_thermal) {
                source[f.cell as usize] += g * exact(&f.foot);
            }
            let mut x = vec![0.0; grid.cells()];
            assert!(heat.solve(&source, &mut x, TOLERANCE).converged);
            table.push(first * part, l2(&grid, &x, exact));
        }
        table.assert_order_at_least(1.9);
        table.assert_last_error_within(error, 0.02);
    }
}

#[test]
fn backward_differences_are_of_second_order_at_equal_and_unequal_steps() {
    // On equal cubes the cosine is an eigenvector of the discrete conduction, so that only time errs.
    let (half, h) = (8e-3, 4e-3);
    let grid = octree(half, h, 0.0);
    let medium = medium(&grid, 0, 0.0);
    let eigenvalue = 12.0 / (h * h) * (PI * h / (4.0 * half)).sin().powi(2);
    let rate = K * eigenvalue / HEAT_CAPACITY;
    let q = PI / (2.0 * half);
    let mode = |p: &Vec3, t: f64| (q * p.x).cos() * (q * p.y).cos() * (q * p.z).cos() * (-rate * t).exp();
    let field = |t: f64| -> Vec<f64> { grid.center.iter().map(|p| mode(p, t)).collect() };
    let end = 2.0 / rate;
    let mut heat = Heat::new(&grid, &medium);
    // Steps late by a fifth at every other time: in the ratio 1.5 : 1 by turns.
    for (name, late, least) in [("equal steps", 0.0, 1.9), ("steps 1.5 : 1 by turns", 0.2, 1.9)] {
        let mut table = ConvergenceTable::new(name, "temperature, relative root mean square", "s", "1");
        for steps in [10u32, 20, 40] {
            let dt = end / f64::from(steps);
            let mut history = History::new((late - 1.0) * dt, field((late - 1.0) * dt));
            history.push(0.0, field(0.0));
            for i in 1..=steps {
                let t = dt * (f64::from(i) + if i % 2 == 1 { late } else { 0.0 });
                let (shift, past) = history.backward_difference(t);
                heat.set_operator(shift, &medium.capacity, &medium.perfusion);
                let mut b = vec![0.0; grid.cells()];
                for (point, weight) in history.points().iter().zip(&past) {
                    for ((b, x), c) in b.iter_mut().zip(&point.1).zip(&medium.capacity) {
                        *b += c * weight * x;
                    }
                }
                let mut x = vec![0.0; grid.cells()];
                assert!(heat.solve(&b, &mut x, TOLERANCE).converged);
                history.push(t, x);
            }
            table.push(dt, l2(&grid, &history.newest().1, |p| mode(p, end)));
        }
        table.assert_order_at_least(least);
        table.assert_last_error_at_most(1.8e-3);
    }
}

#[test]
fn current_of_a_fitted_needle_converges_to_that_of_a_line_source() {
    // Exact data on metal and outer boundary: the whole ampere enters, but for what the cut end of the metal would carry.
    let (radius, c) = (0.454e-3, 4.55e-3);
    let line = |p: &Vec3| {
        let sum = p.norm() + (p - Vec3::z() * (2.0 * c)).norm();
        ((sum + 2.0 * c) / (sum - 2.0 * c)).ln() / (8.0 * PI * SIGMA * c)
    };
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -radius), -Vec3::z(), radius);
    let needle = FittedNeedle::rounded(axis, radius, 10e-3, 0.1);
    let errors: Vec<f64> = [2.0, 1.0]
        .iter()
        .map(|&scale| {
            let default = Sizing::default();
            let sizing = Sizing {
                along_shaft: default.along_shaft * scale,
                octree_shaft: default.octree_shaft * scale,
                ..default.scaled(scale)
            };
            let grid = Grid::new(cube(40e-3), std::slice::from_ref(&needle), &sizing, &|_| 0).unwrap();
            (potential(&grid, 1, &line).1 - 1.0).abs()
        })
        .collect();
    assert!(errors[1] < 2.6e-3 && errors[0] > 3.0 * errors[1], "{errors:?}");
}

#[test]
fn iterations_do_not_grow_with_the_grid() {
    let harmonic = |p: &Vec3| 1.0 + 20.0 * p.x - 30.0 * p.y;
    let count = |h: f64| {
        let grid = octree(16e-3, h, 0.0);
        let medium = medium(&grid, 0, 0.0);
        let n = grid.cells();
        let mut current = Current::with_potentials(&grid, &medium, &|_| None, &|f| Some(harmonic(&f.foot)));
        let state = current.solve_one_volt(&grid, &medium, &vec![37.0; n], 1e-8, &mut vec![0.0; n]);
        assert!(state.solved.converged);
        state.solved.iterations
    };
    let (coarse, fine) = (count(2e-3), count(1e-3));
    assert!(
        fine <= coarse + 3,
        "{coarse} iterations, then {fine} with 8 times the cells"
    );
}

/// σ three times as large along a slanted fibre: the potential of a point outside the region, in coordinates stretched along
/// the fibre, is exact. Second order on a uniform octree; where cells of two sizes meet, the gradient is of first order.
#[test]
fn conduction_along_slanted_fibres_converges() {
    const RATIO: f64 = 3.0;
    let fibre = Vec3::new(0.5, 0.3, 0.8).normalize();
    let source = Vec3::new(34e-3, -6e-3, 9e-3);
    let exact = |p: &Vec3| {
        let d = p - source;
        let along = d.dot(&fibre);
        1e-3 / (d.norm_squared() - along * along + along * along / RATIO).sqrt()
    };
    for (growth, order, largest) in [(0.0, 1.9, 3e-4), (0.1, 1.3, 6e-4)] {
        let mut errors = Vec::new();
        for h in [2e-3, 1e-3] {
            let grid = octree(16e-3, h, growth * h / 2e-3);
            let tissue = TissueProperties {
                sigma_s_per_m: SIGMA,
                sigma_fibre_ratio: RATIO,
                thermal_conductivity_w_per_m_k: K,
                specific_heat_j_per_kg_k: 1.0,
                ..TissueProperties::default()
            };
            let laid = Laid {
                fibre: &|_| fibre,
                ..Laid::tissue(&|_| 0)
            };
            let medium = Medium::new(&grid, &[tissue], &laid, &[], 1.0);
            let mut current = Current::with_potentials(&grid, &medium, &|_| None, &|f| Some(exact(&f.foot)));
            let n = grid.cells();
            let state = current.solve_one_volt(&grid, &medium, &vec![37.0; n], TOLERANCE, &mut vec![0.0; n]);
            assert!(state.solved.converged, "{:?}", state.solved);
            errors.push(l2(&grid, &current.potential(&[1.0]), exact));
        }
        let observed = (errors[0] / errors[1]).log2();
        assert!(observed > order && errors[1] < largest, "growth {growth}: {errors:?}");
    }
}
