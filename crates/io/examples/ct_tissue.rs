//! Turns a CT (and a label map) into tissue and writes both as NIfTI, to look at side by side.
//!
//! `ct_tissue CT OUT_FOLDER [--labels FILE total|vertebrae|subregions] [--around X Y Z HALF_SIDE]` (LPS, mm)

use std::{path::Path, process::ExitCode, time::Instant};

use neurotome_base::{PatientBox, Point};
use neurotome_io::{
    dicom::{CtOptions, read_ct_with},
    volumes::{read_label_nifti, write_nifti_f32, write_nifti_u8},
};
use neurotome_procedure::anatomy::{
    TissueField, TissueId,
    ct::{CtAnatomy, CtRules, LabelMap, LabelMeaning, TissueIds},
};

const IDS: TissueIds = TissueIds {
    air: TissueId(0),
    fat: TissueId(1),
    muscle: TissueId(2),
    skin: Some(TissueId(3)),
    cancellous_bone: TissueId(4),
    cortical_bone: TissueId(5),
    csf: Some(TissueId(6)),
    disc: Some(TissueId(7)),
};

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [ct, out, rest @ ..] = arguments else {
        return Err("usage: ct_tissue CT OUT_FOLDER [--labels FILE KIND] [--around X Y Z HALF_SIDE]".into());
    };
    let (mut labels, mut options) = (None, CtOptions::default());
    let mut rest = rest;
    while let Some((flag, values)) = rest.split_first() {
        match (flag.as_str(), values) {
            ("--labels", [file, kind, more @ ..]) => {
                labels = Some(LabelMap {
                    labels: read_label_nifti(Path::new(file))?,
                    meaning: match kind.as_str() {
                        "total" => LabelMeaning::TotalSegmentator,
                        "vertebrae" => LabelMeaning::TptboxVertebrae,
                        "subregions" => LabelMeaning::TptboxSubregions,
                        other => return Err(format!("unknown kind of labels {other}").into()),
                    },
                });
                rest = more;
            }
            ("--around", [x, y, z, half, more @ ..]) => {
                let center = Point::new(x.parse()?, y.parse()?, z.parse()?);
                options.crop = Some(PatientBox::around(&center, half.parse()?));
                rest = more;
            }
            (other, _) => return Err(format!("cannot read {other}").into()),
        }
    }
    let start = Instant::now();
    let image = read_ct_with(Path::new(ct), &options)?;
    let read = start.elapsed();
    let start = Instant::now();
    let anatomy = CtAnatomy::new(&image.hu, labels.as_ref(), IDS, &CtRules::default())?;
    let built = start.elapsed();
    let tissue = anatomy.inferred_labels()?;
    // A line of points through the image, for the time of one answer.
    let affine = image.hu.affine();
    let ends =
        [[0.0; 3], image.hu.dims().map(|n| n as f64)].map(|[i, j, k]| affine.to_patient(&Point::new(i, j, k)).vec());
    let start = Instant::now();
    let (points, mut sum) = (1_000_000u32, 0u64);
    for i in 0..points {
        let p = ends[0] + (ends[1] - ends[0]) * (f64::from(i.wrapping_mul(2_654_435_761) % points) / f64::from(points));
        sum += u64::from(anatomy.tissue_at(&Point::from_vec(p)).0);
    }
    eprintln!(
        "read {:.2} s, built {:.2} s, {:.0} ns a point (check {sum})",
        read.as_secs_f64(),
        built.as_secs_f64(),
        start.elapsed().as_secs_f64() * 1e9 / f64::from(points)
    );
    println!("voxels {:?}, spacing {:?} mm", image.hu.dims(), affine.spacing_mm());
    for note in image.notes.iter().chain(anatomy.notes()) {
        println!("note: {note}");
    }
    for (id, share) in anatomy.body_fractions()? {
        println!("tissue {} {:.1} % of the body", id.0, 100.0 * share);
    }
    let out = Path::new(out);
    std::fs::create_dir_all(out)?;
    write_nifti_f32(&out.join("hu.nii.gz"), &image.hu)?;
    write_nifti_u8(&out.join("tissue.nii.gz"), &tissue)?;
    Ok(())
}
