//! The radiofrequency lesion: current, heat and injury coupled under the generator.

pub(crate) mod coolant;
mod drive;
mod estimate;
mod heating;
mod injury;
mod leak;
mod measure;
mod pad;
mod problem;
mod pulse;
mod result;
mod run;
mod setup;
mod skin;
mod solve;

pub(crate) use heating::not_converged;
pub use heating::{Heating, PointWeights, Reading};
pub use leak::Leak;
pub use pad::{PAD_RIM_MM, Pad, PadHeating};
pub use problem::{
    Bend, Bevel, Blood, Bolus, Contact, Control, Coolant, Domain, DomainShape, Drive, Electrode, Injectate,
    InsulationDefect, LesionProblem, Limits, Metal, NamedLaw, Needle, NerveCurve, Perfusion, Probe, ShareField,
    SolverSettings, Tine,
};
pub use pulse::PulseFigures;
pub use result::{
    Contour, Contours, Curves, ErrorEstimate, Evidence, FieldSample, FieldSampler, LesionResult, NerveInjury, Snapshot,
    TissueInjury,
};
pub use run::LesionRun;
pub(crate) use setup::{Setup, needle_axis};
pub use setup::{end_length_mm, fitted_needles};
pub use skin::SkinEntry;
pub use solve::{LesionError, Progress, solve, solve_watched};
