//! The radiofrequency lesion: current, heat and injury coupled under the generator.

mod coupled;
mod measure;
mod problem;
mod result;
mod setup;
mod solve;

pub use problem::{
    Bend, Blood, Domain, DomainShape, Drive, LesionProblem, Limits, Metal, Needle, NerveCurve, Perfusion, Probe,
    SolverSettings,
};
pub use result::{
    Contour, Contours, Curves, ErrorEstimate, Evidence, FieldSample, FieldSampler, LesionResult, NerveInjury, Snapshot,
};
pub use solve::{LesionError, Progress, solve};
