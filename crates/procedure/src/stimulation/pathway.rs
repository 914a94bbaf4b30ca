//! How fibres run: from the root through the ganglion into the medial branch or the ventral ramus.

use neurotome_base::{PatientPoint, Vec3, geometry::perpendicular_pair};

use super::field::TipField;
use crate::{
    anatomy::{Course, Level, NerveKind, Patient, Side},
    lesion::NerveCurve,
};

/// Fascicles in the cross-section: one on the axis and so many round it.
pub(super) const AROUND: usize = 6;
/// Where those stand, as a share of the radius: a ring that halves the area.
const RING: f64 = 0.707;
/// Spacing of the points along a pathway, mm.
const SPACING_MM: f64 = 0.1;
/// Fibres go on where the anatomy's curves end: along the spinal canal, and straight on into muscle or plexus, mm. A fibre that ended
/// there would fire at its end more easily than it does along its course.
const BEYOND_MM: f64 = 30.0;

/// A bundle of fibres that run together.
#[derive(Debug, Clone)]
pub struct Pathway {
    /// The nerve's name.
    pub name: String,
    /// Its fibres are those of this kind of nerve.
    pub kind: NerveKind,
    /// The spinal nerve, where known.
    pub nerve: Option<Level>,
    /// Side, where known.
    pub side: Option<Side>,
    /// True for the nerve aimed at.
    pub target: bool,
    /// Where along it the ganglion ends, mm; none where that is not known.
    pub foramen_mm: Option<f64>,
    /// Radius of the bundle, mm.
    pub radius_mm: f64,
    /// Points along it, evenly spaced, from the spinal canal outwards.
    points: Vec<Vec3>,
    /// First and last of these that the anatomy knows.
    known: [usize; 2],
    /// Two unit vectors across it at each point, turned as little as possible from point to point.
    across: Vec<[Vec3; 2]>,
}

impl Pathway {
    /// Evenly spaced points along a polyline that is made longer by `beyond_mm` before and after it; none of a polyline shorter than a
    /// millimetre.
    fn new(
        name: &str,
        kind: NerveKind,
        polyline: &[PatientPoint],
        radius_mm: f64,
        beyond: [Option<Vec3>; 2],
    ) -> Option<Self> {
        let mut raw: Vec<Vec3> = polyline.iter().map(PatientPoint::vec).collect();
        let [before, after] = beyond.map(|b| b.map_or(0.0, |b| b.norm()));
        if let Some(b) = beyond[0] {
            raw.insert(0, raw.first()? + b);
        }
        if let Some(b) = beyond[1] {
            raw.push(raw.last()? + b);
        }
        let mut arc = vec![0.0];
        for pair in raw.windows(2) {
            arc.push(arc[arc.len() - 1] + (pair[1] - pair[0]).norm());
        }
        let length = arc[arc.len() - 1];
        if length - before - after < 1.0 {
            return None;
        }
        let count = (length / SPACING_MM).round() as usize;
        let mut at = 0;
        let points: Vec<Vec3> = (0..=count)
            .map(|k| {
                let s = length * k as f64 / count as f64;
                while at + 2 < arc.len() && arc[at + 1] < s {
                    at += 1;
                }
                let span = (arc[at + 1] - arc[at]).max(1e-9);
                raw[at] + (raw[at + 1] - raw[at]) * ((s - arc[at]) / span)
            })
            .collect();
        let points = rounded(&points);
        let tangent = |k: usize| (points[(k + 1).min(count)] - points[k.saturating_sub(1)]).normalize();
        let mut first = perpendicular_pair(&tangent(0)).0;
        let across = (0..=count)
            .map(|k| {
                let t = tangent(k);
                first = (first - t * first.dot(&t)).normalize();
                [first, t.cross(&first)]
            })
            .collect();
        Some(Self {
            name: name.to_owned(),
            kind,
            nerve: None,
            side: None,
            target: false,
            foramen_mm: None,
            radius_mm,
            known: [before, length - after].map(|s| (s / length * count as f64).round() as usize),
            points,
            across,
        })
    }

    /// A bundle of a millimetre for tests.
    #[cfg(test)]
    pub(super) fn bare(name: &str, kind: NerveKind, polyline: &[PatientPoint]) -> Self {
        Self::new(name, kind, polyline, 0.5, [None, None]).expect("a course")
    }

    /// All pathways of a patient: of each spinal nerve that to the back and that to the leg. `target` is the name of the nerve aimed at.
    pub fn of_patient(patient: &dyn Patient, target: Option<&str>) -> Vec<Self> {
        let ends = [
            NerveKind::MedialBranch,
            NerveKind::DorsalRamus,
            NerveKind::VentralRamus,
            NerveKind::LateralBranch,
            NerveKind::IntermediateBranch,
        ];
        let leads = |end: &Course| {
            [NerveKind::Root, NerveKind::Ganglion]
                .into_iter()
                .filter_map(|kind| patient.course(kind, end.nerve, end.side))
                .flat_map(|c| c.points.iter().copied())
                .collect::<Vec<_>>()
        };
        patient
            .courses()
            .iter()
            .filter(|c| ends.contains(&c.kind))
            .filter_map(|end| {
                let mut points = leads(end);
                let led = points.windows(2).map(|w| (w[1].vec() - w[0].vec()).norm()).sum::<f64>();
                let leads = !points.is_empty();
                points.extend(&end.points);
                let last = points.len().checked_sub(2)?;
                let on = points[last + 1].vec() - points[last.saturating_sub(4)].vec();
                let on = on.try_normalize(1e-9).map(|d| d * BEYOND_MM);
                let up = Some(Vec3::z() * BEYOND_MM);
                let mut all = Self::new(&end.name, end.kind, &points, 0.5 * end.diameter_mm, [up, on])?;
                all.nerve = Some(end.nerve);
                all.side = Some(end.side);
                all.target = Some(end.name.as_str()) == target;
                all.foramen_mm = leads.then_some(BEYOND_MM + led);
                Some(all)
            })
            .collect()
    }

    /// The pathways of a scenario without a patient: the target's fibres are those of a medial branch, the others' of a ventral ramus.
    pub fn of_curves(nerves: &[NerveCurve]) -> Vec<Self> {
        nerves
            .iter()
            .filter_map(|n| {
                let kind = if n.target {
                    NerveKind::MedialBranch
                } else {
                    NerveKind::VentralRamus
                };
                let mut all = Self::new(&n.name, kind, &n.points, 0.5 * n.diameter_mm, [None, None])?;
                all.target = n.target;
                Some(all)
            })
            .collect()
    }

    /// Its length, mm.
    pub fn length_mm(&self) -> f64 {
        (self.points.len() - 1) as f64 * self.step_mm()
    }

    fn step_mm(&self) -> f64 {
        (self.points[1] - self.points[0]).norm()
    }

    /// Where it is nearest to the bare metal: place along it and distance from its axis to that of the metal, mm.
    pub(super) fn nearest(&self, field: &TipField) -> (f64, f64) {
        let (k, distance) = self
            .points
            .iter()
            .enumerate()
            .take(self.known[1] + 1)
            .skip(self.known[0])
            .step_by(3)
            .map(|(k, p)| (k, field.distance_mm(&PatientPoint::from_vec(*p))))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .unwrap_or((0, f64::INFINITY));
        (k as f64 * self.step_mm(), distance)
    }

    /// The potential along one line of fibres between two places, in a fascicle whose sheath has this length constant; none where the
    /// middle of the two lies outside the region computed.
    pub(super) fn line(&self, field: &TipField, line: usize, from_mm: f64, to_mm: f64, sheath_mm: f64) -> Option<Line> {
        let step = self.step_mm();
        let last = self.points.len() - 1;
        let first = ((from_mm / step).floor().max(0.0) as usize).min(last);
        let end = ((to_mm / step).ceil() as usize).min(last);
        let angle = std::f64::consts::TAU * line as f64 / AROUND as f64;
        let off_axis = if line == 0 { 0.0 } else { RING * self.radius_mm };
        let [a, b] = [off_axis * angle.cos(), off_axis * angle.sin()];
        let at = |k: usize| {
            let [u, v] = self.across[k];
            field.volts_at(&PatientPoint::from_vec(self.points[k] + u * a + v * b))
        };
        // Where the nerve leaves the region computed, the fibre ends: no potential is left there.
        let middle = ((0.5 * (from_mm + to_mm) / step).round().max(0.0) as usize).clamp(first, end);
        let mut volts: Vec<f64> = (first..=middle).rev().map_while(at).collect();
        let first = (middle + 1).checked_sub(volts.len()).filter(|_| !volts.is_empty())?;
        volts.reverse();
        volts.extend((middle + 1..=end).map_while(at));
        Some(Line {
            first_mm: first as f64 * step,
            step_mm: step,
            volts: inside(&volts, sheath_mm / step),
        })
    }

    /// The point on the axis at a place, mm.
    pub fn at_mm(&self, along_mm: f64) -> PatientPoint {
        let k = (along_mm / self.step_mm()).round().max(0.0) as usize;
        PatientPoint::from_vec(self.points[k.min(self.points.len() - 1)])
    }
}

/// Corners of a polyline rounded over about a millimetre, the ends held: a fibre has none, and its potential would have a kink there.
fn rounded(points: &[Vec3]) -> Vec<Vec3> {
    let last = points.len() - 1;
    (0..=last)
        .map(|k| {
            let half = k.min(last - k).min(8);
            let sum: Vec3 = points[k - half..=k + half].iter().sum();
            sum / (2 * half + 1) as f64
        })
        .collect()
}

/// The potential inside a fascicle from that outside its sheath at even steps: a passive cable with no current through its ends,
/// `V − λ² V″ = V_outside`, `length` being λ over the step.
fn inside(outside: &[f64], length: f64) -> Vec<f64> {
    let off = length * length;
    let last = outside.len() - 1;
    // Thomas' algorithm.
    let mut above = vec![0.0; last + 1];
    let mut volts = vec![0.0; last + 1];
    for k in 0..=last {
        let neighbours = if k == 0 || k == last { 1.0 } else { 2.0 };
        let (before, carried) = if k == 0 {
            (0.0, 0.0)
        } else {
            (above[k - 1], volts[k - 1])
        };
        let lower = if k == 0 { 0.0 } else { off };
        let pivot = 1.0 + neighbours * off - lower * before;
        above[k] = off / pivot;
        volts[k] = (outside[k] + lower * carried) / pivot;
    }
    for k in (0..last).rev() {
        volts[k] += above[k] * volts[k + 1];
    }
    volts
}

/// The potential at even steps along a line of fibres, volts at one volt.
pub(super) struct Line {
    pub first_mm: f64,
    pub step_mm: f64,
    volts: Vec<f64>,
}

impl Line {
    /// Its end, mm.
    pub fn last_mm(&self) -> f64 {
        self.first_mm + (self.volts.len() - 1) as f64 * self.step_mm
    }

    /// The potential at a place, by cubics through four values.
    pub fn at(&self, along_mm: f64) -> f64 {
        let last = self.volts.len() - 1;
        let x = ((along_mm - self.first_mm) / self.step_mm).clamp(0.0, last as f64);
        let k = (x.floor() as usize).min(last.saturating_sub(1));
        let t = x - k as f64;
        let v = |i: isize| self.volts[(k as isize + i).clamp(0, last as isize) as usize];
        let (a, b, c, d) = (v(-1), v(0), v(1), v(2));
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheath_smooths_as_a_cable_does() {
        // Of a potential cos(k s) a cable of length λ lets 1 / (1 + k² λ²) through.
        let (step, lambda) = (0.05, 1.1);
        let k = std::f64::consts::TAU / 5.0;
        let outside: Vec<f64> = (0..=2000).map(|n| (k * step * f64::from(n)).cos()).collect();
        let found = inside(&outside, lambda / step);
        let expected = 1.0 / (1.0 + (k * lambda).powi(2));
        assert!(
            (found[1000] / outside[1000] / expected - 1.0).abs() < 1e-3,
            "{} {expected}",
            found[1000]
        );
        // What is the same everywhere goes through unchanged.
        assert!(inside(&[0.7; 50], 10.0).iter().all(|v| (v - 0.7).abs() < 1e-12));
    }

    #[test]
    fn points_are_even_and_lines_lie_on_a_ring() {
        let bent = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)].map(|(x, y)| PatientPoint::new(x, y, 0.0));
        let path = Pathway::new(
            "bent",
            NerveKind::MedialBranch,
            &bent,
            0.5,
            [None, Some(Vec3::y() * 5.0)],
        )
        .unwrap();
        assert!((path.length_mm() - 25.0).abs() < 0.2, "{}", path.length_mm());
        assert_eq!(path.known[0], 0);
        assert!((path.points[path.known[1]].y - 10.0).abs() < 0.2);
        for (p, [u, v]) in path.points.iter().zip(&path.across) {
            assert!(u.dot(v).abs() < 1e-9 && (u.norm() - 1.0).abs() < 1e-9);
            assert!(p.x >= -1e-9 && p.y >= -1e-9);
        }
        assert!(Pathway::new("dot", NerveKind::MedialBranch, &bent[..1], 0.5, [None, None]).is_none());
    }
}
