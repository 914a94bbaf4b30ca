//! `neurotome spine`.

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use neurotome_io::{
    results::{ResultsError, SpineExport, SpineSummary, check_target, write_spine},
    scenario::{DiscLossTable, ScoliosisTable, Setting, SlipTable, SpineTable},
};
use neurotome_procedure::anatomy::{
    Level, Side, TissueId,
    spine::{Hounsfield, LumbarSpine, Morphometry, Scanner, Sex, TissueIds, Transition},
};

use super::{Common, Failure, json_text, open_catalog, open_scenario_before_injection, print, solve};

#[derive(Debug, Args)]
pub(super) struct SpineCommand {
    /// Scenario file (TOML) whose [spine] tells who the patient is; options below replace its keys. Default: the mean adult man.
    scenario: Option<PathBuf>,
    /// Folder for the files; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Sex: sizes follow it.
    #[arg(long, value_parser = ["female", "male"])]
    sex: Option<String>,
    /// Height of the body, 130 to 220 cm. Default: the mean of the sex, or what the seed gives.
    #[arg(long, value_name = "CM", allow_negative_numbers = true)]
    stature_cm: Option<f64>,
    /// A person of their own for each seed. Default: the mean person.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Lordosis between the upper end plates of L1 and S1, prone, 10 to 85 degrees.
    #[arg(long, value_name = "DEG", allow_negative_numbers = true)]
    lordosis_deg: Option<f64>,
    /// Angle of Cobb of a lateral curve between T12 and L4, 0 to 50 degrees.
    #[arg(long, value_name = "DEG", allow_negative_numbers = true)]
    scoliosis_deg: Option<f64>,
    /// Side to which that curve bulges: left or right.
    #[arg(long, value_name = "SIDE", default_value = "left", requires = "scoliosis_deg")]
    convex: Side,
    /// How much arthrosis has thickened the facets, 0 to 5 mm on each process.
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    facet_hypertrophy_mm: Option<f64>,
    /// Share of its height that the disc below a vertebra has lost, 0 to 0.9, as L4=0.5; may be given more than once.
    #[arg(long, value_name = "LEVEL=SHARE", value_parser = level_and_number)]
    disc_loss: Vec<(Level, f64)>,
    /// A vertebra that has slipped on the one below, mm forward, −6 to 14, as L4=6.
    #[arg(long, value_name = "LEVEL=MM", value_parser = level_and_number)]
    slip: Option<(Level, f64)>,
    /// A transitional vertebra: a sixth lumbar one, or an L5 with broad transverse processes that meet the sacrum.
    #[arg(long, value_parser = ["none", "six_lumbar", "broad_l5"])]
    transition: Option<String>,
    /// Thickness of the fat under the skin of the back, 3 to 120 mm.
    #[arg(long, value_name = "MM", allow_negative_numbers = true)]
    back_fat_mm: Option<f64>,
    /// A vertebra with pedicle screws on both sides, L1 to L5; may be given more than once.
    #[arg(long, value_name = "LEVEL")]
    screws: Vec<Level>,
    /// Sides of the voxels of labels and CT, mm: one number, or three as X,Y,Z.
    #[arg(long, value_name = "MM", default_value = "1", allow_hyphen_values = true)]
    spacing_mm: String,
    /// Standard deviation of the CT's blur in the slice, 0 to 5 mm.
    #[arg(long, value_name = "MM", default_value_t = 0.6, allow_negative_numbers = true)]
    blur_mm: f64,
    /// Standard deviation of the CT's noise, 0 to 500 HU.
    #[arg(long, value_name = "HU", default_value_t = 15.0, allow_negative_numbers = true)]
    noise_hu: f64,
    /// Seed of that noise.
    #[arg(long, value_name = "N", default_value_t = 1)]
    noise_seed: u64,
    /// Draw no pictures.
    #[arg(long)]
    no_pictures: bool,
    /// Print the summary, which is also spine.json, instead of the table.
    #[arg(long)]
    json: bool,
}

impl SpineCommand {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        check_target(&self.out).map_err(|e| Failure::Input(e.to_string()))?;
        let scanner = self.scanner()?;
        let catalog = open_catalog(common)?;
        let table = match &self.scenario {
            None => SpineTable::default(),
            Some(path) => {
                let (source, loaded) = open_scenario_before_injection(Some(path), &catalog)?;
                if !matches!(loaded.setting, Setting::BuiltIn(_)) {
                    return Err(Failure::Input(format!(
                        "{}: its patient is a [phantom] or an [image]; expected the built-in patient: a scenario without these, or none",
                        source.name
                    )));
                }
                loaded.scenario.spine.unwrap_or_default()
            }
        };
        let parameters = self.lay_over(table).parameters();
        let refused = |e: neurotome_procedure::anatomy::spine::SpineError| {
            Failure::Input(format!("{e}; correct the option or the key of [spine]"))
        };
        let id = |name: &str| {
            let n = catalog.tissues.iter().position(|t| t.name == name).unwrap_or(0);
            TissueId(n as u8)
        };
        let spine = LumbarSpine::new(&catalog, &parameters, TissueIds::by_name(id)).map_err(refused)?;
        let hounsfield = Hounsfield::new(&Morphometry::new(&catalog, parameters.sex)).map_err(refused)?;
        let export = SpineExport {
            spine: &spine,
            parameters: &parameters,
            catalog: &catalog,
            hounsfield: &hounsfield,
            scanner,
            pictures: !self.no_pictures,
        };
        let summary = self.write(&export, common)?;
        if self.json {
            print(&json_text(&summary)?);
        } else if !common.quiet {
            print(&told(&summary));
            print(&format!("Written to {}\n\n{}\n", self.out.display(), crate::DISCLAIMER));
        }
        Ok(())
    }

    fn write(&self, export: &SpineExport<'_>, common: &Common) -> Result<SpineSummary, Failure> {
        let bar = solve::stage_bar(common.quiet);
        let written = solve::on_threads(common.threads, || {
            write_spine(&self.out, export, &mut |step, done, of| {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
                bar.set_message(step.to_owned());
                !solve::interrupted()
            })
        })?;
        bar.finish_and_clear();
        match written {
            Ok((summary, _)) => Ok(summary),
            Err(e @ ResultsError::Cancelled) => Err(Failure::Interrupted(e.to_string())),
            Err(e) => Err(Failure::Input(e.to_string())),
        }
    }

    /// The table with the options laid over it.
    fn lay_over(&self, mut table: SpineTable) -> SpineTable {
        match self.sex.as_deref() {
            Some("female") => table.sex = Sex::Female,
            Some(_) => table.sex = Sex::Male,
            None => {}
        }
        match self.transition.as_deref() {
            Some("six_lumbar") => table.transition = Transition::SixLumbar,
            Some("broad_l5") => table.transition = Transition::BroadL5,
            Some(_) => table.transition = Transition::None,
            None => {}
        }
        table.stature_cm = self.stature_cm.or(table.stature_cm);
        table.seed = self.seed.or(table.seed);
        table.lordosis_deg = self.lordosis_deg.or(table.lordosis_deg);
        table.back_fat_mm = self.back_fat_mm.or(table.back_fat_mm);
        table.facet_hypertrophy_mm = self.facet_hypertrophy_mm.unwrap_or(table.facet_hypertrophy_mm);
        if let Some(cobb_deg) = self.scoliosis_deg {
            table.scoliosis = Some(ScoliosisTable {
                cobb_deg,
                convex: self.convex,
            });
        }
        if let Some((level, forward_mm)) = self.slip {
            table.slip = Some(SlipTable { level, forward_mm });
        }
        if !self.disc_loss.is_empty() {
            table.disc_loss = self
                .disc_loss
                .iter()
                .map(|&(below, share)| DiscLossTable { below, share })
                .collect();
        }
        if !self.screws.is_empty() {
            table.screws.clone_from(&self.screws);
        }
        table
    }

    fn scanner(&self) -> Result<Scanner, Failure> {
        let within = |option: &str, value: f64, high: f64| {
            if (0.0..=high).contains(&value) {
                Ok(value)
            } else {
                Err(Failure::Input(format!(
                    "{option} {value}: expected a number from 0 to {high}"
                )))
            }
        };
        Ok(Scanner {
            spacing_mm: spacing(&self.spacing_mm)?,
            blur_mm: within("--blur-mm", self.blur_mm, 5.0)?,
            noise_hu: within("--noise-hu", self.noise_hu, 500.0)?,
            seed: self.noise_seed,
        })
    }
}

/// One number for all three sides, or three.
fn spacing(text: &str) -> Result<[f64; 3], Failure> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|t| t.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[all]) => Ok([all; 3]),
        Some(&[x, y, z]) => Ok([x, y, z]),
        _ => Err(Failure::Input(format!(
            "--spacing-mm {text}: expected one number, or three with commas between"
        ))),
    }
}

/// `L4=6`.
fn level_and_number(text: &str) -> Result<(Level, f64), String> {
    let expected = || format!("\"{text}\": expected a level and a number, as L4=0.5");
    let (level, number) = text.split_once('=').ok_or_else(expected)?;
    let number = number.trim().parse().map_err(|_| expected())?;
    Ok((level.parse()?, number))
}

fn told(s: &SpineSummary) -> String {
    let mut out = String::new();
    let [x, y, z] = s.dims;
    let [u, v, w] = s.spacing_mm;
    let _ = writeln!(
        out,
        "{x} × {y} × {z} voxels of {u} × {v} × {w} mm, {} structures, {} nerves, {} landmarks",
        s.labels.len(),
        s.nerves.len(),
        s.landmarks.len()
    );
    for (name, what) in &s.files {
        let _ = writeln!(out, "  {name:20} {what}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spacings_and_levels_are_read() {
        assert_eq!(spacing("0.8").unwrap(), [0.8; 3]);
        assert_eq!(spacing("0.8, 0.9,2").unwrap(), [0.8, 0.9, 2.0]);
        for wrong in ["", "1,2", "1,x,2", "1,2,3,4"] {
            assert!(spacing(wrong).is_err(), "{wrong}");
        }
        assert_eq!(level_and_number("L4=0.5").unwrap(), (Level::L4, 0.5));
        for wrong in ["L4", "L9=1", "L4=x"] {
            assert!(level_and_number(wrong).is_err(), "{wrong}");
        }
    }
}
