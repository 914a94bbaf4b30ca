//! Pictures and the report of a run.

mod canvas;
mod charts;
mod contour;
mod debrief_view;
pub mod document;
mod fibre;
mod injection_views;
mod outcome_views;
mod page;
mod plan_views;
pub mod plot;
pub mod procedure;
mod section;
pub mod sheet;
mod slices;
mod spine_views;
pub mod stimulation;
pub mod style;
mod view3d;

use neurotome_base::Vec3;

use crate::results::{
    Made, ResultsError, RunForReport, files,
    lattice::{Fields, Lattice, Probe, Survey},
    needle_shape::NeedleShape,
    surface::{Mesh, isosurface},
};
use style::TissueStyle;

pub use debrief_view::debrief_bars;
pub use fibre::{fibre_potentials, fibre_thresholds};
pub use injection_views::{block_curves, injection_sections};
pub use outcome_views::{nerve_strips, relief_curves};
pub(crate) use page::report;
pub use plan_views::{FIELD_MM as PLAN_FIELD_MM, PlannedNeedle, SIDE_PX as PLAN_SIDE_PX, plan_views};
pub(crate) use spine_views::anatomy;

/// Name of the report.
pub(crate) const FILE: &str = "report.html";
/// The same on paper.
pub(crate) const PDF: &str = "report.pdf";
/// Names of the pictures.
pub(crate) const PICTURES: [&str; 4] = ["slices.png", "view3d.png", "tissues.png", "curves.png"];
/// Distance between the points of a nerve as it is drawn and written, mm.
const NERVE_STEP_MM: f64 = 0.25;
/// Most points of a nerve as it is drawn.
const NERVE_POINTS: f64 = 20_000.0;

/// A nerve with points close together.
pub(crate) struct Nerve<'a> {
    pub name: &'a str,
    pub points: Vec<Vec3>,
    pub diameter_mm: f64,
    pub target: bool,
}

/// A run with what all pictures and files share.
pub(crate) struct Scene<'a> {
    pub run: &'a RunForReport<'a>,
    pub needles: Vec<NeedleShape>,
    pub nerves: Vec<Nerve<'a>>,
    /// The middle of the active tip; between the tips when there are several needles.
    pub focus: Vec3,
    pub survey: Survey,
    /// The regular grid round the lesion and the fields on it.
    pub lattice: Lattice,
    pub fields: Fields,
    /// The surface Ω = 1; empty without a lesion.
    pub lesion: Mesh,
    styles: Vec<TissueStyle>,
}

impl<'a> Scene<'a> {
    /// Samples what pictures and files share. The run has been checked: at least one needle, two points a nerve.
    pub fn new(run: &'a RunForReport<'a>) -> Self {
        let problem = run.problem;
        let needles: Vec<NeedleShape> = NeedleShape::all(&problem.needles);
        let focus = needles.iter().map(NeedleShape::active_middle).sum::<Vec3>() / needles.len() as f64;
        let nerves = problem
            .nerves
            .iter()
            .map(|n| Nerve {
                name: &n.name,
                points: densified(&n.points.iter().map(neurotome_base::Point::vec).collect::<Vec<_>>()),
                diameter_mm: n.diameter_mm.clamp(0.1, 20.0),
                target: n.target,
            })
            .collect();
        let styles = problem
            .tissue_names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                run.tissue_styles
                    .map_or_else(|| TissueStyle::for_name(name, i), |s| s[i])
            })
            .collect();
        let survey = Survey::new(&Probe::new(problem, run.result.fields.as_ref()), &needles);
        let mut scene = Self {
            run,
            needles,
            nerves,
            focus,
            survey,
            lattice: Lattice::around(&focus, &focus, files::FIELD_SPACING_MM),
            fields: Fields::default(),
            lesion: Mesh::default(),
            styles,
        };
        (scene.lattice, scene.fields) = files::sampled(&scene);
        scene.lesion = isosurface(&scene.lattice, &scene.fields.log10_omega, 0.0);
        scene
    }

    /// Reads the final fields.
    pub fn probe(&self) -> Probe<'_> {
        Probe::new(self.run.problem, self.run.result.fields.as_ref())
    }

    /// How a tissue is shown.
    pub fn style(&self, tissue: usize) -> TissueStyle {
        self.styles.get(tissue).copied().unwrap_or(TissueStyle {
            rgb: [255, 0, 255],
            bone: false,
        })
    }

    /// A tissue's name.
    pub fn tissue_name(&self, tissue: usize) -> String {
        let name = self.run.problem.tissue_names.get(tissue);
        name.map_or_else(|| format!("tissue {tissue}, not in the table"), |n| n.replace('_', " "))
    }
}

/// The same polyline with points at most [`NERVE_STEP_MM`] apart.
fn densified(points: &[Vec3]) -> Vec<Vec3> {
    let length: f64 = points.windows(2).map(|w| (w[1] - w[0]).norm()).sum();
    let step = NERVE_STEP_MM.max(length / NERVE_POINTS);
    let mut out = vec![points[0]];
    for w in points.windows(2) {
        let pieces = ((w[1] - w[0]).norm() / step).ceil().max(1.0) as usize;
        out.extend((1..=pieces).map(|i| w[0] + (w[1] - w[0]) * (i as f64 / pieces as f64)));
    }
    out
}

/// The lesion in four planes.
pub(crate) fn lesion_slices(scene: &Scene<'_>) -> Result<Made, ResultsError> {
    Ok(Made {
        name: PICTURES[0],
        what: "isotherms, destroyed tissue, needle and nerves in four planes",
        bytes: slices::lesion_slices(scene)?,
    })
}

/// Two views in three dimensions.
pub(crate) fn views(scene: &Scene<'_>) -> Result<Made, ResultsError> {
    Ok(Made {
        name: PICTURES[1],
        what: "bone, needle, nerves and destroyed tissue in three dimensions",
        bytes: view3d::views(scene)?,
    })
}

/// The tissue map.
pub(crate) fn tissue_map(scene: &Scene<'_>) -> Result<Made, ResultsError> {
    Ok(Made {
        name: PICTURES[2],
        what: "the tissues that the lesion was computed with",
        bytes: slices::tissue_map(scene)?,
    })
}

/// The generator's curves.
pub(crate) fn curves(scene: &Scene<'_>) -> Result<Made, ResultsError> {
    Ok(Made {
        name: PICTURES[3],
        what: "temperature, power, impedance, voltage and current against time",
        bytes: charts::curves(scene)?,
    })
}

/// Text with the characters that mean something in XML and HTML replaced; control characters are dropped.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}
