//! The resistances through which current flows: between tissue cells, and between the parts of those that a border cuts.

use neurotome_base::{Vec3, geometry::perpendicular_pair};
use rayon::prelude::*;

use super::{
    cut,
    parts::{Parts, alike},
};
use crate::{
    grid::{Face, FaceKind, Grid},
    tissue::TissueProperties,
};

/// Electric resistances at 37 °C between two nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Link {
    /// First node.
    pub a: u32,
    /// Second node.
    pub b: u32,
    /// Resistance on the side of `a`, Ω.
    pub ra: f64,
    /// Resistance on the side of `b`, Ω.
    pub rb: f64,
}

/// Electric resistance at 37 °C between a node and the metal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetalLink {
    /// The face.
    pub face: u32,
    /// The node.
    pub node: u32,
    /// Resistance, Ω.
    pub resistance: f64,
}

/// A part of a cell as a node.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PartNode {
    cell: u32,
    node: u32,
    plain: f64,
}

/// Nodes and what joins them. The nodes are the tissue cells (of a cell that a border cuts: the part at its point), then the further
/// parts of cells.
pub struct Network {
    /// Tissue cells.
    cells: usize,
    /// Cell of each further node.
    pub further: Vec<u32>,
    /// Between nodes.
    pub links: Vec<Link>,
    /// Towards the metal, in the order of the faces.
    pub metal_links: Vec<MetalLink>,
    /// Relative change of σ per kelvin, for each node.
    pub sigma_coefficient: Vec<f64>,
    /// Temperature in °C above which σ rises no further, for each node.
    pub sigma_limit: Vec<f64>,
    /// Parts of the cells that are cut, cell by cell, the largest first.
    parts: Vec<PartNode>,
    /// σ without fluid at 37 °C of each tissue cell, S/m.
    plain: Vec<f64>,
}

impl Network {
    /// Joins the cells. `sides` holds the resistances of both sides of each face, for cells that are one node.
    pub(super) fn new(grid: &Grid, cells: &[super::Cell], tissues: &[TissueProperties], sides: &[(f64, f64)]) -> Self {
        let n = grid.tissue_cells;
        let mut first = vec![0u32; n];
        let mut further: Vec<u32> = Vec::new();
        let mut parts_of = Vec::new();
        let mut coefficient: Vec<f64> = cells.iter().map(|c| c.coefficient).collect();
        let mut limit: Vec<f64> = cells.iter().map(|c| c.limit).collect();
        for (i, parts) in cut_cells(cells) {
            first[i] = (n + further.len()) as u32 - 1;
            further.extend(std::iter::repeat_n(i as u32, parts.list.len() - 1));
            coefficient[i] = parts.list[0].coefficient;
            limit[i] = parts.list[0].limit;
            coefficient.extend(parts.list[1..].iter().map(|p| p.coefficient));
            limit.extend(parts.list[1..].iter().map(|p| p.limit));
            let mut order: Vec<usize> = (0..parts.list.len()).collect();
            order.sort_by(|a, b| parts.list[*b].share.total_cmp(&parts.list[*a].share));
            parts_of.extend(order.into_iter().map(|k| PartNode {
                cell: i as u32,
                node: if k == 0 { i as u32 } else { first[i] + k as u32 },
                plain: parts.list[k].plain,
            }));
        }
        let plain: Vec<f64> = cells
            .iter()
            .map(|c| tissues[usize::from(c.tissue)].sigma_s_per_m)
            .collect();
        let node = |i: usize, part: usize| if part == 0 { i as u32 } else { first[i] + part as u32 };
        let parts = |i: u32| cells.get(i as usize).and_then(|c| c.parts.as_ref());
        let cut: Vec<u32> = (0u32..)
            .zip(&grid.faces)
            .filter(|(_, f)| f.kind != FaceKind::Metal && (parts(f.a).is_some() || parts(f.b).is_some()))
            .map(|(at, _)| at)
            .collect();
        let cut_links: Vec<Vec<Link>> = cut
            .par_iter()
            .with_min_len(64)
            .map(|&at| {
                let f = &grid.faces[at as usize];
                let side = |i: u32| match parts(i) {
                    Some(parts) => Side::Cut(parts),
                    None => Side::Whole(plain.get(i as usize).copied().unwrap_or(0.0)),
                };
                through(grid, f, side(f.a), side(f.b), sides[at as usize])
                    .into_iter()
                    .map(|l| Link {
                        a: node(f.a as usize, l.a as usize),
                        b: if f.kind == FaceKind::Tissue {
                            node(f.b as usize, l.b as usize)
                        } else {
                            f.b
                        },
                        ..l
                    })
                    .collect()
            })
            .collect();
        let mut links = Vec::with_capacity(grid.faces.len());
        let mut metal_links = Vec::new();
        let mut next = cut.iter().zip(&cut_links).peekable();
        for ((face, f), &(ra, rb)) in (0u32..).zip(&grid.faces).zip(sides) {
            let whole = [Link { a: f.a, b: f.b, ra, rb }];
            let through = next.next_if(|c| *c.0 == face).map_or(&whole[..], |c| c.1);
            match f.kind {
                FaceKind::Tissue => links.extend_from_slice(through),
                FaceKind::Electrode | FaceKind::Shaft => metal_links.extend(through.iter().map(|l| MetalLink {
                    face,
                    node: l.a,
                    resistance: l.ra,
                })),
                FaceKind::Metal => {}
            }
        }
        for (i, parts) in cut_cells(cells) {
            links.extend(parts.borders.iter().map(|b| Link {
                a: node(i, b.parts.0),
                b: node(i, b.parts.1),
                ra: b.resistance.0,
                rb: b.resistance.1,
            }));
        }
        Self {
            cells: n,
            further,
            links,
            metal_links,
            sigma_coefficient: coefficient,
            sigma_limit: limit,
            parts: parts_of,
            plain,
        }
    }

    /// Nodes.
    pub fn nodes(&self) -> usize {
        self.cells + self.further.len()
    }

    /// The cell of a node.
    pub fn cell(&self, node: usize) -> usize {
        node.checked_sub(self.cells).map_or(node, |k| self.further[k] as usize)
    }

    /// The node in a tissue cell that conducts like a tissue of `sigma` S/m, if there is one: the largest.
    pub fn alike(&self, cell: u32, sigma: f64) -> Option<u32> {
        let from = self.parts.partition_point(|p| p.cell < cell);
        let mut own = self.parts[from..].iter().take_while(|p| p.cell == cell).peekable();
        if own.peek().is_none() {
            return alike(self.plain[cell as usize], sigma).then_some(cell);
        }
        own.find(|p| alike(p.plain, sigma)).map(|p| p.node)
    }
}

fn cut_cells(cells: &[super::Cell]) -> impl Iterator<Item = (usize, &Parts)> {
    cells
        .iter()
        .enumerate()
        .filter_map(|(i, c)| Some((i, c.parts.as_ref()?)))
}

/// A cell beside a face.
#[derive(Clone, Copy)]
enum Side<'a> {
    Cut(&'a Parts),
    /// σ without fluid at 37 °C, S/m.
    Whole(f64),
}

impl<'a> Side<'a> {
    fn parts(self) -> Option<&'a Parts> {
        match self {
            Self::Cut(parts) => Some(parts),
            Self::Whole(_) => None,
        }
    }

    /// σ of a part without fluid, S/m.
    fn plain(self, part: usize) -> f64 {
        match self {
            Self::Cut(parts) => parts.list[part].plain,
            Self::Whole(plain) => plain,
        }
    }

    /// The part that conducts like a tissue of `sigma` S/m.
    fn alike(self, sigma: f64) -> Option<usize> {
        match self {
            Self::Cut(parts) => parts.alike(sigma),
            Self::Whole(plain) => alike(plain, sigma).then_some(0),
        }
    }

    /// Resistance from a part to a face, Ω; `geometric` is that from the cell's point at 1 S/m, `whole` that of a whole cell.
    fn resistance(self, part: usize, geometric: f64, whole: f64, way: &Vec3) -> f64 {
        match self {
            Self::Cut(parts) => geometric / parts.list[part].sigma * parts.nearer(part, way),
            Self::Whole(_) => whole,
        }
    }
}

/// What joins the parts on both sides of a face, as parts of their cells; whole cells have the resistances `sides`.
fn through(grid: &Grid, face: &Face, a: Side, b: Side, sides: (f64, f64)) -> Vec<Link> {
    let metal = face.kind != FaceKind::Tissue;
    let center = grid.center[face.a as usize];
    let (way_a, way_b) = if metal {
        (grid.foot(face) - center, Vec3::zeros())
    } else {
        let way = grid.center[face.b as usize] - center;
        let share = face.ra / (face.ra + face.rb);
        (way * share, way * (share - 1.0))
    };
    let pole = |i: u32| grid.shells_of(i).is_some_and(|s| s.index(i).1 == 0);
    let side_b = if metal { Some(0) } else { grid.side(face.b, face.a) };
    let lattices = grid.side(face.a, face.b).zip(side_b);
    let mut pairs: Vec<(usize, usize, f64)> = Vec::new();
    let mut put = |p: usize, q: usize, weight: f64| match pairs.iter_mut().find(|k| (k.0, k.1) == (p, q)) {
        Some(k) => k.2 += weight,
        None => pairs.push((p, q, weight)),
    };
    let mut count = 0.0;
    let mut add = |p: usize, q: usize| {
        count += 1.0;
        let (plain_a, plain_b) = (a.plain(p), b.plain(q));
        if metal || alike(plain_a, plain_b) {
            return put(p, q, 1.0);
        }
        // The border passes the face between the two places: half of what lies there has either tissue on both sides.
        put(p, b.alike(plain_a).unwrap_or(q), 0.5);
        put(a.alike(plain_b).unwrap_or(p), q, 0.5);
    };
    match lattices {
        Some((on_a, on_b)) if metal || !(pole(face.a) || pole(face.b)) => {
            let mut on_b = b.parts().map(|b| b.on(on_b));
            let mut on_a = a.parts().map(|a| a.on(on_a));
            for _ in 0..cut::SIDE * cut::SIDE {
                let p = on_a.as_mut().and_then(Iterator::next).unwrap_or(0);
                let q = on_b.as_mut().and_then(Iterator::next).unwrap_or(0);
                add(p, q);
            }
        }
        _ => {
            let way = way_a - way_b;
            let area = if metal {
                way.norm() / face.ra
            } else {
                way.norm() / (face.ra + face.rb)
            };
            let (u, v) = perpendicular_pair(&(way / way.norm()));
            let place = |k: usize| ((k as f64 + 0.5) / cut::COLUMNS as f64 - 0.5) * area.sqrt();
            for k in 0..cut::COLUMNS * cut::COLUMNS {
                let aside = u * place(k % cut::COLUMNS) + v * place(k / cut::COLUMNS);
                add(
                    a.parts().map_or(0, |a| a.at(&(way_a + aside))),
                    b.parts().map_or(0, |b| b.at(&(way_b + aside))),
                );
            }
        }
    }
    pairs
        .iter()
        .map(|&(p, q, share)| Link {
            a: p as u32,
            b: q as u32,
            ra: a.resistance(p, face.ra, sides.0, &way_a) * count / share,
            rb: if metal {
                0.0
            } else {
                b.resistance(q, face.rb, sides.1, &way_b) * count / share
            },
        })
        .collect()
}
