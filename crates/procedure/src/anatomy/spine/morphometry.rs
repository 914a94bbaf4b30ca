//! From published sizes to the shape of each vertebra of a person.

use neurotome_base::random::Stream;

use super::super::Level;
use super::column::Joint;
use super::parameters::{Sex, SpineError, SpineParameters, Transition};
use super::shape::{MiddleShape, SideShape, VertebraShape, is_length};
use super::vertebra::{Facet, Kind, MEAN_HOLLOW, Vertebra};
use crate::catalog::{Catalog, SpineMeasure};

/// Least distance between the rims of two vertebral bodies, mm.
const LEAST_RIM_MM: f64 = 1.5;

/// Share of the variance of a number that all vertebrae of a person have in common.
const COMMON: f64 = 0.6;
/// Share of the variance of a side's numbers that both sides have in common.
const BOTH_SIDES: f64 = 0.8;

/// Published sizes as the catalogue gives them, for one sex.
#[derive(Debug, Clone)]
pub struct Morphometry<'a> {
    catalog: &'a Catalog,
    sex: Sex,
}

/// A person: shapes from above to below, the joint below each but the last, and the slope of the sacrum.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Person {
    pub shapes: Vec<(Level, VertebraShape)>,
    pub joints: Vec<Joint>,
    pub sacral_slope_deg: f64,
    /// Overall size, 1 for the mean of the sex.
    pub size: f64,
    pub fat_mm: f64,
}

impl<'a> Morphometry<'a> {
    /// The sizes of a sex.
    pub fn new(catalog: &'a Catalog, sex: Sex) -> Self {
        Self { catalog, sex }
    }

    /// A published mean, or that of the nearest level listed. L6 is like L5.
    pub(crate) fn at(&self, name: &'static str, level: Level) -> Result<f64, SpineError> {
        let asked = if level == Level::L6 { Level::L5 } else { level };
        let measure = self.catalog.spine_measure(name);
        let ratio = measure.and_then(|m| m.female_ratio).unwrap_or(1.0);
        // Pooled means lie half way between the sexes.
        let sex = match self.sex {
            Sex::Female => 2.0 * ratio / (1.0 + ratio),
            Sex::Male => 2.0 / (1.0 + ratio),
        };
        let nearest = |m: &SpineMeasure| {
            let mut levels = Level::ALL.to_vec();
            levels.sort_by_key(|l| (*l as i32 - asked as i32).abs());
            levels.into_iter().find_map(|l| m.at(l))
        };
        measure
            .and_then(nearest)
            .map(|v| v * sex)
            .ok_or(SpineError::Missing { name, level })
    }

    /// The mean vertebra of a level.
    ///
    /// # Errors
    /// [`SpineError::Missing`].
    pub fn vertebra(&self, level: Level) -> Result<VertebraShape, SpineError> {
        let sacral = level == Level::S1;
        let at = |name| self.at(name, level);
        // The sacrum has no lower end plate and no transverse processes.
        let lumbar = |name, of_sacrum: f64| if sacral { Ok(of_sacrum) } else { at(name) };
        let (top_width, top_depth) = (at("endplate_width_superior_mm")?, at("endplate_depth_superior_mm")?);
        let half_depth = 0.25 * (top_depth + lumbar("endplate_depth_inferior_mm", top_depth)?);
        let (anterior, posterior) = (at("body_height_anterior_mm")?, at("body_height_posterior_mm")?);
        let half = 0.25 * (anterior + posterior);
        let back_wall = 0.937 * half_depth;
        let canal_depth = at("canal_depth_mm")?;
        let middle = MiddleShape {
            top_half_width: 0.5 * top_width,
            bottom_half_width: 0.5 * lumbar("endplate_width_inferior_mm", 0.8 * top_width)?,
            half_depth,
            height_anterior: anterior,
            height_posterior: posterior,
            waist: 0.1,
            canal_width: at("interpedicular_distance_mm")?,
            canal_depth,
            lamina_height: at("lamina_height_mm")?,
            lamina_z: half - 9.0 - 0.5 * at("lamina_height_mm")?,
            lamina_thickness: at("lamina_thickness_mm")?,
            lamina_slope: 0.22,
            spinous_length: at("spinous_process_length_mm")?,
            spinous_height: at("spinous_process_height_mm")?,
            spinous_drop: at("spinous_process_length_mm")?
                * lumbar("spinous_process_slope_deg", 20.0)?.to_radians().tan(),
            spinous_thickness: lumbar("spinous_process_thickness_mm", 6.0)?,
        };
        let pedicle_height = at("pedicle_height_mm")?;
        let pedicle_z = half - 0.5 * pedicle_height - 0.5;
        let upper_x = 0.5 * at("superior_facet_distance_mm")?;
        let upper_y = back_wall + canal_depth - 2.0;
        let (tip, rise) = (0.5 * lumbar("transverse_process_span_mm", 80.0)?, 1.5);
        let root_y = back_wall + 8.0;
        let dorsal = lumbar("transverse_process_dorsal_angle_deg", 20.0)?.to_radians().tan();
        let height = lumbar("transverse_process_height_mm", 15.0)?;
        let side = SideShape {
            pedicle_width: at("pedicle_width_mm")?,
            pedicle_height,
            pedicle_z,
            pedicle_slope: at("pedicle_axial_angle_deg")?.to_radians().tan().min(0.25),
            transverse_x: tip - 0.3 * height,
            transverse_y: root_y + dorsal * (tip - 0.5 * middle.canal_width - 5.0),
            transverse_z: pedicle_z + rise,
            root_y,
            root_z: pedicle_z - 1.4,
            transverse_root: 4.2 + 0.15 * (height - 10.0),
            transverse_end: 0.33 * height,
            upper_x,
            upper_y,
            upper_z: half + 0.75,
            upper_angle: at("facet_angle_deg")?,
            upper_lean: 0.0,
            upper_half_width: 0.5 * at("facet_width_mm")?,
            upper_half_height: 0.5 * at("facet_height_mm")?,
            wall: 9.0,
            front: upper_y - back_wall - at("pedicle_length_mm")?,
            mamillary: 4.5,
            wall_angle: 22.0,
            lower_x: upper_x,
            lower_y: upper_y,
            lower_z: -half - 10.0,
            lower_angle: at("facet_angle_deg")?,
            lower_lean: 0.0,
            lower_half_width: 0.5 * at("facet_width_mm")?,
            lower_half_height: 0.5 * at("facet_height_mm")?,
        };
        Ok(VertebraShape {
            middle,
            left: side,
            right: side,
        })
    }

    /// The mean vertebra of a level, with inferior facets that meet those of the mean vertebra below.
    ///
    /// # Errors
    /// [`SpineError::Missing`].
    pub(crate) fn vertebra_with_joint(&self, level: Level) -> Result<VertebraShape, SpineError> {
        let person = self.person(&SpineParameters {
            sex: self.sex,
            ..SpineParameters::default()
        })?;
        let listed = if level == Level::L6 { Level::L5 } else { level };
        let placed = super::place(&person);
        let found = placed.iter().find(|v| v.level == listed);
        found.map_or_else(|| self.vertebra(level), |v| Ok(v.bone.shape))
    }

    /// The middle of the mean vertebra's bone in its own frame, mm.
    ///
    /// # Errors
    /// [`SpineError::Missing`].
    pub(crate) fn centroid(&self, level: Level) -> Result<neurotome_base::Vec3, SpineError> {
        let kind = if level == Level::S1 { Kind::Sacral } else { Kind::Lumbar };
        let bone = Vertebra::new(&self.vertebra_with_joint(level)?, kind);
        let bounds = bone.bounds();
        let (mut sum, mut count) = (neurotome_base::Vec3::zeros(), 0.0);
        let steps = |a: usize| ((bounds.high[a] - bounds.low[a]) / 2.0).ceil() as usize;
        for k in 0..steps(2) {
            for j in 0..steps(1) {
                for i in 0..steps(0) {
                    let p = [i, j, k];
                    let p: [f64; 3] = std::array::from_fn(|a| bounds.low[a] + 1.0 + 2.0 * p[a] as f64);
                    if bone.level(p) <= 0.0 {
                        sum += neurotome_base::Vec3::from(p);
                        count += 1.0;
                    }
                }
            }
        }
        Ok(sum / f64::max(count, 1.0))
    }

    /// The person that the parameters describe.
    ///
    /// # Errors
    /// [`SpineError`].
    pub(crate) fn person(&self, p: &SpineParameters) -> Result<Person, SpineError> {
        p.check()?;
        let stream = p.seed.map(|seed| Stream::new(seed).split(1));
        let normal = |n: u64| stream.as_ref().map_or(0.0, |s| s.normal(n));
        let stature_name = match p.sex {
            Sex::Female => "stature_female_mm",
            Sex::Male => "stature_male_mm",
        };
        let mean_stature = self.value(stature_name)?;
        // Sizes of vertebrae follow stature, and scatter by some per cent beside.
        let stature = p
            .stature_cm
            .map_or(mean_stature * (1.0 + 0.038 * normal(0)), |cm| 10.0 * cm);
        let size = (stature / mean_stature) * (1.0 + 0.03 * normal(1));
        let levels: &[Level] = match p.transition {
            Transition::SixLumbar => &[
                Level::T12,
                Level::L1,
                Level::L2,
                Level::L3,
                Level::L4,
                Level::L5,
                Level::L6,
                Level::S1,
            ],
            _ => &[
                Level::T12,
                Level::L1,
                Level::L2,
                Level::L3,
                Level::L4,
                Level::L5,
                Level::S1,
            ],
        };
        let mut shapes = Vec::with_capacity(levels.len());
        for level in levels {
            let mean = self.vertebra(*level)?;
            shapes.push((*level, vary(&mean, size, *level, stream.as_ref())));
        }
        for (level, shape) in &mut shapes {
            for side in [&mut shape.left, &mut shape.right] {
                side.wall += p.facet_hypertrophy_mm;
                side.upper_half_height += 0.5 * p.facet_hypertrophy_mm;
                side.upper_half_width += 0.5 * p.facet_hypertrophy_mm;
                if p.transition == Transition::BroadL5 && *level == Level::L5 {
                    side.transverse_end = 10.0;
                    side.transverse_x += 4.0;
                    side.transverse_z -= 4.0;
                }
            }
        }
        let n = shapes.len();
        let mut joints = Vec::with_capacity(n);
        for (i, (level, _)) in shapes.iter().enumerate().take(n - 1) {
            let loss = p
                .disc_loss
                .iter()
                .filter(|d| d.below == *level)
                .map(|d| d.share)
                .fold(0.0, f64::max);
            let height = self.at("disc_height_mm", *level)? * size * (1.0 + 0.12 * normal(100 + i as u64));
            let (coronal_deg, axial_deg) = p
                .scoliosis
                .map_or((0.0, 0.0), |s| curve(*level, s.cobb_deg, s.convex.sign()));
            joints.push(Joint {
                // Between the rims: the published mean holds the hollows of both end plates.
                height: (height.max(4.0) * (1.0 - loss) - 2.0 * MEAN_HOLLOW).max(LEAST_RIM_MM),
                wedge_deg: (self.at("disc_wedge_deg", *level)? + 1.5 * normal(200 + i as u64)) * (1.0 - 0.5 * loss),
                slip: p.slip.filter(|s| s.level == *level).map_or(0.0, |s| s.forward_mm),
                coronal_deg,
                axial_deg,
            });
        }
        // The lordosis asked for is shared out over discs in proportion to their own wedge, with some to those that have none.
        let lordosis = |joints: &[Joint]| -> f64 {
            let between = shapes.iter().zip(joints).filter(|((l, _), _)| *l >= Level::L1);
            between.map(|((_, s), j)| j.wedge_deg + s.wedge_deg()).sum()
        };
        let mean = lordosis(&joints);
        // The patient lies prone.
        let wanted = match p.lordosis_deg {
            Some(lordosis) => lordosis,
            None => self.value("prone_lordosis_l1_s1_deg")? + 7.0 * normal(300),
        };
        let weight = |j: &Joint| j.wedge_deg.max(0.0) + 4.0;
        let total: f64 = shapes
            .iter()
            .zip(&joints)
            .filter(|((l, _), _)| *l >= Level::L1)
            .map(|(_, j)| weight(j))
            .sum();
        for ((level, _), joint) in shapes.iter().zip(&mut joints) {
            if *level >= Level::L1 {
                joint.wedge_deg += (wanted - mean) * weight(joint) / total;
            }
        }
        let slope = self.value("sacral_slope_deg")? + 0.5 * (wanted - self.value("lordosis_l1_s1_deg")?);
        let fat = match p.back_fat_mm {
            Some(fat) => fat,
            None => self.at("subcutaneous_fat_mm", Level::L5)? * (1.0 + 0.3 * normal(400)).max(0.3),
        };
        Ok(Person {
            shapes,
            joints,
            sacral_slope_deg: slope,
            size,
            fat_mm: fat,
        })
    }

    pub(crate) fn value(&self, name: &'static str) -> Result<f64, SpineError> {
        self.catalog
            .spine_measure(name)
            .and_then(|m| m.value)
            .ok_or(SpineError::Missing { name, level: Level::S1 })
    }
}

/// Coronal tilt and axial rotation of a vertebra in a curve between T12 and L4 with its apex at L2, degrees.
fn curve(level: Level, cobb_deg: f64, convex: f64) -> (f64, f64) {
    let share = match level {
        Level::L6 => 0.25,
        Level::L3 | Level::L5 => 0.5,
        Level::L4 => 1.0,
        Level::L1 => -0.5,
        Level::T11 | Level::T12 => -1.0,
        Level::L2 | Level::S1 => 0.0,
    };
    // Convex to the left: going up the column first leans left, so the left side of L4 is down.
    (
        -0.5 * cobb_deg * share * convex,
        0.4 * cobb_deg * (1.0 - share * share) * convex,
    )
}

/// A person's own vertebra: larger or smaller as a whole, and each number off by its deviation.
fn vary(mean: &VertebraShape, size: f64, level: Level, stream: Option<&Stream>) -> VertebraShape {
    let middle = MiddleShape::NAMES.len();
    let side = SideShape::NAMES.len();
    let deviations = VertebraShape::deviations();
    let numbers: Vec<f64> = mean
        .to_vec()
        .into_iter()
        .enumerate()
        .map(|(i, v)| {
            let name = if i < middle {
                MiddleShape::NAMES[i]
            } else {
                SideShape::NAMES[(i - middle) % side]
            };
            let scaled = if is_length(name) { v * size } else { v };
            let Some(stream) = stream else { return scaled };
            // One draw for the person, one for the level, one for the side.
            let shared = if i < middle { i } else { middle + (i - middle) % side } as u64;
            let draw = |key: u64, n: u64| stream.split(key).normal(n);
            let person = COMMON.sqrt() * draw(1000, shared) + (1.0 - COMMON).sqrt() * draw(1001 + level as u64, shared);
            let z = if i < middle {
                person
            } else {
                BOTH_SIDES.sqrt() * person + (1.0 - BOTH_SIDES).sqrt() * draw(2001 + level as u64, i as u64)
            };
            scaled + deviations[i] * z.clamp(-2.5, 2.5)
        })
        .collect();
    let mut shape = VertebraShape::from_slice(&numbers).unwrap_or(*mean);
    // A process keeps some thickness, and a wall some bone.
    for s in [&mut shape.left, &mut shape.right] {
        s.wall = s.wall.max(6.0);
        s.pedicle_width = s.pedicle_width.max(4.5);
        s.upper_half_width = s.upper_half_width.max(4.0);
    }
    shape
}

/// Makes the inferior facets of the upper vertebra meet the superior ones of the lower one, which is given in the upper one's frame.
pub(crate) fn meet_facets(
    upper: &mut VertebraShape,
    lower: &VertebraShape,
    to_upper: impl Fn([f64; 3]) -> [f64; 3],
    direction_to_upper: impl Fn([f64; 3]) -> [f64; 3],
) {
    for left in [true, false] {
        let from = if left { &lower.left } else { &lower.right };
        let facet = Facet::upper(from);
        let out = if left { 1.0 } else { -1.0 };
        let mirror = |p: [f64; 3]| [out * p[0], p[1], p[2]];
        let center = mirror(to_upper(mirror(facet.center)));
        let normal = mirror(direction_to_upper(mirror(facet.normal)));
        let side = if left { &mut upper.left } else { &mut upper.right };
        [side.lower_x, side.lower_y, side.lower_z] = center;
        side.lower_lean = normal[2].asin().to_degrees();
        side.lower_angle = normal[1].atan2(-normal[0]).to_degrees();
        side.lower_half_width = from.upper_half_width;
        side.lower_half_height = from.upper_half_height;
    }
}
