//! From the problem in patient millimetres to grid and medium in metres.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3, geometry::perpendicular_pair};
use neurotome_physics::{
    grid::{Axis, FittedNeedle, Grid, Region, Sizing},
    medium::{Injectate as Fluid, Laid, Medium, MetalProperties},
};

use super::{DomainShape, LesionError, LesionProblem, Needle};

const MM: f64 = 1e-3;

/// The frame in which lesions are measured: that of the first needle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LesionFrame {
    /// With several needles, in their plane; else any direction across the needle.
    pub x: Vec3,
    /// With several needles, across their plane.
    pub y: Vec3,
    /// From the tip to the hub.
    pub z: Vec3,
}

impl LesionFrame {
    pub fn new(needles: &[Needle]) -> Self {
        let first = &needles[0];
        let direction = Vec3::from(first.direction);
        let (mut x, _) = perpendicular_pair(&direction);
        if let Some(bend) = first.bend {
            x = across(&direction, &Vec3::from(bend.towards)).unwrap_or(x);
        }
        if let Some(second) = needles.get(1)
            && let Some(side) = across(&direction, &(first.tip.vec() - second.tip.vec()))
        {
            x = side;
        }
        Self {
            x,
            y: -direction.cross(&x),
            z: -direction,
        }
    }
}

/// The part of `v` across `axis`, as a unit vector.
fn across(axis: &Vec3, v: &Vec3) -> Option<Vec3> {
    let side = v - axis * v.dot(axis);
    (side.norm() > 1e-6 * v.norm().max(1e-12)).then(|| side.normalize())
}

/// Grid and medium of a problem.
pub(super) struct Setup {
    pub grid: Arc<Grid>,
    pub medium: Medium,
}

impl Setup {
    /// Builds them.
    pub fn new(problem: &LesionProblem) -> Result<Self, LesionError> {
        let center = problem.domain.center.vec() * MM;
        let region = match problem.domain.shape {
            DomainShape::Box { half_mm } => Region::Box {
                center,
                half: Vec3::from(half_mm) * MM,
            },
            DomainShape::Cylinder {
                axis,
                radius_mm,
                half_length_mm,
            } => Region::Cylinder {
                center,
                axis: Vec3::from(axis),
                radius: radius_mm * MM,
                half_length: half_length_mm * MM,
            },
            DomainShape::Sphere { radius_mm } => Region::Sphere {
                center,
                radius: radius_mm * MM,
            },
        };
        let frame = LesionFrame::new(&problem.needles);
        let needles: Vec<FittedNeedle> = problem.needles.iter().map(|n| fitted(n, &frame)).collect();
        let metals: Vec<MetalProperties> = problem
            .needles
            .iter()
            .map(|n| MetalProperties {
                thermal_conductivity: n.metal.thermal_conductivity_w_per_m_k,
                heat_capacity: n.metal.density_kg_per_m3 * n.metal.specific_heat_j_per_kg_k,
            })
            .collect();
        let at = |p: &Vec3| problem.anatomy.tissue_at(&PatientPoint::from_vec(p / MM)).0;
        let sizing = Sizing::default().scaled(problem.solver.cell_size);
        let grid = Grid::new(region, &needles, &sizing, &at).map_err(|e| LesionError::Problem {
            step: "fitting the grid to the needles",
            found: e.to_string(),
            expected: "needles apart from each other and from the outer boundary".into(),
            advice: "move the needles or enlarge the domain".into(),
        })?;
        let blood = problem.blood.density_kg_per_m3 * problem.blood.specific_heat_j_per_kg_k;
        let fibre = |p: &Vec3| problem.anatomy.fibre_at(&PatientPoint::from_vec(p / MM));
        let share = |p: &Vec3| {
            let injectate = problem.injectate.as_ref();
            injectate.map_or(0.0, |i| i.share.share_at(&PatientPoint::from_vec(p / MM)))
        };
        let laid = Laid {
            tissue: &at,
            fibre: &fibre,
            injectate: problem.injectate.as_ref().map(|i| Fluid {
                share: &share,
                sigma_s_per_m: i.sigma_s_per_m,
                heat_capacity_j_per_m3_k: i.density_kg_per_m3 * i.specific_heat_j_per_kg_k,
            }),
        };
        let medium = Medium::new(&grid, &problem.tissues, &laid, &metals, blood);
        Ok(Self {
            grid: Arc::new(grid),
            medium,
        })
    }
}

fn fitted(needle: &Needle, frame: &LesionFrame) -> FittedNeedle {
    let radius = 0.5 * needle.outer_diameter_mm * MM;
    let direction = Vec3::from(needle.direction);
    let tip = needle.tip.vec() * MM;
    let axis = match needle
        .bend
        .and_then(|b| across(&direction, &Vec3::from(b.towards)).map(|side| (b, side)))
    {
        Some((bend, side)) if bend.angle_deg > 0.0 => Axis::bent(
            tip,
            direction,
            radius,
            bend.angle_deg.to_radians(),
            bend.length_mm * MM,
            side,
        ),
        _ => {
            let axis = Axis::straight(tip, direction, radius);
            // The angle zero lies in the plane of the needles, so that lattice lines meet the widest places.
            across(&direction, &frame.x).map_or(axis, |side| axis.with_side(side))
        }
    };
    FittedNeedle::rounded(axis, radius, needle.active_tip_mm * MM, needle.length_mm * MM)
}
