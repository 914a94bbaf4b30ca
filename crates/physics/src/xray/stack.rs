//! A volume as a stack of slices along any of its axes, in rows that lie together in memory.

use std::sync::OnceLock;

use neurotome_base::{Affine, Point, Vec3, Volume, geometry::Mat3};
use rayon::prelude::*;

use super::ViewError;

/// Longest side of a volume that is projected.
pub const MAX_ROW: usize = 1 << 15;

/// What of a voxel's value is integrated: `C` quantities at once, such as soft tissue and bone.
pub trait Integrand<const C: usize>: Copy + Send + Sync {
    /// The quantities per mm of path for a voxel's value. All zero means: nothing there.
    fn of(&self, value: f32) -> [f32; C];
}

/// The voxels' values themselves, 1/mm.
#[derive(Debug, Clone, Copy, Default)]
pub struct Attenuation;

impl Integrand<1> for Attenuation {
    #[inline]
    fn of(&self, value: f32) -> [f32; 1] {
        [value]
    }
}

/// Voxels that are checked at once.
const BLOCK: usize = 1 << 16;

/// First voxel of a row that is not empty, and the one after the last; equal when all are empty.
type Extent = [u16; 2];

/// Rows of voxels in planes: `data[voxel + length * (row + rows * plane)]`.
#[derive(Debug)]
struct Rows {
    data: Vec<f32>,
    length: usize,
    /// Extents in the order of the rows.
    extents: Vec<Extent>,
}

impl Rows {
    fn new<const C: usize>(data: Vec<f32>, length: usize, integrand: &impl Integrand<C>) -> Self {
        let full = |v: &f32| integrand.of(*v) != [0.0; C];
        let extents = data
            .par_chunks(length)
            .map(|row| match row.iter().position(full) {
                Some(first) => [first as u16, row.iter().rposition(full).map_or(0, |l| l + 1) as u16],
                None => [0, 0],
            })
            .collect();
        Self { data, length, extents }
    }
}

/// The voxels in both orders of rows; the second is made when a view first needs it.
#[derive(Debug)]
pub(super) struct Stacks {
    dims: [usize; 3],
    affine: Affine,
    /// Rows along i.
    natural: Rows,
    /// Rows along j: every plane of constant k transposed.
    turned: OnceLock<Rows>,
}

/// The slices across one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stack<'a> {
    rows: &'a Rows,
    slice_stride: usize,
    row_stride: usize,
    /// Axes of slices, rows and voxels in a row.
    pub axes: [usize; 3],
    /// Slices, rows in a slice, voxels in a row.
    pub counts: [usize; 3],
}

impl Stack<'_> {
    /// The voxels of a row and the extent of those that are not empty.
    #[inline]
    pub fn row(&self, slice: usize, row: usize) -> (&[f32], std::ops::Range<usize>) {
        let n = slice * self.slice_stride + row * self.row_stride;
        let [first, end] = self.rows.extents[n];
        let length = self.rows.length;
        (&self.rows.data[n * length..(n + 1) * length], first.into()..end.into())
    }
}

impl Stacks {
    /// Checks and keeps a volume.
    pub fn new<const C: usize>(volume: Volume<f32>, integrand: &impl Integrand<C>) -> Result<Self, ViewError> {
        let (dims, affine) = (volume.dims(), *volume.affine());
        if let Some(side) = dims.into_iter().find(|n| *n >= MAX_ROW) {
            return Err(ViewError::Side { side });
        }
        // Whole blocks are summed up without a branch; only the first bad one is searched.
        let sound = |block: &[f32]| block.iter().fold(true, |sound, v| sound & v.is_finite());
        let bad = volume.data().par_chunks(BLOCK).position_first(|block| !sound(block));
        let first = |b: usize| {
            volume.data()[b * BLOCK..]
                .iter()
                .position(|v| !v.is_finite())
                .map(|n| n + b * BLOCK)
        };
        if let Some(n) = bad.and_then(first) {
            return Err(ViewError::NotFinite {
                index: [n % dims[0], n / dims[0] % dims[1], n / (dims[0] * dims[1])],
                value: volume.data()[n],
            });
        }
        let natural = Rows::new(volume.into_data(), dims[0], integrand);
        Ok(Self {
            dims,
            affine,
            natural,
            turned: OnceLock::new(),
        })
    }

    /// The volume in voxels averaged in blocks until each side is nearly `voxel_mm`; none where no block would hold two. Blocks that the last
    /// voxels do not fill repeat the outermost.
    pub fn averaged(&self, voxel_mm: f64) -> Option<Volume<f32>> {
        let spacing = self.affine.spacing_mm();
        let block = [0, 1, 2].map(|a| ((voxel_mm / spacing[a]).round().max(1.0) as usize).min(self.dims[a]));
        if block == [1; 3] {
            return None;
        }
        let [nx, ny, nz] = self.dims;
        let dims = [0, 1, 2].map(|a| self.dims[a].div_ceil(block[a]));
        let middle = Vec3::from(block.map(|b| 0.5 * (b as f64 - 1.0)));
        let scaled = self.affine.matrix * Mat3::from_diagonal(&Vec3::from(block.map(|b| b as f64)));
        let affine = Affine::new(scaled, self.affine.to_patient(&Point::from_vec(middle)).vec()).ok()?;
        let share = 1.0 / block.iter().product::<usize>() as f32;
        let mut data = vec![0.0f32; dims.iter().product()];
        data.par_chunks_mut(dims[0] * dims[1])
            .enumerate()
            .for_each(|(k, plane)| {
                for z in (k * block[2]..(k + 1) * block[2]).map(|z| z.min(nz - 1)) {
                    for (j, line) in plane.chunks_exact_mut(dims[0]).enumerate() {
                        for y in (j * block[1]..(j + 1) * block[1]).map(|y| y.min(ny - 1)) {
                            let row = &self.natural.data[nx * (y + ny * z)..nx * (y + ny * z + 1)];
                            let mut blocks = row.chunks_exact(block[0]);
                            for (sum, voxels) in line.iter_mut().zip(&mut blocks) {
                                *sum += voxels.iter().sum::<f32>();
                            }
                            let rest = blocks.remainder();
                            if let (Some(last), Some(sum)) = (rest.last(), line.last_mut()) {
                                *sum += rest.iter().sum::<f32>() + last * (block[0] - rest.len()) as f32;
                            }
                        }
                    }
                }
                for v in plane {
                    *v *= share;
                }
            });
        Volume::new(dims, affine, data).ok()
    }

    pub fn dims(&self) -> [usize; 3] {
        self.dims
    }

    pub fn affine(&self) -> &Affine {
        &self.affine
    }

    /// The slices across an axis.
    pub fn across<const C: usize>(&self, axis: usize, integrand: &impl Integrand<C>) -> Stack<'_> {
        let [nx, ny, nz] = self.dims;
        match axis {
            0 => Stack {
                rows: self.turned.get_or_init(|| self.turn(integrand)),
                slice_stride: 1,
                row_stride: nx,
                axes: [0, 2, 1],
                counts: [nx, nz, ny],
            },
            1 => Stack {
                rows: &self.natural,
                slice_stride: 1,
                row_stride: ny,
                axes: [1, 2, 0],
                counts: [ny, nz, nx],
            },
            _ => Stack {
                rows: &self.natural,
                slice_stride: ny,
                row_stride: 1,
                axes: [2, 1, 0],
                counts: [nz, ny, nx],
            },
        }
    }

    fn turn<const C: usize>(&self, integrand: &impl Integrand<C>) -> Rows {
        /// Side of the blocks in which a plane is transposed, so that both sides stay in the cache.
        const SIDE: usize = 32;
        let [nx, ny, _] = self.dims;
        let mut data = vec![0.0f32; self.natural.data.len()];
        data.par_chunks_mut(nx * ny)
            .zip(self.natural.data.par_chunks(nx * ny))
            .for_each(|(to, from)| {
                for i0 in (0..nx).step_by(SIDE) {
                    for j0 in (0..ny).step_by(SIDE) {
                        for i in i0..(i0 + SIDE).min(nx) {
                            for j in j0..(j0 + SIDE).min(ny) {
                                to[i * ny + j] = from[j * nx + i];
                            }
                        }
                    }
                }
            });
        Rows::new(data, ny, integrand)
    }
}
