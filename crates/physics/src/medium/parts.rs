//! A cell that a border between unlike conductors cuts: each connected piece of one conductor in it is a part with a potential of
//! its own.
//!
//! Faces join parts over the share of their area that both have, and the parts of a cell are joined across the border between them.
//! So a current along a border stays in its tissue, whatever the border's angle to the grid, which one potential a cell cannot tell:
//! there a slanting border turns aside a part of the flux that no two-point flux carries. Borders along faces are exact, as resistances
//! in series.
//!
//! A part's potential stands for its centroid across the border, and for the cell's point along it.

use neurotome_base::Vec3;

use super::cut::SIDE;

/// Tissues whose conductivities differ by less than this factor share a part.
const UNLIKE: f64 = 1.25;
/// Least way from a part to a face, as a part of that from the cell's point.
const NEAREST: f64 = 0.05;

/// True for conductivities in S/m that make no border.
pub fn alike(a: f64, b: f64) -> bool {
    a.max(b) <= UNLIKE * a.min(b)
}

/// One point of a cell's lattice.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The tissue.
    pub tissue: u8,
    /// σ of the tissue without fluid at 37 °C, S/m.
    pub plain: f64,
    /// σ at 37 °C, S/m.
    pub sigma: f64,
    /// Relative change of σ per kelvin.
    pub coefficient: f64,
    /// Temperature in °C above which σ rises no further.
    pub limit: f64,
}

/// A connected piece of one conductor.
#[derive(Debug, Clone)]
pub struct Part {
    /// σ at 37 °C without fluid, S/m.
    pub plain: f64,
    /// Mean σ at 37 °C, S/m.
    pub sigma: f64,
    /// Relative change of σ per kelvin.
    pub coefficient: f64,
    /// Temperature in °C above which σ rises no further.
    pub limit: f64,
    /// Share of the cell's volume.
    pub share: f64,
    /// Centroid, from the cell's point, m.
    offset: Vec3,
    /// Unit normal of its border, outwards; zero where its sides balance.
    out: Vec3,
    /// Squared ratio of the gradients across and along its border, of fields that meet it at all angles alike.
    across: f64,
}

/// What joins two parts of one cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Border {
    /// The parts.
    pub parts: (usize, usize),
    /// Resistance on the side of each at 37 °C, Ω.
    pub resistance: (f64, f64),
}

/// The parts of a cell, that of its point first.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Part at each point of the lattice of [`super::cut`].
    of: Box<[u8]>,
    /// Sides of the cell, m.
    spans: [Vec3; 3],
    /// The parts.
    pub list: Vec<Part>,
    /// Borders between them.
    pub borders: Vec<Border>,
}

/// Steps between neighbours of the lattice along each coordinate.
const STRIDES: [usize; 3] = [1, SIDE, SIDE * SIDE];

impl Parts {
    /// Parts of a cell of volume `volume` with sides `spans`, in metres, and the given samples at its lattice; none where all conduct
    /// alike. `own` is the tissue at the cell's point.
    pub fn new(samples: &[Sample], own: u8, spans: [Vec3; 3], volume: f64) -> Option<Self> {
        let first = samples[0].plain;
        if samples.iter().all(|s| alike(s.plain, first)) {
            return None;
        }
        let (mut of, mut list) = pieces(samples, &spans);
        let size = |p: &usize| list[*p].share;
        let holds = |p: &usize| (0..samples.len()).any(|k| usize::from(of[k]) == *p && samples[k].tissue == own);
        let largest = |parts: &mut dyn Iterator<Item = usize>| parts.max_by(|a, b| size(a).total_cmp(&size(b)));
        let main = largest(&mut (0..list.len()).filter(holds)).or_else(|| largest(&mut (0..list.len())))?;
        list.swap(0, main);
        for p in &mut of {
            *p = match usize::from(*p) {
                0 => main as u8,
                p if p == main => 0,
                p => p as u8,
            };
        }
        let mut parts = Self {
            of: of.into(),
            spans,
            list,
            borders: vec![],
        };
        parts.join(volume);
        Some(parts)
    }

    /// Finds the borders between the parts.
    fn join(&mut self, volume: f64) {
        let count = self.list.len();
        let mut out = vec![Vec3::zeros(); count];
        let mut beside = vec![(0.0, 0.0); count];
        for p in 0..count {
            for q in p + 1..count {
                let (area, both) = self.border(p, q, volume);
                let size = both.norm();
                if size == 0.0 {
                    continue;
                }
                let (a, b) = (&self.list[p], &self.list[q]);
                let apart = (b.offset - a.offset).dot(&area) / size;
                let apart = apart.max(0.1 * volume.cbrt());
                let share = a.share / (a.share + b.share);
                self.borders.push(Border {
                    parts: (p, q),
                    resistance: (
                        apart * share / (a.sigma * size),
                        apart * (1.0 - share) / (b.sigma * size),
                    ),
                });
                out[p] += area;
                out[q] -= area;
                for (of, other) in [(p, b.sigma), (q, a.sigma)] {
                    beside[of].0 += size * other;
                    beside[of].1 += size;
                }
            }
        }
        for ((part, out), (sum, weight)) in self.list.iter_mut().zip(out).zip(beside) {
            if out.norm() > 1e-3 * volume.powf(2.0 / 3.0) {
                part.out = out.normalize();
                let other = sum / weight;
                part.across = (2.0 * other / (other + part.sigma)).powi(2);
            }
        }
    }

    /// Area of the border from one part to another, m², and the same where its two sides count alike (round an enclave the first is
    /// none).
    fn border(&self, p: usize, q: usize, volume: f64) -> (Vec3, Vec3) {
        let (mut area, mut both) = (Vec3::zeros(), Vec3::zeros());
        for (&stride, span) in STRIDES.iter().zip(&self.spans) {
            let (mut there, mut back) = (0.0, 0.0);
            for k in (0..self.of.len()).filter(|k| k / stride % SIDE + 1 < SIDE) {
                match (usize::from(self.of[k]), usize::from(self.of[k + stride])) {
                    pair if pair == (p, q) => there += 1.0,
                    pair if pair == (q, p) => back += 1.0,
                    _ => {}
                }
            }
            let face = span * (volume / (span.norm_squared() * (SIDE * SIDE) as f64));
            area += face * (there - back);
            both += face * (there + back);
        }
        (area, both)
    }

    /// Parts on a side, numbered as by [`crate::grid::Grid::side`], at `SIDE²` places of its face.
    pub fn on(&self, side: usize) -> impl Iterator<Item = usize> + '_ {
        let stride = STRIDES[side / 2];
        let layer = if side.is_multiple_of(2) { 0 } else { SIDE - 1 };
        (0..self.of.len())
            .filter(move |k| k / stride % SIDE == layer)
            .map(|k| usize::from(self.of[k]))
    }

    /// The part nearest to a place, given from the cell's point, m.
    pub fn at(&self, place: &Vec3) -> usize {
        let index = |a: usize| {
            let part = self.spans[a].dot(place) / self.spans[a].norm_squared() + 0.5;
            ((part * SIDE as f64).max(0.0) as usize).min(SIDE - 1)
        };
        usize::from(self.of[index(0) + SIDE * (index(1) + SIDE * index(2))])
    }

    /// The largest part that conducts like a tissue of `plain` S/m.
    pub fn alike(&self, plain: f64) -> Option<usize> {
        let alike = (0..self.list.len()).filter(|p| alike(self.list[*p].plain, plain));
        alike.max_by(|a, b| self.list[*a].share.total_cmp(&self.list[*b].share))
    }

    /// Length of the way from a part to a face, as a part of that from the cell's point; `way` leads from there to the face.
    ///
    /// A field across the border sees the part's centroid, one along it the cell's point; the two are weighted as such fields bring
    /// current through the face.
    pub fn nearer(&self, part: usize, way: &Vec3) -> f64 {
        let part = &self.list[part];
        let length = way.norm();
        let facing = part.out.dot(way) / length;
        let normal = part.across * facing * facing;
        if normal == 0.0 {
            return 1.0;
        }
        let weight = normal / (normal + (1.0 - facing * facing).max(0.0));
        (1.0 - part.offset.dot(&part.out) / facing / length * weight).clamp(NEAREST, 2.0)
    }
}

/// The part of each sample, and the parts without their borders.
fn pieces(samples: &[Sample], spans: &[Vec3; 3]) -> (Vec<u8>, Vec<Part>) {
    let mut of = vec![u8::MAX; samples.len()];
    let mut list = Vec::new();
    let mut next = Vec::new();
    for seed in 0..samples.len() {
        if of[seed] != u8::MAX {
            continue;
        }
        let (mut count, mut sigma, mut coefficient, mut limit) = (0.0, 0.0, 0.0, 0.0);
        let mut offset = Vec3::zeros();
        next.push(seed);
        of[seed] = list.len() as u8;
        while let Some(k) = next.pop() {
            let s = &samples[k];
            count += 1.0;
            sigma += s.sigma;
            coefficient += s.sigma * s.coefficient;
            limit += s.sigma * s.limit;
            for (&stride, span) in STRIDES.iter().zip(spans) {
                let place = k / stride % SIDE;
                offset += span * ((place as f64 + 0.5) / SIDE as f64 - 0.5);
                let before = (place > 0).then(|| k - stride);
                let after = (place + 1 < SIDE).then_some(k + stride);
                for n in before.into_iter().chain(after) {
                    if of[n] == u8::MAX && alike(samples[n].plain, samples[seed].plain) {
                        of[n] = list.len() as u8;
                        next.push(n);
                    }
                }
            }
        }
        list.push(Part {
            plain: samples[seed].plain,
            sigma: sigma / count,
            coefficient: coefficient / sigma,
            limit: limit / sigma,
            share: count / samples.len() as f64,
            offset: offset / count,
            out: Vec3::zeros(),
            across: 0.0,
        });
    }
    (of, list)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDES: [f64; 2] = [1.0, 0.05];

    /// A cube of side 1 m with the conductivity that `sigma` gives at a point.
    fn cube(sigma: impl Fn(&Vec3) -> f64) -> Option<Parts> {
        let place = |k: usize| ((k % SIDE) as f64 + 0.5) / SIDE as f64 - 0.5;
        let samples: Vec<Sample> = (0..SIDE.pow(3))
            .map(|k| {
                let p = Vec3::new(place(k), place(k / SIDE), place(k / (SIDE * SIDE)));
                let sigma = sigma(&p);
                Sample {
                    tissue: u8::from(sigma < 0.5),
                    plain: sigma,
                    sigma,
                    coefficient: 0.0,
                    limit: 100.0,
                }
            })
            .collect();
        Parts::new(
            &samples,
            samples[SIDE.pow(3) - 1].tissue,
            [Vec3::x(), Vec3::y(), Vec3::z()],
            1.0,
        )
    }

    fn side(sigma: bool) -> f64 {
        SIDES[usize::from(sigma)]
    }

    #[test]
    fn a_cell_of_one_conductor_has_no_parts() {
        assert!(cube(|_| 1.0).is_none());
        assert!(cube(|p| if p.x > 0.0 { 1.0 } else { 1.1 }).is_none());
    }

    #[test]
    fn layers_are_resistances_in_series() {
        // A quarter of the cell is the better conductor.
        let parts = cube(|p| side(p.x > -0.25)).unwrap();
        assert_eq!(parts.list.len(), 2);
        // The part at the cell's point is the first.
        assert_eq!(parts.list[0].plain, SIDES[1]);
        assert_eq!(parts.at(&Vec3::new(-0.4, 0.1, 0.3)), 1);
        let border = parts.borders[0];
        assert_eq!(border.parts, (0, 1));
        // From side to side: half a cell shortened to each part's middle, then across the border.
        let to_side = |part: usize, way: Vec3| parts.nearer(part, &way) * way.norm() / parts.list[part].sigma;
        let whole =
            to_side(1, Vec3::x() * -0.5) + border.resistance.0 + border.resistance.1 + to_side(0, Vec3::x() * 0.5);
        assert!((whole - (0.25 / SIDES[0] + 0.75 / SIDES[1])).abs() < 1e-12, "{whole}");
        // Along the border the way is that from the cell's point.
        assert_eq!(parts.nearer(0, &(Vec3::y() * 0.5)), 1.0);
        assert_eq!(parts.on(0).collect::<Vec<_>>(), [1; SIDE * SIDE]);
        assert_eq!(parts.on(2).filter(|p| *p == 1).count(), SIDE);
    }

    #[test]
    fn what_a_layer_parts_are_pieces_of_their_own() {
        let parts = cube(|p| side(p.x.abs() < 0.25)).unwrap();
        assert_eq!(parts.list.len(), 3);
        assert_eq!(parts.borders.len(), 2);
        let shares: f64 = parts.list.iter().map(|p| p.share).sum();
        assert!((shares - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_enclave_is_joined_to_what_is_round_it() {
        let parts = cube(|p| side(p.amax() < 0.2)).unwrap();
        assert_eq!(parts.list.len(), 2);
        assert_eq!(parts.borders.len(), 1);
        assert!(parts.borders[0].resistance.0 > 0.0 && parts.borders[0].resistance.1 > 0.0);
        assert_eq!(parts.nearer(0, &(Vec3::x() * 0.5)), 1.0);
    }

    #[test]
    fn no_current_crosses_a_slanting_border_along_which_it_flows() {
        // A uniform field along the border of an insulator: what enters the conductor through the faces leaves it through them.
        let parts = cube(|p| if p.x + p.y < 0.0 { 1.0 } else { 1e-9 }).unwrap();
        let conductor = parts.alike(1.0).unwrap();
        let field = Vec3::new(1.0, -1.0, 0.5);
        let balance: f64 = (0..6)
            .map(|side| {
                let mut normal = Vec3::zeros();
                normal[side / 2] = if side % 2 == 0 { -1.0 } else { 1.0 };
                let share = parts.on(side).filter(|p| *p == conductor).count() as f64 / (SIDE * SIDE) as f64;
                share * field.dot(&normal)
            })
            .sum();
        assert!(balance.abs() < 1e-12, "{balance}");
        // Of such a field the part sees the way from the cell's point, nearly.
        assert!((parts.nearer(conductor, &(Vec3::x() * -0.5)) - 1.0).abs() < 1e-6);
    }
}
