//! The built-in patient as files: label map, volume like a CT, surfaces, nerves, landmarks, pictures, and a summary as JSON.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use neurotome_base::{PatientBox, PatientPoint, Vec3, Volume};
use neurotome_procedure::anatomy::spine::{Hounsfield, LumbarSpine, Scanner, SpineParameters, Structure};
use neurotome_procedure::anatomy::{Course, Landmark, LandmarkName, Level, NerveKind, Patient as _, Side, Spread};
use neurotome_procedure::catalog::{Catalog, FibreClass};
use neurotome_procedure::fluoroscopy::NamedView;
use serde::Serialize;

use super::ResultsError;
use super::folder::{self, Staging};
use super::lattice::Lattice;
use super::surface::isosurface;
use super::vtk::{Array, PolyData, poly_data};
use crate::markups::{ControlPoint, Markup, markups_json};
use crate::report::{self, sheet};
use crate::volumes::{VolumeFileError, write_nifti_i16, write_nifti_u8};

/// Most voxels of an image: 300 MB of labels and about 2 GB while the CT is made.
pub const MAX_SPINE_VOXELS: usize = 150_000_000;
/// Distance between the nodes from which surfaces are made, mm.
const SURFACE_MM: f64 = 1.0;
/// Width of a radiograph at the isocentre, mm, and its side in pixels.
const FIELD_MM: f64 = 190.0;
const RADIOGRAPH_PX: usize = 460;

/// What to write.
#[derive(Debug, Clone, Copy)]
pub struct SpineExport<'a> {
    /// The patient.
    pub spine: &'a LumbarSpine,
    /// What the patient was made from.
    pub parameters: &'a SpineParameters,
    /// Fibres of the nerves.
    pub catalog: &'a Catalog,
    /// CT numbers of the structures.
    pub hounsfield: &'a Hounsfield,
    /// Voxels of labels and CT; blur and noise of the CT.
    pub scanner: Scanner,
    /// Draw pictures.
    pub pictures: bool,
}

/// A structure in the label map.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpineLabel {
    /// Its number.
    pub label: u16,
    /// Its name.
    pub name: String,
    /// How many voxels it has.
    pub voxels: usize,
    /// Their volume, cm³.
    pub volume_cm3: f64,
}

/// A nerve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpineNerve {
    /// Its name, such as `L4 medial branch right`.
    pub name: String,
    /// What it is.
    pub kind: NerveKind,
    /// The spinal nerve it belongs to.
    pub nerve: Level,
    /// Side.
    pub side: Side,
    /// Diameter, mm.
    pub diameter_mm: f64,
    /// Length of its curve, mm.
    pub length_mm: f64,
    /// How far it may lie from its curve.
    pub spread: Spread,
    /// First and last of the points between which a needle should lie alongside.
    pub target: Option<[usize; 2]>,
    /// From proximal to distal, LPS mm.
    pub points_mm: Vec<[f64; 3]>,
}

/// The fibres of a kind of nerve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpineFibres {
    /// The kind.
    pub kind: NerveKind,
    /// Number of all fibres.
    pub fibre_count: f64,
    /// Its classes.
    pub classes: Vec<FibreClass>,
}

/// A landmark.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpineLandmark {
    /// Its name, such as `L4 right SAP-TP junction`.
    pub name: String,
    /// LPS mm.
    pub position_mm: [f64; 3],
}

/// What `spine.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpineSummary {
    /// What the patient was made from.
    pub parameters: SpineParameters,
    /// Voxels along x, y, z.
    pub dims: [usize; 3],
    /// Their sides, mm.
    pub spacing_mm: [f64; 3],
    /// Standard deviation of the CT's blur in the slice, mm.
    pub blur_mm: f64,
    /// Standard deviation of the CT's noise, HU.
    pub noise_hu: f64,
    /// Seed of the noise.
    pub noise_seed: u64,
    /// The structures present.
    pub labels: Vec<SpineLabel>,
    /// The nerves.
    pub nerves: Vec<SpineNerve>,
    /// Their fibres; counts and shares are recalled or derived where the catalogue says so.
    pub fibres: Vec<SpineFibres>,
    /// The landmarks.
    pub landmarks: Vec<SpineLandmark>,
    /// The folder's files and what they are.
    pub files: BTreeMap<String, String>,
}

/// The steps of [`write_spine`], in order.
const STEPS: [&str; 6] = [
    "labels",
    "CT",
    "surfaces",
    "nerves and landmarks",
    "radiographs",
    "anatomy",
];

/// Writes the patient's files to a folder, whole or not at all. `progress` is told the step, how many are done, and of how many; when it
/// returns false nothing is written.
///
/// # Errors
/// [`ResultsError`]; nothing is left behind.
pub fn write_spine(
    target: &Path,
    export: &SpineExport<'_>,
    progress: &mut dyn FnMut(&str, usize, usize) -> bool,
) -> Result<(SpineSummary, Vec<PathBuf>), ResultsError> {
    let over = export.spine.extent();
    check_size(&over, export.scanner.spacing_mm)?;
    let staging = Staging::begin(target)?;
    let mut step = |n: usize| {
        if progress(STEPS[n], n, STEPS.len()) {
            Ok(())
        } else {
            Err(ResultsError::Cancelled)
        }
    };
    let mut contents = BTreeMap::new();
    let put = |contents: &mut BTreeMap<String, String>, name: &str, what: &str, bytes: &[u8]| {
        contents.insert(name.to_owned(), what.to_owned());
        folder::write_file(&staging.path(name), bytes)
    };

    step(0)?;
    let grid_error = |e: neurotome_base::VolumeError| ResultsError::Input {
        what: "the voxels",
        found: e.to_string(),
        expected: "three sides between 0.1 and 20 mm",
    };
    let labels = export
        .spine
        .labels(&over, export.scanner.spacing_mm)
        .map_err(grid_error)?;
    let table = label_table(&labels);
    // Numbers fit a byte: a test of the structures holds them to it.
    write_nifti_u8(&staging.path("labels.nii.gz"), &labels.map(|l| l as u8)).map_err(image_error)?;
    contents.insert(
        "labels.nii.gz".to_owned(),
        "structures by number; vertebrae as TotalSegmentator numbers them".to_owned(),
    );
    put(
        &mut contents,
        "labels.csv",
        "number, name and size of each structure",
        &label_csv(&table),
    )?;
    let dims = labels.dims();
    drop(labels);

    step(1)?;
    let ct = export
        .spine
        .ct(&over, export.hounsfield, &export.scanner)
        .map_err(grid_error)?;
    write_nifti_i16(&staging.path("ct.nii.gz"), &ct).map_err(image_error)?;
    contents.insert(
        "ct.nii.gz".to_owned(),
        "a volume like a CT, Hounsfield units".to_owned(),
    );

    step(2)?;
    put(
        &mut contents,
        "bones.vtp",
        "surfaces of the bones, each with its number, for ParaView",
        &surfaces(export.spine),
    )?;

    step(3)?;
    let nerves = nerves(export.spine.courses());
    let fibres = fibres(export.catalog)?;
    let landmarks = landmarks(export.spine);
    put(
        &mut contents,
        "nerves.vtp",
        "nerves as lines with kind, diameter and fibres, for ParaView",
        &nerve_lines(&nerves, &fibres),
    )?;
    put(
        &mut contents,
        "nerves.csv",
        "points of the nerves, LPS mm",
        &nerve_csv(&nerves),
    )?;
    put(
        &mut contents,
        "fibres.csv",
        "fibres of each kind of nerve: share, number and diameter by class",
        &fibre_csv(&fibres),
    )?;
    let markup_error = |e: crate::markups::MarkupsError| ResultsError::Input {
        what: "the markups",
        found: e.to_string(),
        expected: "landmarks and nerves that Slicer takes",
    };
    let points = landmarks
        .iter()
        .map(|l| {
            ControlPoint::new(
                l.name.clone(),
                PatientPoint::new(l.position_mm[0], l.position_mm[1], l.position_mm[2]),
            )
        })
        .collect();
    let markups = markups_json(&[Markup::fiducials("landmarks", points)]).map_err(markup_error)?;
    put(
        &mut contents,
        "landmarks.mrk.json",
        "landmarks, for 3D Slicer",
        &markups,
    )?;
    let curves: Vec<Markup> = export
        .spine
        .courses()
        .iter()
        .map(|c| Markup::curve(c.name.clone(), &c.points))
        .collect();
    let markups = markups_json(&curves).map_err(markup_error)?;
    put(
        &mut contents,
        "nerves.mrk.json",
        "nerves as curves, for 3D Slicer",
        &markups,
    )?;

    if export.pictures {
        let title = title(export.parameters);
        step(4)?;
        let views = [
            NamedView::Ap,
            NamedView::LateralRight,
            NamedView::ObliqueRight,
            NamedView::ObliqueLeft,
        ];
        let middle = export
            .spine
            .frame(Level::L4)
            .map_or_else(Vec3::zeros, |f| f.to_patient(&Vec3::new(0.0, 20.0, 0.0)));
        let target = PatientPoint::from_vec(middle);
        let row = sheet::radiographs(&ct, &views, &target, None, FIELD_MM, RADIOGRAPH_PX)?;
        let png = sheet::sheet(
            &title,
            &[row],
            "Radiographs of ct.nii.gz. Research and teaching software, not a medical device.",
        )?;
        put(
            &mut contents,
            "radiographs.png",
            "AP, lateral and both oblique radiographs",
            &png,
        )?;
        drop(ct);
        step(5)?;
        let png = report::anatomy(export.spine, &title)?;
        put(
            &mut contents,
            "anatomy.png",
            "bones and nerves from three sides, slices at L4 and L5",
            &png,
        )?;
    }
    if !progress("", STEPS.len(), STEPS.len()) {
        return Err(ResultsError::Cancelled);
    }
    contents.insert(
        folder::SPINE.to_owned(),
        "the patient: parameters, labels, nerves, fibres, landmarks".to_owned(),
    );
    let summary = SpineSummary {
        parameters: export.parameters.clone(),
        dims,
        spacing_mm: export.scanner.spacing_mm,
        blur_mm: export.scanner.blur_mm,
        noise_hu: export.scanner.noise_hu,
        noise_seed: export.scanner.seed,
        labels: table,
        nerves,
        fibres,
        landmarks,
        files: contents.clone(),
    };
    let json = serde_json::to_vec_pretty(&summary).map_err(|e| ResultsError::Input {
        what: "the summary",
        found: e.to_string(),
        expected: "numbers that JSON can hold",
    })?;
    put(
        &mut contents,
        folder::SPINE,
        "the patient: parameters, labels, nerves, fibres, landmarks",
        &json,
    )?;
    let files = staging.publish(&contents)?;
    Ok((summary, files))
}

/// Refuses an image that would not fit into memory, before any is taken.
fn check_size(over: &PatientBox, spacing_mm: [f64; 3]) -> Result<(), ResultsError> {
    let fine = spacing_mm.iter().all(|s| s.is_finite() && (0.1..=20.0).contains(s));
    let voxels: f64 = (0..3)
        .map(|a| (over.high.xyz[a] - over.low.xyz[a]) / spacing_mm[a])
        .product();
    if fine && voxels <= MAX_SPINE_VOXELS as f64 {
        return Ok(());
    }
    Err(ResultsError::Input {
        what: "the voxels",
        found: if fine {
            format!("{:.0} million of them", 1e-6 * voxels)
        } else {
            format!("sides of {spacing_mm:?} mm")
        },
        expected: "sides between 0.1 and 20 mm and at most 150 million voxels; choose a larger --spacing-mm",
    })
}

fn image_error(error: VolumeFileError) -> ResultsError {
    match error {
        VolumeFileError::Write { file, source } => folder::write_error(Path::new(&file), source),
        other => ResultsError::Image(other),
    }
}

/// Who it is, for the head of a picture.
fn title(p: &SpineParameters) -> String {
    let mut text = format!("Built-in patient, {}", format!("{:?}", p.sex).to_lowercase());
    if let Some(cm) = p.stature_cm {
        let _ = write!(text, ", {cm} cm");
    }
    if let Some(seed) = p.seed {
        let _ = write!(text, ", seed {seed}");
    }
    text
}

fn label_table(labels: &Volume<u16>) -> Vec<SpineLabel> {
    let mut counts = vec![0usize; 256];
    for l in labels.data() {
        if let Some(count) = counts.get_mut(usize::from(*l)) {
            *count += 1;
        }
    }
    let voxel_cm3 = labels.affine().spacing_mm().iter().product::<f64>() * 1e-3;
    Structure::all()
        .into_iter()
        .filter_map(|s| {
            let voxels = counts[usize::from(s.label())];
            (voxels > 0).then(|| SpineLabel {
                label: s.label(),
                name: s.name(),
                voxels,
                volume_cm3: voxels as f64 * voxel_cm3,
            })
        })
        .collect()
}

fn label_csv(table: &[SpineLabel]) -> Vec<u8> {
    let mut text = "label,name,voxels,volume_cm3\n".to_owned();
    for l in table {
        let _ = writeln!(text, "{},{},{},{:.3}", l.label, l.name, l.voxels, l.volume_cm3);
    }
    text.into_bytes()
}

/// Bones and screws as closed surfaces.
fn surfaces(spine: &LumbarSpine) -> Vec<u8> {
    let (mut points, mut normals, mut cells, mut label) = (vec![], vec![], vec![], vec![]);
    for solid in spine.solids() {
        let bounds = solid.bounds();
        let margin = Vec3::repeat(2.0 * SURFACE_MM);
        let lattice = Lattice::around(&(bounds.low.vec() - margin), &(bounds.high.vec() + margin), SURFACE_MM);
        let values = lattice.map(|p| -solid.level_mm(&PatientPoint::from_vec(*p)) as f32);
        let mesh = isosurface(&lattice, &values, 0.0);
        let first = points.len() as u32;
        cells.extend(mesh.triangles.iter().map(|t| t.map(|v| v + first).to_vec()));
        label.extend(std::iter::repeat_n(solid.structure.label() as u8, mesh.triangles.len()));
        normals.extend(mesh.normals.iter().flat_map(|n| [n.x as f32, n.y as f32, n.z as f32]));
        points.extend(mesh.positions);
    }
    poly_data(&PolyData {
        points: &points,
        cells: &cells,
        lines: false,
        point_data: &[Array::vectors("Normals", &normals)],
        cell_data: &[Array::byte("label", &label)],
        texts: &[("meaning", "Surfaces of bones and screws; label as in labels.csv")],
        numbers: &[],
    })
}

fn nerves(courses: &[Course]) -> Vec<SpineNerve> {
    courses
        .iter()
        .map(|c| SpineNerve {
            name: c.name.clone(),
            kind: c.kind,
            nerve: c.nerve,
            side: c.side,
            diameter_mm: c.diameter_mm,
            length_mm: c.points.windows(2).map(|w| (w[1].vec() - w[0].vec()).norm()).sum(),
            spread: c.spread,
            target: c.target,
            points_mm: c.points.iter().map(|p| p.xyz).collect(),
        })
        .collect()
}

fn fibres(catalog: &Catalog) -> Result<Vec<SpineFibres>, ResultsError> {
    NerveKind::ALL
        .into_iter()
        .map(|kind| {
            let found = catalog.nerve_fibres(kind).ok_or_else(|| ResultsError::Input {
                what: "the catalogue's nerves",
                found: format!("none of the name {}", kind.name()),
                expected: "fibres of every kind of nerve; add it to nerves.toml",
            })?;
            Ok(SpineFibres {
                kind,
                fibre_count: found.fibre_count.value,
                classes: found.classes().to_vec(),
            })
        })
        .collect()
}

fn landmarks(spine: &LumbarSpine) -> Vec<SpineLandmark> {
    let mut all = vec![];
    for l in spine.landmarks() {
        for (landmark, at) in [
            (Landmark::Junction, l.junction),
            (Landmark::Mamillary, l.mamillary),
            (Landmark::Accessory, l.accessory),
            (Landmark::Foramen, l.foramen),
            (Landmark::TransverseTip, l.transverse_tip),
        ] {
            if landmark.is_on(l.level) {
                let name = LandmarkName {
                    level: l.level,
                    side: Some(l.side),
                    landmark,
                };
                all.push(SpineLandmark {
                    name: name.to_string(),
                    position_mm: at.xyz,
                });
            }
        }
    }
    all
}

fn nerve_lines(nerves: &[SpineNerve], fibres: &[SpineFibres]) -> Vec<u8> {
    let (mut points, mut cells) = (vec![], vec![]);
    for n in nerves {
        let first = points.len() as u32;
        points.extend(n.points_mm.iter().map(|p| Vec3::from(*p)));
        cells.push((first..points.len() as u32).collect::<Vec<u32>>());
    }
    let kind: Vec<u8> = nerves.iter().map(|n| n.kind as u8).collect();
    let diameter: Vec<f32> = nerves.iter().map(|n| n.diameter_mm as f32).collect();
    let of = |n: &SpineNerve| fibres.iter().find(|f| f.kind == n.kind);
    let count: Vec<f32> = nerves
        .iter()
        .map(|n| of(n).map_or(0.0, |f| f.fibre_count as f32))
        .collect();
    let myelinated: Vec<f32> = nerves
        .iter()
        .map(|n| {
            of(n).map_or(0.0, |f| {
                f.classes.iter().filter(|c| c.myelinated).map(|c| c.share).sum::<f64>() as f32
            })
        })
        .collect();
    let names = nerves.iter().map(|n| n.name.as_str()).collect::<Vec<_>>().join("; ");
    let kinds = NerveKind::ALL.map(NerveKind::name).join("; ");
    poly_data(&PolyData {
        points: &points,
        cells: &cells,
        lines: true,
        point_data: &[],
        cell_data: &[
            Array::byte("kind", &kind),
            Array::float("diameter_mm", &diameter),
            Array::float("fibre_count", &count),
            Array::float("myelinated_share", &myelinated),
        ],
        texts: &[("nerve_names", &names), ("kinds_from_0", &kinds)],
        numbers: &[],
    })
}

fn nerve_csv(nerves: &[SpineNerve]) -> Vec<u8> {
    let mut text = "name,kind,nerve,side,diameter_mm,point,x_mm,y_mm,z_mm\n".to_owned();
    for n in nerves {
        for (i, [x, y, z]) in n.points_mm.iter().enumerate() {
            let _ = writeln!(
                text,
                "{},{},{},{},{},{i},{x:.4},{y:.4},{z:.4}",
                n.name,
                n.kind.name(),
                n.nerve,
                n.side,
                n.diameter_mm
            );
        }
    }
    text.into_bytes()
}

fn fibre_csv(fibres: &[SpineFibres]) -> Vec<u8> {
    let mut text = "kind,class,myelinated,share,count,diameter_um,sd_um\n".to_owned();
    for f in fibres {
        for c in &f.classes {
            let _ = writeln!(
                text,
                "{},{},{},{},{:.0},{},{}",
                f.kind.name(),
                c.kind,
                c.myelinated,
                c.share,
                c.share * f.fibre_count,
                c.diameter_um,
                c.sd_um
            );
        }
    }
    text.into_bytes()
}
