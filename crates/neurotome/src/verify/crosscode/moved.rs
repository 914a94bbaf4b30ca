//! A case in another place: needle and anatomy turned together to an odd angle and shifted by an odd vector see the same physics on
//! another grid.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3, geometry::Mat3};
use neurotome_physics::tissue::TissueProperties;
use neurotome_procedure::{
    anatomy::{
        TissueField, TissueId,
        phantom::{Fibres, Phantom, Region, Shape},
    },
    lesion::{Bend, Bevel, Contour, DomainShape, LesionProblem, Snapshot, solve},
};

use super::{super::Report, problem};

const SOURCE: &str = "the same case unturned and unshifted: physics has no place";
/// Largest deviation of all quantities but volumes, relative; of temperatures relative to the hottest probe's rise.
const PART: f64 = 0.005;
/// Sizes below this are compared as if they were as large, mm.
const SHORT_MM: f64 = 2.0;

/// An anatomy in another place.
struct Moved {
    inner: Arc<dyn TissueField>,
    rotation: Mat3,
    shift: Vec3,
}

impl TissueField for Moved {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        self.inner.tissue_at(&PatientPoint::from_vec(
            self.rotation.transpose() * (p.vec() - self.shift),
        ))
    }

    fn fibre_at(&self, p: &PatientPoint) -> Vec3 {
        let before = PatientPoint::from_vec(self.rotation.transpose() * (p.vec() - self.shift));
        self.rotation * self.inner.fibre_at(&before)
    }
}

/// The matrix that turns by an angle in radians round a unit vector (Rodrigues).
pub(super) fn rotation(axis: &Vec3, angle: f64) -> Mat3 {
    let cross = axis.cross_matrix();
    Mat3::identity() + cross * angle.sin() + cross * cross * (1.0 - angle.cos())
}

/// The problem turned round the origin and then shifted, in mm. Boxes stand along the axes and cannot turn.
fn moved(problem: &LesionProblem, rotation: Mat3, shift: Vec3) -> LesionProblem {
    let mut out = problem.clone();
    let turned = |v: [f64; 3]| -> [f64; 3] { (rotation * Vec3::from(v)).into() };
    let place = |p: PatientPoint| PatientPoint::from_vec(rotation * p.vec() + shift);
    out.anatomy = Arc::new(Moved {
        inner: Arc::clone(&problem.anatomy),
        rotation,
        shift,
    });
    out.domain.center = place(out.domain.center);
    if let DomainShape::Cylinder { axis, .. } = &mut out.domain.shape {
        *axis = turned(*axis);
    }
    for needle in &mut out.needles {
        needle.tip = place(needle.tip);
        needle.direction = turned(needle.direction);
        if let Some(bend) = &mut needle.bend {
            bend.towards = turned(bend.towards);
        }
        if let Some(bevel) = &mut needle.bevel {
            bevel.towards = turned(bevel.towards);
        }
    }
    for probe in &mut out.probes {
        probe.position = place(probe.position);
    }
    out
}

/// Case A with the same frame for contours in every place: a bend of no angle says where x is.
fn case_a() -> Result<LesionProblem, String> {
    let text = include_str!("../../../../../validation/crosscode/field/case-a.toml");
    let mut p = problem("case-a.toml", text)?;
    p.needles[0].bend = Some(Bend {
        angle_deg: 0.0,
        length_mm: 1.0,
        towards: [1.0, 0.0, 0.0],
    });
    Ok(p)
}

/// One kind of value: its name, each place's value as it stands and as it is moved, and what a whole deviation is.
type Rows = Vec<(&'static str, Vec<(String, f64, f64, f64)>)>;

fn deviations(still: &[Snapshot], moved: &[Snapshot], initial_c: f64) -> Rows {
    let mut rows: Rows = [
        "impedance in Ω",
        "power in W",
        "width of a contour across in mm",
        "width of a contour along x in mm",
        "length of a contour in mm",
        "temperature in °C (part of the hottest probe's rise)",
    ]
    .map(|name| (name, Vec::new()))
    .into();
    for (a, b) in still.iter().zip(moved) {
        let at = format!("at {} s", a.t_s);
        if a.power_w > 0.0 {
            let (z, p) = (a.impedance_ohm, a.power_w);
            rows[0].1.push((at.clone(), b.impedance_ohm, z, z));
            rows[1].1.push((at.clone(), b.power_w, p, p));
        }
        for (name, x, y) in [
            ("45 °C", a.contours.iso45, b.contours.iso45),
            ("50 °C", a.contours.iso50, b.contours.iso50),
            ("60 °C", a.contours.iso60, b.contours.iso60),
            ("Ω = 1", a.contours.omega1, b.contours.omega1),
        ] {
            let sizes: [fn(&Contour) -> f64; 3] = [|c| c.width_mm, |c| c.width_x_mm, |c| c.length_mm];
            for (row, size) in rows[2..5].iter_mut().zip(sizes) {
                let (x, y) = (x.as_ref().map_or(0.0, size), y.as_ref().map_or(0.0, size));
                if x > 0.0 || y > 0.0 {
                    row.1.push((format!("{name} {at}"), y, x, x.max(SHORT_MM)));
                }
            }
        }
        let rise = a.probes.values().fold(0.0f64, |m, t| m.max(t - initial_c));
        for (name, t) in &a.probes {
            let other = b.probes.get(name).copied().unwrap_or(f64::NAN);
            rows[5].1.push((format!("{name} {at}"), other, *t, rise));
        }
    }
    rows
}

fn compare(report: &mut Report, case: &str, still: Result<LesionProblem, String>) {
    let rotation = rotation(&Vec3::new(0.48, -0.6, 0.64), 1.13);
    let shift = Vec3::new(3.17, -7.31, 1.93);
    let claim = format!("case {case} turned by 65° round an odd axis and shifted by 8 mm");
    let run = |p: &LesionProblem| {
        solve(p, &mut |_| !report.stopped())
            .map(|r| (r.snapshots, r.evidence.cells))
            .map_err(|e| e.to_string())
    };
    let both = still.and_then(|p| Ok((run(&p)?, run(&moved(&p, rotation, shift))?, p.initial_temperature_c)));
    let ((still, cells), (elsewhere, cells_elsewhere), initial_c) = match both {
        Ok(b) => b,
        Err(e) => return report.failed(claim, e, SOURCE),
    };
    for (what, values) in deviations(&still, &elsewhere, initial_c) {
        let part = |v: &(String, f64, f64, f64)| {
            let d = ((v.1 - v.2) / v.3).abs();
            if d.is_nan() { f64::INFINITY } else { d }
        };
        let Some(worst) = values.iter().max_by(|a, b| part(a).total_cmp(&part(b))) else {
            continue;
        };
        report.within(
            format!(
                "{claim}, {cells} and {cells_elsewhere} cells: {what} within 0.5 %; worst of {}: {}",
                values.len(),
                worst.0
            ),
            worst.1,
            worst.2,
            PART * worst.3,
            SOURCE,
        );
    }
}

pub(super) fn homogeneous(report: &mut Report) {
    compare(report, "A", case_a());
}

/// A quarter of the run, for the cases that only `--full` follows to the end.
fn shortened(report: &Report, mut p: LesionProblem) -> LesionProblem {
    if !report.full() {
        (p.heating_s, p.cooling_s) = (15.0, 0.0);
        p.output_times_s = vec![5.0, 15.0];
    }
    p
}

pub(super) fn beside_bone(report: &mut Report) {
    let still = case_a().map(|mut p| {
        let bone = TissueProperties {
            sigma_s_per_m: 0.0223,
            thermal_conductivity_w_per_m_k: 0.32,
            density_kg_per_m3: 1908.0,
            specific_heat_j_per_kg_k: 1313.0,
            perfusion_per_s: 0.0,
            ..p.tissues[0]
        };
        p.tissues.push(bone);
        p.tissue_names.push("bone".to_owned());
        p.anatomy = Arc::new(Phantom {
            background: TissueId(0),
            regions: vec![Region::Solid {
                shape: Shape::HalfSpace {
                    point: Vec3::x() * (0.454 + 0.5),
                    normal: Vec3::x(),
                },
                tissue: TissueId(1),
            }],
            fibres: Fibres::default(),
        });
        shortened(report, p)
    });
    compare(report, "A with bone (σ 20:1) from 0.5 mm beside the needle on", still);
}

pub(super) fn bevelled(report: &mut Report) {
    let still = case_a().map(|mut p| {
        p.needles[0].bevel = Some(Bevel {
            angle_deg: 20.0,
            towards: [-1.0, 0.0, 0.0],
        });
        shortened(report, p)
    });
    compare(report, "A with a bevel of 20°", still);
}

pub(super) fn slanted_fibres(report: &mut Report) {
    let still = case_a().map(|mut p| {
        p.tissues[0].sigma_fibre_ratio = 2.0;
        let tilt = 35f64.to_radians();
        p.anatomy = Arc::new(Phantom {
            background: TissueId(0),
            regions: vec![],
            fibres: Fibres {
                direction: Vec3::new(tilt.sin(), 0.0, tilt.cos()),
                turn: None,
            },
        });
        shortened(report, p)
    });
    compare(report, "A with fibres (σ 2:1) at 35° to the needle", still);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotations_keep_lengths_and_their_axis() {
        let axis = Vec3::new(0.48, -0.6, 0.64);
        let m = rotation(&axis, 1.13);
        assert!((axis.norm() - 1.0).abs() < 1e-12);
        assert!((m.transpose() * m - Mat3::identity()).norm() < 1e-12);
        assert!((m * axis - axis).norm() < 1e-12);
        let quarter = rotation(&Vec3::z(), std::f64::consts::FRAC_PI_2);
        assert!((quarter * Vec3::x() - Vec3::y()).norm() < 1e-12);
    }

    #[test]
    fn an_anatomy_moves_with_the_needle() {
        let mut p = case_a().unwrap();
        p.anatomy = Arc::new(Phantom {
            background: TissueId(0),
            regions: vec![Region::Solid {
                shape: Shape::HalfSpace {
                    point: Vec3::x(),
                    normal: Vec3::x(),
                },
                tissue: TissueId(1),
            }],
            fibres: Fibres::default(),
        });
        let m = rotation(&Vec3::new(0.48, -0.6, 0.64), 1.13);
        let shift = Vec3::new(1.0, 2.0, 3.0);
        let other = moved(&p, m, shift);
        for q in [Vec3::new(0.9, 5.0, -3.0), Vec3::new(1.1, -5.0, 3.0)] {
            let there = PatientPoint::from_vec(m * q + shift);
            assert_eq!(
                other.anatomy.tissue_at(&there),
                p.anatomy.tissue_at(&PatientPoint::from_vec(q))
            );
            assert!((other.anatomy.fibre_at(&there) - m * Vec3::z()).norm() < 1e-12);
        }
        assert!((other.needles[0].tip.vec() - (m * p.needles[0].tip.vec() + shift)).norm() < 1e-12);
    }
}
