//! The needle's state and the commands that change it.

use neurotome_base::{
    PatientPoint, Vec3,
    geometry::{distance_between_segments, perpendicular_pair},
};
use serde::{Deserialize, Serialize};

use super::{
    felt::{Felt, FeltKind, Response},
    instrument::{Instrument, Resistance},
    track::{Track, TrackPoint, arc},
};
use crate::{
    anatomy::{KeepOut, Patient, TissueId},
    catalog::InsertionNumbers,
    lesion::Needle,
    planning::Pose,
};

/// Longest step of the tip between two looks at the anatomy, mm.
const STEP_MM: f64 = 0.25;
/// The tip may be so far within bone, mm, by the patient's own distance to it: a needle that touches bone is not in it.
pub const BONE_TOLERANCE_MM: f64 = 0.05;
/// Bone is found to this, mm.
const BISECTION_MM: f64 = 1e-3;
/// Longest single movement, mm.
const LONGEST_MM: f64 = 300.0;
/// A point given as skin may be so far from it, mm.
const SKIN_MM: f64 = 3.0;
/// Hollows are looked for below this depth, mm: the outside of the body is one too.
const AIR_BELOW_MM: f64 = 2.0;

/// What the hand does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do", deny_unknown_fields)]
pub enum Command {
    /// Puts the tip through the skin.
    Enter {
        /// A point on the skin, mm.
        skin_mm: [f64; 3],
        /// From hub to tip; its length does not matter.
        direction: [f64; 3],
    },
    /// Pushes.
    Advance {
        /// How far, mm.
        mm: f64,
    },
    /// Draws back along the track; past the skin the needle is out.
    Withdraw {
        /// How far, mm.
        mm: f64,
    },
    /// Turns about the shaft.
    Turn {
        /// By how much, degrees, clockwise as seen from the hub.
        deg: f64,
    },
    /// Changes the direction of the needle by its hub.
    Steer {
        /// From hub to tip; its length does not matter.
        direction: [f64; 3],
    },
}

/// Why a command cannot be done. The needle stays as it was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NeedleError {
    /// The needle is not in the patient.
    #[error("needle: it is not in the patient; enter the skin first")]
    NotEntered,
    /// It is in already.
    #[error("needle: it is in the patient already, {depth_mm:.1} mm deep; withdraw it first")]
    AlreadyIn {
        /// How deep, mm.
        depth_mm: f64,
    },
    /// A number is unusable.
    #[error("needle: {what} = {found}; expected {expected}")]
    Number {
        /// Which.
        what: &'static str,
        /// The number.
        found: f64,
        /// What was expected.
        expected: &'static str,
    },
    /// A direction is unusable.
    #[error("needle: the direction {found:?} has no length; give a finite vector from hub to tip")]
    Direction {
        /// As given.
        found: [f64; 3],
    },
    /// The point is not on the skin, or the direction leads out of the body.
    #[error("needle: {found}; give a point on the skin and a direction into the body")]
    NotOnSkin {
        /// What was found.
        found: String,
    },
    /// Too deep to be steered so far.
    #[error(
        "needle: {depth_mm:.0} mm deep its course changes by at most {most_deg:.0}°, {asked_deg:.0}° were asked for; withdraw it to \
         {free_mm:.0} mm first"
    )]
    TooDeepToSteer {
        /// How deep, mm.
        depth_mm: f64,
        /// Largest change, degrees.
        most_deg: f64,
        /// Change asked for, degrees.
        asked_deg: f64,
        /// Depth down to which it turns freely, mm.
        free_mm: f64,
    },
    /// Turned about the skin the needle would lie in bone.
    #[error("needle: turned so, it would lie in bone; withdraw it further first")]
    BoneInTheWay,
}

/// Where the needle is, with the numbers that rule it.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The patient.
    pub patient: &'a dyn Patient,
    /// Resistances by tissue index; tissues beyond its end resist as the first.
    pub resistance: &'a [Resistance],
    /// The tissue of cerebrospinal fluid, where the anatomy has it.
    pub csf: Option<TissueId>,
    /// Numbers of insertion.
    pub numbers: &'a InsertionNumbers,
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

/// A needle and how it got where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Insertion {
    /// The cannula.
    pub instrument: Instrument,
    /// Way of the tip; empty while it is out.
    pub track: Track,
    /// Turn about the shaft, degrees, 0 to 360: where the bevel or the bend looks.
    pub turn_deg: f64,
    /// Changes of direction so far, by steering or by a new entry.
    pub redirects: u32,
    /// Times through the skin.
    pub entries: u32,
    /// Times that bone was met.
    pub bone_contacts: u32,
    /// Way of the tip so far, forwards and back, mm.
    pub travelled_mm: f64,
    /// Indices of the courses that the tip touches.
    touching: Vec<usize>,
}

impl Insertion {
    /// The patient has moved: the whole needle lies elsewhere by this, mm.
    pub fn shift(&mut self, by_mm: [f64; 3]) {
        for p in &mut self.track.points {
            p.tip_mm = PatientPoint::from_vec(p.tip_mm.vec() + Vec3::from(by_mm));
        }
    }

    /// A needle that is still outside.
    pub fn new(instrument: Instrument) -> Self {
        Self {
            instrument,
            track: Track::default(),
            turn_deg: 0.0,
            redirects: 0,
            entries: 0,
            bone_contacts: 0,
            travelled_mm: 0.0,
            touching: Vec::new(),
        }
    }

    /// The pose of the tip; none while the needle is out. Of a bent track it is the tangent at the tip: over an active tip of 10 mm the
    /// track leaves it by less than 0.2 mm.
    pub fn pose(&self) -> Option<Pose> {
        self.track.last().map(|p| Pose {
            tip_mm: p.tip_mm,
            direction: p.direction,
        })
    }

    /// Where the bevel's face or the bend looks; none while the needle is out.
    pub fn facing(&self) -> Option<[f64; 3]> {
        self.track.last().map(|p| p.across_at(self.turn_deg).into())
    }

    /// The needle of a lesion: these sizes, in this place, turned as it is, with its true depth of the skin.
    pub fn lesion_needle(&self, sizes: &Needle) -> Option<Needle> {
        let mut needle = self.pose()?.needle(sizes);
        let facing = self.facing()?;
        if let Some(bend) = &mut needle.bend {
            bend.towards = facing;
        }
        if let Some(bevel) = &mut needle.bevel {
            bevel.towards = facing;
        }
        Some(needle)
    }

    /// Does a command.
    ///
    /// # Errors
    /// [`NeedleError`]; the needle is then as before.
    pub fn perform(&mut self, command: &Command, around: &Surroundings<'_>) -> Result<Response, NeedleError> {
        match *command {
            Command::Enter { skin_mm, direction } => self.enter(skin_mm, direction, around),
            Command::Advance { mm } => {
                length("mm", mm)?;
                self.advance(mm, around)
            }
            Command::Withdraw { mm } => {
                length("mm", mm)?;
                self.withdraw(mm, around)
            }
            Command::Turn { deg } => {
                if !deg.is_finite() {
                    return Err(NeedleError::Number {
                        what: "deg",
                        found: deg,
                        expected: "a finite angle",
                    });
                }
                self.track.last().ok_or(NeedleError::NotEntered)?;
                self.turn_deg = (self.turn_deg + deg % 360.0).rem_euclid(360.0);
                Ok(self.response(Vec::new(), 0.0, around))
            }
            Command::Steer { direction } => self.steer(direction, around),
        }
    }

    fn enter(
        &mut self,
        skin_mm: [f64; 3],
        direction: [f64; 3],
        around: &Surroundings<'_>,
    ) -> Result<Response, NeedleError> {
        if !self.track.points.is_empty() {
            return Err(NeedleError::AlreadyIn {
                depth_mm: self.track.depth_mm(),
            });
        }
        let along = unit(direction)?;
        let point = Vec3::from(skin_mm);
        let depth = |s: f64| around.patient.skin_depth_mm(&PatientPoint::from_vec(point + along * s));
        let off = depth(0.0);
        if !(point.iter().all(|c| c.is_finite()) && off.abs() <= SKIN_MM) {
            return Err(NeedleError::NotOnSkin {
                found: format!("the point {skin_mm:?} lies {off:.1} mm below the skin"),
            });
        }
        // The skin along the needle's line, within a few times the distance off it.
        let reach = 4.0 * SKIN_MM;
        let (mut outside, mut inside) = (-reach, reach);
        if !(depth(outside) <= 0.0 && depth(inside) > 0.0) {
            return Err(NeedleError::NotOnSkin {
                found: format!("the direction {direction:?} does not lead into the body"),
            });
        }
        while inside - outside > 1e-6 {
            let middle = 0.5 * (inside + outside);
            if depth(middle) > 0.0 {
                inside = middle;
            } else {
                outside = middle;
            }
        }
        let first = TrackPoint {
            tip_mm: PatientPoint::from_vec(point + along * inside),
            direction: along.into(),
            across: perpendicular_pair(&along).0.into(),
            depth_mm: 0.0,
        };
        self.track.points.push(first);
        self.turn_deg = 0.0;
        self.touching.clear();
        self.entries += 1;
        if self.entries > 1 {
            self.redirects += 1;
        }
        let skin = Felt {
            tip_mm: first.tip_mm,
            depth_mm: 0.0,
            force_n: self.scale(around) * resistance(around, &first.tip_mm).puncture_n,
            kind: FeltKind::Skin,
        };
        Ok(self.response(vec![skin], 0.0, around))
    }

    fn advance(&mut self, mm: f64, around: &Surroundings<'_>) -> Result<Response, NeedleError> {
        let start = *self.track.last().ok_or(NeedleError::NotEntered)?;
        let towards = match self.instrument.tip {
            // A bevel is driven away from its cut face, a bent tip runs towards its bend.
            super::TipShape::Bevelled => -start.across_at(self.turn_deg),
            _ => start.across_at(self.turn_deg),
        };
        let curvature = self.instrument.curvature_per_mm;
        let room = (self.instrument.reach_mm - start.depth_mm).max(0.0);
        let whole = mm.min(room);
        let at = |s: f64| arc(&start, &towards, curvature, s);
        let steps = (whole / STEP_MM).ceil().max(1.0) as usize;
        let mut felt = Vec::new();
        let mut gone = 0.0;
        let mut stopped = false;
        for step in 1..=steps {
            let mut s = whole * step as f64 / steps as f64;
            if s <= gone {
                break;
            }
            let radius = self.instrument.radius_mm();
            if in_bone(around, &at(s), radius) {
                let (mut free, mut bone) = (gone, s);
                while bone - free > BISECTION_MM {
                    let middle = 0.5 * (free + bone);
                    if in_bone(around, &at(middle), radius) {
                        bone = middle;
                    } else {
                        free = middle;
                    }
                }
                s = free;
                stopped = true;
            }
            if s > gone {
                let next = at(s);
                self.step_to(next, around, &mut felt);
                gone = s;
            }
            if stopped {
                self.bone_contacts += 1;
                felt.push(self.felt(FeltKind::Bone, around));
                break;
            }
        }
        if !stopped && mm > room {
            felt.push(self.felt(FeltKind::Hub, around));
        }
        self.travelled_mm += gone;
        Ok(self.response(felt, gone, around))
    }

    /// Takes one step and tells what is met in it.
    fn step_to(&mut self, next: TrackPoint, around: &Surroundings<'_>, felt: &mut Vec<Felt>) {
        let Some(old) = self.track.last().copied() else { return };
        self.track.points.push(next);
        let patient = around.patient;
        let (from, into) = (patient.tissue_at(&old.tip_mm), patient.tissue_at(&next.tip_mm));
        if from != into && old.depth_mm > 0.0 {
            let scale = self.scale(around);
            let (before, after) = (resistance_of(around, from), resistance_of(around, into));
            let peak = scale * after.puncture_n.max(before.cutting_n);
            let pop = peak - scale * after.cutting_n >= around.numbers.pop_n.value;
            let kind = FeltKind::Border {
                from: from.0,
                into: into.0,
                peak_n: peak + self.friction_n(around),
                pop,
            };
            felt.push(self.felt(kind, around));
        }
        if from != into && Some(into) == around.csf {
            felt.push(self.felt(FeltKind::CerebrospinalFluid, around));
        }
        let (was, is) = (patient.keep_out(&old.tip_mm), patient.keep_out(&next.tip_mm));
        if was != is {
            let kind = match is {
                Some(KeepOut::Canal) => Some(FeltKind::Canal),
                Some(KeepOut::Foramen) => Some(FeltKind::Foramen),
                Some(KeepOut::Vessel) => Some(FeltKind::Vessel),
                Some(KeepOut::Air) if patient.skin_depth_mm(&next.tip_mm) > AIR_BELOW_MM => Some(FeltKind::Air),
                Some(KeepOut::Air) | None => None,
            };
            felt.extend(kind.map(|k| self.felt(k, around)));
        }
        self.touch(&old, &next, around, felt);
    }

    /// Tells each nerve that the tip comes to touch in a step.
    fn touch(&mut self, old: &TrackPoint, next: &TrackPoint, around: &Surroundings<'_>, felt: &mut Vec<Felt>) {
        let radius = self.instrument.radius_mm();
        let end = |p: &TrackPoint| p.tip_mm.vec() - p.along() * radius.min(p.depth_mm);
        let (a, b) = (end(old), end(next));
        let mut touching = Vec::new();
        for (index, course) in around.patient.courses().iter().enumerate() {
            let gap = course
                .points
                .windows(2)
                .map(|w| distance_between_segments(&a, &b, &w[0].vec(), &w[1].vec()))
                .fold(f64::INFINITY, f64::min)
                - radius
                - 0.5 * course.diameter_mm;
            if gap <= around.numbers.nerve_touch_mm.value {
                if !self.touching.contains(&index) {
                    let kind = FeltKind::Nerve {
                        name: course.name.clone(),
                        kind: course.kind,
                        gap_mm: gap,
                    };
                    felt.push(self.felt(kind, around));
                }
                touching.push(index);
            }
        }
        self.touching = touching;
    }

    fn withdraw(&mut self, mm: f64, around: &Surroundings<'_>) -> Result<Response, NeedleError> {
        let depth = self.track.last().ok_or(NeedleError::NotEntered)?.depth_mm;
        let gone = mm.min(depth);
        self.travelled_mm += gone;
        self.touching.clear();
        if mm > depth {
            self.track.points.clear();
        } else {
            self.track.cut_to(depth - mm);
        }
        Ok(self.response(Vec::new(), -gone, around))
    }

    fn steer(&mut self, direction: [f64; 3], around: &Surroundings<'_>) -> Result<Response, NeedleError> {
        let along = unit(direction)?;
        let tip = *self.track.last().ok_or(NeedleError::NotEntered)?;
        let numbers = around.numbers;
        let mut felt = Vec::new();
        if tip.depth_mm <= numbers.free_steer_mm.value {
            // The track is short: the whole needle turns about the skin and lies straight again.
            let entry = self.track.points[0];
            let straight = carried(&entry, &along);
            let steps = (tip.depth_mm / STEP_MM).ceil() as usize;
            let places: Vec<TrackPoint> = (1..=steps)
                .map(|i| {
                    arc(
                        &straight,
                        &straight.across_at(0.0),
                        0.0,
                        tip.depth_mm * i as f64 / steps as f64,
                    )
                })
                .collect();
            let radius = self.instrument.radius_mm();
            if places.iter().any(|p| in_bone(around, p, radius)) {
                return Err(NeedleError::BoneInTheWay);
            }
            if places.iter().any(|p| around.patient.skin_depth_mm(&p.tip_mm) <= 0.0) {
                return Err(NeedleError::NotOnSkin {
                    found: format!("the direction {direction:?} leads out of the body"),
                });
            }
            self.track.points = vec![straight];
            self.track.points.extend(places);
            if let Some(turned) = self.track.last().copied() {
                self.touch(&tip, &turned, around, &mut felt);
            }
        } else {
            let old = tip.along();
            let asked = old.cross(&along).norm().atan2(old.dot(&along)).to_degrees();
            let most = numbers.lever_most_deg.value;
            if asked > most + 1e-9 {
                return Err(NeedleError::TooDeepToSteer {
                    depth_mm: tip.depth_mm,
                    most_deg: most,
                    asked_deg: asked,
                    free_mm: numbers.free_steer_mm.value,
                });
            }
            // The tissue holds the tip in its place; from there it goes another way.
            if let Some(last) = self.track.points.last_mut() {
                *last = carried(&tip, &along);
            }
        }
        self.redirects += 1;
        Ok(self.response(felt, 0.0, around))
    }

    fn felt(&self, kind: FeltKind, around: &Surroundings<'_>) -> Felt {
        let last = self.track.last();
        Felt {
            tip_mm: last.map_or_else(|| PatientPoint::new(0.0, 0.0, 0.0), |p| p.tip_mm),
            depth_mm: self.track.depth_mm(),
            force_n: self.force_n(around),
            kind,
        }
    }

    fn response(&self, felt: Vec<Felt>, moved_mm: f64, around: &Surroundings<'_>) -> Response {
        Response {
            felt,
            moved_mm,
            tip_mm: self.track.last().map(|p| p.tip_mm),
            direction: self.track.last().map(|p| p.direction),
            force_n: self.force_n(around),
        }
    }

    fn scale(&self, around: &Surroundings<'_>) -> f64 {
        self.instrument.outer_diameter_mm / around.numbers.force_diameter_mm.value
    }

    /// Axial force against a slow advance, N: cutting at the tip and friction along the track.
    pub fn force_n(&self, around: &Surroundings<'_>) -> f64 {
        let Some(tip) = self.track.last() else { return 0.0 };
        self.scale(around) * resistance(around, &tip.tip_mm).cutting_n + self.friction_n(around)
    }

    fn friction_n(&self, around: &Surroundings<'_>) -> f64 {
        let along: f64 = self
            .track
            .points
            .windows(2)
            .map(|w| (w[1].depth_mm - w[0].depth_mm) * resistance(around, &w[1].tip_mm).friction_n_per_mm)
            .sum();
        self.scale(around) * along
    }
}

fn resistance_of(around: &Surroundings<'_>, tissue: TissueId) -> Resistance {
    let all = around.resistance;
    all.get(usize::from(tissue.0))
        .or_else(|| all.first())
        .copied()
        .unwrap_or(Resistance {
            puncture_n: 0.0,
            cutting_n: 0.0,
            friction_n_per_mm: 0.0,
        })
}

fn resistance(around: &Surroundings<'_>, p: &PatientPoint) -> Resistance {
    resistance_of(around, around.patient.tissue_at(p))
}

/// True where the tip's half ball is in bone.
fn in_bone(around: &Surroundings<'_>, p: &TrackPoint, radius_mm: f64) -> bool {
    let centre = p.tip_mm.vec() - p.along() * radius_mm.min(p.depth_mm);
    let level = |q: Vec3| around.patient.bone_level_mm(&PatientPoint::from_vec(q));
    level(p.tip_mm.vec()) < -BONE_TOLERANCE_MM
        || (p.depth_mm > radius_mm && level(centre) < radius_mm - BONE_TOLERANCE_MM)
}

/// The point with another direction; `across` turns with it.
fn carried(p: &TrackPoint, along: &Vec3) -> TrackPoint {
    let u = Vec3::from(p.across);
    let old = p.along();
    let axis = old.cross(along);
    // Rotation that takes the old direction to the new one (Rodrigues); opposite directions keep `across`.
    let cos = old.dot(along);
    let turned = if 1.0 + cos > 1e-9 {
        u * cos + axis.cross(&u) + axis * (axis.dot(&u) / (1.0 + cos))
    } else {
        u
    };
    let across = (turned - along * turned.dot(along))
        .try_normalize(1e-9)
        .unwrap_or_else(|| perpendicular_pair(along).0);
    TrackPoint {
        direction: (*along).into(),
        across: across.into(),
        ..*p
    }
}

fn unit(direction: [f64; 3]) -> Result<Vec3, NeedleError> {
    let v = Vec3::from(direction);
    if !v.iter().all(|c| c.is_finite() && c.abs() < 1e12) {
        return Err(NeedleError::Direction { found: direction });
    }
    v.try_normalize(1e-9).ok_or(NeedleError::Direction { found: direction })
}

fn length(what: &'static str, mm: f64) -> Result<(), NeedleError> {
    if (0.0..=LONGEST_MM).contains(&mm) {
        Ok(())
    } else {
        Err(NeedleError::Number {
            what,
            found: mm,
            expected: "0 to 300 mm",
        })
    }
}
