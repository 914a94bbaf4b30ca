//! The bench: one needle or a pair in tissue that is the same everywhere, as in the experiments. Each treatment is computed once.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use neurotome_base::{PatientPoint, Vec3};
use neurotome_io::scenario::{Source, load};
use neurotome_physics::tissue::TissueProperties;
use neurotome_procedure::{
    anatomy::{Homogeneous, TissueId},
    catalog::{Catalog, find},
    lesion::{
        Bend, Blood, Control, Domain, DomainShape, Drive, LesionProblem, LesionResult, Limits, Metal, Needle,
        Perfusion, Probe, SolverSettings, solve,
    },
};

use super::{
    edge::{Criterion, Edge},
    lattice::{Plane, Size, out_of_metal},
};

/// Cell size of the claims: widths differ by 0.2 % from those on cells of the usual size, bands are several per cent wide.
pub(super) const CELL_SIZE: f64 = 1.5;
/// Cell size of the sensitivity, where only differences count.
pub(super) const COARSE_CELL_SIZE: f64 = 2.0;
/// Tissue that stands for meat and muscle.
const TISSUE: &str = "muscle";
/// Distance from the active tip to the outer boundary, mm: a lesion feels nothing of it in some minutes.
const SURROUNDINGS_MM: f64 = 60.0;
/// Temperature of blood, °C.
const BODY_C: f64 = 37.0;
/// Ex vivo below this start temperature, °C.
const EX_VIVO_BELOW_C: f64 = 30.0;
/// Points along a ray from the metal: spacing and count.
const RAY_MM: f64 = 0.1;
const RAY_POINTS: usize = 60;

/// What one lesion is made with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Treatment {
    /// Outer diameter, mm.
    pub diameter_mm: f64,
    /// Active tip, mm.
    pub tip_mm: f64,
    /// Set temperature, °C.
    pub set_c: f64,
    /// Start temperature, °C.
    pub start_c: f64,
    /// Perfused muscle instead of meat.
    pub perfused: bool,
    /// Distance between two parallel needles, axis to axis, mm; none for a single one.
    pub spacing_mm: Option<f64>,
    /// The bend of a curved needle.
    pub bend: Option<Bend>,
}

/// The inputs that are uncertain, with the catalogue's values or others.
#[derive(Debug, Clone, PartialEq)]
struct Inputs {
    tissue: TissueProperties,
    start_ex_vivo_c: Option<f64>,
    ramp_s: f64,
    thermocouple_from_tip_mm: f64,
    metal: Metal,
    cell_size: f64,
}

/// Where the temperatures of a run were kept.
#[derive(Debug, Clone, PartialEq)]
enum Layout {
    /// Half a plane through a single straight needle.
    Single(Plane),
    /// The plane of two needles from the middle outwards, and half of the plane midway between them.
    Pair { shared: Plane, middle: Plane },
    /// Rays from the surface of a curved needle: inner side, outer side, past the tip.
    Rays,
}

/// A run: temperatures at the points of its layout over time.
#[derive(Debug)]
pub(super) struct Heated {
    layout: Layout,
    t_s: Vec<f64>,
    /// One row a time, °C.
    temperature_c: Vec<Vec<f64>>,
    /// Times and powers of every step, s and W.
    power: Vec<(f64, f64)>,
    radius_mm: f64,
    tip_mm: f64,
}

/// Sizes of a bipolar lesion.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct PairSize {
    /// Area in the plane midway between the needles, mm².
    pub middle_mm2: f64,
    /// Extent along the needles midway between them, mm.
    pub middle_along_mm: f64,
    /// Extent across the plane of the needles midway between them, mm.
    pub middle_deep_mm: f64,
    /// Extent in the plane of the needles, mm, both needles included.
    pub across_mm: f64,
    /// Least extent along the needles between them over the largest anywhere in their plane.
    pub least_over_largest: f64,
}

/// Runs, each computed once for each set of inputs.
pub(in crate::verify) struct Bench {
    catalog: Catalog,
    usual: Inputs,
    inputs: Inputs,
    runs: BTreeMap<String, (f64, Arc<Heated>)>,
    /// Runs of scenarios by their text.
    scenarios: BTreeMap<String, Arc<LesionResult>>,
    few: bool,
    stop: fn() -> bool,
}

impl Bench {
    /// A bench with the values of the catalogue compiled into the program.
    ///
    /// # Errors
    /// When the catalogue lacks what is needed.
    pub(super) fn new(stop: fn() -> bool) -> Result<Self, String> {
        let catalog = neurotome_io::catalog::built_in().map_err(|e| e.to_string())?;
        let tissue = find(&catalog.tissues, TISSUE)
            .ok_or("the catalogue has no muscle")?
            .properties();
        let generator = catalog.generators.first().ok_or("the catalogue has no generator")?;
        let cannula = catalog.cannulas.first().ok_or("the catalogue has no cannula")?;
        let inputs = Inputs {
            tissue,
            start_ex_vivo_c: None,
            ramp_s: generator.ramp_s.value,
            thermocouple_from_tip_mm: cannula.thermocouple_from_tip_mm.value,
            metal: catalog.metals.first().ok_or("the catalogue has no metal")?.metal(),
            cell_size: CELL_SIZE,
        };
        Ok(Self {
            catalog,
            usual: inputs.clone(),
            inputs,
            runs: BTreeMap::new(),
            scenarios: BTreeMap::new(),
            few: false,
            stop,
        })
    }

    /// The catalogue.
    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The gauges that a claim over gauges looks at, thin to thick.
    pub(super) fn gauges(&self) -> &'static [u32] {
        if self.few { &[22, 16] } else { &[22, 20, 18, 16] }
    }

    /// Outer diameter of a gauge, mm.
    ///
    /// # Errors
    /// When the catalogue has no such cannula.
    pub(super) fn diameter_mm(&self, gauge: u32) -> Result<f64, String> {
        let name = format!("{gauge}G-10mm-straight");
        find(&self.catalog.cannulas, &name)
            .map(|c| c.outer_diameter_mm.value)
            .ok_or_else(|| format!("the catalogue has no cannula \"{name}\""))
    }

    /// The bend of a cannula of the catalogue.
    ///
    /// # Errors
    /// When the catalogue has no such curved cannula.
    pub(super) fn bend(&self, name: &str) -> Result<Bend, String> {
        find(&self.catalog.cannulas, name)
            .and_then(|c| c.bend([1.0, 0.0, 0.0]))
            .ok_or_else(|| format!("the catalogue has no curved cannula \"{name}\""))
    }

    /// Puts all inputs back to the catalogue's values, for the claims themselves.
    pub(super) fn reset(&mut self) {
        self.inputs = self.usual.clone();
        self.few = false;
    }

    /// Coarser cells and fewer gauges, for comparisons of one input's values; all inputs at the catalogue's values.
    pub(super) fn reset_coarse(&mut self) {
        self.reset();
        self.inputs.cell_size = COARSE_CELL_SIZE;
        self.few = true;
    }

    /// Changes one input.
    ///
    /// # Errors
    /// When there is no input of that name.
    pub(super) fn set(&mut self, key: &str, value: f64) -> Result<(), String> {
        let inputs = &mut self.inputs;
        let place = match key {
            "sigma_s_per_m" => &mut inputs.tissue.sigma_s_per_m,
            "sigma_temperature_coefficient_per_k" => &mut inputs.tissue.sigma_temperature_coefficient_per_k,
            "thermal_conductivity_w_per_m_k" => &mut inputs.tissue.thermal_conductivity_w_per_m_k,
            "specific_heat_j_per_kg_k" => &mut inputs.tissue.specific_heat_j_per_kg_k,
            "perfusion_per_s" => &mut inputs.tissue.perfusion_per_s,
            "start_temperature_c" => inputs.start_ex_vivo_c.insert(value),
            "ramp_s" => &mut inputs.ramp_s,
            "metal_conductivity_w_per_m_k" => &mut inputs.metal.thermal_conductivity_w_per_m_k,
            "thermocouple_from_tip_mm" => &mut inputs.thermocouple_from_tip_mm,
            other => return Err(format!("there is no input \"{other}\" to move")),
        };
        *place = value;
        Ok(())
    }

    /// The run of a treatment, computed to `until_s` at least.
    ///
    /// # Errors
    /// Why it could not be computed.
    pub(super) fn heat(&mut self, treatment: &Treatment, until_s: f64) -> Result<Arc<Heated>, String> {
        let mut treatment = treatment.clone();
        let mut inputs = self.inputs.clone();
        // What does not enter must not make another run.
        if treatment.perfused {
            inputs.start_ex_vivo_c = None;
        } else {
            inputs.tissue.perfusion_per_s = 0.0;
        }
        if let Some(start) = inputs.start_ex_vivo_c
            && treatment.start_c < EX_VIVO_BELOW_C
        {
            treatment.start_c = start;
        }
        let key = format!("{inputs:?} {treatment:?}");
        if let Some((to_s, run)) = self.runs.get(&key)
            && *to_s >= until_s
        {
            return Ok(Arc::clone(run));
        }
        let run = Arc::new(self.compute(&treatment, &inputs, until_s)?);
        self.runs.insert(key, (until_s, Arc::clone(&run)));
        Ok(run)
    }

    /// The run of a scenario, with the catalogue's inputs.
    ///
    /// # Errors
    /// Why it could not be computed.
    pub(super) fn scenario(&mut self, text: &str) -> Result<Arc<LesionResult>, String> {
        if let Some(run) = self.scenarios.get(text) {
            return Ok(Arc::clone(run));
        }
        let source = Source {
            name: "experiment".to_owned(),
            text: text.to_owned(),
            folder: PathBuf::new(),
        };
        let loaded = load(&source, &self.catalog).map_err(|e| e.to_string())?;
        let result = solve(&loaded.problem, &mut |_| !(self.stop)()).map_err(|e| e.to_string())?;
        let run = Arc::new(result);
        self.scenarios.insert(text.to_owned(), Arc::clone(&run));
        Ok(run)
    }

    /// The size of the lesion of a single straight needle at a time; zero when there is none.
    ///
    /// # Errors
    /// Why it could not be computed.
    pub(super) fn size(&mut self, treatment: &Treatment, until_s: f64, t_s: f64, edge: &Edge) -> Result<Size, String> {
        let criterion = edge.criterion(&self.catalog)?;
        self.heat(treatment, until_s)?.size(&criterion, t_s)
    }

    fn compute(&self, treatment: &Treatment, inputs: &Inputs, until_s: f64) -> Result<Heated, String> {
        let radius = 0.5 * treatment.diameter_mm;
        let reach = if until_s > 200.0 { 16.0 } else { 10.0 };
        let layout = match (treatment.spacing_mm, &treatment.bend) {
            (Some(spacing), _) => Layout::Pair {
                shared: Plane::from_middle(0.5 * spacing + reach, treatment.tip_mm, reach),
                middle: Plane::from_middle(reach, treatment.tip_mm, reach),
            },
            (None, Some(_)) => Layout::Rays,
            (None, None) => Layout::Single(Plane::beside(radius, treatment.tip_mm, reach)),
        };
        let points: Vec<[f64; 3]> = match &layout {
            Layout::Single(plane) => plane.nodes().map(|(x, z)| out_of_metal(x, 0.0, z, radius)).collect(),
            Layout::Pair { shared, middle } => {
                let half = 0.5 * treatment.spacing_mm.unwrap_or(0.0);
                shared
                    .nodes()
                    .map(|(x, z)| {
                        let [x, y, z] = out_of_metal(x - half, 0.0, z, radius);
                        [x + half, y, z]
                    })
                    .chain(middle.nodes().map(|(y, z)| [0.0, y, z]))
                    .collect()
            }
            Layout::Rays => rays(treatment, radius),
        };
        let problem = self.problem(treatment, inputs, until_s, &points)?;
        let result = solve(&problem, &mut |_| !(self.stop)()).map_err(|e| e.to_string())?;
        let mut t_s = vec![0.0];
        let mut temperature_c = vec![vec![treatment.start_c; points.len()]];
        for snapshot in &result.snapshots {
            t_s.push(snapshot.t_s);
            // Names ascend with the points.
            temperature_c.push(snapshot.probes.values().copied().collect());
        }
        Ok(Heated {
            layout,
            t_s,
            temperature_c,
            power: result.curves.t_s.iter().copied().zip(result.curves.power_w).collect(),
            radius_mm: radius,
            tip_mm: treatment.tip_mm,
        })
    }

    fn problem(
        &self,
        treatment: &Treatment,
        inputs: &Inputs,
        until_s: f64,
        points: &[[f64; 3]],
    ) -> Result<LesionProblem, String> {
        let blood = find(&self.catalog.tissues, "blood").ok_or("the catalogue has no blood")?;
        let law = Edge::Law {
            law: "liver_jacques".to_owned(),
        };
        let Criterion::Law(injury) = law.criterion(&self.catalog)? else {
            return Err("the injury law is none".to_owned());
        };
        let needle = Needle {
            tip: PatientPoint::new(0.0, 0.0, 0.0),
            direction: [0.0, 0.0, -1.0],
            outer_diameter_mm: treatment.diameter_mm,
            active_tip_mm: treatment.tip_mm,
            // Long enough to leave the domain.
            length_mm: treatment.tip_mm + 3.0 * SURROUNDINGS_MM,
            bend: treatment.bend,
            bevel: None,
            contacts: vec![],
            insulation_defects: vec![],
            skin_from_tip_mm: None,
            tines: vec![],
            coolant: None,
            thermocouple_tine: None,
            potential_fraction: 1.0,
            thermocouple_from_tip_mm: inputs.thermocouple_from_tip_mm,
            metal: inputs.metal,
        };
        let needles = match treatment.spacing_mm {
            None => vec![needle],
            Some(spacing) => [0.5, -0.5]
                .map(|side| Needle {
                    tip: PatientPoint::new(side * spacing, 0.0, 0.0),
                    potential_fraction: side,
                    ..needle.clone()
                })
                .to_vec(),
        };
        Ok(LesionProblem {
            tissues: vec![inputs.tissue],
            tissue_names: vec![TISSUE.to_owned()],
            anatomy: Arc::new(Homogeneous(TissueId(0))),
            domain: Domain {
                center: PatientPoint::new(0.0, 0.0, 0.5 * treatment.tip_mm),
                shape: DomainShape::Sphere {
                    radius_mm: SURROUNDINGS_MM + 0.5 * treatment.tip_mm,
                },
            },
            needles,
            drive: Drive::Temperature {
                set_temperature_c: treatment.set_c,
                ramp_s: inputs.ramp_s,
                control: Control::First,
            },
            heating_s: until_s,
            cooling_s: 0.0,
            // The studies held the set temperature, whatever their generators' limits.
            limits: Limits {
                voltage_v: 1e3,
                current_a: 1e2,
                power_w: 1e4,
            },
            injury,
            perfusion: if treatment.perfused {
                Perfusion::StopsWithInjury
            } else {
                Perfusion::Off
            },
            blood: Blood {
                density_kg_per_m3: blood.density_kg_per_m3.value,
                specific_heat_j_per_kg_k: blood.specific_heat_j_per_kg_k.value,
                temperature_c: BODY_C,
            },
            initial_temperature_c: treatment.start_c,
            boundary_temperature_c: treatment.start_c,
            boiling: true,
            injectate: None,
            tissue_injury: Vec::new(),
            more_injury: Vec::new(),
            more_isotherms_c: Vec::new(),
            dose_contours_min: Vec::new(),
            probes: points
                .iter()
                .enumerate()
                .map(|(i, p)| Probe {
                    name: format!("{i:06}"),
                    position: PatientPoint::new(p[0], p[1], p[2]),
                })
                .collect(),
            output_times_s: readings(until_s),
            nerves: Vec::new(),
            pad: None,
            solver: SolverSettings {
                cell_size: inputs.cell_size,
                estimate_error: false,
                ..SolverSettings::default()
            },
        })
    }
}

/// Times at which temperatures are kept: often while they rise.
fn readings(until_s: f64) -> Vec<f64> {
    let mut all = Vec::new();
    let mut t = 0.0;
    while t < until_s {
        t += if t < 30.0 {
            2.5
        } else if t < 180.0 {
            5.0
        } else {
            20.0
        };
        all.push(f64::min(t, until_s));
    }
    all
}

/// Points on three rays from the metal of a curved needle: on the inner and on the outer side from the middle of the active tip, and
/// straight on from its end.
fn rays(treatment: &Treatment, radius_mm: f64) -> Vec<[f64; 3]> {
    let Some(bend) = treatment.bend else { return Vec::new() };
    let angle = bend.angle_deg.to_radians();
    let curve_mm = bend.length_mm / angle;
    let (straight, side) = (-Vec3::z(), Vec3::x());
    // The tip is the origin; φ is the angle turned since the arc began.
    let forward = |phi: f64| straight * phi.cos() + side * phi.sin();
    let inward = |phi: f64| side * phi.cos() - straight * phi.sin();
    let place = |phi: f64| straight * (curve_mm * phi.sin()) + side * (curve_mm * (1.0 - phi.cos()));
    let middle = angle - 0.5 * treatment.tip_mm / curve_mm;
    let foot = place(middle) - place(angle);
    [
        (foot, inward(middle), radius_mm),
        (foot, -inward(middle), radius_mm),
        (Vec3::zeros(), forward(angle), 0.0),
    ]
    .into_iter()
    .flat_map(|(foot, way, from)| (0..RAY_POINTS).map(move |i| (foot + way * (from + 0.01 + RAY_MM * i as f64)).into()))
    .collect()
}

impl Heated {
    /// Level of the points from `first` on, at a time that was kept.
    fn level(&self, criterion: &Criterion, t_s: f64, first: usize, count: usize) -> Result<Vec<f64>, String> {
        let n = 1 + self
            .t_s
            .iter()
            .position(|t| (t - t_s).abs() < 1e-6)
            .ok_or_else(|| format!("no temperatures were kept at {t_s} s"))?;
        Ok((first..first + count)
            .map(|i| criterion.level(&self.t_s[..n], self.temperature_c[..n].iter().map(|row| row[i])))
            .collect())
    }

    /// The size at a time; zero when there is no lesion.
    fn size(&self, criterion: &Criterion, t_s: f64) -> Result<Size, String> {
        let Layout::Single(plane) = &self.layout else {
            return Err("not a single straight needle".to_owned());
        };
        let level = self.level(criterion, t_s, 0, plane.nodes().count())?;
        Ok(plane.size(&level)?.unwrap_or(Size {
            width_mm: 0.0,
            length_mm: 0.0,
            distal_mm: 0.0,
            proximal_mm: 0.0,
        }))
    }

    /// Level at the metal's surface in the middle of the active tip.
    ///
    /// # Errors
    /// When the run is of another kind or the time was not kept.
    pub fn level_at_tip(&self, criterion: &Criterion, t_s: f64) -> Result<f64, String> {
        let Layout::Single(plane) = &self.layout else {
            return Err("not a single straight needle".to_owned());
        };
        let distance = |p: (f64, f64)| (p.0 - self.radius_mm).abs() + (p.1 - 0.5 * self.tip_mm).abs();
        let at = plane
            .nodes()
            .enumerate()
            .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))
            .map_or(0, |(i, _)| i);
        Ok(self.level(criterion, t_s, at, 1)?[0])
    }

    /// Sizes of a pair's lesion at a time.
    ///
    /// # Errors
    /// When the run is of another kind or the lesion outgrows the lattice.
    pub fn pair(&self, criterion: &Criterion, t_s: f64, spacing_mm: f64) -> Result<PairSize, String> {
        let Layout::Pair { shared, middle } = &self.layout else {
            return Err("not a pair of needles".to_owned());
        };
        let n = shared.nodes().count();
        let level = self.level(criterion, t_s, 0, n)?;
        let spans: Vec<f64> = shared
            .spans_along(&level)?
            .into_iter()
            .map(|s| s.map_or(0.0, |(low, high)| high - low))
            .collect();
        let across = shared.edges_across(&level)?.into_iter().flatten().fold(0.0, f64::max);
        let largest = spans.iter().copied().fold(0.0, f64::max);
        let least = spans
            .iter()
            .zip(&shared.across)
            .filter(|(_, x)| **x <= 0.5 * spacing_mm)
            .fold(f64::INFINITY, |least, (s, _)| least.min(*s));
        let level = self.level(criterion, t_s, n, middle.nodes().count())?;
        let edges = middle.edges_across(&level)?;
        let step = middle.along[1] - middle.along[0];
        Ok(PairSize {
            middle_mm2: edges.iter().flatten().map(|y| 2.0 * y * step).sum(),
            middle_along_mm: middle.spans_along(&level)?[0].map_or(0.0, |(low, high)| high - low),
            middle_deep_mm: 2.0 * edges.iter().flatten().copied().fold(0.0, f64::max),
            across_mm: 2.0 * across,
            least_over_largest: if largest > 0.0 { least / largest } else { 0.0 },
        })
    }

    /// Reaches in mm from a curved needle: inner side, outer side, past the tip.
    ///
    /// # Errors
    /// When the run is of another kind or the lesion outgrows the rays.
    pub fn reaches(&self, criterion: &Criterion, t_s: f64) -> Result<[f64; 3], String> {
        if self.layout != Layout::Rays {
            return Err("not a curved needle".to_owned());
        }
        let mut all = [0.0; 3];
        for (k, reach) in all.iter_mut().enumerate() {
            let ray = Plane {
                across: (0..RAY_POINTS).map(|i| RAY_MM * i as f64).collect(),
                along: vec![0.0],
            };
            let level = self.level(criterion, t_s, k * RAY_POINTS, RAY_POINTS)?;
            *reach = ray.edges_across(&level)?[0].unwrap_or(0.0);
        }
        Ok(all)
    }

    /// Mean power in W up to a time.
    pub fn mean_power_w(&self, t_s: f64) -> f64 {
        let energy: f64 = self
            .power
            .windows(2)
            .filter(|w| w[1].0 <= t_s + 1e-6)
            .map(|w| 0.5 * (w[1].0 - w[0].0) * (w[0].1 + w[1].1))
            .sum();
        energy / t_s
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn treatment(diameter_mm: f64) -> Treatment {
        Treatment {
            diameter_mm,
            tip_mm: 5.0,
            set_c: 80.0,
            start_c: 21.0,
            perfused: false,
            spacing_mm: None,
            bend: None,
        }
    }

    #[test]
    fn the_lattice_reads_what_the_solver_reports() {
        let mut bench = Bench::new(|| false).unwrap();
        bench.inputs.cell_size = 2.5;
        let t = treatment(0.908);
        let plane = Plane::beside(0.454, 5.0, 10.0);
        let points: Vec<[f64; 3]> = plane.nodes().map(|(x, z)| out_of_metal(x, 0.0, z, 0.454)).collect();
        let mut inputs = bench.inputs.clone();
        inputs.tissue.perfusion_per_s = 0.0;
        let problem = bench.problem(&t, &inputs, 30.0, &points).unwrap();
        let contours = solve(&problem, &mut |_| true)
            .unwrap()
            .snapshots
            .last()
            .unwrap()
            .contours
            .clone();
        for (edge, contour) in [
            (Edge::Isotherm { isotherm_c: 50.0 }, contours.iso50),
            (Edge::Isotherm { isotherm_c: 60.0 }, contours.iso60),
            (
                Edge::Law {
                    law: "liver_jacques".to_owned(),
                },
                contours.omega1,
            ),
        ] {
            let size = bench.size(&t, 30.0, 30.0, &edge).unwrap();
            let contour = contour.unwrap();
            for (a, b) in [(size.width_mm, contour.width_mm), (size.length_mm, contour.length_mm)] {
                assert!((a - b).abs() < 0.015 * b, "{}: {a} against {b}", edge.text());
            }
        }
        assert_eq!(bench.runs.len(), 1);
    }

    #[test]
    fn inputs_that_do_not_enter_make_no_other_run() {
        let mut bench = Bench::new(|| false).unwrap();
        bench.inputs.cell_size = 3.0;
        let t = treatment(0.908);
        bench.heat(&t, 5.0).unwrap();
        bench.set("perfusion_per_s", 0.003).unwrap();
        bench.heat(&t, 2.5).unwrap();
        assert_eq!(bench.runs.len(), 1);
        bench.set("start_temperature_c", 25.0).unwrap();
        bench.heat(&t, 5.0).unwrap();
        assert_eq!(bench.runs.len(), 2);
        assert!(bench.set("colour", 1.0).unwrap_err().contains("colour"));
    }

    #[test]
    fn rays_start_at_the_metal() {
        let mut t = treatment(0.7);
        t.bend = Some(Bend {
            angle_deg: 90.0,
            length_mm: 10.0 * std::f64::consts::FRAC_PI_2,
            towards: [1.0, 0.0, 0.0],
        });
        t.tip_mm = 10.0 * std::f64::consts::FRAC_PI_2;
        let points = rays(&t, 0.35);
        let at = |i: usize| Vec3::from(points[i]);
        // A quarter circle of 10 mm about (0, 0, 10), which ends at the origin and runs along x there.
        let centre = Vec3::z() * 10.0;
        assert!(((at(0) - centre).norm() - 9.64).abs() < 1e-9);
        assert!(((at(RAY_POINTS) - centre).norm() - 10.36).abs() < 1e-9);
        assert!((at(2 * RAY_POINTS) - Vec3::x() * 0.01).norm() < 1e-9);
        assert!((at(0) - at(RAY_POINTS)).norm() - 0.72 < 1e-9);
    }
}
