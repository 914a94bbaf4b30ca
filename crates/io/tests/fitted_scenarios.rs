//! Scenarios whose image has a spine fitted to it.

use std::path::Path;

use neurotome_base::{PatientBox, PatientPoint, Vec3, Volume, geometry::distance_to_segment};
use neurotome_io::{
    catalog,
    markups::{ControlPoint, Markup, write_markups},
    scenario::{self, Loaded, Scenario, Source},
    volumes::{write_nifti_i16, write_nifti_u8},
};
use neurotome_procedure::anatomy::{
    Level, NerveKind, Patient, Side, TissueId,
    spine::{Hounsfield, LumbarSpine, Morphometry, Scanner, Sex, SpineParameters, TissueIds},
};

const LEVELS: [Level; 3] = [Level::L3, Level::L4, Level::L5];

fn person() -> LumbarSpine {
    LumbarSpine::new(
        &catalog::built_in().unwrap(),
        &SpineParameters {
            seed: Some(1000),
            ..SpineParameters::default()
        },
        TissueIds::by_name(|_| TissueId(0)),
    )
    .unwrap()
}

/// Writes `ct.nii.gz` and `labels.nii.gz` of a person into a folder.
fn write_images(spine: &LumbarSpine, folder: &Path) {
    let catalog = catalog::built_in().unwrap();
    let back = spine.extent().high.xyz[1];
    let over = PatientBox {
        low: PatientPoint::new(-70.0, -60.0, -75.0),
        high: PatientPoint::new(70.0, back, 115.0),
    };
    let hu = Hounsfield::new(&Morphometry::new(&catalog, Sex::Male)).unwrap();
    let scanner = Scanner {
        spacing_mm: [1.2, 1.2, 2.0],
        ..Scanner::default()
    };
    write_nifti_i16(&folder.join("ct.nii.gz"), &spine.ct(&over, &hu, &scanner).unwrap()).unwrap();
    let labels = spine.labels(&over, [1.2, 1.2, 2.0]).unwrap();
    let bytes = labels.data().iter().map(|l| *l as u8).collect();
    let labels = Volume::new(labels.dims(), *labels.affine(), bytes).unwrap();
    write_nifti_u8(&folder.join("labels.nii.gz"), &labels).unwrap();
}

fn load(folder: &Path, image: &str) -> Result<Loaded, String> {
    let source = Source {
        name: "test.toml".to_owned(),
        text: format!(
            "[image]\npath = \"ct.nii.gz\"\n{image}\n[[needles]]\ncannula = \"20G-10mm-straight-150\"\n\
             [drive]\nmode = \"temperature\"\nset_temperature_c = 80\nhold_s = 60\n"
        ),
        folder: folder.to_owned(),
    };
    scenario::load(&source, &catalog::built_in().unwrap()).map_err(|e| format!("{e:?}"))
}

/// Points in the bodies, each off by some millimetres.
fn points(spine: &LumbarSpine) -> Vec<(Level, [f64; 3])> {
    let off = [[3.0, -4.0, 4.0], [-4.0, 3.0, -3.0], [2.0, 5.0, 3.0]];
    let middle = |l: Level| spine.frame(l).unwrap().origin;
    LEVELS
        .into_iter()
        .zip(off)
        .map(|(l, off)| (l, (middle(l) + Vec3::from(off)).into()))
        .collect()
}

fn table(points: &[(Level, [f64; 3])]) -> String {
    let lines: Vec<String> = points.iter().map(|(l, p)| format!("{l} = {p:?}")).collect();
    format!("[image.spine.points_mm]\n{}", lines.join("\n"))
}

/// How far the middle of the L4 medial branch's stretch for a needle lies from its true course, mm.
fn off_true(loaded: &Loaded, spine: &LumbarSpine) -> f64 {
    let patient = loaded.patient.as_ref().unwrap();
    let of = |p: &dyn Patient| {
        p.course(NerveKind::MedialBranch, Level::L4, Side::Right)
            .cloned()
            .unwrap()
    };
    let (found, truth) = (of(&**patient), of(spine));
    let [a, b] = found.target.unwrap();
    let middle = found.points[usize::midpoint(a, b)].vec();
    let segments = truth.points.windows(2);
    segments
        .map(|w| distance_to_segment(&middle, &w[0].vec(), &w[1].vec()).0)
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn nerves_follow_from_points_labels_and_markups() {
    let spine = person();
    let folder = tempfile::tempdir().unwrap();
    write_images(&spine, folder.path());
    let clicks = points(&spine);
    let by_points = load(folder.path(), &table(&clicks)).unwrap();
    assert!(off_true(&by_points, &spine) < 2.0, "{}", off_true(&by_points, &spine));
    assert!(
        by_points
            .remarks
            .iter()
            .any(|r| r.contains("L4 ") && r.contains("apart"))
    );
    // The needle lies along the nerve, which the run destroys or not; ramus and ganglion are spared.
    let names: Vec<&str> = by_points.problem.nerves.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "L4 medial branch right",
            "L4 ventral ramus right",
            "L4 ganglion right",
            "L4 intermediate branch right"
        ]
    );
    let patient = by_points.patient.as_ref().unwrap();
    assert_eq!(patient.levels(), LEVELS);
    let course = patient.course(NerveKind::MedialBranch, Level::L4, Side::Right).unwrap();
    let own = spine.course(NerveKind::MedialBranch, Level::L4, Side::Right).unwrap();
    assert!(
        course.spread.across_mm > own.spread.across_mm,
        "the fit's misfit adds to the spread"
    );
    // The branch to the skin of the buttock is carried too, and keeps out of what the image shows as bone.
    let skin = patient
        .course(NerveKind::LateralBranch, Level::L3, Side::Right)
        .unwrap();
    assert!(skin.points.iter().all(|p| patient.bone_level_mm(p) > 0.0));
    assert!(skin.points.len() > 40, "{}", skin.points.len());

    let by_labels = load(
        folder.path(),
        "labels = \"labels.nii.gz\"\nlabel_numbering = \"total_segmentator\"\n[image.spine]\n",
    )
    .unwrap();
    assert!(off_true(&by_labels, &spine) < 1.0, "{}", off_true(&by_labels, &spine));

    // A file of 3D Slicer, with the junction of L5 set by hand 2 mm behind the fitted one.
    let fitted = by_points.patient.as_ref().unwrap();
    let before = fitted
        .course(NerveKind::MedialBranch, Level::L4, Side::Right)
        .unwrap()
        .points[5];
    let junction = spine
        .landmarks()
        .into_iter()
        .find(|l| l.level == Level::L5 && l.side == Side::Right)
        .unwrap();
    let mut list: Vec<ControlPoint> = clicks
        .iter()
        .map(|(l, p)| ControlPoint::new(l.to_string(), PatientPoint::from_vec(Vec3::from(*p))))
        .collect();
    list.push(ControlPoint::new("L5 right SAP-TP junction", junction.junction));
    write_markups(
        &folder.path().join("clicks.mrk.json"),
        &[Markup::fiducials("clicks", list)],
    )
    .unwrap();
    let by_markups = load(folder.path(), "[image.spine]\nmarkups = \"clicks.mrk.json\"\n").unwrap();
    assert!(off_true(&by_markups, &spine) < 1.5, "{}", off_true(&by_markups, &spine));
    let remark = by_markups.remarks.iter().find(|r| r.contains("set by hand")).unwrap();
    assert!(remark.contains("L5 right"), "{remark}");
    let after = by_markups.patient.as_ref().unwrap();
    let after = after
        .course(NerveKind::MedialBranch, Level::L4, Side::Right)
        .unwrap()
        .points[5];
    assert!((after.vec() - before.vec()).norm() > 0.05);
}

#[test]
fn what_cannot_be_fitted_is_one_clear_error() {
    let spine = person();
    let folder = tempfile::tempdir().unwrap();
    write_images(&spine, folder.path());
    let clicks = points(&spine);
    let refused = |image: &str| load(folder.path(), image).err().unwrap();
    let one = refused(&table(&clicks[..1]));
    assert!(one.contains("expected at least 2"), "{one}");
    let swapped = [(Level::L4, clicks[0].1), (Level::L3, clicks[1].1)];
    let upside_down = refused(&table(&swapped));
    assert!(upside_down.contains("upwards"), "{upside_down}");
    let gap = refused(&table(&[clicks[0], clicks[2]]));
    assert!(gap.contains("L4 is missing"), "{gap}");
    let beyond = refused(&table(&[clicks[0], (Level::L4, [0.0, 0.0, -500.0])]));
    assert!(beyond.contains("outside the image"), "{beyond}");
    let unknown = refused("[image.spine.points_mm]\nL9 = [0.0, 0.0, 0.0]\n");
    assert!(unknown.contains("L9"), "{unknown}");
    let nothing = refused("[image.spine]\n");
    assert!(nothing.contains("points_mm"), "{nothing}");
    let target = refused(&format!(
        "[image.spine]\ntarget = \"L2 medial branch left\"\n{}",
        table(&clicks[1..])
    ));
    assert!(
        target.contains("L2 medial branch left") && target.contains("did you mean"),
        "{target}"
    );
    // Points in the muscle beside the spine: the bone there is not a vertebra's.
    let aside: Vec<(Level, [f64; 3])> = clicks
        .iter()
        .map(|(l, p)| (*l, [p[0] + 55.0, p[1] + 30.0, p[2]]))
        .collect();
    let muscle = refused(&table(&aside));
    assert!(
        muscle.contains("does not fit") || muscle.contains("outside"),
        "{muscle}"
    );
}

/// Writes labels of the person, each voxel's number and place changed.
fn write_changed(spine: &LumbarSpine, folder: &Path, name: &str, change: impl Fn(&Volume<u16>, usize) -> u16) {
    let over = PatientBox {
        low: PatientPoint::new(-70.0, -60.0, -75.0),
        high: PatientPoint::new(70.0, spine.extent().high.xyz[1], 115.0),
    };
    let labels = spine.labels(&over, [1.2, 1.2, 2.0]).unwrap();
    let bytes = (0..labels.data().len()).map(|i| change(&labels, i) as u8).collect();
    let labels = Volume::new(labels.dims(), *labels.affine(), bytes).unwrap();
    write_nifti_u8(&folder.join(name), &labels).unwrap();
}

#[test]
fn labels_that_contradict_the_points_or_themselves_are_refused() {
    let spine = person();
    let folder = tempfile::tempdir().unwrap();
    write_images(&spine, folder.path());
    let with = |name: &str, more: &str| {
        let image = format!("labels = \"{name}\"\nlabel_numbering = \"total_segmentator\"\n{more}");
        load(folder.path(), &image)
    };
    let clicks = points(&spine);
    assert!(with("labels.nii.gz", &table(&clicks)).is_ok());
    // Every vertebra is called by the name of its upper neighbour: labels from 26 (S1) up to 31 (L1).
    write_changed(&spine, folder.path(), "shifted.nii.gz", |labels, i| {
        match labels.data()[i] {
            l @ 27..=31 => l + 1,
            l => l,
        }
    });
    let shifted = with("shifted.nii.gz", &table(&clicks)).err().unwrap();
    assert!(shifted.contains("call") || shifted.contains("missing"), "{shifted}");
    // Turned head to foot.
    write_changed(&spine, folder.path(), "turned.nii.gz", |labels, i| {
        let [nx, ny, nz] = labels.dims();
        let (x, y, z) = (i % nx, i / nx % ny, i / (nx * ny));
        labels.data()[x + nx * (y + ny * (nz - 1 - z))]
    });
    let turned = with("turned.nii.gz", "[image.spine]\n").err().unwrap();
    assert!(turned.contains("below") && turned.contains("orientation"), "{turned}");
}

#[test]
fn screws_are_told() {
    let screws = LumbarSpine::new(
        &catalog::built_in().unwrap(),
        &SpineParameters {
            screws: vec![Level::L4],
            ..SpineParameters::default()
        },
        TissueIds::by_name(|_| TissueId(0)),
    )
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_images(&screws, folder.path());
    let image = "labels = \"labels.nii.gz\"\nlabel_numbering = \"total_segmentator\"\n[image.spine]\n";
    let loaded = load(folder.path(), image).unwrap();
    assert!(
        loaded.remarks.iter().any(|r| r.contains("metal") && r.contains("L4")),
        "{:?}",
        loaded.remarks
    );
}

#[test]
fn a_fit_to_a_clinical_ct_finds_the_course_that_was_traced_by_hand() {
    if std::env::var_os("NEUROTOME_TEST_DATA").is_none() {
        println!(
            "skipped: a_fit_to_a_clinical_ct_finds_the_course_that_was_traced_by_hand: NEUROTOME_TEST_DATA is not set"
        );
        return;
    }
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let source = Source::read(&scenarios.join("real-dicom-spine.toml")).unwrap();
    let loaded = scenario::load(&source, &catalog::built_in().unwrap()).unwrap();
    let patient = loaded.patient.as_ref().unwrap();
    let course = patient.course(NerveKind::MedialBranch, Level::L4, Side::Right).unwrap();
    let text = std::fs::read_to_string(scenarios.join("real-dicom.toml")).unwrap();
    let traced: Scenario = toml::from_str(&text).unwrap();
    // From the neck of the superior articular process to the mamillary process; the way there was not traced on bone.
    let stretch = &traced.nerves[0].points_mm[2..9];
    let off: Vec<f64> = stretch
        .iter()
        .map(|p| {
            let segments = course.points.windows(2);
            segments
                .map(|w| distance_to_segment(&Vec3::from(*p), &w[0].vec(), &w[1].vec()).0)
                .fold(f64::INFINITY, f64::min)
        })
        .collect();
    // Slices of 4.25 mm.
    assert!(off.iter().all(|d| *d < 4.25), "{off:.1?}");
    assert!(off.iter().sum::<f64>() / (off.len() as f64) < 2.5, "{off:.1?}");
}
