//! Frame rates of live fluoroscopy on a CT: while the C-arm moves, and while only a needle moves.
//!
//! `cargo run --release -p neurotome-io --example fluoro_speed -- CT X Y Z [PIXELS]`, with the point at the isocentre in LPS mm.

use std::{path::Path, process::ExitCode, time::Instant};

use neurotome_base::{PatientPoint, Vec3};
use neurotome_io::{catalog, dicom::read_ct};
use neurotome_physics::xray::{Part, Shape};
use neurotome_procedure::fluoroscopy::{CArm, Fluoroscope, Machine};

const FRAMES: usize = 30;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let [ct, x, y, z, rest @ ..] = arguments else {
        return Err("usage: fluoro_speed CT X Y Z [PIXELS]".to_owned());
    };
    let number = |text: &String| text.parse::<f64>().map_err(|e| format!("{text}: {e}"));
    let target = PatientPoint::new(number(x)?, number(y)?, number(z)?);
    let pixels = rest.first().map_or(Ok(512.0), number)? as usize;
    let hu = read_ct(Path::new(ct)).map_err(|e| e.to_string())?.hu;
    println!("voxels {:?}, {pixels}² pixels", hu.dims());
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let catalog = catalog::built_in().map_err(|e| text(&e))?;
    let machine = Machine::new(&catalog, "mobile-flat-30cm").map_err(|e| text(&e))?;
    let start = Instant::now();
    let mut scope = Fluoroscope::new(hu, machine, target).map_err(|e| text(&e))?;
    let arm = CArm {
        pixels: [pixels; 2],
        ..*scope.arm()
    };
    scope.move_arm(arm).map_err(|e| text(&e))?;
    scope.set_devices(needle(&target, 0.0));
    scope.frame().map_err(|e| text(&e))?;
    println!("first frame after {:.0} ms", 1e3 * start.elapsed().as_secs_f64());
    time("C-arm from AP to oblique", || {
        let arm = CArm {
            orbital_deg: scope.arm().orbital_deg - 1.0,
            ..*scope.arm()
        };
        scope.move_arm(arm).map_err(|e| text(&e))?;
        scope.frame().map(|_| ()).map_err(|e| text(&e))
    })?;
    let mut advance = 0.0;
    time("needle", || {
        advance += 0.5;
        scope.set_devices(needle(&target, advance));
        scope.frame().map(|_| ()).map_err(|e| text(&e))
    })
}

fn needle(target: &PatientPoint, advance_mm: f64) -> Vec<Part> {
    let direction = Vec3::new(0.3, -0.8, 0.5).normalize();
    let to = target.vec() + direction * (advance_mm - 10.0);
    let shape = Shape::Capsule {
        from: to - direction * 100.0,
        to,
        radius_mm: 0.45,
    };
    vec![Part::solid(shape, 0)]
}

fn time(what: &str, mut frame: impl FnMut() -> Result<(), String>) -> Result<(), String> {
    let (cpu, start) = (cpu_s(), Instant::now());
    for _ in 0..FRAMES {
        frame()?;
    }
    let wall = start.elapsed().as_secs_f64() / FRAMES as f64;
    println!(
        "{what} moves: {:.1} ms of processor and {:.1} ms of time a frame, {:.0} frames/s",
        1e3 * (cpu_s() - cpu) / FRAMES as f64,
        1e3 * wall,
        1.0 / wall
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
