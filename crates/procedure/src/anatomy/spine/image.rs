//! Images of the built-in patient: label maps, and volumes like a CT with Hounsfield units, blur and noise.

use neurotome_base::random::Stream;
use neurotome_base::{Affine, PatientBox, PatientPoint, Vec3, Volume, VolumeError};
use rayon::prelude::*;

use super::morphometry::Morphometry;
use super::parameters::SpineError;
use super::{LumbarSpine, NEAR, Structure};

/// Hounsfield units of the structures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hounsfield {
    cortical_bone: f64,
    cancellous_bone: f64,
    muscle: f64,
    fat: f64,
    csf: f64,
    disc: f64,
    blood: f64,
    skin: f64,
    nerve: f64,
    cartilage: f64,
    ligament: f64,
    viscera: f64,
}

/// Air, and steel or titanium as a scanner clips it, HU.
const AIR: f64 = -1000.0;
const METAL: f64 = 3071.0;

impl Hounsfield {
    /// The catalogue's values.
    ///
    /// # Errors
    /// [`SpineError::Missing`].
    pub fn new(sizes: &Morphometry<'_>) -> Result<Self, SpineError> {
        Ok(Self {
            cortical_bone: sizes.value("hu_cortical_bone")?,
            cancellous_bone: sizes.value("hu_cancellous_bone")?,
            muscle: sizes.value("hu_muscle")?,
            fat: sizes.value("hu_fat")?,
            csf: sizes.value("hu_csf")?,
            disc: sizes.value("hu_disc")?,
            blood: sizes.value("hu_blood")?,
            skin: sizes.value("hu_skin")?,
            nerve: sizes.value("hu_nerve")?,
            cartilage: sizes.value("hu_cartilage")?,
            ligament: sizes.value("hu_ligament")?,
            viscera: sizes.value("hu_bowel_wall")?,
        })
    }

    fn soft(&self, structure: Structure) -> f64 {
        match structure {
            Structure::Air => AIR,
            Structure::Skin => self.skin,
            Structure::Fat | Structure::EpiduralFat => self.fat,
            Structure::Disc(_) => self.disc,
            Structure::Cartilage => self.cartilage,
            Structure::Ligament => self.ligament,
            Structure::DuralSac => self.csf,
            Structure::Nerve => self.nerve,
            Structure::Artery | Structure::Vein => self.blood,
            Structure::Viscera => self.viscera,
            Structure::Screw => METAL,
            _ => self.muscle,
        }
    }
}

/// How an image like a CT is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scanner {
    /// Width of a voxel and thickness of a slice, mm.
    pub spacing_mm: [f64; 3],
    /// Standard deviation of the blur in the slice, mm.
    pub blur_mm: f64,
    /// Standard deviation of the noise, HU.
    pub noise_hu: f64,
    /// Seed of the noise.
    pub seed: u64,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            spacing_mm: [1.0; 3],
            blur_mm: 0.6,
            noise_hu: 15.0,
            seed: 1,
        }
    }
}

/// Voxels at most.
const MAX_VOXELS: usize = 400_000_000;
/// Side of the blocks that are looked at as a whole, voxels.
const BLOCK: usize = 8;

impl LumbarSpine {
    /// A box round the whole patient: all bones with some room, and the skin.
    pub fn extent(&self) -> PatientBox {
        let mut low = Vec3::repeat(f64::INFINITY);
        let mut high = Vec3::repeat(f64::NEG_INFINITY);
        for v in &self.vertebrae {
            low = low.inf(&Vec3::from(v.bounds.low));
            high = high.sup(&Vec3::from(v.bounds.high));
        }
        let soft = &self.soft;
        let (half_width, front, back) = soft.trunk_extent();
        let air = 5.0;
        PatientBox {
            low: PatientPoint::new(-half_width - air, front - air, low.z - 5.0),
            high: PatientPoint::new(half_width + air, back + air, high.z + 10.0),
        }
    }

    /// The structure of each voxel of a grid over a box, as [`Structure::label`] numbers.
    ///
    /// # Errors
    /// [`VolumeError`]: a spacing that is not positive, or too many voxels.
    pub fn labels(&self, over: &PatientBox, spacing_mm: [f64; 3]) -> Result<Volume<u16>, VolumeError> {
        let (dims, affine) = grid(over, spacing_mm)?;
        let data = self.each_voxel(dims, &affine, |structure, _, _| structure.label());
        Volume::new(dims, affine, data)
    }

    /// An image like a CT over a box.
    ///
    /// # Errors
    /// As [`LumbarSpine::labels`].
    pub fn ct(&self, over: &PatientBox, hu: &Hounsfield, scanner: &Scanner) -> Result<Volume<f32>, VolumeError> {
        let (dims, affine) = grid(over, scanner.spacing_mm)?;
        // A thick slice is the mean of thin ones.
        let thin = (scanner.spacing_mm[2] / 1.01).ceil().max(1.0);
        let half_pixel = 0.5
            * scanner.spacing_mm[0]
                .max(scanner.spacing_mm[1])
                .max(scanner.spacing_mm[2] / thin);
        let mut sum: Vec<f32> = vec![];
        for n in 0..thin as usize {
            let shift = scanner.spacing_mm[2] * ((n as f64 + 0.5) / thin - 0.5);
            let mut origin = affine.to_patient(&neurotome_base::Point::new(0.0, 0.0, 0.0)).xyz;
            origin[2] += shift;
            let shifted = Affine::axis_aligned(scanner.spacing_mm, origin)?;
            let slice = self.each_voxel(dims, &shifted, |structure, level, p| {
                self.hounsfield(hu, structure, level, half_pixel, p) as f32
            });
            if n == 0 {
                sum = slice;
            } else {
                sum.par_iter_mut().zip(slice).for_each(|(s, v)| *s += v);
            }
        }
        let share = 1.0 / thin as f32;
        sum.par_iter_mut().for_each(|v| *v *= share);
        let kernels = [0, 1].map(|a| kernel(scanner.blur_mm / scanner.spacing_mm[a]));
        blur(&mut sum, dims, &kernels);
        if scanner.noise_hu > 0.0 {
            let mut noise = white(dims, scanner.seed);
            blur(&mut noise, dims, &kernels);
            // A blur of white noise leaves this share of its deviation.
            let left: f64 = kernels
                .iter()
                .map(|k| k.iter().map(|w| f64::from(w * w)).sum::<f64>().sqrt())
                .product();
            let gain = (scanner.noise_hu / left) as f32;
            sum.par_iter_mut().zip(noise).for_each(|(v, n)| *v += gain * n);
        }
        sum.par_iter_mut()
            .for_each(|v| *v = v.round().clamp(-1024.0, METAL as f32));
        Volume::new(dims, affine, sum)
    }

    /// Hounsfield units at a point, with the bone's border spread over a voxel.
    fn hounsfield(&self, hu: &Hounsfield, structure: Structure, level: f64, half: f64, p: &Vec3) -> f64 {
        if structure == Structure::Screw {
            return METAL;
        }
        // The share of a voxel that lies deeper than a level.
        let share = |level: f64| (0.5 - 0.5 * level / half).clamp(0.0, 1.0);
        let bone = share(level);
        if bone == 0.0 {
            return hu.soft(structure);
        }
        let marrow = share(level + self.cortex_at(structure, p));
        let soft = if structure.is_bone() {
            hu.muscle
        } else {
            hu.soft(structure)
        };
        soft * (1.0 - bone) + hu.cortical_bone * (bone - marrow) + hu.cancellous_bone * marrow
    }

    /// Looks at every voxel; whole blocks far from bone are spared the search for it.
    fn each_voxel<T: Copy + Default + Send + Sync>(
        &self,
        dims: [usize; 3],
        affine: &Affine,
        value: impl Fn(Structure, f64, &Vec3) -> T + Sync,
    ) -> Vec<T> {
        let [nx, ny, nz] = dims;
        let spacing = affine.spacing_mm();
        let radius = 0.5 * BLOCK as f64 * spacing[0].hypot(spacing[1]);
        let at = |i: f64, j: f64, k: f64| affine.to_patient(&neurotome_base::Point::new(i, j, k)).vec();
        let mut data = vec![T::default(); nx * ny * nz];
        data.par_chunks_mut(nx * ny).enumerate().for_each(|(k, slice)| {
            let middle = 0.5 * (BLOCK - 1) as f64;
            let section = self.soft.section(at(0.0, 0.0, k as f64).z);
            for bj in (0..ny).step_by(BLOCK) {
                for bi in (0..nx).step_by(BLOCK) {
                    let center = at(bi as f64 + middle, bj as f64 + middle, k as f64);
                    let far = radius < NEAR && self.column_is_far(&center, radius);
                    for j in bj..(bj + BLOCK).min(ny) {
                        for i in bi..(bi + BLOCK).min(nx) {
                            let p = at(i as f64, j as f64, k as f64);
                            let (structure, level) = if far {
                                (self.outer(&p, &section), NEAR)
                            } else {
                                self.look(&p, &section, NEAR)
                            };
                            slice[j * nx + i] = value(structure, level, &p);
                        }
                    }
                }
            }
        });
        data
    }
}

/// The grid over a box, its first voxel's centre half a voxel inside.
fn grid(over: &PatientBox, spacing_mm: [f64; 3]) -> Result<([usize; 3], Affine), VolumeError> {
    let (low, high) = (over.low.xyz, over.high.xyz);
    let affine = Affine::axis_aligned(spacing_mm, std::array::from_fn(|a| low[a] + 0.5 * spacing_mm[a]))?;
    let dims: [usize; 3] = std::array::from_fn(|a| ((high[a] - low[a]) / spacing_mm[a]).round().max(1.0) as usize);
    if Volume::<f32>::checked_len(dims)? > MAX_VOXELS {
        return Err(VolumeError::Dimensions { dims });
    }
    Ok((dims, affine))
}

/// A Gaussian of given deviation in pixels, out to three deviations, of sum 1.
fn kernel(sigma: f64) -> Vec<f32> {
    if sigma < 0.05 {
        return vec![1.0];
    }
    let reach = (3.0 * sigma).ceil() as i64;
    let weights: Vec<f64> = (-reach..=reach)
        .map(|n| (-0.5 * (n as f64 / sigma).powi(2)).exp())
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| (w / sum) as f32).collect()
}

/// Blurs each slice along its rows and columns; the border's pixels go on outside.
fn blur(data: &mut [f32], [nx, ny, _]: [usize; 3], kernels: &[Vec<f32>; 2]) {
    data.par_chunks_mut(nx * ny).for_each(|slice| {
        let mut line = vec![0.0; nx];
        let reach = kernels[0].len() / 2;
        for row in slice.chunks_mut(nx) {
            for (i, out) in line.iter_mut().enumerate() {
                *out = kernels[0]
                    .iter()
                    .enumerate()
                    .map(|(n, w)| w * row[(i + n).saturating_sub(reach).min(nx - 1)])
                    .sum();
            }
            row.copy_from_slice(&line);
        }
        let reach = kernels[1].len() / 2;
        let source = slice.to_vec();
        for j in 0..ny {
            let row = &mut slice[j * nx..(j + 1) * nx];
            row.fill(0.0);
            for (n, w) in kernels[1].iter().enumerate() {
                let from = (j + n).saturating_sub(reach).min(ny - 1);
                for (out, v) in row.iter_mut().zip(&source[from * nx..(from + 1) * nx]) {
                    *out += w * v;
                }
            }
        }
    });
}

fn white([nx, ny, nz]: [usize; 3], seed: u64) -> Vec<f32> {
    let stream = Stream::new(seed).split(7);
    let mut data = vec![0.0; nx * ny * nz];
    data.par_chunks_mut(nx * ny).enumerate().for_each(|(k, slice)| {
        let own = stream.split(k as u64);
        for (n, v) in slice.iter_mut().enumerate() {
            *v = own.normal(n as u64) as f32;
        }
    });
    data
}
