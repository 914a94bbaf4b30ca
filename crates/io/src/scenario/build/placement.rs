//! The region computed, and what must lie inside it.

use neurotome_base::geometry::distance_between_segments;
use neurotome_base::{PatientPoint, Vec3};
use neurotome_procedure::anatomy::TissueField;
use neurotome_procedure::lesion::{Domain, DomainShape, Needle};

use super::super::axis::center_line;
use super::super::locate::span_of;
use super::super::{DomainKind, DomainTable};
use super::{Builder, DEFAULT_HALF_MM, MARGIN_MM, Result, Tissues};

impl Builder<'_> {
    pub(super) fn domain(&self, d: &DomainTable, needles: &[Needle]) -> Result<Domain> {
        let center = if let Some(c) = d.center_mm {
            self.point("domain.center_mm", c)?
        } else {
            let sum: Vec3 = needles.iter().map(|n| n.tip.vec()).sum();
            PatientPoint::from_vec(sum / needles.len() as f64)
        };
        let half = |k: &str, v: Option<f64>| {
            self.within(&format!("domain.{k}"), v.unwrap_or(DEFAULT_HALF_MM), 5.0..=1000.0, "mm")
        };
        let shape = match d.shape.unwrap_or(DomainKind::Box) {
            DomainKind::Box => {
                for (k, given) in [
                    ("radius_mm", d.radius_mm.is_some()),
                    ("half_length_mm", d.half_length_mm.is_some()),
                    ("axis", d.axis.is_some()),
                ] {
                    self.unused(&format!("domain.{k}"), given, "for a box")?;
                }
                let half_mm = d.half_mm.unwrap_or([DEFAULT_HALF_MM; 3]);
                for h in half_mm {
                    half("half_mm", Some(h))?;
                }
                DomainShape::Box { half_mm }
            }
            DomainKind::Cylinder => {
                self.unused("domain.half_mm", d.half_mm.is_some(), "for a cylinder")?;
                DomainShape::Cylinder {
                    axis: self.direction("domain.axis", d.axis.unwrap_or([0.0, 0.0, 1.0]))?.into(),
                    radius_mm: half("radius_mm", d.radius_mm)?,
                    half_length_mm: half("half_length_mm", d.half_length_mm)?,
                }
            }
            DomainKind::Sphere => {
                for (k, given) in [
                    ("half_mm", d.half_mm.is_some()),
                    ("half_length_mm", d.half_length_mm.is_some()),
                    ("axis", d.axis.is_some()),
                ] {
                    self.unused(&format!("domain.{k}"), given, "for a sphere")?;
                }
                DomainShape::Sphere {
                    radius_mm: half("radius_mm", d.radius_mm)?,
                }
            }
        };
        Ok(Domain { center, shape })
    }

    pub(super) fn inside(&self, path: &str, what: &str, p: &PatientPoint, domain: &Domain) -> Result<()> {
        if domain.level_mm(&p.vec()) < 0.0 {
            return Ok(());
        }
        Err(self.fault(
            path,
            format!("{what} at {:?} mm lies outside the region computed", p.xyz),
            "move it, or enlarge or move [domain]",
        ))
    }

    /// Needles inside the domain, not in air, and apart from each other.
    pub(super) fn check_placement(
        &self,
        needles: &[Needle],
        domain: &Domain,
        anatomy: &dyn TissueField,
        tissues: &Tissues,
    ) -> Result<()> {
        let lines: Vec<Vec<Vec3>> = needles.iter().map(center_line).collect();
        for (i, needle) in needles.iter().enumerate() {
            let path = self.position_path(i);
            let active_end = point_along(&lines[i], needle.active_tip_mm);
            for (what, p) in [("tip", needle.tip.vec()), ("active tip's upper end", active_end)] {
                let level = domain.level_mm(&p);
                if level > -MARGIN_MM {
                    return Err(self.fault(
                        &path,
                        format!(
                            "the {what} of needle {} at [{:.1}, {:.1}, {:.1}] mm lies outside the region computed, or \
                             within {MARGIN_MM} mm of its surface",
                            i + 1,
                            p.x,
                            p.y,
                            p.z
                        ),
                        "move the needle, or enlarge or move [domain]",
                    ));
                }
            }
            let tissue = anatomy.tissue_at(&needle.tip);
            if tissues.names.get(usize::from(tissue.0)).is_some_and(|n| n == "air") {
                return Err(self.fault(
                    &path,
                    format!("the tip of needle {} at {:?} mm lies in air", i + 1, needle.tip.xyz),
                    "move it into tissue; positions are LPS millimetres, y grows towards the back",
                ));
            }
        }
        for j in 1..needles.len() {
            for i in 0..j {
                let apart = lines[i]
                    .windows(2)
                    .flat_map(|a| lines[j].windows(2).map(move |b| (a, b)))
                    .map(|(a, b)| distance_between_segments(&a[0], &a[1], &b[0], &b[1]))
                    .fold(f64::INFINITY, f64::min);
                let radii = 0.5 * (needles[i].outer_diameter_mm + needles[j].outer_diameter_mm);
                if apart < radii {
                    return Err(self.fault(
                        &self.position_path(j),
                        format!(
                            "needles {} and {} cross: their axes come within {apart:.2} mm, expected more than {radii:.2} mm",
                            i + 1,
                            j + 1
                        ),
                        "move one of them",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The key that places needle `i`.
    pub(super) fn position_path(&self, i: usize) -> String {
        ["tip_mm", "target_mm"]
            .iter()
            .map(|k| format!("needles[{i}].{k}"))
            .find(|p| {
                let (own, table) = (
                    span_of(&self.source.text, p),
                    span_of(&self.source.text, &format!("needles[{i}]")),
                );
                own != table
            })
            .unwrap_or_else(|| format!("needles[{i}]"))
    }
}

/// The point at `along_mm` from the start of a polyline.
fn point_along(line: &[Vec3], along_mm: f64) -> Vec3 {
    let mut rest = along_mm;
    for w in line.windows(2) {
        let length = (w[1] - w[0]).norm();
        if rest <= length && length > 0.0 {
            return w[0] + (w[1] - w[0]) * (rest / length);
        }
        rest -= length;
    }
    line.last().copied().unwrap_or_else(Vec3::zeros)
}
