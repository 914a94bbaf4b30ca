//! Points at which a run's temperatures are kept, and the sizes read off them.
//!
//! A run reports its contours for a few criteria; the experiments ask for others, at many times. So the temperature history is kept on
//! a lattice and every criterion is read from one run. Lattice frame: z along the straight needle, zero at its distal end and growing
//! towards the hub; of a pair, x points from one needle to the other.

/// Distance from the metal at which its surface is read, mm.
const SKIN_MM: f64 = 0.01;
/// Spacing along the needle, mm.
const ALONG_MM: f64 = 0.4;
/// Spacing across the needle near it and, beyond [`NEAR_MM`] from the metal, farther away, mm.
const ACROSS_MM: [f64; 2] = [0.25, 0.5];
const NEAR_MM: f64 = 5.0;

/// A rectangular lattice; node `(i, j)` has the index `j · across.len() + i`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plane {
    /// Places across the needle, ascending, mm.
    pub across: Vec<f64>,
    /// Places along the needle, ascending, mm.
    pub along: Vec<f64>,
}

/// Size of a lesion round one straight needle, mm.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the common part is the unit")]
pub(super) struct Size {
    /// Across, needle included.
    pub width_mm: f64,
    /// Along, needle included.
    pub length_mm: f64,
    /// Past the distal end; negative when it is not reached.
    pub distal_mm: f64,
    /// From the distal end towards the hub.
    pub proximal_mm: f64,
}

impl Size {
    /// Volume in cm³ of the ellipsoid of that length and width, as studies with calipers give it.
    pub fn ellipsoid_cm3(&self) -> f64 {
        std::f64::consts::PI / 6.0 * self.length_mm * self.width_mm.powi(2) * 1e-3
    }

    /// Area in mm² of the ellipse of that length and width.
    pub fn ellipse_mm2(&self) -> f64 {
        std::f64::consts::PI / 4.0 * self.length_mm * self.width_mm
    }
}

impl Plane {
    /// Half a plane through a needle of this radius: from the axis to `reach_mm` beyond the metal, and as far past the ends of a tip of
    /// `tip_mm`.
    pub fn beside(radius_mm: f64, tip_mm: f64, reach_mm: f64) -> Self {
        let mut across = vec![0.0, 0.5 * radius_mm];
        across.extend(steps(reach_mm).into_iter().map(|d| radius_mm + d));
        Self {
            across,
            along: along(tip_mm, reach_mm),
        }
    }

    /// Half a plane from the middle between two needles outwards.
    pub fn from_middle(reach_mm: f64, tip_mm: f64, past_mm: f64) -> Self {
        let n = (reach_mm / ACROSS_MM[0]).ceil();
        Self {
            across: (0..=n as usize).map(|i| reach_mm * i as f64 / n).collect(),
            along: along(tip_mm, past_mm),
        }
    }

    /// Every node as (across, along), in index order.
    pub fn nodes(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.along
            .iter()
            .flat_map(|&z| self.across.iter().map(move |&x| (x, z)))
    }

    /// In each row across: the outermost place at which the level falls to zero, none where the row lies below.
    ///
    /// # Errors
    /// When the lesion is larger than the lattice.
    pub fn edges_across(&self, level: &[f64]) -> Result<Vec<Option<f64>>, String> {
        let n = self.across.len();
        level.chunks_exact(n).map(|row| outermost(&self.across, row)).collect()
    }

    /// In each column: the lowest and the highest place along the needle at which the level is zero.
    ///
    /// # Errors
    /// When the lesion is larger than the lattice.
    pub fn spans_along(&self, level: &[f64]) -> Result<Vec<Option<(f64, f64)>>, String> {
        let n = self.across.len();
        let backwards: Vec<f64> = self.along.iter().rev().map(|z| -z).collect();
        (0..n)
            .map(|i| {
                let column: Vec<f64> = level.iter().skip(i).step_by(n).copied().collect();
                let reversed: Vec<f64> = column.iter().rev().copied().collect();
                let high = outermost(&self.along, &column)?;
                let low = outermost(&backwards, &reversed)?;
                Ok(high.zip(low).map(|(h, l)| (-l, h)))
            })
            .collect()
    }

    /// Size of a lesion round the needle of a plane made by [`Plane::beside`]; none without one.
    ///
    /// # Errors
    /// When the lesion is larger than the lattice.
    pub fn size(&self, level: &[f64]) -> Result<Option<Size>, String> {
        let widest = self.edges_across(level)?.into_iter().flatten().fold(0.0, f64::max);
        let (low, high) = self
            .spans_along(level)?
            .into_iter()
            .flatten()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), (a, b)| {
                (l.min(a), h.max(b))
            });
        Ok((low < high).then_some(Size {
            width_mm: 2.0 * widest,
            length_mm: high - low,
            distal_mm: -low,
            proximal_mm: high,
        }))
    }
}

/// Distances from the metal, mm.
fn steps(reach_mm: f64) -> Vec<f64> {
    let mut all = vec![0.0];
    let mut d = 0.0;
    while d < reach_mm {
        d += ACROSS_MM[usize::from(d >= NEAR_MM)];
        all.push(d);
    }
    all
}

fn along(tip_mm: f64, past_mm: f64) -> Vec<f64> {
    let below = (past_mm / ALONG_MM).ceil() as i32;
    let above = ((tip_mm + past_mm) / ALONG_MM).ceil() as i32;
    (-below..=above).map(|i| f64::from(i) * ALONG_MM).collect()
}

/// The outermost place at which values that are positive inside fall through zero.
fn outermost(places: &[f64], values: &[f64]) -> Result<Option<f64>, String> {
    match values.iter().rposition(|v| *v >= 0.0) {
        None => Ok(None),
        Some(i) if i + 1 == values.len() => Err(format!(
            "the lesion reaches beyond the lattice, {:.1} mm from its origin",
            places[i]
        )),
        Some(i) => {
            let w = values[i] / (values[i] - values[i + 1]);
            Ok(Some(places[i] + w * (places[i + 1] - places[i])))
        }
    }
}

/// A point that lies in the metal of a needle with its distal end at z = 0, moved to just outside its surface; others stay.
pub(super) fn out_of_metal(x: f64, y: f64, z: f64, radius_mm: f64) -> [f64; 3] {
    let surface = radius_mm + SKIN_MM;
    // Above the centre of the rounded end only the distance from the axis counts.
    let up = (z - radius_mm).min(0.0);
    let distance = (x * x + y * y + up * up).sqrt();
    if distance >= surface {
        return [x, y, z];
    }
    if distance < 1e-9 {
        return [surface, 0.0, z];
    }
    let s = surface / distance;
    [x * s, y * s, z + up * (s - 1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_an_ellipsoid() {
        // Level of an ellipsoid 7 mm wide, 13 mm long, its middle at z = 5 mm.
        let plane = Plane::beside(0.45, 10.0, 8.0);
        let level: Vec<f64> = plane
            .nodes()
            .map(|(x, z)| 1.0 - ((x / 3.5).powi(2) + ((z - 5.0) / 6.5).powi(2)).sqrt())
            .collect();
        let size = plane.size(&level).unwrap().unwrap();
        assert!((size.width_mm - 7.0).abs() < 0.01, "{size:?}");
        assert!((size.length_mm - 13.0).abs() < 0.02, "{size:?}");
        assert!((size.distal_mm - 1.5).abs() < 0.02, "{size:?}");
        assert!((size.proximal_mm - 11.5).abs() < 0.02, "{size:?}");
        assert!((size.ellipsoid_cm3() - 0.3335).abs() < 0.002, "{size:?}");
        assert!((size.ellipse_mm2() - 71.47).abs() < 0.2, "{size:?}");
    }

    #[test]
    fn no_lesion_and_a_lesion_too_large() {
        let plane = Plane::beside(0.45, 5.0, 3.0);
        let n = plane.nodes().count();
        assert_eq!(plane.size(&vec![-1.0; n]).unwrap(), None);
        assert!(plane.size(&vec![1.0; n]).unwrap_err().contains("beyond the lattice"));
    }

    #[test]
    fn points_leave_the_metal_by_the_nearest_way() {
        let close = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(out_of_metal(0.0, 0.0, 5.0, 0.5), [0.51, 0.0, 5.0]));
        assert!(close(out_of_metal(0.1, 0.0, 5.0, 0.5), [0.51, 0.0, 5.0]));
        assert!(close(out_of_metal(0.0, 0.2, 5.0, 0.5), [0.0, 0.51, 5.0]));
        assert!(close(out_of_metal(0.0, 0.0, 0.25, 0.5), [0.0, 0.0, -0.01]));
        assert!(close(out_of_metal(0.6, 0.0, 5.0, 0.5), [0.6, 0.0, 5.0]));
        assert!(close(out_of_metal(0.0, 0.0, -0.5, 0.5), [0.0, 0.0, -0.5]));
    }
}
