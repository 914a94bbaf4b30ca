//! A lesion under the operator's hand: it is advanced in short pieces, and between them temperature, power, impedance and the isotherm
//! of 50 °C are read and the set-point is changed.
//!
//! ```sh
//! cargo run --release --example interactive
//! cargo run --release --example interactive -- my-scenario.toml 0.1
//! ```
//!
//! Without arguments, or for `default`: a 20 G cannula in muscle, read each 0.5 s. The last line is the rate in simulated seconds per second of the
//! clock, readings and isotherm surfaces included.

use std::{env, fs, path::PathBuf, process::ExitCode, time::Instant};

use neurotome::{
    io::{
        catalog,
        scenario::{self, Source},
    },
    procedure::lesion::{Control, Drive, Heating},
};

const SCENARIO: &str = r#"
[phantom]
background = "muscle"

[[needles]]
cannula = "20G-10mm-straight"
tip_mm = [0, 0, 0]
direction = [0, 0, -1]

[drive]
set_temperature_c = 80
hold_s = 105
"#;

/// When the operator changes the set temperature, s, and to what, °C.
const OPERATOR: [(f64, f64); 3] = [(0.0, 80.0), (30.0, 60.0), (50.0, 90.0)];
/// Simulated seconds in all, and seconds of each ramp.
const END_S: f64 = 90.0;
const RAMP_S: f64 = 10.0;
/// A line is printed each so many seconds.
const LINE_S: f64 = 5.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let source = match arguments.next().filter(|a| a != "default") {
        None => Source {
            name: "interactive".into(),
            text: SCENARIO.into(),
            folder: PathBuf::new(),
        },
        Some(path) => Source {
            text: fs::read_to_string(&path)?,
            folder: PathBuf::from(&path).parent().map(PathBuf::from).unwrap_or_default(),
            name: path,
        },
    };
    let piece_s: f64 = arguments.next().map_or(Ok(0.5), |a| a.parse())?;
    let loaded = scenario::load(&source, &catalog::built_in()?)?;
    let laid = Instant::now();
    let mut heating = Heating::new(&loaded.problem)?;
    println!(
        "{} cells, laid in {:.2} s; looked at each {piece_s} s",
        heating.evidence().cells,
        laid.elapsed().as_secs_f64()
    );
    println!("   time s   set °C   thermocouple °C   power W   impedance Ω   points on 50 °C   reach mm");
    let began = Instant::now();
    let mut next = OPERATOR.iter().peekable();
    let mut last_line = 0.0;
    while heating.time_s() < END_S - 1e-9 {
        if let Some((_, set_temperature_c)) = next.next_if(|(at, _)| *at <= heating.time_s() + 1e-9) {
            let drive = Drive::Temperature {
                set_temperature_c: *set_temperature_c,
                ramp_s: RAMP_S,
                control: Control::First,
            };
            heating.set_drive(drive, END_S - heating.time_s())?;
        }
        heating.advance(piece_s, &mut |_| true)?;
        let r = heating.reading();
        let surface = heating.isotherm(50.0);
        let tip = loaded.problem.needles[0].tip.vec();
        let reach = surface.iter().map(|p| (p.vec() - tip).norm()).fold(0.0, f64::max);
        if r.t_s - last_line >= LINE_S - 1e-9 {
            last_line = r.t_s;
            println!(
                "   {:<8.1} {:<8.1} {:<17.2} {:<9.3} {:<13.1} {:<17} {reach:.2}",
                r.t_s,
                r.set_temperature_c.unwrap_or(f64::NAN),
                r.thermocouples_c[0],
                r.power_w,
                r.impedance_ohm,
                surface.len(),
            );
        }
    }
    let wall_s = began.elapsed().as_secs_f64();
    println!(
        "{:.1} simulated seconds per second ({wall_s:.1} s)",
        heating.time_s() / wall_s
    );
    Ok(())
}
