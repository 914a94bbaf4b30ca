//! The spread of an injection in time.

use std::{f64::consts::PI, sync::Arc};

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::transport::{BoxGrid, Carrier, Flow, FlowProblem, FlowSource, Mixing, Sheet, Solute};
use rayon::prelude::*;
use serde::Serialize;

use super::{
    AnaesthesiaError, Dose, Injection, Plasma, Solution, TissueTransport,
    nerve::{NerveExposure, bracket},
};
use crate::{
    anatomy::{TissueField, TissueId},
    lesion::{Injectate, ShareField},
};

const MM: f64 = 1e-3;
/// Steps of the injection.
const INJECTION_STEPS: usize = 60;
/// Steps after it: the first, the longest, and each one's share of the time since.
const FIRST_STEP_S: f64 = 2.0;
const LONGEST_STEP_S: f64 = 60.0;
const STEP_SHARE: f64 = 0.1;
/// Times kept beside those asked for: as many during the injection, and one at each such growth of the time since.
const KEPT_WHILE_INJECTING: usize = 6;
const KEPT_GROWTH: f64 = 1.3;
/// The fluid enters through cells within this distance of the tip, or else those nearest within [`REACH_MM`].
const MOUTH_MM: f64 = 0.75;
const REACH_MM: f64 = 2.5;
/// Porosity and half space by which the box is laid out.
const LAYOUT_POROSITY: f64 = 0.25;
/// The fluid's edge: where it takes this part of the pores.
const EDGE: f64 = 0.5;
/// Samples a side in cells that a border cuts.
const SUB: usize = 3;

/// How far a computation has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Time reached, s from the start of the injection.
    pub t_s: f64,
    /// End, s.
    pub end_s: f64,
}

/// Figures of the spread at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SpreadPoint {
    /// Time, s from the start of the injection.
    pub t_s: f64,
    /// Volume of tissue in which the fluid takes at least half of the pores, ml.
    pub volume_ml: f64,
    /// Radius of the ball of that volume, mm.
    pub radius_mm: f64,
    /// Farthest place from the tip that it reaches, mm.
    pub reach_mm: f64,
    /// Fluid in the tissue, ml: its salt, once it diffuses and is taken up.
    pub fluid_ml: f64,
    /// Highest concentration of the drug in pores, mmol/l.
    pub highest_mmol_per_l: f64,
    /// Drug in the tissue, mg.
    pub drug_mg: f64,
    /// Drug that blood has taken up, mg.
    pub absorbed_mg: f64,
    /// Drug in plasma, mg/l.
    pub plasma_mg_per_l: f64,
}

/// How well it was computed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SpreadEvidence {
    /// Cells.
    pub cells: usize,
    /// Side of a cell, mm.
    pub cell_mm: f64,
    /// Steps in time.
    pub steps: usize,
    /// Iterations of the pressure.
    pub iterations: usize,
    /// Its relative residual.
    pub residual: f64,
    /// Fluid put in less what is there, was taken up and left, over what was put in.
    pub fluid_imbalance: f64,
    /// The same of the drug.
    pub drug_imbalance: f64,
    /// Part of the fluid that left the region computed.
    pub left_fraction: f64,
    /// Largest part of the pores that the fluid takes anywhere: at most 1.
    pub highest_part: f64,
    /// Pressure at the tip while it is injected, kPa.
    pub tip_pressure_kpa: f64,
}

/// Fields at one time, as parts of pores.
#[derive(Debug, Clone)]
struct Frame {
    /// Part of the pores that the fluid takes.
    fluid: Vec<f32>,
    /// Concentration of the drug in pores, mmol/l.
    drug: Vec<f32>,
}

/// The spread of an injection.
#[derive(Clone)]
pub struct Spread {
    /// What was injected.
    pub solution: Solution,
    /// How much, ml.
    pub volume_ml: f64,
    /// How fast, ml/min.
    pub rate_ml_per_min: f64,
    /// Where, mm.
    pub tip: PatientPoint,
    /// Seconds that it took.
    pub injected_s: f64,
    /// The dose, where there is a drug.
    pub dose: Option<Dose>,
    /// Figures of each step.
    pub curve: Vec<SpreadPoint>,
    /// The nerves, in the order given.
    pub nerves: Vec<NerveExposure>,
    /// Tissues in the region computed, ascending.
    pub tissues: Vec<TissueId>,
    /// How well it was computed.
    pub evidence: SpreadEvidence,
    grid: BoxGrid,
    open: Vec<bool>,
    times_s: Vec<f64>,
    frames: Vec<Frame>,
    anatomy: Arc<dyn TissueField>,
    porosity: Vec<f64>,
}

/// What lies in the cells.
struct Cells {
    permeability_m2: Vec<f64>,
    porosity: Vec<f64>,
    perfusion_per_s: Vec<f64>,
    /// Part of each cell that is open.
    open: Vec<f64>,
    /// Tissues met, ascending.
    tissues: Vec<TissueId>,
}

/// Computes an injection and what follows. `progress` is told after each step and answers whether to go on.
///
/// # Errors
/// [`AnaesthesiaError`].
pub fn inject(injection: &Injection, progress: &mut dyn FnMut(Progress) -> bool) -> Result<Spread, AnaesthesiaError> {
    injection.check()?;
    let grid = layout(injection)?;
    let cells = fill(injection, &grid)?;
    let sheets: Vec<Sheet> = injection
        .fasciae
        .iter()
        .map(|f| Sheet {
            point_m: f.point.vec() * MM,
            normal: Vec3::from(f.normal).normalize(),
            radius_m: f.radius_mm * MM,
        })
        .collect();
    let duration_s = injection.duration_s();
    let rate = injection.volume_ml * 1e-6 / duration_s;
    let mut sources = mouth(injection, &grid, &cells, rate)?;
    let flow = loop {
        let solved = Flow::new(&FlowProblem {
            grid: &grid,
            permeability_m2: &cells.permeability_m2,
            sheets: &sheets,
            viscosity_pa_s: injection.solution.viscosity_pa_s,
            sources: &sources,
            outer_pressure_pa: &|_| 0.0,
        });
        match solved {
            // A pocket beside the mouth, such as a cell between two of bone, takes nothing.
            Err(neurotome_physics::transport::FlowError::Enclosed { cell }) if sources.len() > 1 => {
                sources.retain(|s| s.cell != cell);
                let each = rate / sources.len() as f64;
                for s in &mut sources {
                    s.rate_m3_per_s = each;
                }
            }
            solved => break solved?,
        }
    };
    let carrier = Carrier::new(&grid, &flow, &sources);
    let solution = &injection.solution;
    let drug = solution.drug.as_ref();
    let cell_m3 = grid.cell_m3();
    // Only what fluid can reach: flow.order holds it.
    let mut open = vec![false; grid.cells()];
    for c in &flow.order {
        open[*c as usize] = true;
    }
    let capacity = |partition: f64| -> Vec<f64> {
        let beta = |i: usize| {
            if open[i] {
                (cells.porosity[i] + cells.open[i] * partition) * cell_m3
            } else {
                0.0
            }
        };
        (0..grid.cells()).map(beta).collect()
    };
    let mixing = |solute: &Solute, diffusion: f64, extraction: f64| {
        let spread: Vec<f64> = cells.porosity.iter().map(|phi| phi * diffusion).collect();
        let uptake = |i: usize| match solute.capacity_m3[i] {
            c if c > 0.0 => cells.perfusion_per_s[i] * extraction * cell_m3 / c,
            _ => 0.0,
        };
        Mixing::new(&grid, &spread, (0..grid.cells()).map(uptake).collect(), solute, &sheets)
    };
    let mut fluid = Solute::new(capacity(0.0));
    let fluid_mixing = mixing(&fluid, solution.salt_diffusion_m2_per_s, solution.salt_extraction);
    let mut medicine = Solute::new(capacity(drug.map_or(0.0, |d| d.partition)));
    let drug_mixing = mixing(
        &medicine,
        drug.map_or(0.0, |d| d.diffusion_m2_per_s),
        drug.map_or(0.0, |d| d.extraction),
    );
    let mut plasma = drug.map(Plasma::new);
    let mut spread = Spread {
        solution: solution.clone(),
        volume_ml: injection.volume_ml,
        rate_ml_per_min: injection.rate_ml_per_min,
        tip: injection.tip,
        injected_s: duration_s,
        dose: drug.map(|d| Dose::new(d, injection.volume_ml, injection.body_mass_kg)),
        curve: Vec::new(),
        nerves: injection
            .nerves
            .iter()
            .map(|n| NerveExposure::new(n, drug, &injection.rule))
            .collect(),
        tissues: cells.tissues.clone(),
        evidence: SpreadEvidence {
            cells: flow.order.len(),
            cell_mm: grid.spacing_m() / MM,
            steps: 0,
            iterations: flow.iterations,
            residual: flow.residual,
            fluid_imbalance: 0.0,
            drug_imbalance: 0.0,
            left_fraction: 0.0,
            highest_part: 0.0,
            tip_pressure_kpa: sources.iter().map(|s| flow.pressure_pa[s.cell]).fold(0.0, f64::max) / 1000.0,
        },
        grid,
        open,
        times_s: Vec::new(),
        frames: Vec::new(),
        anatomy: Arc::clone(&injection.anatomy),
        porosity: injection
            .transport
            .iter()
            .map(|t| t.filter(|t| t.permeability_m2 > 0.0).map_or(0.0, |t| t.porosity))
            .collect(),
    };
    spread.keep(0.0, &fluid, &medicine);
    spread.tell(0.0, &fluid, &medicine, 0.0);
    let end_s = duration_s + injection.follow_s;
    let (mut t, mut absorbed_before) = (0.0, 0.0);
    for (to, keep) in times(duration_s, injection.follow_s, &injection.keep_s) {
        let dt = to - t;
        let carries = to <= duration_s * (1.0 + 1e-12);
        if carries {
            fluid.carry(&carrier, 1.0, dt);
        }
        fluid.mix(&fluid_mixing, dt);
        if let Some(d) = drug {
            if carries {
                // mmol/l is mol/m³.
                medicine.carry(&carrier, d.mmol_per_l, dt);
            }
            medicine.mix(&drug_mixing, dt);
        }
        t = to;
        let mass_mg = drug.map_or(0.0, |d| 1000.0 * d.molar_mass_g_per_mol);
        let mut in_plasma = 0.0;
        if let Some(plasma) = &mut plasma {
            plasma.step((medicine.absorbed - absorbed_before) * mass_mg, dt);
            absorbed_before = medicine.absorbed;
            in_plasma = plasma.mg_per_l();
        }
        for i in 0..spread.nerves.len() {
            let outside = spread.nerves[i]
                .places
                .iter()
                .map(|p| spread.between(p, |cell| medicine.concentration(cell)) as f32)
                .collect();
            spread.nerves[i].step(t, outside);
        }
        spread.tell(t, &fluid, &medicine, in_plasma);
        if keep {
            spread.keep(t, &fluid, &medicine);
        }
        spread.evidence.steps += 1;
        if !progress(Progress { t_s: t, end_s }) {
            return Err(AnaesthesiaError::Cancelled { t_s: t });
        }
    }
    spread.evidence.fluid_imbalance = fluid.imbalance();
    spread.evidence.drug_imbalance = medicine.imbalance();
    spread.evidence.left_fraction = fluid.left / fluid.injected;
    Ok(spread)
}

/// The box of cells: twice the radius of a half ball of the fluid to each side.
fn layout(injection: &Injection) -> Result<BoxGrid, AnaesthesiaError> {
    let radius_mm = (2.0 * 3.0 * 1000.0 * injection.volume_ml / (4.0 * PI * LAYOUT_POROSITY)).cbrt();
    let cell_mm = injection.cell_mm.unwrap_or((radius_mm / 14.0).clamp(0.4, 1.2));
    let half_mm = 1.6 * radius_mm + 4.0;
    Ok(BoxGrid::around(injection.tip.vec() * MM, half_mm * MM, cell_mm * MM)?)
}

/// Looks up the tissue at the cells' middles, and at more points in cells that differ from a neighbour.
fn fill(injection: &Injection, grid: &BoxGrid) -> Result<Cells, AnaesthesiaError> {
    let at = |p: &Vec3| injection.anatomy.tissue_at(&PatientPoint::from_vec(p / MM));
    let middle: Vec<TissueId> = (0..grid.cells())
        .into_par_iter()
        .with_min_len(1024)
        .map(|i| at(&grid.center_m(i)))
        .collect();
    let [nx, ny, nz] = grid.dims();
    let differs = |cell: usize| {
        let [i, j, k] = grid.place(cell);
        let ranges = [(i, nx), (j, ny), (k, nz)].map(|(i, n)| i.saturating_sub(1)..(i + 2).min(n));
        let [x, y, z] = ranges;
        z.clone().any(|k| {
            y.clone().any(|j| {
                let row = nx * (j + ny * k);
                middle[row + x.start..row + x.end].iter().any(|t| *t != middle[cell])
            })
        })
    };
    let of = |t: TissueId| -> Result<(TissueTransport, f64), AnaesthesiaError> {
        let index = usize::from(t.0);
        let transport = injection.transport.get(index).copied().flatten();
        let transport = transport.ok_or_else(|| AnaesthesiaError::Tissue {
            name: injection
                .tissue_names
                .get(index)
                .cloned()
                .unwrap_or_else(|| format!("{index}")),
        })?;
        Ok((transport, injection.perfusion_per_s.get(index).copied().unwrap_or(0.0)))
    };
    // Mean of the open part: permeability and porosity of what is open, over the whole cell.
    let mean = |tissues: &mut dyn Iterator<Item = TissueId>| -> Result<[f64; 4], AnaesthesiaError> {
        let (mut sum, mut count) = ([0.0; 4], 0.0);
        for t in tissues {
            let (transport, perfusion) = of(t)?;
            if transport.permeability_m2 > 0.0 {
                sum[0] += transport.permeability_m2;
                sum[1] += transport.porosity;
                sum[2] += perfusion;
                sum[3] += 1.0;
            }
            count += 1.0;
        }
        Ok(sum.map(|s| s / count))
    };
    let h = grid.spacing_m();
    let all: Vec<Result<[f64; 4], AnaesthesiaError>> = (0..grid.cells())
        .into_par_iter()
        .with_min_len(1024)
        .map(|cell| {
            if !differs(cell) {
                return mean(&mut std::iter::once(middle[cell]));
            }
            let center = grid.center_m(cell);
            let offset = |n: usize| ((n as f64 + 0.5) / SUB as f64 - 0.5) * h;
            let mut points = (0..SUB.pow(3)).map(|n| {
                let step = Vec3::new(offset(n % SUB), offset(n / SUB % SUB), offset(n / (SUB * SUB)));
                at(&(center + step))
            });
            mean(&mut points)
        })
        .collect();
    let mut cells = Cells {
        permeability_m2: Vec::with_capacity(all.len()),
        porosity: Vec::with_capacity(all.len()),
        perfusion_per_s: Vec::with_capacity(all.len()),
        open: Vec::with_capacity(all.len()),
        tissues: Vec::new(),
    };
    let mut met = [false; 256];
    for t in &middle {
        met[usize::from(t.0)] = true;
    }
    cells.tissues = (0..=u8::MAX).filter(|t| met[usize::from(*t)]).map(TissueId).collect();
    for cell in all {
        let [permeability, porosity, perfusion, open] = cell?;
        cells.permeability_m2.push(permeability);
        cells.porosity.push(porosity);
        cells.perfusion_per_s.push(perfusion);
        cells.open.push(open);
    }
    Ok(cells)
}

/// Cells through which the fluid enters.
fn mouth(
    injection: &Injection,
    grid: &BoxGrid,
    cells: &Cells,
    rate_m3_per_s: f64,
) -> Result<Vec<FlowSource>, AnaesthesiaError> {
    let tip = injection.tip.vec() * MM;
    let mut near: Vec<(f64, usize)> = (0..grid.cells())
        .filter(|i| cells.permeability_m2[*i] > 0.0)
        .map(|i| ((grid.center_m(i) - tip).norm(), i))
        .filter(|(d, _)| *d <= REACH_MM * MM)
        .collect();
    near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let Some(nearest) = near.first().map(|n| n.0) else {
        let tissue = usize::from(injection.anatomy.tissue_at(&injection.tip).0);
        return Err(AnaesthesiaError::Tip {
            tip_mm: injection.tip.xyz,
            tissue: injection.tissue_names.get(tissue).cloned().unwrap_or_default(),
            reach_mm: REACH_MM,
        });
    };
    near.retain(|(d, _)| *d <= (MOUTH_MM * MM).max(nearest * (1.0 + 1e-9)));
    let each = rate_m3_per_s / near.len() as f64;
    Ok(near
        .into_iter()
        .map(|(_, cell)| FlowSource {
            cell,
            rate_m3_per_s: each,
        })
        .collect())
}

/// Ends of the steps, and whether the fields are kept there.
fn times(duration_s: f64, follow_s: f64, keep_s: &[f64]) -> Vec<(f64, bool)> {
    let mut all: Vec<(f64, bool)> = (1..=INJECTION_STEPS)
        .map(|k| {
            let t = if k == INJECTION_STEPS {
                duration_s
            } else {
                duration_s * k as f64 / INJECTION_STEPS as f64
            };
            (t, k % (INJECTION_STEPS / KEPT_WHILE_INJECTING) == 0)
        })
        .collect();
    let mut asked: Vec<f64> = keep_s.iter().copied().filter(|t| *t > 0.0 && *t < follow_s).collect();
    asked.push(follow_s);
    asked.sort_by(f64::total_cmp);
    let (mut since, mut kept) = (0.0, FIRST_STEP_S);
    for stop in asked {
        while since < stop {
            let mut next = since + (STEP_SHARE * since).clamp(FIRST_STEP_S, LONGEST_STEP_S);
            // No sliver before a stop.
            if next + 0.5 * FIRST_STEP_S > stop {
                next = stop;
            }
            since = next;
            let at_stop = since >= stop;
            let grown = since >= KEPT_GROWTH * kept;
            if grown || at_stop {
                kept = since;
            }
            all.push((duration_s + since, grown || at_stop));
        }
    }
    all
}

impl Spread {
    fn keep(&mut self, t_s: f64, fluid: &Solute, drug: &Solute) {
        let field = |s: &Solute| (0..self.grid.cells()).map(|i| s.concentration(i) as f32).collect();
        let frame = Frame {
            fluid: field(fluid),
            drug: if self.solution.drug.is_some() {
                field(drug)
            } else {
                Vec::new()
            },
        };
        self.times_s.push(t_s);
        self.frames.push(frame);
    }

    fn tell(&mut self, t_s: f64, fluid: &Solute, drug: &Solute, plasma_mg_per_l: f64) {
        let (mut count, mut reach, mut highest, mut part) = (0usize, 0.0f64, 0.0f64, 0.0f64);
        let tip = self.tip.vec() * MM;
        for i in 0..self.grid.cells() {
            let c = fluid.concentration(i);
            part = part.max(c);
            if c >= EDGE {
                count += 1;
                reach = reach.max((self.grid.center_m(i) - tip).norm());
            }
            highest = highest.max(drug.concentration(i));
        }
        let volume_ml = count as f64 * self.grid.cell_m3() * 1e6;
        let mg = self
            .solution
            .drug
            .as_ref()
            .map_or(0.0, |d| 1000.0 * d.molar_mass_g_per_mol);
        self.evidence.highest_part = self.evidence.highest_part.max(part);
        self.curve.push(SpreadPoint {
            t_s,
            volume_ml,
            radius_mm: (3.0 * 1000.0 * volume_ml / (4.0 * PI)).cbrt(),
            reach_mm: reach / MM,
            fluid_ml: fluid.total() * 1e6,
            highest_mmol_per_l: highest,
            drug_mg: drug.total() * mg,
            absorbed_mg: drug.absorbed * mg,
            plasma_mg_per_l,
        });
    }

    /// The mean of a cells' value about a point, over the open cells among the eight about it; zero where there is none.
    fn between(&self, p: &PatientPoint, value: impl Fn(usize) -> f64) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        self.grid.between(&(p.vec() * MM), |cell, w| {
            if self.open[cell] {
                sum += w * value(cell);
                weight += w;
            }
        });
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    fn at(&self, p: &PatientPoint, t_s: f64, field: impl Fn(&Frame, usize) -> f64) -> f64 {
        let (i, w) = bracket(&self.times_s, t_s);
        let (a, b) = (&self.frames[i], &self.frames[(i + 1).min(self.frames.len() - 1)]);
        self.between(p, |cell| (1.0 - w) * field(a, cell) + w * field(b, cell))
    }

    /// Time followed, s from the start of the injection.
    pub fn end_s(&self) -> f64 {
        self.times_s.last().copied().unwrap_or(0.0)
    }

    /// Concentration of the drug in the fluid of the pores at a point and time (s from the start of the injection), mmol/l. Within half a cell of
    /// open tissue closed tissue has that of its neighbour, so that a nerve that touches bone is not missed.
    pub fn concentration_mmol_per_l(&self, p: &PatientPoint, t_s: f64) -> f64 {
        if self.solution.drug.is_none() {
            return 0.0;
        }
        self.at(p, t_s, |frame, cell| f64::from(frame.drug[cell]))
    }

    /// Share of the volume that fluid can take at a point: zero in closed tissue.
    pub fn porosity(&self, p: &PatientPoint) -> f64 {
        self.porosity_of(self.anatomy.tissue_at(p))
    }

    fn porosity_of(&self, tissue: TissueId) -> f64 {
        self.porosity.get(usize::from(tissue.0)).copied().unwrap_or(0.0)
    }

    /// The fluid's share of the volume at a point and time, 0 to 1: none in closed tissue.
    pub fn share(&self, p: &PatientPoint, t_s: f64) -> f64 {
        self.share_in(self.anatomy.tissue_at(p), p, t_s)
    }

    /// The same where the tissue at the point is known: to look it up is the dearer part.
    pub fn share_in(&self, tissue: TissueId, p: &PatientPoint, t_s: f64) -> f64 {
        let porosity = self.porosity_of(tissue);
        if porosity <= 0.0 {
            return 0.0;
        }
        let part = self.at(p, t_s, |frame, cell| f64::from(frame.fluid[cell]));
        (porosity * part).clamp(0.0, 1.0)
    }

    /// The fluid as a lesion takes it, at a time after the end of the injection, s.
    pub fn injectate_at(self: &Arc<Self>, wait_s: f64) -> Injectate {
        Injectate {
            share: Arc::new(SpreadShare {
                spread: Arc::clone(self),
                t_s: self.injected_s + wait_s,
            }),
            sigma_s_per_m: self.solution.sigma_s_per_m,
            density_kg_per_m3: self.solution.density_kg_per_m3,
            specific_heat_j_per_kg_k: self.solution.specific_heat_j_per_kg_k,
        }
    }

    /// Middle of the first cell in mm, cells a side and their side in mm, for files.
    pub fn lattice(&self) -> (PatientPoint, [usize; 3], f64) {
        let first = PatientPoint::from_vec(self.grid.center_m(0) / MM);
        (first, self.grid.dims(), self.grid.spacing_m() / MM)
    }

    /// Diameter of the skin that is numb at a time, mm: of the circle as large as the part of the plane through `at`, normal to `normal`, in
    /// which nine in ten Aδ endings are blocked.
    pub fn numb_diameter_mm(&self, at: &PatientPoint, normal: &Vec3, t_s: f64) -> f64 {
        let Some(drug) = &self.solution.drug else { return 0.0 };
        let step = 0.5 * self.grid.spacing_m() / MM;
        let n = (self.grid.dims()[0] as f64 * self.grid.spacing_m() / MM / step) as i64 / 2;
        let (u, v) = neurotome_base::geometry::perpendicular_pair(normal);
        let numb = (-n..=n)
            .flat_map(|i| (-n..=n).map(move |j| (i, j)))
            .filter(|(i, j)| {
                let p = PatientPoint::from_vec(at.vec() + u * (*i as f64 * step) + v * (*j as f64 * step));
                let c = self.concentration_mmol_per_l(&p, t_s);
                drug.blocked_share(super::FibreKind::ADelta, c) >= 0.9
            })
            .count();
        2.0 * (numb as f64 * step * step / PI).sqrt()
    }
}

/// The share of an injected fluid at one time.
#[derive(Clone)]
pub struct SpreadShare {
    /// The spread.
    pub spread: Arc<Spread>,
    /// The time, s from the start of the injection.
    pub t_s: f64,
}

impl ShareField for SpreadShare {
    fn share_at(&self, p: &PatientPoint, tissue: TissueId) -> f64 {
        self.spread.share_in(tissue, p, self.t_s)
    }
}
