//! What a nerve takes up, and which of its fibres still conduct.

use neurotome_base::{PatientPoint, Vec3};

use super::{ConductionRule, Drug};
use crate::catalog::FibreKind;
use crate::lesion::NerveCurve;

/// Distance between the places of a nerve at which the concentration is kept, mm.
pub const STEP_MM: f64 = 0.2;
/// Most places of a nerve.
const MAX_PLACES: usize = 5000;
/// Diameter of the nerve to which the lag belongs, mm.
const LAG_DIAMETER_MM: f64 = 1.0;

/// Concentrations along a nerve in time.
#[derive(Debug, Clone)]
pub struct NerveExposure {
    /// The nerve's name.
    pub name: String,
    /// Places along it, evenly spaced, mm.
    pub places: Vec<PatientPoint>,
    /// Distance between them, mm.
    pub step_mm: f64,
    /// Times, s from the start of the injection.
    pub t_s: Vec<f64>,
    /// Concentration in the fluid round the nerve at each time and place, mmol/l.
    pub outside_mmol_per_l: Vec<Vec<f32>>,
    /// Concentration among the fibres, mmol/l.
    pub inside_mmol_per_l: Vec<Vec<f32>>,
    drug: Option<Drug>,
    rule: ConductionRule,
    lag_s: f64,
}

impl NerveExposure {
    pub(super) fn new(nerve: &NerveCurve, drug: Option<&Drug>, rule: &ConductionRule) -> Self {
        let (places, step_mm) = resampled(&nerve.points);
        let n = places.len();
        Self {
            name: nerve.name.clone(),
            places,
            step_mm,
            t_s: vec![0.0],
            outside_mmol_per_l: vec![vec![0.0; n]],
            inside_mmol_per_l: vec![vec![0.0; n]],
            drug: drug.cloned(),
            rule: rule.clone(),
            // A sheath's resistance over a volume that it holds: in proportion to the diameter.
            lag_s: drug.map_or(1.0, |d| d.nerve_lag_s) * (nerve.diameter_mm / LAG_DIAMETER_MM).max(1e-3),
        }
    }

    /// A nerve that is held in one concentration (mmol/l) from the start, followed for a time in even steps.
    pub fn bathed(
        nerve: &NerveCurve,
        drug: &Drug,
        rule: &ConductionRule,
        mmol_per_l: f64,
        duration_s: f64,
        steps: usize,
    ) -> Self {
        let mut exposure = Self::new(nerve, Some(drug), rule);
        let outside = vec![mmol_per_l as f32; exposure.places.len()];
        exposure.outside_mmol_per_l[0].clone_from(&outside);
        for k in 1..=steps {
            exposure.step(duration_s * k as f64 / steps as f64, outside.clone());
        }
        exposure
    }

    /// A step in which the concentration outside goes linearly from what it was to what it is; exact for that.
    pub(super) fn step(&mut self, t_s: f64, outside: Vec<f32>) {
        let dt = t_s - self.t_s.last().copied().unwrap_or(0.0);
        let share = self.drug.as_ref().map_or(0.0, |d| d.nerve_share);
        let (Some(before), Some(inside)) = (self.outside_mmol_per_l.last(), self.inside_mmol_per_l.last()) else {
            return;
        };
        let x = dt / self.lag_s;
        let kept = (-x).exp();
        let ramp = if x > 1e-9 { (1.0 - kept) / x } else { 1.0 };
        let new = outside
            .iter()
            .zip(before)
            .zip(inside)
            .map(|((now, before), inside)| {
                let (from, to) = (share * f64::from(*before), share * f64::from(*now));
                (f64::from(*inside) * kept + from * (ramp - kept) + to * (1.0 - ramp)) as f32
            })
            .collect();
        self.t_s.push(t_s);
        self.outside_mmol_per_l.push(outside);
        self.inside_mmol_per_l.push(new);
    }

    /// The profile along the nerve at a time, linear between those kept.
    fn at(&self, kept: &[Vec<f32>], t_s: f64) -> Vec<f64> {
        let (i, w) = bracket(&self.t_s, t_s);
        let (a, b) = (&kept[i], &kept[(i + 1).min(kept.len() - 1)]);
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * (1.0 - w) + f64::from(*b) * w)
            .collect()
    }

    /// Concentration among the fibres along the nerve at a time, mmol/l.
    pub fn inside_at(&self, t_s: f64) -> Vec<f64> {
        self.at(&self.inside_mmol_per_l, t_s)
    }

    /// Concentration round the nerve along it at a time, mmol/l.
    pub fn outside_at(&self, t_s: f64) -> Vec<f64> {
        self.at(&self.outside_mmol_per_l, t_s)
    }

    /// Share of a class's fibres that are blocked at a place along the nerve (mm from its first point) at a time, were the whole nerve as it is
    /// there.
    pub fn block_fraction(&self, class: FibreKind, along_mm: f64, t_s: f64) -> f64 {
        let Some(drug) = &self.drug else { return 0.0 };
        let profile = self.inside_at(t_s);
        let at = (along_mm / self.step_mm).clamp(0.0, (profile.len() - 1) as f64).round() as usize;
        drug.blocked_share(class, profile[at])
    }

    /// Share of a class's fibres that still conduct from one end of the nerve to the other at a time: their spikes pass the drug because
    /// the stretch is too short or the concentration below the fibre's threshold.
    pub fn conducting_share(&self, class: FibreKind, t_s: f64) -> f64 {
        let Some(drug) = &self.drug else { return 1.0 };
        let effective = self.rule.effective(class, &self.inside_at(t_s), self.step_mm);
        1.0 - drug.blocked_share(class, effective)
    }

    /// When the share of a class that conducts first falls to `share`, s from the start of the injection; none when it does not.
    pub fn onset_s(&self, class: FibreKind, share: f64) -> Option<f64> {
        self.crossing(class, share, 0.0, |now| now <= share)
    }

    /// When it rises above `share` again after it had fallen to it; none when it does not in the time followed.
    pub fn wears_off_s(&self, class: FibreKind, share: f64) -> Option<f64> {
        let onset = self.onset_s(class, share)?;
        self.crossing(class, share, onset, |now| now > share)
    }

    fn crossing(&self, class: FibreKind, share: f64, after: f64, reached: impl Fn(f64) -> bool) -> Option<f64> {
        let mut before: Option<(f64, f64)> = None;
        for &t in self.t_s.iter().filter(|t| **t >= after) {
            let now = self.conducting_share(class, t);
            if reached(now) {
                return Some(match before {
                    Some((t0, then)) if (now - then).abs() > 1e-12 => {
                        t0 + (t - t0) * ((share - then) / (now - then)).clamp(0.0, 1.0)
                    }
                    _ => t,
                });
            }
            before = Some((t, now));
        }
        None
    }
}

/// Index of the last time at or before `t`, and the weight of the next one.
pub(super) fn bracket(times: &[f64], t: f64) -> (usize, f64) {
    let next = times.partition_point(|x| *x <= t);
    if next == 0 {
        return (0, 0.0);
    }
    if next == times.len() {
        return (times.len() - 1, 0.0);
    }
    (next - 1, (t - times[next - 1]) / (times[next] - times[next - 1]))
}

/// Points evenly spaced along a polyline.
fn resampled(points: &[PatientPoint]) -> (Vec<PatientPoint>, f64) {
    let length: f64 = points.windows(2).map(|w| (w[1].vec() - w[0].vec()).norm()).sum();
    let steps = (length / STEP_MM).round().clamp(1.0, (MAX_PLACES - 1) as f64) as usize;
    let step = (length / steps as f64).max(1e-6);
    let mut places = Vec::with_capacity(steps + 1);
    let (mut segment, mut passed) = (0, 0.0);
    for k in 0..=steps {
        let s = step * k as f64;
        while segment + 2 < points.len() {
            let l = (points[segment + 1].vec() - points[segment].vec()).norm();
            if passed + l >= s {
                break;
            }
            passed += l;
            segment += 1;
        }
        let (a, b): (Vec3, Vec3) = match (points.get(segment), points.get(segment + 1)) {
            (Some(a), Some(b)) => (a.vec(), b.vec()),
            (Some(a), None) => (a.vec(), a.vec()),
            _ => (Vec3::zeros(), Vec3::zeros()),
        };
        let l = (b - a).norm();
        let w = if l > 0.0 {
            ((s - passed) / l).clamp(0.0, 1.0)
        } else {
            0.0
        };
        places.push(PatientPoint::from_vec(a + (b - a) * w));
    }
    (places, step)
}
