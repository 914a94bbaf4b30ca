//! The numbers that make a vertebra.
//!
//! Lengths in mm and angles in degrees, in the vertebra's own frame: origin in the middle of the body, `x` to the side (each side has its
//! own numbers, both counted positive outwards), `y` posterior, `z` superior and perpendicular to the superior end plate.

use serde::{Deserialize, Serialize};

/// Makes a struct of numbers that can be read and written as a list, with the standard deviation that each has among people of the same
/// level beside what the overall size explains.
macro_rules! numbers {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $sd:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$doc])* pub $field: f64),* }

        impl $name {
            /// The names of the numbers.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];
            /// Standard deviations among people.
            pub const DEVIATIONS: &'static [f64] = &[$($sd),*];

            /// Appends the numbers in order.
            pub fn write(&self, to: &mut Vec<f64>) {
                $(to.push(self.$field);)*
            }

            /// Reads them from the front of a list of the same order.
            pub fn read(from: &mut impl Iterator<Item = f64>) -> Option<Self> {
                Some(Self { $($field: from.next()?),* })
            }
        }
    };
}

numbers! {
    /// What lies in the middle: body, canal, laminae, spinous process.
    MiddleShape {
        /// Half width of the superior end plate.
        top_half_width: 1.3,
        /// Half width of the inferior end plate.
        bottom_half_width: 1.3,
        /// Half depth (front to back) of the body.
        half_depth: 1.0,
        /// Height of the body in front.
        height_anterior: 1.2,
        /// Height of the body behind.
        height_posterior: 1.2,
        /// How much narrower the body is at half height, as a share of its half axes.
        waist: 0.02,
        /// Distance between the two pedicles: the width of the canal.
        canal_width: 1.5,
        /// Depth of the canal in the midline.
        canal_depth: 1.3,
        /// Height of the laminae.
        lamina_height: 1.5,
        /// Height of their middle.
        lamina_z: 1.0,
        /// Their thickness.
        lamina_thickness: 0.6,
        /// Rise of the lamina's upper border forward, mm per mm of height.
        lamina_slope: 0.05,
        /// Length of the spinous process behind the canal.
        spinous_length: 2.5,
        /// Height of the spinous process at its end.
        spinous_height: 2.0,
        /// Drop of its middle line from the canal to its end.
        spinous_drop: 1.5,
        /// Thickness of its end.
        spinous_thickness: 0.8,
    }
}

numbers! {
    /// What lies on one side: pedicle, transverse process, articular processes.
    SideShape {
        /// Width of the pedicle.
        pedicle_width: 1.5,
        /// Height of the pedicle.
        pedicle_height: 1.0,
        /// Height of its middle.
        pedicle_z: 0.8,
        /// How far it leaves the sagittal plane on its way back, mm per mm.
        pedicle_slope: 0.05,
        /// Tip of the transverse process, from the midline.
        transverse_x: 3.0,
        /// The same, back.
        transverse_y: 3.0,
        /// The same, up.
        transverse_z: 2.0,
        /// Middle of its root beside the canal, back.
        root_y: 1.8,
        /// The same, up.
        root_z: 1.3,
        /// Radius of the transverse process at its root.
        transverse_root: 0.5,
        /// Radius at its tip.
        transverse_end: 0.6,
        /// Middle of the superior facet, from the midline.
        upper_x: 1.4,
        /// The same, back.
        upper_y: 1.8,
        /// The same, up.
        upper_z: 1.5,
        /// Angle of the superior facet to the sagittal plane.
        upper_angle: 8.0,
        /// How far its face leans up.
        upper_lean: 3.0,
        /// Half of its width.
        upper_half_width: 0.9,
        /// Half of its height.
        upper_half_height: 0.9,
        /// From the middle of the facet straight outwards to the lateral wall of the superior articular process.
        wall: 1.3,
        /// From the middle of the facet straight forward to the front of that process.
        front: 1.3,
        /// From the middle of the facet straight back to the middle of the mamillary process.
        mamillary: 1.6,
        /// Angle of that wall to the sagittal plane.
        wall_angle: 6.0,
        /// Middle of the inferior facet, from the midline.
        lower_x: 1.4,
        /// The same, back.
        lower_y: 1.8,
        /// The same, up.
        lower_z: 1.8,
        /// Angle of the inferior facet to the sagittal plane.
        lower_angle: 8.0,
        /// How far the face that it meets leans up.
        lower_lean: 3.0,
        /// Half of its width.
        lower_half_width: 0.9,
        /// Half of its height.
        lower_half_height: 0.9,
    }
}

/// False for angles, slopes and shares.
pub(crate) fn is_length(name: &str) -> bool {
    !(["waist", "lamina_slope", "pedicle_slope"].contains(&name) || name.ends_with("angle") || name.ends_with("lean"))
}

/// One vertebra's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VertebraShape {
    /// The middle.
    pub middle: MiddleShape,
    /// The left side.
    pub left: SideShape,
    /// The right side.
    pub right: SideShape,
}

impl VertebraShape {
    /// How many numbers there are.
    pub const LEN: usize = MiddleShape::NAMES.len() + 2 * SideShape::NAMES.len();

    /// All numbers: middle, left, right.
    pub fn to_vec(&self) -> Vec<f64> {
        let mut all = Vec::with_capacity(Self::LEN);
        self.middle.write(&mut all);
        self.left.write(&mut all);
        self.right.write(&mut all);
        all
    }

    /// From a list as [`VertebraShape::to_vec`] gives it; none when it is too short.
    pub fn from_slice(numbers: &[f64]) -> Option<Self> {
        let mut from = numbers.iter().copied();
        Some(Self {
            middle: MiddleShape::read(&mut from)?,
            left: SideShape::read(&mut from)?,
            right: SideShape::read(&mut from)?,
        })
    }

    /// Their standard deviations among people, in the same order.
    pub fn deviations() -> Vec<f64> {
        [MiddleShape::DEVIATIONS, SideShape::DEVIATIONS, SideShape::DEVIATIONS].concat()
    }

    /// The same shape at another size: lengths are multiplied, angles and slopes stay.
    #[must_use]
    pub fn scaled(&self, by: f64) -> Self {
        let (middle, side) = (MiddleShape::NAMES.len(), SideShape::NAMES.len());
        let name = |i: usize| {
            if i < middle {
                MiddleShape::NAMES[i]
            } else {
                SideShape::NAMES[(i - middle) % side]
            }
        };
        let numbers: Vec<f64> = self
            .to_vec()
            .into_iter()
            .enumerate()
            .map(|(i, v)| if is_length(name(i)) { v * by } else { v })
            .collect();
        Self::from_slice(&numbers).unwrap_or(*self)
    }

    /// Height of the body in its middle.
    pub fn height(&self) -> f64 {
        0.5 * (self.middle.height_anterior + self.middle.height_posterior)
    }

    /// The back of the vertebral body, y.
    pub fn back_wall(&self) -> f64 {
        0.937 * self.middle.half_depth
    }

    /// Angle between the end plates, degrees: positive when the body is higher in front.
    pub fn wedge_deg(&self) -> f64 {
        let m = &self.middle;
        ((m.height_anterior - m.height_posterior) / (2.0 * m.half_depth))
            .atan()
            .to_degrees()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_read_back_from_its_list() {
        let list: Vec<f64> = (0..VertebraShape::LEN).map(|i| i as f64).collect();
        let shape = VertebraShape::from_slice(&list).unwrap();
        assert_eq!(shape.to_vec(), list);
        assert_eq!(VertebraShape::deviations().len(), list.len());
        assert!(VertebraShape::from_slice(&list[1..]).is_none());
    }
}
