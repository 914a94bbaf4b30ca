//! temporary
use neurotome_io::{
    catalog,
    scenario::{self, Source},
};
use neurotome_procedure::generator::plant::{held_out, identify, reference_v2};
#[derive(serde::Deserialize)]
struct T {
    plant: Vec<E>,
}
#[derive(serde::Deserialize)]
struct E {
    name: String,
    scenario: String,
}
fn main() {
    let t: T = toml::from_str(&std::fs::read_to_string("plants/standard.toml").unwrap()).unwrap();
    let c = catalog::built_in().unwrap();
    let names: Vec<String> = std::env::args().skip(1).collect();
    for e in t.plant {
        if !names.contains(&e.name) {
            continue;
        }
        let s = Source {
            name: e.name.clone(),
            text: e.scenario.clone(),
            folder: "".into(),
        };
        let mut p = scenario::load(&s, &c).unwrap().problem;
        p.solver.estimate_error = false;
        let set = if e.name.contains("cooled") { 60.0 } else { 80.0 };
        let r = reference_v2(&p, set).unwrap();
        let mut runs = vec![
            ("id", identify(&p, &r).unwrap()),
            ("h0", held_out(&p, set, false).unwrap()),
            ("h1", held_out(&p, set + 10.0, false).unwrap()),
        ];
        if set == 60.0 {
            runs.push(("fail", held_out(&p, set, true).unwrap()));
        }
        for (k, run) in runs {
            std::fs::write(
                format!("/tmp/dump-{}-{k}.json", e.name),
                serde_json::to_string(&run).unwrap(),
            )
            .unwrap();
        }
        eprintln!("{} done {:?}", e.name, r);
    }
}
