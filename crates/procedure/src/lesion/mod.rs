//! The radiofrequency lesion: current, heat and injury coupled under the generator.

mod drive;
mod heating;
mod injury;
mod measure;
mod problem;
mod result;
mod run;
mod setup;
mod solve;

pub use heating::{Heating, Reading};
pub use problem::{
    Bend, Blood, Bolus, Control, Domain, DomainShape, Drive, Injectate, LesionProblem, Limits, Metal, NamedLaw, Needle,
    NerveCurve, Perfusion, Probe, ShareField, SolverSettings,
};
pub use result::{
    Contour, Contours, Curves, ErrorEstimate, Evidence, FieldSample, FieldSampler, LesionResult, NerveInjury, Snapshot,
    TissueInjury,
};
pub use solve::{LesionError, Progress, solve};
