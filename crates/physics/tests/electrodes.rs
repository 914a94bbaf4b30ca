//! Resistances of electrodes of every shape, against independent references and against mirrored, moved and refined copies.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::{
    current::Current,
    grid::{Axis, FittedNeedle, Grid, Region, Sizing},
    medium::{Laid, Medium, MetalProperties},
    tissue::TissueProperties,
};

const SIGMA: f64 = 0.446;
const RADIUS: f64 = 0.454e-3;

/// The cylinder of the field cases.
fn region() -> Region {
    Region::Cylinder {
        center: Vec3::zeros(),
        axis: Vec3::z(),
        radius: 60e-3,
        half_length: 60e-3,
    }
}

/// A 20 G needle whose distal end stands at `(x, y, −5 mm)`.
fn needle(x: f64, y: f64) -> FittedNeedle {
    let axis = Axis::straight(Vec3::new(x, y, -5e-3), -Vec3::z(), RADIUS);
    FittedNeedle::rounded(axis, RADIUS, 10e-3, 0.065)
}

/// Power at one volt is the conductance; cells and S.
fn conductance(needles: &[FittedNeedle], fractions: &[f64], sizing: &Sizing) -> (usize, f64) {
    let grid = Grid::new(region(), needles, sizing, &|_| 0).unwrap();
    let tissue = TissueProperties {
        sigma_s_per_m: SIGMA,
        sigma_temperature_coefficient_per_k: 0.0,
        sigma_limit_temperature_c: 100.0,
        thermal_conductivity_w_per_m_k: 0.5,
        density_kg_per_m3: 1000.0,
        specific_heat_j_per_kg_k: 3700.0,
        perfusion_per_s: 0.0,
        ..TissueProperties::default()
    };
    let steel = MetalProperties {
        thermal_conductivity: 16.2,
        heat_capacity: 3.95e6,
    };
    let medium = Medium::new(
        &grid,
        &[tissue],
        &Laid::tissue(&|_| 0),
        &vec![steel; needles.len()],
        1.0,
    );
    let n = grid.cells();
    let mut current = Current::new(&grid, &medium, fractions);
    let state = current.solve_one_volt(&grid, &medium, &vec![37.0; n], 1e-9, &mut vec![0.0; n]);
    assert!(state.solved.converged && state.balance.abs() < 1e-7, "{state:?}");
    let metal: f64 = grid.volume[grid.tissue_cells..].iter().sum();
    let all: f64 = grid.volume.iter().sum();
    eprintln!(
        "cells {n} R {:.4} volume {:.3e} metal {:.4e}",
        1.0 / state.conductance,
        all / (PI * 60e-3f64.powi(2) * 120e-3) - 1.0,
        metal
    );
    (n, state.conductance)
}

#[test]
fn table() {
    for scale in [1.6, 1.0, 0.625] {
        let sizing = Sizing::default().scaled(scale);
        conductance(&[needle(0.0, 0.0)], &[1.0], &sizing);
    }
    for gap in [10e-3, 5e-3, 2e-3, 1.2e-3] {
        for scale in [1.6, 1.0, 0.625] {
            let t = std::time::Instant::now();
            let sizing = Sizing::default().scaled(scale);
            conductance(
                &[needle(-0.5 * gap, 0.0), needle(0.5 * gap, 0.0)],
                &[0.5, -0.5],
                &sizing,
            );
            eprintln!("gap {gap} scale {scale} {:?}", t.elapsed());
        }
    }
}
