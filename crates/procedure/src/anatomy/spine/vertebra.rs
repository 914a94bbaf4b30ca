//! The bone of one vertebra as an implicit solid, in its own frame (see [`super::shape`]).

use super::sacrum;
use super::shape::{SideShape, VertebraShape};
use super::solid::{Bounds, EightBounds, P, add, capsule, dot, ellipse, join, meet, sub};

/// Distance between the two bones of a facet joint: both cartilages, mm.
pub(crate) const FACET_GAP: f64 = 2.0;
/// How much a facet's edges stand before its middle, mm per mm²: the lower vertebra's face is hollow, the upper one's fills it.
const FACET_CURVATURE: f64 = 0.015;
/// Half of the thickness of a transverse process at its root at most, front to back, mm.
const ROOT_HALF_THICKNESS: f64 = 4.5;
/// How far the blade of a transverse process leans forward at its upper edge: 35 degrees, as sine and cosine.
const BLADE_LEAN_SIN_COS: (f64, f64) = (0.573_576_436_351_046, 0.819_152_044_288_991_8);
/// Least distance from the back of the body to the front of the superior articular process, mm: room for the foramen above.
const FORAMEN_DEPTH: f64 = 6.5;
/// How far the front of that process leans back, mm per mm above the neck.
const FRONT_LEAN: f64 = 0.45;
/// How far beyond a part's box it is still computed; farther away the distance to the box takes its place.
const REACH: f64 = 6.0;

/// What kind of vertebra it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// With transverse and inferior articular processes.
    Lumbar,
    /// The first sacral vertebra with the rest of the sacrum: alae, no inferior articular processes.
    Sacral,
}

/// The plane of a facet joint, with the superior articular process below it and the inferior one above.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facet {
    pub center: P,
    /// From the lower vertebra's bone to the upper one's: medial and back.
    pub normal: P,
    /// Along the joint in the axial plane: back and lateral.
    pub along: P,
    pub up: P,
    pub half_width: f64,
    pub half_height: f64,
}

impl Facet {
    fn new(center: P, angle_deg: f64, lean_deg: f64, half_width: f64, half_height: f64) -> Self {
        let (sin, cos) = angle_deg.to_radians().sin_cos();
        let (lean_sin, lean_cos) = lean_deg.to_radians().sin_cos();
        Self {
            center,
            normal: [-cos * lean_cos, sin * lean_cos, lean_sin],
            along: [sin, cos, 0.0],
            up: [cos * lean_sin, -sin * lean_sin, lean_cos],
            half_width,
            half_height,
        }
    }

    /// The superior facet of a side.
    pub(crate) fn upper(s: &SideShape) -> Self {
        Self::new(
            [s.upper_x, s.upper_y, s.upper_z],
            s.upper_angle,
            s.upper_lean,
            s.upper_half_width,
            s.upper_half_height,
        )
    }

    /// The inferior facet of a side.
    pub(crate) fn lower(s: &SideShape) -> Self {
        Self::new(
            [s.lower_x, s.lower_y, s.lower_z],
            s.lower_angle,
            s.lower_lean,
            s.lower_half_width,
            s.lower_half_height,
        )
    }

    /// Coordinates of a point: across the joint (its hollow taken out), along it, up.
    #[inline]
    pub(crate) fn coordinates(&self, p: P) -> (f64, f64, f64) {
        let d = sub(p, self.center);
        let along = dot(self.along, d);
        (
            dot(self.normal, d) - FACET_CURVATURE * along * along,
            along,
            dot(self.up, d),
        )
    }

    /// A point given by its coordinates.
    pub(crate) fn point(&self, across: f64, along: f64, up: f64) -> P {
        let across = across + FACET_CURVATURE * along * along;
        std::array::from_fn(|a| self.center[a] + across * self.normal[a] + along * self.along[a] + up * self.up[a])
    }
}

/// One side, with what is computed once.
#[derive(Debug, Clone)]
struct SideParts {
    shape: SideShape,
    upper: Facet,
    lower: Facet,
    wall_sin_cos: (f64, f64),
    /// y of the front of the superior articular process at its neck.
    front: f64,
    pars: (P, P),
    transverse: (P, P),
    accessory: (P, P),
    mamillary: P,
    boxes: SideBoxes,
}

#[derive(Debug, Clone)]
struct SideBoxes {
    pedicle: Bounds,
    pars: Bounds,
    superior: Bounds,
    inferior: Bounds,
    transverse: Bounds,
    /// Body, arch and spinous process, which both sides share, then those above.
    all: EightBounds,
}

/// A vertebra ready to be asked.
#[derive(Debug, Clone)]
pub(crate) struct Vertebra {
    pub shape: VertebraShape,
    pub kind: Kind,
    sides: [SideParts; 2],
    arch_box: Bounds,
    spinous_box: Bounds,
    bounds: Bounds,
}

/// x of the lateral wall of the superior articular process at a depth y.
pub(crate) fn wall_x(s: &SideShape, y: f64) -> f64 {
    s.upper_x + s.wall + (y - s.upper_y) * s.wall_angle.to_radians().tan()
}

/// A part's level, or the distance to its box where that is beyond all fillets.
#[inline]
fn part(outside: f64, level: impl FnOnce() -> f64) -> f64 {
    if outside > REACH { outside } else { level() }
}

impl Vertebra {
    pub(crate) fn new(shape: &VertebraShape, kind: Kind) -> Self {
        let mut sides = [&shape.left, &shape.right].map(|s| SideParts::new(shape, s));
        let m = &shape.middle;
        let half_width = m.top_half_width.max(m.bottom_half_width) + 1.0;
        let h = 0.5 * m.height_anterior.max(m.height_posterior) + 2.0;
        let bottom = if kind == Kind::Sacral { sacrum::BODY_HEIGHT } else { h };
        let body_box = Bounds {
            low: [0.0, -m.half_depth - 1.0, -bottom],
            high: [half_width, m.half_depth + 1.0, h],
        };
        let back = shape.back_wall() + m.canal_depth;
        let half = 0.5 * m.lamina_height + 1.0;
        let lean = m.lamina_slope.abs() * half + 0.5 * m.lamina_thickness + 1.0;
        let pillar = sides.iter().map(SideParts::pillar).fold(Bounds::EMPTY, |b, [x, y]| {
            b.with([x + 4.0, y - lean, m.lamina_z - half])
                .with([x, y + lean, m.lamina_z + half])
        });
        let arch_box =
            pillar
                .with([0.0, back - lean, m.lamina_z - half])
                .with([0.0, back + lean + 4.0, m.lamina_z + half]);
        let end = back + m.spinous_length;
        let reach = 0.5 * m.spinous_height + m.spinous_drop.abs() + 4.0;
        let spinous_box = Bounds {
            low: [0.0, back - 2.0, m.lamina_z - reach],
            high: [0.5 * m.spinous_thickness + 3.0, end + 2.0, m.lamina_z + reach],
        };
        let mut bounds = body_box.and(&arch_box).and(&spinous_box);
        for s in &sides {
            let b = &s.boxes;
            bounds = bounds.and(&b.pedicle).and(&b.superior);
            if kind == Kind::Lumbar {
                bounds = bounds.and(&b.inferior).and(&b.transverse).and(&b.pars);
            }
        }
        if kind == Kind::Sacral {
            let size = m.top_half_width / sacrum::HALF_WIDTH;
            bounds = bounds.and(&Bounds {
                low: sacrum::BOUNDS.low.map(|x| x * size),
                high: sacrum::BOUNDS.high.map(|x| x * size),
            });
        }
        for side in &mut sides {
            let b = &side.boxes;
            side.boxes.all = EightBounds::new([
                &body_box,
                &arch_box,
                &spinous_box,
                &b.pedicle,
                &b.pars,
                &b.superior,
                &b.inferior,
                &b.transverse,
            ]);
        }
        Self {
            shape: *shape,
            kind,
            sides,
            arch_box,
            spinous_box,
            bounds,
        }
    }

    /// A box round the whole vertebra, both sides.
    pub(crate) fn bounds(&self) -> Bounds {
        let high = self.bounds.high;
        self.bounds.with([-high[0], high[1], high[2]])
    }

    /// The superior facet of a side; in the coordinates of that side, with x outwards.
    pub(crate) fn upper_facet(&self, left: bool) -> &Facet {
        &self.side(left).upper
    }

    fn side(&self, left: bool) -> &SideParts {
        &self.sides[usize::from(!left)]
    }

    /// Signed level of the bone at a point: close to the distance within [`REACH`] of the surface, at most the distance farther away.
    #[inline]
    pub(crate) fn level(&self, p: P) -> f64 {
        let side = self.side(p[0] >= 0.0);
        self.level_of_side(side, [p[0].abs(), p[1], p[2]], f64::INFINITY)
    }

    /// The same where only a level below `most` is asked for: else any number from `most` up.
    #[inline]
    pub(crate) fn level_below(&self, p: P, most: f64) -> f64 {
        let side = self.side(p[0] >= 0.0);
        self.level_of_side(side, [p[0].abs(), p[1], p[2]], most)
    }

    /// The level on one side, with x outwards.
    pub(crate) fn level_at(&self, left: bool, p: P) -> f64 {
        self.level_of_side(self.side(left), p, f64::INFINITY)
    }

    /// The level on one side, exact where it is below `most`.
    fn level_of_side(&self, side: &SideParts, p: P, most: f64) -> f64 {
        let outside = self.bounds.distance(p);
        if outside > most.min(2.0 * REACH) {
            return outside;
        }
        let distances = side.boxes.all.distances(p);
        if self.kind == Kind::Lumbar {
            let nearest = distances.into_iter().fold(f64::INFINITY, f64::min);
            if nearest > most + SWELL {
                return nearest - SWELL;
            }
        }
        let [
            to_body,
            to_arch,
            to_spinous,
            to_pedicle,
            to_pars,
            to_superior,
            to_inferior,
            to_transverse,
        ] = distances;
        let m = &self.shape.middle;
        let mut bone = part(to_body, || body(&self.shape, self.kind, p));
        if self.kind == Kind::Lumbar {
            bone = join(bone, part(to_pedicle, || side.pedicle(&self.shape, p)), 4.0);
        }
        let mut arch = part(to_arch, || side.lamina(&self.shape, p));
        arch = join(arch, part(to_spinous, || spinous_process(&self.shape, p)), 4.0);
        if self.kind == Kind::Lumbar {
            arch = join(arch, part(to_pars, || side.pars(p)), 3.0);
        }
        arch = join(arch, part(to_superior, || side.superior(0.5 * m.canal_width, p)), 2.0);
        if self.kind == Kind::Lumbar {
            arch = join(arch, part(to_inferior, || side.inferior(m.lamina_z - 2.5, p)), 2.0);
        }
        bone = join(bone, arch, 3.0);
        match self.kind {
            Kind::Lumbar => join(bone, part(to_transverse, || side.transverse(p)), 1.5),
            Kind::Sacral => {
                // The rest of the sacrum is as large as its first body says.
                let size = m.top_half_width / sacrum::HALF_WIDTH;
                size * sacrum::add(bone / size, p.map(|x| x / size))
            }
        }
    }
}

impl SideParts {
    fn new(shape: &VertebraShape, s: &SideShape) -> Self {
        let m = &shape.middle;
        let (back_wall, canal) = (shape.back_wall(), 0.5 * m.canal_width);
        let (upper, lower) = (Facet::upper(s), Facet::lower(s));
        let front = (s.upper_y - s.front).max(back_wall + FORAMEN_DEPTH);
        let pars = (
            [s.upper_x + 1.5, s.upper_y - 2.5, s.pedicle_z - 2.0],
            [
                s.lower_x - 3.0,
                s.lower_y + 2.5,
                (s.lower_z + 10.25).min(m.lamina_z - 4.0),
            ],
        );
        let root = [canal + 5.0, s.root_y, s.root_z];
        let tip = [s.transverse_x, s.transverse_y, s.transverse_z];
        let y = s.upper_y - 5.5;
        let foot = [wall_x(s, y) + 0.5, y, s.pedicle_z - 5.0];
        let accessory = (foot, add(foot, [1.8, 2.5, -0.5]));
        let y = s.upper_y + s.mamillary;
        let mamillary = [wall_x(s, y) - 2.0, y, s.upper_z - 5.0];
        let half_pedicle = [0.5 * s.pedicle_width, 0.5 * s.pedicle_height];
        let pedicle_x = canal + half_pedicle[0];
        let pedicle = Bounds {
            low: [
                pedicle_x - half_pedicle[0] - 2.0,
                back_wall - 8.5,
                s.pedicle_z - half_pedicle[1],
            ],
            high: [
                pedicle_x + half_pedicle[0] + 11.0 * s.pedicle_slope.abs() + 1.0,
                back_wall + 10.5,
                s.pedicle_z + half_pedicle[1],
            ],
        };
        let superior = Bounds {
            low: [s.upper_x - 4.0, front - 0.5, -1.0],
            high: [
                wall_x(s, s.upper_y + s.mamillary.max(4.0) + 4.0) + 1.0,
                s.upper_y + s.upper_half_width.max(s.mamillary) + 3.5,
                s.upper_z + s.upper_half_height + 1.0,
            ],
        }
        .and(&Bounds::of_balls(&[(mamillary, 2.8)]));
        let inferior = [-1.0, 1.0]
            .into_iter()
            .flat_map(|along| [-1.0, 9.0].map(|across| (along, across)))
            .flat_map(|(along, across)| {
                [-lower.half_height - 1.0, m.lamina_z - 2.5 - s.lower_z]
                    .map(|up| lower.point(across, along * lower.half_width, up))
            })
            .fold(Bounds::EMPTY, Bounds::with);
        let transverse = Bounds::of_balls(&[
            (root, 1.3 * s.transverse_root),
            (tip, 1.3 * s.transverse_end),
            (accessory.0, 2.5),
            (accessory.1, 2.5),
        ]);
        Self {
            shape: *s,
            upper,
            lower,
            wall_sin_cos: s.wall_angle.to_radians().sin_cos(),
            front,
            pars,
            transverse: (root, tip),
            accessory,
            mamillary,
            boxes: SideBoxes {
                pedicle,
                pars: Bounds::of_balls(&[(pars.0, 4.4), (pars.1, 4.0)]),
                superior,
                inferior,
                transverse,
                all: EightBounds::new([&Bounds::EMPTY; 8]),
            },
        }
    }

    /// Where the lamina meets the articular pillar, (x, y).
    fn pillar(&self) -> [f64; 2] {
        [self.shape.upper_x - 0.5, self.shape.upper_y - 2.8]
    }

    fn pedicle(&self, shape: &VertebraShape, [x, y, z]: P) -> f64 {
        let s = &self.shape;
        let back_wall = shape.back_wall();
        let middle = 0.5 * (shape.middle.canal_width + s.pedicle_width) + s.pedicle_slope * (y - back_wall);
        let section = ellipse(
            x - middle,
            z - s.pedicle_z,
            0.5 * s.pedicle_width,
            0.5 * s.pedicle_height,
        );
        meet(section, (back_wall - 8.4 - y).max(y - back_wall - 10.5), 5.0)
    }

    /// From the lamina's middle plane, which goes on beyond its ends in height: the distance in the axial plane, negative in front, and
    /// the distance to its two ends.
    fn lamina_plane(&self, shape: &VertebraShape, [x, y, z]: P) -> (f64, f64) {
        let m = &shape.middle;
        // The plate slopes: its upper border lies further forward.
        let y = y + m.lamina_slope * (z - m.lamina_z);
        // From the articular pillar to the midline, in the axial plane.
        let [px, py] = self.pillar();
        let (ex, ey) = (-px, shape.back_wall() + m.canal_depth + 0.5 * m.lamina_thickness - py);
        let (qx, qy) = (x - px, y - py);
        let t = ((qx * ex + qy * ey) / (ex * ex + ey * ey)).clamp(0.0, 1.0);
        let (dx, dy) = (qx - t * ex, qy - t * ey);
        (
            (dx * dx + dy * dy).sqrt().copysign(qx * ey - qy * ex),
            (z - m.lamina_z).abs(),
        )
    }

    fn lamina(&self, shape: &VertebraShape, p: P) -> f64 {
        let m = &shape.middle;
        let (off, from_middle) = self.lamina_plane(shape, p);
        meet(
            off.abs() - 0.5 * m.lamina_thickness,
            from_middle - 0.5 * m.lamina_height,
            2.5,
        )
    }

    fn pars(&self, p: P) -> f64 {
        capsule(p, self.pars.0, self.pars.1, 4.4, 4.0)
    }

    fn superior(&self, half_canal: f64, p: P) -> f64 {
        let s = &self.shape;
        let (across, along, up) = self.upper.coordinates(p);
        let (sin, cos) = self.wall_sin_cos;
        let [x, y, z] = p;
        // The wall leans medially above the neck.
        let wall = cos * (x - s.upper_x - s.wall) - sin * (y - s.upper_y) + 0.18 * (z - s.upper_z).max(0.0);
        let facet = across + 0.5 * FACET_GAP;
        let anterior = self.front + FRONT_LEAN * (z - s.upper_z + 2.0).max(0.0) - y;
        let medial = (s.upper_x - 3.0).max(half_canal) - x;
        let posterior = along - s.upper_half_width + 0.5;
        let sides = meet(meet(wall, facet, 2.0), meet(anterior.max(medial), posterior, 2.0), 2.0);
        let process = meet(sides, (up - s.upper_half_height).max(-z), 4.0);
        let mamillary = self.mamillary;
        join(
            process,
            capsule(p, mamillary, add(mamillary, [-1.0, -1.0, 5.0]), 2.8, 2.2),
            2.0,
        )
    }

    fn inferior(&self, top: f64, p: P) -> f64 {
        let (across, along, up) = self.lower.coordinates(p);
        let facet = 0.5 * FACET_GAP - across;
        let back = across - 8.5;
        let sides = meet(meet(facet, back, 3.0), along.abs() - self.lower.half_width + 1.0, 3.0);
        let bottom = -self.lower.half_height - 0.5 - up;
        meet(sides, bottom.max(p[2] - top), 5.0)
    }

    fn transverse(&self, p: P) -> f64 {
        let s = &self.shape;
        // A blade, flatter from front to back the farther out, with its upper edge forward; a tall root is no thicker than others.
        let (root, tip) = self.transverse;
        let t = ((p[0] - root[0]) / (tip[0] - root[0])).clamp(0.0, 1.0);
        let flat = ((1.0 + 0.6 * t) * (s.transverse_root / ROOT_HALF_THICKNESS).max(1.0)).min(1.6);
        let (y, z) = (root[1] + t * (tip[1] - root[1]), root[2] + t * (tip[2] - root[2]));
        let (sin, cos) = BLADE_LEAN_SIN_COS;
        let across = (flat - 1.0) * (cos * (p[1] - y) + sin * (p[2] - z));
        let stretched = [p[0], p[1] + cos * across, p[2] + sin * across];
        let shaft = capsule(stretched, root, tip, s.transverse_root, s.transverse_end);
        join(shaft, capsule(p, self.accessory.0, self.accessory.1, 2.3, 1.7), 2.0)
    }

    pub(crate) fn mamillary(&self) -> P {
        self.mamillary
    }
}

impl Vertebra {
    /// Middle of the mamillary process of a side, inside the bone, with x outwards.
    pub(crate) fn mamillary(&self, left: bool) -> P {
        self.side(left).mamillary()
    }

    /// Distance in the axial plane from the lamina's middle plane, negative in front of it, whatever the height; `x` outwards.
    pub(crate) fn lamina_plate(&self, left: bool, p: P) -> f64 {
        self.side(left).lamina_plane(&self.shape, p).0
    }

    /// y and z of the middle line of the transverse process at a distance from the midline.
    pub(crate) fn transverse_line(&self, left: bool, x: f64) -> [f64; 2] {
        let (root, tip) = self.side(left).transverse;
        let share = (x - root[0]) / (tip[0] - root[0]);
        [1, 2].map(|a| root[a] + share * (tip[a] - root[a]))
    }

    /// End of the accessory process of a side, inside the bone, with x outwards.
    pub(crate) fn accessory(&self, left: bool) -> P {
        self.side(left).accessory.1
    }
}

impl Vertebra {
    /// A box outside of which one of a side's numbers changes nothing within a level of `within`; `x` outwards. The number is given by its
    /// place in [`SideShape::NAMES`].
    pub(crate) fn reach_of(&self, left: bool, number: usize, within: f64) -> Bounds {
        let b = &self.side(left).boxes;
        let name = SideShape::NAMES[number];
        let parts: &[&Bounds] = match name.split('_').next() {
            Some("pedicle") if name == "pedicle_z" => &[&b.pedicle, &b.pars, &b.transverse],
            Some("pedicle") => &[&b.pedicle],
            Some("transverse" | "root") => &[&b.transverse],
            Some("lower") => &[&b.inferior, &b.pars],
            Some("front" | "mamillary") => &[&b.superior],
            Some("wall") => &[&b.superior, &b.transverse],
            _ => &[&b.superior, &b.pars, &b.transverse, &self.arch_box, &self.spinous_box],
        };
        let margin = (within + MOST_FILLET).max(REACH);
        let all = parts.iter().fold(Bounds::EMPTY, |all, b| all.and(b));
        Bounds {
            low: all.low.map(|x| x - margin),
            high: all.high.map(|x| x + margin),
        }
    }
}

/// How far fillets may swell the bone beyond all of its parts, mm: a quarter of the widest, and of a second where three parts meet.
const SWELL: f64 = 2.0;

/// The widest fillet between two parts, mm, and a little more for the change of a box itself.
const MOST_FILLET: f64 = 4.5;

/// Depth of an end plate's hollow in its middle, mm.
const HOLLOW: f64 = 1.2;
/// Its mean depth over the inner two thirds of the midline, where the height of a disc is measured, mm.
pub(crate) const MEAN_HOLLOW: f64 = HOLLOW * (1.0 - 4.0 / 27.0);

/// Outline of a vertebral body and of the discs, in the axial plane: an ellipse whose posterior wall is flat to hollow.
pub(crate) fn outline(x: f64, y: f64, half_width: f64, half_depth: f64) -> f64 {
    let wall = 0.937 * half_depth + 0.008 * (x * x).min(196.0);
    meet(ellipse(x, y, half_width, half_depth), y - wall, 2.5)
}

fn body(shape: &VertebraShape, kind: Kind, [x, y, z]: P) -> f64 {
    let m = &shape.middle;
    let half = 0.5 * shape.height();
    // Share of the way from the middle to an end plate.
    let h = (z / half).clamp(-1.0, 1.0);
    let waist = 1.0 - m.waist * (1.0 - h * h);
    let t = 0.5 * (h + 1.0);
    let half_width = m.bottom_half_width + t * (m.top_half_width - m.bottom_half_width);
    let side = outline(x, y, half_width * waist, m.half_depth * waist);
    // End plates are hollow.
    let r = (x / half_width).powi(2) + (y / m.half_depth).powi(2);
    let hollow = HOLLOW * (1.0 - r.min(1.0));
    let top = half;
    let forward = (m.half_depth - y) / (2.0 * m.half_depth);
    let bottom = match kind {
        Kind::Lumbar => {
            let height = m.height_posterior + forward * (m.height_anterior - m.height_posterior);
            half - height + hollow
        }
        Kind::Sacral => -sacrum::BODY_HEIGHT + half,
    };
    meet(side, (z - top + hollow).max(bottom - z), 2.0)
}

fn spinous_process(shape: &VertebraShape, [x, y, z]: P) -> f64 {
    let m = &shape.middle;
    let start = shape.back_wall() + m.canal_depth + 2.0;
    let end = shape.back_wall() + m.canal_depth + m.spinous_length;
    let t = (y - start) / (end - start);
    let inside = t.clamp(0.0, 1.0);
    let middle = m.lamina_z - 1.5 - m.spinous_drop * inside;
    let half_height = 0.5 * m.spinous_height * (0.82 + 0.18 * inside);
    // Thin in its middle and above, thick at its end and below.
    let below = ((middle - z) / half_height).clamp(-1.0, 1.0);
    let half_thickness =
        0.5 * m.spinous_thickness * (1.0 - 0.35 * (1.0 - (2.0 * inside - 0.7).abs()).max(0.0) + 0.15 * below);
    let along = (start - 2.0 - y).max(y - end);
    meet(
        meet(x - half_thickness, (z - middle).abs() - half_height, 3.5),
        along,
        7.0,
    )
}
