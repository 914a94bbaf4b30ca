//! The report of a procedure, from its record.

use std::fmt::Write as _;

use neurotome_io::{
    report::{
        document::{Check, KeyFigure, Moment, Picture, Status},
        procedure::{
            Anaesthetic, Counterfactual, Curves, Eligibility, Expected, Harm, Injection, Lesion, Log, NerveFate,
            Placement, Plan, PlannedLesion, ProcedureForReport, Reproducibility, Score, TestDone, Tests, ViewTaken,
            Views,
        },
    },
    results::SummaryRow,
    scenario::Notice,
    session_log::Header,
};
use neurotome_procedure::{
    anatomy::NerveKind,
    debrief::Debrief,
    nerve_death::{CutByLaw, kind_of},
    scoring,
    session::{Answered, AtTarget, Case, Entry, Event, Judgement, Session, State, judge},
};

use super::{Summary, clock, told};
use crate::PROGRAM;

/// Share of fibres of pain that may conduct when heating begins.
const NUMB_SHARE: f64 = 0.5;

/// Pictures of a procedure that its record does not hold.
#[derive(Debug, Clone, Default)]
pub struct Pictures {
    /// X-ray pictures, in the order in which they were taken.
    pub views: Vec<Picture>,
    /// Sections and views of each lesion, in the order of the lesions.
    pub lesions: Vec<Vec<Picture>>,
}

/// The report of where a session stands; `head` is the hash of its log's last line.
pub fn report(
    session: &Session,
    header: &Header,
    head: &str,
    notices: &[Notice],
    pictures: &Pictures,
    debriefs: &[Debrief],
) -> ProcedureForReport {
    let (case, state) = (session.case(), session.state());
    let judged = judge(case, state);
    let entries: Vec<&Entry> = session.record().branch().collect();
    let summary = Summary::of(case, state);
    ProcedureForReport {
        title: case.title.clone(),
        about: format!(
            "Radiofrequency neurotomy of the two medial branch nerves of the {} facet joint, {}. Simulated, step by step.",
            case.joint, case.side
        ),
        program: PROGRAM.to_owned(),
        date: None,
        key_figures: key_figures(&summary, &judged),
        eligibility: eligibility(&entries, state),
        plan: plan(case, state),
        views: Some(views(state, pictures)),
        placements: placements(state, &judged, &entries),
        tests: tests(state),
        anaesthetic: anaesthetic(state),
        lesions: lesions(state, pictures),
        nerves: nerves(state),
        harm: harms(state),
        outcome: outcome(state),
        checklist: checklist(&judged),
        score: Some(score(&judged)),
        debrief: debriefs.iter().flat_map(counterfactuals).collect(),
        log: Some(Log {
            events: log(&entries),
            head: head.to_owned(),
        }),
        unverified: notices
            .iter()
            .map(|n| [format!("{}: {} = {}", n.subject, n.key, n.value), n.source.clone()])
            .collect(),
        reproducibility: Some(Reproducibility {
            scenario: header.scenario.clone(),
            seed: Some(case.seed),
            versions: vec![
                ["program".to_owned(), header.program.clone()],
                ["format of the log".to_owned(), header.format.clone()],
            ],
            hashes: vec![
                ["catalogue (SHA-256)".to_owned(), header.catalog_sha256.clone()],
                ["last line of the log (SHA-256)".to_owned(), head.to_owned()],
            ],
            command: "neurotome replay session.jsonl".to_owned(),
        }),
    }
}

fn passes(good: bool) -> Status {
    if good { Status::Pass } else { Status::Fail }
}

fn key_figures(summary: &Summary, judged: &[Judgement]) -> Vec<KeyFigure> {
    let figure = |name: &str, value: String, unit: &str, remark: String, status: Status| KeyFigure {
        name: name.to_owned(),
        value,
        unit: unit.to_owned(),
        remark,
        status,
    };
    let mut all: Vec<KeyFigure> = summary
        .nerves
        .iter()
        .map(|n| {
            figure(
                &format!("{} destroyed", n.nerve),
                format!("{:.1}", n.destroyed_mm),
                "mm",
                format!(
                    "{:.0} to {:.0} % of its fibres cut, by the laws of injury",
                    100.0 * n.cut_fraction[0],
                    100.0 * n.cut_fraction[1]
                ),
                passes(n.destroyed_mm > 0.0 && !n.harm),
            )
        })
        .collect();
    let relief: Vec<f64> = summary.relief_50_after_a_year.iter().map(|r| 100.0 * r.1).collect();
    if !relief.is_empty() {
        let (low, high) = relief
            .iter()
            .fold((100.0f64, 0.0f64), |(a, b), r| (a.min(*r), b.max(*r)));
        all.push(figure(
            "Half of the pain or more gone after a year",
            format!("{low:.0} to {high:.0}"),
            "% of people",
            "by the laws of injury; a model, not a promise".to_owned(),
            Status::Plain,
        ));
    }
    all.push(figure(
        "Dose",
        format!("{:.2}", summary.dose.air_kerma_mgy),
        "mGy",
        format!(
            "{} pictures, {:.3} Gy cm²",
            summary.pictures, summary.dose.dose_area_gy_cm2
        ),
        Status::Plain,
    ));
    all.push(figure(
        "Duration",
        clock(summary.duration_s),
        "h",
        String::new(),
        Status::Plain,
    ));
    let points: f64 = judged.iter().map(|j| j.score.points).sum();
    let of: f64 = judged.iter().map(|j| j.score.of_points).sum();
    if of > 0.0 {
        all.push(figure(
            "Score",
            format!("{:.0}", 100.0 * points / of),
            "%",
            "of the checklist's points".to_owned(),
            Status::Plain,
        ));
    }
    all
}

fn eligibility(entries: &[&Entry], state: &State) -> Option<Eligibility> {
    let (verdict, eligible) = state.assessed.as_ref()?;
    let criteria = entries
        .iter()
        .flat_map(|e| &e.events)
        .filter_map(|e| match e {
            Event::Assessed { criteria, .. } => Some(criteria),
            _ => None,
        })
        .next_back()?;
    let beliefs = state.source_probability.map(|p| {
        [
            "the joint is the source of the pain".to_owned(),
            format!("{:.0} %", 100.0 * p),
        ]
    });
    Some(Eligibility {
        status: passes(*eligible),
        advice: format!("By the assessment the patient is {verdict}."),
        criteria: criteria
            .iter()
            .map(|c| Check {
                status: match c.state.as_str() {
                    "met" => Status::Pass,
                    "plan" => Status::Warn,
                    "against" => Status::Fail,
                    _ => Status::Open,
                },
                what: c.criterion.as_str().into(),
                remark: match c.advice.as_str() {
                    "" => c.found.clone(),
                    advice => format!("{}; expected {}; {advice}", c.found, c.expected),
                }
                .into(),
            })
            .collect(),
        beliefs: beliefs.into_iter().collect(),
    })
}

fn plan(case: &Case, state: &State) -> Option<Plan> {
    if state.plan.is_empty() {
        return None;
    }
    let needles = state
        .plan
        .iter()
        .zip(&state.targets)
        .map(|(p, at)| {
            let course = p.target.course(&*case.patient).ok();
            let from_nerve_mm = course
                .zip(case.device(&p.cannula))
                .and_then(|(course, device)| {
                    let nerve = neurotome_procedure::metrics::NerveCourse {
                        points: &course.points,
                        diameter_mm: course.diameter_mm,
                    };
                    let sizes = &device.needle;
                    neurotome_procedure::metrics::to_nerve(
                        &p.pose,
                        sizes.active_tip_mm,
                        sizes.outer_diameter_mm,
                        &nerve,
                    )
                })
                .map_or(0.0, |m| m.gap_mm);
            let lesion = at.lesions.last();
            PlannedLesion {
                nerve: format!("{}, at the {}", p.nerve, p.place),
                cannula: p.cannula.clone(),
                to_nerve_deg: p.to_nerve_deg,
                from_nerve_mm,
                depth_mm: p.depth_mm,
                set_temperature_c: lesion.map_or(80.0, |l| l.set_c),
                heating_s: lesion.map_or(90.0, |l| l.held_s),
                destroyed_mm: None,
            }
        })
        .collect();
    let remarks = state
        .plan
        .iter()
        .map(|p| {
            format!(
                "{}: enough of it is destroyed with a probability of {:.0} %, a nerve to be spared is touched with one of {:.1} %, by the plan{}.{}",
                p.nerve,
                100.0 * p.probability,
                100.0 * p.harm,
                p.spared_mm.map_or_else(String::new, |mm| format!(
                    "; {mm:.1} mm are left to the nearest nerve to be spared"
                )),
                p.beyond
                    .as_ref()
                    .map_or_else(String::new, |b| format!(" Beyond the limits: {b}."))
            )
        })
        .collect();
    Some(Plan {
        needles,
        pictures: Vec::new(),
        remarks,
    })
}

fn views(state: &State, pictures: &Pictures) -> Views {
    let taken = state
        .shots
        .iter()
        .map(|s| {
            let named = s.arm.view.map_or_else(|| "free angles".to_owned(), |v| v.to_string());
            let of = s.arm.level.map_or_else(String::new, |l| format!(" of {l}"));
            ViewTaken {
                purpose: format!(
                    "{named}{of}, {}",
                    if s.needle_moves.is_some() {
                        "needle in"
                    } else {
                        "before the needle"
                    }
                ),
                orbital_deg: s.arm.orbital_deg,
                tilt_deg: s.arm.tilt_deg,
                pulses: s.dose.frames as u32,
                air_kerma_mgy: s.dose.air_kerma_mgy,
                status: Status::Plain,
                remark: clock(s.t_s),
            }
        })
        .collect();
    Views {
        taken,
        beam_s: state.dose.screening_s,
        air_kerma_mgy: state.dose.air_kerma_mgy,
        kerma_area_gy_cm2: state.dose.dose_area_gy_cm2,
        staff_usv: None,
        dose_error_relative: None,
        pictures: pictures.views.clone(),
    }
}

fn moments(entry: &Entry, wanted: impl Fn(&Event) -> Option<(Status, String)>) -> Vec<Moment> {
    let found = entry.events.iter().filter_map(wanted);
    found
        .map(|(status, what)| Moment {
            when: clock(entry.t_s),
            status,
            what: what.into(),
        })
        .collect()
}

fn placements(state: &State, judged: &[Judgement], entries: &[&Entry]) -> Vec<Placement> {
    // What was felt belongs to the target aimed at then.
    let mut felt: [Vec<Moment>; 2] = Default::default();
    let mut target = 0;
    for entry in entries {
        for event in &entry.events {
            if let Event::TargetChosen { index } = event {
                target = *index;
            }
        }
        felt[target.min(1)].extend(moments(entry, |e| match e {
            Event::NeedleFelt { felt } => Some((
                if felt.warning { Status::Fail } else { Status::Plain },
                format!("{}, {:.1} mm deep", felt.what, felt.depth_mm),
            )),
            _ => None,
        }));
    }
    judged
        .iter()
        .zip(&state.targets)
        .zip(felt)
        .filter_map(|((j, at), felt)| {
            let m = j.metrics.as_ref()?;
            let nerve = m.nerve?;
            Some(Placement {
                nerve: j.nerve.clone(),
                tip_error_mm: m.plan.map_or(0.0, |p| p.tip_mm),
                from_nerve_mm: nerve.gap_mm,
                to_nerve_deg: nerve.parallel_deg,
                redirects: m.counts.redirects,
                bone_contacts: m.counts.bone_contacts,
                time_s: m.path.time_s,
                felt,
                pictures: Vec::new(),
                status: passes(at.warnings.is_empty()),
            })
        })
        .collect()
}

fn tests(state: &State) -> Option<Tests> {
    let mut done = Vec::new();
    let mut card = Vec::new();
    for (planned, at) in state.plan.iter().zip(&state.targets) {
        for (kind, test) in [("sensory, 50 Hz", &at.sensory), ("motor, 2 Hz", &at.motor)] {
            let Some(test) = test else { continue };
            let weakest = |wanted: &dyn Fn(&&Answered) -> bool| {
                test.answers
                    .iter()
                    .filter(wanted)
                    .min_by(|a, b| a.amplitude_v.total_cmp(&b.amplitude_v))
            };
            let own = weakest(&|a| a.target);
            let leg = weakest(&|a| a.leg);
            let say = |a: &Answered| format!("{} in {} at {:.2} V", a.answer, a.place, a.amplitude_v);
            let mut answer = own.map_or_else(|| "no answer of the nerve aimed at".to_owned(), say);
            if let Some(leg) = leg {
                let _ = write!(answer, "; leg: {}", say(leg));
            }
            done.push(TestDone {
                nerve: planned.nerve.clone(),
                kind: kind.to_owned(),
                threshold: own.map(|a| a.amplitude_v),
                threshold_range: None,
                highest: test.up_to_v,
                unit: "V".to_owned(),
                answer,
                status: if test.numb { Status::Warn } else { passes(own.is_some()) },
            });
        }
        if let Some(judged) = &at.judged {
            card.extend(judged.questions.iter().map(|q| Check {
                status: match q.finding.as_str() {
                    "yes" => Status::Pass,
                    "no" => Status::Fail,
                    _ => Status::Warn,
                },
                what: format!("{}: {}", planned.nerve, q.question).into(),
                remark: q.evidence.as_str().into(),
            }));
            card.push(Check {
                status: if judged.lesion_here { Status::Pass } else { Status::Warn },
                what: format!("{}: advice", planned.nerve).into(),
                remark: judged.advice.as_str().into(),
            });
        }
    }
    (!done.is_empty()).then_some(Tests {
        done,
        card,
        pictures: Vec::new(),
    })
}

fn anaesthetic(state: &State) -> Option<Anaesthetic> {
    let mut given = Vec::new();
    let mut most_mg: Option<f64> = None;
    let named = |k: usize| {
        state
            .plan
            .get(k)
            .map_or_else(|| format!("target {}", k + 1), |p| p.nerve.clone())
    };
    for (k, at) in state.targets.iter().enumerate() {
        let AtTarget { skin, anaesthetic, .. } = at;
        if let Some(i) = skin {
            most_mg = i.max_mg.or(most_mg);
            given.push(Injection {
                place: format!("skin, {}", named(k)),
                agent: i.agent.clone(),
                volume_ml: i.volume_ml,
                dose_mg: i.drug_mg,
                blocked: None,
                onset_s: None,
                status: Status::Plain,
            });
        }
        if let Some(done) = anaesthetic {
            let i = &done.injected;
            most_mg = i.max_mg.or(most_mg);
            let blocked = done.pain_conducting.map(|c| 1.0 - c);
            given.push(Injection {
                place: named(k),
                agent: i.agent.clone(),
                volume_ml: i.volume_ml,
                dose_mg: i.drug_mg,
                blocked,
                onset_s: None,
                status: blocked.map_or(Status::Open, |b| passes(b >= 1.0 - NUMB_SHARE)),
            });
        }
    }
    (!given.is_empty()).then(|| Anaesthetic {
        given,
        total_mg: state.drugs_mg.iter().map(|d| d.1).sum(),
        most_mg,
        pictures: Vec::new(),
        remarks: Vec::new(),
    })
}

fn lesions(state: &State, pictures: &Pictures) -> Vec<Lesion> {
    let mut drawn = pictures.lesions.iter();
    let mut all = Vec::new();
    for (planned, at) in state.plan.iter().zip(&state.targets) {
        for lesion in &at.lesions {
            let row = |name: &str, value: String, unit: &str| SummaryRow::new(name, value, unit, "");
            let size = lesion.contours.omega1;
            let of = |f: &dyn Fn(neurotome_procedure::lesion::Contour) -> f64| {
                size.map_or_else(|| "none".to_owned(), |c| format!("{:.1}", f(c)))
            };
            let curve = &lesion.curve;
            let column =
                |f: &dyn Fn(&neurotome_procedure::session::Shown) -> f64| curve.iter().map(f).collect::<Vec<f64>>();
            let heated = curve.iter().filter(|s| s.t_s <= lesion.heated_s + 1e-9);
            all.push(Lesion {
                nerve: planned.nerve.clone(),
                setting: format!(
                    "Generator: {} °C at the thermocouple, held for {:.0} s{}.",
                    lesion.set_c,
                    lesion.held_s,
                    if lesion.complete {
                        ""
                    } else {
                        ", stopped by the operator"
                    }
                ),
                figures: vec![
                    row("Lesion (Ω = 1), width", of(&|c| c.width_mm), "mm"),
                    row("Length", of(&|c| c.length_mm), "mm"),
                    row("Volume", of(&|c| c.volume_mm3), "mm³"),
                    row("Nerve destroyed across", format!("{:.1}", lesion.destroyed_mm), "mm"),
                    row("Hottest tissue", format!("{:.0}", lesion.hottest_c), "°C"),
                ],
                curves: Some(Curves {
                    t_s: column(&|s| s.t_s),
                    temperatures_c: vec![("thermocouple in the tip".to_owned(), column(&|s| s.temperature_c))],
                    set_temperature_c: heated.map(|s| s.set_c).collect(),
                    power_w: column(&|s| s.power_w),
                    impedance_ohm: column(&|s| s.impedance_ohm),
                    voltage_v: column(&|s| s.voltage_v),
                    heated_s: vec![[0.0, lesion.heated_s]],
                    events: Vec::new(),
                }),
                alarms: Vec::new(),
                pictures: drawn.next().cloned().unwrap_or_default(),
            });
        }
    }
    all
}

fn nerves(state: &State) -> Vec<NerveFate> {
    let mut all = Vec::new();
    for (planned, at) in state.plan.iter().zip(&state.targets) {
        for lesion in &at.lesions {
            for n in &lesion.nerves {
                let cut = n.laws.iter().map(|l| l.cut_fraction).fold(0.0, f64::max);
                // Other nerves count where they met any heat.
                if !n.target && n.peak_c < 40.0 {
                    continue;
                }
                all.push(NerveFate {
                    name: n.nerve.clone(),
                    target: n.nerve == planned.nerve,
                    destroyed_mm: if n.nerve == planned.nerve {
                        lesion.destroyed_mm
                    } else {
                        // Across the whole nerve: the shortest gap of its places, by the law that shows most.
                        let across = |l: &CutByLaw| l.gap_mm.iter().copied().fold(f64::INFINITY, f64::min);
                        let shortest = n.laws.iter().map(across).filter(|g| g.is_finite());
                        shortest.fold(0.0, f64::max)
                    },
                    destroyed_error_mm: None,
                    cut: Some(cut),
                    peak_c: n.peak_c,
                    regrowth_months: None,
                    status: match kind_of(&n.nerve) {
                        NerveKind::IntermediateBranch if cut > 0.0 => Status::Warn,
                        _ => passes((n.nerve == planned.nerve) == (cut > 0.0)),
                    },
                });
            }
        }
    }
    all
}

fn harms(state: &State) -> Vec<Harm> {
    let mut all = Vec::new();
    for (planned, at) in state.plan.iter().zip(&state.targets) {
        for harm in at.lesions.iter().map(|l| &l.harm) {
            for n in &harm.nerves {
                if n.peak_c < 40.0 {
                    continue;
                }
                let to_muscle = n.kind == NerveKind::IntermediateBranch;
                let distance = n.distance_mm.map(|d| format!("{d:.1} mm from the lesion"));
                let muscle = to_muscle.then(|| "a branch to back muscle beside the joint's".to_owned());
                all.push(Harm {
                    what: format!("{}, beside the lesion of the {}", n.nerve, planned.nerve),
                    value: format!(
                        "{:.0} to {:.0} % of its fibres, {:.0} °C",
                        100.0 * n.cut_fraction[0],
                        100.0 * n.cut_fraction[1],
                        n.peak_c
                    ),
                    limit: if to_muscle { "–" } else { "0 %" }.to_owned(),
                    status: if to_muscle && n.cut_fraction[1] > 0.0 {
                        Status::Warn
                    } else {
                        passes(n.cut_fraction[1] <= 0.0)
                    },
                    remark: distance.into_iter().chain(muscle).collect::<Vec<_>>().join("; "),
                });
            }
            for s in &harm.skin {
                all.push(Harm {
                    what: format!("skin at the needle of the {}", planned.nerve),
                    value: format!("{:.0} °C", s.peak_c),
                    limit: "Ω of 1".to_owned(),
                    status: passes(!s.burnt),
                    remark: format!("Ω = {:.2}", s.omega),
                });
            }
        }
    }
    all
}

fn outcome(state: &State) -> Option<Expected> {
    let outcomes = state.outcomes.as_ref()?;
    let first = outcomes.first()?;
    let mut expected = Expected::of(&first.outcome);
    expected
        .remarks
        .push(format!("The curves are those by the law {}.", first.law));
    for o in outcomes {
        if let Some(year) = o.outcome.shares.last() {
            expected.figures.push(SummaryRow::new(
                format!("Half of the pain or more gone after a year, by {}", o.law),
                format!("{:.0}", 100.0 * year.relief_50),
                "% of people",
                if o.reversible {
                    "its measured loss of function came back"
                } else {
                    ""
                },
            ));
        }
    }
    Some(expected)
}

fn checklist(judged: &[Judgement]) -> Vec<Check> {
    let mut all = Vec::new();
    for j in judged {
        for item in &j.score.items {
            all.push(Check {
                status: match item.state {
                    scoring::State::Met => Status::Pass,
                    scoring::State::NotApplicable => Status::Open,
                    scoring::State::NotMet => Status::Fail,
                },
                what: format!("{}: {}", j.nerve, item.title).into(),
                remark: match item.state {
                    scoring::State::Met => item.found.clone(),
                    _ => format!("{}; expected {}; {}", item.found, item.expected, item.advice),
                }
                .into(),
            });
        }
    }
    all
}

fn score(judged: &[Judgement]) -> Score {
    let sum = |f: &dyn Fn(&Judgement) -> f64| judged.iter().map(f).sum::<f64>();
    let points = [sum(&|j| j.score.points), sum(&|j| j.score.of_points)];
    Score {
        points,
        status: Status::Plain,
        parts: judged
            .iter()
            .map(|j| {
                let missed: Vec<&str> = j.score.missed().iter().map(|i| i.title.as_str()).collect();
                let why = if missed.is_empty() {
                    "everything met".to_owned()
                } else {
                    format!("missed: {}", missed.join(", "))
                };
                (j.nerve.clone(), j.score.points, j.score.of_points, why)
            })
            .collect(),
    }
}

fn counterfactuals(debrief: &Debrief) -> Vec<Counterfactual> {
    let said = |f: &neurotome_procedure::debrief::Figures| {
        format!("{:.1} mm of nerve, {:.1} mm wide", f.destroyed_mm, f.width_mm)
    };
    debrief
        .variants
        .iter()
        .map(|v| {
            let gain = v.destroyed_difference_mm.unwrap_or(0.0);
            let harm = v.figures.as_ref().map_or(0.0, |f| {
                (f.harm_mm3 - debrief.actual.harm_mm3).max(f.spared_nerve_mm - debrief.actual.spared_nerve_mm)
            });
            let (status, lesson) = match (gain, harm) {
                (_, h) if h > 0.1 => (Status::Fail, "more harm beside the nerve"),
                (g, _) if g > 0.5 => (Status::Pass, "more of the nerve"),
                (g, _) if g < -0.5 => (Status::Warn, "less of the nerve"),
                _ => (Status::Plain, "about the same"),
            };
            Counterfactual {
                instead: format!("{}: {}", debrief.nerve, v.words),
                was: said(&debrief.actual),
                would_be: v
                    .figures
                    .as_ref()
                    .map_or_else(|| v.fault.clone().unwrap_or_default(), said),
                status,
                lesson: lesson.to_owned(),
            }
        })
        .collect()
}

fn log(entries: &[&Entry]) -> Vec<Moment> {
    entries
        .iter()
        .map(|e| {
            let refused = e.events.iter().any(|v| matches!(v, Event::Refused { .. }));
            let warned = e.events.iter().any(|v| match v {
                Event::Overridden { .. } | Event::Alarm { .. } | Event::Pain { .. } => true,
                Event::NeedleFelt { felt } => felt.warning,
                _ => false,
            });
            Moment {
                when: clock(e.t_s),
                status: match (refused, warned) {
                    (true, _) => Status::Fail,
                    (_, true) => Status::Warn,
                    _ => Status::Plain,
                },
                what: format!("{}: {}", e.order, told(e).join("; ")).into(),
            }
        })
        .collect()
}
