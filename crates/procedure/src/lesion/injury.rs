//! Injury of every tissue cell, integrated inside the time steps.

use neurotome_physics::{
    heat::History,
    injury::{Arrhenius, cem43_rate_min_per_s},
    medium::Medium,
};
use rayon::prelude::*;

use super::LesionProblem;

/// Injury of every tissue cell.
#[derive(Debug, Clone)]
pub(super) struct Injuries {
    /// Arrhenius integral Ω, by the law of each tissue.
    pub omega: Vec<f64>,
    /// Thermal dose, equivalent minutes at 43 °C.
    pub cem43: Vec<f64>,
    /// Arrhenius integrals by the further laws, in the problem's order.
    pub more: Vec<Vec<f64>>,
    laws: Vec<Arrhenius>,
    /// Law of each cell.
    law_of: Vec<u8>,
    more_laws: Vec<Arrhenius>,
}

impl Injuries {
    pub fn new(problem: &LesionProblem, medium: &Medium) -> Self {
        let n = medium.tissue.len();
        let mut laws = vec![problem.injury];
        let mut of_tissue = vec![0u8; medium.tissues.len()];
        for (tissue, law) in &problem.tissue_injury {
            of_tissue[*tissue] = laws.len() as u8;
            laws.push(*law);
        }
        let more_laws: Vec<Arrhenius> = problem.more_injury.iter().map(|l| l.law).collect();
        Self {
            omega: vec![0.0; n],
            cem43: vec![0.0; n],
            more: vec![vec![0.0; n]; more_laws.len()],
            law_of: medium.tissue.iter().map(|&t| of_tissue[usize::from(t)]).collect(),
            laws,
            more_laws,
        }
    }

    /// Gauss quadrature of the rates on the polynomial in time through the new and the last temperatures: three points, or one
    /// where the temperature hardly changes. `x` are rises above `t0` at `t_new`.
    pub fn integrate(&mut self, t0: f64, history: &History, t_new: f64, x: &[f64]) {
        let gauss = Gauss::new(history, t_new);
        let (law_of, laws) = (&self.law_of, &self.laws);
        self.omega
            .par_iter_mut()
            .zip(self.cem43.par_iter_mut())
            .enumerate()
            .with_min_len(2048)
            .for_each(|(i, (omega, dose))| {
                let law = &laws[usize::from(law_of[i])];
                for &(w, rise) in gauss.at(history, i, x).as_slice() {
                    *omega += w * law.rate_per_s(t0 + rise);
                    *dose += w * cem43_rate_min_per_s(t0 + rise);
                }
            });
        for (omega, law) in self.more.iter_mut().zip(&self.more_laws) {
            omega
                .par_iter_mut()
                .enumerate()
                .with_min_len(2048)
                .for_each(|(i, omega)| {
                    for &(w, rise) in gauss.at(history, i, x).as_slice() {
                        *omega += w * law.rate_per_s(t0 + rise);
                    }
                });
        }
    }
}

/// Nodes of the quadrature with the weights of the temperatures held.
struct Gauss {
    /// First point of the history used.
    from: usize,
    /// Number of points of the history used.
    used: usize,
    /// Seconds, and weights of (oldest used, newest, new), of each node; with one point used the first weight is zero.
    node: [(f64, [f64; 3]); 3],
}

impl Gauss {
    fn new(history: &History, t_new: f64) -> Self {
        let points = history.points();
        let used = points.len().min(2);
        let from = points.len() - used;
        let times: Vec<f64> = points[from..].iter().map(|p| p.0).chain([t_new]).collect();
        let t = history.newest().0;
        let dt = t_new - t;
        let root = 0.6f64.sqrt();
        let node = [(-root, 5.0 / 18.0), (0.0, 8.0 / 18.0), (root, 5.0 / 18.0)].map(|(s, w)| {
            let at = t + 0.5 * dt * (1.0 + s);
            let mut weights = [0.0; 3];
            for i in 0..times.len() {
                weights[3 - times.len() + i] = (0..times.len())
                    .filter(|&j| j != i)
                    .map(|j| (at - times[j]) / (times[i] - times[j]))
                    .product();
            }
            (w * dt, weights)
        });
        Self { from, used, node }
    }

    /// Seconds and rise of cell `i` at each node.
    #[inline]
    fn at(&self, history: &History, i: usize, x: &[f64]) -> Nodes {
        let points = history.points();
        let newest = points[self.from + self.used - 1].1[i];
        let older = if self.used == 2 { points[self.from].1[i] } else { 0.0 };
        let nodes = self.node.map(|(w, [a, b, c])| (w, a * older + b * newest + c * x[i]));
        let steady = nodes.iter().all(|n| (n.1 - nodes[1].1).abs() < STEADY_K);
        if steady {
            let seconds = nodes.iter().map(|n| n.0).sum();
            Nodes::One([(seconds, nodes[1].1)])
        } else {
            Nodes::Three(nodes)
        }
    }
}

/// Rates change by at most some 60 % a kelvin: over twice this change of temperature the midpoint is off by 1e-4.
const STEADY_K: f64 = 0.05;

/// Seconds and rise at the nodes of a cell.
enum Nodes {
    One([(f64, f64); 1]),
    Three([(f64, f64); 3]),
}

impl Nodes {
    #[inline]
    fn as_slice(&self) -> &[(f64, f64)] {
        match self {
            Self::One(n) => n,
            Self::Three(n) => n,
        }
    }
}
