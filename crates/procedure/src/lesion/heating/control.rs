//! The generator's control: which voltages make what the drive asks for.

use neurotome_base::parallel::for_blocks;

use super::super::{Control, Drive, LesionError, drive::limit_v2};
use super::Heating;

/// Relative residual of the response of temperature to V².
const ROUGH: f64 = 1e-4;
/// How closely thermocouples that set the voltages read what is set, K, and
const CONTROL_K: f64 = 5e-4;
/// how small a correction of V² is let be, as a part of it.
const CONTROL_V2: f64 = 1e-3;
/// Most corrections of the voltages in a step.
const CORRECTIONS: usize = 5;
/// Changes of a reading from which the response is learnt, K: smaller ones are lost in the residual of the solves.
const LESSON_K: f64 = 5e-3;
/// How the response of a step grows with its length: between 1, of a short one, and 0, of a long one.
const RESPONSE_POWER: f64 = 0.75;

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
                self.hold(t_new, shift, (&[limit], &[0], v2), x)?;
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
        let start: Vec<f64> = self.starting_volts(t_new);
        self.set_volts(&start);
        self.solve_heat(t_new, x)?;
        let limit = if self.volts.len() == 1 {
            limit_v2(&self.problem.limits, self.conductance)
        } else {
            self.problem.limits.voltage_v.powi(2)
        };
        self.hold(t_new, shift, (&vec![set; sensors.len()], &sensors, limit), x)
    }

    /// Voltages from which a step starts: where V² of the last two steps was heading; at least a volt where none was on, so that there
    /// is a derivative.
    fn starting_volts(&self, t_new: f64) -> Vec<f64> {
        let heading = |k: usize, v: f64| {
            let Some((t_before, before)) = &self.volts_before else {
                return v;
            };
            let w = ((t_new - self.t) / (self.t - t_before)).clamp(0.0, 2.0);
            let v2 = v * v;
            (v2 + w * (v2 - before[k] * before[k]))
                .clamp(0.25 * v2, 4.0 * v2)
                .sqrt()
        };
        self.last_volts
            .iter()
            .enumerate()
            .map(|(k, v)| if *v > 0.0 { heading(k, *v) } else { 1.0 })
            .collect()
    }

    /// Corrects the voltages, and `x` with them, until the sensors read what is set or the limit of V² is met: Newton steps on the
    /// responses of temperature to V². Those of the last step serve a single channel, scaled by what its readings then did; they
    /// need only be rough, since the solve after a correction ends at T for the new voltages whatever it starts from.
    fn hold(
        &mut self,
        t_new: f64,
        shift: f64,
        (set, sensors, limit_v2): (&[f64], &[usize], f64),
        x: &mut [f64],
    ) -> Result<(), LesionError> {
        for pass in 0..CORRECTIONS {
            let off: Vec<f64> = sensors.iter().zip(set).map(|(&k, set)| set - self.read(k, x)).collect();
            if pass == 0 {
                self.prepare_responses(shift);
            }
            let volts = self.corrected(&off, sensors, limit_v2);
            let small = |(v, w): (&f64, &f64)| (v * v - w * w).abs() <= CONTROL_V2 * v * v;
            if off.iter().all(|d| d.abs() < CONTROL_K) && self.volts.iter().zip(&volts).all(small) {
                break;
            }
            let v2 = self.volts[0] * self.volts[0];
            let expected = self.correct(&volts, sensors[0], x);
            if expected == 0.0 {
                break;
            }
            let moved = self.volts[0] * self.volts[0] - v2;
            let learns = self.volts.len() == 1 && expected.abs() > LESSON_K;
            if learns {
                self.work.corrected.clear();
                self.work.corrected.extend_from_slice(x);
            }
            self.solve_heat(t_new, x)?;
            if learns {
                self.learn(moved, x);
            }
        }
        Ok(())
    }

    /// Adds to the response of a single channel what the solve after a correction of V² by `moved` found beside it.
    fn learn(&mut self, moved: f64, x: &[f64]) {
        let corrected = &self.work.corrected;
        for_blocks(&mut self.responses[0], |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v += (x[offset + k] - corrected[offset + k]) / moved;
            }
        });
        self.response_known = self.sense(0, &self.responses[0]) > 0.0;
    }

    /// Responses of the temperature to V² of each channel at the present voltages: of a single channel that of the last step, scaled;
    /// else, and at first, solved for.
    fn prepare_responses(&mut self, shift: f64) {
        let longer = (self.response_shift / shift).powf(RESPONSE_POWER);
        self.response_shift = shift;
        for response in &mut self.responses {
            scale(response, longer);
        }
        if self.volts.len() == 1 && self.response_known {
            return;
        }
        let volts = self.volts.clone();
        let mut unit = vec![0.0; self.grid.cells()];
        for k in 0..volts.len() {
            self.derivative(k, &volts, &mut unit);
            let _ = self.heat.solve(&unit, &mut self.responses[k], ROUGH);
        }
        self.response_known = true;
    }

    /// Voltages after one Newton step towards readings that are `off` higher.
    fn corrected(&self, off: &[f64], sensors: &[usize], limit_v2: f64) -> Vec<f64> {
        let mut gain: Vec<Vec<f64>> = sensors
            .iter()
            .zip(off)
            .map(|(&sensor, off)| {
                let responses = self.responses.iter().map(|r| self.sense(sensor, r));
                responses.chain([*off]).collect()
            })
            .collect();
        self.volts
            .iter()
            .zip(solve_small(&mut gain))
            .map(|(v, d)| (v * v + d).clamp(0.0, limit_v2).sqrt())
            .collect()
    }

    /// Takes over corrected voltages, and moves `x` as the responses tell; returns by how much the reading of a sensor moved, K.
    fn correct(&mut self, volts: &[f64], sensor: usize, x: &mut [f64]) -> f64 {
        let mut expected = 0.0;
        for ((v, before), response) in volts.iter().zip(&self.volts).zip(&self.responses) {
            let moved = v * v - before * before;
            expected += moved * self.sense(sensor, response);
            for_blocks(x, |offset, block| {
                for (j, v) in block.iter_mut().enumerate() {
                    *v += moved * response[offset + j];
                }
            });
        }
        self.set_volts(volts);
        expected
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

fn scale(field: &mut [f64], by: f64) {
    for_blocks(field, |_, block| {
        for v in block {
            *v *= by;
        }
    });
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
