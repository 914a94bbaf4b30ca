//! The centre line of a needle, for placing it and for checks.

use neurotome_base::{Vec3, geometry::perpendicular_pair};
use neurotome_procedure::lesion::{Bend, Needle};

/// Pieces into which a bend is cut.
const ARC_PIECES: usize = 8;

/// From the start of the bend to the tip, for a shaft along the unit vector `shaft`; at `fraction` of the arc.
fn arc(shaft: &Vec3, bend: &Bend, fraction: f64) -> Vec3 {
    let angle = bend.angle_deg.to_radians();
    let towards = Vec3::from(bend.towards);
    let across = (towards - shaft * shaft.dot(&towards))
        .try_normalize(1e-9)
        .unwrap_or_else(|| perpendicular_pair(shaft).0);
    if angle.abs() < 1e-6 {
        return shaft * (bend.length_mm * fraction);
    }
    let radius = bend.length_mm / angle;
    let a = angle * fraction;
    shaft * (radius * a.sin()) + across * (radius * (1.0 - a.cos()))
}

/// Direction of the shaft of a needle whose tip lies at `tip` and whose shaft passes `entry`.
pub(super) fn shaft_direction(tip: &Vec3, entry: &Vec3, bend: Option<&Bend>) -> Option<Vec3> {
    let mut direction = (tip - entry).try_normalize(1e-9)?;
    if let Some(bend) = bend {
        // The start of the bend depends on the direction: a few rounds settle it, because the bend is short beside the shaft.
        for _ in 0..60 {
            direction = (tip - arc(&direction, bend, 1.0) - entry).try_normalize(1e-9)?;
        }
    }
    Some(direction)
}

/// Centre line from the tip to the hub, mm.
pub(super) fn center_line(needle: &Needle) -> Vec<Vec3> {
    let shaft = Vec3::from(needle.direction);
    let tip = needle.tip.vec();
    let mut line = vec![tip];
    let mut straight_mm = needle.length_mm;
    if let Some(bend) = &needle.bend {
        let start = tip - arc(&shaft, bend, 1.0);
        for piece in (0..ARC_PIECES).rev() {
            line.push(start + arc(&shaft, bend, piece as f64 / ARC_PIECES as f64));
        }
        straight_mm -= bend.length_mm;
    }
    let start = line[line.len() - 1];
    line.push(start - shaft * straight_mm.max(0.0));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curved_needle_passes_its_entry_and_ends_at_its_target() {
        let bend = Bend {
            angle_deg: 15.0,
            length_mm: 10.0,
            towards: [1.0, 0.0, 0.0],
        };
        let (tip, entry) = (Vec3::new(1.0, 2.0, 3.0), Vec3::new(4.0, -60.0, 30.0));
        let shaft = shaft_direction(&tip, &entry, Some(&bend)).unwrap();
        let start = tip - arc(&shaft, &bend, 1.0);
        let off = (entry - start) - shaft * (entry - start).dot(&shaft);
        assert!(off.norm() < 1e-9, "the entry is {:.2e} mm off the shaft", off.norm());
        // The last piece of the arc points 15° away from the shaft.
        let last = (arc(&shaft, &bend, 1.0) - arc(&shaft, &bend, 1.0 - 1e-6)).normalize();
        assert!((last.dot(&shaft).acos().to_degrees() - 15.0).abs() < 1e-3);
        // The length of the line is that of the needle.
        let needle = Needle {
            tip: neurotome_base::PatientPoint::from_vec(tip),
            direction: shaft.into(),
            outer_diameter_mm: 0.9,
            active_tip_mm: 10.0,
            length_mm: 100.0,
            bend: Some(bend),
            bevel: None,
            contacts: vec![],
            insulation_defects: vec![],
            skin_from_tip_mm: None,
            tines: vec![],
            coolant: None,
            potential_fraction: 1.0,
            thermocouple_from_tip_mm: 0.5,
            thermocouple_tine: None,
            metal: neurotome_procedure::lesion::Metal {
                thermal_conductivity_w_per_m_k: 16.2,
                density_kg_per_m3: 7900.0,
                specific_heat_j_per_kg_k: 500.0,
            },
        };
        let line = center_line(&needle);
        let length: f64 = line.windows(2).map(|w| (w[1] - w[0]).norm()).sum();
        assert!((length - 100.0).abs() < 0.01, "{length}");
    }
}
