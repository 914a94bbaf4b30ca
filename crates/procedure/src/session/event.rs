//! What happens: everything that a state may be made of. Events hold results, so that a record is read again without computing.

use serde::{Deserialize, Serialize};

use super::command::{Preparation, Sedation, TestKind};
use crate::{
    anatomy::Level,
    fluoroscopy::{Dose, NamedView},
    generator::{Program, faults::Fault},
    lesion::Contours,
    nerve_death::NerveCut,
    outcome::{Harm, Outcome},
    planning::{Target, pose::Pose},
};

/// A judged criterion of the assessment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    /// The criterion.
    pub criterion: String,
    /// `met`, `plan`, `missing`, `not_yet` or `against`.
    pub state: String,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// What to do; empty where it is met.
    pub advice: String,
}

/// A needle as planned for a nerve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedNeedle {
    /// The nerve.
    pub target: Target,
    /// The nerve in words.
    pub nerve: String,
    /// Where it is met.
    pub place: String,
    /// The cannula.
    pub cannula: String,
    /// Where it is to lie.
    pub pose: Pose,
    /// Where its axis meets the skin, mm.
    pub entry_mm: [f64; 3],
    /// From there to the tip, mm.
    pub depth_mm: f64,
    /// Between needle and nerve, degrees.
    pub to_nerve_deg: f64,
    /// Probability that enough of the nerve is destroyed.
    pub probability: f64,
    /// Between lesion and the nearest nerve to be spared, mm.
    pub spared_mm: Option<f64>,
    /// Share of the draws in which the lesion touches a nerve to be spared.
    #[serde(default)]
    pub harm: f64,
    /// Where no placement keeps the limits of harm: how far this one, which harms least, goes beyond them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond: Option<String>,
}

/// What is felt at the hub, or told by the patient, while a needle moves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Felt {
    /// How deep the tip was, mm below the skin.
    pub depth_mm: f64,
    /// What, in words.
    pub what: String,
    /// Whether it is a warning: a nerve, a vessel, the canal.
    pub warning: bool,
    /// Whether it is bone, which stops the needle.
    #[serde(default)]
    pub bone: bool,
}

/// One answer to a test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The nerve that makes it.
    pub nerve: String,
    /// What is told or seen.
    pub answer: String,
    /// Where.
    pub place: String,
    /// At which amplitude, V.
    pub amplitude_v: f64,
    /// In the leg.
    pub leg: bool,
    /// By the nerve aimed at.
    pub target: bool,
}

/// A line of the tests' decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What is asked.
    pub question: String,
    /// `yes`, `doubtful` or `no`.
    pub finding: String,
    /// What speaks for it.
    pub evidence: String,
}

/// What flows into a patient.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Injected {
    /// The agent.
    pub agent: String,
    /// Its concentration, g in 100 ml; none of a fluid without a drug.
    pub percent: Option<f64>,
    /// Volume, ml.
    pub volume_ml: f64,
    /// Drug, mg.
    pub drug_mg: f64,
    /// The largest dose for this body, mg.
    pub max_mg: Option<f64>,
    /// Where it leaves the needle, mm.
    pub tip_mm: [f64; 3],
}

/// What the generator shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Since the start of this lesion, s.
    pub t_s: f64,
    /// Set temperature, °C.
    pub set_c: f64,
    /// Thermocouple, °C.
    pub temperature_c: f64,
    /// Impedance, Ω.
    pub impedance_ohm: f64,
    /// Voltage, V rms.
    pub voltage_v: f64,
    /// Current, A rms.
    pub current_a: f64,
    /// Power, W.
    pub power_w: f64,
}

/// A lesion when the tissue has cooled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lesion {
    /// Set temperature, °C, the last one of several; of a program that holds none the highest that was shown.
    pub set_c: f64,
    /// What the generator did, where it did not hold one temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<Box<Program>>,
    /// Seconds with the current on.
    pub heated_s: f64,
    /// Seconds of these at the set temperature.
    pub held_s: f64,
    /// Whether the generator came to the end of its program.
    pub complete: bool,
    /// Contours at the end.
    pub contours: Contours,
    /// Length of the target destroyed across, mm.
    pub destroyed_mm: f64,
    /// Hottest tissue, °C.
    pub hottest_c: f64,
    /// Every nerve near, by each law of injury.
    pub nerves: Vec<NerveCut>,
    /// What else was destroyed.
    pub harm: Harm,
    /// What the generator showed, each second.
    pub curve: Vec<Shown>,
}

/// An interlock that stands against a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interlock {
    /// Its short name, as in scripts and checklists.
    pub code: String,
    /// What is wrong and what to do.
    pub text: String,
}

/// What comes after, by one law of injury.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutcomeByLaw {
    /// The law.
    pub law: String,
    /// Whether what the law tells of came back.
    pub reversible: bool,
    /// What a population feels.
    pub outcome: Outcome,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The history was judged.
    Assessed {
        /// In words.
        verdict: String,
        /// Whether nothing stands against the procedure.
        eligible: bool,
        /// Every criterion.
        criteria: Vec<Criterion>,
    },
    /// The needles are planned.
    Planned {
        /// For each nerve, in the order of treatment.
        needles: Vec<PlannedNeedle>,
    },
    /// Something is ready.
    Prepared {
        /// What.
        item: Preparation,
    },
    /// The patient is more or less awake.
    Sedated {
        /// How.
        level: Sedation,
    },
    /// The C-arm stands elsewhere.
    ArmMoved {
        /// Orbital angle, degrees.
        orbital_deg: f64,
        /// Cranio-caudal angle, degrees.
        tilt_deg: f64,
        /// What lies in the isocentre, mm.
        target_mm: [f64; 3],
        /// The named view.
        view: Option<NamedView>,
        /// Of which vertebra.
        level: Option<Level>,
    },
    /// X-rays.
    Exposed {
        /// Dose.
        dose: Dose,
    },
    /// The skin is marked.
    Marked {
        /// Where, mm.
        entry_mm: [f64; 3],
        /// How far from the planned place, mm.
        off_plan_mm: Option<f64>,
    },
    /// The skin is numb.
    SkinNumbed {
        /// With what.
        injected: Injected,
    },
    /// A needle is through the skin, or moved.
    NeedleMoved {
        /// The needle now.
        needle: super::needle::NeedleNow,
    },
    /// Something was felt.
    NeedleFelt {
        /// What.
        felt: Felt,
    },
    /// The needle is out.
    NeedleRemoved,
    /// The impedance was measured.
    ImpedanceRead {
        /// Ω.
        ohm: f64,
        /// What such a cannula shows, Ω.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usual_ohm: Option<f64>,
    },
    /// A test was made.
    Tested {
        /// Which.
        kind: TestKind,
        /// Up to how many volts.
        up_to_v: f64,
        /// What was told or seen, weakest first.
        answers: Vec<Answered>,
        /// Tested while an anaesthetic was in the tissue.
        numb: bool,
    },
    /// Both tests are made: what follows.
    TestsJudged {
        /// Near the pain nerve, away from those of the leg.
        questions: Vec<Judged>,
        /// Whether all three are answered with yes.
        lesion_here: bool,
        /// Whether one of the leg's nerves answers.
        leg_answers: bool,
        /// What to do.
        advice: String,
    },
    /// A fluid was injected through the needle.
    Anaesthetised {
        /// What.
        injected: Injected,
    },
    /// How numb the target is.
    Numbness {
        /// Seconds since the injection ended.
        since_s: f64,
        /// Share of the thin fibres of pain (Aδ and C) of the target that still conduct.
        pain_conducting: f64,
    },
    /// A lesion has begun.
    HeatingBegan {
        /// Set temperature, °C.
        set_c: f64,
        /// Seconds at the set temperature.
        hold_s: f64,
        /// Ramp, s.
        ramp_s: f64,
        /// What the generator does, where it is not that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<Box<Program>>,
    },
    /// The pump of the coolant runs or stands.
    PumpSet {
        /// Flow, ml/min; zero: it stands.
        ml_per_min: f64,
    },
    /// A fault will happen, or happens.
    FaultSet {
        /// Which; its onset counts from the start of the lesion.
        fault: Fault,
    },
    /// The generator tells something that is no alarm.
    GeneratorTold {
        /// Its text.
        text: String,
    },
    /// The lesion is interrupted: the generator waits for the operator.
    Interrupted {
        /// Whether it may be resumed now.
        resumable: bool,
    },
    /// It goes on.
    Resumed,
    /// The lesion goes on.
    Heating {
        /// What the generator shows.
        shown: Shown,
    },
    /// The operator looks up while the lesion goes on.
    HeatingSeen {
        /// Since the start of this lesion, s: a record is computed again by the same looks.
        t_s: f64,
    },
    /// The generator raised an alarm.
    Alarm {
        /// Its text.
        text: String,
    },
    /// The lesion is made and the tissue has cooled.
    LesionMade {
        /// It.
        lesion: Box<Lesion>,
    },
    /// The patient is in pain.
    Pain {
        /// From what.
        from: String,
    },
    /// The patient moved: the needle is no longer where it was.
    PatientMoved {
        /// By how much, mm.
        by_mm: [f64; 3],
    },
    /// Another nerve is aimed at.
    TargetChosen {
        /// By its number in the plan, from 0.
        index: usize,
    },
    /// The skin at the entry and under the pad was looked at.
    SkinSeen,
    /// The procedure is over.
    Finished {
        /// What comes after, by each law of injury.
        outcomes: Vec<OutcomeByLaw>,
        /// Probability that the joint is the source of the pain.
        source_probability: f64,
    },
    /// Interlocks stood against the command, which was not carried out.
    Refused {
        /// They.
        interlocks: Vec<Interlock>,
    },
    /// Interlocks were overridden.
    Overridden {
        /// They.
        interlocks: Vec<Interlock>,
        /// Why.
        reason: String,
    },
}
