//! The built-in patient beside two real CTs of the lumbar spine: fluoroscopy in all kinds of view, with and without the table, radiographs, and
//! slices at L4 and L5, at the same scale.
//!
//! `NEUROTOME_TEST_DATA=DATA cargo run --release -p neurotome-io --example side_by_side -- DIR` writes `DIR/fluoroscopy.png`, `DIR/table.png`,
//! `DIR/radiographs.png` and `DIR/slices.png`. DATA holds `acrin-flt-breast-001` and `totalsegmentator-example` (voxels of 0.98 × 0.98 × 4.25 and of 3 mm); where
//! their vertebrae lie was found by eye and stands below.

// An example is a program: it may read the environment and print.
#![allow(clippy::disallowed_methods)]

use std::{error::Error, path::Path};

use neurotome_base::{PatientPoint, Vec3, Volume};
use neurotome_io::{
    catalog,
    dicom::read_ct,
    pictures::write_bytes,
    report::sheet::{Cut, Panel, radiographs, sheet},
};
use neurotome_procedure::anatomy::ct::{CtRules, patient_alone};
use neurotome_procedure::anatomy::{
    Level, Patient as _, TissueId, VertebraFrame,
    spine::{Hounsfield, LumbarSpine, Morphometry, Scanner, Sex, SpineParameters, TissueIds},
};
use neurotome_procedure::fluoroscopy::{BodyAxes, CArm, Fluoroscope, Frame, Machine, NamedView, TableTop, turned_to};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Width of a radiograph at the isocentre, mm, and its pixels; scale of slices.
const FIELD_MM: f64 = 150.0;
const RADIOGRAPH_PX: usize = 440;
const PX_PER_MM: f64 = 3.0;
/// Black and white of slices, HU.
const WINDOW_HU: [f64; 2] = [-200.0, 600.0];

/// A spine in a volume.
struct Subject {
    name: String,
    hu: Volume<f32>,
    l4: VertebraFrame,
    l5: VertebraFrame,
}

fn main() -> Outcome<()> {
    let out = std::env::args().nth(1).ok_or("usage: side_by_side DIR")?;
    let data = std::env::var("NEUROTOME_TEST_DATA").map_err(|_| "NEUROTOME_TEST_DATA is not set")?;
    let data = Path::new(&data);
    let subjects = [
        built_in("built-in man, 1 mm", Sex::Male, [1.0; 3])?,
        built_in("built-in woman, 1 × 4.25 mm", Sex::Female, [0.98, 0.98, 4.25])?,
        Subject {
            name: "ACRIN 001, 1 × 4.25 mm".to_owned(),
            hu: read_ct(&data.join("acrin-flt-breast-001/acrin001_ct_original_dicom.zip"))?.hu,
            l4: by_eye([-18.0, 48.0, -668.0], 2.0),
            l5: by_eye([-18.0, 52.0, -703.0], 14.0),
        },
        Subject {
            name: "TotalSegmentator, 3 mm".to_owned(),
            hu: read_ct(&data.join("totalsegmentator-example/example_ct.nii.gz"))?.hu,
            l4: by_eye([2.0, -145.0, 278.0], 8.0),
            l5: by_eye([2.0, -134.0, 240.0], 28.0),
        },
    ];
    let (mut pictures, mut slices) = (vec![], vec![]);
    for s in &subjects {
        pictures.push(of_views(s)?);
        slices.push(of_slices(s));
    }
    let foot = "All at one scale. Research and teaching software, not a medical device.";
    let write = |name: &str, title: &str, rows: &[Vec<Panel>]| -> Outcome<()> {
        write_bytes(&Path::new(&out).join(name), &sheet(title, rows, foot)?)?;
        Ok(())
    };
    std::fs::create_dir_all(&out)?;
    let machine = Machine::new(&catalog::built_in()?, "mobile-flat-30cm")?;
    let mut screens = vec![];
    for s in subjects.iter().filter(|s| !s.name.contains("woman")) {
        screens.push(of_screens(s, &machine)?);
    }
    let title = "Fluoroscopy centred on L4–L5: spectrum, scatter, blur, quanta, table; 75 kV or what brightness control asks for";
    write("fluoroscopy.png", title, &screens)?;
    let title = "The table: mattress, carbon fibre top, solid sides and rails, and without it; below: picture with it over picture without";
    write("table.png", title, &of_table(&subjects[0], &machine)?)?;
    write("radiographs.png", "Radiographs centred on L4–L5", &pictures)?;
    write("slices.png", "Slices at L4 and L5", &slices)
}

/// The built-in patient as a CT with voxels of this size.
fn built_in(name: &str, sex: Sex, spacing_mm: [f64; 3]) -> Outcome<Subject> {
    let catalog = catalog::built_in()?;
    let parameters = SpineParameters {
        sex,
        ..SpineParameters::default()
    };
    let spine = LumbarSpine::new(&catalog, &parameters, TissueIds::by_name(|_| TissueId(0)))?;
    let scanner = Scanner {
        spacing_mm,
        ..Scanner::default()
    };
    let hu = Hounsfield::new(&Morphometry::new(&catalog, sex))?;
    let frame = |level| spine.frame(level).ok_or("the patient has no such vertebra");
    Ok(Subject {
        name: name.to_owned(),
        hu: spine.ct(&spine.extent(), &hu, &scanner)?,
        l4: frame(Level::L4)?,
        l5: frame(Level::L5)?,
    })
}

/// Axes of a vertebra from the middle of its body, LPS mm, and how far it is tipped forward, degrees.
fn by_eye(center: [f64; 3], tipped_deg: f64) -> VertebraFrame {
    let (sin, cos) = tipped_deg.to_radians().sin_cos();
    VertebraFrame {
        origin: Vec3::from(center),
        left: Vec3::x(),
        posterior: Vec3::new(0.0, cos, sin),
        superior: Vec3::new(0.0, -sin, cos),
    }
}

fn of_views(s: &Subject) -> Outcome<Vec<Panel>> {
    let middle = 0.5 * (s.l4.origin + s.l5.origin) + s.l4.posterior * 22.0;
    let views = [
        NamedView::Ap,
        NamedView::LateralRight,
        NamedView::ObliqueRight,
        NamedView::ObliqueLeft,
    ];
    let target = PatientPoint::from_vec(middle);
    let mut panels = radiographs(&s.hu, &views, &target, Some(&s.l4), FIELD_MM, RADIOGRAPH_PX)?;
    for panel in &mut panels {
        panel.title = format!("{}, {}", s.name, panel.title);
        // The names are long: on the first picture of a row only.
        if panel.title.contains(", ap") {
            continue;
        }
        panel.title = panel.title.rsplit(", ").next().unwrap_or_default().to_owned();
    }
    Ok(panels)
}

/// Pixels of a fluoroscopic picture, and pulses before it is shown.
const SCREEN_PX: usize = 400;
const PULSES: usize = 8;

/// A C-arm on a subject who lies prone, without the couch of the scanner.
fn scope(s: &Subject, machine: &Machine, table: bool) -> Outcome<Fluoroscope> {
    let hu = patient_alone(&s.hu, &CtRules::default())?;
    let top = TableTop::under_body(&(&machine.entry).into(), &hu, BodyAxes::default());
    if table && top.is_none() {
        println!("{}: the front of the body is not in the image; no table", s.name);
    }
    let middle = 0.5 * (s.l4.origin + s.l5.origin) + s.l4.posterior * 22.0;
    let mut scope = Fluoroscope::new(hu, machine.clone(), PatientPoint::from_vec(middle))?;
    scope.set_table(top.filter(|_| table));
    Ok(scope)
}

/// The picture after some pulses.
fn screen(scope: &mut Fluoroscope, arm: CArm) -> Outcome<Frame> {
    scope.move_arm(arm)?;
    let mut last = None;
    for _ in 0..PULSES {
        last = Some(scope.frame()?);
    }
    last.ok_or_else(|| "no pulse".into())
}

fn screen_panel(title: String, frame: &Frame) -> Panel {
    let right = frame.view.column_step_mm.normalize();
    let letter = |d: Vec3| {
        if d.x.abs() > d.y.abs() {
            ["R", "L"][usize::from(d.x > 0.0)]
        } else {
            ["A", "P"][usize::from(d.y > 0.0)]
        }
    };
    let picture = &frame.picture;
    let borders = [letter(-right), letter(right)].map(str::to_owned);
    Panel::grey(title, [picture.columns, picture.rows], &picture.grey, borders)
}

fn of_screens(s: &Subject, machine: &Machine) -> Outcome<Vec<Panel>> {
    let mut scope = scope(s, machine, true)?;
    let views = [
        NamedView::Ap,
        NamedView::ObliqueRight,
        NamedView::LateralRight,
        NamedView::DeclinedRight,
        NamedView::ForaminalRight,
    ];
    let mut panels = vec![];
    for view in views {
        let arm = CArm {
            pixels: [SCREEN_PX; 2],
            ..turned_to(&machine.arm(), view, Some(&s.l4))?
        };
        let frame = screen(&mut scope, arm)?;
        let kv = scope.machine().technique.kv;
        let (mas, mgy) = (frame.charge_mas, frame.dose.air_kerma_mgy);
        println!(
            "{}, {view}: {kv:.0} kV, {mas:.3} mAs a pulse, {mgy:.4} mGy a pulse at the reference point",
            s.name
        );
        let name = if view == NamedView::Ap {
            format!("{}, ", s.name)
        } else {
            String::new()
        };
        panels.push(screen_panel(format!("{name}{view}, {kv:.0} kV"), &frame));
    }
    Ok(panels)
}

/// AP and oblique in the middle of the table and near its side, and the foraminal view: with the table, without it, and the difference.
fn of_table(s: &Subject, machine: &Machine) -> Outcome<Vec<Vec<Panel>>> {
    let of = |view: NamedView, shift: f64| -> Outcome<CArm> {
        Ok(CArm {
            pixels: [SCREEN_PX; 2],
            table_shift_mm: [shift, 0.0, 0.0],
            ..turned_to(&machine.arm(), view, None)?
        })
    };
    let mut rows = vec![vec![], vec![], vec![]];
    let mut scopes = [scope(s, machine, true)?, scope(s, machine, false)?];
    for (view, shift_mm, place) in [
        (NamedView::Ap, 0.0, ""),
        (NamedView::Ap, 200.0, ", table shifted by 200 mm"),
        (NamedView::ObliqueRight, 0.0, ""),
        (NamedView::ObliqueRight, -120.0, ", table shifted by −120 mm"),
        (NamedView::ForaminalRight, 0.0, ""),
    ] {
        let mut signals = vec![];
        for (scope, word) in scopes.iter_mut().zip(["with", "without"]) {
            let frame = screen(scope, of(view, shift_mm)?)?;
            rows[signals.len()].push(screen_panel(format!("{view}{place}: {word}"), &frame));
            signals.push(frame.signal);
        }
        let data = signals[0].data.iter().zip(&signals[1].data);
        let ratio: Vec<f64> = data.map(|(a, b)| f64::from(a.max(1e-6) / b.max(1e-6))).collect();
        let mut sorted = ratio.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted[sorted.len() / 2];
        let grey: Vec<u8> = ratio
            .iter()
            .map(|r| (128.0 + 256.0 * (r / usual - 1.0)).clamp(0.0, 255.0) as u8)
            .collect();
        rows[2].push(Panel::grey(
            format!("with over without; middle {usual:.2}"),
            [SCREEN_PX; 2],
            &grey,
            [String::new(), String::new()],
        ));
    }
    Ok(rows)
}

fn of_slices(s: &Subject) -> Vec<Panel> {
    let axial = |title: String, f: &VertebraFrame, up_mm: f64| Cut {
        title,
        center: f.to_patient(&Vec3::new(0.0, 18.0, up_mm)),
        right: f.left,
        up: -f.posterior,
        size_mm: [120.0, 110.0],
    };
    let sagittal = |title: &str, x_mm: f64| Cut {
        title: title.to_owned(),
        center: 0.5 * (s.l4.origin + s.l5.origin) + Vec3::new(x_mm, 18.0, 0.0),
        right: Vec3::y(),
        up: Vec3::z(),
        size_mm: [110.0, 110.0],
    };
    [
        axial(format!("{}: L4, pedicles", s.name), &s.l4, 6.0),
        axial("L4–L5 joints".to_owned(), &s.l4, -16.0),
        axial("L5, pedicles".to_owned(), &s.l5, 6.0),
        sagittal("midline", 0.0),
        sagittal("17 mm to the right", -17.0),
    ]
    .iter()
    .map(|cut| cut.of_ct(&s.hu, PX_PER_MM, WINDOW_HU))
    .collect()
}
