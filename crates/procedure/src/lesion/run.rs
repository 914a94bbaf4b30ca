//! A run: heating and cooling, with curves at every step and snapshots at the times asked for.

use super::{
    Contours, Curves, Drive, LesionError, LesionProblem, LesionResult, Progress, Snapshot, drive::SAME_TIME_S,
    heating::Heating, solve::finished,
};

/// A lesion run that is advanced piece by piece and finishes into a [`LesionResult`].
///
/// It follows the problem's program ([`super::solve`] does no more than advance it to its end), or the voltages of somebody else's
/// generator: [`LesionRun::set_outputs`], advance, look at [`LesionRun::heating`], and so on.
pub struct LesionRun {
    pub(super) heating: Heating,
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) curves: Curves,
    /// Current that returns through the pad at every time step, A rms.
    pub(super) return_current_a: Vec<f64>,
    /// Index in the curves of the last reading with the drive on.
    pub(super) heated_at: usize,
    /// Contours at the end of heating.
    pub(super) heated: Contours,
    /// Time of the end of heating, s.
    pub(super) heating_s: f64,
    /// Times still to come at which the run stops for a snapshot, ascending, s.
    stops: Vec<f64>,
    /// Time of the last snapshot, s.
    snapped_s: f64,
    /// Time before which snapshots hold no contours, s.
    pub(super) contours_from_s: f64,
    /// Voltages come from outside.
    driven: bool,
}

impl LesionRun {
    /// Lays the problem on its grid; nothing flows yet.
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn new(problem: &LesionProblem) -> Result<Self, LesionError> {
        Self::coarser(problem, 1.0, 1.0)
    }

    /// The same with cells `factor` times as large and the step tolerance times `slack`.
    pub(super) fn coarser(problem: &LesionProblem, factor: f64, slack: f64) -> Result<Self, LesionError> {
        let heating = Heating::coarser(problem, factor, slack)?;
        let end_s = problem.heating_s + problem.cooling_s;
        let mut stops: Vec<f64> = problem
            .output_times_s
            .iter()
            .copied()
            .filter(|&t| t > 0.0 && t < end_s)
            .chain([problem.heating_s, end_s])
            .collect();
        stops.sort_by(f64::total_cmp);
        stops.dedup_by(|a, b| (*a - *b).abs() < SAME_TIME_S);
        let mut run = Self {
            return_current_a: vec![heating.return_current_a()],
            heating,
            snapshots: Vec::new(),
            curves: Curves::default(),
            heated_at: 0,
            heated: Contours::default(),
            heating_s: problem.heating_s,
            stops,
            snapped_s: f64::NEG_INFINITY,
            contours_from_s: 0.0,
            driven: false,
        };
        push(&mut run.curves, &run.heating);
        Ok(run)
    }

    /// The heating as it stands.
    pub fn heating(&self) -> &Heating {
        &self.heating
    }

    /// Time at which the problem's program ends, cooling included, s.
    pub fn end_s(&self) -> f64 {
        self.heating.problem.heating_s + self.heating.problem.cooling_s
    }

    /// Voltages from outside, as [`Heating::set_outputs`]: from the first call on they drive instead of the problem's program.
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn set_outputs(&mut self, volts: &[f64]) -> Result<(), LesionError> {
        let heated = self.heating.heats();
        self.heating.set_outputs(volts)?;
        if !self.driven {
            self.driven = true;
            let asked = self.heating.problem.output_times_s.clone();
            let now = self.heating.time_s();
            self.stops = asked.into_iter().filter(|t| *t > now + SAME_TIME_S).collect();
            self.stops.sort_by(f64::total_cmp);
        }
        if heated && !self.heating.heats() {
            self.heating_ends();
        }
        Ok(())
    }

    /// Changes a needle's coolant, as [`Heating::set_coolant`].
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn set_coolant(&mut self, needle: usize, temperature_c: f64, flow_ml_per_min: f64) -> Result<(), LesionError> {
        self.heating.set_coolant(needle, temperature_c, flow_ml_per_min)
    }

    /// Goes on to a time, s; `observer` hears of every accepted step and stops the run by returning false.
    ///
    /// # Errors
    /// [`LesionError`].
    pub fn advance_to(
        &mut self,
        end_s: f64,
        observer: &mut dyn FnMut(&Heating, Progress) -> bool,
    ) -> Result<(), LesionError> {
        while let Some(&stop) = self.stops.first().filter(|s| **s < end_s + SAME_TIME_S) {
            self.steps_to(stop, observer)?;
            self.stops.remove(0);
            self.stopped_at(stop);
        }
        self.steps_to(end_s, observer)
    }

    fn steps_to(&mut self, stop: f64, observer: &mut dyn FnMut(&Heating, Progress) -> bool) -> Result<(), LesionError> {
        let end_s = self.end_s();
        let (curves, return_current_a) = (&mut self.curves, &mut self.return_current_a);
        self.heating.advance_to(stop, &mut |h| {
            push(curves, h);
            return_current_a.push(h.return_current_a());
            let last = curves.t_s.len() - 1;
            let progress = Progress {
                t_s: curves.t_s[last],
                end_s,
                thermocouple_c: curves.thermocouple_c[last],
                power_w: curves.power_w[last],
                impedance_ohm: curves.impedance_ohm[last],
            };
            observer(h, progress)
        })
    }

    /// The snapshot that belongs to a stop, and the end of the program's heating.
    fn stopped_at(&mut self, stop: f64) {
        let problem = &self.heating.problem;
        let same = |t: f64| (stop - t).abs() < SAME_TIME_S;
        let asked = problem.output_times_s.iter().any(|&t| same(t));
        let ends = !self.driven && same(problem.heating_s + problem.cooling_s);
        let heating_ends = !self.driven && same(problem.heating_s);
        if heating_ends {
            self.heating_ends();
        }
        if asked || ends {
            self.snap();
        }
    }

    fn heating_ends(&mut self) {
        self.heated_at = self.curves.t_s.len() - 1;
        self.heating_s = self.heating.time_s();
        self.heated = self.heating.contours();
    }

    fn snap(&mut self) {
        self.snapped_s = self.heating.time_s();
        self.snapshots
            .push(if self.snapped_s < self.contours_from_s - SAME_TIME_S {
                self.heating.probed()
            } else {
                self.heating.snapshot()
            });
    }

    /// Ends the run where it stands and reads off the result; its last snapshot is of now. No error is stated: that takes a second run.
    ///
    /// # Errors
    /// [`LesionError`], of the pad.
    pub fn finish(mut self) -> Result<LesionResult, LesionError> {
        if self.driven {
            let heated = self.heating.heats();
            self.heating.end_outputs()?;
            if heated {
                self.heating_ends();
            }
        }
        if (self.snapped_s - self.heating.time_s()).abs() > SAME_TIME_S {
            self.snap();
        }
        let evidence = self.heating.evidence();
        finished(self, evidence)
    }
}

fn push(curves: &mut Curves, heating: &Heating) {
    let r = heating.reading();
    let thermocouple = r.thermocouples_c[0];
    curves.t_s.push(r.t_s);
    curves
        .set_temperature_c
        .push(r.set_temperature_c.unwrap_or(thermocouple));
    curves.thermocouple_c.push(thermocouple);
    curves.max_tissue_c.push(r.hottest_c);
    curves.voltage_v.push(r.voltage_v[0]);
    curves.current_a.push(r.current_a);
    curves.power_w.push(r.power_w);
    curves.impedance_ohm.push(r.impedance_ohm);
    if matches!(heating.problem.drive, Drive::Pulsed { .. }) {
        curves.tip_tissue_c.push(r.tip_tissue_c);
    }
    if r.thermocouples_c.len() > 1 {
        curves
            .more_thermocouples_c
            .resize(r.thermocouples_c.len() - 1, Vec::new());
        for (all, t) in curves.more_thermocouples_c.iter_mut().zip(&r.thermocouples_c[1..]) {
            all.push(*t);
        }
    }
}
