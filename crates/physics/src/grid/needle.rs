//! A needle as the grid sees it, and the bodies of metal it is made of. Lengths in metres, angles in radians.

use neurotome_base::Vec3;

use super::{
    Axis,
    bevel::{self, Bevel},
};

/// A needle: a cannula and the tines that leave it.
#[derive(Debug, Clone, PartialEq)]
pub struct FittedNeedle {
    /// Axis of the cannula; its start stands [`FittedNeedle::end_length`] above the distal end.
    pub axis: Axis,
    /// Radius of the cannula.
    pub radius: f64,
    /// Shape of the distal end.
    pub end: End,
    /// Bare metal, ascending along the shaft and apart from each other; all else is insulated.
    pub contacts: Vec<Contact>,
    /// Length of metal from the distal end.
    pub length: f64,
    /// Tines.
    pub tines: Vec<Tine>,
    /// Channel of a cooled probe.
    pub coolant: Option<Channel>,
}

/// Shape of a distal end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End {
    /// Half a ball.
    Rounded,
    /// Cut by one plane.
    Bevel {
        /// Angle between plane and axis.
        angle: f64,
        /// Direction round the axis to which the cut face opens, from the axis' first side; the point lies opposite.
        azimuth: f64,
    },
}

/// Bare metal round the shaft: an electrode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contact {
    /// Where it begins, from the distal end.
    pub from: f64,
    /// Where it ends, from the distal end.
    pub to: f64,
}

/// A tine: a thin straight wire with a rounded end that leaves the cannula, all of it bare and part of the nearest contact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tine {
    /// Where its axis leaves that of the cannula, from the distal end.
    pub from: f64,
    /// Angle between its axis and that of the cannula, towards the distal end.
    pub angle: f64,
    /// Direction round the cannula's axis, from the axis' first side.
    pub azimuth: f64,
    /// Length from the cannula's axis to its own distal end.
    pub length: f64,
    /// Radius.
    pub radius: f64,
}

/// The channel in which coolant flows: round the axis, closed towards the tip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Channel {
    /// Radius.
    pub radius: f64,
    /// Where it begins, from the distal end.
    pub from: f64,
}

impl FittedNeedle {
    /// A needle with a rounded end and one active tip.
    pub fn rounded(axis: Axis, radius: f64, active_length: f64, length: f64) -> Self {
        Self {
            axis,
            radius,
            end: End::Rounded,
            contacts: vec![Contact {
                from: 0.0,
                to: active_length,
            }],
            length,
            tines: vec![],
            coolant: None,
        }
    }

    /// Distance from the distal end to the start of the axis.
    pub fn end_length(&self) -> f64 {
        self.end.length(self.radius)
    }

    fn bevel(&self) -> Option<Bevel> {
        match self.end {
            End::Rounded => None,
            End::Bevel { angle, azimuth } => Some(Bevel::new(&self.axis, self.radius, angle, azimuth)),
        }
    }

    /// From the distal end to the upper end of the bare metal.
    pub fn active_length(&self) -> f64 {
        self.contacts.iter().fold(0.0, |m, c| m.max(c.to))
    }

    /// The axis of a tine, from its rounded end towards the cannula.
    pub fn tine_axis(&self, tine: &Tine) -> Axis {
        let (p, tangent, e1, e2) = self.axis.at(tine.from - self.end_length());
        let out = e1 * tine.azimuth.cos() + e2 * tine.azimuth.sin();
        let direction = tangent * tine.angle.cos() + out * tine.angle.sin();
        // Angle zero lies in the plane of tine and cannula.
        let side = out * tine.angle.cos() - tangent * tine.angle.sin();
        Axis::straight(p + direction * tine.length, direction, tine.radius).with_side(side)
    }
}

impl End {
    /// Middle and outward unit normal of the face of a bevel.
    pub fn face(self, axis: &Axis, radius: f64) -> Option<(Vec3, Vec3)> {
        match self {
            Self::Rounded => None,
            Self::Bevel { angle, azimuth } => Some(Bevel::new(axis, radius, angle, azimuth).face()),
        }
    }

    /// Distance from the distal end to the start of the axis of a body of this radius.
    ///
    /// A bevel is followed by a piece of straight shaft on which the grid straightens.
    pub fn length(self, radius: f64) -> f64 {
        match self {
            Self::Rounded => radius,
            Self::Bevel { angle, .. } => bevel::length(radius, angle),
        }
    }
}

/// Where a tine enters its cannula.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Joint {
    /// The cannula's body.
    pub body: usize,
    /// Place along the cannula's axis where the tine's axis meets its surface.
    pub along: f64,
}

/// One piece of metal: a cannula or a tine.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Body {
    pub axis: Axis,
    pub radius: f64,
    /// Distance from the distal end to the start of the axis.
    pub end_length: f64,
    pub bevel: Option<Bevel>,
    /// Needle, counted from 0.
    pub needle: usize,
    /// Bare metal along the axis, from its start, with its electrode.
    pub contacts: Vec<(f64, f64, u16)>,
    /// Where the metal ends along the axis, from its start.
    pub most: f64,
    /// Where the tine enters its cannula.
    pub joint: Option<Joint>,
    /// Places along the axis where tines leave, with half the length of the hole.
    pub holes: Vec<(f64, f64)>,
    /// Channel: radius, and where it begins along the axis.
    pub channel: Option<(f64, f64)>,
}

/// The bodies of all needles: the cannulas in the order of the needles, then the tines. Electrodes are numbered needle by needle.
pub(super) fn bodies(needles: &[FittedNeedle]) -> Vec<Body> {
    let mut out = Vec::new();
    let mut electrode = 0u16;
    for (i, n) in needles.iter().enumerate() {
        let end = n.end_length();
        let mut contacts = Vec::with_capacity(n.contacts.len());
        for c in &n.contacts {
            contacts.push((c.from - end, c.to - end, electrode));
            electrode += 1;
        }
        out.push(Body {
            axis: n.axis,
            radius: n.radius,
            end_length: end,
            bevel: n.bevel(),
            needle: i,
            contacts,
            most: n.length - end,
            joint: None,
            holes: n.tines.iter().map(|t| (exit(n, t), t.radius / t.angle.sin())).collect(),
            channel: n.coolant.map(|c| (c.radius, c.from - end)),
        });
    }
    for (i, n) in needles.iter().enumerate() {
        for t in &n.tines {
            let along = exit(n, t);
            let distance = |c: &(f64, f64, u16)| (c.0 - along).max(along - c.1).max(0.0);
            let nearest = out[i]
                .contacts
                .iter()
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
                .map(|c| c.2);
            // The metal reaches so far into the cannula that its whole rim is covered.
            let most = t.length - t.radius - (n.radius - t.radius * t.angle.cos().abs()) / t.angle.sin();
            out.push(Body {
                axis: n.tine_axis(t),
                radius: t.radius,
                end_length: t.radius,
                bevel: None,
                needle: i,
                contacts: nearest.map(|e| (-t.radius, f64::INFINITY, e)).into_iter().collect(),
                most,
                joint: Some(Joint { body: i, along }),
                holes: vec![],
                channel: None,
            });
        }
    }
    out
}

/// Place along the cannula's axis where a tine's axis meets the cannula's surface.
fn exit(n: &FittedNeedle, t: &Tine) -> f64 {
    t.from - n.end_length() - n.radius / t.angle.tan()
}

impl Body {
    /// Where the bare metal ends along the axis.
    pub fn active_end(&self) -> f64 {
        self.contacts.iter().fold(0.0, |m: f64, c| m.max(c.1)).min(self.most)
    }

    /// Distance from `p` to the metal below `end`, negative inside.
    pub fn distance(&self, p: &Vec3, end: f64) -> f64 {
        match &self.bevel {
            Some(bevel) if self.axis.coordinates(p).0 < 0.0 => bevel.distance(p),
            _ => self.axis.distance(p, end) - self.radius,
        }
    }

    /// Where the axis begins a radius from the distal end.
    pub fn first(&self) -> f64 {
        self.radius - self.end_length
    }
}
