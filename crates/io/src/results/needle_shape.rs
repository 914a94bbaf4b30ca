//! The needle as geometry: centre line, signed distance and surface.

use neurotome_base::{Vec3, geometry::perpendicular_pair};
use neurotome_physics::grid::Axis;
use neurotome_procedure::lesion::Needle;

use super::surface::Mesh;

/// Longest piece of the centre line of a bend, mm.
const ARC_STEP_MM: f64 = 0.25;
/// Metres in a millimetre: physics works in metres.
const M_PER_MM: f64 = 1e-3;
/// Facets round the needle in its surface.
const FACETS: usize = 24;

/// A needle's centre line from the centre of its rounded end to the hub, and its radius.
#[derive(Debug, Clone)]
pub(crate) struct NeedleShape {
    /// Points of the centre line, tip first, mm.
    line: Vec<Vec3>,
    /// Length along the axis from the distal end of each point, mm.
    along_mm: Vec<f64>,
    /// Outer radius, mm.
    pub radius_mm: f64,
    /// Length of the active tip, mm.
    pub active_mm: f64,
}

impl NeedleShape {
    /// The shape of a needle, on the very axis with which the lesion is computed.
    pub fn new(needle: &Needle) -> Self {
        let radius_mm = 0.5 * needle.outer_diameter_mm;
        let shaft = Vec3::from(needle.direction)
            .try_normalize(1e-9)
            .unwrap_or_else(|| -Vec3::y());
        let (tip, radius_m) = (needle.tip.vec() * M_PER_MM, radius_mm * M_PER_MM);
        let bend = needle.bend.filter(|b| b.angle_deg > 0.0).and_then(|b| {
            let towards = Vec3::from(b.towards);
            let side = (towards - shaft * shaft.dot(&towards)).try_normalize(1e-9)?;
            Some((b, side))
        });
        let axis = match bend {
            None => Axis::straight(tip, shaft, radius_m),
            Some((b, side)) => Axis::bent(
                tip,
                shaft,
                radius_m,
                b.angle_deg.to_radians(),
                b.length_mm * M_PER_MM,
                side,
            ),
        };
        let end = needle.length_mm.max(2.0 * radius_mm);
        let mut along_mm = vec![radius_mm];
        if let Some((b, _)) = bend {
            let arc_end = b.length_mm.clamp(2.0 * radius_mm, end);
            let steps = ((arc_end - radius_mm) / ARC_STEP_MM).ceil().clamp(4.0, 400.0) as usize;
            along_mm.extend((1..=steps).map(|i| radius_mm + (arc_end - radius_mm) * i as f64 / steps as f64));
        }
        if along_mm[along_mm.len() - 1] < end {
            along_mm.push(end);
        }
        let line = along_mm
            .iter()
            .map(|s| axis.at((s - radius_mm) * M_PER_MM).0 / M_PER_MM)
            .collect();
        Self {
            line,
            along_mm,
            radius_mm,
            active_mm: needle.active_tip_mm,
        }
    }

    /// Signed distance to the metal in mm (negative inside) and the length along the axis from the distal end, mm.
    pub fn distance_mm(&self, p: &Vec3) -> (f64, f64) {
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
        (best.0 - self.radius_mm, best.1)
    }

    /// The point of the axis at a length from the distal end, mm.
    pub fn point_at(&self, along_mm: f64) -> Vec3 {
        let i = (1..self.line.len() - 1)
            .find(|&i| self.along_mm[i] >= along_mm)
            .unwrap_or(self.line.len() - 1);
        let t = (along_mm - self.along_mm[i - 1]) / (self.along_mm[i] - self.along_mm[i - 1]);
        self.line[i - 1] + (self.line[i] - self.line[i - 1]) * t
    }

    /// The middle of the active tip.
    pub fn active_middle(&self) -> Vec3 {
        self.point_at(0.5 * self.active_mm)
    }

    /// Unit vector along the axis at the active tip, from the hub towards the tip.
    pub fn tip_direction(&self) -> Vec3 {
        (self.point_at(0.0) - self.point_at(self.active_mm)).normalize()
    }

    /// The centre line, tip first, mm.
    pub fn line(&self) -> &[Vec3] {
        &self.line
    }

    /// The needle's surface, closed, and for each triangle whether it belongs to the active tip.
    pub fn surface(&self) -> (Mesh, Vec<bool>) {
        let mut stations: Vec<(f64, f64)> = Vec::new(); // (along, ring radius)
        for i in 1..=8 {
            let a = f64::from(i) * std::f64::consts::FRAC_PI_2 / 8.0;
            stations.push((self.radius_mm * (1.0 - a.cos()), self.radius_mm * a.sin()));
        }
        stations.extend(self.along_mm[1..].iter().map(|&s| (s, self.radius_mm)));
        if self.active_mm > self.radius_mm {
            stations.push((self.active_mm, self.radius_mm));
        }
        stations.sort_by(|a, b| a.0.total_cmp(&b.0));
        stations.dedup_by(|a, b| (a.0 - b.0).abs() < 1e-6);

        // Rings are carried along the line without twist: each takes the side vector of the one before.
        let mut mesh = Mesh::default();
        let mut active = Vec::new();
        let direction = |s: f64| (self.point_at(s + 0.05) - self.point_at(s - 0.05)).normalize();
        let mut side = perpendicular_pair(&direction(0.0)).0;
        mesh.push(self.point_at(0.0), -direction(0.0));
        for &(s, ring) in &stations {
            let axis = direction(s);
            side = (side - axis * axis.dot(&side)).normalize();
            let other = axis.cross(&side);
            let center = self.point_at(s);
            for f in 0..FACETS {
                let a = std::f64::consts::TAU * f as f64 / FACETS as f64;
                let out = side * a.cos() + other * a.sin();
                let lean = ((self.radius_mm - s) / self.radius_mm).clamp(0.0, 1.0);
                mesh.push(center + out * ring, (out - axis * lean).normalize());
            }
        }
        let hub = mesh.positions.len() as u32;
        let end = self.along_mm[self.along_mm.len() - 1];
        mesh.push(self.point_at(end), direction(end));
        let ring_vertex = |r: usize, f: usize| (1 + r * FACETS + f % FACETS) as u32;
        for f in 0..FACETS {
            mesh.triangles.push([0, ring_vertex(0, f + 1), ring_vertex(0, f)]);
            active.push(true);
        }
        for r in 1..stations.len() {
            let is_active = 0.5 * (stations[r].0 + stations[r - 1].0) < self.active_mm;
            for f in 0..FACETS {
                let (a, b) = (ring_vertex(r - 1, f), ring_vertex(r - 1, f + 1));
                let (c, d) = (ring_vertex(r, f), ring_vertex(r, f + 1));
                mesh.triangles.push([a, b, d]);
                mesh.triangles.push([a, d, c]);
                active.extend([is_active, is_active]);
            }
        }
        for f in 0..FACETS {
            let last = stations.len() - 1;
            mesh.triangles
                .push([hub, ring_vertex(last, f), ring_vertex(last, f + 1)]);
            active.push(false);
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

    #[test]
    fn distance_of_a_straight_needle() {
        let shape = NeedleShape::new(&needle(None));
        let (d, s) = shape.distance_mm(&Vec3::new(1.0, 2.0, 3.0));
        assert!(
            d.abs() < 1e-12 && s.abs() < 1e-12,
            "the tip lies on the surface: {d} {s}"
        );
        let (d, s) = shape.distance_mm(&Vec3::new(4.0, 12.0, 3.0));
        assert!((d - 2.5).abs() < 1e-12 && (s - 10.0).abs() < 1e-12);
        assert!((shape.active_middle() - Vec3::new(1.0, 7.0, 3.0)).norm() < 1e-12);
    }

    #[test]
    fn a_bend_ends_at_the_tip_and_leaves_the_shaft_smoothly() {
        let shape = NeedleShape::new(&needle(Some(Bend {
            angle_deg: 15.0,
            length_mm: 12.0,
            towards: [0.0, 0.0, 1.0],
        })));
        assert!((shape.point_at(0.0) - Vec3::new(1.0, 2.0, 3.0)).norm() < 2e-3);
        let tip = shape.tip_direction();
        assert!(tip.z > 0.1, "the tip leans towards the bend");
        let hub = shape.line()[shape.line().len() - 1];
        let before = shape.point_at(13.0);
        assert!(((before - hub).normalize() - -Vec3::y()).norm() < 1e-9);
    }

    #[test]
    fn the_surface_is_closed_and_has_the_volume_of_a_rod() {
        let (mesh, active) = NeedleShape::new(&needle(None)).surface();
        assert_eq!(active.len(), mesh.triangles.len());
        assert!(mesh.is_closed());
        let exact = std::f64::consts::PI * 0.25 * (99.5 + 0.5 * 2.0 / 3.0);
        assert!((mesh.volume_mm3() / exact - 1.0).abs() < 0.02, "{}", mesh.volume_mm3());
    }
}
