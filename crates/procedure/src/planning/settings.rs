//! What a plan is asked for.

use std::sync::Arc;

use neurotome_base::PatientPoint;
use serde::{Deserialize, Serialize};

use super::{Joint, lesion_shape::Stem};
use crate::{
    anatomy::{Patient, Side},
    catalog::{Cannula, MetalEntry, Technique},
    lesion::{LesionProblem, Needle},
};

/// A needle that may be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Its name in the catalogue.
    pub name: String,
    /// Its sizes; its place means nothing.
    pub needle: Needle,
}

impl Device {
    /// A straight cannula with a rounded end.
    ///
    /// # Errors
    /// What the cannula has that a plan does not know of.
    pub fn new(cannula: &Cannula, metal: &MetalEntry) -> Result<Self, &'static str> {
        let others = [
            (cannula.bend_angle_deg.is_some(), "a bend"),
            (cannula.bevel_angle_deg.is_some(), "a bevelled end"),
            (cannula.contact_count.is_some(), "several contacts"),
            (cannula.tine_count.is_some(), "tines"),
            (cannula.channel_diameter_mm.is_some(), "a coolant"),
        ];
        if let Some((_, what)) = others.iter().find(|o| o.0) {
            return Err(what);
        }
        Ok(Self::straight(cannula, metal))
    }

    /// A cooled probe, which no plan foretells but an operator may use.
    ///
    /// # Errors
    /// What the cannula has, or lacks.
    pub fn cooled(cannula: &Cannula, metal: &MetalEntry) -> Result<Self, &'static str> {
        let others = [
            (cannula.bend_angle_deg.is_some(), "a bend"),
            (cannula.bevel_angle_deg.is_some(), "a bevelled end"),
            (cannula.contact_count.is_some(), "several contacts"),
            (cannula.tine_count.is_some(), "tines"),
        ];
        if let Some((_, what)) = others.iter().find(|o| o.0) {
            return Err(what);
        }
        let mut device = Self::straight(cannula, metal);
        device.needle.coolant = Some(cannula.coolant().ok_or("a coolant without its numbers")?);
        Ok(device)
    }

    /// Its sizes as those of a straight needle.
    fn straight(cannula: &Cannula, metal: &MetalEntry) -> Self {
        Self {
            name: cannula.name.clone(),
            needle: Needle {
                tip: PatientPoint::new(0.0, 0.0, 0.0),
                direction: [0.0, -1.0, 0.0],
                outer_diameter_mm: cannula.outer_diameter_mm.value,
                active_tip_mm: cannula.active_tip_mm.value,
                length_mm: cannula.length_mm.value,
                bend: None,
                bevel: None,
                contacts: Vec::new(),
                insulation_defects: Vec::new(),
                skin_from_tip_mm: None,
                tines: Vec::new(),
                coolant: None,
                potential_fraction: 1.0,
                thermocouple_from_tip_mm: cannula.thermocouple_from_tip_mm.value,
                thermocouple_tine: None,
                metal: metal.metal(),
            },
        }
    }
}

/// Devices that make the same lesion, from short to long.
#[derive(Debug, Clone)]
pub(super) struct Family {
    pub stem: Stem,
    pub devices: Vec<Device>,
}

/// Groups devices that differ in nothing but length.
pub(super) fn families(devices: &[Device]) -> Vec<Family> {
    let mut all: Vec<Family> = Vec::new();
    let same = |a: &Needle, b: &Needle| {
        Needle {
            length_mm: b.length_mm,
            ..a.clone()
        } == *b
    };
    for device in devices {
        match all.iter_mut().find(|f| same(&f.devices[0].needle, &device.needle)) {
            Some(family) => family.devices.push(device.clone()),
            None => all.push(Family {
                stem: Stem::of(&device.needle),
                devices: vec![device.clone()],
            }),
        }
    }
    for family in &mut all {
        family
            .devices
            .sort_by(|a, b| a.needle.length_mm.total_cmp(&b.needle.length_mm));
    }
    all
}

/// How much is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effort {
    /// Poses ranked for each nerve: those that no bone, canal, vessel or length forbids.
    pub candidates: usize,
    /// Draws of nerve, placement and tissue for each pose.
    pub draws: usize,
    /// Full solves on coarse cells for the fast model, over all nerves.
    pub fit_solves: usize,
    /// Further ones that tell its error.
    pub held_out_solves: usize,
    /// Best poses of each nerve solved in full.
    pub verified: usize,
    /// Seed of all draws.
    pub seed: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            candidates: 1000,
            draws: 400,
            fit_solves: 24,
            held_out_solves: 12,
            verified: 5,
            seed: 1,
        }
    }
}

/// The question.
#[derive(Clone)]
pub struct PlanRequest {
    /// The patient.
    pub patient: Arc<dyn Patient>,
    /// Tissues, drive and solver; its needles, nerves and domain's centre are replaced.
    pub template: LesionProblem,
    /// Needles to choose from, at least one.
    pub devices: Vec<Device>,
    /// The joint.
    pub joint: Joint,
    /// Side.
    pub side: Side,
    /// Length of each nerve to be destroyed, mm.
    pub destroyed_mm: f64,
    /// Angles, spreads and limits.
    pub technique: Technique,
    /// How much is computed.
    pub effort: Effort,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::testing;

    #[test]
    fn devices_of_one_gauge_are_one_family_and_the_shortest_comes_first() {
        let mut devices = testing::devices();
        let mut long = devices[0].clone();
        long.name += "-long";
        long.needle.length_mm = 150.0;
        devices.insert(0, long.clone());
        let families = families(&devices);
        assert_eq!(families.len(), devices.len() - 1);
        assert_eq!(families[0].devices.len(), 2);
        assert_eq!(families[0].devices[1], long);
    }
}
