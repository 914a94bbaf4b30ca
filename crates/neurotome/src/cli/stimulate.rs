//! `neurotome stimulate`.

mod told;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use neurotome_base::Vec3;
use neurotome_io::{
    results::{check_target, write_files},
    scenario::{Loaded, Source},
};
use neurotome_procedure::{
    catalog::{Catalog, Entry, FibreKind, Perception, find},
    lesion::LesionProblem,
    stimulation::{
        Card, Circuit, Conductivities, Evidence, Examination, Map, MapRequest, Noticed, Numbed, Output, Pathway, Plane,
        Recruitment, StimulationError, TestPulse, Trace, at_stimulation, card, in_bone, map, moved, notice, traces,
    },
};
use serde::Serialize;

use super::{Common, Failure, deliver, json_text, open_catalog, open_scenario, print, solve};
use told::{files, table};

/// Amplitudes that are tabled: 0.05 V or 0.1 mA apart.
const STEP_V: f64 = 0.05;
const STEP_MA: f64 = 0.1;
/// Cells of a map's fields, as a multiple of the usual size.
const MAP_CELLS: f64 = 2.0;
/// Farthest that a needle is moved, mm.
const MOST_SHIFT_MM: f64 = 100.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sedation {
    /// Awake and attentive.
    None,
    /// Lightly sedated: tells less, and less reliably.
    Light,
    /// Deeply sedated: tells nothing.
    Deep,
}

impl Sedation {
    fn entry(self) -> &'static str {
        match self {
            Self::None => "awake",
            Self::Light => "light",
            Self::Deep => "deep",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sigma {
    /// At 1 kHz, to which pulses of a millisecond belong.
    OneKilohertz,
    /// Below 1 kHz, another published set.
    Low,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MapPlane {
    /// Left–right and front–back.
    Axial,
    /// Front–back and up–down.
    Sagittal,
    /// Left–right and up–down.
    Coronal,
}

#[derive(Debug, Args)]
pub(super) struct Stimulate {
    /// Scenario file (TOML). Default: the built-in patient with the needle in its default place.
    scenario: Option<PathBuf>,
    /// Length of a pulse (of each phase), ms, 0.1 to 3. Default: that of the catalogue's protocol, 1.
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pulse_ms: Option<f64>,
    /// Rate of the sensory test, Hz. Default: 50. The motor test has 2.
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    rate_hz: Option<f64>,
    /// The generator holds the current (0 to 20 mA) in place of the voltage (0 to 10 V).
    #[arg(long)]
    current: bool,
    /// A second phase of the other sign follows each pulse.
    #[arg(long)]
    biphasic: bool,
    /// How awake the patient is.
    #[arg(long, value_enum, default_value_t = Sedation::None)]
    sedation: Sedation,
    /// Which published conductivities are taken: they differ by up to twelvefold.
    #[arg(long, value_enum, default_value_t = Sigma::OneKilohertz)]
    conductivity: Sigma,
    /// Move the needle by so many mm to the patient's left, back and up before the test.
    #[arg(long, value_name = "X,Y,Z", allow_hyphen_values = true)]
    shift: Option<String>,
    /// Seed of the draws of people.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Thresholds over places of the needle as well: the plane in which it is moved. Minutes without a fast machine.
    #[arg(long, value_enum, value_name = "PLANE")]
    map: Option<MapPlane>,
    /// The map reaches so far to each side, mm.
    #[arg(long, value_name = "MM", default_value_t = 10.0, allow_negative_numbers = true)]
    map_half: f64,
    /// Places along each axis of the map.
    #[arg(long, value_name = "N", default_value_t = 31)]
    map_count: usize,
    /// Folder for stimulation.json and pictures; must be new, empty or an earlier run's.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the answers as JSON to FILE; `-` prints them instead of the table.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The answers to one test.
#[derive(Serialize)]
struct Tested {
    pulse: TestPulse,
    unit: &'static str,
    answers: Vec<Noticed>,
    nerves: Vec<Recruitment>,
    /// Amplitudes of the shares that follow.
    amplitudes: Vec<f64>,
    shares: Vec<NerveShares>,
}

/// The share of each class that fires at each amplitude.
#[derive(Serialize)]
struct NerveShares {
    nerve: String,
    class: FibreKind,
    share: Vec<f64>,
}

#[derive(Serialize)]
struct Record<'a> {
    program: &'static str,
    scenario: &'a str,
    tip_mm: [f64; 3],
    conductivities: Conductivities,
    perception: &'a str,
    seed: u64,
    circuit: Circuit,
    time_constant_ms: f64,
    sensory: Tested,
    motor: Tested,
    card: Card,
    traces: Vec<(f64, Vec<Trace>)>,
    map: Option<Map>,
    unverified: Vec<String>,
    remarks: Vec<String>,
}

impl Stimulate {
    pub fn run(&self, common: &Common) -> Result<(), Failure> {
        if let Some(folder) = &self.out {
            check_target(folder).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let catalog = open_catalog(common)?;
        let pulses = self.pulses(&catalog)?;
        let map = self.map.map(|plane| self.map_request(plane));
        if let Some(map) = &map {
            map.check().map_err(failure)?;
        }
        let (source, loaded) = open_scenario(self.scenario.as_deref(), &catalog)?;
        let set = match self.conductivity {
            Sigma::OneKilohertz => Conductivities::OneKilohertz,
            Sigma::Low => Conductivities::Low,
        };
        let (mut problem, kept) = at_stimulation(&loaded.problem, &catalog, set);
        if let Some(text) = &self.shift {
            problem = moved(&problem, &shift(text)?);
        }
        let mut remarks: Vec<String> = kept
            .iter()
            .map(|name| {
                format!("tissue {name} has no conductivity of stimulation in the catalogue; that of the radiofrequency is taken")
            })
            .collect();
        let pathways = pathways(&loaded);
        if pathways.is_empty() {
            return Err(Failure::Input(format!(
                "{} has no nerves; add [[nerves]] with their points, or take a patient whose nerves are known",
                source.name
            )));
        }
        if !pathways.iter().any(|p| p.target) {
            remarks.push("no nerve is marked as the target, so that none can be told from the others".to_owned());
        }
        if loaded.patient.as_ref().is_some_and(|p| in_bone(&problem, &**p)) {
            remarks.push("bare metal would stand in bone here: no needle can lie so".to_owned());
        }
        let numbed = match &loaded.anaesthesia {
            None => None,
            Some(a) => {
                remarks.push(format!(
                    "tested {:.0} s after the injection of [anaesthetic]; leave it out to test before",
                    a.wait_s
                ));
                Numbed::new(&a.spread, &catalog, a.spread.injected_s + a.wait_s).map_err(failure)?
            }
        };
        let perception = entry(&catalog.perceptions, self.sedation.entry())?;
        let record = self.compute(&Setting {
            common,
            catalog: &catalog,
            source: &source,
            loaded: &loaded,
            problem: &problem,
            pathways: &pathways,
            perception,
            set,
            pulses,
            map,
            numbed,
            remarks,
        })?;
        solve::check_interrupt()?;
        if let Some(folder) = &self.out {
            let files = files(&record, &problem)?;
            solve::check_interrupt()?;
            write_files(folder, &files).map_err(|e| Failure::Input(e.to_string()))?;
        }
        let printed = self.json.as_ref().is_some_and(|p| p.as_os_str() == "-");
        if let Some(target) = &self.json {
            deliver(target, &json_text(&record)?)?;
        }
        if !common.quiet && !printed {
            print(&table(&record));
            if let Some(folder) = &self.out {
                print(&format!("Written to {}\n", folder.display()));
            }
        }
        Ok(())
    }

    /// Sensory and motor pulse.
    fn pulses(&self, catalog: &Catalog) -> Result<[TestPulse; 2], Failure> {
        let of = |name: &str, rate_hz: Option<f64>| {
            let protocol = entry(&catalog.stimulation_tests, name)?;
            let pulse = TestPulse {
                output: if self.current { Output::Current } else { Output::Voltage },
                width_ms: self.pulse_ms.unwrap_or(protocol.pulse_ms.value),
                biphasic: self.biphasic,
                rate_hz: rate_hz.unwrap_or(protocol.rate_hz.value),
            };
            pulse.check().map_err(failure)?;
            Ok::<_, Failure>(pulse)
        };
        Ok([of("sensory", self.rate_hz)?, of("motor", None)?])
    }

    fn compute<'a>(&self, s: &Setting<'a>) -> Result<Record<'a>, Failure> {
        let bar = solve::stage_bar(s.common.quiet);
        bar.set_message("field of the bare metal");
        let [sensory_pulse, motor_pulse] = s.pulses;
        let (circuit, sensory, motor, traces) = solve::on_threads(s.common.threads, || {
            let examination = Examination::new(s.problem, s.pathways, s.catalog)?;
            bar.set_message("fibres");
            // The tests differ in their rate alone, and one pulse decides.
            let recruitments = match &s.numbed {
                Some(numbed) => examination.answers(&sensory_pulse, Some(&|p, c, mm| numbed.sodium(p, c, mm))),
                None => examination.answers(&sensory_pulse, None),
            }?;
            let tested = |pulse: TestPulse, motor: bool| {
                let answers = notice(&recruitments, s.pathways, s.perception, motor, self.seed);
                Tested::new(pulse, recruitments.clone(), answers)
            };
            let (sensory, motor) = (tested(sensory_pulse, false), tested(motor_pulse, true));
            let traces: Vec<(f64, Vec<Trace>)> = trace_amplitudes(motor_pulse.output)
                .into_iter()
                .map(|a| (a, traces(&recruitments, s.pathways, s.catalog, a)))
                .collect();
            Ok::<_, StimulationError>((examination.circuit, sensory, motor, traces))
        })?
        .map_err(failure)?;
        let card = card(&Evidence {
            sensory: &sensory.answers,
            motor: &motor.answers,
            protocols: [
                entry(&s.catalog.stimulation_tests, "sensory")?,
                entry(&s.catalog.stimulation_tests, "motor")?,
            ],
            output: sensory_pulse.output,
            circuit: &circuit,
        });
        let blocks = too_strong(&sensory);
        let map = match s.map {
            None => None,
            Some(request) => Some(places(s, &request, &bar)?),
        };
        bar.finish_and_clear();
        Ok(Record {
            program: crate::PROGRAM,
            scenario: match s.loaded.scenario.title.as_str() {
                "" => &s.source.name,
                title => title,
            },
            tip_mm: s.problem.needles[0].tip.xyz,
            conductivities: s.set,
            perception: &s.perception.title,
            seed: self.seed,
            circuit,
            time_constant_ms: circuit.time_constant_ms(),
            sensory,
            motor,
            card,
            traces,
            map,
            unverified: unverified(s),
            remarks: s.remarks.iter().cloned().chain(blocks).collect(),
        })
    }

    fn map_request(&self, plane: MapPlane) -> MapRequest {
        MapRequest {
            plane: match plane {
                MapPlane::Axial => Plane::Axial,
                MapPlane::Sagittal => Plane::Sagittal,
                MapPlane::Coronal => Plane::Coronal,
            },
            half_mm: self.map_half,
            count: self.map_count,
            cell_size: MAP_CELLS,
        }
    }
}

/// Which nerves pulses can be too strong for.
fn too_strong(tested: &Tested) -> Vec<String> {
    let unit = tested.unit;
    (tested.nerves.iter())
        .filter_map(|n| {
            let from = n.blocks_from?;
            Some(format!(
                "{}: from {from:.1} {unit} on pulses are too strong for fibres next to the metal, whose spikes cannot leave it; \
                 the shares that fire then fall again",
                n.nerve
            ))
        })
        .collect()
}

/// The map of thresholds.
fn places(s: &Setting<'_>, request: &MapRequest, bar: &indicatif::ProgressBar) -> Result<Map, Failure> {
    bar.set_message("places of the needle");
    solve::on_threads(s.common.threads, || {
        map(
            s.problem,
            s.loaded.patient.as_deref(),
            s.pathways,
            s.catalog,
            &s.pulses[0],
            request,
            &|done, of| {
                bar.set_length(of as u64);
                bar.set_position(done as u64);
                !solve::interrupted()
            },
        )
    })?
    .map_err(failure)
}

/// What a run works on.
struct Setting<'a> {
    common: &'a Common,
    catalog: &'a Catalog,
    source: &'a Source,
    loaded: &'a Loaded,
    problem: &'a LesionProblem,
    pathways: &'a [Pathway],
    perception: &'a Perception,
    set: Conductivities,
    pulses: [TestPulse; 2],
    map: Option<MapRequest>,
    numbed: Option<Numbed>,
    remarks: Vec<String>,
}

impl Tested {
    fn new(pulse: TestPulse, nerves: Vec<Recruitment>, answers: Vec<Noticed>) -> Self {
        let step = match pulse.output {
            Output::Voltage => STEP_V,
            Output::Current => STEP_MA,
        };
        let count = (pulse.output.most() / step).round() as usize;
        let amplitudes: Vec<f64> = (1..=count).map(|k| (k as f64 * step * 1e6).round() / 1e6).collect();
        let shares = nerves
            .iter()
            .flat_map(|n| n.classes.iter().map(move |c| (n, c)))
            .map(|(n, c)| NerveShares {
                nerve: n.nerve.clone(),
                class: c.class,
                share: amplitudes.iter().map(|a| c.share(*a)).collect(),
            })
            .collect();
        Self {
            pulse,
            unit: pulse.output.unit(),
            answers,
            nerves,
            amplitudes,
            shares,
        }
    }
}

/// Three numbers of mm.
fn shift(text: &str) -> Result<Vec3, Failure> {
    let parts: Vec<f64> = text
        .split(',')
        .map_while(|p| p.trim().parse().ok().filter(|v: &f64| v.abs() <= MOST_SHIFT_MM))
        .collect();
    match parts[..] {
        [x, y, z] if text.split(',').count() == 3 => Ok(Vec3::new(x, y, z)),
        _ => Err(Failure::Input(format!(
            "--shift {text}: expected three numbers of at most {MOST_SHIFT_MM} mm, such as -3,0,1.5"
        ))),
    }
}

fn failure(error: StimulationError) -> Failure {
    match error {
        StimulationError::Field(e) => e.into(),
        StimulationError::Cancelled => Failure::Interrupted(error.to_string()),
        e => Failure::Input(e.to_string()),
    }
}

fn entry<'c, E: Entry>(entries: &'c [E], name: &str) -> Result<&'c E, Failure> {
    find(entries, name).ok_or_else(|| Failure::Input(format!("the catalogue has no {} \"{name}\"", E::KIND)))
}

/// The patient's nerves, and those of the scenario beside them.
fn pathways(loaded: &Loaded) -> Vec<Pathway> {
    let nerves = &loaded.problem.nerves;
    let Some(patient) = &loaded.patient else {
        return Pathway::of_curves(nerves);
    };
    let target = nerves.iter().find(|n| n.target).map(|n| n.name.as_str());
    let mut all = Pathway::of_patient(&**patient, target);
    let known: Vec<&str> = patient.courses().iter().map(|c| c.name.as_str()).collect();
    let own: Vec<_> = nerves
        .iter()
        .filter(|n| !known.contains(&n.name.as_str()))
        .cloned()
        .collect();
    all.extend(Pathway::of_curves(&own));
    all
}

/// Amplitudes whose traces are shown.
fn trace_amplitudes(output: Output) -> [f64; 3] {
    match output {
        Output::Voltage => [0.25, 0.5, 1.0],
        Output::Current => [1.0, 2.0, 4.0],
    }
}

/// The unverified values behind the answers, by entry.
fn unverified(s: &Setting<'_>) -> Vec<String> {
    const FEW: usize = 5;
    fn of<E: Entry>(entry: &E) -> Option<String> {
        let keys: Vec<&str> = entry
            .values()
            .into_iter()
            .filter(|(_, v)| !v.verified)
            .map(|(k, _)| k)
            .collect();
        let told = match keys.len() {
            0 => return None,
            1..=FEW => keys.join(", "),
            n => format!("{n} values"),
        };
        Some(format!("{} {}: {told}", E::KIND, entry.name()))
    }
    let c = s.catalog;
    let kinds: Vec<&str> = s.pathways.iter().map(|p| p.kind.name()).collect();
    (c.stimulation_tests.iter().filter_map(of))
        .chain(c.electrode_interfaces.iter().filter_map(of))
        .chain(c.fascicles.iter().filter_map(of))
        .chain(of(s.perception))
        .chain(
            c.nerves
                .iter()
                .filter(|n| kinds.contains(&n.name.as_str()))
                .filter_map(of),
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use neurotome_io::catalog;
    use neurotome_procedure::catalog::StimulationTest;

    use super::*;

    #[test]
    fn the_protocols_and_people_are_in_the_catalogue() {
        let catalog = catalog::built_in().unwrap();
        for name in ["sensory", "motor"] {
            let test: &StimulationTest = entry(&catalog.stimulation_tests, name).unwrap();
            assert!(test.rate_hz.value > 0.0);
        }
        for sedation in [Sedation::None, Sedation::Light, Sedation::Deep] {
            entry(&catalog.perceptions, sedation.entry()).unwrap();
        }
        assert!(entry(&catalog.perceptions, "asleep").is_err());
    }
}
