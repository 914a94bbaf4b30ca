//! Measures of a generated vertebra, from its solid alone, in its own axes: x left, y back, z up, mm.

use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::anatomy::{
    Level, Patient as _, VertebraFrame,
    spine::{LumbarSpine, Solid, Structure},
};

/// Steps in which rays look for a border before it is found exactly.
const STEP: f64 = 0.2;

/// The bone of one vertebra.
pub struct Bone<'a> {
    solid: Solid<'a>,
    pub frame: VertebraFrame,
}

impl<'a> Bone<'a> {
    pub fn new(spine: &'a LumbarSpine, level: Level) -> Option<Self> {
        let solid = spine
            .solids()
            .into_iter()
            .find(|s| s.structure == Structure::Vertebra(level))?;
        Some(Self {
            solid,
            frame: spine.frame(level)?,
        })
    }

    fn level(&self, p: &Vec3) -> f64 {
        self.solid.level_mm(&PatientPoint::from_vec(self.frame.to_patient(p)))
    }

    fn inside(&self, p: &Vec3) -> bool {
        self.level(p) < 0.0
    }

    /// Along a ray, how far to where bone begins or ends; none within `most`.
    fn border(&self, from: &Vec3, direction: &Vec3, most: f64) -> Option<f64> {
        let start = self.inside(from);
        let n =
            (1..=(most / STEP) as usize).find(|n| self.inside(&(from + direction * (STEP * *n as f64))) != start)?;
        let (mut low, mut high) = (STEP * (n - 1) as f64, STEP * n as f64);
        while high - low > 1e-4 {
            let middle = 0.5 * (low + high);
            if self.inside(&(from + direction * middle)) == start {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }

    /// How far bone goes on from a point within it to both sides.
    fn extent(&self, from: &Vec3, direction: &Vec3) -> Option<f64> {
        if !self.inside(from) {
            return None;
        }
        Some(self.border(from, direction, 60.0)? + self.border(from, &-direction, 60.0)?)
    }

    fn top(&self) -> Option<f64> {
        self.border(&Vec3::zeros(), &Vec3::z(), 40.0)
    }

    /// Where the body ends behind, at a height.
    fn back(&self, z: f64) -> Option<f64> {
        let middle = Vec3::new(0.0, 0.0, z);
        self.inside(&middle)
            .then(|| self.border(&middle, &Vec3::y(), 40.0))
            .flatten()
    }

    /// Greatest width within 4 mm below the superior end plate, before the pedicles.
    pub fn end_plate_width(&self) -> Option<f64> {
        let top = self.top()?;
        grid(top - 4.0, top - 0.5, 0.5)
            .flat_map(|z| grid(-10.0, 4.0, 1.0).map(move |y| Vec3::new(0.0, y, z)))
            .filter_map(|p| self.extent(&p, &Vec3::x()))
            .reduce(f64::max)
    }

    /// Greatest depth in the midline within 4 mm below the superior end plate.
    pub fn end_plate_depth(&self) -> Option<f64> {
        let top = self.top()?;
        grid(top - 4.0, top - 0.5, 0.5)
            .filter_map(|z| self.extent(&Vec3::new(0.0, 0.0, z), &Vec3::y()))
            .reduce(f64::max)
    }

    /// Greatest height within 6 mm of the front.
    pub fn height_anterior(&self) -> Option<f64> {
        let front = -self.border(&Vec3::zeros(), &-Vec3::y(), 40.0)?;
        grid(front + 0.5, front + 6.0, 0.5)
            .filter_map(|y| self.extent(&Vec3::new(0.0, y, 0.0), &Vec3::z()))
            .reduce(f64::max)
    }

    /// Greatest height within 6 mm of the back.
    pub fn height_posterior(&self) -> Option<f64> {
        let back = self.back(0.0)?;
        grid(back - 6.0, back - 0.5, 0.5)
            .filter_map(|y| self.extent(&Vec3::new(0.0, y, 0.0), &Vec3::z()))
            .reduce(f64::max)
    }

    /// Sections of the pedicle of a side (+1 left) across its way back: medial border, width at half height, height at half width.
    fn pedicle(&self, side: f64) -> Vec<[f64; 3]> {
        let Some(back) = self.back(4.0) else { return vec![] };
        let outwards = Vec3::x() * side;
        grid(back + 0.5, back + 8.0, 0.5)
            .filter_map(|y| {
                let mut z = 4.0;
                let mut section = None;
                for _ in 0..4 {
                    let start = Vec3::new(0.0, y, z);
                    let medial = self.border(&start, &outwards, 30.0)?;
                    let width = self.border(&(start + outwards * (medial + 0.01)), &outwards, 60.0)?;
                    let middle = start + outwards * (medial + 0.5 * width.min(20.0));
                    let up = self.border(&middle, &Vec3::z(), 30.0)?;
                    let down = self.border(&middle, &-Vec3::z(), 30.0)?;
                    z += 0.5 * (up - down);
                    section = Some([medial, width, up + down]);
                }
                section
            })
            .collect()
    }

    /// The least of a number of the pedicle's sections, mean of both sides.
    fn isthmus(&self, n: usize) -> Option<f64> {
        let least = |side: f64| self.pedicle(side).iter().map(|s| s[n]).reduce(f64::min);
        Some(0.5 * (least(1.0)? + least(-1.0)?))
    }

    pub fn pedicle_width(&self) -> Option<f64> {
        self.isthmus(1)
    }

    pub fn pedicle_height(&self) -> Option<f64> {
        self.isthmus(2)
    }

    /// Least width of the canal between the pedicles.
    pub fn interpedicular(&self) -> Option<f64> {
        Some(2.0 * self.isthmus(0)?)
    }

    /// Least depth of the canal in the midline, behind the middle of the body, clear of its end plates.
    pub fn canal_depth(&self) -> Option<f64> {
        grid(-8.0, 8.0, 0.5)
            .filter_map(|z| {
                let start = Vec3::new(0.0, self.back(z)? + 0.01, z);
                self.border(&start, &Vec3::y(), 40.0)
            })
            .reduce(f64::min)
    }

    /// Between the tips of the transverse processes.
    pub fn transverse_span(&self) -> Option<f64> {
        let tip = |side: f64| {
            (0..500).map(|n| 70.0 - 0.1 * f64::from(n)).find(|x| {
                grid(-5.0, 45.0, 1.0).any(|y| grid(-15.0, 22.0, 1.0).any(|z| self.inside(&Vec3::new(side * x, y, z))))
            })
        };
        Some(tip(1.0)? + tip(-1.0)?)
    }

    /// Direction of the superior end plate in the midline, from front to back, in the patient.
    pub fn end_plate_direction(&self) -> Option<Vec3> {
        let at = |y: f64| {
            let z = self.border(&Vec3::new(0.0, y, 0.0), &Vec3::z(), 40.0)?;
            Some(self.frame.to_patient(&Vec3::new(0.0, y, z)))
        };
        Some((at(8.0)? - at(-8.0)?).normalize())
    }
}

/// Mean height of the disc between two vertebrae, over rays in the midline across the inner two thirds of the end plates.
pub fn disc_height(upper: &Bone<'_>, lower: &Bone<'_>) -> Option<f64> {
    let way = lower.frame.origin - upper.frame.origin;
    let (length, direction) = (way.norm(), way.normalize());
    let from = |bone: &Bone<'_>, d: Vec3, across: Vec3| {
        let start = bone.frame.direction_to_local(&across);
        bone.border(&start, &bone.frame.direction_to_local(&d), 40.0)
    };
    let heights: Option<Vec<f64>> = grid(-11.0, 11.0, 1.0)
        .map(|y| {
            let back = (upper.frame.posterior + lower.frame.posterior).normalize();
            let across = (back - direction * back.dot(&direction)).normalize() * y;
            Some(length - from(upper, direction, across)? - from(lower, -direction, across)?)
        })
        .collect();
    let heights = heights?;
    Some(heights.iter().sum::<f64>() / heights.len() as f64)
}

/// Angle of the facet joints above a vertebra to the sagittal plane, degrees, mean of both sides: the direction in which their cartilage
/// extends in the axial plane where there is most of it.
pub fn facet_angle(spine: &LumbarSpine, level: Level) -> Option<f64> {
    let frame = spine.frame(level)?;
    let side_angle = |side: f64| {
        let cartilage = |z: f64| -> Vec<[f64; 2]> {
            grid(6.0, 34.0, 0.4)
                .flat_map(|x| grid(5.0, 45.0, 0.4).map(move |y| [x, y]))
                .filter(|[x, y]| {
                    let p = frame.to_patient(&Vec3::new(side * x, *y, z));
                    spine.structure_at(&PatientPoint::from_vec(p)) == Structure::Cartilage
                })
                .collect()
        };
        let most = grid(0.0, 24.0, 2.0).map(cartilage).max_by_key(Vec::len)?;
        let n = most.len() as f64;
        let mean = most.iter().fold([0.0; 2], |m, p| [m[0] + p[0] / n, m[1] + p[1] / n]);
        let [xx, xy, yy] = most.iter().fold([0.0; 3], |c, p| {
            let (x, y) = (p[0] - mean[0], p[1] - mean[1]);
            [c[0] + x * x, c[1] + x * y, c[2] + y * y]
        });
        // Direction of the principal axis, as the angle from y to x.
        (n > 20.0).then(|| (0.5 * (2.0 * xy).atan2(yy - xx)).to_degrees().abs())
    };
    Some(0.5 * (side_angle(1.0)? + side_angle(-1.0)?))
}

fn grid(from: f64, to: f64, step: f64) -> impl Iterator<Item = f64> {
    (0..=((to - from) / step) as usize).map(move |n| from + step * n as f64)
}
