//! What belongs to the column and is no bone: nerves, dural sac, discs, cartilage of the joints, ligaments, fat of the canal.
//!
//! Each part is asked only where its box says that it may be; the boxes are sorted in columns from front to back.

use neurotome_base::Vec3;

use super::dura::Sac;
use super::nerves::marks;
use super::solid::{Bounds, P, capsule};
use super::structure::Structure;
use super::vertebra::{FACET_GAP, Kind, outline};
use super::{Course, Placed};

/// Width and height of the columns in which the parts are sorted, mm.
const COLUMN: [f64; 2] = [8.0, 4.0];

/// How far canal and sac go on beyond the first and the last vertebra, mm.
const BEYOND: f64 = 200.0;
/// Half thickness of the mamillo-accessory ligament, mm.
const LIGAMENT_RADIUS: f64 = 0.8;

/// What stands in a box. Where boxes overlap, the first in this order is asked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Content {
    /// This piece of a nerve.
    Nerve(usize),
    Sac,
    /// The disc below this vertebra.
    Disc(usize),
    /// A joint with the vertebra above this one.
    Joint(usize),
    /// The mamillo-accessory ligament of this number.
    Ligament(usize),
    /// Canal and foramina round this vertebra, and the gap behind them to the next spinous process.
    Canal(usize),
}

#[derive(Debug, Clone, Copy)]
struct Part {
    bounds: Bounds,
    content: Content,
}

/// The parts of a column.
#[derive(Debug, Clone)]
pub(super) struct Axial {
    /// Parts by column, those from right to left running fastest.
    columns: Vec<Vec<Part>>,
    /// How many columns there are from right to left.
    across: usize,
    first: [f64; 2],
    /// Straight pieces of nerves with their radius.
    nerves: Vec<(P, P, f64)>,
    sac: Vec<Sac>,
    ligaments: Vec<(P, P)>,
    /// Height of the disc below each vertebra but the last, mm.
    disc_heights: Vec<f64>,
}

impl Axial {
    pub(super) fn new(vertebrae: &[Placed], disc_heights: Vec<f64>, sac: Vec<Sac>, courses: &[Course]) -> Self {
        let nerves: Vec<(P, P, f64)> = courses
            .iter()
            .flat_map(|c| c.points.windows(2).map(|w| (w[0].xyz, w[1].xyz, 0.5 * c.diameter_mm)))
            .collect();
        let ligaments: Vec<(P, P)> = vertebrae
            .iter()
            .filter(|v| v.bone.kind == Kind::Lumbar)
            .flat_map(|v| {
                [true, false].map(|left| {
                    let m = marks(&v.bone, left);
                    let to = |p| v.side_to_patient(left, p).xyz;
                    (to(m.mamillary), to(m.accessory))
                })
            })
            .collect();
        let mut parts = vec![];
        let mut add = |content, bounds| parts.push(Part { bounds, content });
        for (n, (a, b, radius)) in nerves.iter().enumerate() {
            add(Content::Nerve(n), Bounds::of_balls(&[(*a, *radius), (*b, *radius)]));
        }
        let around = sac.iter().fold(Bounds::EMPTY, |all, s| {
            let half = Vec3::new(s.half_width, s.half_depth, 0.0);
            all.with((s.center - half).into()).with((s.center + half).into())
        });
        // Above its uppermost section it goes on straight.
        add(
            Content::Sac,
            around.with([around.low[0], around.low[1], around.high[2] + BEYOND]),
        );
        for (n, height) in disc_heights.iter().enumerate() {
            add(Content::Disc(n), disc_box(&vertebrae[n], &vertebrae[n + 1], *height));
        }
        for (n, v) in vertebrae.iter().enumerate().skip(1) {
            for left in [true, false] {
                let facet = v.bone.upper_facet(left);
                let middle = v.side_to_patient(left, facet.center).xyz;
                let radius = facet.half_width.hypot(facet.half_height) + FACET_GAP + 2.0;
                add(Content::Joint(n), Bounds::of_balls(&[(middle, radius)]));
            }
        }
        for (n, (a, b)) in ligaments.iter().enumerate() {
            add(
                Content::Ligament(n),
                Bounds::of_balls(&[(*a, LIGAMENT_RADIUS), (*b, LIGAMENT_RADIUS)]),
            );
        }
        for n in 0..vertebrae.len() {
            add(Content::Canal(n), canal_box(vertebrae, n));
        }
        parts.sort_by_key(|p| p.content);
        let all = parts.iter().fold(Bounds::EMPTY, |all, p| all.and(&p.bounds));
        let first = [all.low[0], all.low[2]];
        let number = |low: f64, high: f64, size: f64| ((high - low) / size).ceil().max(1.0) as usize;
        let across = number(first[0], all.high[0], COLUMN[0]);
        let up = number(first[1], all.high[2], COLUMN[1]);
        let mut columns = vec![vec![]; across * up];
        for part in &parts {
            let range = |axis: usize, k: usize, n: usize| {
                let at = |v: f64| (((v - first[k]) / COLUMN[k]) as usize).min(n - 1);
                at(part.bounds.low[axis])..=at(part.bounds.high[axis])
            };
            for j in range(2, 1, up) {
                for i in range(0, 0, across) {
                    columns[j * across + i].push(*part);
                }
            }
        }
        Self {
            columns,
            across,
            first,
            nerves,
            sac,
            ligaments,
            disc_heights,
        }
    }

    /// The sections of the dural sac, from below to above.
    #[cfg(test)]
    pub(super) fn sac(&self) -> &[Sac] {
        &self.sac
    }

    /// The part at a point outside of bone.
    pub(super) fn at(&self, vertebrae: &[Placed], p: &Vec3) -> Option<Structure> {
        let (i, j) = ((p.x - self.first[0]) / COLUMN[0], (p.z - self.first[1]) / COLUMN[1]);
        if i < 0.0 || j < 0.0 || i >= self.across as f64 {
            return None;
        }
        let column = self.columns.get(j as usize * self.across + i as usize)?;
        let xyz: P = (*p).into();
        column
            .iter()
            .filter(|part| part.bounds.holds(xyz))
            .find_map(|part| match part.content {
                Content::Nerve(n) => {
                    let (a, b, radius) = self.nerves[n];
                    (capsule(xyz, a, b, radius, radius) <= 0.0).then_some(Structure::Nerve)
                }
                Content::Sac => self.in_sac(p).then_some(Structure::DuralSac),
                Content::Disc(n) => self
                    .in_disc(vertebrae, n, p)
                    .then(|| Structure::Disc(vertebrae[n].level)),
                Content::Joint(n) => in_cartilage(&vertebrae[n], p).then_some(Structure::Cartilage),
                Content::Ligament(n) => {
                    let (a, b) = self.ligaments[n];
                    (capsule(xyz, a, b, LIGAMENT_RADIUS, LIGAMENT_RADIUS) <= 0.0).then_some(Structure::Ligament)
                }
                Content::Canal(n) => in_canal(vertebrae, n, p),
            })
    }

    /// True when the box of some part comes within a distance of a point.
    pub(super) fn is_near(&self, p: &Vec3, distance: f64) -> bool {
        let up = self.columns.len() / self.across;
        let range = |v: f64, k: usize, n: usize| {
            let at = |v: f64| ((v - self.first[k]) / COLUMN[k]).floor();
            let end = (at(v + distance) + 1.0).clamp(0.0, n as f64);
            (at(v - distance).clamp(0.0, end) as usize)..(end as usize)
        };
        let across = range(p.x, 0, self.across);
        range(p.z, 1, up)
            .flat_map(|j| &self.columns[j * self.across..][across.clone()])
            .flatten()
            .any(|part| part.bounds.distance((*p).into()) <= distance)
    }

    fn in_sac(&self, p: &Vec3) -> bool {
        let n = self.sac.len();
        let above = self.sac.partition_point(|s| s.center.z < p.z);
        if above == 0 {
            return false;
        }
        let (a, b) = (&self.sac[above - 1], &self.sac[above.min(n - 1)]);
        let t = if above == n {
            0.0
        } else {
            (p.z - a.center.z) / (b.center.z - a.center.z)
        };
        let center = a.center + (b.center - a.center) * t;
        let (u, v) = (
            (p.x - center.x) / (a.half_width + t * (b.half_width - a.half_width)),
            (p.y - center.y) / (a.half_depth + t * (b.half_depth - a.half_depth)),
        );
        u * u + v * v <= 1.0
    }

    fn in_disc(&self, vertebrae: &[Placed], upper: usize, p: &Vec3) -> bool {
        let (above, below) = (&vertebrae[upper], &vertebrae[upper + 1]);
        let (a, b) = (above.frame.to_local(p), below.frame.to_local(p));
        let height = self.disc_heights[upper];
        let (top, floor) = (0.5 * below.bone.shape.height(), -0.5 * above.bone.shape.height());
        let (from_below, from_above) = (b.z - top, floor - a.z);
        let between = -2.0..height + DISC_BEYOND;
        if !between.contains(&from_below) || !between.contains(&from_above) {
            return false;
        }
        let t = (from_below / (from_below + from_above).max(1e-6)).clamp(0.0, 1.0);
        let bulge = 1.0 + 4.0 * DISC_BULGE * t * (1.0 - t);
        let (m, n) = (&below.bone.shape.middle, &above.bone.shape.middle);
        let half_width = m.top_half_width + t * (n.bottom_half_width - m.top_half_width);
        let half_depth = m.half_depth + t * (n.half_depth - m.half_depth);
        let (x, y) = (b.x + t * (a.x - b.x), b.y + t * (a.y - b.y));
        outline(x, y, half_width * bulge, half_depth * bulge) <= 0.0
    }
}

/// How far a disc may reach beyond its height where the end plates are not parallel, mm.
const DISC_BEYOND: f64 = 6.0;
/// How far a disc bulges beyond the rims, of its half width and depth.
const DISC_BULGE: f64 = 0.02;

/// A box round what [`Axial::in_disc`] may find.
fn disc_box(above: &Placed, below: &Placed, height: f64) -> Bounds {
    // A point of the disc lies within the rims as one of the two frames sees it.
    let (m, n) = (&below.bone.shape.middle, &above.bone.shape.middle);
    let rim = |a: f64, b: f64| (1.0 + DISC_BULGE) * a.max(b) + 3.0;
    let (x, y) = (
        rim(m.top_half_width, n.bottom_half_width),
        rim(m.half_depth, n.half_depth),
    );
    let (top, floor) = (0.5 * below.bone.shape.height(), -0.5 * above.bone.shape.height());
    let within = |placed: &Placed, from: f64, to: f64| {
        placed.box_to_patient(&Bounds {
            low: [-x, -y, from],
            high: [x, y, to],
        })
    };
    within(below, top - 2.0, top + height + DISC_BEYOND).and(&within(above, floor - height - DISC_BEYOND, floor + 2.0))
}

/// A box round what [`in_canal`] may find.
fn canal_box(vertebrae: &[Placed], n: usize) -> Bounds {
    let v = &vertebrae[n];
    let m = &v.bone.shape.middle;
    let x = 0.5 * m.canal_width + FORAMEN_WIDTH;
    let wall = v.bone.shape.back_wall();
    let back = wall + m.canal_depth;
    // A point is nearest to this vertebra half way to the next at most; the first and the last have no next.
    let reach = |next: Option<&Placed>| next.map_or(BEYOND, |w| 0.75 * (w.frame.origin - v.frame.origin).norm());
    v.box_to_patient(&Bounds {
        low: [-x, wall - 2.0, -reach(vertebrae.get(n + 1))],
        high: [
            x,
            back + (m.spinous_length + 1.0).max(6.0),
            reach(n.checked_sub(1).map(|a| &vertebrae[a])),
        ],
    })
}

fn in_cartilage(lower: &Placed, p: &Vec3) -> bool {
    let local = lower.frame.to_local(p);
    let facet = lower.bone.upper_facet(local.x >= 0.0);
    let (across, along, up) = facet.coordinates([local.x.abs(), local.y, local.z]);
    let (u, v) = (along / facet.half_width, up / facet.half_height);
    across.abs() <= 0.5 * FACET_GAP + 0.3 && u * u + v * v <= 1.0
}

/// How far the fat of a foramen reaches beside the canal, mm.
const FORAMEN_WIDTH: f64 = 12.0;

/// Yellow ligament, fat or interspinous ligament at a point, if this is the vertebra nearest to it along the column.
fn in_canal(vertebrae: &[Placed], n: usize, p: &Vec3) -> Option<Structure> {
    let v = &vertebrae[n];
    let shape = &v.bone.shape;
    let local = v.frame.to_local(p);
    let (wall, half_canal) = (shape.back_wall(), 0.5 * shape.middle.canal_width);
    let back = wall + shape.middle.canal_depth;
    let (ax, y) = (local.x.abs(), local.y);
    let canal = y > wall - 2.0 && y < back + 6.0 && ax < half_canal + FORAMEN_WIDTH;
    // Between and behind the spinous processes.
    let behind = ax < 1.2 && y > back && y < back + shape.middle.spinous_length + 1.0;
    if !(canal || behind) || super::nearest_vertebra(vertebrae, p) != n {
        return None;
    }
    if canal {
        // Yellow ligament: closes the canal between two arches, where the lamina would be.
        let lamina = v.bone.lamina_plate(local.x >= 0.0, [ax, y, local.z]);
        if ax < half_canal + 1.5 && lamina.abs() <= 2.2 {
            return Some(Structure::Ligament);
        }
        let inside = ax < half_canal + FORAMEN_WIDTH - 0.5 * (y - wall - 3.6).max(0.0);
        if inside && lamina < 0.0 && y < back - 3.5 + (half_canal + 2.0 - ax).max(0.0) {
            return Some(Structure::EpiduralFat);
        }
    }
    behind.then_some(Structure::Ligament)
}
