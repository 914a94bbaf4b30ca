//! One place of the needle, ready to be tested.

use neurotome_physics::axon::Pulse;
use serde::Serialize;

use super::{
    StimulationError,
    field::TipField,
    pathway::Pathway,
    recruit::{self, REACH_MM, Recruitment, Stimulus},
    waveform::{Circuit, Output, TestPulse},
};
use crate::{
    catalog::{Catalog, ElectrodeInterface, FibreClass, FibreKind, NerveFibres, find},
    lesion::LesionProblem,
};

/// The largest amplitude of a generator: volts and milliamperes.
pub const MOST_V: f64 = 10.0;
/// See [`MOST_V`].
pub const MOST_MA: f64 = 20.0;
/// The border of the metal.
const INTERFACE: &str = "stainless_steel";
/// The bundles of fibres.
const FASCICLE: &str = "somatic";

impl Output {
    /// The largest amplitude that a generator gives.
    pub fn most(self) -> f64 {
        match self {
            Self::Voltage => MOST_V,
            Self::Current => MOST_MA,
        }
    }

    /// Where a threshold near the needle is looked for first.
    fn guess(self) -> f64 {
        match self {
            Self::Voltage => 0.3,
            Self::Current => 1.0,
        }
    }
}

/// How open the sodium channels of a class are at a place (mm) along a nerve: less than one under an anaesthetic.
pub type SodiumOf<'a> = &'a (dyn Fn(&Pathway, &FibreClass, f64) -> f64 + Sync);

/// The needle in its place with the nerves round it.
pub struct Examination<'a> {
    /// The field of the bare metal.
    pub field: TipField,
    /// Electrode and tissue as the generator sees them.
    pub circuit: Circuit,
    pathways: &'a [Pathway],
    catalog: &'a Catalog,
    sheath_mm: f64,
}

/// A fibre that stands for a class: that of its mean diameter on the axis of the nerve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TypicalThreshold {
    /// The nerve.
    pub nerve: String,
    /// Distance from its axis to that of the bare metal, mm.
    pub distance_mm: f64,
    /// V or mA; none up to the generator's limit.
    pub amplitude: Option<f64>,
}

impl<'a> Examination<'a> {
    /// `problem` has the conductivities of stimulation ([`super::at_stimulation`]).
    ///
    /// # Errors
    /// [`StimulationError`]: the field, or a catalogue without the metal's border.
    pub fn new(
        problem: &LesionProblem,
        pathways: &'a [Pathway],
        catalog: &'a Catalog,
    ) -> Result<Self, StimulationError> {
        let border: &ElectrodeInterface =
            find(&catalog.electrode_interfaces, INTERFACE).ok_or_else(|| StimulationError::Catalog {
                kind: "electrode_interface",
                name: INTERFACE.to_owned(),
            })?;
        let fascicle = find(&catalog.fascicles, FASCICLE).ok_or_else(|| StimulationError::Catalog {
            kind: "fascicle",
            name: FASCICLE.to_owned(),
        })?;
        let field = TipField::new(problem)?;
        let cm2 = 1e-2 * field.area_mm2;
        // Of a bipolar pair each end has a border.
        let ends = if problem.needles.iter().any(|n| n.potential_fraction < 0.0) {
            2.0
        } else {
            1.0
        };
        Ok(Self {
            circuit: Circuit {
                tissue_ohm: field.resistance_ohm,
                border_uf: border.capacitance_uf_per_cm2.value * cm2 / ends,
                border_ohm: border.charge_transfer_ohm_cm2.value / cm2 * ends,
            },
            field,
            pathways,
            catalog,
            sheath_mm: fascicle.length_constant_mm(),
        })
    }

    fn fibres(&self, pathway: &Pathway) -> Option<NerveFibres> {
        self.catalog.nerve_fibres(pathway.kind).cloned()
    }

    /// How all nerves within reach answer a pulse, nearest first.
    ///
    /// # Errors
    /// [`StimulationError`]: an impossible pulse, no nerve within reach, a nerve outside the region.
    pub fn answers(
        &self,
        pulse: &TestPulse,
        sodium: Option<SodiumOf<'_>>,
    ) -> Result<Vec<Recruitment>, StimulationError> {
        pulse.check()?;
        let course = self.circuit.course(pulse);
        let all = recruit::recruit(
            &self.field,
            self.pathways,
            &|p| self.fibres(p),
            &self.stimulus(&course, pulse.output),
            sodium,
        )?;
        if all.is_empty() {
            return Err(StimulationError::NoNerve { within_mm: REACH_MM });
        }
        Ok(all)
    }

    /// Thresholds of the typical fibre of a class in some of the nerves, those within reach, nearest first; empty without one.
    ///
    /// # Errors
    /// As [`Self::answers`].
    pub fn typical(
        &self,
        nerves: &[&Pathway],
        pulse: &TestPulse,
        class: FibreKind,
    ) -> Result<Vec<TypicalThreshold>, StimulationError> {
        pulse.check()?;
        let course = self.circuit.course(pulse);
        recruit::typical(
            &self.field,
            nerves,
            &|p| self.fibres(p),
            &self.stimulus(&course, pulse.output),
            class,
        )
    }

    fn stimulus<'p>(&self, course: &'p Pulse, output: Output) -> Stimulus<'p> {
        Stimulus {
            course,
            most: output.most(),
            guess: output.guess(),
            sheath_mm: self.sheath_mm,
        }
    }
}
