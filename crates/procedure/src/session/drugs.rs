//! Fluids that are injected: numb skin, and the anaesthetic at the nerve with its spread in time.

use std::sync::Arc;

use neurotome_base::PatientPoint;

use super::{
    Case, Done, Event, Injected, SessionError, State, Syringe, Watch, needle_in, point, problem_of, timing, within,
};
use crate::{
    anaesthesia::{ConductionRule, FibreKind, Injection, Solution, Spread, inject},
    anatomy::NerveKind,
    lesion::{LesionProblem, Perfusion},
    stimulation::Numbed,
};

const AGENT: &str = "lidocaine";
/// Skin: 1 ml of 1 %.
const SKIN_PERCENT: f64 = 1.0;
const SKIN_ML: f64 = 1.0;
/// Nerve: 0.5 ml of 2 %.
const NERVE_PERCENT: f64 = 2.0;
const NERVE_ML: f64 = 0.5;
/// The spread is followed for so long at first, s, and twice as long each time that this is not enough.
const FOLLOW_S: f64 = 300.0;

/// The spread of the injection at the present target.
#[derive(Default)]
pub(super) struct Drugs {
    spread: Option<(Key, Arc<Spread>)>,
}

/// What a spread was computed for.
#[derive(PartialEq)]
struct Key {
    target: usize,
    injected: Injected,
    follow_s: f64,
}

fn drawn(
    case: &Case,
    syringe: &Syringe,
    usual: (f64, f64),
    tip: [f64; 3],
) -> Result<(Injected, Solution), SessionError> {
    let agent = syringe.agent.as_deref().unwrap_or(AGENT);
    let percent = syringe.percent.or((agent == AGENT).then_some(usual.0));
    let solution = Solution::new(&case.catalog, agent, percent)?;
    let volume_ml = within("the volume", syringe.volume_ml.unwrap_or(usual.1), 0.1, 3.0, "ml")?;
    let dose = solution
        .drug
        .as_ref()
        .map(|d| crate::anaesthesia::Dose::new(d, volume_ml, case.body_mass_kg));
    let injected = Injected {
        agent: agent.to_owned(),
        percent: solution.drug.as_ref().map(|d| d.percent),
        volume_ml,
        drug_mg: dose.map_or(0.0, |d| d.dose_mg),
        max_mg: dose.map(|d| d.max_mg),
        tip_mm: tip,
    };
    Ok((injected, solution))
}

/// Numbs the skin at the mark. That a wheal of this size numbs the skin of the needle's way is `neurotome inject --tip skin`'s to show.
pub(super) fn numb_skin(case: &Case, state: &State, syringe: &Syringe) -> Result<Done, SessionError> {
    let marked = state.at_target().marked_mm;
    let at = marked
        .or(state.planned().map(|p| p.entry_mm))
        .ok_or_else(|| super::impossible("numb", "neither a mark nor a plan says where", "`mark` the skin"))?;
    let (injected, _) = drawn(case, syringe, (SKIN_PERCENT, SKIN_ML), at)?;
    let took_s = timing::injection_s(injected.volume_ml);
    let mut events = vec![Event::SkinNumbed { injected }];
    // The prick of the thin needle is felt by who is awake.
    if state.sedation == super::Sedation::None {
        events.push(Event::Pain {
            from: "the prick of the thin needle".to_owned(),
        });
    }
    Ok(Done { events, took_s })
}

/// Injects through the needle.
pub(super) fn anaesthetise(case: &Case, state: &State, syringe: &Syringe) -> Result<Done, SessionError> {
    let needle = needle_in(state, "anaesthetise")?;
    let (injected, _) = drawn(case, syringe, (NERVE_PERCENT, NERVE_ML), needle.tip_mm)?;
    Ok(Done {
        took_s: timing::injection_s(injected.volume_ml),
        events: vec![Event::Anaesthetised { injected }],
    })
}

impl Drugs {
    /// The spread at the present target and the seconds since the injection ended at a time; none without an injection.
    pub(super) fn spread(
        &mut self,
        case: &Case,
        state: &State,
        at_s: f64,
        watch: Watch<'_>,
    ) -> Result<Option<(Arc<Spread>, f64)>, SessionError> {
        let (Some(done), Some(needle)) = (&state.at_target().anaesthetic, &state.needle) else {
            return Ok(None);
        };
        let since_s = (at_s - done.end_s).max(0.0);
        let mut follow_s = FOLLOW_S;
        while follow_s < since_s {
            follow_s *= 2.0;
        }
        let key = Key {
            target: state.target,
            injected: done.injected.clone(),
            follow_s,
        };
        if let Some((known, spread)) = &self.spread
            && *known == key
        {
            return Ok(Some((Arc::clone(spread), since_s)));
        }
        let problem = problem_of(case, state, needle)?;
        let injection = injection(case, &problem, &done.injected, follow_s)?;
        let spread = inject(&injection, &mut |p| {
            watch(&format!("anaesthetic: {:.0} of {:.0} s", p.t_s, p.end_s))
        })
        .map_err(|e| match e {
            crate::anaesthesia::AnaesthesiaError::Cancelled { .. } => SessionError::Cancelled,
            e => e.into(),
        })?;
        let spread = Arc::new(spread);
        self.spread = Some((key, Arc::clone(&spread)));
        Ok(Some((spread, since_s)))
    }

    /// Lets time pass, and looks how numb the target is then.
    pub(super) fn wait(
        &mut self,
        case: &Case,
        state: &State,
        seconds: f64,
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        let spread = self.spread(case, state, state.t_s + seconds, watch)?;
        let events = spread
            .and_then(|(spread, since_s)| {
                Some(Event::Numbness {
                    since_s,
                    pain_conducting: pain_conducting(case, state, &spread, since_s)?,
                })
            })
            .into_iter()
            .collect();
        Ok(Done {
            events,
            took_s: seconds,
        })
    }

    /// What the anaesthetic leaves of the fibres' sodium channels now.
    pub(super) fn numbed(
        &mut self,
        case: &Case,
        state: &State,
        watch: Watch<'_>,
    ) -> Result<Option<Numbed>, SessionError> {
        match self.spread(case, state, state.t_s, watch)? {
            None => Ok(None),
            Some((spread, since_s)) => Ok(Numbed::new(&spread, &case.catalog, spread.injected_s + since_s)?),
        }
    }
}

/// Share of the target's fibres of pain, the more resistant of Aδ and C, that still conduct.
pub(super) fn pain_conducting(case: &Case, state: &State, spread: &Spread, since_s: f64) -> Option<f64> {
    let name = super::target_of(case, state).ok()?.name();
    let nerve = spread.nerves.iter().find(|n| n.name == name)?;
    let t_s = spread.injected_s + since_s;
    Some(
        [FibreKind::ADelta, FibreKind::C]
            .into_iter()
            .map(|kind| nerve.conducting_share(kind, t_s))
            .fold(0.0, f64::max),
    )
}

fn injection(
    case: &Case,
    problem: &LesionProblem,
    injected: &Injected,
    follow_s: f64,
) -> Result<Injection, SessionError> {
    let perfused = problem.perfusion != Perfusion::Off;
    let injection = Injection {
        anatomy: Arc::clone(&problem.anatomy),
        tissue_names: problem.tissue_names.clone(),
        transport: case.transport.clone(),
        perfusion_per_s: problem
            .tissues
            .iter()
            .map(|t| if perfused { t.perfusion_per_s } else { 0.0 })
            .collect(),
        solution: Solution::new(&case.catalog, &injected.agent, injected.percent)?,
        volume_ml: injected.volume_ml,
        rate_ml_per_min: timing::RATE_ML_PER_MIN,
        tip: PatientPoint::from_vec(point(injected.tip_mm).vec()),
        follow_s,
        keep_s: Vec::new(),
        nerves: problem.nerves.clone(),
        rule: ConductionRule::new(&case.catalog, NerveKind::MedialBranch)?,
        fasciae: Vec::new(),
        body_mass_kg: case.body_mass_kg,
        cell_mm: None,
    };
    injection.check()?;
    Ok(injection)
}
