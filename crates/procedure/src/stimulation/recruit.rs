//! Which fibres a pulse fires: thresholds of fibres of some diameters on some lines of a nerve, and from these the share of each class.

use neurotome_physics::axon::{
    Criterion, Fibre, Geometry, GeometrySet, Membrane, Myelinated, Pulse, Search, Stimulated, ThresholdError,
    Unmyelinated,
};
use rayon::prelude::*;
use serde::Serialize;

use super::{
    StimulationError,
    diameters::{SETS_MEET_UM, THICK_UM, THIN_UM, Table, drawn},
    examination::{SodiumOf, TypicalThreshold},
    field::TipField,
    pathway::{AROUND, Line, Pathway},
};
use crate::catalog::{FibreClass, NerveFibres};

/// Compartments of C fibres, µm; and how far such a fibre is followed to both sides of the place nearest to the needle, mm.
const C_SPACING_UM: f64 = 25.0;
const C_HALF_MM: f64 = 6.0;
/// C fibres farther away cannot be reached by any generator, mm.
const C_REACH_MM: f64 = 4.0;
/// Nerves farther away than this are not looked at, mm.
pub(super) const REACH_MM: f64 = 30.0;
/// Beyond this only the axis of a nerve is looked at: the field hardly varies across it, mm.
const FAR_MM: f64 = 8.0;
/// Bracket of a threshold.
const TOLERANCE: f64 = 0.01;
/// Step in time, ms.
const STEP_MS: f64 = 0.01;
const BODY_C: f64 = 37.0;
const UM: f64 = 1e-3;

/// The share of the sodium channels of a fibre that take part at a place along its pathway (mm): less than one under an anaesthetic.
pub type Sodium<'a> = &'a (dyn Fn(&FibreClass, f64) -> f64 + Sync);

/// How a nerve answers.
#[derive(Debug, Clone, Serialize)]
pub struct Recruitment {
    /// Its name.
    pub nerve: String,
    /// True for the nerve aimed at.
    pub target: bool,
    /// Distance from its axis to that of the bare metal, mm.
    pub distance_mm: f64,
    /// Each class with its fibres' thresholds.
    pub classes: Vec<ClassThresholds>,
}

impl Recruitment {
    /// The share of a class that fires at an amplitude.
    pub fn share(&self, class: &str, amplitude: f64) -> f64 {
        self.classes
            .iter()
            .find(|c| c.class == class)
            .map_or(0.0, |c| c.share(amplitude))
    }

    /// The amplitude that fires a share of a class; none if no allowed amplitude does.
    pub fn amplitude(&self, class: &str, share: f64) -> Option<f64> {
        self.classes
            .iter()
            .find(|c| c.class == class)
            .and_then(|c| c.amplitude(share))
    }
}

/// Thresholds of the fibres of a class in a nerve.
#[derive(Debug, Clone, Serialize)]
pub struct ClassThresholds {
    /// The class, such as `a_beta`.
    pub class: &'static str,
    /// Thresholds of equally many fibres each, ascending; infinite beyond the generator's limit. V or mA.
    #[serde(skip)]
    pub thresholds: Vec<f64>,
    /// The lowest; none beyond the limit.
    pub lowest: Option<f64>,
    /// The one that half of the fibres have or stay below; none beyond the limit.
    pub median: Option<f64>,
}

impl ClassThresholds {
    fn new(class: &'static str, mut thresholds: Vec<f64>) -> Self {
        thresholds.sort_by(f64::total_cmp);
        let mut all = Self {
            class,
            thresholds,
            lowest: None,
            median: None,
        };
        all.lowest = all.amplitude(0.0);
        all.median = all.amplitude(0.5);
        all
    }

    /// The share that fires at an amplitude.
    pub fn share(&self, amplitude: f64) -> f64 {
        let fired = self.thresholds.partition_point(|t| *t <= amplitude);
        fired as f64 / self.thresholds.len().max(1) as f64
    }

    /// The amplitude at which a share fires.
    pub fn amplitude(&self, share: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        let rank = (share * self.thresholds.len() as f64).ceil() as usize;
        let at = self.thresholds.get(rank.max(1) - 1)?;
        at.is_finite().then_some(*at)
    }
}

/// What is applied: the course of the potential for a unit amplitude, and the largest amplitude.
pub(super) struct Stimulus<'a> {
    pub course: &'a Pulse,
    pub most: f64,
    /// Where to look first.
    pub guess: f64,
    /// Length constant of the sheath of a fascicle, mm.
    pub sheath_mm: f64,
}

/// How the nerves within reach answer, nearest first.
pub(super) fn recruit(
    field: &TipField,
    pathways: &[Pathway],
    fibres: &dyn Fn(&Pathway) -> Option<NerveFibres>,
    stimulus: &Stimulus<'_>,
    sodium: Option<SodiumOf<'_>>,
) -> Result<Vec<Recruitment>, StimulationError> {
    let mut near: Vec<(f64, f64, &Pathway, NerveFibres)> = pathways
        .iter()
        .filter_map(|p| {
            let (at, distance) = p.nearest(field);
            (distance <= REACH_MM).then_some(())?;
            Some((distance, at, p, fibres(p)?))
        })
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0));
    near.par_iter()
        .map(|(distance, at, pathway, fibres)| {
            let of_nerve = |class: &FibreClass, mm: f64| sodium.map_or(1.0, |s| s(pathway, class, mm));
            let all = Nerve {
                field,
                pathway,
                at_mm: *at,
                distance_mm: *distance,
                stimulus,
                sodium: sodium.is_some().then_some(&of_nerve),
            };
            all.recruitment(fibres)
        })
        .collect()
}

/// Thresholds of the fibre of a class's mean diameter on the axis of each nerve within reach, nearest first.
pub(super) fn typical(
    field: &TipField,
    pathways: &[&Pathway],
    fibres: &dyn Fn(&Pathway) -> Option<NerveFibres>,
    stimulus: &Stimulus<'_>,
    class: &str,
) -> Result<Vec<TypicalThreshold>, StimulationError> {
    let mut all = Vec::new();
    for pathway in pathways {
        let (at_mm, distance_mm) = pathway.nearest(field);
        let Some(fibres) = fibres(pathway).filter(|_| distance_mm <= REACH_MM) else {
            continue;
        };
        let Some(class) = fibres.classes().into_iter().find(|c| c.name == class && c.myelinated) else {
            continue;
        };
        let nerve = Nerve {
            field,
            pathway,
            at_mm,
            distance_mm,
            stimulus,
            sodium: None,
        };
        let half = nerve.half_mm(class.diameter_um);
        let line = pathway
            .line(field, 0, at_mm - half, at_mm + half, stimulus.sheath_mm)
            .ok_or_else(|| StimulationError::Outside {
                nerve: pathway.name.clone(),
            })?;
        // The threshold grows with the square of the distance, roughly.
        let guess = stimulus.guess * (1.0 + distance_mm * distance_mm / 9.0);
        let amplitude = nerve.myelinated(class.diameter_um, &line, 0.5, guess, None)?;
        all.push(TypicalThreshold {
            nerve: pathway.name.clone(),
            distance_mm,
            amplitude: amplitude.is_finite().then_some(amplitude),
        });
    }
    all.sort_by(|a, b| a.distance_mm.total_cmp(&b.distance_mm));
    Ok(all)
}

struct Nerve<'a> {
    field: &'a TipField,
    pathway: &'a Pathway,
    at_mm: f64,
    distance_mm: f64,
    stimulus: &'a Stimulus<'a>,
    sodium: Option<Sodium<'a>>,
}

impl Nerve<'_> {
    fn recruitment(&self, fibres: &NerveFibres) -> Result<Recruitment, StimulationError> {
        let lines = if self.distance_mm > FAR_MM { 1 } else { 1 + AROUND };
        let half = self.half_mm(16.0);
        let lines: Vec<Line> = (0..lines)
            .map(|n| {
                self.pathway
                    .line(
                        self.field,
                        n,
                        self.at_mm - half,
                        self.at_mm + half,
                        self.stimulus.sheath_mm,
                    )
                    .ok_or_else(|| StimulationError::Outside {
                        nerve: self.pathway.name.clone(),
                    })
            })
            .collect::<Result<_, _>>()?;
        let classes = fibres.classes();
        let myelinated: Vec<&FibreClass> = classes.iter().filter(|c| c.myelinated && c.share > 0.0).collect();
        // Without an anaesthetic a fibre's threshold depends on its diameter alone, whatever its class.
        let tables: Vec<Vec<Table>> = match self.sodium {
            None => vec![self.tables(&lines, None)?; myelinated.len()],
            Some(_) => myelinated
                .iter()
                .map(|c| self.tables(&lines, Some(c)))
                .collect::<Result<_, _>>()?,
        };
        let mut all: Vec<ClassThresholds> = myelinated
            .iter()
            .zip(&tables)
            .map(|(class, tables)| {
                let drawn = drawn(class);
                let thresholds = tables
                    .iter()
                    .flat_map(|table| drawn.iter().map(|d| table.threshold(*d)))
                    .map(|t| if t > self.stimulus.most { f64::INFINITY } else { t })
                    .collect();
                ClassThresholds::new(class.name, thresholds)
            })
            .collect();
        if let Some(c) = classes.iter().find(|c| !c.myelinated && c.share > 0.0) {
            let of_line = |line: &Line| self.c_fibre(c, line);
            let thresholds = if self.distance_mm > C_REACH_MM {
                vec![f64::INFINITY]
            } else {
                lines.par_iter().map(of_line).collect::<Result<_, _>>()?
            };
            all.push(ClassThresholds::new(c.name, thresholds));
        }
        Ok(Recruitment {
            nerve: self.pathway.name.clone(),
            target: self.pathway.target,
            distance_mm: self.distance_mm,
            classes: all,
        })
    }

    /// How far a fibre is followed to both sides, mm: twelve internodes, and twice the distance.
    fn half_mm(&self, diameter_um: f64) -> f64 {
        let spacing = geometry(diameter_um).map_or(1.0, |g| g.node_spacing * UM);
        (12.0 * spacing).max(2.0 * self.distance_mm + 6.0)
    }

    fn tables(&self, lines: &[Line], class: Option<&FibreClass>) -> Result<Vec<Table>, StimulationError> {
        let diameters = class.map(drawn);
        let needs =
            |wanted: &(dyn Fn(f64) -> bool + Sync)| diameters.as_ref().is_none_or(|all| all.iter().any(|d| wanted(*d)));
        lines
            .par_iter()
            .enumerate()
            .map(|(n, line)| {
                // Nodes stand anywhere: the lines take different places.
                let shift = (0.5 + n as f64 * 0.618_034).fract();
                let mut guess = self.stimulus.guess;
                let mut of = |diameters: &[f64; 4]| -> Result<[f64; 4], StimulationError> {
                    let mut found = [f64::INFINITY; 4];
                    // Thick fibres first: they tell where to look for thinner ones.
                    for (d, t) in diameters.iter().zip(&mut found).rev() {
                        *t = self.myelinated(*d, line, shift, guess, class)?;
                        if t.is_infinite() {
                            break;
                        }
                        guess = 1.3 * *t;
                    }
                    Ok(found)
                };
                let none = [f64::INFINITY; 4];
                let thick = if needs(&|d| d >= SETS_MEET_UM) {
                    of(&THICK_UM)?
                } else {
                    none
                };
                let reached = thick[0].is_finite() || !needs(&|d| d >= SETS_MEET_UM);
                let thin = if reached && needs(&|d| d < SETS_MEET_UM) {
                    of(&THIN_UM)?
                } else {
                    none
                };
                Ok(Table { thin, thick })
            })
            .collect()
    }

    /// The threshold of a myelinated fibre on a line; infinite beyond the limit.
    fn myelinated(
        &self,
        diameter_um: f64,
        line: &Line,
        shift: f64,
        guess: f64,
        class: Option<&FibreClass>,
    ) -> Result<f64, StimulationError> {
        let geometry = geometry(diameter_um)?;
        let spacing = geometry.node_spacing * UM;
        let half = self.half_mm(diameter_um);
        let from = (self.at_mm - half).max(line.first_mm);
        let to = (self.at_mm + half).min(line.last_mm());
        let nodes = ((to - from) / spacing - shift).floor() as usize + 1;
        if nodes < 5 {
            return Err(StimulationError::TooShort {
                nerve: self.pathway.name.clone(),
                length_mm: self.pathway.length_mm(),
                least_mm: 6.0 * spacing,
            });
        }
        let start = from + shift * spacing;
        let mut fibre = Myelinated::new(geometry, nodes, BODY_C);
        let places = fibre.places_um();
        if let (Some(sodium), Some(class)) = (self.sodium, class) {
            for node in 0..nodes {
                let at = start + places[fibre.place_of(node)] * UM;
                fibre.set_sodium(node, sodium(class, at));
            }
        }
        let mut criterion = Criterion::myelinated(nodes);
        if let Some(class) = class {
            criterion.arrive_at = vec![towards(class, [3, nodes - 4])];
        }
        self.threshold(&fibre, &places, start, line, guess, &criterion)
    }

    /// The threshold of a C fibre on a line; infinite beyond the limit.
    fn c_fibre(&self, class: &FibreClass, line: &Line) -> Result<f64, StimulationError> {
        let from = (self.at_mm - C_HALF_MM).max(line.first_mm);
        let to = (self.at_mm + C_HALF_MM).min(line.last_mm());
        let mut fibre = Unmyelinated::new(
            Membrane::Sundt,
            class.diameter_um,
            (to - from) / UM,
            C_SPACING_UM,
            BODY_C,
        );
        let places = fibre.places_um();
        if let Some(sodium) = self.sodium {
            for (n, place) in places.iter().enumerate() {
                fibre.set_sodium(n, sodium(class, from + place * UM));
            }
        }
        let margin = places.len() / 8;
        let ends = [margin, places.len() - 1 - margin];
        let arrive_at = match self.sodium {
            None => ends.to_vec(),
            Some(_) => vec![towards(class, ends)],
        };
        let criterion = Criterion {
            arrive_at,
            spike_mv: -10.0,
            quiet_mv: -45.0,
            quiet_after_ms: 2.0,
            longest_ms: 40.0,
        };
        self.threshold(&fibre, &places, from, line, 10.0 * self.stimulus.guess, &criterion)
    }

    fn threshold<F: Fibre>(
        &self,
        fibre: &F,
        places_um: &[f64],
        start_mm: f64,
        line: &Line,
        guess: f64,
        criterion: &Criterion,
    ) -> Result<f64, StimulationError> {
        // The needle is the cathode.
        let field: Vec<f64> = places_um.iter().map(|x| -1e3 * line.at(start_mm + x * UM)).collect();
        let search = Search {
            dt_ms: STEP_MS,
            tolerance: TOLERANCE,
            guess: guess.min(self.stimulus.most),
            most: self.stimulus.most,
        };
        match Stimulated::new(fibre, &field).and_then(|s| s.threshold(self.stimulus.course, &search, criterion)) {
            Ok(found) => Ok(found.amplitude),
            Err(ThresholdError::Above { .. }) => Ok(f64::INFINITY),
            Err(error) => Err(error.into()),
        }
    }
}

/// Where the spikes of a class must arrive to be noticed, of the ends towards the spine and towards the body. Where nothing is blocked they
/// arrive at both.
fn towards(class: &FibreClass, [spine, body]: [usize; 2]) -> usize {
    match class.name {
        "a_alpha" | "a_gamma" => body,
        _ => spine,
    }
}

fn geometry(diameter_um: f64) -> Result<Geometry, StimulationError> {
    Ok(Geometry::new(GeometrySet::advised(diameter_um), diameter_um)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_rise_with_the_amplitude() {
        let class = ClassThresholds::new("a_beta", vec![3.0, 1.0, f64::INFINITY, 2.0]);
        assert_eq!(class.lowest, Some(1.0));
        assert_eq!(class.median, Some(2.0));
        assert_eq!(class.share(0.5), 0.0);
        assert_eq!(class.share(2.5), 0.5);
        assert_eq!(class.amplitude(0.75), Some(3.0));
        assert_eq!(class.amplitude(1.0), None);
        assert_eq!(class.amplitude(1.5), None);
    }
}
