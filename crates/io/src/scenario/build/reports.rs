//! Probes, nerves and output times.

use neurotome_procedure::lesion::{Domain, NerveCurve, Probe};

use super::super::Scenario;
use super::{Builder, MAX_NERVE_POINTS, Result};

/// Most levels of one kind of contour.
const MAX_LEVELS: usize = 20;

impl Builder<'_> {
    pub(super) fn probes(&self, s: &Scenario, domain: &Domain) -> Result<Vec<Probe>> {
        let mut names = Vec::new();
        s.probes
            .iter()
            .enumerate()
            .map(|(i, p)| {
                self.named(&format!("probes[{i}].name"), &p.name, &mut names)?;
                let path = format!("probes[{i}].position_mm");
                let position = self.point(&path, p.position_mm)?;
                self.inside(&path, &format!("probe \"{}\"", p.name), &position, domain)?;
                Ok(Probe {
                    name: p.name.clone(),
                    position,
                })
            })
            .collect()
    }

    pub(super) fn nerves(&self, s: &Scenario, domain: &Domain) -> Result<Vec<NerveCurve>> {
        let mut names = Vec::new();
        s.nerves
            .iter()
            .enumerate()
            .map(|(i, n)| {
                let key = |k: &str| format!("nerves[{i}].{k}");
                self.named(&key("name"), &n.name, &mut names)?;
                let path = key("points_mm");
                self.cap(&path, n.points_mm.len(), MAX_NERVE_POINTS)?;
                if n.points_mm.len() < 2 {
                    return Err(self.fault(
                        &path,
                        format!(
                            "nerve \"{}\" has {} points, expected at least 2",
                            n.name,
                            n.points_mm.len()
                        ),
                        "give its course from one end to the other",
                    ));
                }
                let points = n
                    .points_mm
                    .iter()
                    .map(|&p| self.point(&path, p))
                    .collect::<Result<Vec<_>>>()?;
                if !points.iter().any(|p| domain.level_mm(&p.vec()) < 0.0) {
                    self.inside(&path, &format!("nerve \"{}\"", n.name), &points[0], domain)?;
                }
                Ok(NerveCurve {
                    name: n.name.clone(),
                    points,
                    diameter_mm: self.positive(&key("diameter_mm"), n.diameter_mm, 30.0, "mm")?,
                    target: n.target,
                })
            })
            .collect()
    }

    /// Levels of contours, ascending; `default` where none are given.
    pub(super) fn levels(
        &self,
        path: &str,
        given: Option<&[f64]>,
        default: f64,
        range: std::ops::RangeInclusive<f64>,
        unit: &str,
    ) -> Result<Vec<f64>> {
        let Some(given) = given else {
            return Ok(vec![default]);
        };
        self.cap(path, given.len(), MAX_LEVELS)?;
        let mut levels = given
            .iter()
            .map(|&v| self.within(path, v, range.clone(), unit))
            .collect::<Result<Vec<f64>>>()?;
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        Ok(levels)
    }

    pub(super) fn output_times(&self, s: &Scenario, heating_s: f64, end_s: f64) -> Result<Vec<f64>> {
        let mut times = Vec::with_capacity(s.output.times_s.len() + 2);
        for (i, &t) in s.output.times_s.iter().enumerate() {
            let path = format!("output.times_s[{i}]");
            if !(t > 0.0 && t <= end_s) {
                return Err(self.fault(
                    &path,
                    format!("output time {t} s, expected above 0 and at most {end_s} s, the end of the run"),
                    "remove it, or lengthen `drive.heating_s` or `drive.cooling_s`",
                ));
            }
            if times.last().is_some_and(|&last| t <= last) {
                return Err(self.fault(
                    &path,
                    format!("output time {t} s does not come after the one before it"),
                    "sort the times",
                ));
            }
            times.push(t);
        }
        for t in [heating_s, end_s] {
            if let Err(at) = times.binary_search_by(|x| x.total_cmp(&t)) {
                times.insert(at, t);
            }
        }
        Ok(times)
    }
}
