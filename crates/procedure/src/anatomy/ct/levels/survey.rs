//! One pass over a label map: where each vertebra, rib and hip lies.

use neurotome_base::{PatientPoint, Point};

use super::{FoundVertebra, LevelError, LevelReport};
use crate::anatomy::ct::LabelMap;
use crate::anatomy::ct::labels::Sign;
use crate::anatomy::{Level, Side};

/// Fewer voxels than this show no side.
const FEWEST_VOXELS: usize = 20;

/// All voxels of one sign.
pub(super) struct Region {
    pub sign: Sign,
    pub voxels: usize,
    pub center: PatientPoint,
    pub cut: bool,
}

/// What lies where in a label map.
pub(super) struct Survey {
    pub regions: Vec<Region>,
    /// The first labels found, for a message.
    pub first_labels: Vec<u16>,
    voxel_cm3: f64,
}

impl Survey {
    pub(super) fn of(map: &LabelMap) -> Self {
        let [nx, ny, nz] = map.labels.dims();
        let mut tallies: Vec<(Sign, usize, [f64; 3], bool)> = Vec::new();
        let mut seen = vec![false; 1 << 16];
        // The place of each label in `tallies`; the last value for labels of no interest.
        let mut place = vec![usize::MAX; 1 << 16];
        let mut row = 0;
        for k in 0..nz {
            for j in 0..ny {
                let labels = &map.labels.data()[row..row + nx];
                row += nx;
                for (i, label) in labels.iter().enumerate().filter(|(_, l)| **l != 0) {
                    let at = usize::from(*label);
                    if !seen[at] {
                        seen[at] = true;
                        if let Some(sign) = map.meaning.sign(*label) {
                            place[at] = tallies.iter().position(|t| t.0 == sign).unwrap_or(tallies.len());
                            if place[at] == tallies.len() {
                                tallies.push((sign, 0, [0.0; 3], false));
                            }
                        }
                    }
                    let Some((_, voxels, sum, cut)) = tallies.get_mut(place[at]) else {
                        continue;
                    };
                    *voxels += 1;
                    for (s, index) in sum.iter_mut().zip([i, j, k]) {
                        *s += index as f64;
                    }
                    *cut |= [(i, nx), (j, ny), (k, nz)].iter().any(|(x, n)| *x == 0 || x + 1 == *n);
                }
            }
        }
        let affine = map.labels.affine();
        let regions = tallies
            .into_iter()
            .map(|(sign, voxels, sum, cut)| {
                let [x, y, z] = sum.map(|s| s / voxels as f64);
                Region {
                    sign,
                    voxels,
                    center: affine.to_patient(&Point::new(x, y, z)),
                    cut,
                }
            })
            .collect();
        Self {
            regions,
            first_labels: (1..=u16::MAX).filter(|l| seen[usize::from(*l)]).take(12).collect(),
            voxel_cm3: affine.matrix.determinant().abs() / 1000.0,
        }
    }

    pub(super) fn region(&self, sign: Sign) -> Option<&Region> {
        self.regions.iter().find(|r| r.sign == sign)
    }

    /// The vertebrae, from above to below by name.
    pub(super) fn vertebrae(&self) -> Vec<FoundVertebra> {
        Level::ALL
            .into_iter()
            .filter_map(|level| {
                let region = self.region(Sign::Vertebra(level))?;
                Some(FoundVertebra {
                    level,
                    center: region.center,
                    voxels: region.voxels,
                    volume_cm3: region.voxels as f64 * self.voxel_cm3,
                    cut: region.cut,
                    from_sacrum: None,
                    from_last_rib: None,
                })
            })
            .collect()
    }

    /// Ribs and hips of the left must lie to the left of those of the right.
    pub(super) fn check_sides(&self, report: &mut LevelReport) {
        let pair = |left: Sign, right: Sign| {
            let enough = |sign| self.region(sign).filter(|r| r.voxels >= FEWEST_VOXELS);
            Some((enough(left)?.center.xyz[0], enough(right)?.center.xyz[0]))
        };
        let hips = pair(Sign::Hip(Side::Left), Sign::Hip(Side::Right)).map(|x| ("the hip bone".to_owned(), x));
        let ribs = (1..=13u8).filter_map(|n| {
            pair(Sign::Rib(n, Some(Side::Left)), Sign::Rib(n, Some(Side::Right))).map(|x| (format!("rib {n}"), x))
        });
        let mirrored = hips.into_iter().chain(ribs).find(|(_, (left, right))| left <= right);
        if let Some((what, (left_x_mm, right_x_mm))) = mirrored {
            report.errors.push(LevelError::Mirrored {
                what,
                left_x_mm,
                right_x_mm,
            });
        }
    }
}
