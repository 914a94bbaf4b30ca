//! The lesion: generator, tissue and nerves.

use super::{
    Case, Done, Event, Lesion, SessionError, Shown, State, Watch,
    drugs::{Drugs, pain_conducting},
    impossible, needle_in, problem_of, within,
};
use crate::{
    lesion::{Control, Drive, LesionError, LesionProblem},
    nerve_death::{self, cut, laws},
    outcome::Harm,
};

/// Set temperature, °C, time at it and ramp, s, of a case whose drive holds no temperature.
const USUAL: [f64; 3] = [80.0, 90.0, 15.0];
/// Seconds followed after the current is off.
const COOLING_S: f64 = 30.0;
/// Share of the target's fibres of pain from which heat is felt.
const FELT_SHARE: f64 = 0.5;

/// Set temperature, °C, time at it and ramp, s, where the operator says nothing.
fn usual(case: &Case) -> [f64; 3] {
    match case.template.drive {
        Drive::Temperature {
            set_temperature_c,
            ramp_s,
            ..
        } => [set_temperature_c, case.template.heating_s - ramp_s, ramp_s],
        _ => USUAL,
    }
}

/// The lesion that runs.
#[derive(Default)]
pub(super) struct Furnace {}

impl Furnace {
    pub(super) fn heat(
        &mut self,
        case: &Case,
        state: &State,
        drugs: &mut Drugs,
        [set_c, hold_s, for_s]: [Option<f64>; 3],
        watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        let set_c = within("the set temperature", set_c.unwrap_or(usual(case)[0]), 40.0, 95.0, "°C")?;
        let hold_s = within(
            "the time at the set temperature",
            hold_s.unwrap_or(usual(case)[1]),
            1.0,
            1200.0,
            "s",
        )?;
        let ramp_s = usual(case)[2];
        let problem = self.problem(case, state, drugs, set_c, hold_s, watch)?;
        let _ = for_s;
        let mut curve: Vec<Shown> = Vec::new();
        let mut recorder = nerve_death::Recorder::new(&problem, &laws(&case.catalog));
        let result = crate::lesion::solve_watched(
            &problem,
            &mut |p| {
                watch(&format!(
                    "lesion: {:.0} of {:.0} s, {:.1} °C",
                    p.t_s, p.end_s, p.thermocouple_c
                ))
            },
            &mut |h| {
                recorder.see(h);
                let r = h.reading();
                if curve.last().is_none_or(|last| r.t_s - last.t_s >= 0.999) {
                    curve.push(Shown {
                        t_s: r.t_s,
                        set_c: r.set_temperature_c.unwrap_or(r.thermocouples_c[0]),
                        temperature_c: r.thermocouples_c[0],
                        impedance_ohm: r.impedance_ohm,
                        voltage_v: r.voltage_v[0],
                        current_a: r.current_a,
                        power_w: r.power_w,
                    });
                }
            },
        )
        .map_err(|e| match e {
            LesionError::Cancelled { .. } => SessionError::Cancelled,
            e => e.into(),
        })?;
        let cuts: Vec<_> = recorder.finish().iter().map(|h| cut(&case.catalog, h)).collect();
        let harm = Harm::new(&result, &cuts);
        let destroyed_mm = problem
            .nerves
            .iter()
            .zip(&result.nerves)
            .find(|(n, _)| n.target)
            .map_or(0.0, |(_, n)| n.destroyed_mm);
        let hottest_c = result
            .curves
            .max_tissue_c
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        let contours = result.snapshots.last().map(|s| s.contours.clone()).unwrap_or_default();
        let mut events = vec![Event::HeatingBegan { set_c, hold_s, ramp_s }];
        events.extend(self.felt(case, state, drugs, watch)?);
        events.push(Event::LesionMade {
            lesion: Box::new(Lesion {
                set_c,
                heated_s: problem.heating_s,
                complete: true,
                contours,
                destroyed_mm,
                hottest_c,
                nerves: cuts,
                harm,
                curve,
            }),
        });
        Ok(Done {
            events,
            took_s: problem.heating_s + problem.cooling_s,
        })
    }

    fn problem(
        &self,
        case: &Case,
        state: &State,
        drugs: &mut Drugs,
        set_c: f64,
        hold_s: f64,
        watch: Watch<'_>,
    ) -> Result<LesionProblem, SessionError> {
        let needle = needle_in(state, "heat")?;
        let mut problem = problem_of(case, state, needle)?;
        problem.drive = Drive::Temperature {
            set_temperature_c: set_c,
            ramp_s: usual(case)[2],
            control: Control::First,
        };
        problem.heating_s = usual(case)[2] + hold_s;
        problem.cooling_s = COOLING_S;
        problem.solver.estimate_error = false;
        if let Some((spread, since_s)) = drugs.spread(case, state, state.t_s, watch)? {
            problem.injectate = Some(spread.injectate_at(since_s));
        }
        Ok(problem)
    }

    /// What the patient feels of the heat.
    fn felt(
        &self,
        case: &Case,
        state: &State,
        drugs: &mut Drugs,
        watch: Watch<'_>,
    ) -> Result<Vec<Event>, SessionError> {
        let spread = drugs.spread(case, state, state.t_s, watch)?;
        let conducting = match spread {
            Some((spread, since_s)) => {
                let share = pain_conducting(case, state, &spread, since_s).unwrap_or(1.0);
                return Ok(std::iter::once(Event::Numbness {
                    since_s,
                    pain_conducting: share,
                })
                .chain(heat_felt(state, share))
                .collect());
            }
            None => 1.0,
        };
        Ok(heat_felt(state, conducting).into_iter().collect())
    }

    pub(super) fn go_on(
        &mut self,
        _case: &Case,
        _state: &State,
        _drugs: &mut Drugs,
        _seconds: f64,
        _watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        Err(impossible("wait", "no lesion runs", "`heat`"))
    }

    pub(super) fn stop(
        &mut self,
        _case: &Case,
        _state: &State,
        _drugs: &mut Drugs,
        _watch: Watch<'_>,
    ) -> Result<Done, SessionError> {
        Err(impossible("stop", "no lesion runs", "`heat`"))
    }
}

fn heat_felt(state: &State, conducting: f64) -> Option<Event> {
    (conducting > FELT_SHARE && state.sedation != super::Sedation::Deep).then(|| Event::Pain {
        from: "the heat".to_owned(),
    })
}
