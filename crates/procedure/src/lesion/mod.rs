//! The radiofrequency lesion: current, heat and injury coupled under the generator.

mod coolant;
mod drive;
mod estimate;
mod heating;
mod injury;
mod measure;
mod pad;
mod problem;
mod result;
mod run;
mod setup;
mod solve;

pub use heating::{Heating, Reading};
pub use pad::{PAD_RIM_MM, Pad, PadHeating};
pub use problem::{
    Bend, Blood, Bolus, Contact, Control, Coolant, Domain, DomainShape, Drive, Injectate, LesionProblem, Limits, Metal,
    NamedLaw, Needle, NerveCurve, Perfusion, Probe, ShareField, SolverSettings, Tine,
};
pub use result::{
    Contour, Contours, Curves, ErrorEstimate, Evidence, FieldSample, FieldSampler, LesionResult, NerveInjury, Snapshot,
    TissueInjury,
};
pub use setup::needle_axis;
pub use solve::{LesionError, Progress, solve};
