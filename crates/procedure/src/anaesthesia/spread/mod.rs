//! The spread of an injection in time.

mod cells;
mod look_up;
mod times;

use std::{f64::consts::PI, sync::Arc};

use neurotome_base::{PatientPoint, Vec3};
use neurotome_physics::transport::{BoxGrid, Carrier, Flow, FlowProblem, Mixing, Sheet, Solute};
use serde::Serialize;

use super::{AnaesthesiaError, Dose, Injection, Plasma, Solution, nerve::NerveExposure};
use crate::anatomy::{TissueField, TissueId};

pub use look_up::SpreadShare;

use cells::{fill, layout, mouth};
use times::times;

const MM: f64 = 1e-3;
/// The fluid's edge: where it takes this part of the pores.
const EDGE: f64 = 0.5;

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
}
