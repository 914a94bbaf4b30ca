//! What a run leaves behind: every file, its content, and the same bytes for any number of threads.

mod synthetic;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use neurotome_base::{PatientPoint, Volume};
use neurotome_io::{
    results::{ExtraFile, ResultsError, ResultsOptions, RunForReport, summarise, write_results},
    volumes::{read_label_nifti, read_nifti},
};
use neurotome_procedure::{
    anatomy::{TissueField, TissueId},
    lesion::{Bend, LesionProblem, LesionResult},
};

const RECORD: &str = "{\"neurotome\": 1, \"title\": \"a test\"}\n";
const SCENARIO: &str = "[needle]\ntarget = \"left L4 medial branch\" # <angle> & \"quotes\"\nactive_tip_mm = 10.0\n";

/// A place for one test's files; kept when NEUROTOME_KEEP_RESULTS names a folder, so that people can look at them.
fn scratch(name: &str) -> (PathBuf, Option<tempfile::TempDir>) {
    if let Some(keep) = std::env::var_os("NEUROTOME_KEEP_RESULTS") {
        let path = PathBuf::from(keep);
        fs::create_dir_all(&path).unwrap();
        return (path.join(name), None);
    }
    let dir = tempfile::tempdir().unwrap();
    (dir.path().join(name), Some(dir))
}

fn write(
    folder: &Path,
    problem: &LesionProblem,
    result: &LesionResult,
    ct: Option<&Volume<f32>>,
    extra_files: &[ExtraFile],
    options: ResultsOptions,
) -> Result<Vec<PathBuf>, ResultsError> {
    let summary = summarise(problem, result);
    let run = RunForReport {
        title: "Left L4 medial branch <test> & more",
        problem,
        result,
        ct,
        tissue_styles: None,
        record_json: RECORD,
        scenario_text: SCENARIO,
        summary: &summary,
        program: "Neurotome test",
        extra_files,
    };
    write_results(folder, &run, &options)
}

/// The files of one folder.
fn read_all(folder: &Path) -> Files {
    fs::read_dir(folder)
        .unwrap()
        .map(|e| {
            let e = e.unwrap();
            (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())
        })
        .collect()
}

type Files = BTreeMap<String, Vec<u8>>;

#[test]
fn a_run_with_a_ct_leaves_a_complete_folder() {
    let (folder, _keep) = scratch("with-ct");
    let ct = synthetic::ct([120, 120, 40], [0.98, 0.98, 3.0], [10.0, 30.0, 8.0]);
    let problem = synthetic::problem(false);
    let result = synthetic::result(&problem);
    let written = write(&folder, &problem, &result, Some(&ct), &[], ResultsOptions::default()).unwrap();
    let files = read_all(&folder);
    assert_eq!(written.len(), files.len());
    assert!(written.iter().all(|p| p.is_file()));
    every_file_is_there(&files);
    pictures_show_their_objects(&files);
    the_needle_has_its_true_size_on_the_slice_along_it(&files);
    the_report_is_whole_and_self_contained(&files);
    the_table_of_curves_has_units_and_all_steps(&files);
    the_field_file_holds_the_fields(&files);
    the_lesion_surface_is_closed_and_has_its_volume(&files);
    nerves_and_needle_carry_their_data(&files);
    images_lie_on_the_grid_of_the_ct(&files);
}

const ALL: [&str; 15] = [
    "contents.txt",
    "curves.csv",
    "curves.png",
    "fields.vti",
    "lesion.vtp",
    "lesion_mask.nii.gz",
    "needle.vtp",
    "nerves.vtp",
    "peak_temperature.nii.gz",
    "record.json",
    "report.html",
    "report.pdf",
    "slices.png",
    "tissues.png",
    "view3d.png",
];

fn every_file_is_there(files: &Files) {
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ALL);
    assert_eq!(files["record.json"], RECORD.as_bytes());
}

fn decode(png: &[u8]) -> (u32, u32, Vec<[u8; 3]>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgb);
    (
        info.width,
        info.height,
        bytes.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect(),
    )
}

fn count(pixels: &[[u8; 3]], color: [u8; 3], slack: u8) -> usize {
    let near = |p: &[u8; 3]| (0..3).all(|c| p[c].abs_diff(color[c]) <= slack);
    pixels.iter().filter(|p| near(p)).count()
}

fn pictures_show_their_objects(files: &Files) {
    for (name, colors) in [
        (
            "slices.png",
            &[
                [86, 180, 233],
                [222, 226, 230],
                [240, 228, 66],
                [230, 159, 0],
                [213, 94, 0],
                [204, 121, 167],
                [0, 158, 115],
            ][..],
        ),
        ("tissues.png", &[[208, 164, 156], [222, 202, 158], [241, 224, 160]][..]),
        ("curves.png", &[[86, 180, 233], [213, 94, 0], [62, 76, 96]][..]),
        ("view3d.png", &[[86, 180, 233], [204, 121, 167]][..]),
    ] {
        let (w, h, pixels) = decode(&files[name]);
        assert_eq!(pixels.len(), (w * h) as usize);
        let distinct: BTreeSet<[u8; 3]> = pixels.iter().copied().collect();
        assert!(distinct.len() > 50, "{name} has {} colours", distinct.len());
        for &color in colors {
            assert!(count(&pixels, color, 2) > 60, "{name} lacks the colour {color:?}");
        }
    }
}

fn the_needle_has_its_true_size_on_the_slice_along_it(files: &Files) {
    // Fourth panel: 10 pixels a millimetre; the bare metal is 10 mm by 0.9 mm less its rounded corners. The nerve may cover some.
    let (width, _, pixels) = decode(&files["slices.png"]);
    let panel: Vec<[u8; 3]> = pixels
        .chunks_exact(width as usize)
        .skip(72 + 684)
        .take(600)
        .flat_map(|row| row[58 + 674..58 + 674 + 600].to_vec())
        .collect();
    let found = count(&panel, [86, 180, 233], 3);
    assert!((500..=900).contains(&found), "{found} pixels of the active tip");
}

fn the_report_is_whole_and_self_contained(files: &Files) {
    let html = String::from_utf8(files["report.html"].clone()).unwrap();
    let head: String = html.split("<main>").next().unwrap().to_owned();
    assert!(head.contains("Research and teaching software, not a medical device"));
    // Pictures are text of 64 letters, in which any word may turn up.
    let words: String = html
        .split("base64,")
        .enumerate()
        .map(|(k, part)| if k == 0 { part } else { part.split_once('"').unwrap().1 })
        .collect();
    for forbidden in ["http", "<script", "<link", "src=\"/", "url("] {
        assert!(!words.contains(forbidden), "found {forbidden}");
    }
    assert!(html.contains("Left L4 medial branch &lt;test&gt; &amp; more"));
    assert!(html.contains("left L4 &lt;spinal&gt; nerve &amp; ganglion"));
    assert!(html.contains("# &lt;angle&gt; &amp; &quot;quotes&quot;"));
    assert_eq!(html.matches("data:image/png;base64,").count(), 4);
    assert_eq!(html.matches("<img alt=\"").count(), 4);
    for id in [
        "summary", "pictures", "nerves", "curves", "evidence", "asked", "tissues", "scenario", "repeat", "files",
    ] {
        assert!(html.contains(&format!("<section id=\"{id}\">")), "section {id}");
    }
    let mut open: Vec<String> = Vec::new();
    for tag in html.split('<').skip(1) {
        let name: String = tag
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "/!".contains(*c))
            .collect();
        if let Some(closed) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed));
        } else if !["!DOCTYPE", "meta", "img"].contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

fn the_table_of_curves_has_units_and_all_steps(files: &Files) {
    let text = String::from_utf8(files["curves.csv"].clone()).unwrap();
    let mut lines = text.lines();
    let header = lines.next().unwrap();
    assert_eq!(
        header,
        "t_s,set_temperature_c,thermocouple_c,max_tissue_c,voltage_v,current_a,power_w,impedance_ohm"
    );
    let rows: Vec<Vec<f64>> = lines
        .map(|l| l.split(',').map(|v| v.parse().unwrap()).collect())
        .collect();
    assert_eq!(rows.len(), 481);
    assert!(rows.iter().all(|r| r.len() == 8));
    assert_eq!(rows[480][0], 120.0);
}

/// Name, type and bytes of each appended array of a VTK XML file.
fn arrays(file: &[u8]) -> BTreeMap<String, (String, Vec<u8>)> {
    let marker = b"<AppendedData encoding=\"raw\">\n_";
    let start = file.windows(marker.len()).position(|w| w == marker).unwrap() + marker.len();
    let head = std::str::from_utf8(&file[..start]).unwrap();
    assert!(head.contains("byte_order=\"LittleEndian\" header_type=\"UInt64\""));
    assert!(head.contains("DICOM LPS"));
    let mut end_of_last = 0;
    let mut found = BTreeMap::new();
    for line in head.lines().filter(|l| l.contains("format=\"appended\"")) {
        let attribute = |name: &str| {
            let rest = line.split(&format!(" {name}=\"")).nth(1).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let offset: usize = attribute("offset").parse().unwrap();
        assert_eq!(offset, end_of_last, "arrays follow each other without gaps");
        let at = start + offset;
        let length = u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize;
        end_of_last = offset + 8 + length;
        found.insert(
            attribute("Name"),
            (attribute("type"), file[at + 8..at + 8 + length].to_vec()),
        );
    }
    assert_eq!(&file[start + end_of_last..], b"\n</AppendedData>\n</VTKFile>\n");
    found
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

fn the_field_file_holds_the_fields(files: &Files) {
    let file = &files["fields.vti"];
    let arrays = arrays(file);
    let head = String::from_utf8_lossy(&file[..2000]);
    let extent: Vec<usize> = head
        .split("WholeExtent=\"")
        .nth(1)
        .and_then(|s| s.split('"').next())
        .unwrap()
        .split(' ')
        .map(|n| n.parse().unwrap())
        .collect();
    let nodes = (extent[1] + 1) * (extent[3] + 1) * (extent[5] + 1);
    assert!(head.contains("Spacing=\"0.5 0.5 0.5\""));
    for name in [
        "temperature_end",
        "temperature_heated",
        "peak_temperature",
        "log10_omega",
        "cem43",
        "field_strength",
    ] {
        assert_eq!(arrays[name].0, "Float32");
        assert_eq!(floats(&arrays[name].1).len(), nodes, "{name}");
    }
    for name in ["tissue", "metal"] {
        assert_eq!(arrays[name].1.len(), nodes);
    }
    // Tissue inside Ω = 1, counted node by node, agrees with the exact volume.
    let omega = floats(&arrays["log10_omega"].1);
    let metal = &arrays["metal"].1;
    let inside = omega.iter().zip(metal).filter(|(o, m)| **o >= 0.0 && **m == 0).count();
    let exact = exact_volume_mm3();
    assert!(
        (inside as f64 * 0.125 / exact - 1.0).abs() < 0.03,
        "{} against {exact}",
        inside as f64 * 0.125
    );
}

fn exact_volume_mm3() -> f64 {
    let problem = synthetic::problem(false);
    synthetic::result(&problem).snapshots[1]
        .contours
        .omega1
        .unwrap()
        .volume_mm3
}

fn the_lesion_surface_is_closed_and_has_its_volume(files: &Files) {
    let arrays = arrays(&files["lesion.vtp"]);
    let points = floats(&arrays["Points"].1);
    let ints: Vec<usize> = arrays["connectivity"]
        .1
        .chunks_exact(4)
        .map(|b| u32::from_le_bytes(b.try_into().unwrap()) as usize)
        .collect();
    let mut edges = BTreeMap::new();
    let mut volume = 0.0;
    let at = |i: usize| [0, 1, 2].map(|a| f64::from(points[3 * i + a] - points[a]));
    for t in ints.chunks_exact(3) {
        for (a, b) in [(t[0], t[1]), (t[1], t[2]), (t[2], t[0])] {
            *edges.entry((a.min(b), a.max(b))).or_insert(0) += 1;
        }
        let [a, b, c] = [at(t[0]), at(t[1]), at(t[2])];
        volume += (a[0] * (b[1] * c[2] - b[2] * c[1])
            + a[1] * (b[2] * c[0] - b[0] * c[2])
            + a[2] * (b[0] * c[1] - b[1] * c[0]))
            / 6.0;
    }
    assert!(edges.values().all(|n| *n == 2));
    // The surface also holds the needle in it: 0.9 mm thick and some 11.6 mm long.
    let metal = std::f64::consts::PI * 0.2025 * 11.3;
    let exact = exact_volume_mm3();
    assert!(
        ((volume - metal) / exact - 1.0).abs() < 0.02,
        "{volume} against {exact}"
    );
}

fn nerves_and_needle_carry_their_data(files: &Files) {
    let nerves = arrays(&files["nerves.vtp"]);
    let points = nerves["Points"].1.len() / 12;
    assert_eq!(floats(&nerves["peak_temperature"].1).len(), points);
    assert_eq!(nerves["target"].1, [1, 0]);
    assert!(
        floats(&nerves["log10_omega"].1).iter().any(|o| *o > 0.0),
        "the target is reached"
    );
    let needle = arrays(&files["needle.vtp"]);
    let active = &needle["active"].1;
    assert!(active.contains(&0) && active.contains(&1));
}

fn images_lie_on_the_grid_of_the_ct(files: &Files) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| {
        let path = dir.path().join(name);
        fs::write(&path, &files[name]).unwrap();
        path
    };
    let mask = read_label_nifti(&path("lesion_mask.nii.gz")).unwrap();
    let peak = read_nifti(&path("peak_temperature.nii.gz")).unwrap();
    assert_eq!(mask.dims(), [120, 120, 40]);
    assert_eq!(peak.dims(), [120, 120, 40]);
    let spacing = mask.affine().spacing_mm();
    assert!((spacing[0] - 0.98).abs() < 1e-5 && (spacing[2] - 3.0).abs() < 1e-5);
    let voxels = mask.data().iter().filter(|m| **m == 1).count();
    let volume = voxels as f64 * spacing.iter().product::<f64>();
    assert!(
        (volume / exact_volume_mm3() - 1.0).abs() < 0.12,
        "{volume} mm³ on coarse voxels"
    );
    // Voxel by voxel the same as the field itself.
    let problem = synthetic::problem(false);
    let result = synthetic::result(&problem);
    let mut checked = 0;
    for (x, y, z) in [(22.0, 30.0, 8.0), (24.0, 33.0, 6.0), (40.0, 50.0, 20.0)] {
        let v = peak.affine().to_voxel(&neurotome_base::Point::new(x, y, z));
        let [i, j, k] = v.xyz.map(f64::round);
        let p = peak.affine().to_patient(&neurotome_base::Point::new(i, j, k));
        if let Some(s) = result.fields.sample(&p) {
            let found = f64::from(peak.get(i as usize, j as usize, k as usize).unwrap());
            assert!((found - s.peak_temperature_c).abs() < 1e-4 || s.peak_temperature_c < 37.3);
            checked += 1;
        }
    }
    assert!(checked >= 2);
}

#[test]
fn the_same_run_gives_the_same_bytes_on_any_number_of_threads() {
    let problem = synthetic::problem(true);
    let result = synthetic::result(&problem);
    let run = |threads: usize| {
        let (folder, _keep) = scratch("bipolar");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write(&folder, &problem, &result, None, &[], ResultsOptions::default()))
            .unwrap();
        read_all(&folder)
    };
    let one = run(1);
    let three = run(3);
    assert_eq!(one.len(), ALL.len());
    for (name, bytes) in &one {
        assert!(*bytes == three[name], "{name} differs");
    }
}

#[test]
fn a_bent_needle_without_nerves_and_without_lesion_is_reported_too() {
    let mut problem = synthetic::problem(false);
    problem.needles[0].bend = Some(Bend {
        angle_deg: 15.0,
        length_mm: 12.0,
        towards: [1.0, 0.0, 0.0],
    });
    problem.injury.ln_frequency_factor -= 40.0;
    let mut result = synthetic::result(&problem);
    result.nerves.clear();
    problem.nerves.clear();
    for s in &mut result.snapshots {
        s.contours.omega1 = None;
    }
    let (folder, _keep) = scratch("bent");
    let extra = [ExtraFile {
        name: "fluoroscopy.png".to_owned(),
        caption: "The needle under X-ray".to_owned(),
        bytes: b"\x89PNG\r\n\x1a\n".to_vec(),
    }];
    write(&folder, &problem, &result, None, &extra, ResultsOptions::default()).unwrap();
    let files = read_all(&folder);
    assert!(files.contains_key("fluoroscopy.png"));
    let html = String::from_utf8_lossy(&files["report.html"]).into_owned();
    assert!(html.contains("none: Ω stayed below 1 everywhere") && html.contains("The needle under X-ray"));
    assert!(arrays(&files["lesion.vtp"])["connectivity"].1.is_empty());
}

#[test]
fn pictures_and_fields_can_be_left_out() {
    let problem = synthetic::problem(false);
    let result = synthetic::result(&problem);
    let (folder, _keep) = scratch("plain");
    let options = ResultsOptions {
        pictures: false,
        vtk: false,
        nifti: false,
    };
    write(&folder, &problem, &result, None, &[], options).unwrap();
    let files = read_all(&folder);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["contents.txt", "curves.csv", "record.json", "report.html", "report.pdf"]
    );
}

#[test]
fn what_cannot_be_reported_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("run");
    let problem = synthetic::problem(false);
    let result = synthetic::result(&problem);
    let options = ResultsOptions::default();
    for name in [
        "../escape",
        "report.html",
        "report.pdf",
        "slices.png",
        "",
        ".hidden",
        "a b",
    ] {
        let extra = [ExtraFile {
            name: name.to_owned(),
            caption: String::new(),
            bytes: Vec::new(),
        }];
        let error = write(&folder, &problem, &result, None, &extra, options).unwrap_err();
        assert!(matches!(error, ResultsError::Input { .. }), "{name}: {error}");
    }
    let mut bad = synthetic::problem(false);
    bad.needles.clear();
    assert!(write(&folder, &bad, &result, None, &[], options).is_err());
    let mut bad = synthetic::problem(false);
    bad.nerves[0].points.truncate(1);
    let error = write(&folder, &bad, &result, None, &[], options)
        .unwrap_err()
        .to_string();
    assert!(error.contains("left L4 medial branch"), "{error}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("letter.txt"), "mine").unwrap();
    let error = write(&folder, &problem, &result, None, &[], options).unwrap_err();
    assert!(matches!(error, ResultsError::Occupied { .. }));
    assert_eq!(fs::read_to_string(folder.join("letter.txt")).unwrap(), "mine");
}

/// Tissues by plain thresholds of a CT.
struct Thresholds(Volume<f32>);

impl TissueField for Thresholds {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        TissueId(match self.0.trilinear(p).unwrap_or(-1000.0) {
            hu if hu > 450.0 => 1,
            hu if hu > 180.0 => 2,
            hu if hu > -20.0 => 0,
            hu if hu > -300.0 => 4,
            _ => 5,
        })
    }
}

#[test]
fn a_clinical_ct_is_reported_on_its_own_grid() {
    let Some(data) = std::env::var_os("NEUROTOME_TEST_DATA") else {
        println!("skipped: a_clinical_ct_is_reported_on_its_own_grid: NEUROTOME_TEST_DATA is not set");
        return;
    };
    let zip = PathBuf::from(data).join("acrin-flt-breast-001/acrin001_ct_original_dicom.zip");
    let ct = neurotome_io::dicom::read_ct(&zip).unwrap().hu;
    // Right L4 medial branch at the neck of the L5 superior articular process, as in the scenario `real-dicom.toml`.
    let point = |p: [f64; 3]| PatientPoint::new(p[0], p[1], p[2]);
    let mut problem = synthetic::problem(false);
    let tip = point([-41.5, 75.4, -684.4]);
    let entry = point([-68.85, 154.84, -751.06]);
    problem.needles[0].tip = tip;
    problem.needles[0].direction = (tip.vec() - entry.vec()).normalize().into();
    problem.needles[0].length_mm = 150.0;
    problem.domain.center = tip;
    problem.nerves[0].points = [
        [-42.5, 65.5, -679.5],
        [-41.7, 75.5, -685.8],
        [-43.0, 80.0, -689.5],
        [-41.8, 84.5, -693.2],
        [-39.9, 85.9, -695.9],
        [-36.3, 87.3, -699.5],
    ]
    .map(point)
    .to_vec();
    problem.nerves[1].points = [
        [-37.0, 66.5, -675.5],
        [-44.0, 64.0, -681.0],
        [-47.5, 61.0, -688.0],
        [-50.0, 59.0, -696.0],
        [-52.0, 57.0, -706.0],
    ]
    .map(point)
    .to_vec();
    problem.anatomy = Arc::new(Thresholds(ct.clone()));
    let result = synthetic::result(&problem);
    let (folder, _keep) = scratch("clinical-ct");
    let start = std::time::Instant::now();
    write(&folder, &problem, &result, Some(&ct), &[], ResultsOptions::default()).unwrap();
    println!("written in {:.2} s", start.elapsed().as_secs_f64());
    let mask = read_label_nifti(&folder.join("lesion_mask.nii.gz")).unwrap();
    assert_eq!(mask.dims(), ct.dims());
    let voxel: f64 = ct.affine().spacing_mm().iter().product();
    let volume = mask.data().iter().filter(|m| **m == 1).count() as f64 * voxel;
    assert!(
        (volume / exact_volume_mm3() - 1.0).abs() < 0.2,
        "{volume} mm³ on clinical voxels"
    );
}
