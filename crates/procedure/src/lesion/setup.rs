//! From the problem in patient millimetres to grid and medium in metres.

use std::sync::Arc;

use neurotome_base::{PatientPoint, Vec3, geometry::perpendicular_pair};
use neurotome_physics::{
    grid::{Axis, Channel, Contact, End, FittedNeedle, Grid, Interpolator, Region, Sizing, Tine},
    medium::{Injectate as Fluid, Laid, Medium, MetalProperties},
};

use crate::anatomy::TissueId;

use super::{Bevel, DomainShape, LesionError, LesionProblem, Needle, skin::shaft_to_skin_mm};

const MM: f64 = 1e-3;

/// The frame in which lesions are measured: that of the first needle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct LesionFrame {
    /// With several needles, in their plane; else towards the bend, or to where the bevel opens, or any direction across the needle.
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
        } else if let Some(bevel) = first.bevel {
            x = across(&direction, &Vec3::from(bevel.towards)).unwrap_or(x);
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
pub(crate) struct Setup {
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
        let needles = fitted_needles(&problem.needles);
        let metals: Vec<MetalProperties> = problem
            .needles
            .iter()
            .map(|n| MetalProperties {
                thermal_conductivity: n.metal.thermal_conductivity_w_per_m_k,
                heat_capacity: n.metal.density_kg_per_m3 * n.metal.specific_heat_j_per_kg_k,
            })
            .collect();
        let at = |p: &Vec3| problem.anatomy.tissue_at(&PatientPoint::from_vec(p / MM)).0;
        let mut sizing = Sizing::default().scaled(problem.solver.cell_size);
        sizing.shaft = sizing.shaft.max(shaft_to_skin_mm(problem) * MM);
        let grid = Grid::new(region, &needles, &sizing, &at).map_err(|e| LesionError::Problem {
            step: "fitting the grid to the needles",
            found: e.to_string(),
            expected: "needles apart from each other and from the outer boundary".into(),
            advice: "move the needles or enlarge the domain".into(),
        })?;
        let blood = problem.blood.density_kg_per_m3 * problem.blood.specific_heat_j_per_kg_k;
        let fibre = |p: &Vec3| problem.anatomy.fibre_at(&PatientPoint::from_vec(p / MM));
        let share = |p: &Vec3, tissue: u8| {
            let injectate = problem.injectate.as_ref();
            injectate.map_or(0.0, |i| {
                i.share.share_at(&PatientPoint::from_vec(p / MM), TissueId(tissue))
            })
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

/// Needles as the grid sees them, in metres.
pub fn fitted_needles(needles: &[Needle]) -> Vec<FittedNeedle> {
    let frame = LesionFrame::new(needles);
    needles.iter().map(|n| fitted(n, &frame)).collect()
}

/// Length in mm of the rounded or bevelled end of a needle, all of which must be bare; tines and channels begin above it. A bevelled end
/// holds a piece of shaft above its heel, straight in a curved needle too.
pub fn end_length_mm(outer_diameter_mm: f64, bevel: Option<&Bevel>) -> f64 {
    end(bevel, 0.0).length(0.5 * outer_diameter_mm)
}

fn end(bevel: Option<&Bevel>, azimuth: f64) -> End {
    match bevel {
        None => End::Rounded,
        Some(b) => End::Bevel {
            angle: b.angle_deg.to_radians(),
            azimuth,
        },
    }
}

/// The axis of a needle in metres, from where its rounded or bevelled end begins.
pub(crate) fn needle_axis(needle: &Needle) -> Axis {
    let end = end_length_mm(needle.outer_diameter_mm, needle.bevel.as_ref()) * MM;
    let direction = Vec3::from(needle.direction);
    let tip = needle.tip.vec() * MM;
    match needle
        .bend
        .and_then(|b| across(&direction, &Vec3::from(b.towards)).map(|side| (b, side)))
    {
        Some((bend, side)) if bend.angle_deg > 0.0 => Axis::bent(
            tip,
            direction,
            end,
            bend.angle_deg.to_radians(),
            bend.length_mm * MM,
            side,
        ),
        _ => Axis::straight(tip, direction, end),
    }
}

fn fitted(needle: &Needle, frame: &LesionFrame) -> FittedNeedle {
    let radius = 0.5 * needle.outer_diameter_mm * MM;
    let mut axis = needle_axis(needle);
    let direction = Vec3::from(needle.direction);
    // The angle zero lies in the plane of the needles, of the bevel or of the first tine, so that lattice lines meet the widest places.
    let own = (needle.tines.first().map(|t| t.towards)).or(needle.bevel.map(|b| b.towards));
    let plane = own.map_or(frame.x, Vec3::from);
    if needle.bend.is_none_or(|b| b.angle_deg <= 0.0)
        && let Some(side) = across(&direction, &plane)
    {
        axis = axis.with_side(side);
    }
    let azimuth = |s: f64, towards: [f64; 3]| {
        let (_, _, e1, e2) = axis.at(s);
        let towards = Vec3::from(towards);
        towards.dot(&e2).atan2(towards.dot(&e1))
    };
    let end = end(
        needle.bevel.as_ref(),
        needle.bevel.map_or(0.0, |b| azimuth(0.0, b.towards)),
    );
    let end_length = end.length(radius);
    let contacts = needle
        .electrodes()
        .iter()
        .map(|e| Contact {
            from: e.from_mm * MM,
            to: e.to_mm * MM,
        })
        .collect();
    let tines = needle
        .tines
        .iter()
        .map(|t| {
            let from = t.from_tip_mm * MM;
            Tine {
                from,
                angle: t.angle_deg.to_radians(),
                azimuth: azimuth(from - end_length, t.towards),
                length: t.length_mm * MM,
                radius: 0.5 * t.diameter_mm * MM,
            }
        })
        .collect();
    FittedNeedle {
        axis,
        radius,
        end,
        contacts,
        length: needle.length_mm * MM,
        tines,
        coolant: needle.coolant.map(|c| Channel {
            radius: c.channel_radius_mm * MM,
            from: c.from_tip_mm * MM,
        }),
    }
}

/// Weights of cells whose sum is the temperature of a needle's thermocouple.
pub(super) fn thermocouple(
    problem: &LesionProblem,
    interpolator: &Interpolator,
    metal_share: f64,
    index: usize,
) -> Result<Vec<(usize, f64)>, LesionError> {
    let needle = &problem.needles[index];
    // Bodies of metal: the shafts of all needles, then the tines of each.
    let (body, axis, end) = if let Some(i) = needle.thermocouple_tine {
        let before: usize = problem.needles[..index].iter().map(|n| n.tines.len()).sum();
        let fitted = fitted(needle, &LesionFrame::new(&problem.needles));
        let tine = &fitted.tines[i];
        (problem.needles.len() + before + i, fitted.tine_axis(tine), tine.radius)
    } else {
        let end = end_length_mm(needle.outer_diameter_mm, needle.bevel.as_ref()) * MM;
        (index, needle_axis(needle), end)
    };
    let along = needle.thermocouple_from_tip_mm * MM - end;
    if needle.thermocouple_from_tip_mm >= 0.0 {
        let tissue = interpolator.grid().tissue_cells;
        return Ok(interpolator.on_axis(body, along).map(|(i, w)| (tissue + i, w)).to_vec());
    }
    let (start, tangent, _, _) = axis.at(0.0);
    interpolator
        .weights(&(start - tangent * along), metal_share)
        .ok_or_else(|| LesionError::Problem {
            step: "placing the thermocouple",
            found: format!(
                "{} mm beyond the distal end, outside the domain",
                -needle.thermocouple_from_tip_mm
            ),
            expected: "a place within the domain".into(),
            advice: "bring the thermocouple nearer to the needle".into(),
        })
}
