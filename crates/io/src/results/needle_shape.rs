//! Needles as geometry: centre lines, signed distances and surfaces of all their metal.

use neurotome_base::{Vec3, geometry::perpendicular_pair};
use neurotome_physics::grid::{Axis, End, FittedNeedle};
use neurotome_procedure::lesion::{Needle, fitted_needles};

use super::surface::Mesh;

/// Longest piece of the centre line of a bend, mm.
const ARC_STEP_MM: f64 = 0.25;
/// Metres in a millimetre: physics works in metres.
const M_PER_MM: f64 = 1e-3;
/// Facets round a needle in its surface.
const FACETS: usize = 24;
/// Width of the rim of a bevel over which its shade turns from that of the face to that of the wall, part of the radius.
const RIM: f64 = 0.04;

/// A needle: its shaft and its tines.
#[derive(Debug, Clone)]
pub(crate) struct NeedleShape {
    shaft: Rod,
    tines: Vec<Rod>,
    /// Length of the active tip, mm.
    pub active_mm: f64,
    /// The side to which the first tine leaves or the bevel opens.
    pub side: Option<Vec3>,
}

/// A round piece of metal.
#[derive(Debug, Clone)]
struct Rod {
    /// Points of the centre line, distal first, mm: from the centre of a rounded end, or level with the point of a bevel.
    line: Vec<Vec3>,
    /// Length along the axis from the distal end of each point, mm.
    along_mm: Vec<f64>,
    /// Outer radius, mm.
    radius_mm: f64,
    /// Middle and outward normal of the face of a bevel.
    face: Option<(Vec3, Vec3)>,
    /// Bare metal, mm from the distal end.
    bare_mm: Vec<(f64, f64)>,
}

/// Signed distances in mm, negative inside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Distance {
    /// To the metal.
    pub metal_mm: f64,
    /// To the bare metal.
    pub bare_mm: f64,
}

/// Points round the axis with their normals, all at one length along it.
struct Ring {
    points: Vec<(Vec3, Vec3)>,
    along_mm: f64,
}

impl Rod {
    fn new(axis: &Axis, radius: f64, end: End, length: f64, bare: &[(f64, f64)]) -> Self {
        let (radius_mm, end_mm) = (radius / M_PER_MM, end.length(radius) / M_PER_MM);
        let last = (length / M_PER_MM).max(2.0 * end_mm);
        let mut along_mm = vec![end_mm];
        let arc_end = (end_mm + axis.arc() / M_PER_MM).min(last);
        if axis.arc() > 0.0 {
            let steps = ((arc_end - end_mm) / ARC_STEP_MM).ceil().clamp(4.0, 400.0) as usize;
            along_mm.extend((1..=steps).map(|i| end_mm + (arc_end - end_mm) * i as f64 / steps as f64));
        }
        if along_mm[along_mm.len() - 1] < last {
            along_mm.push(last);
        }
        if matches!(end, End::Bevel { .. }) {
            along_mm.insert(0, 0.0);
        }
        let at = |s: &f64| axis.at((s - end_mm) * M_PER_MM).0 / M_PER_MM;
        Self {
            line: along_mm.iter().map(at).collect(),
            along_mm,
            radius_mm,
            face: end.face(axis, radius).map(|(p, normal)| (p / M_PER_MM, normal)),
            bare_mm: bare.iter().map(|(from, to)| (from / M_PER_MM, to / M_PER_MM)).collect(),
        }
    }

    fn distance_mm(&self, p: &Vec3) -> Distance {
        let mut best = (f64::INFINITY, 0.0);
        for i in 1..self.line.len() {
            let (a, b) = (self.line[i - 1], self.line[i]);
            let d = b - a;
            let length_squared = d.norm_squared();
            let free = (p - a).dot(&d) / length_squared;
            let t = free.clamp(0.0, 1.0);
            let distance = (p - (a + d * t)).norm();
            if distance < best.0 {
                // Ahead of the first point lies the rounded end: there the parameter runs on below zero.
                let s = if i == 1 && free < 0.0 { free } else { t };
                best = (distance, self.along_mm[i - 1] + s * length_squared.sqrt());
            }
        }
        let above = self
            .face
            .map_or(f64::NEG_INFINITY, |(middle, normal)| (p - middle).dot(&normal));
        let metal_mm = (best.0 - self.radius_mm).max(above);
        let beyond = |&(from, to): &(f64, f64)| (from - best.1).max(best.1 - to);
        let insulation = self.bare_mm.iter().map(beyond).fold(f64::INFINITY, f64::min);
        Distance {
            metal_mm,
            bare_mm: metal_mm.max(insulation),
        }
    }

    /// The point of the axis at a length from the distal end, mm.
    fn point_at(&self, along_mm: f64) -> Vec3 {
        let i = (1..self.line.len() - 1)
            .find(|&i| self.along_mm[i] >= along_mm)
            .unwrap_or(self.line.len() - 1);
        let t = (along_mm - self.along_mm[i - 1]) / (self.along_mm[i] - self.along_mm[i - 1]);
        self.line[i - 1] + (self.line[i] - self.line[i - 1]) * t
    }

    /// Towards the hub.
    fn direction(&self, along_mm: f64) -> Vec3 {
        (self.point_at(along_mm + 0.05) - self.point_at(along_mm - 0.05)).normalize()
    }

    /// Lengths along the axis of the rings, with their radii.
    fn stations(&self) -> Vec<(f64, f64)> {
        let r = self.radius_mm;
        let mut stations: Vec<(f64, f64)> = Vec::new();
        if self.face.is_none() {
            for i in 1..=8 {
                let a = f64::from(i) * std::f64::consts::FRAC_PI_2 / 8.0;
                stations.push((r * (1.0 - a.cos()), r * a.sin()));
            }
        }
        stations.extend(self.along_mm[1..].iter().map(|&s| (s, r)));
        let (first, last) = (
            self.along_mm[1.min(self.along_mm.len() - 1)],
            self.along_mm[self.along_mm.len() - 1],
        );
        let least = if self.face.is_none() { r } else { first };
        let ends = self.bare_mm.iter().flat_map(|&(from, to)| [from, to]);
        stations.extend(ends.filter(|&s| s > least && s < last).map(|s| (s, r)));
        stations.sort_by(|a, b| a.0.total_cmp(&b.0));
        stations.dedup_by(|a, b| (a.0 - b.0).abs() < 1e-6);
        stations
    }

    /// Rings of a bevel: two on the face, the edge, and one on the wall.
    fn bevel_rings(&self, side: &Vec3, middle: &Vec3, normal: &Vec3) -> Vec<Ring> {
        let up = self.direction(0.0);
        let other = up.cross(side);
        let tip = self.point_at(0.0);
        let ring = |part: f64, risen: f64, wall: f64| Ring {
            along_mm: 0.0,
            points: (0..FACETS)
                .map(|f| {
                    let a = std::f64::consts::TAU * f as f64 / FACETS as f64;
                    let out = side * a.cos() + other * a.sin();
                    let across = tip + out * (part * self.radius_mm);
                    let s = (middle - across).dot(normal) / up.dot(normal) + risen;
                    (across + up * s, (normal * (1.0 - wall) + out * wall).normalize())
                })
                .collect(),
        };
        vec![
            ring(0.5, 0.0, 0.0),
            ring(1.0 - RIM, 0.0, 0.0),
            ring(1.0, 0.0, 0.5),
            ring(1.0, RIM * self.radius_mm, 1.0),
        ]
    }

    /// The rings of the surface, distal first, and the vertex before them.
    fn rings(&self) -> ((Vec3, Vec3), Vec<Ring>) {
        // Rings are carried along the line without twist: each takes the side vector of the one before.
        let mut side = perpendicular_pair(&self.direction(0.0)).0;
        let (pole, mut rings) = match &self.face {
            None => ((self.point_at(0.0), -self.direction(0.0)), vec![]),
            Some((middle, normal)) => ((*middle, *normal), self.bevel_rings(&side, middle, normal)),
        };
        for (s, radius) in self.stations() {
            let axis = self.direction(s);
            side = (side - axis * axis.dot(&side)).normalize();
            let other = axis.cross(&side);
            let center = self.point_at(s);
            let lean = if self.face.is_none() {
                ((self.radius_mm - s) / self.radius_mm).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let points = (0..FACETS)
                .map(|f| {
                    let a = std::f64::consts::TAU * f as f64 / FACETS as f64;
                    let out = side * a.cos() + other * a.sin();
                    (center + out * radius, (out - axis * lean).normalize())
                })
                .collect();
            rings.push(Ring { points, along_mm: s });
        }
        (pole, rings)
    }

    /// Adds the closed surface, and for each triangle whether it is bare.
    fn surface(&self, mesh: &mut Mesh, active: &mut Vec<bool>) {
        let first = mesh.positions.len() as u32;
        let (pole, rings) = self.rings();
        mesh.push(pole.0, pole.1);
        for (p, n) in rings.iter().flat_map(|r| &r.points) {
            mesh.push(*p, *n);
        }
        let hub = mesh.positions.len() as u32;
        let end = self.along_mm[self.along_mm.len() - 1];
        mesh.push(self.point_at(end), self.direction(end));
        let is_bare = |s: f64| self.bare_mm.iter().any(|&(from, to)| from < s && s < to);
        let vertex = |r: usize, f: usize| first + (1 + r * FACETS + f % FACETS) as u32;
        for f in 0..FACETS {
            mesh.triangles.push([first, vertex(0, f + 1), vertex(0, f)]);
            active.push(is_bare(1e-3));
        }
        for r in 1..rings.len() {
            let bare = is_bare((0.5 * (rings[r].along_mm + rings[r - 1].along_mm)).max(1e-3));
            for f in 0..FACETS {
                let (a, b) = (vertex(r - 1, f), vertex(r - 1, f + 1));
                let (c, d) = (vertex(r, f), vertex(r, f + 1));
                mesh.triangles.push([a, b, d]);
                mesh.triangles.push([a, d, c]);
                active.extend([bare, bare]);
            }
        }
        for f in 0..FACETS {
            let last = rings.len() - 1;
            mesh.triangles.push([hub, vertex(last, f), vertex(last, f + 1)]);
            active.push(false);
        }
    }
}

impl NeedleShape {
    /// The shapes of all needles, on the very axes with which the lesion is computed.
    pub fn all(needles: &[Needle]) -> Vec<Self> {
        let fitted = fitted_needles(needles);
        needles.iter().zip(&fitted).map(|(n, f)| Self::new(n, f)).collect()
    }

    fn new(needle: &Needle, fitted: &FittedNeedle) -> Self {
        let bare: Vec<(f64, f64)> = fitted.contacts.iter().map(|c| (c.from, c.to)).collect();
        let tine = |t| {
            let t: &neurotome_physics::grid::Tine = t;
            Rod::new(
                &fitted.tine_axis(t),
                t.radius,
                End::Rounded,
                t.length,
                &[(0.0, f64::INFINITY)],
            )
        };
        let towards = (needle.tines.first().map(|t| t.towards)).or(needle.bevel.map(|b| b.towards));
        Self {
            shaft: Rod::new(&fitted.axis, fitted.radius, fitted.end, fitted.length, &bare),
            tines: fitted.tines.iter().map(tine).collect(),
            active_mm: needle.active_tip_mm,
            side: towards.map(Vec3::from),
        }
    }

    /// Signed distances to the metal and to what is bare of it.
    pub fn distance(&self, p: &Vec3) -> Distance {
        self.tines
            .iter()
            .map(|t| t.distance_mm(p))
            .fold(self.shaft.distance_mm(p), |a, b| Distance {
                metal_mm: a.metal_mm.min(b.metal_mm),
                bare_mm: a.bare_mm.min(b.bare_mm),
            })
    }

    /// The point of the axis at a length from the distal end, mm.
    pub fn point_at(&self, along_mm: f64) -> Vec3 {
        self.shaft.point_at(along_mm)
    }

    /// The middle of the active tip.
    pub fn active_middle(&self) -> Vec3 {
        self.point_at(0.5 * self.active_mm)
    }

    /// Unit vector along the axis at the active tip, from the hub towards the tip.
    pub fn tip_direction(&self) -> Vec3 {
        (self.point_at(0.0) - self.point_at(self.active_mm)).normalize()
    }

    /// The centre lines of shaft and tines, distal first, mm.
    pub fn lines(&self) -> impl Iterator<Item = Vec<Vec3>> + '_ {
        std::iter::once(&self.shaft).chain(&self.tines).map(|r| {
            let mut line = r.line.clone();
            if let Some((middle, _)) = r.face {
                line[0] = middle;
            }
            line
        })
    }

    /// The distal ends of the tines, mm.
    pub fn tine_ends(&self) -> impl Iterator<Item = Vec3> + '_ {
        self.tines.iter().map(|t| t.point_at(0.0))
    }

    /// The surfaces of shaft and tines, each closed, and for each triangle whether it is bare.
    pub fn surface(&self) -> (Mesh, Vec<bool>) {
        let (mut mesh, mut active) = (Mesh::default(), Vec::new());
        for rod in std::iter::once(&self.shaft).chain(&self.tines) {
            rod.surface(&mut mesh, &mut active);
        }
        (mesh, active)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use neurotome_base::PatientPoint;
    use neurotome_procedure::lesion::{Bend, Metal};

    fn needle(bend: Option<Bend>) -> Needle {
        Needle {
            tip: PatientPoint::new(1.0, 2.0, 3.0),
            direction: [0.0, -1.0, 0.0],
            outer_diameter_mm: 1.0,
            active_tip_mm: 10.0,
            length_mm: 100.0,
            bend,
            bevel: None,
            contacts: vec![],
            insulation_defects: vec![],
            skin_from_tip_mm: None,
            tines: vec![],
            coolant: None,
            potential_fraction: 1.0,
            thermocouple_from_tip_mm: 1.0,
            thermocouple_tine: None,
            metal: Metal {
                thermal_conductivity_w_per_m_k: 15.0,
                density_kg_per_m3: 8000.0,
                specific_heat_j_per_kg_k: 500.0,
            },
        }
    }

    fn shape_of(needle: Needle) -> NeedleShape {
        NeedleShape::all(&[needle]).remove(0)
    }

    #[test]
    fn distance_of_a_straight_needle() {
        let shape = shape_of(needle(None));
        let d = shape.distance(&Vec3::new(1.0, 2.0, 3.0));
        assert!(
            d.metal_mm.abs() < 1e-12 && d.bare_mm.abs() < 1e-12,
            "the tip lies on the surface: {d:?}"
        );
        let d = shape.distance(&Vec3::new(4.0, 12.0, 3.0));
        assert!((d.metal_mm - 2.5).abs() < 1e-12 && (d.bare_mm - 2.5).abs() < 1e-12);
        // Two millimetres up the insulation.
        let d = shape.distance(&Vec3::new(1.0, 14.0, 3.0));
        assert!((d.metal_mm + 0.5).abs() < 1e-12 && (d.bare_mm - 2.0).abs() < 1e-12);
        assert!((shape.active_middle() - Vec3::new(1.0, 7.0, 3.0)).norm() < 1e-12);
    }

    #[test]
    fn a_bend_ends_at_the_tip_and_leaves_the_shaft_smoothly() {
        let shape = shape_of(needle(Some(Bend {
            angle_deg: 15.0,
            length_mm: 12.0,
            towards: [0.0, 0.0, 1.0],
        })));
        assert!((shape.point_at(0.0) - Vec3::new(1.0, 2.0, 3.0)).norm() < 2e-3);
        let tip = shape.tip_direction();
        assert!(tip.z > 0.1, "the tip leans towards the bend");
        let line = shape.lines().next().unwrap();
        let hub = line[line.len() - 1];
        let before = shape.point_at(13.0);
        assert!(((before - hub).normalize() - -Vec3::y()).norm() < 1e-9);
    }

    #[test]
    fn the_surface_is_closed_and_has_the_volume_of_a_rod() {
        let (mesh, active) = shape_of(needle(None)).surface();
        assert_eq!(active.len(), mesh.triangles.len());
        assert!(mesh.is_closed());
        let exact = std::f64::consts::PI * 0.25 * (99.5 + 0.5 * 2.0 / 3.0);
        assert!((mesh.volume_mm3() / exact - 1.0).abs() < 0.02, "{}", mesh.volume_mm3());
    }

    #[test]
    fn a_bevel_is_cut_and_closed() {
        let bevelled = Needle {
            bevel: Some(neurotome_procedure::lesion::Bevel {
                angle_deg: 30.0,
                towards: [1.0, 0.0, 0.0],
            }),
            ..needle(None)
        };
        let shape = shape_of(bevelled);
        let (mesh, active) = shape.surface();
        assert!(mesh.is_closed() && active.len() == mesh.triangles.len());
        // The cut cylinder is as long as its axis, 100 mm less radius over tan 30°.
        let exact = std::f64::consts::PI * 0.25 * (100.0 - 0.5 / 30f64.to_radians().tan());
        assert!((mesh.volume_mm3() / exact - 1.0).abs() < 0.02, "{}", mesh.volume_mm3());
        // The point stands opposite to the side on which the bevel opens.
        for (x, inside) in [(0.55, true), (1.45, false)] {
            let d = shape.distance(&Vec3::new(x, 2.0 + 0.25, 3.0));
            assert_eq!(d.metal_mm < 0.0, inside, "{d:?}");
        }
    }

    #[test]
    fn contacts_and_tines_are_bare() {
        use neurotome_procedure::lesion::{Contact, Tine};
        let shape = shape_of(Needle {
            contacts: vec![Contact {
                from_mm: 15.0,
                to_mm: 20.0,
                potential_fraction: 1.0,
            }],
            tines: vec![Tine {
                from_tip_mm: 5.0,
                angle_deg: 90.0,
                towards: [1.0, 0.0, 0.0],
                length_mm: 6.0,
                diameter_mm: 0.4,
            }],
            ..needle(None)
        });
        let at = |x: f64, along: f64| shape.distance(&Vec3::new(1.0 + x, 2.0 + along, 3.0));
        for (x, along, metal, bare) in [
            (0.0, 5.0, true, true),
            (0.0, 12.0, true, false),
            (0.0, 17.0, true, true),
            (0.0, 22.0, true, false),
            (4.0, 5.0, true, true),
            (4.0, 6.0, false, false),
        ] {
            let d = at(x, along);
            assert_eq!((d.metal_mm < 0.0, d.bare_mm < 0.0), (metal, bare), "{x} {along}: {d:?}");
        }
        let (mesh, active) = shape.surface();
        assert!(mesh.is_closed());
        let area = |bare: bool| -> f64 {
            mesh.triangles
                .iter()
                .zip(&active)
                .filter(|t| *t.1 == bare)
                .map(|(t, _)| {
                    let [a, b, c] = t.map(|i| mesh.positions[i as usize]);
                    0.5 * (b - a).cross(&(c - a)).norm()
                })
                .sum()
        };
        // Active tip, contact and the tine to the axis.
        let exact = std::f64::consts::PI * (1.0 * 15.0 + 0.4 * 6.0);
        assert!((area(true) / exact - 1.0).abs() < 0.02, "{} and {exact}", area(true));
    }
}
