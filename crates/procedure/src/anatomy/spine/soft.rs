//! What lies round the bones, from simple cross-sections along the column: skin, fat, muscles, vessels.

use neurotome_base::Vec3;

use super::super::{Level, VertebraFrame};
use super::solid::ellipse;

/// Cross-sections at one height, mm; all lateral positions count from the column, both sides alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Section {
    /// Middle of the column.
    pub center: Vec3,
    /// Half width of the vertebral bodies.
    pub body_half_width: f64,
    /// Back of the laminae, behind the middle of the body.
    pub lamina_y: f64,
    /// Half width and half depth of psoas.
    pub psoas: [f64; 2],
    /// Half depth of quadratus lumborum; 0 where there is none.
    pub quadratus: f64,
}

/// Soft parts of a person.
#[derive(Debug, Clone)]
pub(crate) struct SoftParts {
    /// Sections at the middles of the vertebral bodies, from below to above.
    sections: Vec<Section>,
    /// Where the fascia of the back lies, y.
    pub fascia_y: f64,
    /// Half axes of the trunk inside its fat, mm.
    trunk: [f64; 2],
    pub fat: f64,
    pub skin: f64,
    pub aorta_radius: f64,
    pub cava_radius: f64,
    /// Where the aorta divides, z.
    pub fork_z: f64,
}

/// Kinds of soft tissue outside the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Air,
    Skin,
    Fat,
    Multifidus,
    Erector,
    Psoas,
    Quadratus,
    Intertransverse,
    Wall,
    Viscera,
    Aorta,
    Cava,
}

/// Sizes that the soft parts need.
pub(crate) struct Sizes {
    pub size: f64,
    pub fat: f64,
    pub skin: f64,
    pub aorta_radius: f64,
    pub cava_radius: f64,
    /// Half width and half depth of psoas by level.
    pub psoas: Vec<(Level, [f64; 2])>,
}

impl SoftParts {
    /// From the frames of the vertebrae, the half widths of their bodies, the depth of their laminae, and the ends of their spinous processes.
    pub(crate) fn new(
        vertebrae: &[(Level, VertebraFrame, f64, f64)],
        spinous_tip_y: f64,
        fork_z: f64,
        sizes: &Sizes,
    ) -> Self {
        let mut sections: Vec<Section> = vertebrae
            .iter()
            .map(|(level, frame, half_width, lamina_y)| Section {
                center: frame.origin,
                body_half_width: *half_width,
                lamina_y: *lamina_y,
                psoas: sizes
                    .psoas
                    .iter()
                    .find(|(l, _)| l == level)
                    .map_or([0.0; 2], |(_, p)| *p),
                quadratus: match level {
                    Level::T12 | Level::L1 => 6.0,
                    Level::L2 => 8.0,
                    Level::L3 | Level::L4 => 10.0,
                    _ => 0.0,
                },
            })
            .collect();
        sections.reverse();
        Self {
            sections,
            fascia_y: spinous_tip_y + 2.0,
            trunk: [150.0 * sizes.size, 94.0 * sizes.size],
            fat: sizes.fat,
            skin: sizes.skin,
            aorta_radius: sizes.aorta_radius,
            cava_radius: sizes.cava_radius,
            fork_z,
        }
    }

    /// The section at a height.
    pub(crate) fn section(&self, z: f64) -> Section {
        let all = &self.sections;
        let n = all.len();
        let above = all.partition_point(|s| s.center.z < z).clamp(1, n - 1);
        let (a, b) = (&all[above - 1], &all[above]);
        // Beyond the ends the column goes on straight, its sizes stay.
        let t = (z - a.center.z) / (b.center.z - a.center.z);
        let inside = t.clamp(0.0, 1.0);
        let mix = |a: f64, b: f64| a + inside * (b - a);
        let beyond = t.clamp(-0.7, 1.7);
        Section {
            center: a.center + (b.center - a.center) * beyond,
            body_half_width: mix(a.body_half_width, b.body_half_width),
            lamina_y: mix(a.lamina_y, b.lamina_y),
            psoas: [mix(a.psoas[0], b.psoas[0]), mix(a.psoas[1], b.psoas[1])],
            quadratus: mix(a.quadratus, b.quadratus),
        }
    }

    /// Depth below the fascia of the trunk, first order in the distance; negative in the fat and outside.
    fn below_fascia(&self, x: f64, y: f64) -> f64 {
        let [a, b] = self.trunk;
        -ellipse(x, y - (self.fascia_y - b), a, b)
    }

    /// Half width of the trunk, and y of its front and back, mm.
    pub(crate) fn trunk_extent(&self) -> (f64, f64, f64) {
        let [a, b] = self.trunk;
        let all = self.fat + self.skin;
        (a + all, self.fascia_y - 2.0 * b - all, self.fascia_y + all)
    }

    /// Depth below the skin, mm; negative outside.
    pub(crate) fn depth(&self, x: f64, y: f64) -> f64 {
        let [a, b] = self.trunk;
        let all = self.fat + self.skin;
        -ellipse(x, y - (self.fascia_y - b), a + all, b + all)
    }

    /// The part at a point that is neither bone nor anything of the column; `s` is the section at its height.
    pub(crate) fn part(&self, p: &Vec3, s: &Section) -> Part {
        let depth = self.depth(p.x, p.y);
        if depth < self.skin {
            return if depth < 0.0 { Part::Air } else { Part::Skin };
        }
        let inner = self.below_fascia(p.x, p.y);
        if inner < 0.0 {
            return Part::Fat;
        }
        let (u, v) = (p.x - s.center.x, p.y - s.center.y);
        let au = u.abs();
        let inside = |x: f64, y: f64, cx: f64, cy: f64, a: f64, b: f64| {
            let (u, v) = ((x - cx) / a, (y - cy) / b);
            u * u + v * v <= 1.0
        };
        let front = s.lamina_y - 14.0;
        // Muscles of the back, between the laminae and the fascia, with a furrow in the midline.
        let lateral = front + 1.5 + 0.1 * au;
        let belly = 0.0035 * au * (76.0 - au).max(0.0);
        if v > lateral && au < 76.0 && p.y < self.fascia_y - 4.0 + belly && v > front {
            let edge = inside(au, v, 40.0, s.lamina_y + 8.0, 36.0, 24.0) || au < 40.0;
            if edge {
                return if au < 18.0 { Part::Multifidus } else { Part::Erector };
            }
            return Part::Fat;
        }
        if au > 19.0 && au < 43.0 && v > 15.0 && v <= lateral {
            return Part::Intertransverse;
        }
        let [pa, pb] = s.psoas;
        if pa > 1.0 && inside(au, v, s.body_half_width + 0.85 * pa, -1.0, pa, pb) {
            return Part::Psoas;
        }
        if s.quadratus > 1.0 && inside(au, v, 62.0, 16.0, 20.0, s.quadratus) {
            return Part::Quadratus;
        }
        let fork = p.z - self.fork_z;
        if fork > 0.0 {
            if inside(u, v, 9.0, -33.0, self.aorta_radius, self.aorta_radius) {
                return Part::Aorta;
            }
            if inside(u, v, -15.0, -31.0, self.cava_radius * 1.15, self.cava_radius * 0.85) {
                return Part::Cava;
            }
        } else {
            // Common iliac vessels: apart and outwards on their way down.
            let out = -0.55 * fork;
            let (ra, rc) = (0.62 * self.aorta_radius, 0.62 * self.cava_radius);
            let y = -32.0 - 0.05 * fork;
            if inside(u, v, 9.0 + out, y, ra, ra) || inside(u, v, 3.0 - out, y, ra, ra) {
                return Part::Aorta;
            }
            if inside(u, v, -14.0 - out, y + 6.0, rc, rc) || inside(u, v, -9.0 + out, y + 6.5, rc, rc) {
                return Part::Cava;
            }
        }
        if inner < 14.0 && v < 30.0 {
            return Part::Wall;
        }
        // Fat behind the peritoneum, then the organs as one.
        if inner > 18.0 && v < -46.0 + 0.004 * u * u {
            return Part::Viscera;
        }
        Part::Fat
    }
}
