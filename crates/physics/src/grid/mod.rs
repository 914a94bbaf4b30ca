//! Needle-fitted Voronoi finite volumes.
//!
//! Points are laid on nested shells round each needle (capsule coordinates: distance from the axis, place along the meridian,
//! angle; round a bevelled end distance and foot) and at the centres of an adaptive octree elsewhere. Cells of the shells use the exact metric of their orthogonal
//! coordinates; all other cells are Voronoi cells. So every face stands across the line that joins its two points, the
//! two-point flux is consistent for any pose of any number of needles, and the matrices are symmetric M-matrices: current and
//! heat are conserved exactly and temperatures keep the maximum principle.
//!
//! Method: Eymard, Gallouët and Herbin, "Finite volume methods", Handbook of Numerical Analysis VII (2000), admissible meshes.

mod axis;
mod bevel;
mod build;
mod gradient;
mod inside;
mod interpolate;
mod level_set;
mod needle;
mod octree;
mod region;
mod shells;
mod voronoi;

use neurotome_base::Vec3;

pub use axis::Axis;
pub use build::GridError;
pub use gradient::Link;
pub use interpolate::{CellField, Interpolator, Place};
pub use level_set::LevelSet;
pub use needle::{Channel, Contact, End, FittedNeedle, Tine};
pub use region::Region;
pub use shells::Shells;

use octree::Octree;

/// No cell.
pub const NONE: u32 = u32::MAX;

/// How fine the grid is, lengths in metres; [`Sizing::default`] is meant for a width error well below 1 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizing {
    /// Thickness of the innermost shell.
    pub shell_first: f64,
    /// Growth from shell to shell.
    pub shell_growth: f64,
    /// The same where tissues meet beside the bare metal.
    pub shell_growth_mixed: f64,
    /// Distance from the metal to the outermost shell.
    pub shell_reach: f64,
    /// The same where other metal or the outer boundary is near.
    pub shell_reach_least: f64,
    /// Cells round the needle; a multiple of four.
    pub around: usize,
    /// The same where tissues meet beside the bare metal.
    pub around_mixed: usize,
    /// Cell along the axis at the ring where metal meets insulation.
    pub ring: f64,
    /// Largest cell along the active tip.
    pub along_tip: f64,
    /// Largest cell along the shaft.
    pub along_shaft: f64,
    /// Distance above the active tip beyond which cells along the shaft may be twice as long.
    pub shaft_fine: f64,
    /// Cells along the meridian of the rounded end.
    pub cap: usize,
    /// Octree cell beside the outermost shell, as a part of that shell's distance from the metal.
    pub octree_per_reach: f64,
    /// Octree cell at the centre of a region without needles.
    pub octree_first: f64,
    /// Growth of octree cells per unit of distance from the active tip.
    pub octree_growth: f64,
    /// Octree cell beside the shaft.
    pub octree_shaft: f64,
    /// Length of shaft that is modelled above the active tip.
    pub shaft: f64,
}

impl Default for Sizing {
    fn default() -> Self {
        Self {
            shell_first: 0.03e-3,
            shell_growth: 1.18,
            shell_growth_mixed: 1.12,
            shell_reach: 10e-3,
            shell_reach_least: 5e-3,
            around: 16,
            around_mixed: 20,
            ring: 0.02e-3,
            along_tip: 0.6e-3,
            along_shaft: 2.5e-3,
            shaft_fine: 30e-3,
            cap: 8,
            octree_per_reach: 0.2,
            octree_first: 1e-3,
            octree_growth: 0.22,
            octree_shaft: 2.5e-3,
            shaft: 30e-3,
        }
    }
}

impl Sizing {
    /// All cells `factor` times as large.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Self {
        let count = |n: usize, step: usize| {
            let wanted = n as f64 / factor / step as f64;
            (wanted.round().max(1.0) as usize) * step
        };
        Self {
            shell_first: self.shell_first * factor,
            shell_growth: self.shell_growth.powf(factor),
            shell_growth_mixed: self.shell_growth_mixed.powf(factor),
            around: count(self.around, 4).max(8),
            around_mixed: count(self.around_mixed, 4).max(8),
            ring: self.ring * factor,
            along_tip: self.along_tip * factor,
            along_shaft: self.along_shaft * factor.min(1.0),
            cap: count(self.cap, 1).max(3),
            octree_per_reach: self.octree_per_reach * factor,
            octree_first: self.octree_first * factor,
            octree_growth: self.octree_growth * factor,
            octree_shaft: self.octree_shaft * factor.min(1.0),
            ..*self
        }
    }
}

/// What lies on the two sides of a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaceKind {
    /// Tissue on both sides.
    Tissue,
    /// Tissue (side `a`) against the bare metal of an electrode (side `b`).
    Electrode,
    /// Tissue (side `a`) against the insulated metal of a shaft (side `b`).
    Shaft,
    /// Metal on both sides.
    Metal,
}

/// A face between two cells. The conductance is `1 / (ra/ka + rb/kb)` for conductivities `ka`, `kb`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// First cell.
    pub a: u32,
    /// Second cell.
    pub b: u32,
    /// Geometric resistance from the point of `a` to the face, 1/m.
    pub ra: f64,
    /// Geometric resistance from the face to the point of `b`, 1/m.
    pub rb: f64,
    /// What lies on the two sides.
    pub kind: FaceKind,
}

/// A face on the outer boundary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OuterFace {
    /// The cell.
    pub cell: u32,
    /// Geometric resistance from the cell's point to the boundary, 1/m.
    pub resistance: f64,
    /// Foot on the boundary of the perpendicular from the cell's point, m.
    pub foot: Vec3,
}

/// The grid: tissue cells first, then metal cells.
pub struct Grid {
    /// Points, m.
    pub center: Vec<Vec3>,
    /// Centroids of the tissue cells, m (the points themselves but for clipped cells).
    pub centroid: Vec<Vec3>,
    /// Volumes, m³.
    pub volume: Vec<f64>,
    /// A length that tells each cell's size, m.
    pub size: Vec<f64>,
    /// Number of tissue cells.
    pub tissue_cells: usize,
    /// Needle of each metal cell, counted from the first metal cell.
    pub metal_needle: Vec<u8>,
    /// Electrode of each metal cell, none beneath insulation. Electrodes are the contacts of all needles, needle by needle.
    pub metal_electrode: Vec<Option<u16>>,
    /// Area of the coolant channel's wall in each metal cell, m²; zero where there is none.
    pub coolant_area: Vec<f64>,
    /// Geometric resistance from each metal cell's point to the channel's wall, 1/m.
    pub coolant_resistance: Vec<f64>,
    /// Faces between cells.
    pub faces: Vec<Face>,
    /// Faces on the outer boundary.
    pub outer: Vec<OuterFace>,
    /// Shells round each body of metal: the needles' shafts in their order, then their tines.
    pub shells: Vec<Shells>,
    /// The region.
    pub region: Region,
    octree: Octree,
    neighbours: Neighbours,
}

impl Grid {
    /// Tissue cells that share a face with a tissue cell.
    pub fn neighbours_of(&self, cell: usize) -> &[u32] {
        self.neighbours.of(cell as u32)
    }
}

/// Neighbours of every tissue cell.
#[derive(Debug, Default)]
struct Neighbours {
    start: Vec<u32>,
    cell: Vec<u32>,
}

impl Neighbours {
    fn new(cells: usize, faces: &[Face]) -> Self {
        let pairs: Vec<(u32, u32)> = faces
            .iter()
            .filter(|f| f.kind == FaceKind::Tissue)
            .map(|f| (f.a, f.b))
            .collect();
        let mut start = vec![0u32; cells + 1];
        for &(a, b) in &pairs {
            start[a as usize + 1] += 1;
            start[b as usize + 1] += 1;
        }
        for i in 0..cells {
            start[i + 1] += start[i];
        }
        let mut next = start.clone();
        let mut cell = vec![0u32; pairs.len() * 2];
        for &(a, b) in &pairs {
            cell[next[a as usize] as usize] = b;
            next[a as usize] += 1;
            cell[next[b as usize] as usize] = a;
            next[b as usize] += 1;
        }
        Self { start, cell }
    }

    fn of(&self, i: u32) -> &[u32] {
        &self.cell[self.start[i as usize] as usize..self.start[i as usize + 1] as usize]
    }
}
