//! The radiofrequency lesion: current, heat and injury coupled under the generator.

mod coupled;
mod measure;
mod problem;
mod result;
mod setup;
mod solve;

pub use problem::{
    Bend, Blood, Contact, Coolant, Domain, DomainShape, Drive, LesionProblem, Limits, Metal, Needle, NerveCurve,
    Perfusion, Probe, SolverSettings, Tine,
};
pub use result::{
    Contour, Contours, Curves, ErrorEstimate, Evidence, FieldSample, FieldSampler, LesionResult, NerveInjury, Snapshot,
};
pub use setup::needle_axis;
pub use solve::{LesionError, Progress, solve};
