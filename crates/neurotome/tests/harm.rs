//! Harm beside the target, from the scenario to the summary: skin along the shaft, leaks, and skin under the return pad.

use std::path::PathBuf;

use neurotome::{
    io::{
        catalog,
        results::summarise,
        scenario::{self, Loaded, Source},
    },
    procedure::lesion::{LesionResult, solve},
    summary::Summary,
};

/// Skin and fat over muscle, the surface at z = 20 mm; the needle comes straight down, its tip at z = 0.
const LAYERS: &str = r#"
[phantom]
background = "muscle"
[[phantom.regions]]
tissue = "air"
shape = "half_space"
point_mm = [0, 0, 20]
normal = [0, 0, 1]
[[phantom.regions]]
tissue = "skin"
shape = "layer"
point_mm = [0, 0, 20]
normal = [0, 0, -1]
thickness_mm = 2
[[needles]]
cannula = "20G-10mm-straight"
tip_mm = [0, 0, TIP]
direction = [0, 0, -1]
[drive]
set_temperature_c = 80
ramp_s = 5
heating_s = 20
[solver]
cell_size = 2.5
estimate_error = false
"#;

fn run(text: &str) -> (Loaded, LesionResult, Summary, String) {
    let source = Source {
        name: "harm.toml".to_owned(),
        text: text.to_owned(),
        folder: PathBuf::new(),
    };
    let loaded = scenario::load(&source, &catalog::built_in().unwrap()).unwrap();
    let result = solve(&loaded.problem, &mut |_| true).unwrap();
    let summary = Summary::new(&loaded, &result);
    let table = summary.table(&loaded, &result.evidence, 0.0);
    (loaded, result, summary, table)
}

fn layers(tip_mm: f64) -> String {
    LAYERS.replace("TIP", &format!("{tip_mm}"))
}

#[test]
fn skin_is_harmed_where_the_shaft_passes_it_too_near_the_active_tip() {
    // The active tip ends where the skin begins.
    let (loaded, result, summary, table) = run(&layers(8.0));
    let entry = &summary.skin_entries[0];
    assert!(
        (entry.from_tip_mm - 12.0).abs() < 1e-5 && (entry.entry_mm.xyz[2] - 20.0).abs() < 1e-5,
        "{entry:?}"
    );
    assert!(entry.omega >= 1.0 && entry.skin_entry_c > 55.0, "{entry:?}");
    assert!(summary.harm.iter().any(|t| t.tissue == "skin"), "{:?}", summary.harm);
    assert!(table.contains("! skin at the entry of needle 1"), "{table}");
    let rows = summarise(&loaded.problem, &result);
    assert!(
        rows.iter()
            .any(|r| r.name.starts_with("HARM: skin at the entry of needle 1"))
    );

    // With the tip 20 mm deeper it is not.
    let (_, _, summary, table) = run(&layers(-13.0));
    let entry = &summary.skin_entries[0];
    assert!((entry.from_tip_mm - 33.0).abs() < 1e-5, "{entry:?}");
    assert!(entry.omega < 1.0 && entry.skin_entry_c < 40.0, "{entry:?}");
    assert!(summary.harm.is_empty() && !table.contains("! skin"), "{table}");
    assert!(table.contains("skin at the entry of needle 1"), "{table}");
}

#[test]
fn a_defect_in_the_skin_burns_it() {
    let defect = "direction = [0, 0, -1]\ninsulation_defects = [{ from_mm = 30, to_mm = 32 }]";
    let text = layers(-13.0).replace("direction = [0, 0, -1]", defect);
    let (loaded, result, summary, table) = run(&text);
    let leak = &summary.leaks[0];
    assert!((0.05..0.5).contains(&leak.current_share), "{leak:?}");
    assert!(leak.hottest_c > summary.skin_entries[0].skin_entry_c - 1e-9, "{leak:?}");
    let sound = run(&layers(-13.0)).2;
    assert!(
        summary.skin_entries[0].skin_entry_c > sound.skin_entries[0].skin_entry_c + 5.0,
        "{:?}",
        summary.skin_entries
    );
    assert!(table.contains("defect 30–32 mm, needle 1"), "{table}");
    let rows = summarise(&loaded.problem, &result);
    assert!(rows.iter().any(|r| r.name.contains("insulation's defect 30–32 mm")));
}

#[test]
fn a_pad_that_hardly_touches_burns_and_a_whole_one_does_not() {
    let text = layers(-13.0);
    let (_, _, whole, table) = run(&format!("{text}\n[pad]\n"));
    let pad = whole.pad.unwrap();
    assert!(pad.margin_k() > 0.0 && pad.skin_omega < 1.0, "{pad:?}");
    assert!(
        table.contains("skin under the return pad") && !table.contains("! skin under"),
        "{table}"
    );
    let (loaded, result, peeled, table) = run(&format!("{text}\n[pad]\narea_cm2 = 20\ncontact_fraction = 0.02\n"));
    let pad = peeled.pad.unwrap();
    assert!(pad.margin_k() < 0.0, "{pad:?}");
    assert!(table.contains("! skin under the return pad"), "{table}");
    let rows = summarise(&loaded.problem, &result);
    assert!(
        rows.iter()
            .any(|r| r.name.starts_with("HARM: skin under the return pad"))
    );
}
