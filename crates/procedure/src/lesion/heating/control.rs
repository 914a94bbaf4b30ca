//! The generator's control: which voltages make what the drive asks for.

use neurotome_base::parallel::for_blocks;

use super::super::{Control, Drive, LesionError, drive::limit_v2};
use super::Heating;

/// Relative residual of the response of temperature to V².
const ROUGH: f64 = 1e-4;

impl Heating {
    /// Solves for voltages and temperatures while the drive is on.
    pub(super) fn drive(&mut self, t_new: f64, shift: f64, x: &mut [f64]) -> Result<(), LesionError> {
        let wanted = if let [_] = self.volts[..] {
            // The conductance at the new potential.
            self.set_volts(&[1.0]);
            // The generator's limits hold within a pulse, not for the mean of its cycle.
            let limit = limit_v2(&self.problem.limits, self.conductance) * self.program.mean_share();
            self.program.wanted_v2(self.conductance).map(|v2| v2.min(limit))
        } else {
            None
        };
        if let Some(v2) = wanted {
            let share = self.pulse_share * self.pulse_share;
            self.set_volts(&[(v2 * share).sqrt()]);
            self.solve_heat(t_new, x)?;
            let averaged = matches!(self.program.drive, Drive::Pulsed { resolved: false, .. });
            if let (Some(limit), true) = (self.program.limit_temperature(), averaged)
                && self.read(0, x) > limit
            {
                self.hold(shift, &[limit], &[0], v2, x);
                self.solve_heat(t_new, x)?;
            }
            return Ok(());
        }
        let set = self
            .program
            .set_temperature(t_new)
            .unwrap_or(self.problem.initial_temperature_c);
        let rise = &self.history.newest().1;
        let sensors: Vec<usize> = match self.program.drive {
            Drive::Temperature {
                control: Control::Each, ..
            } => (0..self.sensors.len()).collect(),
            Drive::Temperature {
                control: Control::Hottest,
                ..
            } => (0..self.sensors.len())
                .max_by(|&a, &b| self.sense(a, rise).total_cmp(&self.sense(b, rise)).then(b.cmp(&a)))
                .into_iter()
                .collect(),
            _ => vec![0],
        };
        let start: Vec<f64> = self.starting_volts();
        self.set_volts(&start);
        self.solve_heat(t_new, x)?;
        let limit = if self.volts.len() == 1 {
            limit_v2(&self.problem.limits, self.conductance)
        } else {
            self.problem.limits.voltage_v.powi(2)
        };
        self.hold(shift, &vec![set; sensors.len()], &sensors, limit, x);
        self.solve_heat(t_new, x)
    }

    /// Voltages of the last step, at least a volt where none was on: a start that has a derivative.
    fn starting_volts(&self) -> Vec<f64> {
        self.last_volts
            .iter()
            .map(|v| if *v > 0.0 { *v } else { 1.0 })
            .collect()
    }

    /// Moves the voltages, and `x` with them, to where the sensors read what is set: one Newton step, exact for a single channel since
    /// T is linear in V². The responses need only be rough, since the next solve ends at T for the new voltages whatever it starts
    /// from.
    fn hold(&mut self, shift: f64, set: &[f64], sensors: &[usize], limit_v2: f64, x: &mut [f64]) {
        let channels = self.volts.len();
        let scale = self.response_shift / shift;
        self.response_shift = shift;
        let before = self.volts.clone();
        let mut unit = vec![0.0; x.len()];
        for k in 0..channels {
            self.derivative(k, &before, &mut unit);
            let response = &mut self.responses[k];
            for v in response.iter_mut() {
                *v *= scale;
            }
            let _ = self.heat.solve(&unit, response, ROUGH);
        }
        let m = sensors.len();
        let mut gain = vec![vec![0.0; channels + 1]; m];
        for (row, (&sensor, set)) in sensors.iter().zip(set).enumerate() {
            for k in 0..channels {
                gain[row][k] = self.sense(sensor, &self.responses[k]);
            }
            gain[row][channels] = set - self.read(sensor, x);
        }
        let change = solve_small(&mut gain);
        let volts: Vec<f64> = before
            .iter()
            .zip(&change)
            .map(|(v, d)| (v * v + d).clamp(0.0, limit_v2).sqrt())
            .collect();
        for k in 0..channels {
            let moved = volts[k] * volts[k] - before[k] * before[k];
            let response = &self.responses[k];
            for_blocks(x, |offset, block| {
                for (j, v) in block.iter_mut().enumerate() {
                    *v += moved * response[offset + j];
                }
            });
        }
        self.set_volts(&volts);
    }

    /// Derivative of the heat of every cell by V² of one channel, W/V².
    fn derivative(&mut self, k: usize, volts: &[f64], out: &mut [f64]) {
        if volts.len() == 1 {
            let v2 = volts[0] * volts[0];
            let power = &self.work.power;
            for_blocks(out, |offset, block| {
                for (j, v) in block.iter_mut().enumerate() {
                    *v = power[offset + j] / v2;
                }
            });
            return;
        }
        // The heat is quadratic in the voltages: a central difference is exact.
        let mut low = vec![0.0; out.len()];
        let mut moved = volts.to_vec();
        let step = 0.5 * volts[k];
        moved[k] = volts[k] + step;
        let _ = self.current.flow(&self.grid, &self.medium, &moved, out);
        moved[k] = volts[k] - step;
        let _ = self.current.flow(&self.grid, &self.medium, &moved, &mut low);
        let per = 1.0 / (2.0 * step * 2.0 * volts[k]);
        for (v, l) in out.iter_mut().zip(&low) {
            *v = (*v - l) * per;
        }
    }
}

/// Solves the small dense system whose rows are `[coefficients…, right-hand side]`, in the sense of least squares when it has fewer
/// rows than unknowns (the first unknowns serve); pivots that vanish leave their unknown at zero.
fn solve_small(rows: &mut [Vec<f64>]) -> Vec<f64> {
    let m = rows.len();
    let n = rows.first().map_or(0, |r| r.len() - 1);
    let size = m.min(n);
    for k in 0..size {
        let pivot = (k..m)
            .max_by(|&a, &b| rows[a][k].abs().total_cmp(&rows[b][k].abs()))
            .unwrap_or(k);
        rows.swap(k, pivot);
        if rows[k][k].abs() < 1e-300 {
            continue;
        }
        for i in 0..m {
            if i != k {
                let f = rows[i][k] / rows[k][k];
                for j in k..=n {
                    let v = rows[k][j];
                    rows[i][j] -= f * v;
                }
            }
        }
    }
    let mut out = vec![0.0; n];
    for k in 0..size {
        if rows[k][k].abs() >= 1e-300 {
            out[k] = rows[k][n] / rows[k][k];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_systems() {
        let mut rows = vec![vec![0.0, 2.0, 4.0], vec![3.0, 1.0, 5.0]];
        let x = solve_small(&mut rows);
        assert!((x[0] - 1.0).abs() < 1e-12 && (x[1] - 2.0).abs() < 1e-12);
        assert_eq!(solve_small(&mut [vec![4.0, 8.0]]), vec![2.0]);
    }
}
