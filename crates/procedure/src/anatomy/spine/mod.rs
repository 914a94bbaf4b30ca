//! The built-in patient: a lumbar spine from T12 to the sacrum with its nerves and what lies round it, built from published sizes.
//!
//! The frame is patient LPS in millimetres: `x` to the patient's left, `y` posterior, `z` superior. The origin lies in the middle of the L4–L5
//! disc (L5–L6 where there is an L6). Bones are smooth implicit solids with some sixty numbers a vertebra ([`shape`]); the same numbers are
//! what a CT is fitted with. Lordosis is that of a person lying prone. The organs of the abdomen are one soft mass, the ribs above the
//! twelfth, the hip below the acetabulum and the thorax are not there.
//!
//! By the usual numbering the **L4** medial branch crosses the junction of superior articular and transverse process of **L5**, and the L3
//! medial branch that of L4; the two together supply the L4–L5 facet joint.

mod axial;
mod column;
mod dura;
mod image;
mod lateral;
mod loose;
mod morphometry;
pub(crate) mod nerves;
mod parallel;
mod parameters;
mod sacrum;
pub mod shape;
mod soft;
pub(crate) mod solid;
mod solids;
mod structure;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub(crate) mod vertebra;

use neurotome_base::{PatientPoint, Vec3};

pub use image::{Hounsfield, Scanner};
pub use morphometry::Morphometry;
pub use parallel::{ApproachAngles, ParallelPose, approach_angles, parallel_needle};
pub use parameters::{DiscLoss, Scoliosis, Sex, Slip, SpineError, SpineParameters, Transition};
pub use solids::Solid;
pub use structure::Structure;

use self::axial::Axial;
use self::dura::dural_sac;
use self::loose::{Loose, pelvis_and_ribs, screws};
use self::morphometry::{Person, meet_facets};
use self::nerves::{SideMarks, marks};
use self::soft::{Part, Section, Sizes, SoftParts};
use self::solid::{Bounds, P};
use self::vertebra::{Kind, Vertebra};
use super::{Course, KeepOut, Level, NerveKind, Patient, Side, Spread, TissueField, TissueId, VertebraFrame};
use crate::catalog::Catalog;

/// Bones farther away than this are not looked at, mm.
const NEAR: f64 = 8.0;
/// Thickness of the slabs in which bones and other parts are sorted, mm.
const SLAB: f64 = 4.0;

/// Where each kind of tissue stands in the run's tissue table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TissueIds {
    /// Muscle, and the organs.
    pub muscle: TissueId,
    /// Fat.
    pub fat: TissueId,
    /// Skin.
    pub skin: TissueId,
    /// Compact bone.
    pub cortical_bone: TissueId,
    /// Spongy bone.
    pub cancellous_bone: TissueId,
    /// Disc.
    pub intervertebral_disc: TissueId,
    /// Cerebrospinal fluid.
    pub csf: TissueId,
    /// Nerve.
    pub nerve: TissueId,
    /// Cartilage of the facet joints.
    pub cartilage: TissueId,
    /// Ligament.
    pub ligament: TissueId,
    /// Blood in the large vessels.
    pub blood: TissueId,
    /// Air outside the body.
    pub air: TissueId,
}

impl TissueIds {
    /// The ids from the tissues' names in the catalogue.
    pub fn by_name(id: impl Fn(&str) -> TissueId) -> Self {
        Self {
            muscle: id("muscle"),
            fat: id("fat"),
            skin: id("skin"),
            cortical_bone: id("cortical_bone"),
            cancellous_bone: id("cancellous_bone"),
            intervertebral_disc: id("intervertebral_disc"),
            csf: id("csf"),
            nerve: id("nerve"),
            cartilage: id("cartilage"),
            ligament: id("ligament"),
            blood: id("blood"),
            air: id("air"),
        }
    }
}

/// A vertebra in its place.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub level: Level,
    pub bone: Vertebra,
    pub frame: VertebraFrame,
    bounds: Bounds,
}

impl Placed {
    pub(crate) fn new(level: Level, bone: Vertebra, frame: VertebraFrame) -> Self {
        let own = bone.bounds();
        let mut placed = Self {
            level,
            bone,
            frame,
            bounds: own,
        };
        placed.bounds = placed.box_to_patient(&own);
        placed
    }

    /// The box in the patient's frame round a box in that of the vertebra.
    fn box_to_patient(&self, local: &Bounds) -> Bounds {
        let corners = local.corners().into_iter();
        corners.fold(Bounds::EMPTY, |all, c| {
            all.with(self.frame.to_patient(&Vec3::from(c)).into())
        })
    }

    /// Level of the bone at a point of the patient where only one below `most` is asked for: else any number from `most` up.
    #[inline]
    fn level_below(&self, p: &Vec3, most: f64) -> f64 {
        // The box in the patient's frame is wider, but cheaper to ask.
        let outside = self.bounds.distance((*p).into());
        if outside > most {
            return outside;
        }
        self.bone.level_below(self.frame.to_local(p).into(), most)
    }

    /// Level of the bone at a point of the patient.
    pub(crate) fn level_at(&self, p: &Vec3) -> f64 {
        self.bone.level(self.frame.to_local(p).into())
    }

    /// A point of one side, given with `x` outwards, in the patient.
    pub(crate) fn side_to_patient(&self, left: bool, p: P) -> PatientPoint {
        let x = if left { p[0] } else { -p[0] };
        PatientPoint::from_vec(self.frame.to_patient(&Vec3::new(x, p[1], p[2])))
    }
}

/// Bones that a slab across the body may hold.
#[derive(Debug, Clone, Default)]
struct Slab {
    vertebrae: Vec<u8>,
    loose: Vec<u8>,
}

/// The built-in patient.
#[derive(Debug, Clone)]
pub struct LumbarSpine {
    tissues: TissueIds,
    /// Thickness of the compact bone of bodies, and of arches and processes, mm.
    cortex: [f64; 2],
    vertebrae: Vec<Placed>,
    loose: Vec<Loose>,
    soft: SoftParts,
    axial: Axial,
    courses: Vec<Course>,
    slabs: Vec<Slab>,
    first_slab: f64,
}

/// Bony landmarks of a level and side, in the patient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Landmarks {
    /// The vertebra; S1: the sacrum.
    pub level: Level,
    /// The side.
    pub side: Side,
    /// Junction of superior articular and transverse process (on the sacrum: of superior articular process and ala).
    pub junction: PatientPoint,
    /// Mamillary process.
    pub mamillary: PatientPoint,
    /// Accessory process.
    pub accessory: PatientPoint,
    /// Middle of the foramen below the pedicle.
    pub foramen: PatientPoint,
    /// Tip of the transverse process.
    pub transverse_tip: PatientPoint,
}

impl LumbarSpine {
    /// Builds the patient. The catalogue gives the sizes, `tissues` the ids in the run's tissue table.
    ///
    /// # Errors
    /// [`SpineError`]: a parameter out of its range, or a size that the catalogue lacks.
    pub fn new(catalog: &Catalog, parameters: &SpineParameters, tissues: TissueIds) -> Result<Self, SpineError> {
        let sizes = Morphometry::new(catalog, parameters.sex);
        let person = sizes.person(parameters)?;
        let vertebrae = place(&person);
        let mut loose = pelvis_and_ribs(&vertebrae, person.size);
        for level in &parameters.screws {
            loose.extend(screws(&vertebrae, *level));
        }
        let disc_heights = person.joints.iter().map(|j| j.height).collect();
        Self::assemble(
            &sizes,
            vertebrae,
            loose,
            disc_heights,
            [person.size, person.fat_mm],
            tissues,
        )
    }

    /// The nerves and what else lies round vertebrae that are given, at least two from above to below; `size` is that of the person, 1 for the
    /// mean of the sex.
    pub(crate) fn round(
        sizes: &Morphometry<'_>,
        vertebrae: Vec<Placed>,
        size: f64,
        tissues: TissueIds,
    ) -> Result<Self, SpineError> {
        let fat = sizes.at("subcutaneous_fat_mm", Level::L5)?;
        let disc_heights = vertebrae
            .windows(2)
            .map(|w| {
                let (above, below) = (&w[0], &w[1]);
                let floor = above
                    .frame
                    .to_patient(&Vec3::new(0.0, 0.0, -0.5 * above.bone.shape.height()));
                let top = below
                    .frame
                    .to_patient(&Vec3::new(0.0, 0.0, 0.5 * below.bone.shape.height()));
                (floor - top).norm()
            })
            .collect();
        Self::assemble(sizes, vertebrae, vec![], disc_heights, [size, fat], tissues)
    }

    fn assemble(
        sizes: &Morphometry<'_>,
        vertebrae: Vec<Placed>,
        loose: Vec<Loose>,
        disc_heights: Vec<f64>,
        [size, fat]: [f64; 2],
        tissues: TissueIds,
    ) -> Result<Self, SpineError> {
        let soft = soft_parts(sizes, size, fat, &vertebrae)?;
        let sac = dural_sac(sizes, &vertebrae)?;
        let mut courses = courses(sizes, &vertebrae)?;
        let branches = lateral::courses(sizes, &vertebrae, &loose, &soft, size)?;
        // Those branches are thinner than the tissue map is sharp, and run in muscle: they are not in it.
        let axial = Axial::new(&vertebrae, disc_heights, sac, &courses);
        courses.extend(branches);
        let mut spine = Self {
            tissues,
            cortex: [
                sizes.value("cortical_thickness_mm")?,
                sizes.value("posterior_cortical_thickness_mm")?,
            ],
            vertebrae,
            loose,
            soft,
            axial,
            courses,
            slabs: vec![],
            first_slab: 0.0,
        };
        spine.sort_into_slabs();
        Ok(spine)
    }

    /// The landmarks of all levels and sides from L1 down.
    pub fn landmarks(&self) -> Vec<Landmarks> {
        let crossed = self.vertebrae.iter().filter(|v| v.level >= Level::L1);
        crossed
            .flat_map(|v| Side::BOTH.map(|side| landmarks_of(v, side)))
            .collect()
    }

    /// The structure at a point.
    pub fn structure_at(&self, p: &PatientPoint) -> Structure {
        let p = p.vec();
        self.look(&p, &self.soft.section(p.z), 0.0).0
    }

    /// The structure at a point, and the level of the nearest bone if that is below `most` (mm, negative inside; `most` is 0 to [`NEAR`]); `section`
    /// is that at its height.
    fn look(&self, p: &Vec3, section: &Section, most: f64) -> (Structure, f64) {
        let xyz: P = (*p).into();
        let (mut nearest, mut bone) = (most, None);
        let none = Slab::default();
        let slab = self.slab(p.z).unwrap_or(&none);
        for n in &slab.vertebrae {
            let v = &self.vertebrae[usize::from(*n)];
            let level = v.level_below(p, nearest);
            if level < nearest {
                (nearest, bone) = (level, Some(Structure::Vertebra(v.level)));
            }
        }
        for n in &slab.loose {
            let l = &self.loose[usize::from(*n)];
            if l.bounds.distance(xyz) <= nearest.max(0.0) {
                let level = l.level(xyz);
                if l.structure == Structure::Screw {
                    if level <= 0.0 {
                        return (Structure::Screw, level);
                    }
                } else if level < nearest {
                    (nearest, bone) = (level, Some(l.structure));
                }
            }
        }
        if nearest <= 0.0
            && let Some(bone) = bone
        {
            return (bone, nearest);
        }
        let part = self.axial.at(&self.vertebrae, p);
        (part.unwrap_or_else(|| self.outer(p, section)), nearest)
    }

    /// True when nothing of the column, of the hips or of the ribs, nor a nerve, comes within a distance of a point.
    fn column_is_far(&self, p: &Vec3, distance: f64) -> bool {
        !self.axial.is_near(p, distance) && self.bone_level_mm(&PatientPoint::from_vec(*p)) > 1.2 * distance
    }

    fn outer(&self, p: &Vec3, section: &Section) -> Structure {
        let side = if p.x >= section.center.x {
            Side::Left
        } else {
            Side::Right
        };
        match self.soft.part(p, section) {
            Part::Air => Structure::Air,
            Part::Skin => Structure::Skin,
            Part::Fat => Structure::Fat,
            Part::Multifidus => Structure::Multifidus(side),
            Part::Erector => Structure::ErectorSpinae(side),
            Part::Psoas => Structure::Psoas(side),
            Part::Quadratus => Structure::QuadratusLumborum(side),
            Part::Intertransverse => Structure::Intertransverse(side),
            Part::Wall => Structure::AbdominalWall,
            Part::Viscera => Structure::Viscera,
            Part::Aorta => Structure::Artery,
            Part::Cava => Structure::Vein,
        }
    }

    fn slab(&self, z: f64) -> Option<&Slab> {
        let n = (z - self.first_slab) / SLAB;
        (n >= 0.0).then(|| self.slabs.get(n as usize)).flatten()
    }

    fn sort_into_slabs(&mut self) {
        let mut all = Bounds::EMPTY;
        for b in self
            .vertebrae
            .iter()
            .map(|v| &v.bounds)
            .chain(self.loose.iter().map(|l| &l.bounds))
        {
            all = all.and(b);
        }
        self.first_slab = all.low[2] - NEAR;
        let n = ((all.high[2] + NEAR - self.first_slab) / SLAB).ceil() as usize;
        self.slabs = (0..n)
            .map(|i| {
                let low = self.first_slab + SLAB * i as f64;
                let meets = |b: &Bounds, margin: f64| b.low[2] - margin < low + SLAB && b.high[2] + margin > low;
                let choose = |bounds: Vec<&Bounds>, margin: f64| -> Vec<u8> {
                    bounds
                        .into_iter()
                        .enumerate()
                        .filter(|(_, b)| meets(b, margin))
                        .map(|(i, _)| i as u8)
                        .collect()
                };
                Slab {
                    vertebrae: choose(self.vertebrae.iter().map(|v| &v.bounds).collect(), NEAR),
                    loose: choose(self.loose.iter().map(|l| &l.bounds).collect(), NEAR),
                }
            })
            .collect();
    }

    /// Thickness of the compact bone at a place in bone, mm: thin round a body, thick in arch, processes, hips and ribs.
    fn cortex_at(&self, structure: Structure, p: &Vec3) -> f64 {
        let [body, behind] = self.cortex;
        let Structure::Vertebra(level) = structure else {
            return behind;
        };
        let of = self.vertebrae.iter().find(|v| v.level == level);
        let in_body = of.is_some_and(|v| v.frame.to_local(p).y < v.bone.shape.back_wall() + 1.0);
        if in_body { body } else { behind }
    }

    fn tissue(&self, structure: Structure, bone_level: f64, p: &Vec3) -> TissueId {
        let t = &self.tissues;
        match structure {
            // A screw is taken for the compact bone it stands in.
            Structure::Screw => t.cortical_bone,
            s if s.is_bone() => {
                if bone_level > -self.cortex_at(s, p) {
                    t.cortical_bone
                } else {
                    t.cancellous_bone
                }
            }
            Structure::Disc(_) => t.intervertebral_disc,
            Structure::Cartilage => t.cartilage,
            Structure::Ligament => t.ligament,
            Structure::DuralSac => t.csf,
            Structure::Nerve => t.nerve,
            Structure::EpiduralFat | Structure::Fat => t.fat,
            Structure::Skin => t.skin,
            Structure::Air => t.air,
            Structure::Artery | Structure::Vein => t.blood,
            _ => t.muscle,
        }
    }
}

impl TissueField for LumbarSpine {
    fn tissue_at(&self, p: &PatientPoint) -> TissueId {
        let p = p.vec();
        let (structure, level) = self.look(&p, &self.soft.section(p.z), 0.0);
        self.tissue(structure, level, &p)
    }
}

impl Patient for LumbarSpine {
    fn bone_level_mm(&self, p: &PatientPoint) -> f64 {
        let v = p.vec();
        let Some(slab) = self.slab(v.z) else { return NEAR };
        let mut nearest = NEAR;
        for n in &slab.vertebrae {
            nearest = nearest.min(self.vertebrae[usize::from(*n)].level_below(&v, nearest));
        }
        for n in &slab.loose {
            let l = &self.loose[usize::from(*n)];
            if l.bounds.distance(p.xyz) < nearest.max(0.0) + 1e-9 {
                nearest = nearest.min(l.level(p.xyz));
            }
        }
        nearest
    }

    fn skin_depth_mm(&self, p: &PatientPoint) -> f64 {
        self.soft.depth(p.xyz[0], p.xyz[1])
    }

    fn keep_out(&self, p: &PatientPoint) -> Option<KeepOut> {
        match self.structure_at(p) {
            Structure::DuralSac => Some(KeepOut::Canal),
            Structure::EpiduralFat => {
                let v = p.vec();
                let placed = &self.vertebrae[nearest_vertebra(&self.vertebrae, &v)];
                let canal = placed.frame.to_local(&v).x.abs() < 0.5 * placed.bone.shape.middle.canal_width;
                Some(if canal { KeepOut::Canal } else { KeepOut::Foramen })
            }
            Structure::Artery | Structure::Vein => Some(KeepOut::Vessel),
            Structure::Air => Some(KeepOut::Air),
            _ => None,
        }
    }

    fn courses(&self) -> &[Course] {
        &self.courses
    }

    fn frame(&self, level: Level) -> Option<VertebraFrame> {
        self.vertebrae.iter().find(|v| v.level == level).map(|v| v.frame)
    }

    fn levels(&self) -> Vec<Level> {
        self.vertebrae.iter().map(|v| v.level).collect()
    }
}

/// The vertebra whose middle is nearest along the column.
fn nearest_vertebra(vertebrae: &[Placed], p: &Vec3) -> usize {
    let off = |v: &Placed| v.frame.superior.dot(&(p - v.frame.origin)).abs();
    (0..vertebrae.len())
        .min_by(|a, b| off(&vertebrae[*a]).total_cmp(&off(&vertebrae[*b])))
        .unwrap_or(0)
}

/// Landmarks of one side of a placed vertebra.
pub(crate) fn landmarks_of(v: &Placed, side: Side) -> Landmarks {
    let left = side == Side::Left;
    let SideMarks {
        junction,
        mamillary,
        accessory,
        foramen,
        transverse_tip,
    } = marks(&v.bone, left);
    let to = |p| v.side_to_patient(left, p);
    Landmarks {
        level: v.level,
        side,
        junction: to(junction),
        mamillary: to(mamillary),
        accessory: to(accessory),
        foramen: to(foramen),
        transverse_tip: to(transverse_tip),
    }
}

/// Puts the vertebrae of a person in their places, with joints that fit.
fn place(person: &Person) -> Vec<Placed> {
    let mut shapes = person.shapes.clone();
    let frames = column::frames(&shapes, &person.joints, person.sacral_slope_deg);
    for i in 0..shapes.len() - 1 {
        let (upper, lower) = (frames[i], frames[i + 1]);
        let below = shapes[i + 1].1;
        meet_facets(
            &mut shapes[i].1,
            &below,
            |p| upper.to_local(&lower.to_patient(&Vec3::from(p))).into(),
            |d| {
                upper
                    .direction_to_local(&lower.direction_to_patient(&Vec3::from(d)))
                    .into()
            },
        );
    }
    shapes
        .into_iter()
        .zip(frames)
        .map(|((level, shape), frame)| {
            let kind = if level == Level::S1 { Kind::Sacral } else { Kind::Lumbar };
            Placed::new(level, Vertebra::new(&shape, kind), frame)
        })
        .collect()
}

fn soft_parts(sizes: &Morphometry<'_>, size: f64, fat: f64, vertebrae: &[Placed]) -> Result<SoftParts, SpineError> {
    let tips = vertebrae.iter().filter(|v| v.bone.kind == Kind::Lumbar).map(|v| {
        let s = &v.bone.shape;
        let end = s.back_wall() + s.middle.canal_depth + s.middle.spinous_length;
        let z = s.middle.lamina_z - 1.5 - s.middle.spinous_drop;
        v.frame.to_patient(&Vec3::new(0.0, end, z)).y
    });
    let spinous_tip = tips.fold(f64::NEG_INFINITY, f64::max);
    let fork = vertebrae
        .iter()
        .find(|v| v.level == Level::L4)
        .map_or(f64::NEG_INFINITY, |v| v.frame.origin.z - 8.0);
    let psoas = vertebrae
        .iter()
        .map(|v| {
            let half = |name| sizes.at(name, v.level).map(|d| 0.5 * d * size);
            Ok((v.level, [half("psoas_width_mm")?, half("psoas_depth_mm")?]))
        })
        .collect::<Result<_, SpineError>>()?;
    let rows: Vec<(Level, VertebraFrame, f64, f64)> = vertebrae
        .iter()
        .map(|v| {
            let s = &v.bone.shape;
            let back = Vec3::new(0.0, s.back_wall() + s.middle.canal_depth, 0.0);
            let lamina_y = v.frame.to_patient(&back).y - v.frame.origin.y;
            (v.level, v.frame, s.middle.bottom_half_width, lamina_y)
        })
        .collect();
    Ok(SoftParts::new(
        &rows,
        spinous_tip,
        fork,
        &Sizes {
            size,
            fat,
            skin: sizes.value("skin_thickness_mm")?,
            aorta_radius: 0.5 * sizes.value("aorta_diameter_mm")?,
            cava_radius: 0.5 * sizes.value("cava_diameter_mm")?,
            psoas,
        },
    ))
}

/// Level of the nearest of some vertebrae, at most [`NEAR`].
fn bone_level(vertebrae: &[Placed], p: &Vec3) -> f64 {
    let xyz: P = (*p).into();
    vertebrae.iter().fold(NEAR, |nearest, v| {
        if v.bounds.distance(xyz) < nearest.max(0.0) + 1e-9 {
            nearest.min(v.level_at(p))
        } else {
            nearest
        }
    })
}

fn courses(sizes: &Morphometry<'_>, vertebrae: &[Placed]) -> Result<Vec<Course>, SpineError> {
    let mut all = vec![];
    for (i, v) in vertebrae.iter().enumerate() {
        for side in Side::BOTH {
            let left = side == Side::Left;
            let to = |points: &[P], placed: &Placed| -> Vec<PatientPoint> {
                points.iter().map(|p| placed.side_to_patient(left, *p)).collect()
            };
            let near = &vertebrae[i.saturating_sub(1)..(i + 2).min(vertebrae.len())];
            let clear = |points: &[PatientPoint], clearance: f64, fixed| -> Vec<PatientPoint> {
                let points: Vec<P> = points.iter().map(|p| p.xyz).collect();
                let level = |p: P| bone_level(near, &Vec3::from(p));
                let course = nerves::clear_of_bone(&level, &points, clearance, fixed);
                course
                    .into_iter()
                    .map(|xyz| PatientPoint::from_vec(Vec3::from(xyz)))
                    .collect()
            };
            let above = i.checked_sub(1).map(|n| vertebrae[n].level).or_else(|| v.level.above());
            if let Some(nerve) = above.filter(|_| v.level >= Level::L1) {
                // The branch that crosses a vertebra belongs to the nerve above.
                let diameter = sizes.value("medial_branch_diameter_mm")?;
                let branch = nerves::medial_branch(&v.bone, left, diameter);
                let (kind, name) = match v.bone.kind {
                    Kind::Lumbar => (NerveKind::MedialBranch, "medial branch"),
                    Kind::Sacral => (NerveKind::DorsalRamus, "dorsal ramus"),
                };
                let scatter_at = nerve.clamp(Level::L1, Level::L5);
                let clearance = 0.5 * diameter + nerves::CUSHION;
                let free = |points: &[P], fixed| clear(&to(points, v), clearance, fixed);
                let mut points = free(&branch.before, [false, true]);
                let first = points.len() - 1;
                // A neighbour's process may stand in the way too.
                points.extend(branch.target.iter().skip(1).flat_map(|p| free(&[*p], [false; 2])));
                let last = points.len() - 1;
                points.extend(free(&branch.after, [true, false]).into_iter().skip(1));
                all.push(Course {
                    name: format!("{nerve} {name} {side}"),
                    kind,
                    nerve,
                    side,
                    points,
                    diameter_mm: diameter,
                    spread: Spread {
                        across_mm: sizes.at("medial_branch_scatter_mm", scatter_at)?,
                        off_bone_mm: 0.5,
                    },
                    target: Some([first, last]),
                });
            }
            if v.level == Level::S1 {
                continue;
            }
            let below = vertebrae.get(i + 1);
            let listed = v.level.clamp(Level::L1, Level::L5);
            let (length, width) = (
                sizes.at("ganglion_length_mm", listed)?,
                sizes.at("ganglion_diameter_mm", listed)?,
            );
            let root = nerves::root(&v.bone, below.map(|b| &b.bone), left, length, 0.5 * width);
            let mut ramus = to(&root.ramus_upper, v);
            if let Some(below) = below {
                let mut lower = to(&root.ramus_lower, below);
                if below.bone.kind == Kind::Lumbar {
                    // Where a narrow disc brings the next vertebra near, the nerve goes straight on to where both ways lead down.
                    let height = |p: &PatientPoint| below.frame.superior.dot(&p.vec());
                    if let [.., exit, _] = ramus[..] {
                        let past = lower.iter().take_while(|p| height(p) > height(&exit)).count();
                        if past > 0 {
                            ramus.pop();
                            lower.drain(..past.min(lower.len() - 1));
                        }
                    }
                    // It passes the process of the next vertebra in front, however broad that is.
                    let level = |p: P| bone_level(near, &Vec3::from(p));
                    let clearance = 0.5 * sizes.at("ventral_ramus_diameter_mm", listed)? + nerves::CUSHION;
                    let points: Vec<P> = lower.iter().map(|p| p.xyz).collect();
                    let forward = (-below.frame.posterior).into();
                    let passed = nerves::led_out(&level, &points, clearance, forward);
                    lower = passed
                        .into_iter()
                        .map(|p| PatientPoint::from_vec(Vec3::from(p)))
                        .collect();
                }
                ramus.extend(lower);
            }
            let mut sleeve = to(&root.sleeve, v);
            sleeve.push(v.side_to_patient(left, root.ganglion[0]));
            for (kind, name, course, diameter_mm) in [
                (NerveKind::Root, "root", sleeve, sizes.at("root_diameter_mm", listed)?),
                (NerveKind::Ganglion, "ganglion", to(&root.ganglion, v), width),
                (
                    NerveKind::VentralRamus,
                    "ventral ramus",
                    ramus,
                    sizes.at("ventral_ramus_diameter_mm", listed)?,
                ),
            ] {
                all.push(Course {
                    name: format!("{} {name} {side}", v.level),
                    kind,
                    nerve: v.level,
                    side,
                    points: clear(&course, 0.5 * diameter_mm + nerves::CUSHION, [false, false]),
                    diameter_mm,
                    spread: Spread {
                        across_mm: 1.0,
                        off_bone_mm: 1.0,
                    },
                    target: None,
                });
            }
        }
    }
    Ok(all)
}
