//! Reads a CT (folder, zip or NIfTI) and prints what it is; with a second path also writes it as NIfTI.
//!
//! `cargo run --release -p neurotome-io --example ct_info -- CT [COPY.nii.gz]`

use std::{path::Path, process::ExitCode, time::Instant};

use neurotome_base::Point;
use neurotome_io::{dicom::read_ct, volumes::write_nifti_f32};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = arguments.first() else {
        eprintln!("usage: ct_info CT [COPY.nii.gz]");
        return ExitCode::FAILURE;
    };
    let start = Instant::now();
    let image = match read_ct(Path::new(path)) {
        Ok(image) => image,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    eprintln!("read in {:.2} s", start.elapsed().as_secs_f64());
    let hu = &image.hu;
    let [nx, ny, nz] = hu.dims();
    println!("voxels {nx} {ny} {nz}, spacing {:?} mm", hu.affine().spacing_mm());
    println!("kVp {:?}, slice thickness {:?} mm", image.kvp, image.slice_thickness_mm);
    for note in &image.notes {
        println!("note: {note}");
    }
    // A few voxels with their place, for comparison with other programs.
    for step in 0..8 {
        let [i, j, k] = [nx, ny, nz].map(|n| (n - 1) * step / 7);
        let p = hu.affine().to_patient(&Point::new(i as f64, j as f64, k as f64)).xyz;
        println!(
            "voxel {i} {j} {k} lps {:.4} {:.4} {:.4} hu {}",
            p[0],
            p[1],
            p[2],
            hu.get(i, j, k).unwrap_or(f32::NAN)
        );
    }
    if let Some(copy) = arguments.get(1)
        && let Err(error) = write_nifti_f32(Path::new(copy), hu)
    {
        eprintln!("{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
