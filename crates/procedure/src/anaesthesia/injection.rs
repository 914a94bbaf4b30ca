//! An injection: what, where, how fast, into which tissue.

use std::sync::Arc;

use neurotome_base::PatientPoint;

use super::{AnaesthesiaError, ConductionRule, Solution, error::within};
use crate::{
    anatomy::TissueField,
    catalog::{Catalog, find},
    lesion::NerveCurve,
};

/// Longest time followed after an injection, s.
pub const MAX_FOLLOW_S: f64 = 12.0 * 3600.0;

/// How a tissue lets fluid through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TissueTransport {
    /// Permeability, m²; zero for a tissue that is closed.
    pub permeability_m2: f64,
    /// Share of the volume that an injected fluid fills.
    pub porosity: f64,
}

impl TissueTransport {
    /// Of a tissue of the catalogue; none where it has none.
    pub fn of(catalog: &Catalog, tissue: &str) -> Option<Self> {
        find(&catalog.transport, tissue).map(|t| Self {
            permeability_m2: t.permeability_m2.value,
            porosity: t.porosity_fraction.value,
        })
    }
}

/// A thin barrier: a disc of a plane that lets nothing through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fascia {
    /// Its middle, mm.
    pub point: PatientPoint,
    /// Normal.
    pub normal: [f64; 3],
    /// Radius, mm.
    pub radius_mm: f64,
}

/// An injection and the tissue round it. Positions in patient LPS millimetres.
#[derive(Clone)]
pub struct Injection {
    /// The tissue at each point.
    pub anatomy: Arc<dyn TissueField>,
    /// Names of the tissues, indexed by [`crate::anatomy::TissueId`].
    pub tissue_names: Vec<String>,
    /// How they let fluid through; none where that is not known.
    pub transport: Vec<Option<TissueTransport>>,
    /// Their perfusion, 1/s; zeros where no blood flows.
    pub perfusion_per_s: Vec<f64>,
    /// What is injected.
    pub solution: Solution,
    /// How much, ml.
    pub volume_ml: f64,
    /// How fast, ml/min.
    pub rate_ml_per_min: f64,
    /// Where it leaves the needle.
    pub tip: PatientPoint,
    /// Time followed after the end of the injection, s.
    pub follow_s: f64,
    /// Times after the end of the injection of which the fields are kept in any case, s.
    pub keep_s: Vec<f64>,
    /// Nerves that it may numb.
    pub nerves: Vec<NerveCurve>,
    /// What stops their fibres.
    pub rule: ConductionRule,
    /// Thin barriers.
    pub fasciae: Vec<Fascia>,
    /// Mass of the body, kg.
    pub body_mass_kg: f64,
    /// Side of the cells, mm; none: by the volume, 0.4 to 1.2.
    pub cell_mm: Option<f64>,
}

impl Injection {
    /// Seconds that the injection takes.
    pub fn duration_s(&self) -> f64 {
        60.0 * self.volume_ml / self.rate_ml_per_min
    }

    /// Checks the numbers.
    ///
    /// # Errors
    /// [`AnaesthesiaError::Range`].
    pub fn check(&self) -> Result<(), AnaesthesiaError> {
        within(
            "the volume",
            self.volume_ml,
            [0.1, 3.0],
            "ml",
            "the model is for small injections at a nerve or into the skin",
        )?;
        within(
            "the rate",
            self.rate_ml_per_min,
            [0.05, 20.0],
            "ml/min",
            "give a rate of an injection by hand",
        )?;
        within(
            "the time followed",
            self.follow_s,
            [0.0, MAX_FOLLOW_S],
            "s",
            "give a shorter one",
        )?;
        within(
            "the mass of the body",
            self.body_mass_kg,
            [3.0, 300.0],
            "kg",
            "give that of a person",
        )?;
        if let Some(mm) = self.cell_mm {
            within(
                "the side of a cell",
                mm,
                [0.1, 3.0],
                "mm",
                "leave it out for the usual one",
            )?;
        }
        for f in &self.fasciae {
            within(
                "the radius of a fascia",
                f.radius_mm,
                [0.5, 1000.0],
                "mm",
                "give its size",
            )?;
            let length: f64 = f.normal.iter().map(|c| c * c).sum();
            within(
                "the length of a fascia's normal",
                length.sqrt(),
                [1e-6, 1e6],
                "",
                "give a direction",
            )?;
        }
        let latest = self.keep_s.iter().copied().fold(0.0, f64::max);
        within(
            "a time to be kept",
            latest,
            [0.0, self.follow_s],
            "s",
            "follow for longer",
        )?;
        Ok(())
    }
}
