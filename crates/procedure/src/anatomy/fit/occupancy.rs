//! Where there is bone, as an image tells it.

use neurotome_base::{PatientPoint, Point, Vec3, Volume};

use super::super::ct::CtAnatomy;

/// The share of bone at any point, ½ on its surface; none outside the image.
pub trait Occupancy: Sync {
    /// At a point of the patient.
    fn at(&self, p: &Vec3) -> Option<f64>;
}

/// The bone of a CT, whichever it is.
pub struct CtBone<'a>(pub &'a CtAnatomy);

impl Occupancy for CtBone<'_> {
    fn at(&self, p: &Vec3) -> Option<f64> {
        let p = PatientPoint::from_vec(*p);
        self.0.contains(&p).then(|| self.0.bone_fraction_at(&p))
    }
}

/// The voxels of some labels.
pub struct Labelled<'a> {
    /// The label map.
    pub labels: &'a Volume<u16>,
    /// The labels that count.
    pub wanted: &'a [u16],
}

impl Occupancy for Labelled<'_> {
    fn at(&self, p: &Vec3) -> Option<f64> {
        let index = self.labels.affine().to_voxel(&PatientPoint::from_vec(*p)).xyz;
        let dims = self.labels.dims();
        if (0..3).any(|a| index[a] < -0.5 || index[a] > dims[a] as f64 - 0.5) {
            return None;
        }
        let base = index.map(f64::floor);
        let mut sum = 0.0;
        for corner in 0..8usize {
            let mut weight = 1.0;
            let at: [usize; 3] = std::array::from_fn(|a| {
                let up = (corner >> a & 1) as f64;
                let t = index[a] - base[a];
                weight *= if up > 0.0 { t } else { 1.0 - t };
                (base[a] + up).clamp(0.0, dims[a] as f64 - 1.0) as usize
            });
            if weight > 0.0
                && let Some(label) = self.labels.get(at[0], at[1], at[2])
                && self.wanted.contains(&label)
            {
                sum += weight;
            }
        }
        Some(sum)
    }
}

/// Mean place of the voxels of some labels, and how many there are.
pub fn centroid(labels: &Volume<u16>, wanted: &[u16]) -> Option<(Vec3, usize)> {
    let [nx, ny, nz] = labels.dims();
    let (mut sum, mut count) = (Vec3::zeros(), 0usize);
    for k in 0..nz {
        for j in 0..ny {
            for i in 0..nx {
                if labels.get(i, j, k).is_some_and(|l| wanted.contains(&l)) {
                    sum += Vec3::new(i as f64, j as f64, k as f64);
                    count += 1;
                }
            }
        }
    }
    let mean = sum / count.max(1) as f64;
    (count > 0).then(|| {
        (
            labels.affine().to_patient(&Point::new(mean.x, mean.y, mean.z)).vec(),
            count,
        )
    })
}
