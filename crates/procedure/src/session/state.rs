//! Where the procedure stands: a fold over the events of a branch of the record, and nothing else.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{
    command::{Command, Preparation, Sedation, TestKind},
    event::{Answered, Event, Injected, Judged, Lesion, OutcomeByLaw, PlannedNeedle, Shown},
    needle::NeedleNow,
    record::Entry,
};
use crate::{
    anatomy::{Level, Side},
    fluoroscopy::{Dose, NamedView},
    generator::{Program, faults::Fault},
};

/// Where the C-arm stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ArmNow {
    /// Orbital angle, degrees.
    pub orbital_deg: f64,
    /// Cranio-caudal angle, degrees.
    pub tilt_deg: f64,
    /// What lies in the isocentre, mm.
    pub target_mm: [f64; 3],
    /// The named view.
    pub view: Option<NamedView>,
    /// Of which vertebra.
    pub level: Option<Level>,
}

/// A picture that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shot {
    /// When, s.
    pub t_s: f64,
    /// From where.
    pub arm: ArmNow,
    /// Its dose.
    pub dose: Dose,
    /// Movements of the needle before it, over the whole procedure; none: no needle was in.
    pub needle_moves: Option<usize>,
    /// Which target was aimed at.
    pub target: usize,
}

/// Kinds of views, whatever the side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewKind {
    /// Over the back.
    Ap,
    /// From the side.
    Lateral,
    /// Oblique, declined or foraminal.
    Oblique,
}

impl ViewKind {
    /// Of a named view.
    pub fn of(view: NamedView) -> Self {
        match view {
            NamedView::Ap => Self::Ap,
            NamedView::LateralLeft | NamedView::LateralRight => Self::Lateral,
            _ => Self::Oblique,
        }
    }
}

/// A test that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestDone {
    /// Up to how many volts.
    pub up_to_v: f64,
    /// Answers, weakest first.
    pub answers: Vec<Answered>,
    /// While numb.
    pub numb: bool,
    /// Movements of the needle before it.
    pub needle_moves: usize,
}

/// The tests' decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestsJudged {
    /// Line by line.
    pub questions: Vec<Judged>,
    /// All three answered with yes.
    pub lesion_here: bool,
    /// A nerve of the leg answers.
    pub leg_answers: bool,
    /// What to do.
    pub advice: String,
    /// Movements of the needle before it.
    pub needle_moves: usize,
}

/// An injection that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InjectionDone {
    /// What.
    pub injected: Injected,
    /// When it ended, s.
    pub end_s: f64,
    /// Share of the target's fibres of pain that conducted when it was last looked at.
    pub pain_conducting: Option<f64>,
}

/// A lesion that runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeatingNow {
    /// Set temperature, °C.
    pub set_c: f64,
    /// Seconds at it.
    pub hold_s: f64,
    /// Ramp, s.
    pub ramp_s: f64,
    /// When the operator looked up, s since its beginning: enough to compute it again.
    pub looks_s: Vec<f64>,
    /// What was shown.
    pub curve: Vec<Shown>,
    /// When it began, s.
    pub since_s: f64,
    /// What the generator does, where it does not hold one temperature.
    pub program: Option<Program>,
    /// Faults that were set before it.
    pub faults: Vec<Fault>,
    /// Flow of the coolant when it began, ml/min.
    pub pump_ml_per_min: f64,
    /// What was done while it ran, each after so many looks.
    pub acts: Vec<(usize, HeatingAct)>,
    /// The generator waits after a loss of mains; whether it may be resumed.
    pub interrupted: Option<bool>,
}

/// What is done while a lesion runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum HeatingAct {
    /// A fault is set.
    Fault(Fault),
    /// The pump of the coolant is set, ml/min.
    Pump(f64),
    /// The lesion is resumed.
    Resume,
}

/// What was done for one nerve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AtTarget {
    /// Mark on the skin, mm.
    pub marked_mm: Option<[f64; 3]>,
    /// How far the mark is from the planned place, mm.
    pub off_plan_mm: Option<f64>,
    /// Numbed skin.
    pub skin: Option<Injected>,
    /// Sensory test.
    pub sensory: Option<TestDone>,
    /// Motor test.
    pub motor: Option<TestDone>,
    /// The decision.
    pub judged: Option<TestsJudged>,
    /// Anaesthetic through the needle.
    pub anaesthetic: Option<InjectionDone>,
    /// Redirections of its needles.
    pub redirects: usize,
    /// Their contacts with bone.
    pub bone_contacts: usize,
    /// Warnings felt: nerves, vessels, the canal.
    pub warnings: Vec<String>,
    /// When heating began last, s.
    pub heated_at_s: Option<f64>,
    /// Impedance before heating, Ω.
    pub impedance_ohm: Option<f64>,
    /// What such a cannula shows, Ω.
    pub usual_ohm: Option<f64>,
    /// Lesions made.
    pub lesions: Vec<Lesion>,
    /// Where the needle lay for each lesion.
    pub needles: Vec<NeedleNow>,
}

/// Where the procedure stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Time since the beginning, s.
    pub t_s: f64,
    /// Entries of the branch.
    pub entries: usize,
    /// The judgement: in words, and whether nothing stands against it.
    pub assessed: Option<(String, bool)>,
    /// What is ready.
    pub ready: BTreeSet<Preparation>,
    /// How awake the patient is.
    pub sedation: Sedation,
    /// The plan.
    pub plan: Vec<PlannedNeedle>,
    /// Which nerve is aimed at.
    pub target: usize,
    /// What was done for each.
    pub targets: [AtTarget; 2],
    /// The C-arm.
    pub arm: Option<ArmNow>,
    /// Pictures.
    pub shots: Vec<Shot>,
    /// Dose in all.
    pub dose: Dose,
    /// The needle in the patient.
    pub needle: Option<NeedleNow>,
    /// Bone stopped the needle when it was last moved.
    pub on_bone: bool,
    /// Movements of needles over the whole procedure.
    pub needle_moves: usize,
    /// The needle's place against the last look at it: (time, tip, target).
    pub path: Vec<(f64, [f64; 3], usize)>,
    /// Drug given in all, mg, by agent.
    pub drugs_mg: Vec<(String, f64)>,
    /// A lesion that runs.
    pub heating: Option<HeatingNow>,
    /// Faults set for the next lesion.
    pub faults: Vec<Fault>,
    /// Flow of the coolant, ml/min.
    pub pump_ml_per_min: f64,
    /// Times at which the patient moved, s.
    pub moved_s: Vec<f64>,
    /// Times at which the patient was in pain, s, and from what.
    pub pain: Vec<(f64, String)>,
    /// Interlocks that stood against commands, and those overridden with their reasons.
    pub refused: usize,
    /// See above.
    pub overridden: Vec<(String, String)>,
    /// The skin was looked at since the last lesion.
    pub skin_seen: bool,
    /// What comes after; the procedure is over.
    pub outcomes: Option<Vec<OutcomeByLaw>>,
    /// Probability that the joint is the source of the pain.
    pub source_probability: Option<f64>,
}

impl State {
    /// The state after a branch of entries.
    pub fn after<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let mut state = Self::default();
        for entry in entries {
            state.apply(entry);
        }
        state
    }

    /// Goes on by one entry.
    pub fn apply(&mut self, entry: &Entry) {
        self.entries += 1;
        if entry.events.iter().any(|e| matches!(e, Event::Refused { .. })) {
            self.refused += 1;
        } else if let Some(command) = entry.command() {
            self.begin(command);
        }
        for event in &entry.events {
            self.happen(event, entry.t_s);
        }
        self.t_s = entry.t_s + entry.took_s;
    }

    fn begin(&mut self, command: &Command) {
        if let Command::Steer { .. } = command {
            self.here().redirects += 1;
        }
    }

    fn here(&mut self) -> &mut AtTarget {
        let k = self.target.min(1);
        &mut self.targets[k]
    }

    /// What was done for the nerve aimed at.
    pub fn at_target(&self) -> &AtTarget {
        &self.targets[self.target.min(1)]
    }

    /// The plan of the nerve aimed at.
    pub fn planned(&self) -> Option<&PlannedNeedle> {
        self.plan.get(self.target)
    }

    fn give(&mut self, injected: &Injected) {
        if injected.drug_mg > 0.0 {
            match self.drugs_mg.iter_mut().find(|d| d.0 == injected.agent) {
                Some(d) => d.1 += injected.drug_mg,
                None => self.drugs_mg.push((injected.agent.clone(), injected.drug_mg)),
            }
        }
    }

    /// Notes what is done while a lesion runs.
    fn act(&mut self, act: HeatingAct) {
        if let Some(heating) = &mut self.heating {
            heating.acts.push((heating.looks_s.len(), act));
        }
    }

    fn happen(&mut self, event: &Event, t_s: f64) {
        let needle_moves = self.needle_moves;
        match event {
            Event::Assessed { verdict, eligible, .. } => self.assessed = Some((verdict.clone(), *eligible)),
            Event::Planned { needles } => self.plan.clone_from(needles),
            Event::Prepared { item } => {
                self.ready.insert(*item);
            }
            Event::Sedated { level } => self.sedation = *level,
            Event::ArmMoved {
                orbital_deg,
                tilt_deg,
                target_mm,
                view,
                level,
            } => {
                self.arm = Some(ArmNow {
                    orbital_deg: *orbital_deg,
                    tilt_deg: *tilt_deg,
                    target_mm: *target_mm,
                    view: *view,
                    level: *level,
                });
            }
            Event::Exposed { dose } => {
                self.dose = self.dose.plus(dose);
                if let Some(arm) = self.arm {
                    self.shots.push(Shot {
                        t_s,
                        arm,
                        dose: *dose,
                        needle_moves: self.needle.as_ref().map(|_| needle_moves),
                        target: self.target,
                    });
                }
            }
            Event::Marked { entry_mm, off_plan_mm } => {
                let here = self.here();
                here.marked_mm = Some(*entry_mm);
                here.off_plan_mm = *off_plan_mm;
            }
            Event::SkinNumbed { injected } => {
                self.give(injected);
                self.here().skin = Some(injected.clone());
            }
            Event::NeedleMoved { needle } => {
                self.needle_moves += 1;
                self.on_bone = false;
                self.path.push((t_s, needle.tip_mm, self.target));
                self.needle = Some(needle.clone());
            }
            Event::NeedleFelt { felt } => {
                if felt.warning {
                    self.here().warnings.push(felt.what.clone());
                }
                if felt.bone {
                    self.on_bone = true;
                    self.here().bone_contacts += 1;
                }
            }
            Event::NeedleRemoved => {
                self.needle = None;
                self.needle_moves += 1;
            }
            Event::ImpedanceRead { ohm, usual_ohm } => {
                let here = self.here();
                here.impedance_ohm = Some(*ohm);
                here.usual_ohm = *usual_ohm;
            }
            Event::Tested {
                kind,
                up_to_v,
                answers,
                numb,
            } => {
                let done = Some(TestDone {
                    up_to_v: *up_to_v,
                    answers: answers.clone(),
                    numb: *numb,
                    needle_moves,
                });
                match kind {
                    TestKind::Sensory => self.here().sensory = done,
                    TestKind::Motor => self.here().motor = done,
                }
            }
            Event::TestsJudged {
                questions,
                lesion_here,
                leg_answers,
                advice,
            } => {
                self.here().judged = Some(TestsJudged {
                    questions: questions.clone(),
                    lesion_here: *lesion_here,
                    leg_answers: *leg_answers,
                    advice: advice.clone(),
                    needle_moves,
                });
            }
            Event::Anaesthetised { injected } => {
                self.give(injected);
                self.here().anaesthetic = Some(InjectionDone {
                    injected: injected.clone(),
                    end_s: t_s + super::timing::injection_s(injected.volume_ml),
                    pain_conducting: None,
                });
            }
            Event::Numbness { pain_conducting, .. } => {
                if let Some(done) = &mut self.here().anaesthetic {
                    done.pain_conducting = Some(*pain_conducting);
                }
            }
            Event::HeatingBegan {
                set_c,
                hold_s,
                ramp_s,
                program,
            } => {
                self.here().heated_at_s = Some(t_s);
                self.heating = Some(HeatingNow {
                    set_c: *set_c,
                    hold_s: *hold_s,
                    ramp_s: *ramp_s,
                    looks_s: Vec::new(),
                    curve: Vec::new(),
                    since_s: t_s,
                    program: program.as_deref().cloned(),
                    faults: std::mem::take(&mut self.faults),
                    pump_ml_per_min: self.pump_ml_per_min,
                    acts: Vec::new(),
                    interrupted: None,
                });
            }
            Event::Heating { shown } => {
                if let Some(heating) = &mut self.heating {
                    heating.curve.push(*shown);
                }
            }
            Event::HeatingSeen { t_s } => {
                if let Some(heating) = &mut self.heating {
                    heating.looks_s.push(*t_s);
                }
            }
            Event::PumpSet { ml_per_min } => {
                self.pump_ml_per_min = *ml_per_min;
                self.act(HeatingAct::Pump(*ml_per_min));
            }
            Event::FaultSet { fault } => {
                if self.heating.is_none() {
                    self.faults.push(*fault);
                }
                self.act(HeatingAct::Fault(*fault));
            }
            Event::Interrupted { resumable } => {
                if let Some(heating) = &mut self.heating {
                    heating.interrupted = Some(*resumable);
                }
            }
            Event::Resumed => {
                self.act(HeatingAct::Resume);
                if let Some(heating) = &mut self.heating {
                    heating.interrupted = None;
                }
            }
            Event::PatientMoved { by_mm } => {
                self.moved_s.push(t_s);
                if let Some(needle) = &mut self.needle {
                    *needle = super::movement::shifted(needle, *by_mm);
                    self.needle_moves += 1;
                    self.path.push((t_s, needle.tip_mm, self.target));
                }
            }
            Event::SkinSeen => self.skin_seen = true,
            Event::LesionMade { lesion } => {
                self.heating = None;
                self.skin_seen = false;
                let needle = self.needle.clone();
                let here = self.here();
                here.lesions.push((**lesion).clone());
                here.needles.extend(needle);
            }
            Event::Pain { from } => self.pain.push((t_s, from.clone())),
            Event::TargetChosen { index } => self.target = *index,
            Event::Finished {
                outcomes,
                source_probability,
            } => {
                self.outcomes = Some(outcomes.clone());
                self.source_probability = Some(*source_probability);
            }
            Event::Overridden { interlocks, reason } => {
                self.overridden
                    .extend(interlocks.iter().map(|i| (i.code.clone(), reason.clone())));
            }
            Event::Alarm { .. } | Event::Refused { .. } | Event::GeneratorTold { .. } => {}
        }
    }

    /// Whether a picture of this kind was taken, of any vertebra, since the needle was last moved.
    pub fn seen_since_moved(&self, kind: ViewKind) -> bool {
        self.shots.iter().any(|s| {
            s.target == self.target
                && s.needle_moves == Some(self.needle_moves)
                && s.arm.view.is_some_and(|v| ViewKind::of(v) == kind)
        })
    }

    /// Whether a picture of this kind was ever taken.
    pub fn seen(&self, kind: ViewKind) -> bool {
        self.shots
            .iter()
            .any(|s| s.arm.view.is_some_and(|v| ViewKind::of(v) == kind))
    }

    /// The tests' decision for the needle where it lies now.
    pub fn judged_here(&self) -> Option<&TestsJudged> {
        self.at_target()
            .judged
            .as_ref()
            .filter(|j| j.needle_moves == self.needle_moves)
    }

    /// The test of a kind with the needle where it lies now.
    pub fn tested_here(&self, kind: TestKind) -> Option<&TestDone> {
        let here = self.at_target();
        match kind {
            TestKind::Sensory => here.sensory.as_ref(),
            TestKind::Motor => here.motor.as_ref(),
        }
        .filter(|t| t.needle_moves == self.needle_moves)
    }

    /// Redirections over the whole procedure.
    pub fn redirects(&self) -> usize {
        self.targets.iter().map(|t| t.redirects).sum()
    }

    /// Contacts with bone over the whole procedure.
    pub fn bone_contacts(&self) -> usize {
        self.targets.iter().map(|t| t.bone_contacts).sum()
    }

    /// Warnings over the whole procedure.
    pub fn warnings(&self) -> Vec<String> {
        self.targets.iter().flat_map(|t| t.warnings.clone()).collect()
    }

    /// Whether the procedure is over.
    pub fn over(&self) -> bool {
        self.outcomes.is_some()
    }

    /// The lateral view of a side.
    pub fn lateral(side: Side) -> NamedView {
        match side {
            Side::Left => NamedView::LateralLeft,
            Side::Right => NamedView::LateralRight,
        }
    }
}
