//! What solver, projector and fibres spend their time on, for `cargo xtask bench`: `kernels count NAME` under callgrind, `kernels scaling CELL_SIZE…`
//! for times. benches/README.md tells more.
#![allow(clippy::disallowed_methods)] // Measuring needs a clock and arguments.

use std::{hint::black_box, time::Instant};

use neurotome_base::{Affine, Vec3, Volume, parallel::for_parts};
use neurotome_physics::{
    axon::{Criterion, Fibre, Geometry, GeometrySet, Membrane, Myelinated, Pulse, Search, Stimulated, Unmyelinated},
    current::Current,
    grid::{Axis, FittedNeedle, Grid, Region, Sizing},
    injury::Arrhenius,
    linear::{Graph, Matrix, Multigrid, Workspace, conjugate_gradients},
    medium::{Laid, Medium, MetalProperties},
    tissue::TissueProperties,
    xray::{Projector, View},
};

/// Shift of a heat step of about a second, 1/s.
const SHIFT: f64 = 1.0;
/// Cells of the grid on which instructions are counted, times the usual size.
const COUNTED: f64 = 4.0;
/// Relative residual of the solves.
const TOLERANCE: f64 = 1e-8;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("names") => println!("{}", KERNELS.join("\n")),
        Some("count") => in_pool(1, || count(args.get(1).map_or("", String::as_str))),
        Some("scaling") => {
            let sizes: Vec<f64> = args[1..].iter().filter_map(|a| a.parse().ok()).collect();
            scaling(&sizes);
        }
        // Test runners ask every target for its tests; there are none.
        _ => eprintln!("run by `cargo xtask bench`"),
    }
}

fn in_pool<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(f),
        Err(e) => {
            eprintln!("no pool of {threads} threads: {e}");
            f()
        }
    }
}

/// A 20 G needle with a 10 mm tip in muscle, cells `scale` times the usual size.
fn grid(scale: f64) -> Result<Grid, String> {
    let radius = 0.454e-3;
    let axis = Axis::straight(Vec3::new(0.0, 0.0, -5e-3), -Vec3::z(), radius);
    let needle = FittedNeedle::rounded(axis, radius, 10e-3, 0.1);
    let region = Region::Cylinder {
        center: Vec3::zeros(),
        axis: Vec3::z(),
        radius: 60e-3,
        half_length: 60e-3,
    };
    Grid::new(region, &[needle], &Sizing::default().scaled(scale), &|_| 0).map_err(|e| e.to_string())
}

fn medium(grid: &Grid) -> Medium {
    let muscle = TissueProperties {
        sigma_s_per_m: 0.446,
        sigma_temperature_coefficient_per_k: 0.015,
        sigma_limit_temperature_c: 100.0,
        thermal_conductivity_w_per_m_k: 0.49,
        density_kg_per_m3: 1090.0,
        specific_heat_j_per_kg_k: 3421.0,
        perfusion_per_s: 0.0007,
        ..TissueProperties::default()
    };
    let steel = MetalProperties {
        thermal_conductivity: 16.2,
        heat_capacity: 3.95e6,
    };
    Medium::new(grid, &[muscle], &Laid::tissue(&|_| 0), &[steel], 1050.0 * 3617.0)
}

/// Graph, matrix and diagonal's ground of a heat step.
fn heat_matrix(grid: &Grid, medium: &Medium) -> (Graph, Vec<f64>, Matrix<f64>) {
    let edges: Vec<(u32, u32)> = grid.faces.iter().map(|f| (f.a, f.b)).collect();
    let graph = Graph::new(grid.cells(), &edges);
    let mut ground: Vec<f64> = medium
        .perfusion
        .iter()
        .zip(&medium.capacity)
        .map(|(w, c)| w + SHIFT * c)
        .collect();
    for (f, g) in grid.outer.iter().zip(&medium.outer_thermal) {
        ground[f.cell as usize] += g;
    }
    let mut a = graph.matrix();
    graph.assemble(&medium.thermal, &ground, &mut a);
    (graph, ground, a)
}

/// The kernels whose instructions are counted.
const KERNELS: [&str; 12] = [
    "grid",
    "assembly",
    "hierarchy",
    "another-shift",
    "smoother",
    "cycle",
    "solve",
    "potential-again",
    "injury",
    "projection",
    "fibre-threshold",
    "c-fibre",
];

/// The function whose instructions are counted: callgrind is told its name.
#[inline(never)]
fn measured_kernel<T>(f: impl FnOnce() -> T) -> T {
    black_box(f())
}

/// Prepares one kernel and runs it once.
fn count(kernel: &str) {
    if kernel == "grid" {
        let _ = measured_kernel(|| grid(COUNTED).map(|g| g.cells()));
        return;
    }
    match kernel {
        "projection" => return count_projection(),
        "fibre-threshold" => return count_threshold(),
        "c-fibre" => return count_c_fibre(),
        _ => {}
    }
    let Ok(grid) = grid(COUNTED) else { return };
    let n = grid.cells();
    let medium = medium(&grid);
    let temperature: Vec<f64> = (0..n).map(|i| 40.0 + 30.0 * (i as f64 * 0.1).cos().abs()).collect();
    match kernel {
        "injury" => {
            let law = Arrhenius {
                ln_frequency_factor: 91.8,
                activation_energy_j_per_mol: 2.577e5,
            };
            measured_kernel(|| temperature.iter().map(|t| law.rate_per_s(*t)).sum::<f64>());
            return;
        }
        "potential-again" => {
            let mut current = Current::new(&grid, &medium, &[1.0]);
            let mut power = vec![0.0; n];
            let _ = current.solve_one_volt(&grid, &medium, &temperature, TOLERANCE, &mut power);
            measured_kernel(|| current.solve_one_volt(&grid, &medium, &temperature, TOLERANCE, &mut power));
            return;
        }
        _ => {}
    }
    let (graph, ground, mut a) = heat_matrix(&grid, &medium);
    match kernel {
        "assembly" => return measured_kernel(|| graph.assemble(&medium.thermal, &ground, &mut a)),
        "hierarchy" => {
            measured_kernel(|| Multigrid::new(&a, &medium.capacity, SHIFT).level_sizes());
            return;
        }
        _ => {}
    }
    let mut multigrid = Multigrid::new(&a, &medium.capacity, SHIFT);
    let b: Vec<f64> = (0..n).map(|i| medium.capacity[i] * (i as f64 * 0.1).sin()).collect();
    match kernel {
        "another-shift" => {
            measured_kernel(|| multigrid.follow(&a, 1.5 * SHIFT));
        }
        "smoother" => measured_kernel(|| multigrid.smooth_finest()),
        "cycle" => {
            measured_kernel(|| multigrid.precondition(&b, 1.0).len());
        }
        "solve" => {
            let (mut workspace, mut x) = (Workspace::default(), vec![0.0; n]);
            measured_kernel(|| {
                conjugate_gradients(&a, &mut multigrid, &mut workspace, &b, &mut x, TOLERANCE, 100).iterations
            });
        }
        other => eprintln!("there is no kernel `{other}`"),
    }
}

/// One X-ray picture, 128² pixels of 64³ voxels seen obliquely.
fn count_projection() {
    const SIDE: usize = 64;
    let origin = -1.5 * (SIDE as f64 - 1.0);
    let Ok(affine) = Affine::axis_aligned([3.0; 3], [origin; 3]) else {
        return;
    };
    let ball = |n: usize| {
        let at = [n % SIDE, n / SIDE % SIDE, n / (SIDE * SIDE)].map(|i| i as f64 * 3.0 + origin);
        let inside = Vec3::from(at).norm() < 80.0;
        if inside { 0.02 + 1e-5 * (n % 97) as f32 } else { 0.0 }
    };
    let data = (0..SIDE * SIDE * SIDE).map(ball).collect();
    let Ok(projector) = Volume::new([SIDE; 3], affine, data).map(Projector::new) else {
        return;
    };
    let Ok(projector) = projector else { return };
    let d = Vec3::new(0.3, 0.9, 0.3).normalize();
    let across = Vec3::new(-d.y, d.x, 0.0).normalize() * 2.3;
    let down = d.cross(&across);
    let view = View {
        source_mm: d * -650.0,
        first_mm: d * 350.0 - (across + down) * 63.5,
        column_step_mm: across,
        row_step_mm: down,
        columns: 128,
        rows: 128,
    };
    // The first picture sorts the rows of voxels; those that follow do not.
    let _ = projector.project(&view);
    measured_kernel(|| projector.project(&view).map_or(0, |image| image.data.len()));
}

/// The outside potential (mV) of 1 mA into a cathode 2 mm beside the middle of a fibre, in 0.3 S/m.
fn beside_middle<F: Fibre>(fibre: &F) -> Vec<f64> {
    let places = fibre.places_um();
    let middle = places[fibre.place_of(fibre.active() / 2)];
    let at = |x: &f64| -1e6 / (4.0 * std::f64::consts::PI * 0.3 * (x - middle).hypot(2000.0));
    places.iter().map(at).collect()
}

/// The threshold of a myelinated fibre of 10 µm and 21 nodes, a pulse of 1 ms, to 0.5 %, rest included.
fn count_threshold() {
    const NODES: usize = 21;
    let Ok(geometry) = Geometry::new(GeometrySet::Table, 10.0) else {
        return;
    };
    let search = Search {
        dt_ms: 0.01,
        tolerance: 0.005,
        guess: 0.2,
        most: 100.0,
    };
    measured_kernel(|| {
        let fibre = Myelinated::new(geometry, NODES, 37.0);
        let field = beside_middle(&fibre);
        let found = Stimulated::new(&fibre, &field)
            .and_then(|ready| ready.threshold(&Pulse::square(1.0), &search, &Criterion::myelinated(NODES)));
        found.map_or(0, |t| t.runs)
    });
}

/// A hundred steps of a C fibre of 201 compartments.
fn count_c_fibre() {
    let fibre = Unmyelinated::new(Membrane::Sundt, 1.0, 5000.0, 25.0, 37.0);
    let field = beside_middle(&fibre);
    let Ok(ready) = Stimulated::new(&fibre, &field) else {
        return;
    };
    measured_kernel(|| ready.trace(&Pulse::square(1.0), 5.0, 0.01, 0.001, None, &[100]).len());
}

/// Seconds of the quickest of some runs.
fn quickest<T>(runs: usize, mut f: impl FnMut() -> T) -> f64 {
    (0..runs)
        .map(|_| {
            let start = Instant::now();
            black_box(f());
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}

/// Bytes a second of `a = b + s c` on vectors far larger than the caches (STREAM triad; the write counted once).
fn triad() -> f64 {
    const N: usize = 1 << 24;
    let (b, c, mut a) = (vec![1.0f64; N], vec![2.0f64; N], vec![0.0f64; N]);
    let seconds = quickest(5, || {
        for_parts(&mut a[..], |offset, block| {
            for ((a, b), c) in block.iter_mut().zip(&b[offset..]).zip(&c[offset..]) {
                *a = b + 3.0 * c;
            }
        });
    });
    (24 * N) as f64 / seconds
}

/// Memory of this process now, bytes.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|v| v.parse::<f64>().ok())
        .map_or(f64::NAN, |kib| kib * 1024.0)
}

/// Prints one line of JSON for the machine and one for each size of cells and number of threads.
fn scaling(sizes: &[f64]) {
    for threads in [1, 2] {
        println!(
            "{{\"threads\": {threads}, \"triad_gb_per_s\": {:.3}}}",
            in_pool(threads, triad) * 1e-9
        );
    }
    for &size in sizes {
        let start = Instant::now();
        let grid = match in_pool(2, || grid(size)) {
            Ok(grid) => grid,
            Err(e) => {
                eprintln!("cell size {size}: {e}");
                continue;
            }
        };
        let grid_s = start.elapsed().as_secs_f64();
        let medium = in_pool(2, || medium(&grid));
        let n = grid.cells();
        for threads in [1, 2] {
            in_pool(threads, || {
                let before = memory();
                let (_, _, a) = heat_matrix(&grid, &medium);
                let mut multigrid = None;
                let setup_s = quickest(2, || multigrid = Some(Multigrid::new(&a, &medium.capacity, SHIFT)));
                let Some(mut multigrid) = multigrid else { return };
                let (mut workspace, mut x) = (Workspace::default(), vec![0.0; n]);
                let b: Vec<f64> = (0..n)
                    .map(|i| {
                        let distance = grid.center.get(i).map_or(0.0, Vec3::norm);
                        medium.capacity[i] * (-distance / 5e-3).exp()
                    })
                    .collect();
                let mut iterations = 0;
                let solve_s = quickest(3, || {
                    x.fill(0.0);
                    let s = conjugate_gradients(&a, &mut multigrid, &mut workspace, &b, &mut x, TOLERANCE, 100);
                    iterations = s.iterations;
                });
                let bytes = memory() - before;
                let sweep_s = quickest(10, || multigrid.smooth_finest());
                // Two passes: entry and column; x, b, scale, diagonal read and the other vector written; x read once more.
                let moved = 2.0 * (8.0 * a.off.entries() as f64 + 20.0 * n as f64) + 4.0 * n as f64;
                println!(
                    "{{\"cells\": {n}, \"threads\": {threads}, \"grid_s\": {grid_s:.4}, \"setup_s\": {setup_s:.5}, \
                     \"solve_s\": {solve_s:.5}, \"iterations\": {iterations}, \"sweep_gb_per_s\": {:.3}, \
                     \"bytes_per_cell\": {:.0}}}",
                    moved / sweep_s * 1e-9,
                    bytes / n as f64,
                );
            });
        }
    }
}
