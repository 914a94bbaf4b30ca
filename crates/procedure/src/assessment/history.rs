//! The history of a patient, as a file holds it. No name, no date: nothing that tells who it is.

use serde::{Deserialize, Serialize};

use crate::{outcome::Block, planning::Joint};

/// A history. What is left out is not known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct History {
    /// A title of your choice; no names.
    pub title: String,
    /// The patient.
    pub patient: Patient,
    /// The pain.
    pub pain: Pain,
    /// What was tried.
    pub conservative: Conservative,
    /// Diagnostic blocks, in the order in which they were done.
    #[serde(rename = "block")]
    pub blocks: Vec<DiagnosticBlock>,
    /// Signs that something else must be looked for first; an empty list says that none was found.
    pub red_flags: Option<Vec<RedFlag>>,
    /// What speaks against a lesion.
    pub contraindications: Contraindications,
    /// A former neurotomy of the same joint.
    pub former: Option<Former>,
}

/// The patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patient {
    /// Age, years.
    pub age_years: Option<f64>,
    /// Whether risks and the chance of no relief were talked over.
    pub informed: Option<bool>,
}

/// The pain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pain {
    /// How long, weeks.
    pub duration_weeks: Option<f64>,
    /// How strong on average, 0 to 10.
    pub intensity_points: Option<f64>,
    /// Where.
    pub place: Option<Where>,
    /// The joint that is suspected, such as `L4-L5`.
    pub joint: Option<String>,
}

/// Where pain is felt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// In the back.
    Axial,
    /// In the back and, dull, in buttock or thigh.
    AxialWithReferral,
    /// Down the leg in the field of a root.
    Radicular,
}

/// What was tried before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conservative {
    /// For how long, weeks.
    pub duration_weeks: Option<f64>,
    /// What: words of your choice, such as `exercise`.
    pub treatments: Vec<String>,
    /// Whether it helped enough.
    pub sufficient: Option<bool>,
}

/// Kinds of diagnostic block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Of the two nerves of the joint.
    MedialBranch,
    /// Into the joint.
    IntraArticular,
}

/// A diagnostic block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiagnosticBlock {
    /// What was blocked.
    pub kind: BlockKind,
    /// Which joint, such as `L4-L5`.
    pub joint: String,
    /// Relief of the usual pain, percent.
    pub relief_percent: f64,
    /// With what, such as `lidocaine`.
    #[serde(default)]
    pub drug: String,
    /// Whether it lasted as long as the drug acts.
    #[serde(default)]
    pub as_long_as_the_drug: Option<bool>,
}

/// Signs that something else must be looked for first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedFlag {
    /// Cancer, now or before.
    Cancer,
    /// Loss of weight without a reason.
    WeightLoss,
    /// Fever or chills.
    Fever,
    /// A recent fall or blow, or a fracture.
    Trauma,
    /// Numb saddle, or bladder or bowel out of control.
    CaudaEquina,
    /// Weakness that grows.
    GrowingWeakness,
    /// Pain at rest and at night that nothing eases.
    NightPain,
}

/// Infections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Infection {
    /// None.
    None,
    /// Where the needle would pass.
    AtTheSite,
    /// In the blood or elsewhere in the body.
    Systemic,
}

/// Drugs against clotting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anticoagulant {
    /// None.
    None,
    /// Aspirin or another that acts on platelets.
    Antiplatelet,
    /// Warfarin and its like.
    VitaminKAntagonist,
    /// A direct oral anticoagulant.
    Direct,
    /// Heparin.
    Heparin,
}

/// What a patient does not bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allergy {
    /// Local anaesthetic.
    LocalAnaesthetic,
    /// Contrast medium.
    Contrast,
    /// Skin disinfectant.
    Disinfectant,
    /// Latex.
    Latex,
    /// Steel or nickel.
    Metal,
}

/// What is implanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Implant {
    /// Pacemaker.
    Pacemaker,
    /// Implanted defibrillator.
    Defibrillator,
    /// Stimulator of cord or nerve.
    Stimulator,
    /// Pump.
    Pump,
    /// Screws or rods at the level treated.
    SpinalMetal,
}

/// What speaks against a lesion. Lists: an empty one says that there is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contraindications {
    /// Infection.
    pub infection: Option<Infection>,
    /// Drugs against clotting.
    pub anticoagulant: Option<Anticoagulant>,
    /// A disorder of clotting.
    pub coagulopathy: Option<bool>,
    /// International normalised ratio.
    pub inr_ratio: Option<f64>,
    /// Platelets, thousands in a microlitre.
    pub platelets_count: Option<f64>,
    /// Pregnancy: X-rays.
    pub pregnancy: Option<bool>,
    /// Allergies.
    pub allergies: Option<Vec<Allergy>>,
    /// Implants.
    pub implants: Option<Vec<Implant>>,
}

/// A former neurotomy of the same joint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Former {
    /// How long ago, months.
    pub months_ago: f64,
    /// Best relief, percent.
    pub relief_percent: f64,
    /// How long it lasted, months.
    pub relief_months: f64,
}

impl RedFlag {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Cancer => "cancer",
            Self::WeightLoss => "loss of weight",
            Self::Fever => "fever",
            Self::Trauma => "trauma",
            Self::CaudaEquina => "signs of the cauda equina",
            Self::GrowingWeakness => "growing weakness",
            Self::NightPain => "pain at night",
        }
    }
}

impl Infection {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::AtTheSite => "infection at the site",
            Self::Systemic => "systemic infection",
        }
    }
}

impl Anticoagulant {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Antiplatelet => "antiplatelet drug",
            Self::VitaminKAntagonist => "vitamin K antagonist",
            Self::Direct => "direct oral anticoagulant",
            Self::Heparin => "heparin",
        }
    }
}

impl Allergy {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::LocalAnaesthetic => "local anaesthetic",
            Self::Contrast => "contrast medium",
            Self::Disinfectant => "disinfectant",
            Self::Latex => "latex",
            Self::Metal => "metal",
        }
    }
}

impl Implant {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Pacemaker => "pacemaker",
            Self::Defibrillator => "defibrillator",
            Self::Stimulator => "stimulator",
            Self::Pump => "pump",
            Self::SpinalMetal => "metal in the spine",
        }
    }
}

impl History {
    /// What is wrong with its numbers: the key, what was found, what was expected.
    pub fn faults(&self) -> Vec<(String, String, &'static str)> {
        let mut all = vec![];
        let mut within = |key: String, value: Option<f64>, low: f64, high: f64, expected: &'static str| {
            if let Some(v) = value
                && !(low..=high).contains(&v)
            {
                all.push((key, v.to_string(), expected));
            }
        };
        within(
            "patient.age_years".into(),
            self.patient.age_years,
            0.0,
            120.0,
            "0 to 120 years",
        );
        within(
            "pain.duration_weeks".into(),
            self.pain.duration_weeks,
            0.0,
            5200.0,
            "0 to 5200 weeks",
        );
        within(
            "pain.intensity_points".into(),
            self.pain.intensity_points,
            0.0,
            10.0,
            "0 to 10 points",
        );
        let weeks = self.conservative.duration_weeks;
        within(
            "conservative.duration_weeks".into(),
            weeks,
            0.0,
            5200.0,
            "0 to 5200 weeks",
        );
        for (i, b) in self.blocks.iter().enumerate() {
            let relief = Some(b.relief_percent);
            within(format!("block[{i}].relief_percent"), relief, 0.0, 100.0, "0 to 100 %");
        }
        let c = &self.contraindications;
        within(
            "contraindications.inr_ratio".into(),
            c.inr_ratio,
            0.5,
            20.0,
            "0.5 to 20",
        );
        let platelets = c.platelets_count;
        within(
            "contraindications.platelets_count".into(),
            platelets,
            0.0,
            3000.0,
            "0 to 3000 thousands in a microlitre",
        );
        if let Some(f) = &self.former {
            within(
                "former.months_ago".into(),
                Some(f.months_ago),
                0.0,
                600.0,
                "0 to 600 months",
            );
            within(
                "former.relief_percent".into(),
                Some(f.relief_percent),
                0.0,
                100.0,
                "0 to 100 %",
            );
            within(
                "former.relief_months".into(),
                Some(f.relief_months),
                0.0,
                600.0,
                "0 to 600 months",
            );
        }
        let joints = (self
            .pain
            .joint
            .as_ref()
            .map(|j| ("pain.joint".to_owned(), j))
            .into_iter())
        .chain(
            self.blocks
                .iter()
                .enumerate()
                .map(|(i, b)| (format!("block[{i}].joint"), &b.joint)),
        );
        for (key, joint) in joints {
            if joint.parse::<Joint>().is_err() {
                all.push((key, format!("\"{joint}\""), "two neighbouring vertebrae such as L4-L5"));
            }
        }
        all
    }

    /// Blocks of the joint of the pain; all of them where no joint is named.
    pub fn blocks_of_the_joint(&self) -> Vec<&DiagnosticBlock> {
        let joint = self.pain.joint.as_ref().and_then(|j| j.parse::<Joint>().ok());
        let same = |b: &&DiagnosticBlock| joint.is_none_or(|j| b.joint.parse::<Joint>().is_ok_and(|k| k == j));
        self.blocks.iter().filter(same).collect()
    }

    /// Their answers, for the model of outcome.
    pub fn answers(&self) -> Vec<Block> {
        let answer = |b: &&DiagnosticBlock| Block {
            relief_percent: b.relief_percent,
        };
        self.blocks_of_the_joint().iter().map(answer).collect()
    }
}
