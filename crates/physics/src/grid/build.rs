//! Assembly of the grid: shells, octree, Voronoi cells between them.

use neurotome_base::Vec3;
use rayon::prelude::*;

use super::{
    Face, FaceKind, FittedNeedle, Grid, NONE, Neighbours, OuterFace, Region, Shells, Sizing,
    needle::{Body, bodies},
    octree::Octree,
    shells::{METAL_LAYERS, Wall},
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

/// Most cells of a grid (some 10 GB in the solver).
const MAX_CELLS: usize = 12_000_000;
/// Smallest gap between two needles' metal, m.
const LEAST_GAP: f64 = 0.15e-3;

/// What one Voronoi cell found.
struct Clipped {
    cell: u32,
    volume: f64,
    centroid: Vec3,
    /// Area of its face on the metal.
    metal: f64,
    areas: Vec<(u32, f64)>,
    outer: Vec<(f64, f64, Vec3)>,
}

impl Grid {
    /// Builds the grid of a region with needles. `material` names the tissue at a point: shells are finer where tissues meet beside
    /// bare metal.
    ///
    /// # Errors
    /// [`GridError`].
    pub fn new(
        region: Region,
        needles: &[FittedNeedle],
        sizing: &Sizing,
        material: &(dyn Fn(&Vec3) -> u8 + Sync),
    ) -> Result<Self, GridError> {
        let bodies = bodies(needles);
        let reach = (0..bodies.len())
            .map(|i| reach(&region, &bodies, i, sizing))
            .collect::<Result<Vec<f64>, _>>()?;
        let ends: Vec<f64> = bodies
            .iter()
            .zip(&reach)
            .map(|(b, r)| modelled_end(&region, b, sizing, *r))
            .collect();
        check_gaps(&bodies, &ends)?;
        let mut shells = Vec::with_capacity(bodies.len());
        let mut tissue_cells = 0u32;
        for (i, body) in bodies.iter().enumerate() {
            let own = if tissues_meet(body, reach[i], material) {
                Sizing {
                    shell_growth: sizing.shell_growth_mixed,
                    around: sizing.around_mixed,
                    ..*sizing
                }
            } else {
                *sizing
            };
            let own = if body.bevel.is_some() { finer_round(&own) } else { own };
            let mut s = Shells::new(body, &own, reach[i], ends[i]);
            if bodies.len() > 1 {
                s.give_way(&|p| {
                    (0..bodies.len())
                        .filter(|&k| k != i)
                        .map(|k| bodies[k].distance(p, ends[k]))
                        .fold(f64::INFINITY, f64::min)
                });
            }
            s.first = tissue_cells;
            tissue_cells += s.tissue_cells() as u32;
            shells.push(s);
        }
        let mut octree = refine(&region, &bodies, &shells, sizing)?;

        // Points: shells first, then octree leaves in depth-first order.
        let mut held: Vec<(Vec3, u32)> = Vec::new();
        let mut center: Vec<Vec3> = Vec::new();
        let mut volume: Vec<f64> = Vec::new();
        let mut size: Vec<f64> = Vec::new();
        let mut irregular: Vec<u32> = Vec::new();
        let mut shell_of: Vec<u8> = Vec::new();
        for (i, s) in shells.iter().enumerate() {
            for index in s.first..s.first + s.tissue_cells() as u32 {
                let (j, t, q) = s.index(index);
                let p = s.center(j, t, q);
                center.push(p);
                volume.push(s.volume(j, t, q));
                size.push(volume[index as usize].cbrt());
                shell_of.push(i as u8);
                if s.is_open(index) {
                    irregular.push(index);
                    held.push((p, index));
                }
            }
        }
        let shell_points = center.len();
        // Points within the metal keep other cells out of it: in its cut end, and where no shell covers it.
        let mut ghosts: Vec<Vec3> = Vec::new();
        for (s, body) in shells.iter().zip(&bodies) {
            ghosts.extend(s.bare_metal());
            if body.joint.is_some() {
                continue;
            }
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
            held.push((p, index));
        }
        tissue_cells = center.len() as u32;
        if center.len() > MAX_CELLS {
            return Err(GridError::TooLarge { cells: MAX_CELLS });
        }
        for (g, p) in ghosts.iter().enumerate() {
            held.push((*p, GHOST + g as u32));
        }
        octree.hold(&held);
        drop(held);
        let place = |i: u32| {
            if i >= GHOST {
                ghosts[(i - GHOST) as usize]
            } else {
                center[i as usize]
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
                    // Neighbours of the lattice that the octree does not know of, and the metal.
                    let walls: Vec<Wall> = if own_shell {
                        let s = &shells[usize::from(shell_of[cell as usize])];
                        let mut walls = s.walls(cell);
                        walls.retain(|w| w.neighbour.is_none_or(|(j, t, q)| !s.is_open(s.cell(j, t, q))));
                        walls
                    } else {
                        vec![]
                    };
                    let beside = if own_shell {
                        shells[usize::from(shell_of[cell as usize])].around_bevelled(cell)
                    } else {
                        vec![]
                    };
                    // A body within a cube, cut by all but the points.
                    let start = |half: f64, planes: &[(Vec3, f64)]| {
                        let mut body = Polyhedron::cube(half);
                        for (k, (n, d)) in planes.iter().enumerate() {
                            if *d < half {
                                body.clip(n, *d, Behind::Outer(k as u8));
                            }
                        }
                        for w in &walls {
                            let behind = w.neighbour.map_or(Behind::Metal, |_| Behind::Wall);
                            body.clip(&w.normal, w.distance, behind);
                        }
                        for &i in &beside {
                            let way = place(i) - p;
                            let d = way.norm();
                            body.clip(&(way / d), 0.5 * d, Behind::Point(i));
                        }
                        body
                    };
                    region.planes(&p, planes);
                    let (mut half, mut radius) = (8.0 * h, 2.0 * h);
                    let mut body = start(half, planes);
                    let mut reach = body.reach_squared();
                    if !beside.is_empty() {
                        radius = radius.min(2.01 * reach.sqrt());
                    }
                    // Points up to this distance, squared, have cut.
                    let mut done = 0.0;
                    loop {
                        near.clear();
                        octree.for_points_near(&p, radius, |i| {
                            let d2 = (place(i) - p).norm_squared();
                            if i != cell && d2 > done {
                                near.push((d2, i));
                            }
                        });
                        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
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
                                metal: 0.0,
                                areas: vec![],
                                outer: vec![],
                            };
                            for (behind, area) in body.areas() {
                                match behind {
                                    Behind::Point(i) if i < GHOST => found.areas.push((i, area)),
                                    Behind::Metal => found.metal = area,
                                    Behind::Outer(k) => {
                                        let (normal, distance) = planes[usize::from(k)];
                                        found.outer.push((area, distance, p + normal * distance));
                                    }
                                    _ => {}
                                }
                            }
                            break found;
                        }
                        // All that for_points_near gave within the ball has cut; nothing farther than twice the reach can.
                        done = radius * radius;
                        radius = (1.6 * radius).min(2.01 * reach.sqrt());
                        if radius > 0.5 * half {
                            half = 2.0 * radius;
                            body = start(half, planes);
                            (reach, done) = (body.reach_squared(), 0.0);
                        }
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
        for (s, body) in shells.iter().zip(&bodies) {
            if let Some(joint) = body.joint {
                s.joint(&shells[joint.body], joint.along, &mut faces);
            }
        }
        let mut outer = Vec::new();
        let is_exact = |i: u32| (i as usize) < shell_points && shells[usize::from(shell_of[i as usize])].is_exact(i);
        let mut centroid = center.clone();
        // (a, b, area): from both sides where both were clipped.
        let mut pairs: Vec<(u32, u32, f64)> = Vec::new();
        for c in &clipped {
            if !is_exact(c.cell) {
                volume[c.cell as usize] = c.volume;
                centroid[c.cell as usize] = c.centroid;
                if (c.cell as usize) < shell_points {
                    let s = &shells[usize::from(shell_of[c.cell as usize])];
                    let (j, t, q) = s.index(c.cell);
                    if s.is_bevelled(t) {
                        volume[c.cell as usize] += metal_face(s, c, &mut faces);
                    } else if j == 0 || is_exact(s.cell(j - 1, t, q)) {
                        volume[c.cell as usize] += s.segment_volume(j, t, q);
                    }
                }
            }
            for &(other, area) in &c.areas {
                let same_body = (c.cell as usize) < shell_points
                    && (other as usize) < shell_points
                    && shell_of[c.cell as usize] == shell_of[other as usize];
                if same_body && (is_exact(c.cell) || is_exact(other)) {
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
            let area = match shell_of.get(a as usize) {
                Some(&s) if shell_of.get(b as usize) == Some(&s) => area * shells[usize::from(s)].roundness(a, b),
                _ => area,
            };
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
        let (mut metal_needle, mut metal_electrode) = (Vec::new(), Vec::new());
        let (mut coolant_area, mut coolant_resistance) = (Vec::new(), Vec::new());
        for s in &shells {
            for t in s.first_metal_place()..s.meridian() {
                for layer in 0..METAL_LAYERS {
                    center.push(s.metal_point(layer, t));
                    volume.push(s.metal_volume(layer, t));
                    size.push(s.radius[0]);
                    metal_needle.push(s.needle as u8);
                    metal_electrode.push(s.electrode[t]);
                    let (area, resistance) = s.channel_wall(layer, t);
                    coolant_area.push(area);
                    coolant_resistance.push(resistance);
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
            metal_electrode,
            coolant_area,
            coolant_resistance,
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

/// Adds the face of a bevelled cell on the metal, if it has one; the volume in m³ between it, flat, and the round metal.
fn metal_face(s: &Shells, c: &Clipped, faces: &mut Vec<Face>) -> f64 {
    let (_, t, _) = s.index(c.cell);
    if c.metal <= 0.0 {
        return 0.0;
    }
    let (ra, rb, behind) = s.bevelled_contact(t, c.metal);
    faces.push(Face {
        a: c.cell,
        b: s.metal(METAL_LAYERS - 1, t),
        ra,
        rb,
        kind: s.contact_kind(t),
    });
    behind
}

/// Half as many cells again round the needle, for ends whose cells do not have the exact metric.
fn finer_round(sizing: &Sizing) -> Sizing {
    let finer = |n: usize| (3 * n).div_ceil(8) * 4;
    Sizing {
        around: finer(sizing.around),
        ..*sizing
    }
}

/// Marks points within the metal.
const GHOST: u32 = 1 << 31;

/// Place along the axis where the modelled metal ends: inside the region, but for a tine, which ends in its cannula.
fn modelled_end(region: &Region, body: &Body, sizing: &Sizing, reach: f64) -> f64 {
    if body.joint.is_some() {
        return body.most;
    }
    let ring = body.active_end();
    let most = (ring + sizing.shaft).min(body.most).max(ring);
    let margin = body.radius + reach;
    let mut end = ring;
    let step = 0.5e-3;
    while end + step <= most && region.depth(&body.axis.at(end + step).0) > margin {
        end += step;
    }
    end
}

/// How far the shells of body `i` reach: less where other needles or the outer boundary are near.
fn reach(region: &Region, bodies: &[Body], i: usize, sizing: &Sizing) -> Result<f64, GridError> {
    let body = &bodies[i];
    let least = sizing.shell_reach_least;
    let room = 0.5 * (tip_depth(region, body) - body.radius);
    if room < least {
        return Err(GridError::Outside {
            needle: body.needle + 1,
            depth_mm: 2e3 * room,
            least_mm: 2e3 * least,
        });
    }
    let mut most = sizing.shell_reach.min(room);
    let (from, end) = (body.first(), body.active_end());
    for other in bodies.iter().filter(|o| o.needle != body.needle) {
        let other_end = (other.active_end() + sizing.shaft).min(other.most);
        let gap = (0..=GAP_STEPS)
            .map(|s| {
                let along = from + (end - from) * s as f64 / GAP_STEPS as f64;
                other.distance(&body.axis.at(along).0, other_end) - body.radius
            })
            .fold(f64::INFINITY, f64::min);
        // Of 0.75, 0.8, 0.85 and 1 the one that served field case D (two needles 10 mm apart) best.
        most = most.min(0.8 * gap);
    }
    Ok(most.max(least))
}

/// Whether tissues meet within `reach` of a body's bare metal.
fn tissues_meet(body: &Body, reach: f64, material: &(dyn Fn(&Vec3) -> u8 + Sync)) -> bool {
    let (from, end) = (body.first(), body.active_end());
    let own = material(&body.axis.at(0.5 * end).0);
    (0..=16).into_par_iter().any(|k| {
        let (p, tangent, e1, e2) = body.axis.at(from + (end - from) * f64::from(k) / 16.0);
        (0..12).any(|r| {
            let distance = body.radius + reach * (f64::from(r) + 0.5) / 12.0;
            let round = (0..12).any(|q| {
                let (sin, cos) = (f64::from(q) * std::f64::consts::FRAC_PI_6).sin_cos();
                let across = e1 * cos + e2 * sin;
                material(&(p + across * distance)) != own
                    || k == 0 && material(&(p + (across + tangent) * (0.7 * distance))) != own
                    || k == 16 && material(&(p + (across - tangent) * (0.7 * distance))) != own
            });
            round || k == 0 && material(&(p + tangent * distance)) != own
        })
    })
}

/// Samples along a needle when its distance from another is looked for.
const GAP_STEPS: usize = 400;

fn tip_depth(region: &Region, body: &Body) -> f64 {
    let (from, ring) = (body.first(), body.active_end());
    (0..=20)
        .map(|i| region.depth(&body.axis.at(from + (ring - from) * f64::from(i) / 20.0).0))
        .fold(f64::INFINITY, f64::min)
}

/// Metal of different needles must not touch.
fn check_gaps(bodies: &[Body], ends: &[f64]) -> Result<(), GridError> {
    for (i, me) in bodies.iter().enumerate() {
        for (k, other) in bodies.iter().enumerate() {
            if me.needle == other.needle {
                continue;
            }
            // Sampled along the part that is modelled; the distance to the other's axis is exact.
            let gap = (0..=GAP_STEPS)
                .map(|s| {
                    let along = me.first() + (ends[i] - me.first()) * s as f64 / GAP_STEPS as f64;
                    other.distance(&me.axis.at(along).0, ends[k]) - me.radius
                })
                .fold(f64::INFINITY, f64::min);
            if gap < LEAST_GAP {
                return Err(GridError::Touching {
                    first: me.needle.min(other.needle) + 1,
                    second: me.needle.max(other.needle) + 1,
                    gap_mm: 1e3 * gap,
                    least_mm: 1e3 * LEAST_GAP,
                });
            }
        }
    }
    Ok(())
}

/// True where the octree must leave room for the shells: those of the nearest metal reach that far.
fn in_shells(shells: &[Shells], p: &Vec3, h: f64) -> bool {
    let mut nearest = (f64::INFINITY, false);
    for s in shells {
        let (along, r, _) = s.axis.coordinates(p);
        let beyond = along - s.end();
        let distance = if beyond > 0.0 {
            r.hypot(beyond)
        } else {
            s.distance(p, along, r)
        };
        let outermost = s.radius[s.radius.len() - 1];
        let covered = if beyond > 0.0 {
            r < outermost + 0.25 * h && beyond < 0.25 * h
        } else {
            distance < outermost + 0.25 * h
        };
        let distance = distance - s.radius[0];
        if distance < nearest.0 {
            nearest = (distance, covered);
        }
    }
    nearest.1
}

fn refine(region: &Region, bodies: &[Body], shells: &[Shells], sizing: &Sizing) -> Result<Octree, GridError> {
    let extent = 2.0 * region.half_extent();
    // The smallest wanted cell is a whole number of halvings of the root.
    let first = shells
        .iter()
        .map(|s| sizing.octree_per_reach * (s.radius[s.radius.len() - 1] - s.radius[0]))
        .reduce(f64::min)
        .unwrap_or(sizing.octree_first);
    let levels = (extent / first).log2().ceil().max(0.0);
    let side = first * levels.exp2() * (1.0 + 1e-9);
    let origin = region.center() - Vec3::repeat(0.5 * side);
    let wanted = |p: &Vec3| {
        // Without a needle the grid is graded round the region's centre.
        let from_center = (p - region.center()).norm();
        let mut h = if bodies.is_empty() {
            sizing.octree_first + sizing.octree_growth * from_center
        } else {
            f64::INFINITY
        };
        for (body, s) in bodies.iter().zip(shells) {
            let reach = s.radius[s.radius.len() - 1] - s.radius[0];
            let first = sizing.octree_per_reach * reach;
            let tip = (body.distance(p, body.active_end()) - reach).max(0.0);
            let shaft = (body.distance(p, s.end()) - reach).max(0.0);
            h = h.min(first + sizing.octree_growth * tip);
            h = h.min(sizing.octree_shaft + 1.5 * sizing.octree_growth * shaft);
        }
        h
    };
    Octree::new(origin, side, MAX_CELLS, |c, h| {
        // A cube that the region does not touch needs no refinement.
        if region.depth(c) < -0.87 * h {
            return false;
        }
        // The size is allowed to be met by the nearest point of the cube, so that large cubes split in time.
        h > wanted(c) + 1e-12
    })
    .ok_or(GridError::TooLarge { cells: MAX_CELLS })
}
