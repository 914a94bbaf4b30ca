//! The coupled run in time, one accepted step after the other: current at extrapolated σ(T), heat by second-order backward
//! differences, injury inside the step.
//!
//! Per step: σ at the extrapolated temperature → unit potentials → heat at the wanted voltage → one heat solve, and a
//! correction where thermocouples set the voltage (`T` is linear in `V²` within a step) → injury integrated on the quadratic in
//! time through the last three temperatures. Steps follow the difference to the extrapolation; each switching of the drive
//! starts anew with one small backward Euler step.
//!
//! [`Heating`] may be stepped by hand: advance, look, change the set-point, go on. [`super::solve`] does no more than that.

mod control;
mod outputs;

use std::sync::Arc;

use neurotome_base::{
    PatientPoint,
    parallel::{for_blocks, for_parts},
};
use neurotome_physics::{
    current::{Current, Flow},
    grid::{CellField, Face, Grid, Interpolator, LevelSet},
    heat::{BOILING_C, Boiling, Heat, History},
    linear::Solved,
    medium::Medium,
};
use rayon::prelude::*;

use super::{
    Contours, Control, Drive, Evidence, LesionError, LesionProblem, Perfusion, Snapshot,
    coolant::CoolantFlow,
    drive::{Program, SAME_TIME_S, limit_v2},
    injury::Injuries,
    measure::Measure,
    setup::{LesionFrame, Setup, thermocouple},
};

/// First step after a switching, s.
const FIRST_STEP_S: f64 = 0.004;
/// Shortest step while thermocouples set the voltage, s. They lag the tissue through the metal, so that a controller asked to be
/// exact at ever shorter times answers with ever wilder pulses; real ones sample at such intervals.
const CONTROL_STEP_S: f64 = 0.1;
/// Longest step, s.
const LONGEST_STEP_S: f64 = 4.0;
/// Most passes over one step while cells begin or cease to boil.
const BOILING_PASSES: usize = 4;
/// Cells within this distance of the boiling point do not judge the step, K: their temperature has a kink there.
const BOILING_BLUR_K: f64 = 2.0;
/// Most channels whose thermocouples are controlled each by itself.
pub(super) const MAX_CHANNELS: usize = 6;

/// What the instruments show.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Time, s.
    pub t_s: f64,
    /// Thermocouple of each needle, °C.
    pub thermocouples_c: Vec<f64>,
    /// Set temperature, where there is one, °C.
    pub set_temperature_c: Option<f64>,
    /// Hottest tissue cell, °C.
    pub hottest_c: f64,
    /// Voltage of each channel, V rms.
    pub voltage_v: Vec<f64>,
    /// Current out of each needle, A rms (negative where it returns).
    pub needle_current_a: Vec<f64>,
    /// Current out of each electrode, A rms: needle by needle, in the order of [`super::Needle::electrodes`].
    pub electrode_current_a: Vec<f64>,
    /// Tissue at the distal end of the first needle, °C.
    pub tip_tissue_c: f64,
    /// Power in the tissue, W.
    pub power_w: f64,
    /// Impedance seen by the first channel, Ω; while the current is off the last one seen.
    pub impedance_ohm: f64,
    /// Current of the first channel, A rms.
    pub current_a: f64,
}

/// Points of a grid, ready to be read again and again ([`Heating::points`]).
#[derive(Debug, Clone)]
pub struct PointWeights {
    /// Cells and their weights; none outside the region.
    weights: Vec<Vec<(usize, f64)>>,
}

/// The fields that a run carries.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// Temperature of every cell, °C.
    pub temperature: Vec<f64>,
    /// Temperature of every cell at the end of heating, °C.
    pub heated: Vec<f64>,
    /// Highest temperature of every tissue cell, °C.
    pub peak: Vec<f64>,
    /// Field strength in every tissue cell at the end of heating, V/m (of a pulse: within it).
    pub field: Vec<f64>,
    /// Injury of every tissue cell.
    pub injuries: Injuries,
}

#[derive(Default)]
struct Iterations {
    solves: usize,
    total: usize,
    most: usize,
    residual: f64,
}

impl Iterations {
    fn add(&mut self, s: &Solved) {
        self.solves += 1;
        self.total += s.iterations;
        self.most = self.most.max(s.iterations);
        self.residual = self.residual.max(s.residual);
    }

    fn mean(&self) -> f64 {
        self.total as f64 / self.solves.max(1) as f64
    }
}

/// Heat that has come and gone, J.
#[derive(Default)]
struct Ledger {
    into: f64,
    out: f64,
    power_before: f64,
    loss_before: f64,
}

/// A lesion in the making.
pub struct Heating {
    pub(super) problem: LesionProblem,
    pub(super) grid: Arc<Grid>,
    pub(super) medium: Medium,
    pub(super) interpolator: Interpolator,
    pub(super) state: State,
    pub(super) evidence: Evidence,
    current: Current,
    heat: Heat,
    /// Each needle's thermocouple: weights of cells.
    sensors: Vec<Vec<(usize, f64)>>,
    coolants: Vec<CoolantFlow>,
    program: Program,
    /// Voltages set from outside, V; none while the program drives.
    outputs: Option<Vec<f64>>,
    frame: LesionFrame,
    boiling: Option<Boiling>,
    /// Perfusion of every cell at rest, W/K; zero where it has stopped.
    perfusion: Vec<f64>,
    history: History,
    t: f64,
    /// Hottest tissue cell, °C.
    hottest_c: f64,
    step_s: f64,
    /// Voltage of each channel, V.
    volts: Vec<f64>,
    /// Voltages of the last step with the drive on, V, and the current out of each electrode then, A.
    last_volts: Vec<f64>,
    /// Those before them since the last switching, and the time at which they stood.
    volts_before: Option<(f64, Vec<f64>)>,
    last_current: Vec<f64>,
    /// What flows at these voltages.
    flow: Flow,
    /// Voltage of a single channel for which the heat in the work space stands, V, and the conductance then, S; none when the
    /// potentials are newer than that heat.
    powered: Option<(f64, f64)>,
    /// Conductance seen by the first channel when it last was on, S.
    conductance: f64,
    /// Voltage of a pulse under a limit of temperature, as a part of the full one, and the mean reading of the cycle.
    pulse_share: f64,
    cycle: (f64, f64),
    potential_before: Option<(f64, Vec<Vec<f64>>)>,
    ledger: Ledger,
    potential_iterations: Iterations,
    heat_iterations: Iterations,
    /// Response of temperature to V² of each channel, and the shift it was computed for.
    responses: Vec<Vec<f64>>,
    response_shift: f64,
    /// Whether the response of a single channel is good enough to start from.
    response_known: bool,
    work: Work,
}

/// Work space.
#[derive(Default)]
struct Work {
    predicted: Vec<f64>,
    temperature: Vec<f64>,
    base: Vec<f64>,
    b: Vec<f64>,
    power: Vec<f64>,
    sink: Vec<f64>,
    spare: Vec<f64>,
    /// Temperature rises after a correction of the voltage, before the solve.
    corrected: Vec<f64>,
}

impl Heating {
    /// Lays the problem on a grid with cells `factor` times as large as asked for and the step tolerance times `slack`.
    pub(super) fn coarser(problem: &LesionProblem, factor: f64, slack: f64) -> Result<Self, LesionError> {
        let mut problem = problem.clone();
        problem.solver.cell_size *= factor;
        problem.solver.step_tolerance_k *= slack;
        Self::new(&problem)
    }

    /// Lays the problem on its grid; nothing flows yet.
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn new(problem: &LesionProblem) -> Result<Self, LesionError> {
        check(problem)?;
        let problem = problem.clone();
        let Setup { grid, medium } = Setup::new(&problem)?;
        let n = grid.cells();
        let tissue = grid.tissue_cells;
        let program = Program::new(&problem);
        let interpolator = Interpolator::new(Arc::clone(&grid));
        let current = unit_currents(&problem, &program, &grid, &medium);
        let channels = current.channels().len();
        let heat = Heat::new(&grid, &medium);
        let t0 = problem.initial_temperature_c;
        let sensors = (0..problem.needles.len())
            .map(|k| thermocouple(&problem, &interpolator, medium.metal_share, k))
            .collect::<Result<_, _>>()?;
        let coolants = CoolantFlow::all(&problem, &grid);
        let mut perfusion = if problem.perfusion == Perfusion::Off {
            vec![0.0; n]
        } else {
            medium.perfusion.clone()
        };
        // Moving fluid has no perfusion: it is one.
        for p in &medium.pinned {
            perfusion[p.cell as usize] = 0.0;
        }
        let state = State {
            temperature: vec![t0; n],
            heated: vec![t0; n],
            peak: vec![t0; tissue],
            field: vec![0.0; tissue],
            injuries: Injuries::new(&problem, &medium),
        };
        let evidence = Evidence {
            cells: n,
            faces: grid.faces.len(),
            min_temperature_c: t0,
            ..Evidence::default()
        };
        let mut heating = Self {
            frame: LesionFrame::new(&problem.needles),
            boiling: problem.boiling.then(|| Boiling::new(medium.water.clone())),
            interpolator,
            current,
            heat,
            sensors,
            coolants,
            program,
            outputs: None,
            perfusion,
            history: History::new(0.0, vec![0.0; n]),
            t: 0.0,
            hottest_c: t0,
            step_s: 0.0,
            volts: vec![0.0; channels],
            last_volts: vec![0.0; channels],
            volts_before: None,
            last_current: vec![0.0; grid.electrodes()],
            flow: Flow {
                power: 0.0,
                needle_current: vec![0.0; problem.needles.len()],
                electrode_current: vec![0.0; grid.electrodes()],
                balance: 0.0,
            },
            powered: None,
            conductance: 0.0,
            pulse_share: 1.0,
            cycle: (0.0, 0.0),
            potential_before: None,
            ledger: Ledger::default(),
            potential_iterations: Iterations::default(),
            heat_iterations: Iterations::default(),
            responses: vec![vec![0.0; n]; channels],
            response_shift: 1.0,
            response_known: false,
            work: Work {
                predicted: vec![0.0; n],
                temperature: vec![t0; n],
                base: vec![0.0; n],
                b: vec![0.0; n],
                power: vec![0.0; n],
                sink: vec![0.0; n],
                spare: vec![0.0; n],
                corrected: Vec::new(),
            },
            state,
            evidence,
            grid,
            medium,
            problem,
        };
        heating.begin()?;
        Ok(heating)
    }

    /// The first readings, and what stands before the first step.
    fn begin(&mut self) -> Result<(), LesionError> {
        self.solve_potentials(self.t)?;
        self.see_conductance();
        self.step_s = self.shortest();
        if let Some(v2) = self.program.wanted_v2(self.conductance) {
            let limit = limit_v2(&self.problem.limits, self.conductance) * self.program.mean_share();
            let v2 = v2.min(limit);
            if self.program.is_on(self.t) {
                self.set_volts(&[v2.sqrt()]);
            }
        }
        self.ledger.power_before = self.flow.power;
        Ok(())
    }

    /// Time reached, s.
    pub fn time_s(&self) -> f64 {
        self.t
    }

    /// Whether the generator's program is still on.
    pub fn heats(&self) -> bool {
        match &self.outputs {
            Some(volts) => volts.iter().any(|v| *v != 0.0),
            None => self.t < self.program.until_s - SAME_TIME_S,
        }
    }

    /// Points whose temperature will be read often; places outside the region computed have the boundary's temperature.
    pub fn points(&self, places: &[PatientPoint]) -> PointWeights {
        let share = self.medium.metal_share;
        let of = |p: &PatientPoint| self.interpolator.weights(&(p.vec() * 1e-3), share).unwrap_or_default();
        PointWeights {
            weights: places.iter().map(of).collect(),
        }
    }

    /// The temperature now at points, °C.
    pub fn temperatures_c(&self, points: &PointWeights) -> Vec<f64> {
        let field = &self.state.temperature;
        let read = |w: &Vec<(usize, f64)>| {
            if w.is_empty() {
                self.problem.boundary_temperature_c
            } else {
                w.iter().map(|(i, w)| w * field[*i]).sum()
            }
        };
        points.weights.iter().map(read).collect()
    }

    /// What the instruments show now.
    pub fn reading(&self) -> Reading {
        let rise = &self.history.newest().1;
        Reading {
            t_s: self.t,
            thermocouples_c: (0..self.sensors.len()).map(|k| self.read(k, rise)).collect(),
            set_temperature_c: self
                .outputs
                .is_none()
                .then(|| self.program.set_temperature(self.t))
                .flatten(),
            hottest_c: self.hottest_c,
            voltage_v: self.volts.clone(),
            needle_current_a: self.flow.needle_current.clone(),
            electrode_current_a: self.flow.electrode_current.clone(),
            tip_tissue_c: self.state.temperature[self.grid.shells[0].cell(0, 0, 0) as usize],
            power_w: self.flow.power,
            impedance_ohm: 1.0 / self.conductance,
            current_a: self.volts[0] * self.conductance,
        }
    }

    /// Changes what the generator does from now on; a temperature drive ramps from what its thermocouple reads now. The number of
    /// needles controlled each by itself cannot change.
    ///
    /// # Errors
    /// [`LesionError::Problem`] when the drive needs other channels.
    pub fn set_drive(&mut self, drive: Drive, for_s: f64) -> Result<(), LesionError> {
        let reading = self.read(0, &self.history.newest().1);
        let program = Program {
            drive,
            since_s: self.t,
            until_s: self.t + for_s,
            from_c: reading,
        };
        if program.channels(self.problem.needles.len()) != self.volts.len() {
            return Err(LesionError::Problem {
                step: "changing the drive",
                found: format!("a drive of {} channels", program.channels(self.problem.needles.len())),
                expected: format!("{}, as at the start", self.volts.len()),
                advice: "start a new run with that drive".into(),
            });
        }
        self.program = program;
        self.outputs = None;
        self.problem.drive = drive;
        self.switched();
        Ok(())
    }

    /// Ends the current.
    pub fn switch_off(&mut self) {
        self.program.until_s = self.t;
        self.outputs = None;
        self.switched();
    }

    /// Points on the isotherm of a temperature now, mm: where the lattice of the grid crosses it.
    pub fn isotherm(&self, temperature_c: f64) -> Vec<PatientPoint> {
        let above: Vec<f64> = self.state.temperature.iter().map(|v| v - temperature_c).collect();
        LevelSet::surface(&self.interpolator, &self.temperature_field(&above))
            .iter()
            .map(|p| PatientPoint::from_vec(p * 1e3))
            .collect()
    }

    /// Probes and contours now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            contours: self.contours(),
            ..self.probed()
        }
    }

    /// Probes and readings now, without contours.
    pub(super) fn probed(&self) -> Snapshot {
        Measure::new(&self.problem, self.frame).probed(self)
    }

    pub(super) fn contours(&self) -> Contours {
        Measure::new(&self.problem, self.frame).contours(self)
    }

    pub(super) fn temperature_field<'a>(&self, values: &'a [f64]) -> CellField<'a> {
        temperature_field(self.grid.tissue_cells, values, self.medium.metal_share)
    }

    /// Goes on by `seconds`, in as many steps as accuracy asks for; `observer` hears of each and ends it by returning false.
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn advance(&mut self, seconds: f64, observer: &mut dyn FnMut(&Self) -> bool) -> Result<(), LesionError> {
        self.advance_to(self.t + seconds, observer)
    }

    pub(super) fn advance_to(&mut self, end: f64, observer: &mut dyn FnMut(&Self) -> bool) -> Result<(), LesionError> {
        while self.t < end - SAME_TIME_S {
            let stop = self.next_switch(self.t).map_or(end, |s| s.min(end));
            while self.t < stop - SAME_TIME_S {
                self.step(stop)?;
                if !observer(self) {
                    return Err(LesionError::Cancelled { t_s: self.t });
                }
            }
            if self
                .next_switch(self.t - 2.0 * SAME_TIME_S)
                .is_some_and(|s| (s - self.t).abs() < 2.0 * SAME_TIME_S)
            {
                self.switched();
            }
        }
        Ok(())
    }

    /// After a switching the past says nothing about the future.
    fn switched(&mut self) {
        if self.outputs.is_none() && (self.t - self.program.until_s).abs() < 2.0 * SAME_TIME_S {
            self.keep_heated();
        }
        self.start_anew();
    }

    /// Keeps what stands at the end of heating.
    fn keep_heated(&mut self) {
        self.state.heated.clone_from(&self.state.temperature);
        self.keep_field_strength();
    }

    fn start_anew(&mut self) {
        self.history.restart();
        self.step_s = self.shortest();
        self.potential_before = None;
        self.volts_before = None;
    }

    /// Field strength |∇φ| of every tissue cell while the drive is on, V/m.
    fn keep_field_strength(&mut self) {
        let scale = match self.program.drive {
            // The mean power's voltage is not that of the pulse.
            Drive::Pulsed {
                pulse_s,
                rate_hz,
                resolved: false,
                ..
            } => (pulse_s * rate_hz).min(1.0).sqrt().recip(),
            _ => 1.0,
        };
        // Between resolved pulses the field is that of the last one.
        let volts = if self.volts.iter().all(|v| *v == 0.0) {
            self.last_volts.clone()
        } else {
            self.volts.clone()
        };
        let mut power = vec![0.0; self.grid.cells()];
        let _ = self.current.flow(&self.grid, &self.medium, &volts, &mut power);
        // Q = σ |∇φ|².
        for (i, e) in self.state.field.iter_mut().enumerate() {
            let conductance = self.current.conductivity(&self.medium, i) * self.grid.volume[i];
            *e = scale * (power[i] / conductance.max(f64::MIN_POSITIVE)).sqrt();
        }
    }

    /// The shortest step at this time, s.
    fn shortest(&self) -> f64 {
        match self.program.drive {
            Drive::Temperature { .. } if self.outputs.is_none() && self.program.is_on(self.t) => CONTROL_STEP_S,
            _ => FIRST_STEP_S,
        }
    }

    fn read(&self, sensor: usize, rise: &[f64]) -> f64 {
        self.problem.initial_temperature_c + self.sense(sensor, rise)
    }

    /// What a thermocouple reads of a field of temperature rises.
    fn sense(&self, sensor: usize, rise: &[f64]) -> f64 {
        self.sensors[sensor].iter().map(|(i, w)| w * rise[*i]).sum()
    }

    /// Potentials at the temperatures in the work space.
    fn solve_potentials(&mut self, t: f64) -> Result<(), LesionError> {
        let tolerance = self.problem.solver.linear_tolerance;
        let boiling = self.boiling.as_ref();
        let wet = |i: usize| boiling.map_or(1.0, |b| b.conductivity_factor(i));
        let solved = self.current.solve(
            &self.grid,
            &self.medium,
            &self.work.temperature,
            boiling.is_some().then_some(&wet as &(dyn Fn(usize) -> f64 + Sync)),
            tolerance,
        );
        self.powered = None;
        for s in &solved {
            self.potential_iterations.add(s);
            if !s.converged {
                return Err(not_converged("potential", t, s, tolerance, self.grid.cells()));
            }
        }
        Ok(())
    }

    /// Sets the channels' voltages: the heat of every cell, and what flows.
    fn set_volts(&mut self, volts: &[f64]) {
        self.volts.copy_from_slice(volts);
        if volts.iter().all(|v| *v == 0.0) {
            self.work.power.fill(0.0);
            self.flow.power = 0.0;
            self.flow.needle_current.fill(0.0);
            self.flow.electrode_current.fill(0.0);
            self.powered = None;
            return;
        }
        // What a single channel does goes with its voltage: only the first look at new potentials costs a pass over the grid.
        if let ([v], Some((before, scale))) = (volts, self.powered)
            && before > 0.0
        {
            let per = (v / before).powi(2);
            if per != 1.0 {
                for_blocks(&mut self.work.power, |_, block| {
                    for q in block {
                        *q *= per;
                    }
                });
                self.flow.power = scale * v * v;
                let flow = &mut self.flow;
                for i in flow.needle_current.iter_mut().chain(&mut flow.electrode_current) {
                    *i *= v / before;
                }
            }
        } else {
            self.flow = self.current.flow(&self.grid, &self.medium, volts, &mut self.work.power);
            let balance = self.flow.balance.abs();
            self.evidence.current_balance_relative = self.evidence.current_balance_relative.max(balance);
        }
        self.powered = match volts {
            [v] => Some((*v, self.flow.power / (v * v))),
            _ => None,
        };
        self.conductance = if volts.len() == 1 {
            self.flow.power / (volts[0] * volts[0])
        } else {
            // Of several channels the first one's own current counts.
            (self.flow.needle_current[0] / volts[0]).abs().max(1e-12)
        };
    }

    /// Conductance seen by the first channel while nothing flows.
    fn see_conductance(&mut self) {
        let one = vec![1.0; self.volts.len()];
        self.set_volts(&one);
        let zero = vec![0.0; self.volts.len()];
        self.set_volts(&zero);
    }

    /// One accepted step, to `stop` at most.
    fn step(&mut self, stop: f64) -> Result<(), LesionError> {
        loop {
            let left = stop - self.t;
            // Land on the stop without leaving a sliver.
            let dt = if left <= self.step_s * 1.0001 {
                left
            } else if left < 2.0 * self.step_s {
                0.5 * left
            } else {
                self.step_s
            };
            let t_new = if (left - dt).abs() < 1e-12 { stop } else { self.t + dt };
            if let Some(x) = self.try_step(t_new)? {
                self.accept(t_new, x);
                return Ok(());
            }
        }
    }

    /// Computes the temperatures at `t_new`; none when the step must be shorter.
    fn try_step(&mut self, t_new: f64) -> Result<Option<Vec<f64>>, LesionError> {
        let n = self.grid.cells();
        let t0 = self.problem.initial_temperature_c;
        let dt = t_new - self.t;
        self.history.extrapolate(t_new, &mut self.work.predicted);
        let predicted = &self.work.predicted;
        for_blocks(&mut self.work.temperature, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = t0 + predicted[offset + k];
            }
        });
        let on = self.is_on();
        if on {
            self.extrapolate_potentials(t_new);
            self.solve_potentials(t_new)?;
        }

        let (shift, past) = self.history.backward_difference(t_new);
        if let Some(boiling) = &mut self.boiling {
            let temperature = &self.work.temperature;
            boiling.predict(|i| temperature[i], &self.medium.capacity, dt);
        }
        let mut x = std::mem::take(&mut self.work.spare);
        x.resize(n, 0.0);
        x.copy_from_slice(&self.work.predicted);
        for pass in 0..BOILING_PASSES {
            self.set_operator(shift, &past);
            if on && let Some(volts) = self.outputs.take() {
                self.set_volts(&volts);
                self.outputs = Some(volts);
                self.solve_heat(t_new, &mut x)?;
            } else if on {
                self.drive(t_new, shift, &mut x)?;
            } else {
                let zero = vec![0.0; self.volts.len()];
                self.set_volts(&zero);
                self.solve_heat(t_new, &mut x)?;
            }
            // Cells that began or ceased to boil change the equations: once more.
            let Some(boiling) = &mut self.boiling else { break };
            if pass + 1 == BOILING_PASSES || !boiling.predict(|i| t0 + x[i], &self.medium.capacity, dt) {
                break;
            }
        }

        // Error of the step, from the distance to the extrapolation.
        let blurred = |v: f64| self.boiling.is_some() && (t0 + v - BOILING_C).abs() < BOILING_BLUR_K;
        let distance = x
            .par_iter()
            .zip(&self.work.predicted)
            .with_min_len(4096)
            .map(|(a, b)| if blurred(*a) { 0.0 } else { (a - b).abs() })
            .reduce(|| 0.0, f64::max);
        let error = self.history.step_error(t_new, distance);
        let tolerance = self.problem.solver.step_tolerance_k;
        let shortest = self.shortest();
        if error > 2.0 * tolerance && dt > shortest * 1.0001 {
            self.step_s = (dt * (0.8 * (tolerance / error).cbrt()).clamp(0.25, 0.7)).max(shortest);
            self.evidence.rejected_steps += 1;
            self.work.spare = x;
            return Ok(None);
        }
        let growth = if error > 0.0 {
            (0.85 * (tolerance / error).cbrt()).clamp(0.5, 1.8)
        } else {
            1.5
        };
        let suggested = dt * growth;
        // A step cut short to land on a stop does not hold back the next.
        self.step_s = if dt < self.step_s && growth >= 1.0 {
            suggested.max(self.step_s)
        } else {
            suggested
        }
        .clamp(shortest, LONGEST_STEP_S);
        Ok(Some(x))
    }

    /// Starts the potential solves from where the potentials are heading.
    fn extrapolate_potentials(&mut self, t_new: f64) {
        let channels = self.current.channels_mut();
        let Some((t_before, before)) = &mut self.potential_before else {
            self.potential_before = Some((self.t, channels.iter().map(|c| c.potential.clone()).collect()));
            return;
        };
        // Of a step that is tried again the potentials before it are held already.
        if self.t > *t_before {
            let w = ((t_new - self.t) / (self.t - *t_before)).min(2.0);
            for (channel, before) in channels.iter_mut().zip(before) {
                for_parts(
                    (&mut channel.potential[..], &mut before[..]),
                    |_, (potential, before)| {
                        for (v, before) in potential.iter_mut().zip(before) {
                            let now = *v;
                            *v += w * (now - *before);
                            *before = now;
                        }
                    },
                );
            }
            *t_before = self.t;
        }
    }

    /// Operator and right-hand side of the heat equation, all but the current's heat.
    fn set_operator(&mut self, shift: f64, past: &[f64]) {
        let t0 = self.problem.initial_temperature_c;
        let tissue = self.grid.tissue_cells;
        let medium = &self.medium;
        let (perfusion, temperature) = (&self.perfusion, &self.work.temperature);
        let rises = medium.tissues.iter().any(|t| t.perfusion_rise.is_some());
        let blood = self.problem.blood.temperature_c - t0;
        let boundary = self.problem.boundary_temperature_c - t0;
        let (history, outer) = (&self.history, &self.heat.outer);
        let boiling = self.boiling.as_ref().filter(|b| b.any());
        for_blocks(&mut self.work.sink, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                let i = offset + k;
                *v = perfusion[i];
                if rises
                    && i < tissue
                    && let Some(rise) = medium.tissues[usize::from(medium.tissue[i])].perfusion_rise
                {
                    *v *= rise.factor(temperature[i]);
                }
            }
        });
        let sink = &self.work.sink;
        for_blocks(&mut self.work.base, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                let i = offset + k;
                let old: f64 = history.points().iter().zip(past).map(|(p, w)| w * p.1[i]).sum();
                *v = medium.capacity[i] * old + sink[i] * blood + outer[i] * boundary;
            }
        });
        for p in &medium.pinned {
            let i = p.cell as usize;
            self.work.sink[i] += p.conductance;
            self.work.base[i] += p.conductance * (p.temperature_c - t0);
        }
        for flow in &mut self.coolants {
            flow.warm(|i| temperature[i]);
            for place in &flow.wall {
                self.work.sink[place.cell] += place.conductance;
                self.work.base[place.cell] += place.conductance * (place.coolant_c - t0);
            }
        }
        if let Some(boiling) = boiling {
            for (i, s) in boiling.sink().iter().enumerate() {
                if *s > 0.0 {
                    self.work.sink[i] += s;
                    self.work.base[i] += s * (BOILING_C - t0);
                }
            }
        }
        self.heat.set_operator(shift, &medium.capacity, &self.work.sink);
    }

    /// Solves for the temperatures with the heat in the work space.
    fn solve_heat(&mut self, t: f64, x: &mut [f64]) -> Result<(), LesionError> {
        let (base, power) = (&self.work.base, &self.work.power);
        for_blocks(&mut self.work.b, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = base[offset + k] + power[offset + k];
            }
        });
        let tolerance = self.problem.solver.linear_tolerance;
        let s = self.heat.solve(&self.work.b, x, tolerance);
        self.heat_iterations.add(&s);
        if s.converged {
            Ok(())
        } else {
            Err(not_converged("heat", t, &s, tolerance, self.grid.cells()))
        }
    }

    /// Takes a finished step over.
    fn accept(&mut self, t_new: f64, x: Vec<f64>) {
        let t0 = self.problem.initial_temperature_c;
        let dt = t_new - self.t;
        let order_two = self.history.points().len() >= 2;
        self.evidence.steps += 1;
        self.state.injuries.integrate(t0, &self.history, t_new, &x);
        let latent = self.boiling.as_mut().map_or(0.0, |b| b.evaporate(|i| t0 + x[i], dt));
        let (power, loss) = (self.flow.power, self.losses(&x));
        let ledger = &mut self.ledger;
        if order_two {
            ledger.into += 0.5 * dt * (power + ledger.power_before);
            ledger.out += 0.5 * dt * (loss + ledger.loss_before);
        } else {
            ledger.into += dt * power;
            ledger.out += dt * loss;
        }
        ledger.out += latent;
        (ledger.power_before, ledger.loss_before) = (power, loss);
        let (of_tissue, of_metal) = self.state.temperature.split_at_mut(self.grid.tissue_cells);
        for (v, x) in of_metal.iter_mut().zip(&x[of_tissue.len()..]) {
            *v = t0 + x;
        }
        let (coldest, hottest) = of_tissue
            .par_iter_mut()
            .zip(&mut self.state.peak)
            .zip(&x)
            .with_min_len(4096)
            .map(|((v, peak), x)| {
                *v = t0 + x;
                *peak = peak.max(*v);
                (*v, *v)
            })
            .reduce(
                || (f64::INFINITY, f64::NEG_INFINITY),
                |a, b| (a.0.min(b.0), a.1.max(b.1)),
            );
        let coldest = of_metal.iter().fold(coldest, |m, v| m.min(*v));
        self.evidence.min_temperature_c = self.evidence.min_temperature_c.min(coldest);
        self.hottest_c = hottest;
        if self.problem.perfusion == Perfusion::StopsWithInjury {
            for (p, w) in self.perfusion.iter_mut().zip(&self.state.injuries.omega) {
                if *w >= 1.0 {
                    *p = 0.0;
                }
            }
        }
        if self.is_on() && self.volts.iter().any(|v| *v > 0.0) {
            self.volts_before = order_two.then(|| (self.t, self.last_volts.clone()));
            self.last_volts.clone_from(&self.volts);
            self.last_current.clone_from(&self.flow.electrode_current);
        }
        self.limit_pulses(dt, t_new, &x);
        self.t = t_new;
        if let Some(old) = self.history.push(t_new, x) {
            self.work.spare = old;
        }
    }

    /// Lowers the voltage of resolved pulses while the mean reading of a cycle is above the limit.
    fn limit_pulses(&mut self, dt: f64, t_new: f64, x: &[f64]) {
        let (Some(limit), Drive::Pulsed { resolved: true, .. }) =
            (self.program.limit_temperature(), self.program.drive)
        else {
            return;
        };
        let (sum, seconds) = self.cycle;
        self.cycle = (sum + dt * self.read(0, x), seconds + dt);
        if self.program.pulse_begins(t_new) && self.cycle.1 > 0.0 {
            let mean = self.cycle.0 / self.cycle.1;
            let rise = (mean - self.problem.initial_temperature_c).max(0.1);
            // Near the limit the rise is about in proportion to V²; half of the correction a cycle damps what lags.
            let v2 = self.pulse_share.powi(2) * (1.0 + 0.5 * (limit - mean) / rise);
            self.pulse_share = v2.clamp(0.0, 1.0).sqrt();
            self.cycle = (0.0, 0.0);
        }
    }

    /// Heat that leaves by conduction to the outer boundary, by perfusion and with moving fluids, W.
    fn losses(&self, x: &[f64]) -> f64 {
        let t0 = self.problem.initial_temperature_c;
        let blood = self.problem.blood.temperature_c - t0;
        let boundary = self.problem.boundary_temperature_c - t0;
        let (outer, sink) = (&self.heat.outer, &self.work.sink);
        let boiling = self.boiling.as_ref().filter(|b| b.any());
        let tissue = self.grid.tissue_cells;
        let mut total = neurotome_base::parallel::ordered_sum(x.len(), |r| {
            r.map(|i| {
                // What boils is counted as steam.
                let steam = if i < tissue {
                    boiling.map_or(0.0, |b| b.sink()[i])
                } else {
                    0.0
                };
                outer[i] * (x[i] - boundary) + (sink[i] - steam) * (x[i] - blood)
            })
            .sum()
        });
        for p in &self.medium.pinned {
            total += p.conductance * (t0 + blood - p.temperature_c);
        }
        for place in self.coolants.iter().flat_map(|f| &f.wall) {
            total += place.conductance * (t0 + blood - place.coolant_c);
        }
        total
    }

    /// What all needles together send to the return electrode, A rms.
    pub(super) fn return_current_a(&self) -> f64 {
        self.flow.needle_current.iter().sum::<f64>().abs()
    }

    /// Current out of each electrode when the drive last was on, A rms.
    pub(super) fn delivered_current_a(&self) -> &[f64] {
        &self.last_current
    }

    /// Potential of each electrode then, V.
    pub(super) fn delivered_potential_v(&self) -> Vec<f64> {
        let mut potential = vec![0.0; self.last_current.len()];
        let fractions = fractions(&self.problem, self.last_volts.len());
        for (volts, of_channel) in self.last_volts.iter().zip(&fractions) {
            for (p, f) in potential.iter_mut().zip(of_channel) {
                *p += volts * f;
            }
        }
        potential
    }

    /// Highest temperature over the run, °C, and largest Ω of the tissue on an electrode's bare metal.
    pub(super) fn worst_at(&self, electrode: usize) -> (f64, f64) {
        let own = |f: &&Face| self.grid.electrode(f) == Some(electrode);
        let cells = self.grid.faces.iter().filter(own).map(|f| f.a as usize);
        cells.fold((f64::NEG_INFINITY, 0.0), |(t, w), i| {
            (
                f64::max(t, self.state.peak[i]),
                f64::max(w, self.state.injuries.omega[i]),
            )
        })
    }

    /// Evidence up to now.
    pub fn evidence(&self) -> Evidence {
        let t0 = self.problem.initial_temperature_c;
        let stored: f64 = self
            .medium
            .capacity
            .iter()
            .zip(&self.state.temperature)
            .map(|(c, t)| c * (t - t0))
            .sum();
        let (p, h) = (&self.potential_iterations, &self.heat_iterations);
        Evidence {
            energy_balance_relative: if self.ledger.into > 0.0 {
                (self.ledger.into - stored - self.ledger.out) / self.ledger.into
            } else {
                0.0
            },
            potential_iterations_mean: p.mean(),
            potential_iterations_max: p.most,
            heat_iterations_mean: h.mean(),
            heat_iterations_max: h.most,
            residual_max: p.residual.max(h.residual),
            ..self.evidence.clone()
        }
    }
}

/// Unit potentials of the problem's channels.
fn unit_currents(problem: &LesionProblem, program: &Program, grid: &Grid, medium: &Medium) -> Current {
    let channels = program.channels(problem.needles.len());
    Current::with_channels(grid, medium, &fractions(problem, channels))
}

/// Potential of each electrode while each channel in turn is at one volt.
fn fractions(problem: &LesionProblem, channels: usize) -> Vec<Vec<f64>> {
    (0..channels)
        .map(|k| {
            problem
                .needles
                .iter()
                .enumerate()
                .flat_map(|(i, n)| {
                    let on = channels == 1 || i == k;
                    n.potential_fractions().map(move |f| if on { f } else { 0.0 })
                })
                .collect()
        })
        .collect()
}

fn check(problem: &LesionProblem) -> Result<(), LesionError> {
    let fault = |found: &str, expected: &str, advice: &str| {
        Err(LesionError::Problem {
            step: "reading the needles",
            found: found.into(),
            expected: expected.into(),
            advice: advice.into(),
        })
    };
    if problem.needles.is_empty() {
        return fault("none", "at least one", "add a needle");
    }
    let each = matches!(
        problem.drive,
        Drive::Temperature {
            control: Control::Each,
            ..
        }
    );
    if each && problem.needles.len() > MAX_CHANNELS {
        return fault(
            "more needles than channels",
            "at most six needles controlled each by itself",
            "control them together",
        );
    }
    if each && problem.needles.iter().any(|n| n.potential_fraction <= 0.0) {
        return fault(
            "a needle without a voltage of its own",
            "a positive potential_fraction for each needle controlled by itself",
            "control bipolar needles together",
        );
    }
    Ok(())
}

pub(crate) fn not_converged(equation: &'static str, t_s: f64, s: &Solved, tolerance: f64, cells: usize) -> LesionError {
    LesionError::NotConverged {
        equation,
        t_s,
        residual: s.residual,
        tolerance,
        iterations: s.iterations,
        cells,
    }
}

/// The field of temperatures that is measured and sampled.
pub(super) fn temperature_field(tissue: usize, values: &[f64], metal_share: f64) -> CellField<'_> {
    CellField {
        tissue: &values[..tissue],
        metal: Some(&values[tissue..]),
        metal_share,
    }
}
