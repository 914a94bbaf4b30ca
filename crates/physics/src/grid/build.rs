//! Assembly of the grid: shells, octree, Voronoi cells between them.

use neurotome_base::Vec3;
use rayon::prelude::*;

use super::{
    Face, FaceKind, FittedNeedle, Grid, NONE, Neighbours, OuterFace, Region, Shells, Sizing,
    octree::Octree,
    voronoi::{Behind, Polyhedron},
};

/// Why a grid cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum GridError {
    /// Two needles touch.
    #[error(
        "needles {first} and {second} come within {gap_mm:.3} mm of each other, metal to metal; expected at least {least_mm:.2} mm"
    )]
    Touching {
        /// First needle, counted from 1.
        first: usize,
        /// Second needle, counted from 1.
        second: usize,
        /// Gap in mm.
        gap_mm: f64,
        /// Smallest gap in mm.
        least_mm: f64,
    },
    /// A needle's active tip leaves the region.
    #[error(
        "the active tip of needle {needle} comes within {depth_mm:.2} mm of the outer boundary; expected at least {least_mm:.2} mm"
    )]
    Outside {
        /// The needle, counted from 1.
        needle: usize,
        /// Depth in mm, negative outside.
        depth_mm: f64,
        /// Smallest depth in mm.
        least_mm: f64,
    },
    /// The grid would be too large.
    #[error("the grid would have more than {cells} cells; make the region smaller or the cells larger")]
    TooLarge {
        /// The cap.
        cells: usize,
    },
}

/// Most cells of a grid (about 3 GB in the solver).
const MAX_CELLS: usize = 6_000_000;
/// Smallest gap between two needles' metal, m.
const LEAST_GAP: f64 = 0.15e-3;

/// What one Voronoi cell found.
struct Clipped {
    cell: u32,
    volume: f64,
    centroid: Vec3,
    areas: Vec<(u32, f64)>,
    outer: Vec<(f64, f64, Vec3)>,
}

impl Grid {
    /// Builds the grid of a region with needles. `material` names the tissue at a point: borders between tissues are refined
    /// near the active tips.
    ///
    /// # Errors
    /// [`GridError`].
    pub fn new(
        region: Region,
        needles: &[FittedNeedle],
        sizing: &Sizing,
        material: &(dyn Fn(&Vec3) -> u8 + Sync),
    ) -> Result<Self, GridError> {
        let mut shells = Vec::with_capacity(needles.len());
        let mut tissue_cells = 0u32;
        for (i, needle) in needles.iter().enumerate() {
            let end = modelled_end(&region, needle, sizing);
            let depth = tip_depth(&region, needle);
            let reach = reach(needles, i, sizing)?;
            if depth < needle.radius + 2.0 * reach {
                return Err(GridError::Outside {
                    needle: i + 1,
                    depth_mm: 1e3 * (depth - needle.radius),
                    least_mm: 2e3 * reach,
                });
            }
            let mut s = Shells::new(needle, sizing, reach, end);
            s.first = tissue_cells;
            tissue_cells += s.tissue_cells() as u32;
            shells.push(s);
        }
        let mut octree = refine(&region, needles, &shells, sizing, material)?;

        // Points: shells first, then octree leaves in depth-first order.
        let mut center: Vec<Vec3> = Vec::new();
        let mut volume: Vec<f64> = Vec::new();
        let mut size: Vec<f64> = Vec::new();
        let mut irregular: Vec<u32> = Vec::new();
        let mut shell_of: Vec<u8> = Vec::new();
        for (i, s) in shells.iter().enumerate() {
            for j in 0..s.shells() {
                for t in 0..s.meridian() {
                    for q in 0..s.around_at(t) {
                        let index = center.len() as u32;
                        let p = s.center(j, t, q);
                        center.push(p);
                        volume.push(s.volume(j, t, q));
                        size.push(volume[index as usize].cbrt());
                        shell_of.push(i as u8);
                        if j + 1 == s.shells() || t + 1 == s.meridian() {
                            irregular.push(index);
                            octree.add_point(&p, index);
                        }
                    }
                }
            }
        }
        let shell_points = center.len();
        // Points within the cut end of the metal keep octree cells out of it.
        let mut ghosts: Vec<Vec3> = Vec::new();
        for s in &shells {
            let t = s.meridian() - 1;
            for k in 0..s.around {
                ghosts.push(s.place(0.55 * s.radius[0], t, s.angle(k)));
            }
            ghosts.push(s.place(0.0, t, 0.0));
        }
        let leaves = octree.leaves();
        let mut cell_of_node: Vec<u32> = vec![NONE; leaves.iter().max().map_or(0, |m| m + 1)];
        let mut leaf_of: Vec<u32> = Vec::new();
        for &leaf in &leaves {
            let (p, h) = (octree.center(leaf), octree.size(leaf));
            if region.depth(&p) <= 0.02 * h || in_shells(&shells, &p, h) {
                continue;
            }
            let index = center.len() as u32;
            cell_of_node[leaf] = index;
            leaf_of.push(leaf as u32);
            center.push(p);
            volume.push(h * h * h);
            size.push(h);
            octree.add_point(&p, index);
        }
        tissue_cells = center.len() as u32;
        if center.len() > MAX_CELLS {
            return Err(GridError::TooLarge { cells: MAX_CELLS });
        }
        for (g, p) in ghosts.iter().enumerate() {
            octree.add_point(p, GHOST + g as u32);
        }
        let place = |i: u32| {
            if i >= GHOST {
                ghosts[(i - GHOST) as usize]
            } else {
                center[(i & !INNER) as usize]
            }
        };

        // Octree cells whose 26 neighbours are alike are cubes; the others are clipped.
        let node_is_plain = |n: usize| {
            let points = octree.points(n);
            cell_of_node.get(n).is_some_and(|&c| c != NONE) && points.len() == 1
        };
        let regular: Vec<bool> = leaf_of
            .par_iter()
            .map(|&leaf| {
                let leaf = leaf as usize;
                let (level, ijk) = (octree.level(leaf), octree.ijk(leaf));
                (0..27).all(|d| {
                    octree
                        .covering(level, ijk, [d % 3 - 1, d / 3 % 3 - 1, d / 9 - 1])
                        .is_some_and(|m| octree.is_leaf(m) && octree.level(m) == level && node_is_plain(m))
                }) && region.depth(&octree.center(leaf)) > 0.5001 * octree.size(leaf)
            })
            .collect();
        irregular.extend(
            regular
                .iter()
                .enumerate()
                .filter(|r| !r.1)
                .map(|r| (shell_points + r.0) as u32),
        );

        let clipped: Vec<Clipped> = irregular
            .par_iter()
            .map_init(
                || (Vec::new(), Vec::new()),
                |(near, planes), &cell| {
                    let p = center[cell as usize];
                    let own_shell = (cell as usize) < shell_points;
                    let mut h = size[cell as usize];
                    if own_shell {
                        h = h.max(sizing.octree_first);
                    }
                    let mut radius = 3.0 * h;
                    loop {
                        region.planes(&p, planes);
                        let mut body = Polyhedron::cube(2.0 * radius);
                        for (k, (n, d)) in planes.iter().enumerate() {
                            if *d < radius {
                                body.clip(n, *d, Behind::Outer(k as u8));
                            }
                        }
                        near.clear();
                        octree.for_points_near(&p, radius, |i| {
                            if i != cell {
                                near.push(((place(i) - p).norm_squared(), i));
                            }
                        });
                        if own_shell {
                            // The next shell inwards bounds an outermost cell, though the octree does not know of it.
                            add_inner_neighbours(&shells[usize::from(shell_of[cell as usize])], cell, &p, near);
                        }
                        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                        near.dedup_by_key(|n| n.1);
                        let mut reach = body.reach_squared();
                        for &(d2, i) in near.iter() {
                            if d2 > 4.0 * reach {
                                break;
                            }
                            let d = d2.sqrt();
                            if body.clip(&((place(i) - p) / d), 0.5 * d, Behind::Point(i)) {
                                reach = body.reach_squared();
                            }
                        }
                        if 4.0 * reach <= radius * radius || radius > 40.0 * h {
                            let mut found = Clipped {
                                cell,
                                volume: body.volume(),
                                centroid: p + body.centroid(),
                                areas: vec![],
                                outer: vec![],
                            };
                            for (behind, area) in body.areas() {
                                match behind {
                                    Behind::Point(i) if i < INNER => found.areas.push((i, area)),
                                    Behind::Outer(k) => {
                                        let (normal, distance) = planes[usize::from(k)];
                                        found.outer.push((area, distance, p + normal * distance));
                                    }
                                    _ => {}
                                }
                            }
                            break found;
                        }
                        radius *= 1.6;
                    }
                },
            )
            .collect();

        let mut faces: Vec<Face> = Vec::new();
        let mut metal = tissue_cells;
        for s in &mut shells {
            s.first_metal = metal;
            metal += s.metal_cells() as u32;
        }
        for s in &shells {
            s.faces(&mut faces);
        }
        let mut outer = Vec::new();
        let is_inner_shell = |i: u32| {
            (i as usize) < shell_points && {
                let s = &shells[usize::from(shell_of[i as usize])];
                i < s.cell(s.shells() - 1, 0, 0)
            }
        };
        let mut centroid = center.clone();
        // (a, b, area): from both sides where both were clipped.
        let mut pairs: Vec<(u32, u32, f64)> = Vec::new();
        for c in &clipped {
            if !is_inner_shell(c.cell) {
                volume[c.cell as usize] = c.volume;
                centroid[c.cell as usize] = c.centroid;
                if (c.cell as usize) < shell_points {
                    let s = &shells[usize::from(shell_of[c.cell as usize])];
                    let (j, t, q) = s.index(c.cell);
                    volume[c.cell as usize] += s.segment_volume(j, t, q);
                }
            }
            for &(other, area) in &c.areas {
                let same_needle = (c.cell as usize) < shell_points
                    && (other as usize) < shell_points
                    && shell_of[c.cell as usize] == shell_of[other as usize];
                if same_needle && (is_inner_shell(c.cell) || is_inner_shell(other)) {
                    continue;
                }
                pairs.push((c.cell.min(other), c.cell.max(other), area));
            }
            for &(area, distance, foot) in &c.outer {
                if area > 0.0 {
                    outer.push(OuterFace {
                        cell: c.cell,
                        resistance: distance / area,
                        foot,
                    });
                }
            }
        }
        pairs.sort_unstable_by(|x, y| (x.0, x.1).cmp(&(y.0, y.1)).then(x.2.total_cmp(&y.2)));
        let is_regular = |i: u32| i as usize >= shell_points && regular[i as usize - shell_points];
        let mut k = 0;
        while k < pairs.len() {
            let (a, b, area) = pairs[k];
            let twice = pairs.get(k + 1).is_some_and(|n| (n.0, n.1) == (a, b));
            let area = if twice {
                0.5 * (area + pairs[k + 1].2)
            } else if is_regular(a) || is_regular(b) {
                area
            } else {
                0.5 * area
            };
            k += if twice { 2 } else { 1 };
            let d = (center[a as usize] - center[b as usize]).norm();
            if area > 1e-6 * d * d {
                let r = 0.5 * d / area;
                faces.push(Face {
                    a,
                    b,
                    ra: r,
                    rb: r,
                    kind: FaceKind::Tissue,
                });
            }
        }
        // Faces between two cubes.
        for (k, &leaf) in leaf_of.iter().enumerate() {
            if !regular[k] {
                continue;
            }
            let leaf = leaf as usize;
            let a = (shell_points + k) as u32;
            for offset in [[1, 0, 0], [0, 1, 0], [0, 0, 1]] {
                let Some(m) = octree.covering(octree.level(leaf), octree.ijk(leaf), offset) else {
                    continue;
                };
                let b = cell_of_node[m];
                if is_regular(b) {
                    let r = 0.5 / octree.size(leaf);
                    faces.push(Face {
                        a,
                        b,
                        ra: r,
                        rb: r,
                        kind: FaceKind::Tissue,
                    });
                }
            }
        }
        let mut metal_needle = Vec::new();
        for (i, s) in shells.iter().enumerate() {
            for t in 0..s.meridian() {
                for layer in 0..super::shells::METAL_LAYERS {
                    center.push(s.metal_point(layer, t));
                    volume.push(s.metal_volume(layer, t));
                    size.push(s.radius[0]);
                    metal_needle.push(i as u8);
                }
            }
        }
        let neighbours = Neighbours::new(tissue_cells as usize, &faces);
        Ok(Self {
            center,
            centroid,
            volume,
            size,
            tissue_cells: tissue_cells as usize,
            metal_needle,
            faces,
            outer,
            shells,
            region,
            octree,
            neighbours,
        })
    }

    /// All cells, tissue and metal.
    pub fn cells(&self) -> usize {
        self.center.len()
    }
}

/// Marks neighbours within the shells, whose faces have their own metric: they bound a cell but are not counted again.
const INNER: u32 = 1 << 30;
/// Marks points within the cut end of the metal.
const GHOST: u32 = 1 << 31;

/// Adds the neighbours of an irregular shell cell that the octree does not know of.
fn add_inner_neighbours(s: &Shells, cell: u32, p: &Vec3, near: &mut Vec<(f64, u32)>) {
    let (j, t, q) = s.index(cell);
    let mut add = |j: usize, t: usize| {
        near.push(((s.center(j, t, q) - p).norm_squared(), INNER + s.cell(j, t, q)));
    };
    if j > 0 {
        add(j - 1, t);
    }
    if j + 1 < s.shells() {
        add(j + 1, t);
        add(j, t - 1);
    }
}

/// Length of shaft from the centre of the rounded end that is modelled: it ends inside the region.
fn modelled_end(region: &Region, needle: &FittedNeedle, sizing: &Sizing) -> f64 {
    let ring = needle.active_length - needle.radius;
    let most = (ring + sizing.shaft).min(needle.length - needle.radius).max(ring);
    let margin = needle.radius + sizing.shell_reach;
    let mut end = ring;
    let step = 0.5e-3;
    while end + step <= most && region.depth(&needle.axis.at(end + step).0) > margin {
        end += step;
    }
    end
}

fn tip_depth(region: &Region, needle: &FittedNeedle) -> f64 {
    let ring = needle.active_length - needle.radius;
    (0..=20)
        .map(|i| region.depth(&needle.axis.at(ring * f64::from(i) / 20.0).0))
        .fold(f64::INFINITY, f64::min)
}

/// How far the shells of needle `i` may reach: not into those of its neighbours.
fn reach(needles: &[FittedNeedle], i: usize, sizing: &Sizing) -> Result<f64, GridError> {
    let mut reach = sizing.shell_reach;
    let me = &needles[i];
    for (k, other) in needles.iter().enumerate() {
        if k == i {
            continue;
        }
        // Sampled along the part that is modelled; the distance to the other's axis is exact.
        let end = me.active_length + sizing.shaft;
        let other_end = (other.active_length + sizing.shaft).min(other.length) - other.radius;
        let steps = 400;
        for s in 0..=steps {
            let s = (end.min(me.length) - me.radius) * f64::from(s) / f64::from(steps);
            let gap = other.axis.distance(&me.axis.at(s).0, other_end) - me.radius - other.radius;
            if gap < LEAST_GAP {
                return Err(GridError::Touching {
                    first: i.min(k) + 1,
                    second: i.max(k) + 1,
                    gap_mm: 1e3 * gap,
                    least_mm: 1e3 * LEAST_GAP,
                });
            }
            reach = reach.min(0.4 * gap);
        }
    }
    Ok(reach)
}

/// True where the octree must leave room for the shells.
fn in_shells(shells: &[Shells], p: &Vec3, h: f64) -> bool {
    shells.iter().any(|s| {
        let outermost = s.radius[s.radius.len() - 1];
        let (along, r, _) = s.axis.coordinates(p);
        if along > s.end() {
            r < outermost + 0.25 * h && along - s.end() < 0.25 * h
        } else if along < 0.0 {
            r.hypot(along) < outermost + 0.25 * h
        } else {
            r < outermost + 0.25 * h
        }
    })
}

fn refine(
    region: &Region,
    needles: &[FittedNeedle],
    shells: &[Shells],
    sizing: &Sizing,
    material: &(dyn Fn(&Vec3) -> u8 + Sync),
) -> Result<Octree, GridError> {
    let extent = 2.0 * region.half_extent();
    let levels = (extent / sizing.octree_first).log2().ceil().max(0.0);
    let side = sizing.octree_first * levels.exp2() * (1.0 + 1e-9);
    let origin = region.center() - Vec3::repeat(0.5 * side);
    let wanted = |p: &Vec3| {
        // Without a needle the grid is graded round the region's centre.
        let from_center = (p - region.center()).norm();
        let mut h = if needles.is_empty() {
            sizing.octree_first + sizing.octree_growth * from_center
        } else {
            f64::INFINITY
        };
        let mut nearest_tip = if needles.is_empty() { from_center } else { f64::INFINITY };
        for (n, s) in needles.iter().zip(shells) {
            let outermost = s.radius[s.radius.len() - 1];
            let tip = (n.axis.distance(p, n.active_length - n.radius) - outermost).max(0.0);
            let shaft = (n.axis.distance(p, s.end()) - outermost).max(0.0);
            // Where needles stand close together the octree between them must resolve the gap.
            let reach = outermost - s.radius[0];
            let first = sizing.octree_first * (reach / sizing.shell_reach).clamp(0.25, 1.0);
            h = h.min(first + sizing.octree_growth * tip);
            h = h.min(sizing.octree_shaft + 1.5 * sizing.octree_growth * shaft);
            nearest_tip = nearest_tip.min(tip);
        }
        (h, nearest_tip)
    };
    Octree::new(origin, side, MAX_CELLS, |c, h| {
        // A cube that the region does not touch needs no refinement.
        if region.depth(c) < -0.87 * h {
            return false;
        }
        let (want, tip) = wanted(c);
        // The size is allowed to be met by the nearest point of the cube, so that large cubes split in time.
        if h > want + 1e-12 {
            return true;
        }
        if h > 1.01 * sizing.border && tip < sizing.border_reach {
            let first = material(c);
            return (0..8).any(|k| {
                let s = |bit: usize| if (k >> bit) & 1 == 1 { 0.5 * h } else { -0.5 * h };
                material(&(c + Vec3::new(s(0), s(1), s(2)))) != first
            }) && h > 0.5 * want;
        }
        false
    })
    .ok_or(GridError::TooLarge { cells: MAX_CELLS })
}
