//! Pictures of a CT as a C-arm sees it: AP, both obliques and lateral side by side, in one PNG.
//!
//! `cargo run --release -p neurotome-io --example radiograph -- CT X Y Z OUT.png`, with the point at the isocentre in LPS mm.

use std::{path::Path, process::ExitCode};

use neurotome_base::PatientPoint;
use neurotome_io::{
    dicom::read_ct,
    pictures::{png_grey8, write_bytes},
};
use neurotome_procedure::fluoroscopy::{CArm, radiograph};

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
    let [ct, x, y, z, out] = arguments else {
        return Err("usage: radiograph CT X Y Z OUT.png".to_owned());
    };
    let number = |text: &String| text.parse::<f64>().map_err(|e| format!("{text}: {e}"));
    let target = PatientPoint::new(number(x)?, number(y)?, number(z)?);
    let hu = read_ct(Path::new(ct)).map_err(|e| e.to_string())?.hu;
    let mut pictures = Vec::new();
    for orbital_deg in [0.0, 30.0, -30.0, 90.0] {
        let arm = CArm {
            orbital_deg,
            zoom: 1.5,
            ..CArm::default()
        };
        pictures.push(radiograph(&hu, &arm, &target).map_err(|e| e.to_string())?);
    }
    let (columns, rows) = (pictures[0].columns, pictures[0].rows);
    let grey: Vec<u8> = (0..rows)
        .flat_map(|row| {
            pictures
                .iter()
                .flat_map(move |p| p.grey[row * columns..(row + 1) * columns].to_vec())
        })
        .collect();
    let png = png_grey8(columns * pictures.len(), rows, &grey).map_err(|e| e.to_string())?;
    write_bytes(Path::new(out), &png).map_err(|e| e.to_string())
}
