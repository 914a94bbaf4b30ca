//! Draws the built-in anatomy as three colour slices through the target, with the nerves and the needle projected onto them.
//!
//! `cargo run -p neurotome-procedure --example anatomy_slices -- FOLDER` writes `axial.ppm`, `coronal.ppm` and `sagittal.ppm`;
//! a second argument shifts the planes by that many millimetres.

// An example is a program: it may write files, which the library never does.
#![allow(clippy::disallowed_methods)]

use std::io::Write as _;

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::anatomy::builtin::{LumbarSegment, TissueIds};
use neurotome_procedure::anatomy::{TissueField as _, TissueId};

/// Colours by id: muscle, fat, skin, cortical, cancellous, disc, CSF, nerve, cartilage, ligament, air.
const COLOURS: [[u8; 3]; 11] = [
    [176, 82, 74],
    [240, 214, 120],
    [220, 170, 140],
    [250, 250, 245],
    [205, 195, 175],
    [120, 140, 170],
    [90, 170, 230],
    [255, 230, 0],
    [120, 220, 200],
    [170, 150, 120],
    [10, 10, 12],
];
const PIXEL_MM: f64 = 0.2;
const HALF_MM: f64 = 60.0;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = std::path::PathBuf::from(arguments.next().unwrap_or_else(|| ".".into()));
    let shift: f64 = arguments.next().and_then(|a| a.parse().ok()).unwrap_or(0.0);
    let id = TissueId;
    let patient = LumbarSegment::new(TissueIds {
        muscle: id(0),
        fat: id(1),
        skin: id(2),
        cortical_bone: id(3),
        cancellous_bone: id(4),
        intervertebral_disc: id(5),
        csf: id(6),
        nerve: id(7),
        cartilage: id(8),
        ligament: id(9),
        air: id(10),
    });
    let target = patient.target_mm().vec();
    // Name, axis across the plane, screen right, screen down (radiological: the patient's right is on the left of the picture).
    let planes = [
        ("axial", Vec3::z(), Vec3::x(), Vec3::y()),
        ("coronal", Vec3::y(), Vec3::x(), -Vec3::z()),
        ("sagittal", Vec3::x(), Vec3::y(), -Vec3::z()),
    ];
    for (name, across, right, down) in planes {
        let middle = target + across * shift;
        let n = (2.0 * HALF_MM / PIXEL_MM) as usize;
        let mut picture = vec![0u8; 3 * n * n];
        for row in 0..n {
            for column in 0..n {
                let (u, v) = (column as f64 * PIXEL_MM - HALF_MM, row as f64 * PIXEL_MM - HALF_MM);
                let tissue = patient.tissue_at(&PatientPoint::from_vec(middle + right * u + down * v));
                picture[3 * (row * n + column)..][..3].copy_from_slice(&COLOURS[usize::from(tissue.0)]);
            }
        }
        let mut dot = |p: Vec3, colour: [u8; 3]| {
            let d = p - middle;
            let (u, v) = (
                (d.dot(&right) + HALF_MM) / PIXEL_MM,
                (d.dot(&down) + HALF_MM) / PIXEL_MM,
            );
            let inside = |w: f64| w >= 0.0 && w < n as f64;
            if inside(u) && inside(v) {
                picture[3 * (v as usize * n + u as usize)..][..3].copy_from_slice(&colour);
            }
        };
        for nerve in patient.nerves() {
            for pair in nerve.points.windows(2) {
                for i in 0..400 {
                    dot(pair[0].vec().lerp(&pair[1].vec(), f64::from(i) / 400.0), [0, 150, 0]);
                }
            }
        }
        let needle = patient.default_needle();
        for i in 0..2000 {
            let s = needle.length_mm * f64::from(i) / 2000.0;
            let colour = if s < needle.active_tip_mm {
                [255, 0, 0]
            } else {
                [0, 0, 255]
            };
            dot(needle.tip.vec() - Vec3::from(needle.direction) * s, colour);
        }
        let mut file = std::fs::File::create(folder.join(format!("{name}.ppm")))?;
        write!(file, "P6\n{n} {n}\n255\n")?;
        file.write_all(&picture)?;
    }
    Ok(())
}
