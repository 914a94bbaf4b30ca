//! Times of live fluoroscopy on a CT: to the first picture, while the C-arm moves, for the held picture, and while only a needle moves.
//!
//! `cargo run --release -p neurotome-io --example fluoro_speed -- CT X Y Z [PIXELS]`, with the point at the isocentre in LPS mm. Medians of
//! 20 frames, in turn with the whole volume and with averaged voxels while the C-arm moves.

use std::{path::Path, process::ExitCode, time::Instant};

use neurotome_base::{PatientPoint, Vec3, Volume};
use neurotome_io::{catalog, dicom::read_ct};
use neurotome_physics::xray::{Part, Shape};
use neurotome_procedure::fluoroscopy::{CArm, Fluoroscope, Machine, NamedView, Settings, turned_to};

const FRAMES: usize = 20;
const VIEWS: [NamedView; 3] = [NamedView::Ap, NamedView::ObliqueRight, NamedView::LateralRight];
/// Averaged voxels while the C-arm moves, mm; none: the whole volume.
const MOVING_MM: [Option<f64>; 2] = [None, Some(1.75)];

type Outcome<T> = Result<T, String>;

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

fn run(arguments: &[String]) -> Outcome<()> {
    let [ct, x, y, z, rest @ ..] = arguments else {
        return Err("usage: fluoro_speed CT X Y Z [PIXELS]".to_owned());
    };
    let number = |text: &String| text.parse::<f64>().map_err(|e| format!("{text}: {e}"));
    let target = PatientPoint::new(number(x)?, number(y)?, number(z)?);
    let pixels = rest.first().map_or(Ok(512.0), number)? as usize;
    let hu = read_ct(Path::new(ct)).map_err(|e| e.to_string())?.hu;
    println!(
        "voxels {:?}, {pixels}² pixels; ms of time (of processor) a frame, medians",
        hu.dims()
    );
    println!("| view | moving voxels | first frame | C-arm moves | frames/s | held | needle moves | frames/s |");
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for view in VIEWS {
        for moving_mm in MOVING_MM {
            measure(hu.clone(), target, pixels, view, moving_mm)?;
        }
    }
    Ok(())
}

fn measure(
    hu: Volume<f32>,
    target: PatientPoint,
    pixels: usize,
    view: NamedView,
    moving_mm: Option<f64>,
) -> Outcome<()> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let catalog = catalog::built_in().map_err(|e| text(&e))?;
    let machine = Machine::new(&catalog, "mobile-flat-30cm").map_err(|e| text(&e))?;
    let settings = Settings {
        moving_voxel_mm: moving_mm,
        ..Settings::default()
    };
    let arm = CArm {
        pixels: [pixels; 2],
        ..machine.arm()
    };
    let arm = turned_to(&arm, view, None).map_err(|e| text(&e))?;
    let (cpu, start) = (cpu_s(), Instant::now());
    let mut scope = Fluoroscope::new(hu, machine, target).map_err(|e| text(&e))?;
    scope.set(settings).map_err(|e| text(&e))?;
    scope.move_arm(arm).map_err(|e| text(&e))?;
    scope.set_devices(needle(&target, 0.0));
    scope.frame().map_err(|e| text(&e))?;
    let first_ms = [start.elapsed().as_secs_f64(), cpu_s() - cpu].map(|s| 1e3 * s);
    let mut step = 0.0;
    let moved = time(|| {
        step += 0.5;
        let turned = CArm {
            orbital_deg: arm.orbital_deg + step,
            ..arm
        };
        scope.move_arm(turned).map_err(|e| text(&e))?;
        scope.frame().map(|_| ()).map_err(|e| text(&e))
    })?;
    let start = Instant::now();
    scope.hold().map_err(|e| text(&e))?;
    let held_ms = 1e3 * start.elapsed().as_secs_f64();
    let mut advance = 0.0;
    let needle_moved = time(|| {
        advance += 0.5;
        scope.set_devices(needle(&target, advance));
        scope.frame().map(|_| ()).map_err(|e| text(&e))
    })?;
    println!(
        "| {view} | {} | {:.0} ({:.0}) | {:.1} ({:.1}) | {:.0} | {held_ms:.0} | {:.1} ({:.1}) | {:.0} |",
        moving_mm.map_or_else(|| "whole".to_owned(), |mm| format!("{mm} mm")),
        first_ms[0],
        first_ms[1],
        moved[0],
        moved[1],
        1e3 / moved[0],
        needle_moved[0],
        needle_moved[1],
        1e3 / needle_moved[0],
    );
    Ok(())
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

/// Medians of time and of processor time, ms.
fn time(mut frame: impl FnMut() -> Outcome<()>) -> Outcome<[f64; 2]> {
    let mut all = [Vec::new(), Vec::new()];
    for _ in 0..FRAMES {
        let (cpu, start) = (cpu_s(), Instant::now());
        frame()?;
        all[0].push(1e3 * start.elapsed().as_secs_f64());
        all[1].push(1e3 * (cpu_s() - cpu));
    }
    Ok(all.map(|mut ms| {
        ms.sort_by(f64::total_cmp);
        ms[FRAMES / 2]
    }))
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
