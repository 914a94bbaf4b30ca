//! Key figures of a procedure.

use std::fmt::Write as _;

use neurotome_procedure::{
    fluoroscopy::Dose,
    session::{Case, State},
};
use serde::Serialize;

use super::clock;

/// Key figures of one nerve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NerveFigures {
    /// The nerve.
    pub nerve: String,
    /// Probability by the plan that enough is destroyed.
    pub planned_probability: f64,
    /// From the planned place of the tip to where it lay, mm; none without a lesion.
    pub off_plan_mm: Option<f64>,
    /// Threshold of the known pain, V.
    pub pain_v: Option<f64>,
    /// Weakest answer of the leg, V.
    pub leg_v: Option<f64>,
    /// Share of the fibres of pain that conducted when heating began.
    pub pain_conducting: Option<f64>,
    /// Lesions made.
    pub lesions: usize,
    /// Length destroyed across, mm; the longest of several lesions.
    pub destroyed_mm: f64,
    /// Share of its fibres cut, least and most of the laws of injury.
    pub cut_fraction: [f64; 2],
    /// Whether anything that was to be spared was harmed.
    pub harm: bool,
}

/// Key figures of a procedure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What it was.
    pub title: String,
    /// Joint and side.
    pub joint: String,
    /// The assessment in words.
    pub assessment: Option<String>,
    /// How long it took, s.
    pub duration_s: f64,
    /// Each nerve.
    pub nerves: Vec<NerveFigures>,
    /// Pictures taken.
    pub pictures: usize,
    /// Dose.
    pub dose: Dose,
    /// Drugs, mg.
    pub drugs_mg: Vec<(String, f64)>,
    /// Redirections of needles.
    pub redirects: usize,
    /// Contacts with bone.
    pub bone_contacts: usize,
    /// Warnings felt.
    pub warnings: Vec<String>,
    /// Times the patient was in pain.
    pub pains: usize,
    /// Interlocks overridden, with reasons.
    pub overridden: Vec<(String, String)>,
    /// Probability that the joint is the source of the pain.
    pub source_probability: Option<f64>,
    /// Share of people with half of the pain or more gone after a year, by each law of injury.
    pub relief_50_after_a_year: Vec<(String, f64)>,
}

impl Summary {
    /// Of where a procedure stands.
    pub fn of(case: &Case, state: &State) -> Self {
        let nerves = state
            .plan
            .iter()
            .zip(&state.targets)
            .map(|(planned, at)| {
                let answers = at.sensory.iter().chain(&at.motor).flat_map(|t| &t.answers);
                let least = |wanted: &dyn Fn(&neurotome_procedure::session::Answered) -> bool| {
                    let found = answers.clone().filter(|a| wanted(a)).map(|a| a.amplitude_v);
                    found.min_by(f64::total_cmp)
                };
                let own = at
                    .lesions
                    .iter()
                    .flat_map(|l| &l.nerves)
                    .filter(|n| n.nerve == planned.nerve);
                let shares: Vec<f64> = own.flat_map(|n| &n.laws).map(|l| l.cut_fraction).collect();
                NerveFigures {
                    nerve: planned.nerve.clone(),
                    planned_probability: planned.probability,
                    off_plan_mm: at.needles.last().map(|n| {
                        let tip = n.pose().tip_mm.vec();
                        (tip - planned.pose.tip_mm.vec()).norm()
                    }),
                    pain_v: least(&|a| a.target && a.answer == "the known pain"),
                    leg_v: least(&|a| a.leg),
                    pain_conducting: at.anaesthetic.as_ref().and_then(|a| a.pain_conducting),
                    lesions: at.lesions.len(),
                    destroyed_mm: at.lesions.iter().map(|l| l.destroyed_mm).fold(0.0, f64::max),
                    cut_fraction: if shares.is_empty() {
                        [0.0; 2]
                    } else {
                        [
                            shares.iter().copied().fold(1.0, f64::min),
                            shares.iter().copied().fold(0.0, f64::max),
                        ]
                    },
                    harm: at.lesions.iter().any(|l| l.harm.harmful),
                }
            })
            .collect();
        Self {
            title: case.title.clone(),
            joint: format!("{} {}", case.joint, case.side),
            assessment: state.assessed.as_ref().map(|a| a.0.clone()),
            duration_s: state.t_s,
            nerves,
            pictures: state.shots.len(),
            dose: state.dose,
            drugs_mg: state.drugs_mg.clone(),
            redirects: state.redirects(),
            bone_contacts: state.bone_contacts(),
            warnings: state.warnings(),
            pains: state.pain.len(),
            overridden: state.overridden.clone(),
            source_probability: state.source_probability,
            relief_50_after_a_year: state
                .outcomes
                .iter()
                .flatten()
                .filter_map(|o| Some((o.law.clone(), o.outcome.shares.last()?.relief_50)))
                .collect(),
        }
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut out = format!("{} ({})\n", self.title, self.joint);
        let volts = |v: Option<f64>| v.map_or_else(|| "no answer".to_owned(), |v| format!("{v:.2} V"));
        for n in &self.nerves {
            let _ = writeln!(
                out,
                "  {}: {:.1} mm destroyed ({:.0}–{:.0} % of its fibres), needle {} mm off the plan, his pain at {}, leg {}{}",
                n.nerve,
                n.destroyed_mm,
                100.0 * n.cut_fraction[0],
                100.0 * n.cut_fraction[1],
                n.off_plan_mm.map_or_else(|| "–".to_owned(), |d| format!("{d:.1}")),
                volts(n.pain_v),
                volts(n.leg_v),
                if n.harm { "; HARM beside it" } else { "" }
            );
        }
        let drugs: Vec<String> = self.drugs_mg.iter().map(|(a, mg)| format!("{mg:.0} mg {a}")).collect();
        let _ = writeln!(
            out,
            "  {}, {} pictures, {:.2} mGy, {:.3} Gy cm²; {}; {} contacts with bone, {} redirections, {} warnings, {} times in pain",
            clock(self.duration_s),
            self.pictures,
            self.dose.air_kerma_mgy,
            self.dose.dose_area_gy_cm2,
            if drugs.is_empty() {
                "no drug".to_owned()
            } else {
                drugs.join(", ")
            },
            self.bone_contacts,
            self.redirects,
            self.warnings.len(),
            self.pains
        );
        let relief = self.relief_50_after_a_year.iter().map(|r| 100.0 * r.1);
        if !self.relief_50_after_a_year.is_empty() {
            let (low, high) = relief.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), r| (a.min(r), b.max(r)));
            let _ = writeln!(
                out,
                "  half of the pain or more gone after a year: {low:.0} to {high:.0} % of people, by the laws of injury"
            );
        }
        for (code, reason) in &self.overridden {
            let _ = writeln!(out, "  overridden: {code}, because {reason}");
        }
        out
    }
}
