//! How long thresholds of nerve fibres take: one fibre of 10 µm beside a point, and a population.
//!
//! ```sh
//! cargo run --release --example fibres            # a table
//! cargo run --release --example fibres -- --json  # the same with every fibre, for benches/peers/axon.py
//! ```
//!
//! All on one thread, in seconds of processor. The population is drawn from the nine diameters of the published table from 5.7 µm, 1 to 10 mm from the
//! source, which lies anywhere between two nodes; each fibre reaches twelve internodes or twice its distance to either side.

use std::{env, process::ExitCode};

use neurotome::{
    base::random::Stream,
    physics::axon::{Criterion, Fibre, Geometry, GeometrySet, Myelinated, Pulse, Search, Stimulated, Threshold},
};

/// Conductivity round the fibres, S/m.
const CONDUCTIVITY: f64 = 0.3;
const BODY_C: f64 = 37.0;
const PULSE_MS: f64 = 1.0;
/// Fibres of the population, and its seed.
const FIBRES: u64 = 200;
const SEED: u64 = 1;
/// Diameters that are drawn, µm.
const DIAMETERS: [f64; 9] = [5.7, 7.3, 8.7, 10.0, 11.5, 12.8, 14.0, 15.0, 16.0];
/// Nodes of the single fibres, and how often each is searched.
const NODES: [usize; 2] = [21, 51];
const REPEATS: usize = 100;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A fibre and where the source lies.
#[derive(Debug, Clone, Copy)]
struct Case {
    diameter_um: f64,
    distance_mm: f64,
    /// From the middle node along the fibre to the place beside the source, µm.
    shift_um: f64,
    nodes: usize,
}

/// The threshold, mA, and the processor's seconds, rest and elimination included.
fn search(case: &Case) -> Result<(Threshold, f64), Box<dyn std::error::Error>> {
    let before = cpu_s();
    let fibre = Myelinated::new(Geometry::new(GeometrySet::Table, case.diameter_um)?, case.nodes, BODY_C);
    let places = fibre.places_um();
    let beside = places[fibre.place_of(case.nodes / 2)] + case.shift_um;
    let of =
        |x: &f64| -1e3 / (4.0 * std::f64::consts::PI * CONDUCTIVITY * (1e-3 * (x - beside)).hypot(case.distance_mm));
    let field: Vec<f64> = places.iter().map(of).collect();
    let search = Search {
        dt_ms: 0.01,
        tolerance: 0.005,
        // A rule of thumb, the same for every program.
        guess: 0.05 * case.distance_mm * case.distance_mm,
        most: 1e4,
    };
    let ready = Stimulated::new(&fibre, &field)?;
    let found = ready.threshold(&Pulse::square(PULSE_MS), &search, &Criterion::myelinated(case.nodes))?;
    Ok((found, cpu_s() - before))
}

fn population() -> Result<Vec<Case>, Box<dyn std::error::Error>> {
    let stream = Stream::new(SEED);
    (0..FIBRES)
        .map(|n| {
            let own = stream.split(n);
            let diameter_um = DIAMETERS[(own.uniform(0) * DIAMETERS.len() as f64) as usize];
            let distance_mm = 1.0 + 9.0 * own.uniform(1);
            let spacing = Geometry::new(GeometrySet::Table, diameter_um)?.node_spacing;
            let half = 12.max((2e3 * distance_mm / spacing).ceil() as usize);
            Ok(Case {
                diameter_um,
                distance_mm,
                shift_um: (own.uniform(2) - 0.5) * spacing,
                nodes: 2 * half + 1,
            })
        })
        .collect()
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let json = env::args().any(|a| a == "--json");
    let mut all = vec![];
    for nodes in NODES {
        let case = Case {
            diameter_um: 10.0,
            distance_mm: 2.0,
            shift_um: 0.0,
            nodes,
        };
        let (found, _) = search(&case)?;
        // The system counts in ticks as long as a search: many together.
        let before = cpu_s();
        for _ in 0..REPEATS {
            search(&case)?;
        }
        all.push((case, found, (cpu_s() - before) / REPEATS as f64));
    }
    let singles = all.len();
    for case in population()? {
        let (found, seconds) = search(&case)?;
        all.push((case, found, seconds));
    }
    let (single, many) = all.split_at(singles);
    if json {
        let row = |(c, t, s): &(Case, Threshold, f64)| {
            serde_json::json!({
                "diameter_um": c.diameter_um, "distance_mm": c.distance_mm, "shift_um": c.shift_um, "nodes": c.nodes,
                "threshold_ma": t.amplitude, "uncertainty_ma": t.uncertainty, "runs": t.runs, "cpu_s": s,
            })
        };
        let text = serde_json::json!({
            "search": single.iter().map(row).collect::<Vec<_>>(),
            "population": many.iter().map(row).collect::<Vec<_>>(),
        });
        println!("{text}");
        return Ok(());
    }
    for (c, t, s) in single {
        println!(
            "10 µm, 2 mm, 1 ms, {} nodes: {:.4} ± {:.4} mA in {:.2} ms of processor ({} runs)",
            c.nodes,
            t.amplitude,
            t.uncertainty,
            1e3 * s,
            t.runs
        );
    }
    let total: f64 = many.iter().map(|m| m.2).sum();
    println!(
        "{FIBRES} fibres: {total:.2} s of processor, {:.1} ms each",
        1e3 * total / FIBRES as f64
    );
    Ok(())
}

/// Seconds of processor that the threads of this process have used, where the system tells.
fn cpu_s() -> f64 {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else {
        return f64::NAN;
    };
    let ns: f64 = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok()))
        .sum();
    1e-9 * ns
}
