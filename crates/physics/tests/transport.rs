//! Fluid and solutes in porous tissue against closed forms: orders of convergence, balances, bounds.

use std::f64::consts::PI;

use neurotome_base::{Vec3, random::Stream};
use neurotome_physics::transport::{BoxGrid, Carrier, Flow, FlowError, FlowProblem, FlowSource, Mixing, Sheet, Solute};
use neurotome_testkit::ConvergenceTable;
use proptest::prelude::*;

const MM: f64 = 1e-3;
const K: f64 = 1.5e-13;
const MU: f64 = 1e-3;
const RATE: f64 = 1e-8;
const POROSITY: f64 = 0.25;

fn point_source(r: f64) -> f64 {
    RATE * MU / (4.0 * PI * K * r)
}

/// Root mean square of the error over that of the exact pressure, beyond `from` of the source.
fn pressure_error(h: f64, sheets: &[Sheet], half: [usize; 3], exact: &(dyn Fn(&Vec3) -> f64 + Sync)) -> f64 {
    // The source lies in the middle of a cell at the origin.
    let first = -Vec3::new(half[0] as f64, half[1] as f64, half[2] as f64) * h;
    let grid = BoxGrid::new(half.map(|n| 2 * n + 1), first, h).unwrap();
    let source = FlowSource {
        cell: grid.cell_at(&Vec3::zeros()).unwrap(),
        rate_m3_per_s: RATE,
    };
    let flow = Flow::new(&FlowProblem {
        grid: &grid,
        permeability_m2: &vec![K; grid.cells()],
        sheets,
        viscosity_pa_s: MU,
        sources: &[source],
        outer_pressure_pa: exact,
    })
    .unwrap();
    let (mut error, mut size) = (0.0, 0.0);
    for cell in 0..grid.cells() {
        let p = grid.center_m(cell);
        if p.norm() > 2.0 * MM {
            error += (flow.pressure_pa[cell] - exact(&p)).powi(2);
            size += exact(&p).powi(2);
        }
    }
    assert!((flow.outflow_m3_per_s() / RATE - 1.0).abs() < 1e-8);
    (error / size).sqrt()
}

#[test]
fn pressure_round_a_point_is_of_second_order() {
    let mut table = ConvergenceTable::new("point source", "pressure", "mm", "1");
    for n in [8, 16, 32] {
        let h = 8.0 / f64::from(n);
        let exact = |p: &Vec3| point_source(p.norm());
        table.push(h, pressure_error(h * MM, &[], [n as usize; 3], &exact));
    }
    table.assert_order_at_least(1.8);
    table.assert_last_error_within(5.16e-4, 0.05);
}

#[test]
fn pressure_beside_a_wall_is_that_of_two_sources() {
    // The wall lies on faces, 3.5 cells from the source on the coarsest grid.
    let mut table = ConvergenceTable::new("point source beside a wall", "pressure", "mm", "1");
    for n in [8usize, 24] {
        let h = 8.0 / n as f64 * MM;
        let wall = Sheet {
            point_m: Vec3::new(3.5 * MM, 0.0, 0.0),
            normal: Vec3::x(),
            radius_m: f64::INFINITY,
        };
        let image = Vec3::new(7.0 * MM, 0.0, 0.0);
        // Beyond the wall there is no flow: the pressure there is that of the wall's far side, held at zero by the outer boundary.
        let exact = move |p: &Vec3| {
            if p.x > 3.5 * MM {
                0.0
            } else {
                point_source(p.norm()) + point_source((p - image).norm())
            }
        };
        table.push(h, pressure_error(h, &[wall], [n; 3], &exact));
    }
    assert!(table.orders()[0] > 1.6, "{table}");
    assert!(table.rows[1].error < 4e-3, "{table}");
}

/// Fluid injected from the origin: amounts of fluid share, and the grid.
fn injected(h: f64, half: f64, volume_m3: f64, steps: usize) -> (BoxGrid, Solute) {
    let grid = BoxGrid::around(Vec3::zeros(), half, h).unwrap();
    let exact = |p: &Vec3| point_source(p.norm());
    let sources = [FlowSource {
        cell: grid.cell_at(&Vec3::zeros()).unwrap(),
        rate_m3_per_s: RATE,
    }];
    let flow = Flow::new(&FlowProblem {
        grid: &grid,
        permeability_m2: &vec![K; grid.cells()],
        sheets: &[],
        viscosity_pa_s: MU,
        sources: &sources,
        outer_pressure_pa: &exact,
    })
    .unwrap();
    let carrier = Carrier::new(&grid, &flow, &sources);
    let mut fluid = Solute::new(vec![POROSITY * grid.cell_m3(); grid.cells()]);
    for _ in 0..steps {
        fluid.carry(&carrier, 1.0, volume_m3 / RATE / steps as f64);
    }
    (grid, fluid)
}

/// Where the concentration falls through one half along a direction, m.
fn front(grid: &BoxGrid, fluid: &Solute, direction: &Vec3) -> f64 {
    let at = |r: f64| {
        let mut c = 0.0;
        grid.between(&(direction * r), |cell, w| c += w * fluid.concentration(cell));
        c
    };
    let (mut low, mut high) = (0.0, 9.0 * MM);
    while high - low > 1e-7 {
        let middle = 0.5 * (low + high);
        if at(middle) > 0.5 { low = middle } else { high = middle }
    }
    low
}

#[test]
fn the_front_of_an_injection_is_the_sphere_of_its_volume() {
    let volume = 0.5e-6;
    let radius = (3.0 * volume / (4.0 * PI * POROSITY)).cbrt();
    let mut table = ConvergenceTable::new("front of an injection", "radius along the axis", "mm", "mm");
    for (h, steps) in [(1.0, 40), (0.5, 80), (0.25, 160)] {
        let (grid, fluid) = injected(h * MM, 11.0 * MM, volume, steps);
        let straight = front(&grid, &fluid, &Vec3::x());
        let oblique = front(&grid, &fluid, &Vec3::new(1.0, 1.0, 1.0).normalize());
        table.push(h, ((straight - radius).abs() + (oblique - radius).abs()) / MM);
        assert!(fluid.imbalance().abs() < 1e-12, "{}", fluid.imbalance());
        let highest = (0..grid.cells()).map(|c| fluid.concentration(c)).fold(0.0, f64::max);
        assert!(highest <= 1.0 + 1e-7, "{highest}");
    }
    // The sum of two directions; the upwind step is of first order.
    table.assert_order_at_least(1.0);
    table.assert_last_error_within(0.182, 0.02);
}

fn gaussian(r2: f64, width2: f64) -> f64 {
    (-r2 / (2.0 * width2)).exp() / (2.0 * PI * width2).powf(1.5)
}

#[test]
fn diffusion_from_a_point_is_of_second_order() {
    // From 2 Dt = (1.5 mm)² on, when the point is a bell that cells resolve.
    let (d, start2, time_s) = (4e-10, (1.5 * MM).powi(2), 2000.0);
    let mut table = ConvergenceTable::new("diffusion from a point", "concentration", "mm", "1");
    for h in [1.0, 0.5, 0.25] {
        let grid = BoxGrid::around(Vec3::zeros(), 11.0 * MM, h * MM).unwrap();
        let n = grid.cells();
        let mut drug = Solute::new(vec![POROSITY * grid.cell_m3(); n]);
        for cell in 0..n {
            drug.amount[cell] = gaussian(grid.center_m(cell).norm_squared(), start2) * drug.capacity_m3[cell];
        }
        drug.injected = drug.total();
        // The diffusion of tissue is that of pores times their share.
        let mixing = Mixing::new(&grid, &vec![POROSITY * d; n], vec![0.0; n], &drug, &[]);
        drug.mix(&mixing, time_s);
        let (mut error, mut size) = (0.0, 0.0);
        for cell in 0..n {
            let exact = gaussian(grid.center_m(cell).norm_squared(), start2 + 2.0 * d * time_s);
            error += (drug.concentration(cell) - exact).powi(2);
            size += exact * exact;
        }
        table.push(h, (error / size).sqrt());
        assert!(drug.imbalance().abs() < 1e-12);
    }
    table.assert_order_at_least(1.9);
    table.assert_last_error_within(1.36e-3, 0.02);
}

#[test]
fn uptake_is_exponential_and_goes_to_blood() {
    let grid = BoxGrid::new([3; 3], Vec3::zeros(), MM).unwrap();
    let mut drug = Solute::new(vec![2e-10; 27]);
    drug.amount = vec![1.0; 27];
    drug.injected = 27.0;
    let mixing = Mixing::new(&grid, &[1e-10; 27], vec![1e-3; 27], &drug, &[]);
    drug.mix(&mixing, 700.0);
    let kept = 27.0 * (-0.7f64).exp();
    assert!((drug.total() / kept - 1.0).abs() < 1e-13);
    assert!((drug.absorbed / (27.0 - kept) - 1.0).abs() < 1e-13);
    assert!(drug.imbalance().abs() < 1e-14);
}

#[test]
fn a_sheet_keeps_both_flow_and_solute_on_its_side() {
    let grid = BoxGrid::around(Vec3::zeros(), 6.0 * MM, 0.5 * MM).unwrap();
    let n = grid.cells();
    let sheet = [Sheet {
        point_m: Vec3::new(1.75 * MM, 0.0, 0.0),
        normal: Vec3::x(),
        radius_m: f64::INFINITY,
    }];
    let sources = [FlowSource {
        cell: grid.cell_at(&Vec3::zeros()).unwrap(),
        rate_m3_per_s: RATE,
    }];
    let flow = Flow::new(&FlowProblem {
        grid: &grid,
        permeability_m2: &vec![K; n],
        sheets: &sheet,
        viscosity_pa_s: MU,
        sources: &sources,
        outer_pressure_pa: &|_| 0.0,
    })
    .unwrap();
    let carrier = Carrier::new(&grid, &flow, &sources);
    let mut fluid = Solute::new(vec![POROSITY * grid.cell_m3(); n]);
    let mixing = Mixing::new(&grid, &vec![1e-10; n], vec![0.0; n], &fluid, &sheet);
    for _ in 0..20 {
        fluid.carry(&carrier, 1.0, 0.5);
        fluid.mix(&mixing, 20.0);
    }
    let beyond: f64 = (0..n)
        .filter(|c| grid.center_m(*c).x > 1.75 * MM)
        .map(|c| fluid.amount[c])
        .sum();
    assert_eq!(beyond, 0.0);
    assert!((fluid.injected / (RATE * 10.0) - 1.0).abs() < 1e-12);
}

#[test]
fn a_source_in_a_closed_pocket_is_refused() {
    let grid = BoxGrid::new([7; 3], Vec3::zeros(), MM).unwrap();
    let middle = grid.cell_at(&Vec3::repeat(3.0 * MM)).unwrap();
    // A shell of bone round the middle.
    let k: Vec<f64> = (0..grid.cells())
        .map(|c| {
            let p = grid.place(c).map(|i| (i as i64 - 3).abs());
            if p.into_iter().max() == Some(1) { 0.0 } else { K }
        })
        .collect();
    let flow = |cell| {
        Flow::new(&FlowProblem {
            grid: &grid,
            permeability_m2: &k,
            sheets: &[],
            viscosity_pa_s: MU,
            sources: &[FlowSource {
                cell,
                rate_m3_per_s: RATE,
            }],
            outer_pressure_pa: &|_| 0.0,
        })
    };
    assert_eq!(flow(middle).unwrap_err(), FlowError::Enclosed { cell: middle });
    assert!(flow(usize::MAX).is_err());
    assert!(flow(0).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn amounts_are_kept_and_stay_between_their_bounds(
        seed in any::<u64>(), closed in 0.0..0.5f64, dt in 0.1..50.0f64, uptake in 0.0..0.01f64, diffusion in 0.0..1e-8f64,
    ) {
        let grid = BoxGrid::new([9, 8, 7], Vec3::zeros(), 0.7 * MM).unwrap();
        let n = grid.cells();
        let middle = grid.cell_at(&(Vec3::new(4.0, 4.0, 3.0) * 0.7 * MM)).unwrap();
        let (random, mut drawn) = (Stream::new(seed), 0);
        let mut draw = || {
            drawn += 1;
            random.uniform(drawn)
        };
        let k: Vec<f64> = (0..n)
            .map(|c| {
                let bone = draw() < closed && grid.place(c)[0] != 4;
                if bone { 0.0 } else { K * (0.1 + draw()) }
            })
            .collect();
        let sources = [FlowSource { cell: middle, rate_m3_per_s: RATE }];
        let flow = Flow::new(&FlowProblem {
            grid: &grid, permeability_m2: &k, sheets: &[], viscosity_pa_s: MU, sources: &sources, outer_pressure_pa: &|_| 0.0,
        }).unwrap();
        let carrier = Carrier::new(&grid, &flow, &sources);
        let capacity = (0..n).map(|c| if k[c] > 0.0 { (0.1 + 0.5 * draw()) * grid.cell_m3() } else { 0.0 }).collect();
        let mut fluid = Solute::new(capacity);
        let spread: Vec<f64> = k.iter().map(|k| if *k > 0.0 { diffusion } else { 0.0 }).collect();
        let mixing = Mixing::new(&grid, &spread, vec![uptake; n], &fluid, &[]);
        let mut absorbed = 0.0;
        for _ in 0..8 {
            fluid.carry(&carrier, 1.0, dt);
            fluid.mix(&mixing, dt);
            prop_assert!(fluid.absorbed >= absorbed);
            absorbed = fluid.absorbed;
        }
        prop_assert!(fluid.imbalance().abs() < 1e-12, "{}", fluid.imbalance());
        for c in 0..n {
            prop_assert!(fluid.amount[c] >= 0.0);
            prop_assert!(fluid.concentration(c) <= 1.0 + 1e-6, "{}", fluid.concentration(c));
            prop_assert!(k[c] > 0.0 || fluid.amount[c] == 0.0);
        }
    }
}
