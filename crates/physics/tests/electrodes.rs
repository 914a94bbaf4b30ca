//! Resistances of electrodes of every shape, against independent references and against mirrored, moved and refined copies.

use std::f64::consts::PI;

use neurotome_base::Vec3;
use neurotome_physics::{
    current::Current,
    grid::{Axis, Contact, FittedNeedle, Grid, Region, Sizing, Tine},
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

/// 18 G, tip of 5 mm, two tines.
fn tined(tines: usize) -> FittedNeedle {
    let a = 0.635e-3;
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -5e-3), -Vec3::z(), a).with_side(Vec3::x());
    FittedNeedle {
        tines: (0..tines)
            .map(|i| Tine {
                from: 1.5e-3,
                angle: 30f64.to_radians(),
                azimuth: 2.0 * PI * i as f64 / tines as f64,
                length: 4e-3,
                radius: 0.15e-3,
            })
            .collect(),
        ..FittedNeedle::rounded(axis, a, 5e-3, 0.065)
    }
}

fn two_contacts() -> FittedNeedle {
    let a = 0.65e-3;
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -10e-3), -Vec3::z(), a).with_side(Vec3::x());
    FittedNeedle {
        contacts: vec![Contact { from: 0.0, to: 4e-3 }, Contact { from: 7e-3, to: 11e-3 }],
        ..FittedNeedle::rounded(axis, a, 5e-3, 0.07)
    }
}

/// Resistances at 37 °C against NGSolve 6.2.2608, order 3 with adaptive refinement (order 5 where axisymmetric), errors below 0.05 %:
/// validation/crosscode/scripts/resistance.py.
fn resistance(needles: &[FittedNeedle], fractions: &[f64]) -> f64 {
    1.0 / conductance(needles, fractions, &Sizing::default()).1
}

fn close(name: &str, found: f64, reference: f64, relative: f64) {
    let deviation = found / reference - 1.0;
    eprintln!("{name}: {found:.3} against {reference:.3} Ω, {:+.2} %", 1e2 * deviation);
    assert!(deviation.abs() < relative, "{name}: {found} against {reference}");
}

#[test]
fn a_single_needle() {
    close("20 G", resistance(&[needle(0.0, 0.0)], &[1.0]), 96.648, 0.002);
}

#[test]
fn a_pair_two_millimetres_apart() {
    let pair = [needle(-1e-3, 0.0), needle(1e-3, 0.0)];
    close("pair", resistance(&pair, &[0.5, -0.5]), 92.54, 0.005);
}

#[test]
fn a_palisade_of_three() {
    let three = [needle(-5e-3, 0.0), needle(0.0, 0.0), needle(5e-3, 0.0)];
    close("palisade", resistance(&three, &[1.0; 3]), 46.568, 0.005);
}

#[test]
fn a_palisade_of_six_at_an_angle() {
    // Six needles, three turned by 10° about their tips: nothing to compare with, but current must balance and each needle add.
    let six: Vec<FittedNeedle> = (0..6)
        .map(|i| {
            let tilt = if i % 2 == 0 { 0.0 } else { 10f64.to_radians() };
            let direction = Vec3::new(0.0, tilt.sin(), -tilt.cos());
            let tip = Vec3::new(5e-3 * (i as f64 - 2.5), 0.0, -5e-3);
            FittedNeedle::rounded(Axis::straight(tip, direction, RADIUS), RADIUS, 10e-3, 0.065)
        })
        .collect();
    let (one, all) = (96.648, resistance(&six, &[1.0; 6]));
    assert!(all < 0.5 * one && all > one / 6.0, "{all}");
}

#[test]
fn tines_that_leave_a_cannula() {
    close("two tines", resistance(&[tined(2)], &[1.0]), 106.05, 0.005);
}

#[test]
fn two_contacts_on_one_shaft() {
    close(
        "two contacts",
        resistance(&[two_contacts()], &[0.5, -0.5]),
        252.498,
        0.005,
    );
}
