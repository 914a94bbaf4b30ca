//! Backward differences of second order at variable steps (BDF2), with extrapolation and an estimate of the step's error.

use neurotome_base::parallel::for_blocks;

/// A field at up to three past times since the last switching, newest last.
#[derive(Debug, Clone)]
pub struct History {
    points: Vec<(f64, Vec<f64>)>,
}

impl History {
    /// A history of one time.
    pub fn new(t_s: f64, field: Vec<f64>) -> Self {
        Self {
            points: vec![(t_s, field)],
        }
    }

    /// Times and fields, newest last.
    pub fn points(&self) -> &[(f64, Vec<f64>)] {
        &self.points
    }

    /// The newest time and field.
    pub fn newest(&self) -> &(f64, Vec<f64>) {
        &self.points[self.points.len() - 1]
    }

    /// Adds a newer field; gives back the storage of one that is no longer needed.
    pub fn push(&mut self, t_s: f64, field: Vec<f64>) -> Option<Vec<f64>> {
        self.points.push((t_s, field));
        (self.points.len() > 3).then(|| self.points.remove(0).1)
    }

    /// Forgets all but the newest: after a switching the past says nothing about the future.
    pub fn restart(&mut self) {
        let last = self.points.len() - 1;
        self.points.drain(..last);
    }

    /// The polynomial through the points held, at `t_s`.
    pub fn extrapolate(&self, t_s: f64, out: &mut [f64]) {
        let p = &self.points;
        let weights: Vec<f64> = (0..p.len())
            .map(|i| {
                (0..p.len())
                    .filter(|&j| j != i)
                    .map(|j| (t_s - p[j].0) / (p[i].0 - p[j].0))
                    .product()
            })
            .collect();
        for_blocks(out, |offset, block| {
            for (k, v) in block.iter_mut().enumerate() {
                *v = p.iter().zip(&weights).map(|(p, w)| w * p.1[offset + k]).sum();
            }
        });
    }

    /// The backward difference at `t_s`: `dx/dt ≈ shift · x − Σ wᵢ xᵢ` with one weight for each point held. Second order with
    /// two points or more, backward Euler with one.
    pub fn backward_difference(&self, t_s: f64) -> (f64, Vec<f64>) {
        let p = &self.points;
        let n = p.len();
        let h = t_s - p[n - 1].0;
        if n == 1 {
            return (1.0 / h, vec![1.0 / h]);
        }
        let h1 = p[n - 1].0 - p[n - 2].0;
        let mut weights = vec![0.0; n];
        weights[n - 1] = (h + h1) / (h * h1);
        weights[n - 2] = -h / (h1 * (h + h1));
        ((2.0 * h + h1) / (h * (h + h1)), weights)
    }

    /// Error of the step to `t_s` from the distance between its solution and the extrapolation (Milne's device).
    pub fn step_error(&self, t_s: f64, distance: f64) -> f64 {
        let p = &self.points;
        match p.len() {
            // The first step after a switching is short by choice.
            1 => 0.0,
            2 => 0.1 * distance,
            _ => {
                let (h, h1, h2) = (t_s - p[2].0, p[2].0 - p[1].0, p[1].0 - p[0].0);
                let ratio = h * (h + h1) / ((2.0 * h + h1) * (h + h1 + h2));
                distance * ratio / (1.0 + ratio)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_on_parabolas_at_unequal_steps() {
        let f = |t: f64| 3.0 - 2.0 * t + 0.7 * t * t;
        let mut history = History::new(0.0, vec![f(0.0)]);
        history.push(0.3, vec![f(0.3)]);
        history.push(0.8, vec![f(0.8)]);
        let t = 1.1;
        let mut x = [0.0];
        history.extrapolate(t, &mut x);
        assert!((x[0] - f(t)).abs() < 1e-12);
        let (shift, weights) = history.backward_difference(t);
        let past: f64 = history.points().iter().zip(&weights).map(|(p, w)| w * p.1[0]).sum();
        assert!((shift * f(t) - past - (-2.0 + 1.4 * t)).abs() < 1e-12);
    }
}
