//! An anatomy looked up once, for many problems in it.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3};
use rayon::prelude::*;

use crate::anatomy::{TissueField, TissueId};

/// Tissues at the points of two grids, a fine one round the middle and a coarse one beyond; the point nearest to a place stands for it.
pub(super) struct Sampled {
    whole: Arc<dyn TissueField>,
    fine: Grid,
    coarse: Grid,
}

struct Grid {
    low: Vec3,
    spacing_mm: f64,
    count: [usize; 3],
    tissue: Vec<u8>,
}

impl Grid {
    fn new(field: &dyn TissueField, center: &Vec3, half_mm: f64, spacing_mm: f64) -> Self {
        let n = (2.0 * half_mm / spacing_mm).ceil() as usize + 1;
        let low = center - Vec3::repeat(0.5 * (n - 1) as f64 * spacing_mm);
        let tissue = (0..n * n * n)
            .into_par_iter()
            .with_min_len(n * n)
            .map(|i| {
                let at = Vec3::new((i % n) as f64, (i / n % n) as f64, (i / (n * n)) as f64);
                field.tissue_at(&PatientPoint::from_vec(low + at * spacing_mm)).0
            })
            .collect();
        Self {
            low,
            spacing_mm,
            count: [n; 3],
            tissue,
        }
    }

    fn at(&self, p: &Vec3) -> Option<TissueId> {
        let at = (p - self.low) / self.spacing_mm;
        let mut index = 0;
        for a in (0..3).rev() {
            let k = at[a].round();
            if !(k >= 0.0 && k < self.count[a] as f64) {
                return None;
            }
            index = index * self.count[a] + k as usize;
        }
        Some(TissueId(self.tissue[index]))
    }
}

impl Sampled {
    /// Fine within `near_mm` of a point, coarse within `far_mm`; as it is beyond.
    pub fn new(whole: Arc<dyn TissueField>, center: &PatientPoint, near: (f64, f64), far: (f64, f64)) -> Self {
        let c = center.vec();
        Self {
            fine: Grid::new(&*whole, &c, near.0, near.1),
            coarse: Grid::new(&*whole, &c, far.0, far.1),
            whole,
        }
    }
}

impl TissueField for Sampled {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        let v = p.vec();
        self.fine
            .at(&v)
            .or_else(|| self.coarse.at(&v))
            .unwrap_or_else(|| self.whole.tissue_at(p))
    }

    fn fibre_at(&self, p: &PatientPoint) -> Vec3 {
        self.whole.fibre_at(p)
    }
}
