//! Why a picture shows nothing: what is unusual about volume, view and window, in words.

use neurotome_base::{PatientPoint, Point, Vec3, Volume};
use neurotome_physics::xray::View;

use super::Frame;

/// What is worth knowing of a volume before it is looked at; gathered once.
#[derive(Debug, Clone, PartialEq)]
pub struct VolumeFacts {
    /// Lowest and highest value, HU.
    pub range_hu: [f32; 2],
    /// Share of voxels below −500 HU.
    pub air_fraction: f64,
    /// Middle of what lies above −300 HU, mm; none when nothing does.
    pub body_mm: Option<PatientPoint>,
    /// Middle of what lies above 250 HU, mm; none when nothing does.
    pub bone_mm: Option<PatientPoint>,
    /// Corners, mm.
    pub corners_mm: [PatientPoint; 8],
}

impl VolumeFacts {
    /// Looks at every fourth voxel along each axis.
    pub fn of(hu: &Volume<f32>) -> Self {
        let [nx, ny, nz] = hu.dims();
        let mut range_hu = [f32::INFINITY, f32::NEG_INFINITY];
        let (mut air, mut count) = (0.0f64, 0.0f64);
        let mut sums = [(Vec3::zeros(), 0.0f64); 2];
        let step = |n: usize| if n > 16 { 4 } else { 1 };
        for k in (0..nz).step_by(step(nz)) {
            for j in (0..ny).step_by(step(ny)) {
                for i in (0..nx).step_by(step(nx)) {
                    let v = hu.data()[i + nx * (j + ny * k)];
                    range_hu = [range_hu[0].min(v), range_hu[1].max(v)];
                    count += 1.0;
                    air += f64::from(u8::from(v < -500.0));
                    for (sum, above) in sums.iter_mut().zip([-300.0, 250.0]) {
                        if v > above {
                            sum.0 += Vec3::new(i as f64, j as f64, k as f64);
                            sum.1 += 1.0;
                        }
                    }
                }
            }
        }
        let middle = |(sum, n): (Vec3, f64)| (n > 0.0).then(|| hu.affine().to_patient(&Point::from_vec(sum / n)));
        let last = [nx, ny, nz].map(|n| n as f64 - 1.0);
        Self {
            range_hu,
            air_fraction: air / count,
            body_mm: middle(sums[0]),
            bone_mm: middle(sums[1]),
            corners_mm: std::array::from_fn(|n| {
                let pick = |a: usize| if n >> a & 1 == 1 { last[a] } else { 0.0 };
                hu.affine().to_patient(&Point::new(pick(0), pick(1), pick(2)))
            }),
        }
    }
}

/// Bone lies behind the middle of a body; before or beside it by more than this, directions are mixed up, mm.
const BONE_OFF_MM: f64 = 15.0;

/// What may be wrong, most telling first; empty when nothing is unusual.
pub fn explain(facts: &VolumeFacts, view: &View, target: &PatientPoint, frame: Option<&Frame>) -> Vec<String> {
    let mut all = Vec::new();
    let seen: Vec<Option<[f64; 2]>> = facts.corners_mm.iter().map(|c| view.project(c)).collect();
    let within = |a: usize, n: usize| {
        let low = seen.iter().flatten().map(|p| p[a]).fold(f64::INFINITY, f64::min);
        let high = seen.iter().flatten().map(|p| p[a]).fold(f64::NEG_INFINITY, f64::max);
        high >= 0.0 && low <= n as f64 - 1.0
    };
    let [low, high] = bounds(&facts.corners_mm);
    if !(within(0, view.columns) && within(1, view.rows)) {
        all.push(format!(
            "the view misses the volume, which lies between {} and {} mm (LPS): give a target inside it, or undo the table's shift",
            place(&low),
            place(&high)
        ));
    } else if (0..3).any(|a| target.xyz[a] < low[a] || target.xyz[a] > high[a]) {
        all.push(format!(
            "the point at the isocentre, {} mm, lies outside the volume, which spans {} to {} mm (LPS)",
            place(&target.vec()),
            place(&low),
            place(&high)
        ));
    }
    let normal = view.column_step_mm.cross(&view.row_step_mm);
    let depth = |p: &Vec3| (p - view.source_mm).dot(&normal) / (view.first_mm - view.source_mm).dot(&normal);
    if facts.body_mm.is_some_and(|b| depth(&b.vec()) > 1.0) {
        all.push("the patient's middle lies behind the detector: lower the target or lengthen the distance from source to detector".to_owned());
    }
    let [lowest, highest] = facts.range_hu;
    if highest - lowest < 1.0 {
        all.push(format!("all voxels are {lowest} HU: there is nothing to see"));
    } else if lowest >= 0.0 {
        all.push(format!(
            "values run from {lowest} to {highest}; a CT in Hounsfield units has air near −1000: slope and intercept may not have been applied (stored values are often HU + 1024)"
        ));
    } else if lowest > -200.0 && highest < 300.0 {
        all.push(format!(
            "values run from {lowest} to {highest} HU: neither air nor bone; is this a CT, and in Hounsfield units?"
        ));
    } else if highest < 250.0 {
        all.push(format!("nothing is denser than {highest} HU: no bone will show"));
    }
    if let (Some(body), Some(bone)) = (facts.body_mm, facts.bone_mm) {
        let [aside, behind] = [0, 1].map(|a| bone.xyz[a] - body.xyz[a]);
        if behind < -BONE_OFF_MM {
            all.push(format!(
                "bone lies {:.0} mm before the middle of the body: front and back look exchanged; check the image's orientation",
                -behind
            ));
        } else if aside.abs() > BONE_OFF_MM && aside.abs() > behind {
            all.push(format!(
                "bone lies {:.0} mm beside the middle of the body and {behind:.0} mm behind it: the axes look exchanged; check the image's orientation",
                aside.abs()
            ));
        }
    }
    if let Some(frame) = frame {
        let count = frame.picture.grey.len().max(1) as f64;
        let mut shades = [0usize; 256];
        frame.picture.grey.iter().for_each(|g| shades[usize::from(*g)] += 1);
        let share = |v: usize| shades[v] as f64 / count;
        let (black, white) = (share(0), share(255));
        if black > 0.6 || white > 0.6 {
            let [b, w] = frame.black_and_white;
            all.push(format!(
                "{:.0} % of the picture is black and {:.0} % white: the window runs from {b:.3} (black) to {w:.3} (white); use the automatic window, or open the collimator",
                100.0 * black,
                100.0 * white
            ));
        }
    }
    all
}

fn bounds(corners: &[PatientPoint; 8]) -> [Vec3; 2] {
    let pick = |f: fn(f64, f64) -> f64, start: f64| {
        corners
            .iter()
            .fold(Vec3::repeat(start), |best, c| best.zip_map(&c.vec(), f))
    };
    [pick(f64::min, f64::INFINITY), pick(f64::max, f64::NEG_INFINITY)]
}

fn place(p: &Vec3) -> String {
    format!("({:.0}, {:.0}, {:.0})", p.x, p.y, p.z)
}
