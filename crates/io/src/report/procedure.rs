//! The report of a whole procedure, from the question whether it should be done to what it did.
//!
//! What it tells of stands in plain structs, all of them optional: a section without content says that nothing was recorded, so that a gap is
//! seen as one.

mod from_runs;
mod sections;

use super::document::{Check, Date, Document, KeyFigure, Moment, Picture, Status};
use crate::results::{ResultsError, SummaryRow};

/// A procedure, as its report tells of it. Lengths in millimetres, angles in degrees; texts must not name a patient.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProcedureForReport {
    /// Title of the report.
    pub title: String,
    /// Whose procedure, in words: the built-in patient or a CT without a name, the side and the levels.
    pub about: String,
    /// Name and version of the program.
    pub program: String,
    /// The day, when one is given.
    pub date: Option<Date>,
    /// The figures that matter most, for the first page.
    pub key_figures: Vec<KeyFigure>,
    /// Whether it should be done.
    pub eligibility: Option<Eligibility>,
    /// Where the needles were to lie.
    pub plan: Option<Plan>,
    /// Pictures taken.
    pub views: Option<Views>,
    /// Where the needles went, in order.
    pub placements: Vec<Placement>,
    /// Stimulation.
    pub tests: Option<Tests>,
    /// Local anaesthetic.
    pub anaesthetic: Option<Anaesthetic>,
    /// Lesions, in order.
    pub lesions: Vec<Lesion>,
    /// What became of the nerves.
    pub nerves: Vec<NerveFate>,
    /// Harm beside the target.
    pub harm: Vec<Harm>,
    /// What the patient may expect.
    pub outcome: Option<Expected>,
    /// The checklist of the procedure.
    pub checklist: Vec<Check>,
    /// How well it was done.
    pub score: Option<Score>,
    /// What would have come of other decisions.
    pub debrief: Vec<Counterfactual>,
    /// What happened when.
    pub log: Option<Log>,
    /// Values used that were not verified in their source: name and source.
    pub unverified: Vec<[String; 2]>,
    /// How to do it again.
    pub reproducibility: Option<Reproducibility>,
}

/// Whether the procedure should be done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Eligibility {
    /// What is advised.
    pub status: Status,
    /// The advice in words.
    pub advice: String,
    /// Criteria, whether each is met, and what they rest on.
    pub criteria: Vec<Check>,
    /// What is believed, with its uncertainty: name and value.
    pub beliefs: Vec<[String; 2]>,
}

/// Where the needles were to lie.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// A needle each.
    pub needles: Vec<PlannedLesion>,
    /// Radiographs with the plan drawn over them.
    pub pictures: Vec<Picture>,
    /// What else is to be said.
    pub remarks: Vec<String>,
}

/// A planned lesion.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlannedLesion {
    /// The nerve.
    pub nerve: String,
    /// The cannula, in words.
    pub cannula: String,
    /// Angle of the active tip to the nerve.
    pub to_nerve_deg: f64,
    /// Distance of the active tip from the nerve.
    pub from_nerve_mm: f64,
    /// Depth from the skin to the tip.
    pub depth_mm: f64,
    /// Temperature to be set, °C.
    pub set_temperature_c: f64,
    /// How long, s.
    pub heating_s: f64,
    /// Length of nerve expected to be destroyed: low, middle and high of the draws.
    pub destroyed_mm: Option<[f64; 3]>,
}

/// Pictures taken, and their dose.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Views {
    /// Each view, in order.
    pub taken: Vec<ViewTaken>,
    /// Time with the beam on, s.
    pub beam_s: f64,
    /// Air kerma at the reference point, mGy.
    pub air_kerma_mgy: f64,
    /// Kerma–area product, Gy·cm².
    pub kerma_area_gy_cm2: f64,
    /// Dose to the staff under the apron, µSv, when known.
    pub staff_usv: Option<f64>,
    /// Relative error of the doses, when stated.
    pub dose_error_relative: Option<f64>,
    /// Pictures that were kept.
    pub pictures: Vec<Picture>,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ViewTaken {
    /// What it was for.
    pub purpose: String,
    /// Rotation about the patient's long axis.
    pub orbital_deg: f64,
    /// Tilt to head or feet.
    pub tilt_deg: f64,
    /// Pulses.
    pub pulses: u32,
    /// Air kerma of it, mGy.
    pub air_kerma_mgy: f64,
    /// Whether it showed what it should.
    pub status: Status,
    /// What is to be said of it.
    pub remark: String,
}

/// How a needle was placed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Placement {
    /// The nerve.
    pub nerve: String,
    /// From the planned to the final tip.
    pub tip_error_mm: f64,
    /// From the active tip to the nerve.
    pub from_nerve_mm: f64,
    /// Angle of the active tip to the nerve.
    pub to_nerve_deg: f64,
    /// Times the needle was drawn back and sent anew.
    pub redirects: u32,
    /// Touches of bone.
    pub bone_contacts: u32,
    /// From skin to place, s.
    pub time_s: f64,
    /// What the hand felt and what was done.
    pub felt: Vec<Moment>,
    /// Its path, and where it lies.
    pub pictures: Vec<Picture>,
    /// How good the place is.
    pub status: Status,
}

/// Stimulation tests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tests {
    /// Each test.
    pub done: Vec<TestDone>,
    /// The card that decides: what was asked and whether it holds.
    pub card: Vec<Check>,
    /// Recruitment, traces.
    pub pictures: Vec<Picture>,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TestDone {
    /// The nerve under test.
    pub nerve: String,
    /// Sensory or motor, with its frequency.
    pub kind: String,
    /// Threshold, in [`TestDone::unit`]; nothing when there was no answer.
    pub threshold: Option<f64>,
    /// Thresholds of one in ten people, and that which nine in ten have or stay below, when known.
    pub threshold_range: Option<[f64; 2]>,
    /// Highest amplitude tried.
    pub highest: f64,
    /// Volts or milliamperes.
    pub unit: String,
    /// What the patient told, what twitched.
    pub answer: String,
    /// How it is to be taken.
    pub status: Status,
}

/// Local anaesthetic.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Anaesthetic {
    /// Each injection.
    pub given: Vec<Injection>,
    /// Dose of all, mg, and the most that may be given, mg.
    pub total_mg: f64,
    /// The most that may be given, mg, when known.
    pub most_mg: Option<f64>,
    /// Spread and block.
    pub pictures: Vec<Picture>,
    /// What else is to be said.
    pub remarks: Vec<String>,
}

/// An injection.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Injection {
    /// Where.
    pub place: String,
    /// What.
    pub agent: String,
    /// How much, ml.
    pub volume_ml: f64,
    /// Drug in it, mg.
    pub dose_mg: f64,
    /// Share of the fibres that carry pain which were blocked when the lesion began.
    pub blocked: Option<f64>,
    /// Until the block, s.
    pub onset_s: Option<f64>,
    /// How it is to be taken.
    pub status: Status,
}

/// A lesion.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lesion {
    /// The nerve.
    pub nerve: String,
    /// What the generator was set to, in words.
    pub setting: String,
    /// Figures with their errors; see [`crate::results::summarise`].
    pub figures: Vec<SummaryRow>,
    /// The generator's curves.
    pub curves: Option<Curves>,
    /// Alarms and what was done about them.
    pub alarms: Vec<Moment>,
    /// Sections with the nerve.
    pub pictures: Vec<Picture>,
}

/// The generator's curves, all of the length of `t_s`; curves may be empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Curves {
    /// Time, s, rising.
    pub t_s: Vec<f64>,
    /// Temperatures, °C, by name.
    pub temperatures_c: Vec<(String, Vec<f64>)>,
    /// Set temperature, °C; may end before the others.
    pub set_temperature_c: Vec<f64>,
    /// Power, W.
    pub power_w: Vec<f64>,
    /// Impedance, Ω.
    pub impedance_ohm: Vec<f64>,
    /// Voltage, V rms.
    pub voltage_v: Vec<f64>,
    /// Times with the current on, s.
    pub heated_s: Vec<[f64; 2]>,
    /// Alarms and deeds on the curves: time in s, how it is to be taken, a short name.
    pub events: Vec<(f64, Status, String)>,
}

/// What became of a nerve.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NerveFate {
    /// Its name.
    pub name: String,
    /// To be destroyed.
    pub target: bool,
    /// Length destroyed across the whole nerve.
    pub destroyed_mm: f64,
    /// Its error, when stated.
    pub destroyed_error_mm: Option<f64>,
    /// Share of its fibres that are cut.
    pub cut: Option<f64>,
    /// Highest temperature, °C.
    pub peak_c: f64,
    /// Months until fibres may have grown back, when known.
    pub regrowth_months: Option<[f64; 2]>,
    /// Whether this is as it should be.
    pub status: Status,
}

/// Harm beside the target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Harm {
    /// What.
    pub what: String,
    /// How much, with unit and error.
    pub value: String,
    /// From where on it matters, with unit.
    pub limit: String,
    /// How it is to be taken.
    pub status: Status,
    /// What it means.
    pub remark: String,
}

/// Relief over the months; shares of the pain before, all of the length of `months`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Expected {
    /// Months after the procedure.
    pub months: Vec<f64>,
    /// Mean.
    pub mean: Vec<f64>,
    /// Between these lies the middle half of people.
    pub half: [Vec<f64>; 2],
    /// Between these lie four of five.
    pub most: [Vec<f64>; 2],
    /// Share of people with at least half of their pain gone.
    pub half_relieved: Vec<f64>,
    /// Figures with their uncertainty.
    pub figures: Vec<SummaryRow>,
    /// What was assumed, and what is not known.
    pub remarks: Vec<String>,
}

/// A score.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Score {
    /// Points won, and points that could be won.
    pub points: [f64; 2],
    /// Whether it is enough.
    pub status: Status,
    /// Parts: name, points won, points that could be won, why.
    pub parts: Vec<(String, f64, f64, String)>,
}

/// What would have come of another decision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counterfactual {
    /// The other decision.
    pub instead: String,
    /// What came of the one taken, with unit.
    pub was: String,
    /// What would have come of the other, with unit and error.
    pub would_be: String,
    /// Better, worse, or the same.
    pub status: Status,
    /// What is to be learnt from it.
    pub lesson: String,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Log {
    /// Events, in order.
    pub events: Vec<Moment>,
    /// Hash that stands for the whole log; each entry holds the one before.
    pub head: String,
}

/// How to do it again.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reproducibility {
    /// The scenario as text.
    pub scenario: String,
    /// Its seed.
    pub seed: Option<u64>,
    /// Names and versions: program, catalogue, formats.
    pub versions: Vec<[String; 2]>,
    /// Names and hashes of what went in and came out.
    pub hashes: Vec<[String; 2]>,
    /// The command that does it again.
    pub command: String,
}

impl ProcedureForReport {
    /// The report, to be written as HTML and as PDF.
    ///
    /// # Errors
    /// [`ResultsError::Picture`] when a chart cannot be drawn.
    pub fn report(&self) -> Result<Document, ResultsError> {
        sections::report(self)
    }
}
