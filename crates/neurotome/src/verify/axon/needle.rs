//! Fibres in the field of a needle: test stimulation.

use neurotome_io::{
    catalog,
    scenario::{self, Source},
};
use neurotome_procedure::{
    catalog::{Catalog, FibreKind},
    lesion::LesionProblem,
    stimulation::{
        Answer, Circuit, Conductivities, Examination, Output, Pathway, Recruitment, TestPulse, TypicalThreshold,
        at_stimulation, notice,
    },
};

use crate::verify::Report;

const OWN: &str = "the program's own, on finer cells";
const LAW: &str = "Ohm's law: potentials at a given current fall as conductivity rises";
const PLACE: &str = "a turn of space changes nothing";

/// A pulse of the motor test.
fn pulse(output: Output) -> TestPulse {
    TestPulse {
        output,
        width_ms: 1.0,
        biphasic: false,
        rate_hz: 2.0,
    }
}

/// A problem with the conductivities of stimulation and its nerves.
struct Place {
    catalog: Catalog,
    problem: LesionProblem,
    pathways: Vec<Pathway>,
}

impl Place {
    fn new(source: &Source) -> Result<Self, String> {
        let catalog = catalog::built_in().map_err(|e| e.to_string())?;
        let loaded = scenario::load(source, &catalog).map_err(|e| e.to_string())?;
        let (problem, _) = at_stimulation(&loaded.problem, &catalog, Conductivities::OneKilohertz);
        let nerves = &problem.nerves;
        let pathways = match &loaded.patient {
            Some(patient) => {
                let target = nerves.iter().find(|n| n.target).map(|n| n.name.as_str());
                Pathway::of_patient(&**patient, target)
            }
            None => Pathway::of_curves(nerves),
        };
        Ok(Self {
            catalog,
            problem,
            pathways,
        })
    }

    /// The built-in patient.
    fn built_in() -> Result<Self, String> {
        Self::new(&Source::built_in())
    }

    /// One tissue and a straight nerve beside the needle, so far from its axis (mm); `turned` about an axis that is none of the grid's.
    fn beside(distance_mm: f64, turned: bool) -> Result<Self, String> {
        // A rotation with rational entries.
        let to = |p: [f64; 3]| {
            if turned {
                let rows = [[2.0, -1.0, 2.0], [2.0, 2.0, -1.0], [-1.0, 2.0, 2.0]];
                rows.map(|r| (0..3).map(|k| r[k] * p[k]).sum::<f64>() / 3.0)
            } else {
                p
            }
        };
        let list = |p: [f64; 3]| {
            let [x, y, z] = to(p);
            format!("[{x:.12}, {y:.12}, {z:.12}]")
        };
        let points: Vec<String> = (-6..=6).map(|k| list([distance_mm, 5.0 * f64::from(k), 5.0])).collect();
        let text = format!(
            "[phantom]\nbackground = \"ligament\"\n[domain]\nshape = \"sphere\"\ncenter_mm = [0, 0, 0]\nradius_mm = 60\n[[needles]]\ncannula = \"20G-10mm-straight\"\n\
             tip_mm = {}\ndirection = {}\n[drive]\nmode = \"temperature\"\nset_temperature_c = 80\nhold_s = 10\n[[nerves]]\nname = \"nerve\"\n\
             points_mm = [{}]\ndiameter_mm = 1.0\ntarget = true\n",
            list([0.0, 0.0, 0.0]),
            list([0.0, 0.0, -1.0]),
            points.join(", "),
        );
        Self::new(&Source {
            name: "nerve.toml".to_owned(),
            text,
            folder: std::path::PathBuf::new(),
        })
    }

    /// How all nerves within reach answer a pulse of constant voltage.
    fn answers(&self) -> Result<Vec<Recruitment>, String> {
        Examination::new(&self.problem, &self.pathways, &self.catalog)
            .and_then(|e| e.answers(&pulse(Output::Voltage), None))
            .map_err(|e| e.to_string())
    }

    fn typical(&self, output: Output, class: FibreKind) -> Result<Vec<TypicalThreshold>, String> {
        let nerves: Vec<&Pathway> = self.pathways.iter().collect();
        Examination::new(&self.problem, &self.pathways, &self.catalog)
            .and_then(|e| e.typical(&nerves, &pulse(output), class))
            .map_err(|e| e.to_string())
    }

    /// The threshold of the typical fibre in the nearest nerve.
    fn nearest(&self, output: Output, class: FibreKind) -> Result<f64, String> {
        let all = self.typical(output, class)?;
        all.first()
            .and_then(|t| t.amplitude)
            .ok_or_else(|| "no threshold within the generator's limit".to_owned())
    }
}

/// Usual cells against finer ones, in the built-in patient: the target and the nearest nerve of the leg.
pub fn finer_cells(report: &mut Report) {
    let claim =
        "thresholds in V beside the needle in the built-in patient on usual cells, deviation from cells of 0.6, %";
    let found = || -> Result<Vec<(String, f64)>, String> {
        let mut place = Place::built_in()?;
        let usual = place.typical(Output::Voltage, FibreKind::ABeta)?;
        place.problem.solver.cell_size = 0.6;
        let fine = place.typical(Output::Voltage, FibreKind::ABeta)?;
        Ok(usual
            .iter()
            .zip(&fine)
            .take(2)
            .filter_map(|(u, f)| Some((u.nerve.clone(), 100.0 * (u.amplitude? / f.amplitude? - 1.0).abs())))
            .collect())
    };
    match found() {
        Ok(all) => {
            for (nerve, percent) in all {
                report.at_most(format!("{claim}: {nerve}"), percent, 5.0, OWN);
            }
        }
        Err(e) => report.failed(claim, e, OWN),
    }
}

/// Twice the conductivity, twice the current.
pub fn conductivity(report: &mut Report) {
    let claim = "threshold in mA in tissue that conducts twice as well over the threshold as it is";
    let found = || -> Result<f64, String> {
        let mut place = Place::beside(4.0, false)?;
        let before = place.nearest(Output::Current, FibreKind::ABeta)?;
        for tissue in &mut place.problem.tissues {
            tissue.sigma_s_per_m *= 2.0;
        }
        Ok(place.nearest(Output::Current, FibreKind::ABeta)? / before)
    };
    match found() {
        Ok(ratio) => report.within(claim, ratio, 2.0, 0.03, LAW),
        Err(e) => report.failed(claim, e, LAW),
    }
}

/// A turned needle and nerve in uniform tissue.
pub fn turned(report: &mut Report) {
    let claim = "threshold in V with needle and nerve turned against the grid over that along it";
    let of = |turned| Place::beside(4.0, turned).and_then(|p| p.nearest(Output::Voltage, FibreKind::ABeta));
    match of(false).and_then(|along| Ok(of(true)? / along)) {
        Ok(ratio) => report.within(claim, ratio, 1.0, 0.02, PLACE),
        Err(e) => report.failed(claim, e, PLACE),
    }
}

/// Farther nerves need more.
pub fn distance(report: &mut Report) {
    let source = "published needles: more current with distance (regional anaesthesia data)";
    let claim = "threshold in mA of a nerve twice as far from the needle over that of the nearer one";
    let of = |mm: f64| Place::beside(mm, false).and_then(|p| p.nearest(Output::Current, FibreKind::AAlpha));
    let found = || -> Result<[f64; 3], String> { Ok([of(2.0)?, of(4.0)?, of(8.0)?]) };
    match found() {
        Ok([a, b, c]) => {
            report.at_least(format!("{claim}: 4 and 2 mm"), b / a, 1.2, source);
            report.at_least(format!("{claim}: 8 and 4 mm"), c / b, 1.5, source);
        }
        Err(e) => report.failed(claim, e, source),
    }
}

/// The charge of a decaying voltage, piece by piece, against the closed form.
pub fn border(report: &mut Report) {
    let source = "a capacitor charged through a resistor";
    let claim = "charge in µC of a pulse of 1 V and 1 ms through 250 Ω and a border of 5 µF";
    let circuit = Circuit {
        tissue_ohm: 250.0,
        border_uf: 5.0,
        border_ohm: 1e9,
    };
    let tau = 1.25f64;
    let exact = 5.0 * (1.0 - (-1.0 / tau).exp());
    report.within(
        claim,
        circuit.charge_uc(&pulse(Output::Voltage), 1.0),
        exact,
        1e-5,
        source,
    );
}

/// Thick fibres before thin ones.
pub fn order(report: &mut Report) {
    let source = "fibre models at one place; recruitment from thick to thin";
    let claim = "threshold of half of a thinner class over that of the thicker one in the built-in patient";
    let found = || -> Result<[f64; 2], String> {
        let place = Place::built_in()?;
        let all = place.answers()?;
        let nerve = all.iter().find(|n| n.target).ok_or("no target")?;
        let half = |class: FibreKind| nerve.amplitude(class, 0.5).ok_or("not reached");
        Ok([
            half(FibreKind::ABeta)? / half(FibreKind::AAlpha)?,
            half(FibreKind::ADelta)? / half(FibreKind::ABeta)?,
        ])
    };
    match found() {
        Ok([touch, pain]) => {
            report.at_least(format!("{claim}: Aβ over Aα"), touch, 1.0, source);
            report.at_least(format!("{claim}: Aδ over Aβ"), pain, 2.0, source);
        }
        Err(e) => report.failed(claim, e, source),
    }
}

/// The default place against the voltages of the clinic. Does not hold: the model's are lower.
pub fn clinic(report: &mut Report) {
    let source = "usual practice, recalled: the known pain at 0.3 to 0.6 V, no contraction of the leg up to 2 V (catalog/stimulation.toml)";
    let claim = "built-in patient, needle along the nerve";
    let found = || -> Result<(f64, f64), String> {
        let place = Place::built_in()?;
        let all = place.answers()?;
        let awake = place.catalog.perceptions.first().ok_or("no perception")?;
        let told = notice(&all, &place.pathways, awake, false, 1);
        let moved = notice(&all, &place.pathways, awake, true, 1);
        let pain = told
            .iter()
            .find(|n| n.target && n.answer == Answer::ConcordantPain)
            .and_then(|n| n.amplitude)
            .ok_or("no pain")?;
        let leg = moved.iter().find(|n| n.leg).and_then(|n| n.amplitude).unwrap_or(10.0);
        Ok((pain, leg))
    };
    match found() {
        Ok((pain, leg)) => {
            report.within(format!("{claim}: his pain from, V"), pain, 0.45, 0.15, source);
            report.at_least(format!("{claim}: the leg twitches from, V"), leg, 2.0, source);
            report.at_least(format!("{claim}: leg over pain"), leg / pain, 3.0, source);
        }
        Err(e) => report.failed(claim, e, source),
    }
}
