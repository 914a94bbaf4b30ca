//! Parts of the report filled from what the steps of the procedure computed.

use neurotome_procedure::{
    lesion::{Drive, LesionProblem, LesionResult},
    outcome::Outcome,
};

use super::{Curves, Expected, Lesion, NerveFate};
use crate::report::{
    PICTURES, Scene,
    document::{Picture, Status},
    page, slices, view3d,
};
use crate::results::{ResultsError, RunForReport, SummaryRow, check, end_of_heating};

impl Lesion {
    /// A lesion that was solved: its figures, curves, sections with the nerve and views.
    ///
    /// # Errors
    /// [`ResultsError::Input`] for a run that cannot be reported, [`ResultsError::Picture`].
    pub fn of_run(nerve: &str, run: &RunForReport<'_>) -> Result<Self, ResultsError> {
        check(run)?;
        let scene = Scene::new(run);
        let picture = |name: &str, bytes: Vec<u8>| {
            let (alt, caption) = page::words(name, &scene);
            Picture::png(bytes, alt, caption)
        };
        Ok(Self {
            nerve: nerve.to_owned(),
            setting: format!("Generator: {}.", page::drive_words(&run.problem.drive)),
            figures: run.summary.to_vec(),
            curves: Some(Curves::of_run(run.problem, run.result)),
            alarms: vec![],
            pictures: vec![
                picture(PICTURES[0], slices::lesion_slices(&scene)?),
                picture(PICTURES[1], view3d::views(&scene)?),
            ],
        })
    }
}

impl Curves {
    /// The curves of a run.
    pub fn of_run(problem: &LesionProblem, result: &LesionResult) -> Self {
        let c = &result.curves;
        let set = match problem.drive {
            Drive::Temperature { .. } => end_of_heating(problem, c).map_or(0, |n| n + 1),
            _ => 0,
        };
        let more = c.more_thermocouples_c.iter().enumerate();
        let named = [
            ("hottest tissue".to_owned(), c.max_tissue_c.clone()),
            ("thermocouple in the tip".to_owned(), c.thermocouple_c.clone()),
        ];
        Self {
            t_s: c.t_s.clone(),
            temperatures_c: named
                .into_iter()
                .chain(more.map(|(n, v)| (format!("thermocouple {}", n + 2), v.clone())))
                .collect(),
            set_temperature_c: c.set_temperature_c[..set.min(c.set_temperature_c.len())].to_vec(),
            power_w: c.power_w.clone(),
            impedance_ohm: c.impedance_ohm.clone(),
            voltage_v: c.voltage_v.clone(),
            heated_s: vec![[0.0, problem.heating_s]],
            events: vec![],
        }
    }
}

impl NerveFate {
    /// What became of each nerve of a run. The error of the length is that of the lesion's length, where the run states one.
    pub fn all_of(problem: &LesionProblem, result: &LesionResult) -> Vec<Self> {
        let error = result.evidence.error.map(|e| e.length_relative);
        result
            .nerves
            .iter()
            .map(|n| {
                let target = problem.nerves.iter().any(|p| p.name == n.name && p.target);
                let destroyed = n.destroyed_mm > 0.0;
                Self {
                    name: n.name.clone(),
                    target,
                    destroyed_mm: n.destroyed_mm,
                    destroyed_error_mm: error.filter(|_| destroyed).map(|e| e * n.destroyed_mm),
                    cut: None,
                    peak_c: n.peak_temperature_c,
                    regrowth_months: None,
                    status: if target == destroyed {
                        Status::Pass
                    } else {
                        Status::Fail
                    },
                }
            })
            .collect()
    }
}

impl Expected {
    /// What a virtual population feels.
    pub fn of(outcome: &Outcome) -> Self {
        let c = &outcome.relief;
        let percent = |v: f64| format!("{:.0}", 100.0 * v).replace('-', "\u{2212}");
        let mut figures = vec![SummaryRow::new(
            "Probability that the joint is the source",
            percent(outcome.source_probability),
            "%",
            "",
        )];
        for s in &outcome.shares {
            // Of the draw of people alone: one standard error.
            let n = (outcome.people.max(1) as f64).sqrt();
            figures.push(SummaryRow::new(
                format!("Mean relief after {:.0} months", s.month),
                percent(s.mean_relief),
                "%",
                format!(
                    "± {} % (between people: ± {} %)",
                    percent(s.sd_relief / n),
                    percent(s.sd_relief)
                ),
            ));
        }
        for (name, share) in [
            ("Neuritis", outcome.neuritis),
            ("Local pain for over two weeks", outcome.local_pain),
            ("A numb patch of skin", outcome.numb_skin),
        ] {
            figures.push(SummaryRow::new(
                name,
                format!("{:.1}", 100.0 * share),
                "% of people",
                "",
            ));
        }
        Self {
            months: c.months.clone(),
            mean: c.mean.clone(),
            half: [c.q25.clone(), c.q75.clone()],
            most: [c.q10.clone(), c.q90.clone()],
            half_relieved: c.half_relieved.clone(),
            figures,
            remarks: vec![format!(
                "{} people were drawn with seed {}. Stated errors are those of the draw; the uncertainty of the model's own numbers is larger \
                 and stands with its validation.",
                outcome.people, outcome.seed
            )],
        }
    }
}
