use std::time::Instant;
use neurotome_base::Vec3;
use neurotome_physics::{current::Current, grid::*, heat::Heat, medium::*, tissue::TissueProperties};
fn main() {
    let factor: f64 = std::env::args().nth(1).map_or(1.0, |s| s.parse().unwrap());
    let tilt: f64 = std::env::args().nth(2).map_or(0.0, |s| s.parse().unwrap());
    let dir = Vec3::new(tilt.sin() * 0.8, tilt.sin() * 0.6, -tilt.cos());
    let a = 0.454e-3;
    let tip = dir * 5e-3;
    let needle = FittedNeedle { axis: Axis::straight(tip, dir, a), radius: a, active_length: 10e-3, length: 100e-3 };
    let region = Region::Cylinder { center: Vec3::zeros(), axis: -dir, radius: 60e-3, half_length: 60e-3 };
    let muscle = TissueProperties { sigma_s_per_m: 0.446, sigma_temperature_coefficient_per_k: 0.015, sigma_limit_temperature_c: 100.0, thermal_conductivity_w_per_m_k: 0.49, density_kg_per_m3: 1090.0, specific_heat_j_per_kg_k: 3421.0, perfusion_per_s: 0.0007, water_fraction: 0.75 };
    let at = |_: &Vec3| 0u8;
    let t0 = Instant::now();
    let sizing = Sizing::default().scaled(factor);
    let grid = Grid::new(region, &[needle], &sizing, &at).unwrap();
    let t1 = Instant::now();
    let medium = Medium::new(&grid, &[muscle], &at, &[MetalProperties { thermal_conductivity: 16.2, heat_capacity: 7900.0 * 500.0 }], 1050.0 * 3617.0);
    let t2 = Instant::now();
    let vol: f64 = grid.volume.iter().sum();
    let exact = std::f64::consts::PI * 60e-3f64.powi(2) * 120e-3;
    println!("cells {} (shell {}, metal {}) faces {} outer {} volume err {:.5}  grid {:?} medium {:?}", grid.cells(), grid.shells[0].tissue_cells(), grid.shells[0].metal_cells(), grid.faces.len(), grid.outer.len(), vol / exact - 1.0, t1 - t0, t2 - t1);
    println!("shells {} meridian {}", grid.shells[0].shells(), grid.shells[0].meridian());
    let mut current = Current::new(&grid, &[1.0]);
    let temperature = vec![37.0; grid.cells()];
    let mut q = vec![0.0; grid.cells()];
    let t3 = Instant::now();
    let s = current.solve(&grid, &medium, &temperature, 1e-8, &mut q);
    let t4 = Instant::now();
    println!("Z {:.4} balance {:.1e} {:?} levels {:?} time {:?}", 1.0 / s.conductance, s.balance, s.solved, current.level_sizes(), t4 - t3);
    current.potential.fill(0.0);
    let t4 = Instant::now();
    let s = current.solve(&grid, &medium, &temperature, 1e-8, &mut q);
    println!("again {} its {:?}", s.solved.iterations, t4.elapsed());
    let t5 = Instant::now();
    let mut heat = Heat::new(&grid, &medium);
    let t6 = Instant::now();
    for dt in [0.01, 0.1, 1.0, 5.0] {
        heat.set_operator(1.0 / dt, &medium.capacity, &medium.perfusion);
        let mut x = vec![0.0; grid.cells()];
        let b: Vec<f64> = q.iter().map(|q| q * 400.0).collect();
        let t = Instant::now();
        let s = heat.solve(&b, &mut x, 1e-8);
        println!("heat dt {dt}: {s:?} {:?} max {:.3}", t.elapsed(), x.iter().fold(0.0f64, |m, v| m.max(*v)));
    }
    println!("heat setup {:?}", t6 - t5);
    // Volumes by shells of linear function consistency: conduct a linear potential.
    let mut y = vec![0.0; grid.cells()];
    let x: Vec<f64> = grid.center.iter().map(|c| c.x * 1e3).collect();
    heat.conduct(&x, &mut y);
    let sn = grid.shells[0].tissue_cells();
    let mut worst = (0.0, 0);
    let mut n = 0; 
    let mut edge = vec![false; grid.cells()]; for o in &grid.outer { edge[o.cell as usize] = true; }
    for i in sn..grid.tissue_cells { if !edge[i] { let e = y[i].abs() / (0.49 * grid.size[i] * 1e3*grid.size[i]); n += 1; if e > worst.0 { worst = (e, i); } } }
    println!("linear function: worst relative flux imbalance {:?} of {n} at {:?} size {}", worst, grid.center[worst.1] * 1e3, grid.size[worst.1]);
}
