//! `neurotome fmu`.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clap::Args;
use neurotome_io::{
    fmu::{self, Binary, COMPILER_FLAGS, FmuPlant, IDENTIFIER, SOURCE},
    plants,
};
use neurotome_procedure::generator::plant::{FitError, FitSettings, Plant as _, ReducedError, ReducedPlant, fit};
use serde::Serialize;

use super::{Common, Failure, deliver, files::write_whole, json_text, open_catalog, open_scenario, print, solve};

#[derive(Debug, Args)]
pub(super) struct FmuCommand {
    /// Scenario file (TOML) whose needles and tissue a plant is fitted to; a minute or two. Default: a standard plant, fitted beforehand.
    #[arg(conflicts_with = "model")]
    scenario: Option<PathBuf>,
    /// A standard plant; `--list` names them.
    #[arg(long, value_name = "NAME", default_value = "20G-10mm")]
    model: String,
    /// Name the standard plants and their stated errors, and write nothing.
    #[arg(long)]
    list: bool,
    /// The unit to be written, a file that ends with .fmu.
    #[arg(long, value_name = "FILE", default_value = "plant.fmu")]
    out: PathBuf,
    /// Put C sources in and no library: the importing program compiles them.
    #[arg(long)]
    source_only: bool,
    /// Cells of the runs that a scenario's plant is fitted to, as a factor of the scenario's own; 2 is some five times quicker.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    cells: f64,
    /// Write a table (CSV) of the program's own answer to a course of inputs, in steps of 10 ms, against which an importing program can
    /// check the unit.
    #[arg(long, value_name = "FILE")]
    reference: Option<PathBuf>,
    /// Write what was made (model, stated error, variables) as JSON to FILE; `-` prints it.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What `--json` gives.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    title: &'a str,
    model: &'a neurotome_procedure::generator::plant::ReducedModel,
    numbers: usize,
    token: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    platforms: Vec<&'a str>,
}

impl FmuCommand {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        let input = |e: &dyn std::fmt::Display| Failure::Input(e.to_string());
        if self.list {
            let all = plants::standard().map_err(|e| input(&e))?;
            if let Some(target) = &self.json {
                return deliver(target, &json_text(&all)?);
            }
            print(&listed(&all));
            return Ok(());
        }
        if self.out.extension().is_none_or(|e| e != "fmu") {
            return Err(Failure::Input(format!(
                "{} does not end with .fmu, which importing programs expect; rename it",
                self.out.display()
            )));
        }
        if !(0.25..=4.0).contains(&self.cells) {
            return Err(Failure::Input(format!(
                "--cells {}: expected 0.25 to 4; 1 is usual",
                self.cells
            )));
        }
        let plant = match &self.scenario {
            None => {
                let found = plants::find(&self.model).map_err(|e| input(&e))?;
                FmuPlant {
                    name: found.name,
                    title: found.title,
                    model: found.model,
                }
            }
            Some(path) => self.fitted(path, common)?,
        };
        let (binaries, remark) = if self.source_only {
            (Vec::new(), None)
        } else {
            match compiled(&plant) {
                Ok(binary) => (vec![binary], None),
                Err(why) => (Vec::new(), Some(why)),
            }
        };
        let bytes = fmu::pack(&plant, &binaries).map_err(|e| input(&e))?;
        solve::check_interrupt()?;
        write_whole(&self.out, &bytes)?;
        if let Some(target) = &self.reference {
            deliver(target, &reference(&plant).map_err(|e| input(&e))?)?;
        }
        let variables = fmu::variables(&plant.model);
        let of = |causality: &str| {
            let all = variables.iter().filter(|v| v.causality == causality);
            all.map(|v| v.name.clone()).collect::<Vec<_>>()
        };
        let told = Told {
            name: &plant.name,
            title: &plant.title,
            model: &plant.model,
            numbers: plant.model.numbers(),
            token: fmu::token(&plant),
            inputs: of("input"),
            outputs: of("output"),
            platforms: binaries.iter().map(|b| b.platform.as_str()).collect(),
        };
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if let Some(target) = &self.json {
            deliver(target, &json_text(&told)?)?;
        }
        if let Some(why) = remark {
            eprintln!("remark: {why}; the unit holds sources only, which the importing program must compile");
        }
        if !common.quiet && !printed {
            print(&shown(&told, &self.out));
        }
        Ok(())
    }

    /// A plant fitted to a scenario.
    fn fitted(&self, path: &Path, common: &Common) -> Result<FmuPlant, Failure> {
        let catalog = open_catalog(common)?;
        let (source, loaded) = open_scenario(Some(path), &catalog)?;
        let settings = FitSettings {
            cell_factor: self.cells,
        };
        let bar = solve::stage_bar(common.quiet);
        bar.set_length(100);
        let model = solve::on_threads(common.threads, || {
            fit(&loaded.problem, settings, &mut |what, share| {
                bar.set_message(what);
                bar.set_position((100.0 * share) as u64);
                !solve::interrupted()
            })
        })?;
        bar.finish_and_clear();
        solve::check_interrupt()?;
        let model = model.map_err(|e| match e {
            FitError::Lesion(e) => Failure::from(e),
            e => Failure::Input(e.to_string()),
        })?;
        let name = source.name.trim_end_matches(".toml").to_owned();
        let title = format!("Electrodes and tissue of {}", source.name);
        Ok(FmuPlant { name, title, model })
    }
}

/// Time at which a step begins, the inputs held during it, and the outputs at its end.
fn reference(plant: &FmuPlant) -> Result<String, ReducedError> {
    const STEP_S: f64 = 0.01;
    const STEPS: u32 = 3000;
    let mut rust = ReducedPlant::new(plant.model.clone())?;
    let variables = fmu::variables(&plant.model);
    let names: Vec<&str> = variables
        .iter()
        .filter(|v| matches!(v.causality, "independent" | "input" | "output"))
        .map(|v| v.name.as_str())
        .collect();
    let mut text = names.join(",") + "\n";
    for n in 0..STEPS {
        let t = f64::from(n) * STEP_S;
        // Up and down, off for a while, the channels unlike.
        let volts: Vec<f64> = (0..rust.channels())
            .map(|k| {
                let off = (12.0..15.0).contains(&t);
                if off {
                    0.0
                } else {
                    14.0 + 4.0 * (0.7 * t + k as f64).sin()
                }
            })
            .collect();
        let coolants: Vec<(f64, f64)> = plant
            .model
            .coolants
            .iter()
            .map(|c| (c.temperature_c + 2.0, if t < 20.0 { 8.0 } else { 0.0 }))
            .collect();
        for (c, (temperature_c, flow)) in coolants.iter().enumerate() {
            rust.set_coolant(c, *temperature_c, *flow);
        }
        rust.go_on(&volts, STEP_S);
        let seen = rust.seen();
        let inputs = volts
            .into_iter()
            .chain(coolants.iter().map(|c| c.0))
            .chain(coolants.iter().map(|c| c.1));
        let outputs = seen
            .thermocouples_c
            .iter()
            .chain(&seen.impedance_ohm)
            .chain(&seen.current_a);
        let outputs = outputs.copied().chain([seen.power_w, seen.hottest_c]);
        let row: Vec<String> = [t]
            .into_iter()
            .chain(inputs)
            .chain(outputs)
            .map(|v| format!("{v}"))
            .collect();
        text += &row.join(",");
        text.push('\n');
    }
    Ok(text)
}

/// The standard plants.
fn listed(all: &[plants::StandardPlant]) -> String {
    let mut text = String::from("plant                    stated error: thermocouple  impedance  numbers\n");
    for p in all {
        let _ = writeln!(
            text,
            "{:<24} {:>22.2} K {:>8.1} % {:>8}   {}",
            p.name,
            p.model.error.thermocouple_k,
            100.0 * p.model.error.impedance_relative,
            p.model.numbers(),
            p.title
        );
    }
    text
}

fn shown(told: &Told<'_>, out: &Path) -> String {
    let error = &told.model.error;
    let library = match told.platforms[..] {
        [] => "sources only".to_owned(),
        _ => format!("sources and a library for {}", told.platforms.join(", ")),
    };
    format!(
        "{}: {}\n{} numbers; from the full solver at most {:.2} K at the thermocouples (up to {:.0} °C), {:.1} % in impedance\n\
         inputs   {}\noutputs  {}\nWritten to {} ({library})\n",
        told.name,
        told.title,
        told.numbers,
        error.thermocouple_k,
        error.up_to_c,
        100.0 * error.impedance_relative,
        told.inputs.join(", "),
        told.outputs.join(", "),
        out.display()
    )
}

/// The library for this machine, by `$CC` or `cc`; else why there is none.
fn compiled(plant: &FmuPlant) -> Result<Binary, String> {
    let (system, ending) = match env::consts::OS {
        "macos" => ("darwin", "dylib"),
        "windows" => ("windows", "dll"),
        other => (other, "so"),
    };
    let compiler = env::var_os("CC")
        .filter(|c| !c.is_empty())
        .unwrap_or_else(|| "cc".into());
    let folder = tempfile_folder().map_err(|e| format!("no temporary folder: {e}"))?;
    let file = format!("{IDENTIFIER}.{ending}");
    let made = (|| {
        for (name, text) in fmu::sources(plant).map_err(|e| e.to_string())? {
            fs::write(folder.join(name), text).map_err(|e| e.to_string())?;
        }
        let output = Command::new(&compiler)
            .current_dir(&folder)
            .args(COMPILER_FLAGS)
            .args(["-fvisibility=hidden", "-o", &file, SOURCE, "-lm"])
            .output()
            .map_err(|e| {
                format!(
                    "no C compiler: {} did not start ({e}); set CC or install one",
                    compiler.display()
                )
            })?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let first = said
                .lines()
                .find(|l| l.contains("error"))
                .unwrap_or("no message")
                .to_owned();
            return Err(format!("the C compiler {} failed: {first}", compiler.display()));
        }
        fs::read(folder.join(&file)).map_err(|e| e.to_string())
    })();
    let _ = fs::remove_dir_all(&folder);
    Ok(Binary {
        platform: format!("{}-{system}", env::consts::ARCH),
        file,
        bytes: made?,
    })
}

/// A folder of our own among the temporary ones.
fn tempfile_folder() -> std::io::Result<PathBuf> {
    let mut tries = 0;
    loop {
        let folder = env::temp_dir().join(format!("neurotome-fmu-{}-{tries}", std::process::id()));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && tries < 100 => tries += 1,
            Err(e) => return Err(e),
        }
    }
}
