//! Scenario files: the ones shipped load, and every kind of bad input gives one error at its line.

use std::path::{Path, PathBuf};

use neurotome_io::{
    catalog,
    scenario::{self, Loaded, ScenarioError, Source},
};
use neurotome_procedure::lesion::{Control, Drive, Perfusion};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn load_text(text: &str) -> Result<Loaded, ScenarioError> {
    let source = Source {
        name: "test.toml".to_owned(),
        text: text.to_owned(),
        folder: PathBuf::new(),
    };
    scenario::load(&source, &catalog::built_in().unwrap())
}

const GOOD: &str = r#"title = "good"
perfusion = "on"
[phantom]
background = "muscle"
[[needles]]
cannula = "20G-10mm-straight"
tip_mm = [0, 0, 0]
direction = [0, 0, -1]
[drive]
set_temperature_c = 80
hold_s = 90
cooling_s = 30
[[nerves]]
name = "n"
points_mm = [[3, 0, -20], [3, 0, 20]]
diameter_mm = 1
[[probes]]
name = "p"
position_mm = [2, 0, 5]
[output]
times_s = [10, 50]
"#;

/// Loads `GOOD` with one change; the error's line must be that which holds `marker`, its text must hold `expected`.
fn refused(from: &str, to: &str, marker: &str, expected: &str) {
    assert!(GOOD.contains(from), "{from}");
    let text = GOOD.replacen(from, to, 1);
    let Err(error) = load_text(&text) else {
        panic!("{to:?} was accepted");
    };
    let message = error.to_string();
    assert!(message.contains(expected), "{to:?}: {message}");
    let ScenarioError::Fault(fault) = error else {
        panic!("{to:?}: {message}");
    };
    let line = fault.line().unwrap_or_else(|| panic!("{to:?}: no line: {message}"));
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    assert!(
        shown.contains(marker),
        "{to:?}: line {line} is {shown:?}, expected {marker:?}: {message}"
    );
    assert!(!fault.help.is_empty(), "{to:?}: no advice");
}

#[test]
fn wrong_keys_types_and_values_are_shown_at_their_line() {
    for (from, to, marker, expected) in [
        // keys and types
        (
            "set_temperature_c = 80",
            "set_temperature = 80",
            "set_temperature",
            "did you mean `set_temperature_c`",
        ),
        ("[phantom]", "[phantm]", "[phantm]", "did you mean `phantom`"),
        (
            "hold_s = 90",
            "hold_s = \"long\"",
            "hold_s",
            "`drive.hold_s` is unusable",
        ),
        ("tip_mm = [0, 0, 0]", "tip_mm = [0, 0]", "tip_mm", "needles[0].tip_mm"),
        (
            "perfusion = \"on\"",
            "perfusion = \"maybe\"",
            "maybe",
            "unknown value \"maybe\"",
        ),
        ("title = \"good\"", "title = ", "title", "not valid TOML"),
        // catalogue names
        (
            "20G-10mm-straight",
            "20G-10mm-strait",
            "strait",
            "did you mean \"20G-10mm-straight\"",
        ),
        (
            "background = \"muscle\"",
            "background = \"muscel\"",
            "muscel",
            "did you mean \"muscle\"",
        ),
        // numbers
        (
            "tip_mm = [0, 0, 0]",
            "tip_mm = [0, nan, 0]",
            "nan",
            "expected three numbers",
        ),
        ("cooling_s = 30", "cooling_s = inf", "inf", "`drive.cooling_s` is inf"),
        ("cooling_s = 30", "cooling_s = -1", "-1", "expected 0 to 3600 s"),
        (
            "direction = [0, 0, -1]",
            "direction = [0, 0, 0]",
            "direction",
            "a direction other than zero",
        ),
        (
            "set_temperature_c = 80",
            "set_temperature_c = 30",
            "30",
            "above the 37 °C at the start",
        ),
        (
            "set_temperature_c = 80",
            "set_temperature_c = 101",
            "101",
            "at most 100 °C",
        ),
        (
            "diameter_mm = 1",
            "diameter_mm = 0",
            "diameter_mm = 0",
            "expected above 0",
        ),
        ("times_s = [10, 50]", "times_s = [10, 500]", "times_s", "at most 135 s"),
        (
            "times_s = [10, 50]",
            "times_s = [50, 10]",
            "times_s",
            "does not come after",
        ),
        ("times_s = [10, 50]", "times_s = [nan]", "times_s", "output time NaN"),
        // geometry
        (
            "direction = [0, 0, -1]",
            "direction = [0, 0, -1]\nactive_tip_mm = 100",
            "active_tip_mm",
            "not shorter than the needle",
        ),
        (
            "tip_mm = [0, 0, 0]",
            "tip_mm = [0, 0, 0]\ntarget_mm = [0, 0, 0]",
            "[[needles]]",
            "given twice",
        ),
        ("direction = [0, 0, -1]", "", "[[needles]]", "incomplete"),
        (
            "points_mm = [[3, 0, -20], [3, 0, 20]]",
            "points_mm = [[3, 0, 90], [3, 0, 95]]",
            "points_mm",
            "outside the region",
        ),
        (
            "points_mm = [[3, 0, -20], [3, 0, 20]]",
            "points_mm = [[3, 0, 9]]",
            "points_mm",
            "at least 2",
        ),
        (
            "position_mm = [2, 0, 5]",
            "position_mm = [2, 0, 500]",
            "position_mm",
            "outside the region",
        ),
        // combinations
        ("hold_s = 90", "hold_s = 90\nheating_s = 100", "hold_s", "expected one"),
        (
            "hold_s = 90",
            "hold_s = 90\nvoltage_v = 10",
            "voltage_v",
            "no meaning with mode = \"temperature\"",
        ),
        ("hold_s = 90", "", "[drive]", "how long does the current flow"),
        (
            "hold_s = 90",
            "hold_s = 90\narrangement = \"bipolar\"",
            "arrangement",
            "with 1 needles, expected two",
        ),
        (
            "[phantom]",
            "[image]\npath = \"x.nii\"\n[phantom]",
            "[phantom]",
            "both [image] and [phantom]",
        ),
        (
            "[[probes]]",
            "[[probes]]\nname = \"p\"\nposition_mm = [1, 0, 0]\n[[probes]]",
            "name = \"p\"",
            "occurs twice",
        ),
    ] {
        refused(from, to, marker, expected);
    }
}

#[test]
fn tissues_and_regions_are_checked() {
    let tissues = |t: &str| format!("[tissues.muscle]\n{t}\n[phantom]");
    for (to, marker, expected) in [
        (tissues("density_kg_per_m3 = 0"), "density", "expected above 0"),
        (tissues("sigma_s_per_m = -0.4"), "sigma", "expected above 0"),
        (
            tissues("sigma_s_per_cm = 0.4"),
            "sigma_s_per_cm",
            "did you mean `sigma_s_per_m`",
        ),
        (
            "[tissues.new]\nsigma_s_per_m = 1\n[phantom]".to_owned(),
            "[tissues.new]",
            "not in the catalogue",
        ),
        (
            "[tissues.new]\nbased_on = \"muscel\"\n[phantom]".to_owned(),
            "muscel",
            "did you mean \"muscle\"",
        ),
        (
            "[domain]\nshape = \"sphere\"\nhalf_mm = [50, 50, 50]\n[phantom]".to_owned(),
            "half_mm",
            "for a sphere",
        ),
        (
            "[domain]\ncenter_mm = [0, 0, 59.5]\n[phantom]".to_owned(),
            "tip_mm",
            "outside the region computed",
        ),
        (
            "[injury]\nlaw = \"liver\"\n[phantom]".to_owned(),
            "law",
            "did you mean \"liver_jacques\"",
        ),
        (
            "[injury]\nfrequency_factor_per_s = 1e40\n[phantom]".to_owned(),
            "[injury]",
            "needs both numbers",
        ),
    ] {
        refused("[phantom]", &to, marker, expected);
    }
    let region = |r: &str| format!("[[phantom.regions]]\n{r}\n[[needles]]");
    for (r, marker, expected) in [
        (
            "tissue = \"air\"\nshape = \"sphere\"\ncenter_mm = [0, 0, 0]\nradius_mm = 3",
            "tip_mm",
            "lies in air",
        ),
        (
            "tissue = \"fat\"\nshape = \"sphere\"\ncenter_mm = [0, 0, 0]",
            "[[phantom.regions]]",
            "`phantom.regions[0].radius_mm` is missing",
        ),
        (
            "tissue = \"fat\"\nshape = \"layer\"\nradius_mm = 3",
            "radius_mm",
            "no meaning for a layer",
        ),
        (
            "shape = \"box\"\ncenter_mm = [0, 0, 0]\nhalf_mm = [1, 1, 1]",
            "[[phantom.regions]]",
            "every region but labels has a tissue",
        ),
        (
            "shape = \"labels\"\npath = \"no-such-file.nii\"\nlabel_tissues = { 1 = \"fat\" }",
            "no-such-file.nii",
            "does not exist",
        ),
        (
            "shape = \"labels\"\npath = \"x\"\nlabel_tissues = { one = \"fat\" }",
            "one",
            "not a whole number",
        ),
    ] {
        refused("[[needles]]", &region(r), marker, expected);
    }
}

#[test]
fn crossing_needles_and_crowds_are_refused() {
    let second = "[[needles]]\ncannula = \"20G-10mm-straight\"\ntip_mm = [3, 0, 4]\ndirection = [-1, 0, 0]\n[drive]";
    let reversed = second.replace("[3, 0, 4]", "[-3, 0, 4]");
    refused("[drive]", &reversed, "[-3, 0, 4]", "needles 1 and 2 cross");
    // The same needle the other way round stops short of the first.
    let clear = GOOD.replacen("[drive]", second, 1);
    load_text(&clear).unwrap();

    let many = |n: usize, table: &str| table.repeat(n) + "[drive]";
    let needle = "[[needles]]\ncannula = \"20G-10mm-straight\"\ntip_mm = [0, 0, 0]\ndirection = [0, 0, -1]\n";
    refused(
        "[drive]",
        &many(scenario::MAX_NEEDLES, needle),
        "[[needles]]",
        "expected at most 8",
    );
    let probe = "[[probes]]\nname = \"x\"\nposition_mm = [1, 0, 0]\n";
    refused(
        "[drive]",
        &many(scenario::MAX_PROBES, probe),
        "[[probes]]",
        "expected at most 256",
    );
}

#[test]
fn a_good_scenario_is_resolved() {
    let loaded = load_text(GOOD).unwrap();
    let p = &loaded.problem;
    assert_eq!(
        p.drive,
        Drive::Temperature {
            set_temperature_c: 80.0,
            ramp_s: 15.0,
            control: Control::First,
        }
    );
    assert_eq!((p.heating_s, p.cooling_s), (105.0, 30.0));
    assert_eq!(p.output_times_s, [10.0, 50.0, 105.0, 135.0]);
    assert_eq!(p.needles[0].outer_diameter_mm, 0.908);
    assert_eq!(p.perfusion, Perfusion::On);
    // Unverified values of the catalogue are named, and only those that the run uses.
    let named: Vec<String> = loaded
        .notices
        .iter()
        .map(|n| format!("{} {}", n.subject, n.key))
        .collect();
    for expected in [
        "tissue muscle perfusion_per_s",
        "cannula 20G-10mm-straight outer_diameter_mm",
        "metal steel_304 density_kg_per_m3",
        "generator generic max_voltage_v",
    ] {
        assert!(named.iter().any(|n| n == expected), "{expected} is not in {named:?}");
    }
    for absent in ["fat", "water_fraction", "injury", "max_power_w", "active_tip_mm"] {
        assert!(!named.iter().any(|n| n.contains(absent)), "{absent} in {named:?}");
    }
    assert!(
        loaded
            .notices
            .iter()
            .all(|n| !n.source.is_empty() && n.value.is_finite())
    );
    // A value given in the scenario is not the catalogue's.
    let own = GOOD.replacen("[phantom]", "[tissues.muscle]\nperfusion_per_s = 0.001\n[phantom]", 1);
    let loaded = load_text(&own).unwrap();
    assert!(!loaded.notices.iter().any(|n| n.key == "perfusion_per_s"));
    let muscle = loaded.problem.tissue_names.iter().position(|n| n == "muscle").unwrap();
    assert_eq!(loaded.problem.tissues[muscle].perfusion_per_s, 0.001);
}

#[test]
fn the_shipped_scenarios_load() {
    let catalog = catalog::built_in().unwrap();
    let mut count = 0;
    for folder in ["scenarios", "validation/crosscode/field"] {
        let mut paths: Vec<_> = std::fs::read_dir(root().join(folder))
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == "toml"))
            .collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("real-") && std::env::var_os(scenario::TEST_DATA_VARIABLE).is_none() {
                println!("skipped: the_shipped_scenarios_load ({name}): NEUROTOME_TEST_DATA is not set");
                continue;
            }
            let loaded = Source::read(&path)
                .and_then(|s| scenario::load(&s, &catalog))
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            // The reference cases define every number themselves.
            if folder.starts_with("validation") {
                assert_eq!(loaded.notices, [], "{name}");
            }
            count += 1;
        }
    }
    assert!(count >= 8, "only {count} scenarios found");
}

#[test]
fn the_built_in_patient_has_its_nerves_and_needle() {
    let catalog = catalog::built_in().unwrap();
    let loaded = scenario::load(&Source::built_in(), &catalog).unwrap();
    assert_eq!(loaded.problem.needles.len(), 1);
    assert_eq!(loaded.problem.needles[0].active_tip_mm, 10.0);
    assert!(loaded.problem.nerves.iter().any(|n| n.target));
    assert!(loaded.problem.nerves.iter().any(|n| n.name.contains("ventral ramus")));
    let on_disk = std::fs::read_to_string(root().join("scenarios/built-in.toml")).unwrap();
    assert_eq!(Source::built_in().text, on_disk);
}

#[test]
fn bevels_come_from_the_catalogue_or_the_scenario() {
    let bevel = |cannula: &str| {
        let loaded = load_text(&GOOD.replacen("cannula = \"20G-10mm-straight\"", cannula, 1)).unwrap();
        loaded.problem.needles[0].bevel
    };
    assert_eq!(bevel("cannula = \"20G-10mm-straight\""), None);
    let own = bevel("cannula = \"20G-10mm-bevel\"").unwrap();
    assert_eq!(own.angle_deg, 20.0);
    assert!(own.towards[2].abs() < 1e-12, "{:?}", own.towards);
    assert_eq!(bevel("cannula = \"20G-10mm-bevel\"\ntip = \"rounded\""), None);
    let given = "cannula = \"20G-10mm-straight\"\nbevel_angle_deg = 30\nbevel_towards = [0, 2, 0]";
    let given = bevel(given).unwrap();
    assert_eq!((given.angle_deg, given.towards), (30.0, [0.0, 1.0, 0.0]));
    let curved = bevel("cannula = \"20G-10mm-curved-bevel\"\nbend_towards = [-1, 0, 0]").unwrap();
    assert_eq!(curved.towards, [-1.0, 0.0, 0.0], "towards the bend");
}

#[test]
fn impossible_bevels_are_refused() {
    let pose = "tip_mm = [0, 0, 0]";
    for (keys, marker, expected) in [
        (
            "bevel_towards = [1, 0, 0]",
            "bevel_towards",
            "whose end is not bevelled",
        ),
        ("tip = \"bevel\"", "[[needles]]", "bevel_angle_deg"),
        ("bevel_angle_deg = 5", "bevel_angle_deg", "expected 10 to 60 degrees"),
        (
            "bevel_angle_deg = 20\nbevel_towards = [0, 0, 1]",
            "bevel_towards",
            "opens along the shaft",
        ),
        (
            "bevel_angle_deg = 20\nactive_tip_mm = 3",
            "active_tip_mm",
            "bevelled end",
        ),
    ] {
        refused(pose, &format!("{pose}\n{keys}"), marker, expected);
    }
}

#[test]
fn bipolar_halves_add_up_to_the_voltage() {
    let path = root().join("validation/crosscode/field/case-d.toml");
    let loaded = scenario::load(&Source::read(&path).unwrap(), &catalog::built_in().unwrap()).unwrap();
    assert_eq!(loaded.problem.drive, Drive::Voltage { voltage_v: 25.0 });
    let fractions: Vec<f64> = loaded.problem.needles.iter().map(|n| n.potential_fraction).collect();
    assert_eq!(fractions, [0.5, -0.5]);
}

#[test]
fn images_are_checked_and_named() {
    use neurotome_base::{Affine, Volume};
    let dir = tempfile::tempdir().unwrap();
    // A block of muscle in air: 60 mm a side, voxels of 2 mm.
    let affine = Affine::axis_aligned([2.0; 3], [-39.0, -39.0, -39.0]).unwrap();
    let mut ct = Volume::filled([40, 40, 40], affine, -1000.0f32).unwrap();
    let mut labels = Volume::filled([40, 40, 40], affine, 0u8).unwrap();
    for k in 5..35 {
        for j in 5..35 {
            for i in 5..35 {
                let n = i + 40 * (j + 40 * k);
                ct.data_mut()[n] = 55.0;
                if (18..22).contains(&j) {
                    labels.data_mut()[n] = 3;
                }
            }
        }
    }
    neurotome_io::volumes::write_nifti_f32(&dir.path().join("ct.nii.gz"), &ct).unwrap();
    neurotome_io::volumes::write_nifti_u8(&dir.path().join("labels.nii.gz"), &labels).unwrap();
    let load = |image: &str, from: &str, to: &str| {
        let text = GOOD
            .replacen("[phantom]\nbackground = \"muscle\"", &format!("[image]\n{image}"), 1)
            .replacen("position_mm = [2, 0, 5]", "position_mm = [2, 2, 5]", 1)
            .replacen(from, to, 1);
        let source = Source {
            name: "image.toml".to_owned(),
            text,
            folder: dir.path().to_owned(),
        };
        scenario::load(&source, &catalog::built_in().unwrap())
    };
    let plain = "path = \"ct.nii.gz\"";
    let loaded = load(plain, "", "").unwrap();
    assert_eq!(loaded.inputs[0].path, "ct.nii.gz");
    assert!(matches!(loaded.setting, scenario::Setting::Image(_)));
    let name = |loaded: &Loaded, y: f64| {
        let id = loaded
            .problem
            .anatomy
            .tissue_at(&neurotome_base::PatientPoint::new(0.0, y, 0.0));
        loaded.problem.tissue_names[usize::from(id.0)].clone()
    };
    assert_eq!(name(&loaded, 10.0), "muscle");
    assert_eq!(name(&loaded, 38.0), "air");
    let labelled = format!("{plain}\nlabels = \"labels.nii.gz\"\nlabel_meaning = {{ 3 = \"disc\" }}");
    assert_eq!(name(&load(&labelled, "", "").unwrap(), 0.0), "intervertebral_disc");
    let vertebra = labelled.replace("disc", "L4");
    assert!(name(&load(&vertebra, "", "").unwrap(), 0.0).ends_with("bone"));

    let message = |image: &str, from: &str, to: &str| match load(image, from, to) {
        Ok(_) => panic!("{image} was accepted"),
        Err(e) => e.to_string(),
    };
    for (image, from, to, expected) in [
        (
            "path = \"none.nii\"",
            "",
            "",
            "image.toml:4: `image.path` names \"none.nii\", which does not exist",
        ),
        ("path = \"${NEUROTOME_TEST_DATA_2}/x.nii\"", "", "", "does not exist"),
        ("path = \"image.toml\"", "", "", "does not exist"),
        (
            plain,
            "tip_mm = [0, 0, 0]",
            "tip_mm = [0, 0, 300]",
            "lies outside the image",
        ),
        (plain, "tip_mm = [0, 0, 0]", "tip_mm = [0, 35, 0]", "lies in air"),
        (
            "path = \"ct.nii.gz\"\nlabels = \"labels.nii.gz\"",
            "",
            "",
            "label_meaning` is missing",
        ),
        (
            "path = \"ct.nii.gz\"\nlabels = \"labels.nii.gz\"\nlabel_numbering = \"totalsegmentator\"",
            "",
            "",
            "did you mean \"total_segmentator\"",
        ),
        (
            "path = \"ct.nii.gz\"\nlabels = \"labels.nii.gz\"\nlabel_meaning = { 3 = \"L7\" }",
            "",
            "",
            "unknown value \"L7\"",
        ),
        (
            "path = \"ct.nii.gz\"\nlabel_numbering = \"tptbox_vertebrae\"",
            "",
            "",
            "without `image.labels`",
        ),
    ] {
        let found = message(image, from, to);
        assert!(found.contains(expected), "{image}: {found}");
    }
    std::fs::write(dir.path().join("junk.nii"), b"not an image").unwrap();
    let found = message("path = \"junk.nii\"", "", "");
    assert!(found.contains("image.toml:4"), "{found}");
}

#[test]
fn the_checked_in_schema_is_current() {
    let path = root().join("docs/scenario.schema.json");
    let current = serde_json::to_string_pretty(&scenario::schema()).unwrap() + "\n";
    let on_disk = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        on_disk == current,
        "docs/scenario.schema.json is not what `neurotome schema` prints: write it again"
    );
}

#[test]
fn a_label_volume_makes_regions() {
    let dir = tempfile::tempdir().unwrap();
    let affine = neurotome_base::Affine::axis_aligned([1.0; 3], [-10.0; 3]).unwrap();
    let mut volume = neurotome_base::Volume::filled([20, 20, 20], affine, 0u8).unwrap();
    for v in volume.data_mut().iter_mut().skip(4000) {
        *v = 7;
    }
    neurotome_io::volumes::write_nifti_u8(&dir.path().join("l.nii.gz"), &volume).unwrap();
    let text = GOOD.replacen(
        "[[needles]]",
        "[[phantom.regions]]\nshape = \"labels\"\npath = \"l.nii.gz\"\nlabel_tissues = { 7 = \"fat\" }\n[[needles]]",
        1,
    );
    let source = Source {
        name: "labels.toml".to_owned(),
        text,
        folder: dir.path().to_owned(),
    };
    let loaded = scenario::load(&source, &catalog::built_in().unwrap()).unwrap();
    let name = |p: [f64; 3]| {
        let id = loaded
            .problem
            .anatomy
            .tissue_at(&neurotome_base::PatientPoint::new(p[0], p[1], p[2]));
        loaded.problem.tissue_names[usize::from(id.0)].clone()
    };
    assert_eq!(name([0.0, 0.0, 5.0]), "fat");
    assert_eq!(name([0.0, 0.0, -5.0]), "muscle");
    assert_eq!(name([0.0, 0.0, 50.0]), "muscle");
    assert_eq!(loaded.inputs.len(), 1);
    assert_eq!(
        (loaded.inputs[0].path.as_str(), loaded.inputs[0].sha256.len()),
        ("l.nii.gz", 64)
    );
}

/// Loads `GOOD` with text put in after a line, as a good input; and the same with a bad value, whose line and fault are checked.
fn good_and_bad(after: &str, good: &str, bad: &str, marker: &str, expected: &str) -> Loaded {
    let put = |text: &str| format!("{after}\n{text}");
    refused(after, &put(bad), marker, expected);
    match load_text(&GOOD.replacen(after, &put(good), 1)) {
        Ok(loaded) => loaded,
        Err(e) => panic!("{good:?} was refused: {e}"),
    }
}

#[test]
fn electrodes_of_every_kind_are_read_and_checked() {
    let needle = "direction = [0, 0, -1]";
    let p = good_and_bad(
        needle,
        "contacts = [{ from_mm = 14, to_mm = 18 }, { from_mm = 22, to_mm = 26, potential_fraction = -0.5 }]",
        "contacts = [{ from_mm = 10.1, to_mm = 18 }]",
        "contacts",
        "from_mm",
    );
    let contacts = &p.problem.needles[0].contacts;
    assert_eq!(
        (contacts[0].potential_fraction, contacts[1].potential_fraction),
        (1.0, -0.5)
    );

    let tine = |length: f64| {
        format!(
            "tines = [{{ from_tip_mm = 3, angle_deg = 30, towards = [1, 0, 0], length_mm = {length}, diameter_mm = 0.3 }}]\n\
             thermocouple_tine = 1"
        )
    };
    let p = good_and_bad(needle, &tine(4.0), &tine(0.5), "tines", "length_mm");
    assert_eq!(p.problem.needles[0].thermocouple_tine, Some(0));
    assert_eq!(p.problem.needles[0].tines[0].length_mm, 4.0);

    let cooled = |rest: &str| format!("channel_diameter_mm = 0.5\nchannel_from_tip_mm = 1\n{rest}");
    let p = good_and_bad(
        needle,
        &cooled("coolant_temperature_c = 20\ncoolant_heat_transfer_w_per_m2_k = 5000\ncoolant_flow_ml_per_min = 30"),
        "coolant_temperature_c = 20",
        "coolant_temperature_c",
        "without a channel",
    );
    let coolant = p.problem.needles[0].coolant.unwrap();
    assert_eq!((coolant.channel_radius_mm, coolant.flow_ml_per_min), (0.25, Some(30.0)));
    refused(
        needle,
        &format!("{needle}\n{}", cooled("coolant_temperature_c = 20")),
        "needles",
        "coolant_heat_transfer_w_per_m2_k",
    );

    let p = good_and_bad(
        needle,
        "insulation_defects = [{ from_mm = 30, to_mm = 32 }, { from_mm = 15, to_mm = 16 }]\nskin_from_tip_mm = 40",
        "insulation_defects = [{ from_mm = 30, to_mm = 32 }, { from_mm = 31, to_mm = 33 }]",
        "insulation_defects",
        "apart from the bare metal",
    );
    let needle_read = &p.problem.needles[0];
    assert_eq!(needle_read.skin_from_tip_mm, Some(40.0));
    // Ascending along the shaft, the active tip first.
    let found: Vec<(f64, bool)> = needle_read.electrodes().iter().map(|e| (e.from_mm, e.defect)).collect();
    assert_eq!(found, [(0.0, false), (15.0, true), (30.0, true)]);
    for (bad, expected) in [
        ("insulation_defects = [{ from_mm = 9, to_mm = 12 }]", "from_mm"),
        ("insulation_defects = [{ from_mm = 12, to_mm = 11 }]", "to_mm"),
        ("insulation_defects = [{ from_mm = 12 }]", "to_mm"),
        ("skin_from_tip_mm = 400", "skin_from_tip_mm"),
    ] {
        refused(
            needle,
            &format!("{needle}\n{bad}"),
            bad.split(' ').next().unwrap(),
            expected,
        );
    }
}

#[test]
fn drives_media_and_reports_are_read_and_checked() {
    let drive = "[drive]\nset_temperature_c = 80";
    let with_drive = |rest: &str| GOOD.replacen(drive, &format!("[drive]\n{rest}"), 1);
    let pulsed = "mode = \"pulsed\"\nvoltage_v = 45\npulse_s = 0.01\nrate_hz = 4\nresolve_pulses = true";
    let p = load_text(
        &with_drive(pulsed)
            .replacen("hold_s = 90", "heating_s = 2", 1)
            .replacen("[10, 50]", "[1]", 1),
    )
    .unwrap();
    assert!(matches!(
        p.problem.drive,
        Drive::Pulsed { pulse_s, rate_hz, resolved: true, .. } if pulse_s == 0.01 && rate_hz == 4.0
    ));
    let bad = with_drive("mode = \"pulsed\"\nvoltage_v = 45\npulse_s = 0.6\nrate_hz = 2").replacen(
        "hold_s = 90",
        "heating_s = 60",
        1,
    );
    let Err(message) = load_text(&bad).map_err(|e| e.to_string()) else {
        panic!("pulses without a pause were accepted");
    };
    assert!(
        message.contains("leave no pause") && message.contains("`drive.pulse_s`"),
        "{message}"
    );
    let p = good_and_bad(
        drive,
        "control = \"hottest\"",
        "control = \"coldest\"",
        "coldest",
        "unknown value",
    );
    assert!(matches!(
        p.problem.drive,
        Drive::Temperature {
            control: Control::Hottest,
            ..
        }
    ));

    let title = "title = \"good\"";
    let p = good_and_bad(title, "boiling = true", "boiling = \"yes\"", "boiling", "boiling");
    assert!(p.problem.boiling);
    let fluid = |volume: f64| format!("injectate = {{ sigma_s_per_m = 1.5, volume_ml = {volume}, share = 0.25 }}");
    let p = good_and_bad(title, &fluid(0.5), &fluid(-0.5), "injectate", "volume_ml");
    assert_eq!(p.problem.injectate.unwrap().sigma_s_per_m, 1.5);
    let p = good_and_bad(
        title,
        "pad = { area_cm2 = 100 }",
        "pad = { contact_fraction = 2 }",
        "pad",
        "contact_fraction",
    );
    assert!(p.problem.pad.is_some());

    let background = "background = \"muscle\"";
    let fibres = |direction: &str| format!("fibres = {{ direction = {direction} }}");
    good_and_bad(
        background,
        &fibres("[1, 0, 0]"),
        &fibres("[0, 0, 0]"),
        "fibres",
        "direction",
    );

    let output = "times_s = [10, 50]";
    let p = good_and_bad(
        output,
        "isotherms_c = [42, 65]",
        "isotherms_c = [420]",
        "isotherms_c",
        "isotherms_c",
    );
    assert_eq!(p.problem.more_isotherms_c, [42.0, 65.0]);
    let p = good_and_bad(output, "doses_min = [10]", "doses_min = [-1]", "doses_min", "doses_min");
    assert_eq!(p.problem.dose_contours_min, [10.0]);

    let laws = |law: &str| format!("[injury]\nalso = [\"{law}\"]\ntissues = {{ muscle = \"{law}\" }}");
    let p = good_and_bad(
        output,
        &laws("muscle_jacques_gaylor"),
        &laws("muscle_jaques"),
        "muscle_jaques",
        "muscle_jaques",
    );
    assert_eq!(p.problem.more_injury[0].name, "muscle_jacques_gaylor");
    assert_eq!(p.problem.tissue_injury.len(), 1);
}

#[test]
fn an_anaesthetic_spreads_and_gives_its_fluid_to_the_lesion() {
    let title = "title = \"good\"";
    let fluid = |rest: &str| format!("anaesthetic = {{ cell_mm = 1.2, wait_s = 5{rest} }}");
    let loaded = good_and_bad(
        title,
        &fluid(", agent = \"bupivacaine\", volume_ml = 0.2, body_mass_kg = 20"),
        &fluid(", volume_ml = 9.0"),
        "anaesthetic",
        "the volume is 9 ml",
    );
    let anaesthesia = loaded.anaesthesia.unwrap();
    let injectate = loaded.problem.injectate.unwrap();
    let tip = loaded.problem.needles[0].tip;
    assert_eq!(injectate.sigma_s_per_m, anaesthesia.spread.solution.sigma_s_per_m);
    let t = anaesthesia.spread.injected_s + 5.0;
    let share = injectate.share.share_at(&tip, loaded.problem.anatomy.tissue_at(&tip));
    assert_eq!(share, anaesthesia.spread.share(&tip, t));
    assert!(share > 0.2);
    assert_eq!(anaesthesia.spread.solution.drug.as_ref().unwrap().percent, 0.75);
    assert!(loaded.notices.iter().any(|n| n.subject == "anaesthetic bupivacaine"));
    assert!(loaded.notices.iter().any(|n| n.subject == "transport muscle"));
    assert_eq!(loaded.remarks, Vec::<String>::new());
    // A child's dose.
    let child = load_text(&GOOD.replacen(
        title,
        &format!("{title}\n{}", fluid(", volume_ml = 3, body_mass_kg = 8")),
        1,
    ));
    let remarks = child.unwrap_or_else(|e| panic!("{e}")).remarks;
    assert!(
        remarks[0].contains("more than the largest dose of 36 mg"),
        "{remarks:?}"
    );

    let bad = |keys: &str, expected: &str| {
        refused(
            title,
            &format!("{title}\nanaesthetic = {{ {keys} }}"),
            "anaesthetic",
            expected,
        );
    };
    bad("agent = \"novocaine\"", "there is no agent \"novocaine\"");
    bad("percent = 10", "the concentration is 10 %");
    bad("percent = nan", "the concentration is NaN");
    bad("agent = \"saline\", percent = 0.9", "holds no anaesthetic");
    bad("rate_ml_per_min = -1", "the rate is -1");
    bad("wait_s = -1", "the wait is -1");
    bad("wait_s = 1e9", "the wait");
    bad("follow_s = inf", "the time followed");
    bad("body_mass_kg = 0", "the mass of the body");
    bad("cell_mm = 0.001", "the side of a cell");
    bad("tip_mm = [1e9, 0, 0]", "anaesthetic.tip_mm");
    bad(
        "fasciae = [{ point_mm = [0, 0, 0], normal = [0, 0, 0], radius_mm = 5 }]",
        "a direction other than zero",
    );
    bad(
        "fasciae = [{ point_mm = [0, 0, 0], normal = [0, 0, 1], radius_mm = -5 }]",
        "the radius of a fascia",
    );
    refused(
        title,
        &format!("{title}\nanaesthetic = {{}}\ninjectate = {{ sigma_s_per_m = 1.5, volume_ml = 0.5 }}"),
        "anaesthetic",
        "both [anaesthetic] and [injectate]",
    );
}

/// `GOOD` with a preset instead of its drive.
fn with_preset(preset: &str, more: &str) -> String {
    GOOD.replacen(
        "set_temperature_c = 80\nhold_s = 90",
        &format!("preset = \"{preset}\"\n{more}"),
        1,
    )
}

#[test]
fn a_procedure_that_says_no_drive_holds_80_c_for_90_s() {
    let held = |text: &str| match load_text(text) {
        Ok(Loaded { problem, .. }) => match problem.drive {
            Drive::Temperature {
                set_temperature_c,
                ramp_s,
                ..
            } => Some((set_temperature_c, problem.heating_s - ramp_s)),
            _ => None,
        },
        Err(e) => panic!("{text}: {e}"),
    };
    let procedure = "[procedure]\n";
    assert_eq!(held(procedure), Some((80.0, 90.0)));
    // What the scenario says itself goes before.
    assert_eq!(
        held(&format!("{procedure}[drive]\nset_temperature_c = 70\n")),
        Some((70.0, 90.0))
    );
    assert_eq!(held(&format!("{procedure}[drive]\nhold_s = 60\n")), Some((80.0, 60.0)));
    let power = format!("{procedure}[drive]\nmode = \"power\"\npower_w = 3\nheating_s = 60\n");
    assert_eq!(held(&power), None);
    // A lesion alone must say what it holds.
    assert!(load_text(&GOOD.replace("set_temperature_c = 80\n", "")).is_err());
}

#[test]
fn presets_fill_what_a_drive_does_not_say() {
    let drive = |preset: &str, more: &str| {
        load_text(&with_preset(preset, more)).map(|l| (l.problem.drive, l.problem.heating_s))
    };
    let temperature = |preset: &str, more: &str| match drive(preset, more) {
        Ok((
            Drive::Temperature {
                set_temperature_c,
                ramp_s,
                ..
            },
            heating_s,
        )) => (set_temperature_c, ramp_s, heating_s),
        other => panic!("{preset}: {other:?}"),
    };
    assert_eq!(temperature("conventional-80-90", ""), (80.0, 15.0, 105.0));
    assert_eq!(temperature("conventional-80-60", ""), (80.0, 15.0, 75.0));
    assert_eq!(temperature("conventional-85-90", ""), (85.0, 15.0, 105.0));
    assert_eq!(temperature("conventional-90-120", ""), (90.0, 15.0, 135.0));
    assert_eq!(temperature("low-60-90", ""), (60.0, 15.0, 105.0));
    assert_eq!(temperature("low-67-60", ""), (67.0, 15.0, 75.0));
    assert_eq!(temperature("cooled-60-150", ""), (60.0, 15.0, 165.0));
    assert_eq!(temperature("tined-80-120", ""), (80.0, 15.0, 135.0));
    // What the scenario says itself goes before.
    assert_eq!(
        temperature("conventional-80-90", "hold_s = 30\nramp_s = 10"),
        (80.0, 10.0, 40.0)
    );
    for (preset, heating) in [("pulsed-120", 120.0), ("pulsed-240", 240.0), ("pulsed-dose-240", 120.0)] {
        match drive(preset, "") {
            Ok((
                Drive::Pulsed {
                    voltage_v,
                    pulse_s,
                    rate_hz,
                    limit_temperature_c,
                    ..
                },
                heating_s,
            )) => {
                assert_eq!((voltage_v, pulse_s, rate_hz), (45.0, 0.02, 2.0));
                assert_eq!((limit_temperature_c, heating_s), (Some(42.0), heating));
            }
            other => panic!("{preset}: {other:?}"),
        }
    }
    for (preset, says) in [
        ("two-step-60-80", "several stages"),
        ("staged-90", "several stages"),
        ("sensory-test", "makes no lesion"),
        ("motor-test", "makes no lesion"),
        ("tea", "tea"),
    ] {
        let error = drive(preset, "").expect_err(preset).to_string();
        assert!(error.contains(says), "{preset}: {error}");
    }
    for preset in ["bipolar-80-90", "bipolar-90-180"] {
        let second =
            "\n[[needles]]\ncannula = \"20G-10mm-straight\"\ntip_mm = [10, 0, 0]\ndirection = [0, 0, -1]\n[drive]";
        let text = with_preset(preset, "").replacen("\n[drive]", second, 1);
        let loaded = load_text(&text).unwrap_or_else(|e| panic!("{preset}: {e}"));
        let fractions: Vec<f64> = loaded.problem.needles.iter().map(|n| n.potential_fraction).collect();
        assert_eq!(fractions, [0.5, -0.5], "{preset}");
    }
    // An unverified number of a preset is named.
    let loaded = load_text(&with_preset("conventional-85-90", "")).unwrap();
    assert!(
        loaded
            .notices
            .iter()
            .any(|n| n.subject == "preset conventional-85-90" && n.key == "set_c")
    );
}
