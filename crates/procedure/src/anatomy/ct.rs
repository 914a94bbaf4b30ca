//! Tissue from a CT image: Hounsfield units and, where there are any, labels.
//!
//! A voxel is larger than a cortical shell and often larger than the active tip, so most voxels near a border hold two tissues
//! (partial volume). Borders are therefore not drawn voxel by voxel and not by one threshold:
//!
//! - **Body**: the largest connected part above −300 HU after plates thinner than 6 mm are cut off: the table, cushions' shells
//!   and whatever else is not the patient become air.
//! - **Air**: below half way between air and soft tissue, −500 HU, of the value interpolated at the point.
//! - **Bone**: each voxel near bone gets the *fraction* of bone that its value shows between the bone and the soft tissue beside
//!   it: both ends are found by walking uphill and downhill from the voxel for one width of the blur. The border is where the
//!   interpolated fraction is one half, so it stays in place whether the image is blurred or sharp, against fat or muscle, at a
//!   dense facet or a shell that 4 mm slices dim to 200 HU. Marrow that a shell encloses is bone whatever its value, and so is
//!   the inside of a bone label.
//! - **Cortical bone**: within 1 mm of the bone's surface, or above 350 HU; the rest of the bone is cancellous.
//! - **Fat**: below −30 HU, half way between fat (about −100) and muscle (about 50). The value used is that of the soft tissue
//!   beside the voxel when the voxel itself is mixed with air or bone: the rim between skin and air, or between air and muscle,
//!   passes through the values of fat and is none.
//!   In a noisy image (over 20 HU) the mean of neighbouring soft voxels takes the place of single ones.
//! - **Skin**: within 2 mm of the outer air.
//!
//! Outside the image the nearest voxel of its border answers: air beyond the skin, otherwise the tissue that the image was cut in.
//!
//! Values of tissues: air −1000, fat −190…−30, muscle 10…80, marrow and cancellous bone −50…300, cortical bone 300…2000 HU, as in
//! Buzug, *Computed Tomography* (2008), chapter 8; cancellous bone of L1 below about 110 HU means osteoporosis (Pickhardt et al.,
//! Ann Intern Med 2013;158:588). Limits: contrast medium and calcified vessels above 160 HU look like bone; metal (above 2500 HU,
//! counted in [`CtAnatomy::notes`]) is taken for cortical bone and its streaks are believed; without labels the spinal canal is
//! soft tissue; marrow below 110 HU that the edge of the image lays open is soft tissue unless labelled; gaps thinner than a voxel
//! (a facet joint) close.

mod body;
mod bone;
mod labels;
pub mod levels;
mod morphology;
mod noise;

use std::collections::BTreeMap;

use neurotome_base::{Affine, PatientPoint, Volume, VolumeError};
use rayon::prelude::*;

pub use labels::{LabelMap, LabelMeaning, Part, Structure, TableEntry};

use super::{TissueField, TissueId};

/// The tissues that a CT can show, as indices of the run's tissue table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TissueIds {
    /// Air, outside and inside.
    pub air: TissueId,
    /// Fat.
    pub fat: TissueId,
    /// Muscle, and every other soft tissue.
    pub muscle: TissueId,
    /// Skin; counts as fat or muscle by its value when none.
    pub skin: Option<TissueId>,
    /// Cancellous bone and marrow.
    pub cancellous_bone: TissueId,
    /// Cortical bone.
    pub cortical_bone: TissueId,
    /// Spinal canal, where labelled.
    pub csf: Option<TissueId>,
    /// Intervertebral disc, where labelled.
    pub disc: Option<TissueId>,
}

/// Thresholds; the module's text says why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CtRules {
    /// The body is what lies above this, HU.
    pub body_above_hu: f64,
    /// Plates thinner than twice this are cut off the body, mm.
    pub cut_plates_mm: f64,
    /// Air is below this, HU.
    pub air_below_hu: f64,
    /// Fat is below this, HU.
    pub fat_below_hu: f64,
    /// Bone must somewhere rise above this, HU.
    pub bone_core_above_hu: f64,
    /// Where the darkest tissue nearby is above this, all is bone, HU.
    pub cancellous_above_hu: f64,
    /// Cortical bone is above this, HU.
    pub cortical_above_hu: f64,
    /// Specks of bone smaller than this are noise, mm³.
    pub smallest_bone_mm3: f64,
    /// Thickness of the cortical shell, mm.
    pub cortical_shell_mm: f64,
    /// Thickness of the skin, mm.
    pub skin_mm: f64,
    /// Metal is above this, HU.
    pub metal_above_hu: f64,
}

impl Default for CtRules {
    fn default() -> Self {
        Self {
            body_above_hu: -300.0,
            cut_plates_mm: 3.0,
            air_below_hu: -500.0,
            fat_below_hu: -30.0,
            bone_core_above_hu: 160.0,
            cancellous_above_hu: 110.0,
            cortical_above_hu: 350.0,
            smallest_bone_mm3: 40.0,
            cortical_shell_mm: 1.0,
            skin_mm: 2.0,
            metal_above_hu: 2500.0,
        }
    }
}

/// Why a CT cannot be turned into tissue.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum CtAnatomyError {
    /// Nothing in the image looks like a patient.
    #[error(
        "tissue from CT: no body found: {voxels} of {total} voxels lie above {above_hu} HU; expected a patient; check that the image is a CT in Hounsfield units and that the box cut out of it lies in the patient"
    )]
    NoBody {
        /// Voxels of the largest part.
        voxels: usize,
        /// Voxels in all.
        total: usize,
        /// Threshold, HU.
        above_hu: f64,
    },
    /// The labels lie elsewhere.
    #[error(
        "tissue from CT: the label map does not meet the CT; expected labels of the same patient in the same place; give the label map that belongs to this CT"
    )]
    LabelsElsewhere,
    /// No label means anything.
    #[error(
        "tissue from CT: none of the labels {found:?} has a meaning in {meaning}; expected {expected}; name the kind of label map that it is"
    )]
    UnknownLabels {
        /// The first labels found.
        found: Vec<u16>,
        /// The meaning asked for.
        meaning: &'static str,
        /// Its labels.
        expected: &'static str,
    },
    /// The volume of tissues cannot be made.
    #[error("tissue from CT: {0}")]
    Volume(#[from] VolumeError),
}

/// What is kept of each voxel.
#[derive(Debug, Clone, Copy)]
struct Voxel {
    /// HU; −1000 outside the body.
    hu: i16,
    /// HU of the soft tissue here, or beside, where the voxel is mixed.
    soft: i16,
    /// Fraction of bone, [`FRACTION`] for all.
    bone: i16,
    /// Distance to the outer air, 0.001 mm, at most [`DEEP`].
    depth: i16,
}

const FRACTION: f64 = 16384.0;
const DEEP: f64 = 30_000.0;

/// The tissue of a patient, from CT.
pub struct CtAnatomy {
    dims: [usize; 3],
    affine: Affine,
    to_voxel: [[f64; 4]; 3],
    voxels: Vec<Voxel>,
    /// Canal and disc by voxel, where labelled.
    structures: Option<Vec<Option<Structure>>>,
    ids: TissueIds,
    rules: CtRules,
    notes: Vec<String>,
}

/// The cell of eight voxels round a point, and where in it the point lies.
struct Cell<'a> {
    corners: [&'a Voxel; 8],
    at: [f64; 3],
}

impl Cell<'_> {
    fn interpolate(&self, value: impl Fn(&Voxel) -> i16) -> f64 {
        let along = |t: f64, low: f64, high: f64| low + t * (high - low);
        let c = self.corners.map(|voxel| f64::from(value(voxel)));
        let [u, v, w] = self.at;
        let x = [0, 2, 4, 6].map(|n| along(u, c[n], c[n + 1]));
        along(w, along(v, x[0], x[1]), along(v, x[2], x[3]))
    }

    fn bone(&self) -> f64 {
        // Most cells hold no bone or nothing else.
        let first = self.corners[0].bone;
        if self.corners.iter().all(|v| v.bone == first) {
            return f64::from(first) / FRACTION;
        }
        self.interpolate(|v| v.bone) / FRACTION
    }

    /// The slope of the bone fraction along i, j and k.
    fn bone_slope(&self) -> [f64; 3] {
        let along = |t: f64, low: f64, high: f64| low + t * (high - low);
        let c = self.corners.map(|voxel| f64::from(voxel.bone) / FRACTION);
        let [u, v, w] = self.at;
        let dx = [0, 2, 4, 6].map(|n| c[n + 1] - c[n]);
        let x = [0, 2, 4, 6].map(|n| along(u, c[n], c[n + 1]));
        [
            along(w, along(v, dx[0], dx[1]), along(v, dx[2], dx[3])),
            along(w, x[1] - x[0], x[3] - x[2]),
            along(v, x[2], x[3]) - along(v, x[0], x[1]),
        ]
    }
}

/// A CT with table, clothes and all else that is not the patient turned to air; values are rounded to whole HU.
///
/// # Errors
/// [`CtAnatomyError::NoBody`].
pub fn patient_alone(hu: &Volume<f32>, rules: &CtRules) -> Result<Volume<f32>, CtAnatomyError> {
    let (dims, affine) = (hu.dims(), *hu.affine());
    let body = body::find(hu.data(), &morphology::Grid::new(dims, &affine), rules)?;
    Ok(Volume::new(
        dims,
        affine,
        body.hu.iter().map(|v| f32::from(*v)).collect(),
    )?)
}

impl CtAnatomy {
    /// Tissue from Hounsfield units and, where given, labels on any grid.
    ///
    /// # Errors
    /// [`CtAnatomyError`].
    pub fn new(
        hu: &Volume<f32>,
        labels: Option<&LabelMap>,
        ids: TissueIds,
        rules: &CtRules,
    ) -> Result<Self, CtAnatomyError> {
        let (dims, affine) = (hu.dims(), *hu.affine());
        let mut notes = Vec::new();
        let metal = hu
            .data()
            .iter()
            .filter(|v| f64::from(**v) > rules.metal_above_hu)
            .count();
        if metal > 0 {
            notes.push(format!(
                "{metal} voxel(s) above {} HU, metal perhaps, were taken for cortical bone",
                rules.metal_above_hu
            ));
        }
        let grid = morphology::Grid::new(dims, &affine);
        let structures = labels.map(|l| l.on_grid(dims, &affine)).transpose()?;
        let body = body::find(hu.data(), &grid, rules)?;
        let sigma_hu = noise::sigma_hu(&body.hu, &grid);
        let bone = bone::find(&body.hu, sigma_hu, &grid, structures.as_deref(), rules);
        let soft = body::soft_values(&body, sigma_hu, &bone, &grid, rules);
        let depth = body::depth_mm(&body, &grid);
        let voxels = (0..grid.len())
            .into_par_iter()
            .map(|n| Voxel {
                hu: body.hu[n],
                soft: soft[n],
                bone: (bone.fraction[n] as f64 * FRACTION) as i16,
                depth: (depth[n] as f64 * 1000.0).clamp(-DEEP, DEEP) as i16,
            })
            .collect();
        // Only what changes the answer is kept.
        let structures = structures.filter(|s| {
            s.iter().any(|s| match s {
                Some(Structure::Canal) => ids.csf.is_some(),
                Some(Structure::Disc) => ids.disc.is_some(),
                _ => false,
            })
        });
        let inverse = affine.to_voxel_rows();
        Ok(Self {
            dims,
            affine,
            to_voxel: inverse,
            voxels,
            structures,
            ids,
            rules: *rules,
            notes,
        })
    }

    /// What the user should know, in plain words.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The tissue at the centre of every voxel of the CT, for a picture that the user can check.
    ///
    /// # Errors
    /// [`CtAnatomyError::Volume`], which a CT that was read before cannot give.
    pub fn inferred_labels(&self) -> Result<Volume<u8>, CtAnatomyError> {
        let [nx, ny, nz] = self.dims;
        let data = (0..nx * ny * nz)
            .into_par_iter()
            .map(|n| {
                self.tissue_at_index([(n % nx) as f64, (n / nx % ny) as f64, (n / (nx * ny)) as f64])
                    .0
            })
            .collect();
        Ok(Volume::new(self.dims, self.affine, data)?)
    }

    /// The share of each tissue in the body (air left out), by voxel centres.
    ///
    /// # Errors
    /// As [`CtAnatomy::inferred_labels`].
    pub fn body_fractions(&self) -> Result<BTreeMap<TissueId, f64>, CtAnatomyError> {
        let labels = self.inferred_labels()?;
        let mut counts: BTreeMap<TissueId, usize> = BTreeMap::new();
        for id in labels
            .data()
            .iter()
            .map(|v| TissueId(*v))
            .filter(|id| *id != self.ids.air)
        {
            *counts.entry(id).or_default() += 1;
        }
        let total: usize = counts.values().sum();
        Ok(counts
            .into_iter()
            .map(|(id, n)| (id, n as f64 / total as f64))
            .collect())
    }

    /// The bone fraction at a point: 1 in bone, 0 outside, ½ at its surface.
    pub fn bone_fraction_at(&self, p: &PatientPoint) -> f64 {
        self.cell(self.index_of(p)).bone()
    }

    /// Depth below the skin, mm, at most 30; negative in the outer air. Within half a voxel.
    pub fn skin_depth_mm(&self, p: &PatientPoint) -> f64 {
        self.cell(self.index_of(p)).interpolate(|v| v.depth) / 1000.0
    }

    /// True within the image.
    pub fn contains(&self, p: &PatientPoint) -> bool {
        let index = self.index_of(p);
        (0..3).all(|a| index[a] >= -0.5 && index[a] <= self.dims[a] as f64 - 0.5)
    }

    fn index_of(&self, p: &PatientPoint) -> [f64; 3] {
        let [x, y, z] = p.xyz;
        self.to_voxel.map(|r| r[0] * x + r[1] * y + r[2] * z + r[3])
    }

    /// The cell of a point, which is first brought to the nearest place in the image.
    fn cell(&self, index: [f64; 3]) -> Cell<'_> {
        let mut base = 0usize;
        let (mut at, mut step) = ([0.0; 3], [0usize; 3]);
        let mut stride = 1usize;
        for a in 0..3 {
            let n = self.dims[a];
            // A NaN becomes 0 here.
            let x = index[a].max(0.0).min((n - 1) as f64);
            let low = (x as usize).min(n.saturating_sub(2));
            at[a] = x - low as f64;
            base += low * stride;
            step[a] = if n > 1 { stride } else { 0 };
            stride *= n;
        }
        let corners = std::array::from_fn(|c| {
            &self.voxels[base + (c & 1) * step[0] + (c >> 1 & 1) * step[1] + (c >> 2) * step[2]]
        });
        Cell { corners, at }
    }

    fn tissue_at_index(&self, index: [f64; 3]) -> TissueId {
        let cell = self.cell(index);
        if cell.bone() > 0.5 {
            let cortical = cell.interpolate(|v| v.hu) > self.rules.cortical_above_hu || self.in_shell(index, &cell);
            return if cortical {
                self.ids.cortical_bone
            } else {
                self.ids.cancellous_bone
            };
        }
        if cell.interpolate(|v| v.hu) < self.rules.air_below_hu {
            return self.ids.air;
        }
        if let Some(id) = self.structure_at(index) {
            return id;
        }
        if let Some(skin) = self.ids.skin
            && cell.interpolate(|v| v.depth) < 1000.0 * self.rules.skin_mm
        {
            return skin;
        }
        if cell.interpolate(|v| v.soft) < self.rules.fat_below_hu {
            self.ids.fat
        } else {
            self.ids.muscle
        }
    }

    /// True when the surface of the bone is less than the thickness of the shell away, straight down the slope of the fraction.
    fn in_shell(&self, index: [f64; 3], cell: &Cell) -> bool {
        let slope = cell.bone_slope();
        let r = &self.to_voxel;
        let gradient = [0, 1, 2].map(|x| (0..3).map(|a| r[a][x] * slope[a]).sum::<f64>());
        let length = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        if length < 1e-3 {
            return false;
        }
        let out = gradient.map(|g| -g * self.rules.cortical_shell_mm / length);
        let beyond: [f64; 3] = std::array::from_fn(|a| index[a] + (0..3).map(|x| r[a][x] * out[x]).sum::<f64>());
        self.cell(beyond).bone() < 0.5
    }

    fn structure_at(&self, index: [f64; 3]) -> Option<TissueId> {
        let structures = self.structures.as_ref()?;
        let [i, j, k] = std::array::from_fn(|a| index[a].round().max(0.0).min((self.dims[a] - 1) as f64) as usize);
        match structures[i + self.dims[0] * (j + self.dims[1] * k)]? {
            Structure::Canal => self.ids.csf,
            Structure::Disc => self.ids.disc,
            Structure::Bone => None,
        }
    }
}

impl TissueField for CtAnatomy {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        self.tissue_at_index(self.index_of(p))
    }
}
