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
use crate::anatomy::NerveKind;
use crate::catalog::{FibreClass, FibreKind, NerveFibres};

/// Compartments of C fibres, µm; and how far such a fibre is followed to both sides of the place nearest to the needle, mm.
const C_SPACING_UM: f64 = 25.0;
const C_HALF_MM: f64 = 6.0;
/// C fibres farther away cannot be reached by any generator, mm.
const C_REACH_MM: f64 = 4.0;
/// Nerves farther away than this are not looked at, mm.
pub(super) const REACH_MM: f64 = 30.0;
/// Branches to skin and longissimus decide nothing: they are looked at only where a test may reach them, mm.
const BRANCH_REACH_MM: f64 = 12.0;
/// Beyond this only the axis of a nerve is looked at: the field hardly varies across it, mm.
const FAR_MM: f64 = 8.0;
/// Blocks by too strong a pulse are looked for in nerves that are nearer than this, mm; first in fibres of these diameters on the line with the
/// lowest thresholds (places in [`THIN_UM`] and [`THICK_UM`]), and where one of them is blocked in all.
const BLOCK_REACH_MM: f64 = 4.0;
const BLOCKED_FIRST: [(bool, usize); 3] = [(true, 3), (true, 1), (false, 2)];
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
    /// The place along its pathway where that is, mm.
    pub at_mm: f64,
    /// The amplitude from which on a pulse is too strong for fibres beside the metal, so that shares fall again; none where none was found.
    /// Looked for in fibres with myelin of nerves within 4 mm, without an anaesthetic.
    pub blocks_from: Option<f64>,
    /// Each class with its fibres' thresholds.
    pub classes: Vec<ClassThresholds>,
}

impl Recruitment {
    /// A nerve whose classes fire from these amplitudes on, for tests.
    #[cfg(test)]
    pub(super) fn of_classes(nerve: &str, from: &[(FibreKind, f64)]) -> Self {
        let classes = from
            .iter()
            .map(|(class, t)| ClassThresholds::new(*class, vec![[*t, f64::INFINITY]]));
        Self {
            nerve: nerve.to_owned(),
            target: false,
            distance_mm: 1.0,
            at_mm: 0.0,
            blocks_from: None,
            classes: classes.collect(),
        }
    }

    /// The share of a class that fires at an amplitude.
    pub fn share(&self, class: FibreKind, amplitude: f64) -> f64 {
        self.classes
            .iter()
            .find(|c| c.class == class)
            .map_or(0.0, |c| c.share(amplitude))
    }

    /// The amplitude that fires a share of a class; none if no allowed amplitude does.
    pub fn amplitude(&self, class: FibreKind, share: f64) -> Option<f64> {
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
    pub class: FibreKind,
    /// Equally many fibres each: the amplitudes (V or mA) at which they fire, from one and up to another; ascending by the first. Infinite beyond
    /// the generator's limit.
    #[serde(skip)]
    pub fires: Vec<[f64; 2]>,
    /// The lowest; none beyond the limit.
    pub lowest: Option<f64>,
    /// The one that half of the fibres have or stay below; none beyond the limit.
    pub median: Option<f64>,
}

impl ClassThresholds {
    fn new(class: FibreKind, mut fires: Vec<[f64; 2]>) -> Self {
        fires.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
        let mut all = Self {
            class,
            fires,
            lowest: None,
            median: None,
        };
        all.lowest = all.amplitude(0.0);
        all.median = all.amplitude(0.5);
        all
    }

    /// The share that fires at an amplitude.
    pub fn share(&self, amplitude: f64) -> f64 {
        let fired = self
            .fires
            .iter()
            .filter(|[from, to]| *from <= amplitude && amplitude < *to)
            .count();
        fired as f64 / self.fires.len().max(1) as f64
    }

    /// The lowest amplitude at which a share fires: at higher ones it may be less again, and the share be never reached.
    pub fn amplitude(&self, share: f64) -> Option<f64> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        let wanted = ((share * self.fires.len() as f64).ceil() as usize).max(1);
        let mut ends: Vec<f64> = self.fires.iter().map(|f| f[1]).filter(|t| t.is_finite()).collect();
        ends.sort_by(f64::total_cmp);
        // Shares rise at thresholds alone.
        self.fires
            .iter()
            .enumerate()
            .map_while(|(n, [from, _])| from.is_finite().then_some((n, *from)))
            .find(|(n, from)| {
                let same = self.fires[*n..].iter().take_while(|f| f[0] <= *from).count();
                n + same - ends.partition_point(|t| t <= from) >= wanted
            })
            .map(|(_, from)| from)
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
            (distance <= reach_mm(p.kind)).then_some(())?;
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
    class: FibreKind,
) -> Result<Vec<TypicalThreshold>, StimulationError> {
    let mut all = Vec::new();
    for pathway in pathways {
        let (at_mm, distance_mm) = pathway.nearest(field);
        let Some(fibres) = fibres(pathway).filter(|_| distance_mm <= reach_mm(pathway.kind)) else {
            continue;
        };
        let Some(class) = fibres.classes().into_iter().find(|c| c.kind == class && c.myelinated) else {
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

/// How far from the needle a nerve is looked at, mm.
fn reach_mm(kind: NerveKind) -> f64 {
    match kind {
        NerveKind::LateralBranch | NerveKind::IntermediateBranch => BRANCH_REACH_MM,
        _ => REACH_MM,
    }
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
        // Of a thin branch its axis is enough: where across it a fibre lies matters less than how thick the fibre is.
        let branch = reach_mm(self.pathway.kind) < REACH_MM;
        let lines = if branch || self.distance_mm > FAR_MM {
            1
        } else {
            1 + AROUND
        };
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
            None => {
                let mut tables = self.tables(&lines, None)?;
                self.look_for_blocks(&lines, &mut tables)?;
                vec![tables; myelinated.len()]
            }
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
                let within = |t: f64| if t > self.stimulus.most { f64::INFINITY } else { t };
                let fires = tables
                    .iter()
                    .flat_map(|table| drawn.iter().map(|d| [table.threshold(*d), table.block(*d)].map(within)))
                    .collect();
                ClassThresholds::new(class.kind, fires)
            })
            .collect();
        let blocks = all.iter().flat_map(|c| &c.fires).map(|f| f[1]);
        let blocks_from = blocks.min_by(f64::total_cmp).filter(|a| a.is_finite());
        if let Some(c) = classes.iter().find(|c| !c.myelinated && c.share > 0.0) {
            let of_line = |line: &Line| self.c_fibre(c, line);
            let thresholds: Vec<f64> = if self.distance_mm > C_REACH_MM {
                vec![f64::INFINITY]
            } else {
                lines.par_iter().map(of_line).collect::<Result<_, _>>()?
            };
            let fires = thresholds.into_iter().map(|t| [t, f64::INFINITY]).collect();
            all.push(ClassThresholds::new(c.kind, fires));
        }
        Ok(Recruitment {
            nerve: self.pathway.name.clone(),
            target: self.pathway.target,
            distance_mm: self.distance_mm,
            at_mm: self.at_mm,
            blocks_from,
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
                let mut guess = self.stimulus.guess;
                let mut of = |diameters: &[f64; 4]| -> Result<[f64; 4], StimulationError> {
                    let mut found = [f64::INFINITY; 4];
                    // Thick fibres first: they tell where to look for thinner ones.
                    for (d, t) in diameters.iter().zip(&mut found).rev() {
                        *t = self.myelinated(*d, line, shift(n), guess, class)?;
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
                Ok(Table {
                    thin,
                    thick,
                    thin_blocks: none,
                    thick_blocks: none,
                })
            })
            .collect()
    }

    /// Looks for amplitudes from which on pulses are too strong for the fibres whose thresholds are in the tables.
    fn look_for_blocks(&self, lines: &[Line], tables: &mut [Table]) -> Result<(), StimulationError> {
        if self.distance_mm > BLOCK_REACH_MM {
            return Ok(());
        }
        let of = |n: usize, thick: bool, k: usize, table: &Table| -> Result<f64, StimulationError> {
            let (diameter_um, threshold) = if thick {
                (THICK_UM[k], table.thick[k])
            } else {
                (THIN_UM[k], table.thin[k])
            };
            if !threshold.is_finite() {
                return Ok(f64::INFINITY);
            }
            let fibre = self.laid(diameter_um, &lines[n], shift(n), None)?;
            self.block(&fibre, threshold)
        };
        let lowest = |t: &Table| t.thick[3];
        let nearest = (0..tables.len()).min_by(|a, b| lowest(&tables[*a]).total_cmp(&lowest(&tables[*b])));
        let Some(nearest) = nearest else { return Ok(()) };
        let first: Vec<f64> = BLOCKED_FIRST
            .par_iter()
            .map(|(thick, k)| of(nearest, *thick, *k, &tables[nearest]))
            .collect::<Result<_, _>>()?;
        if first.iter().all(|a| a.is_infinite()) {
            return Ok(());
        }
        tables.par_iter_mut().enumerate().try_for_each(|(n, table)| {
            for k in 0..4 {
                table.thick_blocks[k] = of(n, true, k, table)?;
                table.thin_blocks[k] = of(n, false, k, table)?;
            }
            Ok(())
        })
    }

    /// A myelinated fibre on a line.
    fn laid(
        &self,
        diameter_um: f64,
        line: &Line,
        shift: f64,
        class: Option<&FibreClass>,
    ) -> Result<Laid, StimulationError> {
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
        Ok(Laid {
            fibre,
            field_mv: field_mv(&places, start, line),
            criterion,
        })
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
        let Laid {
            fibre,
            field_mv,
            criterion,
        } = self.laid(diameter_um, line, shift, class)?;
        self.threshold(&fibre, &field_mv, guess, &criterion)
    }

    /// The amplitude from which on a pulse is too strong for a fibre with a threshold; infinite where none is up to the limit.
    fn block(&self, laid: &Laid, threshold: f64) -> Result<f64, StimulationError> {
        let found = Stimulated::new(&laid.fibre, &laid.field_mv)?.block(
            self.stimulus.course,
            &self.search(threshold),
            &laid.criterion,
            // From the upper end of its bracket on it surely fires.
            threshold * (1.0 + TOLERANCE),
        );
        Ok(found.map_or(f64::INFINITY, |b| b.amplitude))
    }

    fn search(&self, guess: f64) -> Search {
        Search {
            dt_ms: STEP_MS,
            tolerance: TOLERANCE,
            guess: guess.min(self.stimulus.most),
            most: self.stimulus.most,
        }
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
        let field_mv = field_mv(&places, from, line);
        self.threshold(&fibre, &field_mv, 10.0 * self.stimulus.guess, &criterion)
    }

    fn threshold<F: Fibre>(
        &self,
        fibre: &F,
        field_mv: &[f64],
        guess: f64,
        criterion: &Criterion,
    ) -> Result<f64, StimulationError> {
        let found = Stimulated::new(fibre, field_mv)
            .and_then(|s| s.threshold(self.stimulus.course, &self.search(guess), criterion));
        match found {
            Ok(found) => Ok(found.amplitude),
            Err(ThresholdError::Above { .. }) => Ok(f64::INFINITY),
            Err(error) => Err(error.into()),
        }
    }
}

/// A myelinated fibre on a line, the potential outside of it at a unit amplitude, and where its spikes must arrive.
struct Laid {
    fibre: Myelinated,
    field_mv: Vec<f64>,
    criterion: Criterion,
}

/// The potential outside of a fibre's compartments: the needle is the cathode.
fn field_mv(places_um: &[f64], start_mm: f64, line: &Line) -> Vec<f64> {
    places_um.iter().map(|x| -1e3 * line.at(start_mm + x * UM)).collect()
}

/// Nodes stand anywhere: the lines take different places, as a share of the way from node to node.
fn shift(line: usize) -> f64 {
    (0.5 + line as f64 * 0.618_034).fract()
}

/// Where the spikes of a class must arrive to be noticed, of the ends towards the spine and towards the body. Where nothing is blocked they
/// arrive at both.
fn towards(class: &FibreClass, [spine, body]: [usize; 2]) -> usize {
    match class.kind {
        FibreKind::AAlpha | FibreKind::AGamma => body,
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
        let fires = [3.0, 1.0, f64::INFINITY, 2.0].map(|t| [t, f64::INFINITY]);
        let class = ClassThresholds::new(FibreKind::ABeta, fires.to_vec());
        assert_eq!(class.lowest, Some(1.0));
        assert_eq!(class.median, Some(2.0));
        assert_eq!(class.share(0.5), 0.0);
        assert_eq!(class.share(2.5), 0.5);
        assert_eq!(class.amplitude(0.75), Some(3.0));
        assert_eq!(class.amplitude(1.0), None);
        assert_eq!(class.amplitude(1.5), None);
    }

    #[test]
    fn shares_fall_again_where_pulses_block() {
        let fires = vec![[1.0, 4.0], [2.0, 8.0], [6.0, f64::INFINITY], [6.0, f64::INFINITY]];
        let class = ClassThresholds::new(FibreKind::AAlpha, fires);
        assert_eq!(class.share(3.0), 0.5);
        assert_eq!(class.share(5.0), 0.25);
        assert_eq!(class.share(7.0), 0.75);
        assert_eq!(class.share(9.0), 0.5);
        // The first crossing, and none where blocks come before the rest fires.
        assert_eq!(class.amplitude(0.5), Some(2.0));
        assert_eq!(class.amplitude(0.75), Some(6.0));
        assert_eq!(class.amplitude(1.0), None);
    }
}
