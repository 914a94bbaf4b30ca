//! Fits the standard plants again and writes `plants/standard.toml`.
//!
//! ```sh
//! cargo run --release -p neurotome-io --example fit_plants               # all
//! cargo run --release -p neurotome-io --example fit_plants -- 20G-10mm   # one; the others stay
//! ```

use std::{error::Error, fmt::Write as _, path::Path};

use neurotome_io::{
    catalog,
    scenario::{self, Source},
};
use neurotome_procedure::generator::plant::{FitSettings, ReducedModel, fit};
use serde::{Deserialize, Serialize};

const HEAD: &str = "\
# Reduced plants, each fitted to the full solver in the scenario beside it; made by
#   cargo run --release -p neurotome-io --example fit_plants
# The numbers are a fit, not literature: rates and weights of states, conductances, and the stated error, the largest distance to the
# solver in runs that the fit did not see (temperature control at the scenario's own temperature and 10 K above).
";

#[derive(Deserialize)]
struct Table {
    plant: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    title: String,
    scenario: String,
    model: Option<ReducedModel>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plants/standard.toml");
    let names: Vec<String> = std::env::args().skip(1).collect();
    let mut table: Table = toml::from_str(&std::fs::read_to_string(&path)?)?;
    let catalog = catalog::built_in()?;
    for entry in &mut table.plant {
        if !names.is_empty() && !names.contains(&entry.name) {
            continue;
        }
        let source = Source {
            name: entry.name.clone(),
            text: entry.scenario.clone(),
            folder: "".into(),
        };
        let loaded = scenario::load(&source, &catalog)?;
        let start = std::time::Instant::now();
        let model = fit(&loaded.problem, FitSettings::default(), &mut |what, _| {
            eprintln!("  {what} {:.1} s", start.elapsed().as_secs_f64());
            true
        })?;
        eprintln!(
            "{} {:.1} s, {} numbers: {:?}",
            entry.name,
            start.elapsed().as_secs_f64(),
            model.numbers(),
            model.error
        );
        entry.model = Some(model);
    }
    let mut text = HEAD.to_owned();
    for entry in &table.plant {
        write!(
            text,
            "\n[[plant]]\nname = {:?}\ntitle = {:?}\n",
            entry.name, entry.title
        )?;
        write!(text, "scenario = '''\n{}'''\n", entry.scenario)?;
        if let Some(model) = &entry.model {
            text += &model_text(model)?;
        }
    }
    std::fs::write(&path, text)?;
    Ok(())
}

/// The model's tables below `[plant.model]`.
fn model_text(model: &ReducedModel) -> Result<String, Box<dyn Error>> {
    #[derive(Serialize)]
    struct Below<'a> {
        model: &'a ReducedModel,
    }
    let text = toml::to_string(&Below { model })?;
    Ok("\n".to_owned()
        + &text
            .replace("[[model", "[[plant.model")
            .replace("\n[model", "\n[plant.model")
            .replacen("[model", "[plant.model", 1))
}
